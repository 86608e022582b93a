"""Hosts in network namespaces, each with one cable into a switch (a Linux bridge in a namespace of
its own). Everything carries the network's name, so several can live side by side and a crashed
run's leftovers are found and removed."""

import atexit
import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import time

PREFIX = "trunkd"
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
SO_RCVBUFFORCE = 33
SUBNET = "192.0.2."  # TEST-NET-1: public in form, so nothing in a call looks like a LAN address
SUBNET6 = "2001:db8:2::"
PLAN = {"appliance": 1, "appliance2": 2, "pbx": 10, "pbx2": 11, "carrier": 20, "carrier2": 21, "stranger": 66}

libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """Something the lab needs did not work; the text says what to do."""


def run(*words, check=True, **options):
    """A short command; its complaint is part of the error."""
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True, **options)
    if check and done.returncode:
        raise LabError(f"{' '.join(map(str, words))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def die_with_parent():
    """In a child before exec: kill -9 of the lab takes its phones along."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def namespaces():
    """Names of all network namespaces of this machine."""
    return [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.strip()]


class Host:
    """One namespace with one cable. `interface` is its end, `address` what it answers to."""

    def __init__(self, network, name, address, interface="eth0"):
        self.network, self.name, self.address, self.interface = network, name, address, interface
        self.namespace = f"{network.name}-{name}"
        number = address.rsplit(".", 1)[1]
        self.address6 = SUBNET6 + number  # where the network has IPv6
        self.mac = "02:00:00:00:00:%02x" % int(number)

    def words(self, *words):
        return ["ip", "netns", "exec", self.namespace, *map(str, words)]

    def run(self, *words, **options):
        return run(*self.words(*words), **options)

    def start(self, *words, keep=False, **options):
        """A process on this host. keep: it outlives us when we are killed."""
        options.setdefault("stdin", subprocess.DEVNULL)
        if not keep:
            options.setdefault("preexec_fn", die_with_parent)
        process = subprocess.Popen(self.words(*words), start_new_session=True, **options)
        self.network.processes.append(process)
        return process

    @contextlib.contextmanager
    def inside(self):
        """This thread is on that host: sockets it opens stay there."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.namespace}", os.O_RDONLY)
        try:
            if libc.setns(there, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            libc.setns(own, CLONE_NEWNET)
            os.close(there)
            os.close(own)

    def socket(self, port=0, kind=socket.SOCK_DGRAM, address=None):
        """A bound socket on that host."""
        address = self.address if address is None else address
        with self.inside():
            made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((address, port))
        return made

    def processes(self):
        return [int(word) for word in run("ip", "netns", "pids", self.namespace, check=False).split()]


class Network:
    """with Network("quickstart") as network: … ; removed at the end, come what may."""

    def __init__(self, name, hosts=("pbx", "carrier"), has_ipv6=False):
        self.name, self.has_ipv6 = f"{PREFIX}-{name}", has_ipv6
        self.hosts, self.processes, self.is_up = {}, [], False
        self.wanted = ["appliance", *[host for host in hosts if host != "appliance"]]

    def __enter__(self):
        self.up()
        return self

    def __exit__(self, *_):
        self.down()

    def __getitem__(self, name):
        return self.hosts[name]

    def up(self):
        need_tools()
        remove(self.name)
        atexit.register(self.down)
        self.is_up = True
        try:
            run("ip", "netns", "add", f"{self.name}-switch")
            self._switch("link", "add", "br0", "type", "bridge", "mcast_snooping", "0",
                         "forward_delay", "0")
            self._switch("link", "set", "br0", "up")
            for name in self.wanted:
                self.add(name)
        except BaseException:
            self.down()
            raise

    def add(self, name):
        """One more host on the switch."""
        if name not in PLAN:
            raise LabError(f"no host {name} in the plan: {', '.join(PLAN)}")
        host = Host(self, name, SUBNET + str(PLAN[name]), "port0" if name.startswith("appliance") else "eth0")
        run("ip", "netns", "add", host.namespace)
        cable = f"to-{name}"
        run("ip", "link", "add", host.interface, "netns", host.namespace, "type", "veth", "peer",
            "name", cable, "netns", f"{self.name}-switch")
        for setting in ("all.disable_ipv6", "default.disable_ipv6"):
            host.run("sysctl", "-qw", f"net.ipv6.conf.{setting}={0 if self.has_ipv6 else 1}",
                     check=False)
        host.run("ip", "link", "set", "lo", "up")
        host.run("ip", "link", "set", host.interface, "address", host.mac)
        # The kernel leaves checksums unfinished on veth; the worker verifies them like a NIC's.
        host.run("ethtool", "-K", host.interface, "tx", "off", check=False)
        run("ip", "netns", "exec", f"{self.name}-switch", "ethtool", "-K", cable, "tx", "off",
            check=False)
        self._switch("link", "set", cable, "master", "br0", "up")
        host.run("ip", "link", "set", host.interface, "up")
        if name != "appliance":  # its kernel interface depends on the driver
            host.run("ip", "address", "add", f"{host.address}/24", "dev", host.interface)
            if self.has_ipv6:
                host.run("ip", "address", "add", f"{host.address6}/64", "dev", host.interface,
                         "nodad")
        self.hosts[name] = host
        return host

    def cut(self, name, is_cut=True):
        """Pulls (or plugs in) a host's cable at the switch."""
        self._switch("link", "set", f"to-{name}", "down" if is_cut else "up")

    def _switch(self, *words):
        run("ip", "-n", f"{self.name}-switch", *words)

    def down(self):
        if not self.is_up:
            return
        self.is_up = False
        atexit.unregister(self.down)
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        remove(self.name)
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
        self.hosts.clear()

    @classmethod
    def existing(cls, name):
        """The one `lab up` left, or None."""
        network = cls(name)
        for namespace in namespaces():
            host = namespace.removeprefix(network.name + "-")
            if host != namespace and host in PLAN:
                network.hosts[host] = Host(network, host, SUBNET + str(PLAN[host]),
                                           "port0" if host.startswith("appliance") else "eth0")
        return network if network.hosts else None


def remove(name):
    """Ends what runs in a network's namespaces, then removes them. Harmless when there are none."""
    mine = [one for one in namespaces() if re.fullmatch(re.escape(name) + "-[a-z0-9]+", one)]
    for force in (signal.SIGTERM, signal.SIGKILL):
        left = [int(pid) for one in mine
                for pid in run("ip", "netns", "pids", one, check=False).split()]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, force)
        end = time.monotonic() + (2 if force == signal.SIGTERM else 1)
        while left and time.monotonic() < end:
            left = [pid for pid in left if os.path.exists(f"/proc/{pid}") and not is_zombie(pid)]
            time.sleep(0.02)
        if not left:
            break
    for one in mine:
        run("ip", "netns", "delete", one, check=False)


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def sweep():
    """Removes networks named after a process that is no more: trunkd-WORD-PID-…"""
    for one in namespaces():
        found = re.fullmatch(rf"({PREFIX}-[a-z]+-(\d+))-[a-z0-9]+", one)
        if found and not os.path.exists(f"/proc/{found[2]}"):
            remove(found[1])


def need_tools():
    if os.geteuid():
        raise LabError("network namespaces need root: run this with sudo")
    for tool in ("ip", "ethtool", "sysctl"):
        if not any(os.access(f"{place}/{tool}", os.X_OK)
                   for place in ("/usr/sbin", "/sbin", "/usr/bin", "/bin")):
            raise LabError(f"{tool} is missing: apt-get install iproute2 ethtool procps")


def stop_on_signals():
    """SIGTERM and SIGHUP unwind like an interrupt, so that networks are removed."""
    def leave(number, _frame):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
