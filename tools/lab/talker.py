"""RTP by hand: a socket on a host that says what a test wants said, with any TTL, port or payload."""

import contextlib
import re
import socket
import struct
import time

PACKET = 160  # octets of G.711 in 20 ms


def media_of(text):
    """(address, port, {payload type: name}) of the audio an SDP body names."""
    address = re.search(r"^c=IN IP4 (\S+)", text, re.M)
    port, types = re.search(r"^m=audio (\d+) RTP/AVP ([\d ]+)", text, re.M).groups()
    names = dict(re.findall(r"^a=rtpmap:(\d+) ([\w-]+)", text, re.M))
    return address[1], int(port), {int(word): names.get(word, "") for word in types.split()}


def media_told(capture):
    """What the last SDP that reached a host says; a capture lags behind a little."""
    deadline = time.monotonic() + 5
    while True:
        texts = [text.replace("\r\n", "\n") for _, text in capture.sip(outgoing=False)]
        offers = [text for text in texts if "\nm=audio" in text]
        if offers or time.monotonic() > deadline:
            return media_of(offers[-1])
        time.sleep(0.1)


class Stream:
    """Packets of one source, numbered and dated on."""

    def __init__(self, ssrc, sequence, timestamp):
        self.ssrc, self.sequence, self.timestamp = ssrc, sequence, timestamp

    def packet(self, payload, kind=0, marker=False, step=PACKET):
        data = struct.pack("!BBHII", 0x80, kind | marker << 7, self.sequence & 0xFFFF,
                           self.timestamp & 0xFFFFFFFF, self.ssrc) + payload
        self.sequence += 1
        self.timestamp += step
        return data


class Talker(Stream):
    def __init__(self, host, port, ssrc=0x1AB):
        super().__init__(ssrc, 1000, 0)
        self.socket = host.socket(port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, octets, target, ttl=64):
        """Speech at its own pace; returns when it is said."""
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        start = time.monotonic()
        for index in range(0, len(octets) - PACKET + 1, PACKET):
            with contextlib.suppress(ConnectionRefusedError):
                self.socket.sendto(self.packet(octets[index:index + PACKET]), target)
            time.sleep(max(0, start + (index // PACKET + 1) * 0.02 - time.monotonic()))

    def press(self, digit, kind, target, count=5):
        """One telephone event of RFC 4733, its end sent three times."""
        for index in range(count + 3):
            is_end = index >= count
            payload = struct.pack("!BBH", digit, is_end << 7 | 10, PACKET * min(index + 1, count))
            self.socket.sendto(self.packet(payload, kind, index == 0, 0), target)
            time.sleep(0.02)
        self.timestamp += PACKET * count
