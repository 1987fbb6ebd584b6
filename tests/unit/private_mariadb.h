/* Private MariaDB servers (or MySQL's: private_dialect.h) for scenes: a data folder made once per test program and copied for each
 * server, a random port of 127.0.0.1, STATEMENT binary log, accounts as docs/accounts.md grants them. Ended by process id. */
#ifndef FC_TESTS_PRIVATE_MARIADB_H
#define FC_TESTS_PRIVATE_MARIADB_H

#include <mysql.h>

#include "private_server.h"

struct mariadb {
    char folder[FOLDER_SIZE];
    char socket[FOLDER_SIZE + 8];
    int id, port;
    pid_t pid;
    const char *more;                /* lines of its option file besides */
    MYSQL *root;                     /* over the socket, with the schema fc chosen once it is there */
};

/* To be called in the scenes' program once: ReportHook(PRE_ALL) and (POST_ALL). */
void mariadb_template_make(void);
void mariadb_template_remove(void);

/* Waits until it answers. Accounts: store/s, fence/f, repl/r, all from 127.0.0.1. read_only is on. */
void mariadb_open(struct mariadb *server, int id);
void mariadb_open_with(struct mariadb *server, int id, const char *more);
void mariadb_close(struct mariadb *server);
void mariadb_restart(struct mariadb *server);
void mariadb_kill(struct mariadb *server);

/* A fence has ended our session as a client's: another one, without a schema chosen. */
void mariadb_log_in_again(struct mariadb *server);

/* Rows as "a|b" lines; fails the scene when the server says no. */
void mariadb_query(struct mariadb *server, const char *words, char *to, size_t size);
void mariadb_do(struct mariadb *server, const char *sql);

/* The same, asked again while the loop runs until the answer is this one; fails the scene when it never is. */
void mariadb_comes_to_show(struct mariadb *server, struct pump *pump, const char *words, const char *rows);

/* Ends the sessions of an account that has no other way to learn of its new privileges. */
void mariadb_end_sessions(struct mariadb *server, const char *user);

/* CHANGE MASTER and START SLAVE; `with`: more options, or "". */
void mariadb_replicate(struct mariadb *replica, const struct mariadb *master, const char *channel, const char *with);
/* Each replicates from the other. */
void mariadb_pair(struct mariadb *a, struct mariadb *b);
/* Until b has applied all that a has logged. */
void mariadb_catch_up(struct mariadb *a, struct mariadb *b);

#endif
