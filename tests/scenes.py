"""The table of scenes, simulated and real, in one go: what each shows, how often it was played, what came of it.

  scenes.py [--build DIR] [--rounds N] [--seed S] [--write FILE]

Simulated: `sim --scenes` (DIR/tests/sim/sim). Real: `chaos/scenes.py --rounds N` on servers in network namespaces (root), the same trouble
once with each arbiter, told line beside line. --write keeps both tables as a page. Exit code 1 if any rule or promise was broken; where namespaces are not possible only the first is printed.
"""
import argparse
import os
import re
import secrets
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SKIPPED = 77


def run(title, argv):
    """What it printed, told as it comes; the code it ended with."""
    print(f'== {title}: {" ".join(argv)}', flush=True)
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    lines = []
    for line in child.stdout:
        print(line, end='', flush=True)
        lines.append(line.rstrip('\n'))
    return lines, child.wait()


def table_of(lines, first_word):
    """From the last line that begins with the table's first heading to the end."""
    begins = [number for number, line in enumerate(lines) if line.startswith(first_word)]
    return lines[begins[-1]:] if begins else lines


def beside(tables):
    """Of arbiter -> the lines that its run printed: one table, the arbiters' lines of each scene beside each other; and what is said below."""
    parts = {arbiter: table_of(lines, 'scene ') for arbiter, lines in tables.items()}
    words = {arbiter: [re.split(r' {2,}', line) for line in lines] for arbiter, lines in parts.items()}
    head = next((lines[0] for lines in words.values() if lines), [])
    rows = [[*head[:1], 'arbiter', *head[1:]]]
    names = [line[0] for line in next(iter(words.values()))[1:] if len(line) == len(head)]
    rows += [[name, arbiter, *line[1:]] for name in names for arbiter, lines in words.items() for line in lines[1:]
             if line[0] == name and len(line) == len(head)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ['  '.join(word.ljust(width) for word, width in zip(row, widths)).rstrip() for row in rows]
    below = [f'{arbiter}: {"  ".join(line)}' for arbiter, lines in words.items() for line in lines[1:] if len(line) != len(head)]
    return table + below


def page(simulated, real, commit):
    return '\n'.join([
        '# Scenes', '',
        'Printed by `python3 tests/scenes.py --write docs/scenes.md`' + (f' at {commit}' if commit else '') + ', on two cores that everything shares.',
        'The scenes are those of the steering protocol: each party killed, frozen, cut off at each step of a move, and so on.', '',
        '## Simulated', '', '```', *simulated, '```', '', '## On real servers', '',
        'MariaDB, HAProxy and three nodes, each on a host of its own in a network that is cut; judged by the servers\' binlogs. The same trouble',
        'with either arbiter: `local` (the pair decides by itself) and `quorum` (raft decides).', '', '```',
        *real, '```', ''])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', default='build/dev')
    parser.add_argument('--rounds', default='3')
    parser.add_argument('--seed', default=str(secrets.randbelow(1000000)))
    parser.add_argument('--write', metavar='FILE')
    asked = parser.parse_args()
    simulated, simulated_code = run('simulated', [os.path.join(asked.build, 'tests/sim/sim'), '--scenes'])
    chaos = [sys.executable, os.path.join(HERE, 'chaos/scenes.py'), '--rounds', asked.rounds, '--seed', asked.seed]
    local, local_code = run('real, arbiter local', chaos)
    quorum, quorum_code = run('real, arbiter quorum', [*chaos, '--quorum'])
    real = [f'seed {asked.seed}, {asked.rounds} rounds of each', *beside({'local': local, 'quorum': quorum})]
    print('\n'.join(real))
    if asked.write:
        commit = subprocess.run(['git', 'rev-parse', '--short', 'HEAD'], cwd=ROOT, capture_output=True, text=True).stdout.strip()
        with open(asked.write, 'w') as file:
            file.write(page(table_of(simulated, 'scene'), real, commit))
    return 0 if simulated_code == 0 and {local_code, quorum_code} <= {0, SKIPPED} else 1


if __name__ == '__main__':
    sys.exit(main())
