#!/usr/bin/env python3
"""The demo's table says in words what its figures mean and fits the terminal; the demo installs only what it runs."""
import pathlib
import subprocess
import unittest

from vipdlab.table import duration, no_counterpart, noticed, table

DEV = pathlib.Path(__file__).parents[2] / "dev"


def result(event="cut", daemon="vipd", **figures):
    values = {
        "event": event,
        "daemon": daemon,
        "outage_ms": 0.0,
        "lost": 0,
        "requests": 750,
        "failed_within_ms": 0.0,
        "failing_at_end": False,
        "two_repliers_ms": 0.0,
        "two_repliers_at_end": False,
        "active_before": "a",
        "active_after": "b",
        "notes": [],
        **figures,
    }
    return {**values, "noticed": noticed(values)}


CUT = result(lost=140, outage_ms=280.0, failed_within_ms=284.0)
KILLED = result("all_killed", "keepalived", two_repliers_ms=3671.0, two_repliers_at_end=True)


class Words(unittest.TestCase):
    def says(self, text, **figures):
        self.assertEqual(result(**figures)["noticed"], text)

    def test_without_a_failed_request_a_user_noticed_nothing(self):
        self.says("nothing")

    def test_the_overlap_of_a_handover_is_nothing_and_a_longer_one_is_told(self):
        self.says("nothing", two_repliers_ms=4.0)
        self.says("both nodes answered for 6 ms", two_repliers_ms=6.0)

    def test_failed_requests_are_counted_with_their_time(self):
        self.says("4 requests failed within 0.30 s", lost=4, failed_within_ms=300.0)
        self.says("1 request failed", lost=1, failed_within_ms=4.0)
        self.says("all 750 requests failed", lost=750, failed_within_ms=1500.0)

    def test_what_had_not_ended_is_told(self):
        self.says(
            "9 requests failed within 0.90 s, and still did at the end",
            lost=9,
            failed_within_ms=900.0,
            failing_at_end=True,
        )
        self.says(
            "both nodes answered for 3.7 s, and still did at the end",
            two_repliers_ms=3671.0,
            two_repliers_at_end=True,
        )

    def test_failed_requests_and_two_nodes_are_both_told(self):
        self.says(
            "2 requests failed within 8 ms; both nodes answered for 2.3 s",
            lost=2,
            failed_within_ms=8.0,
            two_repliers_ms=2300.0,
        )

    def test_no_request_is_not_the_same_as_no_failure(self):
        self.says("no request was sent", requests=0)

    def test_durations_have_two_digits_that_count(self):
        for ms, text in ((4.4, "4 ms"), (99.4, "99 ms"), (100, "0.10 s"), (280, "0.28 s"), (994, "0.99 s"), (995, "1.0 s"), (2347, "2.3 s")):
            with self.subTest(ms):
                self.assertEqual(duration(ms), text)


class Layout(unittest.TestCase):
    def test_in_100_columns_all_figures_are_shown(self):
        head, row = table([CUT], 100)
        for word in ("event", "outage", "lost", "two repliers", "active", "what a user noticed"):
            self.assertIn(word, head)
        for cell in ("cut", "280 ms", "140 of 750", "0 ms", "a > b", "140 requests failed within 0.28 s"):
            self.assertIn(cell, row)

    def test_in_80_columns_the_words_are_whole_and_say_what_is_left_out(self):
        head, row = table([CUT], 80)
        self.assertNotIn("lost", head)
        self.assertNotIn("active", head)
        self.assertIn("two repliers", head)
        self.assertTrue(row.endswith("140 requests failed within 0.28 s"), row)

    def test_no_line_is_wider_than_the_terminal(self):
        long = result(lost=1098, failed_within_ms=2480.0, failing_at_end=True, two_repliers_ms=3700.0)
        long["notes"].append("Active should be b, and it has not become so within all the time that it had")
        for width in (80, 99, 100, 120):
            for results in ([CUT, long], [CUT, long, KILLED, no_counterpart("switch", "keepalived")]):
                for line in table(results, width):
                    self.assertLessEqual(len(line), width, line)

    def test_long_words_go_on_below_themselves(self):
        lines = table([result(lost=9, failed_within_ms=900.0, failing_at_end=True, two_repliers_ms=3700.0)], 100)
        column = lines[0].index("what a user")
        self.assertGreater(len(lines), 2)
        for line in lines[2:]:
            self.assertEqual(line[:column].strip(), "")
        said = " ".join(line[column:] for line in lines[1:])
        self.assertEqual(said, "9 requests failed within 0.90 s, and still did at the end; both nodes answered for 3.7 s")

    def test_a_number_stays_with_its_unit(self):
        for width in range(60, 130):
            for line in table([CUT, KILLED], width)[1:]:
                self.assertNotRegex(line, r"\d$")

    def test_two_daemons_stand_below_each_other_in_each_event(self):
        results = [
            CUT,
            result("switch"),
            result("all_killed"),
            result("cut", "keepalived", lost=200, outage_ms=400.0, failed_within_ms=400.0),
            no_counterpart("switch", "keepalived"),
            KILLED,
        ]
        lines = [line.split() for line in table(results, 100)]
        self.assertEqual(lines[0][:2], ["event", "daemon"])
        self.assertEqual(lines[1][:4], ["cut", "vipd", "280", "ms"])
        self.assertEqual(lines[2][:3], ["keepalived", "400", "ms"])
        self.assertEqual(lines[3][:2], ["switch", "vipd"])
        self.assertEqual(lines[4], ["keepalived", "-", "-", "-", "-"])
        self.assertEqual(lines[5][:2], ["all_killed", "vipd"])
        self.assertEqual(lines[6][0], "keepalived")

    def test_what_went_wrong_stands_with_the_words(self):
        self.assertIn("nothing; not as expected: Active should be b", table([result(notes=["Active should be b"])], 140)[1])


class Packages(unittest.TestCase):
    """The lists of ./dev, as bash reads them."""

    LISTS = ("build", "unit", "demo", "beside", "test")

    @classmethod
    def setUpClass(cls):
        text = DEV.read_text(encoding="utf-8")
        lists = text[text.index("# --- what is needed") : text.index("# --- progress")]
        cls.lists = {}
        for manager in ("apt", "dnf"):
            for each in cls.LISTS:
                done = subprocess.run(
                    ["bash", "-c", f'{lists}\nprintf "%s\\n" "${{{manager}_{each}[@]}}"'],
                    check=True,
                    capture_output=True,
                    text=True,
                )
                cls.lists[manager, each] = done.stdout.split()

    def test_the_demo_installs_no_peer_no_dissector_and_no_test_framework(self):
        for manager in ("apt", "dnf"):
            demo = " ".join(self.lists[manager, "build"] + self.lists[manager, "demo"])
            for word in ("frr", "shark", "tcpdump", "keepalived", "prometheus", "doctest", "dbus", "mandoc", "nft"):
                self.assertNotIn(word, demo, manager)
            self.assertIn("nginx", demo)
            self.assertEqual(self.lists[manager, "beside"], ["keepalived"])

    def test_the_tests_install_what_the_demo_and_the_unit_tests_take(self):
        for manager in ("apt", "dnf"):
            for each in ("unit", "demo", "beside"):
                self.assertLessEqual(set(self.lists[manager, each]), set(self.lists[manager, "test"]))

    def test_no_package_is_named_twice(self):
        for name, packages in self.lists.items():
            self.assertEqual(len(packages), len(set(packages)), name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
