"""What one program of the stage is shown instead of the real thing: a clock that is stepped, a disk that takes its time. And one thing that is told of it."""
import os
import re
import struct
import subprocess

from .node import ROOT, program
from .waits import StageFailure


class Preloaded:
    """A number that a library reads which is loaded before the program. Give `env` to the program's start."""

    def __init__(self, nest, name, library, variable):
        path = os.path.join(ROOT, os.environ.get('FC_BUILD', 'build/dev'), f'tests/stage/lib{library}.so')
        if not os.path.exists(path):
            raise StageFailure(f'{path} is not built')
        self.file = nest.file(f'{name}/{library}')
        with open(self.file, 'wb') as file:
            file.write(struct.pack('=q', 0))
        needed = subprocess.run(['ldd', program('firstchair')], capture_output=True, text=True, timeout=10).stdout
        first = re.findall(r'=> (\S*lib(?:asan|tsan)\S*)', needed)        # a sanitizer wants to be the very first
        self.env = {'LD_PRELOAD': ' '.join([*first, path]), variable: self.file}

    def put(self, number):
        with open(self.file, 'r+b') as file:                  # in place: the program has it mapped
            file.write(struct.pack('=q', number))

    def get(self):
        with open(self.file, 'rb') as file:
            return struct.unpack('=q', file.read(8))[0]


class HeapTold(Preloaded):
    """What the program has reserved and not given back, in bytes, a moment ago (tests/stage/heap_told.c): `get()`."""

    def __init__(self, nest, name):
        super().__init__(nest, name, 'heap_told', 'FC_HEAP_FILE')


class SteppedClock(Preloaded):
    """A wall clock of its own (tests/stage/stepped_clock.c): `step(3600)` sets it an hour before ours, `step(-3600)` an hour behind."""

    def __init__(self, nest, name):
        super().__init__(nest, name, 'stepped_clock', 'FC_CLOCK_STEP')

    def step(self, seconds):
        self.put(seconds)


class SlowDisk(Preloaded):
    """A disk on which each call that makes something durable takes so long (tests/stage/slow_disk.c)."""

    def __init__(self, nest, name):
        super().__init__(nest, name, 'slow_disk', 'FC_DISK_DELAY')

    def take(self, seconds):
        self.put(int(seconds * 1000))
