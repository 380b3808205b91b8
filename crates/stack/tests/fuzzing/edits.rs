//! Documents that are edited by name: an edit that works reads back, and once is as good as twice.

use conf::{HaproxyDocument, NginxDocument, SettingsDialect, SettingsDocument};

pub(crate) fn ini(bytes: &[u8]) {
    settings(bytes, SettingsDialect::Ini);
}

pub(crate) fn option_file(bytes: &[u8]) {
    settings(bytes, SettingsDialect::OptionFile);
}

pub(crate) fn systemd(bytes: &[u8]) {
    settings(bytes, SettingsDialect::Systemd);
}

fn settings(bytes: &[u8], dialect: SettingsDialect) {
    let document = SettingsDocument::new("a", bytes, dialect);
    assert!(document.as_bytes() == bytes, "a document that was not edited has changed");
    let own = document.settings().iter().take(6).map(|one| (one.section.clone(), one.key.clone()));
    let new = [(Some(b"a".to_vec()), b"b".to_vec())];
    for (section, key) in own.chain(new) {
        let section = section.map(String::from_utf8).transpose();
        let (Ok(section), Ok(key)) = (section, String::from_utf8(key)) else { continue };
        let section = section.as_deref();
        let mut edited = document.clone();
        if edited.set(section, &key, "7").is_ok() {
            assert!(edited.get(section, &key) == Some(b"7"), "{key:?} was set to 7");
            let once = edited.as_bytes().to_vec();
            assert!(
                edited.set(section, &key, "7").is_ok() && edited.as_bytes() == once,
                "{key:?} was set twice"
            );
        }
        if edited.remove(section, &key).is_ok() {
            assert!(edited.get(section, &key).is_none(), "{key:?} was removed");
        }
    }
}

pub(crate) fn nginx(bytes: &[u8]) {
    let document = NginxDocument::new("a", bytes);
    assert!(document.as_bytes() == bytes, "a document that was not edited has changed");
    let own = document.directives().iter().take(6).map(|one| one.name().to_vec());
    for name in own.chain([b"b".to_vec()]).filter_map(|name| String::from_utf8(name).ok()) {
        for path in [&[][..], &["http"], &["http", "server"]] {
            let mut edited = document.clone();
            if edited.set_arguments(path, &name, None, "7").is_ok() {
                let once = edited.as_bytes().to_vec();
                let twice = edited.set_arguments(path, &name, None, "7");
                assert!(twice.is_ok() && edited.as_bytes() == once, "{name:?} was set twice");
                assert!(edited.set_parameter(path, &name, None, "b", "7;").is_ok(), "{name:?} takes b=7;");
                assert!(edited.remove(path, &name, None).is_ok(), "{name:?} was there");
            }
        }
    }
}

pub(crate) fn haproxy(bytes: &[u8]) {
    let document = HaproxyDocument::new("a", bytes);
    assert!(document.as_bytes() == bytes, "a document that was not edited has changed");
    for section in ["global", "defaults", "listen www"] {
        for keyword in ["maxconn", "timeout connect", "no option httpclose", "bind :80"] {
            let mut edited = document.clone();
            if edited.set(section, keyword, "7").is_ok() {
                assert!(edited.get(section, keyword) == Ok(Some(b"7")), "{keyword:?} was set to 7");
                assert!(edited.remove(section, keyword).is_ok(), "{keyword:?} was there");
                assert!(edited.get(section, keyword) == Ok(None), "{keyword:?} was removed");
            }
        }
    }
}
