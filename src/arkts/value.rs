//! Node-API values, as far as this face needs them.
//!
//! Owns most of the calls into the engine. Nothing here fails for an ordinary value; what the engine refuses, as it
//! does when an environment ends, becomes [`Refused`].

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr;

use napi_ohos::bindgen_prelude::{FromNapiValue, ToNapiValue, TypeName, ValidateNapiValue};
use napi_ohos::{Error, Result, Status, ValueType, sys};

/// The engine did not do what it was asked; an exception may be pending.
#[derive(Clone, Copy, Debug)]
pub struct Refused;

impl From<Refused> for Error {
    fn from(Refused: Refused) -> Self {
        Self::new(Status::PendingException, "the engine refused")
    }
}

/// `Ok` for napi_ok.
fn check(status: sys::napi_status) -> std::result::Result<(), Refused> {
    if status == sys::Status::napi_ok { Ok(()) } else { Err(Refused) }
}

/// Calls a Node-API function whose last argument is where its result goes.
macro_rules! ask {
    ($function:ident, $env:expr $(, $argument:expr)*; $initial:expr) => {{
        let mut result = $initial;
        // SAFETY: the environment and its values are current: `Value` and `Engine` live no longer than the native call
        // or handle scope they come from, on the environment's own thread. The result is a place of the right type.
        check(unsafe { sys::$function($env $(, $argument)*, &mut result) }).map(|()| result)
    }};
}

/// An environment, on its own thread.
#[derive(Clone, Copy)]
pub struct Engine(sys::napi_env);

impl From<napi_ohos::Env> for Engine {
    fn from(env: napi_ohos::Env) -> Self {
        Self(env.raw())
    }
}

/// A JavaScript value, valid in the handle scope it was made in.
#[derive(Clone, Copy)]
pub struct Value<'env> {
    env: sys::napi_env,
    raw: sys::napi_value,
    scope: PhantomData<&'env ()>,
}

/// The types that are told apart here.
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

impl Engine {
    /// # Safety
    ///
    /// `env` must be current on this thread.
    pub unsafe fn from_raw(env: sys::napi_env) -> Self {
        Self(env)
    }

    pub fn raw(self) -> sys::napi_env {
        self.0
    }

    fn wrap<'env>(self, raw: sys::napi_value) -> Value<'env> {
        Value { env: self.0, raw, scope: PhantomData }
    }

    /// A value of the native call that runs.
    pub fn adopt<'env>(self, raw: sys::napi_value) -> Value<'env> {
        self.wrap(raw)
    }

    /// The value of a reference of this environment.
    pub fn referenced<'env>(self, reference: sys::napi_ref) -> std::result::Result<Value<'env>, Refused> {
        ask!(napi_get_reference_value, self.0, reference; ptr::null_mut()).map(|raw| self.wrap(raw))
    }

    pub fn undefined<'env>(self) -> std::result::Result<Value<'env>, Refused> {
        ask!(napi_get_undefined, self.0; ptr::null_mut()).map(|raw| self.wrap(raw))
    }

    pub fn boolean<'env>(self, value: bool) -> std::result::Result<Value<'env>, Refused> {
        ask!(napi_get_boolean, self.0, value; ptr::null_mut()).map(|raw| self.wrap(raw))
    }

    pub fn number<'env>(self, value: f64) -> std::result::Result<Value<'env>, Refused> {
        ask!(napi_create_double, self.0, value; ptr::null_mut()).map(|raw| self.wrap(raw))
    }

    pub fn string<'env>(self, text: &str) -> std::result::Result<Value<'env>, Refused> {
        self.text(text.as_bytes())
    }

    /// The string of UTF-8; bytes that are none become U+FFFD.
    pub fn text<'env>(self, text: &[u8]) -> std::result::Result<Value<'env>, Refused> {
        let (start, length) = (text.as_ptr().cast(), text.len() as isize);
        // Most text is ASCII, and to see that takes far less time than to decode it.
        let made = if text.is_ascii() {
            ask!(napi_create_string_latin1, self.0, start, length; ptr::null_mut())
        } else {
            ask!(napi_create_string_utf8, self.0, start, length; ptr::null_mut())
        };
        made.map(|raw| self.wrap(raw))
    }

    pub fn object<'env>(self) -> std::result::Result<Value<'env>, Refused> {
        ask!(napi_create_object, self.0; ptr::null_mut()).map(|raw| self.wrap(raw))
    }

    pub fn array<'env>(self, values: &[Value<'env>]) -> std::result::Result<Value<'env>, Refused> {
        let array = ask!(napi_create_array_with_length, self.0, values.len(); ptr::null_mut())?;
        for (index, value) in (0_u32..).zip(values) {
            // SAFETY: the array was made above, the values belong to the same scope.
            check(unsafe { sys::napi_set_element(self.0, array, index, value.raw) })?;
        }
        Ok(self.wrap(array))
    }

    /// An ArrayBuffer with a copy of `bytes`.
    pub fn array_buffer<'env>(self, bytes: &[u8]) -> std::result::Result<Value<'env>, Refused> {
        let mut data: *mut c_void = ptr::null_mut();
        let raw = ask!(napi_create_arraybuffer, self.0, bytes.len(), &mut data; ptr::null_mut())?;
        if !data.is_null() {
            // SAFETY: the engine has just made room for that many bytes there, and no script has seen it.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast(), bytes.len()) };
        }
        Ok(self.wrap(raw))
    }

    /// A function that runs `body`, which lives until the engine has collected the function.
    pub fn function<'env, F>(self, body: F) -> std::result::Result<Value<'env>, Refused>
    where
        F: Fn(Call<'_>) -> std::result::Result<Value<'static>, Refused> + 'static,
    {
        let body = Box::into_raw(Box::new(body));
        let made = ask!(
            napi_create_function, self.0, ptr::null(), 0, Some(called::<F>), body.cast(); ptr::null_mut()
        )
        .and_then(|raw| {
            // SAFETY: as in `ask!`; no reference is asked for.
            check(unsafe {
                sys::napi_add_finalizer(
                    self.0,
                    raw,
                    body.cast(),
                    Some(finalize_box::<F>),
                    ptr::null_mut(),
                    ptr::null_mut(),
                )
            })?;
            Ok(self.wrap(raw))
        });
        made.inspect_err(|_| {
            // SAFETY: the engine did not take it, and no script has seen the function.
            drop(unsafe { Box::from_raw(body) });
        })
    }

    /// The global object.
    pub fn global<'env>(self) -> std::result::Result<Value<'env>, Refused> {
        ask!(napi_get_global, self.0; ptr::null_mut()).map(|raw| self.wrap(raw))
    }

    /// Keeps `data` for as long as the environment lives.
    pub fn set_instance_data<T>(self, data: Box<T>) -> std::result::Result<(), Refused> {
        let data = Box::into_raw(data);
        // SAFETY: as in `ask!`; the engine calls the finalizer once.
        let status = unsafe {
            sys::napi_set_instance_data(self.0, data.cast(), Some(finalize_box::<T>), ptr::null_mut())
        };
        check(status).inspect_err(|_| {
            // SAFETY: the engine did not take it.
            drop(unsafe { Box::from_raw(data) });
        })
    }

    /// What [`Engine::set_instance_data`] was given.
    ///
    /// # Safety
    ///
    /// `T` must be the type given there.
    pub unsafe fn instance_data<'env, T>(self) -> std::result::Result<&'env T, Refused> {
        let data = ask!(napi_get_instance_data, self.0; ptr::null_mut())?;
        // SAFETY: the caller knows the type, and the environment is current, so its data lives.
        unsafe { data.cast::<T>().as_ref() }.ok_or(Refused)
    }

    /// An Error object with a numeric `code`, as the platform's BusinessError is.
    pub fn business_error<'env>(self, code: i32, message: &str) -> std::result::Result<Value<'env>, Refused> {
        let message = self.string(message)?;
        let error = ask!(napi_create_error, self.0, ptr::null_mut(), message.raw; ptr::null_mut())?;
        let error = self.wrap(error);
        error.set(c"code", self.number(f64::from(code))?)?;
        Ok(error)
    }

    pub fn throw(self, error: Value<'_>) -> Refused {
        // SAFETY: as in `ask!`.
        let _ = unsafe { sys::napi_throw(self.0, error.raw) };
        Refused
    }

    /// A promise that is settled already.
    pub fn settled<'env>(
        self,
        outcome: std::result::Result<Value<'env>, Value<'env>>,
    ) -> std::result::Result<Value<'env>, Refused> {
        let mut deferred = ptr::null_mut();
        let promise = ask!(napi_create_promise, self.0, &mut deferred; ptr::null_mut())?;
        // SAFETY: the deferred was made above and is used once.
        check(unsafe {
            match outcome {
                Ok(value) => sys::napi_resolve_deferred(self.0, deferred, value.raw),
                Err(error) => sys::napi_reject_deferred(self.0, deferred, error.raw),
            }
        })?;
        Ok(self.wrap(promise))
    }

    /// A promise to settle later, and what settles it.
    pub fn promise<'env>(self) -> std::result::Result<(Value<'env>, Deferred), Refused> {
        let mut raw = ptr::null_mut();
        let promise = ask!(napi_create_promise, self.0, &mut raw; ptr::null_mut())?;
        Ok((self.wrap(promise), Deferred { env: self.0, raw }))
    }

    /// Runs `body` in a handle scope of its own, so that the values it makes can be collected afterwards.
    pub fn scoped(self, body: impl FnOnce()) {
        let scope = ask!(napi_open_handle_scope, self.0; ptr::null_mut());
        body();
        if let Ok(scope) = scope {
            // SAFETY: opened above; scopes close in the order of this stack.
            let _ = unsafe { sys::napi_close_handle_scope(self.0, scope) };
        }
    }

    /// Reports an exception that nobody is there to catch, as the engine does for one that a timer throws.
    pub fn report_exception(self) {
        let pending = ask!(napi_is_exception_pending, self.0; false);
        if pending.is_ok_and(|pending| pending)
            && let Ok(error) = ask!(napi_get_and_clear_last_exception, self.0; ptr::null_mut())
        {
            // SAFETY: as in `ask!`.
            let _ = unsafe { sys::napi_fatal_exception(self.0, error) };
        }
    }
}

impl<'env> Value<'env> {
    pub fn env(self) -> Engine {
        Engine(self.env)
    }

    pub fn raw(self) -> sys::napi_value {
        self.raw
    }

    pub fn type_of(self) -> Type {
        // Some engines hand on nothing at all for an argument that was left out.
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
            Ok(_) | Err(Refused) => Type::Other,
        }
    }

    /// Undefined or null.
    pub fn is_absent(self) -> bool {
        matches!(self.type_of(), Type::Undefined | Type::Null)
    }

    /// The text of a string; lone surrogates become U+FFFD.
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

    pub fn to_number(self) -> Option<f64> {
        ask!(napi_get_value_double, self.env, self.raw; 0.0).ok().filter(|_| self.type_of() == Type::Number)
    }

    /// A bigint from 0 to 2^64 - 1, as its engine knows it; `None` for what is another or none.
    pub fn to_uint64(self) -> Option<u64> {
        // With room for one more word than fits: of what is longer, an engine may give no more than there is room for.
        let (mut sign, mut words, mut count) = (0, [0; 2], 2);
        // SAFETY: as in `ask!`; there is room for `count` words.
        let status = unsafe {
            sys::napi_get_value_bigint_words(self.env, self.raw, &mut sign, &mut count, words.as_mut_ptr())
        };
        check(status).ok().filter(|()| sign == 0 && count < words.len()).map(|()| words[0])
    }

    pub fn to_boolean(self) -> Option<bool> {
        ask!(napi_get_value_bool, self.env, self.raw; false).ok().filter(|_| self.type_of() == Type::Boolean)
    }

    /// Calls `read` with the bytes of an ArrayBuffer, or of a view into one.
    pub fn with_bytes<R>(self, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let mut data: *mut c_void = ptr::null_mut();
        let length = if ask!(napi_is_arraybuffer, self.env, self.raw; false).ok()? {
            ask!(napi_get_arraybuffer_info, self.env, self.raw, &mut data; 0_usize).ok()?
        } else if ask!(napi_is_typedarray, self.env, self.raw; false).ok()? {
            let (mut kind, mut count, mut buffer) = (0, 0, ptr::null_mut());
            let _offset = ask!(
                napi_get_typedarray_info, self.env, self.raw, &mut kind, &mut count, &mut data, &mut buffer; 0_usize
            )
            .ok()?;
            count * element_bytes(kind)?
        } else if ask!(napi_is_dataview, self.env, self.raw; false).ok()? {
            let (mut length, mut buffer) = (0, ptr::null_mut());
            let _offset =
                ask!(napi_get_dataview_info, self.env, self.raw, &mut length, &mut data, &mut buffer; 0_usize).ok()?;
            length
        } else {
            return None;
        };
        if length == 0 || data.is_null() {
            return Some(read(&[]));
        }
        // SAFETY: the engine's own description of the buffer; no script runs before `read` returns.
        Some(read(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) }))
    }

    pub fn get(self, name: &std::ffi::CStr) -> std::result::Result<Self, Refused> {
        ask!(napi_get_named_property, self.env, self.raw, name.as_ptr(); ptr::null_mut())
            .map(|raw| Self { raw, ..self })
    }

    pub fn set(self, name: &std::ffi::CStr, value: Value<'_>) -> std::result::Result<(), Refused> {
        // SAFETY: as in `ask!`.
        check(unsafe { sys::napi_set_named_property(self.env, self.raw, name.as_ptr(), value.raw) })
    }

    pub fn set_by_value(self, name: Value<'_>, value: Value<'_>) -> std::result::Result<(), Refused> {
        // SAFETY: as in `ask!`.
        check(unsafe { sys::napi_set_property(self.env, self.raw, name.raw, value.raw) })
    }

    pub fn get_by_value(self, name: Value<'_>) -> std::result::Result<Self, Refused> {
        ask!(napi_get_property, self.env, self.raw, name.raw; ptr::null_mut()).map(|raw| Self { raw, ..self })
    }

    /// A property that scripts see and do not change, though this call can again.
    pub fn set_readonly(self, name: &std::ffi::CStr, value: Value<'_>) -> std::result::Result<(), Refused> {
        self.define(name, value, sys::PropertyAttributes::enumerable | sys::PropertyAttributes::configurable)
    }

    /// A property that scripts neither see nor change.
    pub fn set_hidden(self, name: &std::ffi::CStr, value: Value<'_>) -> std::result::Result<(), Refused> {
        self.define(name, value, sys::PropertyAttributes::default)
    }

    fn define(
        self,
        name: &std::ffi::CStr,
        value: Value<'_>,
        attributes: sys::napi_property_attributes,
    ) -> std::result::Result<(), Refused> {
        let property = sys::napi_property_descriptor {
            utf8name: name.as_ptr(),
            name: ptr::null_mut(),
            method: None,
            getter: None,
            setter: None,
            value: value.raw,
            attributes,
            data: ptr::null_mut(),
        };
        // SAFETY: as in `ask!`; the descriptor outlives the call.
        check(unsafe { sys::napi_define_properties(self.env, self.raw, 1, &property) })
    }

    /// The own enumerable names and values of an object.
    pub fn entries(self) -> std::result::Result<Vec<(String, Self)>, Refused> {
        let names = ask!(napi_get_property_names, self.env, self.raw; ptr::null_mut())?;
        let count = ask!(napi_get_array_length, self.env, names; 0_u32)?;
        let mut entries = Vec::new();
        for index in 0..count {
            let name = ask!(napi_get_element, self.env, names, index; ptr::null_mut())?;
            let value = ask!(napi_get_property, self.env, self.raw, name; ptr::null_mut())?;
            let name = Self { raw: name, ..self }.to_text().ok_or(Refused)?;
            entries.push((name, Self { raw: value, ..self }));
        }
        Ok(entries)
    }

    /// The elements of an array; `None` for what is none.
    pub fn elements(self) -> Option<Vec<Self>> {
        ask!(napi_is_array, self.env, self.raw; false).ok().filter(|is_array| *is_array)?;
        let count = ask!(napi_get_array_length, self.env, self.raw; 0_u32).ok()?;
        let element = |index| ask!(napi_get_element, self.env, self.raw, index; ptr::null_mut());
        (0..count).map(|index| element(index).ok().map(|raw| Self { raw, ..self })).collect()
    }

    pub fn is_same(self, other: Self) -> bool {
        ask!(napi_strict_equals, self.env, self.raw, other.raw; false).unwrap_or(false)
    }

    /// Calls this function; an exception it throws stays pending.
    pub fn call<const N: usize>(
        self,
        this: Self,
        arguments: [Self; N],
    ) -> std::result::Result<Self, Refused> {
        let raw = arguments.map(|argument| argument.raw);
        ask!(napi_call_function, self.env, this.raw, self.raw, raw.len(), raw.as_ptr(); ptr::null_mut())
            .map(|raw| Self { raw, ..self })
    }

    /// An instance made by this constructor.
    pub fn construct(self) -> std::result::Result<Self, Refused> {
        ask!(napi_new_instance, self.env, self.raw, 0, ptr::null(); ptr::null_mut())
            .map(|raw| Self { raw, ..self })
    }

    /// Gives `native` to this object: it is dropped when the engine has collected the object.
    pub fn own<T>(self, native: Box<T>) -> std::result::Result<(), Refused> {
        let native = Box::into_raw(native);
        // SAFETY: as in `ask!`; no reference is asked for.
        let status = unsafe {
            sys::napi_wrap(
                self.env,
                self.raw,
                native.cast(),
                Some(finalize_box::<T>),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        check(status).inspect_err(|_| {
            // SAFETY: the engine did not take it.
            drop(unsafe { Box::from_raw(native) });
        })
    }

    /// Calls this function with `arguments`, but only after the script that runs now.
    pub fn call_later(self, [first, second]: [Self; 2]) -> std::result::Result<(), Refused> {
        let env = self.env();
        let undefined = env.undefined()?;
        let bound = self.get(c"bind")?.call(self, [undefined, first, second])?;
        let promise = env.settled(Ok(undefined))?;
        promise.get(c"then")?.call(promise, [bound]).map(|_| ())
    }
}

/// A call of a function made by [`Engine::function`].
pub struct Call<'env> {
    pub this: Value<'env>,
    /// What was left out is undefined.
    pub arguments: [Value<'env>; 2],
}

unsafe extern "C" fn called<F>(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value
where
    F: Fn(Call<'_>) -> std::result::Result<Value<'static>, Refused>,
{
    let (mut raw, mut this, mut body) = ([ptr::null_mut(); 2], ptr::null_mut(), ptr::null_mut());
    let mut count = raw.len();
    // SAFETY: the engine calls this with the current environment; there is room for `count` arguments.
    let status =
        unsafe { sys::napi_get_cb_info(env, info, &mut count, raw.as_mut_ptr(), &mut this, &mut body) };
    if check(status).is_err() || body.is_null() {
        return ptr::null_mut();
    }
    let engine = Engine(env);
    let call = Call { this: engine.wrap(this), arguments: raw.map(|raw| engine.wrap(raw)) };
    // SAFETY: what `Engine::function` gave with this instance of the function; the function that is called keeps it.
    let body = unsafe { &*body.cast::<F>() };
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(call))) {
        Ok(Ok(value)) => value.raw,
        Ok(Err(Refused)) => ptr::null_mut(),
        Err(_) => {
            crate::logging::error(format_args!("ArkTS call: internal error"));
            ptr::null_mut()
        }
    }
}

/// Drops what `Box::into_raw` made, when the engine no longer needs it.
unsafe extern "C" fn finalize_box<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: made by `Box::into_raw` where this function was handed on; the engine calls it once.
    drop(unsafe { Box::from_raw(data.cast::<T>()) });
}

/// The size of an element by napi_typedarray_type.
fn element_bytes(kind: sys::napi_typedarray_type) -> Option<usize> {
    use sys::TypedarrayType as Kind;
    match kind {
        Kind::int8_array | Kind::uint8_array | Kind::uint8_clamped_array => Some(1),
        Kind::int16_array | Kind::uint16_array => Some(2),
        Kind::int32_array | Kind::uint32_array | Kind::float32_array => Some(4),
        Kind::float64_array | Kind::bigint64_array | Kind::biguint64_array => Some(8),
        _ => None,
    }
}

/// A promise that is to be settled once, on its environment's own thread. One that never is stays pending.
pub struct Deferred {
    env: sys::napi_env,
    raw: sys::napi_deferred,
}

impl Deferred {
    pub fn env(&self) -> Engine {
        Engine(self.env)
    }

    pub fn settle(self, outcome: std::result::Result<Value<'_>, Value<'_>>) {
        // SAFETY: made by `napi_create_promise`, and used up here. An environment that ends refuses, and nobody waits.
        let _ = unsafe {
            match outcome {
                Ok(value) => sys::napi_resolve_deferred(self.env, self.raw, value.raw),
                Err(error) => sys::napi_reject_deferred(self.env, self.raw, error.raw),
            }
        };
    }
}

/// A value kept beyond its handle scope. Dropped on the environment's own thread.
pub struct Kept {
    env: sys::napi_env,
    reference: sys::napi_ref,
}

impl Kept {
    pub fn new(value: Value<'_>) -> std::result::Result<Self, Refused> {
        let reference = ask!(napi_create_reference, value.env, value.raw, 1; ptr::null_mut())?;
        Ok(Self { env: value.env, reference })
    }

    pub fn value<'env>(&self) -> std::result::Result<Value<'env>, Refused> {
        Engine(self.env).referenced(self.reference)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: made by `napi_create_reference` and deleted once.
        let _ = unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}

impl TypeName for Value<'_> {
    fn type_name() -> &'static str {
        "unknown"
    }

    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ValidateNapiValue for Value<'_> {}

impl FromNapiValue for Value<'_> {
    unsafe fn from_napi_value(env: sys::napi_env, raw: sys::napi_value) -> Result<Self> {
        Ok(Self { env, raw, scope: PhantomData })
    }
}

impl ToNapiValue for Value<'_> {
    unsafe fn to_napi_value(_env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        Ok(value.raw)
    }
}
