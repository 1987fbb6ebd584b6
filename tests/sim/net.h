/* The links between everybody: cut in one direction or both, slow, and how long one message takes. Cuts are counted, so that
 * two faults that cut the same link heal one by one. */
#ifndef FC_SIM_NET_H
#define FC_SIM_NET_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_NODES_MAX 5
#define SIM_SERVERS 2
#define SIM_PROXIES 2
#define SIM_MEMBERS 3                /* servers of a managed cluster */
#define SIM_PARTIES (SIM_NODES_MAX + SIM_SERVERS + SIM_PROXIES + SIM_MEMBERS)

/* Parties by what they are at this moment; they are resolved when a fault begins (faults.c). */
enum role { ROLE_LEADER = SIM_PARTIES, ROLE_FOLLOWER, ROLE_SEATED, ROLE_OTHER, ROLE_WITNESS, ROLE_NODES, ROLE_EVERYBODY, ROLE_END };

struct world;

struct net {
    int cut[SIM_PARTIES][SIM_PARTIES];       /* from, to */
    int64_t late_us[SIM_PARTIES][SIM_PARTIES];
    int refused[SIM_PARTIES][SIM_PARTIES];   /* something between answers in the name of `to` that nobody listens there */
};

static inline int party_node(int node) { return node; }
static inline int party_server(int server) { return SIM_NODES_MAX + server; }
static inline int party_proxy(int proxy) { return SIM_NODES_MAX + SIM_SERVERS + proxy; }
static inline int party_member(int member) { return SIM_NODES_MAX + SIM_SERVERS + SIM_PROXIES + member; }
static inline bool party_is_node(int party) { return party < SIM_NODES_MAX; }
static inline bool party_is_server(int party) { return party >= SIM_NODES_MAX && party < SIM_NODES_MAX + SIM_SERVERS; }
static inline bool party_is_proxy(int party) { return party >= SIM_NODES_MAX + SIM_SERVERS && party < SIM_NODES_MAX + SIM_SERVERS + SIM_PROXIES; }
static inline bool party_is_member(int party) { return party >= SIM_NODES_MAX + SIM_SERVERS + SIM_PROXIES && party < SIM_PARTIES; }
static inline int member_of_party(int party) { return party - SIM_NODES_MAX - SIM_SERVERS - SIM_PROXIES; }
const char *party_name(int party);           /* of a role too */
int party_of_name(const char *name);         /* -1 = no such party */

bool net_carries(const struct net *net, int from, int to);
bool net_talks(const struct net *net, int a, int b);     /* both ways */
void net_cut(struct net *net, int from, int to, int by); /* by: 1 or -1 */
void net_refuse(struct net *net, int from, int to, int by);
int64_t net_delay_us(struct world *world);
/* The same for this link, with what a fault adds to it. */
int64_t net_delay_between_us(struct world *world, int from, int to);

#endif
