"""What the benches share: the cable between generator and relay, priorities on a busy machine,
searching the highest good rate, medians, the machine's facts."""

import contextlib
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

from lab.network import Host, LabError, Network, remove, run  # noqa: E402

GENERATOR_CPU, RELAY_CPU = 0, 1


class Wire(Network):
    """Two hosts and one cable between them, no switch: every packet costs what the relay costs.
      own     each side's receive work runs on its own core, by RPS, as a NIC's interrupts would
      sender  on the sender's core, as veth has it: flatters every relay"""

    def __init__(self, receive="own"):
        super().__init__(f"bench-{os.getpid()}", ())
        self.receive = receive

    def up(self):
        self.is_up = True
        try:
            self._up()
        except BaseException:
            self.down()
            raise

    def _up(self):
        for name, address, interface in (("generator", "198.18.0.1", "gen0"),
                                         ("relay", "198.18.0.2", "port0")):
            host = Host(self, name, address, interface)
            run("ip", "netns", "add", host.namespace)
            self.hosts[name] = host
        generator, relay = self["generator"], self["relay"]
        run("ip", "link", "add", generator.interface, "netns", generator.namespace, "type", "veth",
            "peer", "name", relay.interface, "netns", relay.namespace)
        for host, mac, other in ((generator, "02:00:00:00:01:01", relay),
                                 (relay, "02:00:00:00:01:02", generator)):
            host.mac = mac
            for scope in ("all", "default"):
                host.run("sysctl", "-qw", f"net.ipv6.conf.{scope}.disable_ipv6=1", check=False)
            host.run("ip", "link", "set", "lo", "up")
            host.run("ip", "link", "set", host.interface, "address", mac)
            host.run("ip", "address", "add", f"{host.address}/24", "dev", host.interface)
            host.run("ip", "link", "set", host.interface, "up")
        for host, other in ((generator, relay), (relay, generator)):
            host.run("ip", "neigh", "add", other.address, "lladdr", other.mac, "dev",
                     host.interface, "nud", "permanent")
        for host, cpu in ((generator, GENERATOR_CPU), (relay, RELAY_CPU)):
            mask = 1 << cpu if self.receive == "own" else 0
            host.run("sh", "-c", f"echo {mask:x} > "
                     f"/sys/class/net/{host.interface}/queues/rx-0/rps_cpus")
        self.drop_udp("generator")

    def drop_udp(self, name, is_on=True):
        """A packet tap sees packets before this; without it the kernel answers each by ICMP."""
        host = self[name]
        host.run("nft", "delete table netdev bench", check=False)
        if is_on:
            host.run("nft", "add table netdev bench; add chain netdev bench input { type filter "
                     f'hook ingress device "{host.interface}" priority 0; }}; '
                     "add rule netdev bench input meta l4proto udp drop")

    def reset_relay(self):
        """The relay's interface as it was, whatever the last program did to it."""
        host = self["relay"]
        host.run("nft", "flush", "ruleset", check=False)
        host.run("ip", "link", "set", host.interface, "xdp", "off", check=False)
        host.run("ip", "address", "replace", f"{host.address}/24", "dev", host.interface)


def weight():
    """Words that give the program after them top weight, in a scheduling group of its own."""
    return ["setsid", "-w", "sh", "-c", "echo -20 > /proc/self/autogroup 2>/dev/null; "
            'exec nice -n -20 "$@"', "sh"]


def first(host, *words):
    """Words that run a program on a host at top weight."""
    return host.words(*weight(), *map(str, words))


@contextlib.contextmanager
def deep_backlog(packets):
    """The kernel's queue between a cable and its receiver's core holds 1,000 packets, 2 ms at full
    speed, and a core that polls is late by more now and then; a much longer one lets overload eat the
    core before it is dropped. ksoftirqd keeps its own weight: with the relay's it takes so many
    turns that, above the limit, relays of all kinds get none."""
    path = pathlib.Path("/proc/sys/net/core/netdev_max_backlog")
    before = path.read_text()
    path.write_text(str(packets))
    try:
        yield
    finally:
        path.write_text(before)


@contextlib.contextmanager
def weight_by_thread():
    """Threads alone compete for a CPU, by their nice values. Where groups do, what a program's other threads
    want on one CPU is taken from the weight of its threads on another: who is busier gets less."""
    path = pathlib.Path("/proc/sys/kernel/sched_autogroup_enabled")
    before = path.read_text() if path.exists() else None
    if before is not None:
        path.write_text("0")
    try:
        yield
    finally:
        if before is not None:
            path.write_text(before)


def jiffies_of_others(mine):
    """CPU time of all processes but these, in clock ticks."""
    total = 0
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            head, _, rest = entry.read_text().rpartition(")")
            words = rest.split()
            if words[1] != "2" and int(entry.parent.name) not in mine:
                total += int(words[11]) + int(words[12])
    return total


def search(probe, low, high, tolerance=0.03, floor=2000, end=float("inf")):
    """The highest rate (within the tolerance) whose probe is good, and what it measured.
    The bracket moves when need be; None when nothing above the floor is good. After `end`, by the
    monotonic clock, what was found until then does."""
    best, is_bounded = None, False
    while best is None:
        best = probe(low)
        if best is None:
            if low < floor:
                return None
            low, high, is_bounded = low / 1.5, low, True
    while (not is_bounded or high - low > tolerance * low) and time.monotonic() < end:
        if not is_bounded and high <= low * (1 + tolerance):
            high = low * 1.4
        middle = (low + high) / 2 if is_bounded else high
        found = probe(middle)
        if found is None:
            high, is_bounded = middle, True
        else:
            best, low = found, middle
            if not is_bounded:
                high = low * 1.4
    return best


def median(values):
    return statistics.median(values) if values else 0.0


def spread(values):
    """Lowest and highest, for the record."""
    return [round(min(values), 3), round(max(values), 3)] if values else []


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                if line.startswith("model name")), platform.machine())
    return f"{cpu}, {os.cpu_count()} CPUs, Linux {platform.release()}"


class Progress:
    """Lines with seconds since the start, on stderr: stdout is for the one line of JSON."""

    def __init__(self):
        self.start = time.monotonic()

    def __call__(self, text):
        print(f"[{time.monotonic() - self.start:6.1f} s] {text}", file=sys.stderr, flush=True)


def run_parts(parts, progress, result):
    """Adds to the result the figures of all (name, function), and under "failed_parts" what was wrong with those
    that gave none."""
    for name, part in parts:
        progress(f"part {name}")
        try:
            result.update(part())
        except (LabError, OSError, ValueError, KeyError, ArithmeticError,
                subprocess.SubprocessError) as error:
            result.setdefault("failed_parts", {})[name] = str(error)
            progress(f"  FAILED: {error}")


def last_line(result):
    print(json.dumps(result), flush=True)


def build_directory(wanted, *targets):
    """Where the programs are: given, or ./build, built when something is missing."""
    folder = pathlib.Path(wanted or os.environ.get("TRUNKD_BUILD") or ROOT / "build").resolve()
    if not (folder / "build.ninja").exists():
        run("meson", "setup", folder, ROOT)
    if not all((folder / target).exists() for target in targets):
        done = subprocess.run(["ninja", "-C", str(folder), *targets], capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise LabError(f"the build in {folder} failed:\n{done.stdout[-3000:]}")
    return folder


def build_facts(folder):
    """How it was built: what is measured depends on it."""
    done = subprocess.run(["meson", "introspect", "--buildoptions", str(folder)], capture_output=True, text=True,
                          check=False)
    wanted = ("buildtype", "b_lto", "b_sanitize")
    with contextlib.suppress(ValueError):
        values = {option["name"]: option["value"] for option in json.loads(done.stdout)}
        return {name: values[name] for name in wanted if name in values}
    return {}


__all__ = ["GENERATOR_CPU", "RELAY_CPU", "HERE", "ROOT", "LabError", "Progress", "Wire",
           "build_directory", "build_facts", "deep_backlog", "first", "jiffies_of_others", "last_line", "machine", "median",
           "remove", "run", "run_parts", "search", "spread", "weight", "weight_by_thread"]
