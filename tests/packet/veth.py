"""veth.py DATAPLANE CLIENT: the real program on a real cable, between two hosts with kernel sockets.

Three network namespaces of its own on a bridge: a, b, and the dataplane. Kernel sockets check what no
capture file can: that our checksums are right, that ping's and TCP's way to the kernel works, and what
is left behind when somebody is killed. Needs root; exits 77 (skipped) without.
"""

import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import frames

TAG = f"dp{os.getpid() % 100000}"
HOSTS = {4: ("10.77.0.11", "10.77.0.12", "10.77.0.1"), 6: ("fd77::11", "fd77::12", "fd77::1")}
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
IP_RECVTTL, IPV6_RECVHOPLIMIT = 12, 51
WAIT_S = 3


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True).stdout


def within(host, *command, **options):
    return subprocess.run(["ip", "netns", "exec", TAG + host, *command], capture_output=True, text=True, **options)


@contextlib.contextmanager
def network():
    """Hosts a, b and dut (the dataplane's, without addresses) on a switch of their own."""
    try:
        for name in ("switch", "a", "b", "dut"):
            ip("netns", "add", TAG + name)
        ip("link", "add", "bridge", "netns", TAG + "switch", "type", "bridge", "mcast_snooping", "0")
        ip("-n", TAG + "switch", "link", "set", "bridge", "up")
        for number, name in enumerate(("a", "b", "dut")):
            plug = f"to_{name}"
            ip("link", "add", "e0", "netns", TAG + name, "type", "veth", "peer", "name", plug, "netns", TAG + "switch")
            ip("-n", TAG + "switch", "link", "set", plug, "master", "bridge", "up")
            within(name, "ethtool", "-K", "e0", "tx", "off", check=True)  # or local checksums stay unfinished
            ip("-n", TAG + name, "link", "set", "lo", "up")
            ip("-n", TAG + name, "link", "set", "e0", "up")
            for family, bits in ((4, 24), (6, 64)) if name != "dut" else ():
                ip("-n", TAG + name, "addr", "add", f"{HOSTS[family][number]}/{bits}", "dev", "e0",
                   *(["nodad"] if family == 6 else []))
        yield
    finally:
        for name in ("a", "b", "dut", "switch"):
            ip("netns", "del", TAG + name, check=False)


def open_socket(host, family, kind, address=None):
    """A socket within a host's namespace; only its making needs to be there."""
    made = []

    def make():
        with open(f"/var/run/netns/{TAG}{host}") as namespace:
            if LIBC.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                return
        sock = socket.socket(family, kind)
        sock.settimeout(WAIT_S)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address:
            sock.bind(address)
        made.append(sock)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


class Dataplane:
    def __init__(self, program, socket_path, port, *more):
        addresses = [word for family, bits in ((4, 24), (6, 64)) for word in
                     ("--media", HOSTS[family][2], "--address", f"{HOSTS[family][2]}/{bits}")]
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", TAG + "dut", program, "--port", port, "--socket", socket_path, "--memory-mb", "128",
             *addresses, *more], stdout=self.log, stderr=self.log, text=True)

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def is_ready(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            if "dataplane_ready" in self.said():
                return True
            time.sleep(0.05)
        return False

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(10)


class Client:
    def __init__(self, program, socket_path):
        self.process = subprocess.Popen([program, socket_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.greeting = self.process.stdout.readline()

    def asks(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def kill(self):
        self.process.kill()
        self.process.wait()


def mac_of(host):
    return within(host, "cat", "/sys/class/net/e0/address").stdout.strip()


def receive(sock):
    """Payload, sender's address and port, TTL or hop limit."""
    payload, notes, _, sender = sock.recvmsg(2048, 256)
    return payload, sender[:2], [int.from_bytes(note[2][:4], "little") for note in notes]


def media_flows(client, version, generation):
    """Both ways, 20 packets, TTL 64 out; the sender too near its end and the stranger are not heard."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    a, b, ours = HOSTS[version]
    first = 0 if version == 4 else frames.PORT_COUNT
    wants_ttl = (socket.IPPROTO_IP, IP_RECVTTL) if version == 4 else (socket.IPPROTO_IPV6, IPV6_RECVHOPLIMIT)
    set_ttl = (socket.IPPROTO_IP, socket.IP_TTL) if version == 4 else (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
    at_a = open_socket("a", family, socket.SOCK_DGRAM, (a, 4000))
    at_b = open_socket("b", family, socket.SOCK_DGRAM, (b, 6000))
    stranger = open_socket("b", family, socket.SOCK_DGRAM, (b, 6666))
    for sock in (at_a, at_b):
        sock.setsockopt(*wants_ttl, 1)
    text = {host: f"[{host}]" if version == 6 else host for host in (a, b)}
    for line in (f"open {first} {generation} {first + 2} {text[a]}:4000 {text[b]}:6000 {mac_of('b')} 101 101 0",
                 f"open {first + 2} {generation} {first} {text[b]}:6000 {text[a]}:4000 {mac_of('a')} 101 101 0"):
        assert client.asks(line) == "sent OK"
    time.sleep(0.05)
    for number in range(20):
        speech = frames.rtp(number)
        at_a.sendto(speech, (ours, 10000))
        assert receive(at_b) == (speech, (ours, 10002), [64])
        at_b.sendto(speech, (ours, 10002))
        assert receive(at_a) == (speech, (ours, 10000), [64])
    stranger.sendto(frames.rtp(99), (ours, 10000))
    at_a.setsockopt(*set_ttl, 10)
    at_a.sendto(frames.rtp(21), (ours, 10000))
    at_a.setsockopt(*set_ttl, 11)
    at_a.sendto(frames.rtp(22), (ours, 10000))
    assert receive(at_b)[0] == frames.rtp(22)
    shown = client.asks(f"show {first}")
    assert " packets=21 " in shown and " drop_ttl=1 drop_source=1 " in shown and " ttl_lowest=10 " in shown, shown
    return at_a, at_b, ours


def kernel_is_reached():
    """TCP through whatever way the driver has, unharmed."""
    listener = open_socket("dut", socket.AF_INET, socket.SOCK_STREAM, (HOSTS[4][2], 5060))
    listener.listen()
    caller = open_socket("a", socket.AF_INET, socket.SOCK_STREAM)
    caller.connect((HOSTS[4][2], 5060))
    server, _ = listener.accept()
    sent = os.urandom(500_000)
    sender = threading.Thread(target=lambda: (caller.sendall(sent), caller.shutdown(socket.SHUT_WR)))
    sender.start()
    got = bytearray()
    while part := server.recv(65536):
        got += part
    sender.join()
    assert got == sent


def fragments_reach_the_kernel():
    """A SIP message may be longer than a frame; the kernel puts it together, whatever its size."""
    server = open_socket("dut", socket.AF_INET, socket.SOCK_DGRAM, (HOSTS[4][2], 5060))
    sender = open_socket("a", socket.AF_INET, socket.SOCK_DGRAM)
    for size in (1472, 1473, 2000, 4000, 16000):
        sent = os.urandom(size)
        sender.sendto(sent, (HOSTS[4][2], 5060))
        assert server.recv(65536) == sent, size


def tables():
    return within("dut", "nft", "list", "tables").stdout.strip()


def program_of_interface():
    return "prog/xdp" in ip("-n", TAG + "dut", "-d", "link", "show", "e0")


def story(program, client_program, port, socket_path):
    dataplane = Dataplane(program, socket_path, port)
    assert dataplane.is_ready(), dataplane.said()
    assert tables() == ("table netdev trunkd_e0" if port.startswith("af_packet") else "")
    kernel_is_reached()
    fragments_reach_the_kernel()
    client = Client(client_program, socket_path)
    for version in (4, 6):
        at_a, at_b, ours = media_flows(client, version, 1)
    client.kill()  # without a word
    at_a.sendto(frames.rtp(23), (ours, 10000))
    assert receive(at_b)[0] == frames.rtp(23), "media must flow on without control"
    client = Client(client_program, socket_path)
    assert client.asks("close 0 1") == "sent OK", "the next control process must find the streams"
    client.kill()

    second = Dataplane(program, socket_path, port, "--interface", "second0")
    assert not second.is_ready() and "another dataplane serves it" in second.said(), second.said()
    at_a.sendto(frames.rtp(24), (ours, 10000))
    assert receive(at_b)[0] == frames.rtp(24), "a second start must not harm the first"
    kernel_is_reached()

    dataplane.end(signal.SIGKILL)  # what it leaves behind, the next one replaces
    dataplane = Dataplane(program, socket_path, port)
    assert dataplane.is_ready(), dataplane.said()
    kernel_is_reached()
    media_flows(Client(client_program, socket_path), 4, 5)
    assert dataplane.end() == 0, dataplane.said()
    dataplane = Dataplane(program, socket_path, port)
    assert dataplane.is_ready(), dataplane.said()
    Client(client_program, socket_path).process.communicate("end\n")
    assert dataplane.process.wait(10) == 0, "control asked it to end: " + dataplane.said()
    assert tables() == "" and not program_of_interface() and not os.path.exists(socket_path)


def main():
    probe = TAG + "probe"
    if os.geteuid() != 0 or subprocess.run(["ip", "netns", "add", probe], capture_output=True).returncode != 0:
        print("needs root and network namespaces")
        return 77
    ip("netns", "del", probe)
    failed = 0
    for port in ("af_packet:e0", "af_xdp:e0"):
        with tempfile.TemporaryDirectory() as folder, network():
            try:
                story(sys.argv[1], sys.argv[2], port, str(pathlib.Path(folder) / "dataplane.sock"))
                print("ok  ", port)
            except (AssertionError, OSError) as error:
                failed += 1
                print("FAIL", port, repr(error))
                raise
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
