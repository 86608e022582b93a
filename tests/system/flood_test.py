"""Strangers who flood and scan: calls of a known peer go on, memory stays, scanners are banned, the
operator lists and lifts bans. Nothing here depends on how fast the machine is."""

import json
import shutil
import subprocess
import time

import pytest
from conftest import said
from lab import script
from lab.appliance import DOMAIN, Refused
from load_test import footprint, uas

FLOOD_RATE, FLOOD_SECONDS = 3000, 6
MADE_UP = "20.0.0.0/7"


def flood(site, seconds=FLOOD_SECONDS, rate=FLOOD_RATE):
    """From the stranger's host, under made-up addresses."""
    program = site.trunkd.build / "tools/bench/sipflood"
    if not program.exists():
        pytest.skip("sipflood is not built")
    return subprocess.Popen(
        site.net["stranger"].words(program, "--target", f"{site.net['appliance'].address}:5060",
                                   "--sources", MADE_UP, "--domain", DOMAIN, "--rate", rate,
                                   "--seconds", seconds),
        stdout=subprocess.PIPE, text=True)


def counted(site, name, label=""):
    rows = site.trunkd.metrics().get(f"trunkd_sip_guard_{name}", {})
    return sum(value for labels, value in rows.items() if label in labels)


def banned(site):
    return {ban["address"]: ban for ban in site.trunkd.trunkctl("show", "bans")["bans"]}


def lift_all(site):
    site.trunkd.trunkctl("unban", "all")


@pytest.fixture(autouse=True)
def no_bans_left(site):
    yield
    lift_all(site)


def test_calls_go_on_while_strangers_flood(site):
    """Every call of the PBX is answered, and the flood leaves no memory behind."""
    first = flood(site, 2)
    first.wait(30)
    before, dropped = footprint(site)["trunkd"][1], counted(site, "dropped_total")
    strangers = flood(site)
    calls = 60
    called = site.called(uas(), calls=calls, timeout=60)
    caller = site.caller(script.caller_talks(None, 1), calls=calls, rate=20, timeout=60)
    assert caller.run(60), said(caller)
    assert called.wait(20), said(called)
    sent = json.loads(strangers.communicate(timeout=60)[0])
    assert caller.totals().failed == 0
    assert sent["sent"] > FLOOD_RATE, sent
    assert counted(site, "dropped_total") - dropped > sent["sent"] / 4, sent
    assert footprint(site)["trunkd"][1] - before < 2048, before


def test_scanners_of_sipvicious_are_banned(site):
    """svmap looks for SIP, svwar for extensions; both say who they are (LIMIT-013)."""
    if not shutil.which("svmap"):
        pytest.skip("sipvicious is not installed: tools/install-packages lab")
    stranger, appliance = site.net["stranger"], site.net["appliance"]
    stranger.run("timeout", "20", "svmap", appliance.address, check=False)
    ban = banned(site)[stranger.address]
    assert ban["cause"] == "scanner" and ban["times"] == 1 and 0 < ban["left_s"] <= 60, ban
    dropped = counted(site, "dropped_total", '"banned"')
    stranger.run("timeout", "8", "svwar", "-e", "100-120", appliance.address, check=False)
    assert counted(site, "dropped_total", '"banned"') > dropped
    assert stranger.address in site.trunkd.trunkctl("show", "bans", raw=True)
    site.trunkd.trunkctl("unban", stranger.address)
    assert stranger.address not in banned(site)
    with pytest.raises(Refused):
        site.trunkd.trunkctl("unban", stranger.address)


def test_the_operators_ban_keeps_even_the_pbx_out(site):
    pbx = site.net["pbx"].address
    site.trunkd.trunkctl("ban", pbx, "600")
    assert banned(site)[pbx]["cause"] == "operator"
    caller = site.caller(script.invite(), script.expect(100), name="banned", timeout=3)
    assert not caller.run(6)
    lift_all(site)
    called = site.called(uas(), timeout=20)
    caller = site.caller(script.caller_talks(None, 1), timeout=20)
    assert caller.run(20), said(caller)
    assert called.wait(10), said(called)
    time.sleep(0.1)
