//! The declarations in an app's `network_config.json`, from the platform's TLS library.

use std::ffi::{CStr, CString, OsStr, c_char, c_void};
use std::mem::transmute;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr;

use super::library::{Library, LookedUp, look_up};

/// Why the platform reports nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotTold {
    /// This system lacks the function. Holds the API level that introduced it.
    Missing(u32),
    /// The function returned this code.
    Refused(i32),
}

/// The pinned public keys of a host, as in `sha256//…;sha256//…`. Empty for none. The platform leaves out expired pins.
pub(crate) fn declared_pins(host: &CStr) -> Result<String, NotTold> {
    static FUNCTION: LookedUp<GetPinSet> = LookedUp::new();
    // SAFETY: the platform's header declares the function of this name so.
    let function = find(&FUNCTION, c"OH_NetStack_GetPinSetForHostName", 12, |address| unsafe {
        transmute::<*mut c_void, GetPinSet>(address)
    })?;
    let mut pins = CertificatePinning { kind: 0, hash_algorithm: 0, public_key_hash: ptr::null_mut() };
    // SAFETY: both places outlive the call.
    told(unsafe { function(host.as_ptr(), &raw mut pins) })?;
    if pins.public_key_hash.is_null() {
        return Ok(String::new());
    }
    // SAFETY: the platform made the string with malloc. From then on it belongs to the caller.
    let text = unsafe { CStr::from_ptr(pins.public_key_hash) }.to_string_lossy().into_owned();
    // SAFETY: as above. Nobody reads it any more.
    unsafe { libc::free(pins.public_key_hash.cast()) };
    Ok(text)
}

/// The folders of the authorities that the app declares for a host.
pub(crate) fn declared_anchors(host: &CStr) -> Result<Vec<PathBuf>, NotTold> {
    static FUNCTIONS: LookedUp<CertificateFunctions> = LookedUp::new();
    let CertificateFunctions { get, destroy } = FUNCTIONS
        .get(|| {
            let get = look_up(Library::NetSsl, c"OH_NetStack_GetCertificatesForHostName")?;
            let destroy = look_up(Library::NetSsl, c"OH_Netstack_DestroyCertificatesContent")?;
            // SAFETY: the platform's header declares the functions of these names so.
            Ok(get.zip(destroy).map(|(get, destroy)| unsafe {
                CertificateFunctions {
                    get: transmute::<*mut c_void, GetCertificates>(get),
                    destroy: transmute::<*mut c_void, DestroyCertificates>(destroy),
                }
            }))
        })
        .copied()
        .ok_or(NotTold::Missing(12))?;
    let mut certificates = Certificates { content: ptr::null_mut(), length: 0 };
    // SAFETY: both places outlive the call.
    told(unsafe { get(host.as_ptr(), &raw mut certificates) })?;
    if certificates.content.is_null() {
        return Ok(Vec::new());
    }
    let path = |at: usize| {
        // SAFETY: the platform reports that many strings.
        let text = unsafe { CStr::from_ptr(*certificates.content.add(at)) };
        PathBuf::from(OsStr::from_bytes(text.to_bytes()))
    };
    let paths = (0..certificates.length).map(path).collect();
    // SAFETY: the platform made it. It is freed once.
    unsafe { destroy(&raw mut certificates) };
    Ok(paths)
}

/// Whether connections without TLS to a host are permitted.
pub(crate) fn clear_text_permitted(host: &CStr) -> Result<bool, NotTold> {
    static FUNCTION: LookedUp<IsPermitted> = LookedUp::new();
    permitted(&FUNCTION, c"OH_Netstack_IsCleartextPermittedByHostName", 18, host)
}

/// Whether a component of the system obeys that rule. `None` if the app declares nothing about it, or the system is
/// older.
pub(crate) fn heeds_clear_text(component: &CStr) -> Option<bool> {
    static FUNCTION: LookedUp<IsPermitted> = LookedUp::new();
    permitted(&FUNCTION, c"OH_Netstack_IsCleartextCfgByComponent", 20, component).ok()
}

fn permitted(
    function: &LookedUp<IsPermitted>,
    name: &CStr,
    level: u32,
    argument: &CStr,
) -> Result<bool, NotTold> {
    // SAFETY: the platform's header declares the functions of these names so.
    let function =
        find(function, name, level, |address| unsafe { transmute::<*mut c_void, IsPermitted>(address) })?;
    // A byte, into which the platform writes C's `bool`.
    let mut answer = 0_u8;
    // SAFETY: both places outlive the call.
    told(unsafe { function(argument.as_ptr(), &raw mut answer) })?;
    Ok(answer != 0)
}

/// A host's name in the form of these functions.
pub(crate) fn host_text(host: &str) -> CString {
    // A dialled name contains no NUL.
    CString::new(host).unwrap_or_default()
}

fn find<T: Copy>(
    function: &LookedUp<T>,
    name: &CStr,
    level: u32,
    of: impl FnOnce(*mut c_void) -> T,
) -> Result<T, NotTold> {
    function.get(|| Ok(look_up(Library::NetSsl, name)?.map(of))).copied().ok_or(NotTold::Missing(level))
}

fn told(status: i32) -> Result<(), NotTold> {
    if status == 0 { Ok(()) } else { Err(NotTold::Refused(status)) }
}

/// `NetStack_CertificatePinning` of `network/netssl/net_ssl_c_type.h`.
#[repr(C)]
struct CertificatePinning {
    kind: i32,
    hash_algorithm: i32,
    public_key_hash: *mut c_char,
}

/// `NetStack_Certificates`.
#[repr(C)]
struct Certificates {
    content: *mut *mut c_char,
    length: usize,
}

/// `OH_NetStack_GetPinSetForHostName` and the two for certificates exist since API 12,
/// `OH_Netstack_IsCleartextPermittedByHostName` since 18, `OH_Netstack_IsCleartextCfgByComponent` since 20. They return
/// 0, or an error code.
type GetPinSet = unsafe extern "C" fn(*const c_char, *mut CertificatePinning) -> i32;
type GetCertificates = unsafe extern "C" fn(*const c_char, *mut Certificates) -> i32;
type DestroyCertificates = unsafe extern "C" fn(*mut Certificates);
type IsPermitted = unsafe extern "C" fn(*const c_char, *mut u8) -> i32;

#[derive(Clone, Copy)]
struct CertificateFunctions {
    get: GetCertificates,
    destroy: DestroyCertificates,
}
