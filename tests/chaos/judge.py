"""What became of a round, told by the servers: their binlogs (who wrote what, when, and as whom seated) and their tables.

Two writers at a time: every write is counted to the epoch at which its server was last seated, by the order of that server's own
binlog. Once a server has taken a write at a later epoch, a write that another one takes at an earlier epoch is an overlap. Times
are the servers' own, at the begin of each statement. firstchair's status is not asked.

A statement that lay in the socket of a server that fell silent is executed when it wakes, whoever has cut the session meanwhile: nobody can
fence a server that does not hear. It was sent before the other server took anything, and nobody was told that it was done. Such writes
are in the overlap, and told apart by when their client sent them (`woken`).
"""
import re
from collections import namedtuple

NEVER_SEATED = -1
LINE = re.compile(
    r"^SET TIMESTAMP=(?P<at>[\d.]+)"
    r"|INSERT INTO app\.t \([^)]*\) VALUES \('(?P<client>[^']+)', (?P<n>\d+), (?P<sent_us>\d+)"
    r"|^update firstchair_decision set epoch = (?P<epoch>\d+), seq = \d+, server = '(?:[^']*:(?P<server_id>\d+))?', node = '[^']*', "
    r"phase = '(?P<phase>\w+)'.*? mark = '(?P<mark>[^']*)'", re.MULTILINE)

Taken = namedtuple('Taken', 'at sent epoch client n')           # `at`, `sent`: as time.time(), of the server and of the client
Row = namedtuple('Row', 'epoch server_id marks')
Overlap = namedtuple('Overlap', 'ms writes clients last woken')  # `last`: when it ended; `woken`: those sent before it began


class Story:
    """One server's binlog of one round."""

    def __init__(self, server, since, epoch):
        """`epoch`: at which it sat when the round began; NEVER_SEATED when it did not."""
        self.taken, self.rows = [], []
        at = 0.0
        for found in LINE.finditer(server.binlog_text(since)):
            if found['at']:
                at = float(found['at'])
            elif found['client']:
                self.taken.append(Taken(at, int(found['sent_us']) / 1e6, epoch, found['client'], int(found['n'])))
            elif found['phase'] == 'seated' and found['server_id']:
                self.rows.append(Row(int(found['epoch']), int(found['server_id']), frozenset(found['mark'].split())))
                if int(found['server_id']) == server.server_id:
                    epoch = max(epoch, int(found['epoch']))

    def by_epoch(self):
        periods = {}
        for write in self.taken:
            periods.setdefault(write.epoch, []).append(write)
        return periods


def overlap_of(stories):
    """The overlaps of all periods of one server with later periods of another, added up."""
    ms, writes, clients, last, woken = 0.0, 0, set(), 0.0, []
    periods = [(epoch, number, taken) for number, story in enumerate(stories) for epoch, taken in story.by_epoch().items()]
    for epoch, number, taken in periods:
        begins = [min(write.at for write in later) for other_epoch, other, later in periods
                  if other != number and other_epoch > epoch]
        late = [write for write in taken if begins and write.at > min(begins)]
        if late:
            end = max(write.at for write in late)
            ms, writes, last = ms + (end - min(begins)) * 1000, writes + len(late), max(last, end)
            woken += [write for write in late if write.sent < min(begins)]
            clients.update(write.client for write in late if write.sent >= min(begins))
    return Overlap(ms, writes, clients, last, woken)


def marks_of(stories, seated_id):
    """The marks with which a server was seated in this round; one that the first seat brought along says nothing of it."""
    found = set()
    for row in sorted({row for story in stories for row in story.rows}, key=lambda row: row.epoch):
        if row.server_id != seated_id:
            found |= row.marks
        seated_id = row.server_id
    return found


class Sentence:
    """The judgement over one round: what the writers were told against what the servers have. The servers must be level."""

    def __init__(self, home, writers, since, epochs, tag):
        seated_id = next(server.server_id for server in home.pair.servers if epochs[server.name] != NEVER_SEATED)
        stories = [Story(server, since[server.name], epochs[server.name]) for server in home.pair.servers]
        kept = [{(row['client'], int(row['n'])) for row in server.rows(
            f"SELECT client, n FROM app.t WHERE client LIKE '{tag}%'", 60)} for server in home.pair.servers]
        wrote = [{(write.client, write.n) for write in story.taken} for story in stories]
        self.acknowledged = {(writer.client, write.n) for writer in writers for write in writer.acknowledged()}
        self.unknown = sum(write.verdict == 'unknown' for writer in writers for write in writer.writes())
        self.lost = sorted(self.acknowledged - set.intersection(*kept))
        self.one_sided = sorted(kept[0] ^ kept[1])
        self.doubled = sorted(wrote[0] & wrote[1])
        self.overlap = overlap_of(stories)
        self.marks = marks_of(stories, seated_id)
