/* One session with one MySQL or MariaDB server: never blocks, one round trip at a time, driven by the host's watches and
 * timers. It connects when first asked, and again when asked after it was lost; it never repeats a query by itself.
 *
 * A connect that nobody has answered for `dial_ms` is begun anew, for as long as the bound lasts: the kernel would ask again only
 * after 1, 3, 7 s, and so find a server that is back seconds late. One descriptor at a time; nothing is left on the server.
 *
 * A round trip is one text of one or more statements; all result sets come back together. Its bound covers the connect.
 * When the bound passes, the socket is shut down and the session dropped: nothing ever waits for a dead peer. While idle
 * the descriptor is watched, so a server that goes away is noticed at once. */
#ifndef FC_BACKENDS_MYSQL_SESSION_H
#define FC_BACKENDS_MYSQL_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/host.h"
#include "backends/mysql/mysql_rows.h"
#include "base/err.h"
#include "base/moment.h"
#include "core/config.h"
#include "model/look.h"

/* What the server is, found out once per connection. */
struct mysql_server_kind {
    bool is_mariadb;
    bool has_super_read_only;
    bool is_new_names;               /* SHOW REPLICA STATUS (MySQL 8.0.22) */
    bool is_new_log_name;            /* SHOW BINARY LOG STATUS (MySQL 8.2) */
    bool has_gtid;
    bool is_above_read_only;         /* this account may write although read_only is on */
    bool sees_all_sessions;          /* PROCESS */
    char identity[IDENTITY_SIZE];
    char version[64];
    uint32_t server_id;
    uint64_t session_id;             /* of this connection, as the server lists and ends it */
};

/* TLS towards a server. Off without `is_on`; then the account's password still never crosses readable. */
struct mysql_tls {
    bool is_on;                      /* asked for and insisted on: a server that has none is not connected to */
    bool is_mixed;                   /* not on yet: turned on for a server that refuses a session without it */
    bool skips_verifying;            /* whoever answers is believed: against listening in alone */
    const char *ca_file, *certificate_file, *key_file;     /* NULL or "": none. Borrowed: they outlive the session */
};

/* Towards the store, with its own copies of the names: it outlives the sessions, as the configuration may not. */
struct mysql_store_tls { config_text ca_file, certificate_file, key_file; struct mysql_tls tls; };
void mysql_store_tls_of(const struct config *config, struct mysql_store_tls *ret);      /* points into itself: it does not move */
/* Towards the servers of the fleet. Borrows the names of its files. */
struct mysql_tls mysql_topology_tls(const struct config *config);

struct mysql_session_setting {
    char label[96];                  /* "db1 (10.0.1.1:3306) as store", for sentences; never a password */
    char address[ADDRESS_SIZE];
    config_text user, password;
    config_text database;            /* "": no schema is used */
    struct fc_span connect_limit;    /* name, connect, greeting and first round trip together; 0: the query's deadline alone */
    struct mysql_tls tls;
    int dial_ms;                     /* 0: one connect only, as the kernel repeats it */
    bool is_one_of_many;             /* between two queries it keeps no more memory than it must */
    bool takes_back;                 /* a statement that times out must not arrive late: what the peer has not taken is dropped */
};

struct session_answer {
    enum fc_code code;               /* FC_OK; FC_STORE: the server said no; FC_UNREACHABLE, FC_TIMEOUT, FC_NO_MEMORY */
    enum loss loss;                  /* LOSS_NONE while the session stands */
    bool is_unconnected;             /* LOSS_SILENT: no connection came about, so nothing of ours is left on the server */
    unsigned error_number;           /* the server's own, when code is FC_STORE */
    enum probe_phase phase;          /* what a session was lost in; PROBE_READING otherwise */
    char text[200];                  /* a sentence when code is not FC_OK */
    struct fc_time sent_at;          /* right before the first byte of this query (of the connect, when it got no further) */
    const struct mysql_rows *rows;   /* also on FC_STORE: what came before the statement that failed. Borrowed */
    int done_count;                  /* statements that succeeded */
};

struct mysql_session;

typedef void mysql_session_answered(void *owner, const struct session_answer *answer);
typedef void mysql_session_ended(void *owner, enum loss loss, const char *text);    /* lost while idle */

/* `setting` is copied. `ended` may be NULL. Returns NULL when memory is out. */
struct mysql_session *mysql_session_open(const struct host *host, const struct mysql_session_setting *setting,
                                         mysql_session_ended *ended, void *owner);
/* Another session with the same setting, nobody told of its end. */
struct mysql_session *mysql_session_twin(const struct mysql_session *session);
void mysql_session_close(struct mysql_session *session);      /* NULL is fine; an answer not yet given is dropped */

/* Exactly one answer, later, never from within. Not while another query is under way (an assert). `text` is copied. */
void mysql_session_query(struct mysql_session *session, const char *text, size_t length, struct fc_time deadline,
                         mysql_session_answered *answered, void *owner);
bool mysql_session_is_busy(const struct mysql_session *session);
bool mysql_session_is_connected(const struct mysql_session *session);
/* Ends a standing connection that is idle; the next query connects anew. */
void mysql_session_drop(struct mysql_session *session);
/* This connection and no other: once it has ended, every query is answered with that. It is connected. */
void mysql_session_stay(struct mysql_session *session);
/* From the next connect on. */
void mysql_session_use_tls(struct mysql_session *session, bool is_on);
/* From within an answer. True: the server has refused a session without TLS (it says so, or only that the account may not), its setting is
 * mixed, and the next connect asks for TLS: to be asked again. */
bool mysql_session_turns_to_tls(struct mysql_session *session, const struct session_answer *answer);
/* From within an answer: its rows become the caller's, to be done with. So an idle session keeps no memory for them. */
void mysql_session_take_rows(struct mysql_session *session, struct mysql_rows *to);
/* Of the present or last connection. */
const struct mysql_server_kind *mysql_session_kind(const struct mysql_session *session);
/* Is the configured schema there and in use? Found out at each connect; noted by who used it successfully since. */
bool mysql_session_has_database(const struct mysql_session *session);
void mysql_session_note_database(struct mysql_session *session);

#endif
