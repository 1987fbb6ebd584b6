"""Real servers that a node only looks at: the account `topo` that looks, `repl` that replicates, and who is below whom."""
from .mariadb import GRANTS, Server
from .waits import wait_until

PASSWORD = 'look-and-see'
LOOKER = 'REPLICATION MASTER ADMIN, SLAVE MONITOR, BINLOG MONITOR, PROCESS'
# Keys of a node that looks.
LOOKS = {'MySQLTopologyUser': 'topo', 'MySQLTopologyPassword': PASSWORD, 'MySQLHostnameResolveMethod': 'none'}
CHAIN = {'db1': None, 'db2': 'db1', 'db3': 'db2'}
ONE_AND_TWO = {'db1': None, 'db2': 'db1', 'db3': 'db1'}


def start_servers(servers):
    """With both accounts; nobody replicates yet."""
    for server in servers:
        server.start(wait=False)
    for server in servers:
        server.wait_ready()
        server.execute(f"SET SESSION sql_log_bin=0; CREATE USER repl@'{server.place.accounts}' IDENTIFIED BY 'r'; "
                       f"CREATE USER topo@'{server.place.accounts}' IDENTIFIED BY '{PASSWORD}'; "
                       f"GRANT {GRANTS['repl'][0]} TO repl@'{server.place.accounts}'; GRANT {LOOKER} ON *.* TO topo@'{server.place.accounts}'")


def follow(server, master, gtid='slave_pos', words=''):
    """Replication begins; where it runs already, it has to be stopped first."""
    server.execute(f"CHANGE MASTER TO master_host='{master.place.host}', master_port={master.port}, master_user='repl', "
                   f"master_password='r', master_use_gtid={gtid}, master_connect_retry=1{words}; START SLAVE")


def fleet_of(nest, masters, options=''):
    """The servers, each below the one that `masters` (name -> name) says, which stands before it; of nobody: None."""
    by_name = {name: Server(nest, name, number, options=options) for number, name in enumerate(masters, 1)}
    start_servers(by_name.values())
    for name, master in masters.items():
        if master is not None:
            follow(by_name[name], by_name[master])
            wait_until(by_name[name].replicates, 30, f'{name} to replicate')
    return list(by_name.values())
