"""python -m models as people call it."""

import csv
import gzip
import json

import pytest

from models.__main__ import main
from tests.models import photos

ROWS = [
    ("1", "Glock 19 pistol", "two magazines", "weapons"),
    ("2", "Cocaine, 5 grams", "", "drugs"),
    ("3", "Oak table", "six chairs", "safe"),
    ("4", "Bicycle, blue", "some rust", "safe"),
]
FIELDS = [
    "model variant bytes rows unsafe_roc_auc unsafe_ap unsafe_recall_at_fpr_1pct macro_f1 ece warn_rate brotli_bytes",
    "per_policy ms_per_row_1thread",
]


def write(path, header=("id", "title", "description", "policy"), rows=ROWS):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


@pytest.mark.parametrize("variant", ["device", "fp32", "fp16", "int8", "int8-pruned", "clustered"])
def test_evaluate_prints_one_json_object_and_nothing_else(tmp_path, capsys, variant):
    data = write(tmp_path / "rows.csv.gz")
    assert main(["evaluate", "listing-text", "--variant", variant, "--data", data, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == set(" ".join(FIELDS).split())
    assert (found["rows"], found["unsafe_roc_auc"], found["model"]) == (4, 1.0, "listing-text")
    assert found["variant"] == {"device": "int8-pruned"}.get(variant, variant)
    assert found["per_policy"]["weapons"]["recall"] == 1.0
    assert found["per_policy"]["adult"] is None
    assert 0 < found["brotli_bytes"] < found["bytes"]


@pytest.mark.parametrize("model", ["listing-text-cloud", "listing-text-gate"])
def test_evaluate_measures_the_servers_models_by_the_same_fields(tmp_path, capsys, model):
    data = write(tmp_path / "rows.csv")
    assert main(["evaluate", model, "--variant", "cloud", "--data", data, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == set(" ".join(FIELDS).split())
    assert (found["model"], found["variant"], found["unsafe_roc_auc"]) == (model, "int8", 1.0)


@pytest.mark.parametrize(
    ("model", "variant"),
    [("listing-photo", "device"), ("listing-photo", "fp16"), ("listing-photo-cloud", "cloud"),
     ("listing-photo-tail", "cloud")],
)  # fmt: skip
def test_evaluate_measures_photos_by_the_same_fields(tmp_path, capsys, model, variant):
    data = photos.write(tmp_path, "few", {"weapons": 3, "safe": 3})
    asked = ["evaluate", model, "--variant", variant, "--data", str(data), "--json", "--by", "source"]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {*" ".join(FIELDS).split(), "by_source"}
    assert (found["model"], found["rows"]) == (model, 6)
    assert set(found["by_source"]) == {"made0", "made1", "made2"}
    assert set(found["per_policy"]) == {"drugs", "tobacco_alcohol", "weapons", "safe"}
    assert found["per_policy"]["drugs"] is None


@pytest.mark.parametrize(
    ("damage", "says"), [("missing", "names 1 photos that are not there"), ("broken", "as a photo")]
)
def test_evaluate_names_a_photo_that_cannot_be_read(tmp_path, capsys, damage, says):
    data = photos.write(tmp_path, "few", {"weapons": 1, "safe": 1})
    first = next((tmp_path / "few").iterdir())
    first.unlink() if damage == "missing" else first.write_bytes(b"no photo")
    assert main(["evaluate", "listing-photo", "--variant", "device", "--data", str(data), "--json"]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert first.name in said


def test_evaluate_by_source_tells_the_sources_apart(tmp_path, capsys):
    header = ("id", "title", "description", "policy", "source")
    rows = [(*row, source) for row, source in zip(ROWS, ("ads", "ads", "shop", "shop"), strict=True)]
    data = write(tmp_path / "rows.csv", header, rows)
    assert main(["evaluate", "listing-text", "--variant", "device", "--data", data, "--json", "--by", "source"]) == 0
    found = json.loads(capsys.readouterr().out)["by_source"]
    assert found["ads"] == {
        "rows": 2, "unsafe": 2, "warned_safe": None, "warned_unsafe": 1.0, "unsafe_roc_auc": None,
    }  # fmt: skip
    assert found["shop"]["warned_safe"] == 0.0


def test_evaluate_by_source_without_sources_says_what_is_missing(tmp_path, capsys):
    data = write(tmp_path / "rows.csv")
    assert main(["evaluate", "listing-text", "--variant", "device", "--data", data, "--by", "source"]) == 2
    assert "no column source" in capsys.readouterr().err


def test_further_columns_are_ignored(tmp_path, capsys):
    header = ("extra", "policy", "id", "title", "description")
    data = write(
        tmp_path / "rows.csv", header, [("x", "safe", "1", "Oak table", "old"), ("x", "drugs", "2", "heroin", "")]
    )
    assert main(["evaluate", "listing-text", "--variant", "device", "--data", data, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 2


def test_rows_of_one_kind_give_null_where_a_figure_has_no_meaning(tmp_path, capsys):
    data = write(tmp_path / "rows.csv", rows=ROWS[2:])
    assert main(["evaluate", "listing-text", "--variant", "device", "--data", data, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unsafe_roc_auc"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "listing-text", "--variant", "device", "--data", "nowhere.csv"], "no file nowhere.csv"),
        (["evaluate", "listing-text", "--variant", "fp8", "--data", "nowhere.csv"], "no variant fp8"),
        (["evaluate", "listing-poems", "--variant", "device", "--data", "nowhere.csv"], "no model listing-poems"),
        (["compress", "listing-poems"], "no model listing-poems"),
        (["train", "listing-poems", "--data", "nowhere"], "no model listing-poems"),
    ],
)
def test_mistakes_are_one_plain_line_on_standard_error(capsys, arguments, message):
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert len(printed.err.strip().splitlines()) == 1


def test_a_missing_column_is_named(tmp_path, capsys):
    data = write(tmp_path / "rows.csv", ("id", "title", "text", "label"))
    assert main(["evaluate", "listing-text", "--variant", "device", "--data", data]) == 2
    assert "lacks the columns description, policy" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"\xff\xfe\x00broken", b"", b"id,title,description,policy\n"])
def test_a_file_without_readable_rows_is_a_plain_message(tmp_path, capsys, content):
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    assert main(["evaluate", "listing-text", "--variant", "device", "--data", str(path)]) == 2
    assert str(path) in capsys.readouterr().err


def test_a_file_that_is_not_gzip_is_a_plain_message(tmp_path, capsys):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(b"id,title,description,policy\n")
    assert main(["evaluate", "listing-text", "--variant", "device", "--data", str(path)]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_steps_out_of_order_say_what_to_run_first(tmp_path, capsys):
    assert main(["--build", str(tmp_path), "compress", "listing-text"]) == 2
    assert "python -m models train" in capsys.readouterr().err
    assert main(["--build", str(tmp_path), "publish", "listing-text"]) == 2
    assert "Train first" in capsys.readouterr().err


def test_list_has_a_line_for_each_variant(capsys):
    assert main(["list"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    found = [tuple(line[:2]) for line in lines]
    device = ("fp32", "fp16", "int8", "int8-pruned", "clustered")
    assert {pair for pair in found if pair[0] == "listing-text"} == {("listing-text", name) for name in device}
    assert {("listing-text-cloud", "int8"), ("listing-text-gate", "int8")} <= set(found)
    assert all(len(line) == 5 and int(line[2]) > int(line[3]) and len(line[4]) == 8 for line in lines)


def test_report_writes_tables_and_plots(tmp_path):
    assert main(["report", "--out", str(tmp_path / "report")]) == 0
    text = (tmp_path / "report" / "report.md").read_text()
    plots = {path.name for path in (tmp_path / "report").glob("*.svg")}
    assert "| int8 |" in text
    assert plots and all(f"]({name})" in text for name in plots)
