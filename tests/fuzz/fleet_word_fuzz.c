/* Any bytes as a word of an operator, as it comes out of raft's log or from a peer: refused, or a row that makes statements and the same word
 * again. The first byte says whether it takes something back. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "backends/fleet/fleet_row.h"
#include "backends/fleet/fleet_sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct fleet_text text;
    struct fleet_word word = { .takes_back = length > 0 && (bytes[0] & 1) != 0 }, again;
    struct fleet_row row, other;
    if (length == 0 || length - 1 > sizeof word.bytes)
        return 0;
    word.length = (uint16_t)(length - 1);
    memcpy(word.bytes, bytes + 1, length - 1);
    if (fleet_word_row(&word, &row) != FC_OK)
        return 0;
    for (enum fleet_dialect dialect = FLEET_SQLITE; dialect <= FLEET_MARIADB; dialect++) {
        fleet_text_clear(&text);
        fleet_sql_word(&text, dialect, &row, word.takes_back, true);
        assert(!text.is_short && text.length == strlen(text.bytes));
    }
    if (fleet_word_of(&row, word.takes_back, &again, NULL) == FC_OK) {
        assert(fleet_word_row(&again, &other) == FC_OK);
        assert(fleet_word_key(&row) == fleet_word_key(&other));
    }
    return 0;
}
