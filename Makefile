.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help install run console console-dev console-check test test-unit coverage models faults check lint dead spelling types contracts schema-lint audit fuzz \
  browser screenshots bench bench-peers \
  lock schema release-schema clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed ## Make .venv with everything in it

.venv/installed: requirements/dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=…" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: install ## Start everything with a demo robot, and print the addresses; WITHOUT_CONSOLE=1 without its pages
	@$(BIN)/python console/build.py --optional
	$(BIN)/user-tags up --demo

console: install ## Build the console, if it is not of these sources
	@$(BIN)/python console/build.py

console-dev: install ## Serve the console from its sources, beside the demo; SERVICE=http://127.0.0.1:8055 for one elsewhere
	@$(if $(SERVICE),SERVICE=$(SERVICE)) $(BIN)/python console/build.py --scripts dev

console-check: install ## Lint, type-check and test the console
	$(BIN)/python console/build.py --scripts lint types test

RUN_TESTS := $(BIN)/pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: install ## Run the tests on a real PostgreSQL and Valkey
	$(RUN_TESTS)
	@echo 'Left out: the tests marked "long", which take minutes. They are run by: make faults'

test-unit: install ## Run the tests that need no servers, within ten seconds
	$(BIN)/pytest tests/unit

coverage: install ## Run the tests, and show which lines and branches of service/ none of them reaches
	$(RUN_TESTS) --cov --cov-report=term

faults: install ## Break what open pages and calls to WeChat depend on (twelve minutes); ROUNDS=100 breaks each job so often
	$(BIN)/pytest -m long

models: install ## Compare the service with models of it by four times the examples of `make test`; EXAMPLES=10 by forty times
	EXAMPLES=$(or $(EXAMPLES),1) $(RUN_TESTS) -m model

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

dead: install ## List what nothing uses, or only the tests
	$(BIN)/python -m tests.contract.dead_code

spelling: install
	$(BIN)/codespell

types: install
	$(BIN)/mypy

contracts: install
	$(BIN)/lint-imports
	$(BIN)/user-tags export-schema | diff -u schema.graphql -

schema-lint: install ## Compare schema.graphql with the released one, and lint it and the operations shown (needs Node.js)
	$(BIN)/python -m tests.contract.schema_lint

check: lint dead spelling types contracts schema-lint console-check test ## Everything CI runs but the faults and the fuzzing

.venv/audit-installed: requirements/audit.txt | install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/audit.txt
	@touch $@

audit: .venv/audit-installed ## List known vulnerabilities of what is locked, as far as somebody can be asked
	$(BIN)/python -m tests.packaging.audit

.venv/fuzz-installed: requirements/fuzz.txt | install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	@touch $@

fuzz: .venv/fuzz-installed ## Send made-up operations to a service of its own; SECONDS=600 SEED=… are optional
	$(BIN)/python -m tests.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

.venv/browser-installed: requirements/browser.txt | install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/browser.txt
	@touch $@

browser: .venv/browser-installed ## Drive Chromium through the console; CHROMIUM=… says where it is
	$(BIN)/pytest -m browser tests/console

screenshots: .venv/browser-installed ## Run the demo and write docs/screenshots/; ONLY="panel card" writes some
	$(BIN)/python -m tests.console.screenshots $(ONLY)

.venv/bench-installed: requirements/bench.txt | install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

bench: .venv/bench-installed .venv/browser-installed console ## Measure and write benchmarks/RESULTS.md; USERS=10000000 ONLY=events,pushes DATA_DIR=… are optional
	$(BIN)/python -m benchmarks $(if $(USERS),--users $(USERS)) $(if $(ONLY),--only $(ONLY)) $(if $(DATA_DIR),--data-dir $(DATA_DIR))

bench-peers: install ## Install the GraphQL servers that the benchmark of queries compares with
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target benchmarks/.peers \
	  -r benchmarks/peers/requirements.txt
	cd benchmarks/peers && npm install --no-package-lock --ignore-scripts --no-audit --no-fund

schema: install ## Write schema.graphql and sql/schema.sql from the code
	$(BIN)/user-tags export-schema > schema.graphql
	$(BIN)/python -m tests.contract.schema_snapshot

lock: ## Pin every dependency with its hashes again
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --custom-compile-command "make lock" pyproject.toml -o requirements/production.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --extra embedded --group dev -c requirements/production.txt pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --custom-compile-command "make lock" --group bench -c requirements/dev.txt -o requirements/bench.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --custom-compile-command "make lock" --group fuzz -c requirements/dev.txt -o requirements/fuzz.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --custom-compile-command "make lock" --group browser -c requirements/dev.txt -o requirements/browser.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --custom-compile-command "make lock" --group audit -c requirements/dev.txt -o requirements/audit.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --custom-compile-command "make lock" --group console -o requirements/console.txt
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --custom-compile-command "make lock" -c requirements/dev.txt - -o requirements/build.txt

release-schema: ## Take schema.graphql as what clients may rely on from now on
	cp schema.graphql tests/contract/schema.released.graphql

clean: ## Remove the environment, the embedded data and the built console
	rm -rf .venv .data .coverage* service/web/pages console/node_modules console/.node console/src/api/generated
