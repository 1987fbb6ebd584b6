/* Directed scenes: what spec/steering.md 10 names, staged. A scene is a row; its variants are a matrix of who, what and when:
 * each of its faults, at each step of each way in which a chair is moved; or stories of its own. */
#ifndef FC_SIM_SCENES_H
#define FC_SIM_SCENES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct script;

struct scene {
    const char *word, *what;
    const char *const *faults;       /* lines without their moment, ended by NULL; at each step of each way */
    const char *const *stories;      /* whole stories, their lines parted by ';', ended by NULL */
    bool needs_quorum;               /* says nothing about `local` */
};

extern const struct scene scenes[];
extern const size_t scene_count;

struct scene_line { const char *what, *scenes; };      /* scenes: their words */
extern const struct scene_line scene_lines[];
extern const size_t scene_line_count;

const struct scene *scene_find(const char *word);    /* NULL = none */
int scene_variants(const struct scene *scene);
/* `seed` draws what the row leaves open: how long after the step, and for how long. */
void scene_build(const struct scene *scene, int variant, uint64_t seed, bool has_quorum, struct script *ret);

#endif
