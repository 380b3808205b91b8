//! The forms of `listen`, as `fpm_sockets_domain_from_address` and `fpm_socket_af_inet_listening_socket` read them
//! (sapi/fpm/fpm/fpm_sockets.c).

/// The address as the kernel lists it: a path, or `ADDRESS:PORT`. A path is completed by a prefix.
pub(super) fn canonical(listen: &str, prefix: &str) -> String {
    let listen = listen.trim();
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_port(listen) {
        return format!("[::]:{listen}");
    }
    match listen.rsplit_once(':') {
        Some((address, port)) if is_port(port) && !listen.starts_with('/') => match address {
            "*" | "" => format!("[::]:{port}"),
            "localhost" => format!("127.0.0.1:{port}"),
            bare if bare.contains(':') && !bare.starts_with('[') => format!("[{bare}]:{port}"),
            _ => listen.to_owned(),
        },
        _ if listen.starts_with('/') || listen.is_empty() => listen.to_owned(),
        _ => format!("{}/{listen}", prefix.trim_end_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn every_form_becomes_the_one_that_the_kernel_lists() {
        for (listen, expected) in [
            ("9000", "[::]:9000"),
            ("127.0.0.1:9000", "127.0.0.1:9000"),
            ("[::]:9000", "[::]:9000"),
            ("::1:9000", "[::1]:9000"),
            ("localhost:9000", "127.0.0.1:9000"),
            ("/run/php/php8.2-fpm.sock", "/run/php/php8.2-fpm.sock"),
            ("run/www.sock", "/usr/run/www.sock"),
            ("", ""),
        ] {
            assert_eq!(canonical(listen, "/usr"), expected);
        }
    }
}
