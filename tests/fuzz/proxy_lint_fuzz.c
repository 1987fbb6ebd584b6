/* Any bytes as a haproxy.cfg, read as one file or as two: refused with a sentence, or linted within bounds, in plain lines. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "haproxy/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void set(struct config *config, const char *key, const char *item)
{
    if (config_add_item(config, config_key_find(key), item, NULL) != FC_OK)
        abort();
}

static const struct config *home(void)
{
    static struct config config;

    if (config.nodes.count == 0) {
        config_preset(&config);
        set(&config, "Nodes", "fc1=10.0.9.1:3000/9377");
        set(&config, "Nodes", "fc2=10.0.9.2:3000/9377");
        set(&config, "BackendServers", "db1=10.0.1.1:3306");
        set(&config, "BackendServers", "db2=db2.example.com:3306");
        set(&config, "HAProxyInstances", "lb1=/run/haproxy/admin.sock");
    }
    return &config;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct proxy_file files, *file = &files;
    static struct lint lint;
    struct fc_err err = { .code = FC_OK };
    const size_t half = size > 0 && bytes[0] % 2 == 0 ? size / 2 : size;
    char text[1024];

    proxy_file_open(file);
    enum fc_code code = proxy_file_add(file, "one", (const char *)bytes, half, &err);
    if (code == FC_OK && half < size)
        code = proxy_file_add(file, "two", (const char *)bytes + half, size - half, &err);
    assert((code == FC_OK) == (err.code == FC_OK));
    assert(code == FC_OK || err.text[0] != '\0');
    if (code == FC_OK) {
        lint_run(file, home(), &lint);
        assert(lint.finding_count <= LINT_FINDINGS_MAX);
        for (int i = 0; i < lint.finding_count; i++) {
            assert(lint.findings[i].file < file->file_count && lint_finding_text(&lint.findings[i], "haproxy.cfg", text, sizeof text));
            assert(text[strcspn(text, "\r\n\x1b")] == '\0');
        }
    }
    return 0;
}
