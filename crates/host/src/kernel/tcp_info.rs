//! `struct tcp_info`, read in place.
//!
//! Offsets are those of kernel `include/uapi/linux/tcp.h`; the structure only ever grows at its end, so a field
//! past the end of an older kernel's answer is `None`.

use std::net::SocketAddr;

use super::TcpDetail;
use super::netlink::{u32_at, u64_at};

const UNACKED: usize = 24;
const LOST: usize = 32;
const LAST_DATA_SENT: usize = 44;
const RTT: usize = 68;
const RTT_VARIANCE: usize = 72;
const CONGESTION_WINDOW: usize = 80;
const TOTAL_RETRANSMITS: usize = 100;
const BYTES_ACKED: usize = 120;
const SEGMENTS_OUT: usize = 136;
const DELIVERY_RATE: usize = 160;
const BUSY_TIME: usize = 168;
const RECEIVE_WINDOW_LIMITED: usize = 176;
const SEND_BUFFER_LIMITED: usize = 184;

/// `TCP_CA_NAME_MAX` of the kernel.
const CONGESTION_CONTROL_BYTES: usize = 16;

/// A congestion control's name as the kernel writes it, padded with NUL.
pub(super) type CongestionControl = [u8; CONGESTION_CONTROL_BYTES];

/// Copies a congestion control's name; anything longer than the kernel allows is cut.
pub(super) fn congestion_control(value: &[u8]) -> CongestionControl {
    let mut name = CongestionControl::default();
    for (into, &byte) in name.iter_mut().zip(value.iter().take_while(|&&byte| byte != 0)) {
        *into = byte;
    }
    name
}

/// The fields narrows uses, without any allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TcpInfo {
    pub(super) rtt_us: u32,
    pub(super) rtt_variance_us: u32,
    pub(super) congestion_window: u32,
    pub(super) retransmits_total: u32,
    pub(super) lost: u32,
    pub(super) unacked: u32,
    pub(super) last_send_ms: Option<u32>,
    pub(super) segments_out: Option<u32>,
    pub(super) bytes_acked: Option<u64>,
    pub(super) busy_us: Option<u64>,
    pub(super) receive_window_limited_us: Option<u64>,
    pub(super) send_buffer_limited_us: Option<u64>,
    pub(super) delivery_rate_bytes_per_s: Option<u64>,
}

impl TcpInfo {
    /// Reads the structure; `None` if it ends before the fields that every kernel since 2.6 has.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            rtt_us: u32_at(bytes, RTT)?,
            rtt_variance_us: u32_at(bytes, RTT_VARIANCE)?,
            congestion_window: u32_at(bytes, CONGESTION_WINDOW)?,
            retransmits_total: u32_at(bytes, TOTAL_RETRANSMITS)?,
            lost: u32_at(bytes, LOST)?,
            unacked: u32_at(bytes, UNACKED)?,
            last_send_ms: u32_at(bytes, LAST_DATA_SENT),
            segments_out: u32_at(bytes, SEGMENTS_OUT),
            bytes_acked: u64_at(bytes, BYTES_ACKED),
            busy_us: u64_at(bytes, BUSY_TIME),
            receive_window_limited_us: u64_at(bytes, RECEIVE_WINDOW_LIMITED),
            send_buffer_limited_us: u64_at(bytes, SEND_BUFFER_LIMITED),
            delivery_rate_bytes_per_s: u64_at(bytes, DELIVERY_RATE),
        })
    }

    /// Writes out one connection for the report.
    pub(super) fn detail(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        state: &str,
        congestion_control: Option<String>,
    ) -> TcpDetail {
        TcpDetail {
            local: local.to_string(),
            remote: remote.to_string(),
            state: state.to_owned(),
            congestion_control,
            rtt_us: self.rtt_us,
            rtt_variance_us: self.rtt_variance_us,
            congestion_window: self.congestion_window,
            retransmits_total: self.retransmits_total,
            segments_out: self.segments_out.map(u64::from),
            lost: self.lost,
            unacked: self.unacked,
            bytes_acked: self.bytes_acked,
            busy_us: self.busy_us,
            receive_window_limited_us: self.receive_window_limited_us,
            send_buffer_limited_us: self.send_buffer_limited_us,
            last_send_ms: self.last_send_ms,
            delivery_rate_bytes_per_s: self.delivery_rate_bytes_per_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_older_kernels_shorter_structure_leaves_the_later_fields_out() {
        let mut bytes = vec![0; 104];
        bytes[RTT..RTT + 4].copy_from_slice(&1234_u32.to_ne_bytes());
        let info = TcpInfo::parse(&bytes).unwrap();
        assert_eq!(info.rtt_us, 1234);
        assert_eq!((info.segments_out, info.bytes_acked, info.busy_us), (None, None, None));
        assert_eq!(TcpInfo::parse(&bytes[..103]), None);
    }

    #[test]
    fn the_offsets_are_those_of_the_c_structure() {
        use std::mem::offset_of;
        type C = libc::tcp_info;
        assert_eq!(UNACKED, offset_of!(C, tcpi_unacked));
        assert_eq!(LOST, offset_of!(C, tcpi_lost));
        assert_eq!(LAST_DATA_SENT, offset_of!(C, tcpi_last_data_sent));
        assert_eq!(RTT, offset_of!(C, tcpi_rtt));
        assert_eq!(RTT_VARIANCE, offset_of!(C, tcpi_rttvar));
        assert_eq!(CONGESTION_WINDOW, offset_of!(C, tcpi_snd_cwnd));
        assert_eq!(TOTAL_RETRANSMITS, offset_of!(C, tcpi_total_retrans));
    }

    proptest! {
        #[test]
        fn a_name_is_read_back(name in "[a-z]{1,15}") {
            let read = congestion_control(name.as_bytes());
            prop_assert_eq!(super::super::netlink::text(&read), name);
        }
    }
}
