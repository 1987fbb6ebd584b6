"""What an operator meets at three in the morning, on real servers: wrong accounts, a bad reload, a blind node, hostile doors."""
import json
import os
import signal
import socket
import threading
import time

from stage import Home, Shared, StageFailure, limit, stays, wait_until

POOL = 'fc_backend'


def on_both(home, text):
    """Said on each server by itself, not replicated."""
    for server in home.pair.servers:
        server.execute(f'SET SESSION sql_log_bin=0; {text}')


def bring_up(home, before):
    """The servers first, then what `before` does to them, then HAProxy and the nodes; nobody need sit."""
    home.pair.start()
    before()
    home.configure()
    for proxy in home.proxies:
        proxy.configure(home.print_proxy_config(proxy))
        proxy.start()
    for node in home.nodes:
        node.start(wait=False)
    for node in home.nodes:
        wait_until(node.listens, 20, f'{node.name} to answer on HTTP')


def told(node, words):
    """`status` and `explain` of this node both say so."""
    for order in (('status',), ('explain', POOL)):
        text = node.ctl(*order)[1]
        if words not in text:
            raise StageFailure(f'{order[0]} does not say "{words}": {text}')
    return True


def test_accounts_that_are_wrong_are_named_and_mended_without_a_restart():
    """Too much for `store`, too little for `fence`: both are told by name; put right, db1 sits without a restart."""
    with Home() as home:
        bring_up(home, lambda: on_both(home, "GRANT READ_ONLY ADMIN ON *.* TO store@'127.0.0.1'; "
                                             "REVOKE PROCESS ON *.* FROM fence@'127.0.0.1'"))
        node = home.nodes[0]
        wait_until(lambda: told(node, 'take SUPER and READ ONLY ADMIN away'), 5, 'the account above read_only to be told')
        on_both(home, "REVOKE READ_ONLY ADMIN ON *.* FROM store@'127.0.0.1'")
        wait_until(lambda: told(node, 'lacks PROCESS'), 8, 'the fence without PROCESS to be told')
        stays(lambda: not home.pair.writable(), 2, 'nobody is opened by a fence that cannot see')
        said = node.child.tail(1000)
        if said.count('lacks PROCESS') > 4:
            raise StageFailure(f'the log says it again and again: {said}')
        on_both(home, "GRANT PROCESS ON *.* TO fence@'127.0.0.1'")
        home.wait_seated('db1', 10)


def test_a_denied_login_is_not_tried_again_at_once():
    """With a wrong password each node asks each server about twice a second: the server's own log is not flooded."""
    with Home(keys={'MySQLOrchestratorPassword': 'wrong'}) as home:
        bring_up(home, lambda: None)
        wait_until(lambda: told(home.nodes[0], 'Access denied'), 5, 'the denial to be told')

        def denials():
            with open(home.pair['db1'].log) as log:
                return log.read().count('Access denied')
        before = denials()
        time.sleep(3)
        rate = (denials() - before) / 3
        assert 0 < rate < 10, f'{rate:.1f} denied logins a second by three nodes'


def test_a_fence_that_may_not_write_gives_the_chair_back():
    """Its privilege was taken away: `switch` is refused with the reason and db1 sits on; granted again, `switch` works."""
    with Home().start() as home:
        on_both(home, "REVOKE READ_ONLY ADMIN ON *.* FROM fence@'127.0.0.1'")
        for server in home.pair.servers:
            for row in server.rows("SELECT id FROM information_schema.processlist WHERE user='fence'"):
                server.execute(f"KILL {row['id']}")
        time.sleep(3.2)                                    # ChairDwellMilliseconds
        code, text = home.nodes[0].ctl('switch', POOL, 'db2')
        assert code != 0 and ('read-only' in text or 'READ_ONLY ADMIN' in text), (code, text)
        home.wait_seated('db1', 8)
        on_both(home, "GRANT READ_ONLY ADMIN ON *.* TO fence@'127.0.0.1'")
        time.sleep(3.2)
        wait_until(lambda: home.nodes[0].ctl('switch', POOL, 'db2')[0] == 0, 20, 'the switch after the grant', every=0.5)
        home.wait_seated('db2')


class Wire:
    """Between one node and one server: forwards until it is cut, goes on when it is mended."""

    def __init__(self, port):
        self.to, self.is_cut, self.door = port, False, socket.socket()
        self.door.bind(('127.0.0.1', 0))
        self.door.listen(64)
        self.address = f'127.0.0.1:{self.door.getsockname()[1]}'
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            near = self.door.accept()[0]
            try:
                far = socket.create_connection(('127.0.0.1', self.to))
            except OSError:
                near.close()
                continue
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=ends, daemon=True).start()

    def pump(self, source, sink):
        try:
            while part := source.recv(65536):
                while self.is_cut:
                    time.sleep(0.01)
                sink.sendall(part)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_a_node_that_alone_loses_sight_does_not_take_over_while_replication_is_broken():
    """db2 does not apply, so its row says nothing; one node cut from db1 for a while takes neither the lease nor the chair."""
    with Home() as home:
        home.pair.start()
        wire, blind = Wire(home.pair['db1'].port), home.nodes[2]
        home.configure()
        for proxy in home.proxies:
            proxy.configure(home.print_proxy_config(proxy))
            proxy.start()
        blind.configure({**home.keys(), 'BackendServers': [f'db1={wire.address}', f"db2={home.pair['db2'].address}"]})
        for node in home.nodes[:2]:
            node.start()
        home.wait_leader()
        blind.start()
        home.wait_seated('db1')
        leader = home.wait_leader()
        home.pair['db2'].execute("SET SESSION sql_log_bin=0; INSERT INTO app.t (client, n, sent_us) VALUES ('stray', 1, 1)")
        home.pair['db1'].execute("INSERT INTO app.t (client, n, sent_us) VALUES ('stray', 1, 1)")
        wait_until(lambda: told(leader, 'Duplicate entry'), 5, 'the leader to see that db2 does not apply')
        code, text = leader.ctl('switch', POOL, 'db2')
        assert code != 0 and 'Duplicate entry' in text and 'force' in text, (code, text)
        time.sleep(2.5)                                    # the row of db2 has stood still for longer than a lease
        wire.is_cut = True
        stays(lambda: home.leaders() == [leader] and home.pair.writable() == ['db1'], 4, 'the leader leads and db1 sits')
        wire.is_cut = False
        stays(lambda: home.leaders() == [leader] and home.pair.writable() == ['db1'], 2, 'the leader leads and db1 sits')
        home.pair['db1'].kill()                            # now it is really gone: db2 is seated with what it has, and says so
        wait_until(lambda: home.pair['db2'].value('SELECT @@read_only') == '0', 30, 'db2 to be opened')
        wait_until(lambda: 'stale' in home.nodes[0].pool()['mark'], 5, 'it to be marked stale')


def test_a_reload_leaves_alone_what_is_read_at_start_only():
    """A longer lease in one node's file must not be in force there alone: it is named, not taken; what may change is taken."""
    with Home().start() as home:
        node = home.wait_leader()
        node.configure({**home.keys(), 'LeaseMilliseconds': 20000, 'TermMilliseconds': 15000, 'MoveLimitMilliseconds': 9000,
                        'MoveLimitMiliseconds': 1})
        for _ in range(2):                                 # told each time, until it is put right or restarted
            before = len(node.child.tail(1000))
            node.child.signal(signal.SIGHUP)
            wait_until(lambda: 'reloaded from' in node.child.tail(1000)[before:], 5, 'the reload in the log')
            said = node.child.tail(1000)[before:]
            for part in ('need a restart: LeaseMilliseconds, TermMilliseconds', 'MoveLimitMiliseconds'):
                assert part in said, said
        stays(lambda: node.picture()['lease_left_ms'] < 2000, 1.5, 'the lease is as long as before')


def blast(family, address, bytes_):
    """Sends this, reads what comes, and never waits long."""
    with socket.socket(family) as line:
        line.settimeout(0.3)
        try:
            line.connect(address)
            line.sendall(bytes_)
            return line.recv(400)
        except OSError:
            return b''


@limit(60)
def test_garbage_at_every_door_disturbs_nobody():
    """Binary, huge, half and silent requests at the agent port, HTTP and the order socket: the node answers on, the chair stays."""
    junk = [b'', b'\n', b'\0' * 100, b'A' * 5_000_000, os.urandom(5000) + b'\n', b'%n%s%n\n', b'\xff\xfe/\xff \n',
            b'GET /' + b'a' * 100_000, b'status\n' * 5000, b'POST /api/steering/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n']
    with Home().start() as home:
        node, held = home.nodes[0], []
        doors = [(socket.AF_INET, ('127.0.0.1', node.agent_port)), (socket.AF_INET, ('127.0.0.1', node.http_port)),
                 (socket.AF_UNIX, node.order_socket)]
        leader = home.wait_leader()
        for family, address in doors:
            for bytes_ in junk:
                blast(family, address, bytes_)
            for _ in range(200):
                line = socket.socket(family)
                line.settimeout(0.05)
                held.append(line)
                try:
                    line.connect(address)
                except OSError:
                    break
        stays(lambda: home.views()['lb1'] == ['db1'], 2, 'HAProxy keeps db1')
        for line in held:
            line.close()
        home.wait_seated('db1', 5)
        assert home.leaders() == [leader]
        assert json.loads(node.get('/api/steering/status')[1])['node'] == node.name


def packet(number, body):
    return len(body).to_bytes(3, 'little') + bytes([number % 256]) + body


def column():
    def text(bytes_):
        return bytes([len(bytes_)]) + bytes_
    return text(b'def') + text(b'') * 3 + text(b'c' * 200) + text(b'') + b'\x0c\x21\0\xff\0\0\0\xfd\0\0\0\0\0'


def endless_columns(listener, stop):
    """Says hello as MariaDB does, lets everybody in, and answers the first query with columns that never end."""
    hello = b'\x0a10.11.0-MariaDB\0' + (7).to_bytes(4, 'little') + b'12345678\0' + b'\xff\xf7\x21\x02\0\xff\x81\x15' + b'\0' * 10 \
        + b'123456789012\0' + b'mysql_native_password\0'
    flood = b''.join(packet(number, column()) for number in range(256)) * 8
    while not stop.is_set():
        try:
            line, _ = listener.accept()
            line.settimeout(2)
            line.sendall(packet(0, hello))
            line.recv(4096)
            line.sendall(packet(2, b'\0\0\0\x02\0\0\0'))
            line.recv(65536)
            line.sendall(packet(1, b'\xfd\xff\xff\x7f'))
            while not stop.is_set():
                line.sendall(flood)
        except OSError:
            continue


@limit(60)
def test_a_server_whose_answer_never_ends_costs_little_memory():
    """A false MySQL floods each look with columns: each session is ended at a bound, the node says so and lives on."""
    listener = socket.create_server(('127.0.0.1', 0))
    listener.settimeout(0.3)
    stop = threading.Event()
    flooder = threading.Thread(target=endless_columns, args=(listener, stop))
    flooder.start()
    try:
        with Shared(nodes=1) as house:
            house.server.port = listener.getsockname()[1]
            node = house.nodes[0]
            node.configure({'Nodes': [node.address], 'MySQLOrchestratorHost': '127.0.0.1', 'MySQLOrchestratorPort': house.server.port,
                            'MySQLOrchestratorDatabase': 'firstchair', 'MySQLOrchestratorUser': 'x', 'MySQLOrchestratorPassword': 'y'})
            node.start()
            wait_until(lambda: 'larger than any' in node.child.tail(50), 20, 'the sentence in the log')

            def resident_mb():
                words = [line.split() for line in open(f'/proc/{node.pid}/status') if line.startswith('VmRSS')][0]
                return int(words[1]) // 1024
            stays(lambda: resident_mb() < 300, 6, 'the node stays small')
            assert node.get('/health/live')[0] == 200
    finally:
        stop.set()
        flooder.join()
        listener.close()
