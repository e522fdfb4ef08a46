//! Whom a verifier believes (C2SP tlog-policy): the keys of logs, the keys of witnesses, and which
//! witnesses suffice.
//!
//! ```text
//! log <vkey> [<url>]
//! witness <name> <vkey> [<url>]
//! group <name> all|any|<k> <name>…
//! quorum <name>|none
//! ```
//!
//! Names and addresses are bytes without meaning. Of one log there may be several keys: those from
//! before a rotation, and those from after it.

mod open;
mod parse;

pub use open::{Cosigned, Opened};

use crate::error::{Error, Result};
use crate::key::{KeyUse, Vkey};

/// The longest policy.
pub const POLICY_BYTES_MAX: usize = 256 * 1024;
/// The most logs, and the most witnesses and groups together.
pub const NAMES_MAX: usize = 1024;

/// A log that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Its key, whose name is the log's origin.
    pub vkey: Vkey,
    /// Where it is.
    pub url: Option<Vec<u8>>,
}

/// A witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What the policy calls it.
    pub name: Vec<u8>,
    /// Its key.
    pub vkey: Vkey,
    /// Where it is.
    pub url: Option<Vec<u8>>,
}

/// Several witnesses or groups, of which some suffice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What the policy calls it.
    pub name: Vec<u8>,
    /// How many members suffice.
    pub threshold: usize,
    /// The names of the members, which were defined before.
    pub members: Vec<Vec<u8>>,
}

/// Whom a verifier believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    /// Nothing for `none`.
    quorum: Option<Vec<u8>>,
}

/// A policy that is being put together, line by line.
#[derive(Debug, Clone, Default)]
pub struct PolicyBuilder {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Option<Vec<u8>>>,
}

impl Policy {
    /// The logs.
    #[must_use]
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The groups.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The name of the witness or group that suffices; nothing when none is needed.
    #[must_use]
    pub fn quorum(&self) -> Option<&[u8]> {
        self.quorum.as_deref()
    }
}

impl PolicyBuilder {
    /// A policy without a line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a log.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when the key is no log's or is there already, or the
    /// address has spaces.
    pub fn log(&mut self, vkey: Vkey, url: Option<Vec<u8>>) -> Result<()> {
        let keys = self.logs.iter().map(|log| &log.vkey);
        check_key(&vkey, KeyUse::Log, keys)?;
        check_words(url.as_slice())?;
        check_room(self.logs.len())?;
        self.logs.push(Log { vkey, url });
        Ok(())
    }

    /// Adds a witness.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when the key is no witness' or is there already, or the
    /// name cannot be one or is there already.
    pub fn witness(&mut self, name: Vec<u8>, vkey: Vkey, url: Option<Vec<u8>>) -> Result<()> {
        let keys = self.witnesses.iter().map(|witness| &witness.vkey);
        check_key(&vkey, KeyUse::Witness, keys)?;
        check_words(url.as_slice())?;
        self.check_new(&name)?;
        self.witnesses.push(Witness { name, vkey, url });
        Ok(())
    }

    /// Adds a group.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when the threshold is not from one to the number of members,
    /// a member was not defined before or is a member already, or the name cannot be one or is
    /// there already.
    pub fn group(&mut self, group: Group) -> Result<()> {
        if !(1..=group.members.len()).contains(&group.threshold) {
            return Err(Error::malformed("a group needs one to all of its members"));
        }
        for (at, member) in group.members.iter().enumerate() {
            let taken = self.groups.iter().any(|other| other.members.contains(member));
            if taken || group.members[..at].contains(member) {
                return Err(Error::malformed("a member of a group is a member already"));
            }
            self.check_defined(member)?;
        }
        self.check_new(&group.name)?;
        self.groups.push(group);
        Ok(())
    }

    /// Says which witness or group suffices; nothing when none is needed.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when the name was not defined before, or a quorum was.
    pub fn quorum(&mut self, name: Option<Vec<u8>>) -> Result<()> {
        if self.quorum.is_some() {
            return Err(Error::malformed("a policy has one quorum"));
        }
        if let Some(name) = &name {
            self.check_defined(name)?;
        }
        self.quorum = Some(name);
        Ok(())
    }

    /// The policy.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when there is no quorum.
    pub fn build(self) -> Result<Policy> {
        let quorum = self.quorum.ok_or_else(|| Error::malformed("a policy has a quorum"))?;
        Ok(Policy { logs: self.logs, witnesses: self.witnesses, groups: self.groups, quorum })
    }

    fn names(&self) -> impl Iterator<Item = &Vec<u8>> {
        let groups = self.groups.iter().map(|group| &group.name);
        self.witnesses.iter().map(|witness| &witness.name).chain(groups)
    }

    fn check_defined(&self, name: &Vec<u8>) -> Result<()> {
        if self.names().any(|other| other == name) {
            Ok(())
        } else {
            let name = String::from_utf8_lossy(name);
            Err(Error::malformed(format!("{name:?} was not defined before")))
        }
    }

    fn check_new(&self, name: &Vec<u8>) -> Result<()> {
        check_words(std::slice::from_ref(name))?;
        check_room(self.names().count())?;
        if name == b"none" || self.names().any(|other| other == name) {
            let name = String::from_utf8_lossy(name);
            return Err(Error::malformed(format!("{name:?} is a name already")));
        }
        Ok(())
    }
}

fn check_key<'a>(
    vkey: &Vkey,
    key_use: KeyUse,
    mut others: impl Iterator<Item = &'a Vkey>,
) -> Result<()> {
    if vkey.key_use() != key_use {
        return Err(Error::malformed(format!("{vkey} is not a key for this use")));
    }
    if others.any(|other| other.public() == vkey.public()) {
        return Err(Error::malformed(format!("the key of {vkey} is there already")));
    }
    Ok(())
}

/// A word of a line: not empty, without spaces and control characters.
fn check_words(words: &[Vec<u8>]) -> Result<()> {
    let is_word =
        |word: &Vec<u8>| !word.is_empty() && word.iter().all(|byte| *byte > b' ' && *byte != 0x7f);
    if words.iter().all(is_word) { Ok(()) } else { Err(Error::malformed("this is not one word")) }
}

fn check_room(taken: usize) -> Result<()> {
    if taken < NAMES_MAX { Ok(()) } else { Err(Error::malformed("a policy with too many lines")) }
}

#[cfg(test)]
mod tests;
