"""What is remembered of moves, hand-overs and orders: by which server, in spite of what was away at the moment."""
import json
import re
import sqlite3

from stage import Home, Shared, Single, StageFailure, limit, wait_until

POOL = 'fc_backend'


def history(node, *words):
    """The document of `history`: lines newest first, and which servers were asked."""
    code, text = node.ctl('--json', 'history', *words)
    if code != 0:
        raise StageFailure(f"'history {' '.join(words)}' ended with {code}: {text}")
    return json.loads(text)['history']


def lines(node, kind, part='', *words):
    return [line for line in history(node, '200', *words)['lines'] if line['kind'] == kind and part in line['text']]


def wait_line(node, kind, part, bound=15):
    return wait_until(lambda: lines(node, kind, part), bound, f"{node.name} to remember a {kind} with '{part}'")[0]


def on_all(node, kind, part):
    return wait_until(lambda: [line for line in lines(node, kind, part) if line['is_on_all']], 15, f"'{part}' to be on every server")[0]


def test_a_switch_is_remembered_with_its_order_on_both_servers():
    """Move, order with who gave it and what was answered, hold, hand-over: at every node, by every door, on both servers."""
    with Home().start() as home:
        home.followers()[0].order('switch', POOL, 'db2')
        home.wait_seated('db2')
        home.nodes[0].order('maint', f'{POOL}/db1', 'because', 'disk')
        for node in home.nodes:
            move = on_all(node, 'move', 'db1 > db2: switch by')
            assert move['on'] == ['db1', 'db2'] and move['subject'] == POOL and move['epoch'] > 0, move
            order = on_all(node, 'order', f'switch {POOL} db2: db2 sits')['text']
            assert re.match(r'[^@\s]+@[^:\s]+: switch ', order), f'nobody gave it: {order}'
            assert on_all(node, 'order', f'maint {POOL}/db1 because disk: db1: maint')
            assert on_all(node, 'hold', 'db1: maint by')
            assert lines(node, 'leader', 'leads')
        node = home.nodes[0]
        code, text = node.get(f'/api/steering/history?limit=1&subject={POOL}', timeout=10)
        newest = json.loads(text)
        assert code == 200 and len(newest['lines']) == 1, text
        older = json.loads(node.get(f"/api/steering/history?limit=200&before={newest['next_before']}", timeout=10)[1])['lines']
        assert older and all(line['id'] < newest['lines'][0]['id'] for line in older), older
        assert not history(node, 'since', '2100-01-01')['lines']
        shown = node.order('history', '50', POOL)
        assert shown.index('db1 > db2: switch by') < shown.index('db1: maint by'), shown       # oldest first, for people


def test_a_refused_order_is_remembered_too():
    """Who wanted what, and why it was not done."""
    with Home(nodes=1).start() as home:
        node = home.nodes[0]
        code, heard = node.ctl('maint', f'{POOL}/db1')
        assert code != 0, heard
        line = wait_line(node, 'order', f'maint {POOL}/db1: refused: db1 sits')
        assert line['subject'] == POOL, line


@limit(120)
def test_a_move_past_a_dead_server_is_marked_until_that_is_back():
    """db1 is killed: the move is on db2 only, db1 is named as not asked; back again, both have it."""
    with Home().start() as home:
        leader = home.wait_leader()
        home.pair['db1'].kill()
        home.wait_seated('db2', 30)
        wait_line(leader, 'move', 'db1 > db2: db1 is gone')
        told = history(leader, '200')
        silent = next(server for server in told['servers'] if server['name'] == 'db1')
        assert not silent['has_answered'] and silent['text'], told['servers']
        assert 'db1 was not asked or did not answer' in leader.order('history', '200')
        home.pair['db1'].start()
        wait_until(lambda: lines(leader, 'move', 'db1 > db2: db1 is gone')[0]['on'] == ['db1', 'db2'], 30, 'db1 to have it too')


def test_a_line_that_one_server_lacks_is_marked():
    """db2 does not fetch: what is written meanwhile is shown as standing on db1 only; then it is not any more."""
    with Home(nodes=1).start() as home:
        node = home.nodes[0]
        home.pair['db2'].execute('STOP SLAVE')
        node.ctl('maint', f'{POOL}/db1')
        line = wait_until(lambda: [line for line in lines(node, 'order', 'refused') if line['on'] == ['db1']], 15, 'the line on db1 alone')[0]
        assert not line['is_on_all']
        assert '[only on db1]' in node.order('history')
        home.pair['db2'].execute('START SLAVE')
        on_all(node, 'order', 'refused')


@limit(120)
def test_a_dead_leader_is_succeeded_in_the_record():
    """The leader is killed: the next one writes after whom it leads, and whom it found seated."""
    with Home().start() as home:
        dead = home.wait_leader()
        dead.kill()
        leader = home.wait_leader(20, other_than=dead)
        line = on_all(leader, 'leader', f'{leader.name} leads after {dead.name}')
        assert 'found db1 seated' in line['text'] and line['node'] == leader.name, line


@limit(120)
def test_a_store_that_was_away_gets_what_happened_meanwhile():
    """The one shared MySQL is killed and started again: the leadership that followed is remembered once it answers."""
    with Shared().start() as house:
        leader = house.wait_leader()
        before = wait_line(leader, 'leader', 'leads')
        house.server.kill()
        wait_until(lambda: not house.leaders(), 20, 'nobody to lead')
        code, text = house.nodes[0].ctl('history')
        assert code != 0 and 'no server of the store answers' in text, text
        house.server.start()
        leader = house.wait_leader(30)
        wait_until(lambda: [line for line in lines(leader, 'leader', 'leads') if line['id'] > before['id']], 20, 'the new leadership')


def test_a_locked_file_delays_the_record_and_loses_nothing():
    """A single node: its SQLite file is locked by somebody for a while; what follows the lock is remembered in its order."""
    with Single().start() as house:
        node = house.nodes[0]
        first = wait_line(node, 'leader', 'fc1 leads')
        lock = sqlite3.connect(house.nest.file(f'{node.name}/firstchair.db'), timeout=20, isolation_level=None)
        lock.execute('BEGIN EXCLUSIVE')
        wait_until(lambda: not node.leads(), 20, 'the node to lead no more')
        lock.execute('ROLLBACK')
        lock.close()
        house.wait_leader(20)
        again = wait_until(lambda: [line for line in lines(node, 'leader') if line['id'] > first['id']], 20, 'the second leadership')[-1]
        assert 'leads' in again['text'] and again['is_on_all'], again
