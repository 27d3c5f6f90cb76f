//! Reads, changes and calls a JavaScript value.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use napi_ohos::{ValueType, sys};

use super::handle::{EngineError, Value, ask, check};

/// The attributes of a property made by an assignment.
const PLAIN: sys::napi_property_attributes = sys::PropertyAttributes::writable
    | sys::PropertyAttributes::enumerable
    | sys::PropertyAttributes::configurable;

/// The types that this library distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Undefined,
    Null,
    Boolean,
    Number,
    String,
    Object,
    Function,
    Other,
}

/// Why a value has no readable bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoBytes {
    /// It is neither an ArrayBuffer nor a view into one.
    OtherType,
    /// The bytes were transferred to another buffer.
    Detached,
    /// Other threads may write there at the same time.
    Shared,
}

impl From<EngineError> for NoBytes {
    fn from(EngineError: EngineError) -> Self {
        Self::OtherType
    }
}

impl Value<'_> {
    pub fn type_of(self) -> Type {
        // Some engines pass a null pointer for an omitted argument.
        if self.raw.is_null() {
            return Type::Undefined;
        }
        match ask!(napi_typeof, self.env, self.raw; 0).map(ValueType::from) {
            Ok(ValueType::Undefined) => Type::Undefined,
            Ok(ValueType::Null) => Type::Null,
            Ok(ValueType::Boolean) => Type::Boolean,
            Ok(ValueType::Number) => Type::Number,
            Ok(ValueType::String) => Type::String,
            Ok(ValueType::Object) => Type::Object,
            Ok(ValueType::Function) => Type::Function,
            Ok(_) | Err(EngineError) => Type::Other,
        }
    }

    pub fn is_undefined(self) -> bool {
        self.type_of() == Type::Undefined
    }

    /// Whether it is undefined or null.
    pub fn is_absent(self) -> bool {
        matches!(self.type_of(), Type::Undefined | Type::Null)
    }

    /// The text of a string. Lone surrogates become U+FFFD.
    pub fn to_text(self) -> Option<String> {
        if self.type_of() != Type::String {
            return None;
        }
        let length =
            ask!(napi_get_value_string_utf8, self.env, self.raw, ptr::null_mut(), 0; 0_usize).ok()?;
        let mut bytes = vec![0_u8; length + 1];
        let copied = ask!(napi_get_value_string_utf8, self.env, self.raw, bytes.as_mut_ptr().cast(), bytes.len(); 0_usize);
        bytes.truncate(copied.ok()?);
        Some(
            String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        )
    }

    /// Calls `read` with the UTF-8 of a string, lone surrogates replaced. `None` for any other value.
    pub fn with_text<R>(self, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        // One call reads a short text, into memory on the stack. The engine leaves out a character that does not fit.
        // So with little room left, the text may be cut.
        const LONGEST_CHARACTER_BYTES: usize = 4;
        let mut bytes = [0_u8; 2_048];
        let copied = ask!(napi_get_value_string_utf8, self.env, self.raw, bytes.as_mut_ptr().cast(), bytes.len(); 0_usize).ok()?;
        let text = &bytes[..copied];
        if copied + LONGEST_CHARACTER_BYTES < bytes.len() && simdutf8::basic::from_utf8(text).is_ok() {
            return Some(read(text));
        }
        self.to_text().map(|text| read(text.as_bytes()))
    }

    /// JavaScript's text of a number or a boolean.
    pub fn as_text(self) -> Option<String> {
        let raw = ask!(napi_coerce_to_string, self.env, self.raw; ptr::null_mut()).ok()?;
        Self { raw, ..self }.to_text()
    }

    /// The class name of an object that iterates over its content, such as Array or Map. `None` for any other value.
    pub fn collection(self) -> Option<String> {
        let iterates = |name| self.get(name).is_ok_and(|method| method.type_of() == Type::Function);
        if self.type_of() != Type::Object || !(iterates(c"entries") || iterates(c"forEach")) {
            return None;
        }
        self.get(c"constructor").and_then(|class| class.get(c"name")).ok()?.to_text()
    }

    pub fn to_number(self) -> Option<f64> {
        ask!(napi_get_value_double, self.env, self.raw; 0.0).ok().filter(|_| self.type_of() == Type::Number)
    }

    /// The value of a bigint from 0 to 2^64 - 1. `None` for any other value.
    pub fn to_uint64(self) -> Option<u64> {
        // There is room for one word too many, because an engine may report no more words than there is room for.
        let (mut sign, mut words, mut count) = (0, [0; 2], 2);
        // SAFETY: as in `ask!`. There is room for `count` words.
        let status = unsafe {
            sys::napi_get_value_bigint_words(self.env, self.raw, &mut sign, &mut count, words.as_mut_ptr())
        };
        check(status).ok().filter(|()| sign == 0 && count < words.len()).map(|()| words[0])
    }

    pub fn to_boolean(self) -> Option<bool> {
        ask!(napi_get_value_bool, self.env, self.raw; false).ok().filter(|_| self.type_of() == Type::Boolean)
    }

    /// Calls `read` with the bytes of an ArrayBuffer, or of a view into one.
    pub fn with_bytes<R>(self, read: impl FnOnce(&[u8]) -> R) -> Result<R, NoBytes> {
        let mut data: *mut c_void = ptr::null_mut();
        let mut buffer = self.raw;
        let length = if ask!(napi_is_arraybuffer, self.env, self.raw; false)? {
            ask!(napi_get_arraybuffer_info, self.env, self.raw, &mut data; 0_usize)?
        } else if ask!(napi_is_typedarray, self.env, self.raw; false)? {
            let (mut kind, mut count) = (0, 0);
            let _offset = ask!(
                napi_get_typedarray_info, self.env, self.raw, &mut kind, &mut count, &mut data, &mut buffer; 0_usize
            )?;
            count * element_bytes(kind).ok_or(NoBytes::OtherType)?
        } else if ask!(napi_is_dataview, self.env, self.raw; false)? {
            let mut length = 0;
            let _offset = ask!(
                napi_get_dataview_info, self.env, self.raw, &mut length, &mut data, &mut buffer; 0_usize
            )?;
            length
        } else {
            return Err(NoBytes::OtherType);
        };
        // For an engine, a SharedArrayBuffer is not an ArrayBuffer.
        if buffer != self.raw && !ask!(napi_is_arraybuffer, self.env, buffer; false)? {
            return Err(NoBytes::Shared);
        }
        if length == 0 && ask!(napi_is_detached_arraybuffer, self.env, buffer; false)? {
            return Err(NoBytes::Detached);
        }
        if length == 0 || data.is_null() {
            return Ok(read(&[]));
        }
        // SAFETY: the engine describes the buffer. No other thread shares it, and no script runs before `read` returns.
        Ok(read(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) }))
    }

    pub fn get(self, name: &CStr) -> Result<Self, EngineError> {
        ask!(napi_get_named_property, self.env, self.raw, name.as_ptr(); ptr::null_mut())
            .map(|raw| Self { raw, ..self })
    }

    pub fn set(self, name: &CStr, value: Value<'_>) -> Result<(), EngineError> {
        // SAFETY: as in `ask!`.
        check(unsafe { sys::napi_set_named_property(self.env, self.raw, name.as_ptr(), value.raw) })
    }

    pub fn set_by_value(self, name: Value<'_>, value: Value<'_>) -> Result<(), EngineError> {
        // SAFETY: as in `ask!`.
        check(unsafe { sys::napi_set_property(self.env, self.raw, name.raw, value.raw) })
    }

    /// Sets a property of the object itself. `__proto__` is a name like any other.
    pub fn set_own(self, name: Value<'_>, value: Value<'_>) -> Result<(), EngineError> {
        self.define_named(ptr::null(), name.raw, value, PLAIN)
    }

    /// Sets a property of the object itself that scripts list, see and change.
    pub fn set_plain(self, name: &CStr, value: Value<'_>) -> Result<(), EngineError> {
        self.define(name, value, PLAIN)
    }

    pub fn get_by_value(self, name: Value<'_>) -> Result<Self, EngineError> {
        ask!(napi_get_property, self.env, self.raw, name.raw; ptr::null_mut()).map(|raw| Self { raw, ..self })
    }

    /// Sets a property that scripts see but cannot change. This method can set it again.
    pub fn set_readonly(self, name: &CStr, value: Value<'_>) -> Result<(), EngineError> {
        self.define(name, value, sys::PropertyAttributes::enumerable | sys::PropertyAttributes::configurable)
    }

    /// Sets a property, by a symbol, that scripts neither list nor change.
    pub fn set_hidden_by_value(self, name: Value<'_>, value: Value<'_>) -> Result<(), EngineError> {
        self.define_named(ptr::null(), name.raw, value, sys::PropertyAttributes::default)
    }

    /// Sets a property that scripts list and see. It never changes.
    pub fn set_constant(self, name: &CStr, value: Value<'_>) -> Result<(), EngineError> {
        self.define(name, value, sys::PropertyAttributes::enumerable)
    }

    /// Sets a property that scripts can change, but do not list.
    pub fn set_unlisted(self, name: &CStr, value: Value<'_>) -> Result<(), EngineError> {
        self.define(name, value, sys::PropertyAttributes::writable | sys::PropertyAttributes::configurable)
    }

    /// Sets a property, named by a value. Scripts neither list it nor assign to it, but may redefine it.
    pub fn set_fixed_by_value(self, name: Value<'_>, value: Value<'_>) -> Result<(), EngineError> {
        self.define_named(ptr::null(), name.raw, value, sys::PropertyAttributes::configurable)
    }

    /// Sets a property that scripts neither see nor change.
    pub fn set_hidden(self, name: &CStr, value: Value<'_>) -> Result<(), EngineError> {
        self.define(name, value, sys::PropertyAttributes::default)
    }

    fn define(
        self,
        name: &CStr,
        value: Value<'_>,
        attributes: sys::napi_property_attributes,
    ) -> Result<(), EngineError> {
        self.define_named(name.as_ptr(), ptr::null_mut(), value, attributes)
    }

    /// Either of the names is null.
    fn define_named(
        self,
        utf8name: *const c_char,
        name: sys::napi_value,
        value: Value<'_>,
        attributes: sys::napi_property_attributes,
    ) -> Result<(), EngineError> {
        let property = sys::napi_property_descriptor {
            utf8name,
            name,
            method: None,
            getter: None,
            setter: None,
            value: value.raw,
            attributes,
            data: ptr::null_mut(),
        };
        // SAFETY: as in `ask!`. The descriptor outlives the call.
        check(unsafe { sys::napi_define_properties(self.env, self.raw, 1, &property) })
    }

    /// The own enumerable names and values of an object.
    pub fn entries(self) -> Result<Vec<(String, Self)>, EngineError> {
        let names = ask!(napi_get_property_names, self.env, self.raw; ptr::null_mut())?;
        let count = ask!(napi_get_array_length, self.env, names; 0_u32)?;
        let mut entries = Vec::new();
        for index in 0..count {
            let name = ask!(napi_get_element, self.env, names, index; ptr::null_mut())?;
            let value = ask!(napi_get_property, self.env, self.raw, name; ptr::null_mut())?;
            let name = Self { raw: name, ..self }.to_text().ok_or(EngineError)?;
            entries.push((name, Self { raw: value, ..self }));
        }
        Ok(entries)
    }

    /// The elements of an array. `None` for any other value.
    pub fn elements(self) -> Option<Vec<Self>> {
        ask!(napi_is_array, self.env, self.raw; false).ok().filter(|is_array| *is_array)?;
        let count = ask!(napi_get_array_length, self.env, self.raw; 0_u32).ok()?;
        let element = |index| ask!(napi_get_element, self.env, self.raw, index; ptr::null_mut());
        (0..count).map(|index| element(index).ok().map(|raw| Self { raw, ..self })).collect()
    }

    /// The element of an array.
    pub fn element(self, index: u32) -> Result<Self, EngineError> {
        ask!(napi_get_element, self.env, self.raw, index; ptr::null_mut()).map(|raw| Self { raw, ..self })
    }

    /// Sets the element of an array.
    pub fn set_element(self, index: u32, value: Value<'_>) -> Result<(), EngineError> {
        // SAFETY: as in `ask!`.
        check(unsafe { sys::napi_set_element(self.env, self.raw, index, value.raw) })
    }

    /// Whether this object is an instance of `class`.
    pub fn is_instance(self, class: Value<'_>) -> bool {
        ask!(napi_instanceof, self.env, self.raw, class.raw; false).unwrap_or(false)
    }

    /// Converts any value to a number as JavaScript does. If that is impossible, an exception is pending.
    pub fn coerce_number(self) -> Result<f64, EngineError> {
        let raw = ask!(napi_coerce_to_number, self.env, self.raw; ptr::null_mut())?;
        ask!(napi_get_value_double, self.env, raw; 0.0)
    }

    /// Converts any value to a boolean as JavaScript does.
    pub fn coerce_boolean(self) -> Result<bool, EngineError> {
        let raw = ask!(napi_coerce_to_bool, self.env, self.raw; ptr::null_mut())?;
        ask!(napi_get_value_bool, self.env, raw; false)
    }

    /// Converts any value to a text as JavaScript does. If that is impossible, an exception is pending.
    pub fn coerce_text(self) -> Result<String, EngineError> {
        match self.type_of() {
            Type::String => self.to_text().ok_or(EngineError),
            _ => self.as_text().ok_or(EngineError),
        }
    }

    /// Whether it is an object or a function.
    pub fn is_object(self) -> bool {
        matches!(self.type_of(), Type::Object | Type::Function)
    }

    /// Deletes a property of the object itself.
    pub fn delete(self, name: &CStr) -> Result<(), EngineError> {
        let name = self.env().string(&name.to_string_lossy())?;
        ask!(napi_delete_property, self.env, self.raw, name.raw; false).map(|_| ())
    }

    pub fn is_same(self, other: Self) -> bool {
        ask!(napi_strict_equals, self.env, self.raw, other.raw; false).unwrap_or(false)
    }

    /// Calls this function. An exception that it throws stays pending.
    pub fn call<const N: usize>(self, this: Self, arguments: [Self; N]) -> Result<Self, EngineError> {
        let raw = arguments.map(|argument| argument.raw);
        ask!(napi_call_function, self.env, this.raw, self.raw, raw.len(), raw.as_ptr(); ptr::null_mut())
            .map(|raw| Self { raw, ..self })
    }

    /// Makes an instance with this constructor.
    pub fn construct(self) -> Result<Self, EngineError> {
        self.construct_with([])
    }

    /// Makes an instance with this constructor and these arguments.
    pub fn construct_with<const N: usize>(self, arguments: [Self; N]) -> Result<Self, EngineError> {
        let raw = arguments.map(|argument| argument.raw);
        ask!(napi_new_instance, self.env, self.raw, raw.len(), raw.as_ptr(); ptr::null_mut())
            .map(|raw| Self { raw, ..self })
    }
}

/// The kind of a Float16Array in newer versions of Node-API.
const FLOAT16_ARRAY: sys::napi_typedarray_type = 11;

/// The size in bytes of an element, by napi_typedarray_type.
fn element_bytes(kind: sys::napi_typedarray_type) -> Option<usize> {
    use sys::TypedarrayType as MessageType;
    match kind {
        MessageType::int8_array | MessageType::uint8_array | MessageType::uint8_clamped_array => Some(1),
        MessageType::int16_array | MessageType::uint16_array => Some(2),
        MessageType::int32_array | MessageType::uint32_array | MessageType::float32_array => Some(4),
        MessageType::float64_array | MessageType::bigint64_array | MessageType::biguint64_array => Some(8),
        FLOAT16_ARRAY => Some(2),
        _ => None,
    }
}
