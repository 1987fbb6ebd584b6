"""The home mode on hosts of its own in a network that is cut: what arrives late, who comes back first. Those with hosts need root; skipped elsewhere."""
import threading
import time

from stage import Home, StageFailure, limit, stays, wait_until
from stage.relayed import RelayedHome

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


def is_left_alone(home, node):
    """db1 sits for every other node, it alone is open, and `node` does not lead."""
    others = [one for one in home.nodes if one is not node]
    return ({one.seated() for one in others} == {'db1'} and not home.pair['db1'].is_read_only() and home.pair['db2'].is_read_only()
            and node not in home.leaders())


@limit(120)
def test_what_the_leader_alone_does_not_reach_stays_seated_and_another_node_leads():
    """A firewall resets the leader alone, then the next leader's link is cut: each time db1 stays seated and open, db2 is never opened, and
    a node that sees db1 leads. A client writes through HAProxy all the while."""
    with Home(proxies=1, is_apart=True).start() as home:
        writer = home.writer().start()
        for hinder in (home.net.refuse, home.net.cut):
            home.wait_seated('db1')
            leader = home.wait_leader()
            hinder(leader.name, 'db1')
            home.wait_leader(30, other_than=leader)
            stays(lambda leader=leader: is_left_alone(home, leader), 3, 'db1 to sit, and another node to lead', every=0.1)
            home.net.heal()
            wait_until(lambda leader=leader: leader.seated() == 'db1', 20, 'the old leader to see db1 again')
        writer.stop()
        written = writer.acknowledged()
        assert written and {int(write.server_id) for write in written} == {1}, written[:3]


def row(server):
    """The deciding row as it stands there: (epoch, phase, who sits by it)."""
    stands = server.rows("SELECT epoch, phase, server FROM firstchair.firstchair_decision WHERE name='lease'")[0]
    return int(stands['epoch']), stands['phase'], stands['server']


def deny_store(server):
    """Its account is refused from now on, also where it had a session."""
    server.execute(f"SET SESSION sql_log_bin=0; ALTER USER store@'{server.place.accounts}' ACCOUNT LOCK")
    for row in server.rows("SELECT id FROM information_schema.processlist WHERE user='store'"):
        try:
            server.execute(f"KILL {row['id']}")
        except StageFailure:
            continue                                                  # it has gone by itself


@limit(120)
def test_an_opening_that_arrives_after_a_fence_is_refused_by_the_fenced_server():
    """A leader has claimed db2 and sleeps with its opening on the way; the pair is cut. The next one reaches db2 with its fence account
    only, fences it and seats db1. The opening arrives: db2 has executed it and is closed, for its row is that of the fence."""
    with RelayedHome(proxies=1, keys={'BackendProbeTimeoutMilliseconds': 700}).start() as home:
        db2, leader, held = home.pair['db2'], home.wait_leader(), threading.Event()
        others = [node for node in home.nodes if node is not leader]
        db2.execute("SET GLOBAL log_output='TABLE', general_log=1")
        home.hold([(leader.name, 'db2')], b'read_only = not exists', lambda: (leader.freeze(), held.set()))
        order = threading.Thread(target=leader.ctl, args=('switch', POOL, 'db2'), kwargs={'timeout': 110}, daemon=True)
        order.start()
        wait_until(held.is_set, 20, 'db2 to be claimed and its opening to be on the way')
        wait_until(lambda: row(home.pair['db1']) == row(db2), 10, 'the claim to be on both')
        claimed = row(db2)
        assert claimed[1] == 'seated', claimed
        home.cut([('db1', 'db2'), ('db2', 'db1')])
        deny_store(db2)
        wait_until(lambda: {node.seated() for node in others} == {'db1'}, 40, 'db1 to sit, for the nodes that are left')
        wait_until(lambda: not home.pair['db1'].is_read_only() and home.views()['lb1'] == ['db1'], 20, 'db1 to be used')
        assert row(db2)[0] > claimed[0] and row(db2)[1] == 'moving', (claimed, row(db2))
        home.heal([(leader.name, 'db2')])
        wait_until(lambda: int(db2.value("SELECT COUNT(*) FROM mysql.general_log WHERE argument LIKE '%read_only = not exists%' "
                                         "AND user_host LIKE '%fence%'")) > 0, 10, 'db2 to execute the late opening')
        stays(lambda: db2.is_read_only(), 1, 'db2 stays closed')
        leader.thaw()
        db2.execute(f"SET SESSION sql_log_bin=0; ALTER USER store@'{db2.place.accounts}' ACCOUNT UNLOCK")
        home.heal()
        home.wait_seated('db1')
        order.join(30)
