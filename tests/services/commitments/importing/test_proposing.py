"""A mapping proposed for a table: always one that is understood and fits, and right where names and cells are plain."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.cli import app
from services.commitments.importing.indicator_mapping import IndicatorMapping
from services.commitments.importing.indicators import IndicatorImport
from services.commitments.importing.mapping import Mapping
from services.commitments.importing.proposing import propose
from shared.errors import InvalidInput
from shared.events.commitments import Assessed, BudgetEstimated, Completed, ProgressReported, Registered
from shared.events.indicators import IndicatorDefined, MeasurementRecorded, TargetSet
from shared.tabular.mapping import check_columns, read_mapping
from shared.tabular.reading import read_table
from tests.services.commitments.importing.desk import Desk

PLAN = """Plan de gobierno;;;;;;;;
;;;;;;;;
Código;Nombre de la medida;Ministerio responsable;Fecha de corte;Semáforo;Estado;Fecha de término;% avance;Presupuesto
EDU-1;Becas;MINEDUC;31-mar-2014;Verde;En ejecución;31/12/2014;12,5;1.250.000,5
EDU-2;Escuelas;MINEDUC;31-mar-2014;Rojo;Cumplida;15/01/2014;100;s/i
SAL-1;Hospitales;MINSAL;31-mar-2014;Amarillo;En ejecución;;40;300.000
Total;;;;;;;;1.550.000,5
"""


def proposed_for(folder: Path, content: str | bytes, name: str = "plan.csv") -> str:
    file = folder / name
    file.write_bytes(content.encode("cp1252") if isinstance(content, str) else content)
    return propose(file)


def test_what_is_plain_goes_in_as_it_is_proposed(desk: Desk) -> None:
    desk.now = datetime(2014, 6, 1, tzinfo=UTC)
    desk.mapping = proposed_for(desk.folder, PLAN)
    report = desk.enter_file(desk.folder / "plan.csv")
    assert report.errors == []
    assert (report.rows.imported, report.rows.passed_over) == (3, 1)
    (registered,) = desk.facts(Registered, "edu-1")
    assert (registered.title, registered.lead_organization) == ("Becas", "mineduc")
    assert registered.public_deadline.on == date(2014, 12, 31)
    assert [said.judgement for said in desk.facts(Assessed, "sal-1")] == ["at_risk"]
    assert [str(said.percent) for said in desk.facts(ProgressReported, "edu-1")] == ["12.5"]
    assert [said.lines[0].amount for said in desk.facts(BudgetEstimated, "edu-1")] == ["1250000.5"]
    assert len(desk.facts(Completed, "edu-2")) == 1


def test_what_is_unsure_is_said_beside_it(tmp_path: Path) -> None:
    text = proposed_for(tmp_path, "Proyecto,Plazo,Avance\nUno,01/02/2015,0.5\nDos,02/03/2015,1\n")
    told = tomllib.loads(text)
    assert told["title"] == {"column": "Proyecto"}
    assert told["progress"] == {"percent": "Avance", "scale": 1}
    for line in (
        "no column looks like a code",
        "no column gives the day",
        "no column names who leads",
        "every day there reads as day/month and as month/day alike",
        "the largest number there is 1",
    ):
        assert f"# unsure: {line}" in text


def test_months_are_the_last_of_their_days_and_merged_cells_are_seen(tmp_path: Path) -> None:
    text = proposed_for(
        tmp_path, "Eje,Medida,Plazo\nSalud,Uno,marzo 2015\n,Dos,abril 2015\n,Tres,mayo 2015\nX,Y,junio 2015\n"
    )
    assert tomllib.loads(text)["deadline"] == {"column": "Plazo", "formats": ["%B %Y"], "period_day": "last"}
    assert "Eje may hold merged cells" in text


def test_a_workbook_is_looked_at_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "plan.xlsx"
    with xlsxwriter.Workbook(str(file)) as workbook:
        sheet, month = workbook.add_worksheet("Medidas"), workbook.add_format({"num_format": "mmm yyyy"})
        sheet.write(0, 0, "Plan")
        sheet.write_row(2, 0, ["Código", "Medida", "Plazo"])
        sheet.write_row(3, 0, ["A-1", "Uno"])
        sheet.write_datetime(3, 2, datetime.fromisoformat("2015-03-01"), month)
    told = tomllib.loads(propose(file, "Medidas"))
    assert told["file"] == {"sheet": "Medidas", "header_row": 3}
    assert told["deadline"] == {"column": "Plazo", "period_day": "last"}


def test_a_file_without_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no header in row 1"):
        proposed_for(tmp_path, b"")


def test_the_command_prints_the_mapping(tmp_path: Path) -> None:
    proposed_for(tmp_path, PLAN)
    done = CliRunner().invoke(app, ["mapping", "new", str(tmp_path / "plan.csv")])
    assert (done.exit_code, done.output) == (0, propose(tmp_path / "plan.csv"))


NAMES = [
    "Código", "project_id", "Nombre", "Compromiso", "Ministerio", "Fecha", "year", "Plazo", "end_date", "Semáforo",
    "Estado", "status", "Avance", "% avance", "Presupuesto", "Monto pagado", "Comentario", "", 'a "b" \\ c', "Total",
]  # fmt: skip
CELLS = [
    "", "n/a", "#N/A", "Uno", "Dos", "2014", "0.5", "1.250,5", "31/12/2014", "31-dic-2014", "marzo 2015", "Rojo",
    "rojo", "Cumplida", "Descartada", "En curso", "Total", "50 %", '"quoted"', "back\\slash", "two\nlines", "#",
]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_the_table_the_proposal_is_understood_and_fits_it(desk: Desk, data: Any) -> None:
    names = data.draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=7).filter(any))
    rows = data.draw(
        st.lists(st.lists(st.sampled_from(CELLS), min_size=len(names), max_size=len(names)), max_size=6)
    )
    written = io.StringIO()
    csv.writer(written, delimiter=data.draw(st.sampled_from(",;\t"))).writerows([names, *rows])
    desk.mapping = proposed_for(desk.folder, written.getvalue().encode())
    (desk.folder / "mapping.toml").write_text(desk.mapping, encoding="utf-8")
    mapping = read_mapping(desk.folder / "mapping.toml", Mapping)
    check_columns(mapping, read_table(desk.folder / "plan.csv", mapping.file).columns, "plan.csv")
    assert desk.enter_file(desk.folder / "plan.csv", dry_run=True).rows.read <= len(rows)


# --- indicators -----------------------------------------------------------------------------------------------------

INDICATORS = """Código;Indicador;Unidad de medida;Tendencia;Línea base;Responsable;Meta 2015;T1 planeado 2014;\
T1 ejecutado 2014;Total 2014;Pagos 2014
SEG-1;Hogares víctimas;%;Disminuir;33,6;INE;28,6;31;31,1;31,1;5.000
EDU-1;Becas;Número;Aumentar;1.000;MINEDUC;4.000;1.500;1.250;1.250;7.000
"""


def test_a_table_of_indicators_goes_in_as_it_is_proposed(desk: Desk) -> None:
    desk.now, desk.importer = datetime(2014, 6, 1, tzinfo=UTC), IndicatorImport
    (desk.folder / "table.csv").write_bytes(INDICATORS.encode())
    proposed = propose(desk.folder / "table.csv", kind="indicators")
    told = tomllib.loads(proposed)
    assert told["plan"]["values"] == [{"column": "T1 planeado 2014", "period": "2014-Q1"}]
    assert told["measurements"]["values"] == [{"column": "T1 ejecutado 2014", "period": "2014-Q1"}]
    assert "# Not asked for: Total 2014, Pagos 2014" in proposed
    # Two guesses are made right, as somebody would who knows the table.
    told_on = f"on = {told['date']['on']}"
    desk.mapping = proposed.replace(told_on, "on = 2014-01-01").replace("[fields]", QUARTERLY)
    desk.mapping = re.sub(r"on = \d{4}-12-31  # unsure: the day it is of", "on = 2013-12-31", desk.mapping)
    report = desk.enter_file(desk.folder / "table.csv")
    assert report.errors == []
    (defined,) = desk.facts(IndicatorDefined, "seg-1", "indicator")
    assert (defined.name, defined.direction, defined.unit) == ("Hogares víctimas", "decrease", "%")
    assert defined.baseline.value == Decimal("33.6")
    assert [one.value for one in desk.facts(TargetSet, "edu-1", "indicator")] == [4000]
    assert [one.value for one in desk.facts(MeasurementRecorded, "edu-1", "indicator")] == [1250]


QUARTERLY = '[fields]\nfrequency = { value = "quarterly" }'


def test_a_table_of_values_is_known_by_its_periods(tmp_path: Path) -> None:
    file = tmp_path / "values.csv"
    file.write_text(
        "cod,periodo,tipo,valor\n1,2024-T3,PLANEADO,0.7\n1,2024-T3,EJECUTADO,0.5\n", encoding="utf-8"
    )
    told = tomllib.loads(propose(file, kind="indicators"))
    assert told["value"] == {
        "column": "valor",
        "planned": {"column": "tipo", "values": {"PLANEADO": True, "EJECUTADO": False}},
        "period": {"column": "periodo", "t_means": "quarter"},
    }


@pytest.mark.parametrize(
    "text", ["a\n1\n", "valor,periodo\nx,y\n", "indicador,2014,2015\nUno,1,\n,,\n", "\n\nmeta 2014 T9\n5\n"]
)
def test_whatever_the_table_a_proposal_for_indicators_is_understood(tmp_path: Path, text: str) -> None:
    file, mapping = tmp_path / "table.csv", tmp_path / "mapping.toml"
    file.write_text(text, encoding="utf-8")
    mapping.write_text(propose(file, kind="indicators"), encoding="utf-8")
    found = read_mapping(mapping, IndicatorMapping)
    check_columns(found, read_table(file, found.file).columns, file.name)
