#!/usr/bin/env python3
"""A reload that cannot surprise: what it would do is told before, it goes back by itself, and nobody notices it."""
import json
import os
import re
import shutil
import time
import unittest.mock

from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.network import VIP4
from vipdlab.processes import wait_until

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
        wait_until(lambda: group.daemons["a"].effective_priority() == 149, 10, "a check that is down")

    def write(self, daemon, priority=None, interval="1s"):
        daemon.write(daemon.configuration(checks=CHECK.format(interval=interval), priority=priority))

    def test_what_a_reload_would_do_is_told_and_then_done(self):
        group = self.pair()
        self.ready(group)
        a, b = group.daemons["a"], group.daemons["b"]
        self.assertIn(f"nothing would change: {a.config_file} says what is in force", a.ctl("diff"))

        self.write(a, priority=120, interval="500ms")
        plan = a.ctl("diff")
        self.assertIn("virtual router edge: priority 150 -> 120", plan)
        self.assertIn("IPv4 is Active and will have priority 119", plan)
        self.assertIn("check web/ping: interval 1s -> 500ms", plan)
        self.assertIn("no client would notice this", plan)
        self.assertEqual(a.effective_priority(), 149, "diff has changed something")

        before = b.times_active()
        moment = time.monotonic_ns()
        done = a.ctl("reload")
        self.assertIn("virtual router edge: priority 150 -> 120", done)
        wait_until(lambda: a.effective_priority() == 119, 5, "the new priority")
        self.assertIn("nothing would change", a.ctl("diff"))
        self.assertEqual(self.most_lost(group, moment, after(moment, 500)), 0)
        self.assertEqual(b.times_active(), before)

    def test_a_check_that_is_down_and_takes_the_node_out_is_foretold(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        wait_until(lambda: a.status()["checks"][0]["state"] == "down", 10, "a result")
        text = a.config_file.read_text(encoding="utf-8")
        a.write(text.replace("on_failure: {priority: -1}", "on_failure: initialize"))
        self.assertNotEqual(text, a.config_file.read_text(encoding="utf-8"))
        plan = a.ctl("diff")
        self.assertIn("it is down: this node gives the addresses up at once; without a Backup nobody has them", plan)
        self.assertIn("clients may notice this", plan)
        a.write(text.replace("on_failure: {priority: -1}", "on_failure: {priority: -7}"))
        self.assertIn("it is down: that counts at once", a.ctl("diff"))

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
        self.assertIn("nothing would change", a.ctl("diff"))
        checked = a.ctl("check", a.config_file)
        self.assertIn(f"{a.config_file} (node web-a): ok", checked)
        self.assertIn(f"{a.config_file} (node web-b): ok", checked)

        more = a.directory / "conf.d"
        more.mkdir()
        self.addCleanup(shutil.rmtree, more)
        (more / "more.yaml").write_text("nodes: {web-a: {virtual_routers: {edge: {max_adopted_interval: 2s}}}}\n")
        self.assertIn("virtual router edge: max_adopted_interval 300ms -> 2s", a.ctl("diff"))
        self.assertIn("max_adopted_interval", a.ctl("reload"))
        (more / "more.yaml").write_text("virtual_routers: {edge: {vrid: 1}}\n")
        self.assertIn(f'more.yaml:1:26: error: the key "vrid" is here and in {a.config_file}:4', a.refusal("reload"))
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
        self.assertIn("nothing would change", a.ctl("diff"))
        text = a.config_file.read_text(encoding="utf-8")
        # A variable that brings in another file, and that one another variable; and one that vipd does not have.
        (a.directory / "more.yaml").write_text("{max_size: 1MiB, max_age: '${AGE:-30d}'}\n", encoding="utf-8")
        a.write(text + "events: !include ${MORE}.yaml\n")
        self.enterContext(unittest.mock.patch.dict(os.environ, {"AGE": "1d", "SECRET": "7"}))
        for arguments in (("diff",), ("diff", a.config_file)):
            plan = a.ctl(*arguments)
            self.assertIn("events: max_age 180d -> 30d", plan)
            self.assertNotIn("priority", plan)
        self.assertIn("events: max_age 180d -> 30d", a.ctl("reload"))
        a.write(text + "metrics: {listen: '127.0.0.1:${SECRET}'}\n")
        self.assertIn("there is no variable SECRET", a.refusal("diff"))

    def test_a_file_that_was_named_from_where_vipd_started_is_found_from_elsewhere(self):
        settings = RouterSettings(interval_ms=100, addresses=(VIP4,))
        there = 'cd "$(dirname "$3")" && exec "$1" "$2" "$(basename "$3")" "${@:4}"'

        def node(host, settings, priority):
            return Vipd(host, settings, priority, under=("/bin/bash", "-c", there, "bash"))

        a = self.group([node], settings, (150,)).start(settle=False).daemons["a"]
        a.wait_state("Active")
        self.assertEqual(a.status()["config_file"], str(a.config_file))
        self.assertIn("nothing would change", a.ctl("diff"))
        a.write("virtual_routers: 7\n")
        self.assertIn(f"{a.config_file}:1:18: error:", a.refusal("reload"))

    def test_a_priority_that_moves_the_address_is_foretold_by_the_backup(self):
        group = self.pair()
        self.ready(group)
        b = group.daemons["b"]
        self.write(b, priority=200)
        self.assertIn("IPv4 becomes Active with priority 199: 192.0.2.1 has priority 149", b.ctl("diff"))

        def once():
            self.write(b, priority=200)
            moment = time.monotonic_ns()
            b.ctl("reload")
            b.wait_state("Active")
            lost = self.most_lost(group, moment, after(moment, 500))
            until = time.monotonic_ns()
            self.write(b, priority=100)
            b.ctl("reload")
            b.wait_state("Backup")
            return lost, moment, until

        self.measure(group, "datagrams lost as a reload moves the address", once, 0, repetitions=3, of=max)

    def test_a_reload_that_nobody_confirms_goes_back_by_itself(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        self.write(a, priority=120)
        self.assertIn('; without "vipctl confirm" it goes back in 2s', a.ctl("reload", "--confirm", "2s"))
        wait_until(lambda: a.effective_priority() == 119, 5, "the new priority")
        for command in ("status", "diff"):
            self.assertRegex(a.ctl(command), r"a reload waits to be confirmed: in [0-9.]+ s it goes back to what was")
        self.assertIn(
            'a reload waits to be confirmed, and would not go back by itself any more: "vipctl confirm" first',
            a.refusal("upgrade"),
        )
        wait_until(lambda: a.effective_priority() == 149, 5, "the priority of before")
        self.assertIn("the reload was not confirmed, back to the configuration before it: ", a.log())
        self.assertIn("priority 150 -> 120", a.ctl("diff"), "the file has been left alone")
        self.assertRegex(a.ctl("events"), r"command configuration by user 0 \(pid \d+\): done")
        self.assertIn("no reload waits to be confirmed", a.refusal("confirm"))
        self.assertNotIn("waits to be confirmed", a.ctl("status"))

        a.ctl("reload", "--confirm", "2s")
        self.assertIn("confirmed", a.ctl("confirm"))
        wait_until(lambda: "waits to be confirmed" not in a.ctl("status"), 5, "nothing waits")
        time.sleep(3)
        self.assertEqual(a.effective_priority(), 119)

    def test_a_reload_without_confirm_confirms_the_one_before_and_says_so(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        self.write(a, priority=120)
        a.ctl("reload", "--confirm", "2s")
        self.assertIn(
            "nothing has changed; it confirms the reload before, which does not go back any more", a.ctl("reload")
        )
        time.sleep(3)
        self.assertEqual(a.effective_priority(), 119)
        self.assertNotIn("it confirms", a.ctl("reload"))
        self.assertIn("; it confirms the reload before", a.ctl("events"))

    def test_a_file_with_an_error_changes_nothing_and_is_explained(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        a.write(a.configuration(priority=120).replace("vrid: 51", "vrid: 510"))
        for command in ("diff", "reload"):
            text = a.refusal(command)
            self.assertIn("vipd.yaml:4:", text)
            self.assertIn("it must be 1 to 255", text)
        self.assertEqual(a.effective_priority(), 149)
        self.assertIn("confirm is 2h, it must be 1s to 1h", a.refusal("reload", "--confirm", "2h"))
        wait_until(
            lambda: re.search(r"reload by user 0 \(pid \d+\): refused: confirm is 2h, it must be", a.log()), 5, "an event"
        )

    def test_an_interface_that_is_not_there_is_told_before_and_after(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        a.write(a.configuration(priority=150).replace("interface: eth0", "interface: nope0"))
        what = "virtual router edge: there is no interface nope0 here, and it takes no part until there is one"
        self.assertIn(what, a.ctl("diff"))
        self.assertEqual(json.loads(a.ctl("diff", "--json"))["missing"], [what])
        self.assertIn(what, a.ctl("reload"))
        group.daemons["b"].wait_state("Active")
        for each in a.routers():
            self.assertEqual(each["lease"]["on"], False)

    def test_a_reload_that_changes_nothing_waits_for_no_confirmation(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        self.assertIn("nothing has changed, and nothing is to be confirmed", a.ctl("reload", "--confirm", "1s"))
        time.sleep(1.5)
        self.assertNotIn("was not confirmed", a.log())
        self.assertIn("no reload waits to be confirmed", a.refusal("confirm"))

    def test_what_a_file_warns_of_is_told_with_what_was_done(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        self.assertNotIn("warning", a.ctl("reload"))
        a.write(a.configuration(options={"link_local": "derive"}))
        for command in ("diff", "reload"):
            self.assertIn("warning: link_local has no effect: no IPv6 address is listed", a.ctl(command, check=False))

    def test_programs_get_the_plan_as_json(self):
        group = self.pair()
        self.ready(group)
        a = group.daemons["a"]
        other = a.directory / "other.yaml"
        other.write_text(a.configuration().replace("vrid: 51", "vrid: 52"), encoding="utf-8")
        self.assertIn("clients may notice this", a.ctl("diff", str(other)))
        plan = json.loads(a.ctl("diff", str(other), "--json"))
        self.assertTrue(plan["interrupts"])
        self.assertIn(("virtual router edge", "vrid"), [(each["subject"], each["key"]) for each in plan["changes"]])


if __name__ == "__main__":
    main()
