"""A HAProxy of the stage, run with the file that `firstchair haproxy-config` prints, and what its runtime socket says.

A reload does what the service unit must do: it writes the state file first, then starts the new process with -sf.
"""
import csv
import io
import os
import re
import socket
import subprocess

from .nest import free_port
from .net import LOOPBACK
from .waits import StageFailure, wait_until

PROGRAM = os.environ.get('FC_HAPROXY', 'haproxy')      # `./test newer-haproxy` names another one
MAINT, DRAINS = 1 | 2 | 32, 8 | 16        # not 4: `disabled` in the file, which stays set when the server is made ready
RUNNING = ('1', '2')


def version():
    """(major, minor) of the HAProxy that is run."""
    said = subprocess.run([PROGRAM, '-v'], capture_output=True, text=True, timeout=20).stdout
    return tuple(int(part) for part in re.search(r'version (\d+)\.(\d+)', said).groups())


class Haproxy:
    def __init__(self, nest, name, place=LOOPBACK):
        self.nest, self.name, self.place = nest, name, place
        self.folder = nest.folder(name)
        self.socket = f'{self.folder}/admin.sock'
        self.state_file = f'{self.folder}/server-state'
        self.backend_port, self.leader_port, self.relay_port = free_port(), free_port(), free_port()
        self.runtime_port = free_port()
        self.config = f'{self.folder}/haproxy.cfg'
        self.log = f'{self.folder}/haproxy.log'
        self.child = None

    def keys(self):
        """The configuration keys of firstchair that concern this HAProxy."""
        return {'HAProxySocket': self.socket, 'HAProxyStateFile': self.state_file,
                'BackendListen': f'{self.place.host}:{self.backend_port}', 'LeaderListen': f'{self.place.host}:{self.leader_port}',
                'RelayListen': f'127.0.0.1:{self.relay_port}', 'HAProxyDoorScript': f'{self.folder}/door.lua'}

    @property
    def runtime(self):
        """Where firstchair reaches the runtime socket: by TCP when this HAProxy is on a host of its own, so that a cut cuts it."""
        return f'{self.place.host}:{self.runtime_port}' if self.place.is_apart else self.socket

    def configure(self, text):
        if self.place.is_apart:
            text = text.replace('\nglobal\n', f'\nglobal\n  stats socket ipv4@{self.runtime} level admin\n', 1)
        self.nest.write(f'{self.name}/haproxy.cfg', text)
        if not os.path.exists(self.state_file):
            self.nest.write(f'{self.name}/server-state', '1\n')       # a state of nobody; without the file HAProxy warns

    def check(self):
        """What `haproxy -c` says: (exit code, text)."""
        done = subprocess.run([PROGRAM, '-c', '-f', self.config, '-L', self.name], capture_output=True, text=True, timeout=20)
        return done.returncode, (done.stdout + done.stderr).strip()

    def start(self, extra=()):
        self.child = self.nest.start(self.name, [PROGRAM, '-db', '-f', self.config, '-L', self.name, *extra], self.log,
                                     place=self.place)
        wait_until(self.listens, 10, f'{self.name} to listen')
        return self

    def listens(self):
        if not self.child.alive():
            raise StageFailure(f'{self.name} ended: {self.child.tail(15)}')
        return f'Pid: {self.child.pid}' in self.ask('show info').splitlines()

    def reload(self):
        """State file first, then a new process that takes over; the old one ends by itself (hard-stop-after)."""
        self.nest.write(f'{self.name}/server-state', self.ask('show servers state') + '\n')
        old = self.child
        self.start(['-x', self.socket, '-sf', str(old.pid)])      # its listening sockets too: nobody in their queue is turned away
        return old

    def alive(self):
        return self.child is not None and self.child.alive()

    @property
    def pid(self):
        return self.child.pid

    def kill(self):
        self.child.kill()
        if os.path.exists(self.socket):
            os.unlink(self.socket)

    def freeze(self):
        self.child.freeze()

    def thaw(self):
        self.child.thaw()

    def stop(self):
        return self.child.stop()

    def ask(self, command, timeout=2):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(timeout)
            line.connect(self.socket)
            line.sendall(command.encode() + b'\n')
            answer = b''
            while True:
                part = line.recv(65536)
                if not part:
                    return answer.decode(errors='replace').strip()
                answer += part

    def servers(self, pool):
        """name -> row of `show servers state`, by column name."""
        lines = self.ask(f'show servers state {pool}').splitlines()
        names = lines[1].lstrip('# ').split()
        rows = [dict(zip(names, line.split())) for line in lines[2:] if line.strip()]
        return {row['srv_name']: row for row in rows}

    def usable(self, pool):
        """The servers that this HAProxy would send a new connection to (neither maint nor drain, running, weight above 0)."""
        return [name for name, row in self.servers(pool).items()
                if not int(row['srv_admin_state']) & (MAINT | DRAINS)
                and row['srv_op_state'] in RUNNING and int(row['srv_uweight']) > 0]

    def statistics(self, pool):
        """server -> row of `show stat`, by column name."""
        rows = csv.DictReader(io.StringIO(self.ask('show stat').lstrip('# ')))
        return {row['svname']: row for row in rows if row['pxname'] == pool and row['svname'] not in ('FRONTEND', 'BACKEND')}
