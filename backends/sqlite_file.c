/* Opening, locking and the sentences of one SQLite file.
 *
 * Before each transaction the path is looked at: a file that was moved away or replaced would still be open and still answer,
 * while other processes already use the new one. So the open file must be the one that the path names. */
#include "backends/sqlite_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "core/config.h"

struct sqlite_file {
    config_text path;
    sqlite3 *db;                          /* NULL: not open */
    dev_t device;                         /* of the open file */
    ino_t inode;
    enum sqlite_care care;                /* what `synchronous` is set to */
    bool is_broken;                       /* to be opened anew */
    sqlite3_stmt *statements[SQL_STATEMENT_COUNT];
};

static enum loss loss_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return LOSS_SILENT;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN: return LOSS_DENIED;
    default: return LOSS_BROKEN;
    }
}

static const char *what_it_means(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "another process keeps it locked";
    case SQLITE_PERM:
    case SQLITE_READONLY: return "it cannot be written";
    case SQLITE_CANTOPEN: return "it cannot be opened";
    case SQLITE_FULL: return "the disk is full";
    case SQLITE_IOERR: return "the disk refuses";
    case SQLITE_CORRUPT: return "it is damaged";
    case SQLITE_NOTADB: return "it is not a SQLite database";
    default: return NULL;
    }
}

/* After these the connection is not used again: a mended file is found by opening it anew. */
static bool breaks_the_file(int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM: return true;
    default: return false;
    }
}

static enum fc_code fail(struct sqlite_file *file, enum loss *loss, struct fc_err *err)
{
    const int code = sqlite3_extended_errcode(file->db);
    const int system = sqlite3_system_errno(file->db);
    const char *meaning = what_it_means(code);

    *loss = loss_of(code);
    file->is_broken |= breaks_the_file(code);
    if (meaning == NULL)
        return fc_fail(err, FC_STORE, "store '%.120s': %s", file->path, sqlite3_errmsg(file->db));
    if ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN)
        return fc_fail(err, FC_STORE, "store '%.120s': %s (%s)", file->path, meaning,
                       system != 0 ? strerror(system) : sqlite3_errmsg(file->db));
    return fc_fail(err, FC_STORE, "store '%.120s': %s", file->path, meaning);
}

/* ---- opening ---- */

static bool is_file(const struct sqlite_file *file) { return file->path[0] != ':'; }

static bool make_folders(const char *path)
{
    config_text folder;
    TEXT_SET(folder, path);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0700) != 0 && errno != EEXIST)
            return false;
        *slash = '/';
    }
    return true;
}

/* SQLite gives its side files the mode of the file itself, so it is enough to create that one. Never opened when it is
 * there: closing it again would drop the locks of another connection of this process (POSIX). */
static bool create_file(const char *path)
{
    if (!make_folders(path))
        return false;
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0 || errno == EEXIST;
}

static void close_file(struct sqlite_file *file)
{
    for (int i = 0; i < SQL_STATEMENT_COUNT; i++) {
        sqlite3_finalize(file->statements[i]);
        file->statements[i] = NULL;
    }
    sqlite3_close(file->db);
    file->db = NULL;
    file->is_broken = false;
}

static bool names_the_open_file(const struct sqlite_file *file)
{
    struct stat seen;
    return !is_file(file) ||
           (stat(file->path, &seen) == 0 && seen.st_dev == file->device && seen.st_ino == file->inode);
}

static enum fc_code open_file(struct sqlite_file *file, int busy_ms, enum loss *loss, struct fc_err *err)
{
    struct stat seen = { 0 };

    if (is_file(file) && (!create_file(file->path) || stat(file->path, &seen) != 0)) {
        *loss = LOSS_DENIED;
        return fc_fail(err, FC_STORE, "store '%.120s': it cannot be created (%s)", file->path, strerror(errno));
    }
    file->device = seen.st_dev;
    file->inode = seen.st_ino;
    if (sqlite3_open_v2(file->path, &file->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) !=
        SQLITE_OK) {
        const enum fc_code code = file->db == NULL ? fc_fail(err, FC_NO_MEMORY, "store: out of memory")
                                                   : fail(file, loss, err);
        close_file(file);
        return code;
    }
    sqlite3_busy_timeout(file->db, busy_ms);
    /* Whoever comes first changes it for good. Without it all is still right, only slower: no reason to fail. */
    sqlite3_exec(file->db, "pragma journal_mode = wal", NULL, NULL, NULL);
    /* 16 MB at most, as they are used: the rows of a large fleet are read back from memory, and go from the log into the file less often. */
    sqlite3_exec(file->db, "pragma cache_size = -16384; pragma wal_autocheckpoint = 4000", NULL, NULL, NULL);
    file->care = SQLITE_WRITES_FOR_GOOD;  /* SQLite's own beginning: synchronous = full */
    return FC_OK;
}

/* ---- transactions ---- */

static enum fc_code execute(struct sqlite_file *file, const char *text, enum loss *loss, struct fc_err *err)
{
    return sqlite3_exec(file->db, text, NULL, NULL, NULL) == SQLITE_OK ? FC_OK : fail(file, loss, err);
}

static enum fc_code take_care(struct sqlite_file *file, enum sqlite_care care, enum loss *loss, struct fc_err *err)
{
    if (care == SQLITE_READS || care == file->care)
        return FC_OK;
    const enum fc_code code = execute(file, care == SQLITE_WRITES ? "pragma synchronous = normal"
                                                                  : "pragma synchronous = full", loss, err);
    if (code == FC_OK)
        file->care = care;
    return code;
}

enum fc_code sqlite_file_begin(struct sqlite_file *file, enum sqlite_care care, int busy_ms, enum loss *loss, struct fc_err *err)
{
    if (file->db != NULL && (file->is_broken || !names_the_open_file(file)))
        close_file(file);
    if (file->db == NULL && open_file(file, busy_ms, loss, err) != FC_OK)
        return FC_STORE;
    sqlite3_busy_timeout(file->db, busy_ms);
    if (take_care(file, care, loss, err) != FC_OK ||
        execute(file, care == SQLITE_READS ? "begin" : "begin immediate", loss, err) != FC_OK) {
        if (file->is_broken)
            close_file(file);
        return FC_STORE;
    }
    return FC_OK;
}

enum fc_code sqlite_file_end(struct sqlite_file *file, enum fc_code so_far, enum loss *loss, struct fc_err *err)
{
    if (so_far == FC_OK && sqlite3_get_autocommit(file->db) == 0)
        so_far = execute(file, "commit", loss, err);
    if (sqlite3_get_autocommit(file->db) == 0)
        sqlite3_exec(file->db, "rollback", NULL, NULL, NULL);
    if (file->is_broken)
        close_file(file);
    return so_far;
}

/* ---- statements ---- */

static int bind(sqlite3_stmt *statement, const struct sql_values *values)
{
    int result = SQLITE_OK;
    for (int i = 0; values != NULL && i < values->count && result == SQLITE_OK; i++) {
        const struct sql_value *value = &values->list[i];
        if (value->kind == 't')
            result = sqlite3_bind_text(statement, i + 1, value->text, -1, SQLITE_STATIC);
        else
            result = sqlite3_bind_int64(statement, i + 1, value->kind == 'n' ? (int64_t)value->number : value->integer);
    }
    return result;
}

static sqlite3_stmt *prepared(struct sqlite_file *file, enum sql_name name)
{
    const char *text = sql_statements[name].sqlite;
    assert(text != NULL);
    if (file->statements[name] == NULL)
        sqlite3_prepare_v3(file->db, text, -1, SQLITE_PREPARE_PERSISTENT, &file->statements[name], NULL);
    return file->statements[name];
}

enum fc_code sqlite_file_run(struct sqlite_file *file, enum sql_name name, const struct sql_values *values, sqlite_row *on_row,
                             void *to, enum loss *loss, struct fc_err *err)
{
    sqlite3_stmt *statement = prepared(file, name);
    enum fc_code code = FC_OK;
    int step = SQLITE_DONE;

    if (statement == NULL)
        return fail(file, loss, err);
    assert(sqlite3_bind_parameter_count(statement) == (values == NULL ? 0 : values->count));
    if (bind(statement, values) == SQLITE_OK) {
        while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
            if (on_row != NULL)
                on_row(to, statement);
        }
    } else {
        step = SQLITE_ERROR;
    }
    if (step != SQLITE_DONE)
        code = fail(file, loss, err);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);    /* the texts are the caller's */
    return code;
}

static enum fc_code run_text(struct sqlite_file *file, const struct sqlite_texts *texts, const char **at, enum sqlite_no *why, enum loss *loss,
                             struct fc_err *err)
{
    sqlite3_stmt *statement = NULL;
    int step = sqlite3_prepare_v2(file->db, *at, -1, &statement, at);
    if (step == SQLITE_OK && statement != NULL) {
        texts->on_set(texts->to, statement);
        while ((step = sqlite3_step(statement)) == SQLITE_ROW)
            texts->on_row(texts->to, statement);
    }
    const bool is_done = step == SQLITE_DONE || step == SQLITE_OK;
    const bool is_of_row = (step & 0xff) == SQLITE_CONSTRAINT || step == SQLITE_TOOBIG || step == SQLITE_MISMATCH;
    *why = is_of_row ? SQLITE_NO_ROW : step == SQLITE_ERROR ? SQLITE_NO_STATEMENT : SQLITE_NO_FILE;
    const enum fc_code code = is_done ? FC_OK : fail(file, loss, err);
    sqlite3_finalize(statement);
    return code;
}

enum fc_code sqlite_file_run_texts(struct sqlite_file *file, const struct sqlite_texts *texts, enum sqlite_no *why, enum loss *loss,
                                   struct fc_err *err)
{
    enum fc_code code = FC_OK;
    for (const char *at = texts->text; *at != '\0' && code == FC_OK;)
        code = run_text(file, texts, &at, why, loss, err);
    return code;
}

uint64_t sqlite_column_number(sqlite3_stmt *row, int column)
{
    const int64_t number = sqlite3_column_int64(row, column);
    return number < 0 ? 0 : (uint64_t)number;
}

void sqlite_column_words(sqlite3_stmt *row, int column, char *to, size_t size)
{
    text_copy(to, size, (const char *)sqlite3_column_text(row, column));
}

/* ---- life ---- */

struct sqlite_file *sqlite_file_new(const char *path)
{
    struct sqlite_file *file = calloc(1, sizeof *file);
    if (file != NULL)
        TEXT_SET(file->path, path);
    return file;
}

void sqlite_file_free(struct sqlite_file *file)
{
    if (file == NULL)
        return;
    close_file(file);
    free(file);
}
