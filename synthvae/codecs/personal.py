"""Personal data and free text: never learnt, never copied; made up by Faker instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from synthvae.codecs.parts import Draw
from synthvae.codecs.people import LOCALE, check_provider, made_up, people
from synthvae.codecs.presence import MadeUp, Presence
from synthvae.codecs.specials import Specials, describe
from synthvae.layout import Encoded
from synthvae.seeds import derive
from synthvae.storage import View
from synthvae.table import Column

FREE_TEXT = "sentence"


def provider_of(sdtype: str) -> str:
    """The name of the Faker method that makes up a column of `sdtype`."""
    return FREE_TEXT if sdtype in ("text", "unknown") else sdtype


@dataclass(frozen=True)
class PersonalCodec(MadeUp):
    """`provider` is the name of a Faker method, as SDV's sdtypes for personal data are; `locale`:
    a language and a country, as Faker names them."""

    provider: str
    locale: str = LOCALE

    kind = "personal"

    @staticmethod
    def fit(
        column: Column, missing: frozenset[str], provider: str, locale: str = LOCALE
    ) -> PersonalCodec:
        check_provider(column.name, provider, locale)
        return PersonalCodec(Presence.fit(column, missing), provider, locale)

    def decode(self, encoded: Encoded, draw: Draw, view: View) -> pa.Array:
        """Names, e-mail addresses and places of one row are of one person."""
        texts = people(self.provider, self.locale, draw, len(encoded))
        if texts is None:
            pool = made_up(self.provider, self.locale, derive(draw.seed, "personal", self.name))
            index = draw.stream(self.name).integers(len(pool), size=len(encoded))
            texts = pool.take(pa.array(index))
        return self.presence.fill(encoded, texts, view)

    def describe(self) -> Mapping[str, Any]:
        return {
            "made_up_by": f"Faker '{self.provider}' ({self.locale})",
            **describe(self.presence.specials),
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "storage": self.presence.storage,
            "missing": self.presence.specials.to_json(),
            "provider": self.provider,
            "locale": self.locale,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> PersonalCodec:
        presence = Presence(data["name"], Specials.from_json(data["missing"]), data["storage"])
        return PersonalCodec(presence, data["provider"], data.get("locale", LOCALE))
