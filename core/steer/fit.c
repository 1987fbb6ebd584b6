/* May this server be seated by order? First what no order waives, then the rules that `force` waives, each a row: a word for records
 * and answers, when it stands against a server, and a sentence that says how to mend it. */
#include "steer/steering.h"

#include <string.h>

#include "base/text.h"

#define ALL_THE_SAME "; `force` seats it all the same"

/* ---- what force waives -------------------------------------------------------------------------------------------- */

static bool has_no_master(const struct steer_stage *stage, int server)
{
    return !stage->servers->list[server].look.replica.is_configured;
}

static bool does_not_apply(const struct steer_stage *stage, int server)
{
    const struct replica_look *replica = &stage->servers->list[server].look.replica;
    return replica->is_configured && replica->sql != THREAD_RUNNING;
}

static bool is_far_behind(const struct steer_stage *stage, int server)
{
    return stage->servers->list[server].look.replica.lag_ms > (int64_t)stage->config->max_seat_lag_seconds * 1000;
}

static bool lacks_a_need(const struct steer_stage *stage, int server) { return needs_refusal(stage->needs, server) >= 0; }
static bool is_unknown_to_a_proxy(const struct steer_stage *stage, int server) { return stage->unknown_to[server] != NULL; }

static void say_no_master(const struct steer_stage *stage, int server, char *to, size_t size)
{
    text_format(to, size, "%s replicates from nobody" ALL_THE_SAME " and loses what it lacks", stage->servers->list[server].name);
}

static void say_not_applying(const struct steer_stage *stage, int server, char *to, size_t size)
{
    const struct server_state *s = &stage->servers->list[server];
    text_format(to, size, "%s does not apply (%s)" ALL_THE_SAME, s->name,
                s->look.replica.error[0] != '\0' ? s->look.replica.error : "its SQL thread is stopped");
}

static void say_far_behind(const struct steer_stage *stage, int server, char *to, size_t size)
{
    const struct server_state *s = &stage->servers->list[server];
    text_format(to, size, "%s is %lld s behind, MaxSeatLagSeconds is %d" ALL_THE_SAME, s->name,
                (long long)(s->look.replica.lag_ms / 1000), stage->config->max_seat_lag_seconds);
}

static void say_need(const struct steer_stage *stage, int server, char *to, size_t size)
{
    char sentence[NEED_TEXT_SIZE];
    need_sentence(stage->needs, stage->servers, server, (size_t)needs_refusal(stage->needs, server), sentence, sizeof sentence);
    text_format(to, size, "%s" ALL_THE_SAME, sentence);
}

static void say_unknown(const struct steer_stage *stage, int server, char *to, size_t size)
{
    const char *name = stage->servers->list[server].name;
    text_format(to, size, "the HAProxy %s does not know %s, its clients would find nobody: print its file again and reload it; `force` seats "
                "%s all the same", stage->unknown_to[server], name, name);
}

const struct waivable_rule waivable_rules[WAIVABLE_RULE_COUNT] = {
    [RULE_NO_MASTER]    = { "no-master", has_no_master, say_no_master, "it replicates from nobody" },
    [RULE_NOT_APPLYING] = { "not-applying", does_not_apply, say_not_applying, "its SQL thread is stopped" },
    [RULE_FAR_BEHIND]   = { "far-behind", is_far_behind, say_far_behind, "it is further behind than MaxSeatLagSeconds" },
    [RULE_NEED]         = { "need", lacks_a_need, say_need, "it misses a need of severity `refuse`" },
    [RULE_UNKNOWN]      = { "unknown-to-haproxy", is_unknown_to_a_proxy, say_unknown, "an HAProxy in sight does not know it" },
};

unsigned steer_waived(const struct steer_stage *stage, int server)
{
    unsigned waived = 0;
    for (int i = 0; i < WAIVABLE_RULE_COUNT; i++)
        waived |= waivable_rules[i].stands(stage, server) ? 1u << i : 0;
    return waived;
}

void steer_waived_words(unsigned waived, char *to, size_t size)
{
    size_t used = 0;
    to[0] = '\0';
    for (int i = 0; i < WAIVABLE_RULE_COUNT && used < size; i++) {
        if ((waived >> i & 1) == 0)
            continue;
        text_format(to + used, size - used, "%s%s", used > 0 ? ", " : "", waivable_rules[i].word);
        used += strlen(to + used);
    }
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

enum fc_code steer_may_seat(const struct steering *st, const struct steer_stage *stage, int server, bool is_forced,
                            struct fc_err *err)
{
    const struct server_state *s = &stage->servers->list[server];
    const struct hold *hold = steer_hold_on(st, s->name);
    char sentence[sizeof ((struct fc_err *)0)->text];
    if (hold != NULL)
        return fc_fail(err, FC_REFUSED, "%s is in %s by %s; `ready %s/%s` ends that", s->name, hold_kind_word(hold->kind),
                       hold->by, hold->pool, s->name);
    const struct hold *coming = steer_hold_coming(st, s->name);
    if (coming != NULL)
        return fc_fail(err, FC_BUSY, "%s for %s by %s is being stored; ask again", hold_kind_word(coming->kind), s->name, coming->by);
    if (!s->is_reachable)
        return fc_fail(err, FC_REFUSED, "%s does not answer (%s)", s->name, loss_word(s->loss));
    if (!s->look.has_schema)
        return fc_fail(err, FC_REFUSED, "%s does not have firstchair's tables yet", s->name);
    for (int i = 0; !is_forced && i < WAIVABLE_RULE_COUNT; i++) {
        if (!waivable_rules[i].stands(stage, server))
            continue;
        waivable_rules[i].say(stage, server, sentence, sizeof sentence);
        return fc_fail(err, FC_REFUSED, "%s", sentence);
    }
    return FC_OK;
}
