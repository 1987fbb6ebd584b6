"""The eyes of chaos/replay_safety.py: what must not be there is seen, told with the statement and both sides' rows."""
import os
import sys

from stage import StageFailure, wait_until
from stage.nest import Nest
from stage.mariadb import Pair

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'chaos'))

from replay_safety import ReplicationWatch, difference, replayed         # noqa: E402


def told(deed, *words):
    """The deed fails, and its sentence has all these words."""
    try:
        deed()
    except StageFailure as failure:
        if all(word in str(failure) for word in words):
            return
        raise
    raise StageFailure(f'nothing was said of {words}')


def test_a_statement_that_cannot_be_replayed_is_told():
    """A row that the other side has already: the watch breaks with the number, the statement and the server's name."""
    with Nest() as nest:
        pair = Pair(nest).start()
        watch = ReplicationWatch(pair.servers)
        watch.start()
        pair['db1'].execute("INSERT INTO app.t (client, n, sent_us) VALUES ('sane', 1, 1)")
        wait_until(lambda: replayed(pair) == 1, 10, 'one transaction to be replayed')
        watch.check()
        pair['db2'].execute("SET SESSION sql_log_bin=0; INSERT INTO app.t (client, n, sent_us) VALUES ('stray', 7, 1)")
        pair['db1'].execute("INSERT INTO app.t (client, n, sent_us) VALUES ('stray', 7, 2)")
        wait_until(lambda: watch.broken, 10, 'the watch to see it')
        told(watch.end, 'db2', '1062', "('stray', 7, 2)")


def test_an_error_between_two_looks_is_read_in_the_log():
    """It was mended before anybody asked: the server's error log still says so."""
    with Nest() as nest:
        pair = Pair(nest).start()
        watch = ReplicationWatch(pair.servers)
        pair['db2'].execute("SET SESSION sql_log_bin=0; INSERT INTO app.t (client, n, sent_us) VALUES ('stray', 7, 1)")
        pair['db1'].execute("INSERT INTO app.t (client, n, sent_us) VALUES ('stray', 7, 2)")
        wait_until(lambda: pair['db2'].replica()['Last_SQL_Errno'] == '1062', 10, 'db2 to stop')
        pair['db2'].execute("SET SESSION sql_log_bin=0; DELETE FROM app.t WHERE client = 'stray'; START SLAVE")
        pair.wait_level()
        watch.start()
        told(watch.end, 'db2', '1062', "('stray', 7, 2)")


def test_a_connection_that_is_lost_is_no_error_of_replay():
    """The other server is killed and comes back: connecting fails for a while, and the watch says nothing."""
    with Nest() as nest:
        pair = Pair(nest).start()
        watch = ReplicationWatch(pair.servers)
        watch.start()
        pair['db1'].kill()
        wait_until(lambda: pair['db2'].replica()['Last_IO_Errno'] != '0', 10, 'db2 to tell that it cannot connect')
        pair['db1'].start()
        wait_until(pair.replicates, 20, 'both to replicate again')
        watch.end()


def test_a_row_that_differs_is_told_with_both_sides():
    """One column of one row: named with the table and the two rows; mended, nothing is said."""
    with Nest() as nest:
        pair = Pair(nest).start()
        pair['db1'].execute("INSERT INTO app.tally VALUES ('a', 1, 5), ('b', 1, 6)")
        pair.wait_level()
        assert difference(pair, 'app.tally') == ''
        pair['db2'].execute("SET SESSION sql_log_bin=0; UPDATE app.tally SET n = 4 WHERE client = 'a'")
        seen = difference(pair, 'app.tally')
        for words in ('app.tally differs', "only on db1: {'client': 'a', 'slot': '1', 'n': '5'}", "'n': '4'"):
            assert words in seen, seen
        assert "'b'" not in seen, seen
