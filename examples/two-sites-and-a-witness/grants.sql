-- On each of the two servers by itself, so not into the binlog. Fill in the passwords: envsubst <grants.sql | mariadb
SET SESSION sql_log_bin = 0;
CREATE DATABASE IF NOT EXISTS firstchair;
CREATE USER 'store'@'10.%.0.9' IDENTIFIED BY '${FC_STORE_PASSWORD}';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON firstchair.* TO 'store'@'10.%.0.9';
GRANT BINLOG MONITOR, SLAVE MONITOR ON *.* TO 'store'@'10.%.0.9';
CREATE USER 'fence'@'10.%.0.9' IDENTIFIED BY '${FC_FENCE_PASSWORD}';
GRANT SELECT, INSERT, UPDATE, CREATE ON firstchair.* TO 'fence'@'10.%.0.9';
GRANT READ_ONLY ADMIN, CONNECTION ADMIN, PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO 'fence'@'10.%.0.9';
-- Owned by who runs this file: with it firstchair begins replication again after an error of the network, and can do nothing else to it.
CREATE PROCEDURE firstchair.firstchair_resume() SQL SECURITY DEFINER START SLAVE IO_THREAD;
GRANT EXECUTE ON PROCEDURE firstchair.firstchair_resume TO 'fence'@'10.%.0.9';
CREATE USER 'repl'@'10.%.0.1' IDENTIFIED BY '${FC_REPL_PASSWORD}';
GRANT REPLICATION SLAVE ON *.* TO 'repl'@'10.%.0.1';
