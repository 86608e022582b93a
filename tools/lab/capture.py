"""What passes a host's cable: packets with their time, direction and TTL; RTP put together again;
speech compared octet by octet. No tool but the kernel's packet socket is needed."""

import collections
import dataclasses
import select
import socket
import struct
import threading

from .network import SO_RCVBUFFORCE

ETH_P_ALL = 3
PACKET_OUTGOING = 4
SO_TIMESTAMPNS = 35

Packet = collections.namedtuple(
    "Packet", "time outgoing source source_port target target_port ttl checksum payload")
Rtp = collections.namedtuple("Rtp", "packet type marker sequence timestamp ssrc payload")


class Capture:
    """with Capture(host) as capture: … ; capture.packets afterwards or meanwhile."""

    def __init__(self, host, file=None):
        self.packets, self.host, self.file = [], host, file
        self._wake, self._stop = socket.socketpair()

    def __enter__(self):
        with self.host.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
            self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self.socket.bind((self.host.interface, 0))
        self.pcap = open(self.file, "wb") if self.file else None
        if self.pcap:
            self.pcap.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self._stop.send(b".")
        self.thread.join()
        self.socket.close()
        if self.pcap:
            self.pcap.close()

    def _listen(self):
        while True:
            ready, _, _ = select.select([self.socket, self._wake], [], [])
            if self.socket in ready:
                self._take()
            elif self._wake in ready:
                return

    def _take(self):
        frame, ancillary, _, address = self.socket.recvmsg(2048, 64)
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2]) if ancillary else (0, 0)
        if self.pcap:
            self.pcap.write(struct.pack("<IIII", seconds, nanoseconds, len(frame), len(frame)))
            self.pcap.write(frame)
        packet = parse(frame, seconds + nanoseconds / 1e9, address[2] == PACKET_OUTGOING)
        if packet:
            self.packets.append(packet)

    def rtp(self, outgoing, types=None):
        """RTP packets of one direction, in order of arrival."""
        return rtp_of(self.packets, outgoing, types)

    def sip(self, outgoing=None):
        """(packet, text) of SIP messages."""
        return [(packet, packet.payload.decode("utf-8", "replace")) for packet in self.packets
                if (outgoing is None or packet.outgoing == outgoing) and
                (b" SIP/2.0\r\n" in packet.payload or packet.payload.startswith(b"SIP/2.0 "))]


def parse(frame, time, outgoing):
    """Ethernet, IPv4, UDP; None for anything else."""
    if len(frame) < 42 or frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return None
    header = (frame[14] & 15) * 4
    udp = 14 + header
    total = struct.unpack_from("!H", frame, 16)[0]
    source_port, target_port, length, checksum = struct.unpack_from("!HHHH", frame, udp)
    return Packet(time, outgoing, socket.inet_ntoa(frame[26:30]), source_port,
                  socket.inet_ntoa(frame[30:34]), target_port, frame[22],
                  checksum_state(frame[14:14 + total], header, checksum),
                  bytes(frame[udp + 8:udp + length]))


def checksum_state(ip, header, checksum):
    """"none" for 0 (legal on IPv4), "right" or "wrong"."""
    if not checksum:
        return "none"
    udp = ip[header:]
    pseudo = ip[12:20] + struct.pack("!HH", 17, len(udp)) + udp + b"\0" * (len(udp) & 1)
    total = sum(struct.unpack(f"!{len(pseudo) // 2}H", pseudo))
    total = (total & 0xFFFF) + (total >> 16)
    return "right" if (total & 0xFFFF) + (total >> 16) == 0xFFFF else "wrong"


def rtp_of(packets, outgoing, types=None):
    found = []
    for packet in packets:
        data = packet.payload
        if packet.outgoing != outgoing or len(data) < 12 or data[0] >> 6 != 2:
            continue
        if 64 <= (data[1] & 0x7F) < 96 or packet.target_port & 1:  # RTCP
            continue
        start = 12 + (data[0] & 15) * 4
        if data[0] & 16 and len(data) >= start + 4:
            start += 4 + struct.unpack_from("!H", data, start + 2)[0] * 4
        sequence, timestamp, ssrc = struct.unpack_from("!HII", data, 2)
        one = Rtp(packet, data[1] & 0x7F, data[1] >> 7, sequence, timestamp, ssrc, data[start:])
        if types is None or one.type in types:
            found.append(one)
    return found


def in_order(packets):
    """By SSRC in order of appearance, then by sequence number over its wraps; no duplicates."""
    sources = collections.OrderedDict()
    for packet in packets:
        numbers = sources.setdefault(packet.ssrc, {})
        last = next(reversed(numbers)) if numbers else packet.sequence
        step = (packet.sequence - last + 0x8000 & 0xFFFF) - 0x8000
        numbers.setdefault(last + step, packet)
    return [numbers[key] for numbers in sources.values() for key in sorted(numbers)]


def audio(packets):
    """The octets of G.711 in order, as a decoder would hear them."""
    return b"".join(packet.payload for packet in in_order(packets) if packet.type == 0)


@dataclasses.dataclass
class Comparison:
    """What one party said beside what the other heard."""
    said: int      # packets
    heard: int
    missing: int
    altered: int   # same sequence number, other octets
    octets: int    # heard unchanged
    delay_ms: float

    @property
    def is_identical(self):
        return self.said > 0 and not self.missing and not self.altered

    def __str__(self):
        verdict = "identical, octet by octet" if self.is_identical else (
            f"{self.missing} missing, {self.altered} altered")
        return f"said {self.said} packets, heard {self.heard}: {verdict} ({self.delay_ms:.2f} ms)"


def first_bye(*captures):
    """When the first BYE passed any of the cables; the end of time when none did."""
    return min((packet.time for capture in captures for packet in list(capture.packets)
                if packet.payload.startswith(b"BYE ")), default=float("inf"))


def compare_cables(speaker, listener):
    """What a host said beside what the other heard, until the call ended: who talks on after the
    first BYE, or within the 5 ms it may take through the appliance, is not heard any more."""
    end = first_bye(speaker, listener) - 0.005
    said = [packet for packet in speaker.rtp(True) if packet.packet.time < end]
    return compare(said, listener.rtp(False))


def compare(said, heard):
    """Packets are matched by sequence number and timestamp: a relay keeps both."""
    there = collections.defaultdict(list)
    for packet in heard:
        there[packet.sequence, packet.timestamp].append(packet)
    missing = altered = octets = 0
    delays = []
    for packet in said:
        found = there.get((packet.sequence, packet.timestamp))
        if not found:
            missing += 1
        elif all(one.payload == packet.payload and one.type == packet.type for one in found):
            octets += len(packet.payload)
            delays.append((found[0].packet.time - packet.packet.time) * 1000)
        else:
            altered += 1
    delays.sort()
    return Comparison(len(said), len(heard), missing, altered, octets,
                      delays[len(delays) // 2] if delays else 0.0)
