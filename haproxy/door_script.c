/* The text of door.lua. */
#include "haproxy/door_script.h"

const char proxy_door_script[] =
    "-- Printed by `firstchair haproxy-config door.lua`. Holds a new connection while nobody sits, and lets it in at once\n"
    "-- when somebody does. Arguments: the backend, and for how many milliseconds at most.\n"
    "core.register_action(\"firstchair_hold\", { \"tcp-req\" }, function(txn, backend, limit_ms)\n"
    "  for _ = 1, math.ceil(tonumber(limit_ms) / 10) do\n"
    "    if txn.f:nbsrv(backend) > 0 then return end\n"
    "    core.msleep(10)\n"
    "  end\n"
    "end, 2)\n";
