/* All servers of the cluster sorted by master and key, so that the replicas of each stand side by side; then walked depth first,
 * once to measure the columns and once to write. */
#include "judge/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "judge/branches.h"
#include "judge/problems.h"

#define COLUMNS 7
#define CELL_SIZE 384                /* a name of 127 with its port, its alias, and the depth; deeper ones are cut */
#define ALIAS_SHOWN_MAX 128

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

/* Last first, so that the first is taken first. Each row waits once, so that `count` places are enough. */
static void push_replicas(struct tree *tree, member_id master, uint32_t depth)
{
    uint32_t to;
    const uint32_t from = branches_below(tree->rows, sizeof *tree->rows, tree->count, master, &to);
    for (; to > from; to--)
        tree->waiting[tree->waiting_count++] = (struct visit){ to - 1, depth };
}

/* --- one line ----------------------------------------------------------------------------------------------------- */

/* Traits are asked for what a server's problems are, not for its words. */
static struct problem_view view_of(const struct tree *tree, member_id id)
{
    return (struct problem_view){ .member = topology_member(tree->topology, id), .policy = tree->style->policy, .now = tree->style->now };
}

static const struct override *override_of(const struct tree *tree, member_id id)
{
    const struct instance_key key = topology_key(tree->topology, id);
    return tree->style->overrides == NULL ? NULL : overrides_of(tree->style->overrides, &key);
}

static void add_extra(char *to, bool is_so, const char *word)
{
    const size_t length = strlen(to);
    if (is_so)
        text_format(to + length, CELL_SIZE - length, "%s%s", length == 0 ? "" : ",", word);
}

static bool is_errant(const struct tree *tree, member_id id)
{
    const struct fleet *fleet = tree->style->fleet;
    return fleet != NULL && id < fleet->capacity && trait_is(&fleet->traits[id], TRAIT_ERRANT);
}

static void write_extras(const struct tree *tree, member_id id, const struct instance_seen *seen, char *to)
{
    const struct channel_seen *channel = instance_channel(seen);
    const bool has_gtid = (channel != NULL && channel->gtid_use != GTID_UNUSED) ||
                          (seen->gtid.mode != NULL && seen->gtid.mode[0] != '\0' && !text_is(seen->gtid.mode, "OFF"));
    add_extra(to, seen->has_log && seen->relogs, ">>");
    add_extra(to, has_gtid, is_errant(tree, id) ? "GTID:errant" : "GTID");
    add_extra(to, seen->semi_sync.is_master_enabled, "semi:master");
    add_extra(to, seen->semi_sync.is_replica_enabled, "semi:replica");
    add_extra(to, override_is_downtimed(override_of(tree, id), tree->style->now), "downtimed");
}

static const char *marker_of(const struct tree *tree, member_id id)
{
    const struct problem_view view = view_of(tree, id);
    const struct instance_seen *seen = view.member->kept.seen;
    if (view.member->link == LINK_GROUP)
        return "\xe2\x80\xa1";                            /* a double dagger */
    return problems_is_looked_at(&view) && seen != NULL && instance_is_running(seen) ? "+" : "-";
}

static void write_name(const struct tree *tree, const struct row *row, uint32_t depth, char *to)
{
    const int blanks = depth == 0 ? 0 : 2 * (int)(depth - 1) < CELL_SIZE / 4 ? 2 * (int)(depth - 1) : CELL_SIZE / 4;
    const char *alias = tree->style->classifications == NULL
                            ? "" : classification_text(tree->style->classifications, row->id, CLASSIFIED_INSTANCE_ALIAS);
    char key[INSTANCE_HOST_MAX + 10], called[ALIAS_SHOWN_MAX + 4] = "";
    topology_key_text(tree->topology, row->id, key, sizeof key);
    if (alias[0] != '\0')
        text_format(called, sizeof called, " (%.*s)", ALIAS_SHOWN_MAX, alias);
    text_make_plain(called);
    if (depth == 0)
        text_format(to, CELL_SIZE, "%s%s", key, called);
    else
        text_format(to, CELL_SIZE, "%*s%s %s%s", blanks, "", marker_of(tree, row->id), key, called);
}

static void write_line(const struct tree *tree, const struct visit *visit, struct line *line)
{
    const struct row *row = &tree->rows[visit->row];
    const struct problem_view view = view_of(tree, row->id);
    const struct instance_seen *seen = view.member->kept.seen;
    for (int i = 0; i < COLUMNS; i++)
        line->cell[i][0] = '\0';
    write_name(tree, row, visit->depth, line->cell[0]);
    problems_lag_word(&view, line->cell[1], CELL_SIZE);
    text_copy(line->cell[2], CELL_SIZE, problems_status_word(&view));
    if (seen == NULL)
        return;
    text_copy(line->cell[3], CELL_SIZE, seen->version_text);
    text_make_plain(line->cell[3]);
    text_copy(line->cell[4], CELL_SIZE, seen->is_read_only ? "ro" : "rw");
    text_copy(line->cell[5], CELL_SIZE, !seen->has_log ? "nobinlog" : seen->binlog_format == NULL ? "" : seen->binlog_format);
    text_make_plain(line->cell[5]);
    write_extras(tree, row->id, seen, line->cell[6]);
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

static void put_line(struct page *page, const struct line *line, const size_t width[COLUMNS], bool has_brackets)
{
    bool is_first = true;
    put(page, line->cell[0], width[0], false);
    put(page, has_brackets ? " [" : "|", 0, false);
    for (int i = 1; i < COLUMNS; i++) {
        if (has_brackets && line->cell[i][0] == '\0')
            continue;
        put(page, is_first ? "" : has_brackets ? "," : "|", 0, false);
        put(page, line->cell[i], has_brackets ? 0 : width[i], i == 1);
        is_first = false;
    }
    put(page, has_brackets ? "]" : "", 0, false);
}

/* They may be long: written piece by piece, never into a cell. */
static void put_plain(struct page *page, const char *text)
{
    for (char piece[64]; *text != '\0'; text += strlen(piece)) {
        text_copy_bytes(piece, sizeof piece, text, strnlen(text, sizeof piece - 1));
        const size_t length = strlen(piece);
        text_make_plain(piece);
        put(page, piece, length, false);
    }
}

static void put_tags(struct page *page, const struct tree *tree, member_id id)
{
    const struct override *override = override_of(tree, id);
    put(page, " [", 0, false);
    for (int i = 0; override != NULL && i < override->tag_count; i++) {
        const char *value = names_text(tree->style->overrides->names, override->tags[i].value);
        put(page, i == 0 ? "" : ",", 0, false);
        put_plain(page, names_text(tree->style->overrides->names, override->tags[i].name));
        put(page, value[0] == '\0' ? "" : "=", 0, false);
        put_plain(page, value);
    }
    put(page, "]", 0, false);
}

/* `page` NULL: the columns are measured. */
static void walk(struct tree *tree, size_t width[COLUMNS], struct page *page)
{
    const bool is_ring = tree->rows[tree->count - 1].master == MEMBER_NONE && topology_member(tree->topology, tree->rows[tree->count - 1].id)->ring > 0;
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
            put_line(page, &line, width, tree->style->form != TREE_TABULATED);
            if (tree->style->form == TREE_TAGS)
                put_tags(page, tree, tree->rows[visit.row].id);
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
