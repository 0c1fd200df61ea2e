"""Which node has which of the virtual addresses, at every moment: listens to the kernel in each node's namespace."""
import bisect
import ctypes
import ipaddress
import os
import select
import socket
import struct
import threading
import time

CLONE_NEWNET = 0x40000000
ROUTE = 0  # NETLINK_ROUTE
ADDRESS_GROUPS = 0x10 | 0x100  # RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
NEW_ADDRESS, GET_ADDRESS = 20, 22
DONE = 3
REQUEST_DUMP = 0x301
OUR_DUMP = 0x76697064  # tells its answers from events, which have the number of who caused them
IFA_ADDRESS, IFA_LOCAL = 1, 2
REFRESH = 0.5  # seconds after which everything is read anew, should an event have been lost

_libc = ctypes.CDLL(None, use_errno=True)


def _enter_network(path):
    with open(path, "rb") as namespace:
        if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"entering {path}")


def socket_in(host):
    """A netlink socket that belongs to the host's namespace, though we do not."""
    try:
        _enter_network(f"/run/netns/{host.name}")
        made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, ROUTE)
    finally:
        _enter_network(f"/proc/{os.getpid()}/ns/net")
    made.bind((0, ADDRESS_GROUPS))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    return made


def _address_of(message):
    """The address in an RTM_NEWADDR."""
    found, at = {}, 24
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if length < 4:
            break
        found[kind] = message[at + 4 : at + length]
        at += (length + 3) & ~3
    packed = found.get(IFA_LOCAL) or found.get(IFA_ADDRESS)
    return str(ipaddress.ip_address(packed)) if packed and len(packed) in (4, 16) else None


class AddressWatch:
    """A thread that notes each coming and going. Any event makes it read all addresses of that node."""

    def __init__(self, network, addresses, refresh=REFRESH):
        """refresh: None where no event is lost, and where waking up has its price."""
        self._refresh = refresh
        # The main thread leaves its namespace for a moment: no process may be started meanwhile.
        self._sockets = {host.name: socket_in(host) for host in network.nodes}
        self._wanted = set(addresses)
        self._present = {name: set() for name in self._sockets}
        self._history = []  # (moment, node, address, came)
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._wake_out, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        names = {made.fileno(): name for name, made in self._sockets.items()}
        for name in self._sockets:
            self._read_all(name)
        last = time.monotonic()
        while not self._end.is_set():
            ready, _, _ = select.select([*names, self._wake_out], [], [], self._refresh)
            for descriptor in ready:
                if descriptor in names:
                    self._read_all(names[descriptor])
            if self._refresh and time.monotonic() - last > self._refresh:
                last = time.monotonic()
                for name in self._sockets:
                    self._read_all(name)

    def _read_all(self, name):
        made = self._sockets[name]
        made.settimeout(1)
        made.send(struct.pack("=IHHIIBxxxxxxx", 24, GET_ADDRESS, REQUEST_DUMP, OUR_DUMP, 0, socket.AF_UNSPEC))
        found = set()
        while True:
            try:
                data = made.recv(1 << 17)
            except OSError:  # too many events at once: the next reading tells
                return
            at, done = 0, False
            while at + 16 <= len(data):
                length, kind, _, sequence = struct.unpack_from("=IHHI", data, at)
                if length < 16:
                    break
                if sequence == OUR_DUMP and kind == NEW_ADDRESS:
                    found.add(_address_of(data[at : at + length]))
                done = done or (sequence == OUR_DUMP and kind == DONE)
                at += (length + 3) & ~3
            if done:
                break
        self._note(name, found & self._wanted)

    def _note(self, name, found):
        moment = time.monotonic_ns()
        with self._lock:
            before = self._present[name]
            self._present[name] = found
            self._history += [(moment, name, each, True) for each in sorted(found - before)]
            self._history += [(moment, name, each, False) for each in sorted(before - found)]

    def present(self, name):
        with self._lock:
            return set(self._present[name])

    def history(self, since, until):
        """[(moment, node, address, came)]"""
        with self._lock:
            first = bisect.bisect_left(self._history, since, key=lambda each: each[0])
            return [each for each in self._history[first:] if each[0] < until]

    def present_at(self, name, moment):
        """What it had then."""
        with self._lock:
            have = set(self._present[name])
            for when, node, address, came in reversed(self._history):
                if when <= moment:
                    break
                if node == name:
                    (have.discard if came else have.add)(address)
            return have

    def forget(self, before):
        with self._lock:
            del self._history[: bisect.bisect_left(self._history, before, key=lambda each: each[0])]

    def stop(self):
        self._end.set()
        os.close(self._wake)  # ends its waiting
        self._thread.join(5)
        os.close(self._wake_out)
        for made in self._sockets.values():
            made.close()
