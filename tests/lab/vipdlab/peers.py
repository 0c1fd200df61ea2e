"""The conversations that vipd must be able to have with every other implementation of VRRPv3."""
import time

from .case import LabCase, after
from .daemons import RouterSettings, Vipd, active_down_interval_ms, skew_time_ms
from .processes import wait_until

INTERVAL_MS = 100
PRIORITIES = (200, 100)
TAKE_OVER_MS = active_down_interval_ms(INTERVAL_MS, PRIORITIES[1])
SLACK_MS = 40


class PeerCase(LabCase):
    """Set `peer` to the class of the other daemon, and its slack to what it needs itself once it is Active."""

    peer = None
    peer_slack_ms = SLACK_MS
    peer_reclaims = True  # announces itself when it has been Active all the time beside another
    # How long clients may be with a peer that has given way: what it says last may come after our announcement.
    peer_last_word_ms = 0

    def pair(self, first, second):
        return self.group([first, second], RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES).start()

    def slack(self, group, name):
        """What a node may need beyond the time that the protocol gives it."""
        return self.peer_slack_ms if isinstance(group.daemons[name], self.peer) else SLACK_MS

    def cut_and_heal(self, group):
        cut = group.network.cut(group.host("a"))
        group.settle("b", aside=("a",))
        until = after(cut, TAKE_OVER_MS + self.slack(group, "b") + 200)
        self.assert_outage(group, cut, until, TAKE_OVER_MS + self.slack(group, "b"))
        self.assert_moved(group, cut + 50_000_000, until, "b")
        healed = group.network.heal(group.host("a"))
        if not self.peer_reclaims and isinstance(group.daemons["a"], self.peer):
            # Then clients stay with our MAC address until they find out; all we can do is give the addresses up.
            group.settle("a", served=False)
            wait_until(
                lambda: not group.host("b").addresses() & set(group.settings.addresses),
                1,
                "b without the addresses",
            )
            return
        group.settle("a")
        until = after(healed, 1500)
        self.assert_moved(group, healed, until, "b", "a")
        last_word = self.peer_last_word_ms if isinstance(group.daemons["b"], self.peer) else 0
        self.assert_outage(group, healed, until, self.slack(group, "a") + last_word)

    def stop_and_return(self, group):
        moment = group.daemons["a"].stop()
        group.settle("b")
        allowed = skew_time_ms(INTERVAL_MS, PRIORITIES[1]) + self.slack(group, "b")
        until = after(moment, allowed + 200)
        # The leaver says so (priority 0): the other waits for its Skew_Time, not for three intervals.
        self.assert_outage(group, moment, until, allowed)
        returned = time.monotonic_ns()
        group.daemons["a"].start()
        group.settle("a")
        until = after(returned, 1500)
        self.assert_outage(group, returned, until, self.slack(group, "a"))
        self.assert_moved(group, returned, until, "b", "a")

    def stay(self, group):
        """For a while nothing happens: both understand each other's advertisements."""
        from_now = time.monotonic_ns()
        until = after(from_now, 1500)
        self.assert_moved(group, from_now, until, "a")
        for address in group.settings.addresses:
            self.assertEqual(group.observer.two_repliers(address, from_now, until), 0)

    def test_vipd_as_active_fails_and_preempts_when_it_is_back(self):
        group = self.pair(Vipd, self.peer)
        self.stay(group)
        self.cut_and_heal(group)

    def test_vipd_as_active_stops_and_preempts_when_it_is_back(self):
        self.stop_and_return(self.pair(Vipd, self.peer))

    def test_vipd_as_backup_takes_over_and_is_preempted_when_the_other_is_back(self):
        group = self.pair(self.peer, Vipd)
        self.stay(group)
        self.cut_and_heal(group)

    def test_vipd_as_backup_hears_that_the_other_stops_and_is_preempted_when_it_is_back(self):
        self.stop_and_return(self.pair(self.peer, Vipd))
