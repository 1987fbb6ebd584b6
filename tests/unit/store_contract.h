/* What every store promises, as scenes: run against the SQLite file, one MariaDB, and each server of a pair.
 *
 * A bench is one store with its loop, and what the fixture of its kind lends: opening another store on the same place, and
 * asking SQL directly, as another tool would. */
#ifndef FC_TESTS_STORE_CONTRACT_H
#define FC_TESTS_STORE_CONTRACT_H

#include "backends/mysql/mysql_rows.h"
#include "backends/store.h"
#include "private_server.h"

#define BENCH_STORES_MAX 3

struct bench {
    struct pump pump;
    void *place;                                        /* the fixture's */
    struct store *(*open)(struct bench *bench);         /* another store on the same place */
    /* One statement, its rows as "a|b" lines; "" when it has none. */
    void (*query)(struct bench *bench, const char *sql, char *to, size_t size);
    bool by_fence;                                      /* the servers are read_only */

    struct store *stores[BENCH_STORES_MAX];
    int store_count;
    uint64_t asked_id;
    struct store_result result;                         /* the last one heard */
    struct server_settings settings;                    /* of the last check */
    struct mysql_rows rows;                             /* of the last reading of the tables */
    struct server_look look;                            /* of the last look */
    struct history_rows history;                        /* of the last reading of history */
    uint64_t heard_id;
    int heard_count, went_well_count;
};

/* The fixture has filled place, open and query. Opens the loop and the first store. */
void bench_open(struct bench *bench);
void bench_close(struct bench *bench);
struct store *bench_open_another(struct bench *bench);  /* at the next place of `stores` */
void bench_close_first(struct bench *bench);            /* and the others move up */

/* For the fixture's `open`. */
void bench_heard(void *bench, const struct store_result *result);

/* Asks the n-th store and waits for the one result. */
const struct store_result *bench_ask(struct bench *bench, int n, struct store_request request);
const struct server_look *bench_look(struct bench *bench, int n, int server);
struct decision row_of(uint64_t epoch, uint64_t seq, const char *node);
/* "e=2 s=1 node phase" */
const char *row_words(const struct decision *row);

#define STORE_CONTRACT(X)                                      \
    X(a_store_without_tables_is_looked_at_without_an_error)    \
    X(prepare_can_be_repeated_and_lays_the_zero_row)           \
    X(the_lease_is_taken_from_zero)                            \
    X(a_take_with_a_stale_old_is_refused_and_shows_what_stands)\
    X(a_renewal_only_raises)                                   \
    X(a_repeated_write_is_the_same_write)                      \
    X(of_two_contenders_one_wins)                              \
    X(a_move_is_stored_whole)                                  \
    X(the_newest_hold_stands)                                  \
    X(an_order_is_laid_once)                                   \
    X(of_two_holds_of_one_turn_the_same_stays)                 \
    X(an_order_is_closed_once)                                 \
    X(an_answer_that_comes_before_its_order_waits_for_it)      \
    X(of_two_answers_done_stays)                               \
    X(registration_is_readable_by_orchestrators_names)         \
    X(a_foreign_owner_is_shown)                                \
    X(history_is_written_once)                                 \
    X(history_is_read_newest_first_by_subject_and_time)        \
    X(a_word_is_written_changed_and_taken_back)                \
    X(of_two_words_the_newer_stays)                            \
    X(maintenance_is_a_lock)                                   \
    X(a_recovery_is_seen_where_it_is)                          \
    X(a_word_that_the_store_will_not_take_is_refused)          \
    X(after_a_restart_everything_is_there)                     \
    X(strange_texts_survive)

#define DECLARE(name) void contract_##name(struct bench *bench);
STORE_CONTRACT(DECLARE)
#undef DECLARE

#endif
