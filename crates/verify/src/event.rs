//! One event: its body as the server answers it, or what is left of it after an erasure.

use ledgerline_ledger::body::{Body, Form, Shown};
use ledgerline_ledger::checkpoint::Origin;
use ledgerline_ledger::entry::{Entry, Kind};
use ledgerline_ledger::erased::Erased;
use ledgerline_ledger::payload::Statement;
use ledgerline_ledger::policy::{Opened, Policy};
use ledgerline_ledger::proof::TlogProof;
use ledgerline_ledger::{Error, ErrorKind, Result, json, time};

use crate::outcome::Outcome;

/// The longest body, and the longest line of a bundle.
pub(crate) const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Checks the body of an event: `GET /api/v1/logs/{id}?proof=true`, or the problem that answers for
/// an erased event. One newline may follow it.
#[must_use]
pub fn event(bytes: &[u8], policy: &Policy) -> Outcome {
    check(bytes, policy).into()
}

fn check(bytes: &[u8], policy: &Policy) -> Result<Outcome> {
    let text = text_of(bytes)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let members = json::object(text)?;
    match members.iter().find(|member| member.name == "erased") {
        Some(erased) => check_erased(&Erased::parse(erased.value, Form::Answer)?, policy),
        None => check_body(&Body::parse(text, Form::Answer)?, policy),
    }
}

/// The bytes as text that is not too long.
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str> {
    if bytes.len() > BODY_BYTES_MAX {
        return Err(Error::new(ErrorKind::Malformed, "an event of more than 16 MiB"));
    }
    std::str::from_utf8(bytes)
        .map_err(|_| Error::new(ErrorKind::Malformed, "the event is not UTF-8"))
}

fn check_body(body: &Body, policy: &Policy) -> Result<Outcome> {
    let mut seen = Seen::default();
    let opened = seen.check(body.entry(), body.shown(), policy)?;
    check_rotation(body, &opened.checkpoint.origin)?;
    for amendment in body.history() {
        let place = format_args!("the amendment at {}", amendment.entry().seq);
        let checked = seen.check(amendment.entry(), amendment.shown(), policy);
        checked.map_err(|error| error.about(place))?;
    }
    let mut text = format!("INCLUDED\n{}", describe(body.entry(), &opened));
    for amendment in body.history() {
        text.push_str(&format!("amended by seq {}\n", amendment.entry().seq));
    }
    Ok(Outcome::sound(text))
}

fn check_erased(erased: &Erased, policy: &Policy) -> Result<Outcome> {
    let erasure = erased.erasure().expect("an answer says why its event is gone");
    let mut seen = Seen::default();
    let opened = seen.check(erased.entry(), erased.shown(), policy)?;
    let checked = seen.check(erasure.entry(), erasure.shown(), policy);
    checked.map_err(|error| error.about("the erasure"))?;
    let verb = if erasure.entry().kind == Kind::Erasure { "ERASED" } else { "RETIRED" };
    let first = format!("INCLUDED, {verb} BY seq {}\n", erasure.entry().seq);
    Ok(Outcome::erased(first + &describe(erased.entry(), &opened)))
}

/// Checks the signatures of a key rotation.
pub(crate) fn check_rotation(body: &Body, origin: &str) -> Result<()> {
    match &body.claims().statement {
        Statement::KeyRotation(rotation) => rotation.check(&origin.parse()?),
        _ => Ok(()),
    }
}

/// The checkpoints that a body came with.
#[derive(Debug, Default)]
struct Seen(Vec<Opened>);

impl Seen {
    /// Checks that an entry is included as it is shown, under a checkpoint that does not contradict
    /// the others.
    fn check(&mut self, entry: &Entry, shown: &Shown, policy: &Policy) -> Result<Opened> {
        let Shown::TlogProof(text) = shown else {
            return Err(Error::new(ErrorKind::Malformed, "this body has no proof of its own"));
        };
        let proof = TlogProof::parse(text)?;
        let opened = policy.open(&proof.note)?;
        let checkpoint = &opened.checkpoint;
        let origin: Origin = checkpoint.origin.parse()?;
        let differ = |what: &'static str| Err(Error::new(ErrorKind::NotIncluded, what));
        if origin.log_id() != entry.log_id {
            return differ("the entry is of another log than the checkpoint");
        }
        if proof.index != entry.seq {
            return differ("the proof is for another place than the entry's");
        }
        proof.check(entry.leaf(), checkpoint)?;
        let contradicts = |other: &Opened| {
            let other = &other.checkpoint;
            let is_same_tree =
                (&other.origin, other.head.size) == (&checkpoint.origin, checkpoint.head.size);
            is_same_tree && other.head.root != checkpoint.head.root
        };
        if let Some(other) = self.0.iter().find(|other| contradicts(other)) {
            let (one, two) = (other.checkpoint.to_text(), checkpoint.to_text());
            let what = format!("the log signed two trees of one size:\n{one}\n{two}");
            return Err(Error::new(ErrorKind::Inconsistent, what));
        }
        self.0.push(opened.clone());
        Ok(opened)
    }
}

fn describe(entry: &Entry, opened: &Opened) -> String {
    let received_at = time::format(entry.received_ns);
    format!("seq {}, received at {received_at}\n{}", entry.seq, describe_checkpoint(opened))
}

/// The lines that say which checkpoint a proof leads to and who stands behind it.
pub(crate) fn describe_checkpoint(opened: &Opened) -> String {
    let checkpoint = &opened.checkpoint;
    let (origin, head) = (checkpoint.origin.escape_debug(), &checkpoint.head);
    let mut text = format!("log {origin}\ntree of {} entries, root {:?}\n", head.size, head.root);
    for key in &opened.signed_by {
        text.push_str(&format!("signed by the log's key {:08x}\n", key.key_id()));
    }
    for cosigned in &opened.cosigned {
        let name = cosigned.name.as_str().escape_debug();
        let when = match cosigned.time.checked_mul(1_000_000_000) {
            Some(nanoseconds) => time::format(nanoseconds),
            None => format!("second {}", cosigned.time),
        };
        text.push_str(&format!("seen by witness {name} at {when}\n"));
    }
    text
}
