/* Health and leader checks, as load balancers and orchestrator's clients know them, and the routes that this mode does not
 * have. All from the picture in memory: a store that hangs makes the answer old, never late. */
#include "agent/doors/http_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/status_json.h"
#include "base/text.h"

#define FRESH_MS 5000                /* an older confirmation by the store is no health */
#define ZERO_TIME "0001-01-01T00:00:00Z"

static bool is_witness(const struct status *status) { return text_is(status->role, "witness"); }

bool http_is_healthy(const struct status *status)
{
    if (is_witness(status))
        return true;                                       /* it has no store that could be old */
    return status->store_is_reachable && status->store_age_ms >= 0 && status->store_age_ms <= FRESH_MS;
}

/* One word for what a load balancer or a person wants to tell apart. */
static const char *state_word(const struct status *status)
{
    if (status->is_stopping)
        return "draining";
    if (is_witness(status))
        return status->leader[0] != '\0' ? "witness" : "no-leader";
    if (!status->store_is_reachable)
        return "store-down";
    if (!http_is_healthy(status))
        return "store-stale";
    if (status->leads)
        return "leader";
    if (!text_is(status->leadership, "following"))
        return "leader-unconfirmed";
    return status->leader[0] != '\0' ? "follower" : "no-leader";
}

/* ---- HealthStatus ---- */

static void column_time(int64_t unix_ms, char *to, size_t size)
{
    const time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    to[0] = '\0';
    if (unix_ms > 0 && gmtime_r(&seconds, &parts) != NULL)
        strftime(to, size, "%Y-%m-%d %H:%M:%S", &parts);
}

/* Where the store is, as orchestrator says it: host:port, or the path of the file. */
static const char *store_place(const struct config *config, const struct status *status)
{
    if (text_is(status->store_word, "sqlite"))
        return config->sqlite3_data_file;
    for (int i = 0; i < status->server_count; i++)
        if (status->servers[i].is_seated)
            return status->servers[i].address;
    return status->server_count > 0 ? status->servers[0].address : "";
}

static cJSON *node_health(const struct config *config, const struct status *status, const char *name)
{
    const bool is_own = text_is(name, status->node), is_leader = text_is(name, status->leader);
    char first[RFC3339_SIZE] = "", last[RFC3339_SIZE] = "";
    cJSON *node = cJSON_CreateObject();

    if (name[0] != '\0' && is_leader)
        column_time(status->leader_since_unix_ms, first, sizeof first);
    if (name[0] != '\0' && status->store_age_ms >= 0)
        column_time(status->unix_ms - status->store_age_ms, last, sizeof last);
    cJSON_AddItemToObject(node, "Hostname", json_text(name));
    cJSON_AddItemToObject(node, "Token", json_text(is_own ? status->token : ""));
    cJSON_AddItemToObject(node, "AppVersion", json_text(is_own ? status->version : ""));
    cJSON_AddStringToObject(node, "FirstSeenActive", first);
    cJSON_AddStringToObject(node, "LastSeenActive", last);
    cJSON_AddStringToObject(node, "ExtraInfo", "");
    cJSON_AddStringToObject(node, "Command", "");
    cJSON_AddItemToObject(node, "DBBackend", json_text(name[0] == '\0' ? "" : store_place(config, status)));
    cJSON_AddStringToObject(node, "LastReported", ZERO_TIME);
    return node;
}

static cJSON *health_error(const struct status *status)
{
    cJSON *error;
    if (http_is_healthy(status))
        return cJSON_CreateNull();
    error = cJSON_CreateObject();
    cJSON_AddStringToObject(error, "Message", !status->store_is_reachable ? "no server of the store answers"
                                                                       : "the store has confirmed nothing for too long");
    return error;
}

/* What orchestrator does not say, after what it says. */
static void add_ours(cJSON *details, const struct status *status)
{
    cJSON_AddStringToObject(details, "State", state_word(status));
    cJSON_AddItemToObject(details, "Leadership", json_text(status->leadership));
    if (status->store_age_ms >= 0)
        cJSON_AddNumberToObject(details, "AgeSeconds", (double)status->store_age_ms / 1000.0);
    else
        cJSON_AddNullToObject(details, "AgeSeconds");
    cJSON_AddNumberToObject(details, "Epoch", (double)status->epoch);
    cJSON_AddNumberToObject(details, "LeaseLeftSeconds", (double)status->lease_left_ms / 1000.0);
    cJSON_AddItemToObject(details, "Notice", json_text(status->notice));
}

void http_health(struct http_request *request, struct http_answer *answer)
{
    const struct config *config = request->door->desk->config;
    const struct status *status = request_status(request);
    const bool is_healthy = http_is_healthy(status);
    cJSON *details = cJSON_CreateObject(), *nodes = cJSON_CreateArray();
    char message[128];

    cJSON_AddBoolToObject(details, "Healthy", is_healthy);
    cJSON_AddItemToObject(details, "Hostname", json_text(status->node));
    cJSON_AddItemToObject(details, "Token", json_text(status->token));
    cJSON_AddBoolToObject(details, "IsActiveNode", status->leads);
    cJSON_AddItemToObject(details, "ActiveNode", node_health(config, status, status->leader));
    cJSON_AddItemToObject(details, "Error", health_error(status));
    cJSON_AddItemToArray(nodes, node_health(config, status, status->node));
    if (status->leader[0] != '\0' && !text_is(status->leader, status->node))
        cJSON_AddItemToArray(nodes, node_health(config, status, status->leader));
    cJSON_AddItemToObject(details, "AvailableNodes", nodes);
    http_raft_in_health(request, details);
    add_ours(details, status);
    TEXT_FORMAT(message, "Application node is %s", is_healthy ? "healthy" : "unhealthy: ");
    if (!is_healthy)
        TEXT_FORMAT(message, "Application node is unhealthy: %s", state_word(status));
    answer_envelope(answer, is_healthy ? MHD_HTTP_OK : MHD_HTTP_INTERNAL_SERVER_ERROR, is_healthy, message, details);
}

/* ---- checks for load balancers ---- */

void http_ping(struct http_request *request, struct http_answer *answer)
{
    (void)request;
    answer_json(answer, MHD_HTTP_OK, strdup("\"OK\""));
}

/* The status for "not leader": 404, or the code asked for. A code that HTTP cannot answer with (below 200 the exchange would
 * not end; above 999 there is none) is an error of the asker: 500. */
static unsigned not_leader_status(const struct http_request *request)
{
    uint64_t code;
    if (request->parameter_count == 0 ||
        !text_to_u64(request->parameter[0], strlen(request->parameter[0]), &code))
        return MHD_HTTP_NOT_FOUND;
    return code >= 200 && code <= 999 ? (unsigned)code : MHD_HTTP_INTERNAL_SERVER_ERROR;
}

void http_leader_check(struct http_request *request, struct http_answer *answer)
{
    if (request_status(request)->leads)
        answer_json(answer, MHD_HTTP_OK, strdup("\"OK\""));
    else
        answer_json(answer, not_leader_status(request), strdup("\"Not leader\""));
}

static void answer_check(const struct status *status, bool is_good, struct http_answer *answer)
{
    cJSON *details = cJSON_CreateObject();
    add_ours(details, status);
    answer_envelope(answer, is_good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, is_good, state_word(status), details);
}

void http_live(struct http_request *request, struct http_answer *answer)
{
    answer_check(request_status(request), true, answer);
}

void http_ready(struct http_request *request, struct http_answer *answer)
{
    const struct status *status = request_status(request);
    answer_check(status, http_is_healthy(status) && !status->is_stopping, answer);
}

void http_leader(struct http_request *request, struct http_answer *answer)
{
    const struct status *status = request_status(request);
    answer_check(status, status->leads, answer);
}

/* ---- what is only echoed, or not there ---- */

static const char *const secret_headers[] = { "Authorization", "Proxy-Authorization", "Cookie" };

static enum MHD_Result add_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    cJSON *map = cls;
    cJSON *values = cJSON_GetObjectItemCaseSensitive(map, name);
    const char *shown = value == NULL ? "" : value;
    (void)kind;
    for (size_t i = 0; i < sizeof secret_headers / sizeof *secret_headers; i++)
        if (text_is_nocase(name, secret_headers[i]))
            shown = "(set)";
    if (values == NULL)
        values = cJSON_AddArrayToObject(map, name);
    if (values != NULL)
        cJSON_AddItemToArray(values, json_text(shown));
    return MHD_YES;
}

void http_headers(struct http_request *request, struct http_answer *answer)
{
    cJSON *map = cJSON_CreateObject();
    if (map != NULL)
        MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_header, map);
    answer_json(answer, MHD_HTTP_OK, map == NULL ? NULL : cJSON_PrintUnformatted(map));
    cJSON_Delete(map);
}

void http_grab_election(struct http_request *request, struct http_answer *answer)
{
    (void)request;
    answer_error(answer, FC_REFUSED,
                 "leadership is not grabbed: the leader might still act. Order it to give way with firstchairctl yield, or "
                 "/api/reelect");
}

void http_no_alias(struct http_request *request, struct http_answer *answer)
{
    (void)request;
    answer_error(answer, FC_REFUSED, "reload-cluster-alias is retired");
}
