#!/usr/bin/env bash
# Makes package.har, the package for ohpm, and checks it:
#
#   scripts/package.sh            of what scripts/build.sh makes
#   scripts/package.sh --ohrs     by `ohrs build` and `ohrs artifact`
#
# Both give the same files: package/ with dist/ as its libs/. With OpenHarmony's SDK (OHOS_NDK_HOME), --ohrs uses the ohrs on
# PATH. Otherwise it uses the one of scripts/setup.sh --ohrs and a stand-in for the SDK. OHRS names another one. ohrs exits with 0
# when it fails, so scripts/check-har.mjs checks its result by the rules of ohpm and hvigor.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

case ${1-} in
    '') by=build ;;
    --ohrs) by=ohrs ;;
    *) fail "unknown argument '$1'" 'Usage: scripts/package.sh [--ohrs]' ;;
esac

# What every tar and gzip writes the same of the same files.
pack() {
    local stage=$TARGET/package
    rm -rf "$stage"
    mkdir -p "$stage/package"
    tar -C package -c --exclude=./libs . | tar -C "$stage/package" -x
    cp -r "$DIST" "$stage/package/libs"
    tar -C "$stage" -c --sort=name --format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX package |
        gzip -9n >package.har.new
    mv package.har.new package.har
}

# need_sdk FOLDER: holds what ohrs looks for.
need_sdk() {
    local file
    for file in llvm/bin/clang llvm/bin/clang++ llvm/bin/llvm-ar llvm/bin/llvm-readobj build/cmake/ohos.toolchain.cmake sysroot/usr/lib; do
        [[ -e $1/native/$file ]] || fail "$1 is no SDK: it has no native/$file" 'OHOS_NDK_HOME is to name the folder that holds native/.'
    done
}

# need_ohrs: the ohrs that is to be used, in ohrs, and the environment it needs.
need_ohrs() {
    local version
    [[ -z ${OHOS_NDK_HOME-} || $NWS_TOOLCHAIN == sdk ]] ||
        fail "ohrs cannot build: $NWS_NO_SDK" 'Without OHOS_NDK_HOME it builds with a stand-in for the SDK.'
    if [[ $NWS_TOOLCHAIN == sdk ]]; then
        ohrs=${OHRS:-$(command -v ohrs)} || fail 'there is no ohrs on PATH' "Run: cargo install ohrs --version $NWS_OHRS_VERSION --locked"
        environment=("OHOS_NDK_HOME=$NWS_NDK" "PATH=$PATH:$ROOT/scripts")
    else
        bash scripts/setup.sh --quiet --ohrs
        ohrs=${OHRS:-$CACHE/ohrs/bin/ohrs}
        # Debian's cargo is the one that builds std.
        environment=("OHOS_NDK_HOME=$CACHE/sdk" PATH="/usr/bin:$PATH:$ROOT/scripts" RUSTC=/usr/bin/rustc "${BUILD_STD[@]}")
    fi
    version=$("$ohrs" --version) && version=${version##* }
    [[ $version == "$NWS_OHRS_VERSION" ]] ||
        fail "$ohrs is version ${version:-unknown}, not $NWS_OHRS_VERSION" "Run: cargo install ohrs --version $NWS_OHRS_VERSION --locked"
}

build_by_ohrs() {
    local abi
    # ohrs adds these to its own flags. It knows no other way to have them.
    environment+=("CARGO_ENCODED_RUSTFLAGS=$(ohos_flags)" "CARGO_TARGET_DIR=$TARGET/by-ohrs" "$SMALL")
    rm -rf "$DIST" package.har
    watch 'ohrs build' env "${environment[@]}" "$ohrs" build --release
    for abi in "${ABIS[@]}"; do
        [[ -s $DIST/$abi/libnet_websocket.so ]] || fail "ohrs made no dist/$abi/libnet_websocket.so" 'Its own message is the cause: ohrs build --release'
    done
    bash scripts/notices.sh
    watch 'ohrs artifact' "$ohrs" artifact
    [[ -s package.har ]] || fail 'ohrs made no package.har' 'Its own message is the cause: ohrs artifact'
}

# Before setup.sh, which would take another toolchain.
[[ $by != ohrs || -z ${OHOS_NDK_HOME-} ]] || need_sdk "$OHOS_NDK_HOME"
need_setup
if [[ $by == ohrs ]]; then
    need_ohrs
    step "Building and packing by ohrs $NWS_OHRS_VERSION, with ${environment[0]#*=} as the SDK"
    build_by_ohrs
else
    bash scripts/build.sh "${ABIS[@]}"
    step 'Packing'
    pack
fi
say "package.har: $(stat -c %s package.har) bytes"
tar -tvzf package.har | awk '$1 !~ /^d/ { printf "    %9d  %s\n", $3, $6 }' | LC_ALL=C sort -k 2

step 'Checking package.har'
OHOS_TYPESCRIPT=$NWS_OHOS_TYPESCRIPT node scripts/check-har.mjs package.har "$ROOT" "$HOME" "${CARGO_HOME:-$HOME/.cargo}" "$NWS_NDK" "$CACHE"
