"""How customers are connected: by every address, from any port, with an SBC of another make in front, by a
private network beside the public one. One trunk carries calls both ways."""

import re
import shutil
import subprocess

import pytest
from conftest import Site, said, wait_bound
from lab import appliance, phones, script, speech

DIALLED, CALLER = "+14155550188", "+81312345678"
FURTHER = ["192.0.2.3", "192.0.2.4"]  # of the appliance, besides the lab's own
PRIVATE, PRIVATE_PBX = "10.20.0.1", "10.20.0.11"


@pytest.fixture(scope="module")
def site(build, tmp_path_factory):
    """Three public addresses and one of a private network, in which pbx2 is; the edges name both."""
    work = tmp_path_factory.mktemp("interconnect")
    made = Site(build, work, name="links")
    own = made.net["appliance"].address
    made.trunkd.options.update({
        "sip.addresses": [own, *FURTHER, PRIVATE], "media.addresses": [own, PRIVATE],
        "dataplane.addresses": [f"{address}/24" for address in (own, *FURTHER, PRIVATE)],
        "edges": [{"name": "internet", "signalling": [own, *FURTHER], "media": [f"{own}/32"]},
                  {"name": "interconnect", "regions": ["tnx01"], "signalling": [PRIVATE],
                   "media": [f"{PRIVATE}/32"]}]})
    made.net.add("pbx2")
    move_to_private(made.net["pbx2"])
    made.start()
    made.trunkd.change("carrier", "gateway-1", edge="internet")
    made.add_inbound(DIALLED)
    try:
        yield made
    finally:
        made.stop()


def move_to_private(host):
    host.run("ip", "address", "flush", "dev", host.interface)
    host.run("ip", "address", "add", f"{PRIVATE_PBX}/24", "dev", host.interface)
    host.address = PRIVATE_PBX


def caller(site, trunk, seconds=1.0, host="pbx", to=None, text=None, **options):
    """sipp as a PBX that calls by one of our addresses; `name` is the files'."""
    target = to or site.net["appliance"].address
    return phones.Sipp(site.net[host], site.work, options.pop("name", "caller"),
                       text or script.caller_talks(site.work / "pbx.ulaw", seconds),
                       target=target if ":" in target else f"{target}:5060",
                       keys=site.keys(trunk, caller=site_number(trunk)), **options)


def site_number(trunk):
    return DIALLED if trunk == "inbound" else appliance.NUMBER


def gateway(site, seconds=1.0):
    return site.caller(script.caller_talks(site.work / "carrier.ulaw", seconds), host="carrier",
                       name="gateway", keys={
                           "number": DIALLED, "domain": site.net["appliance"].address,
                           "from": CALLER, "from_host": site.net["carrier"].address})


def source_of(site, row):
    """Where its INVITE came from, as the log has it."""
    line = next(line for line in site.trunkd.log().splitlines()
                if "event=call_started" in line and f"call={row['sid']}" in line)
    return re.search(r" source=(\S+)", line)[1]


def one_call(site, made, seen):
    """That a call goes well to its end; its row."""
    called = site.called(script.called_talks(site.work / "carrier.ulaw"))
    assert made.run(20), said(made)
    assert called.wait(10), said(called)
    row = seen.row()
    assert row["sip_status"] == 200 and not row["alerts"], row
    return row


def test_one_trunk_carries_a_call_each_way(site):
    """TRUNK-001: its PBX calls the PSTN, and the PSTN calls its number; speech both ways, both times."""
    uri = site.trunkd.add("origination_uri", trunk=site.sids["inbound"],
                          uri=f"sip:{site.net['pbx'].address}")
    with site.watch("pbx", "carrier") as seen:
        out = one_call(site, caller(site, "inbound", 2), seen)
    assert seen.compare("pbx", "carrier").is_identical and seen.compare("carrier", "pbx").is_identical
    pbx = site.called(script.called_talks(site.work / "pbx.ulaw"), host="pbx")
    with site.watch("pbx", "carrier") as seen:
        call = gateway(site, 2)
        assert call.run(20), said(call)
        assert pbx.wait(10), said(pbx)
    assert seen.compare("pbx", "carrier").is_identical and seen.compare("carrier", "pbx").is_identical
    into = seen.row()
    assert (out["direction"], into["direction"]) == ("termination", "origination")
    assert out["trunk"] == into["trunk"] and into["sip_status"] == 200, (out, into)
    shown = site.trunkd.trunkctl("show", "trunk", "inbound")["trunk"]
    assert list(shown) == ["general", "termination", "origination", "numbers"]
    assert shown["termination"]["takes_calls"] and shown["origination"]["takes_calls"], shown
    site.trunkd.trunkctl("remove", "origination_uri", uri)


def test_every_published_address_takes_calls(site):
    """TERM-031, and NET-001 to -008 with addresses in the place of the documented ones: whatever `show network` tells of the Internet's edge, none stands by."""
    edges = {row["edge"]: row for row in site.trunkd.trunkctl("show", "network")["network"]}
    published = edges["internet"]["signalling"]
    assert len(published) == 3
    for place, address in enumerate(published):
        with site.watch("pbx") as seen:
            row = one_call(site, caller(site, "fast", to=address, name=f"caller-{place}"), seen)
        assert row["carrier"] == "gateway-1"


def options_to(site, domain, via, port):
    """The answer to OPTIONS that a socket at this port gets, whatever its Via says."""
    pbx = site.net["pbx"]
    with pbx.socket(port) as asking:
        asking.settimeout(10)
        asking.sendto((f"OPTIONS sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK{port}\r\n"
                       f"From: <sip:a@{domain}>;tag={port}\r\nTo: <sip:{domain}>\r\nCall-ID: {port}@lab\r\n"
                       "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode(),
                      (site.net["appliance"].address, 5060))
        data, source = asking.recvfrom(4000)
        return data.decode(), source


def test_sip_comes_from_any_port_and_the_answer_goes_there(site):
    """NET-015: as from behind a NAT, where Via tells a private address and another port."""
    pbx = site.net["pbx"].address
    for port in (1024, 41234, 65535):
        text, source = options_to(site, f"fast.{appliance.BASE_DOMAIN}", "192.168.1.5:5060;rport", port)
        assert text.startswith("SIP/2.0 200 ") and source[1] == 5060, text
        assert f";rport={port}" in text and f";received={pbx}" in text, text
    with site.watch("pbx") as seen:
        row = one_call(site, caller(site, "fast", port=41777), seen)
    assert source_of(site, row) == f"{pbx}:41777"


KAMAILIO = """
debug=-1
log_stderror=yes
fork=yes
children=2
auto_aliases=no
listen=udp:{own}:5060
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
request_route {{
    if (!mf_process_maxfwd_header("70")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK") && t_check_trans()) t_relay();
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    record_route();
    if ($si == "{trunkd}") $du = "sip:{own}:5070";
    else $du = "sip:{trunkd}:5060";
    t_relay();
}}
"""


@pytest.fixture
def kamailio(site):
    """In front of a phone at port 5070 of the PBX's host, as an SBC stands."""
    if not shutil.which("kamailio"):
        pytest.skip("kamailio is not installed: tools/install-packages test")
    pbx, file = site.net["pbx"], site.work / "kamailio.cfg"
    file.write_text(KAMAILIO.format(own=pbx.address, trunkd=site.net["appliance"].address))
    with open(site.work / "kamailio.log", "wb") as log:
        process = pbx.start("kamailio", "-DD", "-E", "-f", file, "-m", "32", "-M", "4", "-Y", site.work,
                            stdout=log, stderr=log)
        wait_bound(pbx, 5060, timeout=20)
        yield process
        process.terminate()
        process.wait(10)


def test_an_sbc_of_another_make_stands_between(site, kamailio):
    """TRUNK-020: Kamailio, which writes itself into the route of every call; calls both ways."""
    assert kamailio.poll() is None
    with site.watch("carrier") as seen:
        row = one_call(site, caller(site, "inbound", to=f"{site.net['pbx'].address}:5060", port=5070), seen)
    assert source_of(site, row) == f"{site.net['pbx'].address}:5060"
    uri = site.trunkd.add("origination_uri", trunk=site.sids["inbound"],
                          uri=f"sip:{site.net['pbx'].address}")
    phone = site.called(script.called_talks(site.work / "pbx.ulaw"), host="pbx", port=5070)
    with site.watch("carrier") as seen:
        call = gateway(site)
        assert call.run(20), said(call)
        assert phone.wait(10), said(phone)
    assert seen.row()["sip_status"] == 200
    invite = next(text for is_sent, text in phone.messages() if not is_sent and text.startswith("INVITE"))
    assert len(re.findall(r"^Record-Route:", invite, re.M)) >= 1 and invite.count("\nVia:") == 2, invite
    site.trunkd.trunkctl("remove", "origination_uri", uri)


def test_a_softphone_is_a_pbx_too(site):
    """TRUNK-020: baresip as it comes; it calls, talks and hangs up."""
    speech.write_wave(site.speech["pbx"], site.work / "softphone.wav")
    called = site.called(script.called_talks(site.work / "carrier.ulaw"))
    domain = f"fast.{appliance.BASE_DOMAIN}"
    with site.watch("carrier") as seen:
        phone = phones.Baresip(site.net["pbx"], site.work, "softphone", says=site.work / "softphone.wav",
                               user=appliance.NUMBER, domain=domain,
                               outbound=f"sip:{site.net['appliance'].address};transport=udp").start()
        try:
            phone.dial(f"sip:{appliance.CALLED}@{domain}")
            event = phone.wait_event("CALL_ESTABLISHED", "CALL_CLOSED", timeout=15)
            assert event and event["type"] == "CALL_ESTABLISHED", event
            phone.hang_up()
            assert called.wait(10), said(called)
        finally:
            phone.stop()
    assert seen.row()["sip_status"] == 200


def test_a_private_network_is_a_connection_of_its_own(site):
    """NET-013: pbx2 has no address but a private one. It calls by the private connection, and is called by it
    when its URI says tnx; media goes the same way. ORIG-044. The public side stays what it was."""
    site.trunkd.add("acl_address", acl=site.sids["acl"], address=PRIVATE_PBX)
    with site.watch("pbx2", "carrier") as seen:
        row = one_call(site, caller(site, "fast", 2, host="pbx2", to=PRIVATE), seen)
    assert source_of(site, row).startswith(f"{PRIVATE_PBX}:")
    assert seen.compare("pbx2", "carrier").is_identical and seen.compare("carrier", "pbx2").is_identical
    # The connection is nobody's, until it lists whose it is.
    with pytest.raises(appliance.Refused, match="edges.accounts"):
        site.trunkd.add("origination_uri", trunk=site.sids["inbound"], uri=f"sip:{PRIVATE_PBX};tnx=TNX01")
    site.trunkd.options["edges"][1]["accounts"] = [site.sids["account"]]
    site.trunkd.write_config()
    site.trunkd.trunkctl("reload")
    assert site.sids["account"] in site.trunkd.trunkctl("show", "network", raw=True)
    uri = site.trunkd.add("origination_uri", trunk=site.sids["inbound"],
                          uri=f"sip:{PRIVATE_PBX};tnx=TNX01")
    phone = site.called(script.called_talks(site.work / "pbx.ulaw"), host="pbx2")
    with site.watch("pbx2", "carrier") as seen:
        call = gateway(site, 2)
        assert call.run(20), said(call)
        assert phone.wait(10), said(phone)
    assert seen.compare("pbx2", "carrier").is_identical and seen.compare("carrier", "pbx2").is_identical
    invite = next(text for is_sent, text in phone.messages() if not is_sent and text.startswith("INVITE"))
    assert f"Via: SIP/2.0/UDP {PRIVATE}:5060" in invite and f"c=IN IP4 {PRIVATE}" in invite, invite
    assert site.net["appliance"].address not in invite, invite
    site.trunkd.trunkctl("remove", "origination_uri", uri)
    with site.watch("pbx") as seen:
        one_call(site, caller(site, "fast"), seen)


def verify(site, *words):
    done = site.trunkd.host_run_trunkctl(["test", "trunk", *words], None, True)
    return done.returncode, done.stdout + done.stderr


def test_a_customer_tests_the_trunk(site):
    """TRUNK-024: what to dial each way, what is missing, and then the calls themselves as they come."""
    domain = f"inbound.{appliance.BASE_DOMAIN}"
    status, text = verify(site, "inbound", f"to={appliance.CALLED}")
    assert status == 1 and f"dial from your equipment: sip:{appliance.CALLED}@{domain}" in text, text
    assert "termination  ready: admitted" in text and "origination  not ready" in text, text
    assert "Origination URI" in text and DIALLED in text, text
    assert "400 Bad Request" in verify(site, "inbound", "to=0312345678")[1]
    assert verify(site, "strict", f"to={appliance.CALLED}")[1].count("not ready") == 1
    uri = site.trunkd.add("origination_uri", trunk=site.sids["inbound"],
                          uri=f"sip:{site.net['pbx'].address}")
    assert verify(site, "inbound")[0] == 0
    watching = site.trunkd.host.start(
        site.trunkd.program("trunkctl"), "--socket", site.trunkd.folder / "run/trunkd.sock", "test", "trunk",
        "inbound", "wait=60", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text = ""
    while "waiting" not in text:
        text += watching.stdout.readline()
    with site.watch("pbx") as seen:
        one_call(site, caller(site, "inbound"), seen)
    pbx = site.called(script.called_talks(site.work / "pbx.ulaw"), host="pbx")
    call = gateway(site)
    assert call.run(20), said(call)
    assert pbx.wait(10), said(pbx)
    text += watching.communicate(timeout=70)[0]
    assert watching.returncode == 0, text
    assert "termination  passed: 200" in text and "origination  passed: 200" in text, text
    site.trunkd.trunkctl("remove", "origination_uri", uri)
