/* One thing at a time over one link: look what is there, make what is missing, read it all; then write what waits, look for other
 * tools' rows once a poll, and answer who asks for a page. What failed is tried again after a growing pause.
 *
 *      turn --> LOOKING --> MAKING (who writes) --> READING --> READY <--> batch | marks | table | servers | page
 */
#include "backends/fleet_store.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/fleet/fleet_behind.h"
#include "backends/fleet/fleet_link.h"
#include "base/text.h"

#define LIMIT_MS 10000               /* of one statement: nothing waits for it that matters */
#define FLUSH_PRESET_MS 100
#define REFRESH_EVERY_MS 1000        /* moments have whole seconds */
#define POLL_PRESET_MS 5000
#define AGAIN_FIRST_MS 1000
#define AGAIN_LAST_MS 30000
#define PAGES_MAX 16                 /* asked for and not answered yet */
#define ROWS_SERVERS 200             /* of one reading: 78 columns of each, within mysql_rows */
#define ROWS_WORDS 1000
#define ROWS_KEYS 5000
#define TIDY_PRESET_MS 5000          /* the thirteen tables in about a minute */
#define NEVER_S (INT64_C(1) << 40)
#define MARKS_WHOLE_EVERY 12         /* polls after which tables are read though their marks are as they were */
#define STRANGERS_MAX 64             /* servers put there by others that are read one by one; more come with the next poll */

enum stage { STAGE_RESTING, STAGE_LOOKING, STAGE_MAKING, STAGE_READING, STAGE_READY };
enum doing { DOING_NOTHING, DOING_LOOK, DOING_MAKE, DOING_READ, DOING_WRITE, DOING_MARKS, DOING_STRANGER, DOING_PAGE, DOING_TIDY };

struct page_asked { struct fleet_page page; char equal[160]; };

/* A table being read from end to end. */
struct reading {
    bool is_on, keys_only;
    enum fleet_table_name table;
    int64_t since;
    int limit;
    bool has_after;
    struct fleet_row after;
    char texts[3][160];              /* of its key */
};

struct stranger { char host[160]; int64_t port; };

struct fleet_store {
    const struct host *host;
    struct fleet_store_setting setting;
    struct fleet_store_port port;
    struct fleet_link *link;
    struct fleet_behind *behind;
    struct host_timer *timer;
    enum fleet_turn turn;
    int server;
    bool is_turned;                  /* while something was asked: begins anew when it is answered */
    enum stage stage;
    enum doing doing;
    struct fc_time asked_at;
    bool asked_writes;
    uint64_t rows_before;            /* written, when it was asked */
    struct fleet_text text, batch;
    struct fleet_present present[FLEET_TABLE_COUNT];
    bool is_whole[FLEET_TABLE_COUNT];    /* no column is missing: it can be written */
    int making;                      /* the next table */
    bool has_made;                   /* something was made: to be looked at again */

    bool wanted[FLEET_TABLE_COUNT];  /* to be read */
    struct reading reading;
    char marks[FLEET_TABLE_COUNT][64];
    int polls;
    struct fc_time poll_at, flush_at, refresh_at, again_at, tidy_at;
    int tidy_next;
    int again_ms;
    bool is_troubled, has_complained;
    struct fc_err trouble;           /* while again_ms > 0 */
    int64_t newest_checked;          /* last_checked of the newest row read: readers go on from there */
    struct stranger strangers[STRANGERS_MAX];
    int stranger_count;

    struct page_asked pages[PAGES_MAX];
    int page_count;
    bool ends_pages;                 /* nobody reads any more: they are told so */
    bool writes_next;                /* writing and reading take turns */
    void (*flushed)(void *owner, enum fc_code code);
    void *flush_owner;
    struct fc_time flush_until;
    uint64_t last_number;
    struct fleet_store_counts counts;
};

static void go_on(struct fleet_store *s);

static struct fc_time now_of(const struct fleet_store *s) { return s->host->now(s->host->agent); }
static int or_preset(int value, int preset) { return value > 0 ? value : preset; }

__attribute__((format(printf, 2, 3))) static void say(struct fleet_store *s, const char *format, ...)
{
    char sentence[320];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    s->port.note(s->port.owner, sentence);
}

/* ---- asking --------------------------------------------------------------------------------------------------------- */

static void on_answer(void *owner, const struct fleet_answer *answer);

static uint64_t rows_written(const struct fleet_store *s)
{
    struct fleet_store_counts counts = { 0 };
    fleet_behind_counts(s->behind, &counts);
    return counts.rows + counts.refreshes;
}

static void tell_statement(struct fleet_store *s, bool is_good)
{
    const struct fleet_statement statement = { .unix_ms = s->host->unix_ms(s->host->agent), .took_us = fc_since(s->asked_at, now_of(s)).us,
                                               .rows = (int)(rows_written(s) - s->rows_before), .writes = s->asked_writes, .is_good = is_good };
    if (s->port.answered != NULL)
        s->port.answered(s->port.owner, &statement);
}

static void ask(struct fleet_store *s, enum doing doing, const struct fleet_text *text, bool writes)
{
    assert(s->doing == DOING_NOTHING);
    s->doing = doing;
    s->asked_at = now_of(s);
    s->asked_writes = doing == DOING_WRITE;
    s->rows_before = rows_written(s);
    if (writes && doing != DOING_TIDY) {
        s->counts.statements++;
        s->counts.bytes += text->length;
    }
    s->link->class->ask(s->link, text, writes, LIMIT_MS, on_answer, s);
}

static enum fleet_dialect dialect_of(const struct fleet_store *s) { return s->link->class->dialect(s->link); }

/* ---- what is there, what is missing ----------------------------------------------------------------------------------- */

static void begin_looking(struct fleet_store *s)
{
    fleet_text_clear(&s->text);
    fleet_sql_catalogue(&s->text, dialect_of(s));
    ask(s, DOING_LOOK, &s->text, false);
}

static void looked(struct fleet_store *s, const struct mysql_rows *rows)
{
    memset(s->present, 0, sizeof s->present);
    for (uint32_t i = 0; i < mysql_rows_count(rows, 0); i++) {
        const char *table_name = mysql_rows_cell(rows, 0, i, 0), *column_name = mysql_rows_cell(rows, 0, i, 1);
        const int table = fleet_table_named(table_name == NULL ? "" : table_name);
        const int column = table < 0 || column_name == NULL ? -1 : fleet_column_named(&fleet_tables[table], column_name);
        if (table >= 0)
            s->present[table].is_there = true;
        if (column >= 0)
            s->present[table].column[column] = true;
    }
    for (int i = 0; i < FLEET_TABLE_COUNT; i++) {
        s->is_whole[i] = s->present[i].is_there;
        for (int c = 0; c < fleet_tables[i].column_count; c++)
            s->is_whole[i] &= s->present[i].column[c];
    }
    s->making = 0;
    s->stage = s->turn == FLEET_WRITES && !s->has_made ? STAGE_MAKING : STAGE_READING;
    s->has_made = true;
    for (int i = 0; i < FLEET_TABLE_COUNT; i++)
        s->wanted[i] = fleet_tables[i].reading != READ_ASKED;
}

/* The table, its missing columns, and its moments in the one form: as one text. */
static void add_making(struct fleet_store *s, enum fleet_table_name table)
{
    const enum fleet_dialect dialect = dialect_of(s);
    if (!s->present[table].is_there) {
        fleet_sql_create(&s->text, dialect, table);
        return;
    }
    for (int i = 0; i < fleet_tables[table].column_count; i++) {
        if (s->present[table].column[i])
            continue;
        fleet_text_add(&s->text, ";", s->text.length == 0 ? 0 : 1);
        fleet_sql_add_column(&s->text, dialect, table, i);
        say(s, "the store's table '%s' has no column '%s': it is added", fleet_tables[table].name, fleet_tables[table].columns[i].name);
    }
    if (dialect == FLEET_SQLITE) {
        fleet_text_add(&s->text, ";", s->text.length == 0 ? 0 : 1);
        fleet_sql_normalise(&s->text, table, &s->present[table]);
    }
}

static void begin_making(struct fleet_store *s)
{
    fleet_text_clear(&s->text);
    while (s->making < FLEET_TABLE_COUNT && s->text.length < 2) {
        fleet_text_clear(&s->text);
        add_making(s, (enum fleet_table_name)s->making++);
    }
    if (s->text.length >= 2) {
        ask(s, DOING_MAKE, &s->text, true);
        return;
    }
    s->stage = STAGE_LOOKING;
    begin_looking(s);
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static void set_after(struct reading *r, const struct fleet_row *row)
{
    const struct fleet_table *table = &fleet_tables[r->table];
    r->has_after = true;
    r->after = fleet_row_of(r->table);
    for (int i = 0; i < fleet_key_count(table); i++) {
        if (table->columns[i].type->kind != TYPE_TEXT) {
            fleet_set_number(&r->after, i, fleet_number(row, i));
            continue;
        }
        TEXT_SET(r->texts[i], fleet_text(row, i));
        fleet_set_text(&r->after, i, r->texts[i]);
    }
}

static void read_table(struct fleet_store *s, enum fleet_table_name table, bool keys_only, int64_t since)
{
    s->reading = (struct reading){ .is_on = true, .table = table, .keys_only = keys_only, .since = since };
    s->reading.limit = keys_only ? ROWS_KEYS : fleet_tables[table].reading == READ_SERVERS ? ROWS_SERVERS : ROWS_WORDS;
    if (since == 0)
        fleet_behind_begin_pass(s->behind, table);
}

static void ask_range(struct fleet_store *s)
{
    const struct reading *r = &s->reading;
    const struct fleet_range range = { r->has_after ? &r->after : NULL, r->limit, r->keys_only, r->since };
    fleet_text_clear(&s->text);
    fleet_sql_range(&s->text, dialect_of(s), r->table, &s->present[r->table], &range);
    ask(s, DOING_READ, &s->text, false);
}

static void tell_row(struct fleet_store *s, const struct fleet_row *row)
{
    s->counts.read_rows++;
    if (row->table == FLEET_database_instance && fleet_number(row, database_instance_last_checked) > s->newest_checked)
        s->newest_checked = fleet_number(row, database_instance_last_checked);
    if (row->table == FLEET_database_instance && fleet_behind_deletes(s->behind) && !fleet_behind_saw(s->behind, row))
        return;                      /* it was forgotten a moment ago; else it is news at the next poll */
    if (fleet_behind_read(s->behind, row, now_of(s)))
        s->port.row(s->port.owner, row);
}

/* A server that nobody here knows: another tool's row, to be read whole. */
static void note_stranger(struct fleet_store *s, const struct fleet_row *key)
{
    if (s->stranger_count == STRANGERS_MAX)
        return;
    struct stranger *stranger = &s->strangers[s->stranger_count++];
    TEXT_SET(stranger->host, fleet_text(key, database_instance_hostname));
    stranger->port = fleet_number(key, database_instance_port);
}

static void end_reading(struct fleet_store *s)
{
    if (s->reading.since == 0)
        fleet_behind_end_pass(s->behind, s->reading.table, s->port.gone, s->port.owner);
    s->reading.is_on = false;
    s->counts.readings++;
}

static void has_read(struct fleet_store *s, const struct mysql_rows *rows)
{
    struct reading *r = &s->reading;
    struct fleet_row row = fleet_row_of(r->table);
    const uint32_t count = mysql_rows_count(rows, 0);
    for (uint32_t i = 0; i < count && !s->is_turned; i++) {
        fleet_row_from(r->table, rows, 0, i, &row);
        if (!r->keys_only)
            tell_row(s, &row);
        else if (!fleet_behind_saw(s->behind, &row) && !fleet_behind_deletes(s->behind))
            note_stranger(s, &row);
    }
    if (count > 0)
        set_after(r, &row);
    if (count < (uint32_t)r->limit)
        end_reading(s);
}

/* The next table that is to be read; false: none. Servers last: which name is whose counts for who replicates from whom. */
static bool next_table(struct fleet_store *s)
{
    for (int i = 1; i <= FLEET_TABLE_COUNT; i++) {
        const int table = (FLEET_database_instance + i) % FLEET_TABLE_COUNT;
        if (!s->wanted[table])
            continue;
        s->wanted[table] = false;
        if (!s->present[table].is_there)
            continue;
        read_table(s, (enum fleet_table_name)table, false, 0);
        return true;
    }
    return false;
}

static void ask_stranger(struct fleet_store *s)
{
    const struct stranger *stranger = &s->strangers[--s->stranger_count];
    struct fleet_row key = fleet_row_of(FLEET_database_instance);
    fleet_set_text(&key, database_instance_hostname, stranger->host);
    fleet_set_number(&key, database_instance_port, stranger->port);
    fleet_text_clear(&s->text);
    fleet_sql_one(&s->text, dialect_of(s), &key, &s->present[FLEET_database_instance]);
    ask(s, DOING_STRANGER, &s->text, false);
}

/* ---- other tools' rows ------------------------------------------------------------------------------------------------ */

static bool is_marked(const struct fleet_store *s, int table)
{
    return fleet_tables[table].reading != READ_ASKED && s->present[table].is_there;
}

static void ask_marks(struct fleet_store *s)
{
    fleet_text_clear(&s->text);
    for (int i = 0; i < FLEET_TABLE_COUNT; i++) {
        if (!is_marked(s, i))
            continue;
        fleet_text_add(&s->text, ";", s->text.length == 0 ? 0 : 1);
        fleet_sql_mark(&s->text, dialect_of(s), (enum fleet_table_name)i);
    }
    ask(s, DOING_MARKS, &s->text, false);
}

static void servers_marked(struct fleet_store *s, const char *mark, bool is_whole_due)
{
    const long known = fleet_behind_known(s->behind, FLEET_database_instance), there = strtol(mark, NULL, 10);
    if (there != known || is_whole_due)
        read_table(s, FLEET_database_instance, s->turn == FLEET_WRITES && there - known <= STRANGERS_MAX, 0);
    else if (s->turn == FLEET_READS)
        read_table(s, FLEET_database_instance, false, s->newest_checked > 1 ? s->newest_checked - 1 : 1);
}

static void marked(struct fleet_store *s, const struct mysql_rows *rows)
{
    const bool is_whole_due = ++s->polls % MARKS_WHOLE_EVERY == 0;
    int set = 0;
    for (int i = 0; i < FLEET_TABLE_COUNT; i++) {
        if (!is_marked(s, i))
            continue;
        const char *cell = mysql_rows_cell(rows, set++, 0, 0), *mark = cell == NULL ? "" : cell;
        if (fleet_tables[i].reading == READ_SERVERS)
            servers_marked(s, mark, is_whole_due);
        else if (is_whole_due || fleet_tables[i].rank[0] < 0 || !text_is(mark, s->marks[i]))
            s->wanted[i] = true;
        TEXT_SET(s->marks[i], mark);
    }
}

/* ---- pages ---------------------------------------------------------------------------------------------------------- */

static void page_done(struct fleet_store *s, enum fc_code code, const char *sentence)
{
    const struct fleet_page page = s->pages[0].page;
    s->page_count--;
    memmove(&s->pages[0], &s->pages[1], (size_t)s->page_count * sizeof s->pages[0]);
    page.done(page.owner, code, sentence);
}

/* False: the table is not there. */
static bool ask_page(struct fleet_store *s)
{
    struct fleet_page page = s->pages[0].page;
    page.equal = s->pages[0].equal;
    if (!s->present[page.table].is_there)
        return false;
    fleet_text_clear(&s->text);
    fleet_sql_page(&s->text, dialect_of(s), &s->present[page.table], &page);
    ask(s, DOING_PAGE, &s->text, false);
    return true;
}

static void paged(struct fleet_store *s, const struct mysql_rows *rows)
{
    const struct fleet_page *page = &s->pages[0].page;
    for (uint32_t i = 0; i < mysql_rows_count(rows, 0); i++) {
        struct fleet_row row;
        fleet_row_from(page->table, rows, 0, i, &row);
        page->row(page->owner, &row);
    }
    page_done(s, FC_OK, "");
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

static bool is_flushing(const struct fleet_store *s) { return s->flushed != NULL; }

static bool begin_writing(struct fleet_store *s, struct fc_time now)
{
    const bool with_refreshes = is_flushing(s) || fc_reached(s->refresh_at, now);
    if (!fleet_behind_next(s->behind, dialect_of(s), with_refreshes, &s->batch)) {
        s->flush_at = fc_plus(now, fc_ms(or_preset(s->setting.flush_ms, FLUSH_PRESET_MS)));
        if (with_refreshes)
            s->refresh_at = fc_plus(now, fc_ms(REFRESH_EVERY_MS));
        return false;
    }
    ask(s, DOING_WRITE, &s->batch, true);
    return true;
}

static void written(struct fleet_store *s, const struct fleet_answer *answer)
{
    const enum fleet_written how = answer->code == FC_OK ? FLEET_WRITTEN : answer->is_of_rows ? FLEET_REFUSED : FLEET_AGAIN;
    s->counts.failures += how != FLEET_WRITTEN;
    if (fleet_behind_ended(s->behind, how) > 0)
        say(s, "the store will not take one row, it is left out: %.200s", answer->text);
}

/* ---- what is too old ---------------------------------------------------------------------------------------------------- */

static int64_t life_of(const struct fleet_store *s, enum fleet_life_name life)
{
    static const int64_t presets[LIFE_COUNT] = {
        [LIFE_OVER] = 0, [LIFE_ENDED] = 3600, [LIFE_WEEK] = 7 * 86400, [LIFE_FORGET] = 240 * 3600, [LIFE_AUDIT] = 7 * 86400, [LIFE_NAME] = 3600,
        [LIFE_NAME_TWICE] = 7200, [LIFE_RULE] = 3600, [LIFE_POOL] = 3600,
    };
    return s->setting.life_s[life] > 0 ? s->setting.life_s[life] : presets[life];
}

/* False: its table is not there. */
static bool begin_tidying(struct fleet_store *s)
{
    const struct fleet_life *life = &fleet_lives[s->tidy_next];
    s->tidy_next = (s->tidy_next + 1) % fleet_life_count;
    s->tidy_at = fc_plus(now_of(s), fc_ms(or_preset(s->setting.tidy_ms, TIDY_PRESET_MS)));
    if (!s->is_whole[life->table])
        return false;
    fleet_text_clear(&s->text);
    fleet_sql_tidy(&s->text, dialect_of(s), life, s->host->unix_ms(s->host->agent) / 1000 - life_of(s, life->life));
    s->counts.tidied++;
    ask(s, DOING_TIDY, &s->text, true);
    return true;
}

static void end_flush(struct fleet_store *s, enum fc_code code)
{
    void (*flushed)(void *owner, enum fc_code code) = s->flushed;
    s->flushed = NULL;
    if (flushed != NULL)
        flushed(s->flush_owner, code);
}

/* ---- one thing after the other ----------------------------------------------------------------------------------------- */

static void begin_anew(struct fleet_store *s)
{
    s->is_turned = false;
    s->counts.turns++;
    s->has_made = s->has_complained = false;
    s->stage = s->turn == FLEET_RESTS ? STAGE_RESTING : STAGE_LOOKING;
    s->reading.is_on = false;
    s->stranger_count = 0;
    s->newest_checked = 0;
    s->again_ms = 0;
    s->again_at = FC_EVER;
    s->poll_at = fc_plus(now_of(s), fc_ms(or_preset(s->setting.poll_ms, POLL_PRESET_MS)));
    s->tidy_at = fc_plus(now_of(s), fc_ms(or_preset(s->setting.tidy_ms, TIDY_PRESET_MS)));
    memset(s->marks, 0, sizeof s->marks);
    memset(s->wanted, 0, sizeof s->wanted);
    fleet_behind_clear(s->behind);
    s->link->class->turn(s->link, s->server);
    s->ends_pages = s->turn == FLEET_RESTS;
}

static void trouble(struct fleet_store *s, const struct fleet_answer *answer)
{
    s->again_ms = s->again_ms == 0 ? AGAIN_FIRST_MS : s->again_ms * 2 > AGAIN_LAST_MS ? AGAIN_LAST_MS : s->again_ms * 2;
    s->again_at = fc_plus(now_of(s), fc_ms(s->again_ms));
    if (!s->is_troubled)
        say(s, "the store of the fleet does not work, it is tried again: %.200s", answer->text);
    s->is_troubled = true;
    fc_fail(&s->trouble, answer->code, "%s", answer->text);
    if (s->stage < STAGE_READY)
        s->port.was_read(s->port.owner, answer->code, answer->text);
}

static void no_trouble(struct fleet_store *s)
{
    if (s->is_troubled)
        say(s, "the store of the fleet works again");
    s->is_troubled = false;
    s->again_ms = 0;
    s->again_at = FC_EVER;
}

/* False: it did not go well. */
static bool take_answer(struct fleet_store *s, enum doing done, const struct fleet_answer *answer)
{
    if (done == DOING_WRITE)
        written(s, answer);
    if (done == DOING_PAGE && answer->code != FC_OK)
        page_done(s, answer->code, answer->text);
    if (done == DOING_READ && answer->is_too_long && s->reading.limit > 1) {
        s->reading.limit = s->reading.limit / 4 > 0 ? s->reading.limit / 4 : 1;
        return true;
    }
    if (done == DOING_MAKE && answer->code == FC_STORE) {          /* it says no: reading and the other tables do without */
        if (!s->has_complained)
            say(s, "a table of the fleet cannot be made or completed, its rows are not written: %.200s", answer->text);
        s->has_complained = true;
        return true;
    }
    if (answer->code != FC_OK)
        return done == DOING_PAGE || (done == DOING_WRITE && answer->is_of_rows);
    switch (done) {
    case DOING_NOTHING: case DOING_WRITE: case DOING_MAKE: case DOING_TIDY: break;
    case DOING_LOOK: looked(s, answer->rows); break;
    case DOING_READ: has_read(s, answer->rows); break;
    case DOING_MARKS: marked(s, answer->rows); break;
    case DOING_PAGE: paged(s, answer->rows); break;
    case DOING_STRANGER:
        for (uint32_t i = 0; i < mysql_rows_count(answer->rows, 0); i++) {
            struct fleet_row row;
            fleet_row_from(FLEET_database_instance, answer->rows, 0, i, &row);
            tell_row(s, &row);
        }
        break;
    }
    return true;
}

static void on_answer(void *owner, const struct fleet_answer *answer)
{
    struct fleet_store *s = owner;
    const enum doing done = s->doing;
    s->doing = DOING_NOTHING;
    if (s->is_turned) {
        if (done == DOING_WRITE)
            fleet_behind_ended(s->behind, FLEET_AGAIN);
        begin_anew(s);
    } else if (take_answer(s, done, answer)) {
        tell_statement(s, answer->code == FC_OK);
        no_trouble(s);
    } else {
        tell_statement(s, false);
        if (done == DOING_MAKE)
            s->making--;
        trouble(s, answer);
    }
    go_on(s);
}

static bool is_silent(const struct fleet_store *s) { return s->turn == FLEET_RESTS || s->stage == STAGE_RESTING; }

/* What is due in READY, or on the way there. True: it was asked. */
static bool ask_next(struct fleet_store *s, struct fc_time now)
{
    if (s->stage == STAGE_LOOKING)
        return begin_looking(s), true;
    if (s->stage == STAGE_MAKING)
        return begin_making(s), true;
    s->writes_next = !s->writes_next;
    while (s->stage == STAGE_READY && s->page_count > 0) {
        if (ask_page(s))
            return true;
        page_done(s, FC_OK, "");
    }
    const bool may_write = s->stage == STAGE_READY && s->turn == FLEET_WRITES && (is_flushing(s) || fc_reached(s->flush_at, now));
    if (may_write && (s->writes_next || !s->reading.is_on) && begin_writing(s, now))
        return true;
    if (s->reading.is_on || next_table(s))
        return ask_range(s), true;
    if (s->stage == STAGE_READING) {
        s->stage = STAGE_READY;
        s->port.was_read(s->port.owner, FC_OK, "");
        return false;
    }
    if (s->stranger_count > 0)
        return ask_stranger(s), true;
    if (s->turn == FLEET_WRITES && fc_reached(s->tidy_at, now) && begin_tidying(s))
        return true;
    if (fc_reached(s->poll_at, now)) {
        s->poll_at = fc_plus(now, fc_ms(or_preset(s->setting.poll_ms, POLL_PRESET_MS)));
        if (!s->present[FLEET_database_instance].is_there) {      /* who writes has not made the tables yet */
            s->stage = STAGE_LOOKING;
            return begin_looking(s), true;
        }
        return ask_marks(s), true;
    }
    return false;
}

static void set_timer(struct fleet_store *s)
{
    struct fc_time at = FC_NEVER;
    if (is_flushing(s))
        at = fc_earlier(at, s->flush_until);
    if (!is_silent(s) && s->doing == DOING_NOTHING) {
        struct fc_time next = s->turn == FLEET_WRITES ? fc_earlier(s->poll_at, s->tidy_at) : s->poll_at;
        struct fleet_store_counts counts = { 0 };
        fleet_behind_counts(s->behind, &counts);
        if (counts.waiting > 0 && s->turn == FLEET_WRITES)
            next = fc_earlier(next, s->flush_at);
        at = fc_earlier(at, fc_later(next, s->again_at));
    }
    if (fc_is_never(at))
        s->host->timer_stop(s->timer);
    else
        s->host->timer_set(s->timer, at);
}

static void settle_flush(struct fleet_store *s)
{
    struct fleet_store_counts counts = { 0 };
    fleet_behind_counts(s->behind, &counts);
    if (!is_flushing(s) || s->doing == DOING_WRITE)
        return;
    if (counts.waiting == 0 || is_silent(s) || s->turn != FLEET_WRITES)
        end_flush(s, FC_OK);
}

/* Nothing can be read: it was not read yet, or nobody answers there. What it only says no to concerns something else than a page. */
static bool is_away(const struct fleet_store *s)
{
    return s->again_ms > 0 && (s->stage < STAGE_READY || s->trouble.code == FC_UNREACHABLE || s->trouble.code == FC_TIMEOUT);
}

/* Who asks for one does not wait until the store is tried again, which may be in half a minute. */
static void end_pages(struct fleet_store *s)
{
    while (s->ends_pages && s->page_count > 0)
        page_done(s, FC_NOT_LEADER, "this node does not read the store any more");
    s->ends_pages = false;
    while (is_away(s) && s->page_count > 0)
        page_done(s, s->trouble.code, s->trouble.text);
}

static void go_on(struct fleet_store *s)
{
    end_pages(s);
    for (bool asked = false; !asked && s->doing == DOING_NOTHING && !is_silent(s);) {
        const struct fc_time now = now_of(s);
        const enum stage before = s->stage;
        if (!fc_reached(s->again_at, now))
            break;
        asked = ask_next(s, now);
        if (!asked && s->stage == before)
            break;
    }
    settle_flush(s);
    set_timer(s);
}

static void on_tick(void *owner)
{
    struct fleet_store *s = owner;
    if (is_flushing(s) && fc_reached(s->flush_until, now_of(s)))
        end_flush(s, FC_TIMEOUT);
    go_on(s);
}

/* ---- what others call --------------------------------------------------------------------------------------------------- */

/* Soon, from the timer: never from within. */
static void wake(struct fleet_store *s)
{
    if (s->doing == DOING_NOTHING)
        s->host->timer_set(s->timer, now_of(s));
}

void fleet_store_turn(struct fleet_store *s, enum fleet_turn turn, int server)
{
    if (turn == s->turn && (server == s->server || turn == FLEET_RESTS))
        return;
    s->turn = turn;
    s->server = server;
    if (s->doing != DOING_NOTHING) {
        s->is_turned = true;
        return;
    }
    begin_anew(s);
    wake(s);
}

static bool is_written_here(const struct fleet_store *s, enum fleet_table_name table)
{
    assert(!fleet_tables[table].is_word);
    return s->turn == FLEET_WRITES && !s->is_turned && s->stage == STAGE_READY && s->is_whole[table];
}

bool fleet_store_takes(const struct fleet_store *s, enum fleet_table_name table) { return is_written_here(s, table); }

bool fleet_store_waits(const struct fleet_store *s, enum fleet_table_name table) { return fleet_behind_waits(s->behind, table); }

void fleet_store_put(struct fleet_store *s, const struct fleet_row *row)
{
    if (!is_written_here(s, row->table))
        return;
    fleet_behind_put(s->behind, dialect_of(s), row, now_of(s));
    if (s->doing == DOING_NOTHING)
        set_timer(s);
}

void fleet_store_delete(struct fleet_store *s, const struct fleet_row *row)
{
    if (!is_written_here(s, row->table))
        return;
    fleet_behind_delete(s->behind, dialect_of(s), row);
    if (s->doing == DOING_NOTHING)
        set_timer(s);
}

uint64_t fleet_new_number(struct fleet_store *s)
{
    const uint64_t number = (uint64_t)s->host->unix_ms(s->host->agent) << ORDER_ID_CHANCE_BITS;
    s->last_number = number > s->last_number ? number : s->last_number + 1;
    return s->last_number;
}

void fleet_store_look(struct fleet_store *s)
{
    s->poll_at = FC_EVER;
    wake(s);
}

void fleet_store_flush(struct fleet_store *s, int limit_ms, void (*done)(void *owner, enum fc_code code), void *owner)
{
    assert(s->flushed == NULL);
    s->flushed = done;
    s->flush_owner = owner;
    s->flush_until = fc_plus(now_of(s), fc_ms(limit_ms));
    s->flush_at = s->refresh_at = FC_EVER;
    wake(s);
}

bool fleet_store_page(struct fleet_store *s, const struct fleet_page *page)
{
    assert(page->limit >= 1 && page->limit <= FLEET_PAGE_LIMIT_MAX);
    if (s->page_count == PAGES_MAX || s->turn == FLEET_RESTS)
        return false;
    struct page_asked *asked = &s->pages[s->page_count++];
    asked->page = *page;
    TEXT_SET(asked->equal, page->equal == NULL ? "" : page->equal);
    wake(s);
    return true;
}

struct fleet_store_counts fleet_store_counts(const struct fleet_store *s)
{
    struct fleet_store_counts counts = s->counts;
    fleet_behind_counts(s->behind, &counts);
    return counts;
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

static struct fleet_store_setting setting_of(const struct config *config)
{
    struct fleet_store_setting setting = { .is_sqlite = text_is(config->backend_db, "sqlite"), .poll_ms = config->instance_poll_seconds * 1000 };
    setting.life_s[LIFE_FORGET] = config->unseen_forget_hours == 0 ? NEVER_S : config->unseen_forget_hours * INT64_C(3600);
    setting.life_s[LIFE_NAME] = config->resolves_expire_minutes * INT64_C(60);
    setting.life_s[LIFE_NAME_TWICE] = config->resolves_expire_minutes * INT64_C(120);
    setting.flush_ms = config->fleet_flush_ms;
    setting.life_s[LIFE_POOL] = config->pool_expire_minutes * INT64_C(60);
    setting.life_s[LIFE_AUDIT] = config->audit_purge_days * INT64_C(86400);
    setting.life_s[LIFE_RULE] = config->candidate_expire_minutes * INT64_C(60);
    TEXT_SET(setting.sqlite_file, config->sqlite3_data_file);
    return setting;
}

void fleet_store_reload(struct fleet_store *s, const struct config *config)
{
    const struct fleet_store_setting fresh = setting_of(config);
    memcpy(s->setting.life_s, fresh.life_s, sizeof s->setting.life_s);
    s->setting.poll_ms = fresh.poll_ms;
}

enum fc_code fleet_store_open(const struct host *host, const struct config *config, const struct fleet_store_setting *setting,
                              const struct fleet_store_port *port, struct fleet_store **ret, struct fc_err *err)
{
    struct fleet_store *s = calloc(1, sizeof *s);
    enum fc_code code = FC_OK;
    if (s == NULL)
        return fc_fail(err, FC_NO_MEMORY, "the store of the fleet: out of memory");
    s->host = host;
    s->port = *port;
    s->setting = setting != NULL ? *setting : setting_of(config);
    s->poll_at = s->flush_at = s->refresh_at = s->again_at = FC_EVER;
    s->timer = host->timer(host->agent, on_tick, s);
    s->behind = fleet_behind_new(&s->setting);
    if (s->timer == NULL || s->behind == NULL)
        code = fc_fail(err, FC_NO_MEMORY, "the store of the fleet: out of memory");
    if (code == FC_OK)
        code = s->setting.is_sqlite ? fleet_link_sqlite(host, s->setting.sqlite_file, &s->link, err)
                                    : fleet_link_mysql(host, config, &s->link, err);
    if (code != FC_OK) {
        fleet_store_close(s);
        return code;
    }
    *ret = s;
    return FC_OK;
}

void fleet_store_close(struct fleet_store *s)
{
    if (s == NULL)
        return;
    s->host->untimer(s->timer);
    if (s->link != NULL)
        s->link->class->close(s->link);
    fleet_behind_free(s->behind);
    fleet_text_done(&s->text);
    fleet_text_done(&s->batch);
    free(s);
}
