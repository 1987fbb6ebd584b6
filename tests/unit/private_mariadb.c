/* Starting and asking private MariaDB servers, blocking: only scenes do so. */
#include "private_mariadb.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "private_dialect.h"

#define TEMPLATE "FC_TEST_MARIADB_TEMPLATE"          /* handed to each scene's process by its environment */

#define COMES_MS 60000                               /* a group of two needs half of it on a loaded machine */
#define USER "mysql"                                 /* mariadbd refuses to run as root */

void mariadb_template_make(void)
{
    char folder[FOLDER_SIZE], data[FOLDER_SIZE + 32], scratch[FOLDER_SIZE + 32];
    folder_open(folder);
    setenv(TEMPLATE, folder, 1);
    TEXT_FORMAT(data, "--datadir=%s/data", folder);
    TEXT_FORMAT(scratch, "--tmpdir=%s", folder);       /* a server that starts removes others' scratch tables from its tmpdir */
    const char *words[] = { "mariadb-install-db", "--no-defaults", data, "--auth-root-authentication-method=normal",
                            "--skip-test-db", "--skip-name-resolve", "--force",
                            "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M", "--innodb-flush-method=nosync",
                            "--skip-log-bin", scratch, NULL };
    const char *words_of_mysql[] = { "mysqld", "--no-defaults", data, scratch, "--initialize-insecure", "--innodb-redo-log-capacity=8M",
                                     "--innodb-buffer-pool-size=8M", "--innodb-flush-method=nosync", "--skip-log-bin", NULL };
    if (program_run(folder, USER, server_is_mysql() ? words_of_mysql : words) != 0)
        fprintf(stderr, "no data directory could be made: see %s/output\n", folder);
    TEXT_FORMAT(scratch, "%s/data/auto.cnf", folder);
    unlink(scratch);                                   /* MySQL's own identity: each copy is to have another one */
}

void mariadb_template_remove(void)
{
    const char *folder = getenv(TEMPLATE);
    if (folder != NULL)
        folder_close(folder);
}

/* What is said alike, and what only one of the two families knows. Small and without care for power cuts: scenes end by SIGKILL alone. */
static const char settings_of_both[] =
    "bind-address=127.0.0.1\nlog_bin=bin\nbinlog_format=STATEMENT\nlog_slave_updates=ON\nread_only=1\nskip_name_resolve=1\n"
    "slave_net_timeout=5\ninnodb_buffer_pool_size=8M\ninnodb_flush_method=nosync\ninnodb_flush_log_at_trx_commit=0\n"
    "key_buffer_size=64K\ntable_open_cache=200\nmax_connections=60\n";
static const char settings_of_mariadb[] = "performance_schema=OFF\ninnodb_log_file_size=4M\naria_pagecache_buffer_size=1M\n";
static const char settings_of_mysql[] =
    "gtid_mode=ON\nenforce_gtid_consistency=ON\nsync_binlog=0\ninnodb_redo_log_capacity=8M\nmysqlx=OFF\nrelay_log=relay\n"
    "event_scheduler=OFF\nloose_rpl_semi_sync_source_timeout=200\nplugin_load_add=semisync_source.so\nplugin_load_add=semisync_replica.so\nperformance_schema_max_thread_instances=100\n";

static void write_settings(const struct mariadb *server, const char *path)
{
    FILE *to = fopen(path, "w");
    cr_assert_not_null(to);
    fprintf(to, "[%s]\ndatadir=%s/data\ntmpdir=%s\nsocket=%s\npid-file=%s/pid\nlog_error=%s/error.log\nport=%d\n"
                "server_id=%d\n%s",
            server_is_mysql() ? "mysqld" : "mariadbd", server->folder, server->folder, server->socket, server->folder, server->folder,
            server->port, server->id, settings_of_both);
    if (server_is_mysql())
        fprintf(to, "%s", settings_of_mysql);
    else
        fprintf(to, "gtid_domain_id=%d\n%s", server->id, settings_of_mariadb);
    fprintf(to, "%s", server->more);
    fclose(to);
}

static MYSQL *connect_root(const struct mariadb *server)
{
    MYSQL *root = mysql_init(NULL);
    if (mysql_real_connect(root, NULL, "root", "", NULL, 0, server->socket, CLIENT_MULTI_STATEMENTS) != NULL) {
        mysql_set_character_set(root, "utf8mb4");
        return root;
    }
    mysql_close(root);
    return NULL;
}

static void start(struct mariadb *server)
{
    char settings[FOLDER_SIZE + 32];
    TEXT_FORMAT(settings, "--defaults-file=%s/my.cnf", server->folder);
    const char *words[] = { server_is_mysql() ? "mysqld" : "mariadbd", settings, NULL };
    server->pid = program_start(server->folder, USER, words);
    server->root = NULL;
    for (int i = 0; i < 3000 && server->root == NULL; i++) {
        usleep(10000);
        server->root = connect_root(server);
    }
    cr_assert_not_null(server->root, "the server does not come up: see %s/error.log", server->folder);
}

void mariadb_open(struct mariadb *server, int id) { mariadb_open_with(server, id, ""); }

void mariadb_open_with(struct mariadb *server, int id, const char *more)
{
    char path[FOLDER_SIZE + 32], from[FOLDER_SIZE + 32];
    const char *template = getenv(TEMPLATE);

    cr_assert_not_null(template);
    *server = (struct mariadb){ .id = id, .port = free_port(), .more = more };
    folder_open(server->folder);
    TEXT_FORMAT(server->socket, "%s/m.sock", server->folder);
    TEXT_FORMAT(from, "%s/data", template);
    TEXT_FORMAT(path, "%s/data", server->folder);
    cr_assert_eq(program_run(server->folder, USER, (const char *[]){ "cp", "-a", "--reflink=auto", from, path, NULL }), 0);
    TEXT_FORMAT(path, "%s/my.cnf", server->folder);
    write_settings(server, path);
    start(server);
    mariadb_do(server,
               "set session sql_log_bin = 0;"
               "create user repl@127.0.0.1 identified by 'r'; grant replication slave on *.* to repl@127.0.0.1;"
               "create user store@127.0.0.1 identified by 's'; create user fence@127.0.0.1 identified by 'f';"
               "grant select, insert, update, delete, create on fc.* to store@127.0.0.1;"
               "grant binlog monitor, slave monitor on *.* to store@127.0.0.1;"
               "grant select, insert, update, delete, create on fc.* to fence@127.0.0.1;"
               "grant read_only admin, connection admin, process, binlog monitor, slave monitor on *.* to fence@127.0.0.1;"
               "set session sql_log_bin = 1");
}

void mariadb_kill(struct mariadb *server)
{
    program_end(&server->pid);
    mysql_close(server->root);
    server->root = NULL;
}

void mariadb_log_in_again(struct mariadb *server)
{
    mysql_close(server->root);
    server->root = connect_root(server);
    cr_assert_not_null(server->root);
}

void mariadb_restart(struct mariadb *server)
{
    mariadb_kill(server);
    start(server);
}

void mariadb_close(struct mariadb *server)
{
    if (server->folder[0] == '\0')
        return;
    mariadb_kill(server);
    folder_close(server->folder);
}

static size_t put_rows(MYSQL_RES *rows, char *to, size_t size)
{
    size_t length = 0;
    for (MYSQL_ROW row = mysql_fetch_row(rows); row != NULL; row = mysql_fetch_row(rows)) {
        for (unsigned i = 0; i < mysql_num_fields(rows); i++) {
            text_format(to + length, size - length, "%s%s", i == 0 ? "" : "|", row[i] == NULL ? "NULL" : row[i]);
            length += strlen(to + length);
        }
        text_copy(to + length, size - length, "\n");
        length += strlen(to + length);
    }
    return length;
}

void mariadb_query(struct mariadb *server, const char *words, char *to, size_t size)
{
    char *sql = dialect_of(words);
    int more = mysql_query(server->root, sql);
    to[0] = '\0';
    while (more == 0) {
        MYSQL_RES *rows = mysql_store_result(server->root);
        if (rows != NULL)
            put_rows(rows, to, size);
        mysql_free_result(rows);
        more = mysql_next_result(server->root);
    }
    cr_assert(more == -1 && mysql_errno(server->root) == 0, "%s: %s", sql, mysql_error(server->root));
    free(sql);
}

void mariadb_comes_to_show(struct mariadb *server, struct pump *pump, const char *words, const char *rows)
{
    char seen[4000] = "";
    const double limit = now_ms() + COMES_MS;
    for (mariadb_query(server, words, seen, sizeof seen); !text_is(seen, rows) && now_ms() < limit; mariadb_query(server, words, seen, sizeof seen))
        pump_for(pump, 10);
    cr_assert_str_eq(seen, rows, "server %d, %s", server->id, words);
}

void mariadb_do(struct mariadb *server, const char *sql)
{
    char none[1024];
    mariadb_query(server, sql, none, sizeof none);
}

void mariadb_end_sessions(struct mariadb *server, const char *user)
{
    char sql[200], ids[1024];
    TEXT_FORMAT(sql, "select id from information_schema.processlist where user = '%s'", user);
    mariadb_query(server, sql, ids, sizeof ids);
    for (const char *id = ids; id[0] != '\0'; id += strcspn(id, "\n") + 1) {
        TEXT_FORMAT(sql, "kill %.*s", (int)strcspn(id, "\n"), id);
        mariadb_do(server, sql);
    }
}

void mariadb_replicate(struct mariadb *replica, const struct mariadb *master, const char *channel, const char *with)
{
    char sql[700];
    dialect_replicate(sql, sizeof sql, master->port, channel, with);
    mariadb_do(replica, sql);
}

void mariadb_pair(struct mariadb *a, struct mariadb *b)
{
    mariadb_replicate(a, b, "", "master_use_gtid = slave_pos");
    mariadb_replicate(b, a, "", "master_use_gtid = slave_pos");
}

void mariadb_catch_up(struct mariadb *a, struct mariadb *b)
{
    char position[1024], sql[1200], answer[4000];
    mariadb_query(a, server_is_mysql() ? "select replace(@@global.gtid_executed, '\\n', '')" : "select @@global.gtid_binlog_pos", position, sizeof position);
    position[strcspn(position, "\n")] = '\0';
    TEXT_FORMAT(sql, server_is_mysql() ? "select wait_for_executed_gtid_set('%s', 60)" : "select master_gtid_wait('%s', 60)", position);
    mariadb_query(b, sql, sql, sizeof sql);
    mariadb_query(b, "show slave status", answer, sizeof answer);
    cr_assert_str_eq(sql, "0\n", "server %d does not catch up to %s: %s", b->id, position, answer);
}
