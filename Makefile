# ChainRule: `make demo` trains a network, `make test` runs every test. Both need Swift and nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test sanitize lint format bench bench-tables bench-compare coverage-table setup

# The C kernels are loops: without optimisation they are fifty times slower, so everything builds in release mode.
BUILD := swift build -c release
TEST := swift test -c release -Xswiftc -enable-testing

help: ## Lists the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: ## Checks the toolchain and names what is missing
	@Scripts/setup

demo: setup ## Trains a convolutional network on handwritten digits
	@echo "Building ChainRule (a few minutes the first time) ..."
	@$(BUILD) --product chainrule
	@echo "Training a convolutional network on MNIST, or on synthetic digits when MNIST cannot be had ..."
	@"$$($(BUILD) --show-bin-path)/chainrule" train --data mnist --fallback-to-digits --model convnet --epochs 3

test: setup ## Builds and runs all tests
	@echo "Building and running the tests (a few minutes the first time) ..."
	@$(TEST)

sanitize: setup ## Runs all tests under the address and the thread sanitizer
	@# XCTest itself leaks.
	ASAN_OPTIONS=detect_leaks=0 $(TEST) --sanitize=address --scratch-path .build/address
	$(TEST) --sanitize=thread --scratch-path .build/thread

lint: setup ## Checks the formatting of all Swift files
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Examples Benchmarks

format: setup ## Formats all Swift files in place
	swift format format --in-place --recursive --parallel Package.swift Sources Tests Examples Benchmarks

coverage-table: setup ## Writes docs/OPERATIONS.md: every operation, its gradient, and how exact it was measured to be
	@mkdir -p docs
	$(BUILD) --product conformance
	"$$($(BUILD) --show-bin-path)/conformance" coverage docs/OPERATIONS.md

bench: setup ## Measures the workloads of Benchmarks/
	swift run -c release --package-path Benchmarks bench

bench-tables: setup ## Measures operations, floors, scaling and memory, and writes docs/MEASUREMENTS.md
	swift build -c release --package-path Benchmarks
	Benchmarks/.build/release/bench --table all --seconds 0.5 > docs/MEASUREMENTS.md.new
	mv docs/MEASUREMENTS.md.new docs/MEASUREMENTS.md

bench-compare: setup ## Measures against PyTorch and JAX, where pip has them, and writes docs/PERFORMANCE.md
	swift build -c release --package-path Benchmarks
	python3 Benchmarks/compare.py
