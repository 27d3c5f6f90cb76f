//! Makes values and errors in an environment, and opens handle scopes.

use std::ffi::c_void;
use std::ptr;

use napi_ohos::sys;

use super::handle::{Engine, EngineError, Value, ask, check};

impl Engine {
    pub fn undefined<'env>(self) -> Result<Value<'env>, EngineError> {
        ask!(napi_get_undefined, self.0; ptr::null_mut()).map(|raw| self.adopt(raw))
    }

    pub fn boolean<'env>(self, value: bool) -> Result<Value<'env>, EngineError> {
        ask!(napi_get_boolean, self.0, value; ptr::null_mut()).map(|raw| self.adopt(raw))
    }

    pub fn number<'env>(self, value: f64) -> Result<Value<'env>, EngineError> {
        ask!(napi_create_double, self.0, value; ptr::null_mut()).map(|raw| self.adopt(raw))
    }

    pub fn string<'env>(self, text: &str) -> Result<Value<'env>, EngineError> {
        self.text(text.as_bytes())
    }

    /// Makes a string from UTF-8. Invalid bytes become U+FFFD.
    pub fn text<'env>(self, text: &[u8]) -> Result<Value<'env>, EngineError> {
        let (start, length) = (text.as_ptr().cast(), text.len() as isize);
        // Most text is ASCII. The check takes far less time than decoding UTF-8.
        let made = if text.is_ascii() {
            ask!(napi_create_string_latin1, self.0, start, length; ptr::null_mut())
        } else {
            ask!(napi_create_string_utf8, self.0, start, length; ptr::null_mut())
        };
        made.map(|raw| self.adopt(raw))
    }

    pub fn object<'env>(self) -> Result<Value<'env>, EngineError> {
        ask!(napi_create_object, self.0; ptr::null_mut()).map(|raw| self.adopt(raw))
    }

    pub fn array<'env>(self, values: &[Value<'env>]) -> Result<Value<'env>, EngineError> {
        let array = ask!(napi_create_array_with_length, self.0, values.len(); ptr::null_mut())?;
        for (index, value) in (0_u32..).zip(values) {
            // SAFETY: the array was made above, and the values belong to the same scope.
            check(unsafe { sys::napi_set_element(self.0, array, index, value.raw) })?;
        }
        Ok(self.adopt(array))
    }

    /// Makes an ArrayBuffer with a copy of `bytes`.
    pub fn array_buffer<'env>(self, bytes: &[u8]) -> Result<Value<'env>, EngineError> {
        let mut data: *mut c_void = ptr::null_mut();
        let raw = ask!(napi_create_arraybuffer, self.0, bytes.len(), &mut data; ptr::null_mut())?;
        if !data.is_null() {
            // SAFETY: the engine has just made room for that many bytes there. No script has seen it.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast(), bytes.len()) };
        }
        Ok(self.adopt(raw))
    }

    /// Runs a script. `None` in an engine that runs no source text, such as ArkTS's.
    pub fn run_script<'env>(self, source: &str) -> Option<Value<'env>> {
        let source = self.string(source).ok()?;
        let run = ask!(napi_run_script, self.0, source.raw; ptr::null_mut());
        let value = run.ok().filter(|raw| !raw.is_null()).map(|raw| self.adopt(raw));
        if value.is_none() {
            self.drop_exception();
        }
        value
    }

    /// The global object.
    pub fn global<'env>(self) -> Result<Value<'env>, EngineError> {
        ask!(napi_get_global, self.0; ptr::null_mut()).map(|raw| self.adopt(raw))
    }

    /// Makes an Error object with a numeric `code`, like the platform's BusinessError. Its JSON contains the message,
    /// which the engine would leave out.
    pub fn business_error<'env>(self, code: i32, message: &str) -> Result<Value<'env>, EngineError> {
        let message = self.string(message)?;
        let error = ask!(napi_create_error, self.0, ptr::null_mut(), message.raw; ptr::null_mut())?;
        let error = self.adopt(error);
        error.set(c"code", self.number(f64::from(code))?)?;
        error.set_plain(c"message", message)?;
        Ok(error)
    }

    /// Makes a TypeError.
    pub fn type_error<'env>(self, message: &str) -> Result<Value<'env>, EngineError> {
        let message = self.string(message)?;
        ask!(napi_create_type_error, self.0, ptr::null_mut(), message.raw; ptr::null_mut())
            .map(|raw| self.adopt(raw))
    }

    /// Makes an Error.
    pub fn plain_error<'env>(self, message: &str) -> Result<Value<'env>, EngineError> {
        let message = self.string(message)?;
        ask!(napi_create_error, self.0, ptr::null_mut(), message.raw; ptr::null_mut())
            .map(|raw| self.adopt(raw))
    }

    pub fn null<'env>(self) -> Result<Value<'env>, EngineError> {
        ask!(napi_get_null, self.0; ptr::null_mut()).map(|raw| self.adopt(raw))
    }

    /// Makes a symbol, which differs from every other value.
    pub fn symbol<'env>(self, description: &str) -> Result<Value<'env>, EngineError> {
        // napi-sys-ohos does not declare napi_create_symbol for OpenHarmony.
        self.global()?.get(c"Symbol")?.call(self.undefined()?, [self.string(description)?])
    }

    pub fn throw(self, error: Value<'_>) -> EngineError {
        // SAFETY: as in `ask!`.
        let _ = unsafe { sys::napi_throw(self.0, error.raw) };
        EngineError
    }

    /// Runs `body` in its own handle scope, so that its values can be collected afterwards.
    pub fn scoped(self, body: impl FnOnce()) {
        let scope = ask!(napi_open_handle_scope, self.0; ptr::null_mut());
        body();
        if let Ok(scope) = scope {
            // SAFETY: opened above. Scopes close in the order of this stack.
            let _ = unsafe { sys::napi_close_handle_scope(self.0, scope) };
        }
    }

    /// Drops a pending exception.
    pub fn drop_exception(self) {
        let _ = self.take_exception();
    }

    /// Takes a pending exception.
    pub fn take_exception<'env>(self) -> Option<Value<'env>> {
        let pending = ask!(napi_is_exception_pending, self.0; false);
        if !pending.is_ok_and(|pending| pending) {
            return None;
        }
        ask!(napi_get_and_clear_last_exception, self.0; ptr::null_mut()).ok().map(|raw| self.adopt(raw))
    }

    /// Reports a pending exception as uncaught. The engine does the same for a timer's.
    #[cold]
    #[inline(never)]
    pub fn report_exception(self) {
        if let Some(error) = self.take_exception() {
            // SAFETY: as in `ask!`.
            let _ = unsafe { sys::napi_fatal_exception(self.0, error.raw) };
        }
    }
}
