"""What operators do, rightly and wrongly: reloads, switches, stops, and abuse of the control socket."""
import contextlib
import dataclasses
import signal
import socket
import time

from ..network import VIP4, VIP6
from ..processes import wait_until
from .fault import EVERYBODY, Allowance, Fault, spread
from .lab import CHECK_INTERVAL_MS, GUARDIAN, PROGRAMS


class ReloadPriority(Fault):
    """The priority is changed, and changed back: a planned move, if it is one."""

    name = "reload with another priority"

    def draw(self, dice):
        self.priority = dice.choice(
            [each for each in (1, 105, 175, 225, 253) if each not in self.lab.priorities]
        )
        self.by_signal = dice.random() < 0.5
        self.lasts = spread(dice, 0.3, 1.5)

    @property
    def text(self):
        return f"{self.name}: {self.priority}{', by SIGHUP' if self.by_signal else ''}"

    def begin(self):
        self.node.reload(self.node.configuration(priority=self.priority), self.by_signal)

    def end(self):
        self.node.reload(by_signal=self.by_signal)

    def allowance(self):
        ranks = [each.priority for each in self.lab.nodes.values() if each is not self.node]
        moves = (self.priority > max(ranks)) != self.best
        return Allowance(moves=2 if moves else 0)


class ReloadInterval(Fault):
    """All nodes, one after the other, get another interval, and the old one back: clients lose nothing."""

    name = "reload with another interval"
    joins = False

    def draw(self, dice):
        self.interval_ms = dice.choice((20, 50, 150, 300, 500))
        self.order = dice.sample(sorted(EVERYBODY), 3)
        self.lasts = spread(dice, 0.3, 1.5)

    @property
    def text(self):
        return f"{self.name}: {self.interval_ms} ms, in the order {' '.join(self.order)}"

    def begin(self):
        for name in self.order:
            node = self.lab.nodes[name]
            node.reload(node.configuration(interval_ms=self.interval_ms))

    def end(self):
        for name in self.order:
            self.lab.nodes[name].reload()

    def allowance(self):
        return Allowance(settle=8)


class ReloadAddresses(Fault):
    """Addresses come and go; those that stay are not touched."""

    name = "reload with other addresses"

    def draw(self, dice):
        self.extra = tuple(
            dice.sample(
                [f"192.0.2.{20 + i}" for i in range(8)] + [f"2001:db8::{20 + i}" for i in range(8)],
                dice.randint(1, 6),
            )
        )
        self.lasts = spread(dice, 0.3, 1.5)

    @property
    def text(self):
        return f"{self.name}: {len(self.extra)} more"

    def begin(self):
        self.node.reload(self.node.configuration(addresses=(VIP4, VIP6, *self.extra)))

    def end(self):
        self.node.reload()


class ReloadWithout(Fault):
    """The virtual router is taken out of the configuration, and put back: it hands over as at a stop."""

    name = "reload without the virtual router"

    def draw(self, dice):
        self.lasts = spread(dice, 0.5, 1.5)
        self.out = frozenset({self.node.name})

    def begin(self):
        text = self.node.daemon.configuration(
            settings=dataclasses.replace(
                self.node.daemon.settings, name="other", vrid=99, addresses=("192.0.2.30",)
            )
        )
        self.node.reload(text)

    def end(self):
        self.node.reload()

    def allowance(self):
        return Allowance(moves=2 if self.best else 0)


class ReloadBroken(Fault):
    """Files that are no configuration: refused, and nothing changes."""

    name = "reload of a broken file"

    def draw(self, dice):
        self.seed = dice.getrandbits(32)
        self.kind = dice.choice(("cut", "noise", "empty", "gone", "unknown key", "directory"))
        self.cut = dice.random()
        self.noise = dice.randbytes(300)
        self.lasts = 0.3

    @property
    def text(self):
        return f"{self.name}: {self.kind}"

    def begin(self):
        file, text = self.node.daemon.config_file, self.node.configuration()
        if self.kind == "cut":
            # In the middle of the first word of a line, so that it cannot be valid.
            lines = text.splitlines()
            at = int(self.cut * (len(lines) - 1)) + 1
            file.write_text("\n".join(lines[:at]) + "\n  nonsens", encoding="ascii")
        elif self.kind == "noise":
            file.write_bytes(self.noise)
        elif self.kind == "empty":
            file.write_bytes(b"")
        elif self.kind == "unknown key":
            file.write_text(text.replace("vrid:", "wrid:"), encoding="ascii")
        else:
            file.unlink()
            if self.kind == "directory":
                file.mkdir()
        status, answer = self.node.daemon.vipctl("reload")
        if status == 0:
            raise AssertionError(f"a broken configuration ({self.kind}) was accepted: {answer}")

    def end(self):
        with contextlib.suppress(OSError):
            self.node.daemon.config_file.rmdir()
        self.node.reload()


class ReloadStorm(Fault):
    name = "many reloads"

    def draw(self, dice):
        self.times = dice.randint(20, 100)
        self.lasts = 0.2

    @property
    def text(self):
        return f"{self.name}: {self.times} SIGHUP"

    def begin(self):
        for _ in range(self.times):
            self.node.signal(signal.SIGHUP, GUARDIAN)
            time.sleep(0.002)

    def allowance(self):
        return Allowance(busy=True)


class Switch(Fault):
    """vipctl switch, and --back."""

    name = "vipctl switch"
    needs_best = True

    def draw(self, dice):
        self.lasts = spread(dice, 0.4, 1.5)
        self.out = frozenset({self.node.name})
        self.was_active = True

    def begin(self):
        self.was_active = self.node.daemon.state() == "Active"  # unless another fault came first
        if self.was_active:
            self.node.daemon.ctl("switch", self.node.daemon.settings.name)

    def end(self):
        if not self.was_active:
            return
        daemon = self.node.daemon
        status, answer = daemon.vipctl("switch", daemon.settings.name, "--back")
        # Legal: it comes back by this command; or another fault has taken the peer away, this node has come back by
        # itself, and the command is refused.
        came_back = daemon.state() == "Active" and not any(each["yielded"] for each in daemon.routers())
        if status != 0 and not came_back:
            raise RuntimeError(f"vipctl switch --back has ended with {status}: {answer}")

    def allowance(self):
        return Allowance(moves=2)


class Upgrade(Fault):
    """vipctl upgrade, to the same version: clients lose nothing."""

    name = "vipctl upgrade"

    def draw(self, dice):
        self.times = dice.choice((1, 1, 2, 5))
        self.lasts = 0.3

    @property
    def text(self):
        return f"{self.name}, {self.times} times"

    def begin(self):
        for _ in range(self.times):
            self.node.daemon.ctl("upgrade")

    def allowance(self):
        return Allowance(ends=self.ending(*PROGRAMS))


class StopNode(Fault):
    """SIGTERM, and a new start: a planned move."""

    name = "node stopped and started"

    def draw(self, dice):
        self.lasts = spread(dice, 0.05, 1.5)
        self.out = frozenset({self.node.name})

    def begin(self):
        self.node.wanted = False
        self.node.daemon.stop()

    def end(self):
        left = self.node.processes()
        if left:
            raise AssertionError(
                f"after its stop {self.node.name} still runs {[each.program for each in left]}"
            )
        self.node.start()

    def allowance(self):
        return Allowance(moves=2 if self.best else 0, ends=self.ending(*PROGRAMS))


class StopAllNodes(Fault):
    """All are told to stop, one after the other; the last one goes on to the end."""

    name = "all nodes stopped and started"
    joins = False
    weight = 0.5

    def draw(self, dice):
        self.order = dice.sample(sorted(EVERYBODY), 3)
        self.pause = spread(dice, 0.2, 0.8)
        self.out = EVERYBODY

    @property
    def text(self):
        return f"{self.name}, in the order {' '.join(self.order)}"

    def begin(self):
        self.gone = 0.0
        for name in self.order:
            node = self.lab.nodes[name]
            node.wanted = False
            node.daemon.stop()
            time.sleep(self.pause)
        self.since = time.monotonic()

    def end(self):
        for name in self.order:
            self.lab.nodes[name].start()
        self.gone = (time.monotonic() - self.since + self.pause) * 1000

    def allowance(self):
        # The new ones wait for their first check results, and listen; the lowest may have been first.
        start = 2 * CHECK_INTERVAL_MS + self.lab.worst_take_over_ms() + 400
        return Allowance(
            gap=self.gone + start,
            moves=6,
            ends=frozenset((name, program) for name in EVERYBODY for program in PROGRAMS),
        )


class SecondStart(Fault):
    """A second vipd with the same directories is refused."""

    name = "a second vipd"

    def draw(self, dice):
        self.lasts = 0.1

    def begin(self):
        second = self.node.host.process("second", *self.node.daemon.process.arguments[4:]).start()
        wait_until(lambda: not second.running, 5, "the end of the second vipd")
        if second.exit_status != 3:
            raise AssertionError(
                f"a second vipd ended with {second.exit_status}, not 3: {second.log()[-500:]}"
            )


class AbuseControl(Fault):
    """Connections that say nothing, nonsense, or do not read their answers."""

    name = "abused control socket"

    def draw(self, dice):
        self.noise = [dice.randbytes(dice.randrange(1, 2000)) for _ in range(30)]
        self.lasts = round(dice.uniform(0.3, 1.0), 2)

    def begin(self):
        self.open = []
        path = str(self.node.daemon.directory / "run" / "control")
        for number, noise in enumerate(self.noise):
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            made.settimeout(0.2)
            with contextlib.suppress(OSError):
                made.connect(path)
                self.open.append(made)
                if number % 3 == 1:
                    made.send(noise)
                if number % 3 == 2:
                    made.send(b'{"command": "status"}\n' * 200)

    def end(self):
        for made in self.open:
            made.close()

    def allowance(self):
        return Allowance(busy=True)
