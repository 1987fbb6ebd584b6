/* What the sources of this room share, and nobody else. */
#ifndef FC_WATCH_INSIDE_H
#define FC_WATCH_INSIDE_H

#include "watch/watch.h"

struct watch_place {
    bool is_seed;                     /* kept although it was never seen */
    bool is_tried_only;               /* here for nothing but to be tried as another server's own name */
    bool is_in_line, is_changed;      /* its row is to be told */
    bool is_name_awaited, is_alarmed, was_looked_at;
    member_id candidate_of;           /* is that server called so? MEMBER_NONE: nobody asks */
    name_id tried;                    /* the own name that did not lead to it */
    struct fc_time tried_until;
    struct fc_time named_at;          /* somebody named it last */
    member_id told_head;              /* with its row */
    uint32_t told_depth, told_ring;
};

struct watch_step { member_id id; name_id host; uint16_t port; struct fc_time at; };

struct watch_place *watch_place_of(struct watch *watch, member_id id);
bool watch_make_places(struct watch *watch);
void watch_mark(struct watch *watch, member_id id, bool is_changed);
void watch_note(struct watch *watch, enum watch_note level, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Known from now on, and in the calendar. */
enum fc_code watch_know(struct watch *watch, const struct instance_key *key, struct fc_time now, member_id *ret, struct fc_err *err);
enum fc_code watch_drop(struct watch *watch, member_id id, struct fc_err *err);
void watch_urge_around(struct watch *watch, member_id id);
bool watch_fits(const struct watch *watch, enum watch_filter filter, const struct instance_key *key);
bool line_push(struct watch_line *line, struct room *room, struct watch_step step);
bool line_reserve(struct watch_line *line, struct room *room);
bool line_pop(struct watch_line *line, struct watch_step *ret);

/* watch_names.c */
/* The master's key as this observation means it; NULL: it names none. `to` holds it. */
const struct instance_key *watch_master_of(struct watch *watch, const struct instance_seen *seen, struct instance_key *to);
/* A good look at it is in the picture: what it calls itself is tried, or was being tried here. */
void watch_own_name(struct watch *watch, member_id id, struct fc_time now);
/* A look at it was lost: a name that was only tried is given up. True: it is known no more. */
bool watch_name_failed(struct watch *watch, member_id id, struct fc_time now);

#endif
