"""The event log of a real node, fed to a fresh core, gives the same effects byte for byte."""
import re

from stage import Home
from stage.home import POOL
from stage.node import run_firstchair


def digest_in(text):
    found = re.findall(r'(\d+) events, effects digest ([0-9a-f]{16})', text)
    assert found, text[-500:]
    return found[-1]


def test_an_incident_is_replayed_from_its_event_log():
    """Three nodes see a switch and a killed master; each one's log replays to the digest that the node itself printed."""
    with Home(keys={'RecordFile': 'each in its own folder'}).start() as home:
        home.nodes[1].order('switch', POOL, 'db2')
        home.wait_seated('db2')
        home.pair['db2'].kill()
        home.wait_seated('db1')
        told = ''
        for node in home.nodes:
            assert node.stop() == 0
            code, out, errors = run_firstchair('replay', f'{node.folder}/events.log')
            assert code == 0, errors
            assert digest_in(out) == digest_in(node.child.tail(50)), node.name
            told += out
        assert 'switch by' in told and 'db2 is gone' in told, told[-800:]


def test_a_damaged_log_is_refused():
    """Not a log, cut short, altered: a sentence and an exit code, no crash."""
    with Home(nodes=1, keys={'RecordFile': 'yes'}).start() as home:
        node = home.nodes[0]
        assert node.stop() == 0
        whole = open(f'{node.folder}/events.log', 'rb').read()
        for name, text in (('empty', b''), ('other', b'x' * 5000), ('altered', whole[:64] + b'\xff' * 200 + whole[264:])):
            path = home.nest.file(f'{name}.log')
            with open(path, 'wb') as file:
                file.write(text)
            code, _, errors = run_firstchair('replay', path)
            assert code == 2 and errors.strip(), (name, code, errors)
        path = home.nest.file('short.log')
        with open(path, 'wb') as file:
            file.write(whole[:len(whole) * 2 // 3])
        assert run_firstchair('replay', path)[0] == 0
