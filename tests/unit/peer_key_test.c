/* Where the peers' key comes from, and what is refused with which words. */
#include "backends/quorum/peer_key.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define GOOD "0123456789abcdef0123456789abcdef"

struct scene { char folder[64]; char path[96]; struct peer_key key; struct fc_err err; };

static struct scene scene_open(const char *text, size_t length, mode_t mode)
{
    struct scene s = { .folder = "/tmp/fc-key-XXXXXX" };

    cr_assert_not_null(mkdtemp(s.folder));
    TEXT_FORMAT(s.path, "%s/key", s.folder);
    const int fd = open(s.path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    cr_assert(fd >= 0 && write(fd, text, length) == (ssize_t)length && fchmod(fd, mode) == 0);
    close(fd);
    return s;
}

static void scene_close(struct scene *s)
{
    unlink(s->path);
    rmdir(s->folder);
}

static void refused(struct scene *s, const char *words)
{
    cr_expect_eq(peer_key_read(s->path, NULL, &s->key, &s->err), FC_BAD_CONFIG);
    cr_expect_not_null(strstr(s->err.text, words), "said: %s", s->err.text);
    cr_expect_eq(s->key.length, 0, "nothing is taken");
    scene_close(s);
}

Test(peer_key, a_file_is_read_and_the_blanks_around_it_are_cut)
{
    struct scene s = scene_open(" \n" GOOD "\r\n\n", strlen(GOOD) + 5, 0640);

    cr_assert_eq(peer_key_read(s.path, "of the environment, not read", &s.key, &s.err), FC_OK, "%s", s.err.text);
    cr_expect_eq(s.key.length, strlen(GOOD));
    cr_expect_arr_eq(s.key.bytes, GOOD, strlen(GOOD));
    scene_close(&s);
}

Test(peer_key, the_environment_is_read_where_no_file_is_named)
{
    struct peer_key key = { .length = 0 };
    struct fc_err err;

    cr_assert_eq(peer_key_read("", GOOD "\n", &key, &err), FC_OK);
    cr_expect_eq(key.length, strlen(GOOD));
    peer_key_wipe(&key);
    cr_expect_eq(key.bytes[0], 0);
    cr_expect_eq(peer_key_read("", NULL, &key, &err), FC_BAD_CONFIG);
    cr_expect_not_null(strstr(err.text, "RaftPeerKeyFile"), "said: %s", err.text);
}

Test(peer_key, a_file_that_others_may_read_or_write_is_refused)
{
    struct scene readable = scene_open(GOOD, strlen(GOOD), 0644), writable = scene_open(GOOD, strlen(GOOD), 0660);

    refused(&readable, "mode 0644");
    refused(&writable, "chmod 0640");
}

Test(peer_key, a_short_a_long_and_a_binary_one_are_refused)
{
    char endless[PEER_KEY_MAX + 200];
    memset(endless, 'k', sizeof endless);
    struct scene brief = scene_open("fifteen bytes..\n", 16, 0600), blank = scene_open("      \n\n\n              ", 23, 0600),
                 long_one = scene_open(endless, sizeof endless, 0600), binary = scene_open("0123456789abcdef\0ghi", 20, 0600);

    refused(&brief, "has 15 bytes");
    refused(&blank, "has 0 bytes");
    refused(&long_one, "it takes 16 to 1024");
    refused(&binary, "zero byte");
}

Test(peer_key, the_longest_is_taken_whole)
{
    char most[PEER_KEY_MAX + 1];
    memset(most, 'k', sizeof most);
    most[PEER_KEY_MAX] = '\n';
    struct scene s = scene_open(most, sizeof most, 0400);

    cr_assert_eq(peer_key_read(s.path, NULL, &s.key, &s.err), FC_OK, "%s", s.err.text);
    cr_expect_eq(s.key.length, PEER_KEY_MAX);
    scene_close(&s);
}

Test(peer_key, what_is_no_file_is_refused_at_once)
{
    struct scene s = scene_open("", 0, 0600), gone = scene_open("", 0, 0600);

    unlink(s.path);
    cr_assert_eq(mkfifo(s.path, 0600), 0);
    refused(&s, "not a regular file");
    unlink(gone.path);
    refused(&gone, "cannot be read");
}
