"""What the store keeps and memory does not: orders that were done, recoveries and detections that another tool has written."""
import contextlib
import json
import sqlite3

from stage import Single, wait_until
from stage.client import Client

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
        assert told(node, '/api/audit-recovery/id/x')[0] == 500, 'no id'
        rows(store, "UPDATE topology_recovery SET end_recovery=datetime('now') WHERE recovery_id=3")
        assert ids('/api/recently-active-cluster-recovery/db1:3306') == [3] and ids('/api/recently-active-instance-recovery/db2/3306') == [3]
