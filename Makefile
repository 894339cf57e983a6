# make demo   install, train on real digits in under a minute, write runs/demo/report.html
# make test   ruff, mypy, pytest
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test format tables benchmark clean

demo: .venv/ready
	rm -rf runs/demo
	$(BIN)/pushforward train demo --run runs/demo

test: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

format: .venv/ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

tables: .venv/ready-dev
	$(BIN)/python benchmarks/tables.py

clean:
	rm -rf .venv build dist

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pushforward needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/ready-dev: .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# pythae is a peer to measure against, never a dependency: it stays in a folder of its own
.venv/peers: .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $@ pythae==0.1.2 imageio cloudpickle tqdm

benchmark: .venv/peers
	$(BIN)/python benchmarks/precision.py
	PYTHONPATH=.venv/peers $(BIN)/python benchmarks/vae_training.py
	$(BIN)/python benchmarks/gan_training.py
	$(BIN)/python benchmarks/edit.py
