"""A Redis of the stage on a unix socket, without a file, and a reader that speaks the few words needed."""
import socket

from .waits import wait_until


class Redis:
    def __init__(self, nest, name='redis'):
        self.nest, self.name = nest, name
        self.folder = nest.folder(name)
        self.socket = f'{self.folder}/redis.sock'
        self.log = f'{self.folder}/redis.log'
        self.child = None

    @property
    def pid(self):
        return self.child.pid

    def start(self):
        self.child = self.nest.start(self.name, ['redis-server', '--port', '0', '--unixsocket', self.socket, '--save', '',
                                                 '--appendonly', 'no', '--dir', self.folder], self.log)
        wait_until(lambda: self.ask('PING') == 'PONG', 10, 'redis to answer')
        return self

    def alive(self):
        return self.child is not None and self.child.alive()

    def kill(self):
        self.child.kill()

    def freeze(self):
        self.child.freeze()

    def thaw(self):
        self.child.thaw()

    def stop(self):
        return self.child.stop()

    def ask(self, *words, timeout=2):
        """One command, one answer: text, number, None or a list of these."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(timeout)
            line.connect(self.socket)
            parts = [str(word).encode() for word in words]
            line.sendall(b'*%d\r\n' % len(parts) + b''.join(b'$%d\r\n%s\r\n' % (len(part), part) for part in parts))
            return read_answer(line.makefile('rb'))


def read_answer(file):
    head = file.readline().decode().rstrip('\r\n')
    kind, rest = head[:1], head[1:]
    if kind == '+':
        return rest
    if kind == '-':
        raise ValueError(f'redis: {rest}')
    if kind == ':':
        return int(rest)
    if kind == '$':
        return None if rest == '-1' else file.read(int(rest) + 2)[:-2].decode(errors='replace')
    if kind == '*':
        return [read_answer(file) for _ in range(int(rest))]
    raise ValueError(f'redis said {head!r}')
