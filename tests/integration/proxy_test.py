"""The real HAProxy with the file that `firstchair haproxy-config` prints: boot, reload, two proxies, and a node that freezes."""
import http.client
import threading
import time

from stage import Home, differs_for_sure, limit, stays, wait_until
from stage.home import POOL


def test_haproxy_finds_nothing_to_warn_about():
    """`haproxy -c` on the printed file: exit code 0, no warning."""
    with Home() as home:
        home.configure()
        proxy = home.proxies[0]
        proxy.configure(home.print_proxy_config(proxy))
        code, text = proxy.check()
        assert code == 0, text
        assert 'WARNING' not in text and 'ALERT' not in text, text


def test_a_boot_without_any_node_serves_nobody():
    """HAProxy starts, no agent answers: no server is usable, for ever."""
    with Home() as home:
        home.pair.start()
        home.configure()
        proxy = home.proxies[0]
        proxy.configure(home.print_proxy_config(proxy))
        proxy.start()
        stays(lambda: proxy.usable(POOL) == [], 4, 'nobody is usable')


def test_a_reload_keeps_the_right_server():
    """Nodes alive: after a reload with the state file the seated server goes on; the other is never usable."""
    with Home().start() as home:
        proxy = home.proxies[0]
        writer = home.writer(interval_ms=5).start()
        writer.wait_writes(server_id=1, count=30)
        proxy.reload()
        stays(lambda: 'db2' not in proxy.usable(POOL), 3, 'db2 is not usable', every=0.01)
        wait_until(lambda: proxy.usable(POOL) == ['db1'], 5, 'db1 to be usable')
        writer.wait_writes(server_id=1)
        writer.stop()
        assert not home.pair['db2'].wrote()


@limit(120)
def test_a_reload_without_nodes_revives_nobody():
    """After a switch to db2 all nodes die, then HAProxy is reloaded: db1, which rests by maint, is not usable."""
    with Home().start() as home:
        home.nodes[0].order('switch', POOL, 'db2')
        home.wait_seated('db2')
        for node in home.nodes:
            node.kill()
        home.proxies[0].reload()
        stays(lambda: 'db1' not in home.proxies[0].usable(POOL), 5, 'db1 is not usable')


def test_both_haproxies_change_together():
    """Two HAProxies never use different servers while the chair moves, sampled all the time."""
    with Home(proxies=2).start() as home:
        looks, mixed = [home.views()], []

        def looked():
            looks.append(home.views())
            if differs_for_sure(*looks[-2:]):
                mixed.append(looks[-2:])
            return all(view == ['db2'] for view in looks[-1].values())
        order = threading.Thread(target=home.nodes[0].ctl, args=('switch', POOL, 'db2'))
        order.start()
        wait_until(looked, 30, 'both HAProxies to use db2', every=0.001)
        order.join()
        assert not mixed, mixed


@limit(120)
def test_a_frozen_node_costs_no_session():
    """The relay's first node freezes: the others speak, the standing session lives on."""
    with Home().start() as home:
        writer = home.writer(interval_ms=5).start()
        writer.wait_writes(server_id=1, count=30)
        home.nodes[0].freeze()
        time.sleep(5)                                        # longer than every bound of the token check
        home.nodes[0].thaw()
        writer.wait_writes(server_id=1)
        broken = [write for write in writer.stop() if write.verdict not in ('ok', 'session')]
        assert not broken, broken[:3]


def test_a_frozen_haproxy_wakes_to_the_truth():
    """HAProxy sleeps through a switch: what it still sends to the old server is refused by read_only; then it follows."""
    with Home(proxies=2).start() as home:
        sleeper = home.writer('sleeper', 1, interval_ms=5).start()
        sleeper.wait_writes(server_id=1, count=30)
        home.proxies[1].freeze()
        home.nodes[0].ctl('switch', POOL, 'db2')
        wait_until(lambda: home.pair.writable() == ['db2'], 40, 'db2 to be opened')
        home.proxies[1].thaw()
        sleeper.wait_writes(server_id=2)
        sleeper.stop()
        home.pair.wait_level()
        both = {row[:2] for row in home.pair['db1'].wrote()} & {row[:2] for row in home.pair['db2'].wrote()}
        assert not both, both


def test_the_view_is_read_back():
    """Every node's picture shows what each HAProxy really does with each server."""
    with Home(proxies=2).start() as home:
        def shown():
            for node in home.nodes:
                for one in node.pool()['servers']:
                    views = {view['proxy']: view['is_usable'] for view in one['views'] if view['is_known']}
                    if views != {proxy.name: one['name'] == 'db1' for proxy in home.proxies}:
                        return False
            return True
        wait_until(shown, 10, 'all nodes to show the view of both HAProxies')


def test_the_leader_pool_follows_the_leader():
    """HTTP through HAProxy reaches the node that leads; after its death the next one."""
    with Home().start() as home:
        def through():
            line = http.client.HTTPConnection('127.0.0.1', home.proxies[0].leader_port, timeout=4)
            line.request('GET', '/api/leader-check')
            return line.getresponse().status
        leader = home.wait_leader()
        wait_until(lambda: home.proxies[0].usable('fc_leader') == [leader.name], 10, 'only the leader to be usable')
        assert through() == 200
        leader.kill()
        successor = home.wait_leader(other_than=leader)
        wait_until(lambda: home.proxies[0].usable('fc_leader') == [successor.name], 10, 'the new leader to be usable')
        assert through() == 200
