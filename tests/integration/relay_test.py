"""The relay of the stage: what a link lets through, keeps back, loses and refuses. The chaos scenes without namespaces rest on it."""
import socket
import threading

from stage import StageFailure, wait_until
from stage.relay import Relay


class Echo:
    """Sends back what it is sent; an end is answered by an end."""

    def __init__(self, port=0):
        self.door = socket.create_server(('127.0.0.1', port))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                line, _ = self.door.accept()
            except OSError:
                return
            threading.Thread(target=self.echo, args=(line,), daemon=True).start()

    def echo(self, line):
        with line:
            try:
                while part := line.recv(65536):
                    line.sendall(part)
            except OSError:
                pass

    def close(self):
        if self.door.fileno() >= 0:
            self.door.shutdown(socket.SHUT_RDWR)             # wakes the thread that waits there
            self.door.close()


class Desk:
    def __enter__(self):
        self.echo, self.relay = Echo(), Relay()
        self.link = self.relay.link('a', 'b', self.echo.port)
        return self

    def __exit__(self, *_):
        self.relay.close()
        self.echo.close()

    def call(self, text=b''):
        line = socket.create_connection(('127.0.0.1', self.link.port), timeout=0.3)
        line.sendall(text)
        return line


def heard(line, size=100):
    """What comes within a moment: bytes, '' at the end, or in one word why nothing."""
    try:
        return line.recv(size).decode()
    except TimeoutError:
        return 'silence'
    except ConnectionResetError:
        return 'reset'


def is_refused(desk):
    try:
        desk.call().close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:                     # the first one finds out that nobody listens any more
        pass
    return False


def expect(seen, wanted):
    if seen != wanted:
        raise StageFailure(f'heard {seen!r}, not {wanted!r}')


def test_a_healthy_link_is_as_if_it_were_not_there():
    """Both ways, 4 MB at once, and the end of one side is the end of the other."""
    with Desk() as desk:
        line = desk.call(b'hello')
        expect(heard(line), 'hello')
        line.settimeout(10)
        threading.Thread(target=line.sendall, args=(b'x' * 4_000_000,), daemon=True).start()
        left = 4_000_000
        while left:
            left -= len(line.recv(1 << 20))
        line.shutdown(socket.SHUT_WR)
        expect(heard(line), '')


def test_what_a_cut_keeps_back_arrives_when_it_is_healed():
    """Cut in either direction: silence, the connection stays open, and what was sent meanwhile comes afterwards, in order."""
    with Desk() as desk:
        line = desk.call(b'a')
        expect(heard(line), 'a')
        for way in ('there', 'back', 'both'):
            desk.relay.cut([desk.link], way)
            line.sendall(b'1')
            line.sendall(b'2')
            expect(heard(line), 'silence')
            desk.relay.heal([desk.link])
            line.settimeout(5)
            expect(line.recv(1).decode() + line.recv(1).decode(), '12')
            line.settimeout(0.3)


def test_words_that_are_held_are_told_of_and_arrive_when_the_link_is_healed():
    """What came before passes, what comes behind waits its turn; held once, the same words pass afterwards."""
    with Desk() as desk:
        held = threading.Event()
        line = desk.call(b'a')
        expect(heard(line), 'a')
        desk.relay.hold([desk.link], b'words', held.set)
        line.sendall(b'b')
        expect((heard(line), held.is_set()), ('b', False))
        line.sendall(b'some words')
        expect((heard(line), held.is_set()), ('silence', True))
        line.sendall(b'!')
        expect(heard(line), 'silence')
        desk.relay.heal([desk.link])
        line.settimeout(5)
        expect(line.recv(100).decode(), 'some words!')
        line.sendall(b'words')
        expect(line.recv(100).decode(), 'words')


def test_what_a_cut_loses_is_a_reset_when_it_is_healed():
    """Bytes were lost: nobody goes on with a torn stream. A connection begun meanwhile had not lost anything."""
    with Desk() as desk:
        old = desk.call(b'a')
        expect(heard(old), 'a')
        desk.relay.cut([desk.link], 'there', 'drop')
        old.sendall(b'lost')
        new = desk.call(b'b')
        expect((heard(old), heard(new)), ('silence', 'silence'))
        desk.relay.heal()
        new.settimeout(5)
        expect(heard(new), 'b')
        expect(heard(old), 'reset')


def test_a_death_behind_a_cut_is_not_heard_of():
    """The far side ends while the link is cut: silence, then the end."""
    with Desk() as desk:
        line = desk.call(b'a')
        expect(heard(line), 'a')
        desk.relay.cut([desk.link], 'back')
        line.shutdown(socket.SHUT_WR)                # the echo ends its side
        expect(heard(line), 'silence')
        desk.relay.heal()
        line.settimeout(5)
        expect(heard(line), '')


def test_a_far_side_that_is_gone_is_refused_and_found_again():
    """The link refuses while nobody listens there, and by order; it keeps its port all the while."""
    with Desk() as desk:
        port = desk.echo.port
        desk.echo.close()
        wait_until(lambda: is_refused(desk), 5, 'the link to refuse')
        desk.echo = Echo(port)
        wait_until(lambda: not is_refused(desk), 5, 'the link to let through again')
        line = desk.call(b'a')
        expect(heard(line), 'a')
        desk.relay.refuse([desk.link])
        expect(heard(line), 'reset')
        if not is_refused(desk):
            raise StageFailure('the link was told to refuse')
        desk.relay.heal()
        expect(heard(desk.call(b'b')), 'b')
