#!/usr/bin/env bash
# Runs the on-device tests (entry/src/ohosTest) on this machine, by hypium's own runner: tests/hypium/run.sh node|bun-x86_64|bun-arm64|ark
#
# node is the host build in Node; bun-x86_64 (native) and bun-arm64 (emulated) are the OpenHarmony builds in an engine on musl. ark is
# the host build with the feature arkvm-test in the public Linux x64 build of the Ark engine, which ARK_HOST_BUNDLE_DIR names
# (github.com/harmony-contrib/arkts-vm). Starts the echo server, and ends with the line `hypium ENGINE: N passed, N failed`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

export LIMIT_SECONDS=${NET_WEBSOCKET_TEST_LIMIT_SECONDS:-300}

usage() { fail 'usage: tests/hypium/run.sh node|bun-x86_64|bun-arm64|ark'; }
(($# == 1)) || usage
engine=$1
need_setup --tests

case $engine in
    node) library=$HOST_LIBRARY ;;
    bun-x86_64) abi=x86_64 library=$DIST/x86_64/libnet_websocket.so ;;
    bun-arm64) abi=arm64-v8a library=$DIST/arm64-v8a/libnet_websocket.so ;;
    ark) library=$TARGET/arkvm/release/libnet_websocket.so ;;
    *) usage ;;
esac
[[ -f $library ]] || fail "there is no $library" 'Run scripts/build.sh first; for ark, this with CARGO_TARGET_DIR=target/arkvm:' \
    'cargo build --release --lib --features arkvm-test'

work=$(mktemp -d "$TARGET/hypium-$engine.XXXXXX")
trap 'rm -rf "$work"' EXIT
start_echo_server
bundle() {
    OHOS_TYPESCRIPT=$NWS_OHOS_TYPESCRIPT HYPIUM=$NWS_HYPIUM WS_URL=$WS_URL WSS_URL=$WSS_URL node "$ROOT/tests/hypium/bundle.mjs" "$1" >"$work/all.js"
}

# The Ark engine may not end by itself, so it is ended once it has written its counts.
run_ark() {
    local tools=${ARK_HOST_BUNDLE_DIR:?names the folder of es2abc and ark_js_napi_cli} job
    mkdir "$work/module"
    cp "$library" "$work/module/"
    cp "$library" "$tools/libace_napi.so" "$work/"
    [[ ! -f $tools/libets_interop_js_napi.so ]] || cp "$tools/libets_interop_js_napi.so" "$work/module/"
    "$tools/es2abc" --merge-abc --extension=js --module --output "$work/all.abc" "$work/all.js"
    local stub=()
    [[ ! -f $tools/stub.an ]] || stub=(--stub-file "$tools/stub.an")
    cd "$work"
    LD_LIBRARY_PATH=$tools:$work:$work/module timeout -k 5 "$LIMIT_SECONDS" \
        "$tools/ark_js_napi_cli" "${stub[@]}" --entry-point all all.abc >log 2>&1 &
    job=$!
    until grep -qE '^[0-9]+ passed, [0-9]+ failed$' log || ! kill -0 "$job" 2>/dev/null; do sleep 0.2; done
    kill "$job" 2>/dev/null || true
    wait "$job" || true
}

status=0
case $engine in
    node)
        bundle node
        NET_WEBSOCKET_LIB=$library node "$work/all.js" >"$work/log" 2>&1 || status=$?
        ;;
    bun-*)
        bundle node
        NET_WEBSOCKET_LIB=$library bun_ohos "$abi" "$work/all.js" >"$work/log" 2>&1 || status=$?
        ;;
    ark)
        bundle ark
        (run_ark)
        ;;
esac

summary=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$work/log" | tail -n 1) || true
grep -a '^skip' "$work/log" || true
((status == 0)) && [[ $summary == *' 0 failed' ]] || grep -avE '^ok |^skip|^[0-9]+ passed, ' "$work/log" || true
[[ $summary ]] || fail "hypium $engine: the engine ended with status $status and without a summary"
printf 'hypium %s: %s\n' "$engine" "$summary"
[[ $summary == *' 0 failed' && $summary != 0\ * ]] || exit 1
((status == 0)) || fail "hypium $engine: the engine ended with status $status"
