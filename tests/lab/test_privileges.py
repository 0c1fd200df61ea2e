#!/usr/bin/env python3
"""Each program has the rights that it needs and no more; who may ask, and who may command."""
import re
import time

from vipdlab import sandbox
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import OwnVipd, RouterSettings, Vipd
from vipdlab.network import VIP4, VIP6
from vipdlab.processes import PATIENCE, run, wait_until

USER = 64123
ADMINS = 64124
NET_ADMIN, NET_RAW, IPC_LOCK, SYS_NICE = 12, 13, 14, 23
FORBIDDEN_TO_THE_GUARDIAN = {"SYS_ADMIN": 21, "SYS_PTRACE": 19, "SYS_MODULE": 16, "DAC_OVERRIDE": 1, "CHOWN": 0}


def capabilities(text, name):
    mask = int(re.search(rf"^{name}:\s+([0-9a-f]+)", text, re.M)[1], 16)
    return {number for number in range(64) if mask >> number & 1}


def field(text, name):
    return re.search(rf"^{name}:\s+(\S+)", text, re.M)[1]


class Privileges(LabCase):
    @classmethod
    def setUpClass(cls):
        """Users and groups as the package makes them, for this mount namespace alone."""
        users = {"vipd": USER, "asker": 64201, "admin": 64202, "stranger": 64203}
        passwd = "".join(f"{name}:x:{number}:{number}::/:/bin/sh\n" for name, number in users.items())
        groups = "".join(
            f"{name}:x:{number}:{'asker,admin' if name == 'vipd' else ''}\n" for name, number in users.items()
        )
        for name, more in (("passwd", passwd), ("group", f"{groups}vipd-admin:x:{ADMINS}:admin\n")):
            with open(f"/etc/{name}", encoding="utf-8") as file:
                (sandbox.WORK / name).write_text(file.read() + more, encoding="utf-8")
            run("mount", "--bind", sandbox.WORK / name, f"/etc/{name}")
        sandbox.WORK.chmod(0o755)

    @classmethod
    def tearDownClass(cls):
        for name in ("passwd", "group"):
            run("umount", f"/etc/{name}")

    def pair(self):
        """From copies of the programs: where they were built, the user vipd may have no way to them."""
        settings = RouterSettings(interval_ms=100, addresses=(VIP4, VIP6))
        return self.group([OwnVipd, OwnVipd], settings, (250, 200)).start()

    def status_of(self, daemon, program):
        pid = daemon.process.pid if program == "vipd" else daemon.child(program)
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return file.read()

    def test_each_program_has_the_rights_that_it_needs_and_no_more(self):
        group = self.pair()
        a = group.daemons["a"]
        wanted = {"vipd-router": {NET_ADMIN, NET_RAW, IPC_LOCK, SYS_NICE}, "vipd-monitor": set()}
        for program, allowed in wanted.items():
            with self.subTest(program):
                status = self.status_of(a, program)
                self.assertEqual(field(status, "Uid"), str(USER))
                self.assertEqual(field(status, "Gid"), str(USER))
                for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                    self.assertEqual(capabilities(status, kind), allowed, kind)
                self.assertEqual(field(status, "NoNewPrivs"), "1")
                self.assertEqual(field(status, "Seccomp"), "2")
        guardian = self.status_of(a, "vipd")
        for name, number in FORBIDDEN_TO_THE_GUARDIAN.items():
            self.assertNotIn(number, capabilities(guardian, "CapPrm"), name)

    def test_with_these_rights_everything_works(self):
        group = self.pair()
        a, b = group.daemons["a"], group.daemons["b"]
        old = a.child("vipd-router")
        moment = a.kill_router()
        wait_until(lambda: a.child("vipd-router") not in (None, old), PATIENCE, "a new router process")
        group.settle("a")
        a.config_file.write_text(a.config_file.read_text().replace("priority: 250", "priority: 240"))
        a.ctl("reload")
        wait_until(lambda: a.effective_priority() == 240, PATIENCE, "the new priority")
        a.upgrade()
        self.assertEqual(field(self.status_of(a, "vipd-router"), "Uid"), str(USER))
        self.assert_moved(group, moment, after(time.monotonic_ns(), 200), "a")
        moment = a.switch()
        group.settle("b")
        a.ctl("switch", "--back", "edge")
        group.settle("a")
        journal = list((a.directory / "state" / "events").glob("events-*.jsonl"))
        self.assertEqual([each.stat().st_uid for each in journal], [USER])
        self.assertEqual(journal[0].stat().st_mode & 0o777, 0o640)
        self.assertEqual(journal[0].parent.stat().st_mode & 0o777, 0o750)
        a.stop()
        b.wait_state("Active")
        self.assertIn('"state":"Initialize"', journal[0].read_text(encoding="utf-8"))
        # A program ends at a system call that it may not make, and reports other missing rights in a warning, not an event.
        for daemon, killed in ((a, ["vipd-router"]), (b, [])):
            known = daemon.events()
            restarted = [each["fields"]["program"] for each in known if each["event"] == "program_restarted"]
            self.assertEqual(restarted, killed)
            self.assertEqual(daemon.events(name="journal_failed"), [])
            graver = [line for line in daemon.said().splitlines() if re.search(r" vipd-\w+: (warning|error): ", line)]
            # The user who runs the lab has a limit for locked memory.
            expected = ["LimitMEMLOCK", *(each["text"] for each in known)]
            self.assertEqual([line for line in graver if not any(each in line for each in expected)], [])

    def ask(self, daemon, user, *words):
        """(exit status, everything that it says)"""
        text = run(
            "sh",
            "-c",
            f"setpriv --reuid {user} --regid {user} --init-groups {daemon.own / 'vipctl'}"
            f" --run-dir {daemon.directory / 'run'} {' '.join(words)} 2>&1; echo $?",
        )
        *lines, status = text.strip().splitlines()
        return int(status), "\n".join(lines)

    def test_who_may_ask_and_who_may_command(self):
        group = self.pair()
        a = group.daemons["a"]
        for directory in (a.directory, a.directory / "run"):
            directory.chmod(0o755)
        self.assertEqual(self.ask(a, "asker", "status")[0], 0)
        status, text = self.ask(a, "asker", "switch", "edge")
        self.assertEqual(status, 4, text)
        self.assertIn("vipd-admin", text)
        status, text = self.ask(a, "stranger", "status")
        self.assertEqual(status, 4, text)
        self.assertEqual(a.state(), "Active")
        status, text = self.ask(a, "admin", "switch", "edge")
        self.assertEqual(status, 0, text)
        group.settle("b")
        a.wait_event(None, "command", data=["switch edge", "64202"])
        a.wait_event(None, "command_refused", data=["switch edge", "64201"])
        self.assertEqual(len(a.events(name="command", data=["switch edge"])), 1)

    def test_a_user_that_is_not_there_is_told(self):
        a = self.group([Vipd, Vipd], RouterSettings(interval_ms=100), (250, 200)).daemons["a"]
        a.process.arguments += ["--user", "nobody-of-that-name"]
        a.process.start()
        wait_until(lambda: not a.process.running, PATIENCE, "its end")
        self.assertEqual(a.process.exit_status, 3)
        a.wait_line('"nobody-of-that-name"', "--user")


if __name__ == "__main__":
    main(needs_kernel=True)
