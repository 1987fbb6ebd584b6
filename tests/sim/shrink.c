/* Delta debugging over the lines of a script. */
#include "sim/shrink.h"

#include <string.h>

#include "sim/world.h"

#define RUNS_MAX 4000

struct shrinking {
    struct world *world;
    struct run_options options;
    const char *rule;
    int runs;
};

static struct tally tally;           /* of no interest here */
static struct script candidate;

static bool breaks_the_same(struct shrinking *s, const struct script *script)
{
    struct run_options options = s->options;
    options.script = script;
    s->runs++;
    return !world_run(s->world, &options, &tally) && s->world->broken_rule == s->rule;
}

/* Without `count` lines from `from` on. */
static void leave_out(const struct script *whole, int from, int count, struct script *ret)
{
    *ret = *whole;
    memmove(&ret->lines[from], &ret->lines[from + count], sizeof ret->lines[0] * (size_t)(whole->count - from - count));
    ret->count = whole->count - count;
}

static bool is_heal(const struct script *script, int line) { return script->lines[line].fault.kind == FAULT_HEAL; }

static bool leave_out_some(struct shrinking *s, struct script *script, int chunk)
{
    bool any = false;
    for (int from = 0; from < script->count && s->runs < RUNS_MAX;) {
        const int count = from + chunk <= script->count ? chunk : script->count - from;
        leave_out(script, from, count, &candidate);
        if (!(count == 1 && is_heal(script, from)) && breaks_the_same(s, &candidate)) {
            *script = candidate;
            any = true;
        } else {
            from += count;
        }
    }
    return any;
}

/* Half as long, as often as it still breaks. */
static void shorten(struct shrinking *s, struct script *script)
{
    for (int i = 0; i < script->count; i++) {
        for (int turn = 0; turn < 6 && script->lines[i].fault.for_us > 20000 && s->runs < RUNS_MAX; turn++) {
            candidate = *script;
            candidate.lines[i].fault.for_us /= 2;
            if (!breaks_the_same(s, &candidate))
                break;
            *script = candidate;
        }
    }
}

bool shrink(struct world *world, const struct run_options *options, struct script *ret, int *runs)
{
    struct shrinking s = { .world = world, .options = *options };
    s.options.is_told = s.options.is_printed = false;
    s.runs = 1;
    if (world_run(world, &s.options, &tally)) {
        *runs = s.runs;
        return false;
    }
    s.rule = world->broken_rule;
    s.options.node_count = world->node_count;
    *ret = world->script;
    candidate = *ret;
    for (int chunk = ret->count; chunk > 0; chunk = chunk == 1 ? 0 : (chunk + 1) / 2)
        leave_out_some(&s, ret, chunk);
    while (s.runs < RUNS_MAX && leave_out_some(&s, ret, 1))
        continue;
    shorten(&s, ret);
    *runs = s.runs;
    return true;
}
