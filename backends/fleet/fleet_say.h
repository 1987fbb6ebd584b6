/* Words of operators and tools, checked and ready for STORE_WORD (backends/store.h). Each names whom it is said of, and when: of two
 * the newer one stays. FC_BAD_INPUT with one sentence when it cannot be kept; then nothing is said.
 *
 * What is taken back needs its key and the moment alone; the rest may be NULL. */
#ifndef FC_BACKENDS_FLEET_SAY_H
#define FC_BACKENDS_FLEET_SAY_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/fleet/fleet_row.h"
#include "model/instance.h"
#include "model/overrides.h"

struct fleet_said {
    bool takes_back;
    int64_t at, until;               /* seconds since 1970; until 0: it has no end */
    struct instance_key key;         /* of words about servers */
    const char *owner, *reason;
};

/* Look at this server; taken back: forget it. */
enum fc_code fleet_say_server(const struct fleet_said *said, struct fleet_word *ret, struct fc_err *err);
enum fc_code fleet_say_downtime(const struct fleet_said *said, struct fleet_word *ret, struct fc_err *err);
/* `number`: of fleet_new_number(); 31 bits of it become the row's. `node`, `token`: ours, as in node_health. */
enum fc_code fleet_say_maintenance(const struct fleet_said *said, uint64_t number, const char *node, const char *token, struct fleet_word *ret,
                                   struct fc_err *err);
enum fc_code fleet_say_rule(const struct fleet_said *said, enum promotion_rule rule, struct fleet_word *ret, struct fc_err *err);
enum fc_code fleet_say_tag(const struct fleet_said *said, const char *name, const char *value, struct fleet_word *ret, struct fc_err *err);
enum fc_code fleet_say_pool(const struct fleet_said *said, const char *pool, struct fleet_word *ret, struct fc_err *err);
/* Of clusters and names; `key` is not used. */
enum fc_code fleet_say_alias(const struct fleet_said *said, const char *cluster, const char *alias, struct fleet_word *ret, struct fc_err *err);
enum fc_code fleet_say_unresolve(const struct fleet_said *said, const char *host, const char *name, struct fleet_word *ret,
                                 struct fc_err *err);
/* A person has seen a recovery: a row of topology_recovery as it was read. Where it was active it is so no more. `owner`: who; `reason`: the comment. */
enum fc_code fleet_say_seen(const struct fleet_said *said, const struct fleet_row *recovery, struct fleet_word *ret, struct fc_err *err);
/* Recoveries are off for everybody. */
enum fc_code fleet_say_no_recoveries(const struct fleet_said *said, struct fleet_word *ret, struct fc_err *err);

#endif
