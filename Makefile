# swarmfs. "make help" lists the targets.

GO          ?= go
BIN         := bin/swarmfs
PREFIX      ?= /usr/local
UNITDIR     ?= $(PREFIX)/lib/systemd/system
MOUNTPOINT  ?= /mnt/swarm
STORE       ?= $(HOME)/.swarmfs
FUZZTIME    ?= 10s
SCALE       ?= 1
# How many times test-crash kills the daemon and cuts the power.
ROUNDS      ?= 2000
CUTS        ?= 500

# In step with .ci/run; "go run" fetches them when they are not installed.
GOFUMPT     ?= $(GO) run mvdan.cc/gofumpt@v0.12.0
STATICCHECK ?= $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the static program bin/swarmfs
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-X main.release=$(VERSION)' -o $(BIN) ./cmd/swarmfs

.PHONY: mount
mount: build ## mount STORE (~/.swarmfs) at MOUNTPOINT (/mnt/swarm), in the background
	mkdir -p $(MOUNTPOINT)
	$(BIN) --store $(STORE) mount $(MOUNTPOINT)

.PHONY: umount
umount: build ## unmount MOUNTPOINT
	$(BIN) umount $(MOUNTPOINT)

.PHONY: test
test: ## run every suite in its short form: under ten minutes on two cores
	$(GO) test -count=1 -short -timeout 10m ./... # the cache does not know that the suites run the program

.PHONY: test-race
test-race: ## the same with the race detector, in the daemon under test too
	$(GO) build -race -o bin/swarmfs-race ./cmd/swarmfs
	SWARMFS_TEST_BINARY=$(CURDIR)/bin/swarmfs-race $(GO) test -count=1 -race -short -timeout 30m ./...

.PHONY: test-tools
test-tools: ## fio, git, SQLite, rsync and other programs on a mount, in full
	$(GO) test -count=1 -timeout 2h -v ./test/tools

.PHONY: test-crash
test-crash: ## kill the daemon ROUNDS times and cut the power CUTS times
	$(GO) test -count=1 -timeout 24h -v ./test/crash -rounds $(ROUNDS) -cuts $(CUTS)

.PHONY: test-long
test-long: test-tools test-crash ## every suite in full
	$(GO) test -count=1 -timeout 4h ./...

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (10s)
	@set -e; packages=$$($(GO) list ./...); for package in $$packages; do \
		tests=$$($(GO) test -list '^Fuzz' $$package); \
		for target in $$(echo "$$tests" | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

.PHONY: lint
lint: ## gofumpt, go vet and staticcheck
	@unformatted=$$($(GOFUMPT) -l .); if [ -n "$$unformatted" ]; then \
		echo "not formatted by gofumpt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(STATICCHECK) ./...

.PHONY: bench
bench: build ## compare with ext4 and go-fuse's loopback; SCALE=0.1 for a short run
	$(GO) run ./test/bench --swarmfs $(BIN) --scale $(SCALE)

.PHONY: install
install: build ## install the program, the helper of mount(8) and the systemd unit
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/bin/swarmfs
	install -D -m 0755 scripts/mount.swarmfs $(DESTDIR)/sbin/mount.swarmfs
	install -D -m 0644 scripts/swarmfs@.service $(DESTDIR)$(UNITDIR)/swarmfs@.service

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
