/* The links between everybody: cut in one direction or both, and how long one message takes. Cuts are counted, so that two
 * faults that cut the same link heal one by one. */
#ifndef FC_SIM_NET_H
#define FC_SIM_NET_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_NODES_MAX 5
#define SIM_SERVERS 2
#define SIM_PROXIES 2
#define SIM_PARTIES (SIM_NODES_MAX + SIM_SERVERS + SIM_PROXIES)

struct world;

struct net { int cut[SIM_PARTIES][SIM_PARTIES]; };      /* from, to */

static inline int party_node(int node) { return node; }
static inline int party_server(int server) { return SIM_NODES_MAX + server; }
static inline int party_proxy(int proxy) { return SIM_NODES_MAX + SIM_SERVERS + proxy; }
const char *party_name(int party);

bool net_carries(const struct net *net, int from, int to);
bool net_talks(const struct net *net, int a, int b);     /* both ways */
void net_cut(struct net *net, int from, int to, int by); /* by: 1 or -1 */
int64_t net_delay_us(struct world *world);

#endif
