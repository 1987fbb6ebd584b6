-- Printed by `firstchair haproxy-config door.lua`. Holds a new connection while nobody sits, and lets it in soon after
-- somebody does. Arguments: the backend, and for how many milliseconds at most.
core.register_action("firstchair_hold", { "tcp-req" }, function(txn, backend, limit_ms)
  local waited, limit = 0, tonumber(limit_ms)
  while waited < limit and txn.f:nbsrv(backend) == 0 do
    local nap = math.min(math.max(20, math.floor(waited / 4)), limit - waited)
    core.msleep(nap)
    waited = waited + nap
  end
end, 2)
