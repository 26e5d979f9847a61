# The whole set-up: `make bench` walks a simulated walk, `make test` proves the firmware. Both live in .venv.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: bench test lint benchmark clean

bench: .venv/ready
	@$(BIN)/rearguard bench $(ARGS)

test: .venv/ready
	@$(BIN)/python -m pytest $(ARGS)

lint: .venv/ready
	$(BIN)/ruff check firmware tests benchmarks
	$(BIN)/ruff format --check firmware tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

benchmark: .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,peers]'
	$(BIN)/python benchmarks/run.py $(ARGS)

.venv/ready: pyproject.toml
	@echo "Setting up .venv (once; half a minute or so)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv build firmware/*.egg-info
