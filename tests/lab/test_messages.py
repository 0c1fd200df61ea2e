#!/usr/bin/env python3
"""What vipd and vipctl answer when they are started, commanded or killed: exit codes, events, data in their messages."""
import json
import os
import signal
import subprocess
import types

from vipdlab import probe, sandbox
from vipdlab.case import LabCase, main
from vipdlab.daemons import OwnVipd, RouterSettings, Vipd
from vipdlab.processes import PATIENCE, alive, run, send_signal, wait_until

NO_SUCH_FILE = os.strerror(2)


def said(program, *arguments):
    """(exit status, all that it printed)"""
    done = subprocess.run(
        [str(each) for each in (probe.build_directory() / program, *arguments)],
        text=True,
        timeout=PATIENCE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout


class Messages(LabCase):
    @classmethod
    def setUpClass(cls):
        """No user vipd, whatever this machine has; for this mount namespace alone."""
        with open("/etc/passwd", encoding="utf-8") as file:
            lines = [line for line in file if not line.startswith("vipd:")]
        (sandbox.WORK / "passwd").write_text("".join(lines), encoding="utf-8")
        run("mount", "--bind", sandbox.WORK / "passwd", "/etc/passwd")

    @classmethod
    def tearDownClass(cls):
        run("umount", "/etc/passwd")

    def pair(self, interval_ms):
        group = self.group([OwnVipd, Vipd], RouterSettings(interval_ms=interval_ms), (250, 200)).start()
        return group, group.daemons["a"]

    def assert_names(self, text, *data):
        """The text contains these: what was wrong, and where. The sentence around them does not matter."""
        for each in data:
            self.assertIn(str(each), text)

    def refused(self, program, *arguments, status=2):
        found, text = said(program, *arguments)
        self.assertEqual(found, status, text)
        return text

    def test_options_and_files_that_are_wrong(self):
        file = "/nonexistent/vipd.yaml"
        self.assert_names(self.refused("vipd", "--config", file), "vipd: ", file, NO_SUCH_FILE, "--config")
        levels = ("error", "warning", "notice", "info", "debug")
        self.assert_names(self.refused("vipd", "--log-level", "loud"), "--log-level", '"loud"', *levels)
        for argument in ("--node", "vipd.yaml", "--frobnicate"):
            text = self.refused("vipd", argument)
            self.assert_names(text, "vipd: ", argument, "--help")
            self.assertEqual(text.count("\n"), 1, text)
        self.assert_names(self.refused("vipctl", "explain"), "vipctl: ", "router", "explain --help")
        self.assert_names(self.refused("vipctl", "frobnicate"), "vipctl: ", '"frobnicate"', "--help")
        self.assert_names(json.loads(self.refused("vipctl", "frobnicate", "--json"))["error"], '"frobnicate"')
        for arguments in (["status", "--json"], ["--json", "status"]):
            text = self.refused("vipctl", "--run-dir", "/nonexistent", *arguments, status=3)
            self.assert_names(json.loads(text)["error"], "/nonexistent/control")
        self.assert_names(json.loads(self.refused("vipctl", "--json", "version"))["error"], '"--json"', "version")
        self.assert_names(self.refused("vipctl", "events", "--since", ""), "vipctl: ", "--since", "events --help")
        self.assert_names(self.refused("vipctl", "replay", "/dev/zero"), "vipctl: ", "/dev/zero")
        for name in ("-", "/dev/stdin"):
            done = subprocess.run(
                [probe.build_directory() / "vipctl", "check", name],
                input="virtual_routers: 7\n",
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(done.returncode, 1)
            self.assert_names(done.stderr, "<stdin>:1:18: error: virtual_routers")
        text = self.refused("vipctl", "--run-dir", "/nonexistent", "status", status=3)
        self.assert_names(text, "vipctl: ", "/nonexistent/control", NO_SUCH_FILE, "--run-dir")

    def test_output_that_cannot_be_written_is_an_error(self):
        def written_to_a_full_disk(*arguments):
            with open("/dev/full", "wb") as full:
                done = subprocess.run(
                    [probe.build_directory() / "vipctl", *arguments],
                    stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                )
            return done.returncode, done.stderr

        for arguments in (("version",), ("--help",)):
            status, text = written_to_a_full_disk(*arguments)
            self.assertEqual(status, 2)
            self.assert_names(text, "vipctl: ", os.strerror(28))
        journal = sandbox.WORK / "a-journal"
        journal.mkdir()
        event = {"v": 1, "time": "2026-11-21T12:00:00.000Z", "event": "started", "severity": "P2", "monotonic_s": 1.5}
        (journal / "events-00000001.jsonl").write_text(
            "".join(json.dumps({**event, "id": str(number)}) + "\n" for number in range(2000)), encoding="utf-8"
        )
        status, text = written_to_a_full_disk("--run-dir", "/nonexistent", "events", "--directory", journal)
        self.assertEqual(status, 2)
        self.assertRegex(text, "^vipctl: .+\n$")

    def test_what_is_refused_while_it_runs(self):
        _, a = self.pair(1000)
        a.wait_line("vipd-router", "vipd-monitor", '"vipd"', "--user")  # which user they run as, and why
        file = "/nonexistent/recording"
        self.assert_names(a.refusal("record", "--output", file, status=2), "vipctl: ", file, NO_SUCH_FILE)

        good = a.config_file.read_text()
        a.config_file.write_text(good.replace("priority: 250", "priority: 300"))
        mark = a.mark()
        self.assert_names(a.refusal("reload"), f"{a.config_file}:5:", "priority", "300")
        told = a.wait_event(mark, "reload_refused", data=["priority", "300"], severity="P1")["text"]
        self.assertNotIn("^", told, "an event is one sentence, without an excerpt of the file")
        self.assertNotIn("  ", told)
        # The reason, though warnings of the same file come before it.
        a.wait_event(mark, "command_refused", data=["priority", "300"])
        a.config_file.unlink()
        mark = a.mark()
        self.assert_names(a.refusal("reload"), a.config_file, NO_SUCH_FILE)
        a.wait_event(mark, "reload_refused", data=[str(a.config_file)])
        a.config_file.write_text(good)
        self.assertEqual(a.effective_priority(), 250)

    def test_an_upgrade_beside_another_one_and_one_whose_program_has_gone_are_refused(self):
        group, a = self.pair(300)
        programs = a.programs()
        program = a.own / "vipd"
        # One whose check takes until the command that comes meanwhile has been answered.
        begun = a.own / "vipd.begun"
        a.install("vipd", b"#!/bin/sh\n: >$0.begun\nwhile [ -e $0.begun ]; do sleep .05; done\nrm $0\necho 9.9.9\n")
        with subprocess.Popen(
            [probe.build_directory() / "vipctl", "--run-dir", a.directory / "run", "upgrade"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as first:
            wait_until(begun.exists, PATIENCE, "the check of the new program")
            mark = a.mark()
            self.assertNotIn(str(program), a.refusal("upgrade"), "it was refused for what the first one waits for")
            a.wait_event(mark, "upgrade_refused")
            mark = a.mark()
            begun.unlink()
            # It was there to be asked, and is gone when it is executed.
            a.wait_event(mark, "upgrade_refused", data=[str(program), NO_SUCH_FILE])
            first.kill()
        self.assert_names(a.refusal("upgrade"), program, NO_SUCH_FILE)
        self.assertEqual(a.programs(), programs)
        group.settle("a")

    def test_an_upgrade_while_the_router_is_being_replaced_is_refused(self):
        group, a = self.pair(300)
        guardian, program = a.process.pid, a.own / "vipd"
        program.unlink()  # so that none can be done: an upgrade that is refused for another reason names it
        began = a.mark()

        def refused_while_the_router_stands_still():
            """Legal each time: a question comes while the router is late or missing; or the router is replaced between
            two questions, and the test tries again."""
            router = a.child("vipd-router")
            os.kill(router, signal.SIGSTOP)
            while a.child("vipd-router") == router:
                answer = a.ask("upgrade")
                self.assertFalse(answer["ok"])
                if str(program) not in answer["error"]:
                    return True
            group.settle("a")
            return False

        wait_until(refused_while_the_router_stands_still, PATIENCE, "an upgrade that is refused for the router's sake")
        a.wait_event(began, "held", severity="P1")
        a.wait_event(began, "program_restarted", program="vipd-router")
        group.settle("a")
        self.assertEqual(a.process.pid, guardian)

    def test_a_router_that_dies_right_after_another_is_held_for_and_replaced(self):
        group, a = self.pair(300)
        for _ in range(3):
            mark, old = a.mark(), wait_until(lambda: a.child("vipd-router"), PATIENCE, "a router")
            a.kill_router()
            a.wait_event(mark, "program_restarted", program="vipd-router")
            self.assertFalse(alive(old))
        # Legal: the last router advertised already when it was killed, and the guardian held again; or it did not yet, and
        # the guardian has held since the death before, which is one event. Both end the same way.
        self.assertTrue(a.events(name="held", severity="P1"))
        a.wait_event(mark, "hold_ended")
        a.wait_event(mark, "adopted", router=group.settings.name)
        group.settle("a")

    def test_a_monitor_that_hangs_is_killed_and_replaced(self):
        _, a = self.pair(300)
        mark, monitor = a.mark(), a.child("vipd-monitor")
        send_signal(monitor, signal.SIGSTOP)
        a.wait_event(mark, "program_restarted", program="vipd-monitor")
        self.assertFalse(alive(monitor))

    def test_what_is_no_vipd_does_not_take_over(self):
        group, a = self.pair(300)
        programs = a.programs()
        for text in (b"#!/bin/sh\nexit 0\n", b"#!/bin/sh\necho what is it?\n"):
            a.install("vipd", text)
            mark = a.mark()
            self.assert_names(a.refusal("upgrade"), a.own / "vipd")
            a.wait_event(mark, "upgrade_refused", data=[str(a.own / "vipd")])
        self.assertEqual(a.programs(), programs)
        group.settle("a")

    def test_signals_that_mean_something_to_others_change_nothing(self):
        group, a = self.pair(300)
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            for pid in (a.process.pid, a.child("vipd-router"), a.child("vipd-monitor")):
                os.kill(pid, number)
        a.wait_line("SIGUSR1", "SIGUSR2", "vipctl status")
        group.settle("a")
        self.assertEqual({each["restarts"] for each in a.status()["programs"].values()}, {0})

    def test_who_starts_before_the_router_of_a_killed_guardian_has_ended_waits_for_it(self):
        group, a = self.pair(1000)
        group.daemons["b"].stop()
        began, guardian, router = a.mark(), a.process.pid, a.child("vipd-router")
        a.process.signal(signal.SIGKILL)
        wait_until(lambda: not a.running, PATIENCE, "the end of the guardian")
        a.start()
        # Legal: the old router still hands over, and the new vipd waits for it; or it has just ended. Never both at once.
        wait_until(lambda: a.status().get("routers"), PATIENCE, "the next vipd")
        self.assertFalse(alive(router), "two routers at once")
        group.settle("a", aside=("b",))
        a.wait_event(began, "killed", data=[str(guardian)], severity="P1")
        mark = a.mark()
        a.stop()
        a.start()
        group.settle("a", aside=("b",))
        a.wait_event(mark, "started")
        self.assertEqual(len(a.events(began, "killed")), 1, "the second one was stopped")

    def test_a_router_that_is_stopped_when_its_guardian_is_killed_keeps_nobody_from_starting(self):
        group, a = self.pair(1000)
        router = a.child("vipd-router")
        send_signal(router, signal.SIGSTOP)
        a.process.signal(signal.SIGKILL)
        wait_until(lambda: not a.running, PATIENCE, "the end of the guardian")
        a.start()
        wait_until(lambda: not alive(router), PATIENCE, "the end of the router that cannot hand over")
        a.wait_line(f"process {router}")
        group.settle("a", aside=("b",))

    def test_a_command_that_nobody_waits_for_any_more_is_not_carried_out(self):
        _, a = self.pair(1000)
        before = a.effective_priority()
        a.write(a.configuration(priority=120))
        mark = a.mark()
        send_signal(a.process.pid, signal.SIGSTOP)
        try:
            a.refusal("reload")
        finally:
            send_signal(a.process.pid, signal.SIGCONT)
        a.wait_event(mark, "command_refused", data=["reload"])
        # The guardian answers in order: when it answers this, it has seen the reload and dropped it.
        _, changes = a.plan()
        self.assertEqual(changes["virtual router edge", "priority"], ("250", "120"))
        self.assertEqual(a.events(mark, "reloaded"), [])
        self.assertEqual(a.effective_priority(), before)

    def test_a_program_that_does_not_come_back_or_does_not_go(self):
        group, a = self.pair(1000)
        a.install("vipd-router", b"#!/bin/sh\nexit 1\n")
        mark = a.mark()
        a.kill_router()
        a.wait_event(mark, "given_up", severity="P0")
        group.settle("b", aside=("a",))
        self.assertFalse(a.holds_addresses())
        monitor = a.child("vipd-monitor")
        os.kill(monitor, signal.SIGSTOP)
        a.stop()
        a.wait_line("SIGTERM")
        self.assertFalse(alive(monitor), "it does not go, and was left")

    def test_a_second_vipd_does_not_serve_what_the_first_one_in_its_network_serves(self):
        group, a = self.pair(300)
        host = group.host("a")
        settings = group.settings
        # Of the same host, with files of its own.
        place = types.SimpleNamespace(name="second", process=lambda _, *rest: host.process("second", *rest))
        second = Vipd(place, settings, 240)
        second.start()
        try:
            guardian = str(a.programs()["guardian"])
            refusal = (settings.name, f"VRID {settings.vrid} on {settings.interface}", guardian)
            second.wait_line("vipd: ", *refusal)
            wait_until(lambda: not second.running, PATIENCE, "the end of the second vipd")
            self.assertFalse((second.directory / "run" / "control").exists())

            # With another VRID it may; then a reload must not bring what it may not start with.
            theirs = second.config_file.read_text()
            mine = theirs.replace(f"vrid: {settings.vrid}\n", "vrid: 77\n")
            for address, other in (("192.0.2.10/", "192.0.2.177/"), ("2001:db8::10/", "2001:db8::177/")):
                mine = mine.replace(address, other)
            second.write(mine)
            second.start()
            second.wait_state("Active", 15)
            second.write(theirs)
            self.assert_names(second.refusal("reload"), *refusal)
            self.assertEqual({each["vrid"] for each in second.routers()}, {77})

            # The program that takes its place has it without a moment between, and what dies loses it.
            a.install("vipd")
            a.upgrade()
            self.assert_names(second.refusal("reload"), *refusal)
            a.kill_all()
            second.ctl("reload")
            second.wait_state("Active", 15)
        finally:
            second.end()


if __name__ == "__main__":
    main()
