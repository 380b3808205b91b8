//! What can be wrong in this layer, one file each.

use crate::Cause;

mod cache_key_incomplete;
mod cache_leaks_cookies;
mod cache_serves_logged_in;
mod cache_stampede;
mod cache_unbounded;
mod early_data_replayed;
mod fastcgi_buffers_exceed_memory;
mod fastcgi_temp_file_off;
mod headers_lost;
mod http_to_fastcgi;
mod try_files_hides_script;

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
];
