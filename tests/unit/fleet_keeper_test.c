/* The fleet of a node, on a SQLite file: what becomes of orders whose asker does not wait for their end. The store of words is this file. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "agent/fleet_keeper.h"
#include "agent/fleet_pages.h"
#include "base/room.h"
#include "base/text.h"
#include "private_server.h"

#define LONG_MS 30000

static struct pump pump;
static char folder[FOLDER_SIZE];
static struct config config;
static struct room room;
static struct log node_log;
static struct fleet_keeper *keeper;
static struct core *core;
static struct store_request asked;           /* a word, as the store was asked for it last */
static bool is_read;
static int told_count;
static enum fc_code told_code;
static char told_text[320];
static char page[1000];

static void ask(void *owner, const struct store_request *request)
{
    (void)owner;
    asked = *request;
}

static void feed(void *owner, struct event *event) { (void)owner, (void)event; }

static void was_read(void *owner, enum fc_code code, const char *sentence)
{
    (void)owner, (void)sentence;
    is_read = code == FC_OK;
}

static bool is_true(void *owner) { return *(bool *)owner; }
static bool is_told(void *owner) { return *(int *)owner > 0; }

static void on_reply(void *waiter, enum fc_code code, const char *text, bool is_final)
{
    (void)waiter, (void)is_final;
    told_count++;
    told_code = code;
    TEXT_SET(told_text, text);
}

static void open_all(void)
{
    struct fc_err err;
    pump_open(&pump, 2);
    folder_open(folder);
    config_preset(&config);
    TEXT_SET(config.backend_db, "sqlite");
    TEXT_FORMAT(config.sqlite3_data_file, "%s/store.db", folder);
    TEXT_SET(config.topology_user, "topo");
    config.audit_to_backend = true;
    config.instance_poll_seconds = 1;
    log_init(&node_log, -1, NOTE_ALARM);
    room = room_of_libc();
    core = core_new(&room);
    const struct fleet_keeper_port port = { .ask = ask, .feed = feed, .core = core, .was_read = was_read };
    cr_assert_eq(fleet_keeper_open(pump_host(&pump), &config, &port, &node_log, "fc1", "t", &keeper, &err), FC_OK, "%s", err.text);
    fleet_keeper_turn(keeper, true, 0);
    cr_assert(pump_until(&pump, is_true, &is_read, LONG_MS));
}

static void close_all(void)
{
    fleet_keeper_close(keeper);
    core_free(core);
    folder_close(folder);
    pump_close(&pump);
}

TestSuite(fleet_keeper, .init = open_all, .fini = close_all);

static void order(enum fleet_verb verb, const char *host, const char *owner, uint64_t ticket)
{
    struct fleet_order order = { .verb = verb, .port = 3306, .seconds = 60 };
    TEXT_SET(order.host, host);
    TEXT_SET(order.name, owner);
    TEXT_SET(order.text, "disk");
    TEXT_SET(order.by, "anna@http");
    cr_assert(fleet_keeper_order(keeper, &order, ticket, on_reply, NULL));
}

static void of_letters(char *to, size_t size)
{
    memset(to, 'x', size - 1);
    to[size - 1] = '\0';
}

static void word_is_durable(void)
{
    const struct store_result result = { .deed = STORE_WORD, .id = asked.id, .code = FC_OK };
    fleet_keeper_heard(keeper, &result);
}

static void on_page(void *waiter, enum fc_code code, const char *text, const char *json)
{
    cr_expect_eq(code, FC_OK, "%s", text);
    TEXT_SET(page, json);
    *(bool *)waiter = true;
}

/* The store is asked until it has a row of the audit, as rows are written behind. */
static bool has_audit(void *owner)
{
    static bool is_paged = true;
    const struct fleet_page_asked whole = { .table = FLEET_audit, .column = -1, .limit = FLEET_PAGE_ROWS };
    (void)owner;
    if (is_paged && strstr(page, "AuditId") == NULL) {
        is_paged = false;
        cr_assert(fleet_keeper_page(keeper, &whole, 99, on_page, &is_paged));
    }
    return strstr(page, "AuditId") != NULL;
}

Test(fleet_keeper, an_order_whose_asker_has_hung_up_is_done_and_stands_in_the_audit)
{
    order(FLEET_BEGIN_DOWNTIME, "db1", "anna", 5);
    fleet_keeper_drop_waiter(keeper, 5);
    word_is_durable();
    cr_assert(pump_until(&pump, has_audit, NULL, LONG_MS));
    cr_expect_not_null(strstr(page, "\"AuditType\":\"begin-downtime\""), "%s", page);
    cr_expect_not_null(strstr(page, "by anna@http"), "%s", page);
    cr_expect_eq(told_count, 0);
}

Test(fleet_keeper, who_gave_an_order_stands_in_the_audit_however_much_it_says)
{
    struct fleet_order order = { .verb = FLEET_BEGIN_DOWNTIME, .host = "db1", .port = 3306, .seconds = 60 };
    of_letters(order.name, sizeof order.name);
    of_letters(order.text, 200);
    of_letters(order.by, sizeof order.by - 1);
    TEXT_SET(order.by + sizeof order.by - 6, "@http");
    cr_assert(fleet_keeper_order(keeper, &order, 5, on_reply, NULL));
    word_is_durable();
    cr_assert(pump_until(&pump, is_told, &told_count, LONG_MS));
    cr_assert_eq(told_code, FC_OK, "%s", told_text);
    cr_assert(pump_until(&pump, has_audit, NULL, LONG_MS));
    cr_expect_not_null(strstr(page, "@http\""), "%s", page);
}

Test(fleet_keeper, a_server_is_locked_once_though_the_first_to_ask_has_hung_up)
{
    order(FLEET_BEGIN_MAINTENANCE, "db1", "anna", 5);
    fleet_keeper_drop_waiter(keeper, 5);
    order(FLEET_BEGIN_MAINTENANCE, "db1", "ben", 6);
    cr_assert(pump_until(&pump, is_told, &told_count, LONG_MS));
    cr_expect_eq(told_code, FC_BUSY, "%s", told_text);
    cr_expect_str_eq(told_text, "an order about db1:3306 is just being stored");
}

/* Another tool. The first column of the first row. */
static void query(const char *sql, char *to, size_t size)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    to[0] = '\0';
    cr_assert_eq(sqlite3_open(config.sqlite3_data_file, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    if (sqlite3_step(rows) == SQLITE_ROW && sqlite3_column_text(rows, 0) != NULL)
        text_copy(to, size, (const char *)sqlite3_column_text(rows, 0));
    sqlite3_finalize(rows);
    sqlite3_close(db);
}

static const char *awaited[2];               /* a query, and what it is to say */
static bool is_so(void *owner)
{
    char says[200];
    (void)owner;
    query(awaited[0], says, sizeof says);
    return text_is(says, awaited[1]);
}

static bool comes_to_say(const char *sql, const char *says)
{
    awaited[0] = sql;
    awaited[1] = says;
    return pump_until(&pump, is_so, NULL, LONG_MS);
}

Test(fleet_keeper, a_virtual_name_that_is_registered_is_kept_as_history)
{
    order(FLEET_REGISTER_UNRESOLVE, "db1", "vip.example", 5);
    word_is_durable();
    cr_expect(comes_to_say("select hostname from hostname_unresolve_history where unresolved_hostname = 'vip.example'", "db1"));
}

/* A row as another tool, or this node before, has put it: of a server at which nobody answers. `master`: a port, 0 none. */
static void put_server_at(int port, int master, const char *region)
{
    static char names[4000], values[4000], sql[8192], nothing[4];
    names[0] = values[0] = '\0';
    for (int i = 0; i < fleet_tables[FLEET_database_instance].column_count; i++) {
        const struct fleet_column *column = &fleet_tables[FLEET_database_instance].columns[i];
        char value[64];
        TEXT_SET(value, column->type->kind == TYPE_MOMENT ? "datetime('now', '-1 minute')" : column->type->kind == TYPE_NUMBER ? "0" : "''");
        if (i == database_instance_hostname)
            TEXT_SET(value, "'127.0.0.1'");
        else if (i == database_instance_port)
            TEXT_FORMAT(value, "%d", port);
        else if (i == database_instance_master_host)
            TEXT_SET(value, master == 0 ? "''" : "'127.0.0.1'");
        else if (i == database_instance_master_port)
            TEXT_FORMAT(value, "%d", master);
        else if (i == database_instance_mariadb_gtid || i == database_instance_replication_io_thread_state || i == database_instance_replication_sql_thread_state)
            TEXT_SET(value, "1");
        else if (i == database_instance_version)
            TEXT_SET(value, "'10.11.6-MariaDB'");
        else if (i == database_instance_region)
            TEXT_FORMAT(value, "'%s'", region);
        else if (i == database_instance_suggested_cluster_alias)
            TEXT_SET(value, "'main'");
        text_format(names + strlen(names), sizeof names - strlen(names), "%s%s", i == 0 ? "" : ",", column->name);
        text_format(values + strlen(values), sizeof values - strlen(values), "%s%s", i == 0 ? "" : ",", value);
    }
    TEXT_FORMAT(sql, "insert or replace into database_instance (%s) values (%s)", names, values);
    query(sql, nothing, sizeof nothing);
}

static void put_server(const char *region) { put_server_at(1, 0, region); }

#define WITHIN_AN_INSTANT "(julianday('now') - julianday(last_checked)) * 86400 < 50"

Test(fleet_keeper, what_the_store_has_of_a_dead_server_stays_there)
{
    put_server("the coast");
    cr_expect(comes_to_say("select region || ' ' || suggested_cluster_alias from database_instance where " WITHIN_AN_INSTANT, "the coast main"),
              "it was looked at in vain, and its row was written");
    cr_expect(comes_to_say("select alias from cluster_alias where cluster_name = '127.0.0.1:1'", "main"));
}

static const char *said_of_it(void)
{
    static char to[300];
    const struct picture *picture = fleet_keeper_picture(keeper);
    const member_id id = topology_find(picture->topology, &(struct instance_key){ "127.0.0.1", 1 });
    char alias[200] = "";
    if (id == MEMBER_NONE)
        return "";
    aliases_text(picture->aliases, picture->topology, topology_member(picture->topology, id)->head, alias, sizeof alias);
    TEXT_FORMAT(to, "%s %s", classification_text(picture->classifications, id, CLASSIFIED_REGION), alias);
    return to;
}

static bool is_said(void *says) { return text_is(said_of_it(), says); }

Test(fleet_keeper, who_only_reads_calls_servers_and_clusters_as_their_rows_do)
{
    static char first[] = "the coast main", later[] = "the hills main";
    fleet_keeper_turn(keeper, false, 0);
    put_server("the coast");
    cr_expect(pump_until(&pump, is_said, first, LONG_MS), "%s", said_of_it());
    query("update database_instance set region = 'the hills', last_checked = datetime('now')", page, sizeof page);
    cr_expect(pump_until(&pump, is_said, later, LONG_MS), "%s", said_of_it());
}

Test(fleet_keeper, what_was_told_before_the_start_is_not_told_again)
{
    fleet_keeper_turn(keeper, false, 0);
    put_server_at(1, 0, "");
    put_server_at(2, 1, "");
    query("insert into database_instance_last_analysis (hostname, port, analysis_timestamp, analysis) values ('127.0.0.1', 1, "
          "datetime('now', '-1 minute'), 'DeadMasterAndReplicas')", page, sizeof page);
    is_read = false;
    fleet_keeper_turn(keeper, true, 0);
    cr_assert(comes_to_say("select count(*) from database_instance where last_checked > last_seen and " WITHIN_AN_INSTANT, "2"));
    pump_for(&pump, 500);                    /* rows are written after a tenth of a second */
    query("select group_concat(analysis) from database_instance_analysis_changelog", page, sizeof page);
    cr_expect_str_eq(page, "");
}

static bool is_done(void *owner) { return *(bool *)owner; }

Test(fleet_keeper, how_findings_changed_before_the_start_is_told)
{
    const struct fleet_page_asked whole = { .table = FLEET_database_instance_analysis_changelog, .by = PAGED_CHANGES, .column = -1,
                                            .limit = FLEET_PAGE_CHANGES_MAX };
    bool is_paged = false;
    char nothing[4];
    query("insert into database_instance_analysis_changelog (changelog_id, hostname, port, analysis_timestamp, analysis) "
          "values (1, 'db1', 3306, '2027-01-15 08:00:00', 'DeadMaster')", nothing, sizeof nothing);
    cr_assert(fleet_keeper_page(keeper, &whole, 99, on_page, &is_paged));
    cr_assert(pump_until(&pump, is_done, &is_paged, LONG_MS));
    cr_expect_str_eq(page, "[{\"AnalyzedInstanceKey\":{\"Hostname\":\"db1\",\"Port\":3306},\"Changelog\":[\"2027-01-15 08:00:00;DeadMaster,\"]}]");
}
