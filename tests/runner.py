"""Collects and runs everything that ./test runs, and counts it: unit tests, simulator scenes, mutations, scenes on real servers, chaos.

A sanitizer's report is found in a folder, not in an exit code (the test framework calls a leaking test green), and fails the run.
A skip is allowed only when tests/allowed_skips.txt names it. See `./test --help` for what is asked of whom.
"""
import argparse
import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
UNIT_SECONDS, SCENE_SECONDS, SIM_SECONDS = 120, 90, 180
SIM_SEEDS, SIM_SEEDS_LONG = '1..200', '1..5000'
ARBITER_SEEDS_LONG = ('1..50000', '50001..100000')      # of each arbiter, on an optimised build: the sanitizers' share is SIM_SEEDS_LONG
ARBITERS = ('quorum', 'local')
QUORUM_SEEDS, QUORUM_SEEDS_LONG = '1..300', '1..20000'
CHAOS_ROUNDS, CHAOS_ROUNDS_LONG, CHAOS_ROUND_SECONDS = 3, 30, 20
FLAPPING_MINUTES_LONG, FLAPPING_SECONDS_MORE = 60, 300                     # and finding all, its calm and the judgement
REPLAY_MINUTES, REPLAY_MINUTES_LONG, REPLAY_SECONDS_MORE = 0.6, 60, 300     # and the last round, its calm and the judgement
CHAOS_KINDS = ('kill', 'switch', 'leaders')
CHAOS_SCENES = ('kill', 'freeze', 'isolate', 'cut', 'gone', 'silent', 'split', 'reload', 'frozen-proxy', 'broken-replication',
                'amnesia', 'together', 'paused-leader', 'relay-first', 'writable', 'privileged', 'late-rows', 'flap')   # tests/chaos/plays.py
CHAOS_SCENE_ROUNDS_LONG, CHAOS_SCENE_SECONDS = 12, 60
RAFT_PLAYS = ('kill', 'kill-follower', 'freeze', 'freeze-follower', 'isolate', 'isolate-follower', 'cut', 'deaf', 'mute', 'split',
              'restart-each', 'restart-all', 'stop', 'yield', 'long-away', 'wiped', 'full-disk', 'slow-disk', 'lost-tail')   # tests/chaos/raft_plays.py
RAFT_SLICE = ('kill', 'split', 'lost-tail')
RAFT_ROUNDS_LONG, RAFT_ROUND_SECONDS = 6, 100
CHAOS_SLICE_SEED = '1'       # ./test plays the same rounds each time; ./test long draws a seed and prints it
CHAOS_BROKEN_ROUNDS_LONG, CHAOS_BROKEN_SLICE = 5, ('killed', 'master cut off', 'interm. cut')
FUZZ_SECONDS = 30
LANES = 2                    # cases that run at a time: most of what a scene does is to wait
SPARE_LANES = 1              # more of them begin a case only where the processors have been idle for so great a share of a second
SPARE_SHARE, SPARE_SECONDS = 0.5, 1.0
MUTATIONS_SLICE = ('take-unguarded', 'revoke-left-out', 'fence-left-out')      # one of each kind: the rest is for `long`
MUTATE_SECONDS, MUTATE_SECONDS_LONG = 240, 7200
SKIPPED = 77

Case = namedtuple('Case', 'name argv seconds reader meaning')
Result = namedtuple('Result', 'name verdict text')          # verdict: passed, failed, skipped


def docstring_scenes(path):
    """[(function, sentence, limit)] of a Python file, read without running it."""
    with open(path) as file:
        tree = ast.parse(file.read(), path)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith('test_'):
            limit = SCENE_SECONDS
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and getattr(mark.func, 'id', '') == 'limit':
                    limit = ast.literal_eval(mark.args[0])
            yield node.name, (ast.get_docstring(node) or '').split('\n')[0], limit


def read_exit(case, code, text, _report):
    """One process, one case."""
    if code == SKIPPED:
        return [Result(case.name, 'skipped', text.strip().splitlines()[-1].removeprefix('skipped: '))]
    return [Result(case.name, 'passed' if code == 0 else 'failed', text)]


def read_tap(case, code, text, report):
    """A Criterion binary: every test in its report is a case; a binary that ends badly without a report is one failed case."""
    results = []
    lines = open(report).read().splitlines() if os.path.exists(report) else []
    for line in lines:
        found = re.match(r'(not ok|ok) - (\S+)\s*(.*)', line)
        if found:
            word, name, rest = found.groups()
            verdict = 'failed' if word == 'not ok' else 'skipped' if '# SKIP' in rest else 'passed'
            results.append(Result(f'{case.name}/{name}', verdict, rest.split('# SKIP')[-1].strip()))
    if not results or (code != 0 and all(result.verdict != 'failed' for result in results)):
        results.append(Result(case.name, 'failed', f'ended with code {code}\n{text}'))
    elif code != 0:
        results = [result._replace(text=f'{result.text}\n{text}') if result.verdict == 'failed' else result for result in results]
    return results


def read_sim(case, code, text, _report):
    """The simulator says 'N scenes' (or 'N passed, M failed') in its last line; each seed is a scene."""
    last = text.strip().splitlines()[-1] if text.strip() else ''
    found = re.search(r'(\d+) (?:passed|scenes)', last)
    count = int(found.group(1)) if found else 1
    if code != 0:
        return [Result(case.name, 'failed', text)]
    return [Result(f'{case.name} #{number + 1}', 'passed', last) for number in range(count)]


def unit_cases(build):
    folder = os.path.join(build, 'tests/unit')
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for name in names:
        path = os.path.join(folder, name)
        if name.endswith('_test') and os.access(path, os.X_OK):
            yield Case(f'unit/{name}', [path, '--tap={tap}', '-j2', '--timeout', str(UNIT_SECONDS // 2)], UNIT_SECONDS,
                       read_tap, '')


def sim_cases(build, is_long):
    path = os.path.join(build, 'tests/sim/sim')
    if os.access(path, os.X_OK):
        seeds = SIM_SEEDS_LONG if is_long else SIM_SEEDS
        yield Case(f'sim/seeds {seeds}', [path, '--seeds', seeds], SIM_SECONDS * (20 if is_long else 1), read_sim,
                   'whole clusters on one seed each, every promise checked after every step')
        fast = os.path.join(ROOT, 'build/bench/tests/sim/sim')
        for part, arbiter in ((part, arbiter) for part in ARBITER_SEEDS_LONG for arbiter in ARBITERS) if is_long and os.access(fast, os.X_OK) else ():
            yield Case(f'sim/{arbiter} {part}', [fast, '--arbiter', arbiter, '--kept', 'none', '--seeds', part], SIM_SECONDS * 30, read_sim,
                       'the same under one arbiter: witnesses, managed clusters, sites, operators')
        for arbiter, every in (('local', '31'), ('quorum', '257')):
            cells = ['--seeds', '1..4'] if is_long else ['--every', every, '--seeds', '1..1']
            yield Case(f'sim/scenes {arbiter} {" ".join(cells)}', [path, '--scenes', '--arbiter', arbiter, *cells],
                       SIM_SECONDS * (20 if is_long else 1), read_sim,
                       'each party killed, frozen and cut off at each step of each move, and what else must be staged')


def quorum_cases(build, is_long):
    path = os.path.join(build, 'tests/quorumsim/quorumsim')
    if os.access(path, os.X_OK):
        seeds = QUORUM_SEEDS_LONG if is_long else QUORUM_SEEDS
        yield Case(f'quorumsim/seeds {seeds}', [path, '--seeds', seeds], SIM_SECONDS * (20 if is_long else 1), read_sim,
                   'nodes that agree on one seed each: one leader at a time, nothing lost, every promise checked after every step')


def scene_cases(is_long):
    folder = os.path.join(HERE, 'integration')
    for file in sorted(os.listdir(folder)):
        if file.endswith('_test.py'):
            for function, sentence, limit in docstring_scenes(os.path.join(folder, file)):
                yield Case(f'integration/{file[:-3]}/{function}',
                           [sys.executable, os.path.join(HERE, 'stage/case.py'), os.path.join(folder, file), function], limit,
                           read_exit, sentence)
    rounds = CHAOS_ROUNDS_LONG if is_long else CHAOS_ROUNDS
    for kind in CHAOS_KINDS:
        yield Case(f'chaos/{kind}', [sys.executable, os.path.join(HERE, 'chaos/rounds.py'), '--rounds', str(rounds), kind],
                   60 + rounds * CHAOS_ROUND_SECONDS, read_exit, f'{rounds} rounds, judged by the binlogs and by the clients')
    minutes = REPLAY_MINUTES_LONG if is_long else REPLAY_MINUTES
    seed = [] if is_long else ['--seed', CHAOS_SLICE_SEED]
    yield Case('chaos/replay_safety', [sys.executable, os.path.join(HERE, 'chaos/replay_safety.py'), '--minutes', str(minutes), *seed],
               int(minutes * 60) + REPLAY_SECONDS_MORE, read_exit,
               f'{minutes:g} minutes of kills, freezes and cuts: replication never stops, the tables are the same')
    if is_long:
        yield Case('chaos/flapping', [sys.executable, os.path.join(HERE, 'chaos/flapping.py'), '--minutes', str(FLAPPING_MINUTES_LONG)],
                   FLAPPING_MINUTES_LONG * 60 + FLAPPING_SECONDS_MORE, read_exit,
                   f'{FLAPPING_MINUTES_LONG} minutes of 300 simulated servers that come and go: nothing grows, and all is told as it is in the end')
    yield from chaos_scene_cases(is_long)
    yield from chaos_raft_cases(is_long)
    yield from chaos_broken_cases(is_long)


def chaos_scene_cases(is_long):
    scenes = [sys.executable, os.path.join(HERE, 'chaos/scenes.py')]
    if not is_long:
        yield Case('chaos/scenes', [*scenes, '--brief', '--seed', CHAOS_SLICE_SEED], 300, read_exit,
                   'scenes of trouble in a network that can be cut, judged by the binlogs')
    for name in CHAOS_SCENES if is_long else ():
        yield Case(f'chaos/scenes/{name}', [*scenes, '--rounds', str(CHAOS_SCENE_ROUNDS_LONG), name],
                   60 + CHAOS_SCENE_ROUNDS_LONG * CHAOS_SCENE_SECONDS, read_exit,
                   f'{CHAOS_SCENE_ROUNDS_LONG} rounds in a network that can be cut, judged by the binlogs')


def chaos_raft_cases(is_long):
    rounds = [sys.executable, os.path.join(HERE, 'chaos/raft.py')]
    if not is_long:
        yield Case('chaos/raft', [*rounds, '--seed', CHAOS_SLICE_SEED, '--strangers', *RAFT_SLICE], 300, read_exit,
                   'three raft nodes in a network that can be cut, strangers at their ports, judged by all stores row by row')
    for nodes in ('3', '5') if is_long else ():
        for name in RAFT_PLAYS:
            yield Case(f'chaos/raft/{nodes}/{name}', [*rounds, '--nodes', nodes, '--rounds', str(RAFT_ROUNDS_LONG), '--strangers', name],
                       60 + RAFT_ROUNDS_LONG * RAFT_ROUND_SECONDS, read_exit,
                       f'{RAFT_ROUNDS_LONG} rounds of {nodes} raft nodes with strangers at their ports, judged by all stores row by row')


def chaos_broken_cases(is_long):
    words = ['--rounds', str(CHAOS_BROKEN_ROUNDS_LONG)] if is_long else list(CHAOS_BROKEN_SLICE)
    yield Case('chaos/broken', [sys.executable, os.path.join(HERE, 'chaos/broken.py'), *words], 1800 if is_long else 150, read_exit,
               'each kind of broken server of a real cluster has its finding in time')


def mutate_cases(is_long):
    path = os.path.join(HERE, 'mutate/mutate.py')
    yield Case('mutate/fit', [sys.executable, path, '--check'], UNIT_SECONDS, read_exit, 'every mutation still fits the code')
    if is_long:
        yield Case('mutate/all', [sys.executable, path], MUTATE_SECONDS_LONG, read_exit, 'each broken promise is seen by the simulator')
    else:
        yield Case('mutate/slice', [sys.executable, path, '--seeds', '200', *MUTATIONS_SLICE], MUTATE_SECONDS, read_exit,
                   'three broken promises are seen by the simulator')


def fuzz_cases():
    folder = os.path.join(ROOT, 'build/fuzz/tests/fuzz')
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        if name.endswith('_fuzz') and os.access(path, os.X_OK):
            kept = os.path.join(HERE, 'fuzz/corpus', name.removesuffix('_fuzz'))
            yield Case(f'fuzz/{name}', [path, f'-max_total_time={FUZZ_SECONDS}', '-timeout=5', '-artifact_prefix={found}/',
                                        '{found}', *([kept] if os.path.isdir(kept) else [])], FUZZ_SECONDS + 60, read_exit, '')


def collect(build, is_long):
    cases = [*unit_cases(build), *sim_cases(build, is_long), *quorum_cases(build, is_long), *mutate_cases(is_long), *scene_cases(is_long)]
    return cases + [*fuzz_cases()] if is_long else cases


def allowed_skips():
    path = os.path.join(HERE, 'allowed_skips.txt')
    with open(path) as file:
        return {line.split(':')[0].strip() for line in file if line.strip() and not line.startswith('#')}


class Run:
    def __init__(self, folder, build):
        self.folder, self.reports = folder, os.path.join(folder, 'sanitizer')
        self.child = None
        os.makedirs(self.reports)
        os.chmod(folder, 0o711)
        self.environment = dict(
            os.environ, FC_BUILD=build, FC_STAGE_ROOT=folder, FC_STAGE_TEMPLATE=os.path.join(folder, 'template'),
            PATH=os.environ['PATH'] + ':/usr/sbin:/sbin', PYTHONDONTWRITEBYTECODE='1', LC_ALL='C.UTF-8',
            ASAN_OPTIONS=f'log_path={self.reports}/asan:detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1',
            UBSAN_OPTIONS=f'log_path={self.reports}/ubsan:print_stacktrace=1',
            LSAN_OPTIONS='print_suppressions=0', TSAN_OPTIONS=f'log_path={self.reports}/tsan')

    def run(self, case):
        """The case's results, and whatever the sanitizers had to say meanwhile as a failed one."""
        before = set(os.listdir(self.reports))
        tap, found = os.path.join(self.folder, 'report.tap'), os.path.join(self.folder, 'found')
        if os.path.exists(tap):
            os.unlink(tap)
        shutil.rmtree(found, ignore_errors=True)
        os.mkdir(found)                                       # what a fuzzer comes upon
        code, text = self.process([word.replace('{tap}', tap).replace('{found}', found) for word in case.argv], case.seconds)
        results = case.reader(case, code, text, tap)
        for name in sorted(set(os.listdir(self.reports)) - before):
            with open(os.path.join(self.reports, name), errors='replace') as file:
                results.append(Result(f'{case.name} (sanitizer)', 'failed', file.read(6000)))
        return results

    def process(self, argv, seconds):
        """(exit code, all that it printed). Past its time it is asked to clean up, then killed with its group."""
        with tempfile.TemporaryFile() as sink:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=self.environment, cwd=ROOT,
                                       process_group=0)
            self.child, late = process, ''
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                late = f'\nnot done within {seconds} s'
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            self.child = None
            sink.seek(0)
            text = sink.read().decode(errors='replace') + late
        return (process.returncode if not late else 124), text


def processor_ticks():
    """(idle, all) of all processors since the machine started."""
    with open('/proc/stat') as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def has_spare_time():
    """Have the processors little to do? Takes a second to answer."""
    idle, all_ticks = processor_ticks()
    time.sleep(SPARE_SECONDS)
    idle_now, all_now = processor_ticks()
    return idle_now - idle > SPARE_SHARE * (all_now - all_ticks)


class Lanes:
    """The cases in their order, some at a time, each lane with a folder and a stage of its own."""

    def __init__(self, folder, build, cases):
        self.folder, self.build, self.count = folder, build, len(cases)
        self.waiting, self.lock = iter(cases), threading.Lock()
        self.runs, self.results, self.told, self.begun, self.is_over, self.began = [], [], 0, 0, False, time.monotonic()

    def run(self, lanes, spare_lanes):
        self.runs = [Run(os.path.join(self.folder, str(number)), self.build) for number in range(lanes + spare_lanes)]
        threads = [threading.Thread(target=self.follow, args=(run, number >= lanes), daemon=True) for number, run in enumerate(self.runs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)                              # signals are heard between two of these
        return self.results

    def follow(self, run, is_spare):
        while True:
            while is_spare and not self.is_over and self.begun < self.count and not has_spare_time():
                pass
            with self.lock:
                self.begun += 1
                case = None if self.is_over else next(self.waiting, None)
            if case is None:
                return
            start = time.monotonic()
            try:
                found = run.run(case)
            except Exception as error:                        # of the runner's own: no case may vanish
                found = [Result(case.name, 'failed', f'{type(error).__name__}: {error}')]
            with self.lock:
                self.told += 1
                self.results += found
                if not self.is_over:
                    tell(case, found, self.told, self.count, self.began, time.monotonic() - start)

    def end(self):
        """Nothing new is begun, and what runs is asked to clean up."""
        self.is_over = True
        for run in self.runs:
            child = run.child
            if child is not None and child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)
                try:
                    child.wait(15)
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, signal.SIGKILL)


def reason(result):
    """What a scene gave as its reason, for whoever sees only a part of the output."""
    return next((line.strip() for line in reversed(result.text.splitlines()) if line.startswith('because: ')), '')


def tell(case, results, number, count, began, took):
    """One line a case while it runs; what failed is shown at once and in full."""
    counts = {verdict: sum(result.verdict == verdict for result in results) for verdict in ('passed', 'failed', 'skipped')}
    word = 'FAILED' if counts['failed'] else 'skipped' if counts['skipped'] and not counts['passed'] else 'ok'
    several = f' ({counts["passed"]} passed)' if len(results) > 1 else ''
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    print(f'[{number:3}/{count} {minutes}m{seconds:02}s] {word:7} {case.name}{several}  {took:.1f} s', flush=True)
    for result in results:
        if result.verdict == 'failed':
            print(f'    FAILED {result.name} {reason(result)}'.rstrip())
            print('\n'.join(f'      {line}' for line in result.text.splitlines()[-80:]), flush=True)


def sum_up(results, took):
    """The last lines: every failure and skip by name, then the count. True when all is well."""
    allowed = allowed_skips()
    failed = [result for result in results if result.verdict == 'failed']
    skipped = [result for result in results if result.verdict == 'skipped']
    forbidden = [result for result in skipped if result.name not in allowed]
    passed = len(results) - len(failed) - len(skipped)
    print()
    for result in failed:
        print(f'failed:  {result.name} {reason(result)}'.rstrip())
    for result in skipped:
        print(f'skipped: {result.name}: {result.text}' + ('' if result.name in allowed else '  (not in tests/allowed_skips.txt)'))
    if not results:
        print('nothing was run: no test has such a name')
    print(f'took {took / 60:.1f} min')
    print(f'{passed} passed, {len(failed)} failed, {len(skipped)} skipped', flush=True)
    return bool(results) and not failed and not forbidden


def main():
    reader = argparse.ArgumentParser(prog='./test')
    reader.add_argument('--build', default='build/dev', help='the build to test (default build/dev)')
    reader.add_argument('--patience', type=int, default=1, help='each case may take so many times as long (servers that start slowly)')
    reader.add_argument('--list', action='store_true', help='name everything, run nothing')
    reader.add_argument('words', nargs='*', help="'long' for everything; else only what has one of these words in its name")
    options = reader.parse_args()
    is_long = 'long' in options.words
    wanted = [word for word in options.words if word != 'long']
    cases = [case._replace(seconds=case.seconds * options.patience) for case in collect(os.path.join(ROOT, options.build), is_long)
             if not wanted or any(word in case.name for word in wanted)]
    if options.list:
        for case in cases:
            print(f'{case.name}  {case.meaning}'.rstrip())
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)      # a shell's background jobs start with it ignored
    folder = tempfile.mkdtemp(prefix='firstchair-test-')
    os.chmod(folder, 0o711)
    began, all_of_it = time.monotonic(), Lanes(folder, options.build, cases)
    try:
        results = all_of_it.run(min(LANES, len(cases)), SPARE_LANES if len(cases) > LANES else 0)
    except KeyboardInterrupt:
        print('\ninterrupted')
        return 130
    finally:
        all_of_it.end()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if sum_up(results, time.monotonic() - began) else 1


if __name__ == '__main__':
    sys.exit(main())
