//! The page of Nginx's `stub_status`, by one request of HTTP/1.0.

use super::Connection;
use crate::HostError;

/// The body of the page.
pub(super) fn ask(address: &str, server: &str, path: &str) -> Result<Vec<u8>, HostError> {
    let said = |text: &str| text.chars().filter(|c| !c.is_control() && *c != ' ').collect::<String>();
    let (server, path) = (said(server), said(path));
    let mut connection = Connection::open(address)?;
    let host = if server.is_empty() { "localhost" } else { &server };
    connection
        .send(format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: narrows\r\n\r\n").as_bytes())?;
    let answer = connection.receive(|_| false)?;
    let refused = |reason: String| HostError::Unsupported { path: format!("{address}{path}"), reason };
    let status = answer.split(u8::is_ascii_whitespace).nth(1).unwrap_or_default();
    if status != b"200" {
        return Err(refused(format!("Nginx answered {}", String::from_utf8_lossy(status))));
    }
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let body = at.and_then(|at| answer.get(at + 4..));
    body.map(<[u8]>::to_vec).ok_or_else(|| refused("the answer has no end of its header".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    use super::*;

    /// Answers one request with these bytes, and gives back what was asked.
    fn answer_once(mut stream: impl Read + Write, bytes: &[u8]) -> String {
        let mut asked = Vec::new();
        let mut one = [0];
        while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut one).unwrap() == 1 {
            asked.push(one[0]);
        }
        stream.write_all(bytes).unwrap();
        String::from_utf8(asked).unwrap()
    }

    #[test]
    fn the_page_is_read_over_tcp_and_over_a_unix_socket() {
        let page = b"HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\nActive connections: 1 \n";
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let served = std::thread::spawn(move || answer_once(listener.accept().unwrap().0, page));
        assert_eq!(ask(&address, "a.example", "/status").unwrap(), b"Active connections: 1 \n");
        assert!(served.join().unwrap().starts_with("GET /status HTTP/1.0\r\nHost: a.example\r\n"));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nginx.sock");
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || answer_once(listener.accept().unwrap().0, page));
        assert_eq!(ask(path.to_str().unwrap(), "", "/status").unwrap(), b"Active connections: 1 \n");
    }

    #[test]
    fn a_refusal_and_a_silent_server_are_errors() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert!(matches!(ask(&address, "", "/s"), Err(HostError::TimedOut { limit_ms: 300, .. })));
        let first = listener.accept().unwrap().0;
        drop(first);
        std::thread::spawn(move || {
            answer_once(listener.accept().unwrap().0, b"HTTP/1.1 403 Forbidden\r\n\r\n")
        });
        let error = ask(&address, "", "/s").unwrap_err();
        assert!(error.to_string().contains("answered 403"), "{error}");
        assert!(matches!(ask("localhost", "", "/"), Err(HostError::Unsupported { .. })));
    }
}
