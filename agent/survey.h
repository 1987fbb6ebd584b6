/* A fleet as it is found from its seeds and kept: the performer of core/watch. Sessions (backends/mysql/mysql_probe), names and the clock are
 * here; who is known, when each is looked at and what is wrong is the watch's. Used by the running node and by `firstchair discover`. */
#ifndef FC_AGENT_SURVEY_H
#define FC_AGENT_SURVEY_H

#include "backends/host.h"
#include "base/err.h"
#include "core/config.h"
#include "watch/watch.h"

struct survey;
struct survey_rules;

/* All may be NULL. None may close the survey. */
struct survey_port {
    void *owner;
    /* A server's row is to be stored; `is_changed`: more than its moments. */
    void (*row)(void *owner, member_id id, bool is_changed);
    void (*gone)(void *owner, const struct instance_key *key);
    void (*note)(void *owner, enum watch_note level, const char *text);
    void (*changed)(void *owner, const struct fleet_change *change);       /* a finding; its sentence is noted too */
    /* Everybody who is known has been looked at; again each time when more was found and looked at. */
    void (*quiet)(void *owner);
};

/* The configuration is borrowed for the call alone, except the names of TLS files and the Detect
 * queries: for the survey's life (a reload in place changes the queries). FC_BAD_CONFIG: a pattern. */
enum fc_code survey_open(const struct host *host, const struct config *config, const struct survey_port *port, struct survey **ret,
                         struct fc_err *err);
void survey_close(struct survey *survey);                /* NULL is fine */
/* Numbers, filters and patterns anew. FC_BAD_CONFIG: everything stays as it was. */
enum fc_code survey_reload(struct survey *survey, const struct config *config, struct fc_err *err);

/* The rules in force; until the next reload. */
const struct survey_rules *survey_rules_in_force(const struct survey *survey);

/* HOST, HOST:PORT or [V6]:PORT. As watch_named(). */
enum fc_code survey_seed(struct survey *survey, const char *text, struct fc_err *err);
/* Another node looks at the fleet: all sessions are ended, nothing is begun. */
void survey_rest(struct survey *survey, bool is_resting);
bool survey_is_resting(const struct survey *survey);

/* To be told something (watch_named, watch_said, ...): survey_turn() after it performs what comes of it. */
struct watch *survey_watch(struct survey *survey);
void survey_turn(struct survey *survey);

/* Why the last look at a server failed; "" when it did not. Borrowed until the next event. */
const char *survey_trouble(const struct survey *survey, member_id id);

#endif
