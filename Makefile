# Basalt. `make help` explains every command.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

NODE := node --disable-warning=ExperimentalWarning
JEST := $(NODE) --experimental-vm-modules node_modules/jest/bin/jest.js

# Everything below needs the packages of package-lock.json; they are installed when that file is newer than the last install.
deps: node_modules/.installed
node_modules/.installed: package-lock.json package.json
	@hack/preflight
	@echo "Installing the npm packages of package-lock.json (about a minute, once) ..."
	@npm ci --no-progress
	@touch $@

.PHONY: help deps demo test test-unit test-cluster ci check lint format typecheck generate generate-check build image-debian up down status logs host-off host-on bench clean

help: ## This text
	@echo "Basalt turns bare-metal Kubernetes nodes into a cloud. Commands:"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'
	@echo
	@echo "Settings: HOSTS=N registered hosts of the local cluster (default 4; four spare machines come beside them) · LIGHT=1 without KubeVirt's and CDI's programs"
	@echo "          GUESTS=simulated|qemu whether guests really boot (default: qemu where it is installed) · DEBIAN=1 with the image debian beside tiny"
	@echo "          BASALT_CLUSTER_DIR=DIR another local cluster beside the first (default .cluster)"

demo: deps ## Bring the local cluster up if it is not, and run the main job through it: Craton, Cyclades, CloudSigma, kubectl
	@$(NODE) hack/demo/main.ts

test: deps ## Everything CI runs: types, lint, generated files, unit tests, cluster tests on a cluster of their own
	@$(NODE) hack/test/main.ts

test-unit: deps ## Unit tests only (under a minute, needs no cluster); ARGS=path narrows
	@$(JEST) $(ARGS) --selectProjects unit

test-cluster: deps ## Cluster tests against the running local cluster (make up first); ARGS=path narrows
	@set -a; . "$${BASALT_CLUSTER_DIR:-.cluster}/env"; set +a; $(JEST) $(ARGS) --runInBand --selectProjects cluster guests

ci: test ## What .ci/run calls

check: typecheck lint generate-check ## Types, lint, format and generated files

typecheck: deps ## TypeScript's type check
	@tsc --noEmit

lint: deps ## oxlint (type-aware) and prettier
	@npm run --silent lint

format: deps ## Rewrite the sources in the project's format
	@npm run --silent format

generate: deps ## Write crds/manifests and docs/reference from the model in crds/
	@$(NODE) hack/codegen/generate.ts

generate-check: deps ## Fail when the generated files are not what the model says
	@$(NODE) hack/codegen/generate.ts --check

build: deps ## Build the control plane, KubeVirt and CDI from pinned Go modules (about 10 minutes, once; cached outside the tree)
	@$(NODE) hack/cluster/main.ts build

up: deps ## Start the local cluster: Kubernetes, KubeVirt, CDI, hosts, Basalt; prints how to reach everything
	@$(if $(DEBIAN),$(NODE) hack/cluster/images/main.ts debian)
	@$(NODE) hack/cluster/main.ts up $(if $(LIGHT),--light) $(if $(HOSTS),--hosts $(HOSTS))

image-debian: deps ## Build the guest image debian (real cloud-init and guest agent; about 2 minutes, cached); the next make up registers it
	@$(NODE) hack/cluster/images/main.ts debian

down: deps ## Stop the local cluster (its data stays; PURGE=1 removes that too)
	@$(NODE) hack/cluster/main.ts down $(if $(PURGE),--purge)

status: deps ## Which processes of the local cluster run, and whether they are ready
	@$(NODE) hack/cluster/main.ts status

logs: deps ## Last lines of every log of the local cluster; NAME=operator narrows
	@$(NODE) hack/cluster/main.ts logs $(NAME)

host-off: deps ## Take the power of a simulated host: make host-off HOST=bm-001. Its guests die, and the cloud finds out
	@$(NODE) hack/cluster/main.ts host off $(HOST)

host-on: deps ## Give a simulated host its power back: make host-on HOST=bm-001
	@$(NODE) hack/cluster/main.ts host on $(HOST)

bench: deps ## Measure the speed goals as ratios against raw Kubernetes calls in the same run
	@$(NODE) hack/bench/main.ts $(ARGS)

clean: ## Stop the local cluster, remove its data and node_modules
	@if [ -d node_modules ]; then $(NODE) hack/cluster/main.ts down --purge; fi
	@rm -rf node_modules coverage
