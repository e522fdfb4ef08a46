//! Background work: one loop that takes one event at a time and decides; the jobs themselves run on
//! threads of their own, each kind never twice at once. Tenants are relieved of what they have in
//! memory each by itself, so that a slow one holds up no other.

pub(crate) mod jobs;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ledgerline_model::id::TenantId;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::app::App;
use crate::config::Intervals;
use crate::retiring;

/// What the loop is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// Look at how much memory events take.
    Look,
    /// It is time for a job.
    Due(Job),
    /// A job has ended, well or not.
    Done(Job, bool),
    /// The server stops.
    Stop,
}

/// The kinds of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    /// Flush a tenant that has more in memory than its share.
    Relieve(TenantId),
    /// Flush every tenant that has something in memory.
    Flush,
    /// Merge segments.
    Compact,
    /// Delete what is beyond its retention.
    Expire,
    /// Move what is old to the archive.
    Archive,
    /// Write down when keys were used, and forget sessions that have ended.
    Maintain,
    /// Try again what did not open, and to remove what is left.
    Revive,
    /// Make the entries of ledgers durable, and sign those that have grown.
    Sign,
    /// Show the checkpoints of ledgers to witnesses, and copy them elsewhere.
    Cosign,
}

impl Job {
    /// How many kinds there are.
    const KINDS: usize = 8;

    fn name(self) -> &'static str {
        match self {
            Self::Relieve(_) => "relieve",
            Self::Flush => "flush",
            Self::Compact => "compact",
            Self::Expire => "expire",
            Self::Archive => "archive",
            Self::Maintain => "maintain",
            Self::Revive => "revive",
            Self::Sign => "sign",
            Self::Cosign => "cosign",
        }
    }
}

/// How often memory is looked at: the limits hold to what can come in within this time.
const LOOK: Duration = Duration::from_millis(100);
/// How far, about, a checkpoint is behind.
const SIGN: Duration = Duration::from_secs(1);
/// How far, about, a cosignature is behind.
const COSIGN: Duration = Duration::from_secs(5);
const MAINTAIN: Duration = Duration::from_secs(60);
/// How many tenants are relieved at once. A flush is work for a processor and for the disk, and
/// more of them would only take longer each.
const RELIEVED_AT_ONCE: usize = 4;
/// How long a tenant waits that could not be relieved, the first time; twice as long each time.
const RELIEF_WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest such wait.
const RELIEF_WAIT_MAX: Duration = Duration::from_secs(30);

struct Timers {
    look: Interval,
    flush: Interval,
    compact: Interval,
    expire: Interval,
    archive: Interval,
    maintain: Interval,
    revive: Interval,
    sign: Interval,
    cosign: Interval,
}

impl Timers {
    fn new(intervals: Intervals) -> Self {
        let every = |period: Duration| {
            let mut timer = interval(period);
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // The first tick comes at once; what is open has just been read.
            timer.reset();
            timer
        };
        Self {
            look: every(LOOK),
            flush: every(intervals.flush),
            compact: every(intervals.compact),
            expire: every(intervals.expire),
            archive: every(intervals.expire),
            maintain: every(MAINTAIN),
            revive: every(intervals.revive),
            sign: every(SIGN),
            cosign: every(COSIGN),
        }
    }

    async fn next(
        &mut self,
        done: &mut mpsc::Receiver<(Job, bool)>,
        stop: &mut watch::Receiver<bool>,
    ) -> Event {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => Event::Stop,
            Some((job, is_good)) = done.recv() => Event::Done(job, is_good),
            _ = self.look.tick() => Event::Look,
            _ = self.flush.tick() => Event::Due(Job::Flush),
            _ = self.compact.tick() => Event::Due(Job::Compact),
            _ = self.expire.tick() => Event::Due(Job::Expire),
            _ = self.archive.tick() => Event::Due(Job::Archive),
            _ = self.maintain.tick() => Event::Due(Job::Maintain),
            _ = self.revive.tick() => Event::Due(Job::Revive),
            _ = self.sign.tick() => Event::Due(Job::Sign),
            _ = self.cosign.tick() => Event::Due(Job::Cosign),
        }
    }
}

/// Runs until `stop` is true and the jobs that run have ended.
pub(crate) async fn run(app: Arc<App>, intervals: Intervals, mut stop: watch::Receiver<bool>) {
    let mut timers = Timers::new(intervals);
    let (ended, mut done) = mpsc::channel(Job::KINDS + RELIEVED_AT_ONCE);
    let mut running: Vec<Job> = Vec::new();
    let mut patience = Patience::default();
    loop {
        match timers.next(&mut done, &mut stop).await {
            Event::Look => {
                let crowded = jobs::look(&app);
                for job in patience.choose(&crowded, &running, Instant::now()) {
                    start(&app, job, &mut running, &ended);
                }
            }
            Event::Due(job) => start(&app, job, &mut running, &ended),
            Event::Done(job, is_good) => {
                app.metrics.job(job.name(), is_good);
                running.retain(|one| *one != job);
                if let Job::Relieve(tenant) = job {
                    patience.note(tenant, is_good, Instant::now());
                }
            }
            Event::Stop => break,
        }
    }
    while !running.is_empty() {
        match done.recv().await {
            Some((job, _)) => running.retain(|one| *one != job),
            None => break,
        }
    }
}

/// When tenants may be relieved again that could not be.
#[derive(Debug, Default)]
struct Patience {
    waits: HashMap<TenantId, (Instant, Duration)>,
}

impl Patience {
    /// Which tenants are to be relieved now, of those that have too much: not those whose relief
    /// runs or failed just now, and only so many at once.
    fn choose(&mut self, crowded: &[TenantId], running: &[Job], now: Instant) -> Vec<Job> {
        // Who is no longer crowded was relieved otherwise, or is gone.
        self.waits.retain(|tenant, _| crowded.contains(tenant));
        let is_relief = |job: &&Job| matches!(job, Job::Relieve(_));
        let room = RELIEVED_AT_ONCE.saturating_sub(running.iter().filter(is_relief).count());
        let may = |tenant: &TenantId| self.waits.get(tenant).is_none_or(|(until, _)| *until <= now);
        let tenants = crowded.iter().copied().filter(may).map(Job::Relieve);
        tenants.filter(|job| !running.contains(job)).take(room).collect()
    }

    /// Notes how the relief of a tenant went.
    fn note(&mut self, tenant: TenantId, is_good: bool, now: Instant) {
        let before = self.waits.remove(&tenant);
        if !is_good {
            let wait = before.map_or(RELIEF_WAIT_MIN, |(_, wait)| wait * 2).min(RELIEF_WAIT_MAX);
            self.waits.insert(tenant, (now + wait, wait));
        }
    }
}

fn start(app: &Arc<App>, job: Job, running: &mut Vec<Job>, ended: &mpsc::Sender<(Job, bool)>) {
    if running.contains(&job) {
        return;
    }
    running.push(job);
    let (app, ended) = (Arc::clone(app), ended.clone());
    tokio::spawn(async move {
        let is_retired = job != Job::Expire || retiring::retire(&app).await;
        let span = tracing::info_span!("job", job = job.name());
        let work = tokio::task::spawn_blocking(move || span.in_scope(|| jobs::run(&app, job)));
        let is_good = work.await.unwrap_or(false) && is_retired;
        // The loop has ended when nobody listens any more.
        ended.send((job, is_good)).await.ok();
    });
}

/// The last flush of all tenants, when nothing comes in any more.
pub(crate) fn flush_all(app: &App) {
    jobs::run(app, Job::Flush);
    jobs::run(app, Job::Maintain);
    jobs::look_for_failures(app);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: u8) -> TenantId {
        TenantId::from_bytes([number; 16]).expect("not zero")
    }

    #[test]
    fn a_slow_tenant_holds_up_no_other() {
        let (mut patience, now) = (Patience::default(), Instant::now());
        let slow = Job::Relieve(tenant(1));
        let crowded = [1, 2, 3].map(tenant);
        let chosen = patience.choose(&crowded, &[slow, Job::Flush], now);
        assert_eq!(chosen, [2, 3].map(|number| Job::Relieve(tenant(number))));
        let many: Vec<TenantId> = (1..20).map(tenant).collect();
        let chosen = patience.choose(&many, &[slow, Job::Compact], now);
        assert_eq!(chosen.len(), RELIEVED_AT_ONCE - 1);
    }

    #[test]
    fn a_relief_that_failed_is_tried_again_less_and_less_often() {
        let (mut patience, mut now) = (Patience::default(), Instant::now());
        let crowded = [tenant(1)];
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(patience.choose(&crowded, &[], now).len(), 1);
            patience.note(tenant(1), false, now);
            now += Duration::from_secs(seconds) - Duration::from_millis(1);
            assert!(patience.choose(&crowded, &[], now).is_empty(), "within {seconds} seconds");
            now += Duration::from_millis(1);
        }
        patience.note(tenant(1), true, now);
        patience.note(tenant(1), false, now);
        now += RELIEF_WAIT_MIN;
        assert_eq!(patience.choose(&crowded, &[], now).len(), 1, "a good one ends the row");
    }
}
