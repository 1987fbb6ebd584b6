/* HAProxy's runtime API (stats socket): commands as bytes, answers as checked values. spec/haproxy-agent-check.md 5. */
#ifndef FC_HAPROXY_RUNTIME_H
#define FC_HAPROXY_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "steer/answer.h"

/* HAProxy's own view of one server, read back. */
struct proxy_server_view {
    char pool[64], server[64];
    int op_state;                /* srv_op_state: 0 stopped, 1 starting, 2 running, 3 stopping */
    int admin_state;             /* srv_admin_state bit mask */
    int user_weight;             /* srv_uweight */
    int current_sessions;        /* scur; -1 unknown */
    char status[32];             /* "UP", "MAINT", "DOWN (agent)", ... */
    char check_status[24];       /* "L7OK", "* L4CON", ... */
    char agent_status[24];
    char last_agent[128];        /* last_agt: what the agent said, as HAProxy tells it */
    uint64_t epoch;              /* e=N found in last_agent; 0 = none */
    bool is_usable;              /* no admin bit except 4 (a mark that `disabled` leaves), op_state 1 or 2, weight > 0 */
};

/* One line of commands (ends in '\n') that makes HAProxy do at once what the board says for this server.
 * Returns the length; 0 when this voice is never pushed (neutral) or `size` is too small. */
size_t runtime_push_format(const char *pool, const char *server, const struct answer *answer, char *to, size_t size);

/* The command line that reads a pool's state: "show info; show servers state POOL; show stat POOL 4 -1", ends in '\n'. */
size_t runtime_look_format(const char *pool, char *to, size_t size);

/* Parses the whole reply of runtime_look_format. Columns are found by name. Fills at most `most` rows, sets *count and
 * *uptime_ms (of the process that answers: after a reload the new one; -1 when it does not say).
 * Garbage, an error message of HAProxy or a cut reply yields a code and one sentence, never a crash. */
enum fc_code runtime_look_parse(const char *bytes, size_t length, struct proxy_server_view *rows, int most, int *count,
                                int64_t *uptime_ms, struct fc_err *err);

#endif
