/* Who asks, and what may they change.
 *
 * AuthenticationMethod as orchestrator has it: none, `basic`, `multi` (the user readonly may look with any password), `proxy`
 * (a front proxy vouches for a name in a header). Two rules are ours, because everything can be done by a plain GET:
 * - a steering order needs a name or an asker on this very host; a request that a proxy has forwarded, or whose Host is not
 *   localhost or a loopback address (a page that rebinds its own name to 127.0.0.1), is not local;
 * - nothing is changed for a web page of another site, even when the browser adds the password by itself. */
#include "agent/doors/http_inside.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/text.h"

#define NOT_ALLOWED "Unauthorized"          /* the exact text is part of the contract */

static const char *const forwarding_headers[] = { "X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-User" };

const char *request_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* ---- the asker's address ---- */

static bool address_is_loopback(const struct sockaddr *address, char *text, size_t size)
{
    struct in6_addr six;
    struct in_addr four;

    if (address->sa_family == AF_INET) {
        four = ((const struct sockaddr_in *)address)->sin_addr;
    } else {
        six = ((const struct sockaddr_in6 *)address)->sin6_addr;
        if (!IN6_IS_ADDR_V4MAPPED(&six)) {
            inet_ntop(AF_INET6, &six, text, (socklen_t)size);
            return IN6_IS_ADDR_LOOPBACK(&six);
        }
        memcpy(&four, six.s6_addr + 12, sizeof four);
    }
    inet_ntop(AF_INET, &four, text, (socklen_t)size);
    return ntohl(four.s_addr) >> 24 == 127;
}

/* The Host header without its port. */
static void host_of(const char *header, char *to, size_t size)
{
    const size_t length = header[0] == '[' ? strcspn(header, "]") + 1 : strcspn(header, ":");
    text_copy_bytes(to, size, header, strnlen(header, length));
}

/* Only names that no other page and no far client uses by accident: a host's own name is left out on purpose. */
static bool host_is_loopback(const struct http_request *request)
{
    const char *header = request_header(request, MHD_HTTP_HEADER_HOST);
    char host[256];
    struct in_addr four;

    if (header == NULL)
        return true;
    host_of(header, host, sizeof host);
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return text_is_nocase(host, "localhost") || text_is(host, "[::1]") || host[0] == '\0';
}

static bool is_forwarded(const struct http_request *request)
{
    for (size_t i = 0; i < sizeof forwarding_headers / sizeof *forwarding_headers; i++)
        if (request_header(request, forwarding_headers[i]) != NULL)
            return true;
    return false;
}

static void find_source(struct http_request *request)
{
    const union MHD_ConnectionInfo *known =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    bool is_near;

    if (request->door->socket.port == 0) {          /* the unix socket: whoever reaches it is here */
        TEXT_SET(request->user, "unix");
        is_near = true;
    } else if (known == NULL || known->client_addr == NULL ||
               (known->client_addr->sa_family != AF_INET && known->client_addr->sa_family != AF_INET6)) {
        TEXT_SET(request->user, "unknown");
        is_near = false;
    } else {
        is_near = address_is_loopback(known->client_addr, request->user, sizeof request->user);
    }
    request->is_local = is_near && host_is_loopback(request) && !is_forwarded(request);
}

/* ---- names ---- */

/* Takes the same time wherever the texts differ. */
static bool secret_is(const char *given, const char *right)
{
    unsigned char a[CONFIG_TEXT_SIZE] = { 0 }, b[CONFIG_TEXT_SIZE] = { 0 };
    unsigned char difference = !text_copy((char *)a, sizeof a, given);

    difference |= (unsigned char)!text_copy((char *)b, sizeof b, right);
    for (size_t i = 0; i < sizeof a; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    __asm__ volatile("" ::"r"(&difference) : "memory");       /* the loop is not to be cut short */
    return difference == 0;
}

static void keep_name(struct http_request *request, const char *name)
{
    TEXT_SET(request->user, name);
    text_make_plain(request->user);
    request->is_named = true;
}

static bool basic_enter(struct http_request *request, bool is_multi)
{
    const struct config *config = request->door->desk->config;
    char *password = NULL;
    char *user = MHD_basic_auth_get_username_password(request->connection, &password);
    bool is_known = false;

    if (user != NULL) {
        const bool is_user = secret_is(user, config->http_auth_user);
        const bool is_password = password != NULL && secret_is(password, config->http_auth_password);
        is_known = config->http_auth_user[0] != '\0' && is_user && is_password;
        if (!is_known && is_multi && text_is(user, "readonly"))
            is_known = request->may_only_look = true;
        if (is_known)
            keep_name(request, user);
    }
    MHD_free(user);
    if (password != NULL)
        memset(password, 0, strlen(password));
    MHD_free(password);
    return is_known;
}

static void refuse(struct http_request *request, const char *why, struct http_answer *answer)
{
    request->door->counters.unauthenticated++;
    answer_text(answer, MHD_HTTP_UNAUTHORIZED, "text/plain; charset=utf-8", strdup(why));
}

/* UseMutualTLS. Only the path that is the status check is let through without: one that merely has it in it is not. A certificate is no
 * name: behind a proxy it is the proxy's, and who steers through that needs one of their own. */
static bool certificate_enter(struct http_request *request, const char *url, struct http_answer *answer)
{
    const struct config *config = request->door->desk->config;
    if (request->door->tls == NULL || !config->http_wants_certificate ||
        (http_is_status_endpoint(config, url) && !config->http_status_wants_certificate))
        return true;
    const union MHD_ConnectionInfo *known = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const char *refusal = http_tls_refusal(request->door->tls, known == NULL ? -1 : known->connect_fd);
    if (refusal == NULL)
        return true;
    refuse(request, refusal, answer);
    return false;
}

bool http_auth_enter(struct http_request *request, const char *url, struct http_answer *answer)
{
    const struct config *config = request->door->desk->config;
    const bool is_multi = text_is_nocase(config->authentication_method, "multi");

    find_source(request);
    if (!certificate_enter(request, url, answer))
        return false;
    if (text_is_nocase(config->authentication_method, "proxy")) {
        const char *name = request_header(request, config->auth_user_header);
        if (name != NULL && name[0] != '\0')
            keep_name(request, name);
        return true;
    }
    if (!is_multi && !text_is_nocase(config->authentication_method, "basic"))
        return true;
    if (basic_enter(request, is_multi))
        return true;
    refuse(request, "Not Authorized", answer);
    answer->asks_for_name = true;
    return false;
}

/* ---- changing something ---- */

static bool is_power_user(const struct http_request *request)
{
    const struct config_many *users = &request->door->desk->config->power_auth_users;
    for (const char *user = config_many_next(users, NULL); user != NULL; user = config_many_next(users, user)) {
        if (text_is(user, "*") || (request->is_named && text_is(user, request->user)))
            return true;
    }
    return false;
}

/* Sent by the browser, not by the page. Clients that are no browsers send neither. */
static bool is_another_sites_page(const struct http_request *request)
{
    const char *site = request_header(request, "Sec-Fetch-Site");
    const char *origin = request_header(request, "Origin");
    const char *host = request_header(request, MHD_HTTP_HEADER_HOST);

    if (site != NULL && (text_is_nocase(site, "cross-site") || text_is_nocase(site, "same-site")))
        return true;
    if (origin == NULL)
        return false;
    const char *authority = strstr(origin, "://");
    return authority == NULL || host == NULL || !text_is_nocase(authority + 3, host);
}

static bool method_allows(const struct http_request *request)
{
    const struct config *config = request->door->desk->config;
    return !config->read_only && !request->may_only_look &&
           (!text_is_nocase(config->authentication_method, "proxy") || is_power_user(request));
}

bool http_auth_change(struct http_request *request, enum http_right right, struct http_answer *answer)
{
    if (right == HTTP_READ)
        return true;
    if (!method_allows(request))
        answer_error(answer, FC_NOT_ALLOWED, NOT_ALLOWED);
    else if (is_another_sites_page(request))
        answer_error(answer, FC_NOT_ALLOWED, "Unauthorized: a web page of another site may not change anything here");
    else if (right == HTTP_ORDER && !request->is_named && !request->is_local)
        answer_error(answer, FC_NOT_ALLOWED,
                     "Unauthorized: a steering order over HTTP needs a name (AuthenticationMethod basic, multi or proxy) or "
                     "must come from this host itself, to localhost and not through a proxy; or use firstchairctl on this host");
    else
        return true;
    request->door->counters.denied++;
    return false;
}
