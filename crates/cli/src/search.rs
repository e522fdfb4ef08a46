//! `ledgerline search`: events as lines, JSON or CSV; with pipes, a table.

pub(crate) mod line;
mod pages;
mod problem;
mod table;
mod text;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::connection::Connection;
use crate::failure::{DONE, Failure, Outcome};
use crate::output::{self, Output};
use crate::printable::printable_json;
use crate::search::pages::Stats;
use crate::search::table::Table;
use crate::size;

pub(crate) use pages::{Found, Pages};
pub(crate) use problem::ask;

const EXAMPLES: &str = "\
Examples:
  ledgerline search --dataset web 'status:>=500 \"connection reset\"' --from -1h
  ledgerline search --dataset web '* | stats count() as n by service | sort -n | limit 10'
  ledgerline search --dataset audit 'eventName:ConsoleLogin' --output json --limit 1000 | jq .

Results are on standard output; what was scanned, and whether the answer is complete, on standard
error. Lines have control characters written as escapes; JSON and CSV keep every value.

Exit code: 0 when the query was answered, even with nothing found; 1 when it was not.";

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Style {
    /// For people: a line an event; a table, with pipes.
    Lines,
    /// A JSON object a line.
    Json,
    /// RFC 4180, with a line of names.
    Csv,
}

/// Search events, or analyse them with pipes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// The dataset to search.
    #[arg(long)]
    dataset: String,
    /// Only events from this time on: RFC 3339, or relative such as -15m, -24h, -7d.
    #[arg(long, allow_hyphen_values = true)]
    from: Option<String>,
    /// Only events before this time.
    #[arg(long, allow_hyphen_values = true)]
    to: Option<String>,
    /// How many events at most; all, when 0.
    #[arg(long, default_value_t = 100)]
    limit: u64,
    /// Oldest first; else newest first.
    #[arg(long)]
    oldest: bool,
    /// Only these fields, with commas between them.
    #[arg(long, value_delimiter = ',')]
    fields: Vec<String>,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "lines")]
    output: Style,
    /// The query; * finds everything. Quote it for the shell.
    #[arg(allow_hyphen_values = true)]
    query: String,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let client = arguments.connection.client()?;
    let mut output = Output::open();
    let stats = match text::has_pipes(&arguments.query) {
        true => analyse(&client, arguments, &mut output)?,
        false => search(&client, arguments, &mut output)?,
    };
    output.flush()?;
    if let Some(line) = stats_line(stats) {
        output::note(line);
    }
    Ok(DONE)
}

fn analyse(client: &Client, arguments: &Arguments, output: &mut Output) -> Result<Stats, Failure> {
    let question = Value::Object(question(arguments));
    let table: Table = ask(client, "/api/v1/analytics/query", &question, &arguments.query)?;
    match arguments.output {
        Style::Lines => table.write_aligned(output)?,
        Style::Json => table.write_json(output)?,
        Style::Csv => table.write_csv(output)?,
    }
    Ok(table.stats())
}

fn search(client: &Client, arguments: &Arguments, output: &mut Output) -> Result<Stats, Failure> {
    let mut question = question(arguments);
    question.insert("order".into(), json!(if arguments.oldest { "oldest" } else { "newest" }));
    if !arguments.fields.is_empty() {
        question.insert("fields".into(), json!(arguments.fields));
    }
    let limit = (arguments.limit > 0).then_some(arguments.limit);
    let mut pages = Pages::new(client, question, limit, &arguments.query);
    let line = line::Line::new(output.palette(), &arguments.fields);
    let mut kept = Vec::new();
    while let Some(events) = pages.next()? {
        match arguments.output {
            Style::Lines => {
                events.iter().try_for_each(|event| output.line(line.text(&event.value())))?;
            }
            Style::Json => {
                events.iter().try_for_each(|event| output.line(printable_json(event.text())))?;
            }
            Style::Csv => kept.extend(events.iter().map(Found::value)),
        }
        // What is found is shown before more is looked for.
        output.flush()?;
    }
    if arguments.output == Style::Csv {
        Table::of_events(&kept, &arguments.fields, pages.stats()).write_csv(output)?;
    }
    Ok(pages.stats())
}

fn question(arguments: &Arguments) -> Map<String, Value> {
    let mut question = Map::new();
    question.insert("dataset".into(), json!(arguments.dataset));
    question.insert("query".into(), json!(arguments.query));
    for (name, time) in [("from", &arguments.from), ("to", &arguments.to)] {
        if let Some(time) = time {
            question.insert(name.into(), json!(time));
        }
    }
    question
}

/// What the answer cost; a person sees it always, a script when the answer is not whole.
fn stats_line(stats: Stats) -> Option<String> {
    if stats.complete && !output::notes_are_seen() {
        return None;
    }
    let scanned = size::text(stats.scanned_bytes);
    let warning = if stats.complete { "" } else { "; the answer is NOT complete" };
    Some(format!("{scanned} scanned, {} ms{warning}", stats.elapsed_ms))
}
