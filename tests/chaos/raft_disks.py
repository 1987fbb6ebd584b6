"""Plays of raft.py about a node that lacks something: time, its directory, room on its disk, a quick disk, the tail of its log."""
import os
import shutil
import socket
import threading
import time

from stage import stays, wait_until
from stage.clock import SlowDisk

DISK_BYTES = 1536 * 1024      # of a small RaftDataDir
SLOW_SECONDS = 5
SNAPSHOT_ENTRIES = 64
ORDERS_AWAY = 120             # more than the log keeps behind a snapshot, and more than is held in common


def share(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0


def answered(round, count, nodes):
    """Until so many orders more were answered at these nodes."""
    begun = sum(len(client.waits) for client in round.clients if client.node in nodes)
    wait_until(lambda: sum(len(client.waits) for client in round.clients if client.node in nodes) >= begun + count, 90,
               f'{count} more answered orders', 0.1)


def others_go_on(round, node, began, what):
    """The orders of the others were answered all the time; how long they took."""
    waits = round.waits_since(began, [other for other in round.house.nodes if other is not node])
    round.said.append(f'{what}: {len(waits)} orders of the others, p50 {share(waits, 0.5) * 1000:.0f}, p99 {share(waits, 0.99) * 1000:.0f} ms')
    round.claim(len(waits) >= 20, f'only {len(waits)} orders of the others were answered')


def status(round, node):
    return round.house.raft_status(node)


def perhaps_lead(round, node):
    """In every second round it is the leader that is robbed."""
    if round.chance.random() < 0.5 and round.leader is not node:
        round.leader.order('yield', 'to', node.name)
        wait_until(node.leads, 20, f'{node.name} to lead')
    round.leader = round.house.wait_leader(20)


def long_away(round):
    """Killed until the log no longer holds what it lacks: it is given the state, and has all that is held in common."""
    node = round.followers[0]
    began = time.monotonic()
    round.told(f'kill {node.name} for long')
    node.kill()
    last = status(round, round.leader)['LastIndex']
    answered(round, ORDERS_AWAY, [other for other in round.house.nodes if other is not node])
    wait_until(lambda: status(round, round.house.leaders()[0])['SnapshotIndex'] > last + SNAPSHOT_ENTRIES, 60, 'the log to be cut')
    others_go_on(round, node, began, f'{node.name} away')
    round.incomplete.add(node.name)
    node.start(wait=False)
    round.healed()
    wait_until(lambda: status(round, node)['SnapshotIndex'] > last, 60, f'{node.name} to be given the state')


def wiped(round):
    """Started with an empty directory it takes no part and says why; with its own one back it does."""
    node = round.followers[0]
    folder, kept = round.house.folder(node), round.house.folder(node) + '.kept'
    began = time.monotonic()
    round.told(f'wipe {node.name}')
    node.kill()
    os.rename(folder, kept)
    node.start(wait=False)
    wait_until(lambda: 'its data directory is empty' in status(round, node)['Why'], 30, 'the wiped node to say why it stays out')
    stays(lambda: status(round, node)['State'] == 'Shutdown', 1, 'it takes no part')
    others_go_on(round, node, began, f'{node.name} wiped')
    node.stop()
    shutil.rmtree(folder)
    os.rename(kept, folder)
    node.start(wait=False)
    round.healed()


# ---- a full disk ----

def lay_small_disk(house):
    """The first node's RaftDataDir is a small disk of its own, which only it and its holder see."""
    house.configure()
    node = house.nodes[0]
    folder = house.nest.folder(f'{node.name}/raft')
    house.small_disk = house.nest.start('disk', [
        'unshare', '--mount', '--propagation', 'private', 'sh', '-c',
        f'mount -t tmpfs -o size={DISK_BYTES},mode=700 tmpfs {folder} && echo mounted && exec sleep 100000'], house.nest.file('disk.log'))
    wait_until(lambda: 'mounted' in house.small_disk.tail(), 10, 'the small disk')
    plain = node.start

    def start(wait=True, env=None):
        usual, node.nest = node.nest, Inside(house.nest, house.small_disk.pid)
        try:
            return plain(wait, env)
        finally:
            node.nest = usual
    node.start = start


class Inside:
    """A nest whose programs see the mounts of another process."""

    def __init__(self, nest, pid):
        self.nest, self.pid = nest, pid

    def start(self, name, argv, *rest, **more):
        return self.nest.start(name, ['nsenter', f'--mount=/proc/{self.pid}/ns/mnt', '--', *argv], *rest, **more)


class Filler:
    """Takes every byte of a disk as soon as it is free."""

    def __init__(self, path):
        self.path, self.over = path, threading.Event()
        self.file = open(path, 'wb', buffering=0)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.01):
            for size in (65536, 4096):
                try:
                    while self.file.write(bytes(size)):
                        continue
                except OSError:
                    continue                     # no room for so much

    def end(self):
        self.over.set()
        self.thread.join()
        self.file.close()
        os.unlink(self.path)


def full_disk(round):
    """Its disk fills up: the others go on, it says what is wrong and takes no part; when there is room again it is level, by itself."""
    node = round.house.nodes[0]
    others = [other for other in round.house.nodes if other is not node]
    perhaps_lead(round, node)
    began = time.monotonic()
    round.told(f'fill the disk of {node.name}' + (', who leads' if node is round.leader else ''))
    filler = Filler(f'/proc/{round.house.small_disk.pid}/root{round.house.folder(node)}/filler')
    try:
        why = wait_until(lambda: status(round, node)['Why'], 30, f'{node.name} to say what is wrong', 0.1)
        answered(round, 40, others)
        stays(lambda: status(round, node)['Why'] != '' and not node.leads(), 2, 'it takes no part')
    finally:
        filler.end()
    round.told(f'{node.name} says: {why}')
    round.claim('its disk failed (' in why, 'the sentence is another one')
    others_go_on(round, node, began, 'disk full')
    wait_until(lambda: status(round, node)['Why'] == '', 30, 'it takes part again by itself')
    round.incomplete.add(node.name)
    round.healed()


# ---- a slow disk ----

def lay_slow_disk(house):
    """The first node's disk can be made slow."""
    node = house.nodes[0]
    house.slow_disk = SlowDisk(house.nest, node.name)
    plain = node.start
    node.start = lambda wait=True, env=None: plain(wait, {**house.slow_disk.env, **(env or {})})


class AgentChecks:
    """HAProxy's question at one node, again and again; how long each answer took."""

    def __init__(self, node):
        self.node, self.over, self.took, self.failed = node, threading.Event(), [], 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.01):
            began = time.monotonic()
            try:
                with self.node.place.inside():
                    line = socket.create_connection((self.node.place.host, self.node.agent_port), 5)
                with line:
                    line.sendall(f'fc_leader/{self.node.name}\n'.encode())
                    if not line.recv(200).endswith(b'\n'):
                        self.failed += 1
            except OSError:
                self.failed += 1
            self.took.append((time.monotonic() - began) * 1000)

    def end(self):
        self.over.set()
        self.thread.join()

    def __str__(self):
        return f'{len(self.took)} agent-checks, p50 {share(self.took, 0.5):.1f}, p99 {share(self.took, 0.99):.1f} ms, {self.failed} failed'


def slow_disk(round):
    """Each write that is to last takes 5 s at one node: the others go on, it answers HAProxy as quickly as before, and catches up later."""
    node = round.house.nodes[0]
    perhaps_lead(round, node)
    calm = AgentChecks(node)
    round.stay(1, 1.2)
    calm.end()
    began, checks = time.monotonic(), AgentChecks(node)
    round.told(f'the disk of {node.name}' + (', who leads,' if node is round.leader else '') + f' takes {SLOW_SECONDS} s')
    round.house.slow_disk.take(SLOW_SECONDS)
    round.incomplete.add(node.name)                           # what its store could not take in time comes with the whole state
    round.stay(12, 13)
    checks.end()
    slow = status(round, node)
    round.claim(not node.leads(), f'{node.name} leads on a slow disk')
    others_go_on(round, node, began, 'disk slow')
    round.said.append(f'{node.name} before: {calm}')
    round.said.append(f'{node.name} with a slow disk: {checks}')
    round.said.append(f'then {slow["State"]}, {slow["LastIndex"] - slow["AppliedIndex"]} entries behind, {slow["NotYetInStore"]} not in its store'
                      + (f', says: {slow["Why"]}' if slow['Why'] else ''))
    round.claim(checks.failed == 0, f'{checks.failed} agent-checks were not answered')
    round.claim(share(checks.took, 0.99) < 200 + 5 * share(calm.took, 0.99), f'agent-checks: {checks}, before: {calm}')
    round.house.slow_disk.take(0)
    round.healed()


# ---- a lost tail ----

def newest_segment(folder):
    found = [os.path.join(folder, 'log', name) for name in os.listdir(os.path.join(folder, 'log')) if name.startswith('open-')]
    written = [path for path in found if end_of(path) > 8]
    return max(written, key=lambda path: int(path.rsplit('-', 1)[1]), default=None)


def end_of(path):
    """Bytes up to the last that is not nought: a segment is laid out in full before it is written."""
    with open(path, 'rb') as file:
        return len(file.read().rstrip(b'\0'))


def lost_tail(round):
    """All are killed, one follower's log lacks its last bytes, and the old leader stays away: the others must not decide without what was
    answered. Then the old leader is back, and all have everything."""
    node, late = round.followers[0], round.leader
    round.told(f'kill all, cut the log of {node.name}, {late.name} stays away')
    for victim in round.house.nodes:
        victim.kill()
    path = newest_segment(round.house.folder(node))
    end = end_of(path)
    with open(path, 'r+b') as file:
        file.seek(max(8, end - 2000))
        file.write(bytes(end - max(8, end - 2000)))
    for other in round.house.nodes:
        if other is not late:
            other.start(wait=False)
    others = [other for other in round.house.nodes if other is not late]
    wait_until(lambda: all(other.listens() for other in others), 30, 'the others to be up')
    round.stay(3, 4)
    round.said.append(' '.join(f'{other.name}: {status(round, other)["State"]} at {status(round, other)["LastIndex"]}, '
                               f'{status(round, other)["VotesWithheld"]} votes withheld, {status(round, other)["Why"] or "nothing wrong"};' for other in others))
    late.start(wait=False)
    round.healed()
