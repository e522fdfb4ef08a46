//! Background work: one loop that takes one event at a time and decides; the jobs themselves run on
//! threads of their own, each kind never twice at once.

pub(crate) mod jobs;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::app::App;
use crate::config::Intervals;

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
    /// Flush the tenants that have more in memory than their share.
    Relieve,
    /// Flush every tenant that has something in memory.
    Flush,
    /// Merge segments.
    Compact,
    /// Delete what is beyond its retention.
    Expire,
    /// Write down when keys were used, and forget sessions that have ended.
    Maintain,
}

impl Job {
    const ALL: [Self; 5] =
        [Self::Relieve, Self::Flush, Self::Compact, Self::Expire, Self::Maintain];

    fn name(self) -> &'static str {
        match self {
            Self::Relieve => "relieve",
            Self::Flush => "flush",
            Self::Compact => "compact",
            Self::Expire => "expire",
            Self::Maintain => "maintain",
        }
    }
}

/// How often memory is looked at: the limits hold to what can come in within this time.
const LOOK: Duration = Duration::from_millis(100);
const MAINTAIN: Duration = Duration::from_secs(60);

struct Timers {
    look: Interval,
    flush: Interval,
    compact: Interval,
    expire: Interval,
    maintain: Interval,
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
            maintain: every(MAINTAIN),
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
            _ = self.maintain.tick() => Event::Due(Job::Maintain),
        }
    }
}

/// Runs until `stop` is true and the jobs that run have ended.
pub(crate) async fn run(app: Arc<App>, intervals: Intervals, mut stop: watch::Receiver<bool>) {
    let mut timers = Timers::new(intervals);
    let (ended, mut done) = mpsc::channel(Job::ALL.len());
    let mut running: Vec<Job> = Vec::new();
    loop {
        match timers.next(&mut done, &mut stop).await {
            Event::Look => {
                if jobs::look(&app) {
                    start(&app, Job::Relieve, &mut running, &ended);
                }
            }
            Event::Due(job) => start(&app, job, &mut running, &ended),
            Event::Done(job, is_good) => {
                app.metrics.job(job.name(), is_good);
                running.retain(|one| *one != job);
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

fn start(app: &Arc<App>, job: Job, running: &mut Vec<Job>, ended: &mpsc::Sender<(Job, bool)>) {
    if running.contains(&job) {
        return;
    }
    running.push(job);
    let (app, ended) = (Arc::clone(app), ended.clone());
    tokio::spawn(async move {
        let span = tracing::info_span!("job", job = job.name());
        let work = tokio::task::spawn_blocking(move || span.in_scope(|| jobs::run(&app, job)));
        let is_good = work.await.unwrap_or(false);
        // The loop has ended when nobody listens any more.
        ended.send((job, is_good)).await.ok();
    });
}

/// The last flush of all tenants, when nothing comes in any more.
pub(crate) fn flush_all(app: &App) {
    jobs::run(app, Job::Flush);
    jobs::run(app, Job::Maintain);
}
