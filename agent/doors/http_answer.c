/* Answers: JSON, text, the envelope that orchestrator's clients know, and the hand-over to libmicrohttpd. */
#include "agent/doors/http_inside.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "agent/status_json.h"
#include "base/text.h"

#define JSON_TYPE "application/json; charset=UTF-8"

static char no_memory[] = "{\"Code\":\"ERROR\",\"Message\":\"out of memory\",\"Details\":null}";

void answer_text(struct http_answer *answer, unsigned status, const char *type, char *body)
{
    free(answer->body);
    answer->status = status;
    answer->type = type;
    answer->body = body;
    answer->length = body == NULL ? 0 : strlen(body);
}

void answer_json(struct http_answer *answer, unsigned status, char *body)
{
    answer_text(answer, status, JSON_TYPE, body);
}

static void balance(char *text, char quote, char harmless)
{
    size_t count = 0;
    for (const char *c = text; *c != '\0'; c++)
        count += *c == quote;
    for (char *c = text; count % 2 != 0 && *c != '\0'; c++)
        if (*c == quote)
            *c = harmless;
}

/* Takes the item over, also when it cannot be added. */
static bool put(cJSON *object, const char *name, cJSON *item)
{
    if (item != NULL && cJSON_AddItemToObject(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

/* A tree of the three members, or NULL; takes `details` over. */
static cJSON *envelope(bool is_ok, const char *message, cJSON *details)
{
    cJSON *tree = cJSON_CreateObject();
    const bool is_begun = tree != NULL && put(tree, "Code", cJSON_CreateString(is_ok ? "OK" : "ERROR")) &&
                          put(tree, "Message", json_text(message));

    if (!is_begun) {
        cJSON_Delete(details);
        cJSON_Delete(tree);
        return NULL;
    }
    if (!put(tree, "Details", details != NULL ? details : cJSON_CreateNull())) {
        cJSON_Delete(tree);
        return NULL;
    }
    return tree;
}

void answer_envelope(struct http_answer *answer, unsigned status, bool is_ok, const char *message, cJSON *details)
{
    char harmless[512];

    TEXT_SET(harmless, message);
    balance(harmless, '\'', '`');
    balance(harmless, '"', '`');
    cJSON *tree = envelope(is_ok, harmless, details);
    answer_json(answer, status, tree == NULL ? NULL : cJSON_PrintUnformatted(tree));
    cJSON_Delete(tree);
}

void answer_error(struct http_answer *answer, enum fc_code code, const char *format, ...)
{
    char message[400];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    answer_envelope(answer, (unsigned)fc_code_table[code].http_status, false, message, NULL);
}

static struct MHD_Response *response_of(struct http_answer *answer)
{
    struct MHD_Response *response;

    if (answer->body == NULL) {
        answer->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        answer->type = JSON_TYPE;
        answer->is_packed = false;
        return MHD_create_response_from_buffer(sizeof no_memory - 1, no_memory, MHD_RESPMEM_PERSISTENT);
    }
    response = MHD_create_response_from_buffer(answer->length, answer->body, MHD_RESPMEM_MUST_FREE);
    if (response != NULL)
        answer->body = NULL;                 /* libmicrohttpd frees it */
    return response;
}

static bool add_headers(const struct http_answer *answer, struct MHD_Response *response)
{
    const struct { bool is_set; const char *name, *value; } headers[] = {
        { true, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type },
        { answer->asks_for_name, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"Authorization Required\"" },
        { answer->is_packed, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip" },
        { answer->length >= HTTP_PACK_LEAST || answer->is_packed, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING },
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        if (headers[i].is_set && MHD_add_response_header(response, headers[i].name, headers[i].value) != MHD_YES)
            return false;
    }
    return true;
}

enum MHD_Result answer_send(struct http_answer *answer, struct http_request *request)
{
    const bool is_whole = answer->body != NULL;
    struct MHD_Response *response = response_of(answer);
    enum MHD_Result result = MHD_NO;

    if (response != NULL && add_headers(answer, response)) {
        result = MHD_queue_response(request->connection, answer->status, response);
        if (is_whole && http_kept_put(request, answer, response))
            response = NULL;
    }
    if (response != NULL)
        MHD_destroy_response(response);
    free(answer->body);
    answer->body = NULL;
    return result;
}
