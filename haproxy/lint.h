/* `firstchair lint-haproxy`: what in an existing haproxy.cfg would make the steering wrong, slow or blind.
 *
 * Rules and why: spec/haproxy-agent-check.md 6, 8 and 9, spec/steering.md 5 and 7; all of them are rows of lint_tables. It looks at
 * the text only, with firstchair's own configuration beside it; whether HAProxy accepts the file says `haproxy -c`. */
#ifndef FC_HAPROXY_LINT_H
#define FC_HAPROXY_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config.h"
#include "haproxy/proxy_file.h"

#define LINT_FINDINGS_MAX 500

enum lint_severity {
    LINT_ERROR,      /* traffic can go to a server that does not sit, or nobody gets any, or the steering is not heard */
    LINT_WARNING,    /* works, but slower, blinder or less safe than reckoned with */
    LINT_HINT,       /* nothing is wrong; something could be better */
    LINT_SEVERITY_COUNT
};

enum lint_scope {
    LINT_FILE, LINT_SERVER, LINT_AGENT_SERVER, LINT_POOL, LINT_POOL_SERVER, LINT_RELAY, LINT_RELAY_SERVER, LINT_DOOR, LINT_SCOPE_COUNT
};

enum {
    LINT_BACKEND_POOL = 1, LINT_LEADER_POOL = 2, LINT_BOTH_POOLS = 3, LINT_WRITER_POOL = 4, LINT_READER_POOL = 8,
    LINT_ONE_WRITER = LINT_BACKEND_POOL | LINT_WRITER_POOL, LINT_CLUSTERS = LINT_WRITER_POOL | LINT_READER_POOL,
    LINT_OF_SERVERS = LINT_BACKEND_POOL | LINT_CLUSTERS, LINT_ALL_POOLS = 15
};

struct lint_scene;

struct lint_rule {
    const char *word;                /* stands in [] behind each finding */
    enum lint_severity severity;
    enum lint_scope scope;           /* of what it is asked, once each */
    int pools;                       /* which pools it concerns; 0 for scopes that are no pool's */
    bool (*is_broken)(struct lint_scene *scene);
    const char *finding;             /* "is not `disabled`, so ..." */
    const char *mend;                /* "write ..." */
};

struct lint_table {                  /* one a file lint_*_rules.c */
    const char *heading;
    const struct lint_rule *rules;
    size_t count;
};

extern const struct lint_table *const lint_tables[];
extern const size_t lint_table_count;

struct lint_finding {
    const struct lint_rule *rule;
    int order;                       /* of the rule, among all */
    int file, line;                  /* line 0: of the whole file */
    char subject[136];               /* "fc_backend/db1", "global", ... */
    char detail[160];                /* "" or what stands there */
};

struct lint {                        /* large: on the heap */
    int finding_count;
    int dropped;                     /* findings past LINT_FINDINGS_MAX */
    int counts[LINT_SEVERITY_COUNT];
    struct lint_finding findings[LINT_FINDINGS_MAX];
};

/* Fills `ret`, sorted by file and line. `config` has passed config_check; without Nodes only what needs no name is looked at. */
void lint_run(const struct proxy_file *file, const struct config *config, struct lint *ret);

const char *lint_severity_word(enum lint_severity severity);
const char *lint_scope_text(enum lint_scope scope);
/* "haproxy.cfg:41: warning: SUBJECT finding (detail); mend [word]". False when it did not fit. */
bool lint_finding_text(const struct lint_finding *finding, const char *file_name, char *to, size_t size);

#endif
