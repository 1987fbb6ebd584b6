/* Inside of the MySQL store: lanes and deeds. Only store_mysql.c, mysql_fence.c, mysql_check.c and mysql_alone.c include this.
 *
 * A lane is one session with the deeds that wait for it; one deed at a time is under way. A deed is a request with the
 * machine that does it: each step composes one round trip and names the step that gets its answer. */
#ifndef FC_BACKENDS_MYSQL_DEED_H
#define FC_BACKENDS_MYSQL_DEED_H

#include "backends/mysql/mysql_look.h"
#include "backends/mysql/mysql_session.h"
#include "backends/sql_statements.h"
#include "backends/store.h"

#define LANE_DEEDS_MAX 64        /* waiting for one session; more is refused as busy */
#define DEED_TEXT_SIZE 16384     /* the whole schema takes 5 KB, 512 sessions to end 13 KB */
#define KILLS_MAX 512            /* sessions ended in one round trip */

/* Which session. Looks have their own in a pair, so that a write that hangs (a locked row, a full disk) does not make a
 * living server look lost. CATCH_UP lasts as long as the replica needs, and must not stand in the way of a renewal. Nothing
 * that people alone wait for (CHECK, COMPARE, ALONE) may stand in the way of any of them. */
enum lane_kind { LANE_STORE, LANE_LOOK, LANE_FENCE, LANE_FOLLOW, LANE_CHECK, LANE_COUNT };

struct deed;
typedef void deed_step(struct deed *deed, const struct session_answer *answer);

struct lane {
    struct store_mysql *store;
    int server;
    enum lane_kind kind;
    struct mysql_session *session;
    struct deed *current;
    struct deed *waiting[LANE_DEEDS_MAX];
    int waiting_count;
    struct host_timer *timer;
    bool is_new;                     /* no look has come back on this connection yet */
};

struct fencing {
    bool is_asking_row;              /* read_only is set by a statement that asks the row, and the row is there to be asked */
    bool is_row_in_doubt;            /* its round trip took too long: whether it stands is read at the end */
    uint64_t row_session_id;         /* of the session that it hangs in */
    struct host_timer *quarter;      /* then sessions are ended, so that read_only can pass */
    struct mysql_session *knife;     /* the second session that does it: the first one hangs */
    uint64_t ids[KILLS_MAX];
    int id_count, ended_count;
    uint64_t youngest;               /* sessions begun after read_only was on cannot have written */
    bool is_marked;                  /* `youngest` is known */
    int left;                        /* at the last count */
    int rounds;
};

struct catching_up {
    struct replica_look replica;
    struct fc_time unchanged_since;
    int polls;
};

/* ALONE: reading a binary log. */
#define LOG_EVENTS_BATCH 100         /* SQL_LOG_EVENTS: rows of one round trip; each carries the text of a statement */
struct counting {
    struct log_position at, end;     /* end: where the log ended when this began; "" = not known yet */
    bool is_file_done;               /* the batch was the last of its file */
    int file_count;
    uint32_t event_count;
    bool is_in_transaction, is_own;  /* one that the server itself wrote; firstchair's own */
    char gtid[64];                   /* its */
    struct alone alone;
};

struct durable;

struct deed {
    struct lane *lane;
    struct store_request request;
    struct store_result result;
    struct fc_time begun, deadline;
    deed_step *step;
    void (*again)(struct deed *deed);        /* what the timer begins */
    struct host_timer *timer;                /* made when first needed */
    bool is_warm_up;                         /* ours: opens the session, nobody hears of it */
    struct durable *durable;                 /* ours: is it readable on this server too? */
    struct fencing fencing;
    struct catching_up catching_up;
    struct counting counting;
    int64_t asked_unix_ms;                   /* CHECK: our wall clock right before it was sent */
    size_t length;
    bool fits;
    char text[DEED_TEXT_SIZE];
};

struct fc_time deed_now(const struct deed *deed);
const struct host *deed_host(const struct deed *deed);
const struct mysql_server_kind *deed_kind(const struct deed *deed);
const char *deed_user(const struct deed *deed, enum lane_kind kind);
/* The server said no because our tables, or their schema, are not there. */
bool deed_lacks_schema(const struct session_answer *answer);
const char *deed_database(const struct deed *deed);
void deed_shape(const struct deed *deed, struct look_shape *ret);

/* Composing the next round trip. */
void deed_text_begin(struct deed *deed);
void deed_text_add(struct deed *deed, enum sql_name name);                    /* places from the request */
void deed_text_add_values(struct deed *deed, enum sql_name name, const struct sql_values *values);
void deed_text_add_bytes(struct deed *deed, const char *bytes, size_t length);   /* statements that are made elsewhere */
void deed_text_add_use(struct deed *deed, enum sql_name name);                /* of the configured schema */
/* The row of the request: laid where it is missing, written as `name` says, read back last. */
void deed_text_add_row(struct deed *deed, enum sql_name name);
void deed_send(struct deed *deed, deed_step *step);
void deed_send_until(struct deed *deed, struct fc_time until, deed_step *step);    /* with a bound of its own */
void deed_later(struct deed *deed, int64_t pause_us, void (*again)(struct deed *deed));

/* The end: the result is heard, the deed is gone. */
void deed_done(struct deed *deed);
/* Written and read back here: done when the other servers show it too, or the bound is over. */
void deed_is_written(struct deed *deed);
void deed_fail(struct deed *deed, enum fc_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void deed_fail_by(struct deed *deed, const struct session_answer *answer);    /* the answer's own code, loss and sentence */

/* First steps, called when the session stands. */
void fence_begin(struct deed *deed);
void fence_done(struct fencing *fencing, const struct host *host);            /* releases what it holds */
void open_begin(struct deed *deed);
void catch_up_begin(struct deed *deed);
void prepare_begin(struct deed *deed);
void check_begin(struct deed *deed);
void compare_begin(struct deed *deed);
void alone_begin(struct deed *deed);
void word_begin(struct deed *deed);
/* Is it as it was said? Set `set` is the one of fleet_sql_stands(). */
bool word_is_stored(const struct mysql_rows *rows, int set, const struct store_request *request);
void word_probe_begin(struct deed *deed, deed_step *step);

#endif
