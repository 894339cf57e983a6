"""`evaluate` and `reproduce`: numbers that agree with the metrics, work that goes on where it stopped, bad input."""

import json
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import pushforward
from pushforward import metrics, reproduce
from pushforward.core import BadInput
from pushforward.evaluation import Asked, evaluate, weighed
from pushforward.reproduce import Cell, running


def test_evaluate_a_classifier_says_what_it_was_measured_on(ask, runs):
    answer = ask("evaluate", runs["classifier"], "--draws", 3, "--count", 120)
    assert answer.code == 0
    told = json.loads((runs["classifier"] / "evaluation.json").read_text())
    assert (told["split"], told["n"], told["draws"], told["binarisation"]) == ("test", 120, 3, "no")
    assert told["fingerprint"] and told["nll"] < told["bound"] == pytest.approx(told["distortion"] + told["rate"])
    run = pushforward.runs.Run(runs["classifier"])
    test = run.data()[1].part(torch.arange(120))
    assert told["accuracy of q(y|x)"] == pytest.approx(metrics.accuracy(run.open(), test))
    assert sum(map(sum, told["confusion (rows: truth)"])) == 120
    p = metrics.probabilities(run.open(), test)
    assert told["expected calibration error"] == pytest.approx(metrics.reliability(p, test.label).error) and told["units"] == 3
    weights = weighed(run.open(), test, 3, runs["classifier"] / "again.safetensors", "x")
    assert told["accuracy of p(y|x)"] == pytest.approx(float((weights.log_p.argmax(1) == test.label).double().mean()))
    assert all(Path(line).exists() for line in answer.out.split("\n") if line.endswith((".json", ".png")))
    assert {"confusion", "reliability", "aggregate-posterior"} <= {path.stem for path in (runs["classifier"] / "pictures").iterdir()}


@pytest.mark.parametrize(("kind", "condition"), [("vae", ""), ("conditional", "label"), ("completing", "mask, source"), ("table", "")])
def test_evaluate_every_kind_of_run(ask, runs, kind, condition):
    assert ask("evaluate", runs[kind], "--draws", 2, "--count", 15).code == 0
    told = json.loads((runs[kind] / "evaluation.json").read_text())
    assert told["conditional on"] == condition and told["n"] == 15


def test_what_was_kept_of_another_network_is_not_taken_over(tmp_path):
    asked = Asked(draws=2, count=20, samples=0)
    made = [pushforward.train("vae", "digits", images=256, seed=seed, run=tmp_path / str(seed), quiet=True) for seed in (0, 1)]
    alone = [evaluate(run, asked, tmp_path / f"alone-{run.folder.name}")["nll"] for run in made]
    assert alone[0] != alone[1] and [evaluate(run, asked, tmp_path / "both")["nll"] for run in made] == alone


def test_evaluate_says_that_the_newest_checkpoint_is_damaged(ask, tmp_path):
    run = pushforward.train("vae", "digits", images=2_000, run=tmp_path / "run", quiet=True)
    weights = run.newest() / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    answer = ask("evaluate", run.folder, "--draws", 2, "--count", 20, "--samples", 0)
    told = json.loads((run.folder / "evaluation.json").read_text())
    assert answer.code == 0 and "is not what was written" in answer.err and 0 < told["images seen"] < run.seen()


def test_evaluate_refuses_what_is_not_there(ask, runs):
    answer = ask("evaluate", runs["vae"], "--count", 10**6)
    assert answer.code == 2 and "--count is 1000000, but the test part has" in answer.err
    assert ask("evaluate", runs["vae"], "--draws", 0).code == 2


@pytest.mark.parametrize(("held_out", "said"), [(0.12, "only 12 held-out examples"), (0.88, "only 12 training examples")])
def test_what_is_too_little_to_compare_samples_with_is_said_beside_the_rest(tmp_path, held_out, said):
    images = torch.rand(100, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    run = pushforward.train("vae", images, held_out=held_out, images=64, net="mlp", width=8, run=tmp_path / "run", quiet=True)
    found = evaluate(run, Asked(draws=2, features="zoo/reader_mnist"), tmp_path, images)
    assert found["samples"] == f"not compared: {said}, 20 are needed; train with another --held-out, or more data"
    assert json.loads((tmp_path / "evaluation.json").read_text())["nll"] == found["nll"]


def test_without_a_feature_net_it_is_said_how_to_name_one(tmp_path):
    images = torch.rand(300, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    run = pushforward.train("vae", images, images=64, net="mlp", width=8, run=tmp_path / "run", quiet=True)
    assert evaluate(run, Asked(draws=2), tmp_path, images)["samples"].endswith("--features RUN or --features module:name names one")


def test_importance_sampling_goes_on_where_it_stopped(tmp_path, runs):
    run = pushforward.runs.Run(runs["vae"])
    system, data = run.open(), run.data()[0].part(torch.arange(250))
    whole = weighed(system, data, 3, tmp_path / "whole.safetensors", "x")
    path, calls = tmp_path / "kept.safetensors", []
    weighed(system, data.part(torch.arange(100)), 3, path, "x")
    again = weighed(system, data, 3, path, "x", lambda done, n: calls.append(done))
    assert calls == [200, 250] and torch.equal(again.log_p, whole.log_p)
    weighed(system, data, 3, path, "another run", lambda done, n: calls.append(done))
    assert calls == [200, 250, 100, 200, 250]
    path.write_bytes(b"damaged")
    assert torch.equal(weighed(system, data, 3, path, "x").log_p, whole.log_p)


@pytest.fixture
def small(monkeypatch):
    """A table of three cells that cost nothing; the list of those measured."""
    asked: list[str] = []

    def cell(name: str) -> Cell:
        def measure(folder: Path) -> dict:
            asked.append(name)
            if name == "b/1" and asked.count(name) == 1:
                raise KeyboardInterrupt
            return {"fingerprint": "f", "value": 1 / 3}

        return Cell(name, {"kind": name[0]}, int(name[-1]), measure)

    module = SimpleNamespace(__doc__="A small table.", cells=lambda: [cell("a/0"), cell("b/1"), cell("b/2"), cell("bb/3")])
    monkeypatch.setattr(running, "names", lambda: ["small-table"])
    monkeypatch.setattr(running, "import_module", lambda name: module)
    return asked


def test_reproduce_keeps_each_cell_and_goes_on(ask, small, tmp_path):
    assert ask("reproduce", "small-table").code == 130
    found = json.loads((tmp_path / "results" / "small_table.json").read_text())
    assert [cell["name"] for cell in found["cells"]] == ["a/0"] and found["command"] == "pushforward reproduce small-table"
    assert "1 of   4 cells   A small table." in ask("reproduce").out
    answer = ask("reproduce", "small_table", "--only", "b/2")
    assert answer.code == 0 and answer.path == Path("results/small_table.json")
    assert ask("reproduce", "small-table").code == 0
    assert small == ["a/0", "b/1", "b/2", "b/1", "bb/3"]
    cells = json.loads((tmp_path / "results" / "small_table.json").read_text())["cells"]
    assert [cell["name"] for cell in cells] == ["a/0", "b/1", "b/2", "bb/3"]
    assert ask("reproduce", "small-table", "--only", "b").code == 0 and ask("reproduce", "small-table", "--only", "b/").code == 0
    assert cells[0]["numbers"]["value"] == 0.333333 and cells[0]["command"] == "pushforward reproduce small-table --only a/0"
    assert {"seed", "setting", "versions", "machine"} <= cells[0].keys()


def test_reproduce_bad_input(ask, small, tmp_path):
    assert "did you mean 'small-table'?" in ask("reproduce", "smal-table").err
    assert "has no cell whose name begins with 'c'" in ask("reproduce", "small-table", "--only", "c").err
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "small_table.json").write_text("[]")
    answer = ask("reproduce", "small-table")
    assert answer.code == 2 and "holds no results" in answer.err


def test_every_table_lists_cells_with_names_of_their_own():
    for name in running.names():
        cells = running.find(name).cells()
        assert len({cell.name for cell in cells}) == len(cells) > 0, name
        json.dumps([cell.setting for cell in cells])
    with pytest.raises(BadInput, match="Known: "):
        running.find("nothing")


def test_the_queue_outlives_its_command(tmp_path):
    process, log = reproduce.in_background(running.names()[0], "nothing-begins-so", tmp_path, tmp_path / "runs")
    until = time.monotonic() + 60
    while not log.read_text() and time.monotonic() < until:
        time.sleep(0.2)
    if not log.read_text():
        os.kill(process, signal.SIGTERM)
    assert "has no cell whose name begins with 'nothing-begins-so'" in log.read_text()
