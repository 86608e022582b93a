"""What strangers and standards bodies throw at a SIP stack, each message with the reaction it must
get: made here once, for the unit tests (generate.py writes them as C), the system tests and the
corpora of the fuzz targets.

A reaction is a status, or why nothing is answered: `wrong_via` (a response to nothing of ours),
`malformed`, `withheld` (each Via comes back, which makes an answer too long even for a known peer),
`unknown` (a domain nobody has here, TERM-005). `call`: the INVITE becomes a call.

In the text, {host} is a domain the appliance serves, {to:NAME} and {from:NAME} stand for NAME or for
numbers that may call each other, {length} for the length of the body, {hex:…} for octets."""

import dataclasses
import re

NUMBER, CALLER, HOST = "+81312345678", "+14155550100", "acme.pstn.example.com"


@dataclasses.dataclass(frozen=True)
class Message:
    name: str
    section: str   # of the RFC, or where the fault is known from
    text: str
    udp: object    # the reaction
    tcp: object = None   # None: as over UDP; "close": 400 and the end, "large": 513 and the end
    plain: object = None # with its own users in place of numbers; None: as with numbers
    second: object = None  # reaction to a second message in the same octets, on streams only
    family: int = 4        # of the media address that it needs

    def octets(self, host=HOST, to=NUMBER, caller=CALLER):
        """As sent. `to` or `caller` None: the names the message came with."""
        return render(self.text, host, to, caller)

    def reaction(self, transport="udp", dialled=True):
        """`dialled`: with numbers in place of its own users."""
        if not dialled and self.plain is not None:
            return self.plain
        return self.udp if transport == "udp" or self.tcp is None else self.tcp


def _user(value):
    return lambda match: match[1] if value is None else value


def render(text, host, to, caller):
    text = text.replace("{host}", host)
    text = re.sub(r"\{to:([^}]*)\}", _user(to), text)
    text = re.sub(r"\{from:([^}]*)\}", _user(caller), text)
    text = text.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    text = re.sub(rb"\{hex:([0-9a-f]*)\}", lambda match: bytes.fromhex(match[1].decode()), text)
    while b"{length}" in text:
        head, _, rest = text.partition(b"{length}")
        body = rest.partition(b"\r\n\r\n")[2].partition(b"{end}")[0]
        text = head + str(len(body)).encode() + rest
    return text.replace(b"{end}", b"")


def sdp(address, time="0 0", family=4):
    """What most messages of RFC 4475 carry."""
    kind = f"IN IP{family} {address}"
    return (f"v=0\no=mhandley 29739 7272939 {kind}\ns=-\nc={kind}\nt={time}\n"
            "m=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC\n")


# ---- the same message within a call

CALL_ID, TAG, OUR_TAG = b"torture-call", b"torture-tag", b"@@TAG@@"
NAMES = {b"call-id": b"i", b"from": b"f", b"to": b"t", b"cseq": b"", b"via": b"v"}


def _set_tag(line, tag):
    done, count = re.subn(rb"(;\s*tag\s*=\s*)[^;\s]+", lambda match: match[1] + tag, line, count=1)
    return done if count else line + b";tag=" + tag


def within(octets, number):
    """As a message of the call that the tests hold up: its Call-ID and tags, the next CSeq, a branch
    of its own. OUR_TAG stands for the tag the appliance gave."""
    head, end, body = octets.partition(b"\r\n\r\n")
    first, *lines = re.split(rb"\r\n(?![ \t])", head)
    edits = {
        b"call-id": lambda line: re.sub(rb":.*", b": " + CALL_ID, line, flags=re.S),
        b"from": lambda line: _set_tag(line, TAG),
        b"to": lambda line: _set_tag(line, OUR_TAG),
        b"cseq": lambda line: re.sub(rb"(:\s*)\d{1,10}(?=\s)", lambda match: match[1] + b"%d" % number,
                                     line),
        b"via": lambda line: re.sub(rb"(branch\s*=\s*z9hG4bK)(?=\S)", rb"\1in", line, count=1),
    }
    made = [first]
    for line in lines:
        name = line.partition(b":")[0].strip().lower()
        full = next((key for key, short in NAMES.items() if name and name in (key, short)), None)
        made.append(edits[full](line) if full else line)
    return b"\r\n".join(made) + end + body
