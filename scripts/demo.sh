#!/usr/bin/env bash
# Builds the library for OpenHarmony and demonstrates both APIs of the shipped binaries:
#
#   scripts/demo.sh             against an echo server of our own, over ws and wss
#   scripts/demo.sh URL...      against echo servers of yours, such as wss://example.org/echo
#
# C programs for OpenHarmony on arm64 and on 32-bit ARM run under emulation, a JavaScript program runs in an engine on musl,
# natively on x86_64 and under emulation on arm64. Each sends text and binary messages and compares the echoes. Exits non-zero if
# anything differs.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

for url in "$@"; do
    [[ $url =~ ^(wss?|https?):// ]] || fail "not a WebSocket URL: '$url'" 'Usage: scripts/demo.sh [URL...]'
done

bash "$ROOT/scripts/setup.sh" --run
load_environment
bash "$ROOT/scripts/build.sh" "${ABIS[@]}"

step 'Compiling tests/tools/echo_client.c for OpenHarmony'
for abi in arm64-v8a armeabi-v7a; do
    mkdir -p "$TARGET/demo/$abi"
    cc_ohos "$abi" -std=c99 -Wall -Wextra -Wpedantic -Werror -O2 -I "$ROOT/include" "$ROOT/tests/tools/echo_client.c" \
        -L "$DIST/$abi" -lnet_websocket -lpthread -o "$TARGET/demo/$abi/echo_client"
    say "target/demo/$abi/echo_client"
done

urls=("$@")
if ((${#urls[@]} == 0)); then
    step 'Starting the echo server'
    start_echo_server
    say "$WS_URL and $WSS_URL, with a certificate of its own authority"
    # The C interface has no option for it, so that authority replaces the system's store.
    export SSL_CERT_FILE=$CA_FILE
    urls=("$WS_URL" "$WSS_URL")
fi

results=()
# show TITLE COMMAND...: runs one of the programs and remembers how it ended.
show() {
    local title=$1 start=${EPOCHREALTIME/./} result=OK
    shift
    step "$title"
    if ! "$@" | sed 's/^/    /'; then
        result=FAILED
    fi
    results+=("$(printf '%-62s %s, %d ms' "$title" "$result" $(((${EPOCHREALTIME/./} - start) / 1000)))")
    [[ $result == OK ]] || failed=1
}
failed=0
run_in_c() { run_ohos "$1" "$TARGET/demo/$1/echo_client" "${urls[@]}"; }
run_in_js() {
    NET_WEBSOCKET_LIB=$DIST/$1/libnet_websocket.so bun_ohos "$1" "$ROOT/tests/tools/echo_client.js" "${urls[@]}"
}
show 'C API, arm64-v8a, emulated' run_in_c arm64-v8a
show 'C API, armeabi-v7a, emulated' run_in_c armeabi-v7a
show 'ArkTS API, arm64-v8a, emulated' run_in_js arm64-v8a
show 'ArkTS API, x86_64, native' run_in_js x86_64

step 'Summary'
for abi in "${ABIS[@]}"; do
    say "$(printf '%-62s %s bytes' "dist/$abi/libnet_websocket.so" "$(stat -c %s "$DIST/$abi/libnet_websocket.so")")"
done
for result in "${results[@]}"; do
    say "$result"
done
((failed == 0)) || fail 'something differs: see above'
say "all of it right, at ${urls[*]}, in $SECONDS s"
