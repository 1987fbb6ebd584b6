"""A fleet that several nodes look at or read: what one of them is told, all of them know."""
import json

from stage import Raft, Shared, wait_until
from stage.client import Client
from stage.fleet import LOOKS, fleet_of


def client_of(node):
    return Client(f'http://{node.place.host}:{node.http_port}')


def others(house, node):
    return [one for one in house.nodes if one is not node]


def test_with_raft_a_server_that_one_node_is_told_of_is_looked_at_by_all_and_forgotten_by_all():
    """Each node looks for itself and has a store of its own; the log tells all of them. A node that was away hears of it when it is back."""
    with Raft(keys={**LOOKS, 'InstancePollSeconds': 1}) as house:
        db1, db2 = fleet_of(house.nest, {'db1': None, 'db2': 'db1'})
        house.start()
        leader = house.wait_leader()
        first, second = others(house, leader)
        both = sorted([db1.address, db2.address])
        assert client_of(first).run('discover', db2.address) == db2.address
        for node in house.nodes:
            wait_until(lambda node=node: client_of(node).run('all-instances') == both, 20, f'{node.name} to know both')

        second.stop()
        assert client_of(leader).run('forget-cluster', db1.address) == ''
        for node in (leader, first):
            wait_until(lambda node=node: client_of(node).run('all-instances') == [], 20, f'{node.name} to have forgotten both')
        second.start()
        wait_until(lambda: client_of(second).run('all-instances') == [], 20, 'who was away to forget both')
        status, body = second.get(f'/api/forget/{db1.place.host}/{db1.port}', 10)
        assert status == 500 and 'no known server' in json.loads(body)['Message'], body


def test_a_node_that_only_reads_a_shared_store_takes_what_people_say():
    """Downtime, tags and their kin go into the store from any node; who leads, and the reader itself, know them at once or within a poll."""
    with Shared(keys={**LOOKS, 'InstancePollSeconds': 1}) as house:
        db1, = fleet_of(house.nest, {'db1': None})
        house.start()
        leader = house.wait_leader()
        reader = others(house, leader)[0]
        assert client_of(leader).run('discover', db1.address) == db1.address
        wait_until(lambda: client_of(reader).run('all-instances') == [db1.address], 20, 'the reader to know it')
        assert client_of(reader).run('tag', db1.address, tag='role=main') == db1.address
        assert client_of(reader).run('begin-downtime', db1.address, owner='amy', reason='disk', duration='30m') == db1.address
        for node in (reader, leader):
            wait_until(lambda node=node: client_of(node).run('tags', db1.address) == ['role=main'], 20, f'{node.name} to know the tag')
            wait_until(lambda node=node: client_of(node).run('downtimed') == [db1.address], 20, f'{node.name} to know the downtime')
        status, body = reader.get(f'/api/refresh/{db1.place.host}/{db1.port}', 10)
        assert status == 500 and leader.name in json.loads(body)['Message'], 'to look at it is for who leads, who is named'
