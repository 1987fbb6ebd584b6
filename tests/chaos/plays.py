"""The scenes of spec/steering.md section 10 on real servers in a network that can be cut: what is done in a round of each.

A play does its harm and returns; Round.finish heals everything, waits until somebody sits, and lets the servers judge.
"""
import itertools
import secrets
import time
from collections import namedtuple

from stage import StageFailure, wait_until
from stage.home import POOL
from stage.traffic import Writer, gap_ms

from cast import PARTIES, STEPS, Session, switch

Scene = namedtuple('Scene', 'play menu rounds meaning')      # `rounds`: in ./test; the menu is gone through in a seeded order
HOSTS = ('db1', 'db2', 'fc1', 'fc2', 'fc3', 'lb1', 'lb2')
QUIET = 'no order'
ASK_AGAIN = 6                # docs/exit-codes.md: nobody leads at this moment


def all_pairs():
    return [(one, other, way) for one, other in itertools.combinations(HOSTS, 2) for way in ('both', 'there', 'back')]


def party_named(round, name):
    return round.home.everything()[name]


# ---- a planned switch, caught at a step ----

class Caught:
    """A switch ordered at the leader, followed until it has come to a step; some steps are made long first, by what makes them long
    in life: a statement that runs for seconds, a table that somebody locks on the successor."""

    def __init__(self, round, step):
        cast, chance = round.cast, round.chance
        self.session = None
        if step == 'fence' and chance.random() < 0.5:
            self.session = Session(round.home.nest, cast['old'])
            self.session.say(f"INSERT INTO app.t (client, n, sent_us) SELECT '{round.tag}_slow', 1, SLEEP(2)")
            time.sleep(0.05)
        if step == 'catch-up' and chance.random() < 0.7:
            self.session = Session(round.home.nest, cast['new'])
            self.session.say('SELECT 1')
        self.order = round.order(switch(cast['leader'], cast['new']))
        if step == 'catch-up' and self.session and self.order.reaches('fence'):
            self.session.say('LOCK TABLES app.t READ')
        self.came = self.order.reaches(step)
        time.sleep(chance.choice((0, 0, 0.001, 0.003, 0.01)))

    def let_go(self):
        if self.session:
            self.session.close()


def in_a_move(round, deed):
    part, step = round.variant
    party = round.cast[part]
    caught = Caught(round, step)
    round.spoil(party)
    round.cast.hit(deed, party)
    if round.chance.random() < 0.5:
        caught.let_go()
    round.last(party)
    caught.let_go()


def play_kill(round):
    in_a_move(round, 'kill')


def play_freeze(round):
    in_a_move(round, 'freeze')


def play_isolate(round):
    if round.variant[0] in ('old', 'new'):
        round.is_apart = True
    in_a_move(round, 'isolate')


def play_cut(round):
    one, other, way = round.variant
    names = [one, other] if way != 'back' else [other, one]
    first, second = (party_named(round, name) for name in names)
    round.is_apart = {one, other} == {'db1', 'db2'}
    round.spoil(first, second)
    step = round.chance.choice((QUIET, QUIET, *STEPS))
    caught = None if step == QUIET else Caught(round, step)
    round.cast.cut(first, second, one_way=way != 'both')
    round.last(first if first in round.home.pair.servers else second)
    if caught:
        caught.let_go()


def play_paused_leader(round):
    """A leader that stands still between its check and its deed, and wakes when its lease is over."""
    caught = Caught(round, round.variant)
    leader = round.cast['leader']
    round.cast.freeze(leader)
    caught.let_go()
    if round.chance.random() < 0.7:
        round.home.wait_leader(30, other_than=leader)
        round.stay(0, 1)
    else:
        round.stay(1.6, 3)                       # about when its lease ends


def play_reload(round):
    step, which = round.variant
    proxies = round.home.proxies if which == 'both' else [party_named(round, which)]
    order = round.order(switch(round.cast['leader'], round.cast['new']))
    order.reaches(step)
    for _ in range(round.chance.choice((1, 1, 2))):
        for proxy in proxies:
            round.cast.told(f'reload {proxy.name}')
            proxy.reload()


def play_frozen_proxy(round):
    """HAProxies that sleep through a switch wake with sessions to the old server: what they send meets read_only."""
    step, which = round.variant
    proxies = round.home.proxies if which == 'both' else [party_named(round, which)]
    round.spoil(*proxies)
    if step == QUIET:
        for proxy in proxies:
            round.cast.freeze(proxy)
    order = round.order(switch(round.cast['leader'], round.cast['new']))
    order.reaches('intend' if step == QUIET else step)
    for proxy in proxies:
        if step != QUIET:
            round.cast.freeze(proxy)
    order.end()
    round.stay(0, 3)


# ---- a server lost, and something else beside it ----

def second_fault(round, deed, part):
    if deed == 'reload':
        for proxy in round.home.proxies:
            round.cast.told(f'reload {proxy.name}')
            proxy.reload()
    elif deed:
        round.spoil(round.cast[part])
        round.cast.hit(deed, round.cast[part])


def play_gone(round):
    """The seated server is killed, and in the move that follows another party is hit."""
    deed, part = round.variant
    round.cast.kill(round.cast['old'])
    time.sleep(round.chance.choice((0, 0.002, 0.01, 0.03, 0.1)))
    second_fault(round, deed, part)
    round.stay(0.2, 3)
    if part != 'new' and round.chance.random() < 0.7:
        round.done_without(round.cast['old'])


def play_silent(round):
    """The seated server falls silent, and in the wait for it another party is hit."""
    first, deed, part = round.variant
    old = round.cast['old']
    round.is_apart = first == 'isolate'
    round.cast.hit(first, old)
    round.stay(0.5, 6)
    second_fault(round, deed, part)
    if deed and round.chance.random() < 0.5:
        round.stay(0.5, 3)
        round.cast.thaw()
        if not round.is_apart:
            return                               # it woke in the midst of the wait
    if part != 'new':
        round.done_without(old)


def play_broken_replication(round):
    """Both live, replication is broken, writes go on; then the first dies. The second sits, and says that it is stale."""
    old, new = round.cast['old'], round.cast['new']
    thread = {'sql': ' SQL_THREAD', 'io': ' IO_THREAD', 'both': ''}[round.variant]
    for server in (new, old) if round.variant == 'both' else (new,):
        server.execute(f'STOP SLAVE{thread}')
    round.cast.told(f'stop slave{thread.lower()}')
    round.stay(2.5, 4)
    round.cast.kill(old)
    round.done_without(old, 60)
    marks = {wait_until(lambda node=node: node.seated() == new.name and node.pool(), 5, f'{node.name} to hear who sits')['mark']
             for node in round.home.nodes}
    round.claim(marks == {'stale'}, f'{new.name} was seated without what {old.name} wrote last, and the nodes mark it {marks}')
    round.cast.revive()
    for server in round.home.pair.servers:
        server.execute('START SLAVE')


def play_split(round):
    """The pair in two halves, each with nodes and perhaps a HAProxy: what `local` cannot prevent ends when the cut does."""
    round.is_apart = True
    others = [*round.home.nodes, *round.home.proxies]
    round.chance.shuffle(others)
    middle = round.chance.randint(0, len(others))
    round.cast.split([round.cast['old'], *others[:middle]], [round.cast['new'], *others[middle:]])
    round.spoil(*round.home.proxies)
    if round.is_brief or round.variant == 'short':
        round.stay(0.2, 3)
    else:
        round.stay(18, 24)                       # long enough for the other half to seat its own


def play_flap(round):
    """A host, or the way between two, goes and comes again and again, sooner than anybody gives up on it or later."""
    part, other = round.variant
    one = round.cast[part]
    round.is_apart = part == 'old' and other in (None, 'new')
    round.spoil(one)
    for _ in range(round.chance.randint(4, 9)):
        if other is None:
            round.cast.isolate(one)
        else:
            round.cast.cut(one, round.cast[other])
        round.stay(0.1, 2.5)
        round.cast.mend()
        round.stay(0.05, 1.5)


# ---- nodes ----

def play_amnesia(round):
    """Each node is killed once, at any time of a switch, and starts with nothing but its configuration."""
    nodes = list(round.home.nodes)
    round.chance.shuffle(nodes)
    for node in nodes:
        leader = round.home.wait_leader(30)
        seated = leader.seated()
        order = round.order(switch(leader, round.home.other(seated))) if seated else None
        if order:
            order.reaches(round.chance.choice(STEPS), 2)
        round.cast.kill(node)
        round.stay(0, 2.5)
        round.cast.revive()
        if order:
            order.end()


def play_together(round):
    caught = Caught(round, round.variant)
    for node in round.home.nodes:
        round.cast.kill(node)
    caught.let_go()
    round.stay(0, 4)


def play_relay_first(round):
    """The node that the relay asks first falls silent: no session ends, no statement fails."""
    node = round.home.nodes[0]
    round.cast.hit(round.variant, node)
    round.stay(2, 6)
    round.cast.heal()
    round.stay(0.5, 1)
    for writer in round.through.values():
        broken = [write for write in writer.writes() if write.verdict not in ('ok', 'session')]
        round.claim(not broken, f'{writer.client} was disturbed: {broken[:2]}')
    kept = sum(write.verdict == 'session' for write in round.through['lb1'].writes())
    round.claim(kept == 1, f'the client that keeps its session had {kept}')
    longest = max(gap_ms(writer.writes(), round.began_us) for writer in round.through.values())
    round.claim(longest < 2000, f'a client waited {longest:.0f} ms')


# ---- what is not as it should be ----

def play_writable(round):
    """The option file of the seated server says read_only=0: it dies and comes back writable beside its successor."""
    old = round.cast['old']
    options = open(old.options).read()
    round.home.nest.write(f'{old.name}/my.cnf', options + 'read_only=0\n', owner=old.account)
    round.allowed.add(f'{round.tag}_{old.name}')
    try:
        round.cast.kill(old)
        round.done_without(old)
        round.cast.revive()
        wait_until(old.is_read_only, 20, f'{old.name} to be fenced')
    finally:
        round.home.nest.write(f'{old.name}/my.cnf', options, owner=old.account)


def play_privileged(round):
    """read_only does not bind an account with READ ONLY ADMIN: it writes to the closed server. What helps is to be told. Since
    MariaDB 10.11.0 SUPER alone no longer contains that privilege: such an account is bound."""
    new, account, password = round.cast['new'], f'boss_{round.tag}', secrets.token_hex(12)
    grant = {'read only admin': 'READ_ONLY ADMIN', 'super': 'SUPER'}[round.variant]
    who = f"{account}@'{new.place.accounts}'"
    for server in round.home.pair.servers:          # and `fence` may see who there is
        server.execute(f"SET SESSION sql_log_bin=0; CREATE USER {who} IDENTIFIED BY '{password}'; GRANT {grant} ON *.* TO {who}; "
                       f"GRANT SELECT, INSERT ON app.* TO {who}; GRANT SELECT ON mysql.* TO fence@'{server.place.accounts}'")
    file = round.home.nest.write(f'{account}.cnf', f'[client]\nuser={account}\npassword={password}\n')
    writer = Writer(round.home.nest, file, new.port, f'{round.tag}_boss', interval_ms=15, host=new.place.host,
                    place=round.home.place('client'))
    round.writers.append(writer)
    round.allowed.add(writer.client)
    round.cast.told(f'{account} ({grant}) writes to {new.name}')
    writer.start()
    if round.variant == 'super' and is_at_least(new, (10, 11)):
        wait_until(lambda: sum(write.verdict == 'failed' for write in writer.writes()) >= 20, 20, 'SUPER alone to be refused')
        round.claim(not writer.acknowledged(), f'SUPER alone wrote to {new.name}, which is read_only')
    else:
        writer.wait_writes(server_id=new.server_id, count=20)
    round.claim(new.is_read_only(), f'{new.name} is not read_only: nothing is shown')
    writer.stop()
    code, text = round.cast['leader'].ctl('verify-backends')
    named = [line for line in text.splitlines() if 'are not bound by read_only' in line and account in line]
    round.claim(named, f'{account} is not named by verify-backends (exit code {code}): {text[-600:]}')
    for server in round.home.pair.servers:
        server.execute(f"SET SESSION sql_log_bin=0; DROP USER {who}")


def is_at_least(server, version):
    return tuple(int(part) for part in server.value('SELECT VERSION()').split('-')[0].split('.')[:2]) >= version


def lease_of(server):
    row = server.rows("SELECT epoch, seq, server, node, phase FROM firstchair.firstchair_decision WHERE name='lease'")[0]
    return (int(row['epoch']), int(row['seq']), row['server'], row['node'])


def rows_of(server):
    """What must be equal on both in the end: the holds, and the lease but for its renewals."""
    holds = server.rows('SELECT * FROM firstchair.firstchair_hold ORDER BY pool, server')
    return [{key: value for key, value in hold.items() if not key.endswith('_at')} for hold in holds], lease_of(server)[2:]


def said_when_somebody_leads(round, words):
    """(code, text) of an order. Just after a yield who led a moment ago answers 'nobody leads ... ask again' (exit code 6), as it is documented."""
    def once():
        code, text = round.home.wait_leader(20).ctl(*words.split())
        return (code, text) if code != ASK_AGAIN else None
    return wait_until(once, 20, f"somebody to take '{words}'", every=0.1)


def play_late_rows(round):
    """Old decision rows that wait in a binlog are applied after newer ones were written: they change nothing."""
    old, new = round.cast['old'], round.cast['new']
    new.execute('STOP SLAVE' + {'sql': ' SQL_THREAD', 'io': ' IO_THREAD'}[round.variant])
    round.cast.told(f'stop slave {round.variant}_thread on {new.name}')
    for words in ((f'pause {POOL}', f'resume {POOL}', f'maint {POOL}/{new.name} because late', 'yield', f'ready {POOL}/{new.name}')
                  * round.chance.choice((1, 2))):
        code, text = said_when_somebody_leads(round, words)
        round.claim(code == 0, f"'{words}' ended with {code}: {text}")
    round.cast.kill(old)
    round.done_without(old, 60)
    round.home.wait_leader(20)
    round.cast.revive()
    seen, stop = [lease_of(new)], time.monotonic() + 4
    new.execute('START SLAVE')
    while time.monotonic() < stop:
        seen.append(lease_of(new))
    round.claim(seen == sorted(seen), f'the lease of {new.name} fell: {[row for row in zip(seen, seen[1:]) if row[0] > row[1]][:2]}')
    round.claim(round.says_seated() == {new.name}, f'the nodes say {round.says_seated()}')
    wait_until(lambda: rows_of(old) == rows_of(new), 20, 'the decision tables to be equal')


SECONDS = [(None, None), *itertools.product(('kill', 'freeze', 'isolate'), ('leader', 'follower', 'lb1', 'new')), ('reload', None)]
SCENES = {
    'kill': Scene(play_kill, [*itertools.product(PARTIES, STEPS)], 2, 'a party is killed at a step of a switch'),
    'freeze': Scene(play_freeze, [*itertools.product(PARTIES, STEPS)], 0, 'a party stands still at a step of a switch'),
    'isolate': Scene(play_isolate, [*itertools.product(PARTIES, STEPS)], 2, 'a party is cut from all at a step of a switch'),
    'cut': Scene(play_cut, all_pairs(), 3, 'two hosts no longer hear each other, or one of them, in a switch or without'),
    'gone': Scene(play_gone, SECONDS, 0, 'the seated server is killed, then a second party is hit'),
    'silent': Scene(play_silent, [(first, *second) for first in ('freeze', 'isolate') for second in SECONDS], 0,
                    'the seated server falls silent, then a second party is hit'),
    'flap': Scene(play_flap, [('old', None), ('leader', None), ('new', None), ('lb1', None), ('old', 'leader'), ('old', 'new'),
                              ('leader', 'follower')], 0, 'a host, or the way between two, comes and goes'),
    'split': Scene(play_split, ['short', 'long'], 0, 'the pair in two halves'),
    'reload': Scene(play_reload, [*itertools.product(STEPS, ('lb1', 'lb2', 'both'))], 0, 'HAProxies are reloaded in a switch'),
    'frozen-proxy': Scene(play_frozen_proxy, [*itertools.product((QUIET, *STEPS), ('lb1', 'lb2', 'both'))], 0,
                          'HAProxies sleep through a switch'),
    'broken-replication': Scene(play_broken_replication, ['sql', 'io', 'both'], 0, 'replication broken, then the first dies'),
    'amnesia': Scene(play_amnesia, [None], 0, 'nodes restarted one by one without memory, in switches'),
    'together': Scene(play_together, list(STEPS), 0, 'all nodes restarted together in a switch'),
    'paused-leader': Scene(play_paused_leader, list(STEPS), 2, 'the leader pauses in a switch until its lease is over'),
    'relay-first': Scene(play_relay_first, ['freeze', 'isolate'], 0, "the relay's first node falls silent"),
    'writable': Scene(play_writable, [None], 0, 'a server comes back writable'),
    'privileged': Scene(play_privileged, ['read only admin', 'super'], 0, 'an account that read_only does not bind'),
    'late-rows': Scene(play_late_rows, ['sql', 'io'], 0, 'old decision rows are applied late'),
}
