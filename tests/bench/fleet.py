"""What a fleet costs a node:  fleet.py [--servers N ...] [--real N] [--seconds S] [--poll S] [--wrk] [--whole]

One node (FC_BUILD, default build/bench) finds N servers from seeds, a master each, and looks at each of them every POLL seconds: simulated ones
(tests/bench/fleetsim), which tests/integration/fleetsim_test.py compares with real ones, and before them, with --real 50, so many real MariaDB of
small buffers, in clusters of a master and nine with one of them below another. When all are known and one period has passed it is measured for so many seconds: processor time of the node a probe and over all, resident memory (and what a server adds,
against the same node before it knew any), how late looks began that were due, statements into the store a second; and how long one client waits
for the answers of the API meanwhile, asked over one connection in turn. --wrk asks the same routes by wrk over 1, 16 and 64 connections. --whole: how long
others wait while one client asks for all servers again and again, as they are and packed.

What the simulated fleet itself takes of the machine is told beside, and so is the load: two processors are shared by all of it.
"""
import argparse
import http.client
import os
import re
import shutil
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
os.environ.setdefault('FC_BUILD', 'build/bench')
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from stage import Nest, Node, Server, StageFailure, wait_until        # noqa: E402
from stage.fleet import LOOKS, follow, start_servers                  # noqa: E402
from stage.fleetsim import Fleetsim                                   # noqa: E402
from start import resident_kb                                        # noqa: E402

ROUTES = ('/api/leader-check', '/api/health', '/api/cluster/{cluster}', '/api/replication-analysis')
PAUSE_SECONDS = 0.02                  # between two questions to the API: a dashboard or two, no load of its own
WRK_SECONDS = 5
PART = 5000                           # servers of one fleetsim


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def processor_ms(pid):
    """Of all threads, as the scheduler counts it: ticks of a hundredth of a second pass short turns over."""
    total = 0
    for task in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{task}/schedstat') as file:
            total += int(file.read().split()[0])
    return total / 1e6


class Metrics:
    def __init__(self, node):
        code, text = node.get('/metrics', timeout=20)
        if code != 200:
            raise StageFailure(f'/metrics: {code}')
        self.values = {name: float(value) for name, value in re.findall(r'^firstchair_(\S+) (\S+)$', text, re.MULTILINE)}

    def __getitem__(self, name):
        return self.values.get(name, 0.0)

    def late(self):
        """[(bound in seconds, looks that began within it)]"""
        return [(float(bound), value) for name, value in self.values.items() for bound in re.findall(r'^fleet_lateness_seconds_bucket{le="(.*)"}', name)]


def late_share(before, after, share):
    """The bound within which so many of the looks between two scrapes began."""
    counts = [(bound, value - was) for (bound, value), (_, was) in zip(after.late(), before.late())]
    most = counts[-1][1]
    return next((bound for bound, count in counts if count >= most * share), float('inf')), int(most)


class Api:
    """One client that asks in turn over one connection and remembers how long each answer took."""

    def __init__(self, node, cluster):
        self.routes = [route.format(cluster=cluster) for route in ROUTES]
        self.line = http.client.HTTPConnection(node.place.host, node.http_port, timeout=30)
        self.took_ms = {route: [] for route in self.routes}

    def ask(self, route):
        began = time.monotonic()
        self.line.request('GET', route)
        answer = self.line.getresponse()
        answer.read()
        if answer.status != 200:
            raise StageFailure(f'{route}: {answer.status}')
        self.took_ms[route].append((time.monotonic() - began) * 1000)

    def ask_for(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for route in self.routes:
                self.ask(route)
                time.sleep(PAUSE_SECONDS)

    def told(self):
        return '; '.join(f'{route} p50 {percentile(took, 0.5):.1f}, p99 {percentile(took, 0.99):.1f}' for route, took in self.took_ms.items())


def busy_ms(fleet):
    return sum(processor_ms(pid) for pid in fleet.pids())


SMALL = """innodb_buffer_pool_size=6M
innodb_log_buffer_size=2M
innodb_read_io_threads=1
innodb_write_io_threads=2
innodb_purge_threads=1
innodb_flush_log_at_trx_commit=0
sync_binlog=0
table_open_cache=50
max_connections=30
log_slave_updates=ON
"""
REAL_EACH = 10                        # servers of a cluster: a master, eight replicas, and one below the last of them
STARTED_TOGETHER = 8                  # real servers that come up at a time
WRITES = ('SET GLOBAL read_only=0, event_scheduler=ON; CREATE DATABASE x; CREATE TABLE x.t (n BIGINT NOT NULL); INSERT INTO x.t VALUES (0); '
          'CREATE EVENT x.tick ON SCHEDULE EVERY 1 SECOND DO UPDATE x.t SET n = n + 1')


class RealFleet:
    """Real servers in clusters of ten, from one copied data directory, with a write a second on each master."""

    def __init__(self, nest, count):
        self.count = count
        self.servers = [Server(nest, f'db{number + 1}', number + 1, options=SMALL) for number in range(count)]
        for first in range(0, count, STARTED_TOGETHER):
            together = self.servers[first:first + STARTED_TOGETHER]
            start_servers(together)
        for number, server in enumerate(self.servers):
            if number % REAL_EACH == 0:
                server.execute(WRITES)
                continue
            master = self.servers[number - 1 if number % REAL_EACH == REAL_EACH - 1 else number - number % REAL_EACH]
            follow(server, master)
        for number, server in enumerate(self.servers):
            if number % REAL_EACH != 0:
                wait_until(server.replicates, 60, f'{server.name} to replicate')

    def seeds(self):
        return [server.address for server in self.servers[::REAL_EACH]]

    def pids(self):
        return [server.pid for server in self.servers]


class SimulatedFleet:
    """In parts, because each server takes two descriptors."""

    def __init__(self, nest, count):
        self.count = count
        self.parts = [Fleetsim(nest, min(PART, count - first), first=first).start() for first in range(0, count, PART)]

    def seeds(self):
        return [master for part in self.parts for master in part.masters()]

    def pids(self):
        return [part.pid for part in self.parts]


def start_node(nest, options):
    node = Node(nest, 'fc1')
    node.configure({'SQLite3DataFile': nest.file('fc1/firstchair.db'), 'Nodes': [node.address], **LOOKS,
                    'InstancePollSeconds': options.poll, 'HostnameResolveMethod': 'none', 'DiscoverySeeds': []})
    node.start()
    wait_until(node.leads, 15, 'the node to lead')
    return node


def discover(node, seeds):
    line = http.client.HTTPConnection(node.place.host, node.http_port, timeout=60)
    for seed in seeds:
        line.request('GET', f"/api/async-discover/{seed.replace(':', '/')}")
        answer = line.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise StageFailure(f'{seed} is not looked at: {text[:200]}')
    line.close()


def measure(node, fleet, options, empty_kb):
    api = Api(node, fleet.seeds()[0])
    before, node_ms, fleet_ms, began = Metrics(node), processor_ms(node.pid), busy_ms(fleet), time.monotonic()
    time.sleep(options.seconds)
    node_ms, fleet_ms, took, after = processor_ms(node.pid) - node_ms, busy_ms(fleet) - fleet_ms, time.monotonic() - began, Metrics(node)
    looks = after['fleet_looks_total'] - before['fleet_looks_total']
    late, scheduled = late_share(before, after, 0.99)
    resident = resident_kb(node.pid)
    print(f'  {looks / took:.0f} looks a second ({after["fleet_looks_urged_total"] - before["fleet_looks_urged_total"]:.0f} urged, '
          f'{after["fleet_looks_lost_total"] - before["fleet_looks_lost_total"]:.0f} lost), {node_ms / max(looks, 1):.3f} ms of processor time a look, '
          f'{node_ms / took / 10:.1f} % of one processor (the fleet itself {fleet_ms / took / 10:.1f} %)')
    print(f'  memory: {resident / 1024:.0f} MB resident, {(resident - empty_kb) / fleet.count:.1f} KiB a server')
    print(f'  lateness: p99 within {late * 1000:g} ms, most of {scheduled} looks {after["fleet_late_most_seconds"] * 1000:.1f} ms')
    print(f'  store: {(after["fleet_statements_total"] - before["fleet_statements_total"]) / took:.1f} statements a second, '
          f'{(after["fleet_rows_written_total"] - before["fleet_rows_written_total"]) / took:.0f} rows, '
          f'{after["fleet_rows_dropped_total"] - before["fleet_rows_dropped_total"]:.0f} dropped')
    api.ask_for(min(options.seconds, 20))
    print(f'  API, one client meanwhile, ms: {api.told()}', flush=True)


def ask_by_wrk(node, cluster):
    if shutil.which('wrk') is None:
        print('  wrk is not installed (apt-get install wrk): requests a second are not measured')
        return
    for route in ROUTES:
        url = f'http://{node.place.host}:{node.http_port}{route.format(cluster=cluster)}'
        told = []
        for connections in (1, 16, 64):
            done = subprocess.run(['wrk', '-t1', f'-c{connections}', f'-d{WRK_SECONDS}s', '--latency', url], capture_output=True, text=True, check=True)
            rate = re.search(r'Requests/sec:\s+(\S+)', done.stdout).group(1)
            tail = re.search(r'99%\s+(\S+)', done.stdout).group(1)
            bad = re.search(r'Non-2xx or 3xx responses: (\d+)', done.stdout)
            told.append(f'{connections}: {float(rate):.0f}/s (p99 {tail}{", NOT 200: " + bad.group(1) if bad else ""})')
        print(f'  {route}: {", ".join(told)}', flush=True)


def ask_for_leader(node, until, took_ms):
    line = http.client.HTTPConnection(node.place.host, node.http_port, timeout=30)
    while time.monotonic() < until:
        began = time.monotonic()
        line.request('GET', '/api/leader-check')
        line.getresponse().read()
        took_ms.append((time.monotonic() - began) * 1000)
        time.sleep(PAUSE_SECONDS / 10)


def ask_for_whole(node):
    line = http.client.HTTPConnection(node.place.host, node.http_port, timeout=60)
    for name, headers in (('plain', {}), ('packed', {'Accept-Encoding': 'gzip'})):
        before, until, others_ms, took_ms, size = Metrics(node), time.monotonic() + WRK_SECONDS, [], [], 0
        other = threading.Thread(target=ask_for_leader, args=(node, until, others_ms))
        other.start()
        while time.monotonic() < until:
            began = time.monotonic()
            line.request('GET', '/api/all-instances', headers=headers)
            size = len(line.getresponse().read())
            took_ms.append((time.monotonic() - began) * 1000)
            time.sleep(0.2)
        other.join()
        late, scheduled = late_share(before, Metrics(node), 0.999)
        print(f'  /api/all-instances {name}: {size / 1e6:.1f} MB, p50 {percentile(took_ms, 0.5):.0f} ms of {len(took_ms)}; leader-check beside it '
              f'p50 {percentile(others_ms, 0.5):.1f}, p99 {percentile(others_ms, 0.99):.1f}, most {max(others_ms):.1f} ms of {len(others_ms)}; '
              f'99.9 % of {scheduled} looks began within {late * 1000:g} ms', flush=True)


def load():
    return ' '.join(f'{value:.1f}' for value in os.getloadavg())


def bench(fleet_of, count, options):
    with Nest() as nest:
        node = start_node(nest, options)
        empty_kb = resident_kb(node.pid)
        fleet = fleet_of(nest, count)
        for pid in [node.pid, *fleet.pids()] if options.ahead else []:
            for task in os.listdir(f'/proc/{pid}/task'):
                os.sched_setscheduler(int(task), os.SCHED_RR, os.sched_param(1))
        began = time.monotonic()
        discover(node, fleet.seeds())
        wait_until(lambda: Metrics(node)['fleet_servers'] >= count and Metrics(node)['fleet_looks_total'] >= count, 120, 'all to be found', every=0.2)
        print(f'{count} {"simulated" if fleet_of is SimulatedFleet else "real"} servers, a look each {options.poll} s; found in '
              f'{time.monotonic() - began:.1f} s; load before {load()}{", ahead of others" if options.ahead else ""}', flush=True)
        time.sleep(2 * options.poll)
        measure(node, fleet, options, empty_kb)
        if options.wrk:
            ask_by_wrk(node, fleet.seeds()[0])
        if options.whole:
            ask_for_whole(node)
        print(f'  load after {load()}', flush=True)
        if not node.leads(timeout=10):
            print(f'  the node does not lead any more: {node.child.tail(6)}')


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument('--servers', type=int, nargs='*', default=[1000, 10000])
    reader.add_argument('--real', type=int, default=0)
    reader.add_argument('--seconds', type=float, default=30)
    reader.add_argument('--poll', type=int, default=5)
    reader.add_argument('--wrk', action='store_true')
    reader.add_argument('--whole', action='store_true')
    reader.add_argument('--ahead', action='store_true', help='node and fleet go before what else runs on this machine (SCHED_RR, as root)')
    options = reader.parse_args()
    if options.real:
        bench(RealFleet, options.real, options)
    for count in options.servers:
        bench(SimulatedFleet, count, options)


if __name__ == '__main__':
    main()
