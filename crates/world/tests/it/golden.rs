//! Files that another program sealed (Python's `cryptography`), by `spec/formats/` alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ledgerline_world::disk::MemoryDisk;

use crate::support::{data_dir, keyring, path, place, reopen, try_blobs, write};

const FILES: &str = include_str!("../../testdata/sealed-2.txt");

fn file(name: &str) -> Vec<u8> {
    let line = FILES.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let digits = line.expect("a line of the file").as_bytes();
    let byte = |pair: &[u8]| {
        u8::from_str_radix(str::from_utf8(pair).expect("digits"), 16).expect("digits")
    };
    digits.chunks(2).map(byte).collect()
}

#[test]
fn what_another_program_sealed_as_the_format_says_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    let root_key = folder.path().join("control/root.key");
    fs::create_dir(folder.path().join("control")).expect("made");
    let digits: String = file("root.key").iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(&root_key, digits).expect("written");
    fs::set_permissions(&root_key, PermissionsExt::from_mode(0o600)).expect("changed");
    let disk = MemoryDisk::new();
    for name in ["tenant.key", "segments/b.lls", "journal/00.log"] {
        write(&disk, &place(folder.path(), 1, name), &file(name));
    }
    let lost = reopen(folder.path(), &disk).expect_err("the keyring lies elsewhere");
    assert_eq!(lost.to_string(), "the keyring of the tenant is lost; restore control/keyrings");
    write(&disk, &keyring(folder.path(), 1), &file("keyring"));
    let data = data_dir(folder.path(), &disk);
    let blobs = try_blobs(&data, 1).expect("it opens");
    let object = blobs.get(&path("segments/b.lls")).expect("it opens");
    assert_eq!(object, b"an object, sealed by another program");
    let log = blobs.open_log(&path("journal/00.log")).expect("it opens");
    let mut frame = log.read_at(ledgerline_world::LogReader::START, 100).expect("read");
    assert_eq!(log.key().open(7, &mut frame).expect("the frame opens"), b"a frame");
}
