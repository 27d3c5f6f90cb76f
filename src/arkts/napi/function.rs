//! JavaScript functions with a Rust body.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi_ohos::sys;

use super::handle::{Engine, EngineError, Value, ask, check};
use super::owned::finalize_box;

/// The code of a panic. The platform uses it for failures without another code.
const INTERNAL: i32 = 2_302_999;

/// A call of a function made by [`Engine::function`], or of a constructor made by [`Engine::class`].
pub struct Call<'env> {
    pub this: Value<'env>,
    /// An omitted argument is undefined.
    pub arguments: [Value<'env>; 3],
    /// The number of arguments. `arguments` may have room for fewer.
    pub count: usize,
    info: sys::napi_callback_info,
}

impl<'env> Call<'env> {
    pub fn env(&self) -> Engine {
        self.this.env()
    }

    /// The class after `new`: this class, or one that is derived from it. `None` in a call without `new`.
    pub fn new_target(&self) -> Option<Value<'env>> {
        let env = self.env();
        let target = ask!(napi_get_new_target, env.0, self.info; ptr::null_mut()).ok();
        target.filter(|raw| !raw.is_null()).map(|raw| env.adopt(raw))
    }
}

/// The body of a function. All functions have the same type, so that the code around it is compiled once.
type Body = Box<dyn Fn(Call<'_>) -> Result<Value<'static>, EngineError>>;

impl Engine {
    /// Makes a function that runs `body`. `body` lives until the engine has collected the function.
    pub fn function<'env, F>(self, body: F) -> Result<Value<'env>, EngineError>
    where
        F: Fn(Call<'_>) -> Result<Value<'static>, EngineError> + 'static,
    {
        self.named_function("", body)
    }

    /// As [`Engine::function`], with a name that scripts see.
    pub fn named_function<'env, F>(self, name: &str, body: F) -> Result<Value<'env>, EngineError>
    where
        F: Fn(Call<'_>) -> Result<Value<'static>, EngineError> + 'static,
    {
        self.with_body(Box::new(body), &|body| {
            let (start, length) = (name.as_ptr().cast(), name.len() as isize);
            ask!(napi_create_function, self.0, start, length, Some(called), body.cast(); ptr::null_mut())
        })
    }

    /// Makes a class without members. `construct` runs for `new`, with the new object as `this`.
    pub fn class<'env, F>(self, name: &str, construct: F) -> Result<Value<'env>, EngineError>
    where
        F: Fn(Call<'_>) -> Result<Value<'static>, EngineError> + 'static,
    {
        self.with_body(Box::new(construct), &|body| {
            let (start, length) = (name.as_ptr().cast(), name.len() as isize);
            ask!(
                napi_define_class, self.0, start, length, Some(called), body.cast(), 0, ptr::null();
                ptr::null_mut()
            )
        })
    }

    /// Makes a function with `make`, which gets the address of `body`.
    fn with_body<'env>(
        self,
        body: Body,
        make: &dyn Fn(*mut Body) -> Result<sys::napi_value, EngineError>,
    ) -> Result<Value<'env>, EngineError> {
        let body = Box::into_raw(Box::new(body));
        let made = make(body).and_then(|raw| {
            // SAFETY: as in `ask!`. No reference is requested.
            check(unsafe {
                sys::napi_add_finalizer(
                    self.0,
                    raw,
                    body.cast(),
                    Some(finalize_box::<Body>),
                    ptr::null_mut(),
                    ptr::null_mut(),
                )
            })?;
            Ok(self.adopt(raw))
        });
        made.inspect_err(|_| {
            // SAFETY: the engine did not take it, and no script has seen the function.
            drop(unsafe { Box::from_raw(body) });
        })
    }
}

unsafe extern "C" fn called(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let (mut raw, mut this, mut body) = ([ptr::null_mut(); 3], ptr::null_mut(), ptr::null_mut());
    let mut count = raw.len();
    // SAFETY: the engine calls this with the current environment. There is room for `count` arguments.
    let status =
        unsafe { sys::napi_get_cb_info(env, info, &mut count, raw.as_mut_ptr(), &mut this, &mut body) };
    if check(status).is_err() || body.is_null() {
        return ptr::null_mut();
    }
    let engine = Engine(env);
    let call = Call { this: engine.adopt(this), arguments: raw.map(|raw| engine.adopt(raw)), count, info };
    // SAFETY: `Engine::with_body` passed it with this function. The called function keeps it alive.
    let body = unsafe { &*body.cast::<Body>() };
    match catch_unwind(AssertUnwindSafe(|| body(call))) {
        Ok(Ok(value)) => value.raw,
        Ok(Err(EngineError)) => ptr::null_mut(),
        Err(_) => {
            crate::logging::error(format_args!("ArkTS call: internal error"));
            if let Ok(error) = engine.business_error(INTERNAL, "internal error of the library") {
                engine.throw(error);
            }
            ptr::null_mut()
        }
    }
}
