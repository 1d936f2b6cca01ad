"""Columns that pandas reads as numbers too soon."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.reading.codes import with_codes


def read(text: str, delimiter: str = ",", decimal: str | None = None) -> pd.DataFrame:
    content = text.encode()
    options = {"sep": delimiter, "keep_default_na": False, "na_values": [""]}
    frame = pd.read_csv(io.BytesIO(content), **options)

    def texts(names: list[str]) -> pd.DataFrame:
        return pd.read_csv(io.BytesIO(content), usecols=names, dtype=str, **options)

    return with_codes(frame, [content], delimiter, texts, decimal=decimal)


def test_codes_with_leading_zeros_keep_them() -> None:
    frame = read("zip,x\n01730,1\n02110,2\n90210,3\n")
    assert frame["zip"].tolist() == ["01730", "02110", "90210"]
    assert frame["x"].tolist() == [1, 2, 3]


def test_codes_with_a_missing_cell_keep_their_zeros() -> None:
    frame = read("code,x\n007,1\n,2\n042,3\n")
    assert frame["code"].tolist() == ["007", None, "042"]


@pytest.mark.parametrize("cell", ["0.5", "0", "-0.25", "10", "1e05"])
def test_plain_numbers_stay_numbers(cell: str) -> None:
    frame = read(f"n,m\n{cell},1\n{cell},2\n")
    assert pd.api.types.is_numeric_dtype(frame["n"].dtype)


def test_long_numbers_are_exact() -> None:
    frame = read("card,x\n12345678901234567,1\n12345678901234568,2\n")
    assert [str(value) for value in frame["card"]] == ["12345678901234567", "12345678901234568"]


def test_points_in_a_file_with_decimal_commas_are_left_to_the_rules() -> None:
    frame = read("preis;x\n60.000;1\n120.500;2\n", ";", decimal=",")
    assert frame["preis"].tolist() == ["60.000", "120.500"]
    assert frame["x"].tolist() == [1, 2]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
@pytest.mark.parametrize(
    "cell", ["007", "-007", "+01", '"007"', " 007", '"0"07', "9007199254740993"]
)
def test_code_is_found_beside_any_delimiter(delimiter: str, cell: str) -> None:
    frame = read(f"a{delimiter}n\n1{delimiter}{cell}\n2{delimiter}5\n", delimiter)
    assert [text.strip() for text in frame["n"]] == [cell.replace('"', "").strip(), "5"]


@pytest.mark.parametrize("cell", ["01/31/2023", '"1,006.50"', '"781,06"', "0.0012", "2023-01-01"])
def test_columns_of_numbers_are_not_read_again_for_cells_that_are_no_codes(cell: str) -> None:
    content = f"a,n\n{cell},1\n{cell},0.3333333333333333\n".encode()
    frame = pd.read_csv(io.BytesIO(content))

    def texts(names: list[str]) -> pd.DataFrame:
        raise AssertionError(f"{names} were read again")

    assert with_codes(frame, [content], ",", texts) is frame


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_codes_are_found_wherever_blocks_of_the_file_end(size: int, end: str) -> None:
    content = end.join(["a,n", "1,10", "2,007", "3,5", ""]).encode()
    frame = pd.read_csv(io.BytesIO(content))
    blocks = [content[start : start + size] for start in range(0, len(content), size)]

    def texts(names: list[str]) -> pd.DataFrame:
        return pd.read_csv(io.BytesIO(content), usecols=names, dtype=str)

    assert with_codes(frame, blocks, ",", texts)["n"].tolist() == ["10", "007", "5"]
