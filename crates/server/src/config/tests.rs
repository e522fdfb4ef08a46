use std::fs;

use super::*;

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ledgerline.toml");
    fs::write(&path, text).expect("a file is written");
    (folder, path)
}

fn origin(explained: &[Explained], name: &str) -> (String, Origin) {
    let found = explained.iter().find(|one| one.name == name).expect("the setting is explained");
    (found.value.clone(), found.origin)
}

#[test]
fn every_setting_is_explained_and_has_a_default() {
    let defaults = serde_json::to_value(Settings::defaults()).expect("settings are JSON");
    let defaults = defaults.as_object().expect("settings are an object");
    assert_eq!(defaults.len(), environment::SETTINGS.len());
    for (name, _) in environment::SETTINGS {
        assert!(defaults.contains_key(name), "{name}");
    }
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
    let (_folder, path) = file("listen = \"127.0.0.1:1\"\nquery_concurrency = 7\n");
    let flags = Settings { listen: "127.0.0.1:2".parse().ok(), ..Settings::default() };
    let (config, explained) = resolve(&flags, Some(&path)).expect("the settings are good");
    assert_eq!(config.listen.port(), 2);
    assert_eq!(origin(&explained, "listen"), ("127.0.0.1:2".to_owned(), Origin::Flag));
    assert_eq!(origin(&explained, "query_concurrency"), ("7".to_owned(), Origin::File));
    assert_eq!(origin(&explained, "log_format"), ("text".to_owned(), Origin::Default));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for text in [
        "unknown = 1",
        "listen = \"nowhere\"",
        "query_concurrency = 0",
        "data = [",
        "trusted_proxies = \"10.0.0\"",
    ] {
        let (_folder, path) = file(text);
        assert!(resolve(&Settings::default(), Some(&path)).is_err(), "{text}");
    }
    assert!(resolve(&Settings::default(), Some(Path::new("/nowhere/at.toml"))).is_err());
}

#[test]
fn a_secret_is_never_printed() {
    let mut config = Config::from_settings(Settings::default()).expect("the defaults are good");
    config.operator_password = Some(Secret("hunter2hunter2".to_owned()));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn one_tenant_never_has_every_place() {
    let defaults = Config::from_settings(Settings::default()).expect("the defaults are good");
    assert!(defaults.query_concurrency >= 4);
    assert_eq!(defaults.query_concurrency_per_tenant, defaults.query_concurrency / 2);
    for (text, per_tenant) in [
        ("query_concurrency = 10", Some(5)),
        ("query_concurrency = 1", Some(1)),
        ("query_concurrency = 2\nquery_concurrency_per_tenant = 1", Some(1)),
        ("query_concurrency = 2\nquery_concurrency_per_tenant = 2", None),
        ("query_concurrency_per_tenant = 1000", None),
    ] {
        let (_folder, path) = file(text);
        let config = resolve(&Settings::default(), Some(&path));
        let found = config.map(|(config, explained)| {
            let said = origin(&explained, "query_concurrency_per_tenant").0;
            assert_eq!(said, config.query_concurrency_per_tenant.to_string());
            config.query_concurrency_per_tenant
        });
        assert_eq!(found.ok(), per_tenant, "{text}");
    }
}

#[test]
fn proxies_are_addresses_with_commas_between() {
    let proxies = |text: &str| {
        let trusted_proxies = Some(text.to_owned());
        let settings = Settings { trusted_proxies, ..Settings::default() };
        Config::from_settings(settings).map(|config| config.trusted_proxies.len()).ok()
    };
    assert_eq!(proxies(""), Some(0));
    assert_eq!(proxies("127.0.0.1, ::1"), Some(2));
    assert_eq!(proxies("localhost"), None);
}
