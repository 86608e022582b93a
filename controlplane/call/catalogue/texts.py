#!/usr/bin/env python3
"""texts.py ALERTS.txt OUT.c: the texts of alerts as constant tables, sorted by code.

Says file:line of whatever does not follow the form that the file's head tells, so a text that misses a
language or a remedy stops the build.
"""

import re
import sys

SEVERITIES = ("notice", "warning", "error")
LANGUAGES = ("en", "ja")
NEEDED = ("title", "means", "cause", "fix")
LISTS = ("cause", "fix")


class Wrong(Exception):
    pass


def new_block(word, rest):
    if word == "guide":
        return {"guide": rest, "texts": {}}
    code, _, severity = rest.partition(" ")
    if not re.fullmatch(r"\d{5}", code) or severity not in SEVERITIES:
        raise Wrong(f'"code 32999 error": a number and one of {", ".join(SEVERITIES)}')
    return {"code": int(code), "severity": severity, "guides": [], "texts": {}}


def add_line(block, word, rest):
    if word == "example" and rest.count(" | ") == 2:
        block["example"] = rest.split(" | ")
    elif word == "guide":
        block["guides"].append(rest)
    elif word in LANGUAGES and "guide" in block:
        block["texts"][word] = rest
    elif word in LANGUAGES and rest.partition(" ")[0] in NEEDED:
        key, _, text = rest.partition(" ")
        texts = block["texts"].setdefault(word, {})
        if key in LISTS:
            texts.setdefault(key, []).append(text)
        elif key in texts:
            raise Wrong(f"{word} {key} stands there twice")
        else:
            texts[key] = text
    else:
        raise Wrong("is none of: code, example A | B | C, guide, en|ja title|means|cause|fix")


def check(block):
    for language in LANGUAGES:
        texts = block["texts"].get(language)
        if "guide" in block and texts:
            continue
        missing = [key for key in NEEDED if not (texts or {}).get(key)]
        if missing:
            raise Wrong(f"the block has no {language} {missing[0]}")
    if "code" in block and "example" not in block:
        raise Wrong("the block has no example HEADER | SEEN | EXPECTED")


def read(path):
    blocks, block, number = [], None, 0
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n") + [""]
        for number, line in enumerate(lines, 1):
            if line.startswith("#"):
                continue
            word, _, rest = line.partition(" ")
            if not line.strip():
                if block:
                    check(block)
                block = None
            elif block is None:
                if word not in ("code", "guide"):
                    raise Wrong("a block begins with code or guide")
                block = new_block(word, rest)
                blocks.append(block)
            else:
                add_line(block, word, rest)
        codes = [block["code"] for block in blocks if "code" in block]
        for before, after in zip(codes, codes[1:]):
            if after <= before:
                raise Wrong(f"code {after} stands after {before}: each once, in ascending order")
        guides = [block["guide"] for block in blocks if "guide" in block]
        for block in blocks:
            for guide in block.get("guides", ()):
                if guide not in guides:
                    raise Wrong(f"code {block['code']} names the guide {guide}, which is not there")
    except Wrong as wrong:
        sys.exit(f"{path}:{number}: {wrong}")
    return blocks


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?") + '"'


def rows(texts):
    return "{ " + ", ".join(quote(text) for text in texts) + ", NULL }"


def write(blocks, out):
    guides = [block["guide"] for block in blocks if "guide" in block]
    out.write('// Made by texts.py.\n#include "call/catalogue/catalogue.h"\n')
    out.write('const struct catalogue_entry catalogue_entries[] = {\n')
    for block in blocks:
        if "code" not in block:
            continue
        guide = " | ".join(f"1u << {guides.index(name)}" for name in block["guides"]) or "0"
        out.write(f'{{ {block["code"]}, HISTORY_SEVERITY_{block["severity"].upper()}, '
                  f'{", ".join(quote(text) for text in block["example"])}, {guide}, {{\n')
        for language in LANGUAGES:
            texts = block["texts"][language]
            out.write(f'{{ {quote(texts["title"])}, {quote(texts["means"])}, {rows(texts["cause"])}, '
                      f'{rows(texts["fix"])} }},\n')
        out.write("} },\n")
    out.write("};\nconst unsigned catalogue_entry_count = "
              "sizeof(catalogue_entries) / sizeof(catalogue_entries[0]);\n")
    out.write("const char *const catalogue_guides[][CATALOGUE_LANGUAGES] = {\n")
    for block in blocks:
        if "guide" in block:
            out.write("{ " + ", ".join(quote(block["texts"][language]) for language in LANGUAGES) + " },\n")
    out.write(f"}};\nconst unsigned catalogue_guide_count = {len(guides)};\n")


if __name__ == "__main__":
    found = read(sys.argv[1])
    with open(sys.argv[2], "w", encoding="utf-8") as target:
        write(found, target)
