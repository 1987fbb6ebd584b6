"""TLS to the store: accounts that servers let in by TLS alone, on a pair and on one shared server."""
from stage import Home, Shared, limit, wait_until

POOL = 'fc_backend'


def text_of(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def insist(server, accounts):
    server.execute('SET SESSION sql_log_bin=0; ' + '; '.join(f"ALTER USER {name}@'{server.place.accounts}' REQUIRE SSL" for name in accounts))


class TlsHome(Home):
    """`store` and `fence` get in by TLS alone, on both servers."""

    def start_pair(self):
        for server in self.pair.servers:
            server.certify()
        authority = self.nest.write('authority.pem', ''.join(text_of(f'{server.folder}/cert.pem') for server in self.pair.servers))
        self.extra = {'MySQLOrchestratorUseMutualTLS': True, 'MySQLOrchestratorSSLCAFile': authority}
        super().start_pair()
        for server in self.pair.servers:
            insist(server, ('store', 'fence'))


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
        house.server.certify('cert', 'other')
        house.start(settle=False)
        insist(house.server, ('store',))
        node = house.nodes[0]
        for keys, sentence in (({}, 'Access denied'),
                               ({'MySQLOrchestratorUseMutualTLS': True, 'MySQLOrchestratorSSLCAFile': f'{house.server.folder}/other.pem'}, 'TLS/SSL error'),
                               ({'MySQLOrchestratorUseMutualTLS': True, 'MySQLOrchestratorSSLCAFile': f'{house.server.folder}/none.pem'}, 'TLS/SSL error')):
            assert node.stop() == 0, node.child.tail()
            since = len(node.said())
            house.configure(keys)
            node.start()
            wait_until(lambda text=sentence, begin=since: text in node.said()[begin:], 15, f'"{sentence}" for {keys}')
            assert not house.leaders()
        assert node.stop() == 0, node.child.tail()
        house.configure({'MySQLOrchestratorUseMutualTLS': True, 'MySQLOrchestratorSSLSkipVerify': True})
        node.start()
        house.wait_leader()
