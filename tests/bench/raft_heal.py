"""How soon raft's own streams carry again when the line between two sites is whole again, by how long it was cut:  raft_heal.py [--rounds N]

Three nodes in network namespaces (tests/stage/sites.py), root only; FC_BUILD, default build/bench. The leader and another node are cut from each
other, the witness keeps the leader a majority. After the heal: until the leader has heard an answer of raft's from the other node, sent after it.
"""
import argparse
import os
import sys
import time

sys.dont_write_bytecode = True
os.environ.setdefault('FC_BUILD', 'build/bench')
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from stage import Raft, wait_until                                      # noqa: E402
from stage.nest import close_all                                        # noqa: E402
from stage.sites import Sites                                           # noqa: E402

CUT_SECONDS = (1, 2, 3, 4, 6, 6.5, 9)
LEADER, OTHER = 'fc1', 'fc2'
BOUND_SECONDS = 20


def heard_ago(home):
    return next(member['RaftHeardSecondsAgo'] for member in Raft.raft_status(home.node(LEADER))['Members'] if member['Name'] == OTHER)


def healed_after(home, seconds):
    home.led_by(LEADER)
    wait_until(lambda: heard_ago(home) < 0.3, BOUND_SECONDS, f'{LEADER} to hear {OTHER}')
    home.cut('a', 'b')
    time.sleep(seconds)
    home.heal()
    began = time.monotonic()
    return wait_until(lambda: heard_ago(home) < (took := time.monotonic() - began) and took, BOUND_SECONDS, 'raft to be heard again', every=0.005)


def main():
    reader = argparse.ArgumentParser(prog='raft_heal.py')
    reader.add_argument('--rounds', type=int, default=3)
    rounds = reader.parse_args().rounds
    everything = []
    try:
        with Sites().start() as home:
            for seconds in CUT_SECONDS:
                took = [healed_after(home, seconds) for _ in range(rounds)]
                everything += took
                print(f'cut for {seconds:g} s: raft is heard again after {", ".join(f"{one:.2f}" for one in took)} s', flush=True)
        print(f'of {len(everything)}: median {sorted(everything)[len(everything) // 2]:.2f} s, longest {max(everything):.2f} s')
    finally:
        close_all()


if __name__ == '__main__':
    main()
