/* One node's answer to another: what it sees of a server. Bytes both ways; a pure parser, fuzzed.
 *
 * "fc-sight WORD AGE\n": WORD as loss_word() has it ("none": it sees it), AGE in microseconds since the look that says so was
 * sent; "fc-sight -\n": it has not looked yet; "fc-sight witness\n": it looks at no server, ever. Told to nodes only: to HAProxy these would be unknown words. */
#ifndef FC_HAPROXY_SIGHT_H
#define FC_HAPROXY_SIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/look.h"

#define SIGHT_ANSWER_SIZE 64

/* age_us < 0: it has not looked yet. Returns the length. */
size_t sight_format(enum loss loss, int64_t age_us, char to[SIGHT_ANSWER_SIZE]);
/* What a witness answers, and whether this is it. */
size_t sight_format_witness(char to[SIGHT_ANSWER_SIZE]);
bool sight_is_witness(const char *bytes, size_t length);
/* Anything that is not wholly such an answer, or says nothing, yields a code and one sentence. */
enum fc_code sight_parse(const char *bytes, size_t length, enum loss *loss, int64_t *age_us, struct fc_err *err);

#endif
