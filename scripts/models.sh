#!/usr/bin/env bash
# Runs the models of models/, which try every order of the library's threads. Then verifies that the models detect each mutant:
#
#   scripts/models.sh [MUTANT...]     default: all mutants
#   scripts/models.sh --models        the models without the mutants
#
# A mutant is a patch in models/mutants that adds one fault. Its head names the fault and the model that must fail. A mutant that
# does not apply or that no model detects is a failure. `cargo run --release -- NAME...` in models/ runs single models.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

# Far longer than any model takes.
MODEL_SECONDS_MAX=300

need_setup
export CARGO_TARGET_DIR=$TARGET/models
COPY=$TARGET/models/mutated
PROGRAM=$TARGET/models/release/net_websocket-models
log=$(mktemp)
trap 'rm -f "$log"' EXIT

mutants=()
if [[ ${1-} != --models ]]; then
    for name in "${@:-*}"; do
        for patch in models/mutants/$name.patch; do
            [[ -f $patch ]] || fail "there is no mutant '$name'" 'They are the patches in models/mutants.'
            mutants+=("$patch")
        done
    done
fi

step 'Models'
watch 'building the models' cargo_host build --quiet --release --locked --manifest-path models/Cargo.toml
passed=0 failed=0
"$PROGRAM" | tee "$log" || true
[[ $(tail -n 1 "$log") =~ ^models:\ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]] || fail 'the models ended without a count'
((passed += BASH_REMATCH[1], failed += BASH_REMATCH[2])) || true

((${#mutants[@]} == 0)) || step 'Mutants'
rm -rf "$COPY"
mkdir -p "$COPY"
cp -r src models Cargo.toml "$COPY"

# is_found PATCH: whether the patch applies, compiles, and makes its model fail.
is_found() {
    local patch=$1 model status=0
    model=$(sed -n 's/^Killed by: //p' "$patch")
    # All context lines must match. With fewer of them, the patch could change another place than its head says.
    patch --quiet --force --fuzz=0 --directory "$COPY" --strip 1 <"$patch" || return
    cargo_host build --quiet --release --locked --manifest-path "$COPY/models/Cargo.toml" || return
    # Not -q, which would leave before the program has written all, and make it fail.
    "$PROGRAM" --list | grep -Fx -- "$model" || { echo "there is no model '$model'"; return 1; }
    timeout "$MODEL_SECONDS_MAX" "$PROGRAM" "$model" || status=$?
    # 124: neither this nor that. Any other end is a panic, an abort or a deadlock that loom has found.
    ((status != 0 && status != 124))
}

for patch in "${mutants[@]}"; do
    name=${patch##*/} name=${name%.patch}
    if is_found "$patch" >"$log" 2>&1; then
        ((++passed))
        say "found   $name: $(head -n 1 "$patch")"
    else
        ((++failed))
        say "MISSED  $name: $(head -n 1 "$patch")"
        sed 's/^/        /' "$log" >&2
    fi
    sed -n 's|^+++ b/||p' "$patch" | while read -r file; do
        cp "$file" "$COPY/$file"
    done
done

say "took $SECONDS s"
echo "$passed passed, $failed failed"
((failed == 0))
