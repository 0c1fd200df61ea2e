#!/usr/bin/env python3
"""On the wire: others read our packets without complaint, and packets that are wrong change nothing. That they do not
hold a Backup off: test_forged.py."""
import dataclasses
import shutil
import time

from vipdlab import packets
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.network import VIP4, VIP6
from vipdlab.processes import PATIENCE, wait_until

INTERVAL_MS = 100
PRIORITIES = (250, 200)
# A node that would be better than ours in everything, if it were valid.
FORGED4 = packets.Advertisement("192.0.2.254", (VIP4,))
FORGED6 = packets.Advertisement("fe80::fe", (VIP6,))


class Wire(LabCase):
    def pair(self):
        return self.group([Vipd, Vipd], RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES).start()

    def test_dissectors_read_our_packets_without_complaint(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES)
        capture = packets.Capture(group.network.observer)
        group.start()
        group.daemons["a"].stop()  # priority 0, and the announcements of b
        group.settle("b")
        after(time.monotonic_ns(), 500)
        capture.stop()
        for family, mac in (("ip", "01:00:5e:00:00:12"), ("ipv6", "33:33:00:00:00:12")):
            rows = capture.tshark(
                f"vrrp && {family}",
                "vrrp.version",
                "vrrp.type",
                "vrrp.virt_rtr_id",
                "vrrp.prio",
                "vrrp.addr_count",
                "vrrp.short_adver_int",
                "vrrp.ip_addr" if family == "ip" else "vrrp.ipv6_addr",
                "eth.dst",
                "ip.ttl" if family == "ip" else "ipv6.hlim",
            )
            self.assertGreater(len(rows), 5, family)
            address = VIP4 if family == "ip" else VIP6
            for row in rows:
                # As tshark prints them: the interval in centiseconds, "type" as a number.
                self.assertEqual(
                    [row[0], row[1], row[2], row[4], row[5], *row[6:]],
                    ["3", "1", "51", "1", str(INTERVAL_MS // 10), address, mac, "255"],
                    row,
                )
            self.assertLessEqual({row[3] for row in rows}, {"250", "200", "0"})
            self.assertIn(
                "0", {row[3] for row in rows}, f"{family}: no advertisement of priority 0 at the stop"
            )
        self.assertTrue(capture.tshark("arp.isgratuitous"), "no gratuitous ARP")
        self.assertTrue(
            capture.tshark("icmpv6.type == 136 && icmpv6.nd.na.flag.s == 0 && icmpv6.nd.na.flag.o == 1"),
            "no unsolicited NA",
        )
        # That an address has moved is the purpose: tshark calls it a duplicate.
        complaints = '_ws.malformed || (_ws.expert.severity >= "Warning" && !arp.duplicate-address-detected)'
        self.assertEqual(capture.tshark(f"(vrrp || arp || icmpv6) && ({complaints})"), [])
        self.assertEqual(
            capture.tshark(
                'vrrp.checksum.status == "Bad" || icmpv6.checksum.status == "Bad" || ip.checksum.status == "Bad"'
            ),
            [],
        )
        text = capture.tcpdump("proto 112 or ip6 proto 112 or arp or icmp6")
        self.assertIn("VRRPv3", text)
        for complaint in ("bad", "invalid", "[|", "truncated", "incorrect", "wrong"):
            self.assertNotIn(complaint, text.lower())

    def test_wrong_packets_are_counted_and_change_nothing(self):
        group = self.pair()
        group.quiet()
        begin = time.monotonic_ns()
        states = {name: self.transitions(daemon) for name, daemon in group.daemons.items()}
        for good in (FORGED4, FORGED6):
            for what, (advertisement, reason) in packets.wrong(good).items():
                with self.subTest(f"{what}, IPv{good.family}"):
                    before = {
                        name: daemon.discarded().get(reason, 0) for name, daemon in group.daemons.items()
                    }
                    packets.send(group.network.observer, [advertisement], times=5)
                    for name, daemon in group.daemons.items():
                        self.wait_counted(daemon, reason, before[name] + 5)
        self.assert_nothing_happened(group, begin, states)

    def wait_counted(self, daemon, reason, at_least):
        wait_until(
            lambda: daemon.discarded().get(reason, 0) >= at_least,
            PATIENCE,
            lambda: f'{at_least} of "{reason}" on {daemon.host.name} ({daemon.discarded()})',
        )

    @staticmethod
    def transitions(daemon):
        times = daemon.times_active()  # waits for an answer
        return daemon.states(), times

    def assert_nothing_happened(self, group, begin, states):
        until = after(time.monotonic_ns(), 5 * INTERVAL_MS)
        for name, daemon in group.daemons.items():
            self.assertEqual(self.transitions(daemon), states[name])
        self.assert_moved(group, begin, until, "a")
        for address in group.settings.addresses:
            self.assertEqual(
                group.observer.announcements(address, begin, until), [], "announced again for nothing"
            )

    def test_an_oversized_packet_is_counted_and_changes_nothing(self):
        group = self.pair()
        group.quiet()
        begin = time.monotonic_ns()
        states = {name: self.transitions(daemon) for name, daemon in group.daemons.items()}
        observer = group.network.observer
        link_local = f"fe80::ff:fe00:{observer.number:x}"
        for good in (
            packets.Advertisement(observer.ipv4, (VIP4,)),
            packets.Advertisement(link_local, (VIP6,)),
        ):
            before = {name: daemon.discarded().get("length", 0) for name, daemon in group.daemons.items()}
            packets.send_long(observer, dataclasses.replace(good, trailing=bytes(9000)), times=3)
            for name, daemon in group.daemons.items():
                self.wait_counted(daemon, "length", before[name] + 3)
        self.assert_nothing_happened(group, begin, states)


if __name__ == "__main__":
    main(
        needs=[
            (each, shutil.which(each, path="/usr/bin:/usr/sbin:/bin:/sbin")) for each in ("tshark", "tcpdump")
        ]
    )
