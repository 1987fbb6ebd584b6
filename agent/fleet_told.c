/* A list that doubles, and goes when it was counted. */
#include "agent/fleet_told.h"

#include <stdlib.h>

#include "base/text.h"

static bool has_room(struct fleet_told *told)
{
    if (told->count < told->room)
        return true;
    const uint32_t room = told->room * 2 + 16;
    struct fleet_finding *larger = told->count >= FLEET_TOLD_MAX ? NULL : realloc(told->list, room * sizeof *larger);
    if (larger == NULL)
        return false;
    told->list = larger;
    told->room = room;
    return true;
}

void fleet_told_row(struct fleet_told *told, const struct fleet_row *row)
{
    struct fleet_finding finding = { .port = (uint16_t)fleet_number(row, database_instance_last_analysis_port) };
    if (TEXT_SET(finding.host, fleet_text(row, database_instance_last_analysis_hostname)) &&
        analysis_code_find(fleet_text(row, database_instance_last_analysis_analysis), &finding.code) && has_room(told))
        told->list[told->count++] = finding;
}

void fleet_told_count(struct fleet_told *told, struct watch *watch)
{
    for (uint32_t i = 0; i < told->count; i++) {
        const struct instance_key key = { told->list[i].host, told->list[i].port };
        const member_id id = topology_find(&watch->topology, &key);
        if (id != MEMBER_NONE && id < watch->fleet.capacity)
            fleet_recall_told(&watch->fleet, id, told->list[i].code);
    }
    fleet_told_done(told);
}

void fleet_told_done(struct fleet_told *told)
{
    free(told->list);
    *told = (struct fleet_told){ 0 };
}
