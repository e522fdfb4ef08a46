//! Bundles: a tar archive of events with their proof, signed by the log's key.

use std::collections::VecDeque;
use std::sync::Arc;

use aws_lc_rs::digest;
use axum::response::Response;
use ledgerline_ledger::body::Shown;
use ledgerline_ledger::bundle::{Extent, MEMBERS, Manifest, TAR_END, tar_header, tar_padding};
use ledgerline_ledger::entry;
use ledgerline_ledger::erased::Erased;
use ledgerline_ledger::hash::Hash;
use ledgerline_ledger::tree::{self, Head};
use ledgerline_model::id::Seq;
use ledgerline_model::time::TimeRange;
use ledgerline_query::{self as query, Order};
use ledgerline_store::snapshot::Kept;

use super::super::filter::{Filter, Parameters, refused, single};
use super::super::proof::Prover;
use super::super::read::page;
use crate::answer;
use crate::app::App;
use crate::auth::Caller;
use crate::error::{Failure, Result, blocking};
use crate::masking;
use crate::routes::asking::{Asked, Question, Rows, ask_with};
use crate::signing;

/// How many entries one bundle may have.
const ENTRIES_MAX: u64 = 1_000_000;
/// How long the files of one bundle may be: they lie in memory until they are sent, since their
/// digests stand before them.
const BUNDLE_BYTES_MAX: usize = 256 << 20;
/// How many entries are read at once.
const AT_ONCE: usize = 500;

/// What a bundle is to hold.
enum Wanted {
    /// Every entry from one place to another.
    Range(u64, u64),
    /// What a filter finds.
    Filter(query::lang::Search),
}

/// The files of an archive, each but the first as it is written.
#[derive(Debug)]
struct Files {
    manifest: String,
    checkpoint: String,
    events: String,
    erasures: String,
    range: Option<String>,
    events_count: u64,
}

impl Rows for Files {
    fn rows(&self) -> usize {
        usize::try_from(self.events_count).unwrap_or(usize::MAX)
    }
    fn size_bytes(&self) -> usize {
        self.manifest.len() + self.checkpoint.len() + self.events.len() + self.erasures.len()
    }
}

pub(super) async fn answer(
    app: &Arc<App>,
    caller: &Caller,
    parameters: &Parameters,
    filter: Filter,
) -> Result<Response> {
    let number = |name: &str| -> Result<Option<u64>> {
        let Some(text) = single(parameters, name)? else { return Ok(None) };
        let number = text.parse::<u64>().ok().filter(|number| *number < u64::MAX);
        number.map(Some).ok_or_else(|| refused(name, format!("{name} is a whole number")))
    };
    let wanted = match (number("from_seq")?, number("to_seq")?) {
        (None, None) => Wanted::Filter(filter.search.clone()),
        (Some(first), Some(last)) if first <= last && last - first < ENTRIES_MAX => {
            if !filter.is_plain() || filter.from.is_some() || filter.to.is_some() {
                let detail = "a range holds every entry: nothing else narrows it";
                return Err(refused("from_seq", detail.to_owned()));
            }
            Wanted::Range(first, last)
        }
        (Some(_), Some(_)) => {
            let detail = format!("from_seq to to_seq are 1 to {ENTRIES_MAX} entries");
            return Err(refused("from_seq", detail));
        }
        _ => {
            let detail = "from_seq and to_seq come together";
            return Err(refused("from_seq", detail.to_owned()));
        }
    };
    let (text, range) = match &wanted {
        Wanted::Range(first, last) => (format!("_seq:[{first} TO {last}]"), TimeRange::ALL),
        Wanted::Filter(search) => (search.to_string(), filter.range),
    };
    sign_first(app, caller).await?;
    let (of_work, now) = (Arc::clone(app), app.clock.now());
    let question =
        Question { action: "audit.export", dataset: filter.dataset, query: text.clone(), range };
    let answer = ask_with(app, caller, question, move |asked| {
        if asked.mask.is_some() {
            return Err(masking::refused("a bundle shows events as they are stored"));
        }
        let bundle = Bundler { asked, prover: super::super::read::prover(asked)? };
        bundle.files(&of_work, &wanted, (&text, now.0))
    });
    let answer = answer.await?;
    let mut pieces = pieces(answer.found)?;
    let body = answer::pieces(answer.held, move || pieces.pop_front());
    Ok(super::download("application/x-tar", "tar", body))
}

/// So that the checkpoint is over everything that was stored before.
async fn sign_first(app: &Arc<App>, caller: &Caller) -> Result<()> {
    let tenant = caller.tenant()?;
    caller.may_read_all()?;
    let of_work = Arc::clone(app);
    blocking(move || {
        let open = of_work.node.tenant(tenant)?;
        signing::sign(&open, of_work.node.signer(), &*of_work.clock).map(drop)
    })
    .await
}

struct Bundler<'a> {
    asked: &'a Asked<'a>,
    prover: Prover<'a>,
}

impl Bundler<'_> {
    fn files(&self, app: &App, wanted: &Wanted, (text, now_ns): (&str, i64)) -> Result<Files> {
        let (note, head) = self.prover.checkpoint().cloned().ok_or_else(Failure::no_record)?;
        let (mut events, mut erasures) = (String::new(), String::new());
        let mut told = Told::default();
        match wanted {
            Wanted::Range(first, last) => {
                if *last >= head.size {
                    let detail = format!("the log has {} entries", head.size);
                    return Err(refused("to_seq", detail));
                }
                let mut at = *first;
                while at <= *last {
                    let end = (*last + 1).min(at + AT_ONCE as u64);
                    let seqs: Vec<Seq> = (at..end).map(Seq).collect();
                    self.put(&seqs, (&head, false), &mut events, &mut told)?;
                    at = end;
                }
            }
            Wanted::Filter(search) => {
                for seqs in self.found(search, head.size)?.chunks(AT_ONCE) {
                    self.put(seqs, (&head, true), &mut events, &mut told)?;
                }
            }
        }
        self.put_erasures(&told, &head, &mut erasures)?;
        let range = match wanted {
            Wanted::Range(first, last) => {
                let proof = tree::range(self.prover.view(), *first, *last, head.size);
                Some(proof.map_err(|error| Failure::internal(&error))?.to_text())
            }
            Wanted::Filter(_) => None,
        };
        let checkpoint = note.to_text();
        let log = self.prover.view().log();
        let manifest = Manifest {
            log_id: log.id,
            dataset: entry::Dataset::new(log.name.clone()).map_err(|e| Failure::internal(&e))?,
            extent: match (wanted, &range) {
                (Wanted::Range(first, last), Some(proof)) => {
                    Extent::Range { first: *first, last: *last, proof: sha256(proof.as_bytes()) }
                }
                _ => Extent::Filter { bounds: told.bounds },
            },
            filter: format!("{{\"query\":{}}}", ledgerline_ledger::json::quote(text)),
            count: told.count,
            erased: told.erased.len() as u64,
            created_ns: u64::try_from(now_ns).unwrap_or(0),
            checkpoint: sha256(checkpoint.as_bytes()),
            events: sha256(events.as_bytes()),
            erasures: sha256(erasures.as_bytes()),
        };
        let manifest = manifest.to_text();
        let signed = app.node.signer().sign_line(log.id, manifest.trim_end_matches('\n'))?;
        let events_count = told.count;
        Ok(Files { manifest: signed, checkpoint, events, erasures, range, events_count })
    }

    /// The events that a search finds and the checkpoint has, by rising numbers.
    fn found(&self, search: &query::lang::Search, size: u64) -> Result<Vec<Seq>> {
        let mut seqs = Vec::new();
        let mut next = page(AT_ONCE, Order::Oldest, None);
        next.as_of = Some(Seq(size));
        loop {
            let found = query::search(&self.asked.target, search, &next);
            let found = found.map_err(|error| Failure::of_query(&error, ""))?;
            seqs.extend(found.events.iter().map(|event| event.seq));
            if seqs.len() as u64 > ENTRIES_MAX {
                let detail = format!("a bundle has at most {ENTRIES_MAX} events");
                return Err(refused("format", detail));
            }
            next.after = found.next;
            if next.after.is_none() {
                seqs.sort_unstable();
                return Ok(seqs);
            }
        }
    }

    /// Writes the lines of some entries. With `has_path` each shows by itself that it is in the
    /// tree.
    fn put(
        &self,
        seqs: &[Seq],
        (head, has_path): (&Head, bool),
        to: &mut String,
        told: &mut Told,
    ) -> Result<()> {
        let kept = self.asked.target.snapshot.kept(seqs)?;
        for (seq, kept) in seqs.iter().zip(kept) {
            let shown = if has_path {
                Shown::Path(self.prover.path(*seq, head.size)?)
            } else {
                Shown::Range
            };
            let line = match kept.filter(|kept| kept.evidence.is_some()) {
                Some(kept) => self.prover.body(&kept, shown)?.to_text(),
                None => {
                    told.erased.push(*seq);
                    Erased::new(self.prover.view().entry(*seq)?, shown).to_text()
                }
            };
            line_to(to, &line)?;
            told.count += 1;
            told.bounds = Some((told.bounds.map_or(seq.0, |(first, _)| first), seq.0));
        }
        Ok(())
    }

    /// Writes the entries that explain why others have no content.
    fn put_erasures(&self, told: &Told, head: &Head, to: &mut String) -> Result<()> {
        let trees = self.asked.tenant.store.trees();
        let mut removers: Vec<Seq> = Vec::new();
        for seq in &told.erased {
            let remover = trees.remover(self.asked.scope, self.asked.dataset.id, *seq)?;
            removers.extend(remover);
        }
        removers.sort_unstable();
        removers.dedup();
        // They came later than what the parameters may mean.
        let store = &self.asked.tenant.store;
        let all = store.snapshot(self.asked.scope, self.asked.dataset.id, TimeRange::ALL)?;
        let kept: Vec<Kept> = all.kept(&removers)?.into_iter().flatten().collect();
        for kept in kept {
            let shown = Shown::Path(self.prover.path(kept.seq, head.size)?);
            line_to(to, &self.prover.body(&kept, shown)?.to_text())?;
        }
        Ok(())
    }
}

/// What was written so far.
#[derive(Debug, Default)]
struct Told {
    count: u64,
    bounds: Option<(u64, u64)>,
    erased: Vec<Seq>,
}

fn line_to(to: &mut String, line: &str) -> Result<()> {
    if to.len() + line.len() > BUNDLE_BYTES_MAX {
        let detail = format!("a bundle has at most {BUNDLE_BYTES_MAX} bytes; take it in parts");
        return Err(refused("format", detail));
    }
    to.push_str(line);
    to.push('\n');
    Ok(())
}

fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    Hash(hash)
}

/// The bytes of the archive, member by member.
fn pieces(files: Files) -> Result<VecDeque<Vec<u8>>> {
    let Files { manifest, checkpoint, events, erasures, range, .. } = files;
    let contents = [manifest, checkpoint, events, erasures].into_iter().chain(range);
    let mut pieces = VecDeque::new();
    for (name, content) in MEMBERS.into_iter().zip(contents) {
        let length = content.len() as u64;
        let header = tar_header(name, length).map_err(|error| Failure::internal(&error))?;
        pieces.push_back(header.to_vec());
        pieces.push_back(content.into_bytes());
        pieces.push_back(vec![0; tar_padding(length)]);
    }
    pieces.push_back(vec![0; TAR_END]);
    Ok(pieces)
}
