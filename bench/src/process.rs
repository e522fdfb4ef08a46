//! What a process has used.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Child;

/// What a process had used when it ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// CPU time, of the user and of the system, in seconds.
    pub cpu_seconds: f64,
    /// The most memory that it held, in bytes.
    pub peak_bytes: u64,
    /// Whether it ended with exit code 0.
    pub is_success: bool,
}

/// Waits for a process and tells what it has used.
///
/// # Errors
/// The system's.
#[expect(unsafe_code, reason = "the standard library does not tell what a child has used")]
pub fn wait(child: &Child) -> io::Result<Spent> {
    let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are valid for the call, and `usage` is as large as it writes.
    let answer = unsafe { libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()) };
    if answer != pid {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so it filled the structure; it was zeroed besides.
    let usage = unsafe { usage.assume_init() };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok(Spent {
        cpu_seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        peak_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
        is_success: libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
    })
}

/// The most memory that a running process held, in bytes.
///
/// # Errors
/// When there is no such process.
pub fn peak_bytes(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.map(|kibibytes| kibibytes * 1024).ok_or_else(|| io::Error::other("no VmHWM"))
}

/// CPU time of a running process, in seconds.
///
/// # Errors
/// When there is no such process.
pub fn running_seconds(pid: u32) -> io::Result<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let number = |index| after_name.split_whitespace().nth(index)?.parse::<f64>().ok();
    let ticks = number(11).zip(number(12)).map(|(user, system)| user + system);
    ticks.map(|ticks| ticks / TICKS_PER_SECOND).ok_or_else(|| io::Error::other("no times"))
}

/// The bytes on the disk of all files below a folder.
///
/// # Errors
/// The disk's.
pub fn folder_bytes(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { folder_bytes(&entry.path())? } else { about.blocks() * 512 };
    }
    Ok(bytes)
}
