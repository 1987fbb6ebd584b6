"""Scenes of trouble on real servers, each on a host of its own in a network that can be cut; judged by the servers' binlogs.

  scenes.py [--rounds N] [--seed S] [--brief] [--quorum] [--nodes 5] [SCENE ...]        scenes.py --list

Clients write all the time: one that keeps its session and one with fresh sessions, each through a HAProxy, and one direct to each
server. The last lines are a table: recovery is the longest gap of a client whose HAProxy was not hit itself; settled is the time
from the last healed fault until everybody agrees again; overlap is for how long two servers took writes at a time (`permitted`:
the servers were cut from each other, the grant is recorded as unfenced, or the scene is about just that client); refused are
orders that were answered with no. A seed decides all that is left to chance; --first R begins with round R, so that a round that
failed can be had alone. Exit code 1 if a promise was broken; 77 where namespaces are not possible.
"""
import argparse
import os
import random
import secrets
import shutil
import sys
import time
import traceback
from collections import namedtuple

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]

from plays import SCENES                                             # noqa: E402
from round import Round                                              # noqa: E402
from stage import Home, Skip, StageFailure                           # noqa: E402

SKIPPED = 77
Row = namedtuple('Row', 'name rounds gaps settles overlaps through lost doubled unknown acknowledged refused orders broken')


def share(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0


class Stage:
    """A home that is used for many rounds, and made anew after one that failed."""

    def __init__(self, options):
        self.keep, self.is_quorum, self.nodes, self.home = options.keep, options.quorum, options.nodes, None

    def open(self):
        if self.home is None:
            self.home = Home(self.nodes, proxies=2, is_apart=True, is_quorum=self.is_quorum)
            self.home.start()
        return self.home

    def keep_logs(self, name):
        shutil.copytree(self.home.nest.path, os.path.join(self.keep, name), dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns('*.sock', '*.cnf', 'data', 'template*', 'tmp'))

    def spoil(self):
        """The round went wrong: what the nodes said is shown, and nothing of this home is used again."""
        if not self.keep:
            print(self.home.nest.tails(30), flush=True)
        self.close()

    def close(self):
        if self.home is not None:
            self.home.close()
        self.home = None


def play(stage, scene, name, number, seed, options):
    """One round; [sentences of what is broken]."""
    chance = random.Random(f'{seed} {name} {number}')
    menu = list(scene.menu)
    random.Random(f'{seed} {name}').shuffle(menu)
    variant = menu[number % len(menu)]
    round = Round(stage.open(), chance, f'{name.replace("-", "")[:12]}{number}', variant, options.brief)
    try:
        round.begin()
        scene.play(round)
        round.finish()
        broken = round.claims
    except StageFailure as failure:
        broken = [*round.claims, str(failure)]
    except Exception:
        broken = [*round.claims, traceback.format_exc()]
    label = variant if isinstance(variant, str) else ' '.join(str(word) for word in variant or ())
    print(f'{name} {number} ({label}): {round}', flush=True)
    for sentence in broken:
        print(f'  BROKEN {sentence}\n  again: --seed {seed} --first {number} --rounds 1 {name}', flush=True)
    if options.keep:
        stage.keep_logs(f'{name}-{number}')
    if broken:
        stage.spoil()
    else:
        assert all(child.alive() for child in [*(node.child for node in stage.home.nodes)]), 'a node ended by itself'
    return round, broken


def scene_rounds(stage, name, rounds, seed, options):
    scene = SCENES[name]
    row = Row(name, rounds, [], [], [], [], 0, 0, 0, 0, 0, 0, [])
    for number in range(options.first, options.first + rounds):
        round, broken = play(stage, scene, name, number, seed, options)
        row.broken.extend(broken)
        row = row._replace(refused=row.refused + round.refused(), orders=row.orders + len(round.orders))
        if round.sentence:
            told = round.sentence
            row.gaps.extend(round.gaps())
            row.settles.append(round.settle_s)
            row.overlaps.append(told.overlap.ms)
            row.through.extend(round.through_proxies())
            row = row._replace(lost=row.lost + len(told.lost), doubled=row.doubled + len(told.doubled),
                               unknown=row.unknown + told.unknown, acknowledged=row.acknowledged + len(told.acknowledged))
    return row


def table(rows):
    head = ('scene', 'rounds', 'recovery p50/p99 ms', 'settled p50/max s', 'overlap max ms (rounds)', 'acknowledged', 'lost',
            'doubled', 'unknown', 'refused orders', 'verdict')
    lines = [head]
    for row in rows:
        overlapping = [ms for ms in row.overlaps if ms > 0]
        kind = ' permitted' if overlapping and not row.broken else ''
        lines.append((row.name, row.rounds, f'{share(row.gaps, 0.5):.0f} / {share(row.gaps, 0.99):.0f}',
                      f'{share(row.settles, 0.5):.1f} / {max(row.settles, default=0):.1f}',
                      f'{max(overlapping):.0f} ({len(overlapping)}){kind}' if overlapping else '0', row.acknowledged, row.lost,
                      row.doubled, row.unknown, f'{row.refused} of {row.orders}', 'BROKEN' if row.broken else 'kept'))
    widths = [max(len(str(line[column])) for line in lines) for column in range(len(head))]
    return '\n'.join('  '.join(str(word).ljust(width) for word, width in zip(line, widths)).rstrip() for line in lines)


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument('--rounds', type=int, help='of each scene (default: as many as ./test plays)')
    reader.add_argument('--seed', type=int, default=None)
    reader.add_argument('--first', type=int, default=0, help='number of the first round')
    reader.add_argument('--brief', action='store_true', help='no faults that last for longer than some seconds')
    reader.add_argument('--keep', metavar='FOLDER', help='copy the logs after each round here instead of showing the ends of those that failed')
    reader.add_argument('--quorum', action='store_true', help='raft decides about the chair, else the pair itself')
    reader.add_argument('--nodes', type=int, choices=(3, 5), default=3)
    reader.add_argument('--list', action='store_true')
    reader.add_argument('scene', nargs='*', metavar='SCENE')
    options = reader.parse_args()
    if options.list:
        print('\n'.join(f'{name}: {scene.meaning} ({len(scene.menu)} variants)' for name, scene in SCENES.items()))
        return 0
    unknown = [name for name in options.scene if name not in SCENES]
    if unknown:
        reader.error(f'no scene {", ".join(unknown)}; there are {", ".join(SCENES)}')
    seed = options.seed if options.seed is not None else secrets.randbelow(1000000)
    print(f'seed {seed}', flush=True)
    stage, rows, began = Stage(options), [], time.monotonic()
    try:
        for name in options.scene or SCENES:
            rounds = options.rounds if options.rounds is not None else SCENES[name].rounds
            if rounds:
                rows.append(scene_rounds(stage, name, rounds, seed, options))
    except Skip as skip:
        print(f'skipped: {skip}')
        return SKIPPED
    finally:
        stage.close()
    print(f'\nseed {seed}, {sum(row.rounds for row in rows)} rounds, {(time.monotonic() - began) / 60:.1f} min')
    print(table(rows))
    through = sorted({client for row in rows for client in row.through})
    if through:
        print(f'overlaps through a HAProxy: {", ".join(through)}')
    return 1 if any(row.broken for row in rows) else 0


if __name__ == '__main__':
    sys.exit(main())
