/* What an agent-check client asks: "[asker ]pool/server", "[asker ]voice", "[asker ]look", and what other nodes ask: "asker
 * askers pool/server", "asker sight pool/server". A pure parser, fuzzed.
 *
 * The line ends in '\n' or '\r', or the caller decides that it is over (20 ms of silence). Bytes after the end are ignored. */
#ifndef FC_HAPROXY_AGENT_REQUEST_H
#define FC_HAPROXY_AGENT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGENT_REQUEST_MAX 256

struct agent_request {
    bool is_voice;               /* the relay's own check: wants AGENT_VOICE_TOKEN */
    bool is_look;                /* another node's hint: something has moved, look at the servers now */
    bool is_for_askers;          /* another node: who has asked for this server, and what was heard */
    bool is_for_sight;           /* another node: what is seen of this server, and look at it now */
    int64_t waited_ms;           /* set by who read it: how long it lay there before; -1 unknown */
    char asker[64];              /* "" when not named */
    char pool[64];
    char server[64];
};

enum agent_request_state {
    AGENT_REQUEST_PARTIAL,       /* no end of line yet and below AGENT_REQUEST_MAX */
    AGENT_REQUEST_READY,         /* ret is filled */
    AGENT_REQUEST_BAD            /* binary, too long, or not of the form */
};

/* `is_over`: treat the bytes as a whole line although it has no end. */
enum agent_request_state agent_request_parse(const char *bytes, size_t length, bool is_over, struct agent_request *ret);

#endif
