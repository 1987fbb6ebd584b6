/* What the other nodes say of a server that this one has lost, counted; and whether enough of them have lost it too.
 * Of any server that nodes look at: of the pair's today, of a managed cluster's master when somebody asks for it. */
#ifndef FC_MODEL_TESTIMONY_H
#define FC_MODEL_TESTIMONY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/moment.h"
#include "model/look.h"

/* Another node's own look at a server, as it told us when it was asked. Moments are on this node's clock. */
enum sight_state {
    SIGHT_UNKNOWN = 0,               /* not asked since this server was lost here */
    SIGHT_MUTE,                      /* asked at `at`, and it could not be asked: it counts as one that cannot look */
    SIGHT_NONE,                      /* a witness: it looks at no server, so nobody waits for it and nothing is concluded from it */
    SIGHT_TOLD                       /* its look was sent at `at` or later, and saw the server (LOSS_NONE) or lost it */
};
struct sight { enum sight_state state; enum loss loss; struct fc_time at; };

/* What one node's sight is worth about a server that was lost here at a given moment. */
enum said {
    SAID_NOTHING = 0,                /* not yet; or of before the loss; or its session ended, and it is about to look again */
    SAID_BEFORE,                     /* it had lost it before we did */
    SAID_MUTE,                       /* could not be asked */
    SAID_SILENT,                     /* the server does not answer it: it cannot look */
    SAID_REFUSED,                    /* nobody listens there */
    SAID_ALIVE,                      /* it was turned away: of no use to it, but the process lives */
    SAID_SEEN,
    SAID_NOBODY,                     /* it never looks at any server: not one of those who can agree, nor of those who are missing */
    SAID_COUNT
};
enum said sight_said(const struct sight *sight, struct fc_time lost_at);

struct testimony { int nodes; int by[SAID_COUNT]; };      /* nodes: those that look, this one too, which has lost it */
struct testimony testimony_count(const struct sight *sights, int other_count, struct fc_time lost_at);

/* Which share of the nodes must have lost a server before the leader acts on its death (FailureDetectionQuorum). */
enum consent { CONSENT_NONE = 0, CONSENT_ANY, CONSENT_MAJORITY, CONSENT_COUNT };
const char *consent_word(enum consent consent);
/* So many nodes, the leader one of them. */
int consent_needs(enum consent consent, int nodes);

enum accord_state {
    ACCORD_AWAITED = 0,              /* those who have not told yet decide it */
    ACCORD_REACHED,
    ACCORD_REFUSED,                  /* too few have lost it, and somebody sees it */
    ACCORD_UNHEARD                   /* too few could be asked, and nobody sees it: acted upon, as if the share were reached */
};
struct accord { enum accord_state verdict; int nodes, needed, lost, seen, mute, awaited; };    /* lost: this node too */
/* is_over: nobody is waited for any more; who has not told counts as mute. */
struct accord accord_judge(enum consent consent, const struct testimony *testimony, bool is_over);
bool accord_permits(const struct accord *accord);
/* "2 of 3 nodes have lost it, 1 sees it; FailureDetectionQuorum majority wants 2" */
void accord_say(const struct accord *accord, enum consent consent, char *to, size_t size);

#endif
