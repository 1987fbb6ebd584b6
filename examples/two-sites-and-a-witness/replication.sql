-- On db1 as it stands; on db2 with MASTER_HOST = '10.1.0.1'. The data of both is the same before: envsubst <replication.sql | mariadb
CHANGE MASTER TO MASTER_HOST = '10.2.0.1', MASTER_USER = 'repl', MASTER_PASSWORD = '${FC_REPL_PASSWORD}',
  MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 0.5;
START SLAVE;
