#!/usr/bin/env python3
"""embed.py OBJECT OUT.c: the XDP program's object file as an array, so that trunkd-dataplane is one file."""
import sys

data = open(sys.argv[1], 'rb').read()
with open(sys.argv[2], 'w') as out:
    out.write('// Made by embed.py.\n#include "dataplane/nic/xdp_object.h"\n')
    out.write('_Alignas(8) const unsigned char xdp_object[] = {\n')
    for at in range(0, len(data), 16):
        out.write(''.join(f'{octet},' for octet in data[at:at + 16]) + '\n')
    out.write('};\nconst unsigned long xdp_object_size = sizeof(xdp_object);\n')
