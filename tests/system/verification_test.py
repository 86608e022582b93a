"""Caller IDs whose owner says a code, which the operator's web server is told."""

import json

import pytest
from conftest import Site, said
from lab import network, script, told

NUMBER, OTHER = "+15005550006", "+15005550007"


@pytest.fixture(scope="module")
def site(build, tmp_path_factory):
    made = Site(build, tmp_path_factory.mktemp("verification"), name="verification")
    made.web = told.WebServer(made.net["stranger"])
    made.trunkd.options.update({"notify.verifications": made.web.base + "/codes"})
    try:
        made.start()
        yield made
    finally:
        made.stop()
        made.web.close()


def verify(site, *words, number=NUMBER):
    """The answer to the operator, and the code that the owner is told."""
    count = len(site.web.items)
    answer = site.trunkd.trunkctl("verify", "caller_id", number, site.sids["account"], *words)
    path, _, form = site.web.wait(count + 1)[count]
    assert path == "/codes" and form["To"] == number and form["OutgoingCallerIdSid"] == answer["sid"]
    assert answer["delivery"]["outcome"] == "delivered" and form["ValidationCode"] not in json.dumps(answer)
    return answer, form["ValidationCode"]


def confirm(site, code, number=NUMBER):
    """By standard input, where nobody sees it in the list of processes."""
    return site.trunkd.trunkctl("confirm", "caller_id", number, site.sids["account"], stdin=f"{code}\n")


def refused(site):
    with site.watch() as seen:
        caller = site.caller(script.invite(), script.expect(100, optional=True), script.expect(403),
                             script.ack_failure(), keys={"from": NUMBER}, name="claimant")
        assert caller.run(10), said(caller)
    assert NUMBER in seen.one_alert(32204)["seen"]


def test_a_caller_id_is_verified_by_its_owner(site):
    """NUM-017, NUM-018: pending until the code is said, over a restart too; then a call may show it."""
    refused(site)
    answer, code = verify(site, "mobile")
    assert answer["state"] == "pending" and len(code) == 6 and code.isdigit()
    refused(site)
    wrong = f"{(int(code) + 1) % 1000000:06}"
    with pytest.raises(network.LabError, match="4 tries are left"):
        confirm(site, wrong)
    with pytest.raises(network.LabError, match="a moment ago"):
        site.trunkd.trunkctl("verify", "caller_id", NUMBER, site.sids["account"])
    site.trunkd.stop()
    site.trunkd.start()
    refused(site)
    with pytest.raises(network.LabError, match="3 tries are left"):
        confirm(site, wrong)
    shown = confirm(site, code)["caller_id"]
    assert shown["status"] == "verified" and shown["verified_by"] == "code" and shown["name"] == "mobile"
    called = site.called(script.called_talks(None, ring=0))
    caller = site.caller(script.caller_talks(None, 0.3), keys={"from": NUMBER}, name="owner")
    assert caller.run(20), said(caller)
    assert called.wait(10), said(called)
    with pytest.raises(network.LabError, match="verified already"):
        confirm(site, code)
    assert code not in site.trunkd.log()
    site.trunkd.trunkctl("remove", "caller_id", answer["sid"])
    refused(site)


def test_five_wrong_codes_are_enough(site):
    """NUM-018: after that not even the right one counts, and a row made anew brings no other at once."""
    answer, code = verify(site, number=OTHER)
    wrong = f"{(int(code) + 1) % 1000000:06}"
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(network.LabError, match=f"{left} tries are left"):
            confirm(site, wrong, OTHER)
    with pytest.raises(network.LabError, match="wrong too often"):
        confirm(site, code, OTHER)
    site.trunkd.trunkctl("remove", "caller_id", answer["sid"])
    with pytest.raises(network.LabError, match="a moment ago; allowed: another in [1-6]?[0-9] s"):
        verify(site, number=OTHER)
    refused(site)


def test_an_operator_has_to_say_that_he_vouches(site):
    """NUM-018: no caller ID is accepted by the way; who vouched stands in the object and in the log."""
    with pytest.raises(network.LabError, match="verified_by=operator vouches"):
        site.trunkd.add("caller_id", account=site.sids["account"], e164=NUMBER)
    for field in ("status=verified", "verified_by=code", "verified_s=1", "code_sha256=" + 64 * "0"):
        with pytest.raises(network.LabError):
            site.trunkd.trunkctl("add", "caller_id", f"account={site.sids['account']}", f"e164={NUMBER}", field)
    refused(site)
    sid = site.trunkd.add("caller_id", account=site.sids["account"], e164=NUMBER, verified_by="operator")
    shown = site.trunkd.trunkctl("show", "caller_id", sid)["caller_id"]
    assert shown["verified_by"] == "operator" and shown["status"] == "verified" and shown["verified_s"] > 0
    with pytest.raises(network.LabError):  # it is there: nobody has vouched for anything
        site.trunkd.add("caller_id", account=site.sids["account"], e164=NUMBER, verified_by="operator")
    assert site.trunkd.log().count("event=caller_id_vouched") == 1
