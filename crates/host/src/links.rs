//! Symbolic links of a host that is not this machine, where the kernel cannot follow them.

/// Where a link leads: its target as written, taken from the folder of the link, with `.` and `..` resolved as text.
pub fn linked_path(link: &str, target: &str) -> String {
    let folder = link.rsplit_once('/').map_or("", |(folder, _)| folder);
    let base = if target.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_taken_from_the_folder_of_its_link() {
        assert_eq!(linked_path("/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf"), "/etc/sysctl.conf");
        assert_eq!(linked_path("/etc/a", "/dev/null"), "/dev/null");
        assert_eq!(linked_path("/a", "../../../b/./c"), "/b/c");
    }
}
