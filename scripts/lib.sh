# shellcheck shell=bash
# Functions for the scripts in this folder: source it, do not run it.
#
#   Talk      step, say, fail, watch
#   Set up    need_setup, load_environment, as_root, update_packages, install_packages, pypi_packages
#   Names     ARCHES, ABIS, arch_of, abi_of, triple_of, folder_of
#   Build     cargo_host, cargo_ohos, ohos_flags, cc_ohos, cxx_ohos
#   Run       run_ohos, bun_ohos, start_echo_server
#   Long runs passed_before, passed_now
#
# ARCH is aarch64, armv7 or x86_64; the OpenHarmony ABI names (arm64-v8a, armeabi-v7a, x86_64) are accepted too.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${NET_WEBSOCKET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/net_websocket}
# shellcheck disable=SC2034 # for those who source this
PREFIX=$ROOT/prefix # for CMake: the libraries with the headers
DIST=$ROOT/dist     # the HAR's libraries, and nothing else: ohrs packs all of it
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
[[ $TARGET == /* ]] || TARGET=$PWD/$TARGET
# shellcheck disable=SC2034
HOST_LIBRARY=$TARGET/host/net_websocket.node
# The declarations of the ArkTS API, as they are in the HAR.
# shellcheck disable=SC2034
DECLARATIONS=$ROOT/package/src/main/cpp/types/libnet_websocket/index.d.ts

# step TEXT: the heading of a piece of work.
step() { printf '==> %s\n' "$*"; }

# say TEXT: a line below a heading.
say() { printf '    %s\n' "$*"; }

# fail WHAT [LINE...]: says what failed, then why and what to do about it, and leaves.
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    (($# == 0)) || printf '       %s\n' "$@" >&2
    exit 1
}

# Every script answers to --help with the comment at its head.
case ${1-} in
    -h | --help)
        sed -n '2,/^set /{/^# shellcheck/d;s/^# \{0,1\}//p}' "$0"
        exit
        ;;
esac

# watch LABEL COMMAND...: runs a long command. In a terminal its own progress is seen; elsewhere a line every 20 s shows the
# elapsed time and the current step. Its output is shown only if it fails.
watch() (
    label=$1
    shift
    if [[ -t 2 ]]; then
        "$@"
        exit
    fi
    log=$(mktemp)
    start=$SECONDS
    # An error of the shell itself ends it with the output still going to the log.
    exec {errors}>&2
    (
        # Waits on a pipe that stays empty: a `sleep` would outlive this shell and hold the caller's output open.
        exec {quiet}<> <(:)
        while ! read -rt 20 -u "$quiet" && kill -0 "$$" 2>/dev/null; do
            say "$label: $((SECONDS - start)) s, at: $(tail -n 1 "$log" | tr -s ' ' | cut -c 1-80)"
        done
    ) &
    ticker=$!
    # shellcheck disable=SC2317 # called by the trap
    finish() {
        local status=$?
        kill "$ticker" 2>/dev/null || true
        ((status == 0)) || cat "$log" >&"$errors"
        rm -f "$log"
    }
    trap finish EXIT
    # Not in a condition, which would switch `set -e` off inside a function that is run here.
    "$@" >"$log" 2>&1
)

# need_setup [FLAG...]: installs the missing components of setup.sh with these flags (less than a second if nothing is missing),
# then load_environment.
need_setup() {
    bash "$ROOT/scripts/setup.sh" --quiet "$@"
    load_environment
}

# load_environment: the NWS_* variables that setup.sh wrote.
load_environment() {
    [[ -f $CACHE/env.sh ]] || fail "nothing is set up in $CACHE" 'Run scripts/setup.sh first.'
    # shellcheck source=/dev/null
    source "$CACHE/env.sh"
}

# as_root COMMAND...: runs it as root, by sudo where that is needed.
as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        command -v sudo >/dev/null || fail "cannot run: $*" 'It needs root, and there is no sudo.'
        sudo "$@"
    fi
}

# update_packages: has apt learn which packages there are.
update_packages() { as_root apt-get -q -o DPkg::Lock::Timeout=300 update; }

# install_packages [PACKAGE...]: installs Debian's packages, for scripts that need more than setup.sh installs.
install_packages() {
    (($#)) || return 0
    step "Installing $*"
    watch 'lists of packages' update_packages
    watch 'packages' as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "$@"
}

# pypi_packages DESTINATION ARGUMENT...: into DESTINATION/python, without what they depend on and is not named.
pypi_packages() {
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --no-compile --target "$1/python" "${@:2}"
}

# What is built for, and what OpenHarmony calls each of them, in the same order.
# shellcheck disable=SC2034 # for those who source this
ARCHES=(aarch64 armv7 x86_64) ABIS=(arm64-v8a armeabi-v7a x86_64)

# arch_of ARCH|ABI, abi_of ARCH|ABI, triple_of ARCH|ABI, folder_of ARCH|ABI: one name of an architecture from another. The last is
# the one in the names of the SDK's folders and of musl's loader.
arch_of() {
    case $1 in
        aarch64 | arm64-v8a) echo aarch64 ;;
        armv7 | armeabi-v7a) echo armv7 ;;
        x86_64) echo x86_64 ;;
        *) fail "unknown architecture '$1'" 'Known are aarch64 (arm64-v8a), armv7 (armeabi-v7a) and x86_64.' ;;
    esac
}
abi_of() {
    local arch
    arch=$(arch_of "$1") || exit
    case $arch in
        aarch64) echo arm64-v8a ;;
        armv7) echo armeabi-v7a ;;
        *) echo "$arch" ;;
    esac
}
folder_of() {
    local arch
    arch=$(arch_of "$1") || exit
    echo "${arch/#armv7/arm}"
}
triple_of() {
    local arch
    arch=$(arch_of "$1") || exit
    echo "$arch-unknown-linux-ohos"
}

# cargo_host ARGS...: cargo for this machine.
cargo_host() {
    local environment=()
    if [[ $NWS_HOST_RUST == debian ]]; then
        # Cargo looks for clippy and rustfmt in its home first, where an older rustup's may be, unless PATH has that
        # folder in a later place.
        environment+=("PATH=/usr/bin:$PATH:${CARGO_HOME:-$HOME/.cargo}/bin" RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc)
    fi
    env "${environment[@]}" cargo "$@"
}

# cargo_ohos 'ARCH...'|all COMMAND ARGS...: cargo for OpenHarmony, in a separate target folder (target/ohos), because it uses
# another rustc, and a host build does not wait for its lock.
cargo_ohos() {
    local arch triple name arches command=$2 targets=() rust=(cargo "$2")
    read -ra arches <<<"$1"
    [[ $1 != all ]] || arches=("${ARCHES[@]}")
    shift 2
    local environment=("OHOS_NDK_HOME=$NWS_NDK" "CARGO_TARGET_DIR=$TARGET/ohos" "$SMALL" "PATH=$PATH:$ROOT/scripts")
    for arch in "${arches[@]}"; do
        triple=$(triple_of "$arch") || exit
        name=${triple//-/_}
        targets+=(--target "$triple")
        environment+=(
            "CARGO_TARGET_${name^^}_LINKER=$NWS_BIN/$triple-clang"
            "CC_$name=$NWS_BIN/$triple-clang"
            "CXX_$name=$NWS_BIN/$triple-clang++"
            "AR_$name=$NWS_BIN/$triple-ar"
        )
    done
    if [[ $NWS_TOOLCHAIN != sdk ]]; then
        # There is no ready-made std, so it is built with the crate; on a stable compiler that needs RUSTC_BOOTSTRAP.
        rust=(/usr/bin/cargo "$command")
        environment+=(RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc "${BUILD_STD[@]}")
    fi
    env "${environment[@]}" "CARGO_ENCODED_RUSTFLAGS=$(ohos_flags)" "${rust[@]}" "${targets[@]}" "$@"
}

# What has cargo build std with the crate, without what nobody sees on a device: the names in backtraces.
BUILD_STD=(RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_abort
    CARGO_UNSTABLE_BUILD_STD_FEATURES=panic-unwind,optimize_for_size)

# Has rustc inline less, in the library alone: see that file. It is found by PATH, because cargo makes its path a part of what it
# names the crate by, and the order of the functions hangs on that: a path would give other bytes in each folder.
SMALL=RUSTC_WORKSPACE_WRAPPER=rustc-small.sh

# ohos_flags: rustc's flags for OpenHarmony, as CARGO_ENCODED_RUSTFLAGS wants them. The paths of the machine that built it have no
# place in a library that others ship; those of the sources in panics, which take the most room, nobody sees on a device. Derived
# implementations of Debug write a variant's name alone: no text for users has more.
ohos_flags() {
    printf '%s' "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=crates"$'\x1f'"--remap-path-prefix=$ROOT=."
    [[ $NWS_TOOLCHAIN == sdk ]] ||
        printf '%s' $'\x1f'"--remap-path-prefix=$NWS_RUST_SRC=/rustc/library"$'\x1f-Zlocation-detail=none\x1f-Zuse-sync-unwind=yes\x1f-Zfmt-debug=shallow'
}

# cc_ohos ARCH ARGS..., cxx_ohos ARCH ARGS...: the C and C++ compilers for OpenHarmony; they link as well. Programs
# find libnet_websocket.so in dist with -L "$DIST/$(abi_of ARCH)".
cc_ohos() {
    local triple
    triple=$(triple_of "$1") || exit
    "$NWS_BIN/$triple-clang" "${@:2}"
}
cxx_ohos() {
    local triple
    triple=$(triple_of "$1") || exit
    "$NWS_BIN/$triple-clang++" "${@:2}"
}

# ohos_libraries ARCH: where an OpenHarmony program finds its libraries: OHOS_LIBRARY_PATH, then dist, then the stubs and musl.
ohos_libraries() {
    local arch
    arch=$(arch_of "$1") || exit
    printf '%s' "${OHOS_LIBRARY_PATH:+$OHOS_LIBRARY_PATH:}$DIST/$(abi_of "$1"):$CACHE/stubs/$arch:$NWS_MUSL/$arch/lib"
    printf '%s' ":$NWS_NDK/native/llvm/lib/$(folder_of "$1")-linux-ohos" # the SDK's libc++_shared.so
}

# run_ohos ARCH PROGRAM ARGS...: runs a dynamically linked OpenHarmony program with the caller's environment: x86_64 by
# musl's loader, the others under emulation.
run_ohos() {
    local arch folder libraries
    arch=$(arch_of "$1") || exit
    folder=$(folder_of "$1")
    libraries=$(ohos_libraries "$1")
    shift
    if [[ $arch == x86_64 ]]; then
        # Not LD_LIBRARY_PATH: a child process built for this machine would take musl's libraries for its own.
        "$NWS_MUSL/x86_64/lib/ld-musl-x86_64.so.1" --library-path "$libraries" "$@"
    else
        "qemu-$folder" -L "$NWS_MUSL/$arch" -E LD_LIBRARY_PATH="$libraries" "$@"
    fi
}

# bun_ohos ARCH SCRIPT ARGS...: runs a script in a JavaScript engine built for musl, which loads OpenHarmony binaries
# by process.dlopen. There is none for armv7.
bun_ohos() {
    local arch
    arch=$(arch_of "$1") || exit
    [[ -d $NWS_BUN/$arch ]] || fail "no JavaScript engine for $1" 'Known are aarch64 (arm64-v8a) and x86_64.'
    OHOS_LIBRARY_PATH=${OHOS_LIBRARY_PATH:+$OHOS_LIBRARY_PATH:}$NWS_BUN/$arch \
        BUN_RUNTIME_TRANSPILER_CACHE_PATH=0 DO_NOT_TRACK=1 \
        run_ohos "$arch" "$NWS_BUN/$arch/bun" --no-install "${@:2}"
}

# start_echo_server [PROFILE]: builds and starts tests/tools/echo_server.rs and exports what it prints: WS_URL, WSS_URL,
# WSS_UNTRUSTED_URL, CA_FILE. The server ends when its stdin does, so it goes with the calling script however that ends.
start_echo_server() {
    local profile=${1-dev} line
    cargo_host build --quiet --example echo_server --profile "$profile" --manifest-path "$ROOT/Cargo.toml"
    coproc ECHO_SERVER { exec "$TARGET/${profile/#dev/debug}/examples/echo_server" --quiet; }
    while read -r line <&"${ECHO_SERVER[0]}"; do
        [[ $line != READY ]] || return 0
        export "${line?}"
    done
    fail 'the echo server did not start'
}

# passed_before NAME PATH...: whether the long run NAME has passed with these very files and the library as it is; if so,
# says so and repeats the last line that it ended with. Otherwise remembers them for passed_now.
passed_before() {
    passed_stamp=$TARGET/$1.stamp
    passed_inputs=$(cd "$ROOT" && find src Cargo.lock "${@:2}" -type f -not -name '*.md' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
    [[ -f $passed_stamp && $(head -n 1 "$passed_stamp") == "$passed_inputs" ]] || return
    echo 'skip: passed before, and nothing that it depends on has changed since'
    sed 1d "$passed_stamp"
}

# passed_now LINE: the run that passed_before began has passed, and LINE is its last.
passed_now() { printf '%s\n%s\n' "$passed_inputs" "$1" >"$passed_stamp"; }
