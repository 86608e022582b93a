"""Calls as customers make them, and every way they end."""

import time

from conftest import PASSWORD, said
from lab import appliance, capture, phones, script, speech
from lab.appliance import CALLED, NUMBER

RINGING = [script.wait_for("INVITE"), script.answer(180, "Ringing")]
FIRST = [script.invite(), script.expect(100, optional=True), script.expect(180, optional=True)]


def talk(site, caller_steps, called_steps, **options):
    """Plays a story of two scripts; both must go as written."""
    called = site.called(*called_steps)
    caller = site.caller(*caller_steps, **options)
    is_good = caller.run(40)
    assert is_good, said(caller)
    assert called.wait(10), said(called)
    return caller, called


def assert_row(row, status, ended_by, **fields):
    assert (row["sip_status"], row["ended_by"]) == (status, ended_by), row
    for field, value in fields.items():
        assert row[field] == value, (field, row)


def test_a_call_with_digest_carries_speech_both_ways(site):
    with site.watch("pbx", "carrier") as seen:
        talk(site, [script.caller_talks(site.work / "pbx.ulaw", 10.1, credentials=True)],
             [script.called_talks(site.work / "carrier.ulaw")], trunk="office")
    to_carrier, to_pbx = seen.compare("pbx", "carrier"), seen.compare("carrier", "pbx")
    assert to_carrier.is_identical and to_carrier.said >= 499, to_carrier
    assert to_pbx.is_identical and to_pbx.said >= 499, to_pbx
    assert capture.audio(seen.at["carrier"].rtp(False)) == site.speech["pbx"]
    assert capture.audio(seen.at["pbx"].rtp(False)) == site.speech["carrier"]
    for host in ("pbx", "carrier"):
        assert {packet.packet.ttl for packet in seen.at[host].rtp(False)} == {64}
        assert {packet.checksum for packet in seen.at[host].packets} <= {"right", "none"}
    row = seen.row()
    assert_row(row, 200, "caller", to=CALLED, carrier="gateway-1", attempts=1)
    assert row["from"] == NUMBER and not row["alerts"] and row["talk_s"] >= 10
    for side, compared in zip(row["media"], (to_carrier, to_pbx)):
        assert 0 <= side["packets"] - compared.said <= 2
    assert [side["lost"] for side in row["media"]] == [0, 0]
    assert all(side["jitter_ms"] < 20 and side["ttl_lowest"] == 64 for side in row["media"])
    assert [step["what"] for step in row["ladder"] if step["leg"] == "caller"] == [
        "INVITE", "180", "200", "ACK", "BYE", "200"]


def test_a_phone_people_use_can_call(site):
    padded = site.speech["pbx"] + b"\xff" * speech.RATE * 5
    speech.write_wave(padded, site.work / "pbx.wav")
    called = site.called(script.called_talks(site.work / "carrier.ulaw"))
    with site.watch("pbx", "carrier") as seen:
        phone = phones.Baresip(site.net["pbx"], site.work, "baresip", says=site.work / "pbx.wav",
                               user=NUMBER, domain=appliance.DOMAIN,
                               credentials=(appliance.TRUNK, PASSWORD),
                               outbound=f"sip:{site.net['appliance'].address};transport=udp").start()
        try:
            phone.dial(f"sip:{CALLED}@{appliance.DOMAIN}")
            event = phone.wait_event("CALL_ESTABLISHED", "CALL_CLOSED")
            assert event and event["type"] == "CALL_ESTABLISHED", event
            time.sleep(3)
            phone.hang_up()
            assert called.wait(10), said(called)
        finally:
            phone.stop()
    assert seen.compare("pbx", "carrier").is_identical
    assert seen.compare("carrier", "pbx").is_identical
    heard = speech.read_wave(phone.heard())
    said_by_carrier = [speech.DECODED[octet] for octet in site.speech["carrier"]]
    assert longest_match(heard, said_by_carrier) > speech.RATE // 2  # half a second without a wrong one
    assert_row(seen.row(), 200, "caller")


def longest_match(heard, said_samples):
    """Length of the longest run of what was said, from the middle of speech, that was heard; decoders
    differ in the last bits of a sample."""
    begin = max(range(2000, 20000, 80), key=lambda at: sum(map(abs, said_samples[at:at + 80])))

    def is_same(a, b):
        return abs(a - b) <= 16 + abs(b) // 32
    for start in range(len(heard) - 80):
        if all(is_same(heard[start + k], said_samples[begin + k]) for k in range(80)):
            end = 0
            while start + end < len(heard) and begin + end < len(said_samples) and \
                    is_same(heard[start + end], said_samples[begin + end]):
                end += 1
            return end
    return 0


def test_the_caller_hangs_up_early(site):
    with site.watch() as seen:
        talk(site, [*FIRST, script.expect(200, dialog=True), script.ack(), script.bye(2),
                    script.expect(200)],
             [*RINGING, script.answer(200, "OK", script.sdp()), script.wait_for("ACK"),
              script.wait_for("BYE"), script.answer_in_dialog()])
    assert_row(seen.row(), 200, "caller")
    assert not seen.alerts()


def test_the_called_party_hangs_up(site):
    with site.watch() as seen:
        talk(site, [*FIRST, script.expect(200, dialog=True), script.ack(), script.wait_for("BYE"),
                    script.answer_in_dialog()],
             [script.wait_for("INVITE", action=script.remember()), script.answer(180, "Ringing"),
              script.answer(200, "OK", script.sdp()), script.wait_for("ACK"), script.pause(0.5),
              script.called_bye(), script.expect(200)])
    assert_row(seen.row(), 200, "called")
    assert not seen.alerts()


def test_a_call_is_cancelled_while_it_rings(site):
    with site.watch() as seen:
        talk(site, [script.invite(), script.expect(100, optional=True), script.expect(180),
                    script.pause(0.3), script.cancel(), script.expect(200), script.expect(487),
                    script.ack_failure()],
             [*RINGING, script.wait_for("CANCEL"), script.answer_in_dialog(),
              cancelled_invite(), script.wait_for("ACK")])
    row = seen.row()
    assert_row(row, 487, "caller")
    assert row["answered_at"] is None and not seen.alerts()


def cancelled_invite():
    """487 to the INVITE: its CSeq differs from the CANCEL's, which came last."""
    return script.send("""SIP/2.0 487 Request Terminated
        [last_Via:]
        [last_From:]
        [last_To:];tag=[pid]U[call_number]
        [last_Call-ID:]
        CSeq: 1 INVITE""")


def test_a_busy_line_is_told_to_the_caller(site):
    with site.watch() as seen:
        caller, _ = talk(site, [script.invite(), script.expect(100, optional=True),
                                script.expect(486), script.ack_failure()],
                         [script.wait_for("INVITE"), script.answer(486, "Busy Here"),
                          script.wait_for("ACK")])
    assert any(text.startswith("SIP/2.0 486 ") for sent, text in caller.messages() if not sent)
    assert_row(seen.row(), 486, "called")


def test_nobody_answers(site):
    """sip.ring_timeout_s is 5 here: the carrier is cancelled, the caller hears 408."""
    with site.watch() as seen:
        start = time.monotonic()
        talk(site, [*FIRST, script.expect(408), script.ack_failure()],
             [*RINGING, script.wait_for("CANCEL"), script.answer_in_dialog(), cancelled_invite(),
              script.wait_for("ACK")])
        assert 4.5 < time.monotonic() - start < 8
    assert_row(seen.row(), 408, "trunkd")


def test_a_caller_that_never_acknowledges_loses_the_call(site):
    """SIP-004, with sip.ack_timeout_s at 3: both sides get BYE, media flows until then."""
    with site.watch("pbx", "carrier") as seen:
        start = time.monotonic()
        talk(site, [*FIRST, script.expect(200, dialog=True), script.play(site.work / "pbx.ulaw"),
                    *[script.expect(200, optional=True)] * 8,  # it is repeated, in vain
                    script.wait_for("BYE"), script.answer_in_dialog()],
             [script.called_talks(site.work / "carrier.ulaw")], options=["-nr"])
        assert 2.5 < time.monotonic() - start < 6
    assert seen.compare("pbx", "carrier").said > 100 and seen.compare("pbx", "carrier").is_identical
    assert_row(seen.row(), 200, "trunkd")
    assert "ACK" in seen.one_alert(32022)["text"]


def test_the_first_carrier_is_dead_so_the_second_gets_the_call_after_four_seconds(site):
    """TERM-032."""
    dead = site.trunkd.add("carrier", name="dead", address="192.0.2.99:5060", priority=1)
    try:
        with site.watch("pbx") as seen:
            talk(site, [script.caller_talks(None, 0.3)], [script.called_talks(None, ring=0)])
        steps = {step["what"].split()[0]: step["ms"] for step in seen.row()["ladder"]}
        rows = [step for step in seen.row()["ladder"]
                if step["leg"] == "called" and step["what"].startswith("INVITE")]
        assert len(rows) == 2 and 3900 <= rows[1]["ms"] - rows[0]["ms"] <= 4500, (steps, rows)
        assert_row(seen.row(), 200, "caller", carrier="gateway-1", attempts=2)
    finally:
        site.trunkd.trunkctl("remove", "carrier", dead)


def test_a_call_is_held_and_taken_up_again(site):
    hold, resume = script.sdp(direction="sendonly", version=2), script.sdp(version=3)
    again = [script.wait_for("INVITE"), script.answer_in_dialog(body=script.sdp(version=2)),
             script.wait_for("ACK")]
    with site.watch("pbx", "carrier") as seen:
        _, called = talk(
            site,
            [*FIRST, script.expect(200, dialog=True), script.ack(1),
             script.play(site.work / "pbx.ulaw"), script.pause(0.5),
             script.reinvite(hold, 2), script.expect(100, optional=True),
             script.expect(200, dialog=True), script.ack(2), script.pause(0.5),
             script.reinvite(resume, 3), script.expect(100, optional=True),
             script.expect(200, dialog=True), script.ack(3), script.pause(0.5), script.bye(4),
             script.expect(200)],
            [*RINGING, script.answer(200, "OK", script.sdp()), script.wait_for("ACK"),
             script.play(site.work / "carrier.ulaw"), *again, *again, script.wait_for("BYE"),
             script.answer_in_dialog()])
    invites = [text for sent, text in called.messages() if not sent and text.startswith("INVITE")]
    assert len(invites) == 3 and "a=sendonly" in invites[1] and "a=sendonly" not in invites[2]
    assert seen.compare("pbx", "carrier").is_identical
    assert seen.compare("carrier", "pbx").is_identical
    assert_row(seen.row(), 200, "caller")


def test_options_is_answered(site):
    caller = site.caller(script.options_request(), script.expect(200))
    assert caller.run(5), said(caller)
