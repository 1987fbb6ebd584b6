/* Words of the deeds, as they stand in logs and sentences. */
#include "backends/store.h"

static const char *const deed_words[STORE_DEED_COUNT] = {
    [STORE_LOOK] = "look",           [STORE_PREPARE] = "prepare",         [STORE_RENEW] = "renew",
    [STORE_TAKE] = "take",           [STORE_FENCE] = "fence",             [STORE_CATCH_UP] = "catch-up",
    [STORE_OPEN] = "open",           [STORE_HOLD] = "hold",               [STORE_ORDER_LAY] = "order-lay",
    [STORE_ORDER_CLOSE] = "order-close", [STORE_REGISTER] = "register",   [STORE_HISTORY] = "history",
    [STORE_HISTORY_READ] = "history-read", [STORE_CHECK] = "check",       [STORE_COMPARE] = "compare",
    [STORE_ALONE] = "alone",         [STORE_RESUME] = "resume",           [STORE_WORD] = "word",
};

const char *store_deed_word(enum store_deed deed)
{
    return (unsigned)deed < STORE_DEED_COUNT ? deed_words[deed] : "unknown";
}
