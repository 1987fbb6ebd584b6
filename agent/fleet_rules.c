/* One list of words is under way at a time, so that a slow store is not told the same thing twice. */
#include "agent/fleet_rules.h"

#include <stdlib.h>

#include "backends/fleet/fleet_say.h"

/* Of a server that answers nothing any more the rule ends. Neutral is what a server without a row is: it is said only to take back another. */
static bool is_due(const struct watch *w, member_id id, struct fc_span rule_life, struct fc_time now)
{
    const struct member *m = topology_member(&w->topology, id);
    const struct classification *own = m->kind == MEMBER_KNOWN && m->is_seen ? classification_of(&w->classifications, id) : NULL;
    const struct instance_key key = topology_key(&w->topology, id);
    if (own == NULL || !own->has_rule)
        return false;
    const struct override *said = overrides_of(&w->overrides, &key);
    if (override_rule(said, now) != own->rule)
        return true;
    return own->rule != PROMOTION_NEUTRAL && fc_span_ms(fc_since(now, said->rule_until)) < fc_span_ms(rule_life) / 4 * 3;
}

static bool add_word(struct fleet_word_list *list, const struct watch *w, member_id id, int64_t unix_s)
{
    const struct fleet_said said = { .key = topology_key(&w->topology, id), .at = unix_s };
    struct fleet_word *word = fleet_word_list_place(list);
    if (word == NULL || fleet_say_rule(&said, classification_of(&w->classifications, id)->rule, word, NULL) != FC_OK)
        return false;
    list->count++;
    return true;
}

void fleet_rules_second(struct fleet_rules *rules, struct fleet_words *words, const struct watch *w, struct fc_span rule_life,
                        struct fc_time now, int64_t unix_s)
{
    struct fleet_word_list list = { 0 };
    const uint32_t all = w->topology.count;
    if (rules->is_being_said || w->is_recalling || !fc_reached(rules->rest_until, now))
        return;
    for (uint32_t i = 0; i < FLEET_RULES_SLICE && i < all && list.count < FLEET_RULES_AT_ONCE; i++) {
        const member_id id = rules->next < all ? rules->next : 0;
        rules->next = id + 1;
        if (is_due(w, id, rule_life, now) && !add_word(&list, w, id, unix_s))
            break;
    }
    if (list.count == 0)
        free(list.list);
    else if (fleet_words_say_list(words, FLEET_RULES_TICKET, &list, "", NULL) == FC_OK)
        rules->is_being_said = true;
}

void fleet_rules_said(struct fleet_rules *rules, enum fc_code code, struct fc_time now)
{
    rules->is_being_said = false;
    if (code != FC_OK)
        rules->rest_until = fc_plus(now, fc_ms(FLEET_RULES_REST_MS));
}
