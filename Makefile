# The one entry point for people and CI. Every target that needs the environment makes it first.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
BANK := metadata_examples/bank
OUT := demo-out

.DEFAULT_GOAL := help
.PHONY: help demo test check bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s  %s\n", $$1, $$2}' Makefile

demo: $(STAMP) ## learn the bank example, write new rows, evaluate them, report (in demo-out/)
	@rm -rf $(OUT) && mkdir $(OUT)
	$(BIN)/synthvae detect $(BANK)/train.csv -o $(OUT)/metadata.yaml
	$(BIN)/synthvae fit $(BANK)/train.csv --holdout 0 --metadata $(BANK)/metadata.yaml --config $(BANK)/synthvae.yaml -o $(OUT)/model.synthvae
	$(BIN)/synthvae sample -n 10000 -m $(OUT)/model.synthvae -o $(OUT)/synthetic.csv --seed 7
	$(BIN)/synthvae evaluate --real $(BANK)/train.csv --holdout $(BANK)/holdout.csv --synthetic $(OUT)/synthetic.csv --metadata $(BANK)/metadata.yaml -o $(OUT)/evaluation.json
	$(BIN)/synthvae report -m $(OUT)/model.synthvae --real $(BANK)/train.csv --holdout $(BANK)/holdout.csv --synthetic $(OUT)/synthetic.csv -o $(OUT)/report.html
	@echo
	@echo "New rows:          $(OUT)/synthetic.csv"
	@echo "Their evaluation:  $(OUT)/evaluation.json"
	@echo "The whole report:  $(OUT)/report.html"
	@echo "The fitted model:  $(OUT)/model.synthvae"
	@echo "Detected metadata: $(OUT)/metadata.yaml (the fit used the reviewed $(BANK)/metadata.yaml)"

test: $(STAMP) ## run the tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n auto --dist worksteal

check: $(STAMP) ## formatting, lint, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) .venv-ctgan/.installed ## measure synthvae and its peer on real tables (two hours)
	$(BIN)/python benchmarks/fidelity.py
	$(BIN)/python benchmarks/adult.py
	$(BIN)/python benchmarks/tables.py

.venv-ctgan/.installed: benchmarks/peer_ctgan.txt
	@echo "Installing ctgan into .venv-ctgan (once) ..."
	@$(PYTHON) -m venv .venv-ctgan
	@.venv-ctgan/bin/python -m pip install -q --disable-pip-version-check -r benchmarks/peer_ctgan.txt
	@touch $@

clean: ## remove all that the other targets made, .venv too
	rm -rf .venv .venv-* $(OUT) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Written last, so that a broken install is tried again, and a finished one is not repeated.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = "%d.%d" % sys.version_info[:2]; sys.exit(sys.version_info < (3, 11) and "synthvae needs Python 3.11 or newer; $(PYTHON) is " + v + ". Name another: make PYTHON=python3.11 ...")'
	@echo "Installing synthvae and its dependencies into .venv (once; a minute or two) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev,dp,report,sql]'
	@touch $(STAMP)
