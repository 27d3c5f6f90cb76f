#!/usr/bin/env bash
# Writes the third-party notices of the libraries for OpenHarmony, from Cargo.lock: scripts/notices.sh
#
#   THIRD-PARTY-NOTICES.txt   the packages whose code is linked, their copyright lines and licences
#   net_websocket.cdx.json    the same as a list of components for programs (SBOM, CycloneDX 1.6)
#
# Both go to package/, which becomes the HAR, and to prefix/. They do not go to dist/, which becomes the HAR's libs/.
# scripts/build.sh and scripts/package.sh run this script.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
load_environment

# What std is made of: its own lock file where its source is at hand, else the page that comes with a ready-made one.
compiler=rustc
if [[ $NWS_TOOLCHAIN == sdk ]]; then
    sysroot=$(rustc --print sysroot)
    std=$sysroot/lib/rustlib/src/rust/library/Cargo.lock
    [[ -f $std ]] || std=$sysroot/share/doc/rust/COPYRIGHT-library.html
else
    compiler=/usr/bin/rustc
    std=$NWS_RUST_SRC/Cargo.lock
fi
[[ -f $std ]] || fail "nothing tells what the std of $($compiler --version) is made of" 'For rustup: rustup component add rust-src'
rust_version=$($compiler --version | cut -d ' ' -f 2)
unwinder=$("$NWS_BIN/aarch64-unknown-linux-ohos-clang" --version | sed -n '1s/.*clang version \([0-9.]*\).*/\1/p')
[[ $unwinder ]] || fail 'the compiler for OpenHarmony does not tell its version' "Try: $NWS_BIN/aarch64-unknown-linux-ohos-clang --version"

targets=()
for abi in "${ABIS[@]}"; do
    targets+=("$abi=$(triple_of "$abi")")
done
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
# Not `cargo_host`, since it is Node that starts cargo.
[[ $NWS_HOST_RUST != debian ]] || export PATH="/usr/bin:$PATH" RUSTC=/usr/bin/rustc
node scripts/notices.mjs "$new" "$rust_version" "$std" "$unwinder" "${targets[@]}"

mkdir -p "$PREFIX"
for file in THIRD-PARTY-NOTICES.txt net_websocket.cdx.json; do
    for folder in package "$PREFIX"; do
        cmp -s "$new/$file" "$folder/$file" || cp "$new/$file" "$folder/"
    done
    say "$(printf '%-39s %9s bytes' "package/$file" "$(stat -c %s "$new/$file" | sed ':a; s/\B[0-9]\{3\}\>/,&/; ta')")"
done
