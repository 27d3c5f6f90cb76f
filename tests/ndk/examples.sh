# shellcheck shell=bash
# The C and C++ programs of examples/, as a user starts them. tests/ndk/run.sh sources it: it has compile_c, compile_cxx and run.

EXAMPLES=(chat.c chat.cpp client_certificate.c reconnect.c upload.c)
EXAMPLE_LINES=60

compile_examples() {
    local example to
    for example in "${EXAMPLES[@]}"; do
        to=$BUILD/example_${example/./_}
        if [[ $example == *.cpp ]]; then
            compile_cxx -std=c++17 "${COMMON[@]}" -c "$ROOT/examples/$example" -o "$to.o"
            compile_cxx "$to.o" -L "$LIBRARY" -lnet_websocket -lpthread -o "$to" "${LINK[@]}"
        else
            compile_c -std=c99 "${COMMON[@]}" -c "$ROOT/examples/$example" -o "$to.o"
            compile_c "$to.o" -L "$LIBRARY" -lnet_websocket -lpthread -o "$to" "${LINK[@]}"
        fi
    done
}

# examples: runs them, and prints the counts.
examples() {
    local passed=0 failed=0 said status program pin line said_by input process
    if [[ -n ${SANITIZE:-} ]]; then
        # What a sanitizer reports is nothing that a program says, and is not to be lost with it.
        rm -f "$BUILD"/report.*
        local -x TSAN_OPTIONS="${TSAN_OPTIONS-}:log_path='$BUILD/report'" ASAN_OPTIONS="log_path='$BUILD/report'"
        local -x UBSAN_OPTIONS=$ASAN_OPTIONS
    fi
    # verdict WHAT STATUS PATTERN: whether what was just run has ended so and has said so.
    verdict() {
        # shellcheck disable=SC2053 # a pattern
        if [[ $status == $2 && $said =~ $3 ]]; then
            ((++passed))
        else
            ((++failed))
            printf 'FAIL %s: status %s, said: %s\n' "$1" "$status" "$said"
        fi
    }
    # example WHAT STATUS PATTERN PROGRAM ARGUMENT...: with the input that it finds.
    example() {
        status=0
        said=$(run "$BUILD/example_$4" "${@:5}" 2>&1) || status=$?
        verdict "$1" "$2" "$3"
    }

    for program in chat_c chat_cpp; do
        example "$program" 0 $'< one\n< two\nclosed 1000 bye' "$program" "$WS_URL" < <(printf 'one\ntwo\n')
        example "$program, refused" "[1-9]*" "TCP connect" "$program" ws://127.0.0.1:1 < <(echo one)
        example "$program, no URL" 2 'usage' "$program" </dev/null
    done

    pin=$(<"${CA_FILE%/*}/mutual.pin")
    example 'client_certificate' 0 '^open' client_certificate_c "$WSS_MUTUAL_URL" "$CA_FILE" "$CLIENT_CERT_FILE" "$CLIENT_KEY_FILE" "$pin"
    # The text has the server's own key.
    example 'client_certificate, another pin' 1 "${pin//+/.}" client_certificate_c \
        "$WSS_MUTUAL_URL" "$CA_FILE" "$CLIENT_CERT_FILE" "$CLIENT_KEY_FILE" "$SERVER_PIN"
    example 'client_certificate, another certificate' 1 'certificate' client_certificate_c \
        "$WSS_MUTUAL_URL" "$CA_FILE" "$OTHER_CERT_FILE" "$OTHER_KEY_FILE" "$pin"
    example 'client_certificate, no arguments' 2 'usage' client_certificate_c

    example 'upload' 0 $'^closed 1000\n8000000 bytes, waited [0-9]+ times' upload_c "$WS_URL/sink" < <(head -c 8000000 /dev/zero)
    example 'upload, refused' '[1-9]*' 'TCP connect' upload_c ws://127.0.0.1:1 < <(head -c 8000000 /dev/zero)

    # reconnect WHAT PATH WORD PATTERN: runs until its input ends. Ends the input at the line that begins with WORD.
    reconnect() {
        rm -f "$BUILD/input"
        mkfifo "$BUILD/input"
        exec {said_by}< <(run "$BUILD/example_reconnect_c" "$WS_URL$2" <"$BUILD/input" 2>"$BUILD/reconnect.log")
        process=$!
        exec {input}>"$BUILD/input"
        said='' status=0
        while read -rt 20 line <&"$said_by"; do
            said+=$line$'\n'
            [[ $line != "$3"* ]] || break
        done
        exec {input}>&-
        cat <&"$said_by" >/dev/null
        exec {said_by}<&-
        wait "$process" || status=$?
        verdict "$1" 0 "$4"
    }
    reconnect 'reconnect' /close/1012/restart back $'^login: Bearer token-1\nattempt 1 in .*\nlogin: Bearer token-2\nback after '
    reconnect 'reconnect, refused' /status/403 'gives up' $'^login: Bearer token-1\ngives up: .* HTTP 403 '

    for program in "$ROOT"/examples/*.*; do
        [[ $program != *.md ]] || continue
        status=0 said=$(wc -l <"$program")
        ((said <= EXAMPLE_LINES)) || status="more than $EXAMPLE_LINES lines"
        verdict "${program##*/}, lines" 0 .
        said=$(grep -c "(${program##*/})" "$ROOT/examples/README.md") || status='not in examples/README.md'
        verdict "${program##*/}, examples/README.md" 0 .
        [[ $program != *.c && $program != *.cpp || " ${EXAMPLES[*]} " == *" ${program##*/} "* ]] || status='nothing runs it'
        verdict "${program##*/}, run" 0 .
    done
    [[ -z ${SANITIZE:-} ]] || find "$BUILD" -maxdepth 1 -name 'report.*' -exec cat {} +
    echo "$passed passed, $failed failed"
    ((failed == 0))
}
