"""The other drivers and several workers: the same call, another way to the cable."""

import pytest
from conftest import Site, said
from lab import script
from lab.network import LabError

CASES = [("af_packet", {"dataplane.huge_pages": "off", "dataplane.polling": "busy"}),
         ("af_packet", {"dataplane.workers": 2}),
         ("af_xdp", {})]


@pytest.mark.parametrize("driver, options", CASES,
                         ids=["af_packet-without-huge-pages", "af_packet-two-workers", "af_xdp"])
def test_a_call_works_with(driver, options, build, tmp_path):
    # queue pairs of AF_XDP on veth are its queues: one
    site = Site(build, tmp_path, driver, "driver", options)
    try:
        try:
            site.start()
        except LabError as error:
            if driver == "af_xdp" and ("not supported" in str(error) or "no XDP" in str(error)):
                pytest.skip(f"this kernel has no AF_XDP: {error}")
            raise
        with site.watch("pbx", "carrier") as seen:
            called = site.called(script.called_talks(site.work / "carrier.ulaw", ring=0))
            caller = site.caller(script.caller_talks(site.work / "pbx.ulaw", 3))
            assert caller.run(20), said(caller)
            assert called.wait(10), said(called)
        assert seen.compare("pbx", "carrier").is_identical
        assert seen.compare("carrier", "pbx").is_identical
        assert seen.row()["sip_status"] == 200
        site.nothing_left()
    finally:
        site.stop()
