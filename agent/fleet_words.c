/* Each order makes its words at once; they are asked one after the other. */
#include "agent/fleet_words.h"

#include <stdlib.h>
#include <string.h>

#include "backends/fleet/fleet_say.h"
#include "base/text.h"

struct saying {
    uint64_t ticket, request;          /* request 0: free */
    struct fleet_word_list words;
    int next;
    char text[96];                     /* told at the end */
};

struct fleet_words {
    struct fleet_words_port port;
    uint64_t next_request;
    struct saying sayings[FLEET_SAYINGS_MAX];
};

/* ---- making --------------------------------------------------------------------------------------------------------- */

struct making {
    const struct fleet_order *order;
    const struct fleet_memory *memory;
    const struct fleet_speaker *speaker;
    struct fleet_said said;
    struct fleet_word_list words;
    enum fc_code code;
    struct fc_err *err;
};

struct fleet_word *fleet_word_list_place(struct fleet_word_list *words)
{
    if (words->count == words->room) {
        const int room = words->room * 2 + 4;
        struct fleet_word *larger = realloc(words->list, (size_t)room * sizeof *larger);
        if (larger == NULL)
            return NULL;
        words->list = larger;
        words->room = room;
    }
    return &words->list[words->count];
}

static struct fleet_word *place(struct making *m)
{
    if (m->code != FC_OK)
        return NULL;
    if (m->words.count == FLEET_SAID_MAX) {
        m->code = fc_fail(m->err, FC_BAD_INPUT, "an order says at most %d things; this one says more", FLEET_SAID_MAX);
        return NULL;
    }
    struct fleet_word *word = fleet_word_list_place(&m->words);
    if (word == NULL)
        m->code = fc_fail(m->err, FC_NO_MEMORY, "out of memory");
    return word;
}

static void take(struct making *m, enum fc_code code)
{
    m->code = code;
    m->words.count += code == FC_OK;
}

typedef void make(struct making *m);

static void server(struct making *m)
{
    struct fleet_word *word = place(m);
    if (word != NULL)
        take(m, fleet_say_server(&m->said, word, m->err));
}

static void servers(struct making *m)
{
    for (uint32_t i = 0; i < m->order->key_count; i++) {
        m->said.key = m->order->keys[i];
        server(m);
    }
}

static void downtime(struct making *m)
{
    struct fleet_word *word = place(m);
    if (word != NULL)
        take(m, fleet_say_downtime(&m->said, word, m->err));
}

static void maintenance(struct making *m)
{
    struct fleet_word *word = place(m);
    if (word != NULL)
        take(m, fleet_say_maintenance(&m->said, m->speaker->number, m->speaker->node, m->speaker->token, word, m->err));
}

static void rule(struct making *m)
{
    struct fleet_word *word = place(m);
    if (word != NULL)
        take(m, fleet_say_rule(&m->said, m->order->rule, word, m->err));
}

static void tag(struct making *m)
{
    struct fleet_word *word = place(m);
    if (word != NULL)
        take(m, fleet_say_tag(&m->said, m->order->name, m->order->text, word, m->err));
}

static void untag_one(struct making *m, const struct override *row)
{
    const char *value = override_tag(m->memory->overrides, row, m->order->name);
    if (value != NULL && (!m->order->has_value || text_is(value, m->order->text)))
        tag(m);
}

static void untag(struct making *m) { untag_one(m, overrides_of(m->memory->overrides, &m->said.key)); }

static void untag_all(struct making *m)
{
    const struct overrides *all = m->memory->overrides;
    for (uint32_t i = 0; i < all->count; i++) {
        m->said.key = (struct instance_key){ names_text(all->names, all->list[i].host), all->list[i].port };
        untag_one(m, &all->list[i]);
    }
}

static void alias(struct making *m)
{
    struct fleet_word *word = place(m);
    m->said.takes_back = m->order->name[0] == '\0';
    if (word != NULL)
        take(m, fleet_say_alias(&m->said, m->order->subject, m->order->name, word, m->err));
}

static void pool_member(struct making *m, const struct instance_key *key, bool leaves)
{
    struct fleet_word *word = place(m);
    m->said.key = *key;
    m->said.takes_back = leaves;
    if (word != NULL)
        take(m, fleet_say_pool(&m->said, m->order->name, word, m->err));
}

static bool is_submitted(const struct fleet_order *order, const struct instance_key *key)
{
    for (uint32_t i = 0; i < order->key_count; i++) {
        if (instance_key_is_same(&order->keys[i], key))
            return true;
    }
    return false;
}

static void pool(struct making *m)
{
    const struct server_pools *pools = m->memory->pools;
    for (uint32_t i = 0; i < m->order->key_count; i++)
        pool_member(m, &m->order->keys[i], false);
    for (uint32_t i = 0; i < pools->count; i++) {
        const struct instance_key key = { names_text(pools->names, pools->list[i].host), pools->list[i].port };
        if (text_is(names_text(pools->names, pools->list[i].pool), m->order->name) && !is_submitted(m->order, &key))
            pool_member(m, &key, true);
    }
}

static void unresolve(struct making *m)
{
    struct fleet_word *word = place(m);
    if (word != NULL)
        take(m, fleet_say_unresolve(&m->said, m->order->host, m->order->name, word, m->err));
}

static const struct { make *make; bool takes_back; } makers[FLEET_VERB_COUNT] = {
    [FLEET_DISCOVER] = { server, false },                 [FLEET_ASYNC_DISCOVER] = { server, false },
    [FLEET_FORGET] = { server, true },                    [FLEET_FORGET_CLUSTER] = { servers, true },
    [FLEET_BEGIN_DOWNTIME] = { downtime, false },         [FLEET_END_DOWNTIME] = { downtime, true },
    [FLEET_BEGIN_MAINTENANCE] = { maintenance, false },   [FLEET_END_MAINTENANCE] = { maintenance, true },
    [FLEET_REGISTER_CANDIDATE] = { rule, false },         [FLEET_TAG] = { tag, false },
    [FLEET_UNTAG] = { untag, true },                      [FLEET_UNTAG_ALL] = { untag_all, true },
    [FLEET_SET_CLUSTER_ALIAS] = { alias, false },         [FLEET_SUBMIT_POOL] = { pool, false },
    [FLEET_REGISTER_UNRESOLVE] = { unresolve, false },    [FLEET_DEREGISTER_UNRESOLVE] = { unresolve, true },
};

/* ---- saying --------------------------------------------------------------------------------------------------------- */

static void ask_next(struct fleet_words *words, struct saying *s)
{
    struct store_request request = { .deed = STORE_WORD, .limit_ms = FLEET_WORD_LIMIT_MS };
    request.id = s->request = ++words->next_request;
    request.word = s->words.list[s->next];
    words->port.ask(words->port.owner, &request);
}

enum fc_code fleet_words_say_list(struct fleet_words *words, uint64_t ticket, struct fleet_word_list *made, const char *text, struct fc_err *err)
{
    const struct fleet_word_list own = *made;
    *made = (struct fleet_word_list){ 0 };
    for (int i = 0; i < FLEET_SAYINGS_MAX; i++) {
        struct saying *s = &words->sayings[i];
        if (s->request != 0)
            continue;
        *s = (struct saying){ .ticket = ticket, .words = own };
        TEXT_SET(s->text, text);
        ask_next(words, s);
        return FC_OK;
    }
    free(own.list);
    return fc_fail(err, FC_BUSY, "too many orders wait for the store");
}

enum fc_code fleet_words_say(struct fleet_words *words, uint64_t ticket, const struct fleet_order *order, const struct fleet_memory *memory,
                             const struct fleet_speaker *speaker, struct fc_err *err)
{
    struct making m = {
        .order = order, .memory = memory, .speaker = speaker, .err = err,
        .said = { .takes_back = makers[order->verb].takes_back, .at = speaker->unix_s, .key = { order->host, order->port },
                  .until = order->seconds > 0 ? speaker->unix_s + order->seconds : 0, .owner = order->name, .reason = order->text },
    };
    if (makers[order->verb].make == NULL)
        return FC_NOT_FOUND;
    makers[order->verb].make(&m);
    if (m.code == FC_OK && m.words.count > 0)
        return fleet_words_say_list(words, ticket, &m.words, "", err);
    free(m.words.list);
    return m.code != FC_OK ? m.code : FC_NOT_FOUND;
}

static void end(struct fleet_words *words, struct saying *s, enum fc_code code, const char *text)
{
    const struct saying ended = *s;
    free(s->words.list);
    *s = (struct saying){ 0 };
    words->port.done(words->port.owner, ended.ticket, code, code == FC_OK ? ended.text : text);
}

void fleet_words_heard(struct fleet_words *words, const struct store_result *result)
{
    struct saying *s = NULL;
    struct fleet_row row;
    for (int i = 0; i < FLEET_SAYINGS_MAX && s == NULL; i++)
        s = words->sayings[i].request != 0 && words->sayings[i].request == result->id ? &words->sayings[i] : NULL;
    if (s == NULL)
        return;
    if (result->code != FC_OK) {
        end(words, s, result->code, result->text);
        return;
    }
    if (fleet_word_row(&s->words.list[s->next], &row) == FC_OK)
        words->port.stands(words->port.owner, &row, s->words.list[s->next].takes_back);
    if (++s->next < s->words.count)
        ask_next(words, s);
    else
        end(words, s, FC_OK, "");
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

struct fleet_words *fleet_words_new(const struct fleet_words_port *port)
{
    struct fleet_words *words = calloc(1, sizeof *words);
    if (words != NULL)
        words->port = *port;
    return words;
}

void fleet_words_free(struct fleet_words *words)
{
    for (int i = 0; words != NULL && i < FLEET_SAYINGS_MAX; i++)
        free(words->sayings[i].words.list);
    free(words);
}
