/* Orders about the fleet that end later: which recoveries an acknowledgement means; a knock at a server's port. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/fleet_acks.h"
#include "agent/fleet_knock.h"
#include "agent/fleet_snapshot.h"
#include "base/text.h"
#include "private_server.h"

#define LONG_MS 30000

/* ---- whom an acknowledgement means -------------------------------------------------------------------------------------- */

static struct fleet_row recovery(const char *host, const char *cluster, const char *alias)
{
    struct fleet_row row = fleet_row_of(FLEET_topology_recovery);
    fleet_set_number(&row, topology_recovery_recovery_id, 7);
    fleet_set_text(&row, topology_recovery_uid, "1:ab");
    fleet_set_text(&row, topology_recovery_hostname, host);
    fleet_set_number(&row, topology_recovery_port, 3306);
    fleet_set_text(&row, topology_recovery_cluster_name, cluster);
    fleet_set_text(&row, topology_recovery_cluster_alias, alias);
    return row;
}

static bool fits(enum ack_scope scope, const char *subject, const char *alias, const struct fleet_row *row)
{
    struct fleet_order order = { .verb = FLEET_ACK_RECOVERIES, .ack = scope, .host = "db1", .port = 3306 };
    TEXT_SET(order.subject, subject);
    TEXT_SET(order.name, alias);
    return fleet_ack_fits(&order, row);
}

Test(fleet_acks, each_form_means_its_own_recoveries)
{
    const struct fleet_row of_db1 = recovery("db1", "db1:3306", "main"), of_db2 = recovery("db2", "db2:3306", "main");
    cr_expect(fits(ACK_ALL, "", "", &of_db2));
    cr_expect(fits(ACK_CLUSTER, "db1:3306", "", &of_db1));
    cr_expect_not(fits(ACK_CLUSTER, "db1:3306", "", &of_db2));
    cr_expect(fits(ACK_CLUSTER, "db1:3306", "main", &of_db2), "the name is another one since the failover, the alias is not");
    cr_expect(fits(ACK_INSTANCE, "", "", &of_db1));
    cr_expect_not(fits(ACK_INSTANCE, "", "", &of_db2));
    cr_expect(fits(ACK_ID, "7", "", &of_db1));
    cr_expect_not(fits(ACK_ID, "8", "", &of_db1));
    cr_expect(fits(ACK_UID, "1:ab", "", &of_db1));
    cr_expect_not(fits(ACK_UID, "1:abc", "", &of_db1));
}

Test(fleet_acks, what_was_seen_and_is_over_is_passed_by)
{
    struct fleet_row row = recovery("db1", "db1:3306", "main");
    fleet_set_number(&row, topology_recovery_acknowledged, 1);
    fleet_set_number(&row, topology_recovery_in_active_period, 1);
    cr_expect(fits(ACK_ALL, "", "", &row), "it still blocks");
    fleet_set_number(&row, topology_recovery_in_active_period, 0);
    cr_expect_not(fits(ACK_ALL, "", "", &row));
}

/* ---- knocking ----------------------------------------------------------------------------------------------------------- */

struct told { int count; uint64_t ticket; enum fc_code code; char text[320]; };

static void on_told(void *owner, uint64_t ticket, enum fc_code code, const char *text)
{
    struct told *told = owner;
    told->count++;
    told->ticket = ticket;
    told->code = code;
    TEXT_SET(told->text, text);
}

static bool is_told(void *owner) { return ((struct told *)owner)->count > 0; }

static struct told knock(const char *host, int port)
{
    struct pump pump;
    struct told told = { 0 };
    struct fc_err err;
    const struct fleet_knocks_port to = { &told, on_told };
    pump_open(&pump, 1);
    struct fleet_knocks *knocks = fleet_knocks_new(pump_host(&pump), &to);
    cr_assert_eq(fleet_knock(knocks, &(struct instance_key){ host, (uint16_t)port }, 5, &err), FC_OK);
    cr_assert_eq(told.count, 0, "never from within");
    cr_assert(pump_until(&pump, is_told, &told, LONG_MS));
    fleet_knocks_free(knocks);
    pump_close(&pump);
    cr_assert_eq(told.count, 1);
    cr_assert_eq(told.ticket, 5);
    return told;
}

static int listener(int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 4) == 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

Test(fleet_knock, who_listens_is_found_by_address_and_by_name)
{
    int port;
    const int fd = listener(&port);
    struct told told = knock("127.0.0.1", port);
    cr_expect_eq(told.code, FC_OK, "%s", told.text);
    cr_expect_str_eq(told.text, "connected to 127.0.0.1");
    told = knock("localhost", port);                      /* ::1 first, where nobody listens */
    cr_expect_eq(told.code, FC_OK, "%s", told.text);
    close(fd);
}

Test(fleet_knock, a_closed_port_and_a_name_of_nobody_are_one_sentence_each)
{
    char expected[80];
    const int port = free_port();
    struct told told = knock("127.0.0.1", port);
    cr_expect_eq(told.code, FC_UNREACHABLE);
    TEXT_FORMAT(expected, "127.0.0.1:%d: no connection: Connection refused", port);
    cr_expect_str_eq(told.text, expected);
    told = knock("nobody.invalid", 3306);
    cr_expect_eq(told.code, FC_NOT_FOUND);
    cr_expect(text_begins(told.text, "nobody.invalid:3306: its name is not found: "), "%s", told.text);
}

/* A host whose clock stands, whose timers the scene ticks, and whose worker does not come to its job. */
struct hand_timer { struct fc_time at; host_tick *tick; void *owner; };
static struct hand_timer hand_timers[4];
static int hand_timer_count;
static host_worked *hand_worked;
static void *hand_job;

static struct fc_time hand_now(void *agent)
{
    (void)agent;
    return (struct fc_time){ 1000000 };
}

static int64_t hand_unix_ms(void *agent)
{
    (void)agent;
    return INT64_C(1800000000000);
}

static struct host_timer *hand_timer(void *agent, host_tick *tick, void *owner)
{
    (void)agent;
    hand_timers[hand_timer_count] = (struct hand_timer){ .tick = tick, .owner = owner };
    return (struct host_timer *)&hand_timers[hand_timer_count++];
}

static void hand_timer_set(struct host_timer *timer, struct fc_time at) { ((struct hand_timer *)timer)->at = at; }
static void hand_timer_stop(struct host_timer *timer) { (void)timer; }
static void hand_unwatch(struct host_watch *watch) { (void)watch; }

static bool hand_work(void *agent, host_work *begin, host_worked *worked, void *job)
{
    (void)agent, (void)begin;
    hand_worked = worked;
    hand_job = job;
    return true;
}

static const struct host hand = { .now = hand_now, .unix_ms = hand_unix_ms, .timer = hand_timer, .timer_set = hand_timer_set,
                                  .timer_stop = hand_timer_stop, .untimer = hand_timer_stop, .unwatch = hand_unwatch, .work = hand_work };

static void tick_by_hand(int timer) { hand_timers[timer].tick(hand_timers[timer].owner); }

Test(fleet_knock, a_name_that_is_not_found_in_time_is_given_up_when_it_is_said_to_be)
{
    struct told told = { 0 };
    struct fc_err err;
    char expected[80];
    const struct fleet_knocks_port to = { &told, on_told };
    struct fleet_knocks *knocks = fleet_knocks_new(&hand, &to);
    cr_assert_eq(fleet_knock(knocks, &(struct instance_key){ "db1", 3306 }, 5, &err), FC_OK);
    const int64_t waited_ms = fc_span_ms(fc_since(hand_now(NULL), hand_timers[0].at));
    tick_by_hand(0);
    TEXT_FORMAT(expected, "db1:3306: its name is not found within %lld s", (long long)(waited_ms / 1000));
    cr_expect_str_eq(told.text, expected);
    hand_worked(hand_job);                               /* late: nobody is told again */
    cr_expect_eq(told.count, 1);
    fleet_knocks_free(knocks);
}

Test(fleet_knock, beyond_the_bound_it_is_refused_and_who_closes_is_told_nothing)
{
    struct pump pump;
    struct told told = { 0 };
    struct fc_err err;
    const struct fleet_knocks_port to = { &told, on_told };
    pump_open(&pump, 1);
    struct fleet_knocks *knocks = fleet_knocks_new(pump_host(&pump), &to);
    const struct instance_key nobody = { "127.0.0.1", (uint16_t)free_port() };
    for (uint64_t i = 1; i <= FLEET_KNOCKS_MAX; i++)
        cr_assert_eq(fleet_knock(knocks, &nobody, i, &err), FC_OK);
    cr_expect_eq(fleet_knock(knocks, &nobody, 99, &err), FC_BUSY);
    fleet_knocks_free(knocks);
    pump_for(&pump, 20);
    cr_expect_eq(told.count, 0);
    pump_close(&pump);
}

/* ---- snapshots by the clock ----------------------------------------------------------------------------------------------- */

static const struct host *real;
static int64_t ahead_ms;

static int64_t shifted_unix_ms(void *agent) { return real->unix_ms(agent) + ahead_ms; }

static void on_store_row(void *owner, const struct fleet_row *row) { (void)owner, (void)row; }
static void on_store_note(void *owner, const char *sentence) { (void)owner, (void)sentence; }

static void on_store_read(void *owner, enum fc_code code, const char *sentence)
{
    (void)sentence;
    *(bool *)owner = code == FC_OK;
}

static bool is_true(void *owner) { return *(bool *)owner; }

Test(fleet_snapshot, it_is_taken_each_time_the_clock_has_gone_on_by_so_many_hours)
{
    static struct watch empty;
    char folder[FOLDER_SIZE];
    struct pump pump;
    struct fleet_store *store;
    struct fleet_store_setting setting = { .is_sqlite = true };
    struct told told = { 0 };
    struct fc_err err;
    bool is_read = false;
    pump_open(&pump, 1);
    folder_open(folder);
    real = pump_host(&pump);
    struct host shifted = *real;
    shifted.unix_ms = shifted_unix_ms;
    const struct fleet_store_port to_store = { &is_read, on_store_row, on_store_row, on_store_read, on_store_note, NULL };
    const struct fleet_snapshot_port to = { &told, on_told };
    TEXT_FORMAT(setting.sqlite_file, "%s/store.db", folder);
    cr_assert_eq(fleet_store_open(&shifted, NULL, &setting, &to_store, &store, &err), FC_OK);
    struct fleet_snapshot *snapshot = fleet_snapshot_new(&shifted, &empty, &to);
    cr_expect_eq(fleet_snapshot_take(snapshot, store, 5, &err), FC_BUSY, "the store is not read yet");
    fleet_store_turn(store, FLEET_WRITES, 0);
    cr_assert(pump_until(&pump, is_true, &is_read, LONG_MS));
    const int64_t period_ms = 6 * INT64_C(3600000);
    ahead_ms = period_ms - 150 - real->unix_ms(real->agent) % period_ms;      /* 150 ms before the next of them */
    fleet_snapshot_every(snapshot, store, 6);
    cr_assert(pump_until(&pump, is_told, &told, LONG_MS));
    cr_expect_eq(told.code, FC_OK, "%s", told.text);
    cr_expect_eq(told.ticket, 0, "nobody has ordered it");
    cr_expect(text_begins(told.text, "Took "), "%s", told.text);
    cr_expect_leq(shifted.unix_ms(shifted.agent) % period_ms, 5000);
    fleet_snapshot_every(snapshot, store, 0);
    fleet_snapshot_free(snapshot);
    fleet_store_close(store);
    pump_close(&pump);
    folder_close(folder);
}

/* What waits for a store goes with its turn: of the other server of a pair, of a term that came to an end and began anew. */
Test(fleet_snapshot, whose_store_has_changed_hands_meanwhile_is_not_told_as_whole)
{
    static struct watch empty;
    char folder[FOLDER_SIZE];
    struct pump pump;
    struct fleet_store *store;
    struct fleet_store_setting setting = { .is_sqlite = true };
    struct told told = { 0 };
    struct fc_err err;
    bool is_read = false;
    const struct fleet_store_port to_store = { &is_read, on_store_row, on_store_row, on_store_read, on_store_note, NULL };
    const struct fleet_snapshot_port to = { &told, on_told };
    pump_open(&pump, 1);
    folder_open(folder);
    TEXT_FORMAT(setting.sqlite_file, "%s/store.db", folder);
    cr_assert_eq(fleet_store_open(pump_host(&pump), NULL, &setting, &to_store, &store, &err), FC_OK);
    fleet_store_turn(store, FLEET_WRITES, 0);
    cr_assert(pump_until(&pump, is_true, &is_read, LONG_MS));
    struct fleet_snapshot *snapshot = fleet_snapshot_new(&hand, &empty, &to);
    cr_assert_eq(fleet_snapshot_take(snapshot, store, 5, &err), FC_OK);
    fleet_store_turn(store, FLEET_READS, 0);
    fleet_store_turn(store, FLEET_WRITES, 0);
    is_read = false;
    cr_assert(pump_until(&pump, is_true, &is_read, LONG_MS));
    tick_by_hand(0);
    cr_expect_eq(told.code, FC_NOT_LEADER, "%s", told.text);
    cr_expect_str_eq(told.text, "the store of the fleet has changed hands meanwhile; ask again");
    fleet_snapshot_free(snapshot);
    fleet_store_close(store);
    pump_close(&pump);
    folder_close(folder);
}
