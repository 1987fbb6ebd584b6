/* The tables in which a fleet is kept: those of orchestrator's schema that discovery, operators' words and the read API need
 * (spec/schema.md 4 to 6), so that a backend of either kind is taken over in place and other tools go on reading it. One row
 * a table, one row a column; creating, adding, reading and writing are made of them (fleet_sql.h).
 *
 * What is there is never dropped, retyped or shrunk: a missing table is created, a missing column added. */
#ifndef FC_BACKENDS_FLEET_SCHEMA_H
#define FC_BACKENDS_FLEET_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/fleet/fleet_columns.h"

#define FLEET_ENUM_TABLE(table, columns) FLEET_##table,
enum fleet_table_name { FLEET_TABLES(FLEET_ENUM_TABLE) FLEET_TABLE_COUNT };

#define FLEET_ENUM_COLUMN(table, column, type, part, preset) table##_##column,
#define FLEET_ENUM_COLUMNS(table, columns) enum { columns(FLEET_ENUM_COLUMN, table) table##_column_count };
FLEET_TABLES(FLEET_ENUM_COLUMNS)

#define FLEET_COLUMNS_MAX 80

/* As MySQL and as SQLite have them: spec/schema.md 1. */
enum fleet_kind_of_type { TYPE_TEXT, TYPE_NUMBER, TYPE_MOMENT };
struct fleet_type {
    enum fleet_kind_of_type kind;
    const char *mysql, *sqlite;      /* with %u for the length */
    bool is_null, is_utf8;
    const char *preset;              /* of the type itself; NULL: none */
    int64_t low, high;               /* of numbers */
};
extern const struct fleet_type fleet_type_u8, fleet_type_u16, fleet_type_u32, fleet_type_u64, fleet_type_i8, fleet_type_i64,
    fleet_type_u16_null, fleet_type_u32_null, fleet_type_u64_null, fleet_type_i8_null, fleet_type_ai, fleet_type_ai32,
    fleet_type_vc, fleet_type_vc_null, fleet_type_vcu, fleet_type_tinytext, fleet_type_text, fleet_type_textu, fleet_type_rule, fleet_type_ts,
    fleet_type_tsx, fleet_type_ts_null, fleet_type_ts_null_now;

enum fleet_part { PART_KEY, PART_SAME, PART_PLACE, PART_LOOK };

struct fleet_column {
    const char *name;
    const struct fleet_type *type;
    unsigned length;                 /* characters of a varchar, bytes of a text */
    enum fleet_part part;
    const char *preset;
};

/* What becomes of a row where one of the same key is already there. */
enum fleet_merge {
    MERGE_NEWER,     /* the one with the higher rank stays, whole: a maximum, in whatever order they come */
    MERGE_LAID,      /* the first one stays: its number is ours and nobody else's */
    MERGE_LAST,      /* the last writer stays: no column says when */
    MERGE_LOCK       /* one active row a server: maintenance */
};

enum fleet_reading {
    READ_ALWAYS,     /* at start, and again every few seconds: people and tools write it */
    READ_SERVERS,    /* database_instance: at start, and what changes later */
    READ_ASKED       /* when somebody asks for a page of it */
};

struct fleet_table {
    const char *name;
    const struct fleet_column *columns;
    int column_count;
    enum fleet_merge merge;
    enum fleet_reading reading;
    int rank[2];                     /* columns that say which row is newer, first the first; -1: none */
    bool is_word;                    /* said by operators and tools, and true once it is durable: STORE_WORD of backends/store.h */
    bool is_named;                   /* a word names a row by its key (look at this server), or takes it back (forget it): told to every node, kept nowhere */
    int marked_by;                   /* a word marks a row that was laid by others, where there is one: the moment of the mark. 0: no table of marks */
    int marked_as;                   /* with it: the text that is the row's name on every node; "" in old rows, then the key is */
    const char *unique;              /* "index_name(column, ...)"; "": none beside the key */
    const char *indexes;             /* the same, several with a blank between */
    const char *replay;              /* why a second, late or lonely replay of writing does no harm */
};

extern const struct fleet_table fleet_tables[FLEET_TABLE_COUNT];

/* How long rows stay: older ones are deleted by who writes, once a minute a table. */
enum fleet_life_name {
    LIFE_OVER,           /* as soon as they have ended */
    LIFE_ENDED,          /* an hour after their end */
    LIFE_WEEK,
    LIFE_FORGET,         /* UnseenInstanceForgetHours */
    LIFE_AUDIT,          /* AuditPurgeDays: 7 days */
    LIFE_NAME,           /* ExpiryHostnameResolvesMinutes */
    LIFE_NAME_TWICE,     /* twice that */
    LIFE_RULE,           /* CandidateInstanceExpireMinutes */
    LIFE_POOL,           /* InstancePoolExpiryMinutes: an hour */
    LIFE_COUNT
};
struct fleet_life {
    enum fleet_table_name table;
    int column;                      /* a moment: from it on the life counts */
    enum fleet_life_name life;
    const char *only;                /* rows of which this is true; NULL: all */
    const char *becomes;             /* they stay, and this is so of them; NULL: they go */
};
extern const struct fleet_life fleet_lives[];
extern const int fleet_life_count;

/* -1: no such column, table. */
int fleet_column_named(const struct fleet_table *table, const char *name);
int fleet_table_named(const char *name);
/* The columns of the key stand first. */
int fleet_key_count(const struct fleet_table *table);

#endif
