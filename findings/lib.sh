# shellcheck shell=bash
# Functions of the findings: source it. Each finding runs another program, without this library, in a temporary folder.
#
#   take_debian PACKAGE=VERSION...   unpacks Debian 12's packages, and what they need and is not installed, into $work/debian
#   take_pypi PACKAGE==VERSION...    installs into a virtual environment, $work/python
#   take_npm PACKAGE@VERSION...      installs into $work/node_modules
#   take_crates CRATE@VERSION:FEATURE,...   builds the Rust program on its standard input with these crates, as $work/program
#   serve COMMAND...                 runs a server in the background, in $work, until the finding ends
#   compare EXPECTED                 shows its standard input, and fails if that is not EXPECTED

set -euo pipefail
findings=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
servers=()
finish() {
    local server
    for server in "${servers[@]}"; do
        kill -KILL -- "-$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT
export PYTHONPATH=$findings PYTHONDONTWRITEBYTECODE=1

take_debian() {
    mkdir -p "$work/archives/partial" "$work/debian"
    apt-get -qq -y -o Debug::NoLocking=1 -o "Dir::Cache::archives=$work/archives" --reinstall --no-install-recommends \
        --download-only install "$@" >"$work/apt.log" 2>&1 || { cat "$work/apt.log" >&2; exit 1; }
    local archive
    for archive in "$work"/archives/*.deb; do
        dpkg -x "$archive" "$work/debian"
    done
    local lib=$work/debian/usr/lib/x86_64-linux-gnu
    export LD_LIBRARY_PATH=$lib:$work/debian/lib/x86_64-linux-gnu
    echo "Debian 12: $*"
}

take_pypi() {
    python3 -m venv "$work/python"
    "$work/python/bin/pip" -q --disable-pip-version-check install "$@"
    echo "PyPI: $*"
}

take_npm() {
    npm install --silent --no-audit --no-fund --prefix "$work" "$@" >/dev/null
    echo "npm: $*"
}

take_crates() {
    local crate manifest=$work/crate/Cargo.toml
    mkdir -p "$work/crate/src"
    cat >"$work/crate/src/main.rs"
    {
        printf '[package]\nname = "program"\nedition = "2021"\n\n[dependencies]\n'
        for crate in "$@"; do
            printf '%s = { version = "=%s", default-features = false, features = ["%s"] }\n' "${crate%%@*}" \
                "$(cut -d@ -f2 <<<"${crate%:*}")" "$(sed 's/.*://; s/,/", "/g' <<<"$crate")"
        done
    } >"$manifest"
    cargo build --quiet --manifest-path "$manifest" --target-dir "$work/target"
    cp "$work/target/debug/program" "$work/program"
    echo "crates.io: $*"
}

# In a process group of its own, which ends with the finding.
serve() {
    (cd "$work" && exec setsid "$@" >"$work/server.log" 2>&1 </dev/null) &
    servers+=("$!")
}

# compare EXPECTED: shows standard input, and fails if it is not EXPECTED.
compare() {
    tee "$work/seen"
    if ! diff <(printf '%s\n' "$1") "$work/seen" >"$work/diff"; then
        printf 'This has changed (< expected, > seen):\n' >&2
        cat "$work/diff" >&2
        exit 1
    fi
}
