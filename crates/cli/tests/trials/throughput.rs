//! What `make bench` measures of audit events, for a moment: everything that was acknowledged is
//! found. How fast it is, is for `make bench` to say.

use std::time::Duration;

use anyhow::{Result, ensure};
use ledgerline_bench::{Way, measure};

use crate::place::{Place, launch, report};

const TIME: Duration = Duration::from_secs(1);

#[test]
fn audit_events_that_were_acknowledged_while_others_searched_are_found() -> Result<()> {
    let place = Place::new()?;
    let node = launch(&place.join("data")).start()?;
    let tenant = node.tenant("alpha")?;
    for way in [Way::Bulk, Way::Single] {
        let seen = measure(&node, &tenant, way, TIME)?;
        let searches = seen.searches_ms.len();
        ensure!(seen.events > 0 && searches > 0, "nothing was measured: {seen:?}");
        report(format_args!(
            "throughput: {way:?}: {} events acknowledged and found, {searches} searches",
            seen.events
        ));
    }
    node.stop().map(drop)
}
