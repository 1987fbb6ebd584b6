/* One sorted array. A row goes when nothing is said in it any more. */
#include "model/overrides.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

#define FIRST_CAPACITY 16u
#define OWNER_MAX 128
#define TAG_NAME_MAX 128

void overrides_init(struct overrides *o, struct room *room, struct names *names)
{
    *o = (struct overrides){ .room = room, .names = names };
}

static void drop_word(struct overrides *o, struct bounded_word *word)
{
    names_drop(o->names, word->owner);
    names_drop(o->names, word->reason);
    *word = (struct bounded_word){ 0 };
}

static void release_row(struct overrides *o, struct override *row)
{
    drop_word(o, &row->downtime);
    drop_word(o, &row->maintenance);
    for (int i = 0; i < row->tag_count; i++) {
        names_drop(o->names, row->tags[i].name);
        names_drop(o->names, row->tags[i].value);
    }
    room_release(o->room, row->tags);
    names_drop(o->names, row->host);
}

void overrides_done(struct overrides *o)
{
    for (uint32_t i = 0; i < o->count; i++)
        release_row(o, &o->list[i]);
    if (o->room != NULL)
        room_release(o->room, o->list);
    *o = (struct overrides){ 0 };
}

/* ---- rows ---- */

static struct instance_key key_of(const struct overrides *o, const struct override *row)
{
    return (struct instance_key){ .host = names_text(o->names, row->host), .port = row->port };
}

/* Where it is, or where it would be. */
static uint32_t place_of(const struct overrides *o, const struct instance_key *key, bool *is_there)
{
    uint32_t low = 0, high = o->count;
    *is_there = false;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const struct instance_key at = key_of(o, &o->list[middle]);
        const int order = instance_key_compare(&at, key);
        if (order == 0) {
            *is_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct override *overrides_of(const struct overrides *o, const struct instance_key *key)
{
    bool is_there;
    const uint32_t place = place_of(o, key, &is_there);
    return is_there ? &o->list[place] : NULL;
}

static bool grow(struct overrides *o)
{
    const uint32_t capacity = o->capacity == 0 ? FIRST_CAPACITY : o->capacity * 2;
    struct override *list = room_reserve(o->room, capacity * sizeof *list);
    if (list == NULL)
        return false;
    if (o->count > 0)
        memcpy(list, o->list, o->count * sizeof *list);
    room_release(o->room, o->list);
    o->list = list;
    o->capacity = capacity;
    return true;
}

static enum fc_code row_for(struct overrides *o, const struct instance_key *key, struct override **ret, struct fc_err *err)
{
    bool is_there;
    name_id host;
    if (!instance_key_is_valid(key) || strlen(key->host) > INSTANCE_HOST_MAX)
        return fc_fail(err, FC_BAD_INPUT, "'%.64s:%u' names no server", key->host == NULL ? "" : key->host, key->port);
    const uint32_t place = place_of(o, key, &is_there);
    if (!is_there) {
        if (o->count == OVERRIDES_MAX)
            return fc_fail(err, FC_BUSY, "server %s:%u: something was said of %u servers, which is the bound", key->host, key->port,
                           o->count);
        if ((o->count == o->capacity && !grow(o)) || !names_use(o->names, key->host, strlen(key->host), &host))
            return fc_fail(err, FC_NO_MEMORY, "server %s:%u: out of memory", key->host, key->port);
        memmove(&o->list[place + 1], &o->list[place], (o->count - place) * sizeof *o->list);
        o->list[place] = (struct override){ .host = host, .port = key->port, .rule = PROMOTION_NEUTRAL };
        o->count++;
    }
    *ret = &o->list[place];
    return FC_OK;
}

static void drop_if_empty(struct overrides *o, struct override *row)
{
    if (row->downtime.is_set || row->maintenance.is_set || row->has_rule || row->tag_count > 0)
        return;
    const uint32_t place = (uint32_t)(row - o->list);
    release_row(o, row);
    memmove(row, row + 1, (o->count - place - 1) * sizeof *row);
    o->count--;
}

/* ---- downtime and maintenance ---- */

static bool holds(const struct bounded_word *word, struct fc_time now)
{
    return word->is_set && fc_before(now, word->end);
}

bool override_is_downtimed(const struct override *override, struct fc_time now)
{
    return override != NULL && holds(&override->downtime, now);
}

bool override_is_in_maintenance(const struct override *override, struct fc_time now)
{
    return override != NULL && holds(&override->maintenance, now);
}

static enum fc_code check_word(const char *what, const char *owner, const char *reason, struct fc_time begin, struct fc_time end,
                               struct fc_err *err)
{
    if (text_is(owner, "") || text_is(reason, ""))
        return fc_fail(err, FC_BAD_INPUT, "a %s needs an owner and a reason", what);
    if (strlen(owner) > OWNER_MAX || strlen(reason) > OVERRIDE_TEXT_MAX)
        return fc_fail(err, FC_BAD_INPUT, "a %s has an owner of at most %d bytes and a reason of at most %d", what, OWNER_MAX,
                       OVERRIDE_TEXT_MAX);
    if (!fc_before(begin, end))
        return fc_fail(err, FC_BAD_INPUT, "a %s ends after it has begun", what);
    return FC_OK;
}

static bool set_word(struct overrides *o, struct bounded_word *word, const char *owner, const char *reason, struct fc_time begin,
                     struct fc_time end)
{
    name_id fresh_owner, fresh_reason;
    if (!names_use(o->names, owner, strlen(owner), &fresh_owner))
        return false;
    if (!names_use(o->names, reason, strlen(reason), &fresh_reason)) {
        names_drop(o->names, fresh_owner);
        return false;
    }
    drop_word(o, word);
    *word = (struct bounded_word){ true, fresh_owner, fresh_reason, begin, end };
    return true;
}

enum fc_code overrides_begin_downtime(struct overrides *o, const struct instance_key *key, const char *owner, const char *reason,
                                      struct fc_time begin, struct fc_time end, struct fc_err *err)
{
    struct override *row;
    enum fc_code code = check_word("downtime", owner, reason, begin, end, err);
    if (code == FC_OK)
        code = row_for(o, key, &row, err);
    if (code != FC_OK || set_word(o, &row->downtime, owner, reason, begin, end))
        return code;
    drop_if_empty(o, row);
    return fc_fail(err, FC_NO_MEMORY, "downtime of %s:%u: out of memory", key->host, key->port);
}

enum fc_code overrides_begin_maintenance(struct overrides *o, const struct instance_key *key, const char *owner, const char *reason,
                                         struct fc_time begin, struct fc_time end, struct fc_err *err)
{
    struct override *row;
    enum fc_code code = check_word("maintenance", owner, reason, begin, end, err);
    if (code == FC_OK)
        code = row_for(o, key, &row, err);
    if (code != FC_OK)
        return code;
    if (holds(&row->maintenance, begin) && !text_is(names_text(o->names, row->maintenance.owner), owner))
        return fc_fail(err, FC_BUSY, "%s:%u is in maintenance by %s: %s", key->host, key->port,
                       names_text(o->names, row->maintenance.owner), names_text(o->names, row->maintenance.reason));
    if (set_word(o, &row->maintenance, owner, reason, begin, end))
        return FC_OK;
    drop_if_empty(o, row);
    return fc_fail(err, FC_NO_MEMORY, "maintenance of %s:%u: out of memory", key->host, key->port);
}

static struct override *row_of(struct overrides *o, const struct instance_key *key)
{
    bool is_there;
    const uint32_t place = place_of(o, key, &is_there);
    return is_there ? &o->list[place] : NULL;
}

enum fc_code overrides_end_downtime(struct overrides *o, const struct instance_key *key, struct fc_err *err)
{
    struct override *row = row_of(o, key);
    if (row == NULL || !row->downtime.is_set)
        return fc_fail(err, FC_NOT_FOUND, "%s:%u is not downtimed", key->host, key->port);
    drop_word(o, &row->downtime);
    drop_if_empty(o, row);
    return FC_OK;
}

enum fc_code overrides_end_maintenance(struct overrides *o, const struct instance_key *key, struct fc_err *err)
{
    struct override *row = row_of(o, key);
    if (row == NULL || !row->maintenance.is_set)
        return fc_fail(err, FC_NOT_FOUND, "%s:%u is not in maintenance", key->host, key->port);
    drop_word(o, &row->maintenance);
    drop_if_empty(o, row);
    return FC_OK;
}

/* ---- promotion rules ---- */

static const char *const rule_words[PROMOTION_RULE_COUNT] = { "must", "prefer", "neutral", "prefer_not", "must_not" };

const char *promotion_rule_word(enum promotion_rule rule)
{
    return rule_words[rule];
}

enum fc_code promotion_rule_parse(const char *word, bool from_row, enum promotion_rule *ret, struct fc_err *err)
{
    for (int i = from_row ? PROMOTION_MUST : PROMOTION_PREFER; i < PROMOTION_RULE_COUNT; i++) {
        if (text_is(word, rule_words[i])) {
            *ret = (enum promotion_rule)i;
            return FC_OK;
        }
    }
    return fc_fail(err, FC_BAD_INPUT, "'%.32s' is no promotion rule: prefer, neutral, prefer_not or must_not", word);
}

enum promotion_rule override_rule(const struct override *override, struct fc_time now)
{
    return override != NULL && override->has_rule && fc_before(now, override->rule_until) ? override->rule : PROMOTION_NEUTRAL;
}

bool promotion_rule_is_candidate(enum promotion_rule rule)
{
    return rule <= PROMOTION_PREFER;
}

enum fc_code overrides_set_rule(struct overrides *o, const struct instance_key *key, enum promotion_rule rule, struct fc_time since,
                                struct fc_time until, struct fc_err *err)
{
    struct override *row;
    const enum fc_code code = row_for(o, key, &row, err);
    if (code != FC_OK)
        return code;
    row->has_rule = true;
    row->rule = rule;
    row->rule_since = since;
    row->rule_until = until;
    return FC_OK;
}

/* ---- tags ---- */

static int tag_place(const struct overrides *o, const struct override *row, const char *name, bool *is_there)
{
    int place = 0, order = 1;
    while (place < row->tag_count && (order = strcmp(names_text(o->names, row->tags[place].name), name)) < 0)
        place++;
    *is_there = place < row->tag_count && order == 0;
    return place;
}

const char *override_tag(const struct overrides *o, const struct override *row, const char *name)
{
    bool is_there = false;
    const int place = row == NULL ? 0 : tag_place(o, row, name, &is_there);
    return is_there ? names_text(o->names, row->tags[place].value) : NULL;
}

static bool has_room_for_tag(struct overrides *o, struct override *row)
{
    if (row->tag_count < row->tag_room)
        return true;
    const uint16_t wanted = row->tag_room == 0 ? 4 : (uint16_t)(row->tag_room * 2);
    struct tag *tags = room_reserve(o->room, wanted * sizeof *tags);
    if (tags == NULL)
        return false;
    if (row->tag_count > 0)
        memcpy(tags, row->tags, row->tag_count * sizeof *tags);
    room_release(o->room, row->tags);
    row->tags = tags;
    row->tag_room = wanted;
    return true;
}

static bool add_tag(struct overrides *o, struct override *row, int place, const char *name, const char *value)
{
    struct tag fresh;
    if (!has_room_for_tag(o, row) || !names_use(o->names, name, strlen(name), &fresh.name))
        return false;
    if (!names_use(o->names, value, strlen(value), &fresh.value)) {
        names_drop(o->names, fresh.name);
        return false;
    }
    memmove(&row->tags[place + 1], &row->tags[place], (size_t)(row->tag_count - place) * sizeof *row->tags);
    row->tags[place] = fresh;
    row->tag_count++;
    return true;
}

bool tag_name_is_good(const char *name)
{
    const size_t length = strlen(name);
    bool is_good = length > 0 && length <= TAG_NAME_MAX && name[0] != ' ' && name[length - 1] != ' ';
    for (size_t i = 0; i < length && is_good; i++)
        is_good = name[i] != '=' && (unsigned char)name[i] >= ' ' && name[i] != 0x7f;
    return is_good;
}

enum fc_code overrides_tag(struct overrides *o, const struct instance_key *key, const char *name, const char *value, struct fc_err *err)
{
    struct override *row;
    bool is_there;
    if (!tag_name_is_good(name) || strlen(value) > OVERRIDE_TEXT_MAX)
        return fc_fail(err, FC_BAD_INPUT, "a tag is a name of 1 to %d bytes without '=' and line breaks, and a value of at most %d",
                       TAG_NAME_MAX, OVERRIDE_TEXT_MAX);
    const enum fc_code code = row_for(o, key, &row, err);
    if (code != FC_OK)
        return code;
    const int place = tag_place(o, row, name, &is_there);
    if (!is_there && row->tag_count == TAGS_MAX)
        return fc_fail(err, FC_BUSY, "%s:%u has %d tags, which is the bound", key->host, key->port, TAGS_MAX);
    if (is_there ? names_set(o->names, &row->tags[place].value, value) : add_tag(o, row, place, name, value))
        return FC_OK;
    drop_if_empty(o, row);
    return fc_fail(err, FC_NO_MEMORY, "tag of %s:%u: out of memory", key->host, key->port);
}

enum fc_code overrides_untag(struct overrides *o, const struct instance_key *key, const char *name, struct fc_err *err)
{
    struct override *row = row_of(o, key);
    bool is_there = false;
    const int place = row == NULL ? 0 : tag_place(o, row, name, &is_there);
    if (!is_there)
        return fc_fail(err, FC_NOT_FOUND, "%s:%u has no tag '%.128s'", key->host, key->port, name);
    names_drop(o->names, row->tags[place].name);
    names_drop(o->names, row->tags[place].value);
    row->tag_count--;
    memmove(&row->tags[place], &row->tags[place + 1], (size_t)(row->tag_count - place) * sizeof *row->tags);
    drop_if_empty(o, row);
    return FC_OK;
}

/* ---- time ---- */

static bool end_word(struct overrides *o, struct bounded_word *word, struct fc_time now, struct fc_time *next)
{
    if (!word->is_set)
        return false;
    if (holds(word, now)) {
        *next = fc_earlier(*next, word->end);
        return false;
    }
    drop_word(o, word);
    return true;
}

static bool end_rule(struct override *row, struct fc_time now, struct fc_time *next)
{
    if (!row->has_rule)
        return false;
    row->has_rule = fc_before(now, row->rule_until);
    if (row->has_rule)
        *next = fc_earlier(*next, row->rule_until);
    return !row->has_rule;
}

struct fc_time overrides_expire(struct overrides *o, struct fc_time now, void (*told)(void *asker, struct instance_key key),
                                void *asker)
{
    struct fc_time next = FC_NEVER;
    for (uint32_t i = o->count; i-- > 0;) {
        struct override *row = &o->list[i];
        const bool downtime_ended = end_word(o, &row->downtime, now, &next);
        const bool maintenance_ended = end_word(o, &row->maintenance, now, &next);
        const bool rule_ended = end_rule(row, now, &next);
        if ((downtime_ended || maintenance_ended || rule_ended) && told != NULL)
            told(asker, key_of(o, row));
        drop_if_empty(o, row);
    }
    return next;
}
