# Every command goes through the Python of .venv and never through the scripts beside it, whose first line breaks when
# the folder is moved or its name has a space.

PYTHON ?= python3
export PYTHON
VENV = .venv/bin/python
PYTEST_ARGS ?= -n 2 --dist worksteal
# A .venv that lost its Python (an upgrade of the system, a half-made one) is made anew.
BROKEN := $(if $(shell .venv/bin/python -c 'print(1)' 2>/dev/null),,broken-venv)

.DEFAULT_GOAL := help
.PHONY: help run test test-fast lint format schema messages bench simulate migrations screenshots audit clean browser broken-venv

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 \2/p' Makefile | awk '{ printf "  make %-13s", $$2; $$1 = $$2 = ""; sub(/^ */, ""); print }'

run: .venv/run.stamp ## Run Kudoscope with its own PostgreSQL and Valkey; PORT=8001 chooses the port
	@$(VENV) -m config.supervisor

test: .venv/dev.stamp browser ## Run all tests; PYTEST_ARGS replaces "-n 2"
	@$(VENV) -m pytest $(PYTEST_ARGS)

test-fast: .venv/dev.stamp ## Run the tests that take less than a second each
	@$(VENV) -m pytest -m "not slow and not browser" $(PYTEST_ARGS)

lint: .venv/dev.stamp ## Run every check of the code
	@$(VENV) -m config.embedded --ephemeral -- sh .ci/lint

format: .venv/dev.stamp ## Format code and templates, and fix what can be fixed
	@$(VENV) -m ruff check --fix .
	@$(VENV) -m ruff format .
	@$(VENV) -m djlint --quiet --reformat templates || true

schema: .venv/run.stamp ## Write docs/openapi.yaml from the code
	@$(VENV) manage.py spectacular --file docs/openapi.yaml --validate --fail-on-warn

migrations: .venv/run.stamp ## Make a migration: make migrations APP=ratings NAME=rater_reliability
	@$(VENV) manage.py makemigrations $(APP) $(if $(NAME),--name $(NAME))

messages: .venv/run.stamp ## Collect the texts of the code into locale/, and say what is not translated
	@$(VENV) -m config.catalogues

bench: .venv/dev.stamp ## Measure what we hold ourselves to; BENCH_ARGS is passed on
	@$(VENV) -m config.embedded --ephemeral -- $(VENV) -m tests.benchmarks $(BENCH_ARGS)

simulate: .venv/dev.stamp ## Honest raters and scripts over HTTP, and what becomes of them; SIMULATE_ARGS=--help
	@$(VENV) -m config.embedded --ephemeral -- $(VENV) -m tests.simulation $(SIMULATE_ARGS)

screenshots: .venv/dev.stamp browser ## Take the pictures of the documentation anew
	@$(VENV) -m config.embedded --ephemeral -- $(VENV) -m tests.screenshots

audit: .venv/dev.stamp ## Look for known vulnerabilities in what we depend on
	@$(VENV) -m pip_audit --requirement requirements.txt --disable-pip --no-deps

clean: ## Delete caches; asks before it deletes the data in var/
	@find . \( -path ./.venv -o -path ./var -o -path ./.git \) -prune -o -type d -name __pycache__ -exec rm -rf {} +
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	@if [ -e var/run/postgres.json ]; then echo "var/ is in use and stays."; \
	elif [ -d var ] && [ -t 0 ]; then \
		printf 'Delete var/ too, with the database, images and secrets of this folder? [y/N] '; read -r answer; \
		if [ "$$answer" = y ]; then rm -rf var; fi; \
	fi

browser:
	@sh .ci/browser

.venv/run.stamp: requirements.txt $(BROKEN)
	@sh .ci/venv run

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	@sh .ci/venv dev
