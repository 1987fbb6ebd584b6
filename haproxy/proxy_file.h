/* A haproxy.cfg read as HAProxy reads it: sections, their lines, and for each server what is in force after `defaults`, named
 * defaults (`from`), `default-server` and its own line. A function of bytes: nothing is opened, nothing is looked up.
 *
 * It refuses nothing that HAProxy would take, and does not say what HAProxy itself says better (`haproxy -c`). Blocks of
 * .if/.elif/.else are read as if every condition were true. */
#ifndef FC_HAPROXY_PROXY_FILE_H
#define FC_HAPROXY_PROXY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PROXY_FILES_MAX 8             /* HAProxy's -f may be given several times */
#define PROXY_BYTES_MAX (512 * 1024)  /* of all files together */
#define PROXY_LINES_MAX 16384         /* that are not blank */
#define PROXY_WORDS_MAX 65536
#define PROXY_SECTIONS_MAX 512
#define PROXY_SERVERS_MAX 2048

enum proxy_section_kind { PROXY_GLOBAL, PROXY_DEFAULTS, PROXY_FRONTEND, PROXY_BACKEND, PROXY_LISTEN, PROXY_OTHER };

/* Statements of which the last one is in force. */
enum proxy_setting {
    SETTING_BALANCE, SETTING_CHECK, SETTING_COOKIE, SETTING_COOKIE_KEY, SETTING_DEFAULT_BACKEND, SETTING_FORWARDFOR,
    SETTING_INSPECT_DELAY, SETTING_LOAD_STATE, SETTING_MODE, SETTING_REDISPATCH, SETTING_STICK, SETTING_TIMEOUT_CHECK,
    /* of the section `global` */
    SETTING_HARD_STOP, SETTING_LOCALPEER, SETTING_LUA, SETTING_MAX_SPREAD, SETTING_SPREAD, SETTING_STATE_FILE,
    SETTING_COUNT
};

/* Words of a `server` line that mean something to firstchair. */
enum proxy_key {
    KEY_ADDR, KEY_AGENT_ADDR, KEY_AGENT_CHECK, KEY_AGENT_INTER, KEY_AGENT_PORT, KEY_AGENT_SEND, KEY_CHECK, KEY_COOKIE, KEY_DISABLED,
    KEY_FALL, KEY_FASTINTER, KEY_INTER, KEY_MAXCONN, KEY_ON_MARKED_DOWN, KEY_PORT, KEY_SEND_PROXY, KEY_SSL, KEY_WEIGHT,
    KEY_COUNT
};

struct proxy_section;

struct proxy_line {
    int file;                         /* index of the file, in the order of proxy_file_add */
    int number;                       /* from 1 */
    int first_word, word_count;
    const struct proxy_section *section;  /* NULL before the first one */
};

struct proxy_keys {                   /* what is in force for a server */
    struct { const struct proxy_line *line; int word; } at[KEY_COUNT];   /* line NULL: not said; word: of its value */
};

struct proxy_section {
    enum proxy_section_kind kind;
    const char *name;                 /* "" when it has none */
    const struct proxy_line *head;
    int first_line, line_count;       /* without the head */
    int first_server, server_count;
    const struct proxy_section *defaults;
    const struct proxy_line *setting[SETTING_COUNT];
    struct proxy_keys preset;         /* default-server, so far */
};

struct proxy_server {
    const struct proxy_section *section;
    const struct proxy_line *line;
    const char *name, *address;
    bool is_template;                 /* server-template: name is the prefix, address the host to look up */
    struct proxy_keys keys;
};

struct proxy_file {                   /* large: on the heap */
    int file_count, line_count, word_count, section_count, server_count;
    size_t bytes_used;
    const struct proxy_line *condition;   /* the first .if that is not the printed one */
    struct proxy_section global;          /* all sections `global` as one */
    struct proxy_line lines[PROXY_LINES_MAX];
    const char *words[PROXY_WORDS_MAX];
    bool expands[PROXY_WORDS_MAX];        /* has a $NAME that HAProxy replaces */
    struct proxy_section sections[PROXY_SECTIONS_MAX];
    struct proxy_server servers[PROXY_SERVERS_MAX];
    char bytes[PROXY_BYTES_MAX + PROXY_LINES_MAX];
};

/* Makes it empty; whatever was in the memory. */
void proxy_file_open(struct proxy_file *file);

/* Reads one more file, as HAProxy's next -f. FC_BAD_INPUT with file name, line and what is wrong when HAProxy could not split a
 * line into words either, or when a bound above is reached; the file is then not to be used. `name` is only for the sentence. */
enum fc_code proxy_file_add(struct proxy_file *file, const char *name, const char *bytes, size_t length, struct fc_err *err);

/* Word number `index` of a line; "" past its end. */
const char *proxy_line_word(const struct proxy_file *file, const struct proxy_line *line, int index);
/* The value in force; NULL when nothing is said. A word without value (`check`) is its own value. */
const char *proxy_server_value(const struct proxy_file *file, const struct proxy_server *server, enum proxy_key key);
bool proxy_server_has(const struct proxy_server *server, enum proxy_key key);

/* The next line after `after` (NULL: from the beginning) whose first words are `first` and `second` (NULL: any), of the section
 * itself or, when it has no line that begins with `first`, of its defaults: so HAProxy takes over rules of checks. */
const struct proxy_line *proxy_section_next(const struct proxy_file *file, const struct proxy_section *section,
                                            const struct proxy_line *after, const char *first, const char *second);
/* The first backend or listen with this name; NULL when none. */
const struct proxy_section *proxy_file_backend(const struct proxy_file *file, const char *name);

/* HAProxy's times: digits and us, ms, s, m, h or d; milliseconds without a unit. Rounded up to whole milliseconds. */
bool proxy_time_ms(const char *text, int64_t *ret);

#endif
