//! The map in `ARCHITECTURE.md` against the folders and files that there are.

/// The lines between ```` ```name ```` and ```` ``` ````.
pub(super) fn block<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("```{name}\n"))?;
    if rest.starts_with("```") {
        return Some("");
    }
    rest.split_once("\n```").map(|(block, _)| block)
}

/// Each line of the block `map` starts with a path below the top of the repository, which must
/// exist.
pub(super) fn check(architecture: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let Some(map) = block(architecture, "map") else {
        return vec!["ARCHITECTURE.md: there is no block with the map".to_owned()];
    };
    let paths = map.lines().filter_map(|line| line.split_whitespace().next());
    paths
        .filter(|path| !exists(path))
        .map(|path| format!("ARCHITECTURE.md: the map names {path}, which does not exist"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_the_map_must_exist() {
        let text = "x\n```map\ncrates/model/  the nouns\ncrates/attic/  dust\n\n```\n";
        let findings = check(text, |path| path == "crates/model/");
        assert_eq!(
            findings,
            ["ARCHITECTURE.md: the map names crates/attic/, which does not exist"]
        );
        assert_eq!(check("no map", |_| true).len(), 1);
    }

    #[test]
    fn blocks_are_found_by_name() {
        let text = "```sh\nls\n```\n```map\na\nb\n```\n```none\n```\n";
        assert_eq!(block(text, "map"), Some("a\nb"));
        assert_eq!(block(text, "none"), Some(""));
        assert_eq!(block(text, "absent"), None);
    }
}
