/* What is known to stand in the store, and what waits to be written: the newest state of each key, once.
 *
 *      put ---> is it new? ---> whole row waits --\
 *                    \--------> refresh waits  ----+--> one statement at a time --> settled, or back to waiting
 *      delete ------------------> deletion waits -/
 *
 * Of each row that was read or handed over its key and the hashes of its parts are remembered, not the row. No I/O, no clock. */
#ifndef FC_BACKENDS_FLEET_BEHIND_H
#define FC_BACKENDS_FLEET_BEHIND_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/fleet/fleet_sql.h"
#include "backends/fleet_store.h"
#include "base/moment.h"

struct fleet_behind;

struct fleet_behind *fleet_behind_new(const struct fleet_store_setting *setting);      /* NULL: no memory */
void fleet_behind_free(struct fleet_behind *behind);

void fleet_behind_put(struct fleet_behind *behind, enum fleet_dialect dialect, const struct fleet_row *row, struct fc_time now);
void fleet_behind_delete(struct fleet_behind *behind, enum fleet_dialect dialect, const struct fleet_row *row);

/* A row was read: is it not as it is known here? Known from now on, and seen in this pass. A row that waits to be written is no news. */
bool fleet_behind_read(struct fleet_behind *behind, const struct fleet_row *row, struct fc_time now);
/* Only its key was read. False: it is not known. */
bool fleet_behind_saw(struct fleet_behind *behind, const struct fleet_row *key);
/* A table is read from end to end: begin, what is in it, end. Rows that were known before and not seen are told and forgotten;
 * those that wait to be written are neither. */
void fleet_behind_begin_pass(struct fleet_behind *behind, enum fleet_table_name table);
void fleet_behind_end_pass(struct fleet_behind *behind, enum fleet_table_name table, void (*gone)(void *owner, const struct fleet_row *row),
                           void *owner);
/* Deletions wait: a row that is read and not known may be one of those. */
bool fleet_behind_deletes(const struct fleet_behind *behind);
/* Rows of it wait, or are under way. */
bool fleet_behind_waits(const struct fleet_behind *behind, enum fleet_table_name table);
uint32_t fleet_behind_known(const struct fleet_behind *behind, enum fleet_table_name table);

/* The next statement, with its rows under way; false: nothing waits (refreshes wait for `with_refreshes`). One at a time. */
bool fleet_behind_next(struct fleet_behind *behind, enum fleet_dialect dialect, bool with_refreshes, struct fleet_text *to);
enum fleet_written { FLEET_WRITTEN, FLEET_AGAIN, FLEET_REFUSED };      /* refused: for what is in the rows. Smaller parts find which */
/* How it ended. Returns how many rows are given up (0 or 1). */
int fleet_behind_ended(struct fleet_behind *behind, enum fleet_written how);

void fleet_behind_clear(struct fleet_behind *behind);                  /* knows nothing, and nothing waits */
/* Adds what it counts. */
void fleet_behind_counts(const struct fleet_behind *behind, struct fleet_store_counts *to);

#endif
