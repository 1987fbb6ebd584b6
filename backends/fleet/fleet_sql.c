/* Texts, literals, and the statements one after the other. */
#include "backends/fleet/fleet_sql.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define TEXT_MAX (64u << 20)         /* of one text: far beyond what is ever asked for */
#define MOMENT_LAST 2147483647       /* the last one that a TIMESTAMP of MySQL holds */
#define MOMENT_NONE 31536000         /* 1971-01-01: "never" of columns that know no NULL */

static bool is_sqlite(enum fleet_dialect dialect) { return dialect == FLEET_SQLITE; }

/* ---- texts that grow ------------------------------------------------------------------------------------------------ */

void fleet_text_done(struct fleet_text *text)
{
    free(text->bytes);
    *text = (struct fleet_text){ 0 };
}

void fleet_text_clear(struct fleet_text *text)
{
    text->length = 0;
    text->is_short = false;
}

void fleet_text_add(struct fleet_text *text, const char *bytes, size_t length)
{
    const size_t needed = text->length + length + 1;
    if (!text->is_short && needed > text->room) {
        size_t room = text->room == 0 ? 1024 : text->room;
        while (room < needed)
            room *= 2;
        char *larger = room > TEXT_MAX ? NULL : realloc(text->bytes, room);
        text->is_short = larger == NULL;
        if (larger != NULL) {
            text->bytes = larger;
            text->room = room;
        }
    }
    if (text->is_short)
        return;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

static void add(struct fleet_text *to, const char *words) { fleet_text_add(to, words, strlen(words)); }

__attribute__((format(printf, 2, 3))) static void add_format(struct fleet_text *to, const char *format, ...)
{
    char words[512];
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(words, sizeof words, format, args);
    va_end(args);
    assert(length >= 0 && (size_t)length < sizeof words);      /* names of ours, and numbers */
    fleet_text_add(to, words, (size_t)length);
}

/* ---- literals ------------------------------------------------------------------------------------------------------- */

/* Bytes of the well-formed character at the beginning; 0: none. */
static size_t character_length(const unsigned char *text)
{
    const unsigned char c = text[0];
    const size_t length = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    const bool is_overlong = (c == 0xe0 && text[1] < 0xa0) || (c == 0xf0 && text[1] < 0x90);
    const bool is_surrogate = c == 0xed && text[1] > 0x9f, is_beyond = c == 0xf4 && text[1] > 0x8f;
    return is_overlong || is_surrogate || is_beyond ? 0 : length;
}

/* Where the column's end comes: a varchar counts characters, a text bytes. A list is cut before an item that does not fit. */
static size_t length_that_fits(const struct fleet_column *column, const char *text)
{
    const bool counts_bytes = column->length > 1024;
    const unsigned char *from = (const unsigned char *)text;
    size_t at = 0, counted = 0;
    while (from[at] != '\0') {
        const size_t length = character_length(from + at), step = length == 0 ? 1 : length;
        counted += counts_bytes ? step : 1;
        if (counted > column->length)
            break;
        at += step;
    }
    if (from[at] == '\0' || !counts_bytes)
        return at;
    size_t comma = at;
    while (comma > 0 && from[comma] != ',')
        comma--;
    return comma > 0 ? comma : at;
}

static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] < ' ' || text[i] > '~' || text[i] == '\\')
            return false;
    }
    return true;
}

static void add_quoted(struct fleet_text *to, const char *text, size_t length)
{
    size_t begin = 0;
    add(to, "'");
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'') {
            fleet_text_add(to, text + begin, i + 1 - begin);
            begin = i;                               /* once more */
        }
    }
    fleet_text_add(to, text + begin, length - begin);
    add(to, "'");
}

/* Hexadecimal digits mean the same under every sql_mode and character set of a session. */
static void add_hex(struct fleet_text *to, const char *text, size_t length, bool has_wide)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = (const unsigned char *)text;
    add(to, "_utf8mb4 0x");
    for (size_t at = 0; at < length;) {
        const size_t own = character_length(from + at), step = own == 0 ? 1 : own;
        const bool is_kept = own == 1 || (own > 1 && own < 4 && has_wide);       /* their utf8 has at most three bytes */
        for (size_t i = 0; i < (is_kept ? step : 1); i++) {
            const unsigned char byte = is_kept ? from[at + i] : '?';
            fleet_text_add(to, (const char[]){ digits[byte >> 4], digits[byte & 15] }, 2);
        }
        at += step;
    }
}

/* SQLite keeps bytes as they are; what is no UTF-8, or not of the column's set, becomes '?' as in MySQL. */
static void add_utf8(struct fleet_text *to, const char *text, size_t length, bool has_wide)
{
    const unsigned char *from = (const unsigned char *)text;
    add(to, "'");
    for (size_t at = 0; at < length;) {
        const size_t own = character_length(from + at), step = own == 0 ? 1 : own;
        const bool is_kept = own == 1 || (own > 1 && own < 4 && has_wide);
        if (is_kept && text[at] == '\'')
            add(to, "'");
        fleet_text_add(to, is_kept ? text + at : "?", is_kept ? step : 1);
        at += step;
    }
    add(to, "'");
}

static void add_text(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_column *column, const char *text)
{
    const size_t length = length_that_fits(column, text);
    if (is_plain(text, length))
        add_quoted(to, text, length);
    else if (is_sqlite(dialect))
        add_utf8(to, text, length, column->type->is_utf8);
    else
        add_hex(to, text, length, column->type->is_utf8);
}

static void add_moment(struct fleet_text *to, enum fleet_dialect dialect, int64_t moment)
{
    const int64_t kept = moment <= 0 ? MOMENT_NONE : moment > MOMENT_LAST ? MOMENT_LAST : moment;
    add_format(to, is_sqlite(dialect) ? "datetime(%" PRId64 ", 'unixepoch')" : "from_unixtime(%" PRId64 ")", kept);
}

static void add_number(struct fleet_text *to, const struct fleet_column *column, int64_t number)
{
    const struct fleet_type *type = column->type;
    add_format(to, "%" PRId64, number < type->low ? type->low : number > type->high ? type->high : number);
}

/* What a column holds of which nothing is said. A preset that is a moment of the server is written as "never": texts stay literal. */
static void add_preset(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_column *column)
{
    if (column->type->is_null)
        add(to, "null");
    else if (column->preset != NULL)
        add(to, column->preset);
    else if (column->type == &fleet_type_rule)
        add(to, "'neutral'");
    else if (column->type->kind == TYPE_MOMENT)
        add_moment(to, dialect, 0);
    else
        add(to, column->type->kind == TYPE_TEXT ? "''" : "0");
}

static void add_value(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_column *column, const struct fleet_value *value)
{
    switch (value->kind) {
    case FLEET_PRESET: add_preset(to, dialect, column); break;
    case FLEET_NULL:
        if (column->type->is_null)
            add(to, "null");
        else
            add_preset(to, dialect, column);
        break;
    case FLEET_TEXT: add_text(to, dialect, column, value->text); break;
    case FLEET_NUMBER:
        if (column->type->kind == TYPE_MOMENT)
            add_moment(to, dialect, value->number);
        else
            add_number(to, column, value->number);
        break;
    }
}

/* ---- the schema ----------------------------------------------------------------------------------------------------- */

void fleet_sql_catalogue(struct fleet_text *to, enum fleet_dialect dialect)
{
    add(to, is_sqlite(dialect) ? "select m.name as table_name, c.name as column_name from sqlite_master m, pragma_table_info(m.name) c "
                                 "where m.type = 'table' and m.name in ("
                               : "select table_name as table_name, column_name as column_name from information_schema.columns "
                                 "where table_schema = database() and table_name in (");
    for (int i = 0; i < FLEET_TABLE_COUNT; i++)
        add_format(to, "%s'%s'", i == 0 ? "" : ", ", fleet_tables[i].name);
    add(to, ")");
}

static void add_mysql_column(struct fleet_text *to, const struct fleet_column *column)
{
    add_format(to, "%s ", column->name);
    if (strstr(column->type->mysql, "%u") != NULL)
        add_format(to, "varchar(%u)%s", column->length, column->type->mysql + strlen("varchar(%u)"));
    else
        add(to, column->type->mysql);
    if (column->preset != NULL)
        add_format(to, " default %s", column->preset);
    else if (column->type->preset != NULL)
        add_format(to, " default %s", column->type->preset);
    else if (column->type->kind == TYPE_MOMENT)
        add(to, " default null");
}

static void add_sqlite_column(struct fleet_text *to, const struct fleet_column *column)
{
    const struct fleet_type *type = column->type;
    add_format(to, "%s ", column->name);
    if (strstr(type->sqlite, "%u") != NULL)
        add_format(to, "varchar(%u)%s", column->length, type->sqlite + strlen("varchar(%u)"));
    else
        add(to, type->sqlite);
    if (type == &fleet_type_ai || type == &fleet_type_ai32)
        add(to, " primary key");
    else if (column->preset != NULL)
        add_format(to, " default %s", column->preset);
    else if (type->preset != NULL)      /* no column may be added with current_timestamp */
        add_format(to, " default %s", type->preset[0] == '\'' ? type->preset : "''");
    else if (type == &fleet_type_rule)
        add(to, " default 'neutral'");
    else if (!type->is_null && column->part != PART_KEY)
        add(to, type->kind == TYPE_TEXT ? " default ''" : " default 0");
}

static void add_key_names(struct fleet_text *to, const struct fleet_table *table)
{
    for (int i = 0; i < fleet_key_count(table); i++)
        add_format(to, "%s%s", i == 0 ? "" : ", ", table->columns[i].name);
}

static bool has_own_key(const struct fleet_table *table)
{
    return table->columns[0].type == &fleet_type_ai || table->columns[0].type == &fleet_type_ai32;
}

/* "name(columns) name(columns)": the next one is called with its parts. */
static void each_index(struct fleet_text *to, const char *list, const char *table,
                       void (*each)(struct fleet_text *to, const char *name, const char *columns, const char *table))
{
    char name[128], columns[160];
    while (*list != '\0') {
        const size_t name_length = strcspn(list, "("), length = strcspn(list, ")");
        text_copy_bytes(name, sizeof name, list, name_length);
        text_copy_bytes(columns, sizeof columns, list + name_length + 1, length - name_length - 1);
        each(to, name, columns, table);
        list += length + 1;
        list += strspn(list, " ");
    }
}

static void add_key(struct fleet_text *to, const char *name, const char *columns, const char *table)
{
    (void)table;
    add_format(to, ", key %s (%s)", name, columns);
}

static void add_unique_key(struct fleet_text *to, const char *name, const char *columns, const char *table)
{
    (void)table;
    add_format(to, ", unique key %s (%s)", name, columns);
}

static void add_index(struct fleet_text *to, const char *name, const char *columns, const char *table)
{
    add_format(to, "; create index if not exists %s on %s (%s)", name, table, columns);
}

static void add_unique_index(struct fleet_text *to, const char *name, const char *columns, const char *table)
{
    add_format(to, "; create unique index if not exists %s on %s (%s)", name, table, columns);
}

void fleet_sql_create(struct fleet_text *to, enum fleet_dialect dialect, enum fleet_table_name name)
{
    const struct fleet_table *table = &fleet_tables[name];
    add_format(to, "create table if not exists %s (", table->name);
    for (int i = 0; i < table->column_count; i++) {
        add(to, i == 0 ? "" : ", ");
        if (is_sqlite(dialect))
            add_sqlite_column(to, &table->columns[i]);
        else
            add_mysql_column(to, &table->columns[i]);
    }
    if (!is_sqlite(dialect) || !has_own_key(table)) {
        add(to, ", primary key (");
        add_key_names(to, table);
        add(to, ")");
    }
    if (is_sqlite(dialect)) {
        add(to, ")");
        each_index(to, table->unique, table->name, add_unique_index);
        each_index(to, table->indexes, table->name, add_index);
        return;
    }
    each_index(to, table->unique, table->name, add_unique_key);
    each_index(to, table->indexes, table->name, add_key);
    add(to, ") engine=InnoDB default charset=ascii");
}

void fleet_sql_add_column(struct fleet_text *to, enum fleet_dialect dialect, enum fleet_table_name name, int column)
{
    const struct fleet_table *table = &fleet_tables[name];
    add_format(to, "alter table %s add column %s", table->name, dialect == FLEET_MARIADB ? "if not exists " : "");
    if (is_sqlite(dialect))
        add_sqlite_column(to, &table->columns[column]);
    else
        add_mysql_column(to, &table->columns[column]);
}

void fleet_sql_normalise(struct fleet_text *to, enum fleet_table_name name, const struct fleet_present *present)
{
    const struct fleet_table *table = &fleet_tables[name];
    int count = 0;
    for (int i = 0; i < table->column_count; i++) {
        const char *column = table->columns[i].name;
        if (table->columns[i].type->kind == TYPE_MOMENT && present->column[i])
            add_format(to, "%s update %s set %s = datetime(%s) where %s like '____-__-__T%%Z'", count++ == 0 ? "" : ";", table->name,
                       column, column, column);
    }
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

static const char *insert_words(enum fleet_dialect dialect, const struct fleet_table *table)
{
    const bool is_laid = table->merge == MERGE_LAID || table->merge == MERGE_LOCK;
    if (table->unique[0] != '\0' && table->merge == MERGE_LAST)
        return is_sqlite(dialect) ? "insert or replace into" : "replace into";      /* either of its keys may stand in the way */
    return !is_laid ? "insert into" : is_sqlite(dialect) ? "insert or ignore into" : "insert ignore into";
}

void fleet_sql_put_head(struct fleet_text *to, enum fleet_dialect dialect, enum fleet_table_name name)
{
    const struct fleet_table *table = &fleet_tables[name];
    add_format(to, "%s %s (", insert_words(dialect, table), table->name);
    for (int i = 0; i < table->column_count; i++)
        add_format(to, "%s%s", i == 0 ? "" : ", ", table->columns[i].name);
    add(to, ") values ");
}

void fleet_sql_tuple(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row)
{
    const struct fleet_table *table = &fleet_tables[row->table];
    for (int i = 0; i < table->column_count; i++) {
        add(to, i == 0 ? "(" : ",");
        add_value(to, dialect, &table->columns[i], &row->values[i]);
    }
    add(to, ")");
}

static bool is_rank(const struct fleet_table *table, int column) { return column == table->rank[0] || column == table->rank[1]; }

/* Moments have whole seconds. What a person says twice within one is as he said it last; of looks, the second rank tells. */
static const char *above(const struct fleet_table *table) { return table->is_word ? ">=" : ">"; }

/* MySQL assigns from left to right: what a condition reads is assigned last, and the first rank behind the second. */
static void add_newer_mysql(struct fleet_text *to, const struct fleet_table *table)
{
    char newer[256];
    const char *first = table->columns[table->rank[0]].name, *second = table->rank[1] < 0 ? NULL : table->columns[table->rank[1]].name;
    TEXT_FORMAT(newer, "values(%s) %s coalesce(%s, from_unixtime(1))", first, above(table), first);
    if (second != NULL)
        TEXT_FORMAT(newer, "values(%s) > coalesce(%s, from_unixtime(1)) or (values(%s) = %s and values(%s) > %s)", first, first, first, first, second,
                    second);
    for (int i = fleet_key_count(table); i < table->column_count; i++) {
        const char *column = table->columns[i].name;
        if (!is_rank(table, i))
            add_format(to, "%s = if(%s, values(%s), %s), ", column, newer, column, column);
    }
    if (second != NULL)
        add_format(to, "%s = if(%s, values(%s), %s), ", second, newer, second, second);
    add_format(to, "%s = if(%s, values(%s), %s)", first, newer, first, first);
}

static void add_newer_sqlite(struct fleet_text *to, const struct fleet_table *table)
{
    const char *first = table->columns[table->rank[0]].name;
    const char *comma = "";
    for (int i = fleet_key_count(table); i < table->column_count; i++) {
        add_format(to, "%s%s = excluded.%s", comma, table->columns[i].name, table->columns[i].name);
        comma = ", ";
    }
    add_format(to, " where excluded.%s %s coalesce(datetime(%s.%s), '')", first, above(table), table->name, first);
    if (table->rank[1] >= 0) {
        const char *second = table->columns[table->rank[1]].name;
        add_format(to, " or (excluded.%s = datetime(%s.%s) and excluded.%s > %s.%s)", first, table->name, first, second, table->name,
                   second);
    }
}

static void add_last(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_table *table)
{
    for (int i = fleet_key_count(table); i < table->column_count; i++) {
        const char *column = table->columns[i].name, *comma = i == fleet_key_count(table) ? "" : ", ";
        if (is_sqlite(dialect))
            add_format(to, "%s%s = excluded.%s", comma, column, column);
        else
            add_format(to, "%s%s = values(%s)", comma, column, column);
    }
}

void fleet_sql_put_tail(struct fleet_text *to, enum fleet_dialect dialect, enum fleet_table_name name)
{
    const struct fleet_table *table = &fleet_tables[name];
    if (table->merge == MERGE_LAID || table->merge == MERGE_LOCK || (table->merge == MERGE_LAST && table->unique[0] != '\0'))
        return;
    if (is_sqlite(dialect)) {
        add(to, " on conflict (");
        add_key_names(to, table);
        add(to, ") do update set ");
    } else {
        add(to, " on duplicate key update ");
    }
    if (table->merge == MERGE_LAST)
        add_last(to, dialect, table);
    else if (is_sqlite(dialect))
        add_newer_sqlite(to, table);
    else
        add_newer_mysql(to, table);
}

static void add_equal(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row, int column, const char *before)
{
    const struct fleet_column *of = &fleet_tables[row->table].columns[column];
    add_format(to, "%s%s = ", before, of->name);
    add_value(to, dialect, of, &row->values[column]);
}

static void add_not_newer(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row)
{
    const struct fleet_table *table = &fleet_tables[row->table];
    if (table->rank[0] < 0)
        return;
    const char *rank = table->columns[table->rank[0]].name;
    if (is_sqlite(dialect))
        add_format(to, " and coalesce(datetime(%s), '') <= ", rank);
    else
        add_format(to, " and coalesce(%s, from_unixtime(1)) <= ", rank);
    add_moment(to, dialect, fleet_number(row, table->rank[0]));
}

/* An active row of maintenance that began before is ended; that it is the same server's is what its unique key locks. */
static void add_end_of_lock(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row)
{
    const struct fleet_table *table = &fleet_tables[row->table];
    assert(row->table == FLEET_database_instance_maintenance);
    add_format(to, "update %s set maintenance_active = null, end_timestamp = ", table->name);
    add_moment(to, dialect, fleet_number(row, table->rank[0]));
    add_equal(to, dialect, row, database_instance_maintenance_hostname, " where ");
    add_equal(to, dialect, row, database_instance_maintenance_port, " and ");
    add(to, " and maintenance_active = 1");
    add_not_newer(to, dialect, row);
    add_format(to, " and database_instance_maintenance_id <> %" PRId64,
               fleet_number(row, database_instance_maintenance_database_instance_maintenance_id));
}

void fleet_sql_put(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row)
{
    if (fleet_tables[row->table].merge == MERGE_LOCK) {
        add_end_of_lock(to, dialect, row);
        add(to, ";");
    }
    fleet_sql_put_head(to, dialect, row->table);
    fleet_sql_tuple(to, dialect, row);
    fleet_sql_put_tail(to, dialect, row->table);
}

void fleet_sql_delete(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row)
{
    const struct fleet_table *table = &fleet_tables[row->table];
    if (table->merge == MERGE_LOCK) {
        add_end_of_lock(to, dialect, row);
        return;
    }
    add_format(to, "delete from %s", table->name);
    for (int i = 0; i < fleet_key_count(table); i++)
        add_equal(to, dialect, row, i, i == 0 ? " where " : " and ");
    add_not_newer(to, dialect, row);
}

/* ---- marks: some columns of a row that another has laid ---------------------------------------------------------------- */

/* Where the row is from: part of what it is known by, and not changed by a mark. */
static bool is_of_place(const struct fleet_table *table, int column)
{
    return text_is(table->columns[column].name, "hostname") || text_is(table->columns[column].name, "port");
}

/* The row's name, or where it has none its key; with a name the key is another one on each node. */
static void add_marked(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row, bool is_before)
{
    const struct fleet_table *table = &fleet_tables[row->table];
    const bool has_name = fleet_text(row, table->marked_as)[0] != '\0';
    const char *mark = table->columns[table->marked_by].name;
    add_equal(to, dialect, row, has_name ? table->marked_as : 0, " where ");
    for (int i = fleet_key_count(table); i < table->column_count; i++) {
        if (is_of_place(table, i) && row->values[i].kind != FLEET_PRESET)
            add_equal(to, dialect, row, i, " and ");
    }
    if (is_sqlite(dialect))
        add_format(to, " and coalesce(datetime(%s), '') %s ", mark, is_before ? "<" : "<=");
    else
        add_format(to, " and coalesce(%s, from_unixtime(1)) %s ", mark, is_before ? "<" : "<=");
    add_moment(to, dialect, fleet_number(row, table->marked_by));
}

static bool is_set_by_mark(const struct fleet_table *table, const struct fleet_row *row, int column)
{
    return row->values[column].kind != FLEET_PRESET && table->columns[column].part != PART_KEY && column != table->marked_as &&
           !is_of_place(table, column);
}

void fleet_sql_mark_row(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row)
{
    const struct fleet_table *table = &fleet_tables[row->table];
    const char *comma = " set ";
    assert(table->marked_by > 0);
    add_format(to, "update %s", table->name);
    for (int i = 0; i < table->column_count; i++) {
        if (!is_set_by_mark(table, row, i))
            continue;
        add_equal(to, dialect, row, i, comma);
        comma = ", ";
    }
    add_marked(to, dialect, row, false);
}

void fleet_sql_stands(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row, bool takes_back)
{
    const struct fleet_table *table = &fleet_tables[row->table];
    const bool is_lock = table->merge == MERGE_LOCK;
    if (table->marked_by > 0) {                      /* none is left without it; where there is no such row that is so too */
        add_format(to, "select count(*) = 0 as stands from %s", table->name);
        add_marked(to, dialect, row, true);
        return;
    }
    add_format(to, "select count(*) as stands from %s", table->name);
    if (is_lock && takes_back) {
        add_equal(to, dialect, row, database_instance_maintenance_hostname, " where ");
        add_equal(to, dialect, row, database_instance_maintenance_port, " and ");
        add(to, " and maintenance_active = 1");
        return;
    }
    for (int i = 0; i < fleet_key_count(table); i++)
        add_equal(to, dialect, row, i, i == 0 ? " where " : " and ");
    if (is_lock || takes_back || table->rank[0] < 0)
        return;
    add_format(to, is_sqlite(dialect) ? " and datetime(%s) = " : " and %s = ", table->columns[table->rank[0]].name);
    add_value(to, dialect, &table->columns[table->rank[0]], &row->values[table->rank[0]]);
}

void fleet_sql_word(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *row, bool takes_back, bool makes_table)
{
    if (fleet_tables[row->table].is_named) {
        add_format(to, "select %d as stands", !takes_back);      /* who looks at servers writes their rows */
        return;
    }
    if (makes_table) {
        fleet_sql_create(to, dialect, row->table);
        add(to, ";");
    }
    if (fleet_tables[row->table].marked_by > 0)
        fleet_sql_mark_row(to, dialect, row);
    else if (takes_back)
        fleet_sql_delete(to, dialect, row);
    else
        fleet_sql_put(to, dialect, row);
    add(to, ";");
    fleet_sql_stands(to, dialect, row, takes_back);
}

static void add_raised(struct fleet_text *to, enum fleet_dialect dialect, const char *column, int64_t moment)
{
    if (is_sqlite(dialect))
        add_format(to, "%s = max(coalesce(datetime(%s), ''), ", column, column);
    else
        add_format(to, "%s = greatest(coalesce(%s, from_unixtime(1)), ", column, column);
    add_moment(to, dialect, moment);
    add(to, ")");
}

void fleet_sql_refresh(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *moments,
                       const char *const *hosts, const uint16_t *ports, int count)
{
    const struct fleet_column *host = &fleet_tables[FLEET_database_instance].columns[database_instance_hostname];
    add(to, "update database_instance set ");
    add_raised(to, dialect, "last_checked", fleet_number(moments, database_instance_last_checked));
    add(to, ", ");
    add_raised(to, dialect, "last_attempted_check", fleet_number(moments, database_instance_last_attempted_check));
    if (fleet_number(moments, database_instance_last_seen) > 0) {
        add(to, ", ");
        add_raised(to, dialect, "last_seen", fleet_number(moments, database_instance_last_seen));
    }
    add(to, is_sqlite(dialect) ? " where (hostname, port) in (values " : " where (hostname, port) in (");
    for (int i = 0; i < count; i++) {
        add(to, i == 0 ? "(" : ",(");
        add_text(to, dialect, host, hosts[i]);
        add_format(to, ",%u)", (unsigned)ports[i]);
    }
    add(to, ")");
}

void fleet_sql_tidy(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_life *life, int64_t moment)
{
    const struct fleet_table *table = &fleet_tables[life->table];
    if (life->becomes == NULL)
        add_format(to, "delete from %s", table->name);
    else
        add_format(to, "update %s set %s", table->name, life->becomes);
    add_format(to, is_sqlite(dialect) ? " where datetime(%s) < " : " where %s < ", table->columns[life->column].name);
    add_moment(to, dialect, moment);
    if (life->only != NULL)
        add_format(to, " and %s", life->only);
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static void add_columns(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_table *table,
                        const struct fleet_present *present, bool keys_only)
{
    const char *comma = "";
    const int count = keys_only ? fleet_key_count(table) : table->column_count;
    for (int i = 0; i < count; i++) {
        const char *name = table->columns[i].name;
        if (!present->column[i])
            continue;
        if (table->columns[i].type->kind != TYPE_MOMENT)
            add_format(to, "%s%s", comma, name);
        else if (is_sqlite(dialect))
            add_format(to, "%scast(strftime('%%s', %s) as integer) as %s", comma, name, name);
        else
            add_format(to, "%sunix_timestamp(%s) as %s", comma, name, name);
        comma = ", ";
    }
}

/* (a, b) > (x, y) in words that every optimizer walks an index by. */
static void add_after(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *after)
{
    const struct fleet_table *table = &fleet_tables[after->table];
    const int count = fleet_key_count(table);
    if (count > 1 || table->columns[0].type->kind == TYPE_TEXT) {
        add_format(to, "%s >= ", table->columns[0].name);
        add_value(to, dialect, &table->columns[0], &after->values[0]);
        add(to, " and (");
    } else {
        add(to, "(");
    }
    for (int i = 0; i < count; i++) {
        add(to, i == 0 ? "" : " or (");
        for (int k = 0; k < i; k++) {
            add_equal(to, dialect, after, k, "");
            add(to, " and ");
        }
        add_format(to, "%s > ", table->columns[i].name);
        add_value(to, dialect, &table->columns[i], &after->values[i]);
        add(to, i == 0 ? "" : ")");
    }
    add(to, ")");
}

void fleet_sql_range(struct fleet_text *to, enum fleet_dialect dialect, enum fleet_table_name name, const struct fleet_present *present,
                     const struct fleet_range *range)
{
    const struct fleet_table *table = &fleet_tables[name];
    const char *where = " where ";
    add(to, "select ");
    add_columns(to, dialect, table, present, range->keys_only);
    add_format(to, " from %s", table->name);
    if (range->since > 0 && table->rank[0] >= 0) {
        add_format(to, is_sqlite(dialect) ? "%sdatetime(%s) >= " : "%s%s >= ", where, table->columns[table->rank[0]].name);
        add_moment(to, dialect, range->since);
        where = " and ";
    }
    if (range->after != NULL) {
        add(to, where);
        add_after(to, dialect, range->after);
    }
    add(to, " order by ");
    add_key_names(to, table);
    add_format(to, " limit %d", range->limit);
}

void fleet_sql_one(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_row *key, const struct fleet_present *present)
{
    const struct fleet_table *table = &fleet_tables[key->table];
    add(to, "select ");
    add_columns(to, dialect, table, present, false);
    add_format(to, " from %s", table->name);
    for (int i = 0; i < fleet_key_count(table); i++)
        add_equal(to, dialect, key, i, i == 0 ? " where " : " and ");
}

void fleet_sql_page(struct fleet_text *to, enum fleet_dialect dialect, const struct fleet_present *present, const struct fleet_page *page)
{
    const struct fleet_table *table = &fleet_tables[page->table];
    const bool has_number = table->columns[0].type->kind == TYPE_NUMBER;
    assert(has_number || table->rank[0] >= 0);
    add(to, "select ");
    add_columns(to, dialect, table, present, false);
    if (has_number)
        add_format(to, " from %s where %s < %" PRIu64, table->name, table->columns[0].name, page->before == 0 ? UINT64_C(1) << 62 : page->before);
    else
        add_format(to, " from %s", table->name);
    if (has_number && page->from > 0)
        add_format(to, " and %s >= %" PRIu64, table->columns[0].name, page->from);
    if (page->equal_column >= 0) {
        add_format(to, "%s%s = ", has_number ? " and " : " where ", table->columns[page->equal_column].name);
        add_text(to, dialect, &table->columns[page->equal_column], page->equal);
    }
    if (has_number) {
        add_format(to, " order by %s desc limit %d", table->columns[0].name, page->limit);
    } else {
        add_format(to, " order by %s desc, ", table->columns[table->rank[0]].name);
        add_key_names(to, table);
        add_format(to, " limit %d", page->limit);
    }
}

void fleet_sql_mark(struct fleet_text *to, enum fleet_dialect dialect, enum fleet_table_name name)
{
    const struct fleet_table *table = &fleet_tables[name];
    const char *rank = table->rank[0] < 0 || table->reading == READ_SERVERS ? NULL : table->columns[table->rank[0]].name;
    if (rank == NULL)
        add_format(to, "select count(*) as mark from %s", table->name);
    else if (is_sqlite(dialect))
        add_format(to, "select count(*) || '/' || coalesce(max(%s), '') as mark from %s", rank, table->name);
    else
        add_format(to, "select concat(count(*), '/', coalesce(max(%s), '')) as mark from %s", rank, table->name);
}
