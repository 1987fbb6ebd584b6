/* Orders are answered from the timer: those that are done in memory at its next tick, a discovery when its look has ended, what is to be
 * remembered when it is durable (agent/fleet_words.h). */
#include "agent/fleet_keeper.h"

#include <stdlib.h>
#include <string.h>

#include "agent/fleet_acks.h"
#include "agent/fleet_derived.h"
#include "agent/fleet_errant.h"
#include "agent/fleet_knock.h"
#include "agent/fleet_pages.h"
#include "agent/fleet_past.h"
#include "agent/fleet_rows.h"
#include "agent/fleet_rules.h"
#include "agent/fleet_samples.h"
#include "agent/fleet_snapshot.h"
#include "agent/fleet_told.h"
#include "agent/fleet_words.h"
#include "agent/pool_sights.h"
#include "agent/survey.h"
#include "agent/survey_rules.h"
#include "base/text.h"

#define SAID_OF_TEXT 140               /* of a reason or a comment, in the audit */
#define SAID_LIFE_S 3600               /* a server that was named or forgotten longer ago, by the wall clock, is not so again */
#define FLEET_SAID_SIZE (FLEET_SUBJECT_SIZE + FLEET_NAME_SIZE + SAID_OF_TEXT + 80)      /* who, at its end, is never cut off */

struct fleet_waiter {
    uint64_t ticket;                     /* 0: free */
    bool is_being_said;                  /* done when the store has it, or who else does it says so */
    enum fleet_verb verb;
    char said[FLEET_SAID_SIZE];          /* for the audit */
    bool is_looked_for;                  /* done when a look at `key` has ended that began at `asked_at` or later */
    struct instance_key key;
    char host[INSTANCE_HOST_MAX + 1];
    struct fc_time asked_at;
    enum fc_code code;
    char text[320];
    desk_reply *reply;                   /* NULL: who asked went away; the order goes on, and is audited */
    void *waiter;
};

struct fleet_keeper {
    const struct host *host;
    const struct config *config;
    struct fleet_keeper_port port;
    struct log *log;
    struct survey *survey;
    struct fleet_words *words;
    struct pool_sights *sights;
    struct fleet_pages *pages;
    struct fleet_pasts *pasts;
    struct fleet_derived derived;
    struct fleet_rules rules;
    struct fleet_told told;
    struct fleet_acks *acks;
    struct fleet_knocks *knocks;
    struct fleet_errants *errants;
    struct fleet_snapshot *snapshot;
    bool leads;
    int server;                          /* of the store: where words go */
    struct picture picture;
    bool has_fleet, is_seeded;           /* MySQLTopologyUser is set; DiscoverySeeds were named */
    struct fleet_waiter waiters[FLEET_WAITERS_MAX];
    struct host_timer *timer;
    struct fleet_store *store;           /* NULL: no fleet, so nothing to remember */
    struct fleet_row_texts texts;
    struct fleet_samples *samples;
    struct host_timer *second;           /* takes a sample */
    struct fc_time judge_at;             /* of a node that only reads */
    void (*flushed)(void *owner);
    void *flush_owner;
};

static struct fc_time now_of(const struct fleet_keeper *k) { return k->host->now(k->host->agent); }

static struct watch *watch_of(struct fleet_keeper *k) { return survey_watch(k->survey); }

static struct both_clocks clocks_of(const struct fleet_keeper *k)
{
    return (struct both_clocks){ now_of(k), k->host->unix_ms(k->host->agent) };
}

/* ---- who waits ---- */

static void wake(struct fleet_keeper *k) { k->host->timer_set(k->timer, now_of(k)); }

static void end_waiter(struct fleet_keeper *k, struct fleet_waiter *w, enum fc_code code, const char *text)
{
    w->is_looked_for = w->is_being_said = false;
    w->code = code;
    TEXT_SET(w->text, text);
    wake(k);
}

/* The server that somebody waits for may be known by another name meanwhile. */
static void check_waiter(struct fleet_keeper *k, struct fleet_waiter *w)
{
    struct watch *watch = watch_of(k);
    const struct instance_key is = called_is(&watch->called, &w->key);
    const member_id id = topology_find(&watch->topology, &is);
    const struct member *m = id == MEMBER_NONE ? NULL : topology_member(&watch->topology, id);
    char text[320];
    if (m == NULL || m->kind != MEMBER_KNOWN) {
        end_waiter(k, w, FC_NOT_FOUND, "it was forgotten meanwhile");
    } else if (!fc_is_ever(m->checked_at) && fc_reached(w->asked_at, m->checked_at)) {
        TEXT_FORMAT(text, m->is_seen ? "%s:%u" : "%s:%u was not seen: %.200s", is.host, is.port, survey_trouble(k->survey, id));
        end_waiter(k, w, m->is_seen ? FC_OK : FC_UNREACHABLE, text);
    }
}

static void check_waiters(struct fleet_keeper *k)
{
    for (int i = 0; i < FLEET_WAITERS_MAX; i++) {
        if (k->waiters[i].ticket != 0 && k->waiters[i].is_looked_for && !k->waiters[i].is_being_said)
            check_waiter(k, &k->waiters[i]);
    }
}

/* An order that was done, as a row of `audit`. */
static void audit(struct fleet_keeper *k, const struct fleet_waiter *w)
{
    const struct watch *watch = watch_of(k);
    const struct both_clocks clocks = clocks_of(k);
    const struct instance_key is = called_is(&watch->called, &w->key);
    const member_id id = topology_find(&watch->topology, &is);
    char cluster[FLEET_KEY_SIZE] = "";
    if (k->store == NULL || !k->config->audit_to_backend || w->code != FC_OK)
        return;
    if (id != MEMBER_NONE)
        topology_key_text(&watch->topology, topology_member(&watch->topology, id)->head, cluster, sizeof cluster);
    const struct fleet_row row = fleet_row_of_audit(fleet_verbs[w->verb].word, &w->key, cluster, w->said, fleet_new_number(k->store), &clocks);
    fleet_store_put(k->store, &row);
}

static void answer_waiters(void *owner)
{
    struct fleet_keeper *k = owner;
    for (int i = 0; i < FLEET_WAITERS_MAX; i++) {
        const struct fleet_waiter w = k->waiters[i];
        if (w.ticket == 0 || w.is_looked_for || w.is_being_said)
            continue;
        k->waiters[i].ticket = 0;
        k->picture.changes++;                /* who was told that it is done reads it */
        audit(k, &w);
        if (w.reply != NULL)
            w.reply(w.waiter, w.code, w.text, true);
    }
}

bool fleet_keeper_page(struct fleet_keeper *k, const struct fleet_page_asked *asked, uint64_t ticket, desk_report *reply, void *waiter)
{
    if (asked->by == PAGED_LOGS)
        return fleet_errants_ask(k->errants, fleet_keeper_picture(k), &(struct instance_key){ asked->equal, asked->port }, ticket, reply, waiter);
    if (asked->by == PAGED_PAST)
        return fleet_pasts_ask(k->pasts, k->store, asked, ticket, reply, waiter);
    return fleet_pages_ask(k->pages, k->store, asked, ticket, reply, waiter);
}

void fleet_keeper_drop_waiter(struct fleet_keeper *k, uint64_t ticket)
{
    if (k != NULL) {
        fleet_pages_drop(k->pages, ticket);
        fleet_errants_drop(k->errants, ticket);
        fleet_pasts_drop(k->pasts, ticket);
    }
    for (int i = 0; k != NULL && ticket != 0 && i < FLEET_WAITERS_MAX; i++) {
        if (k->waiters[i].ticket == ticket)
            k->waiters[i].reply = NULL;
    }
}

static struct fleet_memory memory_of(struct fleet_keeper *k)
{
    struct watch *watch = watch_of(k);
    return (struct fleet_memory){
        .overrides = &watch->overrides, .classifications = &watch->classifications, .pools = &watch->pools,
        .resolved = &watch->resolved, .unresolved = &watch->unresolved,
        .rule_life = fc_ms(k->config->candidate_expire_minutes * INT64_C(60000)), .pool_life = fc_ms(k->config->pool_expire_minutes * INT64_C(60000)),
        .name_life = fc_ms(k->config->resolves_expire_minutes * INT64_C(60000)),
    };
}

/* ---- what comes of looks ---- */

/* Of rows that say nothing new the store sees that itself. */
static void on_row(void *owner, member_id id, bool is_changed)
{
    struct fleet_keeper *k = owner;
    const struct both_clocks clocks = clocks_of(k);
    struct fleet_row row;
    k->picture.changes += is_changed;
    check_waiters(k);
    pool_sights_row(k->sights, id);
    if (k->store == NULL || !fleet_row_of_server(watch_of(k), id, &clocks, &k->texts, &row))
        return;
    fleet_store_put(k->store, &row);
    fleet_derived_cluster(k->store, watch_of(k), id, memory_of(k).name_life, &clocks);
}

static void on_gone(void *owner, const struct instance_key *key)
{
    struct fleet_keeper *k = owner;
    const struct both_clocks clocks = clocks_of(k);
    const struct fleet_row row = fleet_row_of_gone(key, &clocks);
    k->picture.changes++;
    check_waiters(k);
    if (k->store == NULL)
        return;
    fleet_store_delete(k->store, &row);
    fleet_derived_gone(k->store, watch_of(k), key, &clocks);
}

static void on_changed(void *owner, const struct fleet_change *change)
{
    struct fleet_keeper *k = owner;
    const struct both_clocks clocks = clocks_of(k);
    const char *host, *word = analysis_codes[change->is].word;
    size_t length;
    char name[INSTANCE_HOST_MAX + 1];
    struct instance_key key = { .host = name };
    k->picture.changes++;
    if (k->store == NULL || !instance_key_parse(change->server, strlen(change->server), 0, &host, &length, &key.port) ||
        !text_copy_bytes(name, sizeof name, host, length))
        return;
    const struct fleet_row now = fleet_row_of_finding(&key, word, &clocks);
    const struct fleet_row line = fleet_row_of_change(&key, word, fleet_new_number(k->store), &clocks);
    fleet_store_put(k->store, &now);
    fleet_store_put(k->store, &line);
}

static void on_note(void *owner, enum watch_note level, const char *text)
{
    static const enum note_level levels[] = { [WATCH_TELLS] = NOTE_INFO, [WATCH_WARNS] = NOTE_WARNING, [WATCH_ALARMS] = NOTE_ALARM };
    const struct fleet_keeper *k = owner;
    log_say(k->log, levels[level], "fleet", "%s", text);
}

/* ---- samples ---- */

static uint32_t count_due(const struct discovery *d, const struct discovery_heap *heap, struct fc_time now)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < heap->count; i++)
        count += fc_reached(d->places[heap->places[i]].due, now);
    return count;
}

static void take_sample(void *owner)
{
    struct fleet_keeper *k = owner;
    const struct discovery *d = &watch_of(k)->calendar;
    const struct both_clocks clocks = clocks_of(k);
    const struct fc_time now = clocks.now;
    k->samples->seconds[k->samples->second_count++ % FLEET_SECONDS_MAX] =
        (struct fleet_second){ .unix_ms = k->host->unix_ms(k->host->agent), .active = d->under_way,
                               .queued = count_due(d, &d->living, now) + count_due(d, &d->dead, now) };
    k->host->timer_set(k->second, fc_plus(now, fc_ms(1000)));
    if (k->store != NULL)
        fleet_derived_second(&k->derived, k->store, watch_of(k), memory_of(k).name_life, &clocks);
    if (k->store != NULL && k->leads)
        fleet_rules_second(&k->rules, k->words, watch_of(k), memory_of(k).rule_life, now, clocks.unix_ms / 1000);
}

static void statement_answered(void *owner, const struct fleet_statement *statement)
{
    struct fleet_keeper *k = owner;
    k->samples->statements[k->samples->statement_count++ % FLEET_STATEMENTS_MAX] = *statement;
}

/* ---- what the store says ---- */

static void take_word(struct fleet_keeper *k, const struct fleet_row *row, bool is_gone)
{
    const struct both_clocks clocks = clocks_of(k);
    struct fleet_memory memory = memory_of(k);
    struct instance_key key;
    k->picture.changes++;
    if (fleet_word_take(&memory, row, is_gone, &clocks, &key))
        watch_said(watch_of(k), &key, clocks.now);
    if (row->table == FLEET_hostname_unresolve && !is_gone)
        fleet_derived_virtual_name(k->store, row);
}

/* What its classification is: a server that was never looked at here has no other, and who only reads goes by the rows. */
static void take_server(struct fleet_keeper *k, const struct fleet_row *row)
{
    static const struct classifier none;
    struct watch *watch = watch_of(k);
    const struct both_clocks clocks = clocks_of(k);
    struct fleet_server_read read;
    fleet_server_of_row(row, &clocks, &read);
    if (watch_recall(watch, &read.recalled, clocks.now, NULL) != FC_OK)
        return;
    const member_id id = topology_find(&watch->topology, &read.recalled.key);
    const struct classifier *by = watch->setting.classifier == NULL ? &none : watch->setting.classifier;
    if (id == MEMBER_NONE)
        return;
    classification_recall(&watch->classifications, by, id, &read.classified, survey_is_resting(k->survey));
    if (watch->is_recalling && id < watch->fleet.capacity)
        fleet_await_look(&watch->fleet, id);
}

static void row_read(void *owner, const struct fleet_row *row)
{
    struct fleet_keeper *k = owner;
    k->picture.changes++;
    if (row->table == FLEET_database_instance) {
        take_server(k, row);
    } else if (row->table == FLEET_database_instance_last_analysis) {
        if (watch_of(k)->is_recalling)
            fleet_told_row(&k->told, row);
    } else {
        take_word(k, row, false);
    }
    if (!watch_of(k)->is_recalling)
        survey_turn(k->survey);
}

static void row_gone(void *owner, const struct fleet_row *row)
{
    struct fleet_keeper *k = owner;
    const struct instance_key key = { fleet_text(row, database_instance_hostname), (uint16_t)fleet_number(row, database_instance_port) };
    k->picture.changes++;
    if (row->table == FLEET_database_instance)
        watch_forget(watch_of(k), &key, now_of(k), NULL);
    else
        take_word(k, row, true);
    survey_turn(k->survey);
}

/* Also when the store cannot be read: then looking does not wait for it. */
static void end_recalling(struct fleet_keeper *k, enum fc_code code)
{
    fleet_told_count(&k->told, watch_of(k));
    watch_recall_end(watch_of(k), now_of(k));
    if (code == FC_OK)
        log_say(k->log, NOTE_INFO, "fleet", "%u servers are known from the store", watch_of(k)->topology.known);
    survey_turn(k->survey);
}

static void was_read(void *owner, enum fc_code code, const char *sentence)
{
    struct fleet_keeper *k = owner;
    if (code != FC_OK)
        log_say(k->log, NOTE_WARNING, "fleet", "the store of the fleet is not read yet: %s", sentence);
    if (watch_of(k)->is_recalling)
        end_recalling(k, code);
    if (k->port.was_read != NULL)
        k->port.was_read(k->port.owner, code, sentence);
}

static void store_notes(void *owner, const char *sentence)
{
    const struct fleet_keeper *k = owner;
    log_say(k->log, NOTE_WARNING, "fleet", "%s", sentence);
}

static void flushed(void *owner, enum fc_code code)
{
    struct fleet_keeper *k = owner;
    if (code != FC_OK)
        log_say(k->log, NOTE_WARNING, "fleet", "not all that was seen last is in the store");
    k->flushed(k->flush_owner);
}

void fleet_keeper_flush(struct fleet_keeper *k, void (*done)(void *owner), void *owner)
{
    if (k == NULL || k->store == NULL) {
        done(owner);
        return;
    }
    k->flushed = done;
    k->flush_owner = owner;
    fleet_store_flush(k->store, FLEET_FLUSH_MS, flushed, k);
}

/* ---- orders ---- */

static enum fc_code discover(struct fleet_keeper *k, const struct fleet_order *o, const struct instance_key *key, struct fc_err *err)
{
    if (!k->has_fleet)
        return fc_fail(err, FC_REFUSED, "MySQLTopologyUser is not set: this node looks at no servers");
    (void)o;
    return watch_named(watch_of(k), key, NAMED_BY_OPERATOR, now_of(k), NULL, err);
}

static enum fc_code refresh(struct fleet_keeper *k, const struct fleet_order *o, const struct instance_key *key, struct fc_err *err)
{
    (void)o;
    return watch_urge(watch_of(k), key) ? FC_OK : fc_fail(err, FC_NOT_FOUND, "%s:%u is not known", key->host, key->port);
}

static enum fc_code forget(struct fleet_keeper *k, const struct fleet_order *o, const struct instance_key *key, struct fc_err *err)
{
    (void)o;
    return watch_forget(watch_of(k), key, now_of(k), err);
}

/* Each one that is forgotten may change who is in the cluster: so the keys of all are noted first; texts are the topology's. The caller frees *ret. */
static enum fc_code members_of(struct fleet_keeper *k, const char *hint, struct instance_key **ret, uint32_t *count, struct fc_err *err)
{
    const struct watch *watch = watch_of(k);
    const struct topology *t = &watch->topology;
    const member_id head = aliases_find_cluster(&watch->aliases, t, hint);
    *count = 0;
    if (head == MEMBER_NONE)
        return fc_fail(err, FC_NOT_FOUND, "no cluster is called '%s'", hint);
    *ret = calloc(topology_member(t, head)->cluster_count, sizeof **ret);
    if (*ret == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    for (member_id id = topology_member(t, head)->first_in_cluster; id != MEMBER_NONE; id = topology_member(t, id)->next_in_cluster) {
        if (topology_member(t, id)->kind == MEMBER_KNOWN)
            (*ret)[(*count)++] = topology_key(t, id);
    }
    return FC_OK;
}

static enum fc_code forget_cluster(struct fleet_keeper *k, const struct fleet_order *o, const struct instance_key *unused, struct fc_err *err)
{
    struct instance_key *keys = NULL;
    uint32_t count;
    (void)unused;
    enum fc_code code = members_of(k, o->subject, &keys, &count, err);
    for (uint32_t i = 0; code == FC_OK && i < count; i++) {
        char host[INSTANCE_HOST_MAX + 1];
        TEXT_SET(host, keys[i].host);                /* the name goes with its last server */
        code = watch_forget(watch_of(k), &(struct instance_key){ host, keys[i].port }, now_of(k), err);
    }
    free(keys);
    return code;
}

/* What was found is taken out of the store first: it is read from there again. */
static enum fc_code reset_names(struct fleet_keeper *k, const struct fleet_order *o, const struct instance_key *key, struct fc_err *err)
{
    const struct both_clocks clocks = clocks_of(k);
    struct fleet_memory memory = memory_of(k);
    if (k->store != NULL)
        fleet_derived_forget_names(k->store, watch_of(k), &clocks);
    const enum fc_code code = fleet_order_apply(&memory, o, clocks.now, err);
    if (code == FC_OK)
        watch_said(watch_of(k), key, clocks.now);
    return code;
}

typedef enum fc_code fleet_deed(struct fleet_keeper *k, const struct fleet_order *o, const struct instance_key *key, struct fc_err *err);
static fleet_deed *const deeds[FLEET_VERB_COUNT] = {
    [FLEET_DISCOVER] = discover, [FLEET_ASYNC_DISCOVER] = discover, [FLEET_REFRESH] = refresh, [FLEET_FORGET] = forget,
    [FLEET_FORGET_CLUSTER] = forget_cluster, [FLEET_RESET_RESOLVE_CACHE] = reset_names,
};

static void ask_store(void *owner, const struct store_request *request)
{
    struct fleet_keeper *k = owner;
    struct store_request placed = *request;
    placed.server = k->server;
    k->port.ask(k->port.owner, &placed);
}

static void word_stands(void *owner, const struct fleet_row *row, bool takes_back)
{
    struct fleet_keeper *k = owner;
    const struct instance_key key = { fleet_text(row, database_instance_maintenance_hostname),
                                      (uint16_t)fleet_number(row, database_instance_maintenance_port) };
    if (row->table != FLEET_database_instance_maintenance || !takes_back) {
        take_word(k, row, takes_back);
        return;
    }
    overrides_end_maintenance(&watch_of(k)->overrides, &key, NULL);
    watch_said(watch_of(k), &key, now_of(k));
}

/* Of an order that others do: its words, a knock, a snapshot. */
static void order_ended(void *owner, uint64_t ticket, enum fc_code code, const char *text)
{
    struct fleet_keeper *k = owner;
    for (int i = 0; ticket != 0 && i < FLEET_WAITERS_MAX; i++) {
        struct fleet_waiter *w = &k->waiters[i];
        if (w->ticket != ticket || !w->is_being_said)
            continue;
        if (code == FC_OK && w->is_looked_for) {
            w->is_being_said = false;
            check_waiter(k, w);
        } else {
            end_waiter(k, w, code, text);
        }
    }
}

static void word_done(void *owner, uint64_t ticket, enum fc_code code, const char *text)
{
    struct fleet_keeper *k = owner;
    if (ticket == FLEET_RULES_TICKET)
        fleet_rules_said(&k->rules, code, now_of(k));
    else
        order_ended(k, ticket, code, text);
    fleet_store_look(k->store);
    survey_turn(k->survey);
}

static void snapshot_done(void *owner, uint64_t ticket, enum fc_code code, const char *text)
{
    struct fleet_keeper *k = owner;
    if (ticket != 0)
        order_ended(k, ticket, code, text);
    else
        log_say(k->log, code == FC_OK ? NOTE_INFO : NOTE_WARNING, "fleet", "a snapshot of all topologies: %s", text);
}

void fleet_keeper_heard(struct fleet_keeper *k, const struct store_result *result)
{
    if (k != NULL)
        fleet_words_heard(k->words, result);
}

void fleet_keeper_look(struct fleet_keeper *k)
{
    if (k != NULL && k->store != NULL)
        fleet_store_look(k->store);
}

static bool is_being_said_of(const struct fleet_keeper *k, const struct instance_key *key)
{
    for (int i = 0; i < FLEET_WAITERS_MAX; i++) {
        if (k->waiters[i].ticket != 0 && k->waiters[i].is_being_said && instance_key_is_same(&k->waiters[i].key, key))
            return true;
    }
    return false;
}

/* FC_NOT_FOUND: there is nothing in it for a store. */
static enum fc_code say(struct fleet_keeper *k, const struct fleet_order *o, uint64_t ticket, const struct instance_key *key, struct fc_err *err)
{
    const struct fleet_memory memory = memory_of(k);
    const struct override *said = overrides_of(memory.overrides, key);
    const struct fleet_speaker speaker = { .unix_s = k->host->unix_ms(k->host->agent) / 1000, .node = k->picture.node,
                                           .token = k->picture.token, .number = k->store == NULL ? 0 : fleet_new_number(k->store) };
    if (k->store == NULL)
        return FC_NOT_FOUND;
    if (o->verb == FLEET_BEGIN_MAINTENANCE && override_is_in_maintenance(said, now_of(k)))
        return fc_fail(err, FC_BUSY, "%s:%u is in maintenance by %s: %.128s", key->host, key->port,
                       names_text(memory.overrides->names, said->maintenance.owner),
                       names_text(memory.overrides->names, said->maintenance.reason));
    if (o->verb == FLEET_BEGIN_MAINTENANCE && is_being_said_of(k, key))
        return fc_fail(err, FC_BUSY, "an order about %s:%u is just being stored", key->host, key->port);
    return fleet_words_say(k->words, ticket, o, &memory, &speaker, err);
}

/* ---- orders that end later: `waiter` is told by its ticket ---- */

static enum fc_code acknowledge(struct fleet_keeper *k, const struct fleet_order *o, const struct fleet_waiter *waiter, struct fc_err *err)
{
    if (k->store == NULL)
        return fc_fail(err, FC_REFUSED, "MySQLTopologyUser is not set: this node reads no recoveries");
    return fleet_acks_ask(k->acks, k->store, o, waiter->ticket, k->host->unix_ms(k->host->agent) / 1000, err);
}

static enum fc_code knock(struct fleet_keeper *k, const struct fleet_order *o, const struct fleet_waiter *waiter, struct fc_err *err)
{
    (void)o;
    return fleet_knock(k->knocks, &waiter->key, waiter->ticket, err);
}

static enum fc_code take_snapshot(struct fleet_keeper *k, const struct fleet_order *o, const struct fleet_waiter *waiter, struct fc_err *err)
{
    (void)o;
    if (k->store == NULL)
        return fc_fail(err, FC_REFUSED, "MySQLTopologyUser is not set: this node keeps no fleet");
    return fleet_snapshot_take(k->snapshot, k->store, waiter->ticket, err);
}

/* ---- raft: each node looks for itself, and the log tells all of them whom to look at and whom to forget ---- */

static bool is_told_by_log(const struct fleet_keeper *k) { return k->config->raft_enabled && !config_has_pair(k->config) && k->store != NULL; }

static enum fc_code tell_forgotten(struct fleet_keeper *k, const struct fleet_order *o, const struct fleet_waiter *waiter, struct fc_err *err)
{
    struct fleet_order told = *o;
    struct instance_key *keys = NULL;
    enum fc_code code = FC_OK;
    if (o->verb == FLEET_FORGET_CLUSTER)
        code = members_of(k, o->subject, &keys, &told.key_count, err);
    else if (!watch_knows(watch_of(k), &waiter->key))
        code = fc_fail(err, FC_NOT_FOUND, "%s:%u is not known", waiter->key.host, waiter->key.port);
    told.keys = keys;
    if (code == FC_OK)
        code = say(k, &told, waiter->ticket, &waiter->key, err);
    free(keys);
    return code;
}

/* This node looks at once, and answers when it has seen it and the others are told. */
static enum fc_code tell_named(struct fleet_keeper *k, const struct fleet_order *o, const struct fleet_waiter *waiter, struct fc_err *err)
{
    const enum fc_code code = discover(k, o, &waiter->key, err);
    return code == FC_OK ? say(k, o, waiter->ticket, &waiter->key, err) : code;
}

void fleet_keeper_said(struct fleet_keeper *k, const struct fleet_word *word)
{
    struct fleet_row row;
    if (k == NULL || !k->has_fleet || fleet_word_row(word, &row) != FC_OK || row.table != FLEET_database_instance)
        return;
    const struct instance_key key = { fleet_text(&row, database_instance_hostname), (uint16_t)fleet_number(&row, database_instance_port) };
    const int64_t age_s = k->host->unix_ms(k->host->agent) / 1000 - fleet_number(&row, database_instance_last_checked);
    if (age_s > SAID_LIFE_S || age_s < -SAID_LIFE_S)        /* the log is read again after a restart */
        return;
    k->picture.changes++;
    if (word->takes_back)
        watch_forget(watch_of(k), &key, now_of(k), NULL);
    else if (!watch_knows(watch_of(k), &key))
        watch_named(watch_of(k), &key, NAMED_BY_OPERATOR, now_of(k), NULL, NULL);
    survey_turn(k->survey);
}

typedef enum fc_code later_deed(struct fleet_keeper *k, const struct fleet_order *o, const struct fleet_waiter *waiter, struct fc_err *err);
static later_deed *const later_deeds[FLEET_VERB_COUNT] = {
    [FLEET_ACK_RECOVERIES] = acknowledge, [FLEET_RESOLVE] = knock, [FLEET_SNAPSHOT_TOPOLOGIES] = take_snapshot,
};
static later_deed *const told_deeds[FLEET_VERB_COUNT] = {
    [FLEET_DISCOVER] = tell_named, [FLEET_ASYNC_DISCOVER] = tell_named, [FLEET_FORGET] = tell_forgotten, [FLEET_FORGET_CLUSTER] = tell_forgotten,
};

static later_deed *later_deed_of(const struct fleet_keeper *k, enum fleet_verb verb)
{
    return is_told_by_log(k) && told_deeds[verb] != NULL ? told_deeds[verb] : later_deeds[verb];
}

/* A word needs the store alone, and a store that nodes share can be written by each; what is about looking is for who looks. */
static bool may_order_reader(const struct fleet_keeper *k, enum fleet_verb verb)
{
    const bool is_word = (fleet_verbs[verb].is_of_memory && verb != FLEET_RESET_RESOLVE_CACHE) || verb == FLEET_ACK_RECOVERIES;
    return verb == FLEET_RESOLVE || (is_word && !config_has_pair(k->config));
}

static enum fc_code refuse_reader(const struct fleet_keeper *k, struct fc_err *err)
{
    const char *leader = k->port.core->leadership.leader;
    if (leader[0] == '\0')
        return fc_fail(err, FC_NOT_LEADER, "this node does not lead, and knows of nobody who does: ask again");
    return fc_fail(err, FC_NOT_LEADER, "this node does not lead: '%s' does, and keeps the fleet", leader);
}

static enum fc_code obey(struct fleet_keeper *k, const struct fleet_order *o, struct fleet_waiter *waiter, struct fc_err *err)
{
    const struct instance_key *key = &waiter->key;
    struct fleet_memory memory = memory_of(k);
    if (survey_is_resting(k->survey) && k->has_fleet && !may_order_reader(k, o->verb))
        return refuse_reader(k, err);
    later_deed *later = later_deed_of(k, o->verb);
    if (later != NULL) {
        const enum fc_code code = later(k, o, waiter, err);
        waiter->is_being_said = code == FC_OK;
        return code;
    }
    if (deeds[o->verb] != NULL)
        return deeds[o->verb](k, o, key, err);
    enum fc_code code = say(k, o, waiter->ticket, key, err);
    waiter->is_being_said = code == FC_OK;
    if (code != FC_NOT_FOUND)
        return code;
    code = fleet_order_apply(&memory, o, now_of(k), err);
    if (code == FC_OK)
        watch_said(watch_of(k), key, now_of(k));
    return code;
}

static const char *gap(const char *before) { return before[0] == '\0' ? "" : " "; }

bool fleet_keeper_order(struct fleet_keeper *k, const struct fleet_order *o, uint64_t ticket, desk_reply *reply, void *waiter)
{
    struct fleet_waiter *place = NULL;
    struct fc_err err = { .code = FC_OK };
    for (int i = 0; i < FLEET_WAITERS_MAX && place == NULL; i++)
        place = k->waiters[i].ticket == 0 ? &k->waiters[i] : NULL;
    if (place == NULL)
        return false;
    *place = (struct fleet_waiter){ .ticket = ticket, .asked_at = now_of(k), .reply = reply, .waiter = waiter };
    TEXT_SET(place->host, o->host);
    place->verb = o->verb;
    TEXT_FORMAT(place->said, "%s%s%s%s%.*s%sby %s", o->subject, gap(o->subject), o->name, gap(o->name), SAID_OF_TEXT, o->text, gap(o->text), o->by);
    place->key = (struct instance_key){ place->host, o->port };
    place->code = obey(k, o, place, &err);
    place->is_looked_for = place->code == FC_OK && (o->verb == FLEET_DISCOVER || o->verb == FLEET_REFRESH);
    TEXT_SET(place->text, err.text);
    survey_turn(k->survey);
    wake(k);
    return true;
}

/* ---- showing ---- */

/* Who only reads has no turns of the clock: what changes by time alone, and aliases, are brought up to date when somebody asks, once a period. */
static void judge_as_reader(struct fleet_keeper *k)
{
    struct watch *w = watch_of(k);
    const struct fc_time now = now_of(k);
    if (!survey_is_resting(k->survey) || !k->has_fleet || w->is_recalling || !fc_reached(k->judge_at, now))
        return;
    k->judge_at = fc_plus(now, w->setting.calendar.period);
    fleet_judge(&w->fleet, now);
    if (w->setting.classifier != NULL)
        aliases_choose(&w->aliases, &w->fleet, &w->classifications, w->setting.classifier);
}

const struct picture *fleet_keeper_picture(struct fleet_keeper *k)
{
    if (k == NULL)
        return NULL;
    judge_as_reader(k);
    const struct survey_rules *rules = survey_rules_in_force(k->survey);
    k->picture.now = now_of(k);
    k->picture.problems_ignored = survey_rules_problems_ignored(rules);
    k->picture.osc_ignored = survey_rules_osc_ignored(rules);
    k->picture.recoveries_ignored = survey_rules_recoveries_ignored(rules);
    k->picture.recoveries_ignored_texts = &k->config->recovery_ignored;
    k->picture.is_pool_exact = !k->config->finds_pool_members;
    k->picture.unix_ms = k->host->unix_ms(k->host->agent);
    return &k->picture;
}

bool fleet_keeper_numbers(struct fleet_keeper *k, struct fleet_keeper_numbers *to)
{
    if (k == NULL || !k->has_fleet)
        return false;
    const struct watch *w = watch_of(k);
    *to = (struct fleet_keeper_numbers){
        .known = w->topology.known, .clusters = w->topology.head_count, .under_way = w->calendar.under_way,
        .urgent_under_way = w->calendar.urgent_under_way, .waiting_rows = w->rows.count, .begun = w->calendar.begun_count,
        .urged = w->calendar.urged_count, .counts = w->counts, .is_looking = !survey_is_resting(k->survey),
        .store = fleet_store_counts(k->store),
    };
    return true;
}

/* ---- opening, leading ---- */

static void show(struct fleet_keeper *k, const char *node, const char *token)
{
    const struct watch *w = watch_of(k);
    k->picture = (struct picture){
        .topology = &w->topology, .fleet = &w->fleet, .overrides = &w->overrides, .classifications = &w->classifications,
        .aliases = &w->aliases, .pools = &w->pools, .resolved = &w->resolved, .unresolved = &w->unresolved,
        .default_port = (uint16_t)k->config->default_instance_port, .node = node, .token = token, .changes = 1,
        .samples = k->samples, .flush_ms = k->config->fleet_flush_ms,
    };
}

static enum fc_code open_store(struct fleet_keeper *k, struct fc_err *err)
{
    const struct fleet_store_port port = { .owner = k, .row = row_read, .gone = row_gone, .was_read = was_read, .note = store_notes,
                                           .answered = statement_answered };
    return k->has_fleet ? fleet_store_open(k->host, k->config, NULL, &port, &k->store, err) : FC_OK;
}

enum fc_code fleet_keeper_open(const struct host *host, const struct config *config, const struct fleet_keeper_port *keeper_port, struct log *log,
                               const char *node, const char *token, struct fleet_keeper **ret, struct fc_err *err)
{
    struct fleet_keeper *k = calloc(1, sizeof *k);
    if (k == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    const struct survey_port port = { .owner = k, .row = on_row, .gone = on_gone, .note = on_note, .changed = on_changed };
    const struct fleet_words_port words = { .owner = k, .ask = ask_store, .stands = word_stands, .done = word_done };
    const struct fleet_acks_port acks = { .owner = k, .done = order_ended };
    const struct fleet_knocks_port knocks = { .owner = k, .done = order_ended };
    const struct fleet_snapshot_port snapshot = { .owner = k, .done = snapshot_done };
    *k = (struct fleet_keeper){ .host = host, .config = config, .port = *keeper_port, .words = fleet_words_new(&words), .log = log,
                                .has_fleet = config->topology_user[0] != '\0', .judge_at = FC_EVER };
    k->timer = host->timer(host->agent, answer_waiters, k);
    k->pages = fleet_pages_new(host);
    k->pasts = fleet_pasts_new(host);
    k->acks = fleet_acks_new(k->words, &acks);
    k->knocks = fleet_knocks_new(host, &knocks);
    k->errants = fleet_errants_new(host, config);
    k->samples = calloc(1, sizeof *k->samples);
    k->second = host->timer(host->agent, take_sample, k);
    const bool has_all = k->timer != NULL && k->samples != NULL && k->second != NULL && k->words != NULL && k->pages != NULL && k->acks != NULL &&
                         k->knocks != NULL && k->errants != NULL && k->pasts != NULL;
    enum fc_code code = has_all ? survey_open(host, config, &port, &k->survey, err) : fc_fail(err, FC_NO_MEMORY, "out of memory");
    if (code == FC_OK && (k->snapshot = fleet_snapshot_new(host, watch_of(k), &snapshot)) == NULL)
        code = fc_fail(err, FC_NO_MEMORY, "out of memory");
    const struct pool_sights_port sights = { .owner = keeper_port->owner, .feed = keeper_port->feed };
    if (code == FC_OK && (k->sights = pool_sights_new(host, keeper_port->core, watch_of(k), &sights)) == NULL)
        code = fc_fail(err, FC_NO_MEMORY, "out of memory");
    if (code == FC_OK)
        code = open_store(k, err);
    if (code != FC_OK) {
        fleet_keeper_close(k);
        return code;
    }
    survey_rest(k->survey, true);
    show(k, node, token);
    if (!k->has_fleet && config->discovery_seeds.count > 0)
        log_say(log, NOTE_WARNING, "fleet", "DiscoverySeeds are named and MySQLTopologyUser is not set: nobody is looked at");
    *ret = k;
    return FC_OK;
}

void fleet_keeper_close(struct fleet_keeper *k)
{
    if (k == NULL)
        return;
    fleet_snapshot_free(k->snapshot);
    fleet_store_close(k->store);
    pool_sights_free(k->sights);
    fleet_pages_free(k->pages);
    fleet_pasts_free(k->pasts);
    fleet_acks_free(k->acks);
    fleet_knocks_free(k->knocks);
    fleet_errants_free(k->errants);
    fleet_row_texts_done(&k->texts);
    fleet_told_done(&k->told);
    survey_close(k->survey);
    fleet_words_free(k->words);
    k->host->untimer(k->timer);
    k->host->untimer(k->second);
    free(k->samples);
    free(k);
}

static void name_seeds(struct fleet_keeper *k)
{
    struct fc_err err;
    k->is_seeded = true;
    const struct config_many *seeds = &k->config->discovery_seeds;
    for (const char *seed = config_many_next(seeds, NULL); seed != NULL; seed = config_many_next(seeds, seed)) {
        if (survey_seed(k->survey, seed, &err) != FC_OK)
            log_say(k->log, NOTE_WARNING, "fleet", "DiscoverySeeds: %s", err.text);
    }
    for (int i = 0; i < k->config->cluster_servers.count; i++) {
        struct cluster_server_item item;
        if (cluster_server_parse(k->config->cluster_servers.item[i], &item, NULL) == FC_OK && survey_seed(k->survey, item.address, &err) != FC_OK)
            log_say(k->log, NOTE_WARNING, "fleet", "ClusterServers: %s", err.text);
    }
}

static void begin_looking(struct fleet_keeper *k)
{
    watch_recall_begin(watch_of(k));     /* first what the store knows */
    survey_rest(k->survey, false);
    if (!k->is_seeded)
        name_seeds(k);
    take_sample(k);
}

static void end_looking(struct fleet_keeper *k)
{
    survey_rest(k->survey, true);
    k->host->timer_stop(k->second);
    for (int i = 0; i < FLEET_WAITERS_MAX; i++) {
        if (k->waiters[i].ticket != 0 && k->waiters[i].is_looked_for)
            end_waiter(k, &k->waiters[i], FC_NOT_LEADER, "this node leads no more");
    }
}

void fleet_keeper_turn(struct fleet_keeper *k, bool leads, int server)
{
    if (k == NULL || !k->has_fleet)
        return;
    const bool looks = k->config->raft_enabled || leads;
    if (looks && survey_is_resting(k->survey))
        begin_looking(k);
    else if (!looks && !survey_is_resting(k->survey))
        end_looking(k);
    if (leads && !k->leads)
        pool_sights_urge(k->sights);
    k->leads = leads;
    k->server = server > 0 ? server : 0;
    fleet_snapshot_every(k->snapshot, k->store, looks ? k->config->snapshot_hours : 0);
    fleet_store_turn(k->store, looks ? FLEET_WRITES : FLEET_READS, server > 0 ? server : 0);
}

void fleet_keeper_read(struct fleet_keeper *k, int server)
{
    watch_recall_begin(watch_of(k));
    fleet_store_turn(k->store, FLEET_READS, server);
}

void fleet_keeper_reload(struct fleet_keeper *k)
{
    k->picture.changes++;
    survey_reload(k->survey, k->config, NULL);
    if (k->store != NULL)
        fleet_store_reload(k->store, k->config);
    fleet_snapshot_every(k->snapshot, k->store, k->store != NULL && !survey_is_resting(k->survey) ? k->config->snapshot_hours : 0);
}
