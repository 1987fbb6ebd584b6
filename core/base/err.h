/* Errors of the world: a code and one sentence. Programmers' mistakes are asserts and never come through here.
 *
 * One table (err.c) gives each code its word, its HTTP status and its exit code, so that every door says the same. */
#ifndef FC_BASE_ERR_H
#define FC_BASE_ERR_H

#include <stddef.h>

enum fc_code {
    FC_OK = 0,
    FC_BAD_INPUT,    /* the bytes or words given cannot be understood */
    FC_BAD_CONFIG,   /* a key, its value, and what would be right */
    FC_NOT_FOUND,    /* names something that does not exist here */
    FC_REFUSED,      /* understood, and not done because a rule says no */
    FC_NOT_ALLOWED,  /* the asker lacks the authority */
    FC_NOT_LEADER,   /* only the leader does this, and nobody could be asked */
    FC_BUSY,         /* something is under way, or a bound is reached; ask again */
    FC_TIMEOUT,      /* begun, and not finished within its bound */
    FC_STORE,        /* the backend store failed or is out of reach */
    FC_UNREACHABLE,  /* a server, proxy or node does not answer */
    FC_NO_MEMORY,
    FC_FINDINGS,     /* looked, and found something that is to be mended */
    FC_INTERNAL,     /* a defect of ours, said aloud instead of hidden */
    FC_CODE_COUNT
};

struct fc_err {
    enum fc_code code;
    char text[320];          /* one sentence, for a person, without a secret; cut at the end when longer */
};

struct fc_code_row {
    const char *word;        /* as it stands in JSON and logs */
    int http_status;
    int exit_code;           /* of firstchair and firstchairctl; documented in docs/exit-codes.md */
    const char *meaning;
};

extern const struct fc_code_row fc_code_table[FC_CODE_COUNT];

/* Writes code and sentence into err (may be NULL) and returns the code. */
enum fc_code fc_fail(struct fc_err *err, enum fc_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

const char *fc_code_word(enum fc_code code);

#endif
