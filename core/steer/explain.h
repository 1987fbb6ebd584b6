/* Why: for the chair, an answer to HAProxy, the leadership, an order that is not given yet, and what comes next.
 *
 * A pure reading of what steering knows. Nothing is judged twice: the rule is the row that fitted (seat_rules, answer_rules), the
 * bars are steering's own, and an order or a plan is tried on a copy by the very code that would carry it out. So an explanation
 * cannot say anything else than the board and the orders do; tests/unit/explain_test.c holds it to that.
 *
 * Times are the wall clock's or ages in milliseconds, for people; nothing here is decided upon. */
#ifndef FC_STEER_EXPLAIN_H
#define FC_STEER_EXPLAIN_H

#include "steer/steering.h"

#define EXPLAIN_INPUTS_MAX 48
#define EXPLAIN_ALTERNATIVES_MAX 24
#define EXPLAIN_CHANGES_MAX 8

enum explain_kind { EXPLAIN_LEADER = 0, EXPLAIN_CHAIR, EXPLAIN_ANSWER, EXPLAIN_PROXY, EXPLAIN_ORDER, EXPLAIN_PLAN, EXPLAIN_KIND_COUNT };

struct explain_input { char name[96]; char value[320]; int64_t age_ms; };         /* age -1: it has none */
struct explain_alternative { char what[96]; char why_not[320]; };
/* A step of a move. state: "done", "now", "to come", "left out". failure: what it means, "ends the move" or "is borne". */
struct explain_step { const char *word, *state, *failure; };

struct explanation {
    enum explain_kind kind;
    char subject[ORDER_SAID_SIZE + 64];
    char verdict[256];
    enum fc_code code;                /* EXPLAIN_ORDER: what the asker would hear at once; else FC_OK */
    int64_t since_unix_ms;            /* 0 = there is no such moment */
    char rule[32];                    /* the word of the row */
    char because[256];
    int input_count, alternative_count, change_count, step_count;
    bool is_cut;                      /* there was more than has room here */
    struct explain_input inputs[EXPLAIN_INPUTS_MAX];
    struct explain_alternative alternatives[EXPLAIN_ALTERNATIVES_MAX];   /* what else could be, and why it is not */
    char changes[EXPLAIN_CHANGES_MAX][256];                             /* what would change the verdict */
    struct explain_step steps[STEP_COUNT];
};

/* Where a try runs: a copy of everything that it may touch. Large (about 300 KB): keep one, not on the stack. */
struct explain_room {
    struct steering steering;
    struct servers servers;
    struct leadership leadership;
    struct effects effects;
    struct fc_rng rng;
    uint64_t next_id;
};

const char *explain_kind_word(enum explain_kind kind);        /* "leader", "chair", "answer", "haproxy", "order", "plan" */

/* `stage->out` is not used and may be NULL. Each fills the whole of ret. */
void explain_leader(const struct steering *steering, const struct steer_stage *stage, struct explanation *ret);
/* Only where there is a pool with a chair. */
void explain_chair(const struct steering *steering, const struct steer_stage *stage, struct explanation *ret);
void explain_answer(const struct steering *steering, const struct steer_stage *stage, int pool, int member,
                    struct explanation *ret);
/* What would happen if this order were given here and now by `by`: nothing is asked of anybody. */
void explain_order(const struct steering *steering, const struct steer_stage *stage, const char *text, const char *by,
                   bool may_change, struct explain_room *room, struct explanation *ret);
/* What would be done next about the chair, by itself. */
void explain_plan(const struct steering *steering, const struct steer_stage *stage, struct explain_room *room,
                  struct explanation *ret);

/* The inputs, alternatives and changes of an answer in a managed cluster's pool (cluster_explain.c). */
void explain_cluster(const struct steering *steering, const struct steer_stage *stage, int pool, int member, struct explanation *ret);

/* For those who add to an explanation (core_explain.c). */
void explain_begin(struct explanation *ret, enum explain_kind kind, const char *subject);
void explain_input(struct explanation *ret, int64_t age_ms, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void explain_instead(struct explanation *ret, const char *what, const char *format, ...) __attribute__((format(printf, 3, 4)));
void explain_change(struct explanation *ret, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
