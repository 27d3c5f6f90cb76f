#!/bin/sh
# For cargo, as RUSTC_WORKSPACE_WRAPPER: makes rustc inline fewer functions in the shared library of all crates. Message functions
# that must stay inlined have the attribute `inline`.
case " $* " in
    *' --crate-type cdylib '*) exec "$@" -C llvm-args=-inline-threshold=100 ;;
esac
exec "$@"
