"""The messages of RFC 5118: IPv6 where a parser may stumble over it. Most name an address that is not
ours: they are understood and, like all that is for somebody else, not answered."""

from messages import Message, sdp

REST = '''To: sip:user@example.com
From: sip:user@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-{name}
Call-ID: SSG9559905523997077@{name}
Max-Forwards: 70
Contact: "Caller" <sip:caller@[2001:db8::1]>
'''


def register(name, target):
    return (f"REGISTER {target} SIP/2.0\n" + REST.replace("{name}", name) +
            "CSeq: 98176 REGISTER\nContent-Length: 0\n\n")


def invite(name, via, contact, body):
    return ("INVITE sip:{to:user}@{host} SIP/2.0\nTo: sip:user@example.com\n"
            "From: sip:{from:user}@example.com;tag=81x2\n" + via +
            f"Call-ID: SSG9559905523997077@{name}\nContact: <sip:caller@{contact}>\n"
            "CSeq: 8612 INVITE\nMax-Forwards: 70\nContent-Type: application/sdp\n"
            "Content-Length: {length}\n\n" + body)


MIXED = '''v=0
o=bob 280744730 28977631 IN IP4 host.example.com
s=-
t=0 0
m=audio 22334 RTP/AVP 0
c=IN IP4 192.0.2.1
m=video 6024 RTP/AVP 107
c=IN IP6 2001:db8::1
a=rtpmap:107 H263-1998/90000
'''

MAPPED = '''v=0
o=assistant 971731711378798081 0 IN IP6 ::ffff:192.0.2.2
s=Live video feed for today's meeting
c=IN IP6 ::ffff:192.0.2.2
t=3338481189 3370017201
m=audio 6000 RTP/AVP 2
a=rtpmap:2 G726-32/8000
m=video 6024 RTP/AVP 107
a=rtpmap:107 H263-1998/90000
'''


def delimited(name, method, number, received, to=""):
    return (f"{method} sip:[2001:db8::10] SIP/2.0\nTo: sip:user@example.com{to}\n"
            f"From: sip:user@example.com;tag=81x2\nVia: SIP/2.0/UDP [2001:db8::9:1];"
            f"received={received};branch=z9hG4bK{name}\nCall-ID: SSG9559905523997077@{name}\n"
            f"Max-Forwards: 70\nCSeq: {number} {method}\nContent-Length: 0\n\n")


def colons(name, target):
    return (f"OPTIONS sip:user@[{target}] SIP/2.0\n" + REST.replace("{name}", name) +
            "CSeq: 921 OPTIONS\nContent-Length: 0\n\n")


MESSAGES = [
    Message("ipv6_good", "4.1", register("ipv6good", "sip:[2001:db8::10]"), "unknown"),
    Message("ipv6_bad", "4.2", register("ipv6bad", "sip:2001:db8::10"), 400),
    Message("port_ambiguous", "4.3", register("ambiguous", "sip:[2001:db8::10:5070]"), "unknown"),
    Message("port_unambiguous", "4.4", register("unambiguous", "sip:[2001:db8::10]:5070"),
            "unknown"),
    Message("received_with_brackets", "4.5",
            delimited("with", "BYE", 321, "[2001:db8::9:255]", ";tag=bd76ya"), "unknown"),
    Message("received_without_brackets", "4.5",
            delimited("without", "OPTIONS", 921, "2001:db8::9:255"), "unknown"),
    Message("ipv6_in_sdp", "4.6", invite(
        "insdp", "Via: SIP/2.0/UDP [2001:db8::20];branch=z9hG4bKas3-111\n", "[2001:db8::20]",
        sdp("2001:db8::20", family=6)), "call", family=6),
    Message("several_in_headers", "4.7", '''BYE sip:user@{host} SIP/2.0
Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144
Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200
Call-ID: 997077@lau_4100
Max-Forwards: 70
CSeq: 89187 BYE
To: sip:user@example.net;tag=9817--94
From: sip:user@example.com;tag=81x2
Content-Length: 0

''', 481),
    Message("several_in_sdp", "4.8", invite(
        "several", "Via: SIP/2.0/UDP [2001:db8::20];branch=z9hG4bKas3-118\n", "[2001:db8::20]",
        MIXED), "call"),
    Message("ipv4_mapped", "4.9", invite(
        "mapped", "Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19\n"
        "Via: SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-111\n", "[::ffff:192.0.2.2]",
        MAPPED), 415),  # no PCMU
    Message("three_colons", "4.10", colons("three", "2001:db8:::192.0.2.1"), "unknown"),
    Message("two_colons", "4.10", colons("two", "2001:db8::192.0.2.1"), "unknown"),
]
