use std::path::Path;

/// How nginx is told to cache the pages of PHP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageCache {
    /// Ten seconds of life, and nothing that serves the old page while a new one is made: whoever comes when it has
    /// expired asks PHP.
    Stampede,
    /// As a guide prints it: the old page is served meanwhile, and `Set-Cookie` is ignored, so that a page is stored with
    /// the cookie of the first visitor.
    CookieLeak,
    /// The old page is served meanwhile, `Set-Cookie` is heeded, cookies of visitors who are logged in pass it by.
    Healthy,
}

/// Directives of the block `http`: the log, the cache in a folder of `folder`, and who passes it by.
pub fn http(folder: &Path, kind: PageCache) -> String {
    let shown = folder.display();
    let ignored = match kind {
        PageCache::CookieLeak => "    fastcgi_ignore_headers Cache-Control Expires Set-Cookie;\n",
        PageCache::Stampede | PageCache::Healthy => "",
    };
    format!(
        "    log_format cached '$remote_addr - - [$time_local] \"$request\" $status $body_bytes_sent '\n\
         \x20                     '$request_time $upstream_response_time $upstream_cache_status';\n\
         \x20   access_log {shown}/access.log cached;\n\
         \x20   fastcgi_cache_path {shown}/cache levels=1:2 keys_zone=PAGES:10m max_size=64m inactive=60m \
         use_temp_path=off;\n\
         \x20   fastcgi_cache_key \"$scheme$request_method$host$request_uri\";\n{ignored}\
         \x20   map $http_cookie $passes_by {{\n        default 0;\n        \
         \"~(wordpress_logged_in_|wp-postpass_|comment_author_|woocommerce_items_in_cart)\" 1;\n    }}\n"
    )
}

/// Directives of the block `server`: every page is `index.php` of `folder`, made by the pool that listens on `socket`.
pub fn server(folder: &Path, socket: &str, kind: PageCache, life: &str) -> String {
    let shown = folder.display();
    let meanwhile = match kind {
        PageCache::Stampede => "",
        PageCache::CookieLeak | PageCache::Healthy => {
            "            fastcgi_cache_use_stale error timeout updating http_500 http_503;\n\
             \x20           fastcgi_cache_background_update on;\n\
             \x20           fastcgi_cache_lock on;\n"
        }
    };
    format!(
        "        listen 80 backlog=4096;\n        root {shown};\n        location / {{\n\
         \x20           include /etc/nginx/fastcgi_params;\n\
         \x20           fastcgi_param SCRIPT_FILENAME {shown}/index.php;\n\
         \x20           fastcgi_pass unix:{socket};\n\
         \x20           fastcgi_cache PAGES;\n\
         \x20           fastcgi_cache_valid 200 {life};\n\
         \x20           fastcgi_cache_bypass $passes_by;\n\
         \x20           fastcgi_no_cache $passes_by;\n{meanwhile}\
         \x20           add_header X-Cache-Status $upstream_cache_status always;\n        }}\n"
    )
}
