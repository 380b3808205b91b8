//! What can be wrong in this layer, one file each.

mod buffers_mismatched;
mod cache_key_incomplete;
mod cache_leaks_cookies;
mod cache_serves_logged_in;
mod cache_stampede;
mod cache_unbounded;
mod compression_off;
mod connections_exhausted;
mod descriptors_short;
mod early_data_replayed;
mod fastcgi_buffers_exceed_memory;
mod fastcgi_temp_file_off;
mod file_cache_off;
mod headers_lost;
mod http_to_fastcgi;
mod keepalive_off;
mod listen_backlog_capped;
mod logs_unbuffered;
mod sendfile_off;
mod static_without_expiry;
mod tls_sessions_off;
mod try_files_hides_script;
mod workers_mismatch;
mod zones_mismatched;

use crate::Cause;

/// Every cause of the layer.
pub(super) const CAUSES: &[&Cause] = &[
    &cache_key_incomplete::CAUSE,
    &cache_leaks_cookies::CAUSE,
    &cache_serves_logged_in::CAUSE,
    &cache_stampede::CAUSE,
    &cache_unbounded::CAUSE,
    &early_data_replayed::CAUSE,
    &fastcgi_buffers_exceed_memory::CAUSE,
    &fastcgi_temp_file_off::CAUSE,
    &headers_lost::CAUSE,
    &http_to_fastcgi::CAUSE,
    &try_files_hides_script::CAUSE,
    &connections_exhausted::CAUSE,
    &descriptors_short::CAUSE,
    &workers_mismatch::CAUSE,
    &sendfile_off::CAUSE,
    &keepalive_off::CAUSE,
    &compression_off::CAUSE,
    &logs_unbuffered::CAUSE,
    &buffers_mismatched::CAUSE,
    &zones_mismatched::CAUSE,
    &file_cache_off::CAUSE,
    &static_without_expiry::CAUSE,
    &tls_sessions_off::CAUSE,
    &listen_backlog_capped::CAUSE,
];
