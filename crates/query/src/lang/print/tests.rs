//! Whatever tree the parser can make is printed so that it is read again as the same.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::lang::ast::Phrase;
use crate::lang::parse::is_empty;
use crate::lang::width::Width;
use crate::lang::{parse, parse_search};

/// Texts that a printer could get wrong.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,6}",
        2 => "[-!/~=<>:*?\\\\\"()\\[\\]{}|&,+. a-c]{1,6}",
        1 => "\\PC{1,6}",
        1 => prop::sample::select(vec![
            "AND", "OR", "NOT", "TO", "as", "by", "asc", "desc", "count", "count()", "p95",
            "p99.9", "sum(x)", "sum(\"a b\")", "percentile(x, 99.9)", "5m", "5min", "10", "-5",
            "&&", "||", "*", "\n", "C:\\Windows\\", "größe", "日本 語", "now-1d/d", "_time",
        ])
        .prop_map(str::to_owned),
    ]
}

fn literals() -> impl Strategy<Value = Literal> {
    prop_oneof![9 => texts(), 1 => Just(String::new())].prop_map(Literal)
}

fn phrases() -> impl Strategy<Value = Phrase> {
    texts().prop_map(|text| Phrase::new(text).expect("no text is empty"))
}

fn patterns() -> impl Strategy<Value = Pattern> {
    let part = prop_oneof![texts().prop_map(Part::Literal), Just(Part::One), Just(Part::Run)];
    vec(part, 1..5).prop_filter_map("has a wildcard", Pattern::new)
}

fn regexes() -> impl Strategy<Value = RegexLiteral> {
    let source = prop_oneof![
        "[a-z/]{1,3}(\\\\/|\\\\d|\\[/a-c\\]|\\.|\\*|\\+| |\\||\"){0,4}",
        texts().prop_map(|text| regex_syntax::escape(&text)),
    ];
    source.prop_filter_map("compiles", |source| RegexLiteral::new(&source).ok())
}

fn terms() -> impl Strategy<Value = Term> {
    prop_oneof![
        3 => phrases().prop_map(Term::Words),
        1 => patterns().prop_map(Term::Wildcard),
        1 => regexes().prop_map(Term::Regex),
    ]
}

fn bounds() -> impl Strategy<Value = Bound<Literal>> {
    prop_oneof![
        literals().prop_map(Bound::Included),
        literals().prop_map(Bound::Excluded),
        Just(Bound::Unbounded),
    ]
}

fn predicates() -> impl Strategy<Value = Predicate> {
    let comparison = prop::sample::select(vec![
        Comparison::Equal,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ]);
    prop_oneof![
        3 => literals().prop_map(Predicate::Equals),
        1 => phrases().prop_map(Predicate::Words),
        1 => patterns().prop_map(Predicate::Wildcard),
        1 => regexes().prop_map(Predicate::Regex),
        2 => (comparison, literals())
            .prop_map(|(comparison, literal)| Predicate::Compare { comparison, literal }),
        2 => (bounds(), bounds()).prop_map(|(low, high)| match (low, high) {
            (Bound::Unbounded, Bound::Unbounded) => Predicate::Exists,
            (low, high) => Predicate::Range { low, high },
        }),
        1 => Just(Predicate::Exists),
    ]
}

/// A name and what is asked of it; times are asked only for times.
fn fields() -> impl Strategy<Value = (String, Predicate)> {
    let any = (texts(), predicates()).prop_filter("has values", |(name, predicate)| {
        let is_empty = match predicate {
            Predicate::Range { low, high } => is_empty(name, low, high),
            _ => false,
        };
        name != "_time" && !is_empty
    });
    let time = prop::sample::select(vec!["2020-09-21T10:15", "now-1d/d", "1600683330", "-15m"]);
    let time = time.prop_map(|time| Predicate::Equals(Literal(time.to_owned())));
    let name = prop::sample::select(vec!["_time", "_received"]).prop_map(str::to_owned);
    prop_oneof![9 => any, 1 => (name, time)]
}

fn searches() -> impl Strategy<Value = Search> {
    let leaf = prop_oneof![
        3 => terms().prop_map(Search::Text),
        1 => terms().prop_map(Search::EveryField),
        4 => fields().prop_map(|(name, predicate)| Search::Field { name, predicate }),
        1 => Just(Search::All),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Search::and),
            vec(inner.clone(), 2..4).prop_map(Search::or),
            inner.prop_map(Search::negated),
        ]
    })
}

fn aggregates() -> impl Strategy<Value = Aggregate> {
    let percent = (0_u32..=100_000).prop_map(|n| Percent::from_thousandths(n).expect("in range"));
    prop_oneof![
        Just(Aggregate::Count),
        texts().prop_map(Aggregate::CountOf),
        texts().prop_map(Aggregate::Sum),
        texts().prop_map(Aggregate::Average),
        texts().prop_map(Aggregate::Min),
        texts().prop_map(Aggregate::Max),
        texts().prop_map(Aggregate::Distinct),
        texts().prop_map(Aggregate::Values),
        (texts(), percent).prop_map(|(field, percent)| Aggregate::Percentile { field, percent }),
        texts().prop_map(|field| Aggregate::Percentile {
            field,
            percent: Percent::from_thousandths(95_000).expect("in range"),
        }),
    ]
}

fn measures() -> impl Strategy<Value = Measure> {
    (aggregates(), option::of(texts())).prop_map(|(aggregate, name)| Measure::new(aggregate, name))
}

fn group_keys() -> impl Strategy<Value = GroupKey> {
    let width = (1_i64..1_000_000).prop_map(|n| Width::from_seconds(n).expect("in range"));
    prop_oneof![
        3 => texts().prop_map(GroupKey::Field),
        1 => width.prop_map(GroupKey::Time),
    ]
}

/// Distinct names, in no order.
fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::hash_set(texts(), 1..4).prop_map(|names| names.into_iter().collect())
}

fn stats() -> impl Strategy<Value = Pipe> {
    (vec(measures(), 1..4), vec(group_keys(), 0..3)).prop_filter_map(
        "columns are distinct",
        |(measures, keys)| {
            let columns = measures
                .iter()
                .map(Measure::column)
                .chain(keys.iter().map(|key| key.column().to_owned()));
            let distinct: hashbrown::HashSet<String> = columns.collect();
            let is_valid = distinct.len() == measures.len() + keys.len();
            is_valid.then_some(Pipe::Stats { measures, keys })
        },
    )
}

fn pipes() -> impl Strategy<Value = Pipe> {
    let direction = prop::sample::select(vec![Direction::Ascending, Direction::Descending]);
    let sort_key =
        (texts(), direction).prop_map(|(column, direction)| SortKey { column, direction });
    let renamings = (names(), names()).prop_map(|(sources, targets)| {
        let pairs = sources.into_iter().zip(targets);
        pairs.map(|(source, target)| Renaming { source, target }).collect()
    });
    prop_oneof![
        4 => stats(),
        1 => vec(sort_key, 1..4).prop_map(Pipe::Sort),
        1 => any::<u64>().prop_map(Pipe::Limit),
        1 => names().prop_map(Pipe::Fields),
        1 => searches().prop_map(Pipe::Where),
        1 => renamings.prop_map(Pipe::Rename),
        1 => names().prop_map(Pipe::Uniq),
    ]
}

fn queries() -> impl Strategy<Value = Query> {
    (searches(), vec(pipes(), 0..4)).prop_map(|(search, pipes)| Query { search, pipes })
}

/// Texts that are queries often enough.
fn query_texts() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "B1",
        "AND",
        "OR",
        "NOT",
        "-",
        "!",
        "(",
        ")",
        ":",
        "f:",
        "*:",
        "*",
        "?",
        "\"a b\"",
        "\"",
        "\\",
        "/a.b/",
        "/",
        "[1 TO 5]",
        "{a TO *}",
        "[",
        "TO",
        ">=5",
        "=",
        "~",
        "|",
        "| stats",
        "count()",
        "sum(f)",
        "as",
        "by",
        "5m",
        ",",
        "| sort",
        "| limit 5",
        "| where",
        "| fields",
        "| rename",
        "| uniq",
        "| top 3 by",
        "count",
        "percentile(f, 99.9)",
        "é",
    ]);
    let space = prop::sample::select(vec!["", " ", " ", " "]);
    vec((piece, space), 0..16)
        .prop_map(|pieces| pieces.into_iter().flat_map(|(piece, space)| [piece, space]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_printed_is_read_as_the_same(query in queries()) {
        let text = query.to_string();
        let read = parse(&text);
        prop_assert!(read.is_ok(), "{text}: {read:?}");
        prop_assert_eq!(read.ok(), Some(query), "{}", text);
    }

    #[test]
    fn a_search_is_read_as_the_same(search in searches()) {
        let text = search.to_string();
        prop_assert_eq!(parse_search(&text).ok(), Some(search), "{}", text);
    }

    #[test]
    fn what_is_read_is_printed_for_good(text in query_texts()) {
        if let Ok(query) = parse(&text) {
            let printed = query.to_string();
            let read = parse(&printed);
            prop_assert!(read.is_ok(), "{text} → {printed}: {read:?}");
            prop_assert_eq!(read.ok(), Some(query), "{} → {}", text, printed);
        }
    }

    #[test]
    fn no_text_breaks_the_parser(
        text in prop_oneof!["\\PC{0,80}", query_texts(), any::<String>()],
    ) {
        for error in [parse(&text).err(), parse_search(&text).err()].into_iter().flatten() {
            let span = error.span().expect("an error of the parser has a place");
            prop_assert!(text.get(span).is_some(), "{text}: {error:?}");
            prop_assert!(error.caret(&text).is_some());
        }
    }
}

#[test]
fn quotes_stand_only_where_they_must() {
    for (written, printed) in [
        ("\"word\"", "word"),
        ("\"two words\"", "\"two words\""),
        ("\"f\":\"a:b\"", "f:a:b"),
        ("f:\"C:\\Windows\"", "f:\"C:\\\\Windows\""),
        ("NOT (a AND b) AND NOT c", "-(a b) -c"),
        ("(a b) OR c", "a b OR c"),
        ("f:(a OR b) c", "(f:a OR f:b) c"),
        ("f:{* TO 5]", "f:[* TO 5]"),
        ("\"AND\" \"and\"", "\"AND\" and"),
        ("", "*"),
        ("a | head 5", "a | limit 5"),
        ("|stats count( * )as n by 120m|sort by n desc", "* | stats count() as n by 2h | sort -n"),
        ("| stats percentile(f, 95.0), p99.90(f)", "* | stats p95(f), percentile(f, 99.9)"),
        ("| stats count() by \"5m\", \"by\", x", "* | stats count() by \"5m\", \"by\", x"),
        ("| fields \"count()\", \"count\"", "* | fields count(), \"count\""),
    ] {
        assert_eq!(parse(written).expect(written).to_string(), printed, "{written}");
    }
}
