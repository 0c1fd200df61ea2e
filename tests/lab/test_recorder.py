#!/usr/bin/env python3
"""The flight recorder: what a real router was told, recorded and replayed, makes the same changes of state."""
import json
import re
import subprocess

from vipdlab import probe, sandbox
from vipdlab.case import LabCase, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.processes import PATIENCE, run, wait_until

INTERVAL_MS = 100
PRIORITIES = (250, 200)


def transitions_in_events(events):
    """[("IPv4", "Backup", "Active", reason)]"""
    return [tuple(each["fields"][key] for key in ("family", "previous_state", "state", "reason")) for each in events]


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
            expected = transitions_in_events(node.events(name="state_changed", router="edge"))
            self.assertGreater(len(expected), 7)
            self.assertEqual(transitions_in_replay(replayed), expected)
            self.assertIn(f"{INTERVAL_MS}ms", replayed, "no explanation beside the changes")
            listed = json.loads(run(probe.build_directory() / "vipctl", "replay", file, "--json"))
            self.assertEqual([each["text"] for each in listed if " -> " in each["text"]], [
                f"{before} -> {after}: {why}" for _, before, after, why in expected
            ])
        self.assertTrue(a.ctl("record").startswith("recording 1\n"))

    def test_what_is_no_recording_is_refused_with_a_line_and_a_remedy(self):
        file = sandbox.WORK / "broken.recording"
        file.write_text("recording 1\n0.0 tick\n0.5 packet eth0 from=192.0.2.1\n", encoding="ascii")
        for name, wanted, data in ((file, 1, (f"{file}: line 3: ", "to=")), ("/nowhere", 2, ("/nowhere",))):
            done = subprocess.run(
                [probe.build_directory() / "vipctl", "replay", name], capture_output=True, text=True, check=False
            )
            self.assertEqual(done.returncode, wanted, done)
            for each in data:
                self.assertIn(each, done.stdout + done.stderr)

    def test_a_new_router_begins_a_new_recording_with_what_it_has_adopted(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES).start()
        a = group.daemons["a"]
        a.kill_router()
        wait_until(lambda: "adopted eth0 vrid=51" in a.ctl("record", check=False), PATIENCE, "a recording of the new one")
        self.assertIn("state=Active", a.ctl("record"))


if __name__ == "__main__":
    main()
