#!/usr/bin/env python3
"""Prints the tables of docs/rfc-tests.md that say what each torture message gets. tools/lint/rfcs
compares."""
import hostile
import rfc4475
import rfc5118

WORDS = {"call": "a call", "wrong_via": "silence: a response to nothing of ours",
         "malformed": "silence", "withheld": "silence: every answer is too long",
         "unknown": "silence: somebody else's address", "close": "400, and the connection is closed",
         "large": "513, and the connection is closed",
         "wait": "waits for the rest"}


def told(reaction):
    return WORDS.get(reaction, reaction)


def table(module):
    print("| message | section | UDP | stream |\n| --- | --- | --- | --- |")
    for one in module.MESSAGES:
        framed = told(one.udp if one.tcp is None else one.tcp)
        if one.second:
            framed = f"{framed}, then {told(one.second)}"
        print(f"| {one.name} | {one.section} | {told(one.udp)} | "
              f"{'as UDP' if framed == told(one.udp) else framed} |")
    print()


print("### RFC 4475\n")
table(rfc4475)
print("### RFC 5118\n")
table(rfc5118)
print(f"### Others\n\n{len(hostile.MESSAGES)} messages by class:\n")
classes = {}
for message in hostile.MESSAGES:
    classes.setdefault(message.section or "sound", []).append(message.name)
for name, members in classes.items():
    print(f"- {name}: {', '.join(members)}")
