"""Relays on the far end of a cable, started alike for every bench: trunkd-dataplane, testpmd (macswap)
with the same driver, Debian's rtpengine (userspace, one core); and steps of traffic through them. With
SRTP the first side of every call is secure and the second is not."""

import hashlib
import json
import os
import signal
import subprocess
import time

import benchlib
import rtpengine
from benchlib import LabError, first

LOSS = 0.001
TESTPMD_DEVICE = {
    # The dataplane's own arguments, dataplane/nic/driver.c.
    "af_packet": "net_af_packet0,iface=port0,qpairs=1,blocksz=65536,framesz=2048,framecnt=4096,"
                 "qdisc_bypass=1",
    "af_xdp": "net_af_xdp0,iface=port0,start_queue=0,queue_count=1",
}


def key_of(call, party):
    """Master key and salt of AES_CM_128_HMAC_SHA1_80."""
    return hashlib.sha256(f"{party}{call}".encode()).digest()[:30]


class Relay:
    """A relay running on the wire's far end."""

    def __init__(self, bench, calls=None, is_secure=None):
        self.bench, self.process = bench, None
        self.calls = bench.calls if calls is None else calls
        self.is_secure = bench.is_secure if is_secure is None else is_secure
        self.log = bench.work / f"{self.name}.log"
        self.flow_file = bench.work / f"{self.name}.flows"

    def launch(self, *words, **options):
        bench = self.bench
        self.next_number = 0
        bench.wire.reset_relay()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                first(bench.wire["relay"], *words), stdout=log, stderr=log, start_new_session=True,
                **{"stdin": subprocess.DEVNULL, **options})
        bench.wire.processes.append(self.process)

    def write_flows(self, flows):
        """(from, to, back), and for SRTP also (key of what is sent, key of what comes back)."""
        self.flow_file.write_text("".join(
            " ".join([f"{address}:{port}" for address, port in flow[:3]] +
                     [key.hex() if key else "-" for key in flow[3:]]) + "\n" for flow in flows))

    def fail(self, text):
        tail = self.log.read_text(errors="replace")[-1500:]
        raise LabError(f"{self.name}: {text}; the end of {self.log}:\n{tail}")

    def stop(self):
        """Ends everything on the relay's host: it holds nothing else."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.bench.wire["relay"].processes():
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            end = time.monotonic() + 3
            while self.bench.wire["relay"].processes() and time.monotonic() < end:
                time.sleep(0.05)
        self.process.wait(5)


class Macswap(Relay):
    name, dies_of_overload = "testpmd", False

    def start(self):
        bench = self.bench
        generator, relay = bench.wire["generator"].address, bench.wire["relay"].address
        # A reflector: each packet comes back with the ports it went with, and as it was. So that the
        # generator has the same work beside any relay, half of the flows are SRTP here too.
        flows = []
        for index in range(2 * self.calls):
            key = key_of(index, "A") if self.is_secure and index % 2 == 0 else None
            flows.append(((generator, 20000 + 2 * index), (relay, 10000 + 2 * index),
                          (relay, 10000 + 2 * index), key, key))
        self.write_flows(flows)
        self.launch("dpdk-testpmd", "--lcores", f"0@{benchlib.GENERATOR_CPU},1@{benchlib.RELAY_CPU}",
                    "--no-pci", "-m", "512",
                    "--in-memory" if bench.has_huge_pages else "--no-huge", "--no-telemetry", "--vdev",
                    TESTPMD_DEVICE[bench.driver], "--", "--forward-mode=macswap", "--auto-start",
                    "--port-topology=loop", "--nb-cores=1", "--total-num-mbufs=32768", "--burst=32", "--no-lsc-interrupt",
                    "--stats-period=600", stdin=subprocess.DEVNULL)
        if bench.driver == "af_packet":
            bench.wire.drop_udp("relay")
        end = time.monotonic() + 20
        while "Press enter" not in self.log.read_text(errors="replace") and \
                "statistics" not in self.log.read_text(errors="replace"):
            if self.process.poll() is not None or time.monotonic() > end:
                self.fail("did not start")
            time.sleep(0.1)
        time.sleep(0.5)


class Rtpengine(Relay):
    # It never serves a stream again whose socket queue overflowed, so every step gets a fresh one.
    name, dies_of_overload = "rtpengine", True
    port = 2223

    def start(self):
        bench = self.bench
        self.launch("taskset", "-c", benchlib.RELAY_CPU, "rtpengine", "--config-file=none",
                    "--foreground", "--log-stderr", "--log-level=3", "--table=-1",
                    f"--interface={bench.wire['relay'].address}",
                    f"--listen-ng=127.0.0.1:{self.port}", "--port-min=10000", "--port-max=20000",
                    "--num-threads=1", "--timeout=3600", "--silent-timeout=3600",
                    "--delete-delay=0")
        ng = rtpengine.Ng(bench.wire["relay"], self.port)
        end = time.monotonic() + 10
        while True:
            try:
                ng.ask("ping")
                break
            except LabError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.fail("did not start")
        self.write_flows(rtpengine.set_up(ng, bench.wire["generator"].address, self.calls,
                                          f"bench-{time.monotonic_ns()}",
                                          key_of if self.is_secure else None))
        ng.close()


class Trunkd(Relay):
    name, dies_of_overload = "trunkd", False

    def start(self):
        bench = self.bench
        wire, socket = bench.wire, bench.work / "dataplane.sock"
        generator, relay = wire["generator"].address, wire["relay"].address
        socket.unlink(missing_ok=True)
        kernel = ["--interface", "trunk0", "--address", f"{relay}/24"]
        self.launch(bench.build / "dataplane/trunkd-dataplane", "--socket", socket, "--port",
                    f"{bench.driver}:port0", "--media", relay, "--workers", 1, "--cores",
                    benchlib.RELAY_CPU, "--polling", "busy", "--memory-mb", 512, *bench.dataplane_options,
                    *(kernel if bench.driver == "af_packet" else []))
        end = time.monotonic() + 20
        while not socket.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                self.fail("did not start")
            time.sleep(0.1)
        time.sleep(0.3)
        flows, keys = [], []
        for call in range(self.calls):
            arrives, leaves = (key_of(call, "A"), key_of(call, "R")) if self.is_secure else (None,) * 2
            a, b = (generator, 20000 + 4 * call), (generator, 20002 + 4 * call)
            flows += [(a, (relay, 10000 + 4 * call), b, arrives, None),
                      (b, (relay, 10002 + 4 * call), a, None, leaves)]
            keys.append(f"{arrives.hex()} {leaves.hex()}\n" if self.is_secure else "")
        self.write_flows(flows)
        self.key_file = bench.work / "trunkd.keys"
        self.key_file.write_text("".join(keys))
        self.control = subprocess.Popen(
            wire["relay"].words(bench.build / "tools/bench/relayctl", socket, generator,
                                wire["generator"].mac, self.calls, 20000,
                                *([self.key_file] if self.is_secure else [])),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        wire.processes.append(self.control)
        end = time.monotonic() + 10
        # RTP and RTCP of both sides.
        while (counters := self.counters())["streams_open"] < 4 * self.calls:
            if time.monotonic() > end:
                self.fail(f"{counters['streams_open']} of {4 * self.calls} streams are open")
            time.sleep(0.05)

    def counters(self):
        try:
            self.control.stdin.write("\n")
            self.control.stdin.flush()
            line = self.control.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.fail("relayctl ended")
        return json.loads(line)


def rotated(items, turn):
    """Another one first each time."""
    turn %= max(len(items), 1)
    return items[turn:] + items[:turn]


class Bench:
    """Steps at a rate, and the search for the highest good one."""

    programs = ()

    def __init__(self, options, wire, work):
        self.options, self.wire, self.work = options, wire, work
        self.calls, self.driver, self.is_secure = options.calls, options.driver, False
        self.dataplane_options = []
        self.build = benchlib.build_directory(options.build, "dataplane/trunkd-dataplane",
                                              "tools/bench/rtpgen", "tools/bench/relayctl",
                                              *self.programs)
        self.progress = benchlib.Progress()
        self.has_huge_pages = int(next(line.split()[1] for line in open("/proc/meminfo")
                                       if line.startswith("HugePages_Free"))) >= 256
        self.bracket = {}

    def generate(self, relay, *phases):
        """rtpgen over the wire; one dictionary for each phase."""
        generator = self.wire["generator"]
        done = subprocess.run(
            first(generator, self.build / "tools/bench/rtpgen", "-i", generator.interface, "-m",
                  self.wire["relay"].mac, "-f", relay.flow_file, "-c", benchlib.GENERATOR_CPU,
                  "-b", relay.next_number, "-r", ",".join(f"{int(rate)}:{seconds}" for rate, seconds in phases)),
            text=True, capture_output=True, check=False)
        if done.returncode:
            raise LabError(f"rtpgen: {done.stderr}")
        steps = [json.loads(line) for line in done.stdout.splitlines()]
        relay.next_number = steps[-1]["next_number"]  # SRTP that begins again would be a replay
        return steps

    def is_good(self, step):
        return (step["loss"] < LOSS and not step["altered"] and not step["bad_checksums"] and
                not step["unauthentic"] and
                step["sent_pps"] > 0.99 * step["rate"])

    def one_step(self, relay, rate):
        """A good step, or None. A bad one during which others worked is tried once more."""
        for attempt in range(3):
            if relay.dies_of_overload:
                relay.start()
            try:
                mine = {os.getpid(), *relay.bench.wire["relay"].processes()}
                before, start = benchlib.jiffies_of_others(mine), time.monotonic()
                step = self.generate(relay, (rate, self.options.seconds))[-1]
                others = (benchlib.jiffies_of_others(mine) - before) / (time.monotonic() - start)
            finally:
                if relay.dies_of_overload:
                    relay.stop()
            good = self.is_good(step)
            self.progress(f"  {relay.name:9} {rate / 1000:7.1f} kpps: loss {100 * step['loss']:.3f} %, "
                          f"p50 {step['p50_us']:.0f} us, p99 {step['p99_us']:.0f} us"
                          f"{'' if good else '  no'}"
                          f"{f'  (others took {others:.0f} % of a core)' if others > 20 else ''}")
            if good:
                return step
            if others <= 20 and attempt:
                return None
            time.sleep(0.5)
        return None

    def highest(self, relay_class):
        """Of a relay with this bench's calls; of those that survive it, under overload too."""
        relay = relay_class(self)
        low, high = self.bracket.get(relay.name, (self.options.low, 2 * self.options.low))
        if not relay.dies_of_overload:
            relay.start()
        try:
            best = benchlib.search(lambda rate: self.one_step(relay, rate), low, high)
            extra = {}
            if best and not relay.dies_of_overload:
                extra = self.overload(relay, best["rate"])
        finally:
            if not relay.dies_of_overload:
                relay.stop()
        if not best:
            raise LabError(f"{relay.name}: no rate was loss-free; see {relay.log}")
        self.bracket[relay.name] = (best["rate"] * 0.94, best["rate"] * 1.08)
        self.progress(f"{relay.name}: highest loss-free rate {best['rate'] / 1000:.1f} kpps")
        return {**best, **extra}

    def overload(self, relay, rate):
        """Three times too much for 3 s, then half: what still comes out, how soon all are back."""
        _, over, after = self.generate(relay, (rate / 2, 1), (3 * rate, 3), (rate / 2, 2))
        result = {"overload_offered": round(over["sent_pps"] / rate, 2),
                  "overload_delivered": round(over["delivered_pps"] / rate, 3),
                  "recovery_ms": after["back_ms"], "silent_flows": after["silent_flows"]}
        self.progress(f"  {relay.name:9} at {result['overload_offered']} x: delivers "
                      f"{result['overload_delivered']} of its rate, all streams back after "
                      f"{after['back_ms']:.0f} ms, {after['silent_flows']} silent")
        return result
