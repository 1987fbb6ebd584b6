"""A simulated fleet that flaps:  flapping.py [--minutes N] [--servers N] [--seed S]

One node looks each second at some hundred simulated servers (tests/bench/fleetsim) in clusters of ten. All the time some of them go away and
come back, freeze, fall behind, stop or break replicating, change masters, and whole clusters get another master; meanwhile somebody asks the
API. What is done comes from a seed, what is done to each server is undone some seconds later.

Promised, and judged at the end and all the time:
  - the node leads all the while, and refuses, drops and forgets nobody;
  - what it has reserved, descriptors and threads do not grow once it is warm: of the time after that, the last quarter against the first one.
    Resident memory, of a heap that was once full, is touched again page by page for long, so it has a wide bound;
  - the store has a row for each server, and no table has more rows than its bound;
  - when all is calm again, every server is told as it is: seen, below its master, replicating, and no finding is left.

Exit code 1 if a promise broke.
"""
import argparse
import contextlib
import heapq
import json
import os
import random
import sqlite3
import sys
import time
from collections import Counter

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from stage import Nest, Node, StageFailure, wait_until               # noqa: E402
from stage.clock import HeapTold                                     # noqa: E402
from stage.fleetsim import Fleetsim                                  # noqa: E402

EACH = 10
DEEDS_A_SECOND = 20
UNDO_SECONDS = (0.3, 12.0)
TROUBLED_AT_MOST = 0.3           # of the servers at a time
WARM_SHARE, WARM_SECONDS_MOST = 0.25, 300
SAMPLE_SECONDS = 5
CALM_SECONDS = 90
GROWTH_KB_MOST = 3 * 1024        # reserved, between the medians of the two quarters: it swings by as much with those who are away. 75 KiB a minute in an hour
RESIDENT_KB_MOST = 64 * 1024
DESCRIPTORS_SPARE = 16           # sessions that are being opened anew at the moment of a sample, the asker's, the store's
SANITIZER = ':quarantine_size_mb=4'      # what it keeps back of freed memory would be taken for growth
ROUTES = ('/api/replication-analysis', '/api/problems', '/api/clusters-info', '/api/health', '/metrics')
HISTORY_TABLES_ROWS_MOST = 200000        # tables that tell of the past; they are tidied by age


class Fleet:
    """The simulated servers, and what is wrong with which."""

    def __init__(self, sim, rng):
        self.sim, self.rng, self.count = sim, rng, sim.servers
        self.master = [None] * self.count
        for number in range(self.count):
            if number % EACH != 0:
                self.put_below(number, number - number % EACH)
        self.troubled, self.undoing, self.done = {}, [], Counter()
        self.kinds = ((4, 'kill', self.kill), (3, 'freeze', self.freeze), (3, 'lag', self.lag), (2, 'stop', self.stop), (2, 'break', self.break_),
                      (3, 'move', self.move), (1, 'change of master', self.change_master))

    def cluster(self, number):
        first = number - number % EACH
        return range(first, min(first + EACH, self.count))

    def kill(self, number):
        self.sim.tell(f'kill {number}')
        return f'start {number}'

    def freeze(self, number):
        self.sim.tell(f'freeze {number}')
        return f'thaw {number}'

    def lag(self, number):
        self.sim.tell(f'lag {number} {self.rng.randint(1, 300)}')
        return f'lag {number} 0'

    def stop(self, number):
        return self.replication(number, 'stop')

    def break_(self, number):
        return self.replication(number, 'break')

    def replication(self, number, word):
        """A master has none."""
        if self.master[number] is None:
            return None
        self.sim.tell(f'{word} {number}')
        return 'move'                     # below the master that it then has

    def move(self, number):
        """Below a sibling, for good: one that is itself right below the master, so that there is no ring."""
        siblings = [other for other in self.cluster(number) if other != number and self.master[other] == self.root(number)]
        if self.master[number] is None or any(self.master[other] == number for other in self.cluster(number)):
            return None
        self.put_below(number, self.rng.choice(siblings + [self.root(number)]))
        return ''

    def root(self, number):
        return next(other for other in self.cluster(number) if self.master[other] is None)

    def put_below(self, number, master):
        self.sim.tell(f'move {number} {master}')
        self.master[number] = master

    def change_master(self, number):
        """The server is promoted, and all others of its cluster go below it."""
        if self.master[number] is None:
            return None
        self.sim.tell(f'promote {number}')
        self.master[number] = None
        for other in self.cluster(number):
            if other != number:
                self.put_below(other, number)
        return ''

    def trouble(self):
        number = self.rng.randrange(self.count)
        if number in self.troubled or len(self.troubled) >= self.count * TROUBLED_AT_MOST:
            return
        _, name, deed = self.rng.choices(self.kinds, [weight for weight, _, _ in self.kinds])[0]
        undo = deed(number)
        if undo is None:
            return
        self.done[name] += 1
        if undo:
            self.troubled[number] = undo
            heapq.heappush(self.undoing, (time.monotonic() + self.rng.uniform(*UNDO_SECONDS), number))

    def undo(self, is_all=False):
        while self.undoing and (is_all or self.undoing[0][0] <= time.monotonic()):
            _, number = heapq.heappop(self.undoing)
            undo = self.troubled.pop(number)
            self.sim.tell(f'move {number} {self.master[number]}' if undo == 'move' else undo)


class Watch:
    """What the node takes, looked at now and then; first when it knows all and nothing is wrong yet."""

    def __init__(self, node, heap):
        self.node, self.heap, self.samples = node, heap, []

    def look(self, at):
        with open(f'/proc/{self.node.pid}/status') as file:
            words = dict(line.split(':', 1) for line in file)
        descriptors = len(os.listdir(f'/proc/{self.node.pid}/fd'))
        self.samples.append((at, self.heap.get() // 1024, descriptors, int(words['Threads']), int(words['VmRSS'].split()[0])))

    def judge(self, warm_at):
        """Of the time after `warm_at`: the last quarter against the first one."""
        warm = [sample for sample in self.samples if sample[0] >= warm_at]
        quarter = max(1, len(warm) // 4)
        first, last = warm[:quarter], warm[-quarter:]

        def median(samples, column):
            return sorted(sample[column] for sample in samples)[len(samples) // 2]
        grown = {name: median(last, column) - median(first, column) for column, name in ((1, 'KiB'), (2, 'descriptors'), (3, 'threads'), (4, 'resident'))}
        minutes = (last[-1][0] - first[0][0]) / 60
        print(f'  reserved {median(first, 1)} KiB, then {median(last, 1)} ({grown["KiB"] / max(minutes, 0.01):+.0f} KiB a minute over {minutes:.1f}); '
              f'resident {median(first, 4)} KiB, then {median(last, 4)}; '
              f'descriptors {median(first, 2)} then {median(last, 2)}, at most {max(sample[2] for sample in warm)}; '
              f'threads {median(first, 3)} then {median(last, 3)}', flush=True)
        most = max(sample[2] for sample in warm)
        if grown['KiB'] > GROWTH_KB_MOST or grown['resident'] > RESIDENT_KB_MOST or grown['threads'] > 0 or most > self.samples[0][2] + DESCRIPTORS_SPARE:
            raise StageFailure(f'it grows: {grown}; samples {self.samples[::max(1, len(self.samples) // 40)]}')


def metric(text, name):
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(f'firstchair_{name} ')), 0.0)


def counted(node, text=None):
    text = text or node.get('/metrics', 20)[1]
    return {name: metric(text, f'fleet_{name}') for name in ('servers', 'clusters', 'refused_total', 'forgotten_total', 'rows_dropped_total',
                                                             'statements_failed_total', 'looks_total', 'looks_lost_total', 'looks_urged_total')}


def not_as_it_is(node, fleet):
    """The first thing that is told of a server and is not so; '' when all is as it is."""
    told = json.loads(node.get('/api/all-instances', 20)[1])
    if len(told) != fleet.count:
        return f'{len(told)} servers are told of'
    by_host = {one['Key']['Hostname']: one for one in told}
    for number in range(fleet.count):
        one, master = by_host[fleet.sim.host(number)], fleet.master[number]
        of_it = {'IsLastCheckValid': (one['IsLastCheckValid'], True), 'Problems': (one['Problems'], []),
                 'MasterKey': (one['MasterKey']['Hostname'], '' if master is None else fleet.sim.host(master)),
                 'Slave_IO_Running': (one['Slave_IO_Running'], master is not None), 'Slave_SQL_Running': (one['Slave_SQL_Running'], master is not None)}
        for name, (said, really) in of_it.items():
            if said != really:
                return f'{fleet.sim.host(number)}: {name} is {said!r}, really {really!r}'
    found = [one for one in json.loads(node.get('/api/replication-analysis', 20)[1])['Details'] if one['Analysis'] != 'NoProblem']
    return f'found: {found[0]["Analysis"]} at {found[0]["AnalyzedInstanceKey"]}' if found else ''


def store_rows(nest):
    with contextlib.closing(sqlite3.connect(f'file:{nest.file("fc1/firstchair.db")}?mode=ro', uri=True, timeout=10)) as line:
        tables = [name for name, in line.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")]
        return {table: line.execute(f'select count(*) from {table}').fetchone()[0] for table in tables}


def flap(node, fleet, watch, minutes):
    """Trouble and questions until the time is over; the longest that an answer took, in seconds."""
    began, asked, slowest, looked = time.monotonic(), 0, 0.0, 0.0
    while (now := time.monotonic()) < began + minutes * 60:
        fleet.trouble()
        fleet.undo()
        if now - began >= asked * 0.3:
            before, route = time.monotonic(), ROUTES[asked % len(ROUTES)]
            code, _ = node.get(route, 20)
            slowest, asked = max(slowest, time.monotonic() - before), asked + 1
            if code != 200:
                raise StageFailure(f'{route}: {code}')
        if now - began >= looked:
            watch.look(now - began)
            looked += min(SAMPLE_SECONDS, minutes * 60 / 40)
        time.sleep(1 / DEEDS_A_SECOND)
    return slowest


def run(options):
    rng = random.Random(options.seed)
    with Nest() as nest:
        sim = Fleetsim(nest, options.servers, each=EACH).start()
        fleet = Fleet(sim, rng)
        node = Node(nest, 'fc1')
        node.configure({'SQLite3DataFile': nest.file('fc1/firstchair.db'), 'Nodes': [node.address], 'MySQLTopologyUser': 'topo',
                        'MySQLTopologyPassword': 'x', 'InstancePollSeconds': 1, 'MySQLHostnameResolveMethod': 'none',
                        'HostnameResolveMethod': 'none', 'DiscoverySeeds': sim.masters(), 'ReasonableReplicationLagSeconds': 10})
        heap = HeapTold(nest, 'fc1')
        node.start(env={**heap.env, 'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '').lstrip(':') + SANITIZER})
        wait_until(node.leads, 20, 'the node to lead')
        wait_until(lambda: not_as_it_is(node, fleet) == '', CALM_SECONDS, 'all to be found', every=0.5)
        watch = Watch(node, heap)
        watch.look(-1.0)
        slowest = flap(node, fleet, watch, options.minutes)
        fleet.undo(is_all=True)
        began = time.monotonic()
        try:
            wait_until(lambda: not_as_it_is(node, fleet) == '', CALM_SECONDS, 'every server to be told as it is', every=0.2)
        except StageFailure:
            raise StageFailure(f'{CALM_SECONDS} s after the last trouble: {not_as_it_is(node, fleet)}') from None
        calm = time.monotonic() - began
        told, rows = counted(node), store_rows(nest)
        print(f'seed {options.seed}: {options.servers} servers flapped for {options.minutes:g} minutes: '
              + ', '.join(f'{count} x {name}' for name, count in fleet.done.most_common()))
        print(f'  {told["looks_total"]:.0f} looks, {told["looks_lost_total"]:.0f} of them lost, {told["looks_urged_total"]:.0f} urged; every verdict right '
              f'{calm:.1f} s after the last trouble; the slowest of the API took {slowest:.2f} s')
        print(f'  rows: {", ".join(f"{table} {count}" for table, count in sorted(rows.items()) if count)}')
        watch.judge(min(options.minutes * 60 * WARM_SHARE, WARM_SECONDS_MOST))
        if any(told[name] for name in ('refused_total', 'forgotten_total', 'rows_dropped_total', 'statements_failed_total')):
            raise StageFailure(f'refused, forgotten, dropped or failed: {told}')
        if (told['servers'], rows['database_instance']) != (options.servers, options.servers) or max(rows.values()) > HISTORY_TABLES_ROWS_MOST:
            raise StageFailure(f'{told} {rows}')
        if not node.leads(5):
            raise StageFailure(f'it does not lead any more: {node.child.tail()}')
        if (code := node.stop()) != 0:
            raise StageFailure(f'it ended with {code}: {node.child.tail()}')


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument('--minutes', type=float, default=10)
    reader.add_argument('--servers', type=int, default=300)
    reader.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    options = reader.parse_args()
    try:
        run(options)
    except StageFailure as failure:
        print(f'seed {options.seed}: {failure}')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
