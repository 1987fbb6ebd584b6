/* Seeded chance (splitmix64): same seed, same sequence, on every machine. Not for secrets. */
#ifndef FC_BASE_RNG_H
#define FC_BASE_RNG_H

#include <stdint.h>

struct fc_rng { uint64_t state; };

static inline uint64_t rng_next(struct fc_rng *rng)
{
    uint64_t z = (rng->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 <= result < bound; bound > 0. The bias is below 2^-32 for the small bounds used here. */
static inline uint64_t rng_below(struct fc_rng *rng, uint64_t bound) { return rng_next(rng) % bound; }

#endif
