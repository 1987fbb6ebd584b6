/* An entry: its length, the event, and what the event points to. Everything is checked before it is believed. */
#include "core/record.h"

#include <string.h>

#include "base/text.h"
#include "core/config.h"

struct record_room {
    struct config config;
    struct server_look look;
    struct server_settings settings;
    struct proxy_row rows[PROXY_ROWS_MAX];
    struct asked_row asked[ASKED_ROWS_MAX];
    char node[NODE_NAME_SIZE];
    char text[1100];
};

struct entry_head { uint32_t length, payload; uint64_t sum; };       /* sum: of all that follows the head */

static const char magic[] = "firstchair event log 1";

/* FNV-1a. It finds damage (a disk, a cut, an editor), not malice: who may write the log may as well write the configuration. */
static uint64_t sum_of(const unsigned char *bytes, size_t length)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ bytes[i]) * UINT64_C(1099511628211);
    return sum;
}

void record_header_make(struct record_header *header)
{
    const uint32_t sizes[] = { sizeof(struct event), sizeof(struct server_look), sizeof(struct config),
                               sizeof(struct proxy_row), sizeof(struct asked_row), sizeof(struct server_settings),
                               sizeof(struct entry_head) };
    memset(header, 0, sizeof *header);
    memcpy(header->bytes, magic, sizeof magic);
    memcpy(header->bytes + 32, sizes, sizeof sizes);
}

enum fc_code record_header_check(const struct record_header *header, struct fc_err *err)
{
    struct record_header ours;
    record_header_make(&ours);
    if (memcmp(header->bytes, magic, sizeof magic) != 0)
        return fc_fail(err, FC_BAD_INPUT, "this is no event log of firstchair");
    if (memcmp(header->bytes, ours.bytes, sizeof ours.bytes) != 0)
        return fc_fail(err, FC_BAD_INPUT, "this event log was written by another build; replay it with that one");
    return FC_OK;
}

static const void *payload_of(const struct event *event, size_t *length)
{
    switch (event->type) {
    case STARTED:
    case RELOADED:
        *length = sizeof(struct config) + NODE_NAME_SIZE;
        return event->as.started.config;
    case SERVER_SEEN:
        *length = sizeof(struct server_look);
        return event->as.seen.look;
    case SERVER_CHECKED:
        *length = event->as.checked.settings == NULL ? 0 : sizeof(struct server_settings);
        return event->as.checked.settings;
    case ORDER_GIVEN:
        *length = event->as.order.length;
        return event->as.order.text;
    case PROXY_SEEN:
        *length = (size_t)event->as.proxy.count * sizeof(struct proxy_row);
        return event->as.proxy.rows;
    case ASKERS_SEEN:
        *length = (size_t)event->as.askers.count * sizeof(struct asked_row);
        return event->as.askers.rows;
    case WOKEN:
    case STOP_ASKED:
    case SERVER_LOST:
    case LEASE_GRANTED:
    case LEASE_DENIED:
    case STORE_SILENT:
    case CHAIR_GRANTED:
    case CHAIR_REVOKED:
    case DEED_ENDED:
    case PROXY_LOST:
    case SIGHT_SEEN:
    case FLEET_SEEN:
    case EVENT_TYPE_COUNT:
        break;
    }
    *length = 0;
    return NULL;
}

/* The copy that goes to disk names no secret. */
static void hide_secrets(unsigned char *config_bytes)
{
    for (size_t i = 0; i < config_key_count; i++) {
        if (config_keys[i].is_secret && config_keys[i].type == CONFIG_TEXT)
            memset(config_bytes + config_keys[i].offset, 0, sizeof(config_text));
    }
}

size_t record_encode(const struct event *event, unsigned char *to, size_t size)
{
    size_t payload;
    const void *from = payload_of(event, &payload);
    const size_t whole = sizeof(struct entry_head) + sizeof *event + payload;
    if (whole > size)
        return 0;
    struct entry_head head = { .length = (uint32_t)whole, .payload = (uint32_t)payload };
    unsigned char *at = to + sizeof head;
    memcpy(at, event, sizeof *event);
    at += sizeof *event;
    if (event->type == STARTED || event->type == RELOADED) {
        memcpy(at, from, sizeof(struct config));
        hide_secrets(at);
        memset(at + sizeof(struct config), 0, NODE_NAME_SIZE);
        if (event->as.started.node != NULL)
            text_copy((char *)at + sizeof(struct config), NODE_NAME_SIZE, event->as.started.node);
    } else if (payload > 0) {
        memcpy(at, from, payload);
    }
    head.sum = sum_of(to + sizeof head, whole - sizeof head);
    memcpy(to, &head, sizeof head);
    return whole;
}

struct record_room *record_room_new(void *(*reserve)(size_t))
{
    return reserve(sizeof(struct record_room));
}

static bool is_possible(const struct event *event, size_t payload)
{
    if ((unsigned)event->type >= EVENT_TYPE_COUNT)
        return false;
    switch (event->type) {
    case STARTED:
    case RELOADED:
        return payload == sizeof(struct config) + NODE_NAME_SIZE;
    case SERVER_SEEN:
        return payload == sizeof(struct server_look) && event->as.seen.server >= 0 && event->as.seen.server < STORE_SERVERS_MAX;
    case SERVER_CHECKED:
        return (payload == 0 || payload == sizeof(struct server_settings)) && event->as.checked.server >= 0 &&
               event->as.checked.server < STORE_SERVERS_MAX;
    case SERVER_LOST:
        return event->as.lost.server >= 0 && event->as.lost.server < STORE_SERVERS_MAX;
    case ORDER_GIVEN:
        return payload == event->as.order.length && payload < sizeof ((struct record_room *)0)->text;
    case PROXY_SEEN:
        return event->as.proxy.count >= 0 && event->as.proxy.count <= PROXY_ROWS_MAX && event->as.proxy.proxy >= 0 &&
               event->as.proxy.proxy < PROXIES_MAX && payload == (size_t)event->as.proxy.count * sizeof(struct proxy_row);
    case ASKERS_SEEN:
        return event->as.askers.count >= 0 && event->as.askers.count <= ASKED_ROWS_MAX &&
               payload == (size_t)event->as.askers.count * sizeof(struct asked_row);
    case PROXY_LOST:
        return event->as.proxy_lost.proxy >= 0 && event->as.proxy_lost.proxy < PROXIES_MAX;
    case SIGHT_SEEN:
        return event->as.sight.server >= 0 && event->as.sight.server < STORE_SERVERS_MAX && payload == 0;
    case FLEET_SEEN:       /* its pool and member are checked where they are used: they are the configuration's */
    case WOKEN:
    case STOP_ASKED:
    case LEASE_GRANTED:
    case LEASE_DENIED:
    case STORE_SILENT:
    case CHAIR_GRANTED:
    case CHAIR_REVOKED:
    case DEED_ENDED:
        return payload == 0;
    case EVENT_TYPE_COUNT:
        break;
    }
    return false;
}

size_t record_decode(const unsigned char *bytes, size_t length, struct record_room *room, struct event *ret)
{
    struct entry_head head;
    if (length < sizeof head)
        return 0;
    memcpy(&head, bytes, sizeof head);
    if (head.length > RECORD_ENTRY_MAX || head.length != sizeof head + sizeof *ret + (size_t)head.payload)
        return (size_t)-1;
    if (length < head.length)
        return 0;
    if (sum_of(bytes + sizeof head, head.length - sizeof head) != head.sum)
        return (size_t)-1;
    const unsigned char *payload = bytes + sizeof head + sizeof *ret;
    memcpy(ret, bytes + sizeof head, sizeof *ret);
    if (!is_possible(ret, head.payload))
        return (size_t)-1;
    if (ret->type == STARTED || ret->type == RELOADED) {
        memcpy(&room->config, payload, sizeof room->config);
        memcpy(room->node, payload + sizeof room->config, sizeof room->node);
        room->node[sizeof room->node - 1] = '\0';
        ret->as.started.config = &room->config;
        ret->as.started.node = room->node;
    } else if (ret->type == SERVER_SEEN) {
        memcpy(&room->look, payload, sizeof room->look);
        ret->as.seen.look = &room->look;
    } else if (ret->type == SERVER_CHECKED) {
        memcpy(&room->settings, payload, head.payload);
        ret->as.checked.settings = head.payload == 0 ? NULL : &room->settings;
    } else if (ret->type == ORDER_GIVEN) {
        memcpy(room->text, payload, head.payload);
        room->text[head.payload] = '\0';
        ret->as.order.text = room->text;
    } else if (ret->type == PROXY_SEEN) {
        memcpy(room->rows, payload, head.payload);
        ret->as.proxy.rows = room->rows;
    } else if (ret->type == ASKERS_SEEN) {
        memcpy(room->asked, payload, head.payload);
        ret->as.askers.rows = room->asked;
    }
    return head.length;
}
