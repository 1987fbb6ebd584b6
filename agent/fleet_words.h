/* Orders about the fleet that are remembered (downtime, tags, rules, aliases, pools, ...), as words for the store. An order is done when
 * each of its words is durable; then it counts in memory too. One that could not be stored says so, and what of it was stored is read
 * back like other tools' rows. */
#ifndef FC_AGENT_FLEET_WORDS_H
#define FC_AGENT_FLEET_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "act/fleet_orders.h"
#include "backends/fleet_store.h"
#include "backends/store.h"

#define FLEET_SAYINGS_MAX 64           /* orders under way */
#define FLEET_SAID_MAX 4096            /* words of one order: a pool's members, a tag of many servers */
#define FLEET_WORD_LIMIT_MS 5000

struct fleet_words;

/* The words of an order while they are made; memory of malloc. */
struct fleet_word_list { struct fleet_word *list; int count, room; };
/* Where the next one is made; who made it counts it. NULL: no memory. */
struct fleet_word *fleet_word_list_place(struct fleet_word_list *words);

struct fleet_words_port {
    void *owner;
    void (*ask)(void *owner, const struct store_request *request);                    /* of the store; server is set by who asks */
    void (*stands)(void *owner, const struct fleet_row *row, bool takes_back);        /* durable now: into memory with it */
    void (*done)(void *owner, uint64_t ticket, enum fc_code code, const char *text);
};

struct fleet_words *fleet_words_new(const struct fleet_words_port *port);             /* NULL: no memory */
void fleet_words_free(struct fleet_words *words);

/* Begins to say what the order says; `memory` tells who has a tag, who was in a pool. FC_NOT_FOUND: it says nothing to a store (nothing is to
 * be done for it here). FC_BUSY, FC_BAD_INPUT, FC_NO_MEMORY with a sentence. FC_OK: `done` comes later, never from within. */
struct fleet_speaker { int64_t unix_s; uint64_t number; const char *node, *token; };  /* now; of fleet_new_number() */
enum fc_code fleet_words_say(struct fleet_words *words, uint64_t ticket, const struct fleet_order *order, const struct fleet_memory *memory,
                             const struct fleet_speaker *speaker, struct fc_err *err);
/* Words that are made already, one at least; they are taken over in any case. `text` is told when all are durable. FC_BUSY. */
enum fc_code fleet_words_say_list(struct fleet_words *words, uint64_t ticket, struct fleet_word_list *made, const char *text, struct fc_err *err);
/* A STORE_WORD of ours was answered. */
void fleet_words_heard(struct fleet_words *words, const struct store_result *result);

#endif
