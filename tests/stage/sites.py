"""Two sites and a witness, each host in a network namespace: db1, lb1, fc1 here; db2, lb2, fc2 there; the witness w1 elsewhere; clients at
both sites. Links are cut between sites, as lines and power are lost."""
from .home import Home
from .waits import StageFailure

SITES = {'a': ['db1', 'lb1', 'fc1'], 'b': ['db2', 'lb2', 'fc2'], 'w': ['fc3']}
WHERE = {'a': 'site a', 'b': 'site b', 'w': 'the witness'}


class Sites(Home):
    """`lines` are cut and healed by the letters of their ends; a host alone by its name."""

    def __init__(self, keys=None, redis=False):
        super().__init__(proxies=2, redis=redis, keys=keys, is_apart=True, witness='fc3')
        self.cuts = []                               # ('a', 'b'), ('a', 'w'), ('db1', '') ...

    @staticmethod
    def hosts(party):
        if party in SITES:
            return SITES[party]
        if party in sum(SITES.values(), []):
            return [party]
        raise StageFailure(f"nothing is called '{party}': there are {', '.join(SITES)} and {', '.join(sum(SITES.values(), []))}")

    def cut(self, one, other=''):
        """Neither hears the other; without `other`, nobody else hears `one`: its hosts hear each other."""
        here = self.hosts(one)
        there = self.hosts(other) if other else [host for host in sum(SITES.values(), []) if host not in here]
        if set(here) & set(there):
            raise StageFailure(f'{one} and {other} have hosts in common: there is no line between them')
        for host in here:
            for far in there:
                self.net.cut(host, far)
        self.cuts.append((one, other))

    def heal(self):
        self.net.heal()
        self.cuts = []

    def lines(self):
        """What is cut at present, in words."""
        return ', '.join(f'{one} from {other}' if other else f'{one} from everybody' for one, other in self.cuts) or 'nothing'
