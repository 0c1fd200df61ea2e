#!/usr/bin/env python3
"""vipd and keepalived share addresses, either as Active: failures, returns, planned stops, both families."""
# timed: outages, in milliseconds
from vipdlab import peers
from vipdlab.case import main
from vipdlab.daemons import Keepalived


class KeepalivedPeer(peers.PeerCase):
    peer = Keepalived


if __name__ == "__main__":
    main()
