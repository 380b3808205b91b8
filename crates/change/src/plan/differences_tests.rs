use super::*;

fn state_of(text: &str) -> State {
    State::File(crate::FileState {
        contents: crate::Contents(text.as_bytes().to_vec()),
        uid: 0,
        gid: 0,
        mode: 0o644,
        modified: (0, 0),
        attributes: std::collections::BTreeMap::new(),
        links: 1,
    })
}

fn difference(path: &str, before: Option<&str>, after: &str) -> String {
    unified(path, &before.map_or(State::Absent, state_of), &state_of(after))
}

#[test]
fn three_lines_are_shown_around_what_changes() {
    let before = "a\nb\nc\nd\ne = 1\nf\ng\nh\ni\n";
    let shown = difference("/etc/x", Some(before), &before.replace("e = 1", "e = 2"));
    assert_eq!(shown, "--- /etc/x\n+++ /etc/x\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e = 1\n+e = 2\n f\n g\n h\n");
    assert!(difference("/etc/x", None, "a\n").starts_with("--- /dev/null\n+++ /etc/x\n@@ -0,0 +1 @@\n+a\n"));
}

#[test]
fn secrets_are_not_shown() {
    for (line, shown) in [
        ("env[DB_PASSWORD] = hunter2", "env[DB_PASSWORD] = <redacted>"),
        ("fastcgi_param DB_PASSWORD hunter2;", "fastcgi_param DB_PASSWORD <redacted>"),
        ("net.ipv4.tcp_fastopen_key = 1-2-3-4", "net.ipv4.tcp_fastopen_key = <redacted>"),
        ("proxy_set_header Authorization \"Bearer x\";", "proxy_set_header Authorization <redacted>"),
        ("proxy_pass https://bob:hunter2@app/;", "proxy_pass https://<redacted>@app/;"),
        ("api_token=abc", "api_token=<redacted>"),
        ("Passwort Ⱥ secret", "<redacted>"),
        ("pm.max_children = 40", "pm.max_children = 40"),
        ("# passwords are elsewhere", "# passwords <redacted>"),
        ("password =", "password ="),
    ] {
        assert_eq!(without_secrets("/etc/x", line), shown);
    }
}

#[test]
fn of_php_only_lines_that_hold_no_secret_for_sure_are_shown() {
    for (line, shown) in [
        ("define( 'DISABLE_WP_CRON', true );", "define( 'DISABLE_WP_CRON', true );"),
        ("/* That's all, stop editing! */", "/* That's all, stop editing! */"),
        ("", ""),
        ("define('AUTH_KEY', 'x');", "<redacted>"),
        ("// define('NONCE_SALT', 'x');", "<redacted>"),
        ("define('DB_PASSWORD',", "<redacted>"),
        ("  'hunter2');", "<redacted>"),
        ("define('X', getenv('Y'));", "<redacted>"),
        ("hunter2", "<redacted>"),
    ] {
        assert_eq!(without_secrets("/srv/wp-config.php", line), shown);
    }
}

#[test]
fn credentials_of_mounts_are_not_shown_and_other_options_are() {
    let line = "//nas/www /srv\tcifs ro,username=bob,password=hun,,ter2,vers=3.0,actimeo=60 0 0";
    let shown = "//nas/www /srv\tcifs ro,username=<redacted>,password=<redacted>,vers=3.0,actimeo=60 0 0";
    assert_eq!(without_secrets("/etc/fstab", line), shown);
    let shown =
        difference("/etc/fstab", Some(&format!("{line}\n")), &format!("{}\n", line.replace("=60", "=600")));
    assert!(shown.contains("actimeo=600") && !shown.contains("hun"), "{shown}");
}

#[test]
fn a_patch_holds_changed_lines_alone_and_none_is_made_of_a_secret() {
    let before = "token = abc\r\na = 1\r\nb = 1";
    let file = |after: &str| patch("/etc/x", &state_of(before), &state_of(after));
    let wanted = "--- /etc/x\n+++ /etc/x\n@@ -2 +2 @@\n-a = 1\r\n+a = 2\r\n";
    assert_eq!(file(&before.replace("a = 1", "a = 2")).as_deref(), Some(wanted));
    assert_eq!(file(&before.replace("abc", "abd")), None);
    assert_eq!(file("token = abc\r\na\0"), None);
}
