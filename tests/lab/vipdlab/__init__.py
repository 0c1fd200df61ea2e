"""The laboratory: real daemons in network namespaces of their own, a client, and what it saw.

sandbox   a place on this machine that vanishes with us
network   hosts on a switch, cables that fail
daemons   vipd, keepalived and FRR behind one face
web       nginx on a node
freezer   processes that stand still, in a cgroup
probe     what the client and the observer saw
packets   VRRP packets of any shape, sent from the wire
watch     which node has which virtual address, at every moment
group     nodes, their daemons and who looks on
case      what the tests have in common
view      the demo's picture, or plain lines
table     the demo's table: what it says and how it is laid out
"""
