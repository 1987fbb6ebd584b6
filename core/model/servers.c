/* Observe: fold what a probe saw, or how it failed, into the picture of our own servers. */
#include "model/servers.h"

#include <string.h>

#include "base/text.h"

bool servers_saw(struct servers *servers, int server, const struct server_look *look, struct fc_time sent_at)
{
    struct server_state *s = &servers->list[server];
    const bool is_news = !s->is_reachable || s->look.is_read_only != look->is_read_only ||
                         !text_is(s->look.identity, look->identity);
    if (s->has_been_seen && fc_before(sent_at, s->seen_at))
        return false;
    s->has_answered = s->has_been_seen = s->is_reachable = true;
    s->misses = 0;
    s->loss = LOSS_NONE;
    s->loss_text[0] = '\0';
    memset(s->sights, 0, sizeof s->sights);
    if (look->has_schema)
        s->trouble[0] = '\0';
    s->look = *look;
    s->seen_at = sent_at;
    if (look->replica.is_configured && look->replica.io == THREAD_RUNNING && look->replica.sql == THREAD_RUNNING) {
        s->has_followed = true;
        s->followed_at = sent_at;
        s->followed_lag_ms = look->replica.lag_ms;
    }
    return is_news;
}

void servers_read_back(struct servers *servers, int server, bool is_read_only, struct fc_time at)
{
    servers->list[server].look.is_read_only = is_read_only;
    servers->list[server].seen_at = fc_later(servers->list[server].seen_at, at);
}

static bool is_no_news(const struct server_state *s, struct fc_time sent_at)
{
    return (s->misses > 0 && fc_before(sent_at, s->missed_at)) || (s->has_been_seen && fc_before(sent_at, s->seen_at));
}

bool servers_lost(struct servers *servers, int server, enum loss loss, const char *text, struct fc_time sent_at, struct fc_time now)
{
    struct server_state *s = &servers->list[server];
    const bool was_reachable = s->is_reachable;
    if (loss == LOSS_SILENT && is_no_news(s, sent_at))
        return false;
    s->has_answered = true;
    s->loss = loss;
    s->failed_at = sent_at;
    TEXT_SET(s->loss_text, text);
    if (loss == LOSS_SILENT) {
        s->missed_at = now;
        if (++s->misses < SERVER_SILENT_MISSES)
            return false;
    }
    s->is_reachable = false;
    if (was_reachable)
        s->lost_at = now;
    return was_reachable;
}

void servers_hear_of_chair(struct servers *servers, const char *identity, const struct chair_words *words)
{
    servers->told_identity[0] = '\0';
    if (!words->is_known)
        return;
    TEXT_SET(servers->told_identity, identity);
    servers->was_told = true;
    servers->told_seat = servers_by_name(servers, words->seat);
    servers->told_is_open = words->is_open;
}

bool servers_is_open(const struct servers *servers, int server)
{
    if (servers->looks_at_none)
        return servers->told_identity[0] != '\0' && servers->told_seat == server && servers->told_is_open;
    return !servers->list[server].look.is_read_only;
}

int servers_by_identity(const struct servers *servers, const char *identity)
{
    if (servers->looks_at_none)
        return identity[0] != '\0' && text_is(servers->told_identity, identity) ? servers->told_seat : -1;
    for (int i = 0; identity[0] != '\0' && i < servers->count; i++) {
        if (servers->list[i].has_been_seen && text_is(servers->list[i].look.identity, identity))
            return i;
    }
    return -1;
}

int servers_named(const struct servers *servers, const char *identity)
{
    int unseen = -1, unseen_count = 0;
    const int known = servers_by_identity(servers, identity);
    if (servers->looks_at_none)
        return known;
    for (int i = 0; i < servers->count; i++) {
        if (!servers->list[i].has_been_seen) {
            unseen = i;
            unseen_count++;
        }
    }
    return known >= 0 || identity[0] == '\0' ? known : unseen_count == 1 ? unseen : -1;
}

int servers_by_name(const struct servers *servers, const char *name)
{
    for (int i = 0; i < servers->count; i++) {
        if (text_is(servers->list[i].name, name))
            return i;
    }
    return -1;
}

bool server_is_gone(const struct server_state *server)
{
    return !server->is_reachable && server->loss == LOSS_REFUSED;
}

bool server_hears_master(const struct server_state *server)
{
    return server->is_reachable && server->look.replica.is_configured && server->look.replica.io == THREAD_RUNNING;
}

static bool replicates_from(const struct servers *servers, int replica, int server)
{
    return servers->count == 2 || text_is(servers->list[replica].look.replica.master, servers->list[server].address);
}

static bool is_refused_its_master(const struct servers *servers, int replica, int server)
{
    const struct server_state *r = &servers->list[replica];
    return r->is_reachable && r->look.replica.is_refused && replicates_from(servers, replica, server);
}

/* It followed until the server was lost here, and fetches from it no more. One whose fetching was stopped or cut off before is no witness. */
static bool has_lost_its_master(const struct servers *servers, int replica, int server)
{
    const struct server_state *r = &servers->list[replica], *s = &servers->list[server];
    return r->is_reachable && r->look.replica.is_configured && r->look.replica.io == THREAD_CONNECTING && r->has_followed &&
           replicates_from(servers, replica, server) && !fc_before(r->seen_at, s->lost_at) &&
           fc_since(r->followed_at, s->lost_at).us <= servers->gap.us;
}

static bool some_other(const struct servers *servers, int server, bool (*is_so)(const struct servers *, int, int))
{
    for (int i = 0; i < servers->count; i++) {
        if (i != server && is_so(servers, i, server))
            return true;
    }
    return false;
}

static bool hears_it(const struct servers *servers, int replica, int server)
{
    (void)server;
    return server_hears_master(&servers->list[replica]);
}

static bool majority_is_refused(const struct servers *servers, const struct testimony *t, int server)
{
    return servers->consent == CONSENT_MAJORITY && t->by[SAID_REFUSED] > 0 && 1 + t->by[SAID_REFUSED] >= consent_needs(CONSENT_MAJORITY, t->nodes) &&
           some_other(servers, server, has_lost_its_master);
}

enum gone servers_gone(const struct servers *servers, int server)
{
    const struct server_state *s = &servers->list[server];
    if (!server_is_gone(s) || some_other(servers, server, hears_it))
        return GONE_NOT;
    const struct testimony t = testimony_count(s->sights, servers->other_count, s->lost_at);
    if (t.by[SAID_SEEN] + t.by[SAID_ALIVE] > 0)
        return GONE_NOT;
    if (t.by[SAID_NOTHING] + t.by[SAID_BEFORE] > 0)
        return GONE_ASKED;
    const bool all_are_refused = t.by[SAID_REFUSED] > 0 && t.by[SAID_MUTE] + t.by[SAID_SILENT] == 0;
    return all_are_refused || some_other(servers, server, is_refused_its_master) || majority_is_refused(servers, &t, server) ? GONE_AGREED
                                                                                                                           : GONE_NOT;
}

struct accord servers_accord(const struct servers *servers, int server, struct fc_time now)
{
    const struct server_state *s = &servers->list[server];
    const struct testimony t = testimony_count(s->sights, servers->other_count, s->lost_at);
    return accord_judge(servers->consent, &t, fc_reached(fc_plus(s->lost_at, servers->patience), now));
}

bool servers_agree_on_gone(const struct servers *servers, int server)
{
    return servers_gone(servers, server) == GONE_AGREED;
}

int servers_seen_by(const struct servers *servers, int server, struct fc_span fresh, struct fc_time now)
{
    const struct server_state *s = &servers->list[server];
    for (int i = 0; i < servers->other_count; i++) {
        const struct sight *sight = &s->sights[i];
        if (sight->state == SIGHT_TOLD && sight->loss == LOSS_NONE && !fc_before(sight->at, s->lost_at) &&
            fc_since(sight->at, now).us <= fresh.us)
            return i;
    }
    return -1;
}

bool servers_await_sights(const struct servers *servers, int server)
{
    const struct server_state *s = &servers->list[server];
    for (int i = 0; i < servers->other_count; i++) {
        const struct sight *sight = &s->sights[i];
        const bool is_of_before = sight->state == SIGHT_TOLD && (sight->loss == LOSS_NONE || sight->loss == LOSS_ENDED) &&
                                  fc_before(sight->at, s->lost_at);
        if (sight->state == SIGHT_UNKNOWN || is_of_before)
            return true;
    }
    return false;
}

bool server_hangs(const struct server_state *s)
{
    return !s->is_reachable && s->loss == LOSS_SILENT && s->misses > SERVER_HANGS_MISSES;
}

bool server_own_sight(const struct server_state *s, enum loss *loss, struct fc_time *at)
{
    if (!s->has_answered)
        return false;
    const bool has_failed_last = s->loss != LOSS_NONE && !(s->has_been_seen && fc_before(s->failed_at, s->seen_at));
    *loss = has_failed_last ? s->loss : LOSS_NONE;
    *at = has_failed_last ? s->failed_at : s->seen_at;
    return true;
}

bool servers_told(struct servers *servers, int server, const char *node, struct sight sight)
{
    for (int i = 0; i < servers->other_count; i++) {
        if (!text_is(servers->others[i], node))
            continue;
        struct sight *known = &servers->list[server].sights[i];
        servers->is_witness[i] = sight.state == SIGHT_NONE || (sight.state == SIGHT_MUTE && servers->is_witness[i]);
        if (servers->is_witness[i])
            sight.state = SIGHT_NONE;
        if (known->state == SIGHT_UNKNOWN || !fc_before(sight.at, known->at))
            *known = sight;
        return true;
    }
    return false;
}

bool server_was_following(const struct server_state *replica, const struct server_state *old, struct fc_span gap,
                          int64_t lag_max_ms)
{
    return replica->has_followed && old->has_been_seen && fc_since(replica->followed_at, old->lost_at).us <= gap.us &&
           replica->followed_lag_ms <= lag_max_ms;
}

bool servers_have_all_answered(const struct servers *servers)
{
    for (int i = 0; i < servers->count; i++) {
        if (!servers->list[i].has_answered)
            return false;
    }
    return true;
}
