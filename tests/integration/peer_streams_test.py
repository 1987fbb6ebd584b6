"""Three raft instances over our peer streams, and strangers at their ports: nothing happens but counters.

The strangers speak the handshake of backends/quorum/handshake.h in words of their own, so that it is held to what is written there.
"""
import json
import os
import resource
import socket
import subprocess
import tempfile
import threading

from stage import limit, wait_until
from stage.node import ROOT
from stage.strangers import flood, introduce

KEY = b'the key that all peers of this scene share'
HALF_OPEN_EACH, HALF_OPEN_MAX = 1000, 64          # transport_config_preset


class Peers:
    """The program tests/stage/raft_peers.c: three peers of cluster "stage", fc1 to fc3, ids 1 to 3."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix='fc-peers-')
        key = os.path.join(self.folder.name, 'key')
        with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), 'wb') as file:
            file.write(KEY + b'\n')
        self.said = open(os.path.join(self.folder.name, 'said'), 'w+')
        program = os.path.join(ROOT, os.environ.get('FC_BUILD', 'build/dev'), 'tests/stage/raft_peers')
        self.process = subprocess.Popen([program, self.folder.name, key], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.said, text=True)
        self.places = [(host, int(port)) for host, port in (place.split(':') for place in json.loads(self.process.stdout.readline()))]
        return self

    def look(self, order=''):
        self.process.stdin.write(order + '\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def acknowledged(self, more, bound=60):
        """Waits until so many more entries were acknowledged, and returns the last look."""
        before = self.look()['acknowledged']
        return wait_until(lambda: (seen := self.look())['acknowledged'] >= before + more and seen, bound, f'{more} more entries', 0.1)

    def term(self):
        return max(peer['term'] for peer in self.look()['peers'])

    def total(self, kind):
        return sum(peer[kind] for peer in self.look()['peers'])

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            code = self.process.wait(30)
        finally:
            self.process.kill()
            self.said.seek(0)
            said = self.said.read()
            self.said.close()
            self.folder.cleanup()
        assert code == 0, f'ended with {code}: {said[-2000:]}'
        assert KEY.decode() not in said


# ---- the scenes ----

@limit(150)
def test_strangers_at_the_peers_ports_change_nothing_but_counters():
    """Another key, cluster, id, name, addressee or twin: turned away, counted by kind and named, and not one entry is late for it."""
    with Peers() as peers:
        before = peers.acknowledged(20)
        place = peers.places[1]
        wait_until(lambda: peers.look()['peers'][1]['accepted'] > 0, 30, 'fc2 to be connected')
        for kind, strange, answer in (('wrong_proof', {'key': b'another key of somebody else'}, None),
                                      ('wrong_cluster', {'cluster': 'elsewhere'}, None),
                                      ('unknown_peer', {'own': (9, 'fc9')}, 1), ('other_name', {'own': (3, 'fc9')}, 2),
                                      ('own_id', {'own': (2, 'fc2')}, 3), ('wrong_addressee', {'other': (3, 'fc3')}, 5)):
            count = peers.look()['peers'][1][kind]
            told, is_proven = introduce(place, **{'key': KEY, **strange})
            assert told == answer and is_proven == (answer is not None), f'{kind}: answered {told}, proof {is_proven}'
            wait_until(lambda: peers.look()['peers'][1][kind] == count + 1, 10, f'{kind} to be counted')
        after = peers.acknowledged(20)
        assert [peer['accepted'] for peer in after['peers']] == [peer['accepted'] for peer in before['peers']]
        assert [peer['closed'] for peer in after['peers']] == [0, 0, 0], 'no stream was disturbed'


@limit(150)
def test_floods_at_the_peers_ports_do_not_keep_them_from_electing_and_appending():
    """1,000 half-open connections at each of three ports, garbage without end: elected under them, appended, and handed over."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    over, lines = threading.Event(), []
    with Peers() as peers:
        threads = [threading.Thread(target=flood, args=(place, over, os.urandom(600))) for place in peers.places]
        for thread in threads:
            thread.start()
        try:
            for number in range(HALF_OPEN_EACH * len(peers.places)):
                line = socket.socket()
                line.setblocking(False)
                line.connect_ex(peers.places[number % len(peers.places)])
                lines.append(line)
            peers.acknowledged(100)                            # the first election happens in the midst of it
            most = max(peer['half_open'] for peer in peers.look()['peers'])
            assert most <= HALF_OPEN_MAX, f'{most} half-open'
            term = peers.term()
            peers.look('transfer')
            wait_until(lambda: peers.term() > term, 60, 'the leadership to be handed over', 0.1)
            last = peers.acknowledged(100)
        finally:
            over.set()
            for thread in threads:
                thread.join()
            for line in lines:
                line.close()
        wait_until(lambda: peers.total('pushed_out') + peers.total('lost') + peers.total('too_slow') >= len(lines) / 2
                   and max(peer['half_open'] for peer in peers.look()['peers']) == 0, 60, 'the flood to be counted and gone', 0.2)
        last = peers.acknowledged(20)
        assert peers.total('garbage') > 100
        peers.look('rest')
        wait_until(lambda: len({(peer['applied'], peer['digest']) for peer in peers.look()['peers']}) == 1, 30,
                   'all to have applied the same')
        print(f'{last["acknowledged"]} appended, terms {peers.term()}; garbage {peers.total("garbage")}, '
              f'pushed out {peers.total("pushed_out")}, lost {peers.total("lost")}, too slow {peers.total("too_slow")}, '
              f'streams ended {peers.total("closed")}')
        assert peers.total('closed') == 0, 'no stream of a peer was ended by strangers'
