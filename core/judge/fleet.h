/* The verdicts over a whole fleet, kept up to date by what changes: after a look its traits are taken; where they differ, the server
 * and its master are judged anew, nobody else. Changes of a finding are kept, with the counts that explain them.
 *
 *      topology_saw() or topology_missed()  ->  fleet_looked()  ->  fleet_judge()  ->  fleet_analysis(), fleet_change()
 */
#ifndef FC_JUDGE_FLEET_H
#define FC_JUDGE_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "judge/analysis.h"
#include "judge/errant.h"
#include "judge/traits.h"

#define FLEET_CHANGES_MAX 512        /* kept in memory; older ones are in the store, where somebody has put them there */
#define FLEET_KEY_SIZE (INSTANCE_HOST_MAX + 10)          /* [host]:port */

struct fleet_change {                /* "db1:3306: UnreachableMaster -> DeadMaster, 3 replicas, 3 valid, 0 replicating, 3 failing" */
    uint64_t sequence;               /* 1 is the first */
    struct fc_time at;
    char server[FLEET_KEY_SIZE];
    enum analysis_code was, is;
    int replicas, valid, replicating, failing_to_connect, lagging, downtimed;
};

struct verdict {
    struct analysis found;
    struct trait_memory memory;
    struct fc_time since;            /* the code has been this since */
    struct fc_time grace_until;      /* its replicas' IO threads were restarted; FC_EVER: no grace */
    bool has_code;                   /* it was judged before */
    enum analysis_code told;         /* from this on a finding is a change: the last one here, or before the start */
    bool has_told, awaits_look;
    struct fc_time looked_before;    /* awaits_look: until a look ends that is not this one */
    bool is_timed;                   /* stands in the list of those that change by time */
};

struct fleet {
    struct room *room;
    struct topology *topology;       /* borrowed, as are the overrides */
    const struct overrides *overrides;
    struct analysis_policy policy;
    struct errant_desk desk;
    struct traits *traits;           /* by member_id, as are the verdicts */
    struct verdict *verdicts;
    uint32_t capacity;
    member_id *timed;                /* those whose traits have a due moment */
    uint32_t timed_count;
    struct fc_time due;              /* the earliest of them, or earlier */
    struct fleet_change *changes;    /* a ring of FLEET_CHANGES_MAX */
    uint64_t change_count;           /* ever */
    uint64_t judged;                 /* verdicts made: tests hold it to what has changed */
    void (*told)(void *listener, member_id id);     /* NULL: nobody; called from within fleet_judge() of each that was touched */
    void *listener;
};

/* False: no memory. */
bool fleet_init(struct fleet *fleet, struct room *room, struct topology *topology, const struct overrides *overrides,
                const struct analysis_policy *policy);
void fleet_done(struct fleet *fleet);

/* A look at this server came back or was lost, one has been under way for reasonable_check_ms, or something was said of it. False:
 * no memory, and nothing was taken. */
bool fleet_looked(struct fleet *fleet, member_id id, struct fc_time now);
/* The IO threads of its replicas are being restarted: until then it is not acted on. */
void fleet_grant_grace(struct fleet *fleet, member_id id, struct fc_time until);
/* What is known of it is of before the start: that its finding, or its master's, is another one is told when it was looked at. The server is
 * known, and fleet_looked() was told of it. */
void fleet_await_look(struct fleet *fleet, member_id id);
/* Its finding as it was told last, before the start. As above. */
void fleet_recall_told(struct fleet *fleet, member_id id, enum analysis_code told);
/* A reload: everybody is judged anew at the next fleet_judge(). */
void fleet_set_policy(struct fleet *fleet, const struct analysis_policy *policy, struct fc_time now);

/* Judges whoever was touched or is due. When something changes by time alone; FC_NEVER: nothing does. */
struct fc_time fleet_judge(struct fleet *fleet, struct fc_time now);

/* NULL: it has no entry, because it is not known, in maintenance, or not judged yet. */
const struct analysis *fleet_analysis(const struct fleet *fleet, member_id id);
/* Counted anew, for who wants to show it. The server is known, and fleet_looked() was told of it. */
struct analysis_facts fleet_facts(const struct fleet *fleet, member_id id);
/* By its sequence; NULL: it is not kept (any more). */
const struct fleet_change *fleet_change(const struct fleet *fleet, uint64_t sequence);
bool fleet_change_text(const struct fleet_change *change, char *to, size_t size);

#endif
