"""How long three raft nodes on one host are without a leader: after a kill of the leader, and after a yield.

usage: raft_handover.py [ROUNDS]   (default 20 of each; the build that FC_BUILD names, default build/release)

Every node is asked for /api/leader-check without a pause; the figure is from the kill, or from the moment when the order is given, to the
first 200 of another node. All nodes run on this machine: what it costs a network is not in it.
"""
import os
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests'))
os.environ.setdefault('FC_BUILD', 'build/release')
from stage import Raft, StageFailure, wait_until  # noqa: E402


def says(node):
    try:
        return node.leads(timeout=0.2)
    except (OSError, ValueError):
        return False


def await_other(house, old, began):
    """Milliseconds until another node leads."""
    while True:
        if any(node is not old and node.alive() and says(node) for node in house.nodes):
            return (time.monotonic() - began) * 1000
        if time.monotonic() - began > 30:
            raise StageFailure('nobody led within 30 s: ' + ' '.join(f'{n.name} {n.get("/api/raft-status")[1][:2000]}' for n in house.nodes if n.alive()))
        time.sleep(0.002)


def settled(house):
    """One leader whom all know, and nothing waits for a store."""
    leader = house.wait_leader(bound=30)
    wait_until(lambda: all(node.get('/api/raft-health')[0] == 200 for node in house.nodes), 30, 'all to be healthy')
    return leader


def tell(what, found):
    found.sort()
    at = lambda share: found[min(len(found) - 1, int(len(found) * share))]  # noqa: E731
    print(f'{what}: {len(found)} rounds, p50 {at(0.5):.0f} ms, p99 {at(0.99):.0f} ms, least {found[0]:.0f} ms')


def main(rounds):
    kills, yields = [], []
    with Raft(keys={'YieldPauseMilliseconds': 500}).start() as house:
        for _ in range(rounds):
            leader = settled(house)
            began = time.monotonic()
            leader.kill()
            kills.append(await_other(house, leader, began))
            leader.start()
            leader = settled(house)
            began = time.monotonic()
            leader.nest.start('yield', [leader_ctl(), '--socket', leader.order_socket, 'yield'], f'{leader.folder}/yield.log')
            yields.append(await_other(house, leader, began))
        house.wait_same()
    tell('after a kill', kills)
    tell('after a yield', yields)


def leader_ctl():
    from stage.node import program
    return program('firstchairctl')


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
