#!/usr/bin/env bash
# Collects the files of a release in release/, from the results of scripts/package.sh: scripts/release.sh [TAG]
#
#   net_websocket-VERSION.har         for ohpm: three ABIs, types, notices, list of components
#   net_websocket-VERSION-native.zip  for C and C++: libraries, headers, a CMake package, notices, list of components
#   index.d.ts                        the declarations of the ArkTS API, to read
#   THIRD-PARTY-NOTICES.txt, net_websocket.cdx.json, LICENSE
#   SHA256SUMS                        of all of them: sha256sum --check SHA256SUMS
#   notes.md                          what CHANGELOG.md says of this version; not for download
#
# TAG must be the version in Cargo.toml, and CHANGELOG.md must have a section for it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"
(($# <= 1)) || fail 'too many arguments' 'Usage: scripts/release.sh [TAG]'

version=$(awk -F '"' '/^version/ { print $2; exit }' Cargo.toml)
heading=Unreleased
if [[ ${1-} ]]; then
    [[ $1 == "v$version" ]] || fail "the tag $1 is not the version $version of Cargo.toml" "It has to be v$version."
    heading=$version
fi
for file in package.har package/THIRD-PARTY-NOTICES.txt package/net_websocket.cdx.json "$DECLARATIONS" \
    "${ABIS[@]/#/$PREFIX/}" "$PREFIX"/{include,lib/cmake}; do
    [[ -e $file ]] || fail "there is no ${file#"$ROOT"/}" 'Run scripts/package.sh first.'
done

notes=$(awk -v heading="$heading" '/^## / { wanted = $2 == heading; next } wanted' CHANGELOG.md)
[[ $notes ]] || fail "CHANGELOG.md has no section '## $heading'" 'Give it one: it becomes the notes of the release.'

rm -rf release
mkdir release
printf '%s\n' "$notes" >release/notes.md
cp package.har "release/net_websocket-$version.har"
cp "$DECLARATIONS" LICENSE package/THIRD-PARTY-NOTICES.txt package/net_websocket.cdx.json release/
# By Python, since every machine that builds has it, and with one time for all files: the same bytes from the same files.
python3 - "release/net_websocket-$version-native.zip" "net_websocket-$version" "$PREFIX" \
    LICENSE package/THIRD-PARTY-NOTICES.txt package/net_websocket.cdx.json <<'ZIP'
import pathlib, sys, zipfile

target, name, prefix, *others = sys.argv[1:]
prefix = pathlib.Path(prefix)
files = {path.relative_to(prefix).as_posix(): path for path in prefix.rglob("*") if path.is_file()}
files |= {pathlib.Path(other).name: pathlib.Path(other) for other in others}
with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for inside, path in sorted(files.items()):
        entry = zipfile.ZipInfo(f"{name}/{inside}", (1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
ZIP
sums=$(cd release && find . -type f ! -name notes.md -printf '%P\n' | LC_ALL=C sort | xargs sha256sum)
echo "$sums" >release/SHA256SUMS
sed 's/^/    /' release/SHA256SUMS
