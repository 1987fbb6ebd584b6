/* A page is read in chunks by the key, because what is asked for may stand far behind; the store's own index finds a text. */
#include "agent/fleet_pages.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/fleet_answer.h"
#include "agent/fleet_inside.h"
#include "backends/pattern.h"
#include "base/text.h"

#define CHUNK_ROWS 200
#define RECENT_SECONDS 300

struct page_job {
    struct fleet_pages *pages;
    struct fleet_store *store;
    struct fleet_page_asked asked;
    uint64_t ticket;                   /* 0: free */
    desk_report *reply;                /* NULL: who asked went away */
    void *waiter;
    bool is_done;
    uint64_t before;
    int chunks, chunk_rows;
    char **rows;                       /* each an object, of changes a line; from malloc */
    uint32_t skipped, count;
    bool is_short;
    bool is_relating;                  /* detections are there; now recoveries are read, for which of them led to one */
    uint64_t detection[FLEET_PAGE_ROWS];         /* by row: its id, and the first recovery that names it; 0 none */
    uint64_t recovery[FLEET_PAGE_ROWS];
};

struct fleet_pages {
    const struct host *host;
    struct host_timer *timer;
    struct page_job jobs[FLEET_PAGES_MAX];
};

/* ---- what is asked ---- */

static uint32_t page_number(const char *text)
{
    uint64_t number = 0;
    return text_to_u64(text, strlen(text), &number) && number <= FLEET_PAGE_NUMBER_MAX ? (uint32_t)number : 0;
}

static enum fc_code meant_logs(const struct fleet_asked *asked, struct fleet_page_asked *ret, struct fc_err *err)
{
    member_id id;
    *ret = (struct fleet_page_asked){ .by = PAGED_LOGS, .column = -1 };
    const enum fc_code code = meant_known(asked, 0, &id, err);
    if (code != FC_OK)
        return code;
    const struct instance_key key = topology_key(asked->picture->topology, id);
    TEXT_SET(ret->equal, key.host);
    ret->port = key.port;
    return FC_OK;
}

/* A server by name, which may have gone since; or who heads a cluster of now. */
static enum fc_code meant_then(const struct fleet_asked *asked, struct fleet_page_asked *ret, struct fc_err *err)
{
    const struct picture *picture = asked->picture;
    const char *hint = asked->parameter[0], *host;
    struct server_meant server = { .id = MEMBER_NONE };
    size_t length;
    enum fc_code code = FC_OK;
    if (asked->parameter_count > 1) {
        code = meant_server(asked, 0, &server, err);
    } else if (strchr(hint, ':') == NULL && meant_cluster(picture, hint, &server.id, err) == FC_OK) {
        server.port = topology_key(picture->topology, server.id).port;
        TEXT_SET(server.host, topology_key(picture->topology, server.id).host);
    } else if (!instance_key_parse(hint, strlen(hint), picture->default_port, &host, &length, &server.port) ||
               !text_copy_bytes(server.host, sizeof server.host, host, length)) {
        code = fc_fail(err, FC_NOT_FOUND, "'%.96s' is no cluster of now, and no host:port", hint);
    }
    ret->port = server.port;
    TEXT_SET(ret->equal, server.host);
    return code;
}

static enum fc_code meant_past(const struct fleet_asked *asked, struct fleet_page_asked *ret, struct fc_err *err)
{
    struct pattern *pattern = NULL;
    *ret = (struct fleet_page_asked){ .by = PAGED_PAST, .column = -1 };
    if (!meant_text(asked, "pattern", ret->pattern, sizeof ret->pattern, err))
        return err->code;
    if (ret->pattern[0] != '\0' && pattern_compile("pattern", ret->pattern, &pattern, err) != FC_OK)
        return err->code = FC_BAD_INPUT;
    pattern_free(pattern);
    return meant_then(asked, ret, err);
}

static enum fc_code meant_domain(const struct fleet_asked *asked, struct fleet_page_asked *ret, struct fc_err *err)
{
    const struct fleet_paging *paging = asked->route->paging;
    const struct picture *picture = asked->picture;
    member_id head;
    *ret = (struct fleet_page_asked){ .table = paging->table, .by = PAGED_DOMAIN, .column = paging->column, .limit = 1 };
    const enum fc_code code = meant_cluster(picture, asked->parameter[0], &head, err);
    if (code != FC_OK)
        return code;
    const char *domain = classification_domain(picture->classifications, head);
    if (domain[0] == '\0')
        return fc_fail(err, FC_NOT_FOUND, "the cluster of '%.96s' has no domain: DetectClusterDomainQuery finds it", asked->parameter[0]);
    return TEXT_SET(ret->equal, domain) ? FC_OK : fc_fail(err, FC_BAD_INPUT, "a domain of more than %zu bytes", sizeof ret->equal - 1);
}

enum fc_code fleet_page_meant(const struct fleet_asked *asked, struct fleet_page_asked *ret, struct fc_err *err)
{
    const struct fleet_paging *paging = asked->route->paging;
    const bool is_of_server = paging->by == PAGED_SERVER || paging->by == PAGED_SUCCESSOR;
    uint64_t port = 0;
    char flag[8] = "";
    if (paging->by == PAGED_LOGS)
        return meant_logs(asked, ret, err);
    if (paging->by == PAGED_PAST)
        return meant_past(asked, ret, err);
    if (paging->by == PAGED_DOMAIN)
        return meant_domain(asked, ret, err);
    *ret = (struct fleet_page_asked){ .table = paging->table, .by = paging->by, .column = paging->column, .limit = FLEET_PAGE_ROWS };
    if (paging->by == PAGED_STEPS)
        ret->limit = FLEET_PAGE_STEPS_MAX;
    if (paging->by == PAGED_CHANGES)
        ret->limit = FLEET_PAGE_CHANGES_MAX;
    if (paging->table == FLEET_blocked_topology_recovery)
        ret->limit = FLEET_PAGE_BLOCKED_MAX;
    if (paging->column >= 0 && !TEXT_SET(ret->equal, asked->parameter[0]))
        return fc_fail(err, FC_BAD_INPUT, "a name of more than %zu bytes", sizeof ret->equal - 1);
    if (paging->by == PAGED_NUMBER && (!text_to_u64(asked->parameter[0], strlen(asked->parameter[0]), &ret->number) || ret->number == 0 ||
                                       ret->number >= INT64_MAX))
        return fc_fail(err, FC_BAD_INPUT, "'%.40s' is no id", asked->parameter[0]);
    if (is_of_server && (!text_to_u64(asked->parameter[1], strlen(asked->parameter[1]), &port) || port == 0 || port > 65535))
        return fc_fail(err, FC_BAD_INPUT, "'%.40s' is no port", asked->parameter[1]);
    ret->port = (uint16_t)port;
    if (paging->has_page)
        ret->skip = FLEET_PAGE_ROWS * page_number(asked->parameter[asked->parameter_count - 1]);
    if (paging->table == FLEET_topology_recovery)
        ret->is_unacknowledged = asked->argument(asked->lender, "unacknowledged", flag, sizeof flag) && text_is(flag, "true");
    return FC_OK;
}

/* Of a key that is a name: 0, and one chunk is all. */
static uint64_t number_of(const struct fleet_row *row) { return (uint64_t)fleet_number(row, 0); }

static bool is_recovery_in(const struct fleet_page_asked *asked, const struct fleet_row *row, int64_t unix_s)
{
    const bool has_ended = !fleet_is_null(row, topology_recovery_end_recovery);
    if (asked->is_unacknowledged && fleet_number(row, topology_recovery_acknowledged) != 0)
        return false;
    if (asked->by == PAGED_RUNNING)
        return !has_ended;
    if (asked->by == PAGED_SUCCESSOR && fleet_number(row, topology_recovery_successor_port) != asked->port)
        return false;
    return (asked->by != PAGED_RECENT && asked->by != PAGED_SUCCESSOR) ||
           (has_ended && fleet_number(row, topology_recovery_end_recovery) >= unix_s - RECENT_SECONDS);
}

bool fleet_page_fits(const struct fleet_page_asked *asked, const struct fleet_row *row, int64_t unix_s)
{
    if (asked->by == PAGED_NUMBER && number_of(row) != asked->number)
        return false;
    if (asked->by == PAGED_SERVER && fleet_number(row, audit_port) != asked->port)
        return false;
    if (asked->by == PAGED_DOMAIN && !text_is(fleet_text(row, host_attributes_hostname), "*"))       /* else it is a host's own */
        return false;
    return asked->table != FLEET_topology_recovery || is_recovery_in(asked, row, unix_s);
}

/* ---- what is shown ---- */

static const char *moment_text(const struct fleet_row *row, int column, char to[FLEET_MOMENT_SIZE])
{
    to[0] = '\0';
    if (fleet_number(row, column) > 0)
        fleet_unix_text(fleet_number(row, column), to);
    return to;
}

static void put_moment(struct json_page *page, const char *name, const struct fleet_row *row, int column)
{
    char text[FLEET_MOMENT_SIZE];
    page_text(page, name, moment_text(row, column, text));
}

static void put_text(struct json_page *page, const char *name, const struct fleet_row *row, int column)
{
    page_text(page, name, fleet_text(row, column));
}

static void put_key(struct json_page *page, const char *name, const struct fleet_row *row, int host, int port)
{
    const struct instance_key key = { fleet_text(row, host), (uint16_t)fleet_number(row, port) };
    fleet_json_key(page, name, &key);
}

/* "db1:3306", which may be cut off at `length`. False: it is no key, and *ret has no host. */
static bool take_key(const char *text, size_t length, char host_text[INSTANCE_HOST_MAX + 1], struct instance_key *ret)
{
    const char *host;
    size_t host_length;
    *ret = (struct instance_key){ .host = host_text };
    host_text[0] = '\0';
    return instance_key_parse(text, length, 0, &host, &host_length, &ret->port) &&
           text_copy_bytes(host_text, INSTANCE_HOST_MAX + 1, host, host_length);
}

/* "db1:3306,db2:3306" */
static void put_keys(struct json_page *page, const char *name, const char *list)
{
    char host_text[INSTANCE_HOST_MAX + 1];
    page_open(page, name, '[');
    for (const char *at = list; *at != '\0';) {
        const size_t length = strcspn(at, ",");
        struct instance_key key;
        if (take_key(at, length, host_text, &key))
            fleet_json_key(page, NULL, &key);
        at += length + (at[length] == ',');
    }
    page_close(page, ']');
}

/* One text a line; none is one empty text, as orchestrator's history has it. */
static void put_lines(struct json_page *page, const char *name, const char *lines)
{
    char line[1024];
    page_open(page, name, '[');
    for (const char *at = lines;; at++) {
        const size_t length = strcspn(at, "\n");
        text_copy_bytes(line, sizeof line, at, length < sizeof line ? length : sizeof line - 1);
        page_text(page, NULL, line);
        at += length;
        if (*at == '\0')
            break;
    }
    page_close(page, ']');
}

static void show_audit(struct json_page *page, const struct fleet_row *row)
{
    page_int(page, "AuditId", fleet_number(row, audit_audit_id));
    put_moment(page, "AuditTimestamp", row, audit_audit_timestamp);
    put_text(page, "AuditType", row, audit_audit_type);
    put_key(page, "AuditInstanceKey", row, audit_hostname, audit_port);
    put_text(page, "Message", row, audit_message);
}

static void show_step(struct json_page *page, const struct fleet_row *row)
{
    page_int(page, "Id", fleet_number(row, topology_recovery_steps_recovery_step_id));
    put_text(page, "RecoveryUID", row, topology_recovery_steps_recovery_uid);
    put_moment(page, "AuditAt", row, topology_recovery_steps_audit_at);
    put_text(page, "Message", row, topology_recovery_steps_message);
}

/* Where a detection and a recovery have the same, by which column. */
struct found_columns { int host, port, analysis, name, alias, count, replicas, start; };

static void show_found(struct json_page *page, const struct fleet_row *row, const struct found_columns *c, bool has_start)
{
    page_open(page, "AnalysisEntry", '{');
    put_key(page, "AnalyzedInstanceKey", row, c->host, c->port);
    put_text(page, "Analysis", row, c->analysis);
    page_open(page, "ClusterDetails", '{');
    put_text(page, "ClusterName", row, c->name);
    put_text(page, "ClusterAlias", row, c->alias);
    page_bool(page, "HasAutomatedMasterRecovery", false);
    page_bool(page, "HasAutomatedIntermediateMasterRecovery", false);
    page_close(page, '}');
    page_int(page, "CountReplicas", fleet_number(row, c->count));
    put_keys(page, "Replicas", fleet_text(row, c->replicas));
    put_keys(page, "SlaveHosts", fleet_text(row, c->replicas));
    if (has_start)
        put_moment(page, "StartActivePeriod", row, c->start);
    page_close(page, '}');
}

static void show_recovery(struct json_page *page, const struct fleet_row *row)
{
#define AT(column) topology_recovery_##column
    const struct found_columns columns = { AT(hostname), AT(port), AT(analysis), AT(cluster_name), AT(cluster_alias), AT(count_affected_slaves),
                                           AT(slave_hosts), AT(start_active_period) };
    page_int(page, "Id", fleet_number(row, AT(recovery_id)));
    put_text(page, "UID", row, AT(uid));
    show_found(page, row, &columns, false);
    put_key(page, "SuccessorKey", row, AT(successor_hostname), AT(successor_port));
    put_text(page, "SuccessorAlias", row, AT(successor_alias));
    page_null(page, "SuccessorBinlogCoordinates");
    page_bool(page, "IsActive", fleet_number(row, AT(in_active_period)) != 0);
    page_bool(page, "IsSuccessful", fleet_number(row, AT(is_successful)) != 0);
    put_keys(page, "LostReplicas", fleet_text(row, AT(lost_slaves)));
    put_keys(page, "ParticipatingInstanceKeys", fleet_text(row, AT(participating_instances)));
    put_lines(page, "AllErrors", fleet_text(row, AT(all_errors)));
    put_moment(page, "RecoveryStartTimestamp", row, AT(start_active_period));
    put_moment(page, "RecoveryEndTimestamp", row, AT(end_recovery));
    put_text(page, "ProcessingNodeHostname", row, AT(processing_node_hostname));
    put_text(page, "ProcessingNodeToken", row, AT(processcing_node_token));
    page_bool(page, "Acknowledged", fleet_number(row, AT(acknowledged)) != 0);
    put_moment(page, "AcknowledgedAt", row, AT(acknowledged_at));
    put_text(page, "AcknowledgedBy", row, AT(acknowledged_by));
    put_text(page, "AcknowledgedComment", row, AT(acknowledge_comment));
    page_int(page, "LastDetectionId", fleet_number(row, AT(last_detection_id)));
    page_int(page, "RelatedRecoveryId", 0);
    page_text(page, "Type", "");
    page_text(page, "RecoveryType", "NotMasterRecovery");
#undef AT
}

/* Its value is host:port. */
static void show_attribute(struct json_page *page, const struct fleet_row *row)
{
    const char *value = fleet_text(row, host_attributes_attribute_value);
    char host_text[INSTANCE_HOST_MAX + 1];
    struct instance_key key;
    take_key(value, strlen(value), host_text, &key);
    page_text(page, "Hostname", key.host);
    page_uint(page, "Port", key.port);
}

static void show_blocked(struct json_page *page, const struct fleet_row *row)
{
    put_key(page, "FailedInstanceKey", row, blocked_topology_recovery_hostname, blocked_topology_recovery_port);
    put_text(page, "ClusterName", row, blocked_topology_recovery_cluster_name);
    put_text(page, "Analysis", row, blocked_topology_recovery_analysis);
    put_moment(page, "LastBlockedTimestamp", row, blocked_topology_recovery_last_blocked_timestamp);
    page_int(page, "BlockingRecoveryId", fleet_number(row, blocked_topology_recovery_blocking_recovery_id));
}

static void show_detection(struct json_page *page, const struct fleet_row *row)
{
#define AT(column) topology_failure_detection_##column
    const struct found_columns columns = { AT(hostname), AT(port), AT(analysis), AT(cluster_name), AT(cluster_alias), AT(count_affected_slaves),
                                           AT(slave_hosts), AT(start_active_period) };
    page_int(page, "Id", fleet_number(row, AT(detection_id)));
    page_text(page, "UID", "");
    show_found(page, row, &columns, true);
    page_null(page, "SuccessorKey");
    page_text(page, "SuccessorAlias", "");
    page_null(page, "SuccessorBinlogCoordinates");
    page_bool(page, "IsActive", fleet_number(row, AT(in_active_period)) != 0);
    page_bool(page, "IsSuccessful", false);
    page_raw(page, "LostReplicas", "[]");
    page_raw(page, "ParticipatingInstanceKeys", "[]");
    page_null(page, "AllErrors");
    put_moment(page, "RecoveryStartTimestamp", row, AT(start_active_period));
    page_text(page, "RecoveryEndTimestamp", "");
    put_text(page, "ProcessingNodeHostname", row, AT(processing_node_hostname));
    put_text(page, "ProcessingNodeToken", row, AT(processcing_node_token));
    page_bool(page, "Acknowledged", false);
    page_text(page, "AcknowledgedAt", "");
    page_text(page, "AcknowledgedBy", "");
    page_text(page, "AcknowledgedComment", "");
    page_int(page, "LastDetectionId", 0);
    page_int(page, "RelatedRecoveryId", 0);
    page_text(page, "Type", "");
    page_text(page, "RecoveryType", "");
#undef AT
}

bool fleet_page_show(struct json_page *page, const struct fleet_row *row)
{
    static const struct { enum fleet_table_name table; void (*show)(struct json_page *, const struct fleet_row *); } shapes[] = {
        { FLEET_audit, show_audit }, { FLEET_topology_recovery_steps, show_step }, { FLEET_topology_recovery, show_recovery },
        { FLEET_topology_failure_detection, show_detection }, { FLEET_blocked_topology_recovery, show_blocked },
        { FLEET_host_attributes, show_attribute },
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (shapes[i].table != row->table)
            continue;
        page_open(page, NULL, '{');
        shapes[i].show(page, row);
        page_close(page, '}');
        return true;
    }
    return false;
}

/* ---- changes of findings ---- */

/* "db1:3306<tab>2026-01-31 08:00:00;DeadMaster," */
char *fleet_page_change(const struct fleet_row *row)
{
    const struct instance_key key = { fleet_text(row, database_instance_analysis_changelog_hostname),
                                      (uint16_t)fleet_number(row, database_instance_analysis_changelog_port) };
    char server[FLEET_KEY_SIZE] = "", at[FLEET_MOMENT_SIZE], line[FLEET_KEY_SIZE + FLEET_MOMENT_SIZE + 132];
    instance_key_text(&key, server, sizeof server);
    TEXT_FORMAT(line, "%s\t%s;%s,", server, moment_text(row, database_instance_analysis_changelog_analysis_timestamp, at),
                fleet_text(row, database_instance_analysis_changelog_analysis));
    return strdup(line);
}

struct change_line { const char *text; size_t length; uint32_t place; };       /* length: of the server */

static bool is_of_one_server(const struct change_line *a, const struct change_line *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static int compare_lines(const void *first, const void *second)
{
    const struct change_line *a = first, *b = second;
    if (!is_of_one_server(a, b))
        return strcmp(a->text, b->text);
    return (a->place < b->place) - (a->place > b->place);
}

static void open_server(struct json_page *page, const struct change_line *line)
{
    char host_text[INSTANCE_HOST_MAX + 1];
    struct instance_key key;
    take_key(line->text, line->length, host_text, &key);
    page_open(page, NULL, '{');
    fleet_json_key(page, "AnalyzedInstanceKey", &key);
    page_open(page, "Changelog", '[');
}

char *fleet_page_changes(char *const *lines, uint32_t count)
{
    struct json_page page = { 0 };
    struct change_line *sorted = calloc((size_t)count + 1, sizeof *sorted);
    if (sorted == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = (struct change_line){ lines[i], strcspn(lines[i], "\t"), i };
    qsort(sorted, count, sizeof *sorted, compare_lines);
    page_open(&page, NULL, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || !is_of_one_server(&sorted[i], &sorted[i - 1]))
            open_server(&page, &sorted[i]);
        page_text(&page, NULL, sorted[i].text + sorted[i].length + 1);
        if (i + 1 < count && is_of_one_server(&sorted[i], &sorted[i + 1]))
            continue;
        page_close(&page, ']');
        page_close(&page, '}');
    }
    page_close(&page, ']');
    free(sorted);
    return page_take(&page);
}

/* ---- asking the store ---- */

static void drop_rows(struct page_job *job)
{
    for (uint32_t i = 0; i < job->count; i++)
        free(job->rows[i]);
    free(job->rows);
    job->rows = NULL;
    job->count = 0;
}

/* Steps are told from the first, all else from the last. */
static char *whole(const struct page_job *job)
{
    struct json_page page = { 0 };
    if (job->asked.by == PAGED_CHANGES)
        return fleet_page_changes(job->rows, job->count);
    page_open(&page, NULL, '[');
    for (uint32_t i = 0; i < job->count; i++)
        page_raw(&page, NULL, job->rows[job->asked.by == PAGED_STEPS ? job->count - 1 - i : i]);
    page_close(&page, ']');
    return page_take(&page);
}

static void finish(struct page_job *job, enum fc_code code, const char *sentence)
{
    char *json = code == FC_OK && !job->is_short ? whole(job) : NULL;
    desk_report *reply = job->reply;
    void *waiter = job->waiter;
    drop_rows(job);
    job->ticket = 0;
    if (reply != NULL)
        reply(waiter, code == FC_OK && json == NULL ? FC_NO_MEMORY : code, code == FC_OK && json == NULL ? "out of memory" : sentence, json);
    free(json);
}

/* ---- which recovery a detection led to: in the table a recovery names its detection, and not the other way ---- */

static bool wants_recoveries(const struct page_job *job)
{
    return job->asked.table == FLEET_topology_failure_detection && job->count > 0 && !job->is_relating;
}

/* Recoveries come from the newest; one that names an earlier detection than all of the page is the last that matters. */
static bool relate(struct page_job *job, const struct fleet_row *row)
{
    const uint64_t named = (uint64_t)fleet_number(row, topology_recovery_last_detection_id);
    for (uint32_t i = 0; i < job->count; i++) {
        if (job->detection[i] == named)
            job->recovery[i] = number_of(row);
    }
    return named >= job->detection[job->count - 1];
}

/* A quote within a text is escaped: these can only be the member. */
static void put_recoveries(struct page_job *job)
{
    static const char unknown[] = "\"RelatedRecoveryId\":0";
    for (uint32_t i = 0; i < job->count; i++) {
        const char *at = job->recovery[i] == 0 ? NULL : strstr(job->rows[i], unknown);
        const size_t size = strlen(job->rows[i]) + 24;
        char *text = at == NULL ? NULL : malloc(size);
        if (at == NULL)
            continue;
        if (text == NULL) {
            job->is_short = true;
            return;
        }
        text_format(text, size, "%.*s%" PRIu64 "%s", (int)(at - job->rows[i] + (long)sizeof unknown - 2), job->rows[i], job->recovery[i],
                    at + sizeof unknown - 1);
        free(job->rows[i]);
        job->rows[i] = text;
    }
}

static char *shown(const struct page_job *job, const struct fleet_row *row)
{
    struct json_page page = { 0 };
    if (job->asked.by == PAGED_CHANGES)
        return fleet_page_change(row);
    return fleet_page_show(&page, row) ? page_take(&page) : NULL;
}

static void keep(struct page_job *job, const struct fleet_row *row)
{
    char **more = realloc(job->rows, (job->count + 1) * sizeof *more);
    if (more != NULL)
        job->rows = more;
    char *text = more == NULL ? NULL : shown(job, row);
    if (text == NULL)
        job->is_short = true;
    else
        job->rows[job->count++] = text;
    if (text != NULL && job->asked.table == FLEET_topology_failure_detection)
        job->detection[job->count - 1] = number_of(row);
}

static void on_row(void *owner, const struct fleet_row *row)
{
    struct page_job *job = owner;
    job->before = number_of(row);
    job->chunk_rows++;
    if (job->is_relating) {
        job->before = relate(job, row) ? job->before : 0;
        return;
    }
    if (job->count == job->asked.limit || !fleet_page_fits(&job->asked, row, job->pages->host->unix_ms(job->pages->host->agent) / 1000))
        return;
    if (job->skipped < job->asked.skip)
        job->skipped++;
    else
        keep(job, row);
}

static bool ask_chunk(struct page_job *job);

static bool is_all_read(struct page_job *job)
{
    const bool is_full = !job->is_relating && (job->count == job->asked.limit || job->asked.by == PAGED_NUMBER);
    return is_full || job->chunk_rows < CHUNK_ROWS || ++job->chunks == FLEET_PAGE_CHUNKS_MAX || job->reply == NULL || job->before <= 1;
}

static void on_done(void *owner, enum fc_code code, const char *sentence)
{
    struct page_job *job = owner;
    bool is_all = is_all_read(job);
    if (code == FC_OK && is_all && job->reply != NULL && wants_recoveries(job)) {
        job->is_relating = true;
        job->before = 0;
        job->chunks = 0;
        is_all = false;
    } else if (code == FC_OK && is_all && job->is_relating) {
        put_recoveries(job);
    }
    if (code != FC_OK || is_all)
        finish(job, code, sentence);
    else if (!ask_chunk(job))
        finish(job, FC_BUSY, "too many ask the store at one time; ask again");
}

static bool ask_chunk(struct page_job *job)
{
    const struct fleet_page page = { .table = job->is_relating ? FLEET_topology_recovery : job->asked.table, .before = job->before,
                                     .limit = CHUNK_ROWS, .equal_column = job->is_relating ? -1 : job->asked.column, .equal = job->asked.equal,
                                     .owner = job, .row = on_row, .done = on_done };
    job->chunk_rows = 0;
    return fleet_store_page(job->store, &page);
}

static void on_tick(void *owner)
{
    struct fleet_pages *pages = owner;
    for (int i = 0; i < FLEET_PAGES_MAX; i++) {
        if (pages->jobs[i].ticket != 0 && pages->jobs[i].is_done)
            finish(&pages->jobs[i], FC_OK, "");
    }
}

struct fleet_pages *fleet_pages_new(const struct host *host)
{
    struct fleet_pages *pages = calloc(1, sizeof *pages);
    if (pages == NULL)
        return NULL;
    pages->host = host;
    pages->timer = host->timer(host->agent, on_tick, pages);
    if (pages->timer == NULL) {
        free(pages);
        return NULL;
    }
    return pages;
}

void fleet_pages_free(struct fleet_pages *pages)
{
    if (pages == NULL)
        return;
    for (int i = 0; i < FLEET_PAGES_MAX; i++)
        drop_rows(&pages->jobs[i]);
    pages->host->untimer(pages->timer);
    free(pages);
}

bool fleet_pages_ask(struct fleet_pages *pages, struct fleet_store *store, const struct fleet_page_asked *asked, uint64_t ticket,
                     desk_report *reply, void *waiter)
{
    for (int i = 0; i < FLEET_PAGES_MAX; i++) {
        struct page_job *job = &pages->jobs[i];
        if (job->ticket != 0)
            continue;
        *job = (struct page_job){ .pages = pages, .store = store, .asked = *asked, .ticket = ticket, .reply = reply, .waiter = waiter,
                                  .before = asked->by == PAGED_NUMBER ? asked->number + 1 : 0, .is_done = store == NULL };
        if (store != NULL && !ask_chunk(job)) {
            job->ticket = 0;
            return false;
        }
        if (store == NULL)
            pages->host->timer_set(pages->timer, pages->host->now(pages->host->agent));
        return true;
    }
    return false;
}

void fleet_pages_drop(struct fleet_pages *pages, uint64_t ticket)
{
    for (int i = 0; i < FLEET_PAGES_MAX; i++) {
        if (ticket != 0 && pages->jobs[i].ticket == ticket)
            pages->jobs[i].reply = NULL;
    }
}
