# make demo     start everything: 336,776 real flights to look at, a shop, and the worker that counts its visits
#               (RELOAD=1 loads the flights again, to end today; PORT=8123 serves there)
# make test     lint, types and every test, against real servers that the tests start themselves
# make bench    measure, against DuckDB and the ancestor's layout
# make lint     ruff and mypy alone
# make messages renew the translations' texts from the sources, and compile what is translated (needs gettext)
# make clean    remove what these made (the demo's data in .hailwhale/ stay)
#
# PYTHON=python3.13 chooses the interpreter, VENV=.venv-313 another environment, and WITH='Django~=6.1'
# something to install into it besides. WORKERS=4 is how many tests run at once.

PYTHON ?= python3
VENV ?= .venv
WITH ?=
# A server of one's own is one server, and every test begins by emptying it: one worker.
WORKERS ?= $(if $(HAILWHALE_REDIS_URL),0,auto)

RUN = $(VENV)/bin/python
PIP = PIP_DISABLE_PIP_VERSION_CHECK=1 $(RUN) -m pip install -qq

.PHONY: demo test pytest lint bench messages clean force
.DELETE_ON_ERROR:

demo: $(VENV)/.demo
	$(RUN) manage.py demo $(if $(RELOAD),--reload)

test: lint pytest

pytest: $(VENV)/.test
	$(RUN) -m pytest -n $(WORKERS) --maxprocesses 8

lint: $(VENV)/.test
	$(RUN) -m ruff check .
	$(RUN) -m mypy

bench: $(VENV)/.demo $(VENV)/.bench
	$(RUN) -m benchmarks

# Another language: make messages LANGUAGES='de fr es'.
LANGUAGES ?= $(notdir $(wildcard hailwhale_django/locale/*))

messages: $(VENV)/.test
	cd hailwhale_django && $(abspath $(RUN)) -m django makemessages $(LANGUAGES:%=--locale %) \
	    --no-wrap --no-obsolete --add-location file
	cd hailwhale_django && $(abspath $(RUN)) -m django compilemessages

clean:
	rm -rf .venv .venv-* build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -d .hailwhale ]; then echo "Kept: .hailwhale/, the demo's data and password."; fi

# Each stamp is made after all went well, so what was broken off is simply done again.
$(VENV)/.demo $(VENV)/.test $(VENV)/.bench: $(VENV)/.%: $(VENV)/.made pyproject.toml
	@echo "Installing what 'make $*' needs into $(VENV) (the first time this takes a minute)"
	@$(PIP) --editable '.[$*]' $(if $(WITH),'$(WITH)')
	@touch $@

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "hailwhale needs Python 3.11 or newer, and $(PYTHON) is not: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "$(PYTHON) has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

# An environment whose interpreter is gone (the system was upgraded) is made anew.
ifneq ($(shell $(RUN) -c 'print(True)' 2>/dev/null),True)
$(VENV)/.made: force
endif
