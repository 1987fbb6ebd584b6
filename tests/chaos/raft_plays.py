"""What is done to raft's nodes in each play of raft.py. Each leaves everybody alive and the network whole."""
from collections import namedtuple

from cast import Order
from raft_disks import SNAPSHOT_ENTRIES, full_disk, lay_slow_disk, lay_small_disk, long_away, lost_tail, slow_disk, wiped
from stage import wait_until

# keys and prepare: what a house must have for it; with `prepare` the house is the play's own
Play = namedtuple('Play', 'meaning deed keys prepare', defaults=({}, None))
SHORT_LOG = {'RaftSnapshotEntries': SNAPSHOT_ENTRIES}


def nothing_special(_house):
    """A house of its own, because of its keys or of what is left behind."""



def without_leader(round, words, deed, undo):
    round.lose_leader(words, deed)
    round.stay(0.2, 2)
    undo()
    round.healed()


def without_follower(round, words, deed, undo):
    follower = round.followers[0]
    round.told(f'{words} {follower.name}')
    deed(follower)
    round.stay(0.5, 3)
    undo(follower)
    round.healed()


def kill(round):
    without_leader(round, 'kill', round.leader.kill, lambda: round.leader.start(wait=False))


def kill_follower(round):
    without_follower(round, 'kill', lambda node: node.kill(), lambda node: node.start(wait=False))


def freeze(round):
    without_leader(round, 'freeze', round.leader.freeze, round.leader.thaw)


def freeze_follower(round):
    without_follower(round, 'freeze', lambda node: node.freeze(), lambda node: node.thaw())


def isolate(round):
    without_leader(round, 'isolate', lambda: round.house.net.isolate(round.leader.name), round.house.net.heal)


def isolate_follower(round):
    """Who comes back with a wish to be elected disturbs nobody: the leader stays."""
    term = round.house.raft_status(round.leader)['Term']
    without_follower(round, 'isolate', lambda node: round.house.net.isolate(node.name), lambda node: round.house.net.heal())
    wait_until(lambda: round.house.raft_status(round.followers[0])['LeaderName'] != '', 30, 'the one that was cut off to follow')
    now = round.house.raft_status(round.leader)
    round.claim(round.leader.leads() and now['Term'] == term, f'{round.leader.name} led in term {term}; after {round.followers[0].name} '
                                                              f'came back {now["LeaderName"]} leads in term {now["Term"]}')


def cut(round):
    """The leader and one follower do not hear each other, or the one does not hear the other; both hear the rest."""
    follower, way = round.followers[0].name, round.chance.choice(('<>', '>', '<'))
    pair = (round.leader.name, follower) if way != '<' else (follower, round.leader.name)
    round.told(f'cut {round.leader.name} {way} {follower}')
    round.house.net.cut(*pair, one_way=way != '<>')
    round.stay(1, 4)
    round.healed()


def deaf(round):
    """The leader is heard by all and hears nobody."""
    def deed():
        for follower in round.followers:
            round.house.net.cut(follower.name, round.leader.name, one_way=True)
    without_leader(round, 'deafen', deed, round.house.net.heal)


def mute(round):
    """The leader hears all and is heard by nobody."""
    def deed():
        for follower in round.followers:
            round.house.net.cut(round.leader.name, follower.name, one_way=True)
    without_leader(round, 'silence', deed, round.house.net.heal)


def split(round):
    """A minority, with the leader or without it, apart from the rest."""
    few = len(round.house.nodes) // 2
    with_leader = round.chance.random() < 0.5
    minority = [round.leader, *round.followers][:few] if with_leader else round.followers[:few]
    rest = [node for node in round.house.nodes if node not in minority]

    def deed():
        for one in minority:
            for other in rest:
                round.house.net.cut(one.name, other.name)

    names = f'split {"+".join(node.name for node in minority)} |'
    if with_leader:
        without_leader(round, names, deed, round.house.net.heal)
        return
    round.told(f'{names} {"+".join(node.name for node in rest)}')
    deed()
    round.stay(1, 4)
    round.healed()


def restart_each(round):
    """One after the other, gracefully or not, the leader last."""
    for node in [*round.followers, round.leader]:
        deed = round.chance.choice(('stop', 'kill'))
        round.told(f'{deed} and start {node.name}')
        getattr(node, deed)()
        node.start(wait=False)
        wait_until(lambda: node.get('/api/raft-health')[0] == 200, 30, f'{node.name} to be healthy')
    round.healed()


def restart_all(round):
    round.told('kill all')
    for node in round.house.nodes:
        node.kill()
    round.stay(0, 1)
    round.chance.shuffle(round.house.nodes)
    for node in round.house.nodes:
        node.start(wait=False)
    round.house.nodes.sort(key=lambda node: node.name)
    round.healed()


def stop(round):
    """A graceful stop hands the lease over first."""
    round.lose_leader('stop', round.leader.child.ask_to_end, to='yield')
    code = round.leader.child.wait_end()
    round.claim(code == 0, f'{round.leader.name} ended with {code}')
    round.leader.start(wait=False)
    round.healed()


def hand_over(round):
    named = round.chance.choice((None, *round.followers))
    order = []
    words = f'yield to {named.name}' if named else 'yield'
    round.lose_leader(words, lambda: order.append(Order(round.leader, words)), to='yield')
    round.claim(order[0].end() == 'ok', f'{words}: {order[0].code} {order[0].text}')
    round.healed()


PLAYS = {
    'kill': Play('the leader is killed and started again', kill),
    'kill-follower': Play('a follower is killed and started again', kill_follower),
    'freeze': Play('the leader is stopped by SIGSTOP until another leads', freeze),
    'freeze-follower': Play('a follower is stopped by SIGSTOP for a while', freeze_follower),
    'isolate': Play('the leader hears nobody and is heard by nobody', isolate),
    'isolate-follower': Play('a follower is cut off; back again, it disturbs nobody', isolate_follower),
    'cut': Play('the leader and one follower are cut from each other, or one way', cut),
    'deaf': Play('the leader hears nobody', deaf),
    'mute': Play('the leader is heard by nobody', mute),
    'split': Play('a minority is cut off, with the leader or without', split),
    'restart-each': Play('each node is restarted in turn', restart_each),
    'restart-all': Play('all are killed at once and started in any order', restart_all),
    'stop': Play('the leader is stopped gracefully', stop),
    'yield': Play('the leader yields, to a named node or to whoever is best', hand_over),
    'long-away': Play('a follower is away until its log is cut', long_away, SHORT_LOG, nothing_special),
    'wiped': Play('a follower has lost its directory, and is given it back', wiped),
    'full-disk': Play('a node has no room for its log', full_disk, SHORT_LOG, lay_small_disk),
    'slow-disk': Play('a node needs 5 s for each write that is to last', slow_disk, {}, lay_slow_disk),
    'lost-tail': Play('all are killed, and a disk has lost the end of a log', lost_tail),
}
