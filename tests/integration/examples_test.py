"""The shipped examples: read by firstchair, by HAProxy and by MariaDB, and free of passwords."""
import json
import os
import re
import secrets

from stage import Haproxy, Nest, Server, StageFailure
from stage.node import ROOT, run_firstchair

EXAMPLES = os.path.join(ROOT, 'examples')
SITES = 'two-sites-and-a-witness'
PAIRS = {'semi-ha': ('10.0.9.%', '10.0.1.%'), SITES: ('10.%.0.9', '10.%.0.1')}     # where nodes live, where servers
PASSWORDS = ('FC_STORE_PASSWORD', 'FC_FENCE_PASSWORD', 'FC_REPL_PASSWORD')


def read(*names):
    with open(os.path.join(EXAMPLES, *names), encoding='utf-8') as file:
        return file.read()


def configurations():
    """[(example, path of a node's configuration)]"""
    for example in sorted(os.listdir(EXAMPLES)):
        folder = os.path.join(EXAMPLES, example)
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if name.endswith('.conf.json'):
                yield example, os.path.join(folder, name)


def is_witness(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file).get('Role') == 'witness'


def set_passwords():
    """Random ones in the environment, where the configurations look for them."""
    for name in PASSWORDS:
        os.environ[name] = secrets.token_hex(12)
    return {name: os.environ[name] for name in PASSWORDS}


def filled(text, passwords):
    for name, password in passwords.items():
        text = text.replace('${' + name + '}', password)
    return text


def test_every_configuration_is_good():
    """`check-config` says good without a warning; without its passwords in the environment the file is refused by their name."""
    set_passwords()
    seen = list(configurations())
    assert {example for example, _ in seen} == {'single', 'shared-mysql', 'semi-ha', 'raft', SITES}, seen
    for example, path in seen:
        code, told, errors = run_firstchair('check-config', '--config', path)
        assert code == 0 and 'good, 0 warnings' in told, (path, code, told, errors)
    del os.environ['FC_FENCE_PASSWORD']
    code, _, errors = run_firstchair('check-config', '--config', os.path.join(EXAMPLES, 'semi-ha/fc1.conf.json'))
    assert code == 2 and 'FC_FENCE_PASSWORD' in errors, (code, errors)


def test_no_password_stands_in_an_example():
    """Every password is a ${NAME}; no account is identified by anything else."""
    for _, path in configurations():
        with open(path, encoding='utf-8') as file:
            for key, value in json.load(file).items():
                assert 'Password' not in key or re.fullmatch(r'\$\{[A-Z_]+\}', value), (path, key)
    for example, name in (('shared-mysql', 'grants.sql'), *((pair, name) for pair in PAIRS for name in ('grants.sql', 'replication.sql'))):
        for password in re.findall(r"(?:IDENTIFIED BY|MASTER_PASSWORD =) '([^']*)'", read(example, name)):
            assert re.fullmatch(r'\$\{[A-Z_]+\}', password), (example, name)


def test_every_haproxy_file_is_the_printed_one():
    """haproxy.cfg and door.lua equal what each node's configuration prints."""
    set_passwords()
    for example, path in configurations():
        if example == 'single' or is_witness(path):                   # no HAProxy there
            continue
        for name, words in (('haproxy.cfg', ()), ('door.lua', ('door.lua',))):
            code, printed, errors = run_firstchair('haproxy-config', '--config', path, *words)
            assert code == 0, (path, errors)
            if printed != read(example, name):
                raise StageFailure(f'examples/{example}/{name} is not what `firstchair haproxy-config --config '
                                   f'{os.path.basename(path)} {" ".join(words)}` prints: print it again')


def test_haproxy_takes_every_file_without_a_warning():
    """`haproxy -c`, with the site's own lines beside it, the paths put where the test may write."""
    for example in ('shared-mysql', 'semi-ha', 'raft', SITES):
        with Nest() as nest:
            proxy = Haproxy(nest, 'lb1')
            nest.write('lb1/door.lua', read(example, 'door.lua'))
            text = read(example, 'haproxy.cfg').replace('/etc/haproxy/door.lua', f'{proxy.folder}/door.lua')
            proxy.configure(text.replace('/run/haproxy/', f'{proxy.folder}/'))
            code, told = proxy.check()
            assert code == 0 and 'WARNING' not in told.upper(), (example, code, told)


def test_the_option_files_and_grants_of_the_pair_hold():
    """On a private MariaDB: closed after its start, STATEMENT, two accounts; `store` is bound by read_only, `fence` is not."""
    for example, (nodes, servers) in PAIRS.items():
        the_pair_holds(example, nodes, servers)


def the_pair_holds(example, nodes, servers):
    with Nest() as nest:
        passwords = set_passwords()
        for number, name in enumerate(('db1', 'db2'), 1):
            options = re.sub(r'(?m)^bind-address.*$', '', read(example, f'{name}.cnf'))
            server = Server(nest, name, 9, read_only=False, options=options).start()
            server.execute(filled(read(example, 'grants.sql'), passwords))
            seen = server.rows('SELECT @@server_id id, @@gtid_domain_id domain, @@read_only closed, @@binlog_format format, '
                               '@@auto_increment_offset first, @@log_slave_updates passes_on')[0]
            assert seen == {'id': str(number), 'domain': str(number), 'closed': '1', 'format': 'STATEMENT',
                            'first': str(number), 'passes_on': '1'}, seen
            grants = {user: str(server.rows(f"SHOW GRANTS FOR '{user}'@'{host}'"))
                      for user, host in (('store', nodes), ('fence', nodes), ('repl', servers))}
            assert 'READ_ONLY ADMIN' in grants['fence'] and 'READ_ONLY ADMIN' not in grants['store'] + grants['repl'], grants
            assert 'SUPER' not in ''.join(grants.values()), grants
            server.execute(filled(read(example, 'replication.sql'), passwords).replace('START SLAVE;', ''))


def test_the_grants_of_the_shared_store_hold():
    """On a private MariaDB they are accepted, and give `store` the schema and nothing else."""
    with Nest() as nest:
        server = Server(nest, 'store', 1, read_only=False).start()
        server.execute(filled(read('shared-mysql', 'grants.sql'), set_passwords()))
        grants = [next(iter(row.values())) for row in server.rows("SHOW GRANTS FOR 'store'@'10.0.9.%'")]
        assert len(grants) == 2 and 'USAGE' in grants[0] and '`firstchair`.*' in grants[1], grants
