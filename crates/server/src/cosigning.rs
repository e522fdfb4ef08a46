//! Cosigning: the checkpoints of ledgers are shown to the witnesses that the operator named, and
//! copied to the folder elsewhere that it named.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use ledgerline_ledger::checkpoint::Checkpoint;
use ledgerline_ledger::key::{KeyUse, Vkey, verify_cosignature};
use ledgerline_ledger::log_id::LogId;
use ledgerline_ledger::note::{SignatureLine, SignedNote};
use ledgerline_ledger::tree::{self, Head};
use ledgerline_ledger::witness::{AddCheckpoint, parse_response};
use ledgerline_policy::{Job, upkeep};
use ledgerline_store::tree::View;
use ledgerline_world::Clock;
use parking_lot::Mutex;

use crate::error::{Failure, Result, chain};
use crate::node::OpenTenant;
use crate::routes::logs::proof::read_checkpoint;

/// How long a witness may take.
const PATIENCE: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: u64 = 16 << 10;

/// A witness that the operator named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessAddress {
    /// Its key.
    pub vkey: Vkey,
    /// Where `add-checkpoint` lies below.
    pub url: String,
}

impl std::str::FromStr for WitnessAddress {
    type Err = String;

    /// `VKEY URL`.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("{text:?} is no witness: VKEY URL is expected");
        let (vkey, url) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let vkey: Vkey = vkey.parse().map_err(|_| wrong())?;
        let url = url.trim().trim_end_matches('/').to_owned();
        let is_http = url.starts_with("https://") || url.starts_with("http://");
        if vkey.key_use() == KeyUse::Witness && is_http {
            Ok(Self { vkey, url })
        } else {
            Err(wrong())
        }
    }
}

/// The witnesses, and what each was shown last.
#[derive(Debug)]
pub(crate) struct Witnesses {
    all: Vec<WitnessAddress>,
    agent: ureq::Agent,
    shown: Mutex<HashMap<(String, LogId), u64>>,
}

impl Witnesses {
    pub(crate) fn new(all: Vec<WitnessAddress>) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .new_agent();
        Self { all, agent, shown: Mutex::default() }
    }

    /// The witnesses that the operator named.
    pub(crate) fn all(&self) -> &[WitnessAddress] {
        &self.all
    }

    /// Has the latest checkpoint of each of a tenant's ledgers cosigned. A witness that does not
    /// answer keeps nobody from the others.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn cosign(&self, open: &OpenTenant, clock: &dyn Clock) -> Result<u64> {
        if self.all.is_empty() {
            return Ok(0);
        }
        let scope = upkeep(open.id, Job::Sign);
        let mut cosigned = 0;
        for log in open.store.trees().logs(&scope)? {
            let view = open.store.trees().view_for(&scope, log.dataset)?;
            let Some(text) = view.checkpoint(None)? else { continue };
            let (mut note, head) = read_checkpoint(&text)?;
            let mut is_new = false;
            for witness in &self.all {
                if note.lines().iter().any(|line| witness.vkey.is_named_by(line)) {
                    continue;
                }
                match self.ask(witness, &view, (&note, head)) {
                    Ok(line) => {
                        note.add(line);
                        is_new = true;
                    }
                    Err(reason) => {
                        let name = witness.vkey.name().as_str();
                        tracing::warn!(witness = name, reason, "a checkpoint is not cosigned");
                    }
                }
            }
            if is_new {
                let kept = (log.dataset, head.size, clock.now().0, note.to_text());
                open.store.trees().put_checkpoints(&scope, &[kept])?;
                cosigned += 1;
            }
        }
        Ok(cosigned)
    }

    /// Shows a checkpoint to a witness, from where it says that it stands.
    fn ask(
        &self,
        witness: &WitnessAddress,
        view: &View<'_>,
        (note, head): (&SignedNote, Head),
    ) -> std::result::Result<SignatureLine, String> {
        let key = (witness.vkey.to_string(), view.log().id);
        let known = self.shown.lock().get(&key).copied().unwrap_or(0).min(head.size);
        let mut from = known;
        for _ in 0..2 {
            let proof = tree::consistency(view, from, head.size).map_err(|error| chain(&error))?;
            let request = AddCheckpoint { old_size: from, proof, note: note.clone() };
            let url = format!("{}/add-checkpoint", witness.url);
            let sent = self.agent.post(&url).send(request.to_text());
            let mut answer = sent.map_err(|error| error.to_string())?;
            let status = answer.status().as_u16();
            let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
            let body = body.map_err(|error| error.to_string())?;
            match status {
                200 => {
                    let line = cosignature(&witness.vkey, note, &body)?;
                    self.shown.lock().insert(key, head.size);
                    return Ok(line);
                }
                409 => {
                    let size = body.trim_end().parse().ok().filter(|size| *size <= head.size);
                    from = size.ok_or("the witness saw a larger tree of this log")?;
                }
                other => return Err(format!("the witness answers {other}")),
            }
        }
        Err("the witness does not say where it stands".to_owned())
    }
}

fn cosignature(
    vkey: &Vkey,
    note: &SignedNote,
    body: &str,
) -> std::result::Result<SignatureLine, String> {
    let lines = parse_response(body).map_err(|error| error.to_string())?;
    let line = lines.into_iter().find(|line| vkey.is_named_by(line));
    let line = line.ok_or("the witness signs with another key")?;
    verify_cosignature(vkey, note.text(), &line).map_err(|error| error.to_string())?;
    Ok(line)
}

/// Copies the latest checkpoint of each of a tenant's ledgers to a folder elsewhere, a file for
/// each size, none of which is ever written again: `<log id>/<size>.checkpoint`.
///
/// # Errors
/// The disk's.
pub(crate) fn anchor(open: &OpenTenant, folder: &Path) -> Result<()> {
    let scope = upkeep(open.id, Job::Sign);
    for log in open.store.trees().logs(&scope)? {
        let view = open.store.trees().view_for(&scope, log.dataset)?;
        let Some(text) = view.checkpoint(None)? else { continue };
        let (note, _) = read_checkpoint(&text)?;
        let checkpoint = Checkpoint::parse(note.text());
        let size = checkpoint.map_err(|error| Failure::internal(&error))?.head.size;
        let place = folder.join(log.id.to_string()).join(format!("{size:020}.checkpoint"));
        write_once(&place, &text).map_err(|error| Failure::internal(&error))?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the folder is elsewhere, not the data folder")]
fn write_once(place: &Path, text: &str) -> std::io::Result<()> {
    if place.exists() {
        return Ok(());
    }
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(place);
    match opened {
        Ok(mut file) => {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
