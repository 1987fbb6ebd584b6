/* The table of routes: path, who may use it, who answers, what for. The first row that fits is the one. It also prints the
 * page at "/" and docs/http-routes.md. */
#include "agent/doors/http_inside.h"

#include <stdlib.h>
#include <string.h>

#include "agent/fleet_answer.h"
#include "base/text.h"

#define READ(path, handle, meaning) { path, HTTP_READ, handle, NULL, 0, meaning, HTTP_KEEPS_NOTHING }
#define STATUS(path, handle, meaning) { path, HTTP_READ, handle, NULL, 0, meaning, HTTP_KEEPS_STATUS }      /* made of the status alone */
#define WRITE(path, handle, meaning) { path, HTTP_WRITE, handle, NULL, 0, meaning, HTTP_KEEPS_NOTHING }
#define ORDER(path, order, takes, meaning) { path, HTTP_ORDER, http_order, order, takes, meaning, HTTP_KEEPS_NOTHING }

static const struct http_route routes[] = {
    READ("/", http_page, "this page"),
    STATUS("/api/health", http_health, "health of this node: 200 only while the store has confirmed within 5 s, else 500"),
    STATUS("/api/lb-check", http_ping, "\"OK\": the process answers"),
    STATUS("/api/_ping", http_ping, "\"OK\": the process answers"),
    STATUS("/api/leader-check", http_leader_check, "200 \"OK\" while this node leads, else 404 \"Not leader\""),
    STATUS("/api/leader-check/:code", http_leader_check, "the same with this status when it does not lead"),
    STATUS("/api/routed-leader-check", http_leader_check, "the same as leader-check: nothing is forwarded"),
    READ("/api/headers", http_headers, "the request's headers, secrets hidden"),
    WRITE("/api/reelect", http_reelect, "the leader gives its lease back; another node may lead"),
    WRITE("/api/grab-election", http_grab_election, "always refused; says what to do instead"),
    WRITE("/api/reload-configuration", http_reload, "read the configuration file again"),
    WRITE("/api/reload-cluster-alias", http_no_alias, "retired: always an error"),
    READ("/api/raft-state", http_raft_state, "this node's role: \"Leader\", \"Follower\", \"Candidate\", \"Starting\" or \"Shutdown\""),
    READ("/api/raft-leader", http_raft_leader, "the leader's raft address, \"\" when none is known"),
    READ("/api/raft-health", http_raft_health, "200 \"healthy\" while a leader is known and, on the leader, confirmed by a majority; else 500"),
    READ("/api/raft-status", http_raft_status, "how raft stands on this node"),
    READ("/api/raft-peers", http_raft_peers, "raft addresses of all members; their names and roles are in raft-status"),
    WRITE("/api/raft-snapshot", http_raft_snapshot, "a snapshot of this node's log now"),
    READ("/api/raft-follower-health-report/:token/:bind/:advertise", http_raft_report, "always an error: reports are not needed"),
    WRITE("/api/raft-yield/:node", http_raft_yield, "the leader yields to this node, given by name or address"),
    WRITE("/api/raft-yield-hint/:hint", http_raft_yield_hint, "the leader yields to the first other node with this in its name"),
    WRITE("/api/raft-add-peer/:member", http_raft_add, "takes NAME@HOST:PORT into the group as a learner"),
    WRITE("/api/raft-promote-peer/:member", http_raft_promote, "makes a learner that has caught up a voter, given by name or address"),
    WRITE("/api/raft-remove-peer/:member", http_raft_remove, "removes a member, given by name or address"),

    STATUS("/api/steering/status", http_picture, "the whole picture: docs/status-json.md"),
    STATUS("/api/steering/pools", http_pools, "all pools"),
    READ("/api/steering/pool/:pool", http_pool, "one pool"),
    READ("/api/steering/events", http_events, "the latest events, oldest first; ?count=N"),
    READ("/api/steering/verify-backends", http_verify,
         "what the mode needs, checked now on each server of the pair, and whether their decision tables are the same"),
    READ("/api/steering/explain", http_explain, "why all of it is as it is; ?order=TEXT tries an order without giving it: docs/operating.md"),
    READ("/api/steering/explain/:subject", http_explain, "why: of a pool with its servers, of `leader`, of an HAProxy by its name"),
    READ("/api/steering/explain/:pool/:server", http_explain, "why: of the answer to one server"),
    READ("/api/steering/plan", http_plan, "what would be done about the chair next, or how far its move is"),
    READ("/api/steering/history", http_history,
         "what the store remembers, newest first; ?limit=N (200 at most), ?subject=POOL, ?since=TIME, ?before=ID"),
    ORDER("/api/steering/switch/:pool/:server", "switch $1 to $2", TAKES_FORCE | TAKES_WITHIN,
          "the chair of the pool moves to the server; ?force=1, ?within=SECONDS"),
    ORDER("/api/steering/failback/:pool", "failback $1", 0, "the chair goes back to the preferred server"),
    ORDER("/api/steering/maint/:pool/:server", "maint $1/$2", TAKES_BECAUSE, "hold the server out; ?because=TEXT"),
    ORDER("/api/steering/down/:pool/:server", "down $1/$2", TAKES_BECAUSE, "as maint"),
    ORDER("/api/steering/drain/:pool/:server", "drain $1/$2", TAKES_BECAUSE, "no new sessions for it; ?because=TEXT"),
    ORDER("/api/steering/ready/:pool/:server", "ready $1/$2", 0, "end the operator's own hold on it"),
    ORDER("/api/steering/up/:pool/:server", "up $1/$2", 0, "as ready"),
    ORDER("/api/steering/weight/:pool/:server/:percent", "weight $1/$2 $3", 0, "100: as ready; a pool with one writer has no weights"),
    ORDER("/api/steering/pause/:pool", "pause $1", TAKES_BECAUSE, "say nothing to HAProxy about the pool; ?because=TEXT"),
    ORDER("/api/steering/resume/:pool", "resume $1", 0, "end the pause"),
    ORDER("/api/steering/yield", "yield", 0, "the leader gives its lease back"),

    STATUS("/health/live", http_live, "200: the process answers"),
    STATUS("/health/ready", http_ready, "200 while the store is fresh and no stop is under way, else 503"),
    STATUS("/health/leader", http_leader, "200 while this node leads, else 503"),
    READ("/metrics", http_metrics, "Prometheus' text form: docs/metrics.md"),
    READ("/debug/metrics", http_flat_metrics, "flat JSON by orchestrator's names, as far as they are counted here: docs/metrics.md"),
    READ("/debug/vars", http_flat_metrics, "the same"),
};

/* Its path is configured, and stands above URLPrefix. */
static const struct http_route status_route = STATUS("/api/status", http_health, "as health; at StatusEndpoint, without URLPrefix");

/* Routes about the fleet are rows of agent/fleet_answer.c. Some that only look need the right to write all the same. */
static const struct http_route fleet_read = { "", HTTP_READ, http_fleet_read, NULL, 0, "", HTTP_KEEPS_FLEET };
static const struct http_route fleet_right_read = WRITE("", http_fleet_read, "");
static const struct http_route fleet_page = READ("", http_fleet_page, "");
static const struct http_route fleet_write = WRITE("", http_fleet_order, "");
static const struct http_route fleet_open_order = READ("", http_fleet_order, "");

static const struct http_route *row_of(const struct fleet_route *route)
{
    if (route->paging != NULL)
        return &fleet_page;
    if (route->make != NULL)
        return route->needs_right ? &fleet_write : &fleet_open_order;
    return route->needs_right ? &fleet_right_read : &fleet_read;
}

static const struct http_route *find_fleet(struct http_request *request)
{
    struct fleet_asked asked = { .parameter_count = 0 };
    request->fleet_route = fleet_route_find(&request->path, &asked);
    if (request->fleet_route == NULL)
        return NULL;
    request->parameter_count = asked.parameter_count;
    memcpy(request->parameter, asked.parameter, sizeof asked.parameter);
    return row_of(request->fleet_route);
}

#define ROUTE_COUNT (sizeof routes / sizeof *routes)

/* The path below the prefix, or NULL when it does not stand below it. */
static const char *below_prefix(const char *url, const char *prefix)
{
    const size_t length = strlen(prefix);
    if (strncmp(url, prefix, length) != 0 || (url[length] != '/' && url[length] != '\0'))
        return NULL;
    return url[length] == '\0' ? "/" : url + length;
}

bool http_is_status_endpoint(const struct config *config, const char *url)
{
    const char *endpoint = config->status_endpoint[0] != '\0' ? config->status_endpoint : status_route.path;
    const size_t length = strlen(endpoint);
    const char *below = below_prefix(url, config->url_prefix);

    if (strncmp(url, endpoint, length) == 0 && (url[length] == '\0' || text_is(url + length, "/")))
        return true;
    /* orchestrator keeps the preset one below the prefix */
    return text_is(endpoint, status_route.path) && below != NULL && strncmp(below, endpoint, length) == 0 &&
           (below[length] == '\0' || text_is(below + length, "/"));
}

const struct http_route *http_route_find(const struct config *config, struct http_request *request, const char *url)
{
    const char *below = below_prefix(url, config->url_prefix);

    request->parameter_count = 0;
    if (http_is_status_endpoint(config, url))
        return &status_route;
    if (below == NULL || !http_path_split(below, strlen(below), &request->path))
        return NULL;
    for (const struct http_route *route = routes; route < routes + ROUTE_COUNT; route++)
        if (http_path_fits(&request->path, route->path, request->parameter, &request->parameter_count))
            return route;
    return find_fleet(request);
}

static const char *right_mark(enum http_right right)
{
    switch (right) {
    case HTTP_READ: return "-";
    case HTTP_WRITE: return "W";
    case HTTP_ORDER: return "O";
    }
    return "";
}

void http_page(struct http_request *request, struct http_answer *answer)
{
    const struct config *config = request->door->desk->config;
    const struct status *status = request_status(request);
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    if (to == NULL) {
        answer_text(answer, MHD_HTTP_OK, "text/plain; charset=utf-8", NULL);
        return;
    }
    fprintf(to, "firstchair %s, node %s: %s%s%s, epoch %llu\n\n"
            "It decides which server sits in the first chair of each pool and tells HAProxy.\n"
            "W changes something, O is a steering order (a name or an asker on this host), - only looks.\n\n",
            status->version, status->node, status->leadership, status->leader[0] != '\0' ? ", led by " : "",
            status->leader, (unsigned long long)status->epoch);
    fprintf(to, "%s  %-44s %s\n", "-", config->status_endpoint, "as health");
    for (const struct http_route *route = routes; route < routes + ROUTE_COUNT; route++)
        fprintf(to, "%s  %s%-*s %s\n", right_mark(route->right), config->url_prefix,
                44 - (int)strnlen(config->url_prefix, 40), route->path, route->meaning);
    const struct fleet_route *one;
    for (size_t i = 0; (one = fleet_route_at(i)) != NULL; i++)
        fprintf(to, "%s  %s%-*s %s\n", right_mark(row_of(one)->right), config->url_prefix, 44 - (int)strnlen(config->url_prefix, 40),
                one->path, one->meaning);
    const bool is_whole = ferror(to) == 0;
    if (fclose(to) != 0 || !is_whole) {
        free(text);
        text = NULL;
    }
    answer_text(answer, MHD_HTTP_OK, "text/plain; charset=utf-8", text);
}

static void print_row(FILE *to, const struct http_route *route)
{
    fprintf(to, "| `%s` | %s | %s |\n", route->path, right_mark(route->right), route->meaning);
}

static void print_fleet(FILE *to)
{
    const struct fleet_route *route;
    fputs("\n## The fleet\n\n"
          "Servers, clusters and analyses in the shapes that orchestrator's clients read; the table is in `agent/fleet_answer.c`. `raw` "
          "is a plain value, `told` an envelope. A hint is a cluster's name, its alias, or a server of it. Lists are `[]` when they are "
          "empty, never `null`. Moments are `YYYY-MM-DD hh:mm:ss` in UTC. An instance that is named in part (`db1` of `db1.example`) "
          "is found when it is the only one of that port. Audit, detections and recoveries are asked of the store, a page of 20 at a time, "
          "the latest first; `locate-gtid-errant` of the server itself, over a session of its own; all else is answered from memory.\n\n"
          "| path | right | answer | meaning |\n|---|---|---|---|\n", to);
    for (size_t i = 0; (route = fleet_route_at(i)) != NULL; i++)
        fprintf(to, "| `%s` | %s | %s | %s |\n", route->path, right_mark(row_of(route)->right),
                route->shape == FLEET_RAW ? "raw" : "told", route->meaning);
}

void http_routes_print(FILE *to)
{
    fputs("# HTTP routes\n\n"
          "Printed from the table of `agent/doors/http_routes.c`. Paths stand below `URLPrefix`; the one of `StatusEndpoint` "
          "is used as it is. One slash at the end is accepted.\n\n"
          "`-` only looks. `W` changes something: as `AuthenticationMethod` and `ReadOnly` allow. `O` is a steering order: "
          "the same, and the asker has a name (`AuthenticationMethod`) or is on this host: from and to a loopback "
          "address, not through a proxy (`X-Forwarded-For`, `Forwarded`, `Via`). A proxy on the same host must add "
          "`option forwardfor`, or its clients count as local. Nothing is changed for a web page of another site "
          "(`Origin`, `Sec-Fetch-Site`).\n\n"
          "GET and HEAD; routes with `W` or `O` take GET and POST (a body is ignored) and not HEAD. Anything else is 404. An "
          "order is answered when it has ended; the others at once, from memory. An answer without a query may be one that was made for somebody "
          "else: of the same 5 ms of this node's state, or of what was seen of the fleet in the last 20 ms, never from before an order that this node "
          "has answered. From 16 kB on it is packed (`Accept-Encoding: gzip`); a list of more than 250 servers is told a slice at a time, each server "
          "as it is then.\n\n"
          "Writes, health checks and every failure answer `{\"Code\":\"OK\"|\"ERROR\",\"Message\":text,\"Details\":any}`, "
          "failures with status 500 (404 for an unknown path, 503 for `/health/*`, 401 as text); other reads answer plain "
          "JSON.\n\n"
          "| path | right | meaning |\n|---|---|---|\n", to);
    print_row(to, &status_route);
    for (const struct http_route *route = routes; route < routes + ROUTE_COUNT; route++)
        print_row(to, route);
    print_fleet(to);
}
