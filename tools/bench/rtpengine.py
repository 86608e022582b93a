"""rtpengine's ng protocol (bencode over UDP), as much of it as setting up calls takes."""

import base64
import re
import socket

from benchlib import LabError


def encode(value):
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(encode, value)) + b"e"
    return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"


def decode(data, at=0):
    """A value and the place behind it."""
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in b"ld":
        items, at = [], at + 1
        while data[at:at + 1] != b"e":
            item, at = decode(data, at)
            items.append(item)
        at += 1
        return (items if kind == b"l" else
                {key.decode(): item for key, item in zip(items[::2], items[1::2])}), at
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1:end], end


class Ng:
    def __init__(self, host, port):
        with host.inside():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(1)
        self.count = 0

    def ask(self, command, **fields):
        self.count += 1
        cookie = b"bench%d" % self.count
        message = {"command": command, **{key.replace("_", "-"): fields[key] for key in fields}}
        for _ in range(5):
            self.socket.send(cookie + b" " + encode(message))
            try:
                answer, _, body = self.socket.recv(65536).partition(b" ")
            except (TimeoutError, ConnectionRefusedError):
                continue
            reply = decode(body)[0] if answer == cookie else {}
            if reply.get("result") in (b"ok", b"pong"):
                return reply
        raise LabError(f"rtpengine does not answer {command} as it should")

    def close(self):
        self.socket.close()


SUITE = "AES_CM_128_HMAC_SHA1_80"


def describe(address, port, key=None):
    text = (f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/{'SAVP' if key else 'AVP'} 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n")
    return text + (f"a=crypto:1 {SUITE} inline:{base64.b64encode(key).decode()}\r\n" if key else "")


def media_of(reply):
    """Address, port, and the key of SDES or None."""
    text = reply["sdp"].decode()
    key = re.search(rf"^a=crypto:\d+ {SUITE} inline:([A-Za-z0-9+/=]+)", text, re.M)
    return ((re.search(r"^c=IN IP4 (\S+)", text, re.M)[1],
             int(re.search(r"^m=audio (\d+)", text, re.M)[1])),
            base64.b64decode(key[1] + "=" * (-len(key[1]) % 4)) if key else None)


def set_up(ng, address, calls, run_id, key_of=None):
    """Offers and answers that many calls; flows as (from, to, back), each (address, port), and the keys
    of what is sent and comes back. key_of(call, party): side A offers SRTP, side B gets RTP."""
    flows = []
    for index in range(calls):
        a, b = 20000 + 4 * index, 20002 + 4 * index
        key = key_of(index, "A") if key_of else None
        common = {"call_id": f"{run_id}-{index}", "from_tag": f"a{index}", "ICE": "remove",
                  "replace": ["origin", "session-connection"]}
        if key:
            common |= {"DTLS": "off", "rtcp_mux": ["demux"]}
        to_b, _ = media_of(ng.ask("offer", sdp=describe(address, a, key),
                                  transport_protocol="RTP/AVP", **common))
        to_a, relay_key = media_of(ng.ask("answer", sdp=describe(address, b), to_tag=f"b{index}",
                                          **common))
        if bool(key) != bool(relay_key):
            raise LabError(f"rtpengine: call {index} is not {'SRTP' if key else 'RTP'}")
        # What the offer names is where B sends; what the answer names is where A sends.
        flows += [((address, a), to_a, (address, b), key, None),
                  ((address, b), to_b, (address, a), None, relay_key)]
    return flows
