"""A small network for a stage: one bridge, one network namespace per host, and links that can be cut and healed.

    net = Net(['db1', 'db2', 'client'])
    net.cut('db1', 'db2')                   neither hears the other
    net.cut('db1', 'db2', one_way=True)     db2 no longer hears db1
    net.isolate('db1')                      db1 hears nobody, nobody hears db1
    net.refuse('node', 'db1')               a firewall at db1 resets what node sends there, and node alone
    net.heal()

A cut is a drop in the receiving namespace: nothing is refused, so both sides see silence, as they would with a dead switch. The
bridge has a namespace too: nothing of this is seen outside. The names carry our pid; a net goes with its nest, and what a killed
program left behind is swept by the next one. Needs root, iproute2 and nftables; elsewhere a scene is skipped.
"""
import contextlib
import ctypes
import itertools
import os
import re
import shutil
import subprocess

from .waits import Skip, StageFailure

CLONE_NEWNET = 0x40000000
NETNS = '/run/netns'
NAME = re.compile(r'fcnet(\d+)x\d+-')
SUBNET = '10.77.0.'
CUTS = """table inet cuts {
  set silent { type ipv4_addr; }
  set refused { type ipv4_addr; }
  chain heard { type filter hook input priority 0; ip saddr @silent counter drop; ip saddr @refused meta l4proto tcp reject with tcp reset; }
}
"""
libc = ctypes.CDLL(None, use_errno=True)
numbers = itertools.count(1)


class Loopback:
    """Where a process of the stage lives when nobody gave it a place: here."""
    host, accounts = '127.0.0.1', '127.0.0.1'
    is_apart = False

    @contextlib.contextmanager
    def inside(self):
        yield


LOOPBACK = Loopback()


def move_to(namespace):
    if libc.setns(namespace, CLONE_NEWNET) != 0:
        raise StageFailure(f'entering a network namespace: {os.strerror(ctypes.get_errno())}')


class Place:
    """One host of the net: what is started or connected inside lives there, whatever file system and process tree it shares."""
    accounts = SUBNET + '%'                 # whom a database account lets in
    is_apart = True

    def __init__(self, name, namespace, host):
        self.name, self.namespace, self.host = name, namespace, host

    @contextlib.contextmanager
    def inside(self):
        """This thread, and what it starts meanwhile, is in the namespace; a socket that it makes stays there."""
        with open('/proc/thread-self/ns/net') as home, open(f'{NETNS}/{self.namespace}') as there:
            move_to(there.fileno())
            try:
                yield
            finally:
                move_to(home.fileno())


def run(*words, text=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=20)
    if done.returncode != 0:
        raise StageFailure(f"'{' '.join(words)}' ended with {done.returncode}: {done.stderr.strip()[:300]}")
    return done.stdout


def need_root():
    """Skips the scene where no namespaces can be made."""
    missing = [tool for tool in ('ip', 'nft') if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        raise Skip('network namespaces need root' + f', and {", ".join(missing)}' * bool(missing))
    name = f'fcnet{os.getpid()}x0-try'
    made = subprocess.run(['ip', 'netns', 'add', name], capture_output=True, text=True)
    if made.returncode != 0:
        raise Skip(f'network namespaces are not possible here: {made.stderr.strip()[:200]}')
    run('ip', 'netns', 'delete', name)


def remove(names):
    if names:
        subprocess.run(['ip', '-force', '-batch', '-'], input=''.join(f'netns delete {name}\n' for name in names),
                       capture_output=True, text=True, timeout=30)


def sweep():
    """Removes what programs that are gone have left."""
    found = ((name, NAME.match(name)) for name in (os.listdir(NETNS) if os.path.isdir(NETNS) else []))
    remove([name for name, ours in found if ours and not os.path.exists(f'/proc/{ours.group(1)}')])


class Net:
    def __init__(self, hosts):
        need_root()
        sweep()
        self.prefix = f'fcnet{os.getpid()}x{next(numbers)}-'
        self.places = {host: Place(host, self.prefix + host, f'{SUBNET}{number}') for number, host in enumerate(hosts, 1)}
        try:
            self.make()
        except BaseException:
            self.close()
            raise

    def make(self):
        switch = self.prefix + 'switch'
        run('ip', '-batch', '-', text=''.join(f'netns add {name}\n' for name in [switch, *(
            place.namespace for place in self.places.values())]))
        lines = ['link add bridge type bridge', 'link set bridge up']
        for number, (host, place) in enumerate(self.places.items(), 1):
            # a MariaDB server makes its identity of the hardware address: fixed, and different for each
            lines += [f'link add {host} type veth peer name eth0 address 02:00:00:00:00:{number:02x} netns {place.namespace}',
                      f'link set {host} master bridge', f'link set {host} up']
        with Place('switch', switch, '').inside():       # not `ip -netns`: that needs a root directory that is a mount point
            run('ip', '-batch', '-', text='\n'.join(lines) + '\n')
        for place in self.places.values():
            with place.inside():
                run('ip', '-batch', '-', text=f'address add {place.host}/24 dev eth0\nlink set lo up\nlink set eth0 up\n')
                run('nft', '-f', '-', text=CUTS)

    def place(self, name):
        return self.places[name]

    def __iter__(self):
        return iter(self.places)

    def add(self, place, kind, sources):
        hosts = ', '.join(source.host for source in sources)
        with place.inside():
            run('nft', 'add', 'element', 'inet', 'cuts', kind, f'{{ {hosts} }}')

    def deafen(self, place, sources):
        self.add(place, 'silent', sources)

    def refuse(self, a, b):
        """What a sends to b is answered by a reset, also on connections that stand; b sends to a as before."""
        self.add(self.places[b], 'refused', [self.places[a]])

    def cut(self, a, b, one_way=False):
        """What a sends no longer reaches b, and unless `one_way` the other way round."""
        self.deafen(self.places[b], [self.places[a]])
        if not one_way:
            self.deafen(self.places[a], [self.places[b]])

    def isolate(self, a):
        """Both ways, to and from everybody; what a says to itself it still hears."""
        others = [place for name, place in self.places.items() if name != a]
        self.deafen(self.places[a], others)
        for other in others:
            self.deafen(other, [self.places[a]])

    def heal(self):
        for place in self.places.values():
            with place.inside():
                run('nft', '-f', '-', text='flush set inet cuts silent\nflush set inet cuts refused\n')

    def dropped(self):
        """host -> packets that were not let in so far."""
        found = {}
        for name, place in self.places.items():
            with place.inside():
                counted = re.search(r'counter packets (\d+)', run('nft', 'list', 'table', 'inet', 'cuts'))
            found[name] = int(counted.group(1))
        return found

    def close(self):
        remove([name for name in os.listdir(NETNS) if name.startswith(self.prefix)] if os.path.isdir(NETNS) else [])
