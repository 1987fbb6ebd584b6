"""`explain` and `plan` on real servers: what they say is what the board shows, what an order then hears, and what HAProxy does."""
import json
from urllib.parse import quote

from stage import Home, StageFailure, wait_until

POOL = 'fc_backend'


def explained(node, *words):
    """The explanations, as the daemon gives them at its order socket."""
    code, text = node.ctl('--json', *words)
    if code != 0:
        raise StageFailure(f"'{' '.join(words)}' ended with {code}: {text}")
    return json.loads(text)['explain']['explanations']


def one(node, *words):
    return explained(node, *words)[0]


def explained_by_http(node, path):
    code, text = node.get(f'/api/steering/{path}')
    if code != 200:
        raise StageFailure(f'{path}: {code} {text}')
    return json.loads(text)['explanations']


def board_agrees(node):
    """Every answer is explained with the very words of the picture, and the chair with its server."""
    before = node.picture()
    told = {found['subject']: found for found in explained(node, 'explain')}
    if node.picture()['epoch'] != before['epoch']:
        raise StageFailure('the epoch changed meanwhile')
    for pool in before['pools']:
        for server in pool['servers']:
            verdict = told[f"{pool['name']}/{server['name']}"]['verdict']
            if verdict != f"{server['voice']}: {server['reason']}":
                raise StageFailure(f"{pool['name']}/{server['name']} is explained as '{verdict}', the picture says {server}")
    chair = next(pool for pool in before['pools'] if pool['name'] == POOL)
    if told[POOL]['verdict'] != f"{chair['seated']} sits":
        raise StageFailure(f"the chair is explained as '{told[POOL]['verdict']}', the picture says {chair['seated']}")
    return told


def test_every_node_explains_what_its_board_shows():
    """Leadership, chair, each answer and each HAProxy, at every node, at the socket and over HTTP; also after a switch."""
    with Home(proxies=2).start() as home:
        for node in home.nodes:
            told = wait_until(lambda: board_agrees(node), 10, f'{node.name} to explain what it shows')
            assert {'leader', POOL, 'lb1', 'lb2', f'{POOL}/db1'} <= set(told), sorted(told)
            assert told[POOL]['rule'] == 'well', told[POOL]
            wait_until(lambda: one(node, 'explain', 'lb1')['verdict'] == 'it does what the board says', 10, f'{node.name} to see lb1 follow')
            assert explained_by_http(node, f'explain/{POOL}/db2')[0]['rule'] == 'other-sits'
            leads = 'leads' if node.leads() else 'follows'
            assert explained_by_http(node, 'explain/leader')[0]['rule'] == leads
        home.nodes[0].order('switch', POOL, 'db2')
        home.wait_seated('db2')
        for node in home.nodes:
            told = wait_until(lambda: board_agrees(node), 10, f'{node.name} to explain what it shows after the switch')
            assert any('switch by' in row['value'] for row in told[POOL]['inputs'] if row['name'] == 'why this one'), told[POOL]
        text = home.nodes[0].order('explain', POOL)
        assert text.startswith(f'chair {POOL}: db2 sits (since '), text


def test_an_order_is_told_before_it_is_given_and_then_heard():
    """`explain switch` changes nothing; its refusal is the refusal, and its plan is the move."""
    with Home().start() as home:
        leader = home.wait_leader()
        epoch = leader.pool()['epoch']
        home.pair['db2'].execute('STOP SLAVE SQL_THREAD')
        wait_until(lambda: one(leader, 'explain', 'switch', POOL, 'db2')['code'] == 'refused', 10, 'the refusal to be told')
        for node in home.nodes:
            wait_until(lambda: one(node, 'explain', 'switch', POOL, 'db2')['code'] == 'refused', 10, f'{node.name} to tell it')
            verdict = one(node, 'explain', 'switch', POOL, 'db2')['verdict']
            code, heard = node.ctl('switch', POOL, 'db2')
            assert code != 0 and heard.split('refused: ', 1)[1] == verdict.split('would be refused: ', 1)[1], (verdict, heard)
        home.pair['db2'].execute('START SLAVE SQL_THREAD')
        wait_until(lambda: one(leader, 'explain', 'switch', POOL, 'db2')['verdict'].startswith('would move'), 10, 'the switch to be possible')
        plan = explained_by_http(leader, f"explain?order={quote(f'switch {POOL} db2')}")[0]
        assert [step['step'] for step in plan['steps'] if step['state'] == 'to come'] == \
            ['approach', 'intend', 'fence', 'catch-up', 'seat', 'open'], plan['steps']
        assert leader.pool()['epoch'] == epoch and leader.seated() == 'db1'
        assert one(leader, 'plan')['verdict'] == 'nothing: who sits is well'
        leader.order('switch', POOL, 'db2')
        home.wait_seated('db2')


def test_a_lost_server_and_a_hold_are_told_with_what_would_help():
    """db2 held out, then killed: why it cannot sit, and which order would help, are told as they become true."""
    with Home().start() as home:
        leader = home.wait_leader()
        leader.order('maint', f'{POOL}/db2', 'because', 'disk', 'swap')
        held = one(leader, 'explain', f'{POOL}/db2')
        assert held['rule'] == 'held' and any(f'`ready {POOL}/db2`' in text for text in held['changes']), held
        assert any('disk swap' in row['value'] for row in held['inputs']), held['inputs']
        leader.order('ready', f'{POOL}/db2')
        home.pair['db2'].kill()
        lost = wait_until(lambda: next((row for row in one(leader, 'explain', POOL)['instead']
                                        if row['what'] == 'db2' and 'does not answer' in row['why_not']), None), 10, 'the loss to be told')
        print(lost)
        refused = one(leader, 'explain', 'switch', POOL, 'db2', 'force')
        assert refused['code'] == 'refused', refused


def test_an_haproxy_that_contradicts_is_named():
    """Nobody pushes, and somebody opens db2 by hand at the HAProxy: `explain lb1` says so, and since when."""
    with Home(keys={'HAProxyPush': False}).start() as home:
        leader = home.wait_leader()
        proxy = home.proxies[0]
        wait_until(lambda: one(leader, 'explain', 'lb1')['verdict'] == 'it does what the board says', 10, 'the view to agree')
        proxy.ask(f'disable agent {POOL}/db2')
        proxy.ask(f'disable health {POOL}/db2')
        proxy.ask(f'set server {POOL}/db2 state ready')
        proxy.ask(f'set server {POOL}/db2 health up')
        told = wait_until(lambda: (lambda found: found if found['instead'] else None)(one(leader, 'explain', 'lb1')), 10,
                          'the contradiction to be told')
        assert told['verdict'] == 'it contradicts the board on 1 server' and told['since'], told
        assert told['instead'][0]['what'] == f'{POOL}/db2', told


def test_what_does_not_exist_is_answered_with_what_does():
    """One clear sentence, at the socket and over HTTP, and a code that says not found."""
    with Home(nodes=1).start() as home:
        node = home.nodes[0]
        code, text = node.ctl('explain', 'nowhere')
        assert code != 0 and f"nothing here is called 'nowhere'; there is {POOL}, fc_leader, lb1, leader, and any order" in text, text
        code, text = node.ctl('explain', 'switch', POOL)
        assert code != 0 and 'the server is missing' in text, text
        assert "nothing here is called 'nowhere'" in node.get('/api/steering/explain/nowhere')[1]
        code, text = node.ctl('explain', 'switch', POOL, 'db9')
        assert code == 0 and 'would be refused: pool fc_backend has no server db9' in text, text
