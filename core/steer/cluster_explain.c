/* Why a server of a managed cluster's pool is called what it is called: the row that fitted, what it was judged by, what would change it. */
#include "steer/explain.h"

#include <stdio.h>

#include "base/text.h"

static int64_t age_ms(struct fc_time then, struct fc_time now) { return fc_is_ever(then) ? -1 : fc_span_ms(fc_since(then, now)); }

static void add_sight(struct explanation *e, const struct cluster_pool *c, const struct steer_stage *stage, const struct pool *pool, int member)
{
    const struct fleet_sight *s = &c->sights[member];
    const int64_t lag = cluster_lag_s(c, member, stage->now);
    char behind[48] = "lag unknown";
    if (lag >= 0)
        TEXT_FORMAT(behind, "%lld s behind%s", (long long)lag, s->is_fetching ? "" : " (not fetching since)");
    if (fc_is_ever(s->checked_at))
        explain_input(e, -1, pool->members[member].name, "not looked at yet");
    else if (fc_is_ever(s->seen_at))
        explain_input(e, age_ms(s->checked_at, stage->now), pool->members[member].name, "never seen");
    else
        explain_input(e, age_ms(s->seen_at, stage->now), pool->members[member].name, "%s%s, %u replicas, %s%s%s",
                      cluster_sees(c, stage->config, member, stage->now) ? "" : s->is_gone ? "lost, by its replicas too; last seen " : "lost; last seen ",
                      s->is_read_only ? "read_only" : "writable", (unsigned)s->replica_count,
                      !s->replicates ? "replicates from nobody" : s->is_below ? "a replica" : "in a ring with its master",
                      s->replicates ? ", " : "", s->replicates ? (s->is_applying ? behind : "applies nothing") : "");
}

static void add_writer(struct explanation *e, const struct cluster_pool *c, const struct steer_stage *stage, const struct pool *pool)
{
    if (c->seated >= 0)
        explain_input(e, -1, "sits", "%s", pool->members[c->seated].name);
    if (c->revoked >= 0)
        explain_input(e, age_ms(c->revoked_at, stage->now), "sat before", "%s", pool->members[c->revoked].name);
    for (int i = 0; i < pool->count; i++)
        add_sight(e, c, stage, pool, i);
}

static void add_changes(struct explanation *e, const struct cluster_pool *c, const struct steer_stage *stage, const struct pool *pool, int member)
{
    const int most = stage->config->reader_max_lag_seconds;
    const struct fc_time until = cluster_waits_until(c, stage->config, pool->count, stage->now);
    switch (c->cases[member]) {
    case WRITER_NOT_LEADING: case READER_NOT_LEADING:
        explain_change(e, "this node comes to lead: see `explain leader`");
        break;
    case WRITER_STARTING: case READER_STARTING:
        explain_change(e, "the first look at every server of the pool, or its failure");
        break;
    case WRITER_FIRST:
        explain_change(e, "it is seen read_only or as a replica, or it is lost and its replicas have lost it too or another master is writable");
        break;
    case WRITER_AWAITED: case WRITER_WAITING:
        explain_change(e, "%lld ms more, or less when the others are seen read_only", fc_before(stage->now, until) ? (long long)fc_span_ms(fc_since(stage->now, until)) : 0ll);
        break;
    case WRITER_GONE: case WRITER_UNSEEN: case READER_UNSEEN: case READER_BLIND:
        explain_change(e, "a look at it that succeeds; `firstchair -c refresh -i %s` looks now", pool->members[member].address);
        break;
    case WRITER_READ_ONLY: case WRITER_REPLICA: case WRITER_OTHER:
        explain_change(e, "it is the one writeable master: writable, no replica, and the one that sits is not open any more");
        break;
    case WRITER_UNDECIDED:
        explain_change(e, "all but one of the writable ones become read_only, or replicate");
        break;
    case READER_MASTER: case READER_DETACHED: case READER_STOPPED:
        explain_change(e, "it replicates, and applies what it fetches");
        break;
    case READER_FIT:
        explain_change(e, "more than %d s behind (ReaderMaxLagSeconds)", most);
        break;
    case READER_FLOOR: case READER_LATE:
        explain_change(e, "at most %d s behind, half of ReaderMaxLagSeconds (%d)", most / 2, most);
        explain_change(e, "fewer than %d others that are fit or nearer (ReaderFloor) keep it usable", stage->config->reader_floor);
        break;
    case CLUSTER_RULE_COUNT:
        break;
    }
}

void explain_cluster(const struct steering *st, const struct steer_stage *stage, int pool, int member, struct explanation *e)
{
    const struct cluster_pool *c = &st->clusters[pool];
    if (st->pools[pool].kind == POOL_WRITER)
        add_writer(e, c, stage, &st->pools[pool]);
    else
        add_sight(e, c, stage, &st->pools[pool], member);
    for (int i = 0; i < (int)c->cases[member]; i++) {
        if (cluster_rules[i].kind == cluster_rules[c->cases[member]].kind)
            explain_instead(e, cluster_rules[i].word, "%s", cluster_rules[i].not);
    }
    add_changes(e, c, stage, &st->pools[pool], member);
}
