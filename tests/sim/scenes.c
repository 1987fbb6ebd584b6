/* The table of scenes, and how a row becomes the lines of a script. */
#include "sim/scenes.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "sim/script.h"
#include "sim/world.h"


/* ---- the ways in which a chair is moved --------------------------------------------------------------------------------- */

static const struct way {
    const char *word;
    const char *lines;               /* what sets it off */
    enum move_kind kind;             /* whose steps are waited for */
} ways[] = {
    { "planned",  "quiet+0.1 order leader switch fc_backend other", MOVE_PLANNED },
    { "gone",     "quiet+0.1 kill seated for 12", MOVE_GONE },
    { "frozen",   "quiet+0.1 freeze seated for 9", MOVE_SILENT },
    { "isolated", "quiet+0.1 isolate seated for 9", MOVE_SILENT },
    /* no node and not the other server reaches it, and clients write to it through HAProxy as before; one hears no node */
    { "unseen",   "quiet+0.1 cut nodes seated for 14;then+0 cut seated other for 14;then+0 cut nodes lb1 for 14", MOVE_SILENT },
    { "closed",   "quiet+0.1 close seated", MOVE_RESEAT },
    /* the other server does not catch up in time; the order in between only marks the first of two moves */
    { "back",     "quiet+0.1 apply-slowly other 400 for 9;then+0.01 order leader switch fc_backend other within 2;"
                  "catch-up+0 order leader resume fc_backend", MOVE_BACK },
    { "first",    "", MOVE_FIRST },
};
#define WAY_COUNT ((int)(sizeof ways / sizeof ways[0]))

/* The steps that this way goes through, and the grant after them. */
static int steps_of(const struct way *way, const char *words[STEP_COUNT])
{
    int count = 0;
    for (int s = STEP_NONE + 1; s < STEP_COUNT; s++) {
        /* who sits first fences only a stray; where every HAProxy has heard, nothing is left to wait for */
        const bool is_in_doubt = (way->kind == MOVE_FIRST && s == STEP_FENCE) || (s == STEP_WAIT && !text_is(way->word, "unseen"));
        if (move_plans[way->kind].need[s] != NEVER && !is_in_doubt)
            words[count++] = move_step_word((enum move_step)s);
    }
    words[count++] = "grant";
    return count;
}

/* ---- faults at each step --------------------------------------------------------------------------------------------------- */

#define FOR_EACH_PARTY(fault) fault " leader", fault " follower", fault " seated", fault " other", fault " lb1", fault " lb2"
#define BOTH_WAYS(fault, a, b) fault " " a " " b, fault " " b " " a

static const char *const kills[] = { FOR_EACH_PARTY("kill"), NULL };
static const char *const freezes[] = { FOR_EACH_PARTY("freeze"), NULL };
static const char *const suspends[] = { "suspend leader", "suspend follower", "suspend nodes", NULL };
static const char *const isolations[] = { FOR_EACH_PARTY("isolate"), NULL };
static const char *const cuts[] = {
    "cut leader follower", "cut leader seated", "cut leader other", "cut leader lb1", "cut leader lb2", "cut follower seated",
    "cut follower other", "cut follower lb1", "cut follower lb2", "cut seated other", "cut seated lb1", "cut seated lb2",
    "cut other lb1", "cut other lb2", "cut nodes seated", "cut nodes other", "cut nodes lb1", NULL
};
static const char *const one_way_cuts[] = {
    BOTH_WAYS("cut-one-way", "leader", "follower"), BOTH_WAYS("cut-one-way", "leader", "seated"),
    BOTH_WAYS("cut-one-way", "leader", "other"), BOTH_WAYS("cut-one-way", "leader", "lb1"),
    BOTH_WAYS("cut-one-way", "follower", "seated"), BOTH_WAYS("cut-one-way", "follower", "other"),
    BOTH_WAYS("cut-one-way", "follower", "lb1"), BOTH_WAYS("cut-one-way", "seated", "other"),
    BOTH_WAYS("cut-one-way", "seated", "lb1"), BOTH_WAYS("cut-one-way", "other", "lb1"), NULL
};
static const char *const memories[] = { "kill nodes", "kill everybody", "stop leader", "stop follower", NULL };
static const char *const reloads[] = { "reload lb1", "reload lb2", "freeze lb1", "freeze lb2", "kill lb1", NULL };
static const char *const sends[] = {         /* the number is enum store_deed: renew, take, fence, catch up, open */
    "freeze-before-send leader 2", "freeze-before-send leader 3", "freeze-before-send leader 4", "freeze-before-send leader 5",
    "freeze-before-send leader 6", NULL
};
static const char *const lates[] = {
    "late leader seated 150", "late leader other 150", "late seated leader 150", "late other leader 150", "late leader seated 900",
    "late leader other 900", "late seated leader 900", "late other leader 900", NULL
};
static const char *const replays[] = {
    "replay seated seated 40", "replay seated other 40", "replay other seated 40", "replay other other 40",
    "replay seated seated -40", "replay seated other -40", "replay other seated -40", "replay other other -40", NULL
};
static const char *const clocks[] = {
    "step-clock leader 3600000", "step-clock leader -3600000", "step-clock follower 3600000", "step-clock follower -3600000",
    "drift leader 100000", "drift leader -100000", "drift follower 100000", "drift follower -100000", NULL
};
/* A server is opened or fenced slowly, and a look that was taken before arrives still later. */
static const char *const slow_looks[] = {
    "set BackendPollMilliseconds 20;quiet+0.1 late-looks other 150 for 9;then+0 late-deeds other 200 for 9;then+0.01 order leader switch fc_backend other",
    "set BackendPollMilliseconds 20;quiet+0.1 late-looks other 150 for 9;then+0 late-deeds other 200 for 9;then+0.01 kill seated for 3",
    "set BackendPollMilliseconds 20;quiet+0.1 late-looks seated 150 for 9;then+0 late-deeds seated 200 for 9;then+0.01 close seated",
    "set BackendPollMilliseconds 20;quiet+0.1 late-looks seated 150 for 9;then+0 late-deeds seated 200 for 9;then+0.01 order leader switch fc_backend other",
    "quiet+0.1 late-looks other 90 for 9;then+0 late-deeds other 300 for 9;then+0.01 open other",
    NULL
};
static const char *const disks[] = { "disk-full seated", "disk-full other", NULL };
static const char *const privileges[] = {
    "fence-denied seated", "fence-denied other", "look-denied seated", "look-denied other", "super seated", "super other", NULL
};
static const char *const foreigners[] = { "foreign-fresh", "foreign-stale", NULL };
static const char *const relays[] = { "freeze fc1", "isolate fc1", "kill fc1", "cut fc1 lb1", "cut-one-way fc1 lb1", NULL };

/* ---- stories of their own ---------------------------------------------------------------------------------------------------- */

static const char *const broken_replication[] = {
    "quiet+0.1 apply-not other for 6;then+0.5 kill seated for 4",
    "quiet+0.1 apply-not other for 6;then+0.5 freeze seated for 8",
    "quiet+0.1 apply-not other for 9;then+0.5 cut nodes seated for 8;then+0 cut seated other for 8",
    "quiet+0.1 apply-not seated for 6;then+0.5 kill seated for 4",
    "quiet+0.1 apply-not other for 6;then+0 apply-not seated for 6;then+0.5 kill seated for 2",
    "quiet+0.1 cut seated other for 5;then+0.5 kill seated for 4",
    "quiet+0.1 cut-one-way seated other for 5;then+0.5 kill seated for 4",
    "quiet+0.1 cut-one-way other seated for 5;then+0.5 kill seated for 4",
    "quiet+0.1 apply-slowly other 120 for 9;then+2 kill seated for 3;then+4 kill other for 2",
    NULL
};
/* A row that is lost on one side, and old ones that come late: the other side's maximum, or the leader's next, stands again. */
static const char *const lost_rows[] = {
    "quiet+0.1 lose-row seated", "quiet+0.1 lose-row other",
    "quiet+0.1 lose-row other;then+0.001 replay other seated 400;then+0.001 replay other seated -400",
    "quiet+0.1 lose-row seated;then+0.001 replay seated other 400",
    "quiet+0.1 order leader switch fc_backend other;fence+0 lose-row other",
    "quiet+0.1 order leader switch fc_backend other;seat+0 lose-row seated",
    "quiet+0.1 order leader switch fc_backend other;grant+0.5 replay db1 db2 400;then+0 replay db2 db1 400;then+0 replay db1 db1 -400",
    "quiet+0.1 kill seated for 3;grant+0.5 replay db1 db2 -400;then+0 replay db2 db1 -400;then+0.5 kill leader for 1",
    NULL
};
static const char *const opposite_orders[] = {
    "quiet+0.1 order fc1 switch fc_backend db1;then+0 order fc2 switch fc_backend db2",
    "quiet+0.1 order fc1 switch fc_backend db2;then+0 order fc2 switch fc_backend db1",
    "quiet+0.1 order fc1 switch fc_backend db1;then+0.003 order fc2 switch fc_backend db2;then+0.05 order fc1 switch fc_backend db1",
    "quiet+0.1 order leader switch fc_backend other;intend+0 order follower switch fc_backend seated",
    "quiet+0.1 order leader switch fc_backend other;grant+0 order follower switch fc_backend other;then+0 order leader switch fc_backend other",
    "quiet+0.1 order leader maint fc_backend/other;then+0 order follower switch fc_backend other",
    "quiet+0.1 order leader pause fc_backend;then+0 order follower switch fc_backend other;then+1 order follower resume fc_backend",
    "quiet+0.1 order follower switch fc_backend other;then+0.02 order follower maint fc_backend/other;then+0.5 order leader ready fc_backend/other",
    "quiet+0.1 order leader yield;then+0 order follower switch fc_backend other;then+0.2 order leader yield",
    NULL
};
/* Each rule of steering.md 6: what an operator is answered by the leader. */
static const char *const rules[] = {
    "quiet+0.1 order leader maint fc_backend/seated => refused",
    "quiet+0.1 order leader drain fc_backend/seated => refused",
    "quiet+0.1 order leader maint fc_backend/other => ok;then+0.5 order leader switch fc_backend other => refused;"
    "then+0.1 order leader switch fc_backend other force => refused;then+0.1 order leader ready fc_backend/other => ok;"
    "then+0.5 order leader switch fc_backend other => ok",
    "quiet+0.1 order leader maint fc_backend/other => ok;then+0.5 kill seated for 3",
    "quiet+0.1 order leader pause fc_backend => ok;then+0.5 order leader switch fc_backend other => refused;"
    "then+0.1 order leader resume fc_backend => ok;then+0.5 order leader switch fc_backend other => ok",
    "quiet+0.1 order leader pause fc_backend => ok;then+0.5 kill seated for 2;then+4 order leader resume fc_backend",
    "quiet+0.1 apply-not other for 6;then+1.5 order leader switch fc_backend other => refused",
    "quiet+0.1 apply-not other for 6;then+1.5 order leader switch fc_backend other force => ok",
    "quiet+0.1 apply-slowly other 2000 for 20;then+12 order leader switch fc_backend other => refused",
    "quiet+0.1 kill other for 4;then+1 order leader switch fc_backend other => refused;then+0 order leader switch fc_backend other force => refused",
    "quiet+0.1 order leader switch fc_backend db9 => not-found;then+0 order leader maint fc_backend/db9 => not-found;"
    "then+0 order leader switch nowhere db1 => not-found;then+0 order leader dance => bad-input",
    "quiet+0.1 order leader switch fc_backend other => ok;intend+0 order leader switch fc_backend other => busy",
    "quiet+0.1 order leader switch fc_backend other => ok;intend+0 order leader pause fc_backend => busy",
    "quiet+0.1 order leader switch fc_backend other => ok;intend+0 order leader yield => busy",
    "quiet+0.1 order leader switch fc_backend other => ok;intend+0 order leader maint fc_backend/other => busy",
    "quiet+0.1 order leader switch fc_backend seated => ok", "quiet+0.1 order leader maint fc_leader/fc1 => refused",
    "quiet+0.1 order leader ready fc_backend/other => ok;then+0 order leader resume fc_backend => ok",
    "quiet+0.1 order leader failback fc_backend => ok",
    "quiet+0.1 order leader down fc_backend/seated => refused;then+0 order leader weight fc_backend/other 50 => refused;"
    "then+0 order leader down fc_backend/other => ok;then+0.5 order leader switch fc_backend other => refused;"
    "then+0.1 order leader weight fc_backend/other 100 => ok;then+0.5 order leader switch fc_backend other => ok",
    "quiet+0.1 order leader pause fc_backend => ok;then+0.5 open other;then+3 order leader resume fc_backend",
    "quiet+0.1 disk-full other for 9;then+0.1 kill seated for 12", "quiet+0.1 fence-denied other for 9;then+0.1 kill seated for 12",
    NULL
};
static const char *const writables[] = {
    "quiet+0.1 boot-writable other for 9;then+0 kill other for 1", "quiet+0.1 boot-writable seated for 9;then+0 kill seated for 1",
    "quiet+0.1 boot-writable seated for 9;then+0 kill seated for 0.05",
    "quiet+0.1 boot-writable seated for 9;then+0 boot-writable other for 9;then+0 kill everybody for 1",
    "quiet+0.1 boot-writable seated for 9;then+0 kill seated for 3;intend+0 freeze leader for 4",
    "quiet+0.1 boot-writable other for 9;then+0 kill other for 1;then+0.9 kill leader for 2",
    "quiet+0.1 open other", "quiet+0.1 open other;then+0 close seated", "quiet+0.1 order leader switch fc_backend other;catch-up+0 open seated",
    "quiet+0.1 order leader switch fc_backend other;fence+0 open other",
    NULL
};
/* What a reload left behind before the revoke asks nobody and is in no view: it must be over before the new server is opened. */
static const char *const leavings[] = {
    "quiet+0.1 reload lb1;then+0.01 cut nodes seated for 14;then+0 cut seated other for 14",
    "quiet+0.1 reload lb1;then+0.5 reload lb2;then+0.3 cut nodes seated for 14;then+0 cut seated other for 14",
    "quiet+1.5 reload lb1;then+0.9 cut nodes seated for 14;then+0 cut seated other for 14",
    "quiet+0.1 cut nodes seated for 14;then+0 cut seated other for 14;intend+0 reload lb1;then+0.3 reload lb2",
    "quiet+0.1 cut nodes seated for 14;then+0 cut seated other for 14;intend+0.05 reload lb1;then+0.5 reload lb1;then+0.5 reload lb1",
    "quiet+0.1 isolate lb1 for 14;then+0 cut lb1 seated for 0.001;then+0.1 cut nodes seated for 14;then+0 cut seated other for 14",
    "quiet+0.1 cut nodes lb1 for 14;then+0 cut nodes seated for 14;then+0 cut seated other for 14",
    "quiet+0.1 cut nodes lb1 for 14;then+0 reload lb1;then+0 cut nodes seated for 14;then+0 cut seated other for 14",
    "quiet+0.1 cut nodes seated for 14;then+0 cut seated other for 14;wait+0.1 freeze leader for 2",
    "quiet+0.1 cut nodes seated for 14;then+0 cut seated other for 14;wait+0.1 freeze lb1 for 2",
    "quiet+0.1 cut nodes seated for 14;then+0 cut seated other for 14;wait+0.5 kill leader for 1",
    "quiet+0.1 cut leader seated for 14;then+0 cut seated other for 14",
    "quiet+0.1 cut-one-way seated leader for 14;then+0 cut-one-way seated follower for 14;then+0 cut seated other for 14",
    NULL
};
/* Something between resets this node's connections to the server that sits, and it lives: nobody may take it for gone. */
static const char *const refusals[] = {
    "quiet+0.1 refuse leader seated for 6", "quiet+0.1 refuse nodes seated for 6",
    "quiet+0.1 fetch-not other for 9;then+0.5 refuse leader seated for 6",
    "quiet+0.1 cut seated other for 9;then+3 refuse leader seated for 5",
    "quiet+0.1 cut-one-way seated other for 9;then+3 refuse leader seated for 5",
    /* a node is left that looks and sees it: whom all who look are refused by counts as gone (docs/adr/0019) */
    "witnesses 0;quiet+0.1 fetch-not other for 9;then+0.5 refuse leader seated for 6;then+0 refuse follower seated for 3",
    "quiet+0.1 fetch-not other for 9;then+0 freeze follower for 2;then+0.5 refuse leader seated for 6",
    "quiet+0.1 fetch-not other for 9;then+0 kill follower for 2;then+0.5 refuse leader seated for 6",
    "quiet+0.1 fetch-not other for 9;then+0.5 refuse leader seated for 6;then+1 kill seated for 3",
    "quiet+0.1 fetch-not other for 9;then+0.5 kill seated for 5", "quiet+0.1 fetch-not other for 9;then+0 kill follower for 3;then+0.5 kill seated for 5",
    "quiet+0.1 kill follower for 3;then+0.5 kill seated for 5", "quiet+0.1 freeze follower for 3;then+0.5 kill seated for 5",
    "quiet+0.1 kill leader for 3;then+0 kill seated for 5", "quiet+0.1 cut follower seated for 6;then+2 kill seated for 3",
    "quiet+0.1 cut leader follower for 6;then+0 refuse leader seated for 6;then+0 fetch-not other for 6",
    NULL
};
/* A leader alone does not reach the server that sits: a node that does sees to it, and nobody moves; where there is none, it moves. */
static const char *const left_leaderships[] = {
    "quiet+8 cut leader seated for 12", "nodes 2;quiet+8 cut leader seated for 12", "nodes 3;quiet+8 cut leader seated for 12",
    "nodes 3;quiet+8 cut fc1 seated for 16;then+0 cut fc2 seated for 16", "nodes 3;quiet+8 cut leader seated for 16;then+5 cut leader seated for 8",
    "nodes 2;quiet+8 cut-one-way leader seated for 12", "nodes 2;quiet+8 cut-one-way seated leader for 12",
    "quiet+8 refuse leader seated for 12", "quiet+8 refuse leader seated for 12;then+0 fetch-not other for 6",
    "nodes 2;quiet+8 cut leader seated for 20;then+8 kill follower for 1", "nodes 2;quiet+8 cut leader seated for 20;then+8 freeze follower for 3",
    "nodes 2;quiet+8 cut leader seated for 20;then+1 freeze follower for 3", "nodes 2;quiet+8 cut leader seated for 20;then+8 kill seated for 6",
    "nodes 2;quiet+8 cut leader seated for 12;then+8 cut follower seated for 12", "nodes 2;quiet+8 freeze follower for 4;then+0 cut leader seated for 14",
    "nodes 2;quiet+8 cut fc1 seated for 12;then+0 cut fc2 other for 12", "nodes 2;quiet+8 cut leader seated for 12;then+6 order leader yield",
    "nodes 2;quiet+8 cut follower seated for 12;then+2 order leader yield", "nodes 2;quiet+8 cut follower seated for 12;then+2 kill leader for 9",
    "quiet+8 cut leader seated for 12;then+0.5 close seated", "quiet+8 order leader switch fc_backend other;intend+0 cut leader seated for 12",
    "nodes 2;quiet+8 drift leader 90000;then+0 drift follower -90000;then+0.5 cut leader seated for 12",
    NULL
};
/* How many nodes have lost the server that sits, and whether they are cut off together with the leader. Where the servers are apart too, who
 * does not see the one that sits hears of no lease there: only what the nodes agree upon keeps the chair where it is. */
#define APART "then+0 cut seated other for 44"
static const char *const deaths[] = {
    "nodes 3;quiet+8 cut fc1 seated for 44;" APART ";then+0 cut fc2 other for 44;then+0 cut fc3 other for 44",
    "nodes 3;quiet+8 cut fc1 seated for 44;" APART ";then+0 kill fc3 for 44;then+0 cut fc2 other for 44",
    "nodes 3;quiet+8 cut fc1 seated for 44;then+0 cut fc2 seated for 44;" APART ";then+0 cut fc3 other for 44",
    "nodes 3;quiet+8 cut leader seated for 14;then+0 kill follower for 14", "nodes 3;quiet+8 cut leader seated for 14;then+0 freeze follower for 14",
    "nodes 3;quiet+8 kill follower for 14;then+0.5 kill seated for 9", "nodes 3;quiet+8 kill follower for 14;then+0.5 freeze seated for 9",
    "nodes 3;quiet+8 kill follower for 14;then+0.5 cut nodes seated for 9", "nodes 3;quiet+8 isolate follower for 14;then+0.5 kill seated for 9",
    "nodes 3;quiet+8 kill follower for 14;then+0.5 refuse nodes seated for 9",
    "nodes 3;quiet+0.1 fetch-not other for 40;then+14 kill fc3 for 9;then+0 refuse fc1 seated for 9;then+0 refuse fc2 seated for 9",
    "nodes 3;quiet+0.1 cut seated other for 40;then+14 isolate fc3 for 9;then+0 refuse fc1 seated for 9;then+0 refuse fc2 seated for 9",
    "set FailureDetectionQuorum any;nodes 3;quiet+8 cut fc1 seated for 44;" APART ";then+0 cut fc2 other for 44;then+0 cut fc3 other for 44",
    "set FailureDetectionQuorum none;nodes 3;quiet+8 kill follower for 14;then+0.5 kill seated for 9",
    "set FailureDetectionQuorum majority;nodes 2;quiet+8 cut leader seated for 14", "set FailureDetectionQuorum majority;nodes 2;quiet+8 kill follower for 14;then+0.5 freeze seated for 9",
    NULL
};
/* A leader pauses between check and send, or its bytes are under way for long; the pair is cut and the next leader reaches the
 * old server with the fence account only. What was decided before the fence is refused by the server itself when it comes. */
static const char *const late_openings[] = {
    "quiet+0.1 freeze-before-send leader 6 for 12;then+0.01 order leader switch fc_backend other;"
    "open+0.4 cut seated other for 16;then+0 look-denied seated for 14",
    "quiet+0.1 freeze-before-send leader 6 for 12;then+0.01 close seated;open+0.4 cut seated other for 16;then+0 look-denied seated for 14",
    "quiet+0.1 order leader switch fc_backend other;seat+0 late leader other 12000 for 0.2;open+0.4 isolate leader for 12;"
    "then+0 cut seated other for 16;then+0 look-denied seated for 14",
    "quiet+0.1 freeze-before-send leader 4 for 9;then+0.01 order leader switch fc_backend other;then+6 order leader switch fc_backend other",
    "quiet+0.1 freeze-before-send leader 2 for 9;then+0 cut seated other for 14;then+0 look-denied seated for 12",
    "quiet+0.1 freeze-before-send leader 6 for 9;then+0.01 order leader switch fc_backend other;"
    "open+0.4 cut seated other for 14;then+1 isolate seated for 0.5;then+3 disk-full seated for 1",
    NULL
};
/* Clocks at the edges of what is promised, against each other, while the lease changes hands. */
static const char *const drifts[] = {
    "quiet+0.1 drift leader -100000;then+0 drift follower 100000;then+0.5 freeze leader for 5",
    "quiet+0.1 drift leader -100000;then+0 drift follower 100000;then+0.5 isolate leader for 6",
    "quiet+0.1 drift leader -100000;then+0 drift follower 100000;then+0.5 cut leader seated for 6;then+0 cut leader other for 6",
    "quiet+0.1 drift leader -100000;then+0 drift follower 100000;then+0.5 late leader seated 150 for 6",
    "quiet+0.1 drift leader 100000;then+0 drift follower -100000;then+0.5 isolate leader for 6",
    "quiet+0.1 drift leader -100000;then+0 drift follower 100000;then+0.5 cut nodes seated for 9;then+0 cut seated other for 9",
    NULL
};

/* The token's way to an HAProxy is slow to end: what may end the wait for an unfenced server, and what must not. The long TokenCheckFall
 * leaves an HAProxy that hears nobody with the old server for 9 s. */
#define HEARS_LONG "set HAProxyHardStopSeconds 1;set TokenCheckFall 30;nodes 2;"
#define UNSEEN "cut nodes seated for 14;then+0 cut seated other for 14;"
static const char *const heard[] = {
    /* it hears nobody: only its own token check ends it */
    HEARS_LONG "quiet+0.1 drift leader 90000;then+0 " UNSEEN "then+0 cut nodes lb1 for 14",
    /* its own view says that it sends there, whatever the boards say */
    HEARS_LONG "set HAProxyPush false;quiet+3 drift leader 90000;then+0 " UNSEEN "then+0 deaf lb1 for 14",
    /* one answer was given to it, and lost */
    HEARS_LONG "set HAProxyPollMilliseconds 60000;quiet+3 drift leader 90000;then+0 " UNSEEN
    "intend+0 cut follower lb1 for 14;then+0 cut leader lb1 for 2.1;then+0 last-answer leader lb1 for 14",
    /* it has heard, and then hears one who still says the old word until the end of his term */
    "set HAProxyHardStopSeconds 1;set FenceTimeoutMilliseconds 100;set HAProxyPollMilliseconds 100;set LeaseMilliseconds 4000;"
    "set TermMilliseconds 3000;nodes 2;quiet+3 drift leader 90000;then+0 drift follower -90000;then+0 cut leader seated for 14;"
    "then+0 cut seated other for 14;then+0 cut follower other for 14;then+0 cut leader follower for 14;"
    "intend+0 cut follower seated for 14;then+0 cut follower lb1 for 0.8;then+0.79 cut leader lb1 for 14",
    /* the same, by what it was answered */
    "set HAProxyHardStopSeconds 1;set FenceTimeoutMilliseconds 100;set HAProxyPollMilliseconds 60000;set LeaseMilliseconds 4000;"
    "set TermMilliseconds 3000;nodes 2;quiet+3 drift leader 90000;then+0 drift follower -90000;then+0 cut leader seated for 14;"
    "then+0 cut seated other for 14;then+0 cut follower other for 14;then+0 cut leader follower for 14;"
    "intend+0 cut follower seated for 14;then+0 cut follower lb1 for 0.8;then+0.79 cut leader lb1 for 14",
    /* one that HAProxyInstances does not name, and that hears nobody */
    HEARS_LONG "set HAProxyInstances lb1=/run/lb1.sock;quiet+3 drift leader 90000;then+0 " UNSEEN "then+0 cut nodes lb2 for 14",
    /* none is named, and the only board that knows them is out of sight */
    "set HAProxyHardStopSeconds 1;set TokenCheckFall 10;set FenceTimeoutMilliseconds 100;set HAProxyInstances;nodes 2;"
    "quiet+0.1 order fc1 yield;then+12 drift fc2 90000;then+0 cut fc2 seated for 14;then+0 cut seated other for 14;"
    "then+0 cut fc1 fc2 for 14;then+0 cut fc1 other for 14;intend+0 cut fc1 seated for 14;then+0 cut nodes lb1 for 14;"
    "then+0 cut nodes lb2 for 14",
    /* it was reloaded, and shows nothing: its answers say nothing of the process before */
    "set HAProxyHardStopSeconds 6;set HAProxyPollMilliseconds 60000;nodes 2;quiet+3 reload lb1;then+0.01 " UNSEEN "then+0 reload lb2",
    NULL
};
/* Two may lead where they see different servers; but only who has watched as long as steering.md 4.3 says. */
static const char *const takeovers[] = {
    /* started a moment ago, sees one server only, and that one shows a row that nobody holds: it was cut off in between */
    "nodes 2;quiet+0.1 order leader yield;then+0.006 cut seated other for 14;then+3 cut follower seated for 12;then+0 kill follower for 0.5",
    /* sees one server only, which has not applied what it fetched */
    "quiet+0.1 apply-not other for 10;then+0 cut follower seated for 10",
    "quiet+0.1 apply-slowly other 700 for 8;then+0 cut follower seated for 10",
    /* has seen the lease rise where it sees no more, and the other server has heard nothing for long */
    "quiet+0.1 cut seated other for 14;then+5 cut follower seated for 9",
    /* both servers fall silent at one time: who sees only one of them lets those go first who see both */
    "quiet+0.1 cut seated other for 14;then+0 cut follower seated for 14",
    /* blind for long, and then one server comes back before the other */
    "quiet+0.1 cut seated other for 14;then+0 cut follower seated for 14;then+0 cut follower other for 6",
    /* its lease has run out long ago, and its server comes back into sight before the one where it was followed */
    "nodes 2;quiet+0.1 cut seated other for 16;then+0 cut follower seated for 16;then+0 cut leader other for 16;then+0 cut leader seated for 8",
    NULL
};

/* What an unfenced server takes alone from its direct clients, until it is seen again and closed, and when it is opened once more. */
#define LEFT_ALONE "set HAProxyHardStopSeconds 1;nodes 2;quiet+0.1 cut nodes seated for 12;then+0 cut seated other for 12"
static const char *const left_alone[] = {
    LEFT_ALONE,
    LEFT_ALONE ";grant+12 open other",
    LEFT_ALONE ";grant+12 open other;then+3 open other",
    LEFT_ALONE ";grant+12 kill leader for 1",
    LEFT_ALONE ";grant+0 late-deeds other 700 for 20",
    "set LeaseMilliseconds 4000;" LEFT_ALONE ";grant+0 late-deeds other 1900 for 20",
    LEFT_ALONE ";grant+1 kill other for 2;grant+12 boot-writable other for 3;then+0 kill other for 1",
    NULL
};
/* An HAProxy that contradicts the board, lacks a server, is out of sight: said once, mended where it may be pushed. */
static const char *const views[] = {
    "quiet+0.1 deaf lb1 for 14;then+0 cut nodes lb1 for 1.5;then+0.1 order leader switch fc_backend other",
    "quiet+0.1 deaf lb1 for 16",
    "quiet+0.1 lack lb1 other for 9;then+1.2 order leader switch fc_backend other => refused",
    "quiet+0.1 lack lb1 seated for 9;then+0 lack lb1 other for 6;then+3 kill leader for 2",
    "quiet+0.1 cut nodes lb1 for 4;then+6 cut nodes lb2 for 2;then+4 kill lb1 for 2",
    NULL
};

/* A majority of the nodes here, a minority there, with a server each, or with both; and what else only votes decide. Roles are those of
 * the moment; `fc1,fc2` may hold the leader or not. */
static const char *const splits[] = {
    "quiet+0.1 split leader,seated,lb1 for 14", "quiet+0.1 split leader,other,lb1 for 14", "quiet+0.1 split leader,seated,other,lb1,lb2 for 9",
    "quiet+0.1 split leader for 9", "quiet+0.1 split follower,seated,lb1 for 14", "quiet+0.1 split leader,follower,seated,lb1 for 14",
    "quiet+0.1 split leader,follower,other,lb1 for 14", "nodes 5;quiet+0.1 split fc1,fc2,seated,lb1 for 14",
    "nodes 5;quiet+0.1 split fc1,fc2,other,lb1 for 14", "nodes 5;quiet+0.1 split fc1,fc2,seated,lb1,lb2 for 14",
    "nodes 5;quiet+0.1 split leader,seated,lb1 for 14", "nodes 5;quiet+0.1 split leader,follower,seated,lb1 for 14",
    "nodes 5;quiet+0.1 split leader,follower,other,lb1 for 14", "nodes 5;quiet+0.1 split follower,seated,lb1 for 14",
    "nodes 5;quiet+0.1 split fc1,fc2,db1,lb1 for 6;then+3 split fc3,fc4,db2,lb2 for 9",
    "quiet+0.1 split seated,lb1 for 14", "quiet+0.1 split seated,lb1,lb2 for 14", "quiet+0.1 split seated,other,lb1,lb2 for 9",
    /* all three apart: nobody leads, everybody falls silent */
    "nodes 3;quiet+0.1 cut fc1 fc2 for 6;then+0 cut fc2 fc3 for 6;then+0 cut fc1 fc3 for 6",
    "nodes 3;quiet+0.1 cut fc1 fc2 for 6;then+0 cut fc2 fc3 for 6;then+0 cut fc1 fc3 for 6;then+0.5 kill seated for 9",
    /* flapping */
    "quiet+0.1 split leader,seated,lb1 for 0.4;then+0.8 split leader,seated,lb1 for 0.4;then+0.8 split leader,seated,lb1 for 3",
    "quiet+0.1 cut leader follower for 0.3;then+0.5 cut-one-way leader follower for 0.6;then+1 cut-one-way follower leader for 2",
    NULL
};
/* A leader that goes on as long as its lease lasts, while the others elect another one; entries of it that come late. */
static const char *const deposed[] = {
    "quiet+0.1 isolate leader for 6;then+0 order leader switch fc_backend other", "quiet+0.1 split leader,seated,other,lb1,lb2 for 9;then+0 order leader switch fc_backend other",
    "quiet+0.1 order leader switch fc_backend other;intend+0 split leader,seated,other,lb1 for 9",
    "quiet+0.1 order leader switch fc_backend other;fence+0 split leader,seated,other,lb1 for 9",
    "quiet+0.1 order leader switch fc_backend other;seat+0 split leader,seated,other,lb1 for 9",
    "quiet+0.1 order leader switch fc_backend other;seat+0 cut leader fc1 for 3;then+0 cut leader fc2 for 3;then+0 cut leader fc3 for 3",
    "quiet+0.1 order leader switch fc_backend other;intend+0 raft-stands leader for 3", "quiet+0.1 order leader switch fc_backend other;fence+0 raft-stands leader for 3",
    "quiet+0.1 order leader switch fc_backend other;open+0 raft-stands leader for 3", "quiet+0.1 raft-stands leader for 4;then+0 order leader switch fc_backend other",
    "quiet+0.1 raft-stands leader for 4;then+0 kill seated for 9", "quiet+0.1 freeze leader for 3;then+0 kill seated for 9",
    "quiet+0.1 order leader switch fc_backend other;seat+0 raft-stands leader for 3", "quiet+0.1 order leader switch fc_backend other;seat+0.0002 raft-stands leader for 2",
    "quiet+0.1 order leader switch fc_backend other;intend+0.0002 raft-stands leader for 2", "quiet+0.1 order leader switch fc_backend other;seat+0 freeze leader for 2",
    "quiet+0.1 order leader switch fc_backend other;intend+0 freeze leader for 2", "quiet+0.1 order leader switch fc_backend other;seat+0.0003 freeze leader for 3",
    "quiet+0.1 order leader switch fc_backend other;seat+0 cut-one-way leader fc1 for 2;then+0 cut-one-way leader fc2 for 2;then+0 cut-one-way leader fc3 for 2",
    "quiet+0.1 drift leader -100000;then+0 drift follower 100000;then+0.1 isolate leader for 6;then+0 order leader switch fc_backend other",
    "quiet+0.1 drift leader -100000;then+0 drift follower 100000;then+0.1 split leader,seated,lb1 for 14",
    "quiet+0.1 drift leader 100000;then+0 drift follower -100000;then+0.1 split follower,seated,lb1 for 14",
    "quiet+0.1 freeze-before-send leader 6 for 12;then+0.01 order leader switch fc_backend other;open+0.4 order leader switch fc_backend seated",
    "quiet+0.1 freeze-before-deed leader 9 for 4;then+0.01 order leader switch fc_backend other", "quiet+0.1 late leader follower 900 for 6;then+0 order leader switch fc_backend other",
    "quiet+0.1 late follower leader 900 for 6;then+0 order leader switch fc_backend other", "quiet+0.1 late leader follower 300 for 6;then+1 kill seated for 9",
    "quiet+0.1 order leader yield;then+0.001 order leader switch fc_backend other", "quiet+0.1 order leader yield to fc1;then+0.3 order leader yield to fc2;then+0.3 order leader yield to fc3",
    "quiet+0.1 mangle 60 for 8;then+0 order leader switch fc_backend other;then+2 kill seated for 4",
    "quiet+0.1 mangle 60 for 8;then+0.5 split leader,seated,lb1 for 14", "quiet+0.1 kill nodes for 0.5;then+0 kill seated for 9", "quiet+0.1 kill follower for 14;then+0 split leader,seated,lb1 for 6",
    NULL
};
/* What a server's table has from before raft decided: gone beyond, and no seat of a lower epoch is taken for done. */
static const char *const other_rows[] = {
    "quiet+0.1 other-row seated 3", "quiet+0.1 other-row other 3", "quiet+0.1 other-row other 3;then+0 order leader switch fc_backend other",
    "quiet+0.1 order leader switch fc_backend other;seat+0 other-row other 3", "quiet+0.1 order leader switch fc_backend other;seat+0.0005 other-row other 3",
    "quiet+0.1 kill seated for 9;seat+0 other-row other 2", "quiet+0.1 kill seated for 9;catch-up+0 other-row other 2", "quiet+0.1 close seated;seat+0 other-row seated 2",
    NULL
};
/* A living foreign owner for longer than it takes anybody to see that it lives. */
static const char *const foreign_owners[] = {
    "quiet+0.1 foreign-fresh for 14", "quiet+0.1 foreign-fresh for 14;then+2 kill leader for 1", "quiet+0.1 foreign-fresh for 14;then+1 kill seated for 6",
    "quiet+0.1 foreign-fresh for 14;then+2 kill nodes for 0.5", "quiet+0.1 foreign-stale for 14;then+1 kill seated for 6", NULL
};
/* The last node is a witness, or the last two of five. Where it is elected it has nothing to lead by; where it is left with a full node it is the
 * other vote; where an HAProxy reaches it alone it says what it was told. */
#define ONE_WITNESS "nodes 3;witnesses 1;"
static const char *const witnesses[] = {
    ONE_WITNESS "quiet+0.1 kill witness for 6;then+1 kill seated for 4", ONE_WITNESS "quiet+0.1 freeze witness for 6;then+1 kill seated for 4",
    ONE_WITNESS "quiet+0.1 isolate witness for 6;then+1 kill leader for 3", ONE_WITNESS "quiet+0.1 raft-stands witness for 6;then+1 kill leader for 3",
    /* elected first: the others let it go first, or cannot stand for a while */
    ONE_WITNESS "quiet+0.1 order leader yield;then+0.1 kill leader for 2", ONE_WITNESS "quiet+0.1 kill fc1 for 0.3;then+0 kill fc2 for 0.3",
    ONE_WITNESS "quiet+0.1 raft-stands fc1 for 4;then+0 raft-stands fc2 for 2.5", ONE_WITNESS "quiet+0.1 freeze fc1 for 4;then+0 freeze fc2 for 2.5",
    ONE_WITNESS "set YieldPauseMilliseconds 20000;quiet+0.1 order leader yield;then+0.5 kill leader for 8;then+1 kill seated for 4",
    ONE_WITNESS "quiet+0.1 order leader yield to fc3", ONE_WITNESS "quiet+0.1 order fc3 yield;then+0 order fc3 switch fc_backend other;then+0 order fc3 pause fc_backend",
    /* the leader's site is lost, and the witness remains with the other one; or it is lost with that site */
    ONE_WITNESS "quiet+0.1 split leader,seated,lb1 for 14", ONE_WITNESS "quiet+0.1 split leader,other,lb1 for 14",
    ONE_WITNESS "quiet+0.1 split leader,seated,lb1,witness for 14", ONE_WITNESS "quiet+0.1 kill leader for 9;then+0 kill seated for 9;then+0 kill lb1 for 9",
    ONE_WITNESS "quiet+0.1 split witness,lb1 for 14;then+0.5 kill seated for 6", ONE_WITNESS "quiet+0.1 split witness,seated,lb1 for 14",
    /* an HAProxy reaches the witness alone */
    ONE_WITNESS "quiet+0.1 cut fc1 lb1 for 14;then+0 cut fc2 lb1 for 14;then+1 order leader switch fc_backend other",
    ONE_WITNESS "quiet+0.1 cut fc1 lb1 for 14;then+0 cut fc2 lb1 for 14;then+1 kill seated for 6", ONE_WITNESS "quiet+0.1 cut fc1 lb1 for 14;then+0 cut fc2 lb1 for 14;then+1 isolate seated for 12",
    ONE_WITNESS "quiet+0.1 cut fc1 lb1 for 14;then+0 cut fc2 lb1 for 14;then+1 order leader pause fc_backend;then+1 kill seated for 3;then+4 order leader resume fc_backend",
    ONE_WITNESS "quiet+0.1 cut fc1 lb1 for 14;then+0 cut fc2 lb1 for 14;then+1 close seated;then+2 open other",
    ONE_WITNESS "quiet+0.1 cut fc1 lb1 for 14;then+0 cut fc2 lb1 for 14;then+1 order leader switch fc_backend other;seat+0 split witness,lb1 for 6",
    ONE_WITNESS "quiet+0.1 cut fc1 lb1 for 14;then+0 cut fc2 lb1 for 14;then+1 order leader switch fc_backend other;intend+0 kill witness for 0.3",
    ONE_WITNESS "quiet+0.1 cut fc1 lb1 for 14;then+0 cut fc2 lb1 for 14;then+1 mangle 60 for 9;then+0.1 order leader switch fc_backend other;grant+0.5 order leader switch fc_backend other",
    ONE_WITNESS "quiet+0.1 cut fc1 lb1 for 14;then+0 cut fc2 lb1 for 14;then+1 late leader witness 400 for 9;then+0 order leader switch fc_backend other;grant+0.5 order leader switch fc_backend other",
    /* the leader and the witness alone, the other node gone: half of the lookers is missing */
    ONE_WITNESS "quiet+0.1 kill follower for 14;then+1 kill seated for 6", ONE_WITNESS "quiet+0.1 kill follower for 14;then+1 freeze seated for 6",
    ONE_WITNESS "quiet+0.1 kill follower for 14;then+1 order leader switch fc_backend other", ONE_WITNESS "quiet+0.1 kill follower for 14;then+0.5 cut leader witness for 3",
    "nodes 5;witnesses 2;quiet+0.1 kill fc1 for 6;then+0 kill fc2 for 6;then+0 kill fc3 for 3", "nodes 5;witnesses 2;quiet+0.1 split fc4,fc5,lb1,seated for 9",
    "nodes 5;witnesses 2;quiet+0.1 split leader,fc4,fc5,seated,lb1 for 12", "nodes 5;witnesses 2;quiet+0.1 kill leader for 4;then+0.5 kill seated for 6",
    NULL
};
/* A managed cluster: somebody else fails it over, in each of his ways, while leaders, nodes and HAProxies have troubles of their own. m1 is its
 * master at the start. Whoever is cut off stays so for longer than an HAProxy keeps a writer that nobody speaks for. */
#define CLUSTER "cluster 1;set HAProxyHardStopSeconds 2;"
#define M1_UNSEEN "cut nodes m1 for 34;then+0 cut m1 m2 for 34;then+0 cut m1 m3 for 34"
static const char *const clusters[] = {
    CLUSTER "quiet+9 failover m2 0", CLUSTER "quiet+9 failover m2 1", CLUSTER "quiet+9 failover m2 2;then+25 close m1", CLUSTER "quiet+9 failover m2 3;then+12 close m1",
    CLUSTER "quiet+9 kill m1 for 30;then+2 failover m2 1", CLUSTER "quiet+9 freeze m1 for 30;then+4 failover m2 1", CLUSTER "quiet+9 kill m1 for 2", CLUSTER "quiet+9 freeze m1 for 6",
    /* the old master is out of sight and lives, and clients reach it through an HAProxy that hears nobody */
    CLUSTER "quiet+9 " M1_UNSEEN ";then+0 cut nodes lb1 for 34;then+1.2 failover m2 2", CLUSTER "quiet+9 " M1_UNSEEN ";then+3 failover m2 2",
    CLUSTER "quiet+9 " M1_UNSEEN ";then+0 deaf lb1 for 34;then+3 failover m2 2;then+1 reload lb2", CLUSTER "quiet+9 reload lb1;then+0.1 " M1_UNSEEN ";then+0 cut nodes lb1 for 34;then+1 failover m2 2",
    CLUSTER "quiet+9 " M1_UNSEEN ";then+0 cut nodes lb1 for 34;then+3 failover m2 2;then+2 reload lb1", CLUSTER "quiet+9 " M1_UNSEEN ";then+0 freeze lb1 for 8;then+3 failover m2 2",
    /* and the leader changes before it, in the middle of it, or is cut off itself */
    CLUSTER "quiet+9 " M1_UNSEEN ";then+0 cut nodes lb1 for 34;then+3 failover m2 2;then+2 kill leader for 1", CLUSTER "quiet+9 " M1_UNSEEN ";then+0 cut nodes lb1 for 34;then+3 failover m2 2;then+2 order leader yield",
    CLUSTER "quiet+9 " M1_UNSEEN ";then+0 cut nodes lb1 for 34;then+3 failover m2 2;then+1 kill nodes for 1", CLUSTER "quiet+9 failover m2 0;then+0.5 kill leader for 2", CLUSTER "quiet+9 failover m2 0;then+0.2 kill nodes for 1",
    CLUSTER "quiet+9 order leader yield;then+0.5 failover m2 0", CLUSTER "quiet+9 isolate leader for 25;then+3 failover m2 2", CLUSTER "quiet+9 split leader,lb1,m1 for 34;then+3 failover m2 2",
    CLUSTER "quiet+9 split leader,lb1,m1 for 34;then+3 failover m2 3", CLUSTER "quiet+9 freeze leader for 6;then+1 failover m2 0", CLUSTER "quiet+9 cut leader m1 for 20", CLUSTER "quiet+9 cut nodes m1 for 20",
    CLUSTER "quiet+9 isolate m1 for 3", CLUSTER "quiet+9 kill nodes for 1", CLUSTER "quiet+9 kill nodes for 1;then+0.1 cut nodes m1 for 20", CLUSTER "quiet+9 kill leader for 3;then+0 cut nodes m2 for 20",
    CLUSTER "quiet+9 kill leader for 9;then+0 " M1_UNSEEN ";then+0 cut nodes lb1 for 34;then+0.2 failover m2 2", CLUSTER "quiet+9 kill nodes for 0.5;then+0 " M1_UNSEEN ";then+0 cut nodes lb1 for 34;then+0.2 failover m2 2",
    CLUSTER "quiet+9 kill leader for 9;then+0 " M1_UNSEEN ";then+0 deaf lb1 for 34;then+0.2 failover m2 2;then+0.5 reload lb2",
    CLUSTER "quiet+9 cut nodes m1 for 34;then+2 failover m2 2;then+20 reload lb1",
    /* hands */
    CLUSTER "quiet+9 open m2", CLUSTER "quiet+9 open m2;then+4 kill leader for 1", CLUSTER "quiet+9 close m1;then+8 open m1", CLUSTER "quiet+9 close m1;then+3 open m2;then+8 open m1",
    CLUSTER "quiet+9 close m1;then+0 open m2;then+0 open m3;then+9 close m3", CLUSTER "quiet+9 failover m2 0;then+4 failover m3 0;then+4 failover m1 0", CLUSTER "quiet+9 kill m1 for 5;then+0 kill m2 for 5;then+0 kill m3 for 5",
    CLUSTER "quiet+9 failover m2 3;then+0.1 failover m3 3;then+2 kill nodes for 1;then+18 reload lb1", CLUSTER "quiet+9 failover m2 3;then+0.1 failover m3 3;then+4 kill leader for 3;then+9 close m1",
    /* readers */
    CLUSTER "set ReaderFloor 1;quiet+9 behind m2 30 for 9;then+3 behind m3 40 for 6", CLUSTER "set ReaderFloor 2;quiet+9 behind m2 30 for 9", CLUSTER "set ReaderFloor 0;quiet+9 behind m2 30 for 9;then+0 behind m3 11 for 9",
    CLUSTER "set ReaderFloor 1;quiet+9 apply-not m2 for 9;then+2 behind m3 20 for 6", CLUSTER "set ReaderFloor 1;quiet+9 kill m2 for 9;then+2 freeze m3 for 6", CLUSTER "set ReaderFloor 1;quiet+9 behind m2 8 for 9;then+3 behind m2 14 for 3;then+4 behind m2 7 for 3",
    CLUSTER "set ReaderFloor 1;quiet+9 cut nodes m2 for 9;then+0 cut nodes m3 for 9;then+3 cut nodes m1 for 6", CLUSTER "set ReaderFloor 2;quiet+9 kill m1 for 20;then+3 behind m2 30 for 9",
    CLUSTER "quiet+9 freeze lb1 for 12;then+1 failover m2 0", CLUSTER "quiet+9 kill lb1 for 4;then+1 failover m2 0", CLUSTER "quiet+9 reload lb1;then+0.5 failover m2 0;then+0.5 reload lb2",
    NULL
};
/* Two sites with a server, an HAProxy and nodes each, and a third node elsewhere: the line of one of them at each step. */
#define SITE_A "fc1,fc4,db1,lb1"
#define SITE_B "fc2,fc5,db2,lb2"
static const char *const sites[] = {
    "split " SITE_A, "split " SITE_B, "split fc3", "split-out " SITE_A, "split-in " SITE_A, "split-out " SITE_B, "split-in " SITE_B, NULL
};
static const char *const threads[] = { "raft-stands leader", "raft-stands follower", "raft-stands nodes", "mangle 50", NULL };
static const char *const splits_at_steps[] = {
    "split leader,seated,lb1", "split leader,other,lb1", "split leader,seated,other,lb1,lb2", "split follower,seated,lb1", "split follower,other,lb1",
    "split leader,follower,seated,lb1", "split leader,follower,other,lb1", NULL
};

/* ---- the table ------------------------------------------------------------------------------------------------------------------- */

const struct scene scenes[] = {
    { "leavings", "processes that reloads have left, and an old server that only clients reach", NULL, leavings, false },
    { "late-looks", "a look that was taken before an opening or a fence arrives after it", NULL, slow_looks, false },
    { "lost-rows", "the deciding row is missing on one side, and old ones come late", NULL, lost_rows, false },
    { "broken-replication", "both alive, replication broken, then the first dies", NULL, broken_replication, false },
    { "late-openings", "a leader wakes after the fence of the next one, while the pair is cut", NULL, late_openings, false },
    { "heard", "who has heard that an unfenced server is left, and who only seems to", NULL, heard, false },
    { "takeovers", "a lease is taken over by who does not see everything", NULL, takeovers, false },
    { "left-alone", "what an unfenced server took alone is told", NULL, left_alone, false },
    { "views", "an HAProxy contradicts the board, lacks a server, is out of sight", NULL, views, false },
    { "drift", "the two ends of the promised drift against each other", NULL, drifts, false },
    { "orders", "two operators want the opposite", NULL, opposite_orders, false },
    { "rules", "an order against each rule", NULL, rules, false },
    { "writable", "a server comes back writable, or is opened by hand", NULL, writables, false },
    { "kill", "each party dies at each step", kills, NULL, false },
    { "freeze", "each party freezes at each step", freezes, NULL, false },
    { "suspend", "nodes' machines sleep at each step", suspends, NULL, false },
    { "isolate", "each party is alone at each step", isolations, NULL, false },
    { "cut", "each pair is cut at each step", cuts, NULL, false },
    { "one-way", "each pair is cut in one direction at each step", one_way_cuts, NULL, false },
    { "no-memory", "nodes are started anew, all nodes, everything, at each step", memories, NULL, false },
    { "proxies", "an HAProxy is reloaded, frozen, killed at each step", reloads, NULL, false },
    { "before-send", "the leader freezes between check and send of each deed", sends, NULL, false },
    { "late", "requests come late, or answers of what was done", lates, NULL, false },
    { "replay", "old decision rows are applied again, in both orders", replays, NULL, false },
    { "clocks", "wall clocks step, clocks run at the edge of the promise, at each step", clocks, NULL, false },
    { "disk-full", "nothing can be written, everything can be read, at each step", disks, NULL, false },
    { "privileges", "an account lacks a privilege, or has SUPER, at each step", privileges, NULL, false },
    { "refused", "something between refuses a node's connections to the server that sits, which lives or not", NULL, refusals, false },
    { "left", "a leader alone does not reach the server that sits", NULL, left_leaderships, false },
    { "deaths", "so many of the nodes have lost the server that sits, dead, cut off, or cut off together", NULL, deaths, false },
    { "foreign", "a foreign orchestrator owns active_node, alive or dead, at each step", foreigners, NULL, false },
    { "foreign-long", "a foreign orchestrator lives for long", NULL, foreign_owners, false },
    { "splits", "a majority of the nodes here, a minority there, each with what it can reach", NULL, splits, true },
    { "split", "the same at each step", splits_at_steps, NULL, true },
    { "deposed", "a leader goes on to the end of its lease while another one is elected; what it laid into the log comes late", NULL, deposed, true },
    { "witness", "a voter that looks at no server is killed, frozen, cut off, elected first, left alone with one node, asked alone", NULL, witnesses, true },
    { "cluster", "a managed cluster is failed over by somebody else, while leaders, nodes, links and HAProxies have their own troubles", NULL, clusters, false },
    { "sites", "a site with a server, an HAProxy and nodes is cut off as a whole, both ways or one way, at each step", sites, NULL, false },
    { "old-rows", "what another arbiter left in a server's table", NULL, other_rows, true },
    { "threads", "raft's threads wait for their disks, its frames are lost, doubled, overtaken, at each step", threads, NULL, true },
    { "relay", "the relay's first node freezes, falls silent, dies, at each step", relays, NULL, false },
};
const size_t scene_count = sizeof scenes / sizeof scenes[0];

/* spec/steering.md 10: what must be shown, and by which scenes. */
const struct scene_line scene_lines[] = {
    { "each party is killed at each step", "kill" }, { "each party freezes at each step", "freeze suspend" },
    { "each pair is cut, one way, each is alone, at each step", "cut one-way isolate sites split" }, { "an HAProxy is reloaded, frozen, killed", "proxies leavings" },
    { "both alive with replication broken, then the first dies", "broken-replication" }, { "late replay of old rows, both orders, with missing and extra rows", "replay lost-rows old-rows" },
    { "nodes restarted without memory, all together", "no-memory" }, { "clocks drift, step, suspend", "clocks drift suspend" },
    { "a leader paused between check and send", "before-send late-openings" }, { "two operators with opposite orders", "orders" },
    { "an order against each rule of section 6", "rules" }, { "a server that comes back writable", "writable" },
    { "SUPER, READ ONLY ADMIN, a lacking privilege", "privileges" }, { "the relay's first node frozen", "relay" },
    { "section 9: leaders deposed, witnesses, threads that wait", "deposed splits threads witness" }, { "a managed cluster's pools", "cluster" },
};
const size_t scene_line_count = sizeof scene_lines / sizeof scene_lines[0];

/* ---- from a row to lines ------------------------------------------------------------------------------------------------------------ */

const struct scene *scene_find(const char *word)
{
    for (size_t i = 0; i < scene_count; i++) {
        if (text_is(scenes[i].word, word))
            return &scenes[i];
    }
    return NULL;
}

static int count_of(const char *const *texts)
{
    int count = 0;
    while (texts != NULL && texts[count] != NULL)
        count++;
    return count;
}

static int moments_of_all_ways(void)
{
    const char *words[STEP_COUNT];
    int count = 0;
    for (int w = 0; w < WAY_COUNT; w++)
        count += steps_of(&ways[w], words);
    return count;
}

int scene_variants(const struct scene *scene)
{
    return scene->faults != NULL ? count_of(scene->faults) * moments_of_all_ways() : count_of(scene->stories);
}

static void add_lines(struct script *script, const char *lines)
{
    char line[256];
    while (*lines != '\0') {
        const size_t length = strcspn(lines, ";");
        TEXT_FORMAT(line, "%.*s", (int)length, lines);
        const bool is_a_line = script_add_text(script, line);
        assert(is_a_line);
        (void)is_a_line;
        lines += length + (lines[length] == ';');
    }
}

static double seconds_between(struct fc_rng *rng, double least, double most)
{
    return least + (most - least) * (double)rng_below(rng, 1000000) / 1e6;
}

/* At once, within the next message, within the next look. */
static double soon(struct fc_rng *rng)
{
    switch (rng_below(rng, 4)) {
    case 0:  return 0;
    case 1:  return seconds_between(rng, 0, 0.0005);
    case 2:  return seconds_between(rng, 0, 0.003);
    default: return seconds_between(rng, 0, 0.2);
    }
}

static double long_enough(struct fc_rng *rng)
{
    switch (rng_below(rng, 3)) {
    case 0:  return seconds_between(rng, 0.01, 0.4);
    case 1:  return seconds_between(rng, 0.4, 2);
    default: return seconds_between(rng, 2, 8);
    }
}

static bool has_an_end(const char *fault)
{
    static const char *const instants[] = { "reload", "replay", "stop", "drift", "close", "open", "lose-row", "other-row" };
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
        if (text_begins(fault, instants[i]))
            return false;
    }
    return true;
}

static void build_at_a_step(const struct scene *scene, int variant, struct fc_rng *rng, struct script *ret)
{
    const char *fault = scene->faults[variant / moments_of_all_ways()], *words[STEP_COUNT];
    int at = variant % moments_of_all_ways(), w = 0;
    while (at >= steps_of(&ways[w], words))
        at -= steps_of(&ways[w++], words);
    char line[256];
    add_lines(ret, ways[w].lines);
    steps_of(&ways[w], words);
    TEXT_FORMAT(line, "%s+%.6f %s", words[at], soon(rng), fault);
    if (has_an_end(fault))
        snprintf(line + strlen(line), sizeof line - strlen(line), " for %.6f", long_enough(rng));
    add_lines(ret, line);
}

void scene_build(const struct scene *scene, int variant, uint64_t seed, bool has_quorum, struct script *ret)
{
    struct fc_rng rng = { seed * UINT64_C(0xa0761d6478bd642f) + 3 };
    memset(ret, 0, sizeof *ret);
    ret->seed = seed;
    ret->node_count = 2 + (int)rng_below(&rng, 2);
    ret->has_quorum = has_quorum;
    if (has_quorum) {
        ret->node_count = rng_below(&rng, 4) == 0 ? 5 : 3;
        ret->witness_count = rng_below(&rng, 4) == 0;
    }
    if (scene->faults != NULL)
        build_at_a_step(scene, variant, &rng, ret);
    else
        add_lines(ret, scene->stories[variant]);
}
