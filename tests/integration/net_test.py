"""The network of the stage (tests/stage/net.py): what a cut does, what it does not, and that nothing of it stays behind."""
import os
import signal
import socket
import subprocess
import sys

from stage import Net
from stage.net import NETNS, SUBNET, need_root
from stage.node import ROOT


def listener(place):
    with place.inside():
        door = socket.create_server((place.host, 0))
    door.settimeout(1)
    return door


def hears(address, place, seconds=0.3):
    """Whether a connection from `place` to the address comes about, and if not: silence or refusal."""
    with place.inside(), socket.socket() as line:
        line.settimeout(seconds)
        try:
            line.connect(address)
            return 'heard'
        except ConnectionRefusedError:
            return 'refused'
        except TimeoutError:
            return 'silence'


def passes(sender, receiver, seconds=0.3):
    """Whether a datagram arrives: the one thing that needs one direction only."""
    with receiver.inside():
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender.inside():
        mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with ear, mouth:
        ear.bind((receiver.host, 0))
        ear.settimeout(seconds)
        mouth.sendto(b'word', ear.getsockname())
        try:
            return ear.recv(16) == b'word'
        except TimeoutError:
            return False


def test_a_cut_is_silence_and_can_be_one_way():
    """Cut hosts hear nothing of each other, not even a refusal; who is refused hears that, alone; others and the healed hear all."""
    net = Net(['one', 'two', 'three'])
    try:
        one, two, three = (net.place(name) for name in net)
        with listener(two) as listening:
            door = listening.getsockname()
            assert hears(door, one) == 'heard'
            net.cut('one', 'two')
            assert hears(door, one) == 'silence' and hears(door, three) == 'heard'
            assert not passes(one, two) and not passes(two, one)
            net.heal()
            assert hears(door, one) == 'heard'
            net.cut('one', 'two', one_way=True)
            assert not passes(one, two) and passes(two, one) and hears(door, one) == 'silence'
            net.heal()
            net.isolate('two')
            assert hears(door, one) == 'silence' and hears(door, three) == 'silence' and hears(door, two) == 'heard'
            assert passes(one, three)
            net.heal()
            net.refuse('one', 'two')
            assert hears(door, one) == 'refused' and hears(door, three) == 'heard'
            net.heal()
            assert hears(door, one) == 'heard'
            assert net.dropped()['two'] > 0
        assert hears(door, one) == 'refused'
    finally:
        net.close()


def test_nothing_of_the_net_is_seen_outside_and_nothing_stays():
    """The addresses lead nowhere from here; a closed net is gone; what a killed program left is swept by the next net."""
    need_root()
    left = subprocess.Popen([sys.executable, '-c', 'import sys, time; sys.path.insert(0, sys.argv[1]); from stage import Net; '
                             'net = Net(["one"]); print(net.prefix, flush=True); time.sleep(60)', os.path.join(ROOT, 'tests')],
                            stdout=subprocess.PIPE, text=True)
    prefix = left.stdout.readline().strip()
    left.send_signal(signal.SIGKILL)
    left.wait()
    assert any(name.startswith(prefix) for name in os.listdir(NETNS)), 'the killed program has left nothing: nothing is shown'
    net = Net(['one', 'two'])
    try:
        assert not any(name.startswith(prefix) for name in os.listdir(NETNS)), f'{prefix} was not swept'
        addresses = subprocess.run(['ip', '-o', 'address'], capture_output=True, text=True).stdout
        assert SUBNET not in addresses, addresses
        assert any(name.startswith(net.prefix) for name in os.listdir(NETNS))
    finally:
        net.close()
    assert not any(name.startswith(net.prefix) for name in os.listdir(NETNS))
