/* A fleet as it is found from its seeds: each server is probed, its master and its replicas are looked up in turn, and all of them are
 * looked at again period by period. The calendar (core/discover), the picture (core/model/topology) and the sessions
 * (backends/mysql/mysql_probe) are brought together here; nothing is judged. */
#ifndef FC_AGENT_SURVEY_H
#define FC_AGENT_SURVEY_H

#include "backends/host.h"
#include "base/err.h"
#include "core/config.h"
#include "model/topology.h"

struct survey;

/* `quiet` (may be NULL): every server that is known has been looked at; again each time when more was found and looked at. It may not
 * close the survey. The configuration is borrowed for the call alone, except the names of TLS files: for the survey's life. */
enum fc_code survey_open(const struct host *host, const struct config *config, void (*quiet)(void *owner), void *owner,
                         struct survey **ret, struct fc_err *err);
void survey_close(struct survey *survey);                /* NULL is fine */
/* HOST, HOST:PORT or [V6]:PORT. FC_BAD_INPUT, FC_BUSY (as many as there may be), FC_NO_MEMORY. */
enum fc_code survey_seed(struct survey *survey, const char *text, struct fc_err *err);

const struct topology *survey_topology(const struct survey *survey);
/* Why the last look at a server failed; "" when it did not. Borrowed until the next event. */
const char *survey_trouble(const struct survey *survey, member_id id);

#endif
