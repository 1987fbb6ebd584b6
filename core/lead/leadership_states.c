/* Every way from one state to another. LEADING is left the moment the lease is in doubt. */
#include "lead/leadership.h"

const struct leadership_edge leadership_edges[] = {
    /* from      on              to         what is said on the way */
    { FOLLOWING, LEASE_GRANTED, LEADING,   "this node leads" },
    { FOLLOWING, LEASE_DENIED,  FOLLOWING, NULL },
    { FOLLOWING, STORE_SILENT,  FOLLOWING, NULL },
    { LEADING,   LEASE_GRANTED, LEADING,   NULL },
    { LEADING,   LEASE_DENIED,  FOLLOWING, "this node leads no more" },
    { LEADING,   STORE_SILENT,  SUSPENDED, "suspended: the store is silent, so this node may not act" },
    { SUSPENDED, LEASE_GRANTED, LEADING,   "this node leads again" },
    { SUSPENDED, LEASE_DENIED,  FOLLOWING, "this node leads no more" },
    { SUSPENDED, STORE_SILENT,  SUSPENDED, NULL },
};
const size_t leadership_edge_count = sizeof leadership_edges / sizeof leadership_edges[0];
