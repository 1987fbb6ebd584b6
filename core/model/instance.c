/* Keys and predicates of observations, and the tables of their fields. */
#include "model/instance.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static unsigned take_number(const char **at)
{
    unsigned number = 0;
    while (**at >= '0' && **at <= '9' && number < 100000)
        number = number * 10 + (unsigned)(*(*at)++ - '0');
    return number;
}

unsigned version_number(const char *text)
{
    const char *at = text == NULL ? "" : text;
    const char *begin = at;
    const unsigned major = take_number(&at);
    if (at == begin || at[0] != '.' || at[1] < '0' || at[1] > '9')
        return 0;
    at++;
    const unsigned minor = take_number(&at);
    unsigned patch = 0;
    if (at[0] == '.' && at[1] >= '0' && at[1] <= '9') {
        at++;
        patch = take_number(&at);
    }
    return major > 9999 || minor > 99 || patch > 99 ? 0 : major * 10000 + minor * 100 + patch;
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

static bool is_host(const char *host, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)host[i] <= ' ' || (unsigned char)host[i] > '~' || strchr(",/[]'\"\\;", host[i]) != NULL)
            return false;
    }
    return length > 0 && length <= INSTANCE_HOST_MAX && !(length == 1 && host[0] == '_');
}

/* Groups of up to four hexadecimal digits (an IPv4 address at the end), eight of them or "::" somewhere. So "db1:3306:1" is
 * none, although all of it are hexadecimal digits. */
static bool is_bare_v6(const char *text, size_t length)
{
    int colons = 0, dots = 0;
    size_t digits = 0;
    bool has_gap = false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\0' || strchr("0123456789abcdefABCDEF:.", text[i]) == NULL)
            return false;
        has_gap |= text[i] == ':' && i > 0 && text[i - 1] == ':';
        colons += text[i] == ':';
        dots += text[i] == '.';
        digits = text[i] == ':' || text[i] == '.' ? 0 : digits + 1;
        if (digits > 4 || (dots > 0 && text[i] == ':'))
            return false;
    }
    return dots == 0 ? colons == 7 || (has_gap && colons <= 8) : dots == 3 && (colons == 6 || (has_gap && colons <= 7));
}

static bool take_port(const char *text, size_t length, uint16_t *port)
{
    uint64_t number = 0;
    if (!text_to_u64(text, length, &number) || number == 0 || number > UINT16_MAX)
        return false;
    *port = (uint16_t)number;
    return true;
}

bool instance_key_parse(const char *text, size_t length, uint16_t default_port, const char **host, size_t *host_length,
                        uint16_t *port)
{
    const bool is_bracketed = length > 0 && text[0] == '[';
    const char *from = is_bracketed ? text + 1 : text, *end = text + length, *stop = end;
    uint16_t found = default_port;
    if (is_bracketed) {
        stop = memchr(from, ']', (size_t)(end - from));
        if (stop == NULL || !is_bare_v6(from, (size_t)(stop - from)))
            return false;
        if (stop + 1 < end && (stop[1] != ':' || !take_port(stop + 2, (size_t)(end - stop - 2), &found)))
            return false;
    } else if (!is_bare_v6(text, length)) {
        const char *colon = length == 0 ? NULL : memchr(text, ':', length);
        if (colon != NULL && !take_port(colon + 1, (size_t)(end - colon - 1), &found))
            return false;
        stop = colon == NULL ? end : colon;
    }
    if (!is_host(from, (size_t)(stop - from)) || found == 0)
        return false;
    *host = from;
    *host_length = (size_t)(stop - from);
    *port = found;
    return true;
}

int instance_key_compare(const struct instance_key *a, const struct instance_key *b)
{
    const int order = strcmp(a->host == NULL ? "" : a->host, b->host == NULL ? "" : b->host);
    return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}

bool instance_key_is_same(const struct instance_key *a, const struct instance_key *b) { return instance_key_compare(a, b) == 0; }

bool instance_key_text(const struct instance_key *key, char *to, size_t size)
{
    return text_format(to, size, strchr(key->host, ':') != NULL ? "[%s]:%u" : "%s:%u", key->host, key->port);
}

bool instance_key_is_valid(const struct instance_key *key)
{
    const char *host = key->host == NULL ? "" : key->host;
    return host[0] != '\0' && !text_is(host, "_") && !text_begins(host, "//") && key->port > 0;
}

/* --- predicates --------------------------------------------------------------------------------------------------- */

bool channel_is_replicating_from(const struct channel_seen *channel)
{
    return instance_key_is_valid(&channel->master) &&
           (coordinates_are_known(&channel->read) || channel->gtid_use != GTID_UNUSED);
}

bool channel_is_running(const struct channel_seen *channel)
{
    return channel->io == THREAD_RUNNING && channel->sql == THREAD_RUNNING;
}

const struct channel_seen *instance_channel(const struct instance_seen *seen)
{
    for (uint32_t i = 0; i < seen->channel_count; i++) {
        if (channel_is_replicating_from(&seen->channels[i]))
            return &seen->channels[i];
    }
    return NULL;
}

uint32_t instance_channel_count(const struct instance_seen *seen)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < seen->channel_count; i++)
        count += channel_is_replicating_from(&seen->channels[i]);
    return count;
}

bool instance_is_replica(const struct instance_seen *seen) { return instance_channel(seen) != NULL; }

bool instance_is_running(const struct instance_seen *seen)
{
    const struct channel_seen *channel = instance_channel(seen);
    return channel != NULL && channel_is_running(channel);
}

/* --- the fields --------------------------------------------------------------------------------------------------- */

enum field_kind { PLAIN, TEXT, LIST };      /* LIST: a pointer to rows, its count right in front of it in the table */

struct row_kind;

struct field {
    enum field_kind kind;
    enum reading reading;              /* whose it is; READING_COUNT: of no reading (moments, marks) */
    size_t offset, size;
    const struct row_kind *rows;       /* LIST: what it points to */
    size_t count_offset;
};

struct row_kind { size_t size, field_count; const struct field *fields; };

#define FIELD(kind, type, member, reading) { kind, reading, offsetof(struct type, member), sizeof ((struct type *)0)->member, NULL, 0 }
#define CHANNEL(kind, member) FIELD(kind, channel_seen, member, READING_REPLICATION)
#define REPLICA(kind, member) FIELD(kind, replica_listed, member, READING_REPLICA_LIST)
#define MEMBER(kind, member) FIELD(kind, member_seen, member, READING_GROUP)
#define SEEN(kind, member, reading) FIELD(kind, instance_seen, member, READING_##reading)
#define SEEN_LIST(member, count, kind, reading) \
    { LIST, READING_##reading, offsetof(struct instance_seen, member), sizeof(void *), &kind, offsetof(struct instance_seen, count) }

static const struct field channel_fields[] = {
    CHANNEL(TEXT, name), CHANNEL(TEXT, master.host), CHANNEL(PLAIN, master.port), CHANNEL(TEXT, user),
    CHANNEL(PLAIN, io), CHANNEL(PLAIN, sql), CHANNEL(TEXT, io_state), CHANNEL(TEXT, sql_state),
    CHANNEL(PLAIN, io_error_number), CHANNEL(PLAIN, sql_error_number), CHANNEL(TEXT, io_error), CHANNEL(TEXT, sql_error),
    CHANNEL(TEXT, read.file), CHANNEL(PLAIN, read.offset), CHANNEL(TEXT, applied.file), CHANNEL(PLAIN, applied.offset),
    CHANNEL(TEXT, relay.file), CHANNEL(PLAIN, relay.offset), CHANNEL(PLAIN, lag_s), CHANNEL(PLAIN, delay_s),
    CHANNEL(PLAIN, delay_left_s), CHANNEL(PLAIN, connect_retry_s), CHANNEL(PLAIN, master_server_id), CHANNEL(TEXT, master_uuid),
    CHANNEL(PLAIN, gtid_use), CHANNEL(TEXT, gtid_received), CHANNEL(PLAIN, has_filters), CHANNEL(TEXT, do_domains),
    CHANNEL(TEXT, ignore_domains), CHANNEL(TEXT, parallel_mode), CHANNEL(PLAIN, tls.is_allowed),
    CHANNEL(PLAIN, tls.verifies_server), CHANNEL(PLAIN, tls.gets_public_key), CHANNEL(TEXT, tls.ca_file),
    CHANNEL(TEXT, tls.ca_path), CHANNEL(TEXT, tls.certificate), CHANNEL(TEXT, tls.cipher), CHANNEL(TEXT, tls.key),
    CHANNEL(TEXT, tls.crl), CHANNEL(TEXT, tls.crl_path), CHANNEL(TEXT, tls.versions), CHANNEL(TEXT, tls.cipher_suites),
    CHANNEL(TEXT, tls.public_key_path),
};
static const struct field replica_fields[] = {
    REPLICA(TEXT, key.host), REPLICA(PLAIN, key.port), REPLICA(PLAIN, how), REPLICA(PLAIN, server_id), REPLICA(TEXT, uuid),
    REPLICA(TEXT, user),
};
static const struct field member_fields[] = {
    MEMBER(TEXT, key.host), MEMBER(PLAIN, key.port), MEMBER(TEXT, uuid), MEMBER(TEXT, state), MEMBER(TEXT, role),
};

#define ROWS(type, fields) { sizeof(struct type), sizeof fields / sizeof fields[0], fields }
static const struct row_kind channel_rows = ROWS(channel_seen, channel_fields);
static const struct row_kind replica_rows = ROWS(replica_listed, replica_fields);
static const struct row_kind member_rows = ROWS(member_seen, member_fields);

static const struct field seen_fields[] = {
    SEEN(TEXT, key.host, COUNT), SEEN(PLAIN, key.port, COUNT), SEEN(PLAIN, wanted, COUNT), SEEN(PLAIN, missing, COUNT),
    SEEN(PLAIN, denied, COUNT), SEEN(TEXT, trouble, COUNT), SEEN(PLAIN, has_told_lag, COUNT), SEEN(PLAIN, told_lag_s, COUNT),
    SEEN(TEXT, host_name, SETTINGS), SEEN(TEXT, report_host, SETTINGS), SEEN(PLAIN, report_port, SETTINGS),
    SEEN(PLAIN, flavour, SETTINGS), SEEN(PLAIN, version, SETTINGS), SEEN(TEXT, version_text, SETTINGS),
    SEEN(TEXT, version_comment, SETTINGS), SEEN(PLAIN, server_id, SETTINGS), SEEN(TEXT, server_uuid, SETTINGS),
    SEEN(PLAIN, is_read_only, SETTINGS), SEEN(PLAIN, is_super_read_only, SETTINGS), SEEN(PLAIN, is_offline, SETTINGS),
    SEEN(PLAIN, has_log, SETTINGS), SEEN(PLAIN, relogs, SETTINGS), SEEN(TEXT, binlog_format, SETTINGS),
    SEEN(TEXT, binlog_row_image, SETTINGS), SEEN(PLAIN, is_durable, SETTINGS),
    SEEN(TEXT, gtid.mode, SETTINGS), SEEN(TEXT, gtid.executed, SETTINGS), SEEN(TEXT, gtid.purged, SETTINGS),
    SEEN(PLAIN, gtid.is_enforced, SETTINGS), SEEN(PLAIN, gtid.domain, SETTINGS), SEEN(PLAIN, gtid.is_strict, SETTINGS),
    SEEN(TEXT, gtid.slave_position, SETTINGS), SEEN(TEXT, gtid.binlog_position, SETTINGS),
    SEEN(TEXT, gtid.current_position, SETTINGS), SEEN(TEXT, gtid.binlog_state, SETTINGS),
    SEEN(PLAIN, uptime_s, UPTIME),
    SEEN(TEXT, written.file, LOG_POSITION), SEEN(PLAIN, written.offset, LOG_POSITION),
    SEEN(PLAIN, semi_sync.is_available, SEMI_SYNC), SEEN(PLAIN, semi_sync.has_new_master_names, SEMI_SYNC),
    SEEN(PLAIN, semi_sync.has_new_replica_names, SEMI_SYNC), SEEN(PLAIN, semi_sync.is_master_enabled, SEMI_SYNC),
    SEEN(PLAIN, semi_sync.is_master_active, SEMI_SYNC), SEEN(PLAIN, semi_sync.is_replica_enabled, SEMI_SYNC),
    SEEN(PLAIN, semi_sync.is_replica_active, SEMI_SYNC), SEEN(PLAIN, semi_sync.waits_without_replicas, SEMI_SYNC),
    SEEN(PLAIN, semi_sync.timeout_ms, SEMI_SYNC), SEEN(PLAIN, semi_sync.wait_count, SEMI_SYNC),
    SEEN(PLAIN, semi_sync.clients, SEMI_SYNC), SEEN(TEXT, semi_sync.wait_point, SEMI_SYNC),
    SEEN_LIST(channels, channel_count, channel_rows, REPLICATION), SEEN_LIST(replicas, replica_count, replica_rows, REPLICA_LIST),
    SEEN(PLAIN, has_replication_password, CREDENTIALS),
    SEEN(TEXT, group_name, GROUP), SEEN(PLAIN, is_single_primary, GROUP), SEEN(TEXT, group_state, GROUP),
    SEEN(TEXT, group_role, GROUP), SEEN_LIST(members, member_count, member_rows, GROUP),
    SEEN(PLAIN, sent_at, COUNT), SEEN(PLAIN, seen_at, COUNT),
};
static const struct row_kind seen_rows = ROWS(instance_seen, seen_fields);

static const char *text_of(const void *row, const struct field *field)
{
    const char *text;
    memcpy(&text, (const char *)row + field->offset, sizeof text);
    return text == NULL ? "" : text;
}

static const char *list_of(const void *row, const struct field *field, uint32_t *count)
{
    const char *list;
    memcpy(count, (const char *)row + field->count_offset, sizeof *count);
    memcpy(&list, (const char *)row + field->offset, sizeof list);
    return list;
}

/* --- carrying, comparing ------------------------------------------------------------------------------------------ */

void instance_carry(struct instance_seen *seen, const struct instance_seen *before)
{
    for (size_t i = 0; i < seen_rows.field_count; i++) {
        const struct field *f = &seen_fields[i];
        if (f->reading == READING_COUNT || (seen->missing & READING_BIT(f->reading)) == 0)
            continue;
        /* The list of replicas is made of two readings; either one is enough to be worth more than an old list. */
        if (f->reading == READING_REPLICA_LIST && seen->replica_count > 0)
            continue;
        memcpy((char *)seen + f->offset, (const char *)before + f->offset, f->size);
        if (f->kind == LIST)
            memcpy((char *)seen + f->count_offset, (const char *)before + f->count_offset, sizeof(uint32_t));
    }
}

static bool rows_are_same(const void *a, const void *b, const struct row_kind *kind);

static bool lists_are_same(const void *a, const void *b, const struct field *field)
{
    uint32_t count_a, count_b;
    const char *list_a = list_of(a, field, &count_a), *list_b = list_of(b, field, &count_b);
    if (count_a != count_b)
        return false;
    for (uint32_t i = 0; i < count_a; i++) {
        if (!rows_are_same(list_a + i * field->rows->size, list_b + i * field->rows->size, field->rows))
            return false;
    }
    return true;
}

static bool field_is_same(const void *a, const void *b, const struct field *field)
{
    switch (field->kind) {
    case PLAIN:
        return memcmp((const char *)a + field->offset, (const char *)b + field->offset, field->size) == 0;
    case TEXT:
        return strcmp(text_of(a, field), text_of(b, field)) == 0;
    case LIST:
        return lists_are_same(a, b, field);
    }
    return false;
}

static bool rows_are_same(const void *a, const void *b, const struct row_kind *kind)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        if (!field_is_same(a, b, &kind->fields[i]))
            return false;
    }
    return true;
}

bool instance_is_same(const struct instance_seen *a, const struct instance_seen *b)
{
    for (size_t i = 0; i < seen_rows.field_count; i++) {
        const struct field *f = &seen_fields[i];
        const bool is_moving = f->reading == READING_UPTIME || f->offset == offsetof(struct instance_seen, sent_at) ||
                               f->offset == offsetof(struct instance_seen, seen_at);
        if (!is_moving && !field_is_same(a, b, f))
            return false;
    }
    return true;
}

/* --- keeping ------------------------------------------------------------------------------------------------------ */

/* Rows first (they need alignment), texts behind them: one walk measures, the same walk fills. */
struct packing { char *rows, *texts; size_t row_bytes, text_bytes; };

static size_t aligned(size_t size) { return (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t); }

static void pack_row(struct packing *to, void *row, const struct row_kind *kind, bool is_filling);

static void pack_text(struct packing *to, void *row, const struct field *field, bool is_filling)
{
    const char *text = text_of(row, field);
    const size_t size = strlen(text) + 1;
    if (is_filling) {
        char *place = to->texts + to->text_bytes;
        memcpy(place, text, size);
        memcpy((char *)row + field->offset, &place, sizeof place);
    }
    to->text_bytes += size;
}

static void pack_list(struct packing *to, void *row, const struct field *field, bool is_filling)
{
    uint32_t count;
    const char *list = list_of(row, field, &count);
    char *place = is_filling && count > 0 ? to->rows + to->row_bytes : NULL;
    to->row_bytes += aligned(count * field->rows->size);
    if (place != NULL)
        memcpy(place, list, count * field->rows->size);
    for (uint32_t i = 0; i < count; i++) {
        if (is_filling)
            pack_row(to, place + i * field->rows->size, field->rows, true);
        else
            pack_row(to, (char *)(uintptr_t)list + i * field->rows->size, field->rows, false);      /* measured, not written */
    }
    if (is_filling)
        memcpy((char *)row + field->offset, &place, sizeof place);
}

static void pack_row(struct packing *to, void *row, const struct row_kind *kind, bool is_filling)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        if (kind->fields[i].kind == TEXT)
            pack_text(to, row, &kind->fields[i], is_filling);
        else if (kind->fields[i].kind == LIST)
            pack_list(to, row, &kind->fields[i], is_filling);
    }
}

bool instance_keep(struct room *room, struct instance_kept *kept, const struct instance_seen *seen)
{
    struct instance_seen copy = *seen;
    struct packing measure = { .row_bytes = aligned(sizeof copy) };
    struct instance_place *place = &kept->place[1 - kept->current];

    pack_row(&measure, &copy, &seen_rows, false);
    const size_t size = measure.row_bytes + measure.text_bytes;
    if (size > place->size) {
        const size_t wanted = size + size / 8;      /* GTID sets and positions grow by a digit now and then */
        void *memory = room_reserve(room, wanted);
        if (memory == NULL)
            return false;
        room_release(room, place->memory);
        *place = (struct instance_place){ memory, wanted };
    }
    struct packing fill = { .rows = place->memory, .row_bytes = aligned(sizeof copy) };
    fill.texts = fill.rows + measure.row_bytes;
    pack_row(&fill, &copy, &seen_rows, true);
    assert(fill.row_bytes == measure.row_bytes && fill.text_bytes == measure.text_bytes);
    memcpy(place->memory, &copy, sizeof copy);
    kept->current = 1 - kept->current;
    kept->seen = place->memory;
    return true;
}

void instance_release(struct room *room, struct instance_kept *kept)
{
    room_release(room, kept->place[0].memory);
    room_release(room, kept->place[1].memory);
    *kept = (struct instance_kept){ 0 };
}
