#!/usr/bin/env python3
"""vipd and keepalived share addresses: either as Active, failures, returns and planned stops, IPv4 and IPv6."""
from vipdlab.case import main
from vipdlab.daemons import Keepalived
from vipdlab.peers import PeerCase


class KeepalivedPeer(PeerCase):
    peer = Keepalived


if __name__ == "__main__":
    main()
