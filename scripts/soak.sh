#!/usr/bin/env bash
# Long runs of the C API's release build on this machine, too long for every test run:
#
#   scripts/soak.sh [CYCLES [SECONDS]]     default: 100000 cycles, 60 s
#
#   - CYCLES times connect, echo, close and destroy: memory flat, no thread or descriptor left behind
#   - eight threads that make, use and destroy clients for SECONDS
#   - 64 clients blocked in their callbacks, and the round trips of another
#   - 10,000 idle clients of a server: 4 kB each at most
#   - a message of 1 GiB each way, in pieces: 1 MiB of memory
#   - that of many clients under valgrind; scripts/sanitize.sh has the sanitizers
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

cycles=${1-100000} seconds=${2-60}
[[ $cycles =~ ^[1-9][0-9]+$ && $seconds =~ ^[1-9][0-9]*$ ]] || fail 'no such numbers' 'Usage: scripts/soak.sh [CYCLES [SECONDS]]'
need_setup
command -v valgrind >/dev/null || install_packages valgrind

step 'Building'
watch 'library' cargo_host build --quiet --release --lib
mkdir -p "$TARGET/ndk/soak"
soak=$TARGET/ndk/soak/soak
"${CC:-cc}" -std=c99 -O2 -Wall -Wextra -Werror -I include -o "$soak" tests/ndk/soak.c -L "$TARGET/release" -lnet_websocket -lpthread
start_echo_server release
export LD_LIBRARY_PATH=$TARGET/release NET_WEBSOCKET_LOG=error

failed=()
# part NAME COMMAND...
part() {
    step "$1"
    "${@:2}" || failed+=("$1")
}

valgrind_program() {
    # It reports each probe of an address, which the kernel refuses on purpose.
    { valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite "$@" 2>&1; } |
        grep -v "sigprocmask: unknown 'how' field -1"
}
part "$cycles cycles" "$soak" cycles "$cycles"
part "eight threads, $seconds s" "$soak" threads "$seconds"
part '64 blocked clients' "$soak" blocked 64
part '10,000 idle clients of a server' "$soak" idle 10000
part '1 GiB in pieces' env PROFILE=release VERBOSE=1 STREAM_MIB=1024 bash tests/ndk/run.sh host stream
part 'valgrind, cycles' valgrind_program "$soak" cycles 200
part 'valgrind, threads' valgrind_program "$soak" threads 10

if ((${#failed[@]})); then
    printf 'failed: %s\n' "${failed[@]}"
    exit 1
fi
say "all of it well, after $SECONDS s"
