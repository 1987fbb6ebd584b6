/* What a command prints of a node's JSON: as orchestrator's command line and its shell client print it, one item a line. Pure. */
#ifndef FC_AGENT_FLEET_FORMS_H
#define FC_AGENT_FLEET_FORMS_H

#include <stdio.h>

enum fleet_form {
    FORM_NOTHING = 0, FORM_MESSAGE, FORM_DATED, FORM_RAW, FORM_TEXT, FORM_LINES, FORM_KEYS, FORM_KEY, FORM_KEY_OR_NOTHING, FORM_MASTER_KEY, FORM_RUNNING_KEYS,
    FORM_BROKEN_KEYS, FORM_LOST_KEYS, FORM_RUNNING_KEY, FORM_STOPPED_KEY, FORM_ERRANT, FORM_STATUS, FORM_CLUSTER_NAMES,
    FORM_CLUSTER_ALIASES, FORM_CLUSTER_NAME, FORM_CLUSTER_ALIAS, FORM_CLUSTER_DOMAIN, FORM_CLUSTER_LAG, FORM_DATA_CENTER, FORM_RULES,
    FORM_ANALYSES, FORM_RESOLVED, FORM_POOL_ROWS, FORM_NODES, FORM_LEADER, FORM_SWITCH,
    FORM_COUNT
};

/* `instance`: as it was asked for, NULL none. Returns the exit code: 1 for an envelope that says ERROR, its message goes to `trouble`. */
int fleet_form_print(enum fleet_form form, const char *instance, const char *body, FILE *to, FILE *trouble);

#endif
