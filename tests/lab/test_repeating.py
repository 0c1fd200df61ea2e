#!/usr/bin/env python3
"""What fails is repeated only if the machine stood still, not for ever, and never counts as passed for that."""
import contextlib
import io
import unittest

from vipdlab import case, sandbox


class FakeMachine:
    def __init__(self, stall):
        self.stall = stall

    def longest_stall(self, _since):
        return self.stall


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


if __name__ == "__main__":
    unittest.main(verbosity=2)
