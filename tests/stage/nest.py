"""A nest: one private directory and the processes that live in it. Closing it leaves neither.

It closes at the end of a `with`, at exit, and on SIGINT, SIGTERM and SIGHUP; if even this program is killed, the kernel ends the
children for us (parent-death signal). Each child leads a process group of its own, so that a terminal's Ctrl-C reaches only us and
we end them in order. A nest is opened by the main thread: the parent-death signal is tied to the thread that forks.
"""
import atexit
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .net import LOOPBACK
from .waits import StageFailure, wait_until

PR_SET_PDEATHSIG = 1
STOP_BOUND = 10
os.environ['PATH'] += ':/usr/sbin:/sbin'          # where Debian puts the servers; not on everybody's path
libc = ctypes.CDLL(None, use_errno=True)
open_nests = []


def close_all():
    for nest in list(open_nests):
        nest.close()


def end_on_signal(number, _frame):
    for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(again, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def watch_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_on_signal)


atexit.register(close_all)


def server_account():
    """(uid, gid) for the database servers, which refuse to run as root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ('mysql', 'nobody'):
        try:
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
        except KeyError:
            continue
    raise StageFailure("no user 'mysql' or 'nobody' to run the database servers as")


def free_port(taken=set()):
    """A port of 127.0.0.1 that is free now and was not given out before by this program.

    Taken below the range that the kernel gives to outgoing connections, so that no client of ours can sit on it by chance.
    """
    low = int(open('/proc/sys/net/ipv4/ip_local_port_range').read().split()[0])
    span = range(max(1024, low - 12000), low) if low > 14000 else range(low, 60000)
    start = (os.getpid() * 61 + int(time.time() * 10) * 17) % len(span)
    for step in range(len(span)):
        port = span[(start + step) % len(span)]
        if port in taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(('127.0.0.1', port))
            except OSError:
                continue
        taken.add(port)
        return port
    raise StageFailure('no free port on 127.0.0.1')


class Child:
    """A started process and its log."""

    def __init__(self, name, process, log):
        self.name, self.process, self.log = name, process, log
        self.is_frozen = False

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        if self.alive():
            os.killpg(self.pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def freeze(self):
        """Over only when every thread stands still: until then a server takes what is said to it next, and ships it."""
        self.is_frozen = True
        self.signal(signal.SIGSTOP)
        wait_until(lambda: not self.alive() or self.stands_still(), 10, f'{self.name} to stand still', every=0.001)

    def stands_still(self):
        tasks = f'/proc/{self.pid}/task'
        try:
            return all(open(f'{tasks}/{task}/stat').read().rsplit(')', 1)[1].split()[0] in 'TtZX' for task in os.listdir(tasks))
        except (FileNotFoundError, ProcessLookupError):
            return False                      # a thread has ended meanwhile: looked at again

    def thaw(self):
        self.is_frozen = False
        self.signal(signal.SIGCONT)

    def ask_to_end(self):
        self.signal(signal.SIGTERM)
        if self.is_frozen:                    # never else: it upsets the leak sanitizer, which stops and traces at the end
            self.thaw()

    def stop(self, bound=STOP_BOUND):
        """Asks it to end (SIGTERM), kills it when it does not within the bound; its exit code."""
        self.ask_to_end()
        return self.wait_end(bound)

    def wait_end(self, bound=STOP_BOUND):
        try:
            return self.process.wait(bound)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.returncode

    def tail(self, lines=25):
        try:
            with open(self.log, errors='replace') as log:
                return ''.join(log.readlines()[-lines:])
        except OSError:
            return ''


class Nest:
    def __init__(self, name='firstchair'):
        if not open_nests:
            watch_signals()
        parent = os.environ.get('FC_STAGE_ROOT') or tempfile.gettempdir()
        self.path = tempfile.mkdtemp(prefix=name + '-', dir=parent)
        os.chmod(self.path, 0o711)            # the database user passes through; each folder in it is closed on its own
        self.children, self.closers = [], []
        open_nests.append(self)

    def folder(self, name, owner=None, mode=0o700):
        path = os.path.join(self.path, name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        if owner is not None:
            os.chown(path, *owner)
        return path

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text, mode=0o600, owner=None):
        """Replaced as a whole, so that a reader never sees half of it."""
        path = os.path.join(self.path, name)
        draft = path + '.new'
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), 'w') as file:
            file.write(text)
        os.chmod(draft, mode)
        if owner is not None:
            os.chown(draft, *owner)
        os.replace(draft, path)
        return path

    def start(self, name, argv, log, account=None, env=None, stdin=subprocess.DEVNULL, place=LOOPBACK):
        def tie_to_parent():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)

        who = {} if account is None else {'user': account[0], 'group': account[1], 'extra_groups': []}
        with open(log, 'ab') as sink, place.inside():
            process = subprocess.Popen(argv, stdin=stdin, stdout=sink, stderr=sink, process_group=0, cwd=self.path,
                                       preexec_fn=tie_to_parent, env=dict(os.environ, **(env or {})), **who)
        child = Child(name, process, log)
        self.children.append(child)
        return child

    def tails(self, lines=40, lines_of_servers=6):
        """The end of every log: more of firstchair's nodes, less of the servers around them."""
        return ''.join(f'--- last lines of {child.name} ({child.log})\n'
                       f'{child.tail(lines if child.name.startswith("fc") else lines_of_servers)}' for child in self.children)

    def close(self):
        if self not in open_nests:
            return
        for child in reversed(self.children):
            child.signal(signal.SIGKILL)
        for child in self.children:
            child.process.wait()
        for closer in self.closers:            # what its processes stood on
            closer()
        shutil.rmtree(self.path, ignore_errors=True)
        open_nests.remove(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
