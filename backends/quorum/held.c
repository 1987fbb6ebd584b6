/* A mapped page. */
#include "backends/quorum/held.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/quorum/birth.h"
#include "base/text.h"

#define PAGE_BYTES 4096
#define MAGIC "fcheld1\n"

struct held_page { char magic[8]; volatile uint64_t index; };

static enum fc_code broken(struct fc_err *err, const char *path)
{
    return fc_fail(err, FC_STORE, "cannot use '%s': %s", path, strerror(errno));
}

/* Written whole before it is mapped: a page that the disk has no room for would end the process later. */
static enum fc_code lay(int file, const char *path, struct fc_err *err)
{
    char page[PAGE_BYTES] = MAGIC;
    return pwrite(file, page, sizeof page, 0) == (ssize_t)sizeof page && fsync(file) == 0 ? FC_OK : broken(err, path);
}

static enum fc_code map(int file, const char *path, struct held *ret, struct fc_err *err)
{
    void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page == MAP_FAILED)
        return broken(err, path);
    if (memcmp(((struct held_page *)page)->magic, MAGIC, sizeof MAGIC - 1) != 0) {
        munmap(page, PAGE_BYTES);
        return fc_fail(err, FC_STORE, "'%s' cannot be understood: without it this node cannot know what it had confirmed", path);
    }
    (void)mlock(page, PAGE_BYTES);                         /* so that it is never read again from a disk that fails; a bonus */
    ret->page = page;
    return FC_OK;
}

enum fc_code held_open(const char *dir, struct held *ret, struct fc_err *err)
{
    char path[BIRTH_DIR_SIZE + 8];
    struct stat is;
    TEXT_FORMAT(path, "%s/held", dir);
    ret->page = NULL;
    const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return broken(err, path);
    enum fc_code code = fstat(file, &is) != 0 ? broken(err, path) : FC_OK;
    if (code == FC_OK && is.st_size < PAGE_BYTES)          /* new, or its making was cut short: nothing was confirmed before it was whole */
        code = lay(file, path, err);
    if (code == FC_OK)
        code = map(file, path, ret, err);
    close(file);
    return code;
}

uint64_t held_index(const struct held *h) { return h->page == NULL ? 0 : h->page->index; }

void held_set(struct held *h, uint64_t index)
{
    if (h->page != NULL)
        h->page->index = index;
}

void held_close(struct held *h)
{
    if (h->page != NULL)
        munmap(h->page, PAGE_BYTES);
    h->page = NULL;
}
