/* A foreign orchestrator on the same store, by its row of `active_node`: whoever leads here stands down before one that is alive.
 * spec/steering.md 4.2: this is all that active_node is ever read for. */
#ifndef FC_BACKENDS_FOREIGN_H
#define FC_BACKENDS_FOREIGN_H

#include "base/text.h"
#include "model/look.h"

#define FOREIGN_FRESH_MS 6000        /* orchestrator's own lease is 5 s, strictly */

struct foreign_owner {
    char name[NODE_NAME_SIZE], stamp[32];
    struct fc_time changed_at;       /* FC_EVER: never seen to change */
};

static inline void foreign_saw(struct foreign_owner *foreign, const struct server_look *look, struct fc_time sent_at)
{
    if (text_is(foreign->name, look->foreign_owner) && text_is(foreign->stamp, look->foreign_stamp))
        return;
    foreign->changed_at = foreign->stamp[0] != '\0' ? sent_at : FC_EVER;       /* fresh only once seen to change */
    TEXT_SET(foreign->name, look->foreign_owner);
    TEXT_SET(foreign->stamp, look->foreign_stamp);
}

static inline bool foreign_is_alive(const struct foreign_owner *foreign, struct fc_time now)
{
    return foreign->name[0] != '\0' && !fc_is_ever(foreign->changed_at) &&
           fc_since(foreign->changed_at, now).us < fc_ms(FOREIGN_FRESH_MS).us;
}

#endif
