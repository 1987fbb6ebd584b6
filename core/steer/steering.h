/* Steering: who sits in the chair of our own pair, what each pool hears, when a chair moves. spec/steering.md 5 and 6.
 *
 * Decided here, driven by move.c, written by the arbiter (backends/), performed by the agent. */
#ifndef FC_STEER_STEERING_H
#define FC_STEER_STEERING_H

#include <stdbool.h>
#include <stdint.h>

#include "act/orders.h"
#include "base/rng.h"
#include "core/config.h"
#include "core/effect.h"
#include "core/event.h"
#include "judge/needs.h"
#include "judge/seat.h"
#include "lead/leadership.h"
#include "model/servers.h"
#include "steer/chair.h"
#include "steer/cluster.h"
#include "steer/heard.h"
#include "steer/pool.h"

#define ORDER_SAID_SIZE 96

/* Who waits for an answer: a door of this node, or an order that a follower laid into the store. */
struct asker {
    uint64_t ticket;                 /* of ORDER_GIVEN; 0 = none */
    uint64_t order_id;               /* of a stored order; 0 = none */
    char by[64];
    char order[ORDER_SAID_SIZE];     /* what was ordered, for the record; "" = its answer is recorded elsewhere */
    char pool[64];                   /* what it is about: the record's subject */
    char order_text[160], order_node[NODE_NAME_SIZE];      /* of a stored order: its answer says again what was asked */
};

enum move_kind {
    MOVE_PLANNED = 0,    /* the old server lives and is fenced, the new one catches up to its end */
    MOVE_GONE,           /* the old server's process is gone: fenced by its option file */
    MOVE_SILENT,         /* the old server is out of sight: fenced if it can be reached, else waited for */
    MOVE_FIRST,          /* nobody sat */
    MOVE_RESEAT,         /* the same server again: it was closed */
    MOVE_BACK,           /* a move that could not be finished: the chair goes back */
    MOVE_KIND_COUNT
};

enum move_step { STEP_NONE = 0, STEP_APPROACH, STEP_INTEND, STEP_FENCE, STEP_CATCH_UP, STEP_WAIT, STEP_SEAT, STEP_OPEN, STEP_COUNT };

enum need { NEVER = 0, TRIED, NEEDED };      /* of a step: left out; its failure is borne; its failure ends the move */

/* A kind of move is a plan: which steps, in this order, and what their failure means. */
struct move_plan {
    enum move_kind kind;
    const char *word;
    enum need need[STEP_COUNT];      /* by enum move_step */
    bool to_position;                /* catch up to the old server's end (else: to the end of what was fetched) */
};
extern const struct move_plan move_plans[MOVE_KIND_COUNT];

#define SEEN_SIZE 128
#define SHARE_SIZE 72
struct move {
    enum move_step step;             /* STEP_NONE = no move */
    enum move_kind kind;
    int from, to;                    /* servers; from -1 = nobody */
    bool is_forced, is_fenced, is_stale, has_position, is_applying;
    unsigned waived;                 /* by `force`: waivable_rules that stood against it when the order was given */
    struct log_position position;    /* the old server's end of log, after its fence */
    uint64_t intent_id, deed_id;
    uint32_t limit_ms;
    struct fc_time started_at, step_at, deadline, wait_until, fence_at;
    struct fc_time apply_until;      /* for what was fetched from a server that is out of sight; counts once is_applying */
    struct asker asker;
    char why[WHY_SIZE];
    char mark[MARK_SIZE];            /* as it is seated with */
    uint64_t picture;                /* in which it was begun (retry.c) */
    char seen[SEEN_SIZE];            /* from a lost server: what each node saw of it when the move was begun; for the record */
    char share[SHARE_SIZE];          /* the same counted, where that does not fit */
};

#define PENDING_MAX 8
#define FAILBACKS_MAX 60             /* as many as FailbackMaxPerHour may allow */
struct pending_order { uint64_t ticket, order_id, deed_id; struct fc_time deadline; };   /* laid for the leader, answer awaited */
/* The answers given to stored orders: one that the store did not take is written again while the order is seen unanswered. */
struct closed_order { struct stored_order order; struct fc_time again_at; };
#define CLOSED_MAX 16
struct closed_orders { int count; struct closed_order list[CLOSED_MAX]; };     /* a ring */
struct hold_in_flight { uint64_t deed_id; struct hold hold; struct asker asker; };

/* The writes that an old server took alone, looked for once it is back and closed (alone.c). */
struct alone_search {
    char seated[IDENTITY_SIZE];      /* the seating that it is about */
    int server;                      /* the old one */
    struct log_position from;        /* so far the seated one had fetched its log */
    uint64_t deed_id;
    int tries;
    struct fc_time again_at;
    bool is_done;
    struct alone found;
    int64_t found_unix_ms;
};

/* Of one server: its fetching, stopped by an error of the way there (resume.c). */
struct resuming {
    uint64_t deed_id;                /* under way; 0 none */
    int tries;                       /* since it last ran for RESUME_CALM_MS */
    bool is_told, is_helpless;       /* helpless: there is no procedure to call; asked again rarely */
    struct fc_time again_at, ran_since;
};

/* Automatic moves that failed one after another (retry.c). */
struct retry {
    int failures;
    int pause_ms;                    /* after the latest */
    uint64_t picture;                /* in which the move that failed was begun */
    struct fc_time failed_at;
    bool is_said, is_repeated;       /* the latest failure only repeated what was said */
    char reason[240];
};

/* The other nodes are asked what they see of a server that is lost here (gone.c). */
struct gone_search {
    int server;
    struct fc_time lost_at;          /* the loss that it is about */
    int again_ms;
    struct fc_time ask_at;
    uint64_t told_epoch;             /* that too few have lost it: told once in an epoch */
    bool is_told;
};

#define GONE_AGAIN_MOST_MS 500       /* as long as it lasts: a node comes back, or sees the server return. Doubled up to there */

/* Leadership is left to a node that sees the server that sits (left.c). */
struct left {
    struct fc_time since;            /* FC_EVER: it is not */
    int node;                        /* who sees it: index among servers.others */
    uint64_t epoch, said_epoch;
    bool has_given_back;             /* since then */
};

/* A move is done: its asker hears so when the row was read back on every server, or when that takes too long. */
struct confirming {
    bool is_waiting;
    struct asker asker;
    enum fc_code code;
    uint64_t epoch;
    struct fc_time deadline, look_at;
    char text[200];
};

struct steering {
    int pool_count;
    struct pool pools[STEER_POOLS_MAX];
    struct cluster_pool clusters[STEER_POOLS_MAX];    /* by pool; of those of managed clusters */
    int backend;                     /* index of the pool with the chair; -1 = none */
    struct holds holds;
    struct chair chair;
    struct move move;
    struct heard heard;              /* of the revoke of the present move */
    struct alone_search alone;
    struct gone_search gone;
    struct resuming resuming[STORE_SERVERS_MAX];
    struct left left;
    struct retry retry;
    bool has_told_writers;           /* that more than one server is writable in the paused pool */
    struct confirming confirming;
    struct seat_facts facts;
    const struct seat_rule *finding;
    struct fc_time preferred_fit_since;          /* FC_EVER = not fit */
    struct fc_time failbacks[FAILBACKS_MAX];     /* moments at which a failback was seen to begin, whoever led it; a ring */
    int failback_count;
    struct fc_time not_before;                   /* after a failed move: no automatic one before this */
    struct fc_time stray_fence_at[STORE_SERVERS_MAX];
    int stray_fences[STORE_SERVERS_MAX];         /* of this node, as long as it stays writable */
    uint64_t executed[16];                       /* ids of stored orders already taken up */
    int executed_count;
    struct closed_orders closed;
    struct pending_order pending[PENDING_MAX];
    struct hold_in_flight writing_holds[PENDING_MAX];
    struct asker yielding;
    uint64_t yield_deed;
    struct asker changing_members;
    uint64_t members_deed;
    struct fc_time voice_until;
    uint64_t moves, moves_failed, orders;
};

/* What a step of the core lends to steering. */
struct steer_stage {
    const struct config *config;
    struct servers *servers;
    const struct needs *needs;
    const char *const *unknown_to;   /* by server: an HAProxy that lacks it, and whose clients would find nobody; NULL = none */
    const struct leadership *leadership;
    struct effects *out;
    struct closed_orders *closed;
    struct fc_time now;
    int64_t unix_ms;
    const char *node;                /* this node's name without mark */
    uint64_t *next_id;
    struct fc_rng *rng;
    bool has_looked;                 /* at every server and every proxy since the start (spec/steering.md 7.3) */
};

void steering_init(struct steering *steering, const struct config *config, const char *node);
void steering_hear(struct steering *steering, struct steer_stage *stage, const struct event *event);
/* After every event: judge, decide, drive, prepare answers. */
void steering_step(struct steering *steering, struct steer_stage *stage);
/* The earliest moment at which time alone changes something; FC_NEVER when none. */
struct fc_time steering_wakes_at(const struct steering *steering, const struct steer_stage *stage);

/* move.c */
enum fc_code move_begin(struct steering *steering, struct steer_stage *stage, enum move_kind kind, int from, int to,
                        const char *why, bool is_forced, uint32_t limit_ms, const struct asker *asker);
void move_hear(struct steering *steering, struct steer_stage *stage, const struct event *event);   /* DEED_ENDED */
void move_drive(struct steering *steering, struct steer_stage *stage);
void move_confirm(struct steering *steering, struct steer_stage *stage);     /* the answer to an order that was carried out */
void move_abandon(struct steering *steering, struct steer_stage *stage, const char *why);
const char *move_step_word(enum move_step step);
/* Somebody ordered it and waits for its end. */
bool move_is_ordered(const struct move *move);
/* What the failure of a step means for this move. */
enum need move_needs(const struct move *move, enum move_step step);
/* By its plan and by what is known of it so far. */
bool move_leaves_out(const struct move *move, enum move_step step);
/* From the revoke on: how long an old server that could not be fenced may still be written to when nobody shows that he has
 * heard: the sum of heard.h. It is waited for the less, the sooner all have. */
struct fc_span move_unfenced_wait(const struct config *config);

/* alone.c */
void alone_step(struct steering *steering, struct steer_stage *stage);
void alone_hear(struct steering *steering, struct steer_stage *stage, const struct event *event);      /* DEED_ENDED */

/* resume.c: replication that an error of the way there has stopped is begun again. */
void resume_step(struct steering *steering, struct steer_stage *stage);
void resume_hear(struct steering *steering, struct steer_stage *stage, const struct event *event);     /* DEED_ENDED */
struct fc_time resume_wakes_at(const struct steering *steering, const struct steer_stage *stage);

/* retry.c */
uint64_t retry_picture(const struct steering *steering, const struct steer_stage *stage);
/* A move has failed: when the next automatic one may begin. False: this only repeats a failure that was said and recorded. */
bool retry_failed(struct steering *steering, const struct steer_stage *stage, const struct move *move, const char *reason);
int retry_worked(struct steering *steering);     /* returns how often it had failed before */
void retry_step(struct steering *steering, const struct steer_stage *stage);         /* has the picture changed? */

/* writers.c */
void writers_step(struct steering *steering, struct steer_stage *stage);
/* A server that is writable beside another one, both in sight, whoever sits; -1 none. */
int steer_second_writer(const struct steering *steering, const struct steer_stage *stage);

/* gone.c */
void gone_step(struct steering *steering, struct steer_stage *stage);
struct fc_time gone_wakes_at(const struct steering *steering, const struct steer_stage *stage);
/* What this node and the others saw of a lost server, how long ago, and what was wanted of them: "fc1 refused 12 ms, fc2 refused 3 ms,
 * fc3 mute; majority 2 of 3". False, and "2 of 3 have lost it, ..." instead: that does not fit. */
bool gone_say_seen(const struct steer_stage *stage, int server, char *to, size_t size);
void gone_say_share(const struct steer_stage *stage, int server, char *to, size_t size);

/* left.c */
void left_step(struct steering *steering, struct steer_stage *stage);
/* Another node sees the server that sits, and this one does not: it must not stand for the lease now. */
bool left_to_another(const struct steering *steering, const struct steer_stage *stage);
/* This node leads all the same, and would move the chair without a fence. True: not now. The others are asked first what they see, or
 * the lease is on its way back. */
bool left_holds_back(struct steering *steering, struct steer_stage *stage);
struct fc_time left_wakes_at(const struct steering *steering, const struct steer_stage *stage);

/* commands.c: the operator's orders. `by` may change something when may_change. */
void command_given(struct steering *steering, struct steer_stage *stage, const struct event *event);
void command_stored(struct steering *steering, struct steer_stage *stage, const struct server_look *look);
void command_deed_ended(struct steering *steering, struct steer_stage *stage, const struct event *event);
void command_expire(struct steering *steering, struct steer_stage *stage);
/* to: the node that is to lead; "" = any. Who asked for it hears its end. */
void steer_give_back(struct steering *steering, struct steer_stage *stage, const char *to, const struct asker *asker);

/* answers.c: what a pool's server is called, by the first row that fits. */
enum answer_case {
    ANSWER_PAUSED = 0, ANSWER_STARTING, ANSWER_MOVING, ANSWER_NOBODY, ANSWER_UNTOLD, ANSWER_HELD, ANSWER_OTHER_SITS, ANSWER_NOT_OPEN,
    ANSWER_FIRST,
    ANSWER_OTHER_NODE, ANSWER_LEADS, ANSWER_SUSPENDED, ANSWER_LEADERLESS, ANSWER_FOLLOWS,
    ANSWER_RULE_COUNT
};
struct answer_rule { enum pool_kind kind; enum voice voice; const char *word, *because, *not; };
extern const struct answer_rule answer_rules[ANSWER_RULE_COUNT];     /* of one kind of pool each, in the order of precedence */
enum answer_case answer_case_of(const struct steering *steering, const struct steer_stage *stage, int pool, int member);
/* Of this node, whatever the pools are. */
enum answer_case answer_case_of_leader(const struct steer_stage *stage);
void answers_prepare(struct steering *steering, struct steer_stage *stage);

/* What keeps the leader from deciding anything about the chair at this moment, as one row of a table. */
enum steer_bar {
    BAR_NONE = 0, BAR_NO_CHAIR, BAR_MOVING, BAR_NOT_LEADING, BAR_UNKNOWN, BAR_PAUSED, BAR_RETRY_PAUSE, BAR_OLD_LOOKS,
    BAR_OTHER_EPOCH, BAR_COUNT
};
extern const char *const steer_bar_sentences[BAR_COUNT];
enum steer_bar steer_bar(const struct steering *steering, const struct steer_stage *stage);

/* What the leader does about each finding, one phrase. */
extern const char *const steer_decisions[SEAT_FINDING_COUNT];

/* Why the preferred server does not get its chair back by itself, and how long it takes if nothing changes (0: not time). */
enum failback_bar {
    FAILBACK_DUE = 0, FAILBACK_OFF, FAILBACK_AT_HOME, FAILBACK_NOT_FIT, FAILBACK_AGAINST_ORDER, FAILBACK_FIT_TOO_SHORT,
    FAILBACK_DWELL, FAILBACK_TOO_OFTEN, FAILBACK_BAR_COUNT
};
extern const char *const failback_bar_sentences[FAILBACK_BAR_COUNT];
enum failback_bar failback_bar(const struct steering *steering, const struct steer_stage *stage, struct fc_span *left);

/* How good a successor it would be, 0 to 3: replicates from somebody (2), has applied all that it fetched (1). */
int steer_score(const struct server_state *server);

/* Shared by the files of this room. */
void steer_note(struct steer_stage *stage, enum note_level level, const char *subject, uint64_t epoch, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void steer_record(struct steer_stage *stage, const char *kind, const char *subject, uint64_t epoch, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void steer_reply(struct steer_stage *stage, const struct asker *asker, enum fc_code code, bool is_final, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Writes the answer of a stored order (again). */
void steer_close_order(struct steer_stage *stage, struct closed_order *closed);
const char *steer_server_name(const struct steer_stage *stage, int server);   /* "nobody" for -1 */
bool steer_may_act(const struct steer_stage *stage);
/* Is this server held by an operator in the pool with the chair? */
const struct hold *steer_hold_on(const struct steering *steering, const char *server_name);
/* One that was ordered and is being stored; "" as the server: the pool's pause. Whoever would act against it has to wait. */
const struct hold *steer_hold_coming(const struct steering *steering, const char *server_name);
/* fit.c: the rules that stand against seating a server by order, and that `force` waives; only these. */
enum { RULE_NO_MASTER = 0, RULE_NOT_APPLYING, RULE_FAR_BEHIND, RULE_NEED, RULE_UNKNOWN, WAIVABLE_RULE_COUNT };
struct waivable_rule {
    const char *word;                /* in answers and in the history: "forced despite not-applying, far-behind" */
    bool (*stands)(const struct steer_stage *stage, int server);
    void (*say)(const struct steer_stage *stage, int server, char *to, size_t size);     /* what is, and how to mend it */
    const char *because;
};
extern const struct waivable_rule waivable_rules[WAIVABLE_RULE_COUNT];
unsigned steer_waived(const struct steer_stage *stage, int server);            /* those that stand against it, a bit each */
void steer_waived_words(unsigned waived, char *to, size_t size);
/* Can it be seated now? One sentence in err when not. A server with a hold is never seated; a broken or distant replica only
 * when is_forced. */
enum fc_code steer_may_seat(const struct steering *steering, const struct steer_stage *stage, int server, bool is_forced,
                            struct fc_err *err);

#endif
