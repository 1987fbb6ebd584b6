"""Mutations of the lock before a deed on a managed cluster (core/lead/deed_lock.c), seen by the histories and scenes of tests/unit/deed_lock_test.c:
leaders who follow each other and sleep, at servers that keep MySQL's rules. Form and rules as in mutations.py."""
from mutations import Mutation

LOCK = 'core/lead/deed_lock.c'

DEED_MUTATIONS = [
    Mutation('deed-half-is-enough', 'half of the servers in sight is as good as more than half', LOCK, 'return count / 2 + 1;', 'return count / 2;'),
    Mutation('deed-with-others-busy', 'a deed begins while somebody else may still be at work on a server in sight', LOCK,
             'has_enough(lock) && held + lost == lock->count', 'has_enough(lock)'),
    Mutation('deed-without-its-server', 'others are left out although the server that it is about has not answered yet', LOCK,
             'lock->servers[lock->target].state == DEED_LOCK_HELD && lock->by', 'lock->by'),
    Mutation('deed-lock-is-made-anew', 'a lock that was lost is held again', LOCK,
             'if (is_decided(lock) || s->state == DEED_LOCK_LOST)\n        return;', 'if (is_decided(lock))\n        return;'),
    Mutation('deed-of-the-deposed', 'who does not lead any more takes locks, and ends who has them', LOCK,
             'if (fc_reached(may_act_until, now))\n        end', 'if (fc_reached(may_act_until, now) && lock->verdict == DEED_LOCK_PERMITS)\n        end'),
    Mutation('deed-anywhere', 'a deed goes to a server whose lock is not held', LOCK,
             'lock->verdict == DEED_LOCK_PERMITS && lock->servers[server].state == DEED_LOCK_HELD && fc_before',
             'lock->verdict == DEED_LOCK_PERMITS && server >= 0 && fc_before'),
    Mutation('deed-past-the-lease', 'a deed is sent after the lease', LOCK,
             ' && fc_before(now, may_act_until);', ' && !fc_is_never(now) && !fc_is_ever(may_act_until);'),
    Mutation('deed-target-lost', 'it goes on although the session on the server that it is about is gone', LOCK,
             'else if (lock->servers[lock->target].state == DEED_LOCK_LOST)', 'else if (lock->count == 0)'),
    Mutation('deed-ends-for-ever', 'who takes the lock back each time is ended again and again', LOCK,
             'server->ended_count >= DEED_LOCK_ENDS_MAX', 'server->ended_count >= 1000'),
    Mutation('deed-waits-for-ever', 'nobody is left out when the time is over', LOCK,
             'fc_reached(fc_earlier(lock->until, lock->rest_until), now)', 'fc_reached(lock->rest_until, now)'),
]
