/* Reads configuration files: bytes to JSON, each key to the table in core/config.h, credentials on top, then the checks.
 *
 * Whatever is wrong gets one sentence with the file in front. Nothing of a secret stands in a sentence. */
#include "agent/config_file.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/survey_rules.h"
#include "base/text.h"

#define FILE_BYTES_MAX (1 << 20)         /* of a configuration file; a large one has some 10 kB */

static const char *const search_paths[] = {
    "/etc/firstchair.conf.json", "conf/firstchair.conf.json", "firstchair.conf.json",
};
/* Read only where none of ours exists, so that an installation of orchestrator is taken over as it stands. */
static const char *const orchestrator_paths[] = {
    "/etc/orchestrator.conf.json", "conf/orchestrator.conf.json", "orchestrator.conf.json",
};

/* ---- warnings ---- */

__attribute__((format(printf, 2, 3)))
static void warn(struct config_warnings *warnings, const char *format, ...)
{
    va_list args;

    if (warnings->count == CONFIG_WARNINGS_MAX) {
        warnings->dropped++;
        return;
    }
    char *to = warnings->text[warnings->count++];
    va_start(args, format);
    vsnprintf(to, sizeof warnings->text[0], format, args);
    va_end(args);
    for (; *to != '\0'; to++) {          /* a key's name may hold anything */
        if ((unsigned char)*to < ' ' || *to == 0x7f)
            *to = '.';
    }
}

/* ---- bytes ---- */

struct bytes { char *at; size_t length; bool is_open_to_all; };

static void bytes_done(struct bytes *bytes)
{
    if (bytes->at != NULL)
        explicit_bzero(bytes->at, bytes->length);
    free(bytes->at);
    *bytes = (struct bytes){ 0 };
}

static enum fc_code read_open_file(int fd, const char *path, struct bytes *ret, struct fc_err *err)
{
    struct stat what;
    ssize_t got = 1;

    if (fstat(fd, &what) != 0 || !S_ISREG(what.st_mode))
        return fc_fail(err, FC_BAD_CONFIG, "%s is not a regular file", path);
    if (what.st_size > FILE_BYTES_MAX)
        return fc_fail(err, FC_BAD_CONFIG, "%s has %lld bytes; at most %d are read", path, (long long)what.st_size,
                       FILE_BYTES_MAX);
    struct bytes bytes = { .at = malloc((size_t)what.st_size + 1), .is_open_to_all = (what.st_mode & S_IROTH) != 0 };
    if (bytes.at == NULL)
        return fc_fail(err, FC_NO_MEMORY, "%s: out of memory", path);
    while (bytes.length < (size_t)what.st_size && got > 0) {
        got = read(fd, bytes.at + bytes.length, (size_t)what.st_size - bytes.length);
        bytes.length += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        bytes_done(&bytes);
        return fc_fail(err, FC_BAD_CONFIG, "%s cannot be read: %s", path, strerror(errno));
    }
    bytes.at[bytes.length] = '\0';
    *ret = bytes;
    return FC_OK;
}

/* FC_NOT_FOUND when there is no such file. */
static enum fc_code read_file(const char *path, struct bytes *ret, struct fc_err *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);   /* a FIFO in its place must not hold us */

    if (fd < 0)
        return fc_fail(err, errno == ENOENT ? FC_NOT_FOUND : FC_BAD_CONFIG, "%s cannot be read: %s", path, strerror(errno));
    const enum fc_code code = read_open_file(fd, path, ret, err);
    close(fd);
    return code;
}

/* ---- ${NAME} ---- */

static size_t variable_length(const char *name)
{
    size_t length = 0;
    while ((name[length] >= 'A' && name[length] <= 'Z') || (name[length] >= 'a' && name[length] <= 'z') ||
           name[length] == '_' || (length > 0 && name[length] >= '0' && name[length] <= '9'))
        length++;
    return length;
}

/* Takes "${NAME}" at *at and adds its value. */
static enum fc_code expand_one(const char *key, const char **at, FILE *to, struct fc_err *err)
{
    char name[128];
    const char *from = *at + 2;
    const size_t length = variable_length(from);

    if (length == 0 || from[length] != '}' || !text_copy_bytes(name, sizeof name, from, length))
        return fc_fail(err, FC_BAD_CONFIG, "%s has a ${ that is no ${NAME}; it must be the name of a variable of the "
                       "environment, or $${ for a literal ${", key);
    const char *value = getenv(name);
    if (value == NULL)
        return fc_fail(err, FC_BAD_CONFIG, "%s needs the variable %s of the environment, which is not set; it must be set "
                       "(it may be empty)", key, name);
    fputs(value, to);
    *at = from + length + 1;
    return FC_OK;
}

/* The text with its variables in place, to be freed; *has_variable says whether there was one. */
static enum fc_code expand(const char *key, const char *text, char **ret, bool *has_variable, struct fc_err *err)
{
    char *expanded = NULL;
    size_t size;
    FILE *to = open_memstream(&expanded, &size);
    enum fc_code code = FC_OK;

    *has_variable = false;
    while (to != NULL && code == FC_OK && *text != '\0') {
        if (text_begins(text, "$${")) {
            fputs("${", to);
            text += 3;
        } else if (text_begins(text, "${")) {
            *has_variable = true;
            code = expand_one(key, &text, to, err);
        } else {
            fputc(*text++, to);
        }
    }
    if (to == NULL || fclose(to) != 0)
        code = fc_fail(err, FC_NO_MEMORY, "%s: out of memory", key);
    if (code == FC_OK)
        *ret = expanded;
    else
        free(expanded);
    return code;
}

/* ---- one key ---- */

struct reading {
    struct config *config;
    struct config_warnings *warnings;
    const char *name;                    /* of the file */
    bool has_secret;
};

static enum fc_code refuse_value(const struct config_key *key, const char *given, struct fc_err *err)
{
    return config_wrong_type(key, key->is_secret ? "something else" : given, err);
}

static enum fc_code apply_text(struct reading *reading, const struct config_key *key, const char *text, struct fc_err *err)
{
    char given[96];
    char *expanded = NULL;
    bool has_variable;

    if (key->type != CONFIG_TEXT && key->type != CONFIG_QUERY && !config_key_is_list(key)) {
        TEXT_FORMAT(given, "the text \"%.60s\"", text);
        text_make_plain(given);
        return refuse_value(key, given, err);
    }
    enum fc_code code = expand(key->name, text, &expanded, &has_variable, err);
    if (code != FC_OK)
        return code;
    reading->has_secret = reading->has_secret || (key->is_secret && text[0] != '\0' && !has_variable);
    code = config_key_is_list(key) ? config_add_item(reading->config, key, expanded, err)
                                    : config_set_text(reading->config, key, expanded, err);
    explicit_bzero(expanded, strlen(expanded));
    free(expanded);
    return code;
}

static enum fc_code apply_list(struct reading *reading, const struct config_key *key, const cJSON *list, struct fc_err *err)
{
    const cJSON *item;
    enum fc_code code = FC_OK;

    config_clear_list(reading->config, key);
    cJSON_ArrayForEach(item, list) {
        if (!cJSON_IsString(item))
            return refuse_value(key, "a list with something in it that is no text", err);
        if ((code = apply_text(reading, key, item->valuestring, err)) != FC_OK)
            return code;
    }
    return FC_OK;
}

/* Entries are added to those of earlier files. */
static enum fc_code apply_map(struct reading *reading, const struct config_key *key, const cJSON *object, struct fc_err *err)
{
    const cJSON *item;
    enum fc_code code = FC_OK;

    cJSON_ArrayForEach(item, object) {
        if (!cJSON_IsString(item))
            return refuse_value(key, "an object with something in it that is no text", err);
        if ((code = config_map_set(reading->config, key, item->string, item->valuestring, err)) != FC_OK)
            return code;
    }
    return FC_OK;
}

static enum fc_code apply_value(struct reading *reading, const struct config_key *key, const cJSON *value, struct fc_err *err)
{
    if (cJSON_IsNull(value))
        return FC_OK;
    if (cJSON_IsBool(value))
        return key->type == CONFIG_BOOL ? config_set_bool(reading->config, key, cJSON_IsTrue(value), err)
                                        : refuse_value(key, cJSON_IsTrue(value) ? "true" : "false", err);
    if (cJSON_IsNumber(value) && key->type == CONFIG_REAL)
        return config_set_real(reading->config, key, value->valuedouble, err);
    if (cJSON_IsNumber(value))
        return config_set_int(reading->config, key, value->valuedouble, err);
    if (cJSON_IsArray(value))
        return config_key_is_list(key) ? apply_list(reading, key, value, err) : refuse_value(key, "a list", err);
    if (cJSON_IsString(value) && config_key_is_list(key))
        return refuse_value(key, "one text", err);
    if (cJSON_IsString(value))
        return apply_text(reading, key, value->valuestring, err);
    return key->type == CONFIG_MAP ? apply_map(reading, key, value, err) : refuse_value(key, "an object", err);
}

static void warn_of_unknown(struct reading *reading, const char *name)
{
    const char *nearest;

    for (size_t i = 0; i < config_known_count; i++) {
        if (text_is_nocase(config_known[i].name, name)) {
            warn(reading->warnings, "%s: %s has no effect: %s", reading->name, config_known[i].name, config_known[i].note);
            return;
        }
    }
    nearest = config_key_nearest(name);
    if (nearest != NULL)
        warn(reading->warnings, "%s: there is no key '%.64s'; the nearest is %s", reading->name, name, nearest);
    else
        warn(reading->warnings, "%s: there is no key '%.64s'", reading->name, name);
}

static bool stands_before(const cJSON *object, const cJSON *member, const struct config_key *key)
{
    const cJSON *earlier;
    cJSON_ArrayForEach(earlier, object) {
        if (earlier == member)
            return false;
        if (text_is_nocase(earlier->string, key->name))
            return true;
    }
    return false;
}

static enum fc_code apply_object(struct reading *reading, const cJSON *object, struct fc_err *err)
{
    const cJSON *member;
    struct fc_err inner = { 0 };

    cJSON_ArrayForEach(member, object) {
        const struct config_key *key = config_key_find(member->string);
        if (key == NULL) {
            warn_of_unknown(reading, member->string);
            continue;
        }
        if (stands_before(object, member, key))
            warn(reading->warnings, "%s: %s stands there more than once; the last one counts", reading->name, key->name);
        const enum fc_code code = apply_value(reading, key, member, &inner);
        if (code != FC_OK)
            return fc_fail(err, code, "%s: %s", reading->name, inner.text);
    }
    return FC_OK;
}

/* ---- one file ---- */

static enum fc_code refuse_json(const char *name, const char *bytes, const char *at, struct fc_err *err)
{
    int line = 1, column = 1;

    for (const char *c = bytes; c < at; c++) {
        line += *c == '\n';
        column = *c == '\n' ? 1 : column + 1;
    }
    return fc_fail(err, FC_BAD_CONFIG, "%s, line %d, near column %d: this is not JSON; look there for a missing or extra comma, "
                   "quote or bracket, or a comment", name, line, column);
}

enum fc_code config_file_apply(const char *bytes, size_t length, const char *name, struct config *config, bool *has_secret,
                               struct config_warnings *warnings, struct fc_err *err)
{
    struct reading reading = { .config = config, .warnings = warnings, .name = name };
    const char *end = bytes;
    const char *zero = memchr(bytes, '\0', length);

    if (zero != NULL)
        return refuse_json(name, bytes, zero, err);
    cJSON *object = cJSON_ParseWithLengthOpts(bytes, length, &end, false);
    while (object != NULL && end < bytes + length && strchr(" \t\r\n", *end) != NULL)
        end++;
    if (object == NULL || end < bytes + length) {
        cJSON_Delete(object);
        return refuse_json(name, bytes, end < bytes + length ? end : bytes + length, err);
    }
    const enum fc_code code = cJSON_IsObject(object)
        ? apply_object(&reading, object, err)
        : fc_fail(err, FC_BAD_CONFIG, "%s is no JSON object; it must begin with '{' and end with '}'", name);
    cJSON_Delete(object);
    if (code == FC_OK && has_secret != NULL)
        *has_secret = reading.has_secret;
    return code;
}

/* ---- credentials ---- */

struct line { const char *at, *end; };

static struct line trimmed(struct line line)
{
    while (line.at < line.end && strchr(" \t\r", *line.at) != NULL)
        line.at++;
    while (line.at < line.end && strchr(" \t\r", line.end[-1]) != NULL)
        line.end--;
    return line;
}

static bool line_is(struct line line, const char *text)
{
    char copy[32];
    return (size_t)(line.end - line.at) == strlen(text) && text_copy_bytes(copy, sizeof copy, line.at, strlen(text)) &&
           text_is_nocase(copy, text);
}

/* One character of a value; "\s" is a blank, an unknown escape stays as it is. */
static char take_character(struct line *line)
{
    static const char escapes[][2] = { { 'n', '\n' }, { 't', '\t' }, { 'r', '\r' }, { 'b', '\b' }, { 's', ' ' },
                                       { '\\', '\\' }, { '"', '"' }, { '\'', '\'' } };
    const char c = *line->at++;

    for (size_t i = 0; c == '\\' && line->at < line->end && i < sizeof escapes / sizeof escapes[0]; i++) {
        if (*line->at == escapes[i][0]) {
            line->at++;
            return escapes[i][1];
        }
    }
    return c;
}

/* "value", 'value' or value, up to '#' outside quotes. NULL, or what is wrong. */
static const char *take_value(struct line line, config_text to)
{
    size_t length = 0;
    const char quote = line.at < line.end && (*line.at == '"' || *line.at == '\'') ? *line.at++ : '\0';

    if (quote == '\0') {
        const char *comment = memchr(line.at, '#', (size_t)(line.end - line.at));
        line.end = comment == NULL ? line.end : comment;
        line = trimmed(line);
    }
    while (line.at < line.end && (quote == '\0' || *line.at != quote)) {
        if (length == CONFIG_TEXT_SIZE - 1)
            return "the value is too long";
        to[length++] = take_character(&line);
    }
    to[length] = '\0';
    if (quote == '\0')
        return NULL;
    if (line.at == line.end)
        return "the value has an opening quote and no closing one";
    line.at++;
    line = trimmed(line);
    return line.at < line.end && *line.at != '#' ? "something stands behind the closing quote" : NULL;
}

/* One line within [client]. NULL, or what is wrong. */
static const char *take_setting(struct line line, struct credentials *credentials)
{
    const char *equals = memchr(line.at, '=', (size_t)(line.end - line.at));

    if (equals == NULL)                  /* a switch, as "compress" */
        return NULL;
    const struct line key = trimmed((struct line){ line.at, equals });
    const struct line value = trimmed((struct line){ equals + 1, line.end });
    if (line_is(key, "user")) {
        credentials->has_user = true;
        return take_value(value, credentials->user);
    }
    if (line_is(key, "password")) {
        credentials->has_password = true;
        return take_value(value, credentials->password);
    }
    return NULL;
}

enum fc_code credentials_parse(const char *bytes, size_t length, struct credentials *ret, struct fc_err *err)
{
    struct credentials credentials = { 0 };
    const char *wrong = memchr(bytes, '\0', length) != NULL ? "there is a zero byte in the file" : NULL;
    const char *at = bytes, *end = bytes + length;
    bool is_client = false;
    int number = 0;

    while (at < end && wrong == NULL) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const struct line line = trimmed((struct line){ at, newline == NULL ? end : newline });
        at = newline == NULL ? end : newline + 1;
        number++;
        if (line.at == line.end || strchr("#;!", *line.at) != NULL)
            continue;
        if (*line.at == '[')
            is_client = line_is(line, "[client]");
        else if (is_client)
            wrong = take_setting(line, &credentials);
    }
    enum fc_code code = FC_OK;
    if (wrong != NULL)
        code = fc_fail(err, FC_BAD_CONFIG, "line %d: %s", number, wrong);
    else if (!credentials.has_user && !credentials.has_password)
        code = fc_fail(err, FC_BAD_CONFIG, "there is no 'user' and no 'password' under [client]");
    else
        *ret = credentials;
    explicit_bzero(&credentials, sizeof credentials);
    return code;
}

static enum fc_code set_if(bool is_given, struct config *config, const char *name, const char *value, struct fc_err *err)
{
    return is_given ? config_set_text(config, config_key_find(name), value, err) : FC_OK;
}

static enum fc_code apply_credentials(struct config *config, const char *file_key, const char *path, const char *user_key,
                                      const char *password_key, struct config_warnings *warnings, struct fc_err *err)
{
    struct bytes bytes = { 0 };
    struct credentials credentials = { 0 };
    struct fc_err inner = { 0 };

    if (path[0] == '\0')
        return FC_OK;
    if (read_file(path, &bytes, &inner) != FC_OK)
        return fc_fail(err, FC_BAD_CONFIG, "%s: %s", file_key, inner.text);
    enum fc_code code = credentials_parse(bytes.at, bytes.length, &credentials, &inner);
    if (code == FC_OK)
        code = set_if(credentials.has_user, config, user_key, credentials.user, &inner);
    if (code == FC_OK)
        code = set_if(credentials.has_password, config, password_key, credentials.password, &inner);
    if (code != FC_OK)
        fc_fail(err, code, "%s %s: %s", file_key, path, inner.text);
    else if (bytes.is_open_to_all)
        warn(warnings, "%s holds a password and everybody on this machine may read it; chmod o-r would be right", path);
    explicit_bzero(&credentials, sizeof credentials);
    bytes_done(&bytes);
    return code;
}

/* ---- all of it ---- */

static enum fc_code apply_path(const char *path, bool must_exist, struct config *config, struct config_warnings *warnings,
                               struct fc_err *err)
{
    struct bytes bytes = { 0 };
    struct fc_err inner = { 0 };
    bool has_secret = false;

    enum fc_code code = read_file(path, &bytes, &inner);
    if (code == FC_NOT_FOUND && !must_exist)
        return FC_OK;
    if (code != FC_OK)
        return fc_fail(err, FC_BAD_CONFIG, "%s", inner.text);
    code = config_file_apply(bytes.at, bytes.length, path, config, &has_secret, warnings, err);
    if (code == FC_OK && has_secret && bytes.is_open_to_all)
        warn(warnings, "%s holds a password and everybody on this machine may read it; chmod o-r would be right", path);
    if (code == FC_OK) {
        const size_t used = strlen(warnings->read_from);
        text_format(warnings->read_from + used, sizeof warnings->read_from - used, "%s%s", used == 0 ? "" : ", ", path);
    }
    bytes_done(&bytes);
    return code;
}

/* Patterns are not the core's to read. */
static enum fc_code check_patterns(const struct config *config, struct fc_err *err)
{
    struct survey_rules *rules = NULL;
    const enum fc_code code = survey_rules_compile(config, &rules, err);
    if (code == FC_OK)
        survey_rules_free(rules);
    return code;
}

static enum fc_code load_into(const char *path, struct config *config, struct config_warnings *warnings, struct fc_err *err)
{
    enum fc_code code = FC_OK;

    config_preset(config);
    if (path != NULL)
        code = apply_path(path, true, config, warnings, err);
    for (size_t i = 0; path == NULL && code == FC_OK && i < sizeof search_paths / sizeof search_paths[0]; i++)
        code = apply_path(search_paths[i], false, config, warnings, err);
    const bool has_own = path != NULL || warnings->read_from[0] != '\0';
    for (size_t i = 0; !has_own && code == FC_OK && i < sizeof orchestrator_paths / sizeof orchestrator_paths[0]; i++)
        code = apply_path(orchestrator_paths[i], false, config, warnings, err);
    if (code == FC_OK)
        code = apply_credentials(config, "MySQLOrchestratorCredentialsConfigFile", config->mysql_credentials_file,
                                 "MySQLOrchestratorUser", "MySQLOrchestratorPassword", warnings, err);
    if (code == FC_OK)
        code = apply_credentials(config, "BackendFenceCredentialsConfigFile", config->fence_credentials_file,
                                 "BackendFenceUser", "BackendFencePassword", warnings, err);
    if (code == FC_OK)
        code = apply_credentials(config, "MySQLTopologyCredentialsConfigFile", config->topology_credentials_file,
                                 "MySQLTopologyUser", "MySQLTopologyPassword", warnings, err);
    if (code == FC_OK)
        code = config_check(config, err);
    return code == FC_OK ? check_patterns(config, err) : code;
}

enum fc_code config_file_load(const char *path, struct config *ret, struct config_warnings *warnings, struct fc_err *err)
{
    struct config *fresh = malloc(sizeof *fresh);

    if (fresh == NULL)
        return fc_fail(err, FC_NO_MEMORY, "configuration: out of memory");
    memset(warnings, 0, sizeof *warnings);
    const enum fc_code code = load_into(path, fresh, warnings, err);
    if (code == FC_OK)
        *ret = *fresh;
    explicit_bzero(fresh, sizeof *fresh);
    free(fresh);
    return code;
}

static bool is_same(const struct config *a, const struct config *b, const struct config_key *key)
{
    const char *left = (const char *)a + key->offset, *right = (const char *)b + key->offset;
    const struct config_list *list = (const void *)left, *other = (const void *)right;
    const struct config_many *many = (const void *)left, *other_many = (const void *)right;
    const struct config_map *map = (const void *)left, *other_map = (const void *)right;

    switch (key->type) {
    case CONFIG_BOOL:
        return *(const bool *)left == *(const bool *)right;
    case CONFIG_INT:
        return *(const int *)left == *(const int *)right;
    case CONFIG_REAL:
        return *(const double *)left == *(const double *)right;
    case CONFIG_TEXT:
    case CONFIG_QUERY:
        return text_is(left, right);
    case CONFIG_MAP:
        return map->length == other_map->length && memcmp(map->text, other_map->text, (size_t)map->length) == 0;
    case CONFIG_MANY:
        return many->length == other_many->length && memcmp(many->text, other_many->text, (size_t)many->length) == 0;
    case CONFIG_LIST:
        if (list->count != other->count)
            return false;
        for (int i = 0; i < list->count; i++) {
            if (!text_is(list->item[i], other->item[i]))
                return false;
        }
        return true;
    }
    return false;
}

int config_file_changes(const struct config *before, const struct config *now, char *to, size_t size)
{
    int count = 0;
    size_t used = 0;

    assert(size > 0);
    to[0] = '\0';
    for (size_t i = 0; i < config_key_count; i++) {
        if (!config_keys[i].is_fixed || is_same(before, now, &config_keys[i]))
            continue;
        text_format(to + used, size - used, "%s%s", count == 0 ? "" : ", ", config_keys[i].name);
        used = strlen(to);
        count++;
    }
    return count;
}

void config_file_dump(const struct config *config, FILE *to)
{
    static char value[sizeof(struct config_map) * 4];         /* quotes, and what stands between */
    fputc('{', to);
    for (size_t i = 0; i < config_key_count; i++) {
        config_value_text(config, &config_keys[i], value, sizeof value);
        fprintf(to, "%s\n  \"%s\": %s", i == 0 ? "" : ",", config_keys[i].name, value);
    }
    fputs("\n}\n", to);
}
