/* One `create table` a line, up to NULL, for each kind of backend. */
#ifndef FC_TESTS_GOLDEN_SCHEMA_H
#define FC_TESTS_GOLDEN_SCHEMA_H

extern const char *const golden_mysql[];
extern const char *const golden_sqlite[];

#endif
