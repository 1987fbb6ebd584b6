/* The answer board: every line is formatted when the verdict changes (board_show) and only pointed at when HAProxy asks.
 *
 * Targets and askers live in two fixed tables, each with an open-addressing index beside it: a question costs two hash
 * lookups and one comparison of the term, whatever the number of pools. Askers are kept in order of their last question;
 * when the table is full the one that has been quiet for longest makes room. Used from one thread: the loop's. */
#include "agent/doors/board.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/text.h"
#include "haproxy/agent_answer.h"
#include "haproxy/asked.h"
#include "haproxy/sight.h"

#define NOWHERE UINT32_MAX
#define ECHO_MAX 38            /* bytes of each unknown name that are said back: "fc-no-such-target # P/S" stays below 100 */

struct line { size_t length; char bytes[AGENT_LINE_SIZE]; };

struct target {
    char pool[64], server[64];
    bool is_used;
    struct fc_time until;
    uint64_t epoch;
    bool is_first;                       /* within the term HAProxy is told to use it */
    struct line within, late;
};

struct asker {
    TAILQ_ENTRY(asker) by_age;
    uint32_t hash;
    uint32_t target;
    char name[64], source[64];
    uint64_t epoch, asked_count;
    struct fc_time at;
    uint64_t prompt_epoch;               /* of the latest answers that were given in time, in a row */
    struct fc_time first_at;             /* when it was last told to use the server */
    struct fc_time prompt_at[2];         /* the latest, and the one before it */
};

TAILQ_HEAD(asker_queue, asker);

/* Linear probing, at most half full. A cell keeps the hash, so that moving cells never touches what they point at. */
struct cell { uint32_t hash, slot; };
struct lookup { struct cell *cells; size_t mask; };

struct board {
    struct target *targets;
    size_t target_max;
    struct lookup target_lookup;
    struct asker *askers;
    size_t asker_max;
    struct lookup asker_lookup;
    struct asker_queue quiet_first;      /* in use; the longest quiet one is first */
    struct asker_queue unused;
    struct fc_time voice_until;
    void (*look)(void *owner);
    void *look_owner;
    board_sight *sight;
    void *sight_owner;
    struct board_counters counters;
    int64_t prompt_limit_ms;
    char asked[ASKED_ANSWER_SIZE];       /* of the last question of another node; good until the next question */
    struct line unknown;                 /* of the last unknown target; good until the next question */
};

static const char voice_line[] = AGENT_VOICE_TOKEN " # within its term\n";
static const char mute_line[] = "fc-mute # no valid term\n";
static const char looking_line[] = "fc-looking\n";
static const char bad_line[] = "fc-bad-request # wanted: [asker ]pool/server or [asker ]voice\n";

/* ---- lookup ---- */

static uint32_t hash_text(uint32_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;      /* FNV-1a */
    return (hash ^ 0xffu) * 16777619u;                         /* so that "ab","c" is not "a","bc" */
}

static uint32_t target_hash(const char *pool, const char *server)
{
    return hash_text(hash_text(2166136261u, pool), server);
}

static uint32_t asker_hash(uint32_t target, const char *name, const char *source)
{
    return hash_text(hash_text((2166136261u ^ target) * 16777619u, name), source);
}

static bool lookup_init(struct lookup *lookup, size_t most)
{
    size_t size = 8;
    while (size < 2 * most)
        size *= 2;
    lookup->cells = malloc(size * sizeof *lookup->cells);
    if (lookup->cells == NULL)
        return false;
    for (size_t i = 0; i < size; i++)
        lookup->cells[i] = (struct cell){ 0, NOWHERE };
    lookup->mask = size - 1;
    return true;
}

static void lookup_put(struct lookup *lookup, uint32_t hash, uint32_t slot)
{
    size_t at = hash & lookup->mask;
    while (lookup->cells[at].slot != NOWHERE)
        at = (at + 1) & lookup->mask;
    lookup->cells[at] = (struct cell){ hash, slot };
}

/* Takes the cell out and moves later ones of the same run back, so that no run is ever cut by a hole. */
static void lookup_drop(struct lookup *lookup, uint32_t hash, uint32_t slot)
{
    size_t hole = hash & lookup->mask;
    while (lookup->cells[hole].slot != slot) {
        assert(lookup->cells[hole].slot != NOWHERE);
        hole = (hole + 1) & lookup->mask;
    }
    for (size_t next = (hole + 1) & lookup->mask; lookup->cells[next].slot != NOWHERE; next = (next + 1) & lookup->mask) {
        const size_t home = lookup->cells[next].hash & lookup->mask;
        if (((next - home) & lookup->mask) >= ((next - hole) & lookup->mask)) {
            lookup->cells[hole] = lookup->cells[next];
            hole = next;
        }
    }
    lookup->cells[hole].slot = NOWHERE;
}

static struct target *target_find(const struct board *board, const char *pool, const char *server)
{
    const struct lookup *lookup = &board->target_lookup;
    const uint32_t hash = target_hash(pool, server);
    for (size_t at = hash & lookup->mask; lookup->cells[at].slot != NOWHERE; at = (at + 1) & lookup->mask) {
        struct target *target = &board->targets[lookup->cells[at].slot];
        if (lookup->cells[at].hash == hash && strcmp(target->server, server) == 0 && strcmp(target->pool, pool) == 0)
            return target;
    }
    return NULL;
}

static uint32_t target_slot(const struct board *board, const struct target *target)
{
    return (uint32_t)(target - board->targets);
}

/* ---- life ---- */

struct board *board_new(size_t target_max, size_t asker_max)
{
    assert(target_max < NOWHERE / 4 && asker_max < NOWHERE / 4);
    struct board *board = calloc(1, sizeof *board);
    if (board == NULL)
        return NULL;
    TAILQ_INIT(&board->quiet_first);
    TAILQ_INIT(&board->unused);
    board->voice_until = FC_EVER;
    board->target_max = target_max;
    board->asker_max = asker_max;
    board->targets = calloc(target_max + 1, sizeof *board->targets);
    board->askers = calloc(asker_max + 1, sizeof *board->askers);
    if (board->targets == NULL || board->askers == NULL || !lookup_init(&board->target_lookup, target_max) ||
        !lookup_init(&board->asker_lookup, asker_max)) {
        board_free(board);
        return NULL;
    }
    for (size_t i = 0; i < asker_max; i++)
        TAILQ_INSERT_TAIL(&board->unused, &board->askers[i], by_age);
    return board;
}

void board_free(struct board *board)
{
    if (board == NULL)
        return;
    free(board->targets);
    free(board->target_lookup.cells);
    free(board->askers);
    free(board->asker_lookup.cells);
    free(board);
}

void board_prompt_limit(struct board *board, int64_t limit_ms)
{
    board->prompt_limit_ms = limit_ms;
}

/* ---- what the daemon writes ---- */

static struct target *target_add(struct board *board, const char *pool, const char *server)
{
    for (size_t i = 0; i < board->target_max; i++) {
        struct target *target = &board->targets[i];
        if (target->is_used)
            continue;
        *target = (struct target){ .is_used = true };
        if (!TEXT_SET(target->pool, pool) || !TEXT_SET(target->server, server)) {
            target->is_used = false;     /* nobody could ask for a name that was cut */
            return NULL;
        }
        lookup_put(&board->target_lookup, target_hash(pool, server), (uint32_t)i);
        return target;
    }
    return NULL;
}

bool board_show(struct board *board, const char *pool, const char *server, const struct answer *answer)
{
    struct target *target = target_find(board, pool, server);
    if (target == NULL)
        target = target_add(board, pool, server);
    if (target == NULL)
        return false;
    target->within.length = agent_answer_format(answer, 0, target->within.bytes);
    target->late.length = agent_answer_format(answer, 1, target->late.bytes);
    assert(target->within.length < AGENT_LINE_SIZE && target->late.length < AGENT_LINE_SIZE);
    target->until = answer->until;
    target->epoch = answer->epoch;
    target->is_first = answer->voice == VOICE_FIRST || answer->keeps_token;
    return true;
}

bool board_extend(struct board *board, const char *pool, const char *server, struct fc_time until)
{
    struct target *target = target_find(board, pool, server);
    if (target == NULL)
        return false;
    target->until = until;
    return true;
}

static void asker_drop(struct board *board, struct asker *asker)
{
    lookup_drop(&board->asker_lookup, asker->hash, (uint32_t)(asker - board->askers));
    TAILQ_REMOVE(&board->quiet_first, asker, by_age);
    TAILQ_INSERT_HEAD(&board->unused, asker, by_age);
}

void board_forget(struct board *board, const char *pool, const char *server)
{
    struct target *target = target_find(board, pool, server);
    if (target == NULL)
        return;
    const uint32_t slot = target_slot(board, target);
    /* Who asked for it goes too: the slot may soon stand for another target. */
    for (struct asker *asker = TAILQ_FIRST(&board->quiet_first), *next; asker != NULL; asker = next) {
        next = TAILQ_NEXT(asker, by_age);
        if (asker->target == slot)
            asker_drop(board, asker);
    }
    lookup_drop(&board->target_lookup, target_hash(pool, server), slot);
    target->is_used = false;
}

void board_on_look(struct board *board, void (*look)(void *owner), void *owner)
{
    board->look = look;
    board->look_owner = owner;
}

void board_on_sight(struct board *board, board_sight *sight, void *owner)
{
    board->sight = sight;
    board->sight_owner = owner;
}

void board_voice(struct board *board, struct fc_time until)
{
    board->voice_until = until;
}

/* ---- what HAProxy hears ---- */

static struct asker *asker_find(const struct board *board, uint32_t hash, uint32_t target, const char *name,
                                const char *source)
{
    const struct lookup *lookup = &board->asker_lookup;
    for (size_t at = hash & lookup->mask; lookup->cells[at].slot != NOWHERE; at = (at + 1) & lookup->mask) {
        struct asker *asker = &board->askers[lookup->cells[at].slot];
        if (lookup->cells[at].hash == hash && asker->target == target && strcmp(asker->name, name) == 0 &&
            strcmp(asker->source, source) == 0)
            return asker;
    }
    return NULL;
}

static struct asker *asker_add(struct board *board, uint32_t hash, uint32_t target, const char *name, const char *source)
{
    if (TAILQ_EMPTY(&board->unused) && !TAILQ_EMPTY(&board->quiet_first))
        asker_drop(board, TAILQ_FIRST(&board->quiet_first));
    struct asker *asker = TAILQ_FIRST(&board->unused);
    if (asker == NULL)
        return NULL;
    TAILQ_REMOVE(&board->unused, asker, by_age);
    TAILQ_INSERT_TAIL(&board->quiet_first, asker, by_age);
    TEXT_SET(asker->name, name);
    TEXT_SET(asker->source, source);
    asker->hash = hash;
    asker->target = target;
    asker->asked_count = asker->prompt_epoch = 0;
    asker->first_at = asker->prompt_at[0] = asker->prompt_at[1] = FC_EVER;
    lookup_put(&board->asker_lookup, hash, (uint32_t)(asker - board->askers));
    return asker;
}

static bool is_late(const struct target *target, struct fc_time now)
{
    return fc_reached(target->until, now) && !fc_is_never(target->until);
}

static void remember_in_time(struct asker *asker, uint64_t epoch, struct fc_time now)
{
    asker->prompt_at[1] = asker->prompt_epoch == epoch ? asker->prompt_at[0] : FC_EVER;
    asker->prompt_at[0] = now;
    asker->prompt_epoch = epoch;
}

static void remember(struct board *board, const struct target *target, const char *name, const char *source,
                     int64_t waited_ms, struct fc_time now)
{
    const uint32_t slot = target_slot(board, target);
    const uint32_t hash = asker_hash(slot, name, source);
    struct asker *asker = asker_find(board, hash, slot, name, source);
    if (asker == NULL)
        asker = asker_add(board, hash, slot, name, source);
    if (asker == NULL)
        return;
    TAILQ_REMOVE(&board->quiet_first, asker, by_age);
    TAILQ_INSERT_TAIL(&board->quiet_first, asker, by_age);
    asker->epoch = target->epoch;
    asker->at = now;
    asker->asked_count++;
    if (target->is_first && !is_late(target, now))
        asker->first_at = now;
    if (waited_ms >= 0 && waited_ms <= board->prompt_limit_ms)
        remember_in_time(asker, target->epoch, now);
    else
        asker->prompt_at[0] = asker->prompt_at[1] = FC_EVER;
}

static struct board_line line_at(const struct target *target, struct fc_time now)
{
    const struct line *line = is_late(target, now) ? &target->late : &target->within;
    return (struct board_line){ line->bytes, line->length };
}

static struct board_line line_of(struct board *board, const struct target *target, const char *name, const char *source,
                                 int64_t waited_ms, struct fc_time now)
{
    board->counters.late += is_late(target, now);
    remember(board, target, name, source, waited_ms, now);
    return line_at(target, now);
}

/* A name that holds one of our tokens is not said back: a check that expects the token would be satisfied by its echo. */
static struct board_line unknown_line(struct board *board, const char *pool, const char *server)
{
    char name[2 * ECHO_MAX + 2];
    struct line *line = &board->unknown;
    TEXT_FORMAT(name, "%.*s/%.*s", ECHO_MAX, pool, ECHO_MAX, server);
    text_make_plain(name);
    const bool is_echoed = strstr(name, AGENT_TOKEN) == NULL && strstr(name, AGENT_VOICE_TOKEN) == NULL;
    TEXT_FORMAT(line->bytes, "fc-no-such-target # %s\n", is_echoed ? name : "(not repeated)");
    line->length = strlen(line->bytes);
    board->counters.unknown_target++;
    return (struct board_line){ line->bytes, line->length };
}

static struct board_line voice_or_mute(struct board *board, struct fc_time now)
{
    if (fc_before(now, board->voice_until)) {
        board->counters.voice_given++;
        return (struct board_line){ voice_line, sizeof voice_line - 1 };
    }
    board->counters.voice_withheld++;
    return (struct board_line){ mute_line, sizeof mute_line - 1 };
}

static struct board_line asked_line(struct board *board, const struct agent_request *request, struct fc_time now)
{
    struct asked_row rows[ASKED_ROWS_MAX];
    const int count = board_asked(board, request->pool, request->server, now, rows);
    return (struct board_line){ board->asked, asked_format(rows, count, board->asked, sizeof board->asked) };
}

static struct board_line sight_line(struct board *board, const char *server)
{
    const size_t length = board->sight == NULL ? sight_format(LOSS_NONE, -1, board->asked)
                                               : board->sight(board->sight_owner, server, board->asked);
    if (board->look != NULL)
        board->look(board->look_owner);
    return (struct board_line){ board->asked, length };
}

struct board_line board_line(struct board *board, const struct agent_request *request, const char *source,
                             struct fc_time now)
{
    board->counters.answered++;
    if (request->is_voice)
        return voice_or_mute(board, now);
    if (request->is_look) {
        if (board->look != NULL)
            board->look(board->look_owner);
        return (struct board_line){ looking_line, sizeof looking_line - 1 };
    }
    const struct target *target = target_find(board, request->pool, request->server);
    if (target == NULL)
        return unknown_line(board, request->pool, request->server);
    if (request->is_for_askers)
        return asked_line(board, request, now);
    if (request->is_for_sight)
        return sight_line(board, request->server);
    return line_of(board, target, request->asker, source, request->waited_ms, now);
}

struct board_line board_says(const struct board *board, const char *pool, const char *server, struct fc_time now)
{
    const struct target *target = target_find(board, pool, server);
    return target == NULL ? (struct board_line){ "", 0 } : line_at(target, now);
}

struct board_line board_line_of_bad_request(struct board *board)
{
    board->counters.bad_request++;
    return (struct board_line){ bad_line, sizeof bad_line - 1 };
}

/* ---- what other nodes and the dashboard read ---- */

static int64_t age_ms(struct fc_time then, struct fc_time now)
{
    return fc_is_ever(then) ? -1 : fc_before(now, then) ? 0 : fc_span_ms(fc_since(then, now));
}

int board_asked(const struct board *board, const char *pool, const char *server, struct fc_time now,
                struct asked_row rows[ASKED_ROWS_MAX])
{
    const struct target *target = target_find(board, pool, server);
    const struct asker *asker;
    int count = 0;
    if (target == NULL)
        return 0;
    const uint32_t slot = target_slot(board, target);
    TAILQ_FOREACH_REVERSE(asker, &board->quiet_first, asker_queue, by_age) {
        if (asker->target != slot)
            continue;
        if (count == ASKED_ROWS_MAX)
            break;
        struct asked_row *row = &rows[count++];
        *row = (struct asked_row){ .epoch = asker->prompt_epoch, .age_ms = age_ms(asker->at, now),
                                   .first_age_ms = age_ms(asker->first_at, now),
                                   .prompt_age_ms = { age_ms(asker->prompt_at[0], now), age_ms(asker->prompt_at[1], now) } };
        TEXT_SET(row->name, asker->name);
        TEXT_SET(row->source, asker->source);
    }
    return count;
}

size_t board_askers(const struct board *board, struct board_asker *to, size_t most)
{
    size_t count = 0;
    const struct asker *asker;
    TAILQ_FOREACH_REVERSE(asker, &board->quiet_first, asker_queue, by_age) {
        if (count == most)
            break;
        struct board_asker *row = &to[count++];
        *row = (struct board_asker){ .epoch = asker->epoch, .at = asker->at, .asked_count = asker->asked_count };
        TEXT_SET(row->name, asker->name);
        TEXT_SET(row->source, asker->source);
        TEXT_SET(row->pool, board->targets[asker->target].pool);
        TEXT_SET(row->server, board->targets[asker->target].server);
    }
    return count;
}

struct board_counters board_counters(const struct board *board)
{
    return board->counters;
}
