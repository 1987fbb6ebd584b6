/* The configuration file: orchestrator's JSON, read into a fresh struct config.
 *
 * Without a path: /etc/firstchair.conf.json, conf/firstchair.conf.json, firstchair.conf.json, every one that exists, later ones
 * overriding earlier ones key by key; where none exists, orchestrator.conf.json in the same three places; none at all means
 * presets. With a path: only that file, and it must exist.
 * One JSON object. Keys in any case; unknown ones, ones without effect, and doubled ones are warnings. null keeps the preset.
 * ${NAME} within any string is the environment variable, which must be set; $${ stands for a literal ${.
 * Credentials files (MySQLOrchestratorCredentialsConfigFile, BackendFenceCredentialsConfigFile) override user and password. */
#ifndef FC_AGENT_CONFIG_FILE_H
#define FC_AGENT_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "core/config.h"

#define CONFIG_WARNINGS_MAX 160          /* a large orchestrator file has about that many keys */

struct config_warnings {
    int count, dropped;
    char text[CONFIG_WARNINGS_MAX][320];
    char read_from[512];                 /* the files that were read, in order; "" = presets only */
};

/* Everything is read and checked before *ret is touched, so a broken reload keeps the old one. FC_BAD_CONFIG with file, key,
 * value (never a secret) and what would be right. Both structs are large: keep them on the heap. */
enum fc_code config_file_load(const char *path, struct config *ret, struct config_warnings *warnings, struct fc_err *err);

/* Applies the text of one file on top of *config; `name` is the file's, for sentences. *config may be half changed on failure.
 * *has_secret (may be NULL) says whether a secret stands in it in clear text. */
enum fc_code config_file_apply(const char *bytes, size_t length, const char *name, struct config *config, bool *has_secret,
                               struct config_warnings *warnings, struct fc_err *err);

/* Writes the names of the changed keys that need a restart, separated by ", ", and returns how many there are. */
int config_file_changes(const struct config *before, const struct config *now, char *to, size_t size);

/* The effective configuration as one JSON object, a key a line, without secrets. */
void config_file_dump(const struct config *config, FILE *to);

struct credentials {
    bool has_user, has_password;
    config_text user, password;
};

/* An option file of the MySQL client: [client] with user and password; other sections, keys and !include lines are let be.
 * Quotes, '#' comments and backslashes as the client reads them. Sentences name the line and never what stands in it. */
enum fc_code credentials_parse(const char *bytes, size_t length, struct credentials *ret, struct fc_err *err);

#endif
