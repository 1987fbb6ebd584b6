/* Who is who in the group: one place for each name that this node knows, and what the log says of it.
 *
 * Three sources, in this order of weight. The log's newest configuration says who is a member, with which id, who votes, and of those
 * that were added while the group ran also where they live. RaftNodes is the address book: where the founders live, and who is looked
 * for before there is a log. What other members tell is believed only until the own log says it itself.
 *
 * A founder's id comes from its name alone, because all founders must begin with the same configuration before they know each other's
 * marks; its name is its "address" in raft's sense. Who is added later has an id of name and mark of its directory (birth.h), and its
 * "address" is NAME~MARK@HOST:PORT. So a directory that was lost cannot vote again under its old id: its successor has another mark.
 *
 * A place keeps its index while its name is known; this node and those of RaftNodes come first. No I/O. */
#ifndef FC_BACKENDS_QUORUM_ROSTER_H
#define FC_BACKENDS_QUORUM_ROSTER_H

#include <raft.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/quorum/birth.h"
#include "core/config.h"

/* Members are at most QUORUM_NODES_MAX; beside them names of RaftNodes that are none, and one that is being added. */
#define ROSTER_PLACES_MAX 12
#define ROSTER_TEXT_SIZE (NODE_NAME_SIZE + BIRTH_MARK_SIZE + ADDRESS_SIZE)

enum roster_role { ROSTER_NONE = 0, ROSTER_LEARNER, ROSTER_VOTER };     /* a learner is given the log and does not vote */

struct roster_place {
    char name[NODE_NAME_SIZE];           /* "": free */
    char address[ADDRESS_SIZE];          /* host:port; "": not known */
    uint64_t id;                         /* of the present incarnation; 0: none, or not known */
    enum roster_role role;
    bool is_in_book;                     /* of RaftNodes */
    bool is_kept;                        /* being added: not to be forgotten meanwhile */
};

struct roster {
    int own;
    bool has_log;                        /* the log has said who is a member */
    struct roster_place places[ROSTER_PLACES_MAX];
};

/* `own`: the index of this node among those of RaftNodes, which are booked next. */
void roster_init(struct roster *roster, int own);
/* A name of RaftNodes, in the place of its index there. */
void roster_book(struct roster *roster, int index, const char *name, const char *address);
/* What the log says: all of it. False: an address in it cannot be understood; what can be is taken. */
bool roster_take(struct roster *roster, const struct raft_configuration *configuration);
/* A place for this name: its own, a free one, or that of a name of RaftNodes that is no member. -1: all are members'. */
int roster_place_for(struct roster *roster, const char *name);
int roster_by_name(const struct roster *roster, const char *name);      /* -1: none */
int roster_by_id(const struct roster *roster, uint64_t id);             /* -1: none */
void roster_forget(struct roster *roster, int place);                   /* unless it is of RaftNodes or a member */
int roster_voters(const struct roster *roster);
int roster_members(const struct roster *roster);
/* Does RaftNodes name the log's members, and only those, where they live? */
bool roster_is_as_booked(const struct roster *roster);
/* "fc1, fc2 and fc4 (learner)" */
void roster_text(const struct roster *roster, char *to, size_t size);
const char *roster_role_word(enum roster_role role);                    /* "none", "learner", "voter" */

uint64_t roster_founder_id(const char *name);
uint64_t roster_added_id(const char *name, const char *mark);
void roster_added_text(const char *name, const char *mark, const char *address, char to[ROSTER_TEXT_SIZE]);

#endif
