//! A statement that is over leaves nothing running: neither one that ran out of time nor one that
//! nobody waits for any more.

use tokio::sync::Notify;

use super::*;

/// A dataset whose pairs of rows take minutes to look at.
fn tables() -> TestTables {
    let event = |time: i64| TestEvent {
        time,
        severity: Severity::INFO,
        fields: vec![("x", Value::I64(1)), ("msg", Value::Str(format!("event {time}")))],
    };
    let part = |from: i64| ((from..from + 20_000).map(event).collect(), Lies::Segments);
    TestTables { datasets: vec![("t", stored(1, &[part(0), part(20_000)]))], unknown: vec![] }
}

/// None of these hands on a row for long.
const ENDLESS: &[&str] = &[
    "SELECT count(*) FROM t a, t b WHERE a._seq + b._seq < 0 AND a.msg < b.msg",
    "SELECT count(*) FROM t a JOIN t b ON a.x = b.x AND a._seq + b._seq < 0",
    "SELECT count(*) FROM t a LEFT JOIN t b ON a._seq + b._seq < 0 AND a.msg < b.msg",
    "SELECT count(*) FROM t a WHERE NOT EXISTS \
     (SELECT 1 FROM t b WHERE a.x = b.x AND a._seq + b._seq < 0)",
    "SELECT sum(a._seq + b._seq + c._seq) FROM t a, t b, t c",
];

/// How many threads there are of a name.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("the threads of this process");
    let comm = |task: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
    };
    tasks.filter_map(comm).filter(|comm| comm.trim_end() == name).count()
}

/// Threads that were waited for are listed for a moment longer.
fn are_gone(name: &str) -> bool {
    (0..10_000).any(|_| {
        std::thread::yield_now();
        threads(name) == 0
    })
}

/// A budget whose time goes on by a millisecond with each look, and what is told at the look with
/// this number.
fn looked_at(timeout: Duration, number: u64) -> (Budget, Arc<Notify>) {
    let told = Arc::new(Notify::new());
    let (looks, tell) = (AtomicU64::new(0), Arc::clone(&told));
    let clock = move || {
        let look = looks.fetch_add(1, Ordering::Relaxed);
        if look == number {
            tell.notify_one();
        }
        Duration::from_millis(look)
    };
    (Budget::new(Limits { timeout, ..Limits::default() }, Arc::new(clock)), told)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

#[test]
fn no_thread_is_left_of_a_statement_that_took_too_long() {
    let (tables, way) = (tables(), Way { threads: "sql-late", ..Way::default() });
    for statement in ENDLESS {
        let (budget, _) = looked_at(Duration::from_millis(500), u64::MAX);
        let answer = runtime().block_on(run(statement, &tables, &budget, way));
        let error = answer.expect_err(statement);
        assert_eq!(error.kind(), ErrorKind::Timeout, "{statement}: {error}");
        assert!(are_gone("sql-late"), "{statement}");
    }
}

#[test]
fn no_thread_is_left_of_a_statement_that_nobody_waits_for() {
    let (tables, way) = (tables(), Way { threads: "sql-dropped", ..Way::default() });
    for statement in ENDLESS {
        let (budget, told) = looked_at(Duration::from_hours(1), 300);
        runtime().block_on(async {
            tokio::select! {
                answer = run(statement, &tables, &budget, way) => {
                    panic!("{statement}: {:?}", answer.map(|table| table.rows.len()));
                }
                () = told.notified() => {}
            }
        });
        assert!(are_gone("sql-dropped"), "{statement}");
        assert_eq!(budget.check().map_err(|error| error.kind()), Err(ErrorKind::Cancelled));
    }
}

#[test]
fn no_thread_is_left_of_a_statement_that_was_answered_early() {
    let (tables, way) = (tables(), Way { threads: "sql-early", ..Way::default() });
    let statement = "SELECT a._seq FROM t a, t b WHERE a.x = b.x AND a._seq + b._seq < 5 LIMIT 3";
    let (budget, _) = looked_at(Duration::from_hours(1), u64::MAX);
    let answer = runtime().block_on(run(statement, &tables, &budget, way)).expect(statement);
    assert_eq!(answer.rows.len(), 3);
    assert!(are_gone("sql-early"));
    assert!(budget.check().is_ok(), "an answer cancels nothing");
}
