"""Phones on a host: sipp with a scenario, baresip as a user agent people really use."""

import csv
import dataclasses
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

from .network import LabError


@dataclasses.dataclass
class Totals:
    """What sipp counted."""
    created: int
    successful: int
    failed: int
    retransmissions: int
    max_rate: float


class Sipp:
    """sipp on a host with one scenario; files go to `folder`/`name`.*"""

    def __init__(self, host, folder, name, text, target=None, port=5060, calls=1, rate=None,
                 limit=None, keys=None, credentials=None, media_port=20000, timeout=None,
                 options=()):
        self.host, self.name, self.port = host, name, port
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        script = self.folder / f"{name}.xml"
        script.write_text(text)
        self.words = ["sipp", "-sf", script, "-i", host.address, "-p", port, "-mi", host.address,
                      "-mp", media_port, "-m", calls, "-nostdin",
                      "-trace_err", "-error_file", self.path("errors"), "-trace_stat", "-stf",
                      self.path("stat"), "-fd", "1"]
        if calls <= 20:
            self.words += ["-trace_msg", "-message_file", self.path("messages")]
        if rate:
            self.words += ["-r", rate]
        if limit:
            self.words += ["-l", limit]
        if timeout:
            self.words += ["-timeout", f"{timeout}s", "-timeout_error"]
        for key, value in (keys or {}).items():
            self.words += ["-key", key, value]
        if credentials:
            self.words += ["-au", credentials[0], "-ap", credentials[1], "-auth_uri",
                           f"{keys['number']}@{keys['domain']}"]
        self.words += list(options)
        if target:
            self.words.append(target)

    def path(self, kind):
        return self.folder / f"{self.name}.{kind}"

    def start(self):
        for kind in ("errors", "stat", "messages"):
            self.path(kind).unlink(missing_ok=True)
        self.output = open(self.path("out"), "wb")
        self.process = self.host.start(*self.words, stdout=self.output, stderr=subprocess.STDOUT,
                                       cwd=self.folder, env={**os.environ, "TERM": "dumb"})
        if self.words[-1] == "":
            raise LabError("no target")
        return self

    def wait(self, timeout=30):
        """True: every call went as the scenario says."""
        try:
            return self.process.wait(timeout) == 0
        except subprocess.TimeoutExpired:
            self.stop()
            return False
        finally:
            self.output.close()

    def run(self, timeout=30):
        return self.start().wait(timeout)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def complaint(self):
        """Why calls failed, as it counted, and what it said of the first."""
        return f"{self._causes()}\n{self._said()}"

    def _causes(self):
        with open(self.path("stat"), newline="", encoding="ascii") as file:
            last = {}
            for last in csv.DictReader(file, delimiter=";"):
                pass
        return ", ".join(f"{name[:-3]} {count}" for name, count in last.items()
                         if name and name.startswith("Failed") and name.endswith("(C)") and int(count))

    def _said(self):
        for kind in ("errors", "out"):
            if self.path(kind).exists() and self.path(kind).stat().st_size:
                return "\n".join(self.path(kind).read_text(errors="replace").splitlines()[:12])
        return "sipp said nothing"

    def messages(self):
        """[(sent, text)] as sipp saw them."""
        text = self.path("messages").read_text(errors="replace")
        found = re.findall(r"UDP message (sent|received)[^\n]*\n\n(.*?)(?=\n-{20,}|\Z)", text, re.S)
        return [(word == "sent", body.replace("\r\n", "\n")) for word, body in found]

    def totals(self):
        with open(self.path("stat"), newline="", encoding="ascii") as file:
            rows = [row for row in csv.DictReader(file, delimiter=";") if None not in row.values()]
        last = rows[-1] if rows else {}
        return Totals(int(last.get("TotalCallCreated", 0)), int(last.get("SuccessfulCall(C)", 0)),
                      int(last.get("FailedCall(C)", 0)), int(last.get("Retransmissions(C)", 0)),
                      max((float(row["CallRate(P)"]) for row in rows), default=0.0))


class Baresip:
    """baresip without registration, driven over its control socket; it plays `says` (a wav file)
    and leaves what it said and heard as wav files in its folder."""

    def __init__(self, host, folder, name, says=None, user="lab", domain=None,
                 credentials=None, outbound=None, port=5060, media=(22000, 22100),
                 encryption=None, authority=None, answers=False):
        self.host, self.name, self.events = host, name, []
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir(parents=True, exist_ok=True)
        source = f"aufile,{says}" if says else "ausine,440"
        modules = ["account", "ctrl_tcp", "menu", "g711", "aubridge", "sndfile",
                   "aufile" if says else "ausine"]
        if encryption:
            modules.insert(0, "srtp")  # the account names it as soon as it is read
        (self.folder / "config").write_text("\n".join([
            f"module_path {module_path()}",
            *[f"module {module}.so" for module in modules],
            f"sip_listen {host.address}:{port}", "net_interface eth0", "ctrl_tcp_listen 127.0.0.1:4444",
            f"audio_source {source}",
            "audio_player aubridge,nobody", f"snd_path {self.folder}", "audio_buffer 20-160", "audio_srate 8000-8000", "audio_channels 1-1",
            f"rtp_ports {media[0]}-{media[1]}", "call_max_calls 4", "rtp_stats no",
            *self._trust(authority), ""]))
        words = [f"<sip:{user}@{domain or host.address}>", "regint=0", "audio_codecs=PCMU/8000/1",
                 "dtmfmode=rtpevent"]
        if credentials:
            words += [f"auth_user={credentials[0]}", f"auth_pass={credentials[1]}"]
        if encryption:  # "srtp-mand": RTP/SAVP; "srtp": crypto lines beside RTP/AVP
            words.append(f"mediaenc={encryption}")
        if answers:
            words.append("answermode=auto")
        if outbound:
            words.append(f'outbound="{outbound}"')
        (self.folder / "accounts").write_text(";".join(words) + "\n")
        (self.folder / "contacts").write_text("")

    def _trust(self, authority):
        """Lines about TLS: the CA that servers must be of, and a certificate of its own."""
        if not authority:
            return []
        certificate, key = authority.issue(self.name, [f"IP:{self.host.address}"])
        own = self.folder / "own.pem"
        own.write_text(key.read_text() + certificate.read_text())
        return [f"sip_cafile {authority.ca}", f"sip_certificate {own}"]

    def start(self):
        self.output = open(self.folder / "out", "wb")
        self.process = self.host.start("baresip", "-f", self.folder, stdout=self.output,
                                       stderr=subprocess.STDOUT, cwd=self.folder)
        end = time.monotonic() + 5
        while True:
            try:
                with self.host.inside():
                    self.control = socket.create_connection(("127.0.0.1", 4444), 1)
                break
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise LabError(f"baresip did not start: see {self.folder}/out") from None
                time.sleep(0.05)
        self.control.settimeout(None)
        self.news = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def _listen(self):
        """Netstrings of JSON."""
        data = b""
        while True:
            try:
                more = self.control.recv(65536)
            except OSError:
                return
            if not more:
                return
            data += more
            while b":" in data:
                length, _, rest = data.partition(b":")
                if len(rest) < int(length) + 1:
                    break
                with self.news:
                    self.events.append(json.loads(rest[:int(length)]))
                    self.news.notify_all()
                data = rest[int(length) + 1:]

    def command(self, command, params=""):
        text = json.dumps({"command": command, "params": params, "token": "lab"}).encode()
        self.control.sendall(b"%d:%s," % (len(text), text))

    def dial(self, uri):
        self.command("dial", uri)

    def hang_up(self):
        self.command("hangup")

    def hold(self):
        self.command("hold")

    def resume(self):
        self.command("resume")

    def press(self, digits):
        """As telephone events (RFC 4733)."""
        self.command("sndcode", digits)

    def wait_event(self, *types, timeout=10):
        """The first event of one of these types, for example CALL_ESTABLISHED; None: none came."""
        end = time.monotonic() + timeout
        with self.news:
            while True:
                for event in self.events:
                    if event.get("type") in types:
                        return event
                left = end - time.monotonic()
                if left <= 0 or not self.news.wait(left):
                    return None

    def heard(self):
        """The wav file of what came out of its decoder; None: nothing did."""
        return next(iter(sorted(self.folder.glob("*-dec.wav"))), None)

    def said(self):
        """The wav file of what went into its encoder; None: nothing did."""
        return next(iter(sorted(self.folder.glob("*-enc.wav"))), None)

    def stop(self):
        if self.process.poll() is None:
            self.command("quit")
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.control.close()
        self.output.close()


def module_path():
    for place in ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules"):
        if os.path.isdir(place):
            return place
    raise LabError("baresip's modules are missing: apt-get install baresip-core")
