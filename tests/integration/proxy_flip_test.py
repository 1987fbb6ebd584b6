"""The slice of tests/bench/flip.py that runs with ./test: loose, because the machine is shared with everything else that is tested."""
import os
import sys

from stage import StageFailure, limit

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'bench'))
from flip import AGENT_INTER_MS, flips, share                        # noqa: E402


def measured(is_pushed, most_ms):
    found = flips(10, is_pushed)
    print(f'p50 {share(found.took_ms, 0.5):.0f}, p95 {share(found.took_ms, 0.95):.0f} ms; {found}')
    if found.failed or found.extra:
        raise StageFailure(f'{found.failed} visitors reached nobody, two servers at a time {found.extra} times')
    if share(found.took_ms, 0.5) > most_ms:
        raise StageFailure(f'half of the flips took longer than {most_ms} ms: {found.took_ms}')


@limit(90)
def test_a_flip_by_polls_fails_nobody():
    """Ten flips of both answers at once: no visitor reaches nobody, never two servers at a time, half within a poll."""
    measured(False, 2 * AGENT_INTER_MS)


@limit(90)
def test_a_flip_by_push_fails_nobody():
    """The same with the words pushed: quicker than a poll, and the polls change nothing afterwards."""
    measured(True, AGENT_INTER_MS)
