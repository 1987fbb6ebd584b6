/* Words and small predicates over what a probe saw. */
#include "model/look.h"

#include <string.h>

#include "base/text.h"

static const char *const loss_words[LOSS_COUNT] = {
    [LOSS_NONE] = "none",     [LOSS_ENDED] = "ended",   [LOSS_REFUSED] = "refused",
    [LOSS_SILENT] = "silent", [LOSS_DENIED] = "denied", [LOSS_BROKEN] = "broken",
};
static const char *const thread_words[] = {
    [THREAD_ABSENT] = "absent", [THREAD_STOPPED] = "stopped",
    [THREAD_CONNECTING] = "connecting", [THREAD_RUNNING] = "running",
};
static const char *const hold_words[HOLD_KIND_COUNT] = {
    [HOLD_NONE] = "none", [HOLD_MAINT] = "maint", [HOLD_DRAIN] = "drain", [HOLD_PAUSE] = "pause", [HOLD_PIN] = "pin",
};
static const char *const order_words[ORDER_STATE_COUNT] = {
    [ORDER_ASKED] = "asked", [ORDER_DONE] = "done", [ORDER_REFUSED] = "refused",
};

const char *loss_word(enum loss loss) { return (unsigned)loss < LOSS_COUNT ? loss_words[loss] : "unknown"; }

const char *thread_state_word(enum thread_state state)
{
    return (unsigned)state <= THREAD_RUNNING ? thread_words[state] : "unknown";
}

const char *hold_kind_word(enum hold_kind kind)
{
    return (unsigned)kind < HOLD_KIND_COUNT ? hold_words[kind] : "unknown";
}

int hold_compare(const struct hold *a, const struct hold *b)
{
    int order = (a->epoch > b->epoch) - (a->epoch < b->epoch);
    if (order == 0)
        order = (a->seq > b->seq) - (a->seq < b->seq);
    if (order == 0)
        order = (a->since_unix_ms > b->since_unix_ms) - (a->since_unix_ms < b->since_unix_ms);
    if (order == 0)
        order = strcmp(hold_kind_word(a->kind), hold_kind_word(b->kind));
    if (order == 0)
        order = strcmp(a->by, b->by);
    return order != 0 ? order : strcmp(a->why, b->why);
}

bool hold_kind_from_word(const char *word, enum hold_kind *ret)
{
    for (int i = 0; i < HOLD_KIND_COUNT; i++) {
        if (text_is(word, hold_words[i])) {
            *ret = (enum hold_kind)i;
            return true;
        }
    }
    return false;
}

const char *order_state_word(enum order_state state)
{
    return (unsigned)state < ORDER_STATE_COUNT ? order_words[state] : "unknown";
}

bool order_state_from_word(const char *word, enum order_state *ret)
{
    for (int i = 0; i < ORDER_STATE_COUNT; i++) {
        if (text_is(word, order_words[i])) {
            *ret = (enum order_state)i;
            return true;
        }
    }
    return false;
}

bool log_position_is_same(const struct log_position *a, const struct log_position *b)
{
    return a->offset == b->offset && text_is(a->file, b->file);
}

bool replica_is_drained(const struct replica_look *r)
{
    return r->is_configured && r->sql == THREAD_RUNNING && log_position_is_same(&r->read, &r->applied);
}
