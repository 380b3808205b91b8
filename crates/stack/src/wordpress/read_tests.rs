use host::Tree;

use super::*;

const MOUNTINFO: &str = "22 1 254:0 / / rw - ext4 /dev/vda rw
30 22 0:30 / /srv/shared rw - nfs4 web:/srv rw
";

fn read_all(files: &[(&str, &str)], links: &[(&str, &str)], roots: &[&str]) -> Facts {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/proc/self/mountinfo", MOUNTINFO);
    files.iter().for_each(|(path, text)| tree.put(0, path, *text));
    links.iter().for_each(|(path, target)| tree.put_link(0, path, target));
    let roots: Vec<_> = roots.iter().map(|&root| root.to_owned()).collect();
    read_below(&tree.at(0), &roots).unwrap()
}

const CONFIG: &str = "<?php
define( 'DB_PASSWORD', 'hunter2' );
define( 'AUTH_KEY', 'hunter3' );
define( 'SMTP_LOGIN', 'hunter4' );
define( 'WP_HOME', 'https://bob:hunter5@shop.example' );
define( 'WP_MEMORY_LIMIT', '256M' );
require __DIR__ . '/local.php';
define( 'DISABLE_WP_CRON', false );
if ( getenv('STAGE') ) { define( 'WP_DEBUG', true ); }
define( 'WP_DEBUG', false );
require_once ABSPATH . 'wp-settings.php';
";

#[test]
fn a_site_says_its_version_constants_plugins_and_drop_ins_and_no_secret() {
    let facts = read_all(
        &[
            ("/srv/shop/public/index.php", ""),
            ("/srv/shop/public/wp/wp-load.php", ""),
            ("/srv/shop/public/wp/wp-includes/version.php", "<?php\n$wp_version = '6.1.9';\n"),
            ("/srv/shop/public/wp-config.php", CONFIG),
            ("/srv/shop/public/local.php", "<?php define('DISABLE_WP_CRON', true);"),
            ("/srv/shop/public/wp/wp-content/object-cache.php", ""),
            ("/srv/shop/public/wp/wp-content/plugins/index.php", ""),
            ("/srv/shop/public/wp/wp-content/plugins/woocommerce/woocommerce.php", ""),
            ("/srv/shop/public/wp/wp-content/mu-plugins/a.php", ""),
        ],
        &[],
        &["/srv/shop/public", "/srv/none"],
    );
    let [site] = &facts.sites[..] else { panic!("{facts:#?}") };
    assert_eq!(site.root, "/srv/shop/public/wp");
    assert_eq!(site.config_file.as_deref(), Some("/srv/shop/public/wp-config.php"));
    assert_eq!(site.version.as_deref(), Some("6.1.9"));
    assert_eq!(site.plugins, ["woocommerce", "mu-plugins/a.php"]);
    assert_eq!(site.drop_ins, ["object-cache.php"]);
    assert_eq!(site.is_true("DISABLE_WP_CRON"), Some(true), "the first definition counts");
    assert_eq!(site.constants["DISABLE_WP_CRON"].file, "/srv/shop/public/local.php");
    assert_eq!(site.is_true("WP_DEBUG"), None, "only running PHP could tell");
    assert_eq!(site.constants["WP_MEMORY_LIMIT"].value.as_deref(), Some("256M"));
    assert!(!serde_json::to_string(&facts).unwrap().contains("hunter"), "{facts:#?}");
}

#[test]
fn the_package_of_debian_has_a_site_for_each_configuration() {
    let config = "<?php
$debian_file = '/etc/wordpress/config-'.$debian_server.'.php';
if (file_exists($debian_file)) { require_once($debian_file); }
elseif (file_exists(\"/etc/wordpress/config-default.php\")) { require_once(\"/etc/wordpress/config-default.php\"); }
if (!defined('WP_CONTENT_DIR')) define('WP_CONTENT_DIR', '/var/lib/wordpress/wp-content');
";
    let facts = read_all(
        &[
            ("/usr/share/wordpress/wp-load.php", ""),
            ("/usr/share/wordpress/wp-config.php", config),
            ("/etc/wordpress/config-blog.example.php", "<?php define('DISABLE_WP_CRON', true);"),
            ("/etc/wordpress/config-default.php", "<?php define('WP_DEBUG', false);"),
            ("/etc/wordpress/htaccess", ""),
            ("/var/lib/wordpress/wp-content/plugins/akismet/akismet.php", ""),
        ],
        &[("/var/www/html", "/usr/share/wordpress")],
        &["/var/www/html", "/usr/share/wordpress"],
    );
    let titles: Vec<_> = facts.sites.iter().map(Site::title).collect();
    assert_eq!(titles, ["/usr/share/wordpress (blog.example)", "/usr/share/wordpress (default)"]);
    let [blog, default] = &facts.sites[..] else { panic!() };
    assert_eq!(blog.config_file.as_deref(), Some("/etc/wordpress/config-blog.example.php"));
    assert_eq!((blog.is_true("DISABLE_WP_CRON"), default.is_true("DISABLE_WP_CRON")), (Some(true), None));
    assert_eq!(blog.plugins, ["akismet"]);
}

#[test]
fn nothing_on_a_network_mount_is_touched() {
    let facts = read_all(
        &[("/srv/shared/site/wp-load.php", "")],
        &[("/var/www/site", "/srv/shared/site")],
        &["/var/www/site"],
    );
    assert!(facts.sites.is_empty());
    assert!(facts.unread[0].why.contains("/var/www/site lies on nfs4 (/srv/shared/site)"), "{facts:#?}");
}
