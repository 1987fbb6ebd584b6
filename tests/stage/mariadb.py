"""Servers of the stage (MariaDB's, or MySQL's: dialect.py): a template data directory made once and copied, one server, the pair of two masters.

The pair is what the home mode asks for: STATEMENT binlog, GTID, each server read_only in its option file, and the accounts of
docs/accounts.md. Passwords are random per run and stand in files of mode 0600, never on a command line.
"""
import fcntl
import os
import re
import secrets
import shutil
import subprocess

from .dialect import BINLOG_READER, DAEMON, IS_MYSQL, of_scene, of_server, places
from .nest import free_port, server_account
from .net import LOOPBACK
from .waits import StageFailure, wait_until

DATABASE = 'firstchair'
OPTIONS_OF_BOTH = """
datadir={folder}/data
tmpdir={folder}/tmp
socket={folder}/server.sock
pid-file={folder}/pid
port={port}
report_port={port}
bind-address={host}
server_id={server_id}
log_bin=bin
relay_log=relay
relay_log_recovery=ON
log_slave_updates=ON
binlog_format=STATEMENT
read_only={read_only}
sync_binlog=1
innodb_flush_log_at_trx_commit=1
innodb_buffer_pool_size=8M
innodb_flush_method=fsync
innodb_buffer_pool_dump_at_shutdown=0
innodb_buffer_pool_load_at_startup=0
skip_name_resolve=1
key_buffer_size=64K
table_open_cache=200
max_connections=200
slave_net_timeout=2
auto_increment_increment=2
auto_increment_offset={server_id}
"""
OPTIONS_OF_MARIADB = """[mariadbd]
gtid_domain_id={server_id}
gtid_strict_mode=ON
innodb_log_file_size=4M
performance_schema=OFF
aria_pagecache_buffer_size=1M
"""
OPTIONS_OF_MYSQL = """[mysqld]
gtid_mode=ON
enforce_gtid_consistency=ON
innodb_redo_log_capacity=8M
mysqlx=OFF
event_scheduler=OFF
performance_schema_max_thread_instances=200
"""
OPTIONS = (OPTIONS_OF_MYSQL if IS_MYSQL else OPTIONS_OF_MARIADB) + OPTIONS_OF_BOTH
INSTALL_MARIADB = ['mariadb-install-db', '--no-defaults', '--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve',
                   '--force', '--innodb-log-file-size=4M']
INSTALL_MYSQL = ['mysqld', '--no-defaults', '--initialize-insecure', '--innodb-redo-log-capacity=8M']
GRANTS = {
    'store': [f'SELECT, INSERT, UPDATE, DELETE, CREATE ON {DATABASE}.*', 'BINLOG MONITOR, SLAVE MONITOR ON *.*'],
    'fence': [f'SELECT, INSERT, UPDATE, CREATE ON {DATABASE}.*',
              'READ_ONLY ADMIN, CONNECTION ADMIN, PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.*'],
    'repl': ['REPLICATION SLAVE ON *.*'],
    'app': ['SELECT, INSERT, UPDATE, DELETE, CREATE ON app.*'],
}
REPLICATION_WORDS = ('Slave_IO_Running', 'Last_IO_Error', 'Slave_SQL_Running', 'Last_SQL_Error', 'Gtid_IO_Pos')
ESCAPES = {'\\n': '\n', '\\t': '\t', '\\\\': '\\', '\\0': '\0'}


def unescape(field):
    return None if field == 'NULL' else re.sub(r'\\[nt\\0]', lambda found: ESCAPES[found.group()], field)


def template(nest):
    """Path of an empty data directory; made once per nest, or once per test run when FC_STAGE_TEMPLATE names where."""
    path = os.environ.get('FC_STAGE_TEMPLATE') or nest.file('template')
    with open(path + '.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(os.path.join(path, 'mysql')):
            return path
        shutil.rmtree(path, ignore_errors=True)
        account = server_account()
        who = {}
        for folder in (path, path + '.tmp'):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            if account is not None:
                os.chown(folder, *account)
        if account is not None:
            who = {'user': account[0], 'group': account[1], 'extra_groups': []}
        made = subprocess.run(
            [*(INSTALL_MYSQL if IS_MYSQL else INSTALL_MARIADB), f'--datadir={path}', f'--tmpdir={path}.tmp',
             '--innodb-buffer-pool-size=8M', '--innodb-flush-method=nosync', '--skip-log-bin'],
            cwd=nest.path, capture_output=True, text=True, timeout=120, **who)
        if made.returncode != 0:
            shutil.rmtree(path, ignore_errors=True)
            raise StageFailure(f'no data directory could be made: {made.stdout[-600:]} {made.stderr[-600:]}')
        if IS_MYSQL:
            os.unlink(os.path.join(path, 'auto.cnf'))        # a server's identity: each copy is to have another one
    return path


class Server:
    def __init__(self, nest, name, server_id, read_only=True, options='', place=LOOPBACK):
        self.nest, self.name, self.server_id, self.port, self.place = nest, name, server_id, free_port(), place
        self.account = server_account()
        self.folder = nest.folder(name, self.account)
        nest.folder(f'{name}/tmp', self.account)     # of its own: a server that starts removes what looks temporary in its tmpdir
        subprocess.run(['cp', '-a', '--reflink=auto', template(nest), self.folder + '/data'], check=True)
        self.options = nest.write(f'{name}/my.cnf', OPTIONS.format(folder=self.folder, host=place.host, port=self.port, server_id=server_id,
                                                                   read_only=int(read_only)) + options, owner=self.account)
        self.client_file = nest.write(f'{name}/root.cnf', f'[client]\nuser=root\nsocket={self.folder}/server.sock\n')
        self.log = self.folder + '/error.log'
        self.child = None

    @property
    def address(self):
        return f'{self.place.host}:{self.port}'

    @property
    def pid(self):
        return self.child.pid

    def start(self, wait=True):
        self.child = self.nest.start(self.name, [DAEMON, f'--defaults-file={self.options}'], self.log, self.account,
                                     place=self.place)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        def answers():
            if not self.child.alive():
                raise StageFailure(f'{self.name} ended with code {self.child.process.returncode}: {self.child.tail(12)}')
            return self.rows('SELECT 1')
        wait_until(answers, 30, f'{self.name} to answer')

    def alive(self):
        return self.child is not None and self.child.alive()

    def kill(self):
        self.child.kill()

    def freeze(self):
        self.child.freeze()

    def thaw(self):
        self.child.thaw()

    def stop(self):
        return self.child.stop(30)

    def client(self, text, timeout):
        try:
            done = subprocess.run(['mariadb', f'--defaults-file={self.client_file}', '--batch', '--default-character-set=utf8mb4'],
                                  input=of_server(text), capture_output=True, text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise StageFailure(f'{self.name} did not answer within {timeout} s: {text[:120]}') from None
        if done.returncode != 0:
            raise StageFailure(f'{self.name}: {done.stderr.strip()[:400]} (in: {text[:120]})')
        return done.stdout

    def execute(self, text, timeout=10):
        self.client(text, timeout)

    def rows(self, text, timeout=10):
        """The rows of one statement, each a dict by column name; NULL is None, everything else text."""
        lines = self.client(text, timeout).splitlines()
        names = [of_scene(name) for name in lines[0].split('\t')] if lines else []
        return [dict(zip(names, map(unescape, line.split('\t')))) for line in lines[1:]]

    def value(self, text, timeout=10):
        rows = self.rows(text, timeout)
        return next(iter(rows[0].values())) if rows else None

    def is_read_only(self):
        return self.value('SELECT @@global.read_only') == '1'

    def certify(self, *names):
        """By name, else `cert`: a key and a certificate that is its own authority, in its folder. The first is the server's from its next start."""
        names = names or ('cert',)
        for name in names:
            made = (f'{self.folder}/{name}-key.pem', f'{self.folder}/{name}.pem')
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', made[0], '-out', made[1], '-days', '2',
                            '-subj', f'/CN={self.name}', '-addext', f'subjectAltName=IP:{self.place.host}'],
                           check=True, capture_output=True, timeout=60)
            for path in made if self.account is not None else ():
                os.chown(path, *self.account)
        with open(self.options, 'a', encoding='utf-8') as options:
            options.write(f'ssl_cert={self.folder}/{names[0]}.pem\nssl_key={self.folder}/{names[0]}-key.pem\n')

    def set_up(self, passwords, root_password):
        """Accounts and the application's table, not written to the binlog: each server of a pair gets its own."""
        text = ['SET SESSION sql_log_bin=0;', f'CREATE DATABASE app; CREATE DATABASE {DATABASE};',
                'CREATE TABLE app.t (client VARCHAR(32) NOT NULL, n BIGINT NOT NULL, sent_us BIGINT NOT NULL, '
                'took DATETIME(6) NOT NULL DEFAULT NOW(6), '        # its use makes the binlog tell microseconds
                'PRIMARY KEY (client, n)) ENGINE=InnoDB;',
                'CREATE TABLE app.tally (client VARCHAR(32) NOT NULL, slot INT NOT NULL, n BIGINT NOT NULL, '
                'PRIMARY KEY (client, slot)) ENGINE=InnoDB;']
        for user, password in passwords.items():
            text.append(f"CREATE USER {user}@'{self.place.accounts}' IDENTIFIED BY '{password}';")
            text += [f"GRANT {grant} TO {user}@'{self.place.accounts}';" for grant in GRANTS[user]]
        if 'fence' in passwords:
            text.append(f"CREATE PROCEDURE {DATABASE}.firstchair_resume() START SLAVE IO_THREAD; "
                        f"GRANT EXECUTE ON PROCEDURE {DATABASE}.firstchair_resume TO fence@'{self.place.accounts}';")
        text.append(f"ALTER USER root@localhost IDENTIFIED BY '{root_password}';")
        self.execute('\n'.join(text))
        self.nest.write(f'{self.name}/root.cnf',
                        f'[client]\nuser=root\npassword={root_password}\nsocket={self.folder}/server.sock\n')

    def replica(self):
        rows = self.rows('SHOW SLAVE STATUS')
        return rows[0] if rows else {}

    def replicates(self):
        seen = self.replica()
        return seen.get('Slave_IO_Running') == 'Yes' and seen.get('Slave_SQL_Running') == 'Yes'

    def binlog_position(self):
        return sorted((self.value(f'SELECT @@global.{"gtid_executed" if IS_MYSQL else "gtid_binlog_pos"}') or '').split(','))

    def written(self):
        """Who wrote -> the highest number of it in its binlog."""
        return places(','.join(self.binlog_position()))

    def binlogs(self):
        folder = self.folder + '/data'
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if re.fullmatch(r'bin\.\d+', name)]

    def wrote(self, server_id=None):
        """What app.t rows this server's binlog says were first written here (or on the server given): [(client, n, sent_us)].

        The judge of every scene: the server's own word, independent of what firstchair says.
        """
        who = self.server_id if server_id is None else server_id
        text = subprocess.run([BINLOG_READER, '--no-defaults', '--force-if-open', f'--server-id={who}', *self.binlogs()],
                              capture_output=True, text=True, errors='replace', timeout=120).stdout
        row = r"INSERT INTO app\.t \(client, n, sent_us\) VALUES \('([^']+)', (\d+), (\d+)\)"
        return [(client, int(n), int(at)) for client, n, at in re.findall(row, text)]

    def next_binlog(self):
        """Begins a new binlog; the name of the last one before it, for `binlog_text`."""
        last = os.path.basename(self.binlogs()[-1])
        self.execute('FLUSH BINARY LOGS')
        return last

    def binlog_text(self, since=''):
        """What was first written here, as the server's own tool tells it, in the binlogs after the one named."""
        logs = [path for path in self.binlogs() if os.path.basename(path) > since]
        return subprocess.run([BINLOG_READER, '--no-defaults', '--force-if-open', f'--server-id={self.server_id}', *logs],
                              capture_output=True, text=True, errors='replace', timeout=120).stdout

    def table(self):
        return {(row['client'], int(row['n'])) for row in self.rows('SELECT client, n FROM app.t', 60)}


class Pair:
    """Two masters of each other, both read_only, with accounts; nobody is opened here: that is firstchair's to do."""

    def __init__(self, nest, names=('db1', 'db2'), place=lambda _name: LOOPBACK):
        self.nest = nest
        self.passwords = {user: secrets.token_hex(12) for user in GRANTS}
        self.servers = [Server(nest, name, number + 1, place=place(name)) for number, name in enumerate(names)]
        self.by_name = {server.name: server for server in self.servers}
        self.app_file = nest.write('app.cnf', f'[client]\nuser=app\npassword={self.passwords["app"]}\nhost=127.0.0.1\n')

    def __getitem__(self, name):
        return self.by_name[name]

    def start(self, port_to=lambda server, other: other.port):
        """`port_to(server, other)`: where `server` finds the other one, for links that go through a relay."""
        for server in self.servers:
            server.start(wait=False)
        for server in self.servers:
            server.wait_ready()
            server.set_up(self.passwords, secrets.token_hex(12))
        for server, other in zip(self.servers, reversed(self.servers)):
            server.execute(f"CHANGE MASTER TO master_host='{other.place.host}', master_port={port_to(server, other)}, master_user='repl', "
                           f"master_password='{self.passwords['repl']}', master_use_gtid=slave_pos, master_connect_retry=1, "
                           f"master_heartbeat_period=0.5; START SLAVE;")
        wait_until(self.replicates, 15, 'both servers to replicate from each other')
        return self

    def replicates(self):
        return all(server.replicates() for server in self.servers)

    def writable(self):
        return [server.name for server in self.servers if server.alive() and not server.is_read_only()]

    def wait_level(self, bound=30):
        """Until each has applied what the other one has in its binlog now."""
        aims = wait_until(lambda: [server.written() for server in self.servers], bound, 'both servers to tell what they wrote')

        def applied():
            for server, aim in zip(self.servers, reversed(aims)):
                has, told = server.written(), server.replica()
                lacks = {domain: (has.get(domain, 0), number) for domain, number in aim.items() if has.get(domain, 0) < number}
                if lacks:
                    raise StageFailure(f'{server.name} has, of what it should have, by domain {lacks}; its replication says '
                                       f'{[told.get(key) for key in REPLICATION_WORDS]}')
            return True
        wait_until(applied, bound, 'both servers to have applied what the other wrote')
