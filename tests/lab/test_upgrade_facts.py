#!/usr/bin/env python3
"""vipctl upgrade: a version that cannot take over is refused, and nothing changes; afterwards everything works as before.
That nobody notices it: test_upgrade.py."""
import functools
import time

from vipdlab.case import LabCase, after, main
from vipdlab.daemons import OwnVipd, RouterSettings, Vipd
from vipdlab.network import VIP4, VIP6
from vipdlab.processes import PATIENCE, wait_until

CHECK = """
alive:
  script: [/bin/sleep, "0.01"]
  user: root
  interval: 100ms
"""


class Upgrade(LabCase):
    def pair(self, checks=None):
        settings = RouterSettings(interval_ms=100, addresses=(VIP4, VIP6))
        return self.group([functools.partial(OwnVipd, checks=checks), Vipd], settings, (250, 200)).start()

    def test_a_new_version_that_cannot_take_over_is_refused_and_nothing_changes(self):
        group = self.pair()
        a = group.daemons["a"]
        programs = a.programs()
        # What is installed, and the data of it that the refusal must name.
        cases = [
            ("vipd", b"#!/bin/sh\nexit 127\n", "127"),
            ("vipd", b"no program", str(a.own / "vipd")),
            ("vipd", b"#!/bin/sh\necho 'format 9, this version knows 1' >&2; exit 1\n", "format 9"),
            ("vipd", b"#!/bin/sh\nsleep 60\n", "8 s"),
            ("vipd-router", b"#!/bin/sh\nexit 1\n", "vipd-router"),
            ("vipd-router", b"#!/bin/sh\necho vipd-router 0.0.1\n", "0.0.1"),
        ]
        moment = time.monotonic_ns()
        for name, content, data in cases:
            with self.subTest(data):
                a.install(name, content)
                mark = a.mark()
                try:
                    self.assertIn(data, a.refusal("upgrade"))
                    a.wait_event(mark, "upgrade_refused", data=[data])
                finally:
                    a.install(name)
        self.assertEqual(a.programs(), programs)
        group.settle("a")
        self.assert_moved(group, moment, after(time.monotonic_ns(), 300), "a")
        mark = a.mark()
        answer = a.upgrade()
        self.assertEqual(answer["version"], answer["version_before"])
        a.wait_event(mark, "upgraded", data=[answer["version"]])

    def test_after_an_upgrade_it_stops_reloads_and_recovers_as_before(self):
        group = self.pair(CHECK)
        a, b = group.daemons["a"], group.daemons["b"]
        a.upgrade()
        a.config_file.write_text(a.config_file.read_text().replace("priority: 250", "priority: 240"))
        a.ctl("reload")
        wait_until(lambda: a.effective_priority() == 240, PATIENCE, "the new priority")
        group.settle("a")
        old = a.child("vipd-router")
        a.kill_router()
        wait_until(lambda: a.child("vipd-router") not in (None, old), PATIENCE, "a new router process")
        group.settle("a")
        moment = a.stop()
        b.wait_state("Active")
        self.assert_moved(group, moment, after(moment, 500), "a", "b")
        self.assertFalse(group.host("a").addresses() & {VIP4, VIP6})
        a.start()
        group.settle("a")


if __name__ == "__main__":
    main()
