"""One end of a call's media, by hand: RTP or SRTP and RTCP on sockets of a host, described in SDP, with
everything said and heard kept to be compared. What it protects and unprotects goes through libsrtp2."""

import contextlib
import random
import select
import socket
import struct
import threading
import time

from . import srtp
from .capture import Packet, rtp_of
from .talker import PACKET, Stream

PACE = 0.02
REPORTS = range(200, 224)  # packet types of RTCP, where both share a port (RFC 5761 4)


class Media(Stream):
    """`suites` are offered in that order, or taken from an offer in its order; none: plain RTP.
    `told` is another address than the socket's, to put a lie into the SDP."""

    def __init__(self, host, port, suites=(), family=4, told=None, is_muxed=False, sequence=1000,
                 ssrc=None, event=101):
        self.host, self.suites, self.family, self.event = host, tuple(suites), family, event
        self.is_muxed = is_muxed
        self.own = host.address if family == 4 else host.address6
        self.address = told or self.own
        super().__init__(random.getrandbits(32) if ssrc is None else ssrc, sequence, 8000)
        self.masters = {suite: srtp.new_master(suite) for suite in self.suites}
        self.suite, self.out, self.former, self.inside = None, None, None, []
        self.peer_master, self.target, self.rtcp_target, self.peer_event = None, None, None, None
        self.said, self.heard, self.reports, self.refused = [], [], [], []
        self.reports_at = set()  # ports
        self.version, self.lock = 0, threading.Lock()
        self._open_port(port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _open_port(self, port):
        self.port = port
        self.rtp = self.host.socket(port, address=self.own)
        self.rtcp = self.host.socket(port + 1, address=self.own)
        self.wake, self.stop = socket.socketpair()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def move(self, port):
        """To another port, which the next description tells."""
        self.close()
        self._open_port(port)

    def close(self):
        self.stop.send(b".")
        self.thread.join()
        for one in (self.rtp, self.rtcp, self.wake, self.stop):
            one.close()

    def close_port(self):
        """Nobody listens to RTP here any more."""
        self.stop.send(b".")
        self.thread.join()
        self.wake.recv(1)
        self.rtp.close()
        self.thread = threading.Thread(target=self.wake.recv, args=(1,), daemon=True)
        self.thread.start()

    # ---- what is told

    def describe(self, direction="sendrecv", offer=None, rest="", profile=None):
        """SDP of this end; an answer when `offer` is what the peer said."""
        self.version += 1
        lines = []
        if offer is not None:
            lines = [srtp.crypto_line(self.suite, self.masters[self.suite], self.line)] \
                if self.suite else []
        elif self.suites:
            lines = [srtp.crypto_line(suite, self.masters[suite], index + 1, rest)
                     for index, suite in enumerate(self.suites)]
        event = self.event
        if offer is not None and self.peer_event:
            event = self.peer_event
        return "\r\n".join([
            "v=0", f"o=lab {id(self) & 0xFFFF} {self.version} IN IP4 {self.host.address}", "s=-",
            f"c=IN IP{6 if ':' in self.address else 4} {self.address}", "t=0 0",
            f"m=audio {self.port} RTP/{profile or ('SAVP' if lines else 'AVP')} 0 {event}", *lines,
            "a=rtpmap:0 PCMU/8000", f"a=rtpmap:{event} telephone-event/8000",
            f"a=fmtp:{event} 0-16", "a=ptime:20", f"a={direction}",
            *(["a=rtcp-mux"] if self.is_muxed else []), ""])

    def renew_keys(self):
        """Other keys from the next description on; what was sealed under the old one: `former`."""
        self.masters = {suite: srtp.new_master(suite) for suite in self.suites}

    def take(self, sdp):
        """What the peer says: address, port, its number of telephone events, its key."""
        text = sdp.replace("\r\n", "\n")
        address = next(line.split()[-1] for line in text.split("\n") if line.startswith("c=IN IP"))
        media = next(line.split() for line in text.split("\n") if line.startswith("m=audio"))
        self.target = (address, int(media[1]))
        has_mux = self.is_muxed and "\na=rtcp-mux\n" in text
        self.rtcp_target = (address, int(media[1]) + (0 if has_mux else 1))
        self.peer_event = next((int(line[9:].split()[0]) for line in text.split("\n")
                                if line.startswith("a=rtpmap:") and "telephone-event" in line), None)
        with self.lock:
            self._take_key([one for one in srtp.read_crypto(text) if one.suite in self.suites]
                           if media[2] == "RTP/SAVP" else [])

    def _take_key(self, lines):
        if not lines:
            self.suite = self.out = self.peer_master = None
            self.inside = []
            return
        line = lines[0]
        self.line = line.tag
        master = self.masters[line.suite]
        if self.out is None or self.out.master != master or self.suite != line.suite:
            self.former = self.out
            self.out = srtp.Context(line.suite, master, outbound=True)
        if not self.inside or self.peer_master != line.master or self.suite != line.suite:
            self.inside = [srtp.Context(line.suite, line.master), *self.inside[:1]]
        self.suite, self.peer_master = line.suite, line.master

    # ---- what is said

    def seal(self, data, context=None):
        with self.lock:
            context = context or self.out
            return context.protect(data) if context else data

    def set_ttl(self, ttl):
        if self.family == 4:
            self.rtp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        else:
            self.rtp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)

    def send(self, data, context=None):
        """One packet of RTP, noted as said."""
        parsed = rtp_of([Packet(time.time(), True, self.address, self.port, *self.target[:2], 64,
                                "right", data)], True)
        self.said += parsed
        self.send_raw(self.seal(data, context))

    def send_raw(self, data):
        with contextlib.suppress(ConnectionRefusedError, PermissionError):  # ICMP, own firewall
            self.rtp.sendto(data, self.target)

    def say(self, octets, pace=PACE):
        converse((self, octets), pace=pace)

    def press(self, digit, count=5):
        """One telephone event of RFC 4733, its end sent three times."""
        for index in range(count + 3):
            payload = struct.pack("!BBH", digit, (index >= count) << 7 | 10,
                                  PACKET * min(index + 1, count))
            self.send(self.packet(payload, self.peer_event, index == 0, 0))
            time.sleep(PACE)
        self.timestamp += PACKET * count

    def report(self, about=None, fraction=0, lost=0):
        """A receiver report with SDES, about the source heard last (or `about`)."""
        source = about if about is not None else next(
            (packet.ssrc for packet in reversed(self.heard)), None)
        blocks = [] if source is None else [struct.pack(
            "!IIIIII", source, fraction << 24 | lost & 0xFFFFFF, 1000, 0, 0, 0)]
        name = b"\1\3lab\0\0\0"
        self.send_rtcp(struct.pack("!BBHI", 0x80 | len(blocks), 201, 1 + 6 * len(blocks), self.ssrc) +
                       b"".join(blocks) +
                       struct.pack("!BBHI", 0x81, 202, 1 + len(name) // 4, self.ssrc) + name)

    def send_rtcp(self, data):
        with self.lock:
            sealed = self.out.protect_rtcp(data) if self.out else data
        with contextlib.suppress(ConnectionRefusedError):
            (self.rtp if self.rtcp_target == self.target else self.rtcp).sendto(
                sealed, self.rtcp_target)

    # ---- what is heard

    def _listen(self):
        while True:
            ready, _, _ = select.select([self.rtp, self.rtcp, self.wake], [], [])
            if self.wake in ready:
                return
            for one in ready:
                with contextlib.suppress(ConnectionRefusedError):
                    self._hear(*one.recvfrom(2048), one is self.rtcp)

    def _hear(self, data, source, is_second):
        is_rtcp = is_second or self.is_muxed and len(data) > 1 and data[1] in REPORTS
        with self.lock:
            try:
                plain = self._unseal(data, is_rtcp)
            except srtp.SrtpError as error:
                self.refused.append((error.status, data))
                return
        if is_rtcp:
            self.reports.append(plain)
            self.reports_at.add(self.port + is_second)
            return
        self.heard += rtp_of([Packet(time.time(), False, source[0], source[1], self.address,
                                     self.port, None, "right", plain)], False)

    def _unseal(self, data, is_rtcp):
        if not self.suites or not self.inside:
            return data
        for context in self.inside:
            try:
                return context.unprotect_rtcp(data) if is_rtcp else context.unprotect(data)
            except srtp.SrtpError as error:
                last = error
        raise last

    def audio(self):
        return b"".join(packet.payload for packet in self.heard if packet.type == 0)


def converse(*ends, pace=PACE, kind=0):
    """Everybody of (media, octets) talks at the same time, one packet each in `pace` seconds."""
    start = time.monotonic()
    for index in range(max(len(octets) for _, octets in ends) // PACKET):
        for end, octets in ends:
            part = octets[index * PACKET:(index + 1) * PACKET]
            if len(part) == PACKET:
                end.send(end.packet(part, kind))
        time.sleep(max(0, start + (index + 1) * pace - time.monotonic()))


def decrypt(packets, suite, master):
    """Captured SRTP of one direction as plain Rtp; packets that another key sealed are left out."""
    found = []
    with srtp.Context(suite, master) as context:
        for one in packets:
            with contextlib.suppress(srtp.SrtpError):
                plain = context.unprotect(one.packet.payload)
                found += rtp_of([one.packet._replace(payload=plain)], one.packet.outgoing)
    return found


class Opened:
    """A capture of a cable with SRTP, read with the keys of the descriptions that passed it."""

    def __init__(self, capture):
        self.packets, self.sealed = capture.packets, {}
        self.keys, self.plain = {}, {}
        for outgoing in (True, False):
            self.sealed[outgoing] = capture.rtp(outgoing)
            lines = [srtp.read_crypto(text.replace("\r", "")) for _, text in capture.sip(outgoing)]
            self.keys[outgoing] = list(dict.fromkeys(
                (found[0].suite, found[0].master) for found in lines if found))
            self.plain[outgoing] = [packet for suite, master in self.keys[outgoing]
                                    for packet in decrypt(self.sealed[outgoing], suite, master)]

    def rtp(self, outgoing):
        return self.plain[outgoing]
