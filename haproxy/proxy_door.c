/* Addresses of haproxy.cfg. Nothing is looked up: a name is only ever the same as the same name. */
#include "haproxy/proxy_door.h"

#include <string.h>

#include "base/text.h"

static const char *without_family(const char *text)
{
    static const char *const families[] = { "ipv4@", "ipv6@", "tcp@", "tcp4@", "tcp6@", "unix@", "uxst@" };

    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (text_begins(text, families[i]))
            return text + strlen(families[i]);
    }
    return text;
}

static bool is_everywhere(const char *host)
{
    return text_is(host, "*") || text_is(host, "0.0.0.0") || text_is(host, "::");
}

bool proxy_door_read(const char *text, struct proxy_door *ret)
{
    struct proxy_door door = { .is_unix = text[0] == '/' || text_begins(text, "unix@") || text_begins(text, "uxst@") };
    const char *address = without_family(text), *colon = strrchr(address, ':');
    uint64_t port = 0;
    size_t length = strlen(address);

    if (door.is_unix) {
        if (!TEXT_SET(door.path, address))
            return false;
        *ret = door;
        return true;
    }
    if (strchr(address, '@') != NULL)
        return false;
    if (colon != NULL && text_to_u64(colon + 1, strlen(colon + 1), &port) && port <= 65535)
        length = (size_t)(colon - address);
    else
        port = 0;
    if (length >= 2 && address[0] == '[' && address[length - 1] == ']') {
        address++;
        length -= 2;
    }
    if (!text_copy_bytes(door.host, sizeof door.host, address, length))
        return false;
    if (is_everywhere(door.host))
        door.host[0] = '\0';
    door.port = (int)port;
    *ret = door;
    return true;
}

bool proxy_door_is_same(const struct proxy_door *a, const struct proxy_door *b)
{
    if (a->is_unix != b->is_unix)
        return false;
    if (a->is_unix)
        return text_is(a->path, b->path);
    return a->port == b->port && text_is_nocase(a->host, b->host);
}

bool proxy_door_leads_to(const struct proxy_door *asked, const struct proxy_door *bound)
{
    if (proxy_door_is_same(asked, bound))
        return true;
    if (asked->is_unix || bound->is_unix || asked->port != bound->port)
        return false;
    /* one side names every address, the other this host's own */
    return bound->host[0] == '\0' || asked->host[0] == '\0' ||
           (text_is_nocase(asked->host, "localhost") && text_begins(bound->host, "127.")) ||
           (text_is_nocase(bound->host, "localhost") && text_begins(asked->host, "127."));
}

void proxy_door_text(const struct proxy_door *door, char *to, size_t size)
{
    if (door->is_unix)
        text_copy(to, size, door->path);
    else
        text_format(to, size, strchr(door->host, ':') != NULL ? "[%s]:%d" : "%s:%d", door->host, door->port);
}

bool proxy_host_is_number(const char *host)
{
    return strchr(host, ':') != NULL || host[strspn(host, "0123456789.")] == '\0';
}
