#!/usr/bin/env bash
# Runs the 517 server cases of the Autobahn suite (PyPI's kosoku) against the library's own server. Compares each result with
# tests/conformance/expected.json, which the client shares.
#
#   tests/conformance/server.sh [--short]
#
#   --short    without the cases that send the most bytes, which take nineteen twentieths of the time
#
# When nothing it depends on has changed since it passed, it says so and leaves it at that.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
cd "$ROOT"

# A thousand compressed messages each. Two cases of each group are left, of 16 bytes and of 8 KiB in fragments.
LONG=({12,13}.'*'.{2,3,4,5,6,7,8,9,10,12,13,14,15,16,17,18})
left_out=() stamp=conformance-server
case ${1-} in
    '') ;;
    --short)
        stamp+=-short left_out=("${LONG[@]}")
        ;;
    *) fail "unknown argument '$1'" 'Usage: tests/conformance/server.sh [--short]' ;;
esac
need_setup --tests
if passed_before "$stamp" tests/conformance tests/tools/conformance_server.rs "$NWS_KOSOKU/.stamp"; then
    exit
fi

cargo_host build --quiet --profile tools --example conformance_server
work=$(mktemp -d)
# It ends with its standard input.
coproc SERVER { "$TARGET/tools/examples/conformance_server" 2>"$work/server.log"; }
server=$SERVER_PID
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
read -r url <&"${SERVER[0]}" || fail 'the server did not start' "$(<"$work/server.log")"
PYTHONPATH=$NWS_KOSOKU python3 -c 'from kosoku._cli import main; main()' -m fuzzingclient -p 2 -o "$work/reports" \
    "${left_out[@]/#/--exclude=}" "${url#ws://}" >"$work/client.log" 2>&1 </dev/null ||
    fail 'the suite ended with an error' "$(tail -n 5 "$work/client.log")"
python3 tests/conformance/judge.py --without "${left_out[*]}" tests/conformance/expected.json >"$work/expected.json"
summary=$(python3 tests/conformance/judge.py "$work/reports/index.json" "$work/expected.json") && status=0 || status=$?
echo "server $summary"
((status != 0)) || passed_now "$(tail -n 1 <<<"$summary")"
((${#left_out[@]} == 0)) || echo "skip: the cases ${left_out[*]}, which take minutes; without --short they run too"
exit "$status"
