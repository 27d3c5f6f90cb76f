#!/usr/bin/env bash
# Makes package.har, checks it, and type-checks a module that has nothing but the HAR: tests/har/run.sh
#
# The last line is `package: N passed, N failed`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
cd "$ROOT"
need_setup
export OHOS_TYPESCRIPT=$NWS_OHOS_TYPESCRIPT

work=$TARGET/har
rm -rf "$work"
mkdir -p "$work"
bash scripts/package.sh | tee "$work/package.log"
counts=$(sed -n 's/^ *har: \([0-9]*\) passed, 0 failed.*/\1/p' "$work/package.log")
passed=${counts:-0} failed=0

# shellcheck source=tests/support/check.sh
source "$ROOT/tests/support/check.sh"

# module NAME: a copy of the module with the HAR installed, in module.
module() {
    module=$work/$1
    node tests/har/install.mjs "$module" package.har
}

module sound
check 'a module that has the HAR alone compiles, by its name and by the library' node scripts/check-arkts.mjs --module "$module"

# refused EXPECTED: the module does not compile, for that reason.
refused() {
    node scripts/check-arkts.mjs --module "$module" >"$work/refused" 2>&1 && return 1
    cat "$work/refused"
    grep -qF "$1" "$work/refused"
}
module without-types
installed=$module/oh_modules/@net-websocket/net_websocket
echo 'export declare function createWebSocket(): object;' >"$installed/src/main/cpp/types/libnet_websocket/index.d.ts"
check 'with the declarations of another tool it does not' refused "no exported member 'WebSocketRequestOptions'"
module without-dependency
rm "$module/oh_modules/@net-websocket/net_websocket/oh_modules/libnet_websocket.so" "$module/oh_modules/libnet_websocket.so"
check 'with a HAR that does not name its library it does not' refused "module for 'libnet_websocket.so' is not verified"

releases() {
    local listed
    bash scripts/release.sh && (cd release && sha256sum --check --strict SHA256SUMS) || return
    listed=$(cd release && find . -type f -printf '%P\n' | LC_ALL=C sort | paste -sd ' ')
    [[ $listed == 'LICENSE SHA256SUMS THIRD-PARTY-NOTICES.txt index.d.ts net_websocket-'*'-native.zip net_websocket-'*'.har net_websocket.cdx.json notes.md' ]] ||
        { echo "release/ has $listed" && return 1; }
}
check 'a release has its files, and sums that are theirs' releases
refuses_tag() {
    bash scripts/release.sh v99.0.0 >"$work/refused" 2>&1 && return 1
    cat "$work/refused"
    grep -q '^error: the tag v99.0.0 is not the version' "$work/refused"
}
check 'a tag that is not the version is refused' refuses_tag

echo "package: $passed passed, $failed failed"
((failed == 0))
