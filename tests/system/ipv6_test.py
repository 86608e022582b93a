"""Media over IPv6, and between IPv6 on one leg and IPv4 on the other; signalling over either."""

import pytest
from conftest import Site
from lab import srtp
from lab.network import LabError
from pair import Pair


@pytest.fixture(scope="module", params=["af_packet", "af_xdp"])
def site6(request, build, tmp_path_factory):
    """A site of its own whose every host has an address of each family."""
    made = None
    try:
        made = Site(build, tmp_path_factory.mktemp("six"), request.param, "six", has_ipv6=True)
        start(made)
        yield made
    finally:
        if made:
            made.stop()


def start(site):
    own = site.net["appliance"]
    both = [own.address, own.address6]
    site.trunkd.options.update({"sip.addresses": both, "media.addresses": both,
                                "dataplane.huge_pages": "off"})
    if site.trunkd.driver != "af_xdp":
        site.trunkd.options["dataplane.addresses"] = [f"{own.address}/24", f"{own.address6}/64"]
    try:
        site.start()
    except LabError as error:
        if site.trunkd.driver == "af_xdp" and ("not supported" in str(error) or
                                               "no XDP" in str(error)):
            pytest.skip(f"this kernel has no AF_XDP: {error}")
        raise
    site.trunkd.add("acl_address", acl=site.sids["acl"], address=site.net["pbx"].address6,
                    name="the PBX by IPv6")
    site.trunkd.add("carrier", name="gateway-6", priority=1,
                    address=f"[{site.net['carrier2'].address6}]:5060")


LEGS = {  # the caller's media, its signalling; the called party's are both IPv6
    "6-to-6": (6, True), "4-to-6": (4, False), "6-to-6-offered-over-4": (6, False)}


@pytest.mark.parametrize("legs", LEGS)
@pytest.mark.parametrize("suites", [(), (srtp.LONG,)], ids=["rtp", "srtp"])
def test_speech_over_ipv6_arrives_as_it_was_said(site6, legs, suites):
    family, has_sip6 = LEGS[legs]
    with site6.watch() as seen:
        with Pair(site6, "locked", suites, called_host="carrier2", has_sip6=(has_sip6, True),
                  family=family, called_family=6, sequence=65500) as pair:
            pair.talk(1)
            for end in (pair.caller_media, pair.called_media):
                end.report()
            pair.talk(0.2)
            assert pair.caller_media.reports and pair.called_media.reports
            assert ":" in pair.called_media.target[0]
            assert (":" in pair.caller_media.target[0]) == (family == 6)
    pair.assert_identical(60)
    assert not seen.alerts()
    site6.nothing_left()


def test_ipv6_on_the_callers_leg_and_ipv4_on_the_other(site6):
    site6.trunkd.change("carrier", "gateway-6", enabled="false")
    try:
        with Pair(site6, "locked", (srtp.SHORT,), has_sip6=(True, False), family=6) as pair:
            pair.talk(1)
            pair.caller_media.press(3)
            assert pair.caller.reinvite("sendonly").status == 200
            assert pair.caller.reinvite().status == 200
            pair.talk(0.5)
    finally:
        site6.trunkd.change("carrier", "gateway-6", enabled="true")
    pair.assert_identical(75)
    site6.nothing_left()


def test_a_hop_limit_of_10_is_dropped_and_11_passes(site6):
    """MEDIA-016, D-38."""
    with Pair(site6, "locked", (srtp.LONG,), called_host="carrier2", has_sip6=(True, True), family=6,
              called_family=6) as pair:
        pair.caller_media.set_ttl(10)
        pair.talk(0.4)
        assert not pair.called_media.heard and pair.side("caller")["drops"]["ttl"] == 20
        pair.caller_media.said.clear()
        pair.caller_media.set_ttl(11)
        pair.talk(0.4)
        assert pair.side("caller")["ttl_lowest"] == 10
    pair.assert_identical(20)
    site6.nothing_left()
