/* What the parts of fleet_answer share. Nobody else includes this. */
#ifndef FC_AGENT_FLEET_INSIDE_H
#define FC_AGENT_FLEET_INSIDE_H

#include "agent/fleet_answer.h"
#include "agent/fleet_list.h"

/* ---- what is meant (fleet_meant.c) ---- */

struct server_meant { char host[INSTANCE_HOST_MAX + 1]; uint16_t port; member_id id; };     /* id NONE: nobody knows it */

/* By two parameters of the path; resolved, and the only one like it when there is none exactly. FC_BAD_INPUT. */
enum fc_code meant_server(const struct fleet_asked *asked, int parameter, struct server_meant *ret, struct fc_err *err);
/* The same, and it is known: else FC_NOT_FOUND. */
enum fc_code meant_known(const struct fleet_asked *asked, int parameter, member_id *ret, struct fc_err *err);
/* By a hint: name, alias, member. FC_NOT_FOUND. */
enum fc_code meant_cluster(const struct picture *picture, const char *hint, member_id *ret, struct fc_err *err);
/* By the parameters of the path: one is a hint, two are host and port. */
enum fc_code meant_cluster_here(const struct fleet_asked *asked, member_id *ret, struct fc_err *err);
/* By its exact name; MEMBER_NONE. */
member_id meant_cluster_named(const struct picture *picture, const char *name);
/* The text of the argument; false with FC_BAD_INPUT when it cannot be read. */
bool meant_text(const struct fleet_asked *asked, const char *name, char *to, size_t size, struct fc_err *err);

/* name, name=value, ~name, ~name=value. */
struct tag_meant { char name[FLEET_NAME_SIZE], value[FLEET_TEXT_SIZE]; bool has_value, is_negated; };
enum fc_code meant_tag(const char *text, bool may_negate, struct tag_meant *ret, struct fc_err *err);
bool tag_fits(const struct overrides *overrides, const struct override *override, const struct tag_meant *tag);
/* Of the path behind host and port, or of ?tag=. */
enum fc_code meant_tag_here(const struct fleet_asked *asked, int parameter, struct tag_meant *ret, struct fc_err *err);

/* ---- writing ---- */

struct fleet_sliced {
    struct fleet_list list;          /* what is left of it begins at `next` */
    uint32_t next;
    struct json_page page;
    bool is_begun;
};

void say_list(struct fleet_asked *asked, struct fleet_said *said, struct fleet_list *list);      /* of instances; ends the list */
void say_key_of(struct fleet_asked *asked, struct fleet_said *said, member_id id);

/* The number by which end-maintenance may name a lock: of the server, as there is one lock a server. */
uint32_t fleet_maintenance_id(const struct picture *picture, const struct override *override);

/* ---- readings ---- */

#define FLEET_STATEMENT_SIZE 4096

fleet_reading read_instance, read_replicas, read_all, read_search, read_find, read_problems, read_downtimed, read_bulk_keys,
    read_bulk_rules, read_tags, read_tag_value, read_tagged, read_maintenance, read_in_maintenance, read_can_replicate,
    read_restart_statements;                                                                               /* fleet_reads.c */
fleet_reading read_cluster, read_cluster_alias, read_cluster_info, read_cluster_info_alias, read_osc, read_gh_ost, read_clusters,
    read_clusters_info, read_masters, read_master, read_topology, read_analysis, read_analysis_cluster, read_analysis_instance,
    read_pools, read_all_pools, read_pool_members, read_pool_lag, read_resolve_cache, read_filters,
    read_recoveries_switch;                                                                                /* fleet_read_clusters.c */
enum fleet_absent { FLEET_ABSENT_CANDIDATE, FLEET_ABSENT_KV, FLEET_ABSENT_COUNT };
fleet_reading read_absent;           /* fleet_read_clusters.c: of `which`, one sentence that says what is not in this version, and what there is */
enum { FLEET_STATEMENTS_ALL = 0, FLEET_STATEMENTS_THAT_WRITE };
fleet_reading read_looks, read_looks_together, read_queue, read_queue_together, read_statements,
    read_statements_together;                                                                              /* fleet_read_metrics.c */
fleet_reading read_nothing, read_server_key, read_wrapped_key, read_parameter, read_cluster_name, read_comment, read_number, read_reply,
    read_untagged, read_untagged_all;                                                                      /* fleet_writes.c */
fleet_making make_server, make_forget_cluster, make_downtime, make_maintenance, make_end_maintenance, make_candidate, make_tag,
    make_untag, make_untag_all, make_alias, make_pool, make_unresolve, make_plain, make_ack;                           /* fleet_writes.c */

#endif
