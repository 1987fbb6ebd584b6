/* Any bytes as an option file of the MySQL client: read or refused, always bounded. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "agent/config_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct credentials credentials;
    struct fc_err err = { .code = FC_OK };

    if (credentials_parse((const char *)bytes, length, &credentials, &err) != FC_OK) {
        assert(err.code == FC_BAD_CONFIG && err.text[0] != '\0');
        return 0;
    }
    assert(credentials.has_user || credentials.has_password);
    assert(strnlen(credentials.user, sizeof credentials.user) < sizeof credentials.user);
    assert(strnlen(credentials.password, sizeof credentials.password) < sizeof credentials.password);
    return 0;
}
