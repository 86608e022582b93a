"""Who is told of triggers: a web server that gets webhooks, and a mail server. Both live in a host of the lab and
remember what came."""

import base64
import hashlib
import hmac
import http.server
import socketserver
import ssl
import threading
import time
import urllib.parse


class Inbox:
    """What came, in order; waiting for more is bounded."""

    def __init__(self):
        self.items = []
        self.change = threading.Condition()

    def put(self, item):
        with self.change:
            self.items.append(item)
            self.change.notify_all()

    def wait(self, count, timeout=15):
        with self.change:
            assert self.change.wait_for(lambda: len(self.items) >= count, timeout), self.items
            return list(self.items)


def signature(token, url, form):
    """Of a webhook, as client libraries compute it."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


class WebServer(Inbox):
    """Answers each path by its status: /ok, /500, /404; /flaky fails twice; /elsewhere redirects to /ok; /slow takes
    long; /endless never stops."""

    def __init__(self, host, port=8080):
        super().__init__()
        self.base = f"http://{host.address}:{port}"
        self.flaky = 0
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in
                        urllib.parse.parse_qs(body, keep_blank_values=True, strict_parsing=True).items()}
                web.put((self.path, dict(self.headers), form))
                getattr(self, "answer_" + self.path.split("?")[0].strip("/"), self.answer)()

            def answer(self, status=None, **headers):
                word = self.path.split("?")[0].strip("/")
                self.send_response(status or (int(word) if word.isdigit() else 200))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def answer_flaky(self):
                web.flaky += 1
                self.answer(503 if web.flaky <= 2 else 200)

            def answer_elsewhere(self):
                self.answer(302, Location=f"{web.base}/ok")

            def answer_slow(self):
                time.sleep(6)
                self.answer(200)

            def answer_endless(self):
                self.send_response(200)
                self.end_headers()
                try:
                    while True:
                        self.wfile.write(b"x" * 65536)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        with host.inside():
            self.server = http.server.ThreadingHTTPServer((host.address, port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def paths(self):
        return [path for path, _, _ in self.items]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class MailServer(Inbox):
    """SMTP with STARTTLS and AUTH PLAIN or LOGIN (RFC 5321, 3207, 4954), as much as a client needs. Refuses
    recipients that begin with "nobody", for now those that begin with "later", the first time."""

    def __init__(self, host, port=2525, certificate=None, login=None):
        super().__init__()
        self.commands = []
        self.later = 0
        mail = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, *lines):
                for place, line in enumerate(lines):
                    code, _, text = line.partition(" ")
                    self.wfile.write(f"{code}{'-' if place + 1 < len(lines) else ' '}{text}\r\n".encode())

            def line(self):
                return self.rfile.readline(4096).decode("latin-1").rstrip("\r\n")

            def handle(self):
                self.is_safe = self.is_known = False
                self.say("220 sink")
                while line := self.line():
                    mail.commands.append(line)
                    word = line.split()[0].upper()
                    if word == "QUIT":
                        self.say("221 bye")
                        return
                    getattr(self, "do_" + word, self.unknown)(line)

            def unknown(self, _):
                self.say("502 no")

            def do_EHLO(self, _):
                offers = ["250 sink"]
                if certificate and not self.is_safe:
                    offers.append("250 STARTTLS")
                if login:
                    offers.append("250 AUTH PLAIN")
                self.say(*offers)

            def do_STARTTLS(self, _):
                self.say("220 go on")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*certificate)
                self.connection = context.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", 0)
                self.is_safe = True

            def do_AUTH(self, line):
                words = line.split()
                if len(words) == 2:
                    self.say("334 ")
                    words.append(self.line())
                given = base64.b64decode(words[2]).decode().split("\0")[1:]
                self.is_known = given == list(login)
                self.say("235 ok" if self.is_known else "535 wrong")

            def do_MAIL(self, line):
                self.sender, self.recipients = line, []
                self.say("250 ok" if self.is_known or not login else "530 who are you")

            def do_RCPT(self, line):
                self.recipients.append(line)
                if "<nobody" in line:
                    self.say("550 no such user")
                elif "<later" in line and mail.later == 0:
                    mail.later += 1
                    self.say("451 come back")
                else:
                    self.say("250 ok")

            def do_DATA(self, _):
                self.say("354 go on")
                lines = []
                while (line := self.line()) != ".":
                    lines.append(line[1:] if line.startswith(".") else line)
                mail.put({"sender": self.sender, "recipients": self.recipients, "is_safe": self.is_safe,
                          "text": "\r\n".join(lines) + "\r\n"})
                self.say("250 taken")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        with host.inside():
            self.server = Server((host.address, port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"{host.address}:{port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
