#!/usr/bin/env python3
"""vipctl upgrade: the running program is replaced by the installed one, and nobody notices."""
# timed: the longest gap between advertisements, and datagrams that are lost
import json
import os
import shutil
import time

from vipdlab import packets, probe, sandbox
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.network import VIP4, VIP6
from vipdlab.processes import wait_until

PRIORITIES = (250, 200)
# How often it is done in the loop; the figure in the manual is of fifty.
LOOPS = int(os.environ.get("VIPD_LAB_LOOPS", "8"))
CHECK = """
alive:
  script: [/bin/sleep, "0.01"]
  user: root
  interval: 100ms
"""


class Upgrade(LabCase):
    def pair(self, interval_ms, checks=None):
        settings = RouterSettings(interval_ms=interval_ms, addresses=(VIP4, VIP6))

        def own(host, settings, priority):
            """vipd from programs that the test may exchange."""
            self.programs = sandbox.WORK / "programs"
            shutil.rmtree(self.programs, ignore_errors=True)
            self.programs.mkdir()
            build = probe.build_directory()
            for name in ("vipd", "vipd-router", "vipd-monitor", "vipctl"):
                shutil.copy2(build / name, self.programs / name)
            daemon = Vipd(host, settings, priority, checks=checks)
            arguments = daemon.process.arguments
            arguments[arguments.index(str(build / "vipd"))] = str(self.programs / "vipd")
            return daemon

        return self.group([own, Vipd], settings, PRIORITIES).start()

    def install_anew(self):
        """As a package does: other files in the place of the old ones."""
        build = probe.build_directory()
        for name in ("vipd", "vipd-router", "vipd-monitor", "vipctl"):
            shutil.copy2(build / name, self.programs / f"{name}.new")
            (self.programs / f"{name}.new").rename(self.programs / name)

    def upgraded_again_and_again(self, interval_ms):
        group = self.pair(interval_ms, CHECK)
        a, b = group.daemons["a"], group.daemons["b"]
        before = b.times_active()
        since = a.times_active()

        def once():
            capture = packets.Capture(group.network.observer)
            moment = time.monotonic_ns()
            for _ in range(LOOPS):
                programs = a.programs()
                self.install_anew()
                answer = json.loads(a.ctl("upgrade", "--json"))
                self.assertEqual(answer["changed"], [])
                now = a.programs()
                self.assertEqual(now["guardian"], programs["guardian"])
                self.assertNotEqual(now["router"], programs["router"])
                self.assertNotEqual(now["monitor"], programs["monitor"])
            until = after(moment, max(6 * interval_ms, (time.monotonic_ns() - moment) / 1e6 + 300))
            capture.stop()
            self.assert_moved(group, moment, until, "a")
            gap, lost = self.longest_gap_ms(capture, group.host("a")), self.most_lost(group, moment, until)
            print(f"    longest gap between advertisements {gap:.1f} ms, {lost} datagrams lost", flush=True)
            return max(gap / interval_ms, 1.5 + lost if lost else 0), moment, until

        what = f"{LOOPS} upgrades at {interval_ms} ms: longest gap, in intervals"
        self.measure(group, what, once, 1.5 + 10 / interval_ms, 1, of=max)
        self.assertEqual(b.times_active(), before, "the peer has taken over in between")
        self.assertEqual(a.times_active(), since, "it has become Active anew")
        self.assertEqual(a.status()["programs"]["router"]["restarts"], 0, "an upgrade is no failure")
        group.close()

    def test_nobody_notices_an_upgrade_at_100_ms(self):
        self.upgraded_again_and_again(100)

    def test_nobody_notices_an_upgrade_at_1_s(self):
        self.upgraded_again_and_again(1000)

    def test_a_new_version_that_cannot_take_over_is_refused_and_nothing_changes(self):
        group = self.pair(100)
        a = group.daemons["a"]
        programs = a.programs()
        build = probe.build_directory()
        good = {name: (build / name).read_bytes() for name in ("vipd", "vipd-router")}

        def install(name, content):
            new = self.programs / "new"
            new.write_bytes(content)
            new.chmod(0o755)
            new.rename(self.programs / name)

        # What is installed, and the data of it that the refusal must name.
        cases = [
            ("vipd", b"#!/bin/sh\nexit 127\n", "127"),
            ("vipd", b"no program", str(self.programs / "vipd")),
            ("vipd", b"#!/bin/sh\necho 'format 9, this version knows 1' >&2; exit 1\n", "format 9"),
            ("vipd", b"#!/bin/sh\nsleep 60\n", "8s"),
            ("vipd-router", b"#!/bin/sh\nexit 1\n", "vipd-router"),
            ("vipd-router", b"#!/bin/sh\necho vipd-router 0.0.1\n", "0.0.1"),
        ]
        moment = time.monotonic_ns()
        for name, content, data in cases:
            with self.subTest(data):
                install(name, content)
                mark = a.mark()
                self.assertIn(data, a.refusal("upgrade"))
                a.wait_event(mark, "upgrade_refused", data=[data])
                install(name, good[name])
        self.assertEqual(a.programs(), programs)
        group.settle("a")
        self.assert_moved(group, moment, after(time.monotonic_ns(), 300), "a")
        mark = a.mark()
        answer = json.loads(a.ctl("upgrade", "--json"))
        self.assertEqual(answer["version"], answer["version_before"])
        a.wait_event(mark, "upgraded", data=[answer["version"]])

    def test_after_an_upgrade_it_stops_reloads_and_recovers_as_before(self):
        group = self.pair(100, CHECK)
        a, b = group.daemons["a"], group.daemons["b"]
        a.ctl("upgrade")
        a.config_file.write_text(a.config_file.read_text().replace("priority: 250", "priority: 240"))
        a.ctl("reload")
        wait_until(lambda: a.effective_priority() == 240, 5, "the new priority")
        group.settle("a")
        old = a.child("vipd-router")
        a.kill_router()
        wait_until(lambda: a.child("vipd-router") not in (None, old), 10, "a new router process")
        group.settle("a")
        moment = a.stop()
        b.wait_state("Active")
        self.assert_moved(group, moment, after(moment, 500), "a", "b")
        self.assertFalse(group.host("a").addresses() & {VIP4, VIP6})
        a.start()
        group.settle("a")


if __name__ == "__main__":
    main()
