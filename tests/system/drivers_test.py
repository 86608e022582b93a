"""The other drivers, several workers, every engine of SRTP: the same calls, other ways to the cable."""

import contextlib

import pytest
from conftest import Site, said, verdict
from lab import script, srtp
from lab.network import LabError
from pair import Pair

CASES = [("af_packet", {"dataplane.polling": "busy"}),
         ("af_packet", {"dataplane.workers": 2}),
         ("af_xdp", {})]


SRTP_CASES = {
    "ipsec_mb": ("af_packet", {"dataplane.crypto": "ipsec_mb"}),
    "crypto_aesni_mb": ("af_packet", {"dataplane.crypto": "crypto_aesni_mb"}),
    "crypto_openssl": ("af_packet", {"dataplane.crypto": "crypto_openssl"}),
    "libsrtp2": ("af_packet", {"dataplane.crypto": "libsrtp2"}),
    "af_xdp": ("af_xdp", {}),
    "two-workers": ("af_packet", {"dataplane.workers": 2}),
    "two-addresses": ("af_packet", {"media.addresses": ["192.0.2.1", "192.0.2.2"],
                                    "dataplane.addresses": ["192.0.2.1/24", "192.0.2.2/24"]}),
}


@contextlib.contextmanager
def site_with(driver, options, build, work):
    # Queue pairs of AF_XDP on veth are its queues: one. Huge pages are left to the sites that run
    # beside this one; two that look for them at the same time could miss them.
    site = Site(build, work, driver, "driver", {"dataplane.huge_pages": "off", **options})
    try:
        try:
            site.start()
        except LabError as error:
            if driver == "af_xdp" and ("not supported" in str(error) or "no XDP" in str(error)):
                pytest.skip(f"this kernel has no AF_XDP: {error}")
            raise
        yield site
    finally:
        site.stop()


@pytest.mark.parametrize("driver, options", CASES,
                         ids=["af_packet-without-huge-pages", "af_packet-two-workers", "af_xdp"])
def test_a_call_works_with(driver, options, build, tmp_path):
    with site_with(driver, options, build, tmp_path) as site:
        with site.watch("pbx", "carrier") as seen:
            called = site.called(script.called_talks(site.work / "carrier.ulaw", ring=0))
            caller = site.caller(script.caller_talks(site.work / "pbx.ulaw", 3))
            assert caller.run(20), said(caller)
            assert called.wait(10), said(called)
        assert seen.compare("pbx", "carrier").is_identical
        assert seen.compare("carrier", "pbx").is_identical
        assert seen.row()["sip_status"] == 200
        site.nothing_left()


@pytest.mark.parametrize("case", SRTP_CASES)
def test_srtp_works_with(case, build, tmp_path):
    """RTP and SRTCP, both tags, AEAD, over a wrap; on every worker."""
    driver, options = SRTP_CASES[case]
    with site_with(driver, options, build, tmp_path) as site:
        addresses = set()
        for trunk, suite in (("locked", srtp.LONG), ("locked", srtp.SHORT), ("sealed", srtp.GCM_128),
                             ("sealed", srtp.GCM_256)):
            with Pair(site, trunk, (suite,), sequence=65500, called_sequence=65500) as pair:
                pair.talk(0.5, pace=0.005)
                for end in (pair.caller_media, pair.called_media):
                    end.report()
                pair.talk(1, pace=0.005)
                assert pair.caller_media.suite == suite
                addresses |= {pair.caller_media.target[0], pair.called_media.target[0]}
                assert pair.caller_media.reports and pair.called_media.reports
            pair.assert_identical(75)
        assert addresses == set(site.trunkd.options["media.addresses"])
        engine = site.trunkd.trunkctl("status")["dataplane"]["engine"]
        assert engine == options.get("dataplane.crypto", engine) and engine
        if "dataplane.workers" in options:
            assert len(site.trunkd.trunkctl("show", "workers")["workers"]) == 2
            assert verdict(site, "handed_over") > 0
        site.nothing_left()
