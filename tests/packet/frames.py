"""Frames made and capture files written and read, independently of the code under test."""

import ipaddress
import struct

MAC_PORT = "02:70:63:61:70:00"  # of DPDK's first capture-file port
MAC_A = "02:00:00:00:00:0a"
MAC_B = "02:00:00:00:00:0b"
HOST_A = "203.0.113.10"
HOST_B = "192.0.2.20"
HOST_C = "203.0.113.66"  # a stranger
MEDIA = "198.51.100.1"
MEDIA6 = "2001:db8::1"
HOST_A6 = "2001:db8:a::10"
HOST_B6 = "2001:db8:b::20"
PORT_FIRST, PORT_COUNT = 10000, 10001


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    """RFC 1071, one 16-bit word after the other."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(host):
    return ipaddress.ip_address(host).packed


def is_ipv6(host):
    return len(packed(host)) == 16


def udp(source, sport, destination, dport, payload, length=None, check=None):
    """check: None computes it, a number is written as it is."""
    size = 8 + len(payload)
    head = struct.pack("!HHHH", sport, dport, size if length is None else length, 0)
    if check is None:
        pseudo = packed(source) + packed(destination) + struct.pack("!IHH", size, 0, 17)
        check = checksum(pseudo + head + payload) or 0xFFFF
    return head[:6] + struct.pack("!H", check) + payload


def ipv4(source, destination, payload, ttl=64, options=b"", fragment=0, protocol=17, **wrong):
    """wrong: total, ihl and check are written in place of the right ones."""
    ihl = wrong.get("ihl", 5 + len(options) // 4)
    total = wrong.get("total", 20 + len(options) + len(payload))
    head = struct.pack("!BBHHHBBH", 0x40 | ihl, wrong.get("tos", 0), total, wrong.get("id", 0x1234),
                       fragment, ttl, protocol, 0) + packed(source) + packed(destination) + options
    check = wrong.get("check", checksum(head))
    return head[:10] + struct.pack("!H", check) + head[12:] + payload


def ipv6(source, destination, payload, ttl=64, protocol=17, total=None, flow=0x60000000):
    return struct.pack("!IHBB", flow, len(payload) if total is None else total, protocol, ttl) + \
        packed(source) + packed(destination) + payload


def ethernet(payload, kind=0x0800, to=MAC_PORT, source=MAC_A):
    return mac(to) + mac(source) + struct.pack("!H", kind) + payload


def rtp(sequence=1, ssrc=0x11111111, payload_type=0, marker=0, payload=bytes(range(160)), first=0x80,
        timestamp=None, after=b""):
    timestamp = sequence * 160 if timestamp is None else timestamp
    return struct.pack("!BBHII", first, marker << 7 | payload_type, sequence, timestamp, ssrc) + after + payload


def event(number, is_end, duration, **fields):
    """RFC 4733 2.3."""
    return rtp(payload=struct.pack("!BBH", number, is_end << 7 | 10, duration), **fields)


def rtcp(kind=200, ssrc=0x11111111, words=6, size=None):
    """A sender report without blocks, or another packet of that many 32-bit words behind the first."""
    body = struct.pack("!BBHI", 0x80, kind, words, ssrc) + b"\x5a" * (4 * words - 4)
    return body if size is None else body[:size]


def arrives(payload, source=(HOST_A, 4000), port=10000, media=MEDIA, from_mac=MAC_A, to=MAC_PORT, **ip):
    """A frame from a peer to one of our ports."""
    udp_fields = {name: ip.pop(name) for name in ("length", "udp_check") if name in ip}
    if "udp_check" in udp_fields:
        udp_fields["check"] = udp_fields.pop("udp_check")
    datagram = udp(source[0], source[1], media, port, payload, **udp_fields)
    if is_ipv6(media):
        return ethernet(ipv6(source[0], media, datagram, **ip), 0x86DD, to, from_mac)
    return ethernet(ipv4(source[0], media, datagram, **ip), 0x0800, to, from_mac)


def leaves(payload, destination=(HOST_B, 6000), port=10002, media=MEDIA, next_hop=MAC_B):
    """The frame we must send: TTL 64, full checksums, DSCP EF, no identification, not to be cut."""
    datagram = udp(media, port, destination[0], destination[1], payload)
    if is_ipv6(media):
        return ethernet(ipv6(media, destination[0], datagram, flow=0x6B800000), 0x86DD, next_hop, MAC_PORT)
    return ethernet(ipv4(media, destination[0], datagram, tos=0xB8, id=0, fragment=0x4000),
                    0x0800, next_hop, MAC_PORT)


def index(port, address=0):
    return address * PORT_COUNT + port - PORT_FIRST


def write_capture(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, frame in enumerate(frames):
            file.write(struct.pack("<IIII", number // 1000, number % 1000 * 1000, len(frame), len(frame)) + frame)


def read_capture(path):
    with open(path, "rb") as file:
        data = file.read()
    frames, at = [], 24
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + size])
        at += 16 + size
    return frames
