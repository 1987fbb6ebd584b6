/* Pools of managed clusters: which servers a cluster has for HAProxy, and which pools are made of them. */
#include "core/config.h"

#include <string.h>

#include "base/text.h"

/* "a/b=rest", "a=b@rest": two names around `between`, and what stands behind the last of '=' and '@'. */
static const char *two_names(const char *item, char between, char behind, char first[NODE_NAME_SIZE], char second[NODE_NAME_SIZE])
{
    const char *middle = strchr(item, between), *end = middle == NULL ? NULL : strchr(middle, behind);
    if (end == NULL || !text_is_name(item, (size_t)(middle - item)) || !text_is_name(middle + 1, (size_t)(end - middle - 1)))
        return NULL;
    text_copy_bytes(first, NODE_NAME_SIZE, item, (size_t)(middle - item));
    text_copy_bytes(second, NODE_NAME_SIZE, middle + 1, (size_t)(end - middle - 1));
    return end + 1;
}

enum fc_code cluster_pool_parse(const char *item, struct cluster_pool_item *ret, struct fc_err *err)
{
    struct cluster_pool_item parsed;
    char host[ADDRESS_SIZE];
    int port;
    const char *listen = two_names(item, '=', '@', parsed.name, parsed.cluster);
    if (listen == NULL || !address_split(listen, host, sizeof host, &port) || port == 0 || !TEXT_SET(parsed.listen, listen))
        return fc_fail(err, FC_BAD_CONFIG, "'%s' must be pool=cluster@host:port, the names 1 to 63 letters, digits, '.', '_' or '-'", item);
    *ret = parsed;
    return FC_OK;
}

enum fc_code cluster_server_parse(const char *item, struct cluster_server_item *ret, struct fc_err *err)
{
    struct cluster_server_item parsed;
    char host[ADDRESS_SIZE];
    int port;
    const char *address = two_names(item, '/', '=', parsed.cluster, parsed.name);
    if (address == NULL || !address_split(address, host, sizeof host, &port) || host[0] == '\0' || port == 0 || !TEXT_SET(parsed.address, address))
        return fc_fail(err, FC_BAD_CONFIG, "'%s' must be cluster/name=host:port, the names 1 to 63 letters, digits, '.', '_' or '-'", item);
    *ret = parsed;
    return FC_OK;
}

/* The relay has found the next leader, who has looked around, before so many checks in a row have failed. */
int config_cluster_fall(const struct config *c)
{
    const int change_ms = 2 * (c->raft_enabled && c->raft_election_ms > c->lease_ms ? c->raft_election_ms : c->lease_ms) + 1000;
    const int fall = change_ms / c->check_inter_ms + 2;
    return fall > c->check_fall ? fall : c->check_fall;
}

/* ---- checks ------------------------------------------------------------------------------------------------------- */

static enum fc_code check_servers(const struct config_list *list, struct fc_err *err)
{
    struct cluster_server_item item[LIST_MAX];
    struct fc_err inner = { 0 };
    for (int i = 0; i < list->count; i++) {
        int of_cluster = 1;
        if (cluster_server_parse(list->item[i], &item[i], &inner) != FC_OK)
            return fc_fail(err, FC_BAD_CONFIG, "ClusterServers: %s", inner.text);
        for (int j = 0; j < i; j++) {
            const bool is_same_cluster = text_is(item[i].cluster, item[j].cluster);
            of_cluster += is_same_cluster;
            if (text_is_nocase(item[i].address, item[j].address) || (is_same_cluster && text_is_nocase(item[i].name, item[j].name)))
                return fc_fail(err, FC_BAD_CONFIG, "ClusterServers has '%s' and '%s'; each address, and in one cluster each name, must stand "
                               "there once", list->item[j], list->item[i]);
        }
        if (of_cluster > CLUSTER_SERVERS_MAX)
            return fc_fail(err, FC_BAD_CONFIG, "ClusterServers has more than %d servers of '%s'; at most %d are possible", CLUSTER_SERVERS_MAX,
                           item[i].cluster, CLUSTER_SERVERS_MAX);
    }
    return FC_OK;
}

static bool has_servers(const struct config *config, const char *cluster)
{
    struct cluster_server_item item;
    for (int i = 0; i < config->cluster_servers.count; i++) {
        if (cluster_server_parse(config->cluster_servers.item[i], &item, NULL) == FC_OK && text_is(item.cluster, cluster))
            return true;
    }
    return false;
}

struct pools_seen { int count; char name[2 * LIST_MAX][NODE_NAME_SIZE]; };

static enum fc_code check_pools(const struct config *config, const char *key, const struct config_list *list, struct pools_seen *seen,
                                struct fc_err *err)
{
    struct cluster_pool_item item;
    struct fc_err inner = { 0 };
    for (int i = 0; i < list->count; i++) {
        if (cluster_pool_parse(list->item[i], &item, &inner) != FC_OK)
            return fc_fail(err, FC_BAD_CONFIG, "%s: %s", key, inner.text);
        if (!has_servers(config, item.cluster))
            return fc_fail(err, FC_BAD_CONFIG, "%s has '%s', and ClusterServers has no server of '%s'; it must name them all", key,
                           list->item[i], item.cluster);
        bool is_taken = text_is_nocase(item.name, config->backend_pool) || text_is_nocase(item.name, config->leader_pool);
        for (int j = 0; j < seen->count; j++)
            is_taken = is_taken || text_is_nocase(seen->name[j], item.name);
        if (is_taken)
            return fc_fail(err, FC_BAD_CONFIG, "%s has '%s', and another pool is called '%s' too; each must have a name of its own", key,
                           list->item[i], item.name);
        TEXT_SET(seen->name[seen->count++], item.name);
    }
    return FC_OK;
}

enum fc_code config_check_clusters(struct config *config, struct fc_err *err)
{
    struct pools_seen seen = { .count = 0 };
    enum fc_code code = check_servers(&config->cluster_servers, err);
    if (code == FC_OK)
        code = check_pools(config, "WriterPools", &config->writer_pools, &seen, err);
    if (code == FC_OK)
        code = check_pools(config, "ReaderPools", &config->reader_pools, &seen, err);
    if (code != FC_OK)
        return code;
    if (seen.count > CLUSTER_POOLS_MAX)
        return fc_fail(err, FC_BAD_CONFIG, "WriterPools and ReaderPools have %d items together; at most %d are possible", seen.count,
                       CLUSTER_POOLS_MAX);
    if (seen.count > 0 && config->topology_user[0] == '\0' && config->topology_credentials_file[0] == '\0')
        return fc_fail(err, FC_BAD_CONFIG, "WriterPools or ReaderPools is set without an account that may look; MySQLTopologyUser or "
                       "MySQLTopologyCredentialsConfigFile must be set");
    return FC_OK;
}
