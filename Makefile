# Crossmodal: `make run` is all a fresh machine needs (Python 3.11 or newer, nothing else).
#
#   make run [PORT=8000] [HOST=127.0.0.1]   set up what is missing, start everything, print the address
#   make demo                               the same, and begin the demonstration at once
#   make setup [DEV=1]                      only install (DEV=1: also what the tests need)
#   make test [PYTEST="-k captions"]        every check and every test
#   make check                              only the checks that need no test

PYTHON ?= python3
PORT = 8000
HOST = 127.0.0.1
BOOTSTRAP = $(PYTHON) -I crossmodal/bootstrap.py
UP = exec .venv/bin/python manage.py up --host $(HOST) --port $(PORT)

.PHONY: run demo setup setup-dev check test clean
.DEFAULT_GOAL := run

run: setup
	@$(UP)

demo: setup
	@$(UP) --demo

setup:
	@$(BOOTSTRAP) $(if $(DEV),--dev)

setup-dev:
	@$(BOOTSTRAP) --dev

check: setup-dev
	@.venv/bin/python -m crossmodal.quality

test: check
	.venv/bin/pytest $(PYTEST)

clean:
	rm -rf .venv node_modules static/vendor staticfiles
