"""Ten bad moments (docs/operating.md), each on real servers: what firstchair says, what it does, and what it leaves alone.

Some stand elsewhere: missing privileges, broken replication and a denied store in operator_test.py; killed, frozen and stray servers
in steering_test.py; frozen nodes and HAProxies, drift and the token check's bound in proxy_*_test.py; broken files in config_test.py.
"""
import ctypes
import datetime
import os
import shutil
import socket
import subprocess
import threading
import time

from stage import Home, Skip, StageFailure, limit, stays, wait_until
from stage.clock import SteppedClock
from stage.node import SERVER_WAS_SLOW, run_firstchair

POOL = 'fc_backend'
CLONE_NEWNS = 0x00020000


def on_both(home, text):
    """Said on each server by itself, not replicated."""
    for server in home.pair.servers:
        server.execute(f'SET SESSION sql_log_bin=0; {text}')


def set_password(server, user, password):
    server.execute(f"SET SESSION sql_log_bin=0; ALTER USER {user}@'{server.place.accounts}' IDENTIFIED BY '{password}'")


def end_sessions(home, user):
    for server in home.pair.servers:
        for row in server.rows(f"SELECT id FROM information_schema.processlist WHERE user='{user}'"):
            try:
                server.execute(f"KILL {row['id']}")
            except StageFailure:
                continue                                  # it has gone by itself


def start_proxies(home, change=lambda text: text):
    home.configure()
    for proxy in home.proxies:
        proxy.configure(change(home.print_proxy_config(proxy)))
        proxy.start()


def start_nodes(home, nodes=None):
    for node in nodes or home.nodes:
        node.start(wait=False)
    for node in nodes or home.nodes:
        wait_until(node.listens, 20, f'{node.name} to answer on HTTP')


def says(node, words, order=('status',)):
    text = node.ctl(*order)[1]
    if words not in text:
        raise StageFailure(f'{" ".join(order)} does not say "{words}": {text}')
    return True


def wait_says(node, words, bound=15):
    wait_until(lambda: says(node, words), bound, f'{node.name} to say "{words}"', every=0.2)


def log_of(home):
    return ''.join(node.child.tail(2000) for node in home.nodes if node.child is not None)


def db1_alone_is_open(home):
    return home.pair.writable() == ['db1']


# ---- passwords ----

def test_a_wrong_password_of_the_fence_at_the_start_is_named_and_mended_without_a_restart():
    """Nobody is opened by an account that cannot log in; `status` names account, server and reason; put right, db1 sits."""
    with Home(keys={'BackendFencePassword': 'not-this-one'}) as home:
        home.pair.start()
        start_proxies(home)
        start_nodes(home)
        for server in ('db1', 'db2'):
            wait_says(home.nodes[0], f"the account `fence` cannot be used on {server}: {server} (")
        wait_says(home.nodes[0], "Access denied for user 'fence'")
        stays(lambda: not home.pair.writable(), 1, 'nobody is opened')
        for server in home.pair.servers:
            set_password(server, 'fence', 'not-this-one')
        home.wait_seated('db1')
        assert 'not-this-one' not in log_of(home) + home.nodes[0].ctl('status')[1]


def test_a_password_of_the_store_changed_under_running_nodes_cuts_and_heals():
    """Standing sessions go on; ended, nobody can be told from a dead store: HAProxy is cut, nothing is opened; put right, db1 sits."""
    with Home().start() as home:
        leader = home.wait_leader()
        for server in home.pair.servers:
            set_password(server, 'store', 'changed')
        stays(lambda: home.views()['lb1'] == ['db1'] and leader.leads(2), 2, 'standing sessions go on')
        end_sessions(home, 'store')
        wait_says(leader, "Access denied for user 'store'")
        wait_says(leader, 'suspended')
        wait_until(lambda: home.views()['lb1'] == [], 15, 'HAProxy to use nobody')
        stays(lambda: db1_alone_is_open(home), 1, 'nobody else is opened')
        for server in home.pair.servers:
            set_password(server, 'store', home.pair.passwords['store'])
        home.wait_seated('db1')


@limit(120)
def test_a_password_of_the_fence_changed_under_running_nodes_bars_a_move_and_says_so():
    """db1 sits on; `switch` is refused with the reason, which `status` then names; db1 dead, db2 waits until the account works."""
    with Home().start() as home:
        leader = home.wait_leader()
        for server in home.pair.servers:
            set_password(server, 'fence', 'changed')
        end_sessions(home, 'fence')
        code, text = leader.ctl('switch', POOL, 'db2')
        assert code != 0 and "Access denied for user 'fence'" in text, (code, text)
        wait_says(leader, 'the account `fence` cannot be used on db2')
        stays(lambda: home.views()['lb1'] == ['db1'] and db1_alone_is_open(home), 1, 'db1 sits on')
        home.pair['db1'].kill()
        wait_until(lambda: "stopped at intend: db2" in log_of(home), 15, 'the move to be tried and to say why it cannot be done')
        stays(lambda: home.pair['db2'].is_read_only(), 2, 'db2 stays closed')
        set_password(home.pair['db2'], 'fence', home.pair.passwords['fence'])
        wait_until(lambda: home.views()['lb1'] == ['db2'], 30, 'db2 to sit when the account works again')


# ---- servers ----

def test_both_writable_at_the_start_is_said_and_one_is_closed():
    """Both are open before the first node starts: db1 is seated, db2 fenced, an alarm and a line of history say so."""
    with Home() as home:
        home.pair.start()
        for server in home.pair.servers:
            server.execute('SET GLOBAL read_only=0')
        start_proxies(home)
        start_nodes(home)
        home.wait_seated('db1')
        leader = home.wait_leader()
        assert 'ALARM fc_backend' in log_of(home), log_of(home)
        assert 'db1 and db2 are both writable and nobody sits: db2 is fenced, db1 is seated; clients may have written to both' in \
            log_of(home), log_of(home)
        kept = "SELECT message FROM firstchair.firstchair_history WHERE kind='stray'"
        wait_until(lambda: 'db2 was writable beside db1 and is fenced; its log ends at bin.' in str(home.pair['db1'].rows(kept)), 10,
                   f'the history of {leader.name} to have it')


def private_mounts():
    """What is mounted from now on is seen by us and our children only, and is gone with us."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(CLONE_NEWNS) != 0:
        raise Skip('a small disk needs root and a mount namespace')
    if subprocess.run(['mount', '--make-rprivate', '/'], capture_output=True).returncode != 0:
        raise Skip('a small disk needs root and a mount namespace')


def put_on_small_disk(server, megabytes):
    data, aside = f'{server.folder}/data', f'{server.folder}/aside'
    os.rename(data, aside)
    os.mkdir(data)
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={megabytes}m', 'tmpfs', data], capture_output=True).returncode != 0:
        raise Skip('a small disk needs root and a mount namespace')
    server.nest.closers.append(lambda: subprocess.run(['umount', '-l', data], capture_output=True))
    subprocess.run(['cp', '-a', f'{aside}/.', data], check=True)
    shutil.rmtree(aside)


def fill(server):
    path = f'{server.folder}/data/filler'
    with open(path, 'wb', buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            return path


@limit(150)
def test_a_full_disk_of_the_seated_server_moves_the_chair():
    """db1 takes no write and hangs: it counts as silent, db2 is seated marked unfenced; with room again and restarted db1 is second."""
    private_mounts()
    with Home() as home:
        put_on_small_disk(home.pair['db1'], 80)
        home.start()
        writer = home.writer('full').start()
        wait_until(lambda: len(writer.acknowledged()) > 20, 20, 'the client to write')
        filler = fill(home.pair['db1'])
        wait_until(lambda: home.views()['lb1'] == ['db2'] and not home.pair['db2'].is_read_only(), 60, 'db2 to be used instead', every=0.2)
        node = home.nodes[0]
        wait_says(node, 'unfenced: the old server could not be reached')
        assert 'the answer took longer than the bound' in log_of(home)
        before = len(writer.acknowledged())
        wait_until(lambda: len(writer.acknowledged()) > before + 20, 20, 'the client to go on')
        os.unlink(filler)
        home.pair['db1'].kill()
        home.pair['db1'].start()
        home.wait_seated('db2')
        writer.stop()


# ---- HAProxy ----

def test_a_haproxy_without_one_server_is_named_by_the_lint_and_by_the_nodes():
    """HAProxy accepts a file that lacks db2 and the agent of db1; the lint says both, the nodes say it at run time and go on."""
    def spoil(text):
        return ''.join(line for line in text.splitlines(True) if not line.startswith('  server db2 '))
    with Home() as home:
        home.pair.start()
        start_proxies(home, spoil)
        code, told, _ = run_firstchair('lint-haproxy', '--config', home.nodes[0].config, home.proxies[0].config)
        assert home.proxies[0].check()[0] == 0 and code == 13 and 'lacks a server of firstchair' in told and '(db2)' in told, told
        start_nodes(home)
        leader = home.wait_leader()
        wait_until(lambda: home.views()['lb1'] == ['db1'], 20, 'db1 to be used')
        wait_until(lambda: 'db2' in str([event for event in leader.picture()['events'] if 'lb1' in str(event)]), 15,
                   'the leader to say that lb1 lacks db2')
        code, text = leader.ctl('switch', POOL, 'db2')
        assert code == 4 and 'the HAProxy lb1 does not know db2, its clients would find nobody' in text, (code, text)
        stays(lambda: home.views()['lb1'] == ['db1'] and db1_alone_is_open(home), 2, 'it goes on')
        good = home.print_proxy_config(home.proxies[0])
        home.proxies[0].configure(good)
        home.proxies[0].reload()
        wait_until(lambda: leader.ctl('switch', POOL, 'db2')[0] == 0, 15, 'the switch after the file was put right', every=0.5)
        home.wait_seated('db2')


class Mute:
    """Accepts connections and never says a word."""

    def __init__(self):
        self.door, self.held = socket.create_server(('127.0.0.1', 0)), []
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                self.held.append(self.door.accept()[0])
            except OSError:
                return


def test_a_mute_first_node_in_the_relay_costs_nothing():
    """What HAProxy takes for fc1 accepts and never answers: the relay leaves it, db1 is used, a standing session lives on."""
    mute = Mute()
    with Home() as home:
        home.pair.start()
        own = f'  server fc1 127.0.0.1:{home.nodes[0].agent_port} id 10\n'
        def deaf(text):
            assert own in text, text
            return text.replace(own, f'  server fc1 127.0.0.1:{mute.port} id 10\n')
        start_proxies(home, deaf)
        code, told, _ = run_firstchair('lint-haproxy', '--config', home.nodes[0].config, home.proxies[0].config)
        assert code == 13 and '[relay-unknown-node]' in told and '[relay-lacks-node]' in told, told
        start_nodes(home)
        home.wait_seated('db1')
        writer = home.writer('steady').start()
        wait_until(lambda: len(writer.acknowledged()) > 10, 20, 'the client to write')
        stays(lambda: home.views()['lb1'] == ['db1'], 3, 'db1 is used')
        before = len(writer.acknowledged())
        wait_until(lambda: len(writer.acknowledged()) > before + 10, 20, 'the client to go on')
        assert mute.held
        writer.stop()


def test_a_taken_agent_port_is_one_sentence_and_the_others_go_on():
    """Another program holds the port of fc1: it ends at once and says which key and port; the other two lead and seat db1."""
    with Home() as home:
        home.pair.start()
        start_proxies(home)
        with socket.create_server(('127.0.0.1', home.nodes[0].agent_port)):
            home.nodes[0].start(wait=False)
            code = wait_until(lambda: [home.nodes[0].child.process.poll()] if not home.nodes[0].alive() else None, 10, 'fc1 to end')[0]
            said = home.nodes[0].child.tail(5)
            assert code == 10 and said.count('\n') == 1, (code, said)
            assert f"AgentListenAddress: cannot listen on '127.0.0.1' port {home.nodes[0].agent_port}: Address already in use" in said, said
            start_nodes(home, home.nodes[1:])
            home.wait_seated('db1')
            home.wait_leader()
        home.nodes[0].start()
        home.wait_seated('db1')


def filter_in(node, rules):
    with node.place.inside():
        done = subprocess.run(['nft', '-f', '-'], input=rules.replace('; add', '\nadd') + '\n', capture_output=True, text=True)
    if done.returncode != 0:
        raise StageFailure(f'nft: {done.stderr}')


@limit(120)
def test_a_blocked_agent_port_costs_no_session():
    """A packet filter drops what comes to the agent port of the relay's first node: the relay goes to the next, db1 is used on."""
    with Home(is_apart=True).start() as home:
        node = home.nodes[0]
        writer = home.writer('blocked').start()
        wait_until(lambda: len(writer.acknowledged()) > 10, 20, 'the client to write')
        filter_in(node, f'add table inet block; add chain inet block heard {{ type filter hook input priority -1; }}; '
                        f'add rule inet block heard tcp dport {node.agent_port} drop')
        relay = lambda: home.proxies[0].statistics('firstchair_agents')[node.name]['status']
        wait_until(lambda: relay().startswith('DOWN'), 15, 'the relay to leave fc1')
        stays(lambda: home.views()['lb1'] == ['db1'], 3, 'db1 is used')
        before = len(writer.acknowledged())
        wait_until(lambda: len(writer.acknowledged()) > before + 10, 20, 'the standing session to go on')
        filter_in(node, 'delete table inet block')
        wait_until(lambda: relay().startswith('UP'), 15, 'the relay to come back to fc1')
        writer.stop()


# ---- people ----

@limit(120)
def test_a_switch_by_hand_while_the_nodes_restart_is_not_undone():
    """All nodes restart; meanwhile an operator closes db1 and opens db2: no node opens db1 again, each finds db2 and seats it."""
    with Home().start() as home:
        proxy, db1, db2 = home.proxies[0], home.pair['db1'], home.pair['db2']
        for node in home.nodes:
            node.kill()
        home.nodes[2].start(wait=False)
        home.nodes[2].kill()                                  # one that comes and goes while the operator works
        db1.execute('SET GLOBAL read_only=1')
        for node in home.nodes:
            node.start(wait=False)                            # they come up between the operator's two steps, and must not hurry
        db2.execute('SET GLOBAL read_only=0')
        undone = []
        over = threading.Event()

        def watch():
            has_left = False                                  # HAProxy still has its last word from before the nodes died
            while not over.is_set():
                uses_db1 = 'db1' in proxy.usable(POOL)
                has_left = has_left or not uses_db1
                if not db1.is_read_only() or (has_left and uses_db1):
                    undone.append(f'read_only {db1.is_read_only()}, HAProxy uses it: {uses_db1}')
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            home.wait_seated('db2')
        finally:
            over.set()
            watcher.join()
        assert not undone, undone
        wait_until(lambda: 'switched by hand' in home.nodes[0].pool()['why'] or 'one open server' in home.nodes[0].pool()['why'], 10,
                   'the reason to be told')


def give_both(orders):
    """Each (node, words) at the same moment; [(exit code, text)] in the same order. Each must be answered."""
    said, gate = [None] * len(orders), threading.Barrier(len(orders))

    def give(index, node, words):
        gate.wait()
        said[index] = node.ctl(*words)
    threads = [threading.Thread(target=give, args=(index, *order)) for index, order in enumerate(orders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(said), said
    return said


def give_both_in_peace(home, orders):
    """The same; both again, once somebody sits, where this machine let a server answer so late that it counted as lost."""
    for _ in range(3):
        said = give_both(orders)
        if any(code == 0 for code, _ in said) or not all(SERVER_WAS_SLOW.search(text) for _, text in said):
            break
        wait_until(home.wait_leader().seated, 30, 'somebody to sit again')
    return said


@limit(120)
def test_two_operators_with_opposite_orders_get_one_truth():
    """Opposite orders at two nodes at one moment: each gets exactly one answer, who is told "done" is right, all nodes agree."""
    with Home(keys={'ChairDwellMilliseconds': 0}).start() as home:
        leader = home.wait_leader()
        one, other = [node for node in home.nodes if node is not leader]
        seated = 'db1'
        for _ in range(3):
            away = home.other(seated).name
            said = give_both_in_peace(home, [(one, ('switch', POOL, away)), (other, ('switch', POOL, seated))])
            done = [text.splitlines()[-1] for code, text in said if code == 0]
            refused = [text for code, text in said if code != 0]
            assert done and all('refused: ' in text for text in refused), said
            assert said[0][0] != 0 or f'{away} sits' in said[0][1], said
            assert said[1][0] != 0 or f'{seated} sits' in said[1][1], said
            wait_until(lambda: len({node.seated() for node in home.nodes} - {''}) == 1 and all(node.seated() for node in home.nodes), 10,
                       'all nodes to agree')
            now = leader.seated()
            assert any(text.startswith(now) for text in done), (now, said)
            home.wait_seated(now)
            seated = now
        resting = home.other(seated).name
        said = give_both_in_peace(home, [(one, ('switch', POOL, resting)), (other, ('maint', f'{POOL}/{resting}'))])
        assert sorted(code != 0 for code, _ in said) == [False, True], said        # either the chair moved, or it is held
        held = 'maint' in str([member.get('hold') for member in leader.pool()['servers']])
        assert held == (said[1][0] == 0), (said, leader.pool())
        home.wait_seated(seated if held else resting)


@limit(120)
def test_an_hour_forwards_and_back_on_the_leader_changes_nothing():
    """The leader's wall clock is stepped under it: nobody moves, no write fails, the log carries the new time, and spans stay true."""
    with Home() as home:
        home.pair.start()
        start_proxies(home)
        clocks = {node.name: SteppedClock(home.nest, node.name) for node in home.nodes}
        for node in home.nodes:
            node.start(wait=False, env=clocks[node.name].env)
        home.wait_seated('db1')
        leader = home.wait_leader()
        follower = next(node for node in home.nodes if node is not leader)
        epoch = leader.pool()['epoch']
        writer = home.writer('clock').start()
        wait_until(lambda: len(writer.acknowledged()) > 10, 20, 'the client to write')
        for step in (3600, -3600, 0):
            clocks[leader.name].step(step)
            stays(lambda: home.leaders() == [leader] and home.views()['lb1'] == ['db1'], 4, f'nothing happens after {step} s')
            before = len(writer.acknowledged())
            wait_until(lambda: len(writer.acknowledged()) > before + 10, 20, 'the client to go on')
            leader.order('maint', f'{POOL}/db2')
            leader.order('ready', f'{POOL}/db2')
            stamp = leader.child.tail(1).split()[0].rstrip('Z')
            told = datetime.datetime.fromisoformat(stamp).replace(tzinfo=datetime.timezone.utc).timestamp()
            assert abs(told - time.time() - step) < 60, (stamp, step)
            seen = leader.picture()
            for since in (seen['leader_since_unix_ms'], leader.pool()['since_unix_ms']):
                assert 0 <= seen['time_unix_ms'] - since + 2000 < 120_000, (step, seen)       # spans are true: not an hour, not negative
            code, text = follower.ctl('maint', f'{POOL}/db2')
            if step == 0:
                follower.order('ready', f'{POOL}/db2')
            else:
                assert code != 0 and 'set the clocks right' in text and leader.name in text, (code, text)
            assert all(server['age_ms'] < 5000 for server in seen['servers']), seen['servers']
        assert leader.pool()['epoch'] == epoch and log_of(home).count('this node leads') == 1, log_of(home)
        writer.stop()
