"""What HAProxy does against what the board says: an operator at HAProxy's own socket, pushes on and off, an HAProxy out of sight, one
that does not know a server. Every contradiction is said once by its HAProxy's name, and its end too.
"""
import time

from stage import Home, StageFailure, limit, stays, wait_until
from stage.home import POOL


def told(node, proxy, words):
    """How often this node noted so about this HAProxy."""
    return sum(note['subject'] == proxy.name and words in note['text'] for note in node.picture()['events'])


def wait_told(node, proxy, words, bound=10):
    wait_until(lambda: told(node, proxy, words), bound, f'{node.name} to note "{words}" about {proxy.name}')


def told_once(node, proxy, words):
    count = told(node, proxy, words)
    if count != 1:
        raise StageFailure(f'{node.name} noted "{words}" {count} times about {proxy.name}: {node.picture()["events"]}')


def drift_seconds(node, proxy, server):
    return node.metric(f'firstchair_view_drift_seconds{{proxy="{proxy.name}",pool="{POOL}",server="{server}"}}')


def test_a_maint_at_haproxys_socket_lasts_until_the_next_answer():
    """HAProxy has one flag for both: the next poll undoes maint, weight and agent down. Sessions are lost; our orders refuse instead."""
    with Home().start() as home:
        proxy = home.proxies[0]
        for number, command in enumerate(('state maint', 'state drain', 'weight 0', 'agent down')):
            writer = home.writer(f'w{number}').start()
            writer.wait_writes(server_id=1)
            proxy.ask(f'set server {POOL}/db1 {command}')
            began = time.monotonic()
            wait_until(lambda: proxy.usable(POOL) == ['db1'], 5, f'the next answer to undo `{command}`')
            print(f'`{command}` was undone after {(time.monotonic() - began) * 1000:.0f} ms at most')
            writer.wait_writes(server_id=1)
            writer.stop()
        code, text = home.nodes[0].ctl('maint', f'{POOL}/db1')
        assert code != 0 and 'switch' in text, (code, text)
        home.wait_seated('db1')


def test_what_an_operator_silences_is_pushed_back():
    """maint and `disable agent` on the seated server: said once, pushed by the leader, its end said; with `pause` it is left alone."""
    with Home(proxies=2).start() as home:
        first, second = home.proxies
        leader = home.wait_leader()
        second.ask(f'disable agent {POOL}/db1; set server {POOL}/db1 state maint')
        wait_told(leader, second, f'it does not use {POOL}/db1 (MAINT')
        wait_until(lambda: second.usable(POOL) == ['db1'], 5, 'the push to bring it back')
        wait_told(leader, second, 'it does what the board says again')
        told_once(leader, second, 'pushing what the board says')
        assert not told(leader, first, ''), 'the other HAProxy was named'
        leader.order('pause', POOL)
        wait_until(lambda: all(node.pool()['is_paused'] for node in home.nodes), 10, 'every node to know the pause')
        second.ask(f'set server {POOL}/db1 state maint')
        stays(lambda: second.usable(POOL) == [], 5, 'the operator has his way in a paused pool')
        second.ask(f'enable agent {POOL}/db1')
        leader.order('resume', POOL)
        home.wait_seated('db1')


def test_where_pushes_are_off_a_contradiction_is_an_alarm():
    """It is said once and not every two seconds, shown by status, explain and metrics, left alone, and its end is said."""
    with Home(proxies=2, keys={'HAProxyPush': False}).start() as home:
        first, second = home.proxies
        leader = home.wait_leader()
        second.ask(f'disable agent {POOL}/db1; set server {POOL}/db1 state maint')
        wait_told(leader, second, 'HAProxyPush is off')
        assert [note['level'] for note in leader.picture()['events'] if 'HAProxyPush is off' in note['text']] == ['alarm']
        stays(lambda: second.usable(POOL) == [] and first.usable(POOL) == ['db1'], 5, 'nobody pushes')
        told_once(leader, second, 'HAProxyPush is off')
        for node in home.nodes:
            assert drift_seconds(node, second, 'db1') > 5 and drift_seconds(node, first, 'db1') == 0
            assert 'against our word' in node.ctl('status')[1], node.ctl('status')[1]
            explained = node.ctl('explain', second.name)[1]
            assert 'contradicts the board' in explained and 'HAProxyPush is off' in explained, explained
        second.ask(f'enable agent {POOL}/db1')
        wait_told(leader, second, 'it does what the board says again')
        assert drift_seconds(leader, second, 'db1') == 0
        home.wait_seated('db1')


@limit(120)
def test_an_haproxy_out_of_sight_holds_up_nobody():
    """One of two is gone: every node says so once, a switch goes on as fast through the other; back, it is said and follows."""
    with Home(proxies=2).start() as home:
        gone = home.proxies[1]
        gone.kill()
        for node in home.nodes:
            wait_told(node, gone, 'its runtime socket does not answer')
        began = time.monotonic()
        home.nodes[0].order('switch', POOL, 'db2')
        print(f'switched in {time.monotonic() - began:.2f} s')
        home.wait_seated('db2')
        gone.start()
        for node in home.nodes:
            wait_told(node, gone, 'its runtime socket answers again')
            told_once(node, gone, 'its runtime socket does not answer')
        home.wait_seated('db2')


def bring_up_with(home, change):
    """The second HAProxy runs with a file that somebody changed."""
    home.pair.start()
    home.configure()
    for proxy in home.proxies:
        text = home.print_proxy_config(proxy)
        proxy.configure(change(text) if proxy is home.proxies[1] else text)
        proxy.start()
    for node in home.nodes:
        node.start(wait=False)
    for node in home.nodes:
        wait_until(node.listens, 20, f'{node.name} to answer on HTTP')
    wait_until(lambda: home.pair.writable() == ['db1'], 30, 'db1 to be opened')
    return home.wait_leader()


def without_db2(text):
    return ''.join(line for line in text.splitlines(True) if not line.startswith('  server db2 '))


def test_an_haproxy_that_does_not_know_a_server_is_named():
    """Its file lacks db2: said once with what to do, `explain` says it too; printed again and reloaded, that ends."""
    with Home(proxies=2) as home:
        leader = bring_up_with(home, without_db2)
        second = home.proxies[1]
        wait_told(leader, second, f'it does not know {POOL}/db2: print its file again')
        stays(lambda: told(leader, second, 'it does not know') == 1, 3, 'it is said once')
        explained = leader.ctl('explain', second.name)[1]
        assert "lacks 1 of the chair's servers" in explained and 'haproxy-config' in explained, explained
        second.configure(home.print_proxy_config(second))
        second.reload()
        wait_told(leader, second, f'it knows every server of {POOL} now')
        home.wait_seated('db1')


def test_an_haproxy_without_the_pool_is_named():
    """It has no such backend at all, perhaps a wrong BackendPool: said, and the other HAProxy is served on."""
    with Home(proxies=2) as home:
        leader = bring_up_with(home, lambda text: text.replace(POOL, 'other_pool'))
        wait_told(leader, home.proxies[1], f'it has no backend {POOL}')
        wait_until(lambda: home.proxies[0].usable(POOL) == ['db1'], 10, 'the first HAProxy to use db1')
