/* What orchestrator's clients ask of raft. All from the picture in memory, and always of this node itself; orders go the way of all
 * orders, so a follower takes them too. Without raft every route here is one clear error. */
#include "agent/doors/http_inside.h"

#include <stdlib.h>
#include <string.h>

#include "agent/status_json.h"
#include "base/text.h"

static bool has_raft(struct http_request *request, struct agreement_view *view, struct http_answer *answer)
{
    const struct desk *desk = request->door->desk;
    if (desk->raft != NULL && desk->raft(desk->daemon, view))
        return true;
    answer_error(answer, FC_REFUSED, "%s: raft is not in use here", request->path.segment[1]);
    return false;
}

static const char *role_word(const struct agreement_view *view)
{
    switch (view->quorum->role) {
    case QUORUM_LEADER:
    case QUORUM_ALONE: return "Leader";
    case QUORUM_FOLLOWER: return "Follower";
    case QUORUM_CANDIDATE: return "Candidate";
    case QUORUM_STARTING: return "Starting";
    case QUORUM_OUT: break;
    }
    return "Shutdown";
}

static const char *leader_address(const struct agreement_view *view)
{
    return view->quorum->leader < 0 ? "" : agreement_address(view, view->quorum->leader);
}

/* Part of a group that agrees: a follower of a known leader, or the leader that a majority has confirmed in time. */
bool http_raft_is_healthy(const struct status *status, const struct agreement_view *view)
{
    const enum quorum_role role = view->quorum->role;
    if (role == QUORUM_LEADER || role == QUORUM_ALONE)
        return status->leads;
    return role == QUORUM_FOLLOWER && view->quorum->leader >= 0;
}

static void answer_word(struct http_answer *answer, const char *word)
{
    cJSON *text = json_text(word);
    answer_json(answer, MHD_HTTP_OK, text == NULL ? NULL : cJSON_PrintUnformatted(text));
    cJSON_Delete(text);
}

void http_raft_state(struct http_request *request, struct http_answer *answer)
{
    struct agreement_view view;
    if (has_raft(request, &view, answer))
        answer_word(answer, role_word(&view));
}

void http_raft_leader(struct http_request *request, struct http_answer *answer)
{
    struct agreement_view view;
    if (has_raft(request, &view, answer))
        answer_word(answer, leader_address(&view));
}

void http_raft_health(struct http_request *request, struct http_answer *answer)
{
    struct agreement_view view;
    if (!has_raft(request, &view, answer))
        return;
    if (http_raft_is_healthy(request_status(request), &view))
        answer_word(answer, "healthy");
    else
        answer_envelope(answer, MHD_HTTP_INTERNAL_SERVER_ERROR, false, "unhealthy", NULL);
}

/* A member; while there is no log yet, a node of RaftNodes. */
static bool is_shown(const struct agreement_view *view, int place)
{
    const struct roster_place *p = &view->quorum->roster.places[place];
    return p->name[0] != '\0' && (p->role != ROSTER_NONE || !view->quorum->roster.has_log);
}

static cJSON *peers(const struct agreement_view *view)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; list != NULL && i < ROSTER_PLACES_MAX; i++) {
        if (is_shown(view, i))
            cJSON_AddItemToArray(list, json_text(agreement_address(view, i)));
    }
    return list;
}

void http_raft_peers(struct http_request *request, struct http_answer *answer)
{
    struct agreement_view view;
    if (!has_raft(request, &view, answer))
        return;
    cJSON *list = peers(&view);
    answer_json(answer, MHD_HTTP_OK, list == NULL ? NULL : cJSON_PrintUnformatted(list));
    cJSON_Delete(list);
}

static void add_age(cJSON *to, const char *name, struct fc_time since, struct fc_time now)
{
    if (fc_is_ever(since))
        cJSON_AddNullToObject(to, name);
    else
        cJSON_AddNumberToObject(to, name, (double)fc_span_ms(fc_since(since, now)) / 1000.0);
}

static cJSON *members(const struct agreement_view *view)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; list != NULL && i < ROSTER_PLACES_MAX; i++) {
        const struct roster_place *p = &view->quorum->roster.places[i];
        if (!is_shown(view, i))
            continue;
        cJSON *member = cJSON_CreateObject();
        cJSON_AddItemToObject(member, "Name", json_text(p->name));
        cJSON_AddStringToObject(member, "Role", roster_role_word(p->role));
        cJSON_AddItemToObject(member, "Address", json_text(agreement_address(view, i)));
        cJSON_AddBoolToObject(member, "IsSelf", i == view->own);
        cJSON_AddBoolToObject(member, "IsLeader", i == view->quorum->leader);
        cJSON_AddBoolToObject(member, "IsConnected", view->quorum->peers[i].is_open);
        if (view->quorum->role == QUORUM_LEADER || view->quorum->role == QUORUM_ALONE)
            cJSON_AddNumberToObject(member, "MatchedIndex", (double)view->quorum->log_matched[i]);
        add_age(member, "HeardSecondsAgo", i == view->own ? view->now : view->quorum->peers[i].heard_at, view->now);
        add_age(member, "RaftHeardSecondsAgo", i == view->own ? view->now : view->quorum->peers[i].raft_heard_at, view->now);
        cJSON_AddItemToArray(list, member);
    }
    return list;
}

void http_raft_status(struct http_request *request, struct http_answer *answer)
{
    struct agreement_view view;
    if (!has_raft(request, &view, answer))
        return;
    const bool is_good = http_raft_is_healthy(request_status(request), &view);
    cJSON *status = cJSON_CreateObject();
    cJSON_AddItemToObject(status, "RaftBind", json_text(view.bind));
    cJSON_AddItemToObject(status, "RaftAdvertise", json_text(view.address));
    cJSON_AddStringToObject(status, "State", role_word(&view));
    cJSON_AddBoolToObject(status, "Healthy", is_good);
    cJSON_AddBoolToObject(status, "IsPartOfQuorum", is_good);
    cJSON_AddItemToObject(status, "Leader", json_text(leader_address(&view)));
    cJSON_AddStringToObject(status, "LeaderURI", "");
    cJSON_AddItemToObject(status, "Peers", peers(&view));
    /* Ours. */
    cJSON_AddItemToObject(status, "LeaderName", json_text(view.quorum->leader < 0 ? "" : view.quorum->roster.places[view.quorum->leader].name));
    cJSON_AddNumberToObject(status, "Term", (double)view.quorum->term);
    cJSON_AddNumberToObject(status, "LastIndex", (double)view.quorum->last_index);
    cJSON_AddNumberToObject(status, "AppliedIndex", (double)view.quorum->applied_index);
    cJSON_AddNumberToObject(status, "SnapshotIndex", (double)view.quorum->snapshot_index);
    cJSON_AddNumberToObject(status, "NotYetInStore", view.unapplied);
    cJSON_AddNumberToObject(status, "Entries", (double)view.quorum->entries);
    cJSON_AddNumberToObject(status, "EntriesRepeated", (double)view.quorum->repeated);
    cJSON_AddNumberToObject(status, "ElectionsWon", (double)view.quorum->elections_won);
    cJSON_AddNumberToObject(status, "VotesWithheld", (double)view.quorum->votes_withheld);
    cJSON_AddItemToObject(status, "Why", json_text(view.quorum->why));
    cJSON_AddItemToObject(status, "Members", members(&view));
    answer_json(answer, MHD_HTTP_OK, cJSON_PrintUnformatted(status));
    cJSON_Delete(status);
}

/* ---- orders ------------------------------------------------------------------------------------------------------- */

/* A member by its name or by its address. */
static const char *member_given(const struct agreement_view *view, const char *given)
{
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        const char *name = view->quorum->roster.places[i].name;
        if (is_shown(view, i) && (text_is_nocase(name, given) || text_is_nocase(agreement_address(view, i), given)))
            return name;
    }
    return NULL;
}

void http_raft_yield(struct http_request *request, struct http_answer *answer)
{
    struct agreement_view view;
    if (!has_raft(request, &view, answer))
        return;
    const char *name = member_given(&view, request->parameter[0]);
    if (name == NULL) {
        answer_error(answer, FC_NOT_FOUND, "raft-yield: the group has no such member");
        return;
    }
    http_give_yield(request, name, answer);
}

void http_raft_yield_hint(struct http_request *request, struct http_answer *answer)
{
    struct agreement_view view;
    if (!has_raft(request, &view, answer))
        return;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        const struct roster_place *p = &view.quorum->roster.places[i];
        const char *name = p->name;
        if (p->role == ROSTER_VOTER && strstr(name, request->parameter[0]) != NULL && i != view.quorum->leader) {
            http_give_yield(request, name, answer);
            return;
        }
    }
    answer_error(answer, FC_NOT_FOUND, "raft-yield-hint: no other voter has a name with that in it");
}

void http_raft_snapshot(struct http_request *request, struct http_answer *answer)
{
    struct agreement_view view;
    if (has_raft(request, &view, answer))
        http_wait_for_snapshot(request, answer);
}

/* orchestrator's route names an address alone, and an address alone is nobody here. */
void http_raft_add(struct http_request *request, struct http_answer *answer)
{
    struct agreement_view view;
    char order[HTTP_ORDER_SIZE];
    if (!has_raft(request, &view, answer))
        return;
    if (strchr(request->parameter[0], '@') == NULL || !TEXT_FORMAT(order, "raft-add %s", request->parameter[0]))
        answer_error(answer, FC_BAD_INPUT, "raft-add-peer: a member goes by its name: NAME@HOST:PORT");
    else
        http_give_members(request, order, answer);
}

static void change_named(struct http_request *request, const char *verb, struct http_answer *answer)
{
    struct agreement_view view;
    char order[HTTP_ORDER_SIZE];
    if (!has_raft(request, &view, answer))
        return;
    const char *name = member_given(&view, request->parameter[0]);
    if (name == NULL) {
        answer_error(answer, FC_NOT_FOUND, "%s: the group has no such member", request->path.segment[1]);
        return;
    }
    TEXT_FORMAT(order, "%s %s", verb, name);
    http_give_members(request, order, answer);
}

void http_raft_promote(struct http_request *request, struct http_answer *answer) { change_named(request, "raft-promote", answer); }
void http_raft_remove(struct http_request *request, struct http_answer *answer) { change_named(request, "raft-remove", answer); }

void http_raft_report(struct http_request *request, struct http_answer *answer)
{
    struct agreement_view view;
    if (has_raft(request, &view, answer))
        answer_error(answer, FC_REFUSED, "%s: reports are not needed, see raft-status", request->path.segment[1]);
}

/* The part of HealthStatus that is about raft. */
void http_raft_in_health(struct http_request *request, cJSON *details)
{
    const struct desk *desk = request->door->desk;
    struct agreement_view view;
    const bool is_on = desk->raft != NULL && desk->raft(desk->daemon, &view);
    cJSON *healthy = cJSON_CreateArray();
    cJSON_AddItemToObject(details, "RaftLeader", json_text(is_on ? leader_address(&view) : ""));
    cJSON_AddBoolToObject(details, "IsRaftLeader", is_on && request_status(request)->leads);
    cJSON_AddStringToObject(details, "RaftLeaderURI", "");
    cJSON_AddItemToObject(details, "RaftAdvertise", json_text(is_on ? view.address : ""));
    for (int i = 0; is_on && i < ROSTER_PLACES_MAX; i++) {
        if (!is_shown(&view, i))
            continue;
        const struct fc_span silent = fc_since(view.quorum->peers[i].heard_at, view.now);
        if (request_status(request)->leads && (i == view.own || fc_span_ms(silent) < 2 * view.settings->election_ms))
            cJSON_AddItemToArray(healthy, json_text(agreement_address(&view, i)));
    }
    cJSON_AddItemToObject(details, "RaftHealthyMembers", healthy);
}
