# make demo   tracks cells in the movie that ships with the package; look at demo/
# make test   runs the whole suite
# make test-processors   runs what depends on the processor, as on processors without AVX-512
# Other Python, other place: make demo PYTHON=python3.12 VENV=.venv-3.12

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# The reference of the parity tests asks for torchvision, which ties the choice of torch, so it comes without what it
# asks for; the extra "parity" brings the rest. Where it cannot be installed, `make test` skips the parity tests.
REFERENCE := SAM2_BUILD_CUDA=0 $(PIP) --no-deps --no-build-isolation sam2
SPECIFICATION := pyproject.toml constraints.txt

# What Qt and a virtual screen need on Debian
SCREEN_PACKAGES := xvfb xauth libegl1 libgl1 libgl1-mesa-dri libopengl0 libglib2.0-0 libdbus-1-3 libfontconfig1 \
	libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 \
	libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1

.PHONY: demo test test-processors lint parity benchmark clean screen

demo: $(VENV)/.installed
	$(BIN)/sam2v demo --out demo/

test: screen $(VENV)/.installed-test
	tools/run_tests.sh $(BIN)/python $(PYTEST_ARGS)

test-processors: $(VENV)/.installed-test
	tools/test_processors.sh $(BIN)/python $(PYTEST_ARGS)

parity: $(VENV)/.installed-test
	$(REFERENCE)
	$(BIN)/python -m pytest tests/parity $(PYTEST_ARGS)

lint: $(VENV)/.installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

benchmark: $(VENV)/.installed-test
	$(REFERENCE)
	$(BIN)/python benchmarks/track.py

clean:
	rm -rf build dist demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

# Without these only the tests marked gui are left out, so this does not stop the others.
screen:
	-@tools/debian_packages.sh $(SCREEN_PACKAGES)

# The stamps below hold the time of the last installation, so that a second run installs nothing.

$(VENV)/.created:
	@if ! $(PYTHON) -c "import ensurepip, venv" 2>/dev/null; then tools/debian_packages.sh python3-venv; fi
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(SPECIFICATION) | $(VENV)/.created
	@echo "Installing sam2v into $(VENV): minutes the first time"
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-test: $(SPECIFICATION) | $(VENV)/.created
	@echo "Installing sam2v and what its tests need into $(VENV): minutes the first time"
	$(PIP) --editable ".[test,parity]"
	-$(REFERENCE)
	@touch $(VENV)/.installed $@

$(VENV)/.installed-lint: $(SPECIFICATION) | $(VENV)/.created
	$(PIP) --editable ".[dev]"
	@touch $(VENV)/.installed $@
