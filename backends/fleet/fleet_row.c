/* Setting, asking, comparing; rows from answers; words as bytes. */
#include "backends/fleet/fleet_row.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/mysql/mysql_rows.h"
#include "backends/quorum/bytes.h"
#include "base/text.h"

#define WORD_MAGIC 0x31574346u       /* "FCW1" */
#define HASH_START UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

static const struct fleet_table *table_of(const struct fleet_row *row) { return &fleet_tables[row->table]; }

struct fleet_row fleet_row_of(enum fleet_table_name table) { return (struct fleet_row){ .table = table }; }

static struct fleet_value *place(struct fleet_row *row, int column, enum fleet_kind_of_type kind)
{
    (void)kind;                      /* asserted only */
    assert(column >= 0 && column < table_of(row)->column_count);
    assert((table_of(row)->columns[column].type->kind == TYPE_TEXT) == (kind == TYPE_TEXT));
    return &row->values[column];
}

void fleet_set_text(struct fleet_row *row, int column, const char *text)
{
    *place(row, column, TYPE_TEXT) = (struct fleet_value){ FLEET_TEXT, { .text = text == NULL ? "" : text } };
}

void fleet_set_number(struct fleet_row *row, int column, int64_t number)
{
    *place(row, column, TYPE_NUMBER) = (struct fleet_value){ FLEET_NUMBER, { .number = number } };
}

void fleet_set_null(struct fleet_row *row, int column)
{
    assert(table_of(row)->columns[column].type->is_null);
    row->values[column] = (struct fleet_value){ FLEET_NULL, { .number = 0 } };
}

const char *fleet_text(const struct fleet_row *row, int column)
{
    return row->values[column].kind == FLEET_TEXT ? row->values[column].text : "";
}

int64_t fleet_number(const struct fleet_row *row, int column)
{
    return row->values[column].kind == FLEET_NUMBER ? row->values[column].number : 0;
}

bool fleet_is_null(const struct fleet_row *row, int column) { return row->values[column].kind == FLEET_NULL; }

/* ---- sound rows --------------------------------------------------------------------------------------------------- */

static enum fc_code check_column(const struct fleet_table *table, int at, const struct fleet_value *value, struct fc_err *err)
{
    const struct fleet_column *column = &table->columns[at];
    const bool is_needed = column->part == PART_KEY || at == table->rank[0];
    if (is_needed && value->kind != FLEET_TEXT && value->kind != FLEET_NUMBER)
        return fc_fail(err, FC_BAD_INPUT, "a row of '%s' needs '%s'", table->name, column->name);
    if (column->part == PART_KEY && value->kind == FLEET_TEXT && (value->text[0] == '\0' || strlen(value->text) > column->length))
        return fc_fail(err, FC_BAD_INPUT, "'%s' of '%s' has 1 to %u bytes", column->name, table->name, column->length);
    if ((column->part == PART_KEY || table->is_word || table->marked_by > 0) && column->type->kind == TYPE_NUMBER && value->kind == FLEET_NUMBER &&
        (value->number < column->type->low || value->number > column->type->high))
        return fc_fail(err, FC_BAD_INPUT, "%lld is no '%s' of '%s'", (long long)value->number, column->name, table->name);
    return FC_OK;
}

enum fc_code fleet_row_check(const struct fleet_row *row, struct fc_err *err)
{
    const struct fleet_table *table = table_of(row);
    enum fc_code code = FC_OK;
    for (int i = 0; i < table->column_count && code == FC_OK; i++)
        code = check_column(table, i, &row->values[i], err);
    return code;
}

/* ---- telling rows apart --------------------------------------------------------------------------------------------- */

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * HASH_PRIME;
    return hash;
}

static uint64_t hash_value(uint64_t hash, const struct fleet_value *value)
{
    const uint8_t kind = (uint8_t)value->kind;
    hash = hash_bytes(hash, &kind, 1);
    if (value->kind == FLEET_NUMBER)
        return hash_bytes(hash, &value->number, sizeof value->number);
    return value->kind == FLEET_TEXT ? hash_bytes(hash, value->text, strlen(value->text) + 1) : hash;
}

uint64_t fleet_part_hash(const struct fleet_row *row, enum fleet_part part)
{
    const struct fleet_table *table = table_of(row);
    uint64_t hash = (HASH_START ^ (uint64_t)row->table) * HASH_PRIME;
    for (int i = 0; i < table->column_count; i++) {
        if (table->columns[i].part == part)
            hash = hash_value(hash, &row->values[i]);
    }
    return hash;
}

uint64_t fleet_key_hash(const struct fleet_row *row) { return fleet_part_hash(row, PART_KEY); }

static int compare_values(const struct fleet_value *a, const struct fleet_value *b)
{
    if (a->kind == FLEET_TEXT && b->kind == FLEET_TEXT)
        return strcmp(a->text, b->text);
    const int64_t left = a->kind == FLEET_NUMBER ? a->number : INT64_MIN, right = b->kind == FLEET_NUMBER ? b->number : INT64_MIN;
    return left < right ? -1 : left > right;
}

bool fleet_key_is_same(const struct fleet_row *a, const struct fleet_row *b)
{
    bool is_same = a->table == b->table;
    for (int i = 0, count = fleet_key_count(table_of(a)); i < count && is_same; i++)
        is_same = a->values[i].kind == b->values[i].kind && compare_values(&a->values[i], &b->values[i]) == 0;
    return is_same;
}

int fleet_rank_compare(const struct fleet_row *a, const struct fleet_row *b)
{
    int order = 0;
    for (int i = 0; i < 2 && order == 0 && table_of(a)->rank[i] >= 0; i++)
        order = compare_values(&a->values[table_of(a)->rank[i]], &b->values[table_of(a)->rank[i]]);
    return order;
}

/* ---- from an answer --------------------------------------------------------------------------------------------------- */

static struct fleet_value value_of(const struct fleet_column *column, const char *cell)
{
    char *end = NULL;
    if (cell == NULL)
        return (struct fleet_value){ FLEET_NULL, { .number = 0 } };
    if (column->type->kind == TYPE_TEXT)
        return (struct fleet_value){ FLEET_TEXT, { .text = cell } };
    errno = 0;
    const long long number = strtoll(cell, &end, 10);
    return (struct fleet_value){ FLEET_NUMBER, { .number = end == cell || errno != 0 ? 0 : number } };
}

void fleet_row_from(enum fleet_table_name table, const struct mysql_rows *rows, int set, uint32_t row, struct fleet_row *ret)
{
    const struct fleet_table *of = &fleet_tables[table];
    const int count = mysql_rows_columns(rows, set);
    int expected = 0;
    memset(ret, 0, sizeof *ret);
    ret->table = table;
    for (int i = 0; i < count; i++) {          /* they were asked for in the table's order: the next one, or one further on */
        const char *name = mysql_rows_column_name(rows, set, i);
        while (expected < of->column_count && !text_is(of->columns[expected].name, name))
            expected++;
        if (expected == of->column_count)
            return;
        ret->values[expected] = value_of(&of->columns[expected], mysql_rows_cell(rows, set, row, i));
    }
}

/* ---- words as bytes ------------------------------------------------------------------------------------------------- */

static void put_text(struct bytes_out *out, const char *text)
{
    const size_t length = strlen(text);
    if (length > FLEET_WORD_SIZE) {
        out->is_full = true;
        return;
    }
    bytes_put_text(out, text);
    bytes_put_number(out, 0, 1);             /* so that it can be borrowed as it lies there */
}

static const char *get_text(struct bytes_in *in)
{
    const size_t length = (size_t)bytes_get_number(in, 2), at = in->at;
    if (in->is_bad || in->size - at < length + 1 || in->from[at + length] != 0 || memchr(in->from + at, 0, length) != NULL) {
        in->is_bad = true;
        return "";
    }
    in->at += length + 1;
    return (const char *)in->from + at;
}

static bool is_locked_key(const struct fleet_column *column) { return text_is(column->name, "hostname") || text_is(column->name, "port"); }

uint64_t fleet_word_key(const struct fleet_row *row)
{
    const struct fleet_table *table = table_of(row);
    uint64_t hash = (HASH_START ^ (uint64_t)row->table) * HASH_PRIME;
    if (table->marked_by > 0 && fleet_text(row, table->marked_as)[0] != '\0')
        return hash_value(hash, &row->values[table->marked_as]);
    if (table->merge != MERGE_LOCK)
        return fleet_key_hash(row);
    for (int i = 0; i < table->column_count; i++) {
        if (is_locked_key(&table->columns[i]))
            hash = hash_value(hash, &row->values[i]);
    }
    return hash;
}

static bool may_be_said(const struct fleet_table *table) { return table->is_word || table->is_named || table->marked_by > 0; }

static bool is_said(const struct fleet_table *table, int column, bool takes_back)
{
    return !takes_back || table->columns[column].part == PART_KEY || column == table->rank[0] ||
           (table->merge == MERGE_LOCK && is_locked_key(&table->columns[column]));
}

enum fc_code fleet_word_of(const struct fleet_row *row, bool takes_back, struct fleet_word *ret, struct fc_err *err)
{
    const struct fleet_table *table = table_of(row);
    struct bytes_out out = { .to = ret->bytes, .size = sizeof ret->bytes };
    memset(ret, 0, sizeof *ret);
    if (!may_be_said(table))
        return fc_fail(err, FC_BAD_INPUT, "'%s' is not a table of words", table->name);
    if (fleet_row_check(row, err) != FC_OK)
        return FC_BAD_INPUT;
    if (table->marked_by > 0 && (takes_back || row->values[table->marked_by].kind != FLEET_NUMBER))
        return fc_fail(err, FC_BAD_INPUT, "a mark in '%s' needs a moment, and is not taken back", table->name);
    bytes_put_number(&out, WORD_MAGIC, 4);
    put_text(&out, table->name);
    for (int i = 0; i < table->column_count; i++) {
        const struct fleet_value *value = &row->values[i];
        if (value->kind == FLEET_PRESET || !is_said(table, i, takes_back))
            continue;
        put_text(&out, table->columns[i].name);
        bytes_put_number(&out, value->kind, 1);
        if (value->kind == FLEET_NUMBER)
            bytes_put_number(&out, (uint64_t)value->number, 8);
        if (value->kind == FLEET_TEXT)
            put_text(&out, value->text);
    }
    if (out.is_full)
        return fc_fail(err, FC_BAD_INPUT, "what is said of '%s' is longer than %d bytes", table->name, FLEET_WORD_SIZE);
    ret->takes_back = takes_back;
    ret->length = (uint16_t)out.length;
    return FC_OK;
}

static void get_column(struct bytes_in *in, const struct fleet_table *table, struct fleet_row *row)
{
    const int column = fleet_column_named(table, get_text(in));
    const uint64_t kind = bytes_get_number(in, 1);
    if (column < 0 || kind <= FLEET_PRESET || kind > FLEET_TEXT) {
        in->is_bad = true;
        return;
    }
    struct fleet_value *value = &row->values[column];
    value->kind = (enum fleet_value_kind)kind;
    if (value->kind == FLEET_NUMBER)
        value->number = (int64_t)bytes_get_number(in, 8);
    if (value->kind == FLEET_TEXT)
        value->text = get_text(in);
    in->is_bad |= value->kind == FLEET_NULL ? !table->columns[column].type->is_null
                                            : (table->columns[column].type->kind == TYPE_TEXT) != (value->kind == FLEET_TEXT);
}

enum fc_code fleet_word_row(const struct fleet_word *word, struct fleet_row *ret)
{
    struct bytes_in in = { .from = word->bytes, .size = word->length };
    if (word->length > FLEET_WORD_SIZE || bytes_get_number(&in, 4) != WORD_MAGIC)
        return FC_BAD_INPUT;
    const int table = fleet_table_named(get_text(&in));
    if (in.is_bad || table < 0 || !may_be_said(&fleet_tables[table]))
        return FC_BAD_INPUT;
    *ret = fleet_row_of((enum fleet_table_name)table);
    while (!in.is_bad && in.at < in.size)
        get_column(&in, &fleet_tables[table], ret);
    const int mark = fleet_tables[table].marked_by;
    in.is_bad |= mark > 0 && (word->takes_back || ret->values[mark].kind != FLEET_NUMBER);
    return in.is_bad || fleet_row_check(ret, NULL) != FC_OK ? FC_BAD_INPUT : FC_OK;
}
