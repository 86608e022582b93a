"""Call transfer with real packets: who stays and the target hear each other octet by octet, after a blind
transfer and after a consultation, by UDP, TCP and TLS, RTP and SRTP, with ports of one worker and of two."""

import contextlib
import time

import pytest
from conftest import Site
from lab import capture, media, phones, script, softphone, speech, srtp
from lab.appliance import BASE_DOMAIN, CALLED, NUMBER
from lab.certificates import contexts
from pair import Pair, wait_up
from stream_test import make_certificate

TARGET = "+442071838750"
TARGET_PORT, OTHER_PORT = 43000, 44000


@pytest.fixture(scope="module", params=[1, 2], ids=["one-worker", "two-workers"])
def site(request, build, tmp_path_factory):
    """A site of its own: its trunks have transfer switched on."""
    folder = tmp_path_factory.mktemp("transfer")
    certificate, key = make_certificate(folder)
    made = Site(build, folder, name=f"transfer{request.param}", options={
        "tls.ecdsa_certificate": certificate, "tls.ecdsa_key": key,
        "dataplane.workers": request.param})
    made.tls = contexts(certificate, key)
    try:
        made.start()
        for trunk in ("fast", "strict", "locked"):
            made.trunkd.change("trunk", made.sids[trunk], transfer="true")
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def leave_nothing(site):
    yield
    site.clear_away()
    site.nothing_left()


def reached_by(transport):
    """The fields of a carrier; nobody looks at its certificate."""
    return {} if transport == "udp" else {"transport": transport, "tls_verify": "false"}


@contextlib.contextmanager
def target(site, suites=(), transport="udp"):
    """A phone of the PSTN that takes the next call, behind another carrier."""
    fields = {"srtp": "true"} if suites else {}
    host = site.net["carrier2"]
    with site.other_carrier(**fields, **reached_by(transport)), media.Media(host, TARGET_PORT, suites) as own, \
            softphone.Softphone(host, own, site.net["appliance"].address, transport=transport,
                                tls=site.tls) as phone:
        yield phone


@contextlib.contextmanager
def carrier_by(site, transport):
    """What the first carrier speaks meanwhile."""
    fields = reached_by(transport)
    if fields:
        site.trunkd.change("carrier", site.sids["gateway-1"], **fields)
    try:
        yield
    finally:
        if fields:
            site.trunkd.change("carrier", site.sids["gateway-1"], transport="auto", tls_verify="true")


def compare(one, other):
    """What each said since `forget` beside what the other heard."""
    return capture.compare(one.said, other.heard), capture.compare(other.said, one.heard)


def converse(site, one, other, seconds=1):
    """Both talk after the transfer; nothing is missing, nothing changed."""
    for end in (one, other):
        end.said.clear(), end.heard.clear()
    octets = int(seconds * 50) * 160
    media.converse((one, site.speech["pbx"][:octets]), (other, site.speech["carrier"][:octets]))
    end = time.monotonic() + 2
    while any(each.missing for each in compare(one, other)) and time.monotonic() < end:
        time.sleep(0.02)
    for each in compare(one, other):
        assert each.is_identical and each.said >= seconds * 50, each


def wait_left(phone):
    """Who transferred was released by us."""
    phone.wait_requests("BYE")


# Trunk, transport and media of the customer; transport of both carriers.
LEGS = {"udp": ("fast", "udp", (), "udp"), "tcp": ("fast", "tcp", (), "tcp"),
        "tls-srtp": ("strict", "tls", (srtp.LONG,), "tls"),
        "udp-srtp": ("locked", "udp", (srtp.LONG,), "udp")}


@pytest.mark.parametrize("legs,held", [("udp", False), ("udp", True), ("tcp", True), ("tls-srtp", False),
                                       ("udp-srtp", True)])
def test_a_blind_transfer_joins_who_stays_and_the_target(site, legs, held):
    """XFER-001, XFER-002, XFER-004, XFER-008: REFER, 202, NOTIFY 100 and 200, audio, BYE."""
    trunk, transport, suites, carriers = LEGS[legs]
    with site.watch() as seen, carrier_by(site, carriers), \
            Pair(site, trunk=trunk, suites=suites, transports=(transport, carriers),
                 tls=site.tls) as pair, target(site, transport=carriers) as third:
        pair.talk(0.4)
        if held:
            assert pair.caller.reinvite("sendonly").status == 200
        answer = pair.caller.refer(f"sip:{TARGET}@{trunk}.{BASE_DOMAIN}")
        assert answer.status == 202, answer.first
        assert pair.caller.told(200)[::len(pair.caller.progress()) - 1] == [100, 200]
        wait_left(pair.caller)
        pair.is_over = True
        assert CALLED in third.requests("INVITE")[0]["From"], "the transferee's number"
        assert not pair.called.requests("REFER")
        sid = wait_up(site)
        converse(site, pair.called_media, third.media, 0.6)
        assert third.hang_up().status == 200
        pair.called.wait_requests("BYE")
    rows = seen.rows(2)
    assert {row["to"] for row in rows} == {CALLED, TARGET}
    leg = site.trunkd.call(next(row["sid"] for row in rows if row["to"] == TARGET))
    assert leg["parent_sid"] == sid and leg["sip_status"] == 200
    # Each party's figures stand in the record it is about.
    assert next(one for one in leg["media"] if one["from"] == "called")["packets"] >= 30
    assert not seen.alerts()


@pytest.mark.parametrize("legs", ["udp", "tcp", "tls-srtp"])
def test_a_transfer_after_consultation_joins_two_calls(site, legs):
    """XFER-008, RFC 5589 7.1: both parties of the PSTN were spoken to, one waits on hold. On two workers
    who comes is told another port."""
    trunk, transport, suites, carriers = LEGS[legs]
    pbx = site.net["pbx"]
    with site.watch() as seen, carrier_by(site, carriers), \
            Pair(site, trunk=trunk, suites=suites, transports=(transport, carriers), tls=site.tls) as pair, \
            target(site, suites=(srtp.LONG,), transport=carriers) as third, \
            media.Media(pbx, OTHER_PORT, suites) as second, \
            softphone.Softphone(pbx, second, site.net["appliance"].address, NUMBER,
                                f"{trunk}.{BASE_DOMAIN}", port=5070, transport=transport,
                                tls=site.tls) as phone:
        pair.talk(0.4)
        assert pair.caller.reinvite("sendonly").status == 200
        assert phone.dial(TARGET).status == 200
        third.wait_requests("ACK")
        converse(site, second, third.media, 0.3)
        assert pair.caller.refer(phone.peer, replaced=phone).status == 202
        assert pair.caller.told(200)[0] == 100
        wait_left(pair.caller), wait_left(phone)
        pair.is_over = True
        wait_up(site)
        time.sleep(0.2)  # who stays, and who comes, were told of each other
        converse(site, pair.called_media, third.media, 0.6)
        assert pair.called.hang_up().status == 200
        third.wait_requests("BYE")
    assert {row["to"] for row in seen.rows(2)} == {CALLED, TARGET}
    assert not seen.alerts()


def test_a_busy_target_leaves_the_call_as_it_was(site):
    """XFER-004, XFER-006: who transfers hears why, takes the call off hold and goes on talking."""
    with Pair(site) as pair, target(site) as third:
        third.answer_status = 486
        assert pair.caller.reinvite("sendonly").status == 200
        assert pair.caller.refer(f"tel:{TARGET}").status == 202
        assert pair.caller.told(486) == [100, 486]
        assert pair.caller.reinvite().status == 200
        converse(site, pair.caller_media, pair.called_media, 0.5)
        pair.caller.refer("tel:5")
        assert pair.caller.told(400)[-1] == 400
        converse(site, pair.caller_media, pair.called_media, 0.2)


def test_a_phone_people_use_transfers(site):
    """baresip sends the REFER, hears NOTIFY and is released."""
    called = site.called(script.called_talks(site.work / "carrier.ulaw"))
    speech.write_wave(site.speech["pbx"], site.work / "pbx.wav")
    phone = phones.Baresip(site.net["pbx"], site.work, "baresip-refer", says=site.work / "pbx.wav",
                           user=NUMBER, domain=f"fast.{BASE_DOMAIN}",
                           outbound=f"sip:{site.net['appliance'].address}:5060").start()
    try:
        phone.dial(f"sip:{CALLED}@fast.{BASE_DOMAIN}")
        event = phone.wait_event("CALL_ESTABLISHED", "CALL_CLOSED")
        assert event and event["type"] == "CALL_ESTABLISHED", event.get("param")
        with target(site) as third:
            phone.command("transfer", f"sip:{TARGET}@fast.{BASE_DOMAIN}")
            assert third.wait_requests("ACK")
            event = phone.wait_event("CALL_CLOSED", "TRANSFER_FAILED")
            assert event and event["type"] == "CALL_CLOSED", event
            wait_up(site)
            assert third.hang_up().status == 200
        assert called.wait(10), called.complaint()
    finally:
        phone.stop()


@contextlib.contextmanager
def desk(site, suites=(), port=5080):
    """Another phone of the customer's, on the PBX's host."""
    pbx = site.net["pbx"]
    with media.Media(pbx, OTHER_PORT + 100, suites) as own, \
            softphone.Softphone(pbx, own, site.net["appliance"].address, NUMBER,
                                f"fast.{BASE_DOMAIN}", port=port) as phone:
        yield phone


def test_a_call_from_the_pstn_is_transferred_inside_the_company(site):
    """XFER-005: the PBX is the called side; a phone of its own takes over, and transfers on to the PSTN."""
    appliance, pbx, carrier = site.net["appliance"], site.net["pbx"], site.net["carrier"]
    uri = site.trunkd.add("origination_uri", trunk=site.sids["fast"], uri=f"sip:{pbx.address}")
    number = site.trunkd.add("number", account=site.sids["account"], e164="+14155550777",
                             trunk=site.sids["fast"])
    try:
        with media.Media(carrier, 45000) as far, media.Media(pbx, 46000) as near, \
                softphone.Softphone(carrier, far, appliance.address, "+81312345678",
                                    appliance.address) as caller, \
                softphone.Softphone(pbx, near, appliance.address) as phone, desk(site) as other, \
                target(site) as third:
            assert caller.dial("+14155550777").status == 200
            phone.wait_requests("ACK")
            converse(site, near, far, 0.4)
            assert phone.refer(f"sip:desk@{pbx.address}:5080").status == 202
            assert phone.told(200)[0] == 100
            wait_left(phone)
            wait_up(site)
            converse(site, other.media, far, 0.6)
            assert other.refer(f"tel:{TARGET}").status == 202
            assert other.told(200)[0] == 100
            wait_left(other)
            wait_up(site)
            converse(site, far, third.media, 0.6)
            assert caller.hang_up().status == 200
            third.wait_requests("BYE")
    finally:
        site.trunkd.trunkctl("remove", "number", number)
        site.trunkd.trunkctl("remove", "origination_uri", uri)


def test_another_phone_takes_a_call_over_by_replaces(site):
    """RFC 3891: INVITE with Replaces; both hear each other at once, who had the call is hung up."""
    with Pair(site) as pair, desk(site) as other:
        pair.talk(0.4)
        assert pair.caller.reinvite("sendonly").status == 200
        assert other.take_over(pair.caller).status == 200
        wait_left(pair.caller)
        pair.is_over = True
        wait_up(site)
        time.sleep(0.2)  # who stays is told that it is on hold no more
        converse(site, other.media, pair.called_media)
        assert other.hang_up().status == 200
        pair.called.wait_requests("BYE")
