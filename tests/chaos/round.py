"""One round of a chaos scene: clients write, something is done to the parties, all is healed, and the servers tell what became of it."""
import time

from stage import StageFailure, wait_until
from stage.home import POOL
from stage.traffic import gap_ms

from cast import Cast, settled
from judge import NEVER_SEATED, Sentence

SETTLE_BOUND = 40            # all together for everybody to agree again; what it took is told
OVERLAP_AFTER_HEAL = 5.0     # the old server is fenced first thing when it is seen again
CLIENT_SILENCE = 4           # longer than HAProxy holds the door


class Round:
    def __init__(self, home, chance, tag, variant, is_brief):
        """`variant`: what this round is told to do, from the scene's menu; `is_brief`: no long faults."""
        self.home, self.chance, self.tag, self.variant, self.is_brief = home, chance, tag, variant, is_brief
        self.orders, self.spoiled, self.allowed, self.claims = [], set(), set(), []
        self.is_apart, self.settle_s, self.sentence = False, 0.0, None
        self.writers, self.direct = [], set()
        self.cast = None

    # ---- before ----

    def begin(self):
        old = settled(self.home, SETTLE_BOUND)
        self.home.pair.wait_level(SETTLE_BOUND)
        self.cast = Cast(self.home, self.chance, old, self.home.wait_leader(20))
        epoch = self.home.nodes[0].pool()['epoch']
        self.epochs = {server.name: epoch if server is old else NEVER_SEATED for server in self.home.pair.servers}
        self.since = {server.name: server.next_binlog() for server in self.home.pair.servers}
        self.start_clients()
        self.began_us = time.time() * 1e6

    def start_clients(self):
        """One that keeps its session through the first HAProxy, one with fresh sessions through the second, one direct to each."""
        home, silence = self.home, {'silence_seconds': CLIENT_SILENCE}
        first, second = home.pair.servers
        self.through = {'lb1': home.writer(f'{self.tag}_kept', 0, interval_ms=8, **silence),
                        'lb2': home.writer(f'{self.tag}_fresh', 1, interval_ms=15, fresh=True, **silence)}
        straight = [home.direct_writer(server, f'{self.tag}_{server.name}', interval_ms=15, retry_ms=25, **silence)
                    for server in (first, second)]
        self.direct = {writer.client for writer in straight}
        self.writers = [*self.through.values(), *straight]
        for writer in self.writers:
            writer.start()
        for writer in self.through.values():
            writer.wait_writes(count=8)

    # ---- what a scene uses ----

    def order(self, order):
        self.orders.append(order)
        return order

    def stay(self, least, most):
        """A fault lasts for a while: its length is a part of the scene's chance, nothing is waited for."""
        time.sleep(self.chance.uniform(least, most))

    def last(self, party):
        """How long a fault lasts: mostly short; at times until the others have done without the party."""
        kind = self.chance.choices(('blink', 'while', 'long'), (5, 3, 0 if self.is_brief else 3))[0]
        if kind == 'blink':
            self.stay(0.02, 0.6)
        elif kind == 'while' or party is not self.cast['old']:
            self.stay(1, 4)
        else:
            self.done_without(party)

    def done_without(self, party, bound=40):
        """Until nodes say that the other server sits; those that are cut off know nothing of it."""
        other = self.home.other(party.name)
        try:
            wait_until(lambda: other.name in self.says_seated(), bound, f'{other.name} to sit', every=0.1)
        except StageFailure:
            pass                                 # also possible, such as when both are out of sight: the scene goes on

    def says_seated(self):
        """What the nodes say that can be asked now."""
        told = set()
        for node in self.home.nodes:
            try:
                if node.alive() and not node.child.is_frozen:
                    told.add(node.seated())
            except (OSError, ValueError):
                continue
        return told

    def spoil(self, *parties):
        """What these HAProxies' clients wait is the fault's own length: it says nothing about recovery."""
        self.spoiled.update(party.name for party in parties if party in self.home.proxies)

    def claim(self, is_so, sentence):
        if not is_so:
            self.claims.append(sentence)

    # ---- after ----

    def finish(self):
        healed = self.cast.heal()
        for order in self.orders:
            order.end()
        seat = settled(self.home, SETTLE_BOUND)
        self.settle_s = time.time() - healed
        for writer in self.through.values():
            writer.wait_writes(server_id=seat.server_id, count=5, bound=30)
        for writer in self.writers:
            writer.stop()
        self.home.pair.wait_level(SETTLE_BOUND)
        self.sentence = Sentence(self.home, self.writers, self.since, self.epochs, self.tag + '\\_')
        self.judge(healed)

    def is_permitted(self, overlap):
        """`local` permits two writers while the servers are cut from each other, and behind a grant recorded as unfenced; so does the quorum of
        clients that go past every HAProxy. What the quorum permits of the others, when a server wakes, is judged by itself."""
        if self.home.peers and not overlap.clients <= self.allowed | set(self.direct):
            return False                         # the quorum: never through a HAProxy, once the other server has taken a write
        late = overlap.clients | {write.client for write in overlap.woken}
        return late <= self.allowed or self.is_apart or 'unfenced' in self.sentence.marks

    def judge(self, healed):
        told, overlap = self.sentence, self.sentence.overlap
        self.claim(not told.lost, f'{len(told.lost)} acknowledged writes lost: {told.lost[:3]}')
        self.claim(not told.doubled, f'{len(told.doubled)} doubled: {told.doubled[:3]}')
        self.claim(not told.one_sided, f'{len(told.one_sided)} on one server only: {told.one_sided[:3]}')
        if overlap.writes:
            words = f'two writers for {overlap.ms:.0f} ms ({overlap.writes} writes of {sorted(overlap.clients)}, {len(overlap.woken)} of before)'
            self.claim(self.is_permitted(overlap), f'{words}, and nothing permits it')
            self.judge_woken(words)
            self.claim(overlap.last < healed + OVERLAP_AFTER_HEAL, f'{words}, until {overlap.last - healed:.1f} s after the last fault')

    def judge_woken(self, words):
        """What a silent server had in its sockets: one statement a session at most, behind an unfenced grant, and no client was told that it is done."""
        if not self.home.peers:
            return                               # `local` permits or forbids them with all the others
        through = [write for write in self.sentence.overlap.woken if write.client not in self.direct | self.allowed]
        told = [write for write in through if (write.client, write.n) in self.sentence.acknowledged]
        self.claim(not told, f'{words}: acknowledged by a server that was no longer to be written to: {told[:3]}')
        self.claim(len({write.client for write in through}) == len(through), f'{words}: several of one session: {through[:3]}')
        self.claim(not through or 'unfenced' in self.sentence.marks, f'{words}: without an unfenced grant')

    def gaps(self):
        return [gap_ms(writer.writes(), self.began_us) for name, writer in self.through.items() if name not in self.spoiled]

    def refused(self):
        return sum(order.code not in ('ok', 'lost', 'unanswered') for order in self.orders)

    def through_proxies(self):
        return sorted(self.sentence.overlap.clients - self.direct - self.allowed) if self.sentence else []

    def __str__(self):
        told = self.sentence
        words = [f'{self.cast.story() or "nothing" if self.cast else "not begun"}']
        words += [f"order '{order.code}' after {order.steps[-1] if order.steps else 'nothing'}" for order in self.orders]
        if told:
            words += [f'gap {" ".join(f"{gap:.0f}" for gap in self.gaps()) or "-"} ms', f'settled {self.settle_s:.1f} s',
                      f'acknowledged {len(told.acknowledged)}', *sorted(told.marks)]
        if told and told.overlap.writes:
            words.append(f'overlap {told.overlap.ms:.0f} ms, {told.overlap.writes} writes of {sorted(told.overlap.clients)}')
            words += [f'{write.client} {write.n} sent before it' for write in told.overlap.woken]
        return '; '.join(words)
