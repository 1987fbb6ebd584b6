"""When the nodes die, freeze or talk nonsense: spec/haproxy-agent-check.md 2.1 and 8, for the printed file, by stand-ins; and real
nodes that are killed and frozen. db1 sits. The bound on which the unfenced wait rests is measured here.
"""
import time

from stage import Front, Home, StageFailure, limit, stays, wait_until
from stage.home import POOL
from stage.standins import SILENT, spoken

INTER, FALL, TIMEOUT = 0.3, 5, 0.1                         # the token check's default keys, seconds
BOUND = FALL * (INTER + TIMEOUT) + INTER
PATIENCE = (FALL - 1) * INTER                              # so long nothing may be cut
SLACK = 0.7                                                # of a loaded machine


class Seated:
    """db1 sits, a session stands, visitors come and go; db2 must not be reached by anybody."""

    def __init__(self, keys=None):
        self.front = Front(keys=keys)

    def __enter__(self):
        front = self.front.__enter__()
        front.seat('db1')
        front.start().wait_patient('db1')
        self.session, self.visitors = front.session(), front.visitors()
        self.visitors.wait_name('db1', count=20)
        return self

    def __exit__(self, kind, *rest):
        try:
            if kind is None:
                self.visitors.stop()
                if self.front.servers['db2'].visited():
                    raise StageFailure('somebody reached db2, which does not sit')
        finally:
            self.front.__exit__(kind, *rest)

    def undisturbed(self, seconds):
        """The session lives and nobody is turned away."""
        since = time.monotonic()
        stays(lambda: self.session.ended is None and not self.visitors.names(since)[None], seconds, 'the session lives, all get in')
        self.visitors.wait_name('db1', since, 20)

    def is_cut(self, trouble):
        """`trouble` begins; how long until the session was ended. Within the bound, and not before patience is over."""
        began = time.monotonic()
        trouble()
        wait_until(lambda: self.session.ended, 10, 'the session to be ended')
        took = self.session.ended - began
        print(f'cut after {took:.2f} s; bound {BOUND:.2f} s, patience {PATIENCE:.2f} s')
        if not PATIENCE * 0.95 < took < BOUND + SLACK:
            raise StageFailure(f'the session was cut after {took:.2f} s; between {PATIENCE} and {BOUND} s is promised')
        wait_until(lambda: self.front.proxy.usable(POOL) == [], 2, 'nobody to be usable')

    def is_back(self, mend):
        """The cause is gone; how long until a new connection is in."""
        began = time.monotonic()
        mend()
        self.visitors.wait_name('db1', began)
        first = min(visit.ended for visit in self.visitors.seen if visit.began >= began and visit.name == 'db1') - began
        print(f'first connection {first * 1000:.0f} ms after they are back')
        if first > 2 * (INTER + TIMEOUT) + SLACK:
            raise StageFailure(f'the first connection came {first:.2f} s after the nodes were back')


# ---- the token check ----

def test_the_token_check_cuts_when_the_nodes_refuse():
    """All processes gone: cut within the bound; back again: let in at once."""
    with Seated() as scene:
        scene.is_cut(scene.front.die)
        stays(lambda: scene.front.proxy.usable(POOL) == [], 2, 'nobody is usable')
        scene.is_back(scene.front.come_back)


def test_the_token_check_cuts_when_the_nodes_are_silent():
    """They accept and never answer: cut within the same bound; back again: let in at once."""
    with Seated() as scene:
        scene.is_cut(scene.front.be_silent)
        scene.is_back(lambda: (scene.front.be_neutral(), scene.front.seat('db1')))


def test_the_token_check_cuts_when_the_nodes_know_nothing():
    """Neutral without the token, as after their restart or without the store: cut within the same bound."""
    with Seated() as scene:
        scene.is_cut(scene.front.be_neutral)
        scene.is_back(lambda: scene.front.seat('db1'))


def test_the_token_check_cuts_when_the_term_is_over():
    """The prepared word of a node whose term ended is `down maint`: by the agent, so sooner than by the token check."""
    with Seated() as scene:
        began = time.monotonic()
        for name in ('db1', 'db2'):
            scene.front.words[f'{POOL}/{name}'] = spoken('backend', 'first', term='past').line
        wait_until(lambda: scene.session.ended, 5, 'the session to be ended')
        print(f'cut after {(scene.session.ended - began) * 1000:.0f} ms')
        assert scene.session.ended - began < PATIENCE, 'the agent was slower than the token check'


def test_a_quarter_of_a_second_of_empty_answers_costs_nothing():
    """Six times 250 ms in which every node answers an empty line: no session is lost, nobody is turned away."""
    with Seated() as scene:
        since = time.monotonic()
        for _ in range(6):
            kept = dict(scene.front.words)
            scene.front.words.update({target: b'\n' for target in kept})
            time.sleep(0.25)
            scene.front.words.update(kept)
            time.sleep(0.4)
        scene.undisturbed(1)
        assert not scene.visitors.names(since)[None]


def test_a_push_gives_a_server_its_patience_at_once():
    """Out of maint by a poll, one failed token check would end fresh sessions until the first has passed; pushed, it has all."""
    with Front() as front:
        front.seat('db1')
        front.start().wait_patient('db1')
        front.words.update({f'{POOL}/{name}': spoken('backend', 'neutral').line for name in ('db1', 'db2')})
        wait_until(lambda: not front.proxy.usable(POOL), 10, 'nobody to be usable')
        stays(lambda: front.patience('db1')[0] < 0, 1, 'db1 is down')
        for name, voice in (('db2', 'rest'), ('db1', 'rest'), ('db1', 'first')):
            front.proxy.ask(spoken('backend', voice).push.replace('p/s', f'{POOL}/{name}'))
        left, full = front.patience('db1')
        assert front.proxy.usable(POOL) == ['db1'] and full == FALL - 1, (left, full)
        assert left >= full - 1, f'{left} of {full} failures are borne right after the push'


def test_clients_refused_by_a_dead_server_are_told_so():
    """db1's process is gone and then the chair leaves it: nobody who came meanwhile hangs in HAProxy (3.0.11 would, with retries)."""
    with Front() as front:
        front.seat('db1')
        front.start().wait_patient('db1')
        visitors = front.visitors()
        visitors.wait_name('db1', count=20)
        front.servers['db1'].shut()
        since = time.monotonic()
        wait_until(lambda: visitors.names(since)[None] > 5, 5, 'visitors to be refused')
        front.revoke()
        front.wait_usable([])
        front.seat('db2')
        visitors.wait_name('db2', time.monotonic(), 20)
        visitors.stop()                                    # fails when one of them is never told anything
        slowest = max(visit.ended - visit.began for visit in visitors.seen)
        print(f'slowest visitor {slowest:.2f} s')
        assert slowest < 6, slowest


# ---- the agents' death ----

def test_one_voice_after_the_other_dies_and_nothing_happens_until_the_last():
    """The relay asks the next node: two of three nodes die unnoticed; with the third the lease at HAProxy ends."""
    with Seated() as scene:
        for node in scene.front.nodes[:2]:
            node.shut()
            scene.undisturbed(2.5)
        scene.is_cut(scene.front.nodes[2].shut)
        scene.is_back(scene.front.nodes[1].open)


def test_a_voice_that_falls_silent_is_left_for_the_next():
    """The relay's first node accepts and says nothing, as when it is frozen: the others speak, nothing is lost."""
    with Seated() as scene:
        scene.front.nodes[0].says = {'*': SILENT}
        scene.undisturbed(5)


def test_with_all_nodes_dead_a_server_that_returns_stays_out():
    """Fail-closed: nodes dead, db1 dies and comes back: HAProxy lets nobody in without a node's word."""
    with Seated() as scene:
        scene.is_cut(scene.front.die)
        scene.front.servers['db1'].shut()
        scene.front.servers['db1'].open()
        stays(lambda: scene.front.proxy.usable(POOL) == [], 3, 'nobody is usable')


def test_frozen_by_choice_nothing_happens_when_all_nodes_die():
    """SteeringTermOver `freeze`: no token check, so db1 is used on; its own death is seen by the plain check; back, it serves."""
    with Seated({'SteeringTermOver': 'freeze'}) as scene:
        scene.front.die()
        scene.undisturbed(BOUND + 2)
        scene.front.servers['db1'].shut()
        wait_until(lambda: scene.front.proxy.usable(POOL) == [], 10, 'db1 to be down and nobody else up')
        scene.is_back(scene.front.servers['db1'].open)


# ---- real nodes ----

def no_write_was_disturbed(writer):
    broken = [write for write in writer.stop() if write.verdict not in ('ok', 'session')]
    if broken:
        raise StageFailure(f'{len(broken)} writes were disturbed: {broken[:3]}')


@limit(120)
def test_nodes_are_killed_one_after_the_other():
    """SIGKILL of two of three nodes, the leading one first: no write fails; of the third: HAProxy lets nobody in within the bound."""
    with Home().start() as home:
        writer = home.writer(interval_ms=5).start()
        for _ in range(2):
            writer.wait_writes(server_id=1, count=20)
            home.wait_leader().kill()
            home.wait_leader()
        writer.wait_writes(server_id=1, count=100)
        no_write_was_disturbed(writer)
        last = home.wait_leader()
        began = time.monotonic()
        last.kill()
        wait_until(lambda: home.views()['lb1'] == [], 10, 'HAProxy to use nobody')
        assert time.monotonic() - began < BOUND + SLACK
        home.nodes[0].start()
        home.wait_seated('db1')
        assert not home.pair['db2'].wrote()


@limit(120)
def test_the_leading_node_and_the_relays_first_freeze():
    """SIGSTOP of the node that leads and of the one that speaks: the rest speaks and leads, no write fails; awake they only follow."""
    with Home().start() as home:
        frozen = {home.nodes[0], home.wait_leader()}
        writer = home.writer(interval_ms=5).start()
        writer.wait_writes(server_id=1, count=50)
        for node in frozen:
            node.freeze()
        successor = wait_until(lambda: next((node for node in home.leaders() if node not in frozen), None), 10, 'another node to lead')
        stays(lambda: home.views()['lb1'] == ['db1'], 4, 'HAProxy keeps db1')
        for node in frozen:
            node.thaw()
        wait_until(lambda: home.leaders() == [successor], 5, f'only {successor.name} to lead')
        writer.wait_writes(server_id=1, count=50)
        no_write_was_disturbed(writer)


@limit(120)
def test_all_nodes_freeze_and_wake_up():
    """SIGSTOP of all: cut by the token check within its bound; awake, their terms are over, one leads, db1 sits, nothing was doubled."""
    with Home().start() as home:
        writer = home.writer(interval_ms=10).start()
        writer.wait_writes(server_id=1, count=50)
        began = time.monotonic()
        for node in home.nodes:
            node.freeze()
        wait_until(lambda: home.views()['lb1'] == [], 10, 'HAProxy to use nobody')
        took = time.monotonic() - began
        print(f'cut after {took:.2f} s')
        assert took < BOUND + SLACK, took
        time.sleep(3)                                      # past every lease and term
        for node in home.nodes:
            node.thaw()
        home.wait_seated('db1')
        home.wait_leader()
        writer.wait_writes(server_id=1, count=20)
        writer.stop()
        assert not home.pair['db2'].wrote()
