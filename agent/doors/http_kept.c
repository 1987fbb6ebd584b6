/* Answers that are asked for again and again are made once: by what is asked, for as long as the picture that they are made of is the same.
 * Only of routes that look, and only without a query. Who asks has been let in before; a kept answer says the same to everybody. */
#include "agent/doors/http_inside.h"

#include <string.h>

#include "agent/picture.h"
#include "base/text.h"

#define KEPT_FLEET_SECONDS 0.02      /* what is seen of servers moves all the time: so old an answer may be */
#define KEPT_BYTES_MAX (16u << 20)   /* of all of them; an answer of more than half of it is made each time */

static void drop(struct http_door *door, struct http_kept *kept)
{
    if (kept->response != NULL)
        MHD_destroy_response(kept->response);
    door->kept_bytes -= kept->response != NULL ? kept->length : 0;
    *kept = (struct http_kept){ .response = NULL };
}

void http_kept_drop_all(struct http_door *door)
{
    for (int i = 0; i < HTTP_KEPT_MAX; i++)
        drop(door, &door->kept[i]);
}

static void make_room(struct http_door *door, size_t length)
{
    while (door->kept_bytes + length > KEPT_BYTES_MAX) {
        struct http_kept *oldest = NULL;
        for (int i = 0; i < HTTP_KEPT_MAX; i++) {
            struct http_kept *kept = &door->kept[i];
            if (kept->response != NULL && kept->length > 0 && (oldest == NULL || kept->made < oldest->made))
                oldest = kept;
        }
        drop(door, oldest);
    }
}

uint64_t http_kept_stamp(struct http_door *door, enum http_keeps keeps)
{
    const struct desk *desk = door->desk;
    const struct picture *picture;
    switch (keeps) {
    case HTTP_KEEPS_NOTHING:
        return 0;
    case HTTP_KEEPS_STATUS:
        return desk->status(desk->daemon)->filling;
    case HTTP_KEEPS_FLEET:
        picture = desk->picture == NULL ? NULL : desk->picture(desk->daemon);
        return picture == NULL ? 0 : picture->changes;
    }
    return 0;
}

static bool is_good(struct http_door *door, const struct http_kept *kept)
{
    return kept->stamp == http_kept_stamp(door, kept->keeps) && (kept->keeps == HTTP_KEEPS_STATUS || ev_now(door->loop) < kept->until);
}

bool http_accepts_gzip(const struct http_request *request)
{
    const char *accepted = request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    const char *gzip = accepted == NULL ? NULL : strstr(accepted, "gzip");
    return gzip != NULL && !text_begins(gzip + 4, ";q=0") && !text_begins(gzip + 4, "; q=0");
}

static bool has_query(const struct http_request *request)
{
    return MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, NULL, NULL) > 0;
}

/* The one that is packed for who takes it so, the plain one for all others. */
struct http_kept *http_kept_find(const struct http_request *request, const char *url)
{
    struct http_door *door = request->door;
    struct http_kept *plain = NULL, *packed = NULL;
    for (int i = 0; i < HTTP_KEPT_MAX; i++) {
        struct http_kept *kept = &door->kept[i];
        if (kept->response != NULL && text_is(kept->url, url))
            *(kept->is_packed ? &packed : &plain) = kept;
    }
    if ((plain == NULL && packed == NULL) || has_query(request))
        return NULL;
    const bool is_large = packed != NULL || plain->length >= HTTP_PACK_LEAST;
    struct http_kept *fits = is_large && http_accepts_gzip(request) ? packed : plain;
    return fits != NULL && is_good(door, fits) ? fits : NULL;
}

static struct http_kept *place_for(struct http_door *door, const char *url, bool is_packed)
{
    struct http_kept *oldest = &door->kept[0];
    for (int i = 0; i < HTTP_KEPT_MAX; i++) {
        struct http_kept *kept = &door->kept[i];
        if (kept->response != NULL && kept->is_packed == is_packed && text_is(kept->url, url))
            return kept;
        if (kept->response == NULL || (oldest->response != NULL && kept->made < oldest->made))
            oldest = kept;
    }
    return oldest;
}

bool http_kept_put(struct http_request *request, const struct http_answer *answer, struct MHD_Response *response)
{
    struct http_door *door = request->door;
    const enum http_keeps keeps = request->route == NULL ? HTTP_KEEPS_NOTHING : request->route->keeps;
    if (keeps == HTTP_KEEPS_NOTHING || answer->length > KEPT_BYTES_MAX / 2 || request->stamp == 0 || has_query(request) ||
        request->stamp != http_kept_stamp(door, keeps) || strlen(request->url) >= HTTP_KEPT_URL_SIZE)
        return false;
    struct http_kept *kept = place_for(door, request->url, answer->is_packed);
    drop(door, kept);
    make_room(door, answer->length);
    *kept = (struct http_kept){ .keeps = keeps, .stamp = request->stamp, .status = answer->status, .length = answer->length,
                                .is_packed = answer->is_packed, .until = ev_now(door->loop) + KEPT_FLEET_SECONDS, .made = ++door->kept_count };
    TEXT_SET(kept->url, request->url);
    kept->response = response;
    door->kept_bytes += kept->length;
    return true;
}
