"""A DNS server on a host: knot, with one zone `example` made here. It says the truth about that zone and
refuses everything else."""

import pathlib
import shutil
import socket
import time

from .network import LabError

ZONE = "example"


class Zone:
    """with Zone(host, folder, ["gw 60 A 192.0.2.20"]) as zone: names below `example`."""

    def __init__(self, host, folder, records):
        self.host, self.folder = host, pathlib.Path(folder) / "zone"
        self.records, self.serial, self.process = list(records), 1, None

    def write(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "example.zone").write_text("\n".join([
            "$ORIGIN example.", f"@ 5 SOA ns root ( {self.serial} 3600 600 86400 5 )", "@ 60 NS ns",
            f"ns 60 A {self.host.address}", *self.records, ""]), encoding="ascii")
        (self.folder / "knot.conf").write_text("\n".join([
            "server:", f'  rundir: "{self.folder}"', f"  listen: {self.host.address}@53",
            "  udp-workers: 1", "  tcp-workers: 1", "  background-workers: 1",
            "database:", f'  storage: "{self.folder}/db"',
            "log:", "  - target: stderr", "    any: warning",
            "zone:", f"  - domain: {ZONE}", f'    file: "{self.folder}/example.zone"',
            "    journal-content: none", "    zonefile-sync: -1", ""]), encoding="ascii")

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
        """Until it answers for its zone: SOA example."""
        question = (b"\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x00"
                    b"\x00\x06\x00\x01")
        end = time.monotonic() + timeout
        with self.host.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.2)
            while time.monotonic() < end:
                try:
                    asker.sendto(question, (self.host.address, 53))
                    if asker.recv(512)[3] & 15 == 0:
                        return
                except OSError:
                    time.sleep(0.05)
        raise LabError(f"knotd does not answer: {(self.folder / 'knot.log').read_text()}")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
