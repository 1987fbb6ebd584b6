"""What a server and its cluster are called, in the store: for tools that read it, for those that write it, and for the next start."""
import contextlib
import json
import sqlite3

from stage import Single, StageFailure, wait_until
from stage.fleet import LOOKS, start_servers
from stage.mariadb import Server


def named_server(house):
    """Seeds call it localhost; it calls itself 127.0.0.1."""
    server = Server(house.nest, 'db1', 1, read_only=False, options='report_host=127.0.0.1\n')
    start_servers([server])
    return server


class Store:
    """The node's SQLite file, as another tool opens it."""

    def __init__(self, house, node):
        self.file = house.nest.file(f'{node.name}/firstchair.db')

    def rows(self, query, *values):
        with contextlib.closing(sqlite3.connect(self.file, timeout=20)) as store, store:
            return store.execute(query, values).fetchall()


def test_names_of_clusters_and_servers_stand_in_the_store_and_are_read_from_there():
    with Single() as house:
        server = named_server(house)
        house.extra = {**LOOKS, 'DiscoverySeeds': [f'localhost:{server.port}'], 'InstancePollSeconds': 1,
                       'MySQLHostnameResolveMethod': '@@report_host',
                       'DetectClusterAliasQuery': "SELECT 'main'", 'DetectClusterDomainQuery': "SELECT 'writer.example'"}
        house.extra['DetectPromotionRuleQuery'] = "SELECT 'prefer'"
        node = house.start().nodes[0]
        store = Store(house, node)

        def told(path):
            return json.loads(node.get(f'/api/{path}', 10)[1])

        def domain():
            return told(f'cluster-info/{server.address}').get('ClusterDomain')

        def wait_rows(table, columns, rows):
            try:
                wait_until(lambda: store.rows(f'SELECT {columns} FROM {table}') == rows, 20, f'{table} to be {rows}')
            except StageFailure as failure:
                raise StageFailure(f"{failure}: {store.rows(f'SELECT * FROM {table}')}") from failure

        wait_until(lambda: 'is known by that name' in node.child.tail(), 20, 'the server to be known by its own name')
        wait_rows('cluster_alias', 'cluster_name, alias', [(server.address, 'main')])
        wait_rows('cluster_domain_name', 'cluster_name, domain_name', [(server.address, 'writer.example')])
        wait_rows('candidate_database_instance', 'hostname, promotion_rule', [(server.place.host, 'prefer')])
        rules = told('bulk-promotion-rules')
        assert [rule['PromotionRule'] for rule in rules] == ['prefer'] and rules[0]['LastSuggestedString'] != '', rules
        wait_rows('hostname_resolve', 'hostname, resolved_hostname', [('localhost', '127.0.0.1')])
        wait_rows('hostname_resolve_history', 'resolved_hostname, hostname', [('127.0.0.1', 'localhost')])
        assert store.rows("SELECT count(*) FROM cluster_alias WHERE last_registered > datetime('now', '-11 minutes')") == [(1,)]

        wait_rows('database_instance', 'hostname', [('127.0.0.1',)])
        assert node.get('/api/reset-hostname-resolve-cache', 10)[0] == 200
        wait_rows('hostname_resolve', 'hostname', [])
        store.rows("INSERT INTO hostname_resolve VALUES ('other.example', 'db9.example', datetime('now')), ('db9.example', 'db9.example', "
                   "datetime('now')), ('old.example', 'db8.example', datetime('now', '-119 minutes'))")
        wait_until(lambda: {name: one['Object'] for name, one in told('hostname-resolve-cache')['Details'].items()} ==
                   {'other.example': 'db9.example', 'old.example': 'db8.example'}, 20, "another tool's names to be read")

        # A server that is dead when the node starts is called as it was.
        assert node.stop() == 0, node.child.tail()
        server.stop()
        house.start()
        wait_rows('database_instance', "suggested_cluster_alias, last_checked > last_seen", [('main', 1)])
        wait_until(lambda: told('cluster-info/main').get('ClusterAlias') == 'main', 20, f"the cluster to be known by its alias: {told('cluster-info/main')}")
        wait_rows('cluster_alias', 'cluster_name, alias', [(server.address, 'main')])
        server.start()
        wait_until(lambda: 'is known by that name' in node.child.tail(), 20, 'the server to be known by its own name again')

        # Without queries of its own a node tells what stands in the store.
        assert node.stop() == 0, node.child.tail()
        for key in ('DiscoverySeeds', 'DetectClusterAliasQuery', 'DetectClusterDomainQuery'):
            del house.extra[key]
        house.start()
        wait_until(lambda: domain() == 'writer.example', 20, 'the domain to be known again')
        store.rows("UPDATE cluster_domain_name SET domain_name = 'other.example', last_registered = datetime('now', '+1 seconds')")
        wait_until(lambda: domain() == 'other.example', 20, "another tool's domain to be read")
        store.rows('DELETE FROM cluster_domain_name')
        wait_until(lambda: domain() == '', 20, 'the domain to be gone')
        wait_rows('cluster_alias', 'cluster_name, alias', [(server.address, server.address)])
        assert server.alive()


def test_a_dead_master_is_known_by_its_own_name_after_a_restart_though_its_replica_calls_it_otherwise():
    with Single() as house:
        db1, db2 = (Server(house.nest, name, number, read_only=number > 1, options='report_host=127.0.0.1\n')
                    for number, name in enumerate(('db1', 'db2'), 1))
        start_servers([db1, db2])
        db2.execute(f"CHANGE MASTER TO master_host='localhost', master_port={db1.port}, master_user='repl', master_password='r', "
                    "master_use_gtid=slave_pos, master_connect_retry=1; START SLAVE")
        wait_until(db2.replicates, 30, 'db2 to replicate')
        house.extra = {**LOOKS, 'DiscoverySeeds': [db2.address], 'InstancePollSeconds': 1, 'MySQLHostnameResolveMethod': '@@report_host'}
        node = house.start().nodes[0]
        store = Store(house, node)
        wait_until(lambda: 'servers are known from the store' in node.child.tail(), 20, 'the tables to be made')
        wait_until(lambda: store.rows('SELECT hostname, port, cluster_name FROM database_instance ORDER BY replication_depth') ==
                   [('127.0.0.1', db1.port, db1.address), ('127.0.0.1', db2.port, db1.address)], 20, 'one cluster by its own names')
        wait_until(lambda: store.rows('SELECT hostname FROM hostname_resolve') == [('localhost',)], 20, 'the name to be stored')
        assert node.stop() == 0, node.child.tail()
        db1.kill()
        house.start()

        def findings():
            told = json.loads(node.get('/api/replication-analysis', 10)[1])['Details']
            return [(one['AnalyzedInstanceKey']['Hostname'], one['AnalyzedInstanceKey']['Port'], one['Analysis']) for one in told]

        found = [('127.0.0.1', db1.port, 'DeadMaster'), ('127.0.0.1', db2.port, 'FirstTierReplicaFailingToConnectToMaster')]
        wait_until(lambda: sorted(findings()) == sorted(found), 20, f'the one dead master: {findings()}')
        assert sorted(one['Key']['Port'] for one in json.loads(node.get('/api/all-instances', 10)[1])) == sorted([db1.port, db2.port])
        assert db2.alive()
