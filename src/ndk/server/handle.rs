//! The existing servers, by number. The application's pointer refers to no memory, so a stale pointer never matches
//! another server.

use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, PoisonError};

use super::calls::Calls;
use crate::ndk::abi::ErrCode;
use crate::ndk::abi::server::{RawServer, RawServerCallbacks};
use crate::ndk::error::CallError;
use crate::ndk::guard::report;
use crate::platform;
use crate::server::{Answer, Connection, Server, UpgradeRequest};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, RwLock, lock};

/// In the order of their addresses.
static SERVERS: RwLock<Vec<(usize, Arc<ServerHandle>)>> = RwLock::new(Vec::new());
static LAST: AtomicUsize = AtomicUsize::new(0);

/// The distance of addresses. It is that of allocated structs.
const ADDRESS_STEP: usize = 16;
/// Above this number of requests, ended ones are removed.
const REQUESTS_KEPT: usize = 64;

/// The server behind an address.
pub struct ServerHandle {
    address: usize,
    pub callbacks: RawServerCallbacks,
    pub calls: Arc<Calls>,
    serving: Mutex<Serving>,
    requests: Mutex<Requests>,
}

#[derive(Default)]
enum Serving {
    /// Not started, or a stop is complete.
    #[default]
    No,
    Started(Arc<Server>),
    /// A call that has found the server before must not start it any more.
    Destroyed,
}

/// A request that the application must answer.
pub struct Asked {
    pub request: Arc<UpgradeRequest>,
    pub answer: Answer,
}

#[derive(Default)]
struct Requests {
    last: u64,
    /// In the order of their numbers.
    waiting: Vec<(u64, Asked)>,
}

/// Makes a server, and returns its address.
pub fn create(callbacks: RawServerCallbacks) -> *mut RawServer {
    platform::watch_forks();
    let mut servers = SERVERS.write().unwrap_or_else(PoisonError::into_inner);
    let address = (LAST.fetch_add(1, Ordering::Relaxed) + 1) * ADDRESS_STEP;
    let handle = Arc::new(ServerHandle {
        address,
        callbacks,
        calls: Arc::default(),
        serving: Mutex::default(),
        requests: Mutex::default(),
    });
    servers.push((address, handle));
    std::ptr::without_provenance_mut(address)
}

fn find(server: *const RawServer) -> Result<Arc<ServerHandle>, CallError> {
    if server.is_null() {
        return Err(CallError::new(ErrCode::ClientNull, "server: NULL"));
    }
    let servers = SERVERS.read().unwrap_or_else(PoisonError::into_inner);
    Ok(servers[place_of(&servers, server)?].1.clone())
}

fn place_of(servers: &[(usize, Arc<ServerHandle>)], server: *const RawServer) -> Result<usize, CallError> {
    servers.binary_search_by_key(&server.addr(), |(address, _)| *address).map_err(|_| unknown())
}

fn unknown() -> CallError {
    CallError::new(ErrCode::ClientNotCreated, "server: not created by this library, or destroyed")
}

/// Removes a server. No later call finds it.
pub fn remove(server: *const RawServer) -> Result<Arc<ServerHandle>, CallError> {
    find(server)?;
    let mut servers = SERVERS.write().unwrap_or_else(PoisonError::into_inner);
    let place = place_of(&servers, server)?;
    Ok(servers.remove(place).1)
}

/// Runs the body of a server's function that can fail, as [`report`].
pub fn report_server(
    function: &str,
    server: *const RawServer,
    body: impl FnOnce(&Arc<ServerHandle>) -> Result<(), CallError>,
) -> i32 {
    let mut body = Some(body);
    report_of_server(function, server, &mut |handle| body.take().map_or(Ok(()), |body| body(handle)))
}

/// Compiled once, not in each function.
#[inline(never)]
fn report_of_server(
    function: &str,
    server: *const RawServer,
    body: &mut dyn FnMut(&Arc<ServerHandle>) -> Result<(), CallError>,
) -> i32 {
    report(function, || body(&find(server)?))
}

impl ServerHandle {
    /// The pointer that callbacks get.
    pub fn pointer(&self) -> *mut RawServer {
        std::ptr::without_provenance_mut(self.address)
    }

    /// Starts the server, unless it is started.
    pub fn start(&self, start: impl FnOnce() -> Result<Server, CallError>) -> Result<(), CallError> {
        let mut serving = lock(&self.serving);
        match &*serving {
            Serving::No => {}
            Serving::Started(_) => {
                let text = "the server is already started; start it again after onStop";
                return Err(CallError::new(ErrCode::ConnectionError, text));
            }
            Serving::Destroyed => return Err(unknown()),
        }
        *serving = Serving::Started(Arc::new(start()?));
        Ok(())
    }

    /// The server, from its start until onStop.
    pub fn server(&self) -> Result<Arc<Server>, CallError> {
        match &*lock(&self.serving) {
            Serving::No => Err(CallError::new(ErrCode::NoConnection, "the server is not started")),
            Serving::Started(server) => Ok(server.clone()),
            Serving::Destroyed => Err(unknown()),
        }
    }

    #[inline(never)]
    pub fn connection(&self, id: u64) -> Result<Arc<Connection>, CallError> {
        let missing =
            || CallError::new(ErrCode::NotFound, format!("connection: {id} does not exist or has ended"));
        self.server()?.connection(id).ok_or_else(missing)
    }

    /// The address and port of a connection's client. For 0, those of the server itself, which may be a path.
    pub fn address_of(&self, connection: u64) -> Result<(Vec<u8>, u16), CallError> {
        if connection > 0 {
            let remote = self.connection(connection)?.info().remote;
            return Ok((remote.ip_text().into_bytes(), remote.port()));
        }
        let server = self.server()?;
        Ok(match (server.local(), server.socket_path()) {
            (Some(address), _) => (address.ip().to_string().into_bytes(), address.port()),
            (None, path) => (path.map_or_else(Vec::new, |path| path.as_os_str().as_bytes().to_vec()), 0),
        })
    }

    /// Notes that a stop is complete.
    pub fn forget_server(&self) {
        let mut serving = lock(&self.serving);
        let ended = match &*serving {
            Serving::Started(_) => std::mem::take(&mut *serving),
            Serving::No | Serving::Destroyed => return,
        };
        drop(serving);
        drop(ended);
    }

    /// Keeps a request until it is answered.
    pub fn keep(&self, asked: Asked) -> u64 {
        let mut requests = lock(&self.requests);
        let Requests { last, waiting } = &mut *requests;
        if waiting.len() >= REQUESTS_KEPT {
            waiting.retain(|(_, asked)| asked.answer.is_waited_for());
        }
        *last += 1;
        waiting.push((*last, asked));
        *last
    }

    /// Calls `check` with a waiting request, and takes the request if `check` accepts it.
    pub fn take_request(
        &self,
        request: u64,
        check: impl FnOnce(&UpgradeRequest) -> Result<(), CallError>,
    ) -> Result<Answer, CallError> {
        let mut requests = lock(&self.requests);
        let missing =
            || CallError::new(ErrCode::NotFound, format!("request: {request} is not waiting for an answer"));
        let waiting = &mut requests.waiting;
        let place = waiting.binary_search_by_key(&request, |(number, _)| *number).map_err(|_| missing())?;
        let (_, asked) = &waiting[place];
        if !asked.answer.is_waited_for() {
            return Err(missing());
        }
        check(&asked.request)?;
        Ok(waiting.remove(place).1.answer)
    }

    /// Ends the server. No callback runs after this returns, except one that calls this.
    pub fn destroy(&self) {
        let serving = std::mem::replace(&mut *lock(&self.serving), Serving::Destroyed);
        if let Serving::Started(server) = serving {
            server.stop(None);
        }
        lock(&self.requests).waiting.clear();
        self.calls.close_and_wait();
    }
}
