#!/usr/bin/env bash
# For runner.js --ohos: runs far.js, or client.c, with the library for OpenHarmony.
#
#   tests/servers/run_ohos.sh js bun-x86_64|bun-arm64        standard input: the targets
#   tests/servers/run_ohos.sh c ARCH URL CA_FILE
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
load_environment

case ${1-} in
    js)
        arch=${2#bun-}
        [[ $arch != arm64 ]] || arch=arm64-v8a
        NET_WEBSOCKET_LIB=$DIST/$arch/libnet_websocket.so bun_ohos "$arch" "$ROOT/tests/servers/far.js"
        ;;
    c)
        program=$TARGET/servers-client-$2
        cc_ohos "$2" -std=gnu99 -Wall -Wextra -Werror -I "$ROOT/include" "$ROOT/tests/servers/client.c" \
            -L "$DIST/$(abi_of "$2")" -lnet_websocket -lpthread -o "$program"
        run_ohos "$2" "$program" "${@:3}"
        ;;
    *) fail "unknown program '${1-}'" 'Known are js and c.' ;;
esac
