/* Rows as text, for fuzz targets: one result set a paragraph, the first line its column names, each further line a row, columns
 * apart by tabs; a lone "-" or nothing is NULL. */
#ifndef FC_TESTS_ROWS_TEXT_H
#define FC_TESTS_ROWS_TEXT_H

#include <stdint.h>
#include <string.h>

#include "backends/mysql/mysql_rows.h"

static const char *end_of(const char *from, const char *end, char at)
{
    const char *found = memchr(from, at, (size_t)(end - from));
    return found == NULL ? end : found;
}

static uint32_t columns_of(const char *line, const char *end)
{
    uint32_t count = 1;
    for (; line < end; line++)
        count += *line == '\t';
    return count;
}

/* One line into `columns` cells: what is missing is NULL, what is too much is left out. */
static bool add_line(struct mysql_rows *rows, const char *line, const char *end, uint32_t columns, bool is_names)
{
    for (uint32_t i = 0; i < columns; i++) {
        const char *stop = end_of(line, end, '\t');
        char name[64] = "";
        const bool is_null = stop == line || (stop == line + 1 && *line == '-');
        bool fits;
        memcpy(name, line, (size_t)(stop - line) < sizeof name ? (size_t)(stop - line) : sizeof name - 1);
        fits = is_names ? mysql_rows_add_name(rows, name)
                        : mysql_rows_add_cell(rows, is_null ? NULL : line, (size_t)(stop - line));
        if (!fits)
            return false;
        line = stop < end ? stop + 1 : end;
    }
    if (!is_names)
        mysql_rows_end_row(rows);
    return true;
}

static void read_sets(struct mysql_rows *rows, const char *from, const char *end)
{
    bool is_begin = true;
    uint32_t columns = 0;
    for (; from < end; from = from < end ? from + 1 : end) {
        const char *stop = end_of(from, end, '\n');
        if (stop == from) {
            is_begin = true;
        } else {
            if (is_begin)
                columns = columns_of(from, stop);
            if (is_begin && !mysql_rows_begin_set(rows, columns))
                return;
            if (!add_line(rows, from, stop, columns, is_begin))
                return;
            is_begin = false;
        }
        from = stop;
    }
}

#endif
