/* `firstchair discover`: from the servers named (or DiscoverySeeds) to everybody who replicates with them, each looked at once, and the
 * clusters printed. */
#include "agent/discover_command.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/loop.h"
#include "agent/survey.h"
#include "base/text.h"
#include "judge/tree.h"

#define POLL_MS 3600000                /* all of it was looked at just now */

struct finding { struct loop *loop; };

static void on_quiet(void *owner) { loop_stop(((struct finding *)owner)->loop); }

static void print_cluster(const struct topology *topology, member_id head, enum tree_form form, struct analysis_policy policy, struct fc_time now)
{
    struct room room = room_of_libc();
    const struct tree_style style = { .form = form, .now = now, .policy = &policy };
    policy.poll_ms = POLL_MS;
    const size_t length = tree_print(topology, &room, head, &style, NULL, 0);
    char *text = length == 0 ? NULL : malloc(length + 1);
    if (text == NULL)
        return;
    tree_print(topology, &room, head, &style, text, length + 1);
    puts(text);
    free(text);
}

/* Clusters, then a line for each server that was not seen or not wholly; how many were not seen. */
static int print_all(struct survey *survey, enum tree_form form, struct fc_time now)
{
    const struct topology *topology = &survey_watch(survey)->topology;
    int unseen = 0;
    for (member_id head = topology->first_head; head != MEMBER_NONE; head = topology_member(topology, head)->next_head) {
        print_cluster(topology, head, form, survey_watch(survey)->fleet.policy, now);
        for (member_id id = topology_member(topology, head)->first_in_cluster; id != MEMBER_NONE;
             id = topology_member(topology, id)->next_in_cluster) {
            unseen += !topology_member(topology, id)->is_seen;
            if (survey_trouble(survey, id)[0] != '\0')
                fprintf(stderr, "firstchair: %s\n", survey_trouble(survey, id));
        }
    }
    return unseen;
}

static enum fc_code seed_all(struct survey *survey, const struct config *config, const char *const *seeds, int count, struct fc_err *err)
{
    enum fc_code code = FC_OK;
    for (int i = 0; code == FC_OK && i < count; i++)
        code = survey_seed(survey, seeds[i], err);
    const struct config_many *preset = &config->discovery_seeds;
    for (const char *seed = count == 0 ? config_many_next(preset, NULL) : NULL; seed != NULL && code == FC_OK; seed = config_many_next(preset, seed))
        code = survey_seed(survey, seed, err);
    return code;
}

static enum fc_code discover(struct finding *finding, const struct config *config, const char *const *seeds, int count,
                             enum tree_form form, struct fc_err *err)
{
    struct survey *survey = NULL;
    const struct host *host = loop_host(finding->loop);
    int unseen = 0;
    const struct survey_port port = { .owner = finding, .quiet = on_quiet };
    enum fc_code code = survey_open(host, config, &port, &survey, err);
    if (code == FC_OK)
        code = seed_all(survey, config, seeds, count, err);
    if (code == FC_OK) {
        loop_run(finding->loop);
        unseen = print_all(survey, form, host->now(host->agent));
    }
    survey_close(survey);
    return code != FC_OK ? code : unseen > 0 ? FC_FINDINGS : FC_OK;
}

int discover_command(const struct config *config, const char *const *seeds, int count, bool is_tabulated)
{
    struct finding finding = { 0 };
    struct fc_err err = { .code = FC_OK };
    enum fc_code code = FC_OK;
    if (config->topology_user[0] == '\0')
        code = fc_fail(&err, FC_BAD_CONFIG, "MySQLTopologyUser is not set: the account by which servers are looked at (docs/support.md)");
    else if (count == 0 && config->discovery_seeds.count == 0)
        code = fc_fail(&err, FC_BAD_INPUT, "discover needs a server to begin with: HOST:PORT, or DiscoverySeeds in the configuration");
    if (code == FC_OK)
        code = loop_open(2, 64, &finding.loop, &err);
    if (code == FC_OK) {
        code = discover(&finding, config, seeds, count, is_tabulated ? TREE_TABULATED : TREE_BRACKETS, &err);
        loop_close(finding.loop);
    }
    if (code != FC_OK && code != FC_FINDINGS)
        fprintf(stderr, "firstchair: %s\n", err.text);
    return fc_code_table[code].exit_code;
}
