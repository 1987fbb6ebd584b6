/* Servers, clusters and analyses of the fleet as JSON, in the shapes that orchestrator's clients read (docs/http-routes.md); the names of
 * fields are theirs, misspelled ones too. Pure: a picture in, text out; nothing is looked up elsewhere.
 *
 * Where we know better the field says what is true: no "No" for the UUID of a master that has none, lag of a cluster instead of 0,
 * Replicas are those that replicate from the server, not those that it lists. */
#ifndef FC_AGENT_FLEET_JSON_H
#define FC_AGENT_FLEET_JSON_H

#include "agent/json_page.h"
#include "agent/picture.h"

#define FLEET_MOMENT_SIZE 20          /* YYYY-MM-DD hh:mm:ss, UTC */

/* One reading of the picture. The desk is memory for errant transactions: begin with zeros and fleet_reader_init(). */
struct fleet_reader {
    const struct picture *picture;
    struct errant_desk desk;
};
void fleet_reader_init(struct fleet_reader *reader, struct room *room, const struct picture *picture);
void fleet_reader_done(struct fleet_reader *reader);

void fleet_json_key(struct json_page *page, const char *name, const struct instance_key *key);
void fleet_json_instance(struct json_page *page, const char *name, struct fleet_reader *reader, member_id id);
void fleet_json_cluster(struct json_page *page, const char *name, struct fleet_reader *reader, member_id head);
/* An entry of replication-analysis; the server has a verdict. */
void fleet_json_analysis(struct json_page *page, const char *name, struct fleet_reader *reader, member_id id);

/* A moment as people and backends write it: of seconds since 1970, "" when there is no such one; of the loop's clock, "" for FC_EVER and FC_NEVER. */
void fleet_unix_text(int64_t unix_s, char to[FLEET_MOMENT_SIZE]);
void fleet_moment_text(const struct picture *picture, struct fc_time at, char to[FLEET_MOMENT_SIZE]);
/* The cluster's alias by which it is known, "" when it has none but its name. */
const char *fleet_alias(const struct picture *picture, member_id head);
enum promotion_rule fleet_rule(const struct picture *picture, member_id id);
bool fleet_is_downtimed(const struct picture *picture, member_id id);

#endif
