#include "sim/scenes.h"
#include "base/text.h"
#include "sim/world.h"
const struct scene scenes[1];
const size_t scene_count = 0;
const struct scene *scene_find(const char *word) { (void)word; return NULL; }
int scene_variants(const struct scene *scene) { return scene->variants(scene); }
void scene_build(const struct scene *scene, int variant, uint64_t seed, struct script *ret) { (void)seed; scene->build(scene, variant, ret); }
