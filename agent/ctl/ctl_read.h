/* Reading the daemon's JSON: a missing field, or one of another type, reads as "" or 0 or nothing. */
#ifndef FC_CTL_READ_H
#define FC_CTL_READ_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

static inline const char *ctl_text(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text == NULL ? "" : text;
}

static inline bool ctl_is_true(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}

#define EXACT_MAX 9007199254740992.0     /* 2^53 */

/* null and what is no number are `otherwise`. */
static inline int64_t ctl_number(const cJSON *object, const char *name, int64_t otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsNumber(item) || !(item->valuedouble > -EXACT_MAX && item->valuedouble < EXACT_MAX))
        return otherwise;
    return (int64_t)item->valuedouble;
}

static inline const cJSON *ctl_part(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

#endif
