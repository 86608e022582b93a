"""What the operator is told of a call before it comes, and of those that came as if something were changed."""

import pathlib
import subprocess

import pytest
from conftest import PASSWORD, said
from lab import script
from lab.appliance import CALLED, NUMBER, TRUNK, Refused

REFUSED = [script.invite(), script.expect(100, optional=True)]


def explain(site, *words):
    return site.trunkd.trunkctl("explain", *words)["explanation"]


def steps(answer):
    return {step["check"]: step["result"] for step in answer["steps"]}


def call_once(site, trunk="fast"):
    called = site.called(script.called_talks(None, ring=0))
    caller = site.caller(script.caller_talks(None, 0.2, trunk == TRUNK), trunk=trunk)
    assert caller.run(10), said(caller)
    assert called.wait(5), said(called)


def test_each_check_is_told_and_nothing_is_done(site):
    """By the PBX's address, by a stranger's, and with a password to be asked for."""
    before = site.trunkd.metrics()
    with site.watch() as seen:
        answer = explain(site, f"to={CALLED}", f"from={NUMBER}", "trunk=fast")
        assert answer["outcome"] == "admitted" and not answer["challenged"]
        assert set(steps(answer).values()) == {"passed"}
        assert answer["targets"][0]["name"] == "gateway-1" and "m=audio" in answer["sdp"]
        answer = explain(site, f"to={CALLED}", f"from={NUMBER}", "trunk=fast",
                         f"source={site.net['stranger'].address}")
        assert answer["outcome"] == "403 Forbidden" and answer["alert_code"] == 32201
        assert site.net["stranger"].address in answer["seen"] and "ACL" in answer["fix"]
        assert steps(answer)["source_address"] == "refused" and "offer" not in steps(answer)
        answer = explain(site, f"to={CALLED}", f"from={NUMBER}", f"trunk={TRUNK}")
        assert answer["outcome"] == "admitted" and answer["challenged"]
    assert not seen.alerts()
    after = site.trunkd.metrics()
    for name in ("trunkd_calls_started_total", "trunkd_sip_messages_sent_total"):
        assert before.get(name) == after.get(name)


def test_an_invite_of_a_file_is_read_as_it_stood(site, tmp_path):
    domain = site.keys()["domain"]
    file = tmp_path / "invite.txt"
    file.write_text(f"INVITE sip:{CALLED.lstrip('+')}@{domain} SIP/2.0\n"
                    "Via: SIP/2.0/UDP 192.0.2.66:5060;branch=z9hG4bKfile\nMax-Forwards: 70\n"
                    f"From: <sip:{NUMBER}@{domain}>;tag=1\nTo: <sip:x@{domain}>\nCall-ID: file\n"
                    "CSeq: 1 INVITE\nContact: <sip:a@192.0.2.66>\nContent-Length: 0\n\n")
    answer = explain(site, f"file={file}", f"source={site.net['pbx'].address}")
    assert answer["outcome"] == "400 Bad Request" and answer["header"] == "Request-URI"
    text = site.trunkd.trunkctl("explain", f"file={file}", "trunk=fast", raw=True)
    assert "400 Bad Request, alert 32101" in text and "refused" in text and "called_number" in text
    file.write_text("no SIP at all\n\n")
    with pytest.raises(Refused) as refusal:
        explain(site, f"file={file}")
    assert "SIP message" in str(refusal.value.answer)


def test_a_call_that_was_refused_is_explained_by_its_sid_and_mended(site):
    with site.watch() as seen:
        caller = site.caller(*REFUSED, script.expect(403), script.ack_failure(), host="stranger")
        assert caller.run(10), said(caller)
    row = seen.row()
    sid = row["sid"]
    assert explain(site, row["call_id_in"]) == explain(site, sid)  # by its Call-ID
    answer = explain(site, sid)
    assert answer["outcome"] == "403 Forbidden" and steps(answer)["source_address"] == "refused"
    added = site.trunkd.add("acl_address", acl=site.sids["acl"],
                            address=site.net["stranger"].address)
    try:
        assert explain(site, sid)["outcome"] == "admitted"
    finally:
        site.trunkd.trunkctl("remove", "acl_address", added)
    with pytest.raises(Refused):
        explain(site, "CA" + 32 * "0")


def test_a_replay_tells_what_a_change_would_do_and_does_not_do_it(site):
    with site.watch() as seen:
        call_once(site)
        call_once(site, trunk=TRUNK)
    sids = [row["sid"] for row in seen.rows(2)]
    assert not replayed(site, sids)
    found = replayed(site, sids, "change", "trunk", site.sids["fast"], "enabled=false")
    assert [(row["was"], row["would_be"]) for row in found] == [("admitted", "403 Forbidden")]
    assert "enabled" in found[0]["why"]
    found = replayed(site, sids, "change", "trunk", site.sids["fast"], "secure=true", "then",
                     "change", "trunk", site.sids["trunk"], "secure=true")
    assert len(found) == 2
    # The password it sent was right: without the user it would not be.
    credential = next(row["sid"] for row in site.trunkd.trunkctl("show", "credentials")["credentials"])
    assert len(replayed(site, sids, "remove", "credential", credential)) == 1
    assert explain(site, f"to={CALLED}", f"from={NUMBER}", "trunk=fast")["outcome"] == "admitted"
    with pytest.raises(Refused) as refusal:
        site.trunkd.trunkctl("replay", "change", "trunk", "nobody", "cps=1")
    assert "no object" in str(refusal.value.answer)


def replayed(site, sids, *words):
    answer = site.trunkd.trunkctl("replay", *words)
    return [row for row in answer["changed_calls"] if row["call"] in sids]


def test_another_configuration_is_tried_by_its_file(site, tmp_path):
    with site.watch() as seen:
        call_once(site)
        call_once(site)
    sids = [row["sid"] for row in seen.rows(2)]
    text = site.trunkd.config_file.read_text()
    other = tmp_path / "other.yaml"
    other.write_text(text)
    assert not replayed(site, sids, f"config={other}")
    other.write_text(text.replace('base_domain: "', 'base_domain: "other.'))
    relative = subprocess.run(["realpath", "--relative-to", pathlib.Path.cwd(), other],
                              capture_output=True, text=True, check=True).stdout.strip()
    found = site.trunkd.trunkctl("replay", "--config", relative)
    assert {row["would_be"] for row in found["changed_calls"] if row["call"] in sids} == {"no answer"}
    other.write_text(text + "nonsense: [1\n")
    with pytest.raises(Refused) as refusal:
        site.trunkd.trunkctl("replay", f"config={other}")
    assert "other.yaml" in str(refusal.value.answer)


def test_nothing_secret_is_kept_or_shown(site):
    with site.watch() as seen:
        call_once(site, trunk=TRUNK)
    told = str(explain(site, seen.row()["sid"]))
    assert PASSWORD not in told and "response=" not in told
