//! Statements of people who mean harm: each is refused with the kind that is expected, or answers
//! harmlessly, and the process lives.

use super::*;

const INVALID: ErrorKind = ErrorKind::Invalid;
const NOT_FOUND: ErrorKind = ErrorKind::NotFound;
const SYNTAX: ErrorKind = ErrorKind::Syntax;
const TOO_BIG: ErrorKind = ErrorKind::TooBig;

fn tables() -> TestTables {
    let event = |time: i64| TestEvent {
        time,
        severity: Severity::INFO,
        fields: vec![
            ("x", Value::I64(time % 10)),
            ("msg", Value::Str("a quick brown fox ".repeat(20))),
        ],
    };
    let part = |from: i64| ((from..from + 2_000).map(event).collect(), Lies::Segments);
    let snapshot = stored(1, &[part(0), part(2_000)]);
    TestTables { datasets: vec![("t", snapshot)], unknown: vec!["*"] }
}

/// What is refused, whatever the data are.
const REFUSED: &[(ErrorKind, &str)] = &[
    // Other statements.
    (INVALID, "CREATE TABLE a (x INT)"),
    (INVALID, "CREATE TABLE a AS SELECT * FROM t"),
    (INVALID, "CREATE VIEW v AS SELECT * FROM t"),
    (INVALID, "CREATE OR REPLACE VIEW t AS SELECT 1"),
    (SYNTAX, "CREATE EXTERNAL TABLE e STORED AS CSV LOCATION '/etc/passwd'"),
    (INVALID, "CREATE EXTERNAL TABLE e STORED AS PARQUET LOCATION 's3://other/b/'"),
    (INVALID, "CREATE DATABASE d"),
    (INVALID, "CREATE SCHEMA s"),
    (INVALID, "CREATE FUNCTION f(INT) RETURNS INT RETURN $1"),
    (INVALID, "CREATE INDEX i ON t (x)"),
    (INVALID, "DROP TABLE t"),
    (INVALID, "DROP VIEW IF EXISTS t"),
    (INVALID, "DROP SCHEMA datasets CASCADE"),
    (INVALID, "ALTER TABLE t ADD COLUMN y INT"),
    (INVALID, "TRUNCATE TABLE t"),
    (INVALID, "INSERT INTO t VALUES (1)"),
    (INVALID, "INSERT INTO t SELECT * FROM t"),
    (INVALID, "UPDATE t SET x = 1"),
    (INVALID, "DELETE FROM t"),
    (INVALID, "MERGE INTO t USING t AS s ON t.x = s.x WHEN MATCHED THEN DELETE"),
    (INVALID, "COPY t TO '/tmp/stolen.csv'"),
    (SYNTAX, "COPY (SELECT * FROM t) TO 's3://bucket/' STORED AS PARQUET"),
    (INVALID, "COPY t FROM '/etc/passwd'"),
    (INVALID, "SET datafusion.catalog.information_schema = true"),
    (INVALID, "SET search_path TO other"),
    (INVALID, "SET ROLE admin"),
    (INVALID, "RESET ALL"),
    (INVALID, "SHOW TABLES"),
    (INVALID, "SHOW ALL"),
    (INVALID, "SHOW COLUMNS FROM t"),
    (INVALID, "SHOW DATABASES"),
    (INVALID, "SHOW FUNCTIONS"),
    (INVALID, "SHOW datafusion.execution.batch_size"),
    (INVALID, "DESCRIBE t"),
    (INVALID, "EXPLAIN SELECT 1"),
    (INVALID, "EXPLAIN ANALYZE SELECT * FROM t"),
    (INVALID, "EXPLAIN ANALYZE INSERT INTO t VALUES (1)"),
    (INVALID, "PREPARE p AS SELECT 1"),
    (INVALID, "EXECUTE p"),
    (INVALID, "DEALLOCATE p"),
    (INVALID, "DECLARE c CURSOR FOR SELECT 1"),
    (INVALID, "BEGIN"),
    (INVALID, "COMMIT"),
    (INVALID, "ROLLBACK"),
    (INVALID, "GRANT ALL ON t TO public"),
    (INVALID, "CALL system()"),
    (INVALID, "USE other"),
    (INVALID, "KILL 1"),
    (INVALID, "ATTACH DATABASE 'file' AS f"),
    (INVALID, "INSTALL httpfs"),
    (INVALID, "LOAD httpfs"),
    (INVALID, "PRAGMA table_info"),
    (INVALID, "VACUUM t"),
    (SYNTAX, "LOCK TABLES t READ"),
    (SYNTAX, "LISTEN channel"),
    (INVALID, "UNLOAD (SELECT 1) TO 's3://bucket'"),
    (INVALID, "CACHE TABLE t"),
    (INVALID, "ANALYZE TABLE t"),
    (INVALID, "COMMENT ON TABLE t IS 'mine'"),
    // Several statements, or none.
    (INVALID, "SELECT 1; SELECT 2"),
    (INVALID, "SELECT 1; DROP TABLE t"),
    (INVALID, "DROP TABLE t; SELECT 1"),
    (SYNTAX, ""),
    (SYNTAX, ";"),
    (SYNTAX, "-- nothing"),
    (SYNTAX, "/* SELECT 1"),
    // SELECT with more to it.
    (INVALID, "SELECT * INTO stolen FROM t"),
    (INVALID, "SELECT * FROM t FOR UPDATE"),
    (INVALID, "SELECT * FROM t FOR SHARE"),
    (INVALID, "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d"),
    (INVALID, "WITH d AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM d"),
    (INVALID, "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r) SELECT * FROM r"),
    (INVALID, "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r) SELECT max(n) FROM r"),
    (SYNTAX, "TABLE t"),
    (INVALID, "FROM t"),
    (INVALID, "SELECT TOP 5 * FROM t"),
    (INVALID, "SELECT x FROM t GROUP BY CUBE (x, msg)"),
    (INVALID, "SELECT x FROM t GROUP BY ROLLUP (x, msg)"),
    (INVALID, "SELECT x FROM t GROUP BY GROUPING SETS ((x), ())"),
    (INVALID, "SELECT x FROM t GROUP BY ALL"),
    (INVALID, "SELECT * FROM t LATERAL VIEW explode(x) AS y"),
    (INVALID, "SELECT * FROM t NATURAL JOIN t AS u"),
    (INVALID, "SELECT * FROM t TABLESAMPLE BERNOULLI (10)"),
    (INVALID, "SELECT * FROM t PIVOT (sum(x) FOR msg IN ('a'))"),
    (INVALID, "SELECT * FROM t |> WHERE x > 1"),
    (INVALID, "SELECT * FROM t FORMAT JSON"),
    (INVALID, "SELECT * FROM t SETTINGS max_threads = 1"),
    (INVALID, "SELECT * FROM LATERAL (SELECT 1) AS l"),
    (INVALID, "SELECT $1"),
    (INVALID, "SELECT * FROM t WHERE x = ?"),
    (INVALID, "SELECT @@version"),
    // Other places to read from.
    (INVALID, "SELECT * FROM 's3://bucket/key.parquet'"),
    (INVALID, "SELECT * FROM '/etc/passwd'"),
    (INVALID, "SELECT * FROM 'file:///etc/passwd'"),
    (INVALID, "SELECT * FROM 'https://example.org/x.csv'"),
    (NOT_FOUND, "SELECT * FROM \"file:///etc/passwd\""),
    (NOT_FOUND, "SELECT * FROM \"s3://bucket/key.parquet\""),
    (NOT_FOUND, "SELECT * FROM \"/etc/passwd\""),
    (NOT_FOUND, "SELECT * FROM \"../other/t\""),
    (NOT_FOUND, "SELECT * FROM \"\""),
    (NOT_FOUND, "SELECT * FROM `t.csv`"),
    (INVALID, "SELECT * FROM generate_series(1, 9876543210)"),
    (INVALID, "SELECT * FROM range(1, 10)"),
    (INVALID, "SELECT * FROM unnest([1, 2])"),
    (INVALID, "SELECT * FROM TABLE(generate_series(1, 2))"),
    (INVALID, "SELECT * FROM read_csv('/etc/passwd')"),
    (INVALID, "SELECT * FROM read_parquet('x')"),
    (INVALID, "SELECT * FROM parquet_metadata('x')"),
    (INVALID, "SELECT * FROM t(1)"),
    (INVALID, "SELECT * FROM JSON_TABLE('[]', '$[*]' COLUMNS (a INT PATH '$')) AS j"),
    // Other names.
    (INVALID, "SELECT * FROM information_schema.tables"),
    (INVALID, "SELECT * FROM information_schema.df_settings"),
    (NOT_FOUND, "SELECT * FROM \"information_schema.tables\""),
    (INVALID, "SELECT * FROM pg_catalog.pg_class"),
    (NOT_FOUND, "SELECT * FROM pg_class"),
    (INVALID, "SELECT * FROM datafusion.public.t"),
    (INVALID, "SELECT * FROM tenant.datasets.t"),
    (INVALID, "SELECT * FROM datasets.t"),
    (INVALID, "SELECT * FROM \"tenant\".\"datasets\".\"t\""),
    (INVALID, "SELECT * FROM other.t"),
    (NOT_FOUND, "SELECT * FROM \"other.t\""),
    (NOT_FOUND, "SELECT * FROM T"),
    (NOT_FOUND, "SELECT * FROM \"t \""),
    (NOT_FOUND, "SELECT * FROM \"\u{ff54}\""),
    (NOT_FOUND, "SELECT * FROM \"t\"\"\""),
    (NOT_FOUND, "SELECT * FROM t, secret"),
    (NOT_FOUND, "SELECT * FROM t WHERE x IN (SELECT x FROM secret)"),
    (NOT_FOUND, "SELECT (SELECT max(x) FROM secret)"),
    (NOT_FOUND, "WITH a AS (SELECT * FROM secret) SELECT 1"),
    (NOT_FOUND, "WITH secret AS (SELECT * FROM secret) SELECT * FROM secret"),
    (NOT_FOUND, "SELECT * FROM (WITH s AS (SELECT 1) SELECT * FROM s) AS a, s"),
    (NOT_FOUND, "SELECT * FROM t UNION SELECT * FROM secret"),
    (INVALID, "SELECT other.datasets.t.x FROM t"),
    (INVALID, "SELECT secret.x FROM t"),
    (INVALID, "SELECT secret.* FROM t"),
    // Functions that are not let in.
    (INVALID, "SELECT array_agg(msg) OVER (ORDER BY x) FROM t"),
    (INVALID, "SELECT string_agg(msg, '') OVER () FROM t"),
    (INVALID, "SELECT median(x) OVER (ORDER BY x ROWS 1000 PRECEDING) FROM t"),
    (INVALID, "SELECT percentile_cont(x, 0.5) OVER (ROWS 9 PRECEDING) FROM t"),
    (INVALID, "SELECT random()"),
    (INVALID, "SELECT uuid()"),
    (INVALID, "SELECT version()"),
    (INVALID, "SELECT repeat('x', 1000000000)"),
    (INVALID, "SELECT lpad('x', 1000000000)"),
    (INVALID, "SELECT rpad(msg, 1000000000) FROM t"),
    (INVALID, "SELECT levenshtein(msg, msg) FROM t"),
    (INVALID, "SELECT generate_series(1, 1000000000)"),
    (INVALID, "SELECT unnest(x) FROM t"),
    (INVALID, "SELECT input_file_name() FROM t"),
    (INVALID, "SELECT pg_sleep(1000)"),
    (INVALID, "SELECT arrow_cast(x, 'FixedSizeList(1000000000, Int64)') FROM t"),
    (INVALID, "SELECT x::INT[1000000000] FROM t"),
    (INVALID, "SELECT [1, 2, 3]"),
    (INVALID, "SELECT {'a': 1}"),
    (INVALID, "SELECT a.b.count(x) FROM t"),
    (INVALID, "SELECT current_setting('x')"),
    (INVALID, "SELECT regexp_like(msg, msg) FROM t"),
    (INVALID, "SELECT regexp_like(msg, concat('(a{1000})', '{1000}')) FROM t"),
    (INVALID, "SELECT * FROM t WHERE msg ~ msg"),
    (INVALID, "SELECT * FROM t WHERE msg SIMILAR TO msg"),
    (TOO_BIG, "SELECT regexp_like(msg, '(a{1000}){1000}') FROM t"),
    (TOO_BIG, "SELECT * FROM t WHERE msg ~ '\\w{100000}'"),
    (SYNTAX, "SELECT * FROM t WHERE msg ~ '('"),
    (INVALID, "SELECT to_char(_time, msg) FROM t"),
    // Faults.
    (SYNTAX, "SELECT * FROM t WHERE"),
    (SYNTAX, "SELECT 'unclosed"),
    (SYNTAX, "SELECT * FROM t WHERE (msg = '' OR 1=1 --')"),
    (INVALID, "SELECT CAST(msg AS BIGINT) FROM t"),
    (INVALID, "SELECT 1 + 'a'"),
    (INVALID, "SELECT nosuch FROM t"),
    (INVALID, "SELECT sum(msg) FROM t"),
];

#[test]
fn refused() {
    assert!(REFUSED.len() >= 120, "{}", REFUSED.len());
    let tables = tables();
    let mut wrong = Vec::new();
    for (kind, statement) in REFUSED {
        match ask(&tables, statement) {
            Err(error) if error.kind() == *kind => {
                let text = error.to_string();
                assert!(!text.contains("tenant.datasets"), "{statement}: {text}");
            }
            other => wrong.push(format!("{statement}: {:?}", other.map(|table| table.rows.len()))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A statement that repeats a piece.
fn chain(start: &str, piece: &str, times: usize, end: &str) -> String {
    format!("{start}{}{end}", piece.repeat(times))
}

#[test]
fn chains_and_depths_at_their_limits_are_answered_or_refused() {
    let tables = tables();
    let mut wrong = Vec::new();
    let mut check = |statement: String, wanted: Option<ErrorKind>| {
        let answer = ask(&tables, &statement);
        if answer.as_ref().err().map(Error::kind) != wanted {
            let start: String = statement.chars().take(60).collect();
            wrong.push(format!("{start}: {:?}", answer.map(|table| table.rows.len())));
        }
    };
    let big = Some(TOO_BIG);
    check(chain("SELECT x", "+x", 990, " FROM t LIMIT 1"), None);
    check(chain("SELECT 1", "+1", 2_000, ""), big);
    check(chain("SELECT count(*) FROM t WHERE x = 1", " OR x = 1", 200, ""), None);
    check(chain("SELECT count(*) FROM t WHERE x = 1", " AND x = x", 200, ""), None);
    check(chain("SELECT * FROM t WHERE x = 1", " OR x = 1", 10_000, ""), big);
    check(chain("SELECT ''", " || x", 200, " FROM t LIMIT 1"), None);
    check(chain("SELECT 1", " UNION ALL SELECT 1", 400, ""), None);
    check(chain("SELECT 1", " UNION SELECT 1", 300, ""), None);
    check(chain("SELECT 1", " UNION ALL SELECT 1", 1_200, ""), big);
    check(chain("SELECT ", "(", 9, "1"), big);
    check(chain("SELECT ", "(", 5_000, "1"), big);
    check(chain("SELECT * FROM ", "(", 8, &format!("t{}", ")".repeat(8))), None);
    check(chain("SELECT * FROM ", "(SELECT * FROM ", 30, &format!("t{}", ")".repeat(30))), big);
    check(chain("SELECT * FROM ", "(SELECT * FROM ", 10, &format!("t{}", ")".repeat(10))), None);
    check(chain("SELECT ", "abs(", 60, &format!("1{}", ")".repeat(60))), big);
    check(chain("SELECT ", "abs(", 20, &format!("1{}", ")".repeat(20))), None);
    check(chain("SELECT ", "- ", 60, "1"), big);
    check(chain("SELECT 1 FROM t WHERE ", "NOT ", 60, "true"), big);
    check(chain("SELECT 1", "::INT", 60, ""), big);
    check(chain("SELECT CASE", " WHEN x = 1 THEN 1", 300, " END FROM t"), None);
    check(chain("SELECT ", "CASE WHEN true THEN ", 60, &format!("1{}", " END".repeat(60))), big);
    check(chain("SELECT * FROM t WHERE x IN (1", ", 1", 999, ")"), None);
    check(chain("SELECT * FROM t WHERE x IN (1", ", 1", 1_000, ")"), big);
    check(chain("SELECT * FROM t", ", t", 9, ""), big);
    check(chain("SELECT count(*) FROM t", " JOIN t USING (_seq)", 9, ""), big);
    check(chain("SELECT *", ", *", 20, " FROM t"), big);
    check(chain("SELECT 1", " ", 70_000, ""), big);
    check(chain("SELECT '", "x", 5_000, "'"), big);
    check(chain("SELECT concat('", "x", 4_000, &format!("', '{}')", "y".repeat(4_000))), big);
    check(chain("SELECT 1", ", 1", 2_400, ""), big);
    check(chain("WITH a AS (SELECT 1)", ", a AS (SELECT 1)", 700, " SELECT 1"), big);
    check(chain("SELECT * FROM t ORDER BY x", ", x", 1_000, ""), None);
    check(chain("SELECT coalesce(x", ", x", 999, ") FROM t LIMIT 1"), None);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bombs_end_at_the_budget() {
    let tables = tables();
    let limits =
        Limits { timeout: Duration::from_millis(300), memory_bytes: 24 << 20, rows_max: 1_000 };
    let memory = [
        "SELECT count(DISTINCT concat(a._seq, '-', b._seq)) FROM t a, t b",
        "SELECT a.msg, b.msg, a._seq + b._seq AS s FROM t a CROSS JOIN t b ORDER BY s LIMIT 100000",
        "SELECT array_agg(a.msg) FROM t a, t b",
        "SELECT regexp_replace(msg, 'o', (SELECT string_agg(msg, '') FROM t)) FROM t",
        "SELECT a._seq, b._seq, c._seq FROM t a, t b, t c ORDER BY 1 DESC, 2, 3",
        "SELECT length(replace(msg, 'o', (SELECT string_agg(msg, '') FROM t))) FROM t",
        "SELECT max(row_number) FROM (SELECT row_number() OVER (ORDER BY a._seq, b._seq) \
         AS row_number FROM t a, t b)",
    ];
    let harmful = [ErrorKind::Memory, ErrorKind::Timeout, TOO_BIG];
    for statement in memory {
        let error = ask_with(&tables, statement, limits, Pushdown::On).expect_err(statement);
        assert!(harmful.contains(&error.kind()), "{statement}: {error:?}");
    }
    let endless = [
        "SELECT count(*) FROM t a, t b, t c WHERE a.x + b.x < c.x",
        "SELECT sum(a.x) FROM t a JOIN t b ON a.x < b.x JOIN t c ON b.x < c.x",
    ];
    for statement in endless {
        let error = ask_with(&tables, statement, limits, Pushdown::On).expect_err(statement);
        assert!(harmful.contains(&error.kind()), "{statement}: {error:?}");
    }
    let statement = chain("SELECT msg", " || msg", 900, " FROM t");
    let error = ask_with(&tables, &statement, limits, Pushdown::On).expect_err("a long chain");
    assert!(harmful.contains(&error.kind()), "{error:?}");
    let mut doubled = "SELECT msg AS s FROM t".to_owned();
    for _ in 0..14 {
        doubled = format!("SELECT s || s AS s FROM ({doubled})");
    }
    let statement = format!("SELECT max(length(s)) FROM ({doubled})");
    let error = ask_with(&tables, &statement, limits, Pushdown::On).expect_err("doubled");
    assert!(harmful.contains(&error.kind()), "{error:?}");
    assert_eq!(rows(&tables, "SELECT count(*) FROM t"), [[Cell::I64(4_000)]]);
}

#[test]
fn functions_are_all_known_and_written_down() {
    use crate::sql::functions::{AGGREGATE, PRESENT, SCALAR, WINDOW, aggregate, scalar, window};
    let mut known: Vec<String> = Vec::new();
    let mut add = |name: &str, aliases: &[String]| {
        known.push(name.to_owned());
        known.extend_from_slice(aliases);
    };
    scalar(&budget(Limits::default()))
        .iter()
        .for_each(|function| add(function.name(), function.aliases()));
    aggregate().iter().for_each(|function| add(function.name(), function.aliases()));
    window().iter().for_each(|function| add(function.name(), function.aliases()));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/sql.md");
    let reference = std::fs::read_to_string(path).expect("the reference");
    for name in [SCALAR, AGGREGATE, WINDOW, PRESENT].into_iter().flatten() {
        assert!(known.iter().any(|known| known == name), "{name} is unknown");
        assert!(reference.contains(&format!("`{name}`")), "{name} is not in the reference");
    }
}
