"""The documents: printed pages are what the program prints, links lead somewhere, and breaking the glass works as written."""
import os
import re

from stage import Home, StageFailure, stays, wait_until
from stage.home import POOL
from stage.node import ROOT, run_firstchair

PAGES = ('configuration', 'exit-codes', 'orders', 'http-routes', 'metrics', 'status-json', 'haproxy-lint', 'analysis', 'commands')


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


def test_the_tables_of_steering_are_the_ones_that_decide():
    """Each table of `firstchair print-docs steering` stands in docs/steering.md, byte for byte and in that order or another."""
    code, printed, errors = run_firstchair('print-docs', 'steering')
    tables = printed.strip().split('\n\n')
    assert code == 0 and len(tables) == 7, (code, errors, len(tables))
    with open(os.path.join(ROOT, 'docs/steering.md'), encoding='utf-8', newline='') as file:
        page = file.read()
    missing = [table.splitlines()[0] for table in tables if table + '\n' not in page]
    assert not missing, f'print these tables again into docs/steering.md: {missing}'


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


def test_breaking_the_glass_as_the_document_says():
    """Without any node the commands of docs/operating.md make HAProxy use db2 for good; nodes that come back find and seat it."""
    with open(os.path.join(ROOT, 'docs/operating.md'), encoding='utf-8') as file:
        commands = re.search(r'```sh\n(for c in .*?)```', file.read(), re.DOTALL).group(1)
    said = re.findall(r'"((?:set|disable) [^"]*)"', commands)
    assert len(said) == 6, said
    with Home().start() as home:
        proxy = home.proxies[0]
        for node in home.nodes:
            node.kill()
        wait_until(lambda: proxy.usable(POOL) == [], 10, 'HAProxy to use nobody')
        home.pair['db1'].execute('SET GLOBAL read_only=1')
        home.pair['db2'].execute('SET GLOBAL read_only=0')
        for command in said:
            proxy.ask(command)
        stays(lambda: proxy.usable(POOL) == ['db2'], 4, 'HAProxy uses db2')
        for node in home.nodes:
            node.start(wait=False)
        wait_until(lambda: home.nodes[0].seated() == 'db2', 20, 'db2 to be seated')
        for command in (f'enable health {POOL}/db2', f'enable agent {POOL}/db2'):
            proxy.ask(command)
        home.wait_seated('db2')
