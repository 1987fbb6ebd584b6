/* A server: requests in, results out; statements logged here are fetched and evaluated again by the other one. */
#include "sim/sim_server.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "sim/world.h"

#define NET_TIMEOUT_US 2000000       /* slave_net_timeout: after so long of silence a replica says Connecting */
#define RECONNECT_US 1000000         /* master_connect_retry */
#define HEARS_EVERY_US 100000
#define LATE_US 150000               /* replication that lags more than this is not prompt */
#define CATCH_UP_POLL_US 2000
#define KILL_AFTER_US 1000000        /* a fence waits so long for running statements, then ends their sessions */

void server_init(struct sim_server *server, int index)
{
    memset(server, 0, offsetof(struct sim_server, log));
    server->index = index;
    server->is_up = true;
    server->life = server->boot = 1;
    TEXT_FORMAT(server->identity, "uid:%c/%d", 'a' + index, index + 1);
    server->replica.is_connecting = true;
    server->replica.silent_since = -1;
}

static struct sim_server *other_of(struct world *world, int server) { return &world->servers[1 - server]; }

static bool servers_talk(const struct world *world)
{
    return net_talks(&world->net, party_server(0), party_server(1)) && world->servers[0].is_up && world->servers[1].is_up &&
           !world->servers[0].is_frozen && !world->servers[1].is_frozen;
}

/* The age of the oldest statement of the other server that is not applied here. */
static int64_t behind_us(const struct world *world, int server)
{
    const struct sim_replica *r = &world->servers[server].replica;
    const struct sim_server *from = &world->servers[1 - server];
    return r->applied == from->log_count ? 0 : world->now - from->log[r->applied].at;
}

bool replication_is_well(const struct world *world, int from)
{
    const struct sim_replica *r = &world->servers[1 - from].replica;
    return servers_talk(world) && r->is_io_running && !r->is_sql_stopped && behind_us(world, 1 - from) < LATE_US;
}

static bool has_row(const struct sim_server *server, int client, uint32_t n)
{
    return n < APP_ROWS_MAX && (server->rows[client][n / 8] & (1u << (n % 8))) != 0;
}

/* ---- the log --------------------------------------------------------------------------------------------------------- */

static void log_add(struct world *world, struct sim_server *server, enum statement_kind kind, int client, uint32_t n)
{
    struct sim_server *replica = other_of(world, server->index);
    assert(server->log_count < LOG_MAX);
    server->log[server->log_count++] = (struct statement){ (uint8_t)kind, (uint8_t)client, n, world->now };
    if (!replica->replica.has_read_due && replica->replica.is_io_running) {
        replica->replica.has_read_due = true;
        happen(world, world->now + net_delay_us(world), HAP_SERVER_READ, replica->index, 0, 0);
    }
}

static bool take_maximum(struct sim_server *server, const struct decision *row)
{
    if (rank_compare(&row->rank, &server->row.rank) <= 0)
        return false;
    server->row = *row;
    return true;
}

static bool take_guarded(struct sim_server *server, const struct decision *row, const struct rank *old)
{
    if (rank_compare(old, &server->row.rank) != 0 || rank_compare(&row->rank, old) <= 0)
        return false;
    server->row = *row;
    return true;
}

static void take_hold(struct sim_server *server, const struct hold *hold)
{
    for (int i = 0; i < server->hold_count; i++) {
        struct hold *h = &server->holds[i];
        if (text_is(h->pool, hold->pool) && text_is(h->server, hold->server)) {
            if (hold_compare(hold, h) > 0)
                *h = *hold;
            return;
        }
    }
    assert(server->hold_count < HOLDS_MAX);
    server->holds[server->hold_count++] = *hold;
}

static struct stored_order *order_of(struct sim_server *server, uint64_t id)
{
    for (int i = 0; i < server->order_count; i++) {
        if (server->orders[i].id == id)
            return &server->orders[i];
    }
    return NULL;
}

static void add_order(struct sim_server *server, const struct stored_order *order)
{
    if (server->order_count == SIM_ORDERS_MAX) {
        memmove(&server->orders[0], &server->orders[1], sizeof server->orders[0] * (SIM_ORDERS_MAX - 1));
        server->order_count--;
    }
    server->orders[server->order_count++] = *order;
}

/* As the statements order-lay and order-close: in whichever order they arrive, the same row. */
static void lay_order(struct sim_server *server, const struct stored_order *order)
{
    struct stored_order *stored = order_of(server, order->id);
    if (stored == NULL) {
        add_order(server, order);
    } else if (stored->text[0] == '\0') {
        TEXT_SET(stored->text, order->text);
        TEXT_SET(stored->by, order->by);
        TEXT_SET(stored->node, order->node);
    }
}

static void close_order(struct sim_server *server, const struct stored_order *order)
{
    struct stored_order *stored = order_of(server, order->id);
    if (stored == NULL) {
        add_order(server, order);
    } else if (stored->state == ORDER_ASKED || order->state < stored->state ||
               (order->state == stored->state && strcmp(order->answer, stored->answer) < 0)) {
        stored->state = order->state;
        TEXT_SET(stored->answer, order->answer);
    }
}

static void put_row(struct world *world, struct sim_server *server, int client, uint32_t n)
{
    if (has_row(server, client, n)) {
        server->doubled++;
        violate(world, "row (%d,%u) was written twice on %s", client, n, SERVER_NAME(server->index));
        return;
    }
    server->rows[client][n / 8] = (uint8_t)(server->rows[client][n / 8] | (1u << (n % 8)));
}

static void create_schema(struct sim_server *server) { server->has_schema = true; }

static uint32_t keep_write(struct sim_server *server, const struct decision *row, const struct rank *old)
{
    struct row_write *place = &server->writes[server->write_count % WRITES_MAX];
    assert(server->write_count < WRITES_MAX);
    place->row = *row;
    if (old != NULL)
        place->old = *old;
    return (uint32_t)server->write_count++;
}

/* ---- replication ------------------------------------------------------------------------------------------------------- */

static void apply_one(struct world *world, struct sim_server *to, const struct sim_server *from, const struct statement *s)
{
    switch ((enum statement_kind)s->kind) {
    case STMT_NOISE:
        break;
    case STMT_APP:
        put_row(world, to, s->client, s->n);
        break;
    case STMT_SCHEMA:
        create_schema(to);
        break;
    case STMT_MAXIMUM:
        take_maximum(to, &from->writes[s->n].row);
        break;
    case STMT_GUARDED:
        take_guarded(to, &from->writes[s->n].row, &from->writes[s->n].old);
        break;
    case STMT_HOLD:
        take_hold(to, &from->log_holds[s->n]);
        break;
    case STMT_ORDER_LAY:
        lay_order(to, &from->log_orders[s->n]);
        break;
    case STMT_ORDER_CLOSE:
        close_order(to, &from->log_orders[s->n]);
        break;
    }
}

static void plan_apply(struct world *world, struct sim_server *server)
{
    struct sim_replica *r = &server->replica;
    if (r->applied < r->read && !r->has_apply_due && !r->is_sql_stopped) {
        r->has_apply_due = true;
        happen(world, world->now + (r->slow_us > 0 ? r->slow_us : chance_between(world, 100, 1500)), HAP_SERVER_APPLY,
               server->index, 0, server->life);
    }
}

void server_read(struct world *world, int index)
{
    struct sim_server *server = &world->servers[index];
    server->replica.has_read_due = false;
    if (!servers_talk(world) || !server->replica.is_io_running)
        return;                                            /* fetched when they hear each other again */
    server->replica.read = other_of(world, index)->log_count;
    server->replica.source_boot = (int)other_of(world, index)->boot;
    plan_apply(world, server);
}

void server_apply(struct world *world, int index)
{
    struct sim_server *server = &world->servers[index];
    struct sim_replica *r = &server->replica;
    r->has_apply_due = false;
    if (!server->is_up || r->is_sql_stopped || server->under_way[FAULT_DISK_FULL] > 0)
        return;                                            /* it waits for room; asked again by server_hears_again */
    const int target = r->slow_us > 0 && r->applied < r->read ? r->applied + 1 : r->read;
    while (r->applied < target) {
        apply_one(world, server, other_of(world, index), &other_of(world, index)->log[r->applied]);
        r->applied++;
    }
    plan_apply(world, server);
}

static void fetch_soon(struct world *world, struct sim_server *server)
{
    if (!server->replica.has_read_due) {
        server->replica.has_read_due = true;
        happen(world, world->now + net_delay_us(world), HAP_SERVER_READ, server->index, 0, 0);
    }
}

/* Refused while the other process is down, or something between says so; a try that nobody answers says nothing. */
static void try_master(struct world *world, struct sim_server *server)
{
    struct sim_replica *r = &server->replica;
    const int own = party_server(server->index), other = party_server(1 - server->index);
    if (!r->is_connecting || world->now - r->tried_at < RECONNECT_US)
        return;
    r->tried_at = world->now;
    r->is_refused = world->net.refused[own][other] > 0 || (net_talks(&world->net, own, other) && !other_of(world, server->index)->is_up);
}

/* The IO thread: it loses its master at once when that one dies, after the net timeout when it falls silent, and tries again
 * each second. */
void server_hears_again(struct world *world, int index)
{
    struct sim_server *server = &world->servers[index];
    struct sim_replica *r = &server->replica;
    happen(world, world->now + HEARS_EVERY_US, HAP_SERVER_HEARS, index, 0, 0);
    if (!server->is_up || server->is_frozen)
        return;
    try_master(world, server);
    if (r->is_io_stopped) {
        plan_apply(world, server);
    } else if (servers_talk(world)) {
        if (r->is_connecting && (r->silent_since < 0 || world->now - r->silent_since >= RECONNECT_US)) {
            r->is_connecting = r->is_refused = false;
            r->is_io_running = true;
        }
        if (r->is_io_running)
            r->silent_since = -1;
        if (r->is_io_running && r->read < other_of(world, index)->log_count)
            fetch_soon(world, server);
        plan_apply(world, server);
    } else if (r->silent_since < 0) {
        r->silent_since = world->now;
    } else if (r->is_io_running && world->now - r->silent_since > NET_TIMEOUT_US) {
        r->is_io_running = r->is_refused = false;
        r->is_connecting = true;
        r->silent_since = r->tried_at = world->now;
    }
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

void server_boot(struct world *world, int index)
{
    struct sim_server *server = &world->servers[index];
    if (server->is_up)
        return;
    world->last_back_at = world->now;
    server->is_up = true;
    server->is_read_only = server->under_way[FAULT_BOOT_WRITABLE] == 0;       /* its option file says so */
    if (!server->is_read_only)
        judge_opened_by_hand(world, index);
    server->boot++;
    server->replica.is_connecting = !server->replica.is_io_stopped;
    server->replica.is_io_running = server->replica.is_refused = false;
    server->replica.tried_at = 0;
    server->replica.silent_since = -1;
    server->replica.read = server->replica.applied;
    tell(world, SERVER_NAME(index), "starts, %s", server->is_read_only ? "read_only" : "writable");
}

static void end_messages(struct world *world, int server)
{
    for (int i = 0; i < MESSAGES_MAX; i++) {
        struct sim_message *m = &world->messages[i];
        if (!m->is_used || m->is_done || m->server != server || !m->is_at_server)
            continue;
        m->is_at_server = false;
        if (!net_carries(&world->net, party_server(server), party_node(m->node)))
            continue;
        m->result.code = FC_UNREACHABLE;
        m->result.loss = LOSS_ENDED;
        TEXT_SET(m->result.text, "the server has ended the session");
        m->refs++;
        happen(world, world->now + 2500, HAP_NODE_RESULT, m->node, i, 0);
    }
}

void server_crash(struct world *world, int index, int64_t back_after_us)
{
    struct sim_server *server = &world->servers[index], *peer = other_of(world, index);
    if (!server->is_up)
        return;
    tell(world, SERVER_NAME(index), "is killed, back after %lld ms", (long long)(back_after_us / 1000));
    server->is_up = server->is_frozen = false;
    server->life++;
    server->kill_count++;
    server->busy_until = 0;
    server->fencing = 0;
    judge_closed(world, index);
    end_messages(world, index);
    if (net_talks(&world->net, party_server(0), party_server(1)) && peer->is_up && peer->replica.is_io_running) {
        peer->replica.is_io_running = false;
        peer->replica.is_connecting = peer->replica.is_refused = true;     /* it tries again at once */
        peer->replica.silent_since = peer->replica.tried_at = world->now;
    }
    for (int n = 0; n < world->node_count; n++) {
        struct sim_node *node = &world->nodes[n];
        if (node->is_up && node->has_session[index] && net_carries(&world->net, party_server(index), party_node(n)))
            happen(world, world->now + chance_between(world, 2000, 3000), HAP_NODE_SESSION_ENDED, n, index, node->life);
    }
    happen(world, world->now + back_after_us, HAP_SERVER_BOOT, index, 0, 0);
}

/* ---- requests ---------------------------------------------------------------------------------------------------------- */

static void answer(struct world *world, int message, enum fc_code code, const char *text)
{
    struct sim_message *m = &world->messages[message];
    m->is_at_server = false;
    m->result.code = code;
    TEXT_SET(m->result.text, text);
    if (!net_carries(&world->net, party_server(m->server), party_node(m->node)))
        return;                                            /* lost on the way: the asker's bound will tell */
    m->refs++;
    const int64_t late_us = m->request.deed == STORE_LOOK ? world->servers[m->server].late_looks_us : 0;
    happen(world, world->now + late_us + net_delay_between_us(world, party_server(m->server), party_node(m->node)),
           HAP_NODE_RESULT, m->node, message, 0);
}

static void deny(struct world *world, int message, const char *text)
{
    world->messages[message].result.loss = LOSS_DENIED;
    answer(world, message, FC_STORE, text);
}

static void position_of(const struct sim_server *server, struct log_position *to)
{
    TEXT_FORMAT(to->file, "bin.%06u", server->boot);
    to->offset = 4 + 100 * (uint64_t)server->log_count;
}

static void fold_replica(const struct world *world, const struct sim_server *server, struct replica_look *to)
{
    const struct sim_replica *r = &server->replica;
    to->is_configured = true;
    to->io = r->is_io_stopped ? THREAD_STOPPED : r->is_io_running ? THREAD_RUNNING : THREAD_CONNECTING;
    to->is_refused = to->io == THREAD_CONNECTING && r->is_refused;
    to->sql = r->is_sql_stopped ? THREAD_STOPPED : THREAD_RUNNING;
    to->lag_ms = !r->is_io_running || r->is_sql_stopped ? -1 : behind_us(world, server->index) / 1000000 * 1000;
    TEXT_FORMAT(to->read.file, "bin.%06d", r->source_boot);
    TEXT_SET(to->applied.file, to->read.file);
    to->read.offset = 4 + 100 * (uint64_t)r->read;
    to->applied.offset = 4 + 100 * (uint64_t)r->applied;
    TEXT_SET(to->error, r->is_sql_stopped ? "stopped by a fault" : "");
}

/* Asked ones first, the oldest first; then what this node was answered, the newest first. */
static void fold_orders(const struct sim_server *server, const char *node, struct server_look *look)
{
    char name[NODE_NAME_SIZE];
    node_name_of(node, name, sizeof name);
    look->order_count = 0;
    for (int i = 0; i < server->order_count && look->order_count < ORDERS_MAX; i++) {
        if (server->orders[i].state == ORDER_ASKED)
            look->orders[look->order_count++] = server->orders[i];
    }
    for (int i = server->order_count - 1; i >= 0 && look->order_count < ORDERS_MAX; i--) {
        if (server->orders[i].state != ORDER_ASKED && text_is(server->orders[i].node, name))
            look->orders[look->order_count++] = server->orders[i];
    }
}

static void look(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    const struct sim_server *server = &world->servers[m->server];
    struct server_look *to = &m->look;
    TEXT_SET(to->identity, server->identity);
    TEXT_SET(to->version, "10.11 sim");
    to->server_id = (uint32_t)server->index + 1;
    to->is_read_only = server->is_read_only;
    to->has_schema = server->has_schema;
    position_of(server, &to->written);
    fold_replica(world, server, &to->replica);
    to->lease = server->row;
    if (world->foreign_fresh > 0 || world->foreign_stale > 0) {
        TEXT_SET(to->foreign_owner, "orc1");
        TEXT_FORMAT(to->foreign_stamp, "%lld", world->foreign_fresh > 0 ? (long long)(world->now / 1000000) : 0LL);
    } else {
        to->foreign_owner[0] = to->foreign_stamp[0] = '\0';
    }
    to->hold_count = server->has_schema ? server->hold_count : 0;
    for (int i = 0; i < to->hold_count; i++)
        to->holds[i] = server->holds[i];
    fold_orders(server, world->nodes[m->node].name, to);
    answer(world, message, FC_OK, "");
}

static void write_row(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    struct sim_server *server = &world->servers[m->server];
    const struct decision *row = &m->request.row;
    if (!server->has_schema) {
        answer(world, message, FC_STORE, "no such table");
        return;
    }
    if (!decision_is_sound(row))
        violate(world, "fc%d writes a row that nobody takes who reads it: %s by `%s`", m->node + 1, phase_word(row->phase), row->rank.node);
    if (server->is_read_only && !m->request.by_fence) {
        answer(world, message, FC_STORE, "1290: the server is read_only");
        return;
    }
    if (m->request.deed == STORE_RENEW) {
        log_add(world, server, STMT_MAXIMUM, 0, keep_write(server, row, NULL));
        take_maximum(server, row);
    } else {
        /* Logged also when it is lost here: a server logs an UPDATE that matched nothing, and the other one evaluates it anew. */
        log_add(world, server, STMT_GUARDED, 0, keep_write(server, row, &m->request.old.rank));
        take_guarded(server, row, &m->request.old.rank);
    }
    m->result.stored = server->row;
    const bool is_ours = rank_compare(&server->row.rank, &row->rank) == 0 && server->row.phase == row->phase;
    answer(world, message, is_ours ? FC_OK : FC_REFUSED, is_ours ? "" : "another row stands");
}

static bool can_write(const struct sim_server *s) { return s->has_schema && s->under_way[FAULT_DISK_FULL] == 0; }

/* The row first: from then on it is the server that refuses. What cannot be written is done without. */
static void leave_row(struct world *world, struct sim_server *server, const struct sim_message *m)
{
    const struct decision *row = &m->request.row;
    if (row->rank.node[0] == '\0' || !can_write(server))
        return;
    log_add(world, server, STMT_MAXIMUM, 0, keep_write(server, row, NULL));
    take_maximum(server, row);
}

/* As fence_is_late() of the MySQL store: by its own row it sits, later than that was decided. */
static bool sits_since(const struct sim_server *server, const struct rank *decided)
{
    return decided->node[0] != '\0' && server->row.phase == PHASE_SEATED && server->row.rank.epoch > decided->epoch &&
           text_is(server->row.rank.server, server->identity);
}

static void refuse_late_fence(struct world *world, int message)
{
    tell(world, SERVER_NAME(world->messages[message].server), "is not fenced by fc%d: it sits by a later decision", world->messages[message].node + 1);
    answer(world, message, FC_REFUSED, "it sits by a later decision: this fence is late");
}

static void begin_fence(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    struct sim_server *server = &world->servers[m->server];
    leave_row(world, server, m);
    if (sits_since(server, &m->request.row.rank)) {
        refuse_late_fence(world, message);
        return;
    }
    if (can_write(server))
        judge_fence_begins(world, m->server, m->epoch);
    m->is_setting = true;
    m->refs++;
    server->fencing++;
    happen(world, server->busy_until < world->now + KILL_AFTER_US ? server->busy_until : world->now + KILL_AFTER_US,
           HAP_SERVER_FENCE, m->server, message, server->life);
}

static void close_by_fence(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    struct sim_server *server = &world->servers[m->server];
    server->is_read_only = true;
    server->kill_count++;
    server->busy_until = 0;
    judge_fenced(world, m->server, m->epoch);
    tell(world, SERVER_NAME(m->server), "is fenced by fc%d at log %d", m->node + 1, server->log_count);
    position_of(server, &m->result.position);
    answer(world, message, FC_OK, "");
}

/* The row may have risen while it waited for statements: it is asked by the statement that closes. */
void server_fence_step(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    struct sim_server *server = &world->servers[m->server];
    if (server->is_up && m->server_life == server->life) {
        server->fencing--;
        if (sits_since(server, &m->request.row.rank))
            refuse_late_fence(world, message);
        else
            close_by_fence(world, message);
    }
    message_drop(world, message);
}

static bool has_caught_up(const struct sim_server *server, const struct sim_message *m)
{
    const uint64_t applied = 4 + 100 * (uint64_t)server->replica.applied;
    return m->request.has_position ? applied >= m->request.position.offset : server->replica.applied == server->replica.read;
}

void server_catch_up_step(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    struct sim_server *server = &world->servers[m->server];
    if (server->is_up && m->server_life == server->life && !m->is_done) {
        if (has_caught_up(server, m)) {
            answer(world, message, FC_OK, "");
        } else if (server->replica.is_sql_stopped) {
            answer(world, message, FC_STORE, "the applier is stopped");
        } else if (world->now >= m->until_us) {
            answer(world, message, FC_TIMEOUT, "not applied within the bound");
        } else {
            m->refs++;
            happen(world, world->now + CATCH_UP_POLL_US, HAP_SERVER_CATCH_UP, m->server, message, server->life);
        }
    }
    message_drop(world, message);
}

static void open_it(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    struct sim_server *server = &world->servers[m->server];
    const struct decision *row = &m->request.row;
    if (!text_is(server->identity, row->rank.server) || server->row.phase != PHASE_SEATED ||
        server->row.rank.epoch != row->rank.epoch || !text_is(server->row.rank.server, row->rank.server) ||
        !text_is(server->row.rank.node, row->rank.node)) {
        answer(world, message, FC_REFUSED, "the row does not say so: it is not opened");
        return;
    }
    server->is_read_only = false;
    server->opened_epoch = row->rank.epoch;
    tell(world, SERVER_NAME(m->server), "is opened by fc%d at epoch %llu", m->node + 1, (unsigned long long)row->rank.epoch);
    judge_opened(world, m->node, m->server);
    answer(world, message, FC_OK, "");
}

static void write_small(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    struct sim_server *server = &world->servers[m->server];
    m->result.durable_count = replication_is_well(world, m->server) ? 2 : 1;
    if (!server->has_schema) {
        answer(world, message, FC_STORE, "no such table");
    } else if (m->request.deed == STORE_HOLD) {
        assert(server->log_hold_count < SMALL_MAX);
        server->log_holds[server->log_hold_count] = m->request.hold;
        log_add(world, server, STMT_HOLD, 0, (uint32_t)server->log_hold_count++);
        take_hold(server, &m->request.hold);
        answer(world, message, FC_OK, "");
    } else {
        const bool is_lay = m->request.deed == STORE_ORDER_LAY;
        assert(server->log_order_count < SMALL_MAX);
        server->log_orders[server->log_order_count] = m->request.order;
        log_add(world, server, is_lay ? STMT_ORDER_LAY : STMT_ORDER_CLOSE, 0, (uint32_t)server->log_order_count++);
        if (is_lay)
            lay_order(server, &m->request.order);
        else
            close_order(server, &m->request.order);
        answer(world, message, FC_OK, "");
    }
}

/* What clients wrote here from that position on. */
static void read_alone(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    const struct sim_server *server = &world->servers[m->server];
    const uint64_t offset = m->request.position.offset;
    for (int i = offset < 4 ? 0 : (int)((offset - 4) / 100); i < server->log_count; i++)
        m->result.alone.transactions += server->log[i].kind == STMT_APP;
    position_of(server, &m->result.alone.end);
    answer(world, message, FC_OK, "");
}

static bool deed_writes(enum store_deed deed)
{
    return deed != STORE_LOOK && deed != STORE_FENCE && deed != STORE_CATCH_UP && deed != STORE_OPEN && deed != STORE_ALONE;
}

/* A store account above read_only is refused at the login (STORE_FENCE and STORE_OPEN have an account of their own). */
static bool is_denied(const struct sim_server *server, const struct store_request *request)
{
    const bool is_by_fence = request->deed == STORE_FENCE || request->deed == STORE_OPEN || request->by_fence;
    if (is_by_fence)
        return server->under_way[FAULT_FENCE_DENIED] > 0;
    return server->under_way[FAULT_LOOK_DENIED] > 0 || server->under_way[FAULT_SUPER] > 0;
}

void server_serve(struct world *world, int message)
{
    struct sim_message *m = &world->messages[message];
    struct sim_server *server = &world->servers[m->server];
    m->is_at_server = true;
    m->server_life = server->life;
    if (!server->is_up) {
        m->result.loss = LOSS_REFUSED;
        answer(world, message, FC_UNREACHABLE, "connection refused");
        message_drop(world, message);
        return;
    }
    if (is_denied(server, &m->request)) {
        deny(world, message, server->under_way[FAULT_SUPER] > 0 ? "the store's account may write in spite of read_only"
                                                      : "access denied: a privilege is missing");
        message_drop(world, message);
        return;
    }
    world->nodes[m->node].has_session[m->server] = world->nodes[m->node].life == m->node_life;
    if (server->under_way[FAULT_DISK_FULL] > 0 && deed_writes(m->request.deed)) {
        answer(world, message, FC_STORE, "1021: disk full");
        message_drop(world, message);
        return;
    }
    switch (m->request.deed) {
    case STORE_LOOK:
        look(world, message);
        break;
    case STORE_PREPARE:
        if (!server->has_schema)
            log_add(world, server, STMT_SCHEMA, 0, 0);
        create_schema(server);
        answer(world, message, FC_OK, "");
        break;
    case STORE_RENEW:
    case STORE_TAKE:
        write_row(world, message);
        break;
    case STORE_FENCE:
        begin_fence(world, message);
        break;
    case STORE_CATCH_UP:
        m->refs++;
        server_catch_up_step(world, message);
        break;
    case STORE_OPEN:
        open_it(world, message);
        break;
    case STORE_HOLD:
    case STORE_ORDER_LAY:
    case STORE_ORDER_CLOSE:
        write_small(world, message);
        break;
    case STORE_REGISTER:
    case STORE_HISTORY:
    case STORE_HISTORY_READ:
    case STORE_CHECK:
    case STORE_COMPARE:
    case STORE_RESUME:
    case STORE_WORD:
    case STORE_DEED_COUNT:
        answer(world, message, FC_OK, "");
        break;
    case STORE_ALONE:
        read_alone(world, message);
        break;
    }
    message_drop(world, message);
}

static bool is_decision(const struct statement *s)
{
    return s->kind == STMT_MAXIMUM || s->kind == STMT_GUARDED || s->kind == STMT_HOLD || s->kind == STMT_ORDER_LAY ||
           s->kind == STMT_ORDER_CLOSE;
}

void server_replay(struct world *world, int index, int from, int count, bool is_backwards)
{
    struct sim_server *server = &world->servers[index];
    const struct sim_server *source = &world->servers[from];
    for (int i = 0; i < source->log_count && count > 0; i++) {
        const int at = is_backwards ? source->log_count - 1 - i : i;
        if (!is_decision(&source->log[at]))
            continue;
        apply_one(world, server, source, &source->log[at]);
        count--;
    }
}

void server_noise(struct world *world, int index)
{
    if (world->servers[index].is_up && world->servers[index].under_way[FAULT_DISK_FULL] == 0 && !world->servers[index].is_frozen && world->servers[index].has_schema)
        log_add(world, &world->servers[index], STMT_NOISE, 0, 0);
}

bool server_commit(struct world *world, int index, int client, uint32_t n)
{
    struct sim_server *server = &world->servers[index];
    if (!server->is_up || server->is_read_only || server->under_way[FAULT_DISK_FULL] > 0)
        return false;
    put_row(world, server, client, n);
    log_add(world, server, STMT_APP, client, n);
    return true;
}
