/* Explanations as JSON, for the order socket and HTTP:
 *
 *   {"node","time_unix_ms","explanations":[{"kind","subject","verdict","code","since","since_unix_ms","rule","because",
 *     "inputs":[{"name","value","age_ms"}],"instead":[{"what","why_not"}],"changes":[text],
 *     "steps":[{"step","state","failure"}],"is_cut"}]}
 *
 * kind: leader, chair, answer, haproxy, order, plan. code: what an order would be answered with at once; "ok" elsewhere.
 * An age that does not exist is null, as is a moment. */
#ifndef FC_AGENT_EXPLAIN_JSON_H
#define FC_AGENT_EXPLAIN_JSON_H

#include "core/core_explain.h"

/* What one explanation needs at a time. Large: keep one. */
struct explain_desk { struct explain_room room; struct explanation explanation; };

/* *ret is from malloc. FC_NOT_FOUND, FC_REFUSED or FC_NO_MEMORY with a sentence. */
enum fc_code explain_json_print(const struct core *core, struct fc_time now, int64_t unix_ms, const struct order *order, const char *by,
                                bool may_change, struct explain_desk *desk, char **ret, struct fc_err *err);

#endif
