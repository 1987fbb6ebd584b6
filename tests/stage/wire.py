"""A client of MySQL's protocol that hides nothing: greeting, columns with all that is said of them, cells as they came.

For comparing what two servers say to the same words (a real one, and one that stands in for it). Passwords by mysql_native_password.
"""
import hashlib
import socket
import struct

from .waits import StageFailure

FOUND_ROWS, LONG_FLAG, PROTOCOL_41, TRANSACTIONS, SECURE = 2, 4, 0x200, 0x2000, 0x8000
MULTI_STATEMENTS, MULTI_RESULTS, PLUGIN_AUTH, SESSION_TRACK = 0x10000, 0x20000, 0x80000, 0x800000
OURS = FOUND_ROWS | LONG_FLAG | PROTOCOL_41 | TRANSACTIONS | SECURE | MULTI_STATEMENTS | MULTI_RESULTS | PLUGIN_AUTH | SESSION_TRACK
# MariaDB's own, 4 bytes behind the reserved ones; a client that has them leaves out the first bit of the others. Connector/C says all three.
PROGRESS, EXTENDED_METADATA, CACHE_METADATA = 1, 8, 16
QUERY, PING, QUIT, SET_OPTION = 3, 14, 1, 27
MORE_RESULTS = 8


class ServerError(Exception):
    """(number, state, sentence)"""


def native(password, seed):
    one = hashlib.sha1(password.encode()).digest()
    mixed = hashlib.sha1(seed + hashlib.sha1(one).digest()).digest()
    return bytes(a ^ b for a, b in zip(one, mixed))


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def bytes(self, count):
        if self.at + count > len(self.data):
            raise StageFailure(f'a packet of {len(self.data)} bytes ends too early')
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, count):
        return int.from_bytes(self.bytes(count), 'little')

    def length(self):
        first = self.number(1)
        return None if first == 0xfb else self.number({0xfc: 2, 0xfd: 3, 0xfe: 8}[first]) if first > 0xfb else first

    def text(self):
        size = self.length()
        return None if size is None else self.bytes(size).decode(errors='backslashreplace')

    def until_nul(self):
        end = self.data.index(0, self.at)
        return self.bytes(end - self.at + 1)[:-1]


class Wire:
    def __init__(self, host, port, user, password='', own_flags=PROGRESS | EXTENDED_METADATA | CACHE_METADATA, timeout=5):
        self.line = socket.create_connection((host, port), timeout)
        self.own_flags = own_flags
        self.greeting = self.read_greeting()
        answer = native(password, self.seed) if password else b''
        body = (struct.pack('<IIB', OURS, 1 << 24, 45) + bytes(19) + struct.pack('<I', own_flags) +
                user.encode() + b'\0' + bytes([len(answer)]) + answer + b'mysql_native_password\0')
        self.send(body)
        self.welcome = self.packet()
        if self.welcome[0] == 0xff:
            self.refuse(self.welcome)

    def read_greeting(self):
        """Everything but what is random or numbers the session."""
        read = Reader(self.packet())
        if read.data[0] == 0xff:
            self.refuse(read.data)
        said = {'protocol': read.number(1), 'version': read.until_nul().decode(), 'session': read.number(4)}
        self.seed = read.bytes(8)
        read.bytes(1)
        low, said['charset'], said['status'], high = read.number(2), read.number(1), read.number(2), read.number(2)
        said['capabilities'] = low | high << 16
        size = read.number(1)
        said['reserved'], said['own'] = read.bytes(6), read.number(4)
        self.seed += read.bytes(max(12, size - 9))
        read.bytes(1)
        said['plugin'] = read.until_nul().decode()
        del said['session']
        return said

    def close(self):
        self.line.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def exactly(self, count):
        data = bytearray()
        while len(data) < count:
            piece = self.line.recv(count - len(data))
            if not piece:
                raise StageFailure('the server ended the session')
            data += piece
        return bytes(data)

    def packet(self):
        head = self.exactly(4)
        self.order = head[3] + 1 & 255
        return self.exactly(int.from_bytes(head[:3], 'little'))

    def send(self, body):
        self.line.sendall(len(body).to_bytes(3, 'little') + bytes([self.order]) + body)

    def command(self, number, body=b''):
        self.order = 0
        self.send(bytes([number]) + body)

    def refuse(self, packet):
        raise ServerError(int.from_bytes(packet[1:3], 'little'), packet[4:9].decode(), packet[9:].decode(errors='replace'))

    def column(self):
        read = Reader(self.packet())
        names = [read.text() for _ in range(6)]
        extended = read.text() if self.own_flags & EXTENDED_METADATA else ''
        read.length()
        charset, size, kind, flags, decimals = read.number(2), read.number(4), read.number(1), read.number(2), read.number(1)
        return {'name': names[4], 'names': names, 'extended': extended, 'charset': charset, 'size': size, 'type': kind, 'flags': flags,
                'decimals': decimals}

    def result(self):
        """(columns, rows, is there more); a statement that brings no rows has no columns, and its OK stands for a row."""
        first = self.packet()
        if first[0] == 0xff:
            self.refuse(first)
        if first[0] == 0:
            read = Reader(first[1:])
            read.length(), read.length()
            status = read.number(2)
            return [], [[status, first[5:].hex()]], bool(status & MORE_RESULTS)
        columns = [self.column() for _ in range(Reader(first).length())]       # behind the count: that they follow (CACHE_METADATA)
        if self.packet()[0] != 0xfe:
            raise StageFailure('no end behind the columns')
        rows = []
        while True:
            packet = self.packet()
            if packet[0] == 0xff:
                self.refuse(packet)
            if packet[0] == 0xfe and len(packet) < 9:
                return columns, rows, bool(int.from_bytes(packet[3:5], 'little') & MORE_RESULTS)
            read = Reader(packet)
            rows.append([read.text() for _ in columns])

    def query(self, text):
        """[(columns, rows)] of one round trip of one or more statements."""
        self.command(QUERY, text.encode())
        results = []
        more = True
        while more:
            columns, rows, more = self.result()
            results.append((columns, rows))
        return results

    def simple(self, number, body=b''):
        """The first byte of the answer to a command without rows: 0 is OK, 0xfe the old end."""
        self.command(number, body)
        packet = self.packet()
        if packet[0] == 0xff:
            self.refuse(packet)
        return packet[0]
