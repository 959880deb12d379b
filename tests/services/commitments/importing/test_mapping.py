"""Mapping files: what is refused, and how clearly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.commitments.importing.mapping import Mapping
from shared.errors import InvalidInput
from shared.tabular.mapping import check_columns, columns_of, read_mapping
from shared.tabular.reading import read_table
from shared.tabular.tables import make_code
from tests.services.commitments.importing.desk import COLUMNS, MAPPING

ROOT = Path(__file__).parents[4]
EXAMPLE = ROOT / "docs/examples/uk-gmpp.toml"
OBSERVATIONS = ROOT.parent / "shared/data/uk-gmpp/observations.csv"


def load(folder: Path, text: str) -> None:
    file = folder / "mapping.toml"
    file.write_text(text, encoding="utf-8")
    read_mapping(file, Mapping)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("[code]", "[code]\nprefixx = 'a'", "unknown field `prefixx` - at `code`"),
        ("[title]\ncolumn = \"name\"", "", "missing required field `title`"),
        ("Green = \"on_track\"", "Green = \"fine\"", "at `rating.values"),
        ("column = \"day\"", "column = \"day\"\non = 2014-01-01", "`date` has either `column` or `on`"),
        ("column = \"who\"", "", "`lead` has either `column` or `code`"),
        ("[progress]", "[fields]\ncolour = { value = 'x' }\n[progress]", "`fields.colour` is not one of"),
        ("[progress]", "[fields]\nstage = {}\n[progress]", "`fields.stage` has either `column` or `value`"),
        ("[code]", "[file]\nencoding = 'latin-99'\n[code]", "'latin-99' is no encoding"),
        ("phrases = [\"exempt\"]", "phrases = [\"(\"]", "`rating.none.phrases`: '(' is no pattern"),
        ("code = \"WORKS\"", "code = \"HEALTH\"", "`organizations` has 'HEALTH' twice"),
        ("code = \"WORKS\"", "code = \"WORKS\"\nsuccessor = \"WORKS\"", "leads back to 'WORKS'"),
        ("multiplier = 1000000", "multiplier = 0", "at `budget.multiplier`"),
        ("source = ", "source = = ", "cannot be used"),
        ("[code]", "[risks]\ndescription = 'more'\n[code]", "`risks` names no risk"),
        ("[code]", "[columns]\na = {}\n[code]", "`columns.a` has nothing in it"),
        ("[code]", "[[rows.leave_out]]\ncolumn = 'name'\n[code]", "`rows.leave_out[0]` is no kind of rows"),
        ("[code]", "[file]\nsheet = 'A'\nsheets = ['A', 'B']\n[code]", "`file.sheets` is for several"),
        ("[\"%d/%m/%Y\", \"%d.%m.%y\"]", "[\"%B\"]\nperiod_day = 'last'", "'%B' gives no day"),
        ("around = [\"£\"]", "decimal = ','", "are both ','"),
        ("around = [\"£\"]", "thousands = '.'", "are both '.'"),
        ("around = [\"£\"]", "decimal = '5'", "which is a part of numbers"),
        ("around = [\"£\"]", "around = ['-']", "which is a part of numbers"),
        ("[\"%d/%m/%Y\", \"%d.%m.%y\"]", "[\"%d/%m\"]", "`deadline.formats`: '%d/%m' gives no day"),
        ("[\"%d/%m/%Y\", \"%d.%m.%y\"]", "[\"%d/%m/%Y %Z\"]", "an offset is, %z"),
        ("[\"%d/%m/%Y\", \"%d.%m.%y\"]", "[\"%d/%m/%Q\"]", "gives no day"),
        ("Green = \"on_track\"", "Green = \"on_track\", \"GREEN \" = \"at_risk\"", "cannot stand for two things"),
        ("phrases = [\"exempt\"]", "phrases = [\"x*\"]", "'x*' is found in every text"),
        ("[code]", "[file]\ndelimiter = '\"'\n[code]", "`file.delimiter` cannot part cells"),
        ("[code]", "[file]\nencoding = 'base64'\n[code]", "'base64' is no encoding of texts"),
        ("[code]", "[file]\nformat = 'csv'\nsheet = 'A'\n[code]", "`file.sheet` is of a workbook"),
        ("spellings = [\"Min. of Health\", \"MoH\"]", "spellings = [\"works\"]", "stands for 'HEALTH' and for 'WORKS'"),
        ("name = \"Start\"", "name = \"End\"\ncolumn = \"due\"\n[[milestones]]\nname = \"End\"", "has 'End' twice"),
        ("figures = [", "figures = [{ column = \"cost\", figure = \"forecast\", year = \"fiscal\" }, ", "two columns"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_meant_is_refused_by_key(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    assert before in MAPPING
    with pytest.raises(InvalidInput) as refused:
        load(tmp_path, MAPPING.replace(before, after, 1))
    assert refused.value.code == "mapping-invalid"
    assert told in refused.value.message
    assert "mapping.toml" in refused.value.message


def test_a_report_of_nothing_is_refused(tmp_path: Path) -> None:
    begin, end = MAPPING.index("texts = "), MAPPING.index("[budget]")
    with pytest.raises(InvalidInput, match="`progress` names no column"):
        load(tmp_path, MAPPING[:begin] + MAPPING[end:])


def test_organisations_that_belong_to_their_own_successors_are_refused(tmp_path: Path) -> None:
    text = MAPPING.replace('code = "HEALTH"', 'code = "HEALTH"\nparent = "WORKS"')
    text = text.replace('code = "WORKS"\nname', 'code = "WORKS"\nsuccessor = "HEALTH"\nname')
    with pytest.raises(InvalidInput, match="leads back to"):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = " + "[" * 5_000 + "]" * 5_000, "nested too deeply"),
        ("a = " + "{a = " * 5_000 + "1" + "}" * 5_000, "nested too deeply"),
        ("a = 1" + "0" * 5_000, "too many digits"),
        ("a." * 20 + "a = 1", "too many parts"),
        ("[" + " . ".join(["'a'", '"a\\"b"'] * 11) + "]", "too many parts"),
        ("a = '" + "a" * (1 << 20) + "'", "more than 1 MB"),
    ],
    ids=lambda value: value[-20:],
)
def test_a_mapping_that_is_made_to_take_memory_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told) as refused:
        load(tmp_path, text)
    assert refused.value.code == "mapping-invalid"


def test_a_mapping_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"mapping nowhere\.toml cannot be used"):
        read_mapping(tmp_path / "nowhere.toml", Mapping)


def test_a_column_that_the_file_lacks_is_named_with_the_key_that_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(MAPPING)
    mapping = read_mapping(tmp_path / "mapping.toml", Mapping)
    check_columns(mapping, COLUMNS, "table.csv")
    with pytest.raises(InvalidInput) as refused:
        check_columns(mapping, ["ratings" if name == "rating" else name for name in COLUMNS], "table.csv")
    assert refused.value.code == "mapping-column-missing"
    assert "`rating.columns` asks for 'rating' (there is 'ratings')" in refused.value.message


def test_codes_are_made_of_letters_and_digits_behind_a_prefix() -> None:
    assert make_code(["Ñuble: Región 2ª etapa"], "cl-", slug=True) == "cl-nuble-region-2a-etapa"
    assert make_code(["PR", " 7"], "", slug=True) == "pr-7"
    assert make_code(["A.1", "b_2"], "x-", slug=False) == "x-A.1-b_2"


def test_a_code_that_would_be_too_long_is_cut_and_still_tells_its_like_apart() -> None:
    one, other = (make_code(["a" * 70 + end], "gmpp-", slug=True) for end in ("x", "y"))
    assert one != other
    assert len(one) == len(other) == 64
    assert one == make_code(["a" * 70 + "x"], "gmpp-", slug=True)


def test_every_section_names_its_columns() -> None:
    mapping = read_mapping(EXAMPLE, Mapping)
    asked = {re.split(r"\W", key)[0] for key, _ in columns_of(mapping)}
    assert asked == {
        "budget", "code", "date", "deadline", "fields", "lead", "milestones", "progress", "rating", "title",
    }  # fmt: skip


@pytest.mark.skipif(not OBSERVATIONS.exists(), reason="the data folder is not beside this checkout")
def test_the_example_mapping_fits_the_table_it_is_an_example_for() -> None:
    mapping = read_mapping(EXAMPLE, Mapping)
    check_columns(mapping, read_table(OBSERVATIONS, mapping.file).columns, OBSERVATIONS.name)
