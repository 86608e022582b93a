"""run.py RUNNER VERDICT_H [--engine ENGINE...] [NAME...]: every packet case through the real worker, over
capture files; those of SRTP again with each engine named.

Needs neither root nor huge pages. Fails when a frame, a counter, a figure or an event differs from
what the case says, and when a verdict has no case at all.
"""

import collections
import concurrent.futures
import dataclasses
import itertools
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import frames
from cases import CASES as PLAIN_CASES
from cases_secure import SECURE_CASES

CASES = PLAIN_CASES + SECURE_CASES
# Verdicts that packets through files cannot bring about, and the test that does.
ELSEWHERE = {"drop_crypto_full": "tests/unit/dataplane/relay_test.c"}


def fields_of(line):
    return dict(word.split("=", 1) for word in line.split() if "=" in word)


def run(runner, case, folder):
    """What came of a case: wire, kernel, and the runner's lines."""
    names = [str(folder / name) for name in ("wire_rx", "wire_tx", "kernel_rx", "kernel_tx")]
    for i in range(case.workers):
        frames.write_capture(names[0] + (f".{i}" if i else ""), [] if i else case.wire)
        frames.write_capture(names[2] + (f".{i}" if i else ""), [] if i else case.kernel)
    script = folder / "script"
    script.write_text("\n".join(case.script + ["show 0", f"show {frames.PORT_COUNT}"][:1 + ("--media" in case.options)]))
    port = "pcap:" + ",".join(names if case.has_kernel else names[:2])
    done = subprocess.run(
        [runner, script, "--port", port, "--media", frames.MEDIA, "--workers", str(case.workers), "--huge-pages", "off",
         "--memory-mb", "256" if "--crypto" in case.options else "128", "--polling", "adaptive"] + case.options,
        capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"the runner ended with {done.returncode}:\n{done.stderr}")
    sent = [frame for i in range(case.workers) for frame in frames.read_capture(names[1] + (f".{i}" if i else ""))]
    punted = frames.read_capture(names[3]) if case.has_kernel else []
    return sent, punted, done.stdout.splitlines()


def differences_of_frames(what, got, wanted):
    if got == wanted:
        return []
    lines = [f"{what}: {len(got)} frames, {len(wanted)} wanted"]
    for i in range(max(len(got), len(wanted))):
        pair = [frame[i].hex() if i < len(frame) else "nothing" for frame in (got, wanted)]
        if pair[0] != pair[1]:
            return lines + [f"  frame {i} is     {pair[0]}", f"  it ought to be {pair[1]}"]
    return lines


def differences(case, sent, punted, lines):
    found = differences_of_frames("wire", sent, case.out) + differences_of_frames("kernel", punted, case.punted)
    verdicts = collections.Counter()
    for line in lines:
        if line.startswith("verdict "):
            verdicts[line.split()[1]] += int(line.split()[2])
    if verdicts != case.verdicts:
        found.append(f"verdicts: {dict(verdicts)}, wanted {case.verdicts}")
    stream = fields_of(next(line for line in lines if line.startswith("stream index=0 ")))
    for name, value in case.figures.items():
        if stream.get(name) != str(value):
            found.append(f"stream's {name}: {stream.get(name)}, wanted {value}")
    events = sorted(line[len("event "):] for line in lines if line.startswith("event "))
    if case.events is not None and events != sorted(case.events):
        found.append(f"events: {events}, wanted {sorted(case.events)}")
    return found


def can_run(runner, engine):
    """Whether this machine has what the engine needs; any other trouble is a failure of its cases."""
    done = subprocess.run([runner, "/dev/null", "--port", "ring:", "--media", frames.MEDIA, "--huge-pages", "off",
                           "--memory-mb", "256", "--crypto", engine], capture_output=True, text=True, timeout=60)
    return "cannot start here: not supported" not in done.stderr


def uncovered(header):
    """Verdicts no case ends in."""
    labels = re.findall(r'^\s*ROW\(\w+, "(\w+)"', pathlib.Path(header).read_text(), re.M)
    seen = {label for case in CASES for label in case.verdicts}
    root = pathlib.Path(header).parents[1]
    return [label for label in labels if label not in seen and not (
        label in ELSEWHERE and "VERDICT_" + label.upper() in (root / ELSEWHERE[label]).read_text())]


def check(runner, case):
    with tempfile.TemporaryDirectory() as folder:
        try:
            return differences(case, *run(runner, case, pathlib.Path(folder)))
        except (AssertionError, subprocess.TimeoutExpired) as error:
            return [str(error)]


def settle(cpus):
    """This thread and the runners it starts keep to one CPU: each runner would take the same one for its main
    thread, and all would wait for it."""
    os.sched_setaffinity(0, {next(cpus)})


def main():
    runner, header, *wanted = sys.argv[1:]
    cases, engines = [*CASES], []
    while wanted[:1] == ["--engine"]:
        engines.append(wanted[1])
        wanted = wanted[2:]
    for engine in engines:
        if not can_run(runner, engine):
            print("skip", engine)
            continue
        cases += [dataclasses.replace(case, name=f"{engine}: {case.name}", options=["--crypto", engine, *case.options])
                  for case in SECURE_CASES if "--crypto" not in case.options]
    cases = [case for case in cases if not wanted or any(word in case.name for word in wanted)]
    failed, cpus = 0, sorted(os.sched_getaffinity(0))
    with concurrent.futures.ThreadPoolExecutor(min(4 * len(cpus), 16), initializer=settle,
                                               initargs=[itertools.cycle(cpus)]) as pool:
        for case, found in zip(cases, pool.map(lambda case: check(runner, case), cases)):
            failed += bool(found)
            print("FAIL" if found else "ok  ", case.name)
            for line in found:
                print("    ", line)
    for label in uncovered(header):
        failed += 1
        print(f"FAIL verdict {label} has no case")
    print(f"{len(cases)} cases, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
