"""A wall clock of its own for one program of the stage, stepped while it runs (tests/stage/stepped_clock.c)."""
import os
import re
import struct
import subprocess

from .node import ROOT, program
from .waits import StageFailure


class SteppedClock:
    """Give `env` to the program's start; `step(3600)` sets its clock an hour before ours, `step(-3600)` an hour behind."""

    def __init__(self, nest, name):
        library = os.path.join(ROOT, os.environ.get('FC_BUILD', 'build/dev'), 'tests/stage/libstepped_clock.so')
        if not os.path.exists(library):
            raise StageFailure(f'{library} is not built')
        self.file = nest.file(f'{name}/clock')
        with open(self.file, 'wb') as file:
            file.write(struct.pack('=q', 0))
        needed = subprocess.run(['ldd', program('firstchair')], capture_output=True, text=True, timeout=10).stdout
        first = re.findall(r'=> (\S*lib(?:asan|tsan)\S*)', needed)        # a sanitizer wants to be the very first
        self.env = {'LD_PRELOAD': ' '.join([*first, library]), 'FC_CLOCK_STEP': self.file}

    def step(self, seconds):
        with open(self.file, 'r+b') as file:                  # in place: the program has it mapped
            file.write(struct.pack('=q', seconds))
