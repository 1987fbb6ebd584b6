/* Who leads and who sits, by one row that only rises. No I/O here: facts in, wishes out through the port.
 *
 * Story of a take-over: every look shows the row. When the turn stands still on every server in sight for lease + margin,
 * the holder's own term has ended (it counts from before its last renewal, and stops a margin early), so this node may
 * write the next epoch, but only over the very turn that it watched. The read-back tells who won. */
#include "backends/lease.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

#define INTEND_AWAIT_MS 1500         /* how long the other server may take to show the intent: replication of one row */
#define INTEND_LOOK_MS 5             /* how often it is looked at meanwhile */

static void consider(struct lease *lease, struct fc_time now);

static struct fc_span margin(const struct lease_settings *s)
{
    return fc_ms((int64_t)s->lease_ms * s->drift_percent / 100);
}

struct fc_span lease_watch_span(const struct lease_settings *s)
{
    return fc_ms((int64_t)s->lease_ms + (int64_t)s->lease_ms * s->drift_percent / 100);
}

static struct fc_time own_term_end(const struct lease *lease)
{
    const struct fc_span span = { fc_ms(lease->settings.lease_ms).us - margin(&lease->settings).us };
    return fc_plus(lease->confirmed_at, span);
}

void lease_init(struct lease *lease, const struct lease_settings *settings, const struct lease_port *port, struct fc_time now)
{
    memset(lease, 0, sizeof *lease);
    lease->settings = *settings;
    lease->port = *port;
    lease->started_at = now;
    lease->best_at = lease->best_heard_at = FC_EVER;
    lease->paused_until = FC_EVER;
    lease->next_write_at = FC_EVER;
    lease->next_id = 1;
    lease->said_until = FC_EVER;
    for (int i = 0; i < STORE_SERVERS_MAX; i++) {
        lease->servers[i].sent_at = FC_EVER;
        lease->servers[i].seen_since = FC_EVER;
        lease->servers[i].changed_at = FC_EVER;
        lease->servers[i].foreign.changed_at = FC_EVER;
    }
}

void lease_retime(struct lease *lease, const struct lease_settings *settings)
{
    lease->settings.lease_ms = settings->lease_ms;
    lease->settings.renew_ms = settings->renew_ms;
    lease->settings.drift_percent = settings->drift_percent;
    lease->settings.term_ms = settings->term_ms;
    lease->settings.probe_timeout_ms = settings->probe_timeout_ms;
}

static int server_of(const struct lease *lease, const char *identity)
{
    for (int i = 0; identity[0] != '\0' && i < lease->settings.server_count; i++) {
        if (text_is(lease->servers[i].identity, identity))
            return i;
    }
    return -1;
}

static bool is_mine(const struct lease *lease, const struct decision *row)
{
    return text_is(row->rank.node, lease->settings.node);
}

/* ---- what is said ------------------------------------------------------------------------------------------------- */

static void say_granted(struct lease *lease)
{
    struct event event = { .type = LEASE_GRANTED };
    event.as.lease.epoch = lease->mine.rank.epoch;
    event.as.lease.until = own_term_end(lease);
    event.as.lease.place = lease->place;
    lease->said_leader[0] = '\0';
    lease->said_epoch = 0;
    lease->port.say(lease->port.host, &event);
}

static void say_denied(struct lease *lease, enum event_type type, const char *why)
{
    struct event event = { .type = type };
    event.as.denied.epoch = lease->best.rank.epoch;
    TEXT_SET(event.as.denied.leader, lease->best.rank.node);
    TEXT_SET(event.as.denied.why, why);
    TEXT_SET(lease->said_leader, lease->best.rank.node);
    lease->said_epoch = lease->best.rank.epoch;
    lease->port.say(lease->port.host, &event);
}

static void say_ended(struct lease *lease, enum fc_code code, const char *text, bool is_durable_on_all)
{
    static const enum deed deeds[] = {
        [LEASE_NO_COMMAND] = DEED_NONE, [LEASE_INTEND_HERE] = DEED_INTEND, [LEASE_INTEND_AWAIT] = DEED_INTEND,
        [LEASE_INTEND_THERE] = DEED_INTEND, [LEASE_SEAT] = DEED_SEAT, [LEASE_GIVE_BACK] = DEED_GIVE_BACK,
    };
    struct event event = { .type = DEED_ENDED };
    event.as.ended.deed = deeds[lease->command];
    event.as.ended.id = lease->deed_id;
    event.as.ended.server = lease->wanted.server;
    event.as.ended.code = code;
    event.as.ended.is_durable_on_all = is_durable_on_all;
    TEXT_SET(event.as.ended.text, text);
    lease->command = LEASE_NO_COMMAND;
    lease->port.say(lease->port.host, &event);
}

/* The term of what this node says about the chair: from a look at the seated server itself that found it open at this epoch,
 * or from the moment when the row was last seen to rise. */
static struct fc_time chair_until(const struct lease *lease)
{
    const struct fc_span term = fc_ms(lease->settings.term_ms);
    struct fc_time until = fc_plus(lease->best_at, term);
    const int seated = server_of(lease, lease->best.rank.server);
    if (seated >= 0 && lease->best.phase == PHASE_SEATED) {
        const struct lease_server *s = &lease->servers[seated];
        if (s->is_reachable && s->has_row && !s->is_read_only && s->row.phase == PHASE_SEATED &&
            s->row.rank.epoch == lease->best.rank.epoch)
            until = fc_later(until, fc_plus(s->sent_at, term));
    }
    return until;
}

static void say_chair(struct lease *lease)
{
    if (!lease->settings.has_chair || fc_is_ever(lease->best_at))
        return;
    const struct decision *best = &lease->best, *said = &lease->said_chair;
    const struct fc_time until = chair_until(lease);
    const bool is_news = !lease->has_said_chair || best->rank.epoch != said->rank.epoch || best->phase != said->phase ||
                         !text_is(best->rank.server, said->rank.server) || !text_is(best->successor, said->successor) ||
                         !text_is(best->rank.node, said->rank.node);
    if (!is_news && !fc_before(lease->said_until, until))
        return;
    lease->said_chair = *best;
    lease->has_said_chair = true;
    lease->said_until = is_news ? until : fc_later(lease->said_until, until);
    struct event event = { .type = best->phase == PHASE_MOVING ? CHAIR_REVOKED : CHAIR_GRANTED };
    event.as.chair.decision = *best;
    event.as.chair.until = lease->said_until;
    lease->port.say(lease->port.host, &event);
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static void write_row(struct lease *lease, enum store_deed deed, int server, const struct decision *row,
                      const struct decision *old, bool is_for_command, struct fc_time now)
{
    assert(lease->writing == 0);
    struct store_request request = { .deed = deed, .id = lease->next_id++, .server = server, .row = *row };
    request.limit_ms = (uint32_t)lease->settings.probe_timeout_ms;
    /* Who is to sit is closed until it is opened, whatever an older look said: `store` is refused there. */
    const bool is_to_sit = is_for_command && (lease->command == LEASE_SEAT || lease->command == LEASE_INTEND_THERE);
    request.by_fence = lease->settings.has_chair && (lease->servers[server].is_read_only || is_to_sit);
    if (old != NULL)
        request.old = *old;
    if (rank_compare(&row->rank, &lease->tried) > 0 && row->rank.epoch == lease->mine.rank.epoch)
        lease->tried = row->rank;
    if (row->rank.epoch > lease->tried_epoch)
        lease->tried_epoch = row->rank.epoch;
    lease->writing = request.id;
    lease->written = *row;
    lease->writing_server = server;
    lease->is_writing_for_command = is_for_command;
    lease->is_writing_guarded = deed == STORE_TAKE;
    lease->writing_since = now;
    lease->port.ask(lease->port.host, &request);
}

/* Above what was confirmed, and above what was tried: a write that was not heard of may have landed, and one rank is one decision. */
static uint64_t next_seq(const struct lease *lease)
{
    const struct rank *mine = &lease->mine.rank, *tried = &lease->tried;
    return (tried->epoch == mine->epoch && tried->seq > mine->seq ? tried->seq : mine->seq) + 1;
}

static uint64_t next_epoch(const struct lease *lease, uint64_t known)
{
    return (lease->tried_epoch > known ? lease->tried_epoch : known) + 1;
}

static void renew(struct lease *lease, struct fc_time now)
{
    struct decision row = lease->mine;
    row.rank.seq = next_seq(lease);
    write_row(lease, STORE_RENEW, lease->place, &row, NULL, false, now);
}

/* The row learned from a server or a read-back; the highest one is what the world is. */
static void learn(struct lease *lease, const struct decision *row, struct fc_time sent_at, struct fc_time now)
{
    if (fc_is_ever(lease->best_at) || rank_compare(&row->rank, &lease->best.rank) > 0) {
        lease->best = *row;
        lease->best_at = sent_at;
        lease->best_heard_at = now;
    }
}

static void lose(struct lease *lease, const char *why)
{
    lease->holds = false;
    lease->is_silent = false;
    if (lease->command != LEASE_NO_COMMAND)
        say_ended(lease, FC_NOT_LEADER, why, false);
    say_denied(lease, LEASE_DENIED, why);
}

/* ---- contending --------------------------------------------------------------------------------------------------- */

static bool foreign_is_fresh(const struct lease *lease, struct fc_time now)
{
    for (int i = 0; i < lease->settings.server_count; i++) {
        const struct lease_server *s = &lease->servers[i];
        if (s->is_reachable && foreign_is_alive(&s->foreign, now))
            return true;
    }
    return false;
}

/* Who does not see every server lets those go first who do: two who see different servers would both win. And what comes
 * back into sight after a cut does so one by one: the others get the time of a watch too. */
static bool is_watched_alone(const struct lease *lease, const struct lease_server *s)
{
    return fc_since(s->seen_since, s->sent_at).us >= lease_watch_span(&lease->settings).us + fc_ms(lease->settings.renew_ms).us;
}

/* Has the turn on this server stood still for the whole watch, as its latest look confirms? */
static bool stood_still(const struct lease *lease, const struct lease_server *s, bool sees_all)
{
    const struct fc_span turn = fc_ms(sees_all ? 0 : lease->settings.renew_ms);
    if (!sees_all && !is_watched_alone(lease, s))
        return false;
    if (is_mine(lease, &s->row))
        return true;                                       /* a late write of our own: nobody else acts by it */
    return fc_since(s->changed_at, s->sent_at).us >= lease_watch_span(&lease->settings).us + turn.us;
}

static bool sees_all_rows(const struct lease *lease)
{
    for (int i = 0; i < lease->settings.server_count; i++) {
        if (!lease->servers[i].is_reachable || !lease->servers[i].has_row)
            return false;
    }
    return true;
}

static bool may_contend(const struct lease *lease, struct fc_time now)
{
    int seen = 0;
    const bool is_free = decision_is_free(&lease->best), sees_all = sees_all_rows(lease);
    const struct fc_span watch = lease_watch_span(&lease->settings);
    const bool waited = fc_since(lease->started_at, now).us >= watch.us;
    if (!is_free && !is_mine(lease, &lease->best) && fc_since(lease->best_heard_at, now).us < watch.us)
        return false;                                      /* it rose just now, wherever that was: its holder lives */
    for (int i = 0; i < lease->settings.server_count; i++) {
        const struct lease_server *s = &lease->servers[i];
        if (!s->has_answered)
            return false;                                  /* look at the world first */
        if (!s->is_reachable || !s->has_row) {
            if (!waited)
                return false;                              /* what it would have said may be newer */
            continue;
        }
        seen++;
        const bool shows_free = decision_is_free(&s->row) && is_free;
        if (!shows_free && !stood_still(lease, s, sees_all))
            return false;
        if (!sees_all && s->is_behind && i != server_of(lease, lease->best.rank.server))
            return false;                                  /* it hears a server that we do not see, and has not applied it */
    }
    return seen > 0;
}

static int contending_place(const struct lease *lease)
{
    const int seated = server_of(lease, lease->best.rank.server);
    if (seated >= 0 && lease->servers[seated].is_reachable && lease->servers[seated].has_row)
        return seated;
    for (int i = 0; i < lease->settings.server_count; i++) {
        if (lease->servers[i].is_reachable && lease->servers[i].has_row)
            return i;
    }
    return -1;
}

static void contend(struct lease *lease, struct fc_time now)
{
    const int place = contending_place(lease);
    if (place < 0)
        return;
    struct decision row = lease->best;
    row.rank.epoch = next_epoch(lease, row.rank.epoch);
    row.rank.seq = 0;
    TEXT_SET(row.rank.node, lease->settings.node);
    if (!lease->settings.has_chair)
        TEXT_SET(row.rank.server, lease->servers[place].identity);
    write_row(lease, STORE_TAKE, place, &row, &lease->servers[place].row, false, now);
}

/* ---- the core's orders -------------------------------------------------------------------------------------------- */

static struct decision moving_row(const struct lease *lease)
{
    struct decision row = lease->mine;
    row.phase = PHASE_MOVING;
    row.intent_id = lease->wanted.as.intend.intent_id;
    row.limit_ms = lease->wanted.as.intend.limit_ms;
    TEXT_SET(row.why, lease->wanted.as.intend.why);
    TEXT_SET(row.successor, lease->servers[lease->wanted.as.intend.to].identity);
    row.mark[0] = '\0';
    return row;
}

static void intend_there(struct lease *lease, bool raises_epoch, struct fc_time now)
{
    const int to = lease->wanted.as.intend.to;
    struct decision row = moving_row(lease);
    if (raises_epoch) {
        row.rank.epoch = next_epoch(lease, lease->best.rank.epoch);
        row.rank.seq = 0;
    } else {
        row.rank.seq = next_seq(lease);
    }
    lease->command = LEASE_INTEND_THERE;
    write_row(lease, STORE_TAKE, to, &row, &lease->servers[to].row, true, now);
}

static void begin_intend(struct lease *lease, struct fc_time now)
{
    const int to = lease->wanted.as.intend.to;
    const struct lease_server *there = &lease->servers[to];
    if (!there->is_reachable || !there->has_row) {
        say_ended(lease, FC_UNREACHABLE, "the server to be seated does not answer or has no schema", false);
        return;
    }
    if (lease->place != to && !lease->servers[lease->place].is_reachable) {
        intend_there(lease, true, now);                    /* the seated one is lost: raise the epoch on the other at once */
        return;
    }
    struct decision row = moving_row(lease);
    row.rank.seq = next_seq(lease);
    lease->intended = row.rank;
    lease->command = LEASE_INTEND_HERE;
    write_row(lease, STORE_RENEW, lease->place, &row, NULL, true, now);
}

static void begin_seat(struct lease *lease, struct fc_time now)
{
    const int to = lease->wanted.as.seat.to;
    if (lease->place != to) {
        say_ended(lease, FC_INTERNAL, "the lease does not lie on the server to be seated", false);
        return;
    }
    struct decision row = lease->mine;
    row.rank.epoch = next_epoch(lease, row.rank.epoch);
    row.rank.seq = 0;
    row.phase = PHASE_SEATED;
    row.successor[0] = '\0';
    row.intent_id = 0;
    row.limit_ms = 0;
    TEXT_SET(row.rank.server, lease->servers[to].identity);
    TEXT_SET(row.why, lease->wanted.as.seat.why);
    TEXT_SET(row.mark, lease->wanted.as.seat.mark);
    write_row(lease, STORE_TAKE, to, &row, &lease->mine, true, now);
}

/* From the moment when the row is sent another node may lead, so this one stops acting before. The row of a chair that is being moved
 * keeps its leader: then the lease is left to run out. */
static void begin_give_back(struct lease *lease, struct fc_time now)
{
    const bool runs_out = lease->mine.phase == PHASE_MOVING;
    struct decision row = lease->mine;
    row.rank.seq = next_seq(lease);
    row.rank.node[0] = '\0';
    lease->holds = false;
    lease->is_silent = false;
    lease->paused_until = fc_plus(now, fc_ms(lease->wanted.as.give_back.pause_ms));
    say_denied(lease, LEASE_DENIED, runs_out ? "the lease is left to run out" : "the lease is given back");
    if (runs_out) {
        say_ended(lease, FC_OK, "", true);
        return;
    }
    write_row(lease, STORE_RENEW, lease->place, &row, NULL, true, now);
}

/* Starts the command that waits, as soon as no write is under way. */
static void begin_command(struct lease *lease, struct fc_time now)
{
    switch (lease->command) {
    case LEASE_INTEND_HERE:
        begin_intend(lease, now);
        break;
    case LEASE_SEAT:
        begin_seat(lease, now);
        break;
    case LEASE_GIVE_BACK:
        begin_give_back(lease, now);
        break;
    case LEASE_NO_COMMAND:
    case LEASE_INTEND_AWAIT:
    case LEASE_INTEND_THERE:
        break;
    }
}

void lease_command(struct lease *lease, const struct effect *effect, struct fc_time now)
{
    const bool is_busy = lease->command != LEASE_NO_COMMAND;
    if (is_busy || !lease->holds || fc_reached(own_term_end(lease), now) || fc_reached(effect->until, now)) {
        struct event event = { .type = DEED_ENDED };
        event.as.ended.deed = effect->type == INTEND ? DEED_INTEND : effect->type == SEAT ? DEED_SEAT : DEED_GIVE_BACK;
        event.as.ended.id = effect->id;
        event.as.ended.server = effect->server;
        event.as.ended.code = is_busy ? FC_BUSY : FC_NOT_LEADER;
        TEXT_SET(event.as.ended.text, is_busy ? "another decision is being written" : "the lease is over");
        lease->port.say(lease->port.host, &event);
        return;
    }
    if (effect->type == GIVE_BACK && effect->as.give_back.to[0] != '\0') {
        struct event event = { .type = DEED_ENDED };
        event.as.ended.deed = DEED_GIVE_BACK;
        event.as.ended.id = effect->id;
        event.as.ended.server = effect->server;
        event.as.ended.code = FC_REFUSED;
        TEXT_SET(event.as.ended.text, "without raft the next leader cannot be named: whoever is first to see the free lease takes it");
        lease->port.say(lease->port.host, &event);
        return;
    }
    lease->wanted = *effect;
    lease->deed_id = effect->id;
    lease->command = effect->type == INTEND ? LEASE_INTEND_HERE : effect->type == SEAT ? LEASE_SEAT : LEASE_GIVE_BACK;
    if (lease->writing == 0)
        begin_command(lease, now);
    consider(lease, now);
}

/* The first write of an intent is confirmed: now the other server must show it, so that whoever finds only that one knows. */
static void await_intent(struct lease *lease, struct fc_time now)
{
    const int to = lease->wanted.as.intend.to;
    if (lease->place == to) {
        say_ended(lease, FC_OK, "", true);
        return;
    }
    lease->command = LEASE_INTEND_AWAIT;
    const uint32_t limit_ms = lease->wanted.as.intend.limit_ms;
    lease->command_deadline = fc_plus(now, fc_ms(limit_ms > 0 && limit_ms < INTEND_AWAIT_MS ? limit_ms : INTEND_AWAIT_MS));
    lease->next_look_at = now;
}

static void await_on(struct lease *lease, struct fc_time now)
{
    const struct lease_server *there = &lease->servers[lease->wanted.as.intend.to];
    if (there->is_reachable && there->has_row && there->row.phase == PHASE_MOVING &&
        there->row.rank.epoch == lease->intended.epoch && there->row.rank.seq >= lease->intended.seq) {
        if (lease->writing == 0)
            intend_there(lease, false, now);
        return;
    }
    if (fc_reached(lease->command_deadline, now)) {
        if (lease->wanted.as.intend.is_forced && there->is_reachable && there->has_row) {
            if (lease->writing == 0)
                intend_there(lease, true, now);            /* replication does not bring it: as if the seated one were lost */
            return;
        }
        say_ended(lease, FC_TIMEOUT, "durable on 1 of 2: the intent did not arrive on the other server", false);
        return;
    }
    if (fc_reached(lease->next_look_at, now)) {
        lease->next_look_at = fc_plus(now, fc_ms(INTEND_LOOK_MS));
        lease->port.look(lease->port.host, lease->wanted.as.intend.to);
    }
}

static void command_went_well(struct lease *lease, struct fc_time now)
{
    switch (lease->command) {
    case LEASE_INTEND_HERE:
        await_intent(lease, now);
        break;
    case LEASE_INTEND_THERE:
    case LEASE_SEAT:
        say_ended(lease, FC_OK, "", true);
        break;
    case LEASE_NO_COMMAND:
    case LEASE_INTEND_AWAIT:
    case LEASE_GIVE_BACK:
        break;
    }
}

/* A write of ours whose result never came may have landed all the same. Nobody else writes in our name, so the row that
 * we find is where we stand; the next renewal goes on from there. */
static void adopt(struct lease *lease, int server, const struct decision *row, bool has_row)
{
    if (lease->holds && lease->writing == 0 && has_row && is_mine(lease, row) &&
        rank_compare(&row->rank, &lease->mine.rank) > 0) {
        lease->mine = *row;
        if (!lease->servers[lease->place].is_reachable)
            lease->place = server;
    }
}

/* ---- facts -------------------------------------------------------------------------------------------------------- */

void lease_saw(struct lease *lease, int server, const struct server_look *look, struct fc_time sent_at, struct fc_time now)
{
    struct lease_server *s = &lease->servers[server];
    const struct fc_time written_by = now;                 /* it may have taken long: what it shows may be younger than its sending */
    const bool is_other = !text_is(s->identity, look->identity);
    if (!fc_is_ever(s->sent_at) && fc_before(sent_at, s->sent_at))
        return;                                            /* an older look that came late */
    TEXT_SET(s->identity, look->identity);
    if (!s->is_reachable)
        s->seen_since = written_by;
    s->has_answered = s->is_reachable = true;
    s->is_read_only = look->is_read_only;
    s->is_behind = look->replica.is_configured && look->replica.io == THREAD_RUNNING &&
                   (look->replica.sql != THREAD_RUNNING || !log_position_is_same(&look->replica.read, &look->replica.applied));
    s->sent_at = sent_at;
    foreign_saw(&s->foreign, look, sent_at);
    if (!look->has_schema) {
        s->has_row = false;
    } else {
        if (!s->has_row || is_other || !rank_is_same_turn(&s->row.rank, &look->lease.rank) ||
            !text_is(s->row.rank.node, look->lease.rank.node))
            s->changed_at = written_by;
        s->has_row = true;
        s->row = look->lease;
        learn(lease, &s->row, sent_at, written_by);
    }
    if (lease->holds && s->has_row && !is_mine(lease, &s->row) && rank_compare(&s->row.rank, &lease->mine.rank) > 0)
        lose(lease, "a higher decision was found");
    adopt(lease, server, &s->row, s->has_row);
    consider(lease, now);
}

void lease_lost(struct lease *lease, int server, struct fc_time now)
{
    lease->servers[server].has_answered = true;
    lease->servers[server].is_reachable = false;
    consider(lease, now);
}

static bool is_as_written(const struct decision *stored, const struct decision *written)
{
    return rank_compare(&stored->rank, &written->rank) == 0 && stored->phase == written->phase;
}

static void confirmed(struct lease *lease, const struct store_result *result, bool is_command_write, struct fc_time now)
{
    struct lease_server *s = &lease->servers[result->server];
    const bool gave_back = decision_is_free(&lease->written);
    lease->mine = lease->written;
    s->row = lease->written;
    s->has_row = true;
    s->changed_at = fc_later(s->changed_at, result->sent_at);
    if (!gave_back && rank_compare(&lease->best.rank, &lease->written.rank) > 0 && !is_mine(lease, &lease->best)) {
        lose(lease, "it was written where nobody knew of a higher decision");
        return;
    }
    learn(lease, &lease->written, result->sent_at, now);
    if (gave_back) {
        say_ended(lease, FC_OK, "", true);
        return;
    }
    lease->holds = true;
    lease->is_silent = false;
    lease->place = result->server;
    lease->confirmed_at = result->sent_at;
    /* What was guarded here finds another turn on a server that lags: a maximum right behind it settles that. */
    lease->next_write_at = lease->is_writing_guarded ? now : fc_plus(result->sent_at, fc_ms(lease->settings.renew_ms));
    if (fc_reached(own_term_end(lease), now)) {
        lease->is_silent = true;                           /* confirmed too late to act by it; the next renewal may be in time */
        say_denied(lease, STORE_SILENT, "the store confirmed the lease only after its end");
    } else {
        say_granted(lease);
    }
    if (is_command_write)
        command_went_well(lease, now);
}

void lease_wrote(struct lease *lease, const struct store_result *result, struct fc_time now)
{
    if (result->id != lease->writing)
        return;                                            /* of an earlier life */
    const bool is_command_write = lease->is_writing_for_command && lease->command != LEASE_NO_COMMAND;
    lease->writing = 0;
    if (result->code == FC_OK && is_as_written(&result->stored, &lease->written)) {
        confirmed(lease, result, is_command_write, now);
    } else if (result->code == FC_OK || result->code == FC_REFUSED) {
        learn(lease, &result->stored, result->sent_at, now);
        if (lease->holds && rank_compare(&result->stored.rank, &lease->mine.rank) > 0 && !is_mine(lease, &result->stored))
            lose(lease, "somebody else decided first");
        else if (is_command_write)
            say_ended(lease, FC_REFUSED, "the row has changed meanwhile", false);
        adopt(lease, result->server, &result->stored, true);
        lease->next_write_at = fc_plus(now, fc_ms(lease->settings.renew_ms / 4));
    } else {
        lease->next_write_at = fc_plus(now, fc_ms(lease->settings.renew_ms / 4));
        if (is_command_write)
            say_ended(lease, result->code, result->text, false);
    }
    if (lease->writing == 0 && !is_command_write && lease->holds && lease->command != LEASE_INTEND_AWAIT)
        begin_command(lease, now);                         /* it waited for a renewal that was under way */
    consider(lease, now);
}

void lease_woken(struct lease *lease, struct fc_time now)
{
    consider(lease, now);
}

void lease_stand(struct lease *lease, bool stands, struct fc_time now)
{
    lease->stands = stands;
    consider(lease, now);
}

const struct decision *lease_row(const struct lease *lease)
{
    return lease->holds ? &lease->mine : NULL;
}

/* ---- what to do now ----------------------------------------------------------------------------------------------- */

/* A holder that was blind for as long as a watch may have been followed on a server that it does not see. */
static bool may_renew(const struct lease *lease, struct fc_time now)
{
    const struct lease_server *place = &lease->servers[lease->place];
    return place->is_reachable && (!lease->is_silent || sees_all_rows(lease) || is_watched_alone(lease, place) ||
                                   fc_since(lease->confirmed_at, now).us < lease_watch_span(&lease->settings).us);
}

static void consider_holding(struct lease *lease, struct fc_time now)
{
    if (!lease->is_silent && fc_reached(own_term_end(lease), now)) {
        lease->is_silent = true;
        if (lease->command != LEASE_NO_COMMAND)
            say_ended(lease, FC_NOT_LEADER, "the store was silent until the lease was over", false);
        say_denied(lease, STORE_SILENT, "the store has confirmed nothing until the lease was over");
    }
    if (lease->command == LEASE_INTEND_AWAIT)
        await_on(lease, now);
    if (lease->writing == 0 && fc_reached(lease->next_write_at, now) && may_renew(lease, now) &&
        (lease->command == LEASE_NO_COMMAND || lease->command == LEASE_INTEND_AWAIT))
        renew(lease, now);
    /* A holder whose place is lost for good stands like anybody else, by the same watch. */
    if (lease->writing == 0 && lease->is_silent && !lease->servers[lease->place].is_reachable && lease->stands &&
        lease->command == LEASE_NO_COMMAND && may_contend(lease, now) && fc_reached(lease->next_write_at, now))
        contend(lease, now);
}

static void consider_following(struct lease *lease, struct fc_time now)
{
    if (lease->stands && lease->writing == 0 && fc_reached(lease->paused_until, now) &&
        fc_reached(lease->next_write_at, now) && !foreign_is_fresh(lease, now) && may_contend(lease, now))
        contend(lease, now);
    if (!fc_is_ever(lease->best_at) && lease->writing == 0 &&
        (lease->said_epoch != lease->best.rank.epoch || !text_is(lease->said_leader, lease->best.rank.node)))
        say_denied(lease, LEASE_DENIED, decision_is_free(&lease->best) ? "nobody leads yet" : "another node leads");
}

static struct fc_time next_moment(const struct lease *lease, struct fc_time now)
{
    struct fc_time next = fc_plus(now, fc_ms(lease->settings.renew_ms));
    if (lease->holds) {
        if (!lease->is_silent)
            next = fc_earlier(next, own_term_end(lease));
        if (lease->writing == 0 && may_renew(lease, now))
            next = fc_earlier(next, lease->next_write_at);
    }
    if (lease->command == LEASE_INTEND_AWAIT)
        next = fc_earlier(next, fc_earlier(lease->next_look_at, lease->command_deadline));
    /* A moment already past means that something is awaited that a fact will bring: not before 1 ms, so as not to spin. */
    return fc_later(next, fc_plus(now, fc_ms(1)));
}

static void consider(struct lease *lease, struct fc_time now)
{
    /* A write that the store never answered (its bound and more are over) is given up; its late result finds another id. */
    if (lease->writing != 0 &&
        fc_since(lease->writing_since, now).us > fc_ms(3 * (int64_t)lease->settings.probe_timeout_ms).us) {
        lease->writing = 0;
        if (lease->command != LEASE_NO_COMMAND && lease->command != LEASE_INTEND_AWAIT)
            say_ended(lease, FC_TIMEOUT, "the store did not answer", false);
    }
    if (lease->holds && foreign_is_fresh(lease, now))
        lose(lease, "a foreign orchestrator owns active_node");
    if (lease->holds)
        consider_holding(lease, now);
    else
        consider_following(lease, now);
    say_chair(lease);
    lease->port.wake(lease->port.host, next_moment(lease, now));
}

/* ---- as a source of leadership ------------------------------------------------------------------------------------ */

static void source_saw(void *self, int server, const struct server_look *look, struct fc_time sent_at, struct fc_time now)
{
    lease_saw(self, server, look, sent_at, now);
}

static void source_lost(void *self, int server, struct fc_time now) { lease_lost(self, server, now); }
static void source_wrote(void *self, const struct store_result *result, struct fc_time now) { lease_wrote(self, result, now); }
static void source_stand(void *self, bool stands, struct fc_time now) { lease_stand(self, stands, now); }
static void source_command(void *self, const struct effect *effect, struct fc_time now) { lease_command(self, effect, now); }
static const struct decision *source_row(void *self) { return lease_row(self); }

struct leader_source lease_as_source(struct lease *lease)
{
    return (struct leader_source){ .self = lease, .saw = source_saw, .lost = source_lost, .wrote = source_wrote, .stand = source_stand,
                                   .command = source_command, .row = source_row };
}
