/* A cluster's rows carry a moment that stays for a while, so that the store sees that nothing is new; each cluster's begins at another second. */
#include "agent/fleet_derived.h"

#include "base/text.h"

static struct fleet_row row_of_name(const char *host, const char *other, int64_t unix_s)
{
    struct fleet_row row = fleet_row_of(FLEET_hostname_resolve);
    fleet_set_text(&row, hostname_resolve_hostname, host);
    fleet_set_text(&row, hostname_resolve_resolved_hostname, other);
    fleet_set_number(&row, hostname_resolve_resolved_timestamp, unix_s);
    return row;
}

void fleet_derived_cluster(struct fleet_store *store, const struct watch *w, member_id id, struct fc_span name_life, const struct both_clocks *clocks)
{
    char cluster[FLEET_KEY_SIZE], alias[FLEET_KEY_SIZE];
    const int64_t quarter_s = fc_span_ms(name_life) / 4000, again_s = quarter_s < FLEET_DERIVED_AGAIN_S ? quarter_s : FLEET_DERIVED_AGAIN_S;
    const int64_t unix_s = clocks->unix_ms / 1000, since = unix_s - (unix_s + id) % again_s;
    if (topology_member(&w->topology, id)->head != id || !topology_key_text(&w->topology, id, cluster, sizeof cluster) ||
        !aliases_text(&w->aliases, &w->topology, id, alias, sizeof alias))
        return;
    struct fleet_row named = fleet_row_of(FLEET_cluster_alias);
    fleet_set_text(&named, cluster_alias_cluster_name, cluster);
    fleet_set_text(&named, cluster_alias_alias, alias);
    fleet_set_number(&named, cluster_alias_last_registered, since);
    fleet_store_put(store, &named);

    const char *domain = classification_text(&w->classifications, id, CLASSIFIED_CLUSTER_DOMAIN);
    if (domain[0] == '\0')
        return;
    struct fleet_row reached = fleet_row_of(FLEET_cluster_domain_name);
    fleet_set_text(&reached, cluster_domain_name_cluster_name, cluster);
    fleet_set_text(&reached, cluster_domain_name_domain_name, domain);
    fleet_set_number(&reached, cluster_domain_name_last_registered, since);
    fleet_store_put(store, &reached);
}

static void put_name(struct fleet_store *store, const struct watch *w, const char *host, const struct both_clocks *clocks)
{
    const char *other = host_names_of(&w->resolved, host, clocks->now);
    if (other[0] == '\0' || text_is(other, host))
        return;
    const struct fleet_row row = row_of_name(host, other, clocks->unix_ms / 1000);
    struct fleet_row history = fleet_row_of(FLEET_hostname_resolve_history);
    fleet_set_text(&history, hostname_resolve_history_resolved_hostname, other);
    fleet_set_text(&history, hostname_resolve_history_hostname, host);
    fleet_set_number(&history, hostname_resolve_history_resolved_timestamp, clocks->unix_ms / 1000);
    fleet_store_put(store, &row);
    fleet_store_put(store, &history);
}

void fleet_derived_gone(struct fleet_store *store, const struct watch *w, const struct instance_key *key, const struct both_clocks *clocks)
{
    char cluster[FLEET_KEY_SIZE];
    struct fleet_row named = fleet_row_of(FLEET_cluster_alias), reached = fleet_row_of(FLEET_cluster_domain_name);
    put_name(store, w, key->host, clocks);
    if (!instance_key_text(key, cluster, sizeof cluster))
        return;
    fleet_set_text(&named, cluster_alias_cluster_name, cluster);
    fleet_set_number(&named, cluster_alias_last_registered, clocks->unix_ms / 1000);
    fleet_set_text(&reached, cluster_domain_name_cluster_name, cluster);
    fleet_set_number(&reached, cluster_domain_name_last_registered, clocks->unix_ms / 1000);
    fleet_store_delete(store, &named);
    fleet_store_delete(store, &reached);
}

void fleet_derived_second(struct fleet_derived *d, struct fleet_store *store, const struct watch *w, struct fc_span name_life,
                          const struct both_clocks *clocks)
{
    const struct host_names *names = &w->resolved;
    if (d->next >= names->count) {
        if (!fc_reached(d->round_at, clocks->now))
            return;
        d->next = 0;
        d->round_at = fc_plus(clocks->now, fc_ms(fc_span_ms(name_life) / 4));
    }
    for (int i = 0; i < FLEET_DERIVED_SLICE && d->next < names->count; i++, d->next++) {
        const struct host_name *name = &names->list[d->next];
        if (!fc_is_never(name->until))                   /* another's, or of before: it ends unless it is found again */
            continue;
        const struct fleet_row row = row_of_name(names_text(names->names, name->host), names_text(names->names, name->other), clocks->unix_ms / 1000);
        fleet_store_put(store, &row);
    }
}

void fleet_derived_virtual_name(struct fleet_store *store, const struct fleet_row *row)
{
    struct fleet_row history = fleet_row_of(FLEET_hostname_unresolve_history);
    fleet_set_text(&history, hostname_unresolve_history_unresolved_hostname, fleet_text(row, hostname_unresolve_unresolved_hostname));
    fleet_set_text(&history, hostname_unresolve_history_hostname, fleet_text(row, hostname_unresolve_hostname));
    fleet_set_number(&history, hostname_unresolve_history_last_registered, fleet_number(row, hostname_unresolve_last_registered));
    fleet_store_put(store, &history);
}

void fleet_derived_forget_names(struct fleet_store *store, const struct watch *w, const struct both_clocks *clocks)
{
    const struct host_names *names = &w->resolved;
    for (uint32_t i = 0; i < names->count; i++) {
        const struct host_name *name = &names->list[i];
        const struct fleet_row row = row_of_name(names_text(names->names, name->host), names_text(names->names, name->other), clocks->unix_ms / 1000);
        fleet_store_delete(store, &row);
    }
}
