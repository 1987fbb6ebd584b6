"""The home mode with every way between two parties through a relay that can be cut: no root, no namespaces.

A way is (from, to), by name: db1 and db2 replicate through ('db1', 'db2') and ('db2', 'db1'), where `from` is who connects; nodes
and HAProxies reach servers and nodes each through ways of their own. Not cut: HAProxy's runtime sockets, which are files, and what
the stage itself asks.
"""
from .home import Home
from .relay import Relay


class RelayedHome(Home):
    def __init__(self, nodes=3, proxies=2, keys=None, is_quorum=False):
        super().__init__(nodes, proxies, keys=keys, is_quorum=is_quorum)
        self.relay, self.ways = Relay(), {}
        servers = self.pair.servers
        for server in servers:
            self.lead(server, self.other(server.name), 'port')
        for party in [*self.nodes, *self.proxies]:
            for server in servers:
                self.lead(party, server, 'port')
            for node in self.nodes:
                if node is not party:
                    self.lead(party, node, 'http_port', 'agent_port')
        for party in self.nodes if self.peers else ():
            for node in self.nodes:
                if node is not party:
                    self.ways[party.name, node.name]['raft'] = self.relay.link(party.name, node.name, self.peers.ports[node.name])

    def lead(self, source, target, *ports):
        self.ways[source.name, target.name] = {
            port: self.relay.link(source.name, target.name, getattr(target, port)) for port in ports}

    def port(self, source, target, name):
        way = self.ways.get((source.name, target.name))
        return way[name].port if way else getattr(target, name)      # a node names itself by its own doors

    def links(self, ways):
        return [link for way in ways for link in self.ways[way].values()]

    def ways_of(self, *names):
        """Every way that begins or ends at one of these and crosses to somebody else."""
        return [way for way in self.ways if (way[0] in names) != (way[1] in names)]

    def cut(self, ways, way='both', kind='keep'):
        self.relay.cut(self.links(ways), way, kind)

    def hold(self, ways, words, on_held):
        self.relay.hold(self.links(ways), words, on_held)

    def refuse(self, ways):
        self.relay.refuse(self.links(ways))

    def heal(self, ways=None):
        self.relay.heal(None if ways is None else self.links(ways))

    # what each party is told of the others

    def seen_by(self, viewer):
        return {
            'BackendServers': [f'{server.name}=127.0.0.1:{self.port(viewer, server, "port")}' for server in self.pair.servers],
            'Nodes': [f'{node.name}=127.0.0.1:{self.port(viewer, node, "http_port")}/{self.port(viewer, node, "agent_port")}'
                      for node in self.nodes]}

    def keys(self, proxy=None):
        return {**super().keys(proxy), **(self.seen_by(proxy) if proxy else {})}

    def own_keys(self, node):
        def of(peer):
            return f'127.0.0.1:{self.ways[node.name, peer.name]["raft"].port if peer is not node else self.peers.ports[peer.name]}'
        return {**self.seen_by(node), **(self.peers.keys(node, of) if self.peers else {})}

    def start_pair(self):
        self.pair.start(lambda server, other: self.port(server, other, 'port'))

    def close(self):
        super().close()
        self.relay.close()
