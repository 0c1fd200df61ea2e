"""What the tests of the lease have in common: faults that hit all of a daemon at once, and what is to be seen."""
import re
import signal
import time

from .case import LabCase
from .daemons import RouterSettings, Vipd
from .freezer import Freezer
from .network import CABLE
from .processes import descendants, run, send_signal

PRIORITIES = (250, 200)


def everything(daemon):
    return [daemon.process.pid, *descendants(daemon.process.pid)]


def loaded_programs():
    """The numbers of all programs in the kernel."""
    return set(re.findall(r"^(\d+): ", run("bpftool", "prog", "show"), re.MULTILINE))


class Kill:
    what = "SIGKILL of everything"

    def strike(self, daemon):
        return daemon.kill_all()

    def undo(self, daemon):
        daemon.start()

    def close(self):
        pass


class Stop(Kill):
    what = "SIGSTOP of everything"

    def strike(self, daemon):
        self.pids = everything(daemon)
        moment = time.monotonic_ns()
        for pid in self.pids:
            send_signal(pid, signal.SIGSTOP)
        return moment

    def undo(self, daemon):
        for pid in self.pids:
            send_signal(pid, signal.SIGCONT)


class Freeze(Kill):
    what = "a frozen cgroup"

    def __init__(self):
        self._freezer = Freezer.make()
        if not self._freezer:
            raise OSError("there is no freezer for cgroups here")

    def strike(self, daemon):
        moment = time.monotonic_ns()
        self._freezer.freeze(everything(daemon))
        return moment

    def undo(self, daemon):
        self._freezer.thaw()

    def close(self):
        self._freezer.close()


class LeaseCase(LabCase):
    def pair(self, interval_ms=100, makers=(Vipd, Vipd), **settings):
        return self.group(
            list(makers), RouterSettings(**{"interval_ms": interval_ms, **settings}), PRIORITIES
        ).start()

    def lasting_pair(self, interval_ms):
        """No node is preferred, so that one that returns stays Backup; and addresses stay for ever, so that what makes
        a dead node fall silent is the lease alone."""

        def lasting(host, settings, priority):
            return Vipd(host, settings, priority, options={"dead_man": "off"})

        settings = RouterSettings(interval_ms=interval_ms, preempt=False)
        return self.group([lasting, lasting], settings, PRIORITIES).start_in_order("a")

    def leases(self, group, node="a"):
        return [each["lease"] for each in group.daemons[node].routers()]

    def drops(self, group, node="a"):
        return sum(each["drops"] for each in self.leases(group, node))

    def filters(self, group, hook="ingress", node="a", interface=CABLE):
        return group.host(node).run("tc", "filter", "show", "dev", interface, hook).strip()

    def double(self, group, since, until):
        return max(group.observer.two_repliers(each, since, until) for each in group.settings.addresses)

    def answering(self, group, since, until):
        """The nodes that answered for any of the addresses."""
        macs = {
            mac
            for address in group.settings.addresses
            for _, each in group.observer.repliers(address, since, until)
            for mac in each
        }
        return {group.network.name_of(mac) for mac in macs}
