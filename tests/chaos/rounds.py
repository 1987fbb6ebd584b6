"""Rounds of trouble on real servers, judged by binlogs and by the clients:  rounds.py [--rounds N] [--no-push] kill|switch|leaders

  kill     the seated master is killed (SIGKILL) under writing clients, comes back, and the next round kills the other one
  switch   planned hand-overs; the clients send again what they do not know the end of
  leaders  the leading node is killed, frozen or stopped in turn; every node is asked every 10 ms whether it leads

Prints one line a round, then p50 and p99 of the gap that the clients saw, lost, doubled, and how often two servers were written to
or two nodes led at a time. Exit code 1 if a promise was broken: a write lost in a planned switch, doubled or on one side only in
any round, two writers, two leaders.
"""
import argparse
import http.client
import os
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from stage import Home, Judgement, StageFailure, wait_until          # noqa: E402
from stage.home import POOL                                          # noqa: E402
from stage.traffic import gap_ms                                     # noqa: E402

SAMPLE_SECONDS = 0.01
DWELL_SECONDS = 3.2           # ChairDwellMilliseconds and a little


def share(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0


def writers_of(home, retry_unknown):
    return [home.writer('persistent', 0, interval_ms=4, retry_unknown=retry_unknown),
            home.writer('fresh', 1, interval_ms=10, fresh=True, retry_unknown=retry_unknown)]


def chair_round(home, writers, number, disturb):
    """One move of the chair: what is disturbed by `disturb(seated, other)`; the gaps that the clients saw."""
    seated = home.pair[wait_until(lambda: home.nodes[0].seated(), 20, 'somebody to sit')]
    other = home.other(seated.name)
    for writer in writers:
        writer.wait_writes(server_id=seated.server_id, count=10)
    since_us = time.time() * 1e6
    disturb(seated, other)
    for writer in writers:
        writer.wait_writes(server_id=other.server_id, count=20, bound=40)
    gaps = [gap_ms(writer.writes(), since_us) for writer in writers]
    home.wait_seated(other.name, 40)           # a server that is down counts as closed
    print(f'round {number}: {seated.name} -> {other.name}, gap ' + ', '.join(
        f'{writer.client} {gap:.0f} ms' for writer, gap in zip(writers, gaps)), flush=True)
    return gaps


def chair_rounds(home, rounds, kind):
    writers = writers_of(home, retry_unknown=kind == 'switch')
    gaps = []
    for writer in writers:
        writer.start()

    def kill(seated, _other):
        seated.kill()

    def switch(_seated, other):
        home.nodes[0].order('switch', POOL, other.name)

    for number in range(1, rounds + 1):
        gaps += chair_round(home, writers, number, kill if kind == 'kill' else switch)
        for server in home.pair.servers:
            if not server.alive():
                server.start()
        wait_until(home.pair.replicates, 30, 'both servers to replicate again')
        time.sleep(DWELL_SECONDS)
    for writer in writers:
        writer.stop()
    home.pair.wait_level(60)
    judgement = Judgement(home.pair, writers)
    extra = judgement.changes() - rounds
    print(f'{kind}: {rounds} rounds, gap p50 {share(gaps, 0.5):.0f} ms, p99 {share(gaps, 0.99):.0f} ms, max {max(gaps):.0f} ms; '
          f'{judgement}; two writers at a time: {extra} times')
    broken = judgement.doubled or judgement.only_on_one_side or extra > 0 or (kind == 'switch' and judgement.lost)
    return not broken


class LeaderWatch:
    """Asks each node every 10 ms, each in a thread of its own, and keeps when it said yes."""

    def __init__(self, nodes):
        self.over = threading.Event()
        self.said = {node.name: [] for node in nodes}
        self.threads = [threading.Thread(target=self.watch, args=(node,), daemon=True) for node in nodes]
        for thread in self.threads:
            thread.start()

    def watch(self, node):
        while not self.over.wait(SAMPLE_SECONDS):
            asked = time.monotonic()
            try:
                line = http.client.HTTPConnection('127.0.0.1', node.http_port, timeout=0.5)
                line.request('GET', '/api/leader-check')
                leads = line.getresponse().status == 200
                line.close()
            except (OSError, http.client.HTTPException):
                continue
            if leads:
                self.said[node.name].append((asked, time.monotonic()))

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def overlap_ms(self):
        """How long two nodes certainly led at one time. A yes was true at some moment between asking and hearing, so two count
        only when one node's certain stretch (from hearing one yes to asking for the next) holds another's whole yes."""
        worst = 0.0
        for name, mine in self.said.items():
            stretches = [(heard, asked) for (_, heard), (asked, _) in zip(mine, mine[1:])
                         if heard <= asked and asked - heard < 5 * SAMPLE_SECONDS]
            for other, theirs in self.said.items():
                if other == name:
                    continue
                for asked, heard in theirs:
                    for begin, end in stretches:
                        if begin <= asked and heard <= end:
                            worst = max(worst, (end - begin) * 1000)
        return worst


def leader_rounds(home, rounds):
    watch = LeaderWatch(home.nodes)
    writer = home.writer(interval_ms=5).start()
    gaps = []
    for number in range(1, rounds + 1):
        leader = home.wait_leader(20)
        deed = ('kill', 'freeze', 'stop')[number % 3]
        began = time.monotonic()
        getattr(leader, deed)()
        successor = home.wait_leader(20, other_than=leader)
        gaps.append((time.monotonic() - began) * 1000)
        print(f'round {number}: {deed} of {leader.name}, {successor.name} leads after {gaps[-1]:.0f} ms', flush=True)
        time.sleep(0.5)
        leader.thaw() if deed == 'freeze' else leader.start()
        wait_until(lambda: home.leaders() == [successor], 10, f'only {successor.name} to lead')
    watch.end()
    broken = [write for write in writer.stop() if write.verdict not in ('ok', 'session')]
    print(f'leaders: {rounds} rounds, without a leader p50 {share(gaps, 0.5):.0f} ms, max {max(gaps):.0f} ms; '
          f'two leading at a time: {watch.overlap_ms():.0f} ms; '
          f'writes disturbed: {len(broken)}, longest gap of the writer {gap_ms(writer.writes()):.0f} ms')
    return watch.overlap_ms() == 0 and not broken


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument('kind', choices=['kill', 'switch', 'leaders'])
    reader.add_argument('--rounds', type=int, default=30)
    reader.add_argument('--no-push', action='store_true', help='HAProxy hears of a move by its own polls only')
    options = reader.parse_args()
    try:
        with Home(proxies=2, keys={'HAProxyPush': not options.no_push}).start() as home:
            if options.kind == 'leaders':
                well = leader_rounds(home, options.rounds)
            else:
                well = chair_rounds(home, options.rounds, options.kind)
    except StageFailure as failure:
        print(failure)
        return 1
    return 0 if well else 1


if __name__ == '__main__':
    sys.exit(main())
