"""The show behind ./run: brings up a mode on real servers, keeps the live picture on the screen, and starts again on request what
the onlooker has killed. See `./run --help`."""
import argparse
import os
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from stage import Home, Single, Skip, StageFailure                  # noqa: E402
from stage.node import ROOT, program                                # noqa: E402
from stage.sites import SITES, Sites                                # noqa: E402
from stage.traffic import gap_ms                                    # noqa: E402

FRAME_SECONDS, PLAIN_FRAME_SECONDS = 1.0, 5.0
REVIVE = """#!/bin/sh
# Asks the running ./run to start again what is down: revive [NAME...]; without a name, everything. Frozen ones are thawed.
cd '{asked}' || exit 1
[ $# -gt 0 ] || set -- {names}
for name; do
    case " {names} " in
    *" $name "*) : >"$name" ;;
    *) echo "revive: nothing is called '$name'; there are: {names}" >&2; exit 2 ;;
    esac
done
"""

LINE = """#!/bin/sh
# Asks the running ./run to cut a line or to heal all: line cut a b | line cut a | line heal
cd '{asked}' || exit 1
case "$1" in
heal) : >heal ;;
cut)
    for party in "$2" ${{3:+"$3"}}; do
        case " {parties} " in
        *" $party "*) ;;
        *) echo "line: nothing is called '$party'; there are: {parties}" >&2; exit 2 ;;
        esac
    done
    : >"cut $2${{3:+ $3}}" ;;
*) echo "usage: line cut A [B] | line heal       A, B: {parties}" >&2; exit 2 ;;
esac
"""


def say(text):
    print(text, flush=True)


def kill_of(one):
    return f'kill -9 {one.pid}' if one.alive() else '-'


def short(path):
    """Relative to where the onlooker stands, when that is shorter."""
    return min(path, os.path.relpath(path), key=len)


class Show:
    def __init__(self, house):
        self.house = house
        self.asked = house.nest.folder('asked')
        self.revive = house.nest.write('revive', REVIVE.format(asked=self.asked, names=' '.join(house.everything())), mode=0o755)

    def ctl(self, *words):
        return ' '.join([short(program('firstchairctl')), '--socket', self.house.nodes[0].order_socket, *words])

    def answer_requests(self):
        """Starts again what was asked for; what does not come back is told in the picture."""
        for name in os.listdir(self.asked):
            os.unlink(os.path.join(self.asked, name))
            if self.is_about_lines(name):
                continue
            one = self.house.everything().get(name)
            if one is None:
                continue
            try:
                one.thaw() if one.alive() else one.start()
            except StageFailure as failure:
                self.trouble = f'{name} did not come back: {failure}'

    trouble = ''

    def is_about_lines(self, _request):
        """A request of another kind than a name; done then."""
        return False

    def processes(self):
        """name -> 'pid' or 'down'."""
        return ', '.join(f'{name} {one.pid if one.alive() else "down"}' for name, one in self.house.everything().items())

    def picture(self):
        """The whole picture as one living node tells it, and what the others say in a line each."""
        living = [node for node in self.house.nodes if node.alive()]
        if not living:
            return 'no node is alive'
        try:
            done = subprocess.run([program('firstchairctl'), '--socket', living[0].order_socket, 'watch', '--once'],
                                  capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=5)
            told = (done.stdout + done.stderr).rstrip()
        except subprocess.TimeoutExpired:
            told = f'{living[0].name} gave no picture within 5 s'
        return '\n'.join([told, '', *(self.in_a_line(node) for node in living[1:])])

    @staticmethod
    def in_a_line(node):
        try:
            seen = node.picture()
            pools = ', '.join(f'{pool["seated"] or "nobody"} sits in {pool["name"]}' for pool in seen['pools'])
            return f'{node.name} says: {seen["leadership"]}, {seen["leader"] or "nobody"} leads, {pools} (epoch {seen["epoch"]})'
        except (OSError, ValueError, KeyError) as error:
            return f'{node.name} says nothing: {error}'

    def frame(self):
        lines = [*self.commands(), '', *self.foot(), f'processes: {self.processes()}']
        return [*lines, *([self.trouble] if self.trouble else []), '', *self.picture().splitlines()]

    def foot(self):
        return []


class HomeShow(Show):
    def __init__(self, house):
        super().__init__(house)
        self.writer = house.writer('traffic', interval_ms=5)
        self.last_gap = None
        self.judged = 0

    def commands(self):
        house, nest = self.house, self.house.nest
        seated = self.seated()
        other = house.other(seated).name if seated else 'db2'
        leader = next(iter(house.leaders()), None)
        rows = [('hand the chair over', self.ctl('switch', 'fc_backend', other)),
                ('why it is so', self.ctl('explain', 'fc_backend')),
                (f'kill who sits ({seated or "nobody"})', kill_of(house.pair[seated]) if seated else '-'),
                (f'kill who leads ({leader.name if leader else "nobody"})', kill_of(leader) if leader else '-'),
                ('bring back what is down', f'{self.revive}        (or only: revive db1; kill -STOP freezes, revive thaws)')]
        if house.redis:
            rows.append(('what Redis is told', f"redis-cli -s {house.redis.socket} keys '*'"))
        rows += [('write yourself', f'mariadb --defaults-file={house.pair.app_file} -P {house.proxies[0].backend_port} app'),
                 ('HTTP', f'curl -s http://127.0.0.1:{house.nodes[0].http_port}/api/steering/pools'),
                 ('logs', f'tail -f {nest.path}/fc*/firstchair.log')]
        return ['Try in another terminal (Ctrl-C here ends everything and leaves nothing behind):',
                *(f'  {what:<26} {how}' for what, how in rows)]

    def seated(self):
        for node in self.house.nodes:
            try:
                if node.alive():
                    return node.pool()['seated'] or None
            except (OSError, ValueError, KeyError, StopIteration):
                continue
        return None

    def foot(self):
        done = self.writer.acknowledged()
        news, self.judged = done[max(0, self.judged - 1):], len(done)
        gap = gap_ms(news)
        if gap > 100:
            self.last_gap = (gap, time.strftime('%H:%M:%S'))
        now_us = time.time() * 1e6
        rate = sum(1 for write in done[-2000:] if write.at_us > now_us - 2e6) / 2
        names = {server.server_id: server.name for server in self.house.pair.servers}
        where = names.get(done[-1].server_id, '?') if done else '-'
        told = f'traffic: {rate:.0f} writes/s on {where} through {self.house.proxies[0].name}, {len(done)} acknowledged'
        silent = (now_us - done[-1].at_us) / 1e6 if done else 0
        if silent > 1:
            told += f'; none for {silent:.1f} s'
        if self.last_gap:
            told += f'; last gap {self.last_gap[0]:.0f} ms at {self.last_gap[1]}'
        return [told]


class SitesShow(HomeShow):
    """The two sites and the witness; the client of `writer` is at site a, the other one at site b."""

    def __init__(self, house):
        super().__init__(house)
        self.far_writer = house.writer('traffic_b', 1, interval_ms=5)
        parties = ' '.join([*SITES, *sum(SITES.values(), [])])
        self.line = house.nest.write('line', LINE.format(asked=self.asked, parties=parties), mode=0o755)

    def is_about_lines(self, request):
        verb, *parties = request.split()
        try:
            if verb == 'cut':
                self.house.cut(*parties)
            elif verb == 'heal':
                self.house.heal()
            else:
                return False
            self.trouble = ''
        except StageFailure as failure:
            self.trouble = str(failure)
        return True

    def at(self, host, command):
        return f'nsenter --net=/run/netns/{self.house.place(host).namespace} {command}'

    def commands(self):
        house, seated = self.house, self.seated()
        site = 'b' if seated == 'db2' else 'a'
        other = house.other(seated).name if seated else 'db2'
        leader = next(iter(house.leaders()), None)
        rows = [('cut the sites apart', f'{self.line} cut a b'), (f'site {site}, which has {seated or "nobody"}, alone', f'{self.line} cut {site}'),
                ('cut the witness off', f'{self.line} cut w'), ('one host alone', f'{self.line} cut {seated or "db1"}'),
                ('heal every line', f'{self.line} heal'),
                ('hand the chair over', self.ctl('switch', 'fc_backend', other)), ('why it is so', self.ctl('explain', 'fc_backend')),
                (f'kill who leads ({leader.name if leader else "nobody"})', kill_of(leader) if leader else '-'),
                (f'kill who sits ({seated or "nobody"})', kill_of(house.pair[seated]) if seated else '-'),
                ('bring back what is down', self.revive),
                ('write yourself, at site a', self.at('client', f'mariadb --defaults-file={house.pair.app_file} -h {house.proxies[0].place.host} '
                                                                f'-P {house.proxies[0].backend_port} app')),
                ('logs', f'tail -f {house.nest.path}/fc*/firstchair.log')]
        return ['Site a: db1, lb1, fc1. Site b: db2, lb2, fc2. Elsewhere, w: the witness fc3. A client writes at each site.',
                'Try in another terminal (Ctrl-C here ends everything and leaves nothing behind):',
                *(f'  {what:<30} {how}' for what, how in rows)]

    def foot(self):
        told = [f'site {site}: ' + self.traffic(writer, proxy)
                for site, writer, proxy in zip('ab', (self.writer, self.far_writer), self.house.proxies)]
        return [f'lines: {self.house.lines()} cut', *told]

    def traffic(self, writer, proxy):
        done = writer.acknowledged()
        now_us = time.time() * 1e6
        rate = sum(1 for write in done[-2000:] if write.at_us > now_us - 2e6) / 2
        names = {server.server_id: server.name for server in self.house.pair.servers}
        silent = (now_us - done[-1].at_us) / 1e6 if done else 0
        return (f'{rate:.0f} writes/s on {names.get(done[-1].server_id, "?") if done else "-"} through {proxy.name}, {len(done)} acknowledged'
                + (f'; none for {silent:.1f} s' if silent > 1 else ''))


class SingleShow(Show):
    def commands(self):
        node = self.house.nodes[0]
        rows = [('status', self.ctl('status')), ('HTTP', f'curl -s http://127.0.0.1:{node.http_port}/api/health'),
                ('agent-check', f"exec 3<>/dev/tcp/127.0.0.1/{node.agent_port}; echo fc_leader/{node.name} >&3; cat <&3"),
                ('kill it', kill_of(node)),
                ('bring it back', self.revive), ('log', f'tail -f {node.log}')]
        return ['One node on its own SQLite file. Try in another terminal (Ctrl-C here ends everything and leaves nothing behind):',
                *(f'  {what:<14} {how}' for what, how in rows)]


def that_fit(lines):
    """As many as the terminal has room for, counting that long ones wrap."""
    size = shutil.get_terminal_size()
    left = size.lines - 1
    for line in lines:
        left -= max(1, -(-len(line) // size.columns))
        if left < 0:
            return
        yield line


def run(show, seconds):
    """Frames until the time is over or somebody interrupts; requests are answered between them."""
    live = sys.stdout.isatty()
    period = FRAME_SECONDS if live else PLAIN_FRAME_SECONDS
    end = time.monotonic() + seconds if seconds else None
    if live:
        sys.stdout.write('\x1b[2J')
    while True:
        lines = show.frame()
        if live:
            sys.stdout.write('\x1b[H' + ''.join(f'{line}\x1b[K\n' for line in that_fit(lines)) + '\x1b[J')
            sys.stdout.flush()
        else:
            say('\n'.join([*lines, '']))
        due = time.monotonic() + period
        while time.monotonic() < due:
            if end and time.monotonic() >= end:
                return
            show.answer_requests()
            time.sleep(0.1)


def begin_home(options):
    say(f'Starting two MariaDB servers, {options.proxies} HAProxy, Redis and three nodes of firstchair, private on 127.0.0.1 ...')
    began = time.monotonic()
    house = Home(proxies=options.proxies, redis=True)
    say(f'  directory {house.nest.path}')
    house.start()
    say(f'  up after {time.monotonic() - began:.1f} s: db1 sits, {house.leaders()[0].name} leads')
    show = HomeShow(house)
    show.writer.start()
    return show


def begin_sites(_options):
    say('Starting two sites with a MariaDB server, an HAProxy and a node each, and a witness elsewhere, each host in a network namespace ...')
    began = time.monotonic()
    house = Sites()
    say(f'  directory {house.nest.path}, namespaces {house.net.prefix}*')
    house.start()
    say(f'  up after {time.monotonic() - began:.1f} s: db1 sits, {house.leaders()[0].name} leads')
    show = SitesShow(house)
    show.writer.start()
    show.far_writer.start()
    return show


def begin_single(_options):
    house = Single()
    say(f'Starting one node of firstchair on SQLite in {house.nest.path} ...')
    began = time.monotonic()
    house.start()
    say(f'  leads after {(time.monotonic() - began) * 1000:.0f} ms')
    return SingleShow(house)


BEGIN = {'home': begin_home, 'single': begin_single, 'sites': begin_sites}


def main():
    reader = argparse.ArgumentParser(prog='./run', description='firstchair on real servers, live; Ctrl-C leaves nothing behind.')
    reader.add_argument('mode', nargs='?', choices=['home', 'single', 'sites'], default='home',
                        help='home: two MariaDB masters behind HAProxy, Redis, three nodes (default); single: one node on SQLite; '
                             'sites: two sites and a witness in network namespaces, with lines to cut (needs root)')
    reader.add_argument('--proxies', type=int, choices=[1, 2], default=2, help='how many HAProxies stand in front (default 2)')
    reader.add_argument('--seconds', type=float, default=0, help='end by itself after so long (default: never)')
    options = reader.parse_args()
    os.chdir(os.environ.get('FC_STARTED_FROM', ROOT))
    show = None
    try:
        show = BEGIN[options.mode](options)
        run(show, options.seconds)
    except KeyboardInterrupt:
        pass
    except Skip as missing:
        say(f'./run {options.mode}: {missing}')
        return 1
    except StageFailure as failure:
        from stage.nest import open_nests
        say(f'\nIt did not come up: {failure}\n' + ''.join(nest.tails(15) for nest in open_nests))
        return 1
    finally:
        if show:
            count, path = len(show.house.nest.children), show.house.nest.path
            show.house.close()
            say(f'\nGone: {count} processes and {path}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
