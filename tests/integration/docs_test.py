"""The printed reference pages: what stands in docs/ is what the program prints from its tables today."""
import os
import re

from stage import StageFailure
from stage.node import ROOT, run_firstchair

PAGES = ('configuration', 'exit-codes', 'orders', 'http-routes', 'metrics', 'status-json')


def test_every_printed_page_is_the_one_in_docs():
    """`firstchair print-docs PAGE` equals docs/PAGE.md byte for byte."""
    stale = []
    for page in PAGES:
        code, printed, errors = run_firstchair('print-docs', page)
        assert code == 0 and printed, (page, code, errors)
        path = os.path.join(ROOT, 'docs', f'{page}.md')
        with open(path, encoding='utf-8', newline='') as file:
            if file.read() != printed:
                stale.append(f'firstchair print-docs {page} >docs/{page}.md')
    if stale:
        raise StageFailure('stale, print again: ' + '; '.join(stale))


def test_an_unknown_page_names_those_there_are():
    """One line, an exit code, and every page's name."""
    code, _, errors = run_firstchair('print-docs', 'poetry')
    assert code == 2 and all(page in errors for page in PAGES), (code, errors)


def test_every_link_of_the_documents_leads_somewhere():
    """Relative links of README.md, CONTRIBUTING.md and docs/ name files that exist."""
    broken = []
    pages = [os.path.join(ROOT, name) for name in ('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md')]
    for folder, _, names in os.walk(os.path.join(ROOT, 'docs')):
        pages += [os.path.join(folder, name) for name in names if name.endswith('.md')]
    for page in pages:
        with open(page, encoding='utf-8') as file:
            for target in re.findall(r'\]\(([^)#]+)(?:#[^)]*)?\)', file.read()):
                if '://' not in target and not os.path.exists(os.path.join(os.path.dirname(page), target)):
                    broken.append(f'{os.path.relpath(page, ROOT)}: {target}')
    assert not broken, broken
