#!/usr/bin/env python3
"""What fails is repeated only if the machine stood still, not for ever, and never counts as passed for that."""
import contextlib
import io
import types
import unittest

from vipdlab import case, sandbox
from vipdlab.probe import Sample, Window


MS = 1_000_000
VIP = "192.0.2.10"


class FakeMachine:
    def __init__(self, stall, stalls=()):
        self.stall = stall
        self._stalls = stalls

    def longest_stall(self, _since):
        return self.stall

    def stalls(self, _since, _until):
        return [(began * MS, ended * MS) for began, ended in self._stalls]


def group_that_lost(*moments):
    """A group with a datagram each millisecond of a second; these were lost."""
    samples = [Sample(at * MS, None if at in moments else MS, "a") for at in range(1000)]
    client = types.SimpleNamespace(udp=lambda *_: Window(samples))
    return types.SimpleNamespace(client=client, settings=types.SimpleNamespace(addresses=[VIP]))


class Tried(case.LabCase):
    """The tests that are tried; their names hide them from the runner."""

    runs = 0

    def setUp(self):
        super().setUp()
        Tried.runs += 1

    def passes(self):
        pass

    def fails(self):
        self.fail("always")

    def fails_twice(self):
        self.assertGreater(Tried.runs, 2)

    def fails_in_part(self):
        with self.subTest("this part"):
            self.fail("always")

    def is_not_for_here(self):
        self.skipTest("why")

    def is_interrupted(self):
        raise sandbox.Interrupted(15)


class Repeating(unittest.TestCase):
    def tried(self, name, stall):
        """The result of a test on a machine that stood still for so long (ms) each time that it ran."""
        Tried.runs = 0
        case._machine = FakeMachine(stall)
        result = unittest.TestResult()
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            Tried(name).run(result)
        self.assertEqual(printed.getvalue().count(f"stood still for {stall:.1f} ms"), Tried.runs - 1)
        self.assertEqual(result.testsRun, 1)
        return result

    def test_what_fails_on_a_machine_that_runs_has_failed(self):
        self.assertEqual(len(self.tried("fails", 0.9 * case.STALL).failures), 1)
        self.assertEqual(Tried.runs, 1)

    def test_what_fails_while_it_stands_still_is_repeated_until_it_passes(self):
        self.assertEqual(self.tried("fails_twice", 40).failures, [])
        self.assertEqual(Tried.runs, 3)

    def test_not_for_ever(self):
        for name in ("fails", "fails_in_part"):
            with self.subTest(name):
                self.assertEqual(len(self.tried(name, 40).failures), 1)
                self.assertEqual(Tried.runs, 1 + case.AGAIN)

    def test_what_passes_runs_once(self):
        self.assertTrue(self.tried("passes", 40).wasSuccessful())
        self.assertEqual(Tried.runs, 1)

    def test_what_is_skipped_is_said_to_be(self):
        self.assertEqual(len(self.tried("is_not_for_here", 40).skipped), 1)
        self.assertEqual(Tried.runs, 1)

    def test_who_interrupts_has_the_last_word(self):
        with self.assertRaises(sandbox.Interrupted):
            self.tried("is_interrupted", 40)
        self.assertEqual(Tried.runs, 1)

    def lost(self, moments, stalls):
        case._machine = FakeMachine(0, stalls)
        with contextlib.redirect_stdout(io.StringIO()):
            return Tried("passes").most_lost(group_that_lost(*moments), 0, 1000 * MS)

    def test_what_is_lost_on_a_machine_that_runs_counts(self):
        self.assertEqual(self.lost((100, 101, 500), ()), 3)
        self.assertEqual(self.lost((100, 101, 500), [(200, 230), (479, 499)]), 3)

    def test_what_is_lost_while_it_stands_still_or_just_before_does_not(self):
        self.assertEqual(self.lost((100, 125, 500), [(110, 130)]), 1)

    def test_a_stall_too_short_to_be_the_reason_is_no_excuse(self):
        self.assertEqual(self.lost((100, 101, 500), [(100, 100 + 0.9 * case.STALL)]), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
