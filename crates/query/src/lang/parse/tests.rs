use std::ops::Bound;

use ledgerline_model::limits::{
    KEY_BYTES_MAX, QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_NODES_MAX, QUERY_REGEXES_MAX,
    QUERY_TOKENS_MAX, REGEX_BYTES_MAX,
};

use super::{parse, parse_search};
use crate::error::ErrorKind;
use crate::lang::ast::{
    Aggregate, Comparison, Direction, GroupKey, Literal, Measure, Percent, Phrase, Pipe, Predicate,
    Query, Renaming, Search, SortKey, Term,
};
use crate::lang::pattern::{Part, Pattern};
use crate::lang::regex_literal::RegexLiteral;
use crate::lang::width::Width;

mod issue;
mod reference;
mod wrong;

fn word(text: &str) -> Search {
    Search::Text(words(text))
}

fn words(text: &str) -> Term {
    Term::Words(Phrase::new(text).expect("a phrase"))
}

fn field(name: &str, predicate: Predicate) -> Search {
    Search::Field { name: name.to_owned(), predicate }
}

fn equals(name: &str, value: &str) -> Search {
    field(name, Predicate::Equals(literal(value)))
}

fn literal(text: &str) -> Literal {
    Literal(text.to_owned())
}

fn compare(name: &str, comparison: Comparison, value: &str) -> Search {
    field(name, Predicate::Compare { comparison, literal: literal(value) })
}

/// A pattern in which `*` and `?` are the wildcards and nothing is escaped.
fn pattern(text: &str) -> Pattern {
    let parts = text.chars().map(|c| match c {
        '*' => Part::Run,
        '?' => Part::One,
        c => Part::Literal(c.to_string()),
    });
    Pattern::new(parts).expect("a pattern")
}

fn regex(pattern: &str) -> RegexLiteral {
    RegexLiteral::new(pattern).expect("a regular expression")
}

fn not(search: Search) -> Search {
    Search::Not(Box::new(search))
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[track_caller]
fn check(text: &str, tree: Search) {
    assert_eq!(parse_search(text).expect(text), tree, "{text}");
    assert_eq!(parse(text).expect(text), Query { search: tree, pipes: vec![] }, "{text}");
}

#[track_caller]
fn check_pipe(text: &str, pipe: Pipe) {
    let query = format!("* | {text}");
    assert_eq!(parse(&query).expect(text).pipes, [pipe], "{text}");
}

#[test]
fn everything() {
    for text in ["", " \n", "*", "**", "*:*", "* AND *", "a OR *", "--*"] {
        check(text, Search::All);
    }
    check("-*", not(Search::All));
    check("* a", word("a"));
}

#[test]
fn words_and_phrases() {
    check("zzqxabsent", word("zzqxabsent"));
    check("\"connection reset\"", word("connection reset"));
    check(r#""a \"b\" \\ c:\d""#, word(r#"a "b" \ c:\d"#));
    check("and or not", Search::And(vec![word("and"), word("or"), word("not")]));
    check("\"AND\"", word("AND"));
    check("größe,1 日本語", Search::And(vec![word("größe,1"), word("日本語")]));
    check(r"a\ b\:c\(", word("a b:c("));
    check(r"\-a \!b \/c\*", Search::And(vec![word("-a"), word("!b"), word("/c*")]));
    check(r"\AND", word(r"\AND"));
    check("[a] {b} user@host ~c", {
        Search::And(vec![word("[a]"), word("{b}"), word("user@host"), word("~c")])
    });
}

#[test]
fn wildcards() {
    check("pow*", Search::Text(Term::Wildcard(pattern("pow*"))));
    check("a?c**", Search::Text(Term::Wildcard(pattern("a?c*"))));
    check("?", Search::Text(Term::Wildcard(pattern("?"))));
    check("_message:*mimikatz*", field("_message", Predicate::Wildcard(pattern("*mimikatz*"))));
    let parts = [Part::Literal("a*b".to_owned()), Part::Run];
    let escaped = Pattern::new(parts).expect("a pattern");
    check(r"f:a\*b*", field("f", Predicate::Wildcard(escaped)));
    check("f:\"a*\"", equals("f", "a*"));
}

#[test]
fn regular_expressions() {
    check("/a b|c\\/d/", Search::Text(Term::Regex(regex("a b|c/d"))));
    check(r"host:/^db\d+$/", field("host", Predicate::Regex(regex(r"^db\d+$"))));
    check("(/a/)", Search::Text(Term::Regex(regex("a"))));
    check("a/b/c", word("a/b/c"));
}

#[test]
fn joined_terms() {
    let [a, b, c] = ["a", "b", "c"].map(word);
    let and = Search::And(vec![a.clone(), b.clone()]);
    check("a b", and.clone());
    check("a AND b", and.clone());
    check("((a) (b))", and.clone());
    check("a (b c)", Search::And(vec![a.clone(), b.clone(), c.clone()]));
    check("a b OR c", Search::Or(vec![and, c.clone()]));
    let or = Search::Or(vec![b.clone(), c.clone()]);
    check("a AND(b OR c)", Search::And(vec![a.clone(), or.clone()]));
    check("a OR (b OR c)", Search::Or(vec![a.clone(), b.clone(), c]));
    check("-a", not(a.clone()));
    check("!a", not(a.clone()));
    check("NOT a", not(a.clone()));
    check("NOT -a", a.clone());
    check("-!NOT a", not(a.clone()));
    check("NOT (b OR c)", not(or));
    check("NOT a b", Search::And(vec![not(a), b]));
}

#[test]
fn fields() {
    check("Channel:Security", equals("Channel", "Security"));
    check("EventID:\"4624\"", equals("EventID", "4624"));
    check("a.b-c@d/e_f:x", equals("a.b-c@d/e_f", "x"));
    check("größe:5", equals("größe", "5"));
    check("\"my field: 1\":5", equals("my field: 1", "5"));
    check(r"my\ field:5", equals("my field", "5"));
    check("\"*\":5", equals("*", "5"));
    check("AND:5", equals("AND", "5"));
    check("f:-5", equals("f", "-5"));
    check("f:\"\"", equals("f", ""));
    check("trace_id:a:b", equals("trace_id", "a:b"));
    check(r"Image:C:\Windows\cmd.exe", equals("Image", r"C:\Windows\cmd.exe"));
    check("f:*", field("f", Predicate::Exists));
    let phrase = |text| Predicate::Words(Phrase::new(text).expect("a phrase"));
    check("f:~word", field("f", phrase("word")));
    check("f:~\"a phrase\"", field("f", phrase("a phrase")));
}

#[test]
fn every_field() {
    check("*:word", Search::EveryField(words("word")));
    check("*:~word", Search::EveryField(words("word")));
    check("*:\"a b\"", Search::EveryField(words("a b")));
    check("*:a*", Search::EveryField(Term::Wildcard(pattern("a*"))));
    check("*:/a/", Search::EveryField(Term::Regex(regex("a"))));
    let [a, b] = ["a", "b"].map(|text| Search::EveryField(words(text)));
    check("*:(a OR -b)", Search::Or(vec![a, not(b)]));
}

#[test]
fn comparisons() {
    check("status:>=500", compare("status", Comparison::GreaterOrEqual, "500"));
    check("f:>5", compare("f", Comparison::Greater, "5"));
    check("f:<=-5", compare("f", Comparison::LessOrEqual, "-5"));
    check("f:<\"a b\"", compare("f", Comparison::Less, "a b"));
    check("f:=value", compare("f", Comparison::Equal, "value"));
    let time = "2020-09-21T10:00:00Z";
    check(&format!("_time:>{time}"), compare("_time", Comparison::Greater, time));
}

#[test]
fn ranges() {
    let range = |low, high| field("f", Predicate::Range { low, high });
    let (one, five) = (literal("1"), literal("5"));
    let (low_in, high_in) = (Bound::Included(one.clone()), Bound::Included(five.clone()));
    let (low_out, high_out) = (Bound::Excluded(one), Bound::Excluded(five));
    check("f:[1 TO 5]", range(low_in.clone(), high_in.clone()));
    check("f:{ 1 TO 5 }", range(low_out.clone(), high_out.clone()));
    check("f:[1 TO 5}", range(low_in.clone(), high_out));
    check("f:{1 TO *]", range(low_out, Bound::Unbounded));
    check("f:{* TO \"5\"]", range(Bound::Unbounded, high_in));
    check("f:[* TO *]", field("f", Predicate::Exists));
    let (low, high) = (literal("now-1d/d"), literal("2020-09-21T10:00"));
    let times = Predicate::Range { low: Bound::Included(low), high: Bound::Included(high) };
    check("_time:[now-1d/d TO 2020-09-21T10:00]", field("_time", times));
}

#[test]
fn ranges_that_may_have_values_are_read() {
    for query in [
        "f:[5 TO 5]",
        "f:[-1 TO 0.5}",
        "f:[B TO c]",
        "f:[b TO 5]",
        "_severity:[warn TO error]",
        "_time:[2020 TO now]",
        "_time:[now TO 2020]",
        "_time:[now-1h TO now]",
        "_time:[now/d TO now]",
        "_time:{now-2h TO now/d}",
        "_time:[2020-09-21 TO 2020-09-21]",
        "_received:[1600683330 TO 2020-09-22}",
    ] {
        parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    }
}

#[test]
fn times_that_are_none_and_empty_ranges_mean_nothing() {
    for (query, span) in [
        ("_time:yesterday", 6..15),
        ("a _received:>\"10 o'clock\"", 13..25),
        ("_time:[2020 TO soon]", 15..19),
        ("EventID:[5 TO 1]", 8..16),
        ("* | where _time:=x", 17..18),
    ] {
        let error = parse(query).expect_err(query);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{query}");
        assert_eq!(error.span(), Some(span), "{query}");
    }
}

#[test]
fn groups_of_values() {
    check("f:(a OR b)", Search::Or(vec![equals("f", "a"), equals("f", "b")]));
    check("f:(a -b*)", {
        let wildcard = field("f", Predicate::Wildcard(pattern("b*")));
        Search::And(vec![equals("f", "a"), not(wildcard)])
    });
    check("f:(>=5 AND <10)", {
        let least = compare("f", Comparison::GreaterOrEqual, "5");
        Search::And(vec![least, compare("f", Comparison::Less, "10")])
    });
    check("f:((a b) OR [1 TO *])", {
        let low = Bound::Included(literal("1"));
        let range = field("f", Predicate::Range { low, high: Bound::Unbounded });
        Search::Or(vec![Search::And(vec![equals("f", "a"), equals("f", "b")]), range])
    });
}

#[test]
fn stats() {
    let count = || Measure::new(Aggregate::Count, None);
    let stats = |measures, keys| Pipe::Stats { measures, keys };
    let key = |name: &str| GroupKey::Field(name.to_owned());
    let minutes = GroupKey::Time(Width::from_seconds(300).expect("a width"));
    check_pipe("stats count()", stats(vec![count()], vec![]));
    check_pipe("stats count(*) as \"count()\"", stats(vec![count()], vec![]));
    check_pipe("stats count() by service,5m", stats(vec![count()], vec![key("service"), minutes]));
    check_pipe("stats count() by \"5m\"", stats(vec![count()], vec![key("5m")]));
    check_pipe("stats sum( \"a b\" ) as total, avg(x)", {
        let sum = Measure::new(Aggregate::Sum("a b".to_owned()), Some("total".to_owned()));
        stats(vec![sum, Measure::new(Aggregate::Average("x".to_owned()), None)], vec![])
    });
}

#[test]
fn functions() {
    let f = || "f".to_owned();
    let percentile = |thousandths| Aggregate::Percentile {
        field: f(),
        percent: Percent::from_thousandths(thousandths).expect("a percentage"),
    };
    for (text, aggregate) in [
        ("count(f)", Aggregate::CountOf(f())),
        ("sum(f)", Aggregate::Sum(f())),
        ("avg(f)", Aggregate::Average(f())),
        ("min(f)", Aggregate::Min(f())),
        ("max(f)", Aggregate::Max(f())),
        ("distinct(f)", Aggregate::Distinct(f())),
        ("count_distinct(f)", Aggregate::Distinct(f())),
        ("uniq(f)", Aggregate::Distinct(f())),
        ("values(f)", Aggregate::Values(f())),
        ("p50(f)", percentile(50_000)),
        ("p95(f)", percentile(95_000)),
        ("p99(f)", percentile(99_000)),
        ("p99.9(f)", percentile(99_900)),
        ("percentile(f, 99.9)", percentile(99_900)),
        ("percentile(f,100)", percentile(100_000)),
        ("percentile( f , 0.125 )", percentile(125)),
    ] {
        let measures = vec![Measure::new(aggregate, None)];
        check_pipe(&format!("stats {text}"), Pipe::Stats { measures, keys: vec![] });
    }
}

#[test]
fn other_pipes() {
    let key = |column: &str, direction| SortKey { column: column.to_owned(), direction };
    let ascending = key("b", Direction::Ascending);
    let sort = Pipe::Sort(vec![key("a", Direction::Descending), ascending]);
    check_pipe("sort -a, b", sort.clone());
    check_pipe("sort by a desc, +b", sort.clone());
    check_pipe("sort -\"a\", b asc", sort);
    check_pipe("limit 10", Pipe::Limit(10));
    check_pipe("head 10", Pipe::Limit(10));
    check_pipe("fields a, b.c", Pipe::Fields(strings(&["a", "b.c"])));
    check_pipe("uniq by a, b", Pipe::Uniq(strings(&["a", "b"])));
    check_pipe("uniq a", Pipe::Uniq(strings(&["a"])));
    check_pipe("where n:>5", Pipe::Where(compare("n", Comparison::Greater, "5")));
    check_pipe("rename a as b, b as \"by\"", {
        let renaming = |source: &str, target: &str| Renaming {
            source: source.to_owned(),
            target: target.to_owned(),
        };
        Pipe::Rename(vec![renaming("a", "b"), renaming("b", "by")])
    });
}

#[test]
fn top_is_short_for_three_pipes() {
    let long = parse("* | stats count() by a, b | sort -count() | limit 3").expect("valid");
    assert_eq!(parse("* | top 3 by a, b").expect("valid"), long);
    assert_eq!(parse("* | top 3 a, b").expect("valid"), long);
    let ten = parse("* | stats count() by a | sort -count() | limit 10").expect("valid");
    assert_eq!(parse("* | top a").expect("valid"), ten);
}

#[test]
fn a_function_alone_is_short_for_its_column() {
    for (short, long) in [
        ("stats count() by service, 5m | sort -count", "sort -count()"),
        ("stats count() by a | where count:>5", "where \"count()\":>5"),
        ("stats p95(x) | rename p95 as y", "rename p95(x) as y"),
        ("stats count() by a | stats max(count)", "stats max(\"count()\")"),
        ("stats uniq(x) | fields distinct", "fields distinct(x)"),
        // Quotes, other columns, and more than one candidate leave the name as it is.
        ("stats count() | sort -\"count\"", "sort -\"count\""),
        ("stats count() as count | sort -count", "sort -\"count\""),
        ("stats sum(a), sum(b) | sort sum", "sort \"sum\""),
        ("stats count() by count | sort count", "sort \"count\""),
    ] {
        let query = parse(&format!("* | {short}")).expect(short);
        assert_eq!(query.pipes[1].to_string(), long, "{short}");
    }
    check("count:5", equals("count", "5"));
}

#[test]
fn limits_are_named() {
    let deep = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    let nodes = |count| "a ".repeat(count);
    let names = (0..QUERY_NODES_MAX).map(|n| format!("f{n}")).collect::<Vec<_>>().join(",");
    let names = format!("* | fields {names}");
    assert!(parse(&deep(QUERY_DEPTH_MAX)).is_ok());
    assert!(parse(&nodes(QUERY_NODES_MAX)).is_ok());
    for (text, limit) in [
        ("a".repeat(QUERY_BYTES_MAX + 1), format!("{QUERY_BYTES_MAX} bytes")),
        (deep(QUERY_DEPTH_MAX + 1), format!("{QUERY_DEPTH_MAX} nested parentheses")),
        (deep(30_000), format!("{QUERY_DEPTH_MAX} nested parentheses")),
        ("f:".to_owned() + &"(".repeat(20_000), format!("{QUERY_DEPTH_MAX} nested parentheses")),
        ("-(".repeat(30_000), format!("{QUERY_DEPTH_MAX} nested parentheses")),
        (nodes(QUERY_NODES_MAX + 1), format!("{QUERY_NODES_MAX} nodes")),
        (names, format!("{QUERY_NODES_MAX} nodes")),
        ("/a/ ".repeat(QUERY_REGEXES_MAX + 1), format!("{QUERY_REGEXES_MAX} regular")),
        ("-".repeat(QUERY_TOKENS_MAX) + "a", format!("{QUERY_TOKENS_MAX} tokens")),
        ("NOT ".repeat(QUERY_TOKENS_MAX) + "a", format!("{QUERY_TOKENS_MAX} tokens")),
        (format!("{}:1", "f".repeat(KEY_BYTES_MAX + 1)), format!("{KEY_BYTES_MAX} bytes")),
    ] {
        let error = parse(&text).expect_err("too big");
        assert_eq!(error.kind(), ErrorKind::TooBig, "{error}");
        assert!(error.to_string().contains(&limit), "{error}, not {limit}");
    }
}

/// A wildcard is matched by a regular expression, which must compile whatever the wildcard is.
#[test]
fn the_largest_wildcards_compile() {
    assert!(parse(&"?".repeat(REGEX_BYTES_MAX + 1)).is_err());
    for repeated in ["?", "?*", "*a", "é?", "k*"] {
        let largest = pattern(&repeated.repeat(REGEX_BYTES_MAX / repeated.len()));
        assert!(parse(&largest.to_string()).is_ok(), "{repeated}");
        assert!(regex::Regex::new(&largest.regex_whole()).is_ok(), "{repeated}");
        assert!(regex::Regex::new(&largest.regex_within()).is_ok(), "{repeated}");
    }
}

#[test]
fn a_search_takes_no_pipes() {
    let error = parse_search("a | limit 5").expect_err("a pipe");
    assert_eq!((error.kind(), error.span()), (ErrorKind::Syntax, Some(2..3)));
}
