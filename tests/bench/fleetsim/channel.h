/* SHOW ALL SLAVES STATUS of MariaDB 10.11, as tables: a column, and the text that it always has or the value that stands in it. */
#ifndef FLEETSIM_CHANNEL_H
#define FLEETSIM_CHANNEL_H

#include "fleet.h"
#include "packets.h"

void channel_answer(const struct fleet *fleet, const struct server *server, int64_t now_ms, struct packets *to);

#endif
