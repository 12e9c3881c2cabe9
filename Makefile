# Thin names for the scripts; the scripts work without make.
PREFIX ?= /usr
DESTDIR ?=
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
RULESDIR ?= $(PREFIX)/lib/udev/rules.d

.PHONY: help build demo test test-crash simulate bench fuzz coverage template format lint install clean

help:
	@echo "make demo        build, start the daemon on this machine, send a real SOS through it and print the story"
	@echo "make test        install what is missing and run every test in its short form"
	@echo "make test-crash  the long crash loop: SOS under kill -9 (SECONDS_TO_RUN=600)"
	@echo "make simulate    a million simulated incidents under crashes and faults (INCIDENTS=1000000; SEED=7 replays one seed)"
	@echo "make bench       measure the gateway beside a bare C server and write docs/performance.md (about an hour)"
	@echo "make fuzz        fuzz one decoder for a minute (SECONDS=60 FUZZER=jt808; FUZZER=all for everything)"
	@echo "make coverage    lines of each protocol folder that its tests run"
	@echo "make template    follow the guide to a new protocol with a tiny one"
	@echo "make build       release build of all programs"
	@echo "make install     programs, unit, udev rules, example configuration (DESTDIR and PREFIX are honoured)"
	@echo "make format lint"

build:
	scripts/prepare build
	swift build -c release

demo:
	scripts/demo

test:
	scripts/test

test-crash:
	scripts/test-crash long

simulate:
	scripts/simulate $(or $(INCIDENTS),1000000) $(SEED)

bench:
	scripts/bench

SECONDS ?= 60
FUZZER ?= jt808
fuzz:
	scripts/fuzz $(SECONDS) .build $(FUZZER)

coverage:
	scripts/coverage

template:
	scripts/test-template

format:
	swift format --in-place --parallel --recursive Sources Tests Package.swift

lint:
	swift format lint --strict --parallel --recursive Sources Tests Package.swift

install: build
	scripts/install "$(DESTDIR)" "$(PREFIX)" "$(SYSCONFDIR)" "$(UNITDIR)" "$(RULESDIR)"

clean:
	swift package clean
