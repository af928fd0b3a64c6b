"""Links and paths in the documents lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("docs/*/*.md")])
PAGES = [page for page in PAGES if not page.relative_to(ROOT).parts[0].startswith(".")]  # no caches


def anchors(page):
    """The anchors of the headings of a page, as they are made on the web."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_files_exist(page):
    if page.name == "HISTORY.md":  # which tells of files that are gone
        return
    for name in re.findall(r"`((?:charrnn|tests|docs|examples|benchmarks|data|fuzz)/[\w./-]*)`", page.read_text()):
        assert (ROOT / name).exists() or name in ("data/demo.npz", "fuzz/found/"), name


def test_pages_for_readers_are_short():
    for name, most in {"README.md": 150, "benchmarks/README.md": 150, "CONTRIBUTING.md": 100}.items():
        assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= most, name
