"""The chaos lab: three nodes under a random but repeatable sequence of faults, and sentences that must hold.

lab       the nodes, and what can be asked of them and done to them
fault     what a fault is, and what it may cost: the allowed gap, the allowed time with two Actives
*_faults  everything that can be done; kinds has them all
sentences what must hold whatever is done
run       the sequence, re-tries, the table, and what is kept of a violation
"""
