"""What trunkd refuses, in which words, and the one alert that says why."""

import socket
import time

import pytest
from conftest import said
from lab import script
from lab.appliance import NUMBER

REFUSED = [script.invite(), script.expect(100, optional=True)]


def refused(site, status, phrase, **options):
    """A call that must end in that answer; its record and its one alert."""
    caller = site.caller(*REFUSED, script.expect(status), script.ack_failure(), **options)
    assert caller.run(10), said(caller)
    answers = [text for sent, text in caller.messages() if not sent]
    assert any(text.startswith(f"SIP/2.0 {status} {phrase}\n") for text in answers), answers
    return answers[-1]


def test_a_wrong_password_is_refused(site):
    with site.watch() as seen:
        caller = site.caller(script.invite(), script.expect(100, optional=True),
                             script.expect(407, auth=True), script.ack_failure(),
                             script.invite(cseq=2, credentials=True),
                             script.expect(100, optional=True), script.expect(403),
                             script.ack_failure(2), trunk="office",
                             credentials=("office", "Wrong-Horse-99"))
        assert caller.run(10), said(caller)
    assert seen.row()["sip_status"] == 403
    alert = seen.one_alert(32202)
    assert "Authorization" in alert["header"] and "Wrong-Horse" not in str(alert)


def test_a_call_from_a_strange_address_is_refused_and_told_which(site):
    with site.watch() as seen:
        answer = refused(site, 403, "Forbidden", host="stranger")
    via = next(line for line in answer.splitlines() if line.startswith("Via:"))
    assert f"received={site.net['stranger'].address}" in via
    assert seen.row()["sip_status"] == 403
    assert site.net["stranger"].address in seen.one_alert(32201)["seen"]


def test_a_strangers_domain_gets_no_answer_at_all(site):
    """TERM-005: not a single octet."""
    text = (f"INVITE sip:+14155550100@{site.net['appliance'].address} SIP/2.0\r\n"
            "Via: SIP/2.0/UDP 192.0.2.66:5070;branch=z9hG4bKstranger\r\n"
            "From: <sip:x@y.example>;tag=1\r\nTo: <sip:+14155550100@y.example>\r\n"
            "Call-ID: stranger\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
            "Contact: <sip:x@192.0.2.66:5070>\r\nContent-Length: 0\r\n\r\n")
    before = unknown_domains(site)
    with site.net["stranger"].socket(5070) as stranger:
        stranger.settimeout(2)
        stranger.sendto(text.encode(), (site.net["appliance"].address, 5060))
        with pytest.raises(socket.timeout):
            stranger.recv(2048)
    assert unknown_domains(site) == before + 1


def unknown_domains(site):
    return sum(value for name, rows in site.trunkd.metrics().items() if "unknown_domain" in name
               for value in rows.values())


@pytest.mark.parametrize("number", ["5005551212", "15005551212", "+0155501", "+1415555010012345",
                                    "+1415x550100"])
def test_a_number_that_is_not_e164_is_refused(site, number):
    """TERM-015 to -018."""
    with site.watch() as seen:
        refused(site, 400, "Bad Request", keys={"number": number})
    assert seen.row()["sip_status"] == 400
    assert number in seen.one_alert(32101)["seen"]


def test_a_caller_id_of_somebody_else_is_refused(site):
    with site.watch() as seen:
        refused(site, 403, "Invalid Caller ID", keys={"from": "+14155550777"})
    assert seen.row()["sip_status"] == 403
    assert "+14155550777" in seen.one_alert(32204)["seen"]


def test_a_second_call_within_a_second_is_refused(site):
    """LIMIT-001, -002, -006: at once, in these words."""
    with site.watch() as seen:
        called = site.called(script.called_talks(None, ring=0))
        first = site.caller(script.caller_talks(None, 1.5), trunk="slow").start()
        time.sleep(0.3)
        start = time.monotonic()
        refused(site, 503, "Trunk CPS limit exceeded", trunk="slow", name="second", port=5062,
                media_port=21000)
        assert time.monotonic() - start < 0.6
        assert first.wait(10), said(first)
        assert called.wait(10), said(called)
        third = site.called(script.called_talks(None, ring=0))
        again = site.caller(script.caller_talks(None, 0.2), trunk="slow")
        assert again.run(10), said(again)
        assert third.wait(10), said(third)
    assert sorted(row["sip_status"] for row in seen.rows(3)) == [200, 200, 503]
    assert seen.one_alert(32001)


def test_an_offer_without_mu_law_is_refused(site):
    """MEDIA-003."""
    body = script.sdp(event=None).replace("RTP/AVP 0", "RTP/AVP 8").replace("0 PCMU", "8 PCMA")
    with site.watch() as seen:
        caller = site.caller(script.invite(body), script.expect(100, optional=True),
                             script.expect(415), script.ack_failure())
        assert caller.run(10), said(caller)
    assert seen.row()["sip_status"] == 415
    assert seen.one_alert(32102)


def test_garbage_is_survived(site):
    """What is no SIP is counted and forgotten; the next call works."""
    target = (site.net["appliance"].address, 5060)
    with site.net["stranger"].socket(5071) as stranger:
        for data in (b"", b"\0" * 64, b"\r\n\r\n", b"INVITE", b"\xff" * 1400,
                     b"INVITE sip:x SIP/2.0\r\n" * 50, b"SIP/2.0 200 OK\r\n\r\n"):
            stranger.sendto(data, target)
    with site.watch() as seen:
        called = site.called(script.called_talks(None, ring=0))
        caller = site.caller(script.caller_talks(None, 0.2))
        assert caller.run(10), said(caller)
        assert called.wait(10), said(called)
    assert seen.row()["from"] == NUMBER
