/* Peers' streams on real sockets of loopback, without raft: who gets in, who does not, what is counted, what arrives.
 *
 * All peers of a scene live on one loop. The scene stands in raft's place: it is handed streams, reads, writes and closes them. */
#include "backends/quorum/transport.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "backends/quorum/handshake.h"
#include "base/text.h"

#define LIMIT_MS 20000              /* of any wait: generous, the machine may be loaded */
#define PEERS 3
#define EARS_MAX 12
#define STRANGERS_MAX 64
#define KEY "the key that all peers share"

struct ear {                        /* a stream that a peer accepted, as raft would hold it */
    struct uv_stream_s *stream;
    raft_id id;
    char name[NODE_NAME_SIZE];
    uint8_t *bytes;
    size_t length, size;
    bool is_over;
};

struct peer {
    struct scene *scene;
    struct transport_config config;
    struct transport_counts counts;
    struct raft_uv_transport face;
    struct ear ears[EARS_MAX];
    int ear_count;
    int said;
    char last[320];
    bool is_closed;
};

struct mouth {                      /* a connect of raft's */
    struct raft_uv_connect request;
    struct uv_stream_s *stream;
    int status;
    bool is_answered, is_over;
    uint8_t heard[64];
    size_t length;
};

struct scene {
    uv_loop_t loop;
    uv_timer_t beat;
    struct peer peers[PEERS];
    struct transport_peer known[PEERS];      /* what lookup answers; id 0 = nobody */
};

/* ---- raft's place ---- */

static void on_stream_closed(uv_handle_t *handle)
{
    raft_free(handle);
}

static void stream_close(struct uv_stream_s **stream)
{
    if (*stream != NULL)
        uv_close((uv_handle_t *)*stream, on_stream_closed);
    *stream = NULL;
}

static void on_alloc_ear(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct ear *ear = handle->data;
    if (ear->size - ear->length < suggested) {
        ear->size = ear->length + suggested;
        ear->bytes = realloc(ear->bytes, ear->size);
        cr_assert_not_null(ear->bytes);
    }
    *ret = uv_buf_init((char *)ear->bytes + ear->length, (unsigned)(ear->size - ear->length));
}

static void on_ear(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct ear *ear = stream->data;
    (void)buffer;
    if (count > 0)
        ear->length += (size_t)count;
    else if (count < 0) {
        ear->is_over = true;
        stream_close(&ear->stream);
    }
}

static void on_accepted(struct raft_uv_transport *face, raft_id id, const char *address, struct uv_stream_s *stream)
{
    struct peer *peer = face->data;
    struct ear *ear = &peer->ears[peer->ear_count++];

    cr_assert_leq(peer->ear_count, EARS_MAX);
    *ear = (struct ear){ .stream = stream, .id = id };
    TEXT_SET(ear->name, address);
    stream->data = ear;
    cr_assert_eq(uv_read_start(stream, on_alloc_ear, on_ear), 0);
}

static void on_alloc_mouth(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct mouth *mouth = handle->data;
    (void)suggested;
    *ret = uv_buf_init((char *)mouth->heard + mouth->length, (unsigned)(sizeof mouth->heard - mouth->length));
}

static void on_mouth(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct mouth *mouth = stream->data;
    (void)buffer;
    if (count > 0)
        mouth->length += (size_t)count;
    else if (count < 0) {
        mouth->is_over = true;
        stream_close(&mouth->stream);
    }
}

static void on_connected(struct raft_uv_connect *request, struct uv_stream_s *stream, int status)
{
    struct mouth *mouth = request->data;

    cr_assert_not(mouth->is_answered, "answered once");
    mouth->is_answered = true;
    mouth->status = status;
    mouth->stream = stream;
    cr_assert_eq(stream != NULL, status == 0);
    if (stream != NULL) {
        stream->data = mouth;
        cr_assert_eq(uv_read_start(stream, on_alloc_mouth, on_mouth), 0);
    }
}

/* ---- the scene ---- */

static bool on_lookup(void *owner, raft_id id, struct transport_peer *ret)
{
    const struct scene *s = ((struct peer *)owner)->scene;
    for (int i = 0; i < PEERS; i++) {
        if (s->known[i].id == id && id != 0) {
            *ret = s->known[i];
            return true;
        }
    }
    return false;
}

static void on_say(void *owner, enum transport_count kind, const char *sentence)
{
    struct peer *peer = owner;
    (void)kind;
    cr_assert_null(strstr(sentence, KEY), "a key is never said");
    peer->said++;
    TEXT_SET(peer->last, sentence);
}

static void on_beat(uv_timer_t *timer)
{
    (void)timer;
}

static struct scene *scene_open(void)
{
    struct scene *s = calloc(1, sizeof *s);

    signal(SIGPIPE, SIG_IGN);
    cr_assert_not_null(s);
    uv_loop_init(&s->loop);
    uv_timer_init(&s->loop, &s->beat);
    uv_timer_start(&s->beat, on_beat, 2, 2);
    return s;
}

/* Runs the loop until the claim is true. */
#define UNTIL(s, claim)                                                                   \
    do {                                                                                  \
        const uint64_t until_ms = uv_hrtime() / 1000000 + LIMIT_MS;                       \
        while (!(claim) && uv_hrtime() / 1000000 < until_ms)                              \
            uv_run(&(s)->loop, UV_RUN_ONCE);                                              \
        cr_assert(claim, "not within %d ms: %s", LIMIT_MS, #claim);                       \
    } while (0)

static void run_for(struct scene *s, uint64_t ms)
{
    const uint64_t until_ms = uv_hrtime() / 1000000 + ms;
    while (uv_hrtime() / 1000000 < until_ms)
        uv_run(&s->loop, UV_RUN_ONCE);
}

static uint64_t count_of(const struct peer *peer, enum transport_count kind)
{
    return atomic_load(&peer->counts.of[kind]);
}

static struct peer *peer_init(struct scene *s, int index, raft_id id, const char *name, const char *key)
{
    struct peer *peer = &s->peers[index];
    struct fc_err err = { .text = "" };

    memset(peer, 0, sizeof *peer);
    peer->scene = s;
    transport_config_preset(&peer->config);
    peer->config.connect_limit_ms = peer->config.handshake_limit_ms = LIMIT_MS;      /* scenes of slowness set their own */
    peer->config.id = id;
    TEXT_SET(peer->config.name, name);
    TEXT_SET(peer->config.cluster, "home");
    TEXT_SET(peer->config.listen, "127.0.0.1:0");
    peer->config.owner = peer;
    peer->config.lookup = on_lookup;
    peer->config.say = on_say;
    cr_assert_eq(peer_key_take(key, strlen(key), "the scene", &peer->config.key, &err), FC_OK, "%s", err.text);
    return peer;
}

static void peer_start(struct peer *peer)
{
    struct fc_err err = { .text = "" };
    struct transport_peer *known = &peer->scene->known[peer - peer->scene->peers];

    cr_assert_eq(transport_init(&peer->face, &peer->scene->loop, &peer->config, &peer->counts, &err), FC_OK, "%s", err.text);
    cr_assert_eq(peer->face.init(&peer->face, peer->config.id, peer->config.name), 0, "%s", peer->face.errmsg);
    peer->face.data = peer;
    cr_assert_eq(peer->face.listen(&peer->face, on_accepted), 0, "%s", peer->face.errmsg);
    known->id = peer->config.id;
    TEXT_SET(known->name, peer->config.name);
    TEXT_FORMAT(known->address, "127.0.0.1:%d", transport_port(&peer->face));
}

static struct peer *peer_add(struct scene *s, int index, raft_id id, const char *name)
{
    struct peer *peer = peer_init(s, index, id, name, KEY);
    peer_start(peer);
    return peer;
}

static void on_transport_closed(struct raft_uv_transport *face)
{
    ((struct peer *)face->data)->is_closed = true;
}

static void peer_stop(struct peer *peer)
{
    for (int i = 0; i < peer->ear_count; i++)
        stream_close(&peer->ears[i].stream);
    peer->face.close(&peer->face, on_transport_closed);
    UNTIL(peer->scene, peer->is_closed);
    cr_expect_eq(atomic_load(&peer->counts.half_open), 0);
    cr_expect_eq(count_of(peer, TRANSPORT_CLOSED), count_of(peer, TRANSPORT_ACCEPTED) + count_of(peer, TRANSPORT_CONNECTED));
    transport_done(&peer->face);
    for (int i = 0; i < peer->ear_count; i++)
        free(peer->ears[i].bytes);
}

static void scene_close(struct scene *s)
{
    for (int i = 0; i < PEERS; i++) {
        if (s->peers[i].face.impl != NULL)
            peer_stop(&s->peers[i]);
    }
    uv_close((uv_handle_t *)&s->beat, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&s->loop), 0, "nothing is left on the loop");
    free(s);
}

static void begin(struct peer *from, struct mouth *mouth, raft_id id, const char *name)
{
    *mouth = (struct mouth){ .request.data = mouth };
    cr_assert_eq(from->face.connect(&from->face, &mouth->request, id, name, on_connected), 0);
}

/* Connects and waits for the verdict. */
static void reach(struct peer *from, struct mouth *mouth, const struct peer *to)
{
    begin(from, mouth, to->config.id, to->config.name);
    UNTIL(from->scene, mouth->is_answered);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write);
}

static void write_bytes(struct uv_stream_s *stream, const void *bytes, size_t length)
{
    uv_write_t *write = malloc(sizeof *write);
    const uv_buf_t buffer = uv_buf_init((char *)bytes, (unsigned)length);

    cr_assert_not_null(write);
    cr_assert_eq(uv_write(write, stream, &buffer, 1, on_written), 0);
}

/* A stranger: a bare socket, connected to the peer's port. */
static int stranger(const struct peer *to)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)transport_port(&to->face)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* Reads until there are so many bytes. */
static void stranger_hears(struct scene *s, int fd, uint8_t *to, size_t wanted)
{
    size_t length = 0;
    ssize_t got;
    UNTIL(s, length == wanted || ((got = recv(fd, to + length, wanted - length, 0)) > 0 && (length += (size_t)got) == wanted));
}

static bool is_closed_on(int fd)
{
    char byte;
    const ssize_t got = recv(fd, &byte, 1, MSG_PEEK);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

/* ---- scenes ---- */

Test(transport, two_peers_prove_themselves_and_what_one_writes_the_other_reads)
{
    struct scene *s = scene_open();
    struct peer *one = peer_add(s, 0, 1, "fc1"), *two = peer_add(s, 1, 2, "fc2");
    struct mouth mouth;

    reach(one, &mouth, two);
    cr_assert_eq(mouth.status, 0, "%s", one->last);
    write_bytes(mouth.stream, "append entries", 14);
    UNTIL(s, two->ear_count == 1 && two->ears[0].length == 14);
    cr_expect_arr_eq(two->ears[0].bytes, "append entries", 14);
    cr_expect_eq(two->ears[0].id, 1);
    cr_expect_str_eq(two->ears[0].name, "fc1");
    cr_expect_gt(transport_heard_ms(&two->face, 1), 0);
    cr_expect_eq(transport_heard_ms(&two->face, 3), 0);
    cr_expect_eq(count_of(one, TRANSPORT_CONNECTED), 1);
    cr_expect_eq(count_of(two, TRANSPORT_ACCEPTED), 1);
    cr_expect_eq(atomic_load(&one->counts.bytes_sent), 14);
    cr_expect_eq(atomic_load(&two->counts.bytes_received), 14);
    stream_close(&mouth.stream);
    UNTIL(s, two->ears[0].is_over);
    scene_close(s);
}

Test(transport, a_snapshot_of_megabytes_arrives_whole_and_in_order)
{
    struct scene *s = scene_open();
    struct peer *one = peer_add(s, 0, 1, "fc1"), *two = peer_add(s, 1, 2, "fc2");
    struct mouth mouth;
    const size_t length = 5 * 1024 * 1024 + 3;
    uint32_t *snapshot = calloc(1, length + 4);

    cr_assert_not_null(snapshot);
    for (size_t i = 0; i < length / 4; i++)
        snapshot[i] = (uint32_t)i * 2654435761u;
    reach(one, &mouth, two);
    write_bytes(mouth.stream, snapshot, length);
    UNTIL(s, two->ear_count == 1 && two->ears[0].length == length);
    cr_expect_eq(memcmp(two->ears[0].bytes, snapshot, length), 0);
    stream_close(&mouth.stream);
    scene_close(s);
    free(snapshot);
}

Test(transport, what_raft_wrote_before_it_closed_still_arrives)
{
    struct scene *s = scene_open();
    struct peer *one = peer_add(s, 0, 1, "fc1"), *two = peer_add(s, 1, 2, "fc2");
    struct mouth mouth;
    static const uint8_t bytes[40000];

    reach(one, &mouth, two);
    write_bytes(mouth.stream, bytes, sizeof bytes);
    uv_run(&s->loop, UV_RUN_NOWAIT);
    stream_close(&mouth.stream);
    UNTIL(s, two->ear_count == 1 && two->ears[0].is_over);
    cr_expect_eq(two->ears[0].length, sizeof bytes);
    scene_close(s);
}

Test(transport, another_key_is_turned_away_by_both_sides)
{
    struct scene *s = scene_open();
    struct peer *one = peer_init(s, 0, 1, "fc1", "another key of somebody"), *two = peer_add(s, 1, 2, "fc2");
    struct mouth mouth;

    peer_start(one);
    reach(one, &mouth, two);
    cr_expect_eq(mouth.status, RAFT_NOCONNECTION);
    cr_expect_eq(count_of(two, TRANSPORT_WRONG_PROOF), 1);
    cr_expect_eq(count_of(one, TRANSPORT_REFUSED_US), 1);
    cr_expect_not_null(strstr(one->last, "has it the same key"), "said: %s", one->last);
    cr_expect_not_null(strstr(two->last, "127.0.0.1:"), "the other end is named: %s", two->last);
    cr_expect_eq(two->ear_count, 0);
    scene_close(s);
}

Test(transport, another_cluster_is_turned_away)
{
    struct scene *s = scene_open();
    struct peer *one = peer_init(s, 0, 1, "fc1", KEY), *two = peer_add(s, 1, 2, "fc2");
    struct mouth mouth;

    TEXT_SET(one->config.cluster, "away");
    peer_start(one);
    reach(one, &mouth, two);
    cr_expect_eq(mouth.status, RAFT_NOCONNECTION);
    cr_expect_eq(count_of(two, TRANSPORT_WRONG_CLUSTER), 1);
    cr_expect_eq(two->ear_count, 0);
    scene_close(s);
}

/* What the peer behind fc2's address knows is changed before fc1 connects. */
static void turned_away(raft_id id, const char *name, raft_id known_id, const char *known_name, enum transport_count kind,
                        const char *words)
{
    struct scene *s = scene_open();
    struct peer *one = peer_init(s, 0, id, name, KEY), *two = peer_add(s, 1, 2, "fc2");
    struct mouth mouth;

    peer_start(one);
    s->known[0].id = known_id;
    TEXT_SET(s->known[0].name, known_name);
    reach(one, &mouth, two);
    cr_expect_eq(mouth.status, RAFT_NOCONNECTION);
    cr_expect_eq(count_of(two, kind), 1, "%s", two->last);
    cr_expect_eq(count_of(one, TRANSPORT_REFUSED_US), 1);
    cr_expect_not_null(strstr(one->last, words), "said: %s", one->last);
    cr_expect_eq(two->ear_count, 0);
    scene_close(s);
}

Test(transport, who_holds_the_key_and_is_no_member_is_turned_away)
{
    turned_away(7, "fc7", 1, "fc1", TRANSPORT_UNKNOWN_PEER, "knows no peer of our id");
}

Test(transport, an_id_under_another_name_is_turned_away)
{
    turned_away(1, "fc1b", 1, "fc1", TRANSPORT_OTHER_NAME, "under another name");
}

Test(transport, our_own_id_is_turned_away)
{
    struct scene *s = scene_open();
    struct peer *two = peer_add(s, 1, 2, "fc2"), *one = peer_init(s, 0, 2, "fc2", KEY);
    struct mouth mouth;

    peer_start(one);
    s->known[0].id = 0;                                   /* a second node was given fc2's identity, and connects to fc2 */
    reach(one, &mouth, two);
    cr_expect_eq(mouth.status, RAFT_NOCONNECTION);
    cr_expect_eq(count_of(two, TRANSPORT_OWN_ID), 1);
    scene_close(s);
}

Test(transport, a_name_that_leads_to_another_peer_leads_nowhere)
{
    struct scene *s = scene_open();
    struct peer *one = peer_add(s, 0, 1, "fc1"), *two = peer_add(s, 1, 2, "fc2"), *three = peer_add(s, 2, 3, "fc3");
    struct mouth mouth;

    TEXT_SET(s->known[1].address, s->known[2].address);   /* fc2's name now leads to fc3 */
    reach(one, &mouth, two);
    cr_expect_eq(mouth.status, RAFT_NOCONNECTION);
    cr_expect_eq(count_of(three, TRANSPORT_WRONG_ADDRESSEE), 1);
    cr_expect_eq(three->ear_count, 0);
    scene_close(s);
}

Test(transport, a_peer_may_move_to_another_address_without_a_change_of_membership)
{
    struct scene *s = scene_open();
    struct peer *one = peer_add(s, 0, 1, "fc1"), *two = peer_add(s, 1, 2, "fc2");
    struct mouth mouth;

    peer_stop(two);
    reach(one, &mouth, two);
    cr_expect_eq(mouth.status, RAFT_NOCONNECTION);
    cr_expect_eq(count_of(one, TRANSPORT_UNREACHED), 1);
    two = peer_add(s, 1, 2, "fc2");
    reach(one, &mouth, two);
    cr_expect_eq(mouth.status, 0);
    stream_close(&mouth.stream);
    scene_close(s);
}

Test(transport, names_are_resolved_and_every_address_of_them_is_tried)
{
    struct scene *s = scene_open();
    struct peer *one = peer_add(s, 0, 1, "fc1"), *two = peer_add(s, 1, 2, "fc2");
    struct mouth mouth;

    TEXT_FORMAT(s->known[1].address, "localhost:%d", transport_port(&two->face));    /* ::1 first, where fc2 does not listen */
    reach(one, &mouth, two);
    cr_expect_eq(mouth.status, 0, "%s", one->last);
    stream_close(&mouth.stream);
    TEXT_FORMAT(s->known[1].address, "%070d.example.com:1", 1);      /* a label too long to ask any server of names about */
    reach(one, &mouth, two);
    cr_expect_eq(mouth.status, RAFT_NOCONNECTION);
    cr_expect_eq(count_of(one, TRANSPORT_UNRESOLVED), 1);
    cr_expect_not_null(strstr(one->last, "does not resolve"), "said: %s", one->last);
    scene_close(s);
}

Test(transport, an_answer_comes_back_on_the_same_stream)
{
    struct scene *s = scene_open();
    struct peer *one = peer_add(s, 0, 1, "fc1"), *two = peer_add(s, 1, 2, "fc2");
    struct mouth mouth;

    reach(one, &mouth, two);
    write_bytes(mouth.stream, "ping", 4);
    UNTIL(s, two->ear_count == 1 && two->ears[0].length == 4);
    write_bytes(two->ears[0].stream, "pong", 4);
    UNTIL(s, mouth.length == 4);
    cr_expect_arr_eq(mouth.heard, "pong", 4);
    stream_close(&two->ears[0].stream);
    UNTIL(s, mouth.is_over);
    scene_close(s);
}

Test(transport, a_peer_may_have_several_streams_and_of_too_many_the_oldest_ends)
{
    struct scene *s = scene_open();
    struct peer *one = peer_add(s, 0, 1, "fc1"), *two = peer_add(s, 1, 2, "fc2");
    struct mouth mouths[TRANSPORT_STREAMS_PER_PEER + 1];

    for (int i = 0; i < TRANSPORT_STREAMS_PER_PEER; i++) {
        reach(one, &mouths[i], two);
        UNTIL(s, two->ear_count == i + 1);
    }
    cr_expect_eq(count_of(two, TRANSPORT_REPLACED), 0);
    reach(one, &mouths[TRANSPORT_STREAMS_PER_PEER], two);
    UNTIL(s, two->ears[0].is_over && mouths[0].is_over);
    cr_expect_eq(count_of(two, TRANSPORT_REPLACED), 1);
    write_bytes(mouths[1].stream, "next oldest", 11);
    UNTIL(s, two->ears[1].length == 11);
    for (int i = 1; i <= TRANSPORT_STREAMS_PER_PEER; i++)
        stream_close(&mouths[i].stream);
    scene_close(s);
}

Test(transport, a_twin_of_a_peer_that_is_alive_is_turned_away_and_a_restarted_one_is_not)
{
    struct scene *s = scene_open();
    struct peer *one = peer_add(s, 0, 1, "fc1"), *two = peer_add(s, 1, 2, "fc2"), *twin = peer_init(s, 2, 1, "fc1", KEY);
    struct mouth mouth, other;

    peer_start(twin);
    s->known[2].id = 0;
    reach(one, &mouth, two);
    UNTIL(s, two->ear_count == 1);
    reach(twin, &other, two);
    cr_expect_eq(other.status, RAFT_NOCONNECTION);
    cr_expect_eq(count_of(two, TRANSPORT_TWIN), 1);
    cr_expect_not(two->ears[0].is_over, "the first keeps its stream");

    stream_close(&mouth.stream);                          /* the first process is gone, and the kernel said so */
    UNTIL(s, two->ears[0].is_over);
    reach(twin, &other, two);
    cr_expect_eq(other.status, 0);
    stream_close(&other.stream);
    scene_close(s);
}

/* A stranger says these bytes (hears the greeting first) and is counted as this kind; nobody else notices. */
static void stranger_says(const void *bytes, size_t length, enum transport_count kind)
{
    struct scene *s = scene_open();
    struct peer *two = peer_add(s, 1, 2, "fc2");
    const int fd = stranger(two);
    uint8_t greeting[HANDSHAKE_GREETING];

    stranger_hears(s, fd, greeting, sizeof greeting);
    cr_assert_eq(send(fd, bytes, length, 0), (ssize_t)length);
    if (kind == TRANSPORT_LOST)
        shutdown(fd, SHUT_WR);
    UNTIL(s, is_closed_on(fd));
    cr_expect_eq(count_of(two, kind), 1);
    cr_expect_eq(two->ear_count, 0);
    close(fd);
    scene_close(s);
}

Test(transport, garbage_is_dropped_and_counted)
{
    static const uint8_t zeros[4096];
    stranger_says(zeros, sizeof zeros, TRANSPORT_GARBAGE);
}

Test(transport, a_page_request_is_dropped_and_counted)
{
    char request[600];
    memset(request, 'x', sizeof request);
    memcpy(request, "GET / HTTP/1.1\r\n", 16);
    stranger_says(request, sizeof request, TRANSPORT_GARBAGE);
}

Test(transport, who_leaves_in_the_midst_is_dropped_and_counted)
{
    stranger_says("fcpeer1I", 8, TRANSPORT_LOST);
}

Test(transport, an_introduction_that_was_recorded_proves_nothing_when_said_again)
{
    struct scene *s = scene_open();
    struct peer *two = peer_add(s, 1, 2, "fc2");
    struct handshake_introduction self = { .id = 1, .other_id = 2, .cluster = "home", .name = "fc1", .other_name = "fc2" };
    struct handshake_transcript recorded;
    uint8_t greeting[HANDSHAKE_GREETING], welcome[HANDSHAKE_WELCOME];

    s->known[0] = (struct transport_peer){ .id = 1, .name = "fc1", .address = "127.0.0.1:1" };
    const int fd = stranger(two), again = stranger(two);
    stranger_hears(s, fd, greeting, sizeof greeting);
    handshake_introduce(&recorded, &two->config.key, &self, greeting, sizeof greeting);
    cr_assert_eq(send(fd, recorded.introduction, HANDSHAKE_INTRODUCTION, 0), HANDSHAKE_INTRODUCTION);
    stranger_hears(s, fd, welcome, sizeof welcome);
    cr_expect_eq(count_of(two, TRANSPORT_ACCEPTED), 1);

    stranger_hears(s, again, greeting, sizeof greeting);
    cr_assert_eq(send(again, recorded.introduction, HANDSHAKE_INTRODUCTION, 0), HANDSHAKE_INTRODUCTION);
    UNTIL(s, is_closed_on(again));
    cr_expect_eq(count_of(two, TRANSPORT_WRONG_PROOF), 1);

    /* And who was let in, but seals nothing, gets nothing to raft. */
    cr_assert_eq(send(fd, "\0\0\0\4abcd0123456789abcdef", 24, 0), 24);
    UNTIL(s, two->ears[0].is_over);
    cr_expect_eq(count_of(two, TRANSPORT_FORGED), 1);
    cr_expect_eq(two->ears[0].length, 0);
    close(fd);
    close(again);
    scene_close(s);
}

Test(transport, who_says_nothing_is_dropped_in_time)
{
    struct scene *s = scene_open();
    struct peer *two = peer_init(s, 1, 2, "fc2", KEY);

    two->config.handshake_limit_ms = 100;
    peer_start(two);
    const int fd = stranger(two);
    UNTIL(s, count_of(two, TRANSPORT_TOO_SLOW) == 1);
    UNTIL(s, atomic_load(&two->counts.half_open) == 0);
    close(fd);
    scene_close(s);
}

/* Its port; it accepts nobody. */
static int listen_mutely(int queue, int *ret)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;

    *ret = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(*ret, (struct sockaddr *)&address, size) == 0 && listen(*ret, queue) == 0 &&
              getsockname(*ret, (struct sockaddr *)&address, &size) == 0);
    return ntohs(address.sin_port);
}

/* Whoever connects to fc2 comes there. */
static void place_fc2(struct scene *s, int port)
{
    s->known[1] = (struct transport_peer){ .id = 2, .name = "fc2" };
    TEXT_FORMAT(s->known[1].address, "127.0.0.1:%d", port);
}

Test(transport, a_peer_that_says_nothing_costs_a_connect_its_limit_and_no_more)
{
    struct scene *s = scene_open();
    struct peer *one = peer_init(s, 0, 1, "fc1", KEY);
    struct mouth mouth;
    int mute;

    one->config.connect_limit_ms = 100;
    peer_start(one);
    place_fc2(s, listen_mutely(8, &mute));
    begin(one, &mouth, 2, "fc2");
    UNTIL(s, mouth.is_answered);
    cr_expect_eq(mouth.status, RAFT_NOCONNECTION);
    cr_expect_eq(count_of(one, TRANSPORT_TOO_SLOW), 1);
    close(mute);
    scene_close(s);
}

/* One try; `comes` (NULL: nobody) proves itself, from elsewhere, when the port is closed. */
static bool asks_again(struct scene *s, struct peer *one, uint64_t wait_ms, struct peer *comes)
{
    const struct transport_peer known = s->known[1];
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct mouth mouth, other = { .stream = NULL };
    int mute;
    const int port = listen_mutely(0, &mute), first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_port = htons((uint16_t)port);
    cr_assert_eq(connect(first, (struct sockaddr *)&address, sizeof address), 0);      /* its queue is full: a SYN goes unanswered */
    place_fc2(s, port);
    begin(one, &mouth, 2, "fc2");
    run_for(s, wait_ms);
    close(first);
    close(mute);
    if (comes != NULL) {
        s->known[1] = known;
        reach(comes, &other, one);
    }
    UNTIL(s, mouth.is_answered);
    cr_expect_neq(mouth.status, 0);
    stream_close(&other.stream);
    return strstr(one->last, "refused") != NULL;
}

/* The kernel asks again a second after the last try, when the limit is over. So who is refused, by a port that is closed by now, has asked again
 * by itself. A loaded machine may be late for it a few times. */
static void must_ask_again(struct scene *s, struct peer *one, int limit_ms, uint64_t wait_ms, struct peer *comes)
{
    int tries = 5;

    one->config.connect_limit_ms = limit_ms;
    peer_start(one);
    while (!asks_again(s, one, wait_ms, comes))
        cr_assert_gt(--tries, 0, "%s", one->last);
    scene_close(s);
}

Test(transport, an_address_is_asked_anew_before_the_kernel_does_it)
{
    struct scene *s = scene_open();
    must_ask_again(s, peer_init(s, 0, 1, "fc1", KEY), 900, 200, NULL);                 /* asked at 0, 129 and 386 */
}

Test(transport, a_peer_that_proves_itself_is_asked_anew_at_once)
{
    struct scene *s = scene_open();
    struct peer *two = peer_add(s, 1, 2, "fc2");
    must_ask_again(s, peer_init(s, 0, 1, "fc1", KEY), 1600, 1000, two);                /* asked at 0, 229 and 686 */
}

Test(transport, strangers_have_little_room_and_the_oldest_goes_first)
{
    struct scene *s = scene_open();
    struct peer *one = peer_add(s, 0, 1, "fc1"), *two = peer_init(s, 1, 2, "fc2", KEY);
    struct mouth mouth;
    int fd[6];

    two->config.half_open_per_address_max = 4;
    peer_start(two);
    for (int i = 0; i < 6; i++) {
        fd[i] = stranger(two);
        UNTIL(s, atomic_load(&two->counts.half_open) + count_of(two, TRANSPORT_PUSHED_OUT) == (uint64_t)i + 1);
    }
    cr_expect_eq(count_of(two, TRANSPORT_PUSHED_OUT), 2);
    UNTIL(s, atomic_load(&two->counts.half_open) == 4);
    uint8_t greeting[HANDSHAKE_GREETING];
    stranger_hears(s, fd[0], greeting, sizeof greeting);
    UNTIL(s, is_closed_on(fd[0]));
    stranger_hears(s, fd[5], greeting, sizeof greeting);
    cr_expect_not(is_closed_on(fd[5]));

    reach(one, &mouth, two);                              /* and a peer gets through from the same address */
    cr_expect_eq(mouth.status, 0);
    stream_close(&mouth.stream);
    for (int i = 0; i < 6; i++)
        close(fd[i]);
    scene_close(s);
}

Test(transport, a_flood_is_named_a_few_times_and_counted_every_time)
{
    struct scene *s = scene_open();
    struct peer *two = peer_add(s, 1, 2, "fc2");
    int fd[STRANGERS_MAX];

    for (int i = 0; i < STRANGERS_MAX; i++) {
        uint8_t greeting[HANDSHAKE_GREETING];
        static const uint8_t zeros[HANDSHAKE_INTRODUCTION];
        fd[i] = stranger(two);
        stranger_hears(s, fd[i], greeting, sizeof greeting);
        cr_assert_eq(send(fd[i], zeros, sizeof zeros, 0), sizeof zeros);
        UNTIL(s, is_closed_on(fd[i]));
    }
    cr_expect_eq(count_of(two, TRANSPORT_GARBAGE), STRANGERS_MAX);
    cr_expect_lt(two->said, STRANGERS_MAX / 4, "said %d times", two->said);
    for (int i = 0; i < STRANGERS_MAX; i++)
        close(fd[i]);
    scene_close(s);
}

Test(transport, closing_cancels_what_is_under_way_and_leaves_nothing)
{
    struct scene *s = scene_open();
    struct peer *one = peer_add(s, 0, 1, "fc1"), *two = peer_add(s, 1, 2, "fc2");
    struct mouth mouth, resolving;

    TEXT_SET(s->known[0].address, "localhost:1");
    begin(two, &resolving, 1, "fc1");
    begin(one, &mouth, 2, "fc2");
    const int fd = stranger(two);
    run_for(s, 1);
    peer_stop(two);
    peer_stop(one);
    cr_expect(mouth.is_answered && resolving.is_answered);
    cr_expect_neq(resolving.status, 0);
    stream_close(&mouth.stream);
    close(fd);
    scene_close(s);
}

Test(transport, an_address_in_use_is_said_in_one_sentence)
{
    struct scene *s = scene_open();
    struct peer *one = peer_add(s, 0, 1, "fc1"), *two = peer_init(s, 1, 2, "fc2", KEY);
    struct fc_err err;

    TEXT_SET(two->config.listen, s->known[0].address);
    cr_assert_eq(transport_init(&two->face, &s->loop, &two->config, &two->counts, &err), FC_OK);
    cr_assert_eq(two->face.init(&two->face, 2, "fc2"), 0);
    two->face.data = two;
    cr_expect_eq(two->face.listen(&two->face, on_accepted), RAFT_IOERR);
    cr_expect_not_null(strstr(two->face.errmsg, "address already in use"), "said: %s", two->face.errmsg);
    (void)one;
    scene_close(s);
}

/* Each refused configuration differs from a good one in one place. */
#define REFUSED(change, words)                                                                                   \
    do {                                                                                                         \
        struct peer *peer = peer_init(s, 0, 1, "fc1", KEY);                                                      \
        struct fc_err err = { .text = "" };                                                                      \
        change;                                                                                                  \
        cr_expect_eq(transport_init(&peer->face, &s->loop, &peer->config, &peer->counts, &err), FC_BAD_CONFIG);  \
        cr_expect_not_null(strstr(err.text, words), "said: %s", err.text);                                       \
    } while (0)

Test(transport, a_configuration_that_cannot_work_is_refused)
{
    struct scene *s = scene_open();

    REFUSED(peer->config.id = 0, "id");
    REFUSED(TEXT_SET(peer->config.name, "two words"), "two words");
    REFUSED(TEXT_SET(peer->config.cluster, ""), "names");
    REFUSED(TEXT_SET(peer->config.listen, "nowhere"), "'nowhere'");
    REFUSED(peer->config.key.length = 3, "RaftPeerKeyFile");
    REFUSED(peer->config.half_open_max = 0, "bounds");
    scene_close(s);
}

Test(transport, every_count_has_a_name_of_its_own_and_a_meaning)
{
    for (int i = 0; i < TRANSPORT_COUNT_KINDS; i++) {
        cr_assert_not_null(transport_count_table[i].name);
        cr_expect_gt(strlen(transport_count_table[i].meaning), 10);
        for (int j = 0; j < i; j++)
            cr_expect_str_neq(transport_count_table[i].name, transport_count_table[j].name);
    }
}
