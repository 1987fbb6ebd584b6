"""Replay safety on real servers:  replay_safety.py [--minutes N] [--seed S]

Two masters of each other under STATEMENT, three nodes, two HAProxies, writing clients and orders at all nodes; every link through
a relay that can be cut. Rounds of random kills, freezes and cuts of servers, nodes and links (trouble.py), each followed by calm.

Promised, and judged by the servers themselves:
  - replication never stops with an error: Last_SQL_Errno and Last_IO_Errno (but for errors of connecting) are polled all the time,
    and the servers' error logs are read, so that nothing between two polls is missed. One stop is MariaDB's own: caught in the
    moment of reconnecting, a replica takes events without the checksum that it asked for on the connection before (1743, 1595).
    It is counted, and the leader has to have begun the fetching again before the calm is over;
  - in the calm after each round one node leads, one server sits, both replicate, and every table of firstchair's schema has the
    same rows on both servers, column by column;
  - at the end the clients' tables are the same on both and hold every write that was acknowledged.

The clients are sane (docs/high-availability.md): every row has a key of its own and is sent once, counters are maxima.
Exit code 1 if a promise broke; then the statement, both sides' rows and the story of the last rounds are printed.
"""
import argparse
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter, deque

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from stage import StageFailure, wait_until                           # noqa: E402
from stage.home import POOL                                          # noqa: E402
from stage.mariadb import DATABASE                                   # noqa: E402
from stage.relayed import RelayedHome                                # noqa: E402
from trouble import Trouble                                          # noqa: E402

POLL_SECONDS = 0.25
CALM_SECONDS, EQUAL_SECONDS = 90, 60
STORY_LINES = 120
# Shorter waits than the defaults, so that an hour holds more moves; none of them is a rule of replay.
KEYS = {'HAProxyHardStopSeconds': 2, 'ChairDwellMilliseconds': 500, 'YieldPauseMilliseconds': 1000}
# Connecting and losing a connection: what a cut, a kill or a freeze of the other side is to a replica. 1236 is none of them.
CONNECTING = {0, 1040, 1042, 1043, 1053, 1129, 1152, 1153, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1189, 1190, 1927,
              2002, 2003, 2005, 2006, 2012, 2013, 2024, 2025, 2026, 2027, 2055}
TORN = {1595, 1743}             # the leader begins fetching again (core/steer/resume.c)
REGISTERING = 1597              # a command to the other side failed; why stands in its text as (Errno: N)
APP_TABLES = ('app.t', 'app.tally')


def is_connecting(number, text):
    """Will the fetching thread try again by itself, because all that happened to it is the loss of a connection?"""
    within = re.search(r'\(Errno: (\d+)\)', text)
    return number in CONNECTING or (number == REGISTERING and within is not None and int(within.group(1)) in CONNECTING)


class Story:
    """What happened lately, with the seconds since the start."""

    def __init__(self):
        self.began, self.lines, self.lock = time.monotonic(), deque(maxlen=STORY_LINES), threading.Lock()

    def tell(self, text):
        with self.lock:
            self.lines.append(f'{time.monotonic() - self.began:8.2f}  {text}')

    def __str__(self):
        with self.lock:
            return '\n'.join(self.lines)


class ReplicationWatch(threading.Thread):
    """Asks both servers all the time, and reads their error logs; `broken` is the first error that is neither one of
    connecting nor of a fetching that was torn off; `torn`: how often that was."""

    def __init__(self, servers):
        super().__init__(daemon=True)
        self.servers, self.over, self.broken, self.polls, self.torn = servers, threading.Event(), None, 0, 0
        self.read_to = {server.name: 0 for server in servers}

    def run(self):
        while not self.over.wait(POLL_SECONDS):
            for server in self.servers:
                self.read_log(server)
                if server.alive() and not server.child.is_frozen:
                    self.ask(server)

    def ask(self, server):
        try:
            rows = server.rows('SHOW SLAVE STATUS', timeout=3)
        except StageFailure:
            return                                       # killed, frozen or starting at this moment
        self.polls += 1
        for row in rows:
            if row['Last_SQL_Errno'] != '0':
                self.break_(f"{server.name} has stopped applying: {row['Last_SQL_Errno']} {row['Last_SQL_Error']}")
            number, text = int(row['Last_IO_Errno']), row['Last_IO_Error']
            if number in TORN and row['Slave_SQL_Running'] == 'Yes':
                continue
            if not is_connecting(number, text) or (number and row['Slave_IO_Running'] == 'No'):
                self.break_(f'{server.name} has stopped fetching: {number} {text}')

    def read_log(self, server):
        try:
            with open(server.log, errors='replace') as log:
                log.seek(self.read_to[server.name])
                text = log.read()
        except OSError:
            return
        whole = text[:text.rfind('\n') + 1]
        self.read_to[server.name] += len(whole.encode(errors='replace'))
        for line in whole.splitlines():
            found = re.search(r'\[ERROR\].*Slave (SQL|I/O).*error code: (\d+)', line)
            if found and found.group(1) == 'I/O' and int(found.group(2)) in TORN:
                self.torn += int(found.group(2)) == 1595
            elif found and (found.group(1) == 'SQL' or not is_connecting(int(found.group(2)), line)):
                self.break_(f'{server.name} said: {line}')

    def break_(self, text):
        self.broken = self.broken or text

    def check(self):
        if self.broken:
            raise StageFailure(f'replication broke: {self.broken}')

    def end(self):
        self.over.set()
        self.join()
        for server in self.servers:
            self.read_log(server)
        self.check()


# ---- tables on both sides ----

def own_tables(server):
    rows = server.rows(f"SELECT table_name AS t FROM information_schema.tables WHERE table_schema = '{DATABASE}' ORDER BY 1")
    return [f'{DATABASE}.{row["t"]}' for row in rows]


def rows_of(server, table):
    return Counter(tuple(row.items()) for row in server.rows(f'SELECT * FROM {table}', 120))


def difference(pair, table):
    """'' when both servers hold the same rows; else the rows that only one has."""
    first, second = (rows_of(server, table) for server in pair.servers)
    if first == second:
        return ''
    told = [f'{table} differs:']
    for server, mine, theirs in zip(pair.servers, (first, second), (second, first)):
        told += [f'  only on {server.name}: {dict(row)}' for row in list((mine - theirs).keys())[:12]]
    return '\n'.join(told)


def wait_equal(pair, tables):
    """Each table is once seen the same on both sides while life goes on: what only lags is the same soon, what differs stays."""
    names = {server.name: own_tables(server) for server in pair.servers}
    if len(set(map(tuple, names.values()))) != 1:
        raise StageFailure(f'not the same tables: {names}')
    for table in tables:
        seen = []

        def same():
            seen[:] = [difference(pair, table)]
            return not seen[0]
        try:
            wait_until(same, EQUAL_SECONDS, f'{table} to be the same on both', every=0.1)
        except StageFailure:
            raise StageFailure(f'{seen[0]}\n(looked at for {EQUAL_SECONDS} s)') from None


# ---- what the binlogs tell ----

class Logged:
    """How many statements were first written on each server, and who led in which order, by the binlogs."""

    def __init__(self, pair):
        self.ours, self.clients, decisions = 0, 0, {}
        raised = re.compile(r"update firstchair_decision set epoch = (\d+), seq = (\d+), server = '[^']*', node = '([^']*)'", re.I)
        for server in pair.servers:
            reader = subprocess.Popen(['mariadb-binlog', '--no-defaults', '--force-if-open', f'--server-id={server.server_id}',
                                       *server.binlogs()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                      errors='replace')
            for line in reader.stdout:
                if line.startswith('INSERT INTO app.'):
                    self.clients += 1
                elif line.startswith(('insert ', 'update ', 'delete ')):
                    self.ours += 1
                    found = raised.match(line)
                    if found and found.group(3):
                        decisions[int(found.group(1)), int(found.group(2))] = found.group(3)
            reader.wait()
        nodes = [decisions[rank] for rank in sorted(decisions)]
        self.hand_overs = sum(earlier != later for earlier, later in zip(nodes, nodes[1:]))


def replayed(pair):
    """Transactions of the other one that each server has applied, by its GTID position."""
    count = 0
    for server in pair.servers:
        position = server.value('SELECT @@global.gtid_slave_pos') or ''
        count += sum(int(number) for domain, _, number in (gtid.split('-') for gtid in position.split(',') if gtid)
                     if int(domain) != server.server_id)
    return count


# ---- the run ----

class Run:
    def __init__(self, home, seed):
        self.home, self.story = home, Story()
        self.trouble = Trouble(home, random.Random(seed), self.story)
        self.watch = ReplicationWatch(home.pair.servers)
        # Slower than one applying thread with a durable commit each can follow on a busy machine.
        self.writers = [home.writer('persistent', 0, interval_ms=30), home.writer('fresh', 1, interval_ms=50, fresh=True),
                        home.writer('counter', 0, interval_ms=50, tally=True), home.writer('other', 1, interval_ms=50, tally=True)]
        self.rounds, self.worst_calm = 0, 0.0

    def look(self):
        """What must hold at every moment."""
        self.watch.check()
        for one in [*self.home.nodes, *self.home.pair.servers, *self.home.proxies]:
            if not one.alive() and one.name not in self.trouble.down:
                raise StageFailure(f'{one.name} ended by itself with {one.child.process.returncode}')

    def calm(self):
        """Everything is mended: somebody leads, somebody sits, all agree, and clients write again."""
        home, began = self.home, time.monotonic()
        self.trouble.mend_all()
        for server in home.pair.servers:
            server.wait_ready()
        home.wait_leader(CALM_SECONDS)
        self.trouble.release()                           # a paused pool is opened by nobody

        def agreed():
            self.look()
            if any(node.pool()['is_paused'] for node in home.nodes):
                self.trouble.release()                   # a hold of the other half has arrived by now
            seated = {node.seated() for node in home.nodes}
            views, writable = home.views(), home.pair.writable()
            if len(seated) == 1 and all([*seated] == view for view in [writable, *views.values()]) and len(home.leaders()) == 1:
                return home.pair.replicates()
            raise StageFailure(f'seated {seated}, HAProxies use {views}, writable {writable}, '
                               f'leading {[node.name for node in home.leaders()]}')
        wait_until(agreed, CALM_SECONDS, 'one to lead, one to sit, and both to replicate', every=0.1)
        for writer in self.writers:
            writer.wait_writes(bound=CALM_SECONDS)
        self.worst_calm = max(self.worst_calm, time.monotonic() - began)
        self.compare()
        return time.monotonic() - began

    def compare(self):
        """While the clients hold their breath, so that what lags is soon there; firstchair goes on."""
        for writer in self.writers:
            writer.child.freeze()
        try:
            wait_equal(self.home.pair, own_tables(self.home.pair.servers[0]))
        finally:
            for writer in self.writers:
                writer.child.thaw()
        self.look()

    def round(self):
        self.rounds += 1
        self.story.tell(f'--- round {self.rounds}')
        plan = self.trouble.plan()
        self.trouble.play(plan, self.look)
        calm = self.calm()
        print(f'round {self.rounds}: {", ".join(getattr(one, "words", None) or one.kind.__name__ for one in plan)}; '
              f'calm after {calm:.1f} s', flush=True)
        if self.rounds % 25 == 0:
            print(f'so far: {self.done()}', flush=True)

    def done(self):
        counts, answers = self.trouble.counts, self.trouble.answers
        moves = self.home.pair.servers[0].value(f"SELECT COUNT(*) FROM {DATABASE}.firstchair_history WHERE kind = 'move'")
        return (f'{self.rounds} rounds: {counts["kills"]} kills, {counts["freezes"]} freezes, {counts["stops"]} stops, '
                f'{counts["cuts"]} cuts, {moves} moves of the chair, {counts["orders"]} orders ({answers["done"]} done, '
                f'{answers["refused"]} not), {replayed(self.home.pair)} transactions replayed, {self.watch.polls} polls, '
                f'{self.watch.torn} times fetching was torn off and begun again; '
                f'longest way to calm {self.worst_calm:.1f} s')

    def play(self, minutes):
        self.watch.start()
        for writer in self.writers:
            writer.start()
        for writer in self.writers:
            writer.wait_writes(count=10)
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end:
            self.round()

    def judge(self, minutes):
        """All ends in peace: the nodes give back what they hold, then every row of every table is compared."""
        pair = self.home.pair
        for writer in self.writers:
            writer.stop()
        self.trouble.down.update(node.name for node in self.home.nodes)
        codes = {node.name: node.stop() for node in self.home.nodes}
        pair.wait_level(120)
        self.watch.end()
        told = [text for table in [*own_tables(pair.servers[0]), *APP_TABLES] if (text := difference(pair, table))]
        kept = pair.servers[0].table()
        lost = {(writer.client, write.n) for writer in self.writers[:2] for write in writer.acknowledged()} - kept
        if told or lost or any(codes.values()):
            raise StageFailure('\n'.join([*told, f'acknowledged and lost: {sorted(lost)[:10]}', f'nodes ended with {codes}']))
        logged = Logged(pair)
        print(f'{minutes:g} minutes, {self.done()}; {logged.hand_overs} hand-overs of the lease, {logged.ours} statements of firstchair, '
              f'{logged.clients} of clients; errors 0, differences 0, acknowledged and lost 0')

    def explain(self, failure):
        """Everything that a reader needs to mend it."""
        print(f'\nBROKEN in round {self.rounds}: {failure}\n\nThe story:\n{self.story}\n')
        for server in self.home.pair.servers:
            try:
                print(f'{server.name}: ' + '; '.join(f'{key}={value}' for key, value in server.replica().items()
                                                     if key.startswith(('Last_', 'Gtid', 'Slave_')) and value))
            except StageFailure as error:
                print(f'{server.name}: {error}')
        try:
            for table in own_tables(self.home.pair.servers[0]):
                print(difference(self.home.pair, table) or f'{table} is the same on both')
        except StageFailure as error:
            print(error)
        print(self.home.nest.tails(25, 12))


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument('--minutes', type=float, default=10)
    reader.add_argument('--seed', type=int, default=int(time.time()))
    options = reader.parse_args()
    print(f'seed {options.seed}, {options.minutes:g} minutes', flush=True)
    with RelayedHome(keys=KEYS) as home:
        home.start()
        run = Run(home, options.seed)
        try:
            run.play(options.minutes)
            run.judge(options.minutes)
        except StageFailure as failure:
            run.explain(failure)
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
