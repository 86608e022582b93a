"""Why one side does not hear the other: provoked with real packets, told once (MEDIA-012 to -017, -024,
-025; DEBUG-027 to -030). And RTCP, from which some of it is known."""

import contextlib
import struct
import time

import pytest
from lab import media, srtp
from pair import CALLED_PORT, Pair, side_of

LONG_ENOUGH = 2.6  # seconds of a call after which its end may still tell


def verdict_of(seen, code):
    """The call's record, after which exactly one alert was raised, of that code."""
    row = seen.row()
    deadline = time.monotonic() + 3
    while not seen.alerts() and time.monotonic() < deadline:
        time.sleep(0.05)
    alert = seen.one_alert(code)
    assert alert["call"] == row["sid"], alert
    return row


def test_speech_with_a_ttl_of_10(site):
    """DEBUG-030."""
    with site.watch() as seen, Pair(site) as pair:
        pair.caller_media.set_ttl(10)
        pair.talk(LONG_ENOUGH)
    assert not pair.called_media.heard and pair.caller_media.heard
    assert side_of(verdict_of(seen, 32913), "caller")["verdict"] == "ttl"


def test_a_private_address_in_sdp_while_speech_comes_from_elsewhere(site):
    """DEBUG-027; MEDIA-024: the hint is symmetric RTP."""
    with site.watch() as seen, Pair(site, told="10.1.2.3") as pair:
        pair.talk(LONG_ENOUGH)
    row = verdict_of(seen, 32914)
    assert side_of(row, "caller")["verdict"] == "private_sdp"
    assert "symmetric RTP" in str(seen.alerts()[0])


@contextlib.contextmanager
def firewall(host, chain, rule):
    host.run("nft", "add", "table", "ip", "lab")
    try:
        host.run("nft", "add", "chain", "ip", "lab", "one",
                 f"{{ type filter hook {chain} priority 0; }}")
        host.run("nft", "add", "rule", "ip", "lab", "one", *rule.split())
        yield
    finally:
        host.run("nft", "delete", "table", "ip", "lab")


def test_a_firewall_that_lets_no_speech_out(site):
    """DEBUG-029."""
    with site.watch() as seen, Pair(site) as pair:
        with firewall(site.net["pbx"], "output", "udp dport 10000-20000 drop"):
            pair.talk(LONG_ENOUGH)
    row = verdict_of(seen, 32920)
    assert side_of(row, "caller")["verdict"] == "nothing_arrives"
    assert side_of(row, "called")["verdict"] == "none"


def test_a_firewall_that_lets_no_speech_in(site):
    """DEBUG-028: the only evidence are the phone's own reports."""
    with site.watch() as seen, Pair(site) as pair:
        with firewall(site.net["pbx"], "input", "udp sport 10000-20000 drop"):
            pair.talk(0.2)
            for _ in range(3):
                pair.talk(0.8)
                pair.caller_media.report(about=pair.called_media.ssrc, fraction=255, lost=40)
            time.sleep(0.3)
    assert not pair.caller_media.heard and pair.called_media.heard
    assert side_of(verdict_of(seen, 32925), "called")["verdict"] == "not_received"


def test_a_phone_that_no_longer_listens(site):
    """MEDIA-015: what comes back are ICMP errors."""
    site.net["carrier"].run("sysctl", "-qw", "net.ipv4.icmp_ratelimit=0")
    with site.watch() as seen, Pair(site) as pair:
        pair.talk(0.3)
        pair.called_media.close_port()
        pair.say(LONG_ENOUGH)
    row = verdict_of(seen, 32924)
    assert side_of(row, "caller")["verdict"] == "unreachable"


def test_speech_from_another_host_than_the_one_told(site):
    with site.watch() as seen, Pair(site) as pair, \
            media.Media(site.net["stranger"], 45000) as other:
        other.target = pair.caller_media.target
        media.converse((other, site.speech["pbx"][:int(LONG_ENOUGH * 50) * 160]),
                       (pair.called_media, site.speech["carrier"][:int(LONG_ENOUGH * 50) * 160]))
    assert side_of(verdict_of(seen, 32918), "caller")["verdict"] == "wrong_source"


def test_a_payload_type_that_was_not_agreed(site):
    with site.watch() as seen, Pair(site) as pair:
        media.converse((pair.caller_media, site.speech["pbx"][:int(LONG_ENOUGH * 50) * 160]), kind=8)
    assert not pair.called_media.heard
    rows = verdict_of_each(seen)
    assert rows["caller"] == "payload_type"


def verdict_of_each(seen):
    return {side["from"]: side["verdict"] for side in seen.row()["media"]}


def test_another_key_than_the_one_told(site):
    with site.watch() as seen, Pair(site, "locked", (srtp.LONG,)) as pair:
        pair.caller_media.out = srtp.Context(srtp.LONG, srtp.new_master(srtp.LONG), outbound=True)
        pair.talk(LONG_ENOUGH)
    assert not pair.called_media.heard and pair.caller_media.heard
    assert side_of(verdict_of(seen, 32917), "caller")["verdict"] == "authentication"


def test_a_live_call_tells_before_it_ends(site):
    """Both directions apart (MEDIA-025), and again only once."""
    with site.watch() as seen, Pair(site) as pair:
        pair.caller_media.set_ttl(9)
        pair.talk(7)
        view = pair.view()
        assert side_of(view, "caller")["verdict"] == "ttl"
        assert side_of(view, "called")["verdict"] == "none"
    verdict_of(seen, 32913)


def test_a_call_in_which_both_hear_says_nothing(site):
    with site.watch() as seen, Pair(site, "locked", (srtp.LONG,)) as pair:
        pair.talk(LONG_ENOUGH)
        assert 4.0 < pair.side("caller")["mos"] < 4.6 and 4.0 < pair.side("called")["mos"] < 4.6
    assert set(verdict_of_each(seen).values()) == {"none"} and not seen.alerts()


# ---- RTCP

def parts_of(report):
    """(packet type, octets) of a compound packet."""
    found = []
    while len(report) >= 4:
        size = 4 + 4 * struct.unpack_from("!H", report, 2)[0]
        found.append((report[1], report[:size]))
        report = report[size:]
    return found


@pytest.mark.parametrize("suites", [(), (srtp.LONG,)], ids=["rtp", "srtp"])
def test_a_leg_whose_other_side_reports_nothing_gets_reports_of_ours(site, suites):
    with Pair(site, "locked" if suites else "fast", suites) as pair:
        pair.talk(4.2)  # the first report comes within 3.75 s
        for end in (pair.caller_media, pair.called_media):
            assert end.reports, end.address
            kinds = dict(parts_of(end.reports[0]))
            kind = 200 if 200 in kinds else 201
            block = kinds[kind][28 if kind == 200 else 8:]
            assert struct.unpack_from("!I", block)[0] == end.ssrc and block[4] == 0
            assert 202 in kinds and not end.refused
        assert all(side["rtcp"]["generated"] >= 1 for side in pair.view()["media"])


def test_reports_of_the_other_side_are_relayed_and_read(site):
    with Pair(site, "locked", (srtp.SHORT,)) as pair:
        pair.talk(0.5)
        pair.called_media.report(fraction=64, lost=3)
        pair.caller_media.report(fraction=0, lost=0)
        time.sleep(0.2)
        relayed = pair.caller_media.reports[-1]
        assert struct.unpack_from("!I", relayed, 4)[0] == pair.called_media.ssrc and relayed[12] == 64
        assert struct.unpack_from("!I", pair.called_media.reports[-1], 4)[0] == \
            pair.caller_media.ssrc
        # what the called party says is about what it hears from the caller
        rtcp = pair.side("called")["rtcp"]
        assert rtcp["reports"] >= 1 and rtcp["peer_lost"] == 3


@pytest.mark.parametrize("suites", [(), (srtp.LONG,)], ids=["rtp", "srtp"])
def test_one_port_for_rtp_and_rtcp_where_it_is_offered(site, suites):
    """RFC 5761; the other side has two."""
    with Pair(site, "locked" if suites else "fast", suites, is_muxed=True) as pair:
        assert pair.caller_media.rtcp_target == pair.caller_media.target
        assert "a=rtcp-mux" not in pair.called.requests("INVITE")[0].body
        pair.talk(0.5)
        pair.caller_media.report()
        pair.called_media.report()
        time.sleep(0.2)
        assert pair.caller_media.reports and pair.called_media.reports
        assert pair.caller_media.reports_at == {pair.caller_media.port}
        assert pair.called_media.reports_at == {CALLED_PORT + 1}
    pair.assert_identical(25)
