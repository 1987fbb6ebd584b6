/* GTIDs: MariaDB's positions ("0-1-5,1-2-9": domain-server-sequence) and Oracle's sets ("uuid:1-5:7,uuid:tag:1-3").
 *
 * Both are read from (bytes, length) into arrays that the caller lends; how many it may take is told before by *_bound(). Nothing
 * here reserves memory. Blanks and line breaks between entries are let pass, as servers print them. */
#ifndef FC_MODEL_GTID_H
#define FC_MODEL_GTID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- MariaDB --- */

struct gtid_place {
    uint32_t domain, server;
    uint64_t sequence;
};

/* At most this many places are in the text. */
size_t gtid_places_bound(const char *text, size_t length);
/* In the order of the text. False: malformed, or more than `room`. An empty text has 0 places. */
bool gtid_places_parse(const char *text, size_t length, struct gtid_place *to, size_t room, size_t *count);
/* The highest sequence of a domain, by any server; NULL: the domain is not there. */
const struct gtid_place *gtid_places_of(const struct gtid_place *places, size_t count, uint32_t domain);
/* Has `a` reached every domain of `b`? Positions of one history: by sequence alone. */
bool gtid_places_reach(const struct gtid_place *a, size_t a_count, const struct gtid_place *b, size_t b_count);

/* --- Oracle --- */

#define GTID_TAG_MAX 32              /* MySQL 8.3 on: [a-z_][a-z0-9_]{0,31} */

struct gtid_interval {
    uint8_t source[16];              /* server_uuid or the group's name */
    char tag[GTID_TAG_MAX + 1];      /* "" = none */
    uint64_t first, last;            /* both inside; 1 <= first <= last */
};

struct gtid_set {                    /* sorted by source, tag, first; intervals neither overlap nor touch */
    struct gtid_interval *list;      /* the caller's */
    size_t count, room;
};

size_t gtid_set_bound(const char *text, size_t length);
/* `set` has list and room. False: malformed, or more than the room. */
bool gtid_set_parse(const char *text, size_t length, struct gtid_set *set);
/* a without b, into `to` (not a, not b). At most a.count + b.count intervals. False: more than the room. */
bool gtid_set_subtract(const struct gtid_set *a, const struct gtid_set *b, struct gtid_set *to);
bool gtid_set_contains(const struct gtid_set *a, const struct gtid_set *b);          /* all of b is in a */
bool gtid_set_is_same(const struct gtid_set *a, const struct gtid_set *b);
void gtid_set_remove_source(struct gtid_set *set, const uint8_t source[16]);         /* with all its tags */
uint64_t gtid_set_count(const struct gtid_set *set);                                 /* transactions; saturates */
/* As servers print it: lower case, no blanks. False: cut. */
bool gtid_set_write(const struct gtid_set *set, char *to, size_t size);
bool gtid_source_parse(const char *text, size_t length, uint8_t to[16]);             /* 36 bytes, 8-4-4-4-12 */

#endif
