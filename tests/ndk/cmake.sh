#!/usr/bin/env bash
# Builds native programs with CMake in the ways that docs/c/getting-started.md shows, for the OpenHarmony ABIs, and runs them
# against the echo server: tests/ndk/cmake.sh. Needs what scripts/build.sh puts into prefix. Runs the shell commands of docs/c too.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
cd "$ROOT"
need_setup --tests

work=$TARGET/ndk/cmake
rm -rf "$work"
mkdir -p "$work"
for language in en zh; do
    node tests/documentation/blocks.mjs write "$language" "$work/blocks-$language" >/dev/null
done
blocks=$work/blocks-en
hello=$work/hello.c
# Without what blocks.mjs puts before it: here it is a program of its own.
sed 1,2d "$blocks/getting-started-1.c" >"$hello"
grep -q '/\* hello.c \*/' "$hello" || fail 'docs/c/getting-started.md does not begin with hello.c'

# Where find_package finds it, as docs/c says.
package=-Dnet_websocket_DIR=$PREFIX/lib/cmake/net_websocket

# build_with_cmake SOURCE ABI FOLDER OPTION...: finds things as with the SDK's toolchain file, which searches only in the SDK.
build_with_cmake() {
    local triple
    triple=$(triple_of "$2")
    cmake -S "$1" -B "$3" -G 'Unix Makefiles' -DCMAKE_SYSTEM_NAME=Linux "-DCMAKE_SYSTEM_PROCESSOR=$(arch_of "$2")" \
        -DCMAKE_FIND_ROOT_PATH="$work/sdk" -DCMAKE_FIND_ROOT_PATH_MODE_{LIBRARY,INCLUDE,PACKAGE}=ONLY \
        "-DOHOS_ARCH=$2" "-DCMAKE_C_COMPILER=$NWS_BIN/$triple-clang" \
        "-DCMAKE_CXX_COMPILER=$NWS_BIN/$triple-clang++" -DCMAKE_BUILD_TYPE=Release -DCMAKE_SKIP_RPATH=ON "${@:4}"
    cmake --build "$3"
}

passed=0 failed=0
# shellcheck source=tests/support/check.sh
source "$ROOT/tests/support/check.sh"

# project_of BLOCK FOLDER: a project of a CMakeLists.txt from the page, with hello.c, the headers and the libraries as the page lays them.
project_of() {
    local abi
    mkdir -p "$2"
    cp "$1" "$2/CMakeLists.txt"
    cp "$hello" "$2/hello.c"
    cp "$hello" "$2/hello.cpp"
    ln -sfn "$PREFIX/include" "$2/include"
    mkdir -p "$2/libs"
    for abi in "${ABIS[@]}"; do ln -sfn "$PREFIX/$abi" "$2/libs/$abi"; done
}

# says_hello ABI PROGRAM
says_hello() { [[ $(run_ohos "$1" "$2" "$WS_URL/" | grep -cFx -e 'received hello' -e 'closed 1000 done') == 2 ]]; }

start_echo_server
for abi in "${ABIS[@]}"; do
    check "$abi: find_package, C++" build_with_cmake examples/ndk_module "$abi" "$work/$abi-package" "$package"
    check "$abi: find_package, C++, run" run_ohos "$abi" "$work/$abi-package/ndk_module" "$WS_URL/"
    # It differs from ABI to ABI by the name of a folder; twice is enough.
    [[ $abi != armeabi-v7a ]] || continue
    for block in "$blocks"/*.cmake; do
        name=${block##*/} name=${name%.cmake}
        options=("$package")
        # Where the page leaves this library's headers out, the platform's are meant: what ours is like with this macro.
        grep -q 'target_include_directories\|find_package' "$block" ||
            options=("-DCMAKE_CXX_FLAGS=-I$PREFIX/include -DNET_WEBSOCKET_ANY_LIBRARY")
        project_of "$block" "$work/$name"
        check "$abi: docs/c, $name" build_with_cmake "$work/$name" "$abi" "$work/$abi-$name" "${options[@]}"
        check "$abi: docs/c, $name, run" says_hello "$abi" "$work/$abi-$name/hello"
    done
done

# shell_block FILE: what it says is done in a folder that has what it names.
shell_block() (
    folder=$work/${1##*/}.folder
    mkdir -p "$folder"
    cp "$hello" "$folder"
    cp "${CA_FILE%/*}/server.pem" "$folder"
    ln -sfn "$PREFIX" "$folder/prefix"
    cd "$folder"
    case $(<"$1") in
        *-linux-ohos-clang*)
            PATH=$NWS_BIN:$PATH bash -e "$1"
            says_hello arm64-v8a "$folder/hello"
            ;;
        *hdc*)
            # The device has x86_64 here, and the server has another port.
            mkdir "$folder/device"
            "$NWS_BIN/x86_64-unknown-linux-ohos-clang" -I prefix/include hello.c -L prefix/x86_64 -lnet_websocket -o hello
            sed "s/arm64-v8a/x86_64/; s/tcp:9001 tcp:9001/tcp:9001 tcp:${WS_URL##*:}/" "$1" >device.sh
            DEVICE_LIKE=good DEVICE_FOLDER=$folder/device PATH=$ROOT/tests/device:$PATH bash -e device.sh | tr -d '\r' |
                grep -cFx -e 'received hello' -e 'closed 1000 done' | grep -qx 2 &&
                cmp prefix/x86_64/libnet_websocket.so device/hello/libnet_websocket.so
            ;;
        *'openssl x509'*) [[ $(bash -e "$1") == "$SERVER_PIN" ]] ;;
        *) fail "nothing here runs this: $(<"$1")" ;;
    esac
)
for block in "$blocks"/*.sh; do
    check "docs/c, ${block##*/}" shell_block "$block"
done
for block in "$blocks"/*.{cmake,sh}; do
    check "docs/c, ${block##*/}, is the same in Chinese" cmp "$block" "$work/blocks-zh/${block##*/}"
done
# An ABI that is not there is a message and no broken build.
refuses() {
    build_with_cmake examples/ndk_module arm64-v8a "$work/none" "$package" -DOHOS_ARCH=loongarch64 && return 1
    grep -q "no library for 'loongarch64'" "$work/log"
}
check 'another ABI is refused' refuses
refuses_version() {
    mkdir -p "$work/future"
    sed 's/net_websocket 0.1/net_websocket 99/' examples/ndk_module/CMakeLists.txt >"$work/future/CMakeLists.txt"
    build_with_cmake "$work/future" arm64-v8a "$work/future-build" "$package" && return 1
    grep -q 'requested version "99"' "$work/log"
}
check 'a later version is refused' refuses_version
echo "$passed passed, $failed failed"
((failed == 0))
