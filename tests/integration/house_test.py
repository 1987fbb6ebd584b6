"""Rules of the house that a compiler does not check: what a room may include, call and name. Read from the sources and the build.

By itself:  house_test.py [BUILD]  tells each rule and whether it is kept; ctest and the target `tidy` do so.
"""
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOMS = ('core', 'haproxy', 'backends', 'agent')

# The core and HAProxy's words: bytes in, bytes out. No clock, no socket, no file, no thread.
PURE_ROOMS = ('base', 'model', 'discover', 'words', 'answer', 'judge', 'lead', 'act', 'steer', 'core', 'haproxy')
PURE_CALLS = {'memchr', 'memcmp', 'memcpy', 'memmove', 'memset', 'bcmp', 'strchr', 'strrchr', 'strcmp', 'strncmp', 'strcasecmp',
              'strncasecmp', 'strcspn', 'strspn', 'strpbrk', 'strlen', 'strnlen', 'strstr', 'snprintf', 'vsnprintf', 'qsort', 'abs',
              '__assert_fail', '__stack_chk_fail', '__ctype_b_loc', '__ctype_tolower_loc', '_GLOBAL_OFFSET_TABLE_'}
MEMORY_CALLS = {'calloc', 'free'}                        # in the one object that lends memory
MEMORY_OBJECT = 'room.c.o'
SANITIZERS = r'_*(asan|ubsan|tsan|lsan|msan|sanitizer|sancov|gcov|llvm|start___sanc|stop___sanc)_'

BANNED_CALLS = {
    'text_copy': 'strcpy strncpy stpcpy strcat', 'text_format': 'sprintf vsprintf', 'fgets': 'gets',
    'text_to_u64': 'atoi atol atoll atof', 'strcspn': 'strtok', 'base/rng.h': 'rand srand random srandom drand48 rand_r',
    'execve and its kin, without a shell': 'system popen', 'an array with a bound': 'alloca', 'mkstemp': 'tmpnam tempnam mktemp',
    'the variant that ends in _r': 'asctime ctime gmtime localtime', 'getaddrinfo': 'gethostbyname inet_addr inet_ntoa',
    'a timer of the loop': 'sleep', 'clock_gettime': 'gettimeofday time', 'a code that is returned': 'longjmp setjmp',
}
# A path of somebody's machine; a host of somebody's network; a package registry's.
FOREIGN = (r'/(?:work|root|home|Users)/', r'\b[\w-]+\.(?:internal|intranet|corp|lan)\b(?!\()',
           r'\b(?:pypi|npmjs|crates|golang|docker|quay|ghcr)\.(?:org|com|io)\b')
HOSTS = r'(?:127\.0\.0\.1|[\w-]+|[\w.-]*\bexample\.(?:com|org|net)|www\.apache\.org|\[::1\]|[{<$%].*)(?::.*|\\.*)?'


def build_folder():
    return os.path.join(ROOT, os.environ.get('FC_BUILD', 'build/dev'))


def committed():
    """Every file that is in the repository or would be with the next commit."""
    try:
        listed = subprocess.run(['git', '-C', ROOT, 'ls-files', '-co', '--exclude-standard', '-z'], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
        names = listed.stdout.split('\0') if listed.returncode == 0 else all_but_builds()
    except FileNotFoundError:                      # no git here: an unpacked archive is as good
        names = all_but_builds()
    return sorted(name for name in set(names) if name and os.path.isfile(os.path.join(ROOT, name)))


def all_but_builds():
    for at, folders, names in os.walk(ROOT):
        folders[:] = [folder for folder in folders if folder not in ('build', '.git', '__pycache__')]
        yield from (os.path.relpath(os.path.join(at, name), ROOT) for name in names)


def text_of(name):
    with open(os.path.join(ROOT, name), encoding='utf-8', errors='replace') as file:
        return file.read()


def c_files(endings=('.c', '.h'), folders=(*ROOMS, 'tests')):
    return [name for name in committed() if name.endswith(endings) and name.split('/')[0] in folders]


def includes(name):
    """[(line, what)] of its includes of ours."""
    return [(number, found.group(1)) for number, line in enumerate(text_of(name).splitlines(), 1)
            if (found := re.match(r'\s*#\s*include\s+"([^"]+)"', line))]


def without_comments_and_strings(text):
    """The same lines, with nothing in them but code."""
    blank = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(blank, lambda found: re.sub(r'[^\n]', ' ', found.group()), text, flags=re.DOTALL)


def none(findings):
    assert not findings, '\n'.join(['', *findings])


# ---- what a room may include ----

def compile_command(name):
    """The words that compile one of our sources, without its name and its output."""
    with open(os.path.join(build_folder(), 'compile_commands.json')) as file:
        entry = next(entry for entry in json.load(file) if entry['file'].endswith('/' + name))
    words = shlex.split(entry['command'])
    del words[words.index('-o'):words.index('-o') + 2]
    del words[words.index('-c'):words.index('-c') + 2]
    return words


def compiles_beside(name, header):
    """(whether a file with this include, compiled like `name`, is accepted; what the compiler said)"""
    with tempfile.TemporaryDirectory() as folder:
        stray = os.path.join(folder, 'stray.c')
        with open(stray, 'w') as file:
            file.write(f'#include "{header}"\n')
        done = subprocess.run([*compile_command(name), '-fsyntax-only', stray], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, cwd=folder)
        return done.returncode == 0, done.stdout


def test_a_stray_include_does_not_build():
    """The base cannot include the steering, the core not the agent, HAProxy's words not the stores; what they use they can."""
    for name, header, may in (('core/base/err.c', 'base/err.h', True), ('core/base/err.c', 'steer/steering.h', False),
                              ('core/model/look.c', 'core/event.h', False), ('core/core.c', 'agent/loop.h', False),
                              ('haproxy/runtime.c', 'model/decision.h', True), ('haproxy/runtime.c', 'backends/store.h', False),
                              ('backends/lease.c', 'backends/store.h', True), ('backends/lease.c', 'agent/loop.h', False)):
        did, said = compiles_beside(name, header)
        assert did == may, f'{name} with #include "{header}":\n{said}'
        assert may or 'file not found' in said or 'No such file' in said, said


def test_every_include_comes_from_a_room_that_is_used():
    """A source finds its headers through the rooms that its own room uses, never by the folder in which it happens to stand."""
    findings = []
    with open(os.path.join(build_folder(), 'compile_commands.json')) as file:
        entries = [(os.path.relpath(entry['file'], ROOT), shlex.split(entry['command'])) for entry in json.load(file)]
    for name, words in entries:
        if name.split('/')[0] in ROOMS:
            offered = [word[2:] for word in words if word.startswith('-I')]
            findings += [f'{name}:{line}: "{what}" is not offered to this room' for line, what in includes(name)
                         if not any(os.path.exists(os.path.join(folder, what)) for folder in offered)]
    none(findings)


def test_nothing_is_included_by_dots():
    """No include says "../"."""
    none([f'{name}:{line}: "{what}"' for name in c_files() for line, what in includes(name) if '..' in what.split('/')])


# ---- what a room may call ----

def rooms():
    """{name: (archive, names of the rooms it uses itself)} as the build tells it."""
    with open(os.path.join(build_folder(), 'rooms.txt')) as file:
        rows = [line.split('\t') for line in file.read().splitlines() if line]
    return {name: (archive, [used for used in uses.split(';') if used]) for name, archive, uses in rows}


def all_used(every, name):
    found, next_ones = set(), [name]
    while next_ones:
        one = next_ones.pop()
        if one not in found:
            found.add(one)
            next_ones += every[one][1]
    return found


def symbols(archive):
    """([(object, what it needs)], {what it has}) without what a sanitizer or a coverage build adds."""
    needs, has, at = [], set(), ''
    listed = subprocess.run(['nm', '--format=posix', archive], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in listed.splitlines():
        if line.endswith(':'):
            at = re.search(r'\[(.*)\]', line).group(1)
            continue
        name, kind = line.split()[:2]
        if re.match(SANITIZERS, name):
            continue
        if kind in 'Uw':
            needs.append((at, re.sub(r'^__(\w+)_chk$', r'\1', name)))
        elif kind.isupper():
            has.add(name)
    return needs, has


def test_no_room_calls_one_that_it_does_not_use():
    """What a room calls is in itself, in a room that it uses, or in a library; a declaration by hand is no way around."""
    every, findings = rooms(), []
    known = {name: symbols(archive) for name, (archive, _) in every.items()}
    owner = {symbol: name for name, (_, has) in known.items() for symbol in has}
    for name, (needs, _) in known.items():
        used = all_used(every, name)
        findings += [f'{name}: {at} calls {symbol} of {owner[symbol]}' for at, symbol in needs
                     if symbol in owner and owner[symbol] not in used]
    none(findings)


def test_the_core_is_pure():
    """The core and HAProxy's words call nothing that knows a clock, a socket, a file or a thread; one object reserves memory."""
    every, findings = rooms(), []
    known = {name: symbols(every[name][0]) for name in PURE_ROOMS}
    ours = set().union(*(has for _, has in known.values()))
    for name, (needs, _) in known.items():
        findings += [f'{name}: {at} calls {symbol}' for at, symbol in needs if symbol not in ours | PURE_CALLS
                     and not (at == MEMORY_OBJECT and name == 'base' and symbol in MEMORY_CALLS)]
    none(findings)


def test_nobody_calls_what_is_banned():
    """What has no bound, a hidden state or a shell in it has a better in its place."""
    instead = {call: better for better, calls in BANNED_CALLS.items() for call in calls.split()}
    pattern = re.compile(r'(?<![\w.>])(' + '|'.join(instead) + r')\s*\(')
    none([f'{name}:{number}: {found.group(1)}; instead: {instead[found.group(1)]}' for name in c_files()
          for number, line in enumerate(without_comments_and_strings(text_of(name)).splitlines(), 1)
          for found in pattern.finditer(line)])


# ---- what a file may name ----

def test_every_source_is_built():
    """Sources are listed by name, so one that nobody lists would silently be no part of anything."""
    findings = []
    for name in c_files('.c'):
        folder, listed = os.path.dirname(name), False
        while folder and not listed:
            path = os.path.join(folder, 'CMakeLists.txt')
            stem = re.escape(os.path.relpath(name, folder).removesuffix('.c'))
            listed = os.path.exists(os.path.join(ROOT, path)) and re.search(rf'(?<![\w/]){stem}(?!\w)', text_of(path)) is not None
            folder = os.path.dirname(folder)
        if not listed:
            findings.append(f'{name} stands in no CMakeLists.txt')
    none(findings)


def test_no_file_names_a_machine_of_its_writers():
    """No path of somebody's machine, no host of a network or registry, no address on the net but those of examples."""
    findings = []
    for name in committed():
        for number, line in enumerate(text_of(name).splitlines(), 1):
            findings += [f'{name}:{number}: {found}' for pattern in FOREIGN for found in re.findall(pattern, line)]
            findings += [f'{name}:{number}: {host}' for host in re.findall(r'https?://([^/\s"\'`<>)\]]+)', line)
                         if not re.fullmatch(HOSTS, host)]
    none(findings)


def main():
    broken = 0
    for name, rule in sorted(globals().items(), key=lambda item: inspect.getsourcelines(item[1])[1] if callable(item[1]) else 0):
        if name.startswith('test_'):
            try:
                rule()
                print(f'  kept    {rule.__doc__}')
            except Exception as finding:                 # also a build that is not there
                broken += 1
                print(f'  BROKEN  {rule.__doc__}' + str(finding).replace('\n', '\n      '))
    return 1 if broken else 0


if __name__ == '__main__':
    if len(sys.argv) > 1:
        os.environ['FC_BUILD'] = os.path.abspath(sys.argv[1])
    sys.exit(main())
