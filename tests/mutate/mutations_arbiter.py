"""Mutations of the arbiter `quorum` (the chair in raft's log, and by what it is spoken for), seen by the simulator of the chair (tests/sim
with `--arbiter quorum`). Form and rules as in mutations.py."""
from mutations import Mutation

CHAIR, LEAD, VOICE = 'backends/quorum/quorum_chair.c', 'backends/quorum/quorum_lead.c', 'backends/quorum/consensus_lease.c'
STATE, YIELDS, PEERS = 'backends/quorum/shared_state.c', 'backends/quorum/consensus_yield.c', 'backends/quorum/consensus_peers.c'
CORE = 'core/core.c'

ARBITER_MUTATIONS = [
    # ---- the voice: for how long a node speaks of a chair ----
    Mutation('voice-any-chair', 'a voter speaks on although the ping names another chair than its own', VOICE,
             'voice.epoch != c->state.chair.rank.epoch || voice.seq != c->state.chair.rank.seq)', 'voice.epoch + voice.seq == 0)'),
    Mutation('voice-from-arrival', 'a term counts from when the ping came, not from the moment that it gives back', VOICE,
             'c->voiced_at = fc_later(c->voiced_at, at);', 'c->voiced_at = c->now;'),
    Mutation('voice-of-who-may-not-act', 'a leader whose lease is over goes on to name the chair in its pings', VOICE,
             'if (!fc_before(c->now, consensus_may_act_until(c)))\n        return;\n    const struct pong',
             'const struct pong'),
    Mutation('voice-of-its-own', 'a leader speaks of the chair whether or not a majority has confirmed it', VOICE,
             'if (fc_before(c->now, consensus_may_act_until(c)))\n        c->voiced_at = fc_later(c->voiced_at, confirmed_for(c, fc_ms(0), 0));',
             'if (c->led_term != 0)\n        c->voiced_at = c->now;'),
    Mutation('voice-from-now', 'a term counts from when it is looked at', CHAIR,
             'return fc_plus(q->lead.view.voiced_at, fc_ms(q->own.term_ms));', 'return fc_plus(now_of(q), fc_ms(q->own.term_ms));'),

    # ---- who leads ----
    Mutation('arbiter-leads-without-row', 'whom raft elects leads before a row of its own is in the log', CHAIR,
             '.is_fit = holds(q) && !has_foreign', '.is_fit = is_elected && !has_foreign'),
    Mutation('arbiter-same-epoch', 'a new leadership goes on in the epoch of the one before', CHAIR,
             'row.rank.epoch = next_epoch(q, row.rank.epoch);\n    row.rank.seq = 0;\n    TEXT_SET(row.rank.node', 'row.rank.seq++;\n    TEXT_SET(row.rank.node'),
    Mutation('arbiter-until-ignored', 'a leader goes on when its lease is over', LEAD,
             '!q->is_yielding && !fc_reached(q->view.until, now);', '!q->is_yielding && (now.us > 0);'),

    # ---- what is decided ----
    Mutation('arbiter-seat-in-log-is-enough', 'a server is opened before its own table has the row that seats it', CHAIR,
             'q->command = SEAT_ON_SERVER;                       /* waits for a row that is on its way */', 'end_command(q, FC_OK, "");'),
    Mutation('arbiter-judged-by-the-pump', 'whether an entry stands is judged by what was heard, not by the log', CHAIR,
             'q->decided = heard->entry.row;\n            if (heard->number != 0 && heard->number == q->proposing)\n'
             '                entry_ended(q, heard->stands);',
             '(void)heard;\n            const bool stands = shared_chair_apply(&q->decided, &heard->entry);\n'
             '            if (heard->number != 0 && heard->number == q->proposing)\n                entry_ended(q, stands);'),
    Mutation('arbiter-older-row-seats', 'an older row that was on its way to the server ends a seat', CHAIR,
             'q->writing_to == q->wanted.as.seat.to &&\n                         rank_compare(&q->written.rank, &q->decided.rank) == 0;',
             'q->writing_to == q->wanted.as.seat.to;'),
    Mutation('arbiter-state-not-taken', 'a state that is handed over as a whole changes nothing', CHAIR,
             'q->decided = heard->state->chair;', ''),
    Mutation('arbiter-waits-for-ever', 'an entry that nobody confirms is waited for for ever', CHAIR,
             'q->proposing = 0;\n            q->is_taking = false;\n            end_command(q, heard->code, heard->text);', '(void)heard;'),
    Mutation('arbiter-table-left-behind', 'a row that a server has lost is not written there again', CHAIR,
             'if (behind >= 0 && place_of(q) >= 0', 'if (false && behind >= 0 && place_of(q) >= 0'),
    Mutation('arbiter-fence-leaves-nothing', 'a fence leaves nothing behind: who led before may open the server late', CHAIR,
             'return holds(q) ? &q->decided : NULL;', 'return q == NULL ? &q->decided : NULL;'),

    # ---- what has a second defence (the log takes a decision only over the rank that it names; a server opens only by its own row; the core
    #      asks for its lease itself): seen by what the judge asks of each decision, of each term and of each leadership ----
    Mutation('voice-for-another-chair', 'a moment at which another chair was confirmed counts for the one that is known here', CHAIR,
             'if (rank_compare(&q->lead.view.voiced, &q->decided.rank) != 0)\n        return FC_EVER;', ''),
    Mutation('arbiter-row-of-another-term', 'a row of its own from an earlier leadership is enough', CHAIR,
             'q->held_term == q->lead.view.term && is_own', 'is_own'),
    Mutation('arbiter-blind', 'who sees no server of the pair leads', CHAIR,
             'if (!all_have_answered(q) || first_in_sight(q) < 0)', 'if (false)'),
    Mutation('arbiter-foreign-ignored', 'a fresh foreign owner of active_node is not stood down before', CHAIR,
             'if (q->servers[i].is_reachable && foreign_is_alive(', 'if (false && foreign_is_alive('),
    Mutation('arbiter-yield-acts-on', 'who gives leadership away goes on deciding', LEAD,
             'is_leader(q) && q->view.is_ready && !q->is_yielding &&', 'is_leader(q) && q->view.is_ready &&'),
    Mutation('arbiter-both-stand', 'of two decisions over the same row both stand', STATE,
             'if (rank_compare(&chair->rank, &entry->old) == 0 && rank_compare', 'if (rank_compare'),
    Mutation('arbiter-refused-seat', 'a seat that a higher row on the server refuses is taken for done', CHAIR,
             'end_command(q, FC_REFUSED, "the server\'s table has a higher row");', 'end_command(q, FC_OK, "");'),
    Mutation('arbiter-loser-goes-on', 'who decided second goes on as if its entry stood', CHAIR,
             'end_command(q, FC_REFUSED, "somebody else decided first");', 'end_command(q, FC_OK, "");'),
    Mutation('arbiter-place-at-once', 'a leader moves the chair as soon as it alone has lost the server that sits', CHAIR,
             'fc_since(s->lost_at, now_of(q)).us < q->own.watch.us)', 'fc_since(s->lost_at, now_of(q)).us < 0)'),
    Mutation('arbiter-unseen-at-once', 'a leader that has never seen the server that sits moves the chair at once', CHAIR,
             "return known >= 0 || q->decided.rank.server[0] == '\\0' || unseen_count != 1 ? known : unseen;",
             'return unseen + unseen_count < -9 ? unseen : known;'),

    Mutation('arbiter-rank-tried', 'an intent takes the rank of one that was given up and may come all the same', CHAIR,
             'row.rank.seq = next_seq(q);', 'row.rank.seq += next_seq(q) > 0;'),

    # ---- a witness: it votes, says what it was told, and leads no longer than it must ----
    Mutation('witness-keeps-leading', 'a witness that is elected keeps the leadership', YIELDS,
             'if (!c->settings->is_witness || c->led_term == 0 ||', 'if (c != NULL || c->led_term == 0 ||'),
    Mutation('witness-words-stay', 'what a witness was told of a chair counts for the next one', VOICE,
             'if (!decision_is_same_seat(before, &c->state.chair))\n        c->words.is_known = false;', '(void)c, (void)before;'),
    Mutation('witness-looks', 'a witness looks at servers like any node', CORE,
             'core->servers.looks_at_none = config_is_witness(config);', 'core->servers.looks_at_none = false;'),
    Mutation('witness-begs-nobody', 'a witness that leads does not say that somebody is needed', VOICE,
             'if (kind == FRAME_RELEASE && c->settings->is_witness)', 'if (kind == FRAME_RELEASE && c->led_term == 0)'),
]
