/* What a server said to the parts of a probe, as an observation. A function of rows: the fuzzer calls the same one. */
#ifndef FC_BACKENDS_MYSQL_PROBE_FOLD_H
#define FC_BACKENDS_MYSQL_PROBE_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/mysql/mysql_dialect.h"
#include "backends/mysql/mysql_rows.h"
#include "model/instance.h"

/* Where the lists of an observation stand until the next one is folded: one for all probes of a node. Begin with zeros. */
struct probe_scratch {
    struct channel_seen channels[INSTANCE_CHANNELS_MAX];
    struct member_seen members[INSTANCE_MEMBERS_MAX];
    struct replica_listed *replicas;
    uint32_t replica_room;
    char *texts;                     /* hosts that are part of a cell ("db3:41234") */
    size_t text_size, text_room;
};
void probe_scratch_done(struct probe_scratch *scratch);

/* The set of each part in `rows`; -1: it was not asked, or failed. */
struct part_sets { int of[PART_COUNT]; };

/* Which variables there are: bits by place in the table. 0: the set is not one of variables. */
uint64_t mysql_probe_variables(const struct mysql_rows *rows, int set);
/* A variable's value; NULL: not there, or NULL. */
const char *mysql_probe_variable(const struct mysql_rows *rows, int set, const char *name);

/* Fills everything but key, wanted, missing, denied, trouble and the moments, which are the caller's; `key` is read: a server
 * never lists itself. Borrows from `rows` and `scratch`. False: without a version it is no server, or memory is out. */
bool mysql_probe_fold(const struct mysql_rows *rows, const struct part_sets *sets, struct probe_scratch *scratch,
                      struct instance_seen *seen);
/* Some registered replica told no host, so that the dump threads are worth asking for. */
bool mysql_probe_lacks_hosts(const struct mysql_rows *rows, int set);

#endif
