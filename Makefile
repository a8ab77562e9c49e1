# `make run` is all a newcomer needs: Python 3.11+, make, nothing else.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin

.PHONY: install install-browser run test check check-deploy faults lock messages vendor

install: .venv/installed

.venv/installed: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

run: install
	$(BIN)/python manage.py migrate --verbosity 0
	HOST=$(HOST) PORT=$(PORT) $(BIN)/python manage.py demo
	BIND=$(HOST):$(PORT) WEB_CONCURRENCY=$${WEB_CONCURRENCY:-1} exec $(BIN)/gunicorn -c gunicorn.conf.py

# The whole suite, on the services that the environment names; says which it ran without.
test: .venv/installed-dev
	$(BIN)/python -m pytest --numprocesses $${JOBS:-2} $(PYTEST_ARGS)

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python manage.py check
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

# What stands in deploy/, Dockerfile and the compose files, by the real programs where they are installed: nginx,
# systemd-analyze, shellcheck, hadolint, terraform (TF_PLUGIN_MIRROR names a folder with the AWS provider), checkov.
check-deploy: .venv/installed-dev
	CHECK_DEPLOY=1 $(BIN)/python -m pytest tests/deploy -rs $(PYTEST_ARGS)
	@if command -v checkov >/dev/null; then checkov --directory deploy/terraform; else echo "ran without checkov (its own venv: pip install checkov)"; fi

# The screens' tests need Debian's Chromium, and a font with Hangul in it.
install-browser:
	@if [ ! -x /usr/bin/chromium ] || ! fc-list | grep -qi nanum; then apt-get update -qq && apt-get install -y -qq chromium fonts-nanum; fi

# Other people's JavaScript that we keep a copy of, from the npm registry; its versions stand in the script. Needs npm.
vendor:
	$(PYTHON) tablet/vendor/fetch.py

# What guests notice when a service fails, on real services of its own: some minutes, prints figures.
faults: .venv/installed-dev
	for service in postgresql redis rabbitmq cloudwatch; do $(BIN)/python -m tests.faults.$$service || exit 1; done

# After a change of the short list in pyproject.toml: every package with its exact version.
lock: .venv/installed-dev
	$(BIN)/uv pip compile --quiet --upgrade --no-header --no-annotate --no-emit-index-url --python-version 3.11 pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.11 --extra mysql -c requirements.txt pyproject.toml -o requirements-mysql.txt
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.11 --extra dev --extra mysql -c requirements.txt pyproject.toml -o requirements-dev.txt

# After a change of a text: extracts it; then translate it in config/locale/ko and run this again. Needs GNU gettext.
messages: install
	$(BIN)/python manage.py makemessages --locale ko --no-location --ignore ".venv/*" --ignore "tests/*"
	$(BIN)/python manage.py compilemessages --ignore ".venv/*"
