/* What can be explained, by name, and the one kind of subject that steering does not know: what an HAProxy really does. */
#ifndef FC_CORE_EXPLAIN_H
#define FC_CORE_EXPLAIN_H

#include "core/core.h"
#include "steer/explain.h"

/* The leadership, each pool with its servers, each HAProxy. */
#define EXPLAIN_SUBJECTS_MAX (1 + STEER_POOLS_MAX * (1 + STEER_MEMBERS_MAX) + PROXIES_MAX)

struct explain_subject { enum explain_kind kind; int pool, member, proxy; };

/* Which subjects `explain` or `plan` asks for: nothing named = the leadership, every chair, every HAProxy; a pool = itself and
 * its servers. FC_NOT_FOUND with the names that there are. Returns their count in *count. */
enum fc_code core_explain_subjects(const struct core *core, const struct order *order,
                                   struct explain_subject list[EXPLAIN_SUBJECTS_MAX], int *count, struct fc_err *err);
/* One of them, as of `now`. `order` is the asker's, `by` and may_change as at its door. */
void core_explain(const struct core *core, struct fc_time now, int64_t unix_ms, const struct explain_subject *subject,
                  const struct order *order, const char *by, bool may_change, struct explain_room *room, struct explanation *ret);

#endif
