//! Which control groups are units of systemd whose limits a drop-in sets.

use model::ChangeKind;

/// Limits of a control group: of the unit that it is, else by hand, under the group's path.
pub(super) fn setting(path: &str, settings: Vec<String>) -> ChangeKind {
    match unit(path) {
        Some(unit) => ChangeKind::Unit { name: unit.to_owned(), settings },
        None => ChangeKind::Unit { name: path.to_owned(), settings: vec![] },
    }
}

/// The service or slice of the host's own systemd that a group is.
///
/// Scopes are made by who starts what is inside (a container runtime, logind), as are services called `run-…` and the
/// groups below a `user@` service, so that no drop-in of the host reaches them (systemd.scope(5), systemd-run(1)).
fn unit(path: &str) -> Option<&str> {
    let mut parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    let last = parts.pop()?;
    let known = (last.ends_with(".service") || last.ends_with(".slice")) && !last.starts_with("run-");
    let letter = |letter: char| letter.is_ascii_alphanumeric() || ":-_.@\\".contains(letter);
    let own = parts.iter().all(|part| part.ends_with(".slice"));
    (known && own && last.chars().all(letter)).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_and_slices_of_the_host_are_units_and_nothing_else_is() {
        for (path, name) in [
            ("/system.slice/php8.2-fpm.service", Some("php8.2-fpm.service")),
            ("/system.slice/system-php.slice/php@8.2.service", Some("php@8.2.service")),
            ("/sync.service", Some("sync.service")),
            ("/web.slice", Some("web.slice")),
            ("/system.slice/docker-0a1b.scope", None),
            ("/system.slice/docker-0a1b.scope/system.slice/nginx.service", None),
            ("/docker/0a1b", None),
            ("/user.slice/user-0.slice/user@0.service/app.slice/php.service", None),
            ("/system.slice/run-u7.service", None),
            ("/system.slice/php8.2-fpm.service/worker", None),
            ("/a b.service", None),
            ("/", None),
        ] {
            assert_eq!(unit(path), name, "{path}");
        }
    }
}
