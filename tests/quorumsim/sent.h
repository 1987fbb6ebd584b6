/* What raft sends on the false wire of either simulator: messages, copied deep, and the requests that wait until theirs has left. */
#ifndef FC_QUORUMSIM_SENT_H
#define FC_QUORUMSIM_SENT_H

#include <raft.h>

void configuration_copy(const struct raft_configuration *from, struct raft_configuration *to);

/* With all it points to, by raft's allocator: raft owns what it is given. One whose `type` is 0 was given away and owns nothing. */
void sent_copy(const struct raft_message *from, struct raft_message *to);
void sent_drop(struct raft_message *message);

/* In the order in which raft sent. */
struct sent_waiting { struct raft_io_send *request; int status; struct sent_waiting *next; };

struct sent_waiting *sent_wait(struct sent_waiting **sends, struct raft_io_send *request, raft_io_send_cb cb);
void sent_first_is_through(struct sent_waiting **sends);     /* none: raft was closed meanwhile */
void sent_let_go(struct sent_waiting **sends);

#endif
