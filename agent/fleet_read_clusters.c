/* Readings of clusters: who is in them, what they look like, what is wrong in them. */
#include "agent/fleet_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/config.h"
#include "judge/tree.h"

/* ---- members and summaries ---- */

static enum fc_code say_members(struct fleet_asked *asked, struct fleet_said *said, member_id head)
{
    struct fleet_list list = { 0 };
    fleet_list_pick(&list, asked->picture, head, NULL, NULL);
    fleet_list_by_key(&list, asked->picture);
    say_list(asked, said, &list);
    return FC_OK;
}

/* As meant_cluster_here(), but an alias (or a name) and nothing else. */
static enum fc_code meant_alias(const struct fleet_asked *asked, member_id *head, struct fc_err *err)
{
    const struct picture *picture = asked->picture;
    *head = aliases_find_alias(picture->aliases, picture->topology, asked->parameter[0]);
    if (*head == MEMBER_NONE)
        *head = meant_cluster_named(picture, asked->parameter[0]);
    return *head != MEMBER_NONE ? FC_OK : fc_fail(err, FC_NOT_FOUND, "no cluster has the alias '%.96s'", asked->parameter[0]);
}

enum fc_code read_cluster(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    member_id head;
    const enum fc_code code = meant_cluster_here(asked, &head, err);
    return code == FC_OK ? say_members(asked, said, head) : code;
}

enum fc_code read_cluster_alias(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    member_id head;
    const enum fc_code code = meant_alias(asked, &head, err);
    return code == FC_OK ? say_members(asked, said, head) : code;
}

enum fc_code read_cluster_info(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    member_id head;
    const enum fc_code code = meant_cluster_here(asked, &head, err);
    if (code == FC_OK)
        fleet_json_cluster(&said->page, NULL, &asked->reader, head);
    return code;
}

enum fc_code read_cluster_info_alias(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    member_id head;
    const enum fc_code code = meant_alias(asked, &head, err);
    if (code == FC_OK)
        fleet_json_cluster(&said->page, NULL, &asked->reader, head);
    return code;
}

enum fc_code read_osc(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    member_id head;
    struct fleet_list list = { 0 };
    const enum fc_code code = meant_cluster_here(asked, &head, err);
    if (code != FC_OK)
        return code;
    fleet_list_osc(&list, asked->picture, head);
    say_list(asked, said, &list);
    return FC_OK;
}

enum fc_code read_gh_ost(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    member_id head;
    struct fleet_list list = { 0 };
    const enum fc_code code = meant_cluster_here(asked, &head, err);
    if (code != FC_OK)
        return code;
    fleet_list_gh_ost(&list, asked->picture, head);
    say_list(asked, said, &list);
    return FC_OK;
}

/* Clusters with a known server: the head of others is only somebody's master that was never seen. */
static void list_clusters(struct fleet_list *list, const struct picture *picture)
{
    uint32_t kept = 0;
    fleet_list_clusters(list, picture);
    for (uint32_t i = 0; i < list->count; i++) {
        member_id id = topology_member(picture->topology, list->ids[i])->first_in_cluster;
        while (id != MEMBER_NONE && topology_member(picture->topology, id)->kind != MEMBER_KNOWN)
            id = topology_member(picture->topology, id)->next_in_cluster;
        if (id != MEMBER_NONE)
            list->ids[kept++] = list->ids[i];
    }
    list->count = kept;
}

enum fc_code read_clusters(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct fleet_list list = { 0 };
    char name[FLEET_KEY_SIZE];
    (void)err;
    list_clusters(&list, asked->picture);
    page_open(&said->page, NULL, '[');
    for (uint32_t i = 0; i < list.count; i++) {
        topology_key_text(asked->picture->topology, list.ids[i], name, sizeof name);
        page_text(&said->page, NULL, name);
    }
    page_close(&said->page, ']');
    said->page.is_short = said->page.is_short || list.is_short;
    fleet_list_done(&list);
    return FC_OK;
}

enum fc_code read_clusters_info(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct fleet_list list = { 0 };
    (void)err;
    list_clusters(&list, asked->picture);
    page_open(&said->page, NULL, '[');
    for (uint32_t i = 0; i < list.count; i++)
        fleet_json_cluster(&said->page, NULL, &asked->reader, list.ids[i]);
    page_close(&said->page, ']');
    said->page.is_short = said->page.is_short || list.is_short;
    fleet_list_done(&list);
    return FC_OK;
}

enum fc_code read_masters(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct fleet_list clusters = { 0 }, masters = { 0 };
    (void)err;
    list_clusters(&clusters, asked->picture);
    for (uint32_t i = 0; i < clusters.count; i++) {
        const member_id master = fleet_master(asked->picture, clusters.ids[i], true);
        if (master != MEMBER_NONE)
            fleet_list_add(&masters, master);
    }
    masters.is_short = masters.is_short || clusters.is_short;
    fleet_list_done(&clusters);
    say_list(asked, said, &masters);
    return FC_OK;
}

enum fc_code read_master(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    member_id head;
    const enum fc_code code = meant_cluster_here(asked, &head, err);
    if (code != FC_OK)
        return code;
    const member_id master = fleet_master(asked->picture, head, false);
    if (master == MEMBER_NONE)
        return fc_fail(err, FC_NOT_FOUND, "the master of '%.96s' is not known", asked->parameter[0]);
    fleet_json_instance(&said->page, NULL, &asked->reader, master);
    return FC_OK;
}

/* ---- trees ---- */

enum fc_code read_topology(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const struct picture *picture = asked->picture;
    const struct tree_style style = { .form = (enum tree_form)asked->route->which, .now = picture->now, .policy = &picture->fleet->policy,
                                      .fleet = picture->fleet, .overrides = picture->overrides,
                                      .classifications = picture->classifications };
    member_id head;
    const enum fc_code code = meant_cluster_here(asked, &head, err);
    if (code != FC_OK)
        return code;
    const size_t length = tree_print(picture->topology, asked->reader.desk.room, head, &style, NULL, 0);
    char *text = malloc(length + 1);
    if (text == NULL || tree_print(picture->topology, asked->reader.desk.room, head, &style, text, length + 1) != length) {
        free(text);
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    }
    page_text(&said->page, NULL, text);
    free(text);
    return FC_OK;
}

/* ---- analyses ---- */

static bool is_told(const struct picture *picture, member_id id, const void *asked)
{
    static const struct analysis_asked with_downtimed = { .downtimed = true };
    const struct analysis *found = fleet_analysis(picture->fleet, id);
    const bool is_ignored = host_filters_fit_host(picture->recoveries_ignored, topology_key(picture->topology, id).host);
    (void)asked;
    return found != NULL && analysis_is_told(found, with_downtimed, is_ignored);
}

static enum fc_code say_analyses(struct fleet_asked *asked, struct fleet_said *said, struct fleet_list *list)
{
    fleet_list_by_weight(list, asked->picture);
    page_open(&said->page, NULL, '[');
    for (uint32_t i = 0; i < list->count; i++)
        fleet_json_analysis(&said->page, NULL, &asked->reader, list->ids[i]);
    page_close(&said->page, ']');
    said->page.is_short = said->page.is_short || list->is_short;
    fleet_list_done(list);
    return FC_OK;
}

enum fc_code read_analysis(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct fleet_list list = { 0 };
    (void)err;
    fleet_list_pick(&list, asked->picture, MEMBER_NONE, is_told, NULL);
    return say_analyses(asked, said, &list);
}

enum fc_code read_analysis_cluster(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct fleet_list list = { 0 };
    member_id head;
    if (meant_alias(asked, &head, err) == FC_OK)         /* of a cluster that is none there are none */
        fleet_list_pick(&list, asked->picture, head, is_told, NULL);
    return say_analyses(asked, said, &list);
}

enum fc_code read_analysis_instance(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct fleet_list list = { 0 };
    struct server_meant server;
    const enum fc_code code = meant_server(asked, 0, &server, err);
    if (code != FC_OK)
        return code;
    if (server.id != MEMBER_NONE && is_told(asked->picture, server.id, NULL))
        fleet_list_add(&list, server.id);
    return say_analyses(asked, said, &list);
}

/* ---- pools ---- */

static const char *pool_asked(const struct fleet_asked *asked)
{
    return asked->parameter_count > 1 ? asked->parameter[1] : "";
}

static bool is_in_pool(const struct picture *picture, member_id id, const void *asked)
{
    const struct instance_key key = topology_key(picture->topology, id);
    return picture->pools != NULL && server_pools_have(picture->pools, asked, &key, picture->now);
}

static bool is_fit_in_pool(const struct picture *picture, member_id id, const void *asked)
{
    const struct member *m = topology_member(picture->topology, id);
    const bool is_server = m->kept.seen == NULL || m->kept.seen->flavour != FLAVOUR_MAXSCALE;
    return m->is_seen && is_server && is_in_pool(picture, id, asked);
}

/* A map from pools to those members that are in the cluster. Rows of a pool stand together, sorted. */
enum fc_code read_pools(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const struct picture *picture = asked->picture;
    const member_id head = meant_cluster_named(picture, asked->parameter[0]);
    const char *wanted = pool_asked(asked), *open = NULL;
    (void)err;
    page_open(&said->page, NULL, '{');
    for (uint32_t i = 0; head != MEMBER_NONE && picture->pools != NULL && i < picture->pools->count; i++) {
        const struct server_pool_member *row = &picture->pools->list[i];
        const struct instance_key key = { names_text(picture->pools->names, row->host), row->port };
        const char *pool = names_text(picture->pools->names, row->pool);
        const member_id id = topology_find(picture->topology, &key);
        if (id == MEMBER_NONE || topology_member(picture->topology, id)->head != head || fc_reached(row->until, picture->now) ||
            (wanted[0] != '\0' && !text_is(pool, wanted)))
            continue;
        if (open == NULL || !text_is(open, pool)) {
            if (open != NULL)
                page_close(&said->page, ']');
            page_named_open(&said->page, pool, '[');
            open = pool;
        }
        fleet_json_key(&said->page, NULL, &key);
    }
    if (open != NULL)
        page_close(&said->page, ']');
    page_close(&said->page, '}');
    return FC_OK;
}

enum fc_code read_all_pools(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const struct picture *picture = asked->picture;
    (void)err;
    page_open(&said->page, NULL, '[');
    for (uint32_t i = 0; picture->pools != NULL && i < picture->pools->count; i++) {
        const struct server_pool_member *row = &picture->pools->list[i];
        const struct instance_key key = { names_text(picture->pools->names, row->host), row->port };
        const member_id id = topology_find(picture->topology, &key);
        char cluster[FLEET_KEY_SIZE] = "", alias[FLEET_KEY_SIZE] = "";
        if (fc_reached(row->until, picture->now))
            continue;
        if (id != MEMBER_NONE) {
            topology_key_text(picture->topology, topology_member(picture->topology, id)->head, cluster, sizeof cluster);
            aliases_text(picture->aliases, picture->topology, topology_member(picture->topology, id)->head, alias, sizeof alias);
        }
        page_open(&said->page, NULL, '{');
        page_text(&said->page, "ClusterName", cluster);
        page_text(&said->page, "ClusterAlias", alias);
        page_text(&said->page, "Pool", names_text(picture->pools->names, row->pool));
        page_text(&said->page, "Hostname", key.host);
        page_uint(&said->page, "Port", key.port);
        page_close(&said->page, '}');
    }
    page_close(&said->page, ']');
    return FC_OK;
}

enum fc_code read_pool_members(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct fleet_list list = { 0 };
    member_id head;
    const enum fc_code code = meant_cluster(asked->picture, asked->parameter[0], &head, err);
    if (code != FC_OK)
        return code;
    fleet_list_pick(&list, asked->picture, head, is_fit_in_pool, pool_asked(asked));
    fleet_list_by_key(&list, asked->picture);
    say_list(asked, said, &list);
    return FC_OK;
}

enum fc_code read_pool_lag(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    struct fleet_list list = { 0 };
    member_id head;
    const enum fc_code code = meant_cluster(asked->picture, asked->parameter[0], &head, err);
    if (code != FC_OK)
        return code;
    fleet_list_pick(&list, asked->picture, head, is_fit_in_pool, pool_asked(asked));
    const bool has_any = list.count > 0;
    page_int(&said->page, NULL, fleet_list_lag(&list, asked->picture));
    fleet_list_done(&list);
    return has_any ? FC_OK : fc_fail(err, FC_NOT_FOUND, "no valid server of '%.96s' is in %s%.64s", asked->parameter[0],
                                     pool_asked(asked)[0] == '\0' ? "any pool" : "pool ", pool_asked(asked));
}

/* ---- names, and what this version does not do ---- */

/* route->which: 1, virtual names; else what names were found to be. */
enum fc_code read_resolve_cache(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const struct picture *picture = asked->picture;
    const struct host_names *names = asked->route->which == 1 ? picture->unresolved : picture->resolved;
    (void)err;
    page_open(&said->page, NULL, '{');
    for (uint32_t i = 0; names != NULL && i < names->count; i++) {
        const struct host_name *row = &names->list[i];
        if (fc_reached(row->until, picture->now))
            continue;
        const int64_t until_ms = fc_is_never(row->until) ? 0 : picture->unix_ms + fc_span_ms(fc_since(picture->now, row->until));
        page_named_open(&said->page, names_text(names->names, row->host), '{');
        page_text(&said->page, "Object", names_text(names->names, row->other));
        page_int(&said->page, "Expiration", until_ms * 1000000);
        page_close(&said->page, '}');
    }
    page_close(&said->page, '}');
    return FC_OK;
}

enum fc_code read_filters(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    const struct config_many *texts = asked->picture->recoveries_ignored_texts;
    (void)err;
    page_open(&said->page, NULL, '{');
    page_raw(&said->page, "RecoverMasterClusterFilters", "[]");
    page_raw(&said->page, "RecoverIntermediateMasterClusterFilters", "[]");
    page_open(&said->page, "RecoveryIgnoreHostnameFilters", '[');
    for (const char *text = texts == NULL ? NULL : config_many_next(texts, NULL); text != NULL; text = config_many_next(texts, text))
        page_text(&said->page, NULL, text);
    page_close(&said->page, ']');
    page_close(&said->page, '}');
    return FC_OK;
}

enum fc_code read_recoveries_switch(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    (void)asked, (void)err;
    page_text(&said->page, NULL, "disabled");
    return FC_OK;
}

/* Who asks for these acts on the answer, so an empty one would be wrong. */
enum fc_code read_absent(struct fleet_asked *asked, struct fleet_said *said, struct fc_err *err)
{
    static const char *const sentences[FLEET_ABSENT_COUNT] = {
        [FLEET_ABSENT_CANDIDATE] = "this version recovers no clusters, so it chooses no candidate; which-replicas and can-replicate-from tell who there is",
        [FLEET_ABSENT_KV] = "this version writes to no key-value stores; all-clusters-masters tells the masters",
    };
    (void)said;
    return fc_fail(err, FC_REFUSED, "%s", sentences[asked->route->which]);
}
