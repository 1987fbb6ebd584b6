"""A relay that can be cut: TCP links on 127.0.0.1, forwarded by one thread, for cuts that need neither root nor namespaces.

A link is the way from one party to another, a port of its own. Healthy, it is as if it were not there: what the far side refuses
is refused here too, and what it ends ends here. Each of its two directions can be cut by itself:

  keep   bytes are kept back, the connection stays open, and they arrive when the link is healed (what TCP does in a short cut)
  drop   bytes are lost, the connection stays open; healed, it is reset (what TCP does when one side has given up meanwhile)

Through a cut link a new connection is accepted and gets no further (its first packet is under way for ever). `refuse` says no to
new connections and resets the standing ones. A peer that dies behind a cut is not heard of until the link is healed. `hold` waits for
words on their way there and keeps them, and what follows them, back until the link is healed: bytes that are under way for as long as
a scene wants. `spoil` changes a bit, as a network that TCP's own checksum does not see through.

Bounds: LINES_MAX connections for the whole relay, KEPT_MAX bytes a direction; beyond, the sender has to wait, as with TCP.
"""
import selectors
import socket
import struct
import threading
import time
from collections import deque
from errno import EINPROGRESS

from .nest import free_port
from .waits import StageFailure

THERE, BACK = 0, 1
WAYS = {'both': (THERE, BACK), 'there': (THERE,), 'back': (BACK,)}
LINES_MAX, KEPT_MAX, PART = 1024, 256 * 1024, 64 * 1024
PROBE_SECONDS = 0.05           # how often a far side that refused is asked again; at most so often after it ended a connection
COMMAND_SECONDS = 10
AT_ONCE = struct.pack('ii', 1, 0)         # linger: closing resets


def socket_for(port):
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.setblocking(False)
    one.bind(('127.0.0.1', port))
    return one


class Line:
    """One connection through a link: near is the one who connected, far the one who was connected to."""

    def __init__(self, link, near):
        self.link, self.ends, self.is_connected = link, [near, None], False
        self.kept = [bytearray(), bytearray()]
        self.has_ended, self.is_shut = [False, False], [False, False]
        self.has_lost, self.is_broken = False, False          # to be reset when the link is healed

    def source(self, way):
        return self.ends[way]

    def sink(self, way):
        return self.ends[1 - way]


class Link:
    """The way from one party to another. The relay's thread owns what changes; others go through Relay."""

    def __init__(self, source, target, far_port):
        self.source, self.target, self.far = source, target, ('127.0.0.1', far_port)
        self.port = free_port()
        self.keeper = socket_for(self.port)      # bound, never listening: the port stays ours while it refuses
        self.door, self.probe, self.probed_at = None, None, 0.0
        self.cut, self.refuses = [None, None], False
        self.awaited, self.on_held, self.to_spoil = None, None, 0
        self.lines = set()

    @property
    def address(self):
        return f'127.0.0.1:{self.port}'

    @property
    def name(self):
        return f'{self.source}>{self.target}'

    def is_cut(self):
        return any(self.cut)


class Relay:
    def __init__(self):
        self.links, self.lines_count, self.failure = [], 0, None
        self.selector, self.commands = selectors.DefaultSelector(), deque()
        self.bell, self.ringer = socket.socketpair()
        self.bell.setblocking(False)
        self.selector.register(self.bell, selectors.EVENT_READ, (None, 'bell', None))
        self.is_over = False
        self.thread = threading.Thread(target=self.run, daemon=True, name='relay')
        self.thread.start()

    # what others may call, from any thread: when it returns, it is so

    def link(self, source, target, far_port):
        link = Link(source, target, far_port)
        self.do(lambda: (self.links.append(link), self.open_door(link)))
        return link

    def cut(self, links, way='both', kind='keep'):
        if kind not in ('keep', 'drop'):
            raise StageFailure(f"a link is cut by 'keep' or 'drop', not {kind!r}")
        self.do(lambda: [self.cut_one(link, WAYS[way], kind) for link in links])

    def hold(self, links, words, on_held):
        """The first time that `words` are sent there on one of these links they do not arrive; `on_held()` is called at once."""
        self.do(lambda: [setattr(link, 'awaited', words) or setattr(link, 'on_held', on_held) for link in links])

    def spoil(self, links, least):
        """The next `least` bytes or more that come back in one piece arrive with one bit changed, near their end."""
        self.do(lambda: [setattr(link, 'to_spoil', least) for link in links])

    def refuse(self, links):
        self.do(lambda: [self.refuse_one(link) for link in links])

    def heal(self, links=None):
        self.do(lambda: [self.heal_one(link) for link in (self.links if links is None else links)])

    def close(self):
        if self.thread.is_alive():
            self.is_over = True
            self.ringer.send(b'.')
            self.thread.join(COMMAND_SECONDS)

    def do(self, deed):
        done = threading.Event()
        self.commands.append((deed, done))
        self.ringer.send(b'.')
        if not done.wait(COMMAND_SECONDS) or self.failure:
            raise StageFailure(f'the relay does not answer: {self.failure!r}')

    # the thread

    def run(self):
        try:
            while not self.is_over:
                for key, mask in self.selector.select(PROBE_SECONDS):
                    link, role, line = key.data
                    getattr(self, 'on_' + role)(link, line, key.fileobj, mask)
                self.probe_all()
        except Exception as error:               # told to whoever asks next; the rest of the stage goes on
            self.failure = error
            raise
        finally:
            self.end_all()

    def on_bell(self, _link, _line, bell, _mask):
        bell.recv(4096)
        while self.commands:
            deed, done = self.commands.popleft()
            deed()
            done.set()

    def end_all(self):
        for link in self.links:
            for line in list(link.lines):
                self.drop_line(line)
            for one in (link.door, link.probe, link.keeper):
                self.forget(one)
        self.selector.close()
        self.bell.close()
        for _, done in self.commands:
            done.set()

    def watch(self, one, mask, data):
        known = one.fileno() in self.selector.get_map()
        if mask and known:
            self.selector.modify(one, mask, data)
        elif mask:
            self.selector.register(one, mask, data)
        elif known:
            self.selector.unregister(one)

    def forget(self, one, is_reset=False):
        if one is None or one.fileno() < 0:
            return
        if one.fileno() in self.selector.get_map():
            self.selector.unregister(one)
        if is_reset:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        one.close()

    # doors: a link listens while its far side does

    def open_door(self, link):
        if link.door is None and not link.refuses:
            link.door = socket_for(link.port)
            link.door.listen(128)
            self.watch(link.door, selectors.EVENT_READ, (link, 'door', None))

    def close_door(self, link):
        self.forget(link.door)
        link.door = None

    def on_door(self, link, _line, door, _mask):
        if door is not link.door:
            return
        try:
            near, _ = door.accept()
        except OSError:
            return
        near.setblocking(False)
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(link, near)
        if self.lines_count >= LINES_MAX:
            self.forget(near, is_reset=True)
            return
        link.lines.add(line)
        self.lines_count += 1
        if not link.is_cut():
            self.connect(line)
        self.watch_line(line)

    def probe_all(self):
        now = time.monotonic()
        for link in self.links:
            if link.door is None and link.probe is None and not link.refuses and now - link.probed_at >= PROBE_SECONDS:
                self.probe_far(link)

    def probe_far(self, link):
        """Does the far side still listen? Asked after it ended a connection by itself, and as long as it refuses."""
        link.probed_at = time.monotonic()
        link.probe = socket.socket()
        link.probe.setblocking(False)
        if link.probe.connect_ex(link.far) in (0, EINPROGRESS):
            self.watch(link.probe, selectors.EVENT_WRITE, (link, 'probe', None))
        else:
            self.probed(link, False)

    def on_probe(self, link, _line, probe, _mask):
        if probe is link.probe:
            self.probed(link, probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0)

    def probed(self, link, listens):
        self.forget(link.probe)
        link.probe = None
        if listens:
            self.open_door(link)
        elif not link.is_cut():                  # behind a cut nobody hears that it is gone
            self.close_door(link)

    # lines

    def connect(self, line):
        far = socket.socket()
        far.setblocking(False)
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.ends[1] = far
        if far.connect_ex(line.link.far) not in (0, EINPROGRESS):
            self.not_connected(line)

    def not_connected(self, line):
        link = line.link
        self.drop_line(line, is_reset=True)
        if not link.is_cut():
            self.close_door(link)

    def watch_line(self, line):
        """Reads where there is room, writes where something waits and may pass."""
        if line not in line.link.lines:
            return
        masks = [0, 0]
        for way in (THERE, BACK):
            source, sink = way, 1 - way
            if not line.has_ended[way] and len(line.kept[way]) < KEPT_MAX and (line.is_connected or way == THERE):
                masks[source] |= selectors.EVENT_READ
            if line.kept[way] and not line.link.cut[way] and line.is_connected:
                masks[sink] |= selectors.EVENT_WRITE
        if line.ends[1] is not None and not line.is_connected:
            masks[1] = selectors.EVENT_WRITE
        for end, mask in zip(line.ends, masks):
            if end is not None and end.fileno() >= 0:
                self.watch(end, mask, (line.link, 'line', line))

    def on_line(self, link, line, end, mask):
        if line not in link.lines or end.fileno() < 0:
            return
        if end is line.ends[1] and not line.is_connected:
            if end.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0:
                self.not_connected(line)
                return
            line.is_connected = True
        elif mask & selectors.EVENT_READ:
            self.read(line, line.ends.index(end))
        for way in (THERE, BACK):
            self.pass_on(line, way)
        self.watch_line(line)

    def read(self, line, way):
        try:
            part = line.source(way).recv(PART)
        except BlockingIOError:
            return
        except OSError:
            self.broke(line, way)
            return
        if not part:
            line.has_ended[way] = True
            if way == BACK:
                self.ask_again(line.link)
            elif not line.is_connected:
                self.drop_line(line)
        elif line.link.cut[way] == 'drop' and line.is_connected:
            line.has_lost = True
        else:
            if way == BACK and 0 < line.link.to_spoil <= len(part):
                line.link.to_spoil = 0
                part = part[:-2] + bytes([part[-2] ^ 1]) + part[-1:]
            line.kept[way] += part
            if way == THERE and line.link.awaited and line.link.awaited in line.kept[way]:
                line.link.awaited = None
                line.link.cut[way] = 'keep'
                line.link.on_held()

    def broke(self, line, way):
        """The source of this direction has reset. Nobody behind a cut hears of it before it is healed."""
        if way == BACK:
            self.ask_again(line.link)
        if not line.link.cut[way]:
            self.drop_line(line, is_reset=True)
            return
        line.is_broken = True
        line.has_ended[way] = True
        self.forget(line.source(way))

    def ask_again(self, link):
        if link.probe is None and link.door is not None and time.monotonic() - link.probed_at >= PROBE_SECONDS:
            self.probe_far(link)

    def pass_on(self, line, way):
        if line not in line.link.lines or line.link.cut[way] or not line.is_connected or line.is_broken:
            return
        sink, kept = line.sink(way), line.kept[way]
        try:
            while kept:
                del kept[:sink.send(memoryview(kept)[:PART].tobytes())]
            if line.has_ended[way] and not line.is_shut[way]:
                line.is_shut[way] = True
                sink.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:
            self.broke(line, 1 - way)
            return
        if all(line.is_shut):
            self.drop_line(line)

    def drop_line(self, line, is_reset=False):
        if line not in line.link.lines:
            return
        line.link.lines.remove(line)
        self.lines_count -= 1
        for end in line.ends:
            self.forget(end, is_reset)

    # commands

    def cut_one(self, link, ways, kind):
        for way in ways:
            link.cut[way] = kind
        self.open_door(link)                     # a cut is silence, not a no
        for line in link.lines:
            self.watch_line(line)

    def refuse_one(self, link):
        link.refuses = True
        self.close_door(link)
        for line in list(link.lines):
            self.drop_line(line, is_reset=True)

    def heal_one(self, link):
        link.cut, link.refuses = [None, None], False
        self.open_door(link)
        for line in list(link.lines):
            if line.has_lost or line.is_broken:
                self.drop_line(line, is_reset=True)
                continue
            if line.ends[1] is None:
                self.connect(line)
            for way in (THERE, BACK):
                self.pass_on(line, way)
            self.watch_line(line)
