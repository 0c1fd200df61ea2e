#!/usr/bin/env python3
"""What happens is kept on disk and told to those who watch, whatever the disk does; and nobody is held up by it."""
import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import time

from vipdlab import events, probe, sandbox
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.network import VIP4
from vipdlab.processes import PATIENCE, alive, run, send_signal, wait_until

NOBODY_NOTICES = 50  # milliseconds: a take-over takes more than 300
STALL_OF_A_DISK = 2.0  # seconds of a full or missing disk, with an advertisement each 100 ms


class Follower:
    """`vipctl events --follow --json`, and what it has printed."""

    def __init__(self, daemon, *arguments):
        self._files = [sandbox.WORK / f"{daemon.host.name}.follower{end}" for end in ("", ".stderr")]
        self._out, self._err = (each.open("w", encoding="utf-8") for each in self._files)
        self._popen = subprocess.Popen(
            [
                *(probe.build_directory() / "vipctl", "--run-dir", daemon.directory / "run"),
                *("events", "--follow", "--json", *arguments),
            ],
            stdout=self._out,
            stderr=self._err,
        )

    def events(self, since=0.0, name=None, data=(), **wanted):
        """As Vipd.events(), of those that it has printed."""
        text = self._files[0].read_text(encoding="utf-8")
        return [each for each in events.parse(text) if events.matches(each, since, name, data, **wanted)]

    def complaints(self):
        return self._files[1].read_text(encoding="utf-8")

    def wait_for(self, name, since=0.0, data=(), **wanted):
        wait_until(
            lambda: self.events(since, name, data, **wanted),
            PATIENCE,
            lambda: f"{name} {wanted or ''} {', '.join(data)} among\n"
            + "\n".join(events.line(each) for each in self.events()) + f"\n{self.complaints()}",
        )

    def close(self):
        self._popen.terminate()
        self._popen.wait(5)
        self._out.close()
        self._err.close()


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
        follower.wait_for("state_changed", state="Active")
        mark = a.mark()
        a.switch()
        group.settle("b")
        follower.wait_for("state_changed", mark, previous_state="Active", state="Backup")
        follower.wait_for("command", mark, data=["switch", "edge"])
        a.ctl("switch", "--back", "edge")
        group.settle("a")
        follower.wait_for("state_changed", mark, previous_state="Backup", state="Active")

        known = self.events(a)
        names = [each["event"] for each in known]
        self.assertEqual(names[0], "started")
        self.assertIn(str(a.config_file), known[0]["text"])
        lease = a.routers()[0]["lease"]
        if not lease["on"]:
            self.assertTrue(a.events(name="lease_changed", router="edge", data=[lease["why_not"]]))
        for name in ("state_changed", "switched", "command"):
            self.assertIn(name, names)
        states = [each["fields"]["state"] for each in known if each["event"] == "state_changed"]
        self.assertEqual(states, ["Backup", "Active", "Backup", "Active"])
        self.assertEqual(len({each["id"] for each in known}), len(known))
        # The events of one program are in order. Legal: those of two programs are told in the order in which they arrive.
        times = [each["monotonic_s"] for each in known if each["event"] == "state_changed"]
        self.assertEqual(times, sorted(times))
        # Legal: more events have come meanwhile, such as a peer that was heard. None of these is missing, nor elsewhere.
        wait_until(lambda: self.on_disk(a)[: len(known)] == known, PATIENCE, "all of them on the disk")
        self.assertEqual(len(self.names(a, "--lines", "1")), 1)
        self.assertEqual(self.names(a, "--router", "other"), [])
        self.assertNotIn("state_changed", self.names(a, "--severity", "P0"))
        self.assertEqual(self.names(a, "--since", "2030-01-01"), [])

        # Without vipd, and through its restart.
        mark = a.mark()
        a.stop()
        directory = a.directory / "state" / "events"
        left = self.names(a, "--directory", directory)
        self.assertEqual(left[: len(names)], names)
        self.assertIn("stopping", left)
        self.assertEqual(self.on_disk(a)[-1]["fields"]["state"], "Initialize")
        wait_until(follower.complaints, PATIENCE, "that it waits for vipd")
        a.start()
        group.settle("a")
        # The follower reads the journal again when vipd is back, and prints no event twice.
        follower.wait_for("started", mark)
        follower.wait_for("state_changed", mark, state="Active")
        self.assertEqual(len(follower.events(mark, "started")), 1)
        self.assertEqual(len(follower.events(mark, "state_changed", previous_state="Active", state="Initialize")), 1)
        self.assertEqual(len({each["id"] for each in follower.events()}), len(follower.events()))

    def test_a_monitor_that_dies_misses_nothing(self):
        group = self.pair()
        a = group.daemons["a"]
        follower = self.follow(a)
        follower.wait_for("state_changed", state="Active")
        mark = a.mark()
        a.kill_monitor()
        follower.wait_for("program_restarted", mark, program="vipd-monitor")
        a.kill_router()
        follower.wait_for("program_restarted", mark, program="vipd-router")
        follower.wait_for("adopted", mark)
        follower.wait_for("held", mark, severity="P1")
        self.assertEqual(self.names(a)[0], "started")
        self.assertEqual(
            [each["fields"]["program"] for each in a.events(mark, "program_restarted")], ["vipd-monitor", "vipd-router"]
        )

    def test_a_router_that_is_stood_in_for_is_told(self):
        group = self.pair()
        a = group.daemons["a"]
        follower = self.follow(a)
        follower.wait_for("state_changed", state="Active")
        mark = a.mark()

        def moved_again():
            """Stops it for a moment. vipd reports a late router at most once in ten seconds, so this may be needed again."""
            router = a.child("vipd-router")
            send_signal(router, signal.SIGSTOP)
            time.sleep(0.2)
            send_signal(router, signal.SIGCONT)
            time.sleep(1)
            return follower.events(mark, "hold_ended")

        wait_until(moved_again, PATIENCE, "a router that is stood in for")
        self.assertTrue(follower.events(mark, "held", severity="P1"))

    def test_reloads_are_told_whether_they_are_taken_or_not(self):
        group = self.pair()
        a = group.daemons["a"]
        good = a.config_file.read_text(encoding="utf-8")
        a.write(good.replace("vrid: 51", "vrid: 510"))
        a.refusal("reload")
        a.write(good.replace("priority: 250", "priority: 240"))
        a.ctl("reload", "--confirm", "60s")
        a.refusal("upgrade")
        a.ctl("confirm")
        a.wait_event(None, "reload_confirmed")
        a.wait_event(None, "reload_refused", data=["vrid", "510"], severity="P1")
        a.wait_event(None, "reloaded", data=["edge", "priority", "250", "240"])
        a.wait_event(None, "upgrade_refused")
        refused = a.wait_event(None, "command_refused", count=2)
        for each, command in zip(refused, ("reload", "upgrade"), strict=True):
            self.assertIn(command, each["text"])

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

        wait_until(is_there, PATIENCE, a.log)
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
        follower.wait_for("state_changed", state="Active")
        moment, mark = time.monotonic_ns(), daemon.mark()
        begin()
        daemon.ctl("switch", "--back", "edge", check=False)
        follower.wait_for("journal_failed", mark, data=[reason], severity="P1")
        for _ in range(5):
            daemon.ctl("switch", "--back", "edge", check=False)
        until = after(moment, STALL_OF_A_DISK * 1000)
        end()
        follower.wait_for("journal_resumed", mark)
        self.assertEqual(daemon.ask("events")["result"]["lost"], 0)
        self.assertEqual(len(follower.events(mark, "journal_failed")), 1)
        self.assert_outage(group, moment, until, NOBODY_NOTICES)
        self.assertEqual(daemon.state(), "Active")
        wait_until(
            lambda: [each["id"] for each in self.on_disk(daemon)][-1:] == [self.events(daemon)[-1]["id"]],
            PATIENCE,
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

            self.trouble(group, a, fill, filler.unlink, os.strerror(errno.ENOSPC))
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

        self.trouble(group, a, take_away, put_back, os.strerror(errno.ENOTDIR))

    def test_a_disk_that_becomes_read_only_is_told_once_and_disturbs_nobody(self):
        group = self.new_pair()
        a = group.daemons["a"]
        with self.disk(a) as place:
            group.start()
            wait_until(lambda: self.on_disk(a), PATIENCE, "a journal")
            guardian = a.process.pid
            # Files that are open for writing keep a disk from it.
            send_signal(guardian, signal.SIGSTOP)
            monitor = a.child("vipd-monitor")
            send_signal(monitor, signal.SIGKILL)
            wait_until(lambda: not alive(monitor), PATIENCE, "its end")
            remount = ("nsenter", "--mount", "--target", guardian, "mount", "-o")
            run(*remount, "remount,ro,bind", place)
            send_signal(guardian, signal.SIGCONT)
            follower = self.follow(a)
            follower.wait_for("journal_failed", data=[os.strerror(errno.EROFS)], severity="P1")
            run(*remount, "remount,rw,bind", place)
            follower.wait_for("journal_resumed")
            self.assertEqual(a.state(), "Active")
            a.stop()

    def test_it_starts_where_nothing_can_be_written(self):
        group = self.new_pair()
        a = group.daemons["a"]
        os.rmdir(a.directory / "state")
        (a.directory / "state").touch()
        group.start()
        follower = self.follow(a, "--lines", "all")
        follower.wait_for("journal_failed", severity="P1")
        follower.wait_for("started")
        self.assertEqual(len(a.events(name="journal_failed")), 1)
        # vipctl prints the events that vipd remembers, and the place where vipd cannot keep them.
        status, text = a.vipctl("events")
        self.assertEqual(status, 0, text)
        self.assertIn(f"{a.directory / 'state'}", text)


if __name__ == "__main__":
    main()
