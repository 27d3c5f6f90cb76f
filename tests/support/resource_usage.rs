//! The memory, threads and descriptors of this process.
#![allow(dead_code, reason = "each test program uses a part of it")]

use super::allocator;

/// The resources of the process at one time.
#[derive(Clone, Copy, Debug)]
pub struct ResourceUsage {
    /// Resident memory.
    pub kilobytes: u64,
    /// Allocated bytes.
    pub allocated: isize,
    /// Threads of the library. A test harness starts and ends threads of its own.
    pub threads: usize,
    pub descriptors: usize,
}

impl ResourceUsage {
    pub fn now() -> Self {
        let count = |folder| std::fs::read_dir(folder).map_or(0, Iterator::count);
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = resident.and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0);
        let allocated = allocator::allocated_bytes();
        Self {
            kilobytes,
            allocated,
            threads: library_threads(),
            // Excludes the descriptor that reads the folder.
            descriptors: count("/proc/self/fd") - 1,
        }
    }
}

fn library_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("net_websocket")).count()
}

impl std::fmt::Display for ResourceUsage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kilobytes, allocated, threads, descriptors } = self;
        write!(
            f,
            "{kilobytes} kB resident, {} kB allocated, {threads} threads, {descriptors} descriptors",
            allocated / 1_024
        )
    }
}

/// Makes the C library return unused memory to the system, where it can.
pub fn trim() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it takes a number and may be called at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
