//! The shapes of the objects that pass between ArkTS and the bindings, for `index.d.ts` alone.
//!
//! `options.rs` and `objects.rs` read and make them field by field, so that an error can name the field. The order of these
//! modules is their order in `index.d.ts`; the empty lines keep rustfmt from sorting them.
#![expect(dead_code, reason = "only the declarations are used")]

mod request;

mod cause;

mod connection;

mod reconnect;

mod message;

mod statistics;

mod close_result;
