#!/usr/bin/env python3
"""A reload that cannot surprise: vipctl diff shows what it would do, and without a confirmation it rolls back. That no
client notices it: test_unnoticed.py."""
import json
import os
import shutil
import time
import unittest.mock

from vipdlab.case import LabCase, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.network import VIP4
from vipdlab.processes import PATIENCE, wait_until

CHECK = "ping: {{tcp: \"127.0.0.1:7\", interval: {interval}, fall: 2, on_failure: {{priority: -1}}}}"


def vipd(host, settings, priority):
    return Vipd(host, settings, priority, checks=CHECK.format(interval="1s"))


class Reload(LabCase):
    def pair(self):
        settings = RouterSettings(interval_ms=100, addresses=(VIP4,))
        return self.group([vipd, vipd], settings, (150, 100)).start(settle=False)

    def ready(self, group):
        """Nothing listens at port 7: both checks are down, and the order stays."""
        for name, state in (("a", "Active"), ("b", "Backup")):
            group.daemons[name].wait_state(state)
        wait_until(lambda: group.daemons["a"].effective_priority() == 149, PATIENCE, "a check that is down")

    def write(self, daemon, priority=None, interval="1s"):
        daemon.write(daemon.configuration(checks=CHECK.format(interval=interval), priority=priority))

    def test_what_a_reload_would_do_is_told_and_then_done(self):
        group = self.pair()
        self.ready(group)
        a, b = group.daemons["a"], group.daemons["b"]
        plan, changes = a.plan()
        self.assertEqual((plan["file"], changes), (str(a.config_file), {}))

        self.write(a, priority=120, interval="500ms")
        plan, changes = a.plan()
        wanted = {("virtual router edge", "priority"): ("150", "120"), ("check web/ping", "interval"): ("1s", "500ms")}
        self.assertEqual(changes, wanted)
        prospects = [text for each in plan["changes"] for text in each["prospects"]]
        self.assertEqual(len(prospects), 1)
        for word in ("IPv4", "Active", "119"):
            self.assertIn(word, prospects[0])
        self.assertFalse(plan["interrupts"])
        self.assertEqual(a.effective_priority(), 149, "diff has changed something")

        before = b.times_active()
        mark = a.mark()
        done = a.ctl("reload")
        wait_until(lambda: a.effective_priority() == 119, PATIENCE, "the new priority")
        told = a.wait_event(mark, "reloaded")["text"]
        for (subject, key), (old, new) in wanted.items():
            for word in (subject, key, old, new):
                self.assertIn(word, done)
                self.assertIn(word, told)
        self.assertEqual(a.plan()[1], {})
        self.assertEqual(b.times_active(), before)

    def test_a_check_that_is_down_and_takes_the_node_out_is_foretold(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        wait_until(lambda: a.status()["checks"][0]["state"] == "down", PATIENCE, "a result")
        text = a.config_file.read_text(encoding="utf-8")
        a.write(text.replace("on_failure: {priority: -1}", "on_failure: initialize"))
        self.assertNotEqual(text, a.config_file.read_text(encoding="utf-8"))
        plan, changes = a.plan()
        self.assertEqual(changes["check web/ping", "on_failure"][1], "initialize")
        self.assertTrue(plan["interrupts"])
        grave = plan["changes"][0]["prospects"]
        a.write(text.replace("on_failure: {priority: -1}", "on_failure: {priority: -7}"))
        plan, _ = a.plan()
        self.assertFalse(plan["interrupts"])
        # There is one prospect again, and another one.
        self.assertEqual((len(grave), len(plan["changes"][0]["prospects"])), (1, 1))
        self.assertNotEqual(grave, plan["changes"][0]["prospects"])

    def test_one_file_serves_both_nodes_and_a_second_one_adds_to_it(self):
        settings = RouterSettings(interval_ms=100, addresses=(VIP4,))

        def node(host, settings, priority):
            own = Vipd(host, settings, priority, arguments=("--node", f"web-{host.name}"))
            common = own.configuration().replace(f"priority: {priority}", "priority: ${PRIORITY}")
            own.write(common + "nodes: {web-a: {vars: {PRIORITY: 150}}, web-b: {vars: {PRIORITY: 100}}}\n")
            return own

        group = self.group([node, node], settings, (150, 100)).start(settle=False)
        a, b = group.daemons["a"], group.daemons["b"]
        for daemon, state in ((a, "Active"), (b, "Backup")):
            daemon.wait_state(state)
        self.assertEqual((a.effective_priority(), b.effective_priority()), (150, 100))
        self.assertEqual(a.plan()[1], {})
        checked = a.ctl("check", a.config_file).splitlines()
        for node in ("web-a", "web-b"):
            self.assertTrue([line for line in checked if str(a.config_file) in line and node in line], checked)

        more = a.directory / "conf.d"
        more.mkdir()
        self.addCleanup(shutil.rmtree, more)
        (more / "more.yaml").write_text("nodes: {web-a: {virtual_routers: {edge: {max_adopted_interval: 2s}}}}\n")
        changed = {("virtual router edge", "max_adopted_interval"): ("300ms", "2s")}
        self.assertEqual(a.plan()[1], changed)
        self.assertIn("max_adopted_interval", a.ctl("reload"))
        (more / "more.yaml").write_text("virtual_routers: {edge: {vrid: 1}}\n")
        refusal = a.refusal("reload")
        for each in ("more.yaml:1:26: error:", '"vrid"', f"{a.config_file}:4"):
            self.assertIn(each, refusal)
        self.assertEqual(a.effective_priority(), 150)

    def test_the_plan_has_the_variables_of_vipd_not_those_of_who_asks(self):
        settings = RouterSettings(interval_ms=100, addresses=(VIP4,))

        def node(host, settings, priority):
            own = Vipd(host, settings, priority, under=("/usr/bin/env", "PRIORITY=150", "MORE=more"))
            own.write(own.configuration().replace(f"priority: {priority}", "priority: ${PRIORITY}"))
            return own

        self.enterContext(unittest.mock.patch.dict(os.environ, {"PRIORITY": "10"}))
        a = self.group([node], settings, (150,)).start(settle=False).daemons["a"]
        a.wait_state("Active")
        self.assertEqual(a.plan()[1], {})
        text = a.config_file.read_text(encoding="utf-8")
        # A variable that brings in another file, and that one another variable; and one that vipd does not have.
        (a.directory / "more.yaml").write_text("{max_size: 1MiB, max_age: '${AGE:-30d}'}\n", encoding="utf-8")
        a.write(text + "events: !include ${MORE}.yaml\n")
        self.enterContext(unittest.mock.patch.dict(os.environ, {"AGE": "1d", "SECRET": "7"}))
        for arguments in ((), (a.config_file,)):
            _, changes = a.plan(*arguments)
            self.assertEqual(changes["events", "max_age"], ("180d", "30d"))
            self.assertNotIn("priority", [key for _, key in changes])
        self.assertIn("max_age", a.ctl("reload"))
        a.write(text + "metrics: {listen: '127.0.0.1:${SECRET}'}\n")
        refusal = json.loads(a.refusal("diff", "--json"))
        self.assertTrue([each for each in refusal["diagnostics"] if "SECRET" in each["message"]], refusal)

    def test_a_file_that_was_named_from_where_vipd_started_is_found_from_elsewhere(self):
        settings = RouterSettings(interval_ms=100, addresses=(VIP4,))
        there = 'cd "$(dirname "$3")" && exec "$1" "$2" "$(basename "$3")" "${@:4}"'

        def node(host, settings, priority):
            return Vipd(host, settings, priority, under=("/bin/bash", "-c", there, "bash"))

        a = self.group([node], settings, (150,)).start(settle=False).daemons["a"]
        a.wait_state("Active")
        self.assertEqual(a.status()["config_file"], str(a.config_file))
        self.assertEqual(a.plan()[1], {})
        a.write("virtual_routers: 7\n")
        self.assertIn(f"{a.config_file}:1:18: error:", a.refusal("reload"))

    def test_a_reload_that_nobody_confirms_goes_back_by_itself(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        self.write(a, priority=120)
        mark = a.mark()
        self.assertIn("2 s", a.ctl("reload", "--confirm", "2s"))
        wait_until(lambda: a.effective_priority() == 119, PATIENCE, "the new priority")
        # Legal: these come while the reload waits for its confirmation, and then the upgrade is refused; or the machine is
        # slow, and the reload has rolled back already.
        for answer in (a.status(), a.plan()[0]):
            if answer["goes_back_in_s"] is not None:
                self.assertLessEqual(answer["goes_back_in_s"], 2)
        self.assertTrue(a.events(mark, "upgrade_refused") if a.vipctl("upgrade")[0] else a.events(mark, "reload_undone"))
        a.wait_event(mark, "reload_undone", data=["priority"], severity="P1")
        wait_until(lambda: a.effective_priority() == 149, PATIENCE, "the priority of before")
        plan, changes = a.plan()
        self.assertEqual(changes["virtual router edge", "priority"], ("150", "120"), "the file has been left alone")
        self.assertIsNone(plan["goes_back_in_s"])
        self.assertIsNone(a.status()["goes_back_in_s"])
        self.assertTrue(a.events(mark, "command", data=["configuration"]), "who reads the configuration is told")
        a.refusal("confirm")

    def test_a_reload_that_is_confirmed_stays(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        self.write(a, priority=120)
        mark = a.mark()
        a.ctl("reload", "--confirm", "5s")
        self.assertIsNotNone(a.status()["goes_back_in_s"])
        a.refusal("upgrade")
        a.ctl("confirm")
        a.wait_event(mark, "reload_confirmed")
        self.assertIsNone(a.status()["goes_back_in_s"])
        a.refusal("confirm")
        time.sleep(5)
        self.assertEqual(a.effective_priority(), 119)
        self.assertEqual(a.events(mark, "reload_undone"), [])

    def test_a_reload_without_confirm_confirms_the_one_before_and_says_so(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        self.write(a, priority=120)
        mark = a.mark()
        a.ctl("reload", "--confirm", "5s")
        self.assertIsNotNone(a.status()["goes_back_in_s"])
        first = a.ctl("reload")
        self.assertIsNone(a.status()["goes_back_in_s"])
        self.assertNotEqual(a.ctl("reload"), first, "the third one has nothing to confirm, and says something else")
        time.sleep(5)
        self.assertEqual(a.effective_priority(), 119)
        self.assertEqual(a.events(mark, "reload_undone"), [])
        told = [each["text"] for each in a.events(mark, "reloaded")]
        self.assertEqual(len(set(told)), 3, told)

    def test_a_file_with_an_error_changes_nothing_and_is_explained(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        a.write(a.configuration(priority=120).replace("vrid: 51", "vrid: 510"))
        for command in ("diff", "reload"):
            text = a.refusal(command)
            for each in (f"{a.config_file}:4:", "vrid", "510"):
                self.assertIn(each, text)
        self.assertEqual(a.effective_priority(), 149)
        mark = a.mark()
        text = a.refusal("reload", "--confirm", "2h")
        for each in ("confirm", "2h", "1s", "1h"):
            self.assertIn(each, text)
        a.wait_event(mark, "command_refused", data=["reload", "confirm", "2h"])

    def test_an_interface_that_is_not_there_is_told_before_and_after(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        a.write(a.configuration(priority=150).replace("interface: eth0", "interface: nope0"))
        (missing,) = a.plan()[0]["missing"]
        self.assertIn("edge", missing)
        self.assertIn("nope0", missing)
        self.assertIn(missing, a.ctl("diff"))
        self.assertIn(missing, a.ctl("reload"))
        group.daemons["b"].wait_state("Active")
        for each in a.routers():
            self.assertEqual(each["lease"]["on"], False)

    def test_a_reload_that_changes_nothing_waits_for_no_confirmation(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        mark = a.mark()
        a.ctl("reload", "--confirm", "1s")
        self.assertIsNone(a.status()["goes_back_in_s"])
        a.refusal("confirm")
        time.sleep(1.5)
        self.assertEqual(a.events(mark, "reload_undone"), [])

    def test_what_a_file_warns_of_is_told_with_what_was_done(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        self.assertNotIn("warning", a.ctl("reload"))
        a.write(a.configuration(options={"link_local": "derive"}))
        for command in ("diff", "reload"):
            self.assertIn("warning: link_local", a.ctl(command, check=False))

    def test_programs_get_the_plan_as_json(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        other = a.directory / "other.yaml"
        other.write_text(a.configuration().replace("vrid: 51", "vrid: 52"), encoding="utf-8")
        plan, changes = a.plan(other)
        self.assertTrue(plan["interrupts"])
        self.assertEqual(plan["file"], str(other))
        self.assertEqual(changes["virtual router edge", "vrid"], ("51", "52"))


if __name__ == "__main__":
    main()
