/* See roster.h: the rules are there. */
#include "backends/quorum/roster.h"

#include <string.h>

#include "base/text.h"

#define ADDED_SALT 1                     /* raft_digest's second number: a founder called "fc1~..." is nobody who was added */

uint64_t roster_founder_id(const char *name) { return raft_digest(name, 0); }

uint64_t roster_added_id(const char *name, const char *mark)
{
    char text[NODE_NAME_SIZE + BIRTH_MARK_SIZE];
    TEXT_FORMAT(text, "%s~%s", name, mark);
    return raft_digest(text, ADDED_SALT);
}

void roster_added_text(const char *name, const char *mark, const char *address, char to[ROSTER_TEXT_SIZE])
{
    text_format(to, ROSTER_TEXT_SIZE, "%s~%s@%s", name, mark, address);
}

/* NAME, or NAME~MARK@HOST:PORT. */
static bool text_split(const char *text, char name[NODE_NAME_SIZE], char address[ADDRESS_SIZE])
{
    const char *mark = strchr(text, '~'), *at = mark == NULL ? NULL : strchr(mark, '@');
    const size_t length = mark == NULL ? strlen(text) : (size_t)(mark - text);
    address[0] = '\0';
    return text_is_name(text, length) && text_copy_bytes(name, NODE_NAME_SIZE, text, length) &&
           (mark == NULL || (at != NULL && at[1] != '\0' && text_copy(address, ADDRESS_SIZE, at + 1)));
}

void roster_init(struct roster *r, int own)
{
    memset(r, 0, sizeof *r);
    r->own = own;
}

void roster_book(struct roster *r, int index, const char *name, const char *address)
{
    struct roster_place *place = &r->places[index];
    TEXT_SET(place->name, name);
    TEXT_SET(place->address, address);
    place->is_in_book = true;
}

int roster_by_name(const struct roster *r, const char *name)
{
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (name[0] != '\0' && text_is(r->places[i].name, name))
            return i;
    }
    return -1;
}

int roster_by_id(const struct roster *r, uint64_t id)
{
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (id != 0 && r->places[i].id == id)
            return i;
    }
    return -1;
}

int roster_place_for(struct roster *r, const char *name)
{
    int found = roster_by_name(r, name);
    for (int i = 0; i < ROSTER_PLACES_MAX && found < 0; i++) {
        if (r->places[i].name[0] == '\0')
            found = i;
    }
    for (int i = 0; i < ROSTER_PLACES_MAX && found < 0; i++) {
        if (i != r->own && r->places[i].role == ROSTER_NONE && !r->places[i].is_kept) {
            memset(&r->places[i], 0, sizeof r->places[i]);
            found = i;
        }
    }
    if (found >= 0)
        TEXT_SET(r->places[found].name, name);
    return found;
}

void roster_forget(struct roster *r, int place)
{
    struct roster_place *p = &r->places[place];
    if (place != r->own && p->role == ROSTER_NONE && !p->is_in_book && !p->is_kept)
        memset(p, 0, sizeof *p);
}

static bool take_one(struct roster *r, const struct raft_server *server)
{
    char name[NODE_NAME_SIZE], address[ADDRESS_SIZE];
    if (!text_split(server->address, name, address))
        return false;
    const int at = roster_place_for(r, name);
    if (at < 0)
        return false;
    struct roster_place *place = &r->places[at];
    place->id = server->id;
    place->role = server->role == RAFT_VOTER ? ROSTER_VOTER : ROSTER_LEARNER;
    if (address[0] != '\0')
        TEXT_SET(place->address, address);
    return true;
}

bool roster_take(struct roster *r, const struct raft_configuration *configuration)
{
    bool is_good = true;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        r->places[i].role = ROSTER_NONE;
        r->places[i].id = 0;
    }
    /* Those that have a place first: a newcomer must not be given the place of a member that comes later in the list. */
    for (int pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < configuration->n; i++) {
            char name[NODE_NAME_SIZE], address[ADDRESS_SIZE];
            const bool is_known = text_split(configuration->servers[i].address, name, address) && roster_by_name(r, name) >= 0;
            if (is_known == (pass == 0))
                is_good = take_one(r, &configuration->servers[i]) && is_good;
        }
    }
    for (int i = 0; i < ROSTER_PLACES_MAX; i++)
        roster_forget(r, i);
    r->has_log = r->has_log || configuration->n > 0;
    return is_good;
}

int roster_voters(const struct roster *r)
{
    int count = 0;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++)
        count += r->places[i].role == ROSTER_VOTER;
    return count;
}

int roster_members(const struct roster *r)
{
    int count = 0;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++)
        count += r->places[i].role != ROSTER_NONE;
    return count;
}

bool roster_is_as_booked(const struct roster *r)
{
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (r->places[i].name[0] != '\0' && !r->places[i].is_kept && r->places[i].is_in_book != (r->places[i].role != ROSTER_NONE))
            return false;
    }
    return true;
}

void roster_text(const struct roster *r, char *to, size_t size)
{
    int left = roster_members(r);
    size_t used = 0;
    to[0] = '\0';
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        const struct roster_place *p = &r->places[i];
        if (p->role == ROSTER_NONE)
            continue;
        text_format(to + used, size - used, "%s%s%s", p->name, p->role == ROSTER_LEARNER ? " (learner)" : "", left > 2 ? ", " : left == 2 ? " and " : "");
        used += strlen(to + used);
        left--;
    }
}

const char *roster_role_word(enum roster_role role)
{
    static const char *const words[] = { [ROSTER_NONE] = "none", [ROSTER_LEARNER] = "learner", [ROSTER_VOTER] = "voter" };
    return words[role];
}
