//! The queries by which the engine is measured, as they stand.

use super::*;

const EVENT: &str = "fddc55f3-b938-5f8f-4c00-000000000400";

fn count() -> Measure {
    Measure::new(Aggregate::Count, None)
}

fn count_as_n() -> Measure {
    Measure::new(Aggregate::Count, Some("n".to_owned()))
}

fn by(name: &str) -> GroupKey {
    GroupKey::Field(name.to_owned())
}

fn by_day() -> GroupKey {
    GroupKey::Time(Width::from_seconds(86_400).expect("a day"))
}

fn stats(measure: Measure, keys: Vec<GroupKey>) -> Pipe {
    Pipe::Stats { measures: vec![measure], keys }
}

/// The ten keys with the most events.
fn top(name: &str) -> Vec<Pipe> {
    let largest = SortKey { column: "n".to_owned(), direction: Direction::Descending };
    vec![stats(count_as_n(), vec![by(name)]), Pipe::Sort(vec![largest]), Pipe::Limit(10)]
}

#[track_caller]
fn check(text: &str, search: Search, pipes: Vec<Pipe>) {
    let query = Query { search, pipes };
    assert_eq!(parse(text).expect(text), query, "{text}");
    assert_eq!(query.to_string(), text);
}

#[test]
fn searches_that_are_counted() {
    let counted = || vec![stats(count(), vec![])];
    // The quotes of `needle` are not needed, so they are not printed.
    let needle = format!("\"{EVENT}\" | stats count()");
    assert_eq!(parse(&needle).expect("valid"), Query { search: word(EVENT), pipes: counted() });
    check(&format!("{EVENT} | stats count()"), word(EVENT), counted());
    check("zzqxabsent | stats count()", word("zzqxabsent"), counted());
    check(
        "\"Network connection detected\" | stats count()",
        word("Network connection detected"),
        counted(),
    );
    let substring = field("_message", Predicate::Wildcard(pattern("*mimikatz*")));
    check("_message:*mimikatz* | stats count()", substring, counted());
    let equal = Search::And(vec![equals("Channel", "Security"), equals("EventID", "4624")]);
    check("Channel:Security EventID:4624 | stats count()", equal, counted());
}

#[test]
fn searches_for_the_latest() {
    check("*", Search::All, vec![]);
    check("EventID:4688", equals("EventID", "4688"), vec![]);
}

#[test]
fn counts_by_key() {
    let by_channel = vec![stats(count(), vec![by("Channel")])];
    check("* | stats count() by Channel", Search::All, by_channel);
    let query = "* | stats count() as n by EventID | sort -n | limit 10";
    check(query, Search::All, top("EventID"));
    let query = "* | stats count() as n by ProcessGuid | sort -n | limit 10";
    check(query, Search::All, top("ProcessGuid"));
    let distinct = Measure::new(Aggregate::Distinct("Image".to_owned()), None);
    check("* | stats distinct(Image)", Search::All, vec![stats(distinct, vec![])]);
}

#[test]
fn counts_by_day() {
    check("* | stats count() by 1d", Search::All, vec![stats(count(), vec![by_day()])]);
    let by_day_and_host = vec![stats(count(), vec![by_day(), by("Hostname")])];
    check("powershell | stats count() by 1d, Hostname", word("powershell"), by_day_and_host);
}

/// The query by which the language is introduced.
#[test]
fn a_search_of_every_kind() {
    let host = field("host", Predicate::Wildcard(pattern("db*")));
    let search = Search::And(vec![
        equals("service", "web"),
        compare("status", Comparison::GreaterOrEqual, "500"),
        word("connection reset"),
        not(host),
        Search::Or(vec![equals("level", "error"), equals("trace_id", "4bf92f")]),
    ]);
    check(
        "service:web status:>=500 \"connection reset\" -host:db* (level:error OR trace_id:4bf92f)",
        search,
        vec![],
    );
}
