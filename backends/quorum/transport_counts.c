/* The one table of what is counted at the peers' streams. */
#include "backends/quorum/transport.h"

const struct transport_count_row transport_count_table[TRANSPORT_COUNT_KINDS] = {
    [TRANSPORT_ACCEPTED]        = { "accepted", "a peer proved itself to this node; raft reads from it" },
    [TRANSPORT_CONNECTED]       = { "connected", "this node and a peer proved themselves; raft writes to it" },
    [TRANSPORT_CLOSED]          = { "closed", "of accepted and connected, those that have ended since" },
    [TRANSPORT_REPLACED]        = { "replaced", "of closed, ended because the peer came anew or too often, or could be reached by another one only" },
    [TRANSPORT_GARBAGE]         = { "garbage", "no handshake of ours, or of another version" },
    [TRANSPORT_WRONG_CLUSTER]   = { "wrong_cluster", "of another cluster" },
    [TRANSPORT_WRONG_PROOF]     = { "wrong_proof", "another key, or something said before and said again" },
    [TRANSPORT_UNKNOWN_PEER]    = { "unknown_peer", "has the key, and is nobody that this node knows" },
    [TRANSPORT_OTHER_NAME]      = { "other_name", "a known id under another name: an id given twice" },
    [TRANSPORT_OWN_ID]          = { "own_id", "says that it is this node: an id given twice, or its own stream come back" },
    [TRANSPORT_TWIN]            = { "twin", "a second process with the id and name of a peer that is connected and alive" },
    [TRANSPORT_WRONG_ADDRESSEE] = { "wrong_addressee", "meant for somebody else: a name that leads to the wrong place" },
    [TRANSPORT_TOO_SLOW]        = { "too_slow", "not through with the handshake in time" },
    [TRANSPORT_PUSHED_OUT]      = { "pushed_out", "too many in their handshake: the oldest went first" },
    [TRANSPORT_LOST]            = { "lost", "ended or failed in the midst of the handshake" },
    [TRANSPORT_FORGED]          = { "forged", "a record that the peer did not seal: the stream was ended" },
    [TRANSPORT_UNRESOLVED]      = { "unresolved", "the name of a peer did not resolve" },
    [TRANSPORT_UNREACHED]       = { "unreached", "no address of a peer took the connection" },
    [TRANSPORT_REFUSED_US]      = { "refused_us", "the peer closed on this node's proof, or said why not" },
};
