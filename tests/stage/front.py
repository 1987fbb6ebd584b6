"""HAProxy alone, with the file that `firstchair haproxy-config` prints, between stand-ins: three nodes that say what they are told
to say, and two servers that tell each visitor their name. For scenes about HAProxy's own part, where a real node would mend the
trouble before it is seen.
"""
import json
import re
import subprocess

from .haproxy import Haproxy
from .home import POOL
from .nest import Nest, free_port
from .node import run_firstchair
from .standins import SILENT, Greeter, Session, Speaker, Standins, Visitors, spoken
from .waits import StageFailure, wait_until

SERVERS = ('db1', 'db2')


class Front:
    """A `with`. Until `seat` is called the nodes are there and neutral, as after their start."""

    def __init__(self, proxies=1, nodes=3, keys=None):
        self.nest, self.standins, self.keys = Nest(), Standins(), keys or {}
        self.node_count = nodes
        self.proxies = [Haproxy(self.nest, f'lb{number + 1}') for number in range(proxies)]
        self.old_processes = []

    def __enter__(self):
        self.standins.__enter__()
        self.words = {}
        self.nodes = [Speaker(self.standins, self.words).open() for _ in range(self.node_count)]
        self.servers = {name: Greeter(self.standins, name).open() for name in SERVERS}
        self.be_neutral()
        for proxy in self.proxies:
            proxy.configure(self.print_config(proxy))
        return self

    def __exit__(self, kind, error, _trace):
        if kind is not None:
            print(f'{error}\n{self.nest.tails()}')
        self.nest.close()
        self.standins.__exit__()

    @property
    def proxy(self):
        return self.proxies[0]

    def print_config(self, proxy):
        path = self.nest.write('firstchair.json', json.dumps({
            'NodeName': 'fc1', 'Nodes': [f'fc{number + 1}=127.0.0.1:{free_port()}/{node.port}'
                                         for number, node in enumerate(self.nodes)],
            'BackendServers': [f'{name}=127.0.0.1:{server.port}' for name, server in self.servers.items()],
            'MySQLOrchestratorUser': 'store', 'MySQLOrchestratorPassword': 'x', 'MySQLOrchestratorDatabase': 'firstchair',
            'BackendFenceUser': 'fence', 'BackendFencePassword': 'y',
            'HAProxyInstances': [f'{one.name}={one.socket}' for one in self.proxies], **proxy.keys(), **self.keys}))
        code, text, errors = run_firstchair('haproxy-config', '--config', path)
        if code != 0:
            raise StageFailure(f'firstchair haproxy-config ended with {code}: {errors}')
        code, script, errors = run_firstchair('haproxy-config', '--config', path, 'door.lua')
        self.nest.write(f'{proxy.name}/door.lua', script)
        return text

    # ---- what the nodes say ----

    def seat(self, name):
        """All nodes say that this one sits and the other rests."""
        for one in SERVERS:
            self.words[f'{POOL}/{one}'] = spoken('backend', 'first' if one == name else 'rest').line
        self.words['voice'] = spoken('none', 'voice').line

    def revoke(self):
        """All nodes say that nobody sits."""
        for one in SERVERS:
            self.words[f'{POOL}/{one}'] = spoken('backend', 'rest').line
        self.words['voice'] = spoken('none', 'voice').line

    def be_neutral(self, open_server=None):
        """As after the start of a node; with `open_server` as in a paused pool, where that one keeps the token."""
        for one in SERVERS:
            self.words[f'{POOL}/{one}'] = spoken('backend', 'neutral', token=one == open_server).line
        self.words['voice'] = spoken('none', 'voice').line
        self.words['*'] = spoken('none', 'stranger').line

    def be_silent(self):
        """The nodes accept and say nothing, as when they are frozen."""
        for target in list(self.words):
            self.words[target] = SILENT

    def die(self):
        for node in self.nodes:
            node.shut()

    def come_back(self):
        for node in self.nodes:
            node.open()

    # ---- what HAProxy does ----

    def start(self):
        for proxy in self.proxies:
            proxy.start()
        return self

    def wait_usable(self, names, bound=15):
        for proxy in self.proxies:
            wait_until(lambda: proxy.usable(POOL) == names, bound, f'{proxy.name} to use {names}')

    def patience(self, name, proxy=0):
        """(how many failed checks in a row are still borne, how many are when all is well)."""
        row = self.proxies[proxy].statistics(POOL)[name]
        return int(row['check_health']) - int(row['check_rise']), int(row['check_fall']) - 1

    def wait_patient(self, name, bound=10):
        """Usable, and the first check since it left maint has passed: until then one failure would take it out again."""
        self.wait_usable([name], bound)
        for number, proxy in enumerate(self.proxies):
            wait_until(lambda: len(set(self.patience(name, number))) == 1, bound, f'{proxy.name} to have checked {name}')

    def session(self, proxy=0):
        """A connection that is in: its name is known."""
        session = Session(self.standins, self.proxies[proxy].backend_port)
        if not session.told.wait(20) or session.name is None:
            raise StageFailure(f'no session through {self.proxies[proxy].name}')
        return session

    def visitors(self, every_ms=5, proxy=0):
        return Visitors(self.standins, self.proxies[proxy].backend_port, every_ms).start()

    def run_printed(self, unit_line):
        """Runs the command that the printed file gives for this line of a systemd unit."""
        with open(self.proxy.config) as file:
            found = re.search(rf"^#\s+{unit_line}=/bin/sh -c '(.*)'$", file.read(), re.MULTILINE)
        if found is None:
            raise StageFailure(f'the printed file has no {unit_line} line')
        subprocess.run(['/bin/sh', '-c', found.group(1)], check=True, timeout=10)

    def reload(self, state_file='kept'):
        """`kept` as the printed unit line writes it, `empty` when nobody wrote it."""
        if state_file == 'kept':
            self.run_printed('ExecReload')
        else:
            self.run_printed('ExecStartPre')
        old = self.proxy.child
        self.proxy.start(['-sf', str(old.pid)])
        self.old_processes.append(old)
