/* The first chair's findings. Columns mean the same in all rows: see struct seat_facts. */
#include "judge/seat.h"


const struct seat_rule seat_rules[] = {
    /* finding            looked moving named seen gone asked elsewhere shared open other_open */
    { SEAT_NOT_LOOKED,    NO,    ANY,   ANY,  ANY, ANY, ANY,  ANY,      ANY,   ANY, ANY, "not-looked",
      "not every server has answered or failed since the start" },
    { SEAT_HALF_MOVED,    YES,   YES,   ANY,  ANY, ANY, ANY,  ANY,      ANY,   ANY, ANY, "half-moved",
      "an intent was found that nobody is carrying out" },
    { SEAT_EMPTY,         YES,   NO,    NO,   ANY, ANY, ANY,  ANY,      ANY,   ANY, ANY, "empty", "nobody sits yet" },
    { SEAT_GONE,          YES,   NO,    YES,  NO,  YES, ANY,  ANY,      ANY,   ANY, ANY, "gone",
      "its sessions ended, it refuses connections, and all who can look or hear it agree" },
    { SEAT_OUT_OF_SIGHT,  YES,   NO,    YES,  NO,  ANY, NO,   YES,      YES,   ANY, ANY, "out-of-sight",
      "it stopped answering, and the lease could no longer be renewed there" },
    { SEAT_CONTESTED,     YES,   NO,    YES,  NO,  ANY, NO,   YES,      NO,    ANY, ANY, "contested",
      "this node has lost it, and too few of the others have (FailureDetectionQuorum)" },
    { SEAT_DOUBTFUL,      YES,   NO,    YES,  NO,  ANY, ANY,  ANY,      ANY,   ANY, ANY, "doubtful",
      "this node has lost it, others may still see it" },
    { SEAT_ELSEWHERE,     YES,   NO,    YES,  YES, ANY, ANY,  ANY,      ANY,   NO,  YES, "elsewhere",
      "it is read_only while one other server is open: somebody switched by hand" },
    { SEAT_CLOSED,        YES,   NO,    YES,  YES, ANY, ANY,  ANY,      ANY,   NO,  ANY, "closed",
      "it is read_only: it has restarted, or its opening was cut off" },
    { SEAT_STRAY,         YES,   NO,    YES,  YES, ANY, ANY,  ANY,      ANY,   YES, YES, "stray",
      "another server is writable beside it" },
    { SEAT_WELL,          ANY,   ANY,   ANY,  ANY, ANY, ANY,  ANY,      ANY,   ANY, ANY, "well", "it sits and is open" },
};
const size_t seat_rule_count = sizeof seat_rules / sizeof seat_rules[0];

static enum fact fact_of(bool is_true)
{
    return is_true ? YES : NO;
}

struct seat_facts seat_facts_count(const struct servers *servers, const struct decision *row, int lease_place, struct fc_time now)
{
    struct seat_facts f = { .other_open_at = -1 };
    int others_open = 0;
    f.seated = servers_named(servers, row->rank.server);
    for (int i = 0; i < servers->count; i++) {
        const struct server_state *s = &servers->list[i];
        if (i == f.seated)
            continue;
        if (s->is_reachable && !s->look.is_read_only) {
            others_open++;
            f.other_open_at = i;
        }
    }
    if (others_open != 1)
        f.other_open_at = -1;
    const struct server_state *seat = f.seated < 0 ? NULL : &servers->list[f.seated];
    f.looked = fact_of(servers_have_all_answered(servers));
    f.moving = fact_of(row->phase == PHASE_MOVING);
    f.named = fact_of(row->rank.server[0] != '\0');
    f.seen = fact_of(seat != NULL && seat->is_reachable);
    const enum gone gone = seat == NULL ? GONE_NOT : servers_gone(servers, f.seated);
    f.gone = fact_of(gone == GONE_AGREED);
    f.asked = fact_of(gone == GONE_ASKED);
    f.elsewhere = fact_of(lease_place >= 0 && lease_place != f.seated);
    const struct accord accord = seat == NULL ? (struct accord){ .verdict = ACCORD_REACHED } : servers_accord(servers, f.seated, now);
    f.shared = fact_of(accord_permits(&accord));
    f.open = fact_of(seat != NULL && seat->is_reachable && !seat->look.is_read_only);
    f.other_open = fact_of(others_open > 0);
    return f;
}

static bool fits(enum fact wanted, enum fact is)
{
    return wanted == ANY || wanted == is;
}

const struct seat_rule *seat_judge(const struct seat_facts *f)
{
    const struct seat_rule *rule = seat_rules;
    for (; rule < seat_rules + seat_rule_count - 1; rule++) {
        if (fits(rule->looked, f->looked) && fits(rule->moving, f->moving) && fits(rule->named, f->named) &&
            fits(rule->seen, f->seen) && fits(rule->gone, f->gone) && fits(rule->asked, f->asked) &&
            fits(rule->elsewhere, f->elsewhere) && fits(rule->shared, f->shared) && fits(rule->open, f->open) && fits(rule->other_open, f->other_open))
            break;
    }
    return rule;
}
