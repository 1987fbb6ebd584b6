"""Random trouble for the home mode on relayed links: what is killed, frozen, cut and ordered, and how it is mended.

Every choice comes from a seed, drawn for a whole round before it begins; only what a role ("the seated server", "the leader") means
at that moment comes from the stage. What is mended by itself at the end of its time is mended at the latest by `mend_all`.
"""
import subprocess
import threading
import time
from collections import Counter, namedtuple

from stage.home import POOL
from stage.waits import StageFailure, wait_until

SHORT, MIDDLE, LONG = (0.1, 1.0), (1.0, 4.0), (4.0, 12.0)
HALVES = (8.0, 15.0)             # long enough that the half without the leader seats its own
ORDER_SECONDS = 40
LAST_WORDS_SECONDS = 0.3         # what is written on one side only: clients write every 15 ms, firstchair every second

Deed = namedtuple('Deed', 'at seconds kind draw')          # draw: numbers from 0 to 1 for the choices made when it is done
Order = namedtuple('Order', 'at words draw')

ORDERS = (
    (6, 'switch {pool} {other}'), (2, 'switch {pool} {one}'), (1, 'failback {pool}'), (3, 'yield'),
    (2, 'maint {pool}/{other} because disk'), (1, 'drain {pool}/{other}'), (1, 'maint {pool}/{one} because test'),
    (4, 'ready {pool}/{other}'), (2, 'pause {pool} because network'), (3, 'resume {pool}'),
)


def pick(draw, weighted):
    """One of [(weight, thing)] by a number from 0 to 1."""
    left = draw * sum(weight for weight, _ in weighted)
    for weight, thing in weighted:
        left -= weight
        if left < 0:
            return thing
    return weighted[-1][1]


class Trouble:
    def __init__(self, home, rng, story):
        self.home, self.rng, self.story = home, rng, story
        self.counts, self.answers = Counter(), Counter()
        self.undoing = []              # [(when, what, undo)]
        self.down = set()              # names of those that we ended and have not started again
        self.callers = []
        self.kinds = (
            (5, self.kill_seated), (2, self.kill_other), (3, self.freeze_seated), (2, self.freeze_other), (1, self.kill_both),
            (3, self.kill_leader), (1, self.kill_follower), (3, self.freeze_leader), (1, self.freeze_follower),
            (2, self.stop_leader), (1, self.kill_all_nodes),
            (5, self.cut_a_way), (2, self.cut_replication), (2, self.isolate_server), (2, self.isolate_node),
            (1, self.isolate_proxy), (3, self.cut_in_halves), (1, self.refuse_a_way), (2, self.part_and_kill),
        )

    # a round

    def plan(self):
        """The deeds and orders of one round, in the order of their time."""
        rng = self.rng
        deeds = []
        for _ in range(rng.choice((1, 1, 2, 2, 3))):
            kind = pick(rng.random(), self.kinds)
            spans = ((1, MIDDLE), (3, HALVES)) if kind in (self.cut_in_halves, self.part_and_kill) else ((3, SHORT), (4, MIDDLE), (2, LONG))
            span = pick(rng.random(), spans)
            deeds.append(Deed(rng.uniform(0, 4), rng.uniform(*span), kind, [rng.random() for _ in range(4)]))
        last = max(deed.at + deed.seconds for deed in deeds)
        orders = [Order(rng.uniform(0, last + 1), pick(rng.random(), ORDERS), [rng.random() for _ in range(2)])
                  for _ in range(rng.choice((0, 1, 2, 3, 4, 6)))]
        return sorted([*deeds, *orders], key=lambda one: one.at)

    def play(self, plan, look):
        """Does what the plan says, mends each deed when its time is over; `look` is called all the while."""
        began, left = time.monotonic(), list(plan)
        while left or self.undoing:
            look()
            now = time.monotonic()
            while left and now - began >= left[0].at:
                one = left.pop(0)
                if isinstance(one, Order):
                    self.give(one)
                else:
                    undo, what = one.kind(one)
                    self.story.tell(f'{what} for {one.seconds:.1f} s')
                    self.undoing.append((now + one.seconds, what, undo))
            for due in [due for due in self.undoing if due[0] <= now]:
                self.mend(due)
            time.sleep(0.02)

    def mend(self, due):
        self.undoing.remove(due)
        self.story.tell(f'mended: {due[1]}')
        due[2]()

    def mend_all(self):
        for due in list(self.undoing):
            self.mend(due)
        self.home.heal()
        for caller in self.callers:
            caller.join(ORDER_SECONDS + 5)
        self.callers = []

    # who is meant

    def seated(self, draw):
        for node in self.home.nodes:
            if node.alive() and not node.child.is_frozen:
                try:
                    name = next(pool for pool in node.picture()['pools'] if pool['name'] == POOL)['seated']
                    if name in self.home.pair.by_name:
                        return self.home.pair[name]
                except (OSError, ValueError, StopIteration):
                    continue
        return self.one_of(self.home.pair.servers, draw)

    def leader(self, draw):
        leaders = [node for node in self.home.leaders() if not node.child.is_frozen]
        return leaders[0] if leaders else self.one_of(self.home.nodes, draw)

    def follower(self, draw):
        leaders = self.home.leaders()
        return self.one_of([node for node in self.home.nodes if node not in leaders] or self.home.nodes, draw)

    @staticmethod
    def one_of(things, draw):
        return things[min(int(draw * len(things)), len(things) - 1)]

    # kill, freeze, stop

    def kill(self, *victims):
        for one in victims:
            if one.alive():
                self.down.add(one.name)
                one.kill()
                self.counts['kills'] += 1
        return (lambda: [self.start(one) for one in victims]), 'kill ' + ' '.join(one.name for one in victims)

    def start(self, one):
        if one.name in self.down:
            one.start(wait=False)
            self.down.discard(one.name)

    def freeze(self, one):
        if one.alive():
            one.freeze()
            self.counts['freezes'] += 1
        return (lambda: one.thaw() if one.alive() else None), f'freeze {one.name}'

    def kill_seated(self, deed):
        return self.kill(self.seated(deed.draw[0]))

    def kill_other(self, deed):
        return self.kill(self.home.other(self.seated(deed.draw[0]).name))

    def kill_both(self, _deed):
        return self.kill(*self.home.pair.servers)

    def kill_leader(self, deed):
        return self.kill(self.leader(deed.draw[0]))

    def kill_follower(self, deed):
        return self.kill(self.follower(deed.draw[0]))

    def kill_all_nodes(self, _deed):
        return self.kill(*self.home.nodes)

    def freeze_seated(self, deed):
        return self.freeze(self.seated(deed.draw[0]))

    def freeze_other(self, deed):
        return self.freeze(self.home.other(self.seated(deed.draw[0]).name))

    def freeze_leader(self, deed):
        return self.freeze(self.leader(deed.draw[0]))

    def freeze_follower(self, deed):
        return self.freeze(self.follower(deed.draw[0]))

    def stop_leader(self, deed):
        leader = self.leader(deed.draw[0])
        if leader.alive():
            self.down.add(leader.name)
            leader.child.ask_to_end()
            self.counts['stops'] += 1

        def start():
            if leader.name in self.down:
                leader.child.wait_end()
                self.start(leader)
        return start, f'stop {leader.name}'

    # cuts

    def cut(self, ways, deed, what):
        way = pick(deed.draw[2], ((2, 'both'), (1, 'there'), (1, 'back')))
        kind = pick(deed.draw[3], ((2, 'keep'), (1, 'drop')))
        self.home.cut(ways, way, kind)
        self.counts['cuts'] += 1
        return (lambda: self.home.heal(ways)), f'cut {what} ({way}, {kind})'

    def cut_a_way(self, deed):
        way = self.one_of(sorted(self.home.ways), deed.draw[0])
        return self.cut([way], deed, '>'.join(way))

    def cut_replication(self, deed):
        ways = pick(deed.draw[0], ((1, [('db1', 'db2')]), (1, [('db2', 'db1')]), (2, [('db1', 'db2'), ('db2', 'db1')])))
        return self.cut(ways, deed, 'replication ' + ' '.join('>'.join(way) for way in ways))

    def isolate(self, one, deed):
        return self.cut(self.home.ways_of(one.name), deed, f'{one.name} from all')

    def isolate_server(self, deed):
        seated = self.seated(deed.draw[0])
        return self.isolate(seated if deed.draw[1] < 0.7 else self.home.other(seated.name), deed)

    def isolate_node(self, deed):
        return self.isolate(self.leader(deed.draw[0]) if deed.draw[1] < 0.5 else self.one_of(self.home.nodes, deed.draw[0]), deed)

    def isolate_proxy(self, deed):
        return self.isolate(self.one_of(self.home.proxies, deed.draw[0]), deed)

    def cut_in_halves(self, deed):
        """db1 with some nodes and one HAProxy here, db2 with the others there: the one case in which both are written to."""
        nodes = [node.name for node in self.home.nodes]
        first = int(deed.draw[0] * len(nodes))
        here = ['db1', self.home.proxies[0].name, *((nodes + nodes)[first:first + (1 if deed.draw[1] < 0.5 else 2)])]
        ways = self.home.ways_of(*here)
        self.home.cut(ways, 'both', pick(deed.draw[3], ((1, 'keep'), (1, 'drop'))))
        self.counts['cuts'] += 1
        return (lambda: self.home.heal(ways)), f'cut in halves, here {" ".join(here)}'

    def part_and_kill(self, deed):
        """Neither hears the other, then the seated one dies: what it wrote last arrives late, after what its successor wrote."""
        ways, seated = [('db1', 'db2'), ('db2', 'db1')], self.seated(deed.draw[0])
        self.home.cut(ways, 'both', pick(deed.draw[3], ((1, 'keep'), (1, 'drop'))))
        self.counts['cuts'] += 1
        time.sleep(LAST_WORDS_SECONDS)
        start, what = self.kill(seated)
        return (lambda: [start(), self.home.heal(ways)]), f'cut replication and {what}'

    def refuse_a_way(self, deed):
        way = self.one_of(sorted(self.home.ways), deed.draw[0])
        self.home.refuse([way])
        self.counts['cuts'] += 1
        return (lambda: self.home.heal([way])), f'refuse {">".join(way)}'

    # orders

    def give(self, order):
        one = self.seated(order.draw[0])
        words = order.words.format(pool=POOL, one=one.name, other=self.home.other(one.name).name)
        node = self.one_of(self.home.nodes, order.draw[1])
        self.counts['orders'] += 1

        def call():
            try:
                code, text = node.ctl(*words.split(), timeout=ORDER_SECONDS)
            except subprocess.TimeoutExpired:
                code, text = None, f'no answer in {ORDER_SECONDS} s'
            self.answers['done' if code == 0 else 'refused'] += 1
            self.story.tell(f'{node.name}: {words}: {code}: {" / ".join(text.splitlines())[:200]}')
        caller = threading.Thread(target=call, daemon=True)
        caller.start()
        self.callers.append(caller)

    def release(self):
        """No hold is left, so that the next round's chair can move; asked until it is done, as an operator would."""
        for words in (f'resume {POOL}', *(f'ready {POOL}/{server.name}' for server in self.home.pair.servers)):
            def done():
                code, text = self.home.nodes[0].ctl(*words.split())
                if code != 0:
                    raise StageFailure(f'{words}: {text}')
                return True
            wait_until(done, 60, f'`{words}` to be done', every=0.3)
