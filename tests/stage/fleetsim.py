"""A simulated fleet of the stage (tests/bench/fleetsim): thousands of servers in one process, told by commands what to do."""
import json
import os
import subprocess

from .nest import free_port
from .node import ROOT
from .waits import StageFailure, wait_until


class Fleetsim:
    def __init__(self, nest, servers, each=10, writes=10, options=(), first=0):
        self.nest, self.servers, self.each, self.first, self.port = nest, servers, each, first, free_port()
        self.program = os.path.join(ROOT, os.environ.get('FC_BUILD', 'build/dev'), 'tests/bench/fleetsim')
        if not os.access(self.program, os.X_OK):
            raise StageFailure(f'{self.program} is not built')
        self.argv = [self.program, '--servers', str(servers), '--each', str(each), '--port', str(self.port), '--writes', str(writes),
                     '--first', self.host(0), *options]
        self.log = nest.file(f'fleetsim-{first}.log')
        self.child = None
        self.read_to = 0

    def host(self, index):
        place = (127 << 24 | 16 << 16) + 1 + self.first + index
        return '.'.join(str(place >> shift & 255) for shift in (24, 16, 8, 0))

    def address(self, index):
        return f'{self.host(index)}:{self.port}'

    def masters(self):
        return [self.address(index) for index in range(0, self.servers, self.each)]

    @property
    def pid(self):
        return self.child.pid

    def start(self):
        self.child = self.nest.start('fleetsim', self.argv, self.log, stdin=subprocess.PIPE)
        self.next_line(10)
        return self

    def next_line(self, bound=5):
        def line():
            if not self.child.alive():
                raise StageFailure(f'the simulated fleet ended: {self.child.tail()}')
            with open(self.log, encoding='utf-8') as log:
                log.seek(self.read_to)
                return (found := log.readline()).endswith('\n') and found
        found = wait_until(line, bound, 'the simulated fleet to answer', every=0.002)
        self.read_to += len(found.encode())
        return found.rstrip('\n')

    def send(self, command):
        self.child.process.stdin.write((command + '\n').encode())
        self.child.process.stdin.flush()

    def tell(self, command):
        """A command that must be done."""
        self.send(command)
        said = self.next_line()
        if said != 'ok':
            raise StageFailure(f'the simulated fleet, {command!r}: {said}')

    def counts(self):
        self.send('counts')
        return json.loads(self.next_line())

    def heard(self):
        self.send('heard')
        texts = []
        while (line := self.next_line()) != 'ok':
            texts.append(line)
        return texts
