/* One line of a haproxy.cfg as words, by HAProxy's own rules of quoting (its manual 2.2; each rule was tried on HAProxy 2.6.12).
 *
 * Blanks part words. '#' outside quotes begins a comment, also inside a word. In single quotes everything is text. In double quotes
 * $NAME and ${NAME} stand for the environment; they are kept as text here, because whose environment it will be is not known.
 * Outside single quotes \\ \" \' \# \<blank> are that character, \n \r \t and \xHH what they are in C, \$ in double quotes a '$';
 * any other backslash stays. A NUL byte ends the line. */
#ifndef FC_HAPROXY_PROXY_WORDS_H
#define FC_HAPROXY_PROXY_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define PROXY_LINE_WORDS_MAX 64       /* MAX_LINE_ARGS of HAProxy: it refuses a longer line too */

struct proxy_word {
    const char *text;                 /* zero-terminated, in the caller's `to` */
    bool expands;                     /* has a $NAME that HAProxy replaces */
};

struct proxy_words {
    struct proxy_word word[PROXY_LINE_WORDS_MAX];
    int count;
    size_t used;                      /* bytes of `to` that are taken; never more than length + 1 */
    const char *trouble;              /* NULL, or what HAProxy would refuse: "a quote is not closed" */
};

/* `to` has room for length + 1 bytes. The words before the trouble are kept. */
void proxy_words_read(const char *line, size_t length, char *to, struct proxy_words *ret);

#endif
