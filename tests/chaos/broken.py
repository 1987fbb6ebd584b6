"""What a node says of each kind of broken server, and how soon:  broken.py [--rounds N] [ROW ...]      (root)      broken.py --list

A real cluster, each server and the node on a host of its own:  m1 -> i1 -> r1, r2;  m1 -> r3.  A row breaks one server in one way, waits for
the finding that docs/analysis.md has for it, mends it, and waits until nothing is found any more. The figure is from the deed to the finding in
the node's log. Bounds: what the kernel tells (a process that ends, a refused port) is looked into at once; what falls silent is found by the next
look and its time-outs, and by the replicas' own (slave_net_timeout, 2 s here) where they have to lose it too. Exit code 1 when one is late or wrong;
77 where namespaces are not possible.
"""
import argparse
import json
import re
import sys
import time
import traceback
from collections import namedtuple
from os.path import abspath, dirname

sys.dont_write_bytecode = True
sys.path[:0] = [dirname(dirname(abspath(__file__)))]

from stage import Server, Skip, StageFailure, wait_until             # noqa: E402
from stage.fleet import LOOKS, follow, start_servers                  # noqa: E402
from stage.home import House                                         # noqa: E402

SKIPPED = 77
MASTERS = {'i1': 'm1', 'r1': 'i1', 'r2': 'i1', 'r3': 'm1'}
POLL, CONNECT, READ = 2, 1, 2                    # seconds
KERNEL = 1.5                                     # one more look at it and at its replicas, on a loaded machine
SILENT = POLL + READ + CONNECT + KERNEL          # the node's own time-outs
LOST_BY_ALL = SILENT + 2 + 2 + POLL              # and slave_net_timeout, their next attempt, and the look that shows it

Row = namedtuple('Row', 'name server deed findings bound mend')


def silent_from(*others):
    return lambda house, server: [house.net.cut(server.name, other) for other in others]


def isolated(house, server):
    house.net.isolate(server.name)


def healed(house, _server):
    house.net.heal()


def killed(_house, server):
    server.kill()


def started(_house, server):
    server.start()


def frozen(_house, server):
    server.freeze()


def thawed(_house, server):
    server.thaw()


def told(sql):
    return lambda _house, server: server.execute(sql)


def below(server, sql):
    """To all that replicate from it."""
    def deed(house, _server):
        for name, master in MASTERS.items():
            if master == server:
                house.servers[name].execute(sql)
    return deed


DEAD_I1 = 'DeadIntermediateMaster'
ROWS = (
    # name                           server  deed                      finding of that server (or of another)                    within       mended by
    Row('master killed',              'm1', killed,                    'DeadMaster',                                             KERNEL,      started),
    Row('master frozen, unseen',      'm1', frozen,                    'UnreachableMaster|DeadMaster.*',                         SILENT,      thawed),
    Row('master frozen, lost by all', 'm1', frozen,                    'DeadMaster',                                             LOST_BY_ALL, thawed),
    Row('master cut off',             'm1', isolated,                  'DeadMaster',                                             LOST_BY_ALL, healed),
    Row('master cut from the node',   'm1', silent_from('fc1'),        'UnreachableMaster',                                      SILENT,      healed),
    Row('intermediate killed',        'i1', killed,                    DEAD_I1,                                                  KERNEL,      started),
    Row('intermediate frozen',        'i1', frozen,                    DEAD_I1,                                                  LOST_BY_ALL, thawed),
    Row('intermediate cut off',       'i1', isolated,                  DEAD_I1,                                                  LOST_BY_ALL, healed),
    Row('interm. cut from the node',  'i1', silent_from('fc1'),        'UnreachableIntermediateMaster',                          SILENT,      healed),
    Row('master deaf to its replica', 'r3', silent_from('m1'),         'FirstTierReplicaFailingToConnectToMaster',               LOST_BY_ALL, healed),
    Row('all stopped below master',   'm1', below('m1', 'STOP SLAVE'), 'AllMasterReplicasNotReplicating',                        POLL + KERNEL, below('m1', 'START SLAVE')),
    Row('all stopped below interm.',  'i1', below('i1', 'STOP SLAVE'), 'AllIntermediateMasterReplicasNotReplicating',            POLL + KERNEL, below('i1', 'START SLAVE')),
)


class Cluster(House):
    def __init__(self):
        super().__init__(1, hosts=['fc1', 'm1', *MASTERS])
        self.servers = {name: Server(self.nest, name, number, read_only=name != 'm1', place=self.place(name))
                        for number, name in enumerate(['m1', *MASTERS], 1)}

    def start(self):
        start_servers(self.servers.values())
        for name, master in MASTERS.items():
            follow(self.servers[name], self.servers[master])
        node = self.nodes[0]
        node.configure({'SQLite3DataFile': self.nest.file('fc1/firstchair.db'), 'Nodes': [node.address], 'DiscoverySeeds': [self.servers['m1'].address],
                        **LOOKS, 'HostnameResolveMethod': 'none', 'InstancePollSeconds': POLL, 'MySQLConnectTimeoutSeconds': CONNECT,
                        'MySQLDiscoveryReadTimeoutSeconds': READ})
        node.start()
        self.wait_leader()
        wait_until(self.is_calm, 60, 'all to be found, and nothing wrong')
        return self

    def ask(self, path):
        return json.loads(self.nodes[0].get(path)[1])

    def finds(self, server, findings):
        return any(one['AnalyzedInstanceKey']['Hostname'] == server.place.host and re.fullmatch(findings, one['Analysis'])
                   for one in self.ask('/api/replication-analysis')['Details'])

    def is_calm(self):
        """Every server is known, is looked at, replicates, and has no finding."""
        if not all(self.servers[name].replicates() for name in MASTERS):
            return False
        known = self.ask('/api/all-instances')
        return len(known) == len(self.servers) and all(one['IsLastCheckValid'] for one in known) and \
            all(one['ReplicationIOThreadRuning'] and one['ReplicationSQLThreadRuning'] for one in known if one['MasterKey']['Hostname']) and \
            all(one['Analysis'] == 'NoProblem' for one in self.ask('/api/replication-analysis')['Details'])


def play(house, row):
    """Seconds from the deed to its finding."""
    server, since, began = house.servers[row.server], len(house.nodes[0].said()), time.monotonic()
    said = re.compile(rf'{re.escape(server.address)}: \w+ -> (?:{row.findings}), ')
    is_leaf = row.server not in MASTERS.values()             # changes of who has no replicas are not news for the log

    def is_found():
        return house.finds(server, row.findings) if is_leaf else said.search(house.nodes[0].said()[since:])

    row.deed(house, server)
    try:
        wait_until(is_found, row.bound + 20, f'{row.server} to be {row.findings}', every=0.01)
        took = time.monotonic() - began
    finally:
        row.mend(house, server)
    try:
        wait_until(house.is_calm, 60, 'all to be well again')
    except StageFailure as failure:
        raise StageFailure(f'{failure}: {house.nodes[0].said()[since:][-1500:]}') from failure
    return took


def main():
    reader = argparse.ArgumentParser(prog='broken.py', description=(__doc__ or '').split('\n', maxsplit=1)[0])
    reader.add_argument('--rounds', type=int, default=1)
    reader.add_argument('--list', action='store_true')
    reader.add_argument('rows', nargs='*', help='only rows with one of these words in their name')
    options = reader.parse_args()
    rows = [row for row in ROWS if not options.rows or any(word in row.name for word in options.rows)]
    if options.list or not rows:
        print('\n'.join(row.name for row in ROWS))
        return 0 if rows else 2
    took = {row.name: [] for row in rows}
    late = 0
    try:
        with Cluster() as house:
            house.start()
            for _ in range(options.rounds):
                for row in rows:
                    seconds = play(house, row)
                    took[row.name].append(seconds)
                    late += seconds > row.bound
                    print(f'{row.name:28} {seconds:6.2f} s  {"LATE" if seconds > row.bound else ""}', flush=True)
    except Skip as skip:
        print(f'skipped: {skip}')
        return SKIPPED
    except StageFailure:
        traceback.print_exc()
        return 1
    print(f'\n{"broken":28} {"finding":45} {"least":>7} {"most":>7} {"within":>7}')
    for row in rows:
        print(f'{row.name:28} {row.findings:45} {min(took[row.name]):6.2f}s {max(took[row.name]):6.2f}s {row.bound:6.1f}s')
    print(f'{len(rows)} rows, {options.rounds} rounds, {late} late')
    return 1 if late else 0


if __name__ == '__main__':
    sys.exit(main())
