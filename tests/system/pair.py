"""A call between two softphones whose media the test makes itself, RTP or SRTP on either leg."""

import contextlib
import time

from lab import capture, media, softphone
from lab.appliance import BASE_DOMAIN, CALLED, NUMBER

CALLER_PORT, CALLED_PORT = 40000, 42000


class Pair:
    """with Pair(site, trunk="locked", suites=(srtp.LONG,)) as pair: … ; the call is up inside. Options
    that begin with `called_` are those of the called phone's media, others of the caller's."""

    def __init__(self, site, trunk="fast", suites=(), called_suites=(), called_host="carrier",
                 has_sip6=(False, False), transports=("udp", "udp"), tls=None, **options):
        self.site = site
        servers = [site.net["appliance"].address6 if is_six else site.net["appliance"].address
                   for is_six in has_sip6]
        called = {key[7:]: value for key, value in options.items() if key.startswith("called_")}
        caller = {key: value for key, value in options.items() if not key.startswith("called_")}
        self.stack, self.is_over = contextlib.ExitStack(), False  # hung up by others
        enter = self.stack.enter_context
        try:
            self.caller_media = enter(media.Media(site.net["pbx"], CALLER_PORT, suites,
                                                  **caller))
            self.called_media = enter(media.Media(site.net[called_host], CALLED_PORT, called_suites,
                                                  **called))
            self.called = enter(softphone.Softphone(site.net[called_host], self.called_media,
                                                    servers[1], transport=transports[1],
                                                    tls=tls))
            self.caller = enter(softphone.Softphone(site.net["pbx"], self.caller_media, servers[0],
                                                    NUMBER, f"{trunk}.{BASE_DOMAIN}",
                                                    transport=transports[0], tls=tls))
        except BaseException:
            self.stack.close()
            raise

    def __enter__(self):
        try:
            self.dial()
        except BaseException:
            self.stack.close()
            raise
        return self

    def dial(self):
        final = self.caller.dial(CALLED)
        assert final.status == 200, final.first
        self.called.wait_requests("ACK")
        self.sid = wait_up(self.site)

    def __exit__(self, kind, *_):
        with self.stack:
            self.settle()
            if kind is None and not self.is_over:
                assert self.caller.hang_up().status == 200
                self.called.wait_requests("BYE")

    def say(self, seconds=1.0, pace=media.PACE):
        """The caller alone talks."""
        self.caller_media.say(self.site.speech["pbx"][:int(seconds * 50) * 160], pace)

    def talk(self, seconds=1.0, pace=media.PACE):
        """Both talk; how fast does not change what they say."""
        octets = int(seconds * 50) * 160
        media.converse((self.caller_media, self.site.speech["pbx"][:octets]),
                       (self.called_media, self.site.speech["carrier"][:octets]), pace=pace)
        self.settle()

    def settle(self, least=0.1, most=1.5):
        """What is on its way arrives. On a busy machine a process may not run for some tenths of a
        second, and a change or the end of the call may not overtake what was said before; what is
        lost, or must not arrive, is waited for in vain and is missing then."""
        end = time.monotonic() + most
        time.sleep(least)
        while any(one.missing for one in self.compare()) and time.monotonic() < end:
            time.sleep(0.02)

    def compare(self):
        """What each said beside what the other heard: to the called party, to the caller."""
        return (capture.compare(self.caller_media.said, self.called_media.heard),
                capture.compare(self.called_media.said, self.caller_media.heard))

    def assert_identical(self, least=1):
        for one in self.compare():
            assert one.is_identical and one.said >= least, (one, self.losses())
        for end in (self.caller_media, self.called_media):
            assert not end.refused, (len(end.refused), end.refused[0])

    def losses(self):
        """What the workers dropped since the site began, by name: the text of a failure."""
        rows = self.site.trunkd.metrics()["trunkd_worker_packets_total"]
        return {labels: count for labels, count in rows.items() if "drop_" in labels and count}

    def view(self):
        """The call as trunkctl shows it now."""
        return self.site.trunkd.call(self.sid)

    def side(self, name):
        """The figures of what arrives from `caller` or `called`."""
        return side_of(self.view(), name)


def side_of(row, name):
    return next(side for side in row["media"] if side["from"] == name)


def wait_up(site, timeout=10):
    end = time.monotonic() + timeout
    while True:
        calls = site.trunkd.calls()
        if len(calls) == 1 and calls[0]["state"] == "up":
            return calls[0]["sid"]
        assert time.monotonic() < end, calls
        time.sleep(0.05)
