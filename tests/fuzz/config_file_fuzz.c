/* Any bytes as a configuration file: read or refused, and what was read can be checked without harm. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/config_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct config config;
    static struct config_warnings warnings;
    struct fc_err err = { .code = FC_OK };
    bool has_secret;

    warnings.count = warnings.dropped = 0;
    config_preset(&config);
    if (config_file_apply((const char *)bytes, length, "fuzz.json", &config, &has_secret, &warnings, &err) != FC_OK ||
        config_check(&config, &err) != FC_OK)
        assert(err.code == FC_BAD_CONFIG && err.text[0] != '\0');
    assert(warnings.count <= CONFIG_WARNINGS_MAX);
    return 0;
}
