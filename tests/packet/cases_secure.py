"""Packet cases of SRTP. What is sealed is sealed by libsrtp2, and what leaves is compared with it."""

from cases import (A6, BOTH, B6, FROM_B, IS_RTCP, KEYS, NAT, ANY_PORT, NO_NEXT_HOP, NONE, ONE, PRESSED, PRESSED_OUT,
                   PRIVATE, PRIVATE_BACK, STARTED, STRANGER, SYMMETRIC, TALK, TO_A, Case, at, heard, opens, opens_back)
from frames import HOST_A, HOST_A6, HOST_B, HOST_B6, HOST_C, MAC_A, arrives, event, index, leaves, rtcp, rtp
from secure import (ARRIVES, GCM_256, LEAVES, LONG, MUXED, SECURE_ARRIVES, SECURE_LEAVES, SHORT, SUITES, Key, Opens,
                    flip)

IN, OUT, NEXT = Key("i"), Key("o"), Key("n")
SEALED = IN.seal(TALK)
OPENS_IN = opens(flags=SECURE_ARRIVES)
FROM_SRTP = [OPENS_IN, IN.line(ARRIVES)]
TO_SRTP = [opens(flags=SECURE_LEAVES), OUT.line(LEAVES)]
RTCP_FIELDS = {"port": 10001, "out": 10003, "source": at(HOST_A, 4001), "destination": at(HOST_B, 6001)}
RTCP_IN = {"source": (HOST_A, 4001), "port": 10001}
RTCP_OUT = {"destination": (HOST_B, 6001), "port": 10003}
REPORTS = [rtcp(ssrc=n) for n in (1, 2, 3)]
UNAUTHENTIC = "stream_unauthentic index=0 generation=7 source="
LEARN_SECURE = [opens(source="10.0.0.5:5004", flags=SYMMETRIC | SECURE_ARRIVES), IN.line(ARRIVES), PRIVATE_BACK]
PARTS = [rtp(1, first=0x82, after=b"c" * 8), rtp(2, first=0x90, after=b"\xbe\xde\0\1abcd"),
         rtp(3, first=0xA0, payload=b"speech\0\2"),
         rtp(4, first=0xBF, after=b"c" * 60 + b"\xbe\xde\0\2" + b"e" * 8, payload=b"x" * 7 + b"\1")]
MORE_KEYS = [event(5, 1, 160, sequence=100 + n, payload_type=101) for n in range(5)]
MANY = IN.seal([rtp(n) for n in range(400)])
PAIR = IN.seal_rtcp(REPORTS[:2])
WRAP = [rtp(n & 0xFFFF) for n in range(65526, 65546)]
CHANGED = WRAP + [rtp(n, ssrc=9) for n in (65000, 65001)]
MIXED = [p for n in range(65526, 65546) for p in (rtp(n & 0xFFFF), rtp(n - 60000, ssrc=0x22222222))]
REORDERED = [0, 1, 3, 2, 4, 5, 12, 8, 7, 11, 9, 14, 13, 16, 19, 18]  # of WRAP; 6, 10, 15, 17 are lost


def pick(packets, order):
    return [packets[n] for n in order]


def between_suites():
    for number, suite in enumerate(SUITES):
        arriving, leaving = Key("a", suite), Key("b", SUITES[(number + 1) % len(SUITES)])
        yield Case(f"SRTP with {suite} leaves as RTP, figures and all (SRTP-003, SRTP-009)",
                   [arrives(p) for p in arriving.seal(TALK)], {"forwarded": 10}, [leaves(p) for p in TALK],
                   [opens(flags=SECURE_ARRIVES), arriving.line(ARRIVES)],
                   figures={"packets": 10, "expected": 10, "octets": 10 * (172 + arriving.suite.tag), "sequence": 19,
                            "arrives_rollover": 0, "drop_authentication": 0})
        yield Case(f"RTP leaves as SRTP with {suite}, octet for octet what libsrtp2 makes (SRTP-009)",
                   [arrives(p) for p in TALK], {"forwarded": 10}, [leaves(p) for p in leaving.seal(TALK)],
                   [opens(flags=SECURE_LEAVES), leaving.line(LEAVES)],
                   figures={"octets": 1720, "leaves_sequence": 19, "leaves_rollover": 0})
        yield Case(f"SRTP with {suite} leaves with other keys and {leaving.suite.name} (SRTP-009)",
                   [arrives(p) for p in arriving.seal(TALK)], {"forwarded": 10}, [leaves(p) for p in leaving.seal(TALK)],
                   [opens(flags=SECURE_ARRIVES | SECURE_LEAVES), arriving.line(ARRIVES), leaving.line(LEAVES)])
        yield Case(f"SRTCP with {suite} is opened and sealed, its tag the long one (SRTP-001, SRTP-010)",
                   [arrives(p, **RTCP_IN) for p in arriving.seal_rtcp(REPORTS)], {"forwarded": 3},
                   [Opens(leaving, p, **RTCP_OUT) for p in REPORTS],
                   [opens(flags=IS_RTCP | SECURE_ARRIVES | SECURE_LEAVES, **RTCP_FIELDS),
                    arriving.line(ARRIVES, 10001), leaving.line(LEAVES, 10001), "show 1"])
        tag = arriving.suite.tag
        yield Case(f"a forged {suite} packet is dropped wherever its bit is wrong, and harms no other",
                   [arrives(p) for p in sealed_and_forged(arriving, tag)], {"forwarded": 2, "drop_authentication": tag + 4},
                   [leaves(p) for p in TALK[:2]], [opens(flags=SECURE_ARRIVES), arriving.line(ARRIVES)],
                   figures={"packets": 2, "drop_authentication": tag + 4, "drop_malformed": 0},
                   events=["stream_started index=0 generation=7", UNAUTHENTIC + at(HOST_A, 4000)])


def sealed_and_forged(key, tag):
    """Two good ones, and copies of the second with one wrong bit: in each octet of the tag, of the header,
    the payload and the first of the ciphertext."""
    first, second = key.seal(TALK[:2])
    wrong = [flip(second, -n) for n in range(1, tag + 1)] + [flip(second, n) for n in (3, 5, 12, 100)]
    return [first] + wrong + [second]


SECURE_CASES = list(between_suites()) + [
    # Tags and lengths.
    Case("a truncated tag is a wrong one, and too short for a tag is truncated",
         [arrives(SEALED[0][:-n]) for n in (1, 5, 10)] + [arrives(SEALED[0][:n]) for n in (21, 12)],
         {"drop_authentication": 3, "drop_truncated": 2}, script=FROM_SRTP,
         figures={"drop_authentication": 3, "drop_malformed": 2, "packets": 0}),
    Case("SRTP of every size down to an empty payload is opened and sealed",
         [arrives(p) for p in IN.seal([rtp(n, payload=bytes(range(n))) for n in range(70)])], {"forwarded": 70},
         [leaves(p) for p in OUT.seal([rtp(n, payload=bytes(range(n))) for n in range(70)])],
         [opens(flags=SECURE_ARRIVES | SECURE_LEAVES), IN.line(ARRIVES), OUT.line(LEAVES)]),
    Case("the largest packet grows by the largest tag and still fits IPv6",
         [arrives(rtp(payload=b"l" * 1420), udp_check=0)], {"forwarded": 1},
         [leaves(p, **B6) for p in Key("g", GCM_256).seal([rtp(payload=b"l" * 1420)])],
         [opens(destination=at(HOST_B6, 6000), out_address=1, flags=SECURE_LEAVES),
          Key("g", GCM_256).line(LEAVES)], options=BOTH),
    Case("contributing sources, extension and padding are opened and sealed with the rest",
         [arrives(p) for p in IN.seal(PARTS)], {"forwarded": 4}, [leaves(p) for p in OUT.seal(PARTS)],
         [opens(flags=SECURE_ARRIVES | SECURE_LEAVES), IN.line(ARRIVES), OUT.line(LEAVES)]),
    Case("padding is judged in the clear: ciphertext may end as it likes, plaintext may not lie",
         [arrives(p) for p in IN.seal([rtp(n, first=0xA0, payload=b"ab" + bytes([n])) for n in range(5)])],
         {"forwarded": 3, "drop_not_rtp": 2}, [leaves(rtp(n, first=0xA0, payload=b"ab" + bytes([n]))) for n in (1, 2, 3)],
         FROM_SRTP, figures={"drop_malformed": 2, "drop_authentication": 0}),
    Case("plain RTP on a secure stream is not heard (SRTP-001)", [arrives(p) for p in TALK[:3]],
         {"drop_authentication": 3}, script=FROM_SRTP, figures={"drop_authentication": 3, "packets": 0}),
    Case("SRTP on a plain stream is relayed as it is: whose it is only its ends can say",
         [arrives(SEALED[0])], {"forwarded": 1}, [leaves(SEALED[0])]),
    Case("noise and RTCP on a secure RTP port never reach the engine",
         [arrives(p) for p in (b"", b"\x16\xfe\xff" + b"d" * 40, rtp(first=0x40), rtp(first=0x8F, payload=b""))],
         {"drop_not_rtp": 4}, script=FROM_SRTP, figures={"drop_malformed": 4, "drop_authentication": 0}),

    # Keys.
    Case("before its keys are there a secure stream takes nothing, sends nothing and blames nobody",
         [arrives(SEALED[0]), arrives(ONE, **FROM_B)], {"drop_authentication": 2},
         script=[OPENS_IN, opens_back(flags=SECURE_LEAVES)],
         figures={"drop_authentication": 1, "packets": 0}, events=["stream_started index=2 generation=7"]),
    Case("keys may come before the open of their generation", [arrives(SEALED[0])], {"forwarded": 1}, [leaves(TALK[0])],
         [IN.line(ARRIVES), OPENS_IN]),
    Case("keys of another generation, and of the one just closed, are not taken",
         [arrives(SEALED[0])], {"drop_authentication": 1},
         script=[OPENS_IN, IN.line(ARRIVES, generation=6), IN.line(ARRIVES, generation=8), "close 0 7",
                 IN.line(ARRIVES, generation=7), opens(generation=9, flags=SECURE_ARRIVES)],
         figures={"generation": 9, "drop_authentication": 1}),
    Case("a closed stream's keys are gone", [arrives(SEALED[0])], {"drop_authentication": 1},
         script=[*FROM_SRTP, "close 0 7", opens(generation=8, flags=SECURE_ARRIVES)]),
    Case("a re-offer with the same keys keeps the replay window and the ROC",
         [arrives(p) for p in SEALED[:4] + SEALED[2:6]], {"forwarded": 6, "drop_replay": 2},
         [leaves(p) for p in TALK[:4]] + [leaves(p, (HOST_C, 7000)) for p in TALK[4:6]],
         [*FROM_SRTP, "after 4", opens(flags=SECURE_ARRIVES, destination=at(HOST_C, 7000))], figures={"drop_replay": 2}),
    Case("a new key is taken at once, and late packets of the one before it for a while",
         [arrives(p) for p in SEALED[:4] + NEXT.seal(TALK[6:8]) + SEALED[4:6] + SEALED[3:4] + NEXT.seal(TALK[6:9])],
         {"forwarded": 9, "drop_replay": 2, "drop_authentication": 1},
         [leaves(p) for p in TALK[:4] + TALK[6:8] + TALK[4:6] + TALK[8:9]],
         [*FROM_SRTP, "after 4", NEXT.line(ARRIVES)], figures={"packets": 9, "reordered": 2}),
    Case("late packets of the key before a new one are not taken for ever",
         [arrives(p) for p in SEALED[:2] + NEXT.seal(TALK[3:4]) + SEALED[2:3]],
         {"forwarded": 3, "drop_authentication": 1}, [leaves(p) for p in TALK[:2] + TALK[3:4]],
         [*FROM_SRTP, "after 2", NEXT.line(ARRIVES), "after 3", "sleep 2200"]),
    Case("a new key that leaves begins afresh, with ROC 0",
         [arrives(p) for p in WRAP], {"forwarded": 20},
         [leaves(p) for p in OUT.seal(WRAP[:15]) + NEXT.seal(WRAP[15:])], [*TO_SRTP, "after 15", NEXT.line(LEAVES)],
         figures={"leaves_rollover": 0, "leaves_sequence": 9}),
    Case("without an engine nothing secure passes, and plain media does",
         [arrives(SEALED[0]), arrives(ONE, **FROM_B)], {"drop_authentication": 1, "forwarded": 1}, [leaves(ONE, **TO_A)],
         [*FROM_SRTP, opens_back()], options=["--crypto", "off"]),

    # Replay, order, wraps.
    Case("a replay is dropped inside the window and outside, a late packet is not",
         [arrives(p) for p in pick(MANY, [*range(290), *range(291, 400), 399, 398, 300, 280, 5, 290, 290])],
         {"forwarded": 400, "drop_replay": 6}, [leaves(rtp(n)) for n in [*range(290), *range(291, 400), 290]],
         FROM_SRTP, figures={"drop_replay": 6, "packets": 400}),
    Case("what is older than the window cannot be told from a replay",
         [arrives(p) for p in pick(MANY, [0, 399, 1, 270, 272])], {"forwarded": 3, "drop_replay": 2},
         [leaves(rtp(n)) for n in (0, 399, 272)], FROM_SRTP),
    Case("two copies of a packet in one burst are one packet", [arrives(SEALED[0])] * 3, {"forwarded": 1, "drop_replay": 2},
         [leaves(TALK[0])], FROM_SRTP),
    Case("the sequence number wraps, with loss and reordering across the wrap, on both sides",
         [arrives(p) for p in pick(IN.seal(WRAP), REORDERED)], {"forwarded": 16},
         [leaves(p) for p in pick(OUT.seal(WRAP), REORDERED)],
         [opens(flags=SECURE_ARRIVES | SECURE_LEAVES), IN.line(ARRIVES), OUT.line(LEAVES)],
         figures={"arrives_rollover": 1, "sequence": 9, "leaves_rollover": 1, "leaves_sequence": 9, "expected": 20}),
    Case("a new SSRC begins at ROC 0, on both sides",
         [arrives(p) for p in IN.seal(CHANGED)], {"forwarded": 22}, [leaves(p) for p in OUT.seal(CHANGED)],
         [opens(flags=SECURE_ARRIVES | SECURE_LEAVES), IN.line(ARRIVES), OUT.line(LEAVES)],
         figures={"ssrc_changes": 1, "arrives_rollover": 0, "sequence": 65001}),
    Case("two SSRCs by turns under one key keep their own counters, on both sides",
         [arrives(p) for p in IN.seal(MIXED)], {"forwarded": 40}, [leaves(p) for p in OUT.seal(MIXED)],
         [opens(flags=SECURE_ARRIVES | SECURE_LEAVES), IN.line(ARRIVES), OUT.line(LEAVES)],
         figures={"packets": 40, "drop_replay": 0}),
    Case("SRTP on another worker's queue is handed over and opened by its owner",
         [arrives(SEALED[0], port=18000)], {"handed_over": 1, "forwarded": 1}, [leaves(TALK[0], port=18002)],
         [opens(port=18000, out=18002, flags=SECURE_ARRIVES), IN.line(ARRIVES, 18000)], workers=2),
    Case("a stream of a lost dataplane goes on where the view said it was",
         [arrives(p) for p in IN.seal(TALK, ssrc=0x11111111, roc=5)], {"forwarded": 10},
         [leaves(p) for p in OUT.seal(TALK, ssrc=0x11111111, roc=6)],
         [IN.line(ARRIVES), OUT.line(LEAVES), f"rollover 0 7 {0x11111111} 5 9 6 9",
          opens(flags=SECURE_ARRIVES | SECURE_LEAVES)],
         figures={"arrives_rollover": 5, "leaves_rollover": 6}),

    # Who may send.
    Case("the TTL is judged before decryption (MEDIA-018)",
         [arrives(SEALED[0], ttl=10), arrives(flip(SEALED[0], -1), ttl=9), arrives(SEALED[0], ttl=11)],
         {"drop_ttl": 2, "forwarded": 1}, [leaves(TALK[0])], FROM_SRTP,
         figures={"drop_ttl": 2, "ttl_lowest": 9, "drop_authentication": 0, "drop_replay": 0}),
    Case("the source is judged before decryption, and a stranger's copy uses nothing up",
         [arrives(SEALED[0], **STRANGER), arrives(SEALED[0], (HOST_A, 4001)), arrives(SEALED[0])],
         {"drop_wrong_source": 2, "forwarded": 1}, [leaves(TALK[0])], FROM_SRTP,
         figures={"drop_source": 2, "drop_replay": 0},
         events=["stream_started index=0 generation=7",
                 f"stream_refused index=0 generation=7 source={at(HOST_C, 5555)}"]),
    Case("secure and symmetric: the first authentic packet settles the source (MEDIA-011)",
         [arrives(SEALED[0], **NAT), arrives(ONE, **FROM_B), arrives(SEALED[1], **STRANGER), arrives(SEALED[1], **NAT)],
         {"forwarded": 3, "drop_wrong_source": 1},
         [leaves(TALK[0]), leaves(ONE, NAT["source"], 10000, next_hop=NAT["from_mac"]), leaves(TALK[1])],
         [*LEARN_SECURE, "after 1"],
         figures={"learned": 1, "source": "203.0.113.9:40000", "drop_source": 1},
         events=["stream_learned index=0 generation=7 learned=203.0.113.9:40000",
                 "stream_started index=0 generation=7", "stream_started index=2 generation=7",
                 f"stream_refused index=0 generation=7 source={at(HOST_C, 5555)}"]),
    Case("secure and symmetric: what is not authentic is never learned and never relayed (MEDIA-011)",
         [arrives(p, (HOST_C, 5000 + n)) for n, p in enumerate(TALK + Key("x").seal(TALK) + [flip(p, 50) for p in SEALED])] +
         [arrives(SEALED[0], ("127.0.0.1", 4000)), arrives(ONE, **FROM_B)],
         {"drop_authentication": 30, "drop_wrong_source": 1, "forwarded": 1},
         [leaves(ONE, ("10.0.0.5", 5004), 10000, next_hop=MAC_A)], LEARN_SECURE,
         figures={"learned": 0, "packets": 0, "drop_authentication": 30},
         events=["stream_started index=2 generation=7", UNAUTHENTIC + at(HOST_C, 5000)]),

    # Payloads.
    Case("a telephone event is numbered anew between unsealing and sealing (DTMF-003)",
         [arrives(p) for p in IN.seal([event(5, 0, 160, sequence=1, timestamp=800, payload_type=101, marker=1),
                                       event(5, 1, 320, sequence=2, timestamp=800, payload_type=101)])], {"forwarded": 2},
         [leaves(p) for p in OUT.seal([event(5, 0, 160, sequence=1, timestamp=800, payload_type=96, marker=1),
                                       event(5, 1, 320, sequence=2, timestamp=800, payload_type=96)])],
         [opens(events=(101, 96), flags=SECURE_ARRIVES | SECURE_LEAVES), IN.line(ARRIVES), OUT.line(LEAVES)],
         figures={"events": 1, "packets": 2}),
    Case("keys inside SRTP are heard once their tags were right, and not before (DTMF-002, DTMF-004)",
         [arrives(p) for p in IN.seal(PRESSED)] + [arrives(flip(p, -1)) for p in IN.seal(MORE_KEYS)],
         {"forwarded": 96, "drop_authentication": len(MORE_KEYS)}, [leaves(p) for p in OUT.seal(PRESSED_OUT)],
         [opens(events=(101, 96), flags=SECURE_ARRIVES | SECURE_LEAVES), IN.line(ARRIVES), OUT.line(LEAVES)],
         figures={"events": 16}, events=[STARTED, UNAUTHENTIC + at(HOST_A, 4000)] + [heard(key) for key in KEYS]),
    Case("other payload types are dropped once they are known to be the sender's (MEDIA-001)",
         [arrives(p) for p in IN.seal([rtp(1), rtp(2, payload_type=8), rtp(3, payload_type=101, payload=b"abc")])],
         {"forwarded": 1, "drop_payload_type": 2}, [leaves(rtp(1))], FROM_SRTP,
         figures={"drop_payload_type": 2, "payload_changes": 1}),
    Case("on hold nothing is sealed", [arrives(p) for p in TALK[:3]], {"drop_no_next_hop": 3},
         script=[opens(flags=SECURE_LEAVES | NO_NEXT_HOP), OUT.line(LEAVES)],
         figures={"drop_no_next_hop": 3, "leaves_sequence": 0}),

    # IP versions.
    Case("SRTP passes from an IPv4 leg to an IPv6 leg and back",
         [arrives(SEALED[0]), arrives(OUT.seal([ONE])[0], (HOST_B6, 6000), 10002, media=A6["media"])], {"forwarded": 2},
         [leaves(TALK[0], **B6), leaves(ONE, **TO_A)],
         [opens(destination=at(HOST_B6, 6000), out_address=1, flags=SECURE_ARRIVES), IN.line(ARRIVES),
          opens(port=10002, out=10000, address=1, out_address=0, source=at(HOST_B6, 6000),
                destination=at(HOST_A, 4000), hop=MAC_A, flags=SECURE_ARRIVES), OUT.line(ARRIVES, 10002, address=1)],
         options=BOTH),
    Case("SRTP of an IPv6 leg leaves as SRTP of an IPv6 leg", [arrives(SEALED[0], **A6)], {"forwarded": 1},
         [leaves(OUT.seal(TALK[:1])[0], **B6)],
         [opens(source=at(HOST_A6, 4000), destination=at(HOST_B6, 6000), address=1, flags=SECURE_ARRIVES | SECURE_LEAVES),
          IN.line(ARRIVES, address=1), OUT.line(LEAVES, address=1)], options=BOTH),

    # RTCP.
    Case("forged, replayed, truncated and plain RTCP are dropped on a secure stream",
         [arrives(p, **RTCP_IN) for p in (PAIR[0], flip(PAIR[1], -1), flip(PAIR[1], 9), flip(PAIR[1], -12), PAIR[0],
                                          PAIR[1], REPORTS[0], PAIR[1][:20], PAIR[1][:8])],
         {"forwarded": 2, "drop_authentication": 4, "drop_replay": 1, "drop_truncated": 2},
         [leaves(p, **RTCP_OUT) for p in REPORTS[:2]],
         [opens(flags=IS_RTCP | SECURE_ARRIVES, **RTCP_FIELDS), IN.line(ARRIVES, 10001)]),
    Case("a compound that does not add up is dropped once it is opened (RFC 3550 A.2)",
         [arrives(p, **RTCP_IN) for p in IN.seal_rtcp([rtcp() + rtcp(201, words=9, size=12), rtcp() + b"\0" * 8,
                                                       rtcp() + rtcp(203, words=1)])],
         {"forwarded": 1, "drop_not_rtp": 2}, [leaves(rtcp() + rtcp(203, words=1), **RTCP_OUT)],
         [opens(flags=IS_RTCP | SECURE_ARRIVES, **RTCP_FIELDS), IN.line(ARRIVES, 10001)]),
    Case("SRTCP on the RTP port is opened as RTCP, and leaves from the RTP port where it is muxed (RFC 5761)",
         [arrives(IN.seal_rtcp(REPORTS[:1])[0]), arrives(SEALED[0])], {"forwarded": 2},
         [Opens(OUT, REPORTS[0], destination=(HOST_B, 6000), port=10002), leaves(OUT.seal(TALK[:1])[0])],
         [opens(flags=SECURE_ARRIVES | SECURE_LEAVES), IN.line(ARRIVES), OUT.line(LEAVES),
          opens(port=10001, out=10003, source=HOST_A, destination=at(HOST_B, 6000),
                flags=IS_RTCP | ANY_PORT | MUXED | SECURE_ARRIVES | SECURE_LEAVES),
          IN.line(ARRIVES, 10001), OUT.line(LEAVES, 10001)], figures={"packets": 1}),
]


def is_report(packet):
    """A sender or receiver report with one block, about the sender's SSRC, and a name behind it."""
    return packet[0] == 0x81 and packet[1] in (200, 201) and b"\x11\x11\x11\x11" in packet[8:40] and \
        packet[4 * (int.from_bytes(packet[2:4], "big") + 1) + 1] == 202


BACK_RTCP = {"port": 10003, "out": 10001, "source": at(HOST_B, 6001), "destination": at(HOST_A, 4001), "hop": MAC_A}
TO_A_RTCP = {"destination": (HOST_A, 4001), "port": 10001, "next_hop": MAC_A}
SECURE_CASES += [
    Case(f"a leg whose other side sends no RTCP gets reports of our own{', sealed' if key else ''} (MEDIA-015)",
         [arrives(p) for p in (key.seal(TALK[:2]) if key else TALK[:2])], {"forwarded": 2, "report": 1},
         [leaves(TALK[0]), leaves(TALK[1]), Opens(key, check=is_report, **TO_A_RTCP)],
         [opens(flags=SECURE_ARRIVES if key else 0), opens_back(),
          opens(flags=IS_RTCP, **RTCP_FIELDS), opens_back(flags=IS_RTCP | (SECURE_LEAVES if key else 0), **BACK_RTCP),
          *([key.line(ARRIVES), key.line(LEAVES, 10003)] if key else []), "after 1", "sleep 4000"],
         figures={"packets": 2})
    for key in (None, IN, Key("g", GCM_256))]


class Said:
    """The packets of digits of ours, of which only the timestamp is not known before: one for each digit, not before
    that of the packet it follows. Frames they stand for: sealed with the key, or plain without one."""

    def __init__(self, key, sequence, after, ssrc=0x11111111, payload_type=96):
        self.key, self.sequence, self.after, self.ssrc, self.type = key, sequence, after, ssrc, payload_type
        self.timestamps = {}

    def is_right(self, media, digit, wanted):
        timestamp = int.from_bytes(media[4:8], "big")
        if wanted[4]:  # the event's first, once in each engine's turn
            self.timestamps[digit] = timestamp
        return timestamp == self.timestamps.get(digit) and 0 <= timestamp - 160 * self.after < 8000 * 60 and \
            media == event(*wanted[:3], sequence=wanted[3], marker=wanted[4], timestamp=timestamp, ssrc=self.ssrc,
                           payload_type=self.type)

    def digits(self, keys, duration_ms):
        frames, total = [], 8 * duration_ms
        for digit, key in enumerate(keys):
            updates = (total - 1) // 160
            for step in range(updates + 3):
                wanted = (KEYS.index(key), step >= updates, min(total, 160 * (step + 1)) if step < updates else total,
                          self.sequence & 0xFFFF, step == 0)
                frames.append(Opens(
                    self.key, is_rtcp=False, roc=1 if self.sequence > 0xFFFF else None,
                    check=lambda media, digit=digit, wanted=wanted: self.is_right(media, digit, wanted)))
                self.sequence += 1
        return frames


SPEECH = [rtp(n) for n in range(100, 120)]
LONG_EVENT = 99 + 3  # packets of 2 seconds


def moved(packets, by):
    """With greater sequence numbers; their timestamps stay."""
    return [packet[:2] + (int.from_bytes(packet[2:4], "big") + by & 0xFFFF).to_bytes(2, "big") + packet[4:]
            for packet in packets]


def sealed_or_not(key, packets):
    return key.seal(packets) if key else packets


for said_key in (None, OUT, Key("g", GCM_256)):
    way = f", sealed with {said_key.suite.name}" if said_key else ""
    flags = SECURE_LEAVES if said_key else 0
    lines = [opens(events=(101, 96), flags=flags), *([said_key.line(LEAVES)] if said_key else [])]
    SECURE_CASES += [
        Case(f"digits of ours leave as events, and speech goes on behind them with the next numbers (DTMF-001{way})",
             [arrives(p) for p in SPEECH[:6]], {"forwarded": 6, "event": 80},
             [leaves(p) for p in sealed_or_not(said_key, SPEECH[:3])] + Said(said_key, 103, 102).digits(KEYS, 60) +
             [Opens(said_key, p, is_rtcp=False) for p in moved(SPEECH[3:6], 80)],
             [*lines, "after 3", f"digits 0 7 60 40 {KEYS}", "said 16"], figures={"packets": 6}),
        Case(f"speech that comes while an event of ours lasts is replaced by it (DTMF-001{way})",
             [arrives(p) for p in SPEECH[:8]], {"forwarded": 5, "event": LONG_EVENT, "drop_replaced": 3},
             [leaves(p) for p in sealed_or_not(said_key, SPEECH[:3])] + Said(said_key, 103, 102).digits("5", 2000) +
             [Opens(said_key, p, is_rtcp=False) for p in moved(SPEECH[6:8], LONG_EVENT - 3)],
             [*lines, "after 3", "digits 0 7 2000 40 5", "sleep 50", "after 6", "said 1"], figures={"packets": 8}),
    ]
SECURE_CASES += [
    Case("digits of ours go over the wrap of the numbers, inside SRTP with the ROC (DTMF-001)",
         [arrives(rtp(n & 0xFFFF)) for n in (65530, 65531, 65532)], {"forwarded": 3, "event": 10},
         [leaves(p) for p in OUT.seal([rtp(65530), rtp(65531)])] + Said(OUT, 65532, 65531).digits("12", 60) +
         [Opens(OUT, moved([rtp(65532)], 10)[0], is_rtcp=False, roc=1)],
         [opens(events=(101, 96), flags=SECURE_LEAVES), OUT.line(LEAVES), "after 2", "digits 0 7 60 40 12", "said 2"],
         figures={"packets": 3, "leaves_rollover": 1, "leaves_sequence": 6}),
    Case("what asks for digits of no stream, of none that takes them or of no keys is refused (DTMF-001)",
         [arrives(SPEECH[0])], {"forwarded": 1}, [leaves(SPEECH[0])],
         [opens(events=(101, NONE)), "digits 0 7 60 40 1", "digits 0 6 60 40 1", "digits 0 7 60 40 x", "digits 1 7 60 40 1",
          "digits 4000000000 7 60 40 1", "digits 0 7 1 40 1"]),
]
