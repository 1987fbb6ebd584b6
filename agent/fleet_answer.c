/* The table of routes, and the walk from a question to its answer. */
#include "agent/fleet_inside.h"
#include "agent/fleet_pages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "judge/tree.h"

#define RAW(path, reading, meaning) { path, false, FLEET_RAW, reading, NULL, false, 0, 0, "", meaning, NULL }
#define RAW_OF(path, reading, which, meaning) { path, false, FLEET_RAW, reading, NULL, false, 0, which, "", meaning, NULL }
#define RIGHT_RAW(path, reading, meaning) { path, true, FLEET_RAW, reading, NULL, false, 0, 0, "", meaning, NULL }
#define TOLD(path, reading, message, meaning) { path, false, FLEET_ENVELOPE, reading, NULL, false, 0, 0, message, meaning, NULL }
#define TOLD_OF(path, reading, which, message, meaning) { path, false, FLEET_ENVELOPE, reading, NULL, false, 0, which, message, meaning, NULL }
#define RIGHT_TOLD(path, reading, message, meaning) { path, true, FLEET_ENVELOPE, reading, NULL, false, 0, 0, message, meaning, NULL }
#define ORDER(path, verb, making, reading, message, meaning) \
    { path, true, FLEET_ENVELOPE, reading, making, false, FLEET_##verb, 0, message, meaning, NULL }
/* It changes nothing, but takes a while. */
#define OPEN_ORDER(path, verb, making, reading, message, meaning) \
    { path, false, FLEET_ENVELOPE, reading, making, false, FLEET_##verb, 0, message, meaning, NULL }
/* Its Details are taken before it is given: after it there would be nothing to find. */
#define ORDER_TAKING(path, verb, making, reading, message, meaning) \
    { path, true, FLEET_ENVELOPE, reading, making, true, FLEET_##verb, 0, message, meaning, NULL }
/* Of the store, a page at a time. */
#define PAGED(path, table, by, column, has_page, meaning) \
    { path, false, FLEET_RAW, NULL, NULL, false, 0, 0, "", meaning, &(const struct fleet_paging){ FLEET_##table, PAGED_##by, column, has_page } }
/* Of a snapshot, or of the server itself. */
#define OUTSIDE(path, what, meaning) \
    { path, false, FLEET_ENVELOPE, NULL, NULL, false, 0, 0, "", meaning, &(const struct fleet_paging){ .by = PAGED_##what, .column = -1 } }
#define ACK(path, scope, reading, meaning) \
    { path, true, FLEET_ENVELOPE, reading, make_ack, false, FLEET_ACK_RECOVERIES, scope, "", meaning, NULL }

static const struct fleet_route routes[] = {
    RAW("/api/instance/:host/:port", read_instance, "one server"),
    RAW("/api/instance-replicas/:host/:port", read_replicas, "those that replicate from it, by key"),
    RAW("/api/all-instances", read_all, "all servers: masters first, then those with more replicas"),
    RAW("/api/search", read_search, "servers with ?s=TEXT in host:port, cluster, alias or version, or with that server_id or port"),
    RAW("/api/search/:text", read_search, "the same"),
    RAW("/api/find", read_find, "servers whose host:port fits ?pattern=REGEX"),
    RIGHT_RAW("/api/bulk-instances", read_bulk_keys, "keys of all servers"),
    RIGHT_RAW("/api/bulk-promotion-rules", read_bulk_rules, "promotion rules that were registered"),
    RAW("/api/cluster/:hint", read_cluster, "servers of a cluster; the hint is its name, its alias, or a server of it"),
    RAW("/api/cluster/alias/:alias", read_cluster_alias, "the same by alias"),
    RAW("/api/cluster/instance/:host/:port", read_cluster, "the same by a server"),
    RAW("/api/cluster-info/:hint", read_cluster_info, "a cluster in a few words"),
    RAW("/api/cluster-info/alias/:alias", read_cluster_info_alias, "the same by alias"),
    RAW("/api/cluster-osc-replicas/:hint", read_osc, "replicas whose lag stands for the cluster's"),
    RAW("/api/cluster-osc-slaves/:hint", read_osc, "the same"),
    RAW("/api/cluster-gh-ost-replicas/:hint", read_gh_ost, "replicas fit for gh-ost, those with fewest replicas first"),
    RAW("/api/clusters", read_clusters, "names of all clusters"),
    RAW("/api/clusters-info", read_clusters_info, "all clusters in a few words"),
    RAW("/api/masters", read_masters, "the writable master of each cluster"),
    RAW("/api/master/:hint", read_master, "the master of a cluster, a writable one first"),
    TOLD_OF("/api/topology/:hint", read_topology, TREE_BRACKETS, "Topology for cluster", "a cluster as a tree"),
    TOLD_OF("/api/topology/:host/:port", read_topology, TREE_BRACKETS, "Topology for cluster", "the same by a server"),
    TOLD_OF("/api/topology-tabulated/:hint", read_topology, TREE_TABULATED, "Topology for cluster", "the same as a table"),
    TOLD_OF("/api/topology-tabulated/:host/:port", read_topology, TREE_TABULATED, "Topology for cluster", "the same by a server"),
    TOLD_OF("/api/topology-tags/:hint", read_topology, TREE_TAGS, "Topology for cluster", "the tree with tags"),
    TOLD_OF("/api/topology-tags/:host/:port", read_topology, TREE_TAGS, "Topology for cluster", "the same by a server"),

    PAGED("/api/heuristic-domain-instance/:hint", host_attributes, DOMAIN, host_attributes_attribute_name, false,
          "who took over the domain of a cluster at its last failover, as the store has it"),
    OUTSIDE("/api/topology-history/:hint", PAST, "a cluster as it was in the newest snapshot whose moment (UTC, or seconds since 1970) fits ?pattern=REGEX"),
    OUTSIDE("/api/topology-history/:host/:port", PAST, "the same by a server"),

    TOLD("/api/replication-analysis", read_analysis, "Analysis", "what is wrong, of all clusters: docs/analysis.md"),
    TOLD("/api/replication-analysis/:cluster", read_analysis_cluster, "Analysis", "of one cluster, by alias or name"),
    TOLD("/api/replication-analysis/instance/:host/:port", read_analysis_instance, "Analysis", "of one server"),
    PAGED("/api/replication-analysis-changelog", database_instance_analysis_changelog, CHANGES, -1, false,
          "how findings have changed, by server; the latest 1000 of the store"),
    RAW("/api/problems", read_problems, "servers with a problem that are not downtimed"),
    RAW("/api/problems/:cluster", read_problems, "of one cluster, by its name"),
    RAW("/api/downtimed", read_downtimed, "servers that are downtimed"),
    RAW("/api/downtimed/:hint", read_downtimed, "of one cluster"),
    RAW("/api/maintenance", read_maintenance, "servers that somebody works on"),
    TOLD("/api/in-maintenance/:host/:port", read_in_maintenance, "", "does somebody work on it? Message true or false"),
    TOLD_OF("/api/can-replicate-from/:host/:port/:belowHost/:belowPort", read_can_replicate, 0, "true",
            "may the first replicate from the second? If not, an error with the reason"),
    TOLD_OF("/api/can-replicate-from-gtid/:host/:port/:belowHost/:belowPort", read_can_replicate, 1, "true", "the same by GTID"),
    OUTSIDE("/api/locate-gtid-errant/:host/:port", LOGS, "names of its binary logs in which its errant transactions stand; the server is asked"),
    RAW("/api/tags/:host/:port", read_tags, "its tags, as NAME=VALUE"),
    RAW("/api/tag-value/:host/:port", read_tag_value, "the value of ?tag=NAME"),
    RAW("/api/tag-value/:host/:port/:name", read_tag_value, "the same"),
    RAW("/api/tagged", read_tagged, "servers with all of ?tag=NAME,NAME=VALUE,~NAME,~NAME=VALUE"),
    RAW("/api/tagged/:host/:port", read_tagged, "the same, whatever the server: some clients send one"),
    RIGHT_RAW("/api/cluster-pool-instances", read_all_pools, "servers in pools, with their clusters"),
    RIGHT_TOLD("/api/cluster-pool-instances/:cluster", read_pools, "Pools", "pools with the servers of a cluster, by its name"),
    RIGHT_TOLD("/api/cluster-pool-instances/:cluster/:pool", read_pools, "Pools", "of one pool"),
    RIGHT_TOLD("/api/heuristic-cluster-pool-instances/:hint", read_pool_members, "Pool", "valid servers of a cluster that are in a pool"),
    RIGHT_TOLD("/api/heuristic-cluster-pool-instances/:hint/:pool", read_pool_members, "Pool", "of one pool"),
    RIGHT_TOLD("/api/heuristic-cluster-pool-lag/:hint", read_pool_lag, "Lag", "the largest lag of those"),
    RIGHT_TOLD("/api/heuristic-cluster-pool-lag/:hint/:pool", read_pool_lag, "Lag", "of one pool"),
    RIGHT_TOLD("/api/restart-replica-statements/:host/:port", read_restart_statements, "Restart statements",
               "?q=STATEMENT between those that stop and start what runs of replication there; nothing is executed"),
    RIGHT_TOLD("/api/restart-slave-statements/:host/:port", read_restart_statements, "Restart statements", "the same"),
    TOLD_OF("/api/hostname-unresolve", read_resolve_cache, 1, "Virtual names", "names that stand for hosts"),
    TOLD("/api/hostname-resolve-cache", read_resolve_cache, "Cache retrieved", "names that were resolved"),

    ORDER("/api/discover/:host/:port", DISCOVER, make_server, read_instance, "Instance discovered",
          "look at it now, then at its neighbours"),
    ORDER("/api/async-discover/:host/:port", ASYNC_DISCOVER, make_server, read_wrapped_key, "Asynchronous discovery initiated",
          "the same, without waiting for it"),
    ORDER("/api/refresh/:host/:port", REFRESH, make_server, read_server_key, "Instance refreshed", "look at a known server now"),
    ORDER_TAKING("/api/forget/:host/:port", FORGET, make_server, read_server_key, "Instance forgotten", "forget a server"),
    ORDER("/api/forget-cluster/:hint", FORGET_CLUSTER, make_forget_cluster, read_nothing, "Cluster forgotten", "forget its servers"),
    OPEN_ORDER("/api/resolve/:host/:port", RESOLVE, make_server, read_server_key, "Instance resolved", "its name, and a TCP connection"),
    ORDER("/api/begin-downtime/:host/:port/:owner/:reason", BEGIN_DOWNTIME, make_downtime, read_server_key, "Downtime begun",
          "what is wrong with it is expected, for ten minutes"),
    ORDER("/api/begin-downtime/:host/:port/:owner/:reason/:duration", BEGIN_DOWNTIME, make_downtime, read_server_key, "Downtime begun",
          "the same for 30s, 10m, 2h, 1d, 1w"),
    ORDER("/api/end-downtime/:host/:port", END_DOWNTIME, make_server, read_server_key, "Downtime ended", "it counts again"),
    ORDER("/api/begin-maintenance/:host/:port/:owner/:reason", BEGIN_MAINTENANCE, make_maintenance, read_server_key, "Maintenance begun",
          "one owner works on it, for ten minutes; a lock"),
    ORDER("/api/begin-maintenance/:host/:port/:owner/:reason/:duration", BEGIN_MAINTENANCE, make_maintenance, read_server_key,
          "Maintenance begun", "the same for 30s, 10m, 2h, 1d, 1w"),
    ORDER("/api/end-maintenance/:host/:port", END_MAINTENANCE, make_end_maintenance, read_server_key, "Maintenance ended", "unlock it"),
    ORDER("/api/end-maintenance/:id", END_MAINTENANCE, make_end_maintenance, read_number, "Maintenance ended", "the same by MaintenanceId"),
    ORDER("/api/register-candidate/:host/:port/:rule", REGISTER_CANDIDATE, make_candidate, read_server_key, "Registered candidate",
          "prefer, neutral, prefer_not or must_not, for CandidateInstanceExpireMinutes"),
    ORDER("/api/tag/:host/:port", TAG, make_tag, read_server_key, "Tagged", "?tag=NAME or NAME=VALUE"),
    ORDER("/api/tag/:host/:port/:name/:value", TAG, make_tag, read_server_key, "Tagged", "the same"),
    ORDER_TAKING("/api/untag/:host/:port", UNTAG, make_untag, read_untagged, "Untagged", "take ?tag=NAME off it, or NAME=VALUE"),
    ORDER_TAKING("/api/untag/:host/:port/:name", UNTAG, make_untag, read_untagged, "Untagged", "the same"),
    ORDER_TAKING("/api/untag-all", UNTAG_ALL, make_untag_all, read_untagged_all, "Untagged", "take ?tag=NAME=VALUE off all"),
    ORDER_TAKING("/api/untag-all/:name/:value", UNTAG_ALL, make_untag_all, read_untagged_all, "Untagged", "the same"),
    ORDER("/api/set-cluster-alias/:cluster", SET_CLUSTER_ALIAS, make_alias, read_nothing, "Alias set",
          "?alias=TEXT for the cluster of this name; none takes it back"),
    ORDER("/api/submit-pool-instances/:pool", SUBMIT_POOL, make_pool, read_parameter, "Applied",
          "?instances=HOST:PORT,... are the pool now"),
    ORDER("/api/register-hostname-unresolve/:host/:port/:virtual", REGISTER_UNRESOLVE, make_unresolve, read_server_key,
          "Hostname registered unresolve", "the name that stands for a host in CHANGE MASTER"),
    ORDER("/api/deregister-hostname-unresolve/:host/:port", DEREGISTER_UNRESOLVE, make_unresolve, read_server_key,
          "Hostname deregister unresolve", "the host's own name again"),
    ORDER("/api/reset-hostname-resolve-cache", RESET_RESOLVE_CACHE, make_plain, read_nothing, "Hostname cache cleared",
          "resolve all names anew"),
    ORDER("/api/snapshot-topologies", SNAPSHOT_TOPOLOGIES, make_plain, read_reply, "Topology snapshot completed",
          "keep who replicates from whom as history"),
    ACK("/api/ack-recovery/cluster/:hint", ACK_CLUSTER, read_cluster_name, "recoveries of a cluster; ?comment=TEXT, as for all of these"),
    ACK("/api/ack-recovery/cluster/alias/:hint", ACK_CLUSTER, read_cluster_name, "the same by alias"),
    ACK("/api/ack-recovery/instance/:host/:port", ACK_INSTANCE, read_server_key, "recoveries of a server"),
    ACK("/api/ack-recovery/:id", ACK_ID, read_parameter, "one recovery"),
    ACK("/api/ack-recovery/uid/:uid", ACK_UID, read_parameter, "the same by UID"),
    ACK("/api/ack-all-recoveries", ACK_ALL, read_comment, "all recoveries"),

    PAGED("/api/audit", audit, ALL, -1, false, "orders about the fleet that were done, the latest 20 (AuditToBackendDB)"),
    PAGED("/api/audit/:page", audit, ALL, -1, true, "the next 20, and so on: 1, 2, ..."),
    PAGED("/api/audit/instance/:host/:port", audit, SERVER, audit_hostname, false, "about one server"),
    PAGED("/api/audit/instance/:host/:port/:page", audit, SERVER, audit_hostname, true, "the next 20"),
    PAGED("/api/audit-failure-detection", topology_failure_detection, ALL, -1, false, "detections of the store, the latest 20"),
    PAGED("/api/audit-failure-detection/:page", topology_failure_detection, ALL, -1, true, "the next 20"),
    PAGED("/api/audit-failure-detection/id/:id", topology_failure_detection, NUMBER, -1, false, "one of them"),
    PAGED("/api/audit-failure-detection/alias/:alias", topology_failure_detection, TEXT, topology_failure_detection_cluster_alias, false,
          "of a cluster, by its alias at the time"),
    PAGED("/api/audit-failure-detection/alias/:alias/:page", topology_failure_detection, TEXT, topology_failure_detection_cluster_alias, true,
          "the next 20"),
    PAGED("/api/audit-recovery", topology_recovery, ALL, -1, false, "recoveries of the store, the latest 20; ?unacknowledged=true"),
    PAGED("/api/audit-recovery/:page", topology_recovery, ALL, -1, true, "the next 20"),
    PAGED("/api/audit-recovery/id/:id", topology_recovery, NUMBER, -1, false, "one of them"),
    PAGED("/api/audit-recovery/uid/:uid", topology_recovery, TEXT, topology_recovery_uid, false, "the same by UID"),
    PAGED("/api/audit-recovery/cluster/:cluster", topology_recovery, TEXT, topology_recovery_cluster_name, false,
          "of a cluster, by its name at the time"),
    PAGED("/api/audit-recovery/cluster/:cluster/:page", topology_recovery, TEXT, topology_recovery_cluster_name, true, "the next 20"),
    PAGED("/api/audit-recovery/alias/:alias", topology_recovery, TEXT, topology_recovery_cluster_alias, false, "the same by alias"),
    PAGED("/api/audit-recovery/alias/:alias/:page", topology_recovery, TEXT, topology_recovery_cluster_alias, true, "the next 20"),
    PAGED("/api/audit-recovery-steps/:uid", topology_recovery_steps, STEPS, topology_recovery_steps_recovery_uid, false,
          "what was done, the first step first"),
    PAGED("/api/active-cluster-recovery/:cluster", topology_recovery, RUNNING, topology_recovery_cluster_name, false,
          "recoveries of a cluster that have not ended"),
    PAGED("/api/recently-active-cluster-recovery/:cluster", topology_recovery, RECENT, topology_recovery_cluster_name, false,
          "that have ended in the last five minutes"),
    PAGED("/api/recently-active-instance-recovery/:host/:port", topology_recovery, SUCCESSOR, topology_recovery_successor_hostname, false,
          "the same by the server that took over"),
    PAGED("/api/blocked-recoveries", blocked_topology_recovery, ALL, -1, false,
          "recoveries that another one holds back, as the store has them, the latest 200"),
    PAGED("/api/blocked-recoveries/cluster/:cluster", blocked_topology_recovery, TEXT, blocked_topology_recovery_cluster_name, false,
          "of a cluster, by its name at the time"),

    RAW("/api/discovery-metrics-raw/:seconds", read_looks, "the latest look at each server, of the last seconds"),
    RAW("/api/discovery-metrics-aggregated/:seconds", read_looks_together, "what those amount to"),
    RAW("/api/discovery-queue-metrics-raw/:seconds", read_queue, "looks under way and due, a sample a second, of 300 seconds at most"),
    RAW("/api/discovery-queue-metrics-raw/:queue/:seconds", read_queue, "the same; of DEADINSTANCES nothing is counted apart"),
    RAW("/api/discovery-queue-metrics-aggregated/:seconds", read_queue_together, "what those amount to"),
    RAW("/api/discovery-queue-metrics-aggregated/:queue/:seconds", read_queue_together, "the same"),
    RAW_OF("/api/backend-query-metrics-raw/:seconds", read_statements, FLEET_STATEMENTS_ALL,
           "statements of the fleet's store, the latest 4096 at most"),
    RAW_OF("/api/backend-query-metrics-aggregated/:seconds", read_statements_together, FLEET_STATEMENTS_ALL, "what those amount to"),
    RAW_OF("/api/write-buffer-metrics-raw/:seconds", read_statements, FLEET_STATEMENTS_THAT_WRITE, "those that wrote rows"),
    RAW_OF("/api/write-buffer-metrics-aggregated/:seconds", read_statements_together, FLEET_STATEMENTS_THAT_WRITE, "what those amount to"),

    /* Nothing is recovered automatically by this version. */
    TOLD("/api/check-global-recoveries", read_recoveries_switch, "Global recoveries disabled", "always disabled: none in this version"),
    TOLD_OF("/api/get-candidate-replica/:host/:port", read_absent, FLEET_ABSENT_CANDIDATE, "", "an error: no recoveries in this version"),
    TOLD_OF("/api/submit-masters-to-kv-stores", read_absent, FLEET_ABSENT_KV, "", "an error: no key-value stores in this version"),
    TOLD_OF("/api/submit-masters-to-kv-stores/:hint", read_absent, FLEET_ABSENT_KV, "", "the same"),
    TOLD("/api/automated-recovery-filters", read_filters, "Automated recovery configuration details", "RecoveryIgnoreHostnameFilters; the other lists are empty"),
};

#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

const struct fleet_route *fleet_route_at(size_t index)
{
    return index < ROUTE_COUNT ? &routes[index] : NULL;
}

const struct fleet_route *fleet_route_find(const struct http_path *path, struct fleet_asked *asked)
{
    for (const struct fleet_route *route = routes; route < routes + ROUTE_COUNT; route++) {
        if (http_path_fits(path, route->path, asked->parameter, &asked->parameter_count))
            return asked->route = route;
    }
    return NULL;
}

/* ---- answers ---- */

/* The client script runs xargs over a message: quotes in it must be in pairs. */
static void balance(char *text, char quote)
{
    size_t count = 0;
    for (const char *c = text; *c != '\0'; c++)
        count += *c == quote;
    for (char *c = text; count % 2 != 0 && *c != '\0'; c++)
        *c = *c == quote ? '`' : *c;
}

static void open_envelope(struct json_page *page, bool is_ok, const char *message)
{
    char harmless[sizeof ((struct fc_err *)0)->text];
    TEXT_SET(harmless, message);
    balance(harmless, '\'');
    balance(harmless, '"');
    page_open(page, NULL, '{');
    page_text(page, "Code", is_ok ? "OK" : "ERROR");
    page_text(page, "Message", harmless);
}

char *fleet_answer_error(const struct fc_err *err, unsigned *status)
{
    struct json_page page = { 0 };
    open_envelope(&page, false, err->text);
    page_null(&page, "Details");
    page_close(&page, '}');
    *status = (unsigned)fc_code_table[err->code].http_status;
    return page_take(&page);
}

/* The value alone, from malloc; NULL: `err` says why. */
static char *read_value(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct room room = room_of_libc();
    fleet_reader_init(&asked->reader, &room, asked->picture);
    TEXT_SET(said->message, asked->route->message);
    const enum fc_code code = asked->route->read != NULL ? asked->route->read(asked, said, err)
                                                         : fc_fail(err, FC_REFUSED, "this is asked of the store or the server, not of what is seen");
    fleet_reader_done(&asked->reader);
    if (code != FC_OK) {
        page_drop(&said->page);
        err->code = code;
        return NULL;
    }
    char *value = page_take(&said->page);
    if (value == NULL)
        fc_fail(err, FC_NO_MEMORY, "out of memory");
    return value;
}

char *fleet_answer_enveloped(const char *message, const char *details, unsigned *status)
{
    const struct fc_err no_memory = { .code = FC_NO_MEMORY, .text = "out of memory" };
    struct json_page page = { 0 };
    open_envelope(&page, true, message);
    page_raw(&page, "Details", details);
    page_close(&page, '}');
    *status = 200;
    char *text = page_take(&page);
    return text != NULL ? text : fleet_answer_error(&no_memory, status);
}

struct fleet_sliced *fleet_sliced_new(void) { return calloc(1, sizeof(struct fleet_sliced)); }

void fleet_sliced_free(struct fleet_sliced *sliced)
{
    if (sliced == NULL)
        return;
    fleet_list_done(&sliced->list);
    page_drop(&sliced->page);
    free(sliced);
}

bool fleet_sliced_is_begun(const struct fleet_sliced *sliced) { return sliced->is_begun; }

bool fleet_sliced_more(struct fleet_sliced *sliced, const struct picture *picture, char **ret, size_t *length)
{
    struct room room = room_of_libc();
    struct fleet_reader reader;
    fleet_reader_init(&reader, &room, picture);
    for (int i = 0; i < FLEET_SLICE && sliced->next < sliced->list.count && !sliced->page.is_short; i++) {
        const member_id id = sliced->list.ids[sliced->next++];
        if (topology_member(picture->topology, id)->kind == MEMBER_KNOWN)
            fleet_json_instance(&sliced->page, NULL, &reader, id);
    }
    fleet_reader_done(&reader);
    if (sliced->next < sliced->list.count && !sliced->page.is_short)
        return false;
    page_close(&sliced->page, ']');
    *length = sliced->page.length;
    *ret = page_take(&sliced->page);
    return true;
}

char *fleet_answer_read(struct fleet_asked *asked, unsigned *status)
{
    struct fleet_said said = { .message = "" };
    struct fc_err err = { .code = FC_INTERNAL };
    char *value = read_value(asked, &said, &err);
    if (asked->sliced != NULL && asked->sliced->is_begun) {
        *status = 0;
        return NULL;
    }
    if (value == NULL)
        return fleet_answer_error(&err, status);
    *status = 200;
    if (asked->route->shape == FLEET_RAW)
        return value;
    char *text = fleet_answer_enveloped(said.message, value, status);
    free(value);
    return text;
}

enum fc_code fleet_answer_make(struct fleet_asked *asked, struct fleet_order *order, struct fc_err *err)
{
    assert(asked->route->make != NULL);
    *order = (struct fleet_order){ .verb = asked->route->verb };
    enum fc_code code = asked->route->make(asked, order, err);
    if (code == FC_OK)
        code = fleet_order_check(order, err);
    if (code == FC_OK)
        return FC_OK;
    free((void *)order->keys);
    order->keys = NULL;
    err->code = code;
    return code;
}

enum fc_code fleet_answer_before(struct fleet_asked *asked, char **ret, struct fc_err *err)
{
    struct fleet_said said = { .message = "" };
    *ret = NULL;
    if (!asked->route->is_read_before)
        return FC_OK;
    *ret = read_value(asked, &said, err);
    return *ret == NULL ? err->code : FC_OK;
}

char *fleet_answer_done(struct fleet_asked *asked, const char *details, unsigned *status)
{
    struct fleet_said said = { .message = "" };
    struct fc_err err = { .code = FC_INTERNAL };
    if (details != NULL)
        return fleet_answer_enveloped(asked->route->message, details, status);
    char *value = read_value(asked, &said, &err);
    if (value == NULL)
        return fleet_answer_error(&err, status);
    /* The reply says how many, where only the end tells. */
    char *text = fleet_answer_enveloped(said.message[0] != '\0' ? said.message : asked->reply, value, status);
    free(value);
    return text;
}
