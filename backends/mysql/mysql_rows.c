/* The arena: cells are offsets, so that growing moves nothing that anybody holds on to while filling. */
#include "backends/mysql/mysql_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void mysql_rows_clear(struct mysql_rows *rows)
{
    rows->set_count = 0;
    rows->cell_count = 0;
    rows->byte_count = 1;
}

void mysql_rows_done(struct mysql_rows *rows)
{
    free(rows->sets);
    free(rows->cells);
    free(rows->bytes);
    *rows = (struct mysql_rows){ 0 };
}

static bool grow_from(size_t first, void **memory, size_t *room, size_t wanted, size_t most, size_t size)
{
    size_t more = *room == 0 ? first : *room;
    if (wanted <= *room)
        return true;
    if (wanted > most)
        return false;
    while (more < wanted)
        more *= 2;
    void *grown = realloc(*memory, more * size);
    if (grown == NULL)
        return false;
    *memory = grown;
    *room = more;
    return true;
}

static bool grow(void **memory, size_t *room, size_t wanted, size_t most, size_t size)
{
    return grow_from(1024, memory, room, wanted, most, size);
}

static bool grow_sets(struct mysql_rows *rows, int wanted)
{
    void *sets = rows->sets;
    const bool fits = grow_from(16, &sets, &rows->set_room, (size_t)wanted, ROWS_SETS_MAX, sizeof *rows->sets);
    rows->sets = sets;
    return fits;
}

bool mysql_rows_copy(struct mysql_rows *to, const struct mysql_rows *from)
{
    void *cells = to->cells, *bytes = to->bytes;
    const bool fits = grow(&cells, &to->cell_room, from->cell_count, ROWS_CELLS_MAX, sizeof *to->cells);
    to->cells = cells;
    const bool fits_too = fits && grow(&bytes, &to->byte_room, from->byte_count, ROWS_BYTES_MAX + 1, 1);
    to->bytes = bytes;
    mysql_rows_clear(to);
    if (!fits_too || (from->set_count > 0 && !grow_sets(to, from->set_count)))
        return false;
    if (from->cell_count > 0)
        memcpy(to->cells, from->cells, from->cell_count * sizeof *to->cells);
    if (from->byte_count > 0 && from->bytes != NULL)
        memcpy(to->bytes, from->bytes, from->byte_count);
    to->cell_count = from->cell_count;
    to->byte_count = from->byte_count;
    to->set_count = from->set_count;
    if (from->set_count > 0)
        memcpy(to->sets, from->sets, (size_t)from->set_count * sizeof *to->sets);
    return true;
}

static bool add_text(struct mysql_rows *rows, const char *text, size_t length)
{
    uint32_t offset = 0;
    void *cells = rows->cells, *bytes = rows->bytes;

    rows->byte_count = rows->byte_count == 0 ? 1 : rows->byte_count;
    if (!grow(&cells, &rows->cell_room, rows->cell_count + 1, ROWS_CELLS_MAX, sizeof *rows->cells))
        return false;
    rows->cells = cells;
    if (text != NULL) {
        if (length >= ROWS_BYTES_MAX ||
            !grow(&bytes, &rows->byte_room, rows->byte_count + length + 1, ROWS_BYTES_MAX, 1))
            return false;
        rows->bytes = bytes;
        offset = (uint32_t)rows->byte_count;
        text_copy_bytes(rows->bytes + offset, length + 1, text, length);
        rows->byte_count += length + 1;
    }
    rows->cells[rows->cell_count++] = offset;
    return true;
}

bool mysql_rows_begin_set(struct mysql_rows *rows, uint32_t column_count)
{
    if (rows->set_count == ROWS_SETS_MAX || column_count > ROWS_COLUMNS_MAX || !grow_sets(rows, rows->set_count + 1))
        return false;
    rows->sets[rows->set_count++] = (struct rows_set){
        .first_name = (uint32_t)rows->cell_count, .first_cell = (uint32_t)(rows->cell_count + column_count),
        .column_count = column_count,
    };
    return true;
}

bool mysql_rows_add_name(struct mysql_rows *rows, const char *name)
{
    return add_text(rows, name == NULL ? "" : name, name == NULL ? 0 : strlen(name));
}

bool mysql_rows_add_cell(struct mysql_rows *rows, const char *text, size_t length)
{
    return add_text(rows, text, length);
}

void mysql_rows_end_row(struct mysql_rows *rows)
{
    assert(rows->set_count > 0);
    rows->sets[rows->set_count - 1].row_count++;
}

static const struct rows_set *set_of(const struct mysql_rows *rows, int set)
{
    return set >= 0 && set < rows->set_count ? &rows->sets[set] : NULL;
}

static const char *text_at(const struct mysql_rows *rows, size_t cell)
{
    if (cell >= rows->cell_count || rows->cells[cell] == 0)
        return NULL;
    return rows->bytes + rows->cells[cell];
}

uint32_t mysql_rows_count(const struct mysql_rows *rows, int set)
{
    const struct rows_set *s = set_of(rows, set);
    return s == NULL ? 0 : s->row_count;
}

int mysql_rows_column(const struct mysql_rows *rows, int set, const char *name)
{
    const struct rows_set *s = set_of(rows, set);
    for (uint32_t i = 0; s != NULL && i < s->column_count; i++) {
        if (text_is_nocase(text_at(rows, s->first_name + i), name))
            return (int)i;
    }
    return -1;
}

int mysql_rows_columns(const struct mysql_rows *rows, int set)
{
    const struct rows_set *s = set_of(rows, set);
    return s == NULL ? 0 : (int)s->column_count;
}

const char *mysql_rows_column_name(const struct mysql_rows *rows, int set, int column)
{
    const struct rows_set *s = set_of(rows, set);
    const char *name = s == NULL || column < 0 || (uint32_t)column >= s->column_count ? NULL
                                                                                    : text_at(rows, s->first_name + (size_t)column);
    return name == NULL ? "" : name;
}

const char *mysql_rows_cell(const struct mysql_rows *rows, int set, uint32_t row, int column)
{
    const struct rows_set *s = set_of(rows, set);
    if (s == NULL || row >= s->row_count || column < 0 || (uint32_t)column >= s->column_count)
        return NULL;
    return text_at(rows, s->first_cell + (size_t)row * s->column_count + (size_t)column);
}

const char *mysql_rows_named(const struct mysql_rows *rows, int set, uint32_t row, const char *name)
{
    return mysql_rows_cell(rows, set, row, mysql_rows_column(rows, set, name));
}

uint64_t mysql_rows_number(const struct mysql_rows *rows, int set, uint32_t row, int column)
{
    const char *text = mysql_rows_cell(rows, set, row, column);
    uint64_t number = 0;
    if (text == NULL || !text_to_u64(text, strlen(text), &number))
        return 0;
    return number;
}
