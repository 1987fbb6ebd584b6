/* The text of door.lua.
 *
 * Each nap may be the last: HAProxy 2.6 loses the wake-up of a yielding action when its clock moved past it in the same pass,
 * and the connection then waits for the whole inspect-delay (measured: 8 of 1,000 connections that waited 0.6 s in naps of
 * 10 ms, 1 of 1,000 with these). So the naps are few: 20 ms, and later a quarter of what was waited. */
#include "haproxy/door_script.h"

const char proxy_door_script[] =
    "-- Printed by `firstchair haproxy-config door.lua`. Holds a new connection while nobody sits, and lets it in soon after\n"
    "-- somebody does. Arguments: the backend, and for how many milliseconds at most.\n"
    "core.register_action(\"firstchair_hold\", { \"tcp-req\" }, function(txn, backend, limit_ms)\n"
    "  local waited, limit = 0, tonumber(limit_ms)\n"
    "  while waited < limit and txn.f:nbsrv(backend) == 0 do\n"
    "    local nap = math.min(math.max(20, math.floor(waited / 4)), limit - waited)\n"
    "    core.msleep(nap)\n"
    "    waited = waited + nap\n"
    "  end\n"
    "end, 2)\n";
