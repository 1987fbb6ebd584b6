"""The writing client on the stage, and the judgement of what it did: by its own log and by the servers' binlogs."""
import os
from collections import namedtuple

from .net import LOOPBACK
from .node import ROOT
from .waits import StageFailure, wait_until

Write = namedtuple('Write', 'at_us verdict n server_id latency_us error')


def writer_program():
    path = os.path.join(ROOT, os.environ.get('FC_BUILD', 'build/dev'), 'tests/stage/writer')
    if not os.access(path, os.X_OK):
        raise StageFailure(f'{path} is not built')
    return path


class Writer:
    """`writer` on the given port; see tests/stage/writer.c for the options and the log."""

    def __init__(self, nest, app_file, port, client='w1', interval_ms=5, fresh=False, retry_unknown=False, retry_ms=2,
                 silence_seconds=10, tally=False, host='127.0.0.1', place=LOOPBACK):
        self.nest, self.client, self.place = nest, client, place
        self.log = nest.file(f'writer-{client}.log')
        self.errors = nest.file(f'writer-{client}.errors')
        self.argv = [writer_program(), '--defaults-file', app_file, '--host', host, '--port', str(port), '--client', client,
                     '--interval-ms', str(interval_ms), '--retry-ms', str(retry_ms), '--silence-seconds', str(silence_seconds), '--log', self.log]
        self.argv += ['--fresh'] * fresh + ['--retry-unknown'] * retry_unknown + ['--tally'] * tally
        self.child = None
        self.read_to, self.seen = 0, []

    def start(self):
        self.child = self.nest.start(f'writer {self.client}', self.argv, self.errors, place=self.place)
        return self

    def stop(self):
        """Ends it after the write that is on its way; all that it wrote."""
        code = self.child.stop(20)
        if code != 0:
            raise StageFailure(f'writer {self.client} ended with {code}: {self.child.tail()}')
        return self.writes()

    def writes(self):
        """Everything logged so far. Only what is new is read."""
        if os.path.exists(self.log):
            with open(self.log) as log:
                log.seek(self.read_to)
                text = log.read()
            whole = text[:text.rfind('\n') + 1]
            self.read_to += len(whole)
            for line in whole.splitlines():
                at_us, verdict, n, server_id, latency_us, error = line.split()
                self.seen.append(Write(int(at_us), verdict, int(n), int(server_id), int(latency_us), int(error)))
        return self.seen

    def acknowledged(self):
        return [write for write in self.writes() if write.verdict in ('ok', 'present')]

    def wait_writes(self, server_id=None, bound=20, count=5):
        """Until `count` more writes were acknowledged (on the given server)."""
        start = len(self.acknowledged())

        def enough():
            news = self.acknowledged()[start:]
            return sum(1 for write in news if server_id in (None, write.server_id)) >= count
        where = '' if server_id is None else f' on server id {server_id}'
        wait_until(enough, bound, f'writer {self.client} to have {count} more writes acknowledged{where}')


def gap_ms(writes, since_us=0):
    """The longest time between two acknowledged writes, in milliseconds, of those that ended after `since_us`."""
    times = sorted(write.at_us for write in writes if write.verdict in ('ok', 'present'))
    spans = [later - earlier for earlier, later in zip(times, times[1:]) if later >= since_us]
    return max(spans, default=0) / 1000


class Judgement:
    """What became of the writes, told by the servers: lost, doubled, and whether two servers were written to at a time.

    The servers must be level (Pair.wait_level) unless only `holder` is to be judged.
    """

    def __init__(self, pair, writers, holder=None):
        self.wrote = {server.name: server.wrote() for server in pair.servers}
        kept = (holder or pair.servers[0]).table()
        others = [server for server in pair.servers if server is not holder and server.alive()] if holder else pair.servers[1:]
        self.acknowledged = {(writer.client, write.n) for writer in writers for write in writer.acknowledged()}
        self.unknown = {(writer.client, write.n) for writer in writers for write in writer.writes() if write.verdict == 'unknown'}
        self.lost = sorted(self.acknowledged - kept)
        self.only_on_one_side = sorted(set().union(*(kept ^ server.table() for server in others))) if others else []
        first, second = ({(client, n) for client, n, _ in rows} for rows in list(self.wrote.values())[:2])
        self.doubled = sorted(first & second)

    def overlap_ms(self):
        """For one change of chair: how long the server that was left was still sent writes that it took, after the other one took
        its first. 0 or less is right; counted by the clients' own time of sending."""
        spans = sorted((min(at), max(at)) for at in ([at for *_, at in rows] for rows in self.wrote.values()) if at)
        return (spans[0][1] - spans[1][0]) / 1000 if len(spans) == 2 else 0

    def changes(self):
        """How often the server that took the writes changed, in the order in which the clients sent them: more often than the
        chair moved means that two servers took writes at a time."""
        order = [name for _, name in sorted((at, name) for name, rows in self.wrote.items() for *_, at in rows)]
        return sum(earlier != later for earlier, later in zip(order, order[1:]))

    def __str__(self):
        told = ', '.join(f'{name} {len(rows)}' for name, rows in self.wrote.items())
        return (f'acknowledged {len(self.acknowledged)}, lost {len(self.lost)}, doubled {len(self.doubled)}, '
                f'unknown {len(self.unknown)}, only on one side {len(self.only_on_one_side)}; written by {told}')
