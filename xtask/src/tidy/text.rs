//! One file's text: how long, how wide, and which words.

/// The longest source file, tests and generated code not counted.
const LINES_MAX: usize = 500;
/// The widest line of source.
const COLUMNS_MAX: usize = 100;
/// Marks of work that is not done; each needs the number of an issue, as in `(#12)`.
const MARKS: [&str; 3] = ["TODO", "FIXME", "XXX"];
/// Paths of somebody's own machine.
const OWN_PATHS: [&str; 4] = ["/home/", "/root/", "/Users/", "/work/"];
/// Hosts that addresses in the repository may name: this machine, names reserved for examples
/// (RFC 2606), the name space of SVG, and where a person gets Rust. What is built is found by
/// package managers, by name.
const HOSTS: [&str; 12] = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "{",
    "$",
    ".example.com",
    ".example.org",
    ".example",
    "sh.rustup.rs",
    "rustup.rs",
    "www.apache.org",
    "www.w3.org",
];

/// Checks a file. `path` is below the top of the repository.
pub(super) fn check(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if path.ends_with(".rs") {
        findings.extend(sizes(path, text));
    }
    if is_room(path) && !text.starts_with("//! ") {
        findings.push(format!("{path}: a room opens with `//! ` and what it holds"));
    }
    if !is_exempt(path) {
        findings.extend(words(path, text));
    }
    findings
}

fn is_room(path: &str) -> bool {
    path.starts_with("crates/") && path.ends_with("/src/lib.rs")
}

/// Files that others wrote, or that must name what is forbidden elsewhere.
fn is_exempt(path: &str) -> bool {
    path.ends_with(".lock")
        || path.ends_with("LICENSE")
        || path.contains("testdata/")
        || path.starts_with("xtask/src/tidy")
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

fn sizes(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    // rustfmt leaves texts in quotes as they are, and attributes around them.
    let is_wide = |line: &str| line.chars().count() > COLUMNS_MAX && !line.contains('"');
    let wide = text.lines().enumerate().filter(|(_, line)| is_wide(line));
    findings.extend(wide.map(|(at, _)| format!("{path}:{}: wider than {COLUMNS_MAX}", at + 1)));
    let length = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
    if length > LINES_MAX && !is_test(path) {
        findings.push(format!("{path}: {length} lines are more than {LINES_MAX}"));
    }
    findings
}

fn words(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let place = format!("{path}:{}", at + 1);
        let marks = MARKS.iter().filter(|mark| has_word(line, mark) && !line.contains("(#"));
        findings.extend(marks.map(|mark| format!("{place}: {mark} without an issue's number")));
        let paths = OWN_PATHS.iter().filter(|own| line.contains(*own));
        findings.extend(paths.map(|own| format!("{place}: {own} is a path of one machine")));
        findings.extend(
            foreign_hosts(line).map(|host| format!("{place}: {host} is not a host to name here")),
        );
    }
    findings
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn foreign_hosts(line: &str) -> impl Iterator<Item = &str> {
    let addresses = line.match_indices("://").filter(|(at, _)| line[..*at].ends_with(['p', 's']));
    let hosts = addresses.map(|(at, _)| {
        let rest = &line[at + 3..];
        let is_end = |character: char| {
            character.is_whitespace()
                || matches!(character, '/' | '"' | '\'' | '`' | '<' | '>' | ')')
        };
        &rest[..rest.find(is_end).unwrap_or(rest.len())]
    });
    hosts.filter(|host| !host.is_empty() && !is_allowed(host))
}

fn is_allowed(host: &str) -> bool {
    // The name alone, without who asks before it and the port after it.
    let name = host.rsplit_once('@').map_or(host, |(_, name)| name);
    let name = name.rsplit_once(':').map_or(name, |(name, _)| name);
    let name = name.trim_end_matches([',', '.', ';', '…', '\\']);
    // A name without a dot is nobody's.
    !name.contains('.')
        || HOSTS.iter().any(|allowed| match allowed.strip_prefix('.') {
            Some(end) => name == end || name.ends_with(allowed),
            None if *allowed == "{" || *allowed == "$" => name.starts_with(allowed),
            None => name == *allowed,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_wide_sources_are_found() {
        let long = "//! x\n".repeat(501);
        assert_eq!(check("crates/a/src/b.rs", &long).len(), 1);
        assert_eq!(check("crates/a/src/b/tests.rs", &long).len(), 0);
        assert_eq!(check("crates/a/tests/it/b.rs", &long).len(), 0);
        let tested = format!("{}#[cfg(test)]\n{long}", "//! x\n".repeat(400));
        assert_eq!(check("crates/a/src/b.rs", &tested).len(), 0);
        let wide = format!("//! {}", "ü".repeat(97));
        assert_eq!(check("a.rs", &wide), ["a.rs:1: wider than 100"]);
        assert_eq!(check("a.md", &wide).len(), 0);
        assert_eq!(check("a.rs", &format!("//! \"{}\"", "x".repeat(97))).len(), 0);
    }

    #[test]
    fn a_room_says_what_it_holds() {
        assert_eq!(check("crates/a/src/lib.rs", "mod b;").len(), 1);
        assert_eq!(check("crates/a/src/lib.rs", "//! What it holds.").len(), 0);
    }

    #[test]
    fn marks_need_an_issue() {
        assert_eq!(check("a.sh", "# TODO later"), ["a.sh:1: TODO without an issue's number"]);
        assert_eq!(check("a.sh", "# TODO(#12) later").len(), 0);
        assert_eq!(check("a.sh", "TODOS and AXXXB").len(), 0);
    }

    #[test]
    fn foreign_places_are_found() {
        assert_eq!(check("a.md", "see /home/me/x").len(), 1);
        assert_eq!(
            check("a.md", "from https://registry.invalid/x."),
            ["a.md:1: registry.invalid is not a host to name here"]
        );
        let fine = [
            "http://127.0.0.1:8080/x",
            "http://{address}/",
            "http://$HOST",
            "https://logs.example/",
            "https://acme.example",
            "`http://…`",
            "http://localhost:1.",
            "https://user:word@db:5432/x",
            "https://user@mail.example.com",
        ];
        for text in fine {
            assert_eq!(check("a.md", text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(check("a.md", "https://me:word@registry.invalid:80/x").len(), 1);
        assert_eq!(check("Cargo.lock", "https://registry.invalid").len(), 0);
    }
}
