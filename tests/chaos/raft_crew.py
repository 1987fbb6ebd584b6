"""Who watches and who works during the rounds of raft.py: looks every 10 ms at who leads, clients that order at each node, strangers at
the peers' ports."""
import bisect
import os
import socket
import threading
import time

from stage import StageFailure, wait_until
from stage.strangers import flood, introduce

from cast import Order

LOOK_SECONDS = 0.01
STRETCH_SECONDS = 0.05        # between two looks at which a node led it led all the time, if they are no further apart
QUESTION = b'GET /api/leader-check HTTP/1.1\r\nHost: stage\r\n\r\n'
ORDER_BOUND = 20
ORDER_PAUSE = 0.02
HALF_OPEN = 50


class Line:
    """One kept connection to a node's HTTP door: a question at a time, asked again as soon as it was answered."""

    def __init__(self, node):
        self.node, self.socket, self.asked_at, self.heard = node, None, None, b''

    def ask(self):
        try:
            if self.socket is None:
                self.socket = socket.socket()
                with self.node.place.inside():
                    self.socket = socket.create_connection((self.node.place.host, self.node.http_port), 1)
                self.socket.setblocking(False)
            self.asked_at = time.monotonic()
            self.socket.send(QUESTION)
        except OSError:
            self.hang_up()

    def hear(self):
        """Whether it leads; None: nothing whole was heard."""
        try:
            more = self.socket.recv(4096)
        except BlockingIOError:
            return None
        except OSError:
            more = b''
        if not more:
            self.hang_up()
            return None
        self.heard += more
        head, end, body = self.heard.partition(b'\r\n\r\n')
        length = int(head.lower().partition(b'content-length:')[2].split(b'\r')[0] or 0) if end else 0
        if not end or len(body) < length:
            return None
        self.heard = b''
        return b' 200 ' in head.split(b'\r\n')[0]

    def hang_up(self):
        if self.socket is not None:
            self.socket.close()
        self.socket, self.asked_at, self.heard = None, None, b''


class Looks:
    """Asks each node every 10 ms whether it leads, and keeps when it said yes: as (asked, heard), it led at a moment between."""

    def __init__(self, nodes):
        self.lines = [Line(node) for node in nodes]
        self.said = {node.name: [] for node in nodes}
        self.count, self.over = 0, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.wait(LOOK_SECONDS):
            for line in self.lines:
                if line.asked_at is not None:
                    self.take(line)
                if line.asked_at is None and line.node.alive():
                    line.ask()

    def take(self, line):
        leads, asked = line.hear(), line.asked_at
        if leads is None:
            return
        line.asked_at = None
        self.count += 1
        if leads:
            self.said[line.node.name].append((asked, time.monotonic()))

    def end(self):
        self.over.set()
        self.thread.join()
        for line in self.lines:
            line.hang_up()

    def leader_since(self, began, other_than=''):
        """(moment, name) of the first yes to a question asked after `began`."""
        found = [(heard, name) for name, said in self.said.items() if name != other_than
                 for asked, heard in said[max(0, bisect.bisect_left(said, (began, 0))):][:1]]
        return min(found, default=None)

    def wait_successor(self, began, other_than, bound=30):
        """Seconds until another node led."""
        return wait_until(lambda: self.leader_since(began, other_than), bound, f'another node than {other_than} to lead', 0.005)[0] - began

    def two_at_a_time(self):
        """[(name, other, seconds)] of certain stretches of the one's lead in which the other answered that it led."""
        found = []
        for name, mine in self.said.items():
            stretches = [(heard, asked) for (_, heard), (asked, _) in zip(mine, mine[1:]) if heard <= asked < heard + STRETCH_SECONDS]
            begins = [begin for begin, _ in stretches]
            for other, theirs in self.said.items():
                for asked, heard in theirs if other != name else ():
                    at = bisect.bisect_right(begins, asked) - 1
                    if at >= 0 and heard <= stretches[at][1]:
                        found.append((name, other, heard - asked))
        return found


class Client:
    """Gives one order after the other at one node, each of which says something that none said before and changes nothing else: a yield
    from a node that there is not. At a follower it goes through the log, and so does its answer."""

    def __init__(self, node, tag):
        self.node, self.tag, self.over = node, tag, threading.Event()
        self.logged, self.direct, self.refused, self.unknown, self.waits = {}, {}, 0, 0, []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        number = 0
        while not self.over.wait(ORDER_PAUSE):
            number += 1
            self.give(f'yield from {self.tag}-{number}')

    def give(self, text):
        began = time.monotonic()
        try:
            order = Order(self.node, text)
            order.end(ORDER_BOUND)
        except OSError:
            return                               # nobody is there to take it
        if order.code == 'ok':
            self.waits.append((began, time.monotonic() - began))
            (self.logged if order.steps else self.direct)[text] = order.text
        elif order.code in ('lost', 'unanswered', 'timeout'):
            self.unknown += 1
        else:
            self.refused += 1

    def end(self):
        self.over.set()
        self.thread.join(ORDER_BOUND + 10)
        if self.thread.is_alive():
            raise StageFailure(f'an order at {self.node.name} never came to an end')


class Strangers:
    """Garbage, half-open connections and proofs by another key at each peers' port, from a neighbour's host."""

    def __init__(self, house):
        self.house, self.over, self.lines, self.turned_away = house, threading.Event(), [], 0
        self.threads = [threading.Thread(target=deed, args=(node, house.nodes[number - 1]), daemon=True)
                        for number, node in enumerate(house.nodes) for deed in (self.garbage, self.wrong_key)]
        for thread in self.threads:
            thread.start()
        for number, node in enumerate(house.nodes):
            self.half_open(node, house.nodes[number - 1])

    def port(self, node):
        return node.place.host, self.house.peers.ports[node.name]

    def garbage(self, node, neighbour):
        with neighbour.place.inside():
            flood(self.port(node), self.over, os.urandom(600), pause=0.02)

    def wrong_key(self, node, neighbour):
        with neighbour.place.inside():
            while not self.over.wait(0.05):
                try:
                    introduce(self.port(node), os.urandom(32), 'firstchair', (1, neighbour.name), (2, node.name))
                    self.turned_away += 1
                except (OSError, AssertionError):
                    continue                     # it is dead, frozen, or out of reach

    def half_open(self, node, neighbour):
        with neighbour.place.inside():
            for _ in range(HALF_OPEN):
                line = socket.socket()
                line.setblocking(False)
                line.connect_ex(self.port(node))
                self.lines.append(line)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(30)
        for line in self.lines:
            line.close()
