"""One node on its own SQLite file."""
import json
import os
import time

from stage import Single, wait_until


def test_it_leads_at_once_and_is_healthy():
    """Leadership within a second of the start (no lease of a stranger to wait for); health says so."""
    with Single() as house:
        began = time.monotonic()
        house.start()
        took = time.monotonic() - began
        print(f'leads {took * 1000:.0f} ms after the start')
        assert took < 5, took
        node = house.nodes[0]
        code, text = wait_until(lambda: (lambda seen: seen if seen[0] == 200 else None)(node.get('/api/health')), 5, 'health 200')
        assert json.loads(text)['Code'] == 'OK', text
        assert node.get('/api/lb-check')[0] == 200
        assert node.get('/health/leader')[0] == 200


def test_the_file_is_private_and_survives():
    """Mode 0600; killed and started again, the node leads again, at a higher epoch."""
    with Single().start() as house:
        node = house.nodes[0]
        path = house.nest.file(f'{node.name}/firstchair.db')
        assert os.stat(path).st_mode & 0o077 == 0, oct(os.stat(path).st_mode)
        epoch = node.picture()['epoch']
        node.kill()
        node.start()
        house.wait_leader()
        assert node.picture()['epoch'] > epoch


def test_a_graceful_stop_ends_well():
    """SIGTERM: exit code 0 within two seconds, the order socket is gone."""
    with Single().start() as house:
        node = house.nodes[0]
        began = time.monotonic()
        assert node.stop() == 0, node.child.tail()
        assert time.monotonic() - began < 2
        assert not os.path.exists(node.order_socket)


def test_a_file_that_is_not_a_database_is_one_clear_sentence():
    """Garbage in the file: it says so, leads nothing, and does not crash."""
    with Single() as house:
        node = house.nodes[0]
        house.nest.write(f'{node.name}/firstchair.db', 'this is not a database, ' * 500)
        house.start(settle=False)
        time.sleep(1)
        assert node.alive(), node.child.tail()
        assert not node.leads()
        assert 'firstchair.db' in node.child.tail(), node.child.tail()
