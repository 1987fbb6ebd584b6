/* Files in, sentences out. The rules are in haproxy/lint_*_rules.c. */
#include "agent/lint_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "haproxy/lint.h"

static enum fc_code read_one(const char *path, struct proxy_file *file, char *bytes, struct fc_err *err)
{
    FILE *from = text_is(path, "-") ? stdin : fopen(path, "r");
    if (from == NULL)
        return fc_fail(err, FC_NOT_FOUND, "%s: %s", path, strerror(errno));
    const size_t length = fread(bytes, 1, PROXY_BYTES_MAX + 1, from);      /* one more: too long is seen */
    const bool failed = ferror(from) != 0;
    if (from != stdin)
        fclose(from);
    if (failed)
        return fc_fail(err, FC_NOT_FOUND, "%s: cannot be read", path);
    return proxy_file_add(file, path, bytes, length, err);
}

static void print_findings(const struct lint *lint, const char *const *paths)
{
    char text[1024];

    for (int i = 0; i < lint->finding_count; i++) {
        lint_finding_text(&lint->findings[i], paths[lint->findings[i].file], text, sizeof text);
        printf("%s\n", text);
    }
    if (lint->dropped > 0)
        printf("and %d more\n", lint->dropped);
    printf("%s: ", paths[0]);
    for (int i = 0; i < LINT_SEVERITY_COUNT; i++)
        printf("%s%d %s%s", i == 0 ? "" : ", ", lint->counts[i], lint_severity_word((enum lint_severity)i), lint->counts[i] == 1 ? "" : "s");
    printf("\n");
}

enum fc_code lint_files(const struct config *config, const char *const *paths, int count, struct fc_err *err)
{
    struct proxy_file *file = malloc(sizeof *file);
    struct lint *lint = calloc(1, sizeof *lint);
    char *bytes = malloc(PROXY_BYTES_MAX + 1);
    enum fc_code code = FC_OK;

    if (file == NULL || lint == NULL || bytes == NULL)
        code = fc_fail(err, FC_NO_MEMORY, "out of memory");
    else
        proxy_file_open(file);
    for (int i = 0; i < count && code == FC_OK; i++)
        code = read_one(paths[i], file, bytes, err);
    if (code == FC_OK) {
        lint_run(file, config, lint);
        print_findings(lint, paths);
        if (lint->counts[LINT_ERROR] + lint->counts[LINT_WARNING] > 0)
            code = FC_FINDINGS;
    }
    free(bytes);
    free(lint);
    free(file);
    return code;
}

/* " (BackendPool, WriterPools)"; "" when it concerns all, or none. */
static const char *pools_text(int pools, char *to, size_t size)
{
    static const struct { int pool; const char *key; } keys[] = {
        { LINT_BACKEND_POOL, "BackendPool" }, { LINT_LEADER_POOL, "LeaderPool" }, { LINT_WRITER_POOL, "WriterPools" },
        { LINT_READER_POOL, "ReaderPools" },
    };
    to[0] = '\0';
    for (size_t i = 0; pools != 0 && pools != LINT_ALL_POOLS && i < sizeof keys / sizeof keys[0]; i++) {
        const size_t length = strlen(to);
        if ((pools & keys[i].pool) != 0)
            text_format(to + length, size - length, "%s%s", length == 0 ? " (" : ", ", keys[i].key);
    }
    if (to[0] != '\0')
        text_format(to + strlen(to), size - strlen(to), ")");
    return to;
}

void lint_docs_print(FILE *to)
{
    fprintf(to, "# Lint of a haproxy.cfg\n\nPrinted from the tables in haproxy/lint_*_rules.c. `firstchair lint-haproxy --config firstchair.json "
                "haproxy.cfg` says them as\n`haproxy.cfg:41: error: fc_backend/db1 FINDING; MEND [word]`, sorted by line. An error: traffic can go to "
                "a server that does not sit,\nor nobody gets any, or the steering is not heard. A warning: slower, blinder or less safe than "
                "reckoned with. A hint changes no exit code.\n");
    for (size_t t = 0; t < lint_table_count; t++) {
        fprintf(to, "\n## %s\n| word | | found at | finding | mend |\n|---|---|---|---|---|\n", lint_tables[t]->heading);
        for (size_t i = 0; i < lint_tables[t]->count; i++) {
            const struct lint_rule *rule = &lint_tables[t]->rules[i];
            char pools[80];
            fprintf(to, "| `%s` | %s | %s%s | %s | %s |\n", rule->word, lint_severity_word(rule->severity), lint_scope_text(rule->scope),
                    pools_text(rule->pools, pools, sizeof pools), rule->finding, rule->mend);
        }
    }
}
