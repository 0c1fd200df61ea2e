#!/usr/bin/env python3
"""Forged advertisements: one that is valid in every field must not put a node out of service, and wrong ones must not
hold a Backup off."""
# timed: the outage of a claim, in milliseconds
import sys
import time

from vipdlab import packets, sandbox
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd, active_down_interval_ms, skew_time_ms
from vipdlab.network import VIP4, VIP6
from vipdlab.processes import wait_until

INTERVAL_MS = 200
PRIORITIES = (250, 200)
# Priority 255 and the longest interval of all, from addresses that no host has.
CLAIM4 = packets.Advertisement("192.0.2.66", (VIP4,), interval_cs=4095)
CLAIM6 = packets.Advertisement("fe80::66", (VIP6,), interval_cs=4095)
# The trial of a claimant that was never heard: 1.5 intervals and Skew_Time.
TRIAL_MS = 1.5 * INTERVAL_MS + skew_time_ms(INTERVAL_MS, PRIORITIES[0])
# Better than ours in everything, if they were valid.
WRONG4 = packets.Advertisement("192.0.2.254", (VIP4,))
WRONG6 = packets.Advertisement("fe80::fe", (VIP6,))
SLACK_MS = 60
ECHO_MS = 20  # the survivor of a conflict announces a second time after this


class Forged(LabCase):
    def pair(self):
        return self.group([Vipd, Vipd], RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES).start()

    def forge(self, group, *advertisements):
        moment = time.monotonic_ns()
        packets.send(group.network.observer, advertisements)
        return moment

    def test_one_forged_claim_costs_less_than_a_failover_and_the_second_is_named_with_its_mac_address(self):
        group = self.pair()
        a = group.daemons["a"]
        for _ in range(2):
            # Events: asked for its state it may have come back already.
            mark = a.mark()
            moment = self.forge(group, CLAIM4, CLAIM6)
            for family in ("IPv4", "IPv6"):
                a.wait_event(mark, "state_changed", family=family, previous_state="Active", state="Backup")
            group.settle("a")
            until = after(moment, TRIAL_MS + 5 * INTERVAL_MS)
            self.assert_outage(group, moment, until, TRIAL_MS + SLACK_MS)
            self.assert_moved(group, moment, until, "a")
        for claim, family in ((CLAIM4, "IPv4"), (CLAIM6, "IPv6")):
            a.wait_event(None, "false_claim", data=[claim.source], family=family, severity="P1")
            sender = [claim.source, group.network.observer.mac]
            a.wait_event(None, "sender_identified", data=sender, family=family, severity="P1")

    def test_a_farewell_forged_in_the_name_of_the_active_ends_with_the_next_exchange(self):
        group = self.pair()
        group.quiet()
        a = group.host("a")
        link_local = f"fe80::ff:fe00:{a.number:x}"
        begin = time.monotonic_ns()
        self.forge(
            group,
            packets.Advertisement(a.ipv4, (VIP4,), priority=0),
            packets.Advertisement(link_local, (VIP6,), priority=0),
        )
        # b may have heard a meanwhile; if not it is Active for an instant, and a announces again.
        until = after(begin, 5 * INTERVAL_MS)
        group.settle("a")
        self.assert_outage(group, begin, until, ECHO_MS + 20)
        for address in group.settings.addresses:
            self.assertLessEqual(group.observer.two_repliers(address, begin, until), 30)
            announcers = [group.network.name_of(mac) for _, mac in group.observer.announcements(address, begin, until)]
            if "b" in announcers:
                self.assertEqual(announcers[-1], "a", f"the survivor of {address} did not announce last")

    def test_a_forged_form_of_checksum_does_not_make_the_peers_deaf(self):
        # Without the pseudo-header, of a lower priority: the Active must go on in the form of its peers.
        group = self.pair()
        forged = packets.Advertisement("192.0.2.66", (VIP4,), priority=1, interval_cs=INTERVAL_MS // 10)
        total = packets.checksum(forged.message()[:6] + b"\0\0" + forged.message()[8:])
        plain = packets.Advertisement(
            "192.0.2.66", (VIP4,), priority=1, interval_cs=INTERVAL_MS // 10, checksum=total
        )
        before = group.daemons["a"].routers()[0]["counters"]["advertisements_received"]
        self.forge(group, plain, plain, plain, plain)

        def router():
            return group.daemons["a"].routers()[0]

        wait_until(lambda: router()["counters"]["advertisements_received"] >= before + 4, 3, "the forged ones")
        self.assertEqual(router()["checksum"], "pseudo_header")
        self.assertEqual(group.active(), "a")

    def test_wrong_packets_do_not_hold_off_a_backup(self):
        # If one of them restarted the Active_Down_Timer, b would wait for ever.
        group = self.pair()
        forged = [advertisement for good in (WRONG4, WRONG6) for advertisement, _ in packets.wrong(good).values()]
        flood = group.network.observer.process("flood", sys.executable, "-c", FLOOD)
        (sandbox.WORK / "flood.hex").write_text(
            "\n".join(each.frame(group.network.observer.mac).hex() for each in forged), encoding="ascii"
        )
        flood.start()
        flood.wait_log("flooding")
        moment = group.network.cut_silently(group.host("a"))
        group.settle("b", aside=("a",))
        until = after(moment, 6 * INTERVAL_MS)
        flood.kill()
        self.assert_outage(group, moment, until, active_down_interval_ms(INTERVAL_MS, PRIORITIES[1]) + SLACK_MS)


FLOOD = """
import socket, time
frames = [bytes.fromhex(line) for line in open("/run/lab/flood.hex")]
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
print("flooding", flush=True)
while True:
    for frame in frames:
        link.send(frame)
    time.sleep(0.02)
"""


if __name__ == "__main__":
    main()
