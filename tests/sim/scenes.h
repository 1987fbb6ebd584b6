/* Directed scenes: what spec/steering.md 10 names, staged. A scene is a row; its variants are a matrix of who, what and when. */
#ifndef FC_SIM_SCENES_H
#define FC_SIM_SCENES_H

#include <stddef.h>
#include <stdint.h>

struct script;

struct scene {
    const char *word, *what;
    int (*variants)(const struct scene *scene);
    void (*build)(const struct scene *scene, int variant, struct script *ret);
};

extern const struct scene scenes[];
extern const size_t scene_count;

const struct scene *scene_find(const char *word);
int scene_variants(const struct scene *scene);
void scene_build(const struct scene *scene, int variant, uint64_t seed, struct script *ret);

#endif
