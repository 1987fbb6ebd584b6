"""The agent port of a running node under bad manners, while HAProxy's polls go on through it: requests of every shape, and ten
thousand connections that say nothing.
"""
import os
import resource
import select
import socket
import subprocess
import sys
import time

from stage import Home, StageFailure, limit, wait_until
from stage.home import POOL

SILENT_CROWD = 10_000
# Opens so many connections, says so, holds them until its input ends. One descriptor each, so several of these share the crowd.
HOLDER = """
import resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
port, count, held = int(sys.argv[1]), int(sys.argv[2]), []
for _ in range(count):
    line = socket.socket()
    line.settimeout(10)
    line.connect(('127.0.0.1', port))
    held.append(line)
print('held', flush=True)
sys.stdin.read()
"""


def ask(port, *pieces, pause=0.0, shut=False):
    """The answer to a request that comes in these pieces; and how long it took, in seconds."""
    with socket.create_connection(('127.0.0.1', port), timeout=5) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began, said = time.monotonic(), b''
        try:
            for piece in pieces:
                line.sendall(piece)
                time.sleep(pause)
            if shut:
                line.shutdown(socket.SHUT_WR)
            while part := line.recv(4096):
                said += part
        except OSError:
            pass
        return said, time.monotonic() - began


def test_requests_of_every_shape_get_one_line_or_none():
    """Without newline, byte by byte, with a closed half, two at once: the right line; too long, binary, empty: one that says so."""
    with Home(nodes=1, proxies=1).start() as home:
        port, target = home.nodes[0].agent_port, f'{POOL}/db1'.encode()
        right = (
            ('as HAProxy asks', (b'lb1 ' + target + b'\n',), {}),
            ('without a name', (target + b'\n',), {}),
            ('with CR LF', (target + b'\r\n',), {}),
            ('without an end', (target,), {}),
            ('byte by byte', tuple(bytes([byte]) for byte in target + b'\n'), {'pause': 0.002}),
            ('its half closed', (target,), {'shut': True}),
            ('two at once', (target + b'\n' + target + b'\n',), {}),
            ('with a megabyte behind it', (target + b'\n' + b'x' * 1_000_000,), {}),
        )
        wrong = (
            ('257 bytes', (b'x' * 257 + b'\n',), {}), ('five megabytes', (b'x' * 5_000_000,), {}), ('binary', (bytes(range(128, 255)) + b'\n',), {}),
            ('NUL', (target[:4] + b'\0' + target[4:] + b'\n',), {}), ('an empty line', (b'\n',), {}), ('HTTP', (b'GET / HTTP/1.0\r\n\r\n',), {}),
            ('half a name and a pause', (target[:5], target[5:] + b'\n'), {'pause': 0.3}),
        )
        for what, pieces, manner in right:
            said, took = ask(port, *pieces, **manner)
            print(f'{what}: {took * 1000:.0f} ms')
            if not said.startswith(b'up ready 100% # fc-ok e=') or said.count(b'\n') != 1:
                raise StageFailure(f'{what}: {said!r} after {took:.3f} s')
        for what, pieces, manner in wrong:
            said, took = ask(port, *pieces, **manner)
            if said and not said.startswith((b'fc-bad-request', b'fc-no-such-target')) or said.count(b'\n') > 1:
                raise StageFailure(f'{what}: {said!r}')
        assert ask(port, b'lb1 nobody/knows\n')[0].startswith(b'fc-no-such-target')
        assert home.views()['lb1'] == ['db1']


def hold(port, count):
    """Processes that hold so many connections between them, as few as the limit on descriptors allows."""
    each = min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200)
    if each < 500:
        raise StageFailure(f'this machine allows only {each + 200} descriptors a process')
    counts = [each] * (count // each) + [count % each] * (count % each > 0)
    holders = [subprocess.Popen([sys.executable, '-c', HOLDER, str(port), str(share)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
               for share in counts]
    return holders


def height_until_held(node, holders):
    """The most descriptors that the node had while the crowd came in."""
    height, waiting = 0, {holder.stdout for holder in holders}
    while waiting:
        height = max(height, len(os.listdir(f'/proc/{node.pid}/fd')))
        for line in select.select(list(waiting), [], [], 0.01)[0]:
            if line.readline() != b'held\n':
                raise StageFailure('a holder could not connect')
            waiting.discard(line)
    return height


@limit(120)
def test_ten_thousand_silent_connections_disturb_no_poll():
    """All on the node that speaks for HAProxy: it stays the one, no write is disturbed, its memory and descriptors stay bounded."""
    with Home(proxies=1).start() as home:
        node, proxy = home.nodes[0], home.proxies[0]
        wait_until(lambda: proxy.statistics('firstchair_agents')['fc1']['status'].startswith('UP'), 10, 'fc1 to speak')
        downs = proxy.statistics('firstchair_agents')['fc1']['chkdown']
        writer = home.writer(interval_ms=5).start()
        writer.wait_writes(server_id=1, count=50)
        accepted, answered = node.metric('firstchair_agent_accepted_total'), node.metric('firstchair_agent_answered_total')
        holders = hold(node.agent_port, SILENT_CROWD)
        try:
            descriptors = height_until_held(node, holders)
            slowest = max(ask(node.agent_port, b'lb1 voice\n')[1] for _ in range(50))
            writer.wait_writes(server_id=1, count=200)
        finally:
            for holder in holders:
                holder.stdin.close()
                holder.wait()
        came = node.metric('firstchair_agent_accepted_total') - accepted
        print(f'{came:.0f} came, {node.metric("firstchair_agent_answered_total") - answered:.0f} were answered meanwhile, slowest of 50 '
              f'questions {slowest * 1000:.0f} ms, {descriptors} descriptors at the height')
        assert came > SILENT_CROWD, came
        assert descriptors < 700, descriptors              # AgentClientsMax is 512
        assert proxy.statistics('firstchair_agents')['fc1']['chkdown'] == downs, 'HAProxy left the node'
        broken = [write for write in writer.stop() if write.verdict not in ('ok', 'session')]
        assert not broken, broken[:3]
