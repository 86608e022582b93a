"""Calls over a network that loses packets, 5 and 20 in a hundred each way: each is answered and hung up or
fails as it should, once, and nothing is left over."""

import contextlib
import time

import pytest
from conftest import PASSWORD, Site, said
from lab import script
from lab.appliance import TRUNK

CALLS, RATE, TALK_S, T1_MS = 60, 20, 0.3, 200
ANSWERED = {5: 0.97, 20: 0.85}  # at least; 4 s without a word from a carrier are the end (TERM-032)
FAILURES = (403, 408, 480, 481, 486, 487, 488, 500, 503, 504)
OPTIONS = {"sip.t1_ms": T1_MS, "sip.ack_timeout_s": 16, "guard.enabled": False, "log.level": "info"}
# sipp counts a message it did not expect as a failed call: a second 407 to a repeated INVITE, say.
# It gives up at the least of three limits; six INVITEs in a row are lost in one call of 500.
PATIENT = [word for kind in ("", "invite_", "non_invite_") for word in (f"-max_{kind}retrans", "12")]
LENIENT = ("-default_behaviors", "all,-bye,-abortunexp", *PATIENT, "-trace_logs")


@contextlib.contextmanager
def loss(site, percent):
    """Of SIP alone, to and from both parties: where it arrives, since a socket is told of what its own
    host drops. Gives what counts the lost packets."""
    hosts = [site.net["pbx"], site.net["carrier"], site.net["appliance"]]
    rules = (f"chain arrives {{ type filter hook input priority 0; "
             f"udp dport 5060 numgen random mod 100 < {percent} counter drop; }}\n")
    for host in hosts:
        host.run("nft", "-f", "-", input=f"table inet loss {{\n{rules}}}\n")
    try:
        yield lambda: sum(
            int(line.split("packets ")[1].split()[0]) for host in hosts
            for line in host.run("nft", "list", "table", "inet", "loss").splitlines()
            if "packets " in line)
    finally:
        for host in hosts:
            host.run("nft", "delete", "table", "inet", "loss")


def caller():
    """With digest. A call that fails is acknowledged and noted, and is no failure of the scenario."""
    failures = [f'<recv response="{status}" optional="true" next="1"/>' for status in FAILURES]
    return script.scenario(
        script.invite(retrans=T1_MS), script.expect(100, optional=True), *failures, script.expect(407, auth=True),
        script.ack_failure(), script.invite(cseq=2, credentials=True, retrans=T1_MS),
        script.expect(100, optional=True), script.expect(180, optional=True), *failures,
        script.expect(200, dialog=True), script.ack(2), script.pause(TALK_S),
        # By transaction: a repeated 200 of the INVITE is no answer to the BYE.
        script.request("BYE", "[next_url]", 3, start_txn="bye", retrans=T1_MS),
        '<recv response="481" response_txn="bye" optional="true" next="2"/>',  # its 200 was lost for good
        '<recv response="200" response_txn="bye" next="2"/>', '<label id="1"/>', script.ack_failure(2),
        '<nop><action><log message="failed"/></action></nop>', '<label id="2"/>')


def counted(site, name):
    return sum(site.trunkd.metrics()[name].values())


@pytest.fixture
def lossy(build, tmp_path):
    made = Site(build, tmp_path, name="loss", options=OPTIONS)
    try:
        made.start()
        made.trunkd.change("trunk", made.sids["trunk"], cps="1000")
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("percent", ANSWERED)
def test_every_call_ends_as_it_should(lossy, percent):
    """SIP-008, RFC 3261 17: timers A to K against a real network."""
    called = lossy.called(script.called_talks(None, ring=0), calls=CALLS * 2, options=LENIENT)
    with lossy.watch() as seen:
        with loss(lossy, percent) as lost:
            phones = lossy.caller(caller(), trunk="office", calls=CALLS, rate=RATE,
                                  options=(*LENIENT, "-log_file", lossy.work / "caller.log"),
                                  credentials=(TRUNK, PASSWORD))
            assert phones.run(90), said(phones)
            rows = seen.rows(CALLS)
            lossy.nothing_left(30)
            assert lost() > CALLS * percent / 100
        called.stop()
    totals = phones.totals()
    assert (totals.created, totals.successful, totals.failed) == (CALLS, CALLS, 0)
    log = lossy.work / "caller.log"
    failed = log.read_text().count("failed") if log.exists() else 0
    answered = [row for row in rows if row["sip_status"] == 200]
    assert len(rows) == CALLS, len(rows)  # one record each, whatever was repeated
    assert len(answered) == CALLS - failed, (len(answered), failed)
    assert {row["sip_status"] for row in rows} <= {200, *FAILURES}
    assert len(answered) >= CALLS * ANSWERED[percent]
    wait_over(lossy)


def wait_over(site, timeout=40):
    """No transaction, once 64 T1 are over."""
    end = time.monotonic() + timeout
    names = ("trunkd_sip_server_transactions", "trunkd_sip_client_transactions")
    while any(left := [counted(site, name) for name in names]):
        assert time.monotonic() < end, left
        time.sleep(0.2)
