"""What the home mode needs, on real servers: each missing piece is one sentence, said when it appears and gone when it is mended."""
import glob
import os
import re

from stage import Home, Single, limit, stays, wait_until
from stage.node import ROOT, run_firstchair

POOL = 'fc_backend'
EVERY_SECOND = {'BackendCheckSeconds': 1}


def needs(node, server):
    """Word -> (severity, sentence) of what is missing at this server, as this node tells it."""
    seen = next(one for one in node.picture()['servers'] if one['name'] == server)
    return {need['word']: (need['severity'], need['text']) for need in seen['needs']}


def alone(server, text):
    """Said on this server by itself, not replicated."""
    server.execute(f'SET SESSION sql_log_bin=0; {text}')


def restart_with(home, name, lines):
    """This server starts again with these lines in its option file, behind those that are there."""
    server = home.pair[name]
    server.stop()
    with open(server.options, 'a', encoding='utf-8') as options:
        options.write(lines)
    server.start()


def command(home):
    """`firstchair verify-backends`: (exit code, text)."""
    code, text, errors = run_firstchair('verify-backends', '--config', home.nodes[0].config)
    return code, text + errors


def settled(home):
    """The nodes have read both servers, and nothing is missing."""
    for node in home.nodes:
        wait_until(lambda: all(one['settings_age_ms'] is not None for one in node.picture()['servers']), 10, 'both servers to be read')
        assert not needs(node, 'db1') and not needs(node, 'db2'), node.picture()['servers']
    return True


def test_a_pair_that_is_as_it_should_be_has_nothing_to_mend():
    """Three doors say all well with 0; no note of a warning; what read_only was at boot stays known to a node over a switch."""
    with Home(nodes=2).start() as home:
        node = home.wait_leader()
        home.wait_seated('db1')
        settled(home)
        node.order('switch', POOL, 'db2')
        home.pair.wait_level()
        code, text = node.ctl('verify-backends')
        assert code == 0 and text.endswith('all well') and 'tables of db1 and db2: the same' in text, (code, text)
        assert re.search(r'boot-read-only +ON +ON +well', text), text
        code, text = command(home)
        assert code == 0 and text.rstrip().endswith('all well'), (code, text)
        assert 'read_only of db1 was set since it started' in text, 'a program that has just come cannot know'
        code, text = node.get('/api/steering/verify-backends', 20)
        assert code == 200 and '"verdict":"well"' in text, (code, text)
        assert 'firstchair_server_needs{server="db1"} 0' in node.get('/metrics')[1]
        told = [one for one in node.picture()['events'] if one['level'] in ('warning', 'alarm') and not one['text'].startswith('lost: ')]
        assert not told, told                                # a server that was slow for a moment is no setting of it


SET_WRONG = [
    # word, severity, what makes it wrong, what mends it, part of the sentence
    ('binlog-format', 'alarm', 'SET GLOBAL binlog_format=ROW', 'SET GLOBAL binlog_format=STATEMENT', 'db2 logs in ROW'),
    ('sync-binlog', 'alarm', 'SET GLOBAL sync_binlog=0', 'SET GLOBAL sync_binlog=1', 'set sync_binlog = 1'),
    ('flush-log', 'alarm', 'SET GLOBAL innodb_flush_log_at_trx_commit=2', 'SET GLOBAL innodb_flush_log_at_trx_commit=1',
     'innodb_flush_log_at_trx_commit 2'),
    ('isolation', 'alarm', "SET GLOBAL tx_isolation='READ-COMMITTED'", "SET GLOBAL tx_isolation='REPEATABLE-READ'",
     'the isolation READ-COMMITTED'),
    ('exec-mode', 'alarm', 'SET GLOBAL slave_exec_mode=IDEMPOTENT', 'SET GLOBAL slave_exec_mode=STRICT', 'slave_exec_mode IDEMPOTENT'),
    ('gtid-domain', 'alarm', 'SET GLOBAL gtid_domain_id=1', 'SET GLOBAL gtid_domain_id=2', 'gtid_domain_id 1'),
    ('gtid-strict', 'warning', 'SET GLOBAL gtid_strict_mode=OFF', 'SET GLOBAL gtid_strict_mode=ON', 'set gtid_strict_mode = ON'),
    ('auto-increment', 'warning', 'SET GLOBAL auto_increment_increment=1', 'SET GLOBAL auto_increment_increment=2',
     'auto_increment_increment 1'),
    ('auto-increment-offset', 'warning', 'SET GLOBAL auto_increment_offset=1', 'SET GLOBAL auto_increment_offset=2',
     'both have auto_increment_offset 1'),
    ('net-timeout', 'warning', 'SET GLOBAL slave_net_timeout=60', 'SET GLOBAL slave_net_timeout=2', 'only after 60 s'),
    ('sql-mode', 'warning', "SET GLOBAL sql_mode='ANSI'", 'SET GLOBAL sql_mode=DEFAULT', 'different sql_mode'),
    ('time-zone', 'warning', "SET GLOBAL time_zone='+05:00'", 'SET GLOBAL time_zone=SYSTEM', 'in the time zone +05:00'),
    ('event-scheduler', 'warning', 'SET GLOBAL event_scheduler=ON', 'SET GLOBAL event_scheduler=OFF', 'event_scheduler ON'),
    ('connect-retry', 'warning', 'STOP SLAVE; CHANGE MASTER TO master_connect_retry=60; START SLAVE',
     'STOP SLAVE; CHANGE MASTER TO master_connect_retry=1; START SLAVE', 'each 60 s'),
    ('replica-filter', 'alarm', "STOP SLAVE; SET GLOBAL replicate_do_db='firstchair'; START SLAVE",
     "STOP SLAVE; SET GLOBAL replicate_do_db=''; START SLAVE", 'Replicate_Do_DB=firstchair'),
    ('replication', 'alarm', 'STOP SLAVE', 'START SLAVE', 'db2 does not replicate from db1; mend this and START SLAVE there: stopped'),
]


@limit(240)
def test_each_wrong_setting_is_one_sentence_and_gone_when_it_is_put_right():
    """Found within a check, noted once however often it is checked, in the way of no order but `refuse`, and noted when it is well."""
    with Home(nodes=1, keys=EVERY_SECOND).start() as home:
        node, db2 = home.wait_leader(), home.pair['db2']
        home.wait_seated('db1')
        settled(home)
        for word, severity, wrong, right, sentence in SET_WRONG:
            db2.execute(wrong)
            wait_until(lambda: word in needs(node, 'db2'), 15, f'{word} to be found')
            found = needs(node, 'db2')[word]
            assert found[0] == severity and sentence in found[1], (word, found)
            db2.execute(right)
            wait_until(lambda: not needs(node, 'db1') and not needs(node, 'db2'), 15, f'{word} to be gone')
        texts = [one['text'] for one in node.picture()['events'] if one['subject'] == 'db2']
        for word, _severity, _wrong, _right, sentence in SET_WRONG[:8]:
            assert sum(sentence in text for text in texts) == 1, (word, texts)
            assert sum(text.startswith(f'{word} is well now') for text in texts) == 1, (word, texts)


BOOT_WRONG = [
    ('skip_log_bin\n', 'log-bin', 'db2 writes no binary log'),
    ('server_id=1\n', 'server-id', 'db2 and db1 both have server_id 1'),
]
BOOT_ALARMS = {'read_only=0\n': 'boot-read-only', 'slave_skip_errors=1062\n': 'skip-errors', 'log_slave_updates=OFF\n': 'log-slave-updates',
               'binlog_ignore_db=app\n': 'binlog-filter'}


@limit(240)
def test_what_would_break_the_promise_bars_an_order_and_what_would_not_does_not():
    """No log, or the other's server_id: `switch` is refused with the sentence. Alarms of the option file: told, and it goes through."""
    for line, word, sentence in BOOT_WRONG:
        with Home(nodes=1, keys=EVERY_SECOND).start() as home:
            node = home.wait_leader()
            home.wait_seated('db1')
            settled(home)
            restart_with(home, 'db2', line)
            wait_until(lambda: word in needs(node, 'db2'), 20, f'{word} to be found')
            assert needs(node, 'db2')[word][0] == 'refuse'
            code, text = node.ctl('switch', POOL, 'db2')
            assert code == 4 and (sentence in text or 'does not apply' in text), (code, text)
            code, text = command(home)
            assert code == 13 and sentence in text, (code, text)
            assert home.pair.writable() == ['db1']
    with Home(nodes=1, keys=EVERY_SECOND).start() as home:
        node = home.wait_leader()
        home.wait_seated('db1')
        settled(home)
        restart_with(home, 'db2', ''.join(BOOT_ALARMS))
        wait_until(lambda: set(BOOT_ALARMS.values()) <= set(needs(node, 'db2')), 20, 'all four to be found')
        assert 'db2 starts writable' in needs(node, 'db2')['boot-read-only'][1]
        wait_until(lambda: home.pair.writable() == ['db1'], 15, 'the stray to be fenced')
        wait_until(home.pair.replicates, 15, 'both to replicate')
        node.order('switch', POOL, 'db2')
        home.wait_seated('db2')


def test_a_missing_privilege_is_named_and_bars_an_order_until_it_is_granted():
    """The fence without PROCESS, then without its password: said by the nodes and on demand; well again without a restart."""
    with Home(nodes=1, keys=EVERY_SECOND).start() as home:
        node, db2 = home.wait_leader(), home.pair['db2']
        home.wait_seated('db1')
        settled(home)
        alone(db2, "REVOKE PROCESS ON *.* FROM fence@'127.0.0.1'")
        wait_until(lambda: 'fence-privileges' in needs(node, 'db2'), 15, 'the missing privilege to be found')
        assert 'PROCESS on *.*' in needs(node, 'db2')['fence-privileges'][1]
        code, text = node.ctl('switch', POOL, 'db2')
        assert code == 4 and 'PROCESS on *.*' in text and 'force' in text, (code, text)
        alone(db2, "GRANT PROCESS ON *.* TO fence@'127.0.0.1'; ALTER USER fence@'127.0.0.1' IDENTIFIED BY 'another'")
        wait_until(lambda: 'fence-login' in needs(node, 'db2'), 15, 'the wrong password to be found')
        code, text = command(home)
        assert code == 13 and re.search(r'fence-login .*refuse +the account `fence` cannot be used on db2', text), (code, text)
        assert home.pair.passwords['fence'] not in text
        alone(db2, f"ALTER USER fence@'127.0.0.1' IDENTIFIED BY '{home.pair.passwords['fence']}'")
        wait_until(lambda: not needs(node, 'db2'), 20, 'it to be well')
        wait_until(lambda: node.ctl('switch', POOL, 'db2')[0] == 0, 20, 'db2 to be seated by order')


def test_tables_that_differ_are_told_row_by_row_until_they_are_the_same():
    """A row changed, one added and one removed on one side by hand are told by table, key and column; a lease in renewal is not."""
    with Home(nodes=2).start() as home:
        node, db2 = home.wait_leader(), home.pair['db2']
        home.wait_seated('db1')
        node.order('maint', f'{POOL}/db2', 'because', 'a scene')
        home.pair.wait_level()
        for _ in range(5):                                 # renewals are always on their way
            assert node.ctl('verify-backends')[0] == 0, node.ctl('verify-backends')
        alone(db2, "UPDATE firstchair.firstchair_hold SET why='another' WHERE server='db2'; "
                   "INSERT INTO firstchair.firstchair_history VALUES (77, UNIX_TIMESTAMP() * 1000, 'x', 'y', 1, 'n', 'by hand'); "
                   "INSERT INTO firstchair.firstchair_order (order_id, state, order_text, asked_by, node, answer) "
                   "VALUES (5, 'done', 'x', 'y', 'n', 'z')")
        code, text = node.ctl('verify-backends')
        assert code == 13 and 'tables of db1 and db2: 3 differ' in text, (code, text)
        for part in (f"firstchair_hold {POOL}/db2: why is 'a scene' on db1, 'another' on db2",
                     'firstchair_history 77: only on db2', 'firstchair_order 5: only on db2'):
            assert part in text and part in command(home)[1], (part, text)
        alone(db2, "UPDATE firstchair.firstchair_hold SET why='a scene' WHERE server='db2'; "
                   "DELETE FROM firstchair.firstchair_history WHERE event_id=77; DELETE FROM firstchair.firstchair_order WHERE order_id=5")
        code, text = node.ctl('verify-backends')
        assert code == 0 and text.endswith('all well'), (code, text)
        db2.execute('STOP SLAVE')                          # its row stands still while the other's goes on
        def stands():
            code, text = node.ctl('verify-backends')
            return code == 13 and 'firstchair_decision lease: seq is' in text and 'db2 does not replicate from db1' in text
        wait_until(stands, 15, 'the lease that stands still on db2 to be told')
        db2.execute('START SLAVE')
        wait_until(lambda: node.ctl('verify-backends')[0] == 0, 15, 'both to be the same')


def test_a_server_that_cannot_be_asked_is_neither_well_nor_in_the_way():
    """Killed: exit code 10 and its sentence at once; nobody is asked about a pair where there is none."""
    with Home(nodes=1).start() as home:
        node = home.wait_leader()
        home.wait_seated('db1')
        settled(home)
        home.pair['db2'].kill()
        code, text = command(home)
        assert code == 10 and 'db2 (127.0.0.1:' in text and "Can't connect" in text, (code, text)
        assert 'db1' in text and 'not compared' in text and text.rstrip().endswith('not all servers could be asked'), text
        wait_until(lambda: node.ctl('verify-backends')[0] == 10, 10, 'the node to say the same')
        stays(lambda: home.pair.writable() == ['db1'], 1, 'db1 is open')
    with Single().start() as house:
        node = house.nodes[0]
        code, text = node.ctl('verify-backends')
        assert code == 4 and 'BackendServers' in text, (code, text)
        code, _text, errors = run_firstchair('verify-backends', '--config', node.config)
        assert code == 4 and 'BackendServers' in errors, (code, errors)


def test_the_examples_of_the_pair_need_nothing():
    """Two servers with the example's option files and replication, and nothing else that matters: all well."""
    with Home(nodes=1) as home:
        for server in home.pair.servers:
            with open(server.options, encoding='utf-8') as file:
                own = re.findall(r'(?m)^(?:datadir|tmpdir|socket|pid-file|port|report_port|innodb_\w*size|performance_schema)=.*$', file.read())
            with open(os.path.join(ROOT, 'examples', 'semi-ha', f'{server.name}.cnf'), encoding='utf-8') as file:
                example = re.sub(r'(?m)^bind-address.*$', 'bind-address = 127.0.0.1', file.read())
            home.nest.write(f'{server.name}/my.cnf', example + '\n'.join(own) + '\n', owner=server.account)
        home.pair.start()
        home.configure()
        code, text = command(home)                         # as docs/operating.md says: before the first node is started
        assert code == 0 and "firstchair's tables are not there yet" in text and text.rstrip().endswith('all well'), (code, text)
        home.start_pair = lambda: None
        home.start()
        node = home.wait_leader()
        home.wait_seated('db1')
        settled(home)
        code, text = node.ctl('verify-backends')
        assert code == 0 and text.endswith('all well'), (code, text)


def test_a_clock_that_is_an_hour_off_is_a_warning_and_nothing_else():
    """db2 lives an hour ahead: named with its skew; nobody moves, and a planned switch goes there all the same."""
    library = next(iter(glob.glob('/usr/lib/*/faketime/libfaketimeMT.so.1')), None)
    assert library, "Debian's libfaketime is not installed"
    with Home(nodes=1, keys=EVERY_SECOND).start() as home:
        node, db2 = home.wait_leader(), home.pair['db2']
        home.wait_seated('db1')
        settled(home)
        db2.stop()
        os.environ.update(LD_PRELOAD=library, FAKETIME='+3600s', FAKETIME_DONT_FAKE_MONOTONIC='1', DONT_FAKE_MONOTONIC='1')
        try:
            db2.start(wait=False)
        finally:
            for name in ('LD_PRELOAD', 'FAKETIME', 'FAKETIME_DONT_FAKE_MONOTONIC', 'DONT_FAKE_MONOTONIC'):
                os.environ.pop(name, None)
        db2.wait_ready()
        wait_until(lambda: 'clock' in needs(node, 'db2'), 20, 'the clock to be found')
        severity, text = needs(node, 'db2')['clock']
        assert severity == 'warning' and re.search(r'the clock of db2 differs from this node.s by \+3(599|600)', text), text
        home.wait_seated('db1')
        home.pair.wait_level()
        node.order('switch', POOL, 'db2')
        home.wait_seated('db2')
