"""trunkd on its host: a configuration made here, start and kill, provisioning and questions through
trunkctl."""

import contextlib
import json
import os
import pathlib
import pty
import signal
import subprocess
import time
import urllib.error
import urllib.request

from .network import LabError, is_zombie

BASE_DOMAIN = "pstn.trunkd.example"
NUMBER, CALLED = "+14155550199", "+14155550100"  # the account's own; somebody's in the PSTN
TRUNK = "office"
DOMAIN = f"{TRUNK}.{BASE_DOMAIN}"
METRICS = "127.0.0.1:9464"


class Refused(LabError):
    """trunkctl said no: `answer` is what it said."""

    def __init__(self, words, answer):
        super().__init__(f"trunkctl {' '.join(words)}: {json.dumps(answer)}")
        self.answer = answer


class Appliance:
    """One trunkd. `options` override rows of the configuration: {"sip.ack_timeout_s": 3}."""

    def __init__(self, host, build, folder, driver="af_packet", options=None):
        self.host, self.build, self.driver = host, pathlib.Path(build), driver
        self.folder = pathlib.Path(folder).resolve()
        self.options = {
            "node.name": "lab", "node.state_directory": self.folder / "state",
            "node.runtime_directory": self.folder / "run",
            "sip.base_domain": BASE_DOMAIN, "sip.addresses": [host.address],
            "media.addresses": [host.address], "accounts.voice_countries": ["all"],
            "dataplane.port": f"{driver}:{host.interface}", "dataplane.memory_mb": 256,
            "admin.metrics_address": METRICS, **(options or {})}
        if driver != "af_xdp":  # there the kernel keeps the interface, else it gets a TAP
            self.options.setdefault("dataplane.addresses", [f"{host.address}/24"])
        self.process, self.starts = None, 0

    # ---- files and programs

    @property
    def config_file(self):
        return self.folder / "trunkd.yaml"

    @property
    def log_file(self):
        return self.folder / "trunkd.log"

    def program(self, name):
        for place in ("controlplane", "dataplane", "tools/trunkctl", "."):
            if (self.build / place / name).exists():
                return self.build / place / name
        raise LabError(f"{name} is not built in {self.build}: meson setup {self.build} && "
                       f"ninja -C {self.build}")

    def write_config(self, **changes):
        """Dots become underscores twice: sip__ack_timeout_s=3."""
        self.options.update({key.replace("__", "."): value for key, value in changes.items()})
        sections = {}
        lines = []
        for path, value in self.options.items():
            section, _, name = path.partition(".")
            if not name:  # a list of sections: flow style, which JSON is
                lines.append(f"{section}: {json.dumps(value)}")
                continue
            sections.setdefault(section, {})[name] = value
        for section, rows in sections.items():
            lines.append(f"{section}:")
            for name, value in rows.items():
                lines.append(f"  {name}: {to_yaml(value)}")
        self.config_file.write_text("\n".join(lines) + "\n")

    # ---- life

    def start(self, timeout=20):
        for folder in ("state", "run"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        if not self.starts:
            # Where the interface stays the kernel's, its link-local address does too: without one the
            # kernel asks no IPv6 neighbour whether it is still there, and gives it up after 8 s.
            scope = ("scope", "global") if self.driver == "af_xdp" else ()
            self.host.run("ip", "address", "flush", "dev", self.host.interface, *scope)
            if self.driver == "af_xdp":
                self.host.run("ip", "address", "replace", f"{self.host.address}/24", "dev",
                              self.host.interface)
                if self.host.network.has_ipv6:
                    self.host.run("ip", "address", "replace", f"{self.host.address6}/64", "dev",
                                  self.host.interface, "nodad")
            self.write_config()
        self.starts += 1
        with open(self.log_file, "ab") as log:
            self.process = self.host.start(self.program("trunkd"), "--config", self.config_file,
                                           keep=True, stdout=log, stderr=log, cwd=self.folder)
        self.wait_ready(timeout)
        return self

    def wait_ready(self, timeout=20):
        end = time.monotonic() + timeout
        while True:
            if self.http("/readyz")[0] == 200:
                return
            if self.process.poll() is not None:
                raise LabError(f"trunkd ended with {self.process.returncode}; the end of "
                               f"{self.log_file}:\n{self.log()[-2000:]}")
            if time.monotonic() > end:
                raise LabError(f"trunkd is not ready after {timeout} s; the end of "
                               f"{self.log_file}:\n{self.log()[-2000:]}")
            time.sleep(0.05)

    def stop(self, timeout=10):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def kill(self):
        """kill -9 of the control process; the dataplane goes on."""
        self.process.kill()
        self.process.wait()

    def pids(self, name):
        """Processes of that name on the appliance's host."""
        found = []
        for pid in self.host.processes():
            with contextlib.suppress(OSError):
                own = pathlib.Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
                if own == name[:15] and not is_zombie(pid):  # the kernel keeps 15 characters
                    found.append(pid)
        return found

    def pid(self, name):
        found = self.pids(name)
        if not found:
            raise LabError(f"no {name} runs")
        return found[0]

    def kill_other(self, name, number=signal.SIGKILL):
        for pid in self.pids(name):
            os.kill(pid, number)

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    # ---- questions and orders

    def trunkctl(self, *words, stdin=None, raw=False):
        """The answer as JSON, or as text; Refused when it is not ok."""
        words = [str(word) for word in words]
        done = self.host_run_trunkctl(words, stdin, raw)
        if raw:
            return done.stdout
        try:
            answer = json.loads(done.stdout or done.stderr)
        except ValueError:
            answer = {"message": (done.stdout + done.stderr).strip()}
        if done.returncode:
            raise Refused(words, answer)
        return answer

    def host_run_trunkctl(self, words, stdin=None, raw=False, output=subprocess.PIPE, environment=None):
        """`environment`: more of it."""
        return subprocess.run(
            [str(self.program("trunkctl")), "--socket", str(self.folder / "run/trunkd.sock"),
             *([] if raw else ["--json"]), *words],
            text=True, stdout=output, stderr=subprocess.PIPE, input=stdin, check=False,
            env={**os.environ, **(environment or {})},
            **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))

    def on_terminal(self, *words, **environment):
        """What trunkctl shows on a terminal."""
        ours, theirs = pty.openpty()
        done = self.host_run_trunkctl(words, raw=True, output=theirs,
                                      environment={"TERM": "xterm", "NO_COLOR": "", **environment})
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: all is read, and nobody has the other end
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
        assert done.returncode == 0, done
        return shown.decode().replace("\r\n", "\n")

    def add(self, kind, stdin=None, **fields):
        """Adds an object; gives its SID."""
        answer = self.trunkctl("add", kind, *[f"{key}={value}" for key, value in fields.items()],
                               stdin=stdin)
        return find_sid(answer)

    def change(self, kind, name, **fields):
        return self.trunkctl("change", kind, name,
                             *[f"{key}={value}" for key, value in fields.items()])

    def history(self, count=20):
        """Ended calls, newest first."""
        return self.trunkctl("show", "history", count)["calls"]

    def call(self, sid):
        return self.trunkctl("show", "call", sid)["call"]

    def calls(self):
        return self.trunkctl("show", "calls")["calls"]

    def alerts(self, count=20):
        return self.trunkctl("show", "alerts", count)["alerts"]

    def http(self, path):
        """(status, text) of the management address, 0 when nobody listens."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with self.host.inside():
                with opener.open(f"http://{METRICS}{path}", timeout=2) as answer:
                    return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError:
            return 0, ""

    def metrics(self):
        """{name: {labels: value}}; labels as written, "" when there are none."""
        found = {}
        for line in self.http("/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                name, _, labels = series.partition("{")
                found.setdefault(name, {})[labels.rstrip("}")] = float(value)
        return found

    def wait_calls(self, count, timeout=10):
        """Waits until that many calls are up; the calls."""
        end = time.monotonic() + timeout
        while len(calls := self.calls()) != count:
            if time.monotonic() > end:
                raise LabError(f"{len(calls)} calls are up, not {count}")
            time.sleep(0.05)
        return calls

    def wait_history(self, before, more=1, timeout=10):
        """Waits for so many rows more than the SIDs of `before`; the new ones, newest first."""
        end = time.monotonic() + timeout
        while True:
            fresh = [row for row in self.history(1000) if row["sid"] not in before]
            if len(fresh) >= more:
                return fresh
            if time.monotonic() > end:
                raise LabError(f"{len(fresh)} new rows of history, not {more}")
            time.sleep(0.05)

    # ---- a customer

    def provision(self, pbx, carriers, password="Correct-Horse-9", cps=1, with_acl=True,
                  with_credentials=True, name=TRUNK, numbers=(NUMBER,), account=None, **fields):
        """An account with a trunk (`fields` are its other ones), its lists and numbers; the PSTN's
        gateways by (name, host, priority). Gives the SIDs."""
        sids = {"account": account or self.add("account", name="Example Ltd")}
        lists = {}
        if with_acl:
            sids["acl"] = self.add("acl", account=sids["account"], name=f"{name} addresses")
            self.add("acl_address", acl=sids["acl"], address=pbx.address, name="the PBX")
            lists["acls"] = sids["acl"]
        if with_credentials:
            sids["list"] = self.add("credential_list", account=sids["account"],
                                    name=f"{name} users")
            self.add("credential", list=sids["list"], user=name, password="-",
                     stdin=f"{password}\n")
            lists["credential_lists"] = sids["list"]
        sids["trunk"] = self.add("trunk", account=sids["account"], name=f"{name} trunk",
                                 domain=name, cps=cps, **lists, **fields)
        for number in numbers:
            self.add("number", account=sids["account"], trunk=sids["trunk"], e164=number)
        for carrier, host, priority in carriers:
            sids[carrier] = self.add("carrier", name=carrier, address=f"{host.address}:5060",
                                     priority=priority)
        return sids


def to_yaml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(to_yaml, value)) + "]"
    if isinstance(value, (int, float)):
        return str(value)
    return json.dumps(str(value))


def find_sid(answer):
    """The one SID an answer to `add` names."""
    if isinstance(answer, dict):
        if isinstance(answer.get("sid"), str):
            return answer["sid"]
        for value in answer.values():
            found = find_sid(value)
            if found:
                return found
    return None
