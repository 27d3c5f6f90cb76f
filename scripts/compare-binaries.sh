#!/usr/bin/env bash
# Compares the libraries for OpenHarmony with widely used binaries from OpenHarmony's own compiler: pinned npm packages. Fails
# when our library has a property that none of them has, or lacks one that all of them have, unless this script explains it.
#
#   scripts/compare-binaries.sh [LIBRARY...]      default: those in dist/
#
# It downloads 8 MB the first time. There are packages for arm64 and x86_64 only, so a library for another ABI is compared with those of
# arm64, in all but relocations: 32-bit ARM names them otherwise, and has REL in the place of RELA.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PACKAGES=(
    @rollup/rollup-openharmony-arm64@4.67.4
    @napi-rs/snappy-openharmony-arm64@7.4.3
    @napi-rs/nice-openharmony-arm64@1.1.1
    @oxc-parser/binding-openharmony-arm64@0.154.0
    @oxc-resolver/binding-openharmony-arm64@11.24.2
    @arkts/project-detector-openharmony-arm64@1.1.3-alpha.21
    @arkts/project-detector-openharmony-x64@1.1.3-alpha.21
)
REAL=$CACHE/real-binaries

# In what ours may differ, and why no device minds.
declare -A EXPLAINED=(
    [needed=libace_napi.z.so]='the ArkTS engine, which the others find in the process that loads them'
    [needed=libhilog_ndk.z.so]='the log'
    [soname=libnet_websocket.so]='programs in C link with it'
    [flag=NODELETE]='the loader honours it: threads of the library outlive dlclose'
    [alignment=0x4000]='a multiple of theirs, for kernels with pages of 16 KiB'
    [dynamic=RELR]='packed relocations, which the loader reads since OpenHarmony 4.0'
    [dynamic=SONAME]='see soname'
    [without alignment=0x1000]='see alignment'
    [without relocation=R_AARCH64_RELATIVE]='see RELR'
    [without relocation=R_X86_64_RELATIVE]='see RELR'
    [without relocation=R_X86_64_64]='nothing refers so to a symbol'
    [without dynamic=INIT]="the SDK's crti.o brings it, and it does nothing"
    [without dynamic=FINI]="the SDK's crti.o brings it, and it does nothing"
    [without dynamic=FINI_ARRAY]='nothing runs when the library is unloaded, which it never is'
    [without segment=NOTE]="the SDK's crtbegin.o brings it: the version of the SDK"
)

(($#)) || set -- "$DIST"/*/libnet_websocket.so
for library; do
    [[ -f $library ]] || fail "there is no $library" 'Run scripts/build.sh first.'
done

if [[ ! -f $REAL/.stamp || $(<"$REAL/.stamp") != "${PACKAGES[*]}" ]]; then
    step 'Downloading the binaries to compare with'
    command -v npm >/dev/null || fail 'there is no npm on PATH' 'scripts/setup.sh installs it.'
    rm -rf "$REAL"
    mkdir -p "$REAL"
    NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS-/etc/ssl/certs/ca-certificates.crt} npm install --prefix "$REAL" --ignore-scripts --force \
        --no-save --no-package-lock --no-audit --no-fund --loglevel=error "${PACKAGES[@]}" >/dev/null ||
        fail 'npm cannot install them' 'Its own message is above. Is the network up, and is a proxy or mirror configured for npm?'
    echo "${PACKAGES[*]}" >"$REAL/.stamp"
fi
mapfile -t real < <(find "$REAL" -name '*.node' | LC_ALL=C sort)
((${#real[@]} == ${#PACKAGES[@]})) || fail "${#real[@]} binaries in ${#PACKAGES[@]} packages" "Remove $REAL and run this again."

machine_of() { readelf --file-header --wide "$1" | sed -n 's/.*Machine: *//p'; }

# traits FILE: what a loader sees of it, a line `NAME=VALUE` each.
traits() {
    local dynamic segments
    dynamic=$(readelf --dynamic --wide "$1")
    segments=$(readelf --segments --wide "$1")
    {
        readelf --file-header --wide "$1" | sed -nE 's/ *(Class|Data|OS\/ABI|Type): *(.*)/header=\1 \2/p'
        sed -nE 's/.*\(NEEDED\).*\[(.*)\]/needed=\1/p; s/.*\(SONAME\).*\[(.*)\]/soname=\1/p' <<<"$dynamic"
        sed -nE 's/.*\((FLAGS|FLAGS_1)\) *(Flags: )?//p' <<<"$dynamic" | tr ' ' '\n' | sed -n 's/^[A-Z]/flag=&/p'
        # Tables, and not the sizes and counts that go with them.
        sed -nE 's/^ *0x[0-9a-f]+ *\(([A-Z_0-9]+)\).*/dynamic=\1/p' <<<"$dynamic" | sed -E '/(SZ|ENT|COUNT|=NULL|=FLAGS|=FLAGS_1)$/d'
        readelf --relocs --wide "$1" | sed -nE 's/.* (R_[A-Z0-9]+_[A-Z0-9_]+) .*/relocation=\1/p'
        awk '$1 ~ /^(LOAD|TLS|INTERP|GNU_[A-Z]+|DYNAMIC|NOTE|ARM_[A-Z]+)$/ { print "segment=" $1 }
             $1 == "GNU_STACK" { print "stack=" $7 }' <<<"$segments"
        awk '$1 == "LOAD" { print "alignment=" $NF }' <<<"$segments"
        readelf --version-info --wide "$1" | sed -n 's/^Version needs.*/versions=needed/p'
    } | LC_ALL=C sort -u
}

failures=0
for library; do
    step "${library#"$ROOT"/}"
    machine=$(machine_of "$library")
    peers=() skipped=''
    for file in "${real[@]}"; do
        [[ $(machine_of "$file") != "$machine" ]] || peers+=("$file")
    done
    if ((${#peers[@]} == 0)); then
        peers=("${real[@]}") skipped='^(relocation=|dynamic=RELA?$|header=Class|segment=ARM_)'
        say "skip: relocations, since no package is for $machine"
    fi
    declare -A theirs=() ours=()
    while read -r trait; do
        theirs[$trait]=$((${theirs[$trait]-0} + 1))
    done < <(for file in "${peers[@]}"; do traits "$file"; done)
    # differs TRAIT: whether that is explained.
    differs() {
        if [[ ${EXPLAINED[$1]-} ]]; then
            say "differs $1: ${EXPLAINED[$1]}"
        else
            say "FAILED  $1: not so in the ${#peers[@]} others"
            ((++failures))
        fi
    }
    same=0
    while read -r trait; do
        [[ -z $skipped || ! $trait =~ $skipped ]] || continue
        ours[$trait]=1
        if [[ ${theirs[$trait]-} ]]; then
            ((++same))
        else
            differs "$trait"
        fi
    done < <(traits "$library")
    while read -r trait; do
        ((theirs[$trait] < ${#peers[@]})) || [[ ${ours[$trait]-} || ($skipped && $trait =~ $skipped) ]] || differs "without $trait"
    done < <(printf '%s\n' "${!theirs[@]}" | LC_ALL=C sort)
    say "ok      $same traits as in the ${#peers[@]} others"
done
((failures == 0)) || fail "$failures differences from the binaries of OpenHarmony's compiler" 'Find out whether a device minds; then explain them in this script.'
