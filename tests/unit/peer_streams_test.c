/* The members of a quorum, as the authenticated transport is told of them. */
#include "backends/quorum/peer_streams.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static struct quorum_settings settings_of(const char *address)
{
    struct quorum_settings settings = { .member_count = 2, .own = 1 };

    TEXT_SET(settings.members[0].name, "fc1");
    TEXT_SET(settings.members[0].address, address);
    TEXT_SET(settings.members[1].name, "fc2");
    TEXT_SET(settings.members[1].address, "[::1]:10008");
    return settings;
}

static struct peer_key key_of(const char *text)
{
    struct peer_key key = { .length = 0 };
    cr_assert_eq(peer_key_take(text, strlen(text), "the scene", &key, NULL), FC_OK);
    return key;
}

Test(peer_streams, members_are_known_by_name_and_their_addresses_are_kept_aside)
{
    struct quorum_settings settings = settings_of("db.example.com:10008");
    const struct peer_key key = key_of("the key that all peers share");
    struct peer_streams *streams = calloc(1, sizeof *streams);
    struct transport_peer peer;
    struct fc_err err = { .text = "" };

    cr_assert_eq(peer_streams_init(streams, &settings, "home", ":10008", &key, &err), FC_OK, "%s", err.text);
    cr_expect_not_null(settings.transport.know);
    cr_expect_eq(streams->config.id, raft_digest("fc2", 0));
    cr_assert(streams->config.lookup(streams->config.owner, raft_digest("fc1", 0), &peer));
    cr_expect_str_eq(peer.name, "fc1");
    cr_expect_str_eq(peer.address, "db.example.com:10008");
    cr_expect_not(streams->config.lookup(streams->config.owner, 7, &peer));
    peer_streams_done(streams);
    cr_expect_eq(streams->config.key.length, 0);
    free(streams);
}

Test(peer_streams, what_is_said_waits_for_the_log_in_a_bounded_ring)
{
    struct quorum_settings settings = settings_of("10.0.0.1:10008");
    const struct peer_key key = key_of("the key that all peers share");
    struct peer_streams *streams = calloc(1, sizeof *streams);
    struct peer_sentence sentence;
    struct fc_err err = { .text = "" };
    int count = 0;

    cr_assert_eq(peer_streams_init(streams, &settings, "home", ":10008", &key, &err), FC_OK, "%s", err.text);
    cr_expect_not(peer_streams_said(streams, &sentence));
    for (int i = 0; i < PEER_SENTENCES_MAX + 8; i++)
        streams->config.say(streams->config.owner, TRANSPORT_GARBAGE, i == 0 ? "the first" : "another");
    cr_assert(peer_streams_said(streams, &sentence));
    cr_expect_str_eq(sentence.text, "the first");
    cr_expect_eq(sentence.kind, TRANSPORT_GARBAGE);
    while (peer_streams_said(streams, &sentence))
        count++;
    cr_expect_eq(count, PEER_SENTENCES_MAX - 1);
    peer_streams_done(streams);
    free(streams);
}

Test(peer_streams, an_address_that_cannot_be_reached_is_refused_and_nothing_changes)
{
    static const char *const wrong[] = { "", "10.0.0.1", ":10008", "10.0.0.1:0", "::1:10008", "a b:10008", "10.0.0.1:99999" };
    const struct peer_key key = key_of("the key that all peers share");
    struct peer_streams *streams = calloc(1, sizeof *streams);
    struct fc_err err = { .text = "" };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct quorum_settings settings = settings_of(wrong[i]);
        cr_expect_eq(peer_streams_init(streams, &settings, "home", ":10008", &key, &err), FC_BAD_CONFIG, "'%s'", wrong[i]);
        cr_expect_not_null(strstr(err.text, "host:port"), "said: %s", err.text);
        cr_expect_str_eq(settings.members[1].address, "[::1]:10008");
    }
    free(streams);
}
