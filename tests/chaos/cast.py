"""Who plays in a chaos scene: parties and what can be done to them, an operator's order followed step by step, and a session
that holds a server up."""
import json
import select
import socket
import subprocess
import time

from stage import StageFailure, wait_until
from stage.home import POOL

PARTIES = ('old', 'new', 'leader', 'follower', 'lb1', 'lb2')
STEPS = ('approach', 'intend', 'fence', 'catch-up', 'seat', 'open', 'done')
ORDER_BOUND = 30


class Order:
    """One order on a node's socket; each step of a move is told the moment it begins."""

    def __init__(self, node, text):
        self.steps, self.code, self.text, self.rest = [], None, '', b''
        self.line = socket.socket(socket.AF_UNIX)
        self.line.settimeout(2)
        self.line.connect(node.order_socket)
        self.line.sendall(text.encode() + b'\n')

    def read(self, bound):
        """One line more, or False when none came in time or none will come."""
        end = time.monotonic() + bound
        while b'\n' not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.line], [], [], left)[0]:
                return False
            try:
                part = self.line.recv(65536)
            except OSError:
                part = b''
            if not part:
                self.code = self.code or 'lost'
                return False
            self.rest += part
        line, self.rest = self.rest.split(b'\n', 1)
        word = json.loads(line)
        if 'progress' in word:
            self.steps.append(word['progress'])
        else:
            self.code, self.text = word['code'], word.get('text', '')
        return True

    def reaches(self, step, bound=10):
        """Whether the move has come to this step ('done': to its end)."""
        end = time.monotonic() + bound
        while self.code is None and step not in self.steps and time.monotonic() < end:
            self.read(end - time.monotonic())
        return step in self.steps or (step == 'done' and self.code == 'ok')

    def end(self, bound=ORDER_BOUND):
        """The answer's code: 'ok', a word of refusal, 'lost' when the node died, 'unanswered'."""
        stop = time.monotonic() + bound
        while self.code is None and self.read(stop - time.monotonic()):
            continue
        self.line.close()
        self.code = self.code or 'unanswered'
        return self.code


class Session:
    """A session of root on a server, open and ready, so that its statement comes in a millisecond."""

    def __init__(self, nest, server):
        self.child = nest.start(f'session on {server.name}', ['mariadb', f'--defaults-file={server.client_file}', '--force',
                                                              '--unbuffered', '--skip-reconnect'],
                                nest.file(f'session-{server.name}.log'), stdin=subprocess.PIPE)
        self.pipe = self.child.process.stdin

    def say(self, statement):
        try:
            self.pipe.write(statement.encode() + b';\n')
            self.pipe.flush()
        except OSError:
            pass                                # its server was killed meanwhile, and the client with it

    def close(self):
        self.child.kill()
        try:
            self.pipe.close()
        except OSError:
            pass


class Cast:
    """The parties of one round, by their parts at its beginning, and everything that was done to them, so that it can be undone."""

    def __init__(self, home, chance, old, leader):
        self.home, self.chance = home, chance
        self.faults, self.frozen, self.dead, self.is_cut = [], [], [], False
        follower = chance.choice([node for node in home.nodes if node is not leader])
        self.parts = {'old': old, 'new': home.other(old.name), 'leader': leader, 'follower': follower,
                      **{proxy.name: proxy for proxy in home.proxies}}

    def __getitem__(self, part):
        return self.parts[part]

    def told(self, fault):
        self.faults.append((time.monotonic(), fault))

    def kill(self, party):
        self.told(f'kill {party.name}')
        party.kill()
        self.dead.append(party)

    def freeze(self, party):
        self.told(f'freeze {party.name}')
        party.freeze()
        self.frozen.append(party)

    def isolate(self, party):
        self.told(f'isolate {party.name}')
        self.home.net.isolate(party.name)
        self.is_cut = True

    def cut(self, one, other, one_way=False):
        self.told(f'cut {one.name} {">" if one_way else "<>"} {other.name}')
        self.home.net.cut(one.name, other.name, one_way)
        self.is_cut = True

    def split(self, here, there):
        self.told(f'split {"+".join(party.name for party in here)} | {"+".join(party.name for party in there)}')
        for one in here:
            for other in there:
                self.home.net.cut(one.name, other.name)
        self.is_cut = True

    def hit(self, deed, party):
        getattr(self, deed)(party)

    def thaw(self):
        for party in self.frozen:
            self.told(f'thaw {party.name}')
            party.thaw()
        self.frozen = []

    def revive(self):
        dead, self.dead = self.dead, []
        for party in dead:
            self.told(f'start {party.name}')
            if party in self.home.proxies:      # as its service unit does at a cold start
                self.home.nest.write(f'{party.name}/server-state', '1\n')
                party.start()
            else:
                party.start(wait=False)
        for party in dead:
            if party in self.home.pair.servers:
                party.wait_ready()

    def mend(self):
        if self.is_cut:
            self.told('heal the network')
            self.home.net.heal()
            self.is_cut = False

    def heal(self):
        """Everything is undone; when that was, as time.time()."""
        self.thaw()
        self.mend()
        self.revive()
        return time.time()

    def story(self):
        began = self.faults[0][0] if self.faults else 0
        return ', '.join(f'{at - began:.2f} s {fault}' for at, fault in self.faults)


def settled(home, bound):
    """Until one node leads, everybody says that one and the same server sits, it alone is writable, and every HAProxy uses it;
    that server."""
    def one():
        told = {node.name: node.seated() for node in home.nodes}
        views, writable, leaders = home.views(), home.pair.writable(), home.leaders()
        names = set(told.values())
        if len(names) == 1 and len(leaders) == 1 and writable == list(names) and all(view == writable for view in views.values()):
            return home.pair[names.pop()]
        raise StageFailure(f'nodes say {told}, HAProxies use {views}, writable is {writable}, '
                           f'leading {[node.name for node in leaders]}')
    return wait_until(one, bound, 'somebody to sit, for everybody', every=0.05)


def switch(leader, new, *words):
    return Order(leader, ' '.join(['switch', POOL, new.name, *words]))
