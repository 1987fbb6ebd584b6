/* Pools of servers as deployment tools submit them: a pool's name, and who is in it until when. Not the pools that HAProxy is told of
 * (steer/pool.h). By key, because it is said before a server is seen. Moments are of the loop's clock; who stores them converts. */
#ifndef FC_MODEL_SERVER_POOLS_H
#define FC_MODEL_SERVER_POOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/moment.h"
#include "base/room.h"
#include "model/instance.h"
#include "model/names.h"

#define SERVER_POOL_MEMBERS_MAX 65536u       /* of all pools */
#define SERVER_POOL_NAME_MAX 128             /* bytes: what every backend's column holds */

struct server_pool_member {
    name_id pool, host;
    uint16_t port;
    struct fc_time since, until;     /* InstancePoolExpiryMinutes after it was submitted; FC_NEVER: stays */
};

struct server_pools {
    struct room *room;
    struct names *names;             /* borrowed: the topology's */
    struct server_pool_member *list;        /* sorted by pool, host, port, as texts */
    uint32_t count, capacity;
};

void server_pools_init(struct server_pools *pools, struct room *room, struct names *names);
void server_pools_done(struct server_pools *pools);            /* before the names */

/* The pool's content from now on; none empties it. A key twice counts once. FC_BAD_INPUT: no name, or no server; FC_BUSY: the bound;
 * FC_NO_MEMORY. Nothing changes unless FC_OK. */
enum fc_code server_pools_submit(struct server_pools *pools, const char *pool, const struct instance_key *keys, uint32_t count,
                                 struct fc_time now, struct fc_time until, struct fc_err *err);
/* Is it in this pool, or (NULL, "") in any? */
bool server_pools_have(const struct server_pools *pools, const char *pool, const struct instance_key *key, struct fc_time now);
/* Takes out what has ended. The earliest end that is still to come; FC_NEVER: none. */
struct fc_time server_pools_expire(struct server_pools *pools, struct fc_time now);

#endif
