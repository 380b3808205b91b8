//! A client that runs out of local ports, found, planned for, proved and kept by narrows, whose own load it is.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;

use lab::site::Site;

use super::world::proved;
use crate::faults::netns::VethPair;
use crate::faults::{Attempt, Result};

const CAUSE: &str = "sockets.ephemeral-ports-exhausted";
const REUSE: &str = "net.ipv4.tcp_tw_reuse";
/// Without connections that stay open, three seconds of this use up all of 100 ports; with reuse after a second none lacks.
const LOAD: &[&str] = &["--rate", "50", "--no-keepalive", "--timeout", "2s", "--warm-up", "3s"];

/// A web server that answers and waits for the client to close.
fn serve(pair: &VethPair) -> Result<()> {
    let listen =
        || TcpListener::bind((Ipv4Addr::UNSPECIFIED, 8080)).attempt(|| "listen on port 8080".to_owned());
    let listener = pair.right.run(listen)?;
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                let read = connection.read(&mut request).unwrap_or(0);
                if read > 0
                    && connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n").is_ok()
                {
                    let _ = connection.read(&mut request);
                }
            });
        }
    });
    Ok(())
}

#[test]
fn a_site_without_ports_is_given_them_back_and_the_proof_is_in_its_answers() -> Result<()> {
    let pair = VethPair::create(&[])?;
    pair.left.set("net/ipv4/ip_local_port_range", "40000 40099")?;
    serve(&pair)?;
    let site = Site::own(&pair.left)?;
    let url = format!("http://{}:8080/", Ipv4Addr::from(VethPair::RIGHT));
    let mut load = site.command(lab::narrows::program()?);
    load.args(["prove", "--load", &url, "--for", "60s"])
        .args(LOAD)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut load = load.spawn().attempt(|| "start a load".to_owned())?;
    let third = format!("{CAUSE}=3");
    let planned = crate::faults::wait::wait_for("a plan", || {
        let plan = site.plan(&["--for", "1s", "--only", CAUSE, "--remedy", &third])?;
        Ok((!plan.changes.is_empty()).then_some(plan))
    });
    load.kill().and_then(|()| load.wait()).attempt(|| "end the load".to_owned())?;
    assert_eq!(planned?.changes[0].id, REUSE);
    let options = [&["--load", &url, "--for", "1s"], LOAD].concat();
    let (code, proof) = proved(site.prove(&options)?.output().attempt(|| "run narrows prove".to_owned())?)?;
    assert_eq!((code, &proof["verdict"]), (Some(0), &"kept".into()), "{proof:#}");
    let primary = &proof["primary"];
    assert_eq!(primary["name"], "failed", "where most requests fail, no 99th percentile is looked at");
    assert!(primary["without"].as_f64() > Some(0.5) && primary["with"].as_f64() < Some(0.2), "{proof:#}");
    println!("{:#}", proof["causes"]);
    assert_eq!(site.parameter(REUSE)?, "1");
    site.undo()?;
    assert_eq!(site.parameter(REUSE)?, "2");
    Ok(())
}
