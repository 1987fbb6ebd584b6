/* What the home mode needs of the two servers: a table of requirements, each with what is wanted, how bad it is when it is
 * missing, and one sentence that says what is and how to mend it. docs/accounts.md and spec/ha-modes.md 5 say why.
 *
 * Not known is not missing: a finding is only what was read. What a finding means for the chair: one of severity `refuse` keeps
 * a server from being seated by an order without `force`; an automatic move looks at none of them, because an empty chair is
 * worse than all of them. */
#ifndef FC_JUDGE_NEEDS_H
#define FC_JUDGE_NEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/moment.h"
#include "model/servers.h"
#include "model/settings.h"

#define NEED_RULES_MAX 64            /* one bit each in a mask */
#define NEED_TEXT_SIZE 240           /* as a note */

enum need_severity { NEED_WARNING = 0, NEED_ALARM, NEED_REFUSE, NEED_SEVERITY_COUNT };
enum need_verdict { NEED_GOOD = 0, NEED_MISSING, NEED_UNKNOWN, NEED_VERDICT_COUNT };

/* One server and the others of the pair, as they were read last. */
struct need_view {
    int server;
    const struct servers *servers;
    const struct server_settings *of[STORE_SERVERS_MAX];     /* NULL = never read */
    int other;                       /* set by a check: the server that the sentence names; -1 none */
};

struct need_rule;
typedef enum need_verdict need_check(const struct need_rule *rule, struct need_view *view);

struct need_rule {
    const char *word;                /* stable: in JSON, metrics, Redis */
    enum need_severity severity;
    enum setting setting;            /* what is shown, and what most checks look at */
    need_check *check;
    const char *wanted;              /* for the table; for `check` where it compares with something literal */
    const char *unread;              /* why it may stay unknown of a server that answers, as a sentence; NULL: it does not */
    const char *sentence;            /* $s the server, $v its value, $o the other server, $p the other's value */
};

extern const struct need_rule need_rules[];
extern const size_t need_rule_count;

struct server_needs {
    bool has_settings;
    struct server_settings settings; /* the last read; what `fence` could not read any more stays */
    struct fc_time read_at;          /* FC_EVER = never */
    char boot_read_only[8];          /* read while nothing had hidden it; "" unknown */
    char boot_identity[IDENTITY_SIZE];
    struct fc_time boot_read_at;     /* when: of the present life of the server, or not of use any more */
    uint64_t missing, unknown;       /* a bit a rule, in the order of need_rules */
};

struct needs { int count; struct server_needs list[STORE_SERVERS_MAX]; };

void needs_init(struct needs *needs, int count);
/* A check has brought these; read_only's boot value is put in where it is remembered. */
void needs_read(struct needs *needs, int server, const struct server_settings *settings, struct fc_time at);
/* A look at a server that was just reached has told its boot value, before anybody could set it. */
void needs_saw_boot(struct needs *needs, int server, const struct server_look *look, struct fc_time at);
/* The account `fence` was turned away: one sentence. */
void needs_denied(struct needs *needs, int server, const char *why, struct fc_time at);
/* Counts every rule for every server anew. */
void needs_judge(struct needs *needs, const struct servers *servers);

/* The sentence for this server, at most size bytes. The other one: why it is not known; "" where there is nothing to say. */
void need_unread_sentence(const struct needs *needs, const struct servers *servers, int server, size_t rule, char *to, size_t size);
void need_sentence(const struct needs *needs, const struct servers *servers, int server, size_t rule, char *to, size_t size);
/* The first rule of severity `refuse` that this server misses; -1 none. */
int needs_refusal(const struct needs *needs, int server);

const char *need_severity_word(enum need_severity severity);
const char *need_verdict_word(enum need_verdict verdict);

#endif
