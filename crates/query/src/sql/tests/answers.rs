//! What statements answer, by example.

use super::*;

fn event(time: i64, fields: &[(&'static str, Value)]) -> TestEvent {
    TestEvent { time, severity: Severity::INFO, fields: fields.to_vec() }
}

fn text(text: &str) -> Value {
    Value::Str(text.to_owned())
}

fn cell(text: &str) -> Cell {
    Cell::Str(text.to_owned())
}

fn tables() -> TestTables {
    let first = vec![
        event(1_000, &[("Channel", text("Security")), ("EventID", Value::I64(4624))]),
        event(2_000, &[("Channel", text("Security")), ("EventID", Value::I64(4625))]),
        event(3_000, &[("Channel", text("System")), ("user.name", text("ann"))]),
    ];
    let mut second = vec![
        event(4_000, &[("Channel", text("System")), ("EventID", Value::I64(7))]),
        event(5_000, &[("mixed", Value::I64(1)), ("number", Value::I64(2)), ("msg", text("hi"))]),
        event(6_000, &[("mixed", text("x")), ("number", Value::F64(2.5)), ("_id", text("mine"))]),
        event(7_000, &[("mixed", Value::Json("[1]".into())), ("flag", Value::Bool(true))]),
    ];
    second[3].severity = Severity::UNSPECIFIED;
    let windows = stored(1, &[(first.clone(), Lies::Segments), (second, Lies::Memory)]);
    let other = stored(1, &[(first, Lies::Memory)]);
    TestTables { datasets: vec![("win", windows), ("a-b.c", other)], unknown: vec!["nosuch"] }
}

#[test]
fn counts_need_no_columns() {
    let tables = tables();
    let before = tables.datasets[0].1.scanned_bytes();
    assert_eq!(rows(&tables, "SELECT count(*) FROM win"), [[Cell::I64(7)]]);
    assert_eq!(rows(&tables, "SELECT count(EventID) FROM win"), [[Cell::I64(3)]]);
    assert_eq!(
        rows(&tables, "SELECT min(_time), max(_time) FROM win"),
        [[Cell::Time(Timestamp(1_000)), Cell::Time(Timestamp(7_000))]]
    );
    assert_eq!(tables.datasets[0].1.scanned_bytes(), before);
}

#[test]
fn groups_and_joins() {
    let tables = tables();
    assert_eq!(
        rows(&tables, "SELECT Channel, COUNT(*) AS n FROM win GROUP BY 1 ORDER BY n DESC, 1"),
        [
            [Cell::Null, Cell::I64(3)],
            [cell("Security"), Cell::I64(2)],
            [cell("System"), Cell::I64(2)]
        ]
    );
    let joined = "SELECT w.EventID FROM win w JOIN \"a-b.c\" o ON w._time = o._time \
                  WHERE o.\"user.name\" IS NULL ORDER BY 1";
    assert_eq!(rows(&tables, joined), [[Cell::I64(4624)], [Cell::I64(4625)]]);
    let shadowed = "WITH win AS (SELECT 1 AS x) SELECT x FROM win";
    assert_eq!(rows(&tables, shadowed), [[Cell::I64(1)]]);
    let window = "SELECT row_number() OVER (ORDER BY _time) AS r FROM win LIMIT 1";
    assert_eq!(rows(&tables, window), [[Cell::I64(1)]]);
    let union = "SELECT 1 AS a UNION ALL SELECT EventID FROM win WHERE EventID = 7 ORDER BY a";
    assert_eq!(rows(&tables, union), [[Cell::I64(1)], [Cell::I64(7)]]);
    let subquery = "SELECT count(*) FROM win WHERE EventID IN (SELECT EventID FROM \"a-b.c\") \
                    AND EventID = (SELECT max(EventID) FROM win)";
    assert_eq!(rows(&tables, subquery), [[Cell::I64(1)]]);
}

#[test]
fn kinds_become_one_column() {
    let tables = tables();
    assert_eq!(
        rows(&tables, "SELECT mixed, number FROM win WHERE _time >= '1970-01-01T00:00:00.000005Z'"),
        [[cell("1"), Cell::F64(2.0)], [cell("x"), Cell::F64(2.5)], [cell("[1]"), Cell::Null]]
    );
    assert_eq!(rows(&tables, "SELECT count(*) FROM win WHERE mixed = '1'"), [[Cell::I64(1)]]);
    assert_eq!(rows(&tables, "SELECT flag FROM win WHERE flag"), [[Cell::Bool(true)]]);
}

#[test]
fn virtual_columns() {
    let tables = tables();
    let asked = "SELECT _time, _received, _severity, _severity_text, _message, _id, _seq \
                 FROM win WHERE _seq >= 4 ORDER BY _seq";
    let answer = rows(&tables, asked);
    let received = Cell::Time(Timestamp(5_000));
    assert_eq!(answer[0][1], received);
    assert_eq!(answer[0][4], cell("hi"));
    assert_eq!(answer[1][5], cell("mine"));
    assert_eq!(answer[1][2..4], [Cell::I64(9), cell("INFO")]);
    assert_eq!(answer[2][2..4], [Cell::Null, Cell::Null]);
    assert_eq!(answer[2][0], Cell::Time(Timestamp(7_000)));
    assert_eq!(answer[2][6], Cell::I64(6));
    let Cell::Str(id) = &answer[0][5] else { panic!("an id") };
    assert_eq!(id.len(), 36);
}

#[test]
fn wildcards_have_every_column() {
    let table = ask(&tables(), "SELECT * FROM win LIMIT 2").expect("an answer");
    assert_eq!(
        table.columns,
        [
            "_time",
            "_received",
            "_severity",
            "_severity_text",
            "_message",
            "_id",
            "_seq",
            "Channel",
            "EventID",
            "flag",
            "mixed",
            "msg",
            "number",
            "user.name"
        ]
    );
    assert_eq!(table.rows.len(), 2);
    assert!(table.is_complete);
}

#[test]
fn duplicate_names_and_odd_types_are_kept() {
    let tables = tables();
    let statement = "SELECT a.Channel, b.Channel, DATE '2024-02-03', INTERVAL '1 day', \
                     array_agg(a.EventID), 1.5::DECIMAL(5,2), now() \
                     FROM win a JOIN win b ON a._seq = b._seq GROUP BY 1, 2 ORDER BY 1 LIMIT 1";
    let table = ask(&tables, statement).expect("an answer");
    assert_eq!(table.columns[..2], ["Channel", "Channel"]);
    let row = &table.rows[0];
    assert_eq!(row[2], cell("2024-02-03"));
    assert_eq!(row[4], Cell::List(vec![Cell::I64(4624), Cell::I64(4625)]));
    assert_eq!(row[5], cell("1.50"));
    assert_eq!(row[6], Cell::Time(Timestamp(1_700_000_000_000_000_000)));
}

#[test]
fn answers_are_cut_at_the_limit() {
    let limits = Limits { rows_max: 3, ..Limits::default() };
    let ask = |statement| ask_with(&tables(), statement, limits, Pushdown::On).expect("rows");
    let table = ask("SELECT _seq FROM win");
    assert_eq!((table.rows.len(), table.is_complete), (3, false));
    let table = ask("SELECT _seq FROM win LIMIT 3");
    assert_eq!((table.rows.len(), table.is_complete), (3, true));
}

#[test]
fn faults_are_named() {
    let check = |statement: &str, kind: ErrorKind, hint: Option<&str>, at: Option<&str>| {
        let error = ask(&tables(), statement).expect_err(statement);
        assert_eq!(error.kind(), kind, "{statement}: {error}");
        assert_eq!(error.hint(), hint, "{statement}: {error}");
        assert_eq!(error.span().map(|span| &statement[span]), at, "{statement}: {error}");
    };
    let invalid = ErrorKind::Invalid;
    check("SELECT chanel FROM win", invalid, Some("did you mean \"Channel\"?"), None);
    let dotted = "a name with a dot is written in double quotes";
    check("SELECT user.name FROM win", invalid, Some(dotted), Some("user.name"));
    check("SELECT 'é', 1 FRM win", ErrorKind::Syntax, None, Some("w"));
    check("SELECT (1", ErrorKind::Syntax, None, Some(""));
    check("SELECT 'a", ErrorKind::Syntax, None, Some("'"));
    check("SELECT 1/0", invalid, None, None);
    check("SELECT * FROM nosuch", ErrorKind::NotFound, None, None);
    let lower = Some("names of datasets are in lower case");
    check("SELECT * FROM Win", ErrorKind::NotFound, lower, None);
    let listed = Some("the reference of SQL lists the functions");
    check("SELECT random()", invalid, listed, Some("random"));
}

#[test]
fn dropping_the_future_cancels() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let budget = budget(Limits::default());
    let tables = tables();
    runtime.expect("a runtime").block_on(async {
        let statement = "SELECT count(*) FROM win a, win b, win c, win d, win e, win f, win g";
        let mut future = Box::pin(crate::sql(statement, &tables, &budget));
        let polled = futures::poll!(&mut future);
        assert!(polled.is_pending());
    });
    let error = budget.check().expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn tenants_do_not_mix() {
    let events = |name: &str| vec![event(1, &[("who", text(name))])];
    let one = stored(1, &[(events("one"), Lies::Memory)]);
    let two = stored(2, &[(events("two"), Lies::Memory)]);
    let own = TestTables { datasets: vec![("log", one.clone())], unknown: vec![] };
    assert_eq!(rows(&own, "SELECT who FROM log"), [[cell("one")]]);
    let own = TestTables { datasets: vec![("log", two.clone())], unknown: vec![] };
    assert_eq!(rows(&own, "SELECT who FROM log"), [[cell("two")]]);
    let mixed = TestTables { datasets: vec![("a", one), ("b", two)], unknown: vec![] };
    let error = ask(&mixed, "SELECT * FROM a UNION ALL SELECT * FROM b").expect_err("mixed");
    assert_eq!(error.kind(), ErrorKind::Bug);
}

#[test]
fn nested_queries_of_one_shape() {
    let tables = tables();
    let mut whole = "SELECT EventID AS s FROM win WHERE EventID = 7".to_owned();
    let mut text = "SELECT Channel AS s FROM win WHERE EventID = 7".to_owned();
    let mut named = whole.clone();
    for _ in 0..3 {
        named = format!("SELECT q.s + q.s AS s FROM ({named}) AS q");
        whole = format!("SELECT s + s AS s FROM ({whole})");
        text = format!("SELECT s || s AS s FROM ({text})");
    }
    assert_eq!(rows(&tables, &whole), [[Cell::I64(56)]]);
    assert_eq!(rows(&tables, &named), [[Cell::I64(56)]]);
    let common = "WITH a AS (SELECT -EventID AS s FROM win WHERE EventID = 7), \
                  b AS (SELECT -s AS s FROM a), c AS (SELECT -s AS s FROM b) SELECT s FROM c";
    assert_eq!(rows(&tables, common), [[Cell::I64(-7)]]);
    assert_eq!(rows(&tables, &text), [[cell(&"System".repeat(8))]]);
}

#[test]
fn long_texts_are_read_as_many_at_once_as_there_is_memory_for() {
    let event = |time: i64| TestEvent {
        time,
        severity: Severity::UNSPECIFIED,
        fields: vec![("msg", Value::Str(format!("{time} {}", "x".repeat(300_000))))],
    };
    let part = |from: i64| ((from..from + 100).map(event).collect(), Lies::Segments);
    let snapshot = stored(1, &[part(0), part(100), part(200)]);
    let tables = TestTables { datasets: vec![("t", snapshot)], unknown: vec![] };
    let limits = Limits { memory_bytes: 48 << 20, ..Limits::default() };
    let ask = |statement| ask_with(&tables, statement, limits, Pushdown::On);
    let table = ask("SELECT count(*), max(length(msg)) FROM t").expect("there is memory");
    assert_eq!(table.rows, [[Cell::I64(300), Cell::I64(300_004)]]);
    let error = ask("SELECT msg FROM t").expect_err("the answer is too large");
    assert_eq!(error.kind(), ErrorKind::Memory);
}

#[test]
fn the_severity_is_a_number_or_none() {
    let event = |time: i64| TestEvent {
        time,
        severity: if time == 0 { Severity::UNSPECIFIED } else { Severity::INFO },
        fields: vec![("x", Value::I64(time))],
    };
    let snapshot = stored(1, &[((0..3).map(event).collect(), Lies::Segments)]);
    let tables = TestTables { datasets: vec![("t", snapshot)], unknown: vec![] };
    let asked = "SELECT _severity, _severity_text FROM t ORDER BY _seq LIMIT 2";
    let info = [Cell::I64(9), Cell::Str("INFO".to_owned())];
    assert_eq!(rows(&tables, asked), [[Cell::Null, Cell::Null], info]);
    let counts =
        "SELECT count(_severity), count(*) FROM t WHERE _severity IS NULL OR _severity > 0";
    assert_eq!(rows(&tables, counts), [[Cell::I64(2), Cell::I64(3)]]);
}

#[test]
fn joined_texts_have_all_pieces_or_are_none() {
    let tables = tables();
    let asked = "SELECT _seq || '-' || 'a' || (_seq || 'b'), _seq || CAST(NULL AS TEXT) || 'a', \
                 'a' || 'b' || 'c' FROM win ORDER BY _seq LIMIT 1";
    assert_eq!(rows(&tables, asked), [[cell("0-a0b"), Cell::Null, cell("abc")]]);
}
