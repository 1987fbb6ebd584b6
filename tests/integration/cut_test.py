"""The home mode on hosts of its own in a network that is cut: what arrives late, who comes back first. Needs root; skipped elsewhere."""
import time

from stage import Home, limit, stays, wait_until

POOL = 'fc_backend'


@limit(150)
def test_a_fence_that_was_on_its_way_in_a_cut_does_not_close_the_server_afterwards():
    """db1 is cut off and fenced in vain; healed and seated again it stays open: no fence of then arrives late."""
    with Home(proxies=2, is_apart=True).start() as home:
        leader = home.wait_leader()
        home.net.isolate('db1')
        began = time.monotonic()
        wait_until(lambda: leader.seated() == 'db2', 40, 'db2 to sit')
        time.sleep(max(0, 15.5 - (time.monotonic() - began)))      # what waits to be sent again is now due long after the heal
        home.net.heal()
        home.wait_seated('db2')
        home.pair.wait_level()
        leader.order('switch', POOL, 'db1')
        home.wait_seated('db1')
        epoch = leader.pool()['epoch']
        stays(lambda: not home.pair['db1'].is_read_only(), 14, 'db1 is open', every=0.1)
        assert leader.pool()['epoch'] == epoch, leader.get('/api/steering/events')[1][-800:]


@limit(150)
def test_a_leader_that_was_cut_off_with_the_old_server_does_not_take_the_chair_back():
    """db1 is cut off, then its leader in the midst of the move, and db2 is seated; the leader comes back and sees db1 first: db2 stays."""
    with Home(proxies=2, is_apart=True).start() as home:
        old_leader = home.wait_leader()
        others = [node for node in home.nodes if node is not old_leader]
        home.net.isolate('db1')
        wait_until(lambda: old_leader.pool()['move_step'] in ('fence', 'wait'), 20, 'the leader to move the chair')
        home.net.isolate(old_leader.name)
        wait_until(lambda: {node.seated() for node in others} == {'db2'}, 40, 'db2 to sit, for the nodes that are left')
        stays(lambda: {node.seated() for node in others} == {'db2'}, 3, 'db2 sits', every=0.2)
        home.net.heal()
        home.net.cut(old_leader.name, 'db2')                        # of the two servers it sees db1 first
        time.sleep(1.5)
        home.net.heal()
        wait_until(lambda: old_leader.seated() == 'db2', 20, 'the old leader to hear who sits')
        stays(lambda: {node.seated() for node in home.nodes} == {'db2'}, 5, 'db2 keeps the chair', every=0.2)
        home.wait_seated('db2')
