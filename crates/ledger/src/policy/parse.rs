//! Policies as text.

use super::{Group, POLICY_BYTES_MAX, Policy, PolicyBuilder};
use crate::error::{Error, Result};
use crate::key::Vkey;
use crate::text;

impl Policy {
    /// The policy as text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut line = |words: &[&[u8]]| {
            bytes.extend_from_slice(&words.join(&b' '));
            bytes.push(b'\n');
        };
        for log in &self.logs {
            let vkey = log.vkey.to_string();
            let mut words = vec![b"log".as_slice(), vkey.as_bytes()];
            words.extend(log.url.as_deref());
            line(&words);
        }
        for witness in &self.witnesses {
            let vkey = witness.vkey.to_string();
            let mut words = vec![b"witness".as_slice(), &witness.name, vkey.as_bytes()];
            words.extend(witness.url.as_deref());
            line(&words);
        }
        for group in &self.groups {
            let threshold = group.threshold.to_string();
            let mut words = vec![b"group".as_slice(), &group.name, threshold.as_bytes()];
            words.extend(group.members.iter().map(Vec::as_slice));
            line(&words);
        }
        line(&[b"quorum", self.quorum.as_deref().unwrap_or(b"none")]);
        bytes
    }

    /// Reads a policy. The newline of the last line may be missing.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Malformed`], with the number of the line.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > POLICY_BYTES_MAX {
            return Err(Error::malformed("a policy of more than 256 KiB"));
        }
        let is_allowed = |byte: &u8| matches!(byte, b'\t' | b'\n' | b' '..=0x7e | 0x80..);
        if !bytes.iter().all(is_allowed) {
            return Err(Error::malformed("a policy with a control character"));
        }
        let mut builder = PolicyBuilder::new();
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let words = line.split(|byte| matches!(byte, b' ' | b'\t'));
            let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
            if words.first().is_some_and(|word| !word.starts_with(b"#")) {
                let place = format_args!("line {} of the policy", at + 1);
                add(&mut builder, &words).map_err(|error| error.about(place))?;
            }
        }
        builder.build()
    }
}

fn add(builder: &mut PolicyBuilder, words: &[&[u8]]) -> Result<()> {
    let url = |words: &[&[u8]]| words.first().map(|url| url.to_vec());
    match words {
        [b"log", vkey, rest @ ..] if rest.len() <= 1 => builder.log(parse_vkey(vkey)?, url(rest)),
        [b"witness", name, vkey, rest @ ..] if rest.len() <= 1 => {
            builder.witness(name.to_vec(), parse_vkey(vkey)?, url(rest))
        }
        [b"group", name, threshold, members @ ..] => {
            let threshold = match *threshold {
                b"all" => members.len(),
                b"any" => 1,
                number => parse_threshold(number)?,
            };
            let members = members.iter().map(|member| member.to_vec()).collect();
            builder.group(Group { name: name.to_vec(), threshold, members })
        }
        [b"quorum", b"none"] => builder.quorum(None),
        [b"quorum", name] => builder.quorum(Some(name.to_vec())),
        _ => Err(Error::malformed("this is no line of a policy")),
    }
}

fn parse_vkey(word: &[u8]) -> Result<Vkey> {
    let text = std::str::from_utf8(word).map_err(|_| Error::malformed("a vkey is UTF-8"))?;
    text.parse()
}

fn parse_threshold(word: &[u8]) -> Result<usize> {
    let text = String::from_utf8_lossy(word);
    Ok(usize::try_from(text::parse_decimal(&text)?).unwrap_or(usize::MAX))
}
