#!/usr/bin/env python3
"""`vipctl watch` as it is used: in a terminal, which the test plays through a pseudo-terminal, and in a pipe."""
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios

from vipdlab import probe
from vipdlab.case import LabCase, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.processes import PATIENCE, wait_until

CONTROL = re.compile(rb"\x1b\[[?0-9;]*[a-zA-Z]")
COLOUR = re.compile(rb"\x1b\[3[0-9]m")
ACTIVE, BACKUP = r"\bedge +Active\b", r"\bedge +Backup\b"
COMMAND = r" P2 .*\bswitch edge\b"


class Terminal:
    """A terminal with a program in it. Knows what the page shows: all of it is drawn each time."""

    def __init__(self, *command, columns=80, rows=24, **environment):
        self.ours, theirs = pty.openpty()
        self.received = b""
        self.before = termios.tcgetattr(theirs)
        self.theirs = theirs
        self.resize(columns, rows)
        environment = {"TERM": "xterm", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], **environment}
        self.process = subprocess.Popen(
            [str(each) for each in command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
        )

    def resize(self, columns, rows):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds=0.0):
        while select.select([self.ours], [], [], seconds)[0]:
            try:
                self.received += os.read(self.ours, 65536)
            except OSError:
                return

    def page(self):
        """The lines of the last page that is complete."""
        self.read()
        pages = [each for each in self.received.split(b"\x1b[H") if each.endswith(b"\x1b[J") or b"\x1b[J" in each]
        if not pages:
            return []
        return CONTROL.sub(b"", pages[-1].split(b"\x1b[J")[0]).decode().replace("\r", "").split("\n")

    def shows(self, pattern):
        wait_until(
            lambda: re.search(pattern, "\n".join(self.page())),
            PATIENCE,
            lambda: f"{pattern} on\n" + "\n".join(self.page()),
        )

    def has_written(self, pattern):
        """As lines, where it draws no page."""
        wait_until(
            lambda: self.read() or re.search(pattern, self.received), PATIENCE, lambda: f"{pattern} in {self.received}"
        )

    def type(self, text):
        os.write(self.ours, text.encode())

    def end(self):
        """(exit status, whether the terminal is as it was)"""
        status = self.process.wait(10)
        self.read(0.1)
        return status, termios.tcgetattr(self.theirs) == self.before and self.received.endswith(
            b"\x1b[?25h\x1b[?1049l"
        )

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


class Watch(LabCase):
    def setUp(self):
        super().setUp()
        self.nodes = self.group((Vipd, Vipd), RouterSettings("edge", 51, 100, ("192.0.2.10",)))
        self.nodes.start()
        self.nodes.settle("a")

    def terminal(self, **options):
        a = self.nodes.daemons["a"]
        terminal = Terminal(
            probe.build_directory() / "vipctl", "--run-dir", a.directory / "run", "watch", **options
        )
        self.addCleanup(terminal.close)
        return terminal

    def test_it_shows_what_is_and_what_happens_in_place_and_fits(self):
        terminal = self.terminal()
        terminal.shows(ACTIVE)
        self.assertEqual(len(terminal.page()), 24)
        self.assertLessEqual(max(map(len, terminal.page())), 80)
        self.assertRegex(terminal.received, COLOUR)
        self.nodes.daemons["a"].ctl("switch", "edge")
        terminal.shows(BACKUP)
        terminal.shows("switched ")
        terminal.shows(re.escape(self.nodes.host("b").ipv4))
        terminal.shows(COMMAND)
        terminal.resize(60, 12)
        wait_until(lambda: len(terminal.page()) == 12, PATIENCE, "the smaller page")
        self.assertLessEqual(max(map(len, terminal.page())), 60)
        terminal.shows(COMMAND)
        terminal.resize(60, 10)
        wait_until(lambda: len(terminal.page()) == 10, PATIENCE, "the smallest page")
        terminal.shows("edge: ")
        terminal.type("q")
        self.assertEqual(terminal.end(), (0, True))

    def test_it_goes_and_leaves_the_terminal_as_it_was_however_it_is_ended(self):
        for end in (
            lambda each: each.type("q"),
            lambda each: each.type("\x03"),
            lambda each: each.process.send_signal(signal.SIGTERM),
            lambda each: each.process.send_signal(signal.SIGHUP),
        ):
            terminal = self.terminal()
            terminal.shows(ACTIVE)
            end(terminal)
            self.assertEqual(terminal.end(), (0, True))

    def test_it_can_be_suspended(self):
        terminal = self.terminal()
        terminal.shows(ACTIVE)
        terminal.type("\x1a")
        state = pathlib.Path(f"/proc/{terminal.process.pid}/status")
        wait_until(lambda: "State:\tT" in state.read_text(encoding="ascii"), PATIENCE, "it has stopped")
        self.assertEqual(termios.tcgetattr(terminal.theirs), terminal.before)
        terminal.read(0.1)
        terminal.received = b""
        terminal.process.send_signal(signal.SIGCONT)
        terminal.shows(ACTIVE)
        terminal.type("q")
        self.assertEqual(terminal.end(), (0, True))

    def test_without_colours_and_without_unicode_on_request(self):
        terminal = self.terminal(NO_COLOR="1", LC_ALL="C")
        terminal.shows(ACTIVE)
        self.assertNotRegex(terminal.received, COLOUR)
        self.assertTrue(terminal.received.isascii())

    def test_it_says_that_vipd_has_gone_and_is_there_when_it_is_back(self):
        terminal = self.terminal()
        terminal.shows(ACTIVE)
        a = self.nodes.daemons["a"]
        a.stop()
        terminal.shows(re.escape(str(a.directory / "run" / "control")))  # where it tries again
        self.assertNotRegex("\n".join(terminal.page()), ACTIVE)
        a.start()
        terminal.shows(ACTIVE)
        terminal.type("q")
        self.assertEqual(terminal.end(), (0, True))

    def test_where_there_is_no_vipd_it_ends_at_once_and_says_so(self):
        terminal = Terminal(probe.build_directory() / "vipctl", "--run-dir", "/nonexistent", "watch")
        self.addCleanup(terminal.close)
        self.assertEqual(terminal.process.wait(10), 3)
        terminal.read(0.1)
        self.assertIn(b"/nonexistent/control", terminal.received)
        self.assertNotIn(b"\x1b[?1049h", terminal.received)

    def test_in_a_dumb_terminal_and_in_a_pipe_it_is_lines(self):
        terminal = self.terminal(TERM="dumb", NO_COLOR="1")
        terminal.has_written(ACTIVE.encode())
        self.nodes.daemons["a"].ctl("switch", "edge")
        terminal.has_written(rb"Z P[012] state_changed edge, VRID 51 on \S+ \(IPv4\): .*Backup")
        self.assertNotIn(b"\x1b", terminal.received)

    def test_in_a_pipe_it_goes_on_when_the_program_that_answers_is_replaced(self):
        terminal = self.terminal(TERM="dumb")
        terminal.has_written(ACTIVE.encode())
        a = self.nodes.daemons["a"]
        mark = a.mark()
        a.kill_monitor()
        terminal.has_written(rb"vipctl: ")  # that it is gone
        a.wait_event(mark, "program_restarted", program="vipd-monitor")
        wait_until(a.routers, PATIENCE, "that it is back")
        a.ctl("switch", "edge")
        terminal.has_written(rb"state_changed edge, .*Backup")
        self.assertEqual(terminal.received.count(b"program_restarted"), 1)


if __name__ == "__main__":
    main()
