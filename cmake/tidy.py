"""Reports for the reviewer's eye, for the target `tidy`: format, clang-tidy, the house rules, the longest functions.

usage: tidy.py SOURCES BUILD. Changes nothing. Exit code 1 only when a house rule is broken (tests/integration/house_test.py).
"""
import difflib
import json
import os
import re
import shutil
import subprocess
import sys

ROOMS = ('core', 'haproxy', 'backends', 'agent')
SHOWN = 15


def sources(root, folders, endings):
    for folder in folders:
        for at, _, names in sorted(os.walk(os.path.join(root, folder))):
            for name in sorted(names):
                if name.endswith(endings):
                    yield os.path.join(at, name)


def squeezed(text):
    """Columns of a table and of trailing comments are set by hand: how many blanks stand inside a line is not compared."""
    return [re.sub(r'(?<=\S)\s+', ' ', line) for line in text.splitlines()]


def tell_format(root):
    if shutil.which('clang-format') is None:
        return print('format: clang-format is not installed')
    found = []
    for path in sources(root, (*ROOMS, 'tests'), ('.c', '.h')):
        with open(path) as file:
            stands = squeezed(file.read())
        wanted = squeezed(subprocess.run(['clang-format', path], stdout=subprocess.PIPE, text=True, check=True).stdout)
        count = sum(line.startswith('- ') for line in difflib.ndiff(stands, wanted)) if stands != wanted else 0
        found.append((count, os.path.relpath(path, root)))
    found.sort(reverse=True)
    print(f'format: {sum(count for count, _ in found)} lines of {len(found)} files would be set otherwise; most of them in')
    for count, path in found[:SHOWN]:
        print(f'  {count:5} {path}')


def tell_clang_tidy(root, build):
    if shutil.which('clang-tidy') is None:
        return print('clang-tidy: is not installed')
    with open(os.path.join(build, 'compile_commands.json')) as file:
        known = {os.path.realpath(entry['file']) for entry in json.load(file)}
    paths = [path for path in sources(root, ROOMS, '.c') if os.path.realpath(path) in known]
    told = subprocess.run(['clang-tidy', '--quiet', '-p', build, *paths], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = sorted({line.replace(root + '/', '') for line in told.stdout.splitlines() if re.search(r': (warning|error): ', line)})
    print(f'clang-tidy: {len(lines)} findings in {len(paths)} files')
    for line in lines:
        print(f'  {line}')


def functions(path):
    """(lines, name, first line): a function of ours has its opening and its closing brace in the first column."""
    with open(path) as file:
        lines = file.read().splitlines()
    begin = None
    for number, line in enumerate(lines):
        if line == '{':
            begin = number
        elif line == '}' and begin is not None:
            head = begin - 1
            while head > 0 and lines[head].startswith(' '):
                head -= 1
            name = re.search(r'(\w+)\(', lines[head])
            yield number - begin - 1, name.group(1) if name else lines[head], head + 1
            begin = None


def tell_functions(root):
    found = [(count, name, os.path.relpath(path, root), line) for path in sources(root, (*ROOMS, 'tests'), '.c')
             for count, name, line in functions(path)]
    found.sort(reverse=True)
    print(f'functions: {len(found)}, {sum(count >= 60 for count, *_ in found)} of 60 lines and more; the longest are')
    for count, name, path, line in found[:SHOWN]:
        print(f'  {count:5} {name}  {path}:{line}')


def main(root, build):
    tell_format(root)
    tell_clang_tidy(root, build)
    tell_functions(root)
    print('house rules:', flush=True)
    return subprocess.run([sys.executable, os.path.join(root, 'tests/integration/house_test.py'), build]).returncode


if __name__ == '__main__':
    sys.exit(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])))
