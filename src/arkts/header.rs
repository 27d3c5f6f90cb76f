//! Parses the headers of a request from JavaScript.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::error::ApiError;
use super::lenience::{Lenience, shown};
use super::napi::{Type, Value};
use crate::client::RawHeader;

/// Names and values. Of names that differ only in case, the last one is used, as on the platform.
pub fn headers(value: Value<'_>, lenience: Lenience) -> Result<Vec<RawHeader>, ApiError> {
    if value.type_of() != Type::Object {
        lenience.leave_out("header", "an object of names and values");
        return Ok(Vec::new());
    }
    if let Some(kind) = value.collection() {
        let wanted = format!("must be an object of names and values, but has type {kind}");
        return Err(ApiError::parameter("header", &wanted));
    }
    let mut headers: Vec<RawHeader> = Vec::new();
    let mut places = HashMap::new();
    let entries = value.entries().map_err(|_| ApiError::parameter("header", "cannot be read"))?;
    for (name, value) in entries {
        let Some(value) = header_value(&name, value)? else { continue };
        let header = (name.into_bytes(), value.into_bytes());
        match places.entry(header.0.to_ascii_lowercase()) {
            Entry::Vacant(place) => {
                place.insert(headers.len());
                headers.push(header);
            }
            Entry::Occupied(place) => {
                lenience.warn("header", "has a name in several spellings; the last one is used");
                headers[*place.get()] = header;
            }
        }
    }
    Ok(headers)
}

/// The value of a header. `None` for an ignored header.
fn header_value(name: &str, value: Value<'_>) -> Result<Option<String>, ApiError> {
    let text = match value.type_of() {
        Type::Undefined | Type::Null => return Ok(None),
        Type::String => value.to_text(),
        Type::Number | Type::Boolean => value.as_text(),
        Type::Object | Type::Function | Type::Other => {
            let kind = value.collection().unwrap_or_else(|| "another".to_owned());
            let wanted = "must be a string, a number or a boolean";
            let what = format!("the value of {} {wanted}, but has type {kind}", shown(name));
            return Err(ApiError::parameter("header", &what));
        }
    };
    // An empty Origin or User-Agent removes the library's own header.
    let speaks_by_silence = ["origin", "user-agent"].iter().any(|own| name.eq_ignore_ascii_case(own));
    Ok(text.filter(|text| !text.is_empty() || speaks_by_silence))
}
