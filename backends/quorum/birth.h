/* Who a data directory belongs to, and which directories a node has met: the defence against a voter that forgot.
 *
 * A raft voter whose directory was emptied would vote a second time in a term, or for a node that lacks what it had confirmed.
 * raft cannot know that: an empty directory looks like a new one. So each directory is given a mark by chance when it is made, and
 * before a node without a log takes part it shows its mark to the others. Each of them writes down, before it answers, the first
 * mark that it saw under that name. Only when enough others (birth_needed) know it by this mark it takes part; when one of them
 * knows it by another, the directory was lost, and the node stays out and says so.
 *
 * Who joins a group that runs already (raft-add) is told by it that its mark is among the members': its id is of that mark, so that a
 * directory that is lost afterwards is nobody. It votes for nobody before it was promoted, so it may begin with an empty log.
 *
 * Enough is so many that any two such groups of others share one: then one of those asked after the loss was asked before it. With
 * three nodes both others, with five three of four. A group is formed for the first time only while that many are there.
 *
 * Two small text files in RaftDataDir: `identity` (own name, mark, and whether it ever took part) and `peers` (a name and a mark in
 * a line). Written whole, synced, renamed into place. May block: used at the start and at the first contact with a peer. */
#ifndef FC_BACKENDS_QUORUM_BIRTH_H
#define FC_BACKENDS_QUORUM_BIRTH_H

#include <stdbool.h>

#include "backends/quorum/promise.h"
#include "base/err.h"
#include "model/decision.h"

#define BIRTH_MARK_SIZE 33
#define BIRTH_DIR_SIZE 256

struct birth_peer { char name[NODE_NAME_SIZE]; char mark[BIRTH_MARK_SIZE]; };

struct birth;

/* Where the two texts lie. The simulator lends false ones. */
struct birth_files {
    /* FC_NOT_FOUND when there is none; FC_STORE with the sentence. */
    enum fc_code (*read)(const struct birth *birth, const char *file, char *to, size_t size, struct fc_err *err);
    /* Whole and durable, or as it was. */
    enum fc_code (*write)(const struct birth *birth, const char *file, const char *text, struct fc_err *err);
    bool (*chance)(const struct birth *birth, unsigned char *to, size_t size);      /* of the new mark */
};

struct birth {
    const struct birth_files *files;
    void *owner;                     /* of the files; NULL with the real ones */
    char dir[BIRTH_DIR_SIZE];
    char name[NODE_NAME_SIZE];
    char mark[BIRTH_MARK_SIZE];
    bool is_member;                  /* took part at least once: its log is not empty, or it is joining */
    bool is_added;                   /* joined a group that ran already: its id is of name and mark */
    bool is_joining;                 /* ... and has nothing of the log yet */
    int peer_count;
    struct birth_peer peers[2 * QUORUM_NODES_MAX];
};

/* Makes the directory and its identity where there is none. FC_BAD_CONFIG: it belongs to another node; FC_STORE: it cannot be read or
 * written, or its parts contradict each other (a log without identity, an identity that took part without a log). `has_log`: is there
 * anything in the log's folder? */
enum fc_code birth_open(const char *dir, const char *name, bool has_log, struct birth *ret, struct fc_err *err);
/* The same on other files; both must outlive `ret` and its copies. */
enum fc_code birth_open_on(const struct birth_files *files, void *owner, const char *dir, const char *name, bool has_log, struct birth *ret,
                           struct fc_err *err);
/* It is a member of a group that runs already, and will be given the log. */
enum fc_code birth_joining(struct birth *birth, struct fc_err *err);
/* From now on it has taken part, and has something in its log. */
enum fc_code birth_joined(struct birth *birth, struct fc_err *err);
/* A peer shows its mark: *known is the mark by which it is known, written down now where there was none. */
enum fc_code birth_meet(struct birth *birth, const char *name, const char *mark, char known[BIRTH_MARK_SIZE], struct fc_err *err);
/* How many others must know the mark. */
int birth_needed(int voters);

#endif
