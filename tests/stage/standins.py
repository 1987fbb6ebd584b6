"""Stand-ins around a real HAProxy, for scenes about HAProxy alone: nodes that say what they are told to say, and servers that tell
every visitor their name. All of them, and the visitors, live on one asyncio loop in a thread of its own.

What the nodes say comes from the board itself: `answers` (tests/stage/answers.c) prints every line that there is.
"""
import asyncio
import functools
import os
import socket
import struct
import subprocess
import threading
import time
from collections import Counter, namedtuple

from .haproxy import version
from .node import ROOT
from .waits import StageFailure, wait_until

Answer = namedtuple('Answer', 'kind voice weight late token term push line')
Visit = namedtuple('Visit', 'began ended name')           # monotonic seconds; name None: turned away

CATCHES_WHO_CONNECTS, CAUGHT_AFTER_SECONDS = (3, 0), 10      # docs/operating.md, "Which HAProxy"

# What an agent may do instead of saying a line.
SILENT, RESET, CLOSE = object(), object(), object()


@functools.cache
def all_answers():
    """Every answer that the board can print, one row for each way to come to it."""
    path = os.path.join(ROOT, os.environ.get('FC_BUILD', 'build/dev'), 'tests/stage/answers')
    if not os.access(path, os.X_OK):
        raise StageFailure(f'{path} is not built')
    done = subprocess.run([path], capture_output=True, timeout=20, check=True)
    rows = [line.split('\t', 7) for line in done.stdout.decode().splitlines()]
    return [Answer(kind, voice, int(weight), late, token == 'token', term, push, f'{line}\n'.encode())
            for kind, voice, weight, late, token, term, push, line in rows]


def spoken(kind, voice, term='within', late='rest', token=False):
    """The one answer of this meaning."""
    return next(row for row in all_answers() if row[:2] == (kind, voice)
                and (kind == 'none' or (row.late, row.token, row.term) == (late, token, term)))


class Standins:
    """The loop that all stand-ins of a scene share. A `with`."""

    def __enter__(self):
        self.loop, self.doors = asyncio.new_event_loop(), []
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        for door in self.doors:
            door.shut()

        async def end():
            await asyncio.sleep(0.01)                      # who was at a door just then is let in, and meets a closed one
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        self.run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)


def reset(writer):
    try:
        writer.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    except OSError:
        pass                                               # the other side was quicker
    writer.transport.abort()


class Door:
    """A listener on 127.0.0.1 that can be shut (refuses) and opened again on the same port."""

    def __init__(self, standins, port=0):
        self.standins, self.port, self.server, self.inside = standins, port, None, set()
        standins.doors.append(self)

    def open(self):
        async def go():
            self.server = await asyncio.start_server(self.guarded, '127.0.0.1', self.port, backlog=2048, reuse_address=True)
            self.port = self.server.sockets[0].getsockname()[1]
        if self.server is None:
            self.standins.run(go())
        return self

    def shut(self):
        """Refuses from now on; who is inside is thrown out."""
        async def go():
            self.server.close()
            self.server = None
            for writer in list(self.inside):
                reset(writer)
        if self.server is not None:
            self.standins.run(go())

    async def guarded(self, reader, writer):
        self.inside.add(writer)
        try:
            await self.serve(reader, writer)
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.inside.discard(writer)
            writer.close()


class Speaker(Door):
    """A node's agent port. `says` maps "pool/server" (or "voice") to a line, to SILENT, RESET or CLOSE, or to a function that gets
    the reader and the writer; "*" is for all that is not named. `asked` counts."""

    def __init__(self, standins, says, port=0):
        super().__init__(standins, port)
        self.says, self.asked = says, Counter()

    async def serve(self, reader, writer):
        words = (await reader.readuntil(b'\n')).decode(errors='replace').split()
        target = words[-1] if words else ''
        answer = self.says.get(target, self.says.get('*', SILENT))
        self.asked[target] += 1
        if answer is SILENT:
            await reader.read()                            # until HAProxy gives up
        elif answer is RESET:
            reset(writer)
        elif callable(answer):
            await answer(reader, writer)
        elif answer is not CLOSE:
            writer.write(answer)
            await writer.drain()

    def wait_asked(self, targets, times=2, bound=20):
        """Until each target was asked so often again: the answer before the last one has then been taken by HAProxy."""
        before = Counter(self.asked)
        wait_until(lambda: all(self.asked[target] - before[target] > times for target in targets), bound,
                   f'HAProxy to ask {times} times more for each of {len(targets)} servers')


class Greeter(Door):
    """A server of a pool: tells each visitor its name, then keeps the line until the other side closes."""

    def __init__(self, standins, name):
        super().__init__(standins)
        self.name, self.visits = name, []

    async def serve(self, reader, writer):
        self.visits.append(time.monotonic())
        writer.write(self.name.encode() + b'\n')
        await writer.drain()
        await reader.read()

    def visited(self, since=0.0):
        return sum(at >= since for at in self.visits)


class Session:
    """One connection through HAProxy, held open. `ended` is the monotonic time of its end, None while it lives."""

    def __init__(self, standins, port):
        self.name, self.ended, self.told = None, None, threading.Event()
        self.task = asyncio.run_coroutine_threadsafe(self.live(port), standins.loop)

    async def live(self, port):
        try:
            reader, writer = await asyncio.open_connection('127.0.0.1', port)
            self.name = (await reader.readline()).decode().strip() or None
            self.told.set()
            await reader.read()
            writer.close()
        except OSError:
            pass
        self.ended = time.monotonic()
        self.told.set()


class Visitors:
    """Opens a fresh connection every so many milliseconds, whatever became of the ones before, and keeps what each was told."""

    def __init__(self, standins, port, every_ms=5):
        self.standins, self.port, self.every_ms = standins, port, every_ms
        self.seen, self.over, self.pending = [], False, set()      # the loop itself holds its tasks by weak references only

    def start(self):
        self.task = asyncio.run_coroutine_threadsafe(self.walk(), self.standins.loop)
        return self

    async def walk(self):
        next_at = time.monotonic()
        while not self.over:
            task = asyncio.ensure_future(self.visit())
            self.pending.add(task)
            task.add_done_callback(self.pending.discard)
            next_at = max(next_at + self.every_ms / 1000, time.monotonic())
            await asyncio.sleep(next_at - time.monotonic())

    async def visit(self):
        began, name, writer = time.monotonic(), None, None
        try:
            reader, writer = await asyncio.open_connection('127.0.0.1', self.port)
            name = (await reader.readline()).decode().strip() or None
        except (OSError, asyncio.CancelledError):
            pass
        self.seen.append(Visit(began, time.monotonic(), name))
        if writer is not None:
            reset(writer)

    def stop(self):
        """All visits, each with its end."""
        self.over = True
        self.task.result(30)
        if version() == CATCHES_WHO_CONNECTS:
            self.leave_caught()
        wait_until(lambda: not self.pending, 30, 'the last visitors to be told')
        return self.seen

    def leave_caught(self):
        """Whoever has not been told anything for so long is caught by that HAProxy's defect: said, and let go."""
        try:
            wait_until(lambda: not self.pending, CAUGHT_AFTER_SECONDS, 'the last visitors to be told')
        except StageFailure:
            print(f'{len(self.pending)} of {len(self.seen)} visitors caught while being connected: a defect of this HAProxy')
            for task in list(self.pending):
                self.standins.loop.call_soon_threadsafe(task.cancel)

    def names(self, since=0.0):
        """Whom the visits that began later were sent to; None is a visitor turned away."""
        return Counter(visit.name for visit in self.seen if visit.began >= since)

    def wait_name(self, name, since=0.0, count=1, bound=15):
        wait_until(lambda: self.names(since)[name] >= count, bound, f'{count} visitors to be sent to {name}')
