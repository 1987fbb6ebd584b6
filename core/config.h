/* The effective configuration as plain values, and the one table of keys behind it.
 *
 * The agent reads the JSON file and hands over each key and value; this table types them, bounds them, says what they mean,
 * prints docs/configuration.md and checks itself. Names are orchestrator's where the meaning is the same. */
#ifndef FC_CORE_CONFIG_H
#define FC_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/moment.h"
#include "model/look.h"
#include "model/testimony.h"

#define NODES_MAX 9
#define RAFT_NODES_MAX 9
#define PROXIES_MAX 16
#define LIST_MAX 32
#define CLUSTER_POOLS_MAX 8        /* writers' and readers' pools together */
#define CLUSTER_SERVERS_MAX NODES_MAX              /* of one managed cluster */
#define ADDRESS_SIZE 128
#define CONFIG_TEXT_SIZE 256
#define CONFIG_QUERY_SIZE 1024
#define CONFIG_MANY_SIZE (32 * 1024)       /* of a list that grows with the site: about a thousand names */
#define CONFIG_MAP_SIZE (64 * 1024)
#define CONFIG_MAP_MAX 1024

struct named_address {             /* "name=host:port" in the file; for HAProxyInstances "name=unix path or host:port" */
    char name[NODE_NAME_SIZE];
    char address[ADDRESS_SIZE];
};

/* A firstchair node: "fc1=10.0.9.1:3000/9377" = name, HTTP address, agent-check port on the same host. */
struct node_address {
    char name[NODE_NAME_SIZE];
    char host[ADDRESS_SIZE];
    int http_port;
    int agent_port;
};


typedef char config_text[CONFIG_TEXT_SIZE];

/* A pool of a managed cluster: "main_writer=main@127.0.0.1:3307" = name, cluster, where HAProxy offers it. */
struct cluster_pool_item {
    char name[NODE_NAME_SIZE], cluster[NODE_NAME_SIZE];
    char listen[ADDRESS_SIZE];
};

/* A server of one: "main/m1=10.0.2.1:3306". */
struct cluster_server_item {
    char cluster[NODE_NAME_SIZE], name[NODE_NAME_SIZE];
    char address[ADDRESS_SIZE];
};

typedef char config_query[CONFIG_QUERY_SIZE];      /* one statement that an operator gives; may stand over several lines */

struct config_list { int count; config_text item[LIST_MAX]; };

/* Items one behind the other, each with its NUL; of a map the key and then the value. Walked by config_many_next, config_map_next. */
struct config_many { int count, length; char text[CONFIG_MANY_SIZE]; };
struct config_map { int count, length; char text[CONFIG_MAP_SIZE]; };

struct config {
    /* general and HTTP (orchestrator's) */
    bool debug;
    config_text listen_address;              /* ListenAddress ":3000" */
    config_text listen_socket;               /* ListenSocket */
    config_text url_prefix;                  /* URLPrefix, normalised: "" or "/x" */
    config_text status_endpoint;             /* StatusEndpoint */
    config_text authentication_method;       /* AuthenticationMethod: "", "basic", "multi", "proxy" */
    config_text http_auth_user, http_auth_password;
    config_text auth_user_header;
    struct config_many power_auth_users;
    bool read_only;
    bool http_uses_tls;                      /* UseSSL */
    bool http_wants_certificate;             /* UseMutualTLS: of who asks */
    bool http_status_wants_certificate;      /* StatusOUVerify */
    bool http_tls_skips_verifying;           /* SSLSkipVerify: for our own questions to a node */
    config_text http_certificate_file, http_key_file, http_ca_file;                  /* SSL...File */
    struct config_list http_units;           /* SSLValidOUs; empty: any */

    /* backend (orchestrator's) */
    config_text backend_db;                  /* "sqlite" or "mysql" */
    config_text sqlite3_data_file;
    config_text mysql_host;                  /* MySQLOrchestratorHost */
    int mysql_port;
    config_text mysql_database;
    config_text mysql_user, mysql_password, mysql_credentials_file;
    int mysql_connect_timeout_seconds;
    int mysql_read_timeout_seconds;

    /* servers of a fleet (orchestrator's) */
    config_text topology_user, topology_password, topology_credentials_file;
    config_text store_ca_file, store_certificate_file, store_key_file;               /* MySQLOrchestratorSSL... */
    bool store_uses_tls, store_tls_skips_verifying;
    config_text topology_ca_file, topology_certificate_file, topology_key_file;      /* MySQLTopologySSL... */
    bool topology_tls_skips_verifying, topology_always_tls, topology_mixed_tls;
    int discovery_read_timeout_seconds;
    int default_instance_port;
    struct config_many discovery_seeds, problem_ignored, osc_ignored, recovery_ignored;
    bool finds_pool_members;                 /* SupportFuzzyPoolHostnames */
    int pool_expire_minutes, fleet_flush_ms, snapshot_hours;
    int discovery_max_concurrency, discovery_capacity;
    int instance_poll_seconds, reasonable_check_seconds, unseen_forget_hours;
    double dead_factor;                      /* DeadInstancePollSecondsMultiplyFactor */
    int dead_poll_seconds_max, dead_max_concurrency;
    int topology_connection_life_seconds;
    struct config_many ignore_servers, ignore_replicas, ignore_masters, ignore_users;     /* DiscoveryIgnore...Filters */
    config_text resolve_method, mysql_resolve_method, reject_resolve_pattern;
    int resolves_expire_minutes;
    bool audit_to_backend;                   /* AuditToBackendDB */
    int audit_purge_days;
    int reasonable_lag_seconds, maintenance_lag_seconds, locked_semi_sync_seconds, candidate_expire_minutes;
    bool wants_exact_semi_sync, wants_writeable_master;
    config_query lag_query, lag_query_old;   /* ReplicationLagQuery, SlaveLagQuery */
    config_query detect_cluster_alias, detect_cluster_domain, detect_instance_alias, detect_promotion_rule, detect_data_center,
                 detect_region, detect_environment, detect_semi_sync;
    config_text data_center_pattern, region_pattern, environment_pattern;
    struct config_map cluster_aliases;       /* ClusterNameToAlias: pattern -> alias */

    /* the pair, nodes, proxies (ours) */
    config_text role;                        /* Role: "node" or "witness" */
    config_text node_name;                   /* NodeName: of this node; default host name */
    struct config_list nodes;                /* Nodes */
    struct config_list backend_servers;      /* BackendServers: "db1=10.0.1.1:3306", the preferred one first */
    config_text fence_user, fence_password, fence_credentials_file;
    config_text backend_pool, leader_pool;   /* names of the two pools: "fc_backend", "fc_leader" */
    config_text steering_arbitration;        /* "auto", "local", "quorum" */
    config_text failure_detection_quorum;    /* "auto", "none", "any", "majority" */
    config_text steering_term_over;          /* "closed" or "freeze" */
    config_text agent_listen_address;        /* AgentListenAddress ":9377"; "" = off */
    config_text agent_listen_socket;         /* unix path; "" = off */
    struct config_list agent_fixed_ports;    /* "9401=fc_backend/db1": a port bound to one server, answers on accept */
    struct config_list agent_allowed_sources;/* CIDR; empty = loopback and the addresses of Nodes and HAProxyInstances */
    int agent_clients_max;
    config_text order_socket;                /* unix path of firstchairctl */
    struct config_list order_users;          /* user names or numeric uids that may give orders beside root and our own */
    struct config_list haproxy_instances;    /* HAProxyInstances */
    int haproxy_poll_ms;                     /* read-back period */
    bool haproxy_push;                       /* push by runtime socket after a change */

    /* pools of managed clusters (ours) */
    struct config_list cluster_servers;      /* ClusterServers: "main/m1=10.0.2.1:3306" */
    struct config_list writer_pools, reader_pools;       /* WriterPools, ReaderPools: "main_writer=main@127.0.0.1:3307" */
    int reader_max_lag_seconds, reader_floor;

    /* time bounds (ours), all in milliseconds unless the name says otherwise */
    int poll_ms;                             /* BackendPollMilliseconds */
    int probe_timeout_ms;
    int check_seconds;                       /* BackendCheckSeconds: between two checks of what the mode needs */
    int lease_ms, lease_renew_ms, drift_percent;
    int term_ms;
    int dwell_ms;
    int fence_timeout_ms, move_limit_ms;
    int failback_after_seconds, failback_max_per_hour;
    int max_seat_lag_seconds;
    int yield_pause_ms;                      /* how long a node that gave the lease back does not stand again */

    /* what haproxy-config prints, and what the unfenced wait counts with */
    int agent_inter_ms, check_inter_ms, check_fall, check_timeout_ms, hard_stop_seconds, hold_the_door_ms;
    config_text backend_listen, leader_listen, relay_listen, cluster_relay_listen, haproxy_socket, haproxy_state_file, haproxy_door_script;

    /* Redis */
    config_text redis_address;               /* "host:port" or a unix path; "" = off */
    config_text redis_password;
    config_text redis_prefix;
    int redis_ttl_seconds, redis_stream_max;

    /* raft */
    bool raft_enabled;
    struct config_list raft_nodes;           /* RaftNodes: "fc1=10.0.9.1:10008"; read by raft_node_parse */
    config_text raft_bind, raft_advertise, raft_data_dir, raft_cluster_name;
    int raft_port;                           /* DefaultRaftPort */
    int raft_election_ms, raft_snapshot_entries;
    config_text raft_peer_key_file;          /* RaftPeerKeyFile; "" = the environment's FIRSTCHAIR_PEER_KEY */

    config_text record_file;                 /* RecordFile: event log for replay; "" = off */
};

enum config_type { CONFIG_BOOL, CONFIG_INT, CONFIG_REAL, CONFIG_TEXT, CONFIG_QUERY, CONFIG_LIST, CONFIG_MANY, CONFIG_MAP };

struct config_key {
    const char *name;
    enum config_type type;
    size_t offset;
    const char *preset;             /* default, as text; lists: "" */
    int64_t least, most;            /* bounds of CONFIG_INT and CONFIG_REAL */
    bool is_secret;                 /* never shown */
    bool is_fixed;                  /* read at start only: a reload names it as needing a restart */
    const char *room;               /* heading in docs/configuration.md */
    const char *meaning;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;
/* orchestrator's keys that are accepted and have no effect in this version, with the reason. */
struct config_known { const char *name; const char *note; };
extern const struct config_known config_known[];
extern const size_t config_known_count;

void config_preset(struct config *config);
/* A reload: takes over what may change in a running node (time bounds, pushes); every key that is_fixed stays as it was. */
void config_reload(struct config *running, const struct config *fresh);
/* The key with this name (exact first, then without regard to case); NULL when none. */
const struct config_key *config_key_find(const char *name);
bool config_key_is_known(const char *name);
/* The nearest name of any key, for a hint; NULL when nothing is near. */
const char *config_key_nearest(const char *name);

enum fc_code config_set_bool(struct config *config, const struct config_key *key, bool value, struct fc_err *err);
enum fc_code config_set_int(struct config *config, const struct config_key *key, double value, struct fc_err *err);
enum fc_code config_set_real(struct config *config, const struct config_key *key, double value, struct fc_err *err);
/* A text or a query. */
enum fc_code config_set_text(struct config *config, const struct config_key *key, const char *value, struct fc_err *err);
/* The item behind this one, at NULL the first; NULL: that was the last. */
const char *config_many_next(const struct config_many *many, const char *at);
/* Likewise; *value is the entry's. */
const char *config_map_next(const struct config_map *map, const char *at, const char **value);
/* Of a list or of many. */
bool config_key_is_list(const struct config_key *key);
/* One more entry of a map; the one before under the same key is replaced. */
enum fc_code config_map_set(struct config *config, const struct config_key *key, const char *name, const char *value, struct fc_err *err);
enum fc_code config_add_item(struct config *config, const struct config_key *key, const char *value, struct fc_err *err);
void config_clear_list(struct config *config, const struct config_key *key);
/* The sentence for a value of the wrong type; `given` says what stands there, as in "the number 3". Returns FC_BAD_CONFIG. */
enum fc_code config_wrong_type(const struct config_key *key, const char *given, struct fc_err *err);

/* Normalises (URLPrefix, ...) and checks the rules that need more than one key. Errors name key, value, and what is right. */
enum fc_code config_check(struct config *config, struct fc_err *err);
/* Prints a value as JSON text, secrets as "(set)" or "". */
void config_value_text(const struct config *config, const struct config_key *key, char *to, size_t size);

/* Reading composed items. */
enum fc_code named_address_parse(const char *item, struct named_address *ret, struct fc_err *err);
enum fc_code node_address_parse(const char *item, struct node_address *ret, struct fc_err *err);
/* The nodes of `Nodes` without the one of this name. Returns how many. */
int config_other_nodes(const struct config *config, const char *own_name, struct node_address ret[NODES_MAX]);
/* FailureDetectionQuorum for so many nodes, `auto` resolved. */
enum consent config_consent(const struct config *config, int nodes);
/* Where a node answers HAProxy and the other nodes: "host:port", "[v6]:port". */
void node_agent_address(const struct node_address *node, char to[ADDRESS_SIZE]);
/* An item of RaftNodes: "name=host", "name=host:port", "host" (its name then), "host:port". */
enum fc_code raft_node_parse(const char *item, int default_port, struct named_address *ret, struct fc_err *err);
/* "host" or "host:port" with the port given where there is none. False when it is neither. */
bool address_with_port(const char *address, int default_port, char *to, size_t size);
/* "host:port", "[v6]:port", ":port" (host ""). */
bool address_split(const char *address, char *host, size_t host_size, int *port);

enum fc_code cluster_pool_parse(const char *item, struct cluster_pool_item *ret, struct fc_err *err);
enum fc_code cluster_server_parse(const char *item, struct cluster_server_item *ret, struct fc_err *err);
/* `fall` of the token check of a writer's pool: it outlasts a change of leaders, two leases or two elections and a second. */
int config_cluster_fall(const struct config *config);
/* Their keys belong together; a part of config_check (config_clusters.c). */
enum fc_code config_check_clusters(struct config *config, struct fc_err *err);

bool config_is_witness(const struct config *config);
/* Does the home mode run: own MySQL servers behind a chair? Else one store. */
bool config_has_pair(const struct config *config);

#endif
