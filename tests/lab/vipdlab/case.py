"""What the lab's tests have in common: groups that end with their test, medians, the machine's stalls.

While the machine stands still, two nodes on it fail over as they must if their networks did. So what fails while
it does is repeated, a bounded number of times, and each repetition is told: a figure by measure(), which looks at
its own stretch of time, and a whole test by LabCase.run(). What fails on a machine that runs has failed.
"""
import os
import statistics
import sys
import time
import unittest

from . import sandbox
from .group import Group
from .machine import Machine
from .probe import ANSWERED

STALL = 6.0  # milliseconds: a repetition in which the machine stood still for longer does not count
AGAIN = 3  # times that a test that failed is repeated for that reason, at most
FEW, MANY = 10, 3  # repetitions for that reason: of a figure taken once, and for each time that it is taken

_machine = None  # set by main()


class Attempt:
    """A result that keeps what a test says of itself until it is known whether that counts."""

    def __init__(self, result):
        self._result, self._said = result, []

    def __getattr__(self, name):
        if not name.startswith("add"):
            return getattr(self._result, name)
        return lambda *arguments: self._said.append((name, arguments))

    def startTest(self, test):
        """The result that counts has been reported, once for all attempts."""

    stopTest = startTest

    def errors(self):
        """The exceptions that made it fail."""
        told = [arguments[-1] for name, arguments in self._said if name in ("addFailure", "addError", "addSubTest")]
        return [each[1] for each in told if each is not None]

    def counts(self):
        for name, arguments in self._said:
            getattr(self._result, name)(*arguments)


class LabCase(unittest.TestCase):
    """A test case with a Group that is closed at its end; a failure shows the daemons' last words."""

    took = {}  # seconds, of each test of this file

    def run(self, result=None):
        result.startTest(self)
        began = time.monotonic()
        try:
            self._run_until_it_counts(result)
        finally:
            result.stopTest(self)
            self.took[self.id().rpartition(".")[2]] = time.monotonic() - began

    def _run_until_it_counts(self, result):
        for left in reversed(range(AGAIN + 1)):
            attempt, began = Attempt(result), time.monotonic_ns()
            super().run(attempt)
            errors = attempt.errors()
            for each in errors:
                if isinstance(each, sandbox.Interrupted):
                    raise each
            stall = _machine.longest_stall(began) if errors and left else 0.0
            if not errors or not left or stall <= STALL:
                attempt.counts()
                return
            why = str(errors[0]).strip().partition("\n")[0][:200]
            print(f"    failed and repeated because the machine stood still for {stall:.1f} ms: {why}", flush=True)

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

    def measure(self, group, what, once, at_most, repetitions=3, of=statistics.median):
        """The median (or `of`) of repetitions of once() must not exceed a bar.

        once() -> (value, since, until). A repetition during which the machine stood still is repeated, a bounded
        number of times, and shown.
        """
        values, repeated = [], []
        while len(values) < repetitions:
            value, since, until = once()
            stall = max(group.client.longest_stall(since, until), group.observer.longest_stall(since, until))
            if value > at_most and stall > STALL and len(repeated) < max(FEW, MANY * repetitions):
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
        """Datagrams lost, of the address that lost most; not those in whose time the machine stood still."""
        stalls = [each for each in _machine.stalls(since, until + ANSWERED) if each[1] - each[0] > STALL * 1e6]
        counted, excused = 0, 0
        for address in group.settings.addresses:
            lost = [each.sent for each in group.client.udp(address, since, until).samples if each.latency is None]
            at_fault = [sent for sent in lost if not any(a < sent + ANSWERED and sent < b for a, b in stalls)]
            counted, excused = max(counted, len(at_fault)), max(excused, len(lost) - len(at_fault))
        if excused:
            print(f"    lost while the machine stood still, and not counted: {excused} datagrams", flush=True)
        return counted

    def longest_gap_ms(self, capture, host):
        """Between two advertisements of this host, of the family that had to wait longer."""
        rows = capture.tshark(f"vrrp && eth.src == {host.mac}", "frame.time_epoch", "ipv6.src")
        longest = 0.0
        for is_ipv6 in (False, True):
            times = [float(time) * 1000 for time, ipv6 in rows if bool(ipv6) == is_ipv6]
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
    global _machine
    _machine = Machine()
    try:
        sandbox.enter(needs_users, needs_kernel=needs_kernel)
    except sandbox.NotAllowed as error:
        print(f"skipped: {error}")
        sys.exit(sandbox.MAY_NOT)
    _machine.listen()
    try:
        program = unittest.main(verbosity=2, exit=False)
    except sandbox.Interrupted as error:
        os._exit(128 + error.number)
    for name, seconds in sorted(LabCase.took.items(), key=lambda each: -each[1]):
        print(f"{seconds:6.1f} s  {name}")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if program.result.wasSuccessful() else 1)


def after(moment, milliseconds):
    """Sleeps until this long after a moment (nanoseconds); returns the time: the end of what to look at."""
    time.sleep(max(0.0, (moment - time.monotonic_ns()) / 1e9 + milliseconds / 1e3))
    return time.monotonic_ns()
