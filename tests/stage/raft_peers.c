/* Three raft instances of the library over our peer streams, on loopback:  raft_peers FOLDER KEYFILE [PLAIN]
 *
 * Whoever leads appends one entry after the other. Each line on standard input ends in a line of JSON on standard output: who is
 * in which state, term and entry, what the streams counted, and how appending went since the last such line. "transfer" hands the
 * leadership on first, "rest" ends the appending. The end of the input ends all three in order and the program with 0. With PLAIN the library's own transport
 * is used, for a comparison of the costs. FOLDER is an empty directory of ours. */
#include <assert.h>
#include <inttypes.h>
#include <raft.h>
#include <raft/uv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "backends/quorum/transport.h"
#include "base/text.h"

#define PEERS 3
#define ELECTION_MS 3000             /* generous: the machine is shared, and three disks are one */
#define HEARTBEAT_MS 200
#define RETRY_MS 100
#define APPEND_EVERY_MS 5
#define LATENCIES_MAX 20000

struct peer {
    struct transport_config config;
    struct transport_counts counts;
    struct raft_uv_transport transport;
    struct raft_io io;
    struct raft_fsm fsm;
    struct raft raft;
    char place[ADDRESS_SIZE];
    uint64_t applied, digest;
};

static struct peer peers[PEERS];
static uv_loop_t loop;
static uv_timer_t beat;
static uv_pipe_t input;
static bool is_plain, is_under_way, is_resting;
static struct raft_apply apply;
static struct raft_transfer transfer;
static uint64_t began_us, last_ack_us, longest_gap_us, acknowledged, lost;
static uint64_t latencies[LATENCIES_MAX];
static size_t latency_count;
static int open_rafts;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "raft_peers: %s: %s\n", what, why);
    exit(1);
}

static void must(int code, const char *what, const char *why)
{
    if (code != 0)
        die(what, why);
}

static uint64_t now_us(void)
{
    return uv_hrtime() / 1000;
}

/* ---- the machine of each ---- */

static int on_apply(struct raft_fsm *fsm, const struct raft_buffer *buffer, void **result)
{
    struct peer *peer = fsm->data;

    for (size_t i = 0; i < buffer->len; i++)
        peer->digest = (peer->digest ^ ((const uint8_t *)buffer->base)[i]) * 1099511628211u;
    peer->applied++;
    *result = NULL;
    return 0;
}

static int on_snapshot(struct raft_fsm *fsm, struct raft_buffer *buffers[], unsigned *count)
{
    const struct peer *peer = fsm->data;
    struct raft_buffer *buffer = raft_malloc(sizeof *buffer);
    uint64_t *state = raft_malloc(2 * sizeof *state);

    if (buffer == NULL || state == NULL)
        return RAFT_NOMEM;
    state[0] = peer->applied;
    state[1] = peer->digest;
    *buffer = (struct raft_buffer){ state, 2 * sizeof *state };
    *buffers = buffer;
    *count = 1;
    return 0;
}

static int on_restore(struct raft_fsm *fsm, struct raft_buffer *buffer)
{
    struct peer *peer = fsm->data;
    const uint64_t *state = buffer->base;

    peer->applied = state[0];
    peer->digest = state[1];
    raft_free(buffer->base);
    return 0;
}

/* ---- appending ---- */

static struct peer *leader(void)
{
    for (int i = 0; i < PEERS; i++) {
        if (raft_state(&peers[i].raft) == RAFT_LEADER)
            return &peers[i];
    }
    return NULL;
}

static void on_appended(struct raft_apply *request, int status, void *result)
{
    const uint64_t now = now_us();
    (void)request;
    (void)result;

    is_under_way = false;
    if (status != 0) {
        lost++;
        return;
    }
    acknowledged++;
    if (latency_count < LATENCIES_MAX)
        latencies[latency_count++] = now - began_us;
    if (last_ack_us != 0 && now - last_ack_us > longest_gap_us)
        longest_gap_us = now - last_ack_us;
    last_ack_us = now;
}

static void on_beat(uv_timer_t *timer)
{
    struct peer *first = leader();
    struct raft_buffer buffer = { NULL, 256 };
    (void)timer;

    if (is_under_way || is_resting || first == NULL)
        return;
    buffer.base = raft_malloc(buffer.len);
    if (buffer.base == NULL)
        return;
    memset(buffer.base, (int)(acknowledged & 0xff), buffer.len);
    began_us = now_us();
    if (raft_apply(&first->raft, &apply, &buffer, 1, on_appended) == 0)
        is_under_way = true;
    else
        raft_free(buffer.base);
}

/* ---- telling ---- */

static int by_size(const void *one, const void *other)
{
    const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static uint64_t percentile(unsigned percent)
{
    return latency_count == 0 ? 0 : latencies[(latency_count - 1) * percent / 100];
}

static void tell_peer(const struct peer *peer, bool is_last)
{
    static const char *const states[] = { "unavailable", "follower", "candidate", "leader" };
    const int state = raft_state((struct raft *)&peer->raft);

    printf("{\"state\":\"%s\",\"term\":%llu,\"applied\":%" PRIu64 ",\"digest\":\"%016" PRIx64 "\",\"half_open\":%u", states[state],
           peer->raft.current_term, peer->applied, peer->digest, atomic_load(&peer->counts.half_open));
    for (int i = 0; i < TRANSPORT_COUNT_KINDS; i++)
        printf(",\"%s\":%" PRIu64, transport_count_table[i].name, atomic_load(&peer->counts.of[i]));
    printf("}%s", is_last ? "" : ",");
}

static void tell(void)
{
    const uint64_t now = now_us(), gap = last_ack_us == 0 ? 0 : now - last_ack_us;

    qsort(latencies, latency_count, sizeof latencies[0], by_size);
    printf("{\"acknowledged\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"p50_us\":%" PRIu64 ",\"p99_us\":%" PRIu64 ",\"gap_ms\":%" PRIu64
           ",\"peers\":[", acknowledged, lost, percentile(50), percentile(99), (gap > longest_gap_us ? gap : longest_gap_us) / 1000);
    for (int i = 0; i < PEERS; i++)
        tell_peer(&peers[i], i == PEERS - 1);
    printf("]}\n");
    fflush(stdout);
    latency_count = 0;
    longest_gap_us = 0;
}

static void on_say(void *owner, enum transport_count kind, const char *sentence)
{
    const struct peer *peer = owner;
    (void)kind;
    fprintf(stderr, "%s: %s\n", peer->config.name, sentence);
}

/* ---- the beginning ---- */

static bool on_lookup(void *owner, raft_id id, struct transport_peer *ret)
{
    (void)owner;
    if (id < 1 || id > PEERS)
        return false;
    *ret = (struct transport_peer){ .id = id };
    TEXT_SET(ret->name, peers[id - 1].config.name);
    TEXT_SET(ret->address, peers[id - 1].place);
    return true;
}

/* What raft is to call this peer: the library's own transport knows addresses only. */
static const char *raft_name(const struct peer *peer)
{
    return is_plain ? peer->place : peer->config.name;
}

static int a_free_port(void)
{
    uv_tcp_t probe;
    struct sockaddr_in address;
    int size = sizeof address;

    uv_tcp_init(&loop, &probe);
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_bind(&probe, (struct sockaddr *)&address, 0);
    must(uv_tcp_getsockname(&probe, (struct sockaddr *)&address, &size), "no free port", "");
    uv_close((uv_handle_t *)&probe, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    return ntohs(address.sin_port);
}

static void make_peer(struct peer *peer, int number, const char *folder, const struct peer_key *key)
{
    char directory[256];
    struct fc_err err = { .text = "" };

    transport_config_preset(&peer->config);
    peer->config.id = (raft_id)number;
    peer->config.key = *key;
    peer->config.owner = peer;
    peer->config.lookup = on_lookup;
    peer->config.say = on_say;
    TEXT_FORMAT(peer->config.name, "fc%d", number);
    TEXT_SET(peer->config.cluster, "stage");
    TEXT_SET(peer->config.listen, peer->place);
    TEXT_FORMAT(directory, "%s/fc%d", folder, number);
    must(mkdir(directory, 0700), directory, "cannot be made");
    if (is_plain)
        must(raft_uv_tcp_init(&peer->transport, &loop), "raft_uv_tcp_init", "");
    else if (transport_init(&peer->transport, &loop, &peer->config, &peer->counts, &err) != FC_OK)
        die("transport_init", err.text);
    must(raft_uv_init(&peer->io, &loop, directory, &peer->transport), "raft_uv_init", directory);
    raft_uv_set_connect_retry_delay(&peer->io, RETRY_MS);
    peer->fsm = (struct raft_fsm){ .version = 1, .data = peer, .apply = on_apply, .snapshot = on_snapshot, .restore = on_restore };
    must(raft_init(&peer->raft, &peer->io, &peer->fsm, peer->config.id, raft_name(peer)), "raft_init", raft_errmsg(&peer->raft));
    raft_set_election_timeout(&peer->raft, ELECTION_MS);
    raft_set_heartbeat_timeout(&peer->raft, HEARTBEAT_MS);
    raft_set_pre_vote(&peer->raft, true);
}

static void start_peer(struct peer *peer)
{
    struct raft_configuration all;

    raft_configuration_init(&all);
    for (int i = 0; i < PEERS; i++)
        must(raft_configuration_add(&all, (raft_id)i + 1, raft_name(&peers[i]), RAFT_VOTER), "raft_configuration_add", "");
    must(raft_bootstrap(&peer->raft, &all), "raft_bootstrap", raft_errmsg(&peer->raft));
    raft_configuration_close(&all);
    must(raft_start(&peer->raft), "raft_start", raft_errmsg(&peer->raft));
    open_rafts++;
}

/* ---- the end ---- */

static void on_raft_closed(struct raft *raft)
{
    (void)raft;
    open_rafts--;
}

static void end(void)
{
    uv_close((uv_handle_t *)&beat, NULL);
    uv_close((uv_handle_t *)&input, NULL);
    for (int i = 0; i < PEERS; i++)
        raft_close(&peers[i].raft, on_raft_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    static char bytes[256];
    (void)handle;
    (void)suggested;
    *ret = uv_buf_init(bytes, sizeof bytes - 1);
}

static void on_input(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    (void)stream;
    if (count < 0) {
        end();
        return;
    }
    buffer->base[count] = '\0';
    if (leader() != NULL && strstr(buffer->base, "transfer") != NULL)
        raft_transfer(&leader()->raft, &transfer, 0, NULL);
    is_resting = is_resting || strstr(buffer->base, "rest") != NULL;
    for (ssize_t i = 0; i < count; i++) {
        if (buffer->base[i] == '\n')
            tell();
    }
}

int main(int count, char **words)
{
    struct peer_key key = { .length = 0 };
    struct fc_err err;

    if (count < 3 || count > 4) {
        fprintf(stderr, "usage: raft_peers FOLDER KEYFILE [PLAIN]\n");
        return 2;
    }
    is_plain = count == 4;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    if (peer_key_read(words[2], NULL, &key, &err) != FC_OK)
        die("key", err.text);
    for (int i = 0; i < PEERS; i++)
        TEXT_FORMAT(peers[i].place, "127.0.0.1:%d", a_free_port());
    for (int i = 0; i < PEERS; i++)
        make_peer(&peers[i], i + 1, words[1], &key);
    peer_key_wipe(&key);
    for (int i = 0; i < PEERS; i++)
        start_peer(&peers[i]);
    uv_timer_init(&loop, &beat);
    uv_timer_start(&beat, on_beat, 0, APPEND_EVERY_MS);
    uv_pipe_init(&loop, &input, 0);
    must(uv_pipe_open(&input, 0), "standard input", "is to be a pipe");
    uv_read_start((uv_stream_t *)&input, on_alloc, on_input);
    printf("[\"%s\",\"%s\",\"%s\"]\n", peers[0].place, peers[1].place, peers[2].place);
    fflush(stdout);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert(open_rafts == 0);
    for (int i = 0; i < PEERS; i++) {
        raft_uv_close(&peers[i].io);
        if (is_plain)
            raft_uv_tcp_close(&peers[i].transport);
        else
            transport_done(&peers[i].transport);
    }
    return uv_loop_close(&loop) == 0 ? 0 : 1;
}
