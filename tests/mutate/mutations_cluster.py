"""Mutations of the pools of managed clusters (core/steer/cluster.c), seen by the simulator of the chair. Form and rules as in mutations.py."""
from mutations import Mutation

CLUSTER = 'core/steer/cluster.c'

CLUSTER_MUTATIONS = [
    # ---- writers ----
    Mutation('cluster-gap-only', 'an old writer that nobody sees is waited for as one that is seen closed', CLUSTER,
             'is_closed(c, config, c->revoked, now) ? cluster_gap(config) : cluster_bound(config)', 'cluster_gap(config)'),
    Mutation('cluster-always-sure', 'a new leader believes that whoever was first before is closed', CLUSTER,
             'is_sure = is_sure && (i == c->next || is_closed(c, config, i, now));', 'is_sure = is_sure || is_closed(c, config, i, now);'),
    Mutation('cluster-no-wait', 'the new writer is called first at once', CLUSTER,
             'if (found < 0 || !fc_reached(cluster_waits_until(c, stage->config, pool->count, stage->now), stage->now))', 'if (found < 0)'),
    Mutation('cluster-no-hard-stop', 'what a reload left is not waited for', CLUSTER,
             'return drifting(c, check_ms + (int64_t)c->hard_stop_seconds * 1000);', 'return drifting(c, check_ms / 4);'),
    Mutation('cluster-follower-speaks', 'who does not lead says of writers what it sees', CLUSTER,
             'if (!steer_may_act(stage))\n        return WRITER_NOT_LEADING;\n    if (!c->is_started)\n        return WRITER_STARTING;', ''),
    Mutation('cluster-tie-decided', 'of several writable masters with as many replicas the first is taken', CLUSTER,
             'return is_tied ? -1 : best;', 'return is_tied ? best : best;'),
    Mutation('cluster-follows-replicas', 'who sits is left for another master that more replicate from', CLUSTER,
             'if (is_open_master(c, stage, c->seated))\n        return true;', 'if (is_open_master(c, stage, c->seated))\n        return found < 0 || found == c->seated;'),
    Mutation('cluster-own-sight', 'who sits is left as soon as the leader does not see it', CLUSTER,
             'return found < 0 || (c->sights[found].replica_count == 0 && !is_lost_for_long);', '(void)is_lost_for_long;\n    return false;'),
    Mutation('cluster-closed-stays', 'a writer that was closed goes on to be called first', CLUSTER,
             'if (s->is_seen && (s->is_read_only || s->is_below))\n        return false;', ''),
    Mutation('cluster-never-left', 'a writer that is out of sight is never left', CLUSTER,
             'return found < 0 || (c->sights[found].replica_count == 0 && !is_lost_for_long);', '(void)is_lost_for_long;\n    return true;'),
    Mutation('cluster-starts-at-once', 'a new leader speaks before it has looked at every server', CLUSTER,
             'c->is_started = c->is_started || looked == count ||', 'c->is_started = true || looked == count ||'),
    # ---- readers ----
    Mutation('reader-follower-speaks', 'who does not lead says of readers what it sees', CLUSTER,
             'if (!steer_may_act(stage))\n        return READER_NOT_LEADING;', ''),
    Mutation('reader-no-floor', 'ReaderFloor keeps nobody', CLUSTER,
             'fit < stage->config->reader_floor && kept >= 0; fit++', 'fit < 0 && kept >= 0; fit++'),
    Mutation('reader-never-late', 'nobody is too far behind', CLUSTER,
             'return is_late(c, stage, member) ? READER_LATE : READER_FIT;', 'return is_late(c, stage, member) ? READER_FIT : READER_FIT;'),
    Mutation('reader-unseen-reads', 'who does not answer reads on', CLUSTER,
             'if (!cluster_sees(c, stage->config, member, stage->now))\n        return READER_UNSEEN;', ''),
    Mutation('reader-stopped-reads', 'who applies nothing reads on', CLUSTER,
             'if (!s->is_applying)\n        return READER_STOPPED;', ''),
    Mutation('reader-swings', 'who was late is let in as soon as it is near the limit, or never again', CLUSTER,
             'lag > (c->is_out[member] ? most / 2 : most);', 'lag > (c->is_out[member] ? -1 : most);'),
]
