"""Calls from the PSTN: a carrier's gateway calls a number, a customer's PBX is called."""

import contextlib
import socket
import ssl
import time

import pytest
from conftest import Site, said
from lab import capture, certificates, media, phones, script, softphone, speech

DIALLED, CALLER = "+14155550188", "+81312345678"
REFUSE = [script.wait_for("INVITE"), script.answer(503, "Service Unavailable"), script.wait_for("ACK")]


@pytest.fixture(scope="module")
def site(build, tmp_path_factory):
    """A site of its own, with certificates: a trunk `inbound` with a number, and no URI yet."""
    work = tmp_path_factory.mktemp("origination")
    made = Site(build, work, name="orig")
    made.authority = certificates.Authority(work / "certificates")
    made.trunkd.options.update(made.authority.options("pstn.trunkd.example",
                                                      made.net["appliance"].address))
    hosts = [f"IP:{made.net[name].address}" for name in ("pbx", "stranger")]
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*made.authority.issue("hosts", hosts))
    client = ssl.create_default_context(cafile=made.authority.ca)
    client.check_hostname = False
    made.tls = client, server
    made.start()
    made.add_inbound(DIALLED)
    try:
        yield made
    finally:
        made.stop()


@contextlib.contextmanager
def leads_to(site, *uris):
    """The trunk's calls go there, the first one first."""
    sids = [site.trunkd.add("origination_uri", trunk=site.sids["inbound"], uri=uri,
                            priority=10 * (place + 1)) for place, uri in enumerate(uris)]
    try:
        yield
    finally:
        for sid in sids:
            site.trunkd.trunkctl("remove", "origination_uri", sid)


def gateway(site, *steps, **options):
    """sipp as a carrier's gateway that calls."""
    appliance, carrier = site.net["appliance"].address, site.net["carrier"].address
    return site.caller(*steps, host="carrier", name="gateway", keys={
        "number": DIALLED, "domain": appliance, "from": CALLER, "from_host": carrier}, **options)


def address(site, host="pbx"):
    return site.net[host].address


def call(site, seconds=2):
    """A call of the gateway that has to go well."""
    caller = gateway(site, script.caller_talks(site.work / "carrier.ulaw", seconds))
    assert caller.run(40), said(caller)


@contextlib.contextmanager
def silent(host, port=5060):
    """Takes what comes, and answers nothing."""
    with host.inside():
        hole = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with hole:
        hole.bind((host.address, port))
        yield


@contextlib.contextmanager
def takes_connections(host, *ports):
    """And says nothing on them, not even a handshake of TLS."""
    with contextlib.ExitStack() as stack:
        for port in ports:
            stack.enter_context(host.socket(port, socket.SOCK_STREAM)).listen(8)
        yield


def wait_listening(host, port, timeout=5):
    """Until somebody takes connections there."""
    end = time.monotonic() + timeout
    while True:
        with host.inside(), socket.socket() as probe:
            if probe.connect_ex((host.address, port)) == 0:
                return
        assert time.monotonic() < end, f"nobody listens on port {port}"
        time.sleep(0.05)


def test_a_call_from_the_pstn_carries_speech_both_ways(site):
    """ORIG-001, ORIG-003, ORIG-005, ORIG-008, ORIG-039"""
    pbx = site.called(script.called_talks(site.work / "pbx.ulaw"), host="pbx")
    with leads_to(site, f"sip:{address(site)}"), site.watch("pbx", "carrier") as seen:
        call(site, 10.1)
        assert pbx.wait(10), said(pbx)
    to_pbx, to_carrier = seen.compare("carrier", "pbx"), seen.compare("pbx", "carrier")
    assert to_pbx.is_identical and to_pbx.said >= 499, to_pbx
    assert to_carrier.is_identical and to_carrier.said >= 499, to_carrier
    assert capture.audio(seen.at["pbx"].rtp(False)) == site.speech["carrier"]
    assert capture.audio(seen.at["carrier"].rtp(False)) == site.speech["pbx"]
    row = seen.row()
    assert (row["direction"], row["sip_status"], row["ended_by"]) == ("origination", 200, "caller")
    assert (row["from"], row["to"], row["carrier"]) == (CALLER, DIALLED, "gateway-1")
    assert row["uri"] == f"sip:{address(site)}" and not row["alerts"] and row["talk_s"] >= 10
    invite = next(text for is_sent, text in pbx.messages() if not is_sent and text.startswith("INVITE"))
    assert invite.startswith(f"INVITE sip:{DIALLED}@{address(site)} SIP/2.0\n"), invite
    assert f"\nDiversion: <sip:{DIALLED}@pstn.trunkd.example>\n" in invite
    assert f"\nVia: SIP/2.0/UDP {site.net['appliance'].address}:5060;" in invite


def test_a_pbx_is_called_by_tcp(site):
    """ORIG-009: at port 5060, with audio both ways."""
    pbx = phones.Sipp(site.net["pbx"], site.work, "called-tcp",
                      script.called_talks(site.work / "pbx.ulaw"), options=["-t", "t1"]).start()
    wait_listening(site.net["pbx"], 5060)
    with leads_to(site, f"sip:{address(site)};transport=tcp"), site.watch("pbx", "carrier") as seen:
        call(site, 1)
        assert pbx.wait(10), said(pbx)
    assert seen.compare("carrier", "pbx").is_identical
    assert seen.compare("pbx", "carrier").is_identical
    assert seen.row()["sip_status"] == 200


def test_a_phone_answers_by_tls_and_srtp(site):
    """ORIG-010, ORIG-012, ORIG-040, SRTP-004: a secure trunk, a phone people use, and a URI that says
    something else."""
    padded = site.speech["pbx"] + b"\xff" * speech.RATE * 5
    speech.write_wave(padded, site.work / "pbx.wav")
    phone = phones.Baresip(site.net["pbx"], site.work, "pbx-tls", user="bob", answers=True,
                           says=site.work / "pbx.wav", encryption="srtp-mand",
                           authority=site.authority).start()
    trunk = site.sids["inbound"]
    site.trunkd.trunkctl("change", "trunk", trunk, "secure=true")
    try:
        uri = f"sip:bob@{address(site)}:5061;transport=udp"
        with leads_to(site, uri), site.watch("carrier") as seen:
            call(site, 3)
            row = seen.row()
        assert row["sip_status"] == 200 and not row["alerts"], row
        assert [side["suite"] for side in row["media"]] == ["none", "AES_CM_128_HMAC_SHA1_80"]
        assert row["uri"] == f"sip:bob@{address(site)}:5061;transport=tls"
        assert len(seen.at["carrier"].rtp(False)) > 100  # it hears the phone
    finally:
        phone.stop()
        site.trunkd.trunkctl("change", "trunk", trunk, "secure=false")


def test_black_holes_cost_four_seconds_each(site):
    """ORIG-021, ORIG-029: nothing comes back by UDP; by TCP a host takes the INVITE and no more, by TLS not even
    the handshake. The next URI takes the call, and one alert each names those before."""
    pbx = site.called(script.called_talks(site.work / "pbx.ulaw"), host="pbx")
    host, hole = site.net["stranger"], address(site, "stranger")
    uris = (f"sip:{hole}", f"sip:{hole};transport=tcp", f"sip:{hole};transport=tls", f"sip:{address(site)}")
    with silent(host), takes_connections(host, 5060, 5061), leads_to(site, *uris), \
            site.watch("pbx", "carrier") as seen:
        call(site, 1)
        assert pbx.wait(10), said(pbx)
        row = seen.row()
    assert row["sip_status"] == 200 and row["attempts"] == 4 and row["uri"] == uris[3], row
    alerts = seen.alerts()[::-1]
    assert [(alert["code"], alert["cause"]) for alert in alerts] == 3 * [(32011, "uri_silent")], alerts
    for uri, alert in zip(uris, alerts):
        assert uri in alert["seen"] and "no response" in alert["seen"], alert
    asked = [step["ms"] for step in row["ladder"] if (step["leg"], step["what"]) == ("called", "INVITE")]
    assert len(asked) == 4, row["ladder"]
    for before, after in zip(asked, asked[1:]):
        assert 3900 <= after - before <= 5500, row["ladder"]


def test_hosts_that_refuse_cost_nothing(site):
    """ORIG-028: 503, then a host without anybody, which ICMP or TCP tells at once; then the PBX."""
    refuser = site.called(*REFUSE, host="stranger")
    pbx = site.called(script.called_talks(site.work / "pbx.ulaw"), host="pbx")
    nobody = address(site, "carrier2")
    uris = (f"sip:{address(site, 'stranger')}", f"sip:{nobody};transport=tcp", f"sip:{nobody};transport=tls",
            f"sip:{address(site)}")
    with leads_to(site, *uris), site.watch("pbx", "carrier") as seen:
        call(site)
        assert pbx.wait(10), said(pbx)
        assert refuser.wait(5), said(refuser)
        row = seen.row()
    assert [(alert["code"], alert["cause"]) for alert in seen.alerts()] == \
        [(32011, "uri_unreachable"), (32011, "uri_unreachable"), (32011, "uri_failed")]
    assert row["sip_status"] == 200 and row["attempts"] == 4
    answered = next(step["ms"] for step in row["ladder"] if step["what"] == "180")
    assert answered < 2000, row["ladder"]


def test_a_302_moves_the_call(site):
    """REDIR-001"""
    moved = f"Contact: <sip:bob@{address(site)}>"
    old = site.called(script.wait_for("INVITE"), script.send(f"""SIP/2.0 302 Moved Temporarily
        [last_Via:]
        [last_From:]
        [last_To:];tag=[pid]U[call_number]
        [last_Call-ID:]
        [last_CSeq:]
        {moved}""", retransmit=True), script.wait_for("ACK"), host="stranger")
    pbx = site.called(script.called_talks(site.work / "pbx.ulaw"), host="pbx")
    with leads_to(site, f"sip:{address(site, 'stranger')}"), site.watch("pbx", "carrier") as seen:
        call(site)
        assert pbx.wait(10), said(pbx)
        assert old.wait(5), said(old)
        row = seen.row()
    assert row["sip_status"] == 200 and row["uri"] == f"sip:bob@{address(site)}", row
    assert seen.compare("carrier", "pbx").is_identical and not row["alerts"]


@contextlib.contextmanager
def phone(site, host, port, transport="udp", **options):
    with media.Media(site.net[host], port) as own, \
            softphone.Softphone(site.net[host], own, address(site, "appliance"), transport=transport,
                                tls=site.tls, port=5061 if transport == "tls" else 5060, **options) as made:
        yield made


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_302_moves_the_call_by_streams(site, transport):
    """REDIR-001: asked by TCP or TLS, the PBX names another host, and how that one is reached."""
    with phone(site, "stranger", 47000, transport) as old, phone(site, "pbx", 48000, transport) as new, \
            phone(site, "carrier", 49000, user=CALLER, domain=address(site, "appliance")) as caller, \
            leads_to(site, f"sip:{old.place};transport={transport}"), site.watch() as seen:
        old.answer_status, old.contact = 302, new.contact
        assert caller.dial(DIALLED).status == 200
        new.wait_requests("ACK")
        octets = 25 * 160
        media.converse((caller.media, site.speech["carrier"][:octets]), (new.media, site.speech["pbx"][:octets]))
        time.sleep(0.2)
        for one, other in ((caller.media, new.media), (new.media, caller.media)):
            assert capture.compare(one.said, other.heard).is_identical and len(one.said) >= 25
        assert caller.hang_up().status == 200
        new.wait_requests("BYE")
        row = seen.row()
    assert len(old.requests("INVITE")) == 1 and old.requests("ACK") and not row["alerts"]
    assert row["sip_status"] == 200 and row["uri"] == new.contact.strip("<>"), row


def test_nobody_takes_the_call(site):
    """ORIG-037: 408 after 4 s; and without a URI it is in no call log (ORIG-033)."""
    refused = [script.invite(), script.expect(100), script.expect(408), script.ack_failure()]
    with silent(site.net["stranger"]), leads_to(site, f"sip:{address(site, 'stranger')}"), \
            site.watch() as seen:
        caller = gateway(site, *refused)
        assert caller.run(10), said(caller)
        assert seen.row()["sip_status"] == 408 and seen.one_alert(32011)
    with site.watch() as seen:
        caller = gateway(site, script.invite(), script.expect(100), script.expect(480),
                         script.ack_failure())
        assert caller.run(10), said(caller)
        assert seen.one_alert(32010)["trunk_sid"] == site.sids["inbound"]
        time.sleep(0.5)
        assert len(site.trunkd.history(1000)) == len(seen.before)


def test_a_stranger_is_no_carrier(site):
    """TERM-005: nothing at all is answered."""
    pbx = site.called(script.wait_for("INVITE"), host="pbx")
    with leads_to(site, f"sip:{address(site)}"):
        caller = phones.Sipp(
            site.net["stranger"], site.work, "forger",
            script.scenario(script.invite(), script.expect(100, timeout=2000)),
            target=f"{site.net['appliance'].address}:5060", timeout=4,
            keys={"number": DIALLED, "domain": address(site, "appliance"), "from": CALLER,
                  "from_host": address(site, "stranger")})
        assert not caller.run(10)
        assert not any(text.startswith("SIP/2.0") for is_sent, text in caller.messages() if not is_sent)
    assert pbx.process.poll() is None, "the PBX was called"
    pbx.stop()
