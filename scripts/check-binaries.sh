#!/usr/bin/env bash
# Checks the loader's and the app's view of the libraries for OpenHarmony: one line per check.
#
#   scripts/check-binaries.sh [LIBRARY...]      default: those in dist/
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if (($# == 0)); then
    set -- "${ABIS[@]/%//libnet_websocket.so}"
    set -- "${@/#/$DIST/}"
fi
# Apps see no other libraries of the system without asking for them, so nothing else may creep in.
NEEDED='libace_napi.z.so libc.so libhilog_ndk.z.so'
EXPORTED=$(LC_ALL=C sort "$ROOT/scripts/exported-symbols.txt" | paste -sd ' ')
PAGE=0x4000
TIMES_OF_32_BITS='clock_(getres|gettime|nanosleep|settime)|nanosleep|time|gettimeofday|[fl]?stat|fstatat|p?select|ppoll|futimens|utimensat|'
TIMES_OF_32_BITS+='utimes|getrusage|recvmmsg|sem_timedwait|pthread_(cond|mutex)_timed(wait|lock)|timerfd_[gs]ettime|(gm|local)time(_r)?|mktime'
# The first version that the library runs on, and what it may take from the platform's libraries: see the file.
API_LEVEL=12
IMPORTED=$ROOT/scripts/imported-symbols.txt
# The most bytes of a library that is built without the SDK. With it, std is rustup's, which is larger.
declare -A BUDGET=([arm64-v8a]=2638500)

[[ ! -f $CACHE/env.sh ]] || load_environment
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
    foreign=$(nm --dynamic --undefined-only "$library" | awk -v level="$API_LEVEL" '
        NR == FNR { if (!/^#/) since[$1] = $3; next }
        !($NF in since) { print $NF ":unknown" }
        since[$NF] > level { print $NF ":API-" since[$NF] }' "$IMPORTED" - | paste -sd ' ')
    check "no imported symbol but those of scripts/${IMPORTED##*/}, to API $API_LEVEL" none "${foreign:-none}"
    check 'NODELETE' NODELETE "$(grep -F '(FLAGS_1)' <<<"$dynamic" | grep -ow NODELETE || true)"
    # The smallest alignment of all segments that are loaded.
    alignment=$(awk '$1 == "LOAD" { print $NF }' <<<"$segments" | sort -V | head -n 1)
    check "segments aligned to $PAGE or more" yes "$( ((${alignment:-0} >= PAGE)) && echo yes || echo "${alignment:-none}")"
    check 'no text relocations' none "$(grep -ow TEXTREL <<<"$dynamic" || echo none)"
    if [[ $(readelf --file-header "$library") == *ELF32* ]]; then
        # Those with 64 have other names there (__clock_gettime64).
        found=$(nm --dynamic --undefined-only "$library" | awk '{ print $2 }' | LC_ALL=C sort |
            grep -xE "$TIMES_OF_32_BITS" | paste -sd ' ') || true
        check 'functions whose times have 32 bits' none "${found:-none}"
    fi
    budget=${BUDGET[$(basename "$(dirname "$(realpath "$library")")")]-}
    if [[ $budget && ${NWS_TOOLCHAIN-} == sdk ]]; then
        say "skip: the size, which is for builds without the SDK"
    elif [[ $budget ]]; then
        size=$(stat -c %s "$library")
        check "at most $budget bytes" yes "$( ((size <= budget)) && echo yes || echo "$size")"
    fi
    check 'stripped' yes "$( [[ $(readelf --sections --wide "$library") == *.symtab* ]] && echo .symtab || echo yes)"
done

((failures == 0)) || fail "$failures of $checks checks failed"
say "$checks checks passed"
