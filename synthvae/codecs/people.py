"""Made-up people: what Faker makes, a pool at a time, since it makes too few a second.

Columns of one row are of one person: the e-mail address has the name. First and last names are
drawn apart, so there are many more people than names in the pools.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae.codecs.parts import Draw
from synthvae.errors import SchemaError, hint
from synthvae.seeds import derive

LOCALE = "en_US"
POOL = 2000
_LAST_FIRST = ("zh", "ja", "ko", "hu", "vi")
_DOMAINS = ("example.com", "example.org", "example.net")


def people(provider: str, locale: str, draw: Draw, rows: int) -> pa.StringArray | None:
    """Texts [n] of a provider of names or e-mail, of the rows that are drawn; None for other
    providers. No e-mail address comes twice: it has the number of the row."""
    make = _PERSON.get(provider)
    return make and pa.array(make(_Person(locale, draw, rows)).tolist(), pa.string())


def check_provider(column: str, provider: str, locale: str) -> None:
    """SchemaError if Faker does not know the locale, or has no such provider in it."""
    from faker import Faker
    from faker.config import AVAILABLE_LOCALES

    if locale not in AVAILABLE_LOCALES:
        raise SchemaError(
            f"a locale is one of Faker's, but '{locale}' is none; {hint(locale, AVAILABLE_LOCALES)}"
        )
    if not hasattr(Faker(locale), provider):
        raise SchemaError(
            f"column '{column}': it is made up by Faker's '{provider}', but locale {locale} has "
            "none; choose another sdtype or locale"
        )


@lru_cache(maxsize=64)
def made_up(provider: str, locale: str, seed: int) -> pa.StringArray:
    """`POOL` texts of a Faker provider."""
    from faker import Faker

    faker = Faker(locale)
    faker.seed_instance(seed)
    make = getattr(faker, provider)
    return pa.array([str(make()) for _ in range(POOL)], pa.string())


class _Person:
    """The people of rows that are drawn, `first` and `last` names [n]."""

    first: Any
    last: Any

    def __init__(self, locale: str, draw: Draw, rows: int) -> None:
        self.locale, self.number = locale, draw.start + np.arange(rows)
        # A stream for each part: who a row is does not depend on how many are drawn with it.
        self.first, self.last = (
            np.array(made_up(part, locale, derive(draw.seed, part)).to_pylist(), object)[
                draw.stream(f"\x00person {part}").integers(POOL, size=rows)
            ]
            for part in ("first_name", "last_name")
        )

    def name(self) -> Any:
        if self.locale[:2] in ("zh", "ja", "ko"):
            return self.last + self.first
        if self.locale[:2] in _LAST_FIRST:
            return self.last + " " + self.first
        return self.first + " " + self.last

    def user(self) -> Any:
        pairs = zip(self.first, self.last, self.number.tolist(), strict=True)
        return np.array([f"{_ascii(a)}.{_ascii(b)}{n}" for a, b, n in pairs], object)

    def email(self) -> Any:
        ends = np.array([f"@{domain}" for domain in _DOMAINS], object)
        return self.user() + ends[self.number % len(ends)]


_PERSON: Mapping[str, Callable[[_Person], Any]] = {
    "first_name": lambda person: person.first,
    "last_name": lambda person: person.last,
    "name": _Person.name,
    "user_name": _Person.user,
    "email": _Person.email,
    "safe_email": _Person.email,
    "free_email": _Person.email,
    "company_email": _Person.email,
}


@lru_cache(maxsize=65536)
def _ascii(name: str) -> str:
    """Small letters of an e-mail address; '' for a name in another script."""
    spelled = name.lower().replace("ß", "ss").replace("ø", "o").replace("ł", "l")
    folded = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return "".join(letter for letter in folded if letter.isalnum()) or "user"
