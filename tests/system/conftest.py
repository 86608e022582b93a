"""The site every story plays on: a customer's PBX, two carriers and a stranger on one switch, and one
trunkd that runs for the whole session. A test is one story; after each, nothing may be left."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from lab import appliance, capture, network, phones, script, speech  # noqa: E402

PASSWORD = "Correct-Horse-9"
OPTIONS = {  # shorter than a customer's, so that stories of silence end soon
    "sip.ack_timeout_s": 3, "sip.ring_timeout_s": 5, "media.orphan_grace_s": 4,
    "media.port_quarantine_ms": 500, "log.level": "debug",
}


class Seen:
    """What one story left behind: records, alerts, packets on both cables."""

    def __init__(self, site):
        self.site = site
        self.before = {row["sid"] for row in site.trunkd.history(1000)}
        self.alerts_before = len(site.trunkd.alerts(256))
        self.at = {}

    def rows(self, count=1):
        return self.site.trunkd.wait_history(self.before, count)

    def row(self):
        """The one new record, told in full."""
        rows = self.rows()
        assert len(rows) == 1, rows
        return self.site.trunkd.call(rows[0]["sid"])

    def alerts(self):
        """New alerts, newest first."""
        alerts = self.site.trunkd.alerts(256)
        return alerts[:len(alerts) - self.alerts_before]

    def one_alert(self, code):
        alerts = self.alerts()
        assert [alert["code"] for alert in alerts] == [code], alerts
        return alerts[0]

    def compare(self, speaker, listener):
        """What left one host against what reached the other."""
        return capture.compare_cables(self.at[speaker], self.at[listener])


class Site:
    def __init__(self, build, work, driver="af_packet", name="system", options=None,
                 has_ipv6=False):
        self.work = work
        self.net = network.Network(f"{name}-{os.getpid()}",
                                   ("pbx", "carrier", "carrier2", "stranger"), has_ipv6)
        self.net.up()
        self.trunkd = appliance.Appliance(self.net["appliance"], build, work / "trunkd", driver,
                                          {**OPTIONS, **(options or {})})
        self.speech = {}
        for who in ("pbx", "carrier"):
            self.speech[who] = speech.make(who)
            (work / f"{who}.ulaw").write_bytes(self.speech[who])

    def start(self):
        """Trunks: `office` as sold (1 call a second, address and password), `fast` by address alone,
        `slow` so too at 1 call a second, and like `fast`: `locked` takes SRTP where it is offered,
        `sealed` AEAD as well, `strict` wants TLS and SRTP."""
        trunkd, pbx = self.trunkd, self.net["pbx"]
        trunkd.start()
        self.sids = trunkd.provision(pbx, [("gateway-1", self.net["carrier"], 10)],
                                     password=PASSWORD)
        for name, cps in (("fast", 1000), ("slow", 1)):
            self.add_trunk(name, cps=cps)
        self.add_trunk("locked", srtp="true")
        self.add_trunk("sealed", srtp="true", srtp_aead="true")
        self.add_trunk("strict", secure="true")
        return self

    def add_trunk(self, name, **fields):
        """By the PBX's address."""
        self.sids[name] = self.trunkd.add(
            "trunk", account=self.sids["account"], name=name, domain=name, acls=self.sids["acl"],
            **{"cps": 1000, **fields})

    def add_inbound(self, number):
        """A trunk that takes the PSTN's calls to a number."""
        self.add_trunk("inbound")
        self.trunkd.add("number", account=self.sids["account"], trunk=self.sids["inbound"], e164=number)

    @contextlib.contextmanager
    def other_carrier(self, **fields):
        """Calls go to carrier2 first, meanwhile."""
        sid = self.trunkd.add("carrier", name="gateway-2", priority=1,
                              address=f"{self.net['carrier2'].address}:5060", **fields)
        try:
            yield
        finally:
            self.trunkd.trunkctl("remove", "carrier", sid)

    def stop(self):
        self.trunkd.stop()
        self.net.down()

    def keys(self, trunk="fast", number=appliance.CALLED, caller=appliance.NUMBER):
        domain = f"{trunk}.{appliance.BASE_DOMAIN}"
        return {"number": number, "domain": domain, "from": caller, "from_host": domain}

    def caller(self, *steps, trunk="fast", host="pbx", name="caller", keys=None, **options):
        """sipp as a PBX; steps, or one whole scenario."""
        text = steps[0] if steps[0].startswith("<?xml") else script.scenario(*steps)
        if trunk == "office" and "credentials" not in options:
            options["credentials"] = (appliance.TRUNK, PASSWORD)
        return phones.Sipp(self.net[host], self.work, name, text,
                           target=f"{self.net['appliance'].address}:5060",
                           keys={**self.keys(trunk), **(keys or {})}, **options)

    def called(self, *steps, host="carrier", name="called", **options):
        """sipp as a carrier's gateway, already listening."""
        text = steps[0] if steps[0].startswith("<?xml") else script.scenario(*steps)
        started = phones.Sipp(self.net[host], self.work, name, text, **options).start()
        wait_bound(self.net[host], options.get("port", 5060))
        return started

    @contextlib.contextmanager
    def watch(self, *hosts):
        with contextlib.ExitStack() as stack:
            seen = Seen(self)
            for host in hosts:
                seen.at[host] = stack.enter_context(capture.Capture(self.net[host]))
            yield seen
            time.sleep(0.05)

    def clear_away(self):
        """After a story that went wrong: the next one must not trip over it."""
        for name, host in self.net.hosts.items():
            for pid in host.processes() if name != "appliance" else ():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(network.LabError):
            self.trunkd.trunkctl("hangup", "all")

    def nothing_left(self, timeout=8):
        """No call, no stream, no port in use."""
        end = time.monotonic() + timeout
        while True:
            calls, ports = self.trunkd.calls(), self.trunkd.trunkctl("show", "ports")
            streams = sum(worker["streams"] for worker in
                          self.trunkd.trunkctl("show", "workers")["workers"])
            if not calls and not streams and not used_ports(ports):
                return
            assert time.monotonic() < end, (calls, streams, ports)
            time.sleep(0.1)


def used_ports(answer):
    return answer.get("ports", answer)["used"]


def verdict(site, name):
    """How many packets of all workers had that fate."""
    rows = site.trunkd.metrics()["trunkd_worker_packets_total"]
    return sum(value for labels, value in rows.items() if f'"{name}"' in labels)


def wait_bound(host, port, timeout=5):
    """Until a UDP port is taken on that host."""
    end = time.monotonic() + timeout
    wanted = f":{port:04X} "
    while time.monotonic() < end:
        text = subprocess.run(host.words("cat", "/proc/net/udp"), capture_output=True, text=True,
                              check=True).stdout
        if any(wanted in line.split("rem")[0][:30] for line in text.splitlines()):
            return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens on port {port} of {host.name}")


def bound(host):
    """(address, port, "udp" or "tcp") of what takes messages of others at its address."""
    found = set()
    for table, listens in (("udp", "07"), ("tcp", "0A")):
        for line in host.run("cat", f"/proc/net/{table}").splitlines()[1:]:
            place, state = line.split()[1], line.split()[3]
            address, port = place.split(":")
            address = ".".join(str(octet) for octet in reversed(bytes.fromhex(address)))
            if state == listens and address in (host.address, "0.0.0.0"):
                found.add((host.address, int(port, 16), table))
    return found


def listed(place):
    """The same of a row of `show network`."""
    words = [word.split("/") for word in place["signalling_ports"].split()]
    return {(address, int(port), "udp" if kind == "udp" else "tcp")
            for address in place["signalling"] for port, kind in words}


def said(sipp):
    """The first complaint of a sipp that failed, for the assertion's text."""
    return sipp.complaint()


@pytest.fixture(scope="session")
def build():
    """TRUNKD_BUILD, or a build of its own."""
    if os.geteuid():
        pytest.skip("network namespaces need root")
    for tool in ("sipp", "baresip", "nft", "ethtool", "redis-server"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed: tools/install-packages runtime test")
    given = os.environ.get("TRUNKD_BUILD")
    if given:
        yield pathlib.Path(given).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="trunkd-build-") as folder:
        for words in (["meson", "setup", folder, str(ROOT)], ["ninja", "-C", folder]):
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-3000:]
        yield pathlib.Path(folder)


@pytest.fixture(scope="session")
def work():
    """A folder for configuration, logs and scenarios, kept when something failed."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="trunkd-system-"))
    yield folder
    if not os.environ.get("TRUNKD_KEEP") and not (folder / "failed").exists():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"\nlogs of this session: {folder}")


@pytest.fixture(scope="session")
def running(build, work):
    network.stop_on_signals()
    network.sweep()
    made = Site(build, work)
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def site(running, request):
    """The running site; afterwards nothing of the story may be left."""
    yield running
    if getattr(request.node, "has_failed", False):
        running.clear_away()
    else:
        running.nothing_left()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        item.has_failed = True
        folder = item.funcargs.get("work")
        site = item.funcargs.get("site") or item.funcargs.get("running")
        if site:
            folder = site.work
            with contextlib.suppress(Exception):
                report.sections.append(("trunkd's log", site.trunkd.log()[-6000:]))
        if folder:
            (folder / "failed").touch()
