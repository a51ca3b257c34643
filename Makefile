# Two commands matter: `make app` labels pictures, `make test` proves that it works.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
OWN_STUDIO := tests/e2e/test_studio.py

.PHONY: app backend studio test test-app test-label-studio test-ray programs lint types page figures lock images clean

app: .venv/web.done        ## quick labeling in the browser
	$(BIN)/clickmask app $(ARGS)

backend: .venv/plugin.done ## the Label Studio ML backend on :9090
	$(BIN)/clickmask backend $(ARGS)

studio: .venv/plugin.done .venv/web.done ## a real Label Studio, connected to the backend, with sample photos
	$(BIN)/clickmask studio $(ARGS)

test: .venv/dev.done programs lint types page
	$(BIN)/pytest --numprocesses 2 --dist loadfile -m "not ray" $(ARGS) --ignore tests/e2e --ignore tests/e2e_web
	$(MAKE) --jobs 2 --output-sync test-app test-label-studio

test-app: .venv/dev.done   ## in Chromium; test_studio.py needs no Label Studio of others, so both end at about one time
	$(BIN)/pytest tests/e2e_web $(OWN_STUDIO)

test-label-studio: .venv/dev.done
	$(BIN)/pytest tests/e2e --ignore $(OWN_STUDIO)

programs: .venv/dev.done   ## for CI: fetch Label Studio while other tests run; whoever needs it first waits for it
	[ -z "$(CI)" ] || $(BIN)/python -m tests.e2e.programs >.venv/programs.log 2>&1 &

test-ray: .venv/dev.done .venv/ray.done ## what needs Ray: minutes on a cluster of this machine, and not part of `test`
	$(BIN)/pytest -m "ray or not ray" tests/decoder/cluster tests/decoder/label/test_buckets.py tests/decoder/label/test_machines.py

lint: .venv/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.done
	$(BIN)/mypy

ifneq ($(CI)$(shell command -v npm),)
page: web/node_modules/.done ## types and unit tests of the page's modules
	cd web && npx tsc
	node --test tests/page/
else
page:
	@echo "skipped: the page's own tests need Node.js 20"
endif

figures: .venv/dev.done .venv/bench.done ## measure what the documents state
	$(BIN)/python -m benchmarks $(ARGS)

lock: .venv/dev.done       ## resolve all packages anew into requirements/, with their hashes
	$(BIN)/pip install --quiet uv
	for extra in web plugin dev bench; do \
	  $(BIN)/uv pip compile --quiet --upgrade pyproject.toml --extra $$extra --output-file requirements/$$extra.txt; done
	sed "s/^\(pydantic[a-z-]*==[^ ]*\)/\1 ; python_full_version < '3.14'/" requirements/dev.txt > requirements/ray.in
	$(BIN)/uv pip compile --quiet --upgrade pyproject.toml --extra ray --constraint requirements/ray.in \
	  --output-file requirements/ray.txt  # Ray and Gradio agree on no pydantic for Python 3.14
	rm requirements/ray.in

images:                    ## pin the images in docker/ by digest; needs Docker
	$(PYTHON) docker/pin_images.py

clean:
	rm -rf .venv .cache build dist *.egg-info web/node_modules

# PyTorch has builds for CPUs and for CUDA, so its version is pinned and its hash is not.
.venv/torch.done:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet torch==2.13.0 hatchling==1.33.0
	touch $@

.venv/%.done: .venv/torch.done requirements/%.txt pyproject.toml
	$(BIN)/pip install --quiet --require-hashes --no-deps --requirement requirements/$*.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

web/node_modules/.done: web/package-lock.json
	cd web && npm ci --silent --no-audit --no-fund
	touch $@
