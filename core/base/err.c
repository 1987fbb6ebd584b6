/* One table gives each code its word, HTTP status and exit code. */
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

const struct fc_code_row fc_code_table[FC_CODE_COUNT] = {
    /*                   word           http exit  meaning */
    [FC_OK]          = { "ok",          200,  0, "done" },
    [FC_BAD_INPUT]   = { "bad-input",   500,  2, "the request cannot be understood" },
    [FC_BAD_CONFIG]  = { "bad-config",  500,  2, "a configuration key has a value that cannot be used" },
    [FC_NOT_FOUND]   = { "not-found",   500,  3, "there is no such pool, server, node or path" },
    [FC_REFUSED]     = { "refused",     500,  4, "understood, and not done because a rule forbids it" },
    [FC_NOT_ALLOWED] = { "not-allowed", 500,  5, "the asker may not give this order" },
    [FC_NOT_LEADER]  = { "not-leader",  500,  6, "nobody leads, so nobody can do this now" },
    [FC_BUSY]        = { "busy",        500,  7, "something is under way or a bound is reached; ask again" },
    [FC_TIMEOUT]     = { "timeout",     500,  8, "begun and not finished within its bound" },
    [FC_STORE]       = { "store",       500,  9, "the backend store failed or is out of reach" },
    [FC_UNREACHABLE] = { "unreachable", 500, 10, "the node, server or proxy does not answer" },
    [FC_NO_MEMORY]   = { "no-memory",   500, 11, "out of memory" },
    [FC_FINDINGS]    = { "findings",    200, 13, "looked as asked, and found something to mend" },
    [FC_INTERNAL]    = { "internal",    500, 12, "a defect in firstchair" },
};

enum fc_code fc_fail(struct fc_err *err, enum fc_code code, const char *format, ...)
{
    assert(code > FC_OK && code < FC_CODE_COUNT);
    if (err != NULL) {
        va_list args;
        err->code = code;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return code;
}

const char *fc_code_word(enum fc_code code)
{
    assert(code >= FC_OK && code < FC_CODE_COUNT);
    return fc_code_table[code].word;
}
