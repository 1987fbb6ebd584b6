"""HTTPS at the API's door: a real node, asked by curl, openssl, python, our own command and a real HAProxy."""
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import time

from stage import Authority, Haproxy, Raft, Single, limit, wait_until
from stage.client import Client
from stage.node import run_firstchair

IDLE_SECONDS = 30                                     # HTTP_IDLE_SECONDS of agent/doors/http.h


class Secure(Single):
    """One node that speaks HTTPS; `authority` has signed its certificate."""

    def __init__(self, **keys):
        super().__init__()
        self.authority = Authority(self.nest, 'authority')
        self.shown = self.authority.issue('fc1', unit='nodes')
        self.extra = {'UseSSL': True, 'SSLCertFile': self.shown[0], 'SSLPrivateKeyFile': self.shown[1], **keys}
        if keys.get('UseMutualTLS'):
            self.extra['SSLCAFile'] = self.authority.certificate
        self.nodes[0].tls = self.authority.context(self.shown)

    @property
    def url(self):
        return f'https://127.0.0.1:{self.nodes[0].http_port}'

    def curl(self, path, *words):
        """(HTTP status, body)."""
        done = subprocess.run(['curl', '-sS', '--max-time', '10', '--cacert', self.authority.certificate, '-w', '\n%{http_code}', *words, self.url + path],
                              capture_output=True, text=True, timeout=20)
        body, _, code = done.stdout.rpartition('\n')
        return int(code), body + done.stderr

    def commands(self, **keys):
        """A configuration file for commands: the node's own, with these keys changed."""
        return self.changed('command.json', keys)

    def changed(self, name, keys):
        with open(self.nodes[0].config, encoding='utf-8') as file:
            return self.nest.write(name, json.dumps({**json.load(file), **keys}))

    def raw(self):
        return socket.create_connection(('127.0.0.1', self.nodes[0].http_port), timeout=10)


def ends(line, bound):
    """Seconds until the other side has closed; what it says before is thrown away."""
    began = time.monotonic()
    line.settimeout(bound)
    with contextlib.suppress(ConnectionResetError):
        while line.recv(65536):
            pass
    return time.monotonic() - began


def log_of(node):
    with open(node.log, encoding='utf-8') as file:
        return file.read()


def test_it_is_spoken_with_every_client_and_not_below_tls_1_2():
    """curl, python's ssl, the shell client's stand-in; TLS 1.1 is refused, plain HTTP is told what is wrong; the order socket is as it was."""
    with Secure().start() as house:
        node = house.nodes[0]
        assert house.curl('/api/leader-check') == (200, '"OK"')
        assert house.curl('/api/leader-check', '--tls-max', '1.2')[0] == 200
        assert Client(house.url, house.authority.context()).run('all-instances') == []
        for version, works in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
            context = house.authority.context()
            context.set_ciphers('ALL:@SECLEVEL=0')
            context.minimum_version = min(version, ssl.TLSVersion.TLSv1_2)
            context.maximum_version = version
            try:
                with context.wrap_socket(house.raw(), server_hostname='127.0.0.1') as line:
                    assert works, f'{line.version()} was spoken'
            except ssl.SSLError as error:
                assert not works and 'ALERT_PROTOCOL_VERSION' in str(error), (version, error)
        done = subprocess.run(['curl', '-sS', '--max-time', '10', f'http://127.0.0.1:{node.http_port}/api/health'], capture_output=True, text=True, timeout=20)
        assert 'this port speaks HTTPS' in done.stdout, done
        assert node.ctl('status')[0] == 0


def test_firstchair_c_asks_over_tls_and_believes_whom_it_should():
    """By its own configuration the very certificate; by --api an authority of SSLCAFile and the name; SSLSkipVerify believes everybody."""
    with Secure().start() as house:
        own, authority, other = house.nodes[0].config, house.authority.certificate, Authority(house.nest, 'other')
        elsewhere = house.url.replace('127.0.0.1', 'localhost')
        cases = [
            ((), {}, 0, ''), (('--api', house.url), {}, 10, 'is not believed'), (('--api', house.url), {'SSLCAFile': authority}, 0, ''),
            (('--api', elsewhere), {'SSLCAFile': authority}, 0, ''),
            (('--api', house.url.replace('127.0.0.1', '127.0.0.2')), {'SSLCAFile': authority}, 10, 'no node answers'),
            (('--api', house.url), {'SSLCAFile': other.certificate}, 10, 'is not believed'),
            (('--api', house.url), {'SSLCAFile': other.certificate, 'SSLSkipVerify': True}, 0, ''),
            (('--api', house.url), {'SSLCAFile': '/nowhere.pem'}, 2, 'SSLCAFile: /nowhere.pem cannot be read'),
            ((), {'SSLCertFile': other.certificate}, 10, 'shows another certificate than SSLCertFile'),
            (('--api', house.url.replace('https', 'http')), {}, 2, 'this port speaks HTTPS'),
        ]
        for words, keys, wanted, sentence in cases:
            code, out, errors = run_firstchair('-c', 'api', '--path', 'lb-check', '--config', house.commands(**keys), *words)
            assert code == wanted and sentence in errors and (code != 0 or 'OK' in out), (words, keys, code, out, errors)
        assert run_firstchair('-c', 'which-api', '--config', own)[1].strip() == f'{house.url}/api'


def test_who_shows_no_good_certificate_is_refused_in_a_sentence():
    """None, of another authority, of another unit: 401; the right one is let in; the status check needs none, until StatusOUVerify."""
    with Secure(UseMutualTLS=True, SSLValidOUs=['nodes', 'dba']).start() as house:
        node, stranger = house.nodes[0], Authority(house.nest, 'stranger')
        amy, ops, liar = house.authority.issue('amy', unit='dba'), house.authority.issue('bob', unit='ops'), stranger.issue('amy', unit='dba')
        for words, code, sentence in (((), 401, 'this node wants to see a client certificate'), (('--cert', amy[0], '--key', amy[1]), 200, 'OK'),
                                      (('--cert', ops[0], '--key', ops[1]), 401, 'none of the organizational units'),
                                      (('--cert', liar[0], '--key', liar[1]), 401, 'client certificate')):
            seen = house.curl('/api/leader-check', *words)
            assert seen[0] == code and sentence in seen[1], (words, seen)
        assert house.curl('/api/status')[0] == 200
        assert house.curl('/api/health?x=/api/status')[0] == 401 and house.curl('/x/api/status')[0] == 401
        assert run_firstchair('-c', 'api', '--path', 'lb-check', '--config', node.config)[:2] == (0, '"OK"\n')
        code, _, errors = run_firstchair('-c', 'clusters', '--config', house.commands(SSLPrivateKeyFile='/nowhere.pem'))
        assert code == 5 and 'wants to see a client certificate' in errors, (code, errors)
        os.replace(house.changed('later.json', {'StatusOUVerify': True}), node.config)
        node.child.signal(signal.SIGHUP)
        wait_until(lambda: house.curl('/api/status')[0] == 401, 10, 'the status check to want a certificate')
        assert house.curl('/api/status', '--cert', amy[0], '--key', amy[1])[0] == 200


def test_each_fault_of_the_files_is_one_sentence_before_it_starts():
    """check-config and serve alike: exit code 2, one line that names the key and the file."""
    with Secure() as house:
        node = house.nodes[0]
        node.configure(house.extra)
        other = house.authority.issue('other')
        locked = f'{house.authority.folder}/locked.pem'
        subprocess.run(['openssl', 'pkey', '-in', house.shown[1], '-aes256', '-passout', 'pass:secret', '-out', locked], check=True, capture_output=True)
        open_to_all = house.nest.write('open-key.pem', open(house.shown[1], encoding='utf-8').read(), mode=0o644)
        for keys, sentence in (({'SSLCertFile': '/nowhere.pem'}, 'SSLCertFile: /nowhere.pem cannot be read: No such file'),
                               ({'SSLPrivateKeyFile': other[1]}, 'is not the key of the first certificate'),
                               ({'SSLPrivateKeyFile': locked}, 'is encrypted'), ({'SSLPrivateKeyFile': open_to_all}, 'has mode 0644'),
                               ({'SSLPrivateKeyFile': ''}, 'UseSSL is true without SSLPrivateKeyFile'),
                               ({'UseMutualTLS': True}, 'UseMutualTLS is true without SSLCAFile'),
                               ({'UseMutualTLS': True, 'SSLCAFile': house.shown[1]}, 'holds no certificate in PEM form')):
            path = house.commands(**keys)
            for verb in ('check-config', 'serve'):
                code, out, errors = run_firstchair(verb, '--config', path)
                lines = [line for line in errors.splitlines() if line.startswith('firstchair: ')]
                assert code == 2 and len(lines) == 1 and sentence in lines[0] and 'good' not in out, (verb, keys, code, out, errors)
        assert run_firstchair('check-config', '--config', node.config)[0] == 0


def shown_by(house):
    return ssl.get_server_certificate(('127.0.0.1', house.nodes[0].http_port))


def test_a_renewed_certificate_is_shown_after_sighup():
    """Certificate and key are replaced: shown to who comes after the reload; a pair that does not fit leaves the old one, with one alarm."""
    with Secure().start() as house:
        node, before = house.nodes[0], shown_by(house)
        fresh, alien = house.authority.issue('renewed'), house.authority.issue('alien')
        for there, source in ((house.shown[0], fresh[0]), (house.shown[1], fresh[1])):
            os.replace(source, there)
        assert shown_by(house) == before
        node.child.signal(signal.SIGHUP)
        wait_until(lambda: shown_by(house) != before, 10, 'the renewed certificate')
        renewed = shown_by(house)
        os.replace(alien[0], house.shown[0])
        node.child.signal(signal.SIGHUP)
        wait_until(lambda: 'is not the key of the first certificate' in log_of(node), 10, 'the alarm')
        assert shown_by(house) == renewed and node.leads()


@limit(120)
def test_a_handshake_that_never_ends_costs_nothing_and_is_ended():
    """Silent, begun, half done, a byte now and then, a hundred of them: others are answered, the processor rests, all are closed after 30 s."""
    with Secure().start() as house:
        node, context = house.nodes[0], house.authority.context()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        half = context.wrap_bio(incoming, outgoing, server_hostname='127.0.0.1')
        with contextlib.suppress(ssl.SSLWantReadError):
            half.do_handshake()
        greeting = outgoing.read()
        began = time.monotonic()
        lines = [house.raw() for _ in range(120)]
        dripping = lines[0]
        for number, line in enumerate(lines[1:]):
            line.sendall((b'', greeting[:7], greeting)[number % 3])
        dripped, worst = 0, 0
        ticks = processor_ticks(node)
        while time.monotonic() - began < 8:
            dripping.sendall(greeting[dripped:dripped + 1])
            dripped += 1
            since = time.monotonic()
            assert house.curl('/api/lb-check')[0] == 200
            worst = max(worst, time.monotonic() - since)
            time.sleep(0.2)                              # the pace of the drip, not a wait for a state
        spent = (processor_ticks(node) - ticks) / os.sysconf('SC_CLK_TCK')
        print(f'120 unfinished handshakes: {spent:.2f} s of processor time in 8 s with {dripped} requests, the slowest {worst * 1000:.0f} ms')
        assert spent < 4, f'{spent:.2f} s of processor time in 8 s'
        assert not [line for line in lines if is_closed(line)], 'somebody was closed before the time'
        for line in lines:
            ends(line, IDLE_SECONDS + 15 - (time.monotonic() - began))
        took = time.monotonic() - began
        print(f'all closed after {took:.1f} s')
        assert IDLE_SECONDS - 2 < took < IDLE_SECONDS + 15, took
        assert house.curl('/api/lb-check')[0] == 200


def processor_ticks(node):
    with open(f'/proc/{node.pid}/stat', encoding='utf-8') as file:
        fields = file.read().rsplit(')', 1)[1].split()
    return int(fields[11]) + int(fields[12])


def is_closed(line):
    line.setblocking(False)
    try:
        while True:
            if not line.recv(65536):
                return True
    except (BlockingIOError, InterruptedError):
        return False
    except ConnectionResetError:
        return True
    finally:
        line.setblocking(True)


def test_garbage_and_who_hangs_up_do_no_harm():
    """Noise of all sizes, a flood of connections that go away at once, an end in the middle: the node answers on."""
    with Secure().start() as house:
        for size in (1, 2, 5, 6, 100, 20000):
            for first in (b'\x16', b'\x80', b'\x00', b'\x17'):
                with house.raw() as line:
                    with contextlib.suppress(OSError):      # it may be over before all is said
                        line.sendall(first + os.urandom(size - 1))
                        line.shutdown(socket.SHUT_WR)
                    assert ends(line, 5) < 5
        for number in range(300):
            line = house.raw()
            if number % 2:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\x01\x00\x00\x00\x00\x00\x00\x00')       # ends with a reset
            line.close()
        for _ in range(20):
            line = house.authority.context().wrap_socket(house.raw(), server_hostname='127.0.0.1')
            line.sendall(b'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')
            line.close()
        assert house.curl('/api/lb-check')[0] == 200 and house.nodes[0].alive()


class SecureRaft(Raft):
    """Three nodes that want certificates, without a database server."""

    def __init__(self):
        super().__init__(3)
        self.authority = Authority(self.nest, 'authority')
        shown = self.authority.issue('node', unit='nodes')
        self.proxy_shown = self.authority.issue('proxy', unit='haproxy')
        self.extra = {'UseSSL': True, 'SSLCertFile': shown[0], 'SSLPrivateKeyFile': shown[1], 'UseMutualTLS': True, 'SSLCAFile': self.authority.certificate,
                      'SSLValidOUs': ['nodes', 'haproxy', 'dba'], 'HoldTheDoorMilliseconds': 0}
        self.proxy = Haproxy(self.nest, 'ha1')
        self.extra.update(self.proxy.keys(), HAProxyDoorScript='')
        for node in self.nodes:
            node.tls = self.authority.context(shown)


PASSED_THROUGH = '''
listen passed_through
  mode tcp
  bind 127.0.0.1:{port}
  option httpchk
  http-check send meth GET uri /api/leader-check
  http-check expect status 200
  default-server check check-ssl verify none crt {shown} inter 300ms fall 1 rise 1
'''


@limit(120)
def test_a_haproxy_finds_the_leader_over_tls_in_both_ways():
    """The printed pool, which ends TLS, and check-ssl beside a TLS that is passed through: both follow the leader; who comes by the second is known."""
    with SecureRaft() as house:
        proxy = house.start().proxy
        code, text, errors = run_firstchair('haproxy-config', '--config', house.nodes[0].config)
        assert code == 0 and f'ssl verify required ca-file {house.authority.certificate} crt /etc/haproxy/firstchair.pem' in text, (text, errors)
        text = text.replace('/etc/haproxy/firstchair.pem', house.proxy_shown[2])
        lint = run_firstchair('lint-haproxy', '--config', house.nodes[0].config, house.nest.write('printed.cfg', text))
        assert 'leader-plain' not in lint[1] and 'leader-tls' not in lint[1], lint
        port = proxy.backend_port                        # without a pair nobody else listens there
        text += PASSED_THROUGH.format(port=port, shown=house.proxy_shown[2])
        text += ''.join(f'  server {node.name} 127.0.0.1:{node.http_port}\n' for node in house.nodes)
        proxy.configure(text)
        assert proxy.check()[0] == 0, proxy.check()
        proxy.start()
        amy = house.authority.context(house.authority.issue('amy', unit='dba'))
        pools = ('fc_leader', 'passed_through')
        for _ in range(2):
            leader = house.wait_leader()
            for pool in pools:
                wait_until(lambda name=pool, node=leader: proxy.usable(name) == [node.name], 20, f'{pool} to have {leader.name} alone')
            done = subprocess.run(['curl', '-sS', '--max-time', '10', f'http://127.0.0.1:{proxy.leader_port}/health/leader'], capture_output=True, text=True, timeout=20)
            assert '"Code":"OK"' in done.stdout, done
            assert Client(f'https://127.0.0.1:{port}', amy).get(f'https://127.0.0.1:{port}/health/leader')[0] == 200
            assert Client(f'https://127.0.0.1:{port}', house.authority.context()).get(f'https://127.0.0.1:{port}/health/leader')[0] == 401
            leader.order('yield')
            house.wait_leader(other_than=leader)
