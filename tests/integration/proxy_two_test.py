"""Two HAProxies and one chair: they never use different writers at one time. Judged by both servers' binlogs, with persistent and
fresh clients through each, and sampled at the runtime sockets meanwhile.
"""
import threading
import time

from stage import Home, Judgement, StageFailure, differs_for_sure, limit, wait_until
from stage.home import POOL
from stage.traffic import gap_ms

HARD_STOP_SECONDS = 10                                     # HAProxyHardStopSeconds, its default


class Watch:
    """Looks at both HAProxies all the time; keeps every moment at which they used different servers."""

    def __init__(self, home):
        self.home, self.mixed, self.looks, self.last, self.over = home, [], 0, None, threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while not self.over.is_set():
            try:
                views = self.home.views()
            except (OSError, IndexError, KeyError):        # one of them is on its way up or down, or frozen
                self.last = None
                time.sleep(0.01)
                continue
            self.looks += 1
            time.sleep(0.001)
            if self.last is not None and differs_for_sure(self.last, views):
                self.mixed.append((self.last, views))
            self.last = views

    def end(self):
        self.over.set()
        self.thread.join()


class Clients:
    """A persistent and a fresh client through each HAProxy."""

    def __init__(self, home, **options):
        self.home = home
        self.all = [home.writer(f'{kind}{number}', number, interval_ms=5, fresh=kind == 'fresh', **options).start()
                    for number in range(2) for kind in ('steady', 'fresh')]

    def wait(self, server_id, count=20, bound=40):
        for writer in self.all:
            writer.wait_writes(server_id=server_id, count=count, bound=bound)

    def judge(self, moves, holder=None):
        """Stops all; the server that took the writes changed as often as the chair moved, nothing was doubled."""
        for writer in self.all:
            writer.stop()
        self.home.pair.wait_level()
        judgement = Judgement(self.home.pair, self.all, holder)
        gaps = [round(gap_ms(writer.writes())) for writer in self.all]
        print(f'{judgement}; changes {judgement.changes()}, overlap {judgement.overlap_ms():.1f} ms, gaps {gaps} ms')
        if judgement.doubled or judgement.changes() != moves:
            raise StageFailure(f'{judgement}; the server that took the writes changed {judgement.changes()} times in {moves} moves')
        return judgement


def moved(move, judge_by=None, **options):
    """One move from db1 to db2 under clients; the judgement."""
    with Home(proxies=2).start() as home:
        clients, watch = Clients(home, **options), Watch(home)
        try:
            clients.wait(server_id=1)
            move(home)
            clients.wait(server_id=2)
            home.wait_seated('db2')
        finally:
            watch.end()
        if watch.mixed or watch.looks < 50:
            raise StageFailure(f'{len(watch.mixed)} of {watch.looks} looks saw different writers: {watch.mixed[:3]}')
        print(f'{watch.looks} looks at both')
        if not home.pair['db1'].alive():
            home.pair['db1'].start()
        return clients.judge(1, home.pair[judge_by] if judge_by else None)


@limit(120)
def test_a_planned_switch_shows_both_the_same_writer():
    """`switch`: in no look and in no binlog two writers at a time, nothing lost, nothing doubled."""
    judgement = moved(lambda home: home.nodes[0].order('switch', POOL, 'db2'), retry_unknown=True)
    assert not judgement.lost and judgement.overlap_ms() <= 0, str(judgement)


@limit(120)
def test_a_killed_writer_is_replaced_for_both():
    """SIGKILL of db1: in no look and in no binlog two writers at a time."""
    moved(lambda home: home.pair['db1'].kill(), judge_by='db2')


def uptime(proxy):
    return next(int(line.split(':')[1]) for line in proxy.ask('show info').splitlines() if line.startswith('Uptime_sec:'))


def frozen_master(trouble):
    """db1 freezes after `trouble`; how long the clients waited for db2, in seconds. Awake again db1 is fenced; nothing is doubled."""
    with Home(proxies=2).start() as home:
        for proxy in home.proxies:
            wait_until(lambda: uptime(proxy) >= HARD_STOP_SECONDS + 2, 30, f'{proxy.name} to be older than hard-stop-after')
        writer = home.writer(interval_ms=5).start()
        writer.wait_writes(server_id=1, count=20)
        trouble(home)
        writer.wait_writes(server_id=1, count=20)
        frozen_at = time.time() * 1e6
        home.pair['db1'].freeze()
        writer.wait_writes(server_id=2, count=20, bound=60)
        waited = gap_ms(writer.writes(), frozen_at) / 1000
        print(f'db2 took writes {waited:.1f} s after the last that db1 took')
        for proxy in home.proxies:
            proxy.thaw()
        home.pair['db1'].thaw()
        wait_until(home.pair['db1'].is_read_only, 10, 'db1 to be fenced after it woke up')
        home.wait_seated('db2')
        writer.stop()
        home.pair.wait_level()
        judgement = Judgement(home.pair, [writer], home.pair['db2'])
        if judgement.doubled or judgement.changes() > 1:
            raise StageFailure(str(judgement))
        return waited


@limit(120)
def test_a_frozen_writer_is_replaced_as_soon_as_both_have_shown_that_they_heard():
    """Both runtime sockets answer and both processes are old: no need to wait for what a reload may have left behind."""
    waited = frozen_master(lambda home: None)
    assert waited < HARD_STOP_SECONDS, f'{waited:.1f} s'


@limit(120)
def test_a_process_that_a_reload_left_behind_is_waited_for():
    """One HAProxy was reloaded a moment ago: its old process is in no view and is waited for, as long as it may live."""
    waited = frozen_master(lambda home: home.proxies[1].reload())
    assert waited > HARD_STOP_SECONDS - 2, f'{waited:.1f} s'


@limit(150)
def test_a_frozen_haproxy_is_waited_for():
    """One HAProxy does not answer: the whole wait, for it may wake up with old sessions; awake it follows."""
    waited = frozen_master(lambda home: home.proxies[1].freeze())
    assert waited > HARD_STOP_SECONDS + 2, f'{waited:.1f} s'
