/* A hash table of known rows; lists of what waits. */
#include "backends/fleet/fleet_behind.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define NONE UINT32_MAX
#define BUCKETS_FIRST 1024u
#define KEY_SIZE 600                 /* three names and a port */
#define PLACES_PRESET_MS 15000
#define WHOLE_PRESET_MS 600000
#define LISTS (FLEET_TABLE_COUNT + 2)
#define LIST_REFRESH FLEET_TABLE_COUNT
#define LIST_DELETE (FLEET_TABLE_COUNT + 1)

struct look { int64_t checked, attempted; bool was_seen; };      /* what a refresh says */

struct waiting {
    struct waiting *next, *previous;
    uint32_t known;                  /* NONE: a row that is laid once, or is forgotten. Good while it waits, not under way */
    uint64_t hash;                   /* of its key; 0: a row that is laid once */
    int list;
    uint8_t parts;                   /* it was in a statement that was refused: the next one may hold FLEET_BATCH_ROWS >> parts rows */
    struct look look;                /* a refresh's */
    size_t length;
    char text[];                     /* the tuple, the deletion, or a refresh's host */
};

struct known {
    uint64_t hash;
    uint64_t same;                   /* of the state that is there, or is on its way; 0: not known */
    uint32_t place, look;
    int64_t checked, attempted;      /* last_checked and last_attempted_check that are there, or are on their way */
    struct fc_time place_at, whole_at;
    struct waiting *waiting;
    char *key;                       /* NULL: a free slot */
    uint32_t next, pass;
    uint8_t table;
    bool is_stored;                  /* it was read, or its writing was answered: when it is there no more, somebody took it away */
};

struct list { struct waiting *first, *last; };

struct fleet_behind {
    struct fleet_store_setting setting;
    struct known *known;
    uint32_t count, capacity, free_head, in_use;
    uint32_t *buckets;
    uint32_t bucket_count;
    uint32_t of_table[FLEET_TABLE_COUNT];
    uint32_t pass[FLEET_TABLE_COUNT];
    struct list lists[LISTS], under_way;
    int under_way_list, under_way_rows;
    struct fleet_text scratch;
    struct fleet_store_counts counts;
};

/* ---- keys ----------------------------------------------------------------------------------------------------------- */

static size_t pack_key(const struct fleet_row *row, char *to)
{
    const struct fleet_table *table = &fleet_tables[row->table];
    size_t length = 0;
    for (int i = 0; i < fleet_key_count(table); i++) {
        if (table->columns[i].type->kind != TYPE_TEXT) {
            const int64_t number = fleet_number(row, i);
            memcpy(to + length, &number, sizeof number);
            length += sizeof number;
            continue;
        }
        const char *text = fleet_text(row, i);
        const size_t size = strnlen(text, (KEY_SIZE - 32) / 3 - 1);
        memcpy(to + length, text, size);
        to[length + size] = '\0';
        length += size + 1;
    }
    assert(length <= KEY_SIZE);
    return length;
}

static struct fleet_row unpack_key(enum fleet_table_name name, const char *key)
{
    const struct fleet_table *table = &fleet_tables[name];
    struct fleet_row row = fleet_row_of(name);
    for (int i = 0; i < fleet_key_count(table); i++) {
        if (table->columns[i].type->kind != TYPE_TEXT) {
            int64_t number;
            memcpy(&number, key, sizeof number);
            key += sizeof number;
            fleet_set_number(&row, i, number);
            continue;
        }
        fleet_set_text(&row, i, key);
        key += strlen(key) + 1;
    }
    return row;
}

/* ---- known rows ------------------------------------------------------------------------------------------------------ */

static bool grow_buckets(struct fleet_behind *b)
{
    const uint32_t count = b->bucket_count == 0 ? BUCKETS_FIRST : b->bucket_count * 2;
    uint32_t *larger = malloc(count * sizeof *larger);
    if (larger == NULL)
        return false;
    memset(larger, 0xff, count * sizeof *larger);
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->known[i].key == NULL)
            continue;
        uint32_t *bucket = &larger[b->known[i].hash & (count - 1)];
        b->known[i].next = *bucket;
        *bucket = i;
    }
    free(b->buckets);
    b->buckets = larger;
    b->bucket_count = count;
    return true;
}

static bool grow_known(struct fleet_behind *b)
{
    const uint32_t capacity = b->capacity == 0 ? 256 : b->capacity * 2;
    struct known *larger = realloc(b->known, capacity * sizeof *larger);
    if (larger == NULL)
        return false;
    b->known = larger;
    b->capacity = capacity;
    return true;
}

static uint32_t find(const struct fleet_behind *b, uint64_t hash)
{
    uint32_t at = b->bucket_count == 0 ? NONE : b->buckets[hash & (b->bucket_count - 1)];
    while (at != NONE && b->known[at].hash != hash)
        at = b->known[at].next;
    return at;
}

static uint32_t slot_take(struct fleet_behind *b)
{
    uint32_t at = b->free_head;
    if (at != NONE) {
        b->free_head = b->known[at].next;
        return at;
    }
    if (b->count == b->capacity && !grow_known(b))
        return NONE;
    return b->count++;
}

/* NONE: the bound, or no memory. */
static uint32_t known_of(struct fleet_behind *b, const struct fleet_row *row)
{
    char key[KEY_SIZE];
    const uint64_t hash = fleet_key_hash(row);
    uint32_t at = find(b, hash);
    if (at != NONE || b->in_use >= FLEET_KEYS_MAX || (b->in_use >= b->bucket_count && !grow_buckets(b)))
        return at;
    const size_t length = pack_key(row, key);
    char *own = malloc(length);
    at = own == NULL ? NONE : slot_take(b);
    if (at == NONE) {
        free(own);
        return NONE;
    }
    memcpy(own, key, length);
    uint32_t *bucket = &b->buckets[hash & (b->bucket_count - 1)];
    b->known[at] = (struct known){ .hash = hash, .key = own, .table = (uint8_t)row->table, .next = *bucket,
                                   .place_at = FC_EVER, .whole_at = FC_EVER };
    *bucket = at;
    b->in_use++;
    b->of_table[row->table]++;
    return at;
}

static void known_drop(struct fleet_behind *b, uint32_t at)
{
    struct known *k = &b->known[at];
    uint32_t *place = &b->buckets[k->hash & (b->bucket_count - 1)];
    while (*place != at)
        place = &b->known[*place].next;
    *place = k->next;
    if (k->waiting != NULL)
        k->waiting->known = NONE;
    b->of_table[k->table]--;
    b->in_use--;
    free(k->key);
    *k = (struct known){ .next = b->free_head };
    b->free_head = at;
}

/* ---- what waits ------------------------------------------------------------------------------------------------------ */

static void list_put(struct list *list, struct waiting *w)
{
    w->next = NULL;
    w->previous = list->last;
    if (list->last == NULL)
        list->first = w;
    else
        list->last->next = w;
    list->last = w;
}

static void list_take(struct list *list, struct waiting *w)
{
    if (w->previous == NULL)
        list->first = w->next;
    else
        w->previous->next = w->next;
    if (w->next == NULL)
        list->last = w->previous;
    else
        w->next->previous = w->previous;
}

static void waiting_drop(struct fleet_behind *b, struct waiting *w)
{
    if (w->known != NONE)
        b->known[w->known].waiting = NULL;
    list_take(&b->lists[w->list], w);
    b->counts.waiting--;
    b->counts.waiting_bytes -= w->length;
    free(w);
}

/* What waited of this key is replaced: the newest state wins. False: no room. */
static bool wait_for(struct fleet_behind *b, uint32_t known, int list, const char *text, size_t length, const struct look *look)
{
    struct waiting *w = b->counts.waiting_bytes + length > FLEET_WAITING_BYTES ? NULL : malloc(sizeof *w + length + 1);
    if (known != NONE && b->known[known].waiting != NULL) {
        waiting_drop(b, b->known[known].waiting);
        b->counts.coalesced++;
    }
    if (w == NULL) {
        b->counts.dropped++;
        return false;
    }
    *w = (struct waiting){ .known = known, .hash = known == NONE ? 0 : b->known[known].hash, .list = list, .length = length };
    if (look != NULL)
        w->look = *look;
    memcpy(w->text, text, length);
    w->text[length] = '\0';
    list_put(&b->lists[list], w);
    b->counts.waiting++;
    b->counts.waiting_bytes += length;
    if (known != NONE)
        b->known[known].waiting = w;
    return true;
}

/* ---- in ------------------------------------------------------------------------------------------------------------- */

static int64_t places_ms(const struct fleet_behind *b) { return b->setting.places_ms > 0 ? b->setting.places_ms : PLACES_PRESET_MS; }
static int64_t whole_ms(const struct fleet_behind *b) { return b->setting.whole_ms > 0 ? b->setting.whole_ms : WHOLE_PRESET_MS; }

static bool is_over(struct fc_time since, int64_t ms, struct fc_time now) { return fc_reached(fc_plus(since, fc_ms(ms)), now); }

static uint32_t short_hash(const struct fleet_row *row, enum fleet_part part)
{
    const uint64_t hash = fleet_part_hash(row, part);
    return (uint32_t)(hash ^ hash >> 32);
}

static bool is_whole_due(const struct fleet_behind *b, const struct known *k, uint64_t same, uint32_t place, struct fc_time now)
{
    return k->same != same || (k->place != place && is_over(k->place_at, places_ms(b), now)) || is_over(k->whole_at, whole_ms(b), now);
}

/* Two states of one second: the later one is told as of the next second, or the store could not tell which is newer. */
static void raise_rank(const struct known *k, struct fleet_row *row)
{
    const int64_t checked = fleet_number(row, database_instance_last_checked);
    if (checked > k->checked)
        return;
    if (fleet_number(row, database_instance_last_seen) >= checked)
        fleet_set_number(row, database_instance_last_seen, k->checked + 1);
    fleet_set_number(row, database_instance_last_checked, k->checked + 1);
}

static void put_whole(struct fleet_behind *b, uint32_t at, enum fleet_dialect dialect, const struct fleet_row *row, struct fc_time now)
{
    fleet_text_clear(&b->scratch);
    fleet_sql_tuple(&b->scratch, dialect, row);
    const bool is_kept = !b->scratch.is_short && wait_for(b, at, (int)row->table, b->scratch.bytes, b->scratch.length, NULL);
    if (at == NONE)
        return;
    struct known *k = &b->known[at];
    k->same = is_kept ? fleet_part_hash(row, PART_SAME) : 0;       /* 0: the next put writes it */
    k->place = short_hash(row, PART_PLACE);
    k->look = short_hash(row, PART_LOOK);
    k->checked = row->table == FLEET_database_instance ? fleet_number(row, database_instance_last_checked) : 0;
    k->attempted = row->table == FLEET_database_instance ? fleet_number(row, database_instance_last_attempted_check) : 0;
    k->place_at = k->whole_at = now;
}

static void put_refresh(struct fleet_behind *b, uint32_t at, const struct fleet_row *row)
{
    struct known *k = &b->known[at];
    const char *host = fleet_text(row, database_instance_hostname);
    struct look look = { .checked = fleet_number(row, database_instance_last_checked),
                         .attempted = fleet_number(row, database_instance_last_attempted_check) };
    look.was_seen = fleet_number(row, database_instance_last_seen) >= look.checked;
    if ((look.checked <= k->checked && look.attempted <= k->attempted) || (k->waiting != NULL && k->waiting->list != LIST_REFRESH)) {   /* the row that waits says nearly the same */
        b->counts.unchanged++;
        return;
    }
    if (!wait_for(b, at, LIST_REFRESH, host, strlen(host), &look))
        return;
    b->known[at].checked = look.checked > k->checked ? look.checked : k->checked;
    b->known[at].attempted = look.attempted;
}

void fleet_behind_put(struct fleet_behind *b, enum fleet_dialect dialect, const struct fleet_row *given, struct fc_time now)
{
    const struct fleet_table *table = &fleet_tables[given->table];
    b->counts.puts++;
    if (fleet_row_check(given, NULL) != FC_OK) {
        b->counts.refused++;
        return;
    }
    const uint32_t at = table->merge == MERGE_LAID ? NONE : known_of(b, given);
    if (at == NONE) {
        put_whole(b, NONE, dialect, given, now);
        return;
    }
    const struct known *k = &b->known[at];
    if (is_whole_due(b, k, fleet_part_hash(given, PART_SAME), short_hash(given, PART_PLACE), now)) {
        struct fleet_row row = *given;
        if (row.table == FLEET_database_instance)
            raise_rank(k, &row);
        put_whole(b, at, dialect, &row, now);
    } else if (given->table == FLEET_database_instance) {
        put_refresh(b, at, given);
    } else {
        b->counts.unchanged++;
    }
}

void fleet_behind_delete(struct fleet_behind *b, enum fleet_dialect dialect, const struct fleet_row *row)
{
    const uint32_t at = known_of(b, row);
    struct fleet_row up_to = *row;
    if (row->table == FLEET_database_instance && at != NONE && fleet_number(row, database_instance_last_checked) < b->known[at].checked)
        fleet_set_number(&up_to, database_instance_last_checked, b->known[at].checked);
    fleet_text_clear(&b->scratch);
    fleet_sql_delete(&b->scratch, dialect, &up_to);
    wait_for(b, at, LIST_DELETE, b->scratch.bytes, b->scratch.length, NULL);
    if (at != NONE)
        known_drop(b, at);
}

/* ---- read ----------------------------------------------------------------------------------------------------------- */

/* Whole writes of many rows that were read at once are spread over the time in which each is due. */
static struct fc_time spread(const struct fleet_behind *b, uint64_t hash, struct fc_time now)
{
    return fc_plus(now, fc_ms(-(int64_t)((hash >> 16) % (uint64_t)whole_ms(b))));
}

bool fleet_behind_read(struct fleet_behind *b, const struct fleet_row *row, struct fc_time now)
{
    const uint32_t at = known_of(b, row);
    if (at == NONE)
        return true;
    struct known *k = &b->known[at];
    const uint64_t same = fleet_part_hash(row, PART_SAME);
    const uint32_t place = short_hash(row, PART_PLACE), look = short_hash(row, PART_LOOK);
    k->pass = b->pass[row->table];
    k->is_stored = true;
    if (k->waiting != NULL || (k->same == same && k->place == place && k->look == look))
        return false;
    if (fc_is_ever(k->whole_at))
        k->whole_at = spread(b, k->hash, now);
    k->same = same;
    k->place = place;
    k->look = look;
    k->place_at = now;
    if (row->table == FLEET_database_instance && fleet_number(row, database_instance_last_checked) > k->checked)
        k->checked = fleet_number(row, database_instance_last_checked);
    if (row->table == FLEET_database_instance)
        k->attempted = fleet_number(row, database_instance_last_attempted_check);
    return true;
}

bool fleet_behind_saw(struct fleet_behind *b, const struct fleet_row *key)
{
    const uint32_t at = find(b, fleet_key_hash(key));
    if (at != NONE)
        b->known[at].pass = b->pass[key->table];
    return at != NONE;
}

void fleet_behind_begin_pass(struct fleet_behind *b, enum fleet_table_name table) { b->pass[table]++; }

void fleet_behind_end_pass(struct fleet_behind *b, enum fleet_table_name table, void (*gone)(void *owner, const struct fleet_row *row),
                           void *owner)
{
    for (uint32_t i = 0; i < b->count; i++) {
        const struct known *k = &b->known[i];
        if (k->key == NULL || k->table != table || k->pass == b->pass[table] || k->waiting != NULL || !k->is_stored)
            continue;
        char key[KEY_SIZE] = "";
        const struct fleet_row named = unpack_key(table, k->key);
        memcpy(key, k->key, pack_key(&named, key));
        known_drop(b, i);
        const struct fleet_row row = unpack_key(table, key);
        gone(owner, &row);
    }
}

bool fleet_behind_deletes(const struct fleet_behind *b) { return b->lists[LIST_DELETE].first != NULL; }

uint32_t fleet_behind_known(const struct fleet_behind *b, enum fleet_table_name table) { return b->of_table[table]; }

/* ---- out ------------------------------------------------------------------------------------------------------------ */

static void begin_row(struct fleet_behind *b, struct waiting *w)
{
    list_take(&b->lists[w->list], w);
    if (w->known != NONE)
        b->known[w->known].waiting = NULL;
    list_put(&b->under_way, w);
    b->under_way_rows++;
}

static int rows_allowed(int list, const struct waiting *first)
{
    const int most = list == LIST_REFRESH ? FLEET_REFRESH_ROWS : FLEET_BATCH_ROWS;
    return most >> first->parts > 0 ? most >> first->parts : 1;
}

static int by_text(const void *left, const void *right)
{
    return strcmp((*(struct waiting *const *)left)->text, (*(struct waiting *const *)right)->text);
}

/* The first rows of a list, in the order of their keys, so that two writers lock in one order. */
static int pick(struct list *list, int most, bool (*fits)(const struct waiting *first, const struct waiting *w), struct waiting **ret)
{
    int count = 0;
    size_t bytes = 0;
    for (struct waiting *w = list->first; w != NULL && count < most; w = w->next) {
        if (!fits(list->first, w))
            continue;
        bytes += w->length;
        if (count > 0 && bytes > FLEET_BATCH_BYTES)
            break;
        ret[count++] = w;
    }
    qsort(ret, (size_t)count, sizeof *ret, by_text);
    return count;
}

static bool always(const struct waiting *first, const struct waiting *w)
{
    (void)first;
    (void)w;
    return true;
}

static bool has_same_moments(const struct waiting *first, const struct waiting *w)
{
    return first->look.checked == w->look.checked && first->look.attempted == w->look.attempted && first->look.was_seen == w->look.was_seen;
}

static void next_rows(struct fleet_behind *b, int table, enum fleet_dialect dialect, struct fleet_text *to)
{
    struct waiting *rows[FLEET_BATCH_ROWS];
    const int count = pick(&b->lists[table], rows_allowed(table, b->lists[table].first), always, rows);
    fleet_sql_put_head(to, dialect, (enum fleet_table_name)table);
    for (int i = 0; i < count; i++) {
        fleet_text_add(to, ",", i == 0 ? 0 : 1);
        fleet_text_add(to, rows[i]->text, rows[i]->length);
        begin_row(b, rows[i]);
    }
    fleet_sql_put_tail(to, dialect, (enum fleet_table_name)table);
}

static uint16_t port_of(const struct fleet_behind *b, const struct waiting *w)
{
    const struct fleet_row key = unpack_key(FLEET_database_instance, b->known[w->known].key);
    return (uint16_t)fleet_number(&key, database_instance_port);
}

static void next_refresh(struct fleet_behind *b, enum fleet_dialect dialect, struct fleet_text *to)
{
    struct waiting *rows[FLEET_REFRESH_ROWS];
    const char *hosts[FLEET_REFRESH_ROWS];
    uint16_t ports[FLEET_REFRESH_ROWS];
    const struct waiting *first = b->lists[LIST_REFRESH].first;
    struct fleet_row moments = fleet_row_of(FLEET_database_instance);
    fleet_set_number(&moments, database_instance_last_checked, first->look.checked);
    fleet_set_number(&moments, database_instance_last_attempted_check, first->look.attempted);
    fleet_set_number(&moments, database_instance_last_seen, first->look.was_seen ? first->look.checked : 0);
    const int count = pick(&b->lists[LIST_REFRESH], rows_allowed(LIST_REFRESH, first), has_same_moments, rows);
    for (int i = 0; i < count; i++) {
        hosts[i] = rows[i]->text;
        ports[i] = port_of(b, rows[i]);
    }
    fleet_sql_refresh(to, dialect, &moments, hosts, ports, count);
    for (int i = 0; i < count; i++)
        begin_row(b, rows[i]);
}

static void next_deletions(struct fleet_behind *b, struct fleet_text *to)
{
    struct waiting *rows[FLEET_BATCH_ROWS];
    const int count = pick(&b->lists[LIST_DELETE], rows_allowed(LIST_DELETE, b->lists[LIST_DELETE].first), always, rows);
    for (int i = 0; i < count; i++) {
        fleet_text_add(to, ";", i == 0 ? 0 : 1);
        fleet_text_add(to, rows[i]->text, rows[i]->length);
        begin_row(b, rows[i]);
    }
}

bool fleet_behind_next(struct fleet_behind *b, enum fleet_dialect dialect, bool with_refreshes, struct fleet_text *to)
{
    assert(b->under_way.first == NULL);
    int list = LIST_DELETE;
    fleet_text_clear(to);
    if (b->lists[LIST_DELETE].first == NULL) {
        for (list = 0; list < FLEET_TABLE_COUNT && b->lists[list].first == NULL; list++)
            ;
    }
    if (list == LIST_REFRESH && (!with_refreshes || b->lists[LIST_REFRESH].first == NULL))
        return false;
    b->under_way_list = list;
    b->under_way_rows = 0;
    if (list == LIST_DELETE)
        next_deletions(b, to);
    else if (list == LIST_REFRESH)
        next_refresh(b, dialect, to);
    else
        next_rows(b, list, dialect, to);
    if (to->is_short)
        fleet_behind_ended(b, FLEET_AGAIN);
    return !to->is_short;
}

static void count_written(struct fleet_behind *b)
{
    uint64_t *count = b->under_way_list == LIST_DELETE    ? &b->counts.deletions
                      : b->under_way_list == LIST_REFRESH ? &b->counts.refreshes
                                                          : &b->counts.rows;
    *count += (uint64_t)b->under_way_rows;
}

static void let_go(struct fleet_behind *b, struct waiting *w)
{
    b->counts.waiting--;
    b->counts.waiting_bytes -= w->length;
    free(w);
}

/* Back to where it waited; unless a newer state of its key waits there by now, or its server was forgotten. */
static void put_back(struct fleet_behind *b, struct waiting *w, bool in_smaller_parts)
{
    const bool is_of_key = w->hash != 0 && w->list != LIST_DELETE;
    w->known = is_of_key ? find(b, w->hash) : NONE;
    if (is_of_key && (w->known == NONE || b->known[w->known].waiting != NULL)) {
        let_go(b, w);
        return;
    }
    w->parts += in_smaller_parts ? 1 : 0;
    list_put(&b->lists[w->list], w);
    if (is_of_key)
        b->known[w->known].waiting = w;
}

static void note_stored(struct fleet_behind *b, const struct waiting *w)
{
    const uint32_t at = w->hash == 0 ? NONE : find(b, w->hash);
    if (at != NONE)
        b->known[at].is_stored = true;
}

int fleet_behind_ended(struct fleet_behind *b, enum fleet_written how)
{
    const bool is_alone = b->under_way_rows == 1;
    if (how == FLEET_WRITTEN)
        count_written(b);
    b->counts.refused += how == FLEET_REFUSED && is_alone;
    while (b->under_way.first != NULL) {
        struct waiting *w = b->under_way.first;
        list_take(&b->under_way, w);
        if (how == FLEET_WRITTEN && w->list < FLEET_TABLE_COUNT)
            note_stored(b, w);
        if (how == FLEET_WRITTEN || (how == FLEET_REFUSED && is_alone))
            let_go(b, w);
        else
            put_back(b, w, how == FLEET_REFUSED);
    }
    return how == FLEET_REFUSED && is_alone ? 1 : 0;
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

struct fleet_behind *fleet_behind_new(const struct fleet_store_setting *setting)
{
    struct fleet_behind *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->setting = *setting;
    b->free_head = NONE;
    return b;
}

static void list_clear(struct list *list)
{
    while (list->first != NULL) {
        struct waiting *w = list->first;
        list_take(list, w);
        free(w);
    }
}

void fleet_behind_clear(struct fleet_behind *b)
{
    for (int i = 0; i < LISTS; i++)
        list_clear(&b->lists[i]);
    list_clear(&b->under_way);
    for (uint32_t i = 0; i < b->count; i++)
        free(b->known[i].key);
    free(b->known);
    free(b->buckets);
    b->known = NULL;
    b->buckets = NULL;
    b->count = b->capacity = b->in_use = b->bucket_count = 0;
    b->free_head = NONE;
    b->counts.waiting = 0;
    b->counts.waiting_bytes = 0;
    memset(b->of_table, 0, sizeof b->of_table);
}

void fleet_behind_free(struct fleet_behind *b)
{
    if (b == NULL)
        return;
    fleet_behind_clear(b);
    fleet_text_done(&b->scratch);
    free(b);
}

bool fleet_behind_waits(const struct fleet_behind *b, enum fleet_table_name table)
{
    return b->lists[table].first != NULL || (b->under_way.first != NULL && b->under_way_list == (int)table);
}

void fleet_behind_counts(const struct fleet_behind *b, struct fleet_store_counts *to)
{
    to->puts += b->counts.puts;
    to->unchanged += b->counts.unchanged;
    to->coalesced += b->counts.coalesced;
    to->rows += b->counts.rows;
    to->refreshes += b->counts.refreshes;
    to->deletions += b->counts.deletions;
    to->dropped += b->counts.dropped;
    to->refused += b->counts.refused;
    to->waiting += b->counts.waiting;
    to->keys += b->in_use;
    to->waiting_bytes += b->counts.waiting_bytes;
}
