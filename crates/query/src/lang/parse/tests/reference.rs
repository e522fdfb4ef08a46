//! The reference page says what is true: every example in the first column of its tables is read.

use ledgerline_model::time::Timestamp;

use super::*;
use crate::lang::time;

const PAGE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/search-language.md"));

/// The examples in the first column of the tables under a heading, a list for each table.
fn tables(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).expect("the section exists");
    let section = section.split("\n## ").next().expect("a text has a first part");
    let blocks = section.split("\n\n").filter(|block| block.trim_start().starts_with('|'));
    blocks.map(|block| block.lines().skip(2).flat_map(examples).collect()).collect()
}

/// What stands in backquotes in the first cell of a row.
fn examples(row: &'static str) -> impl Iterator<Item = &'static str> {
    let cell = row.split(" | ").next().expect("a text has a first part");
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn searches_are_read() {
    let tables = tables("Search");
    assert!(tables[0].len() > 15);
    for example in &tables[0] {
        parse_search(example).unwrap_or_else(|error| panic!("{example}: {error}"));
    }
}

#[test]
fn times_are_read() {
    let tables = tables("Times");
    assert!(tables[0].len() > 10);
    for example in &tables[0] {
        assert!(time::range(example, Timestamp(0)).is_some(), "{example}");
    }
}

#[test]
fn pipes_and_functions_are_read() {
    let tables = tables("Pipes");
    assert!(tables[0].len() > 7 && tables[1].len() > 10);
    let pipes = tables[0].iter().map(|example| format!("* | {example}"));
    let functions = tables[1].iter().map(|example| format!("* | stats {example}"));
    for query in pipes.chain(functions) {
        parse(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
    }
}

#[test]
fn the_first_examples_are_read() {
    let block = PAGE.split("```").nth(1).expect("a block of code");
    let queries: Vec<&str> = block.lines().skip(1).filter(|line| !line.is_empty()).collect();
    assert_eq!(queries.len(), 2);
    for query in queries {
        parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    }
}
