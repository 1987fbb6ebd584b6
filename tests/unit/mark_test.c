/* The small texts in the deciding row that say what a seating could not assure. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"
#include "model/mark.h"

static const char *written(bool is_unfenced, bool is_stale, int64_t since_ms)
{
    static char mark[MARK_SIZE];
    mark_write(is_unfenced, is_stale, since_ms, mark);
    return mark;
}

static const char *words(const char *mark)
{
    static char to[MARK_SIZE];
    mark_words(mark, to, sizeof to);
    return to;
}

Test(mark, says_what_was_not_assured_and_since_when)
{
    cr_expect_str_eq(written(false, false, 5000), "");
    cr_expect_str_eq(written(true, false, 5000), "unfenced");
    cr_expect_str_eq(written(false, true, 0), "stale");
    cr_expect_str_eq(written(true, true, 1790000000999), "unfenced stale@1790000000");
    cr_expect_lt(strlen("unfenced stale@1790000000"), MARK_SIZE);
}

Test(mark, is_read_back)
{
    cr_expect(mark_is_unfenced("unfenced stale@1790000000"));
    cr_expect(mark_is_stale("unfenced stale@1790000000"));
    cr_expect_eq(mark_stale_since_ms("unfenced stale@1790000000"), 1790000000000);
    cr_expect_eq(mark_stale_since_ms("stale"), 0);
    cr_expect_eq(mark_stale_since_ms("unfenced"), 0);
    cr_expect_str_eq(words("unfenced stale@1790000000"), "unfenced stale");
    cr_expect_str_eq(words("stale"), "stale");
}

Test(mark, takes_nothing_else_for_its_words)
{
    cr_expect_not(mark_is_unfenced(""));
    cr_expect_not(mark_is_stale("unstale"));
    cr_expect_not(mark_is_stale("staleness"));
    cr_expect_eq(mark_stale_since_ms("stale@-4"), 0);
    cr_expect_eq(mark_stale_since_ms("stale@99999999999999999999"), 0);
    cr_expect_str_eq(words("something"), "");
}

static const char *why_with(const char *why, const char *file, uint64_t offset)
{
    static char to[WHY_SIZE];
    struct log_position position = { .offset = offset };
    TEXT_SET(to, why);
    TEXT_SET(position.file, file);
    fetched_to_write(to, &position);
    return to;
}

Test(mark, the_reason_ends_in_how_far_the_log_was_fetched)
{
    struct log_position back;

    cr_expect_str_eq(why_with("db1 is out of sight", "bin.000003", 4711), "db1 is out of sight (fetched to bin.000003:4711)");
    cr_assert(fetched_to_read("db1 is out of sight (fetched to bin.000003:4711)", &back));
    cr_expect_str_eq(back.file, "bin.000003");
    cr_expect_eq(back.offset, 4711);
    cr_expect_str_eq(why_with("db1 is out of sight", "", 0), "db1 is out of sight");
}

Test(mark, a_long_reason_is_cut_and_the_position_kept)
{
    char why[WHY_SIZE];
    struct log_position back;

    memset(why, 'x', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    const char *cut = why_with(why, "bin.000003", UINT64_C(18446744073709551615));
    cr_expect_eq(strlen(cut), sizeof why - 1);
    cr_assert(fetched_to_read(cut, &back));
    cr_expect_eq(back.offset, UINT64_MAX);
}

Test(mark, a_reason_without_a_whole_position_has_none)
{
    static const char *const bad[] = {
        "", "db1 is gone", "(fetched to bin.000003:4711)", "x (fetched to bin.000003)", "x (fetched to :4711)",
        "x (fetched to bin.000003:)", "x (fetched to bin.000003:47x1)", "x (fetched to bin.000003:4711) y",
    };
    struct log_position back;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(fetched_to_read(bad[i], &back), "%s", bad[i]);
}
