"""What the lints share: the files of the tree, C without comments and strings, and findings."""

import os
import re
import subprocess
import sys

# LINT_ROOT: another tree, for the proof that each lint finds what it is for.
ROOT = os.environ.get("LINT_ROOT") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRODUCT = ("base/", "config/", "dataplane/", "controlplane/")


def files(*suffixes):
    """Paths from the root of what git holds or would hold, so that build directories stay out."""
    try:
        listing = subprocess.run(
            ["git", "-C", ROOT, "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"],
            check=True, capture_output=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        listing = []
        for folder, folders, names in os.walk(ROOT):
            folders[:] = [name for name in folders if not name.startswith((".", "build"))]
            listing += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    paths = sorted(set(path for path in listing if path.endswith(suffixes)))
    return [path for path in paths if os.path.isfile(os.path.join(ROOT, path))]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def bare(code):
    """The code with comments, strings and characters blanked; every line stays where it is."""
    def blank(match):
        text = match.group(0)
        kept = '""' if text.startswith('"') else "' '" if text.startswith("'") else ""
        return kept + "\n" * text.count("\n")
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, code,
                  flags=re.DOTALL)


class Findings:
    """Prints each finding as file:line: message; the exit status says whether there was one."""

    def __init__(self):
        self.count = 0

    def add(self, path, line, message):
        self.count += 1
        print(f"{path}:{line}: {message}")

    def finish(self):
        sys.exit(1 if self.count else 0)


class Function:
    """A function with a body: its name, whether it is static, and where its lines are (from 1)."""

    def __init__(self, name, head, head_line, first, last):
        self.name, self.head, self.head_line, self.first, self.last = name, head, head_line, first, last
        self.is_static = bool(re.search(r"\bstatic\b", head))

    def parameters(self):
        depth, count, inside = 0, 0, ""
        start = re.search(r"\b" + re.escape(self.name) + r"\s*\(", self.head).end()
        for character in self.head[start:]:
            if character in "([{":
                depth += 1
            elif character in ")]}":
                if depth == 0:
                    break
                depth -= 1
            elif character == "," and depth == 0:
                count += 1
            inside += character
        return 0 if inside.strip() in ("", "void") else count + 1


def functions(code):
    """House style puts the braces of a body in column 0, which makes functions easy to find."""
    lines = bare(code).split("\n")
    found, index = [], 0
    while index < len(lines):
        if lines[index].rstrip() != "{":
            index += 1
            continue
        start = index - 1
        while start >= 0 and lines[start].strip() and not lines[start].startswith(("}", "#")) \
                and not lines[start].rstrip().endswith((";", "\\")):
            start -= 1
        head = " ".join(line.strip() for line in lines[start + 1:index])
        last = index
        while last < len(lines) and not lines[last].startswith("}"):
            last += 1
        name = re.search(r"(\w+)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)|SEC\(.*?\)", "", head))
        if name:
            found.append(Function(name.group(1), head, start + 2, index + 1, last + 1))
        index = last + 1
    return found


def table_lines(code):
    """Numbers of the lines inside constant tables, and inside lists of rows (`#define X_LIST(ROW)`): a
    table is one idea however long."""
    inside, result = False, set()
    is_list = False
    for number, line in enumerate(code.split("\n"), 1):
        is_list = (is_list or bool(re.match(r"#define \w+_LIST\(ROW\)", line))) and line.endswith("\\")
        if is_list:
            result.add(number)
    for number, line in enumerate(bare(code).split("\n"), 1):
        if not inside and "const" in line and re.search(r"=\s*\{\s*$", line):
            inside, indent = True, re.match(r"\s*", line).group(0)
        elif not inside and re.match(r"(?:\}|.*\[.*\])\s*[\w\[\]]*\s*=\s*\{\s*$", line) and "const" in code:
            inside, indent = True, re.match(r"\s*", line).group(0)
        elif inside and re.match(indent + r"\}", line) and line.rstrip().endswith(";"):
            inside = False
            result.add(number)
        if inside:
            result.add(number)
    return result
