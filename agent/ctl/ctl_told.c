/* Explanations and history for people: names to the left, sentences to the right, nothing cut. */
#include "agent/ctl/ctl_read.h"
#include "agent/ctl/ctl_tables.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

#define NAME_WIDTH_MAX 44

static void strong(FILE *to, struct ctl_style style, const char *text)
{
    fprintf(to, "%s%s%s", style.has_colour ? "\x1b[1m" : "", text, style.has_colour ? "\x1b[0m" : "");
}

static void faint(FILE *to, struct ctl_style style, const char *text)
{
    fprintf(to, "%s%s%s", style.has_colour ? "\x1b[2m" : "", text, style.has_colour ? "\x1b[0m" : "");
}

static int width_of(const cJSON *list, const char *field)
{
    const cJSON *item;
    int width = 0;
    cJSON_ArrayForEach(item, list) {
        const int length = (int)strlen(ctl_text(item, field));
        width = length > width ? length : width;
    }
    return width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
}

static void print_inputs(FILE *to, const cJSON *one, struct ctl_style style)
{
    const cJSON *input, *inputs = ctl_part(one, "inputs");
    const int width = width_of(inputs, "name");
    char age[40];
    if (cJSON_GetArraySize(inputs) > 0)
        fputs("  inputs\n", to);
    cJSON_ArrayForEach(input, inputs) {
        const int64_t age_ms = ctl_number(input, "age_ms", -1);
        fprintf(to, "    %-*s  %s", width, ctl_text(input, "name"), ctl_text(input, "value"));
        if (age_ms >= 0) {
            char ago[60];
            ctl_span_text(age_ms, age, sizeof age);
            TEXT_FORMAT(ago, " (%s ago)", age);
            faint(to, style, ago);
        }
        fputc('\n', to);
    }
}

static void print_pairs(FILE *to, const cJSON *list, const char *head, const char *left, const char *right)
{
    const cJSON *item;
    const int width = width_of(list, left);
    if (cJSON_GetArraySize(list) > 0)
        fprintf(to, "  %s\n", head);
    cJSON_ArrayForEach(item, list)
        fprintf(to, "    %-*s  %s\n", width, ctl_text(item, left), ctl_text(item, right));
}

static void print_steps(FILE *to, const cJSON *one)
{
    const cJSON *step, *steps = ctl_part(one, "steps");
    const int width = width_of(steps, "step");
    if (cJSON_GetArraySize(steps) > 0)
        fputs("  steps\n", to);
    cJSON_ArrayForEach(step, steps) {
        const char *failure = ctl_text(step, "failure");
        fprintf(to, "    %-*s  %s%s%s\n", width, ctl_text(step, "step"), ctl_text(step, "state"), failure[0] == '\0' ? "" : ", ", failure);
    }
}

static void print_changes(FILE *to, const cJSON *one)
{
    const cJSON *change, *changes = ctl_part(one, "changes");
    if (cJSON_GetArraySize(changes) > 0)
        fputs("  what would change it\n", to);
    cJSON_ArrayForEach(change, changes)
        fprintf(to, "    %s\n", cJSON_IsString(change) ? change->valuestring : "");
}

static void print_one(FILE *to, const cJSON *explain, const cJSON *one, struct ctl_style style)
{
    const int64_t since = ctl_number(one, "since_unix_ms", 0), now = ctl_number(explain, "time_unix_ms", 0);
    char span[40];
    fprintf(to, "%s ", ctl_text(one, "kind"));
    strong(to, style, ctl_text(one, "subject"));
    fprintf(to, ": %s", ctl_text(one, "verdict"));
    if (since != 0) {
        ctl_span_text(now > since ? now - since : 0, span, sizeof span);
        fprintf(to, " (since %s)", span);
    }
    fprintf(to, "\n  because  %s%s%s\n", ctl_text(one, "rule"), ctl_text(one, "rule")[0] == '\0' ? "" : ": ", ctl_text(one, "because"));
    print_steps(to, one);
    print_inputs(to, one, style);
    print_pairs(to, ctl_part(one, "instead"), "instead", "what", "why_not");
    print_changes(to, one);
    if (ctl_is_true(one, "is_cut"))
        fputs("  (there was more than is shown)\n", to);
}

void ctl_print_explain(FILE *to, const cJSON *explain, struct ctl_style style)
{
    const cJSON *one;
    const char *between = "";
    cJSON_ArrayForEach(one, ctl_part(explain, "explanations")) {
        fputs(between, to);
        print_one(to, explain, one, style);
        between = "\n";
    }
}

/* "only on db1", "not stored yet", "" when every server that answered has it. */
static void print_where(FILE *to, const cJSON *line)
{
    const cJSON *name, *on = ctl_part(line, "on");
    const char *between = "  [only on ";
    if (ctl_is_true(line, "is_on_all"))
        return;
    if (cJSON_GetArraySize(on) == 0) {
        fputs("  [not stored yet]", to);
        return;
    }
    cJSON_ArrayForEach(name, on) {
        fprintf(to, "%s%s", between, cJSON_IsString(name) ? name->valuestring : "");
        between = ", ";
    }
    fputc(']', to);
}

void ctl_print_history(FILE *to, const cJSON *history, struct ctl_style style)
{
    const cJSON *server, *lines = ctl_part(history, "lines");
    const int kinds = width_of(lines, "kind"), nodes = width_of(lines, "node"), subjects = width_of(lines, "subject");

    for (int i = cJSON_GetArraySize(lines) - 1; i >= 0; i--) {
        const cJSON *line = cJSON_GetArrayItem(lines, i);
        faint(to, style, ctl_text(line, "at"));
        fprintf(to, "  %4" PRId64 "  %-*s  %-*s  %-*s  %s", ctl_number(line, "epoch", 0), nodes, ctl_text(line, "node"), kinds,
                ctl_text(line, "kind"), subjects, ctl_text(line, "subject"), ctl_text(line, "text"));
        print_where(to, line);
        fputc('\n', to);
    }
    if (cJSON_GetArraySize(lines) == 0)
        fputs("nothing is remembered that fits\n", to);
    cJSON_ArrayForEach(server, ctl_part(history, "servers")) {
        if (!ctl_is_true(server, "has_answered"))
            fprintf(to, "%s was not asked or did not answer: %s\n", ctl_text(server, "name"), ctl_text(server, "text"));
    }
    if (ctl_number(history, "next_before", 0) > 0)
        fprintf(to, "older ones: history before %" PRId64 "\n", ctl_number(history, "next_before", 0));
}
