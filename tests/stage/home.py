"""The modes of firstchair on real servers: the home mode (two masters behind HAProxy), one shared MySQL, and a single node.

Each is a `with`: what it starts is gone afterwards. When a scene fails inside it, the last lines of every log are printed first.
"""
import contextlib
import json
import os
import secrets
import sqlite3
import sys

from .haproxy import Haproxy
from .mariadb import DATABASE, GRANTS, Pair, Server
from .nest import Nest, free_port
from .net import LOOPBACK, Net
from .node import Node, run_firstchair
from .redis import Redis
from .traffic import Writer
from .waits import StageFailure, wait_until

POOL = 'fc_backend'
# What only a node that reaches the servers is told.
ACCOUNTS = ('MySQLOrchestratorUser', 'MySQLOrchestratorPassword', 'MySQLOrchestratorDatabase', 'BackendFenceUser', 'BackendFencePassword')


def node_names(count):
    return [f'fc{number + 1}' for number in range(count)]


class House:
    """What all modes share: a nest, nodes, and waiting for one leader."""

    def __init__(self, node_count, keys=None, hosts=None):
        """`hosts`: names of what gets a host of its own in a network that can be cut; without it all is on 127.0.0.1."""
        self.nest = Nest()
        self.net = Net(hosts) if hosts else None
        if self.net:
            self.nest.closers.append(self.net.close)
        self.nodes = [Node(self.nest, name, self.place(name)) for name in node_names(node_count)]
        self.extra = keys or {}

    def place(self, name):
        return self.net.place(name) if self.net else LOOPBACK

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _trace):
        if kind is None:
            self.end_well()
        elif issubclass(kind, Exception):
            print(f'{error}\n{self.nest.tails()}', file=sys.stderr)
        self.close()

    def end_well(self):
        """After a scene that went well the nodes are asked to end: each must do so with 0 (and a sanitizer may look at it)."""
        living = [node for node in self.nodes if node.alive()]
        for node in living:
            node.child.ask_to_end()
        codes = {node.name: node.child.wait_end() for node in living}
        if any(codes.values()):
            raise StageFailure(f'nodes that were asked to end did so with {codes}')

    def close(self):
        self.nest.close()

    def node(self, name):
        return next(node for node in self.nodes if node.name == name)

    def leaders(self):
        """The living nodes that say that they lead."""
        found = []
        for node in self.nodes:
            try:
                if node.alive() and node.leads():
                    found.append(node)
            except (OSError, ValueError):
                continue
        return found

    def wait_leader(self, bound=15, other_than=None):
        def one():
            found = [node for node in self.leaders() if node is not other_than]
            return found[0] if len(found) == 1 else None
        return wait_until(one, bound, 'exactly one node to lead' + (f' other than {other_than.name}' if other_than else ''))

    def led_by(self, name):
        """This node leads, by order where another one does."""
        if self.wait_leader().name != name:
            self.wait_leader().order('yield', 'to', name)
            wait_until(lambda: self.node(name) in self.leaders(), 10, f'{name} to lead')
        return self.node(name)

    def followers(self):
        leaders = self.leaders()
        return [node for node in self.nodes if node.alive() and node not in leaders]

    def everything(self):
        """Name -> what can be killed and started again."""
        return {node.name: node for node in self.nodes}


def differs_for_sure(before, after):
    """Of two looks at two HAProxies (Home.views), one look after the other: each asks one HAProxy after the other, and the chair may move
    in between. They differed for certain only where one said the same before and after the other one said something else."""
    if len(before) != 2 or before.keys() != after.keys():
        return False
    first, second = before
    return any(around and around == again and between and between[0] != around[0]
               for around, between, again in ((before[first], before[second], after[first]),
                                              (before[second], after[first], after[second])))


class Peers:
    """Raft between the nodes of a house: a port for each, one key, a directory for each."""

    def __init__(self, house, founders=None):
        """`founders`: who forms the group; the others may join it."""
        self.house, self.founders = house, founders or house.nodes
        self.ports = {node.name: free_port() for node in house.nodes}
        self.key = house.nest.file('peers.key')
        house.nest.write('peers.key', secrets.token_hex(32) + '\n')
        os.chmod(self.key, 0o600)

    def folder(self, node):
        return self.house.nest.file(f'{node.name}/raft')

    def place(self, node):
        """Where its peers reach it."""
        return f'{node.place.host}:{self.ports[node.name]}'

    def keys(self, node, place=None):
        """`place`: of a peer as this node reaches it; else where it lives."""
        known = [peer for peer in self.house.nodes if peer in self.founders or peer is node]
        return {'RaftEnabled': True, 'RaftNodes': [f'{peer.name}={(place or self.place)(peer)}' for peer in known],
                'RaftBind': self.place(node), 'RaftDataDir': self.folder(node), 'RaftPeerKeyFile': self.key}


class Home(House):
    """Two masters, HAProxies in front, three nodes; Redis when asked."""

    def __init__(self, nodes=3, proxies=1, redis=False, keys=None, is_apart=False, is_quorum=False, witness=None):
        """`witness`: the name of the node that is one; the quorum's, so it implies `is_quorum`. `is_apart`: each server, HAProxy and node on a host of its own (home.net cuts them), and one host for the clients.
        `is_quorum`: raft decides about the chair, else the pair itself."""
        names = [f'lb{number + 1}' for number in range(proxies)]
        super().__init__(nodes, keys, ['db1', 'db2', *names, *node_names(nodes), 'client'] if is_apart else None)
        self.pair = Pair(self.nest, place=self.place)
        self.proxies = [Haproxy(self.nest, name, self.place(name)) for name in names]
        self.redis = Redis(self.nest) if redis else None
        self.peers = Peers(self) if is_quorum or witness else None
        self.witness = self.node(witness) if witness else None

    def keys(self, proxy=None):
        passwords = self.pair.passwords
        keys = {
            'Nodes': [node.address for node in self.nodes],
            'BackendServers': [f'{server.name}={server.address}' for server in self.pair.servers],
            'MySQLOrchestratorUser': 'store', 'MySQLOrchestratorPassword': passwords['store'],
            'MySQLOrchestratorDatabase': DATABASE,
            'BackendFenceUser': 'fence', 'BackendFencePassword': passwords['fence'],
            'HAProxyInstances': [f'{proxy.name}={proxy.runtime}' for proxy in self.proxies],
        }
        if self.redis:
            keys['RedisAddress'] = self.redis.socket
        if proxy or self.proxies:
            keys.update((proxy or self.proxies[0]).keys())
        return {**keys, **self.extra}

    def own_keys(self, node):
        """What only this node is told."""
        role = {'Role': 'witness'} if node is self.witness else {}
        return {**(self.peers.keys(node) if self.peers else {}), **role}

    def configure(self):
        for node in self.nodes:
            keys = {**self.keys(), **self.own_keys(node)}
            if node is self.witness:
                keys = {key: value for key, value in keys.items() if key not in ACCOUNTS}
            node.configure(keys)

    @property
    def full_nodes(self):
        """All but the witness."""
        return [node for node in self.nodes if node is not self.witness]

    def print_proxy_config(self, proxy):
        """haproxy.cfg for this HAProxy, as firstchair prints it from a node's configuration with the proxy's own addresses."""
        node = self.nodes[0]
        node.configure({**self.own_keys(node), **self.keys(proxy)})
        code, text, errors = run_firstchair('haproxy-config', '--config', node.config)
        self.configure()
        if code != 0:
            raise StageFailure(f'firstchair haproxy-config ended with {code}: {errors}')
        code, script, errors = run_firstchair('haproxy-config', '--config', node.config, 'door.lua')
        self.nest.write(f'{proxy.name}/door.lua', script)
        return text

    def start_pair(self):
        self.pair.start()

    def start(self, settle=True):
        self.start_pair()
        if self.redis:
            self.redis.start()
        self.configure()
        for proxy in self.proxies:
            proxy.configure(self.print_proxy_config(proxy))
            proxy.start()
        for node in self.nodes:
            node.start(wait=False)
        for node in self.nodes:
            wait_until(node.listens, 20, f'{node.name} to answer on HTTP')
        if settle:
            self.settle()
        return self

    def settle(self):
        """db1 sits, as scenes begin. Where this machine let it answer so late that db2 was seated, it is given the chair."""
        seated = wait_until(lambda: next(iter({node.seated() for node in self.nodes} - {''}), None), 30, 'somebody to sit')
        if seated != 'db1':
            wait_until(self.pair.replicates, 30, 'both servers to replicate')
            self.wait_leader().order('switch', POOL, 'db1')
        self.wait_seated('db1')
        self.wait_leader()

    def views(self):
        """proxy name -> the servers that it would send a new session to."""
        return {proxy.name: proxy.usable(POOL) for proxy in self.proxies if proxy.alive()}

    def wait_seated(self, name, bound=30):
        """Every living node says that `name` sits, it is the only writable server, and every HAProxy sends sessions there only."""
        def agreed():
            told = {node.name: node.seated() for node in self.nodes if node.alive()}
            views, open_servers = self.views(), self.pair.writable()
            if set(told.values()) == {name} and all(view == [name] for view in views.values()) and open_servers == [name]:
                return True
            raise StageFailure(f'nodes say {told}, HAProxies use {views}, writable is {open_servers}')
        wait_until(agreed, bound, f'{name} to sit, for every node and every HAProxy', every=0.05)

    def writer(self, client='w1', proxy=0, **options):
        """A client through a HAProxy, by its number."""
        through = self.proxies[proxy]
        return Writer(self.nest, self.pair.app_file, through.backend_port, client, host=through.place.host,
                      place=self.place('client'), **options)

    def direct_writer(self, server, client, **options):
        """A client that passes by all HAProxies."""
        return Writer(self.nest, self.pair.app_file, server.port, client, host=server.place.host, place=self.place('client'),
                      **options)

    def other(self, name):
        return next(server for server in self.pair.servers if server.name != name)

    def everything(self):
        found = {server.name: server for server in self.pair.servers}
        found.update({proxy.name: proxy for proxy in self.proxies})
        found.update(super().everything())
        if self.redis:
            found['redis'] = self.redis
        return found


class Shared(House):
    """Three nodes on one MySQL: the first variation of semi-HA. No pool of its own; the lease row says who leads."""

    def __init__(self, nodes=3, keys=None):
        super().__init__(nodes, keys)
        self.server = Server(self.nest, 'store', 1, read_only=False)
        self.passwords = {user: secrets.token_hex(12) for user in GRANTS}

    def start(self, settle=True):
        self.server.start()
        self.server.set_up(self.passwords, secrets.token_hex(12))
        self.configure({})
        for node in self.nodes:
            node.start(wait=False)
        for node in self.nodes:
            wait_until(node.listens, 20, f'{node.name} to answer on HTTP')
        if settle:
            self.wait_leader()
        return self

    def configure(self, keys):
        for node in self.nodes:
            node.configure({
                'Nodes': [node.address for node in self.nodes],
                'MySQLOrchestratorHost': '127.0.0.1', 'MySQLOrchestratorPort': self.server.port,
                'MySQLOrchestratorDatabase': DATABASE, 'MySQLOrchestratorUser': 'store',
                'MySQLOrchestratorPassword': self.passwords['store'], **self.extra, **keys})


class Single(House):
    """One node on its own SQLite file."""

    def __init__(self, keys=None):
        super().__init__(1, keys)

    def start(self, settle=True):
        node = self.nodes[0]
        node.configure({'SQLite3DataFile': self.nest.file(f'{node.name}/firstchair.db'), 'Nodes': [node.address], **self.extra})
        node.start()
        if settle:
            self.wait_leader()
        return self


class Raft(House):
    """Three or five nodes that agree by raft, each with a SQLite file of its own."""

    def __init__(self, nodes=3, keys=None, is_apart=False, founders=None):
        """`is_apart`: each node on a host of its own (house.net cuts them). `founders`: so many form the group, the others may join it."""
        super().__init__(nodes, keys, node_names(nodes) if is_apart else None)
        self.founders = self.nodes[:founders or nodes]
        self.peers = Peers(self, self.founders)

    def peer_place(self, node):
        """Where its peers reach it."""
        return self.peers.place(node)

    def folder(self, node):
        return self.peers.folder(node)

    @staticmethod
    def raft_status(node):
        return json.loads(node.get('/api/raft-status')[1])

    def store(self, node):
        return self.nest.file(f'{node.name}/firstchair.db')

    def configure(self):
        for node in self.nodes:
            node.configure({'Nodes': [node.address for node in self.nodes], 'SQLite3DataFile': self.store(node), **self.peers.keys(node),
                            **self.extra})

    def start(self, settle=True):
        self.configure()
        for node in self.founders:
            node.start(wait=False)
        for node in self.founders:
            wait_until(node.listens, 20, f'{node.name} to answer on HTTP')
        if settle:
            self.wait_leader()
        return self

    def rows(self, node, table):
        """What this node's own store holds of a table that all hold in common."""
        with contextlib.closing(sqlite3.connect(f'file:{self.store(node)}?mode=ro', uri=True, timeout=5)) as line:
            return sorted(line.execute(f'select * from {table}').fetchall())

    def wait_same(self, bound=20):
        """Row by row the same on every living node."""
        def same():
            for table in ('firstchair_order', 'firstchair_history', 'firstchair_hold'):
                found = {node.name: self.rows(node, table) for node in self.nodes if node.alive()}
                if any(rows != next(iter(found.values())) for rows in found.values()):
                    raise StageFailure(f'{table}: ' + ', '.join(f'{name} has {len(rows)} rows' for name, rows in found.items()))
            return True
        wait_until(same, bound, 'the stores to hold the same rows')
