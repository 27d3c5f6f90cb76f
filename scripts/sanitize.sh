#!/usr/bin/env bash
# Runs the C and C++ programs of tests/ndk with the library, Rust's std and the programs under a sanitizer:
#
#   scripts/sanitize.sh [address|thread] [PROGRAM...]     default: both, every program
#
#   address   AddressSanitizer, with leaks, and UBSan in the programs: no access to invalid or freed memory
#   thread    ThreadSanitizer: no data races. tests/ndk/thread.supp has the one kind of report that is not a race, with
#             its reason.
#
# Every report is a failure. It needs Debian's Rust with std's sources, and the sanitizer runtimes of a rustup compiler.
# Without them it prints `skip` and succeeds.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

sanitizers=(address thread)
case ${1-} in
    address | thread) sanitizers=("$1") && shift ;;
    '') ;;
    *) fail "unknown sanitizer '$1'" 'Usage: scripts/sanitize.sh [address|thread] [PROGRAM...]' ;;
esac
need_setup --tests
target=$(/usr/bin/rustc -vV 2>/dev/null | sed -n 's/^host: //p')

# runtime_of SANITIZER: where the compiler of rustup has its runtime; nothing without one.
runtime_of() {
    local short=asan
    [[ $1 != thread ]] || short=tsan
    find "$(rustc --print sysroot)/lib" -name "librustc*rt.$short.a" -print -quit
}

# build SANITIZER: the library with std, neither optimized as a whole nor stripped, so that reports name functions and lines.
build() {
    env RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$TARGET/sanitize/$1" \
        CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_STRIP=none \
        CARGO_PROFILE_RELEASE_DEBUG=1 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
        RUSTFLAGS="-Zsanitizer=$1 -Zexternal-clangrt" \
        /usr/bin/cargo build -Zbuild-std=std,panic_unwind --release --lib --target "$target"
}

failed=()
for sanitizer in "${sanitizers[@]}"; do
    step "$sanitizer"
    runtime=$(runtime_of "$sanitizer")
    if [[ -z $target || -z $runtime || ! -d /usr/lib/rustlib/src/rust/library ]]; then
        say "skip: $sanitizer, which needs Debian's rustc-web and rust-web-src, and a compiler of rustup with the runtimes"
        continue
    fi
    watch 'library and std' build "$sanitizer"
    SANITIZE=$sanitizer SANITIZE_RUNTIME=$runtime SANITIZE_LIBRARY=$TARGET/sanitize/$sanitizer/$target/release \
        bash tests/ndk/run.sh host "$@" || failed+=("$sanitizer")
done

for sanitizer in "${failed[@]}"; do
    say "failed: $sanitizer"
done
say "took $SECONDS s"
((${#failed[@]} == 0))
