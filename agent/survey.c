/* From seeds to a fleet. The loop's thread alone comes here; an answer of a probe arrives, the picture is changed, who was named in it
 * gets a place in the calendar, and whoever is due is begun. */
#include "agent/survey.h"

#include <stdlib.h>
#include <string.h>

#include "backends/mysql/mysql_probe.h"
#include "base/text.h"
#include "discover/discovery.h"

#define POLL_SECONDS 5                 /* as InstancePollSeconds is preset */
#define DEAD_MOST_SECONDS 300
#define URGENT_MOST 64
#define SERVERS_MAX 100000

struct look {                          /* at one server; moves never, because its probe knows its address */
    struct survey *survey;
    member_id id;
    struct mysql_probe *probe;
    bool was_looked_at;
    char trouble[200];
};

struct survey {
    const struct host *host;
    struct mysql_prober *prober;
    struct room room;
    struct topology topology;
    struct discovery discovery;
    struct look **looks;               /* by member_id */
    uint32_t look_room;
    struct host_timer *timer;
    void (*quiet)(void *owner);
    void *owner;
    uint16_t default_port;
    uint32_t waiting;                  /* known, and not looked at yet */
    bool is_ready;
};

static struct fc_time now_of(const struct survey *s) { return s->host->now(s->host->agent); }

static struct look *look_of(const struct survey *s, member_id id) { return id < s->look_room ? s->looks[id] : NULL; }

/* --- whose turn --------------------------------------------------------------------------------------------------- */

static void begin_due(struct survey *s)
{
    const struct fc_time now = now_of(s);
    struct fc_span late;
    for (uint32_t id = discovery_begin(&s->discovery, now, &late); id != DISCOVERY_NONE;
         id = discovery_begin(&s->discovery, now, &late)) {
        topology_attempted(&s->topology, id, now);
        mysql_probe_start(s->looks[id]->probe);
    }
    const struct fc_time wake = discovery_wake_at(&s->discovery, now);
    if (fc_is_never(wake))
        s->host->timer_stop(s->timer);
    else
        s->host->timer_set(s->timer, wake);
}

static void on_timer(void *owner) { begin_due(owner); }

/* --- who is known ------------------------------------------------------------------------------------------------- */

static bool make_place(struct survey *s, member_id id)
{
    uint32_t room = s->look_room == 0 ? 64 : s->look_room;
    if (id < s->look_room)
        return true;
    while (room <= id)
        room *= 2;
    struct look **more = realloc(s->looks, room * sizeof *more);
    if (more == NULL)
        return false;
    memset(more + s->look_room, 0, (room - s->look_room) * sizeof *more);
    s->looks = more;
    s->look_room = room;
    return true;
}

static struct look *look_new(struct survey *s, member_id id)
{
    const struct instance_key key = topology_key(&s->topology, id);
    struct look *look = calloc(1, sizeof *look);
    if (look == NULL)
        return NULL;
    *look = (struct look){ .survey = s, .id = id };
    look->probe = mysql_probe_open(s->prober, &key, look);
    if (look->probe == NULL) {
        free(look);
        return NULL;
    }
    return look;
}

static enum fc_code know(struct survey *s, const struct instance_key *key, struct fc_err *err)
{
    member_id id = MEMBER_NONE;
    const enum fc_code code = topology_add(&s->topology, key, &id, err);
    if (code != FC_OK || look_of(s, id) != NULL)
        return code;
    struct look *look = make_place(s, id) ? look_new(s, id) : NULL;
    if (look == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    s->looks[id] = look;
    if (!discovery_add(&s->discovery, id, now_of(s)))
        return fc_fail(err, FC_BUSY, "%s:%u is not looked at: as many servers are known as there may be", key->host, key->port);
    s->waiting++;
    return FC_OK;
}

/* Names come from servers: what is none is passed over, and nobody is told of it but by its absence. */
static void know_named(struct survey *s, const struct instance_key *key)
{
    const char *host;
    size_t length;
    uint16_t port;
    char text[INSTANCE_HOST_MAX + 10];
    if (!instance_key_is_valid(key) || !instance_key_text(key, text, sizeof text))
        return;
    if (instance_key_parse(text, strlen(text), s->default_port, &host, &length, &port))
        know(s, key, NULL);
}

/* A dump thread tells a host alone: then its port is taken for that of its master, unless that would be the master itself. */
static void know_replica(struct survey *s, const struct instance_seen *seen, const struct replica_listed *replica)
{
    struct instance_key key = replica->key;
    if (key.port == 0)
        key.port = seen->key.port;
    if (!instance_key_is_same(&key, &seen->key))
        know_named(s, &key);
}

static void know_neighbours(struct survey *s, const struct instance_seen *seen)
{
    for (uint32_t i = 0; i < seen->channel_count; i++)
        know_named(s, &seen->channels[i].master);
    for (uint32_t i = 0; i < seen->replica_count; i++)
        know_replica(s, seen, &seen->replicas[i]);
    for (uint32_t i = 0; i < seen->member_count; i++)
        know_named(s, &seen->members[i].key);
}

/* --- what is heard ------------------------------------------------------------------------------------------------ */

static void ended(struct look *look, bool has_answered)
{
    struct survey *s = look->survey;
    discovery_ended(&s->discovery, look->id, has_answered, now_of(s));
    const struct member *m = topology_member(&s->topology, look->id);
    discovery_watch(&s->discovery, look->id, m->first_replica != MEMBER_NONE, now_of(s));
    s->waiting -= !look->was_looked_at;
    look->was_looked_at = true;
    if (s->is_ready)
        begin_due(s);
    if (s->waiting == 0 && s->quiet != NULL)
        s->quiet(s->owner);
}

static void on_seen(void *owner, const struct instance_seen *seen)
{
    struct look *look = owner;
    struct fc_err err = { .code = FC_OK };
    TEXT_SET(look->trouble, seen->trouble);
    if (topology_saw(&look->survey->topology, seen, NULL, NULL, &err) != FC_OK)
        TEXT_SET(look->trouble, err.text);
    know_neighbours(look->survey, seen);
    ended(look, true);
}

/* A session that ended by itself is no look: whoever it was is looked at now, and who stands next to it. */
static void urge_around(struct survey *s, member_id id)
{
    const struct member *m = topology_member(&s->topology, id);
    discovery_urge(&s->discovery, id);
    if (m->master != MEMBER_NONE)
        discovery_urge(&s->discovery, m->master);
    for (member_id replica = topology_first_replica(&s->topology, id); replica != MEMBER_NONE;
         replica = topology_next_replica(&s->topology, replica))
        discovery_urge(&s->discovery, replica);
    begin_due(s);
}

static void on_lost(void *owner, const struct instance_lost *lost)
{
    struct look *look = owner;
    TEXT_SET(look->trouble, lost->text);
    if (lost->phase == PROBE_IDLE) {
        urge_around(look->survey, look->id);
        return;
    }
    topology_missed(&look->survey->topology, look->id, lost->has_answered, lost->lost_at);
    ended(look, lost->has_answered || lost->loss == LOSS_DENIED);
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

static struct mysql_prober_setting prober_setting(const struct config *config)
{
    struct mysql_prober_setting setting = {
        .tls_use = config->topology_always_tls ? PROBE_TLS_ALWAYS : config->topology_mixed_tls ? PROBE_TLS_MIXED : PROBE_TLS_NEVER,
        .tls = { .skips_verifying = config->topology_tls_skips_verifying, .ca_file = config->topology_ca_file,
                 .certificate_file = config->topology_certificate_file, .key_file = config->topology_key_file },
        .connect_limit = fc_ms(config->mysql_connect_timeout_seconds * 1000),
        .read_limit = fc_ms(config->discovery_read_timeout_seconds * 1000),
    };
    TEXT_SET(setting.user, config->topology_user);
    TEXT_SET(setting.password, config->topology_password);
    return setting;
}

static bool open_parts(struct survey *s, const struct config *config)
{
    struct mysql_prober_setting setting = prober_setting(config);
    const struct discovery_setting calendar = {
        .period = fc_ms(POLL_SECONDS * 1000), .limit = (uint32_t)config->discovery_max_concurrency, .urgent_limit = URGENT_MOST,
        .dead_factor = 1, .dead_most = fc_ms(DEAD_MOST_SECONDS * 1000), .capacity = SERVERS_MAX,
    };
    s->prober = mysql_prober_open(s->host, &setting, on_seen, on_lost);
    explicit_bzero(setting.password, sizeof setting.password);
    s->timer = s->host->timer(s->host->agent, on_timer, s);
    const bool has_topology = topology_init(&s->topology, &s->room, SERVERS_MAX);
    return s->prober != NULL && s->timer != NULL && discovery_init(&s->discovery, &s->room, &calendar) && has_topology;
}

enum fc_code survey_open(const struct host *host, const struct config *config, void (*quiet)(void *owner), void *owner,
                         struct survey **ret, struct fc_err *err)
{
    struct survey *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    *s = (struct survey){ .host = host, .room = room_of_libc(), .quiet = quiet, .owner = owner,
                          .default_port = (uint16_t)config->default_instance_port };
    if (!open_parts(s, config)) {
        survey_close(s);
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    }
    s->is_ready = true;
    *ret = s;
    return FC_OK;
}

void survey_close(struct survey *s)
{
    if (s == NULL)
        return;
    for (uint32_t i = 0; i < s->look_room; i++) {
        if (s->looks[i] != NULL)
            mysql_probe_close(s->looks[i]->probe);
        free(s->looks[i]);
    }
    free(s->looks);
    mysql_prober_close(s->prober);
    s->host->untimer(s->timer);
    discovery_done(&s->discovery);
    topology_done(&s->topology);
    free(s);
}

enum fc_code survey_seed(struct survey *s, const char *text, struct fc_err *err)
{
    const char *host;
    size_t length;
    struct instance_key key = { 0 };
    char name[INSTANCE_HOST_MAX + 1];
    if (!instance_key_parse(text, strlen(text), s->default_port, &host, &length, &key.port))
        return fc_fail(err, FC_BAD_INPUT, "'%s' is no server: HOST, HOST:PORT or [IPV6]:PORT would be one", text);
    text_copy_bytes(name, sizeof name, host, length);
    key.host = name;
    const enum fc_code code = know(s, &key, err);
    if (code == FC_OK)
        begin_due(s);
    return code;
}

const struct topology *survey_topology(const struct survey *s) { return &s->topology; }

const char *survey_trouble(const struct survey *s, member_id id)
{
    const struct look *look = look_of(s, id);
    return look == NULL ? "" : look->trouble;
}
