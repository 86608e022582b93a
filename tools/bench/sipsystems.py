"""What the signalling bench measures: trunkd and Debian's Kamailio, each alone on the appliance's host,
its signalling on the host's loopback (no cable between it and the peers), its CPU time by thread."""

import contextlib
import copy
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import benchlib
from benchlib import LabError
from lab import appliance

PEERS_CPU, SYSTEM_CPU = benchlib.GENERATOR_CPU, benchlib.RELAY_CPU
CALLER, CALLED = "198.18.1.10", "198.18.1.20"
MEDIA_ADDRESSES = 10  # of 5,000 pairs of ports each; a held call takes two pairs, 20,000 are to be held
PASSWORD = "Correct-Horse-9"
MEEK = -10  # nice of threads that give way to others of their process, at top weight
PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}


def threads_of(pid):
    with contextlib.suppress(OSError):
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    return []


def pin(thread, cpu):
    with contextlib.suppress(OSError):
        os.sched_setaffinity(thread, {cpu})


def hasten(pid):
    """Top weight, like benchlib.weight(), for a process that runs already. Threads that gave way to the others
    still do: what they take on one CPU of a scheduling group's weight is missing on the other."""
    with contextlib.suppress(OSError):
        pathlib.Path(f"/proc/{pid}/autogroup").write_text("-20", encoding="ascii")
    for thread in threads_of(pid):
        with contextlib.suppress(OSError):
            nice = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, MEEK if nice > 0 or nice == MEEK else -20)


def cpu_ns(pid, thread):
    """CPU time a thread has had."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/task/{thread}/schedstat").read_text(encoding="ascii")
        return int(text.split()[0])
    return 0


def resident_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


class Place:
    """An address that looks like a host of the lab."""

    def __init__(self, address):
        self.address = address


class System:
    """One of the two, at an address of its own. `transport` is the caller's; the called party, a
    carrier, speaks UDP."""

    def __init__(self, bench, transport):
        self.bench, self.transport, self.host = bench, transport, bench.net["appliance"]
        self.work = pathlib.Path(tempfile.mkdtemp(prefix=f"{self.name}-{transport}-", dir=bench.work))

    def sipload(self, rate, seconds, hold=0.1, options=()):
        """Starts the peers; their one line of JSON comes from result_of()."""
        words = [self.bench.build / "tools/bench/sipload",
                 "--target", f"{self.address}:{PORTS[self.transport]}", "--caller", f"{CALLER}:5060",
                 "--called", f"{CALLED}:5060", "--domain", appliance.DOMAIN,
                 "--from", appliance.NUMBER, "--media", self.bench.net["pbx"].address,
                 "--rate", rate, "--seconds", seconds, "--hold", hold, "--cpu", PEERS_CPU,
                 "--transport", self.transport, "--called-target", f"{self.address}:5060", *options]
        if self.bench.options.digest:
            words += ["--user", appliance.TRUNK]
        process = subprocess.Popen(
            benchlib.first(self.host, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, text=True, start_new_session=True,
            env={**os.environ, "SIPLOAD_PASSWORD": PASSWORD})
        self.bench.net.processes.append(process)
        return process

    def result_of(self, process, timeout):
        try:
            out, complaint = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            raise LabError(f"sipload did not end within {timeout} s") from error
        if process.returncode or not out:
            raise LabError(f"sipload: {complaint.strip() or process.returncode}")
        return json.loads(out.splitlines()[-1])

    def by(self, transport):
        """The same system, called by another transport."""
        other = copy.copy(self)
        other.transport = transport
        return other

    def refresh(self):
        """As it was at its start, where that makes a difference."""

    def listen(self):
        """Gives the loopback all addresses of the bench."""
        for address in (self.address, CALLER, CALLED):
            self.host.run("ip", "address", "replace", f"{address}/32", "dev", "lo")

    def load(self, rate, seconds, hold=0.1, options=()):
        """What a rate did, with the CPU time of the system for each call."""
        for pid in self.pids():
            hasten(pid)
        before, whole_before = self.control_ns(), self.whole_ns()
        result = self.result_of(self.sipload(rate, seconds, hold, options), seconds + hold + 45)
        calls = max(result["calls"], 1)
        result["control_us_per_call"] = round((self.control_ns() - before) / 1000 / calls, 2)
        result["whole_us_per_call"] = round((self.whole_ns() - whole_before) / 1000 / calls, 2)
        result["repeats"] = result["repeats_sent"] + result["repeats_received"]
        return result


class Trunkd(System):
    name, address = "trunkd", "198.18.1.1"

    def start(self):
        host = self.host
        self.listen()
        extra = [f"192.0.2.{100 + index}" for index in range(MEDIA_ADDRESSES - 1)]
        options = {
            "sip.addresses": [self.address], "media.addresses": [host.address, *extra],
            "media.port_quarantine_ms": 1000, "limits.max_cps": 10000,
            "connections.max_per_source": 10000, "guard.peer_rate": 1000000,
            "log.level": "warning", "guard.options_interval_s": 0, "history.spool_records": 100000,
            "dataplane.addresses": [f"{one}/24" for one in (host.address, *extra)],
            "tls.ecdsa_certificate": self.bench.certificate,
            "tls.ecdsa_key": self.bench.certificate.with_suffix(".key")}
        self.trunkd = appliance.Appliance(host, self.bench.build, self.work, "af_packet",
                                          {**options, **self.bench.trunkd_options})
        self.trunkd.start()
        self.trunkd.provision(Place(CALLER), [("gateway-1", Place(CALLED), 10)], password=PASSWORD,
                              cps=10000, with_credentials=self.bench.options.digest)
        self.pid = self.trunkd.process.pid
        for pid in self.pids():
            for thread in threads_of(pid):
                pin(thread, SYSTEM_CPU if pid == thread == self.pid else PEERS_CPU)

    def pids(self):
        return [self.pid, *self.trunkd.pids("trunkd-dataplane"), *self.trunkd.pids("redis-server")]

    def control_ns(self):
        return cpu_ns(self.pid, self.pid)  # the control thread is the first

    def whole_ns(self):
        """All threads of trunkd, and its Redis; not the dataplane, which polls."""
        return sum(cpu_ns(pid, thread) for pid in (self.pid, *self.trunkd.pids("redis-server"))
                   for thread in threads_of(pid))

    def resident_kb(self):
        return resident_kb(self.pid)

    def active(self):
        return int(sum(self.trunkd.metrics().get("trunkd_calls", {}).values()))

    def transactions(self):
        """Alive now."""
        rows = self.trunkd.metrics()
        return int(sum(sum(rows[f"trunkd_sip_{side}_transactions"].values()) for side in ("server", "client")))

    def settle(self):
        """Until the last calls are gone and their ports have rested."""
        end = time.monotonic() + 40
        while self.active() and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(1.2)

    def stop(self):
        self.trunkd.stop()


KAMAILIO = """
debug=-5
log_stderror=yes
fork=yes
children={children}
auto_aliases=no
dns=no
rev_dns=no
{transport}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
{modules}
modparam("rr", "enable_full_lr", 1)
modparam("auth", "nonce_expire", 300)
request_route {{
	if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
	if (is_method("OPTIONS") && !has_totag()) {{ sl_send_reply("200", "OK"); exit; }}
	if (has_totag()) {{
		if (loose_route()) {{ t_relay(); exit; }}
		if (is_method("ACK") && t_check_trans()) {{ t_relay(); exit; }}
		if (!is_method("ACK")) sl_send_reply("404", "Not here");
		exit;
	}}
	if (is_method("ACK")) exit;
	if (is_method("INVITE")) {{
		t_check_trans();
		{digest}
		record_route();
	}}
	$ru = "sip:" + $rU + "@{called}";
	t_relay();
}}
"""

DIGEST = """if (!pv_proxy_authenticate("{domain}", "{password}", "0")) {{
			proxy_challenge("{domain}", "0");
			exit;
		}}
		consume_credentials();"""


class Kamailio(System):
    """A stateful record-routing proxy with digest: half of a B2BUA's work. With its default allocator
    it is no rival, nor when it logs."""
    name, address = "kamailio", "198.18.1.2"

    def by(self, transport):
        """With TLS it has more processes, so there is one that has no more than UDP takes."""
        self.stop()
        other = Kamailio(self.bench, transport)
        other.start()
        return other

    def start(self):
        self.listen()
        is_stream = self.transport != "udp"
        transport = f"maxbuffer=16777216\nlisten=udp:{self.address}:5060\n"
        modules = ""
        if is_stream:
            transport += (f"listen={self.transport}:{self.address}:{PORTS[self.transport]}\n"
                          "tcp_children=1\ntcp_max_connections=16384\n"
                          "tcp_connection_lifetime=600\n")
        else:
            transport += "disable_tcp=yes\n"
        if self.transport == "tls":
            certificate = self.bench.certificate
            transport += "enable_tls=yes\ntls_max_connections=16384\n"
            modules = ('loadmodule "tls.so"\n'
                       f'modparam("tls", "certificate", "{certificate}")\n'
                       f'modparam("tls", "private_key", "{certificate.with_suffix(".key")}")\n'
                       'modparam("tls", "tls_method", "TLSv1.2+")\n'
                       'modparam("tls", "session_cache", 1)\n')
        config = self.work / "kamailio.cfg"
        config.write_text(KAMAILIO.format(
            children=1, transport=transport, modules=modules,
            called=f"{CALLED}:5060",
            digest=DIGEST.format(domain=appliance.DOMAIN, password=PASSWORD)
            if self.bench.options.digest else ""))
        with open(self.work / "kamailio.log", "ab") as log:
            self.process = self.host.start(
                *benchlib.weight(), "kamailio", "-DD", "-E", "-f", config, "-x", "fm", "-X", "fm",
                "-m", 2048, "-M", 64, "-P", self.work / "kamailio.pid", "-Y", self.work,
                stdout=log, stderr=log)
        end = time.monotonic() + 10
        while len(self.pids()) < 4:
            if self.process.poll() is not None or time.monotonic() > end:
                raise LabError(f"kamailio did not start; see {self.work / 'kamailio.log'}")
            time.sleep(0.1)
        time.sleep(1)
        for pid in self.pids():
            pin(pid, SYSTEM_CPU)

    def refresh(self):
        """Thousands of connections that came and went make the next ones dearer, up to six times."""
        self.stop()
        self.start()

    def pids(self):
        found = []
        for pid in self.host.processes():
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "kamailio":
                    found.append(pid)
        return found

    def control_ns(self):
        return sum(cpu_ns(pid, pid) for pid in self.pids())

    whole_ns = control_ns

    def settle(self):
        """Until it rests: after too many calls it repeats requests for half a minute, on the CPU that the other
        system is measured on next."""
        end = time.monotonic() + 40
        before = self.control_ns()
        while time.monotonic() < end:
            time.sleep(0.5)
            now = self.control_ns()
            if now - before < 0.02 * 0.5e9:
                break
            before = now

    def stop(self):
        for pid in self.pids():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 5
        while self.pids() and time.monotonic() < end:
            time.sleep(0.1)
        for pid in self.pids():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
