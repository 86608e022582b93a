"""Many calls: 200 at once, and thousands one after another that leave nothing behind."""

import os
import pathlib
import time

from conftest import Site, said
from lab import script

# 10,000 of them in a full run: TRUNKD_LEAK_CALLS=10000 pytest tests/system -k leave_nothing
LEAK_CALLS = int(os.environ.get("TRUNKD_LEAK_CALLS", "1500"))
AT_ONCE = 200


def uas(file=None, pause=0.0):
    return script.scenario(
        script.wait_for("INVITE"), script.answer(180, "Ringing"),
        script.pause(pause) if pause else "", script.answer(200, "OK", script.sdp()),
        script.wait_for("ACK"), script.play(file) if file else "", script.wait_for("BYE"),
        script.answer_in_dialog())


def test_200_calls_at_once_talk_both_ways(site):
    """Every packet of 400 streams is relayed and none is lost."""
    half_a_second = site.work / "short.ulaw"
    half_a_second.write_bytes(site.speech["pbx"][:8000])
    with site.watch() as seen:
        called = site.called(uas(half_a_second), calls=AT_ONCE, timeout=60)
        caller = site.caller(script.caller_talks(half_a_second, 4), calls=AT_ONCE, rate=100,
                             limit=AT_ONCE, timeout=60)
        caller.start()
        site.trunkd.wait_calls(AT_ONCE, 20)
        streams = site.trunkd.trunkctl("show", "streams")["streams"]
        assert len({stream["local"] for stream in streams}) == 2 * AT_ONCE
        assert caller.wait(60), said(caller)
        assert called.wait(20), said(called)
        rows = seen.rows(AT_ONCE)
    assert caller.totals().failed == 0 and len(rows) == AT_ONCE
    assert {row["sip_status"] for row in rows} == {200}
    for row in rows[::10]:
        sides = site.trunkd.call(row["sid"])["media"]
        assert [side["packets"] for side in sides] == [50, 50] and \
            [side["lost"] for side in sides] == [0, 0], sides


def descriptors_of(pid):
    time.sleep(0.1)
    return len(os.listdir(f"/proc/{pid}/fd"))


def footprint(site):
    """Descriptors and kB of memory of its own of each process; the spool of records is a mapped
    file whose pages are touched one after the other, however many calls there were. Connections that
    just end, like trunkctl's, are no leak: the fewest descriptors within a second count."""
    found = {}
    for name in ("trunkd", "trunkd-dataplane"):
        pid = site.trunkd.process.pid if name == "trunkd" else site.trunkd.pid(name)
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        kilobytes = next(int(line.split()[1]) for line in status.splitlines()
                         if line.startswith("RssAnon"))
        found[name] = (min(descriptors_of(pid) for _ in range(10)), kilobytes)
    return found


def run_calls(site, count, rate=150):
    called = site.called(uas(), calls=count, timeout=count / 20 + 30, options=["-nr"])
    caller = site.caller(script.caller_talks(None, 1), calls=count, rate=rate, limit=AT_ONCE,
                         timeout=count / 20 + 30)
    assert caller.run(count / 20 + 40), said(caller)
    assert called.wait(20), said(called)
    assert caller.totals().failed == 0


def transactions_are_over(site, timeout=60):
    """They outlive their calls by 64 T1 (RFC 3261, Timers H and J): memory in use until then."""
    end = time.monotonic() + timeout
    while sum(sum(site.trunkd.metrics()[f"trunkd_sip_{side}_transactions"].values())
              for side in ("server", "client")):
        assert time.monotonic() < end
        time.sleep(0.2)


def test_thousands_of_calls_leave_nothing_behind(build, tmp_path):
    # Transactions outlive their calls by 64 T1: with 16 s the first run brings as many to life at once
    # as the second, so that what the allocator keeps has its final size before it is looked at.
    site = Site(build, tmp_path, name="leak", options={"sip.t1_ms": 250})
    try:
        site.start()
        run_calls(site, 3000)  # pools and caches grow to their size
        site.nothing_left(40)
        transactions_are_over(site)
        before = footprint(site)
        run_calls(site, LEAK_CALLS)
        site.nothing_left(40)
        transactions_are_over(site)
        after = footprint(site)
        print(f"{LEAK_CALLS} calls: {before} -> {after}")
        for name, (descriptors, kilobytes) in after.items():
            assert descriptors <= before[name][0], (name, before, after)
            # A few pages are the allocator's; 100 octets lost per call would show.
            assert kilobytes - before[name][1] <= 256 + LEAK_CALLS // 10, (name, before, after)
    finally:
        site.stop()
