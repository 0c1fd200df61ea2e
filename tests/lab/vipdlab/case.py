"""What the lab's tests have in common: groups that end with their test, medians, the machine's stalls."""
import os
import statistics
import sys
import time
import unittest

from . import sandbox
from .group import Group

STALL = 6.0        # milliseconds: a repetition in which the machine stood still for longer does not count


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
        outcome = self._outcome.result
        bad = any(test is self for test, _ in outcome.failures + outcome.errors) or not self._outcome.success
        if bad:
            for name, daemon in group.daemons.items():
                print(f"--- {daemon.kind} on {name}\n{daemon.log()[-4000:]}", file=sys.stderr)
        group.close()

    def median(self, once, bar, what, repetitions=5, group=None):
        """The median of repetitions of once() -> (value, since, until) must not exceed bar.

        A repetition during which the machine stood still is repeated; its value shows what the machine did.
        """
        values, dropped = [], []
        while len(values) < repetitions:
            value, since, until = once()
            stall = max(group.client.longest_stall(since, until), group.observer.longest_stall(since, until))
            if stall > STALL and len(dropped) < 2 * repetitions:
                dropped.append((round(value, 1), round(stall, 1)))
                continue
            values.append(value)
        median = statistics.median(values)
        print(f"{what}: median {median:.1f} (at most {bar:.1f}) of {[round(each, 1) for each in values]}"
              + (f", repeated for stalls (value, stall): {dropped}" if dropped else ""))
        self.assertLessEqual(median, bar, f"{what}: {values}")
        return median


def main(needs_users=False, needs=()):
    """Runs the tests of the calling file inside namespaces of their own; exit status 77 where that is impossible."""
    missing = [program for program, present in needs if not present]
    if missing:
        print(f"skipped: {', '.join(missing)} is not installed")
        sys.exit(sandbox.MAY_NOT)
    try:
        sandbox.enter(needs_users)
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
    """Sleeps until this long after a moment (nanoseconds), and returns the new one: for how long to look on."""
    until = moment + int(milliseconds * 1e6)
    time.sleep(max(0.0, (until - time.monotonic_ns()) / 1e9))
    return until

