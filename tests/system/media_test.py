"""Media: TTL, symmetric RTP, telephone events, strangers' packets."""

import contextlib
import time

from conftest import said, verdict
from lab import capture, script, talker
from lab.appliance import CALLED
from pair import wait_up

PBX_PORT, CARRIER_PORT = 30000, 32000


@contextlib.contextmanager
def call_with_own_media(site, trunk="fast", event=101, called_event=101, seconds=60):
    """A call whose RTP the test makes itself: sockets at both ends, captures of both cables. It is
    hung up by the operator when the block ends."""
    with contextlib.ExitStack() as stack:
        seen = stack.enter_context(site.watch("pbx", "carrier"))
        called = site.called(script.called_talks(
            None, ring=0, body=script.sdp(port=CARRIER_PORT, event=called_event)))
        caller = site.caller(
            script.invite(script.sdp(port=PBX_PORT, event=event)),
            script.expect(100, optional=True), script.expect(180, optional=True),
            script.expect(200, dialog=True), script.ack(), script.wait_for("BYE"),
            script.answer_in_dialog(), trunk=trunk).start()
        sid = wait_up(site)
        ends = {}
        for host, port in (("pbx", PBX_PORT), ("carrier", CARRIER_PORT)):
            ends[host] = stack.enter_context(talker.Talker(site.net[host], port))
            address, to_port, ends[host].types = talker.media_told(seen.at[host])
            ends[host].target = (address, to_port)
        yield seen, ends, sid
        site.trunkd.trunkctl("hangup", sid)
        assert caller.wait(10), said(caller)
        assert called.wait(10), said(called)


def heard(seen, host):
    return capture.audio(seen.at[host].rtp(False, types={0}))


def event_type(end):
    return next(kind for kind, name in end.types.items() if name == "telephone-event")


def test_ttl_10_is_dropped_and_11_passes(site):
    """MEDIA-016, -017, -019."""
    octets = site.speech["pbx"][:1600]
    with call_with_own_media(site) as (seen, ends, _):
        ends["pbx"].say(octets, ends["pbx"].target, ttl=64)
        ends["pbx"].say(octets, ends["pbx"].target, ttl=10)
        ends["pbx"].say(octets, ends["pbx"].target, ttl=9)
        ends["pbx"].say(octets, ends["pbx"].target, ttl=11)
        time.sleep(0.1)
        arrived = seen.at["carrier"].rtp(False)
    assert len(arrived) == 20 and {packet.packet.ttl for packet in arrived} == {64}
    assert heard(seen, "carrier") == octets + octets
    row = seen.row()
    caller = next(side for side in row["media"] if side["from"] == "caller")
    assert caller["drops"]["ttl"] == 20 and caller["ttl_lowest"] == 9 and caller["packets"] == 20
    assert "TTL" in seen.one_alert(32913)["text"]


def test_without_symmetric_rtp_media_goes_to_the_negotiated_address_alone(site):
    """MEDIA-007: another port redirects nothing, another host is not even heard."""
    octets = site.speech["pbx"][:8000]
    with call_with_own_media(site) as (seen, ends, _):
        with talker.Talker(site.net["stranger"], PBX_PORT, ssrc=0x2CD) as stranger, \
                talker.Talker(site.net["pbx"], 31000, ssrc=0x3EF) as other:
            stranger.say(octets, ends["pbx"].target)
            other.say(octets[:1600], ends["pbx"].target)
            ends["carrier"].say(octets, ends["carrier"].target)
            ends["pbx"].say(octets, ends["pbx"].target)
        time.sleep(0.1)
    said = {packet.ssrc for packet in seen.at["carrier"].rtp(False)}
    assert 0x2CD not in said and ends["pbx"].ssrc in said
    to_pbx = seen.at["pbx"].rtp(False)
    assert len(to_pbx) == 50 and {packet.packet.target_port for packet in to_pbx} == {PBX_PORT}
    assert seen.row()["media"][0]["drops"]["source"] == 50


def test_with_symmetric_rtp_media_goes_back_to_where_it_comes_from(site):
    """MEDIA-008, -011: and a third host cannot take the stream over."""
    octets = site.speech["pbx"][:8000]
    answer = site.trunkd.change("trunk", site.sids["fast"], symmetric_rtp="true")
    assert "warnings" in answer  # MEDIA-010
    try:
        with call_with_own_media(site) as (seen, ends, sid):
            with talker.Talker(site.net["pbx"], 31000, ssrc=0x2CD) as other, \
                    talker.Talker(site.net["stranger"], 31000, ssrc=0x3EF) as thief:
                other.say(octets, ends["pbx"].target)
                thief.say(octets, ends["pbx"].target)
                ends["carrier"].say(octets, ends["carrier"].target)
                time.sleep(0.1)
                side = site.trunkd.call(sid)["media"][0]
                assert side["source_is_learned"] and side["source"].endswith(":31000")
        to_pbx = seen.at["pbx"].rtp(False)
        assert {packet.packet.target_port for packet in to_pbx} == {31000} and len(to_pbx) == 50
        arrived = seen.at["carrier"].rtp(False)
        assert {packet.ssrc for packet in arrived} == {0x2CD}
        assert len(arrived) >= 47  # learning takes three packets
    finally:
        site.trunkd.change("trunk", site.sids["fast"], symmetric_rtp="false")


def test_telephone_events_keep_their_meaning_when_their_numbers_differ(site):
    """The PBX calls them 96, the carrier 101: each hears its own number."""
    with call_with_own_media(site, event=96, called_event=101) as (seen, ends, _):
        octets = site.speech["pbx"][:1600]
        ends["pbx"].say(octets, ends["pbx"].target)
        ends["carrier"].say(octets, ends["carrier"].target)
        ends["pbx"].press(5, event_type(ends["pbx"]), ends["pbx"].target)
        ends["carrier"].press(7, event_type(ends["carrier"]), ends["carrier"].target)
        time.sleep(0.1)
    for host, kind, digit in (("carrier", 101, 5), ("pbx", 96, 7)):
        events = [packet for packet in seen.at[host].rtp(False) if packet.type != 0]
        assert {packet.type for packet in events} == {kind}, host
        assert len(events) == 8 and {packet.payload[0] for packet in events} == {digit}
    assert [side["events"] for side in seen.row()["media"]] == [1, 1]


def test_media_for_no_call_is_dropped_and_counted(site):
    before = verdict(site, "drop_no_stream")
    with talker.Talker(site.net["stranger"], 31000) as stranger:
        stranger.say(site.speech["pbx"][:1600], (site.net["appliance"].address, 15000))
    time.sleep(0.2)
    assert verdict(site, "drop_no_stream") == before + 10


def test_a_private_address_in_sdp_is_told(site):
    """MEDIA-012: media goes there and is lost, the alert says why."""
    body = script.sdp(port=PBX_PORT, address="10.1.2.3")
    with site.watch() as seen:
        called = site.called(script.called_talks(None, ring=0))
        caller = site.caller(script.caller_talks(None, 0.5, body=body))
        assert caller.run(10), said(caller)
        assert called.wait(10), said(called)
    assert "10.1.2.3" in str(seen.one_alert(32914))
    assert seen.row()["to"] == CALLED
