/* Drawing, reading and printing. */
#include "quorumsim/plot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"

#define CHAOS_ELECTIONS 30               /* how long faults are drawn for, in election times */

const struct plot_row plot_faults[PLOT_FAULT_COUNT] = {
    /*                       word          parties amount lasts weight from     to  meaning */
    [PLOT_KILL]          = { "kill",         1, false, true,  10,    0,      0, "the process is gone; of what was not synced, a beginning may be on disk" },
    [PLOT_STOP]          = { "stop",         1, false, true,   4,    0,      0, "the process ends in order" },
    [PLOT_POWER_CUT]     = { "power-cut",    1, true,  true,   6,    1,     12, "the machine goes off at so many writes from now" },
    [PLOT_WIPE]          = { "wipe",         1, false, true,   1,    0,      0, "the process is gone and its directory with it" },
    [PLOT_LOSE_TAIL]     = { "lose-tail",    1, true,  true,   3,    1,      6, "the process is gone, and so many entries that its disk had called durable" },
    [PLOT_FREEZE]        = { "freeze",       1, false, true,  10,    0,      0, "nothing of the process runs; its clock does" },
    [PLOT_CUT]           = { "cut",          2, false, true,   8,    0,      0, "no packet passes between two" },
    [PLOT_CUT_ONE_WAY]   = { "cut-one-way",  2, false, true,   8,    0,      0, "no packet passes from the first to the second" },
    [PLOT_ISOLATE]       = { "isolate",      1, false, true,   8,    0,      0, "no packet passes to or from it" },
    [PLOT_BREAK]         = { "break",        2, false, false,  5,    0,      0, "their connections end, with what was on its way" },
    [PLOT_LOSSY]         = { "lossy",        0, true,  true,   4,    5,     60, "percent of all packets that have to be sent again" },
    [PLOT_LATE]          = { "late",         0, true,  true,   4,    5,    400, "milliseconds that packets take at most" },
    [PLOT_MANGLE]        = { "mangle",       0, true,  true,   4,    5,     40, "percent of our own frames that are lost, doubled or overtaken" },
    [PLOT_SLOW_DISK]     = { "slow-disk",    1, true,  true,   6,   50,   5000, "milliseconds that a write takes at most" },
    [PLOT_FULL_DISK]     = { "full-disk",    1, false, true,   3,    0,      0, "writes fail" },
    [PLOT_ORDERS]        = { "orders",       1, true,  false, 40,    1,      6, "so many entries are asked for" },
    [PLOT_YIELD]         = { "yield",        1, true,  false,  8,    0,      5, "it gives leadership away; to the node of this number, 0 the best" },
    [PLOT_STAND_DOWN]    = { "stand-down",   1, false, true,   3,    0,      0, "it does not stand" },
    [PLOT_SNAPSHOT]      = { "snapshot",     1, false, false,  4,    0,      0, "a snapshot is asked for" },
    [PLOT_HEAL]          = { "heal",         0, false, false,  0,    0,      0, "from here on nothing is wrong any more" },
};

/* ---- drawn -------------------------------------------------------------------------------------------------------- */

static int64_t between(struct fc_rng *rng, int64_t from, int64_t to) { return from + (int64_t)rng_below(rng, (uint64_t)(to - from + 1)); }

static enum plot_fault draw_fault(struct fc_rng *rng)
{
    unsigned all = 0;
    for (int i = 0; i < PLOT_FAULT_COUNT; i++)
        all += plot_faults[i].weight;
    uint64_t left = rng_below(rng, all);
    for (int i = 0; i < PLOT_FAULT_COUNT; i++) {
        if (left < plot_faults[i].weight)
            return (enum plot_fault)i;
        left -= plot_faults[i].weight;
    }
    return PLOT_ORDERS;
}

static int draw_party(struct fc_rng *rng, int nodes)
{
    static const int roles[] = { PARTY_LEADER, PARTY_OTHER, PARTY_LAST };
    return rng_below(rng, 2) == 0 ? roles[rng_below(rng, 3)] : (int)rng_below(rng, (uint64_t)nodes);
}

void plot_draw(struct plot *ret, uint64_t seed, int nodes)
{
    static const int sizes[] = { 1, 3, 3, 3, 3, 3, 5, 5 };
    static const int elections[] = { 300, 500, 1000, 2000 };
    struct fc_rng rng = { seed * 2654435761u + 1 };
    memset(ret, 0, sizeof *ret);
    ret->seed = seed;
    ret->node_count = sizes[rng_below(&rng, 8)];
    if (nodes != 0)
        ret->node_count = nodes;
    ret->election_ms = elections[rng_below(&rng, 4)];
    const int64_t election_us = ret->election_ms * INT64_C(1000);
    const int64_t end = CHAOS_ELECTIONS * election_us;
    for (int64_t at = election_us; at < end && ret->count < PLOT_LINES_MAX - 1; at += between(&rng, election_us / 50, election_us * 4 / 5)) {
        struct plot_line *line = &ret->lines[ret->count++];
        const enum plot_fault fault = draw_fault(&rng);
        const struct plot_row *row = &plot_faults[fault];
        *line = (struct plot_line){ .at_us = at, .fault = fault, .a = PARTY_NONE, .b = PARTY_NONE };
        if (row->parties > 0)
            line->a = draw_party(&rng, ret->node_count);
        if (row->parties > 1)
            line->b = draw_party(&rng, ret->node_count);
        if (row->has_amount)
            line->amount = between(&rng, row->amount_from, row->amount_to);
        if (row->lasts)
            line->for_us = between(&rng, election_us / 20, election_us * (rng_below(&rng, 4) == 0 ? 8 : 2));
    }
    ret->lines[ret->count++] = (struct plot_line){ .at_us = end, .fault = PLOT_HEAL, .a = PARTY_NONE, .b = PARTY_NONE };
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

static const struct { const char *word; int party; } parties[] = {
    { "leader", PARTY_LEADER }, { "other", PARTY_OTHER }, { "last", PARTY_LAST },
    { "n1", 0 }, { "n2", 1 }, { "n3", 2 }, { "n4", 3 }, { "n5", 4 },
};

static bool party_of(const char *word, int *ret)
{
    for (size_t i = 0; word != NULL && i < sizeof parties / sizeof parties[0]; i++) {
        if (text_is(parties[i].word, word)) {
            *ret = parties[i].party;
            return true;
        }
    }
    return false;
}

static const char *party_word(int party)
{
    for (size_t i = 0; i < sizeof parties / sizeof parties[0]; i++) {
        if (parties[i].party == party)
            return parties[i].word;
    }
    return "nobody";
}

void plot_line_text(const struct plot_line *line, char *to, size_t size)
{
    const struct plot_row *row = &plot_faults[line->fault];
    text_format(to, size, "%.6f %s", (double)line->at_us / 1e6, row->word);
    const int parties_of_line[] = { line->a, line->b };
    for (int i = 0; i < row->parties; i++)
        text_format(to + strlen(to), size - strlen(to), " %s", party_word(parties_of_line[i]));
    if (row->has_amount)
        text_format(to + strlen(to), size - strlen(to), " %" PRId64, line->amount);
    if (row->lasts)
        text_format(to + strlen(to), size - strlen(to), " for %.6f", (double)line->for_us / 1e6);
}

void plot_print(const struct plot *plot, FILE *to)
{
    char text[160];
    fprintf(to, "seed %" PRIu64 "\nnodes %d\nelection %d\n", plot->seed, plot->node_count, plot->election_ms);
    for (int i = 0; i < plot->count; i++) {
        plot_line_text(&plot->lines[i], text, sizeof text);
        fprintf(to, "%s\n", text);
    }
}

static bool seconds_of(const char *word, int64_t *ret)
{
    char *end = NULL;
    const double seconds = word == NULL ? -1 : strtod(word, &end);
    if (word == NULL || end == word || *end != '\0' || !(seconds >= 0 && seconds < 1e6))
        return false;
    *ret = (int64_t)(seconds * 1e6 + 0.5);
    return true;
}

static bool line_read(char *first, char **rest, struct plot *ret)
{
    struct plot_line line = { .a = PARTY_NONE, .b = PARTY_NONE };
    uint64_t number = 0;
    int *const of[] = { &line.a, &line.b };
    const char *word = strtok_r(NULL, " \t\n", rest);
    int fault = 0;
    while (fault < PLOT_FAULT_COUNT && !text_is(plot_faults[fault].word, word))
        fault++;
    if (ret->count == PLOT_LINES_MAX || fault == PLOT_FAULT_COUNT || !seconds_of(first, &line.at_us))
        return false;
    line.fault = (enum plot_fault)fault;
    const struct plot_row *row = &plot_faults[fault];
    for (int i = 0; i < row->parties; i++) {
        if (!party_of(strtok_r(NULL, " \t\n", rest), of[i]))
            return false;
    }
    if (row->has_amount) {
        word = strtok_r(NULL, " \t\n", rest);
        if (word == NULL || !text_to_u64(word, strlen(word), &number) || number > 1000000)
            return false;
        line.amount = (int64_t)number;
    }
    if (row->lasts && (!text_is(strtok_r(NULL, " \t\n", rest), "for") || !seconds_of(strtok_r(NULL, " \t\n", rest), &line.for_us)))
        return false;
    ret->lines[ret->count++] = line;
    return strtok_r(NULL, " \t\n", rest) == NULL;
}

static bool head_read(const char *word, char **rest, struct plot *ret)
{
    const char *value = strtok_r(NULL, " \t\n", rest);
    uint64_t number = 0;
    if (value == NULL || !text_to_u64(value, strlen(value), &number))
        return false;
    if (text_is(word, "seed"))
        ret->seed = number;
    else if (text_is(word, "nodes") && number >= 1 && number <= PLOT_NODES_MAX)
        ret->node_count = (int)number;
    else if (text_is(word, "election") && number >= 100 && number <= 10000)
        ret->election_ms = (int)number;
    else
        return false;
    return true;
}

enum fc_code plot_read(FILE *from, struct plot *ret, struct fc_err *err)
{
    char text[256];
    memset(ret, 0, sizeof *ret);
    ret->node_count = 3;
    ret->election_ms = 1000;
    for (int number = 1; fgets(text, sizeof text, from) != NULL; number++) {
        char *rest = NULL;
        text[strcspn(text, "#")] = '\0';
        char *word = strtok_r(text, " \t\n", &rest);
        if (word == NULL)
            continue;
        const bool is_line = word[0] >= '0' && word[0] <= '9';
        if (!(is_line ? line_read(word, &rest, ret) : head_read(word, &rest, ret)))
            return fc_fail(err, FC_BAD_INPUT, "line %d cannot be understood", number);
        if (ret->count > 1 && ret->lines[ret->count - 1].at_us < ret->lines[ret->count - 2].at_us)
            return fc_fail(err, FC_BAD_INPUT, "line %d is earlier than the one before it", number);
    }
    if (ret->count == 0 || ret->lines[ret->count - 1].fault != PLOT_HEAL)
        return fc_fail(err, FC_BAD_INPUT, "the last line is not heal");
    return FC_OK;
}
