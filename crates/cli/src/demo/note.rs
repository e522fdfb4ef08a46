//! The demo's logins, kept in the data folder where only its owner can read them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::failure::Failure;
use crate::files;

const FILE: &str = "demo.txt";
const HEADER: &str = "# The logins of the demo; `ledgerline demo` reads them at each start.\n";
/// Of 32 random hexadecimal digits; 80 bits are enough, and shorter to type.
const PASSWORD_DIGITS: usize = 20;

/// What the demo has chosen and made so far.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    #[serde(skip)]
    path: PathBuf,
    pub(super) operator_password: String,
    pub(super) admin_password: String,
    pub(super) key: Option<String>,
    /// The samples that were sent.
    #[serde(default)]
    pub(super) loaded: Vec<String>,
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Note").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Note {
    /// Reads the note of a data folder, or chooses passwords and writes one. The operator gets
    /// the password that is given, if one is.
    pub(super) fn open(data: &Path, operator_password: Option<&str>) -> Result<Self, Failure> {
        let path = data.join(FILE);
        let text = files::read_text(&path).map_err(|error| {
            Failure::caused(&format!("{} cannot be read", path.display()), &error)
        })?;
        if let Some(text) = text {
            let note: Self = toml::from_str(&text).map_err(|error| {
                Failure::new(format!("{} is damaged: {}", path.display(), error.message()))
            })?;
            return Ok(Self { path, ..note });
        }
        let note = Self {
            path,
            operator_password: operator_password.map_or_else(password, str::to_owned),
            admin_password: password(),
            key: None,
            loaded: Vec::new(),
        };
        note.write()?;
        Ok(note)
    }

    /// Writes it down.
    pub(super) fn write(&self) -> Result<(), Failure> {
        let written = toml::to_string(self)
            .map_err(|error| Failure::caused("the logins cannot be written as TOML", &error))?;
        files::write_private(&self.path, &format!("{HEADER}{written}")).map_err(|error| {
            Failure::caused(&format!("{} cannot be written", self.path.display()), &error)
        })
    }
}

fn password() -> String {
    let mut password = clock::random_name();
    password.truncate(PASSWORD_DIGITS);
    password
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_start_reads_what_the_first_chose() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let mut first = Note::open(&data, None).expect("written");
        first.key = Some("ll_x".into());
        first.loaded.push("cloudtrail".into());
        first.write().expect("written");
        let second = Note::open(&data, Some("another")).expect("read");
        assert_eq!(second.operator_password, first.operator_password);
        assert_eq!((second.key, second.loaded), (first.key, first.loaded));
        let mode = data.join(FILE).metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_given_password_is_the_operators() {
        let folder = tempfile::tempdir().expect("a folder");
        let note = Note::open(folder.path(), Some("given by the operator")).expect("written");
        assert_eq!(note.operator_password, "given by the operator");
        assert_ne!(note.admin_password, note.operator_password);
        assert!(!format!("{note:?}").contains("given"));
    }

    #[test]
    fn a_damaged_note_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE), "nonsense").expect("written");
        let failure = Note::open(folder.path(), None).expect_err("damaged");
        assert!(failure.message().contains("is damaged"), "{}", failure.message());
    }
}
