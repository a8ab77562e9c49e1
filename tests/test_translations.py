"""Both languages are complete: whoever adds a text adds its Korean, and the compiled file says the same."""

import ast
import re
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation import gettext, override

ROOT = Path(settings.BASE_DIR)
PACKAGES = ["config", "tableorder", "stores", "menus", "sessions_app", "orders", "tablet"]
CATALOGUE = ROOT / "config" / "locale" / "ko" / "LC_MESSAGES" / "django.po"
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
IN_TEMPLATES = re.compile(r"""\{%\s*(?:translate|trans)\s+(["'])(.*?)\1""")
PLACEHOLDERS = re.compile(r"%(?:\(\w+\))?[sd]|\{\w*\}")


@pytest.fixture(scope="module")
def catalogue():
    return polib.pofile(str(CATALOGUE))


def texts_in_python():
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in CALLS and call.args:
                    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
                    text = call.args[1] if name.startswith("pgettext") else call.args[0]
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        yield text.value, path
                    else:
                        # Built while running, it could never be looked up.
                        raise AssertionError(f"{path}:{call.lineno}: the text must be written out")


def texts_in_templates():
    for package in PACKAGES:
        for path in (ROOT / package).rglob("templates/**/*.html"):
            for found in IN_TEMPLATES.finditer(path.read_text("utf-8")):
                yield found[2], path


def test_nothing_is_left_untranslated(catalogue):
    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []
    assert [entry.msgid for entry in catalogue.obsolete_entries()] == []


def test_every_text_of_the_program_is_in_the_catalogue(catalogue):
    known = {entry.msgid for entry in catalogue}
    used = [*texts_in_python(), *texts_in_templates()]
    assert len(used) > 200  # the search finds what it looks for
    assert {(text, str(path.relative_to(ROOT))) for text, path in used if text not in known} == set()


def test_nothing_is_in_the_catalogue_that_no_longer_is_in_the_program(catalogue):
    used = {text for text, _ in [*texts_in_python(), *texts_in_templates()]}
    assert {entry.msgid for entry in catalogue} - used == set()


def test_the_compiled_file_says_what_the_text_says(catalogue):
    def said(entries):
        return {(entry.msgctxt, entry.msgid): (entry.msgstr, entry.msgstr_plural) for entry in entries}

    assert said(polib.mofile(str(CATALOGUE.with_suffix(".mo")))) == said(catalogue)


def test_placeholders_survive_translation(catalogue):
    for entry in catalogue:
        for said in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            assert sorted(PLACEHOLDERS.findall(said)) == sorted(PLACEHOLDERS.findall(entry.msgid)), entry.msgid


def test_korean_is_korean(catalogue):
    """A text that was copied instead of translated has no Korean letter in it."""
    without = {entry.msgid for entry in catalogue if not re.search("[가-힣]", entry.msgstr or "".join(entry.msgstr_plural.values()))}
    assert without <= {"%(number)d is %(money)s.", "Like Asia/Seoul or America/New_York.", " By %(filter_title)s "}


def test_the_catalogue_is_the_one_that_is_used():
    with override("ko"):
        assert gettext("Menu") == "메뉴판"
    with override("en"):
        assert gettext("Menu") == "Menu"
