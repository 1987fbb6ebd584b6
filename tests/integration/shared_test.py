"""Three nodes on one MySQL: the first variation of semi-HA. The lease row says who leads."""
import time

from stage import Shared, limit, stays, wait_until


def test_exactly_one_leads():
    """From nothing to one leader, and it stays the one."""
    with Shared().start() as house:
        leader = house.leaders()[0]
        stays(lambda: house.leaders() == [leader], 3, f'{leader.name} leads alone')


def test_the_killed_leader_is_followed():
    """SIGKILL: another leads after the lease, never before; the old one comes back as a follower."""
    with Shared().start() as house:
        leader = house.wait_leader()
        leader.kill()
        began = time.monotonic()
        successor = house.wait_leader(other_than=leader)
        print(f'{successor.name} leads after {time.monotonic() - began:.2f} s')
        leader.start()
        stays(lambda: house.leaders() == [successor], 3, f'{successor.name} leads alone')


def test_a_frozen_store_leaves_no_leader():
    """SIGSTOP of the MySQL: nobody leads once the lease is over, health says so at once, and one leads again afterwards."""
    with Shared().start() as house:
        house.server.freeze()
        wait_until(lambda: not house.leaders(), 4, 'nobody to lead')
        stays(lambda: not house.leaders(), 3, 'nobody leads')
        for node in house.nodes:
            code, _ = node.get('/api/health', timeout=1)
            assert code != 200, f'{node.name} calls itself healthy without a store'
        house.server.thaw()
        house.wait_leader()


def test_a_killed_store_comes_back():
    """SIGKILL of the MySQL, then a new start: one leads again, without any restart of a node."""
    with Shared().start() as house:
        house.server.kill()
        wait_until(lambda: not house.leaders(), 6, 'nobody to lead')
        house.server.start()
        house.wait_leader()


@limit(60)
def test_leadership_does_not_flap():
    """20 s with renewals that fall into the same seconds of the database's clock: one leader, every node always says one."""
    with Shared(keys={'LeaseRenewMilliseconds': 500}).start() as house:
        leader = house.leaders()[0]
        stays(lambda: house.leaders() == [leader], 20, f'{leader.name} leads', every=0.02)


def test_the_table_of_other_tools_names_the_leader():
    """`active_node`, which orchestrator's users query, names the leading node."""
    with Shared().start() as house:
        leader = house.leaders()[0]

        def named():
            row = house.server.rows('SELECT * FROM firstchair.active_node')
            return len(row) == 1 and leader.name in row[0]['hostname']
        wait_until(named, 5, f'active_node to name {leader.name}')
