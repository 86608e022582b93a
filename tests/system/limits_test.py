"""Two nodes on one Redis: what they let pass together is never above a limit, in no second and at no time, and
what a dead node held is free again."""

import concurrent.futures
import contextlib
import itertools
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pytest
from lab import network
from lab.appliance import BASE_DOMAIN, CALLED, METRICS, NUMBER, Appliance, Refused
from pair import Pair

NODE_TIMEOUT_S = 2
CPS = 20
WAIT_S = 1.0  # for Redis: as long as may be, so that a busy machine is not taken for a slow Redis
OUTSIDE_S = 0.7  # calls that were let pass in different seconds may leave a busy machine closer together


class Redis:
    """One for all nodes, on a Unix socket, which network namespaces do not part."""

    def __init__(self, folder):
        self.folder, self.socket = folder, folder / "redis.sock"
        folder.mkdir(parents=True)

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder), "--save", "",
             "--appendonly", "yes", "--logfile", str(self.folder / "log")],
            stdin=subprocess.DEVNULL, preexec_fn=network.die_with_parent)
        end = time.monotonic() + 5
        while "PONG" not in self.do("ping") and time.monotonic() < end:
            time.sleep(0.02)
        return self

    def do(self, *words):
        return subprocess.run(["redis-cli", "-s", str(self.socket), *words], capture_output=True, text=True,
                              check=False).stdout.strip()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)

    @contextlib.contextmanager
    def watch(self):
        """What every node's calls did there: the moments of admitted ones, to the microsecond."""
        seen, moments = subprocess.Popen(["redis-cli", "-s", str(self.socket), "monitor"], stdout=subprocess.PIPE,
                                         text=True, preexec_fn=network.die_with_parent), []
        assert seen.stdout.readline().strip() == "OK"
        yield moments
        time.sleep(0.2)
        self.do("ping", "the end")
        for line in seen.stdout:
            if "the end" in line:
                break
            found = re.search(r'"LPUSH" "trunkd:\{limits\}:window:TK\w+" "(\d+)"', line)
            if found:
                moments.append(int(found.group(1)) / 1e6)
        seen.kill()
        seen.wait()


class Phone:
    """A UDP socket that answers what it must, so that a call is where its test wants it."""

    def __init__(self, host, port=5060):
        self.socket, self.host = host.socket(port), host
        self.socket.settimeout(0.1)
        self.is_open = True
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def close(self):
        self.is_open = False
        self.thread.join()
        self.socket.close()

    def _listen(self):
        while self.is_open:
            with contextlib.suppress(socket.timeout, ConnectionError):
                octets, peer = self.socket.recvfrom(8192)
                self.heard(octets.decode(errors="replace"), peer)

    def say(self, lines, peer, body=""):
        text = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])
        self.socket.sendto(text.encode(), peer)

    def heard(self, text, peer):
        raise NotImplementedError


def header(text, name):
    return re.search(rf"^{name}: *(.*?)\r$", text, re.M | re.I).group(1)


def answer_lines(request, status, tag="called"):
    vias = [f"Via: {via}" for via in re.findall(r"^Via: *(.*?)\r$", request, re.M)]
    return [f"SIP/2.0 {status}", *vias, f"From: {header(request, 'From')}", f"To: {header(request, 'To')};tag={tag}",
            f"Call-ID: {header(request, 'Call-ID')}", f"CSeq: {header(request, 'CSeq')}"]


class Gateway(Phone):
    """Rings, or is busy at once; notes when each call came."""

    def __init__(self, host, is_busy):
        self.is_busy, self.came = is_busy, {}
        super().__init__(host)

    def heard(self, text, peer):
        method = text.split(" ", 1)[0]
        if method == "INVITE":
            self.came.setdefault(header(text, "Call-ID"), time.monotonic())
            self.say(answer_lines(text, "486 Busy Here" if self.is_busy else "180 Ringing"), peer)
        elif method == "CANCEL":
            self.say(answer_lines(text, "200 OK"), peer)
            self.say([line.replace("CANCEL", "INVITE") for line in answer_lines(text, "487 Request Terminated")], peer)
        elif method != "ACK":
            self.say(answer_lines(text, "200 OK"), peer)


class Dialler(Phone):
    """Dials without waiting; the last word of each call is in `heard_last`: "180", "503 Trunk CPS …"."""

    numbers = itertools.count(1)  # no call of one test is a repeat of another's

    def __init__(self, host):
        self.last, self.asked = {}, {}
        super().__init__(host)

    def lines(self, name, method, trunk):
        return [f"{method} sip:{CALLED}@{trunk}.{BASE_DOMAIN} SIP/2.0",
                f"Via: SIP/2.0/UDP {self.host.address}:5060;branch=z9hG4bK{name}",
                f"From: <sip:{NUMBER}@{trunk}.{BASE_DOMAIN}>;tag=t{name}", f"To: <sip:{CALLED}@{trunk}.{BASE_DOMAIN}>",
                f"Call-ID: {name}", f"CSeq: 1 {method}", "Max-Forwards: 70"]

    def dial(self, node, trunk):
        """The name of the call."""
        name, peer = f"limit{os.getpid()}n{next(self.numbers)}", (node.host.address, 5060)
        self.asked[name] = (peer, trunk)
        body = (f"v=0\r\no=- 1 1 IN IP4 {self.host.address}\r\ns=-\r\nc=IN IP4 {self.host.address}\r\nt=0 0\r\n"
                "m=audio 30000 RTP/AVP 0\r\n")
        self.say([*self.lines(name, "INVITE", trunk), f"Contact: <sip:pbx@{self.host.address}:5060>",
                  "Content-Type: application/sdp"], peer, body)
        return name

    def cancel(self, name):
        peer, trunk = self.asked[name]
        self.say(self.lines(name, "CANCEL", trunk), peer)

    def heard(self, text, peer):
        if not text.startswith("SIP/2.0"):
            return
        name, status = header(text, "Call-ID"), text.split("\r\n", 1)[0][8:]
        if header(text, "CSeq") != "1 INVITE" or status.startswith("100"):
            return
        self.last[name] = status
        if status >= "3":
            lines = self.lines(name, "ACK", self.asked[name][1])
            lines[3] = f"To: {header(text, 'To')}"
            self.say(lines, peer)

    def wait(self, names, timeout=5):
        """What each heard last, once none is silent."""
        end = time.monotonic() + timeout
        while not all(name in self.last for name in names):
            assert time.monotonic() < end, [name for name in names if name not in self.last]
            time.sleep(0.01)
        return [self.last[name] for name in names]


class Cluster:
    def __init__(self, build, work):
        self.work = work
        self.net = network.Network(f"limits-{os.getpid()}", ("appliance2", "pbx", "carrier"))
        self.net.up()
        self.redis = Redis(work / "redis").start()
        options = {"redis.url": f"unix://{self.redis.socket}", "limits.node_timeout_s": NODE_TIMEOUT_S,
                   "limits.redis_wait_ms": int(WAIT_S * 1000),
                   "guard.enabled": False, "media.port_quarantine_ms": 500, "media.orphan_grace_s": 2,
                   "admin.metrics_address": METRICS}
        self.nodes = [Appliance(self.net[name], build, work / name, options=options)
                      for name in ("appliance", "appliance2")]
        for node in self.nodes:
            node.start()
        self.sids = self.nodes[0].provision(self.net["pbx"], [("gateway-1", self.net["carrier"], 10)],
                                            with_credentials=False, name="many", cps=CPS)
        self.sids["many"] = self.sids["trunk"]
        for name, fields in (("few", {"cps": 1000, "max_calls": 6}), ("one", {"cps": 1})):
            self.sids[name] = self.nodes[0].add("trunk", account=self.sids["account"], name=name, domain=name,
                                                acls=self.sids["acl"], **fields)
        self.wait(lambda: all(node.trunkctl("status")["limits"].get("nodes") == 2 for node in self.nodes))

    @staticmethod
    def wait(is_so, timeout=10):
        end = time.monotonic() + timeout
        while not is_so():
            assert time.monotonic() < end, "it does not become so"
            time.sleep(0.05)

    def counted_by(self):
        return [node.trunkctl("status")["limits"]["counted_by"] for node in self.nodes]

    def held(self, trunk, node=0):
        """Calls of all nodes, as that node shows them."""
        rows = self.nodes[node].trunkctl("show", "limits", self.sids[trunk])["limits"]
        return next(row for row in rows if row["kind"] == "trunk")["calls"]

    def close(self):
        for node in self.nodes:
            with contextlib.suppress(Refused):
                node.stop()
        self.redis.kill()
        self.net.down()


@pytest.fixture(scope="module")
def cluster(build):
    work = pathlib.Path(tempfile.mkdtemp(prefix="trunkd-limits-"))
    network.sweep()
    made = Cluster(build, work)
    try:
        yield made
    finally:
        made.close()
        if not os.environ.get("TRUNKD_KEEP"):
            shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def phones(cluster, is_busy):
    gateway, dialler = Gateway(cluster.net["carrier"], is_busy), Dialler(cluster.net["pbx"])
    try:
        yield gateway, dialler
    finally:
        for node in cluster.nodes:
            with contextlib.suppress(Refused):
                node.trunkctl("hangup", "all")
        time.sleep(0.2)
        gateway.close()
        dialler.close()


def dial_for(cluster, dialler, seconds, rate, trunk="many", nodes=(0, 1)):
    """Turn about, evenly; all names."""
    names, start = [], time.monotonic()
    while (at := time.monotonic() - start) < seconds:
        while len(names) < at * rate:
            names.append(dialler.dial(cluster.nodes[nodes[len(names) % len(nodes)]], trunk))
        time.sleep(0.002)
    return names


def most_in_a_second(moments, span=1.0):
    """In any second, wherever it begins."""
    moments = sorted(moments)
    return max(sum(start <= moment < start + span for moment in moments) for start in moments)


def test_no_second_of_two_nodes_holds_more_than_20_calls(cluster):
    """LIMIT-001, LIMIT-002, LIMIT-003, LIMIT-006"""
    with phones(cluster, is_busy=True) as (gateway, dialler), cluster.redis.watch() as moments:
        names = dial_for(cluster, dialler, 4, 4 * CPS)
        said = dialler.wait(names)
    passed = [word for word in said if word.startswith("486")]
    refused = [word for word in said if word == "503 Trunk CPS limit exceeded"]
    assert len(passed) + len(refused) == len(names), set(said)
    assert len(gateway.came) == len(passed) == len(moments)
    assert most_in_a_second(moments) == CPS  # as Redis counted, exactly
    assert most_in_a_second(gateway.came.values(), OUTSIDE_S) <= CPS  # as they came out, a little later
    assert len(passed) >= 4 * CPS  # five times in four seconds, and what the last one left
    cluster.wait(lambda: cluster.held("many") == 0)  # LIMIT-009


def test_one_call_a_second_is_one_for_both_nodes(cluster):
    """LIMIT-001: the default, where no node could have a token of its own."""
    with phones(cluster, is_busy=True) as (gateway, dialler), cluster.redis.watch() as moments:
        said = dialler.wait(dial_for(cluster, dialler, 3, 20, "one"))
    assert most_in_a_second(moments) == 1 and 3 <= len(gateway.came) <= 4, set(said)


def test_calls_at_a_time_are_those_of_both_nodes_and_of_a_dead_one_for_a_while(cluster):
    """LIMIT-009: kill -9 of one node; its calls' places come back after limits.node_timeout_s, not before, and calls
    go by the other meanwhile (TERM-033)."""
    first, second = cluster.nodes
    with phones(cluster, is_busy=False) as (gateway, dialler):
        names = [dialler.dial(first, "few") for _ in range(3)]  # or all six might be the second one's
        dialler.wait(names)
        names += [dialler.dial(cluster.nodes[i % 2], "few") for i in range(17)]
        said = dialler.wait(names)
        assert said.count("180 Ringing") == 6 == len(gateway.came), said
        assert said.count("503 Trunk concurrent call limit exceeded") == 14
        assert cluster.held("few", 0) == cluster.held("few", 1) == 6
        given_up = next(name for name in names if dialler.last[name] == "180 Ringing")
        dialler.cancel(given_up)
        cluster.wait(lambda: dialler.last[given_up].startswith("487"))
        assert dialler.wait([dialler.dial(second, "few")]) == ["180 Ringing"]
        assert dialler.wait([dialler.dial(first, "few")]) == ["503 Trunk concurrent call limit exceeded"]
        lost = len(first.calls())
        assert lost > 0
        first.kill()
        killed = time.monotonic()
        assert dialler.wait([dialler.dial(second, "few")]) == ["503 Trunk concurrent call limit exceeded"]
        cluster.wait(lambda: cluster.held("few", 1) == 6 - lost)
        after = time.monotonic() - killed
        assert NODE_TIMEOUT_S * 0.7 <= after <= NODE_TIMEOUT_S + 1, after
        said = dialler.wait([dialler.dial(second, "few") for _ in range(lost + 2)])
        assert said.count("180 Ringing") == lost
        first.start()
        cluster.wait(lambda: first.trunkctl("status")["limits"].get("nodes") == 2)
        assert dialler.wait([dialler.dial(first, "few")]) == ["503 Trunk concurrent call limit exceeded"]
    cluster.wait(lambda: cluster.held("few") == 0)


def test_a_restarted_node_ends_its_former_life_at_once(cluster):
    """LIMIT-009"""
    first, second = cluster.nodes
    with phones(cluster, is_busy=False) as (_, dialler):
        assert dialler.wait([dialler.dial(first, "few") for _ in range(6)]) == ["180 Ringing"] * 6
        first.kill()
        first.start()
        said = dialler.wait([dialler.dial(second, "few") for _ in range(6)])
        assert said == ["180 Ringing"] * 6


def test_while_redis_is_away_each_node_has_its_share(cluster):
    """Calls go on, by half the limit on each node; when Redis is back it counts again, at no time too much."""
    with phones(cluster, is_busy=True) as (gateway, dialler):
        dialler.wait(dial_for(cluster, dialler, 1.5, 3 * CPS))
        cluster.redis.kill()
        killed = time.monotonic()
        cluster.wait(lambda: cluster.counted_by() == ["this node"] * 2)
        assert all("why" in node.trunkctl("status")["limits"] for node in cluster.nodes)
        dialler.wait(dial_for(cluster, dialler, 3, 3 * CPS))
        alone = [came for came in gateway.came.values() if came > killed + 1]
        assert most_in_a_second(alone, OUTSIDE_S) <= CPS and len(alone) >= 1.5 * CPS
        one = [dialler.dial(cluster.nodes[0], "many") for _ in range(CPS)]  # a burst at one alone
        assert dialler.wait(one).count("486 Busy Here") <= CPS // 2
        cluster.redis.start()
        back = time.monotonic()
        dialler.wait(dial_for(cluster, dialler, 5, 3 * CPS))
        cluster.wait(lambda: cluster.counted_by() == ["Redis"] * 2)
        again = [came for came in gateway.came.values() if came > back]
        assert most_in_a_second(again, OUTSIDE_S) <= CPS and len(again) >= 3 * CPS
    assert all(node.metrics()["trunkd_limits_alone_total"][""] > 0 for node in cluster.nodes)
    with cluster.redis.watch() as moments, phones(cluster, is_busy=True) as (gateway, dialler):
        dialler.wait(dial_for(cluster, dialler, 2, 3 * CPS))
    assert most_in_a_second(moments) == CPS


def test_redis_that_stops_answering_keeps_no_call_waiting(cluster):
    """A stopped Redis: the first call waits for limits.redis_wait_ms, or until a beat is missed; then this node
    decides."""
    node = cluster.nodes[0]
    before = node.metrics()["trunkd_limits_alone_total"][""]
    with phones(cluster, is_busy=True) as (_, dialler):
        time.sleep(1.1)  # whatever passed before is a second ago
        cluster.redis.process.send_signal(19)  # SIGSTOP
        try:
            start = time.monotonic()
            assert dialler.wait([dialler.dial(node, "many")]) == ["486 Busy Here"]
            first = time.monotonic() - start
            start = time.monotonic()
            assert dialler.wait([dialler.dial(node, "many")]) == ["486 Busy Here"]
            second = time.monotonic() - start
        finally:
            cluster.redis.process.send_signal(18)
        assert 0.1 < first < 3 * WAIT_S and second < 0.1, (first, second)
        cluster.wait(lambda: cluster.counted_by() == ["Redis"] * 2)
    assert node.metrics()["trunkd_limits_alone_total"][""] == before + 2


def test_nodes_that_write_at_once_add_no_more_than_an_account_may_have(cluster):
    """Each node knows of none of the other's yet: Redis counts, in the script that writes."""
    account = cluster.nodes[0].add("account", name="trial", type="trial")
    cluster.wait(lambda: any(row["sid"] == account for row in cluster.nodes[1].trunkctl("show", "accounts")["accounts"]))

    def add(nth):
        try:
            return cluster.nodes[nth % 2].add("trunk", account=account, domain=f"trial{nth}")
        except Refused as refused:
            return str(refused)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(add, range(12)))
    assert sum(answer.startswith("TK") for answer in answers) == 1, answers
    assert all("trial has 1 trunks already; allowed: 1 of an account of type trial" in answer
               for answer in answers if not answer.startswith("TK")), answers


def octets_of(host):
    """Received and sent, with their Ethernet headers."""
    text = host.run("cat", "/proc/net/dev")
    words = next(line for line in text.splitlines() if f"{host.interface}:" in line).split(":")[1].split()
    return int(words[0]), int(words[8])


def test_a_call_takes_at_most_100_kbit_in_each_direction(site):
    """LIMIT-014: RTP of 20 ms packets and RTCP, as the customer's cable carries them."""
    host, seconds = site.net["pbx"], 4
    with Pair(site) as pair:
        before, start = octets_of(host), time.monotonic()
        pair.talk(seconds)
        elapsed = time.monotonic() - start
        rates = [(now - then) * 8 / elapsed for now, then in zip(octets_of(host), before)]
    assert all(60_000 < rate <= 100_000 for rate in rates), rates
