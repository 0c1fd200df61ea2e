#!/usr/bin/env python3
"""The flight recorder: what a real router was told, recorded and replayed, makes the same changes of state."""
import json
import re
import time

from vipdlab import probe, sandbox
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.processes import run, wait_until

INTERVAL_MS = 100
PRIORITIES = (250, 200)


def transitions_in_log(text):
    """[("IPv4", "Backup", "Active", reason)] of the router's log."""
    return re.findall(
        r"edge, VRID 51 on eth0 \((IPv[46])\): (\w+) -> (\w+) \(priority \d+\): (.*)", text.replace("\r", "")
    )


def transitions_in_replay(text):
    return re.findall(r"edge/(IPv[46]) (\w+) -> (\w+): (.*)", text)


class Recorder(LabCase):
    def test_a_recording_replayed_makes_the_same_changes_of_state_for_the_same_reasons(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES)
        group.start()
        a, b = group.daemons["a"], group.daemons["b"]
        group.network.cut_silently(group.host("a"))
        group.settle("b", aside=("a",))
        group.network.heal_silently(group.host("a"))
        group.settle("a")
        a.switch()
        group.settle("b")
        a.ctl("switch", "edge", "--back")
        group.settle("a")
        group.network.cut(group.host("a"))
        group.settle("b", aside=("a",))
        a.wait_state("Initialize")
        group.network.heal(group.host("a"))
        group.settle("a")
        for node in (a, b):
            file = sandbox.WORK / f"{node.host.name}.recording"
            node.ctl("record", "--output", file)
            replayed = run(probe.build_directory() / "vipctl", "replay", file)
            expected = transitions_in_log(node.said())
            self.assertGreater(len(expected), 7)
            self.assertEqual(transitions_in_replay(replayed), expected)
            self.assertIn("| It advertises every 100ms", replayed)
            listed = json.loads(run(probe.build_directory() / "vipctl", "replay", file, "--json"))
            self.assertEqual([each["text"] for each in listed if " -> " in each["text"]], [
                f"{before} -> {after}: {why}" for _, before, after, why in expected
            ])
        self.assertTrue(a.ctl("record").startswith("recording 1\n"))

    def test_a_recording_at_10_ms_is_made_without_a_late_advertisement(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=10), PRIORITIES, udp_rate=100)
        group.start()
        a, b = group.daemons["a"], group.daemons["b"]
        for _ in range(5):
            before, since = b.times_active(), time.monotonic_ns()
            after(since, 3000)
            for _ in range(20):
                text = a.ctl("record")
            self.assertGreater(text.count(" tick\n"), 100)
            # Two intervals in which nothing at all ran are the machine's.
            stall = group.observer.longest_stall(since, time.monotonic_ns())
            if b.times_active() == before or stall < 20:
                break
        self.assertEqual(b.times_active(), before, f"b took over: an advertisement was late ({stall=:.1f} ms)")

    def test_what_is_no_recording_is_refused_with_a_line_and_a_remedy(self):
        file = sandbox.WORK / "broken.recording"
        file.write_text("recording 1\n0.0 tick\n0.5 packet eth0 from=192.0.2.1\n", encoding="ascii")
        said = run(probe.build_directory() / "vipctl", "replay", file, check=False)
        self.assertEqual(said, f"{file}: line 3: to is missing: write to=...\n")
        self.assertIn("reading", run(probe.build_directory() / "vipctl", "replay", "/nowhere", check=False))

    def test_a_new_router_begins_a_new_recording_with_what_it_has_adopted(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES).start()
        a = group.daemons["a"]
        a.kill_router()
        wait_until(lambda: "adopted eth0 vrid=51" in a.ctl("record", check=False), 10, "a recording of the new one")
        self.assertIn("state=Active", a.ctl("record"))


if __name__ == "__main__":
    main()
