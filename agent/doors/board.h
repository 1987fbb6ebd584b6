/* The answer board: prepared lines, copied out when HAProxy asks. No core call, no allocation, no formatting on the way.
 *
 * The daemon writes a line when the verdict changes (board_show); the listener reads it (board_line). Each entry has two
 * lines: the one within the term, and the one past it. The table has room for a fixed number of targets, set at start. */
#ifndef FC_AGENT_BOARD_H
#define FC_AGENT_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/moment.h"
#include "core/event.h"
#include "haproxy/agent_request.h"
#include "steer/answer.h"

struct board;

struct board_line { const char *bytes; size_t length; };

/* NULL when out of memory. target_max: pools x servers; asker_max: distinct askers remembered (oldest are forgotten). */
struct board *board_new(size_t target_max, size_t asker_max);
void board_free(struct board *board);
/* An answer counts as given in time when the request had waited no longer than this (half of TokenCheckTimeoutMilliseconds). */
void board_prompt_limit(struct board *board, int64_t limit_ms);

/* Replaces what is said for pool/server. A new target is added; returns false when the board is full. */
bool board_show(struct board *board, const char *pool, const char *server, const struct answer *answer);
/* Only the term moves on: nothing is formatted again. False when the target is unknown. */
bool board_extend(struct board *board, const char *pool, const char *server, struct fc_time until);
void board_forget(struct board *board, const char *pool, const char *server);
/* Who is told when another node sends its hint to look now ("fc-looking" is answered). NULL: nobody. */
void board_on_look(struct board *board, void (*look)(void *owner), void *owner);
/* Who is asked when another node wants to know what this one sees of a server: writes at most SIGHT_ANSWER_SIZE bytes and returns how
 * many. NULL: it is told that nobody has looked. The question is a hint to look, too. */
typedef size_t board_sight(void *owner, const char *server, char *to);
void board_on_sight(struct board *board, board_sight *sight, void *owner);
/* Until when this node may say "fc-voice". */
void board_voice(struct board *board, struct fc_time until);

/* The line for this request at this moment; never NULL: an unknown target gets "fc-no-such-target # ...".
 * `source` = textual source address of the asker (remembered with its name).
 * The bytes are good until the next call of any function of the board. */
struct board_line board_line(struct board *board, const struct agent_request *request, const char *source,
                             struct fc_time now);
/* What would be said, to nobody: neither counted nor remembered. "" for an unknown target. */
struct board_line board_says(const struct board *board, const char *pool, const char *server, struct fc_time now);
/* The one line for a request that cannot be understood. */
struct board_line board_line_of_bad_request(struct board *board);

/* What is told to other nodes, and to the core: who asked for this server, the latest first. At most ASKED_ROWS_MAX. */
int board_asked(const struct board *board, const char *pool, const char *server, struct fc_time now,
                struct asked_row rows[ASKED_ROWS_MAX]);

/* What the dashboard reads: who asked what, when, and which epoch was given. */
struct board_asker {
    char name[64], source[64], pool[64], server[64];
    uint64_t epoch;              /* of the last answer given */
    struct fc_time at;           /* when */
    uint64_t asked_count;
};
/* The latest first. Only questions for targets of the board are remembered. */
size_t board_askers(const struct board *board, struct board_asker *to, size_t most);

/* answered: every line given, bad requests aside; the others name what kind of line it was. */
struct board_counters { uint64_t answered, late, unknown_target, bad_request, voice_given, voice_withheld; };
struct board_counters board_counters(const struct board *board);

#endif
