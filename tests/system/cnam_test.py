"""The names of callers from the PSTN, from a web service of the lab: in the INVITE that a PBX gets, and on the
bill."""

import http.server
import threading
import time
import urllib.parse

import pytest
from conftest import Site, said
from lab import script

DIALLED, PLAIN = "+14155550188", "+14155550189"  # on a trunk that wants names, on one that does not
NAMES = {"+14155550142": (200, b"ACME CORP"), "+14165550143": (200, b'{"name": "Ren\xc3\xa9 \\"R\\" \\u000d\\u000aX: y"}'),
         "+14155550144": (404, b""), "+14155550145": (500, b"ACME CORP")}
SLOW = "+14155550146"


class Service(http.server.BaseHTTPRequestHandler):
    asked = []

    def do_GET(self):
        number = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)["number"][0]
        self.asked.append(number)
        if number == SLOW:
            time.sleep(10)
        status, body = NAMES.get(number, (404, b""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(build, tmp_path_factory):
    work = tmp_path_factory.mktemp("cnam")
    made = Site(build, work, name="cnam")
    host = made.net["stranger"]
    with host.inside():
        server = http.server.ThreadingHTTPServer((host.address, 8080), Service)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.trunkd.options.update({
        "cnam.source": "http", "cnam.url": f"http://{host.address}:8080/names?number={{number}}",
        "cnam.timeout_ms": 1500, "cnam.ttl_s": 0})
    try:
        made.start()
        for name, number, fields in (("named", DIALLED, {"cnam": "true"}), ("plain", PLAIN, {})):
            made.add_trunk(name, **fields)
            made.trunkd.add("number", account=made.sids["account"], trunk=made.sids[name], e164=number)
            made.trunkd.add("origination_uri", trunk=made.sids[name],
                            uri=f"sip:{made.net['pbx'].address}")
        yield made
    finally:
        made.stop()
        server.shutdown()


def charged(site):
    """How many lookups were charged so far; what a call has left is written soon after it."""
    time.sleep(0.3)
    return sum(row["quantity"] for row in site.trunkd.trunkctl("show", "usage")["usage"]
               if row["category"] == "cnam")


def call(site, caller, number=DIALLED, answers=True):
    """The INVITE that the PBX gets, and how long after the carrier's it came."""
    refuse = [script.wait_for("INVITE"), script.answer(486, "Busy Here"), script.wait_for("ACK")]
    steps = [script.called_talks(None, ring=0)] if answers else refuse
    pbx = site.called(*steps, host="pbx", name=f"pbx{time.monotonic_ns()}")
    keys = {"number": number, "domain": site.net["appliance"].address, "from": caller,
            "from_host": site.net["carrier"].address}
    talk = script.caller_talks(None, 0.2) if answers else script.scenario(
        script.invite(), script.expect(100, optional=True), script.expect(486), script.ack_failure())
    gateway = site.caller(talk, host="carrier", name=f"gateway{time.monotonic_ns()}", keys=keys)
    start = time.monotonic()
    assert gateway.run(20), said(gateway)
    took = time.monotonic() - start
    assert pbx.wait(10), said(pbx)
    text = next(text for sent, text in pbx.messages() if not sent and text.startswith("INVITE"))
    return {line.partition(": ")[0]: line.partition(": ")[2] for line in text.splitlines()}, took


def display(line):
    return line.partition("<")[0]


def test_a_name_is_in_the_invite_and_on_the_bill(site):
    """CNAM-001, CNAM-002: in From, Contact and P-Asserted-Identity; CNAM-005."""
    before = charged(site)
    invite, _ = call(site, "+14155550142")
    for header in ("From", "Contact", "P-Asserted-Identity"):
        assert display(invite[header]) == '"ACME CORP" ', invite
    assert charged(site) == before + 1


def test_a_strange_name_breaks_no_header(site):
    """CNAM-012: quotes escaped, line ends gone, UTF-8 kept, 15 characters. CNAM-003: a Canadian number."""
    invite, _ = call(site, "+14165550143")
    assert display(invite["From"]) == '"Ren\u00e9 \\"R\\" X: y" ', invite
    assert "X" not in invite


def test_a_number_without_a_name_is_charged_and_the_call_goes_on(site):
    """CNAM-005, CNAM-010."""
    before = charged(site)
    invite, _ = call(site, "+14155550144")
    assert display(invite["From"]) == "" and charged(site) == before + 1


def test_a_lookup_is_charged_though_the_call_fails(site):
    """CNAM-006."""
    before = charged(site)
    invite, _ = call(site, "+14155550142", answers=False)
    assert display(invite["From"]) == '"ACME CORP" ' and charged(site) == before + 1


def test_callers_from_abroad_are_not_asked_for(site):
    """CNAM-003, CNAM-004, D-40: no name, no charge, not even a question."""
    before, asked = charged(site), len(Service.asked)
    for caller in ("+81312345678", "+18765550100", "anonymous"):
        invite, _ = call(site, caller)
        assert display(invite["From"]) in ("", '"Anonymous" '), invite
    assert charged(site) == before and len(Service.asked) == asked


@pytest.mark.parametrize("caller", ["+14155550145", SLOW])
def test_a_database_in_trouble_costs_a_moment_and_nothing_else(site, caller):
    """CNAM-007, CNAM-011: HTTP 500, and 10 s of silence."""
    before = charged(site)
    invite, took = call(site, caller)
    assert display(invite["From"]) == "" and charged(site) == before
    assert took < 3.5, took
    assert site.trunkd.metrics()["trunkd_cnam_lookups_total"]['outcome="failed"'] >= 1


def test_names_are_looked_up_for_the_trunk_that_wants_them(site):
    """TRUNK-017, CNAM-009: off unless switched on, for each trunk by itself."""
    asked = len(Service.asked)
    invite, _ = call(site, "+14155550142", PLAIN)
    assert display(invite["From"]) == "" and len(Service.asked) == asked
    assert site.trunkd.trunkctl("show", "trunk", "plain")["trunk"]["origination"]["cnam"] is False
    assert site.trunkd.trunkctl("show", "trunk", "named")["trunk"]["origination"]["cnam"] is True


def switch_of(shown):
    """What stands behind the name of the switch among the Origination settings."""
    settings = shown.partition("\nOrigination\n")[2].partition("\nNumbers\n")[0]
    return next(line.removeprefix("  cnam").lstrip() for line in settings.splitlines() if line.startswith("  cnam "))


def test_the_switch_of_names_is_blue_when_it_is_on(site):
    """CNAM-008: in the Origination settings; no colour for a dumb terminal, for who wants none, or in a file."""
    assert switch_of(site.trunkd.on_terminal("show", "trunk", "named")) == "\x1b[34mENABLED\x1b[39m"
    off = site.trunkd.on_terminal("show", "trunk", "plain")
    assert switch_of(off) == "disabled" and "\x1b" not in off
    for environment in ({"TERM": "dumb"}, {"TERM": ""}, {"NO_COLOR": "1"}):
        plain = site.trunkd.on_terminal("show", "trunk", "named", **environment)
        assert switch_of(plain) == "ENABLED" and "\x1b" not in plain, plain
    piped = site.trunkd.host_run_trunkctl(["show", "trunk", "named"], raw=True).stdout
    assert switch_of(piped) == "ENABLED" and "\x1b" not in piped
    for name, is_on in (("named", True), ("plain", False)):
        assert site.trunkd.trunkctl("show", "trunk", name)["trunk"]["origination"]["cnam"] is is_on


def test_the_operator_sees_what_a_lookup_says(site):
    def check(number):
        answer = site.trunkd.trunkctl("check", "name", number)
        return answer["outcome"], answer["name"]
    assert check("+14155550142") == ("named", "ACME CORP")
    assert check("+14155550144") == ("nameless", None)
    assert check("+14155550145") == ("failed", None)
    assert check("+81312345678") == ("not asked", None)


def test_a_caller_who_gives_up_meanwhile_leaves_nothing(site):
    before = charged(site)
    gateway = site.caller(
        script.scenario(script.invite(), script.expect(100), script.pause(0.3), script.cancel(),
                        script.expect(200), script.expect(487), script.ack_failure()),
        host="carrier", name="giving-up", keys={
            "number": DIALLED, "domain": site.net["appliance"].address, "from": SLOW,
            "from_host": site.net["carrier"].address})
    assert gateway.run(10), said(gateway)
    site.nothing_left()
    time.sleep(2)
    assert charged(site) == before
