/* The loop's thread alone comes here. An answer of a probe goes into the watch; what comes out of it is done at once: sessions begun and
 * ended, names looked up by a worker, rows and sentences handed on. */
#include "agent/survey.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/survey_rules.h"
#include "backends/mysql/mysql_probe.h"
#include "base/text.h"

#define GRAIN_MS 5                     /* between two alarms: what falls due meanwhile is begun together, or when an answer comes */

struct look {                          /* at one server; moves never, because its probe knows its address */
    struct survey *survey;
    member_id id;
    struct mysql_probe *probe;
    char *trouble;                     /* NULL: none */
    uint16_t port;
    char host[];
};

struct survey {
    const struct host *host;
    struct mysql_prober *prober;
    struct room room;
    struct watch watch;
    struct survey_rules *rules;
    struct survey_port port;
    struct look **looks;               /* by member_id */
    uint32_t look_room;
    struct host_timer *timer;
    struct fc_time woken_at;           /* FC_EVER: not yet */
    struct name_asked *asked;          /* lookups under way */
    bool wants_ip;                     /* HostnameResolveMethod ip; else cname */
    bool was_quiet;
    uint16_t default_port;
};

static struct fc_time now_of(const struct survey *s) { return s->host->now(s->host->agent); }

static struct look *look_of(const struct survey *s, member_id id) { return id < s->look_room ? s->looks[id] : NULL; }

/* --- looks -------------------------------------------------------------------------------------------------------- */

static void look_free(struct look *look)
{
    if (look == NULL)
        return;
    mysql_probe_close(look->probe);
    free(look->trouble);
    free(look);
}

static bool is_of(const struct look *look, const struct instance_key *key)
{
    return look != NULL && look->port == key->port && text_is(look->host, key->host);
}

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

static struct look *look_new(struct survey *s, member_id id, const struct instance_key *key)
{
    const size_t size = strlen(key->host) + 1;
    struct look *look = calloc(1, sizeof *look + size);
    if (look == NULL)
        return NULL;
    look->survey = s;
    look->id = id;
    look->port = key->port;
    memcpy(look->host, key->host, size);
    look->probe = mysql_probe_open(s->prober, key, look);
    if (look->probe == NULL) {
        free(look);
        return NULL;
    }
    return look;
}

static struct look *look_at(struct survey *s, member_id id, const struct instance_key *key)
{
    if (is_of(look_of(s, id), key))
        return s->looks[id];
    if (!make_place(s, id))
        return NULL;
    look_free(s->looks[id]);
    s->looks[id] = look_new(s, id, key);
    return s->looks[id];
}

static void begin_look(struct survey *s, const struct watch_effect *effect)
{
    struct look *look = look_at(s, effect->id, &effect->key);
    if (look != NULL && mysql_probe_start(look->probe))
        return;
    const struct instance_lost lost = { .key = effect->key, .loss = LOSS_BROKEN, .phase = PROBE_CONNECTING, .text = "out of memory",
                                        .sent_at = now_of(s), .lost_at = now_of(s) };
    watch_lost(&s->watch, &lost, now_of(s));
}

static void leave(struct survey *s, const struct watch_effect *effect)
{
    struct look *look = look_of(s, effect->id);
    if (!is_of(look, &effect->key))
        return;
    look_free(look);
    s->looks[effect->id] = NULL;
}

static void set_trouble(struct look *look, const char *text)
{
    if (text_is(text, look->trouble == NULL ? "" : look->trouble))
        return;
    free(look->trouble);
    look->trouble = text[0] == '\0' ? NULL : strdup(text);
}

static void on_seen(void *owner, const struct instance_seen *seen)
{
    struct look *look = owner;
    struct survey *s = look->survey;
    set_trouble(look, seen->trouble);
    watch_saw(&s->watch, seen, mysql_prober_detected(s->prober), now_of(s));
    survey_turn(s);
}

static void on_lost(void *owner, const struct instance_lost *lost)
{
    struct look *look = owner;
    struct survey *s = look->survey;
    set_trouble(look, lost->text);
    watch_lost(&s->watch, lost, now_of(s));
    survey_turn(s);
}

/* --- names -------------------------------------------------------------------------------------------------------- */

struct name_asked {
    struct survey *survey;             /* NULL: closed meanwhile */
    struct name_asked *next;
    bool wants_ip;
    uint16_t port;
    char host[INSTANCE_HOST_MAX + 1], name[INSTANCE_HOST_MAX + 1];
};

static bool first_address(const struct addrinfo *list, int family, char *to, size_t size)
{
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        if (at->ai_family == family && getnameinfo(at->ai_addr, at->ai_addrlen, to, (socklen_t)size, NULL, 0, NI_NUMERICHOST) == 0)
            return true;
    }
    return false;
}

static void ask_name(void *job)
{
    struct name_asked *asked = job;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = asked->wants_ip ? 0 : AI_CANONNAME }, *list = NULL;
    if (getaddrinfo(asked->host, NULL, &hints, &list) != 0)
        return;
    if (!asked->wants_ip)
        text_copy(asked->name, sizeof asked->name, list->ai_canonname == NULL ? "" : list->ai_canonname);
    else if (!first_address(list, AF_INET, asked->name, sizeof asked->name) &&
             !first_address(list, AF_INET6, asked->name, sizeof asked->name))
        asked->name[0] = '\0';
    freeaddrinfo(list);
    const size_t length = strlen(asked->name);
    if (length > 0 && asked->name[length - 1] == '.')
        asked->name[length - 1] = '\0';
}

static void unlink_asked(struct survey *s, const struct name_asked *asked)
{
    struct name_asked **place = &s->asked;
    while (*place != asked)
        place = &(*place)->next;
    *place = asked->next;
}

static void asked_name(void *job)
{
    struct name_asked *asked = job;
    struct survey *s = asked->survey;
    if (s != NULL) {
        const struct instance_key key = { asked->host, asked->port };
        unlink_asked(s, asked);
        watch_resolved(&s->watch, &key, asked->name, now_of(s));
        survey_turn(s);
    }
    free(asked);
}

/* No worker is free: as if there were no name, and it is asked again when that is forgotten. */
static void resolve(struct survey *s, const struct watch_effect *effect)
{
    struct name_asked *asked = calloc(1, sizeof *asked);
    if (asked != NULL) {
        *asked = (struct name_asked){ .survey = s, .next = s->asked, .wants_ip = s->wants_ip, .port = effect->key.port };
        TEXT_SET(asked->host, effect->key.host);
        if (s->host->work(s->host->agent, ask_name, asked_name, asked)) {
            s->asked = asked;
            return;
        }
        free(asked);
    }
    watch_resolved(&s->watch, &effect->key, NULL, now_of(s));
}

/* --- what comes of it --------------------------------------------------------------------------------------------- */

static void perform(struct survey *s, const struct watch_effect *effect)
{
    const struct survey_port *port = &s->port;
    switch (effect->type) {
    case WATCH_LOOK:
        begin_look(s, effect);
        break;
    case WATCH_GONE:
        leave(s, effect);
        if (port->gone != NULL)
            port->gone(port->owner, &effect->key);
        break;
    case WATCH_ROW:
        if (port->row != NULL)
            port->row(port->owner, effect->id, effect->is_changed);
        break;
    case WATCH_NOTE:
        if (port->note != NULL)
            port->note(port->owner, effect->level, effect->text);
        if (port->changed != NULL && effect->change != NULL)
            port->changed(port->owner, effect->change);
        break;
    case WATCH_RESOLVE:
        resolve(s, effect);
        break;
    case WATCH_NOTHING:
        break;
    }
}

void survey_turn(struct survey *s)
{
    struct watch_effect effect;
    const struct fc_time now = now_of(s);
    while (watch_next(&s->watch, now, &effect))
        perform(s, &effect);
    const struct fc_time wake = watch_wake_at(&s->watch, now);
    if (fc_is_never(wake))
        s->host->timer_stop(s->timer);
    else
        s->host->timer_set(s->timer, fc_later(wake, fc_plus(s->woken_at, fc_ms(GRAIN_MS))));
    const bool is_quiet = watch_is_quiet(&s->watch) && s->watch.topology.known > 0;
    if (is_quiet && !s->was_quiet && s->port.quiet != NULL)
        s->port.quiet(s->port.owner);
    s->was_quiet = is_quiet;
}

static void on_timer(void *owner)
{
    struct survey *s = owner;
    s->woken_at = now_of(s);
    watch_woken(&s->watch, s->woken_at);
    survey_turn(s);
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

static struct mysql_prober_setting prober_setting(const struct config *config)
{
    struct mysql_prober_setting setting = {
        .tls = mysql_topology_tls(config),
        .connect_limit = fc_ms(config->mysql_connect_timeout_seconds * INT64_C(1000)),
        .read_limit = fc_ms(config->discovery_read_timeout_seconds * INT64_C(1000)),
        .connection_life = fc_ms(config->topology_connection_life_seconds * INT64_C(1000)),
    };
    survey_rules_queries(config, setting.queries);
    setting.queries[PROBE_QUERY_LAG] = config->lag_query;
    TEXT_SET(setting.user, config->topology_user);
    TEXT_SET(setting.password, config->topology_password);
    return setting;
}

static enum fc_code open_parts(struct survey *s, const struct config *config, struct fc_err *err)
{
    struct mysql_prober_setting setting = prober_setting(config);
    const enum fc_code code = survey_rules_compile(config, &s->rules, err);
    if (code != FC_OK)
        return code;
    struct watch_setting watching;
    survey_rules_setting(s->rules, &watching);
    s->prober = mysql_prober_open(s->host, &setting, on_seen, on_lost);
    explicit_bzero(setting.password, sizeof setting.password);
    s->timer = s->host->timer(s->host->agent, on_timer, s);
    if (s->prober == NULL || s->timer == NULL || !watch_init(&s->watch, &s->room, &watching))
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    return FC_OK;
}

enum fc_code survey_open(const struct host *host, const struct config *config, const struct survey_port *port, struct survey **ret,
                         struct fc_err *err)
{
    struct survey *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    *s = (struct survey){ .host = host, .room = room_of_libc(), .port = *port, .default_port = (uint16_t)config->default_instance_port,
                          .woken_at = FC_EVER, .wants_ip = text_is(config->resolve_method, "ip") };
    const enum fc_code code = open_parts(s, config, err);
    if (code != FC_OK) {
        survey_close(s);
        return code;
    }
    *ret = s;
    return FC_OK;
}

static void leave_all(struct survey *s)
{
    for (uint32_t i = 0; i < s->look_room; i++) {
        look_free(s->looks[i]);
        s->looks[i] = NULL;
    }
}

void survey_close(struct survey *s)
{
    if (s == NULL)
        return;
    leave_all(s);
    for (struct name_asked *asked = s->asked; asked != NULL; asked = asked->next)
        asked->survey = NULL;              /* its job comes back and frees it */
    free(s->looks);
    mysql_prober_close(s->prober);
    s->host->untimer(s->timer);
    watch_done(&s->watch);
    survey_rules_free(s->rules);
    free(s);
}

enum fc_code survey_reload(struct survey *s, const struct config *config, struct fc_err *err)
{
    struct survey_rules *fresh = NULL;
    const enum fc_code code = survey_rules_compile(config, &fresh, err);
    if (code != FC_OK)
        return code;
    struct watch_setting setting;
    survey_rules_setting(fresh, &setting);
    watch_set(&s->watch, &setting, now_of(s));
    survey_rules_free(s->rules);
    s->rules = fresh;
    s->wants_ip = text_is(config->resolve_method, "ip");
    survey_turn(s);
    return FC_OK;
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
    const enum fc_code code = watch_named(&s->watch, &key, NAMED_AS_SEED, now_of(s), NULL, err);
    if (code == FC_OK)
        survey_turn(s);
    return code;
}

void survey_rest(struct survey *s, bool is_resting)
{
    if (is_resting)
        leave_all(s);
    watch_rest(&s->watch, is_resting, now_of(s));
    survey_turn(s);
}

const struct survey_rules *survey_rules_in_force(const struct survey *s) { return s->rules; }

bool survey_is_resting(const struct survey *s) { return s->watch.is_resting; }

struct watch *survey_watch(struct survey *s) { return &s->watch; }

const char *survey_trouble(const struct survey *s, member_id id)
{
    const struct look *look = look_of(s, id);
    return look == NULL || look->trouble == NULL ? "" : look->trouble;
}
