#!/usr/bin/env bash
# Simulates lives of the whole client in virtual time (tests/simulation), too many for every test run:
#
#   scripts/simulate.sh [LIVES [FIRST]]     default: 1000000 lives, from a seed that it draws and prints
#   scripts/simulate.sh --seed SEED         the story of one life, in the debug build of the tests
#
# The build is optimized, with the checks of a debug build. The script prints each failed seed with its failure. A seed gives the
# same life in every build. Fix the fault, and add the seed to tests/simulation/main.rs.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

need_setup
if [[ ${1-} == --seed ]]; then
    [[ ${2-} =~ ^[0-9]+$ ]] || fail 'no seed' 'Usage: scripts/simulate.sh [LIVES [FIRST]] | --seed SEED'
    SIMULATION_SEED=$2 cargo_host test --quiet --features simulation --test simulation every_life -- --nocapture
    exit
fi
lives=${1-1000000} first=${2-$((RANDOM * 32768 * 32768 + RANDOM * 32768 + RANDOM))}
[[ $lives =~ ^[1-9][0-9]*$ && $first =~ ^[0-9]+$ ]] ||
    fail 'no such number' 'Usage: scripts/simulate.sh [LIVES [FIRST]] | --seed SEED'

step 'Building'
watch 'simulation' cargo_host test --quiet --profile tools --features simulation --test simulation --no-run
step "$lives lives, the first of the seed $first"
SIMULATION_LIVES=$lives SIMULATION_FIRST=$first \
    cargo_host test --quiet --profile tools --features simulation --test simulation every_life -- --nocapture
