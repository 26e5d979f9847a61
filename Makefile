# The whole set-up: `make bench` walks a simulated walk, `make test` proves the firmware. Both live in .venv.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: bench test test-virtual test-virtual-soak test-arm64 lint benchmark hardware release clean

bench: .venv/ready
	@$(BIN)/rearguard bench $(ARGS)

test: .venv/ready
	@$(BIN)/python -m pytest $(ARGS)

# The service as installed, on a Debian kernel in QEMU; needs root, qemu-system-x86, mmdebstrap and some tools (see .ci/run)
test-virtual: .venv/ready
	@-$(BIN)/python tests/virtual/image.py >/dev/null
	@$(BIN)/python -m pytest tests/virtual -o addopts="-q -rs --strict-markers --import-mode=importlib" -n 2 --dist loadfile $(ARGS)

# An hour of virtual walking: no growth
test-virtual-soak: .venv/ready
	@REARGUARD_SOAK_S=3600 $(BIN)/python -m pytest tests/virtual/test_soak.py -o addopts="-q -rs --import-mode=importlib"

# The walk on Debian's arm64 kernel; needs qemu-system-arm, qemu-user-static and device-tree-compiler besides
test-arm64: .venv/ready
	@REARGUARD_ARM64=1 $(BIN)/python -m pytest tests/virtual/test_arm64.py -o addopts="-q -rs -s --strict-markers --import-mode=importlib" $(ARGS)

lint: .venv/ready
	$(BIN)/ruff check firmware tests benchmarks hardware
	$(BIN)/ruff format --check firmware tests benchmarks hardware
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/shellcheck -x install.sh systemd/setup/*.sh tools/release.sh

benchmark: .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,peers]'
	$(BIN)/python benchmarks/run.py $(ARGS)

# Every drawing, table and STL of hardware/, made from its data; needs graphviz
hardware: .venv/ready
	$(BIN)/python hardware/generate.py $(ARGS)

# dist/rearguard-VERSION.tar.gz, which installs without a network
release:
	PYTHON=$(PYTHON) tools/release.sh

.venv/ready: pyproject.toml
	@echo "Setting up .venv (once; half a minute or so)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv build firmware/*.egg-info
