/* Its life and its picture. */
#include "backends/quorum/consensus_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define INSTALL_MS 5000                  /* a snapshot that was sent and not answered is sent again; at most 256 KiB */

void consensus_say(struct consensus *c, const char *format, ...)
{
    char sentence[QUORUM_SENTENCE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    c->world.say(c->world.owner, sentence);
}

void consensus_tell_end(struct consensus *c, uint64_t number, enum quorum_heard_kind kind, enum fc_code code, const char *text)
{
    struct quorum_heard heard = { .kind = kind, .number = number, .code = code };
    TEXT_SET(heard.text, text);
    c->world.heard(c->world.owner, &heard);
}

/* ---- the picture -------------------------------------------------------------------------------------------------- */

bool consensus_leads(struct consensus *c) { return c->is_running && !c->is_disk_lost && raft_state(&c->raft) == RAFT_LEADER; }

enum quorum_role consensus_role(struct consensus *c)
{
    if (c->is_out)
        return QUORUM_OUT;
    if (!c->is_running)
        return QUORUM_STARTING;
    switch (raft_state(&c->raft)) {
    case RAFT_FOLLOWER: return QUORUM_FOLLOWER;
    case RAFT_CANDIDATE: return QUORUM_CANDIDATE;
    case RAFT_LEADER: return voters(c) == 1 ? QUORUM_ALONE : QUORUM_LEADER;
    default: return QUORUM_OUT;
    }
}

int consensus_leader(struct consensus *c)
{
    raft_id id = 0;
    const char *address = NULL;
    if (c->is_running)
        raft_leader(&c->raft, &id, &address);
    return roster_by_id(&c->roster, id);
}

void consensus_show(struct consensus *c)
{
    struct quorum_view view = { .role = consensus_role(c), .leader = consensus_leader(c), .is_ready = c->led_term != 0 && c->is_ready };
    if (c->is_running) {
        view.term = c->raft.current_term;
        view.last_index = raft_last_index(&c->raft);
        view.applied_index = raft_last_applied(&c->raft);
        view.snapshot_index = c->raft.log.snapshot.last_index;
    }
    view.until = consensus_may_act_until(c);
    view.voiced_at = consensus_voiced_at(c);
    view.voiced = c->state.chair.rank;
    view.words = c->words;
    TEXT_SET(view.why, c->why);
    consensus_show_disk(c, &view);
    view.roster = c->roster;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        view.peers[i].heard_at = c->heard_at[i];
        view.peers[i].raft_heard_at = c->raft_heard_at[i];
        view.peers[i].is_open = i == own(c);
        view.log_matched[i] = consensus_matched(c, i);
    }
    for (int i = 0; i < QUORUM_PROPOSALS_MAX; i++)
        view.proposals += c->proposals[i].number != 0;
    view.elections_won = c->elections_won;
    view.votes_withheld = c->votes_withheld;
    view.entries = c->state.entries;
    view.repeated = c->state.repeated;
    view.strange = c->state.strange;
    c->world.show(c->world.owner, &view);
}

void consensus_go_out(struct consensus *c, const char *why)
{
    if (!c->is_out)
        consensus_say(c, "raft: this node takes no part: %s", why);
    c->is_out = true;
    TEXT_SET(c->why, why);
}

/* ---- life --------------------------------------------------------------------------------------------------------- */

/* An earlier start wrote the first term and ended before it took part. Where it ended before the first entry too, this node would
 * neither vote nor stand for ever: the entry is written now, as it would have been. */
static int finish_bootstrap(struct consensus *c, const struct raft_configuration *all)
{
    struct raft_snapshot *snapshot = NULL;
    struct raft_entry *entries = NULL;
    raft_index start = 0;
    raft_term term = 0;
    raft_id vote = 0;
    size_t count = 0;
    const int code = c->io.load(&c->io, &term, &vote, &snapshot, &start, &entries, &count);
    if (code != 0)
        return code;
    const bool is_empty = count == 0 && snapshot == NULL;
    consensus_free_loaded(snapshot, entries, count);
    return is_empty ? raft_recover(&c->raft, all) : 0;
}

static int add_self(struct consensus *c, struct raft_configuration *to)
{
    char text[ROSTER_TEXT_SIZE];
    roster_added_text(name_of(c, own(c)), c->birth.mark, c->roster.places[own(c)].address, text);
    return raft_configuration_add(to, consensus_own_id(c), text, RAFT_VOTER);
}

static int add_founders(struct consensus *c, struct raft_configuration *to)
{
    int code = 0;
    for (int i = 0; i < founders(c) && code == 0; i++)
        code = raft_configuration_add(to, quorum_member_id(c->settings->members[i].name), c->settings->members[i].name, RAFT_VOTER);
    return code;
}

static int bootstrap(struct consensus *c)
{
    struct raft_configuration all;
    raft_configuration_init(&all);
    int code = c->settings->forms_alone ? add_self(c, &all) : add_founders(c, &all);
    if (code == 0)
        code = raft_bootstrap(&c->raft, &all);
    if (code == RAFT_CANTBOOTSTRAP)
        code = finish_bootstrap(c, &all);
    raft_configuration_close(&all);
    return code;
}

static int open_raft(struct consensus *c)
{
    const struct quorum_settings *s = c->settings;
    int code = c->world.open_io(c->world.owner, &c->io);
    if (code != 0)
        return code;
    consensus_wrap_io(c);
    c->fsm = consensus_fsm;
    c->fsm.data = c;
    if ((code = raft_init(&c->raft, &c->io, &c->fsm, consensus_own_id(c), name_of(c, own(c)))) != 0)
        return code;
    c->has_raft = true;
    c->raft.data = c;
    raft_set_election_timeout(&c->raft, (unsigned)s->election_ms);
    raft_set_heartbeat_timeout(&c->raft, (unsigned)(s->election_ms / 10));
    raft_set_pre_vote(&c->raft, true);
    raft_set_install_snapshot_timeout(&c->raft, INSTALL_MS);
    raft_set_snapshot_threshold(&c->raft, (unsigned)s->snapshot_entries);
    raft_set_snapshot_trailing(&c->raft, (unsigned)s->trailing_entries);
    return 0;
}

void consensus_start_raft(struct consensus *c)
{
    struct fc_err err = { .code = FC_OK };
    char why[200];
    c->birth.is_added = c->birth.is_added || c->settings->forms_alone;
    int code = open_raft(c);
    if (code == 0 && !c->birth.is_member) {
        code = bootstrap(c);
        if (code == 0 && birth_joined(&c->birth, &err) != FC_OK) {
            consensus_go_out(c, err.text);
            return;
        }
    }
    c->now = consensus_clock(c);
    promise_init(&c->promise, lease(c), c->now);
    if (code == 0)
        code = raft_start(&c->raft);
    if (code == 0) {
        c->is_running = true;
        consensus_know(c);
        consensus_take_members(c);
        consensus_measure_log(c);
        consensus_show(c);
        return;
    }
    TEXT_FORMAT(why, "raft does not start: %s: %s", raft_strerror(code), c->has_raft ? raft_errmsg(&c->raft) : c->io.errmsg);
    consensus_go_out(c, why);
}

void consensus_forget(struct consensus *c)
{
    for (int i = 0; i < ROSTER_PLACES_MAX; i++)
        c->heard_at[i] = c->raft_heard_at[i] = c->confirmed[i] = c->asked_at[i] = FC_EVER;
    memset(&c->raft, 0, sizeof c->raft);
    memset(&c->io, 0, sizeof c->io);
    c->led_term = 0;
    c->is_ready = c->is_barrier_out = c->is_snapshot_barrier_out = c->is_transferring = c->is_short = c->is_handing_over = false;
    c->agreed = c->arriving = (struct agreed){ 0, 0 };
    c->why[0] = '\0';
    c->words.is_known = false;
    shared_state_init(&c->state);
}

void consensus_init(struct consensus *c, const struct quorum_settings *settings, const struct birth *birth,
                    const struct consensus_world *world)
{
    memset(c, 0, sizeof *c);
    c->settings = settings;
    c->birth = *birth;
    c->world = *world;
    roster_init(&c->roster, settings->own);
    for (int i = 0; i < settings->member_count; i++)
        roster_book(&c->roster, i, settings->members[i].name, settings->members[i].address);
    for (int i = 0; i < ROSTER_PLACES_MAX; i++)
        c->heard_at[i] = c->confirmed[i] = c->asked_at[i] = c->shown_at[i] = c->pongs[i].heard_at = FC_EVER;
    c->paused_until = c->led_at = c->voters_changed_at = c->voiced_at = c->words_at = c->disk.waits_since = c->hand_over_again = FC_EVER;
    shared_state_init(&c->state);
    c->now = consensus_clock(c);
    promise_init(&c->promise, lease(c), c->now);
}

void consensus_begin(struct consensus *c)
{
    consensus_know(c);
    if (c->birth.is_member || founders(c) == 1 || c->settings->forms_alone)
        consensus_start_raft(c);
    consensus_show(c);
}

void consensus_beat(struct consensus *c)
{
    if (c->is_ending)
        return;
    c->now = consensus_clock(c);
    if (!c->is_running && (!c->is_out || c->may_join) && !c->birth.is_member)
        consensus_show_mark(c);
    if (c->is_running && !c->is_out && consensus_role(c) == QUORUM_OUT)
        consensus_go_out(c, raft_errmsg(&c->raft)[0] != '\0' ? raft_errmsg(&c->raft) : "its disk failed");
    if (consensus_leader(c) >= 0 && c->raft.current_term != c->witness_term)
        c->led_at = c->now;
    consensus_look_at_disk(c);
    consensus_look_whether_whole(c);
    consensus_ping_all(c);
    consensus_lay_barrier(c);
    consensus_look_at_proposals(c);
    consensus_hand_over_as_witness(c);
    consensus_go_on_yielding(c, true);
    consensus_go_on_snapshotting(c);
    consensus_go_on_changing(c);
    consensus_ask_for_members(c);
    consensus_show(c);
}

static void raft_closed(struct raft *raft)
{
    struct consensus *c = raft->data;
    c->has_raft = false;
    if (c->is_ending)
        c->closed(c->world.owner);
}

static void close_raft(struct consensus *c)
{
    c->is_running = false;
    if (!c->is_raft_closing)
        raft_close(&c->raft, raft_closed);
    c->is_raft_closing = true;
}

static void stop_for_the_disk(struct consensus *c)
{
    consensus_stop_for_disk(c);
    close_raft(c);
    consensus_role_changed(c);
    consensus_end_snapshot(c, FC_STORE, c->disk_why);
    consensus_show(c);
}

/* A new role is acted upon at once. */
void consensus_turned(struct consensus *c)
{
    if (!c->is_running || c->is_ending)
        return;
    c->now = consensus_clock(c);
    const uint64_t led_before = c->led_term;
    if (c->is_disk_lost) {
        stop_for_the_disk(c);
        return;
    }
    if (c->birth.is_joining && raft_last_index(&c->raft) > 0) {
        struct fc_err err = { .code = FC_OK };
        if (birth_joined(&c->birth, &err) != FC_OK)
            consensus_go_out(c, err.text);
    }
    consensus_take_members(c);
    consensus_role_changed(c);
    if (led_before != c->led_term)
        consensus_show(c);
}

void consensus_stand(struct consensus *c, bool stands) { c->stands = stands; }

const struct shared_state *consensus_state(const struct consensus *c) { return &c->state; }

void consensus_end(struct consensus *c, void (*closed)(void *owner))
{
    if (c->is_ending)
        return;
    c->is_ending = true;
    c->closed = closed;
    c->led_term = 0;
    if (c->has_raft)
        close_raft(c);
    else
        closed(c->world.owner);
}
