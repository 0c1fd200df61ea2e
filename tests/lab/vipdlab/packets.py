"""VRRP packets of any shape, sent from a host of the lab; and what tshark and tcpdump think of ours."""
import dataclasses
import ipaddress
import re
import struct
import sys

from . import sandbox
from .network import CABLE
from .processes import PATIENCE, run, wait_until

GROUP4, GROUP6 = "224.0.0.18", "ff02::12"
VRRP = 112

# Runs in the host's namespace: lines "frame HEX" go out as they are, "4 HEX" and "6 HEX" as a VRRP message in
# packets of the kernel's making, which cuts what is too long into fragments.
SENDER = f"""
import socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("{CABLE}", 0))
index = socket.if_nametoindex("{CABLE}")
four = socket.socket(socket.AF_INET, socket.SOCK_RAW, {VRRP})
four.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
four.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, bytes(8) + index.to_bytes(4, sys.byteorder))
six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, {VRRP})
six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
for line in sys.stdin:
    kind, data = line.split()
    data = bytes.fromhex(data)
    if kind == "frame":
        link.send(data)
    elif kind == "4":
        four.sendto(data, ("{GROUP4}", 0))
    else:
        six.sendto(data, ("{GROUP6}", 0, 0, index))
"""


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@dataclasses.dataclass(frozen=True)
class Advertisement:
    """A good one by default; every field can be made wrong, and bytes cut off or put behind."""

    source: str
    addresses: tuple
    vrid: int = 51
    priority: int = 255
    interval_cs: int = 10
    version: int = 3
    kind: int = 1
    count: int | None = None  # None: as many as there are
    hop_limit: int = 255
    destination: str = ""  # "": the VRRP group
    checksum: int | None = None  # None: the right one, with pseudo-header
    keep: int | None = None  # bytes of the message that are sent
    trailing: bytes = b""

    @property
    def family(self):
        return ipaddress.ip_address(self.source).version

    @property
    def target(self):
        return self.destination or (GROUP4 if self.family == 4 else GROUP6)

    def message(self):
        count = len(self.addresses) if self.count is None else self.count
        packed = b"".join(ipaddress.ip_address(each).packed for each in self.addresses)
        head = struct.pack(
            "!BBBBH", self.version << 4 | self.kind, self.vrid, self.priority, count, self.interval_cs
        )
        body = head + b"\0\0" + packed + self.trailing
        ends = ipaddress.ip_address(self.source).packed + ipaddress.ip_address(self.target).packed
        pseudo = ends + (
            struct.pack("!BBH", 0, VRRP, len(body))
            if self.family == 4
            else struct.pack("!IHBB", len(body), 0, 0, VRRP)
        )
        total = checksum(pseudo + body) if self.checksum is None else self.checksum
        return (head + struct.pack("!H", total) + packed + self.trailing)[: self.keep]

    def frame(self, source_mac, target_mac=None):
        message = self.message()
        source, target = (ipaddress.ip_address(each).packed for each in (self.source, self.target))
        mac = target_mac or ("01:00:5e:00:00:12" if self.family == 4 else "33:33:00:00:00:12")
        ethernet = bytes.fromhex((mac + source_mac).replace(":", ""))
        if self.family == 4:
            head = (
                struct.pack("!BBHHHBBH", 0x45, 0xC0, 20 + len(message), 0, 0, self.hop_limit, VRRP, 0)
                + source
                + target
            )
            head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
            return ethernet + b"\x08\x00" + head + message
        head = struct.pack("!IHBB", 6 << 28, len(message), VRRP, self.hop_limit) + source + target
        return ethernet + b"\x86\xdd" + head + message


def wrong(good):
    """Good advertisements made wrong: name -> (advertisement, the reason that must be counted)."""
    change = lambda **fields: dataclasses.replace(good, **fields)  # noqa: E731
    found = {
        "a hop limit of 254": (change(hop_limit=254), "hop_limit"),
        "a hop limit of 1": (change(hop_limit=1), "hop_limit"),
        "no message at all": (change(keep=0), "length"),
        "half a header": (change(keep=5), "length"),
        "half an address": (change(keep=10), "length"),
        "fewer addresses than it says": (change(count=9), "length"),
        "no address": (change(addresses=()), "address_count"),
        "version 2": (change(version=2), "version"),
        "version 4": (change(version=4), "version"),
        "another type": (change(kind=2), "type"),
        "a wrong checksum": (change(checksum=0xBEEF), "checksum"),
        "an interval of zero": (change(interval_cs=0), "interval"),
    }
    if good.family == 6:
        found["a source that is not link-local"] = (change(source="2001:db8::fe"), "source")
    return found


def send(host, advertisements, times=1, target_mac=None):
    """From this host's cable, as frames of our own making."""
    lines = [f"frame {each.frame(host.mac, target_mac).hex()}\n" for each in advertisements] * times
    host.run(sys.executable, "-c", SENDER, text="".join(lines))


def send_long(host, advertisement, times=1):
    """Longer than a frame: the kernel makes fragments. The source is the host's own address."""
    host.run(
        sys.executable, "-c", SENDER, text=f"{advertisement.family} {advertisement.message().hex()}\n" * times
    )


class Capture:
    """Everything that one host sees on its cable, or what matches an expression, for tshark and tcpdump."""

    def __init__(self, host, name="capture", expression=""):
        # At once: packets still in its buffer when it ends would be missing.
        self.file = sandbox.WORK / f"{host.name}.{name}.pcap"
        self._process = host.process(
            f"{name}.tcpdump",
            *("tcpdump", "-i", CABLE, "--immediate-mode", "-U", "-Z", "root", "-w", self.file, expression),
        ).start()
        self._process.wait_log("listening on")

    def stop(self):
        self._process.stop()
        return self

    def tshark(self, display_filter, *fields):
        """The packets that match; each as its list of fields, or as its summary."""
        wanted = [option for field in fields for option in ("-e", field)]
        lines = run(
            "env",
            f"HOME={sandbox.WORK}",
            "tshark",
            "-n",
            "-r",
            self.file,
            "-o",
            "vrrp.v3_checksum_as_in_v2:FALSE",
            "-Y",
            display_filter,
            *(["-T", "fields", *wanted] if fields else []),
            timeout=60,
        ).splitlines()
        lines = [line for line in lines if not line.startswith("Running as user")]
        return [line.split("\t") for line in lines] if fields else lines

    def tcpdump(self, expression):
        text = run("tcpdump", "-n", "-vvv", "-r", self.file, expression)
        return re.sub(r"(?m)^reading from file .*\n", "", text)

    def wait_for(self, display_filter, count, timeout=PATIENCE):
        wait_until(
            lambda: len(self.tshark(display_filter)) >= count,
            timeout,
            f"{count} packets that match {display_filter}",
        )
