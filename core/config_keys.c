/* The one table of keys: name, type, bounds, default and meaning. It types the file, prints docs/configuration.md and is
 * checked by tests/unit/config_test.c. Names and defaults are orchestrator's where the meaning is the same.
 *
 * Below it: orchestrator's keys that this version accepts without effect, so that real-world files load, each with why. */
#include "core/config.h"

#define AT(field) offsetof(struct config, field)
#define HOUR_MS 3600000
#define YEAR_SECONDS 31536000

#define BOOL(name, field, preset, fixed, room, meaning) \
    { name, CONFIG_BOOL, AT(field), preset, 0, 1, false, fixed, room, meaning },
#define INT(name, field, preset, least, most, fixed, room, meaning) \
    { name, CONFIG_INT, AT(field), preset, least, most, false, fixed, room, meaning },
#define TEXT(name, field, preset, fixed, room, meaning) \
    { name, CONFIG_TEXT, AT(field), preset, 0, 0, false, fixed, room, meaning },
#define SECRET(name, field, fixed, room, meaning) \
    { name, CONFIG_TEXT, AT(field), "", 0, 0, true, fixed, room, meaning },
#define REAL(name, field, preset, least, most, fixed, room, meaning) \
    { name, CONFIG_REAL, AT(field), preset, least, most, false, fixed, room, meaning },
#define QUERY(name, field, fixed, room, meaning) \
    { name, CONFIG_QUERY, AT(field), "", 0, 0, false, fixed, room, meaning },
#define MAP(name, field, fixed, room, meaning) \
    { name, CONFIG_MAP, AT(field), "", 0, 0, false, fixed, room, meaning },
#define LIST(name, field, preset, fixed, room, meaning) \
    { name, CONFIG_LIST, AT(field), preset, 0, LIST_MAX, false, fixed, room, meaning },
#define FEW(name, field, most, room, meaning) \
    { name, CONFIG_LIST, AT(field), "", 0, most, false, true, room, meaning },
#define MANY(name, field, preset, fixed, room, meaning) \
    { name, CONFIG_MANY, AT(field), preset, 0, 0, false, fixed, room, meaning },

#define GENERAL "General and HTTP"
#define STORE "Store"
#define PAIR "The pair, its pools and nodes"
#define CLUSTERS "Pools of managed clusters"
#define TIMES "Time bounds"
#define FLEET "Servers of a fleet"
#define AGENT "Agent-check answers and orders"
#define PROXY "HAProxy"
#define REDIS "Redis"
#define RAFT "Raft"
#define FIXED true
#define LIVE false

const struct config_key config_keys[] = {
    BOOL("Debug", debug, "false", LIVE, GENERAL, "Log what is usually too much.")
    TEXT("ListenAddress", listen_address, ":3000", FIXED, GENERAL, "HTTP listen address, `host:port` or `:port`.")
    TEXT("ListenSocket", listen_socket, "", FIXED, GENERAL, "HTTP on this unix socket instead of TCP.")
    TEXT("URLPrefix", url_prefix, "", FIXED, GENERAL,
         "Path in front of all web and API paths; slashes at both ends are put right.")
    TEXT("StatusEndpoint", status_endpoint, "/api/status", FIXED, GENERAL, "Path of the status check.")
    TEXT("AuthenticationMethod", authentication_method, "", FIXED, GENERAL,
         "Empty for none, `basic`, `multi` (user `readonly` may look), or `proxy` (trusts `AuthUserHeader`).")
    TEXT("HTTPAuthUser", http_auth_user, "", FIXED, GENERAL, "User for `basic` and `multi`.")
    SECRET("HTTPAuthPassword", http_auth_password, FIXED, GENERAL, "Its password.")
    TEXT("AuthUserHeader", auth_user_header, "X-Forwarded-User", LIVE, GENERAL,
         "Header that carries the user under `proxy`, in any case.")
    MANY("PowerAuthUsers", power_auth_users, "*", LIVE, GENERAL, "Users who may write under `proxy`; `*` is everybody.")
    BOOL("ReadOnly", read_only, "false", LIVE, GENERAL, "Refuse every HTTP call that changes something.")
    BOOL("UseSSL", http_uses_tls, "false", FIXED, GENERAL,
         "HTTPS on `ListenAddress`, TLS 1.2 at least. `ListenSocket` stays as it is. See docs/https.md.")
    TEXT("SSLCertFile", http_certificate_file, "", FIXED, GENERAL,
         "Certificate for `UseSSL`, PEM, those between it and its authority behind it. A reload reads the file again.")
    TEXT("SSLPrivateKeyFile", http_key_file, "", FIXED, GENERAL,
         "Its key, PEM, not encrypted, of a mode that keeps others out. A reload reads the file again.")
    TEXT("SSLCAFile", http_ca_file, "", FIXED, GENERAL,
         "Authorities, PEM: of clients' certificates under `UseMutualTLS`; of a node's own when `firstchair -c` asks it.")
    BOOL("UseMutualTLS", http_wants_certificate, "false", FIXED, GENERAL,
         "Who asks shows a certificate of one of these authorities, else 401; the status check alone needs none.")
    LIST("SSLValidOUs", http_units, "", LIVE, GENERAL,
         "Organizational units: the certificate has one of them, else 401. Empty: any certificate of these authorities.")
    BOOL("StatusOUVerify", http_status_wants_certificate, "false", LIVE, GENERAL, "The status check wants the certificate too.")
    BOOL("SSLSkipVerify", http_tls_skips_verifying, "false", FIXED, GENERAL,
         "`firstchair -c` believes whoever answers. Without effect on the door.")
    TEXT("RecordFile", record_file, "", FIXED, GENERAL, "Write every event to this file, for replay. Empty is off.")

    TEXT("BackendDB", backend_db, "", FIXED, STORE,
         "`sqlite` or `mysql`. Not given: `mysql` when `BackendServers` or `MySQLOrchestratorHost` is set, else `sqlite`.")
    TEXT("SQLite3DataFile", sqlite3_data_file, "/var/lib/firstchair/firstchair.db", FIXED, STORE, "The SQLite file.")
    TEXT("MySQLOrchestratorHost", mysql_host, "", FIXED, STORE, "Host of a store that is one MySQL address.")
    INT("MySQLOrchestratorPort", mysql_port, "3306", 1, 65535, FIXED, STORE, "Its port.")
    TEXT("MySQLOrchestratorDatabase", mysql_database, "firstchair", FIXED, STORE, "Schema of the store.")
    TEXT("MySQLOrchestratorUser", mysql_user, "", FIXED, STORE,
         "Account of the store: without SUPER and READ ONLY ADMIN, because `read_only` does not bind those.")
    SECRET("MySQLOrchestratorPassword", mysql_password, FIXED, STORE, "Its password.")
    TEXT("MySQLOrchestratorCredentialsConfigFile", mysql_credentials_file, "", FIXED, STORE,
         "File with `[client]`, `user` and `password`, in place of the two keys above.")
    BOOL("MySQLOrchestratorUseMutualTLS", store_uses_tls, "false", FIXED, STORE, "TLS for every connection to the store, of each of its accounts.")
    TEXT("MySQLOrchestratorSSLCAFile", store_ca_file, "", FIXED, STORE, "Authority that signed the servers' certificates.")
    TEXT("MySQLOrchestratorSSLCertFile", store_certificate_file, "", FIXED, STORE, "Our certificate, where servers ask for one.")
    TEXT("MySQLOrchestratorSSLPrivateKeyFile", store_key_file, "", FIXED, STORE, "Its key.")
    BOOL("MySQLOrchestratorSSLSkipVerify", store_tls_skips_verifying, "false", FIXED, STORE,
         "Believe whoever answers: TLS then helps against listening in alone.")
    INT("MySQLConnectTimeoutSeconds", mysql_connect_timeout_seconds, "2", 1, 60, FIXED, STORE, "Bound of a connect.")
    INT("MySQLOrchestratorReadTimeoutSeconds", mysql_read_timeout_seconds, "30", 1, 3600, FIXED, STORE,
        "Bound of one slow statement of the store; probes and leases have bounds of their own.")

    TEXT("Role", role, "node", FIXED, PAIR,
         "`node`, or `witness`: a voter of the quorum that looks at no MySQL server. It has no store and uses no account, answers HAProxy by "
         "what raft's log and the leader tell it, and hands leadership to a node at once. Of `BackendServers` it needs the names.")
    TEXT("NodeName", node_name, "", FIXED, PAIR, "Name of this node as it stands in `Nodes`. Empty: the host name.")
    FEW("Nodes", nodes, NODES_MAX, PAIR,
         "All nodes: `name=host:port/agentport`, the HTTP address and the agent-check port.")
    FEW("BackendServers", backend_servers, STORE_SERVERS_MAX, PAIR,
         "Our own MySQL servers, two or more: `name=host:port`, the preferred one first.")
    TEXT("BackendFenceUser", fence_user, "", FIXED, PAIR,
         "Account that sets `read_only` and ends sessions on the servers of the pair; not the store's account.")
    SECRET("BackendFencePassword", fence_password, FIXED, PAIR, "Its password.")
    TEXT("BackendFenceCredentialsConfigFile", fence_credentials_file, "", FIXED, PAIR,
         "File with `[client]`, `user` and `password`, in place of the two keys above.")
    TEXT("BackendPool", backend_pool, "fc_backend", FIXED, PAIR, "HAProxy backend of the pair.")
    TEXT("LeaderPool", leader_pool, "fc_leader", FIXED, PAIR, "HAProxy backend of the leading node's HTTP.")
    TEXT("SteeringArbitration", steering_arbitration, "auto", FIXED, PAIR,
         "Who decides about the chair. `quorum`: the majority of `RaftNodes`. `local`: the lease on the pair. `auto`: the quorum when "
         "`RaftEnabled` is true, else `local`.")
    TEXT("FailureDetectionQuorum", failure_detection_quorum, "auto", LIVE, PAIR,
         "Which share of `Nodes` must have lost a server before the leader acts on its death. `none`: its own look. `any`: one other node. "
         "`majority`: more than half. `auto`: `majority` from three nodes on, where one may be missing; else `none`.")
    TEXT("SteeringTermOver", steering_term_over, "closed", FIXED, PAIR,
         "When a term ends unrenewed: `closed` takes the server out, `freeze` leaves HAProxy as it is.")

    LIST("ClusterServers", cluster_servers, "", FIXED, CLUSTERS,
         "Servers of managed clusters, as HAProxy is to name and reach them: `CLUSTER/NAME=host:port`. They are looked at like `DiscoverySeeds`.")
    FEW("WriterPools", writer_pools, CLUSTER_POOLS_MAX, CLUSTERS,
         "`POOL=CLUSTER@host:port`: an HAProxy backend whose one usable server is the writeable master of the cluster; the address is where "
         "HAProxy offers it (printed).")
    FEW("ReaderPools", reader_pools, CLUSTER_POOLS_MAX, CLUSTERS,
         "`POOL=CLUSTER@host:port`: an HAProxy backend of those that are fit to read, weighed by their lag.")
    INT("ReaderMaxLagSeconds", reader_max_lag_seconds, "10", 0, YEAR_SECONDS, LIVE, CLUSTERS,
        "A replica further behind gets no new sessions; it comes back at half of that.")
    INT("ReaderFloor", reader_floor, "1", 0, 9, LIVE, CLUSTERS,
        "So many replicas of a readers' pool stay usable, the nearest first, however far behind they are.")
    TEXT("ClusterRelayListen", cluster_relay_listen, "127.0.0.1:9379", FIXED, CLUSTERS,
         "Where the checks of these pools reach the node that leads, through HAProxy (printed).")

    INT("BackendPollMilliseconds", poll_ms, "200", 20, 60000, LIVE, TIMES, "Between two looks at a server of the store.")
    INT("BackendProbeTimeoutMilliseconds", probe_timeout_ms, "500", 10, 60000, LIVE, TIMES,
        "Silence after which one look is lost.")
    INT("BackendCheckSeconds", check_seconds, "60", 1, 86400, LIVE, TIMES,
        "Between two checks of what this mode needs of the servers of the pair; also after each reconnect, and on order.")
    INT("LeaseMilliseconds", lease_ms, "2000", 100, HOUR_MS, FIXED, TIMES,
        "How long a lease must stand unchanged before another node takes over. The same on all nodes.")
    INT("LeaseRenewMilliseconds", lease_renew_ms, "400", 20, HOUR_MS, FIXED, TIMES,
        "Between two renewals; less than half of the lease.")
    INT("LeaseDriftPercent", drift_percent, "10", 0, 50, FIXED, TIMES, "How much two clocks may differ in speed.")
    INT("TermMilliseconds", term_ms, "1500", 50, HOUR_MS, FIXED, TIMES,
        "How long after a renewal this node may name the first; shorter than the lease by the drift.")
    INT("ChairDwellMilliseconds", dwell_ms, "3000", 0, HOUR_MS, LIVE, TIMES,
        "How long a server sits at least before an automatic failback takes the chair from it. A lost one is replaced at once.")
    INT("FenceTimeoutMilliseconds", fence_timeout_ms, "2000", 100, 600000, LIVE, TIMES,
        "How long setting `read_only` may hang before sessions are ended and it is tried again.")
    INT("MoveLimitMilliseconds", move_limit_ms, "10000", 1000, HOUR_MS, LIVE, TIMES,
        "Bound of one move; overdue, it is finished or given back.")
    INT("FailbackAfterSeconds", failback_after_seconds, "0", 0, YEAR_SECONDS, LIVE, TIMES,
        "Return to the preferred server after it was well for so long. 0 is never.")
    INT("FailbackMaxPerHour", failback_max_per_hour, "2", 0, 60, LIVE, TIMES, "Bound of such returns.")
    INT("MaxSeatLagSeconds", max_seat_lag_seconds, "30", 0, YEAR_SECONDS, LIVE, TIMES,
        "A server further behind than this when last seen is seated marked `stale`.")
    INT("YieldPauseMilliseconds", yield_pause_ms, "5000", 0, HOUR_MS, LIVE, TIMES,
        "How long a node that gave the lease back does not stand again.")

    TEXT("AgentListenAddress", agent_listen_address, ":9377", FIXED, AGENT, "Agent-check listener. Empty is off.")
    TEXT("AgentListenSocket", agent_listen_socket, "", FIXED, AGENT, "The same on a unix socket. Empty is off.")
    LIST("AgentFixedPorts", agent_fixed_ports, "", FIXED, AGENT,
         "`port=pool/server`: ports bound to one server, for checks that send nothing.")
    LIST("AgentAllowedSources", agent_allowed_sources, "", FIXED, AGENT,
         "Networks that may ask. Empty: loopback and the hosts of `Nodes` and `HAProxyInstances`.")
    INT("AgentClientsMax", agent_clients_max, "512", 8, 65536, FIXED, AGENT, "Connections served at one time.")
    TEXT("OrderSocket", order_socket, "/run/firstchair/order.sock", FIXED, AGENT, "Unix socket of firstchairctl.")
    LIST("OrderUsers", order_users, "", FIXED, AGENT,
         "Users (names or numbers) who may give orders beside root and firstchair's own.")

    FEW("HAProxyInstances", haproxy_instances, PROXIES_MAX, PROXY,
         "Runtime sockets of all HAProxies: `name=/path` or `name=host:port`; the name is what that HAProxy sends as its own.")
    INT("HAProxyPollMilliseconds", haproxy_poll_ms, "500", 50, 60000, LIVE, PROXY, "Between two readings of their view.")
    BOOL("HAProxyPush", haproxy_push, "true", LIVE, PROXY,
         "After a change write to the runtime sockets too; what is written is what the answers say.")
    INT("AgentInterMilliseconds", agent_inter_ms, "200", 20, 60000, FIXED, PROXY, "Between two agent polls (printed).")
    INT("TokenCheckMilliseconds", check_inter_ms, "300", 50, 60000, FIXED, PROXY,
        "Between two token checks (printed; the unfenced wait counts with it).")
    INT("TokenCheckFall", check_fall, "5", 2, 100, FIXED, PROXY, "Failed token checks that take a server out.")
    INT("TokenCheckTimeoutMilliseconds", check_timeout_ms, "100", 10, 60000, FIXED, PROXY, "Bound of one token check.")
    INT("HAProxyHardStopSeconds", hard_stop_seconds, "10", 1, 86400, FIXED, PROXY,
        "How long a process left behind by a reload may keep its sessions.")
    INT("HoldTheDoorMilliseconds", hold_the_door_ms, "2000", 0, 60000, FIXED, PROXY,
        "How long a new connection waits while nobody sits. 0: it is closed at once.")
    TEXT("BackendListen", backend_listen, "127.0.0.1:3306", FIXED, PROXY, "Where HAProxy offers the pair (printed).")
    TEXT("LeaderListen", leader_listen, "127.0.0.1:80", FIXED, PROXY, "Where HAProxy offers the leader (printed).")
    TEXT("RelayListen", relay_listen, "127.0.0.1:9378", FIXED, PROXY,
         "Where HAProxy's checks reach the nodes through HAProxy (printed).")
    TEXT("HAProxySocket", haproxy_socket, "/run/haproxy/admin.sock", FIXED, PROXY, "The runtime socket (printed).")
    TEXT("HAProxyStateFile", haproxy_state_file, "/run/haproxy/server-state", FIXED, PROXY,
         "State over reloads (printed). In /run, so that a reboot forgets it.")
    TEXT("HAProxyDoorScript", haproxy_door_script, "", FIXED, PROXY,
         "Where door.lua lies (`firstchair haproxy-config door.lua` prints it). With it a connection that waits while the "
         "chair moves is let in soon after; without it, after the whole of HoldTheDoorMilliseconds.")

    BOOL("RaftEnabled", raft_enabled, "false", FIXED, RAFT,
         "The nodes of `RaftNodes` agree by raft who leads; each has a store of its own. With `BackendServers` the pair is the store of "
         "all, and raft decides about its chair.")
    FEW("RaftNodes", raft_nodes, RAFT_NODES_MAX, RAFT,
         "All nodes of the group with this one: `name=host`, `name=host:port` or `host`; the name is that node's `NodeName`. Empty: one node alone.")
    TEXT("RaftBind", raft_bind, "127.0.0.1:10008", FIXED, RAFT, "Where peers are listened to, `host` or `host:port`.")
    TEXT("RaftAdvertise", raft_advertise, "", FIXED, RAFT,
         "Shown as this node's raft address. Empty: that of `RaftNodes`. Peers go by the name, never by the address alone.")
    TEXT("RaftDataDir", raft_data_dir, "", FIXED, RAFT,
         "Directory of the log, its snapshots and this node's identity. Made when it is not there. Never copied to another node.")
    INT("DefaultRaftPort", raft_port, "10008", 1, 65535, FIXED, RAFT, "Port of addresses without one.")
    TEXT("RaftClusterName", raft_cluster_name, "firstchair", FIXED, RAFT, "Peers of another cluster are turned away.")
    INT("RaftElectionMilliseconds", raft_election_ms, "500", 200, 60000, FIXED, RAFT,
        "A follower stands after one to two of these without a leader. A leader's lease is three quarters of it. The same on all nodes.")
    INT("RaftSnapshotEntries", raft_snapshot_entries, "1024", 16, 1000000, FIXED, RAFT,
        "So many new entries in the log, and a snapshot takes the place of older ones; so many more stay for nodes that were away.")
    TEXT("RaftPeerKeyFile", raft_peer_key_file, "", FIXED, RAFT,
         "File with the key that all peers share, at least 16 bytes of text, mode 0640 or less. Empty: the environment's "
         "`FIRSTCHAIR_PEER_KEY`. It proves who is a peer and is never sent.")

    TEXT("MySQLTopologyUser", topology_user, "", FIXED, FLEET,
         "Account by which servers of a fleet are looked at ([privileges](support.md)). Empty: no fleet is looked at.")
    SECRET("MySQLTopologyPassword", topology_password, FIXED, FLEET, "Its password.")
    TEXT("MySQLTopologyCredentialsConfigFile", topology_credentials_file, "", FIXED, FLEET,
         "File with `[client]`, `user` and `password`, in place of the two keys above.")
    TEXT("MySQLTopologySSLCAFile", topology_ca_file, "", FIXED, FLEET, "Authority that signed the servers' certificates.")
    TEXT("MySQLTopologySSLCertFile", topology_certificate_file, "", FIXED, FLEET, "Our certificate, where servers ask for one.")
    TEXT("MySQLTopologySSLPrivateKeyFile", topology_key_file, "", FIXED, FLEET, "Its key.")
    BOOL("MySQLTopologySSLSkipVerify", topology_tls_skips_verifying, "false", FIXED, FLEET,
         "Believe whoever answers: TLS then helps against listening in alone.")
    BOOL("MySQLTopologyUseMutualTLS", topology_always_tls, "false", FIXED, FLEET, "TLS for every connection.")
    BOOL("MySQLTopologyUseMixedTLS", topology_mixed_tls, "true", FIXED, FLEET,
         "Without TLS first; with it where a server refuses that.")
    INT("MySQLDiscoveryReadTimeoutSeconds", discovery_read_timeout_seconds, "10", 1, 600, FIXED, FLEET,
        "Bound of all reading of one look, behind `MySQLConnectTimeoutSeconds`.")
    INT("DefaultInstancePort", default_instance_port, "3306", 1, 65535, FIXED, FLEET, "Port of a server that is named without one.")
    INT("MySQLConnectionLifetimeSeconds", topology_connection_life_seconds, "0", 0, YEAR_SECONDS, FIXED, FLEET,
        "A session of a look is made anew after so long. 0 is never.")
    BOOL("AuditToBackendDB", audit_to_backend, "false", LIVE, FLEET, "Orders about the fleet that were done are kept in the table `audit`.")
    INT("AuditPurgeDays", audit_purge_days, "7", 1, 36500, FIXED, FLEET, "How long audit, detections and recoveries are kept.")
    MANY("ProblemIgnoreHostnameFilters", problem_ignored, "", LIVE, FLEET,
         "Patterns; servers whose host name fits one are left out of `problems`.")
    MANY("RecoveryIgnoreHostnameFilters", recovery_ignored, "", LIVE, FLEET,
         "Patterns; servers whose host name fits one are left out of analyses, and of the log of how findings change.")
    MANY("OSCIgnoreHostnameFilters", osc_ignored, "", LIVE, FLEET,
         "Patterns; servers whose host name fits one do not stand for their cluster's lag.")
    BOOL("SupportFuzzyPoolHostnames", finds_pool_members, "true", LIVE, FLEET,
         "A server of a submitted pool may be named in part, where only one fits.")
    INT("InstancePoolExpiryMinutes", pool_expire_minutes, "60", 1, 525600, LIVE, FLEET, "Life of a pool after it was last submitted.")
    INT("InstanceFlushIntervalMilliseconds", fleet_flush_ms, "100", 1, 60000, FIXED, FLEET,
        "For so long what was seen of servers is gathered before it is written.")
    INT("SnapshotTopologiesIntervalHours", snapshot_hours, "0", 0, 8760, LIVE, FLEET,
        "Who replicates from whom is kept as history each so many hours of the clock (UTC). 0: only when ordered. The table is never emptied.")
    MANY("DiscoverySeeds", discovery_seeds, "", FIXED, FLEET, "`host:port` of servers to begin with.")
    INT("DiscoveryMaxConcurrency", discovery_max_concurrency, "300", 2, 10000, LIVE, FLEET, "Looks under way at one time.")
    INT("DiscoveryQueueCapacity", discovery_capacity, "100000", 1, 200000, LIVE, FLEET, "Servers that are looked at; more are refused.")
    INT("InstancePollSeconds", instance_poll_seconds, "5", 1, 3600, LIVE, FLEET,
        "Between two looks at a server. Servers are spread evenly over it.")
    INT("ReasonableInstanceCheckSeconds", reasonable_check_seconds, "1", 1, 600, LIVE, FLEET,
        "A look that hangs for longer counts against the server at once.")
    INT("UnseenInstanceForgetHours", unseen_forget_hours, "240", 0, 87600, LIVE, FLEET,
        "A server that was not seen for so long is forgotten. 0 is never.")
    REAL("DeadInstancePollSecondsMultiplyFactor", dead_factor, "1", 1, 10, LIVE, FLEET,
         "A server that does not answer and that nobody replicates from is looked at less and less often: each wait times this.")
    INT("DeadInstancePollSecondsMax", dead_poll_seconds_max, "300", 1, 86400, LIVE, FLEET, "The longest such wait.")
    INT("DeadInstanceDiscoveryMaxConcurrency", dead_max_concurrency, "0", 0, 9999, LIVE, FLEET,
        "Looks under way at one time at servers that do not answer, of `DiscoveryMaxConcurrency`. 0: half of them.")
    MANY("DiscoveryIgnoreHostnameFilters", ignore_servers, "", LIVE, FLEET,
         "Servers that are never looked at: a pattern in `host:port`, or an address that is the host.")
    MANY("DiscoveryIgnoreReplicaHostnameFilters", ignore_replicas, "", LIVE, FLEET, "The same, of servers that a master lists.")
    MANY("DiscoveryIgnoreMasterHostnameFilters", ignore_masters, "", LIVE, FLEET, "The same, of servers that a replica names.")
    MANY("DiscoveryIgnoreReplicationUsernameFilters", ignore_users, "", LIVE, FLEET,
         "Patterns: a server that replicates by such an account is passed over.")
    TEXT("HostnameResolveMethod", resolve_method, "default", LIVE, FLEET,
         "`none`, `default` (as named), `cname`, `ip`: looked up where the server itself tells no name.")
    TEXT("MySQLHostnameResolveMethod", mysql_resolve_method, "@@hostname", LIVE, FLEET,
         "`none`, `@@hostname`, `@@report_host`: the server's own name, taken when the same server answers there.")
    TEXT("RejectHostnameResolvePattern", reject_resolve_pattern, "", LIVE, FLEET, "Names that fit are not taken.")
    INT("ExpiryHostnameResolvesMinutes", resolves_expire_minutes, "60", 1, 525600, LIVE, FLEET,
        "A name that was not taken is tried again after so long.")
    INT("ReasonableReplicationLagSeconds", reasonable_lag_seconds, "10", 1, YEAR_SECONDS, LIVE, FLEET, "A replica further behind has a problem.")
    INT("ReasonableMaintenanceReplicationLagSeconds", maintenance_lag_seconds, "20", 1, YEAR_SECONDS, LIVE, FLEET,
        "A replica further behind is shown as lagging, and not moved.")
    INT("ReasonableLockedSemiSyncMasterSeconds", locked_semi_sync_seconds, "0", 0, YEAR_SECONDS, LIVE, FLEET,
        "A master that waits for acknowledgements for so long is locked. 0: `ReasonableReplicationLagSeconds`.")
    BOOL("EnforceExactSemiSyncReplicas", wants_exact_semi_sync, "false", LIVE, FLEET, "More acknowledging replicas than waited for are a finding.")
    BOOL("RecoverNonWriteableMaster", wants_writeable_master, "false", LIVE, FLEET, "A master that is read only is a finding.")
    INT("CandidateInstanceExpireMinutes", candidate_expire_minutes, "60", 1, 525600, LIVE, FLEET, "Life of a promotion rule after it was last said.")
    QUERY("ReplicationLagQuery", lag_query, LIVE, FLEET, "Lag in seconds, one row, one column. Empty: the server's own `Seconds_Behind_Master`.")
    QUERY("SlaveLagQuery", lag_query_old, LIVE, FLEET, "The older name of `ReplicationLagQuery`.")
    MAP("ClusterNameToAlias", cluster_aliases, LIVE, FLEET, "A pattern in the cluster's name, and the alias it has then.")
    TEXT("DataCenterPattern", data_center_pattern, "", LIVE, FLEET, "Pattern on the host name whose first group is the data center.")
    TEXT("RegionPattern", region_pattern, "", LIVE, FLEET, "The same for the region.")
    TEXT("PhysicalEnvironmentPattern", environment_pattern, "", LIVE, FLEET, "The same for the environment.")
    QUERY("DetectClusterAliasQuery", detect_cluster_alias, LIVE, FLEET, "Asked with each look: the alias of its cluster. One row, one column, as all of these.")
    QUERY("DetectClusterDomainQuery", detect_cluster_domain, LIVE, FLEET, "The name by which applications reach the cluster.")
    QUERY("DetectInstanceAliasQuery", detect_instance_alias, LIVE, FLEET, "The server's name for people.")
    QUERY("DetectPromotionRuleQuery", detect_promotion_rule, LIVE, FLEET, "`prefer`, `neutral`, `prefer_not` or `must_not`.")
    QUERY("DetectDataCenterQuery", detect_data_center, LIVE, FLEET, "The data center; before the pattern.")
    QUERY("DetectRegionQuery", detect_region, LIVE, FLEET, "The region; before the pattern.")
    QUERY("DetectPhysicalEnvironmentQuery", detect_environment, LIVE, FLEET, "The environment; before the pattern.")
    QUERY("DetectSemiSyncEnforcedQuery", detect_semi_sync, LIVE, FLEET, "Semi-sync priority: 0 is asynchronous, up to 255.")

    TEXT("RedisAddress", redis_address, "", FIXED, REDIS, "`host:port` or a unix path. Empty is off.")
    SECRET("RedisPassword", redis_password, FIXED, REDIS, "Password for AUTH.")
    TEXT("RedisPrefix", redis_prefix, "firstchair:", FIXED, REDIS, "In front of all keys and channels.")
    INT("RedisTTLSeconds", redis_ttl_seconds, "10", 2, 86400, LIVE, REDIS, "Life of a published fact that is not renewed.")
    INT("RedisStreamMax", redis_stream_max, "1000", 1, 1000000, LIVE, REDIS, "Entries kept in the event stream.")
};
const size_t config_key_count = sizeof config_keys / sizeof config_keys[0];

#define NO_RECOVERY "recovery of managed clusters is not in this version"
#define NO_HOOKS "hooks are not in this version"
#define NO_KV "key-value stores are not in this version; see RedisAddress"
#define NO_AUDIT "audit goes to the store only (AuditToBackendDB); see RecordFile and the log, too"
#define NO_PSEUDO "Pseudo-GTID is not supported"
#define NO_SEEDS "orchestrator's agents are not supported"
#define NO_GRAPHITE "graphite is not supported; see the metrics endpoint"
#define NO_PAGE "the page has no such setting"
#define CONSTANT "formally deprecated, a constant since long"
#define NO_POOL "the store keeps few standing connections of its own"

const struct config_known config_known[] = {
    { "EnableSyslog", "the log goes to standard error; the service manager keeps it" },
    { "HTTPAdvertise", "a follower hands orders to the leader over raft's own streams" }, { "WebMessage", NO_PAGE },
    { "RemoveTextFromHostnameDisplay", NO_PAGE },
    { "PrependMessagesWithOrcIdentity", NO_PAGE }, { "CustomOrcIdentity", NO_PAGE },

    { "PowerAuthGroups", "unix groups are not looked up; see PowerAuthUsers" },
    { "AccessTokenUseExpirySeconds", "tokens are not in this version" },
    { "AccessTokenExpiryMinutes", "tokens are not in this version" },
    { "OAuthClientId", "never had an effect" }, { "OAuthClientSecret", "never had an effect" },
    { "OAuthScopes", "never had an effect" },

    { "SkipOrchestratorDatabaseUpdate", "the schema is always brought up to date" },
    { "PanicIfDifferentDatabaseDeploy", "the schema is always brought up to date" },
    { "MySQLOrchestratorMaxPoolConnections", NO_POOL }, { "MySQLOrchestratorRejectReadOnly", NO_POOL },
    { "MySQLOrchestratorMaxAllowedPacket", NO_POOL },
    { "BufferInstanceWrites", "what was seen of servers is always gathered and written behind" },
    { "InstanceWriteBufferSize", "a statement writes up to 100 servers, or refreshes up to 500" },

    { "TLSCacheTTLFactor", "that a server wants TLS is kept while it answers" },
    { "MySQLTopologyMaxAllowedPacket", "a server that sends more than 1 MB in one packet is not believed" }, { "MySQLTopologyReadTimeoutSeconds", NO_RECOVERY },
    { "ReplicationCredentialsQuery", NO_RECOVERY }, { "UseSuperReadOnly", "super_read_only is set wherever it exists" },
    { "MaxConcurrentReplicaOperations", NO_RECOVERY }, { "InstanceBulkOperationsWaitTimeoutSeconds", NO_RECOVERY },
    { "VerifyReplicationFilters", NO_RECOVERY }, { "LowerReplicaVersionAllowed", NO_RECOVERY },
    { "SkipMaxScaleCheck", "MaxScale is not supported" },

    { "DiscoverByShowSlaveHosts", "the list of replicas is always asked for; the process list where that is refused or lacks hosts" },
    { "DiscoveryQueueMaxStatisticsSize", "numbers of looks are in /metrics" }, { "DiscoveryCollectionRetentionSeconds", "numbers of looks are in /metrics" },
    
    { "EnableDiscoveryFiltersLogs", "what filters pass over is counted in /metrics" }, 
    { "DeadInstanceDiscoveryLogsEnabled", "the debug log has them" }, 
    
    { "SkipBinlogServerUnresolveCheck", "binlog servers have no rule of their own" },
    

    
    
    
    { "PromotionIgnoreHostnameFilters", NO_RECOVERY },

    { "ReduceReplicationAnalysisCount", NO_RECOVERY }, { "FailureDetectionPeriodBlockMinutes", NO_RECOVERY },
    { "RecoveryPeriodBlockSeconds", NO_RECOVERY }, { "RecoveryPeriodBlockMinutes", NO_RECOVERY },
    { "RecoverMasterClusterFilters", NO_RECOVERY },
    { "RecoverIntermediateMasterClusterFilters", NO_RECOVERY }, { "ProcessesShellCommand", NO_HOOKS },
    { "OnFailureDetectionProcesses", NO_HOOKS }, { "PreGracefulTakeoverProcesses", NO_HOOKS },
    { "PreFailoverProcesses", NO_HOOKS }, { "PostFailoverProcesses", NO_HOOKS },
    { "PostUnsuccessfulFailoverProcesses", NO_HOOKS }, { "PostMasterFailoverProcesses", NO_HOOKS },
    { "PostIntermediateMasterFailoverProcesses", NO_HOOKS }, { "PostGracefulTakeoverProcesses", NO_HOOKS },
    { "PostTakeMasterProcesses", NO_HOOKS }, 
    { "CoMasterRecoveryMustPromoteOtherCoMaster", NO_RECOVERY }, { "DetachLostSlavesAfterMasterFailover", NO_RECOVERY },
    { "DetachLostReplicasAfterMasterFailover", NO_RECOVERY }, { "ApplyMySQLPromotionAfterMasterFailover", NO_RECOVERY },
    { "PreventCrossDataCenterMasterFailover", NO_RECOVERY }, { "PreventCrossRegionMasterFailover", NO_RECOVERY },
    { "MasterFailoverLostInstancesDowntimeMinutes", NO_RECOVERY }, { "MasterFailoverDetachSlaveMasterHost", NO_RECOVERY },
    { "MasterFailoverDetachReplicaMasterHost", NO_RECOVERY }, { "FailMasterPromotionOnLagMinutes", NO_RECOVERY },
    { "FailMasterPromotionIfSQLThreadNotUpToDate", NO_RECOVERY },
    { "DelayMasterPromotionIfSQLThreadNotUpToDate", NO_RECOVERY }, { "PostponeSlaveRecoveryOnLagMinutes", NO_RECOVERY },
    { "PostponeReplicaRecoveryOnLagMinutes", NO_RECOVERY }, 
    { "RecoverLockedSemiSyncMaster", NO_RECOVERY }, 

    { "AuditLogFile", NO_AUDIT }, { "AuditToSyslog", NO_AUDIT },

    { "ExpectFailureAnalysisConcensus", NO_RECOVERY },

    { "KVClusterMasterPrefix", NO_KV }, { "ConsulAddress", NO_KV }, { "ConsulScheme", NO_KV }, { "ConsulAclToken", NO_KV },
    { "ConsulCrossDataCenterDistribution", NO_KV }, { "ConsulKVStoreProvider", NO_KV },
    { "ConsulMaxKVsPerTransaction", NO_KV }, { "ZkAddress", NO_KV },

    { "AutoPseudoGTID", NO_PSEUDO }, { "PseudoGTIDPattern", NO_PSEUDO }, { "PseudoGTIDPatternIsFixedSubstring", NO_PSEUDO },
    { "PseudoGTIDMonotonicHint", NO_PSEUDO }, { "DetectPseudoGTIDQuery", NO_PSEUDO }, { "BinlogEventsChunkSize", NO_PSEUDO },
    { "SkipBinlogEventsContaining", NO_PSEUDO },

    { "ServeAgentsHttp", NO_SEEDS }, { "AgentsServerPort", NO_SEEDS }, { "AgentsUseSSL", NO_SEEDS },
    { "AgentsUseMutualTLS", NO_SEEDS }, { "AgentSSLSkipVerify", NO_SEEDS }, { "AgentSSLPrivateKeyFile", NO_SEEDS },
    { "AgentSSLCertFile", NO_SEEDS }, { "AgentSSLCAFile", NO_SEEDS }, { "AgentSSLValidOUs", NO_SEEDS },
    { "AgentPollMinutes", NO_SEEDS }, { "UnseenAgentForgetHours", NO_SEEDS }, { "StaleSeedFailMinutes", NO_SEEDS },
    { "SeedAcceptableBytesDiff", NO_SEEDS }, { "SeedWaitSecondsBeforeSend", NO_SEEDS },

    { "GraphiteAddr", NO_GRAPHITE }, { "GraphitePath", NO_GRAPHITE },
    { "GraphiteConvertHostnameDotsToUnderscores", NO_GRAPHITE }, { "GraphitePollSeconds", NO_GRAPHITE },

    { "StatusSimpleHealth", CONSTANT }, { "DatabaselessMode__experimental", CONSTANT }, { "BufferBinlogEvents", CONSTANT },
    { "BinlogFileHistoryDays", CONSTANT }, { "MaintenanceOwner", CONSTANT }, { "ReadLongRunningQueries", CONSTANT },
    { "DiscoveryPollSeconds", CONSTANT }, { "ActiveNodeExpireSeconds", "see LeaseMilliseconds" },
    { "AuditPageSize", CONSTANT }, { "SlaveStartPostWaitMilliseconds", CONSTANT },
    { "MySQLTopologyMaxPoolConnections", CONSTANT }, { "MaintenancePurgeDays", CONSTANT },
    { "MaintenanceExpireMinutes", CONSTANT }, { "HttpTimeoutSeconds", CONSTANT }, { "AgentAutoDiscover", CONSTANT },
    { "PseudoGTIDCoordinatesHistoryHeuristicMinutes", CONSTANT }, { "PseudoGTIDPreferIndependentMultiMatch", CONSTANT },
    { "MaxOutdatedKeysToShow", CONSTANT },
};
const size_t config_known_count = sizeof config_known / sizeof config_known[0];
