"""What dies and what goes on: Redis, the control process, the dataplane."""

import time

import pytest
from conftest import said, used_ports
from lab import script
from lab.appliance import Refused

SECONDS = 8


class Talk:
    """A call of some seconds with speech both ways, watched on both cables."""

    def __init__(self, site, seconds=SECONDS, hangs_up=True):
        self.called = site.called(script.called_talks(site.work / "carrier.ulaw", ring=0))
        end = [script.bye(2), script.expect(200)] if hangs_up else []
        self.caller = site.caller(
            script.invite(), script.expect(100, optional=True), script.expect(180, optional=True),
            script.expect(200, dialog=True), script.ack(), script.play(site.work / "pbx.ulaw"),
            script.pause(seconds), *end).start()
        wait_for(lambda: any(call["state"] == "up" for call in site.trunkd.calls()))
        time.sleep(0.7)

    def end(self):
        assert self.caller.wait(SECONDS + 12), said(self.caller)
        assert self.called.wait(10), said(self.called)


def wait_for(condition, timeout=15):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_redis_is_killed_and_comes_back(site):
    """Calls go on, new ones too; changes are refused in clear words, then taken again."""
    account = site.sids["account"]
    with site.watch("pbx", "carrier") as seen:
        talk = Talk(site)
        redis = site.trunkd.pid("redis-server")
        site.trunkd.kill_other("redis-server")
        with pytest.raises(Refused) as refusal:
            for index in range(200):  # until it has noticed, or come back so fast that it never does
                site.trunkd.add("number", account=account, e164=f"+1415555{index + 3000}")
                assert site.trunkd.pids("redis-server") != [redis]
        assert "Redis" in str(refusal.value.answer)
        second = site.caller(script.invite(), script.expect(100, optional=True),
                             script.expect(180, optional=True), script.expect(200, dialog=True),
                             script.ack(), script.bye(2), script.expect(200), port=5062,
                             name="second", media_port=21000)
        third = site.called(script.called_talks(None, ring=0), port=5060, name="again") \
            if talk.called.process.poll() is not None else None
        if third:
            assert second.run(10), said(second)
            assert third.wait(5), said(third)
        wait_for(lambda: site.trunkd.trunkctl("status")["redis"]["state"] == "ready")
        sid = site.trunkd.add("number", account=account, e164="+14155552999")
        numbers = [row["e164"] for row in site.trunkd.trunkctl("show", "numbers")["numbers"]]
        assert "+14155552999" in numbers and "+14155550199" in numbers
        site.trunkd.trunkctl("remove", "number", sid)
        talk.end()
    assert seen.compare("pbx", "carrier").is_identical
    assert seen.compare("carrier", "pbx").is_identical
    for row in site.trunkd.trunkctl("show", "numbers")["numbers"]:
        if row["e164"].startswith("+14155553"):
            site.trunkd.trunkctl("remove", "number", row["sid"])


def calls_go_on(site):
    """As before: a call from end to end, and its row."""
    with site.watch() as seen:
        called = site.called(script.called_talks(None, ring=0))
        caller = site.caller(script.caller_talks(None, 0.2))
        assert caller.run(10), said(caller)
        assert called.wait(5), said(called)
    assert seen.row()["sip_status"] == 200


def test_trunkd_is_killed_and_media_flows_on(site):
    """kill -9: nothing lost, one record, orphans closed after their grace, then calls as before."""
    with site.watch("pbx", "carrier") as seen:
        talk = Talk(site, seconds=4, hangs_up=False)
        dataplane = site.trunkd.pid("trunkd-dataplane")
        site.trunkd.kill()
        time.sleep(0.5)
        site.trunkd.start()
        assert site.trunkd.pid("trunkd-dataplane") == dataplane
        talk.caller.wait(10)
        talk.called.stop()
    # Every packet said while nobody was there to control was heard: no gap but the speaker's own.
    assert seen.compare("pbx", "carrier").is_identical
    assert seen.compare("carrier", "pbx").is_identical
    rows = seen.rows()
    assert len(rows) == 1 and rows[0]["ended_by"] == "lost", rows
    wait_for(lambda: sum(worker["streams"] for worker in
                         site.trunkd.trunkctl("show", "workers")["workers"]) == 0)
    calls_go_on(site)


def test_the_dataplane_is_killed_and_calls_come_back(site):
    """Its process is started again, the streams of live calls are opened again in it."""
    with site.watch("pbx", "carrier") as seen:
        talk = Talk(site)
        before = site.trunkd.pid("trunkd-dataplane")
        site.trunkd.kill_other("trunkd-dataplane")
        killed = time.time()
        wait_for(lambda: site.trunkd.pids("trunkd-dataplane") not in ([], [before]))
        talk.end()
    late = [packet for packet in seen.at["carrier"].rtp(False) if packet.packet.time > killed + 5]
    assert len(late) > 50, "media did not come back within 5 s"
    assert seen.row()["sip_status"] == 200
    calls_go_on(site)
    assert used_ports(site.trunkd.trunkctl("show", "ports")) == 0
