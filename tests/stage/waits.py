"""Waiting for states, not for time: every wait has a bound and says what it waited for when the bound is hit."""
import time


class StageFailure(AssertionError):
    """What a scene expected did not happen; the sentence says what."""


class Skip(Exception):
    """This scene cannot be shown here; the sentence says why. It must stand in tests/allowed_skips.txt."""


def limit(seconds):
    """Marks a scene that may take longer than the usual bound of one scene."""
    def mark(scene):
        scene.limit = seconds
        return scene
    return mark


def wait_until(predicate, bound, what, every=0.02):
    """Calls `predicate` until it returns something true, and returns that. Its last answer or error is told on failure."""
    end = time.monotonic() + bound
    while True:
        try:
            seen = predicate()
            if seen:
                return seen
        except (StageFailure, OSError, ValueError, KeyError, IndexError, TypeError) as error:
            seen = f'{type(error).__name__}: {error}'
        if time.monotonic() >= end:
            raise StageFailure(f'waited {bound:g} s for {what}; last seen: {str(seen)[:600]}')
        time.sleep(every)


def stays(predicate, seconds, what, every=0.05):
    """The claim must hold at every look for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen = predicate()
        if not seen:
            raise StageFailure(f'did not stay so: {what}; seen: {seen!r}')
        time.sleep(every)
