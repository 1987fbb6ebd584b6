/* Thousands of servers in one process, as far as a probe can see them:
 *
 *   fleetsim --servers N --each K --port P [--first 127.16.0.1] [--writes PER_SECOND] [--version TEXT] [--comment TEXT]
 *
 * Server I listens on the I-th address behind the first, all on one port. Any name and password are let in. What it does is told on standard
 * input, a line a command; each is answered by "ok", or by one sentence. SERVERS is I or I-J, counted from 0.
 *
 *   lag SERVERS SECONDS        they apply what was written so long ago          kill SERVERS     their processes end
 *   break SERVERS              their SQL thread stops at a duplicate key        start SERVERS    they come back
 *   stop SERVERS               STOP SLAVE                                       freeze SERVERS   they stand still
 *   move SERVERS MASTER        they replicate from that one                     thaw SERVERS
 *   promote SERVERS            they replicate from nobody, and write            counts           one line of JSON
 *   wait MILLISECONDS          before the next command                          heard            the different texts that were asked
 *   end
 *
 * `move` is also how replication that was stopped or broken runs again. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "lines.h"

#define INPUT_SIZE 8192

struct sim {
    struct fleet fleet;
    struct lines *lines;
    char input[INPUT_SIZE];
    size_t input_length;
    int64_t rest_until_ms;
    bool is_over;
};

/* --- commands ----------------------------------------------------------------------------------------------------- */

typedef bool deed(struct sim *sim, struct server *server, long value);      /* false: it cannot be done */

static bool lag(struct sim *sim, struct server *server, long value)
{
    (void)sim;
    server->lag_ms = value * 1000;
    return value >= 0;
}

static bool kill_server(struct sim *sim, struct server *server, long value)
{
    (void)value;
    server->is_dead = true;
    server->is_frozen = false;
    lines_kill(sim->lines, server->index);
    return true;
}

static bool start(struct sim *sim, struct server *server, long value)
{
    (void)value;
    if (!server->is_dead || !lines_start(sim->lines, server->index))
        return false;
    server->is_dead = false;
    server->started_ms = lines_now_ms();
    return true;
}

static bool freeze(struct sim *sim, struct server *server, long value)
{
    (void)value;
    if (server->is_dead || server->is_frozen)
        return false;
    server->is_frozen = true;
    lines_freeze(sim->lines, server->index);
    return true;
}

static bool thaw(struct sim *sim, struct server *server, long value)
{
    (void)value;
    if (!server->is_frozen)
        return false;
    server->is_frozen = false;
    lines_thaw(sim->lines, server->index);
    return true;
}

static bool break_replication(struct sim *sim, struct server *server, long value)
{
    (void)sim;
    (void)value;
    server->is_broken = server->master != NO_MASTER;
    return server->is_broken;
}

static bool stop_replication(struct sim *sim, struct server *server, long value)
{
    (void)sim;
    (void)value;
    server->fetches = server->applies = false;
    return server->master != NO_MASTER;
}

static bool move(struct sim *sim, struct server *server, long value)
{
    return value >= 0 && value < (long)sim->fleet.count && fleet_move(&sim->fleet, server, (uint32_t)value);
}

static bool promote(struct sim *sim, struct server *server, long value)
{
    (void)value;
    return fleet_move(&sim->fleet, server, NO_MASTER);
}

static const struct { const char *word; deed *deed; bool has_value; } deeds[] = {
    { "lag", lag, true },      { "kill", kill_server, false }, { "start", start, false }, { "freeze", freeze, false },
    { "thaw", thaw, false },   { "move", move, true },         { "promote", promote, false },
    { "break", break_replication, false }, { "stop", stop_replication, false },
};

static void answer(const char *text)
{
    puts(text);
    fflush(stdout);
}

static void tell_counts(const struct sim *sim)
{
    unsigned ever;
    const unsigned now = lines_count(sim->lines, &ever);
    printf("{\"connections\": %u, \"connected\": %u, \"round_trips\": %llu, \"statements\": %llu, \"unknown\": %llu, \"probes\": %llu}\n", now,
           ever, (unsigned long long)answer_counts.round_trips, (unsigned long long)answer_counts.statements,
           (unsigned long long)answer_counts.unknown, (unsigned long long)answer_counts.probes);
    fflush(stdout);
}

static void do_to(struct sim *sim, size_t which, const char *servers, long value)
{
    char *rest;
    const unsigned long first = strtoul(servers, &rest, 10), last = *rest == '-' ? strtoul(rest + 1, &rest, 10) : first;
    if (*rest != '\0' || first > last || last >= sim->fleet.count) {
        answer("no such servers");
        return;
    }
    fleet_settle(&sim->fleet, lines_now_ms());
    for (unsigned long i = first; i <= last; i++) {
        if (!deeds[which].deed(sim, &sim->fleet.servers[i], value)) {
            answer("that cannot be done to such a server");
            return;
        }
    }
    answer("ok");
}

static void obey(struct sim *sim, const char *line)
{
    char word[16] = "", servers[32] = "";
    long value = 0;
    const int parts = sscanf(line, "%15s %31s %ld", word, servers, &value);
    if (parts < 1)
        return;
    for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
        if (strcmp(word, deeds[i].word) == 0 && parts == (deeds[i].has_value ? 3 : 2)) {
            do_to(sim, i, servers, value);
            return;
        }
    }
    if (strcmp(word, "counts") == 0) {
        tell_counts(sim);
    } else if (strcmp(word, "heard") == 0) {
        for (int i = 0; answer_heard(i) != NULL; i++)
            puts(answer_heard(i));
        answer("ok");
    } else if (strcmp(word, "end") == 0) {
        sim->is_over = true;
    } else if (strcmp(word, "wait") == 0 && parts == 2) {
        sim->rest_until_ms = lines_now_ms() + strtol(servers, NULL, 10);
        answer("ok");
    } else {
        answer("no such command");
    }
}

static void obey_lines(struct sim *sim)
{
    char *end;
    while (!sim->is_over && lines_now_ms() >= sim->rest_until_ms && (end = memchr(sim->input, '\n', sim->input_length)) != NULL) {
        const size_t length = (size_t)(end - sim->input) + 1;
        *end = '\0';
        obey(sim, sim->input);
        sim->input_length -= length;
        memmove(sim->input, sim->input + length, sim->input_length);
    }
}

/* Standard input that has ended is no reason to end: a script may leave its fleet standing. */
static void read_input(struct sim *sim)
{
    if (sim->input_length == sizeof sim->input && memchr(sim->input, '\n', sizeof sim->input) == NULL)
        sim->input_length = 0;        /* no command is that long */
    if (sim->input_length == sizeof sim->input)
        return;
    const ssize_t got = read(STDIN_FILENO, sim->input + sim->input_length, sizeof sim->input - sim->input_length);
    if (got > 0)
        sim->input_length += (size_t)got;
    else if (got == 0 || errno != EAGAIN)
        lines_deaf(sim->lines);
}

/* --- options ------------------------------------------------------------------------------------------------------ */

static bool read_options(struct sim *sim, int argc, char **argv, uint32_t *servers, uint32_t *each, struct in_addr *first)
{
    static const struct option options[] = {
        { "servers", required_argument, NULL, 's' }, { "each", required_argument, NULL, 'e' },    { "port", required_argument, NULL, 'p' },
        { "first", required_argument, NULL, 'f' },   { "writes", required_argument, NULL, 'w' },  { "version", required_argument, NULL, 'v' },
        { "comment", required_argument, NULL, 'c' }, { NULL, 0, NULL, 0 },
    };
    inet_pton(AF_INET, "127.16.0.1", first);
    sim->fleet = (struct fleet){ .writes_per_s = 10, .version = "10.11.6-MariaDB-log", .comment = "simulated" };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        const unsigned long number = strtoul(optarg == NULL ? "" : optarg, NULL, 10);
        switch (option) {
        case 's':
            *servers = (uint32_t)number;
            break;
        case 'e':
            *each = (uint32_t)number;
            break;
        case 'p':
            sim->fleet.port = (uint16_t)number;
            break;
        case 'w':
            sim->fleet.writes_per_s = (uint32_t)number;
            break;
        case 'v':
            sim->fleet.version = optarg;
            break;
        case 'c':
            sim->fleet.comment = optarg;
            break;
        case 'f':
            if (inet_pton(AF_INET, optarg, first) != 1)
                return false;
            break;
        default:
            return false;
        }
    }
    return *servers > 0 && *servers <= 100000 && *each > 0 && sim->fleet.port > 0;
}

int main(int argc, char **argv)
{
    static struct sim sim;
    uint32_t servers = 0, each = 10;
    struct in_addr first;
    if (!read_options(&sim, argc, argv, &servers, &each, &first)) {
        fputs("usage: fleetsim --servers N [--each K] --port P [--first ADDRESS] [--writes PER_SECOND] [--version TEXT] [--comment TEXT]\n", stderr);
        return 2;
    }
    if (!fleet_init(&sim.fleet, servers, each, first, lines_now_ms()) || (sim.lines = lines_open(&sim.fleet)) == NULL)
        return 1;
    answer("ready");
    while (!sim.is_over) {
        const int64_t rest_ms = sim.rest_until_ms - lines_now_ms();
        if (lines_turn(sim.lines, rest_ms > 0 ? (int)rest_ms : -1))
            read_input(&sim);
        obey_lines(&sim);
    }
    lines_close(sim.lines);
    fleet_done(&sim.fleet);
    return 0;
}
