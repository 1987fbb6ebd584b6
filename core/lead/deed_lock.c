/* One function changes a server's state, one draws the verdict from all of them. */
#include "lead/deed_lock.h"

#include <assert.h>
#include <stddef.h>

static int needs(int count) { return count / 2 + 1; }

static void turn(struct deed_lock *lock, struct deed_lock_server *server, enum deed_lock_state state)
{
    lock->by[server->state]--;
    server->state = state;
    lock->by[state]++;
}

void deed_lock_begin(struct deed_lock *lock, struct deed_lock_server *servers, int count, int target, struct fc_time until)
{
    assert(count >= 1 && target >= 0 && target < count);
    for (int i = 0; i < count; i++)
        servers[i] = (struct deed_lock_server){ DEED_LOCK_TAKING, 0, 0 };
    *lock = (struct deed_lock){ .servers = servers, .count = count, .target = target, .until = until, .rest_until = FC_NEVER, .because = "" };
    lock->by[DEED_LOCK_TAKING] = count;
}

static bool is_decided(const struct deed_lock *lock) { return lock->verdict == DEED_LOCK_REFUSED || lock->verdict == DEED_LOCK_OVER; }

static bool has_enough(const struct deed_lock *lock)
{
    return lock->servers[lock->target].state == DEED_LOCK_HELD && lock->by[DEED_LOCK_HELD] >= needs(lock->count);
}

static void end(struct deed_lock *lock, const char *because)
{
    lock->verdict = lock->verdict == DEED_LOCK_PERMITS ? DEED_LOCK_OVER : DEED_LOCK_REFUSED;
    lock->because = because;
}

/* Those who are still being asked when the time is over. */
static void leave_out(struct deed_lock *lock)
{
    for (int i = 0; i < lock->count; i++) {
        if (lock->servers[i].state == DEED_LOCK_TAKING || lock->servers[i].state == DEED_LOCK_ENDING)
            turn(lock, &lock->servers[i], DEED_LOCK_LOST);
    }
}

static void judge(struct deed_lock *lock, struct fc_time now, struct fc_time may_act_until)
{
    const int lost = lock->by[DEED_LOCK_LOST], held = lock->by[DEED_LOCK_HELD];
    if (is_decided(lock))
        return;
    if (fc_reached(may_act_until, now))
        end(lock, "this node does not lead any more");
    else if (lock->servers[lock->target].state == DEED_LOCK_LOST)
        end(lock, "the server that it is about is out of reach, or its session has ended");
    else if (lock->count - lost < needs(lock->count))
        end(lock, "too few servers of the cluster can be locked");
    else if (lock->verdict == DEED_LOCK_AWAITED && has_enough(lock) && held + lost == lock->count)
        lock->verdict = DEED_LOCK_PERMITS;
}

static void hear_taken(struct deed_lock *lock, struct deed_lock_server *server, uint64_t holder)
{
    if (holder == 0) {
        turn(lock, server, DEED_LOCK_TAKING);
    } else if (server->ended_count >= DEED_LOCK_ENDS_MAX) {
        turn(lock, server, DEED_LOCK_LOST);
    } else {
        turn(lock, server, DEED_LOCK_ENDING);
        server->holder = holder;
        server->ended_count++;
    }
}

void deed_lock_hear(struct deed_lock *lock, int server, enum deed_lock_word word, uint64_t holder, struct fc_time now, struct fc_time may_act_until)
{
    struct deed_lock_server *s = &lock->servers[server];
    assert(server >= 0 && server < lock->count);
    judge(lock, now, may_act_until);
    if (is_decided(lock) || s->state == DEED_LOCK_LOST)
        return;
    switch (word) {
    case DEED_LOCK_GIVEN:
        turn(lock, s, DEED_LOCK_HELD);
        break;
    case DEED_LOCK_TAKEN:
        hear_taken(lock, s, holder);
        break;
    case DEED_LOCK_GONE:
    case DEED_LOCK_WORD_COUNT:
        turn(lock, s, DEED_LOCK_LOST);
        break;
    }
    if (fc_is_never(lock->rest_until) && has_enough(lock))
        lock->rest_until = fc_earlier(lock->until, fc_plus(now, fc_ms(DEED_LOCK_REST_MS)));
    judge(lock, now, may_act_until);
}

void deed_lock_tick(struct deed_lock *lock, struct fc_time now, struct fc_time may_act_until)
{
    if (lock->verdict == DEED_LOCK_AWAITED && fc_reached(fc_earlier(lock->until, lock->rest_until), now))
        leave_out(lock);
    judge(lock, now, may_act_until);
}

struct fc_time deed_lock_wakes_at(const struct deed_lock *lock, struct fc_time may_act_until)
{
    if (is_decided(lock))
        return FC_NEVER;
    return lock->verdict == DEED_LOCK_PERMITS ? may_act_until : fc_earlier(may_act_until, fc_earlier(lock->until, lock->rest_until));
}

bool deed_lock_permits(const struct deed_lock *lock, int server, struct fc_time now, struct fc_time may_act_until)
{
    assert(server >= 0 && server < lock->count);
    return lock->verdict == DEED_LOCK_PERMITS && lock->servers[server].state == DEED_LOCK_HELD && fc_before(now, may_act_until);
}
