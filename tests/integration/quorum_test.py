"""A pair whose chair is decided by raft's log: on real servers, through real HAProxies, judged by the binlogs. Those with hosts of their
own need root; skipped elsewhere."""
import time

from stage import Home, Judgement, StageFailure, limit, stays, wait_until
from stage.traffic import gap_ms

POOL = 'fc_backend'


def well(home, writers, holder=None):
    """The writers are stopped, the servers level: nothing lost by a move that was planned, nothing doubled, no write of the one after the
    first of the other."""
    for writer in writers:
        writer.stop()
    home.pair.wait_level()
    judgement = Judgement(home.pair, writers, holder)
    print(judgement)
    if judgement.doubled or judgement.lost or judgement.only_on_one_side:
        raise StageFailure(f'{judgement}; lost {judgement.lost[:5]}, doubled {judgement.doubled[:5]}')
    return judgement


def test_a_switch_then_the_leader_then_the_seated_server_is_killed():
    """`switch` under clients loses and doubles nothing; the leading node is killed: another leads and the chair stays; then the seated
    server: the other one sits. Its row names the epoch of raft's leader."""
    with Home(proxies=2, is_quorum=True).start() as home:
        writers = [home.writer('persistent', 0, interval_ms=4, retry_unknown=True).start(),
                   home.writer('fresh', 1, interval_ms=10, fresh=True, retry_unknown=True).start()]
        for writer in writers:
            writer.wait_writes(server_id=1, count=20)
        print(home.nodes[0].order('switch', POOL, 'db2'))
        for writer in writers:
            writer.wait_writes(server_id=2, count=20)
        home.wait_seated('db2')
        leader = home.wait_leader()
        epoch = leader.pool()['epoch']
        leader.kill()
        began = time.monotonic()
        successor = home.wait_leader(10, other_than=leader)
        print(f'{successor.name} leads after {time.monotonic() - began:.2f} s')
        wait_until(lambda: successor.pool()['epoch'] > epoch, 5, 'the successor to have a row of its own')
        stays(lambda: successor.seated() == 'db2', 1, 'db2 keeps the chair')
        judgement = well(home, writers)
        if judgement.overlap_ms() > 0:
            raise StageFailure(f'db1 took a write sent {judgement.overlap_ms():.1f} ms after the first one that db2 took')
        leader.start()
        writer = home.writer('later', 0, interval_ms=5).start()
        writer.wait_writes(server_id=2, count=20)
        home.pair['db2'].kill()
        writer.wait_writes(server_id=1, count=20)
        print(f'the seated server killed: gap {gap_ms(writer.writes()):.0f} ms')
        home.wait_seated('db1')
        home.pair['db2'].start()
        wait_until(home.pair.replicates, 20, 'db2 to replicate again')
        assert home.pair['db2'].is_read_only()


def test_without_a_majority_nobody_sits_and_with_it_all_is_as_before():
    """Two of three nodes are killed: the one that is left falls silent, both servers are well and used by nobody. One comes back: db1 sits,
    and nothing needs a restart."""
    with Home(is_quorum=True).start() as home:
        proxy = home.proxies[0]
        last = home.followers()[0]
        for node in home.nodes:
            if node is not last:
                node.kill()
        wait_until(lambda: home.views()[proxy.name] == [], 10, 'HAProxy to be told that nobody sits')
        stays(lambda: home.views()[proxy.name] == [] and not last.leads(), 2, 'nobody leads and nobody sits')
        assert not home.pair['db1'].is_read_only() and home.pair['db2'].is_read_only()
        next(node for node in home.nodes if node is not last).start()
        wait_until(lambda: home.views()[proxy.name] == ['db1'], 20, 'db1 to be used again')
        writer = home.writer().start()
        writer.wait_writes(server_id=1, count=10)
        well(home, [writer])


def halves(home, here, there):
    for one in here:
        for other in there:
            home.net.cut(one, other)


@limit(150)
def test_of_two_halves_the_one_with_a_majority_goes_on():
    """db1, a node and an HAProxy here; db2, two nodes and an HAProxy there; clients reach both halves. Here HAProxy closes before there it
    opens; no client writes to db1 after the first one wrote to db2, though db1 was open and its node alive all the while. Healed, db1 is
    closed, level, and nothing is in both logs that collides."""
    with Home(proxies=2, is_apart=True, is_quorum=True).start() as home:
        leader = home.wait_leader()
        far = [node.name for node in home.nodes if node is not leader]
        writers = [home.writer('here', 0, interval_ms=5).start(), home.writer('there', 1, interval_ms=5).start()]
        for writer in writers:
            writer.wait_writes(server_id=1, count=20)
        halves(home, ['db1', leader.name, 'lb1'], ['db2', *far, 'lb2'])
        began = time.monotonic()
        wait_until(lambda: home.views()['lb1'] == [], 15, 'the HAProxy of the smaller half to close')
        print(f'closed here after {time.monotonic() - began:.1f} s')
        assert not home.pair['db1'].is_read_only()
        writers[1].wait_writes(server_id=2, count=20, bound=40)
        print(f'open there after {time.monotonic() - began:.1f} s')
        stays(lambda: home.views()['lb1'] == [] and not leader.leads(), 3, 'the smaller half leads nothing and uses nothing')
        home.net.heal()
        home.wait_seated('db2')
        wait_until(home.pair['db1'].is_read_only, 10, 'db1 to be fenced')
        for writer in writers:
            writer.wait_writes(server_id=2, count=20)
        for writer in writers:
            writer.stop()
        home.pair.wait_level()
        judgement = Judgement(home.pair, writers, home.pair['db2'])
        print(judgement)
        assert not judgement.doubled, str(judgement)
        if judgement.overlap_ms() > 0:
            raise StageFailure(f'db1 took a write sent {judgement.overlap_ms():.1f} ms after the first one that db2 took')
