/* What operators, tools and recoveries have said about single servers, beside what is seen of them: downtime, maintenance, the
 * promotion rule, tags. By key, because it is there before the server is seen and stays when it is forgotten.
 *
 * Rows are few (people and tools write them), sorted by host and port; asking is a binary search. Words come as an operator gives
 * them and are checked here. Moments are of the loop's clock; who stores them converts. */
#ifndef FC_MODEL_OVERRIDES_H
#define FC_MODEL_OVERRIDES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/moment.h"
#include "base/room.h"
#include "model/instance.h"
#include "model/names.h"

#define OVERRIDES_MAX 65536u          /* servers with any */
#define TAGS_MAX 64                   /* of one server */
#define OVERRIDE_TEXT_MAX 1000        /* bytes of a reason or a tag's value; owners and tag names: 128 */
/* Reason of a downtime that a recovery sets on the master that it lost. */
#define DOWNTIME_LOST_IN_RECOVERY "lost-in-recovery"

/* In the order of preference; "must" is read from rows of older tools and taken from nobody. */
enum promotion_rule { PROMOTION_MUST = 0, PROMOTION_PREFER, PROMOTION_NEUTRAL, PROMOTION_PREFER_NOT, PROMOTION_MUST_NOT,
                      PROMOTION_RULE_COUNT };

struct bounded_word {                 /* a downtime or a maintenance */
    bool is_set;
    name_id owner, reason;
    struct fc_time begin, end;        /* end FC_NEVER: until it is ended */
};

struct tag { name_id name, value; };

struct override {
    name_id host;
    uint16_t port;
    struct bounded_word downtime, maintenance;
    bool has_rule;
    enum promotion_rule rule;
    struct fc_time rule_since, rule_until;        /* it was last said, and CandidateInstanceExpireMinutes after it */
    uint16_t tag_count, tag_room;
    struct tag *tags;                 /* sorted by name */
};

struct overrides {
    struct room *room;
    struct names *names;              /* borrowed: the topology's */
    struct override *list;
    uint32_t count, capacity;
};

void overrides_init(struct overrides *overrides, struct room *room, struct names *names);
void overrides_done(struct overrides *overrides);      /* before the names */

/* NULL: nothing was said of this server. */
const struct override *overrides_of(const struct overrides *overrides, const struct instance_key *key);
bool override_is_downtimed(const struct override *override, struct fc_time now);          /* override may be NULL */
bool override_is_in_maintenance(const struct override *override, struct fc_time now);
enum promotion_rule override_rule(const struct override *override, struct fc_time now);   /* neutral when nothing was said */
/* Prefer, or must. */
bool promotion_rule_is_candidate(enum promotion_rule rule);

/* A downtime replaces the one before. Maintenance is a lock: FC_BUSY while another owner's holds. An end that is not later than
 * `begin`, an empty owner or reason, or one that is too long: FC_BAD_INPUT. Nothing changes unless FC_OK. */
enum fc_code overrides_begin_downtime(struct overrides *overrides, const struct instance_key *key, const char *owner,
                                      const char *reason, struct fc_time begin, struct fc_time end, struct fc_err *err);
enum fc_code overrides_end_downtime(struct overrides *overrides, const struct instance_key *key, struct fc_err *err);
enum fc_code overrides_begin_maintenance(struct overrides *overrides, const struct instance_key *key, const char *owner,
                                         const char *reason, struct fc_time begin, struct fc_time end, struct fc_err *err);
enum fc_code overrides_end_maintenance(struct overrides *overrides, const struct instance_key *key, struct fc_err *err);
enum fc_code overrides_set_rule(struct overrides *overrides, const struct instance_key *key, enum promotion_rule rule,
                                struct fc_time since, struct fc_time until, struct fc_err *err);
/* 1 to 128 bytes without '=' and control bytes, and no blank at its ends: what is stored can be shown in one line and asked for again. */
bool tag_name_is_good(const char *name);
/* Sets or replaces. */
enum fc_code overrides_tag(struct overrides *overrides, const struct instance_key *key, const char *name, const char *value,
                           struct fc_err *err);
enum fc_code overrides_untag(struct overrides *overrides, const struct instance_key *key, const char *name, struct fc_err *err);
/* The value; NULL: no such tag. */
const char *override_tag(const struct overrides *overrides, const struct override *override, const char *name);

/* Takes out what has ended, and tells whose (`told` may be NULL). The earliest end that is still to come; FC_NEVER: none. */
struct fc_time overrides_expire(struct overrides *overrides, struct fc_time now, void (*told)(void *asker, struct instance_key key),
                                void *asker);

const char *promotion_rule_word(enum promotion_rule rule);
/* As operators say it: prefer, neutral, prefer_not, must_not. `from_row`: "must" as well. */
enum fc_code promotion_rule_parse(const char *word, bool from_row, enum promotion_rule *ret, struct fc_err *err);

#endif
