"""Pairs with many virtual routers, and what a loaded machine makes of them."""
import os
import re
import subprocess
import sys
import time

from .daemons import Keepalived, RouterSettings, Vipd, prefixed
from .case import after

BUSY = "import os, time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end and os.getppid() == {parent}: pass"


def address_of(vrid):
    return f"192.0.2.{110 + vrid}"


class ManyVipd(Vipd):
    """vipd with virtual routers of one address each, VRID 1 to `count`."""

    def __init__(self, host, settings, priority, count):
        lines = ["virtual_routers:"]
        for vrid in range(1, count + 1):
            lines += [
                f"  edge{vrid}:",
                f"    interface: {settings.interface}",
                f"    vrid: {vrid}",
                f"    priority: {priority}",
                f"    advertisement_interval: {settings.interval_ms}ms",
                f"    addresses: [{prefixed(address_of(vrid))}]",
            ]
        super().__init__(host, settings, priority, config="\n".join(lines) + "\n")
        self.count = count

    def routers(self):
        return self.status().get("routers", [])

    def states(self):
        found = {each["state"] for each in self.routers()}
        return {4: found.pop()} if len(found) == 1 and len(self.routers()) == self.count else {}


class ManyKeepalived(Keepalived):
    """keepalived with the same, with its default settings."""

    def __init__(self, host, settings, priority, count):
        self.count = count
        super().__init__(host, settings, priority)

    def configuration(self, extra_global, directory):
        s = self.settings
        return "global_defs {\n  vrrp_version 3\n}\n" + "".join(
            f"vrrp_instance v{vrid} {{\n  state BACKUP\n  interface {s.interface}\n  virtual_router_id {vrid}\n"
            f"  priority {self.priority}\n  advert_int {s.interval_ms / 1000:g}\n"
            f"  virtual_ipaddress {{\n    {prefixed(address_of(vrid))}\n  }}\n}}\n"
            for vrid in range(1, self.count + 1)
        )

    def states(self):
        words = {"MASTER": "Active", "BACKUP": "Backup", "FAULT": "Initialize"}
        last = dict(re.findall(r"\(v(\d+)\) Entering (MASTER|BACKUP|FAULT) STATE", self.log()))
        found = set(last.values())
        return {4: words[found.pop()]} if len(found) == 1 and len(last) == self.count else {}

    def times_active(self):
        return len(re.findall(r"Entering MASTER STATE", self.log()))


def many(kind, count, interval_ms):
    """(makers, settings) of a Group; the client asks for the first address."""
    settings = RouterSettings(interval_ms=interval_ms, addresses=(address_of(1),))

    def make(host, settings, priority):
        return kind(host, settings, priority, count)

    return [make, make], settings


class Burn:
    """Busy loops of ordinary priority, one after the other on whatever core there is; they end by themselves."""

    def __init__(self, count, seconds):
        program = BUSY.format(seconds=seconds, parent=os.getpid())
        self._processes = [subprocess.Popen([sys.executable, "-S", "-c", program]) for _ in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self._processes:
            each.kill()
            each.wait()


def false_take_overs(group, loops, seconds):
    """How often anybody has become Active while nothing happened but load; and since when, until when."""
    before = sum(each.times_active() for each in group.daemons.values())
    moment = time.monotonic_ns()
    with Burn(loops, seconds):
        until = after(moment, seconds * 1000)
    time.sleep(0.5)
    return sum(each.times_active() for each in group.daemons.values()) - before, moment, until
