/* How the disk does, and what follows when it does not.
 *
 * Raft does not survive a failed write (consensus_io.c), so it is closed. Where the world can say whether there is room again, raft then
 * begins anew from what is on the disk, as after a kill; else the node stays out until somebody starts it. A disk that is far too slow
 * fails nothing: it is said. But what a leader decides it applies only when its own disk has it, so all would wait for that disk: a leader
 * on a slow disk renews its lease no more, and when that is over, so that it has certainly stopped acting, hands over. */
#include "backends/quorum/consensus_inside.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

#define PATIENCE_MS 2000             /* the log waits for so long: it is said */
#define AGAIN_MS 1000                /* between two tries to begin anew */
#define HAND_OVER_AGAIN_MS 10000     /* when nobody took over; and for so long it does not stand afterwards */

void consensus_append_asked(struct consensus *c)
{
    c->appends_out++;
    if (fc_is_ever(c->disk.waits_since))
        c->disk.waits_since = c->now;
}

void consensus_append_done(struct consensus *c, struct fc_time asked_at, int status)
{
    struct quorum_disk_view *disk = &c->disk;
    c->appends_out--;
    if (status != 0) {
        disk->failures++;
        return;
    }
    disk->appends++;
    disk->last = fc_since(asked_at, c->now);
    disk->total.us += disk->last.us;
    disk->waits_since = c->appends_out == 0 ? FC_EVER : c->now;
}

void consensus_stop_for_disk(struct consensus *c)
{
    const char *what_now = c->world.has_room == NULL ? "mend that, then start this node again"
                                                     : "it takes no part until there is room, and then begins from what is on the disk";
    TEXT_FORMAT(c->disk_why, "its disk failed (%s); %s", c->disk_error, what_now);
    if (c->world.has_room == NULL)
        consensus_go_out(c, c->disk_why);
    else
        consensus_say(c, "raft: %s", c->disk_why);
    c->waits_for_disk = c->world.has_room != NULL;
    c->disk_again = fc_plus(c->now, fc_ms(AGAIN_MS));
}

static void begin_anew(struct consensus *c)
{
    c->disk_again = fc_plus(c->now, fc_ms(AGAIN_MS));
    if (!c->world.has_room(c->world.owner))
        return;
    if (c->world.close_io != NULL)
        c->world.close_io(c->world.owner);
    c->waits_for_disk = c->is_disk_lost = c->is_raft_closing = c->disk.is_slow = false;
    c->disk.waits_since = FC_EVER;
    consensus_forget(c);
    consensus_say(c, "raft: it begins again from what is on its disk");
    consensus_start_raft(c);
}

static void hand_over_for_disk(struct consensus *c)
{
    if (c->led_term == 0 || voters(c) == 1 || c->yielding != 0 || c->is_transferring)
        return;
    if (!c->is_handing_over && c->disk.is_slow && fc_reached(c->hand_over_again, c->now)) {
        c->acts_until = consensus_may_act_until(c);
        c->is_handing_over = true;
        c->hand_over_again = fc_plus(c->now, fc_ms(HAND_OVER_AGAIN_MS));
        consensus_say(c, "raft: this node leads no more, because of its disk");
    }
    if (c->is_handing_over && fc_reached(c->acts_until, c->now))
        consensus_yield(c, HAND_OVER_NUMBER, -1, HAND_OVER_AGAIN_MS);
}

void consensus_look_at_disk(struct consensus *c)
{
    struct quorum_disk_view *disk = &c->disk;
    const bool waits = !fc_is_ever(disk->waits_since);
    if (c->waits_for_disk && !c->has_raft && fc_reached(c->disk_again, c->now))
        begin_anew(c);
    if (!c->is_running || c->is_disk_lost)
        return;
    if (!disk->is_slow && waits && fc_since(disk->waits_since, c->now).us > fc_ms(PATIENCE_MS).us) {
        disk->is_slow = true;
        TEXT_FORMAT(c->disk_why, "its disk does not take the log: nothing for more than %d s after entry %" PRIu64 "; it is far too slow",
                    PATIENCE_MS / 1000, (uint64_t)c->raft.last_stored);
        consensus_say(c, "raft: %s", c->disk_why);
    } else if (disk->is_slow && !waits) {
        disk->is_slow = false;
        consensus_say(c, "raft: its disk takes the log again");
    }
    hand_over_for_disk(c);
}

void consensus_show_disk(struct consensus *c, struct quorum_view *view)
{
    view->disk = c->disk;
    view->disk.held_index = c->world.held == NULL ? 0 : c->world.held(c->world.owner);
    if (view->why[0] == '\0' && (c->disk.is_slow || c->waits_for_disk))
        TEXT_SET(view->why, c->disk_why);
}
