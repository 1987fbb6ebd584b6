"""The words between us and HAProxy, read back from a real one: every answer that the board can print, and every foreign one.

A stand-in for the agent says one line for each server of one large backend; what HAProxy made of it is read from its runtime socket.
Each answer meets servers in four earlier states, so that what is not mentioned is seen to stay.
"""
import asyncio
from collections import namedtuple

from stage import Haproxy, Nest, StageFailure, limit, wait_until
from stage.haproxy import version
from stage.nest import free_port
from stage.standins import CLOSE, RESET, SILENT, Speaker, Standins, all_answers

FORCED_MAINT, FORCED_DRAIN = 1, 8
ADMIN_BITS = {'ready': 0, 'maint': FORCED_MAINT, 'drain': FORCED_DRAIN}
POLL_MS = 500

State = namedtuple('State', 'health admin weight')       # the agent's word for the health (1, 0), flags, weight
Effect = namedtuple('Effect', 'status health admin weight', defaults=(None, None, None))

EARLIER = {b'up ready 100%\n': State(1, 0, 100), b'down maint 100%\n': State(0, FORCED_MAINT, 100),
           b'up drain 50%\n': State(1, FORCED_DRAIN, 50), b'down ready 70%\n': State(0, 0, 70)}

# kind and voice -> what HAProxy must make of it; spec/haproxy-agent-check.md 1.2 and 6. WEIGHT stands for the answer's own.
WEIGHT = object()
SEATED, RESTING, NEUTRAL = Effect('L7OK', 1, 'ready', 100), Effect('L7STS', 0, 'maint'), Effect('CHECKED')
MEANINGS = {
    ('backend', 'first'): SEATED, ('backend', 'rest'): RESTING,
    ('writer', 'first'): SEATED, ('writer', 'rest'): RESTING,
    ('leader', 'first'): Effect('L7OK', 1), ('leader', 'rest'): Effect('L7STS', 0),
    ('reader', 'rest'): RESTING, ('reader', 'read'): Effect('L7OK', 1, 'ready', WEIGHT),
    ('reader', 'late'): Effect('L7OK', 1, 'drain', 100), ('reader', 'broken'): Effect('L7STS', 0, 'ready', 100),
}


def meaning(row):
    """(effect, does the token check pass) of a row of `answers`, from the spec and not from its line."""
    voice = row.voice if row.term == 'within' else row.late
    effect = MEANINGS.get((row.kind, voice), NEUTRAL)
    if effect.weight is WEIGHT:
        effect = effect._replace(weight=min(max(row.weight, 1), 100))
    is_neutral = effect is NEUTRAL and row.kind != 'none'
    token = effect.health == 1 and voice == 'first' or is_neutral and row.token and row.term == 'within'
    return effect, token


def after(earlier, effect):
    return State(earlier.health if effect.health is None else effect.health,
                 earlier.admin if effect.admin is None else ADMIN_BITS[effect.admin],
                 earlier.weight if effect.weight is None else effect.weight)


WIRE = """global
  stats socket {socket} level admin
  max-spread-checks 10
  server-state-file {state}
defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
backend wire
  default-server weight 100 agent-inter {inter}ms agent-addr 127.0.0.1 agent-port {port}
{wire}
backend token
  option tcp-check
  tcp-check connect addr 127.0.0.1 port {port}
  tcp-check send-lf "%[be_name]/%[srv_name]\\n"
  tcp-check expect string fc-ok
  default-server check inter {inter}ms fall 1 rise 1
{token}
"""


class Wire:
    """A HAProxy with one server for each item of `targets`, asked once a second by agent-check and by token check."""

    def __init__(self, nest, standins, targets, closed=()):
        self.names = [f's{number}' for number in range(len(targets))]
        self.speaker = Speaker(standins, {}).open()
        self.proxy = Haproxy(nest, 'lb1')
        shut = free_port()
        wire = [f'  server {name} 127.0.0.1:1 agent-check agent-send "wire/{name}\\n"' + f' agent-port {shut}' * (name in closed)
                for name in self.names]
        token = [f'  server {name} 127.0.0.1:1' for name in self.names]
        self.proxy.configure(WIRE.format(socket=self.proxy.socket, state=self.proxy.state_file, inter=POLL_MS,
                                         port=self.speaker.port, wire='\n'.join(wire), token='\n'.join(token)))
        self.asked = [f'wire/{name}' for name in self.names if name not in closed]

    def say(self, lines):
        """One line for each server; returns when HAProxy has taken every one of them."""
        for name, line in zip(self.names, lines):
            self.speaker.says[f'wire/{name}'] = self.speaker.says[f'token/{name}'] = line
        self.speaker.wait_asked([*self.asked, *(f'token/{name}' for name in self.names)], bound=40)

    def read(self):
        """server -> (State, row of `show stat`, is it usable, did the token check pass)."""
        states, told, usable = self.proxy.servers('wire'), self.proxy.statistics('wire'), self.proxy.usable('wire')
        tokens = self.proxy.statistics('token')
        return {name: (State(int(told[name]['agent_health']), int(row['srv_admin_state']), int(row['srv_uweight'])), told[name],
                       name in usable, tokens[name]['status'].startswith('UP')) for name, row in states.items()}

    def texts(self):
        """server -> what HAProxy shows of the last answer; while it asks again ("* " before the status) it shows nothing."""
        found = {}

        def read():
            told = self.proxy.statistics('wire')
            found.update({name: row['last_agt'] for name, row in told.items() if not row['agent_status'].startswith('* ')})
            return len(found) == len(self.names)
        wait_until(read, 20, 'HAProxy to be at rest once with each server')
        return found


def misread(what, earlier, effect, seen):
    """What differs from the spec, as a sentence; None when nothing does."""
    state, told, usable, _ = seen
    wanted = after(earlier, effect)
    status = told['agent_status'].removeprefix('* ')
    may_be_used = wanted == State(1, 0, wanted.weight) and wanted.weight > 0
    if state != wanted or status != effect.status or usable != may_be_used:
        return (f'{what} after {earlier}: wanted {wanted}, {effect.status}, usable {may_be_used}; '
                f'HAProxy shows {state}, {status}, usable {usable}, last_agt {told["last_agt"]!r}')
    return None


def shown_words(line):
    """What an operator must find in `last_agt`: a known state with its epoch and reason, of an unknown word the word alone."""
    state, _, reason = line.strip().partition(' # ')
    return [state] if state.startswith('fc-') else reason.split()


@limit(180)
def test_haproxy_reads_every_answer_of_the_board_as_it_is_meant():
    """Every kind, voice, weight and term, from four earlier states: health, admin state, weight, token and text as the table says."""
    by_line = {}
    for row in all_answers():
        by_line.setdefault(row.line, []).append(row)
    lines = list(by_line)
    with Nest() as nest, Standins() as standins:
        wire, wrong = Wire(nest, standins, lines), []
        wire.proxy.start()
        for said, earlier in EARLIER.items():
            wire.say([said] * len(lines))
            before = wire.read()
            wrong += [f'{said!r} itself: {before[name][0]}' for name in wire.names if before[name][0] != earlier]
            wire.say(lines)
            seen, texts = wire.read(), wire.texts()
            for name, line in zip(wire.names, lines):
                for row in by_line[line]:
                    effect, token = meaning(row)
                    wrong.append(misread(f'{row}', earlier, effect, seen[name]))
                    if seen[name][3] != token:
                        wrong.append(f'{row}: the token check {"passes" if seen[name][3] else "fails"}')
                wrong += [f'{line!r}: last_agt {texts[name]!r} does not show {word}'
                          for word in shown_words(line.decode()) if word not in texts[name]]
        wrong = [sentence for sentence in wrong if sentence]
        rows = sum(map(len, by_line.values()))
        print(f'{len(lines)} lines for {rows} rows of the board, {len(EARLIER)} earlier states, {len(wrong)} misread')
        if wrong:
            raise StageFailure('\n'.join(wrong[:12]))


@limit(120)
def test_a_push_does_what_the_same_answer_does():
    """Each line that would be pushed to a runtime socket leaves the server as the polled answer does, from four earlier states."""
    rows = list({row.push: row for row in all_answers() if row.push != '-'}.values())
    with Nest() as nest, Standins() as standins:
        wire, wrong = Wire(nest, standins, rows), []
        wire.proxy.start()
        for said, earlier in EARLIER.items():
            wire.say([said] * len(rows))
            wire.say([b'fc-unknown # hands off\n'] * len(rows))          # the polls change nothing any more
            for name, row in zip(wire.names, rows):
                wire.proxy.ask(row.push.replace('p/s', f'wire/{name}'))
            seen = wire.read()
            for name, row in zip(wire.names, rows):
                wanted = after(earlier, meaning(row)[0])
                if seen[name][0] != wanted:
                    wrong.append(f'{row.push} after {earlier}: wanted {wanted}, HAProxy shows {seen[name][0]}')
        print(f'{len(rows)} pushes, {len(EARLIER)} earlier states, {len(wrong)} differ from the poll')
        if wrong:
            raise StageFailure('\n'.join(wrong[:12]))


async def dribble(_reader, writer):
    for byte in b'down maint\n':
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.001)


REPEATED = 'the status of the answer before'
UP, DOWN = Effect('L7OK', 1), Effect('L7STS', 0)
FOREIGN = {
    # what the agent does: what HAProxy must make of it (spec/haproxy-agent-check.md 1.2)
    b'up\n': UP, b'UP\n': UP, b' Up\n': UP, b'\tup,ready\n': Effect('L7OK', 1, 'ready'), b'up\r': UP, b'up\r\n': UP,
    b'down # text\n': DOWN, b'fail\n': DOWN, b'stopped\n': DOWN, b'down,maint\n': Effect('L7STS', 0, 'maint'),
    b'ready\n': Effect('CHECKED', None, 'ready'), b'drain\n': Effect('CHECKED', None, 'drain'),
    b'30%\n': Effect('CHECKED', None, None, 30), b'up down\n': DOWN, b'maint ready\n': Effect('CHECKED', None, 'ready'),
    b'up # down maint\n': UP, b'up#down\n': NEUTRAL, b'down#x\n': NEUTRAL,
    b'\n': NEUTRAL, b'   \n': NEUTRAL, b'# only a comment\n': NEUTRAL, b'failed\n': NEUTRAL, b'fc-unknown # why\n': NEUTRAL,
    b'-5%\n': NEUTRAL, b'50 %\n': NEUTRAL, b'0\n': NEUTRAL,
    b'HTTP/1.0 503 Service Unavailable\r\n\r\n': NEUTRAL, b'{"state":"down"}\n': NEUTRAL,
    b'down maint': Effect(REPEATED), b'down\0 maint\n': Effect(REPEATED), b'x' * 17000 + b'\n': Effect(REPEATED),
    b'up\ndown maint\n': UP,
    dribble: Effect('L7STS or CHECKED', 0, 'maint'),       # done by a poll that had it all in time; the one read last may have had a part
    CLOSE: Effect('L7RSP'), RESET: Effect('L4CON or SOCKERR or L7RSP'), SILENT: Effect('L7TOUT'), 'port closed': Effect('L4CON'),
}


def foreign_status(effect, said):
    before = 'L7OK' if EARLIER[said].health else 'L7STS'
    return (before,) if effect.status is REPEATED else effect.status.split(' or ')


@limit(120)
def test_a_foreign_answer_does_what_the_table_says():
    """Empty, unknown, cut, NUL, too long, HTTP, silence, reset, a closed port: ignored; other tools' words: as HAProxy means them."""
    said_of = list(FOREIGN)
    closed = f's{said_of.index("port closed")}'
    with Nest() as nest, Standins() as standins:
        wire, wrong = Wire(nest, standins, said_of, closed=(closed,)), []
        wire.proxy.start()
        print(f'HAProxy {version()}')
        for said, earlier in EARLIER.items():
            wire.say([said] * len(said_of))
            before = wire.read()
            wire.say([what if what != 'port closed' else b'\n' for what in said_of])
            seen = wire.read()
            for name, what in zip(wire.names, said_of):
                effect = FOREIGN[what]
                begun = before[name][0] if name == closed else earlier          # nobody could tell that one anything
                allowed = foreign_status(effect, said)
                status = seen[name][1]['agent_status'].removeprefix('* ')
                if seen[name][0] != after(begun, effect) or status not in allowed:
                    wrong.append(f'{str(what)[:60]} after {begun}: wanted {after(begun, effect)} and {allowed}, HAProxy shows '
                                 f'{seen[name][0]} and {status}, last_agt {seen[name][1]["last_agt"]!r}')
        if wrong:
            raise StageFailure('\n'.join(wrong[:20]))
