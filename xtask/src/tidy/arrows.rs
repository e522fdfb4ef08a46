//! The arrows in `ARCHITECTURE.md` against those in the manifests.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

const PREFIX: &str = "ledgerline-";
/// Members of the workspace that are no rooms: they may know any room.
const BESIDE_THE_ROOMS: [&str; 2] = ["ledgerline-bench", "xtask"];

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Compares the two. Dependencies of tests do not count: a test may look at any room.
///
/// # Errors
/// When the block or the metadata cannot be read.
pub(super) fn check(architecture: &str, metadata: &Value) -> Result<Vec<String>> {
    let (drawn, real) = (drawn(architecture)?, real(metadata)?);
    let rooms: BTreeSet<&String> = drawn.keys().chain(real.keys()).collect();
    let mut findings = Vec::new();
    for room in rooms {
        match (drawn.contains_key(room), real.contains_key(room)) {
            (true, false) => findings.push(format!("ARCHITECTURE.md: there is no room {room}")),
            (false, true) => findings.push(format!("ARCHITECTURE.md: the room {room} is missing")),
            _ => {}
        }
        let of = |arrows: &Arrows| arrows.get(room).cloned().unwrap_or_default();
        let (drawn, real) = (of(&drawn), of(&real));
        findings.extend(real.difference(&drawn).map(|to| {
            format!("crates/{room}/Cargo.toml: the arrow {room} -> {to} is not in ARCHITECTURE.md")
        }));
        findings.extend(
            drawn.difference(&real).map(|to| {
                format!("ARCHITECTURE.md: the arrow {room} -> {to} is not in the manifest")
            }),
        );
    }
    Ok(findings)
}

/// The block of lines `room -> room room …` between ```` ```arrows ```` and ```` ``` ````.
fn drawn(architecture: &str) -> Result<Arrows> {
    let block = super::map::block(architecture, "arrows")
        .context("ARCHITECTURE.md has no block of arrows")?;
    let mut arrows = Arrows::new();
    for line in block.lines().filter(|line| !line.trim().is_empty()) {
        let (room, to) = line.split_once("->").with_context(|| format!("no arrow in {line:?}"))?;
        let room = room.trim().to_owned();
        if arrows.insert(room.clone(), to.split_whitespace().map(str::to_owned).collect()).is_some()
        {
            bail!("ARCHITECTURE.md draws the arrows of {room} twice");
        }
    }
    Ok(arrows)
}

fn real(metadata: &Value) -> Result<Arrows> {
    let packages = metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let mut arrows = Arrows::new();
    for package in packages {
        let name = package["name"].as_str().context("a package has no name")?;
        if BESIDE_THE_ROOMS.contains(&name) {
            continue;
        }
        let Some(room) = name.strip_prefix(PREFIX) else {
            bail!("the package {name} is neither a room nor known to be none");
        };
        let dependencies = package["dependencies"].as_array().context("no dependencies")?;
        let of_tests = |dependency: &&Value| dependency["kind"] == "dev";
        let names = dependencies.iter().filter(|dependency| !of_tests(dependency));
        let rooms =
            names.filter_map(|dependency| dependency["name"].as_str()?.strip_prefix(PREFIX));
        arrows.insert(room.to_owned(), rooms.map(str::to_owned).collect());
    }
    Ok(arrows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata() -> Value {
        json!({ "packages": [
            { "name": "ledgerline-model", "dependencies": [{ "name": "serde", "kind": null }] },
            { "name": "ledgerline-store", "dependencies": [
                { "name": "ledgerline-model", "kind": null },
                { "name": "ledgerline-world", "kind": "dev" },
            ] },
            { "name": "xtask", "dependencies": [{ "name": "ledgerline-model", "kind": null }] },
        ] })
    }

    fn findings(arrows: &str) -> Vec<String> {
        check(&format!("text\n```arrows\n{arrows}\n```\nmore"), &metadata()).expect("readable")
    }

    #[test]
    fn equal_arrows_are_no_finding() {
        assert_eq!(findings("model ->\nstore -> model"), Vec::<String>::new());
    }

    #[test]
    fn a_difference_is_found_on_either_side() {
        assert_eq!(
            findings("model ->\nstore ->"),
            ["crates/store/Cargo.toml: the arrow store -> model is not in ARCHITECTURE.md"]
        );
        assert_eq!(
            findings("model -> store\nstore -> model"),
            ["ARCHITECTURE.md: the arrow model -> store is not in the manifest"]
        );
        assert_eq!(
            findings("model ->\nstore -> model\nattic ->"),
            ["ARCHITECTURE.md: there is no room attic"]
        );
        assert_eq!(findings("store -> model"), ["ARCHITECTURE.md: the room model is missing"]);
    }

    #[test]
    fn a_block_that_cannot_be_read_is_an_error() {
        for text in ["no block", "```arrows\nmodel\n```", "```arrows\na ->\na ->\n```"] {
            assert!(check(text, &metadata()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_package_of_no_known_kind_is_an_error() {
        let metadata = json!({ "packages": [{ "name": "utils", "dependencies": [] }] });
        assert!(check("```arrows\n```", &metadata).is_err());
    }
}
