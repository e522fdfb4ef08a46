//! Disks of a trial's own: a file system in a file, whose power can be cut, and a small one in
//! memory.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::place::{Place, cannot};

/// `EXT4_IOC_SHUTDOWN`: `_IOR('X', 125, __u32)`.
const SHUTDOWN: libc::c_ulong = 0x8004_587d;
/// Nothing that was not synced gets to the disk, not even the file system's own log.
const NO_LOG_FLUSH: u32 = 2;
const UNMOUNT_TRIES: usize = 100;
const UNMOUNT_PAUSE: Duration = Duration::from_millis(50);

/// An ext4 file system in a file, mounted as long as this lives.
#[derive(Debug)]
pub(crate) struct Image {
    file: PathBuf,
    mount: Mount,
}

/// Something mounted, as long as this lives.
#[derive(Debug)]
pub(crate) struct Mount {
    folder: PathBuf,
}

impl Image {
    /// Makes a file system of this many bytes and mounts it.
    pub(crate) fn new(folder: &Path, size_bytes: u64) -> Result<Self> {
        let file = folder.join("disk.image");
        File::create(&file)?.set_len(size_bytes)?;
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&file))?;
        let target = folder.join("disk");
        fs::create_dir(&target)?;
        mount_image(&file, &target)?;
        Ok(Self { file, mount: Mount { folder: target } })
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        &self.mount.folder
    }

    /// Everything so far is on the disk.
    pub(crate) fn sync(&self) -> Result<()> {
        run(Command::new("sync").arg("-f").arg(&self.mount.folder))
    }

    /// Cuts the power, and gives it back: what was not synced is gone. No process may have a file
    /// open here; a sync that is under way could say that it succeeded.
    pub(crate) fn cut_power(&self) -> Result<()> {
        shut_down(&self.mount.folder).context("the shutdown ioctl")?;
        self.mount.unmount()?;
        mount_image(&self.file, &self.mount.folder)
    }
}

impl Mount {
    /// A file system in memory of this many bytes.
    pub(crate) fn in_memory(folder: PathBuf, size_bytes: u64) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        let size = format!("size={size_bytes}");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&folder))?;
        Ok(Self { folder })
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    fn unmount(&self) -> Result<()> {
        let mut last = Ok(());
        for _ in 0..UNMOUNT_TRIES {
            last = run(Command::new("umount").arg(&self.folder));
            if last.is_ok() {
                break;
            }
            thread::sleep(UNMOUNT_PAUSE);
        }
        last
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if is_mounted(&self.folder) && self.unmount().is_err() {
            // At least it is out of everybody's sight, and goes when its last file is closed.
            drop(run(Command::new("umount").arg("-l").arg(&self.folder)));
        }
    }
}

fn is_mounted(folder: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let folder = folder.to_string_lossy();
    mounts.lines().any(|line| line.split(' ').nth(1) == Some(&*folder))
}

/// The loop device goes away by itself when its file system is unmounted.
fn mount_image(file: &Path, folder: &Path) -> Result<()> {
    run(Command::new("mount").args(["-o", "loop"]).arg(file).arg(folder))
}

#[expect(unsafe_code, reason = "the standard library has no such call")]
fn shut_down(folder: &Path) -> io::Result<()> {
    let folder = File::open(folder)?;
    let flags = NO_LOG_FLUSH;
    // SAFETY: the descriptor is open, and the call reads four bytes at the pointer.
    let answer = unsafe { libc::ioctl(folder.as_raw_fd(), SHUTDOWN as _, &raw const flags) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn run(command: &mut Command) -> Result<()> {
    command.stdin(Stdio::null());
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}", said.trim());
    Ok(())
}

#[test]
fn a_power_cut_takes_what_was_not_synced() -> Result<()> {
    let place = Place::new()?;
    let image = match Image::new(place.path(), 64 << 20) {
        Ok(image) => image,
        Err(why) => {
            return cannot("image", format_args!("no disk of its own can be mounted: {why:#}"));
        }
    };
    let (kept, lost) = (image.path().join("kept"), image.path().join("lost"));
    fs::write(&kept, "synced")?;
    image.sync()?;
    fs::write(&lost, "not synced")?;
    image.cut_power()?;
    ensure!(fs::read_to_string(&kept)? == "synced", "what was synced is not there");
    let left = fs::read_to_string(&lost).unwrap_or_default();
    ensure!(left.is_empty(), "what was not synced is there: {left}");
    Ok(())
}
