/* Who is a member, as the log has it, and the orders that change it (docs/adr/0024). One change at a time; the next one that changes
 * who votes comes not before a lease has passed, so that any two groups of voters under which a lease may still count differ by one. */
#include "backends/quorum/consensus_inside.h"

#include <string.h>

#include "backends/quorum/bytes.h"
#include "base/text.h"

#define CHANGE_LIMIT_MS 10000            /* of one order; within it a newcomer must show itself */
#define BEHIND_MAX 64                    /* entries that a learner may lack when it is promoted: raft hands them over meanwhile */

uint64_t consensus_own_id(const struct consensus *c)
{
    return c->birth.is_added ? roster_added_id(c->birth.name, c->birth.mark) : quorum_member_id(c->birth.name);
}

void consensus_know(struct consensus *c)
{
    if (c->world.know != NULL)
        c->world.know(c->world.owner, &c->roster, c->is_running ? consensus_own_id(c) : 0);
}

raft_index consensus_matched(const struct consensus *c, int place)
{
    if (!c->is_running || c->raft.state != RAFT_LEADER || id_of(c, place) == 0)
        return 0;
    for (unsigned k = 0; k < c->raft.configuration.n; k++) {
        if (c->raft.configuration.servers[k].id == id_of(c, place))
            return c->raft.leader_state.progress[k].match_index;
    }
    return 0;
}

static bool has_other_voters(const struct roster *a, const struct roster *b)
{
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        const bool votes_in_a = a->places[i].role == ROSTER_VOTER, votes_in_b = b->places[i].role == ROSTER_VOTER;
        if (votes_in_a != votes_in_b || (votes_in_a && a->places[i].id != b->places[i].id))
            return true;
    }
    return false;
}

/* What was heard, promised and confirmed by who had a place before is nobody's now. */
static void forget_old_incarnations(struct consensus *c, const struct roster *before)
{
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (c->roster.places[i].id == before->places[i].id && text_is(name_of(c, i), before->places[i].name))
            continue;
        c->confirmed[i] = c->asked_at[i] = FC_EVER;
        c->has_released[i] = c->may_stand[i] = false;
        if (!text_is(name_of(c, i), before->places[i].name))
            c->heard_at[i] = c->raft_heard_at[i] = c->shown_at[i] = FC_EVER;
    }
}

void consensus_take_members(struct consensus *c)
{
    char members[QUORUM_SENTENCE_SIZE];
    const struct raft *raft = &c->raft;
    if (!c->is_running || (c->taken_index == raft->configuration_index && c->taken_uncommitted == raft->configuration_uncommitted_index))
        return;
    const struct roster before = c->roster;
    const bool is_first = !c->roster.has_log;
    c->taken_index = raft->configuration_index;
    c->taken_uncommitted = raft->configuration_uncommitted_index;
    if (!roster_take(&c->roster, &raft->configuration))
        consensus_say(c, "raft: the log names a member that this version cannot understand");
    if (has_other_voters(&before, &c->roster))
        c->voters_changed_at = c->now;
    forget_old_incarnations(c, &before);
    if (memcmp(&before, &c->roster, sizeof before) == 0)
        return;
    roster_text(&c->roster, members, sizeof members);
    if (!is_first)
        consensus_say(c, "the members of the group are %s", members);
    else if (c->roster.has_log && !roster_is_as_booked(&c->roster))
        consensus_say(c, "the log says that the members are %s: it counts, not RaftNodes", members);
    consensus_know(c);
}

enum mark_standing consensus_standing(const struct consensus *c, int place, const char *mark)
{
    if (!c->is_running || !c->roster.has_log)
        return STANDING_OPEN;
    if (c->roster.places[place].role == ROSTER_NONE)
        return STANDING_NONE;
    if (id_of(c, place) == quorum_member_id(name_of(c, place)))
        return STANDING_FOUNDER;
    return id_of(c, place) == roster_added_id(name_of(c, place), mark) ? STANDING_ADDED : STANDING_OTHER;
}

/* ---- orders ------------------------------------------------------------------------------------------------------- */

static bool is_alive(const struct consensus *c, int place)
{
    return place == own(c) || (!fc_is_ever(c->heard_at[place]) && fc_since(c->heard_at[place], c->now).us < 2 * election(c).us);
}

/* Would a majority be alive if this one (-1 nobody) voted no more, and that one did? */
static bool is_enough(const struct consensus *c, int leaving, int coming, int *count, int *alive)
{
    *count = *alive = 0;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (i != coming && (i == leaving || !is_voter(c, i)))
            continue;
        ++*count;
        *alive += is_alive(c, i);
    }
    return *alive > *count / 2;
}

static enum fc_code check_add(struct consensus *c, const char *name, struct fc_err *err)
{
    const int at = roster_by_name(&c->roster, name);
    if (at >= 0 && c->roster.places[at].role != ROSTER_NONE && !c->roster.places[at].is_kept)
        return fc_fail(err, FC_REFUSED, "%s is a member already (%s); if its directory was lost, `raft-remove %s` first", name,
                       roster_role_word(c->roster.places[at].role), name);
    if (roster_members(&c->roster) >= QUORUM_NODES_MAX)
        return fc_fail(err, FC_REFUSED, "the group has %d members; at most %d are possible", roster_members(&c->roster), QUORUM_NODES_MAX);
    return FC_OK;
}

static enum fc_code check_promote(struct consensus *c, int at, struct fc_err *err)
{
    const raft_index has = consensus_matched(c, at), last = raft_last_index(&c->raft);
    int count, alive;
    if (!is_alive(c, at))
        return fc_fail(err, FC_REFUSED, "%s does not answer", name_of(c, at));
    if (has + BEHIND_MAX < last)
        return fc_fail(err, FC_REFUSED, "%s has not caught up: it has %llu of %llu entries", name_of(c, at), has, last);
    if (!is_enough(c, -1, at, &count, &alive))
        return fc_fail(err, FC_REFUSED, "with %s %d would vote and %d of them answer, which is no majority; remove those that are lost first",
                       name_of(c, at), count, alive);
    return FC_OK;
}

static enum fc_code check_remove(struct consensus *c, int at, struct fc_err *err)
{
    int count, alive;
    if (at == own(c))
        return fc_fail(err, FC_REFUSED, "%s leads: `yield` first, then remove it", name_of(c, at));
    if (!is_voter(c, at))
        return FC_OK;
    const bool is_left_enough = is_enough(c, at, -1, &count, &alive);
    if (count < 2)
        return fc_fail(err, FC_REFUSED, "without %s one voter would be left, and nobody to lead after it", name_of(c, at));
    if (!is_left_enough)
        return fc_fail(err, FC_REFUSED, "without %s %d would vote and %d of them answer, which is no majority", name_of(c, at), count, alive);
    return FC_OK;
}

static enum fc_code check(struct consensus *c, enum member_change change, const char *name, struct fc_err *err)
{
    const int at = roster_by_name(&c->roster, name);
    if (c->led_term == 0 || !c->is_ready || c->yielding != 0)
        return fc_fail(err, FC_NOT_LEADER, "this node does not lead at this moment");
    if (c->change.number != 0 || c->is_change_out || c->raft.configuration_uncommitted_index != 0)
        return fc_fail(err, FC_BUSY, "another change of the members is under way; one at a time");
    if (change == MEMBER_ADD)
        return check_add(c, name, err);
    if (at < 0 || c->roster.places[at].role == ROSTER_NONE)
        return fc_fail(err, FC_NOT_FOUND, "%s is no member of the group", name);
    return change == MEMBER_PROMOTE ? check_promote(c, at, err) : check_remove(c, at, err);
}

static void end_change(struct consensus *c, enum fc_code code, const char *text)
{
    const uint64_t number = c->change.number;
    c->change.number = 0;
    c->roster.places[c->change.place].is_kept = false;
    roster_forget(&c->roster, c->change.place);
    consensus_know(c);
    consensus_tell_end(c, number, QUORUM_ENDED, code, text);
    consensus_show(c);
}

void consensus_change_members(struct consensus *c, uint64_t number, enum member_change change, const char *name, const char *address)
{
    static const enum change_step first[] = { [MEMBER_ADD] = CHANGE_SHOWS, [MEMBER_PROMOTE] = CHANGE_VOTES, [MEMBER_REMOVE] = CHANGE_LEAVES };
    struct fc_err err = { .code = FC_OK };
    char text[160];
    c->now = consensus_clock(c);
    const enum fc_code code = check(c, change, name, &err);
    const int place = code != FC_OK ? -1 : change == MEMBER_ADD ? roster_place_for(&c->roster, name) : roster_by_name(&c->roster, name);
    if (place < 0) {
        consensus_tell_end(c, number, QUORUM_ENDED, code == FC_OK ? FC_BUSY : code, code == FC_OK ? "too many nodes are known here" : err.text);
        return;
    }
    if (change == MEMBER_PROMOTE && is_voter(c, place)) {
        TEXT_FORMAT(text, "%s is a voter already", name);
        consensus_tell_end(c, number, QUORUM_ENDED, FC_OK, text);
        return;
    }
    c->change = (struct change){ .number = number, .step = first[change], .place = place, .id = id_of(c, place), .since = c->now };
    c->roster.places[place].is_kept = change == MEMBER_ADD;
    if (change == MEMBER_ADD) {
        TEXT_SET(c->change.address, address);
        TEXT_SET(c->roster.places[place].address, address);
        consensus_know(c);
    }
    consensus_go_on_changing(c);
}

static void change_is_decided(struct raft_change *request, int status)
{
    struct consensus *c = request->data;
    char text[160];
    c->is_change_out = false;
    if (c->change.number == 0)
        return;                                            /* its order has been answered */
    if (status != 0) {
        TEXT_FORMAT(text, "not known whether it is decided (%s): `/api/raft-status` shows the members", raft_strerror(status));
        end_change(c, FC_TIMEOUT, text);
        return;
    }
    switch (c->change.step) {
    case CHANGE_SHOWS: case CHANGE_ENTERS:
        c->change.step = CHANGE_LEARNS;                    /* at the next beat: raft is in the midst of something */
        return;
    case CHANGE_LEARNS:
        TEXT_FORMAT(text, "%s is a learner; `raft-promote %s` makes it a voter when it has caught up", name_of(c, c->change.place),
                    name_of(c, c->change.place));
        break;
    case CHANGE_VOTES:
        TEXT_FORMAT(text, "%s votes", name_of(c, c->change.place));
        break;
    case CHANGE_LEAVES:
        TEXT_FORMAT(text, "it is no member any more");
        break;
    }
    end_change(c, FC_OK, text);
}

/* A newcomer shows the mark of its empty directory by itself, as soon as it is heard. */
static bool has_shown_itself(struct consensus *c)
{
    struct change *change = &c->change;
    if (fc_is_ever(c->shown_at[change->place]) || fc_since(c->shown_at[change->place], c->now).us > election(c).us)
        return false;
    change->id = roster_added_id(name_of(c, change->place), c->mark_of[change->place]);
    change->step = CHANGE_ENTERS;
    return true;
}

static int ask_raft(struct consensus *c)
{
    struct change *change = &c->change;
    char text[ROSTER_TEXT_SIZE];
    switch (change->step) {
    case CHANGE_SHOWS:
        break;
    case CHANGE_ENTERS:
        roster_added_text(name_of(c, change->place), c->mark_of[change->place], change->address, text);
        return raft_add(&c->raft, &c->change_request, change->id, text, change_is_decided);
    case CHANGE_LEARNS:
        return raft_assign(&c->raft, &c->change_request, change->id, RAFT_STANDBY, change_is_decided);
    case CHANGE_VOTES:
        return raft_assign(&c->raft, &c->change_request, change->id, RAFT_VOTER, change_is_decided);
    case CHANGE_LEAVES:
        return raft_remove(&c->raft, &c->change_request, change->id, change_is_decided);
    }
    return RAFT_CANTCHANGE;
}

static void give_up(struct consensus *c)
{
    char text[160];
    if (c->change.step == CHANGE_SHOWS)
        TEXT_FORMAT(text, "%s does not show itself: it must run, with this key, an empty RaftDataDir, and %s in its RaftNodes",
                    name_of(c, c->change.place), name_of(c, own(c)));
    else
        TEXT_FORMAT(text, "not decided in time: `/api/raft-status` shows the members");
    end_change(c, FC_TIMEOUT, text);
}

void consensus_go_on_changing(struct consensus *c)
{
    char text[160];
    if (c->change.number == 0)
        return;
    if (c->led_term == 0) {
        end_change(c, FC_NOT_LEADER, "this node does not lead any more");
        return;
    }
    if (fc_since(c->change.since, c->now).us > fc_ms(CHANGE_LIMIT_MS).us) {
        give_up(c);
        return;
    }
    /* A lease that was counted among the voters before the last change must be over. */
    const bool may_change = fc_is_ever(c->voters_changed_at) || fc_since(c->voters_changed_at, c->now).us > lease(c).us;
    if (c->is_change_out || !may_change || (c->change.step == CHANGE_SHOWS && !has_shown_itself(c)))
        return;
    c->change_request.data = c;
    c->is_change_out = true;
    const int code = ask_raft(c);
    if (code == 0) {
        consensus_take_members(c);
        return;
    }
    c->is_change_out = false;
    if (code == RAFT_CANTCHANGE)
        return;                                            /* the one before is being decided: at the next beat */
    TEXT_FORMAT(text, "%s", raft_errmsg(&c->raft)[0] != '\0' ? raft_errmsg(&c->raft) : raft_strerror(code));
    end_change(c, FC_REFUSED, text);
}

/* ---- what others tell of the members ------------------------------------------------------------------------------ */

void consensus_ask_for_members(struct consensus *c)
{
    const struct frame frame = { .kind = FRAME_MEMBERS_ASK, .number = c->members_asked % QUORUM_NODES_MAX };
    if (!c->is_running || c->is_out || consensus_leader(c) >= 0 || fc_since(c->led_at, c->now).us < 2 * election(c).us)
        return;
    c->members_asked++;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (is_other(c, i))
            consensus_send(c, i, &frame);
    }
}

void consensus_members_asked(const struct consensus *c, const struct frame *frame, struct frame *answer)
{
    const struct raft_configuration *all = &c->raft.configuration;
    if (!c->is_running || c->raft.configuration_uncommitted_index != 0 || frame->number >= all->n)
        return;                                            /* only what is decided is told */
    const int place = roster_by_id(&c->roster, all->servers[frame->number].id);
    struct bytes_out out = { .to = answer->payload, .size = sizeof answer->payload };
    if (place < 0)
        return;
    bytes_put_number(&out, all->n, 1);
    bytes_put_number(&out, all->servers[frame->number].id, 8);
    bytes_put_text(&out, name_of(c, place));
    bytes_put_text(&out, c->roster.places[place].address);
    answer->kind = FRAME_MEMBERS_TELL;
    answer->term = c->raft.configuration_index;
    answer->length = out.length;
}

/* All of them were told one after the other, and this node is none of them. */
static void count_told(struct consensus *c, uint64_t number, uint64_t count, uint64_t id)
{
    if (number == 0)
        c->told_count = 0;
    if (id == consensus_own_id(c))
        c->told_count = -1;
    else if (c->told_count >= 0 && (uint64_t)c->told_count == number)
        c->told_count++;
    if (c->told_count >= 0 && (uint64_t)c->told_count == count)
        consensus_go_out(c, "it was removed from the group; to bring it back, empty its RaftDataDir, start it, and order `raft-add`");
}

void consensus_members_told(struct consensus *c, const struct frame *frame)
{
    char name[NODE_NAME_SIZE], address[ADDRESS_SIZE];
    struct bytes_in in = { .from = frame->payload, .size = frame->length };
    const uint64_t count = bytes_get_number(&in, 1), id = bytes_get_number(&in, 8);
    bytes_get_text(&in, name, sizeof name);
    bytes_get_text(&in, address, sizeof address);
    if (in.is_bad || id == 0 || count > QUORUM_NODES_MAX || !text_is_name(name, strlen(name)) || !c->is_running || c->is_out ||
        frame->term <= c->raft.configuration_index || c->raft.configuration_uncommitted_index != 0)
        return;
    if (c->roster.has_log)                                 /* who is just being taken in may be told of the members before it */
        count_told(c, frame->number, count, id);
    const int place = roster_place_for(&c->roster, name);
    if (place < 0 || place == own(c))
        return;
    struct roster_place *p = &c->roster.places[place];
    if (p->id == id)
        return;
    p->id = id;
    if (address[0] != '\0')
        TEXT_SET(p->address, address);
    consensus_know(c);
}
