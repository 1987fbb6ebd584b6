/* Two buffers: one is filled, one is written by a worker. Replay reads the file and feeds a fresh core. */
#include "agent/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/room.h"
#include "base/text.h"
#include "core/core.h"
#include "core/record.h"

#define BATCH_SIZE (1024 * 1024)
#define FLUSH_MS 200

struct recorder {
    const struct host *host;
    struct host_timer *timer;
    int fd;
    unsigned char *filling, *writing;
    size_t filled, to_write;
    bool is_writing, is_broken;
    bool has_failed;                 /* said by the worker; becomes is_broken when its batch is back */
    uint64_t dropped;
    uint64_t count, sum;             /* entries, and the digest of what the core answered to them */
};

#define DIGEST_START UINT64_C(14695981039346656037)

/* FNV-1a over all effects: a replay prints the same number only if its effects are the same, byte for byte. */
static uint64_t digest(uint64_t sum, const struct effects *effects)
{
    const unsigned char *bytes = (const unsigned char *)effects->list;
    for (size_t i = 0; i < (size_t)effects->count * sizeof effects->list[0]; i++)
        sum = (sum ^ bytes[i]) * UINT64_C(1099511628211);
    return sum;
}

static void write_batch(void *job)
{
    struct recorder *r = job;
    size_t done = 0;
    while (done < r->to_write) {
        const ssize_t n = write(r->fd, r->writing + done, r->to_write - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            r->has_failed = true;
            return;
        }
        done += (size_t)n;
    }
    r->to_write = 0;
}

static void batch_written(void *job)
{
    struct recorder *r = job;
    r->is_writing = false;
    r->is_broken = r->has_failed;
}

static void turn_over(struct recorder *r)
{
    unsigned char *const full = r->filling;
    r->filling = r->writing;
    r->writing = full;
    r->to_write = r->filled;
    r->filled = 0;
}

static void flush(void *owner)
{
    struct recorder *r = owner;
    if (!r->is_writing && r->filled > 0 && !r->is_broken) {
        const size_t length = r->filled;
        turn_over(r);
        r->is_writing = r->host->work(r->host->agent, write_batch, batch_written, r);
        if (!r->is_writing) {
            turn_over(r);                                  /* the workers are busy: it stays and goes with the next */
            r->filled = length;
        }
    }
    r->host->timer_set(r->timer, fc_plus(r->host->now(r->host->agent), fc_ms(FLUSH_MS)));
}

enum fc_code recorder_open(const struct host *host, const char *path, struct recorder **ret, struct fc_err *err)
{
    struct recorder *r = calloc(1, sizeof *r);
    struct record_header header;
    if (r == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    r->host = host;
    r->sum = DIGEST_START;
    r->filling = malloc(BATCH_SIZE);
    r->writing = malloc(BATCH_SIZE);
    r->timer = host->timer(host->agent, flush, r);
    r->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (r->filling == NULL || r->writing == NULL || r->timer == NULL || r->fd < 0) {
        fc_fail(err, FC_BAD_CONFIG, "RecordFile '%s': %s", path, r->fd < 0 ? strerror(errno) : "out of memory");
        recorder_stop(r);
        recorder_close(r);
        return FC_BAD_CONFIG;
    }
    record_header_make(&header);
    memcpy(r->filling, &header, sizeof header);
    r->filled = sizeof header;
    host->timer_set(r->timer, fc_plus(host->now(host->agent), fc_ms(FLUSH_MS)));
    *ret = r;
    return FC_OK;
}

void recorder_write(struct recorder *r, const struct event *event)
{
    if (r == NULL || r->is_broken || r->dropped > 0)
        return;                                            /* a log with a hole cannot be replayed: it ends before the hole */
    const size_t length = record_encode(event, r->filling + r->filled, BATCH_SIZE - r->filled);
    if (length == 0)
        r->dropped++;
    else
        r->count++;
    r->filled += length;
}

void recorder_answered(struct recorder *r, const struct effects *effects)
{
    if (r != NULL && !r->is_broken && r->dropped == 0)
        r->sum = digest(r->sum, effects);
}

void recorder_tell(const struct recorder *r, char *to, size_t size)
{
    text_format(to, size, "%llu events, effects digest %016llx%s", (unsigned long long)r->count, (unsigned long long)r->sum,
                r->is_broken || r->dropped > 0 ? " (the log ends before the end)" : "");
}

void recorder_stop(struct recorder *r)
{
    if (r == NULL || r->timer == NULL)
        return;
    r->host->untimer(r->timer);
    r->timer = NULL;
}

void recorder_close(struct recorder *r)
{
    if (r == NULL)
        return;
    if (r->fd >= 0 && r->to_write > 0 && !r->has_failed)
        write_batch(r);                                    /* the workers ended before they began it */
    if (r->fd >= 0 && r->filled > 0 && !r->has_failed) {
        turn_over(r);
        write_batch(r);
    }
    if (r->fd >= 0)
        close(r->fd);
    free(r->filling);
    free(r->writing);
    free(r);
}

/* ---- replay ------------------------------------------------------------------------------------------------------- */

static unsigned char *read_whole(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = NULL;
    struct stat about;
    if (file == NULL)
        return NULL;
    if (fstat(fileno(file), &about) == 0 && S_ISREG(about.st_mode) && (bytes = malloc((size_t)about.st_size + 1)) != NULL)
        *length = fread(bytes, 1, (size_t)about.st_size, file);
    fclose(file);
    return bytes;
}

static void tell(const struct event *event, const struct effects *effects, int shows_effects)
{
    for (int i = 0; i < effects->count; i++) {
        const struct effect *e = &effects->list[i];
        if (e->type == NOTE)
            printf("%12.3f s  %-14s %s: %s\n", (double)event->at.us / 1e6, event_type_word(event->type), e->as.note.subject,
                   e->as.note.text);
        else if (shows_effects && e->type != WAKE_AT && e->type != ANSWER_EXTEND && e->type != VOICE_EXTEND && e->type != LOOK)
            printf("%12.3f s  %-14s > %s\n", (double)event->at.us / 1e6, event_type_word(event->type),
                   effect_type_word(e->type));
    }
}

static void *reserve(size_t size)
{
    return calloc(1, size);
}

static int replay_entries(const unsigned char *bytes, size_t length, int shows_effects)
{
    struct room room = room_of_libc();
    struct core *core = core_new(&room);
    struct record_room *kept = record_room_new(reserve);
    struct effects *effects = calloc(1, sizeof *effects);
    uint64_t sum = DIGEST_START, count = 0;
    int exit_code = core == NULL || kept == NULL || effects == NULL ? fc_code_table[FC_NO_MEMORY].exit_code : 0;
    for (size_t at = 0; exit_code == 0 && at < length;) {
        struct event event;
        const size_t used = record_decode(bytes + at, length - at, kept, &event);
        if (used == 0)
            break;                                         /* cut off while it was written: up to here it is whole */
        if (used == (size_t)-1) {
            fprintf(stderr, "entry %llu is damaged\n", (unsigned long long)count);
            exit_code = fc_code_table[FC_BAD_INPUT].exit_code;
            break;
        }
        at += used;
        count++;
        effects_clear(effects);
        core_step(core, &event, effects);
        tell(&event, effects, shows_effects);
        sum = digest(sum, effects);
    }
    printf("%llu events, effects digest %016llx\n", (unsigned long long)count, (unsigned long long)sum);
    free(effects);
    free(kept);
    core_free(core);
    return exit_code;
}

int recorder_replay(const char *path, int shows_effects)
{
    size_t length = 0;
    unsigned char *bytes = read_whole(path, &length);
    struct record_header header;
    struct fc_err err;
    int exit_code = fc_code_table[FC_BAD_INPUT].exit_code;
    if (bytes == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    } else if (length < sizeof header) {
        fprintf(stderr, "%s: this is no event log of firstchair\n", path);
    } else {
        memcpy(&header, bytes, sizeof header);
        if (record_header_check(&header, &err) != FC_OK)
            fprintf(stderr, "%s: %s\n", path, err.text);
        else
            exit_code = replay_entries(bytes + sizeof header, length - sizeof header, shows_effects);
    }
    free(bytes);
    return exit_code;
}
