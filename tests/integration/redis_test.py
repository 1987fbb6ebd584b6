"""What is published in Redis, and that Redis never delays anything."""
import json
import time

from stage import Home, wait_until
from stage.home import POOL
from stage.traffic import gap_ms

PREFIX = 'firstchair:'


def pool_in(redis):
    return json.loads(redis.ask('GET', f'{PREFIX}pool/{POOL}') or '{}')


def test_the_picture_is_published_and_runs_out():
    """Node and pool keys with a TTL; when a node is killed its key runs out."""
    with Home(redis=True, keys={'RedisTTLSeconds': 3}).start() as home:
        redis = home.redis
        wait_until(lambda: pool_in(redis).get('seated') == 'db1', 10, 'Redis to tell that db1 sits')
        for node in home.nodes:
            key = f'{PREFIX}node/{node.name}'
            wait_until(lambda: json.loads(redis.ask('GET', key) or '{}').get('node') == node.name, 5, f'{key} to be told')
            assert 0 < redis.ask('TTL', key) <= 3, redis.ask('TTL', key)
        victim = home.followers()[0]
        victim.kill()
        wait_until(lambda: redis.ask('GET', f'{PREFIX}node/{victim.name}') is None, 6, 'the key of the dead node to run out')


def test_a_switch_is_told_with_its_epoch():
    """The pool's key follows the chair, its epoch rises, and the stream has kept the event."""
    with Home(redis=True).start() as home:
        before = wait_until(lambda: pool_in(home.redis).get('epoch'), 10, 'an epoch in Redis')
        home.nodes[0].order('switch', POOL, 'db2')
        wait_until(lambda: pool_in(home.redis).get('seated') == 'db2', 5, 'Redis to tell that db2 sits')
        assert pool_in(home.redis)['epoch'] > before
        assert home.redis.ask('XLEN', f'{PREFIX}events') > 0


def test_a_frozen_redis_delays_nothing():
    """SIGSTOP of Redis: a switch is as quick as ever; awake again, Redis is told the present."""
    with Home(redis=True).start() as home:
        writer = home.writer(interval_ms=5).start()
        writer.wait_writes(server_id=1, count=30)
        home.redis.freeze()
        time.sleep(1.5)                                   # beyond the bound of one Redis command
        home.nodes[0].order('switch', POOL, 'db2')
        writer.wait_writes(server_id=2)
        print(f'gap {gap_ms(writer.stop()):.0f} ms')
        home.redis.thaw()
        wait_until(lambda: pool_in(home.redis).get('seated') == 'db2', 15, 'Redis to be told after it woke up')


def test_redis_is_killed_and_comes_back_empty():
    """Everything current is written again."""
    with Home(redis=True).start() as home:
        wait_until(lambda: pool_in(home.redis), 10, 'the pool in Redis')
        home.redis.kill()
        home.redis.start()
        wait_until(lambda: pool_in(home.redis).get('seated') == 'db1', 15, 'the pool in the new Redis')
