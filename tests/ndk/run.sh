#!/usr/bin/env bash
# Compiles the C and C++ programs of this folder, runs them against tests/tools/echo_server.rs, and counts.
#
# Usage: tests/ndk/run.sh host|x86_64|arm64-v8a|armeabi-v7a [PROGRAM...]
#
# host takes the library of `cargo build`; the others take dist/, which scripts/build.sh fills. PROFILE=release takes the
# release build on the host. SANITIZE=address|thread takes the library that scripts/sanitize.sh builds, on the host, and
# compiles the programs with that sanitizer too. VERBOSE=1 shows what the programs print even if they succeed.
# STREAM_MIB=N is the length of the messages of stream. guide and guide_zh are the examples of docs/c, in English and Chinese: a
# function of theirs that is never run is a failure. examples are the programs of examples/.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
# shellcheck source=tests/ndk/examples.sh
source "$ROOT/tests/ndk/examples.sh"

ARCH=${1:?usage: tests/ndk/run.sh host|x86_64|arm64-v8a|armeabi-v7a [PROGRAM...]}
shift
PROGRAMS=("$@")
if ((${#PROGRAMS[@]} == 0)); then
    PROGRAMS=(headers_c headers_cpp acceptance platform_parity contract ext server hpp threads lifecycle permission freeze times shortage secrets)
    PROGRAMS+=(network network_old network_none trust trust_old trust_none user_program echo_client guide guide_zh examples)
    [[ -n ${SANITIZE:-} ]] || PROGRAMS+=(same_name)
    if [[ $ARCH != arm* && -z ${SANITIZE:-} ]]; then
        PROGRAMS+=(stream)
    else
        echo "skip: stream, which measures the program's memory: not an emulator's or a sanitizer's (it runs on the host and for x86_64)"
    fi
    [[ -z ${SANITIZE:-} ]] || echo "skip: same_name, which is about linking: a sanitizer finds nothing in it (it runs without one)"
fi
PROFILE=${PROFILE:-debug}
BUILD=$TARGET/ndk/$ARCH${SANITIZE:+-$SANITIZE}
WARNINGS=(-Wall -Wextra -Wpedantic -Werror)
COMMON=(-g "${WARNINGS[@]}" -I "$ROOT/include") LINK=()

need_setup --tests
profile_flag=()
[[ $PROFILE == debug ]] || profile_flag=(--profile "$PROFILE")
[[ -n ${SANITIZE:-} ]] || cargo_host build --quiet "${profile_flag[@]}" --lib --manifest-path "$ROOT/Cargo.toml"

case $ARCH in
    host)
        LIBRARY=$TARGET/$PROFILE
        [[ -z ${SANITIZE:-} ]] || LIBRARY=${SANITIZE_LIBRARY:?scripts/sanitize.sh says where it is}
        # shellcheck disable=SC2054 # options with commas in them
        case ${SANITIZE:-} in
            '') ;;
            address)
                # -fno-sanitize-recover: what UBSan finds ends the program, so that it is counted.
                COMMON+=(-fsanitize=address,undefined -fno-sanitize-recover=all)
                LINK=(-fsanitize=address,undefined)
                ;;
            thread)
                # The runtime of the compiler that made the library: that of GCC lacks some of what its code calls.
                COMMON+=(-fsanitize=thread)
                LINK=(-Wl,--whole-archive "${SANITIZE_RUNTIME:?scripts/sanitize.sh says where it is}" -Wl,--no-whole-archive
                    -Wl,--export-dynamic -ldl -lm -lrt)
                # A forked process starts no thread here but where it is meant to.
                export TSAN_OPTIONS="suppressions='$ROOT/tests/ndk/thread.supp':print_suppressions=1:die_after_fork=0"
                ;;
            *) fail "unknown sanitizer '$SANITIZE'" 'Known are address and thread.' ;;
        esac
        compile_c() { "${CC:-cc}" "$@"; }
        compile_cxx() { "${CXX:-c++}" "$@"; }
        mkdir -p "$BUILD"
        "${CC:-cc}" -std=gnu11 -fPIC -shared -o "$BUILD/libnet_connection.so" "$ROOT/tests/stubs/net_connection.c"
        run() { LD_LIBRARY_PATH=${PLATFORM:+$PLATFORM:}$LIBRARY:$BUILD "$@"; }
        ;;
    x86_64 | arm64-v8a | armeabi-v7a)
        [[ -z ${SANITIZE:-} ]] || fail "SANITIZE works on the host only"
        LIBRARY=$DIST/$ARCH
        # As the SDK compiles: a copy of a library's variable in the program may not be aligned (lld for aarch64).
        COMMON+=(-fPIC)
        compile_c() { cc_ohos "$ARCH" "$@"; }
        # As tests/ndk/cmake.sh does. zig compiles its C++ library once for each level of optimization, which takes minutes.
        compile_cxx() { cxx_ohos "$ARCH" -O2 "$@"; }
        run() { OHOS_LIBRARY_PATH=${PLATFORM-} run_ohos "$ARCH" "$@"; }
        ;;
    *) fail "unknown architecture '$ARCH'" 'Known are host, x86_64, arm64-v8a and armeabi-v7a.' ;;
esac
[[ -f $LIBRARY/libnet_websocket.so ]] || fail "there is no $LIBRARY/libnet_websocket.so" 'Run scripts/build.sh first.'

# What stands before the platform's library: that of an older system, and none, which no loader takes.
for folder in network_old network_none trust trust_old trust_none; do
    mkdir -p "$BUILD/platform/$folder"
done
compile_c -std=gnu11 -fPIC -shared -DAPI_VERSION=11 -o "$BUILD/platform/network_old/libnet_connection.so" \
    "$ROOT/tests/stubs/net_connection.c"
: >"$BUILD/platform/network_none/libnet_connection.so"
compile_c -std=gnu11 -fPIC -shared -o "$BUILD/platform/trust/libnet_ssl.so" "$ROOT/tests/stubs/net_ssl.c"
compile_c -std=gnu11 -fPIC -shared -DAPI_VERSION=12 -o "$BUILD/platform/trust_old/libnet_ssl.so" "$ROOT/tests/stubs/net_ssl.c"
: >"$BUILD/platform/trust_none/libnet_ssl.so"

# Where the programs that measure which functions run are compiled; gcov comes with the compiler.
measures_runs() { [[ $ARCH == host && -z ${SANITIZE:-} && $("${CC:-cc}" --version) != *clang* ]]; }

# compile_guide PROGRAM LANGUAGE: compiles the examples of docs/c and the program that runs them, every time.
compile_guide() {
    local program=$1 folder=$BUILD/$1.blocks file files measured=()
    rm -rf "$folder"
    files=$(node "$ROOT/tests/documentation/blocks.mjs" write "$2" "$folder")
    if measures_runs; then measured=(--coverage); fi
    for file in $files; do
        case $file in
            *.c) compile_c -std=c99 "${COMMON[@]}" "${measured[@]}" -Dprintf=guide_printf -c "$folder/$file" -o "$folder/${file%.*}.o" ;;
            *.cpp) compile_cxx -std=c++17 "${COMMON[@]}" "${measured[@]}" -c "$folder/$file" -o "$folder/${file%.*}.o" ;;
        esac
    done
    compile_cxx -std=c++17 "${COMMON[@]}" -c "$ROOT/tests/documentation/guide.cpp" -o "$folder/guide.o"
    compile_cxx "$folder"/*.o "${measured[@]}" -L "$LIBRARY" -lnet_websocket -lpthread -o "$BUILD/$program" "${LINK[@]}"
}

# compile PROGRAM: where it is newer than what was compiled before.
compile() {
    local program=$1 source
    case $program in
        guide) compile_guide guide en ;;
        guide_zh) compile_guide guide_zh zh ;;
        examples) compile_examples ;;
    esac
    [[ $program != guide* && $program != examples ]] || return 0
    case $program in
        echo_client) source=$ROOT/tests/tools/$program.c ;;
        network_*) source=$ROOT/tests/ndk/network.c ;;
        trust_*) source=$ROOT/tests/ndk/trust.c ;;
        user_program | headers_cpp | hpp) source=$ROOT/tests/ndk/$program.cpp ;;
        *) source=$ROOT/tests/ndk/$program.c ;;
    esac
    [[ -f $source ]] || fail "there is no program '$program'"
    local newer
    newer=$(find "$source" "$ROOT/tests/ndk" "$ROOT/tests/stubs" "$ROOT/include" -newer "$BUILD/$program" -type f 2>/dev/null || echo all)
    [[ -n $newer ]] || return 0
    local link=(-L "$LIBRARY" -lnet_websocket -lpthread -o "$BUILD/$program")
    [[ $program != network* && $program != trust* ]] || link+=(-ldl)
    # It loads the library itself.
    [[ $program != lifecycle ]] || link=(-ldl -lpthread -o "$BUILD/$program")
    if [[ $source == *.cpp ]]; then
        compile_cxx -std=c++17 "${COMMON[@]}" -c "$source" -o "$BUILD/$program.o"
        compile_cxx "$BUILD/$program.o" "${link[@]}" "${LINK[@]}"
    else
        # The headers promise C11 as well; C99 is what the program is made from.
        [[ $program != headers_c ]] || compile_c -std=c11 "${COMMON[@]}" -c "$source" -o "$BUILD/$program-c11.o"
        compile_c -std=c99 "${COMMON[@]}" -c "$source" -o "$BUILD/$program.o"
        compile_c "$BUILD/$program.o" "${link[@]}" "${LINK[@]}"
    fi
}

# same_name: whether a program notices when it is linked with, or given, the platform's library of the same name. Prints the counts.
same_name() {
    local folder=$BUILD/platform/same_name source=$ROOT/tests/ndk/same_name.c passed=0 failed=0
    mkdir -p "$folder"
    compile_c -std=c99 -D_GNU_SOURCE "${COMMON[@]}" "$source" -L "$LIBRARY" -lnet_websocket -ldl -o "$BUILD/same_name"
    compile_c -std=c99 -fPIC -shared -Wl,-soname,libnet_websocket.so -o "$folder/libnet_websocket.so" \
        "$ROOT/tests/stubs/net_websocket.c"
    # expect WHAT PATTERN STATUS COMMAND...: that the command says so, and ends well (0) or badly (1).
    expect() {
        local what=$1 pattern=$2 wanted=$3 said status=0
        shift 3
        said=$("$@" 2>&1) || status=1
        if [[ $said =~ $pattern && $status == "$wanted" ]]; then
            ((++passed))
        else
            ((++failed))
            printf 'FAIL %s: status %s, said: %s\n' "$what" "$status" "$said"
        fi
    }
    local other=(compile_c -std=c99 -D_GNU_SOURCE "${COMMON[@]}" "$source" -L "$folder" -lnet_websocket -ldl)
    expect 'linked with the other one' 'NWS_Version' 1 "${other[@]}" -o "$BUILD/same_name_other"
    expect 'given this library' 'ran with this library' 0 run "$BUILD/same_name"
    PLATFORM=$folder
    expect 'given the other one' 'NWS_Version' 1 run "$BUILD/same_name"
    expect 'built for any' '^$' 0 "${other[@]}" -DNET_WEBSOCKET_ANY_LIBRARY -o "$BUILD/same_name_any"
    expect 'built for any, given the other one' 'ran with another one' 0 run "$BUILD/same_name_any"
    PLATFORM=
    expect 'built for any, given this library' 'ran with this library' 0 run "$BUILD/same_name_any"
    echo "$passed passed, $failed failed"
    ((failed == 0))
}

for program in "${PROGRAMS[@]}"; do
    [[ $program == same_name ]] || compile "$program"
done

start_echo_server "${PROFILE/#debug/dev}"
# The C interface has no option for it, so the server's authority replaces the system's store.
export SSL_CERT_FILE=$CA_FILE

passed=0
failed=0
reports=0
explained=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT
for program in "${PROGRAMS[@]}"; do
    arguments=()
    [[ $program != echo_client ]] || arguments=("$WS_URL" "$WSS_URL")
    [[ $program != stream || -z ${STREAM_MIB:-} ]] || arguments=("$STREAM_MIB")
    PLATFORM=
    if [[ $program == network_* ]]; then
        arguments=(deaf)
        PLATFORM=$BUILD/platform/$program
    elif [[ $program == trust* ]]; then
        [[ $ARCH == host ]] || arguments=(device)
        [[ $program == trust ]] || arguments=("${program#trust_}")
        PLATFORM=$BUILD/platform/$program
    fi
    SECONDS=0
    status=0
    if [[ $program == same_name || $program == examples ]]; then
        "$program" >"$output" 2>&1 || status=$?
    else
        run "$BUILD/$program" "${arguments[@]}" >"$output" 2>&1 || status=$?
    fi
    # Every function of every example has to run, whatever the tests say.
    unrun=''
    if [[ $program == guide* ]]; then
        if measures_runs; then
            unrun=$(node "$ROOT/tests/documentation/blocks.mjs" unrun "$BUILD/$program.blocks")
        else
            echo "skip: whether each function of the examples runs (gcov is the host compiler's)" >>"$output"
        fi
    fi
    # Not simply the last line: the library's log may come after it.
    counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$output" | tail -n 1) || counts=$(tail -n 1 "$output")
    if [[ $counts =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        ((passed += BASH_REMATCH[1], failed += BASH_REMATCH[2])) || true
        # A program that ends badly after its last line has failed too, as one that leaks does.
        if ((status != 0 && BASH_REMATCH[2] == 0)); then ((++failed)); fi
    elif ((status == 0)); then
        ((++passed))
    else
        ((++failed))
        counts="ended with status $status"
    fi
    if [[ $unrun ]]; then
        printf '%s\n' "$unrun" >>"$output"
        ((++failed, status = 1))
        counts+=', and functions that are never run'
    fi
    if [[ -n ${SANITIZE:-} ]]; then
        found=$(grep -acE 'WARNING: ThreadSanitizer|ERROR: (Address|Leak)Sanitizer|: runtime error: ' "$output") || true
        ((reports += found)) || true
        # Whatever the program makes of it.
        if ((found > 0 && status == 0)); then ((++failed, status = 1)); fi
        matched=$(awk '/^ThreadSanitizer: Matched/ { sum += $3 } END { print sum + 0 }' "$output")
        ((explained += matched)) || true
    fi
    printf 'ndk %s: %-12s %s (%d s)\n' "$ARCH" "$program" "$counts" "$SECONDS"
    if ((status != 0)) || [[ -n ${VERBOSE:-} ]]; then
        sed 's/^/    /' "$output"
    else
        grep '^skip' "$output" | sed 's/^/    /' || true
    fi
done

[[ -z ${SANITIZE:-} ]] || echo "ndk $ARCH, $SANITIZE: ${#PROGRAMS[@]} programs, $reports reports, and $explained that tests/ndk/thread.supp explains"
echo "ndk $ARCH: $passed passed, $failed failed"
((failed == 0))
