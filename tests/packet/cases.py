"""Packets in, packets out: each case is a story of one stream or two, told by the real worker.

A case says what is opened, what arrives from the wire and from the kernel, and everything that must
come of it: frames on the wire, frames to the kernel, the verdicts, and where it matters the streams'
figures and the events told to control. What is not named must not happen.
"""

import dataclasses

from frames import (HOST_A, HOST_A6, HOST_B, HOST_B6, HOST_C, MAC_A, MAC_B, MEDIA, MEDIA6, arrives, ethernet, event,
                    index, ipv4, ipv6, leaves, rtcp, rtp, udp)

IS_RTCP, SYMMETRIC, RELEARN, NO_NEXT_HOP, ANY_PORT = 1, 2, 4, 8, 16
NONE = 255


def at(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def opens(port=10000, out=10002, source=None, destination=None, hop=MAC_B, events=(101, 101), flags=0,
          generation=7, address=0, out_address=None):
    out_address = address if out_address is None else out_address
    return (f"open {index(port, address)} {generation} {index(out, out_address)} {source or at(HOST_A, 4000)} "
            f"{destination or at(HOST_B, 6000)} {hop} {events[0]} {events[1]} {flags}")


def opens_back(**fields):
    """The stream in the other direction."""
    return opens(**{"port": 10002, "out": 10000, "source": at(HOST_B, 6000), "destination": at(HOST_A, 4000),
                    "hop": MAC_A, **fields})


@dataclasses.dataclass
class Case:
    name: str  # a sentence, with the requirement it shows
    wire: list  # frames that arrive
    verdicts: dict
    out: list = dataclasses.field(default_factory=list)  # frames that leave on the wire
    script: list = dataclasses.field(default_factory=lambda: [opens()])
    kernel: list = dataclasses.field(default_factory=list)  # frames the kernel sends
    punted: list = dataclasses.field(default_factory=list)  # frames that reach the kernel
    figures: dict = dataclasses.field(default_factory=dict)  # of stream 0 (port 10000)
    events: list = None
    options: list = dataclasses.field(default_factory=list)
    workers: int = 1
    has_kernel: bool = True


ONE = rtp()
FROM_B = {"source": (HOST_B, 6000), "port": 10002, "from_mac": MAC_B}
TO_A = {"destination": (HOST_A, 4000), "port": 10000, "next_hop": MAC_A}
A6 = {"source": (HOST_A6, 4000), "media": MEDIA6}
B6 = {"destination": (HOST_B6, 6000), "media": MEDIA6}
OPEN6 = opens(source=at(HOST_A6, 4000), destination=at(HOST_B6, 6000), address=1)
BOTH = ["--media", MEDIA6]
TALK = [rtp(n) for n in range(10, 20)]
STRANGER = {"source": (HOST_C, 5555), "from_mac": "02:00:00:00:00:0c"}
NAT = {"source": ("203.0.113.9", 40000), "from_mac": "02:00:00:00:00:0d"}
PRIVATE = opens(source="10.0.0.5:5004", flags=SYMMETRIC)
PRIVATE_BACK = opens_back(destination="10.0.0.5:5004")
RTCP_A = opens(port=10001, out=10003, source=at(HOST_A, 4001), destination=at(HOST_B, 6001), flags=IS_RTCP)


KEYS = "0123456789*#ABCD"
STARTED = "stream_started index=0 generation=7"


def heard(key, duration_ms=20):
    return f"stream_digit index=0 generation=7 digit={key} duration_ms={duration_ms}"


def pressed(number, **fields):
    """A key held for 20 ms, its end sent three times, and one packet of sound before and behind."""
    first = 6 * number + 1
    return [rtp(first), event(number, 0, 80, sequence=first + 1, marker=1, timestamp=first * 160 + 80, **fields),
            *(event(number, 1, 160, sequence=first + n, timestamp=first * 160 + 80, **fields) for n in (2, 3, 4)),
            rtp(first + 5)]


PRESSED = [packet for number in range(16) for packet in pressed(number, payload_type=101)]
PRESSED_OUT = [packet for number in range(16) for packet in pressed(number, payload_type=96)]


def every_length(frame, sizes):
    return [frame[:size] for size in sizes]


CASES = [
    # The plain way of a packet.
    Case("RTP is relayed both ways with our addresses, TTL 64 and whole checksums (MEDIA-006, MEDIA-019)",
         [arrives(ONE), arrives(ONE, **FROM_B)], {"forwarded": 2},
         [leaves(ONE), leaves(ONE, **TO_A)], [opens(), opens_back()],
         events=["stream_started index=0 generation=7", "stream_started index=2 generation=7"]),
    Case("the payload leaves as it came, of every size down to none (MEDIA-002)",
         [arrives(rtp(n, payload=bytes(range(n)))) for n in range(40)], {"forwarded": 40},
         [leaves(rtp(n, payload=bytes(range(n)))) for n in range(40)],
         figures={"packets": 40, "expected": 40, "duplicates": 0, "octets": 40 * 12 + 780}),
    Case("contributing sources, extension and padding stay as they are",
         [arrives(p) for p in (rtp(1, first=0x82, after=b"c" * 8), rtp(2, first=0x90, after=b"\xbe\xde\0\1abcd"),
                               rtp(3, first=0xA0, payload=b"speech\0\2"))], {"forwarded": 3},
         [leaves(p) for p in (rtp(1, first=0x82, after=b"c" * 8), rtp(2, first=0x90, after=b"\xbe\xde\0\1abcd"),
                              rtp(3, first=0xA0, payload=b"speech\0\2"))]),
    Case("what stands behind the datagram in a short Ethernet frame is not relayed",
         [arrives(rtp(payload=b"x")) + b"\xaa" * 5], {"forwarded": 1}, [leaves(rtp(payload=b"x"))]),
    Case("IP options and marks of strangers do not get through",
         [arrives(ONE, options=b"\x94\4\0\0", tos=0x22, id=77)], {"forwarded": 1}, [leaves(ONE)]),
    Case("a UDP checksum of zero is none, on IPv4", [arrives(ONE, udp_check=0)], {"forwarded": 1}, [leaves(ONE)]),
    Case("IPv6 media is relayed (MEDIA-006)", [arrives(ONE, **A6)], {"forwarded": 1},
         [leaves(ONE, **B6)], [OPEN6], options=BOTH),
    Case("media passes from an IPv4 leg to an IPv6 leg", [arrives(ONE)], {"forwarded": 1}, [leaves(ONE, **B6)],
         [opens(destination=at(HOST_B6, 6000), out_address=1)], options=BOTH),
    Case("media passes from an IPv6 leg to an IPv4 leg", [arrives(ONE, **A6)], {"forwarded": 1}, [leaves(ONE)],
         [opens(source=at(HOST_A6, 4000), address=1, out_address=0)], options=BOTH),
    Case("the last port is a media port, the one behind it the kernel's (MEDIA-005)",
         [arrives(ONE, port=20000), arrives(ONE, port=20001), arrives(ONE, port=9999)], {"forwarded": 1, "punt": 2},
         [leaves(ONE)], [opens(port=20000)],
         punted=[arrives(ONE, port=20001), arrives(ONE, port=9999)]),

    # TTL.
    Case("TTL 9 and 10 are dropped, 11 and 64 pass (MEDIA-016, MEDIA-018)",
         [arrives(rtp(n), ttl=n) for n in (64, 11, 10, 9)], {"forwarded": 2, "drop_ttl": 2},
         [leaves(rtp(64)), leaves(rtp(11))], figures={"drop_ttl": 2, "ttl_lowest": 9, "packets": 2},
         events=["stream_started index=0 generation=7", "stream_ttl index=0 generation=7"]),
    Case("a hop limit is a TTL (MEDIA-016)", [arrives(rtp(n), ttl=n, **A6) for n in (11, 10, 0)],
         {"forwarded": 1, "drop_ttl": 2}, [leaves(rtp(11), **B6)], [OPEN6], options=BOTH),
    Case("RTCP follows the TTL rule too (MEDIA-016)",
         [arrives(rtcp(), (HOST_A, 4001), 10001, ttl=n) for n in (10, 11)],
         {"forwarded": 1, "drop_ttl": 1}, [leaves(rtcp(), (HOST_B, 6001), 10003)], [RTCP_A]),
    Case("the TTL is judged before the source and the payload (MEDIA-018)",
         [arrives(ONE, ttl=10, **STRANGER), arrives(b"noise", ttl=3)], {"drop_ttl": 2},
         figures={"drop_ttl": 2, "ttl_lowest": 3, "drop_source": 0}, events=["stream_ttl index=0 generation=7"]),
    Case("the lowest TTL that passes can be set", [arrives(rtp(n), ttl=n) for n in (5, 6)],
         {"forwarded": 1, "drop_ttl": 1}, [leaves(rtp(6))], options=["--min-ttl", "6"]),

    # What is not media is the kernel's.
    Case("ARP, TCP, SIP, ICMP and other hosts' packets reach the kernel unchanged (NET-018)",
         frames := [ethernet(b"\0\1arp" * 8, 0x0806), ethernet(ipv4(HOST_A, MEDIA, b"t" * 40, protocol=6)),
                    arrives(b"OPTIONS sip:x SIP/2.0", port=5060), ethernet(ipv4(HOST_A, MEDIA, b"i" * 8, protocol=1)),
                    arrives(ONE, media="198.51.100.2"), arrives(ONE, to="02:00:00:00:00:99"),
                    ethernet(ipv6(HOST_A6, MEDIA6, b"nd" * 12, protocol=58), 0x86DD)],
         {"punt": 7}, punted=frames, options=BOTH),
    Case("a frame with a VLAN tag is the kernel's, whatever is in it",
         frames := [ethernet(b"\0\x07\x08\0" + arrives(ONE)[14:], 0x8100),
                    ethernet(b"\0\7\x81\0\0\x08\x08\0" + arrives(ONE)[14:], 0x88A8)], {"punt": 2}, punted=frames),
    Case("what the kernel sends goes on the wire unchanged", [], {"from_kernel": 2},
         frames := [ethernet(b"\0\1arp" * 8, 0x0806), arrives(ONE)], kernel=frames),
    Case("with no way to the kernel, what is not media is dropped and counted",
         [arrives(b"x", port=5060), arrives(ONE)], {"drop_no_kernel": 1, "forwarded": 1}, [leaves(ONE)],
         has_kernel=False),
    Case("a kernel that takes no more loses packets under a name", [arrives(b"x", port=5060)], {"drop_tx_full": 1},
         script=["stop kernel"]),
    Case("later fragments are the kernel's, as those of a large SIP message",
         frames := [ethernet(ipv4(HOST_A, MEDIA, b"f" * 64, fragment=0x0010))], {"punt": 1}, punted=frames),
    Case("IPv6 behind an extension header is the kernel's",
         frames := [ethernet(ipv6(HOST_A6, MEDIA6, b"\x11\0" + b"\1\4\0\0\0\0" + udp(HOST_A6, 4000, MEDIA6, 10000, ONE),
                                  protocol=0), 0x86DD),
                    ethernet(ipv6(HOST_A6, MEDIA6, b"\x11\0\0\x10\0\0\0\1" + b"f" * 64, protocol=44), 0x86DD)],
         {"punt": 2}, punted=frames, options=BOTH),

    # Broken packets.
    Case("a frame cut anywhere before its end is dropped, and never read past its end",
         every_length(arrives(ONE), range(14, len(arrives(ONE)))), {"drop_truncated": len(arrives(ONE)) - 14}),
    Case("an IPv6 frame cut anywhere before its end is dropped",
         every_length(arrives(ONE, **A6), range(14, len(arrives(ONE, **A6)))),
         {"drop_truncated": len(arrives(ONE, **A6)) - 14}, script=[OPEN6], options=BOTH),
    Case("a frame without a whole Ethernet header is dropped", every_length(arrives(ONE), range(1, 14)),
         {"drop_truncated": 13}),
    Case("header lengths that cannot be are dropped",
         [arrives(ONE, ihl=4), arrives(ONE, ihl=0), arrives(ONE, total=19), arrives(ONE, total=2000),
          ethernet(ipv4(HOST_A, MEDIA, b"1234567")), ethernet(b"\x65" + arrives(ONE)[15:])], {"drop_truncated": 6}),
    Case("a datagram spread over several buffers is dropped", [arrives(rtp(payload=b"j" * 3000))],
         {"drop_chained": 1}),
    Case("a first fragment of media is dropped: nothing is reassembled",
         [arrives(ONE, fragment=0x2000), ethernet(ipv6(HOST_A6, MEDIA6, b"\x11\0\0\1\0\0\0\1" + udp(
             HOST_A6, 4000, MEDIA6, 10000, ONE), protocol=44), 0x86DD)], {"drop_fragment": 2}, options=BOTH),
    Case("a wrong IP checksum is dropped", [arrives(ONE, check=0x1111), arrives(ONE, check=0)],
         {"drop_ip_checksum": 2}),
    Case("a wrong UDP checksum is dropped, also where IPv6 has none",
         [arrives(ONE, udp_check=0x1562), arrives(ONE, udp_check=0x1562, **A6), arrives(ONE, udp_check=0, **A6)],
         {"drop_udp_checksum": 3}, script=[opens(), OPEN6], options=BOTH),
    Case("an unfinished UDP checksum of a local sender passes where verifying is off",
         [arrives(ONE, udp_check=0x1562)], {"forwarded": 1}, [leaves(ONE)], options=["--verify-udp-checksum", "off"]),
    Case("a UDP length that lies is dropped",
         [arrives(ONE, length=n) for n in (0, 7, 8, 179, 181, 65535)] + [arrives(ONE, length=179, **A6)],
         {"drop_udp_length": 7}, options=BOTH),
    Case("media too large to leave as SRTCP on IPv6 is dropped, the largest is not",
         [arrives(rtp(payload=b"l" * n), udp_check=0) for n in (1421, 1420)],
         {"drop_udp_length": 1, "forwarded": 1}, [leaves(rtp(payload=b"l" * 1420))]),
    Case("what is neither RTP nor RTCP is dropped: empty, STUN, DTLS, version 1, lying lengths",
         [arrives(p) for p in (b"", b"\0\1\0\0" + b"s" * 16, b"\x16\xfe\xff" + b"d" * 20, rtp(first=0x40), ONE[:11],
                               rtp(first=0x8F, payload=b""), rtp(first=0x90, payload=b"\0\0\0\xff"),
                               rtp(first=0xA0, payload=b"ab\xff"), rtp(first=0xA0, payload=b"a\0"))],
         {"drop_not_rtp": 9}, figures={"drop_malformed": 9, "packets": 0}, events=[]),

    # Who may send.
    Case("media to a port without a stream is dropped, also to the closed one",
         [arrives(ONE, port=10004), arrives(ONE)], {"drop_no_stream": 2},
         script=[opens(), f"close {index(10000)} 7"], events=["stream_closed index=0 generation=7"]),
    Case("a stranger, and a stranger's port, are not heard (MEDIA-007)",
         [arrives(ONE, **STRANGER), arrives(ONE, (HOST_A, 4001)), arrives(ONE)],
         {"drop_wrong_source": 2, "forwarded": 1}, [leaves(ONE)], figures={"drop_source": 2}),
    Case("any port of the host is heard where control says so, and nothing is sent there (MEDIA-007)",
         [arrives(ONE, (HOST_A, 4001)), arrives(ONE, **FROM_B)], {"forwarded": 2}, [leaves(ONE), leaves(ONE, **TO_A)],
         [opens(source=HOST_A), opens_back()]),
    Case("without a source nobody is heard", [arrives(ONE)], {"drop_wrong_source": 1}, script=[opens(source="any")]),
    Case("an IPv6 stranger is not heard",
         [arrives(ONE, (HOST_B6, 4000), media=MEDIA6), arrives(ONE, (HOST_A6, 4001), media=MEDIA6)],
         {"drop_wrong_source": 2}, script=[OPEN6], options=BOTH),

    # Symmetric RTP.
    Case("symmetric: the source is learned and media goes there, not to SDP's address (MEDIA-008)",
         [arrives(p, **NAT) for p in TALK[:3]] + [arrives(ONE, **FROM_B)],
         {"drop_wrong_source": 2, "forwarded": 2},
         [leaves(TALK[2]), leaves(ONE, NAT["source"], 10000, next_hop=NAT["from_mac"])], [PRIVATE, PRIVATE_BACK],
         figures={"learned": 1, "source": "203.0.113.9:40000"},
         events=["stream_learned index=0 generation=7 learned=203.0.113.9:40000",
                 "stream_started index=0 generation=7", "stream_started index=2 generation=7"]),
    Case("symmetric: SDP's own address is heard from its first packet on",
         [arrives(p) for p in TALK[:4]], {"forwarded": 4}, [leaves(p) for p in TALK[:4]],
         [opens(flags=SYMMETRIC), opens_back()], figures={"learned": 1, "source": at(HOST_A, 4000)}),
    Case("symmetric: once learned, a third host steals nothing (MEDIA-011)",
         [arrives(p) for p in TALK[:3]] + [arrives(p, **STRANGER) for p in TALK] + [arrives(ONE, **FROM_B)],
         {"forwarded": 4, "drop_wrong_source": 10}, [leaves(p) for p in TALK[:3]] + [leaves(ONE, **TO_A)],
         [opens(flags=SYMMETRIC), opens_back()]),
    Case("symmetric: a spray before the first real packet gets nothing out and learns nothing (MEDIA-011)",
         [arrives(rtp(n * 7, ssrc=n), (HOST_C, 5000 + n)) for n in range(40)] + [arrives(ONE, **FROM_B)],
         {"drop_wrong_source": 40, "forwarded": 1}, [leaves(ONE, ("10.0.0.5", 5004), 10000, next_hop=MAC_A)],
         [PRIVATE, PRIVATE_BACK], figures={"learned": 0, "packets": 0}),
    Case("symmetric: a flow with gaps, of another payload or of no media is not learned (MEDIA-011)",
         [arrives(rtp(n * 2), **NAT) for n in range(5)] + [arrives(rtp(n, payload_type=8), **NAT) for n in range(5)] +
         [arrives(b"x" * 20, **NAT) for n in range(5)], {"drop_wrong_source": 15}, script=[PRIVATE, PRIVATE_BACK],
         figures={"learned": 0}),
    Case("symmetric: multicast, loopback and our own address are never learned (MEDIA-011)",
         [arrives(p, (host, 4000)) for host in ("224.0.0.9", "127.0.0.1", "0.1.2.3", MEDIA, "255.255.255.255")
          for p in TALK[:4]], {"drop_wrong_source": 20}, script=[PRIVATE, PRIVATE_BACK], figures={"learned": 0}),
    Case("symmetric: RTCP follows the host its RTP was learned from, and nobody else (MEDIA-011)",
         [arrives(p, **NAT) for p in TALK[:3]] +
         [arrives(rtcp(), (HOST_C, 40001), 10001), arrives(rtcp(), ("203.0.113.9", 40001), 10001, from_mac=MAC_A),
          arrives(rtcp(), (HOST_B, 6001), 10003, from_mac=MAC_B)],
         {"drop_wrong_source": 3, "forwarded": 3},
         [leaves(TALK[2]), leaves(rtcp(), (HOST_B, 6001), 10003),
          leaves(rtcp(), ("203.0.113.9", 40001), 10001, next_hop=MAC_A)],
         [PRIVATE, PRIVATE_BACK,
          opens(port=10001, out=10003, source="10.0.0.5", destination=at(HOST_B, 6001), flags=IS_RTCP | SYMMETRIC),
          opens_back(port=10003, out=10001, source=at(HOST_B, 6001), destination="10.0.0.5:5005", flags=IS_RTCP)]),

    # Payloads.
    Case("a telephone event leaves with the other leg's number, its marker kept (DTMF-003)",
         [arrives(event(5, end, 160 * n, sequence=n, payload_type=101, marker=n == 1, timestamp=800))
          for n, end in ((1, 0), (2, 0), (3, 1), (4, 1), (5, 1))], {"forwarded": 5},
         [leaves(event(5, end, 160 * n, sequence=n, payload_type=96, marker=n == 1, timestamp=800))
          for n, end in ((1, 0), (2, 0), (3, 1), (4, 1), (5, 1))], [opens(events=(101, 96))],
         figures={"events": 1, "packets": 5}),
    Case("every key is told once, whatever number the event has, and leaves as it came (DTMF-002)",
         [arrives(p) for p in PRESSED], {"forwarded": 96}, [leaves(p) for p in PRESSED_OUT], [opens(events=(101, 96))],
         figures={"events": 16, "packets": 96}, events=[STARTED] + [heard(key) for key in KEYS]),
    Case("events of no key are relayed and not told; the end of a key may be lost (DTMF-002)",
         [arrives(event(n, 1, 160, sequence=n, payload_type=101, timestamp=1600 * n)) for n in (16, 66, 255)] +
         [arrives(event(n, 0, 160, sequence=256 + n, payload_type=101, timestamp=999000 + 1600 * n)) for n in (1, 2)],
         {"forwarded": 5},
         [leaves(event(n, 1, 160, sequence=n, payload_type=101, timestamp=1600 * n)) for n in (16, 66, 255)] +
         [leaves(event(n, 0, 160, sequence=256 + n, payload_type=101, timestamp=999000 + 1600 * n)) for n in (1, 2)],
         [opens(), "after 5", "sleep 700"], figures={"events": 2}, events=[STARTED, heard("1"), heard("2")]),
    Case("of a flood of keys control hears as many as fingers can press (DTMF-002)",
         [arrives(event(1, 1, 160, sequence=n, payload_type=101, timestamp=1600 * n)) for n in range(300)],
         {"forwarded": 300},
         [leaves(event(1, 1, 160, sequence=n, payload_type=101, timestamp=1600 * n)) for n in range(300)],
         figures={"packets": 300}),
    Case("other payload types were not negotiated (MEDIA-001)",
         [arrives(rtp(n, payload_type=n)) for n in (0, 8, 13, 18, 96, 101, 127)],
         {"forwarded": 2, "drop_payload_type": 5}, [leaves(rtp(0)), leaves(rtp(101, payload_type=101))],
         figures={"drop_malformed": 0, "drop_payload_type": 5}),
    Case("a telephone event that was not negotiated, or too short to be one, is dropped (DTMF-003)",
         [arrives(event(5, 0, 160, payload_type=101)), arrives(rtp(payload_type=96, payload=b"abc"), **FROM_B)],
         {"drop_payload_type": 2}, script=[opens(events=(NONE, 101)), opens_back(events=(96, 101))]),
    Case("a telephone event for a leg that takes none is heard, and does not leave (DTMF-002)",
         [arrives(p) for p in pressed(7, payload_type=101)], {"forwarded": 2, "drop_heard": 4},
         [leaves(rtp(43)), leaves(rtp(48))], script=[opens(events=(101, NONE))],
         figures={"events": 1, "packets": 6}, events=[STARTED, heard("7")]),

    # RTCP.
    Case("RTCP is relayed beside its RTP",
         [arrives(rtcp(), (HOST_A, 4001), 10001), arrives(rtcp(201, words=7) + rtcp(203, words=1), (HOST_A, 4001), 10001)],
         {"forwarded": 2},
         [leaves(rtcp(), (HOST_B, 6001), 10003), leaves(rtcp(201, words=7) + rtcp(203, words=1), (HOST_B, 6001), 10003)],
         [opens(), RTCP_A]),
    Case("RTP on an RTCP port, and RTCP shorter than it says, are dropped",
         [arrives(ONE, (HOST_A, 4001), 10001), arrives(rtcp(size=27), (HOST_A, 4001), 10001),
          arrives(rtcp(size=7), (HOST_A, 4001), 10001)], {"drop_not_rtp": 3}, script=[RTCP_A]),
    Case("RTCP on the RTP port leaves as RTCP where any port is heard (RFC 5761)",
         [arrives(rtcp())], {"forwarded": 1}, [leaves(rtcp(), (HOST_B, 6001), 10003)],
         [opens(), opens(port=10001, out=10003, source=HOST_A, destination=at(HOST_B, 6001), flags=IS_RTCP | ANY_PORT)],
         figures={"packets": 0}),
    Case("RTCP on the RTP port has no stream where RTCP has none", [arrives(rtcp())], {"drop_no_stream": 1}),

    # Leaving.
    Case("without a next hop nothing leaves, and it is counted",
         [arrives(ONE)], {"drop_no_next_hop": 1}, script=[opens(flags=NO_NEXT_HOP)],
         figures={"drop_no_next_hop": 1, "packets": 1}),
    Case("what the port does not take is dropped at once, and counted",
         [arrives(p) for p in TALK], {"forwarded": 4, "drop_tx_full": 6}, [leaves(p) for p in TALK[:4]],
         [opens(), "tx 4"], figures={"drop_tx": 6, "packets": 10}),

    # Figures.
    Case("loss, reordering, duplicates and a new SSRC are counted (RFC 3550 A.1, A.3)",
         [arrives(rtp(n)) for n in (65533, 65534, 0, 65535, 1, 1, 5)] + [arrives(rtp(n, ssrc=9)) for n in (700, 701)],
         {"forwarded": 9}, [leaves(rtp(n)) for n in (65533, 65534, 0, 65535, 1, 1, 5)] +
         [leaves(rtp(n, ssrc=9)) for n in (700, 701)],
         figures={"packets": 9, "expected": 11, "reordered": 1, "duplicates": 1, "ssrc_changes": 1,
                  "ssrc": "00000009"}),

    # Messages.
    Case("messages with old generations, wrong indexes or impossible fields change nothing",
         [arrives(ONE)], {"forwarded": 1}, [leaves(ONE)],
         [opens(), opens(generation=8, destination=at(HOST_C, 1)), "close 0 6", "close 99999 7",
          "open 4294967295 1 0 any any 00:00:00:00:00:00 255 255 0", opens(port=10004, out=30000),
          opens(port=10004, flags=IS_RTCP), opens(port=10006, destination=at(HOST_B6, 6000)),
          opens(port=10008, events=(200, 96)), opens(port=10010, generation=0)],
         figures={"is_open": 1, "generation": 7}),
    Case("a change by the same generation keeps the figures",
         [arrives(ONE)], {"forwarded": 1}, [leaves(ONE, (HOST_C, 7000))],
         [opens(), opens(destination=at(HOST_C, 7000))],
         figures={"generation": 7, "packets": 1}, events=["stream_started index=0 generation=7"]),
    Case("a closed slot is opened again by a new generation",
         [arrives(ONE)], {"forwarded": 1}, [leaves(ONE)], [opens(), "close 0 7", opens(), opens(generation=8)],
         figures={"generation": 8, "is_open": 1},
         events=["stream_closed index=0 generation=7", "stream_started index=0 generation=8"]),

    # Several workers.
    Case("a packet on another worker's queue is handed over and relayed by its owner",
         [arrives(ONE, port=18000)], {"handed_over": 1, "forwarded": 1}, [leaves(ONE, port=18002)],
         [opens(port=18000, out=18002)], workers=2),
    Case("a worker that falls behind costs the excess, under a name",
         [arrives(ONE, port=18000)] * 1100, {"handed_over": 1023, "drop_hand_over_full": 77},
         script=[opens(port=18000, out=18002), "hold 1"], workers=2),
]
