/* The names of events, deeds and effects, from their tables. */
#include "core/effect.h"
#include "core/event.h"

#include <string.h>

static const char *const event_words[EVENT_TYPE_COUNT] = {
#define X(name, meaning) [name] = #name,
    EVENT_TABLE(X)
#undef X
};
static const char *const effect_words[EFFECT_TYPE_COUNT] = {
#define X(name, meaning) [name] = #name,
    EFFECT_TABLE(X)
#undef X
};
static const char *const deed_words[DEED_COUNT] = {
    [DEED_NONE] = "none", [DEED_INTEND] = "intend", [DEED_FENCE] = "fence", [DEED_CATCH_UP] = "catch-up",
    [DEED_SEAT] = "seat", [DEED_OPEN] = "open", [DEED_HOLD] = "hold", [DEED_ORDER] = "order",
    [DEED_GIVE_BACK] = "give-back", [DEED_MEMBERS] = "members", [DEED_PREPARE] = "prepare", [DEED_PUSH] = "push", [DEED_ALONE] = "alone", [DEED_RESUME] = "resume",
};

const char *event_type_word(enum event_type type)
{
    return (unsigned)type < EVENT_TYPE_COUNT ? event_words[type] : "unknown";
}

const char *effect_type_word(enum effect_type type)
{
    return (unsigned)type < EFFECT_TYPE_COUNT ? effect_words[type] : "unknown";
}

const char *deed_word(enum deed deed)
{
    return (unsigned)deed < DEED_COUNT ? deed_words[deed] : "unknown";
}

void effects_clear(struct effects *effects)
{
    effects->count = 0;
    effects->dropped = 0;
}

struct effect *effects_add(struct effects *effects, enum effect_type type)
{
    if (effects->count == EFFECTS_MAX) {
        effects->dropped++;
        effects->count--;
    }
    struct effect *effect = &effects->list[effects->count++];
    memset(effect, 0, sizeof *effect);
    effect->type = type;
    effect->server = -1;
    effect->until = FC_NEVER;
    return effect;
}
