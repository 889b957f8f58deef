# Every target is one verb of ./concordat, which sets up what it needs.
.PHONY: help demo run tour test interop lint format bench soak check lock openapi
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
demo: ## the portal with the worked example, at http://127.0.0.1:8000
	@./concordat demo
run: ## the portal: web, tick and worker under one parent (Ctrl-C stops all)
	@./concordat run
tour: ## drive the main job over HTTP, against a running demo
	@./concordat tour
test: ## every test, browser included (DATABASE_URL=postgresql://… for PostgreSQL, CONCORDAT_TEST_DB names its database)
	@./concordat test
interop: ## tests against real peers on loopback
	@./concordat interop
lint: ## ruff, mypy, import rules, templates, migrations, deployment checks, OpenAPI drift
	@./concordat lint
format: ## format Python and templates
	@./concordat format
bench: ## the budgets, measured, as JSON lines
	@./concordat bench
soak: ## the deep property and kill tests (10,000 examples, 1,000 kills)
	@./concordat soak
check: ## lint and test
	@./concordat check
lock: ## resolve requirements/*.in into hashed locks
	@./concordat lock
openapi: ## write docs/openapi.yaml
	@./concordat openapi
