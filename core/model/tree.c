/* All servers of the cluster sorted by master and key, so that the replicas of each stand side by side; then walked depth first,
 * once to measure the columns and once to write. */
#include "model/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define COLUMNS 7
#define CELL_SIZE 288                /* a name of 255 with its port; deeper ones are cut, as are longer versions */

struct row { member_id master, id; const char *host; uint16_t port; };
struct visit { uint32_t row, depth; };

struct tree {
    const struct topology *topology;
    const struct tree_style *style;
    struct row *rows;
    uint32_t count;
    struct visit *waiting;           /* the branches still to be walked, the next one last */
    uint32_t waiting_count;
};

struct line { char cell[COLUMNS][CELL_SIZE]; };

/* --- the order ---------------------------------------------------------------------------------------------------- */

static int row_compare(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    int order = (a->master > b->master) - (a->master < b->master);
    if (order == 0)
        order = strcmp(a->host, b->host);
    return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}

static void take_rows(struct tree *tree, member_id head)
{
    member_id id = topology_member(tree->topology, head)->first_in_cluster;
    for (; id != MEMBER_NONE && tree->count < topology_member(tree->topology, head)->cluster_count; tree->count++) {
        const struct member *m = topology_member(tree->topology, id);
        const struct instance_key key = topology_key(tree->topology, id);
        const bool is_branch = m->ring > 0 || m->link == LINK_NONE;
        tree->rows[tree->count] = (struct row){ is_branch ? MEMBER_NONE : m->master, id, key.host, key.port };
        id = m->next_in_cluster;
    }
    qsort(tree->rows, tree->count, sizeof *tree->rows, row_compare);
}

static uint32_t first_below(const struct tree *tree, member_id master)
{
    uint32_t from = 0, to = tree->count;
    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;
        if (tree->rows[middle].master < master)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Last first, so that the first is taken first. Each row waits once, so that `count` places are enough. */
static void push_replicas(struct tree *tree, member_id master, uint32_t depth)
{
    const uint32_t from = first_below(tree, master);
    uint32_t to = from;
    while (to < tree->count && tree->rows[to].master == master)
        to++;
    for (; to > from; to--)
        tree->waiting[tree->waiting_count++] = (struct visit){ to - 1, depth };
}

/* --- one line ----------------------------------------------------------------------------------------------------- */

static bool is_recent(const struct tree *tree, const struct member *m)
{
    return !fc_is_ever(m->checked_at) && fc_since(m->checked_at, tree->style->now).us <= tree->style->recent.us;
}

static bool is_behind(const struct tree *tree, const struct channel_seen *channel)
{
    const int64_t behind = channel->lag_s - channel->delay_s;
    return channel->lag_s >= 0 && (behind > tree->style->lag_most_s || (channel->delay_s > 0 && -behind > tree->style->lag_most_s));
}

static void write_lag(const struct tree *tree, const struct member *m, char *to)
{
    const struct channel_seen *channel = m->kept.seen == NULL ? NULL : instance_channel(m->kept.seen);
    if (!m->is_seen || !is_recent(tree, m))
        text_copy(to, CELL_SIZE, "unknown");
    else if (channel == NULL)
        text_copy(to, CELL_SIZE, "0s");
    else if (!instance_is_running(m->kept.seen) || channel->lag_s < 0)
        text_copy(to, CELL_SIZE, "null");
    else
        text_format(to, CELL_SIZE, "%llds", (long long)channel->lag_s);
}

static const char *state_of(const struct tree *tree, const struct member *m)
{
    const struct channel_seen *channel = m->kept.seen == NULL ? NULL : instance_channel(m->kept.seen);
    if (!m->is_seen)
        return "invalid";
    if (!is_recent(tree, m))
        return "unchecked";
    if (channel != NULL && !instance_is_running(m->kept.seen))
        return "nonreplicating";
    return channel != NULL && is_behind(tree, channel) ? "lag" : "ok";
}

static void add_extra(char *to, bool is_so, const char *word)
{
    const size_t length = strlen(to);
    if (is_so)
        text_format(to + length, CELL_SIZE - length, "%s%s", length == 0 ? "" : ",", word);
}

static void write_extras(const struct instance_seen *seen, char *to)
{
    const struct channel_seen *channel = instance_channel(seen);
    const bool has_gtid = (channel != NULL && channel->gtid_use != GTID_UNUSED) ||
                          (seen->gtid.mode != NULL && seen->gtid.mode[0] != '\0' && !text_is(seen->gtid.mode, "OFF"));
    add_extra(to, seen->has_log && seen->relogs, ">>");
    add_extra(to, has_gtid, "GTID");
    add_extra(to, seen->semi_sync.is_master_enabled, "semi:master");
    add_extra(to, seen->semi_sync.is_replica_enabled, "semi:replica");
}

static char marker_of(const struct tree *tree, const struct member *m)
{
    return m->is_seen && is_recent(tree, m) && m->kept.seen != NULL && instance_is_running(m->kept.seen) ? '+' : '-';
}

static void write_name(const struct tree *tree, const struct row *row, uint32_t depth, char *to)
{
    const struct member *m = topology_member(tree->topology, row->id);
    const int blanks = depth == 0 ? 0 : 2 * (int)(depth - 1) < CELL_SIZE / 2 ? 2 * (int)(depth - 1) : CELL_SIZE / 2;
    const bool is_secondary = m->link == LINK_GROUP;
    char key[INSTANCE_HOST_MAX + 10];
    topology_key_text(tree->topology, row->id, key, sizeof key);
    if (depth == 0)
        text_copy(to, CELL_SIZE, key);
    else if (is_secondary)
        text_format(to, CELL_SIZE, "%*s\xe2\x80\xa1 %s", blanks, "", key);      /* a double dagger */
    else
        text_format(to, CELL_SIZE, "%*s%c %s", blanks, "", marker_of(tree, m), key);
}

static void write_line(const struct tree *tree, const struct visit *visit, struct line *line)
{
    const struct row *row = &tree->rows[visit->row];
    const struct member *m = topology_member(tree->topology, row->id);
    const struct instance_seen *seen = m->kept.seen;
    for (int i = 0; i < COLUMNS; i++)
        line->cell[i][0] = '\0';
    write_name(tree, row, visit->depth, line->cell[0]);
    write_lag(tree, m, line->cell[1]);
    text_copy(line->cell[2], CELL_SIZE, state_of(tree, m));
    if (seen == NULL)
        return;
    text_copy(line->cell[3], CELL_SIZE, seen->version_text);
    text_make_plain(line->cell[3]);
    text_copy(line->cell[4], CELL_SIZE, seen->is_read_only ? "ro" : "rw");
    text_copy(line->cell[5], CELL_SIZE, !seen->has_log ? "nobinlog" : seen->binlog_format == NULL ? "" : seen->binlog_format);
    text_make_plain(line->cell[5]);
    write_extras(seen, line->cell[6]);
}

/* --- all lines ---------------------------------------------------------------------------------------------------- */

struct page { char *to; size_t size, length; };

static void put(struct page *page, const char *text, size_t width, bool is_right)
{
    const size_t length = strlen(text), pad = width > length ? width - length : 0;
    const size_t rest = page->length < page->size ? page->size - page->length : 0;
    if (rest > 0)
        text_format(page->to + page->length, rest, "%*s%s%*s", is_right ? (int)pad : 0, "", text, is_right ? 0 : (int)pad, "");
    page->length += length + pad;
}

static void put_line(struct page *page, const struct line *line, const size_t width[COLUMNS], enum tree_form form)
{
    bool is_first = true;
    put(page, line->cell[0], width[0], false);
    put(page, form == TREE_BRACKETS ? " [" : "|", 0, false);
    for (int i = 1; i < COLUMNS; i++) {
        if (form == TREE_BRACKETS && line->cell[i][0] == '\0')
            continue;
        put(page, is_first ? "" : form == TREE_BRACKETS ? "," : "|", 0, false);
        put(page, line->cell[i], form == TREE_BRACKETS ? 0 : width[i], i == 1);
        is_first = false;
    }
    put(page, form == TREE_BRACKETS ? "]" : "", 0, false);
}

/* `page` NULL: the columns are measured. */
static void walk(struct tree *tree, size_t width[COLUMNS], struct page *page)
{
    const uint32_t branches = tree->rows[tree->count - 1].master == MEMBER_NONE ? tree->count - first_below(tree, MEMBER_NONE) : 0;
    const bool is_ring = branches > 0 && topology_member(tree->topology, tree->rows[tree->count - 1].id)->ring > 0;
    struct line line;
    tree->waiting_count = 0;
    push_replicas(tree, MEMBER_NONE, is_ring ? 1 : 0);
    for (bool is_first = true; tree->waiting_count > 0; is_first = false) {
        const struct visit visit = tree->waiting[--tree->waiting_count];
        write_line(tree, &visit, &line);
        for (int i = 0; page == NULL && i < COLUMNS; i++)
            width[i] = strlen(line.cell[i]) > width[i] ? strlen(line.cell[i]) : width[i];
        if (page != NULL) {
            put(page, is_first ? "" : "\n", 0, false);
            put_line(page, &line, width, tree->style->form);
        }
        push_replicas(tree, tree->rows[visit.row].id, visit.depth + 1);
    }
}

size_t tree_print(const struct topology *topology, struct room *room, member_id any, const struct tree_style *style, char *to,
                  size_t size)
{
    const struct member *member = any == MEMBER_NONE ? NULL : topology_member(topology, any);
    struct tree tree = { .topology = topology, .style = style };
    struct page page = { .to = to, .size = size };
    size_t width[COLUMNS] = { 0 };
    if (size > 0)
        to[0] = '\0';
    if (member == NULL || member->kind == MEMBER_FREE || member->head == MEMBER_NONE)
        return 0;
    const uint32_t count = topology_member(topology, member->head)->cluster_count;
    tree.rows = room_reserve(room, count * sizeof *tree.rows);
    tree.waiting = room_reserve(room, count * sizeof *tree.waiting);
    if (tree.rows != NULL && tree.waiting != NULL) {
        take_rows(&tree, member->head);
        walk(&tree, width, NULL);
        walk(&tree, width, &page);
    }
    room_release(room, tree.rows);
    room_release(room, tree.waiting);
    return page.length;
}
