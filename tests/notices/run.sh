#!/usr/bin/env bash
# Checks the notices of third parties and the list of components (SBOM), which scripts/notices.sh writes: tests/notices/run.sh
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
cd "$ROOT"
need_setup --tests

libraries=()
for abi in "${ABIS[@]}"; do
    libraries+=("$DIST/$abi/libnet_websocket.so")
done
for file in package/THIRD-PARTY-NOTICES.txt package/net_websocket.cdx.json "${libraries[@]}"; do
    [[ -f $file ]] || fail "there is no $file" 'Run scripts/build.sh first.'
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
# check NAME COMMAND...
check() {
    if "${@:2}" &>"$work/log"; then
        ((++passed))
        say "ok      $1"
    else
        ((++failed))
        say "FAILED  $1"
        sed 's/^/            /' "$work/log"
    fi
}

# A copy of what the two files are made from, in another place.
copy=$work/elsewhere
mkdir -p "$copy/package"
cp -r Cargo.toml Cargo.lock LICENSE build.rs licenses scripts "$copy/"
ln -s "$ROOT"/{src,tests,benches} "$copy/"
same() {
    bash "$copy/scripts/notices.sh" && cmp "$copy/package/THIRD-PARTY-NOTICES.txt" package/THIRD-PARTY-NOTICES.txt &&
        cmp "$copy/package/net_websocket.cdx.json" package/net_websocket.cdx.json
}
check 'the same bytes from another folder' same

refuses() {
    sed -i '/"napi-ohos"/d' "$copy/licenses/packages.json"
    ! bash "$copy/scripts/notices.sh" >"$work/refused" 2>&1 || return
    cat "$work/refused"
    grep -q '^error: napi-ohos@.* has no licence file' "$work/refused"
}
check 'a crate without a licence file is refused' refuses
echo "notices, files: $passed passed, $failed failed"

# The very command of the build, which prints what it would do; rustup's cargo does so for whoever asks for a compiler in development.
RUSTC_BOOTSTRAP=1 cargo_ohos all build --release --lib --unit-graph -Zunstable-options >"$work/units.json"
node tests/notices/check.mjs "$NWS_CYCLONEDX" "$work/units.json" "${libraries[@]}"
((failed == 0))
