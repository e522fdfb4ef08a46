//! Random events, searches and pipes.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use ledgerline_model::batch::{Batch, BatchBuilder, EventHead, Flags};
use ledgerline_model::convention::{Conventions, ID_KEY};
use ledgerline_model::event::{Event, Value};
use ledgerline_model::id::{EventId, Seq, TenantId};
use ledgerline_model::severity::Severity;
use ledgerline_model::time::{TimeRange, Timestamp};
use ledgerline_store::sample::{Lies, snapshot};
use ledgerline_store::snapshot::Snapshot;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::budget::{Budget, Limits};
use crate::find::Target;
use crate::lang::ast::{
    Aggregate, Comparison, Direction, GroupKey, Literal, Measure, Percent, Phrase, Pipe, Predicate,
    Query, Renaming, Search, SortKey, Term,
};
use crate::lang::pattern::{Part, Pattern};
use crate::lang::regex_literal::RegexLiteral;
use crate::lang::width::Width;

/// 2020-01-01T00:00:00Z.
pub(super) const START: i64 = 1_577_836_800 * Timestamp::SECOND;

/// Longer than what the word index keeps of a word.
pub(super) const LONG: &str =
    "abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz_needle";

const TEXTS: &[&str] = &[
    "Alpha",
    "alpha beta",
    "BETA-gamma alpha",
    "C:\\Windows\\System32\\PowerShell.exe -enc 4624",
    "powershell",
    "4624",
    "4624.0",
    "12",
    "-3",
    "Grüße an STRASSE",
    "grüSSe ſhell \u{212a}elvin İstanbul",
    "shell",
    LONG,
    "",
    "true",
    "[not json",
];

const KEYS: &[&str] = &["a", "b.c", "message", "msg", "n", "log"];

fn value() -> impl Strategy<Value = Value> {
    let json =
        ["[]", r#"["Alpha",12]"#, "null", "{}", "123456789012345678901234567890", "[[1],0.5]"];
    prop_oneof![
        6 => select(TEXTS).prop_map(|text| Value::Str(text.into())),
        2 => select(&[12, 4624, -3, 0, i64::MAX, i64::MIN][..]).prop_map(Value::I64),
        1 => select(&[12.0, 4624.0, 0.5, -2.25, 1e30][..]).prop_map(Value::F64),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => select(json.to_vec()).prop_map(|text| Value::Json(text.into())),
    ]
}

type Fields = Vec<(String, Value)>;

fn fields(with_ids: bool) -> impl Strategy<Value = Fields> {
    let of_keys = KEYS.iter().map(|key| {
        let chance = if *key == "message" { 0.7 } else { 0.5 };
        option::weighted(chance, value()).prop_map(|value| value.map(|v| ((*key).to_owned(), v)))
    });
    let id = select(&["id-1", "ID-2", ""][..]).prop_map(|id| Value::Str(id.into()));
    (of_keys.collect::<Vec<_>>(), option::weighted(0.2, id)).prop_map(move |(fields, id)| {
        let id = id.filter(|_| with_ids).map(|id| (ID_KEY.to_owned(), id));
        fields.into_iter().flatten().chain(id).collect()
    })
}

/// A time within some days, often the same.
fn event_time() -> impl Strategy<Value = i64> {
    let half_hours = 0_i64..200;
    prop_oneof![
        half_hours.prop_map(|number| START + number * 1_800 * Timestamp::SECOND),
        (0_i64..4).prop_map(|number| START + number),
    ]
}

/// The events of one batch, each so many times, and where they lie.
#[derive(Debug, Clone)]
pub(super) struct BatchSpec {
    events: Vec<(i64, u8, Fields)>,
    repeat: usize,
    lies: Lies,
}

fn batch_spec(with_ids: bool) -> impl Strategy<Value = BatchSpec> {
    let event = (event_time(), select(&[0_u8, 5, 9, 10, 13, 17, 18, 24][..]), fields(with_ids));
    let repeat = prop_oneof![4 => Just(1), 1 => Just(40)];
    let lies = prop_oneof![1 => Just(Lies::Memory), 2 => Just(Lies::Segments)];
    (vec(event, 1..20), repeat, lies).prop_map(|(events, repeat, lies)| BatchSpec {
        events,
        repeat,
        lies,
    })
}

pub(super) fn batch_specs(with_ids: bool) -> impl Strategy<Value = Vec<BatchSpec>> {
    vec(batch_spec(with_ids), 1..5)
}

/// A snapshot of the batches, and their events one by one.
pub(super) fn built(specs: &[BatchSpec]) -> (Snapshot, Vec<Event>) {
    let mut batches = Vec::new();
    let mut events = Vec::new();
    for (number, spec) in specs.iter().enumerate() {
        let received = Timestamp(START + number as i64 * Timestamp::DAY);
        let base = u128::from(events.len() as u64) << 20;
        let repeated = (0..spec.repeat).flat_map(|_| &spec.events).enumerate();
        let mut rows = Vec::new();
        for (offset, (time, severity, fields)) in repeated {
            let id = EventId::derived(received, base, offset as u64).to_string();
            let given = fields.iter().find_map(|(name, value)| match value {
                Value::Str(text) if name == ID_KEY => Some(text.clone()),
                _ => None,
            });
            let mut fields = fields.clone();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            rows.push(Event {
                seq: Seq((events.len() + offset) as u64),
                id: given.unwrap_or(id),
                time: Timestamp(*time),
                received,
                severity: Severity::from_number(*severity).unwrap_or_default(),
                fields,
            });
        }
        batches.push((batch(received, &rows), spec.lies));
        events.extend(rows);
    }
    let tenant = TenantId::from_bytes([7; 16]).expect("not all zero");
    (snapshot(tenant, batches).expect("it lies in memory"), events)
}

/// A batch of events, of which the numbers and the ids are left out.
pub(super) fn batch(received: Timestamp, events: &[Event]) -> Batch {
    let mut builder = BatchBuilder::new(received);
    for event in events {
        for (name, value) in &event.fields {
            match value {
                Value::Str(text) => builder.str(name, text),
                Value::I64(number) => builder.i64(name, *number),
                Value::F64(number) => builder.f64(name, *number),
                Value::Bool(truth) => builder.bool(name, *truth),
                Value::Json(text) => builder.json(name, text),
            }
            .expect("the keys differ");
        }
        let (time, severity) = (event.time, event.severity);
        builder.commit(EventHead { time, severity, flags: Flags(0), bytes_in: 1 });
    }
    builder.finish()
}

pub(super) fn budget(limits: Limits) -> Budget {
    Budget::new(limits, Arc::new(|| Duration::ZERO))
}

/// Calls `ask` with a target of everything.
pub(super) fn asked<T>(
    snapshot: &Snapshot,
    range: TimeRange,
    ask: impl FnOnce(&Target<'_>) -> T,
) -> T {
    let conventions = Conventions::default();
    let budget = budget(Limits::default());
    let now = Timestamp(START);
    ask(&Target { snapshot, conventions: &conventions, range, now, budget: &budget })
}

pub(super) fn range() -> impl Strategy<Value = TimeRange> {
    let point = || event_time().prop_map(Timestamp);
    prop_oneof![
        2 => Just(TimeRange::ALL),
        1 => (point(), point()).prop_map(|(a, b)| TimeRange { start: a.min(b), end: a.max(b) }),
    ]
}

fn words() -> impl Strategy<Value = Phrase> {
    let phrases = [
        "alpha",
        "ALPHA beta",
        "beta",
        "power",
        "PowerShell",
        "powershell.exe",
        "4624",
        "12",
        "grüße",
        "strasse",
        "ſhell",
        "shell",
        "kelvin",
        ".exe",
        "-",
        "null",
        "i̇stanbul",
        "true",
        "system32\\powershell",
        "0.5",
        "-3",
        "system32 powershell",
        LONG,
        &LONG[..64],
        &LONG[..70],
        "id",
        "e30",
    ];
    let phrases: Vec<String> = phrases.iter().map(|text| (*text).to_owned()).collect();
    select(phrases).prop_map(|text| Phrase::new(text).expect("none is empty"))
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let literals = [
        "alp",
        "shell",
        "Power",
        "462",
        "4",
        "k",
        "grü",
        "s",
        "needle",
        "abcd",
        "System32\\",
        " ",
        "true",
        "e3",
        "\u{212a}",
        "ſ",
        "id-",
        "[",
    ];
    let part = prop_oneof![
        3 => select(literals.to_vec()).prop_map(|text| Part::Literal(text.to_owned())),
        1 => Just(Part::One),
        3 => Just(Part::Run),
    ];
    vec(part, 1..5).prop_filter_map("a wildcard", Pattern::new)
}

fn regex() -> impl Strategy<Value = RegexLiteral> {
    let expressions = [
        "alpha",
        "(?i)ALPHA|shell",
        r"\d+",
        "^$",
        "power(shell)?",
        "needle$",
        r"^\[",
        "(?i)KELVIN",
        r"system\d+.*enc",
        "(beta)+",
        "gr.{1,3}e",
        ".",
    ];
    select(expressions.to_vec())
        .prop_map(|expression| RegexLiteral::new(expression).expect("it compiles"))
}

fn term() -> impl Strategy<Value = Term> {
    prop_oneof![
        3 => words().prop_map(Term::Words),
        2 => pattern().prop_map(Term::Wildcard),
        1 => regex().prop_map(Term::Regex),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    let others = [
        "ERROR",
        "warn",
        "info",
        "notice",
        "2020-01-01",
        "2020-01-02T03:00:00Z",
        "13",
        "9.0",
        "id-1",
        "0",
        "-2.25",
        "9223372036854775807",
        "1e30",
        "m",
        "now",
        "FALSE",
        "00000000-0000-7000-8000-000000000000",
        "123456789012345678901234567890",
    ];
    let texts: Vec<&str> = TEXTS.iter().copied().chain(others).collect();
    select(texts).prop_map(|text| Literal(text.to_owned()))
}

fn bound() -> impl Strategy<Value = Bound<Literal>> {
    prop_oneof![
        literal().prop_map(Bound::Included),
        literal().prop_map(Bound::Excluded),
        Just(Bound::Unbounded),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let comparison = select(vec![
        Comparison::Equal,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ]);
    prop_oneof![
        3 => literal().prop_map(Predicate::Equals),
        2 => words().prop_map(Predicate::Words),
        2 => pattern().prop_map(Predicate::Wildcard),
        1 => regex().prop_map(Predicate::Regex),
        2 => (comparison, literal())
            .prop_map(|(comparison, literal)| Predicate::Compare { comparison, literal }),
        2 => (bound(), bound()).prop_map(|(low, high)| Predicate::Range { low, high }),
        1 => Just(Predicate::Exists),
    ]
}

/// A field's name; `extra` are tried too.
pub(super) fn name(extra: &'static [&'static str]) -> impl Strategy<Value = String> {
    let virtuals = ["_time", "_received", "_severity", "_id", "_seq", "_message", "absent"];
    let names: Vec<&str> =
        KEYS.iter().chain(KEYS).copied().chain(virtuals).chain(extra.iter().copied()).collect();
    select(names).prop_map(str::to_owned)
}

pub(super) fn search_tree(extra: &'static [&'static str]) -> impl Strategy<Value = Search> {
    let leaf = prop_oneof![
        1 => Just(Search::All),
        3 => term().prop_map(Search::Text),
        1 => term().prop_map(Search::EveryField),
        6 => (name(extra), predicate())
            .prop_map(|(name, predicate)| Search::Field { name, predicate }),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Search::and),
            vec(inner.clone(), 2..4).prop_map(Search::or),
            inner.prop_map(Search::negated),
        ]
    })
}

pub(super) fn width() -> impl Strategy<Value = Width> {
    select(vec![1_800, 86_400, 7 * 86_400, 31])
        .prop_map(|seconds| Width::from_seconds(seconds).expect("it is positive"))
}

const MEASURES: &[&str] = &["m0", "m1", "m2"];

fn aggregate() -> impl Strategy<Value = Aggregate> {
    let percent = (0_u32..=100_000).prop_filter_map("a share", Percent::from_thousandths);
    let n = || name(MEASURES);
    prop_oneof![
        2 => Just(Aggregate::Count),
        1 => n().prop_map(Aggregate::CountOf),
        1 => n().prop_map(Aggregate::Sum),
        1 => n().prop_map(Aggregate::Average),
        1 => n().prop_map(Aggregate::Min),
        1 => n().prop_map(Aggregate::Max),
        2 => n().prop_map(Aggregate::Distinct),
        1 => n().prop_map(Aggregate::Values),
        1 => (n(), percent).prop_map(|(field, percent)| Aggregate::Percentile { field, percent }),
    ]
}

fn stats() -> impl Strategy<Value = Pipe> {
    let measures = vec(aggregate(), 1..=MEASURES.len()).prop_map(|aggregates| {
        let named = aggregates.into_iter().zip(MEASURES);
        named.map(|(of, name)| Measure::new(of, Some((*name).to_owned()))).collect::<Vec<_>>()
    });
    let key = prop_oneof![
        4 => name(&[]).prop_map(GroupKey::Field),
        1 => width().prop_map(GroupKey::Time),
    ];
    let keys = vec(key, 0..4).prop_map(|mut keys: Vec<GroupKey>| {
        keys.sort_by(|a, b| a.column().cmp(b.column()));
        keys.dedup_by(|a, b| a.column() == b.column());
        keys
    });
    (measures, keys).prop_map(|(measures, keys)| Pipe::Stats { measures, keys })
}

fn sort_keys() -> impl Strategy<Value = Vec<SortKey>> {
    let direction = select(vec![Direction::Ascending, Direction::Descending]);
    let key =
        (name(MEASURES), direction).prop_map(|(column, direction)| SortKey { column, direction });
    vec(key, 1..3)
}

fn names() -> impl Strategy<Value = Vec<String>> {
    vec(name(MEASURES), 1..4).prop_map(|mut names| {
        names.sort_unstable();
        names.dedup();
        names
    })
}

fn pipe() -> impl Strategy<Value = Pipe> {
    let renaming = (name(MEASURES), select(&["a", "new", "n"][..]));
    prop_oneof![
        3 => stats(),
        2 => sort_keys().prop_map(Pipe::Sort),
        2 => (0_u64..6).prop_map(Pipe::Limit),
        1 => names().prop_map(Pipe::Fields),
        2 => search_tree(MEASURES).prop_map(Pipe::Where),
        1 => renaming.prop_map(|(source, target)| {
            Pipe::Rename(vec![Renaming { source, target: target.to_owned() }])
        }),
        1 => names().prop_map(Pipe::Uniq),
    ]
}

pub(super) fn query() -> impl Strategy<Value = Query> {
    let search = prop_oneof![1 => Just(Search::All), 1 => search_tree(&[])];
    (search, vec(pipe(), 0..4)).prop_map(|(search, pipes)| Query { search, pipes })
}
