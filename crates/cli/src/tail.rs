//! `ledgerline tail`: new events, by asking again and again for what came after the last.

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::connection::Connection;
use crate::failure::{DONE, Failure, Outcome};
use crate::output::Output;
use crate::printable::printable_json;
use crate::search::line::Line;
use crate::search::{Found, Pages, Style, ask};
use crate::stop::Stop;

const HELP: &str = "\
Examples:
  ledgerline tail --dataset web
  ledgerline tail --dataset web 'level:error' --output json

The server is asked every --every seconds for events whose number (_seq) is above the last one
seen, so that none is missed or printed twice, however late its own time is. The query has no
pipes. A server that goes away is asked again until it is back; Ctrl-C ends with exit code 0.";

/// Print new events as they come.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// The dataset to watch.
    #[arg(long)]
    dataset: String,
    /// Seconds between questions.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    /// Only these fields, with commas between them.
    #[arg(long, value_delimiter = ',')]
    fields: Vec<String>,
    /// How events are printed; csv is not for tail.
    #[arg(long, value_enum, default_value = "lines")]
    output: Style,
    /// The query.
    #[arg(default_value = "*", allow_hyphen_values = true)]
    query: String,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    if arguments.output == Style::Csv {
        return Err(Failure::new("tail cannot print CSV").hint("use --output json"));
    }
    let client = arguments.connection.client()?;
    let stop = Stop::on_interrupt()?;
    let mut output = Output::open();
    let mut last = last_seq(&client, arguments)?;
    while !stop.wait(Duration::from_secs(arguments.every)) {
        last = print_after(&client, arguments, last, &mut output)?;
    }
    Ok(DONE)
}

/// The highest number that the dataset has; nothing when it is empty.
fn last_seq(client: &Client, arguments: &Arguments) -> Result<Option<u64>, Failure> {
    let query = "* | stats max(_seq)";
    let question = json!({ "dataset": arguments.dataset, "query": query });
    let answer: Value = ask(client, "/api/v1/analytics/query", &question, query)?;
    Ok(answer["rows"][0][0].as_u64())
}

/// Prints what came after `last`, in the order it came, and says what is the last now.
fn print_after(
    client: &Client,
    arguments: &Arguments,
    last: Option<u64>,
    output: &mut Output,
) -> Result<Option<u64>, Failure> {
    let narrowed = narrowed(&arguments.query, last);
    let mut question = Map::new();
    question.insert("dataset".into(), json!(arguments.dataset));
    question.insert("query".into(), json!(narrowed));
    question.insert("order".into(), json!("oldest"));
    if !arguments.fields.is_empty() {
        question.insert("fields".into(), json!(arguments.fields));
    }
    let mut pages = Pages::new(client, question, None, &narrowed);
    let mut events = Vec::new();
    while let Some(page) = pages.next()? {
        events.extend(page);
    }
    events.sort_by_cached_key(Found::seq);
    let line = Line::new(output.palette(), &arguments.fields);
    for event in &events {
        match arguments.output {
            Style::Json => output.line(printable_json(event.text()))?,
            _ => output.line(line.text(&event.value()))?,
        }
    }
    output.flush()?;
    Ok(events.last().and_then(Found::seq).max(last))
}

/// The query, for events above `last` only.
fn narrowed(query: &str, last: Option<u64>) -> String {
    match last {
        Some(last) => format!("({query}) _seq:>{last}"),
        None => query.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_narrowed_as_a_whole() {
        assert_eq!(narrowed("a OR b", Some(7)), "(a OR b) _seq:>7");
        assert_eq!(narrowed("*", None), "*");
    }
}
