"""The lab's network: hosts on one switch, each a network namespace, and the ways in which a cable fails.

Hosts have the addresses 192.0.2.N and 2001:db8::N and the MAC address 02:00:00:00:00:N; nodes are a, b, c
(1, 2, 3), the client is 100, the observer 101, an intruder (where one is wanted) 102. Virtual addresses are 192.0.2.10 and up, 2001:db8::10 and up.
"""
import dataclasses
import json
import time

from .processes import Process, run

NODES = {"a": 1, "b": 2, "c": 3}
CLIENT = 100
OBSERVER = 101
INTRUDER = 102
VIP4 = "192.0.2.10"
VIP6 = "2001:db8::10"
SWITCH = "switch"
CABLE = "eth0"  # the interface of every host


@dataclasses.dataclass(frozen=True)
class Host:
    name: str
    number: int

    @property
    def ipv4(self):
        return f"192.0.2.{self.number}"

    @property
    def ipv6(self):
        return f"2001:db8::{self.number:x}"

    @property
    def mac(self):
        return f"02:00:00:00:00:{self.number:02x}"

    @property
    def port(self):
        """Its end of the cable at the switch."""
        return f"port-{self.name}"

    def run(self, *arguments, **options):
        return run("ip", "netns", "exec", self.name, *arguments, **options)

    def ip(self, *arguments, **options):
        return run("ip", "-n", self.name, *arguments, **options)

    def process(self, name, *arguments, **options):
        """A daemon in this host; not started yet."""
        return Process(f"{self.name}.{name}", ["ip", "netns", "exec", self.name, *arguments], **options)

    def addresses(self, interface=None):
        """What `ip address` shows, without prefix lengths."""
        text = self.ip("-j", "address", "show", *(["dev", interface] if interface else []), check=False)
        links = json.loads(text) if text.startswith("[") else []
        return {each["local"] for link in links for each in link.get("addr_info", []) if "local" in each}

    def holds(self, *addresses):
        return set(addresses) <= self.addresses()


class Network:
    """Makes the hosts and the switch. close() ends nothing but the namespaces: stop what runs in them first."""

    def __init__(self, nodes=("a", "b"), intruder=False):
        self.nodes = [Host(name, NODES[name]) for name in nodes]
        self.client = Host("client", CLIENT)
        self.observer = Host("observer", OBSERVER)
        self.intruder = Host("intruder", INTRUDER) if intruder else None
        self.hosts = [*self.nodes, self.client, self.observer, *([self.intruder] if intruder else [])]
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self):
        for name in (SWITCH, *(host.name for host in self.hosts)):
            run("ip", "netns", "add", name)
        run(
            "ip",
            "-n",
            SWITCH,
            "-batch",
            "-",
            text="""
            link set lo up
            link add br0 type bridge forward_delay 0 mcast_snooping 0
            link set br0 up
            """,
        )
        for host in self.hosts:
            self.plug(host)
            host.ip("link", "set", "lo", "up")

    def plug(self, host):
        """Gives a host its cable: the interface, its addresses, its port."""
        run(
            "ip",
            "-n",
            SWITCH,
            "-batch",
            "-",
            text=f"""
            link add {host.port} type veth peer name {CABLE} address {host.mac} netns {host.name}
            link set {host.port} master br0 up
            """,
        )
        settings = [
            f"net.ipv6.conf.{where}.{key}"
            for where in ("default", CABLE)
            for key in ("accept_dad=0", "accept_ra=0")
        ]
        host.run("sysctl", "-qw", *settings)
        host.ip(
            "-batch",
            "-",
            text=f"""
            address add {host.ipv4}/24 dev {CABLE}
            address add {host.ipv6}/64 dev {CABLE} nodad
            link set {CABLE} up
            """,
        )

    def unplug(self, host):
        """Deletes the host's interface altogether."""
        run("ip", "-n", SWITCH, "link", "del", host.port)

    def node(self, name):
        return next(node for node in self.nodes if node.name == name)

    def name_of(self, mac):
        """The host of a MAC address, or the address itself."""
        return next((host.name for host in self.hosts if host.mac == mac), mac)

    # Each returns the moment just before it was done, in nanoseconds of CLOCK_MONOTONIC.

    def cut(self, host):
        """Pulls the cable: the host loses its carrier, and its peers what it sends."""
        return self._port("ip", "-n", SWITCH, "link", "set", host.port, "down")

    def heal(self, host):
        return self._port("ip", "-n", SWITCH, "link", "set", host.port, "up")

    def cut_silently(self, host):
        """The switch stops forwarding for the host, which still sees its carrier."""
        return self._port("bridge", "-n", SWITCH, "link", "set", "dev", host.port, "state", "0")

    def heal_silently(self, host):
        return self._port("bridge", "-n", SWITCH, "link", "set", "dev", host.port, "state", "3")

    def mute(self, host):
        """One way only: nothing that the host sends arrives, but it hears every other host."""
        return self.filter(f"iifname {host.port} drop")

    def deafen(self, host):
        """One way only: the host hears no other, but all others hear it."""
        return self.filter(f"oifname {host.port} drop")

    def restore(self, table="lab"):
        """Undoes mute, deafen and filter."""
        return self._port("ip", "netns", "exec", SWITCH, "nft", f"delete table bridge {table}")

    def filter(self, *rules, table="lab"):
        """Rules of nft for what the switch forwards; the ports are named as Host.port says."""
        return self._port(
            "ip",
            "netns",
            "exec",
            SWITCH,
            "nft",
            f"table bridge {table} {{ chain forward {{ type filter hook forward priority 0; {'; '.join(rules)}; }}; }}",
        )

    @staticmethod
    def _port(*arguments):
        moment = time.monotonic_ns()
        run(*arguments)
        return moment

    def close(self):
        for name in (*(host.name for host in self.hosts), SWITCH):
            run("ip", "netns", "del", name, check=False)
