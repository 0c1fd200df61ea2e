#!/usr/bin/env python3
"""Hooks: in order, the latest state wins, nobody is held up; programs, FIFO, webhook, mail, units of systemd."""
import ctypes
import errno
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import select
import shutil
import socketserver
import stat
import threading
import time

from vipdlab import probe, sandbox
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.network import VIP4, VIP6
from vipdlab.processes import PATIENCE, Process, alive, run, wait_until

STATES = ("Initialize", "Backup", "Active")
NOBODY_NOTICES = 50  # milliseconds: a take-over takes more than 300
HOOK = """#!/bin/sh
slow=$(cat {slow} 2>/dev/null)
echo "begin $1 ${VIPD_STATE:-$VIPD_EVENT} router=$VIPD_ROUTER previous=$VIPD_PREVIOUS_STATE $2 $3 $4 $5" >> {log}
[ -z "$slow" ] || sleep $slow
echo "end $1 ${VIPD_STATE:-$VIPD_EVENT}" >> {log}
exit $(cat {status} 2>/dev/null || echo 0)
"""


def setns(fd):
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Server:
    """Serves in a thread until close()."""

    def __init__(self, server):
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.port = server.server_address[1]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Web(Server):
    """Keeps (headers, body) of what is posted; answers with the statuses that it is given first, then 200."""

    def __init__(self, statuses=()):
        posts, answers = [], list(statuses)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = answers.pop(0) if answers else 200
                posts.append((status, dict(self.headers), body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.posts = posts
        super().__init__(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))


class Post(Server):
    """A mail server of few words: keeps (recipients, text), and the recipients of what it has refused."""

    def __init__(self, refuse=0):
        mails, refusals, refused = [], [refuse], []

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")

            def handle(self):
                to = []
                self.say("220 lab")
                for line in self.rfile:
                    word = line.decode().strip()
                    if word.upper().startswith("MAIL"):
                        to = []
                    if word.upper().startswith("RCPT"):
                        to.append(word.partition(":")[2])
                    if word.upper() == "DATA":
                        self.say("354 go on")
                        text = b""
                        for part in self.rfile:
                            if part == b".\r\n":
                                break
                            text += part
                        if refusals[0] > 0:
                            refusals[0] -= 1
                            refused.append(to)
                            self.say("451 later")
                            continue
                        mails.append((to, text.decode()))
                    if word.upper() == "QUIT":
                        self.say("221 bye")
                        return
                    self.say("250 ok")

        self.mails, self.refused = mails, refused

        class ThreadingServer(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        super().__init__(ThreadingServer(("127.0.0.1", 0), Handler))


class Hooks(LabCase):
    def setUp(self):
        super().setUp()
        self.place = sandbox.WORK / "hooks"
        shutil.rmtree(sandbox.WORK / "a.vipd", ignore_errors=True)  # the events of the test before
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        self.log, self.slow, self.status = (self.place / name for name in ("log", "slow", "status"))
        self.program = self.place / "hook"
        text = HOOK
        for name in ("log", "slow", "status"):
            text = text.replace("{" + name + "}", str(self.place / name))
        self.program.write_text(text, encoding="utf-8")
        self.program.chmod(0o755)

    def vipd(self, hooks, at_top=""):
        def make(host, settings, priority):
            daemon = Vipd(host, settings, priority, options={"hooks": hooks} if host.name == "a" else {})
            if host.name == "a" and at_top:
                daemon.write(daemon.config_file.read_text(encoding="utf-8") + at_top)
            return daemon

        return make

    def pair(self, hooks, at_top="", addresses=(VIP4,), start=True):
        make = self.vipd(hooks, at_top)
        group = self.group([make, make], RouterSettings(interval_ms=100, addresses=addresses), (250, 200))
        return group.start() if start else group

    def lines(self):
        return self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []

    def begun(self):
        return [line.split()[2] for line in self.lines() if line.startswith("begin state ")]

    def wait_begun(self, *states):
        wait_until(lambda: self.begun() == list(states), PATIENCE, lambda: f"{states} among {self.lines()}")

    def on_states(self, more=""):
        each = f"[{self.program}, state]"
        return (
            f"{{user: root, on_active: {each}, on_backup: {each}, on_initialize: {each}{more}}}"
        )

    def test_programs_run_in_order_and_know_what_has_happened(self):
        group = self.pair(self.on_states(), addresses=(VIP4, VIP6))
        a = group.daemons["a"]
        self.wait_begun("Backup", "Active")
        a.switch()
        group.settle("b")
        self.wait_begun("Backup", "Active", "Backup")
        self.assertIn("begin state Active router=edge previous=Backup", self.lines()[2])
        kinds = [line.split()[0] for line in self.lines()]
        self.assertEqual(kinds, ["begin", "end"] * 3, "two have run at the same time")
        self.slow.write_text("0.5")
        a.stop()
        self.assertEqual(self.begun(), ["Backup", "Active", "Backup", "Initialize"])
        self.assertTrue(self.lines()[-1].startswith("end state Initialize"), "vipd has not waited for it")

    def test_the_latest_state_wins_and_a_slow_program_holds_nobody_up(self):
        group = self.pair(self.on_states())
        a = group.daemons["a"]
        self.wait_begun("Backup", "Active")
        self.slow.write_text("3")
        moment = time.monotonic_ns()
        a.switch()
        self.wait_begun("Backup", "Active", "Backup")
        self.slow.unlink()
        for _ in range(3):
            a.ctl("switch", "--back", "edge")
            group.settle("a")
            a.switch()
            group.settle("b")
        a.ctl("switch", "--back", "edge")
        group.settle("a")
        self.assertEqual(self.begun()[3:], [], "a program has not waited for the one before")
        self.assert_outage(group, moment, after(moment, 2500), NOBODY_NOTICES)
        self.wait_begun("Backup", "Active", "Backup", "Active")

    def test_a_program_that_fails_or_hangs_is_told_and_ended_and_the_next_one_runs(self):
        group = self.pair(self.on_states(", timeout: 500ms"))
        a = group.daemons["a"]
        self.wait_begun("Backup", "Active")
        self.status.write_text("3")
        a.switch()
        a.wait_event(None, "hook_failed", hook="on_backup of edge", data=["3"], severity="P1")
        self.status.unlink()
        self.slow.write_text("60")
        a.ctl("switch", "--back", "edge")
        a.wait_event(None, "hook_failed", hook="on_active of edge", severity="P1")
        self.slow.unlink()
        a.switch()
        self.wait_begun("Backup", "Active", "Backup", "Active", "Backup")
        left = [pid for pid in run("pgrep", "-x", "sleep", check=False).split() if alive(int(pid))]
        self.assertEqual(left, [], "what it has started is left")

    def test_an_upgrade_waits_until_no_hook_runs(self):
        group = self.pair(self.on_states())
        a = group.daemons["a"]
        self.wait_begun("Backup", "Active")
        self.slow.write_text("2")
        a.switch()
        self.wait_begun("Backup", "Active", "Backup")
        # Legal: the upgrade is refused because a hook runs, or it succeeds because the hook has just ended.
        programs, mark = a.programs(), a.mark()
        status, text = a.vipctl("upgrade")
        if self.lines()[-1].startswith("begin"):
            self.assertEqual(status, 1, text)
            a.wait_event(mark, "upgrade_refused")
            self.assertEqual(a.programs(), programs)
        self.slow.unlink()
        wait_until(lambda: self.lines()[-1].startswith("end"), PATIENCE, "its end")
        a.upgrade()
        a.ctl("switch", "--back", "edge")
        self.wait_begun("Backup", "Active", "Backup", "Active")

    def test_a_program_for_every_event_gets_the_grave_ones(self):
        group = self.pair(f"{{user: root, severity: P0, on_event: [{self.program}, event]}}")
        a = group.daemons["a"]
        a.kill_monitor()
        a.wait_event(None, "program_restarted", severity="P1", program="vipd-monitor")
        a.switch()
        told = lambda: [line.split()[2] for line in self.lines() if line.startswith("end")]  # noqa: E731
        states = lambda: [each for each in told() if each in STATES]  # noqa: E731
        wait_until(lambda: states() == ["Backup", "Active", "Backup"], PATIENCE, told)
        # Legal: other grave events, such as a peer that was Active as well for a moment.
        grave = {each["event"] for each in a.events() if each["severity"] == "P0"}
        self.assertLessEqual(set(told()) - set(STATES), grave)
        self.assertNotIn("program_restarted", told())

    def test_keepalived_arguments_and_a_fifo(self):
        fifo = self.place / "fifo"
        group = self.pair(self.on_states(f", arguments: keepalived, fifo: {fifo}"))
        a = group.daemons["a"]
        self.wait_begun("Backup", "Active")
        self.assertTrue(stat.S_ISFIFO(fifo.stat().st_mode))
        self.assertTrue(self.lines()[0].endswith("INSTANCE edge BACKUP 250"), self.lines())
        self.assertTrue(self.lines()[2].endswith("INSTANCE edge MASTER 250"), self.lines())
        # No process has read it so far: one event says so.
        self.assertEqual(len(a.events(name="hook_dropped", hook="fifo", data=[str(fifo)])), 1)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        a.switch()
        group.settle("b")
        a.ctl("switch", "--back", "edge")
        group.settle("a")
        text = b""

        def read():
            nonlocal text
            try:
                text += os.read(reader, 4096)
            except BlockingIOError:
                pass
            return text.count(b"\n") == 2

        wait_until(read, PATIENCE, lambda: text)
        self.assertEqual(text, b'INSTANCE "edge" BACKUP 250\nINSTANCE "edge" MASTER 250\n')

    def test_why_a_fifo_cannot_be_written_is_told(self):
        directory, fifo = self.place / "later", self.place / "later" / "fifo"
        prepared = self.place / "prepared"
        prepared.mkdir()
        (prepared / fifo.name).touch()
        group = self.pair(f"{{user: root, fifo: {fifo}}}", start=False)
        a = group.daemons["a"]

        def told():
            return a.events(name="hook_dropped", hook="fifo", data=[str(fifo)], severity="P1")

        a.start()
        a.wait_event(None, "hook_dropped", hook="fifo", data=[str(fifo), os.strerror(errno.ENOENT)])
        prepared.rename(directory)  # with the file: vipd makes a FIFO where there is nothing
        a.wait_state("Active")
        a.switch()
        wait_until(lambda: len(told()) == 2, PATIENCE, a.said)
        self.assertNotIn(os.strerror(errno.ENOENT), told()[1]["text"])
        self.assertTrue(fifo.is_file())
        self.assertEqual(fifo.stat().st_size, 0)
        # What is put right works without a reload.
        fifo.unlink()
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        a.wait_state("Active")
        a.switch()
        poll = select.poll()
        poll.register(reader, select.POLLIN)
        self.assertTrue(poll.poll(1000 * PATIENCE), a.said())
        self.assertIn(b"state_changed", os.read(reader, 65536))

    def serve(self, host, make):
        """Starts a server in the namespace of a host."""
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        with open(f"/run/netns/{host.name}", encoding="ascii") as namespace:
            setns(namespace.fileno())
            try:
                server = make()
            finally:
                setns(own)
                os.close(own)
        self.addCleanup(server.close)
        return server

    def test_a_webhook_is_signed_repeated_and_in_order(self):
        group = self.pair("{user: root}", start=False)
        a = group.daemons["a"]
        web = self.serve(group.host("a"), lambda: Web([500, 503, 200, 404]))
        secret = self.place / "secret"
        secret.write_text("top secret\n")
        url = f"http://127.0.0.1:{web.port}/vipd"
        text = a.config_file.read_text(encoding="utf-8").replace(
            "hooks: {user: root}", f"hooks: {{user: root, webhook: {{url: '{url}', secret_file: {secret}}}}}"
        )
        a.write(text)
        moment = time.monotonic_ns()
        group.start()
        wait_until(lambda: len(web.posts) >= 5, PATIENCE, lambda: web.posts)
        self.assertEqual([each[0] for each in web.posts[:4]], [500, 503, 200, 404])
        bodies = [json.loads(body) for _, _, body in web.posts]
        ids = [each["id"] for each in bodies]
        self.assertEqual(ids[0], ids[1])
        self.assertEqual(ids[0], ids[2])
        self.assertNotEqual(ids[2], ids[3])
        self.assertNotEqual(ids[3], ids[4], "status 404 was not the end")
        for status, headers, body in web.posts:
            signature = "sha256=" + hmac.new(b"top secret", body, hashlib.sha256).hexdigest()
            self.assertEqual(headers["X-Vipd-Signature"], signature, status)
            self.assertEqual(headers["X-Vipd-Event-Id"], json.loads(body)["id"])
        self.assertEqual({each["router"] for each in bodies}, {"edge"})
        a.wait_event(None, "hook_failed", hook=f"webhook {url} of edge", data=["404"])
        # A receiver that does not answer delays no other.
        web.close()
        a.switch()
        group.settle("b")
        self.assert_outage(group, moment, time.monotonic_ns(), 5000)
        # Unsigned is worse than late.
        posts = len(web.posts)
        secret.write_text("\n")
        a.ctl("reload")
        a.ctl("switch", "--back", "edge")
        a.wait_line(str(secret))
        self.assertEqual(len(web.posts), posts)

    def test_a_webhook_that_fails_is_told_soon_and_holds_up_no_other(self):
        group = self.pair("{user: root}", start=False)
        a = group.daemons["a"]
        bad = self.serve(group.host("a"), lambda: Web([503, 503, 503]))
        good = self.serve(group.host("a"), Web)
        of_edge, of_all = (f"http://127.0.0.1:{each.port}/vipd" for each in (bad, good))
        text = a.config_file.read_text(encoding="utf-8").replace(
            "hooks: {user: root}", f"hooks: {{user: root, webhook: {{url: '{of_edge}'}}}}"
        )
        a.write(text + f"hooks: {{user: root, webhook: {{url: '{of_all}'}}}}\n")
        group.start()
        hook = f"webhook {of_edge} of edge"
        a.wait_event(None, "hook_failed", hook=hook, data=["503", "3"], severity="P1")
        self.assertGreater(len(good.posts), len(bad.posts), "one has held up the other")
        a.wait_event(None, "hook_recovered", hook=hook)
        told = [each["event"] for each in a.events() if each["event"].startswith("hook_")]
        self.assertEqual(told, ["hook_failed", "hook_recovered"])
        self.assertFalse([each for each in good.posts if b"hook_failed" in each[2]])

    def test_mails_that_fall_together_are_one_and_are_repeated(self):
        group = self.pair("{user: root}", start=False)
        a = group.daemons["a"]
        post = self.serve(group.host("a"), lambda: Post(refuse=1))
        a.write(
            a.config_file.read_text(encoding="utf-8")
            + f"hooks:\n  user: root\n  mail: {{smtp: 'smtp://127.0.0.1:{post.port}', from: vipd@example.com,"
            + " to: [a@example.com, b@example.com]}\n"
        )
        group.start()
        wait_until(lambda: post.mails, PATIENCE, "a mail")
        to, text = post.mails[0]
        self.assertEqual(to, ["<a@example.com>", "<b@example.com>"])
        self.assertIn("To: a@example.com, b@example.com", text)
        body = text.split("\r\n\r\n", 1)[1]
        self.assertEqual(body.count("P2 state_changed"), 2, "two changes of state that fall together")
        for word in ("edge", "Initialize", "Backup", "Active"):
            self.assertIn(word, body)
        self.assertNotIn("started", body.split("state_changed")[0])
        self.assertEqual(post.refused, [to], "the first attempt was refused, and repeated")

    def systemd(self):
        """A bus with a systemd of ours on it, and what that was asked for."""
        if not (probe.build_directory() / "vipd-units").exists() or not shutil.which("dbus-daemon"):
            self.skipTest("built without libsystemd, or there is no dbus-daemon")
        directory = pathlib.Path("/run/dbus")
        directory.mkdir(exist_ok=True)
        config = self.place / "bus.conf"
        config.write_text(
            "<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>"
            '<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/>'
            '<allow own="*"/><allow user="*"/></policy></busconfig>',
            encoding="utf-8",
        )
        asked = self.place / "asked"
        asked.touch()
        for name, *arguments in (
            ("bus", "dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile"),
            ("systemd", probe.build_directory() / "fake_systemd", asked),
        ):
            process = Process(name, arguments)
            process.start()
            self.addCleanup(process.kill)
            if name == "bus":
                wait_until((directory / "system_bus_socket").is_socket, PATIENCE, process.log)
        wait_until(lambda: "ready" in asked.read_text(encoding="utf-8"), PATIENCE, process.log)
        return lambda: asked.read_text(encoding="utf-8").splitlines()[1:]

    def test_units_run_on_the_active_alone(self):
        asked = self.systemd()
        units = "systemd: {start: [app.service, other.service], stop: [app.service]}"
        group = self.pair(self.on_states(f", {units}"))
        a = group.daemons["a"]
        self.wait_begun("Backup", "Active")
        wanted = ["StopUnit app.service", "done app.service", "StartUnit app.service", "StartUnit other.service"]
        wanted += ["done app.service", "done other.service"]
        wait_until(lambda: asked() == wanted, PATIENCE, asked)
        a.switch()
        self.wait_begun("Backup", "Active", "Backup")
        self.assertEqual(asked()[len(wanted) :], ["StopUnit app.service", "done app.service"], "it was not waited for")
        self.assertEqual(a.events(name="hook_failed"), [])

    def test_a_unit_that_fails_is_told_and_one_that_is_not_there_does_not_run(self):
        asked = self.systemd()
        group = self.pair("{systemd: {start: [missing.service, broken.service], stop: [missing.service]}}")
        a = group.daemons["a"]
        wait_until(lambda: "failed broken.service" in asked(), PATIENCE, asked)
        a.wait_event(None, "hook_failed", hook="systemd of edge", data=["missing.service"], severity="P1")
        self.assertEqual(len(a.events(name="hook_failed")), 1)


if __name__ == "__main__":
    main()
