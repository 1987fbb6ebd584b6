"""TLS to the store: accounts that servers let in by TLS alone, on a pair and on one shared server."""
import os
import subprocess

from stage import Home, Shared, limit, wait_until
from stage.nest import server_account

POOL = 'fc_backend'


def text_of(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def give_certificates(server, names=('cert',)):
    """A key and a certificate that is its own authority, for 127.0.0.1; the first one is the server's."""
    for name in names:
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', f'{server.folder}/{name}-key.pem',
                        '-out', f'{server.folder}/{name}.pem', '-days', '2', '-subj', f'/CN={server.name}', '-addext', 'subjectAltName=IP:127.0.0.1'],
                       check=True, capture_output=True, timeout=60)
        for path in (f'{server.folder}/{name}-key.pem', f'{server.folder}/{name}.pem'):
            if server_account() is not None:
                os.chown(path, *server_account())
    with open(server.options, 'a') as options:
        options.write(f'ssl_cert={server.folder}/{names[0]}.pem\nssl_key={server.folder}/{names[0]}-key.pem\n')


def insist(server, accounts):
    server.execute('SET SESSION sql_log_bin=0; ' + '; '.join(f"ALTER USER {name}@'{server.place.accounts}' REQUIRE SSL" for name in accounts))


class TlsHome(Home):
    """`store` and `fence` get in by TLS alone, on both servers."""

    def start_pair(self):
        for server in self.pair.servers:
            give_certificates(server)
        authority = self.nest.write('authority.pem', ''.join(text_of(f'{server.folder}/cert.pem') for server in self.pair.servers))
        self.extra = {'MySQLOrchestratorUseMutualTLS': True, 'MySQLOrchestratorSSLCAFile': authority}
        super().start_pair()
        for server in self.pair.servers:
            insist(server, ('store', 'fence'))


def log_of(node):
    return text_of(node.log)


@limit(120)
def test_a_pair_that_lets_nobody_in_without_tls_is_led_fenced_and_switched():
    """One leads, the chair moves there and back, a killed server is replaced and comes back second, and no session of ours was without TLS."""
    with TlsHome().start() as home:
        for there in ('db2', 'db1'):
            home.wait_leader().order('switch', POOL, there)
            home.wait_seated(there)
        home.pair['db1'].kill()
        wait_until(lambda: {node.seated() for node in home.nodes} == {'db2'}, 30, 'db2 to sit')
        home.pair['db1'].start()
        home.wait_seated('db2')
        for server in home.pair.servers:
            accepted = int(server.rows("SHOW GLOBAL STATUS LIKE 'Ssl_accepts'")[0]['Value'])
            assert accepted >= 2 * len(home.nodes), f'{server.name} was spoken to over TLS {accepted} times'


@limit(120)
def test_what_is_wrong_with_tls_is_one_sentence_and_nobody_leads():
    """One shared server: without the switch the account is refused, with another authority the server; without verifying it is believed."""
    with Shared(nodes=1) as house:
        give_certificates(house.server, ('cert', 'other'))
        house.start(settle=False)
        insist(house.server, ('store',))
        node = house.nodes[0]
        for keys, sentence in (({}, 'Access denied'),
                               ({'MySQLOrchestratorUseMutualTLS': True, 'MySQLOrchestratorSSLCAFile': f'{house.server.folder}/other.pem'}, 'TLS/SSL error'),
                               ({'MySQLOrchestratorUseMutualTLS': True, 'MySQLOrchestratorSSLCAFile': f'{house.server.folder}/none.pem'}, 'TLS/SSL error')):
            assert node.stop() == 0, node.child.tail()
            since = len(log_of(node))
            house.configure(keys)
            node.start()
            wait_until(lambda text=sentence, begin=since: text in log_of(node)[begin:], 15, f'"{sentence}" for {keys}')
            assert not house.leaders()
        assert node.stop() == 0, node.child.tail()
        house.configure({'MySQLOrchestratorUseMutualTLS': True, 'MySQLOrchestratorSSLSkipVerify': True})
        node.start()
        house.wait_leader()
