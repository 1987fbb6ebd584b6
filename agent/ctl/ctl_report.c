/* A row a requirement, a column a server; the sentence stands where something is missing. Then what differs between the tables. */
#include "agent/ctl/ctl_report.h"

#include <string.h>

#include "base/text.h"

#define VALUE_WIDTH_MAX 28
#define SERVERS_MAX 8

static const char *text_of(const cJSON *item)
{
    const char *text = cJSON_GetStringValue(item);
    return text == NULL ? "" : text;
}

static const char *named(const cJSON *object, const char *name)
{
    return text_of(cJSON_GetObjectItemCaseSensitive(object, name));
}

static void put_coloured(FILE *to, struct ctl_style style, const char *colour, const char *text, int width)
{
    fprintf(to, "%s%-*.*s%s  ", style.has_colour ? colour : "", width, width, text, style.has_colour ? "\x1b[0m" : "");
}

static const char *colour_of(const char *verdict)
{
    return text_is(verdict, "missing") ? "\x1b[31m" : text_is(verdict, "well") ? "\x1b[32m" : "\x1b[2m";
}

static int width_of(const char *text, int so_far)
{
    const int length = (int)strlen(text);
    const int wanted = length > VALUE_WIDTH_MAX ? VALUE_WIDTH_MAX : length;
    return wanted > so_far ? wanted : so_far;
}

struct widths { int word, value[SERVERS_MAX], server_count; };

static struct widths widths_of(const cJSON *needs, const cJSON *servers)
{
    struct widths w = { .word = 11 };
    const cJSON *need, *server;
    cJSON_ArrayForEach(server, servers) {
        if (w.server_count < SERVERS_MAX)
            w.value[w.server_count++] = width_of(named(server, "name"), 0);
    }
    cJSON_ArrayForEach(need, needs) {
        const cJSON *values = cJSON_GetObjectItemCaseSensitive(need, "values");
        w.word = width_of(named(need, "word"), w.word);
        for (int i = 0; i < w.server_count; i++)
            w.value[i] = width_of(text_of(cJSON_GetArrayItem(values, i)), w.value[i]);
    }
    return w;
}

/* The severity stands for "missing": how bad it is is what one wants to read. */
static void print_need(FILE *to, const cJSON *need, const struct widths *w, struct ctl_style style)
{
    const char *verdict = named(need, "verdict");
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(need, "values"), *text;
    const cJSON *verdicts = cJSON_GetObjectItemCaseSensitive(need, "verdicts");
    const cJSON *texts = cJSON_GetObjectItemCaseSensitive(need, "texts");
    put_coloured(to, style, "", named(need, "word"), w->word);
    for (int i = 0; i < w->server_count; i++) {
        const char *value = text_of(cJSON_GetArrayItem(values, i));
        put_coloured(to, style, colour_of(text_of(cJSON_GetArrayItem(verdicts, i))), value[0] == '\0' ? "-" : value, w->value[i]);
    }
    put_coloured(to, style, colour_of(verdict), text_is(verdict, "missing") ? named(need, "severity") : verdict, 9);
    bool is_first = true;
    cJSON_ArrayForEach(text, texts) {
        fprintf(to, "%s%s", is_first ? "" : "\n  also: ", text_of(text));
        is_first = false;
    }
    fputc('\n', to);
}

static void print_difference(FILE *to, const cJSON *comparison, const cJSON *d)
{
    const cJSON *left = cJSON_GetObjectItemCaseSensitive(d, "left"), *right = cJSON_GetObjectItemCaseSensitive(d, "right");
    fprintf(to, "  %s %s: ", named(d, "table"), named(d, "key"));
    if (cJSON_IsNull(left) || cJSON_IsNull(right))
        fprintf(to, "only on %s\n", named(comparison, cJSON_IsNull(left) ? "right" : "left"));
    else
        fprintf(to, "%s is '%s' on %s, '%s' on %s\n", named(d, "column"), text_of(left), named(comparison, "left"), text_of(right),
                named(comparison, "right"));
}

static void print_comparison(FILE *to, const cJSON *comparison)
{
    const cJSON *differences = cJSON_GetObjectItemCaseSensitive(comparison, "differences"), *d;
    const double more = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(comparison, "more"));
    const int count = cJSON_GetArraySize(differences);
    fprintf(to, "tables of %s and %s: ", named(comparison, "left"), named(comparison, "right"));
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(comparison, "is_done")))
        fprintf(to, "not compared: %s\n", named(comparison, "text"));
    else if (count == 0)
        fputs("the same\n", to);
    else
        fprintf(to, "%d differ%s\n", count, count == 1 ? "s" : "");
    cJSON_ArrayForEach(d, differences)
        print_difference(to, comparison, d);
    if (more > 0)
        fprintf(to, "  and %.0f more\n", more);
}

static void print_servers(FILE *to, const cJSON *servers)
{
    const cJSON *server;
    cJSON_ArrayForEach(server, servers) {
        if (named(server, "text")[0] != '\0')
            fprintf(to, "%s\n", named(server, "text"));           /* it begins with the server's name and address */
    }
}

void ctl_print_needs(FILE *to, const cJSON *status, struct ctl_style style)
{
    const cJSON *server, *need;
    cJSON_ArrayForEach(server, cJSON_GetObjectItemCaseSensitive(status, "servers")) {
        cJSON_ArrayForEach(need, cJSON_GetObjectItemCaseSensitive(server, "needs")) {
            put_coloured(to, style, text_is(named(need, "severity"), "warning") ? "\x1b[33m" : "\x1b[31m",
                         named(need, "severity"), 7);
            fprintf(to, "%s\n", named(need, "text"));
        }
    }
}

void ctl_print_report(FILE *to, const cJSON *report, struct ctl_style style)
{
    const cJSON *servers = cJSON_GetObjectItemCaseSensitive(report, "servers");
    const cJSON *needs = cJSON_GetObjectItemCaseSensitive(report, "needs"), *item;
    const struct widths w = widths_of(needs, servers);
    int i = 0;

    put_coloured(to, style, "\x1b[2m", "requirement", w.word);
    cJSON_ArrayForEach(item, servers) {
        if (i < w.server_count)
            put_coloured(to, style, "\x1b[2m", named(item, "name"), w.value[i++]);
    }
    put_coloured(to, style, "\x1b[2m", "verdict", 9);
    fputc('\n', to);
    cJSON_ArrayForEach(item, needs)
        print_need(to, item, &w, style);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(report, "comparisons"))
        print_comparison(to, item);
    print_servers(to, servers);
    const char *verdict = named(report, "verdict");
    fprintf(to, "%s\n", text_is(verdict, "well")      ? "all well"
                        : text_is(verdict, "to-mend") ? "there is something to mend"
                                                      : "not all servers could be asked");
}
