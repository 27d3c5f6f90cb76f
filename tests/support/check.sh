# shellcheck shell=bash
# For test scripts that count: source it after scripts/lib.sh. They set work, a folder, and begin with passed and failed.

# check NAME COMMAND...: one test, by its exit code.
check() {
    if "${@:2}" >"$work/log" 2>&1; then
        ((++passed))
        echo "ok $1"
    else
        ((++failed))
        echo "FAILED $1"
        cat "$work/log"
    fi
}
