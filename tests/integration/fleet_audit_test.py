"""What the store keeps and memory does not: orders that were done, recoveries and detections that another tool has written."""
import contextlib
import json
import re
import sqlite3

from stage import Home, Raft, Shared, Single, limit, wait_until
from stage.client import Client
from stage.mariadb import DATABASE
from stage.node import run_firstchair

SERVER = '127.0.0.1:1'          # nobody listens there


def told(node, path):
    code, text = node.get(path, 12)
    return json.loads(text) if code == 200 else (code, text)


def rows(path, text, values=()):
    with contextlib.closing(sqlite3.connect(path, timeout=20)) as store, store:
        return store.execute(text, values).fetchall()


def test_orders_that_were_done_are_kept_and_told_a_page_at_a_time():
    """AuditToBackendDB: the latest first, twenty a page, of one server too; what was refused is not among them."""
    with Single({'AuditToBackendDB': True, 'DiscoverySeeds': [SERVER], 'MySQLTopologyUser': 'topo', 'MySQLTopologyPassword': 'x'}) as house:
        node = house.start().nodes[0]
        client = Client(f'http://{node.place.host}:{node.http_port}')
        wait_until(lambda: client.run('all-instances') == [SERVER], 20, 'the seed to be known')
        assert told(node, '/api/audit') == [], told(node, '/api/audit')
        assert client.run('begin-downtime', SERVER, owner='amy', reason='disk is loud', duration='30m') == SERVER
        assert client.run('tag', SERVER, tag='role=main') == SERVER
        wait_until(lambda: len(told(node, '/api/audit')) == 2, 20, f'both to be kept: {told(node, "/api/audit")}')
        tag, downtime = told(node, '/api/audit')
        assert (tag['AuditType'], downtime['AuditType']) == ('tag', 'begin-downtime'), (tag, downtime)
        assert downtime['AuditInstanceKey'] == {'Hostname': '127.0.0.1', 'Port': 1} and tag['AuditId'] > downtime['AuditId']
        assert downtime['Message'].startswith('amy disk is loud by ') and '@http' in downtime['Message'], downtime['Message']
        assert node.get('/api/tag/127.0.0.1/99999?tag=x', 12)[0] == 500
        for number in range(20):
            assert client.run('tag', SERVER, tag=f't{number}') == SERVER
        wait_until(lambda: [len(told(node, f'/api/audit/{page}')) for page in (0, 1, 2)] == [20, 2, 0], 20, 'two pages')
        assert told(node, '/api/audit/1') == [tag, downtime]
        assert told(node, '/api/audit/instance/127.0.0.1/1/1') == [tag, downtime] and told(node, '/api/audit/instance/127.0.0.1/2') == []


RECOVERY = ("INSERT INTO topology_recovery (recovery_id, hostname, port, in_active_period, start_active_period, end_active_period_unixtime, "
            "processing_node_hostname, processcing_node_token, is_successful, successor_hostname, successor_port, successor_alias, analysis, cluster_name, "
            "cluster_alias, count_affected_slaves, slave_hosts, participating_instances, lost_slaves, all_errors, acknowledged, acknowledged_by, "
            "acknowledge_comment, last_detection_id, uid) VALUES ({id}, '{host}', {port}, {active}, {start}, {id}, 'other', 'tok', 1, 'db2', 3306, '', "
            "'DeadMaster', '{cluster}', '{alias}', 1, '', '', '', '', 0, '', '', 7, '{uid}')")
TOPO = {'DiscoverySeeds': [SERVER], 'MySQLTopologyUser': 'topo', 'MySQLTopologyPassword': 'x'}


def lay(run, number, host='db1', port=3306, active=0, cluster='db1:3306', alias='main', uid=None, now="datetime('now')"):
    run(RECOVERY.format(id=number, host=host, port=port, active=active, start=now, cluster=cluster, alias=alias,
                        uid=f'u{number}' if uid is None else uid))


def seen(node):
    """{id: (who, comment)} of recoveries that somebody has seen; none of them blocks."""
    told_all = [one for one in told(node, '/api/audit-recovery') if one['Acknowledged']]
    assert not any(one['IsActive'] for one in told_all), told_all
    assert all(one['AcknowledgedAt'] for one in told_all), told_all
    return {one['Id']: (one['AcknowledgedBy'], one['AcknowledgedComment']) for one in told_all}


def test_recoveries_are_acknowledged_in_each_form():
    """By number, by uid, of a server, of a cluster by hint and by alias, all: who, when and why stand in the row, and none is active any more."""
    with Single(TOPO) as house:
        node = house.start().nodes[0]
        store = node.nest.file(f'{node.name}/firstchair.db')
        client = Client(f'http://{node.place.host}:{node.http_port}')
        wait_until(lambda: told(node, '/api/audit-recovery') == [] and client.run('clusters') == [SERVER], 20, 'store and seed to be known')
        for number in range(1, 8):
            lay(lambda text: rows(store, text), number, host=f'db{number}', active=1, cluster=SERVER if number in (4, 5) else f'db{number}:3306',
                alias='main' if number == 6 else '')
        lay(lambda text: rows(store, text), 8, host='127.0.0.1', port=1, alias='')

        def told_of(path, message, details):
            answer = told(node, path)
            assert answer == {'Code': 'OK', 'Message': message, 'Details': details}, (path, answer)

        for path in ('ack-all-recoveries', 'ack-recovery/1?comment=%20', f'ack-recovery/cluster/{SERVER}'):
            code, text = node.get(f'/api/{path}', 12)
            assert code == 500 and 'an acknowledgement needs a comment' in text, (path, text)
        code, text = node.get(f'/api/ack-recovery/1?comment={"x" * 950}', 12)
        assert code == 500 and "what is said of 'topology_recovery' is longer than" in text, (code, text)
        told_of('/api/ack-recovery/1?comment=by%20number', '1 recoveries acknowledged', '1')
        told_of('/api/ack-recovery/uid/u2?comment=by%20uid', '1 recoveries acknowledged', 'u2')
        told_of('/api/ack-recovery/uid/nobody?comment=x', '0 recoveries acknowledged: there is none of this name, or it was already', 'nobody')
        told_of('/api/ack-recovery/instance/db3/3306?comment=of%20db3', '1 recoveries acknowledged', {'Hostname': 'db3', 'Port': 3306})
        assert sorted(seen(node)) == [1, 2, 3], seen(node)
        assert client.run('ack-cluster-recoveries', SERVER, reason="it's known") == SERVER
        assert seen(node)[4] == ('127.0.0.1', "it's known") and sorted(seen(node)) == [1, 2, 3, 4, 5], seen(node)
        assert node.get(f'/api/set-cluster-alias/{SERVER}?alias=main', 12)[0] == 200
        wait_until(lambda: client.run('which-cluster-alias', SERVER) == 'main', 20, 'the alias to be there')
        told_of('/api/ack-recovery/cluster/alias/main?comment=by%20alias', '1 recoveries acknowledged', SERVER)
        assert sorted(seen(node)) == [1, 2, 3, 4, 5, 6], seen(node)
        asks = ('--api', f'http://{node.place.host}:{node.http_port}')
        assert run_firstchair('-c', 'ack-instance-recoveries', '-i', SERVER, '--reason', 'by hand', *asks)[:2] == (0, '1 recoveries acknowledged\n')
        assert run_firstchair('-c', 'ack-all-recoveries', *asks)[0] != 0, 'a reason is needed'
        assert run_firstchair('-c', 'ack-all-recoveries', '--reason', 'the rest', *asks)[:2] == (0, '1 recoveries acknowledged\n')
        assert client.run('ack-all-recoveries', reason='again') == 'again'
        assert seen(node)[7][1] == 'the rest' and len(seen(node)) == 8, seen(node)
        assert rows(store, 'SELECT count(*) FROM topology_recovery WHERE in_active_period <> 0 OR end_active_period_unixtime IS NULL') == [(0,)]


@limit(150)
def test_an_acknowledgement_is_in_every_store():
    """Raft: each node's own row of it, though numbers differ. A MySQL that nodes share: said to who only reads it."""
    with Raft(keys=TOPO) as house:
        house.start()
        for node in house.nodes:
            wait_until(lambda node=node: told(node, '/api/audit-recovery') == [], 30, f'{node.name} to read its store')
            lay(lambda text, node=node: rows(house.store(node), text), 10 + house.nodes.index(node), uid='one-uid', active=1)
        leader = house.wait_leader()
        code, text = leader.get('/api/ack-recovery/uid/one-uid?comment=known', 20)
        assert code == 200, text
        for node in house.nodes:
            wait_until(lambda node=node: list(seen(node).values()) == [('127.0.0.1', 'known')], 20, f'{node.name} to know of it')
    with Shared(nodes=2, keys=TOPO) as house:
        leader = house.start().wait_leader()
        wait_until(lambda: house.server.rows(f"SHOW TABLES FROM {DATABASE} LIKE 'topology_recovery'"), 30, 'the tables to be made')
        lay(lambda text: house.server.execute(f'USE {DATABASE}; {text}'), 3, active=1, now='now()')
        other = next(node for node in house.nodes if node is not leader)
        wait_until(lambda: [one['Id'] for one in told(other, '/api/audit-recovery')] == [3], 20, 'the reader to tell it')
        code, text = other.get('/api/ack-recovery/3?comment=known', 20)
        assert code == 200, text
        for node in house.nodes:
            wait_until(lambda node=node: seen(node) == {3: ('127.0.0.1', 'known')}, 20, f'{node.name} to tell it: {seen(node)}')
        for node in house.nodes:
            assert node.stop() == 0, node.child.tail()
        exit_code, text, trouble = run_firstchair('-c', 'all-instances', '--config', leader.config)      # the seed was never seen: no row
        assert (exit_code, text) == (0, '') and f'read from the store (127.0.0.1:{house.server.port})' in trouble, (exit_code, text, trouble)
        told_all = json.loads(run_firstchair('-c', 'api', '--path', 'audit-recovery/id/3', '--config', leader.config)[1])
        assert [one['AcknowledgedComment'] for one in told_all] == ['known'], told_all
        house.server.stop()
        exit_code, text, trouble = run_firstchair('-c', 'all-instances', '--config', leader.config)
        assert exit_code in (9, 10) and text == '' and 'no node answers at' in trouble, (exit_code, text, trouble)


@limit(150)
def test_of_a_pair_the_first_that_can_be_read_answers():
    """Acknowledged on both servers; without nodes `firstchair -c` reads the first server of the pair, and the second when the first is dead."""
    with Home(nodes=1, keys=TOPO).start() as home:
        node = home.wait_leader()
        first, second = home.pair.servers
        wait_until(lambda: second.rows(f"SHOW TABLES FROM {DATABASE} LIKE 'topology_recovery'"), 30, 'the tables to be made on both')
        chair = next(server for server in (first, second) if not server.is_read_only())
        lay(lambda text: chair.execute(f'USE {DATABASE}; {text}'), 3, active=1, now='now()')
        code, text = node.get('/api/ack-recovery/uid/u3?comment=known', 20)
        assert code == 200 and '1 recoveries acknowledged' in text, text
        for server in (first, second):
            def rows_of(server=server):
                return [(row['acknowledge_comment'], row['in_active_period'])
                        for row in server.rows(f'SELECT acknowledge_comment, in_active_period FROM {DATABASE}.topology_recovery')]
            wait_until(lambda rows_of=rows_of: rows_of() == [('known', '0')], 20, f'{server.name} to have it')
        assert node.stop() == 0, node.child.tail()
        asks = ('-c', 'api', '--path', 'audit-recovery/uid/u3', '--config', node.config)
        for kills in (None, first):
            if kills is not None:
                kills.kill()
            exit_code, text, trouble = run_firstchair(*asks)
            assert exit_code == 0 and json.loads(text)[0]['AcknowledgedComment'] == 'known', (exit_code, text, trouble)
            assert 'read from the store (BackendServers)' in trouble, trouble


def test_recoveries_that_are_held_back_are_told():
    """blocked_topology_recovery as another tool writes it: the latest first, of one cluster too."""
    with Single(TOPO) as house:
        node = house.start().nodes[0]
        store = node.nest.file(f'{node.name}/firstchair.db')
        wait_until(lambda: told(node, '/api/blocked-recoveries') == [], 20, 'the store to be read')
        rows(store, "INSERT INTO blocked_topology_recovery (hostname, port, cluster_name, analysis, last_blocked_timestamp, blocking_recovery_id) VALUES "
                    "('db1', 3306, 'db1:3306', 'DeadMaster', '2026-01-02 03:04:05', 7), ('db2', 3307, 'db2:3307', 'DeadCoMaster', '2026-01-02 03:04:06', NULL)")
        one = {'FailedInstanceKey': {'Hostname': 'db1', 'Port': 3306}, 'ClusterName': 'db1:3306', 'Analysis': 'DeadMaster',
               'LastBlockedTimestamp': '2026-01-02 03:04:05', 'BlockingRecoveryId': 7}
        assert [row['FailedInstanceKey']['Port'] for row in told(node, '/api/blocked-recoveries')] == [3307, 3306]
        assert told(node, '/api/blocked-recoveries/cluster/db1:3306') == [one] and told(node, '/api/blocked-recoveries/cluster/none') == []


def test_recoveries_of_another_tool_are_told_in_its_shapes():
    """By id, uid, cluster, alias, unacknowledged, running and recent; steps from the first; detections."""
    with Single({'DiscoverySeeds': [SERVER], 'MySQLTopologyUser': 'topo', 'MySQLTopologyPassword': 'x'}) as house:
        node = house.start().nodes[0]
        store = node.nest.file(f'{node.name}/firstchair.db')
        wait_until(lambda: told(node, '/api/audit-recovery') == [], 20, 'the store to be read')
        recovery = ('INSERT INTO topology_recovery (recovery_id, hostname, port, in_active_period, start_active_period, end_active_period_unixtime, '
                    'end_recovery, processing_node_hostname, processcing_node_token, is_successful, successor_hostname, successor_port, successor_alias, '
                    'analysis, cluster_name, cluster_alias, count_affected_slaves, slave_hosts, participating_instances, lost_slaves, all_errors, '
                    "acknowledged, acknowledged_by, acknowledge_comment, last_detection_id, uid) VALUES (?, 'db1', 3306, 0, datetime('now'), ?, ?, "
                    "'other', 'tok', 1, 'db2', 3306, '', 'DeadMaster', 'db1:3306', 'main', 2, 'db2:3306,db3:3306', '', 'db3:3306', '', ?, '', '', 7, ?)")
        rows(store, recovery, (3, 1, None, 0, 'u3'))
        rows(store, recovery, (4, 2, '2026-01-02 03:04:05', 1, 'u4'))
        rows(store, "INSERT INTO topology_recovery_steps (recovery_step_id, recovery_uid, audit_at, message) VALUES (1, 'u3', datetime('now'), 'one'), "
                    "(2, 'u3', datetime('now'), 'two'), (3, 'u4', datetime('now'), 'else')")
        rows(store, "INSERT INTO topology_failure_detection (detection_id, hostname, port, in_active_period, start_active_period, end_active_period_unixtime, "
                    "processing_node_hostname, processcing_node_token, analysis, cluster_name, cluster_alias, count_affected_slaves, slave_hosts) VALUES "
                    "(7, 'db1', 3306, 1, datetime('now'), 0, 'other', 'tok', 'DeadMaster', 'db1:3306', 'main', 2, 'db2:3306')")

        def ids(path):
            return [row['Id'] for row in told(node, path)]

        wanted = {
            '/api/audit-recovery': [4, 3], '/api/audit-recovery/1': [], '/api/audit-recovery?unacknowledged=true': [3], '/api/audit-recovery/id/3': [3],
            '/api/audit-recovery/id/9': [], '/api/audit-recovery/uid/u4': [4], '/api/audit-recovery/cluster/db1:3306': [4, 3],
            '/api/audit-recovery/cluster/db9:3306': [], '/api/audit-recovery/alias/main/0': [4, 3], '/api/active-cluster-recovery/db1:3306': [3],
            '/api/recently-active-cluster-recovery/db1:3306': [], '/api/recently-active-instance-recovery/db2/3306': [],
            '/api/audit-recovery-steps/u3': [1, 2], '/api/audit-failure-detection': [7], '/api/audit-failure-detection/id/7': [7],
            '/api/audit-failure-detection/alias/else': [],
        }
        for path, said in wanted.items():
            assert ids(path) == said, (path, ids(path), said)
        one = told(node, '/api/audit-recovery/id/4')[0]
        assert one['AnalysisEntry']['AnalyzedInstanceKey'] == {'Hostname': 'db1', 'Port': 3306} and one['AnalysisEntry']['Analysis'] == 'DeadMaster'
        assert one['SuccessorKey'] == {'Hostname': 'db2', 'Port': 3306} and one['LostReplicas'] == [{'Hostname': 'db3', 'Port': 3306}]
        assert one['RecoveryEndTimestamp'] == '2026-01-02 03:04:05' and one['AllErrors'] == [''] and one['Acknowledged'] and one['LastDetectionId'] == 7
        found = told(node, '/api/audit-failure-detection')[0]
        assert found['RelatedRecoveryId'] == 3 and list(found) == list(one), 'of two recoveries of this detection the first'
        rows(store, "INSERT INTO topology_failure_detection (detection_id, hostname, port, in_active_period, start_active_period, end_active_period_unixtime, "
                    "processing_node_hostname, processcing_node_token, analysis, cluster_name, cluster_alias, count_affected_slaves, slave_hosts) VALUES "
                    "(8, 'db1', 3307, 1, datetime('now'), 0, 'other', 'tok', 'DeadMaster', 'db1:3307', 'main', 2, '')")
        assert [one['RelatedRecoveryId'] for one in told(node, '/api/audit-failure-detection')] == [0, 3]
        assert told(node, '/api/audit-failure-detection/id/7')[0]['RelatedRecoveryId'] == 3
        assert told(node, '/api/audit-recovery/id/x')[0] == 500, 'no id'
        rows(store, "UPDATE topology_recovery SET end_recovery=datetime('now') WHERE recovery_id=3")
        assert ids('/api/recently-active-cluster-recovery/db1:3306') == [3] and ids('/api/recently-active-instance-recovery/db2/3306') == [3]
