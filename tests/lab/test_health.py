#!/usr/bin/env python3
"""Addresses follow the health of nginx: dead, slow, wrong answers, and well again."""
# timed: outages, in milliseconds
import dataclasses
import functools
import pathlib

from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd, skew_time_ms
from vipdlab.processes import wait_until
from vipdlab.web import Nginx

INTERVAL_MS = 100  # of advertisements and of checks
FALL = 2
LATENCY_MS = 100
SLOW_MS = 250
PRIORITIES = (250, 200)
CHECK = f"""\
nginx:
  http: http://127.0.0.1/healthz
  expect: {{status: 200, latency: {LATENCY_MS}ms}}
  interval: {INTERVAL_MS}ms
  timeout: 500ms
  fall: {FALL}
  rise: 2
  on_failure: {{{{on_failure}}}}
"""
# A check starts at most one interval after the fault, and FALL of them must fail; then the address moves.
FALL_MS = FALL * INTERVAL_MS
# An attempt that waits too long fails at its bound, which is as long as the interval: the next one follows at once.
SLOW_FALL_MS = INTERVAL_MS + FALL * LATENCY_MS
MOVE_MS = skew_time_ms(INTERVAL_MS, PRIORITIES[1])
SLACK_MS = 60  # for the programs themselves, on a machine with other things to do


def running(command):
    """How many processes there are with these words."""
    wanted = b"".join(each.encode() + b"\0" for each in command)

    def words(process):
        try:
            return (process / "cmdline").read_bytes()
        except OSError:  # it has ended
            return b""

    return sum(words(each) == wanted for each in pathlib.Path("/proc").glob("[0-9]*"))


class Health(LabCase):
    def pair(self, on_failure="{priority: -60}", interval_ms=INTERVAL_MS):
        checks = CHECK.replace("{{on_failure}}", on_failure)
        group = self.group(
            [functools.partial(Vipd, checks=checks)] * 2,
            RouterSettings(interval_ms=interval_ms),
            PRIORITIES,
            http_rate=250,
            http_timeout=200,
            web=Nginx,
        ).start()
        self.whole(group)
        return group

    def whole(self, group):
        for name, daemon in group.daemons.items():
            wait_until(
                lambda d=daemon, n=name: d.settled("Active" if n == "a" else "Backup"),
                15,
                f"{name} with all checks up",
            )
        group.settle("a")

    def http_outage(self, group, since, until):
        return max(group.client.http(each, since, until).outage for each in group.settings.addresses)

    def faults(self, group, break_it, mend_it, what, at_most, fell_to="Backup"):
        def once():
            moment = break_it()
            group.settle("b", aside=("a",))
            group.daemons["a"].wait_state(fell_to)
            until = after(moment, at_most + 300)
            outage = self.http_outage(group, moment, until)
            for address in group.settings.addresses:
                self.assertEqual(group.client.http(address, moment, until).nodes[-1], "b")
            mend_it()
            self.whole(group)
            return outage, moment, until

        self.measure(group, what, once, at_most)

    def test_the_address_leaves_a_dead_nginx_within_the_fall_time_and_one_skew_time(self):
        group = self.pair()
        self.faults(
            group,
            group.webs["a"].kill,
            group.webs["a"].start,
            "outage of a killed nginx, ms",
            FALL_MS + MOVE_MS + SLACK_MS,
        )

    def test_at_1_s_a_move_for_health_does_not_wait_three_intervals(self):
        group = self.pair(interval_ms=1000)
        self.faults(
            group,
            group.webs["a"].kill,
            group.webs["a"].start,
            "outage of a killed nginx at 1 s, ms",
            FALL_MS + skew_time_ms(1000, PRIORITIES[1]) + SLACK_MS,
        )

    def test_the_address_leaves_an_nginx_that_answers_late(self):
        group = self.pair()

        def mend():
            (check,) = group.daemons["a"].status()["checks"]
            self.assertEqual(check["state"], "down")
            self.assertEqual((check["latency_ms"], check["latency_exceeded"]), (LATENCY_MS, True))
            group.webs["a"].speed_up()

        self.faults(
            group,
            lambda: group.webs["a"].slow_down(SLOW_MS),
            mend,
            "outage of a slow nginx, ms",
            SLOW_FALL_MS + MOVE_MS + SLACK_MS,
        )

    def test_a_script_that_is_too_slow_has_failed_at_its_bound_and_nothing_of_it_is_left(self):
        sleep = ("sleep", "61.25")  # to be found by
        script = f"trap : TERM; {' '.join(sleep)} & {' '.join(sleep)}"
        checks = f"""
slow:
  script: [/bin/sh, -c, "{script}"]
  user: root
  latency: {LATENCY_MS}ms
  interval: {INTERVAL_MS}ms
  timeout: 30s
  fall: {FALL}
  on_failure: {{priority: -60}}
"""
        group = self.group([functools.partial(Vipd, checks=checks)] * 2, RouterSettings(interval_ms=INTERVAL_MS))
        group.start()
        check = wait_until(
            lambda: next((c for c in group.daemons["a"].status().get("checks", []) if c["failures"] >= 20), None),
            10,
            "20 attempts that failed",
        )
        self.assertEqual(check["state"], "down")
        self.assertEqual((check["latency_ms"], check["latency_exceeded"]), (LATENCY_MS, True))
        # Of two nodes, the attempt under way and one that is being ended, two each.
        self.assertLessEqual(running(sleep), 8)

    def test_a_router_whose_check_demands_it_goes_to_initialize(self):
        group = self.pair(on_failure="initialize")
        self.faults(
            group,
            group.webs["a"].kill,
            group.webs["a"].start,
            "outage with on_failure: initialize, ms",
            FALL_MS + MOVE_MS + SLACK_MS,
            fell_to="Initialize",
        )

    def test_when_nginx_is_dead_everywhere_the_address_stays_with_the_preferred_node(self):
        group = self.pair()
        group.webs["b"].kill()
        wait_until(lambda: group.daemons["b"].effective_priority() == 140, 10, "b with a failed check")
        moment = group.webs["a"].kill()
        wait_until(lambda: group.daemons["a"].effective_priority() == 190, 10, "a with a failed check")
        until = after(moment, 1000)
        self.assertEqual(group.active(), "a")
        self.assert_moved(group, moment, until, "a")

    def test_a_check_that_comes_back_with_its_router_by_a_reload_counts_anew_also_after_a_restart_of_the_monitor(self):
        group = self.pair()
        a = group.daemons["a"]
        old = a.child("vipd-monitor")
        a.kill_monitor()
        wait_until(lambda: a.child("vipd-monitor") not in (None, old), 10, "a new monitor process")
        self.whole(group)
        with_checks = a.config_file.read_text(encoding="utf-8")
        a.write(a.configuration(settings=dataclasses.replace(a.settings, vrid=99, addresses=("192.0.2.30",))))
        a.ctl("reload")
        a.write(with_checks)
        a.ctl("reload")
        self.whole(group)


if __name__ == "__main__":
    main()
