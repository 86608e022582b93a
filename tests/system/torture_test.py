"""The messages of tests/torture against a running trunkd, as datagrams and on connections of TCP and TLS;
and 2,000 copies of each hostile one, while who behaves is answered and memory stays as it was."""

import socket
import sys
import threading
import time

import pytest
from conftest import ROOT, Site
from lab.appliance import BASE_DOMAIN, CALLED, NUMBER
from lab.certificates import contexts
from pair import Pair
from stream_test import PORTS, make_certificate

sys.path.insert(0, str(ROOT / "tests" / "torture"))

import hostile  # noqa: E402
import messages  # noqa: E402
import rfc4475  # noqa: E402
import rfc5118  # noqa: E402

HOST = f"fast.{BASE_DOMAIN}"
ALL = [message for module in (rfc4475, rfc5118, hostile) for message in module.MESSAGES]
COPIES, WARM = 2000, 200
BATCH = 50          # so that the socket's buffer holds them
GROWTH_KB = 256     # what pages that are half in use may add
CHANGES = ("wsinv", "sdp01", "inv2543")  # refused alone, sound offers within a call
ENDS = {"close": 400, "large": 513}  # of a connection that cannot go on
SILENT = ("wrong_via", "malformed", "withheld", "unknown")


def options(number):
    return (f"OPTIONS sip:{HOST} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKfence{number};"
            f"rport\r\nFrom: <sip:a@{HOST}>;tag=fence\r\nTo: <sip:{HOST}>\r\nCall-ID: fence{number}\r\n"
            f"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nUser-Agent: one who asks in many words\r\n"
            "Content-Length: 0\r\n\r\n").encode()


class Busy(threading.Thread):
    """The carrier: whoever is called is busy."""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.socket = host.socket(5060)
        self.end = False
        self.invites = 0

    def run(self):
        self.socket.settimeout(0.2)
        while not self.end:
            try:
                data, source = self.socket.recvfrom(65535)
            except socket.timeout:
                continue
            lines = data.decode("utf-8", "replace").split("\r\n")
            if not lines[0].startswith("INVITE "):
                continue
            self.invites += 1
            kept = [line + (";tag=busy" if line.startswith("To:") else "") for line in lines
                    if line.startswith(("Via:", "From:", "To:", "Call-ID:", "CSeq:"))]
            answer = "\r\n".join(["SIP/2.0 486 Busy Here", *kept, "Content-Length: 0", "", ""])
            self.socket.sendto(answer.encode(), source)

    def close(self):
        self.end = True
        self.join()
        self.socket.close()


def statuses(octets):
    """Final ones, of every answer in there."""
    return [int(line.split()[1]) for line in octets.decode("utf-8", "replace").split("\r\n")
            if line.startswith("SIP/2.0 ") and line.split()[1] >= "200"]


@pytest.fixture(params=["udp", "tcp", "tls"])
def target(request, build, tmp_path):
    """A site that judges nobody by how often he comes, and a carrier where everybody is busy."""
    certificate, key = make_certificate(tmp_path)
    made = Site(build, tmp_path, name="torture",
                options={"guard.enabled": False, "log.level": "warning",
                         "tls.ecdsa_certificate": certificate, "tls.ecdsa_key": key})
    made.tls = contexts(certificate, key)
    busy = None
    try:
        made.start()
        busy = Busy(made.net["carrier"])
        busy.start()
        made.transport, made.busy = request.param, busy
        yield made
    finally:
        if busy:
            busy.close()
        made.stop()


def expected(message, transport):
    reaction = message.reaction(transport)
    if reaction == "call":
        return 486 if message.family == 4 else 488  # no IPv6 here
    return reaction


def by_datagram(site, message, number):
    """What comes back, before the answer to an OPTIONS sent behind it, or as the final answer."""
    reaction = expected(message, "udp")
    with site.net["pbx"].socket() as one:
        one.settimeout(5)
        place = (site.net["appliance"].address, 5060)
        one.sendto(message.octets(HOST, CALLED, NUMBER), place)
        heard = []
        if reaction in SILENT:
            one.sendto(options(number), place)
        while not heard:
            heard += statuses(one.recv(65535))
        return heard == [200 if reaction in SILENT else reaction] or heard


def connect(site):
    """To be closed by who asks for it."""
    one = site.net["pbx"].socket(kind=socket.SOCK_STREAM)
    one.settimeout(5)
    one.connect((site.net["appliance"].address, PORTS[site.transport]))
    return site.tls[0].wrap_socket(one) if site.transport == "tls" else one


def by_connection(site, message, number):
    """On a connection of its own."""
    reaction = expected(message, site.transport)
    with connect(site) as one:
        octets = message.octets(HOST, CALLED, NUMBER)
        if reaction in SILENT:
            octets += options(number)
        try:
            one.sendall(octets)
        except socket.timeout:
            raise
        except OSError:
            pass  # refused before its end
        return judge(one, reaction, 2 if message.second else 1, message)


def judge(one, reaction, wanted, message):
    if reaction == "wait":
        one.settimeout(0.3)
        try:
            return one.recv(65535)
        except socket.timeout:
            return True
    heard, is_closed, end = b"", False, time.monotonic() + 5
    while not is_closed and time.monotonic() < end:
        try:
            part = one.recv(65535)
        except socket.timeout:
            break
        except OSError:  # reset, or the end of TLS without its last words
            part = b""
        heard, is_closed = heard + part, not part
        if reaction not in ENDS and len(statuses(heard)) >= wanted:
            break
    found = statuses(heard)
    if reaction in ENDS:
        return is_closed and found == [ENDS[reaction]] or (is_closed, found)
    if reaction in SILENT:
        return found == [200] or (is_closed and not found) or (is_closed, found)
    return found == [reaction, message.second][:wanted] or (is_closed, found)


def test_each_message_gets_its_reaction(target):
    throw = by_datagram if target.transport == "udp" else by_connection
    wrong = {}
    for number, message in enumerate(ALL):
        try:
            result = throw(target, message, number)
        except socket.timeout:
            result = "nothing came"
        if result is not True:
            wrong[message.name] = (expected(message, target.transport), result)
    assert not wrong, "\n".join(f"{name}: {both}" for name, both in wrong.items())
    calls = [message for message in ALL if expected(message, target.transport) == 486]
    assert target.busy.invites == len(calls)
    target.nothing_left()


def of_call(pair, octets, number):
    """The message as one of that call's."""
    inside = messages.within(octets, number)
    for mark, value in ((messages.CALL_ID, pair.caller.call_id), (messages.TAG, pair.caller.tag),
                        (messages.OUR_TAG, pair.caller.remote.partition("tag=")[2])):
        inside = inside.replace(mark, value.encode())
    return inside


def send(site, octets):
    """And no look at what comes back."""
    if site.transport == "udp":
        with site.net["pbx"].socket() as one:
            one.sendto(octets, (site.net["appliance"].address, 5060))
        return
    with connect(site) as one:
        try:
            one.sendall(octets)
            one.settimeout(0.02)
            one.recv(65535)
        except OSError:
            pass


def test_a_call_survives_them_all(target):
    """Beside it and with its Call-ID and tags, but for those that would change or end it rightly; the caller's
    signalling goes by the same transport."""
    target.busy.close()
    with Pair(target, transports=(target.transport, "udp"), tls=target.tls) as pair:
        for number, message in enumerate(ALL, 100):
            octets = message.octets(HOST, CALLED, NUMBER)
            if message.name in CHANGES or octets.startswith(b"BYE ") or \
                    expected(message, target.transport) in (486, 488):
                continue
            send(target, octets)
            send(target, of_call(pair, octets, number))
            if number % 10 == 0:
                pair.talk(0.1)
        pair.caller.number = 100000
        pair.talk(0.5)
    pair.assert_identical(80)
    target.nothing_left()


def memory_kb(site):
    with open(f"/proc/{site.trunkd.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


class Fence:
    """Whoever behaves: asks and is answered, while others throw."""

    def __init__(self, site):
        self.place, self.number = (site.net["appliance"].address, 5060), 0
        self.socket = site.net["carrier2"].socket()
        self.socket.settimeout(1)

    def ask(self):
        self.number += 1
        wanted = f"fence{self.number}\r\n".encode()
        for _ in range(5):
            self.socket.sendto(options(self.number), self.place)
            try:
                while wanted not in (data := self.socket.recv(65535)):
                    pass
                assert data.startswith(b"SIP/2.0 200 "), data
                return
            except socket.timeout:
                continue
        raise AssertionError("OPTIONS is not answered")


def throw_copies(site, fence, copies):
    place = (site.net["appliance"].address, 5060)
    for message in hostile.MESSAGES:
        octets = message.octets(HOST, CALLED, NUMBER)
        batch = max(1, min(BATCH, 400000 // len(octets)))
        with site.net["pbx"].socket() as one:
            for sent in range(copies):
                one.sendto(octets, place)
                if sent % batch == 0:
                    fence.ask()
        fence.ask()


@pytest.mark.parametrize("target", ["udp"], indirect=True)
def test_thousands_of_copies_cost_no_memory(target):
    fence = Fence(target)
    try:
        throw_copies(target, fence, WARM)
        before = memory_kb(target)
        throw_copies(target, fence, COPIES)
        grown = memory_kb(target) - before
    finally:
        fence.socket.close()
    assert grown <= GROWTH_KB, (before, grown)
    target.nothing_left()
