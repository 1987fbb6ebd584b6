/* The order of decisions. Everything that decides by rank asks here, and nowhere else. */
#include "model/decision.h"

#include <string.h>

#include "base/text.h"

static const char *const phase_words[PHASE_COUNT] = {
    [PHASE_SEATED] = "seated", [PHASE_MOVING] = "moving",
};

int rank_compare(const struct rank *a, const struct rank *b)
{
    if (a->epoch != b->epoch)
        return a->epoch < b->epoch ? -1 : 1;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    const int by_server = strcmp(a->server, b->server);
    return by_server != 0 ? by_server : strcmp(a->node, b->node);
}

bool rank_is_same_turn(const struct rank *a, const struct rank *b)
{
    return a->epoch == b->epoch && a->seq == b->seq;
}

const char *phase_word(enum phase phase)
{
    return phase < PHASE_COUNT ? phase_words[phase] : "unknown";
}

bool phase_from_word(const char *word, enum phase *ret)
{
    for (int i = 0; i < PHASE_COUNT; i++) {
        if (text_is(word, phase_words[i])) {
            *ret = (enum phase)i;
            return true;
        }
    }
    return false;
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
            return false;
    }
    return true;
}

bool decision_is_sound(const struct decision *d)
{
    if (d->rank.epoch > RANK_MAX || d->rank.seq > RANK_MAX)
        return false;
    if ((unsigned)d->phase >= PHASE_COUNT || !is_plain(d->rank.server) || !is_plain(d->rank.node) ||
        !is_plain(d->successor))
        return false;
    if (d->phase == PHASE_MOVING)
        return d->rank.node[0] != '\0' && d->successor[0] != '\0' && d->rank.epoch > 0;
    return d->rank.node[0] == '\0' || d->rank.epoch > 0;
}

bool decision_is_same_seat(const struct decision *a, const struct decision *b)
{
    return a->phase == PHASE_SEATED && b->phase == PHASE_SEATED && strcmp(a->rank.server, b->rank.server) == 0;
}

bool decision_is_free(const struct decision *d)
{
    return d->rank.node[0] == '\0';
}

void node_name_of(const char *node, char *to, size_t size)
{
    const char *mark = strchr(node, '~');
    text_copy_bytes(to, size, node, mark == NULL ? strlen(node) : (size_t)(mark - node));
}
