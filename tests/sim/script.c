/* Lines of faults, read and written. */
#include "sim/script.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sim/faults.h"
#include "sim/net.h"
#include "steer/steering.h"

struct script_line *script_add(struct script *script, struct when when, enum fault_kind kind, int a)
{
    struct script_line *line = &script->lines[script->count < SCRIPT_LINES_MAX ? script->count++ : SCRIPT_LINES_MAX - 1];
    memset(line, 0, sizeof *line);
    line->when = when;
    line->fault = (struct fault){ .kind = kind, .a = a, .b = -1, .expected = -1 };
    return line;
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

static void when_text(const struct when *when, char *to, size_t size)
{
    const double s = (double)when->us / 1e6;
    switch (when->kind) {
    case WHEN_MOMENT: snprintf(to, size, "%.6f", s); break;
    case WHEN_QUIET:  snprintf(to, size, "quiet+%.6f", s); break;
    case WHEN_STEP:   snprintf(to, size, "%s+%.6f", move_step_word((enum move_step)when->step), s); break;
    case WHEN_GRANT:  snprintf(to, size, "grant+%.6f", s); break;
    case WHEN_THEN:   snprintf(to, size, "then+%.6f", s); break;
    }
}

void script_line_text(const struct script_line *line, char *to, size_t size)
{
    const struct fault *f = &line->fault;
    const struct fault_row *row = &fault_rows[f->kind];
    char when[48];
    when_text(&line->when, when, sizeof when);
    size_t at = (size_t)snprintf(to, size, "%s %s", when, row->word);
    if (strchr(row->wants, 'a') != NULL && at < size)
        at += (size_t)snprintf(to + at, size - at, " %s", party_name(f->a));
    if (strchr(row->wants, 'b') != NULL && at < size)
        at += (size_t)snprintf(to + at, size - at, " %s", party_name(f->b));
    if (strchr(row->wants, 's') != NULL && at < size)
        at += (size_t)snprintf(to + at, size - at, " %s", f->text);
    if (strchr(row->wants, 'n') != NULL && at < size)
        at += (size_t)snprintf(to + at, size - at, " %" PRId64, f->amount);
    if (f->for_us > 0 && at < size)
        at += (size_t)snprintf(to + at, size - at, " for %.6f", (double)f->for_us / 1e6);
    if (strchr(row->wants, 't') != NULL && at < size)
        at += (size_t)snprintf(to + at, size - at, " %s", f->text);
    if (f->expected >= 0 && at < size)
        snprintf(to + at, size - at, " => %s", fc_code_word((enum fc_code)f->expected));
}

void script_print(const struct script *script, FILE *to)
{
    char text[256];
    fprintf(to, "seed %" PRIu64 "\nnodes %d\n%s", script->seed, script->node_count, script->has_quorum ? "arbiter quorum\n" : "");
    if (script->witness_count > 0)
        fprintf(to, "witnesses %d\n", script->witness_count);
    if (script->has_cluster)
        fprintf(to, "cluster 1\n");
    for (int i = 0; i < script->setting_count; i++)
        fprintf(to, "set %s %s\n", script->settings[i].key, script->settings[i].value);
    for (int i = 0; i < script->count; i++) {
        script_line_text(&script->lines[i], text, sizeof text);
        fprintf(to, "%s\n", text);
    }
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static bool seconds_of(const char *text, int64_t *us)
{
    char *end = NULL;
    const double s = strtod(text, &end);
    if (end == text || *end != '\0' || s < 0 || s > 1e6)
        return false;
    *us = (int64_t)(s * 1e6 + 0.5);
    return true;
}

static bool when_of(char *word, struct when *ret)
{
    char *plus = strchr(word, '+');
    if (plus == NULL) {
        ret->kind = WHEN_MOMENT;
        return seconds_of(word, &ret->us);
    }
    *plus = '\0';
    if (!seconds_of(plus + 1, &ret->us))
        return false;
    ret->kind = text_is(word, "quiet") ? WHEN_QUIET : text_is(word, "grant") ? WHEN_GRANT : text_is(word, "then") ? WHEN_THEN
                                                                                                               : WHEN_STEP;
    for (ret->step = STEP_NONE; ret->kind == WHEN_STEP && ret->step < STEP_COUNT; ret->step++) {
        if (text_is(move_step_word((enum move_step)ret->step), word))
            return true;
    }
    return ret->kind != WHEN_STEP;
}

static char *word_of(char **rest)
{
    char *at = *rest + strspn(*rest, " \t");
    *rest = at + strcspn(at, " \t");
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return at;
}

static bool kind_of(const char *word, struct fault *ret)
{
    for (int i = 0; i < FAULT_KIND_COUNT; i++) {
        if (text_is(fault_rows[i].word, word)) {
            ret->kind = (enum fault_kind)i;
            return true;
        }
    }
    return false;
}

static bool number_of(const char *text, int64_t *ret)
{
    char *end = NULL;
    *ret = strtoll(text, &end, 10);
    return end != text && *end == '\0';
}

static void take_text(char *rest, struct fault *fault)
{
    char *arrow = strstr(rest, " => ");
    rest += strspn(rest, " ");
    for (int i = 0; arrow != NULL && i < FC_CODE_COUNT; i++) {
        if (text_is(fc_code_word((enum fc_code)i), arrow + 4))
            fault->expected = i;
    }
    if (arrow != NULL)
        *arrow = '\0';
    TEXT_SET(fault->text, rest);
}

static bool fault_of(char *rest, struct fault *ret)
{
    *ret = (struct fault){ .a = -1, .b = -1, .expected = -1 };
    if (!kind_of(word_of(&rest), ret))
        return false;
    const char *wants = fault_rows[ret->kind].wants;
    if (strchr(wants, 'a') != NULL && (ret->a = party_of_name(word_of(&rest))) < 0)
        return false;
    if (strchr(wants, 'b') != NULL && (ret->b = party_of_name(word_of(&rest))) < 0)
        return false;
    if (strchr(wants, 's') != NULL) {
        TEXT_SET(ret->text, word_of(&rest));
        if (fault_side(ret->text) < 0)
            return false;
    }
    if (strchr(wants, 'n') != NULL && !number_of(word_of(&rest), &ret->amount))
        return false;
    if (strchr(wants, 't') != NULL) {
        take_text(rest, ret);
        return true;
    }
    const char *word = word_of(&rest);
    if (text_is(word, "for"))
        return seconds_of(word_of(&rest), &ret->for_us);
    return word[0] == '\0';
}

/* ---- the configuration ------------------------------------------------------------------------------------------------- */

static enum fc_code configure(struct config *config, const struct script_setting *setting)
{
    const struct config_key *key = config_key_find(setting->key);
    struct fc_err err;
    if (key == NULL)
        return FC_NOT_FOUND;
    switch (key->type) {
    case CONFIG_BOOL:
        return config_set_bool(config, key, text_is(setting->value, "true"), &err);
    case CONFIG_INT:
        return config_set_int(config, key, strtod(setting->value, NULL), &err);
    case CONFIG_REAL:
        return config_set_real(config, key, strtod(setting->value, NULL), &err);
    case CONFIG_TEXT:
    case CONFIG_QUERY:
        return config_set_text(config, key, setting->value, &err);
    case CONFIG_MAP:
        return FC_BAD_INPUT;
    case CONFIG_LIST:
    case CONFIG_MANY:
        config_clear_list(config, key);
        return setting->value[0] == '\0' ? FC_OK : config_add_item(config, key, setting->value, &err);
    }
    return FC_BAD_INPUT;
}

void script_configure(const struct script *script, struct config *config)
{
    for (int i = 0; i < script->setting_count; i++)
        configure(config, &script->settings[i]);
}

static bool setting_of(char *rest, struct script *script)
{
    static struct config scratch;
    struct script_setting setting;
    TEXT_SET(setting.key, word_of(&rest));
    TEXT_SET(setting.value, word_of(&rest));
    config_preset(&scratch);
    if (script->setting_count == SCRIPT_SETTINGS_MAX || configure(&scratch, &setting) != FC_OK)
        return false;
    script->settings[script->setting_count++] = setting;
    return true;
}

/* ---- a line ------------------------------------------------------------------------------------------------------------------ */

static bool line_of(char *text, struct script *script)
{
    struct when when = { WHEN_MOMENT, 0, 0 };
    struct fault fault;
    int64_t number = 0;
    char *rest = text, *word = word_of(&rest);
    if (word[0] == '\0' || word[0] == '#')
        return true;
    if (text_is(word, "seed") || text_is(word, "nodes")) {
        if (!number_of(word_of(&rest), &number) || number < 0)
            return false;
        if (word[0] == 's')
            script->seed = (uint64_t)number;
        else
            script->node_count = (int)number;
        return word[0] == 's' || (number >= 2 && number <= SIM_NODES_MAX);
    }
    if (text_is(word, "witnesses")) {
        const bool is_number = number_of(word_of(&rest), &number);
        script->witness_count = (int)number;
        return is_number && number >= 0 && number < SIM_NODES_MAX;
    }
    if (text_is(word, "cluster")) {
        script->has_cluster = text_is(word_of(&rest), "1");
        return true;
    }
    if (text_is(word, "arbiter")) {
        word = word_of(&rest);
        script->has_quorum = text_is(word, "quorum");
        return script->has_quorum || text_is(word, "local");
    }
    if (text_is(word, "set"))
        return setting_of(rest, script);
    if (!when_of(word, &when) || !fault_of(rest, &fault) || script->count == SCRIPT_LINES_MAX)
        return false;
    script_add(script, when, fault.kind, fault.a)->fault = fault;
    return true;
}

bool script_add_text(struct script *script, const char *text)
{
    char line[256];
    TEXT_SET(line, text);
    return line_of(line, script);
}

enum fc_code script_read(FILE *from, struct script *ret, struct fc_err *err)
{
    char line[256], shown[256];
    int number = 0;
    memset(ret, 0, sizeof *ret);
    while (fgets(line, sizeof line, from) != NULL) {
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        TEXT_SET(shown, line);
        if (!line_of(line, ret))
            return fc_fail(err, FC_BAD_INPUT, "line %d is no line of a script: %.100s", number, shown);
    }
    return FC_OK;
}
