/* What all nodes of a raft group hold in common, as a function of the log: the chair of the pair (where there is one: who leads and
 * who sits, model/decision.h), holds, orders with their answers, the newest lines of history, and what operators and tools said of
 * servers and clusters. Same entries in the same order give the same bytes on every node; nothing here reads a clock, a file or
 * a socket.
 *
 * An entry is one STORE_TAKE (the chair's), STORE_HOLD, STORE_ORDER_LAY, STORE_ORDER_CLOSE, STORE_HISTORY or STORE_WORD, with who issued it (the node's name with
 * the mark of its process) and that issuer's own number: a repetition (an entry that was sent again because its first answer
 * was lost) is known by these two and changes nothing. The rules by which rows meet are those of backends/sql_statements.c,
 * because each node's private store applies the same entries by those statements. */
#ifndef FC_BACKENDS_QUORUM_SHARED_STATE_H
#define FC_BACKENDS_QUORUM_SHARED_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/store.h"
#include "base/err.h"

#define SHARED_ENTRY_SIZE 1024       /* the longest entry, in bytes */
#define SHARED_HOLDS_MAX 128         /* released holds keep their row, for their rank */
#define SHARED_ORDERS_MAX 64         /* the newest; the closed ones with the lowest number fall out first */
#define SHARED_HISTORY_MAX 256       /* the newest lines by id: what a node that was long away is given */
#define SHARED_ISSUERS_MAX 32        /* processes whose repetitions are known; the one longest without an entry falls out */
#define SHARED_WINDOW 64             /* an issuer's number this far below its highest counts as a repetition */
#define SHARED_WORDS_MAX 4096        /* words; those taken back fall out first, then those that ended, then there is no room for another */
#define SHARED_WORD_BYTES (640 * 1024)   /* of all of them: a tag takes about 130 bytes */
#define SHARED_STATE_SIZE (1024 * 1024)

struct shared_entry {
    enum store_deed deed;
    char issuer[NODE_NAME_SIZE];
    uint64_t number;                 /* from 1, rising */
    struct decision row;             /* TAKE */
    struct rank old;                 /* TAKE: the rank that it replaces; another one stays */
    struct hold hold;
    struct stored_order order;
    struct history_row history;
    struct fleet_word word;
};

/* Where a word lies; `entry`: which one it was. What was taken back stays as long as there is room, for nodes that were away. */
struct shared_word { uint64_t key, entry; uint32_t offset; uint16_t length; bool takes_back; };

struct shared_issuer { char name[NODE_NAME_SIZE]; uint64_t highest, seen; uint64_t used_at; };   /* seen: bit i = highest - i */

struct shared_state {
    uint64_t entries;                /* applied, repeated and strange ones */
    uint64_t repeated, strange;
    struct decision chair;           /* zeros: nobody has led yet */
    int hold_count, order_count, history_count, issuer_count;
    struct hold holds[SHARED_HOLDS_MAX];             /* by pool, server */
    struct stored_order orders[SHARED_ORDERS_MAX];   /* by id */
    struct history_row history[SHARED_HISTORY_MAX];  /* by id */
    struct shared_issuer issuers[SHARED_ISSUERS_MAX];
    int word_count;
    uint32_t word_bytes;
    struct shared_word words[SHARED_WORDS_MAX];      /* by key */
    uint8_t word_room[SHARED_WORD_BYTES];            /* one behind the other */
};

enum shared_verdict {
    SHARED_APPLIED = 0,
    SHARED_REPEATED,   /* known already: nothing changed */
    SHARED_STRANGE     /* cannot be understood (of a later version), or no room: nothing changed, on no node */
};

/* An entry of deed STORE_LOOK says nothing: it only makes the log longer by one, for who wants a snapshot of it now. */
/* A higher rank over the very one that it names, or nothing: whether the chair is now as the entry says. */
bool shared_chair_apply(struct decision *chair, const struct shared_entry *entry);
/* Is this a request that all nodes must hold in common? The chair's is not: it is the row of one server. */
bool shared_is_wanted(const struct store_request *request);
void shared_entry_of(const struct store_request *request, const char *issuer, uint64_t number, struct shared_entry *ret);
/* The request by which a private store applies this entry. */
void shared_entry_request(const struct shared_entry *entry, struct store_request *ret);
/* FC_BAD_INPUT: not that many bytes, or not an entry. */
enum fc_code shared_entry_encode(const struct shared_entry *entry, uint8_t *to, size_t size, size_t *length);
enum fc_code shared_entry_decode(const uint8_t *from, size_t size, struct shared_entry *ret);

void shared_state_init(struct shared_state *state);
enum shared_verdict shared_state_apply(struct shared_state *state, const uint8_t *entry, size_t size);
/* A snapshot, at most SHARED_STATE_SIZE bytes, ending in its checksum. */
enum fc_code shared_state_encode(const struct shared_state *state, uint8_t *to, size_t size, size_t *length);
/* On failure *ret is untouched and err says what is wrong. */
enum fc_code shared_state_decode(const uint8_t *from, size_t size, struct shared_state *ret, struct fc_err *err);

/* The rows one after the other, as requests for a private store: index from 0 on, until false. */
bool shared_state_row(const struct shared_state *state, int index, struct store_request *ret);

#endif
