#!/usr/bin/env python3
"""What happens is kept on disk and told to those who watch, whatever the disk does; and nobody is held up by it."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time

from vipdlab import probe, sandbox
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.network import VIP4
from vipdlab.processes import alive, run, send_signal, wait_until

NOBODY_NOTICES = 50  # milliseconds: a take-over takes more than 300
STALL_OF_A_DISK = 2.0  # seconds of a full or missing disk, with an advertisement each 100 ms


class Follower:
    """`vipctl events --follow`, and what it has printed."""

    def __init__(self, daemon, *arguments):
        self.file = sandbox.WORK / f"{daemon.host.name}.follower"
        self._out = self.file.open("w", encoding="utf-8")
        self._popen = subprocess.Popen(
            [
                probe.build_directory() / "vipctl",
                "--run-dir",
                daemon.directory / "run",
                "events",
                "--follow",
                *arguments,
            ],
            stdout=self._out,
            stderr=subprocess.STDOUT,
        )

    def text(self):
        return self.file.read_text(encoding="utf-8")

    def wait_for(self, words, seconds=5):
        wait_until(lambda: words in self.text(), seconds, lambda: f"{words} among\n{self.text()}")

    def close(self):
        self._popen.terminate()
        self._popen.wait(5)
        self._out.close()


class Events(LabCase):
    def new_pair(self):
        """Without what an earlier test has left."""
        state = sandbox.WORK / "a.vipd" / "state"
        if state.is_dir():
            shutil.rmtree(state)
        state.unlink(missing_ok=True)
        return self.group([Vipd, Vipd], RouterSettings(interval_ms=100, addresses=(VIP4,)), (250, 200))

    def pair(self):
        return self.new_pair().start()

    def follow(self, daemon, *arguments):
        follower = Follower(daemon, *arguments)
        self.addCleanup(follower.close)
        return follower

    def events(self, daemon, *arguments):
        return [json.loads(line) for line in daemon.ctl("events", "--json", *arguments).splitlines()]

    def names(self, daemon, *arguments):
        return [each["event"] for each in self.events(daemon, *arguments)]

    def on_disk(self, daemon):
        lines = []
        for file in sorted((daemon.directory / "state" / "events").glob("events-*.jsonl")):
            lines += file.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def test_what_happens_is_in_the_journal_and_is_told_as_it_happens(self):
        group = self.pair()
        a = group.daemons["a"]
        follower = self.follow(a)
        follower.wait_for("state_changed")
        a.switch()
        group.settle("b")
        follower.wait_for("Active -> Backup")
        follower.wait_for("switch edge by user 0")
        a.ctl("switch", "--back", "edge")
        group.settle("a")

        events = self.events(a)
        names = [each["event"] for each in events]
        self.assertEqual(names[0], "started")
        lease = a.routers()[0]["lease"]
        if not lease["on"]:
            self.assertIn(f"has no lease: {lease['why_not']}", [each["text"] for each in events])
        self.assertRegex(events[0]["text"], "vipd .* has started with .*: 1 virtual router, ")
        for name in ("state_changed", "switched", "command"):
            self.assertIn(name, names)
        states = [each["fields"]["state"] for each in events if each["event"] == "state_changed"]
        self.assertEqual(states, ["Backup", "Active", "Backup", "Active"])
        self.assertEqual(len({each["id"] for each in events}), len(events))
        self.assertEqual([each["monotonic_s"] for each in events], sorted(each["monotonic_s"] for each in events))
        wait_until(lambda: self.on_disk(a) == events, 5, "all of them on the disk")
        self.assertEqual(self.names(a, "--lines", "1"), names[-1:])
        self.assertEqual(self.names(a, "--router", "other"), [])
        self.assertNotIn("state_changed", self.names(a, "--severity", "P0"))
        self.assertEqual(self.names(a, "--since", "2030-01-01"), [])

        # Without vipd, and through its restart.
        a.stop()
        directory = a.directory / "state" / "events"
        left = self.names(a, "--directory", directory)
        self.assertEqual(left[: len(names)], names)
        self.assertIn("stopping", left)
        self.assertEqual(self.on_disk(a)[-1]["fields"]["state"], "Initialize")
        follower.wait_for("; waiting for it")
        a.start()
        group.settle("a")
        wait_until(lambda: follower.text().count(" started ") == 2, 10, "the start, to the one who follows")
        self.assertEqual(follower.text().count("Active -> Initialize"), 1)

    def test_a_monitor_that_dies_misses_nothing(self):
        group = self.pair()
        a = group.daemons["a"]
        follower = self.follow(a)
        follower.wait_for("state_changed")
        a.kill_monitor()
        follower.wait_for("vipd-monitor has ended (signal 9 (Killed)); it is started again", 10)
        a.kill_router()
        follower.wait_for("vipd-router has ended (signal 9 (Killed)); it is started again", 10)
        follower.wait_for("adopted", 10)
        names = self.names(a)
        self.assertEqual(names.count("program_restarted"), 2)
        self.assertEqual(names[0], "started")
        self.assertIn("held", names)

    def test_a_router_that_is_stood_in_for_is_told(self):
        group = self.pair()
        a = group.daemons["a"]
        follower = self.follow(a)
        follower.wait_for("state_changed")

        def moved_again():
            """Stops it for a moment: told every ten seconds at most."""
            router = a.child("vipd-router")
            send_signal(router, signal.SIGSTOP)
            time.sleep(0.2)
            send_signal(router, signal.SIGCONT)
            time.sleep(1)
            return "vipd-router moves again and goes on" in follower.text()

        wait_until(moved_again, 30, "a router that is stood in for")
        self.assertRegex(follower.text(), "P1 held vipd-router has not moved for .*: advertising in its place")

    def test_reloads_are_told_whether_they_are_taken_or_not(self):
        group = self.pair()
        a = group.daemons["a"]
        good = a.config_file.read_text(encoding="utf-8")
        a.write(good.replace("vrid: 51", "vrid: 510"))
        a.ctl("reload", check=False)
        a.write(good.replace("priority: 250", "priority: 240"))
        a.ctl("reload", "--confirm", "60s")
        a.ctl("upgrade", check=False)
        a.ctl("confirm")
        wait_until(lambda: "reload_confirmed" in self.names(a), 5, "the confirmation")
        told = {each["event"]: each for each in self.events(a)}
        self.assertEqual(told["reload_refused"]["severity"], "P1")
        self.assertIn("vrid is 510, it must be 1 to 255", told["reload_refused"]["text"])
        self.assertIn("virtual router edge: priority 250 -> 240", told["reloaded"]["text"])
        self.assertIn("upgrade refused: a reload waits to be confirmed", told["upgrade_refused"]["text"])
        refused = [each["text"] for each in self.events(a) if each["event"] == "command_refused"]
        self.assertEqual([each.partition(" by user 0")[0] for each in refused], ["reload", "upgrade"])

    def test_another_directory_is_used_from_the_reload_on(self):
        group = self.pair()
        a = group.daemons["a"]
        other = sandbox.WORK / "other-journal"
        moment = time.monotonic_ns()
        a.write(a.config_file.read_text(encoding="utf-8") + f"events: {{directory: {other}, max_age: 30d}}\n")
        a.ctl("reload")

        def is_there():
            a.ctl("reload", check=False)  # something to tell
            return list(other.glob("events-*.jsonl"))

        wait_until(is_there, 10, a.log)
        self.assertIn("started", self.names(a, "--directory", a.directory / "state" / "events"))
        group.settle("a")
        self.assert_outage(group, moment, after(moment, 500), NOBODY_NOTICES)

    @contextlib.contextmanager
    def disk(self, daemon, size="256k"):
        """The state directory of the daemon is a small disk of its own."""
        place = daemon.directory / "state"
        run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place)
        try:
            yield place
        finally:
            run("umount", "-l", place)

    def trouble(self, group, daemon, begin, end, reason):
        """A disk that fails for a while: told once, nothing is missing, and no client notices."""
        follower = self.follow(daemon)
        follower.wait_for("state_changed")
        moment = time.monotonic_ns()
        begin()
        daemon.ctl("switch", "--back", "edge", check=False)
        follower.wait_for("journal_failed", 10)
        for _ in range(5):
            daemon.ctl("switch", "--back", "edge", check=False)
        self.assertIn(reason, daemon.ctl("events", "--severity", "P1"))
        until = after(moment, STALL_OF_A_DISK * 1000)
        end()
        follower.wait_for("journal_resumed", 15)
        self.assertIn("events are kept on disk again, none is missing", follower.text())
        self.assertEqual(follower.text().count("journal_failed"), 1)
        self.assert_outage(group, moment, until, NOBODY_NOTICES)
        self.assertEqual(daemon.state(), "Active")
        wait_until(
            lambda: [each["id"] for each in self.on_disk(daemon)][-1:] == [self.events(daemon)[-1]["id"]],
            10,
            "all events on the disk",
        )

    def test_a_full_disk_is_told_once_and_disturbs_nobody(self):
        group = self.new_pair()
        a = group.daemons["a"]
        with self.disk(a) as place:
            group.start()
            filler = place / "filler"

            def fill():
                with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                    while file.write(b"x" * 4096):
                        pass
                # What is left of the journal's last page.
                for _ in range(40):
                    a.ctl("switch", "--back", "edge", check=False)

            self.trouble(group, a, fill, filler.unlink, "No space left on device")
            numbers = [int(each["id"].partition("-")[2]) for each in self.on_disk(a)]
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)), "an event is missing, or there twice")
            a.stop()

    def test_a_directory_that_is_missing_is_told_once_and_disturbs_nobody(self):
        group = self.pair()
        a = group.daemons["a"]
        state, away = a.directory / "state", a.directory / "away"

        def take_away():
            (state / "events").rename(away)
            (state / "events").touch()

        def put_back():
            (state / "events").unlink()
            away.rename(state / "events")

        self.trouble(group, a, take_away, put_back, "Not a directory")

    def test_a_disk_that_becomes_read_only_is_told_once_and_disturbs_nobody(self):
        group = self.new_pair()
        a = group.daemons["a"]
        with self.disk(a) as place:
            group.start()
            wait_until(lambda: self.on_disk(a), 5, "a journal")
            guardian = a.process.pid
            # Files that are open for writing keep a disk from it.
            send_signal(guardian, signal.SIGSTOP)
            monitor = a.child("vipd-monitor")
            send_signal(monitor, signal.SIGKILL)
            wait_until(lambda: not alive(monitor), 5, "its end")
            remount = ("nsenter", "--mount", "--target", guardian, "mount", "-o")
            run(*remount, "remount,ro,bind", place)
            send_signal(guardian, signal.SIGCONT)
            follower = self.follow(a)
            follower.wait_for("journal_failed", 10)
            self.assertIn("Read-only file system", a.ctl("events", "--severity", "P1"))
            run(*remount, "remount,rw,bind", place)
            follower.wait_for("journal_resumed", 15)
            self.assertEqual(a.state(), "Active")
            a.stop()

    def test_it_starts_where_nothing_can_be_written(self):
        group = self.new_pair()
        a = group.daemons["a"]
        os.rmdir(a.directory / "state")
        (a.directory / "state").touch()
        group.start()
        follower = self.follow(a, "--lines", "all")
        follower.wait_for("journal_failed")
        follower.wait_for("started")
        self.assertIn("events are not kept on disk: ", a.said())
        self.assertEqual(a.said().count("events are not kept on disk"), 1)
        self.assertIn("vipctl: vipd cannot keep events on disk: making ", a.ctl("events"))
        self.assertIn("; what vipd itself remembers follows", a.ctl("events"))


if __name__ == "__main__":
    main()
