"""How long a node takes from its start to leadership, and what it costs when nothing happens:  start.py [--starts N] [--seconds N]

One node, a fresh SQLite file each time, the release build (FC_BUILD names another). The clock runs from right before the process is made
until its HTTP door first says that it leads, asked every millisecond. The last one is then left alone: resident memory after so
many seconds, and processor time over them, asked by nobody.
"""
import argparse
import http.client
import os
import sys
import time

sys.dont_write_bytecode = True
os.environ.setdefault('FC_BUILD', 'build/release')
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from stage import Single, StageFailure                               # noqa: E402

BOUND_SECONDS = 10


def leads(port):
    line = http.client.HTTPConnection('127.0.0.1', port, timeout=1)
    try:
        line.request('GET', '/api/leader-check')
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()


def time_to_lead(house):
    node = house.nodes[0]
    node.configure({'SQLite3DataFile': house.nest.file('fc1/firstchair.db'), 'Nodes': [node.address]})
    began = time.monotonic()
    node.start(wait=False)
    while not leads(node.http_port):
        if time.monotonic() - began > BOUND_SECONDS:
            raise StageFailure(f'it does not lead after {BOUND_SECONDS} s: {node.child.tail()}')
        time.sleep(0.001)
    return (time.monotonic() - began) * 1000


def resident_kb(pid):
    with open(f'/proc/{pid}/status') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('VmRSS:'))


def processor_ms(pid):
    with open(f'/proc/{pid}/stat') as file:
        fields = file.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf('SC_CLK_TCK')


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument('--starts', type=int, default=20)
    reader.add_argument('--seconds', type=float, default=10)
    options = reader.parse_args()
    took = []
    for number in range(1, options.starts + 1):
        with Single() as house:
            took.append(time_to_lead(house))
            if number == options.starts:
                pid = house.nodes[0].pid
                before = processor_ms(pid)
                time.sleep(options.seconds)
                idle = (resident_kb(pid), (processor_ms(pid) - before) / options.seconds / 10)
    took.sort()
    print(f'start to leadership, {len(took)} starts: p50 {took[len(took) // 2]:.0f} ms, max {took[-1]:.0f} ms')
    print(f'idle over {options.seconds:g} s: resident {idle[0] / 1024:.1f} MB, processor {idle[1]:.2f} % of one')
    return 0


if __name__ == '__main__':
    sys.exit(main())
