/* The picture as numbers: one row per family, a walker that visits what the row is about (the node, each server, each pool,
 * each HAProxy's view ...). Labels are names from the configuration, escaped all the same. */
#include "agent/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/flat_metrics.h"
#include "agent/fleet_keeper.h"
#include "backends/quorum/transport.h"
#include "base/text.h"

enum scope { OF_NODE, OF_SERVER, OF_NEED, OF_POOL, OF_POOL_SERVER, OF_VIEW, OF_PROXY, OF_PEER_STREAM, OF_RAFT_PEER, SCOPE_COUNT };

struct process_numbers { bool has_memory, has_descriptors; double resident_bytes, cpu_seconds, descriptors; };

/* Where the walker stands. What the scope does not have is NULL. */
struct spot {
    const struct status *node;
    const struct desk_counters *counters;
    const struct process_numbers *process;
    const struct status_server *server;
    const struct status_need *need;
    const struct status_pool *pool;
    const struct status_pool_server *pool_server;
    const struct status_view *view;
    const struct status_proxy *proxy;
    int member;                          /* with OF_RAFT_PEER: place among the members */
    enum transport_count stream;         /* with OF_PEER_STREAM: what happened to a stream of raft's peers */
};

typedef bool family_value(const struct spot *at, double *ret);          /* false: no sample here */
typedef const char *family_word(const struct spot *at);

struct family {
    const char *name, *type;
    enum scope scope;
    family_value *value;             /* or, for a state: */
    family_word *word;
    const char *const *words;        /* every word gets a sample, 1 for the present one; the label is "state" */
    const char *meaning;
};

/* ---- values ---- */

#define VALUE(name, condition, expression)                                                                     \
    static bool value_of_##name(const struct spot *at, double *ret)                                            \
    {                                                                                                          \
        if (!(condition))                                                                                      \
            return false;                                                                                      \
        *ret = (double)(expression);                                                                           \
        return true;                                                                                           \
    }

#define SECONDS(ms) ((double)(ms) / 1000.0)

VALUE(leads, true, at->node->leads)
VALUE(epoch, true, at->node->epoch)
VALUE(seq, true, at->node->seq)
VALUE(lease_left, true, SECONDS(at->node->lease_left_ms))
VALUE(leader_since, at->node->leader_since_unix_ms != 0, SECONDS(at->node->leader_since_unix_ms))
VALUE(has_leader, true, at->node->leader[0] != '\0')
VALUE(store_up, true, at->node->store_is_reachable)
VALUE(store_age, at->node->store_age_ms >= 0, SECONDS(at->node->store_age_ms))
VALUE(stopping, true, at->node->is_stopping)
VALUE(steps, true, at->node->steps)
VALUE(orders, true, at->node->orders)
VALUE(moves, true, at->node->moves)
VALUE(moves_failed, true, at->node->moves_failed)
VALUE(notes_dropped, true, at->node->notes_dropped)

VALUE(server_up, true, at->server->is_reachable)
VALUE(server_seated, true, at->server->is_seated)
VALUE(server_age, at->server->age_ms >= 0, SECONDS(at->server->age_ms))
VALUE(server_read_only, at->server->has_been_seen, at->server->look.is_read_only)
VALUE(server_lag, at->server->has_been_seen && at->server->look.replica.lag_ms >= 0,
      SECONDS(at->server->look.replica.lag_ms))
VALUE(server_io, at->server->has_been_seen && at->server->look.replica.is_configured,
      at->server->look.replica.io == THREAD_RUNNING)
VALUE(server_sql, at->server->has_been_seen && at->server->look.replica.is_configured,
      at->server->look.replica.sql == THREAD_RUNNING)

VALUE(server_needs, at->server->settings_age_ms >= 0, at->server->need_count)
VALUE(server_settings_age, at->server->settings_age_ms >= 0, SECONDS(at->server->settings_age_ms))
VALUE(need, at->need->word[0] != '\0', 1)

VALUE(pool_epoch, true, at->pool->epoch)
VALUE(pool_paused, true, at->pool->is_paused)
VALUE(pool_two_writers, at->pool->kind == POOL_BACKEND, at->pool->second_writer[0] != '\0')
VALUE(pool_failed_tries, at->pool->kind == POOL_BACKEND, at->pool->failed_tries)
VALUE(pool_unfenced, at->pool->kind == POOL_BACKEND, mark_is_unfenced(at->pool->mark))
VALUE(pool_stale, at->pool->kind == POOL_BACKEND, mark_is_stale(at->pool->mark))
VALUE(pool_alone, at->pool->alone_server[0] != '\0', at->pool->alone_transactions)
VALUE(pool_move_age, at->pool->is_moving && at->pool->move_age_ms >= 0, SECONDS(at->pool->move_age_ms))
VALUE(pool_since, at->pool->since_unix_ms != 0, SECONDS(at->pool->since_unix_ms))
VALUE(pool_seated, at->pool_server->answer.kind == POOL_BACKEND || at->pool_server->answer.kind == POOL_WRITER,
      text_is(at->pool->seated, at->pool_server->name))
VALUE(pool_server_first, true, at->pool_server->answer.voice == VOICE_FIRST)
VALUE(pool_server_term, true, at->pool_server->is_within_term)

VALUE(view_known, true, at->view->is_known)
VALUE(view_usable, at->view->is_known, at->view->is_usable)
VALUE(view_epoch, at->view->is_known && at->view->epoch != 0, at->view->epoch)
VALUE(view_sessions, at->view->is_known && at->view->sessions >= 0, at->view->sessions)
VALUE(view_age, at->view->age_ms >= 0, SECONDS(at->view->age_ms))
VALUE(view_drift, at->view->is_known && at->view->drift_ms >= 0, SECONDS(at->view->drift_ms))

VALUE(proxy_up, true, at->proxy->is_reachable)
VALUE(proxy_age, at->proxy->age_ms >= 0, SECONDS(at->proxy->age_ms))

VALUE(agent_accepted, true, at->counters->agent_accepted)
VALUE(agent_answered, true, at->counters->agent_answered)
VALUE(agent_refused, true, at->counters->agent_refused_source)
VALUE(agent_dropped, true, at->counters->agent_dropped)
VALUE(agent_open, true, at->counters->agent_open)
VALUE(agent_unknown, true, at->counters->agent_unknown_target)
VALUE(agent_late, true, at->counters->agent_late)
VALUE(orders_open, true, at->counters->orders_open)
VALUE(http_requests, true, at->counters->http_requests)
VALUE(redis_published, true, at->counters->redis_published)
VALUE(redis_dropped, true, at->counters->redis_dropped)
VALUE(store_requests, true, at->counters->store_requests)
VALUE(store_failures, true, at->counters->store_failures)

#define FLEET(name, expression) VALUE(fleet_##name, at->counters->fleet != NULL, at->counters->fleet->expression)
FLEET(servers, known)
FLEET(clusters, clusters)
FLEET(looking, is_looking)
FLEET(looks, begun)
FLEET(looks_urged, urged)
FLEET(looks_lost, counts.looks_lost)
FLEET(under_way, under_way + at->counters->fleet->urgent_under_way)
VALUE(fleet_late, at->counters->fleet != NULL, (double)at->counters->fleet->counts.late_us / 1e6)
VALUE(fleet_late_most, at->counters->fleet != NULL, (double)(at->counters->fleet->counts.late_most_us > at->counters->fleet->counts.late_most_before_us
      ? at->counters->fleet->counts.late_most_us : at->counters->fleet->counts.late_most_before_us) / 1e6)
FLEET(filtered, counts.filtered)
FLEET(refused, counts.refused)
FLEET(forgotten, counts.forgotten)
FLEET(rows_waiting, store.waiting)
FLEET(rows_written, store.rows)
FLEET(rows_dropped, store.dropped)
FLEET(statements, store.statements)
FLEET(statements_failed, store.failures)

#define PEER_STREAMS (at->counters->peer_streams)
VALUE(peer_stream, true, atomic_load_explicit(&PEER_STREAMS->of[at->stream], memory_order_relaxed))
VALUE(peer_half_open, PEER_STREAMS != NULL, atomic_load_explicit(&PEER_STREAMS->half_open, memory_order_relaxed))
VALUE(peer_sent, PEER_STREAMS != NULL, atomic_load_explicit(&PEER_STREAMS->bytes_sent, memory_order_relaxed))
VALUE(peer_received, PEER_STREAMS != NULL, atomic_load_explicit(&PEER_STREAMS->bytes_received, memory_order_relaxed))

#define RAFT (at->counters->raft.quorum)
#define WITH_RAFT at->counters->has_raft
VALUE(raft_term, WITH_RAFT, RAFT->term)
VALUE(raft_last, WITH_RAFT, RAFT->last_index)
VALUE(raft_applied, WITH_RAFT, RAFT->applied_index)
VALUE(raft_snapshot, WITH_RAFT, RAFT->snapshot_index)
VALUE(raft_held, WITH_RAFT, RAFT->disk.held_index)
VALUE(raft_unapplied, WITH_RAFT, at->counters->raft.unapplied)
VALUE(raft_lease, WITH_RAFT, fc_reached(RAFT->until, at->counters->raft.now) ? 0 : fc_since(at->counters->raft.now, RAFT->until).us / 1e6)
VALUE(raft_trouble, WITH_RAFT, RAFT->why[0] != '\0')
VALUE(raft_elections, WITH_RAFT, RAFT->elections_won)
VALUE(raft_withheld, WITH_RAFT, RAFT->votes_withheld)
VALUE(raft_proposals, WITH_RAFT, RAFT->proposals)
VALUE(raft_entries, WITH_RAFT, RAFT->entries)
VALUE(raft_repeated, WITH_RAFT, RAFT->repeated)
VALUE(raft_strange, WITH_RAFT, RAFT->strange)
VALUE(raft_appends, WITH_RAFT, RAFT->disk.appends)
VALUE(raft_append_failures, WITH_RAFT, RAFT->disk.failures)
VALUE(raft_append_seconds, WITH_RAFT, RAFT->disk.total.us / 1e6)
VALUE(raft_append_last, WITH_RAFT && RAFT->disk.appends > 0, RAFT->disk.last.us / 1e6)
VALUE(raft_append_waits, WITH_RAFT, fc_is_ever(RAFT->disk.waits_since) ? 0 : fc_since(RAFT->disk.waits_since, at->counters->raft.now).us / 1e6)
VALUE(raft_streams_broken, WITH_RAFT, RAFT->streams.nonsense + RAFT->streams.lost)
VALUE(raft_streams_refused, WITH_RAFT, RAFT->streams.unknown + RAFT->streams.crowded + RAFT->streams.refused_raft)
VALUE(raft_peer_open, true, RAFT->peers[at->member].is_open)
VALUE(raft_peer_leads, true, RAFT->leader == at->member)
VALUE(raft_peer_age, !fc_is_ever(RAFT->peers[at->member].heard_at),
      fc_since(RAFT->peers[at->member].heard_at, at->counters->raft.now).us / 1e6)
VALUE(process_start, at->counters->process_start_unix_ms != 0, SECONDS(at->counters->process_start_unix_ms))
VALUE(process_cpu, true, at->process->cpu_seconds)
VALUE(process_memory, at->process->has_memory, at->process->resident_bytes)
VALUE(process_descriptors, at->process->has_descriptors, at->process->descriptors)

static const char *const leadership_words[] = { "following", "leading", "suspended", NULL };
static const char *const pool_words[] = { "unknown", "seated", "moving", "nobody", NULL };
static const char *const voice_words[] = { "neutral", "first", "rest", "read", "late", "broken", NULL };
static const char *const hold_words[] = { "maint", "drain", "pause", "pin", NULL };

static const char *const raft_role_words[] = { "starting", "alone", "follower", "candidate", "leader", "out", NULL };

static const char *word_of_raft_role(const struct spot *at) { return WITH_RAFT ? quorum_role_word(RAFT->role) : NULL; }
static const char *word_of_leadership(const struct spot *at) { return at->node->leadership; }
static const char *word_of_pool(const struct spot *at) { return at->pool->state; }
static const char *word_of_voice(const struct spot *at) { return voice_word(at->pool_server->answer.voice); }
static const char *word_of_hold(const struct spot *at)
{
    return at->pool_server->hold == HOLD_NONE ? "" : hold_kind_word(at->pool_server->hold);
}

/* ---- the table ---- */

#define GAUGE(name, scope, value, meaning) { "firstchair_" name, "gauge", scope, value_of_##value, NULL, NULL, meaning }
#define COUNTER(name, value, meaning) { "firstchair_" name "_total", "counter", OF_NODE, value_of_##value, NULL, NULL, meaning }
#define STATE(name, scope, word, meaning) { "firstchair_" name, "gauge", scope, NULL, word_of_##word, word##_words, meaning }
#define PROCESS(name, type, value, meaning) { "process_" name, type, OF_NODE, value_of_##value, NULL, NULL, meaning }

static const struct family families[] = {
    GAUGE("leads", OF_NODE, leads, "1 when this node may act at this very moment."),
    STATE("leadership", OF_NODE, leadership, "1 for the present state of this node's leadership."),
    GAUGE("leader_known", OF_NODE, has_leader, "1 when this node knows who leads."),
    GAUGE("leader_since_seconds", OF_NODE, leader_since, "Unix time since when the leader leads."),
    GAUGE("epoch", OF_NODE, epoch, "Epoch of the deciding row; never falls."),
    GAUGE("status_seq", OF_NODE, seq, "Rises with every change worth publishing."),
    GAUGE("lease_left_seconds", OF_NODE, lease_left, "What is left of this node's lease; 0 when it does not lead."),
    GAUGE("store_reachable", OF_NODE, store_up, "1 when at least one server of the store answers."),
    GAUGE("store_age_seconds", OF_NODE, store_age, "Age of the last confirmation by the store."),
    GAUGE("stopping", OF_NODE, stopping, "1 while a graceful stop is under way."),

    GAUGE("server_reachable", OF_SERVER, server_up, "1 when the last look at the server has succeeded."),
    GAUGE("server_seated", OF_SERVER, server_seated, "1 for the server that sits."),
    GAUGE("server_look_age_seconds", OF_SERVER, server_age, "Age of the last successful look."),
    GAUGE("server_read_only", OF_SERVER, server_read_only, "read_only as last read."),
    GAUGE("server_replication_lag_seconds", OF_SERVER, server_lag, "How far behind its master; no sample when unknown."),
    GAUGE("server_replication_io_running", OF_SERVER, server_io, "1 when the fetching thread runs."),
    GAUGE("server_replication_sql_running", OF_SERVER, server_sql, "1 when the applying thread runs."),

    GAUGE("server_settings_age_seconds", OF_SERVER, server_settings_age, "Age of the last check of what this mode needs of it."),
    GAUGE("server_needs", OF_SERVER, server_needs, "How much of what this mode needs is missing at the server; 0 is well."),
    GAUGE("server_need_missing", OF_NEED, need, "1 for each thing that is missing: severity warning, alarm or refuse."),

    STATE("pool_state", OF_POOL, pool, "1 for the present state of the pool."),
    GAUGE("pool_epoch", OF_POOL, pool_epoch, "Age of the pool's chair."),
    GAUGE("pool_since_seconds", OF_POOL, pool_since, "Unix time when this node saw the present state begin."),
    GAUGE("pool_paused", OF_POOL, pool_paused, "1 while an operator's pause holds."),
    GAUGE("pool_two_writers", OF_POOL, pool_two_writers, "1: more than one server is seen writable; in a paused pool nobody is fenced."),
    GAUGE("pool_failed_tries", OF_POOL, pool_failed_tries, "Automatic moves that have failed one after another."),
    GAUGE("pool_unfenced", OF_POOL, pool_unfenced, "1: the present seating could not fence the old server."),
    GAUGE("pool_stale", OF_POOL, pool_stale, "1: the server that sits may lack writes of the old one."),
    GAUGE("pool_alone_transactions", OF_POOL, pool_alone,
          "Transactions that clients wrote alone on a server that was replaced unfenced; no sample before its log was read."),
    GAUGE("pool_move_age_seconds", OF_POOL, pool_move_age, "Since the move under way began; no sample when none is."),
    GAUGE("pool_server_seated", OF_POOL_SERVER, pool_seated, "1 for the server that sits in the pool."),
    GAUGE("pool_server_first", OF_POOL_SERVER, pool_server_first, "1 when the intent for the server is to be used."),
    STATE("pool_server_intent", OF_POOL_SERVER, voice, "1 for what the answer board says of the server."),
    GAUGE("pool_server_within_term", OF_POOL_SERVER, pool_server_term, "1 when this node may say so now."),
    STATE("pool_server_hold", OF_POOL_SERVER, hold, "1 for the operator's hold on the server."),

    GAUGE("proxy_reachable", OF_PROXY, proxy_up, "1 when the HAProxy's runtime socket answers."),
    GAUGE("proxy_age_seconds", OF_PROXY, proxy_age, "Age of the last read-back."),
    GAUGE("view_known", OF_VIEW, view_known, "1 when the HAProxy's view was read back at least once."),
    GAUGE("view_usable", OF_VIEW, view_usable, "1 when the HAProxy sends traffic to the server."),
    GAUGE("view_epoch", OF_VIEW, view_epoch, "Epoch of the last answer that the HAProxy heard."),
    GAUGE("view_sessions", OF_VIEW, view_sessions, "Sessions of the HAProxy on the server."),
    GAUGE("view_age_seconds", OF_VIEW, view_age, "Age of the view."),
    GAUGE("view_drift_seconds", OF_VIEW, view_drift, "For how long the view has contradicted the intent; 0 agrees."),

    COUNTER("steps", steps, "Steps of the core."),
    COUNTER("orders", orders, "Orders taken."),
    COUNTER("moves", moves, "Moves of a chair that were begun."),
    COUNTER("moves_failed", moves_failed, "Moves that did not reach their aim."),
    COUNTER("notes_dropped", notes_dropped, "Notes that found no room."),
    GAUGE("fleet_servers", OF_NODE, fleet_servers, "Servers of the fleet that are known here."),
    GAUGE("fleet_clusters", OF_NODE, fleet_clusters, "Clusters that they make."),
    GAUGE("fleet_looking", OF_NODE, fleet_looking, "1 when this node looks at the fleet; 0 when it reads what another one writes."),
    COUNTER("fleet_looks", fleet_looks, "Looks begun at servers of the fleet."),
    COUNTER("fleet_looks_urged", fleet_looks_urged, "Of them those out of turn."),
    COUNTER("fleet_looks_lost", fleet_looks_lost, "Looks that brought nothing."),
    GAUGE("fleet_looks_under_way", OF_NODE, fleet_under_way, "Looks begun and not ended."),
    COUNTER("fleet_late_seconds", fleet_late, "How much later than due looks began, all together."),
    GAUGE("fleet_late_most_seconds", OF_NODE, fleet_late_most, "The latest look of the last minute or two."),
    COUNTER("fleet_filtered", fleet_filtered, "Times that a filter passed a server over."),
    COUNTER("fleet_refused", fleet_refused, "Times that a server was not taken because of a bound."),
    COUNTER("fleet_forgotten", fleet_forgotten, "Servers forgotten."),
    GAUGE("fleet_rows_waiting", OF_NODE, fleet_rows_waiting, "Rows that wait to be written into the store."),
    COUNTER("fleet_rows_written", fleet_rows_written, "Rows written."),
    COUNTER("fleet_rows_dropped", fleet_rows_dropped, "Rows for which there was no room; they are written at their next change."),
    COUNTER("fleet_statements", fleet_statements, "Statements that wrote them."),
    COUNTER("fleet_statements_failed", fleet_statements_failed, "Of them those that failed and were repeated."),
    COUNTER("agent_accepted", agent_accepted, "Agent-check connections accepted."),
    COUNTER("agent_answered", agent_answered, "Agent-check questions answered."),
    COUNTER("agent_refused_source", agent_refused, "Agent-check connections from sources that are not allowed."),
    COUNTER("agent_dropped", agent_dropped, "Agent-check connections dropped unanswered."),
    COUNTER("agent_unknown_target", agent_unknown, "Agent-check questions for unknown targets."),
    COUNTER("agent_late", agent_late, "Agent-check questions answered past the term."),
    GAUGE("agent_open", OF_NODE, agent_open, "Agent-check connections open now."),
    GAUGE("orders_open", OF_NODE, orders_open, "Orders that wait for their end."),
    COUNTER("http_requests", http_requests, "HTTP requests."),
    COUNTER("redis_published", redis_published, "Messages that Redis took."),
    COUNTER("redis_dropped", redis_dropped, "Messages dropped because Redis was slow or away."),
    COUNTER("store_requests", store_requests, "Requests to the store."),
    COUNTER("store_failures", store_failures, "Requests to the store that failed."),

    STATE("raft_role", OF_NODE, raft_role, "Raft: 1 for this node's present role; out: it takes no part, /api/raft-status says why."),
    GAUGE("raft_trouble", OF_NODE, raft_trouble, "Raft: 1 while /api/raft-status has a sentence about what is wrong with this node."),
    GAUGE("raft_term", OF_NODE, raft_term, "Raft: the term; rises with each election."),
    GAUGE("raft_last_index", OF_NODE, raft_last, "Raft: the last entry of this node's log."),
    GAUGE("raft_applied_index", OF_NODE, raft_applied, "Raft: the last entry that is decided and applied here."),
    GAUGE("raft_snapshot_index", OF_NODE, raft_snapshot, "Raft: the last entry that a snapshot took the place of."),
    GAUGE("raft_held_index", OF_NODE, raft_held, "Raft: up to which entry this node ever confirmed that it holds the log."),
    GAUGE("raft_unapplied", OF_NODE, raft_unapplied, "Raft: what is decided and waits for this node's private store."),
    GAUGE("raft_lease_left_seconds", OF_NODE, raft_lease, "Raft: for how long a majority has promised to elect nobody else; 0 when this node does not lead."),
    COUNTER("raft_elections_won", raft_elections, "Raft: elections that this node has won."),
    COUNTER("raft_votes_withheld", raft_withheld, "Raft: requests for votes not sent or not heard because of a promise, or of a log that lost its end."),
    GAUGE("raft_proposals_waiting", OF_NODE, raft_proposals, "Raft: entries of this node on their way into the log."),
    COUNTER("raft_entries", raft_entries, "Raft: entries applied by this process, repeated and strange ones too."),
    COUNTER("raft_entries_repeated", raft_repeated, "Raft: entries that came again and changed nothing."),
    COUNTER("raft_entries_strange", raft_strange, "Raft: entries that could not be understood, or found no room; on all nodes alike."),
    COUNTER("raft_appends", raft_appends, "Raft: appends to this node's log that its disk has made durable."),
    COUNTER("raft_append_failures", raft_append_failures, "Raft: appends that its disk refused."),
    COUNTER("raft_append_seconds", raft_append_seconds, "Raft: time that the durable appends took, together."),
    GAUGE("raft_append_last_seconds", OF_NODE, raft_append_last, "Raft: how long the last append took."),
    GAUGE("raft_append_waits_seconds", OF_NODE, raft_append_waits, "Raft: for how long the log has been waiting for the disk; 0 when it does not."),
    GAUGE("raft_peer_connected", OF_RAFT_PEER, raft_peer_open, "Raft: 1 when this node's own stream to the member is open."),
    GAUGE("raft_peer_leads", OF_RAFT_PEER, raft_peer_leads, "Raft: 1 for the member that leads, as this node knows."),
    GAUGE("raft_peer_heard_age_seconds", OF_RAFT_PEER, raft_peer_age, "Raft: since when nothing was heard of the member; followers hear little of each other."),
    COUNTER("raft_streams_broken", raft_streams_broken, "Raft: streams ended because they said nonsense, or did not answer."),
    COUNTER("raft_streams_refused", raft_streams_refused, "Raft: proven streams that had no place: not of a member, too many, or raft does not run."),

    { "firstchair_peer_streams_total", "counter", OF_PEER_STREAM, value_of_peer_stream, NULL, NULL,
      "Raft: streams of peers and of strangers, by what happened to them." },
    GAUGE("peer_half_open", OF_NODE, peer_half_open, "Raft: connections accepted at the peers' port and not proven yet."),
    COUNTER("peer_sent_bytes", peer_sent, "Raft: bytes told to peers."),
    COUNTER("peer_received_bytes", peer_received, "Raft: bytes heard from peers."),

    PROCESS("start_time_seconds", "gauge", process_start, "Unix time of the start of the process."),
    PROCESS("cpu_seconds_total", "counter", process_cpu, "CPU time of the process."),
    PROCESS("resident_memory_bytes", "gauge", process_memory, "Memory of the process."),
    PROCESS("open_fds", "gauge", process_descriptors, "Open file descriptors of the process."),
};

#define FAMILY_COUNT (sizeof families / sizeof *families)

/* ---- the walker ---- */

/* Escaped as the format wants; what is not printable ASCII becomes '?', so that a scrape cannot fail for one name. */
static void print_label(FILE *to, const char *name, const char *value, bool is_first)
{
    fprintf(to, "%s%s=\"", is_first ? "" : ",", name);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\n')
            fputs("\\n", to);
        else if (*c == '"' || *c == '\\')
            fprintf(to, "\\%c", *c);
        else
            fputc((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e ? '?' : *c, to);
    }
    fputc('"', to);
}

static void print_labels(FILE *to, enum scope scope, const struct spot *at, const char *state)
{
    bool is_first = true;

    if (scope == OF_NODE && state == NULL)
        return;
    fputc('{', to);
    switch (scope) {
    case OF_VIEW:
        print_label(to, "proxy", at->view->proxy, is_first);
        is_first = false;
        __attribute__((fallthrough));
    case OF_POOL_SERVER:
        print_label(to, "pool", at->pool->name, is_first);
        print_label(to, "server", at->pool_server->name, false);
        is_first = false;
        break;
    case OF_POOL:
        print_label(to, "pool", at->pool->name, true);
        print_label(to, "kind", pool_kind_word(at->pool->kind), false);
        is_first = false;
        break;
    case OF_NEED:
        print_label(to, "severity", need_severity_word(at->need->severity), is_first);
        print_label(to, "need", at->need->word, false);
        print_label(to, "server", at->server->name, false);
        is_first = false;
        break;
    case OF_SERVER:
        print_label(to, "server", at->server->name, true);
        is_first = false;
        break;
    case OF_PROXY:
        print_label(to, "proxy", at->proxy->name, true);
        is_first = false;
        break;
    case OF_PEER_STREAM:
        print_label(to, "what", transport_count_table[at->stream].name, true);
        is_first = false;
        break;
    case OF_RAFT_PEER:
        print_label(to, "peer", at->counters->raft.settings->members[at->member].name, true);
        break;
    case OF_NODE: case SCOPE_COUNT:
        break;
    }
    if (state != NULL)
        print_label(to, "state", state, is_first);
    fputc('}', to);
}

static void print_sample(FILE *to, const struct family *family, const struct spot *at)
{
    double value;

    if (family->word == NULL) {
        if (!family->value(at, &value))
            return;
        fputs(family->name, to);
        print_labels(to, family->scope, at, NULL);
        fprintf(to, " %.15g\n", value);
        return;
    }
    const char *present = family->word(at);
    if (present == NULL)
        return;
    for (const char *const *word = family->words; *word != NULL; word++) {
        fputs(family->name, to);
        print_labels(to, family->scope, at, *word);
        fprintf(to, " %d\n", text_is(*word, present));
    }
}

static void visit_views(FILE *to, const struct family *family, struct spot *at)
{
    for (int i = 0; i < at->pool_server->view_count; i++) {
        at->view = &at->pool_server->views[i];
        print_sample(to, family, at);
    }
}

static void visit_pools(FILE *to, const struct family *family, struct spot *at)
{
    for (int i = 0; i < at->node->pool_count; i++) {
        at->pool = &at->node->pools[i];
        if (family->scope == OF_POOL)
            print_sample(to, family, at);
        for (int j = 0; family->scope != OF_POOL && j < at->pool->server_count; j++) {
            at->pool_server = &at->pool->servers[j];
            if (family->scope == OF_POOL_SERVER)
                print_sample(to, family, at);
            else
                visit_views(to, family, at);
        }
    }
}

static void visit_servers(FILE *to, const struct family *family, struct spot at)
{
    for (int i = 0; i < at.node->server_count; i++) {
        at.server = &at.node->servers[i];
        if (family->scope == OF_SERVER)
            print_sample(to, family, &at);
        for (int n = 0; family->scope == OF_NEED && n < at.server->need_count; n++) {
            at.need = &at.server->needs[n];
            print_sample(to, family, &at);
        }
    }
}

static void visit(FILE *to, const struct family *family, struct spot at)
{
    switch (family->scope) {
    case OF_NODE:
        print_sample(to, family, &at);
        break;
    case OF_SERVER: case OF_NEED:
        visit_servers(to, family, at);
        break;
    case OF_PROXY:
        for (int i = 0; i < at.node->proxy_count; i++) {
            at.proxy = &at.node->proxies[i];
            print_sample(to, family, &at);
        }
        break;
    case OF_POOL: case OF_POOL_SERVER: case OF_VIEW:
        visit_pools(to, family, &at);
        break;
    case OF_PEER_STREAM:
        for (int i = 0; at.counters->peer_streams != NULL && i < TRANSPORT_COUNT_KINDS; i++) {
            at.stream = (enum transport_count)i;
            print_sample(to, family, &at);
        }
        break;
    case OF_RAFT_PEER:
        for (int i = 0; at.counters->has_raft && i < at.counters->raft.settings->member_count; i++) {
            at.member = i;
            print_sample(to, family, &at);
        }
        break;
    case SCOPE_COUNT:
        break;
    }
}

/* From /proc, which never waits for a disk. */
static struct process_numbers process_numbers_read(void)
{
    struct process_numbers numbers = { 0 };
    struct rusage usage;
    long pages;
    FILE *file = fopen("/proc/self/statm", "re");
    DIR *descriptors = opendir("/proc/self/fd");

    if (file != NULL) {
        numbers.has_memory = fscanf(file, "%*s %ld", &pages) == 1;
        if (numbers.has_memory)
            numbers.resident_bytes = (double)pages * (double)sysconf(_SC_PAGESIZE);
        fclose(file);
    }
    if (descriptors != NULL) {
        numbers.has_descriptors = true;
        for (struct dirent *entry = readdir(descriptors); entry != NULL; entry = readdir(descriptors))
            numbers.descriptors += entry->d_name[0] != '.';
        numbers.descriptors -= 1;             /* the one that reads the list */
        closedir(descriptors);
    }
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        numbers.cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                              (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    return numbers;
}

static void print_build(FILE *to, const struct status *status)
{
    fputs("# HELP firstchair_build_info What runs here; always 1.\n# TYPE firstchair_build_info gauge\n"
          "firstchair_build_info{", to);
    print_label(to, "version", status->version, true);
    print_label(to, "node", status->node, false);
    print_label(to, "store", status->store_word, false);
    print_label(to, "arbitration", status->arbitration, false);
    fputs("} 1\n", to);
}

/* The one histogram: its samples have names of their own. */
#define LATENESS "firstchair_fleet_lateness_seconds"
static const char lateness_meaning[] = "How much later than due looks began that were not urged, in this process.";

static void print_lateness(FILE *to, const struct fleet_keeper_numbers *fleet)
{
    uint64_t within = 0;
    fprintf(to, "# HELP " LATENESS " %s\n# TYPE " LATENESS " histogram\n", lateness_meaning);
    if (fleet == NULL)
        return;
    for (int i = 0; i < WATCH_LATE_BOUNDS; i++) {
        within += fleet->counts.late_within[i];
        fprintf(to, LATENESS "_bucket{le=\"%.15g\"} %" PRIu64 "\n", (double)watch_late_bounds_us[i] / 1e6, within);
    }
    within += fleet->counts.late_within[WATCH_LATE_BOUNDS];
    fprintf(to, LATENESS "_bucket{le=\"+Inf\"} %" PRIu64 "\n" LATENESS "_sum %.15g\n" LATENESS "_count %" PRIu64 "\n", within,
            (double)fleet->counts.late_us / 1e6, within);
}

char *metrics_print(const struct status *status, const struct desk_counters *counters)
{
    const struct process_numbers process = process_numbers_read();
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    if (to == NULL)
        return NULL;
    print_build(to, status);
    for (const struct family *family = families; family < families + FAMILY_COUNT; family++) {
        fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->meaning, family->name, family->type);
        visit(to, family, (struct spot){ .node = status, .counters = counters, .process = &process });
    }
    print_lateness(to, counters->fleet);
    const bool is_whole = ferror(to) == 0;
    if (fclose(to) != 0 || !is_whole) {
        free(text);
        return NULL;
    }
    return text;
}

/* ---- docs/metrics.md ---- */

static const char *const scope_labels[SCOPE_COUNT] = {
    [OF_NODE] = "", [OF_SERVER] = "server", [OF_NEED] = "severity, need, server", [OF_POOL] = "pool, kind", [OF_POOL_SERVER] = "pool, server",
    [OF_VIEW] = "proxy, pool, server", [OF_PROXY] = "proxy", [OF_PEER_STREAM] = "what", [OF_RAFT_PEER] = "peer",
};

void metrics_docs_print(FILE *to)
{
    fputs("# Metrics\n\nPrinted from the table of `agent/metrics.c`. `GET /metrics` answers them in Prometheus' text form, "
          "from memory. What is not known at the moment has no sample.\n\n"
          "| family | type | labels | meaning |\n|---|---|---|---|\n"
          "| `firstchair_build_info` | gauge | version, node, store, arbitration | What runs here; always 1. |\n", to);
    for (const struct family *family = families; family < families + FAMILY_COUNT; family++)
        fprintf(to, "| `%s` | %s | %s%s | %s |\n", family->name, family->type, scope_labels[family->scope],
                family->word == NULL ? "" : family->scope == OF_NODE ? "state" : ", state", family->meaning);
    fprintf(to, "| `" LATENESS "` | histogram | le | %s |\n", lateness_meaning);
    fputs("\n`what` of `firstchair_peer_streams_total`:\n\n| what | meaning |\n|---|---|\n", to);
    for (int i = 0; i < TRANSPORT_COUNT_KINDS; i++)
        fprintf(to, "| `%s` | %s |\n", transport_count_table[i].name, transport_count_table[i].meaning);
    flat_metrics_docs_print(to);
}
