//! Words: what a search for a word compares. The index and the query both call this one function,
//! so they cannot differ; [`VERSION`] is stored with every index.

/// Changes whenever [`fold`] or [`is_word_char`] gives another answer for any input.
pub const VERSION: u8 = 1;

/// The longest word that an index keeps whole; of a longer one the first bytes are kept, so a
/// longer word of a query is looked up by them and then compared with the event.
pub const WORD_BYTES_MAX: usize = 64;

/// Whether a character belongs to a word: letters and digits of any script, and `_`.
#[must_use]
#[inline]
pub fn is_word_char(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() || c == '_' } else { c.is_alphanumeric() }
}

/// Case folding: every character by its Unicode lower-case mapping.
pub fn fold(text: &str, folded: &mut String) {
    folded.clear();
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_lowercase();
    } else {
        folded.extend(text.chars().flat_map(char::to_lowercase));
    }
}

/// Case folding into a new string.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut folded = String::new();
    fold(text, &mut folded);
    folded
}

/// The words of a text that is already folded, in order.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c| !is_word_char(c)).filter(|word| !word.is_empty())
}

/// Whether `needle` stands in `haystack` as whole words: neither end cuts a word in two. Both must
/// be folded. An empty needle stands nowhere.
#[must_use]
pub fn contains_words(haystack: &str, needle: &str) -> bool {
    let (Some(first), Some(last)) = (needle.chars().next(), needle.chars().next_back()) else {
        return false;
    };
    let mut from = 0;
    while let Some(at) = haystack[from..].find(needle).map(|at| at + from) {
        let end = at + needle.len();
        let before = haystack[..at].chars().next_back();
        let after = haystack[end..].chars().next();
        let cut_before = is_word_char(first) && before.is_some_and(is_word_char);
        let cut_after = is_word_char(last) && after.is_some_and(is_word_char);
        if !cut_before && !cut_after {
            return true;
        }
        from = at + first.len_utf8();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_folded() {
        let text = folded("Grüße an PowerShell.EXE (user_1)");
        let found: Vec<&str> = words(&text).collect();
        assert_eq!(found, ["grüße", "an", "powershell", "exe", "user_1"]);
        for (needle, found) in [
            ("powershell", true),
            ("powershell.exe", true),
            ("power", false),
            ("shell", false),
            ("user", false),
            ("(user_1)", true),
            ("an powershell", true),
            ("", false),
        ] {
            assert_eq!(contains_words(&text, needle), found, "{needle}");
        }
    }

    #[test]
    fn a_later_whole_word_is_found_behind_a_cut_one() {
        assert!(contains_words("aab aa", "aa"));
        assert!(contains_words("éée é", "é"));
    }
}
