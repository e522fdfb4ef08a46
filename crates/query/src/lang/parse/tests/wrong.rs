//! What is said about queries that are wrong.

use std::fmt::Write as _;

use super::*;

const WRONG: &[&str] = &[
    // Quotes, parentheses and backslashes.
    "service:web \"connection reset",
    r#"path:"C:\dir\""#,
    "(level:error OR level:fatal",
    "a b)",
    "()",
    "\"\"",
    "foo(bar)",
    "\"a\"b",
    "\"net\"*",
    r"a\",
    // Comparisons of other languages.
    "status=500",
    "status == 500",
    "status!=500",
    "status>500",
    "status => 500",
    "status:=>500",
    "status:==500",
    "status:<>500",
    "status:!500",
    "status:>= 500",
    "status:>=5*",
    // Operators of other languages.
    "a && b",
    "a || b",
    "(a | b)",
    "AND a",
    "a OR",
    "a OR OR b",
    "a AND",
    "NOT",
    "a -",
    "- a",
    // Fields.
    ":5",
    "status: 500",
    "status:",
    "sta*us:500",
    "*:>5",
    "name:~\"\"",
    "name:~pow*",
    // Ranges.
    "n:[1 5]",
    "n:[1 to 5]",
    "n:[TO 5]",
    "n:[1 TO ]",
    "n:[1 TO 5",
    "n:[1* TO 5]",
    "n:[1 TO 5 6]",
    "n:[1,5]",
    "EventID:[5 TO 1]",
    "n:{5 TO 5]",
    "name:[b TO a]",
    "_time:[2020-09-22 TO 2020-09-21]",
    "_time:[now TO now-1h]",
    // Times.
    "_time:yesterday",
    "a _received:>=\"10 o'clock\"",
    "_time:[2020-09-21 TO soon]",
    "* | where _time:<x",
    // Regular expressions.
    "/var/log/syslog",
    "/usr",
    "/a(b/",
    "//",
    "/a/i",
    "https://example.com/a?b=c",
    "f:/[z-a]/",
    // Pipes.
    "* | stast count()",
    "* | filter n:5",
    "* | count()",
    "* | frobnicate",
    "* |",
    "* | | limit 5",
    "* | limit",
    "* | limit ten",
    "* | limit 5 6",
    "* | stats",
    "* | stats count",
    "* | stats coutn()",
    "* | stats mean(x)",
    "* | stats sum()",
    "* | stats sum(a b)",
    "* | stats sum(a, b)",
    "* | stats sum(count())",
    "* | stats sum(*)",
    "* | stats sum(a",
    "* | stats percentile(a)",
    "* | stats percentile(a, 101)",
    "* | stats p999(a)",
    "* | stats count() by",
    "* | stats count() by 5min",
    "* | stats count() by 0m",
    "* | stats count() by _time:5m",
    "* | stats count() by a b",
    "* | stats count(), count()",
    "* | stats count() by a, a",
    "* | sort - n",
    "* | sort n:5",
    "* | sort n by m",
    "* | fields a*",
    "* | fields -a",
    "* | fields a a",
    "* | fields a, a",
    "* | where",
    "* | where n > 5",
    "* | where count():>5",
    "* | rename a",
    "* | rename a to b",
    "* | rename a as c, b as c",
    "* | uniq by",
];

#[test]
fn errors_point_and_suggest() {
    let mut shown = String::new();
    for query in WRONG {
        let error = parse(query).expect_err(query);
        let caret = error.caret(query).expect("an error of the parser has a place");
        let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        writeln!(shown, "{caret}\n{error}{hint}\n").expect("a string takes every text");
    }
    insta::assert_snapshot!(shown);
}

/// Taking a hint in backquotes that replaces the whole query leads to a query that is right.
#[test]
fn hints_are_right() {
    for (query, hinted) in [
        ("status=500", "status:500"),
        ("status == 500", "status:500"),
        ("status!=500", "-status:500"),
        ("status>500", "status:>500"),
        ("status:=>500", "status:>=500"),
        ("status:<>500", "-status:500"),
        ("status:!500", "-status:500"),
        ("status: 500", "status:500"),
        ("/var/log/syslog", "\"/var/log/syslog\""),
    ] {
        let error = parse(query).expect_err(query);
        let hint = error.hint().expect(query);
        assert!(hint.contains(&format!("`{hinted}`")), "{query}: {hint}");
        assert!(parse(hinted).is_ok(), "{hinted}");
    }
}
