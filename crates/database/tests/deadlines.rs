//! A server that is silent costs no more than its deadline.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests fail by panic and listen")]

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use database::{Address, Connection, DatabaseError, Login};

const DEADLINE: Duration = Duration::from_millis(200);

fn open(address: &str) -> Result<Connection, DatabaseError> {
    Connection::open(&Login::new(Address::parse(address), "root"), DEADLINE)
}

#[test]
fn a_listener_that_says_nothing_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = open(&listener.local_addr().unwrap().to_string()).err().unwrap();
    assert!(error.to_string().contains("no answer within 200 ms"), "{error}");
    assert_eq!(error.code(), None);
}

#[test]
fn a_socket_whose_queue_is_full_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.sock");
    use rustix::net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
    };
    let socket =
        || socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK, None).unwrap();
    let (listener, address) = (socket(), SocketAddrUnix::new(&path).unwrap());
    bind(&listener, &address).unwrap();
    listen(&listener, 0).unwrap();
    let clients: Vec<_> =
        std::iter::repeat_with(socket).take_while(|client| connect(client, &address).is_ok()).collect();
    let error = open(&path.display().to_string()).err().unwrap();
    assert!(error.to_string().contains("no answer within"), "{error}");
    drop(clients);
}

#[test]
fn nobody_there_is_said_at_once() {
    let error = open("/no/such/socket").err().unwrap();
    assert!(matches!(error, DatabaseError::Connect { code: None, .. }), "{error}");
}

/// Packets of a server that lets everybody in and then says what it is told to say.
fn let_in(client: &mut std::os::unix::net::UnixStream) {
    let mut greeting = vec![10];
    greeting.extend_from_slice(b"5.5.5-10.11.6-MariaDB\0\x01\0\0\0abcdefgh\0\xff\xf7\x21\x02\0\xff\x81\x15");
    greeting.extend_from_slice(b"\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0mysql_native_password\0");
    client.write_all(&packet(0, &greeting)).unwrap();
    let mut answer = [0; 4096];
    assert!(client.read(&mut answer).unwrap() > 0);
    client.write_all(&packet(2, b"\0\0\0\x02\0\0\0")).unwrap();
    assert!(client.read(&mut answer).unwrap() > 0);
}

fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
    [&length[..3], &[number], payload].concat()
}

#[test]
fn a_server_that_falls_silent_within_an_answer_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let_in(&mut client);
        // Until the client hangs up.
        while client.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
    });
    let mut connection = open(&path.display().to_string()).unwrap();
    let error = connection.query("SELECT 1").unwrap_err();
    assert!(matches!(error, DatabaseError::Broken { .. }), "{error}");
    drop(connection);
    server.join().unwrap();
}
