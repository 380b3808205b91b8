//! Takes secrets out of what is kept: a report is sent to other people.

use conf::MountTable;

/// What stands where a secret stood.
const REMOVED: &str = "removed";
/// The one secret of which something is told: whether it is all zeros.
pub(super) const FASTOPEN_KEY: &str = "net.ipv4.tcp_fastopen_key";
/// Words in the last part of a key's name that make its value a secret.
const SECRET_WORDS: [&str; 3] = ["key", "secret", "password"];
/// Mount options that carry a secret or name a person: mount.cifs(8), mount.ceph(8), curlftpfs(1), davfs(5).
const SECRET_OPTIONS: [&str; 14] = [
    "pass",
    "password",
    "password2",
    "passwd",
    "passphrase",
    "user",
    "username",
    "cred",
    "credentials",
    "secret",
    "secretfile",
    "key",
    "keyfile",
    "token",
];

/// The value of a kernel parameter without secrets.
pub(super) fn without_secret(key: &str, value: String) -> String {
    if key == FASTOPEN_KEY {
        return key_kind(&value).to_owned();
    }
    let name = key.rsplit('.').next().unwrap_or(key).to_ascii_lowercase();
    if SECRET_WORDS.iter().any(|word| name.contains(word)) { REMOVED.to_owned() } else { value }
}

/// `zero` when one of the keys (the current one, and perhaps a former one after a comma) is all zeros.
///
/// Linux shows zeros as well while no key has been made yet (`proc_tcp_fastopen_key`, `net/ipv4/sysctl_net_ipv4.c`).
fn key_kind(value: &str) -> &'static str {
    let mut keys =
        value.split_whitespace().next().unwrap_or_default().split(',').filter(|key| !key.is_empty());
    let zero = |key: &str| key.bytes().all(|byte| matches!(byte, b'0' | b'-'));
    match keys.next() {
        None => "unset",
        Some(first) if zero(first) || keys.any(zero) => "zero",
        Some(_) => "set",
    }
}

/// The options of a line of fstab(5), values of secret ones replaced.
///
/// A comma written twice stands for one within a value of cifs: what follows it belongs to the secret and goes as well.
pub(super) fn options_without_secrets(table: &MountTable, entry: &conf::MountEntry) -> String {
    let bytes = table.as_bytes();
    let mut shown: Vec<String> = Vec::new();
    let mut secret_ends = None;
    for option in &entry.options {
        let text = bytes.get(option.span.start..option.span.end).unwrap_or_default();
        let continues = secret_ends.is_some_and(|end: usize| option.span.start > end.saturating_add(1));
        let name = String::from_utf8_lossy(&option.name).to_ascii_lowercase();
        let secret = option.value.is_some() && SECRET_OPTIONS.contains(&name.as_str());
        if secret && !continues {
            shown.push(format!("{name}={REMOVED}"));
        } else if !continues {
            shown.push(String::from_utf8_lossy(text).into_owned());
        }
        secret_ends = (secret || continues).then_some(option.span.end);
    }
    shown.join(",")
}

/// A device without the user and password of a URL (`https://user:password@host/`).
pub(super) fn device_without_secrets(device: &str) -> String {
    let Some((scheme, rest)) = device.split_once("://") else { return device.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{REMOVED}@{host}{path}"),
        None => device.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_open_key_is_told_only_as_zero_or_set() {
        let shown = |value: &str| without_secret(FASTOPEN_KEY, value.to_owned());
        assert_eq!(shown("00000000-00000000-00000000-00000000"), "zero");
        assert_eq!(shown("00000000-00000000-00000000-00000000 # made by the kernel"), "zero");
        assert_eq!(shown("12345678-00000000-00000000-00000001"), "set");
        assert_eq!(shown("1-2-3-4,0-0-0-0"), "zero");
        assert_eq!(shown(""), "unset");
    }

    #[test]
    fn values_of_keys_that_sound_secret_are_removed() {
        assert_eq!(without_secret("net.ipv6.conf.all.stable_secret", "fe80::1".into()), "removed");
        assert_eq!(without_secret("vm.swappiness", "10".into()), "10");
    }

    #[test]
    fn a_url_loses_its_user_and_password() {
        assert_eq!(device_without_secrets("https://u:p@dav.example/x@y"), "https://removed@dav.example/x@y");
        assert_eq!(device_without_secrets("server:/export"), "server:/export");
    }
}
