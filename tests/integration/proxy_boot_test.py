"""Boot and reload of HAProxy with the printed file: spec/haproxy-agent-check.md 2.2. db2 sits and is right, db1 must not serve;
every connection that reaches db1 is counted by db1 itself, and there must be none.
"""
import time

from stage import Front, StageFailure, limit, stays, wait_until
from stage.home import POOL


def nobody_reaches_db1(front, what):
    count = front.servers['db1'].visited()
    if count:
        raise StageFailure(f'{what}: {count} connections reached db1, which does not sit')


def leave_an_old_state_file(front):
    """As after a run of HAProxy in which db1 sat: written by the printed ExecReload line, and then HAProxy ended."""
    front.seat('db1')
    front.start().wait_usable(['db1'])
    front.run_printed('ExecReload')
    front.proxy.kill()


def boot(prepare, seconds):
    """A cold boot under visitors, an old state file lying about; when the first of them was served, or None."""
    with Front() as front:
        leave_an_old_state_file(front)
        front.run_printed('ExecStartPre')
        front.seat('db2')
        prepare(front)
        visitors = front.visitors()
        began = time.monotonic()
        front.start()
        stays(lambda: not front.servers['db1'].visited(began), seconds, 'nobody reaches db1', every=0.02)
        served = [visit.ended - began for visit in visitors.stop() if visit.name == 'db2']
        nobody_reaches_db1(front, 'boot')
        return min(served, default=None)


def test_boot_with_nodes_alive():
    """No connection goes wrong, and the first right one comes within a poll or two."""
    first = boot(lambda front: None, 3)
    print(f'first right connection {first * 1000:.0f} ms after the start')
    assert first < 3, first


def test_boot_with_all_nodes_dead():
    """No connection goes anywhere."""
    assert boot(lambda front: front.die(), 4) is None


def test_boot_with_all_nodes_neutral():
    """They have just started themselves and keep HAProxy as it is: nobody is usable."""
    assert boot(lambda front: front.be_neutral(), 4) is None


def test_an_old_state_file_is_why_a_cold_start_empties_it():
    """Without the printed ExecStartPre line the server of last month is up until the first token check; with it, never."""
    for unit_line, downs in ((None, '1'), ('ExecStartPre', '0')):
        with Front() as front:
            leave_an_old_state_file(front)
            if unit_line:
                front.run_printed(unit_line)
            front.die()
            front.start()
            stays(lambda: front.proxy.usable(POOL) in ([], ['db1']), 2, 'nobody but db1 is usable')
            seen = front.proxy.statistics(POOL)['db1']['chkdown']          # how often it went from up to down
            assert seen == downs, f'{unit_line}: db1 went down {seen} times'


class Reloaded:
    """db2 sits, somebody has a session there, visitors come and go; then `trouble` and a reload at once."""

    def __init__(self, trouble, state_file, keys=None):
        self.front = Front(keys=keys)
        self.trouble, self.state_file = trouble, state_file

    def __enter__(self):
        front = self.front.__enter__()
        front.seat('db2')
        front.start().wait_patient('db2')
        self.session, self.visitors = front.session(), front.visitors()
        self.visitors.wait_name('db2', count=20)
        self.trouble(front)
        self.since = time.monotonic()
        front.reload(self.state_file)
        return self

    def __exit__(self, kind, *rest):
        try:
            if kind is None:
                self.visitors.stop()
                nobody_reaches_db1(self.front, 'reload')
                told = self.visitors.names(self.since)
                print(f'since the reload: {told["db2"]} visitors on db2, {told["db1"]} on db1, {told[None]} turned away')
        finally:
            self.front.__exit__(kind, *rest)

    def turned_away(self):
        return self.visitors.names(self.since)[None]

    def goes_on(self, seconds=3):
        stays(lambda: self.turned_away() == 0, seconds, 'nobody is turned away')
        self.visitors.wait_name('db2', time.monotonic(), 20)

    def ends(self):
        """The token check takes db2 out too: HAProxy uses nobody, and that stays so."""
        wait_until(lambda: self.front.proxy.usable(POOL) == [], 10, 'nobody to be usable')
        stays(lambda: self.front.proxy.usable(POOL) == [], 2, 'nobody is usable')


def test_reload_with_its_state_file():
    """Nodes alive: nobody is sent to db1, nobody is turned away."""
    with Reloaded(lambda front: None, 'kept') as reloaded:
        reloaded.goes_on()


def test_reload_whose_state_file_nobody_wrote():
    """Nodes alive: visitors wait at the door until the first answer, then all reach db2."""
    with Reloaded(lambda front: None, 'empty') as reloaded:
        reloaded.goes_on()


def test_reload_with_its_state_file_and_dead_nodes():
    """db2 is used until the token check fails, then nobody; db1, which rested by maint, never."""
    with Reloaded(lambda front: front.die(), 'kept') as reloaded:
        reloaded.ends()


def test_reload_without_state_and_dead_nodes():
    """Nobody is usable from the first moment."""
    with Reloaded(lambda front: front.die(), 'empty') as reloaded:
        stays(lambda: reloaded.front.proxy.usable(POOL) == [], 4, 'nobody is usable')


def test_reload_with_its_state_file_and_neutral_nodes():
    """They have lost the store and promise nothing: as with dead ones."""
    with Reloaded(lambda front: front.be_neutral(), 'kept') as reloaded:
        reloaded.ends()


def test_reload_in_a_paused_pool():
    """Neutral with the token: db2 goes on, nobody is turned away."""
    with Reloaded(lambda front: front.be_neutral('db2'), 'kept') as reloaded:
        reloaded.goes_on(4)


@limit(120)
def test_a_process_left_behind_by_a_reload_keeps_its_sessions_for_hard_stop_at_most():
    """The old process asks nobody any more (2.6; others may still hear a revoke): hard-stop-after ends what it has, also unheard."""
    with Reloaded(lambda front: None, 'kept', {'HAProxyHardStopSeconds': 4}) as reloaded:
        front = reloaded.front
        front.revoke()
        wait_until(lambda: front.proxy.usable(POOL) == [], 5, 'the new process to use nobody')
        heard = reloaded.session.ended is not None
        wait_until(lambda: reloaded.session.ended, 12, 'the old session to end')
        lived = reloaded.session.ended - reloaded.since
        print(f'the old session ended {lived:.2f} s after the reload{", it heard the revoke" * heard}; hard-stop-after is 4 s')
        assert heard or 3.5 < lived < 6, lived
        wait_until(lambda: not front.old_processes[0].alive(), 5, 'the old process to end')
