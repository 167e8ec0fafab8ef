"""Countries: codes of ISO 3166-1 and the names that go with them."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import pandas as pd

from ecotone.ingest.checks.base import (
    Check,
    Mask,
    Parameters,
    Responses,
    amendment,
    validation,
)
from ecotone.ingest.checks.block import Block
from ecotone.ingest.checks.common import not_empty
from ecotone.ingest.checks.vocabulary import plain, read_rows
from ecotone.model.finding import Severity

COUNTRY: Final = "dwc:country"
CODE: Final = "dwc:countryCode"
#: User-assigned codes with a meaning in Darwin Core: high seas, unknown.
HIGH_SEAS: Final = "XZ"
_AGREED: Final = frozenset({HIGH_SEAS, "ZZ"})
#: Codes that ISO 3166-1 leaves to users: partners may agree on some of their own.
_USER_ASSIGNED: Final = r"AA|Q[M-Z]|X[A-Z]|ZZ"
#: Names of one country that are used for another as well.
_TWO_COUNTRIES: Final = frozenset({"congo", "конго", "刚果", "korea", "корея"})
_LOCATION: Final = tuple(
    f"dwc:{term}"
    for term in (
        "locationID", "higherGeographyID", "higherGeography", "continent", "waterBody",
        "islandGroup", "island", "country", "countryCode", "stateProvince", "county",
        "municipality", "locality", "verbatimLocality", "decimalLatitude", "decimalLongitude",
        "verbatimCoordinates", "verbatimLatitude", "verbatimLongitude", "footprintWKT",
    )
)  # fmt: skip


@functools.cache
def country_codes() -> frozenset[str]:
    """ISO 3166-1 alpha-2 codes, and the two that Darwin Core adds."""
    return frozenset(row["code"] for row in read_rows("country_codes.csv")) | _AGREED


@functools.cache
def code_of_name() -> dict[str, str]:
    """Code by plain name, alpha-3 and alpha-2 code; a name of two countries is left out."""
    found: dict[str, set[str]] = {}
    for row in read_rows("country_codes.csv"):
        for name in (row["code"], row["alpha3"], *row["names"].split("|")):
            found.setdefault(plain(name), set()).add(row["code"])
    found.setdefault(plain("high seas"), set()).add(HIGH_SEAS)
    return {
        name: codes.pop()
        for name, codes in found.items()
        if len(codes) == 1 and name not in _TWO_COUNTRIES
    }


@functools.cache
def _names() -> dict[str, str]:
    """Code by name as written, without case: for matching, not for guessing."""
    return {
        name.casefold(): row["code"]
        for row in read_rows("country_codes.csv")
        for name in row["names"].split("|")
    }


def _code_standard(block: Block, parameters: Parameters) -> Responses:
    column = block.term(CODE)
    return validation(column.empty, column.isin(country_codes()))


def _user_assigned(block: Block) -> Mask:
    return block.term(CODE).matches(_USER_ASSIGNED)


def _amend_code_text(text: str) -> str | None:
    if text in country_codes():
        return None
    return code_of_name().get(plain(text))


def _amend_code(block: Block, parameters: Parameters) -> Responses:
    column = block.term(CODE)
    return amendment(column.empty, {CODE: column.each(_amend_code_text)}, filled=False)


def _consistent(block: Block, parameters: Parameters) -> Responses:
    country, code = block.term(COUNTRY), block.term(CODE)
    named = country.each(lambda text: _names().get(text.casefold()))
    agree = pd.Series(named, dtype=object).eq(pd.Series(code.text, dtype=object))
    return validation(country.empty | code.empty, agree.to_numpy(dtype=np.bool_))


def _country_not_empty(block: Block, parameters: Parameters) -> Responses:
    at_sea = block.term(CODE).isin(frozenset({HIGH_SEAS}))
    return validation(block.nothing(), ~block.term(COUNTRY).empty | at_sea)


CHECKS: Final = (
    not_empty("VALIDATION_COUNTRYCODE_NOTEMPTY", "853b79a2-b314-44a2-ae46-34a1e7ed85e4", CODE),
    Check(
        label="VALIDATION_COUNTRYCODE_STANDARD",
        guid="0493bcfb-652e-4d17-815b-b0cce0742fbe",
        dimension="Conformance",
        terms=(CODE,),
        function=_code_standard,
        parameters={"sourceAuthority": "ISO 3166-1 alpha-2"},
        severity=Severity.WARNING,
        unless=_user_assigned,
    ),
    Check(
        label="AMENDMENT_COUNTRYCODE_STANDARDIZED",
        guid="fec5ffe6-3958-4312-82d9-ebcca0efb350",
        dimension="Conformance",
        terms=(CODE,),
        function=_amend_code,
        parameters={"sourceAuthority": "ISO 3166-1 alpha-2"},
    ),
    Check(
        label="VALIDATION_COUNTRY_NOTEMPTY",
        guid="6ce2b2b4-6afe-4d13-82a0-390d31ade01c",
        dimension="Completeness",
        terms=(COUNTRY,),
        consulted=(CODE,),
        function=_country_not_empty,
        severity=Severity.INFO,
    ),
    Check(
        label="VALIDATION_COUNTRYCOUNTRYCODE_CONSISTENT",
        guid="b23110e7-1be7-444a-a677-cdee0cf4330c",
        dimension="Consistency",
        terms=(COUNTRY, CODE),
        function=_consistent,
        parameters={"sourceAuthority": "ISO 3166-1, names of Unicode CLDR"},
        severity=Severity.WARNING,
        unless=_user_assigned,
    ),
    not_empty(
        "VALIDATION_LOCATION_NOTEMPTY",
        "58486cb6-1114-4a8a-ba1e-bd89cfe887e9",
        *_LOCATION,
        severity=Severity.WARNING,
        nouns=("Occurrence",),
    ),
)
