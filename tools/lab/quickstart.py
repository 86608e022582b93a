"""tools/quickstart: from a bare Debian 12 to a call through trunkd, checked and told.

Builds trunkd, makes a virtual network of two hosts (pbx, carrier) cabled to the appliance's one port,
starts trunkd there, provisions a customer with trunkctl, places a call of ten seconds with recorded
speech from a real user agent, and compares what each side heard with what the other said, octet by
octet. With --srtp the PBX's leg is SRTP, and what its cable shows is told too; with --tls its SIP comes by
TLS. It can run again and
again and leaves nothing behind but the build directory."""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from lab import appliance, capture, certificates, media, network, phones, script, speech  # noqa: E402
from lab.network import LabError  # noqa: E402
from lab.talker import PACKET  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PASSWORD = "Correct-Horse-9"
HUGE_PAGES = 256  # of 2 MB
NAME = "quickstart"


class Steps:
    """Progress: one line per step with the seconds since the start."""

    def __init__(self):
        self.start = time.monotonic()

    def __call__(self, text):
        print(f"[{time.monotonic() - self.start:5.1f} s] {text}", flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="tools/quickstart", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true",
                        help="leave network and trunkd up to play with (and say how to end them)")
    parser.add_argument("--driver", choices=("af_packet", "af_xdp"), default="af_packet",
                        help="how the dataplane takes its port (af_packet)")
    parser.add_argument("--srtp", action="store_true",
                        help="the PBX talks SRTP (keys by SDES), the carrier RTP as without it")
    parser.add_argument("--tls", action="store_true",
                        help="the PBX's SIP comes by TLS, with certificates of a CA made for it")
    parser.add_argument("--build", type=os.path.abspath, default=os.environ.get("TRUNKD_BUILD", str(ROOT / "build")),
                        help="build directory (./build)")
    parser.add_argument("--seconds", type=int, default=speech.SECONDS, help="of the call (10)")
    parser.add_argument("--trace", action="store_true", help="keep pcap files of both phones' cables")
    options = parser.parse_args()
    if options.tls and options.srtp:
        parser.error("--tls hides the keys of --srtp from who compares the cables: one of the two; "
                     "tests/system/tls_test.py has both")
    if not 1 <= options.seconds <= speech.SECONDS:
        parser.error(f"--seconds: 1 to {speech.SECONDS}, as long as the recording is")
    return options


def set_huge_pages(say):
    """Packet memory in huge pages is faster; without them everything still works."""
    path = pathlib.Path("/proc/sys/vm/nr_hugepages")
    try:
        have = int(path.read_text())
        if have < HUGE_PAGES:
            path.write_text(str(HUGE_PAGES))
            have = int(path.read_text())
        if have >= HUGE_PAGES:
            say(f"huge pages: {have} of 2 MB")
        else:
            say(f"huge pages: the kernel gave {have} of {HUGE_PAGES}; memory is scarce or in pieces."
                " Going on without")
    except (OSError, ValueError) as error:
        say(f"huge pages: this kernel allows none ({error}). Going on without")


def build(say, folder):
    log = folder / "quickstart-build.log"
    folder.mkdir(parents=True, exist_ok=True)
    steps = [["ninja", "-C", str(folder), "controlplane/trunkd", "dataplane/trunkd-dataplane",
              "tools/trunkctl/trunkctl"]]
    if not (folder / "build.ninja").exists():
        steps.insert(0, ["meson", "setup", str(folder), str(ROOT)])
    say(f"build in {folder} (log: {log})")
    with open(log, "wb") as file:
        for words in steps:
            if subprocess.run(words, stdout=file, stderr=file, check=False).returncode:
                raise LabError(f"the build failed: see the end of {log}, mend it and run again; "
                               f"rm -r {folder} starts afresh")


def find_loss(comparison, who):
    if comparison.is_identical:
        return []
    return [f"what {who} said did not arrive as it was: {comparison}"]


def describe_media(trunkd):
    """Lines about the call that is up: what each leg is and how it does."""
    lines = []
    for side in trunkd.call(trunkd.calls()[0]["sid"])["media"]:
        secure = side["srtp"]
        kind = f"SRTP {side['suite']}, rollover counter {secure['rollover_in']} in, " \
               f"{secure['rollover_out']} out" if secure else "RTP"
        lines.append(f"   meanwhile, from the {side['from']}: {kind}; {side['packets']} packets, "
                     f"{side['lost']} lost, jitter {side['jitter_ms']:.2f} ms, MOS {side['mos']}")
    return lines


def call(say, net, work, options, trunkd, authority):
    """Places the call; what was said and heard, and what is wrong with it."""
    pbx, carrier = net["pbx"], net["carrier"]
    for who in ("pbx", "carrier"):
        octets = speech.make(who)
        (work / f"{who}.ulaw").write_bytes(octets)
        # baresip hangs up at the end of its file: some silence more leaves that to us.
        speech.write_wave(octets + b"\xff" * 5 * speech.RATE, work / f"{who}.wav")
    trace = (lambda who: work / f"{who}.pcap") if options.trace or options.keep else lambda who: None
    with capture.Capture(pbx, trace("pbx")) as at_pbx, \
            capture.Capture(carrier, trace("carrier")) as at_carrier:
        gateway = phones.Sipp(carrier, work, "carrier", script.called_talks(
            work / "carrier.ulaw", ring=0.5), timeout=60).start()
        phone = phones.Baresip(pbx, work, "pbx", says=work / "pbx.wav", user=appliance.NUMBER,
                               domain=appliance.DOMAIN, credentials=(appliance.TRUNK, PASSWORD),
                               outbound=f"sip:{net['appliance'].address}"
                                        f"{':5061;transport=tls' if options.tls else ';transport=udp'}",
                               authority=authority if options.tls else None,
                               encryption="srtp-mand" if options.srtp else None).start()
        say(f"call: {appliance.NUMBER} dials {appliance.CALLED} (baresip at the PBX, sipp as carrier)")
        phone.dial(f"sip:{appliance.CALLED}@{appliance.DOMAIN}")
        event = phone.wait_event("CALL_ESTABLISHED", "CALL_CLOSED", timeout=15)
        if not event or event["type"] != "CALL_ESTABLISHED":
            raise LabError(f"the call was not answered: {(event or {}).get('param', 'no answer')}; "
                           f"baresip's words: {phone.folder}/out, trunkd's: {work}/trunkd.log")
        say(f"call: answered; speech flows both ways for {options.seconds} s")
        time.sleep(options.seconds)
        lines = describe_media(trunkd) if options.srtp else []
        phone.hang_up()
        gateway.wait(10)
        time.sleep(0.2)
        phone.stop()
    return at_pbx, at_carrier, phone, lines


def describe_cable(opened):
    """What the PBX's cable shows who has no key, and complaints."""
    spoken = {packet.payload for outgoing in (True, False) for packet in opened.rtp(outgoing)}
    sealed = [packet for outgoing in (True, False) for packet in opened.sealed[outgoing]]
    readable = sum(packet.payload[:PACKET] in spoken for packet in sealed)
    lines = [f"   on the PBX's cable: {len(sealed)} packets of SRTP, {readable} of them readable "
             "without a key"]
    for outgoing, who in ((True, "PBX"), (False, "trunkd")):
        suites = ", ".join(suite for suite, _ in opened.keys[outgoing]) or "none"
        lines.append(f"   {who}'s key: {suites}; it opens {len(opened.rtp(outgoing))} of "
                     f"{len(opened.sealed[outgoing])} packets")
    return lines, ["speech passed the PBX's cable in the clear"] if readable or not sealed else []


def compare(work, at_pbx, at_carrier, recording):
    """Lines to print, and complaints."""
    heard, returned = at_carrier.rtp(False), at_pbx.rtp(False)
    to_carrier = capture.compare_cables(at_pbx, at_carrier)
    to_pbx = capture.compare_cables(at_carrier, at_pbx)
    recorded = (work / "carrier.ulaw").read_bytes()
    arrived = capture.audio(returned)
    is_the_file = len(arrived) >= speech.RATE // 2 and recorded.startswith(arrived[:len(recorded)])
    spoken = speech.read_wave(work / "pbx.wav")
    phoned = [speech.DECODED[octet] for octet in capture.audio(heard)]
    matches = sum(a == b for a, b in zip(spoken, phoned))
    lines = [f"   PBX to carrier: {to_carrier}",
             f"   carrier to PBX: {to_pbx}",
             f"   the PBX heard the carrier's recording {'exactly' if is_the_file else 'NOT as it is'}"
             f" ({len(arrived)} octets); the carrier heard the PBX's speech: {matches} of "
             f"{min(len(spoken), len(phoned))} samples equal"]
    if recording:
        lines.append(f"   what the phone's loudspeaker played: {recording}")
    complaints = find_loss(to_carrier, "the PBX") + find_loss(to_pbx, "the carrier")
    if not is_the_file:
        complaints.append("the PBX did not hear the carrier's recording")
    if not phoned or matches < 0.99 * min(len(spoken), len(phoned)):
        complaints.append("the carrier did not hear the PBX's recording")
    return lines, complaints


def next_steps(trunkd, options, work):
    if not options.keep:
        return ["What to try next",
                "   tools/quickstart --keep      the same, and everything stays up to play with",
                "   tools/quickstart --srtp      the same with SRTP on the PBX's leg",
                "   tools/quickstart --tls       the same with the PBX's SIP by TLS",
                "   tools/check                  every test there is",
                "   tools/bench/relay            packets per second beside testpmd and rtpengine",
                "   README.md                    configuration, trunkctl, metrics, layout"]
    host = trunkd.host.network
    return ["Everything is up. What to try next",
            f"   export TRUNKD_SOCKET={trunkd.folder}/run/trunkd.sock "
            f"PATH=$PATH:{trunkd.program('trunkctl').parent}",
            "   trunkctl status", "   trunkctl show history", "   trunkctl help",
            f"   tools/lab/lab metrics --name {NAME}",
            f"   ip netns exec {host['pbx'].namespace} bash     a shell on the PBX",
            f"   openssl s_client -connect {trunkd.host.address}:5061 -CAfile "
            f"{work}/certificates/ca.crt     there: SIP over TLS",
            f"   less {work}/trunkd.log      {work}/*.pcap: both cables",
            f"End it:  tools/lab/lab down --name {NAME}"]


def run(say, net, work, options):
    authority = certificates.Authority(work / "certificates")
    own = authority.options(appliance.BASE_DOMAIN, net["appliance"].address)
    trunkd = appliance.Appliance(net["appliance"], options.build, work, options.driver, own)
    say(f"trunkd: start on {trunkd.host.address} ({options.driver}, embedded Redis)")
    trunkd.start()
    say("provision: account, IP ACL, credentials, trunk, number, carrier (trunkctl)")
    trunkd.provision(net["pbx"], [("gateway-1", net["carrier"], 10)], password=PASSWORD,
                     **({"srtp": "true"} if options.srtp else {}))
    at_pbx, at_carrier, phone, told = call(say, net, work, options, trunkd, authority)
    record = trunkd.wait_history(set())[0]
    wrong = []
    if options.srtp:
        at_pbx = media.Opened(at_pbx)
        more, wrong = describe_cable(at_pbx)
        told += more
    lines, complaints = compare(work, at_pbx, at_carrier,
                                phone.heard() if options.keep or options.trace else None)
    print(f"\n$ trunkctl show call {record['sid']}")
    print(trunkd.trunkctl("show", "call", record["sid"], raw=True))
    print("\n".join(["What each side heard", *told, *lines, ""]))
    if wrong + complaints:
        raise LabError("; ".join(wrong + complaints))
    print("\n".join(next_steps(trunkd, options, work)))
    if not options.keep:
        trunkd.stop()


def sweep_folders():
    """Of runs that failed or were kept: their network is taken over by this one."""
    for folder in pathlib.Path(tempfile.gettempdir()).glob("trunkd-quickstart-*"):
        if folder.is_dir() and not folder.is_symlink() and folder.lstat().st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)


def main():
    options = parse_arguments()
    say = Steps()
    network.stop_on_signals()
    sweep_folders()
    work = pathlib.Path(tempfile.mkdtemp(prefix="trunkd-quickstart-"))
    net = network.Network(NAME)
    is_good = False
    try:
        set_huge_pages(say)
        build(say, pathlib.Path(options.build).resolve())
        say("network: namespaces pbx and carrier, cabled to the appliance's one port")
        net.up()
        run(say, net, work, options)
        is_good = True
        say("done: the call went through, and both sides heard every octet")
    except LabError as error:
        print(f"\nquickstart: {error}\n   logs: {work}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nquickstart: interrupted", file=sys.stderr)
    finally:
        if options.keep and is_good:
            network.atexit.unregister(net.down)
            for process in net.processes:
                process.returncode = process.returncode or 0  # they stay; nobody waits for them
        else:
            net.down()
            if is_good and not options.trace:
                shutil.rmtree(work, ignore_errors=True)
    sys.exit(0 if is_good else 1)


main()
