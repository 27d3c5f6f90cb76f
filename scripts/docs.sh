#!/usr/bin/env bash
# Renders the documentation of the C and C++ interface with Doxygen into target/doxygen/html: scripts/docs.sh
#
# What Doxygen warns of is an error.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
need_setup

NWS_VERSION=$(awk -F '"' '/^version/ { print $2; exit }' Cargo.toml)
NWS_OUTPUT=$TARGET/doxygen
export NWS_VERSION NWS_OUTPUT
rm -rf "$NWS_OUTPUT"
mkdir -p "$NWS_OUTPUT"
doxygen docs/Doxyfile
say "$(find "$NWS_OUTPUT/html" -name '*.html' | wc -l) pages: $NWS_OUTPUT/html/index.html"
