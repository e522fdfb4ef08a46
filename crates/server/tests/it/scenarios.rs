//! The scenarios of `spec/scenarios`, run against a server: what the API promises, in a format that
//! client libraries in any language run too. `spec/scenarios/README.md` describes it.

mod cast;
mod document;
mod expect;
mod format;
mod socket;
mod value;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::node::{Answer, Node};
use cast::{Cast, ROLES};
use document::Document;
use format::{Scenario, Step};
use socket::Sockets;

/// How often a step that is to be repeated is tried: a job of a few events is over long before.
const TRIES: usize = 5_000;
/// The endpoints that every role tries.
const ENDPOINTS: [&str; 10] = [
    "create_log",
    "list_logs",
    "get_log",
    "export_logs",
    "log_stats",
    "create_logs",
    "clean_up_logs",
    "stream_logs",
    "list_tenants",
    "create_tenant",
];

/// Which operation was asked by whom.
type Asked = BTreeSet<(String, String)>;

#[test]
fn every_scenario_goes_as_it_is_written() {
    let node = Node::start();
    let document = Document::read();
    let mut asked = Asked::new();
    let mut failures = Vec::new();
    for path in files() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a scenario is text");
        let scenario = format::read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut run = Run::new(&node, &document);
        failures.extend(run.all(&scenario).err().map(|failure| format!("{name}: {failure}")));
        asked.append(&mut run.asked);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    for endpoint in ENDPOINTS {
        for role in ROLES {
            let is_tried = asked.contains(&(endpoint.to_owned(), role.to_owned()));
            assert!(is_tried, "no scenario tries {endpoint} as {role}");
        }
    }
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/scenarios");
    let entries = fs::read_dir(folder).expect("the folder of the scenarios");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect();
    files.sort();
    files
}

/// A scenario that is being run, with tenants of its own.
struct Run<'a> {
    node: &'a Node,
    document: &'a Document,
    cast: Cast,
    variables: Map<String, Value>,
    sockets: Sockets,
    asked: Asked,
}

impl<'a> Run<'a> {
    fn new(node: &'a Node, document: &'a Document) -> Self {
        let cast = Cast::new(node);
        let variables = cast.variables();
        let (sockets, asked) = (Sockets::default(), Asked::new());
        Self { node, document, cast, variables, sockets, asked }
    }

    fn all(&mut self, scenario: &Scenario) -> Result<(), String> {
        self.set(&scenario.variables)?;
        for step in &scenario.steps {
            self.step(step).map_err(|failure| format!("{}: {failure}", step.name))?;
        }
        Ok(())
    }

    /// Takes a step once for each of its cases.
    fn step(&mut self, step: &Step) -> Result<(), String> {
        for (index, case) in step.cases().iter().enumerate() {
            let outer = self.variables.clone();
            self.set(case)?;
            let taken = self.case(step);
            taken.map_err(|failure| format!("case {}: {failure}", index + 1))?;
            // What a case sets is its own; what an answer gave stays.
            for name in case.keys() {
                match outer.get(name) {
                    Some(value) => self.variables.insert(name.clone(), value.clone()),
                    None => self.variables.remove(name),
                };
            }
        }
        Ok(())
    }

    fn case(&mut self, step: &Step) -> Result<(), String> {
        for (role, expected) in step.by() {
            let role = self.text_of(&role)?;
            self.variables.insert("role".to_owned(), Value::String(role.clone()));
            if let Some(name) = &step.next {
                let expected = self.filled(&expected)?;
                let name = self.text_of(name)?;
                let message = self.sockets.next(&name)?;
                expect::message(&expected, &message, &mut self.variables)?;
                continue;
            }
            let expected = self.filled(&expected)?;
            let mut tries = if step.repeat { TRIES } else { 1 };
            loop {
                let answer = self.ask(step, &role)?;
                let mut saved = Map::new();
                let outcome = expect::check(&expected, &answer, &mut saved);
                tries -= 1;
                match outcome {
                    Ok(()) => {
                        self.variables.extend(saved);
                        break;
                    }
                    Err(failure) if tries == 0 => {
                        let body = expect::shortened(&answer.text());
                        return Err(format!("as {role}: {failure}\n  answered {body}"));
                    }
                    Err(_) => {}
                }
            }
        }
        Ok(())
    }

    fn ask(&mut self, step: &Step, role: &str) -> Result<Answer, String> {
        let method = self.text_of(&step.method)?;
        let path = self.text_of(&step.path)?;
        let mut headers = Vec::new();
        let credential = self.cast.credential(role)?;
        if !credential.is_empty() {
            headers.push(("authorization".to_owned(), format!("Bearer {credential}")));
        }
        let more = self.filled(&step.headers)?;
        let more = more.as_object().into_iter().flatten();
        headers.extend(more.map(|(name, value)| (name.to_lowercase(), text(value))));
        let answer = if let Some(name) = &step.websocket {
            let name = self.text_of(name)?;
            self.sockets.open(self.node, (name, &path), &headers)?
        } else {
            let ask = self.node.ask(&method, &path);
            let ask = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
            match (&step.json, &step.body) {
                (Some(json), None) => ask.json(&self.filled(json)?).send(),
                (None, Some(body)) => ask.raw(self.text_of(body)?.into_bytes()).send(),
                (None, None) => ask.send(),
                (Some(_), Some(_)) => return Err("a step has json or body, not both".to_owned()),
            }
        };
        if let Some(operation) = self.document.operation(&method, &path) {
            self.document.knows(operation, &answer)?;
            self.asked.insert((operation.to_owned(), role.to_owned()));
        }
        Ok(answer)
    }

    /// Sets variables, whose values may name those that are there already.
    fn set(&mut self, variables: &Map<String, Value>) -> Result<(), String> {
        let fill = |(name, value): (&String, &Value)| Ok((name.clone(), self.filled(value)?));
        let filled = variables.iter().map(fill).collect::<Result<Vec<_>, String>>()?;
        self.variables.extend(filled);
        Ok(())
    }

    fn text_of(&self, written: &str) -> Result<String, String> {
        Ok(text(&self.filled(&Value::String(written.to_owned()))?))
    }

    fn filled(&self, value: &Value) -> Result<Value, String> {
        value::filled(value, &self.variables)
    }
}

/// A value as part of a path or a header.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
