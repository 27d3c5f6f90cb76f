//! The text of each thread's last error, for `NWS_LastErrorMessage`.

use std::cell::RefCell;
use std::ffi::{CString, c_char};

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

/// Stores the text of an error for the thread.
pub fn set_last_error(text: &str) {
    let text = CString::new(text.replace('\0', " ")).unwrap_or_default();
    // A thread that ends reads no error any more.
    let _ = LAST_ERROR.try_with(|last| *last.borrow_mut() = text);
}

/// Returns the text of the thread's last error.
pub fn last_error() -> *const c_char {
    LAST_ERROR.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}
