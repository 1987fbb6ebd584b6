"""A witness: two nodes with a pair of servers, and a third one that votes, answers HAProxy and never looks at a server. Those with hosts of
their own need root; skipped elsewhere."""
import json
import socket
import struct
import time

from stage import Home, Raft, StageFailure, limit, stays, wait_until
from stage.traffic import gap_ms

POOL = 'fc_backend'


def told(node, target=f'{POOL}/db1'):
    """What HAProxy hears of this node, asked from its own host."""
    with node.place.inside():
        line = socket.create_connection((node.place.host, node.agent_port), 2)
    with line:
        line.sendall(f'lb9 {target}\n'.encode())
        return line.recv(512).decode().strip()


def elections_won(node):
    return Raft.raft_status(node)['ElectionsWon']


def connections(node):
    """(host, port) at the other end of every TCP connection on this node's host, tried ones too."""
    found = set()
    with open(f'/proc/{node.pid}/net/tcp') as table:
        for line in list(table)[1:]:
            host, port = line.split()[2].split(':')
            found.add((socket.inet_ntoa(struct.pack('<I', int(host, 16))), int(port, 16)))
    return found


@limit(120)
def test_the_leaders_host_is_killed_and_the_other_node_leads_and_moves_the_chair():
    """fc1 and db1 die together: fc2 leads, db2 sits, one of three votes being the witness's, which never leads. HAProxy hears the same of
    both that are left."""
    with Home(proxies=2, witness='fc3').start() as home:
        home.led_by('fc1')
        writer = home.writer(interval_ms=5).start()
        writer.wait_writes(server_id=1, count=20)
        home.node('fc1').kill()
        home.pair['db1'].kill()
        began, led = time.monotonic(), None
        while time.monotonic() - began < 40 and home.node('fc2').seated() != 'db2':
            led = led or (time.monotonic() if home.node('fc2').leads() else None)
            assert not home.witness.leads()
            time.sleep(0.02)
        assert home.wait_leader() is home.node('fc2')                  # led: None where it had moved the chair between two looks
        writer.wait_writes(server_id=2, count=20, bound=40)
        writer.stop()
        print(f'fc2 leads after {(led or time.monotonic()) - began:.2f} s; clients had a gap of {gap_ms(writer.writes()):.0f} ms')
        wait_until(lambda: told(home.witness, f'{POOL}/db2') == told(home.node('fc2'), f'{POOL}/db2'), 5, 'both to say the same of db2')
        assert told(home.witness, f'{POOL}/db2').startswith('up ready 100%'), told(home.witness, f'{POOL}/db2')
        assert told(home.witness).startswith('down maint'), told(home.witness)


@limit(150)
def test_a_witness_that_is_elected_first_hands_over_and_keeps_the_chair():
    """fc1 has yielded and lets others go first for a while; fc2 is killed. Where the witness is elected, fc1 leads within a second all the same.
    Nobody moves."""
    with Home(proxies=1, witness='fc3', keys={'YieldPauseMilliseconds': 20000}).start() as home:
        witness = home.witness
        epoch = home.wait_leader().pool()['epoch']
        for tries in range(1, 13):
            won, leader = elections_won(witness), home.wait_leader()
            leader.order('yield')
            successor = home.wait_leader(10, other_than=leader)
            successor.kill()
            wait_until(lambda: elections_won(witness) > won or leader in home.leaders(), 30, 'somebody to be elected', every=0.01)
            began = time.monotonic()
            wait_until(lambda: home.leaders() == [leader], 10, f'{leader.name} to lead', every=0.01)
            took = time.monotonic() - began
            successor.start()
            if elections_won(witness) > won:
                break
        else:
            raise StageFailure('in 12 tries the witness was never elected first')
        print(f'the witness was elected at try {tries}; {leader.name} leads {took:.2f} s later')
        assert took < 1, took
        home.wait_seated('db1')
        wait_until(lambda: leader.pool()['epoch'] > epoch, 5, 'a row of the new leader')
        assert json.loads(witness.get('/api/steering/status')[1])['role'] == 'witness'


def test_a_witness_alone_closes_and_a_dead_witness_changes_nothing():
    """The witness dies: clients notice nothing, nobody moves, nobody else leads; it comes back and says what the others say. Then both nodes
    die: after a term HAProxy is told to close, for a witness is no majority; they return, and db1 is used again."""
    with Home(proxies=1, witness='fc3').start() as home:
        leader, proxy = home.wait_leader(), home.proxies[0]
        epoch = leader.pool()['epoch']
        writer = home.writer(interval_ms=5).start()
        writer.wait_writes(server_id=1, count=20)
        home.witness.kill()
        stays(lambda: home.leaders() == [leader] and leader.pool()['epoch'] == epoch and home.views()[proxy.name] == ['db1'], 4,
              'nothing to change', every=0.1)
        writer.stop()
        print(f'the witness dead: the longest gap of a client was {gap_ms(writer.writes()):.0f} ms')
        assert gap_ms(writer.writes()) < 1000
        home.witness.start()
        wait_until(lambda: told(home.witness) == told(leader), 10, 'the witness to say what the leader says')
        for node in home.full_nodes:
            node.kill()
        wait_until(lambda: home.views()[proxy.name] == [], 10, 'HAProxy to be told that nobody sits')
        stays(lambda: home.views()[proxy.name] == [] and not home.witness.leads(), 2, 'nobody leads and nobody sits')
        assert not told(home.witness).startswith('up'), told(home.witness)
        for node in home.full_nodes:
            node.start(wait=False)
        home.wait_seated('db1')


@limit(120)
def test_an_haproxy_that_reaches_the_witness_alone_goes_on_and_follows_a_move():
    """lb2 is cut off from both nodes: what the witness says keeps db1 in use there, through a pause and through a switch to db2. The witness
    has no connection to a server, was given no account, and refuses orders."""
    with Home(proxies=2, is_apart=True, witness='fc3').start() as home:
        servers = {server.place.host for server in home.pair.servers}
        leader = home.wait_leader()
        for node in home.full_nodes:
            home.net.cut('lb2', node.name)
        stays(lambda: home.views()['lb2'] == ['db1'], 6, 'db1 is used by lb2', every=0.1)
        leader.order('pause', POOL)
        wait_until(lambda: 'paused' in told(home.witness) and told(home.witness) == told(leader), 5, 'the witness to hear of the pause')
        leader.order('resume', POOL)
        wait_until(lambda: told(home.witness) == told(leader) and 'up ready' in told(leader), 5, 'the witness to hear of its end')
        leader.order('switch', POOL, 'db2')
        began = time.monotonic()
        wait_until(lambda: home.views()['lb2'] == ['db2'], 10, 'lb2 to use db2', every=0.02)
        print(f'lb2 uses db2 {time.monotonic() - began:.2f} s after the answer to the order')
        home.wait_seated('db2')
        code, text = home.witness.ctl('switch', POOL, 'db1')
        assert code != 0 and f'give it to {leader.name}' in text, text
        for words in (('status',), ('explain', 'leader'), ('explain', POOL)):
            code, text = home.witness.ctl(*words)
            print(text)
            assert code == 0 and 'witness' in text, (words, text)
        code, text = home.witness.ctl('plan')
        assert code != 0 and 'sees no server and plans nothing: ask' in text, text
        assert home.witness.get('/api/health')[0] == 200 and home.witness.get('/api/leader-check')[0] != 200
        assert not {host for host, _ in connections(home.witness)} & servers, connections(home.witness)
        with open(home.witness.config) as file:
            assert 'Password' not in file.read()


@limit(120)
def test_a_dead_server_is_believed_without_the_witness():
    """db1 is killed: the leader asks who can look, which the witness is not. So fc2's word is enough, and what is done is called gone, not
    silent: nobody waits for an unfenced server."""
    with Home(proxies=1, is_apart=True, witness='fc3').start() as home:
        writer = home.writer(interval_ms=5).start()
        writer.wait_writes(server_id=1, count=20)
        home.pair['db1'].kill()
        writer.wait_writes(server_id=2, count=20, bound=30)
        writer.stop()
        print(f'the seated server killed: gap {gap_ms(writer.writes()):.0f} ms')
        pool = home.wait_leader().pool()
        assert pool['why'] == 'db1 is gone' and pool['mark'] == '', (pool['why'], pool['mark'])
