/* What one probe saw of one server of a fleet: facts as the server told them, nothing judged.
 *
 * Each fact belongs to a reading (one statement of the probe). A probe in which some reading could not be had is a probe all
 * the same: `missing` names the reading, `trouble` says why, and the facts of that reading are zero ("not known"), never old
 * values in new clothes. instance_carry() takes them from the observation before, for whoever wants them.
 *
 * Texts, channels, replicas and members are borrowed: they live as long as what the observation was made of. instance_keep()
 * makes one block that owns all of it. NULL reads as the empty text (text_is() takes both). Spans are in the unit at the end
 * of the name; -1 is "the server says NULL". The column names of `database_instance` are in spec/schema.md 4.1. */
#ifndef FC_MODEL_INSTANCE_H
#define FC_MODEL_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/moment.h"
#include "base/room.h"
#include "model/coordinates.h"
#include "model/look.h"          /* thread_state, loss, probe_phase */

#define INSTANCE_HOST_MAX 127         /* bytes of a host name: hostname is varchar(128) in every backend */
#define INSTANCE_CHANNELS_MAX 64      /* replication channels of one server; more are not kept */
#define INSTANCE_REPLICAS_MAX 16384   /* replicas listed by one server */
#define INSTANCE_MEMBERS_MAX 64       /* a replication group has at most 9 */

struct instance_key {
    const char *host;                 /* a name or an address, without port; IPv6 without brackets */
    uint16_t port;
};

enum flavour { FLAVOUR_UNKNOWN = 0, FLAVOUR_MARIADB, FLAVOUR_MYSQL, FLAVOUR_PERCONA, FLAVOUR_MAXSCALE, FLAVOUR_COUNT };

/* One bit a reading in `wanted`, `missing`. Each is one statement of the probe (backends/mysql/mysql_dialect.c). */
enum reading {
    READING_SETTINGS = 0,     /* versions, ids, read_only, binary log, GTID variables: without it there is no observation */
    READING_REPLICATION,      /* channels */
    READING_LOG_POSITION,     /* written */
    READING_SEMI_SYNC,        /* semi_sync, settings and status */
    READING_UPTIME,
    READING_REPLICA_LIST,     /* replicas that registered (SHOW SLAVE HOSTS / SHOW REPLICAS) */
    READING_DUMP_THREADS,     /* replicas that are being sent to (process list) */
    READING_CREDENTIALS,      /* may replication's password be read? (Oracle, mysql.slave_master_info) */
    READING_GROUP,            /* group replication (Oracle 8.0 on) */
    READING_COUNT
};
#define READING_BIT(reading) (1u << (reading))
#define READINGS_BY_CHOICE READING_BIT(READING_CREDENTIALS)      /* an account need not be permitted these: their want is no problem */

enum gtid_use { GTID_UNUSED = 0, GTID_AUTO_POSITION, GTID_SLAVE_POS, GTID_CURRENT_POS };     /* the latter two: MariaDB */

/* TLS of a channel, repeated by every later CHANGE MASTER: losing one of these is an outage. */
struct channel_tls {
    bool is_allowed, verifies_server, gets_public_key;
    const char *ca_file, *ca_path, *certificate, *cipher, *key, *crl, *crl_path;
    const char *versions, *cipher_suites, *public_key_path;
};

struct channel_seen {
    const char *name;                 /* "" = the default one */
    struct instance_key master;       /* as configured here, not resolved; host "" or "_" after a reset */
    const char *user;                 /* replication's account at the master */
    enum thread_state io, sql;        /* io CONNECTING: asked for, and the master is not reached */
    const char *io_state, *sql_state; /* the threads' own words */
    unsigned io_error_number, sql_error_number;
    const char *io_error, *sql_error;
    struct coordinates read;          /* of the master's log: fetched */
    struct coordinates applied;       /* of the master's log: executed */
    struct coordinates relay;         /* of the own relay log: executed */
    int64_t lag_s;                    /* Seconds_Behind_Master, or what ReplicationLagQuery told in its place; -1 NULL */
    int64_t delay_s;                  /* SQL_Delay asked for; 0 none */
    int64_t delay_left_s;             /* SQL_Remaining_Delay; -1 NULL: it does not wait for that now */
    int64_t connect_retry_s;
    uint32_t master_server_id;
    const char *master_uuid;          /* Oracle */
    enum gtid_use gtid_use;
    const char *gtid_received;        /* MariaDB Gtid_IO_Pos, Oracle Retrieved_Gtid_Set */
    bool has_filters;                 /* any Replicate_Do/Ignore/Wild/Rewrite/Domain rule */
    const char *do_domains, *ignore_domains;      /* MariaDB Replicate_Do_Domain_Ids, Replicate_Ignore_Domain_Ids */
    const char *parallel_mode;        /* MariaDB */
    struct channel_tls tls;
};

/* How a server knows a replica of its own. A replica that does not say report_host registers without a host: it is completed
 * when all dump threads come from one host, else only its port is known. */
#define LISTED_REGISTERED 1u          /* SHOW SLAVE HOSTS */
#define LISTED_THREAD 2u              /* it is being sent to; its port is not told: 0 */

struct replica_listed {
    struct instance_key key;
    unsigned how;                     /* LISTED_* */
    uint32_t server_id;               /* 0 not told */
    const char *uuid, *user;          /* "" not told */
};

struct member_seen {
    struct instance_key key;
    const char *uuid, *state, *role;  /* ONLINE RECOVERING OFFLINE ERROR UNREACHABLE; PRIMARY SECONDARY */
};

struct semi_sync_seen {
    bool is_available;                /* the variables are there: built in (MariaDB), or the plugin is loaded */
    bool has_new_master_names, has_new_replica_names;      /* rpl_semi_sync_source_*, rpl_semi_sync_replica_*: SET the same */
    bool is_master_enabled, is_master_active, is_replica_enabled, is_replica_active;   /* active: Rpl_semi_sync_*_status ON */
    bool waits_without_replicas;      /* rpl_semi_sync_master_wait_no_slave */
    uint64_t timeout_ms;
    uint32_t wait_count;              /* replicas that must acknowledge; MariaDB has no such variable: 1 */
    uint32_t clients;
    const char *wait_point;           /* AFTER_SYNC, AFTER_COMMIT */
};

struct gtid_seen {
    /* Oracle */
    const char *mode;                 /* gtid_mode: ON, OFF, ON_PERMISSIVE, OFF_PERMISSIVE; "" elsewhere */
    const char *executed, *purged;    /* sets (model/gtid.h) */
    bool is_enforced;                 /* enforce_gtid_consistency ON */
    /* MariaDB */
    uint32_t domain;
    bool is_strict;
    const char *slave_position, *binlog_position, *current_position;     /* one place a domain */
    const char *binlog_state;         /* the last place of each server in each domain */
};

struct instance_seen {
    struct instance_key key;          /* as asked */
    const char *host_name, *report_host;          /* @@hostname, @@report_host: what resolving by server uses */
    uint16_t report_port;             /* @@report_port, 0 none */

    unsigned wanted;                  /* readings that this kind of server has */
    unsigned missing;                 /* those of them that this probe did not get */
    unsigned denied;                  /* those of them for want of a privilege */
    const char *trouble;              /* why the first one is missing, as one sentence; "" = nothing is missing */

    enum flavour flavour;
    unsigned version;                 /* major * 10000 + minor * 100 + patch: 101106 is 10.11.6 */
    const char *version_text, *version_comment;
    uint32_t server_id;
    const char *server_uuid;          /* Oracle's own; MariaDB: server_uid when it has one, shared by images of one machine */
    bool is_read_only, is_super_read_only, is_offline;     /* offline_mode (Oracle) */
    uint64_t uptime_s;

    bool has_log, relogs;             /* log_bin, log_slave_updates */
    const char *binlog_format, *binlog_row_image;
    bool is_durable;                  /* sync_binlog = 1 and innodb_flush_log_at_trx_commit = 1 */
    struct coordinates written;       /* SHOW MASTER STATUS */

    struct gtid_seen gtid;
    struct semi_sync_seen semi_sync;

    bool has_told_lag;                /* ReplicationLagQuery told one, and there is no channel that has it */
    int64_t told_lag_s;
    uint32_t channel_count;
    const struct channel_seen *channels;          /* all of them; the default one first */
    uint32_t replica_count;
    const struct replica_listed *replicas;
    bool has_replication_password;    /* READING_CREDENTIALS */

    const char *group_name;           /* "" = no member */
    bool is_single_primary;
    const char *group_state, *group_role;         /* of this server */
    uint32_t member_count;
    const struct member_seen *members;

    struct fc_time sent_at, seen_at;  /* the probe was sent; its answer was complete */
};

/* A probe that came back without an observation. */
struct instance_lost {
    struct instance_key key;
    enum loss loss;                   /* DENIED: it lives, and we may not look */
    enum probe_phase phase;           /* what it was lost in; IDLE: between two probes, told by the kernel */
    bool has_answered;                /* partial success: it greeted us, or some reading came back */
    unsigned error_number;            /* the server's or the client library's; 0 none */
    const char *text;                 /* one sentence */
    struct fc_time sent_at, lost_at;
};

/* "10.11.6-MariaDB-log" -> 101106. 0: it does not begin with two numbers. Never compare versions as texts: "10.11" < "8.0". */
unsigned version_number(const char *text);

/* host:port, host, [v6]:port, v6; without a port `default_port`. The name stays where it stood. A detached name ("//host") is
 * refused, as are empty names, blanks, control bytes, ',' and ports that are none: what is stored must be readable again. */
bool instance_key_parse(const char *text, size_t length, uint16_t default_port, const char **host, size_t *host_length,
                        uint16_t *port);
/* Host bytewise, then port: naming of co-masters and the order of bulk writes go by it. */
int instance_key_compare(const struct instance_key *a, const struct instance_key *b);
bool instance_key_is_same(const struct instance_key *a, const struct instance_key *b);
/* host:port, [v6]:port. False: cut. */
bool instance_key_text(const struct instance_key *key, char *to, size_t size);
/* Not empty, not "_" (left behind by a reset), not detached, a port. */
bool instance_key_is_valid(const struct instance_key *key);

/* The rules of spec/discovery.md 4. A channel counts when its master is valid and it has a place or a GTID. */
bool channel_is_replicating_from(const struct channel_seen *channel);
bool channel_is_running(const struct channel_seen *channel);          /* both threads */
/* The one that analysis and repointing go by: the default channel when it is one, else the first that is; NULL: no replica. */
const struct channel_seen *instance_channel(const struct instance_seen *seen);
bool instance_is_replica(const struct instance_seen *seen);
bool instance_is_running(const struct instance_seen *seen);           /* both threads of instance_channel() */
uint32_t instance_channel_count(const struct instance_seen *seen);    /* that count: more than 1 is multi-source */

/* Facts of readings that are missing in `seen` are taken from `before`; they stay marked as missing. Borrowed from it. */
void instance_carry(struct instance_seen *seen, const struct instance_seen *before);
bool instance_is_same(const struct instance_seen *a, const struct instance_seen *b);     /* all but moments and uptime */

/* An own copy with everything in it. Two places, written in turns, so that `seen` may borrow from what was kept before; once both
 * have room for it, nothing is reserved. False: memory is out, and what was kept stays. Begin with zeros. */
struct instance_place { void *memory; size_t size; };
struct instance_kept {
    const struct instance_seen *seen;     /* NULL: nothing yet */
    struct instance_place place[2];
    int current;
};
bool instance_keep(struct room *room, struct instance_kept *kept, const struct instance_seen *seen);
void instance_release(struct room *room, struct instance_kept *kept);

#endif
