//! What kept a request from being answered, in the words that a report uses.

use std::borrow::Cow;
use std::error::Error;
use std::io;

use rustix::io::Errno;

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Failure(pub(super) Cow<'static, str>);

impl Failure {
    /// Every connection was busy until it was too late to send.
    pub(super) const NEVER_SENT: Self = Self(Cow::Borrowed("never sent"));
    /// Sent, and not answered in time.
    pub(super) const TIMED_OUT: Self = Self(Cow::Borrowed("timed out"));
    /// No connection came about in time.
    pub(super) const CONNECT_TIMED_OUT: Self = Self(Cow::Borrowed("connect timed out"));
    /// The user ended the load while it was outstanding.
    pub(super) const CUT_SHORT: Self = Self(Cow::Borrowed("outstanding at the end"));
    /// TLS came about, and the server does not speak what was asked for.
    pub(super) const NO_HTTP2: Self = Self(Cow::Borrowed("HTTP/2 not offered by the server"));

    /// A connection that did not come about.
    pub(super) fn of_connect(error: &io::Error) -> Self {
        if let Some(tls) = inner::<rustls::Error>(error) {
            return Self::of_tls(tls);
        }
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::TIMEDOUT) => Self::CONNECT_TIMED_OUT,
            _ if error.kind() == io::ErrorKind::UnexpectedEof => named("closed during the TLS handshake"),
            _ => Self::of_io(error),
        }
    }

    /// An exchange that broke off.
    pub(super) fn of_exchange(error: &hyper::Error) -> Self {
        if let Some(error) = inner::<h2::Error>(error) {
            return match (error.get_io(), error.reason()) {
                (Some(io), _) => Self::of_io(io),
                (None, Some(reason)) => Self(format!("HTTP/2: {}", reason.description()).into()),
                (None, None) => Self(format!("HTTP/2: {error}").into()),
            };
        }
        if let Some(io) = inner::<io::Error>(error) {
            return match inner::<rustls::Error>(io) {
                Some(tls) => Self::of_tls(tls),
                None => Self::of_io(io),
            };
        }
        named(match error {
            _ if error.is_incomplete_message() => "closed without a whole answer",
            _ if error.is_parse() => "not an HTTP answer",
            _ if error.is_canceled() || error.is_closed() => "connection closed",
            _ => return Self(format!("HTTP: {error}").into()),
        })
    }

    fn of_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(_) => named("certificate not trusted"),
            error => Self(format!("TLS: {error}").into()),
        }
    }

    fn of_io(error: &io::Error) -> Self {
        let Some(errno) = error.raw_os_error().map(Errno::from_raw_os_error) else {
            return match error.kind() {
                io::ErrorKind::UnexpectedEof => named("closed without a whole answer"),
                kind => Self(kind.to_string().into()),
            };
        };
        named(match errno {
            Errno::CONNREFUSED => "connection refused",
            Errno::ADDRNOTAVAIL => "no local port",
            Errno::CONNRESET | Errno::PIPE => "connection reset",
            Errno::TIMEDOUT => "timed out",
            Errno::HOSTUNREACH => "host unreachable",
            Errno::NETUNREACH => "network unreachable",
            Errno::MFILE | Errno::NFILE => "no file descriptor",
            Errno::NOBUFS | Errno::NOMEM => "no memory for a socket",
            Errno::PERM | Errno::ACCESS => "forbidden by this host",
            _ => return Self(error.to_string().into()),
        })
    }
}

fn named(name: &'static str) -> Failure {
    Failure(Cow::Borrowed(name))
}

/// The first error of type `E` among an error's causes; what an [`io::Error`] wraps is one of them.
fn inner<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut cause = match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|wrapped| wrapped as &(dyn Error + 'static)),
        None => error.source(),
    };
    while let Some(this) = cause {
        if let Some(found) = this.downcast_ref::<E>() {
            return Some(found);
        }
        cause = match this.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|wrapped| wrapped as &(dyn Error + 'static)),
            None => this.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_of_a_connection_is_said_in_the_words_of_the_field() {
        for (errno, name) in [
            (Errno::CONNREFUSED, "connection refused"),
            (Errno::ADDRNOTAVAIL, "no local port"),
            (Errno::CONNRESET, "connection reset"),
            (Errno::TIMEDOUT, "connect timed out"),
            (Errno::NETUNREACH, "network unreachable"),
            (Errno::MFILE, "no file descriptor"),
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            assert_eq!(Failure::of_connect(&error).0, name);
        }
    }

    #[test]
    fn a_certificate_that_nobody_vouches_for_is_not_a_broken_connection() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let error = io::Error::new(io::ErrorKind::InvalidData, tls);
        assert_eq!(Failure::of_connect(&error).0, "certificate not trusted");
    }
}
