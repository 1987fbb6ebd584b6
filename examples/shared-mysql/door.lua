-- Printed by `firstchair haproxy-config door.lua`. Holds a new connection while nobody sits, and lets it in at once
-- when somebody does. Arguments: the backend, and for how many milliseconds at most.
core.register_action("firstchair_hold", { "tcp-req" }, function(txn, backend, limit_ms)
  for _ = 1, math.ceil(tonumber(limit_ms) / 10) do
    if txn.f:nbsrv(backend) > 0 then return end
    core.msleep(10)
  end
end, 2)
