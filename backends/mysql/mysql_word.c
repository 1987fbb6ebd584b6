/* STORE_WORD: what an operator said of a server or a cluster, in the fleet's tables (backends/fleet/fleet_sql.h). */
#include <string.h>

#include "backends/fleet/fleet_sql.h"
#include "backends/mysql/mysql_deed.h"
#include "base/text.h"

#define ERROR_NO_TABLE 1146

/* The same word will not be taken the next time either: what it holds, or a column that this backend's table lacks. */
static bool is_for_good(unsigned number)
{
    static const unsigned numbers[] = { 1048, 1054, 1062, 1264, 1265, 1292, 1364, 1366, 1406, 3819, 4025 };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i] == number)
            return true;
    }
    return false;
}

bool word_is_stored(const struct mysql_rows *rows, int set, const struct store_request *request)
{
    const uint64_t stands = mysql_rows_number(rows, set, 0, 0);
    return mysql_rows_count(rows, set) == 1 && (request->word.takes_back ? stands == 0 : stands > 0);
}

static enum fleet_dialect dialect_of(const struct deed *deed) { return deed_kind(deed)->is_mariadb ? FLEET_MARIADB : FLEET_MYSQL; }

static void written(struct deed *deed, const struct session_answer *answer);

static void write_word(struct deed *deed, bool makes_table, deed_step *step)
{
    struct fleet_text text = { 0 };
    struct fleet_row row;
    if (fleet_word_row(&deed->request.word, &row) != FC_OK) {
        deed_fail(deed, FC_REFUSED, "what was said cannot be understood");
        return;
    }
    fleet_sql_word(&text, dialect_of(deed), &row, deed->request.word.takes_back, makes_table);
    deed_text_begin(deed);
    deed_text_add_bytes(deed, text.bytes, text.is_short ? 0 : text.length);
    fleet_text_done(&text);
    if (deed->fits)
        deed_send(deed, step);
    else
        deed_fail(deed, FC_NO_MEMORY, "out of memory");
}

static void take(struct deed *deed, const struct session_answer *answer)
{
    if (answer->code == FC_STORE && is_for_good(answer->error_number))
        deed_fail(deed, FC_REFUSED, "%s", answer->text);
    else if (answer->code != FC_OK)
        deed_fail_by(deed, answer);
    else if (!word_is_stored(answer->rows, answer->done_count - 1, &deed->request))
        deed_fail(deed, FC_REFUSED, "something newer stands there, or another one's lock");
    else
        deed_is_written(deed);
}

static void written(struct deed *deed, const struct session_answer *answer)
{
    if (answer->code == FC_STORE && answer->error_number == ERROR_NO_TABLE)
        write_word(deed, true, take);
    else
        take(deed, answer);
}

void word_begin(struct deed *deed) { write_word(deed, false, written); }

void word_probe_begin(struct deed *deed, deed_step *step)
{
    struct fleet_text text = { 0 };
    struct fleet_row row;
    deed_text_begin(deed);
    if (fleet_word_row(&deed->request.word, &row) == FC_OK)
        fleet_sql_stands(&text, dialect_of(deed), &row, deed->request.word.takes_back);
    deed_text_add_bytes(deed, text.bytes, text.is_short ? 0 : text.length);
    fleet_text_done(&text);
    if (deed->fits)
        deed_send(deed, step);
    else
        deed_fail(deed, FC_NO_MEMORY, "out of memory");
}
