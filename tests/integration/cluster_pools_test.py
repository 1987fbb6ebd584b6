"""Pools of a managed cluster through a real HAProxy: a master and two replicas, and nodes that only look at them."""
import threading
import time

from stage import Shared, Single, StageFailure, limit, stays, wait_until
from stage.fleet import LOOKS, fleet_of, follow
from stage.haproxy import Haproxy
from stage.nest import free_port
from stage.node import run_firstchair

MASTERS = {'m1': None, 'm2': 'm1', 'm3': 'm1'}


def turn_to(server, master, words=''):
    server.execute('STOP SLAVE')
    follow(server, master, 'current_pos', words)


def one_and_two(house):
    servers = fleet_of(house.nest, MASTERS)
    servers[0].execute('SET GLOBAL read_only=0; CREATE DATABASE app; CREATE TABLE app.t (id INT AUTO_INCREMENT PRIMARY KEY)')
    return servers


def in_front(house, servers, proxy):
    """Keys of the nodes, then the HAProxy that runs with what they print."""
    house.extra = {
        **LOOKS, 'InstancePollSeconds': 1,
        'ClusterServers': [f'main/{server.name}={server.address}' for server in servers],
        'WriterPools': [f'main_rw=main@127.0.0.1:{free_port()}'], 'ReaderPools': [f'main_ro=main@127.0.0.1:{free_port()}'],
        'ReaderMaxLagSeconds': 3, 'ClusterRelayListen': f'127.0.0.1:{free_port()}', 'HAProxyInstances': [f'lb1={proxy.socket}'], **proxy.keys(),
    }
    house.start()
    code, text, errors = run_firstchair('haproxy-config', '--config', house.nodes[0].config)
    assert code == 0, errors
    house.nest.write(f'{proxy.name}/door.lua', run_firstchair('haproxy-config', '--config', house.nodes[0].config, 'door.lua')[1])
    proxy.configure(text)
    assert proxy.check()[0] == 0, proxy.check()
    code, findings, _ = run_firstchair('lint-haproxy', '--config', house.nodes[0].config, proxy.config)
    assert code == 0, findings
    proxy.start()


class Watching:
    """What the HAProxy would use for writing, all the time; whom it names in a row."""
    def __init__(self, proxy, pool='main_rw'):
        self.seen, self.end, self.trouble = [], threading.Event(), None
        self.thread = threading.Thread(target=self.watch, args=(proxy, pool))

    def watch(self, proxy, pool):
        try:
            while not self.end.wait(0.005):
                usable = proxy.usable(pool)
                if not self.seen or self.seen[-1] != usable:
                    self.seen.append(usable)
        except Exception as trouble:                   # whatever it is: in a thread nobody would hear of it
            self.trouble = trouble

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_error):
        self.end.set()
        self.thread.join()
        if kind is None and self.trouble is not None:
            raise StageFailure(f'it was not watched to the end: {self.trouble!r}')


def says(node, pool, server):
    row = next(one for one in node.pool(pool)['servers'] if one['name'] == server)
    return row['voice'], row['reason']


@limit(150)
def test_the_writer_follows_the_master_that_is_open_and_there_are_never_two():
    """read_only there, open here: HAProxy has the old one, nobody, the new one. An old one that comes back open beside it is not used."""
    with Single() as house:
        m1, m2, m3 = servers = one_and_two(house)
        proxy = Haproxy(house.nest, 'lb1')
        in_front(house, servers, proxy)
        node = house.nodes[0]
        wait_until(lambda: proxy.usable('main_rw') == ['m1'], 40, f'm1 to be used: {proxy.usable("main_rw")}')
        with Watching(proxy) as writers:
            m1.execute('SET GLOBAL read_only=1')
            wait_until(lambda: proxy.usable('main_rw') == [], 10, 'the closed one to be left')
            assert says(node, 'main_rw', 'm1') == ('rest', 'read-only'), says(node, 'main_rw', 'm1')
            m2.execute('STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=0')
            turn_to(m1, m2)
            turn_to(m3, m2)
            wait_until(lambda: proxy.usable('main_rw') == ['m2'], 20, 'the open one to be used')
            m1.execute('STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=0')
            stays(lambda: proxy.usable('main_rw') == ['m2'], 3, 'the one that sits to stay, whoever else is open')
            assert says(node, 'main_rw', 'm1') == ('rest', 'm2 sits')
        assert writers.seen == [['m1'], [], ['m2']], writers.seen
        assert 'other-sits' in node.ctl('explain', 'main_rw/m1')[1]
        assert 'takes no orders' in str(node.ctl('maint', 'main_rw', 'm2'))


@limit(150)
def test_a_master_that_dies_is_left_and_the_next_one_is_named_when_nobody_can_reach_the_old_one():
    """Killed, and another one is opened by somebody: it rests until every HAProxy must have left the old one."""
    with Single({'HAProxyHardStopSeconds': 1}) as house:
        m1, m2, m3 = servers = one_and_two(house)
        proxy = Haproxy(house.nest, 'lb1')
        in_front(house, servers, proxy)
        wait_until(lambda: proxy.usable('main_rw') == ['m1'], 40, 'm1 to be used')
        with Watching(proxy) as writers:
            m1.kill()
            wait_until(lambda: proxy.usable('main_rw') == [], 30, 'the dead one to be left')
            killed = time.monotonic()
            m2.execute('STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=0')
            turn_to(m3, m2)
            wait_until(lambda: proxy.usable('main_rw') == ['m2'], 40, 'the open one to be used')
        assert writers.seen == [['m1'], [], ['m2']], writers.seen
        assert time.monotonic() - killed > 5, 'it was named before the token check of a cut-off HAProxy had ended'


@limit(150)
def test_readers_go_out_when_they_lag_and_come_back_and_the_last_one_stays():
    """By lag, with a floor; a stopped one is down, and the master reads as the last resort."""
    with Single() as house:
        m1, m2, m3 = servers = one_and_two(house)
        proxy = Haproxy(house.nest, 'lb1')
        in_front(house, servers, proxy)
        node = house.nodes[0]

        def uses(*names):
            return lambda: sorted(proxy.usable('main_ro')) == sorted(names)

        wait_until(uses('m1', 'm2', 'm3'), 40, 'all to read')
        wait_until(lambda: proxy.servers('main_ro')['m1']['srv_uweight'] == '1' and proxy.servers('main_ro')['m2']['srv_uweight'] == '100',
                   10, 'the master to have the least weight')
        turn_to(m2, m1, ', master_delay=600')
        m1.execute('INSERT INTO app.t VALUES ()')
        wait_until(uses('m1', 'm3'), 20, 'the late one to be drained')
        assert says(node, 'main_ro', 'm2')[0] == 'late'
        turn_to(m3, m1, ', master_delay=600')
        m1.execute('INSERT INTO app.t VALUES ()')
        wait_until(lambda: says(node, 'main_ro', 'm3')[1].endswith('kept by the floor'), 20, 'the nearer one to be kept by the floor')
        stays(lambda: 'm3' in proxy.usable('main_ro') and 'm2' not in proxy.usable('main_ro'), 2, 'the floor to hold')
        turn_to(m2, m1, ', master_delay=0')
        wait_until(uses('m1', 'm2'), 20, 'the one that has caught up to read again, and the floor to need nobody')
        turn_to(m3, m1, ', master_delay=0')
        wait_until(uses('m1', 'm2', 'm3'), 20, 'all to read again')
        m3.execute('STOP SLAVE SQL_THREAD')
        wait_until(uses('m1', 'm2'), 20, 'the stopped one to be taken out')
        assert says(node, 'main_ro', 'm3') == ('broken', 'sql thread stopped')


@limit(150)
def test_a_leader_that_dies_costs_the_writers_no_session():
    """Three nodes; the one that leads, and answers, is killed: HAProxy keeps what it has until the next one answers."""
    with Shared() as house:
        servers = one_and_two(house)
        proxy = Haproxy(house.nest, 'lb1')
        in_front(house, servers, proxy)
        wait_until(lambda: proxy.statistics('main_rw')['m1']['check_status'] == 'L7OK', 40, 'the token of m1 to have been seen')
        follower = next(node for node in house.nodes if node is not house.wait_leader())
        assert says(follower, 'main_rw', 'm1') == ('neutral', 'not-leading')
        with Watching(proxy) as writers:
            before = house.wait_leader()
            before.kill()
            after = house.wait_leader(other_than=before)
            wait_until(lambda: says(after, 'main_rw', 'm1') == ('first', 'm1 sits'), 20, 'the next leader to name it')
            stays(lambda: proxy.usable('main_rw') == ['m1'], 4, 'it to be used on')
        assert writers.seen == [['m1']], writers.seen
