//! The machine's disk.

use std::ffi::CString;
use std::fs::{self, File, FileType, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Disk, DiskFile};

/// The machine's disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

#[derive(Debug)]
struct RealFile(File);

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).append(true).create_new(true).open(path)?;
        Ok(Arc::new(RealFile(file)))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(File::open(path)?)))
    }

    fn rename(&self, source: &Path, target: &Path) -> Result<()> {
        fs::rename(source, target)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        fs::remove_file(path)
    }

    fn make_folder(&self, path: &Path) -> Result<()> {
        fs::create_dir_all(path)
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn files(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        list(folder, FileType::is_file)
    }

    fn folders(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        list(folder, FileType::is_dir)
    }

    fn sync_folder(&self, folder: &Path) -> Result<()> {
        File::open(folder)?.sync_all()
    }

    fn free_bytes(&self, folder: &Path) -> Result<u64> {
        let path = CString::new(folder.as_os_str().as_bytes())?;
        statvfs(&path).map(|stat| stat.f_bavail * stat.f_frsize)
    }
}

/// What is of a type in a folder, sorted. A link counts as what it leads to; one that leads nowhere
/// is an error, since what it led to may be there again.
fn list(folder: &Path, is_wanted: fn(&FileType) -> bool) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let mut file_type = entry.file_type()?;
        if file_type.is_symlink() {
            file_type = fs::metadata(entry.path())?.file_type();
        }
        if is_wanted(&file_type) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

#[expect(unsafe_code, reason = "the standard library does not tell how full a disk is")]
fn statvfs(path: &std::ffi::CStr) -> Result<libc::statvfs> {
    let mut stat = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends in a zero byte, and `stat` is as large as the call writes.
    let answer = unsafe { libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) };
    if answer != 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: the call succeeded, so it filled the structure.
    Ok(unsafe { stat.assume_init() })
}

impl DiskFile for RealFile {
    fn len(&self) -> Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        self.0.read_exact_at(bytes, offset)
    }

    fn append(&self, bytes: &[u8]) -> Result<()> {
        (&self.0).write_all(bytes)
    }

    fn sync(&self) -> Result<()> {
        self.0.sync_data()
    }
}
