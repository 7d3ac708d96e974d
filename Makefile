# Crossmodal: `make run` is all a fresh machine needs (Python 3.11 or newer, nothing else).
#
#   make run [PORT=8000] [HOST=127.0.0.1]   set up what is missing, start everything, print the address
#   make demo                               the same, and begin the demonstration at once
#   make setup [DEV=1]                      only install (DEV=1: also what the tests need)
#   make update-downloader                  the newest yt-dlp with its solver and JavaScript runtime
#   make check                              formatting, types, imports, migrations, settings, templates
#   make test [PYTEST="-k captions"]        make check, then every test
#   make clean                              remove what was installed; what is in var/ stays

PYTHON = python3
PORT = 8000
HOST = 127.0.0.1
JOBS = 2
PYTEST =

BIN = .venv/bin
BOOTSTRAP = $(PYTHON) -I crossmodal/bootstrap.py
UP = exec $(BIN)/python manage.py up --host $(HOST) --port $(PORT)

.PHONY: run demo python setup setup-dev update-downloader check test clean
.DEFAULT_GOAL = run

run: setup
	@$(UP)

demo: setup
	@$(UP) --demo

setup: python
	@$(BOOTSTRAP) $(if $(DEV),--dev)

setup-dev: python
	@$(BOOTSTRAP) --dev

update-downloader: setup
	@$(BIN)/python -I crossmodal/update_downloader.py

python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "Crossmodal needs Python 3.11 or newer, and there is no $(PYTHON): install it, then start again."; exit 1; }

# Settings as a deployed service has them; the checks open neither the database nor the queue.
DEPLOYED = CROSSMODAL_PRODUCTION=1 HTTPS=1 ALLOWED_HOSTS=example.org REDIS_URL=redis://localhost:1 \
	DATABASE_URL=postgresql://localhost:1/none \
	SECRET_KEY=$$($(BIN)/python -c "import secrets; print(secrets.token_urlsafe(50))")

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	@$(DEPLOYED) $(BIN)/python manage.py check --deploy --fail-level WARNING
	find templates -name '*.html' -exec $(BIN)/djade --check {} +

test: check
	$(BIN)/pytest -n $(JOBS) --dist loadfile $(PYTEST)

clean:
	rm -rf .venv node_modules static/vendor staticfiles
