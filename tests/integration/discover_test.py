"""`firstchair discover`: from one seed to everybody who replicates with it, on real servers."""
import json

from stage import Nest, Server
from stage.fleet import CHAIN, LOOKER, LOOKS, PASSWORD, fleet_of
from stage.node import run_firstchair


def test_a_chain_is_found_from_its_last_server_and_a_dead_one_is_said():
    """Three servers in a row, the last one named: all are printed, each below its master. Then the middle one dies."""
    with Nest() as nest:
        chain = fleet_of(nest, CHAIN)
        account = nest.write('topo.cnf', f'[client]\nuser=topo\npassword={PASSWORD}\n')
        config = nest.write('look.conf.json', json.dumps({'MySQLTopologyCredentialsConfigFile': account, 'MySQLHostnameResolveMethod': 'none'}))
        code, told, errors = run_firstchair('discover', '--config', config, chain[2].address, timeout=60)
        lines = told.splitlines()
        assert code == 0 and len(lines) == 3, (code, told, errors)
        for line, prefix, server in zip(lines, ('', '+ ', '  + '), chain):
            assert line.startswith(f'{prefix}{server.address} '), told
            assert ',ok,' in line and ',ro,STATEMENT,>>' in line, told

        chain[1].kill()
        code, told, errors = run_firstchair('discover', '--config', config, chain[2].address, timeout=60)
        lines = told.splitlines()                  # who is above the dead one, nobody who lives can tell
        assert code == 13 and len(lines) == 2 and lines[0].startswith(chain[1].address), (code, told, errors)
        assert '[unknown,invalid]' in lines[0] and lines[1].startswith(f'- {chain[2].address} '), told
        assert chain[1].address in errors and PASSWORD not in told + errors, errors


def test_tls_is_used_where_a_server_refuses_without_it():
    """An account that requires TLS: seen under the preset, with the authority's file; not without TLS; not when the authority is another."""
    with Nest() as nest:
        server = Server(nest, 'db1', 1)
        server.certify('cert', 'other')
        server.start()
        server.execute(f"SET SESSION sql_log_bin=0; CREATE USER topo@'{server.place.accounts}' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL; "
                       f"GRANT {LOOKER} ON *.* TO topo@'{server.place.accounts}'")
        base = {**LOOKS, 'MySQLTopologySSLCAFile': f'{server.folder}/cert.pem'}
        for changes, code, sentence in (({}, 0, ''),
                                        ({'MySQLTopologyUseMutualTLS': True}, 0, ''),
                                        ({'MySQLTopologyUseMixedTLS': False}, 13, 'Access denied'),
                                        ({'MySQLTopologySSLCAFile': f'{server.folder}/other.pem'}, 13, 'TLS/SSL error'),
                                        ({'MySQLTopologySSLCAFile': '', 'MySQLTopologySSLSkipVerify': True}, 0, '')):
            config = nest.write('look.conf.json', json.dumps({**base, **changes}))
            got, told, errors = run_firstchair('discover', '--config', config, server.address, timeout=60)
            assert got == code and sentence in errors and PASSWORD not in told + errors, (changes, got, told, errors)


def test_what_is_missing_is_one_sentence():
    """No account, no seed, a seed that is none: exit code 2 and what would be right."""
    with Nest() as nest:
        bare = nest.write('bare.conf.json', '{}')
        config = nest.write('look.conf.json', json.dumps({'MySQLTopologyUser': 'topo'}))
        for words, sentence in ((('--config', bare, 'db1'), 'MySQLTopologyUser is not set'),
                                (('--config', config), 'discover needs a server to begin with'),
                                (('--config', config, 'db1:0'), "'db1:0' is no server")):
            code, told, errors = run_firstchair('discover', *words)
            assert code == 2 and sentence in errors and len(errors.splitlines()) == 1 and told == '', (code, errors)
