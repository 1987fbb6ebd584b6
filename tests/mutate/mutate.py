"""Breaks our own code on purpose, one promise at a time, and lets the simulators find it:  mutate.py [--list] [--check] [WORD...]

The tree is copied to a private folder; one mutation is applied, the simulator alone is built (-O1, ccache where it is installed) and
run on the kept stories, seeds 1..N and the directed scenes until the first violation. Unchanged, they must break nothing: that is run first.
Each mutation prints one line: `caught` with seed, invariant and how many seeds it took, or `MISSED`. The last line is `caught N of N`;
exit code 1 when one is missed, 2 when a mutation no longer fits the code. The table is mutations.py.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

from mutations import MUTATIONS as CHAIR_MUTATIONS                                  # noqa: E402
from mutations_arbiter import ARBITER_MUTATIONS                                      # noqa: E402
from mutations_cluster import CLUSTER_MUTATIONS                                      # noqa: E402
from mutations_deeds import DEED_MUTATIONS                                            # noqa: E402
from mutations_quorum import QUORUM_MUTATIONS as SEEN, QUORUM_NOT_SEEN_YET           # noqa: E402

QUORUM_MUTATIONS = SEEN + QUORUM_NOT_SEEN_YET
NOT_SEEN_YET = QUORUM_NOT_SEEN_YET
BY_QUORUM = ARBITER_MUTATIONS                                  # the chair's simulator with `--arbiter quorum`
MUTATIONS = CHAIR_MUTATIONS + ARBITER_MUTATIONS + CLUSTER_MUTATIONS + SEEN + DEED_MUTATIONS

# Who must see it: the simulator of the chair, that of how nodes agree, or the histories of the deed lock.
JUDGES = {'sim': 'sim/sim', 'quorumsim': 'quorumsim/quorumsim', 'deed_lock_test': 'unit/deed_lock_test'}

OWN_SCENES = {'cluster': ('cluster-', 'reader-'), 'witness': ('witness-',)}
COPIED = ('CMakeLists.txt', 'cmake', 'core', 'haproxy', 'backends', 'agent', 'tests')
SEEDS = 4000                   # of a mutation that nothing catches; most need one or two
STRIDES = (20, 200, 1000)      # seeds run at a time, after the kept stories: few first, for the first violation is enough
SEEDS_BEFORE_SCENES = 221      # then the directed scenes, before the long rest
RUN_SECONDS = 240              # of one stride; a run that does not end is a finding too
BROKE = re.compile(r'^(?:scene (?P<scene>.+?): )?seed (?P<seed>\d+) .*broke at step (?P<step>\d+): (?P<what>.*)$', re.M)
ASSERTED = re.compile(r'^.*?([\w/.]+:\d+: \w+: Assertion .*)$', re.M)
FAILED = re.compile(r'^\[FAIL\] \w+::(\w+)', re.M)

Finding = namedtuple('Finding', 'how what seeds')


class DoesNotFit(Exception):
    pass


class DoesNotBuild(Exception):
    pass


def mutated_text(root, mutation):
    """The file's text with the replacement made. The text to be replaced stands there exactly once, or the table is stale."""
    with open(os.path.join(root, mutation.file)) as file:
        text = file.read()
    count = text.count(mutation.before)
    if count != 1:
        raise DoesNotFit(f'{mutation.name}: its text stands {count} times in {mutation.file}, not once; '
                         f'change tests/mutate/mutations.py with the code')
    return text, text.replace(mutation.before, mutation.after)


def check(mutations):
    """Sentences about what no longer fits."""
    found = []
    names = [mutation.name for mutation in mutations]
    found += [f'{name}: two mutations have this name' for name in sorted(set(names)) if names.count(name) > 1]
    for mutation in mutations:
        try:
            text, changed = mutated_text(ROOT, mutation)
            if text == changed:
                found.append(f'{mutation.name}: it changes nothing')
        except (DoesNotFit, OSError) as error:
            found.append(str(error))
    return found


def judged_by(mutation):
    """(who, under which arbiter)"""
    judge = 'deed_lock_test' if mutation in DEED_MUTATIONS else 'quorumsim' if mutation in QUORUM_MUTATIONS else 'sim'
    return judge, 'quorum' if mutation in BY_QUORUM else 'local'


class Bench:
    """A private copy of the tree with its own build of the simulator."""

    def __init__(self, folder):
        self.root = folder
        os.makedirs(folder)
        for name in COPIED:
            source, target = os.path.join(ROOT, name), os.path.join(folder, name)
            if os.path.isdir(source):
                shutil.copytree(source, target, ignore=shutil.ignore_patterns('__pycache__', 'corpus'))
            else:
                shutil.copy2(source, target)
        os.makedirs(os.path.join(folder, 'examples'))
        self.environment = dict(os.environ, CCACHE_BASEDIR=folder, CCACHE_NOHASHDIR='1', LC_ALL='C.UTF-8')
        flags = ['-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_C_FLAGS=-O1 -w', '-DFC_WERROR=OFF']
        if shutil.which('ccache'):
            flags.append('-DCMAKE_C_COMPILER_LAUNCHER=ccache')
        self.tool(['cmake', '-S', folder, '-B', os.path.join(folder, 'build'), *flags])
        self.has_staged = False
        self.judge = 'sim'
        self.arbiter = 'local'         # of the chair's: who decides
        self.scene = None              # of the chair's: the one that is made for it, told first

    def tool(self, argv):
        done = subprocess.run(argv, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise DoesNotBuild(f'{" ".join(argv)}\n{done.stdout[-3000:]}')

    def build(self):
        self.tool(['cmake', '--build', os.path.join(self.root, 'build'), '-j1', '--target', self.judge])

    def run(self, words):
        """What broke first in one run of the simulator; None when nothing did."""
        sim = os.path.join(self.root, 'build/tests', JUDGES[self.judge])
        try:
            done = subprocess.run([sim, *words], cwd=self.root, env=self.environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            return Finding(' '.join(words), f'the run does not end within {RUN_SECONDS} s', 0)
        text = done.stdout.decode(errors='replace')
        broke = BROKE.search(text)
        if broke:
            scene = f'scene {broke["scene"]} ' if broke['scene'] else ''
            return Finding(f'{scene}seed {broke["seed"]} step {broke["step"]}', broke['what'], int(broke['seed']))
        if done.returncode == 0:
            return None
        asserted, failed = ASSERTED.search(text), FAILED.search(text)
        return Finding(' '.join(words), asserted[1] if asserted else failed[1] if failed else f'ended with code {done.returncode}', 0)

    def stage(self, seeds):
        """What the directed scenes show, after so many seeds."""
        self.has_staged = True
        found = self.run(['--scenes', '--every', '4' if self.arbiter == 'local' else '40', '--arbiter', self.arbiter])
        return found._replace(seeds=seeds) if found else None

    def hunt_quorum(self, seeds):
        """The first violation: seeds in growing strides, each after the kept stories."""
        begin, strides = 1, iter((20, 200, *[STRIDES[-1]] * seeds))
        while begin <= seeds:
            end = min(begin + next(strides) - 1, seeds)
            found = self.run(['--seeds', f'{begin}..{end}'])
            if found:
                return found._replace(seeds=found.seeds or end)
            begin = end + 1
        return None

    def hunt(self, seeds):
        if self.judge == 'deed_lock_test':
            return self.run(['-j2'])
        return self.hunt_quorum(seeds) if self.judge == 'quorumsim' else self.hunt_chair(seeds)

    def hunt_chair(self, seeds):
        """The first violation: the scene made for it, the kept stories, a few seeds, the directed scenes, then all the other seeds in growing
        strides."""
        found = self.run(['--scene', self.scene, '--seeds', '1..3', '--arbiter', self.arbiter]) if self.scene else None
        if found:
            return found
        found = self.run(['--seeds', '1..1', '--arbiter', self.arbiter])
        if found:
            return found._replace(seeds=0 if 'scene' in found.how else 1)
        begin, strides = 2, iter((*STRIDES, *[STRIDES[-1]] * seeds))
        while begin <= seeds:
            if begin > SEEDS_BEFORE_SCENES and not self.has_staged:
                found = self.stage(begin - 1)
                if found:
                    return found
            end = min(begin + next(strides) - 1, seeds)
            found = self.run(['--seeds', f'{begin}..{end}', '--arbiter', self.arbiter, '--kept', 'none'])
            if found:
                return found._replace(seeds=found.seeds or end)
            begin = end + 1
        return None if self.has_staged else self.stage(seeds)

    def try_out(self, mutation, seeds):
        path = os.path.join(self.root, mutation.file)
        text, changed = mutated_text(self.root, mutation)
        try:
            with open(path, 'w') as file:
                file.write(changed)
            self.judge, self.arbiter = judged_by(mutation)
            self.scene = next((scene for scene in OWN_SCENES if mutation.name.startswith(OWN_SCENES[scene])), None)
            self.build()
            self.has_staged = False
            return self.hunt(seeds)
        finally:
            with open(path, 'w') as file:
                file.write(text)


def chosen(words, is_check):
    """By name any of them; without a name what the simulators must see, or all that must fit the code."""
    known = MUTATIONS + (NOT_SEEN_YET if words or is_check else [])
    return [mutation for mutation in known if not words or any(word in mutation.name for word in words)]


def tell(mutation, found, took):
    verdict = f'caught  {mutation.name:28} after {found.seeds} seeds, {found.how}: {found.what}' if found \
        else f'MISSED  {mutation.name:28} {mutation.meaning}'
    print(f'{verdict}  ({took:.0f} s)', flush=True)


def hunt_all(mutations, seeds, jobs):
    """How many were caught. Each job has a bench of its own, made once; the unchanged code is judged first."""
    with tempfile.TemporaryDirectory(prefix='firstchair-mutate-') as folder:
        benches = []
        for number in range(min(jobs, len(mutations))):
            benches.append(Bench(os.path.join(folder, str(number))))
        for judge, arbiter in sorted({judged_by(mutation) for mutation in mutations}):
            benches[0].judge, benches[0].arbiter = judge, arbiter
            benches[0].has_staged = False
            benches[0].build()
            broken = benches[0].hunt(seeds)
            if broken:
                print(f'the unchanged code breaks already: {broken.how}: {broken.what}')
                return -1

        def one(mutation):
            bench, began = benches.pop(), time.monotonic()
            try:
                found = bench.try_out(mutation, seeds)
            except DoesNotBuild as error:
                print(f'{mutation.name} does not build:\n{error}', flush=True)
                return False
            finally:
                benches.append(bench)
            tell(mutation, found, time.monotonic() - began)
            return found is not None

        with concurrent.futures.ThreadPoolExecutor(len(benches)) as pool:
            return sum(pool.map(one, mutations))


def main():
    reader = argparse.ArgumentParser(prog='mutate.py', description='Mutations of our own code that the simulator must catch.')
    reader.add_argument('--list', action='store_true', help='name the mutations, run nothing')
    reader.add_argument('--check', action='store_true', help='only see whether every mutation still fits the code')
    reader.add_argument('--seeds', type=int, default=SEEDS, help=f'seeds at most for each (default {SEEDS})')
    reader.add_argument('--jobs', type=int, default=2, choices=(1, 2), help='how many at a time')
    reader.add_argument('words', nargs='*', help='only mutations with one of these words in their name')
    options = reader.parse_args()
    mutations = chosen(options.words, options.check)
    if not mutations:
        print('no mutation has such a name')
        return 2
    if options.list:
        for mutation in mutations:
            print(f'{mutation.name:28} {mutation.file:26} {mutation.meaning}')
        return 0
    stale = check(mutations)
    for sentence in stale:
        print(sentence)
    if stale or options.check:
        print(f'{len(mutations) - len(stale)} of {len(mutations)} fit the code')
        return 2 if stale else 0
    count = hunt_all(mutations, options.seeds, options.jobs)
    if count < 0:
        return 1
    print(f'caught {count} of {len(mutations)}')
    return 0 if count == len(mutations) else 1


if __name__ == '__main__':
    sys.exit(main())
