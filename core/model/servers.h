/* The servers of our own store as this node has seen them: looks folded in, losses counted. Facts, not judgement. */
#ifndef FC_MODEL_SERVERS_H
#define FC_MODEL_SERVERS_H

#include <stdbool.h>

#include "base/moment.h"
#include "model/chair_words.h"
#include "model/look.h"
#include "model/testimony.h"

#define SERVER_SILENT_MISSES 2       /* one lost probe never flips (spec/steering.md 6) */
#define SERVER_HANGS_MISSES 8
#define SIGHTS_MAX 9                 /* nodes besides this one, which need not be among `Nodes`: NODES_MAX of the configuration */

struct server_state {
    char name[64], address[128];
    bool has_answered;               /* seen or lost at least once since the start */
    bool has_been_seen;
    bool is_reachable;
    int misses;                      /* silent probes in a row, each sent after the one before was given up */
    struct fc_time missed_at;        /* when the last of them was given up */
    enum loss loss;                  /* of the latest failure while unreachable */
    char loss_text[160];
    char trouble[160];               /* why our schema could not be laid there; "" = nothing known */
    struct server_look look;         /* the last good one */
    struct fc_time seen_at;          /* when it was sent */
    struct fc_time lost_at;          /* when it became unreachable */
    struct fc_time failed_at;        /* when the look that failed last was sent */
    bool has_followed;               /* seen to replicate, both threads running, since the start */
    struct fc_time followed_at;      /* when last */
    int64_t followed_lag_ms;         /* how far behind then; -1 unknown */
    struct sight sights[SIGHTS_MAX]; /* by the other nodes, since it was lost here */
};

struct servers {
    int count;
    bool has_chair;                  /* a pair: one of them sits, the others are read_only */
    struct server_state list[STORE_SERVERS_MAX];
    int other_count;                 /* the other nodes of the configuration */
    char others[SIGHTS_MAX][NODE_NAME_SIZE];
    bool is_witness[SIGHTS_MAX];     /* it has said so: should it not answer any more, it is still nobody who could look */
    bool looks_at_none;              /* this node is a witness: what it knows of the servers is what it was told of the chair */
    bool was_told;                   /* at least once since the start */
    int told_seat;                   /* -1: told a name that is not configured here */
    bool told_is_open;
    char told_identity[IDENTITY_SIZE];   /* of the chair that this is about; "" = nothing is known of the present one */
    enum consent consent;        /* of the nodes, before the leader acts on a death */
    struct fc_span gap;              /* within this before a loss a replica was seen to follow, if it did until then */
    struct fc_span patience;         /* so long after a loss another node's look of before it is waited to be renewed */
};

/* Is a server's process gone, so that it counts as fenced (spec/steering.md 3.4)? */
enum gone {
    GONE_NOT = 0,                    /* it is in sight, or somebody sees or hears it, or only this node says so */
    GONE_ASKED,                      /* it refuses us, and another node has not yet told what it sees */
    GONE_AGREED                      /* seen by every node that can look, and by one witness at least besides this node */
};

/* A deed has read read_only back at this moment: looks that were sent earlier say nothing about it any more. */
void servers_read_back(struct servers *servers, int server, bool is_read_only, struct fc_time at);
/* True when something that decides has changed: reachable, read_only, identity. */
bool servers_saw(struct servers *servers, int server, const struct server_look *look, struct fc_time sent_at);
/* The same; heard now of a look sent at `sent_at`. Looks may overlap: a silent one that was sent before the last silent one was
 * given up, or before a good one, is no second miss. */
bool servers_lost(struct servers *servers, int server, enum loss loss, const char *text, struct fc_time sent_at, struct fc_time now);

int servers_by_identity(const struct servers *servers, const char *identity);    /* -1 = none */
/* The same, and a server that was never seen when the identity can be no other's: the row names it, all others are known. */
int servers_named(const struct servers *servers, const char *identity);
/* A witness was told of the chair of this identity; words that are not known take back what was told before. */
void servers_hear_of_chair(struct servers *servers, const char *identity, const struct chair_words *words);
/* Is this server open, as far as is known here: by the last look, or, on a witness, as it was told? */
bool servers_is_open(const struct servers *servers, int server);
int servers_by_name(const struct servers *servers, const char *name);            /* -1 = none */
/* The process is gone: the session ended and connecting is refused. It stays fenced by its option file when it starts. */
bool server_is_gone(const struct server_state *server);
/* Does this replica (still) hear its master? False also when it is not configured. */
bool server_hears_master(const struct server_state *server);
/* Refused here is not enough: a firewall may reset this node alone. Every other node is asked for its own look. One that sees the
 * server, or a replica that hears it, says no. When each has told that it is refused too, they agree. When some of them cannot be
 * asked or cannot look, or there are none, another server must say that its replication was refused; or, with CONSENT_MAJORITY, a
 * majority is refused and another server that followed it until the loss has lost it too. Else the server may live. */
enum gone servers_gone(const struct servers *servers, int server);
/* Have enough nodes lost this server, for the leader to act on its death? */
struct accord servers_accord(const struct servers *servers, int server, struct fc_time now);
bool servers_agree_on_gone(const struct servers *servers, int server);
/* Another node that has seen this server since it was lost here, by a look that is not older than `fresh`: its index; -1 = none. */
int servers_seen_by(const struct servers *servers, int server, struct fc_span fresh, struct fc_time now);
/* Has some other node not told yet what it sees since then? Its look of before says nothing of that. */
bool servers_await_sights(const struct servers *servers, int server);
/* It takes connections and hangs: each look that gives up leaves a session there, so it is looked at seldom and never on a hint. */
bool server_hangs(const struct server_state *server);
/* What this node itself saw of it last, and when: what it tells others. False: it has not looked yet. */
bool server_own_sight(const struct server_state *server, enum loss *loss, struct fc_time *at);
/* Another node has told (or, SIGHT_MUTE, has not). A node that is not configured changes nothing; false then. */
bool servers_told(struct servers *servers, int server, const char *node, struct sight sight);
/* Was this replica at the old server's heels when that was lost: seen to replicate within `gap` before, and not further behind
 * than lag_max_ms? Else what it lacks is not known, and seating it is marked `stale`. */
bool server_was_following(const struct server_state *replica, const struct server_state *old, struct fc_span gap,
                          int64_t lag_max_ms);
bool servers_have_all_answered(const struct servers *servers);

#endif
