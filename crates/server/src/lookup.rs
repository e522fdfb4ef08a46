//! Finding audit events by their ids.

use ledgerline_model::id::Seq;
use ledgerline_query::lang::Search;
use ledgerline_query::lang::ast::{Literal, Predicate};
use ledgerline_query::{Order, Page, Result, Target, search};

/// How many ids are looked for at once: a query may have only so many terms.
const IDS_AT_ONCE: usize = 200;

/// `name:value`, the whole value.
pub(crate) fn equals(name: impl Into<String>, value: impl Into<String>) -> Search {
    Search::Field { name: name.into(), predicate: Predicate::Equals(Literal(value.into())) }
}

/// The numbers of the events with these very ids, the first ones first.
///
/// # Errors
/// The query's.
pub(crate) fn by_ids(target: &Target<'_>, ids: &[&str]) -> Result<Vec<Seq>> {
    let mut seqs = Vec::new();
    for ids in ids.chunks(IDS_AT_ONCE) {
        let wanted = Search::or(ids.iter().map(|id| equals("_id", *id)).collect());
        let mut page = Page {
            limit: ledgerline_model::limits::SEARCH_PAGE_MAX,
            order: Order::Oldest,
            after: None,
            as_of: None,
            fields: Some(Vec::new()),
        };
        loop {
            let found = search(target, &wanted, &page)?;
            // A search does not tell upper from lower case; ids do.
            let exact = found.events.iter().filter(|event| ids.contains(&event.id.as_str()));
            seqs.extend(exact.map(|event| event.seq));
            page.after = found.next;
            if page.after.is_none() {
                break;
            }
        }
    }
    seqs.sort_unstable();
    Ok(seqs)
}
