#!/usr/bin/env python3
"""What vipd and vipctl say to who starts, commands or kills them: the words, and the exit codes."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import types

from vipdlab import probe, sandbox
from vipdlab.case import LabCase, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.processes import alive, run, send_signal, wait_until

PROGRAMS = ("vipd", "vipd-router", "vipd-monitor", "vipctl")
ROUTER_REPLACED = "vipd-router is just being replaced: try again in a moment"


def said(program, *arguments):
    """(exit status, all that it printed)"""
    done = subprocess.run(
        [str(each) for each in (probe.build_directory() / program, *arguments)],
        text=True,
        timeout=30,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout


def asked(daemon, command):
    """The answer to a command that does not ask for the state before, as vipctl does."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(daemon.directory / "run" / "control"))
        client.sendall(json.dumps({"v": 1, "command": command}).encode() + b"\n")
        return client.makefile().readline()


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
        """The first one runs programs that the test may exchange."""
        self.programs = sandbox.WORK / "own-programs"
        shutil.rmtree(self.programs, ignore_errors=True)
        self.programs.mkdir()
        build = probe.build_directory()
        for name in PROGRAMS:
            shutil.copy2(build / name, self.programs / name)

        def own(host, settings, priority):
            daemon = Vipd(host, settings, priority)
            arguments = daemon.process.arguments
            arguments[arguments.index(str(build / "vipd"))] = str(self.programs / "vipd")
            return daemon

        group = self.group([own, Vipd], RouterSettings(interval_ms=interval_ms), (250, 200)).start()
        return group, group.daemons["a"]

    def install(self, name, content):
        new = self.programs / "new"
        new.write_bytes(content)
        new.chmod(0o755)
        new.rename(self.programs / name)

    def says(self, daemon, words, timeout=10):
        wait_until(lambda: words in daemon.said(), timeout, lambda: f"{words!r} in\n{daemon.said()[-3000:]}")

    def vipctl(self, daemon, *arguments):
        return said("vipctl", "--run-dir", daemon.directory / "run", *arguments)

    def test_options_and_files_that_are_wrong(self):
        status, text = said("vipd", "--config", "/nonexistent/vipd.yaml")
        self.assertEqual(
            (status, text),
            (2, "vipd: reading /nonexistent/vipd.yaml: No such file or directory (another file: --config FILE)\n"),
        )
        status, text = said("vipd", "--log-level", "loud")
        self.assertEqual(status, 2)
        self.assertIn('--log-level is "loud", it must be error, warning, notice, info or debug;', text)
        for argument, complaint in (
            ("--node", "--node needs a value; vipd --help lists the options"),
            ("vipd.yaml", '"vipd.yaml" is more than can be given; vipd --help lists what is wanted'),
            ("--frobnicate", 'there is no option "--frobnicate"; vipd --help lists them'),
        ):
            self.assertEqual(said("vipd", argument), (2, f"vipd: {complaint}\n"))
        self.assertEqual(
            said("vipctl", "explain"), (2, "vipctl: router is missing; vipctl explain --help lists what is wanted\n")
        )
        self.assertEqual(
            said("vipctl", "frobnicate", "--json"),
            (2, '{"error":"there is no command \\"frobnicate\\"; vipctl --help lists them"}\n'),
        )
        for arguments in (["status", "--json"], ["--json", "status"]):
            status, text = said("vipctl", "--run-dir", "/nonexistent", *arguments)
            self.assertEqual(status, 3)
            self.assertIn("connecting to vipd at /nonexistent/control", json.loads(text)["error"])
        status, text = said("vipctl", "--json", "version")
        self.assertEqual(status, 2)
        self.assertIn('there is no option "--json" of version', json.loads(text)["error"])
        self.assertEqual(
            said("vipctl", "events", "--since", ""),
            (2, "vipctl: --since: it is empty; vipctl events --help lists the options\n"),
        )
        status, text = said("vipctl", "replay", "/dev/zero")
        self.assertEqual((status, text), (2, "vipctl: /dev/zero is too long for a recording\n"))
        for name in ("-", "/dev/stdin"):
            done = subprocess.run(
                [probe.build_directory() / "vipctl", "check", name],
                input="virtual_routers: 7\n",
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(done.returncode, 1)
            self.assertIn("<stdin>:1:18: error: virtual_routers is a single value", done.stderr)
        self.assertEqual(
            said("vipctl", "frobnicate"),
            (2, 'vipctl: there is no command "frobnicate"; vipctl --help lists them\n'),
        )
        self.assertEqual(
            said("vipctl", "--run-dir", "/nonexistent", "status"),
            (
                3,
                "vipctl: connecting to vipd at /nonexistent/control: No such file or directory"
                " (is vipd running? another place: --run-dir)\n",
            ),
        )

    def test_output_that_cannot_be_written_is_an_error(self):
        def written_to_a_full_disk(*arguments):
            with open("/dev/full", "wb") as full:
                done = subprocess.run(
                    [probe.build_directory() / "vipctl", *arguments],
                    stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                )
            return done.returncode, done.stderr

        self.assertEqual(
            written_to_a_full_disk("version"), (2, "vipctl: writing the output: No space left on device\n")
        )
        full_or_closed = (2, "vipctl: writing the output: it is full or closed\n")
        self.assertEqual(written_to_a_full_disk("--help"), written_to_a_full_disk("version"))
        journal = sandbox.WORK / "a-journal"
        journal.mkdir()
        event = {"v": 1, "time": "2026-11-21T12:00:00.000Z", "event": "started", "severity": "P2", "monotonic_s": 1.5}
        (journal / "events-00000001.jsonl").write_text(
            "".join(json.dumps({**event, "id": str(number)}) + "\n" for number in range(2000)), encoding="utf-8"
        )
        self.assertEqual(
            written_to_a_full_disk("--run-dir", "/nonexistent", "events", "--directory", journal), full_or_closed
        )

    def test_what_is_refused_while_it_runs(self):
        _, a = self.pair(1000)
        self.says(
            a, 'vipd-router and vipd-monitor run as the user that vipd runs as: there is no user "vipd" (--user)'
        )
        status, text = self.vipctl(a, "record", "--output", "/nonexistent/recording")
        self.assertEqual(status, 2)
        self.assertEqual(text, "vipctl: writing /nonexistent/recording: No such file or directory\n")

        good = a.config_file.read_text()
        a.config_file.write_text(good.replace("priority: 250", "priority: 300"))
        status, text = self.vipctl(a, "reload")
        self.assertEqual(status, 1)
        self.assertIn("priority is 300, it must be 1 to 255", text)
        self.says(a, "reload refused, the present configuration stays:\n")
        a.config_file.unlink()
        status, text = self.vipctl(a, "reload")
        self.assertEqual(status, 1)
        self.assertIn(f"reading {a.config_file}: No such file or directory", text)
        self.says(a, f"reload refused, the present configuration stays: reading {a.config_file}")
        a.config_file.write_text(good)
        self.assertEqual(a.effective_priority(), 250)

    def test_upgrades_that_come_at_the_wrong_moment(self):
        group, a = self.pair(300)
        # One whose check takes until the command that comes meanwhile has been answered.
        begun = self.programs / "vipd.begun"
        self.install("vipd", b"#!/bin/sh\n: >$0.begun\nwhile [ -e $0.begun ]; do sleep .05; done\nrm $0\necho 9.9.9\n")
        with subprocess.Popen(
            [probe.build_directory() / "vipctl", "--run-dir", a.directory / "run", "upgrade"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as first:
            wait_until(begun.exists, 5, "the check of the new program")
            self.assertIn("another upgrade is under way", self.vipctl(a, "upgrade")[1])
            begun.unlink()
            # It was there to be asked, and is gone when it is executed.
            self.says(a, "cannot take over: executing it: No such file or directory; nothing has changed, vipd ")
            first.kill()
        status, text = self.vipctl(a, "upgrade")
        self.assertEqual(status, 1)
        gone = f"cannot execute {self.programs / 'vipd'}: No such file or directory; nothing has changed, vipd "
        self.assertIn(gone, text)
        group.settle("a")

        def refused_while_the_router_stands_still():
            router = a.child("vipd-router")
            os.kill(router, signal.SIGSTOP)
            while a.child("vipd-router") == router:
                if ROUTER_REPLACED in asked(a, "upgrade"):
                    return True
            group.settle("a")
            return False

        wait_until(refused_while_the_router_stands_still, 30, ROUTER_REPLACED)
        self.says(a, ": advertising in its place")
        self.assertRegex(a.said(), r"vipd-router has not moved for [0-9.]+m?s: advertising in its place")
        self.says(a, "vipd-router has ended (killed: it had not moved for 1s); it is started again")
        a.kill_router()
        self.says(a, "vipd-router has ended (signal 9 (Killed)); it is started again")
        self.says(a, "vipd-router has ended: advertising in its place")
        self.says(a, "a new router goes on where the last one stopped")
        group.settle("a")
        send_signal(a.child("vipd-monitor"), signal.SIGSTOP)
        self.says(a, "vipd-monitor has ended (killed: it had said nothing for 10s); it is started again", 20)

    def test_what_is_no_vipd_does_not_take_over(self):
        group, a = self.pair(300)
        guardian = a.process.pid
        for text in (b"#!/bin/sh\nexit 0\n", b"#!/bin/sh\necho what is it?\n"):
            self.install("vipd", text)
            status, said = self.vipctl(a, "upgrade")
            self.assertEqual(status, 1)
            self.assertIn("it does not say which version it is, so it is no vipd; nothing has changed", said)
        self.assertEqual(a.status()["programs"]["guardian"]["pid"], guardian)
        group.settle("a")

    def test_signals_that_mean_something_to_others_change_nothing(self):
        group, a = self.pair(300)
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            for pid in (a.process.pid, a.child("vipd-router"), a.child("vipd-monitor")):
                os.kill(pid, number)
        self.says(a, 'SIGUSR1 and SIGUSR2 do nothing: "vipctl status" answers')
        group.settle("a")
        self.assertEqual({each["restarts"] for each in a.status()["programs"].values()}, {0})

    def test_who_starts_before_the_router_of_a_killed_guardian_has_ended_waits_for_it(self):
        group, a = self.pair(1000)
        group.daemons["b"].stop()
        killed = re.compile(
            r"the vipd before this one \(process \d+\) was not stopped but killed: what it and its virtual routers did "
            "from then on is not among the events"
        )

        def times_killed():  # the journal is that of all tests
            return len(killed.findall(a.ctl("events", "-n", "all")))

        before = times_killed()
        router = a.child("vipd-router")
        a.process.signal(signal.SIGKILL)
        wait_until(lambda: not a.running, 5, "the end of the guardian")
        a.start()
        self.says(a, ", which was killed, hands its addresses over: waiting")
        wait_until(lambda: a.status().get("routers"), 10, "the next vipd")
        self.assertFalse(alive(router), "two routers at once")
        group.settle("a", aside=("b",))
        self.assertRegex(a.said(), killed)
        self.assertEqual(times_killed(), before + 1)
        a.stop()
        a.start()
        group.settle("a", aside=("b",))
        self.assertEqual(times_killed(), before + 1, "it was stopped")

    def test_a_router_that_is_stopped_when_its_guardian_is_killed_keeps_nobody_from_starting(self):
        group, a = self.pair(1000)
        router = a.child("vipd-router")
        send_signal(router, signal.SIGSTOP)
        a.process.signal(signal.SIGKILL)
        wait_until(lambda: not a.running, 5, "the end of the guardian")
        a.start()
        self.says(a, f"the router (process {router}) is stopped and cannot hand over: it is killed")
        group.settle("a", aside=("b",))

    def test_a_command_that_nobody_waits_for_any_more_is_not_carried_out(self):
        _, a = self.pair(1000)
        before = a.effective_priority()
        a.write(a.configuration(priority=120))
        send_signal(a.process.pid, signal.SIGSTOP)
        try:
            status, text = self.vipctl(a, "reload")
        finally:
            send_signal(a.process.pid, signal.SIGCONT)
        self.assertEqual(status, 1)
        self.assertIn("it hangs or is being replaced. What was asked for is not done later: try again", text)
        self.says(a, "a command has waited for too long and is not carried out")
        self.assertEqual(a.effective_priority(), before)

    def test_a_program_that_does_not_come_back_or_does_not_go(self):
        group, a = self.pair(1000)
        self.install("vipd-router", b"#!/bin/sh\nexit 1\n")
        a.kill_router()
        self.says(a, "no router for 10s: giving the addresses up", 20)
        group.settle("b", aside=("a",))
        self.assertFalse(a.holds_addresses())
        os.kill(a.child("vipd-monitor"), signal.SIGSTOP)
        a.stop()
        self.says(a, "SIGTERM: stopping")
        self.says(a, "vipd-monitor does not stop: it is killed")

    def test_a_second_vipd_does_not_serve_what_the_first_one_in_its_network_serves(self):
        group, a = self.pair(300)
        host = group.host("a")
        settings = group.settings
        # Of the same host, with files of its own.
        place = types.SimpleNamespace(name="second", process=lambda _, *rest: host.process("second", *rest))
        second = Vipd(place, settings, 240)
        second.start()
        try:
            guardian = a.status()["programs"]["guardian"]["pid"]
            refusal = (
                f"{settings.name}: VRID {settings.vrid} on {settings.interface} (IPv4) is served by another vipd in this"
                f" network namespace (process {guardian}): stop that one first, or take the virtual router out of the"
                " configuration of one of them"
            )
            self.says(second, "vipd: " + refusal)
            wait_until(lambda: not second.running, 5, "the end of the second vipd")
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
            status, text = self.vipctl(second, "reload")
            self.assertEqual(status, 1)
            self.assertIn(refusal, text)
            self.assertEqual({each["vrid"] for each in second.routers()}, {77})

            # The program that takes its place has it without a moment between, and what dies loses it.
            self.install("vipd", (probe.build_directory() / "vipd").read_bytes())
            self.assertEqual(self.vipctl(a, "upgrade")[0], 0)
            self.assertIn(refusal, self.vipctl(second, "reload")[1])
            a.kill_all()
            self.assertEqual(self.vipctl(second, "reload")[0], 0)
            second.wait_state("Active", 15)
        finally:
            second.end()


if __name__ == "__main__":
    main()
