# Everything that is done with dkv is done by `make`; `make help` lists it. A machine needs GNU make, Node 20 or newer
# and npm. What a target needs is installed and built by the target: `make cluster` or `make test` alone will do.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Node 24 is itself installed from npm, with everything else. What the project installs goes before what the machine has.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

installed := node_modules/.installed
scratch := node_modules/.cache/dkv
# Each test file is a process, and most of what it loads was loaded by the one before.
tested := NODE_COMPILE_CACHE=$(CURDIR)/$(scratch)/compiled node --test

# Test files that run at the same time. One more than there are processors: now and then each waits. Those that start
# clusters keep several processors busy themselves; more than two of them would disturb each other's timing.
unit_jobs ?= $(shell expr 1 + $$(nproc 2>/dev/null || echo 2))
integration_jobs ?= 2

unit_tests := 'packages/*/test/*.test.ts' 'packages/*/test/!(integration)/**/*.test.ts'
integration_tests := 'packages/*/test/integration/**/*.test.ts'
etcd_client_tests := 'packages/server/test/integration/etcd-clients/*.test.ts'

.PHONY: all
all: build ## Install what is needed and compile everything (the default)

.PHONY: help
help: ## Explain the targets
	@echo "Targets:"
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "Variables:"
	@echo "  make cluster INSECURE=1        without TLS"
	@echo "  make certs HOSTS=a,b           certificates that also stand for these names and addresses"
	@echo "  make bench BENCH='--only dkv'  flags of the load generator, also of bench-recovery and bench-store; BENCH=--help lists them"
	@echo
	@echo "npx dkv and npx dkvctl run what was built."

.PHONY: test
test: build ## Build, check and test everything
# A simulation has one thread, and lint leaves it a core.
	@$(MAKE) --jobs=2 lint sim-check
	@$(MAKE) unit integration
	@echo "make test: everything passed"

.PHONY: unit
unit: build ## Run the tests that need no cluster
	@echo "Unit tests"
	@$(tested) --test-timeout=120000 --test-concurrency=$(unit_jobs) $(unit_tests)

.PHONY: integration
integration: build ## Run the tests that start real processes
	@echo "Integration tests: real members, real TLS, real disks; some minutes"
	@$(tested) --test-timeout=600000 --test-concurrency=$(integration_jobs) $(integration_tests)

# Their programs are compiled and played; what is not installed is skipped with the line that installs it.
.PHONY: etcd-clients
etcd-clients: build ## Play programs on real clients of etcd, and every command of etcdctl, against dkv
	@node --test --test-timeout=600000 --test-concurrency=1 $(etcd_client_tests)

.PHONY: lint
lint: build lint-code lint-protos ## Check format, lint rules, direction of imports, and the protos

.PHONY: lint-code
lint-code: build
	@echo "Checking the code"
	@biome ci --reporter=concise
	@oxlint --type-aware --ignore-pattern tools/planted
	@node --test --test-reporter=dot 'tools/*.test.ts'

.PHONY: lint-protos
lint-protos: $(installed)
	@echo "Checking the protos"
	@buf lint
	@buf format --diff --exit-code
	@rm -rf $(scratch)/protos && mkdir -p $(scratch)/protos
	@buf generate --output $(scratch)/protos
	@diff -r $(scratch)/protos/packages/protocol/src/gen packages/protocol/src/gen \
	  || { echo "packages/protocol/src/gen is not what proto/ says: run make protos" >&2; exit 1; }
	@tag=$$(git describe --tags --abbrev=0 2>/dev/null) || tag=; \
	  if [ -n "$$tag" ]; then buf breaking --against ".git#tag=$$tag"; fi

.PHONY: fmt
fmt: $(installed) ## Format the code and the protos in place
	@biome format --write
	@buf format --write

.PHONY: protos
protos: $(installed) ## Generate packages/protocol from proto/
	@buf generate

.PHONY: certs
certs: build ## Make certificates in certs/; safe to run again
	@node packages/certificates/dist/main.js --directory certs --hosts "$(HOSTS)"

.PHONY: cluster
cluster: build ## Run three members here until Ctrl-C; their data is kept in .cluster/
	@node packages/cluster/dist/main.js $(if $(filter-out 0,$(INSECURE)),--insecure)

# A small cache of three, one member a shell, and a client that fills and reads it. DATA=dir keeps its data elsewhere.
cache := node packages/server/bin/dkv.js cache
cache_client := node packages/server/examples/cache-client.ts
DATA ?= .

.PHONY: run runfollower1 runfollower2
run: build ## Run the cache's first member: binary protocol on port 2221, data in node_1_data/
	@SERVER_PORT=2221 RAFT_NODE_ID=node1 RAFT_PORT=1111 RAFT_VOL_DIR=$(DATA)/node_1_data LEADER_PORT= exec $(cache)
runfollower1: build ## Run its second member, on port 2222
	@SERVER_PORT=2222 RAFT_NODE_ID=node2 RAFT_PORT=1112 RAFT_VOL_DIR=$(DATA)/node_2_data LEADER_PORT=2221 exec $(cache)
runfollower2: build ## Run its third member, on port 2223
	@SERVER_PORT=2223 RAFT_NODE_ID=node3 RAFT_PORT=1113 RAFT_VOL_DIR=$(DATA)/node_3_data LEADER_PORT=2221 exec $(cache)

.PHONY: runset runget
runset: $(installed) ## Set ten keys at the cache's first member
	@$(cache_client) set 2221
runget: $(installed) ## Get them from its second member
	@$(cache_client) get 2222

.PHONY: bench
bench: build ## Measure dkv, beside etcd where there is one on the PATH
	@node packages/bench/dist/main.js $(BENCH)

.PHONY: bench-recovery
bench-recovery: build ## Measure joining under load, restarts, and failover beside etcd
	@node packages/bench/dist/recovery/main.js $(BENCH)

.PHONY: bench-store
bench-store: build ## Measure watches, leases, a million keys, and compaction under load
	@node packages/bench/dist/store/main.js $(BENCH)

# A simulation makes much garbage, and keeps little of it: with more room it is looked through less often.
simulator := node --max-semi-space-size=64 packages/simulator/dist/main.js

.PHONY: sim
sim: build ## Simulate one cluster: SEED=n [TRACE=1] [KEEP=1,2,3|none] [SECONDS=n]
	@$(simulator) sim --seed="$(SEED)" $(if $(filter-out 0,$(TRACE)),--trace) \
	  $(if $(KEEP),--keep="$(KEEP)") $(if $(SECONDS),--seconds="$(SECONDS)")

.PHONY: soak
soak: build ## Simulate clusters of fresh seeds for MINUTES=n
	@$(simulator) soak --minutes="$(MINUTES)"

.PHONY: sim-check
sim-check: build ## Simulate the seeds of regressions, and 300 fresh ones
	@$(simulator) check --count=300

.PHONY: sim-speed
sim-speed: build ## Measure the simulator: simulated seconds for each second of the processor
	@$(simulator) speed --seconds=100

.PHONY: mutants
mutants: build ## Take guards out of the code one by one, and see who notices: ONLY=words SIMULATE=seconds
	@node tools/mutants/main.ts $(if $(ONLY),--only "$(ONLY)") $(if $(SIMULATE),--simulate $(SIMULATE))

.PHONY: chaos
chaos: build ## Real processes under real faults for MINUTES=n (10): [SEED=n] [CHAOS='--members 5']
	@node packages/chaos/dist/main.js --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) $(CHAOS)

.PHONY: fuzz
fuzz: build ## Read bytes that are nearly right for MINUTES=n (1): [TARGET=name] [SEED=n AT=path]
	@node packages/fuzz/dist/main.js --minutes="$(or $(MINUTES),1)" $(if $(TARGET),--target='$(TARGET)') \
	  $(if $(SEED),--seed="$(SEED)") $(if $(AT),--at="$(AT)")

.PHONY: etcd-diff
etcd-diff: build ## The same N=n (10000) requests to an etcd and a dkv: [SEED=n] [REPLAY=file] [DIFF='--members 3']
	@node packages/etcd-diff/dist/main.js --count="$(or $(N),10000)" $(if $(SEED),--seed="$(SEED)") \
	  $(if $(REPLAY),--replay="$(REPLAY)") $(DIFF)

.PHONY: build
build: $(installed)
	@tsc --build
	@node tools/bundles.ts

.PHONY: clean
clean: ## Remove what was built, and the data of make cluster; certificates and node_modules stay
	rm -rf packages/*/dist .cluster $(scratch)

# Not `npm ci`: it insists on a lock file that knows the binaries of every platform, and npm writes one that knows those
# of the machine where it was written. This takes the locked versions all the same, and leaves the lock file alone.
$(installed): package-lock.json
	@command -v npm >/dev/null || { echo "make: there is no npm on the PATH; install Node 20 or newer" >&2; exit 1; }
	@echo "Installing packages from npm: a minute or so, once"
	@npm install --no-save --loglevel=error
	@touch $@
