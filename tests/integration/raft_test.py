"""Nodes that agree by raft, each with a store of its own: one leads, what is decided is on all of them, and members come and go."""
import json
import shutil
import threading
import time

from stage import Raft, StageFailure, limit, run_firstchair, stays, wait_until


class Watch:
    """Asks every node again and again whether it leads: two that say so at one moment are two leaders."""

    def __init__(self, house):
        self.house, self.over, self.two, self.looks = house, threading.Event(), [], 0
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def run(self):
        while not self.over.wait(0.01):
            begun = [node for node in self.house.nodes if self.says(node)]
            # Asked one after the other: only who says so before and after the others were asked led all the time.
            still = [node.name for node in begun if self.says(node)] if len(begun) > 1 else []
            if len(still) > 1 and all(self.says(node) for node in begun):
                self.two.append(still)
            self.looks += 1

    @staticmethod
    def says(node):
        try:
            return node.alive() and node.leads(timeout=0.3)
        except (OSError, ValueError):
            return False

    def check(self):
        assert self.looks > 0, 'nobody was ever asked whether he leads'
        assert not self.two, f'two led at one moment: {self.two[:3]} in {self.looks} looks'


def ordered(node, *words):
    """The order, given again while the node says that it was not done: who has just started may not know the leader yet."""
    def done():
        code, text = node.ctl(*words)
        if code != 0:
            raise StageFailure(f"{node.name}: {' '.join(words)}: {code} {text}")
        return True
    wait_until(done, 30, f"'{' '.join(words)}' to be done", every=0.1)


def raft(node, what='status'):
    return json.loads(node.get(f'/api/raft-{what}')[1])


@limit(120)
def test_what_is_decided_is_on_every_node():
    """Orders to each node; the leader killed and started again meanwhile: every answered one stands on all three, row by row."""
    with Raft().start() as house, Watch(house) as watch:
        first = house.wait_leader()
        for node in house.followers():
            ordered(node, 'yield')
            house.wait_leader()
        leader = house.wait_leader()
        leader.kill()
        began = time.monotonic()
        successor = house.wait_leader(other_than=leader)
        print(f'{successor.name} leads {time.monotonic() - began:.2f} s after the kill; {first.name} was the first')
        other = next(node for node in house.followers() if node is not leader)
        ordered(other, 'yield')
        leader.start()
        house.wait_leader()
        house.wait_same()
        done = [row for row in house.rows(leader, 'firstchair_order') if row[1] == 'done']
        assert done, 'an order of a follower went through the log'      # who had come to lead meanwhile did it without one
        watch.check()


@limit(120)
def test_a_frozen_leader_leads_no_more_when_it_wakes():
    """SIGSTOP for longer than an election: another leads; the old one, awake, never says that it leads."""
    with Raft().start() as house, Watch(house) as watch:
        leader = house.wait_leader()
        leader.freeze()
        successor = house.wait_leader(other_than=leader, bound=20)
        leader.thaw()
        wait_until(lambda: raft(leader)['LeaderName'] not in ('', leader.name), 15, 'the old leader to follow')
        wait_until(lambda: len(house.leaders()) == 1, 10, 'one leader')
        print(f'{leader.name} froze, {successor.name} led')
        watch.check()


@limit(120)
def test_a_yield_to_a_named_node_is_quick():
    """The named one leads; health and leader-check of all three agree with raft."""
    with Raft().start() as house:
        leader = house.wait_leader()
        named = house.followers()[0]
        began = time.monotonic()
        ordered(leader, 'yield', 'to', named.name)
        wait_until(named.leads, 10, f'{named.name} to lead', every=0.005)
        print(f'{(time.monotonic() - began) * 1000:.0f} ms from the order to the named leader')
        wait_until(lambda: {raft(node, 'leader') for node in house.nodes} == {raft(named)['RaftAdvertise']}, 10, 'all to know it')
        wait_until(lambda: all(node.get('/api/raft-health')[0] == 200 for node in house.nodes), 10, 'all to be healthy')
        assert [node for node in house.nodes if node.leads()] == [named]
        metrics = named.get('/metrics')[1]
        assert 'firstchair_peer_streams_total{what="accepted"}' in metrics, metrics
        code, text = named.ctl('yield', 'nobody')
        assert code != 0 and 'the group has no voter of this name' in text, text


@limit(120)
def test_without_a_majority_nobody_leads_and_an_emptied_node_stays_out():
    """Two of three killed: no leader, health says so. One comes back without its directory: it says why it takes no part."""
    with Raft().start() as house:
        leader = house.wait_leader()
        leader.ctl('yield')
        keeper, lost, late = house.nodes
        wait_until(lambda: raft(keeper)['AppliedIndex'] > 2, 10, 'something to be decided')
        lost.kill()
        late.kill()
        wait_until(lambda: not house.leaders(), 10, 'nobody to lead')
        wait_until(lambda: keeper.get('/api/raft-health')[0] == 500, 10, 'raft-health to say so')
        stays(lambda: not house.leaders(), 1.5, 'nobody leads')
        shutil.rmtree(house.folder(lost))
        lost.start()
        wait_until(lambda: 'its data directory is empty' in raft(lost)['Why'], 15, 'the emptied node to say why')
        stays(lambda: not house.leaders(), 1, 'nobody leads by its vote')
        late.start()
        wait_until(lambda: len(house.leaders()) == 1, 20, 'the two that remember to agree')
        if house.leaders()[0] is lost:
            raise StageFailure('the node that forgot leads')


class Orders:
    """An order that changes nothing, given at one node after the other: it goes through the log, and stands in every store."""

    def __init__(self, house):
        self.house, self.over, self.done = house, threading.Event(), 0
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def run(self):
        while not self.over.wait(0.4) and self.done < 50:      # fewer than a newcomer is given of closed ones
            for node in self.house.founders:
                if node.alive():
                    self.done += node.ctl('yield', 'from', 'nobody')[0] == 0


def changed(house, *words):
    """A change of the members, ordered at some living node; again while leadership moves."""
    ordered(next(node for node in house.nodes if node.alive() and raft(node)['LeaderName']), *words)


def roles(node):
    return {member['Name']: member['Role'] for member in raft(node)['Members']}


@limit(120)
def test_members_come_and_go_while_orders_flow():
    """A fourth is added, learns and votes; a dead one is removed, and comes back wiped under its name. All rows are the same everywhere."""
    with Raft(4, founders=3).start() as house, Watch(house) as watch:
        with Orders(house) as orders:
            newcomer = house.nodes[3]
            newcomer.start()
            place = house.peer_place(newcomer)
            changed(house, 'raft-add', f'{newcomer.name}@{place}')
            assert roles(house.leaders()[0])[newcomer.name] == 'learner'
            changed(house, 'raft-promote', newcomer.name)
            wait_until(lambda: roles(newcomer).get(newcomer.name) == 'voter', 15, 'the newcomer to know that it votes')

            lost = next(node for node in house.followers() if node is not newcomer)
            lost.kill()
            shutil.rmtree(house.folder(lost))
            lost.start()
            wait_until(lambda: 'its data directory is empty' in raft(lost)['Why'], 15, 'the emptied node to say why it takes no part')
            changed(house, 'raft-remove', lost.name)
            changed(house, 'raft-add', f'{lost.name}@{house.peer_place(lost)}')
            changed(house, 'raft-promote', lost.name)
            wait_until(lambda: all(roles(node) == dict.fromkeys(('fc1', 'fc2', 'fc3', 'fc4'), 'voter') for node in house.nodes), 15, 'all to vote')
        leader = house.wait_leader()
        code, text = leader.ctl('raft-remove', leader.name)
        assert code != 0 and 'leads: `yield` first' in text, text
        assert orders.done > 3, 'orders were answered meanwhile'
        house.wait_same()
        print(f'{orders.done} orders were answered while members changed')
        watch.check()


@limit(120)
def test_a_kept_state_becomes_a_new_group():
    """raft-backup of a running node; every directory lost; raft-restore on one node, and the others are taken in by orders."""
    with Raft(3).start() as house:
        first, second, _third = house.nodes
        ordered(house.followers()[0], 'yield')
        house.wait_leader()
        kept = house.nest.file('kept')
        house.wait_same()
        ordered(first, '--to', kept, 'raft-backup')
        before = house.rows(first, 'firstchair_history')
        house.wait_same()                           # what is written behind the kept state and by one node only would be in its store alone
        for node in house.nodes:
            node.kill()
            shutil.rmtree(house.folder(node))
        code, text, errors = run_firstchair('raft-restore', '--config', first.config, '--from', kept)
        assert code == 0 and 'a new group of fc1 alone' in text, (code, text, errors)
        code, _, errors = run_firstchair('raft-restore', '--config', first.config, '--from', kept)
        assert code != 0 and 'is not empty' in errors, errors
        first.start()
        wait_until(first.leads, 20, 'the restored node to lead alone')
        second.start()
        changed(house, 'raft-add', f'{second.name}@{house.peer_place(second)}')
        changed(house, 'raft-promote', second.name)
        wait_until(lambda: roles(second) == {'fc1': 'voter', 'fc2': 'voter'}, 15, 'two to vote')
        house.wait_same()
        assert set(before) <= set(house.rows(second, 'firstchair_history'))
