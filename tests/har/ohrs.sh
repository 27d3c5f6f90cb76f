#!/usr/bin/env bash
# Shows that ohrs makes the same libraries and the same HAR as our scripts do: tests/har/ohrs.sh
#
# It is not in scripts/test.sh, because ohrs has its own flags, so everything is compiled again, which takes minutes. The last
# line is `ohrs: N passed, N failed`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
cd "$ROOT"
need_setup

work=$TARGET/ohrs
rm -rf "$work"
mkdir -p "$work"
passed=0 failed=0
# shellcheck source=tests/support/check.sh
source "$ROOT/tests/support/check.sh"
# refuses MESSAGE COMMAND...: fails, and the first line of the error is the message.
refuses() {
    "${@:2}" >"$work/out" 2>"$work/err" && return 1
    cat "$work/out" "$work/err"
    [[ $(grep -m 1 '^error: ' "$work/err") == "error: $1"* ]]
}
# an_ohrs VERSION: a program that says it is this version, does nothing and is content with that.
an_ohrs() {
    # shellcheck disable=SC2016 # for the program
    printf '#!/bin/sh\n[ "$1" != --version ] || echo "Version: %s"\n' "$1" >"$work/ohrs-$1"
    chmod +x "$work/ohrs-$1"
}
an_ohrs 1.4.1
an_ohrs "$NWS_OHRS_VERSION"
package() { bash scripts/package.sh "$@"; }

check 'an argument that is none is refused' refuses "unknown argument '--ohr'" package --ohr
check 'an ABI that is none is refused' refuses "unknown target 'arm64'" bash scripts/build.sh arm64
check 'an SDK that is none is refused' refuses "$work is no SDK: it has no native/llvm/bin/clang" env "OHOS_NDK_HOME=$work" bash scripts/package.sh --ohrs
check 'another version of ohrs is refused' refuses "$work/ohrs-1.4.1 is version 1.4.1" env "OHRS=$work/ohrs-1.4.1" bash scripts/package.sh --ohrs
check 'an ohrs that fails in silence is noticed' refuses 'ohrs made no dist/arm64-v8a/libnet_websocket.so' \
    env "OHRS=$work/ohrs-$NWS_OHRS_VERSION" bash scripts/package.sh --ohrs

# both NAME OPTION...: makes the package, and keeps what came of it.
both() {
    rm -rf "$DIST" package.har
    package "${@:2}" && mkdir "$work/$1" && cp -r "$DIST" "$work/$1/dist" && tar -xzf package.har -C "$work/$1"
}
check 'our scripts make the package' both build
cat "$work/log"
check 'ohrs makes the package' both ohrs --ohrs
cat "$work/log"
check 'dist is the same by both' diff -r "$work/build/dist" "$work/ohrs/dist"
check 'the package is the same by both' diff -r "$work/build/package" "$work/ohrs/package"

tar -czf "$work/lacking.har" -C "$work/ohrs" --exclude=package/README.md package
lacking() {
    OHOS_TYPESCRIPT=$NWS_OHOS_TYPESCRIPT node scripts/check-har.mjs "$work/lacking.har" 2>"$work/err" && return 1
    grep -qx 'lacking.har: lacks README.md' "$work/err"
}
check 'a package that lacks a file is refused' lacking

echo "ohrs: $passed passed, $failed failed"
((failed == 0))
