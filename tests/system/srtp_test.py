"""SRTP on either leg, keys by SDES: what is said is heard, what is forged or replayed is not."""

import time

import pytest
from conftest import said
from lab import appliance, capture, media, phones, script, speech, srtp, talker
from lab.appliance import CALLED, NUMBER
from pair import Pair, side_of

WRAP = 65500  # sequence numbers that begin here wrap before a second is over
ORDERS = [(srtp.LONG, srtp.SHORT), (srtp.SHORT, srtp.LONG), (srtp.LONG,), (srtp.SHORT,)]
TAGS = {srtp.LONG: 10, srtp.SHORT: 4}


def speech_frames(site):
    return {octets[at:at + 160] for octets in site.speech.values()
            for at in range(0, len(octets), 160)}


@pytest.mark.parametrize("suites", ORDERS, ids=["80-32", "32-80", "80", "32"])
def test_a_leg_with_srtp_is_unreadable_and_the_other_one_plain(site, suites):
    """SRTP-001 to -003, -005, -009, -010: the first suite of the offer; RTP and RTCP sealed."""
    with site.watch("pbx", "carrier") as seen:
        with Pair(site, "locked", suites) as pair:
            pair.talk(1)
            for end in (pair.caller_media, pair.called_media):
                end.report()
            time.sleep(0.2)
            assert pair.caller_media.suite == suites[0] and pair.called_media.suite is None
            view = pair.view()
    pair.assert_identical(50)
    assert [side_of(view, name)["suite"] for name in ("caller", "called")] == [suites[0], "none"]
    plain = speech_frames(site)
    cable = [packet for packet in seen.at["pbx"].packets if packet.payload[:1] == b"\x80" and
             packet.payload[1] in (0, 128)]
    assert len(cable) == 100 and {len(packet.payload) for packet in cable} == {172 + TAGS[suites[0]]}
    assert not any(packet.payload[12:172] in plain for packet in cable)
    far = seen.at["carrier"].rtp(False)
    assert len(far) == 50 and all(packet.payload in plain for packet in far)
    # RTCP: ours to the PBX and its own to us carry index and the long tag, and nothing in clear.
    assert pair.caller_media.reports and pair.called_media.reports
    sealed = [packet for packet in seen.at["pbx"].packets if packet.payload[1:2] == b"\xc9"]
    assert sealed and all(b"lab" not in packet.payload for packet in sealed)
    opened = {report for report in pair.caller_media.reports}
    assert any(len(packet.payload) == len(report) + 14 and packet.payload[8:] != report[8:]
               for packet in sealed for report in opened)
    assert not seen.alerts()


def call_by_baresip(site, seen, then):
    """baresip calls over RTP/SAVP; `then` does things with the phone. Its cable, decrypted by the keys
    of both descriptions, beside the carrier's: what was said and heard, in both directions."""
    padded = site.speech["pbx"] + b"\xff" * speech.RATE * 5
    speech.write_wave(padded, site.work / "pbx.wav")
    called = site.called(script.called_talks(site.work / "carrier.ulaw", reinvites=2)
                         if then else script.called_talks(site.work / "carrier.ulaw"))
    phone = phones.Baresip(site.net["pbx"], site.work, "baresip-srtp", says=site.work / "pbx.wav",
                           user=NUMBER, domain=f"locked.{appliance.BASE_DOMAIN}",
                           encryption="srtp-mand",
                           outbound=f"sip:{site.net['appliance'].address};transport=udp").start()
    try:
        phone.dial(f"sip:{CALLED}@locked.{appliance.BASE_DOMAIN}")
        event = phone.wait_event("CALL_ESTABLISHED", "CALL_CLOSED")
        assert event and event["type"] == "CALL_ESTABLISHED", event
        time.sleep(2)
        if then:
            then(phone)
        phone.hang_up()
        assert called.wait(10), said(called)
    finally:
        phone.stop()
    time.sleep(0.1)
    opened = media.Opened(seen.at["pbx"])
    for outgoing in (True, False):  # the same key from the first description to the last
        assert [suite for suite, _ in opened.keys[outgoing]] == [srtp.LONG], opened.keys
    to_carrier = capture.compare_cables(opened, seen.at["carrier"])
    to_pbx = capture.compare_cables(seen.at["carrier"], opened)
    return to_carrier, to_pbx, phone


def test_a_phone_people_use_talks_srtp(site):
    with site.watch("pbx", "carrier") as seen:
        to_carrier, to_pbx, phone = call_by_baresip(site, seen, None)
    assert to_carrier.is_identical and to_carrier.said > 90, to_carrier
    assert to_pbx.is_identical and to_pbx.said > 90, to_pbx
    assert len(speech.read_wave(phone.heard())) > speech.RATE
    row = seen.row()
    assert row["sip_status"] == 200 and not seen.alerts()
    assert [side["suite"] for side in row["media"]] == [srtp.LONG, "none"]


def test_a_phone_people_use_holds_and_presses_keys_within_srtp(site):
    """DTMF-004; keys stay while it holds and takes up again."""
    def then(phone):
        phone.press("5")
        time.sleep(0.6)
        phone.hold()
        time.sleep(0.7)
        phone.resume()
        time.sleep(1.2)
    with site.watch("pbx", "carrier") as seen:
        to_carrier, to_pbx, _ = call_by_baresip(site, seen, then)
    assert to_carrier.is_identical and to_carrier.said > 150, to_carrier
    assert to_pbx.is_identical and to_pbx.said > 150, to_pbx
    events = [packet for packet in seen.at["carrier"].rtp(False) if packet.type == 101]
    assert events and {packet.payload[0] for packet in events} == {5}
    assert side_of(seen.row(), "caller")["events"] == 1


def test_hold_and_resume_keep_key_and_rollover(site):
    """Over a wrap: who starts the counter afresh hears nothing afterwards."""
    with Pair(site, "locked", (srtp.LONG,), sequence=WRAP, called_sequence=WRAP) as pair:
        pair.talk(1)
        master = pair.caller_media.peer_master
        for direction in ("sendonly", "sendrecv", "inactive", "sendrecv"):
            assert pair.caller.reinvite(direction).status == 200
            if direction == "sendonly":
                media.converse((pair.caller_media, site.speech["pbx"][:1600]))
        assert pair.caller_media.peer_master == master
        pair.talk(1)
        assert [side_of(pair.view(), name)["rollover"] for name in ("caller", "called")] == [1, 0]
    pair.assert_identical(100)


def test_another_port_keeps_key_and_rollover(site):
    with Pair(site, "locked", (srtp.SHORT,), sequence=WRAP, called_sequence=WRAP) as pair:
        pair.talk(1)
        master = pair.caller_media.peer_master
        pair.caller_media.move(44000)
        assert pair.caller.reinvite().status == 200
        pair.talk(1)
        assert pair.caller_media.peer_master == master
        assert pair.side("caller")["rollover"] == 1
    pair.assert_identical(100)


def test_a_sender_that_begins_anew_is_still_heard(site):
    """Another SSRC and sequence number under the same key, in the clear and sealed."""
    with Pair(site, "locked", (srtp.LONG,), sequence=WRAP, called_sequence=WRAP) as pair:
        for round_ in range(3):
            pair.talk(0.8)
            for end in (pair.caller_media, pair.called_media):
                end.ssrc += 1
                end.sequence = 65530 - 1000 * round_
        pair.talk(0.2)
        assert pair.side("caller")["ssrc_changes"] == 3
    pair.assert_identical(130)


def test_a_new_key_starts_afresh_and_the_old_one_goes_soon(site):
    """Packets of the old key that are late are heard for a moment, not for ever."""
    with Pair(site, "locked", (srtp.LONG,), sequence=WRAP) as pair:
        end = pair.caller_media
        pair.talk(1)
        old = end.out
        octets = site.speech["pbx"]
        late = []
        for index in range(5):
            packet = end.packet(octets[index * 160:(index + 1) * 160])
            late.append((packet, end.seal(packet)))
        end.renew_keys()
        assert pair.caller.reinvite().status == 200 and end.former is old
        pair.talk(0.5)
        for packet, sealed in late:
            end.said += capture.rtp_of([capture.Packet(time.time(), True, "", 0, "", 0, 64, "right",
                                                       packet)], True)
            end.send_raw(sealed)
        time.sleep(0.2)
        pair.assert_identical(75)
        time.sleep(2.3)
        before = pair.side("caller")["drops"]["authentication"]
        stale = end.packet(octets[:160])
        end.send_raw(end.seal(stale, old))
        pair.talk(0.2)
        assert pair.side("caller")["drops"]["authentication"] == before + 1
    pair.assert_identical(85)


def test_each_side_may_change_its_key(site):
    with site.other_carrier(srtp="true"), \
            Pair(site, "locked", (srtp.SHORT,), (srtp.LONG,), called_host="carrier2") as pair:
        pair.talk(0.5)
        pair.called_media.renew_keys()
        pair.caller_media.renew_keys()
        assert pair.caller.reinvite().status == 200
        pair.talk(0.5)
    pair.assert_identical(50)


def test_telephone_events_travel_inside_srtp(site):
    """DTMF-003, -004: each side with a number of its own."""
    with Pair(site, "locked", (srtp.LONG,), event=96, called_event=101) as pair:
        pair.talk(0.2)
        pair.caller_media.press(5)
        pair.called_media.press(7)
        time.sleep(0.1)
        for end, digit in ((pair.called_media, 5), (pair.caller_media, 7)):
            events = [packet for packet in end.heard if packet.type]
            assert len(events) == 8 and {packet.payload[0] for packet in events} == {digit}
            assert not end.refused
        assert [side["events"] for side in pair.view()["media"]] == [1, 1]


SUITE_PAIRS = [(srtp.LONG, srtp.LONG), (srtp.SHORT, srtp.LONG)]


@pytest.mark.parametrize("suites", SUITE_PAIRS, ids=["80-80", "32-80"])
def test_srtp_on_both_legs_has_two_keys(site, suites):
    with site.other_carrier(srtp="true"), \
            Pair(site, "locked", suites[:1], suites[1:], called_host="carrier2", sequence=WRAP,
                 called_sequence=WRAP) as pair:
        pair.talk(1)
        lines = srtp.read_crypto(pair.called.requests("INVITE")[0].body)
        assert [line.suite for line in lines] == [srtp.LONG]  # SRTP-004: one line, _80
        assert pair.called_media.peer_master not in pair.caller_media.masters.values()
        assert pair.caller_media.peer_master not in pair.called_media.masters.values()
    pair.assert_identical(50)


def test_srtp_only_towards_the_carrier(site):
    with site.other_carrier(srtp="true"), \
            Pair(site, "fast", (), (srtp.LONG,), called_host="carrier2", sequence=WRAP) as pair:
        pair.talk(1)
        assert pair.called_media.suite == srtp.LONG
    pair.assert_identical(50)


@pytest.mark.parametrize("suite", [srtp.GCM_128, srtp.GCM_256])
def test_aead_suites_are_taken_where_the_trunk_allows_them(site, suite):
    """RFC 7714; a trunk without the option does not take them."""
    with Pair(site, "sealed", (suite, srtp.LONG), sequence=WRAP, called_sequence=WRAP) as pair:
        assert pair.caller_media.suite == suite
        pair.talk(1)
        for end in (pair.caller_media, pair.called_media):
            end.report()
        time.sleep(0.2)
        assert pair.caller_media.reports and pair.called_media.reports
    pair.assert_identical(50)
    with Pair(site, "locked", (suite, srtp.LONG)) as pair:
        assert pair.caller_media.suite == srtp.LONG
        pair.talk(0.2)
    pair.assert_identical(10)


def test_an_aead_carrier_is_offered_aead(site):
    with site.other_carrier(srtp="true", srtp_aead="true"), \
            Pair(site, "locked", (srtp.SHORT,), (srtp.GCM_128,), called_host="carrier2") as pair:
        pair.talk(0.5)
        assert pair.called_media.suite == srtp.GCM_128
    pair.assert_identical(25)


def test_forged_packets_never_come_out(site):
    """Right address, wrong tag; right tag cut; replayed; plain; from a stranger: counted, with its
    source."""
    octets = site.speech["pbx"]
    with site.watch("carrier") as seen:
        with Pair(site, "locked", (srtp.LONG,)) as pair:
            pair.talk(0.5)
            end = pair.caller_media
            good = [end.seal(end.packet(octets[at:at + 160])) for at in range(0, 1600, 160)]
            for packet in good:
                end.send_raw(packet[:-1] + bytes([packet[-1] ^ 1]))
                end.send_raw(packet[:-10])
                end.send_raw(packet[:20] + b"\xff" * 152 + packet[172:])
            time.sleep(1.1)  # a stream tells who sent what it refused once a second
            with talker.Talker(site.net["stranger"], 40000) as stranger:
                for packet in good:
                    stranger.socket.sendto(packet, end.target)
            sealed = end.seal(end.packet(octets[:160]))
            for _ in range(5):
                end.send_raw(sealed)
            time.sleep(0.2)
            side = pair.side("caller")
            drops = side["drops"]
            pair.talk(0.5)
        assert drops["authentication"] == 30 and drops["source"] == 10 and drops["replay"] == 4
        assert side["srtp"]["not_authentic_from"] == f"{site.net['pbx'].address}:40000"
        assert side["refused"].startswith(site.net["stranger"].address)
        assert not pair.called_media.refused and len(pair.called_media.heard) == 51
        plain = speech_frames(site)
        assert all(packet.payload in plain for packet in seen.at["carrier"].rtp(False))
    assert not seen.alerts()  # both heard each other: no verdict, figures and sources only


SPRAYED = {"rtp": ("fast", (), "false"), "srtp": ("locked", (srtp.LONG,), "false"),
           "srtp-symmetric": ("locked", (srtp.LONG,), "true")}


@pytest.mark.parametrize("kind", SPRAYED)
def test_what_is_sprayed_before_and_during_a_call_never_bleeds_into_it(site, kind):
    """RTP bleed: from the first packet on nothing of it comes out, nor does it move a stream. (Of
    symmetric RTP in the clear the first plausible flow is believed: MEDIA-011.)"""
    trunk, suites, symmetric = SPRAYED[kind]
    site.trunkd.change("trunk", site.sids[trunk], symmetric_rtp=symmetric)
    try:
        with Pair(site, trunk, suites) as pair, \
                talker.Talker(site.net["stranger"], 31000, ssrc=0x666) as stranger:
            key = srtp.new_master(srtp.LONG)
            with srtp.Context(srtp.LONG, key, outbound=True) as context:
                for _ in range(2):
                    for at in range(0, 6400, 160):
                        packet = stranger.packet(b"\x42" * 160)
                        for target in (pair.caller_media.target, pair.called_media.target):
                            stranger.socket.sendto(packet, target)
                            stranger.socket.sendto(context.protect(packet) if target is
                                                   pair.caller_media.target else packet, target)
                    pair.talk(0.5)
            for end in (pair.caller_media, pair.called_media):
                assert 0x666 not in {packet.ssrc for packet in end.heard}
            assert not pair.side("caller").get("source", "").endswith(":31000")
        pair.assert_identical(50)
    finally:
        site.trunkd.change("trunk", site.sids[trunk], symmetric_rtp="false")


def refused(site, trunk, status, body=None):
    caller = site.caller(script.invite(body), script.expect(100, optional=True),
                         script.expect(status), script.ack_failure(), trunk=trunk)
    assert caller.run(10), said(caller)


def test_a_secure_trunk_refuses_what_is_not_secure(site):
    """SRTP-007, D-31: signalling over UDP, whatever the media."""
    lines = [srtp.crypto_line(srtp.LONG, srtp.new_master(srtp.LONG))]
    for body in (None, script.sdp(crypto=lines)):
        with site.watch() as seen:
            refused(site, "strict", 403, body)
        assert len(seen.alerts()) == 1 and "TLS" in seen.alerts()[0]["text"], seen.alerts()


def test_a_plain_trunk_refuses_srtp(site):
    """D-30."""
    lines = [srtp.crypto_line(srtp.LONG, srtp.new_master(srtp.LONG))]
    with site.watch() as seen:
        refused(site, "fast", 488, script.sdp(crypto=lines))
    assert len(seen.alerts()) == 1 and "SRTP" in str(seen.alerts()[0]), seen.alerts()


def test_lines_with_an_mki_or_an_unknown_suite_are_passed_over(site):
    """SRTP-006; lifetime, window size and parameters that may be passed over are borne."""
    good = srtp.new_master(srtp.SHORT)
    lines = [srtp.crypto_line(srtp.LONG, srtp.new_master(srtp.LONG), 1, "|2^20|1:4"),
             f"a=crypto:2 AES_CM_999 inline:{'A' * 40}",
             srtp.crypto_line(srtp.SHORT, good, 3, "|2^31 WSH=128 -LAB=1")]
    called = site.called(script.called_talks(None, ring=0))
    caller = site.caller(script.caller_talks(None, 0.3, body=script.sdp(crypto=lines)),
                         trunk="locked")
    assert caller.run(10), said(caller)
    assert called.wait(10), said(called)
    answer = next(text for sent, text in caller.messages() if not sent and "\na=crypto" in text)
    assert [(line.tag, line.suite) for line in srtp.read_crypto(answer)] == [(3, srtp.SHORT)]
    with site.watch() as seen:
        refused(site, "locked", 488, script.sdp(crypto=lines[:2]))
    assert len(seen.alerts()) == 1


def test_the_dataplane_is_killed_and_srtp_goes_on(site):
    """With a rollover counter above 0 in both directions: keys and counters are put back."""
    with Pair(site, "locked", (srtp.LONG,), sequence=WRAP, called_sequence=WRAP) as pair:
        pair.talk(1)
        before = site.trunkd.pid("trunkd-dataplane")
        site.trunkd.kill_other("trunkd-dataplane")
        end = time.monotonic() + 15
        while not has_streams(site, before):
            assert time.monotonic() < end
            time.sleep(0.1)
        pair.assert_identical(50)
        for party in (pair.caller_media, pair.called_media):
            party.said.clear()
        pair.talk(1)
        assert site.trunkd.pid("trunkd-dataplane") != before
        assert pair.side("caller")["rollover"] == 1
    pair.assert_identical(50)


def has_streams(site, before):
    try:
        return site.trunkd.pids("trunkd-dataplane") not in ([], [before]) and sum(
            worker["streams"] for worker in
            site.trunkd.trunkctl("show", "workers")["workers"]) == 4
    except (appliance.Refused, KeyError):
        return False


def test_senders_that_jump_ahead_over_wraps_are_still_heard(site):
    """The plain one too, whose wraps are counted for it."""
    with Pair(site, "locked", (srtp.SHORT,), sequence=WRAP) as pair:
        for _ in range(20):
            pair.talk(0.04, pace=0.002)
            pair.caller_media.sequence += 20000
            pair.called_media.sequence += 20000
        assert pair.side("caller")["rollover"] >= 6
    pair.assert_identical(40)
