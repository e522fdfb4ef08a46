//! What proves audit events.

use std::sync::Arc;

use ledgerline_ledger::body::{Body, Shown};
use ledgerline_ledger::checkpoint::Checkpoint;
use ledgerline_ledger::commit::Salt;
use ledgerline_ledger::erased::Erased;
use ledgerline_ledger::note::SignedNote;
use ledgerline_ledger::proof::TlogProof;
use ledgerline_ledger::tree::{self, Head};
use ledgerline_model::id::Seq;
use ledgerline_store::snapshot::Kept;
use ledgerline_store::tree::View;

use super::read::One;
use crate::app::App;
use crate::error::{Failure, Result, blocking};
use crate::node::OpenTenant;
use crate::signing;

/// Proves events by the latest checkpoint.
#[derive(Debug)]
pub(crate) struct Prover<'a> {
    view: View<'a>,
    note: Option<(SignedNote, Head)>,
    /// The latest checkpoint that a witness cosigned, which is often a little older.
    cosigned: Option<(SignedNote, Head)>,
}

impl<'a> Prover<'a> {
    pub(crate) fn new(view: View<'a>) -> Result<Self> {
        let note = view.checkpoint(None)?.map(|text| read_checkpoint(&text)).transpose()?;
        let cosigned = view.cosigned_checkpoint()?;
        let cosigned = cosigned.map(|text| read_checkpoint(&text)).transpose()?;
        Ok(Self { view, note, cosigned })
    }

    /// The checkpoint, and the tree that it signs, if one has the event's entry: the cosigned one
    /// if that does.
    pub(crate) fn over(&self, seq: Seq) -> Option<&(SignedNote, Head)> {
        let has = |checkpoint: &&(SignedNote, Head)| seq.0 < checkpoint.1.size;
        self.cosigned.as_ref().filter(has).or(self.note.as_ref().filter(has))
    }

    /// The checkpoint, and the tree that it signs.
    pub(crate) fn checkpoint(&self) -> Option<&(SignedNote, Head)> {
        self.note.as_ref()
    }

    pub(crate) fn view(&self) -> &View<'a> {
        &self.view
    }

    /// That the entry is in the tree, as a text of its own.
    ///
    /// # Errors
    /// `unavailable` when no checkpoint has the entry yet.
    pub(crate) fn shown(&self, seq: Seq) -> Result<Shown> {
        let (note, head) = self.over(seq).ok_or_else(not_yet)?;
        let path = self.path(seq, head.size)?;
        let proof = TlogProof { index: seq.0, path, note: note.clone() };
        Ok(Shown::TlogProof(proof.to_text()))
    }

    /// The way from an entry to the root.
    pub(crate) fn path(&self, seq: Seq, size: u64) -> Result<Vec<ledgerline_ledger::hash::Hash>> {
        let path = tree::inclusion(&self.view, seq.0, size);
        path.map_err(|error| Failure::internal(&error))
    }

    /// An event with its proof.
    ///
    /// # Errors
    /// `data_corrupt` when what is stored is not what the ledger commits to.
    pub(crate) fn body(&self, kept: &Kept, shown: Shown) -> Result<Body> {
        let evidence = kept.evidence.as_ref().ok_or_else(Failure::no_record)?;
        let salt = Salt::from_base64(&evidence.salt).map_err(|error| damaged(&error))?;
        let entry = self.view.entry(kept.seq)?;
        Body::new(evidence.payload.clone(), entry, salt, shown).map_err(|error| damaged(&error))
    }
}

/// A stored checkpoint.
pub(crate) fn read_checkpoint(text: &str) -> Result<(SignedNote, Head)> {
    let note = SignedNote::parse(text.as_bytes()).map_err(|error| damaged(&error))?;
    let checkpoint = Checkpoint::parse(note.text()).map_err(|error| damaged(&error))?;
    Ok((note, checkpoint.head))
}

fn damaged(error: &ledgerline_ledger::Error) -> Failure {
    tracing::error!(%error, "what is stored is not what the ledger commits to");
    let detail = "what is stored is not what the ledger commits to";
    Failure::new(ledgerline_api::code::Code::DataCorrupt, detail)
}

fn not_yet() -> Failure {
    let detail = "no checkpoint has the event yet";
    Failure::new(ledgerline_api::code::Code::Unavailable, detail)
}

/// The body of `GET /logs/{id}?proof=true`.
pub(crate) async fn proven(app: &Arc<App>, one: &One) -> Result<String> {
    let last = one.event.amendments.iter().map(|kept| kept.seq).max();
    let last = last.unwrap_or(one.event.kept.seq);
    let (event, scope, dataset) = (one.event.clone(), one.scope.clone(), one.dataset.id);
    with_checkpoint(app, one, last, move |open| {
        let prover = Prover::new(open.store.trees().view(&scope, dataset)?)?;
        let shown = |kept: &Kept| prover.body(kept, prover.shown(kept.seq)?);
        let alive = event.amendments.iter().filter(|kept| kept.evidence.is_some());
        let history = alive.map(shown).collect::<Result<Vec<_>>>()?;
        let body = shown(&event.kept)?.with_history(history).map_err(|error| damaged(&error))?;
        Ok(body.to_text())
    })
    .await
}

/// What proves that an event was there, and was erased.
pub(crate) async fn erased(app: &Arc<App>, one: &One) -> Result<String> {
    let (kept, remover) = (one.event.kept.clone(), one.remover.clone());
    let last = remover.as_ref().map_or(kept.seq, |remover| remover.seq.max(kept.seq));
    let (scope, dataset) = (one.scope.clone(), one.dataset.id);
    with_checkpoint(app, one, last, move |open| {
        let prover = Prover::new(open.store.trees().view(&scope, dataset)?)?;
        let erased = Erased::new(prover.view().entry(kept.seq)?, prover.shown(kept.seq)?);
        let erased = match &remover {
            Some(remover) => {
                let body = prover.body(remover, prover.shown(remover.seq)?)?;
                erased.explained(body).map_err(|error| damaged(&error))?
            }
            None => erased,
        };
        Ok(erased.to_text())
    })
    .await
}

/// Does something when there is a checkpoint over an entry: signs one when there is none yet.
async fn with_checkpoint<T: Send + 'static>(
    app: &Arc<App>,
    one: &One,
    last: Seq,
    work: impl FnOnce(&OpenTenant) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (of_work, scope, dataset) = (Arc::clone(app), one.scope.clone(), one.dataset.id);
    blocking(move || {
        let open = of_work.node.tenant(scope.tenant())?;
        let is_there = {
            let prover = Prover::new(open.store.trees().view(&scope, dataset)?)?;
            prover.over(last).is_some()
        };
        if !is_there {
            signing::sign(&open, of_work.node.signer(), &*of_work.clock)?;
        }
        work(&open)
    })
    .await
}
