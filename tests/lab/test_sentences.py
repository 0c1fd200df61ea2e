#!/usr/bin/env python3
"""The chaos lab's sentences bite: each finds what it forbids in a made-up trace, and nothing in a good one."""
import types
import unittest

from vipdlab.chaos import sentences
from vipdlab.chaos.fault import Allowance
from vipdlab.chaos.run import Run
from vipdlab.probe import Advert, Sample, Window

MS = 1_000_000
VIP = "192.0.2.10"
LENGTH = 4000  # ms of the trace


class Client:
    def __init__(self):
        self.datagrams = [Sample(at * MS, MS, "a") for at in range(LENGTH)]
        self.requests = [Sample(at * MS, MS, "a") for at in range(0, LENGTH, 20)]

    @staticmethod
    def _replace(samples, since, until, node):
        return [
            Sample(each.sent, None if node is None else MS, node or "lost")
            if since * MS <= each.sent < until * MS
            else each
            for each in samples
        ]

    def served(self, since, until, node):
        """By this node, or by nobody."""
        self.datagrams = self._replace(self.datagrams, since, until, node)

    def served_by_http(self, since, until, node):
        self.requests = self._replace(self.requests, since, until, node)

    def udp(self, _address, since, until):
        return Window([each for each in self.datagrams if since <= each.sent < until])

    def http(self, _address, since, until):
        return Window([each for each in self.requests if since <= each.sent < until])


class Observer:
    def __init__(self):
        self.two = 0.0
        self.sent = {"a": [Advert(at * MS, 4, 51, 250, 10) for at in range(0, LENGTH, 100)], "b": [], "c": []}

    def two_repliers(self, _address, _since, _until):
        return self.two

    def adverts(self, mac, since, until):
        return [each for each in self.sent[mac] if since <= each.seen < until]


class Trace(unittest.TestCase):
    def setUp(self):
        self.client, self.observer = Client(), Observer()
        hosts = {name: types.SimpleNamespace(name=name, mac=name) for name in ("a", "b", "c")}
        self.present = set()  # nodes that have an address when they are asked
        group = types.SimpleNamespace(client=self.client, observer=self.observer, host=hosts.get)
        lab = types.SimpleNamespace(
            group=group,
            addresses=(VIP,),
            interval_ms=100,
            priorities=(250, 200, 150),
            network=types.SimpleNamespace(nodes=list(hosts.values())),
            watch=types.SimpleNamespace(
                present_at=lambda name, _: {VIP} & ({VIP} if name in self.present else set())
            ),
        )
        self.fault = types.SimpleNamespace(dead=[], resumed=[])
        self.allowance = Allowance()
        programs = {("a", "vipd"): 10, ("a", "vipd-router"): 11}
        self.seen = sentences.Seen(
            lab, self.fault, self.allowance, 0, 3000 * MS, LENGTH * MS, "", programs, dict(programs), {}, {}
        )

    def found(self):
        return sorted({each.sentence for each in sentences.judge(self.seen)})

    def assert_found(self, *wanted):
        self.assertEqual(self.found(), sorted(wanted))

    def test_a_quiet_trace_has_no_finding(self):
        self.assert_found()

    def test_two_that_answer_for_longer_than_allowed_are_found(self):
        self.observer.two = 20.0
        self.assert_found("never two")
        self.allowance.two = 20.0
        self.assert_found()

    def test_a_gap_is_found_and_allowed_only_as_far_as_the_fault_says(self):
        self.client.served(1000, 1300, None)
        self.assert_found("never none")
        self.allowance.gap = 290
        self.assert_found("never none")
        self.allowance.gap = 310
        self.assert_found()

    def test_gaps_add_up(self):
        self.allowance.gap = 100
        for at in (1000, 2000):
            self.client.served(at, at + 80, None)
        self.assert_found("never none")

    def test_a_service_that_answers_nothing_is_found_though_datagrams_come_back(self):
        self.client.served_by_http(1000, 1200, None)
        self.assert_found("never none")

    def test_a_move_and_its_return_are_two_moves(self):
        self.client.served(1000, 2000, "b")
        self.assert_found("no needless move")
        self.allowance.moves = 1
        self.assert_found("no needless move")
        self.allowance.moves = 2
        self.assert_found()

    def test_a_photo_finish_of_neighbouring_priorities_is_one_move(self):
        self.seen.lab.priorities = (254, 252, 253)
        self.allowance.gap, self.allowance.moves = 300, 2
        self.client.served(1000, 1300, None)
        self.client.served(1300, 1310, "b")
        self.client.served(1310, 2000, "c")
        self.assert_found()
        self.seen.lab.priorities = (254, 200, 250)  # b had 20 ms to hear c
        self.assert_found("no needless move")
        self.seen.lab.priorities = (254, 253, 252)  # c is not the better one
        self.assert_found("no needless move")

    def test_what_is_not_as_before_is_found(self):
        self.seen.unsettled = "b is Active"
        self.assert_found("held by the Active alone")

    def test_an_address_on_a_dead_node_is_found_after_dead_man(self):
        self.present = {"a"}
        self.fault.dead = [("a", 0, 3000 * MS)]  # started again before dead_man was over
        self.assert_found()
        self.fault.dead = [("a", 0, None)]
        self.assert_found("gone from the dead")

    def test_whoever_advertises_as_soon_as_it_goes_on_is_found(self):
        self.fault.resumed = [("b", 2000 * MS, 1.0)]
        self.observer.sent["b"] = [Advert(2250 * MS, 4, 51, 200, 10)]
        self.assert_found()
        self.observer.sent["b"] = [Advert(2010 * MS, 4, 51, 0, 10)]  # a farewell claims nothing
        self.assert_found()
        self.observer.sent["b"] = [Advert(2010 * MS, 4, 51, 200, 10)]
        self.assert_found("listen first")
        self.fault.resumed = [("b", 2000 * MS, 0.2)]  # too short to be replaced
        self.assert_found()

    def test_a_storm_of_advertisements_is_found(self):
        self.observer.sent["a"] = [Advert(at * MS, 4, 51, 250, 10) for at in range(0, LENGTH, 10)]
        self.assert_found("no storm")

    def test_a_busy_loop_is_found_unless_the_fault_gives_work(self):
        self.seen.cpu = {("a", "vipd", 10): 3.9, ("a", "vipd-router", 11): 0.1}
        self.assert_found("no busy loop")
        self.allowance.busy = True
        self.assert_found()

    def test_a_program_that_was_replaced_is_found_unless_the_fault_ends_it(self):
        self.seen.after["a", "vipd-router"] = 99
        self.assert_found("no other death")
        self.allowance.ends = frozenset({("a", "vipd-router")})
        self.assert_found()

    def test_an_assertion_in_a_log_is_found(self):
        self.seen.logs = {"a": ["vipd-router: router.cc:12: Assertion `held' failed."]}
        self.assert_found("no mistake of ours")

    def test_a_machine_that_stood_still_excuses_what_it_can_explain_and_no_more(self):
        gap = sentences.Finding("never none", "", 40.0)
        hard = sentences.Finding("no other death", "")
        for stalls, findings, excused in (
            ((10.0, 10.0), [gap], True),
            ((10.0, 7.0), [gap], False),  # too short for such a gap
            ((5.0, 500.0), [gap], False),  # never notably
            ((500.0, 500.0), [gap, hard], False),
        ):
            with self.subTest(stalls=stalls, findings=findings):
                seen = types.SimpleNamespace(stalls=lambda value=stalls: value)
                self.assertEqual(bool(Run.excused(seen, findings)), excused)

    def test_workers_that_waited_excuse_ipv6_alone(self):
        seen = types.SimpleNamespace(stalls=lambda: (0.0, 0.0))
        for ipv6, waited, excused in ((True, 100.0, True), (True, 50.0, False), (False, 100.0, False)):
            with self.subTest(ipv6=ipv6, waited=waited):
                findings = [sentences.Finding("never none", "", 400.0, ipv6)]
                self.assertEqual(Run.excused(seen, findings, waited), excused)


if __name__ == "__main__":
    unittest.main(verbosity=2)
