/* The promotion rule that a server answers (DetectPromotionRuleQuery), as a word of the store like an operator's: other nodes and tools read it
 * in candidate_database_instance. Said by the leader, when it is another one than stands there, and again long before it ends. */
#ifndef FC_AGENT_FLEET_RULES_H
#define FC_AGENT_FLEET_RULES_H

#include "agent/fleet_words.h"
#include "watch/watch.h"

#define FLEET_RULES_SLICE 500          /* servers that are gone over in one second */
#define FLEET_RULES_AT_ONCE 100        /* words of one second */
#define FLEET_RULES_REST_MS 10000      /* after words that the store did not take */
#define FLEET_RULES_TICKET UINT64_MAX

struct fleet_rules {                   /* begin with zeros */
    member_id next;
    bool is_being_said;
    struct fc_time rest_until;
};

/* Once a second. */
void fleet_rules_second(struct fleet_rules *rules, struct fleet_words *words, const struct watch *watch, struct fc_span rule_life,
                        struct fc_time now, int64_t unix_s);
/* Words under FLEET_RULES_TICKET have ended. */
void fleet_rules_said(struct fleet_rules *rules, enum fc_code code, struct fc_time now);

#endif
