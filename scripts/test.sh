#!/usr/bin/env bash
# Runs all tests, and ends with a line of counts: scripts/test.sh
#
# Formatting, lints, unit and integration tests on this machine, the inputs that fuzzing has kept among them; the 517
# conformance cases and two independent servers, unless they passed with the same sources before; the OpenHarmony binaries by their symbols, names and
# dependencies, and at work: the C programs and the JavaScript tests run against them, emulated where the processor is
# another one; index.d.ts against the golden one; the ArkTS sources checked and linted.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
(($# == 0)) || fail "unknown argument '$1'" 'Usage: scripts/test.sh'

bash scripts/setup.sh
load_environment
bash scripts/build.sh all

passed=0 failed=0 failures=()
log=$(mktemp) later_log=$(mktemp)
trap 'kill "${later_job-}" 2>/dev/null || true; rm -f "$log" "$later_log"' EXIT

# count PATTERN: adds up `N passed` and `N failed` of the lines that match.
count() {
    local line
    while read -r line; do
        if [[ $line =~ ([0-9]+)\ (checks )?passed ]]; then ((passed += BASH_REMATCH[1])) || true; fi
        if [[ $line =~ ([0-9]+)\ failed ]]; then ((failed += BASH_REMATCH[1])) || true; fi
    done < <(grep -E "$1" "$log")
}

# check NAME COMMAND...: one test, by its exit code.
check() {
    local name=$1 start=$SECONDS
    shift
    if "$@" >"$log" 2>&1; then
        ((++passed))
        say "ok      $name ($((SECONDS - start)) s)"
        grep -i '^ *skip' "$log" | sed 's/^/        /' || true
    else
        ((++failed))
        failures+=("$name")
        say "FAILED  $name ($((SECONDS - start)) s)"
        sed 's/^/        /' "$log" >&2
    fi
}

# suite NAME PATTERN COMMAND...: many tests, by the counts in the lines that match.
suite() {
    local name=$1 pattern=$2 start=$SECONDS status=0
    shift 2
    "$@" >"$log" 2>&1 || status=$?
    judge "$name" "$pattern" "$status" "$start"
}

# suite_later NAME PATTERN COMMAND...: begins such tests in the background, one at a time; suite_end waits for them.
suite_later() {
    later=("$1" "$2") later_start=$SECONDS
    shift 2
    "$@" >"$later_log" 2>&1 </dev/null &
    later_job=$!
}
suite_end() {
    local status=0
    wait "$later_job" || status=$?
    unset later_job
    cp "$later_log" "$log"
    judge "${later[@]}" "$status" "$later_start"
}

# judge NAME PATTERN STATUS START: adds up and tells what is in the log.
judge() {
    local name=$1 pattern=$2 status=$3 start=$4 before_passed=$passed before_failed=$failed
    count "$pattern"
    # A suite that ends badly without counting a failure has failed all the same, and so has one that ran nothing.
    if ((status != 0 && failed == before_failed)) || ((status == 0 && passed == before_passed)); then
        ((++failed))
    fi
    local counts="$((passed - before_passed)) passed, $((failed - before_failed)) failed"
    if ((failed == before_failed)); then
        say "ok      $name: $counts ($((SECONDS - start)) s)"
        grep -iE '^ *(skip|# skip)' "$log" | sed 's/^/        /' || true
    else
        failures+=("$name")
        say "FAILED  $name: $counts ($((SECONDS - start)) s)"
        sed 's/^/        /' "$log" >&2
    fi
}

# The crates for benchmarks and fuzzing depend on this one, and have lock files of their own.
locks_are_fresh() {
    local manifest
    for manifest in Cargo.toml benches/Cargo.toml fuzz/Cargo.toml; do
        cargo_host update --quiet --workspace --locked --manifest-path "$manifest" || return
    done
}

build_docs() { RUSTDOCFLAGS='-D warnings' cargo_host doc --quiet --no-deps; }

step 'Sources'
check 'formatting' cargo_host fmt --check
check 'clippy, core and C face' cargo_host clippy --quiet --all-targets -- -D warnings
check 'clippy, ArkTS face' cargo_host clippy --quiet --lib --features arkts -- -D warnings
check 'rustdoc' build_docs
check 'lock files' locks_are_fresh
check 'index.d.ts is the golden one' diff -u tests/golden/index.d.ts "$DIST/index.d.ts"
suite 'ArkTS sources, types and rules' '^arkts: ' env OHOS_TYPESCRIPT="$NWS_OHOS_TYPESCRIPT" node scripts/check-arkts.mjs "$DIST/index.d.ts"

step 'Binaries'
suite 'names, symbols, dependencies' 'checks passed' bash scripts/check-binaries.sh "$DIST"/{arm64-v8a,x86_64}/libnet_websocket.so

step 'Rust, on this machine'
suite 'unit and integration tests' '^test result' cargo_host test --quiet

step 'The protocol, against programs of others'
# Most of the time of these goes into their server, so they run beside the rest.
suite_later 'conformance cases' '^[0-9]+ passed' bash tests/conformance/run.sh
suite 'independent servers' '^[0-9]+ passed' bash tests/interop/run.sh

step 'C and C++ programs'
for arch in host x86_64 arm64-v8a; do
    suite "C face, $arch" "^ndk $arch: [0-9]+ passed" bash tests/ndk/run.sh "$arch"
done

check 'name lookups that go wrong, glibc and musl' bash tests/network/lookup.sh host x86_64
suite 'CMake, both ABIs' '^[0-9]+ passed' bash tests/ndk/cmake.sh
check 'C and C++ documentation' bash scripts/docs.sh

step 'JavaScript programs'
suite 'examples of docs/arkts, node' '^documentation: ' bash tests/documentation/run.sh
for engine in node bun-x86_64 bun-arm64; do
    suite "ArkTS face, $engine" "^js $engine: " bash tests/js/run.sh "$engine"
    suite "on-device tests, $engine" "^hypium $engine: " bash tests/hypium/run.sh "$engine"
done

step 'The rest of the conformance cases'
suite_end

for name in "${failures[@]}"; do
    say "failed: $name"
done
say "took $SECONDS s"
echo "$passed passed, $failed failed"
((failed == 0))
