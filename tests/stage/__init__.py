"""The stage: private real servers for ./run and for the tests, and the means to watch and to judge them.

Everything that a stage starts lives in one private directory on free ports of 127.0.0.1 (or, with Home(is_apart=True), each part
on a host of its own in a network that can be cut), in process groups of its own, and is gone when the stage closes, whatever ends
the program that opened it. Only the standard library and Debian's packages are used.
"""
from .certificates import Authority
from .front import Front
from .haproxy import Haproxy
from .home import Home, Raft, Shared, Single, differs_for_sure
from .mariadb import Pair, Server
from .nest import Nest
from .net import Net
from .node import Node, run_firstchair
from .redis import Redis
from .traffic import Judgement, Writer
from .waits import Skip, StageFailure, limit, stays, wait_until

__all__ = ['Authority', 'Front', 'Haproxy', 'Home', 'Judgement', 'Nest', 'Net', 'Node', 'Pair', 'Raft', 'Redis', 'Server', 'Shared', 'Single',
           'Skip', 'StageFailure', 'Writer', 'differs_for_sure', 'limit', 'run_firstchair', 'stays', 'wait_until']
