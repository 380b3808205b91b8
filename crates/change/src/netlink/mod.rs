//! Requests that change the kernel's tables over `NETLINK_ROUTE`. The crate `host` asks; only this module tells.
//!
//! Layouts: `include/uapi/linux/netlink.h`, man 7 netlink.

pub(crate) mod traffic_control;

use std::io;
use std::time::Duration;

use host::kernel::netlink::{Attributes, Message, Messages, encode_message, text, u32_at};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with, sockopt,
};

const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
/// The error answer ends with attributes (`NLM_F_ACK_TLVS`).
const NLM_F_ACK_TLVS: u16 = 0x200;
/// The error answer holds only the header of the request (`NLM_F_CAPPED`).
const NLM_F_CAPPED: u16 = 0x100;
const NLMSG_ERROR: u16 = 2;
const NLMSGERR_ATTR_MSG: u16 = 1;
const HEADER_BYTES: usize = 16;
const SEQUENCE: u32 = 1;
/// The kernel acts before it answers, under its network lock, which a driver may hold for long.
const DEADLINE: Duration = Duration::from_secs(30);

/// What the kernel answered to a request that it refused.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The errno.
    pub(crate) error: io::Error,
    /// The kernel's own words, where it gave any (extended acknowledgement).
    pub(crate) said: Option<String>,
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        Self { error: errno.into(), said: None }
    }
}

/// Sends one request in the calling thread's network namespace and waits until the kernel has carried it out.
pub(crate) fn request(kind: u16, flags: u16, body: &[u8]) -> Result<(), Refused> {
    // Protocol 0 is NETLINK_ROUTE.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(DEADLINE))?;
    explain_errors(&socket);
    send(
        &socket,
        &encode_message(kind, flags | NLM_F_REQUEST | NLM_F_ACK, SEQUENCE, body),
        SendFlags::empty(),
    )?;
    let mut buffer = vec![0; 32 << 10];
    loop {
        let length = match recv(&socket, buffer.as_mut_slice(), RecvFlags::empty()) {
            Err(Errno::INTR) => continue,
            Err(Errno::AGAIN) => return Err(Errno::TIMEDOUT.into()),
            answer => answer?.0,
        };
        if let Some(answer) = acknowledgement(buffer.get(..length).unwrap_or_default()) {
            return answer;
        }
    }
}

/// Asks for the kernel's own words with each refusal. Kernels before 4.12 have none; the errno remains.
fn explain_errors(socket: &impl std::os::fd::AsRawFd) {
    let on: libc::c_int = 1;
    for option in [libc::NETLINK_EXT_ACK, libc::NETLINK_CAP_ACK] {
        // SAFETY: the descriptor is open for the life of `socket`; the kernel reads `on`, whose size is given.
        unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_NETLINK,
                option,
                (&raw const on).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            );
        }
    }
}

/// The answer to the request in one datagram; `None` if it holds none.
fn acknowledgement(datagram: &[u8]) -> Option<Result<(), Refused>> {
    let answer = Messages::new(datagram)
        .map_while(Result::ok)
        .find(|message| message.sequence == SEQUENCE && message.kind == NLMSG_ERROR)?;
    let status = u32_at(answer.payload, 0)?.cast_signed();
    if status == 0 {
        return Some(Ok(()));
    }
    let error = io::Error::from_raw_os_error(status.saturating_neg());
    Some(Err(Refused { error, said: words(&answer) }))
}

/// The text behind `struct nlmsgerr`: an errno, and the request or only its header.
fn words(answer: &Message<'_>) -> Option<String> {
    if answer.flags & NLM_F_ACK_TLVS == 0 {
        return None;
    }
    let echoed = match answer.flags & NLM_F_CAPPED {
        0 => usize::try_from(u32_at(answer.payload, 4)?).ok()?.checked_next_multiple_of(4)?,
        _ => HEADER_BYTES,
    };
    let attributes = answer.payload.get(echoed.checked_add(4)?..)?;
    Attributes::new(attributes)
        .map_while(Result::ok)
        .find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG)
        .map(|(_, value)| text(value))
}

#[cfg(test)]
mod tests {
    use host::kernel::netlink::encode_attribute;

    use super::*;

    fn answer(flags: u16, status: i32, echoed: &[u8], said: &[u8]) -> Vec<u8> {
        let mut body = [&status.to_ne_bytes(), echoed].concat();
        encode_attribute(&mut body, NLMSGERR_ATTR_MSG, said);
        encode_message(NLMSG_ERROR, flags, SEQUENCE, &body)
    }

    #[test]
    fn a_refusal_carries_the_errno_and_the_kernels_words() {
        let request = encode_message(36, 0, SEQUENCE, &[0; 24]);
        for (flags, echoed) in
            [(NLM_F_ACK_TLVS | NLM_F_CAPPED, &request[..16]), (NLM_F_ACK_TLVS, &request[..])]
        {
            let refused = acknowledgement(&answer(flags, -libc::ENOENT, echoed, b"no such kind\0"));
            let refused = refused.unwrap().unwrap_err();
            assert_eq!(refused.error.raw_os_error(), Some(libc::ENOENT));
            assert_eq!(refused.said.as_deref(), Some("no such kind"));
        }
        assert!(acknowledgement(&answer(0, 0, &request, b"")).unwrap().is_ok());
    }

    #[test]
    fn an_answer_to_something_else_is_no_answer() {
        assert!(acknowledgement(&encode_message(NLMSG_ERROR, 0, SEQUENCE + 1, &[0; 20])).is_none());
        assert!(acknowledgement(&[1, 2, 3]).is_none());
    }

    #[test]
    fn a_request_for_an_interface_that_does_not_exist_is_refused() {
        let refused = traffic_control::attach_root(u32::MAX >> 1, "pfifo", 0x4e41_0000, &[]).unwrap_err();
        assert_eq!(refused.error.raw_os_error(), Some(libc::ENODEV));
    }
}
