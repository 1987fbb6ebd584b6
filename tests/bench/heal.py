"""How long a server that was cut off and is writable stays open once its links are healed:  heal.py [--heals N]

The home mode, each part on a host of its own (needs root): db1 is cut off until db2 sits, unfenced. Then, again and again, db1 is cut
off, opened by hand, and healed after 7 s and a varying bit, so that each heal falls elsewhere between two looks. Prints the time from
the heal until db1 says that it is read_only, which contains some 50 ms of asking.
"""
import argparse
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from stage import Home, wait_until                                    # noqa: E402

CUT_SECONDS, SPREAD_SECONDS = 7, 2.5


def heal(home, cut_seconds):
    server = home.pair['db1']
    home.net.isolate('db1')
    server.execute('SET GLOBAL read_only=0')
    time.sleep(cut_seconds)
    home.net.heal()
    healed = time.monotonic()
    wait_until(server.is_read_only, 30, 'db1 to be fenced', every=0.01)
    return time.monotonic() - healed


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument('--heals', type=int, default=10)
    heals = arguments.parse_args().heals
    with Home(proxies=1, is_apart=True).start() as home:
        home.net.isolate('db1')
        wait_until(lambda: not home.pair['db2'].is_read_only(), 60, 'db2 to sit')
        took = sorted(heal(home, CUT_SECONDS + SPREAD_SECONDS * number / heals) for number in range(heals))
    print(f'heal to fence, {heals} times: p50 {took[heals // 2]:.2f} s, most {took[-1]:.2f} s')


if __name__ == '__main__':
    main()
