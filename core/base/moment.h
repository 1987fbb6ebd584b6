/* Moments and spans, wrapped so that two moments cannot be added. Microseconds, signed, of CLOCK_BOOTTIME: it goes on
 * while the machine sleeps (the monotonic clock does not, spec/steering.md 1 "term"). The core never reads a clock:
 * a moment comes with the event. */
#ifndef FC_BASE_MOMENT_H
#define FC_BASE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

struct fc_time { int64_t us; };
struct fc_span { int64_t us; };

#define FC_NEVER ((struct fc_time){ INT64_MAX })   /* later than everything */
#define FC_EVER  ((struct fc_time){ INT64_MIN })   /* earlier than everything: "not yet seen" */

static inline struct fc_span fc_ms(int64_t ms) { return (struct fc_span){ ms * 1000 }; }
static inline int64_t fc_span_ms(struct fc_span span) { return span.us / 1000; }

static inline bool fc_is_never(struct fc_time t) { return t.us == INT64_MAX; }
static inline bool fc_is_ever(struct fc_time t) { return t.us == INT64_MIN; }

/* Saturates: FC_NEVER and FC_EVER stay what they are. */
static inline struct fc_time fc_plus(struct fc_time t, struct fc_span span)
{
    int64_t sum;
    if (fc_is_never(t) || fc_is_ever(t))
        return t;
    if (__builtin_add_overflow(t.us, span.us, &sum))
        sum = span.us > 0 ? INT64_MAX : INT64_MIN;
    return (struct fc_time){ sum };
}

/* Saturates as well, so that the age of something never seen is longer than any limit. */
static inline struct fc_span fc_since(struct fc_time then, struct fc_time now)
{
    int64_t difference;
    if (__builtin_sub_overflow(now.us, then.us, &difference))
        difference = now.us > then.us ? INT64_MAX : INT64_MIN;
    return (struct fc_span){ difference };
}

static inline bool fc_before(struct fc_time a, struct fc_time b) { return a.us < b.us; }
static inline bool fc_reached(struct fc_time when, struct fc_time now) { return now.us >= when.us; }
static inline struct fc_time fc_earlier(struct fc_time a, struct fc_time b) { return a.us < b.us ? a : b; }
static inline struct fc_time fc_later(struct fc_time a, struct fc_time b) { return a.us > b.us ? a : b; }

#endif
