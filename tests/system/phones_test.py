"""The softphones of these tests in the plainest call: what they say of SRTP counts only if this holds."""

from lab.media import converse
from pair import Pair


def test_two_softphones_talk_press_and_hold(site):
    with site.watch("pbx", "carrier") as seen:
        with Pair(site) as pair:
            pair.talk(1)
            pair.caller_media.press(5)
            answer = pair.caller.reinvite("sendonly")
            assert answer.status == 200 and "a=recvonly" in answer.body
            assert "a=sendonly" in pair.called.requests("INVITE")[1].body
            assert pair.caller.reinvite().status == 200
            converse((pair.called_media, site.speech["carrier"][:1600]))
    pair.assert_identical()
    assert seen.compare("pbx", "carrier").is_identical
    assert seen.compare("carrier", "pbx").is_identical
    assert seen.row()["sip_status"] == 200 and not seen.alerts()
