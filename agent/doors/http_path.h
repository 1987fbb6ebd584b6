/* Paths of HTTP requests: the raw path is split first and each segment decoded after, so that an encoded '/' stays inside its
 * parameter; then blanks and newlines around a segment are trimmed (clients send a newline at the end). Pure, fuzzed. */
#ifndef FC_HTTP_PATH_H
#define FC_HTTP_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_SEGMENTS_MAX 8
#define HTTP_SEGMENT_SIZE 1024        /* with the zero byte */
#define HTTP_PARAMETERS_MAX 5

struct http_path {
    int count;                        /* 0 = "/" */
    char segment[HTTP_SEGMENTS_MAX][HTTP_SEGMENT_SIZE];
};

/* Percent-decodes and trims. False when a '%' is not followed by two hexadecimal digits, when a zero byte comes out, or when
 * the result does not fit. */
bool http_text_decode(const char *raw, size_t length, char *to, size_t size);

/* "/a/b%2Fc/" -> "a", "b/c". One trailing slash is accepted. False when the path does not begin with '/', has an empty segment
 * or too many, or a segment that cannot be decoded. */
bool http_path_split(const char *raw, size_t length, struct http_path *ret);

/* Does the path fit a pattern such as "/api/pool/:pool"? Fills the parameters in order (borrowed from the path) and their
 * count. A pattern has at most HTTP_PARAMETERS_MAX parameters. */
bool http_path_fits(const struct http_path *path, const char *pattern, const char *parameter[HTTP_PARAMETERS_MAX], int *count);

#endif
