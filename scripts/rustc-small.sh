#!/bin/sh
# For cargo, as RUSTC_WORKSPACE_WRAPPER: makes the shared library of all crates small. Message functions that must stay inlined have
# the attribute `inline`.
#
# At level 2, rustc inlines up to the threshold given here, and less into functions of crates with opt-level "z" or "s". At level 3,
# -inline-threshold would hold for those as well. The other two options are parts of level 3 that messages need: more inlining in
# loops, and vectors.
case " $* " in
    *' --crate-type cdylib '*)
        exec "$@" -C opt-level=2 -C passes=slp-vectorizer \
            -C llvm-args='-inlinedefault-threshold=110 -locally-hot-callsite-threshold=525'
        ;;
esac
exec "$@"
