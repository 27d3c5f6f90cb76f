#!/usr/bin/env bash
# Benchmarks this library, other WebSocket clients and a bare socket on this machine, in one run and one table.
#
#   scripts/bench.sh [--repetitions N] [--quick] [--keep] [--against FOLDER] [FILTER]
#   scripts/bench.sh --instructions
#
# FILTER selects the rows with these words in their name: receive, send, "send batched", "round trip", floods, wss, deflate,
# idle, first, connect, connections, server, Node, "Node server", "32 B".
# The results are in target/bench/results.md and target/bench/results.svg. A full run in which every row was measured also
# updates benches/RESULTS.md, unless --keep is given. --quick sends a tenth of the messages, as a trial run.
# --against FOLDER also measures another build of this library, such as an earlier commit. FOLDER has its libnet_websocket.so,
# built by `cargo build --release`. Its rows are named "net_websocket before".
#
# --instructions counts the instructions for each message in this machine's library and in those of dist, all of them under
# emulation, and prints a table.
#
# The first run installs what it needs: Debian's packages of Boost and libwebsockets with apt (as root or by sudo), and the Rust
# clients from crates.io at the versions in benches/Cargo.lock.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

BENCH=$TARGET/bench
REPETITIONS=5
quick='' keep='' against='' filter='' instructions=''
while (($#)); do
    case $1 in
        --repetitions)
            REPETITIONS=${2:?--repetitions needs a number}
            shift
            ;;
        --quick) quick=yes ;;
        --instructions) instructions=yes ;;
        --keep) keep=yes ;;
        --against)
            against=$(cd "${2:?--against needs a folder}" && pwd)
            [[ -e $against/libnet_websocket.so ]] || fail "no libnet_websocket.so in $against"
            shift
            ;;
        -*) fail "unknown argument '$1'" 'Usage: scripts/bench.sh [--repetitions N] [--quick] [--keep] [--against FOLDER] [FILTER] | --instructions' ;;
        *) filter=$1 ;;
    esac
    shift
done

need_setup --tests
(($(nproc) >= 2)) || fail 'one CPU only' 'Client and server each need their own.'

# --- what the other clients need -------------------------------------------------------------------------------------

missing=()
[[ -e /usr/include/boost/beast.hpp ]] || missing+=(libboost-dev)
[[ -e /usr/include/libwebsockets.h ]] || missing+=(libwebsockets-dev libssl-dev)
command -v taskset >/dev/null || missing+=(util-linux)
install_packages "${missing[@]}"

# --- the programs ----------------------------------------------------------------------------------------------------

step 'Building (the first time takes some minutes)'
mkdir -p "$BENCH/bin"
watch 'library' cargo_host build --release --lib --manifest-path "$ROOT/Cargo.toml"
# A copy, because a parallel build would replace the library during the run.
cp "$TARGET/release/libnet_websocket.so" "$BENCH/bin/"
watch 'library for Node' cargo_host build --release --lib --features arkts --manifest-path "$ROOT/Cargo.toml"
cp "$TARGET/release/libnet_websocket.so" "$BENCH/bin/net_websocket.node"
watch 'clients in Rust, server' env CARGO_TARGET_DIR="$BENCH/rust" \
    bash -c 'source "$1"; load_environment; cargo_host build --release --locked --manifest-path "$2"' \
    build "$ROOT/scripts/lib.sh" "$ROOT/benches/Cargo.toml"
C=$ROOT/benches/peers/c
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -I "$ROOT/include" -o "$BENCH/bin/net_websocket" "$C/ours.c" \
    -L "$BENCH/bin" -lnet_websocket -Wl,-rpath,"$BENCH/bin"
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -I "$ROOT/include" -o "$BENCH/bin/echo_net_websocket" "$C/echo_ours.c" \
    -L "$BENCH/bin" -lnet_websocket -Wl,-rpath,"$BENCH/bin"
compile_beast() {
    [[ $BENCH/bin/beast -nt $C/beast.cpp && $BENCH/bin/beast -nt $C/measure.h ]] ||
        "${CXX:-c++}" -std=c++17 -O3 -DNDEBUG -o "$BENCH/bin/beast" "$C/beast.cpp" -lssl -lcrypto -pthread
}
watch 'Boost.Beast' compile_beast
"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -o "$BENCH/bin/raw_threads" "$C/raw_threads.c" -pthread
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -o "$BENCH/bin/libwebsockets" "$C/libwebsockets.c" -lwebsockets -pthread
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -o "$BENCH/bin/echo_libwebsockets" "$C/echo_libwebsockets.c" -lwebsockets

# uWebSockets comes with socketify, of which Python's part is one call for each message.
SOCKETIFY=(socketify==0.0.31 cffi==2.0.0 pycparser==2.23)
if [[ $(cat "$BENCH/python/.stamp" 2>/dev/null) != "${SOCKETIFY[*]}" ]]; then
    rm -rf "$BENCH/python"
    watch 'socketify' pypi_packages "$BENCH" "${SOCKETIFY[@]}"
    echo "${SOCKETIFY[*]}" >"$BENCH/python/.stamp"
fi

# --- the run ---------------------------------------------------------------------------------------------------------

crate_version() { awk -v name="$1" '$0 == "name = \"" name "\"" { getline; gsub(/version = |"/, ""); print; exit }' "$ROOT/benches/Cargo.lock"; }
debian_version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null || echo unknown; }
commit=$(git -C "$ROOT" rev-parse --short HEAD 2>/dev/null || echo 'no commit')
[[ -z $(git -C "$ROOT" status --porcelain -- src Cargo.toml Cargo.lock 2>/dev/null) ]] || commit+=', with changes'
{
    printf 'Versions: net_websocket %s (%s)' "$(awk -F '"' '/^version/ { print $2; exit }' "$ROOT/Cargo.toml")" "$commit"
    [[ -z $against ]] || printf ', before (%s)' "$(git -C "$against" rev-parse --short HEAD 2>/dev/null || echo 'no commit')"
    for crate in fastwebsockets tokio-websockets tokio-tungstenite sockudo-ws yawc; do
        printf ', %s %s' "$crate" "$(crate_version "$crate")"
    done
    printf ', Boost.Beast of Boost %s, libwebsockets %s, npm ws %s on Node %s, whose own WebSocket is undici %s; %s; %s.\n' "$(debian_version libboost-dev)" \
        "$(debian_version libwebsockets-dev)" "$(read -r ws _ <"$NWS_INTEROP/.stamp" && echo "$ws")" "$(node --version)" \
        "$(node -p process.versions.undici)" "$(cargo_host rustc --version 2>/dev/null || rustc --version)" \
        "$("${CC:-cc}" --version | head -n 1)"
} >"$BENCH/versions.txt"

# Enough descriptors for 10,000 connections on each side.
ulimit -n "$(ulimit -Hn)"
(($(ulimit -n) > 10100)) || say "only $(ulimit -n) descriptors: the row of 10,000 connections cannot be measured"

if [[ -n $instructions ]]; then
    "${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC -o "$BENCH/bin/count.so" "$ROOT/benches/count.c"
    # All that this machine's processors may have, so that no library takes another way than on one.
    libraries=("this machine's=qemu-x86_64 -cpu max $(printf %q "$BENCH/bin/net_websocket")")
    for abi in x86_64 arm64-v8a armeabi-v7a; do
        [[ -e $DIST/$abi/libnet_websocket.so ]] || fail "no dist/$abi" "Run scripts/build.sh $abi first."
        program=$BENCH/bin/net_websocket-$abi
        cc_ohos "$abi" -std=gnu11 -D_GNU_SOURCE -O2 -I "$ROOT/include" -o "$program" "$C/ours.c" -L "$DIST/$abi" -lnet_websocket
        libraries+=("OpenHarmony's, $abi=$(printf '%q ' "qemu-$(folder_of "$abi")" -cpu max -L "$NWS_MUSL/$(arch_of "$abi")" \
            -E LD_LIBRARY_PATH="$(ohos_libraries "$abi")" "$program")")
    done
    step 'Counting instructions'
    python3 "$ROOT/benches/instructions.py" --server "$BENCH/rust/release/bench-server" --plugin "$BENCH/bin/count.so" "${libraries[@]}"
    exit
fi

step 'Measuring'
NODE=(env "NODE_PATH=$(printf %q "$NWS_INTEROP/node_modules")" node)
node_flags=(--expose-gc --no-warnings)
[[ $(node -p 'typeof WebSocket') == function ]] || node_flags+=(--experimental-websocket)
R=$BENCH/rust/release
options=(--out "$BENCH" --repetitions "$REPETITIONS" --versions "$BENCH/versions.txt" --server "$R/bench-server"
    --client "raw=$R/raw"
    --client "raw (epoll)=env EPOLL=yes $R/raw"
    --client "raw (two threads)=$BENCH/bin/raw_threads"
    --client "raw (TLS)=$R/raw-tls"
    --client "net_websocket (C)=$BENCH/bin/net_websocket"
    --client "net_websocket (C, 2 MiB)=env QUEUE_BYTES=2097152 $BENCH/bin/net_websocket"
    --client "net_websocket (Rust)=$R/core"
    --client "fastwebsockets=$R/fastwebsockets"
    --client "tokio-websockets=$R/tokio-websockets"
    --client "tokio-tungstenite=$R/tokio-tungstenite"
    --client "Boost.Beast=$BENCH/bin/beast"
    --client "sockudo-ws=$R/sockudo-ws"
    --client "yawc=$R/yawc"
    --client "libwebsockets=$BENCH/bin/libwebsockets"
    --client "libwebsockets (context each)=env CONTEXT_EACH=yes $BENCH/bin/libwebsockets"
    --client "npm ws=${NODE[*]} $(printf %q "$ROOT/benches/peers/ws.cjs")"
    --client "PyPI websockets=env PYTHONPATH=$(printf %q "$NWS_INTEROP/python") python3 $(printf %q "$ROOT/benches/peers/websockets_client.py")"
    --together "env NET_WEBSOCKET_LIB=$(printf %q "$BENCH/bin/net_websocket.node") ${NODE[*]} ${node_flags[*]} $(printf %q "$ROOT/benches/peers/node/clients.cjs")"
    --servers "env NET_WEBSOCKET_LIB=$(printf %q "$BENCH/bin/net_websocket.node") ${NODE[*]} --expose-gc $(printf %q "$ROOT/benches/peers/node/servers.cjs")")
echo_servers=(--server "raw=$R/echo-raw" --server "net_websocket (C)=$BENCH/bin/echo_net_websocket" --server "net_websocket (Rust)=$R/echo-core"
    --server "tokio-tungstenite=$R/echo-tokio-tungstenite" --server "sockudo-ws=$R/echo-sockudo-ws"
    --server "libwebsockets=$BENCH/bin/echo_libwebsockets"
    --server "uWebSockets (socketify)=env PYTHONPATH=$BENCH/python python3 $ROOT/benches/peers/echo_socketify.py")
options+=(--echo "$R/echo-load $(printf '%q ' "${echo_servers[@]}")")
[[ -z $against ]] || options+=(--client "net_websocket before=env LD_LIBRARY_PATH=$(printf %q "$against") $BENCH/bin/net_websocket")
[[ -z $quick ]] || options+=(--quick)
[[ -z $filter ]] || options+=(--rows "$filter")
python3 "$ROOT/benches/run.py" "${options[@]}"
say "$BENCH/results.md and results.svg"
if [[ -z $filter && -z $quick && -z $keep ]]; then
    cp "$BENCH/results.md" "$ROOT/benches/RESULTS.md"
    say "benches/RESULTS.md is of this run"
fi
