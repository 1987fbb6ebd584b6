/* Raft's picture as the core hears it: LEASE_GRANTED, LEASE_DENIED, STORE_SILENT; GIVE_BACK, MEMBERS, snapshots and backups carried out. Who owns it says what
 * else must be true before this node leads (its store has caught up; its row is in the log), in which epoch, and where the lease lies. */
#ifndef FC_BACKENDS_QUORUM_LEAD_H
#define FC_BACKENDS_QUORUM_LEAD_H

#include "backends/quorum/quorum.h"
#include "core/effect.h"
#include "core/event.h"

struct quorum_lead {
    const struct quorum_settings *settings;      /* borrowed */
    struct quorum *quorum;
    void *owner;
    void (*say)(void *owner, const struct event *event);
    struct quorum_view view;                     /* the last one */
    bool leads, is_silent, is_yielding, has_said;
    uint64_t said_term, said_epoch, yield_id;
    int said_leader, said_place;
    struct fc_time said_until;
    void (*snapshot_done)(void *owner, enum fc_code code, const char *text);
    void *snapshot_owner;
    void (*backup_done)(void *owner, enum fc_code code, const char *text, const char *backup);
    void *backup_owner;
    uint64_t members_id;                         /* of the MEMBERS under way; 0 none */
};

/* What a leader says of itself. */
struct quorum_lead_own {
    bool is_fit;                                 /* nothing but raft stands against its leading */
    uint64_t epoch;
    int place;
};

void quorum_lead_init(struct quorum_lead *lead, const struct quorum_settings *settings, void *owner,
                      void (*say)(void *owner, const struct event *event));
/* Does raft let it act now? */
bool quorum_lead_is_elected(const struct quorum_lead *lead, struct fc_time now);
/* After each new view, and when `own` has changed. */
void quorum_lead_consider(struct quorum_lead *lead, const struct quorum_lead_own *own, struct fc_time now);
void quorum_lead_give_back(struct quorum_lead *lead, const struct effect *effect, struct fc_time now);
/* A snapshot now. `done` is called once, later, never from within. False: one is being taken. */
bool quorum_lead_snapshot(struct quorum_lead *lead, void (*done)(void *owner, enum fc_code code, const char *text), void *owner);
/* MEMBERS: ends with DEED_ENDED. */
void quorum_lead_change_members(struct quorum_lead *lead, const struct effect *effect);
/* The state as a text, from what is heard next. `done` is called once, later; the text is borrowed for the call. False: not now. */
bool quorum_lead_backup(struct quorum_lead *lead, void (*done)(void *owner, enum fc_code code, const char *text, const char *backup),
                        void *owner);
/* QUORUM_STATE. */
void quorum_lead_heard_state(struct quorum_lead *lead, const struct shared_state *state);
/* QUORUM_ENDED: of a yield, a snapshot or a change of members. */
void quorum_lead_ended(struct quorum_lead *lead, const struct quorum_heard *heard);
/* DEED_ENDED of INTEND, SEAT or GIVE_BACK. */
void quorum_lead_end(const struct quorum_lead *lead, const struct effect *effect, enum fc_code code, const char *text);

#endif
