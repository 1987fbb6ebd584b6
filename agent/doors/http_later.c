/* Answers that take longer than one turn of the loop should: a list of thousands of servers is told a slice a turn, and a large answer is
 * packed (gzip) on a worker. Meanwhile the connection sleeps, as it does while an order is waited for. */
#include "agent/doors/http_inside.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "agent/fleet_answer.h"

#define PACKERS_MAX 1                /* of the workers, who have SQLite and names to do too; beyond it an answer goes out as it is */
#define PACK_LEVEL 1                 /* a third of the bytes for a tenth of the time of the highest */
#define GZIP_WINDOW (15 + 16)        /* zlib's word for gzip's header */
#define GZIP_MEMORY 8

/* ---- sleeping and waking --------------------------------------------------------------------------------------------- */

static void sleep_until_ready(struct http_request *request)
{
    if (request->later != HTTP_LATER_WAITS)
        MHD_suspend_connection(request->connection);
    request->later = HTTP_LATER_WAITS;
}

static void wake_with(struct http_request *request, const struct http_answer *answer)
{
    request->ready = *answer;
    request->later = HTTP_LATER_READY;
    MHD_resume_connection(request->connection);
    http_door_wake(request->door);
}

/* ---- packing: what the worker touches is the job's ------------------------------------------------------------------------ */

struct pack_job {
    struct http_door *door;          /* NULL: it was closed */
    struct http_request *request;    /* NULL: nobody waits any more */
    struct http_answer answer;
    char *packed;
    size_t packed_length;
};

static void pack(void *owner)
{
    struct pack_job *job = owner;
    z_stream stream = { .next_in = (Bytef *)job->answer.body, .avail_in = (uInt)job->answer.length };
    if (deflateInit2(&stream, PACK_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return;
    const size_t bound = deflateBound(&stream, (uLong)job->answer.length);
    job->packed = malloc(bound);
    stream.next_out = (Bytef *)job->packed;
    stream.avail_out = (uInt)bound;
    const bool is_whole = job->packed != NULL && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    job->packed_length = bound - stream.avail_out;
    deflateEnd(&stream);
    if (!is_whole) {
        free(job->packed);
        job->packed = NULL;
        return;
    }
    free(job->answer.body);              /* here: giving back many megabytes takes its time too */
    job->answer.body = NULL;
}

/* What could not be packed goes out as it is. */
static void packed(void *owner)
{
    struct pack_job *job = owner;
    if (job->door != NULL)
        job->door->pack_job = NULL;
    if (job->packed != NULL) {
        job->answer.body = job->packed;
        job->answer.length = job->packed_length;
        job->answer.is_packed = true;
    }
    if (job->request != NULL) {
        job->request->pack_job = NULL;
        wake_with(job->request, &job->answer);
    } else {
        free(job->answer.body);
    }
    free(job);
}

bool http_later_pack(struct http_request *request, struct http_answer *answer)
{
    struct http_door *door = request->door;
    const struct host *host = door->desk->host;
    if (host == NULL || door->pack_job != NULL || answer->body == NULL || answer->length < HTTP_PACK_LEAST || answer->length > UINT32_MAX / 2 ||
        !http_accepts_gzip(request))
        return false;
    struct pack_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return false;
    *job = (struct pack_job){ .door = door, .request = request, .answer = *answer };
    if (!host->work(host->agent, pack, packed, job)) {
        free(job);
        return false;
    }
    _Static_assert(PACKERS_MAX == 1, "the door knows one job");
    door->pack_job = request->pack_job = job;
    answer->body = NULL;
    sleep_until_ready(request);
    return true;
}

/* ---- slices: one of one list a turn, the lists one after the other ------------------------------------------------------------ */

static void on_slice(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct http_door *door = timer->data;
    struct http_request *request = TAILQ_FIRST(&door->sliced);
    struct http_answer answer = { 0 };
    (void)events;
    if (request == NULL)
        return;
    if (http_fleet_slice(request, &answer)) {
        TAILQ_REMOVE(&door->sliced, request, by_slice);
        request->is_sliced = false;
        if (!http_later_pack(request, &answer))
            wake_with(request, &answer);
    }
    if (!TAILQ_EMPTY(&door->sliced)) {
        ev_timer_set(timer, 0.0, 0.0);
        ev_timer_start(loop, timer);
    }
}

void http_later_open(struct http_door *door)
{
    TAILQ_INIT(&door->sliced);
    ev_init(&door->slice, on_slice);
    door->slice.data = door;
}

void http_later_slice(struct http_request *request, struct http_answer *answer)
{
    struct http_door *door = request->door;
    answer->is_later = true;
    request->is_sliced = true;
    TAILQ_INSERT_TAIL(&door->sliced, request, by_slice);
    sleep_until_ready(request);
    if (!ev_is_active(&door->slice)) {
        ev_timer_set(&door->slice, 0.0, 0.0);
        ev_timer_start(door->loop, &door->slice);
    }
}

/* ---- the end ----------------------------------------------------------------------------------------------------------------- */

void http_later_forget(struct http_request *request)
{
    if (request->is_sliced)
        TAILQ_REMOVE(&request->door->sliced, request, by_slice);
    request->is_sliced = false;
    fleet_sliced_free(request->sliced);
    request->sliced = NULL;
    if (request->pack_job != NULL)
        request->pack_job->request = NULL;
    request->pack_job = NULL;
    free(request->ready.body);
    request->ready.body = NULL;
}

static void end(struct http_request *request)
{
    struct http_answer answer = { 0 };
    answer_error(&answer, FC_BUSY, "this node is stopping");
    wake_with(request, &answer);
}

void http_later_close(struct http_door *door)
{
    ev_timer_stop(door->loop, &door->slice);
    while (!TAILQ_EMPTY(&door->sliced)) {
        struct http_request *request = TAILQ_FIRST(&door->sliced);
        http_later_forget(request);
        end(request);
    }
    if (door->pack_job == NULL)
        return;
    struct http_request *request = door->pack_job->request;
    door->pack_job->door = NULL;
    door->pack_job = NULL;
    if (request != NULL) {
        http_later_forget(request);
        end(request);
    }
}
