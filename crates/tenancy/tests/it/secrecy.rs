//! Secrets, addresses and what people call things are in no file as they are, and in no text for a
//! log.

use std::fs;
use std::path::{Path, PathBuf};

use ledgerline_policy::{Action, Role};
use ledgerline_tenancy::{NewKey, NewUser};

use crate::platform::{Platform, manage};

const ADDRESS: &str = "canary-address@example.com";
const PASSWORD: &str = "canary password 83917";
const KEY_NAME: &str = "canary key name";

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files
}

fn holds(bytes: &[u8], canary: &str) -> bool {
    bytes.windows(canary.len()).any(|window| window == canary.as_bytes())
}

#[test]
fn nothing_secret_is_in_a_file_or_in_a_debug_text() {
    let platform = Platform::new();
    let (alpha, _) = platform.tenant("alpha", "ada@example.com");
    let (beta, _) = platform.tenant("beta", "bob@example.com");
    let tenancy = platform.tenancy();
    let people = manage(alpha.id, Action::ManageUsers);
    let keys = manage(alpha.id, Action::ManageKeys);
    let new_user =
        NewUser { email: ADDRESS.to_owned(), password: PASSWORD.to_owned(), role: Role::User };
    let scopes = vec!["ingest:*".parse().expect("a scope")];
    let new_key = NewKey { name: KEY_NAME.to_owned(), scopes, expires: None };
    let mut texts = vec![format!("{new_user:?} {new_key:?}")];
    let mut note = |text: String| texts.push(text);

    let user = tenancy.create_user(&people, &new_user).expect("made");
    let (key, secret) = tenancy.create_key(&keys, &new_key).expect("made");
    let tokens = tenancy.login(ADDRESS, PASSWORD, None, None).expect("logged in");
    let next = tenancy.refresh(&tokens.refresh_token).expect("refreshed");
    platform.who(&secret).expect("known");
    platform.who(&next.access_token).expect("known");
    note(format!("{user:?} {key:?} {tokens:?} {tenancy:?}"));
    let taken = tenancy.create_user(&people, &new_user).expect_err("taken");
    note(format!("{taken} {taken:?}"));
    let operator = NewUser { role: Role::Operator, ..new_user.clone() };
    let wrong = tenancy.create_user(&people, &operator).expect_err("refused");
    note(format!("{wrong} {wrong:?}"));
    let wrong = tenancy.login(ADDRESS, KEY_NAME, Some(PASSWORD), None).expect_err("refused");
    note(format!("{wrong} {wrong:?}"));
    let wrong = tenancy.authenticate(&format!("{secret}x")).expect_err("refused");
    note(format!("{wrong} {wrong:?}"));
    let weak = tenancy.update_user(&people, user.id, None, None, Some(ADDRESS));
    let weak = weak.expect_err("refused");
    note(format!("{weak} {weak:?}"));

    let canaries = [
        ADDRESS,
        PASSWORD,
        KEY_NAME,
        &secret,
        &tokens.refresh_token,
        &next.refresh_token,
        &tokens.access_token,
        "$argon2id$",
    ];
    for text in &texts {
        for canary in canaries {
            assert!(!text.contains(canary), "{text}");
        }
    }
    tenancy.maintain().expect("maintained");
    let files = files(platform.path());
    assert!(files.len() >= 7, "{files:?}");
    for file in files {
        let bytes = fs::read(&file).expect("read");
        for canary in canaries {
            assert!(!holds(&bytes, canary), "{}", file.display());
        }
        let is_betas = file.to_string_lossy().contains(&beta.id.to_string());
        assert!(!is_betas || !holds(&bytes, &key.prefix), "{}", file.display());
    }
    let own = fs::read(platform.records_file(alpha.id).with_extension("db-wal")).expect("read");
    assert!(holds(&own, &key.prefix), "the search above would have found something");
}

#[test]
fn a_tenants_records_are_in_its_own_file_alone() {
    let platform = Platform::new();
    let (alpha, ada) = platform.tenant("alpha", "ada@example.com");
    let (beta, bob) = platform.tenant("beta", "ada@example.com");
    let hash = |file: PathBuf, id: &[u8]| -> Option<Vec<u8>> {
        let sql = rusqlite::Connection::open(file).expect("opened");
        sql.query_row("SELECT email_hash FROM user WHERE id = ?", [id], |row| row.get(0)).ok()
    };
    let (a, b) = (platform.records_file(alpha.id), platform.records_file(beta.id));
    assert_eq!(hash(a.clone(), bob.id.as_bytes()), None);
    assert_eq!(hash(b.clone(), ada.id.as_bytes()), None);
    let (ours, theirs) = (hash(a, ada.id.as_bytes()), hash(b, bob.id.as_bytes()));
    assert!(ours.is_some() && theirs.is_some());
    assert_ne!(ours, theirs, "equal addresses do not show");
    assert_eq!(hash(platform.control_file(), ada.id.as_bytes()), None);
}
