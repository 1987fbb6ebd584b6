/* Agreement of the nodes: our rules around raft's library, above any disk, network and clock. The world lends those by one table:
 * in the daemon quorum_thread.c (libuv, files, sealed streams), in the simulator false ones.
 *
 * Nothing here waits, and nothing here starts anything by itself: who runs it calls consensus_beat each tenth of the election time
 * and consensus_turned after anything that may have changed raft's role (a call back into its I/O, a frame, a beat). All calls are
 * made from one thread; none of the world's calls may call back from within, but for open_io's `raft_io`. */
#ifndef FC_BACKENDS_QUORUM_CONSENSUS_H
#define FC_BACKENDS_QUORUM_CONSENSUS_H

#include <raft.h>

#include "backends/quorum/quorum.h"

struct consensus_world {
    void *owner;
    struct fc_time (*now)(void *owner);                    /* never goes back; of no other node */
    /* Raft's disk and network. A code of raft's, with the sentence in ret->errmsg; not 0: nothing is left open. */
    int (*open_io)(void *owner, struct raft_io *ret);
    /* After a write has failed raft is closed. May it be opened again on this disk? NULL: never by itself. Before it is, the io of before
     * is closed for good (NULL: nothing is to be done). */
    bool (*has_room)(void *owner);
    void (*close_io)(void *owner);
    /* A frame of ours to a member. False: it was not taken, and is not kept. */
    bool (*send)(void *owner, int member, const struct frame *frame);
    void (*break_off)(void *owner, int member);            /* what leads to this member does not answer: make it anew */
    /* The mark up to where the log was confirmed (held.h); both NULL: none is kept. */
    uint64_t (*held)(void *owner);
    void (*hold)(void *owner, uint64_t index);
    void (*heard)(void *owner, const struct quorum_heard *heard);
    void (*heard_state)(void *owner, const struct shared_state *state);
    void (*show)(void *owner, struct quorum_view *view);   /* without what the streams know, which the world adds */
    void (*say)(void *owner, const char *sentence);
    /* Who is where, and this node's own id (0: none yet). NULL: the world knows by itself. */
    void (*know)(void *owner, const struct roster *roster, uint64_t own_id);
};

struct consensus;

/* `settings` is borrowed until the end; `birth` is taken over, opened. */
void consensus_init(struct consensus *consensus, const struct quorum_settings *settings, const struct birth *birth,
                    const struct consensus_world *world);
/* Frames can be sent and heard from now on: raft starts now, or when enough others know the directory's mark. */
void consensus_begin(struct consensus *consensus);
void consensus_beat(struct consensus *consensus);
void consensus_turned(struct consensus *consensus);
/* It takes no part from now on; said once. */
void consensus_go_out(struct consensus *consensus, const char *why);
void consensus_show(struct consensus *consensus);
/* Raft is closed; `closed` is called when nothing of it is under way any more, at once where it never ran. */
void consensus_end(struct consensus *consensus, void (*closed)(void *owner));

/* ---- what the pump wants (quorum.h) ---- */
void consensus_propose(struct consensus *consensus, uint64_t number, const uint8_t *bytes, size_t length, uint32_t limit_ms);
void consensus_stand(struct consensus *consensus, bool stands);
void consensus_yield(struct consensus *consensus, uint64_t number, int to, uint32_t pause_ms);
void consensus_snapshot(struct consensus *consensus, uint64_t number);
void consensus_change_members(struct consensus *consensus, uint64_t number, enum member_change change, const char *name, const char *address);
void consensus_tell_words(struct consensus *consensus, const struct rank *rank, const struct chair_words *words);
const struct shared_state *consensus_state(const struct consensus *consensus);

/* ---- what members say (streams.h) ---- */
/* `answer` is filled, or left with kind 0 for none. */
void consensus_asked(struct consensus *consensus, int member, const struct frame *frame, struct frame *answer);
void consensus_answered(struct consensus *consensus, int member, const struct frame *frame);

#endif
