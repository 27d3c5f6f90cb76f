#!/usr/bin/env bash
# Renders the documentation into one site, target/site: scripts/docs.sh [--fast]
#
#   index.html   the start page, docs/index.html
#   c/           the guide docs/c, and a reference of the C and C++ headers, by Doxygen
#   rust/        the modules inside the library, by rustdoc; not with --fast
#
# A warning of Doxygen or rustdoc is an error, and so is a dead link.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
fast=''
case ${1-} in
    '') ;;
    --fast) fast=yes ;;
    *) fail "unknown argument '$1'" 'Usage: scripts/docs.sh [--fast]' ;;
esac
need_setup --tests

site=$TARGET/site
NWS_VERSION=$(awk -F '"' '/^version/ { print $2; exit }' Cargo.toml)
NWS_OUTPUT=$site
export NWS_VERSION NWS_OUTPUT
rm -rf "$site"
mkdir -p "$site"
doxygen docs/Doxyfile
if [[ $fast ]]; then
    sed '/<!-- rust -->/,/<!-- \/rust -->/d' docs/index.html >"$site/index.html"
else
    cp docs/index.html "$site/index.html"
    RUSTDOCFLAGS='-D warnings' cargo_host doc --quiet --no-deps --document-private-items
    cp -r "$TARGET/doc" "$site/rust"
fi
links=$(node scripts/docs-pages.mjs check "$site")
say "$(find "$site" -name '*.html' | wc -l) pages, $links: $site/index.html"
