//! Scenarios as they are written.

use serde::Deserialize;
use serde_json::{Map, Value};

/// What some requests, one after the other, are answered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// What it shows, for people.
    #[serde(rename = "scenario")]
    _about: String,
    /// What its steps may name.
    #[serde(default, rename = "let")]
    pub(super) variables: Map<String, Value>,
    pub(super) steps: Vec<Step>,
}

/// One request, or the same request by several roles and with several values.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) name: String,
    #[serde(default)]
    pub(super) method: String,
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) headers: Value,
    pub(super) json: Option<Value>,
    pub(super) body: Option<String>,
    /// The name of the WebSocket that is asked for.
    pub(super) websocket: Option<String>,
    /// The name of the WebSocket whose next message is expected, instead of a request.
    pub(super) next: Option<String>,
    #[serde(default)]
    pub(super) repeat: bool,
    #[serde(rename = "as")]
    role: Option<String>,
    expect: Option<Value>,
    #[serde(default)]
    by: Map<String, Value>,
    #[serde(default)]
    cases: Vec<Map<String, Value>>,
}

/// Reads a scenario.
pub(super) fn read(text: &str) -> Result<Scenario, String> {
    let scenario: Scenario = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    for step in &scenario.steps {
        step.check().map_err(|why| format!("{}: {why}", step.name))?;
    }
    Ok(scenario)
}

impl Step {
    fn check(&self) -> Result<(), &'static str> {
        let is_request = !self.method.is_empty() && !self.path.is_empty();
        if self.next.is_some() {
            let is_alone = self.method.is_empty() && self.path.is_empty();
            let is_expected = self.role.is_none() && self.expect.is_some() && self.by.is_empty();
            let is_good = is_alone && is_expected;
            return if is_good { Ok(()) } else { Err("with `next` there is only `expect`") };
        }
        if !is_request {
            return Err("a step has a `method` and a `path`, or `next`");
        }
        let is_by_one = self.role.is_some() && self.expect.is_some() && self.by.is_empty();
        let is_by_many = self.role.is_none() && self.expect.is_none() && !self.by.is_empty();
        let is_good = is_by_one || is_by_many;
        if is_good { Ok(()) } else { Err("a step has `as` and `expect`, or `by`") }
    }

    /// Who asks, and what is expected then.
    pub(super) fn by(&self) -> Vec<(String, Value)> {
        match (&self.role, &self.expect) {
            (role, Some(expected)) => vec![(role.clone().unwrap_or_default(), expected.clone())],
            _ => self.by.iter().map(|(role, expected)| (role.clone(), expected.clone())).collect(),
        }
    }

    /// The variables of each case; one case without any where nothing is said.
    pub(super) fn cases(&self) -> Vec<Map<String, Value>> {
        if self.cases.is_empty() { vec![Map::new()] } else { self.cases.clone() }
    }
}

#[test]
fn a_step_that_cannot_be_meant_is_refused() {
    let scenario = |step: &str| {
        read(&format!("scenario: s\nsteps:\n  - {{name: n, method: GET, path: /, {step}}}\n"))
    };
    assert!(scenario("as: admin, expect: 200").is_ok());
    assert!(scenario("by: {admin: 200}").is_ok());
    for bad in ["as: admin", "expect: 200", "as: a, expect: 200, by: {b: 200}", "as: a, exp: 1"] {
        assert!(scenario(bad).is_err(), "{bad}");
    }
    let next = |step: &str| read(&format!("scenario: s\nsteps:\n  - {{name: n, {step}}}\n"));
    assert!(next("next: s, expect: {}").is_ok());
    for bad in ["next: s", "next: s, as: admin, expect: {}", "next: s, path: /, expect: {}"] {
        assert!(next(bad).is_err(), "{bad}");
    }
}
