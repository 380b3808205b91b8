use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;

use super::*;

fn answer_of(output: &[u8]) -> Vec<u8> {
    [record(STDERR, b"PHP message: a\nb"), record(STDOUT, output), record(END_REQUEST, &[0; 8])].concat()
}

/// A server that takes one connection, reads the request, and does something odd.
fn server(odd: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let length = request("/s", "/s", "json&full").len();
        stream.read_exact(&mut vec![0; length]).unwrap();
        odd(stream);
    });
    address
}

#[test]
fn a_request_is_a_run_of_records_with_every_parameter() {
    let bytes = request("/status", "/status", "json&full");
    assert_eq!(bytes[..8], [1, 1, 0, 1, 0, 8, 0, 0]);
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("QUERY_STRINGjson&full") && text.contains("SCRIPT_NAME/status"));
    let mut long = Vec::new();
    parameter(&mut long, "A", &"x".repeat(300));
    assert_eq!(long[..6], [1, 0x80, 0, 1, 44, b'A']);
}

#[test]
fn records_may_be_torn_anywhere() {
    let bytes = answer_of(b"Content-type: text/html\r\n\r\n{}");
    for end in 0..bytes.len() {
        assert!(!read(&bytes[..end]).unwrap().ended, "{end}");
    }
    let answer = read(&bytes).unwrap();
    assert_eq!(body("a", "/", &answer).unwrap(), b"{}");
    assert_eq!(answer.errors, b"PHP message: a\nb");
    let address = server(move |mut stream| {
        for byte in bytes {
            stream.write_all(&[byte]).unwrap();
        }
    });
    assert_eq!(status(&address, "/s").unwrap(), b"{}");
}

#[test]
fn an_answer_that_is_no_page_says_what_was_said() {
    let refused = |output: &[u8]| {
        let answer = read(&answer_of(output)).unwrap();
        body("a.sock", "/s", &answer).unwrap_err().to_string()
    };
    let error = refused(b"Status: 404 Not Found\r\nContent-type: text/html\r\n\r\nFile not found.\n");
    assert!(error.contains("404 Not Found: PHP message: a b"), "{error}");
    assert!(refused(b"nothing").contains("no end of its header"));
}

#[test]
fn hostile_servers_are_errors_in_bounded_time_and_memory() {
    let silent = server(|stream| {
        let mut stream = stream;
        stream.read_to_end(&mut Vec::new()).ok();
    });
    assert!(matches!(status(&silent, "/s"), Err(HostError::TimedOut { .. })));
    let torn = server(|mut stream| stream.write_all(&[1, 6, 0, 1]).unwrap());
    assert!(status(&torn, "/s").unwrap_err().to_string().contains("closed the connection"));
    let endless = server(|mut stream| while stream.write_all(&record(STDOUT, &[b'x'; 60_000])).is_ok() {});
    let error = status(&endless, "/s").unwrap_err();
    assert!(matches!(error, HostError::Io { .. } | HostError::TimedOut { .. }), "{error}");
    let foreign = server(|mut stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap());
    assert!(status(&foreign, "/s").unwrap_err().to_string().contains("does not speak FastCGI"));
}

#[test]
fn a_full_queue_is_an_error_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.sock");
    let path = path.to_str().unwrap();
    let listener = UnixListener::bind(path).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let held: Vec<_> = (0..2).map_while(|_| Connection::open(path).ok()).collect();
    assert!(!held.is_empty());
    assert!(status(path, "/s").unwrap_err().to_string().contains("its listen queue is full"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        if let Some(answer) = read(&bytes) {
            body("a", "/", &answer).ok();
        }
    }
}
