"""A DNS server on a host: knot, with one zone made here, `example` where none is named. It says the truth
about that zone and refuses everything else; with a key it takes updates of the zone and lets it be read."""

import os
import pathlib
import shutil
import socket
import struct
import time

from .network import LabError

ZONE = "example"


class Zone:
    """with Zone(host, folder, ["gw 60 A 192.0.2.20"]) as zone: names below `example`."""

    def __init__(self, host, folder, records, zone=ZONE, key=None):
        """key: (name, secret in Base64), of the algorithm hmac-sha256."""
        self.host, self.folder = host, pathlib.Path(folder) / "zone"
        self.records, self.serial, self.process = list(records), 1, None
        self.zone, self.key = zone, key

    def write(self):
        (self.folder / "db").mkdir(parents=True, exist_ok=True)
        (self.folder / "example.zone").write_text("\n".join([
            f"$ORIGIN {self.zone}.", f"@ 5 SOA ns root ( {self.serial} 3600 600 86400 5 )", "@ 60 NS ns",
            f"ns 60 A {self.host.address}", *self.records, ""]), encoding="ascii")
        (self.folder / "knot.conf").write_text("\n".join([
            "server:", f'  rundir: "{self.folder}"', f"  listen: {self.host.address}@53",
            "  udp-workers: 1", "  tcp-workers: 1", "  background-workers: 1",
            "  answer-rotation: on",
            "database:", f'  storage: "{self.folder}/db"',
            "log:", "  - target: stderr", "    any: warning", *self.key_lines(),
            "zone:", f"  - domain: {self.zone}", f'    file: "{self.folder}/example.zone"',
            "    zonefile-sync: -1",
            *(["    acl: writer"] if self.key else ["    journal-content: none"]), ""]),
            encoding="ascii")

    def key_lines(self):
        if not self.key:
            return []
        name, secret = self.key
        return ["key:", f"  - id: {name}", "    algorithm: hmac-sha256", f"    secret: {secret}",
                "acl:", "  - id: writer", f"    key: {name}", "    action: [update, transfer]"]

    def start(self):
        program = shutil.which("knotd") or "/usr/sbin/knotd"
        if not pathlib.Path(program).exists():
            raise LabError("knotd is not installed: tools/install-packages lab")
        self.write()
        with open(self.folder / "knot.log", "ab") as log:
            self.process = self.host.start(program, "-c", self.folder / "knot.conf", stdout=log,
                                           stderr=log)
        self.wait_answer()
        return self

    def wait_answer(self, timeout=10):
        """Until it answers for its zone: its SOA."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                if self.ask(self.zone, 6)[0] == 0:
                    return
            except OSError:
                time.sleep(0.05)
        raise LabError(f"knotd does not answer: {(self.folder / 'knot.log').read_text()}")

    def ask(self, name, kind=1, timeout=0.5):
        """What it says of a name: (RCODE, [(address, TTL)] in their order)."""
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        question = labels + b"\x00" + struct.pack("!HH", kind, 1)
        with self.host.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(timeout)
            head = os.urandom(2) + struct.pack("!HHHHH", 0, 1, 0, 0, 0)
            asker.sendto(head + question, (self.host.address, 53))
            answer = asker.recv(4096)
        count, at, found = struct.unpack("!H", answer[6:8])[0], 12 + len(question), []
        for _ in range(count):
            while 0 < answer[at] < 0xc0:
                at += 1 + answer[at]
            at += 2 if answer[at] >= 0xc0 else 1
            of, _, ttl, size = struct.unpack("!HHIH", answer[at:at + 10])
            if of == kind and size in (4, 16):
                family = socket.AF_INET if size == 4 else socket.AF_INET6
                found.append((socket.inet_ntop(family, answer[at + 10:at + 10 + size]), ttl))
            at += 10 + size
        return answer[3] & 15, found

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
