/* Which statement tells which reading to which kind of server: the table of dialects, versions compared as numbers.
 *
 * A part is one statement of a probe. All parts of a probe go in one round trip; which ones apply is found out once a
 * connection, from the version and from the variables that are there. */
#ifndef FC_BACKENDS_MYSQL_DIALECT_H
#define FC_BACKENDS_MYSQL_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/sql_statements.h"
#include "model/instance.h"

enum probe_part {             /* in the order in which they are asked: what can hang behind what cannot */
    PART_VARIABLES = 0,
    PART_STATUS,
    PART_REPLICATION,
    PART_LOG_POSITION,
    PART_REPLICA_LIST,
    PART_DUMP_THREADS,
    PART_CREDENTIALS,
    PART_GROUP,
    PART_COUNT
};
#define PART_BIT(part) (1u << (part))
#define NO_STATEMENT SQL_STATEMENT_COUNT

#define VARIABLES_MAX 64
#define VARIABLE_NAMES_SIZE 2400      /* all of them with blanks between */

/* The readings that a part brings: bits of enum reading. */
unsigned part_readings(enum probe_part part);
const char *part_word(enum probe_part part);

/* NO_STATEMENT: this kind of server has no such thing. PART_VARIABLES has another statement per connection, not per dialect. */
enum sql_name dialect_statement(enum probe_part part, bool is_mariadb, unsigned version);
/* The variable without which the part is not asked for (a plugin's); NULL: none. */
const char *dialect_needs(enum probe_part part);

/* --- the variables of PART_VARIABLES, any dialect --- */

int variables_count(void);
const char *variable_name(int variable);
/* Their names, those alone whose bit is set in `found`, with one blank between. */
void variables_names(uint64_t found, char to[VARIABLE_NAMES_SIZE]);

#endif
