"""TLS seen from outside: the library's own client per version and suite, a public scanner, and phones
people use. The site's certificates are of a CA of the lab; *.sip.example is a further one, by SNI."""

import contextlib
import json
import os
import re
import select
import subprocess
import time
import xml.etree.ElementTree

import pytest
from conftest import ROOT, Site, bound, listed, said
from lab import appliance, certificates, media, phones, script, softphone, speech
from lab.appliance import CALLED, NUMBER
from pair import Pair

DOMAIN = f"locked.{appliance.BASE_DOMAIN}"
SUITES = [  # TLS-008
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384", "AES128-GCM-SHA256", "AES128-SHA256",
    "AES128-SHA", "AES256-GCM-SHA384", "AES256-SHA256", "AES256-SHA"]
OTHERS = ["ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-CHACHA20-POLY1305", "DHE-RSA-AES128-GCM-SHA256",
          "AES128-CCM", "CAMELLIA128-SHA", "NULL-SHA256", "AECDH-AES128-SHA"]


@pytest.fixture(scope="module")
def site(build, tmp_path_factory):
    """A site of its own: it has certificates, and its accounts change their settings."""
    work = tmp_path_factory.mktemp("tls")
    authority = certificates.Authority(work / "certificates")
    further = work / "further"
    made = Site(build, work, name="tls")
    options = authority.options(appliance.BASE_DOMAIN, made.net["appliance"].address)
    authority.issue("sip", ["DNS:*.sip.example"])
    further.mkdir()
    for name in ("sip.crt", "sip.key"):
        (further / name).write_bytes(authority.path(name).read_bytes())
    made.trunkd.options.update({**options, "tls.certificate_directory": further})
    made.authority = authority
    try:
        yield made.start()
    finally:
        made.stop()


class Client:
    """openssl s_client on a host; `words` as for the command."""

    def __init__(self, site, *words, host="pbx", name=DOMAIN, text="Q\n", verify=True):
        target = f"{site.net['appliance'].address}:5061"
        trust = ["-CAfile", site.authority.ca, "-verify_return_error"] if verify else []
        self.done = subprocess.run(
            site.net[host].words("openssl", "s_client", "-connect", target, "-servername", name,
                                 *trust, *words),
            input=text, capture_output=True, text=True, timeout=20, check=False)
        self.text = self.done.stdout + self.done.stderr

    @property
    def is_open(self):
        return self.done.returncode == 0 and "Cipher is (NONE)" not in self.text

    def find(self, pattern):
        match = re.search(pattern, self.text, re.M)
        return match.group(1).strip() if match else None

    @property
    def suite(self):
        return self.find(r"Cipher is (\S+)")


def old(version):
    return [f"-{version}", "-cipher", "ALL:@SECLEVEL=0"]


def failures(site, reason):
    rows = site.trunkd.metrics()["trunkd_tls_handshakes_failed_total"]
    return rows[f'reason="{reason}"']


@pytest.mark.parametrize("suite", SUITES)
def test_each_suite_of_the_list_is_taken(site, suite):
    """TLS-008, TLS-009, TLS-015; the chain verifies against the bundle of TLS-013."""
    client = Client(site, "-tls1_2", "-cipher", suite)
    assert client.is_open, client.text
    assert client.suite == suite
    assert client.find(r"Verify return code: (\d+)") == "0"


@pytest.mark.parametrize("suite", OTHERS)
def test_no_other_suite_is_taken(site, suite):
    before = failures(site, "cipher")
    client = Client(site, "-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0", verify=False)
    assert not client.is_open, client.text
    assert "handshake failure" in client.text, client.text
    assert failures(site, "cipher") == before + 1
    assert "reason=cipher" in site.trunkd.log()


@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                   "TLS_CHACHA20_POLY1305_SHA256"])
def test_tls_1_3_is_spoken(site, suite):
    client = Client(site, "-tls1_3", "-ciphersuites", suite)
    assert client.is_open and client.suite == suite, client.text


def test_the_bundle_for_customers_verifies_us(site):
    """TLS-013"""
    bundle = site.work / "bundle.pem"
    bundle.write_text(site.trunkd.trunkctl("show", "tls", "ca", raw=True))
    client = Client(site, "-CAfile", bundle, "-verify_return_error", "-verify_hostname", DOMAIN,
                    verify=False)
    assert client.is_open and client.find(r"Verify return code: (\d+)") == "0", client.text


@pytest.mark.parametrize("version", ["tls1", "tls1_1"])
def test_old_versions_come_with_the_account_s_setting_alone(site, version):
    """TLS-002 to -004, -006, -007: refused, and told to the customer whose domain it named."""
    words = {"tls1": "1.0", "tls1_1": "1.1"}[version]
    before = failures(site, "deprecated_version")
    with site.watch() as seen:
        client = Client(site, *old(version), name=f"office.{appliance.BASE_DOMAIN}", verify=False)
        assert not client.is_open and "protocol version" in client.text, client.text
        assert failures(site, "deprecated_version") == before + 1
        if version == "tls1":  # the next of the same minute, host and reason is not told again
            alert = seen.one_alert(32222)
            assert alert["account_sid"] == site.sids["account"]
            assert f"TLS {words} at most" in alert["seen"], alert
            assert site.net["pbx"].address in alert["seen"], alert
    site.trunkd.change("account", site.sids["account"], deprecated_tls="true")
    try:
        client = Client(site, *old(version), verify=False)
        assert client.is_open, client.text
        assert client.find(r"Protocol *: (\S+)") == {"1.0": "TLSv1", "1.1": "TLSv1.1"}[words]
        assert client.suite in ("AES128-SHA", "AES256-SHA")
    finally:
        site.trunkd.change("account", site.sids["account"], deprecated_tls="false")
    assert not Client(site, *old(version), verify=False).is_open


def options_request(name):
    return (f"OPTIONS sip:{name} SIP/2.0\r\nVia: SIP/2.0/TLS 198.51.100.9:5061;branch=z9hG4bK{time.time()}"
            "\r\nMax-Forwards: 70\r\nFrom: <sip:a@b.example>;tag=1\r\nTo: <sip:" + name + ">\r\n"
            f"Call-ID: {time.time()}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")


def converse(site, words, name, request):
    """What comes back on a connection on which that request was sent, and whether it was closed then."""
    process = site.net["pbx"].start(
        "openssl", "s_client", "-quiet", "-connect", f"{site.net['appliance'].address}:5061",
        "-servername", name, *words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.7)
        process.stdin.write(request.encode())
        process.stdin.flush()
        time.sleep(0.7)
        is_closed = process.poll() is not None
        process.terminate()
        return process.stdout.read().decode(errors="replace"), is_closed
    finally:
        process.kill()
        process.wait()


def test_a_request_of_an_account_without_the_setting_is_refused(site):
    """D-4, TLS-006: another account's setting opened the door, and no name said whose it is."""
    other = site.trunkd.add("account", name="Retro Ltd", deprecated_tls="true")
    try:
        with site.watch() as seen:
            answer, is_closed = converse(site, old("tls1"), "192.0.2.1", options_request(DOMAIN))
            assert answer.startswith("SIP/2.0 403 ") and is_closed, answer
            alert = seen.one_alert(32222)
            assert "TLS 1.0 from" in alert["seen"] and alert["account_sid"] == site.sids["account"]
        answer, is_closed = converse(site, ["-tls1_2"], DOMAIN, options_request(DOMAIN))
        assert answer.startswith("SIP/2.0 200 ") and not is_closed, answer
    finally:
        site.trunkd.trunkctl("remove", "account", other)


@pytest.mark.parametrize("algorithms,key", [("RSA-PSS+SHA256:RSA+SHA256", "rsa"),
                                            ("ECDSA+SHA256", "ecdsa")])
def test_clients_of_one_key_type_are_served(site, algorithms, key):
    """TLS-009"""
    for version in ("-tls1_2", "-tls1_3"):
        client = Client(site, version, "-sigalgs", algorithms)
        assert client.is_open and client.find(r"^ 0 s:CN = (\S+)") == key, client.text


@pytest.mark.parametrize("name,subject", [(DOMAIN, "ecdsa"), ("a.sip.example", "sip"),
                                          ("A.SIP.example", "sip"), ("a.b.sip.example", "ecdsa"),
                                          ("elsewhere.example", "ecdsa")])
def test_the_name_chooses_the_certificate(site, name, subject):
    """TLS-010 to -012, D-6"""
    client = Client(site, name=name)
    assert client.find(r"^ 0 s:CN = (\S+)") == subject, client.text
    assert len(re.findall(r"^ \d s:", client.text, re.M)) == 2  # with its CA


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_session_is_resumed_even_after_a_reload(site, version):
    session = site.work / f"session{version}"
    first = Client(site, version, "-sess_out", session, text=options_request(DOMAIN) + "Q\n")
    if version == "-tls1_3":  # the ticket comes after the handshake, with the first read
        converse(site, [version, "-sess_out", str(session)], DOMAIN, options_request(DOMAIN))
    assert first.is_open and session.exists(), first.text
    site.trunkd.trunkctl("reload")
    second = Client(site, version, "-sess_in", session)
    assert second.is_open and "Reused, " in second.text, second.text


def test_a_reload_shows_the_new_certificate_and_keeps_connections(site):
    """A connection that was open goes on; a broken file is refused with its name."""
    serial = Client(site).find(r"^ 0 s:CN = (\S+)")
    assert serial == "ecdsa"
    process = site.net["pbx"].start(
        "openssl", "s_client", "-quiet", "-connect", f"{site.net['appliance'].address}:5061",
        "-servername", DOMAIN, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.7)
        reloads = site.trunkd.metrics()["trunkd_tls_reloads_total"][""]
        certificate, _ = site.authority.issue(
            "ecdsa", [f"DNS:*.{appliance.BASE_DOMAIN}", "DNS:fresh.example"], days=20)
        site.trunkd.trunkctl("reload")
        assert site.trunkd.metrics()["trunkd_tls_reloads_total"][""] == reloads + 1
        shown = site.trunkd.trunkctl("show", "tls")["certificates"]
        assert any("fresh.example" in row["names"] for row in shown), shown
        assert "expires in" in site.trunkd.trunkctl("status")["tls"]["warning"]
        good = certificate.read_text()
        certificate.write_text("no certificate\n")
        with pytest.raises(appliance.Refused) as refused:
            site.trunkd.trunkctl("reload")
        assert str(certificate) in json.dumps(refused.value.answer), refused.value.answer
        checked = subprocess.run(
            [site.trunkd.program("trunkd"), "--check", site.trunkd.config_file],
            capture_output=True, text=True, timeout=20, check=False)
        assert checked.returncode == 1 and str(certificate) in checked.stderr, checked
        assert Client(site).is_open  # with what it had
        certificate.write_text(good)
        process.stdin.write(options_request(DOMAIN).encode())
        process.stdin.flush()
        time.sleep(0.7)
        process.terminate()
        assert process.stdout.read().startswith(b"SIP/2.0 200 ")
    finally:
        process.kill()
        process.wait()
        site.authority.issue("ecdsa", [f"DNS:*.{appliance.BASE_DOMAIN}",
                                       f"IP:{site.net['appliance'].address}"])
        site.trunkd.trunkctl("reload")


def on(flag):
    return "on" if flag == "1" else "off"


def scan(site):
    """What sslscan finds, as lines: one per protocol, suite, group and weakness."""
    file = site.work / "scan.xml"
    done = subprocess.run(
        site.net["pbx"].words("sslscan", f"--xml={file}", f"--sni-name={DOMAIN}", "--no-colour",
                              f"{site.net['appliance'].address}:5061"),
        capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    test = xml.etree.ElementTree.parse(file).getroot().find("ssltest")
    lines = [f"protocol {row.get('type').upper()} {row.get('version')} "
             f"{on(row.get('enabled'))}" for row in test.findall("protocol")]
    lines += [f"suite {row.get('sslversion')} {row.get('cipher')}"  # in the order of preference
              for row in test.findall("cipher")]
    lines += sorted(f"group {row.get('sslversion')} {row.get('name')}" for row in test.findall("group"))
    compression = test.find("compression")  # absent where the scanner's library knows none
    is_compressed = compression is not None and compression.get("supported") == "1"
    lines.append(f"renegotiation {on(test.find('renegotiation').get('supported'))}")
    lines.append(f"compression {'on' if is_compressed else 'off'}")
    lines += [f"heartbleed {row.get('sslversion')} {on(row.get('vulnerable'))}"
              for row in test.findall("heartbleed")]
    return lines


def documented():
    text = (ROOT / "docs/tls.md").read_text()
    block = re.search(r"```scan\n(.*?)```", text, re.S)
    return block.group(1).splitlines()


def test_a_public_scanner_finds_what_is_documented(site):
    found = scan(site)
    assert found == documented(), "\n".join(found)


def plain(octets):
    """Both zeros of PCMU as one: a decoder and an encoder do that too."""
    return octets.replace(b"\x7f", b"\xff")


def octets_of(wave):
    return plain(bytes(speech.encode(sample) for sample in speech.read_wave(wave)))


def test_a_phone_people_use_calls_a_secure_trunk_by_tls(site):
    """SRTP-007, SRTP-008, D-31: TLS and SDES end to end; what was said is heard, octet by octet."""
    padded = site.speech["pbx"] + b"\xff" * speech.RATE * 5
    speech.write_wave(padded, site.work / "pbx.wav")
    called = site.called(script.called_talks(site.work / "carrier.ulaw"))
    phone = phones.Baresip(
        site.net["pbx"], site.work, "baresip-tls", says=site.work / "pbx.wav", user=NUMBER,
        domain=f"strict.{appliance.BASE_DOMAIN}", encryption="srtp-mand", authority=site.authority,
        outbound=f"sip:{site.net['appliance'].address}:5061;transport=tls").start()
    try:
        with site.watch("pbx", "carrier") as seen:
            phone.dial(f"sip:{CALLED}@strict.{appliance.BASE_DOMAIN}")
            event = phone.wait_event("CALL_ESTABLISHED", "CALL_CLOSED")
            assert event and event["type"] == "CALL_ESTABLISHED", event
            time.sleep(2)
            phone.hang_up()
            assert called.wait(10), said(called)
            row = seen.row()
            assert row["sip_status"] == 200 and not seen.alerts()
            assert row["media"][0]["suite"].startswith("AES_CM_128"), row["media"]
    finally:
        phone.stop()
    # Signalling is unreadable on the PBX's cable, so its keys are too: what the carrier heard is
    # compared with what went into the phone's encoder, what came out of its decoder with what the
    # carrier said. At the end of the call some packets may be on their way.
    said_there, heard_there = octets_of(phone.said()), octets_of(phone.heard())
    heard = plain(b"".join(packet.payload for packet in seen.at["carrier"].rtp(False)
                           if packet.type == 0))
    both = min(len(heard), len(said_there))
    assert both > speech.RATE and abs(len(heard) - len(said_there)) <= 10 * 160, len(heard)
    assert heard[:both] == said_there[:both]
    assert len(heard_there) > speech.RATE and heard_there in plain(site.speech["carrier"])
    assert not any(b"INVITE" in packet.payload for packet in seen.at["pbx"].packets)


@contextlib.contextmanager
def carrier_by_tls(site, authority, **fields):
    """A carrier to which calls go first: a phone people use, that answers by TLS with a certificate of
    that authority."""
    speech.write_wave(site.speech["carrier"], site.work / "carrier.wav")
    gateway = phones.Baresip(site.net["carrier2"], site.work, f"gateway-{len(list(site.work.iterdir()))}",
                             user=CALLED, says=site.work / "carrier.wav", authority=authority,
                             answers=True)
    sid = site.trunkd.add("carrier", name="gateway-tls", priority=1, transport="tls",
                          address=f"{site.net['carrier2'].address}:5061", **fields)
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.stop()
        site.trunkd.trunkctl("remove", "carrier", sid)


def call_by(site, gateway):
    """Whether a call of two seconds went well, and whether the gateway had it."""
    caller = site.caller(script.caller_talks(site.work / "pbx.ulaw", 2), name="caller-tls")
    return caller.run(30), gateway.wait_event("CALL_ESTABLISHED", timeout=0.1) is not None


@pytest.mark.parametrize("is_known,verify", [(True, "true"), (False, "false")])
def test_a_carrier_is_reached_by_tls(site, is_known, verify):
    """TLS-002, ORIG-010: of a CA of tls.ca_file and for its address, unless nobody looks."""
    authority = site.authority if is_known else certificates.Authority(site.work / "strangers")
    with carrier_by_tls(site, authority, tls_verify=verify) as gateway:
        with site.watch("carrier2") as seen:
            assert call_by(site, gateway) == (True, True)
            assert seen.row()["sip_status"] == 200 and not seen.alerts()
    assert seen.at["carrier2"].packets
    assert not any(b"INVITE" in packet.payload for packet in seen.at["carrier2"].packets)


def test_a_carrier_that_cannot_be_believed_gets_no_call(site):
    """D-20: the next one does, at once, and the alert says why."""
    strangers = certificates.Authority(site.work / "strangers-2")
    called = site.called(script.called_talks(site.work / "carrier.ulaw"))
    with carrier_by_tls(site, strangers) as gateway:
        with site.watch() as seen:
            assert call_by(site, gateway) == (True, False)
            assert called.wait(10), said(called)
            codes = {alert["code"]: alert for alert in seen.alerts()}
            assert "certificate verify failed" in codes[32940]["seen"], codes
    assert failures(site, "certificate") >= 1


def test_a_connection_is_used_by_those_who_demand_no_more(site):
    """TLS-010: one that was made without a look at the certificate stands open when the carrier has to have a
    right one: it is not spoken to on it, the next carrier has the call."""
    strangers = certificates.Authority(site.work / "strangers-3")
    with carrier_by_tls(site, strangers, tls_verify="false") as gateway:
        assert call_by(site, gateway) == (True, True)
        before = failures(site, "certificate")
        site.trunkd.change("carrier", "gateway-tls", tls_verify="true")
        called = site.called(script.called_talks(site.work / "carrier.ulaw"))
        caller = site.caller(script.caller_talks(site.work / "pbx.ulaw", 2), name="caller-tls")
        assert caller.run(30) and called.wait(10), said(called)
        assert failures(site, "certificate") == before + 1


class Leading(softphone.Softphone):
    """Answers, and says that it is found elsewhere: by Contact, or behind a proxy that stays in the way."""

    def lead(self, header, uri):
        self.routes = []
        if header == "Contact":
            self.contact = f"<{uri}>"
        else:
            self.routes = [f"{header}: <{uri};lr>"]

    def _respond(self, message, source, status, body="", headers=()):
        return super()._respond(message, source, status, body, [*headers, *self.routes])


@contextlib.contextmanager
def led_call(site, header, shown):
    """The caller's phone, and the one where the carrier's answer leads, which shows that pair of files."""
    carrier, appliance_address = site.net["carrier2"], site.net["appliance"].address
    good = site.authority.issue("leading", [f"IP:{carrier.address}"])
    sid = site.trunkd.add("carrier", name="gateway-tls", priority=1, transport="tls",
                          address=f"{carrier.address}:5061")
    try:
        with media.Media(site.net["pbx"], 40000) as near, media.Media(carrier, 42000) as far, \
                Leading(carrier, far, appliance_address, CALLED, port=5061, transport="tls",
                        tls=certificates.contexts(*good)) as called, \
                softphone.Softphone(carrier, far, appliance_address, CALLED, port=5071, transport="tls",
                                    tls=certificates.contexts(*(shown or good))) as elsewhere, \
                softphone.Softphone(site.net["pbx"], near, appliance_address, NUMBER,
                                    f"fast.{appliance.BASE_DOMAIN}") as caller:
            called.lead(header, f"sip:{CALLED}@{carrier.address}:5071;transport=tls")
            assert caller.dial(CALLED).status == 200
            yield caller, elsewhere
            assert not called.requests("ACK") and not called.requests("BYE")
    finally:
        site.trunkd.trunkctl("remove", "carrier", sid)


@pytest.mark.parametrize("header", ["Contact", "Record-Route"])
def test_a_carrier_leads_to_where_its_name_is_shown(site, header):
    """TLS-010: the rest of the call goes to another port, which the answer names, by a new connection."""
    with led_call(site, header, None) as (caller, elsewhere):
        elsewhere.wait_requests("ACK")
        assert caller.hang_up().status == 200
        elsewhere.wait_requests("BYE")


@pytest.mark.parametrize("header", ["Contact", "Record-Route"])
@pytest.mark.parametrize("is_stranger", [True, False])
def test_a_carrier_leads_to_nobody_else(site, header, is_stranger):
    """TLS-010: who listens there shows a certificate of another CA, or one of ours for another address: he hears
    nothing of the call."""
    place = site.net["carrier2" if is_stranger else "stranger"].address
    authority = certificates.Authority(site.work / f"led-{header}") if is_stranger else site.authority
    before = failures(site, "certificate")
    shown = authority.issue("elsewhere", [f"IP:{place}"])
    with led_call(site, header, shown) as (caller, elsewhere):
        end = time.monotonic() + 15
        while failures(site, "certificate") == before and time.monotonic() < end:
            time.sleep(0.05)
        assert failures(site, "certificate") > before
        assert caller.hang_up().status == 200
        assert not elsewhere.received


def test_the_first_certificate_needs_no_restart(site):
    """The port is open while there is a certificate: a reload opens and closes it; calls go on."""
    kept = dict(site.trunkd.options)
    certified = {key: value for key, value in kept.items()
                 if key.startswith("tls.") and "ca_file" not in key}
    try:
        for key in certified:
            del site.trunkd.options[key]
        site.trunkd.write_config()
        site.trunkd.trunkctl("reload")
        assert "Connection refused" in Client(site, verify=False).text
        assert str(site.trunkd.trunkctl("status")["tls"]["listening"]).startswith("no")
    finally:
        site.trunkd.options.update(certified)
        site.trunkd.write_config()
        site.trunkd.trunkctl("reload")
    assert Client(site).is_open
    assert site.trunkd.trunkctl("status")["tls"]["listening"] is True


def test_what_customers_let_through_is_what_is_bound(site):
    """NET-012: signalling by UDP, TCP and TLS, each listed address and port and no other; and what calls have
    their media on."""
    host = site.net["appliance"]
    node = next(row for row in site.trunkd.trunkctl("show", "network")["network"] if row["edge"] == "(this node)")
    assert node["signalling_ports"] == "5060/udp 5060/tcp 5061/tls"
    assert listed(node) == bound(host)
    ports, kind = node["media_ports"].split("/")
    first, last = map(int, ports.split("-"))
    with site.watch("pbx", "carrier") as seen, Pair(site) as pair:
        pair.talk(0.4)
        pair.assert_identical()
        streams = [row["local"] for row in site.trunkd.trunkctl("show", "streams")["streams"]]
    packets = [rtp.packet for end in ("pbx", "carrier") for rtp in seen.at[end].rtp(True)]
    heard = {f"{packet.target}:{packet.target_port}" for packet in packets}
    assert len(streams) == 2 and heard == set(streams) and kind == "udp"
    for place in streams:
        address, _, port = place.rpartition(":")
        assert address in node["media"] and first <= int(port) <= last, (place, node)


def test_a_file_that_is_wrong_is_named(site):
    """By --check and reload with the line of the option, by change with the field of the carrier."""
    good = site.trunkd.options["tls.rsa_key"]
    line = 1 + next(i for i, text in enumerate(site.trunkd.config_file.read_text().splitlines())
                    if text.strip().startswith("rsa_key:"))
    place = f"{site.trunkd.config_file}:{line}: tls.rsa_key: "
    try:
        site.trunkd.write_config(tls__rsa_key="/nowhere/rsa.key")
        checked = subprocess.run(
            [site.trunkd.program("trunkd"), "--check", site.trunkd.config_file],
            capture_output=True, text=True, timeout=20, check=False)
        assert checked.returncode == 1 and place in checked.stderr, checked
        with pytest.raises(appliance.Refused) as refused:
            site.trunkd.trunkctl("reload")
        assert place in json.dumps(refused.value.answer), refused.value.answer
    finally:
        site.trunkd.write_config(tls__rsa_key=good)
    site.trunkd.trunkctl("reload")
    with pytest.raises(appliance.Refused) as refused:
        site.trunkd.change("carrier", "gateway-1", tls_certificate="/nowhere/own.crt")
    told = json.dumps(refused.value.answer)
    assert "tls_certificate" in told and "/nowhere/own.crt: No such file" in told, told
    certificate, key = site.authority.issue("own", ["DNS:own.example"])
    site.trunkd.change("carrier", "gateway-1", tls_certificate=certificate,
                       tls_key=key)
    try:
        key.rename(f"{key}.away")
        with site.watch() as seen:
            told = site.trunkd.trunkctl("reload")
            assert any(f"tls_key: {key}: No such file" in text for text in told["warnings"]), told
            codes = {alert["code"]: alert for alert in seen.alerts()}
            assert codes[32987]["header"] == "gateway-1", codes
            assert f"tls_key: {key}: No such file" in codes[32987]["seen"], codes
    finally:
        site.trunkd.change("carrier", "gateway-1", tls_certificate="", tls_key="")


def invite_request(called):
    tag = time.time()
    return (f"INVITE sip:{called}@{appliance.BASE_DOMAIN} SIP/2.0\r\n"
            f"Via: SIP/2.0/TLS 198.51.100.9:5061;branch=z9hG4bK{tag}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:+12125550100@gateway.example>;tag={tag}\r\nTo: <sip:{called}@b.example>\r\n"
            f"Call-ID: {tag}\r\nCSeq: 1 INVITE\r\nContact: <sip:198.51.100.9:5061;transport=tls>\r\n"
            "Content-Length: 0\r\n\r\n")


def hears(site, certificate, called="+12125559999"):
    """What an INVITE from the PBX's address gets, which is no carrier's, by TLS with that certificate or none."""
    words = ["-cert", certificate[0], "-key", certificate[1]] if certificate else []
    process = site.net["pbx"].start(
        "openssl", "s_client", "-quiet", "-connect", f"{site.net['appliance'].address}:5061", *words,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        process.stdin.write(invite_request(called).encode())
        process.stdin.flush()
        end = time.monotonic() + (20 if certificate else 3)
        seen = b""
        while time.monotonic() < end and b"404" not in seen:
            if select.select([process.stdout], [], [], 0.5)[0]:
                octets = os.read(process.stdout.fileno(), 65536)
                if not octets:
                    break
                seen += octets
        return seen.decode(errors="replace")
    finally:
        process.kill()
        process.wait()


def test_a_carrier_is_known_by_its_certificate(site):
    """A call of the PSTN by TLS from an address that is nobody's: the certificate's name says whose it is (the number
    is unknown, 404). Without one, with one of another name, or of another CA, nobody answers (TERM-005)."""
    authority = site.authority
    strangers = certificates.Authority(site.work / "strangers-of-calls")
    good = authority.issue("caller", ["DNS:other.example", "DNS:Calls.Gateway.example"])
    other = authority.issue("nobody", ["DNS:calls.gateway.example.evil.example", "DNS:*.gateway.example"])
    forged = strangers.issue("caller", ["DNS:calls.gateway.example"])
    site.trunkd.options["tls.client_ca_file"] = authority.ca
    site.trunkd.write_config()
    site.trunkd.trunkctl("reload")
    sid = site.trunkd.add("carrier", name="caller-tls", priority=50, transport="tls",
                          address="calls.gateway.example:5061", tls_name="calls.gateway.example")
    try:
        assert "404" in hears(site, good).splitlines()[0]
        for stranger in (other, forged, None):
            assert "404" not in hears(site, stranger)
        site.trunkd.change("carrier", sid, enabled="false")
        assert "404" not in hears(site, good)
    finally:
        site.trunkd.trunkctl("remove", "carrier", sid)
