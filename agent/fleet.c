/* The fleet in the running node: who of the nodes looks, what is told to people.
 *
 * With raft every node looks at everybody and has a picture of its own. With a shared store the leader looks and the others read what
 * it writes. Without MySQLTopologyUser nobody looks. */
#include "agent/daemon.h"

#include "base/text.h"

static void tell(void *owner, enum watch_note level, const char *text)
{
    static const enum note_level levels[] = { [WATCH_TELLS] = NOTE_INFO, [WATCH_WARNS] = NOTE_WARNING, [WATCH_ALARMS] = NOTE_ALARM };
    struct daemon *d = owner;
    log_say(&d->log, levels[level], "fleet", "%s", text);
}

enum fc_code fleet_open(struct daemon *d, struct fc_err *err)
{
    const struct survey_port port = { .owner = d, .note = tell };
    const enum fc_code code = survey_open(d->host, d->config, &port, &d->survey, err);
    if (code != FC_OK)
        return code;
    d->has_fleet = d->config->topology_user[0] != '\0';
    survey_rest(d->survey, true);
    if (!d->has_fleet && d->config->discovery_seeds.count > 0)
        log_say(&d->log, NOTE_WARNING, "fleet", "DiscoverySeeds are named and MySQLTopologyUser is not set: nobody is looked at");
    return FC_OK;
}

static void name_seeds(struct daemon *d)
{
    struct fc_err err;
    d->is_seeded = true;
    for (int i = 0; i < d->config->discovery_seeds.count; i++) {
        if (survey_seed(d->survey, d->config->discovery_seeds.item[i], &err) != FC_OK)
            log_say(&d->log, NOTE_WARNING, "fleet", "DiscoverySeeds: %s", err.text);
    }
}

void fleet_turn(struct daemon *d)
{
    const bool looks = d->has_fleet && (d->config->raft_enabled || d->core->leadership.state == LEADING);
    if (d->survey == NULL || looks == !survey_is_resting(d->survey))
        return;
    survey_rest(d->survey, !looks);
    if (looks && !d->is_seeded)
        name_seeds(d);
}
