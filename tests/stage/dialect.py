"""The stage speaks MariaDB. Where `./test other-servers` runs it on a MySQL (FC_SERVER_FAMILY), words are changed on their way: statements
to MySQL's (8.4 and later: the old ones are gone there), columns of what it answers back to those that the scenes ask for.
"""
import os
import re

IS_MYSQL = os.environ.get('FC_SERVER_FAMILY') == 'mysql'
DAEMON = 'mysqld' if IS_MYSQL else 'mariadbd'
BINLOG_READER = 'mysqlbinlog' if IS_MYSQL else 'mariadb-binlog'
# Longer ones before what they begin with.
STATEMENTS = (
    ('SHOW ALL SLAVES STATUS', 'SHOW REPLICA STATUS'), ('SHOW SLAVE STATUS', 'SHOW REPLICA STATUS'), ('SHOW SLAVE HOSTS', 'SHOW REPLICAS'),
    ('SHOW MASTER STATUS', 'SHOW BINARY LOG STATUS'), ('STOP SLAVE', 'STOP REPLICA'), ('START SLAVE', 'START REPLICA'),
    ('RESET SLAVE', 'RESET REPLICA'), ('RESET MASTER', 'RESET BINARY LOGS AND GTIDS'),
    ('READ_ONLY ADMIN, CONNECTION ADMIN, PROCESS, BINLOG MONITOR, SLAVE MONITOR',
     'SYSTEM_VARIABLES_ADMIN, CONNECTION_ADMIN, SYSTEM_USER, REPLICATION CLIENT, REPLICATION SLAVE, PROCESS'),
    ('REPLICATION MASTER ADMIN, SLAVE MONITOR, BINLOG MONITOR, PROCESS', 'REPLICATION CLIENT, REPLICATION SLAVE, PROCESS'),
    ('BINLOG MONITOR, SLAVE MONITOR', 'REPLICATION CLIENT'), ('REVOKE BINLOG MONITOR', 'REVOKE REPLICATION CLIENT, REPLICATION SLAVE'),
    ('SET SESSION gtid_domain_id=77; ', ''), ('@@log_slave_updates', '@@log_replica_updates as `@@log_slave_updates`'),
)
COLUMNS = (('Source', 'Master'), ('Replica', 'Slave'), ('Channel_Name', 'Connection_name'))


def change_source(found):
    """CHANGE MASTER, up to the end of the statement. The key that the password is sent under, on a line without TLS, is asked for; and ten
    attempts to connect again, the preset, are over when a server comes back late."""
    words = re.sub(r'master_use_gtid\s*=\s*\w+', 'source_auto_position=1', found.group(1), flags=re.I)
    return 'CHANGE REPLICATION SOURCE TO ' + re.sub(r'\bmaster_', 'source_', words, flags=re.I) + ', source_retry_count=0, get_source_public_key=1'


def of_server(text):
    """The statements as the server under test says them."""
    if not IS_MYSQL:
        return text
    for mariadb, mysql in STATEMENTS:
        text = re.sub(re.escape(mariadb), mysql, text, flags=re.I)
    return re.sub(r'CHANGE MASTER TO ([^;]*)', change_source, text, flags=re.I)


def of_scene(column):
    """A column's name as the scenes know it."""
    for mysql, mariadb in COLUMNS if IS_MYSQL else ():
        column = column.replace(mysql, mariadb)
    return column


def places(position):
    """Of a GTID position, who wrote -> its highest number: a domain and its sequence number (MariaDB), or a server's uuid (MySQL)."""
    if not IS_MYSQL:
        return {part.split('-')[0]: int(part.split('-')[2]) for part in position.split(',') if part}
    return {part.split(':')[0].strip(): max(int(number) for number in re.findall(r'\d+', part.split(':', 1)[1]))
            for part in position.replace('\n', '').split(',') if part}
