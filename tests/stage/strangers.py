"""Who is no peer and comes to the peers' port of raft all the same, with words of his own for the handshake (backends/quorum/handshake.h)."""
import hashlib
import hmac
import os
import socket
import struct
import time


def name(text):
    return text.encode().ljust(64, b'\0')


def proof(key, label, *parts):
    return hmac.new(key, label + b'\0' + b''.join(parts), hashlib.sha256).digest()


def hear(line, count):
    heard = b''
    while len(heard) < count:
        more = line.recv(count - len(heard))
        if not more:
            return heard
        heard += more
    return heard


def introduce(place, key, cluster='stage', own=(1, 'fc1'), other=(2, 'fc2')):
    """(what the peer answers to such an introduction, whether its proof is right)"""
    with socket.create_connection(place, 20) as line:
        greeting = hear(line, 40)
        assert greeting[:8] == b'fcpeer1G', greeting
        said = (b'fcpeer1I' + os.urandom(32) + struct.pack('>QQQ', own[0], 4711, other[0]) + name(cluster) + name(own[1])
                + name(other[1]))
        said += proof(key, b'firstchair peer stream 1: connector', greeting, said)
        line.sendall(said)
        try:
            answer = hear(line, 41)
        except ConnectionResetError:
            answer = b''
        right = proof(key, b'firstchair peer stream 1: acceptor', greeting, said, answer[:9])
        return (answer[8] if answer else None), answer[9:] == right


def flood(place, until, say, pause=0.001):
    """Connects, says it, and leaves, again and again; returns how often."""
    count = 0
    while not until.is_set():
        try:
            with socket.create_connection(place, 5) as line:
                if say:
                    line.sendall(say)
                count += 1
        except OSError:
            pass
        time.sleep(pause)
    return count
