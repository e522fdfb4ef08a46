//! What is wrong with a body: every fault has a stable code, the place in the JSON, and a sentence.

use std::fmt;

/// How many faults of one body are named.
pub const FAULTS_MAX: usize = 20;

/// The stable names of faults.
pub mod code {
    /// The body is no JSON.
    pub const INVALID_JSON: &str = "invalid_json";
    /// The body is JSON, and no object.
    pub const NOT_AN_OBJECT: &str = "not_an_object";
    /// An object has the same key twice.
    pub const DUPLICATE_KEY: &str = "duplicate_key";
    /// Two keys are the same once nested ones are written with dots.
    pub const AMBIGUOUS_KEY: &str = "ambiguous_key";
    /// An object has a member that it cannot have.
    pub const UNKNOWN_FIELD: &str = "unknown_field";
    /// A member that must be there is not.
    pub const MISSING: &str = "missing";
    /// A member has a value of another type than it must have.
    pub const WRONG_TYPE: &str = "wrong_type";
    /// A text is empty that must not be.
    pub const EMPTY: &str = "empty";
    /// A text is too long.
    pub const TOO_LONG: &str = "too_long";
    /// A JSON value, or the whole body, has too many bytes.
    pub const TOO_LARGE: &str = "too_large";
    /// A JSON value is nested too deep.
    pub const TOO_DEEP: &str = "too_deep";
    /// A list or an object has too many members.
    pub const TOO_MANY: &str = "too_many";
    /// A text has characters that it must not have.
    pub const BAD_CHARACTERS: &str = "bad_characters";
    /// A value is none of those that are allowed.
    pub const BAD_VALUE: &str = "bad_value";
    /// A text is no time with an offset (RFC 3339).
    pub const BAD_TIME: &str = "bad_time";
    /// A time lies before 1677 or after 2262.
    pub const TIME_OUT_OF_RANGE: &str = "time_out_of_range";
    /// A text is no IP address.
    pub const BAD_IP: &str = "bad_ip";
    /// A member of an event that can never change.
    pub const FIELD_FIXED: &str = "field_fixed";
    /// An amendment that changes nothing.
    pub const NOTHING_TO_AMEND: &str = "nothing_to_amend";
    /// An amendment of another event.
    pub const OTHER_EVENT: &str = "other_event";
    /// A reason that names the person who is to be forgotten.
    pub const PERSONAL_DATA: &str = "personal_data";
    /// An action that no schema is registered for.
    pub const ACTION_UNKNOWN: &str = "action_unknown";
    /// A payload does not follow its schema.
    pub const SCHEMA_MISMATCH: &str = "schema_mismatch";
    /// A JSON schema cannot be used.
    pub const BAD_SCHEMA: &str = "bad_schema";
    /// A JSON schema refers to itself, or its references multiply.
    pub const SCHEMA_TOO_COMPLEX: &str = "schema_too_complex";
    /// A regular expression cannot be used.
    pub const BAD_PATTERN: &str = "bad_pattern";
    /// A retention is shorter than the law or the contract that it is bound to.
    pub const RETENTION_TOO_SHORT: &str = "retention_too_short";
}

/// One fault of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The stable name of the fault, one of [`code`].
    pub code: &'static str,
    /// Where it is, as a JSON Pointer (RFC 6901) into what was sent.
    pub pointer: String,
    /// What is wrong, in words.
    pub detail: String,
}

/// Why a body is not taken: all that is wrong with it, up to [`FAULTS_MAX`] faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    faults: Vec<Invalid>,
}

impl Refusal {
    /// A refusal for one reason.
    pub(crate) fn one(
        code: &'static str,
        pointer: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self { faults: vec![Invalid { code, pointer: pointer.into(), detail: detail.into() }] }
    }

    /// The faults, at least one.
    #[must_use]
    pub fn faults(&self) -> &[Invalid] {
        &self.faults
    }

    /// The faults, at least one.
    #[must_use]
    pub fn into_faults(self) -> Vec<Invalid> {
        self.faults
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, others @ ..] = &self.faults[..] else { return f.write_str("no fault") };
        if first.pointer.is_empty() {
            write!(f, "{} ({})", first.detail, first.code)?;
        } else {
            write!(f, "{}: {} ({})", first.pointer, first.detail, first.code)?;
        }
        match others.len() {
            0 => Ok(()),
            1 => f.write_str(", and one more fault"),
            count => write!(f, ", and {count} more faults"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Collects the faults of one body.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    faults: Vec<Invalid>,
}

impl Faults {
    pub(crate) fn push(
        &mut self,
        code: &'static str,
        pointer: impl Into<String>,
        detail: impl Into<String>,
    ) {
        self.extend([Invalid { code, pointer: pointer.into(), detail: detail.into() }]);
    }

    pub(crate) fn extend(&mut self, faults: impl IntoIterator<Item = Invalid>) {
        let room = FAULTS_MAX - self.faults.len();
        self.faults.extend(faults.into_iter().take(room));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// The value, if there is one and nothing is wrong.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Refusal> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(self.refusal()),
        }
    }

    fn refusal(self) -> Refusal {
        debug_assert!(!self.faults.is_empty(), "what is refused has a fault");
        Refusal { faults: self.faults }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reads_as_a_sentence() {
        let one = Refusal::one(code::MISSING, "/action", "`action` is missing");
        assert_eq!(one.to_string(), "/action: `action` is missing (missing)");
        assert_eq!(one.faults().len(), 1);
        let whole = Refusal::one(code::NOT_AN_OBJECT, "", "an event is a JSON object");
        assert_eq!(whole.to_string(), "an event is a JSON object (not_an_object)");
        let mut faults = Faults::default();
        assert!(faults.is_empty());
        faults.extend(whole.clone().into_faults());
        faults.push(code::EMPTY, "/a", "empty");
        assert!(!faults.is_empty());
        let two = faults.finish(Some(1)).expect_err("two faults");
        assert!(two.to_string().ends_with("(not_an_object), and one more fault"), "{two}");
    }

    #[test]
    fn no_more_faults_are_kept_than_are_named() {
        let mut faults = Faults::default();
        for number in 0..30 {
            faults.push(code::EMPTY, format!("/{number}"), "empty");
        }
        let refusal = faults.finish::<()>(None).expect_err("faults");
        assert_eq!(refusal.faults().len(), FAULTS_MAX);
        assert_eq!(refusal.faults()[19].pointer, "/19");
        assert!(refusal.to_string().ends_with("and 19 more faults"));
    }

    #[test]
    fn a_value_without_faults_is_the_answer() {
        assert_eq!(Faults::default().finish(Some(7)), Ok(7));
    }
}
