//! Takes secrets out of files before they are written into a tree.

use std::borrow::Cow;

mod php;
mod rows;

pub use rows::is_secret_option;
pub(crate) use rows::rows;

/// What stands where a secret stood.
const REDACTED: &str = "redacted";

/// The bytes of a file without its secrets.
pub(crate) fn file<'a>(path: &str, bytes: &'a [u8]) -> Cow<'a, [u8]> {
    if path == "/proc/sys/net/ipv4/tcp_fastopen_key" {
        let zero = bytes.iter().all(|byte| b"0-,\n ".contains(byte));
        return if zero { Cow::Borrowed(bytes) } else { Cow::Borrowed(REDACTED.as_bytes()) };
    }
    if path.starts_with("/proc/") && path.ends_with("/cmdline") {
        return match kept_of(bytes) {
            Kept::All => Cow::Borrowed(bytes),
            Kept::Options => Cow::Owned(options(bytes, 0)),
            Kept::Nothing => Cow::Borrowed(b""),
        };
    }
    if path.ends_with(".cnf") {
        return Cow::Owned(options(bytes, b'\n'));
    }
    if php::configures(path) {
        return Cow::Owned(php::without_secrets(bytes));
    }
    if path.contains("/systemd/") || path.starts_with("/etc/cron") || path.starts_with("/var/spool/cron/") {
        let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').map(environment).collect();
        return Cow::Owned(log(&lines.join(&b'\n')));
    }
    let configuration = path.contains("/sysctl.d/") || path.ends_with("/sysctl.conf");
    let mounts = path == "/etc/fstab" || path.ends_with("/mounts") || path.ends_with("/mountstats");
    let pool = path.ends_with(".conf") && !configuration;
    if !configuration && !mounts && !pool {
        return Cow::Borrowed(bytes);
    }
    let line = match (configuration, pool) {
        (true, _) => assignment,
        (_, true) => pool_setting,
        _ => mount,
    };
    let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').map(line).collect();
    Cow::Owned(lines.join(&b'\n'))
}

/// How much of a command line is kept.
enum Kept {
    All,
    Options,
    Nothing,
}

/// Command lines of services are kept, by their title or their program. Those of others hold passwords.
fn kept_of(bytes: &[u8]) -> Kept {
    let first = bytes.split(|byte| *byte == 0 || *byte == b' ').next().unwrap_or_default();
    let name = first.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    match name {
        b"mariadbd" | b"mysqld" => Kept::Options,
        _ if name.starts_with(b"php-fpm") || name.starts_with(b"nginx") => Kept::All,
        _ => Kept::Nothing,
    }
}

/// Options of MariaDB and MySQL, a line or a word each, without the values that are secret.
fn options(bytes: &[u8], between: u8) -> Vec<u8> {
    let line = |line: &[u8]| {
        let Some(at) = line.iter().position(|byte| *byte == b'=') else { return line.to_vec() };
        let (name, value) = line.split_at(at);
        let bare = String::from_utf8_lossy(name).trim().trim_start_matches('-').replace('-', "_");
        match is_secret_option(&bare, String::from_utf8_lossy(value).trim_start_matches('=').trim()) {
            true => [name, b"=", REDACTED.as_bytes()].concat(),
            false => line.to_vec(),
        }
    };
    bytes.split(|byte| *byte == between).map(line).collect::<Vec<_>>().join(&between)
}

/// The lines of a log without the query strings of what was asked for: they hold tokens and addresses of people.
pub(crate) fn log(bytes: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'?') {
        let (before, query) = rest.split_at(at + 1);
        clean.extend_from_slice(before);
        let end = query.iter().position(|byte| b" \"',\t\r\n".contains(byte)).unwrap_or(query.len());
        if end > 0 {
            clean.extend_from_slice(REDACTED.as_bytes());
        }
        rest = query.get(end..).unwrap_or_default();
    }
    clean.extend_from_slice(rest);
    clean
}

/// `key = value`, where the key names a secret and the value is not all zeros.
fn assignment(line: &[u8]) -> Vec<u8> {
    let Some(at) = line.iter().position(|byte| *byte == b'=') else { return line.to_vec() };
    let (key, value) = line.split_at(at);
    let named = String::from_utf8_lossy(key).to_lowercase();
    let zero = value.iter().all(|byte| b"=0-, \t\r".contains(byte));
    if zero || !["key", "secret", "password", "token"].iter().any(|word| named.contains(word)) {
        return line.to_vec();
    }
    [key, b"= ", REDACTED.as_bytes()].concat()
}

/// `Environment=` of a unit and `NAME=value` of a crontab.
fn environment(line: &[u8]) -> Vec<u8> {
    let Some(at) = line.iter().position(|byte| *byte == b'=') else { return line.to_vec() };
    let (name, _) = line.split_at(at);
    let upper = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let name = name.trim_ascii();
    let variable = !name.is_empty() && name.iter().all(upper) && name != b"PATH" && name != b"SHELL";
    match variable || name == b"Environment" {
        true => [name, b"=", REDACTED.as_bytes()].concat(),
        false => line.to_vec(),
    }
}

/// A line of a PHP-FPM pool: the environment of its workers, and settings of PHP that name a secret.
fn pool_setting(line: &[u8]) -> Vec<u8> {
    let text = line.trim_ascii_start();
    let of =
        |kind: &[u8]| text.strip_prefix(kind).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"["));
    if !of(b"env") && !of(b"php_value") && !of(b"php_admin_value") {
        return line.to_vec();
    }
    let Some(at) = line.iter().position(|byte| *byte == b'=') else { return line.to_vec() };
    let (key, value) = line.split_at(at);
    let (named, value) = (String::from_utf8_lossy(key).to_lowercase(), String::from_utf8_lossy(value));
    let words = ["pw", "pass", "secret", "key", "token", "licen", "credential"];
    match of(b"env") || words.iter().any(|word| named.contains(word)) || value.contains("auth=") {
        true => [key, b"= ", REDACTED.as_bytes()].concat(),
        false => line.to_vec(),
    }
}

/// Mount options that carry credentials (mount.cifs(8), mount.davfs(8), sshfs(1)).
fn mount(line: &[u8]) -> Vec<u8> {
    const CREDENTIALS: &[&str] =
        &["password=", "pass=", "passwd=", "password2=", "username=", "user=", "secret=", "key="];
    let text = String::from_utf8_lossy(line);
    if !CREDENTIALS.iter().any(|option| text.contains(option)) {
        return line.to_vec();
    }
    let hide = |option: &str| match CREDENTIALS.iter().find(|name| option.starts_with(*name)) {
        Some(name) => format!("{name}{REDACTED}"),
        None => option.to_owned(),
    };
    let word = |word: &str| word.split(',').map(hide).collect::<Vec<_>>().join(",");
    text.split(' ').map(word).collect::<Vec<_>>().join(" ").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(path: &str, text: &str) -> String {
        String::from_utf8(file(path, text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn the_fast_open_key_is_kept_only_when_it_is_zero() {
        let path = "/proc/sys/net/ipv4/tcp_fastopen_key";
        assert_eq!(redacted(path, "1a2b-3c4d\n"), "redacted");
        assert_eq!(redacted(path, "00000000-00000000\n"), "00000000-00000000\n");
    }

    #[test]
    fn variables_of_jobs_are_taken_out_and_so_are_query_strings() {
        let crontab = "PATH=/bin\nTOKEN=hunter2\n* * * * * bob wget https://x/wp-cron.php?key=hunter3\n";
        let expected = "PATH=/bin\nTOKEN=redacted\n* * * * * bob wget https://x/wp-cron.php?redacted\n";
        assert_eq!(redacted("/etc/cron.d/wp", crontab), expected);
        let unit = "[Service]\nEnvironment=KEY=hunter2\nUser=bob\n";
        let expected = "[Service]\nEnvironment=redacted\nUser=bob\n";
        assert_eq!(redacted("/etc/systemd/system/a.service", unit), expected);
    }

    #[test]
    fn the_environment_of_a_pool_is_taken_out() {
        let text = "[www]\nlisten = 9000\n env[DB] = hunter2\nphp_admin_value[mysqli.default_pw] = x\n\
                    php_admin_value[session.save_path] = \"tcp://a?auth=x\"\nphp_admin_value[memory_limit] = 1G\nkey = v\n";
        let expected = "[www]\nlisten = 9000\n env[DB] = redacted\nphp_admin_value[mysqli.default_pw] = redacted\n\
                        php_admin_value[session.save_path] = redacted\nphp_admin_value[memory_limit] = 1G\nkey = v\n";
        assert_eq!(redacted("/etc/php/8.2/fpm/pool.d/www.conf", text), expected);
    }

    #[test]
    fn command_lines_are_kept_of_nginx_and_php_fpm_alone() {
        let path = "/proc/12/cmdline";
        for kept in
            ["nginx: master process /usr/sbin/nginx\0", "php-fpm: pool www\0", "/usr/sbin/php-fpm8.2\0-F\0"]
        {
            assert_eq!(redacted(path, kept), kept);
        }
        assert_eq!(redacted(path, "mysql\0-uroot\0-phunter2\0"), "");
    }

    #[test]
    fn secrets_in_configuration_are_taken_out_and_the_rest_stays() {
        let text = "# a\nnet.ipv4.tcp_fastopen_key = 1a2b\nvm.swappiness = 10\n";
        let expected = "# a\nnet.ipv4.tcp_fastopen_key = redacted\nvm.swappiness = 10\n";
        assert_eq!(redacted("/etc/sysctl.d/99-a.conf", text), expected);
        let fstab = "//nas/www /srv cifs ro,username=bob,password=hunter2,vers=3.0 0 0\n";
        assert_eq!(
            redacted("/etc/fstab", fstab),
            "//nas/www /srv cifs ro,username=redacted,password=redacted,vers=3.0 0 0\n"
        );
    }
}
