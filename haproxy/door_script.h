/* The small script that holds the door: `firstchair haproxy-config door.lua` prints it, HAProxyDoorScript names where it lies.
 *
 * HAProxy's own `accept if { nbsrv gt 0 } or WAIT_END` is not looked at again when a server comes up (measured on 2.6.12: a
 * held client waits for the whole delay). The script looks after naps of 20 ms, and of a quarter of what was waited so far. */
#ifndef FC_HAPROXY_DOOR_SCRIPT_H
#define FC_HAPROXY_DOOR_SCRIPT_H

extern const char proxy_door_script[];

#endif
