/* Answers as bytes: the one formatter of what HAProxy's agent-check reads. spec/haproxy-agent-check.md 1.2 and 6. */
#ifndef FC_HAPROXY_AGENT_ANSWER_H
#define FC_HAPROXY_AGENT_ANSWER_H

#include <stddef.h>

#include "steer/answer.h"

#define AGENT_LINE_SIZE 104          /* longest line with its newline and a zero byte; one write */
#define AGENT_TOKEN "fc-ok"          /* only in the answer of a holder inside its term */
#define AGENT_VOICE_TOKEN "fc-voice" /* the relay's check of a node: this node has a valid term */

/* One line ending in '\n', at most AGENT_LINE_SIZE - 1 bytes, no NUL, no ';'. Returns its length.
 * `late` = format what is to be said when the term is over (answer->late, reason "term over"). */
size_t agent_answer_format(const struct answer *answer, int late, char to[AGENT_LINE_SIZE]);

#endif
