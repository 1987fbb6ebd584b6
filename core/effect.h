/* Effects: imperatives that core_step hands back. The agent performs them in order (agent/deeds.c); a performer never
 * answers on the spot. A deed that changes the world carries `until`: it is not done when that moment has passed. */
#ifndef FC_CORE_EFFECT_H
#define FC_CORE_EFFECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/moment.h"
#include "core/config.h"
#include "model/decision.h"
#include "model/look.h"
#include "steer/answer.h"

#define RECORD_TEXT_SIZE 240          /* as the history keeps it */

#define EFFECT_TABLE(X)                                                                                       \
    X(WAKE_AT,        "send WOKEN at this moment (the earliest one asked for wins)")                          \
    X(NOTE,           "a line for people: the log, events, Redis")                                            \
    X(LOOK,           "look at a server of the store now")                                                    \
    X(CHECK,          "read the settings of a server of the store: the slow probe")                           \
    X(PREPARE,        "bring the schema of a server up to date")                                              \
    X(STAND,          "try, or do not try, to become leader")                                                 \
    X(GIVE_BACK,      "give the lease back")                                                                  \
    X(MEMBERS,        "change the members of the raft group")                                                 \
    X(INTEND,         "write the intent: the chair moves")                                                    \
    X(FENCE,          "set read_only, end sessions, read back")                                               \
    X(CATCH_UP,       "wait until a server has applied what it fetched")                                      \
    X(SEAT,           "name the new server in the deciding row")                                              \
    X(OPEN,           "set read_only off where the row still says so")                                        \
    X(ALONE,          "read what a server that was replaced unfenced wrote alone")                            \
    X(RESUME,         "begin a replica's fetching again")                                                    \
    X(HOLD_WRITE,     "store an operator's hold")                                                             \
    X(ORDER_LAY,      "lay an order into the store for the leader")                                           \
    X(ORDER_CLOSE,    "store an order's answer")                                                              \
    X(ORDER_REPLY,    "answer the asker at the door")                                                         \
    X(REGISTER,       "refresh this node's rows that other tools read")                                       \
    X(RECORD,         "store a line of history")                                                              \
    X(ANSWER_SHOW,    "prepare an answer on the board")                                                       \
    X(ANSWER_EXTEND,  "only the term of an answer moves on")                                                  \
    X(VOICE_EXTEND,   "until when this node has a voice")                                                     \
    X(PROXY_PUSH,     "say it to an HAProxy's runtime socket now")                                            \
    X(PROXY_LOOK,     "read an HAProxy's own view")                                                           \
    X(ASKERS_LOOK,    "ask all nodes' boards who asked for a server, and what was heard")                     \
    X(SIGHTS_LOOK,    "ask all other nodes what they see of a server of the store")                           \
    X(PUBLISH,        "the status has changed: publish it")                                                   \
    X(STOP,           "everything is handed over: the process may end")

enum effect_type {
#define X(name, meaning) name,
    EFFECT_TABLE(X)
#undef X
    EFFECT_TYPE_COUNT
};

enum note_level { NOTE_DEBUG = 0, NOTE_INFO, NOTE_WARNING, NOTE_ALARM };

struct effect {
    enum effect_type type;
    uint64_t id;                      /* returned by DEED_ENDED; 0 when no answer is wanted */
    int server;                       /* of the store; -1 when none */
    struct fc_time until;             /* the deed's own bound in time: not begun later than this */
    union {
        struct fc_time wake_at;
        struct { enum note_level level; char subject[64]; uint64_t epoch; char text[240]; } note;
        bool stand;
        struct { int from, to; uint64_t intent_id; uint32_t limit_ms; char why[WHY_SIZE];
                 bool is_forced; } intend;    /* from -1: nobody; is_forced: it need not arrive by replication */
        struct { uint32_t limit_ms; } fence;
        struct { bool has_position; struct log_position position; uint32_t limit_ms; } catch_up;
        struct { int to; char mark[MARK_SIZE]; char why[WHY_SIZE]; } seat;
        struct { uint64_t epoch; char identity[IDENTITY_SIZE]; } open;
        struct { struct log_position position; uint32_t limit_ms; } alone;
        struct hold hold;
        struct stored_order order;    /* ORDER_LAY, ORDER_CLOSE */
        struct { uint64_t ticket; enum fc_code code; bool is_final; char text[256]; } reply;
        struct { bool leads; int64_t unix_ms; } registration;
        struct { uint64_t id; int64_t unix_ms; char kind[24]; char subject[64]; uint64_t epoch; char text[RECORD_TEXT_SIZE]; } record;
        struct { char pool[64]; char server[64]; struct answer answer; } show;   /* ANSWER_SHOW, _EXTEND (until), PROXY_PUSH */
        struct { int proxy; } proxy;
        struct { char pool[64]; char server[64]; } askers;
        struct { uint32_t pause_ms; char to[NODE_NAME_SIZE]; } give_back;   /* to: the node that is to lead; "" = any */
        struct { enum member_change change; char name[NODE_NAME_SIZE]; char address[ADDRESS_SIZE]; } members;   /* address: of ADD */
    } as;
};

#define EFFECTS_MAX 256               /* of one step; more is a defect of the core and is noted */

struct effects {
    int count;
    int dropped;                      /* beyond EFFECTS_MAX */
    struct effect list[EFFECTS_MAX];
};

void effects_clear(struct effects *effects);
/* A zeroed effect of this type at the end of the list. Never NULL: the last place is reused when full (and counted). */
struct effect *effects_add(struct effects *effects, enum effect_type type);
const char *effect_type_word(enum effect_type type);

#endif
