# Every verb sets up what it needs on a machine that has Python 3.11, pip, git and make.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
INSTALL_UV := install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
# Byte-code must be written, or every start compiles the libraries again.
unexport PYTHONDONTWRITEBYTECODE
# What `make test ARGS="-k echo"` hands to pytest.
ARGS ?=

.PHONY: setup demo test lint soundness killing bench docs clause-mutants lock clean

setup: .venv/.run
demo: setup
	@$(BIN)/troth demo

test: .venv/.test
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Shards of a thousand pairs of schemas; those that are done stay done. ARGS="0 20" does some of them.
soundness: .venv/.test
	nice $(BIN)/python -m tests.soundness $(ARGS)

# A server that is killed twenty times while ten thousand commands come and are processed. ARGS="1000 5" is less.
killing: .venv/.test
	$(BIN)/python -m tests.queue.killing $(or $(ARGS),10000 20)

# ARGS="ALG-10 PDB-47" tries the mutants of these clauses only.
clause-mutants: .venv/.test
	$(BIN)/python -m tests.mutants.run $(ARGS)

bench: .venv/.bench
	$(BIN)/python -m bench.run $(ARGS)

docs: .venv/.docs
	$(BIN)/python -m docs.build

# The locks are exported with hashes and without the addresses that uv.lock records.
lock: .venv/.uv
	$(UV) lock --upgrade-package troth
	./requirements/export $(UV)
	rm -f uv.lock

clean:
	rm -rf .venv build dist site

# PYTHON's own pip puts uv into an environment without a pip, which is made in no time; a pip older than 22.3 cannot.
.venv/.uv: requirements/uv.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip .venv
	@$(PYTHON) -m pip --python $(BIN)/python $(INSTALL_UV) 2> /dev/null || \
		{ $(PYTHON) -m venv .venv && $(BIN)/python -m pip $(INSTALL_UV); }
	@touch $@

# One stamp for each set; a larger set is laid over the smaller, so that no set removes another.
.venv/.run: .venv/.uv requirements/run.txt pyproject.toml
	@echo "setting up .venv (the server and its sandbox) ..."
	@$(UV) pip install --quiet --require-hashes -r requirements/run.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -c "import troth.doors.cli.main, troth.doors.server.application"
	@touch $@

.venv/.test .venv/.bench .venv/.docs: .venv/.%: .venv/.run requirements/%.txt
	@$(UV) pip install --quiet --require-hashes -r requirements/$*.txt
	@touch $@
