"""tools/check: lints, builds and tests of every kind, summed up in one last line.

    tools/check            everything
    tools/check PART…      some of it
    tools/check --help     this and the parts

Everything is built in a temporary directory that is removed at the end; the logs of what failed are
kept, and their place is printed. The last line is `N passed, M failed` with `, K skipped` when
something could not run here; the exit status is 1 when something failed.
"""

import collections
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUITES = ["unit", "packet", "scenario", "fuzz"]
PARTS = {
    "lint": "the lints of tools/lint",
    "build": "gcc with warnings as errors",
    "unit": "unit tests (gcc build)",
    "packet": "packets through the real worker (gcc build)",
    "scenario": "calls against a fake clock, wire and dataplane (gcc build)",
    "fuzz": "the parsers' corpora replayed (gcc build)",
    "install": "what `meson install` puts where, and that it runs there (gcc build)",
    "sanitize": "the same tests with address and undefined-behaviour sanitizers",
    "clang": "clang with warnings as errors, and the same tests but those of packets",
    "thread": "unit tests with the thread sanitizer, but the long ones of a single thread",
    "system": "the programs in network namespaces with real peers (needs root)",
}
INSTALLED = """
sbin/trunkd sbin/trunkd-dataplane bin/trunkctl share/bash-completion/completions/trunkctl
share/man/man5/trunkd.yaml.5 share/man/man8/trunkd.8 share/man/man8/trunkd-dataplane.8 share/man/man8/trunkctl.8
share/doc/trunkd/examples/trunkd.yaml share/doc/trunkd/examples/trunkd-dataplane
lib/systemd/system/trunkd.service lib/systemd/system/trunkd-dataplane.service
lib/sysusers.d/trunkd.conf lib/tmpfiles.d/trunkd.conf
""".split()
PROCESSES = str((os.cpu_count() or 1) + 1)  # some tests wait, for Redis to start or a thread to end
PATIENCE = "3"  # how much longer than alone a test may take
FOR_TESTS = ["meson-test-prereq"]  # the target of all that tests run, and no bench
BUILD_LIMIT_S, TESTS_LIMIT_S, SYSTEM_LIMIT_S = 900, 900, 1200
THREAD_PROBE = """
#include <pthread.h>
static void *run(void *argument) { return argument; }
int main(void) { pthread_t t; return pthread_create(&t, 0, run, 0) || pthread_join(t, 0); }
"""


Step = collections.namedtuple("Step", "name log child began")


class Check:
    """The run: counts, where it builds, where its logs lie."""

    def __init__(self, parts):
        self.parts = parts
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.failures, self.skips, self.repeats = [], [], []
        self.place = tempfile.mkdtemp(prefix="trunkd-check-")
        self.logs = os.path.join(self.place, "logs")
        os.mkdir(self.logs)
        self.steps = []  # that run
        self.began = time.monotonic()

    def wants(self, *parts):
        return not self.parts or any(part in self.parts for part in parts)

    def passes(self, count=1):
        self.passed += count

    def fails(self, name, log, advice):
        self.failed += 1
        self.failures.append((name, log, advice))

    def skips_it(self, name, reason):
        self.skipped += 1
        self.skips.append((name, reason))

    def run(self, name, command, limit_s, environment=None, shown=False):
        """Runs a step; its output goes to a log, and to the terminal too when shown. (status, log)"""
        return self.follow(self.start(name, command, environment), limit_s, shown)

    def start(self, name, command, environment=None):
        """Begins a step, which `follow` waits for: several may run side by side."""
        log = os.path.join(self.logs, name.replace(" ", "-").replace("/", "-") + ".log")
        print(f"-- {name} …", flush=True)
        with open(log, "w", encoding="utf-8", errors="replace") as file:
            file.write("$ " + " ".join(command) + "\n")
            file.flush()
            child = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True,
                stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})})
        self.steps.append(Step(name, log, child, time.monotonic()))
        return self.steps[-1]

    def follow(self, step, limit_s, shown=False):
        """Waits for the step, at most limit_s, and shows its log as it grows. What it has started and
        left behind goes with it."""
        end = step.began + limit_s
        with open(step.log, encoding="utf-8", errors="replace") as file:
            file.readline()
            status = None
            while status is None and time.monotonic() < end:
                try:
                    status = step.child.wait(timeout=0.3)
                except subprocess.TimeoutExpired:
                    pass
                for line in file if shown else ():
                    print("   " + line.rstrip(), flush=True)
        self.stop(step)
        if status is None:
            print(f"   stopped after {limit_s} s", flush=True)
        print(f"   {step.name}: {'ok' if status == 0 else 'failed'}, "
              f"{time.monotonic() - step.began:.0f} s", flush=True)
        return -1 if status is None else status, step.log

    def stop(self, step):
        """First kindly, so that a runner can end what it has started, then for certain."""
        for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if step.child.poll() is not None and kind != signal.SIGKILL:
                continue
            try:
                os.killpg(step.child.pid, kind)
                step.child.wait(timeout=20)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
        step.child.wait()
        self.steps.remove(step)

    def take_report(self, name, path, status, log, advice, without_failed=False, stopped=()):
        """Adds the cases of a JUnit report; a runner that failed without a failed case counts as one.
        Those that failed may be left out, for one who tries them again. `stopped`: names of cases that
        failed whatever the report says."""
        failed_before = self.failed
        try:
            cases = list(xml.etree.ElementTree.parse(path).iter("testcase"))
        except (OSError, xml.etree.ElementTree.ParseError):
            cases = []
        for case in cases:
            title = f"{name}: {case.get('classname', '')}.{case.get('name', '')}".replace(": .", ": ")
            skip = case.find("skipped")
            has_failed = case.find("failure") is not None or case.find("error") is not None
            if has_failed or case.get("name") in stopped:
                if not without_failed:
                    self.fails(title, log, advice)
            elif skip is not None:
                self.skips_it(title, skip.get("message") or "it said so")
            else:
                self.passes()
        if (status != 0 and not without_failed and self.failed == failed_before) or not cases:
            self.fails(f"{name}: the runner itself", log, "read the log's end")

    def finish(self):
        """How long it took, what failed and was skipped, the place of the logs, and the one last line."""
        print(f"-- all in {(time.monotonic() - self.began) / 60:.1f} minutes")
        for name, reason in self.skips:
            print(f"skipped: {name}: {reason}")
        kept = None
        if self.failed or self.repeats:
            kept = tempfile.mkdtemp(prefix="trunkd-check-logs-")
            shutil.copytree(self.logs, kept, dirs_exist_ok=True)
        for name, log in self.repeats:
            print(f"tried twice: {name}: the first try failed, see {os.path.join(kept, os.path.basename(log))}")
        for name, log, advice in self.failures:
            print(f"FAILED: {name}")
            print(f"   log: {os.path.join(kept, os.path.basename(log))}")
            print(f"   do:  {advice}")
        line = f"{self.passed} passed, {self.failed} failed"
        print(line + (f", {self.skipped} skipped" if self.skipped else ""))
        return 1 if self.failed else 0

    def clean(self):
        for step in list(self.steps):
            self.stop(step)
        shutil.rmtree(self.place, ignore_errors=True)


def lint(check):
    names = subprocess.run([os.path.join(ROOT, "tools/lint/run"), "--names"], capture_output=True,
                           text=True, check=True).stdout.split()
    for name in names:
        if name != "reference":  # needs the program
            run_lint(check, name, [])


def run_lint(check, name, arguments):
    status, log = check.run(f"lint {name}", [os.path.join(ROOT, "tools/lint", name), *arguments], 300,
                            shown=True)
    if status == 0:
        check.passes()
    else:
        check.fails(f"lint {name}", log, f"mend what it names, then: tools/lint/run {name}")


def build(check, name, options, environment=None, targets=()):
    """Configures and builds, all or these targets; its directory, or None. One check."""
    directory = os.path.join(check.place, name)
    status, log = check.run(f"{name} configure", ["meson", "setup", directory, ROOT, *options], 300,
                            environment)
    if status == 0:
        status, log = check.run(f"{name} build", ["ninja", "-C", directory, *targets], BUILD_LIMIT_S)
    if status == 0:
        check.passes()
        return directory
    words = " ".join([f"{key}={value}" for key, value in (environment or {}).items()] + ["meson setup build"]
                     + list(options))
    check.fails(f"{name} build", log, f"mend the first error: {words} && ninja -C build")
    return None


def has_suite(directory, suite):
    listing = subprocess.run(["meson", "test", "-C", directory, "--no-rebuild", "--list", "--suite", suite],
                             capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return any(line.strip() and not line.startswith(("ninja", "No ")) for line in listing.stdout.splitlines())


def stopped_tests(journal):
    """Those that took too long: meson's JUnit report has them as good ones."""
    try:
        with open(journal, encoding="utf-8") as rows:
            return {row["name"] for row in map(json.loads, rows) if row["result"] in ("TIMEOUT", "INTERRUPT")}
    except (OSError, ValueError):
        return set()


def test(check, name, directory, suites, environment=None, more=()):
    """Runs the suites that hold tests; `more`: further words for the runner."""
    for suite in suites:
        if not has_suite(directory, suite):
            continue
        title = f"{name} {suite}"
        report, journal = (os.path.join(directory, "meson-logs", "testlog" + end) for end in (".junit.xml", ".json"))
        for former in (report, journal):
            if os.path.exists(former):
                os.remove(former)
        status, log = check.run(
            title, ["meson", "test", "-C", directory, "--no-rebuild", "--print-errorlogs", "--num-processes", PROCESSES,
                    "--timeout-multiplier", PATIENCE, "--suite", suite, *more],
            TESTS_LIMIT_S, environment)
        check.take_report(title, report, status, log, f"read the log; the test is in tests/{suite}/",
                          stopped=stopped_tests(journal))


def install(check, directory):
    """Installs beside the logs; nothing may be missing or too much, and the example must be right."""
    place = os.path.join(check.place, "installed")
    status, log = check.run("install", ["meson", "install", "-C", directory, "--no-rebuild", "--destdir", place], 60)
    prefix = os.path.join(place, "usr/local")
    found = {os.path.relpath(os.path.join(folder, name), prefix) for folder, _, names in os.walk(place) for name in names}
    if status == 0:
        status, log = check.run("install example", [
            os.path.join(prefix, "sbin/trunkd"), "--check", os.path.join(prefix, "share/doc/trunkd/examples/trunkd.yaml")], 60)
    if status == 0 and found == set(INSTALLED):
        return check.passes()
    with open(log, "a", encoding="utf-8") as file:
        file.write(f"missing: {set(INSTALLED) - found}\ntoo much: {found - set(INSTALLED)}\n")
    check.fails("install", log, "see dist/meson.build, docs/meson.build and INSTALLED in tools/checks.py")


def plain(check):
    """The gcc build and its tests; everything that runs the programs uses it."""
    directory = build(check, "gcc", ["-Dwerror=true"], {"CC": "gcc"})
    if directory:
        if check.wants("lint"):
            run_lint(check, "reference", [directory])
        test(check, "gcc", directory, [suite for suite in SUITES if check.wants(suite)])
        if check.wants("install"):
            install(check, directory)
    return directory


def sanitize(check):
    directory = build(check, "sanitize", ["-Db_sanitize=address,undefined", "-Dwerror=true"], {"CC": "gcc"},
                      FOR_TESTS)
    if directory:
        test(check, "sanitize", directory, SUITES,
             {"ASAN_OPTIONS": "detect_stack_use_after_return=1",
              "LSAN_OPTIONS": f"print_suppressions=0:suppressions={ROOT}/tests/leaks.supp",
              "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})


def clang(check):
    directory = build(check, "clang", ["-Dwerror=true"], {"CC": "clang"})
    if directory:
        test(check, "clang", directory, [suite for suite in SUITES if suite != "packet"])


def thread(check):
    """The thread sanitizer does not run everywhere (it wants an address space of its own design)."""
    probe = os.path.join(check.place, "probe")
    with open(probe + ".c", "w", encoding="utf-8") as file:
        file.write(THREAD_PROBE)
    if subprocess.run(["clang", "-fsanitize=thread", "-o", probe, probe + ".c"], capture_output=True).returncode \
            or subprocess.run([probe], capture_output=True, timeout=60).returncode:
        check.skips_it("thread", "the thread sanitizer does not run on this machine")
        return
    directory = build(check, "thread", ["-Db_sanitize=thread", "-Db_lundef=false"], {"CC": "clang"}, FOR_TESTS)
    if directory:
        test(check, "thread", directory, ["unit"], {"TSAN_OPTIONS": "halt_on_error=1"}, ["--no-suite", "one_thread"])


# They count calls and packets, or take all that the machine has, and have it to themselves. The others mostly wait, for speech to
# be spoken or for timers: some run side by side, each with a network of its own, the longest first.
SYSTEM_ALONE = ["load_test.py", "limits_test.py", "overload_test.py"]
SYSTEM_LONGEST = ["tls_test.py", "verdict_test.py", "transfer_test.py", "loss_test.py", "notify_test.py", "srtp_test.py",
                  "origination_test.py", "torture_test.py", "drivers_test.py"]
SYSTEM_LANES = 6
AGAIN_AT_MOST = 5


def system(check, directory):
    folder = os.path.join("tests", "system")
    names = sorted(name for name in os.listdir(os.path.join(ROOT, folder)) if name.endswith("_test.py"))
    if os.geteuid() != 0:
        check.skips_it("system", "needs root: sudo tools/check system")
        return
    if directory is None:
        check.skips_it("system", "there is no gcc build to test")
        return
    lanes = SYSTEM_LONGEST + [name for name in names if name not in SYSTEM_ALONE + SYSTEM_LONGEST]
    runs = []
    for files, count in ((SYSTEM_ALONE, 1), (lanes, SYSTEM_LANES)):
        runs += side_by_side(check, [SystemRun(os.path.join(folder, file), directory) for file in files], count)
    has_few = sum(len(run.failed()) for run in runs) <= AGAIN_AT_MOST
    for run in runs:
        run.end(check, has_few)


def side_by_side(check, runs, count):
    """Runs them all, so many at a time; each tells what it did when it has ended."""
    waiting, running = list(runs), []
    while waiting or running:
        while waiting and len(running) < count:
            running.append(waiting.pop(0))
            running[-1].start(check)
        over = [run for run in running if run.is_over()]
        for run in over:
            running.remove(run)
            run.follow(check)
        if not over:
            time.sleep(0.3)
    return runs


class SystemRun:
    """A run of system tests, a file of them or some that are tried again, and its report."""

    def __init__(self, file, directory, tests=None):
        self.name = "system " + os.path.basename(file).removesuffix("_test.py") + (" again" if tests else "")
        self.file, self.directory = file, directory
        self.tests = tests or [file]

    def start(self, check):
        self.report = os.path.join(check.place, self.name.replace(" ", "-") + ".xml")
        self.step = check.start(self.name, [
            "/usr/bin/python3", "-m", "pytest", "-v", "-p", "no:cacheprovider", "--junitxml", self.report, *self.tests],
            {"TRUNKD_BUILD": self.directory})

    def is_over(self):
        return self.step.child.poll() is not None or time.monotonic() >= self.step.began + SYSTEM_LIMIT_S

    def follow(self, check):
        self.status, self.log = check.follow(self.step, SYSTEM_LIMIT_S, shown=True)

    def end(self, check, may_try_again):
        """Takes the report. Real peers on a crowded machine miss a moment now and then: a few tests that
        failed have one more try, alone, and are named whatever comes of it."""
        failed = self.failed()
        if self.status == 1 and failed and may_try_again:
            self.take(check, without_failed=True)
            for test in failed:
                check.repeats.append((test, self.log))
            again = SystemRun(self.file, self.directory, failed)
            side_by_side(check, [again], 1)
            again.take(check)
        else:
            self.take(check)

    def take(self, check, without_failed=False):
        check.take_report(self.name, self.report, self.status, self.log,
                          "read the log; one test: python3 -m pytest tests/system -k NAME", without_failed)

    def failed(self):
        """As pytest wants to be told of them: tests/system/calls_test.py::test_name[parameters]"""
        try:
            cases = xml.etree.ElementTree.parse(self.report).iter("testcase")
        except (OSError, xml.etree.ElementTree.ParseError):
            return []
        return [f"{case.get('classname').replace('.', '/')}.py::{case.get('name')}" for case in cases
                if case.find("failure") is not None or case.find("error") is not None]


def run_all(check):
    if check.wants("lint"):
        lint(check)
    directory = None
    if check.wants("build", "system", "lint", "install", *SUITES):
        directory = plain(check)
    if check.wants("sanitize"):
        sanitize(check)
    if check.wants("clang"):
        clang(check)
    if check.wants("thread"):
        thread(check)
    if check.wants("system"):
        system(check, directory)


def main(arguments):
    if "--help" in arguments or "-h" in arguments:
        print(__doc__)
        for part, sentence in PARTS.items():
            print(f"    {part:<10} {sentence}")
        return 0
    unknown = [part for part in arguments if part not in PARTS]
    if unknown:
        print(f"tools/check: no part {unknown[0]}; there are: {' '.join(PARTS)}", file=sys.stderr)
        return 2
    check = Check(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        run_all(check)
        return check.finish()
    except KeyboardInterrupt:
        print("interrupted")
        return 130
    finally:
        check.clean()


sys.exit(main(sys.argv[1:]))
