"""core.py DATAPLANE: the real program dies of a signal that makes a core file, and leaves none.

Keys of calls lie in its memory. Exits 77 (skipped) where another program leaves no core file either.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time

WAIT_S = 20


def allow_core():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def leaves_core(folder, command, is_ready):
    """Whether a core file was made of the command, killed once it is ready."""
    with open(os.path.join(folder, "log"), "w+", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=folder, preexec_fn=allow_core, stderr=log)
        deadline = time.monotonic() + WAIT_S
        while not is_ready(log.name):
            if time.monotonic() > deadline or process.poll() is not None:
                process.kill()
                raise AssertionError(f"{command[0]} is not ready: {open(log.name, encoding='utf-8').read()}")
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGABRT)
        status = os.waitpid(process.pid, 0)[1]
    assert os.WTERMSIG(status) == signal.SIGABRT, status
    return os.WCOREDUMP(status)


def is_serving(path):
    with open(path, encoding="utf-8") as log:
        return "dataplane_ready" in log.read()


def main():
    with tempfile.TemporaryDirectory() as folder:
        if not leaves_core(folder, ["sleep", "60"], lambda path: True):
            print("no program leaves a core file here")
            return 77
        command = [os.path.abspath(sys.argv[1]), "--port", "null:", "--media", "192.0.2.1", "--huge-pages", "off",
                   "--memory-mb", "128", "--socket", os.path.join(folder, "socket")]
        is_left = leaves_core(folder, command, is_serving)
        print("FAIL: a core file was made" if is_left else "ok")
        return is_left


if __name__ == "__main__":
    sys.exit(main())
