"""What a probe costs:  probe.py [--sessions N] [--probes N]

A real MariaDB with a binary log that replicates and is replicated from (semi-synchronously), probed by build/bench's probe_bench over so
many sessions: processor time of the prober a probe, round trips, memory a session; and the processor time of the server a probe.
"""
import argparse
import os
import secrets
import subprocess
import sys

sys.dont_write_bytecode = True
os.environ.setdefault('FC_BUILD', 'build/bench')
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from stage import Nest, Pair                                          # noqa: E402
from start import processor_ms                                       # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, os.environ.get('FC_BUILD', 'build/bench'), 'tests/bench/probe_bench')
GRANTS = 'REPLICATION MASTER ADMIN, SLAVE MONITOR, BINLOG MONITOR, PROCESS'


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument('--sessions', type=int, default=150)
    reader.add_argument('--probes', type=int, default=20000)
    options = reader.parse_args()
    with Nest() as nest:
        pair = Pair(nest).start()
        password, server = secrets.token_hex(12), pair['db1']
        server.execute(f"SET SESSION sql_log_bin=0; CREATE USER topo@'{server.place.accounts}' IDENTIFIED BY '{password}'; "
                       f"GRANT {GRANTS} ON *.* TO topo@'{server.place.accounts}'")
        before = processor_ms(server.pid)
        code = subprocess.run([PROGRAM, server.place.host, str(server.port), 'topo', str(options.sessions), str(options.probes)],
                              env={**os.environ, 'PROBE_PASSWORD': password}, check=False).returncode
        print(f'the server: {(processor_ms(server.pid) - before) / (2 * options.probes):.3f} ms a probe')
    return code


if __name__ == '__main__':
    sys.exit(main())
