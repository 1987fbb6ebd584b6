/* What is wrong with the first chair of our own pair: facts counted once, then a rule table read downwards.
 * The first row that fits is the finding; the last row always fits. What to do about it is decided in steer/. */
#ifndef FC_JUDGE_SEAT_H
#define FC_JUDGE_SEAT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/decision.h"
#include "model/servers.h"

enum seat_finding {
    SEAT_NOT_LOOKED = 0,     /* not every server has answered or failed since the start */
    SEAT_HALF_MOVED,         /* the row says that the chair is being moved, and nobody here moves it */
    SEAT_EMPTY,              /* nobody sits yet */
    SEAT_GONE,               /* process gone: ended, refused, and all who can look or hear it say so (servers_gone) */
    SEAT_OUT_OF_SIGHT,       /* lost without a word; leadership had to be taken on another server */
    SEAT_CONTESTED,          /* the same, but too few of the other nodes have lost it (FailureDetectionQuorum) */
    SEAT_DOUBTFUL,           /* lost to this node, while others may still see it: look again */
    SEAT_ELSEWHERE,          /* closed, and exactly one other is open: somebody moved it by hand */
    SEAT_CLOSED,             /* alive but read_only: it has restarted, or its opening was cut off */
    SEAT_STRAY,              /* another server is writable beside it */
    SEAT_WELL,
    SEAT_FINDING_COUNT
};

enum fact { NO = 0, YES = 1, ANY = 2 };

struct seat_facts {              /* each NO or YES */
    enum fact looked, moving, named, seen, gone, asked, elsewhere, shared, open, other_open;
    /* gone: agreed; asked: it refuses us, and another node has not yet told what it sees; shared: enough of the nodes have lost it */
    int seated;                  /* index, -1 = nobody or not among our servers */
    int other_open_at;           /* the one other writable server; -1 = none or several */
};

struct seat_rule {
    enum seat_finding finding;
    enum fact looked, moving, named, seen, gone, asked, elsewhere, shared, open, other_open;
    const char *word;
    const char *because;
};

extern const struct seat_rule seat_rules[];
extern const size_t seat_rule_count;

/* lease_place: server on which this node's lease lies; -1 = none. */
struct seat_facts seat_facts_count(const struct servers *servers, const struct decision *row, int lease_place, struct fc_time now);
const struct seat_rule *seat_judge(const struct seat_facts *facts);

#endif
