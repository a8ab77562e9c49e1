# `make run` is all a newcomer needs: Python 3.11+, make, nothing else.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin

.PHONY: install install-browser install-check-deploy install-bench run test check check-deploy check-image drills faults bench lock messages vendor

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
	$(BIN)/python -m pytest --numprocesses $${JOBS:-2} --dist worksteal $(PYTEST_ARGS)

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python manage.py check
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

# What stands in deploy/, Dockerfile and the compose files, by the real programs: nginx, systemd-analyze, Prometheus,
# shellcheck, hadolint, dclint, terraform, checkov. Says which it ran without; in CI only Terraform may be missing.
check-deploy: .venv/installed-dev .checkov/installed
	CHECK_DEPLOY=1 $(BIN)/python -m pytest tests/deploy -rs --numprocesses $${JOBS:-2} --dist loadfile $(PYTEST_ARGS)
	.checkov/bin/checkov --directory deploy/terraform
	.checkov/bin/checkov --framework dockerfile --file Dockerfile --compact --quiet --skip-download
	@if [ -n "$$CI" ]; then echo "ran without building the image and without the drills: make check-image drills"; else $(MAKE) check-image; fi

# checkov has a hundred packages, which would move ours: it lives alone.
.checkov/installed:
	$(PYTHON) -m venv .checkov
	.checkov/bin/pip install --quiet --disable-pip-version-check checkov==3.3.30
	touch $@

# What check-deploy, check-image and drills want of Debian. npx (Node.js) and Terraform come from elsewhere.
DEPLOY_PROGRAMS = nginx shellcheck prometheus logrotate postgresql redis-server openssl systemd iproute2 buildah debootstrap
install-check-deploy:
	@dpkg --status $(DEPLOY_PROGRAMS) >/dev/null 2>&1 || (apt-get update -qq && apt-get install -y -qq --no-install-recommends $(DEPLOY_PROGRAMS))

# A release, and two machines of which one is killed, while guests order: real Nginx, gunicorn, PostgreSQL. As root; five minutes.
drills: .venv/installed-dev
	$(BIN)/python -m tests.deploy.release_drill
	$(BIN)/python -m tests.deploy.machines_drill

# The Dockerfile, built and run for real, without a Docker engine: a minute, two where no registry can be reached. As root.
check-image: .venv/installed-dev
	@if command -v buildah >/dev/null && command -v debootstrap >/dev/null; then $(BIN)/python -m tests.deploy.image; else echo "the image was not built: install Debian's buildah and debootstrap"; fi

# The screens' tests need Debian's Chromium, and a font with Hangul in it.
install-browser:
	@if [ ! -x /usr/bin/chromium ] || ! fc-list | grep -qi nanum; then apt-get update -qq && apt-get install -y -qq chromium fonts-nanum; fi

# Other people's JavaScript that we keep a copy of, from the npm registry; its versions stand in the script. Needs npm.
vendor:
	$(PYTHON) tablet/vendor/fetch.py

# What guests notice when a service fails, on real services of its own: some minutes, prints figures.
faults: .venv/installed-dev
	for what in postgresql redis rabbitmq cloudwatch reload; do $(BIN)/python -m tests.faults.$$what || exit 1; done

# As a server has it: the distribution's Python, where there is one, with what requirements.txt names and nothing else.
.production/installed: requirements.txt | .venv/installed-dev
	$(or $(wildcard /usr/bin/python3.11),$(PYTHON)) -m venv --clear --without-pip .production
	$(BIN)/pip --python .production/bin/python install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

# How fast it is, beside the limits: a quarter of an hour, on PostgreSQL; writes benchmarks/results/. BENCH_ARGS=--quick
bench: .venv/installed-dev .production/installed
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

# The load comes from wrk and pgbench.
install-bench: .production/installed
	@(command -v wrk && command -v pgbench) >/dev/null || (apt-get update -qq && apt-get install -y -qq wrk postgresql)

# After a change of the short list in pyproject.toml: every package with its exact version.
lock: .venv/installed-dev
	$(BIN)/uv pip compile --quiet --upgrade --no-header --no-annotate --no-emit-index-url --python-version 3.11 pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.11 --extra mysql -c requirements.txt pyproject.toml -o requirements-mysql.txt
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.11 --extra dev --extra mysql -c requirements.txt pyproject.toml -o requirements-dev.txt

# After a change of a text: extracts it; then translate it in config/locale/ko and run this again. Needs GNU gettext.
messages: install
	$(BIN)/python manage.py makemessages --locale ko --no-location --no-wrap --ignore ".venv/*" --ignore ".production/*" --ignore "tests/*"
	$(BIN)/python manage.py compilemessages --ignore ".venv/*" --ignore ".production/*"
