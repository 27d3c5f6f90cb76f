#!/usr/bin/env bash
# Fuzzes the protocol code and the transport of TLS with libFuzzer and AddressSanitizer: the targets of fuzz/.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]     every target, or those named, for SECONDS each (default 600)
#   scripts/fuzz.sh --corpus                  only the corpus, without a fuzzer, as `cargo test` does too
#
# New inputs go to target/fuzz/corpus; fuzz/corpus in the repository does not change. The script saves a finding in fuzz/artifacts
# and prints the command that repeats it. Fix the fault and add the input to fuzz/corpus.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

CARGO_FUZZ=0.13.2
INPUT_BYTES_MAX=4096

need_setup
if [[ ${1-} == --corpus ]]; then
    cargo_host test --test fuzz_corpus
    exit
fi
seconds=${1-600}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "'$seconds' is no number of seconds" 'Usage: scripts/fuzz.sh [SECONDS [TARGET...]] | --corpus'
targets=("${@:2}")
((${#targets[@]})) || targets=(frames inflate response_head close_payload tls)

if [[ $("$CACHE/cargo-fuzz/bin/cargo-fuzz" --version 2>/dev/null) != "cargo-fuzz $CARGO_FUZZ" ]]; then
    step "Installing cargo-fuzz $CARGO_FUZZ"
    watch 'cargo-fuzz' cargo_host install cargo-fuzz --quiet --version "$CARGO_FUZZ" --locked --force \
        --root "$CACHE/cargo-fuzz" --target-dir "$TARGET/cargo-fuzz"
fi
# The instrumentation needs unstable options of rustc, which a stable one takes with RUSTC_BOOTSTRAP.
export PATH=$CACHE/cargo-fuzz/bin:$PATH RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$TARGET/fuzz

rustc=rustc sanitizer=address
[[ $NWS_HOST_RUST == path ]] || rustc=/usr/bin/rustc
if [[ -z $(find "$("$rustc" --print sysroot)/lib" -name 'librustc*rt.asan.a' -print -quit) ]]; then
    sanitizer=none
    say "skip: AddressSanitizer, which this Rust does not have; panics and time limits are still found"
fi

passed=0 failed=0
for target in "${targets[@]}"; do
    step "$target, $seconds s"
    watch "building $target" cargo_host fuzz build --sanitizer "$sanitizer" "$target"
    mkdir -p "$TARGET/fuzz/corpus/$target"
    log=$TARGET/fuzz/$target.log
    # The first folder takes what is new; the second is only read. No input may take long or much memory either.
    if cargo_host fuzz run --sanitizer "$sanitizer" "$target" "$TARGET/fuzz/corpus/$target" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -max_len="$INPUT_BYTES_MAX" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        >"$log" 2>&1 </dev/null; then
        ((++passed))
        say "$(grep -E '^stat::number_of_executed_units' "$log" | tr -s ' :' ' ')"
    else
        ((++failed))
        say "FAILED; the end of $log:"
        tail -n 40 "$log" >&2
    fi
done
echo "$passed passed, $failed failed"
((failed == 0))
