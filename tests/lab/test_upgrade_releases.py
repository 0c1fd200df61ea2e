#!/usr/bin/env python3
"""vipctl upgrade from each released version to the programs of this tree: nobody notices it, and what the checks have
found is kept. Back to the release is refused in words. vipdlab/releases.py builds the releases."""
# timed: the longest gap between advertisements, and datagrams that are lost
import functools
import sys
import time

from vipdlab import packets, releases, sandbox
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import OwnVipd, RouterSettings, Vipd
from vipdlab.network import VIP4, VIP6
from vipdlab.processes import PATIENCE, wait_until

INTERVAL_MS = 100
CHECKS = """
alive:
  script: [/bin/sleep, "0.01"]
  user: root
  interval: 100ms
full:
  script: [/bin/false]
  user: root
  interval: 100ms
  fall: 1
  on_failure: {priority: -10}
"""
PRIORITY, WITH_FULL_DISK, OTHERS = 250, 240, 200

PROGRAMS = {}  # of each release: where they are; built before the namespaces are entered


class UpgradeFromReleases(LabCase):
    def pair(self, release):
        settings = RouterSettings(interval_ms=INTERVAL_MS, addresses=(VIP4, VIP6))
        group = self.group([functools.partial(OwnVipd, checks=CHECKS), Vipd], settings, (PRIORITY, OTHERS))
        group.daemons["a"].install_from(PROGRAMS[release])
        group.start(settle=False)
        self.serves(group)
        return group

    def serves(self, group):
        """a serves, with the priority that its checks leave it, and b is its Backup."""
        a = group.daemons["a"]
        group.settle("a")
        wait_until(lambda: a.effective_priority() == WITH_FULL_DISK, PATIENCE, "the failing check counts")

    def of_each_release(self, test):
        for release in PROGRAMS:
            with self.subTest(release):
                group = self.pair(release)
                test(release, group, group.daemons["a"], group.daemons["b"])
                group.close()

    @staticmethod
    def check_states(daemon):
        """{name: (state, seconds since)}"""
        return {each["name"]: (each["state"], each["since_s"]) for each in daemon.status()["checks"]}

    def upgraded(self, release, group, a, b):
        def once():
            self.serves(group)
            others, own, checks = b.times_active(), a.times_active(), self.check_states(a)
            programs = a.programs()
            capture = packets.Capture(group.network.observer)
            moment = time.monotonic_ns()
            a.install_anew()
            answer = a.upgrade()
            until = after(time.monotonic_ns(), 6 * INTERVAL_MS)
            capture.stop()
            self.assertEqual((answer["version_before"], answer["changed"]), (release, []))
            now = a.programs()
            self.assertEqual(now["guardian"], programs["guardian"])
            self.assertNotEqual(now["router"], programs["router"])
            self.assertNotEqual(now["monitor"], programs["monitor"])
            self.assert_moved(group, moment, until, "a")
            self.assertEqual(b.times_active(), others, "the peer has taken over in between")
            self.assertEqual(a.times_active(), own, "it has become Active anew")
            self.assertEqual(a.effective_priority(), WITH_FULL_DISK)
            for name, (state, since) in self.check_states(a).items():
                self.assertEqual(state, checks[name][0], name)
                self.assertGreaterEqual(since, checks[name][1], name)
            self.assertEqual(a.status()["programs"]["router"]["restarts"], 0, "an upgrade is no failure")
            gap, lost = self.longest_gap_ms(capture, group.host("a")), self.most_lost(group, moment, until)
            print(f"    longest gap between advertisements {gap:.1f} ms, {lost} datagrams lost", flush=True)
            # For the next time.
            a.stop()
            b.wait_state("Active")
            a.install_from(PROGRAMS[release])
            a.start()
            return max(gap / INTERVAL_MS, 1.5 + lost if lost else 0), moment, until

        what = f"upgrades from {release} at {INTERVAL_MS} ms: longest gap, in intervals"
        self.measure(group, what, once, 1.5 + 10 / INTERVAL_MS, 3, of=max)

    def test_nobody_notices_an_upgrade_from_a_release(self):
        self.of_each_release(self.upgraded)

    def refused_to_go_back(self, release, group, a, _):
        a.install_anew()
        new = a.upgrade()["version"]
        self.serves(group)
        programs = a.programs()
        moment, mark = time.monotonic_ns(), a.mark()
        a.install_from(PROGRAMS[release])
        self.assertIn(release, a.refusal("upgrade"))
        a.wait_event(mark, "upgrade_refused", data=[release, new])
        self.assertEqual(a.programs(), programs)
        self.assert_moved(group, moment, after(time.monotonic_ns(), 300), "a")

    def test_back_to_a_release_that_cannot_take_over_is_refused_and_the_service_goes_on(self):
        self.of_each_release(self.refused_to_go_back)

    # Between the installation of a package and the upgrade, the old guardian starts the new programs.
    def with_new_programs(self, _, group, a, b):
        others, own = b.times_active(), a.times_active()
        a.install_anew()
        moment = time.monotonic_ns()
        for name, kill in (("vipd-router", a.kill_router), ("vipd-monitor", a.kill_monitor)):
            old = a.child(name)
            kill()
            wait_until(lambda: a.child(name) not in (None, old), PATIENCE, f"a new {name}")
            self.serves(group)
        a.upgrade()
        self.serves(group)
        self.assert_moved(group, moment, after(time.monotonic_ns(), 300), "a")
        self.assertEqual((b.times_active(), a.times_active()), (others, own))

    def test_an_old_guardian_continues_with_programs_that_are_already_new(self):
        self.of_each_release(self.with_new_programs)


if __name__ == "__main__":
    for each in releases.releases():
        try:
            PROGRAMS[each] = releases.programs(each)
        except releases.NotAvailable as error:
            print(f"skipped: {error}")
            sys.exit(sandbox.MAY_NOT)
    main()
