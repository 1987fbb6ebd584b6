/* Raft's thread: the world of consensus.h as libuv has it. Everything here runs on its loop; at each turn of it the role is compared
 * with what it was, at each beat (a tenth of the election time) pings go out and what waits is looked at. Nothing is decided here. */
#include "backends/quorum/quorum_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

_Static_assert(STREAMS_PLACES_MAX == ROSTER_PLACES_MAX, "a place in the roster is a place among the streams");

#define SEGMENTS_AHEAD 4                 /* the library lays out two before it needs them; and a snapshot */
#define SEGMENT_BYTES (256 * 1024)       /* of the log's files: they are laid out in full, and our entries are small */

static struct quorum *quorum_of(struct quorum_loop *l) { return (struct quorum *)((char *)l - offsetof(struct quorum, inside)); }

static void log_folder(const struct quorum *q, char *to, size_t size) { text_format(to, size, "%s/log", q->settings.dir); }

static bool has_files(const char *path)
{
    DIR *dir = opendir(path);
    int count = 0;
    while (dir != NULL && count < 3 && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        closedir(dir);
    return count > 2;                                      /* "." and ".." */
}

/* ---- what the consensus is lent ----------------------------------------------------------------------------------- */

static struct fc_time world_now(void *owner)
{
    (void)owner;
    return quorum_now();
}

static int world_open_io(void *owner, struct raft_io *ret)
{
    struct quorum_loop *l = owner;
    char path[BIRTH_DIR_SIZE + 8];
    log_folder(quorum_of(l), path, sizeof path);
    const int code = raft_uv_init(ret, &l->loop, path, streams_for_raft(l->streams));
    if (code != 0)
        return code;
    l->io = ret;
    raft_uv_set_segment_size(ret, SEGMENT_BYTES);
    raft_uv_set_snapshot_compression(ret, false);          /* small; and what is damaged is told by our own checksum (consensus_io.c) */
    raft_uv_set_connect_retry_delay(ret, (unsigned)(quorum_of(l)->settings.election_ms / 4));
    return 0;
}

static void world_close_io(void *owner)
{
    struct quorum_loop *l = owner;
    if (l->io != NULL)
        raft_uv_close(l->io);
    l->io = NULL;
}

static bool world_has_room(void *owner)
{
    char path[BIRTH_DIR_SIZE + 8];
    text_format(path, sizeof path, "%s/room", quorum_of(owner)->settings.dir);
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool has_room = file >= 0 && posix_fallocate(file, 0, SEGMENTS_AHEAD * SEGMENT_BYTES) == 0;
    if (file >= 0)
        close(file);
    unlink(path);
    return has_room;
}

static bool world_send(void *owner, int member, const struct frame *frame)
{
    struct quorum_loop *l = owner;
    return streams_send(l->streams, member, frame);
}

static void world_break_off(void *owner, int member)
{
    struct quorum_loop *l = owner;
    streams_break(l->streams, member);
}

static uint64_t world_held(void *owner) { return held_index(&((struct quorum_loop *)owner)->held); }
static void world_hold(void *owner, uint64_t index) { held_set(&((struct quorum_loop *)owner)->held, index); }
static void world_heard(void *owner, const struct quorum_heard *heard) { quorum_hear(quorum_of(owner), heard); }
static void world_heard_state(void *owner, const struct shared_state *state) { quorum_hear_state(quorum_of(owner), state); }
static void world_say(void *owner, const char *sentence) { quorum_say(quorum_of(owner), sentence); }

static void world_show(void *owner, struct quorum_view *view)
{
    struct quorum_loop *l = owner;
    const struct quorum_settings *s = &quorum_of(l)->settings;
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        if (i != s->own)
            view->peers[i].is_open = l->streams != NULL && streams_is_open(l->streams, i);
    }
    if (l->streams != NULL)
        view->streams = streams_counters(l->streams);
    quorum_show(quorum_of(l), view);
}

/* The transport knows names, and the streams which incarnation of a name is meant. */
static void world_know(void *owner, const struct roster *roster, uint64_t own_id)
{
    struct quorum_loop *l = owner;
    const struct quorum_settings *s = &quorum_of(l)->settings;
    if (l->streams == NULL)
        return;
    if (s->transport.know != NULL)
        s->transport.know(s->transport.owner, roster);
    for (int i = 0; i < ROSTER_PLACES_MAX; i++) {
        const struct roster_place *p = &roster->places[i];
        struct streams_peer peer = { .id = p->id };
        if (i == s->own)
            continue;
        if (p->name[0] != '\0')
            peer.name_id = quorum_member_id(p->name);
        TEXT_SET(peer.address, s->transport.know != NULL ? p->name : p->address);
        streams_put(l->streams, i, &peer);
    }
    streams_be(l->streams, own_id, roster->has_log);
}

/* ---- what the loop brings ----------------------------------------------------------------------------------------- */

static void asked(void *owner, int peer, const struct frame *frame, struct frame *answer)
{
    struct quorum_loop *l = owner;
    consensus_asked(&l->consensus, peer, frame, answer);
}

static void answered(void *owner, int peer, const struct frame *frame)
{
    struct quorum_loop *l = owner;
    consensus_answered(&l->consensus, peer, frame);
}

static void beat(uv_timer_t *timer)
{
    struct quorum_loop *l = timer->data;
    struct quorum *q = quorum_of(l);
    if (l->is_ending)
        return;
    streams_tick(l->streams, quorum_now());
    pthread_mutex_lock(&q->lock);
    const bool must_hand_over = q->must_hand_over;
    pthread_mutex_unlock(&q->lock);
    if (must_hand_over)
        quorum_hear_state(q, consensus_state(&l->consensus));
    consensus_beat(&l->consensus);
}

static void turned(uv_check_t *turn) { consensus_turned(&((struct quorum_loop *)turn->data)->consensus); }

/* ---- the end ------------------------------------------------------------------------------------------------------ */

static void streams_closed(void *owner)
{
    struct quorum_loop *l = owner;
    l->streams = NULL;
    uv_close((uv_handle_t *)&l->tick, NULL);
    uv_close((uv_handle_t *)&l->turn, NULL);
    uv_close((uv_handle_t *)&quorum_of(l)->wake, NULL);
}

static void consensus_closed(void *owner)
{
    struct quorum_loop *l = owner;
    streams_close(l->streams, streams_closed, l);
}

static void end(struct quorum_loop *l)
{
    struct quorum *q = quorum_of(l);
    l->is_ending = true;
    pthread_mutex_lock(&q->lock);
    q->is_loop_gone = true;
    pthread_mutex_unlock(&q->lock);
    consensus_end(&l->consensus, consensus_closed);
}

static void take_told(uv_async_t *wake)
{
    struct quorum_loop *l = wake->data;
    struct consensus *c = &l->consensus;
    struct told told;
    while (!l->is_ending && quorum_told_take(quorum_of(l), &told)) {
        switch (told.kind) {
        case TOLD_PROPOSE: consensus_propose(c, told.number, told.bytes, told.length, told.limit_ms); break;
        case TOLD_STAND: consensus_stand(c, told.to != 0); break;
        case TOLD_YIELD: consensus_yield(c, told.number, told.to, told.limit_ms); break;
        case TOLD_SNAPSHOT: consensus_snapshot(c, told.number); break;
        case TOLD_MEMBERS: consensus_change_members(c, told.number, (enum member_change)told.to, told.name, told.address); break;
        case TOLD_WORDS: consensus_tell_words(c, &told.rank, &told.words); break;
        case TOLD_END: end(l); break;
        }
    }
}

/* ---- the begin ---------------------------------------------------------------------------------------------------- */

static int open_streams(struct quorum_loop *l)
{
    const struct quorum_settings *s = &quorum_of(l)->settings;
    const struct quorum_member *self = &s->members[s->own];
    const struct streams_port port = { .owner = l, .asked = asked, .answered = answered };
    return streams_open(&l->loop, &l->transport, quorum_member_id(self->name), s->transport.know != NULL ? self->name : self->address, &port,
                        &l->streams);
}

enum fc_code quorum_inside_open(struct quorum *q, struct fc_err *err)
{
    struct quorum_loop *l = &q->inside;
    const struct consensus_world world = { .owner = l, .now = world_now, .open_io = world_open_io, .send = world_send,
                                           .break_off = world_break_off, .has_room = world_has_room, .close_io = world_close_io, .held = world_held, .hold = world_hold, .heard = world_heard, .heard_state = world_heard_state,
                                           .show = world_show, .say = world_say, .know = world_know };
    struct birth birth;
    char path[BIRTH_DIR_SIZE + 8];
    log_folder(q, path, sizeof path);
    enum fc_code code = birth_open(q->settings.dir, q->settings.members[q->settings.own].name, has_files(path), &birth, err);
    if (code == FC_OK && mkdir(path, 0700) != 0 && errno != EEXIST)
        code = fc_fail(err, FC_STORE, "cannot make '%s': %s", path, strerror(errno));
    if (code == FC_OK)
        code = held_open(q->settings.dir, &l->held, err);
    if (code != FC_OK)
        return code;
    uv_loop_init(&l->loop);
    uv_timer_init(&l->loop, &l->tick);
    uv_check_init(&l->loop, &l->turn);
    uv_async_init(&l->loop, &q->wake, take_told);
    l->tick.data = l->turn.data = q->wake.data = l;
    consensus_init(&l->consensus, &q->settings, &birth, &world);
    return FC_OK;
}

static void begin(struct quorum_loop *l)
{
    struct quorum *q = quorum_of(l);
    struct fc_err err = { .code = FC_OK };
    const unsigned every_ms = (unsigned)q->settings.election_ms / 10;
    uv_check_start(&l->turn, turned);
    uv_timer_start(&l->tick, beat, 0, every_ms);
    l->has_transport = q->settings.transport.make(q->settings.transport.owner, &l->loop, &l->transport, &err) == FC_OK;
    if (!l->has_transport) {
        consensus_go_out(&l->consensus, err.text);
        consensus_show(&l->consensus);
        streams_closed(l);
        return;
    }
    if (open_streams(l) != 0) {
        consensus_go_out(&l->consensus, l->transport.errmsg[0] != '\0' ? l->transport.errmsg : "cannot listen at RaftBind");
        consensus_show(&l->consensus);
        return;
    }
    consensus_begin(&l->consensus);
}

void *quorum_inside_run(void *owner)
{
    struct quorum *q = owner;
    struct quorum_loop *l = &q->inside;
    begin(l);
    uv_run(&l->loop, UV_RUN_DEFAULT);
    pthread_mutex_lock(&q->lock);
    q->is_loop_gone = true;
    pthread_mutex_unlock(&q->lock);
    if (l->io != NULL)
        raft_uv_close(l->io);
    if (l->has_transport)
        q->settings.transport.done(q->settings.transport.owner, &l->transport);
    uv_loop_close(&l->loop);
    held_close(&l->held);
    return NULL;
}
