#!/usr/bin/env bash
# Runs the tests and ends with a line of counts:
#
#   scripts/test.sh [SUITE...] [--fast]      default: every suite, as continuous integration does
#
#   rust        formatting, lints, unit and integration tests on this machine
#   protocol    property tests, the inputs that fuzzing has kept, 433 of the 517 conformance cases for the client, 325 for the server
#   servers     servers and proxies of others: tests/servers/catalog.js, tinyproxy, squid, microsocks
#   c           the OpenHarmony binaries, the C and C++ programs, CMake, failing name lookups
#   js          index.d.ts, the ArkTS sources, the JavaScript and on-device tests in three engines
#   libraries   socket.io-client, mqtt and others from npm, on web.WebSocket, with their servers
#   package     package.har: what ohpm and hvigor ask for, a module that has nothing else
#   docs        the site of the documentation, the examples of docs/arkts and docs/c, examples/, links and tables of all pages
#
#   --fast      only what takes seconds, for all suites about a minute when everything is built
#
# A suite builds and installs only what it needs. Conformance cases and independent servers are skipped if they passed
# before with the same sources. tests/README.md says what each suite proves, needs and takes, and how to run one test of it.

# shellcheck disable=SC2031 # the log of a lane is its own
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

# Many tests wait more than they compute, so three lanes of suites run side by side.
LANES=('rust protocol docs' 'c package' 'servers js libraries')
read -ra SUITES <<<"${LANES[*]}"
# Integration tests that belong to another suite than rust, those that are built with a feature of their own name, and those that
# are too long for --fast.
PROTOCOL_TESTS=(protocol_properties fuzz_corpus)
SERVERS_TESTS=(real_proxies)
FEATURE_TESTS=(simulation)
SLOW_TESTS=(faults freeze sleep soak_smoke turns)

wanted=() fast=''
for argument; do
    case $argument in
        --fast) fast=yes ;;
        *)
            printf '%s\n' "${SUITES[@]}" | grep -Fqx -- "$argument" ||
                fail "unknown argument '$argument'" "Usage: scripts/test.sh [SUITE...] [--fast]; suites: ${SUITES[*]}"
            wanted+=("$argument")
            ;;
    esac
done
((${#wanted[@]})) || wanted=("${SUITES[@]}")

# chosen SUITE: whether it runs at all.
chosen() { [[ " ${wanted[*]} " == *" $1 "* ]]; }

# in_full SUITE: whether all of it runs.
in_full() { [[ -z $fast ]] && chosen "$1"; }

needs=(--tests)
if chosen servers || chosen libraries || in_full js; then needs+=(--servers); fi
need_setup "${needs[@]}"
passed=0 failed=0 failures=() lanes=()
work=$(mktemp -d)
trap 'kill "${ahead-}" "${lanes[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

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
    # A suite that exits with an error, or that ran no test, has failed too.
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

# The crates for benchmarks, fuzzing and models have lock files of their own.
locks_are_fresh() {
    local manifest
    for manifest in Cargo.toml benches/Cargo.toml fuzz/Cargo.toml models/Cargo.toml; do
        cargo_host update --quiet --workspace --locked --manifest-path "$manifest" || return
    done
}

build_docs() { RUSTDOCFLAGS='-D warnings' cargo_host doc --quiet --no-deps --document-private-items; }

# cargo_tests NAME...: the arguments that have cargo test run these integration tests.
cargo_tests() { printf -- '--test\n%s\n' "$@"; }

# rust_tests: the arguments for the unit tests and the integration tests of the suite rust.
rust_tests() {
    local file name others=("${PROTOCOL_TESTS[@]}" "${SERVERS_TESTS[@]}" "${FEATURE_TESTS[@]}")
    [[ -z $fast ]] || others+=("${SLOW_TESTS[@]}")
    echo --lib
    for file in tests/*.rs tests/*/main.rs; do
        name=${file#tests/} name=${name%/main.rs} name=${name%.rs}
        [[ " ${others[*]} " == *" $name "* ]] || cargo_tests "$name"
    done
}

run_rust() {
    local tests
    step 'Rust, on this machine'
    check 'formatting' cargo_host fmt --check
    if [[ -z $fast ]]; then
        check 'clippy, core and C API' cargo_host clippy --quiet --all-targets -- -D warnings
        check 'clippy, ArkTS API' cargo_host clippy --quiet --lib --features arkts -- -D warnings
        check 'clippy, simulation' cargo_host clippy --quiet --features simulation --lib --test simulation -- -D warnings
        check 'rustdoc' build_docs
        check 'lock files' locks_are_fresh
    fi
    mapfile -t tests < <(rust_tests)
    suite 'unit and integration tests' '^test result' cargo_host test --quiet "${tests[@]}"
    # Without the mutants, which take minutes.
    [[ $fast ]] || suite 'models of the threads' '^models: ' bash scripts/models.sh --models
    [[ $fast ]] || suite 'lives in virtual time' '^test result' cargo_host test --quiet --features simulation --test simulation
}

# The client's and the server's, one after the other.
conformance() {
    local status=0
    bash tests/conformance/run.sh --short || status=$?
    bash tests/conformance/server.sh --short || status=$?
    return "$status"
}

run_protocol() {
    local tests
    step 'The protocol'
    mapfile -t tests < <(cargo_tests "${PROTOCOL_TESTS[@]}")
    suite 'properties and the inputs of fuzzing' '^test result' cargo_host test --quiet "${tests[@]}"
    # Most of the time of these goes into their server, so they run beside the suites that follow.
    [[ $fast ]] || suite_later 'conformance cases' '^[0-9]+ passed' conformance
}

run_servers() {
    local tests
    step 'Servers and proxies of others'
    mapfile -t tests < <(cargo_tests "${SERVERS_TESTS[@]}")
    suite 'proxies' '^test result' cargo_host test --quiet "${tests[@]}"
    [[ $fast ]] || suite 'what servers and proxies do' '^[0-9]+ passed' bash tests/servers/run.sh
    suite 'the tables of docs/servers.md' '^[0-9]+ passed' node tests/servers/table.js --check
    [[ $fast ]] || suite 'parameters of compression, two servers' '^[0-9]+ passed' bash tests/interop/run.sh
}

run_c() {
    local arch
    step 'C and C++ programs'
    if [[ $fast ]]; then
        suite 'C API, host, contract' '^ndk host: [0-9]+ passed' bash tests/ndk/run.sh host contract
        return
    fi
    suite 'names, symbols, dependencies' 'checks passed' bash scripts/check-binaries.sh
    suite 'notices of third parties, list of components' '^notices' bash tests/notices/run.sh
    for arch in host x86_64 arm64-v8a armeabi-v7a; do
        suite "C API, $arch" "^ndk $arch: [0-9]+ passed" bash tests/ndk/run.sh "$arch"
    done
    suite 'device.sh, with a stand-in for hdc' '^[0-9]+ passed' bash tests/device/run.sh
    check 'name lookups that go wrong, glibc and musl' bash tests/network/lookup.sh host x86_64
    suite 'CMake, all ABIs' '^[0-9]+ passed' bash tests/ndk/cmake.sh
}

run_js() {
    local engine
    step 'ArkTS and JavaScript programs'
    if [[ $fast ]]; then
        suite 'ArkTS API, node' '^js node: ' bash tests/js/run.sh node
        return
    fi
    suite 'the ArkTS server, with clients of others' '^[0-9]+ passed' bash tests/interop/server.sh
    suite 'ArkTS sources, types and rules' '^arkts: ' env OHOS_TYPESCRIPT="$NWS_OHOS_TYPESCRIPT" node scripts/check-arkts.mjs
    for engine in node bun-x86_64 bun-arm64; do
        suite "ArkTS API, $engine" "^js $engine: " bash tests/js/run.sh "$engine"
        suite "on-device tests, $engine" "^hypium $engine: " bash tests/hypium/run.sh "$engine"
    done
}

run_libraries() {
    local engine engines=(node)
    step 'Libraries from npm, on web.WebSocket'
    [[ $fast ]] || engines+=(bare bun-x86_64)
    for engine in "${engines[@]}"; do
        suite "libraries, $engine" "^libraries $engine: " bash tests/libraries/run.sh "$engine"
    done
}

run_package() {
    [[ -z $fast ]] || return 0
    step 'The package'
    suite 'package.har, and a module that has it alone' '^package: ' bash tests/har/run.sh
}

run_docs() {
    step 'Documentation'
    check 'the site of the documentation' bash scripts/docs.sh ${fast:+--fast}
    suite 'pages' '^pages: ' node scripts/check-pages.mjs
    suite 'examples of docs/arkts, and examples/, node' '^documentation: ' bash tests/documentation/run.sh
    suite 'examples of docs/c, and examples/, host' '^ndk host: [0-9]+ passed' bash tests/ndk/run.sh host guide guide_zh examples
    suite 'what docs/c names' '^[0-9]+ passed' node tests/documentation/blocks.mjs names
}

# compile_ahead: what the suite rust compiles. It says what is wrong when its turn comes.
compile_ahead() {
    local tests
    mapfile -t tests < <(rust_tests)
    cargo_host clippy --quiet --all-targets -- -D warnings || true
    cargo_host test --quiet --no-run "${tests[@]}" || true
    cargo_host test --quiet --no-run --features simulation --test simulation || true
}

builds=()
if in_full c || in_full package; then builds+=(armeabi-v7a); fi
if in_full c || in_full js || in_full libraries || in_full package; then builds+=(arm64-v8a x86_64); fi
if chosen js || chosen libraries || chosen docs || in_full servers; then builds+=(host); fi
if ((${#builds[@]})); then
    # The last crate of each library takes one processor for minutes.
    ahead=''
    if in_full rust; then
        compile_ahead >/dev/null 2>&1 </dev/null &
        ahead=$!
    fi
    bash scripts/build.sh "${builds[@]}"
    [[ -z $ahead ]] || wait "$ahead" || true
    ahead=''
fi

# lane FILE SUITE...: those of them that are chosen, one after the other. Its counts and failures are left in FILE.
lane() {
    local name result=$1
    local passed=0 failed=0 failures=() log=$1.log later_log=$1.later
    shift
    trap 'kill "${later_job-}" 2>/dev/null || true' EXIT
    for name; do
        ! chosen "$name" || "run_$name"
    done
    if [[ ${later_job-} ]]; then
        step 'The rest of the conformance cases'
        suite_end
    fi
    printf '%s\n' "$passed" "$failed" "${failures[@]}" >"$result"
}

for number in "${!LANES[@]}"; do
    read -ra names <<<"${LANES[number]}"
    # The lane would open this file only when it first runs, and that can be after tail has begun.
    : >"$work/$number.out"
    lane "$work/$number" "${names[@]}" >"$work/$number.out" 2>&1 </dev/null &
    lanes+=($!)
done
for number in "${!LANES[@]}"; do
    tail --pid="${lanes[number]}" -n +1 -f "$work/$number.out"
    wait "${lanes[number]}" || true
    # A lane that ended early has left no counts.
    if [[ -s $work/$number ]]; then
        mapfile -t counted <"$work/$number"
        ((passed += counted[0], failed += counted[1])) || true
        failures+=("${counted[@]:2}")
    else
        ((++failed))
        failures+=("${LANES[number]}: ended early")
    fi
done

for name in "${failures[@]}"; do
    say "failed: $name"
done
say "took $SECONDS s"
echo "$passed passed, $failed failed"
((failed == 0))
