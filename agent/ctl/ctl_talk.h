/* One order to one daemon over its unix socket, and its answer: plain blocking I/O with one deadline. */
#ifndef FC_CTL_TALK_H
#define FC_CTL_TALK_H

#include <cjson/cJSON.h>

#include "base/err.h"

/* Each progress line as it comes: the line as it was sent, and its text ("" when it has none). */
typedef void ctl_progress(void *owner, const char *line, const char *text);

struct ctl_answer {
    enum fc_code code;               /* as the daemon said it */
    char *line;                      /* the answer as it was sent, without its line end */
    cJSON *json;                     /* the same, read, and made plain for a terminal */
};

/* Returns FC_OK when an answer came, whatever it says; *ret is then the caller's, to be ended with ctl_answer_done. Else
 * FC_UNREACHABLE, FC_NOT_ALLOWED, FC_TIMEOUT or FC_BAD_INPUT with a sentence that says what to do. */
enum fc_code ctl_ask(const char *path, const char *order, int timeout_ms, ctl_progress *progress, void *owner,
                     struct ctl_answer *ret, struct fc_err *err);
void ctl_answer_done(struct ctl_answer *answer);       /* a zeroed one is fine */

#endif
