"""A simulated fleet: it says what real MariaDB says: the same columns, the same cells where the situation is the same, and a node makes the same
picture of both. What may differ is named here, and must be of the same kind."""
import json
import re

from stage import Single, wait_until
from stage.fleet import CHAIN, LOOKS, PASSWORD, fleet_of
from stage.fleetsim import Fleetsim
from stage.wire import Wire

NUMBER, GTID, TOKEN = r'\d+', r'\d+-\d+-\d+', r'[A-Za-z0-9+/]{27}='
# Columns whose cells belong to the one server; what they look like on both.
OWN = {
    'Read_Master_Log_Pos': NUMBER, 'Relay_Log_Pos': NUMBER, 'Exec_Master_Log_Pos': NUMBER, 'Relay_Log_Space': NUMBER, 'Position': NUMBER,
    'Slave_DDL_Groups': NUMBER, 'Slave_Transactional_Groups': NUMBER, 'Executed_log_entries': NUMBER, 'Slave_received_heartbeats': NUMBER,
    'Gtid_IO_Pos': GTID, 'Gtid_Slave_Pos': GTID, 'gtid_slave_pos': f'({GTID})?', 'gtid_binlog_pos': GTID, 'gtid_current_pos': GTID,
    'gtid_binlog_state': GTID, 'server_uid': TOKEN, 'Uptime': NUMBER, 'Relay_Log_File': r'relay\.\d+',
    'Slave_Non_Transactional_Groups': NUMBER,
}
SIZED_BY_VALUE = {'gtid_slave_pos', 'gtid_binlog_pos', 'gtid_current_pos', 'gtid_binlog_state', 'report_host', 'Gtid_Slave_Pos', 'Gtid_IO_Pos'}
DUMP_THREADS = "select user, host from information_schema.processlist where command in ('Binlog Dump', 'Binlog Dump GTID') order by host limit 16384"


def real_fleet(house):
    """A master, a replica of it, and a replica of that; two of one domain and one picture, as the simulated ones."""
    servers = fleet_of(house.nest, CHAIN, 'gtid_domain_id=1\nreport_host=127.0.0.1\n')
    servers[0].execute('SET GLOBAL read_only=0; CREATE DATABASE x; CREATE TABLE x.t (a INT); INSERT INTO x.t VALUES (1)')
    wait_until(lambda: servers[2].rows('SELECT * FROM x.t'), 20, 'a row to come to the last one')
    return servers


def simulated_fleet(house, real):
    with Wire(real.place.host, real.port, 'topo', PASSWORD) as line:
        version = line.greeting['version'].removeprefix('5.5.5-')
        comment = line.query('select @@global.version_comment')[0][1][0][0]
    sim = Fleetsim(house.nest, 3, each=3, writes=0, options=('--version', version, '--comment', comment)).start()
    sim.tell('move 2 1')
    return sim


def without_places(text, places):
    """A text without the addresses of its fleet: 127.0.0.1:3306 is <db1>, a bare port or host likewise."""
    if text is None:
        return None
    text = re.sub(r'@`[\d.]+`', '@`<asker>`', text)
    for name, (host, port) in places.items():
        text = re.sub(rf'{re.escape(host)}:{port}\b', f'<{name}>', text)
    for host, port in places.values():
        text = re.sub(rf'\b{port}\b', '<port>', re.sub(rf'{re.escape(host)}(?!\d)', '<host>', text))
    return re.sub(r'(<host>:)\d+', r'\1<a port>', re.sub(r"PASSWORD '\*[0-9A-F]{40}'", 'PASSWORD', text))


def compare_cells(column, of_real, of_sim, where):
    if column in OWN:
        for text in (of_real, of_sim):
            assert text is not None and re.fullmatch(OWN[column], text), f'{where}, {column}: {text!r} is no {OWN[column]}'
    else:
        assert of_real == of_sim, f'{where}, {column}: really {of_real!r}, simulated {of_sim!r}'


def is_of_names(columns):
    return bool(columns) and columns[0]['name'] == 'Variable_name'


def compare_sets(real, sim, real_places, sim_places, where):
    (real_columns, real_rows), (sim_columns, sim_rows) = real, sim
    assert len(real_columns) == len(sim_columns), f'{where}: {len(real_columns)} columns, simulated {len(sim_columns)}'
    for one, other in zip(real_columns, sim_columns):
        said = {**one, 'size': 0} if one['name'] in SIZED_BY_VALUE else one
        said_too = {**other, 'size': 0} if one['name'] in SIZED_BY_VALUE else other
        assert said == said_too, f'{where}: really {said}, simulated {said_too}'
    assert len(real_rows) == len(sim_rows), f'{where}: really {real_rows}, simulated {sim_rows}'
    for one, other in zip(real_rows, sim_rows):
        names = ['Variable_name', one[0]] if is_of_names(real_columns) else [column['name'] for column in real_columns] or ['status', 'session']
        for name, cell, cell_too in zip(names, one, other):
            if isinstance(cell, str):
                cell, cell_too = without_places(cell, real_places), without_places(cell_too, sim_places)
            compare_cells(name, cell, cell_too, where)


def compare_words(texts, servers, sim, situation, indexes=(0, 1, 2)):
    real_places = {server.name: (server.place.host, server.port) for server in servers}
    sim_places = {f'db{index + 1}': (sim.host(index), sim.port) for index in range(3)}
    sets = 0
    for index in indexes:
        with Wire(servers[index].place.host, servers[index].port, 'topo', PASSWORD) as line, Wire(sim.host(index), sim.port, 'topo') as line_too:
            assert line.greeting == line_too.greeting
            for text in texts:
                answers, answers_too = line.query(text), line_too.query(text)
                assert len(answers) == len(answers_too), text
                for number, (one, other) in enumerate(zip(answers, answers_too)):
                    compare_sets(one, other, real_places, sim_places, f'{situation}, db{index + 1}, set {number} of {text[:40]!r}')
                    sets += 1
            for command, body in ((14, b''), (27, b'\0\0')):
                assert line.simple(command, body) == line_too.simple(command, body)
    return sets


# Of an instance in the API: what belongs to the one server or to the moment of the look.
OF_ONE = ('ServerUUID', 'Uptime', 'LastSeenTimestamp', 'IsLastCheckValid', 'SecondsSinceLastSeen', 'LastDiscoveryLatency', 'IsUpToDate',
          'IsRecentlyChecked', 'Problems')


def is_own_field(path):
    return not set(path.split('.')).isdisjoint(OF_ONE) or 'Gtid' in path or 'GTID' in path and path != 'UsingMariaDBGTID' or path.endswith('.LogPos')


def leaves(value, path=''):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f'{path}.{name}' if path else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, f'{path}[{number}]')
    else:
        yield path, value


def picture_of(node, host, port, places):
    code, text = node.get(f'/api/instance/{host}/{port}')
    assert code == 200, text
    return {path: without_places(value if isinstance(value, str) else json.dumps(value), places) for path, value in leaves(json.loads(text))}


def compare_pictures(node, servers, sim, situation):
    real_places = {server.name: (server.place.host, server.port) for server in servers}
    sim_places = {f'db{index + 1}': (sim.host(index), sim.port) for index in range(3)}
    compared = 0
    for index, server in enumerate(servers):
        one = picture_of(node, server.place.host, server.port, real_places)
        other = picture_of(node, sim.host(index), sim.port, sim_places)
        assert one.keys() == other.keys(), f'{situation}, {server.name}: {one.keys() ^ other.keys()}'
        for path in one:
            if not is_own_field(path):
                compared += 1
                assert one[path] == other[path], f'{situation}, {server.name}, {path}: really {one[path]}, simulated {other[path]}'
    return compared


def finding(node, address):
    code, text = node.get('/api/replication-analysis')
    entries = json.loads(text)['Details'] if code == 200 else []
    return next((entry['Analysis'] for entry in entries if f"{entry['AnalyzedInstanceKey']['Hostname']}:{entry['AnalyzedInstanceKey']['Port']}" == address),
                None)


def instance(node, host, port):
    return json.loads(node.get(f'/api/instance/{host}/{port}')[1])


def both_are(node, servers, sim, index, claim, what):
    for host, port in ((servers[index].place.host, servers[index].port), (sim.host(index), sim.port)):
        wait_until(lambda: claim(instance(node, host, port)), 20, f'{host}:{port} to be {what}')


def test_simulated_servers_are_as_real_ones():
    """A chain of three, real and simulated, looked at by one node: while it replicates, with replication stopped, and with a dead master."""
    with Single() as house:
        servers = real_fleet(house)
        sim = simulated_fleet(house, servers[0])
        house.extra = {**LOOKS, 'DiscoverySeeds': [servers[0].address, sim.address(0)], 'InstancePollSeconds': 1, 'HostnameResolveMethod': 'none'}
        node = house.start().nodes[0]
        wait_until(lambda: len(json.loads(node.get('/api/all-instances')[1])) == 6, 20, 'six servers to be known')
        probes = sim.counts()['probes']
        wait_until(lambda: sim.counts()['probes'] > probes + 6, 20, 'each to be looked at again')
        texts = [*sim.heard(), DUMP_THREADS]
        assert sim.counts()['unknown'] == 0, texts
        assert any(text.startswith('select @@global.') and 'show all slaves status' in text for text in texts), 'a whole probe is one text'
        sets = compare_words(texts, servers, sim, 'replicating')
        both_are(node, servers, sim, 2, lambda one: one['SecondsBehindMaster']['Int64'] == 0, 'level')
        fields = compare_pictures(node, servers, sim, 'replicating')

        servers[2].execute('STOP SLAVE')
        sim.tell('stop 2')
        both_are(node, servers, sim, 2, lambda one: not one['ReplicationSQLThreadRuning'], 'stopped')
        sets += compare_words(texts, servers, sim, 'stopped', (2,))
        fields += compare_pictures(node, servers, sim, 'stopped')
        servers[2].execute('START SLAVE')
        sim.tell('move 2 1')
        both_are(node, servers, sim, 2, lambda one: one['ReplicationSQLThreadRuning'], 'running')

        servers[0].kill()
        sim.tell('kill 0')
        wait_until(lambda: 'Connection refused' in str(servers[1].rows('SHOW SLAVE STATUS')), 20, 'db2 to have tried again')
        sets += compare_words(texts, servers, sim, 'with a dead master', (1, 2))
        both_are(node, servers, sim, 1, lambda one: 'Connection refused' in one['LastIOError'], 'without its master')
        fields += compare_pictures(node, servers, sim, 'with a dead master')
        assert finding(node, servers[0].address) == finding(node, sim.address(0)) is not None
        print(f'{sets} result sets and {fields} fields of instances are the same')


def analysed(node, sim, index, *words):
    wait_until(lambda: finding(node, sim.address(index)) in words, 20, f'the finding of server {index} to be one of {words}')


def test_a_node_follows_fifty_servers_through_their_troubles():
    """Five clusters of ten. One round trip a look; a lag, a broken replica, a dead master, a frozen one, a replica that moves."""
    with Single() as house:
        sim = Fleetsim(house.nest, 50).start()
        house.extra = {**LOOKS, 'DiscoverySeeds': sim.masters(), 'InstancePollSeconds': 1, 'HostnameResolveMethod': 'none',
                       'ReasonableReplicationLagSeconds': 10}
        node = house.start().nodes[0]
        wait_until(lambda: (node.metric('firstchair_fleet_servers'), node.metric('firstchair_fleet_clusters')) == (50, 5), 30, '50 servers in 5 clusters')
        wait_until(lambda: sim.counts()['connected'] == 50 and sim.counts()['round_trips'] >= 4 * 50, 30, 'each to be looked at twice')
        before = sim.counts()
        wait_until(lambda: sim.counts()['probes'] >= before['probes'] + 100, 30, 'each to be looked at again and again')
        after = sim.counts()
        assert after['round_trips'] - before['round_trips'] == after['probes'] - before['probes'], f'{before} {after}'
        assert (after['connected'], after['unknown']) == (50, 0), after

        sim.tell('lag 12 17')
        sim.tell('break 35')
        sim.tell('move 25 26')
        wait_until(lambda: instance(node, sim.host(12), sim.port)['SecondsBehindMaster']['Int64'] == 17, 20, 'a lag to be seen')
        wait_until(lambda: instance(node, sim.host(35), sim.port)['LastSQLError'] not in ('', '""'), 20, 'a broken replica to be seen')
        wait_until(lambda: instance(node, sim.host(25), sim.port)['MasterKey']['Hostname'] == sim.host(26), 20, 'a replica to have moved')
        wait_until(lambda: {sim.host(12), sim.host(35)} <= {one['Key']['Hostname'] for one in json.loads(node.get('/api/problems')[1])}, 20,
                   'both to be problems')

        sim.tell('kill 0')
        analysed(node, sim, 0, 'DeadMaster')
        sim.tell('freeze 10')
        analysed(node, sim, 10, 'UnreachableMaster', 'UnreachableMasterWithLaggingReplicas')
        sim.tell('start 0')
        sim.tell('thaw 10')
        for index in (0, 10):
            analysed(node, sim, index, None, 'NoProblem')
        assert node.metric('firstchair_fleet_servers') == 50
