"""orchestrator's users, clients and dashboards ask a running node about its fleet: a master and two replicas, real ones."""
import contextlib
import json
import os
import re
import sqlite3

from stage import Single, wait_until
from stage.client import Client, Refused
from stage.dialect import IS_MYSQL
from stage.fleet import LOOKS, ONE_AND_TWO, fleet_of
from stage.node import run_firstchair


def one_and_two(house):
    servers = fleet_of(house.nest, ONE_AND_TWO)
    servers[0].execute('SET GLOBAL read_only=0')
    return servers


def agrees(told, server):
    """The instance as the API tells it, field by field with the server's own words; the first that differs."""
    own = server.rows('SELECT @@server_id, @@version, @@version_comment, @@global.read_only, @@binlog_format, @@log_bin, '
                      '@@log_slave_updates, @@binlog_row_image')[0]
    replica = server.replica()
    pairs = {
        'ServerID': int(own['@@server_id']), 'Version': own['@@version'], 'VersionComment': own['@@version_comment'],
        'FlavorName': 'MySQL' if IS_MYSQL else 'MariaDB', 'ReadOnly': own['@@global.read_only'] == '1', 'Binlog_format': own['@@binlog_format'],
        'BinlogRowImage': own['@@binlog_row_image'], 'LogBinEnabled': own['@@log_bin'] == '1',
        'LogReplicationUpdatesEnabled': own['@@log_slave_updates'] == '1', 'LogSlaveUpdatesEnabled': own['@@log_slave_updates'] == '1',
        'MasterKey': {'Hostname': replica.get('Master_Host', ''), 'Port': int(replica.get('Master_Port', 0))},
        'ReplicationIOThreadRuning': replica.get('Slave_IO_Running') == 'Yes', 'Slave_IO_Running': replica.get('Slave_IO_Running') == 'Yes',
        'ReplicationSQLThreadRuning': replica.get('Slave_SQL_Running') == 'Yes', 'Slave_SQL_Running': replica.get('Slave_SQL_Running') == 'Yes',
        'ReplicationIOThreadState': 1 if replica else -1, 'ReplicationSQLThreadState': 1 if replica else -1,
        'UsingMariaDBGTID': bool(replica) and replica.get('Using_Gtid', 'No') != 'No', 'UsingOracleGTID': replica.get('Auto_Position') == '1',
        'LastIOError': replica.get('Last_IO_Error', ''), 'LastSQLError': replica.get('Last_SQL_Error', ''),
        'SecondsBehindMaster': {'Int64': int(replica.get('Seconds_Behind_Master') or 0), 'Valid': bool(replica)},
        'ReadBinlogCoordinates': {'LogFile': replica.get('Master_Log_File', ''), 'LogPos': int(replica.get('Read_Master_Log_Pos', 0)), 'Type': 0},
        'ExecBinlogCoordinates': {'LogFile': replica.get('Relay_Master_Log_File', ''), 'LogPos': int(replica.get('Exec_Master_Log_Pos', 0)), 'Type': 0},
        'IsLastCheckValid': True, 'IsRecentlyChecked': True, 'Problems': [], 'ReplicationDepth': 1 if replica else 0,
    }
    if IS_MYSQL:
        sets = server.rows('SELECT @@server_uuid AS uuid, @@gtid_mode AS mode, @@global.gtid_executed AS executed, @@global.gtid_purged AS purged')[0]
        pairs.update({'ServerUUID': sets['uuid'], 'GTIDMode': sets['mode'], 'ExecutedGtidSet': sets['executed'], 'GtidPurged': sets['purged'],
                      'MasterUUID': replica.get('Master_UUID', ''), 'GtidErrant': ''})
    position = server.rows('SHOW MASTER STATUS')[0]
    pairs['SelfBinlogCoordinates'] = {'LogFile': position['File'], 'LogPos': int(position['Position']), 'Type': 0}
    return next((f'{name} is {told[name]!r}, the server says {value!r}' for name, value in pairs.items() if told[name] != value), '')


def every_reading_command(client, db1, db2, db3):
    """What each prints when all is well."""
    a, b, c = (server.address for server in (db1, db2, db3))
    every = sorted([a, b, c])
    replicas = sorted([b, c])
    expected = {
        'clusters': [a], 'clusters-alias': [f'{a},{a}'], 'all-instances': [a, *replicas], 'all-clusters-masters': [a], 'dominant-dc': '',
        'replication-analysis': [], 'check-global-recoveries': 'disabled', 'downtimed': [],
    }
    for command, said in expected.items():
        assert client.run(command) == said, (command, client.run(command), said)
    of_replica = {
        'which-instance': b, 'which-master': a, 'which-replicas': [], 'which-broken-replicas': [], 'which-cluster-instances': every,
        'which-cluster': a, 'which-cluster-alias': a, 'which-cluster-master': a, 'which-cluster-osc-replicas': replicas,
        'which-cluster-osc-running-replicas': replicas, 'tags': [], 'which-gtid-errant': '', 'is-replicating': b,
        'is-replication-stopped': '', 'search': [b],
    }
    for command, said in of_replica.items():
        assert client.run(command, b) == said, (command, client.run(command, b), said)
    assert client.run('which-replicas', a) == replicas and client.run('is-replicating', a) == ''
    assert client.run('can-replicate-from', c, d=b) == b and client.run('can-replicate-from-gtid', c, d=b) == b
    tree = client.run('topology', c).split('\n')
    assert [line.lstrip('+ ').split()[0] for line in tree] == [a, *replicas], tree
    assert all(',ok,' in line and ',GTID]' in line for line in tree[1:]), tree
    assert len(client.run('topology-tabulated', c).split('\n')) == 3 and client.run('topology-tags', c).count('] []') == 3


def what_is_said_is_told(client, db2, db3):
    """Orders that only touch what is remembered, and what is read of them."""
    b, c = db2.address, db3.address

    def becomes(said, command, *asked, **words):
        wait_until(lambda: client.run(command, *asked, **words) == said, 20, f'{command} {asked} {words} to tell {said}')

    assert client.run('begin-downtime', b, owner='amy', reason='disk/fan is loud', duration='30m') == b
    becomes([b], 'downtimed')
    becomes([b], 'downtimed', c)
    assert client.run('end-downtime', b) == b
    becomes([], 'downtimed')
    assert client.run('begin-maintenance', b, owner='amy', reason='upgrade') == b
    try:
        client.run('begin-maintenance', b, owner='bob', reason='too')
        raise AssertionError('a lock was taken twice')
    except Refused as refused:
        assert 'is in maintenance by amy: upgrade' in str(refused)
    assert client.run('end-maintenance', b) == b
    assert client.run('tag', b, tag='role=main') == b and client.run('tag', c, tag='vip') == c
    becomes(['role=main'], 'tags', b)
    becomes('main', 'tag-value', b, tag='role')
    becomes([b], 'tagged', tag='role')
    assert client.run('untag', b, tag='role') == [b]
    becomes([], 'tagged', tag='role')
    assert client.run('submit-pool-instances', f'{b},{c}', pool='web') == 'web'
    becomes(sorted([b, c]), 'which-heuristic-cluster-pool-instances', b, pool='web')
    assert client.run('register-candidate', b, rule='prefer') == b
    assert client.run('register-hostname-unresolve', b, hostname='vip.example') == b
    assert client.run('deregister-hostname-unresolve', b) == b
    assert client.run('async-discover', b) == b and client.run('discover', b) == b


def who_is_there_is_resolved(node, client, server):
    """A name and a connection; a port where nobody listens, a name of nobody: one sentence each."""
    asks = ('--api', f'http://{node.place.host}:{node.http_port}')
    assert run_firstchair('-c', 'resolve', '-i', server.address, *asks) == (0, f'{server.address}\n', '')
    exit_code, _, trouble = run_firstchair('-c', 'resolve', '-i', f'{server.place.host}:1', *asks)
    assert exit_code == 1 and 'no connection: Connection refused' in trouble, trouble
    exit_code, _, trouble = run_firstchair('-c', 'resolve', '-i', 'nobody.invalid:3306', *asks)
    assert exit_code == 1 and 'its name is not found' in trouble, trouble


def a_snapshot_is_kept(house, node, client, servers):
    """Each server with its master, all of one moment."""
    assert re.fullmatch(r'Took [0-9.]+m?s', client.run('snapshot-topologies')), 'how long it took'
    with contextlib.closing(sqlite3.connect(house.nest.file(f'{node.name}/firstchair.db'), timeout=20)) as store:
        kept = store.execute('SELECT port, master_port, cluster_name, version FROM database_instance_topology_history ORDER BY port').fetchall()
        moments = store.execute('SELECT count(DISTINCT snapshot_unix_timestamp) FROM database_instance_topology_history').fetchall()
    master, version = servers[0], servers[0].rows('SELECT @@version')[0]['@@version']
    assert kept == sorted((server.port, 0 if server is master else master.port, master.address, version) for server in servers), kept
    assert moments == [(1,)], moments


THEN = 1577872800                # 2020-01-01 10:00:00 UTC


def others_snapshot(house, node, servers):
    """As another tool laid it: a chain, in which the first was not yet."""
    _, b, c = servers
    rows = [(THEN, b.place.host, b.port, '', 0, b.address, '10.3.1'), (THEN, c.place.host, c.port, b.place.host, b.port, b.address, '10.3.1'),
            (THEN, 'elsewhere', 3306, '', 0, 'elsewhere:3306', '10.3.1')]
    with contextlib.closing(sqlite3.connect(house.nest.file(f'{node.name}/firstchair.db'), timeout=20)) as store, store:
        store.executemany('INSERT INTO database_instance_topology_history VALUES (?, ?, ?, ?, ?, ?, ?)', rows)
        store.execute("INSERT INTO host_attributes VALUES ('*', 'writer.example', ?, datetime('now'), NULL), ('own', 'writer.example', 'own:1', "
                      "datetime('now'), NULL)", (c.address,))


def the_past_is_drawn(asks, servers):
    """The newest snapshot that fits and has the server; where none does, one sentence."""
    def topology(server, pattern, command='topology'):
        return run_firstchair('-c', command, '-i', server, '--pattern', pattern, *asks)

    a, b, c = servers
    replicas = sorted((b, c), key=lambda server: (server.place.host, server.port))
    of_now = f'{a.address}\n' + ''.join(f'+ {server.address}\n' for server in replicas)
    of_then = f'{b.address}\n+ {c.address}\n'
    assert topology(c.address, '^20[3-9]')[:2] == (1, '')
    exit_code, text, trouble = topology(c.address, '^2020-01-01 1')
    assert (exit_code, text) == (0, of_then) and 'Topology of 2020-01-01 10:00:00 UTC' in trouble, (text, trouble)
    assert topology(b.address, f'^{THEN}$', 'topology-tabulated')[:2] == (0, of_then), 'by its seconds'
    assert topology(c.address, '^20')[:2] == (0, of_now), 'the newest that fits'
    assert topology('elsewhere:3306', '^20')[:2] == (0, 'elsewhere:3306\n'), 'that is not there any more'
    exit_code, text, trouble = topology(a.address, '^2020')
    assert (exit_code, text) == (1, '') and f"no snapshot that fits '^2020' has {a.address} among its servers" in trouble, trouble
    exit_code, text, trouble = topology(a.address, '(')
    assert exit_code != 0 and text == '' and "pattern" in trouble, trouble
    assert run_firstchair('-c', 'which-heuristic-domain-instance', '-i', a.address, *asks)[:2] == (0, f'{c.address}\n')


READING = (('clusters',), ('clusters-alias',), ('all-clusters-masters',), ('all-instances',), ('topology-tags', 'i'), ('topology-tabulated', 'i'),
           ('which-master', 'i'), ('which-replicas', 'a'), ('which-cluster', 'i'), ('which-cluster-alias', 'i'), ('which-cluster-instances', 'i'),
           ('which-cluster-domain', 'i'), ('which-cluster-osc-replicas', 'i'), ('replication-analysis',), ('tags', 'i'), ('tagged', 't'), ('downtimed',), ('bulk-instances',),
           ('bulk-promotion-rules',), ('is-replicating', 'i'), ('which-gtid-errant', 'i'), ('search', 'i'), ('check-global-recoveries',),
           ('in-maintenance', 'i'), ('can-replicate-from', 'd'))


def every_answer(config, master, replica, other):
    """What `firstchair -c` prints of each reading command; ages and lag by the clock aside."""
    words = {'i': ('-i', replica.address), 'a': ('-i', master.address), 't': ('--tag', 'role'), 'd': ('-i', replica.address, '-d', other.address)}
    answers = {}
    for command, *wanted in READING:
        exit_code, text, trouble = run_firstchair('-c', command, *[word for one in wanted for word in words[one]], '--config', config)
        answers[command] = (exit_code, text)
        answers[f'{command}: trouble'] = trouble
    return answers


def figures_are_told(node, servers):
    """Of looks one a server, of the queue one a second, of the store's statements those that were asked."""
    def told(path):
        return json.loads(node.get(f'/api/{path}', 10)[1])

    flat = json.loads(node.get('/debug/metrics', 10)[1])
    assert flat['discoveries.attempt'] >= len(servers) <= flat['instance.read_topology'] and flat['elect.is_elected'] == 1, flat
    assert flat['instance.write'] >= len(servers) and 'raft.is_leader' not in flat, flat
    looks = told('discovery-metrics-raw/30')
    assert sorted(one['Port'] for one in looks) == sorted(server.port for server in servers) and all(one['Err'] is None for one in looks), looks
    assert all(0 < one['InstanceLatencySeconds'] < 30 for one in looks), looks
    assert told('discovery-metrics-aggregated/30')['CountDistinctOkInstanceKeys'] == len(servers)
    wait_until(lambda: len(told('discovery-queue-metrics-raw/60')) >= 2, 20, 'two samples of the queue')
    assert told('discovery-queue-metrics-aggregated/60')['ActiveMaxEntries'] >= 0
    assert told('write-buffer-metrics-aggregated/60')['CountInstances'] >= len(servers)
    assert told('backend-query-metrics-aggregated/60')['Count'] >= len(told('write-buffer-metrics-raw/60')) > 0
    assert node.get('/api/discovery-metrics-raw/no', 10)[0] == 500


def length_of_maintenance(house, node):
    """Of the one that is active, in seconds from its begin to its end, by the store."""
    with contextlib.closing(sqlite3.connect(house.nest.file(f'{node.name}/firstchair.db'), timeout=20)) as store:
        return store.execute("select strftime('%s', end_timestamp) - strftime('%s', begin_timestamp) from database_instance_maintenance "
                             'where maintenance_active = 1').fetchone()[0]


def what_only_the_command_line_has(house, node, db1, db2):
    """Pools of all clusters, virtual names, nodes, the leader, the address that is asked."""
    api = f'http://{node.place.host}:{node.http_port}'

    def says(*words):
        return run_firstchair('-c', *words, '--api', api)

    assert says('submit-pool-instances', '-i', db2.address, '--pool', 'web')[0] == 0
    wanted = (0, f'{db1.address}\t{db1.address}\tweb\t{db2.address}\n', '')
    wait_until(lambda: says('cluster-pool-instances') == wanted, 20, f"one server in the pool: {says('cluster-pool-instances')}")
    assert says('register-hostname-unresolve', '-i', db2.address, '--hostname', 'vip.example')[0] == 0
    assert says('show-unresolve-hosts') == (0, f'{db2.place.host} vip.example\n', '')
    assert says('deregister-hostname-unresolve', '-i', db2.address)[0] == 0
    assert says('active-nodes') == says('raft-leader-hostname') == (0, f'{node.name}\n', '')
    assert says('which-api') == (0, f'{api}/api\n', '')
    nobody = f'http://{node.place.host}:1'
    assert run_firstchair('-c', 'which-api', '--api', f'{nobody} {api}/api ') == (0, f'{api}/api\n', ''), 'the first that leads'
    assert run_firstchair('-c', 'which-api', '--api', f' {nobody}') == (0, f'{nobody}/api\n', ''), 'one alone is not asked'
    code, _, trouble = run_firstchair('-c', 'clusters', '--api', f'{nobody} {nobody}/x')
    assert code == 10 and 'none of the nodes that were named says that it leads' in trouble, (code, trouble)
    assert says('which-master', '-i', f'{db2.address},{db2.address}') == (0, f'{db1.address}\n' * 2, '')
    assert says('begin-maintenance', '-i', db2.address, '-r', 'disk', '-u', '5h')[0] == 0
    assert 17990 < length_of_maintenance(house, node) <= 18000
    assert says('end-maintenance', '-i', db2.address)[0] == 0
    word = 'replica' if IS_MYSQL else 'slave'
    assert says('restart-replica-statements', '-i', db2.address, '--statement', 'SET GLOBAL x=1') == \
        (0, f'stop {word};\nSET GLOBAL x=1;\nstart {word};\n', '')


def the_store_answers_without_a_node(house, node, servers):
    """The same words from the store's rows when the node is stopped; orders are refused; nothing is made where there is no store."""
    api = f'http://{node.place.host}:{node.http_port}'
    db1, db2, db3 = servers
    assert node.get(f'/api/tag/{db2.place.host}/{db2.port}?tag=role%3Dmain', 10)[0] == 200
    assert node.get(f'/api/set-cluster-alias/{db1.address}?alias=main', 10)[0] == 200
    wait_until(lambda: run_firstchair('-c', 'which-cluster-alias', '-i', db2.address, '--api', api)[1] == 'main\n', 20, 'the alias to be chosen')
    running = every_answer(node.config, db1, db2, db3)
    assert node.stop() == 0, node.child.tail()
    stopped = every_answer(node.config, db1, db2, db3)
    for command in {name for name in running if not name.endswith(': trouble')}:
        assert running[command] == stopped[command], (command, running[command], stopped[command])
        assert running[f'{command}: trouble'] == '' and 'read from the store (' in stopped[f'{command}: trouble'], stopped[f'{command}: trouble']
    the_past_is_drawn(('--config', node.config), servers)
    asked = json.loads(run_firstchair('-c', 'api', '--path', 'audit-recovery', '--config', node.config)[1])
    assert asked == [], asked
    exit_code, text, trouble = run_firstchair('-c', 'tag', '-i', db2.address, '--tag', 'x', '--config', node.config)
    assert (exit_code, text) == (4, '') and 'tag is an order, which a running node does' in trouble, (exit_code, text, trouble)
    assert run_firstchair('-c', 'raft-leader', '--config', node.config)[0] == 4
    assert run_firstchair('-c', 'which-master', '-i', 'nobody:1', '--config', node.config)[0] == 1
    exit_code, _, trouble = run_firstchair('-c', 'clusters', '--api', api)
    assert exit_code == 10 and 'no node answers at' in trouble and 'store' not in trouble, 'who is named by --api is the only one asked'
    store = house.nest.file(f'{node.name}/firstchair.db')
    os.rename(store, f'{store}.away')
    exit_code, _, trouble = run_firstchair('-c', 'clusters', '--config', node.config)
    assert exit_code == 10 and 'there is no store to be read' in trouble and not os.path.exists(store), trouble
    os.rename(f'{store}.away', store)
    house.start()
    assert all(server.alive() for server in servers)


def wrote_alone(server, number):
    """One transaction that only this server has; on MariaDB of a domain of its own."""
    server.execute(f'SET SESSION gtid_domain_id=77; CREATE TABLE mysql.alone_{number} (a INT)')
    return server.rows('SHOW MASTER STATUS')[0]['File']


def test_the_logs_in_which_errant_transactions_stand_are_told():
    """Names of binary logs, as the server itself tells that they hold them; each refusal is one sentence."""
    with Single() as house:
        db1, db2, db3 = one_and_two(house)
        house.extra = {**LOOKS, 'DiscoverySeeds': [db1.address], 'InstancePollSeconds': 1}
        node = house.start().nodes[0]
        client = Client(f'http://{node.place.host}:{node.http_port}')
        asks = ('-c', 'locate-gtid-errant', '-i', db2.address, '--config', node.config)
        wait_until(lambda: client.run('which-replicas', db1.address) == sorted([db2.address, db3.address]), 30, 'both replicas to be found')

        def refusal(*words):
            exit_code, text, trouble = run_firstchair(*(words or asks))
            assert (exit_code, text) == (1, ''), (exit_code, text, trouble)
            assert trouble.count(db2.address) < 2, f'who it is about is said twice: {trouble}'
            return trouble

        assert f'will not operate on {db2.address}: no errant transactions are known of it' in refusal()
        assert "there is no known server 'nobody:1'" in refusal('-c', 'locate-gtid-errant', '-i', 'nobody:1', '--config', node.config)
        db1.execute('CREATE TABLE mysql.everywhere (a INT)')
        wait_until(lambda: db2.binlog_position() == db1.binlog_position(), 20, 'db2 to have what db1 wrote')
        db2.execute('STOP SLAVE; SET GLOBAL read_only=0; FLUSH BINARY LOGS')
        first = wrote_alone(db2, 1)
        db2.execute('FLUSH BINARY LOGS; SET SESSION sql_log_bin=0; CREATE TABLE mysql.unlogged (a INT); SET SESSION sql_log_bin=1; FLUSH BINARY LOGS')
        third = wrote_alone(db2, 2)
        db2.execute('FLUSH BINARY LOGS')
        wait_until(lambda: client.run('which-gtid-errant', db2.address).endswith('-2'), 20, 'both to be seen as errant')
        with contextlib.closing(sqlite3.connect(house.nest.file(f'{node.name}/firstchair.db'), timeout=20)) as store:
            wait_until(lambda: store.execute('SELECT gtid_errant FROM database_instance WHERE port = ?', (db2.port,)).fetchall() ==
                       [(client.run('which-gtid-errant', db2.address),)], 20, 'they to stand in the store')
        assert run_firstchair(*asks) == (0, f'{first}\n{third}\n', ''), run_firstchair(*asks)
        status, body = node.get(f'/api/locate-gtid-errant/{db2.place.host}/{db2.port}', 10)
        assert (status, json.loads(body)) == (200, {'Code': 'OK', 'Message': 'Errant transactions located', 'Details': [first, third]}), body

        db2.freeze()
        try:
            assert f'{db2.address} does not answer: ' in refusal()
        finally:
            db2.thaw()

        last = db2.rows('SHOW MASTER STATUS')[0]['File']
        db2.execute(f"PURGE BINARY LOGS TO '{third}'")
        assert run_firstchair(*asks)[:2] == (0, f'{third}\n')
        assert 'more stood in logs that were purged' in node.get(f'/api/locate-gtid-errant/{db2.place.host}/{db2.port}', 10)[1]
        db2.execute(f"PURGE BINARY LOGS TO '{last}'")
        assert f'{db2.address}: its errant transactions stand in none of its binary logs: those logs were purged' in refusal()
        wrote_alone(db2, 3)
        db2.execute('FLUSH BINARY LOGS; ' * 1001, timeout=60)
        assert 'not all of its errant transactions stand in the newest 1000 of its 100' in refusal(), 'a bound, as reading a log costs the server'
        db2.execute(f"REVOKE BINLOG MONITOR ON *.* FROM topo@'{db2.place.accounts}'")
        assert f'{db2.address} says no: ' in refusal()
        db2.stop()
        assert f'{db2.address} does not answer: ' in refusal()
        node.stop()
        exit_code, _, trouble = run_firstchair(*asks)
        assert exit_code == 4 and 'that is asked of the server itself, which a running node does' in trouble, (exit_code, trouble)
        house.start()


def test_clients_read_the_fleet_and_what_they_read_is_so():
    """orchestrator's client (a stand-in with its requests) and `firstchair -c`; each field of a server is what the server itself says."""
    with Single() as house:
        servers = db1, db2, db3 = one_and_two(house)
        house.extra = {**LOOKS, 'DiscoverySeeds': [db1.address], 'InstancePollSeconds': 1,
                       'DetectClusterDomainQuery': "SELECT 'writer.example'"}
        node = house.start().nodes[0]
        client = Client(f'http://{node.place.host}:{node.http_port}')
        wait_until(lambda: client.run('which-replicas', db1.address) == sorted([db2.address, db3.address]), 30, 'both replicas to be found')

        for server in servers:
            def differs(server=server):
                return agrees(json.loads(node.get(f'/api/instance/{server.place.host}/{server.port}', 10)[1]), server)
            wait_until(lambda: differs() == '', 20, f'{server.name} to be told as it is: {differs()}')
        every_reading_command(client, *servers)
        what_is_said_is_told(client, db2, db3)
        who_is_there_is_resolved(node, client, db2)
        a_snapshot_is_kept(house, node, client, servers)
        others_snapshot(house, node, servers)
        the_past_is_drawn(('--api', f'http://{node.place.host}:{node.http_port}'), servers)
        figures_are_told(node, servers)
        what_only_the_command_line_has(house, node, db1, db2)

        asks = ('-c', 'which-replicas', '-i', db1.address, '--api', f'http://{node.place.host}:{node.http_port}')
        assert run_firstchair(*asks) == (0, ''.join(f'{one}\n' for one in sorted([db2.address, db3.address])), '')
        assert run_firstchair('-c', 'which-master', '-i', db3.address, '--config', node.config)[:2] == (0, f'{db1.address}\n')
        assert run_firstchair('-c', 'which-master', '-i', 'nobody:1', '--config', node.config)[0] == 1

        the_store_answers_without_a_node(house, node, servers)
        wait_until(lambda: client.run('which-replicas', db1.address) == sorted([db2.address, db3.address]), 30, 'both to be known again')
        db3.execute('STOP SLAVE')
        wait_until(lambda: client.run('is-replication-stopped', db3.address) == db3.address, 20, 'db3 to be told as stopped')
        wait_until(lambda: db3.address in [f"{one['Key']['Hostname']}:{one['Key']['Port']}"
                                           for one in json.loads(node.get('/api/problems', 10)[1])], 20, 'db3 to be a problem')
        db2.execute('STOP SLAVE')
        wait_until(lambda: client.run('replication-analysis') == [f'{db1.address} (cluster {db1.address}): AllMasterReplicasNotReplicating'],
                   20, f"the finding to be told: {client.run('replication-analysis')}")
        assert client.run('forget', db3.address) == ''
        wait_until(lambda: client.run('which-cluster-instances', db1.address) == sorted([db1.address, db2.address]), 20, 'db3 to be forgotten')
        assert all(server.alive() for server in servers)
