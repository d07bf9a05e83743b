# The same commands on every machine: Python (3.11, 3.12 or 3.13) and make are all that has to be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CLASS := build/class
# Tests that look at nothing but answers and layers run two at a time. The others watch processes, ports and clocks.
PROOFS := $(wildcard tests/test_[0-9]*.py) $(addprefix tests/test_,answers.py lying_probes.py mutants.py probes.py) tests/layers
# Everything is written below build/ and .venv/: what programs like to leave in the home folder as well.
export PYTHONDONTWRITEBYTECODE := 1
OWN_HOME := $(CURDIR)/build/home
RUNS := grade test test-backends soak notebooks bench
$(RUNS): export IPYTHONDIR := $(OWN_HOME)/ipython
$(RUNS): export JUPYTER_CONFIG_DIR := $(OWN_HOME)/jupyter-config
$(RUNS): export JUPYTER_DATA_DIR := $(OWN_HOME)/jupyter-data
$(RUNS): export JUPYTER_RUNTIME_DIR := $(OWN_HOME)/jupyter-run
$(RUNS): export MPLCONFIGDIR := $(OWN_HOME)/matplotlib
$(RUNS): export HYPOTHESIS_STORAGE_DIRECTORY := $(OWN_HOME)/hypothesis
$(RUNS): export KERAS_HOME := $(OWN_HOME)/keras

.PHONY: help setup grade test test-backends soak lab notebooks site bench clean

help:             ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 16

setup: $(READY)   ## make .venv with the locked packages

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -m autograde.supported
	@echo "Setting up $(VENV) (once; a minute or two) ..."
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@# The packages are used from this folder, as they are.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@# Read by nbgrader wherever it is started from: a student may validate a lesson in any folder.
	@mkdir -p $(VENV)/etc/jupyter
	@printf 'from autograde.nbgrader import run_lessons\n\nrun_lessons(get_config())\n' > $(VENV)/etc/jupyter/nbgrader_config.py
	@touch $(READY)

grade: $(READY)   ## grade the sample class and print the table
	$(BIN)/autograde demo --output $(CLASS)

test: $(READY)    ## everything CI runs
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow" $(PYTEST) $(PROOFS)
	$(BIN)/python -m pytest -q -m "not slow" $(PYTEST) $(addprefix --ignore=,$(PROOFS)) tests
	$(BIN)/autograde build --check --no-run
	$(BIN)/python -m pytest -p tests.nbval_tolerance --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg \
		-n 2 --dist loadscope -p no:cacheprovider -q solutions

test-backends: $(READY)  ## the layers of unrolled.layers on TensorFlow, JAX and PyTorch; their files under each other's
	@bash tests/layers/backends.sh $(BIN)/python

lab: $(READY)     ## open your own copy of the course in JupyterLab (work/, or FOLDER=...)
	$(BIN)/autograde lab $(if $(FOLDER),--folder "$(FOLDER)")

notebooks: $(READY)  ## derive all notebooks from their sources
	$(BIN)/autograde build

soak: $(READY)    ## the long tests: stock nbgrader, more than fifty kills, a cluster, another user, the data's recipes, a thousand
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-cluster.lock
	KILLS=26 $(BIN)/python -m pytest -q -m slow $(PYTEST)
	$(BIN)/python benchmarks/scale.py

site: $(READY)    ## the course as a site, in build/site/
	$(BIN)/python docs/site/build.py build/site

bench: $(READY)   ## measure what the README claims
	$(BIN)/python benchmarks/grading.py
	$(BIN)/python benchmarks/lessons.py
	$(BIN)/python benchmarks/layers.py
	$(BIN)/python benchmarks/pages.py

clean:            ## remove what was made here
	rm -rf build $(VENV)
