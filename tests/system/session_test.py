"""What parties agree on before and after the answer: early media twice, PRACK, UPDATE, offers that come
late. Each story compares what was said with what was heard, octet by octet."""

import threading

from lab import srtp
from lab.appliance import CALLED
from pair import Pair, wait_up

RELIABLE = "Supported: 100rel\r\nAllow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"
PIECE = 0.4  # s


class Early(Pair):
    """The called phone takes the steps of `early` before it answers; `during` runs beside them."""

    def __init__(self, site, early, knows=RELIABLE, sdp=None, **options):
        super().__init__(site, **options)
        self.caller.knows, self.called.knows = knows, RELIABLE
        self.called.early, self.sdp, self.failures = [self._step(one) for one in early], sdp, []

    def _step(self, step):
        def run(phone, invite, source):
            try:
                step(self, phone, invite, source)
            except Exception as error:  # of its own thread: told at the end
                self.failures.append(error)
        return run

    def dial(self):
        final = self.caller.dial(CALLED, self.sdp)
        assert final.status == 200, final.first
        self.called.wait_requests("ACK")
        self.sid = wait_up(self.site)  # the caller's ACK has come, and a late answer with it
        assert not self.failures, self.failures
        self.final = final


def announce(pair, phone, invite, source):
    """A reliable 183: its PRACK comes, then both hear each other, before anybody has answered."""
    phone.media.take(invite.body)
    pracks = len(phone.requests("PRACK"))
    rack = phone.ring(invite, source, 183, phone.media.describe(offer=invite.body))
    assert phone.wait_requests("PRACK", pracks + 1)[-1]["RAck"] == rack
    wait_told(pair)
    pair.talk(PIECE)


def wait_told(pair):
    """The caller knows where to speak, and its PRACK has come where it is sent."""
    assert pair.caller.wait_early(is_reliable=bool(pair.caller.knows)), "nobody told the caller"


def announce_elsewhere(pair, phone, invite, source):
    """Another 183 from another place, reliable or not as the caller's is: our own ports stay."""
    told = pair.caller.media.target, phone.media.target
    phone.media.move(phone.media.port + 100)
    phone.ring(invite, source, 183, phone.media.describe(offer=invite.body), is_reliable=False)
    threading.Event().wait(0.3)
    pair.talk(PIECE)
    assert (pair.caller.media.target, phone.media.target) == told


def test_early_media_twice_from_two_places(site):
    """RFC 3262, RFC 3261 13.2.1: the second 183 moves the media, our ports and the caller's answer stay."""
    with Early(site, [announce, announce_elsewhere]) as pair:
        assert not pair.final.body, "the answer was acknowledged before"
        pair.talk(PIECE)
        pracks = pair.called.requests("PRACK")
        early = [one for one in pair.caller.received if one.is_response and one.status == 183]
        assert len(pracks) == 1 and "100rel" in early[0]["Require"] and early[0].body
        assert not any(one.body for one in early if not one["RSeq"]), "its answer is one, and known"
        assert [one for one in pair.caller.received if one.is_response and one.method == "PRACK"]
    pair.assert_identical(int(3 * PIECE * 50) - 1)


def test_early_media_for_a_caller_without_100rel(site):
    """PRACK stays on the carrier's leg, and the 200 repeats the answer of the first 183 word by word."""
    with Early(site, [announce, announce_elsewhere], knows="") as pair:
        early = [one for one in pair.caller.received if one.is_response and one.status == 183]
        assert len(early) >= 2 and not any(one["RSeq"] for one in early)
        assert {one.body for one in early} == {pair.final.body}
        pair.talk(PIECE)
    pair.assert_identical(int(3 * PIECE * 50) - 1)


def test_early_media_over_srtp_on_both_legs(site):
    """Keys are those of the first answer, from the first early packet to the end of the call."""
    with site.other_carrier(srtp="true"), \
            Early(site, [announce], trunk="locked", suites=(srtp.LONG,), called_suites=(srtp.LONG,),
                  called_host="carrier2") as pair:
        master = pair.caller_media.peer_master
        pair.talk(PIECE)
        assert pair.caller_media.peer_master == master and master
    pair.assert_identical(int(2 * PIECE * 50) - 1)


def update_early(pair, phone, _invite, _source):
    """The called party moves by UPDATE before it answers (RFC 3311 5.1)."""
    phone.media.move(phone.media.port + 200)
    assert phone.update().status == 200
    assert pair.caller.requests("UPDATE"), "it goes on to a caller who knows it"
    pair.talk(PIECE)


def test_update_before_and_after_the_answer(site):
    with Early(site, [announce, update_early]) as pair:
        pair.talk(PIECE)
        assert pair.caller.update("sendonly").status == 200
        assert "a=sendonly" in pair.called.requests("UPDATE")[-1].body
        pair.say(PIECE)
        pair.caller_media.move(45000)
        assert pair.caller.update().status == 200
        pair.talk(PIECE)
        assert pair.called.update("inactive").status == 200
        assert pair.called.update().status == 200
        pair.talk(PIECE)
        assert not pair.called.requests("INVITE")[1:], "each change crossed as UPDATE"
    pair.assert_identical(int(5 * PIECE * 50) - 1)


def test_an_invite_without_an_offer(site):
    """The carrier has an offer of ours, the caller our 200's; its ACK answers. Then the same by re-INVITE,
    from both sides, with a move."""
    with Early(site, [], knows="", sdp="") as pair:
        assert "PCMU" in pair.called.requests("INVITE")[0].body and pair.final.body
        pair.talk(PIECE)
        pair.caller_media.move(45000)
        final = pair.caller.reinvite(sdp="")
        assert final.status == 200 and final.body
        late = pair.called.requests("INVITE")[-1]
        assert not late.body and pair.called.wait_requests("ACK", 2)[-1].body
        pair.talk(PIECE)
        pair.called_media.move(46000)
        assert pair.called.reinvite(sdp="").status == 200
        pair.caller.wait_requests("ACK")  # with the answer that her 200 asked for
        pair.talk(PIECE)
    pair.assert_identical(int(3 * PIECE * 50) - 1)


def test_an_invite_without_an_offer_hears_early_media(site):
    """RFC 3262 5: the offer in a reliable 183, the answer in its PRACK, none in the 200."""
    with Early(site, [announce], sdp="") as pair:
        assert not pair.final.body
        pair.talk(PIECE)
    pair.assert_identical(int(2 * PIECE * 50) - 1)


def test_a_carrier_that_never_hears_our_prack_is_no_trouble(site):
    """A PRACK without an answer is repeated; the call goes on."""
    def deaf(pair, phone, invite, source):
        phone.answers_pracks = False
        announce(pair, phone, invite, source)
    with Early(site, [deaf]) as pair:
        pair.talk(PIECE)
    pair.assert_identical(int(2 * PIECE * 50) - 1)
