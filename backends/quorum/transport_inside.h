/* What the files of the transport share and nobody else sees.
 *
 * A line is one TCP connection from its first moment to its last, in one of two sides (we accepted, or we connect) and one of the
 * phases below. transport.c is raft's face, the listener and the counters; line.c the life of a line and its two verbs, hear (so
 * many bytes, never one more) and tell; accept.c and connect.c the handshake of either side; relay.c what flows when it is proven.
 *
 *   accepted:                          GREETING -> INTRODUCED -> PROVEN -> ENDED
 *   connecting: RESOLVING -> REACHING -> GREETED -> INTRODUCING -> PROVEN -> ENDED
 *
 * line_end is the one way out and may be called in any phase; the memory goes when the last handle has closed. */
#ifndef FC_BACKENDS_QUORUM_TRANSPORT_INSIDE_H
#define FC_BACKENDS_QUORUM_TRANSPORT_INSIDE_H

#include <netinet/in.h>
#include <uv.h>

#include "backends/quorum/handshake.h"
#include "backends/quorum/seal.h"
#include "backends/quorum/transport.h"

#define HEARD_MAX 64                     /* peers whose last word is remembered; the longest silent one goes first */
#define PLACE_SIZE 64                    /* "[v6]:port" */
#define ADDRESSES_MAX 4                  /* of one name that are tried in turn */

struct line;
typedef void line_step(struct line *line);

enum line_phase {
    LINE_RESOLVING,                      /* the peer's name is looked up */
    LINE_REACHING,                       /* TCP is under way */
    LINE_GREETING,                       /* accepted: our greeting goes out, the introduction is awaited */
    LINE_GREETED,                        /* connecting: the greeting is awaited */
    LINE_INTRODUCED,                     /* accepted: the answer to a proven introduction goes out */
    LINE_INTRODUCING,                    /* connecting: the introduction goes out, the welcome is awaited */
    LINE_PROVEN,
    LINE_ENDED
};

/* A name lookup in libuv's pool. It may outlive its line (a resolver takes its time) and even the transport; then `line` or
 * `transport` is NULL. */
struct lookup {
    uv_getaddrinfo_t request;
    struct transport *transport;
    struct line *line;
    raft_id id;
    struct lookup *next;
};

struct line {
    struct transport *transport;
    struct line *newer, *older;
    bool is_accepted;                    /* else we connect */
    enum line_phase phase;
    uint64_t born_ms;
    raft_id id;                          /* of the peer: whom we connect to, or who proved itself; 0 = not known yet */
    uint64_t incarnation;                /* of a peer that we accepted */
    char name[NODE_NAME_SIZE];
    char place[PLACE_SIZE];              /* the other end, for sentences */
    struct in6_addr from;                /* the other end's address without its port, IPv4 mapped: to count by */

    int handles;                         /* open ones of the three below; the memory goes with the last */
    uv_timer_t timer;
    uv_tcp_t tcp;
    uv_pipe_t inner;                     /* our end of the pair whose other end is raft's */
    uv_write_t write;                    /* to the peer */

    uint8_t *hearing;                    /* line_hear: where to, how much in all and how much of it is there */
    size_t hearing_wanted, hearing_got;
    line_step *heard, *told;
    uint8_t bytes[HANDSHAKE_INTRODUCTION];       /* the message that is heard or told */
    struct handshake_transcript transcript;

    /* connecting */
    struct raft_uv_connect *request;     /* raft's; answered exactly once */
    int status;                          /* what it is answered with when this ends unproven */
    struct lookup *lookup;
    uv_connect_t reach;
    struct sockaddr_storage addresses[ADDRESSES_MAX];
    int address_count, address_index;
    int tries;                           /* of the present address that were given up */
    uint64_t asked_ms, address_limit_ms; /* uv_now when it was last asked; until when it may answer */
    uint64_t limit_ms;                   /* uv_now by which all is to be done */

    /* proven */
    struct seal seal_out, seal_in;
    uint8_t *records;                    /* memory of the next two, SEAL_RECORD_MAX bytes each */
    uint8_t *record_out, *record_in;
    size_t body_length;                  /* of record_in */
    uv_write_t pass_on;                  /* of record_in, to raft */
};

struct saying { uint64_t since_ms; unsigned said, left_out; };
struct heard_peer { raft_id id; uint64_t at_ms; };

struct transport {
    struct raft_uv_transport *face;
    struct uv_loop_s *loop;
    struct transport_config config;
    struct transport_counts *counts;
    uint64_t incarnation;
    struct line *newest;                 /* all lines, newest first */
    struct lookup *lookups;
    struct heard_peer heard[HEARD_MAX];
    struct saying sayings[TRANSPORT_COUNT_KINDS];

    raft_uv_accept_cb accept;
    raft_uv_transport_close_cb closed;
    bool is_closing;
    int handles;                         /* open ones of the two below */
    uv_tcp_t listener;
    uv_timer_t accept_pause;
    int accepted_lately;                 /* since the pause timer was started */
    bool has_waiting;                    /* a connection that is not accepted yet */
};

/* ---- transport.c ---- */
/* Counts, and says the sentence when not too much was said of this kind lately. */
void transport_note(struct transport *transport, enum transport_count kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void transport_hears(struct transport *transport, raft_id id);
void transport_line_gone(struct transport *transport);
/* The peer of this line has just proven itself: its other lines that a cut has left waiting are begun anew. */
void transport_peer_is_back(const struct line *proven);
bool transport_nonce(uint8_t *to, size_t length);       /* from the kernel; false = it gives none */

/* ---- line.c ---- */
struct line *line_new(struct transport *transport, bool is_accepted);      /* NULL = out of memory */
bool line_open_tcp(struct line *line);
/* Sets how long the present phase may last; then `late` is called. */
void line_limit(struct line *line, uint64_t ms, uv_timer_cb late);
void line_hear(struct line *line, uint8_t *to, size_t wanted, line_step *heard);
void line_tell(struct line *line, const uint8_t *bytes, size_t length, line_step *told);
/* Ends it, counted and said as `kind`. */
void line_fail(struct line *line, enum transport_count kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
void line_end(struct line *line);
void line_handle_closed(uv_handle_t *handle);          /* one of the line's own is closed; with the last the line is freed */
/* The other end closed, or the kernel says that it is gone. */
void line_lost(struct line *line, int why);
bool line_is_half_open(const struct line *line);
bool line_is_stuck(const struct line *line);           /* proven, and what it sends has been lost for over a second */
/* Keepalive, no delay, and a bound for what is not acknowledged. */
void line_tune(struct line *line);
void place_text(const struct sockaddr *address, char to[PLACE_SIZE], struct in6_addr *from);

/* ---- accept.c, connect.c, relay.c ---- */
void accept_one(struct transport *transport);
int connect_begin(struct raft_uv_transport *face, struct raft_uv_connect *request, raft_id id, const char *address,
                  raft_uv_connect_cb cb);
void connect_anew(struct line *line);                   /* asks its address again, unless it asked just now or is through */
/* Makes the pair and begins to relay. NULL = no descriptors or no memory; the line is to be ended. The stream is raft's. */
struct uv_stream_s *relay_begin(struct line *line);

#endif
