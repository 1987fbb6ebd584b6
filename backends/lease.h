/* Leadership and chair by the deciding row: the source of LEASE_GRANTED, LEASE_DENIED, STORE_SILENT and, for a pair,
 * of CHAIR_GRANTED and CHAIR_REVOKED (the arbiter `local`). spec/steering.md 4 and 5.
 *
 * A state machine without I/O: it is told what the looks saw and how its writes ended, and it asks for writes, looks and
 * wake-ups through the port. The daemon and the simulator link this same object.
 *
 * The rules, in one place:
 *  - a holder renews on the server where its lease lies (`place`), as a maximum; its own term runs from before the renewal
 *    was sent, and ends a drift margin before anybody else may take over;
 *  - a contender takes over only after every server that it can see has shown the same turn (epoch, seq), unchanged, for
 *    the whole lease plus margin on its own clock, or at once when nobody leads; it writes where the stored turn is still
 *    the one it watched, so of two contenders one wins. It has watched from the return of the first look that showed the
 *    turn, for that look may have taken long and the turn be written meanwhile, to the sending of the last one;
 *  - everything that raises the epoch is such a guarded write; a late one changes nothing. */
#ifndef FC_BACKENDS_LEASE_H
#define FC_BACKENDS_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/foreign.h"
#include "backends/leader_source.h"
#include "backends/store.h"
#include "core/event.h"

struct lease_settings {
    char node[NODE_NAME_SIZE];       /* "NAME~MARK": the mark is new at each process start */
    int lease_ms, renew_ms, drift_percent, term_ms;
    int probe_timeout_ms;            /* bound of one write */
    int server_count;
    bool has_chair;                  /* a pair: the row also says who sits */
};

struct lease_port {
    void *host;
    void (*ask)(void *host, const struct store_request *request);     /* STORE_RENEW or STORE_TAKE */
    void (*say)(void *host, const struct event *event);               /* `at` and `unix_ms` are filled by the host */
    void (*look)(void *host, int server);                             /* soon, please */
    void (*wake)(void *host, struct fc_time at);                      /* lease_woken then; replaces the earlier moment */
};

struct lease_server {
    bool is_reachable, has_row, is_read_only;
    bool is_behind;                  /* it fetches from its master, and has not applied all of it: its row is not the newest */
    bool has_answered;               /* seen or lost at least once since the start */
    char identity[IDENTITY_SIZE];
    struct decision row;             /* as last read */
    struct fc_time sent_at;          /* of the last good look */
    struct fc_time seen_since;       /* when the look that brought it into sight came back; it has been in sight since then */
    struct fc_time changed_at;       /* when the first look that showed this turn came back: it was written before that */
    struct foreign_owner foreign;
};

enum lease_command { LEASE_NO_COMMAND = 0, LEASE_INTEND_HERE, LEASE_INTEND_AWAIT, LEASE_INTEND_THERE, LEASE_SEAT, LEASE_GIVE_BACK };

struct lease {
    struct lease_settings settings;
    struct lease_port port;
    struct lease_server servers[STORE_SERVERS_MAX];
    struct decision best;            /* the highest row ever known to this process */
    struct fc_time best_at;          /* when it last rose: sent_at of that look, from which this node may speak of it */
    struct fc_time best_heard_at;    /* and when that came back, from which a contender watches */
    struct fc_time started_at;

    bool stands;                     /* may contend */
    struct fc_time paused_until;     /* after giving back */
    bool holds;
    bool is_silent;                  /* STORE_SILENT was said for this term */
    int place;
    struct decision mine;            /* as last confirmed */
    struct rank tried;               /* the highest that was ever sent in the epoch of `mine`, heard of or not */
    uint64_t tried_epoch;            /* the highest epoch that was ever sent, heard of or not */
    struct fc_time confirmed_at;     /* sent_at of the last confirmed write */
    struct fc_time next_write_at;

    uint64_t next_id, writing;       /* id of the write under way; 0 = none */
    struct decision written;         /* what it wrote */
    int writing_server;
    bool is_writing_for_command, is_writing_guarded;
    struct fc_time writing_since;

    enum lease_command command;
    uint64_t deed_id;
    struct effect wanted;            /* the INTEND, SEAT or GIVE_BACK under way */
    struct rank intended;            /* turn that the other server must show */
    struct fc_time command_deadline, next_look_at;

    char said_leader[NODE_NAME_SIZE];/* of the last LEASE_DENIED */
    uint64_t said_epoch;
    struct decision said_chair;
    struct fc_time said_until;
    bool has_said_chair;
};

void lease_init(struct lease *lease, const struct lease_settings *settings, const struct lease_port *port, struct fc_time now);
void lease_retime(struct lease *lease, const struct lease_settings *settings);       /* a reload: time bounds only */

/* Facts. */
void lease_saw(struct lease *lease, int server, const struct server_look *look, struct fc_time sent_at, struct fc_time now);
void lease_lost(struct lease *lease, int server, struct fc_time now);
void lease_wrote(struct lease *lease, const struct store_result *result, struct fc_time now);
void lease_woken(struct lease *lease, struct fc_time now);

/* Orders of the core. */
void lease_stand(struct lease *lease, bool stands, struct fc_time now);
/* INTEND, SEAT, GIVE_BACK: ends with a DEED_ENDED through the port; one at a time, else FC_BUSY. */
void lease_command(struct lease *lease, const struct effect *effect, struct fc_time now);

/* The row that this holder has last confirmed: what a fence leaves on the server that it closes. NULL: it does not hold. */
const struct decision *lease_row(const struct lease *lease);

/* As the daemon knows any source of leadership. */
struct leader_source lease_as_source(struct lease *lease);

/* How long others watch before they take over: lease + margin. */
struct fc_span lease_watch_span(const struct lease_settings *settings);

#endif
