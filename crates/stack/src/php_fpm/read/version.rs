//! Which PHP it is, told by the names under which it is installed.

/// The version in a path: `/usr/sbin/php-fpm8.2` and `/etc/php/8.2/fpm` (Debian), `/opt/remi/php82/root/usr/sbin/php-fpm`
/// (Remi), `/opt/cpanel/ea-php82/…`. `None` where the path says none.
pub(crate) fn in_path(path: &str) -> Option<String> {
    let components: Vec<&str> = path.split('/').collect();
    let after_php =
        |index: usize| index.checked_sub(1).and_then(|before| components.get(before)) == Some(&"php");
    components.iter().enumerate().find_map(|(index, component)| {
        let from = component.find("php").map(|at| at + 3).or_else(|| after_php(index).then_some(0))?;
        let rest = component.get(from..)?.trim_start_matches("-fpm").trim_start_matches('-');
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        of_digits(rest.get(..end)?)
    })
}

fn of_digits(text: &str) -> Option<String> {
    let text = text.trim_end_matches('.');
    let (major, minor) = match text.split_once('.') {
        Some((major, minor)) => (major, minor.split('.').next()?),
        None if text.len() > 1 => text.split_at_checked(1)?,
        None => return None,
    };
    let plain =
        |part: &str| !part.is_empty() && part.len() < 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    (plain(major) && plain(minor)).then(|| format!("{major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::in_path;

    #[test]
    fn packagers_name_versions_in_paths() {
        for (path, expected) in [
            ("/usr/sbin/php-fpm8.2", Some("8.2")),
            ("/etc/php/7.4/fpm/php-fpm.conf", Some("7.4")),
            ("/opt/remi/php82/root/usr/sbin/php-fpm", Some("8.2")),
            ("/etc/opt/remi/php81/php-fpm.conf", Some("8.1")),
            ("/opt/cpanel/ea-php83/root/usr/sbin/php-fpm", Some("8.3")),
            ("/opt/plesk/php/8.1/sbin/php-fpm", Some("8.1")),
            ("/opt/php-8.3.4/sbin/php-fpm", Some("8.3")),
            ("/usr/local/etc/php-fpm.conf", None),
            ("/usr/sbin/php-fpm", None),
            ("/php/1234567890123456789/x", None),
            ("", None),
        ] {
            assert_eq!(in_path(path).as_deref(), expected, "{path}");
        }
    }
}
