-- On the MySQL that is the store. Fill in the password: envsubst <grants.sql | mariadb
CREATE DATABASE IF NOT EXISTS firstchair;
CREATE USER 'store'@'10.0.9.%' IDENTIFIED BY '${FC_STORE_PASSWORD}';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON firstchair.* TO 'store'@'10.0.9.%';
