"""The Markdown is short, and nothing of users' names acts in it."""

from __future__ import annotations

from synthvae.report.markdown import MOST_CHARACTERS, markdown, safe


def test_the_verdict_comes_first_and_the_rest_is_folded(content):
    text = markdown(content)
    lines = text.splitlines()
    assert lines[0] == "## Report on synthetic rows"
    assert "FAIL" in lines[2]
    assert "INCONCLUSIVE" in lines[4]
    assert text.count("<details>") == text.count("</details>") > 4
    assert len(text) <= MOST_CHARACTERS


def test_names_are_neither_tags_nor_tables_nor_mentions():
    for mark in ("<b>", "a|b", "`x`", "@someone", "[a](http://x.y)", "#12", "*a*", "a\nb"):
        shown = safe(mark)
        for raw in ("<", "|" if "\\|" not in shown else "\0", "`", "@", "[", "*", "\n", "://"):
            assert raw not in shown, mark
    assert safe("plain words, 12 %") == "plain words, 12 %"


def test_hostile_names_open_no_tag(content):
    text = markdown(content)
    assert "<script" not in text
    assert "<img" not in text


def test_a_wide_table_still_fits_a_comment(content):
    wide = dict(content)
    record = next(r for r in content["records"] if r["name"] == "fidelity.column")
    many = [{**record, "column": f"{at:05d}" * 60} for at in range(3000)]
    wide["records"] = [*content["records"], *many]
    text = markdown(wide)
    assert len(text) <= MOST_CHARACTERS
    assert text.count("<details>") == text.count("</details>")


def test_what_is_missing_is_listed(content):
    assert "no model was given" in markdown(content)
