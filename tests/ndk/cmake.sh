#!/usr/bin/env bash
# Builds a native program with CMake in the two ways that apps have, find_package and plain linking, for the OpenHarmony
# ABIs, and runs it against the echo server: tests/ndk/cmake.sh. Needs what scripts/build.sh puts into prefix.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
cd "$ROOT"
need_setup

work=$TARGET/ndk/cmake
rm -rf "$work"
mkdir -p "$work/plain"
# As the platform's documentation links its library.
cat >"$work/plain/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.16)
project(plain LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 17)
add_executable(ndk_module "$ROOT/examples/ndk_module/src/main.cpp")
target_include_directories(ndk_module PRIVATE "$PREFIX/include")
target_link_directories(ndk_module PRIVATE "$PREFIX/\${OHOS_ARCH}")
target_link_libraries(ndk_module PUBLIC libnet_websocket.so)
CMAKE

# build_with_cmake SOURCE ABI FOLDER OPTION...
build_with_cmake() {
    local triple
    triple=$(triple_of "$2")
    cmake -S "$1" -B "$3" -G 'Unix Makefiles' -DCMAKE_SYSTEM_NAME=Linux "-DCMAKE_SYSTEM_PROCESSOR=$(arch_of "$2")" \
        "-DOHOS_ARCH=$2" "-DCMAKE_CXX_COMPILER=$NWS_BIN/$triple-clang++" -DCMAKE_BUILD_TYPE=Release -DCMAKE_SKIP_RPATH=ON "${@:4}"
    cmake --build "$3"
}

passed=0 failed=0
# shellcheck source=tests/support/check.sh
source "$ROOT/tests/support/check.sh"

start_echo_server
for abi in "${ABIS[@]}"; do
    ways=(package)
    check "$abi: find_package" build_with_cmake examples/ndk_module "$abi" "$work/$abi-package" "-DCMAKE_PREFIX_PATH=$PREFIX"
    # It differs from ABI to ABI by the name of a folder; twice is enough.
    if [[ $abi != armeabi-v7a ]]; then
        ways+=(plain)
        check "$abi: plain linking" build_with_cmake "$work/plain" "$abi" "$work/$abi-plain"
    fi
    for way in "${ways[@]}"; do
        check "$abi: $way, run" run_ohos "$abi" "$work/$abi-$way/ndk_module" "$WS_URL/"
    done
done
# An ABI that is not there is a message and no broken build.
refuses() {
    build_with_cmake examples/ndk_module arm64-v8a "$work/none" "-DCMAKE_PREFIX_PATH=$PREFIX" -DOHOS_ARCH=loongarch64 && return 1
    grep -q "no library for 'loongarch64'" "$work/log"
}
check 'another ABI is refused' refuses
refuses_version() {
    mkdir -p "$work/future"
    sed 's/net_websocket 0.1/net_websocket 99/' examples/ndk_module/CMakeLists.txt >"$work/future/CMakeLists.txt"
    build_with_cmake "$work/future" arm64-v8a "$work/future-build" "-DCMAKE_PREFIX_PATH=$PREFIX" && return 1
    grep -q 'requested version "99"' "$work/log"
}
check 'a later version is refused' refuses_version
echo "$passed passed, $failed failed"
((failed == 0))
