//! Checks of signed notes by a policy.

use super::Policy;
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::key::{KeyName, Vkey, verify_cosignature};
use crate::note::SignedNote;

/// A checkpoint that a policy accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The log's keys that signed it.
    pub signed_by: Vec<Vkey>,
    /// The witnesses that cosigned it, all that the policy knows.
    pub cosigned: Vec<Cosigned>,
}

/// A cosignature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The name of the witness' key.
    pub name: KeyName,
    /// When it saw the checkpoint, in seconds since 1970.
    pub time: u64,
}

impl Policy {
    /// Reads a checkpoint and believes it: a key of its log signed it, and the quorum cosigned it.
    /// Lines of unknown keys are ignored.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] for what is no checkpoint or has its signature lines out of
    /// [order](SignedNote::is_ordered); [`crate::ErrorKind::Signature`] when a known key's
    /// signature does not hold, no key of the log signed it, or the quorum is not reached.
    pub fn open(&self, note: &SignedNote) -> Result<Opened> {
        let checkpoint = Checkpoint::parse(note.text())?;
        if !note.is_ordered() {
            return Err(Error::malformed("the signature lines of a checkpoint are not in order"));
        }
        let signed_by = self.check_logs(note, &checkpoint.origin)?;
        let cosigned = self.check_witnesses(note)?;
        Ok(Opened { checkpoint, signed_by, cosigned })
    }

    /// Checks that a key of the log signed a note, such as the manifest of a bundle, and answers
    /// which ones. Lines of unknown keys are ignored.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`] when the signature lines are out of
    /// [order](SignedNote::is_ordered); [`crate::ErrorKind::Signature`] when a known key's
    /// signature does not hold or no key of the log signed the note.
    pub fn open_manifest(&self, note: &SignedNote, origin: &str) -> Result<Vec<Vkey>> {
        if !note.is_ordered() {
            return Err(Error::malformed("the signature lines of a manifest are not in order"));
        }
        self.check_logs(note, origin)
    }

    fn check_logs(&self, note: &SignedNote, origin: &str) -> Result<Vec<Vkey>> {
        let mut signed_by = Vec::new();
        for line in note.lines() {
            let key = self.logs.iter().map(|log| &log.vkey).find(|vkey| vkey.is_named_by(line));
            if let Some(key) = key {
                key.verify(note.text().as_bytes(), &line.signature)?;
                if key.name().as_str() == origin {
                    signed_by.push(key.clone());
                }
            }
        }
        if signed_by.is_empty() {
            let what = format!("no key that the policy has for the log {origin:?} signed it");
            return Err(Error::signature(what));
        }
        Ok(signed_by)
    }

    fn check_witnesses(&self, note: &SignedNote) -> Result<Vec<Cosigned>> {
        let mut seen: Vec<&[u8]> = Vec::new();
        let mut cosigned = Vec::new();
        for line in note.lines() {
            let known = self.witnesses.iter().find(|witness| witness.vkey.is_named_by(line));
            if let Some(witness) = known {
                let time = verify_cosignature(&witness.vkey, note.text(), line)?;
                cosigned.push(Cosigned { name: line.name.clone(), time });
                seen.push(&witness.name);
            }
        }
        // A group's members were defined before it.
        for group in &self.groups {
            let members = group.members.iter().filter(|member| seen.contains(&member.as_slice()));
            if members.count() >= group.threshold {
                seen.push(&group.name);
            }
        }
        match &self.quorum {
            Some(name) if !seen.contains(&name.as_slice()) => {
                Err(Error::signature("too few witnesses of the policy cosigned the checkpoint"))
            }
            _ => Ok(cosigned),
        }
    }
}
