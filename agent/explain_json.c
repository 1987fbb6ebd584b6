/* Plain walking: whatever fails on the way is lack of memory, and then the whole answer is dropped. */
#include "agent/explain_json.h"

#include <cjson/cJSON.h>

#include "agent/status_json.h"
#include "base/text.h"

static bool put(cJSON *object, const char *name, cJSON *item)
{
    if (item != NULL && (name == NULL ? cJSON_AddItemToArray(object, item) : cJSON_AddItemToObject(object, name, item)))
        return true;
    cJSON_Delete(item);
    return false;
}

static cJSON *age(int64_t ms) { return ms < 0 ? cJSON_CreateNull() : cJSON_CreateNumber((double)ms); }

static cJSON *inputs_of(const struct explanation *e)
{
    cJSON *list = cJSON_CreateArray();
    bool fits = list != NULL;
    for (int i = 0; fits && i < e->input_count; i++) {
        cJSON *one = cJSON_CreateObject();
        fits = put(list, NULL, one) && put(one, "name", json_text(e->inputs[i].name)) && put(one, "value", json_text(e->inputs[i].value)) &&
               put(one, "age_ms", age(e->inputs[i].age_ms));
    }
    if (fits)
        return list;
    cJSON_Delete(list);
    return NULL;
}

static cJSON *alternatives_of(const struct explanation *e)
{
    cJSON *list = cJSON_CreateArray();
    bool fits = list != NULL;
    for (int i = 0; fits && i < e->alternative_count; i++) {
        cJSON *one = cJSON_CreateObject();
        fits = put(list, NULL, one) && put(one, "what", json_text(e->alternatives[i].what)) &&
               put(one, "why_not", json_text(e->alternatives[i].why_not));
    }
    if (fits)
        return list;
    cJSON_Delete(list);
    return NULL;
}

static cJSON *changes_of(const struct explanation *e)
{
    cJSON *list = cJSON_CreateArray();
    bool fits = list != NULL;
    for (int i = 0; fits && i < e->change_count; i++)
        fits = put(list, NULL, json_text(e->changes[i]));
    if (fits)
        return list;
    cJSON_Delete(list);
    return NULL;
}

static cJSON *steps_of(const struct explanation *e)
{
    cJSON *list = cJSON_CreateArray();
    bool fits = list != NULL;
    for (int i = 0; fits && i < e->step_count; i++) {
        cJSON *one = cJSON_CreateObject();
        fits = put(list, NULL, one) && put(one, "step", json_text(e->steps[i].word)) && put(one, "state", json_text(e->steps[i].state)) &&
               put(one, "failure", json_text(e->steps[i].failure));
    }
    if (fits)
        return list;
    cJSON_Delete(list);
    return NULL;
}

static cJSON *explanation_of(const struct explanation *e)
{
    cJSON *json = cJSON_CreateObject();
    char since[RFC3339_SIZE] = "";
    if (e->since_unix_ms != 0)
        rfc3339_of_unix_ms(e->since_unix_ms, since);
    if (json != NULL && put(json, "kind", json_text(explain_kind_word(e->kind))) && put(json, "subject", json_text(e->subject)) &&
        put(json, "verdict", json_text(e->verdict)) && put(json, "code", json_text(fc_code_word(e->code))) &&
        put(json, "since", since[0] == '\0' ? cJSON_CreateNull() : json_text(since)) &&
        put(json, "since_unix_ms", e->since_unix_ms == 0 ? cJSON_CreateNull() : cJSON_CreateNumber((double)e->since_unix_ms)) &&
        put(json, "rule", json_text(e->rule)) && put(json, "because", json_text(e->because)) && put(json, "inputs", inputs_of(e)) &&
        put(json, "instead", alternatives_of(e)) && put(json, "changes", changes_of(e)) && put(json, "steps", steps_of(e)) &&
        put(json, "is_cut", cJSON_CreateBool(e->is_cut)))
        return json;
    cJSON_Delete(json);
    return NULL;
}

enum fc_code explain_json_print(const struct core *core, struct fc_time now, int64_t unix_ms, const struct order *order, const char *by,
                                bool may_change, struct explain_desk *desk, char **ret, struct fc_err *err)
{
    struct explain_subject subjects[EXPLAIN_SUBJECTS_MAX];
    int count = 0;
    const enum fc_code code = core_explain_subjects(core, order, subjects, &count, err);
    if (code != FC_OK)
        return code;
    cJSON *json = cJSON_CreateObject(), *list = cJSON_CreateArray();
    bool fits = json != NULL && put(json, "node", json_text(core->name)) && put(json, "time_unix_ms", cJSON_CreateNumber((double)unix_ms));
    fits = fits ? put(json, "explanations", list) : (cJSON_Delete(list), false);
    for (int i = 0; fits && i < count; i++) {
        core_explain(core, now, unix_ms, &subjects[i], order, by, may_change, &desk->room, &desk->explanation);
        fits = put(list, NULL, explanation_of(&desk->explanation));
    }
    char *text = fits ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    if (text == NULL)
        return fc_fail(err, FC_NO_MEMORY, "out of memory");
    *ret = text;
    return FC_OK;
}
