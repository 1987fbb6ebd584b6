"""How long new connections need to reach the server that sits now, and whether one fails on the way:  flip.py [--flips N] [--push]

HAProxy with the file that `firstchair haproxy-config` prints, default keys (agent 200 ms, polls in phase, held door); stand-ins for
nodes and servers, so that only HAProxy's part is timed. A flip changes both answers at one instant, at any moment of the polls'
phase; a visitor comes every 3 ms. With --push the words go to the runtime socket too, as firstchair pushes them. Prints the time
from the flip to the first visitor that was told the new name; failed: visitors that reached no server at all; cut: those that were on
the old server when it was taken out, as every session there is; and whether two servers took visitors at a time.
"""
import argparse
import os
import random
import sys
import time
from collections import namedtuple

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from stage import Front, StageFailure, wait_until                     # noqa: E402
from stage.home import POOL                                          # noqa: E402
from stage.standins import spoken                                    # noqa: E402

EVERY_MS = 3
AGENT_INTER_MS = 200

Flip = namedtuple('Flip', 'name began ended')            # monotonic seconds
Flips = namedtuple('Flips', 'took_ms visitors failed cut extra')


def push_lines(first):
    """Who leaves first, then who sits, in one line: as agent/proxies.c does it."""
    rest = 'db1' if first == 'db2' else 'db2'
    return '; '.join(spoken('backend', voice).push.replace('p/s', f'{POOL}/{name}') for name, voice in ((rest, 'rest'), (first, 'first')))


def flip(front, visitors, name, is_pushed):
    """The flip, to the first visitor that was told the new name."""
    began = time.monotonic()
    front.seat(name)
    if is_pushed:
        front.proxy.ask(push_lines(name))
    visitors.wait_name(name, began, bound=30)
    ended = min(visit.ended for visit in list(visitors.seen) if visit.ended >= began and visit.name == name)
    return Flip(name, began, ended)


def came_too_late(visit, done):
    """Was this visitor told the old name although, before it came, another one had been told the new one? By the visitors' own
    times: servers that are slow to let in do so in any order."""
    before = [flip for flip in done if flip.ended < visit.began]
    return bool(before) and visit.name not in (None, before[-1].name) and not any(
        flip.name == visit.name and flip.began <= visit.ended for flip in done[len(before):])


def flips(count, is_pushed):
    """So many flips; `extra` is how many visitors met the old server after the new one had been met."""
    with Front() as front:
        front.seat('db1')
        front.start().wait_patient('db1')
        visitors = front.visitors(EVERY_MS)
        visitors.wait_name('db1', count=20)
        done = []
        for number in range(count):
            time.sleep(0.5 + random.random() * AGENT_INTER_MS / 1000)     # at any moment of the polls' phase
            done.append(flip(front, visitors, ('db2', 'db1')[number % 2], is_pushed))
        seen = visitors.stop()
        arrivals = sum(len(server.visits) for server in front.servers.values())
        told = sum(visit.name is not None for visit in seen)
        return Flips([(flip.ended - flip.began) * 1000 for flip in done], len(seen), len(seen) - arrivals, arrivals - told,
                     sum(came_too_late(visit, done) for visit in seen))


def share(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument('--flips', type=int, default=60)
    reader.add_argument('--push', action='store_true')
    options = reader.parse_args()
    try:
        found = flips(options.flips, options.push)
    except StageFailure as failure:
        print(failure)
        return 1
    print(f'{"by push" if options.push else "by polls"}, {len(found.took_ms)} flips: min {min(found.took_ms):.0f}, '
          f'p50 {share(found.took_ms, 0.5):.0f}, p95 {share(found.took_ms, 0.95):.0f}, max {max(found.took_ms):.0f} ms; '
          f'{found.visitors} visitors, failed {found.failed}, cut {found.cut}; two servers at a time: {found.extra} times')
    return 0


if __name__ == '__main__':
    sys.exit(main())
