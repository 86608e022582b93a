"""More calls than the control thread has time for, by UDP, from callers that repeat and give up after 4 s: the
door answers who does not come in, and who comes in is a call. How many do is the machine's business, and how
many of the peers' calls give up, who may be as busy: the thread shares its CPU with programs that never rest, so that any
is slow enough."""

import contextlib
import json
import os
import subprocess
import time

import pytest
from conftest import PASSWORD
from lab import appliance, network

CALLER, CALLED = "198.18.1.10", "198.18.1.20"
TOO_MANY, SECONDS = 6000, 3
HOGS = 6


class Place:
    def __init__(self, address):
        self.address = address


@pytest.fixture(scope="module")
def busy(build, work):
    """A trunkd whose control thread has a seventh of a CPU, and both peers on its own host."""
    program = build / "tools/bench/sipload"
    if not program.exists():
        pytest.skip("sipload is not built")
    cpu = str(min(os.sched_getaffinity(0)))
    with network.Network(f"overload-{os.getpid()}", ("pbx",)) as net:
        host = net["appliance"]
        for address in (CALLER, CALLED):
            host.run("ip", "address", "replace", f"{address}/32", "dev", "lo")
        trunkd = appliance.Appliance(host, build, work / "overload", "af_packet", {
            "limits.max_cps": 10000, "guard.peer_rate": 1000000, "log.level": "warning",
            "media.port_quarantine_ms": 100})
        trunkd.start()
        try:
            trunkd.provision(Place(CALLER), [("gateway-1", Place(CALLED), 10)], password=PASSWORD, cps=10000)
            subprocess.run(["taskset", "-p", "-c", cpu, str(trunkd.process.pid)], check=True, capture_output=True)
            yield program, trunkd, cpu
        finally:
            trunkd.stop()


@contextlib.contextmanager
def hogs(cpu):
    # Each in a session of its own: the kernel may share a CPU between sessions.
    processes = [subprocess.Popen(["taskset", "-c", cpu, "sh", "-c", "while :; do :; done"], start_new_session=True,
                                  preexec_fn=network.die_with_parent) for _ in range(HOGS)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def call(program, trunkd, rate, seconds):
    words = [program, "--target", f"{trunkd.host.address}:5060", "--caller", f"{CALLER}:5060",
             "--called", f"{CALLED}:5060", "--domain", appliance.DOMAIN, "--from", appliance.NUMBER,
             "--media", trunkd.host.address, "--rate", rate, "--seconds", seconds, "--user", appliance.TRUNK,
             "--patience", 4, "--cpu", max(os.sched_getaffinity(0))]
    done = subprocess.run(trunkd.host.words(*map(str, words)), capture_output=True, text=True, timeout=120,
                          env={**os.environ, "SIPLOAD_PASSWORD": PASSWORD}, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def counted(trunkd, name):
    return sum(trunkd.metrics().get(name, {}).values())


def wait_until_over(trunkd):
    end = time.monotonic() + 60
    while counted(trunkd, "trunkd_sip_guard_overloaded") and time.monotonic() < end:
        time.sleep(0.5)
    assert counted(trunkd, "trunkd_sip_guard_overloaded") == 0


def test_who_does_not_come_in_hears_it_and_who_does_is_a_call(busy):
    program, trunkd, cpu = busy
    before = counted(trunkd, "trunkd_calls_answered_total")
    with hogs(cpu):
        result = call(program, trunkd, TOO_MANY, SECONDS)
    let_in, refused = (counted(trunkd, f"trunkd_sip_door_{fate}_total") for fate in ("let_in", "refused"))
    assert result["ok"] > 0 and result["refused_5xx"] > 0, result
    assert let_in >= 2 * result["ok"] and refused > 0, (let_in, refused, result)
    assert result["ok"] + result["refused"] + result["timeouts"] + result["broken"] == result["calls"], result
    # Nobody heard 503 whose call went on.
    assert counted(trunkd, "trunkd_calls_answered_total") - before <= result["ok"] + result["timeouts"], result


def test_all_come_in_when_it_is_over(busy):
    program, trunkd, _ = busy
    wait_until_over(trunkd)
    refused = counted(trunkd, "trunkd_sip_door_refused_total")
    result = call(program, trunkd, 50, 3)
    assert result["ok"] == result["calls"] > 100, result
    assert counted(trunkd, "trunkd_sip_door_refused_total") == refused
