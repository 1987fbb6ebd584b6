/* The scenes speak MariaDB. Where `./test other-servers` runs them on a MySQL (FC_SERVER_FAMILY), the words are changed on their way. */
#ifndef FC_TESTS_PRIVATE_DIALECT_H
#define FC_TESTS_PRIVATE_DIALECT_H

#include <stdbool.h>
#include <stddef.h>

bool server_is_mysql(void);

/* The statement, or a column's name, as the server under test says it. The caller frees it. */
char *dialect_of(const char *words);

/* CHANGE MASTER ... ; START SLAVE, of the account repl, from a port of 127.0.0.1. `with`: more of its options, or "". */
void dialect_replicate(char *to, size_t size, int port, const char *channel, const char *with);

#endif
