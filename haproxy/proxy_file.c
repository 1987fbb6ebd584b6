/* From lines to what is in force. One pass: HAProxy too takes `defaults` and `default-server` as they are when a line is read. */
#include "haproxy/proxy_file.h"

#include <string.h>

#include "base/text.h"
#include "haproxy/proxy_config.h"
#include "haproxy/proxy_words.h"

static const struct { const char *word; enum proxy_section_kind kind; } section_words[] = {
    { "global", PROXY_GLOBAL },      { "defaults", PROXY_DEFAULTS },   { "frontend", PROXY_FRONTEND },
    { "backend", PROXY_BACKEND },    { "listen", PROXY_LISTEN },       { "acme", PROXY_OTHER },
    { "cache", PROXY_OTHER },        { "crt-store", PROXY_OTHER },     { "dynamic-update", PROXY_OTHER },
    { "fcgi-app", PROXY_OTHER },     { "http-errors", PROXY_OTHER },   { "log-forward", PROXY_OTHER },
    { "log-profile", PROXY_OTHER },  { "mailers", PROXY_OTHER },       { "namespace_list", PROXY_OTHER },
    { "peers", PROXY_OTHER },        { "program", PROXY_OTHER },       { "resolvers", PROXY_OTHER },
    { "ring", PROXY_OTHER },         { "traces", PROXY_OTHER },        { "userlist", PROXY_OTHER },
};

/* `second` NULL: whatever follows. An `option` that chooses the kind of check replaces the one before. */
static const struct { const char *first, *second; enum proxy_setting setting; } setting_words[] = {
    { "balance", NULL, SETTING_BALANCE },
    { "cookie", NULL, SETTING_COOKIE },
    { "default_backend", NULL, SETTING_DEFAULT_BACKEND },
    { "dynamic-cookie-key", NULL, SETTING_COOKIE_KEY },
    { "hard-stop-after", NULL, SETTING_HARD_STOP },
    { "load-server-state-from-file", NULL, SETTING_LOAD_STATE },
    { "localpeer", NULL, SETTING_LOCALPEER },
    { "lua-load", NULL, SETTING_LUA },
    { "lua-load-per-thread", NULL, SETTING_LUA },
    { "max-spread-checks", NULL, SETTING_MAX_SPREAD },
    { "mode", NULL, SETTING_MODE },
    { "server-state-file", NULL, SETTING_STATE_FILE },
    { "spread-checks", NULL, SETTING_SPREAD },
    { "stick", NULL, SETTING_STICK },
    { "tcp-request", "inspect-delay", SETTING_INSPECT_DELAY },
    { "timeout", "check", SETTING_TIMEOUT_CHECK },
    { "option", "forwardfor", SETTING_FORWARDFOR },
    { "option", "redispatch", SETTING_REDISPATCH },
    { "option", "external-check", SETTING_CHECK },
    { "option", "httpchk", SETTING_CHECK },
    { "option", "ldap-check", SETTING_CHECK },
    { "option", "mysql-check", SETTING_CHECK },
    { "option", "pgsql-check", SETTING_CHECK },
    { "option", "redis-check", SETTING_CHECK },
    { "option", "smtpchk", SETTING_CHECK },
    { "option", "spop-check", SETTING_CHECK },
    { "option", "ssl-hello-chk", SETTING_CHECK },
    { "option", "tcp-check", SETTING_CHECK },
};

#define NO_KEY KEY_COUNT
enum { FLAG = 0, VALUE = 1 };

/* Words of `server` and `default-server`. Those that mean nothing to us stand here for the value that follows them: it must not
 * be taken for a word of its own. A word that is not here has no value. */
static const struct { const char *word; int values; enum proxy_key key; bool takes_back; } key_words[] = {
    { "addr", VALUE, KEY_ADDR, false },
    { "agent-addr", VALUE, KEY_AGENT_ADDR, false },
    { "agent-check", FLAG, KEY_AGENT_CHECK, false },
    { "no-agent-check", FLAG, KEY_AGENT_CHECK, true },
    { "agent-inter", VALUE, KEY_AGENT_INTER, false },
    { "agent-port", VALUE, KEY_AGENT_PORT, false },
    { "agent-send", VALUE, KEY_AGENT_SEND, false },
    { "check", FLAG, KEY_CHECK, false },
    { "no-check", FLAG, KEY_CHECK, true },
    { "check-send-proxy", FLAG, KEY_SEND_PROXY, false },
    { "no-check-send-proxy", FLAG, KEY_SEND_PROXY, true },
    { "cookie", VALUE, KEY_COOKIE, false },
    { "disabled", FLAG, KEY_DISABLED, false },
    { "enabled", FLAG, KEY_DISABLED, true },
    { "fall", VALUE, KEY_FALL, false },
    { "fastinter", VALUE, KEY_FASTINTER, false },
    { "inter", VALUE, KEY_INTER, false },
    { "maxconn", VALUE, KEY_MAXCONN, false },
    { "on-marked-down", VALUE, KEY_ON_MARKED_DOWN, false },
    { "port", VALUE, KEY_PORT, false },
    { "send-proxy", FLAG, KEY_SEND_PROXY, false },
    { "send-proxy-v2", FLAG, KEY_SEND_PROXY, false },
    { "no-send-proxy", FLAG, KEY_SEND_PROXY, true },
    { "no-send-proxy-v2", FLAG, KEY_SEND_PROXY, true },
    { "ssl", FLAG, KEY_SSL, false },
    { "check-ssl", FLAG, KEY_SSL, false },
    { "no-ssl", FLAG, KEY_SSL, true },
    { "weight", VALUE, KEY_WEIGHT, false },
    { "alpn", VALUE, NO_KEY, false },            { "ca-file", VALUE, NO_KEY, false },
    { "check-alpn", VALUE, NO_KEY, false },      { "check-proto", VALUE, NO_KEY, false },
    { "check-sni", VALUE, NO_KEY, false },       { "ciphers", VALUE, NO_KEY, false },
    { "ciphersuites", VALUE, NO_KEY, false },    { "client-sigalgs", VALUE, NO_KEY, false },
    { "crl-file", VALUE, NO_KEY, false },        { "crt", VALUE, NO_KEY, false },
    { "curves", VALUE, NO_KEY, false },          { "downinter", VALUE, NO_KEY, false },
    { "ecdhe", VALUE, NO_KEY, false },           { "error-limit", VALUE, NO_KEY, false },
    { "guid", VALUE, NO_KEY, false },            { "hash-key", VALUE, NO_KEY, false },
    { "id", VALUE, NO_KEY, false },              { "idle-ping", VALUE, NO_KEY, false },
    { "init-addr", VALUE, NO_KEY, false },       { "init-state", VALUE, NO_KEY, false },
    { "interface", VALUE, NO_KEY, false },       { "log-bufsize", VALUE, NO_KEY, false },
    { "log-proto", VALUE, NO_KEY, false },       { "max-reuse", VALUE, NO_KEY, false },
    { "maxqueue", VALUE, NO_KEY, false },        { "minconn", VALUE, NO_KEY, false },
    { "namespace", VALUE, NO_KEY, false },       { "npn", VALUE, NO_KEY, false },
    { "observe", VALUE, NO_KEY, false },         { "on-error", VALUE, NO_KEY, false },
    { "on-marked-up", VALUE, NO_KEY, false },    { "pool-low-conn", VALUE, NO_KEY, false },
    { "pool-max-conn", VALUE, NO_KEY, false },   { "pool-purge-delay", VALUE, NO_KEY, false },
    { "proto", VALUE, NO_KEY, false },           { "proxy-v2-options", VALUE, NO_KEY, false },
    { "redir", VALUE, NO_KEY, false },           { "resolve-net", VALUE, NO_KEY, false },
    { "resolve-opts", VALUE, NO_KEY, false },    { "resolve-prefer", VALUE, NO_KEY, false },
    { "resolvers", VALUE, NO_KEY, false },       { "rise", VALUE, NO_KEY, false },
    { "set-proxy-v2-tlv-fmt", VALUE, NO_KEY, false }, { "shard", VALUE, NO_KEY, false },
    { "sigalgs", VALUE, NO_KEY, false },         { "slowstart", VALUE, NO_KEY, false },
    { "sni", VALUE, NO_KEY, false },             { "socks4", VALUE, NO_KEY, false },
    { "source", VALUE, NO_KEY, false },          { "ssl-max-ver", VALUE, NO_KEY, false },
    { "ssl-min-ver", VALUE, NO_KEY, false },     { "tcp-md5sig", VALUE, NO_KEY, false },
    { "tcp-ut", VALUE, NO_KEY, false },          { "track", VALUE, NO_KEY, false },
    { "usesrc", VALUE, NO_KEY, false },          { "verify", VALUE, NO_KEY, false },
    { "verifyhost", VALUE, NO_KEY, false },      { "ws", VALUE, NO_KEY, false },
};

const char *proxy_line_word(const struct proxy_file *file, const struct proxy_line *line, int index)
{
    return index < line->word_count ? file->words[line->first_word + index] : "";
}

/* ---- what a line does ---- */

static void keys_read(const struct proxy_file *file, const struct proxy_line *line, int from, struct proxy_keys *keys)
{
    for (int i = from; i < line->word_count; i++) {
        const char *word = proxy_line_word(file, line, i);
        size_t k = 0;
        while (k < sizeof key_words / sizeof key_words[0] && !text_is(key_words[k].word, word))
            k++;
        if (k == sizeof key_words / sizeof key_words[0])
            continue;
        if (i + key_words[k].values >= line->word_count)
            return;                                        /* its value is missing: HAProxy says so */
        i += key_words[k].values;
        if (key_words[k].key == NO_KEY)
            continue;
        keys->at[key_words[k].key].line = key_words[k].takes_back ? NULL : line;
        keys->at[key_words[k].key].word = line->first_word + i;
    }
}

static void setting_read(const struct proxy_file *file, const struct proxy_line *line, struct proxy_section *section)
{
    const bool takes_back = text_is(proxy_line_word(file, line, 0), "no") || text_is(proxy_line_word(file, line, 0), "default");
    const char *first = proxy_line_word(file, line, takes_back), *second = proxy_line_word(file, line, takes_back + 1);

    for (size_t i = 0; i < sizeof setting_words / sizeof setting_words[0]; i++) {
        if (text_is(setting_words[i].first, first) && (setting_words[i].second == NULL || text_is(setting_words[i].second, second)))
            section->setting[setting_words[i].setting] = takes_back ? NULL : line;
    }
}

static enum fc_code server_read(struct proxy_file *file, const char *name, const struct proxy_line *line,
                                struct proxy_section *section, bool is_template, struct fc_err *err)
{
    const int at = is_template ? 3 : 2;                    /* server-template PREFIX COUNT ADDRESS */

    if (line->word_count <= at)
        return FC_OK;
    if (file->server_count == PROXY_SERVERS_MAX)
        return fc_fail(err, FC_BAD_INPUT, "%s:%d: more than %d servers; nothing is read", name, line->number, PROXY_SERVERS_MAX);
    struct proxy_server *server = &file->servers[file->server_count++];
    server->section = section;
    server->line = line;
    server->name = proxy_line_word(file, line, 1);
    server->address = proxy_line_word(file, line, at);
    server->is_template = is_template;
    server->keys = section->preset;
    keys_read(file, line, at + 1, &server->keys);
    section->server_count++;
    return FC_OK;
}

/* The named one, or else the last that was read. */
static const struct proxy_section *defaults_find(const struct proxy_file *file, const struct proxy_line *head, bool is_defaults)
{
    for (int w = 1; w + 1 < head->word_count; w++) {
        if (!text_is(proxy_line_word(file, head, w), "from"))
            continue;
        for (int i = file->section_count - 1; i >= 0; i--) {
            if (file->sections[i].kind == PROXY_DEFAULTS && text_is(file->sections[i].name, proxy_line_word(file, head, w + 1)))
                return &file->sections[i];
        }
        return NULL;
    }
    for (int i = file->section_count - 1; i >= 0 && !is_defaults; i--) {
        if (file->sections[i].kind == PROXY_DEFAULTS)
            return &file->sections[i];
    }
    return NULL;
}

static enum fc_code section_begin(struct proxy_file *file, const char *name, const struct proxy_line *head,
                                  enum proxy_section_kind kind, struct fc_err *err)
{
    if (file->section_count == PROXY_SECTIONS_MAX)
        return fc_fail(err, FC_BAD_INPUT, "%s:%d: more than %d sections; nothing is read", name, head->number, PROXY_SECTIONS_MAX);
    const bool is_proxy = kind != PROXY_GLOBAL && kind != PROXY_OTHER;
    const struct proxy_section *defaults = is_proxy ? defaults_find(file, head, kind == PROXY_DEFAULTS) : NULL;
    struct proxy_section *section = &file->sections[file->section_count++];

    if (defaults != NULL)
        *section = *defaults;
    else
        memset(section, 0, sizeof *section);
    section->kind = kind;
    section->name = text_is(proxy_line_word(file, head, 1), "from") ? "" : proxy_line_word(file, head, 1);
    section->head = head;
    section->first_line = file->line_count;
    section->line_count = 0;
    section->first_server = file->server_count;
    section->server_count = 0;
    section->defaults = defaults;
    return FC_OK;
}

static enum fc_code line_take(struct proxy_file *file, const char *name, struct proxy_line *line, struct fc_err *err)
{
    const char *first = proxy_line_word(file, line, 0);
    struct proxy_section *section = file->section_count == 0 ? NULL : &file->sections[file->section_count - 1];

    if (text_begins(first, ".")) {
        /* the block that the printed file has is true or without effect on what is read here */
        if (file->condition == NULL && text_begins(first, ".if") &&
            !text_is(proxy_line_word(file, line, 1), PROXY_CONFIG_CONDITION))
            file->condition = line;
        return FC_OK;
    }
    for (size_t i = 0; i < sizeof section_words / sizeof section_words[0]; i++) {
        if (text_is(section_words[i].word, first))
            return section_begin(file, name, line, section_words[i].kind, err);
    }
    if (section == NULL)
        return FC_OK;
    section->line_count = file->line_count - section->first_line;
    line->section = section;
    setting_read(file, line, section->kind == PROXY_GLOBAL ? &file->global : section);
    if (text_is(first, "default-server"))
        keys_read(file, line, 1, &section->preset);
    if (section->kind != PROXY_BACKEND && section->kind != PROXY_LISTEN)
        return FC_OK;
    if (text_is(first, "server") || text_is(first, "server-template"))
        return server_read(file, name, line, section, text_is(first, "server-template"), err);
    return FC_OK;
}

/* ---- bytes to lines ---- */

static enum fc_code line_read(struct proxy_file *file, const char *name, int number, const char *bytes, size_t length,
                              struct fc_err *err)
{
    struct proxy_words words;

    proxy_words_read(bytes, length, file->bytes + file->bytes_used, &words);
    if (words.trouble != NULL)
        return fc_fail(err, FC_BAD_INPUT, "%s:%d: %s; `haproxy -c` refuses the file too", name, number, words.trouble);
    if (words.count == 0)
        return FC_OK;
    if (file->line_count == PROXY_LINES_MAX || file->word_count + words.count > PROXY_WORDS_MAX)
        return fc_fail(err, FC_BAD_INPUT, "%s:%d: more than %d lines or %d words; nothing is read", name, number, PROXY_LINES_MAX,
                       PROXY_WORDS_MAX);
    struct proxy_line *line = &file->lines[file->line_count++];
    *line = (struct proxy_line){ file->file_count, number, file->word_count, words.count, NULL };
    for (int i = 0; i < words.count; i++, file->word_count++) {
        file->words[file->word_count] = words.word[i].text;
        file->expands[file->word_count] = words.word[i].expands;
    }
    file->bytes_used += words.used;
    return line_take(file, name, line, err);
}

void proxy_file_open(struct proxy_file *file)
{
    file->file_count = file->line_count = file->word_count = file->section_count = file->server_count = 0;
    file->bytes_used = 0;
    file->condition = NULL;
    memset(&file->global, 0, sizeof file->global);
}

enum fc_code proxy_file_add(struct proxy_file *file, const char *name, const char *bytes, size_t length, struct fc_err *err)
{
    const char *at = bytes, *end = bytes + length;

    if (file->file_count == PROXY_FILES_MAX || length > PROXY_BYTES_MAX - file->bytes_used)
        return fc_fail(err, FC_BAD_INPUT, "%s: more than %d files or %d bytes in all; nothing is read", name, PROXY_FILES_MAX,
                       PROXY_BYTES_MAX);
    for (int number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *over = newline == NULL ? end : newline;
        if ((size_t)(over - at) >= sizeof file->bytes - file->bytes_used)
            return fc_fail(err, FC_BAD_INPUT, "%s:%d: more than %d bytes in all; nothing is read", name, number, PROXY_BYTES_MAX);
        const enum fc_code code = line_read(file, name, number, at, (size_t)(over - at), err);
        if (code != FC_OK)
            return code;
        at = over + 1;
    }
    file->file_count++;
    return FC_OK;
}

/* ---- questions ---- */

const char *proxy_server_value(const struct proxy_file *file, const struct proxy_server *server, enum proxy_key key)
{
    return server->keys.at[key].line == NULL ? NULL : file->words[server->keys.at[key].word];
}

bool proxy_server_has(const struct proxy_server *server, enum proxy_key key) { return server->keys.at[key].line != NULL; }

static const struct proxy_line *next_own(const struct proxy_file *file, const struct proxy_section *section, int from,
                                         const char *first, const char *second)
{
    for (int i = from; i < section->first_line + section->line_count; i++) {
        const struct proxy_line *line = &file->lines[i];
        if (line->section == section && text_is(proxy_line_word(file, line, 0), first) &&
            (second == NULL || text_is(proxy_line_word(file, line, 1), second)))
            return line;
    }
    return NULL;
}

const struct proxy_line *proxy_section_next(const struct proxy_file *file, const struct proxy_section *section,
                                            const struct proxy_line *after, const char *first, const char *second)
{
    while (section != NULL && next_own(file, section, section->first_line, first, NULL) == NULL)
        section = section->defaults;
    if (section == NULL)
        return NULL;
    return next_own(file, section, after == NULL ? section->first_line : (int)(after - file->lines) + 1, first, second);
}

const struct proxy_section *proxy_file_backend(const struct proxy_file *file, const char *name)
{
    for (int i = 0; i < file->section_count; i++) {
        const struct proxy_section *section = &file->sections[i];
        if ((section->kind == PROXY_BACKEND || section->kind == PROXY_LISTEN) && text_is(section->name, name))
            return section;
    }
    return NULL;
}

bool proxy_time_ms(const char *text, int64_t *ret)
{
    static const struct { const char *unit; int64_t us; } units[] = {
        { "", 1000 }, { "ms", 1000 }, { "us", 1 }, { "s", 1000000 }, { "m", 60000000 }, { "h", 3600000000 }, { "d", 86400000000 },
    };
    const size_t digits = strspn(text, "0123456789");
    uint64_t number;

    if (!text_to_u64(text, digits, &number) || number > INT32_MAX)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (text_is(text + digits, units[i].unit)) {
            int64_t us;
            if (__builtin_mul_overflow((int64_t)number, units[i].us, &us) || us > INT64_MAX - 999)
                return false;
            *ret = (us + 999) / 1000;
            return true;
        }
    }
    return false;
}
