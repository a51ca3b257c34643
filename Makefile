# Two commands matter: `make app` labels pictures, `make test` proves that it works.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: app backend studio test lint types figures clean

app: .venv/web.done        ## quick labeling in the browser
	$(BIN)/clickmask app $(ARGS)

backend: .venv/plugin.done ## the Label Studio ML backend on :9090
	$(BIN)/clickmask backend $(ARGS)

studio: .venv/plugin.done .venv/web.done ## a real Label Studio, connected to the backend, with sample photos
	$(BIN)/clickmask studio $(ARGS)

test: .venv/dev.done lint types
	$(BIN)/pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder $(ARGS)

lint: .venv/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.done
	$(BIN)/mypy

figures: .venv/dev.done .venv/bench.done ## measure what the README states
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf .venv .cache build dist *.egg-info

.venv/pip.done:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	touch $@

.venv/%.done: .venv/pip.done pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[$*]'
	touch $@
