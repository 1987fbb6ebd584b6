/* What a probe costs us: so many sessions to one server, probed in turn at full speed, processor time by getrusage().
 *
 *   probe_bench HOST PORT USER SESSIONS PROBES      the password in PROBE_PASSWORD
 *
 * Prints: microseconds of user and of system time a probe, its latency, and kB of resident memory a session: what the second half of them
 * adds to the first, so that what the process takes once is not counted; and that with all probed at once, over all. */
#include <ev.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/loop.h"
#include "backends/mysql/mysql_probe.h"
#include "base/text.h"

struct bench {
    struct loop *loop;
    struct mysql_probe **probes;
    long session_count, left, under_way, seen_count, lost_count, round_trips;
    int64_t latency_us;
};

static struct bench bench;

static void start_next(struct mysql_probe *probe)
{
    if (bench.left > 0) {
        bench.left--;
        bench.under_way++;
        mysql_probe_start(probe);
    } else if (bench.under_way == 0) {
        loop_stop(bench.loop);
    }
}

static void on_seen(void *owner, const struct instance_seen *seen)
{
    struct mysql_probe **probe = owner;
    bench.under_way--;
    bench.seen_count++;
    bench.round_trips += mysql_probe_round_trips(*probe);
    bench.latency_us += seen->seen_at.us - seen->sent_at.us;
    if (seen->missing != 0)
        fprintf(stderr, "missing: %s\n", seen->trouble);
    start_next(*probe);
}

static void on_lost(void *owner, const struct instance_lost *lost)
{
    bench.under_way--;
    if (bench.lost_count++ < 3)
        fprintf(stderr, "lost: %s\n", lost->text);
    start_next(*(struct mysql_probe **)owner);
}

static double used_us(const struct timeval *t) { return (double)t->tv_sec * 1e6 + (double)t->tv_usec; }

static long resident_kb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* So many probes, `at_once` of them at a time. */
static void run(long count, long at_once)
{
    bench.left = count;
    bench.seen_count = bench.lost_count = bench.round_trips = 0;
    bench.latency_us = 0;
    for (long i = 0; i < at_once && bench.left > 0; i++)
        start_next(bench.probes[i]);
    loop_run(bench.loop);
}

static void measure(const char *what, long count, long at_once)
{
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    run(count, at_once);
    getrusage(RUSAGE_SELF, &after);
    const double user = used_us(&after.ru_utime) - used_us(&before.ru_utime), system = used_us(&after.ru_stime) - used_us(&before.ru_stime);
    printf("%s: %ld probes (%ld lost), user %.0f us, system %.0f us, both %.3f ms a probe; %.2f round trips; %.2f ms until it is heard\n",
           what, bench.seen_count, bench.lost_count, user / (double)count, system / (double)count, (user + system) / (double)count / 1000,
           (double)bench.round_trips / (double)count, (double)bench.latency_us / (double)count / 1000);
}

int main(int argc, char **argv)
{
    struct mysql_prober_setting setting = { .connect_limit = fc_ms(30000), .read_limit = fc_ms(30000) };
    struct fc_err err = { 0 };
    if (argc != 6 || getenv("PROBE_PASSWORD") == NULL) {
        fputs("usage: PROBE_PASSWORD=... probe_bench HOST PORT USER SESSIONS PROBES\n", stderr);
        return 2;
    }
    const struct instance_key key = { argv[1], (uint16_t)strtoul(argv[2], NULL, 10) };
    bench.session_count = strtol(argv[4], NULL, 10);
    const long count = strtol(argv[5], NULL, 10);
    TEXT_SET(setting.user, argv[3]);
    TEXT_SET(setting.password, getenv("PROBE_PASSWORD"));
    if (loop_open(1, 16, &bench.loop, &err) != FC_OK)
        return 1;
    struct mysql_prober *prober = mysql_prober_open(loop_host(bench.loop), &setting, on_seen, on_lost);
    bench.probes = calloc((size_t)bench.session_count, sizeof(struct mysql_probe *));
    const long half = bench.session_count / 2;
    long before_kb = resident_kb();
    const long none_kb = before_kb;
    for (long i = 0; i < bench.session_count; i++)
        bench.probes[i] = mysql_probe_open(prober, &key, &bench.probes[i]);
    for (long i = 0; i < bench.session_count; i++) {      /* connects, one after the other */
        before_kb = i == half ? resident_kb() : before_kb;
        bench.under_way = 1;
        mysql_probe_start(bench.probes[i]);
        loop_run(bench.loop);
    }
    const long idle_kb = resident_kb();
    measure("one at a time", count, 1);
    measure("all at once", count, bench.session_count);
    printf("memory: %.1f kB a session more, of %ld; %.1f kB with all that the process takes once, after all were probed at once\n",
           (double)(idle_kb - before_kb) / (double)(bench.session_count - half), bench.session_count,
           (double)(resident_kb() - none_kb) / (double)bench.session_count);
    for (long i = 0; i < bench.session_count; i++)
        mysql_probe_close(bench.probes[i]);
    mysql_prober_close(prober);
    loop_close(bench.loop);
    free(bench.probes);
    return bench.lost_count == 0 ? 0 : 1;
}
