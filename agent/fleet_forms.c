/* One small function a form; a missing field reads as "" or 0. */
#include "agent/fleet_forms.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

struct printing { FILE *to; const char *instance; FILE *trouble; };
typedef void print_form(const struct printing *p, const cJSON *value);

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text == NULL ? "" : text;
}

static int number_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valueint : 0;
}

/* What a server calls itself must not steer the operator's terminal. */
static void put_char(FILE *to, char c) { fputc((unsigned char)c < 0x20 || c == 0x7f ? '.' : c, to); }

static void put_plain(FILE *to, const char *text, bool keeps_lines)
{
    for (; *text != '\0'; text++) {
        if (keeps_lines && *text == '\n')
            fputc('\n', to);
        else
            put_char(to, *text);
    }
}

/* An instance, an analysis, or the key itself. */
static const cJSON *key_of(const cJSON *value)
{
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(value, "Key");
    return key == NULL ? value : key;
}

static void put_key(FILE *to, const cJSON *key)
{
    const char *host = text_of(key, "Hostname");
    fputs(strchr(host, ':') != NULL ? "[" : "", to);
    put_plain(to, host, false);
    fprintf(to, strchr(host, ':') != NULL ? "]:%d" : ":%d", number_of(key, "Port"));
}

static void put_key_line(const struct printing *p, const cJSON *value)
{
    put_key(p->to, key_of(value));
    fputc('\n', p->to);
}

static void put_line(const struct printing *p, const char *text)
{
    put_plain(p->to, text, true);
    fputc('\n', p->to);
}

static bool is_running(const cJSON *one)
{
    return number_of(one, "ReplicationSQLThreadState") == 1 && number_of(one, "ReplicationIOThreadState") == 1;
}

static bool is_stopped(const cJSON *one)
{
    const cJSON *sql = cJSON_GetObjectItemCaseSensitive(one, "ReplicationSQLThreadState");
    return cJSON_IsNumber(sql) && sql->valueint == 0 && number_of(one, "ReplicationIOThreadState") == 0;
}

static bool is_broken(const cJSON *one)
{
    return !is_running(one) && (text_of(one, "LastSQLError")[0] != '\0' || text_of(one, "LastIOError")[0] != '\0');
}

static bool is_lost(const cJSON *one) { return text_is(text_of(one, "DowntimeReason"), "lost-in-recovery"); }

static void print_keys_that(const struct printing *p, const cJSON *list, bool (*fits)(const cJSON *one))
{
    const cJSON *one;
    cJSON_ArrayForEach(one, list) {
        if (fits == NULL || fits(one))
            put_key_line(p, one);
    }
}

static void print_nothing(const struct printing *p, const cJSON *value) { (void)p, (void)value; }
static void print_keys(const struct printing *p, const cJSON *value) { print_keys_that(p, value, NULL); }
static void print_running_keys(const struct printing *p, const cJSON *value) { print_keys_that(p, value, is_running); }
static void print_broken_keys(const struct printing *p, const cJSON *value) { print_keys_that(p, value, is_broken); }
static void print_lost_keys(const struct printing *p, const cJSON *value) { print_keys_that(p, value, is_lost); }

static void print_raw(const struct printing *p, const cJSON *value)
{
    char *text = cJSON_PrintUnformatted(value);
    fprintf(p->to, "%s\n", text == NULL ? "" : text);
    free(text);
}

static void print_text(const struct printing *p, const cJSON *value)
{
    const char *text = cJSON_GetStringValue(value);
    if (text != NULL && text[0] != '\0')
        put_line(p, text);
}

static void print_lines(const struct printing *p, const cJSON *value)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, value)
        put_line(p, cJSON_IsString(one) ? one->valuestring : "");
}

static void print_key(const struct printing *p, const cJSON *value)
{
    if (cJSON_IsObject(value))
        put_key_line(p, value);
}

static void print_master_key(const struct printing *p, const cJSON *value)
{
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(value, "MasterKey");
    if (text_of(key, "Hostname")[0] != '\0')
        put_key_line(p, key);
}

static void print_running_key(const struct printing *p, const cJSON *value)
{
    if (is_running(value))
        put_key_line(p, value);
}

static void print_stopped_key(const struct printing *p, const cJSON *value)
{
    if (is_stopped(value))
        put_key_line(p, value);
}

static void print_errant(const struct printing *p, const cJSON *value) { put_line(p, text_of(value, "GtidErrant")); }

/* Of the line of the tree whose name is the instance's, what stands behind the name. */
static void print_status(const struct printing *p, const cJSON *value)
{
    const char *text = cJSON_GetStringValue(value), *asked = p->instance == NULL ? "" : p->instance;
    for (const char *line = text == NULL ? "" : text; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *name = line + strspn(line, " +-\xe2\x80\xa1"), *bracket = strchr(line, '[');
        if (strncmp(name, asked, strlen(asked)) != 0 || bracket == NULL || (name[strlen(asked)] != ' ' && name[strlen(asked)] != ':'))
            continue;
        for (const char *c = bracket; *c != '\0' && *c != '\n'; c++)
            put_char(p->to, *c);
        fputc('\n', p->to);
        return;
    }
}

static void print_cluster_names(const struct printing *p, const cJSON *value)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, value)
        put_line(p, text_of(one, "ClusterName"));
}

static void print_cluster_aliases(const struct printing *p, const cJSON *value)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, value) {
        put_plain(p->to, text_of(one, "ClusterName"), false);
        fputc('\t', p->to);
        put_line(p, text_of(one, "ClusterAlias"));
    }
}

static void print_cluster_name(const struct printing *p, const cJSON *value) { put_line(p, text_of(value, "ClusterName")); }
static void print_cluster_alias(const struct printing *p, const cJSON *value) { put_line(p, text_of(value, "ClusterAlias")); }
static void print_cluster_domain(const struct printing *p, const cJSON *value) { put_line(p, text_of(value, "ClusterDomain")); }
static void print_cluster_lag(const struct printing *p, const cJSON *value) { fprintf(p->to, "%d\n", number_of(value, "HeuristicLag")); }

/* The first of those that most masters have. */
static void print_data_center(const struct printing *p, const cJSON *value)
{
    const cJSON *one, *other;
    const char *best = NULL;
    int most = 0;
    cJSON_ArrayForEach(one, value) {
        int count = 0;
        cJSON_ArrayForEach(other, value)
            count += text_is(text_of(one, "DataCenter"), text_of(other, "DataCenter"));
        if (count > most) {
            most = count;
            best = text_of(one, "DataCenter");
        }
    }
    if (best != NULL)
        put_line(p, best);
}

static void print_rules(const struct printing *p, const cJSON *value)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, value) {
        put_key(p->to, one);
        fputc(' ', p->to);
        put_line(p, text_of(one, "PromotionRule"));
    }
}

/* "db1:3306 (cluster db1:3306): DeadMaster, ErrantGTIDStructureWarning"; the downtimed are left out. */
static void print_analyses(const struct printing *p, const cJSON *value)
{
    const cJSON *one, *warning;
    cJSON_ArrayForEach(one, value) {
        const char *code = text_of(one, "Analysis");
        bool is_first = text_is(code, "NoProblem");
        if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(one, "SkippableDueToDowntime")))
            continue;
        put_key(p->to, cJSON_GetObjectItemCaseSensitive(one, "AnalyzedInstanceKey"));
        fputs(" (cluster ", p->to);
        put_plain(p->to, text_of(cJSON_GetObjectItemCaseSensitive(one, "ClusterDetails"), "ClusterName"), false);
        fputs("): ", p->to);
        put_plain(p->to, is_first ? "" : code, false);
        cJSON_ArrayForEach(warning, cJSON_GetObjectItemCaseSensitive(one, "StructureAnalysis")) {
            fputs(is_first ? "" : ", ", p->to);
            put_plain(p->to, cJSON_IsString(warning) ? warning->valuestring : "", false);
            is_first = false;
        }
        fputc('\n', p->to);
    }
}

static void print_resolved(const struct printing *p, const cJSON *value)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, value) {
        put_plain(p->to, one->string == NULL ? "" : one->string, false);       /* a list has no names */
        fputc(' ', p->to);
        put_line(p, text_of(one, "Object"));
    }
}

static void print_pool_rows(const struct printing *p, const cJSON *value)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, value) {
        put_plain(p->to, text_of(one, "ClusterName"), false);
        fputc('\t', p->to);
        put_plain(p->to, text_of(one, "ClusterAlias"), false);
        fputc('\t', p->to);
        put_plain(p->to, text_of(one, "Pool"), false);
        fputc('\t', p->to);
        put_key_line(p, one);
    }
}

static void print_nodes(const struct printing *p, const cJSON *value)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(value, "AvailableNodes"))
        put_line(p, text_of(one, "Hostname"));
}

static void print_leader(const struct printing *p, const cJSON *value)
{
    put_line(p, text_of(cJSON_GetObjectItemCaseSensitive(value, "ActiveNode"), "Hostname"));
}

/* Of when it is stands beside it: scripts read the tree. */
static void print_dated(const struct printing *p, const cJSON *tree)
{
    fputs("firstchair: ", p->trouble);
    put_plain(p->trouble, text_of(tree, "Message"), false);
    fputc('\n', p->trouble);
    print_text(p, cJSON_GetObjectItemCaseSensitive(tree, "Details"));
}

static void print_message(const struct printing *p, const cJSON *tree) { put_line(p, text_of(tree, "Message")); }

/* "OK: Global recoveries disabled: true" */
static void print_switch(const struct printing *p, const cJSON *tree)
{
    fputs("OK: ", p->to);
    put_plain(p->to, text_of(tree, "Message"), false);
    fprintf(p->to, ": %s\n", text_is(text_of(tree, "Details"), "disabled") ? "true" : "false");
}

/* These read the whole envelope. */
static bool takes_all(enum fleet_form form) { return form == FORM_RAW || form == FORM_MESSAGE || form == FORM_DATED || form == FORM_SWITCH; }

static print_form *const forms[FORM_COUNT] = {
    [FORM_NOTHING] = print_nothing, [FORM_MESSAGE] = print_message, [FORM_DATED] = print_dated, [FORM_RAW] = print_raw, [FORM_TEXT] = print_text, [FORM_LINES] = print_lines,
    [FORM_KEYS] = print_keys, [FORM_KEY] = print_key, [FORM_KEY_OR_NOTHING] = print_key, [FORM_MASTER_KEY] = print_master_key,
    [FORM_RUNNING_KEYS] = print_running_keys, [FORM_BROKEN_KEYS] = print_broken_keys, [FORM_LOST_KEYS] = print_lost_keys,
    [FORM_RUNNING_KEY] = print_running_key, [FORM_STOPPED_KEY] = print_stopped_key, [FORM_ERRANT] = print_errant,
    [FORM_STATUS] = print_status, [FORM_CLUSTER_NAMES] = print_cluster_names, [FORM_CLUSTER_ALIASES] = print_cluster_aliases,
    [FORM_CLUSTER_NAME] = print_cluster_name, [FORM_CLUSTER_ALIAS] = print_cluster_alias,
    [FORM_CLUSTER_DOMAIN] = print_cluster_domain, [FORM_CLUSTER_LAG] = print_cluster_lag, [FORM_DATA_CENTER] = print_data_center,
    [FORM_RULES] = print_rules, [FORM_ANALYSES] = print_analyses, [FORM_RESOLVED] = print_resolved, [FORM_POOL_ROWS] = print_pool_rows,
    [FORM_NODES] = print_nodes, [FORM_LEADER] = print_leader, [FORM_SWITCH] = print_switch,
};

/* A rule that says no is no error of a question whether it may. */
static int print_error(enum fleet_form form, const cJSON *tree, FILE *trouble)
{
    const char *message = text_of(tree, "Message");
    if (form == FORM_KEY_OR_NOTHING && text_begins(message, "no: "))
        return 0;
    fputs("firstchair: ", trouble);
    put_plain(trouble, message, false);
    fputc('\n', trouble);
    return 1;
}

int fleet_form_print(enum fleet_form form, const char *instance, const char *body, FILE *to, FILE *trouble)
{
    cJSON *tree = cJSON_Parse(body);
    const char *code = text_of(tree, "Code");
    int exit_code = 0;
    if (tree == NULL) {
        fputs("firstchair: the node's answer is no JSON\n", trouble);
        return fc_code_table[FC_UNREACHABLE].exit_code;
    }
    const bool is_error = text_is(code, "ERROR"), is_raw = form == FORM_RAW;
    if (is_error)
        exit_code = print_error(form, tree, trouble);
    if (!is_error || is_raw)
        forms[form](&(struct printing){ to, instance, trouble },
                    code[0] != '\0' && !takes_all(form) ? cJSON_GetObjectItemCaseSensitive(tree, "Details") : tree);
    cJSON_Delete(tree);
    return exit_code;
}
