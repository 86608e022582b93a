#!/usr/bin/env python3
"""seeds.py CORPUS: the messages of this folder as seeds of the fuzz targets that read messages and
streams (tests/fuzz/corpus). Large ones are left out: a fuzzer makes them itself."""
import pathlib
import sys

import hostile
import rfc4475
import rfc5118

LARGEST = 3000
ODD = ("wsinv", "intmeth", "esc01", "escnull", "longreq", "badinv01", "novelsc", "regescrt", "semiuri",
       "baddn", "badaspec", "port_ambiguous", "three_colons", "several_in_headers", "backslashes")
NAMES = (b"via", b"v", b"to", b"from", b"f", b"contact", b"m", b"route")


def put(folder, name, octets):
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(octets)


corpus = pathlib.Path(sys.argv[1])
for message in rfc4475.MESSAGES + rfc5118.MESSAGES + hostile.MESSAGES:
    octets = message.octets("x.example")
    if len(octets) <= LARGEST:
        # Of a datagram the first octet says what the user of the transactions does.
        put(corpus / "sip_message", f"torture_{message.name}", b"\x0a" + octets)
    if message.name in ODD:
        first, *lines = octets.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b"  ").split(b"\r\n")
        parts = {first.split(b" ")[1]} | {
            value.strip() for name, _, value in (line.partition(b":") for line in lines)
            if name.strip().lower() in NAMES}
        for index, part in enumerate(sorted(parts)[:6]):
            put(corpus / "sip_uri", f"torture_{message.name}_{index}", part)
    if message.tcp is not None:
        put(corpus / "sip_frame", f"torture_{message.name}", b"\x07" + octets[:LARGEST])
