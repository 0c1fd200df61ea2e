"""What the lab's tests have in common: groups that end with their test, medians, the machine's stalls."""
import os
import statistics
import sys
import time
import unittest

from . import sandbox
from .group import Group

STALL = 6.0  # milliseconds: a repetition in which the machine stood still for longer does not count


class LabCase(unittest.TestCase):
    """A test case with a Group that is closed at its end; a failure shows the daemons' last words."""

    def setUp(self):
        self.groups = []

    def group(self, *arguments, **options):
        group = Group(*arguments, **options)
        self.groups.append(group)
        self.addCleanup(self._close, group)
        return group

    def _close(self, group):
        if not self._outcome.success:
            for name, daemon in group.daemons.items():
                print(f"--- {daemon.kind} on {name}\n{daemon.log()[-4000:]}", file=sys.stderr)
        group.close()

    def measure(self, group, what, once, at_most, repetitions=5, of=statistics.median):
        """The median (or `of`) of repetitions of once() must not exceed a bar.

        once() -> (value, since, until). A repetition during which the machine stood still is repeated, a bounded
        number of times, and shown.
        """
        values, repeated = [], []
        while len(values) < repetitions:
            value, since, until = once()
            stall = max(group.client.longest_stall(since, until), group.observer.longest_stall(since, until))
            if value > at_most and stall > STALL and len(repeated) < 3 * repetitions:
                repeated.append((round(value, 1), round(stall, 1)))
                continue
            values.append(value)
        result = of(values)
        print(
            f"    {what}: {result:.1f}, at most {at_most:.1f}; all {[round(each, 1) for each in values]}"
            + (
                f"; repeated because the machine stood still (value, stall in ms): {repeated}"
                if repeated
                else ""
            ),
            flush=True,
        )
        self.assertLessEqual(result, at_most, f"{what}: {values}")
        return result

    def worst_outage(self, group, since, until):
        """The longest time without service, of all addresses, in milliseconds."""
        return max(group.client.udp(each, since, until).outage for each in group.settings.addresses)

    def most_lost(self, group, since, until):
        """Datagrams lost, of the address that lost most."""
        return max(group.client.udp(each, since, until).lost for each in group.settings.addresses)

    def longest_gap_ms(self, capture, host):
        """Between two advertisements of this host, of the family that had to wait longer."""
        longest = 0.0
        for family in ("ip", "ipv6"):
            times = [
                float(row[0]) * 1000
                for row in capture.tshark(f"vrrp && {family} && eth.src == {host.mac}", "frame.time_epoch")
            ]
            self.assertGreater(len(times), 3)
            longest = max([longest, *(late - early for early, late in zip(times, times[1:]))])
        return longest

    def assert_outage(self, group, since, until, at_most):
        """No address was without service for longer; the time for which the machine stood still is granted."""
        stalls = max(group.client.all_stalls(since, until), group.observer.all_stalls(since, until))
        self.assertLessEqual(
            self.worst_outage(group, since, until),
            at_most + stalls,
            f"of which for stalls of the machine: {stalls:.1f} ms",
        )

    def assert_moved(self, group, since, until, *nodes):
        """The client was served by these nodes in this order, at each address."""
        for each in group.settings.addresses:
            self.assertEqual(group.client.udp(each, since, until).nodes, list(nodes), each)


def main(needs_users=False, needs=(), needs_kernel=False):
    """Runs the tests of the calling file inside namespaces of their own; exit status 77 where that is impossible."""
    missing = [program for program, present in needs if not present]
    if missing:
        print(f"skipped: {', '.join(missing)} is not installed")
        sys.exit(sandbox.MAY_NOT)
    try:
        sandbox.enter(needs_users, needs_kernel=needs_kernel)
    except sandbox.NotAllowed as error:
        print(f"skipped: {error}")
        sys.exit(sandbox.MAY_NOT)
    try:
        program = unittest.main(verbosity=2, exit=False)
    except sandbox.Interrupted as error:
        os._exit(128 + error.number)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if program.result.wasSuccessful() else 1)


def after(moment, milliseconds):
    """Sleeps until this long after a moment (nanoseconds); returns the time: the end of what to look at."""
    time.sleep(max(0.0, (moment - time.monotonic_ns()) / 1e9 + milliseconds / 1e3))
    return time.monotonic_ns()
