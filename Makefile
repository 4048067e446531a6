# Every target sets up what it needs by itself. Start with `make demo` or `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One more than there are processors: tests in a browser mostly wait for it.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST := $(BIN)/python -m pytest -p no:cacheprovider
# A test that waits for ever, as a script in a browser's page can, fails with its traceback.
NO_TEST_HANGS := -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true

.PHONY: demo test check services lint lint-types lint-rest serve worker bench bench-pages bench-pairing nightly crosscheck messages language lock

$(VENV)/.ready: requirements/dev.txt pyproject.toml tests/environment.py
	@$(PYTHON) tests/environment.py $(VENV) requirements/dev.txt --editable
	@touch $@

demo: $(VENV)/.ready  ## Tandem and a small LMS beside it; prints one address
	$(BIN)/lti-tool demo

test: services lint  ## everything a change must pass
	env $$(cat $(VENV)/services.env) $(PYTEST) -n $(JOBS) --dist worksteal -m "not nightly" $(NO_TEST_HANGS)

check: $(VENV)/.ready lint  ## the fast part: unit tests and architecture
	$(PYTEST) -q -n $(JOBS) tests/unit tests/architecture

services: $(VENV)/.ready  ## find, start or install the browser and the database that tests need
	$(BIN)/python tests/prepare.py > $(VENV)/services.env

lint: $(VENV)/.ready  ## style, types, templates, import contracts, dependencies
	@$(MAKE) --no-print-directory -j 2 lint-types lint-rest

# Types take longer than all the rest, and one of two cores.
lint-types:
	$(BIN)/mypy

lint-rest:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --quiet --lint templates sandbox_lms
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry .

serve: $(VENV)/.ready  ## the tool alone, with the settings of the environment
	$(BIN)/lti-tool serve

worker: $(VENV)/.ready  ## background work in a process of its own
	$(BIN)/lti-tool worker

bench: $(VENV)/.ready  ## launches per second beside a null tool and a minimal pylti1p3 tool
	$(BIN)/python -m tests.load.bench

bench-pages: services  ## what the pages of a course of 2,100 learners, of an institution with 500 activities, and the meetings of 200 groups cost
	$(BIN)/python -m tests.load.pages
	env $$(cat $(VENV)/services.env) $(BIN)/python -m tests.load.meetings

bench-pairing: services  ## plans beside networkx, a greedy matcher, the database and an earlier engine; ONLY="ROW …" for some rows
	env $$(cat $(VENV)/services.env) $(BIN)/python -m tests.load.pairing $(if $(ONLY),--only $(ONLY))

nightly: services  ## the long ones: full matrices, large rosters, many examples
	env $$(cat $(VENV)/services.env) HYPOTHESIS_PROFILE=nightly $(PYTEST) -n $(JOBS)
	$(BIN)/python -m tests.load.roster_memory

$(VENV)-crosscheck/.ready: requirements/crosscheck.txt tests/environment.py
	@$(PYTHON) tests/environment.py $(VENV)-crosscheck requirements/crosscheck.txt
	@touch $@

crosscheck: $(VENV)-crosscheck/.ready  ## what two platforms written by others say, in an environment of their own
	$(VENV)-crosscheck/bin/python -m pytest -p no:cacheprovider --confcutdir=tests/crosscheck tests/crosscheck

messages: $(VENV)/.ready  ## bring the catalogs of translators up to date with the texts of pages and code
	mkdir -p lti_tool/translations
	$(BIN)/pybabel --quiet extract --mapping-file config/babel.cfg --keyword N_ --keyword NN_:1,2 --ignore-dirs ".*" \
	  --add-location file --sort-by-file --no-wrap --project Tandem --version - --msgid-bugs-address - --last-translator - --header-comment "# Offered: no" \
	  --output-file lti_tool/translations/messages.pot .
	$(BIN)/pybabel --quiet update --input-file lti_tool/translations/messages.pot --output-dir lti_tool/translations \
	  --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

language: messages  ## the empty catalog of a new language, such as: make language LANGUAGE=fi
	$(BIN)/pybabel --quiet init --input-file lti_tool/translations/messages.pot --output-dir lti_tool/translations \
	  --no-wrap --locale $(LANGUAGE)

lock:  ## resolve and pin every version with its hashes (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra postgres --extra pdf --extra celery --group dev pyproject.toml -o requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra postgres --extra pdf --extra celery pyproject.toml -o requirements/production.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group build -c requirements/dev.txt -o requirements/build.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  pyproject.toml requirements/crosscheck.in -o requirements/crosscheck.txt
