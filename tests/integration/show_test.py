"""`./run sites`, as it goes on after the build: the picture, a line that is cut on request, and nothing left. Needs root; skipped elsewhere."""
import os
import re
import subprocess
import sys

from stage import StageFailure, limit
from stage.net import NETNS, need_root
from stage.node import ROOT


def processes_in(folder):
    """Command lines that name this directory."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as file:
                line = file.read().replace(b'\0', b' ').decode(errors='replace')
        except OSError:
            continue
        if folder in line and int(pid) != os.getpid():
            found.append(line)
    return found


@limit(120)
def test_two_sites_are_shown_cut_and_healed_and_leave_nothing():
    """It ends by itself after its seconds: two sites, a line cut and healed by the printed command; no process, namespace or directory stays."""
    need_root()
    show = subprocess.Popen([sys.executable, os.path.join(ROOT, 'tests/stage/show.py'), 'sites', '--seconds', '14'], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    told, asked = [], []
    try:
        for line in show.stdout:
            told.append(line)
            command = re.search(r'cut the sites apart +(\S+) cut a b', line)
            if command and not asked:
                asked.append(command.group(1))
                code = subprocess.run([asked[0], 'cut', 'a', 'moon'], capture_output=True, text=True)
                assert code.returncode == 2 and "nothing is called 'moon'" in code.stderr, code
                subprocess.run([asked[0], 'cut', 'a', 'b'], check=True)
            elif 'lines: a from b cut' in line and len(asked) == 1:
                asked.append('heal')
                subprocess.run([asked[0], 'heal'], check=True)
        code = show.wait(60)
    finally:
        if show.poll() is None:
            show.terminate()
            show.wait(60)
    text = ''.join(told)
    place = re.search(r'directory (\S+), namespaces (\S+)\*', text)
    if code != 0 or not place or len(asked) != 2:
        raise StageFailure(f'it ended with {code}, asked {asked}: {text[-3000:]}')
    folder, prefix = place.groups()
    left = [name for name in os.listdir(NETNS) if name.startswith(prefix)]
    assert not left and not os.path.exists(folder) and not processes_in(folder), (left, folder, processes_in(folder))
    for wanted in ('up after', 'site a: ', 'site b: ', 'lines: nothing cut', 'Gone: '):
        assert wanted in text, (wanted, text[-3000:])
    for proxy in ('lb1', 'lb2'):                  # where the node at the other site leads, the cut moves the chair there
        assert re.search(rf'[1-9]\d* writes/s on db[12] through {proxy}', text), (proxy, text[-3000:])
    assert re.search(r'fc3 says: following, fc[12] leads, db[12] sits', text), text[-3000:]
