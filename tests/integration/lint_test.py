"""`firstchair lint-haproxy` beside the real HAProxy: good files are good for both, bad ones are named with their line."""
import os
import re
import secrets

from stage import Haproxy, Home, Nest
from stage.node import ROOT, run_firstchair
from stage.home import POOL

EXAMPLES = os.path.join(ROOT, 'examples')

# A file as it grows in a house: everything in words of its own, and nothing wrong with it.
GROWN = '''
global
    log stdout format raw local0
    stats socket {folder}/admin.sock user root mode 600 level admin
    server-state-file "{folder}/server-state"
    max-spread-checks 10
    hard-stop-after 5s
defaults base
    mode tcp
    timeout connect 1s
    timeout client  1h
    timeout server  1h
    load-server-state-from-file global
defaults relayed from base
    option redispatch 1
    retries 1
defaults web from base
    mode http
    option forwardfor
    timeout http-request 5s
frontend relay_in from base
    bind 127.0.0.1:{relay}
    default_backend relay
backend relay from relayed
    balance first
    timeout check 100ms
    option tcp-check
    tcp-check connect
    tcp-check send-lf "%[env(HAPROXY_LOCALPEER)] voice\\n"
    tcp-check expect string fc-voice
    default-server inter 100 fall 2 rise 1 check
    server fc1 127.0.0.1:{agent1}
    server fc2 127.0.0.1:{agent2}
listen fc_backend from base
    bind 127.0.0.1:{door}
    balance first
    tcp-request inspect-delay 2s
    tcp-request content accept if {{ nbsrv(fc_backend) gt 0 }} or WAIT_END
    option tcp-check
    timeout check 100ms
    tcp-check connect addr 127.0.0.1 port {relay}
    tcp-check send-lf "%[env(HAPROXY_LOCALPEER)] fc_backend/%[srv_name]\\n"
    tcp-check expect comment "the token" string fc-ok
    default-server weight 100 check inter 300 fall 5 rise 1 agent-addr 127.0.0.1 agent-port {relay} agent-inter 200
    default-server disabled on-marked-down shutdown-sessions
    server db1 127.0.0.1:{db1} agent-check agent-send "${{HAPROXY_LOCALPEER}} fc_backend/db1\\n"
    server db2 127.0.0.1:{db2} agent-check agent-send "${{HAPROXY_LOCALPEER}} fc_backend/db2\\n"
'''

KEYS = '''{{"NodeName": "fc1", "Nodes": ["fc1=127.0.0.1:3000/{agent1}", "fc2=127.0.0.1:3001/{agent2}"],
"BackendServers": ["db1=127.0.0.1:{db1}", "db2=127.0.0.1:{db2}"], "MySQLOrchestratorUser": "store", "BackendFenceUser": "fence",
"HAProxyInstances": ["lb1={folder}/admin.sock"], "RelayListen": "127.0.0.1:{relay}"}}'''


def lint(config, *paths):
    """(exit code, findings as text, last line)"""
    code, told, errors = run_firstchair('lint-haproxy', '--config', config, *paths)
    assert told, errors
    return code, told, told.strip().splitlines()[-1]


def examples():
    os.environ.update({name: secrets.token_hex(8) for name in ('FC_STORE_PASSWORD', 'FC_FENCE_PASSWORD')})
    for example in ('semi-ha', 'shared-mysql'):
        yield os.path.join(EXAMPLES, example)


def test_the_examples_have_no_finding():
    """Every examples/*/haproxy.cfg with each of its nodes' configurations, and with the site's own file beside it."""
    for folder in examples():
        for name in ('fc1', 'fc2', 'fc3'):
            code, told, last = lint(f'{folder}/{name}.conf.json', f'{folder}/haproxy.cfg', f'{EXAMPLES}/systemd/site.cfg')
            assert code == 0 and last.endswith('haproxy.cfg: 0 errors, 0 warnings, 0 hints') and told.count('\n') == 1, told


def test_a_grown_file_is_good_for_haproxy_and_for_the_lint():
    """Named defaults, `listen`, a relay of two sections, other words for the same: `haproxy -c` accepts it, the lint only says what is so."""
    with Nest() as nest:
        proxy = Haproxy(nest, 'lb1')
        words = {'folder': proxy.folder, 'relay': proxy.relay_port, 'door': proxy.backend_port, 'agent1': 19377, 'agent2': 29377,
                 'db1': 13306, 'db2': 23306}
        proxy.configure(GROWN.format(**words))
        code, told = proxy.check()
        assert code == 0 and 'WARNING' not in told.upper(), told
        config = nest.write('firstchair.json', KEYS.format(**words))
        code, told, last = lint(config, proxy.config)
        assert code == 0 and last == f'{proxy.config}: 0 errors, 0 warnings, 1 hint', told
        assert '[one-pool]' in told, told


def test_what_haproxy_accepts_can_still_be_wrong():
    """Each bad line passes `haproxy -c`, and is named by the lint with its line and an exit code of its own."""
    bad = ((r' disabled on-marked', ' on-marked', 'not-disabled', 'error'), ('fall 5', 'fall 50', 'token-slow', 'error'),
           ('fc_backend/db2\\n', 'fc_backend/db1\\n', 'agent-send-target', 'error'), ('    hard-stop', '    # hard-stop', 'hard-stop-missing', 'error'),
           ('disabled', 'disabled maxconn 50', 'writer-maxconn', 'warning'), ('level admin', 'level user', 'socket-level', 'warning'))
    with Nest() as nest:
        proxy = Haproxy(nest, 'lb1')
        words = {'folder': proxy.folder, 'relay': proxy.relay_port, 'door': proxy.backend_port, 'agent1': 19377, 'agent2': 29377,
                 'db1': 13306, 'db2': 23306}
        config = nest.write('firstchair.json', KEYS.format(**words))
        for before, after, word, severity in bad:
            text = GROWN.format(**words)
            assert before in text, before
            proxy.configure(text.replace(before, after))
            assert proxy.check()[0] == 0, proxy.check()
            code, told, _ = lint(config, proxy.config)
            found = [line for line in told.splitlines() if line.endswith(f'[{word}]')]
            assert code == 13 and found and f': {severity}: ' in found[0], (word, told)
            if severity != 'error' or word != 'hard-stop-missing':
                assert re.match(r'.*/haproxy\.cfg:\d+: ', found[0]), found


def test_what_cannot_be_read_is_one_sentence():
    """A quote that is not closed, no file, no argument: an exit code of 2 or 3 and what is wrong; standard input is read as `-`."""
    with Nest() as nest:
        config = nest.write('firstchair.json', '{}')
        path = nest.write('bad.cfg', 'global\n  daemon\n  log "stdout\n')
        code, told, errors = run_firstchair('lint-haproxy', '--config', config, path)
        assert code == 2 and not told and f'{path}:3: a quote is not closed' in errors, (code, told, errors)
        code, told, errors = run_firstchair('lint-haproxy', '--config', config, '/nowhere/haproxy.cfg')
        assert code == 3 and not told and '/nowhere/haproxy.cfg' in errors, (code, told, errors)
        code, _, errors = run_firstchair('lint-haproxy', '--config', config)
        assert code == 2 and 'haproxy.cfg' in errors, (code, errors)


def test_the_files_of_a_home_with_two_proxies_are_clean_and_a_drifted_copy_is_not():
    """What the stage prints for its HAProxies has no finding with each node's own configuration; with one server swapped it has."""
    with Home(proxies=2) as home:
        home.configure()
        for proxy in home.proxies:
            proxy.configure(home.print_proxy_config(proxy))
            for node in home.nodes:
                code, told, _ = lint(node.config, proxy.config)
                assert code == 0, told
        proxy = home.proxies[0]
        text = open(proxy.config).read()
        swapped = text.replace(f'127.0.0.1:{home.pair["db1"].port} ', 'SWAP ').replace(
            f'127.0.0.1:{home.pair["db2"].port} ', f'127.0.0.1:{home.pair["db1"].port} ').replace(
            'SWAP ', f'127.0.0.1:{home.pair["db2"].port} ')
        path = home.nest.write('swapped.cfg', swapped)
        code, told, _ = lint(home.nodes[0].config, path)
        assert code == 13 and told.count('[server-address]') == 2 and f'{POOL}/db1 has another address' in told, told
