"""A group of nodes with their daemons, echo and web servers, and the client and observer that look on."""
import time

from . import network, probe
from .processes import PATIENCE, wait_until

SETTLING = PATIENCE  # within which every group must be in its states
QUIET_NS = 2_500_000_000  # longer than any pause between two rounds of announcements


class Group:
    """Two or three nodes with a daemon each, echo servers, a client and an observer; everything ends with close()."""

    def __init__(
        self,
        makers,
        settings,
        priorities=(250, 200, 150),
        udp_rate=1000,
        http_rate=0,
        http_timeout=300,
        web=None,
        intruder=False,
        observe_us=2000,
    ):
        """makers: for each node a function (host, settings, priority) -> Daemon."""
        self.settings = settings
        self._udp_rate, self._http_rate = udp_rate, http_rate
        self.network = network.Network(tuple(network.NODES)[: len(makers)], intruder)
        self._closing = []
        self.daemons = {}
        self.webs = {}
        try:
            for host, make, priority in zip(self.network.nodes, makers, priorities):
                self._closing.append(probe.echo_server(host).kill)
                if web:
                    self.webs[host.name] = web(host).start()
                    self._closing.append(self.webs[host.name].kill)
                self.daemons[host.name] = make(host, settings, priority)
                self._closing.append(self.daemons[host.name].end)
            self.client = probe.client(self.network, settings.addresses, udp_rate, http_rate, http_timeout)
            self._closing.append(self.client.stop)
            self.observer = probe.observer(self.network, settings.addresses, observe_us)
            self._closing.append(self.observer.stop)
        except BaseException:
            self.close()
            raise

    def start(self, settle=True):
        for each in self.daemons.values():
            each.start()
        if settle:
            self.settle()
        return self

    def start_in_order(self, first):
        """Starts the node that shall be Active, waits until it is, then the others: for groups without preemption."""
        self.daemons[first].start()
        self.settle(first)
        for name, daemon in self.daemons.items():
            if name != first:
                daemon.start()
        self.settle(first)
        return self

    def settle(self, active="a", aside=(), served=True):
        """Waits until the node `active` is Active, all others that run are Backup, and (`served`) it is the one
        that serves the client. `aside` are nodes whose state does not matter."""
        for name, daemon in self.daemons.items():
            if daemon.running and name not in aside:
                daemon.wait_state("Active" if name == active else "Backup", SETTLING)
        for address in self.settings.addresses if served else ():
            wait_until(
                lambda a=address: self._served_by(a, active), SETTLING, f"service at {address} by {active}"
            )

    def _served_by(self, address, node):
        for kind, rate in (("u", self._udp_rate), ("h", self._http_rate)):
            count = rate // 20
            recent = self.client.latest(kind, address, count).samples
            if len(recent) < count or any(each.node != node for each in recent):
                return False
        return True

    def quiet(self):
        """Waits until no node has announced an address for a while: the rounds after the last move are over."""

        def silent():
            now = time.monotonic_ns()
            return all(
                not self.observer.announced_since(each, now - QUIET_NS) for each in self.settings.addresses
            )

        wait_until(silent, SETTLING, "an end of the announcements")

    def active(self):
        """The name of the node that is Active, or None while it is not exactly one."""
        found = [name for name, daemon in self.daemons.items() if daemon.state() == "Active"]
        return found[0] if len(found) == 1 else None

    def host(self, name):
        return self.network.node(name)

    def close(self):
        while self._closing:
            self._closing.pop()()
        self.network.close()
