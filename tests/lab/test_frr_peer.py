#!/usr/bin/env python3
"""vipd and FRR's vrrpd share addresses, either as Active: failures, returns, planned stops, both families."""
# timed: outages, in milliseconds
from vipdlab import peers
from vipdlab.case import main
from vipdlab.daemons import Frr


class FrrPeer(peers.PeerCase):
    peer = Frr
    peer_reclaims = False
    peer_last_word_ms = 500  # then comes the third round of our announcements
    peer_slack_ms = 1300  # its IPv6 macvlan is served by the kernel up to a second after it has come up


if __name__ == "__main__":
    main(needs_users=True, needs=[("frr", Frr.installed())])
