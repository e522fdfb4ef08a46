//! The OpenAPI document is the one that is checked in.

use std::path::Path;

#[test]
fn the_document_is_the_one_that_is_checked_in() {
    let made = ledgerline_server::document().expect("the document is JSON") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &made).expect("the document is written");
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(made == checked_in, "run the tests with UPDATE_OPENAPI=1 and look at the difference");
}

#[test]
fn the_document_says_what_the_pages_lean_on() {
    let text = ledgerline_server::document().expect("the document is JSON");
    let document: serde_json::Value = serde_json::from_str(&text).expect("the document is JSON");
    assert_eq!(document["openapi"], "3.1.0");
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let id = operation["operationId"].as_str().unwrap_or_default();
            assert!(!id.is_empty(), "{method} {path} has no id");
            assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{id}");
        }
    }
}

#[test]
fn the_document_has_every_answer_of_the_table_of_credentials() {
    let text = ledgerline_server::document().expect("the document is JSON");
    let document: serde_json::Value = serde_json::from_str(&text).expect("the document is JSON");
    let paths = document["paths"].as_object().expect("paths");
    let all = paths.values().flat_map(|item| item.as_object().expect("operations").values());
    let table = include_str!("matrix.txt");
    for operation in all {
        let id = operation["operationId"].as_str().expect("an id");
        let responses = &operation["responses"];
        assert!(responses["default"].is_null(), "{id} says no more than that it may fail");
        let row = table.lines().find(|line| line.split_whitespace().next() == Some(id));
        for status in row.expect("a row").split_whitespace().skip(1) {
            assert!(!responses[status].is_null(), "{id} does not have {status}");
        }
    }
}

#[test]
fn the_document_has_an_example_of_every_code() {
    let text = ledgerline_server::document().expect("the document is JSON");
    let document: serde_json::Value = serde_json::from_str(&text).expect("the document is JSON");
    for code in ledgerline_api::code::Code::ALL {
        let example = &document["components"]["examples"][code.as_str()]["value"];
        assert_eq!(example["status"], code.status(), "{}", code.as_str());
    }
}
