"""The names of trunks in public DNS, with a real server that takes updates: knot."""

import time

import pytest
from conftest import Site, bound, listed
from lab.zone import Zone

KEY = ("trunkd", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
PUBLIC = ["203.0.113.3", "203.0.113.0", "203.0.113.2", "203.0.113.1"]  # in no order of theirs
NX = 3
FORMS = ("pstn.trunkd.example", "pstn.dublin.trunkd.example", "pstn.tokyo.trunkd.example",
         "pstn.ie1.trunkd.example")


@pytest.fixture(scope="module")
def site(build, tmp_path_factory):
    work = tmp_path_factory.mktemp("names")
    made = Site(build, work, name="names")
    made.zone = Zone(made.net["stranger"], work, [
        "www.pstn 3600 A 192.0.2.80", "old.pstn 600 A 203.0.113.1",
        "_trunkd.old.pstn 600 TXT \"trunkd pstn.trunkd.example\""], zone="trunkd.example", key=KEY)
    (work / "names.key").write_text(
        f'key "{KEY[0]}" {{ algorithm hmac-sha256; secret "{KEY[1]}"; }};\n')
    made.trunkd.options.update({
        "names.servers": [made.net["stranger"].address], "names.key_file": work / "names.key",
        "names.addresses": PUBLIC, "names.api_name": "api.trunkd.example", "names.timeout_ms": 2000,
        "names.alert_after_s": 2})
    try:
        with made.zone:
            yield made.start()
    finally:
        made.stop()


def wait(what, timeout=10):
    end = time.monotonic() + timeout
    while not (found := what()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def published(site, domain, timeout=10):
    """The answers for every form, once they are there."""
    return wait(lambda: [answer for form in FORMS
                         for code, answer in [site.zone.ask(f"{domain}.{form}")] if code == 0 and answer]
                or None, timeout)


def state(site):
    return site.trunkd.trunkctl("show", "names")["publishing"]


def gone(site, domain):
    return all(site.zone.ask(f"{domain}.{form}")[0] == NX for form in FORMS)


def test_a_trunk_is_in_dns_as_soon_as_it_has_a_domain(site):
    """TERM-007, NET-010: all addresses, TTL 600 s, for the global, localized and legacy names."""
    sid = site.trunkd.add("trunk", account=site.sids["account"], domain="acme")
    answers = wait(lambda: len(found := published(site, "acme")) == len(FORMS) and found)
    for answer in answers:
        assert sorted(answer) == sorted((address, 600) for address in PUBLIC), answer
    wait(lambda: state(site)["state"] == "published")
    # Another domain: the old names go.
    site.trunkd.change("trunk", sid, domain="acme-two")
    wait(lambda: gone(site, "acme") and len(published(site, "acme-two")) == len(FORMS))
    site.trunkd.change("trunk", sid, domain="")
    wait(lambda: gone(site, "acme-two"))
    site.trunkd.trunkctl("remove", "trunk", sid)


def test_answers_come_in_no_fixed_order(site):
    """NET-011, by a server that turns its answers around."""
    published(site, "office")
    orders = {tuple(address for address, _ in site.zone.ask("office.pstn.trunkd.example")[1])
              for _ in range(50)}
    assert len(orders) > 1 and all(sorted(order) == sorted(PUBLIC) for order in orders), orders


def test_the_name_of_the_api_has_a_ttl_of_a_minute(site):
    """API-005."""
    published(site, "office")
    assert sorted(site.zone.ask("api.trunkd.example")[1]) == sorted((ip, 60) for ip in PUBLIC)


def test_names_of_nobody_went_at_the_start_and_others_stay(site):
    """A trunk may be called www: the web server of that name stays where it is."""
    wait(lambda: gone(site, "old"))
    sid = site.trunkd.add("trunk", account=site.sids["account"], domain="www")
    wait(lambda: state(site)["not_ours"] == 1)
    assert state(site)["not_ours_one"] == "www.pstn.trunkd.example"
    assert site.zone.ask("www.pstn.trunkd.example")[1] == [("192.0.2.80", 3600)]
    assert site.zone.ask("www.pstn.tokyo.trunkd.example")[0] == 0
    site.trunkd.trunkctl("remove", "trunk", sid)
    wait(lambda: site.zone.ask("www.pstn.tokyo.trunkd.example")[0] == NX)
    assert site.zone.ask("www.pstn.trunkd.example")[1] == [("192.0.2.80", 3600)]


def test_a_server_that_is_away_is_an_alert_and_all_is_made_good(site):
    site.zone.kill()
    with site.watch() as seen:
        sid = site.trunkd.add("trunk", account=site.sids["account"], domain="late")
        wait(lambda: [alert for alert in seen.alerts() if alert["code"] == 32984], 20)
        shown = state(site)
        assert shown["state"] == "failing" and shown["failing_since"], shown
        assert "no answer from any of names.servers" in shown["problem"], shown
        assert site.trunkd.metrics()["trunkd_names_failing_seconds"][""] >= 2
        site.zone.start()
        wait(lambda: len(published(site, "late", 30)) == len(FORMS), 30)
        wait(lambda: [alert for alert in seen.alerts() if alert["code"] == 32985])
    assert state(site)["problem"] is None
    site.trunkd.trunkctl("remove", "trunk", sid)


def test_the_zone_is_there_as_text_for_any_server(site):
    """NET-017: another DNS server that reads it says the same."""
    text = site.trunkd.trunkctl("show", "zone", raw=True)
    for line in ("$ORIGIN trunkd.example.", "office.pstn 600 IN A 203.0.113.3",
                 "office.pstn.sao-paulo 600 IN A 203.0.113.0", "api 60 IN A 203.0.113.1"):
        assert line in text.splitlines(), text
    records = [line for line in text.splitlines() if not line.startswith("$")]
    local = Zone(site.net["pbx"], site.work / "local", records, zone="trunkd.example")
    with local:
        for form in FORMS:
            assert sorted(local.ask(f"office.{form}")[1]) == sorted(site.zone.ask(f"office.{form}")[1])


def test_a_wrong_key_is_named(site):
    """The reason is shown, and nothing is changed."""
    (site.work / "names.key").write_text(f"hmac-sha256:{KEY[0]}:d3JvbmctLXdyb25nLS13cm9uZw==\n")
    site.trunkd.stop()
    site.trunkd.start()
    shown = wait(lambda: (now := state(site))["state"] == "failing" and now)
    assert "NOTAUTH" in shown["problem"] or "key" in shown["problem"], shown
    assert len(published(site, "office")) == len(FORMS)


def test_what_customers_let_through_is_what_is_bound(site):
    """NET-012 (in part): without a certificate there is no TLS. With one: tls_test."""
    rows = {row["edge"]: row for row in site.trunkd.trunkctl("show", "network")["network"]}
    node, host = rows["(this node)"], site.net["appliance"]
    assert node["signalling_ports"] == "5060/udp 5060/tcp" and node["signalling"] == [host.address]
    assert listed(node) == bound(host)
    assert rows["dublin"]["regions"] == ["ie1"] and rows["dublin"]["signalling"] == [host.address]
