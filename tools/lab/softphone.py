"""A phone whose every step a test decides: SIP over UDP, TCP or TLS, media of `media.Media`. It knows one
call."""

import re
import secrets
import socket
import threading
import time
import urllib.parse

from .network import LabError
from .wire import open_wire

FINAL = 200


class Message:
    def __init__(self, data):
        head, _, self.body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        self.first, *lines = head.split("\r\n")
        self.headers = [line.partition(":")[::2] for line in lines]
        self.is_response = self.first.startswith("SIP/2.0 ")
        self.status = int(self.first.split()[1]) if self.is_response else 0
        number, self.method = self["CSeq"].split()
        self.number = int(number)

    def __getitem__(self, name):
        return next((value.strip() for key, value in self.headers if key.lower() == name.lower()), "")

    def all(self, name):
        return [value.strip() for key, value in self.headers if key.lower() == name.lower()]


class Softphone:
    """`server`: address of the appliance; its family is ours."""

    def __init__(self, host, media, server, user="lab", domain=None, port=5060, transport="udp",
                 tls=None):
        self.host, self.media = host, media
        self.server = (server, 5061 if transport == "tls" else 5060)
        self.transport = transport
        address = host.address6 if ":" in server else host.address
        self.wire = open_wire(host, address, port, transport, tls)
        self.place = f"[{address}]:{port}" if ":" in server else f"{address}:{port}"
        self.domain = domain or self.place.rpartition(":")[0]
        parameter = "" if transport == "udp" else f";transport={transport}"
        self.user, self.contact = user, f"<sip:{user}@{self.place}{parameter}>"
        self.received, self.news = [], threading.Condition()
        self.tag, self.call_id = secrets.token_hex(4), ""
        self.number, self.local, self.remote, self.peer = 0, "", "", ""
        self.acks, self.last_answer = {}, None
        self.is_late = False  # our INVITE made no offer
        self.answer_status = FINAL  # to INVITE; None: rings for ever
        self.knows = ""  # header lines of each INVITE and 18x: Supported, Allow
        self.early = []  # called: what happens before the answer, each with (phone, invite, source)
        self.rseq = 0
        self.answers_pracks = True
        self.wake, self.stop = socket.socketpair()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stop.send(b".")
        self.thread.join()
        for one in (self.wire, self.wake, self.stop):
            one.close()

    # ---- calling

    def dial(self, number, sdp=None):
        """Sends an INVITE with our offer; its final response, which is acknowledged."""
        self.call_id = f"{secrets.token_hex(8)}@{self.host.address}"
        self.peer = f"sip:{number}@{self.domain}"
        self.local = f'"Lab" <sip:{self.user}@{self.domain}>;tag={self.tag}'
        self.remote = f"<{self.peer}>"
        self.is_late = sdp == ""
        return self._offer(sdp)

    def reinvite(self, direction="sendrecv", sdp=None):
        """Another offer in the dialog; its final response."""
        return self._offer(self.media.describe(direction) if sdp is None else sdp)

    def update(self, direction="sendrecv"):
        """The same by UPDATE (RFC 3311)."""
        final = self.request("UPDATE", self.media.describe(direction))
        if final.status < 300:
            self.media.take(final.body)
        return final

    def _offer(self, sdp):
        """With an empty `sdp` the peer makes the offer, and our ACK the answer."""
        final = self.request("INVITE", self.media.describe() if sdp is None else sdp)
        if final.status < 300:
            self._join(final)
            if final.body:
                self.media.take(final.body)
        return final

    def _join(self, response):
        self.remote = response["To"]
        self.peer = re.search(r"<([^>]+)>", response["Contact"])[1]

    def hang_up(self):
        return self.request("BYE")

    def dialog(self):
        """Its name as the peer sees it (RFC 3891 6.1)."""
        theirs, ours = (value.partition(";tag=")[2] for value in (self.remote, self.local))
        return f"{self.call_id};to-tag={theirs};from-tag={ours}"

    def refer(self, target, replaced=None):
        """REFER to that URI (RFC 3515); `replaced`: another phone, whose dialog goes with it (RFC 3891)."""
        if replaced:
            target += f"?Replaces={urllib.parse.quote(replaced.dialog(), safe='')}"
        return self.request("REFER", headers=[f"Refer-To: <{target}>"])

    def take_over(self, other):
        """An INVITE with Replaces to the peer of another phone's call."""
        knows, self.knows = self.knows, f"Replaces: {other.dialog()}\r\nRequire: replaces"
        try:
            return self.dial("anything")
        finally:
            self.knows = knows

    def told(self, status, timeout=15):
        """Until NOTIFY tells of that status; all statuses it has told of."""
        self._wait(lambda: status in self.progress(), timeout)
        return self.progress()

    def progress(self):
        return [int(one.body.split()[1]) for one in self.requests("NOTIFY")]

    def request(self, method, body="", timeout=10, headers=()):
        """Sent again every half second until something comes back; the final response."""
        self.number += 1
        number = self.number
        branch = f"z9hG4bK{secrets.token_hex(6)}"
        text = self._text(method, branch, number, body, headers=headers)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if not self._find(number, method, 100):
                self._send(text)
            final = self._wait(lambda: self._find(number, method, FINAL), 0.5)
            if final:
                if method == "INVITE":
                    self._acknowledge(final, branch, is_late=not body)
                return final
        raise LabError(f"{method} of {self.host.name} was not answered in {timeout} s")

    def _find(self, number, method, least):
        return next((one for one in self.received if one.is_response and one.number == number and
                     one.method == method and one.status >= least), None)

    def _acknowledge(self, final, branch, is_late):
        remote, peer, answer = final["To"], self.peer, ""
        if final.status < 300 and is_late and final.body:
            self.media.take(final.body)
            answer = self.media.describe(offer=final.body)
        if final.status < 300:
            branch = f"z9hG4bK{secrets.token_hex(6)}"
            peer = re.search(r"<([^>]+)>", final["Contact"])[1]
        text = self._text("ACK", branch, final.number, answer, peer, remote)
        self.acks[final.number] = text
        self._send(text)

    def _text(self, method, branch, number, body="", peer=None, remote=None, headers=()):
        lines = [f"{method} {peer or self.peer} SIP/2.0",
                 f"Via: SIP/2.0/{self.transport.upper()} {self.place};branch={branch};rport",
                 f"From: {self.local}", f"To: {remote or self.remote}", f"Call-ID: {self.call_id}",
                 f"CSeq: {number} {method}", f"Contact: {self.contact}", "Max-Forwards: 70", *headers]
        if self.knows and method == "INVITE":
            lines.append(self.knows)
        if body:
            lines.append("Content-Type: application/sdp")
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])

    def _send(self, text, target=None):
        self.wire.send(text.encode(), target or self.server)

    # ---- called

    def _listen(self):
        for data, source in self.wire.messages(self.wake):
            if not data.strip():
                continue
            message = Message(data)
            with self.news:
                is_again = any(one.first == message.first and one["Via"] == message["Via"] and
                               one["CSeq"] == message["CSeq"] for one in self.received)
                self.received.append(message)
                self.news.notify_all()
            if message.is_response:
                if is_again and message.method == "INVITE" and message.number in self.acks:
                    self._send(self.acks[message.number])
                elif message.method == "INVITE" and 100 < message.status < 200:
                    self._hear_early(message, is_again)
            elif message.method != "ACK":
                self._serve(message, source, is_again)
            elif message.body:
                self.media.take(message.body)  # the answer to what our 200 offered

    def _hear_early(self, response, is_again):
        """Early media, and PRACK where it is asked for (RFC 3262), with an answer to an offer."""
        self._join(response)
        answer = ""
        if response.body and not is_again:
            self.media.take(response.body)
            answer = self.media.describe(offer=response.body) if self.is_late else ""
        if "100rel" in response["Require"] and not is_again:
            self.number += 1
            self._send(self._text("PRACK", f"z9hG4bK{secrets.token_hex(6)}", self.number, answer,
                                  headers=[f"RAck: {response['RSeq']} {response['CSeq']}"]))

    def _serve(self, message, source, is_again):
        if message.method == "UPDATE" and message.body:
            self.media.take(message.body)
            self._respond(message, source, 200, self.media.describe(offer=message.body))
        elif message.method == "PRACK" and not self.answers_pracks:
            pass
        elif message.method != "INVITE":
            self._respond(message, source, 200)
        elif is_again and self.last_answer:
            self._send(self.last_answer, source)
        elif self.answer_status is None:
            self._respond(message, source, 180)
        elif self.answer_status >= 300:
            self._respond(message, source, self.answer_status)
        else:
            self._answer(message, source)

    def ring(self, message, source, status=183, body="", is_reliable=True):
        """A provisional response; a reliable one waits for its PRACK."""
        headers = [self.knows] if self.knows else []
        if is_reliable:
            self.rseq += 1
            headers += ["Require: 100rel", f"RSeq: {self.rseq}"]
        self._respond(message, source, status, body, headers)
        return f"{self.rseq} {message['CSeq']}"

    def _answer(self, message, source):
        if self.early and ";tag=" not in message["To"]:
            threading.Thread(target=self._ring_and_answer, args=(message, source), daemon=True).start()
        else:
            self._accept(message, source)

    def _ring_and_answer(self, message, source):
        self._meet(message)
        for step in self.early:
            step(self, message, source)
        self._accept(message, source)

    def _meet(self, message):
        self.call_id, self.remote = message["Call-ID"], message["From"]
        self.local = message["To"] if ";tag=" in message["To"] else f"{message['To']};tag={self.tag}"
        self.peer = re.search(r"<([^>]+)>", message["Contact"])[1]

    def _accept(self, message, source):
        self._meet(message)
        offer = message.body
        if offer:
            self.media.take(offer)
        direction = {"sendonly": "recvonly", "inactive": "inactive", "recvonly": "sendonly"}.get(
            next((word for word in ("sendonly", "inactive", "recvonly") if f"\na={word}" in offer),
                 ""), "sendrecv")
        self.last_answer = self._respond(
            message, source, 200, self.media.describe(direction, offer=offer or None))

    def _respond(self, message, source, status, body="", headers=()):
        to = message["To"]
        if ";tag=" not in to and status > 100:
            to += f";tag={self.tag}"
        lines = [f"SIP/2.0 {status} Lab", *[f"Via: {via}" for via in message.all("Via")],
                 f"From: {message['From']}", f"To: {to}", f"Call-ID: {message['Call-ID']}",
                 f"CSeq: {message['CSeq']}", f"Contact: {self.contact}", *headers]
        if body:
            lines.append("Content-Type: application/sdp")
        text = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])
        self._send(text, source)
        return text

    # ---- what came

    def requests(self, method):
        """Of that method, each once."""
        found = {}
        for one in self.received:
            if not one.is_response and one.method == method:
                found.setdefault((one.number, one["Via"]), one)
        return list(found.values())

    def wait_requests(self, method, count=1, timeout=10):
        if not self._wait(lambda: len(self.requests(method)) >= count, timeout):
            raise LabError(f"{self.host.name} got {len(self.requests(method))} {method}, not {count}")
        return self.requests(method)

    def wait_early(self, is_reliable, timeout=5):
        """As the calling one: early media were described, and our PRACK is answered."""
        return self._wait(lambda: self.media.target and (not is_reliable or any(
            one.is_response and one.method == "PRACK" for one in self.received)), timeout)

    def _wait(self, condition, timeout):
        end = time.monotonic() + timeout
        with self.news:
            while not (found := condition()):
                left = end - time.monotonic()
                if left <= 0 or not self.news.wait(left) and end <= time.monotonic():
                    return condition()
        return found
