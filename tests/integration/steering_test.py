"""The home mode on real servers: who sits, who leads, and what the writing clients notice. Judged by binlogs and by the clients."""
import time

from stage import Home, Judgement, StageFailure, limit, stays, wait_until
from stage.traffic import gap_ms

POOL = 'fc_backend'


def judge(home, writers, holder=None):
    """Stops the writers, waits until both servers are level, and lets the servers tell."""
    for writer in writers:
        writer.stop()
    home.pair.wait_level()
    judgement = Judgement(home.pair, writers, holder)
    print(judgement)
    return judgement


def nothing_lost_or_doubled(judgement):
    if judgement.lost or judgement.doubled or judgement.only_on_one_side:
        raise StageFailure(f'{judgement}; lost {judgement.lost[:5]}, doubled {judgement.doubled[:5]}, '
                           f'on one side {judgement.only_on_one_side[:5]}')


def test_three_nodes_come_up_and_db1_sits():
    """From nothing: db1 is opened, db2 stays read-only, exactly one node leads, HAProxy sends writers to db1."""
    with Home(proxies=2).start() as home:
        stays(lambda: len(home.leaders()) == 1, 2, 'exactly one node leads')
        writer = home.writer().start()
        writer.wait_writes(server_id=1, count=50)
        assert home.pair['db2'].is_read_only()
        nothing_lost_or_doubled(judge(home, [writer]))
        assert not home.pair['db2'].wrote()


def test_a_planned_switch_loses_and_doubles_nothing():
    """`switch` under writing clients, persistent and fresh, through both HAProxies: nothing lost, nothing doubled, no overlap."""
    with Home(proxies=2).start() as home:
        writers = [home.writer('persistent', 0, interval_ms=4, retry_unknown=True).start(),
                   home.writer('fresh', 1, interval_ms=10, fresh=True, retry_unknown=True).start()]
        for writer in writers:
            writer.wait_writes(server_id=1, count=20)
        print(home.nodes[0].order('switch', POOL, 'db2'))
        for writer in writers:
            writer.wait_writes(server_id=2, count=50)
        home.wait_seated('db2')
        print(f'gap: {[round(gap_ms(writer.writes())) for writer in writers]} ms')
        judgement = judge(home, writers)
        nothing_lost_or_doubled(judgement)
        if judgement.overlap_ms() > 0:
            raise StageFailure(f'db1 took a write sent {judgement.overlap_ms():.1f} ms after the first one that db2 took')


def test_switch_there_and_back():
    """Two switches: the chair is back on db1, at a higher epoch each time."""
    with Home().start() as home:
        epochs = [home.nodes[0].pool()['epoch']]
        for name in ('db2', 'db1'):
            time.sleep(3.2)                                # ChairDwellMilliseconds: a chair rests a while between two moves
            home.nodes[0].order('switch', POOL, name)
            home.wait_seated(name)
            epochs.append(home.nodes[0].pool()['epoch'])
        assert epochs == sorted(set(epochs)), epochs


def test_the_seated_master_is_killed():
    """SIGKILL: db2 sits within seconds, nothing acknowledged is lost; db1 comes back second and read-only."""
    with Home().start() as home:
        writer = home.writer(interval_ms=10).start()
        writer.wait_writes(server_id=1, count=50)
        home.pair['db1'].kill()
        writer.wait_writes(server_id=2, count=50)
        print(f'gap {gap_ms(writer.writes()):.0f} ms')
        home.wait_seated('db2')
        home.pair['db1'].start()
        wait_until(home.pair.replicates, 20, 'db1 to replicate again')
        assert home.pair['db1'].is_read_only()
        stays(lambda: home.nodes[0].seated() == 'db2', 3, 'db2 keeps the chair')
        judgement = judge(home, [writer], home.pair['db2'])
        assert not judgement.doubled, str(judgement)


def uptime(proxy):
    return int(next(line.split()[1] for line in proxy.ask('show info').splitlines() if line.startswith('Uptime_sec:')))


def test_the_seated_master_is_frozen():
    """SIGSTOP: when both HAProxies, not reloaded lately, show that they have heard, db2 sits; awake, db1 is fenced at once."""
    with Home(proxies=2).start() as home:
        writer = home.writer(interval_ms=10).start()
        writer.wait_writes(server_id=1, count=50)
        wait_until(lambda: all(uptime(proxy) > 12 for proxy in home.proxies), 30, 'the HAProxies to be older than what a reload leaves')
        home.pair['db1'].freeze()
        writer.wait_writes(server_id=2, count=50, bound=11)    # the whole wait would take more than 15 s
        home.pair['db1'].thaw()
        wait_until(home.pair['db1'].is_read_only, 10, 'db1 to be fenced after it woke up')
        home.wait_seated('db2')
        judgement = judge(home, [writer], home.pair['db2'])
        assert not judgement.doubled, str(judgement)


def test_the_leader_is_killed_and_traffic_goes_on():
    """SIGKILL of the leading node: another leads, db1 keeps the chair, no write fails."""
    leader_leaves(lambda leader: leader.kill())


def test_the_leader_is_frozen_and_traffic_goes_on():
    """SIGSTOP of the leading node: another leads; awake again it does not lead beside it."""
    leader_leaves(lambda leader: leader.freeze(), lambda leader: leader.thaw())


def test_the_leader_is_stopped_and_gives_its_lease_back():
    """SIGTERM: it gives the lease back, another leads sooner than a lease would take to end, the exit code is 0."""
    def stop(leader):
        assert leader.stop() == 0
    leader_leaves(stop, bound=1.8)


def leader_leaves(leave, return_=None, bound=10):
    with Home().start() as home:
        writer = home.writer(interval_ms=5).start()
        writer.wait_writes(server_id=1, count=50)
        leader = home.wait_leader()
        leave(leader)
        began = time.monotonic()
        successor = home.wait_leader(bound, other_than=leader)
        print(f'{successor.name} leads after {time.monotonic() - began:.2f} s')
        if return_:
            return_(leader)
            wait_until(lambda: home.leaders() == [successor], 5, f'only {successor.name} to lead')
        stays(lambda: len(home.leaders()) == 1, 2, 'exactly one node leads')
        writer.wait_writes(server_id=1, count=50)
        broken = [write for write in writer.stop() if write.verdict not in ('ok', 'session')]
        assert not broken, f'traffic was disturbed: {broken[:3]}'
        assert home.nodes[0 if home.nodes[0] is not leader else 1].seated() == 'db1'


def test_a_follower_takes_an_order():
    """An order given to a node that does not lead is carried out by the one that does; the follower tells the end."""
    with Home().start() as home:
        follower = home.followers()[0]
        follower.order('switch', POOL, 'db2')
        home.wait_seated('db2')


def test_maint_on_the_seated_server_is_refused():
    """It has no successor named: one sentence, an exit code, and nothing changes."""
    with Home().start() as home:
        code, text = home.nodes[0].ctl('maint', f'{POOL}/db1')
        assert code != 0 and text, (code, text)
        assert 'switch' in text, f'the refusal does not say what to do: {text}'
        stays(lambda: home.nodes[0].seated() == 'db1', 1, 'db1 sits')


def test_maint_on_the_second_holds_it_and_ready_frees_it():
    """A switch to a held server is refused; after `ready` it is done. A hold is known to every node."""
    with Home().start() as home:
        home.nodes[0].order('maint', f'{POOL}/db2', 'because', 'disk', 'change')

        def held(node):
            return {one['name']: one['hold'] for one in node.pool()['servers']}['db2'] == 'maint'
        wait_until(lambda: all(held(node) for node in home.nodes), 10, 'every node to know the hold')
        code, text = home.nodes[0].ctl('switch', POOL, 'db2')
        assert code != 0, text
        home.nodes[0].order('ready', f'{POOL}/db2')
        home.nodes[0].order('switch', POOL, 'db2')
        home.wait_seated('db2')


def test_a_paused_pool_is_left_alone():
    """`pause`: the seated master dies and nobody is moved; `resume`: db2 sits."""
    with Home().start() as home:
        home.nodes[0].order('pause', POOL)
        wait_until(lambda: all(node.pool()['is_paused'] for node in home.nodes), 10, 'every node to know the pause')
        stays(lambda: home.views()['lb1'] == ['db1'], 3, 'HAProxy keeps db1')
        home.pair['db1'].kill()
        stays(home.pair['db2'].is_read_only, 3, 'db2 stays closed')
        home.nodes[0].order('resume', POOL)
        home.wait_seated('db2')


def test_an_unknown_name_is_one_clear_error():
    """Unknown pool, server and verb: an exit code other than 0 and one line that names what was not understood."""
    with Home().start() as home:
        for words, name in ((('switch', 'no_such_pool', 'db2'), 'no_such_pool'), (('switch', POOL, 'db9'), 'db9'),
                            (('swich', POOL, 'db2'), 'swich')):
            code, text = home.nodes[0].ctl(*words)
            assert code != 0 and name in text, (words, code, text)
            assert len(text.splitlines()) <= 2, text


@limit(120)
def test_all_nodes_killed_and_started_again():
    """Without any node traffic is cut by the token check (nobody renews the promise); started again, db1 sits as before."""
    with Home().start() as home:
        writer = home.writer(interval_ms=20).start()
        writer.wait_writes(server_id=1)
        for node in home.nodes:
            node.kill()
        wait_until(lambda: home.views()['lb1'] == [], 10, 'HAProxy to use nobody')
        for node in home.nodes:
            node.start(wait=False)
        home.wait_seated('db1')
        writer.wait_writes(server_id=1)
        nothing_lost_or_doubled(judge(home, [writer]))


def test_a_server_that_starts_writable_is_fenced():
    """db2 is opened behind our back: it is closed again within a second or so, and db1 keeps the chair."""
    with Home().start() as home:
        home.pair['db2'].execute('SET GLOBAL read_only=0')
        wait_until(home.pair['db2'].is_read_only, 10, 'db2 to be fenced')
        home.wait_seated('db1')


@limit(150)
def test_all_is_restarted_without_memory():
    """Nodes and databases killed together and started again: somebody sits, exactly one leads, nothing acknowledged is lost."""
    with Home().start() as home:
        writer = home.writer(interval_ms=20).start()
        writer.wait_writes(server_id=1)
        for one in [*home.nodes, *home.pair.servers]:
            one.kill()
        for server in home.pair.servers:
            server.start()
        for node in home.nodes:
            node.start(wait=False)
        wait_until(lambda: len(home.leaders()) == 1 and len(home.pair.writable()) == 1, 40, 'one to lead and one to sit')
        writer.wait_writes(bound=30)
        writer.stop()
        home.pair.wait_level()
        judgement = Judgement(home.pair, [writer])
        assert not judgement.lost and not judgement.doubled, str(judgement)


def test_a_node_alone_believes_a_refusal_that_the_other_server_met_too():
    """One node, nobody else to ask: db2's replication says that db1 refuses it, so a killed db1 is gone at once, and waited for by nobody."""
    with Home(nodes=1).start() as home:
        home.pair['db1'].kill()
        home.wait_seated('db2')
        assert '(gone, ' in home.nodes[0].order('history', '20', POOL), home.nodes[0].order('history', '20', POOL)
