/* The nodes' streams are the authenticated ones, as in the daemon. */
#include "quorum_stage.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define LONG_MS 30000

/* Below what the kernel gives to outgoing connections, so that none of theirs sits on it when a node is started (tests/stage begins at 20,768). */
static int free_port(void)
{
    static int given;
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    for (int tries = 0; tries < 1000; tries++) {
        const int fd = socket(AF_INET, SOCK_STREAM, 0), port = 10240 + (getpid() * 61 + 17 * given++) % 10000;
        at.sin_port = htons((uint16_t)port);
        const bool is_free = bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
        close(fd);
        if (is_free)
            return port;
    }
    cr_assert(false, "no free port on 127.0.0.1");
    return 0;
}

static void heard(void *owner, const struct quorum_heard *h)
{
    struct stage_node *n = owner;
    uint8_t bytes[SHARED_ENTRY_SIZE];
    size_t length;
    switch (h->kind) {
    case QUORUM_APPLIED:
        n->applied++;
        n->own_applied += h->number != 0;
        cr_assert_eq(shared_entry_encode(&h->entry, bytes, sizeof bytes, &length), FC_OK);
        shared_state_apply(&n->state, bytes, length);
        break;
    case QUORUM_STATE:
        n->states++;
        n->state = *h->state;
        break;
    case QUORUM_FAILED:
        n->failed++;
        n->last = *h;
        break;
    case QUORUM_ENDED:
        n->ended++;
        n->last = *h;
        break;
    }
}

static void changed(void *owner, const struct quorum_view *view)
{
    struct stage_node *n = owner;
    n->view = *view;
}

static void say(void *owner, const char *sentence) { TEXT_SET(((struct stage_node *)owner)->said, sentence); }

static void make_streams(struct stage_node *n, struct quorum_settings *settings)
{
    static const char key[] = "the key that the nodes of this stage share";
    struct peer_key taken = { .length = 0 };
    struct fc_err err = { .text = "" };

    n->streams = calloc(1, sizeof *n->streams);
    cr_assert_not_null(n->streams);
    cr_assert_eq(peer_key_take(key, sizeof key - 1, "the stage", &taken, &err), FC_OK, "%s", err.text);
    cr_assert_eq(peer_streams_init(n->streams, settings, "stage", settings->members[settings->own].address, &taken, &err), FC_OK,
                 "%s", err.text);
}

static void end_streams(struct stage_node *n)
{
    if (n->streams != NULL)
        peer_streams_done(n->streams);
    free(n->streams);
    n->streams = NULL;
}

static enum fc_code open_node(struct stage *s, int node, struct fc_err *err)
{
    struct stage_node *n = &s->nodes[node];
    const bool is_founder = node < s->founders;
    struct quorum_settings settings = { .member_count = s->founders + !is_founder, .own = is_founder ? node : s->founders, .election_ms = STAGE_ELECTION_MS, .drift_percent = 10,
                                        .snapshot_entries = s->snapshot_entries, .trailing_entries = 16, .is_witness = s->witness == node + 1 };
    static int marks;
    TEXT_FORMAT(settings.dir, "%s/%d", s->dir, node);
    TEXT_FORMAT(settings.node, "fc%d~%06x", node + 1, (unsigned)++marks);
    for (int i = 0; i < settings.member_count; i++) {
        const int who = i < s->founders ? i : node;
        TEXT_FORMAT(settings.members[i].name, "fc%d", who + 1);
        TEXT_FORMAT(settings.members[i].address, "127.0.0.1:%d", s->ports[who]);
    }
    *n = (struct stage_node){ .stage = s, .place = node, .next_number = 1 };
    n->view.until = FC_EVER;
    n->view.leader = -1;
    TEXT_SET(n->name, settings.node);
    const struct quorum_port port = { .owner = n, .heard = heard, .changed = changed, .say = say };
    make_streams(n, &settings);
    const enum fc_code code = quorum_open(s->host, &settings, &port, &n->quorum, err);
    if (code == FC_OK)
        quorum_stand(n->quorum, true);
    else
        end_streams(n);
    return code;
}

void stage_start(struct stage *s, int node)
{
    struct fc_err err = { .code = FC_OK };
    cr_assert_eq(open_node(s, node, &err), FC_OK, "%s", err.text);
}

void stage_start_all(struct stage *s)
{
    for (int i = 0; i < s->count; i++)
        stage_start(s, i);
}

void stage_stop(struct stage *s, int node)
{
    quorum_close(s->nodes[node].quorum);
    end_streams(&s->nodes[node]);
    s->nodes[node].quorum = NULL;
    s->nodes[node].view.until = FC_EVER;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

void stage_wipe(struct stage *s, int node)
{
    char path[128];
    TEXT_FORMAT(path, "%s/%d", s->dir, node);
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void stage_open(struct stage *s, int count) { stage_open_for(s, count, count); }

void stage_open_for(struct stage *s, int count, int founders)
{
    struct fc_err err = { .code = FC_OK };
    memset(s, 0, sizeof *s);
    s->count = count;
    s->founders = founders;
    s->snapshot_entries = 1024;
    cr_assert_eq(loop_open(1, 8, &s->loop, &err), FC_OK);
    s->host = loop_host(s->loop);
    TEXT_SET(s->dir, "/tmp/fc_quorum_XXXXXX");
    cr_assert_not_null(mkdtemp(s->dir));
    for (int i = 0; i < count; i++)
        s->ports[i] = free_port();
    alarm(120);
}

void stage_close(struct stage *s)
{
    for (int i = 0; i < s->count; i++)
        stage_stop(s, i);
    loop_close(s->loop);
    nftw(s->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void turn_over(void *owner) { loop_stop(owner); }

int stage_leader(struct stage *s)
{
    const struct fc_time now = loop_now(loop_ev(s->loop));
    int found = -1;
    for (int i = 0; i < s->count; i++) {
        if (s->nodes[i].quorum == NULL || fc_is_ever(s->nodes[i].view.until) || fc_reached(s->nodes[i].view.until, now))
            continue;
        s->two_leaders += found >= 0;
        found = i;
    }
    return found;
}

void stage_run_ms(struct stage *s, int ms)
{
    const struct fc_time end = fc_plus(loop_now(loop_ev(s->loop)), fc_ms(ms));
    struct host_timer *timer = s->host->timer(s->host->agent, turn_over, s->loop);
    do {
        s->host->timer_set(timer, fc_plus(loop_now(loop_ev(s->loop)), fc_ms(ms < 5 ? ms : 5)));
        loop_run(s->loop);
        stage_leader(s);
    } while (!fc_reached(end, loop_now(loop_ev(s->loop))));
    s->host->untimer(timer);
}

void stage_until_(struct stage *s, stage_claim *claim, const char *name, int line)
{
    const struct fc_time end = fc_plus(loop_now(loop_ev(s->loop)), fc_ms(LONG_MS));
    while (!claim(s)) {
        if (fc_reached(end, loop_now(loop_ev(s->loop)))) {
            for (int i = 0; i < s->count; i++)
                fprintf(stderr, "fc%d: %s term %llu leader %d applied %llu of %llu, own %d failed %d ended %d, %s %s\n", i + 1,
                        quorum_role_word(s->nodes[i].view.role), (unsigned long long)s->nodes[i].view.term, s->nodes[i].view.leader,
                        (unsigned long long)s->nodes[i].view.applied_index, (unsigned long long)s->nodes[i].view.last_index,
                        s->nodes[i].own_applied, s->nodes[i].failed, s->nodes[i].ended, s->nodes[i].view.why, s->nodes[i].said);
            cr_assert_fail("line %d: never: %s", line, name);
        }
        stage_run_ms(s, 5);
    }
}

enum roster_role stage_role_of(const struct stage_node *node, int whom)
{
    char name[16];
    TEXT_FORMAT(name, "fc%d", whom + 1);
    const int place = roster_by_name(&node->view.roster, name);
    return place < 0 ? ROSTER_NONE : node->view.roster.places[place].role;
}

static struct stage_node *asked;
static bool it_has_answered(struct stage *stage)
{
    (void)stage;
    return asked->ended > 0;
}

static bool one_leads(struct stage *stage) { return stage_leader(stage) >= 0; }

enum fc_code stage_change(struct stage *s, enum member_change change, int whom, int *node)
{
    char name[16], address[64];
    TEXT_FORMAT(name, "fc%d", whom + 1);
    TEXT_FORMAT(address, "127.0.0.1:%d", s->ports[whom]);
    for (int i = 0; i < 5; i++) {
        stage_until(s, one_leads);
        *node = stage_leader(s);
        asked = &s->nodes[*node];
        asked->ended = 0;
        cr_assert(quorum_change_members(asked->quorum, 900, change, name, address));
        stage_until(s, it_has_answered);
        if (asked->last.code != FC_NOT_LEADER && asked->last.code != FC_BUSY)
            break;
        stage_run_ms(s, STAGE_ELECTION_MS / 2);
    }
    return asked->last.code;
}

uint64_t stage_hold(struct stage *s, int node, const char *server, const char *why)
{
    static uint64_t seq;
    struct stage_node *n = &s->nodes[node];
    struct store_request request = { .deed = STORE_HOLD, .hold = { .kind = HOLD_MAINT, .epoch = 1, .seq = ++seq, .since_unix_ms = 1000 } };
    struct shared_entry entry;
    TEXT_SET(request.hold.pool, "fc_backend");
    TEXT_SET(request.hold.server, server);
    TEXT_SET(request.hold.why, why);
    shared_entry_of(&request, n->name, n->next_number, &entry);
    cr_assert(quorum_propose(n->quorum, n->next_number, &entry, 10000));
    return n->next_number++;
}
