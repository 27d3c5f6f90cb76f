#!/usr/bin/env bash
# Builds release versions into dist/:
#
#   scripts/build.sh [arm64-v8a|armeabi-v7a|x86_64|host|all]...   default: all
#
#   arm64-v8a, armeabi-v7a, x86_64   dist/ABI/libnet_websocket.so for OpenHarmony
#   host                             dist/host/net_websocket.node, for Node on this machine
#
# and with each of them dist/index.d.ts, dist/include and dist/lib/cmake, so that dist is a prefix for find_package.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

abis=() host=
(($# > 0)) || set -- all
for target; do
    case $target in
        arm64-v8a | armeabi-v7a | x86_64) abis+=("$target") ;;
        host) host=yes ;;
        all) abis=("${ABIS[@]}") host=yes ;;
        *) fail "unknown target '$target'" 'Usage: scripts/build.sh [arm64-v8a|armeabi-v7a|x86_64|host|all]...' ;;
    esac
done

# deliver BUILT FILE: puts a result into dist, as a whole and only if it differs, and prints its size.
deliver() {
    local file=$DIST/$2
    mkdir -p "${file%/*}"
    if ! cmp -s "$1" "$file"; then
        cp "$1" "$file.new"
        mv "$file.new" "$file"
    fi
    say "$(printf 'dist/%-34s %9s bytes' "$2" "$(stat -c %s "$file" | sed ':a; s/\B[0-9]\{3\}\>/,&/; ta')")"
}

need_setup

if ((${#abis[@]} > 0)); then
    if [[ $NWS_TOOLCHAIN == sdk ]]; then
        step "Building for OpenHarmony (${abis[*]}) with the SDK in $NWS_NDK"
    else
        step "Building for OpenHarmony (${abis[*]}) without the SDK"
        [[ -d $TARGET/ohos ]] || say 'The first time, Rust std is built as well; that takes minutes.'
    fi
    watch 'OpenHarmony' cargo_ohos "${abis[*]}" build --release --lib
    for abi in "${abis[@]}"; do
        deliver "$TARGET/ohos/$(triple_of "$abi")/release/libnet_websocket.so" "$abi/libnet_websocket.so"
    done
fi

# Compiles the crate with the ArkTS API on this machine, which yields index.d.ts as well.
compile_host() {
    if [[ $host ]]; then
        cargo_host build --release --lib --features arkts
    else
        cargo_host check --lib --features arkts
    fi
}
if [[ $host ]]; then
    step 'Building for this machine'
else
    step 'Checking on this machine, for index.d.ts'
fi
watch 'this machine' compile_host
if [[ ! -s $TYPE_DEFINITIONS ]]; then
    # The macros write it while they run, and they did not: cargo found the crate compiled, but the file is gone.
    touch build.rs
    watch 'this machine' compile_host
fi
[[ ! $host ]] || deliver "$TARGET/release/libnet_websocket.so" host/net_websocket.node
node scripts/generate-dts.mjs "$TYPE_DEFINITIONS" src/arkts/preamble.d.ts >"$TARGET/index.d.ts"
deliver "$TARGET/index.d.ts" index.d.ts

# For native apps.
version=$(awk -F '"' '/^version/ { print $2; exit }' Cargo.toml)
mkdir -p "$DIST/include/network/netstack" "$DIST/lib/cmake/net_websocket"
cp -u include/network/netstack/* "$DIST/include/network/netstack/"
cp -u package/cmake/net_websocketConfig.cmake "$DIST/lib/cmake/net_websocket/"
sed "s/@VERSION@/$version/" package/cmake/net_websocketConfigVersion.cmake.in \
    >"$DIST/lib/cmake/net_websocket/net_websocketConfigVersion.cmake"

# The demo app takes its library and declarations from its own folders.
for abi in "${abis[@]}"; do
    mkdir -p "entry/libs/$abi"
    cp -u "$DIST/$abi/libnet_websocket.so" "entry/libs/$abi/"
done
cp -u "$DIST/index.d.ts" entry/src/main/cpp/types/libnet_websocket/

say "done after $SECONDS s"
