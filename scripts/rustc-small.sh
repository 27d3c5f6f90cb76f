#!/bin/sh
# For cargo, as RUSTC_WORKSPACE_WRAPPER: has rustc put fewer functions into their callers when it makes the shared library of all
# crates. Functions of messages that are to be in their callers all the same have the attribute `inline`.
case " $* " in
    *' --crate-type cdylib '*) exec "$@" -C llvm-args=-inline-threshold=100 ;;
esac
exec "$@"
