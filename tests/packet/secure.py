"""SRTP in packet cases: keys, and what libsrtp2 makes of a packet with them."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "lab"))

import srtp  # noqa: E402  (found by the line above)
from frames import index, leaves  # noqa: E402

SECURE_ARRIVES, SECURE_LEAVES, MUXED = 32, 64, 128
SUITES = tuple(srtp.SUITES)
LONG, SHORT, GCM_128, GCM_256 = srtp.LONG, srtp.SHORT, srtp.GCM_128, srtp.GCM_256
ARRIVES, LEAVES = 0, 1


class Key:
    """A master key and salt. Its name is all that is random about it, so a failed case can be run again."""

    def __init__(self, name, suite=LONG):
        self.suite, size = srtp.SUITES[suite], srtp.SUITES[suite].key + srtp.SUITES[suite].salt
        self.master = bytes((ord(name) * 7 + 31 * n + n * n) & 0xFF for n in range(size))

    def line(self, way, port=10000, generation=7, address=0):
        """The message that gives it to a stream."""
        session = srtp.derive(self.suite.name, self.master, is_rtcp=port % 2 == 1)
        return (f"key {index(port, address)} {generation} {way} {self.suite.name} "
                f"{(session.cipher + session.salt + session.auth).hex()} {self.master.hex()}")

    def context(self, **fields):
        return srtp.Context(self.suite.name, self.master, **fields)

    def seal(self, packets, **fields):
        """Each of them as SRTP, in the order in which their sender makes them."""
        with self.context(outbound=True, **fields) as context:
            return [context.protect(packet) for packet in packets]

    def seal_rtcp(self, packets):
        with self.context(outbound=True) as context:
            return [context.protect_rtcp(packet) for packet in packets]


class Opens:
    """Stands for a frame with SRTCP in it that opens, with that key, to this packet: where the index
    begins is the sender's own. `check`: asked about the opened packet instead."""

    def __init__(self, key, packet=None, is_rtcp=True, check=None, roc=None, **to):
        self.key, self.packet, self.is_rtcp, self.check, self.to = key, packet, is_rtcp, check, to
        self.start = {} if roc is None else {"roc": roc, "ssrc": 0x11111111}

    def open(self, media):
        if not self.key:
            return media
        with self.key.context(**self.start) as context:
            return context.unprotect_rtcp(media) if self.is_rtcp else context.unprotect(media)

    def __eq__(self, frame):
        media = frame[62 if frame[12:14] == b"\x86\xdd" else 42:]
        try:
            opened = self.open(media)
        except srtp.SrtpError:
            return False
        is_right = self.check(opened) if self.check else opened == self.packet
        return is_right and frame == leaves(media, **self.to)

    def hex(self):
        return (f"(sealed with {self.key.suite.name}) " if self.key else "") + (self.packet.hex() if self.packet else "what was asked for")


def flip(packet, place):
    """With one bit wrong."""
    return packet[:place] + bytes([packet[place] ^ 0x10]) + packet[place + 1:] if place >= 0 else \
        flip(packet, len(packet) + place)
