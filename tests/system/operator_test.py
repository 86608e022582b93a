"""The operator's tools: reload, metrics, trunkctl, and the way to the kernel through the port."""

import re
import socket
import struct
import threading
import time

import pytest
from conftest import said
from lab import script
from lab.appliance import Refused


def call_once(site):
    called = site.called(script.called_talks(None, ring=0))
    caller = site.caller(script.caller_talks(None, 0.3))
    assert caller.run(10), said(caller)
    assert called.wait(5), said(called)


def test_a_good_configuration_is_taken_over_live(site):
    site.trunkd.write_config(sip__ring_timeout_s=7)
    try:
        site.trunkd.trunkctl("reload")
    finally:
        site.trunkd.write_config(sip__ring_timeout_s=5)
        site.trunkd.trunkctl("reload")
    call_once(site)


def test_a_bad_configuration_changes_nothing_and_says_where_it_is_wrong(site):
    good = site.trunkd.config_file.read_text()
    site.trunkd.config_file.write_text(good.replace("ack_timeout_s: 3", "ack_timout_s: 3"))
    try:
        with pytest.raises(Refused) as refusal:
            site.trunkd.trunkctl("reload")
        told = str(refusal.value.answer)
        assert re.search(r"trunkd\.yaml:\d+", told) and "ack_timeout_s" in told, told
        site.trunkd.config_file.write_text(good.replace("memory_mb: 256", "memory_mb: 300"))
        with pytest.raises(Refused) as refusal:
            site.trunkd.trunkctl("reload")
        assert "restart" in str(refusal.value.answer)
    finally:
        site.trunkd.config_file.write_text(good)
    call_once(site)


def test_metrics_are_well_formed_and_count(site):
    status, text = site.trunkd.http("/metrics")
    assert status == 200
    names = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in names and kind in ("counter", "gauge", "histogram", "summary")
            assert (kind == "counter") == name.endswith("_total"), line
            names.add(name)
        elif not line.startswith("#") and line:
            found = re.fullmatch(r'((?:trunkd|process)_[a-z_0-9]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? '
                                 r"[-+0-9.e]+", line)
            assert found, line
            assert re.sub(r"_(bucket|sum|count)$", "", found[1]) in names or found[1] in names, line
    before = forwarded(site)
    with site.watch():
        called = site.called(script.called_talks(site.work / "carrier.ulaw", ring=0))
        caller = site.caller(script.caller_talks(site.work / "pbx.ulaw", 1))
        assert caller.run(10), said(caller)
        assert called.wait(5), said(called)
    assert forwarded(site) - before >= 95
    assert site.trunkd.http("/healthz")[0] == 200 and site.trunkd.http("/nothing")[0] == 404


def forwarded(site):
    rows = site.trunkd.metrics()["trunkd_worker_packets_total"]
    return sum(value for labels, value in rows.items() if '"forwarded"' in labels)


def test_trunkctl_helps_at_each_level_and_completes(site):
    assert "show" in site.trunkd.trunkctl("help", raw=True)
    text = site.trunkd.trunkctl("help", "add", "trunk", raw=True)
    assert "domain" in text and "cps" in text
    words = str(site.trunkd.trunkctl("complete", "show", "ca"))
    assert "calls" in words and "carriers" in words
    with pytest.raises(Refused) as refusal:
        site.trunkd.trunkctl("show", "cals")
    assert "calls" in str(refusal.value.answer)


def test_a_password_is_never_shown_again(site):
    shown = str(site.trunkd.trunkctl("show", "credentials")) + site.trunkd.log()
    assert "Correct-Horse-9" not in shown and "ha1" not in shown


def test_status_and_tables_can_be_read(site):
    call_once(site)
    for words in (("status",), ("show", "trunks"), ("show", "history"), ("show", "streams"),
                  ("show", "workers"), ("show", "alerts"), ("show", "accounts")):
        assert site.trunkd.trunkctl(*words, raw=True).strip(), words
    assert site.trunkd.trunkctl("status")["status"] == "ok"


def test_the_operator_hangs_up(site):
    with site.watch() as seen:
        called = site.called(script.called_talks(None, ring=0))
        caller = site.caller(script.invite(), script.expect(100, optional=True),
                             script.expect(180, optional=True), script.expect(200, dialog=True),
                             script.ack(), script.wait_for("BYE"), script.answer_in_dialog()).start()
        call = site.trunkd.wait_calls(1)[0]
        time.sleep(0.3)
        site.trunkd.trunkctl("hangup", call["sid"])
        assert caller.wait(10), said(caller)
        assert called.wait(10), said(called)
    assert seen.row()["ended_by"] == "operator"


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def test_the_kernel_answers_pings_through_the_port(site):
    with site.net["stranger"].inside():
        pinger = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    with pinger:
        pinger.settimeout(2)
        for number in range(5):
            body = struct.pack("!BBHHH", 8, 0, 0, 77, number) + b"x" * 1000
            body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
            pinger.sendto(body, (site.net["appliance"].address, 0))
            answer = pinger.recv(2048)[20:]
            assert answer[0] == 0 and answer[8:] == b"x" * 1000


def test_tcp_reaches_a_service_of_the_kernel_through_the_port(site):
    """A megabyte each way: SSH and HTTPS will live here."""
    data = bytes(range(256)) * 4096
    appliance = site.net["appliance"]
    server = appliance.socket(8080, socket.SOCK_STREAM)
    server.listen(1)

    def serve():
        peer, _ = server.accept()
        with peer:
            got = b""
            while len(got) < len(data):
                got += peer.recv(65536)
            peer.sendall(got)
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with site.net["stranger"].socket(0, socket.SOCK_STREAM) as client:
        client.settimeout(20)
        client.connect((appliance.address, 8080))
        client.sendall(data)
        got = b""
        while len(got) < len(data):
            got += client.recv(65536)
    thread.join(5)
    server.close()
    assert got == data
