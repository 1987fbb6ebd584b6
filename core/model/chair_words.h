/* What is said of the chair to nodes that look at no server (a witness): the name of the server that sits, whether it is open, and who
 * paused its pool. Whoever leads tells it beside the chair (backends/quorum/consensus_lease.c); it counts for that chair alone. */
#ifndef FC_MODEL_CHAIR_WORDS_H
#define FC_MODEL_CHAIR_WORDS_H

#include <stdbool.h>

#define CHAIR_NAME_SIZE 64

struct chair_words {
    bool is_known;                   /* false: nobody has told yet, or the chair has moved since */
    bool is_open;                    /* the server that sits was writable when its leader looked last */
    char seat[CHAIR_NAME_SIZE];      /* its name in BackendServers */
    char paused_by[CHAIR_NAME_SIZE]; /* who paused the pool; "" = nobody */
};

#endif
