#!/usr/bin/env python3
"""The life of the Debian package under a real systemd: from the README's four commands to the purge, on two nodes.

    life.py [PACKAGE.deb] [-v] [-k PATTERN]     the package of build-package/deb by default; needs root

Each node is a clean Debian (machine.py). A client asks their nginx through the virtual address all the time. The tests
are chapters of one story, so a single one of them (-k) may not find what it builds on.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import machine
from machine import run, wait_until

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parents[1]
ADDRESS = "192.0.2.10"
NODES = {"node-a": "192.0.2.1/24", "node-b": "192.0.2.2/24"}
SYS_RESOURCE = 24


def the_package():
    found = sorted((TREE / "build-package/deb").glob("vipd_*.deb"))
    return found[-1] if found else None


def with_version(package, version, directory):
    """The same package with another version number."""
    place = pathlib.Path(directory)
    run("dpkg-deb", "-R", package, place / "tree")
    control = place / "tree/DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()), encoding="utf-8")
    run("dpkg-deb", "--root-owner-group", "-b", place / "tree", place)
    shutil.rmtree(place / "tree")
    return next(place.glob(f"vipd_{version}_*.deb"))


def commands_of_the_readme():
    """The lines of the first block below the heading, without what is a comment in them."""
    text = (TREE / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## A pair in four commands") :]
    block = re.search(r"(?m)(?:^    .*\n)+", section)[0]
    return [re.sub(r"\s+#.*$", "", line.strip()) for line in block.splitlines()]


class Story(unittest.TestCase):
    """Two nodes and a client, and what they can be asked."""

    package = None

    @classmethod
    def setUpClass(cls):
        layers = tempfile.mkdtemp(prefix="vipd-life-", dir="/var/tmp")
        cls.addClassCleanup(shutil.rmtree, layers, ignore_errors=True)
        root = run(HERE / "root", "path", cls.package).stdout.strip()
        machine.Network(client="192.0.2.100/24", **NODES)
        cls.nodes = {}
        for name in NODES:
            node = machine.Machine(name, root, layers)
            cls.addClassCleanup(node.close)
            shutil.copy(cls.package, node.root / "root")
            cls.nodes[name] = node
        cls.a, cls.b = cls.nodes.values()
        cls.client = machine.Client("client", ADDRESS)
        cls.addClassCleanup(cls.client.close)

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for name, node in self.nodes.items():
                print(f"--- {name}\n{node.journal()}", file=sys.stderr)
        return result

    def status(self, node):
        return json.loads(node.say("vipctl", "status", "--json"))

    def state(self, node):
        done = node("vipctl", "status", "--json", check=False)
        return json.loads(done.stdout)["routers"][0]["state"] if done.returncode == 0 else None

    def settle(self, active="node-a"):
        """The pair is whole again, the client is served by this node, and all is well with both."""
        for name, node in self.nodes.items():
            wanted = "Active" if name == active else "Backup"
            wait_until(lambda node=node, wanted=wanted: self.state(node) == wanted, 20, f"{name} is {wanted}")
        wait_until(lambda: self.client.last() == active, 10, lambda: f"the client is served by {active}, not by {self.client.last()}")
        time.sleep(0.3)

    def main_pid(self, node):
        return int(node.property("vipd", "MainPID"))


class Life(Story):
    def test_01_the_four_commands_of_the_readme_make_a_pair_that_serves(self):
        commands = commands_of_the_readme()
        self.assertEqual(len(commands), 4, commands)
        for name, node in self.nodes.items():
            for command in commands:
                done = node.shell(command.replace("pair-node-a", f"pair-{name}"))
            self.assertRegex(done.stdout, "edge", "the last one shows the status")
        self.settle()
        self.assertIn(f" {ADDRESS}/24", self.a.addresses())
        self.assertNotIn(f" {ADDRESS}/24", self.b.addresses())

    def test_02_it_starts_with_the_machine(self):
        self.assertEqual(self.a.say("systemctl", "is-enabled", "vipd"), "enabled")

    def test_03_confined_as_it_is_everything_works(self):
        self.assertEqual(self.a.say("stat", "-c", "%U:%G %a", "/run/vipd/control"), "root:vipd 660")
        self.assertEqual(self.a.say("stat", "-c", "%U:%G %a", "/var/lib/vipd"), "root:root 755")
        self.assertEqual(self.a.say("cat", "/proc/sys/net/ipv4/conf/eth0/promote_secondaries"), "1")
        programs = self.a.say("ps", "-C", "vipd,vipd-router,vipd-monitor", "-o", "user=,comm=").split("\n")
        self.assertEqual(
            sorted(line.split() for line in programs),
            [["root", "vipd"], ["vipd", "vipd-monitor"], ["vipd", "vipd-router"]],
        )
        said = self.a.journal()
        if not machine.has_capability(SYS_RESOURCE):  # then no container of this machine has it
            said = re.sub("memory cannot be locked.*", "", said)
        self.assertNotRegex(said, "(?i)error|warning|not permitted")
        filters = self.a.say("tc", "filter", "show", "dev", "eth0", "ingress")
        self.assertIn("vipd", filters, f"the lease is attached\n{json.dumps(self.status(self.a), indent=1)}")
        self.assertRegex(self.a.property("vipd", "StatusText"), "^serving 1 virtual router")

    def test_04_a_reload_takes_effect_and_nobody_notices(self):
        since = time.monotonic()
        before = self.main_pid(self.a)
        self.a.shell("sed -i 's/priority: 250/priority: 240/' /etc/vipd/vipd.yaml && systemctl reload vipd")
        wait_until(lambda: self.status(self.a)["routers"][0]["priority"] == 240, 5, "the new priority is in force")
        self.assertEqual(self.main_pid(self.a), before)
        self.assertEqual(self.client.failed(since), 0)

    def test_05_a_reload_with_an_error_fails_says_why_and_changes_nothing(self):
        since = time.monotonic()
        self.a.shell("cp /etc/vipd/vipd.yaml good.yaml; sed -i 's/vrid: 51/vrid: 510/' /etc/vipd/vipd.yaml")
        done = self.a("systemctl", "reload", "vipd", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("vrid", self.a.journal())
        self.assertEqual(self.a.property("vipd", "ActiveState"), "active")
        status = self.a.property("vipd", "StatusText")
        self.assertRegex(status, "^the last reload was refused; serving 1 virtual router")
        self.a.shell("cp good.yaml /etc/vipd/vipd.yaml && systemctl reload vipd")
        self.assertRegex(self.a.property("vipd", "StatusText"), "^serving")
        self.assertEqual(self.state(self.a), "Active")
        self.assertEqual(self.client.failed(since), 0)

    def test_06_a_restart_hands_over_and_takes_back_without_a_failed_request(self):
        drop_in = "mkdir -p /run/systemd/system/vipd.service.d && printf '[Service]\\nWatchdogSec=3\\n' >/run/systemd/system/vipd.service.d/test.conf"
        for node in (self.a, self.b):
            node.shell(f"{drop_in} && systemctl daemon-reload")
        since = time.monotonic()
        self.a("systemctl", "restart", "vipd")
        wait_until(lambda: "node-b" in {who for _, who in self.client.answers(since)}, 10, "node b has served")
        self.settle()
        self.assertEqual(self.client.failed(since), 0, self.client.outage(since))

    def test_07_it_outlives_a_new_systemd_and_goes_on_telling_it_that_it_lives(self):
        before = self.main_pid(self.a)
        self.a("systemctl", "daemon-reexec")
        time.sleep(7)  # more than two watchdogs of 3 s
        self.assertEqual(self.main_pid(self.a), before)
        self.assertEqual(self.a.property("vipd", "NRestarts"), "0")
        self.assertEqual(self.a.property("vipd", "WatchdogUSec"), "3s")
        self.a("systemctl", "reload", "vipd")
        self.assertEqual(self.a.property("vipd", "ActiveState"), "active")

    def test_08_an_upgrade_keeps_the_configuration_and_nobody_notices(self):
        self.a.shell("echo '#mine' >>/etc/default/vipd")
        configuration = self.a.shell("cat /etc/vipd/vipd.yaml /etc/default/vipd").stdout
        before, programs = self.main_pid(self.a), self.status(self.a)["programs"]
        since = time.monotonic()
        with tempfile.TemporaryDirectory() as directory:
            shutil.copy(with_version(self.package, "9.9.9-1", directory), self.a.root / "root/next.deb")
        said = self.a("apt-get", "install", "-y", "./next.deb").stdout
        self.assertRegex(said, "has taken over from")
        after = self.status(self.a)["programs"]
        self.assertEqual(self.main_pid(self.a), before)
        self.assertNotEqual(after["router"]["pid"], programs["router"]["pid"])
        self.assertNotEqual(after["monitor"]["pid"], programs["monitor"]["pid"])
        self.assertNotIn("deleted", self.a.say("readlink", f"/proc/{before}/exe"))
        self.assertEqual(self.a.shell("cat /etc/vipd/vipd.yaml /etc/default/vipd").stdout, configuration)
        time.sleep(7)  # it goes on telling the watchdog
        self.assertEqual(self.a.property("vipd", "NRestarts"), "0")
        self.assertEqual({who for _, who in self.client.answers(since)}, {"node-a"})

    def test_09_a_guardian_that_hangs_is_replaced_and_the_peer_takes_over_unnoticed(self):
        before = self.main_pid(self.a)
        since = time.monotonic()
        self.a("kill", "-STOP", str(before))
        wait_until(lambda: self.main_pid(self.a) not in (0, before), 20, "a new guardian")
        self.settle()
        self.assertEqual(self.a.property("vipd", "NRestarts"), "1")
        self.assertEqual(self.client.failed(since), 0, self.client.outage(since))

    def test_10_a_guardian_that_is_killed_is_replaced_and_the_peer_takes_over_unnoticed(self):
        before = self.main_pid(self.a)
        since = time.monotonic()
        self.a("kill", "-KILL", str(before))
        wait_until(lambda: self.state(self.b) == "Active", 5, "node b is Active")
        wait_until(lambda: ADDRESS not in self.a.addresses(), 0.6, "node a has let the address go")
        wait_until(lambda: self.main_pid(self.a) not in (0, before), 20, "a new guardian")
        self.settle()
        self.assertEqual(self.client.failed(since), 0, self.client.outage(since))

    def test_11_when_all_three_are_killed_at_once_a_new_vipd_goes_on_before_anybody_notices(self):
        before = self.main_pid(self.a)
        since = time.monotonic()
        pids = [str(each["pid"]) for each in self.status(self.a)["programs"].values()]
        self.a("kill", "-STOP", *pids)  # so that none sees another die
        self.a("kill", "-KILL", *pids)
        wait_until(lambda: self.main_pid(self.a) not in (0, before), 20, "a new guardian")
        wait_until(lambda: self.state(self.a) == "Active", 2, "node a is Active")
        self.assertIn("all of vipd was killed: going on where it stopped", self.a.since(since))
        time.sleep(4)
        self.assertEqual({who for _, who in self.client.answers(since)}, {"node-a"})
        self.assertNotIn("-> Active", self.b.since(since), "node b has not taken over")

    def test_12_events_of_another_place_are_told_apart(self):
        shown = self.a("vipctl", "--run-dir", "/run/elsewhere", "events", "--lines", "1")
        self.assertIn(
            "vipctl: no vipd answers at /run/elsewhere/control; this is what /var/lib/vipd/events has", shown.stdout
        )

    def test_13_a_unit_hands_one_virtual_router_over(self):
        since = time.monotonic()
        self.a("systemctl", "start", "vipd-switch@edge")
        self.settle("node-b")
        self.a("vipctl", "switch", "--back", "edge")
        self.settle()
        self.assertEqual(self.client.failed(since), 0)
        self.assertNotEqual(self.a("systemctl", "start", "vipd-switch@nobody", check=False).returncode, 0)

    def test_14_a_stop_hands_over_and_leaves_nothing(self):
        since = time.monotonic()
        self.a("systemctl", "stop", "vipd")
        self.assertNotIn(ADDRESS, self.a.addresses())
        wait_until(lambda: self.state(self.b) == "Active", 5, "node b is Active")
        self.assertEqual(self.a("pgrep", "-l", "vipd", check=False).stdout, "")
        self.assertNotIn("vipd", self.a.say("tc", "filter", "show", "dev", "eth0", "ingress"))
        self.assertEqual(self.a("ls", "/run/vipd", check=False).returncode, 2)
        self.assertEqual(self.a.property("vipd", "Result"), "success")
        self.assertNotRegex(self.a.since(since), "has ended|killed")  # nor does it look like a fault
        self.assertEqual(self.client.failed(since), 0)
        self.a("systemctl", "start", "vipd")
        self.settle()

    def test_15_a_start_before_the_interface_waits_for_it(self):
        since = time.monotonic()
        self.a("systemctl", "stop", "vipd")
        self.a("ip", "link", "set", "eth0", "name", "later")
        self.a("systemctl", "start", "vipd")
        self.assertEqual(self.state(self.a), "Initialize")
        self.a.shell("ip link set later down; ip link set later name eth0; ip link set eth0 up")
        self.settle()
        self.assertEqual(self.client.failed(since), 0)

    def test_16_an_error_in_the_configuration_is_not_tried_again_and_again(self):
        self.a("systemctl", "stop", "vipd")
        self.a.shell("echo 'nonsense: 1' >>/etc/vipd/vipd.yaml")
        self.assertNotEqual(self.a("systemctl", "start", "vipd", check=False).returncode, 0)
        self.assertIn("nonsense", self.a.journal())
        time.sleep(2)
        self.assertEqual(self.a.property("vipd", "ActiveState"), "failed")
        self.assertEqual(self.a.property("vipd", "NRestarts"), "0")
        self.a.shell("cp good.yaml /etc/vipd/vipd.yaml; systemctl start vipd")
        self.settle()

    def test_17_removing_the_package_hands_over_and_keeps_the_configuration(self):
        since = time.monotonic()
        self.a("apt-get", "remove", "-y", "vipd")
        self.assertNotIn(ADDRESS, self.a.addresses())
        wait_until(lambda: self.client.last() == "node-b", 5, "node b serves")
        self.assertEqual(self.client.failed(since), 0)
        self.a("ls", "/etc/vipd/vipd.yaml", "/etc/default/vipd")
        self.assertNotEqual(self.a("systemctl", "cat", "vipd", check=False).returncode, 0)

    def test_18_after_a_purge_nothing_is_left(self):
        self.a("apt-get", "purge", "-y", "vipd")
        left = self.a.say(
            "find", "/", "-xdev", "-path", "/root", "-prune", "-o", "-path", "/var/log", "-prune", "-o", "-name", "*vip[dc]*", "-print"
        )
        self.assertEqual(left, "")

    def test_19_the_ansible_role_makes_the_same_pair(self):
        self.b("apt-get", "purge", "-y", "vipd")
        for node in self.nodes.values():
            shutil.copytree(TREE / "packaging/ansible", node.root / "root/ansible")
            shutil.copy(self.package, node.root / "root/vipd.deb")
        for name in self.nodes:
            self.play(name)
        self.settle()
        self.assertEqual(self.a.say("systemctl", "is-enabled", "vipd"), "enabled")

    def test_20_a_second_run_changes_nothing(self):
        self.assertRegex(self.play("node-a"), r"changed=0 ")

    def test_21_another_setting_is_put_in_force_by_a_reload(self):
        since, before = time.monotonic(), self.main_pid(self.a)
        self.assertRegex(self.play("node-a", "vipd_priority=230"), r"changed=2 ")
        self.assertEqual(self.status(self.a)["routers"][0]["priority"], 230)
        self.assertEqual(self.main_pid(self.a), before)
        self.assertEqual(self.client.failed(since), 0)

    def test_22_a_wrong_setting_never_gets_into_place(self):
        before = self.a.say("cat", "/etc/vipd/vipd.yaml")
        said = self.play("node-a", "vipd_priority=2300", check=False)
        self.assertIn("priority", said)
        self.assertRegex(said, r"failed=1 ")
        self.assertEqual(self.a.say("cat", "/etc/vipd/vipd.yaml"), before)

    def play(self, name, setting=None, check=True):
        """Runs the example's playbook for one node, on that node; what it says."""
        more = ("--extra-vars", setting) if setting else ()
        return self.nodes[name].shell(
            "cd ansible && ansible-playbook -i inventory.example.yml -c local -e vipd_package=/root/vipd.deb "
            f"--limit {name} pair.yml {' '.join(more)}",
            check=check,
        ).stdout


if __name__ == "__main__":
    arguments = [each for each in sys.argv[1:] if each.endswith(".deb")]
    sys.argv = [sys.argv[0], *(each for each in sys.argv[1:] if each not in arguments)]
    Story.package = pathlib.Path(arguments[0]).resolve() if arguments else the_package()
    if Story.package is None:
        sys.exit("there is no package in build-package/deb: ./dev package deb builds it")
    if not machine.is_inside():
        subprocess.run([HERE / "root", "build", Story.package], check=True)
    machine.enter([str(Story.package)])
    unittest.main(verbosity=2, failfast=True)
