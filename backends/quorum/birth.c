/* Two text files, written whole. */
#include "backends/quorum/birth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define FILE_BYTES_MAX 4096

static enum fc_code broken(struct fc_err *err, const char *what, const char *path)
{
    return fc_fail(err, FC_STORE, "%s '%s': %s", what, path, strerror(errno));
}

static enum fc_code sync_folder(const char *dir, struct fc_err *err)
{
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_good = fd >= 0 && fsync(fd) == 0;
    const enum fc_code code = is_good ? FC_OK : broken(err, "cannot sync", dir);
    if (fd >= 0)
        close(fd);
    return code;
}

static enum fc_code file_write(const struct birth *b, const char *name, const char *text, struct fc_err *err)
{
    char path[BIRTH_DIR_SIZE + 16], fresh[BIRTH_DIR_SIZE + 24];
    const size_t length = strlen(text);
    TEXT_FORMAT(path, "%s/%s", b->dir, name);
    TEXT_FORMAT(fresh, "%s/%s.new", b->dir, name);
    const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return broken(err, "cannot write", fresh);
    const bool is_written = write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
    const enum fc_code code = is_written ? FC_OK : broken(err, "cannot write", fresh);
    close(fd);
    if (code == FC_OK && rename(fresh, path) != 0)
        return broken(err, "cannot rename", fresh);
    return code == FC_OK ? sync_folder(b->dir, err) : code;
}

/* FC_NOT_FOUND when there is none. */
static enum fc_code file_read(const struct birth *b, const char *name, char *to, size_t size, struct fc_err *err)
{
    char path[BIRTH_DIR_SIZE + 16];
    TEXT_FORMAT(path, "%s/%s", b->dir, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? FC_NOT_FOUND : broken(err, "cannot read", path);
    const ssize_t count = read(fd, to, size - 1);
    const enum fc_code code = count >= 0 ? FC_OK : broken(err, "cannot read", path);
    close(fd);
    to[count < 0 ? 0 : count] = '\0';
    return code;
}

static bool kernel_chance(const struct birth *b, unsigned char *to, size_t size)
{
    (void)b;
    return getrandom(to, size, 0) == (ssize_t)size;
}

static const struct birth_files real_files = { .read = file_read, .write = file_write, .chance = kernel_chance };

/* What the file says of a directory. */
static const struct { const char *word; bool is_member, is_added, is_joining; } states[] = {
    { "fresh",   false, false, false },
    { "member",  true,  false, false },      /* a founder */
    { "joining", true,  true,  true  },
    { "joined",  true,  true,  false },
};

static enum fc_code identity_write(const struct birth *b, struct fc_err *err)
{
    char text[256];
    const char *word = states[0].word;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (states[i].is_member == b->is_member && states[i].is_added == b->is_added && states[i].is_joining == b->is_joining)
            word = states[i].word;
    }
    TEXT_FORMAT(text, "firstchair-raft 1\nname %s\nmark %s\nstate %s\n", b->name, b->mark, word);
    return b->files->write(b, "identity", text, err);
}

static enum fc_code identity_make(struct birth *b, struct fc_err *err)
{
    unsigned char chance[16];
    if (!b->files->chance(b, chance, sizeof chance))
        return fc_fail(err, FC_INTERNAL, "no randomness from the kernel: %s", strerror(errno));
    for (size_t i = 0; i < sizeof chance; i++)
        text_format(b->mark + 2 * i, 3, "%02x", chance[i]);
    return identity_write(b, err);
}

static enum fc_code identity_take(struct birth *b, const char *text, struct fc_err *err)
{
    char name[NODE_NAME_SIZE], state[16];
    int version = 0;
    if (sscanf(text, "firstchair-raft %d name %63s mark %32s state %15s", &version, name, b->mark, state) != 4 || version != 1)
        return fc_fail(err, FC_STORE, "'%s/identity' cannot be understood", b->dir);
    if (!text_is(name, b->name))
        return fc_fail(err, FC_BAD_CONFIG, "RaftDataDir '%s' belongs to node '%s', and this is node '%s'", b->dir, name, b->name);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (text_is(state, states[i].word)) {
            b->is_member = states[i].is_member;
            b->is_added = states[i].is_added;
            b->is_joining = states[i].is_joining;
            return FC_OK;
        }
    }
    return fc_fail(err, FC_STORE, "'%s/identity' has a state that is not known here: %s", b->dir, state);
}

static enum fc_code peers_take(struct birth *b, const char *text, struct fc_err *err)
{
    int used = 0;
    while (*text != '\0') {
        struct birth_peer *peer = &b->peers[b->peer_count];
        if (b->peer_count == 2 * QUORUM_NODES_MAX || sscanf(text, "%63s %32s%n", peer->name, peer->mark, &used) != 2)
            return fc_fail(err, FC_STORE, "'%s/peers' cannot be understood", b->dir);
        b->peer_count++;
        text += used;
        text += strspn(text, " \n");
    }
    return FC_OK;
}

enum fc_code birth_open_on(const struct birth_files *files, void *owner, const char *dir, const char *name, bool has_log, struct birth *ret,
                           struct fc_err *err)
{
    char text[FILE_BYTES_MAX];
    memset(ret, 0, sizeof *ret);
    ret->files = files;
    ret->owner = owner;
    TEXT_SET(ret->dir, dir);
    TEXT_SET(ret->name, name);
    enum fc_code code = files->read(ret, "identity", text, sizeof text, err);
    if (code == FC_NOT_FOUND && has_log)
        return fc_fail(err, FC_STORE, "RaftDataDir '%s' has a log and no identity: restore the whole directory", dir);
    code = code == FC_NOT_FOUND ? identity_make(ret, err) : code == FC_OK ? identity_take(ret, text, err) : code;
    if (code == FC_OK && ret->is_member && !ret->is_joining && !has_log)
        return fc_fail(err, FC_STORE, "RaftDataDir '%s' has lost its log: a node that forgot must not vote", dir);
    if (code != FC_OK)
        return code;
    code = files->read(ret, "peers", text, sizeof text, err);
    return code == FC_NOT_FOUND ? FC_OK : code == FC_OK ? peers_take(ret, text, err) : code;
}

enum fc_code birth_open(const char *dir, const char *name, bool has_log, struct birth *ret, struct fc_err *err)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return broken(err, "cannot make RaftDataDir", dir);
    return birth_open_on(&real_files, NULL, dir, name, has_log, ret, err);
}

enum fc_code birth_joining(struct birth *b, struct fc_err *err)
{
    b->is_member = b->is_added = b->is_joining = true;
    return identity_write(b, err);
}

enum fc_code birth_joined(struct birth *b, struct fc_err *err)
{
    b->is_member = true;
    b->is_joining = false;
    return identity_write(b, err);
}

static bool is_mark(const char *mark)
{
    return strlen(mark) == BIRTH_MARK_SIZE - 1 && strspn(mark, "0123456789abcdef") == BIRTH_MARK_SIZE - 1;
}

enum fc_code birth_meet(struct birth *b, const char *name, const char *mark, char known[BIRTH_MARK_SIZE], struct fc_err *err)
{
    char text[FILE_BYTES_MAX] = "";
    if (!is_mark(mark) || !text_is_name(name, strlen(name)))
        return fc_fail(err, FC_BAD_INPUT, "not a name and a mark");
    for (int i = 0; i < b->peer_count; i++) {
        if (text_is(b->peers[i].name, name)) {
            text_copy(known, BIRTH_MARK_SIZE, b->peers[i].mark);
            return FC_OK;
        }
    }
    if (b->peer_count == 2 * QUORUM_NODES_MAX)
        return fc_fail(err, FC_BUSY, "'%s/peers' is full", b->dir);
    struct birth_peer *peer = &b->peers[b->peer_count++];
    TEXT_SET(peer->name, name);
    TEXT_SET(peer->mark, mark);
    for (int i = 0; i < b->peer_count; i++) {
        const size_t length = strlen(text);
        text_format(text + length, sizeof text - length, "%s %s\n", b->peers[i].name, b->peers[i].mark);
    }
    const enum fc_code code = b->files->write(b, "peers", text, err);
    if (code != FC_OK)
        b->peer_count--;
    else
        text_copy(known, BIRTH_MARK_SIZE, mark);
    return code;
}

int birth_needed(int voters) { return voters == 1 ? 0 : voters - voters / 2; }
