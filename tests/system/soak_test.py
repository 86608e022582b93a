"""Calls of every kind one after another for as long as one likes, then a stop: nothing left in the tables,
nothing leaked. With a build under AddressSanitizer its leak check has the last word:

    meson setup asan -Db_sanitize=address,undefined -Db_lundef=false && ninja -C asan
    TRUNKD_BUILD=asan TRUNKD_SOAK_S=3600 python3 -m pytest tests/system/soak_test.py"""

import os
import random
import time

from conftest import PASSWORD, Site, said
from lab import script
from lab.appliance import TRUNK
from lab.certificates import contexts
from pair import Pair
from stream_test import make_certificate

SOAK_S = float(os.environ.get("TRUNKD_SOAK_S", "25"))
CALLS, RATE = 20, 40  # of a round
ENDLESS = 1_000_000
GARBAGE = (b"\r\n\r\n", b"INVITE", b"\x00\x01\x02" * 40, b"OPTIONS sip:x SIP/2.0\r\n\r\n",
           b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bKx\r\n\r\n",
           b"INVITE sip:+1@fast.pstn.trunkd.example SIP/2.0\r\nVia: x\r\nCSeq: 1 INVITE\r\n" + b"a: b\r\n" * 400)


def answering(*steps):
    return (script.wait_for("INVITE"), script.answer(180, "Ringing"), script.pause(0.1),
            script.answer(200, "OK", script.sdp()), script.wait_for("ACK"), *steps)


BYE = (script.wait_for("BYE"), script.answer_in_dialog())
TALK = (script.invite(), script.expect(100, optional=True), script.expect(180, optional=True),
        script.expect(200, dialog=True), script.ack(), script.pause(0.3))
END = (script.bye(), script.expect(200))


def digest(trunk=TRUNK, last=200):
    steps = [script.invite(), script.expect(100, optional=True), script.expect(407, auth=True),
             script.ack_failure(), script.invite(cseq=2, credentials=True),
             script.expect(100, optional=True)]
    if last == 200:
        return (*steps, script.expect(180, optional=True), script.expect(200, dialog=True),
                script.ack(2), script.pause(0.2), script.bye(3), script.expect(200))
    return (*steps, script.expect(last), script.ack_failure(2))


HOLD = (script.reinvite(script.sdp(direction="sendonly", version=2)), script.expect(100, optional=True),
        script.expect(200, dialog=True), script.ack(2), script.pause(0.1),
        script.reinvite(script.sdp(version=3), 3), script.expect(100, optional=True),
        script.expect(200, dialog=True), script.ack(3), script.bye(4), script.expect(200))
CHANGES = (script.wait_for("INVITE"), script.answer_in_dialog(body=script.sdp(direction="recvonly", version=2)),
           script.wait_for("ACK"), script.wait_for("INVITE"),
           script.answer_in_dialog(body=script.sdp(version=3)), script.wait_for("ACK"))

# What the caller does, what the called party does (None: it is not asked), and options of the caller.
KINDS = {
    "plain": ((*TALK, *END), answering(*BYE), {}),
    "by tcp": ((*TALK, *END), answering(*BYE), {"options": ["-t", "t1"]}),
    "hold": ((*TALK, *HOLD), answering(*CHANGES, *BYE), {}),
    "busy": ((script.invite(), script.expect(100, optional=True), script.expect(486), script.ack_failure()),
             (script.wait_for("INVITE"), script.answer(486, "Busy Here"), script.wait_for("ACK", dialog=False)), {}),
    "cancel": ((script.invite(), script.expect(100, optional=True), script.expect(180), script.cancel(),
                script.expect(200), script.expect(487), script.ack_failure()),
               (script.wait_for("INVITE"), script.answer(180, "Ringing"), script.wait_for("CANCEL"),
                script.answer_in_dialog(), script.send("""SIP/2.0 487 Request Terminated
        [last_Via:]
        [last_From:]
        [last_To:];tag=[pid]U[call_number]
        [last_Call-ID:]
        CSeq: 1 INVITE""")), {"calls": 5}),
    "password": (digest(), answering(*BYE), {"credentials": (TRUNK, PASSWORD)}),
    "wrong password": (digest(last=403), None, {"credentials": (TRUNK, "wrong")}),
    "bad number": ((script.invite(), script.expect(100, optional=True), script.expect(400), script.ack_failure()),
                   None, {"keys": {"number": "0312345678"}}),
    "by tls": None,
}


def by_tls(site):
    """No sipp: Debian's speaks no TLS."""
    for _ in range(3):
        with Pair(site, transports=("tls", "udp"), tls=site.tls) as pair:
            pair.talk(0.2)
    return 3


def wait_served(called, calls, timeout=30):
    """Late repeats of an earlier round's ACK are calls to sipp too, which fail: those that succeeded count."""
    end = time.monotonic() + timeout
    while called.totals().successful < calls:
        if time.monotonic() > end or called.process.poll() is not None:
            return False
        time.sleep(0.2)
    return True


def run_round(site, kind):
    if kind == "by tls":
        return by_tls(site)
    caller_steps, called_steps, options = KINDS[kind]
    options = dict(options)
    trunk = "wide" if "credentials" in options else "fast"
    calls = options.pop("calls", CALLS)
    called = site.called(script.scenario(*called_steps), calls=ENDLESS, timeout=60) if called_steps else None
    caller = site.caller(script.scenario(*caller_steps), trunk=trunk, calls=calls, rate=RATE, limit=calls,
                         timeout=60, **options)
    is_well = caller.run(30)
    site.trunkd.wait_calls(0, 30)
    if kind == "cancel":  # sipp's called side cannot tell the two transactions apart: its word does not count
        calls = caller.totals().successful
    else:
        assert is_well, (kind, said(caller))
        assert called is None or wait_served(called, calls), (kind, said(called))
    if called:
        called.stop()
    return calls


def pester(site, chance):
    with site.net["stranger"].socket(5999) as socket:
        for _ in range(50):
            socket.sendto(chance.choice(GARBAGE), (site.net["appliance"].address, 5060))


def test_calls_of_every_kind_leave_nothing(build, tmp_path):
    chance = random.Random(7)
    certificate, key = make_certificate(tmp_path)
    site = Site(build, tmp_path, name="soak",
                options={"tls.ecdsa_certificate": certificate, "tls.ecdsa_key": key,
                         "guard.queue_ms": 1000})  # overload is others' business: this machine may be busy
    site.tls = contexts(certificate, key)
    done = {}
    try:
        site.start()
        site.add_trunk("wide", credential_lists=site.sids["list"])
        end = time.monotonic() + SOAK_S
        while time.monotonic() < end or len(done) < len(KINDS):
            unused = [kind for kind in KINDS if kind not in done]
            kind = unused[0] if unused else chance.choice(list(KINDS))
            done[kind] = done.get(kind, 0) + run_round(site, kind)
            pester(site, chance)
        site.nothing_left(60)
        print(f"{SOAK_S} s: {done}")
        site.trunkd.stop(60)
        assert site.trunkd.process.returncode == 0, site.trunkd.log()[-4000:]
        log = site.trunkd.log()
        assert "Sanitizer" not in log and "runtime error" not in log, log[-6000:]
    finally:
        site.stop()
