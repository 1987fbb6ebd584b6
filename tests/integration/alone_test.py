"""What a server that was replaced unfenced wrote alone: found in its log when it is back, told, and kept in the history."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

from stage.dialect import IS_MYSQL                          # noqa: E402
from stage.home import Home                                 # noqa: E402
from stage.mariadb import DATABASE                          # noqa: E402
from stage.waits import wait_until                          # noqa: E402


class Session:
    """A client that goes past HAProxy and keeps its session."""

    def __init__(self, home, server):
        argv = ['mariadb', f'--defaults-file={home.pair.app_file}', '--port', str(server.port), '--unbuffered', '-N', 'app']
        self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.say('SELECT 17;')
        assert self.child.stdout.readline().strip() == '17'

    def say(self, text):
        self.child.stdin.write(text + '\n')
        self.child.stdin.flush()

    def end(self):
        self.child.kill()
        self.child.wait()


def pool(home):
    return home.wait_leader().pool()


def test_what_the_frozen_server_still_took_is_listed():
    """Statements reach db1 while it is frozen; what it commits of them before it is fenced is counted and named."""
    with Home(keys={'HAProxyHardStopSeconds': 1}).start() as home:
        old = home.pair['db1']
        home.pair.wait_level()
        sessions = [Session(home, old) for _ in range(5)]
        old.freeze()
        for number, session in enumerate(sessions):
            session.say(f"INSERT INTO t (client, n, sent_us) VALUES ('alone', {number}, 0);")
        wait_until(lambda: pool(home)['seated'] == 'db2', 30, 'db2 to sit')
        assert pool(home)['mark'].startswith('unfenced'), pool(home)
        old.thaw()
        wait_until(lambda: pool(home)['alone_server'] == 'db1', 30, 'the log of db1 to be read')
        told = pool(home)
        count = int(old.value("SELECT COUNT(*) FROM app.t WHERE client = 'alone'"))
        assert told['alone_transactions'] == count > 0 and not told['alone_is_more'], (count, told)
        own = f"{old.value('SELECT @@server_uuid')}:" if IS_MYSQL else f"{old.value('SELECT @@gtid_domain_id')}-1-"
        assert told['alone_first'].startswith(own) and told['alone_last'].startswith(own), told
        records = wait_until(lambda: home.pair['db2'].rows(f"SELECT message FROM {DATABASE}.firstchair_history WHERE kind = 'alone'"),
                             10, 'a record of it')
        assert f'took {count} transactions alone' in records[0]['message'], records
        for session in sessions:
            session.end()


def test_a_server_that_took_nothing_alone_is_said_to_have_taken_nothing():
    """db1 is frozen without a client at it: awake, its log shows nothing but firstchair's own rows."""
    with Home(keys={'HAProxyHardStopSeconds': 1}).start() as home:
        home.pair.wait_level()
        home.pair['db1'].freeze()
        wait_until(lambda: pool(home)['seated'] == 'db2', 30, 'db2 to sit')
        home.pair['db1'].thaw()
        wait_until(lambda: pool(home)['alone_server'] == 'db1', 30, 'the log of db1 to be read')
        assert pool(home)['alone_transactions'] == 0, pool(home)
