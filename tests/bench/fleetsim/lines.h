/* Connections to simulated servers: one listening socket a server, all on one epoll set. */
#ifndef FLEETSIM_LINES_H
#define FLEETSIM_LINES_H

#include "fleet.h"

struct lines;

/* NULL: a sentence was said on standard error. */
struct lines *lines_open(struct fleet *fleet);
void lines_close(struct lines *lines);
/* Waits for what comes, `limit_ms` at most (-1: without end), and answers it. True: standard input has something to read. */
bool lines_turn(struct lines *lines, int limit_ms);
/* The server's process ends: nobody listens, its connections are closed. */
void lines_kill(struct lines *lines, uint32_t server);
bool lines_start(struct lines *lines, uint32_t server);
/* It stands still: connections are taken by the kernel alone, nothing is read. */
void lines_freeze(struct lines *lines, uint32_t server);
void lines_thaw(struct lines *lines, uint32_t server);
/* No more of standard input. */
void lines_deaf(struct lines *lines);
unsigned lines_count(const struct lines *lines, unsigned *ever);
int64_t lines_now_ms(void);

#endif
