/* Apply, encode, decode. Tables are kept in the order of their keys, so that equal states are equal bytes. */
#include "backends/quorum/shared_state.h"

#include <stdlib.h>
#include <string.h>

#include "backends/quorum/bytes.h"
#include "base/text.h"

#define ENTRY_MAGIC 0x31454346u      /* "FCE1" */
#define ENTRY_STEP 8                 /* libraft 0.15 reads a batch of entries as if each began at a multiple of 8, and sends them as they
                                      * are: entries of another length are read beyond their buffer */
#define STATE_MAGIC 0x32534346u      /* "FCS2" */
#define STATE_MAGIC_1 0x31534346u    /* "FCS1": without the chair and words */

/* ---- bytes of one row --------------------------------------------------------------------------------------------- */

static void put_hold(struct bytes_out *out, const struct hold *h)
{
    bytes_put_text(out, h->pool);
    bytes_put_text(out, h->server);
    bytes_put_text(out, hold_kind_word(h->kind));
    bytes_put_number(out, h->epoch, 8);
    bytes_put_number(out, h->seq, 8);
    bytes_put_number(out, (uint64_t)h->since_unix_ms, 8);
    bytes_put_text(out, h->by);
    bytes_put_text(out, h->why);
}

static void get_hold(struct bytes_in *in, struct hold *h)
{
    char kind[16];
    bytes_get_text(in, h->pool, sizeof h->pool);
    bytes_get_text(in, h->server, sizeof h->server);
    bytes_get_text(in, kind, sizeof kind);
    h->epoch = bytes_get_number(in, 8);
    h->seq = bytes_get_number(in, 8);
    h->since_unix_ms = (int64_t)bytes_get_number(in, 8);
    bytes_get_text(in, h->by, sizeof h->by);
    bytes_get_text(in, h->why, sizeof h->why);
    if (!hold_kind_from_word(kind, &h->kind) || h->epoch >= RANK_MAX || h->seq >= RANK_MAX)
        in->is_bad = true;
}

static void put_order(struct bytes_out *out, const struct stored_order *o)
{
    bytes_put_number(out, o->id, 8);
    bytes_put_text(out, order_state_word(o->state));
    bytes_put_text(out, o->text);
    bytes_put_text(out, o->by);
    bytes_put_text(out, o->node);
    bytes_put_text(out, o->answer);
}

static void get_order(struct bytes_in *in, struct stored_order *o)
{
    char state[16];
    o->id = bytes_get_number(in, 8);
    bytes_get_text(in, state, sizeof state);
    bytes_get_text(in, o->text, sizeof o->text);
    bytes_get_text(in, o->by, sizeof o->by);
    bytes_get_text(in, o->node, sizeof o->node);
    bytes_get_text(in, o->answer, sizeof o->answer);
    if (!order_state_from_word(state, &o->state) || o->id == 0 || o->id >= RANK_MAX)
        in->is_bad = true;
}

static void put_history(struct bytes_out *out, const struct history_row *h)
{
    bytes_put_number(out, h->id, 8);
    bytes_put_number(out, (uint64_t)h->unix_ms, 8);
    bytes_put_number(out, h->epoch, 8);
    bytes_put_text(out, h->kind);
    bytes_put_text(out, h->subject);
    bytes_put_text(out, h->node);
    bytes_put_text(out, h->text);
}

static void get_history(struct bytes_in *in, struct history_row *h)
{
    h->id = bytes_get_number(in, 8);
    h->unix_ms = (int64_t)bytes_get_number(in, 8);
    h->epoch = bytes_get_number(in, 8);
    bytes_get_text(in, h->kind, sizeof h->kind);
    bytes_get_text(in, h->subject, sizeof h->subject);
    bytes_get_text(in, h->node, sizeof h->node);
    bytes_get_text(in, h->text, sizeof h->text);
    if (h->id == 0 || h->id >= RANK_MAX || h->epoch >= RANK_MAX)
        in->is_bad = true;
}

static void put_word(struct bytes_out *out, bool takes_back, const uint8_t *bytes, uint16_t length)
{
    bytes_put_number(out, takes_back, 1);
    bytes_put_number(out, length, 2);
    if (out->is_full || out->size - out->length < length) {
        out->is_full = true;
        return;
    }
    memcpy(out->to + out->length, bytes, length);
    out->length += length;
}

static void get_word(struct bytes_in *in, struct fleet_word *word)
{
    struct fleet_row row;
    word->takes_back = bytes_get_number(in, 1) != 0;
    word->length = (uint16_t)bytes_get_number(in, 2);
    if (in->is_bad || word->length > sizeof word->bytes || in->size - in->at < word->length) {
        in->is_bad = true;
        return;
    }
    memcpy(word->bytes, in->from + in->at, word->length);
    in->at += word->length;
    in->is_bad |= fleet_word_row(word, &row) != FC_OK;
}

static void put_rank(struct bytes_out *out, const struct rank *r)
{
    bytes_put_number(out, r->epoch, 8);
    bytes_put_number(out, r->seq, 8);
    bytes_put_text(out, r->server);
    bytes_put_text(out, r->node);
}

static void get_rank(struct bytes_in *in, struct rank *r)
{
    r->epoch = bytes_get_number(in, 8);
    r->seq = bytes_get_number(in, 8);
    bytes_get_text(in, r->server, sizeof r->server);
    bytes_get_text(in, r->node, sizeof r->node);
    if (r->epoch >= RANK_MAX || r->seq >= RANK_MAX)
        in->is_bad = true;
}

static void put_decision(struct bytes_out *out, const struct decision *d)
{
    put_rank(out, &d->rank);
    bytes_put_text(out, phase_word(d->phase));
    bytes_put_text(out, d->successor);
    bytes_put_number(out, d->intent_id, 8);
    bytes_put_number(out, d->limit_ms, 4);
    bytes_put_text(out, d->why);
    bytes_put_text(out, d->mark);
}

static void get_decision(struct bytes_in *in, struct decision *d)
{
    char phase[16];
    get_rank(in, &d->rank);
    bytes_get_text(in, phase, sizeof phase);
    bytes_get_text(in, d->successor, sizeof d->successor);
    d->intent_id = bytes_get_number(in, 8);
    d->limit_ms = (uint32_t)bytes_get_number(in, 4);
    bytes_get_text(in, d->why, sizeof d->why);
    bytes_get_text(in, d->mark, sizeof d->mark);
    if (!phase_from_word(phase, &d->phase) || !decision_is_sound(d))
        in->is_bad = true;
}

/* ---- entries ------------------------------------------------------------------------------------------------------ */

/* The words stand in the log for ever: other versions read them. */
static const struct { enum store_deed deed; const char *word; } entry_kinds[] = {
    { STORE_HOLD, "hold" }, { STORE_ORDER_LAY, "order-lay" }, { STORE_ORDER_CLOSE, "order-close" }, { STORE_HISTORY, "history" },
    { STORE_WORD, "word" }, { STORE_TAKE, "chair" }, { STORE_LOOK, "nothing" },
};
#define ENTRY_KINDS (sizeof entry_kinds / sizeof entry_kinds[0])

static const char *kind_word(enum store_deed deed)
{
    for (size_t i = 0; i < ENTRY_KINDS; i++) {
        if (entry_kinds[i].deed == deed)
            return entry_kinds[i].word;
    }
    return NULL;
}

bool shared_is_wanted(const struct store_request *request)
{
    return request->deed != STORE_LOOK && request->deed != STORE_TAKE && kind_word(request->deed) != NULL;
}

void shared_entry_of(const struct store_request *request, const char *issuer, uint64_t number, struct shared_entry *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->deed = request->deed;
    ret->number = number;
    TEXT_SET(ret->issuer, issuer);
    if (request->deed == STORE_TAKE) {
        ret->row = request->row;
        ret->old = request->old.rank;
    } else if (request->deed == STORE_HOLD)
        ret->hold = request->hold;
    else if (request->deed == STORE_HISTORY)
        ret->history = request->history;
    else if (request->deed == STORE_WORD)
        ret->word = request->word;
    else
        ret->order = request->order;
}

void shared_entry_request(const struct shared_entry *entry, struct store_request *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->deed = entry->deed;
    ret->hold = entry->hold;
    ret->order = entry->order;
    ret->history = entry->history;
    ret->word = entry->word;
}

enum fc_code shared_entry_encode(const struct shared_entry *entry, uint8_t *to, size_t size, size_t *length)
{
    struct bytes_out out = { .to = to, .size = size };
    const char *kind = kind_word(entry->deed);
    if (kind == NULL)
        return FC_BAD_INPUT;
    bytes_put_number(&out, ENTRY_MAGIC, 4);
    bytes_put_text(&out, kind);
    bytes_put_text(&out, entry->issuer);
    bytes_put_number(&out, entry->number, 8);
    if (entry->deed == STORE_TAKE) {
        put_decision(&out, &entry->row);
        put_rank(&out, &entry->old);
    } else if (entry->deed == STORE_HOLD)
        put_hold(&out, &entry->hold);
    else if (entry->deed == STORE_HISTORY)
        put_history(&out, &entry->history);
    else if (entry->deed == STORE_WORD)
        put_word(&out, entry->word.takes_back, entry->word.bytes, entry->word.length);
    else if (entry->deed != STORE_LOOK)
        put_order(&out, &entry->order);
    while (!out.is_full && out.length % ENTRY_STEP != 0)
        bytes_put_number(&out, 0, 1);
    *length = out.length;
    return out.is_full ? FC_BAD_INPUT : FC_OK;
}

/* Zeros up to the next step, and nothing else. */
static bool ends_well(const struct bytes_in *in)
{
    if (in->is_bad || in->size % ENTRY_STEP != 0 || in->size - in->at >= ENTRY_STEP)
        return false;
    for (size_t i = in->at; i < in->size; i++) {
        if (in->from[i] != 0)
            return false;
    }
    return true;
}

enum fc_code shared_entry_decode(const uint8_t *from, size_t size, struct shared_entry *ret)
{
    struct bytes_in in = { .from = from, .size = size };
    char kind[16];
    memset(ret, 0, sizeof *ret);
    if (bytes_get_number(&in, 4) != ENTRY_MAGIC)
        return FC_BAD_INPUT;
    bytes_get_text(&in, kind, sizeof kind);
    bytes_get_text(&in, ret->issuer, sizeof ret->issuer);
    ret->number = bytes_get_number(&in, 8);
    ret->deed = STORE_DEED_COUNT;
    for (size_t i = 0; i < ENTRY_KINDS; i++) {
        if (text_is(kind, entry_kinds[i].word))
            ret->deed = entry_kinds[i].deed;
    }
    if (in.is_bad || ret->deed == STORE_DEED_COUNT || ret->number == 0 || ret->issuer[0] == '\0')
        return FC_BAD_INPUT;
    if (ret->deed == STORE_TAKE) {
        get_decision(&in, &ret->row);
        get_rank(&in, &ret->old);
    } else if (ret->deed == STORE_HOLD)
        get_hold(&in, &ret->hold);
    else if (ret->deed == STORE_HISTORY)
        get_history(&in, &ret->history);
    else if (ret->deed == STORE_WORD)
        get_word(&in, &ret->word);
    else if (ret->deed != STORE_LOOK)
        get_order(&in, &ret->order);
    return ends_well(&in) ? FC_OK : FC_BAD_INPUT;
}

/* ---- repetitions -------------------------------------------------------------------------------------------------- */

static struct shared_issuer *issuer_named(struct shared_state *state, const char *name)
{
    struct shared_issuer *oldest = &state->issuers[0];
    for (int i = 0; i < state->issuer_count; i++) {
        if (text_is(state->issuers[i].name, name))
            return &state->issuers[i];
        if (state->issuers[i].used_at < oldest->used_at)
            oldest = &state->issuers[i];
    }
    if (state->issuer_count < SHARED_ISSUERS_MAX)
        oldest = &state->issuers[state->issuer_count++];
    memset(oldest, 0, sizeof *oldest);
    TEXT_SET(oldest->name, name);
    return oldest;
}

static bool is_repeated(struct shared_issuer *issuer, uint64_t number)
{
    if (number > issuer->highest) {
        const uint64_t step = number - issuer->highest;
        issuer->seen = step >= SHARED_WINDOW ? 1 : (issuer->seen << step) | 1;
        issuer->highest = number;
        return false;
    }
    const uint64_t below = issuer->highest - number;
    if (below >= SHARED_WINDOW || (issuer->seen >> below & 1) != 0)
        return true;
    issuer->seen |= UINT64_C(1) << below;
    return false;
}

/* ---- the tables --------------------------------------------------------------------------------------------------- */

static bool apply_hold(struct shared_state *state, const struct hold *hold)
{
    int at = 0;
    for (; at < state->hold_count; at++) {
        const int by_pool = strcmp(state->holds[at].pool, hold->pool);
        const int order = by_pool != 0 ? by_pool : strcmp(state->holds[at].server, hold->server);
        if (order == 0) {
            if (hold_compare(hold, &state->holds[at]) > 0)
                state->holds[at] = *hold;
            return true;
        }
        if (order > 0)
            break;
    }
    if (state->hold_count == SHARED_HOLDS_MAX)
        return false;
    memmove(&state->holds[at + 1], &state->holds[at], (size_t)(state->hold_count - at) * sizeof state->holds[0]);
    state->holds[at] = *hold;
    state->hold_count++;
    return true;
}

static int order_place(const struct shared_state *state, uint64_t id)
{
    int at = 0;
    while (at < state->order_count && state->orders[at].id < id)
        at++;
    return at;
}

static void order_remove(struct shared_state *state, int at)
{
    state->order_count--;
    memmove(&state->orders[at], &state->orders[at + 1], (size_t)(state->order_count - at) * sizeof state->orders[0]);
}

/* Room for one more: the oldest order that was answered goes, else the oldest. */
static void order_make_room(struct shared_state *state)
{
    int at = 0;
    while (at < state->order_count && state->orders[at].state == ORDER_ASKED)
        at++;
    order_remove(state, at < state->order_count ? at : 0);
}

/* Of two answers 'done' stays, then the lesser text: as the words sort in SQL_ORDER_CLOSE. */
static bool answer_is_better(const struct stored_order *fresh, const struct stored_order *stands)
{
    if (fresh->state == ORDER_ASKED)
        return false;
    if (stands->state == ORDER_ASKED)
        return true;
    const int by_state = strcmp(order_state_word(fresh->state), order_state_word(stands->state));
    return by_state != 0 ? by_state < 0 : strcmp(fresh->answer, stands->answer) < 0;
}

static bool apply_order(struct shared_state *state, const struct stored_order *order, bool closes)
{
    int at = order_place(state, order->id);
    if (at < state->order_count && state->orders[at].id == order->id) {
        struct stored_order *stands = &state->orders[at];
        if (closes && answer_is_better(order, stands)) {
            stands->state = order->state;
            TEXT_SET(stands->answer, order->answer);
        }
        return true;
    }
    if (state->order_count == SHARED_ORDERS_MAX) {
        order_make_room(state);
        at = order_place(state, order->id);
    }
    memmove(&state->orders[at + 1], &state->orders[at], (size_t)(state->order_count - at) * sizeof state->orders[0]);
    state->orders[at] = *order;
    state->order_count++;
    return true;
}

static bool apply_history(struct shared_state *state, const struct history_row *line)
{
    int at = 0;
    while (at < state->history_count && state->history[at].id < line->id)
        at++;
    if (at < state->history_count && state->history[at].id == line->id)
        return true;
    if (state->history_count == SHARED_HISTORY_MAX) {
        if (at == 0)
            return true;                                   /* older than all that is kept: the private stores have it */
        memmove(&state->history[0], &state->history[1], (size_t)(at - 1) * sizeof state->history[0]);
        state->history[at - 1] = *line;
        return true;
    }
    memmove(&state->history[at + 1], &state->history[at], (size_t)(state->history_count - at) * sizeof state->history[0]);
    state->history[at] = *line;
    state->history_count++;
    return true;
}

/* ---- words: their bytes lie one behind the other, in any order; their list is in the order of their keys ----------------- */

static struct fleet_word word_at(const struct shared_state *state, int at)
{
    const struct shared_word *place = &state->words[at];
    struct fleet_word word = { .takes_back = place->takes_back, .length = place->length };
    memcpy(word.bytes, state->word_room + place->offset, place->length);
    return word;
}

static int word_place(const struct shared_state *state, uint64_t key)
{
    int low = 0, high = state->word_count;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (state->words[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void word_remove(struct shared_state *state, int at)
{
    const struct shared_word gone = state->words[at];
    state->word_count--;
    memmove(&state->words[at], &state->words[at + 1], (size_t)(state->word_count - at) * sizeof state->words[0]);
    state->word_bytes -= gone.length;
    memmove(state->word_room + gone.offset, state->word_room + gone.offset + gone.length, state->word_bytes - gone.offset);
    for (int i = 0; i < state->word_count; i++) {
        if (state->words[i].offset > gone.offset)
            state->words[i].offset -= gone.length;
    }
}

/* A downtime or a maintenance that was over when the word was said that wants its room. */
static bool has_ended(const struct shared_state *state, int at, int64_t said_at)
{
    const struct fleet_word word = word_at(state, at);
    struct fleet_row row;
    int64_t end = 0;
    if (fleet_word_row(&word, &row) != FC_OK)
        return true;
    if (row.table == FLEET_database_instance_downtime)
        end = fleet_number(&row, database_instance_downtime_end_timestamp);
    if (row.table == FLEET_database_instance_maintenance)
        end = fleet_number(&row, database_instance_maintenance_end_timestamp);
    return end > 0 && end < said_at;
}

/* Nothing is lost with it but that a node that was away hears of it: what was taken back, and that a recovery was seen. */
static bool is_spare(const struct shared_state *state, int at)
{
    struct fleet_row row;
    if (state->words[at].takes_back)
        return true;
    const struct fleet_word word = word_at(state, at);
    return fleet_word_row(&word, &row) == FC_OK && fleet_tables[row.table].marked_by > 0;
}

/* What was spare longest goes, then what has ended. False: everything there still stands. */
static bool word_make_room(struct shared_state *state, int64_t said_at)
{
    int goes = -1;
    for (int i = 0; i < state->word_count; i++) {
        if ((goes < 0 || state->words[i].entry < state->words[goes].entry) && is_spare(state, i))
            goes = i;
    }
    for (int i = 0; i < state->word_count && goes < 0; i++)
        goes = has_ended(state, i, said_at) ? i : -1;
    if (goes >= 0)
        word_remove(state, goes);
    return goes >= 0;
}

static int64_t said_at(const struct fleet_row *row)
{
    const struct fleet_table *table = &fleet_tables[row->table];
    const int rank = table->marked_by > 0 ? table->marked_by : table->rank[0];
    return rank < 0 ? 0 : fleet_number(row, rank);
}

static bool word_lay(struct shared_state *state, uint64_t key, uint64_t entry, int64_t at_second, const struct fleet_word *word)
{
    while (state->word_count == SHARED_WORDS_MAX || state->word_bytes + word->length > SHARED_WORD_BYTES) {
        if (!word_make_room(state, at_second))
            return false;
    }
    const int at = word_place(state, key);
    memmove(&state->words[at + 1], &state->words[at], (size_t)(state->word_count - at) * sizeof state->words[0]);
    state->words[at] = (struct shared_word){ key, entry, state->word_bytes, word->length, word->takes_back };
    memcpy(state->word_room + state->word_bytes, word->bytes, word->length);
    state->word_bytes += word->length;
    state->word_count++;
    return true;
}

/* Of two of one key the newer stays, of one second the later: as in fleet_sql.c. */
static bool apply_word(struct shared_state *state, const struct fleet_word *word)
{
    struct fleet_row said, stands;
    if (fleet_word_row(word, &said) != FC_OK)
        return false;
    if (fleet_tables[said.table].is_named)                 /* heard by every node, and nothing that lasts */
        return true;
    const uint64_t key = fleet_word_key(&said);
    const int at = word_place(state, key);
    if (at < state->word_count && state->words[at].key == key) {
        const struct fleet_word old = word_at(state, at);
        if (fleet_word_row(&old, &stands) == FC_OK && fleet_rank_compare(&said, &stands) < 0)
            return true;
        word_remove(state, at);
        if (word_lay(state, key, state->entries, said_at(&said), word))
            return true;
        word_lay(state, key, state->entries, 0, &old);        /* the longer one has no room: what stood there stays */
        return false;
    }
    return word_lay(state, key, state->entries, said_at(&said), word);
}

bool shared_chair_apply(struct decision *chair, const struct shared_entry *entry)
{
    if (rank_compare(&chair->rank, &entry->old) == 0 && rank_compare(&entry->row.rank, &chair->rank) > 0)
        *chair = entry->row;
    return rank_compare(&chair->rank, &entry->row.rank) == 0;
}

void shared_state_init(struct shared_state *state) { memset(state, 0, sizeof *state); }

enum shared_verdict shared_state_apply(struct shared_state *state, const uint8_t *bytes, size_t size)
{
    struct shared_entry entry;
    bool has_room = true;
    state->entries++;
    if (shared_entry_decode(bytes, size, &entry) != FC_OK) {
        state->strange++;
        return SHARED_STRANGE;
    }
    if (entry.deed == STORE_LOOK)
        return SHARED_REPEATED;
    struct shared_issuer *issuer = issuer_named(state, entry.issuer);
    issuer->used_at = state->entries;
    if (is_repeated(issuer, entry.number)) {
        state->repeated++;
        return SHARED_REPEATED;
    }
    if (entry.deed == STORE_TAKE)
        shared_chair_apply(&state->chair, &entry);
    else if (entry.deed == STORE_HOLD)
        has_room = apply_hold(state, &entry.hold);
    else if (entry.deed == STORE_HISTORY)
        has_room = apply_history(state, &entry.history);
    else if (entry.deed == STORE_WORD)
        has_room = apply_word(state, &entry.word);
    else
        has_room = apply_order(state, &entry.order, entry.deed == STORE_ORDER_CLOSE);
    if (!has_room)
        state->strange++;
    return has_room ? SHARED_APPLIED : SHARED_STRANGE;
}

/* ---- snapshots ---------------------------------------------------------------------------------------------------- */

enum fc_code shared_state_encode(const struct shared_state *state, uint8_t *to, size_t size, size_t *length)
{
    struct bytes_out out = { .to = to, .size = size };
    bytes_put_number(&out, STATE_MAGIC, 4);
    bytes_put_number(&out, state->entries, 8);
    bytes_put_number(&out, state->repeated, 8);
    bytes_put_number(&out, state->strange, 8);
    put_decision(&out, &state->chair);
    bytes_put_number(&out, (uint64_t)state->hold_count, 4);
    for (int i = 0; i < state->hold_count; i++)
        put_hold(&out, &state->holds[i]);
    bytes_put_number(&out, (uint64_t)state->order_count, 4);
    for (int i = 0; i < state->order_count; i++)
        put_order(&out, &state->orders[i]);
    bytes_put_number(&out, (uint64_t)state->history_count, 4);
    for (int i = 0; i < state->history_count; i++)
        put_history(&out, &state->history[i]);
    bytes_put_number(&out, (uint64_t)state->issuer_count, 4);
    for (int i = 0; i < state->issuer_count; i++) {
        bytes_put_text(&out, state->issuers[i].name);
        bytes_put_number(&out, state->issuers[i].highest, 8);
        bytes_put_number(&out, state->issuers[i].seen, 8);
        bytes_put_number(&out, state->issuers[i].used_at, 8);
    }
    bytes_put_number(&out, (uint64_t)state->word_count, 4);
    for (int i = 0; i < state->word_count; i++) {
        const struct shared_word *word = &state->words[i];
        bytes_put_number(&out, word->entry, 8);
        put_word(&out, word->takes_back, state->word_room + word->offset, word->length);
    }
    if (!out.is_full)
        bytes_put_number(&out, bytes_checksum(out.to, out.length), 4);
    *length = out.length;
    return out.is_full ? FC_BAD_INPUT : FC_OK;
}

static int get_count(struct bytes_in *in, int most)
{
    const uint64_t count = bytes_get_number(in, 4);
    if (count > (uint64_t)most)
        in->is_bad = true;
    return in->is_bad ? 0 : (int)count;
}

static void get_words(struct bytes_in *in, struct shared_state *s)
{
    const int count = get_count(in, SHARED_WORDS_MAX);
    for (int i = 0; i < count && !in->is_bad; i++) {
        struct fleet_word word;
        struct fleet_row row;
        const uint64_t entry = bytes_get_number(in, 8);
        get_word(in, &word);
        if (in->is_bad || fleet_word_row(&word, &row) != FC_OK || !word_lay(s, fleet_word_key(&row), entry, 0, &word))
            in->is_bad = true;
    }
    in->is_bad |= s->word_count != count;
}

static void get_state(struct bytes_in *in, struct shared_state *s, bool is_first_kind)
{
    s->entries = bytes_get_number(in, 8);
    s->repeated = bytes_get_number(in, 8);
    s->strange = bytes_get_number(in, 8);
    if (!is_first_kind)
        get_decision(in, &s->chair);
    s->hold_count = get_count(in, SHARED_HOLDS_MAX);
    for (int i = 0; i < s->hold_count; i++)
        get_hold(in, &s->holds[i]);
    s->order_count = get_count(in, SHARED_ORDERS_MAX);
    for (int i = 0; i < s->order_count; i++)
        get_order(in, &s->orders[i]);
    s->history_count = get_count(in, SHARED_HISTORY_MAX);
    for (int i = 0; i < s->history_count; i++)
        get_history(in, &s->history[i]);
    s->issuer_count = get_count(in, SHARED_ISSUERS_MAX);
    for (int i = 0; i < s->issuer_count; i++) {
        bytes_get_text(in, s->issuers[i].name, sizeof s->issuers[i].name);
        s->issuers[i].highest = bytes_get_number(in, 8);
        s->issuers[i].seen = bytes_get_number(in, 8);
        s->issuers[i].used_at = bytes_get_number(in, 8);
    }
    if (!is_first_kind)
        get_words(in, s);
}

enum fc_code shared_state_decode(const uint8_t *from, size_t size, struct shared_state *ret, struct fc_err *err)
{
    if (size < 8)
        return fc_fail(err, FC_BAD_INPUT, "the snapshot has %zu bytes, which is too short", size);
    struct bytes_in in = { .from = from, .size = size - 4 }, end = { .from = from, .size = size, .at = size - 4 };
    if (bytes_get_number(&end, 4) != bytes_checksum(from, size - 4))
        return fc_fail(err, FC_BAD_INPUT, "the snapshot's checksum is wrong");
    const uint64_t magic = bytes_get_number(&in, 4);
    if (magic != STATE_MAGIC && magic != STATE_MAGIC_1)
        return fc_fail(err, FC_BAD_INPUT, "the snapshot is of another version");
    struct shared_state *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    get_state(&in, fresh, magic == STATE_MAGIC_1);
    const bool is_good = !in.is_bad && in.at == in.size;
    if (is_good)
        *ret = *fresh;
    free(fresh);
    return is_good ? FC_OK : fc_fail(err, FC_BAD_INPUT, "the snapshot's rows cannot be understood");
}

bool shared_state_row(const struct shared_state *state, int index, struct store_request *ret)
{
    memset(ret, 0, sizeof *ret);
    if (index < state->hold_count) {
        ret->deed = STORE_HOLD;
        ret->hold = state->holds[index];
        return true;
    }
    index -= state->hold_count;
    if (index < state->order_count) {
        ret->deed = state->orders[index].state == ORDER_ASKED ? STORE_ORDER_LAY : STORE_ORDER_CLOSE;
        ret->order = state->orders[index];
        return true;
    }
    index -= state->order_count;
    if (index < state->history_count) {
        ret->deed = STORE_HISTORY;
        ret->history = state->history[index];
        return true;
    }
    index -= state->history_count;
    if (index < state->word_count) {
        ret->deed = STORE_WORD;
        ret->word = word_at(state, index);
        return true;
    }
    return false;
}
