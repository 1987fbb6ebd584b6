"""Rounds of trouble for three and five nodes that agree by raft, each on a host of its own in a network that can be cut (root).

  raft.py [--nodes 3] [--rounds N] [--seed S] [--first R] [--strangers] [PLAY ...]       raft.py --list

At every node a client gives orders all the time, and every node is asked every 10 ms whether it leads. A round is a fault, its end,
and the judgement: every answered order is on every node as done, and the private stores are the same row by row, column by
column; never two nodes said at one moment that they lead; one leads within a bound after the fault is over. A seed decides all that
is left to chance; --first R begins with round R, so that a round that failed can be had alone. The last lines are a table: handover
is without a leader after the loss of one, after a heal is until one leads again (0: one led all the time). Exit code 1 if a promise
was broken; 77 where namespaces are not possible.
"""
import argparse
import random
import secrets
import sys
import time
import traceback
from collections import namedtuple
from os.path import abspath, dirname

sys.dont_write_bytecode = True
sys.path[:0] = [dirname(dirname(abspath(__file__))), dirname(abspath(__file__))]

from raft_crew import Client, Looks, Strangers                       # noqa: E402
from raft_plays import PLAYS                                         # noqa: E402
from stage import Raft, Skip, StageFailure, wait_until               # noqa: E402

SKIPPED = 77
LEADER_BOUND = 30            # after the last heal, on a loaded machine; what it took is told
SETTLE_BOUND = 60
ENTRIES_IN_A_ROUND = 4096    # orders come in hundreds a second here: who was away is to be given them, not the state without the older ones
LOOKS_LEAST = 200            # fewer would say nothing about two leaders at a time
ORDERS_IN_COMMON, LINES_IN_COMMON = 64, 256                          # backends/quorum/shared_state.h
CLOSED_ELSEWHERE = 'it was answered while this node was away; the other nodes have the answer'      # backends/quorum/quorum_store.c
Row = namedtuple('Row', 'name rounds handovers yields heals logged direct unknown refused looks broken')


def share(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0


class Round:
    """What a play has at hand: the house, the parts, and what it wants to be told in the table."""

    def __init__(self, house, chance, tag):
        self.house, self.chance, self.tag = house, chance, tag
        self.handovers, self.yields, self.heals, self.faults, self.claims, self.said = [], [], [], [], [], []
        self.incomplete = set()              # nodes that were away for longer than what is held in common
        self.began = time.monotonic()
        self.looks = self.clients = self.leader = None
        self.answered_twice = 0

    # ---- before ----

    def begin(self):
        settled(self.house)
        self.looks = Looks(self.house.nodes)
        self.clients = [Client(node, f'{self.tag}-{node.name}') for node in self.house.nodes]
        self.leader = self.house.wait_leader(LEADER_BOUND)
        self.followers = [node for node in self.house.nodes if node is not self.leader]
        self.chance.shuffle(self.followers)
        wait_until(lambda: all(client.logged or client.direct for client in self.clients), 30, 'an order at each node')

    # ---- what a play uses ----

    def told(self, words):
        self.faults.append(f'{time.monotonic() - self.began:.1f} s {words}')

    def stay(self, least, most):
        """A fault lasts: its length is a part of the play's chance, nothing is waited for."""
        time.sleep(self.chance.uniform(least, most))

    def lose_leader(self, words, deed, to=None):
        """The leader is taken away by `deed`: how long nobody else led."""
        self.told(f'{words} {self.leader.name}, who leads')
        began = time.monotonic()
        deed()
        seconds = self.looks.wait_successor(began, self.leader.name, LEADER_BOUND)
        (self.yields if to == 'yield' else self.handovers).append(seconds * 1000)

    def healed(self):
        """All is undone: a leader within the bound."""
        began = time.monotonic()
        self.house.net.heal()
        self.told('healed')
        moment, _ = wait_until(lambda: self.looks.leader_since(began), LEADER_BOUND, 'a leader after the heal', 0.005)
        self.heals.append((moment - began) * 1000)

    def claim(self, is_so, sentence):
        if not is_so:
            self.claims.append(sentence)

    def waits_since(self, began, nodes):
        """Seconds that answered orders of these nodes took which were given since."""
        return [took for client in self.clients if client.node in nodes for at, took in client.waits if at >= began]

    # ---- after ----

    def end_crew(self):
        for client in self.clients or ():
            client.end()
        if self.looks:
            self.looks.end()

    def finish(self):
        settled(self.house)
        wait_until(lambda: self.looks.count >= LOOKS_LEAST, 30, f'{LOOKS_LEAST} looks')
        self.end_crew()
        two = self.looks.two_at_a_time()
        self.claim(not two, f'two led at a time: {two[:3]}, {len(two)} looks')
        logged = {text: answer for client in self.clients for text, answer in client.logged.items()}
        wait_until(lambda: self.same(logged), SETTLE_BOUND, 'the stores to hold the same', 0.1)

    def same(self, logged):
        """Every node's private store, all columns, against the first complete one's; and what was answered is in it."""
        nodes = sorted(self.house.nodes, key=lambda node: node.name in self.incomplete)
        held = {table: {node: self.house.rows(node, table) for node in nodes}
                for table in ('firstchair_order', 'firstchair_history', 'firstchair_hold')}
        for table, found in held.items():
            keep = {'firstchair_order': ORDERS_IN_COMMON, 'firstchair_history': LINES_IN_COMMON}.get(table, 0)
            whole = found[nodes[0]]
            for node, rows in found.items():
                missing, more = set(whole) - set(rows), set(rows) - set(whole)
                if node.name in self.incomplete:
                    missing &= set(whole[-keep:])
                    more = {row for row in more if row[5] != CLOSED_ELSEWHERE}
                if missing or more:
                    raise StageFailure(f'{node.name} lacks {len(missing)} rows of {table} and has {len(more)} of its own: '
                                       f'{sorted(missing)[:2]} {sorted(more)[:2]}')
        kept = {row[2]: row for row in held['firstchair_order'][nodes[0]]}
        lost = [text for text in logged if text not in kept or kept[text][1] != 'done']
        if lost:
            raise StageFailure(f'{len(lost)} answered orders are not recorded as done: {[(text, kept.get(text)) for text in lost[:3]]}')
        # Two leaders, one after the other, may have answered it: then the lesser text is kept, on all nodes.
        self.answered_twice = sum(kept[text][5] != answer for text, answer in logged.items())
        return True

    def counts(self):
        clients = self.clients or ()
        return (sum(len(client.logged) for client in clients), sum(len(client.direct) for client in clients),
                sum(client.unknown for client in clients), sum(client.refused for client in clients),
                self.looks.count if self.looks else 0)

    def __str__(self):
        logged, direct, unknown, refused, looks = self.counts()
        words = [', '.join(self.faults) or 'nothing']
        for name, found in (('handover', self.handovers), ('yield', self.yields), ('leader after heal', self.heals)):
            if found:
                words.append(f'{name} {" ".join(f"{ms:.0f}" for ms in found)} ms')
        return '; '.join([*words, *self.said, f'{logged} orders through the log, {direct} at the leader, {unknown} unknown, {self.answered_twice} answered twice, '
                                              f'{refused} refused; {looks} looks'])


def settled(house):
    """One leads, all know it and have applied what was decided."""
    def well():
        leaders = house.leaders()
        told = {node.name: node.get('/api/raft-health')[0] for node in house.nodes}
        if len(leaders) == 1 and set(told.values()) == {200}:
            return leaders[0]
        raise StageFailure(f'leading {[node.name for node in leaders]}, raft-health {told}: '
                           + ' '.join(node.get('/api/raft-status')[1][:700] for node in house.nodes))
    return wait_until(well, SETTLE_BOUND, 'one leader whom all know', 0.05)


class Stage:
    """A house that is used for many rounds, and made anew after one that failed or left something behind."""

    def __init__(self, nodes):
        self.nodes, self.house = nodes, None

    def open(self, play):
        if self.house is None:
            keys = {'YieldPauseMilliseconds': 500, 'RaftElectionMilliseconds': 500, 'RaftSnapshotEntries': ENTRIES_IN_A_ROUND, **play.keys}
            self.house = Raft(self.nodes, keys, is_apart=True)
            if play.prepare:
                play.prepare(self.house)
            self.house.start()
        return self.house

    def close(self, is_well=True):
        if self.house is not None:
            if is_well:
                self.house.end_well()
            else:
                print(self.house.nest.tails(60), flush=True)
            self.house.close()
        self.house = None


def play_round(stage, name, number, options, seed):
    play = PLAYS[name]
    if play.prepare:
        stage.close()
    chance = random.Random(f'{seed} {options.nodes} {name} {number}')
    round, strangers, broken = None, None, []
    try:
        round = Round(stage.open(play), chance, f'{seed}-{name}-{number}')
        round.begin()
        if options.strangers:
            strangers = Strangers(stage.house)
        play.deed(round)
        round.finish()
    except StageFailure as failure:
        broken = [str(failure)]
    except Exception:
        broken = [traceback.format_exc()]
    finally:
        if strangers:
            strangers.end()
            round.said.append(f'{strangers.turned_away} turned away')
    ended = [f'{node.name} ended by itself with {node.child.process.returncode}' for node in (stage.house.nodes if stage.house else ())
             if not node.alive()] if broken else []
    broken = [*(round.claims if round else ()), *broken, *ended]
    print(f'{name} {number}: {round}', flush=True)
    for sentence in broken:
        print(f'  BROKEN {sentence}\n  again: --nodes {options.nodes} --seed {seed} --first {number} --rounds 1 {name}', flush=True)
    if broken:
        end_quietly(round)
    if broken or play.prepare:
        stage.close(not broken)
    return round, broken


def end_quietly(round):
    try:
        if round:
            round.end_crew()
    except StageFailure as failure:
        print(f'  {failure}')


def play_rounds(stage, name, options, seed):
    row = Row(name, options.rounds, [], [], [], 0, 0, 0, 0, 0, [])
    for number in range(options.first, options.first + options.rounds):
        round, broken = play_round(stage, name, number, options, seed)
        row.broken.extend(broken)
        if round:
            logged, direct, unknown, refused, looks = round.counts()
            row.handovers.extend(round.handovers)
            row.yields.extend(round.yields)
            row.heals.extend(round.heals)
            row = row._replace(logged=row.logged + logged, direct=row.direct + direct, unknown=row.unknown + unknown,
                               refused=row.refused + refused, looks=row.looks + looks)
    return row


def two(values):
    return f'{share(values, 0.5):.0f} / {share(values, 0.99):.0f}' if values else '-'


def table(rows):
    lines = [('play', 'rounds', 'handover p50/p99 ms', 'yield p50/p99 ms', 'leader after heal p50/p99 ms', 'through the log', 'at the leader',
              'unknown', 'refused', 'looks', 'verdict')]
    whole = Row('all', *(sum((getattr(row, field) for row in rows), start) for field, start in
                         zip(Row._fields[1:], (0, [], [], [], 0, 0, 0, 0, 0, []))))
    for row in [*rows, whole]:
        lines.append((row.name, row.rounds, two(row.handovers), two(row.yields), two(row.heals), row.logged, row.direct, row.unknown,
                      row.refused, row.looks, 'BROKEN' if row.broken else 'kept'))
    widths = [max(len(str(line[column])) for line in lines) for column in range(len(lines[0]))]
    return '\n'.join('  '.join(str(word).ljust(width) for word, width in zip(line, widths)).rstrip() for line in lines)


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument('--nodes', type=int, default=3, choices=(3, 5))
    reader.add_argument('--rounds', type=int, default=1, help='of each play')
    reader.add_argument('--seed', type=int, default=None)
    reader.add_argument('--first', type=int, default=0, help='number of the first round')
    reader.add_argument('--strangers', action='store_true', help='garbage, half-open connections and wrong keys at the peers\' ports meanwhile')
    reader.add_argument('--list', action='store_true')
    reader.add_argument('play', nargs='*', metavar='PLAY')
    options = reader.parse_args()
    if options.list:
        print('\n'.join(f'{name}: {play.meaning}' for name, play in PLAYS.items()))
        return 0
    unknown = [name for name in options.play if name not in PLAYS]
    if unknown:
        reader.error(f'no play {", ".join(unknown)}; there are {", ".join(PLAYS)}')
    seed = options.seed if options.seed is not None else secrets.randbelow(1000000)
    print(f'seed {seed}, {options.nodes} nodes', flush=True)
    stage, rows, began = Stage(options.nodes), [], time.monotonic()
    try:
        for name in options.play or PLAYS:
            rows.append(play_rounds(stage, name, options, seed))
    except Skip as skip:
        print(f'skipped: {skip}')
        return SKIPPED
    finally:
        stage.close(is_well=sys.exc_info()[0] is None)
    print(f'\nseed {seed}, {options.nodes} nodes, {sum(row.rounds for row in rows)} rounds, {(time.monotonic() - began) / 60:.1f} min')
    print(table(rows))
    return 1 if any(row.broken for row in rows) else 0


if __name__ == '__main__':
    sys.exit(main())
