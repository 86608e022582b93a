#!/usr/bin/env python3
"""generate.py OUT.c: the messages of this folder with their reactions, as tests/torture/table.h says."""
import sys

import hostile
import messages
import rfc4475
import rfc5118

SUITES = [("RFC 4475", rfc4475), ("RFC 5118", rfc5118), ("hostile", hostile)]
CALL_CSEQ = 10  # the call's own requests come before


def literal(octets):
    """A C string; what could run into an escape or a trigraph is escaped itself."""
    lines = []
    for line in octets.split(b"\n"):
        text = "".join(chr(octet) if 32 <= octet < 127 and octet not in b'"\\?' else f"\\{octet:03o}"
                       for octet in line)
        lines.append(text + "\\n")
    lines[-1] = lines[-1].removesuffix("\\n")
    return "\n\t  ".join(f'"{line}"' for line in lines)


def expected(reaction):
    kind, status = (reaction, 0) if isinstance(reaction, str) else ("answered", reaction)
    return f"{{ TORTURE_{kind.upper()}, {status} }}"


def write(out):
    out.write('// Made by tests/torture/generate.py.\n#include "torture/table.h"\n\n'
              "const struct torture_message torture_messages[] = {\n")
    count = 0
    for suite, module in SUITES:
        for one in module.MESSAGES:
            framed = one.tcp if isinstance(one.tcp, int) else one.udp
            out.write(f'\t{{ "{suite}", "{one.name}", "{one.section}", {one.family},\n'
                      f"\t  {expected(one.udp)}, {expected(framed)},\n")
            for octets in (one.octets(), one.octets(to=None, caller=None),
                           messages.within(one.octets(), CALL_CSEQ + count)):
                out.write(f"\t  TEXT({literal(octets)}),\n")
            out.write("\t},\n")
            count += 1
    out.write(f"}};\nconst unsigned torture_count = {count};\n")


with open(sys.argv[1], "w", encoding="ascii") as file:
    write(file)
