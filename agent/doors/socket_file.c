/* A socket file that refuses connections is what a killed process left. Anything else at that path is not ours to remove. */
#include "agent/doors/socket_file.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum fc_code socket_file_make_way(const char *key, const struct sockaddr_un *address, struct fc_err *err)
{
    struct stat what;
    if (lstat(address->sun_path, &what) != 0)
        return FC_OK;                /* nothing there, or bind says why not */
    if (!S_ISSOCK(what.st_mode))
        return fc_fail(err, FC_BAD_CONFIG, "%s is '%s', where something stands that is no socket; it must be a path of its own",
                       key, address->sun_path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fc_fail(err, FC_UNREACHABLE, "%s: no socket: %s", key, strerror(errno));
    const bool is_dead = connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
    close(fd);
    if (!is_dead)
        return fc_fail(err, FC_BUSY, "%s is '%s', where another process listens already; is a firstchair running?", key,
                       address->sun_path);
    if (unlink(address->sun_path) != 0)
        return fc_fail(err, FC_BAD_CONFIG, "%s is '%s', whose old file cannot be removed: %s", key, address->sun_path,
                       strerror(errno));
    return FC_OK;
}
