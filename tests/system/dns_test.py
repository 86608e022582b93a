"""Carriers by name, with a real DNS server: services by priority, names that do not exist, a server that
dies, and pings. ORIG-034, ORIG-043, TERM-032."""

import contextlib
import socket
import threading
import time

import pytest
from conftest import Site, said
from lab import script
from lab.zone import Zone

SILENCE_S = 1.0  # instead of a carrier's 4 s


@pytest.fixture(scope="module")
def site(build, tmp_path_factory):
    """gw.example leads to carrier2, where nobody listens, and then to carrier."""
    work = tmp_path_factory.mktemp("dns")
    made = Site(build, work, name="dns", options={
        "sip.no_response_timeout_ms": int(SILENCE_S * 1000), "dns.ttl_min_s": 1, "dns.avoid_s": 0,
        "dns.timeout_ms": 1000})
    server, dead, alive = (made.net[name].address for name in ("stranger", "carrier2", "carrier"))
    made.trunkd.options["dns.servers"] = [server]
    made.zone = Zone(made.net["stranger"], work, [
        "_sip._udp.gw 2 SRV 20 0 5060 alive", "_sip._udp.gw 2 SRV 10 0 5060 dead",
        f"alive 2 A {alive}", f"dead 2 A {dead}",
        "points 2 NAPTR 10 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.points",
        "_sip._udp.points 2 SRV 10 0 5060 alive", "other 2 CNAME alive"])
    try:
        with made.zone:
            yield made.start()
    finally:
        made.stop()


@contextlib.contextmanager
def first_carrier(site, address, **fields):
    """Asked before gateway-1."""
    sid = site.trunkd.add("carrier", name="named", priority=1, address=address, **fields)
    try:
        yield sid
    finally:
        site.trunkd.trunkctl("remove", "carrier", sid)


def call(site):
    """A call that must be answered by the host `carrier`: its record, and when its INVITE was there."""
    with site.watch() as seen:
        called = site.called(script.called_talks(None, ring=0))
        start = time.monotonic()
        caller = site.caller(script.caller_talks(None, 0.2))
        assert caller.run(15), said(caller)
        took = time.monotonic() - start
        assert called.wait(10), said(called)
    text = next(text for sent, text in called.messages() if not sent)
    return seen, seen.row(), text.splitlines()[0], took


def dns(site, name):
    """trunkctl show dns NAME, by type."""
    answers = site.trunkd.trunkctl("show", "dns", name)["answers"]
    return {answer["type"]: answer for answer in answers if answer["name"] == name}


def counted(site, series):
    return sum(site.trunkd.metrics()[series].values())


def test_services_are_tried_by_priority(site):
    with first_carrier(site, "gw.example"):
        seen, row, line, took = call(site)
    assert line == "INVITE sip:+14155550100@gw.example SIP/2.0"
    assert row["sip_status"] == 200 and row["carrier"] == "named", row
    assert SILENCE_S <= took < SILENCE_S + 3, took
    assert site.net["carrier2"].address in seen.one_alert(32016)["seen"]
    assert len(dns(site, "_sip._udp.gw.example")["SRV"]["records"]) == 2
    site.nothing_left()


@pytest.mark.parametrize("address", ["points.example", "other.example:5060", "alive.example"])
def test_pointers_aliases_and_plain_names_lead_there(site, address):
    with first_carrier(site, address):
        seen, row, line, _ = call(site)
    assert line == f"INVITE sip:+14155550100@{address} SIP/2.0"
    assert row["carrier"] == "named" and not seen.alerts(), (row, seen.alerts())
    site.nothing_left()


def test_a_name_that_does_not_exist_sends_the_call_on_at_once(site):
    with first_carrier(site, "nobody.example"):
        seen, row, _, took = call(site)
        assert row["carrier"] == "gateway-1" and row["attempts"] == 2, row
        assert took < SILENCE_S + 1, took
        assert "no such name" in seen.one_alert(32980)["seen"]
        answer = dns(site, "nobody.example")["A"]
        assert answer["outcome"] == "no_name" and answer["state"] == "fresh", answer
    site.nothing_left()


def test_calls_go_on_when_the_server_dies(site):
    with first_carrier(site, "points.example"):
        call(site)
        site.zone.kill()
        time.sleep(3)  # beyond every TTL
        _, row, _, _ = call(site)  # waits for the server once
        assert row["carrier"] == "named", row
        _, row, _, took = call(site)
        assert row["carrier"] == "named" and took < 1, (row, took)
        assert counted(site, "trunkd_dns_cache_stale_total") > 0
        assert dns(site, "alive.example")["A"]["state"] == "old"
    with first_carrier(site, "never-asked.example"):
        seen, row, _, _ = call(site)
        assert row["carrier"] == "gateway-1", row
        assert seen.one_alert(32980)
    site.zone.start()
    site.nothing_left()


def answer_options(host, until):
    """Whatever comes to port 5060 of the host is answered with 200."""
    with host.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as carrier:
        carrier.bind((host.address, 5060))
        carrier.settimeout(0.1)
        while not until.is_set():
            with contextlib.suppress(socket.timeout):
                text, source = carrier.recvfrom(4096)
                lines = text.decode().split("\r\n")
                echo = [line for line in lines if line.partition(":")[0] in
                        ("Via", "From", "To", "Call-ID", "CSeq")]
                carrier.sendto("\r\n".join(["SIP/2.0 200 OK", *echo, "Content-Length: 0", "",
                                            ""]).encode(), source)


def wait_state(site, sid, state, timeout=15):
    end = time.monotonic() + timeout
    while True:
        carrier = site.trunkd.trunkctl("show", "carrier", sid)["carrier"]
        if carrier["state"] == state:
            return carrier
        assert time.monotonic() < end, carrier
        time.sleep(0.1)


def test_a_carrier_that_answers_no_ping_is_passed_over(site):
    done = threading.Event()
    carrier = threading.Thread(target=answer_options, args=(site.net["carrier2"], done))
    with first_carrier(site, "dead.example:5060", options_ping_s=1) as sid:
        with site.watch() as seen:
            carrier.start()
            wait_state(site, sid, "up")
            assert counted(site, "trunkd_carrier_up") == 1
            done.set()
            carrier.join()
            shown = wait_state(site, sid, "down")
            assert "no response from" in shown["state_seen"] and shown["state_since"], shown
            assert counted(site, "trunkd_carrier_up") == 0
            assert [alert["code"] for alert in seen.alerts()] == [32982]
        _, row, _, took = call(site)
        assert row["carrier"] == "gateway-1" and row["attempts"] == 1 and took < SILENCE_S, row
    site.nothing_left()
