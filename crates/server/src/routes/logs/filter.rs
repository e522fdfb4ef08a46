//! The parameters of `/api/v1/logs`: which events are meant.

use ledgerline_api::code::Code;
use ledgerline_api::problem::Fault;
use ledgerline_audit::event::{Outcome, Severity};
use ledgerline_model::time::TimeRange;
use ledgerline_query::lang::ast::Predicate;
use ledgerline_query::lang::pattern::{Part, Pattern};
use ledgerline_query::lang::{self, Search};

use crate::app::App;
use crate::error::{Failure, Result};
use crate::lookup::equals;
use crate::when;

/// The dataset of audit events, where a request names none.
pub(crate) const DATASET: &str = "audit";

/// The parameters that filter by one field, and the field.
const FIELDS: [(&str, &str); 13] = [
    ("action", "action"),
    ("actor", "actor.id"),
    ("actor_name", "actor.name"),
    ("actor_type", "actor.type"),
    ("ip", "ip"),
    ("location", "location"),
    ("outcome", "outcome"),
    ("request_id", "request_id"),
    ("resource_id", "resource.id"),
    ("resource_type", "resource.type"),
    ("session", "actor.session"),
    ("severity", "severity"),
    ("user_agent", "user_agent"),
];
/// The others that say which events are meant.
const OTHERS: [&str; 4] = ["dataset", "from", "to", "q"];
const METADATA: &str = "metadata.";

/// Which events are meant.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) dataset: String,
    pub(crate) search: Search,
    pub(crate) range: TimeRange,
    /// As they were written, for cursors and records.
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

/// Parameters, as they were written, in their order.
pub(crate) type Parameters = Vec<(String, String)>;

/// The one value of a parameter, if it is there.
///
/// # Errors
/// `invalid_request` when it is there twice.
pub(crate) fn single<'a>(parameters: &'a Parameters, name: &str) -> Result<Option<&'a str>> {
    let mut all = parameters.iter().filter(|(other, _)| other == name).map(|(_, value)| &**value);
    match (all.next(), all.next()) {
        (_, Some(_)) => Err(refused(name, format!("the parameter {name} is there twice"))),
        (first, None) => Ok(first),
    }
}

/// A truth value of a parameter; false when it is not there.
pub(crate) fn flag(parameters: &Parameters, name: &str) -> Result<bool> {
    match single(parameters, name)? {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1" | "") => Ok(true),
        Some(_) => Err(refused(name, format!("{name} is true or false"))),
    }
}

/// A whole number of a parameter.
pub(crate) fn number(
    parameters: &Parameters,
    name: &str,
    (usual, allowed): (usize, std::ops::RangeInclusive<usize>),
) -> Result<usize> {
    let Some(text) = single(parameters, name)? else { return Ok(usual) };
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    number.ok_or_else(|| {
        refused(name, format!("{name} is a number from {} to {}", allowed.start(), allowed.end()))
    })
}

/// A refusal of a parameter.
pub(crate) fn refused(parameter: &str, detail: String) -> Failure {
    let fault = Fault {
        pointer: Some(format!("/{parameter}")),
        code: "invalid".to_owned(),
        detail: detail.clone(),
        ..Fault::default()
    };
    Failure::new(Code::InvalidRequest, detail).with_faults(vec![fault])
}

impl Filter {
    /// Reads the parameters; `more` are those that the path takes besides.
    ///
    /// # Errors
    /// `invalid_request` for a parameter that is unknown or has a value that cannot be meant, and
    /// the query's for `q`.
    pub(crate) fn read(app: &App, parameters: &Parameters, more: &[&str]) -> Result<Self> {
        // What is no event of its own, such as an amendment, has no action.
        let mut members = vec![exists("action")];
        for (name, _) in parameters {
            check_known(name, more)?;
        }
        for (name, field) in FIELDS {
            members.extend(any_of(parameters, name, field)?);
        }
        let mut seen: Vec<&str> = Vec::new();
        for (name, _) in parameters.iter().filter(|(name, _)| name.starts_with(METADATA)) {
            if !seen.contains(&name.as_str()) {
                seen.push(name);
                members.extend(any_of(parameters, name, name)?);
            }
        }
        if let Some(text) = single(parameters, "q")? {
            let search = lang::parse_search(text);
            members.push(everywhere(search.map_err(|error| Failure::of_query(&error, text))?));
        }
        let (from, to) = (single(parameters, "from")?, single(parameters, "to")?);
        Ok(Self {
            dataset: single(parameters, "dataset")?.unwrap_or(DATASET).to_owned(),
            search: Search::and(members),
            range: when::range(from, to, app.clock.now())?,
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        })
    }

    /// Whether nothing but the dataset and the time was said.
    pub(crate) fn is_plain(&self) -> bool {
        self.search == exists("action")
    }
}

fn check_known(name: &str, more: &[&str]) -> Result<()> {
    let known = FIELDS.iter().map(|(name, _)| *name).chain(OTHERS).chain(more.iter().copied());
    let is_metadata = name.strip_prefix(METADATA).is_some_and(|key| !key.is_empty());
    if is_metadata || known.clone().any(|known| known == name) {
        return Ok(());
    }
    let mut failure = refused(name, format!("there is no parameter {name} here"));
    let names: Vec<&str> = known.collect();
    failure.problem.hint = Some(format!("parameters are metadata.KEY and {}", names.join(", ")));
    Err(failure)
}

fn exists(field: &str) -> Search {
    Search::Field { name: field.to_owned(), predicate: Predicate::Exists }
}

/// A field that has one of the parameter's values; nothing when the parameter is not there.
fn any_of(parameters: &Parameters, name: &str, field: &str) -> Result<Option<Search>> {
    let mut any = Vec::new();
    for (_, value) in parameters.iter().filter(|(other, _)| other == name) {
        check_value(name, value)?;
        any.push(one(field, value));
    }
    Ok(if any.is_empty() { None } else { Some(Search::or(any)) })
}

fn check_value(name: &str, value: &str) -> Result<()> {
    let (is_known, known): (bool, Vec<&str>) = match name {
        "severity" => (
            Severity::from_text(value).is_some(),
            Severity::ALL.into_iter().map(Severity::as_str).collect(),
        ),
        "outcome" => (
            Outcome::from_text(value).is_some(),
            Outcome::ALL.into_iter().map(Outcome::as_str).collect(),
        ),
        _ => (!value.is_empty(), Vec::new()),
    };
    if is_known {
        return Ok(());
    }
    let detail = match known.as_slice() {
        [] => format!("{name} has no value"),
        known => format!("{name} is one of {}", known.join(", ")),
    };
    Err(refused(name, detail))
}

/// `*` in a value stands for anything; alone, for any value.
fn one(field: &str, value: &str) -> Search {
    if value == "*" {
        return exists(field);
    }
    let mut parts = Vec::new();
    for (index, text) in value.split('*').enumerate() {
        if index > 0 {
            parts.push(Part::Run);
        }
        parts.push(Part::Literal(text.to_owned()));
    }
    match Pattern::new(parts) {
        Some(pattern) => {
            Search::Field { name: field.to_owned(), predicate: Predicate::Wildcard(pattern) }
        }
        None => equals(field, value),
    }
}

/// Words without a field are looked for in every field, not in the message alone.
fn everywhere(search: Search) -> Search {
    match search {
        Search::Text(term) => Search::EveryField(term),
        Search::And(members) => Search::and(members.into_iter().map(everywhere).collect()),
        Search::Or(members) => Search::or(members.into_iter().map(everywhere).collect()),
        Search::Not(inner) => everywhere(*inner).negated(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn values_of_one_parameter_are_alternatives() {
        let check = |pairs: &[(&str, &str)], name, field, text: &str| {
            let search = any_of(&parameters(pairs), name, field).expect("it can be meant");
            assert_eq!(search.map(|search| search.to_string()).unwrap_or_default(), text);
        };
        check(&[("actor", "u1")], "actor", "actor.id", "actor.id:u1");
        let two = [("actor", "u1"), ("ip", "::1"), ("actor", "u 2")];
        check(&two, "actor", "actor.id", "actor.id:u1 OR actor.id:\"u 2\"");
        check(&[("action", "document.*")], "action", "action", "action:document.*");
        check(&[("action", "*")], "action", "action", "action:*");
        check(&[], "action", "action", "");
        for bad in [("severity", "loud"), ("outcome", "maybe"), ("actor", "")] {
            assert!(any_of(&parameters(&[bad]), bad.0, bad.0).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn words_are_looked_for_in_every_field() {
        let search = lang::parse_search("alice -(bob OR actor.id:x)").expect("a query");
        assert_eq!(everywhere(search).to_string(), "*:alice -(*:bob OR actor.id:x)");
    }

    #[test]
    fn a_parameter_that_is_unknown_or_twice_there_is_refused() {
        assert!(check_known("metadata.tier", &[]).is_ok());
        assert!(check_known("limit", &["limit"]).is_ok());
        for unknown in ["limit", "actr", "metadata.", ""] {
            let refusal = check_known(unknown, &[]).expect_err("it is unknown");
            assert!(refusal.problem.hint.is_some_and(|hint| hint.contains("resource_type")));
        }
        let twice = parameters(&[("from", "a"), ("from", "b")]);
        assert!(single(&twice, "from").is_err());
        assert_eq!(single(&twice, "to").ok().flatten(), None);
        assert_eq!(number(&parameters(&[("limit", "5")]), "limit", (1, 1..=9)).ok(), Some(5));
        assert!(number(&parameters(&[("limit", "10")]), "limit", (1, 1..=9)).is_err());
        assert!(flag(&parameters(&[("proof", "yes")]), "proof").is_err());
    }
}
