/* What the two sides of the quorum share: the pump's (quorum.c) and the thread's (quorum_thread.c). For these two files only. */
#ifndef FC_BACKENDS_QUORUM_INSIDE_H
#define FC_BACKENDS_QUORUM_INSIDE_H

#include <pthread.h>
#include <raft/uv.h>

#include "backends/quorum/consensus_inside.h"
#include "backends/quorum/held.h"

#define TOLD_MAX (QUORUM_PROPOSALS_MAX + 16)

enum told_kind { TOLD_PROPOSE, TOLD_STAND, TOLD_YIELD, TOLD_SNAPSHOT, TOLD_MEMBERS, TOLD_WORDS, TOLD_END };

/* From the pump to the thread. */
struct told {
    enum told_kind kind;
    uint64_t number;
    int to;                              /* YIELD; STAND: 0 or 1; MEMBERS: enum member_change */
    char name[NODE_NAME_SIZE], address[ADDRESS_SIZE];      /* MEMBERS */
    struct rank rank;                    /* WORDS: of the chair that they are about */
    struct chair_words words;
    uint32_t limit_ms;
    size_t length;
    uint8_t bytes[SHARED_ENTRY_SIZE];
};

struct quorum_loop {                     /* the thread's alone */
    uv_loop_t loop;
    uv_timer_t tick;
    uv_check_t turn;
    struct raft_uv_transport transport;
    struct streams *streams;
    struct raft_io *io;                  /* NULL: not opened; it lives in the consensus */
    bool has_transport, is_ending;
    struct consensus consensus;
    struct held held;
};

struct heard_item { struct heard_item *next; struct quorum_heard heard; };

struct quorum {
    const struct host *host;
    struct host_watch *watch;
    struct quorum_settings settings;
    struct quorum_port port;
    pthread_t thread;
    bool has_thread;
    int event_fd;
    uv_async_t wake;                     /* of the thread's loop */

    pthread_mutex_t lock;                /* over what follows */
    struct told told[TOLD_MAX];
    int told_head, told_count;
    struct heard_item *heard_first, *heard_last;
    int heard_count;
    bool must_hand_over;                 /* the whole state follows, and single entries of others are left out until then */
    struct shared_state *handed_over;    /* to be heard after so many of those that wait, and before what came later; owned by the queue */
    int handed_over_after;
    struct quorum_view view;
    char said[4][QUORUM_SENTENCE_SIZE];
    int said_count;
    bool is_loop_gone;

    struct quorum_loop inside;
};

/* quorum_thread.c */
enum fc_code quorum_inside_open(struct quorum *quorum, struct fc_err *err);      /* before the thread runs */
void *quorum_inside_run(void *quorum);
/* The thread's side of the queues, in quorum.c. */
bool quorum_told_take(struct quorum *quorum, struct told *ret);
void quorum_say(struct quorum *quorum, const char *sentence);
void quorum_hear(struct quorum *quorum, const struct quorum_heard *heard);
void quorum_hear_state(struct quorum *quorum, const struct shared_state *state);
void quorum_show(struct quorum *quorum, const struct quorum_view *view);
struct fc_time quorum_now(void);

#endif
