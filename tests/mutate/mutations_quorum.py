"""Mutations of how nodes agree (backends/quorum), seen by the simulator of that (tests/quorumsim). Form and rules as in mutations.py."""
from mutations import Mutation

PROMISE, LEASE, IO = 'backends/quorum/promise.c', 'backends/quorum/consensus_lease.c', 'backends/quorum/consensus_io.c'
PEERS, YIELD, LOG = 'backends/quorum/consensus_peers.c', 'backends/quorum/consensus_yield.c', 'backends/quorum/consensus_log.c'
STATE, BIRTH, CONSENSUS = 'backends/quorum/shared_state.c', 'backends/quorum/birth.c', 'backends/quorum/consensus.c'

QUORUM_MUTATIONS = [
    # ---- the lease: promise.h ----
    Mutation('quorum-margin', 'a leader acts for the whole lease, without the drift margin', PROMISE,
             'lease.us / 100 * (100 - drift_percent)', 'lease.us / 100 * (100 - 0 * drift_percent)'),
    Mutation('quorum-lease-from-answer', 'the lease runs from when the promise came, not from when it was asked for', PEERS,
             'fc_later(c->confirmed[member], (struct fc_time){ (int64_t)pong->number });', 'c->now;'),
    Mutation('quorum-minority', 'half of the nodes is enough for a lease', PROMISE,
             'const int majority = voters / 2 + 1;', 'const int majority = (voters + 1) / 2 - (voters > 1);'),
    Mutation('quorum-promise-at-start', 'a process begins without the promise to nobody', PROMISE,
             '.until = fc_plus(now, lease) };', '.until = fc_plus(now, (struct fc_span){ 0 * lease.us }) };'),
    Mutation('quorum-promise-to-an-older', 'who knows a later term still promises to the leader of an older one', PROMISE,
             'if (own_term > term || promise->term > term || (promise->term', 'if (false && (promise->term'),
    Mutation('quorum-votes-given', 'a vote is given while the promise lasts', IO,
             'if (message->type == RAFT_IO_REQUEST_VOTE && !lets_vote(c)) {', 'if (false) {'),
    Mutation('quorum-votes-asked', 'a vote is asked for while the promise lasts', IO,
             '(is_needed || !lets_go_first) && lets_vote(c);', '(is_needed || !lets_go_first);'),
    Mutation('quorum-refusal-confirms', 'an answer that promises nothing confirms', PEERS,
             'const bool is_promised = bytes_get_number(&in, 1) == 1;', 'const bool is_promised = bytes_get_number(&in, 1) <= 1;'),
    Mutation('quorum-barrier', 'a leader acts before it has applied what was decided before', LEASE,
             'if (c->led_term == 0 || !c->is_ready || c->yielding != 0)', 'if (c->led_term == 0 || c->yielding != 0)'),
    Mutation('quorum-barrier-of-an-older-term', 'the barrier of an earlier term counts', LEASE,
             'c->is_ready = c->is_handing_over = false;', 'c->is_handing_over = false;'),

    # ---- giving leadership away ----
    Mutation('quorum-yield-acts-on', 'who gives leadership away goes on acting', LEASE,
             'if (c->led_term == 0 || !c->is_ready || c->yielding != 0)', 'if (c->led_term == 0 || !c->is_ready)'),
    Mutation('quorum-release-overtakes', 'a release that was sent before the last ping ends the promise', PROMISE,
             ' || number < promise->asked)', ')'),
    Mutation('quorum-release-of-any', 'any leader releases a promise', PROMISE,
             'if (promise->leader != leader || promise->term != term || number < promise->asked)', 'if (number < 1)'),
    # ---- what is applied ----
    Mutation('quorum-applied-twice', 'an entry that came twice is applied twice', STATE,
             'if (is_repeated(issuer, entry.number)) {', 'if (is_repeated(issuer, entry.number) && false) {'),
    Mutation('quorum-answer-to-another', 'an entry of another process with this number ends the own one', LOG,
             'if (text_is(heard.entry.issuer, c->settings->node))', 'if (true)'),
    Mutation('quorum-given-up-silently', 'an entry that nobody confirmed is waited for for ever', LOG,
             'if (fc_reached(p->deadline, c->now)) {', 'if (false) {'),

    # ---- disks and directories ----
    Mutation('quorum-mark-ignored', 'a node whose directory was lost takes part', PEERS,
             'if (standing == STANDING_OTHER || !text_is(known, c->birth.mark)) {', 'if (false) {'),
    Mutation('quorum-mark-not-kept', 'a mark is known until the end of the process only', BIRTH,
             'const enum fc_code code = b->files->write(b, "peers", text, err);', 'const enum fc_code code = FC_OK;'),
    Mutation('quorum-marks-too-few', 'one node that knows the mark is enough', BIRTH,
             'voters == 1 ? 0 : voters - voters / 2;', 'voters == 1 ? 0 : 1;'),
    Mutation('quorum-short-log-votes', 'a node that lost what it had confirmed votes', IO,
             'c->is_short = voters(c) > 1 && last < held_of(c);', 'c->is_short = voters(c) > 1 && false;'),
    Mutation('quorum-disk-told', 'raft is told of an entry that was not written', IO,
             'if (status == 0 && !c->is_disk_lost) {\n        free(a);\n        request->cb(request, 0);',
             'if (true) {\n        free(a);\n        request->cb(request, status);'),
    Mutation('quorum-disk-lost-goes-on', 'a node whose disk did not take an entry goes on', IO,
             'c->is_disk_lost = true;\n        TEXT_SET', 'TEXT_SET'),
    Mutation('quorum-pre-vote-term', 'who refuses a pre-vote of an older term keeps the later one to itself', IO,
             'message->request_vote_result.term < c->raft.current_term)', 'message->request_vote_result.term == 0)'),
    Mutation('quorum-held-edge', 'entries that begin where the log begins are refused for ever', IO,
             'message->prev_log_index > log->offset ||', 'message->prev_log_index >= log->offset ||'),
    Mutation('quorum-agrees-with-all', 'what stands behind the entries that a leader sent is confirmed to it', IO,
             'if (result->last_log_index > agreed)', 'if (false && agreed > 0)'),
    Mutation('quorum-own-disk-unmarked', 'a leader marks only orders as confirmed by its own disk', IO,
             'if (c->led_term != 0)\n            consensus_hold_stored(c);', 'if (false)\n            consensus_hold_stored(c);'),
    Mutation('quorum-held-entries', 'entries that a snapshot holds are added again at the end of the log', IO,
             'leave_out_what_is_held(&c->raft.log, come);', '(void)leave_out_what_is_held;'),
]

# What the simulator does not see: the first is bound by time alone; of the second no seed was unlucky enough, because the library commits
# by what is sent to it in most turns; the third only lets every yield fail. Run by name only.
QUORUM_NOT_SEEN_YET = [
    Mutation('quorum-old-term-confirms', 'a promise to an earlier term of this leader confirms the present one', LEASE,
             'c->confirmed[i] = c->asked_at[i] = c->pongs[i].heard_at = FC_EVER;',
             'c->asked_at[i] = c->pongs[i].heard_at = FC_EVER;'),
    Mutation('quorum-decided-beyond', 'what stands behind the entries that a leader sent is taken as decided', IO,
             'if (come->leader_commit > end)', 'if (false && end > 0)'),
    Mutation('quorum-release-ignored', 'a promise is never released', PROMISE,
             'promise->until = now;\n    return true;', '(void)now;\n    return true;'),
]
