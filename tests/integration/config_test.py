"""Configuration files, good and bad, at start and at a reload."""
import json
import signal
import time

from stage import Single, stays, wait_until
from stage.node import run_firstchair

BAD = [
    ('{', 'not JSON'),
    ('{"BackendPollMilliseconds": "soon"}', 'BackendPollMilliseconds'),
    ('{"BackendPollMilliseconds": 5}', 'BackendPollMilliseconds'),
    ('{"BackendServers": ["db1"]}', 'BackendServers'),
    ('{"BackendDB": "oracle"}', 'BackendDB'),
    ('{"LeaseMilliseconds": 500, "LeaseRenewMilliseconds": 400}', 'LeaseRenewMilliseconds'),
    ('{"HTTPAuthPassword": "${FC_NO_SUCH_VARIABLE}"}', 'FC_NO_SUCH_VARIABLE'),
]


def test_each_bad_file_is_one_sentence_that_names_the_key():
    """`check-config` and `serve` refuse it: exit code, one line on standard error, no secret in it."""
    with Single() as house:
        for text, named in BAD:
            path = house.nest.write('bad.json', text)
            for verb in ('check-config', 'serve'):
                code, _, errors = run_firstchair(verb, '--config', path)
                assert code not in (0, None) and code > 0, (verb, text, code)
                told = [line for line in errors.splitlines() if line.strip()]
                assert named in errors or named == 'not JSON', (verb, text, errors)
                assert 1 <= len(told) <= 3, (verb, text, errors)


def test_a_missing_file_is_named():
    """The path that was asked for stands in the error."""
    code, _, errors = run_firstchair('serve', '--config', '/nowhere/firstchair.json')
    assert code > 0 and '/nowhere/firstchair.json' in errors, errors


def test_an_unknown_key_is_a_warning_with_a_hint():
    """A slip of the pen is named, with the key that was probably meant; the file is accepted."""
    with Single() as house:
        path = house.nest.write('slip.json', json.dumps({'BackendPolMilliseconds': 200}))
        code, out, errors = run_firstchair('check-config', '--config', path)
        assert code == 0, errors
        assert 'BackendPollMilliseconds' in out + errors, out + errors


def test_a_broken_reload_keeps_the_old():
    """SIGHUP with a broken file: one error in the log, the node goes on leading with what it had; mended, it is taken."""
    with Single(keys={'Debug': False}).start() as house:
        node = house.nodes[0]
        good = open(node.config).read()
        house.nest.write(f'{node.name}/firstchair.json', '{ "Debug": ')
        node.child.signal(signal.SIGHUP)
        wait_until(lambda: 'firstchair.json' in node.child.tail(50), 5, 'the error in the log')
        stays(node.leads, 2, 'the node leads')
        house.nest.write(f'{node.name}/firstchair.json', good.replace('"Debug": false', '"Debug": true'))
        before = len(node.child.tail(1000))
        node.child.signal(signal.SIGHUP)
        wait_until(lambda: len(node.child.tail(1000)) > before, 5, 'the reload in the log')
        assert node.alive()


def test_the_version_and_the_verbs_are_told():
    """`--version` and `--help` end with 0; an unknown verb does not."""
    code, out, _ = run_firstchair('--version')
    assert code == 0 and 'firstchair' in out, out
    assert run_firstchair('--help')[0] == 0
    code, _, errors = run_firstchair('sevre')
    assert code > 0 and 'sevre' in errors, errors


def test_flags_have_one_dash_or_two_and_stand_anywhere():
    """orchestrator's way: before the command, with one dash or two, with `=` or a blank; what is not meant so is not understood."""
    missing = '/nowhere/firstchair.json'
    for words in (['-config', missing, 'http'], ['--debug', f'-config={missing}', 'http'], ['http', '-quiet', '--config', missing]):
        code, _, errors = run_firstchair(*words)
        assert code > 0 and missing in errors, (words, errors)
    for words in (['-version'], ['-config', missing, '-version']):
        assert run_firstchair(*words)[0] == 0, words
    assert '-c COMMAND' in run_firstchair('help')[1]
    for word in ('-noop', '-discovery=false', '-configs'):
        code, _, errors = run_firstchair(word, 'http')
        assert code == 2 and f"'{word}' is not understood" in errors, errors


def test_commands_about_no_node_are_answered_by_the_program():
    """`-c dump-config` prints what `dump-config` prints; `redeploy-internal-db` and `continuous` say how it is."""
    with Single() as house:
        path = house.nest.write('asked.json', json.dumps({'HTTPAuthPassword': 'sesame', 'DefaultInstancePort': 3999}))
        code, told, errors = run_firstchair('-c', 'dump-config', '--config', path)
        assert code == 0 and json.loads(told)['DefaultInstancePort'] == 3999 and 'sesame' not in told, (told, errors)
        assert told == run_firstchair('dump-config', '--config', path)[1]
        code, told, _ = run_firstchair('-c', 'redeploy-internal-db', '--config', path)
        assert code == 0 and told.startswith('nothing is done now: '), told
        code, _, errors = run_firstchair('-c', 'continuous', '--config', path)
        assert code == 2 and '`firstchair serve`' in errors, errors


def test_secrets_stay_out_of_sight():
    """Passwords of the file are in no answer, no log and no process list."""
    secret = 'correct-horse-battery'
    with Single(keys={'HTTPAuthUser': 'me', 'HTTPAuthPassword': secret, 'RedisPassword': secret}).start() as house:
        node = house.nodes[0]
        time.sleep(0.5)
        seen = json.dumps(node.picture()) + node.get('/metrics')[1] + node.child.tail(1000) + node.ctl('status')[1]
        seen += open(f'/proc/{node.pid}/cmdline').read() + run_firstchair('check-config', '--config', node.config)[1]
        assert secret not in seen
