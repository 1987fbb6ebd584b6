"""Runs one scene of one Python file in a process of its own, for tests/runner.py:  case.py FILE FUNCTION

Exit code 0: it is so; 77: skipped, the last line says why; anything else: it failed, and what was printed says where.
"""
import importlib.util
import os
import sys
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from stage import Skip, StageFailure                                # noqa: E402
from stage.nest import close_all, open_nests                        # noqa: E402

SKIPPED = 77


def load(path):
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def because(path, failure):
    """One line for the runner's summary: where in the scene, and what."""
    where = traceback.extract_tb(failure.__traceback__)
    here = next((frame for frame in where if frame.filename == path), where[-1])
    what = str(failure) or type(failure).__name__
    return f'because: {os.path.basename(here.filename)}:{here.lineno}: {here.line}: {" ".join(what.split())[:600]}'


def main(path, function):
    try:
        getattr(load(path), function)()
        return 0
    except Skip as skip:
        print(f'skipped: {skip}')
        return SKIPPED
    except StageFailure as failure:
        if len(str(failure).splitlines()) > 1:
            print(failure)                                               # in its own lines, besides
        print(''.join(nest.tails() for nest in open_nests))          # it failed on the way up: nobody has told the logs yet
        print(because(path, failure))
        return 1
    except Exception as failure:
        traceback.print_exc(file=sys.stdout)
        print(because(path, failure))
        return 1
    finally:
        sys.stdout.flush()
        close_all()


if __name__ == '__main__':
    sys.exit(main(os.path.abspath(sys.argv[1]), sys.argv[2]))
