"""A firstchair node of the stage: its configuration file, its process, its order socket and its HTTP door."""
import http.client
import json
import os
import re
import subprocess

from .nest import free_port
from .net import LOOPBACK
from .waits import StageFailure, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVER_WAS_SLOW = re.compile(r'took (longer than the|the whole) bound|does not answer \(silent\)|nobody sits in sight|the row has changed meanwhile')


def program(name):
    """Path of one of our executables in the build that FC_BUILD names (default: build/dev)."""
    path = os.path.join(ROOT, os.environ.get('FC_BUILD', 'build/dev'), 'agent', name)
    if not os.access(path, os.X_OK):
        raise StageFailure(f'{path} is not built')
    return path


class Node:
    def __init__(self, nest, name, place=LOOPBACK):
        self.nest, self.name, self.place = nest, name, place
        self.folder = nest.folder(name)
        self.http_port, self.agent_port = free_port(), free_port()
        self.order_socket = f'{self.folder}/order.sock'
        self.config = f'{self.folder}/firstchair.json'
        self.log = f'{self.folder}/firstchair.log'
        self.child = None
        self.tls = None                              # under UseSSL: how the stage itself speaks to it (ssl.SSLContext)

    @property
    def address(self):
        return f'{self.name}={self.place.host}:{self.http_port}/{self.agent_port}'

    @property
    def pid(self):
        return self.child.pid

    def configure(self, keys):
        own = {'NodeName': self.name, 'ListenAddress': f'{self.place.host}:{self.http_port}',
               'AgentListenAddress': f'{self.place.host}:{self.agent_port}', 'OrderSocket': self.order_socket}
        if keys.get('RecordFile'):
            own['RecordFile'] = f'{self.folder}/events.log'
        self.nest.write(f'{self.name}/firstchair.json', json.dumps({**keys, **own}, indent=2) + '\n')

    def start(self, wait=True, env=None):
        self.child = self.nest.start(self.name, [program('firstchair'), 'serve', '--config', self.config], self.log, env=env,
                                     place=self.place)
        if wait:
            wait_until(self.listens, 15, f'{self.name} to answer on HTTP')
        return self

    def metric(self, name, timeout=2):
        """The figure of this name (with its labels); None: it is not told."""
        lines = self.get('/metrics', timeout)[1].splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(name + ' ')), None)

    def said(self):
        """Its log so far."""
        with open(self.log, encoding='utf-8') as log:
            return log.read()

    def listens(self):
        if not self.child.alive():
            raise StageFailure(f'{self.name} ended with code {self.child.process.returncode}: {self.child.tail(12)}')
        return self.get('/health/live')[0] == 200

    def alive(self):
        return self.child is not None and self.child.alive()

    def kill(self):
        self.child.kill()

    def freeze(self):
        self.child.freeze()

    def thaw(self):
        self.child.thaw()

    def stop(self):
        return self.child.stop()

    def get(self, path, timeout=2):
        """(HTTP status, text)."""
        line = (http.client.HTTPConnection(self.place.host, self.http_port, timeout=timeout) if self.tls is None else
                http.client.HTTPSConnection(self.place.host, self.http_port, timeout=timeout, context=self.tls))
        try:
            with self.place.inside():            # a look of the stage is made on the node's own host: no cut is in its way
                line.connect()
            line.request('GET', path)
            answer = line.getresponse()
            return answer.status, answer.read().decode(errors='replace')
        except http.client.HTTPException as error:
            raise ValueError(f'{self.name}{path}: {error!r}') from None
        finally:
            line.close()

    def picture(self):
        """The whole status as this node tells it."""
        code, text = self.get('/api/steering/status')
        if code != 200:
            raise ValueError(f'{self.name} /api/steering/status: {code} {text[:200]}')
        return json.loads(text)

    def pool(self, name='fc_backend'):
        return next(pool for pool in self.picture()['pools'] if pool['name'] == name)

    def seated(self, pool='fc_backend'):
        return self.pool(pool)['seated']

    def leads(self, timeout=0.5):
        return self.get('/api/leader-check', timeout)[0] == 200

    def ctl(self, *words, timeout=40):
        """`firstchairctl` on this node's socket: (exit code, what it printed)."""
        done = subprocess.run([program('firstchairctl'), '--socket', self.order_socket, *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout)
        return done.returncode, (done.stdout + done.stderr).strip()

    def order(self, *words):
        """An order that must be done; what was answered. Where this machine let a server answer so late that it counted as lost,
        it is given again when somebody sits: how slow the machine is, is no scene's subject."""
        for tries in range(3):
            code, text = self.ctl(*words)
            if code == 0:
                return text
            if tries == 2 or not SERVER_WAS_SLOW.search(text):
                raise StageFailure(f"{self.name}: order '{' '.join(words)}' ended with {code}: {text}")
            wait_until(self.seated, 30, 'somebody to sit again')


def run_firstchair(*words, timeout=20):
    """`firstchair` itself, for what prints and ends: (exit code, standard output, standard error)."""
    done = subprocess.run([program('firstchair'), *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=timeout)
    return done.returncode, done.stdout, done.stderr
