#!/usr/bin/env bash
# Checks what a loader and an app see of the libraries for OpenHarmony: one line per check.
#
#   scripts/check-binaries.sh LIBRARY...      default: both in dist/
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

(($# > 0)) || set -- "$DIST/arm64-v8a/libnet_websocket.so" "$DIST/x86_64/libnet_websocket.so"
# Apps see no other libraries of the system without asking for them, so nothing else may creep in.
NEEDED='libace_napi.z.so libc.so libhilog_ndk.z.so'
EXPORTED=$(LC_ALL=C sort "$ROOT/scripts/exported-symbols.txt" | paste -sd ' ')
PAGE=0x4000

checks=0 failures=0
# check NAME WANTED FOUND
check() {
    ((checks += 1))
    if [[ $2 == "$3" ]]; then
        say "ok      $1: $3"
    else
        say "FAILED  $1"
        diff <(tr ' ' '\n' <<<"$2") <(tr ' ' '\n' <<<"$3") |
            sed -n 's/^< /            missing: /p; s/^> /            found:   /p' || true
        ((failures += 1))
    fi
}

for library; do
    [[ -f $library ]] || fail "there is no $library" 'Run scripts/build.sh first.'
    step "${library#"$ROOT"/}"
    dynamic=$(readelf --dynamic --wide "$library")
    segments=$(readelf --segments --wide "$library")

    check 'SONAME' libnet_websocket.so "$(sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p' <<<"$dynamic")"
    check 'NEEDED' "$NEEDED" "$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic" | LC_ALL=C sort | paste -sd ' ')"
    check 'exported symbols' "$EXPORTED" \
        "$(nm --dynamic --defined-only "$library" | awk '{ print $3 }' | LC_ALL=C sort | paste -sd ' ')"
    check 'NODELETE' NODELETE "$(grep -F '(FLAGS_1)' <<<"$dynamic" | grep -ow NODELETE || true)"
    # The smallest alignment of all segments that are loaded.
    alignment=$(awk '$1 == "LOAD" { print $NF }' <<<"$segments" | sort -V | head -n 1)
    check "segments aligned to $PAGE or more" yes "$( ((${alignment:-0} >= PAGE)) && echo yes || echo "${alignment:-none}")"
    check 'no text relocations' none "$(grep -ow TEXTREL <<<"$dynamic" || echo none)"
    check 'stripped' yes "$(readelf --sections --wide "$library" | grep -qF .symtab && echo .symtab || echo yes)"
done

((failures == 0)) || fail "$failures of $checks checks failed"
say "$checks checks passed"
