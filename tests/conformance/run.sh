#!/usr/bin/env bash
# Runs the 517 cases of the Autobahn suite (PyPI's kosoku) through the library's own session. Compares each result with
# tests/conformance/expected.json.
#
#   tests/conformance/run.sh [--short | --accept]
#
#   --short    without the cases that send the most bytes, which take three quarters of the time
#   --accept   take the results of this run for the expected ones
#
# It takes minutes, most of them in the server; when nothing it depends on has changed since it passed, it says so and
# leaves it at that. README.md here explains the cases that are neither passed nor failed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
cd "$ROOT"

expected=tests/conformance/expected.json
# A thousand compressed messages each, of 64 or 128 KiB.
LONG=({12,13}.'*'.{9,10,14,15,16,17,18})
left_out=() stamp=conformance
case ${1-} in
    '' | --accept) ;;
    --short)
        stamp+=-short left_out=("${LONG[@]}")
        ;;
    *) fail "unknown argument '$1'" 'Usage: tests/conformance/run.sh [--short | --accept]' ;;
esac
need_setup --tests
if passed_before "$stamp" tests/conformance tests/tools/conformance_client.rs "$NWS_KOSOKU/.stamp" && [[ ${1-} != --accept ]]; then
    exit
fi

cargo_host build --quiet --profile tools --example conformance_client
work=$(mktemp -d)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
PYTHONPATH=$NWS_KOSOKU python3 -c 'from kosoku._cli import main; main()' -m fuzzingserver -o "$work/reports" \
    "${left_out[@]/#/--exclude=}" "127.0.0.1:$port" >"$work/server.log" 2>&1 </dev/null &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
# It says so once it listens.
until grep -q listening "$work/server.log"; do
    kill -0 "$server" 2>/dev/null || fail 'the server did not start' "$(<"$work/server.log")"
    read -rt 0.1 <> <(:) || true
done
python3 tests/conformance/judge.py --without "${left_out[*]}" "$expected" >"$work/expected.json"
# The server counts its cases in the order of their names, which is that of the file.
without_context=$(python3 - "$work/expected.json" <<'PYTHON'
import json, sys
print(*(number for number, case in enumerate(json.load(open(sys.argv[1])), 1) if case.startswith(("13.2.", "13.5.", "13.6."))), sep=",")
PYTHON
)
"$TARGET/tools/examples/conformance_client" "ws://127.0.0.1:$port" --without-context "$without_context"
# The server answers first and writes its reports then.
SECONDS=0
until python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$work/reports/index.json" 2>/dev/null; do
    ((SECONDS < 120)) && kill -0 "$server" 2>/dev/null || fail 'the server wrote no reports' "$(<"$work/server.log")"
    read -rt 0.5 <> <(:) || true
done

[[ ${1-} == --accept ]] || expected=$work/expected.json
summary=$(python3 tests/conformance/judge.py "$work/reports/index.json" "$expected" "${1-}") && status=0 || status=$?
echo "$summary"
((status != 0)) || passed_now "$(tail -n 1 <<<"$summary")"
((${#left_out[@]} == 0)) || echo "skip: the cases ${left_out[*]}, which take minutes; without --short they run too"
exit "$status"
