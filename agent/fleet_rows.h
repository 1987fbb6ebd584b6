/* What is known of a server as a row of database_instance, and back; and what people and tools said, from their rows into memory.
 * Moments of the loop's clock become seconds since 1970 by the pair of clocks given. */
#ifndef FC_AGENT_FLEET_ROWS_H
#define FC_AGENT_FLEET_ROWS_H

#include "act/fleet_orders.h"
#include "backends/fleet/fleet_row.h"
#include "watch/watch.h"

struct both_clocks { struct fc_time now; int64_t unix_ms; };

#define FLEET_GROUP_MAX 9              /* members of a group, as many as MySQL takes */

struct fleet_row_list { char *text; size_t room; };      /* JSON of keys */
/* Where the texts of one row stand until the next one is made. Begin with zeros. */
struct fleet_row_texts {
    struct fleet_row_list replicas, members;
    char cluster[FLEET_KEY_SIZE], alias[129], ancestry[1024], version[16];
    struct errant_desk desk;
    char *errant;                      /* of the desk's room */
};
void fleet_row_texts_done(struct fleet_row_texts *texts);       /* before the watch */

/* False: it was never seen, so there is nothing to store; or memory is out. Borrows from the watch and from `texts`. */
bool fleet_row_of_server(const struct watch *watch, member_id id, const struct both_clocks *clocks, struct fleet_row_texts *texts,
                         struct fleet_row *ret);
/* Only what its deletion needs: key and rank. */
struct fleet_row fleet_row_of_gone(const struct instance_key *key, const struct both_clocks *clocks);

/* A row that stands in the store, as an observation: what it does not hold is empty. Borrows from the row. */
struct fleet_server_read {
    struct instance_seen seen;
    struct channel_seen channel;
    struct watch_recalled recalled;
    struct detected classified;        /* what its row has of it */
    char semi_sync_priority[8];
    struct member_seen members[FLEET_GROUP_MAX];
    char member_hosts[FLEET_GROUP_MAX][INSTANCE_HOST_MAX + 1];
};
void fleet_server_of_row(const struct fleet_row *row, const struct both_clocks *clocks, struct fleet_server_read *ret);

/* A word of somebody (downtime, maintenance, tag, candidate, pool, alias, domain, virtual name, what a name was found to be) into memory, or out of it. False: it is no such
 * row. `key`: of the server that it is about, host "" when of none. */
bool fleet_word_take(struct fleet_memory *memory, const struct fleet_row *row, bool is_gone, const struct both_clocks *clocks,
                     struct instance_key *key);

/* The finding of a server has changed: its last one, and a line of the changelog under this number. */
struct fleet_row fleet_row_of_finding(const struct instance_key *key, const char *word, const struct both_clocks *clocks);
/* A line of the audit under this number: what was done, to whom, in which cluster, by whom. */
struct fleet_row fleet_row_of_audit(const char *type, const struct instance_key *key, const char *cluster, const char *message, uint64_t number,
                                    const struct both_clocks *clocks);
struct fleet_row fleet_row_of_change(const struct instance_key *key, const char *word, uint64_t number, const struct both_clocks *clocks);

#endif
