"""Triggers that tell: webhooks to a web server of the lab, mails to its mail server."""

import email
import email.policy
import json
import time

import pytest
from conftest import Site, said
from lab import script, told
from lab.certificates import Authority

RETRIES = 3


@pytest.fixture(scope="module")
def site(build, tmp_path_factory):
    work = tmp_path_factory.mktemp("notify")
    made = Site(build, work, name="notify")
    host = made.net["stranger"]
    made.web = told.WebServer(host)
    (work / "password").write_text("Very-Secret-1\n")
    authority = Authority(work / "certificates")
    certificate = authority.issue("mail", [f"IP:{host.address}"])
    made.mail = told.MailServer(host, certificate=certificate, login=("trunkd@lab.example", "Very-Secret-1"))
    made.trunkd.options.update({
        "notify.retry_s": 1, "notify.retries": RETRIES, "notify.timeout_ms": 2000, "notify.connect_timeout_ms": 1000,
        "notify.mail_server": f"smtp://{made.mail.address}", "notify.mail_sender": "trunkd@lab.example",
        "notify.mail_user": "trunkd@lab.example", "notify.mail_password_file": str(work / "password"),
        "notify.ca_file": str(authority.ca), "notify.mail_every_s": 3600})
    try:
        made.start()
        made.trunkd.add("trunk", account=made.sids["account"], name="told", domain="told", acls=made.sids["acl"],
                        cps=1000)
        yield made
    finally:
        made.stop()
        made.web.close()
        made.mail.close()


@pytest.fixture(autouse=True)
def forget(site):
    site.web.items.clear()
    site.mail.items.clear()
    site.web.flaky = 0
    yield
    for trigger in site.trunkd.trunkctl("show", "triggers")["triggers"]:
        site.trunkd.trunkctl("remove", "trigger", trigger["sid"])


def trigger(site, name, path=None, **fields):
    if path:
        fields["webhook"] = path if path.startswith("http") else site.web.base + path
    return site.trunkd.add("trigger", account=site.sids["account"], name=name,
                           **{"codes": "32101", "every_s": 0, **fields})


def provoke(site, number="12"):
    """A call to a number that is not E.164: alert 32101."""
    caller = site.caller(script.invite(), script.expect(100, optional=True), script.expect(400), script.ack_failure(),
                         keys={"number": number}, name=f"wrong{time.monotonic_ns()}")
    assert caller.run(10), said(caller)


def notification(site, name, way, *outcomes, timeout=20):
    """The newest of that trigger, when its delivery has come to one of these."""
    end = time.monotonic() + timeout
    while True:
        rows = [row for row in site.trunkd.trunkctl("show", "notifications", "50")["notifications"]
                if row["trigger"] == name]
        if rows and rows[0][way] and rows[0][way]["outcome"] in outcomes:
            return rows[0]
        assert time.monotonic() < end, rows
        time.sleep(0.1)


def count(site, metric, outcome):
    return site.trunkd.metrics()[metric][f'outcome="{outcome}"']


def test_a_webhook_is_called_and_signed(site):
    """DEBUG-004: one POST, in the form that client libraries know, signed by the account's token."""
    token = site.trunkd.trunkctl("token", "account", site.sids["account"])["auth_token"]
    sid = trigger(site, "hook", "/ok?from=trunkd")
    before = count(site, "trunkd_webhooks_total", "delivered")
    provoke(site)
    row = notification(site, "hook", "webhook", "delivered")
    path, headers, form = site.web.wait(1)[0]
    assert path == "/ok?from=trunkd" and len(site.web.items) == 1
    assert form["Sid"] == row["sid"] and form["AccountSid"] == site.sids["account"]
    assert form["Level"] == "Error" and form["PayloadType"] == "application/json"
    payload = json.loads(form["Payload"])
    assert payload["error_code"] == "32101" and payload["resource_sid"] == row["call"]
    assert "sip:12@" in payload["more_info"]["seen"] and payload["more_info"]["trigger_sid"] == sid
    assert headers["X-Twilio-Signature"] == told.signature(token, site.web.base + path, form)
    assert row["webhook"]["status"] == 200 and row["webhook"]["attempts"] == 1
    assert "webhook delivered" in site.trunkd.trunkctl("show", "notifications", raw=True)
    assert count(site, "trunkd_webhooks_total", "delivered") == before + 1
    shown = json.dumps(site.trunkd.trunkctl("show", "account", site.sids["account"]))
    assert token not in shown and token not in site.trunkd.log()


def test_a_trigger_of_another_code_calls_nobody(site):
    """DEBUG-003, DEBUG-004: only for the codes that were chosen."""
    trigger(site, "other", "/ok", codes="32001")
    trigger(site, "last", "/last")
    provoke(site)
    notification(site, "last", "webhook", "delivered")
    assert site.web.paths() == ["/last"]


def test_a_webhook_that_fails_is_tried_again(site):
    """DEBUG-004: twice 503, then 200; the same idempotency token in all."""
    trigger(site, "flaky", "/flaky")
    provoke(site)
    row = notification(site, "flaky", "webhook", "delivered")
    assert row["webhook"]["attempts"] == 3 and len(site.web.items) == 3
    assert len({headers["I-Twilio-Idempotency-Token"] for _, headers, _ in site.web.items}) == 1


@pytest.mark.parametrize("path,attempts,code,problem", [
    ("/500", RETRIES + 1, 15003, "it answered 500"),
    ("/404", 1, 15003, "it answered 404"),
    ("/elsewhere", 1, 15003, "it answered 302"),  # and the place it names is not asked
])
def test_a_webhook_that_fails_for_good_is_an_alert(site, path, attempts, code, problem):
    trigger(site, "bad", path)
    trigger(site, "all", "/all", codes="all")  # which hears nothing of the failure
    with site.watch() as seen:
        provoke(site)
        row = notification(site, "bad", "webhook", "failed")
    assert row["webhook"]["attempts"] == attempts and row["webhook"]["problem"] == problem
    alerts = {alert["code"]: alert for alert in seen.alerts()}
    assert set(alerts) == {code, 32101}
    assert alerts[code]["account_sid"] == site.sids["account"] and alerts[code]["seen"] == problem
    notification(site, "all", "webhook", "delivered")
    assert site.web.paths().count("/all") == 1 and "/ok" not in site.web.paths()


@pytest.mark.parametrize("url,code", [
    ("http://{host}:8099/closed", 11205), ("http://nowhere.invalid/", 11210), ("https://{host}:8080/ok", 11220),
    ("{web}/slow", 11203),
])
def test_why_a_webhook_was_not_reached_has_a_code(site, url, code):
    trigger(site, "why", url.format(host=site.net["stranger"].address, web=site.web.base))
    with site.watch() as seen:
        provoke(site)
        notification(site, "why", "webhook", "failed", timeout=40)
    assert {alert["code"] for alert in seen.alerts()} == {code, 32101}


def test_a_webhook_must_not_reach_the_appliance_or_its_networks(site):
    """DEBUG-004: the URL is a customer's. Its own address, loopback and private networks are refused, by name too, and
    once, without another try."""
    for place, url in enumerate((f"http://{site.net['appliance'].address}:9090/metrics", "http://127.0.0.1:9090/x",
                                 "http://localhost:9090/x", "http://[::1]:9090/x", "http://10.1.2.3/x",
                                 "http://169.254.169.254/latest", "http://[::ffff:127.0.0.1]/x", "http://0/x",
                                 "http://2130706433/x")):
        trigger(site, f"inside{place}", url)
        answer = site.trunkd.trunkctl("test", "trigger", f"inside{place}")["webhook"]
        assert answer["outcome"] == "failed" and "notify.allowed_targets" in answer["problem"], (url, answer)
    provoke(site)
    row = notification(site, "inside0", "webhook", "failed")
    assert row["webhook"]["attempts"] == 1 and row["webhook"]["status"] == 0


def test_a_slow_or_endless_webhook_holds_nothing_up(site):
    trigger(site, "slow", "/slow")
    trigger(site, "endless", "/endless")
    start = time.monotonic()
    assert site.trunkd.trunkctl("test", "trigger", "slow")["webhook"]["outcome"] == "failed"
    assert time.monotonic() - start < 5.5  # notify.timeout_ms is 2 s, the server takes 6
    assert site.trunkd.trunkctl("test", "trigger", "endless")["webhook"]["outcome"] == "delivered"


def test_a_mail_is_sent_over_tls(site):
    """DEBUG-005: by STARTTLS, with user and password, to the trigger's address."""
    trigger(site, "letter", email="ops@customer.example")
    provoke(site, "13")
    row = notification(site, "letter", "mail", "delivered")
    mail = site.mail.wait(1)[0]
    assert mail["is_safe"] and "<trunkd@lab.example>" in mail["sender"]
    assert mail["recipients"] == ["RCPT TO:<ops@customer.example>"]
    letter = email.message_from_string(mail["text"], policy=email.policy.default)
    assert letter["Subject"].startswith("trunkd error 32101: ")
    assert letter["To"] == "ops@customer.example" and row["sid"] in letter["Message-ID"]
    assert "Seen: sip:13@" in letter.get_content() and row["call"] in letter.get_content()
    assert "Very-Secret-1" not in site.trunkd.log()


def test_no_more_mails_than_the_operator_wants(site):
    """DEBUG-005: one in notify.mail_every_s, whatever the trigger's own pause; the rest is held, and counted."""
    trigger(site, "often", email="ops@customer.example")
    held = count(site, "trunkd_mails_total", "held")
    for _ in range(3):
        provoke(site)
    notification(site, "often", "mail", "held")
    site.mail.wait(1)
    assert count(site, "trunkd_mails_total", "held") == held + 2 and len(site.mail.items) == 1


def test_a_mail_server_that_refuses(site):
    """DEBUG-005: for good is an alert, for now is tried again."""
    trigger(site, "gone", email="nobody@customer.example")
    trigger(site, "later", email="later@customer.example")
    with site.watch() as seen:
        provoke(site)
        row = notification(site, "gone", "mail", "failed")
    assert row["mail"]["attempts"] == 1 and row["mail"]["status"] == 550
    assert row["mail"]["problem"] == "it answered 550"
    assert 32986 in [alert["code"] for alert in seen.alerts()]
    assert notification(site, "later", "mail", "delivered")["mail"]["attempts"] == 2


def test_a_restart_loses_no_notification(site):
    """DEBUG-004: what the process that was killed had not delivered, the next one does."""
    trigger(site, "later", f"http://{site.net['stranger'].address}:8081/ok")
    provoke(site)
    notification(site, "later", "webhook", "waiting")
    site.trunkd.kill()
    other = told.WebServer(site.net["stranger"], 8081)
    try:
        site.trunkd.start()
        row = notification(site, "later", "webhook", "delivered")
        assert other.wait(1)[0][2]["Sid"] == row["sid"] and len(other.items) == 1
    finally:
        other.close()


def test_a_trial_says_what_happens(site):
    trigger(site, "both", "/ok", email="ops@customer.example")
    answer = site.trunkd.trunkctl("test", "trigger", "both")
    assert answer["webhook"] == {"outcome": "delivered", "status": 200, "problem": ""}
    assert answer["mail"]["outcome"] == "delivered" and len(site.mail.items) == 1
    assert json.loads(site.web.items[0][2]["Payload"])["more_info"]["cause"] == "test"
