# portkit from a checkout. Needs git, python3 (3.11 or later) and GNU make; the rest is installed:
# Debian packages as root, Python packages into .venv.
#
#   make ports   mirror Linux and QEMU, apply both series, write the FreeBSD ports
#   make test    the linters, the kernel module with its audits, the tests
#   make module  the kernel module alone
#   make qemu    QEMU for FreeBSD 14, cross-built (half an hour the first time, minutes later)
#   make bench   the peers side by side, on the real upstreams (half an hour, 6 GB below .portkit)
#   make clean   remove what make made (the mirrors below .portkit stay)

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORTKIT := $(BIN)/portkit
PYTEST_ARGS ?=

# What the targets need beside git, python3 and make, by Debian's names.
PACKAGES := bmake ca-certificates clang clang-19 dpkg-dev gcc gnupg gpgv libc6-dev libck-dev lld llvm \
  makefs mandoc original-awk patch pkgconf quilt xz-utils

# What the tests try beside that: the page in a browser, the examples' scripts, completion.
TEST_PACKAGES := chromium-headless-shell fish shellcheck zsh

# What the cross build of QEMU needs beside that.
QEMU_PACKAGES := autoconf automake bzip2 gcc ipxe-qemu libltdl-dev libtool libc6-dev llvm pkgconf \
  qemu-system-data seabios xz-utils

.PHONY: help mirror ports test lint module qemu bench setup clean

help:
	@sed -n 's/^#   make/  make/p' Makefile

setup: .setup/venv

mirror: setup
	@$(PORTKIT) sync

ports: mirror
	@for series in linux-kvm qemu; do $(PORTKIT) apply "$$series" --stand-in; done
	@$(PORTKIT) build-port --all --stand-in

# kvm.ko for FreeBSD 14 and 15, by the oldest and the newest clang; an audit finding fails it.
# Then of the later Linux (docs/next-release.md), unless no mirror has that any more (status 4).
module: setup
	@$(PORTKIT) sync linux-kvm
	@$(PORTKIT) build-port linux-kvm-kmod --cc clang
	@$(PORTKIT) build-port linux-kvm-kmod --cc clang-19
	@for target in "clang --osversion 1400097" "clang-19 --osversion 1500068"; do \
	  $(PORTKIT) build-port linux-kvm-kmod --series linux-kvm-7.2 --cc $$target || [ $$? -eq 4 ]; \
	done

qemu: setup
	@.ci/need $(QEMU_PACKAGES)
	@$(PORTKIT) sync qemu
	@$(PORTKIT) build-port qemu-kvm

test: mirror lint module
	@.ci/need $(TEST_PACKAGES)
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/portkit lint

bench: setup
	@.ci/need git-buildpackage quilt stgit
	@$(BIN)/python bench/run.py .portkit/bench --all

# Python packages are installed again when pyproject.toml changes, Debian's when this file does.
# "compat" adds the checkout to Python's path; the default is a finder that every start has to run.
.setup/venv: pyproject.toml .setup/packages
	@[ -x $(BIN)/python ] && $(BIN)/python -m pip --version >/dev/null 2>&1 \
	  || $(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 \
	  || { .ci/need python3-venv && $(PYTHON) -m venv --clear $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --config-settings editable_mode=compat -e '.[test,cross]'
	@touch $@

.setup/packages: Makefile .ci/need
	@mkdir -p $(@D)
	@.ci/need $(PACKAGES)
	@touch $@

clean:
	@rm -rf $(VENV) .setup build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
