/* The requirements, their checks, and the sentences. A new requirement is a new row; tests/unit/needs_test.c hits each both ways. */
#include "judge/needs.h"

#include <string.h>

#include "base/text.h"

#define CLOCK_SKEW_MAX_MS 2000       /* other tools count a node as available for 2 s of the server's clock (spec/ha-modes.md 2) */
#define UPTIME_ROUNDED_S 1           /* uptime is told in whole seconds */

static need_check is, is_one_of, at_most, at_least_servers, differs, is_same, follows_the_other, is_running, is_tireless, recovers,
    runs_level;

#define ATTEMPTS_LEAST 10000      /* three hours, one a second */

#define RULE(word, severity, setting, check, wanted, sentence) { word, NEED_##severity, SETTING_##setting, check, wanted, NULL, sentence },
#define RULE_OR(word, severity, setting, check, wanted, unread, sentence) \
    { word, NEED_##severity, SETTING_##setting, check, wanted, unread, sentence },

const struct need_rule need_rules[] = {
    /* what breaks the promise of a planned move: nothing taken is lost, and the fence holds */
    RULE("log-bin", REFUSE, LOG_BIN, is, "ON",
         "$s writes no binary log, so what it takes never reaches $o: set log_bin in its option file and restart it")
    RULE("server-id", REFUSE, SERVER_ID, differs, "its own",
         "$s and $o both have server_id $v, so each drops the other's writes as its own: give each its own and restart it")
    RULE("replicates-from", REFUSE, REPLICATES_FROM, follows_the_other, "the other server",
         "$s replicates from the server with server_id $v, which is none of the pair: CHANGE MASTER TO $o")
    RULE("fence-login", REFUSE, FENCE_LOGIN, is, SETTING_NONE,
         "the account `fence` cannot be used on $s: $v (docs/accounts.md)")
    RULE("fence-privileges", REFUSE, FENCE_LACKS, is, SETTING_NONE,
         "GRANT the account `fence` on $s what it lacks (docs/accounts.md): $v")

    /* what loses or diverges rows when something else happens */
    RULE("replication", ALARM, REPLICATION, is_running, "running",
         "$s does not replicate from $o; mend this and START SLAVE there: $v")
    RULE("binlog-format", ALARM, BINLOG_FORMAT, is, "STATEMENT",
         "$s logs in $v: a row event for a row that the other server lacks stops replication; set binlog_format = STATEMENT")
    RULE("gtid-domain", ALARM, GTID_DOMAIN, differs, "its own",
         "$s and $o both number their transactions in gtid_domain_id $v, which get in each other's way: give each its own")
    RULE("log-slave-updates", ALARM, LOG_UPDATES, is, "ON",
         "$s does not log what it replicates, so its own replicas miss it: set log_slave_updates and restart it")
    RULE("sync-binlog", ALARM, SYNC_BINLOG, is, "1",
         "$s has sync_binlog $v: a crash of its host loses acknowledged writes from its log; set sync_binlog = 1")
    RULE("flush-log", ALARM, FLUSH_LOG, is, "1",
         "$s has innodb_flush_log_at_trx_commit $v: a crash of its host loses acknowledged writes; set it to 1")
    RULE_OR("boot-read-only", ALARM, BOOT_READ_ONLY, is, "ON",
         "read_only of $s was set since it started, which hides what it started with; a node that saw it before remembers",
         "$s starts writable, so after a restart it takes writes until it is fenced: set read_only = ON in its option file")
    RULE("isolation", ALARM, ISOLATION, is_one_of, "REPEATABLE-READ or SERIALIZABLE",
         "$s has the isolation $v, under which InnoDB refuses STATEMENT logging: set transaction_isolation = REPEATABLE-READ")
    RULE("exec-mode", ALARM, EXEC_MODE, is, "STRICT",
         "$s has slave_exec_mode $v, which passes over rows that differ in silence: set it to STRICT")
    RULE("skip-errors", ALARM, SKIP_ERRORS, is, "OFF",
         "$s passes over replication errors $v in silence: take slave_skip_errors out of its option file and restart it")
    RULE("binlog-filter", ALARM, BINLOG_FILTER, is, SETTING_NONE,
         "$s leaves writes out of its log, so they never reach $o; take out of its option file: $v")
    RULE("replica-filter", ALARM, REPLICA_FILTER, is, SETTING_NONE,
         "$s does not apply all that $o sends; take out the filter $v")

    /* what makes an outage longer, or surprises applications */
    RULE("relay-log-recovery", WARNING, RELAY_RECOVERY, recovers, "ON, or GTID",
         "$s may apply a relay log that a crash of its host has cut: set relay_log_recovery, or CHANGE MASTER TO "
         "MASTER_USE_GTID=slave_pos")
    RULE("gtid-strict", WARNING, GTID_STRICT, is, "ON",
         "$s takes transactions out of their order without a word: set gtid_strict_mode = ON")
    RULE("auto-increment", WARNING, INCREMENT, at_least_servers, "the number of servers, or more",
         "$s has auto_increment_increment $v, so keys of applications may meet if both servers are ever written to: set it to the "
         "number of servers")
    RULE("auto-increment-offset", WARNING, OFFSET, differs, "its own",
         "$s and $o both have auto_increment_offset $v, so keys of applications may meet: give each its own")
    RULE("connect-retry", WARNING, CONNECT_RETRY, at_most, "10",
         "$s tries only each $v s to reach $o again after a cut: CHANGE MASTER TO MASTER_CONNECT_RETRY=1")
    RULE("retry-count", WARNING, RETRY_COUNT, is_tireless, "0, 10000 or more",
         "$s gives up for good after $v attempts to reach $o again: CHANGE REPLICATION SOURCE TO SOURCE_RETRY_COUNT=0")
    RULE("net-timeout", WARNING, NET_TIMEOUT, at_most, "10",
         "$s notices a silent $o only after $v s: set slave_net_timeout = 2")
    RULE("sql-mode", WARNING, SQL_MODE, is_same, "as the other's",
         "$s and $o have different sql_mode, so applications meet other rules after a move: $v against $p")
    RULE("time-zone", WARNING, TIME_ZONE, is_same, "as the other's",
         "$s is in the time zone $v, $o in $p, so local times change with a move: give both the same time_zone")
    RULE("event-scheduler", WARNING, EVENT_SCHEDULER, is_one_of, "OFF or DISABLED",
         "$s has event_scheduler $v: events run where they were made, not where the chair is; set it to OFF, or let no event write")
    RULE_OR("above-read-only", WARNING, ABOVE_READ_ONLY, is, SETTING_NONE,
         "`fence` sees no other accounts on $s: GRANT SELECT ON mysql.* to it, or see to it that none has SUPER or READ ONLY ADMIN",
         "some accounts on $s are not bound by read_only, so neither by the fence; take SUPER and READ ONLY ADMIN away from $v")
    RULE("clock", WARNING, CLOCK, runs_level, "within 2 s of this node's",
         "the clock of $s differs from this node's by $v: set both by NTP")
};
const size_t need_rule_count = sizeof need_rules / sizeof need_rules[0];
_Static_assert(sizeof need_rules / sizeof need_rules[0] <= NEED_RULES_MAX, "a mask has a bit for each");

#undef RULE
#undef RULE_OR

/* ---- checks ------------------------------------------------------------------------------------------------------- */

static const char *value_of(const struct need_rule *rule, const struct need_view *view)
{
    return view->of[view->server]->value[rule->setting];
}

static enum need_verdict verdict_of(const char *value, bool is_good)
{
    return value[0] == '\0' ? NEED_UNKNOWN : is_good ? NEED_GOOD : NEED_MISSING;
}

static enum need_verdict is(const struct need_rule *rule, struct need_view *view)
{
    const char *value = value_of(rule, view);
    return verdict_of(value, text_is_nocase(value, rule->wanted));
}

/* The wanted words are joined by " or ". */
static enum need_verdict is_one_of(const struct need_rule *rule, struct need_view *view)
{
    const char *value = value_of(rule, view), *word = rule->wanted;
    bool is_good = false;
    while (*word != '\0') {
        const char *end = strstr(word, " or ");
        char one[32];
        text_copy_bytes(one, sizeof one, word, end == NULL ? strlen(word) : (size_t)(end - word));
        is_good = is_good || text_is_nocase(value, one);
        word = end == NULL ? word + strlen(word) : end + 4;
    }
    return verdict_of(value, is_good);
}

static enum need_verdict at_most(const struct need_rule *rule, struct need_view *view)
{
    const char *value = value_of(rule, view);
    uint64_t number = 0, most = 0;
    text_to_u64(rule->wanted, strlen(rule->wanted), &most);
    return text_to_u64(value, strlen(value), &number) ? verdict_of(value, number <= most) : NEED_UNKNOWN;
}

static enum need_verdict at_least_servers(const struct need_rule *rule, struct need_view *view)
{
    const char *value = value_of(rule, view);
    uint64_t number = 0;
    return text_to_u64(value, strlen(value), &number) ? verdict_of(value, number >= (uint64_t)view->servers->count) : NEED_UNKNOWN;
}

/* Against every other server that was read. The one that tells against it is the one that the sentence names. */
static enum need_verdict against_others(const struct need_rule *rule, struct need_view *view, bool wants_same)
{
    const char *value = value_of(rule, view);
    enum need_verdict verdict = NEED_UNKNOWN;
    for (int i = 0; i < view->servers->count; i++) {
        if (i == view->server || view->of[i] == NULL || view->of[i]->value[rule->setting][0] == '\0' || value[0] == '\0')
            continue;
        if (text_is_nocase(value, view->of[i]->value[rule->setting]) != wants_same) {
            view->other = i;
            return NEED_MISSING;
        }
        verdict = NEED_GOOD;
    }
    return verdict;
}

static enum need_verdict differs(const struct need_rule *rule, struct need_view *view) { return against_others(rule, view, false); }
static enum need_verdict is_same(const struct need_rule *rule, struct need_view *view) { return against_others(rule, view, true); }

/* Its master's server_id is that of another server of the pair. Until every one was read, nobody can say that it is not. */
static enum need_verdict follows_the_other(const struct need_rule *rule, struct need_view *view)
{
    const char *value = value_of(rule, view);
    bool are_all_known = true;
    if (value[0] == '\0')
        return NEED_UNKNOWN;
    for (int i = 0; i < view->servers->count; i++) {
        const struct server_settings *other = view->of[i];
        if (i == view->server)
            continue;
        are_all_known = are_all_known && other != NULL && other->value[SETTING_SERVER_ID][0] != '\0';
        if (other != NULL && text_is(other->value[SETTING_SERVER_ID], value))
            return NEED_GOOD;
    }
    return are_all_known ? NEED_MISSING : NEED_UNKNOWN;
}

/* A replica that tries to reach a server which is lost to us as well is not at fault. */
static enum need_verdict is_running(const struct need_rule *rule, struct need_view *view)
{
    const char *value = value_of(rule, view);
    if (text_begins(value, "connecting")) {
        for (int i = 0; i < view->servers->count; i++) {
            if (i != view->server && !view->servers->list[i].is_reachable)
                return NEED_UNKNOWN;
        }
    }
    return verdict_of(value, text_is(value, rule->wanted));
}

/* MySQL gives up after ten attempts since 8.4, one each CONNECT_RETRY: a server that restarts may take longer. */
static enum need_verdict is_tireless(const struct need_rule *rule, struct need_view *view)
{
    const char *value = value_of(rule, view);
    uint64_t number = 0;
    const bool is_bound = text_to_u64(value, strlen(value), &number) && number > 0;
    return verdict_of(value, !is_bound || number >= ATTEMPTS_LEAST);
}

/* A replica that asks by GTID throws its relay log away at a start and fetches it anew. */
static enum need_verdict recovers(const struct need_rule *rule, struct need_view *view)
{
    const char *gtid = view->of[view->server]->value[SETTING_USES_GTID];
    const bool uses_gtid = gtid[0] != '\0' && !text_is_nocase(gtid, "No") && !text_is(gtid, "0");
    return verdict_of(value_of(rule, view), uses_gtid || text_is_nocase(value_of(rule, view), "ON"));
}

/* The error is on our side of doubt: only what is surely too much is a finding. */
static enum need_verdict runs_level(const struct need_rule *rule, struct need_view *view)
{
    const struct server_settings *s = view->of[view->server];
    const int64_t skew = s->clock_skew_ms < 0 ? -s->clock_skew_ms : s->clock_skew_ms;
    (void)rule;
    return s->clock_error_ms < 0 ? NEED_UNKNOWN : skew - s->clock_error_ms <= CLOCK_SKEW_MAX_MS ? NEED_GOOD : NEED_MISSING;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

void needs_init(struct needs *needs, int count)
{
    memset(needs, 0, sizeof *needs);
    needs->count = count;
    for (int i = 0; i < STORE_SERVERS_MAX; i++)
        needs->list[i].read_at = needs->list[i].boot_read_at = FC_EVER;
}

static void keep_boot(struct server_needs *n, const char *identity, const char *value, struct fc_time at)
{
    TEXT_SET(n->boot_read_only, value);
    TEXT_SET(n->boot_identity, identity);
    n->boot_read_at = at;
}

void needs_saw_boot(struct needs *needs, int server, const struct server_look *look, struct fc_time at)
{
    if (server < needs->count && look->boot_read_only[0] != '\0')
        keep_boot(&needs->list[server], look->identity, look->boot_read_only, at);
}

/* SET GLOBAL hides what the server started with, and firstchair sets read_only at every move: so what was read before stays
 * known until the server starts again. */
static void remember_boot(struct server_needs *n, struct server_settings *now, struct fc_time at)
{
    const struct fc_time started_at = fc_plus(at, fc_ms(-(now->uptime_s + UPTIME_ROUNDED_S) * 1000));
    if (now->value[SETTING_BOOT_READ_ONLY][0] != '\0')
        keep_boot(n, now->identity, now->value[SETTING_BOOT_READ_ONLY], at);
    else if (now->uptime_s >= 0 && text_is(n->boot_identity, now->identity) && !fc_before(n->boot_read_at, started_at))
        TEXT_SET(now->value[SETTING_BOOT_READ_ONLY], n->boot_read_only);
}

void needs_read(struct needs *needs, int server, const struct server_settings *settings, struct fc_time at)
{
    struct server_needs *n = &needs->list[server];
    struct server_settings now = *settings;
    remember_boot(n, &now, at);
    n->settings = now;
    n->has_settings = true;
    n->read_at = at;
}

void needs_denied(struct needs *needs, int server, const char *why, struct fc_time at)
{
    struct server_needs *n = &needs->list[server];
    if (!n->has_settings) {
        memset(&n->settings, 0, sizeof n->settings);
        n->settings.uptime_s = n->settings.clock_error_ms = -1;
    }
    TEXT_SET(n->settings.value[SETTING_FENCE_LOGIN], why);
    n->has_settings = true;
    n->read_at = at;
}

/* ---- judging ------------------------------------------------------------------------------------------------------ */

static struct need_view view_of(const struct needs *needs, const struct servers *servers, int server)
{
    struct need_view view = { .server = server, .servers = servers, .other = -1 };
    for (int i = 0; i < needs->count; i++)
        view.of[i] = needs->list[i].has_settings ? &needs->list[i].settings : NULL;
    return view;
}

/* A MySQL that was read has no domains: nothing is unknown there, and nothing can be wrong. */
static bool has_no_such_thing(const struct server_settings *s, enum setting setting)
{
    return (setting == SETTING_GTID_DOMAIN || setting == SETTING_GTID_STRICT) && !s->is_mariadb && s->value[setting][0] == '\0' &&
           s->value[SETTING_LOG_BIN][0] != '\0';
}

static enum need_verdict verdict_on(size_t rule, struct need_view *view)
{
    const struct server_settings *own = view->of[view->server];
    if (own == NULL)
        return NEED_UNKNOWN;
    return has_no_such_thing(own, need_rules[rule].setting) ? NEED_GOOD : need_rules[rule].check(&need_rules[rule], view);
}

void needs_judge(struct needs *needs, const struct servers *servers)
{
    for (int i = 0; i < needs->count; i++) {
        struct need_view view = view_of(needs, servers, i);
        struct server_needs *n = &needs->list[i];
        n->missing = n->unknown = 0;
        for (size_t r = 0; r < need_rule_count; r++) {
            const enum need_verdict verdict = verdict_on(r, &view);
            n->missing |= (uint64_t)(verdict == NEED_MISSING) << r;
            n->unknown |= (uint64_t)(verdict == NEED_UNKNOWN) << r;
        }
    }
}

int needs_refusal(const struct needs *needs, int server)
{
    for (size_t r = 0; r < need_rule_count; r++) {
        if (need_rules[r].severity == NEED_REFUSE && (needs->list[server].missing >> r & 1) != 0)
            return (int)r;
    }
    return -1;
}

/* ---- the sentence ------------------------------------------------------------------------------------------------- */

/* The other server of a pair stands for "the others" where no check has named one. */
static int other_of(const struct need_view *view)
{
    return view->other >= 0 ? view->other : view->server == 0 ? view->servers->count - 1 : 0;
}

static const char *piece_for(char letter, const struct need_rule *rule, const struct need_view *view)
{
    const int other = other_of(view);
    switch (letter) {
    case 's': return view->servers->list[view->server].name;
    case 'o': return view->servers->list[other].name;
    case 'v': return view->of[view->server] == NULL ? "" : value_of(rule, view);
    case 'p': return view->of[other] == NULL ? "" : view->of[other]->value[rule->setting];
    default: return "";
    }
}

static void fill_in(const char *sentence, const struct need_rule *rule, const struct need_view *view, char *to, size_t size)
{
    size_t length = 0;
    to[0] = '\0';
    for (const char *c = sentence; *c != '\0' && length + 1 < size; c++) {
        const char one[2] = { *c, '\0' };
        text_copy(to + length, size - length, *c == '$' ? piece_for(*++c, rule, view) : one);
        length += strlen(to + length);
    }
}

void need_sentence(const struct needs *needs, const struct servers *servers, int server, size_t rule, char *to, size_t size)
{
    struct need_view view = view_of(needs, servers, server);
    verdict_on(rule, &view);                                 /* it may name the other server */
    fill_in(need_rules[rule].sentence, &need_rules[rule], &view, to, size);
}

void need_unread_sentence(const struct needs *needs, const struct servers *servers, int server, size_t rule, char *to, size_t size)
{
    const struct need_view view = view_of(needs, servers, server);
    const bool is_said = need_rules[rule].unread != NULL && (needs->list[server].unknown >> rule & 1) != 0;
    fill_in(is_said ? need_rules[rule].unread : "", &need_rules[rule], &view, to, size);
}

const char *need_severity_word(enum need_severity severity)
{
    static const char *const words[NEED_SEVERITY_COUNT] = { "warning", "alarm", "refuse" };
    return (unsigned)severity < NEED_SEVERITY_COUNT ? words[severity] : "unknown";
}

const char *need_verdict_word(enum need_verdict verdict)
{
    static const char *const words[NEED_VERDICT_COUNT] = { "well", "missing", "not known" };
    return (unsigned)verdict < NEED_VERDICT_COUNT ? words[verdict] : "unknown";
}
