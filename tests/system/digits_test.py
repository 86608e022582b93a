"""Digits: INFO of a phone becomes telephone events for a carrier, and the other way round (media.dtmf)."""

import contextlib
import time

from conftest import said
from lab import capture, script, talker
from pair import wait_up

PBX_PORT, CARRIER_PORT = 30000, 32000
KEYS = "0123456789*#ABCD"
ALLOW = "Allow: INVITE, ACK, CANCEL, BYE, INFO"


@contextlib.contextmanager
def converting(site, **options):
    site.trunkd.write_config(media__dtmf="convert", **options)
    site.trunkd.trunkctl("reload")
    try:
        yield
    finally:
        site.trunkd.write_config(media__dtmf="pass")
        site.trunkd.trunkctl("reload")


def info(key, cseq):
    """The phone's INFO, and the answer it waits for."""
    body = f"Signal={key}\nDuration=100\n"
    text = script.request("INFO", "[next_url]", cseq, headers="Content-Type: application/dtmf-relay")
    return text.replace("\n\n\n]]>", f"\n\n{body}]]>") + script.expect(200)


def keys_of(packets):
    """What a receiver makes of telephone events by RFC 4733, without our code: one key for each timestamp, its
    end at least once, no number of a packet missing or twice."""
    events = [packet for packet in packets if packet.type != 0]
    ended = {packet.timestamp for packet in events if packet.payload[1] & 0x80}
    assert ended == {packet.timestamp for packet in events}
    return "".join(KEYS[payload[0]] for payload in dict(
        (packet.timestamp, packet.payload) for packet in events).values())


def check_numbers(packets):
    numbers = [packet.sequence for packet in packets]
    assert all((after - before) & 0xFFFF == 1 for before, after in zip(numbers, numbers[1:])), numbers
    assert len({packet.ssrc for packet in packets}) == 1


def test_info_of_a_phone_reaches_the_carrier_as_telephone_events(site):
    """DTMF-001: every key, while the phone talks; to its receiver it is one stream."""
    pressed = "1234567890*#ABCD"
    with converting(site), site.watch("pbx", "carrier") as seen, contextlib.ExitStack() as stack:
        called = site.called(script.called_talks(None, ring=0, body=script.sdp(port=CARRIER_PORT)))
        caller = site.caller(
            script.invite(script.sdp(port=PBX_PORT, event=None), headers=ALLOW),
            script.expect(100, optional=True), script.expect(180, optional=True),
            script.expect(200, dialog=True), script.ack(), script.pause(0.5),
            *(info(key, 2 + number) for number, key in enumerate(pressed)),
            script.wait_for("BYE"), script.answer_in_dialog()).start()
        sid = wait_up(site)
        phone = stack.enter_context(talker.Talker(site.net["pbx"], PBX_PORT))
        address, port, _ = talker.media_told(seen.at["pbx"])
        octets = site.speech["pbx"]
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            phone.say(octets[:8000], (address, port))  # a second of speech
            arrived = seen.at["carrier"].rtp(False)
            if keys_done(arrived, len(pressed)):
                break
        phone.say(octets[:1600], (address, port))
        time.sleep(0.2)
        arrived = seen.at["carrier"].rtp(False)
        assert not any(text.startswith("INFO") for _, text in seen.at["carrier"].sip())
        site.trunkd.trunkctl("hangup", sid)
        assert caller.wait(10), said(caller)
        assert called.wait(10), said(called)
    assert keys_of(arrived) == pressed
    check_numbers(arrived)
    assert len(capture.audio([packet for packet in arrived if packet.type == 0])) > 8000


def keys_done(packets, count):
    return len({packet.timestamp for packet in packets if packet.type and packet.payload[1] & 0x80}) == count


def test_telephone_events_of_the_carrier_reach_a_phone_as_info(site):
    """DTMF-002: each key once, whatever copies its end has."""
    with converting(site), site.watch("pbx", "carrier") as seen, contextlib.ExitStack() as stack:
        called = site.called(script.called_talks(None, ring=0, body=script.sdp(port=CARRIER_PORT)))
        caller = site.caller(
            script.invite(script.sdp(port=PBX_PORT, event=None), headers=ALLOW),
            script.expect(100, optional=True), script.expect(180, optional=True),
            script.expect(200, dialog=True), script.ack(),
            *(step for key in "7*" for step in (
                script.wait_for("INFO", action=expects(key)), script.answer_in_dialog())),
            script.wait_for("BYE"), script.answer_in_dialog()).start()
        sid = wait_up(site)
        gateway = stack.enter_context(talker.Talker(site.net["carrier"], CARRIER_PORT))
        address, port, types = talker.media_told(seen.at["carrier"])
        kind = next(kind for kind, name in types.items() if name == "telephone-event")
        gateway.say(site.speech["carrier"][:1600], (address, port))
        for key in "7*":
            gateway.press(KEYS.index(key), kind, (address, port))
        deadline = time.monotonic() + 10
        while side_of_called(site, sid)["events"] < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        side = side_of_called(site, sid)
        assert side["events"] == 2 and side["digits"] is None  # not which ones, unless told to
        time.sleep(0.3)
        site.trunkd.trunkctl("hangup", sid)
        assert caller.wait(10), said(caller)
        assert called.wait(10), said(called)
    assert {packet.type for packet in seen.at["pbx"].rtp(False)} == {0}


def side_of_called(site, sid):
    return next(side for side in site.trunkd.call(sid)["media"] if side["from"] == "called")


def expects(key):
    """The INFO names that key."""
    key = key.replace("*", r"\*")
    return (f'<action><ereg regexp="Signal={key}" search_in="msg" check_it="true" assign_to="key"/>'
            '<log message="[$key]"/></action>')
