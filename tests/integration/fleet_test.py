"""A running node keeps its fleet: found from one seed, judged as it changes, known again after a restart."""
import json
import re
import sqlite3
import time

from stage import Single, wait_until
from stage.fleet import CHAIN, LOOKS, PASSWORD, fleet_of


def wait_said(node, server, finding, since, bound=20):
    """A change to this finding, in the log since then; how long it took."""
    began = time.monotonic()
    wait_until(lambda: re.search(rf'{server.address}: \w+ -> {finding}, ', node.said()[since:]), bound, f'{server.name} to be {finding}')
    return time.monotonic() - began


def stored(house, node):
    with sqlite3.connect(house.nest.file(f'{node.name}/firstchair.db')) as file:
        return file.execute('select port, data_center, instance_alias, replication_depth, cluster_name, slave_lag_seconds '
                            'from database_instance order by replication_depth').fetchall()


def test_a_fleet_is_found_from_one_seed_judged_and_known_again():
    """The last one of a chain is the seed. The middle one dies and comes back, the master dies; the node starts again without seeds."""
    with Single() as house:
        servers = db1, db2, db3 = fleet_of(house.nest, CHAIN)
        house.extra = {**LOOKS, 'DiscoverySeeds': [db3.address], 'InstancePollSeconds': 2,
                       'DetectDataCenterQuery': "select concat('dc', 1);", 'DetectInstanceAliasQuery': 'select name from nowhere.known',
                       'ReplicationLagQuery': 'select 7.3'}
        node = house.start().nodes[0]
        wait_until(lambda: node.metric('firstchair_fleet_servers') == 3 and node.metric('firstchair_fleet_clusters') == 1, 20,
                   'three servers in one cluster')
        for server in servers:
            def lag(server=server):
                return json.loads(node.get(f'/api/instance/{server.place.host}/{server.port}', 10)[1]).get('SlaveLagSeconds')
            wait_until(lambda: lag() == {'Int64': 7, 'Valid': True}, 20, f'the lag of {server.name} to be told as it was asked: {lag()}')
        whole = [(server.port, 'dc1', '', depth, db1.address, 7 if depth > 0 else None) for depth, server in enumerate(servers)]
        wait_until(lambda: stored(house, node) == whole, 20, 'three rows in the store, by what they say and by what they were asked')

        since = len(node.said())
        db2.kill()
        took = wait_said(node, db2, 'DeadIntermediateMasterWithSingleReplicaFailingToConnect', since)
        print(f'a dead intermediate master is known after {took:.2f} s')
        wait_said(node, db1, 'MasterSingleReplicaDead', since)
        since = len(node.said())
        db2.start()
        wait_until(db3.replicates, 30, 'db3 to replicate again')
        wait_said(node, db2, 'NoProblem', since)
        wait_said(node, db1, 'NoProblem', since)

        since = len(node.said())
        db1.kill()
        took = wait_said(node, db1, 'DeadMaster', since)
        print(f'a dead master is known after {took:.2f} s')

        where = f'{db3.place.host}/{db3.port}'
        assert node.get(f'/api/tag/{where}/owner/anna')[0] == 200
        assert node.get(f'/api/begin-downtime/{where}/anna/disk')[0] == 200
        del house.extra['DiscoverySeeds']
        assert node.stop() == 0, node.child.tail()
        house.start()
        wait_until(lambda: '3 servers are known from the store' in node.said(), 20, 'the store to be read')
        assert 'anna' in node.get(f'/api/tags/{where}')[1], 'what was said is known again'
        assert '"IsDowntimed":true' in node.get(f'/api/instance/{where}')[1].replace(': ', ':')
        wait_until(lambda: node.metric('firstchair_fleet_looks_lost_total') > 0, 20, 'the dead one to be looked at')
        since = len(node.said())
        db1.start()
        text = node.said()[since:]
        wait_until(lambda: f'{db1.address}: DeadMaster -> ' in node.said()[since:], 30, f'db1, never seen by this process, to be back: {text}')
        assert node.metric('firstchair_fleet_servers') == 3
        assert PASSWORD not in node.said()
        assert all(server.alive() for server in servers)
