"""The page is one inert file that says everything, and says what is missing."""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from synthvae.report.content import NO_AUDIT, NO_CHECK, NO_MODEL
from synthvae.report.page import page
from synthvae.report.public import LEFT_OUT, without_statistics


class Tags(HTMLParser):
    """Tags with their attributes, and what stands between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.setdefault(self.open[-1] if self.open else "", []).append(data)


@pytest.fixture(scope="module")
def made(content: dict[str, Any]) -> str:
    return page(content)


def test_the_same_content_makes_the_same_page(content, made):
    assert page(content) == made


def test_it_is_one_small_file_without_a_network(made):
    assert len(made.encode()) < 5_000_000
    found = Tags(made)
    for tag, attrs in found.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed")
        for name in ("src", "href", "xlink:href"):
            assert (attrs.get(name) or "#").startswith("#"), (tag, attrs)
    style = "".join(found.text["style"])
    assert "url(" not in style
    assert "@import" not in style
    policy = next(a for t, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"].startswith("default-src 'none'")


def test_names_from_users_are_inert(made):
    found = Tags(made)
    assert sum(tag == "script" for tag, _ in found.tags) == 1
    assert not any(name.startswith("on") for _, attrs in found.tags for name in attrs)
    assert "<script>alert" not in made
    assert made.count(html.escape("<script>alert(1)</script>")) > 5
    assert "49 $x_1$" not in made
    assert "{{ 7 * 7 }}" in html.unescape(made)


def test_ids_are_unique_and_references_have_their_target(made):
    ids = re.findall(r'\sid="([^"]+)"', made)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", made)) <= set(ids)


def test_every_colour_of_a_plot_is_the_pages(made):
    for svg in re.findall(r"<svg .*?</svg>", made, re.S):
        assert not re.findall(r"#[0-9a-f]{6}", svg)


def test_every_record_stands_on_the_page(content, made):
    text = html.unescape(made)
    for record in content["records"]:
        assert record["name"] in text or record["name"].startswith("fidelity.")
        if record["column"]:
            assert record["column"] in text


def test_what_was_not_given_is_said(content):
    bare = copy.deepcopy(content)
    sections = bare["sections"]
    sections["verdict"] |= {"check": None, "check_absent": NO_CHECK, "audit": None,
                            "audit_absent": NO_AUDIT}  # fmt: skip
    sections["privacy"] |= {"audit": None, "audit_absent": NO_AUDIT, "copies": [],
                            "copies_absent": "no holdout was given"}  # fmt: skip
    sections["training"] = {"absent": "neither a model nor a log", "history": None, "kept": None}
    text = html.unescape(re.sub("</?code>", "", page(bare)))
    for words in (
        *(why.replace("'", "") for why in (NO_CHECK, NO_AUDIT, NO_MODEL)),
        "neither a model nor a log",
        "Not checked",
    ):
        assert words in text


def test_the_page_says_who_may_see_it(content, made):
    assert "For those who may see statistics of the real table" in made
    private = copy.deepcopy(content)
    private["sections"]["privacy"]["certificate"] = {
        "claim": {"epsilon": 3.0, "delta": 1e-5, "unit": "row"},
        "attacker": {"limits": {"0.01": 0.2}}, "not_covered": ["the metadata"],
        "limitations": [], "events": [{"stage": "pairs", "mechanism": "gaussian", "steps": 1}] * 7,
    }  # fmt: skip
    text = page(private)
    assert "its real side is not covered by epsilon" in text
    assert "epsilon 3 at delta 1e-05" in text
    assert "not covered by the epsilon" in page(without_statistics(private))


def test_the_public_form_has_no_column_no_cell_and_no_size_of_a_real_table(content):
    shown = without_statistics(content)
    assert shown["kind"] == "public"
    assert all(record["column"] is None for record in shown["records"])
    names = {record["name"] for record in shown["records"]}
    assert {"fidelity.shape_ratio", "privacy.attack_auc", "rows"} <= names
    assert not names & {"fidelity.shape", "rows.real", "rows.holdout", "training.loss"}
    assert shown["sections"]["fidelity"]["absent"] == LEFT_OUT
    text = page(shown)
    assert "Public form" in text
    assert "<svg viewBox" not in text.split("</style>")[1].split('id="numbers"')[0]
    assert "overlay" not in str(shown)
    roles = {file["role"] for file in shown["sections"]["made"]["files"]}
    assert roles == {"synthetic"}


def test_the_public_form_of_a_private_model_has_no_number_of_rows(content):
    """What an audit, a policy or a command said of columns and of real rows is not passed on."""
    private = copy.deepcopy(content)
    private["sections"]["privacy"]["certificate"] = {"claim": {"epsilon": 3.0}}
    private["sections"]["made"]["model"] = {"target": "amount", "rows": 600}
    shown = list(leaves(without_statistics(private)))
    texts = " ".join(each for each in shown if isinstance(each, str))
    assert "400 rows a side" in str(content)  # there is something to leave out
    for name in ("<script>", "{{ 7", "amount", "'id'", "'since'", "'left'"):
        assert not [each for each in shown if name in str(each)]
    numbers = {each for each in shown if isinstance(each, (int, float))}
    numbers |= {float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*\d", texts)}
    values = {record["name"]: record["value"] for record in content["records"]}
    sizes = {record["n"] for record in content["records"]} - {None, values["rows"]}
    sizes |= {values["rows.real"], values["rows.holdout"]}
    assert len(sizes) > 3
    assert not numbers & sizes


def leaves(content: Any) -> Iterator[Any]:
    """Every text and every number that stands anywhere in JSON, names of keys too."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield key
            yield from leaves(value)
    elif isinstance(content, list):
        for value in content:
            yield from leaves(value)
    else:
        yield content


def test_no_row_and_no_extreme_of_the_real_table_stands_in_it(content, hostile, made):
    import pandas as pd

    real = pd.read_csv(hostile / "real.csv")
    assert not [key for key in real["id"] if key in made]
    largest = real["amount"].nlargest(20)
    assert not [value for value in largest if f"{value:.2f}" in str(content)]
