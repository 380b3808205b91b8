#!/usr/bin/env python3
"""Makes synthetic slow logs: what MySQL, MariaDB and Percona Server would write below a WordPress shop. No log of a real site is in it.

usage: slow_log.py --flavor mysql8|mysql8extra|mariadb|mariadb-full|percona --size-mb N --seed S --out FILE
                      [--truth FILE]   (JSON: template name -> events, sum of query_time in microseconds)
                      [--inject-restart] mid-file server header blocks (log rotation / restart), default on
No third party modules; same seed + flavor + size => same bytes on any CPython 3.8+.
"""
import argparse, json, math, random, sys, time

ap = argparse.ArgumentParser()
ap.add_argument('--flavor', default='mysql8')
ap.add_argument('--size-mb', type=float, default=256)
ap.add_argument('--seed', type=int, default=20240301)
ap.add_argument('--out', required=True)
ap.add_argument('--truth')
ap.add_argument('--no-restart', action='store_true')
ap.add_argument('--tame', action='store_true', help='no mid-file header, no IPv6/odd hosts, no admin commands: what fragile peers survive')
A = ap.parse_args()
R = random.Random(A.seed)
ri, ch, rnd = R.randrange, R.choice, R.random

WORDS = ("red blue green shirt shoes lamp table cotton leather wool vintage sale summer winter "
         "phone case laptop cable usb charger kids women men jacket coffee mug poster print oil candle soap "
         "garden tool drill saw hammer nail paint brush canvas guitar string drum piano book novel comic "
         "café naïve größe señor 日本 смотреть O\\'Brien rock\\'n\\'roll").split()
POST_TYPES = ['post', 'page', 'product', 'product_variation', 'shop_order', 'attachment', 'revision', 'nav_menu_item', 'shop_coupon']
STATUS = ['publish', 'draft', 'private', 'pending', 'wc-completed', 'wc-processing', 'wc-on-hold', 'wc-refunded', 'inherit']
META = ['_price', '_regular_price', '_sku', '_stock', '_stock_status', '_thumbnail_id', '_edit_lock', '_wp_page_template',
        '_customer_user', '_order_total', '_billing_email', '_shipping_address_index', 'total_sales', '_wc_average_rating']
DBS = ['wp_shop', 'wp_blog', 'wp_forum', 'wp_intranet']
DOM = ['example.com', 'mail.test', 'shop.example.org', 'gmail.invalid']


def w(n): return ' '.join(R.choices(WORDS, k=n))
def slug(): return '-'.join(c for c in R.choices(WORDS[:50], k=ri(2, 5)))
def n(a=1, b=2000000): return str(ri(a, b))
def idl(lo=2, hi=40): return ','.join([str(ri(1, 2000000)) for _ in range(ri(lo, hi))])
def idls(lo=2, hi=40): return ', '.join([str(ri(1, 2000000)) for _ in range(ri(lo, hi))])
def strl(lo=2, hi=12, pool=META): return ','.join(["'%s'" % ch(pool) for _ in range(ri(lo, hi))])
def dt(): return '%04d-%02d-%02d %02d:%02d:%02d' % (ri(2018, 2025), ri(1, 13), ri(1, 29), ri(0, 24), ri(0, 60), ri(0, 60))
def money(): return '%d.%02d' % (ri(1, 900), ri(0, 100))
def email(): return '%s%d@%s' % (ch(WORDS[:30]), ri(1, 99999), ch(DOM))
def hexs(k): return '%0*x' % (k, R.getrandbits(4 * k))
def like(): return "'%" + ch(WORDS) + "%'"
def ser(lo, hi):
    k = ri(lo, hi); out = []
    for i in range(k):
        v = w(ri(1, 9)).replace("\\'", "'")
        out.append('i:%d;a:2:{s:4:\\"name\\";s:%d:\\"%s\\";s:5:\\"price\\";d:%s;}' % (i, len(v), v.replace("'", "\\'"), money()))
    return 'a:%d:{%s}' % (k, ''.join(out))
def html(lo, hi):
    out = []
    for _ in range(ri(lo, hi)):
        out.append('<!-- wp:paragraph {\\"align\\":\\"%s\\"} -->\\n<p class=\\"c%d\\">%s</p>\\n<!-- /wp:paragraph -->' % (ch(['left', 'right']), ri(0, 99), w(ri(6, 60))))
    return '\\n\\n'.join(out)


T = []   # (name, weight_hint, median_query_time_s, rows_examined, fn)
def t(name, med, rows, fn): T.append((name, med, rows, fn))

# ---- core WordPress ---------------------------------------------------------------------------------
t('autoload', .012, 1400, lambda: "SELECT option_name, option_value FROM wp_options WHERE autoload = 'yes'")
t('option_one', .0006, 1, lambda: "SELECT option_value FROM wp_options WHERE option_name = '%s_%s' LIMIT 1" % (ch(['_transient', '_site_transient', 'theme_mods']), hexs(ri(8, 33))))
t('postmeta_in', .004, 300, lambda: "SELECT post_id, meta_key, meta_value FROM wp_postmeta WHERE post_id IN (%s) ORDER BY meta_id ASC" % idl(1, 60))
t('termmeta_in', .003, 60, lambda: "SELECT term_id, meta_key, meta_value FROM wp_termmeta WHERE term_id IN (%s) ORDER BY meta_id ASC" % idl(1, 30))
t('usermeta_in', .002, 80, lambda: "SELECT user_id, meta_key, meta_value FROM wp_usermeta WHERE user_id IN (%s) ORDER BY umeta_id ASC" % idl(1, 10))
t('post_by_id', .0008, 1, lambda: "SELECT * FROM wp_posts WHERE ID = %s LIMIT 1" % n())
t('posts_in', .005, 40, lambda: "SELECT wp_posts.* FROM wp_posts WHERE ID IN (%s)" % idl(2, 100))
t('main_loop', .35, 180000, lambda: "SELECT SQL_CALC_FOUND_ROWS  wp_posts.ID\n\t\t\t\t\tFROM wp_posts \n\t\t\t\t\tWHERE 1=1  AND ((wp_posts.post_type = '%s' AND (wp_posts.post_status = 'publish' OR wp_posts.post_status = '%s')))\n\t\t\t\t\t\n\t\t\t\t\tORDER BY wp_posts.post_date DESC\n\t\t\t\t\tLIMIT %d, %d" % (ch(POST_TYPES), ch(STATUS), ri(0, 900) * 10, ch([10, 12, 16, 20, 24])))
t('search', 1.9, 900000, lambda: "SELECT SQL_CALC_FOUND_ROWS  wp_posts.*\n FROM wp_posts  WHERE 1=1  AND (((wp_posts.post_title LIKE %s) OR (wp_posts.post_excerpt LIKE %s) OR (wp_posts.post_content LIKE %s)))  AND (wp_posts.post_password = '')  AND wp_posts.post_type IN ('post', 'page', 'attachment', 'product') AND (wp_posts.post_status = 'publish') ORDER BY (CASE WHEN wp_posts.post_title LIKE %s THEN 1 WHEN wp_posts.post_title LIKE %s THEN 2 ELSE 6 END), wp_posts.post_date DESC LIMIT 0, %d" % (like(), like(), like(), like(), like(), ch([10, 20])))
t('meta_join', .9, 500000, lambda: "SELECT   wp_posts.ID FROM wp_posts  INNER JOIN wp_postmeta ON ( wp_posts.ID = wp_postmeta.post_id )  INNER JOIN wp_postmeta AS mt1 ON ( wp_posts.ID = mt1.post_id ) WHERE 1=1  AND ( \n  ( wp_postmeta.meta_key = '%s' AND CAST(wp_postmeta.meta_value AS SIGNED) BETWEEN '%s' AND '%s' ) \n  AND \n  ( mt1.meta_key = '%s' AND mt1.meta_value = '%s' )\n) AND wp_posts.post_type = '%s' AND ((wp_posts.post_status = 'publish')) GROUP BY wp_posts.ID ORDER BY wp_posts.menu_order ASC, wp_posts.post_title ASC LIMIT %d, %d" % (ch(META), ri(0, 100), ri(100, 9000), ch(META), w(1), ch(POST_TYPES), ri(0, 500), ch([12, 24, 48])))
t('terms_join', .006, 200, lambda: "SELECT  t.*, tt.*, tr.object_id FROM wp_terms AS t  INNER JOIN wp_term_taxonomy AS tt ON t.term_id = tt.term_id INNER JOIN wp_term_relationships AS tr ON tr.term_taxonomy_id = tt.term_taxonomy_id WHERE tt.taxonomy IN (%s) AND tr.object_id IN (%s) ORDER BY t.name ASC" % (strl(1, 6, ['category', 'post_tag', 'product_cat', 'product_tag', 'pa_color', 'pa_size', 'post_format']), idls(1, 40)))
t('count_status', .2, 90000, lambda: "SELECT post_status, COUNT( * ) AS num_posts FROM wp_posts WHERE post_type = '%s' GROUP BY post_status" % ch(POST_TYPES))
t('comments_list', .05, 5000, lambda: "SELECT SQL_CALC_FOUND_ROWS wp_comments.comment_ID FROM wp_comments  WHERE ( comment_approved = '1' ) AND comment_post_ID = %s AND comment_parent = 0 ORDER BY wp_comments.comment_date_gmt ASC, wp_comments.comment_ID ASC LIMIT %d,%d" % (n(), ri(0, 40), ch([20, 50])))
t('comment_insert', .004, 0, lambda: "INSERT INTO `wp_comments` (`comment_post_ID`, `comment_author_IP`, `comment_author`, `comment_author_email`, `comment_content`, `comment_date`, `comment_karma`, `comment_approved`, `comment_agent`, `user_id`) VALUES (%s, '%d.%d.%d.%d', '%s', '%s', '%s', '%s', 0, '%s', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', %s)" % (n(), ri(1, 255), ri(0, 255), ri(0, 255), ri(0, 255), w(2), email(), w(ri(5, 120)), dt(), ch('01'), n(0, 9999)))
t('opt_update_big', .03, 1, lambda: "UPDATE `wp_options` SET `option_value` = '%s' WHERE `option_name` = '_transient_wc_%s'" % (ser(5, 160), hexs(32)))
t('opt_insert_dup', .02, 0, lambda: "INSERT INTO `wp_options` (`option_name`, `option_value`, `autoload`) VALUES ('_transient_%s', '%s', 'no') ON DUPLICATE KEY UPDATE `option_name` = VALUES(`option_name`), `option_value` = VALUES(`option_value`), `autoload` = VALUES(`autoload`)" % (hexs(32), ser(3, 120)))
t('meta_insert', .002, 0, lambda: "INSERT INTO `wp_postmeta` (`post_id`, `meta_key`, `meta_value`) VALUES (%s, '%s', '%s')" % (n(), ch(META), ser(0, 20) if rnd() < .3 else n()))
t('meta_insert_multi', .01, 0, lambda: "INSERT INTO wp_postmeta (post_id, meta_key, meta_value) VALUES " + ', '.join("(%s, '%s', '%s')" % (n(), ch(META), n()) for _ in range(ri(2, 60))))
t('meta_update', .002, 2, lambda: "UPDATE `wp_postmeta` SET `meta_value` = '%s' WHERE `post_id` = %s AND `meta_key` = '%s'" % (n(), n(), ch(META)))
t('post_update', .01, 1, lambda: "UPDATE `wp_posts` SET `post_author` = %s, `post_date` = '%s', `post_content` = '%s', `post_title` = '%s', `post_status` = '%s', `post_name` = '%s', `post_modified` = '%s', `post_modified_gmt` = '%s', `post_parent` = 0, `menu_order` = 0 WHERE `ID` = %s" % (n(1, 50), dt(), html(2, 20), w(5), ch(STATUS), slug(), dt(), dt(), n()))
t('revision_insert', .01, 0, lambda: "INSERT INTO `wp_posts` (`post_author`, `post_date`, `post_date_gmt`, `post_content`, `post_title`, `post_excerpt`, `post_status`, `post_type`, `post_name`, `post_parent`, `guid`) VALUES (%s, '%s', '%s', '%s', '%s', '', 'inherit', 'revision', '%s-revision-v1', %s, 'https://shop.example.org/?p=%s')" % (n(1, 50), dt(), dt(), html(2, 30), w(6), n(), n(), n()))
t('delete_transient', .05, 3000, lambda: "DELETE a, b FROM wp_options a, wp_options b\n\t\t\tWHERE a.option_name LIKE '\\\\_transient\\\\_%%'\n\t\t\tAND a.option_name NOT LIKE '\\\\_transient\\\\_timeout\\\\_%%'\n\t\t\tAND b.option_name = CONCAT( '_transient_timeout_', SUBSTRING( a.option_name, 12 ) )\n\t\t\tAND b.option_value < %d" % ri(1500000000, 1760000000))
t('user_by_login', .0009, 1, lambda: "SELECT * FROM wp_users WHERE user_login = '%s' LIMIT 1" % email())
t('users_role', .4, 60000, lambda: "SELECT wp_users.ID,wp_users.user_login,wp_users.display_name\nFROM wp_users INNER JOIN wp_usermeta ON ( wp_users.ID = wp_usermeta.user_id )\nWHERE 1=1 AND ( ( wp_usermeta.meta_key = 'wp_capabilities' AND wp_usermeta.meta_value LIKE '%%\\\\\"%s\\\\\"%%' ) )\nORDER BY display_name ASC" % ch(['administrator', 'customer', 'editor']))
t('next_post', .08, 20000, lambda: "SELECT p.ID FROM wp_posts AS p INNER JOIN wp_term_relationships AS tr ON p.ID = tr.object_id INNER JOIN wp_term_taxonomy tt ON tr.term_taxonomy_id = tt.term_taxonomy_id WHERE p.post_date > '%s' AND p.post_type = 'post' AND tt.taxonomy = 'category' AND tt.term_id IN (%s) AND ( p.post_status = 'publish' OR p.post_status = 'private' ) ORDER BY p.post_date ASC LIMIT 1" % (dt(), idl(1, 5)))
t('archives', .5, 200000, lambda: "SELECT YEAR(post_date) AS `year`, MONTH(post_date) AS `month`, count(ID) as posts FROM wp_posts  WHERE post_type = 'post' AND post_status = 'publish' GROUP BY YEAR(post_date), MONTH(post_date) ORDER BY post_date DESC LIMIT %d" % ch([6, 12, 24]))
t('sql_comment', .02, 400, lambda: "/* From [shop.example.org/%s] in [/wp-content/plugins/foo/class-bar.php:%d] */ SELECT COUNT(*) FROM wp_posts WHERE post_author = %s AND post_status = '%s' -- trace %s\n" % (slug(), ri(1, 900), n(1, 50), ch(STATUS), hexs(16)))
t('hash_comment', .02, 400, lambda: "SELECT meta_value # cached? no\n FROM wp_postmeta\n WHERE meta_key = \"%s\" AND post_id = %s" % (ch(META), n()))
# ---- WooCommerce ---------------------------------------------------------------------------------------
t('wc_price_filter', 1.1, 700000, lambda: "SELECT min( min_price ) as min_price, MAX( max_price ) as max_price\n\t\t\tFROM wp_wc_product_meta_lookup\n\t\t\tWHERE product_id IN (\n\t\t\t\tSELECT ID FROM wp_posts\n\t\t\t\t LEFT JOIN wp_term_relationships ON (wp_posts.ID = wp_term_relationships.object_id)\n\t\t\t\tWHERE wp_posts.post_type IN ('product')\n\t\t\t\tAND wp_posts.post_status = 'publish'\n\t\t\t\t AND wp_term_relationships.term_taxonomy_id IN (%s))" % idl(1, 9))
t('wc_lookup_upd', .003, 1, lambda: "REPLACE INTO `wp_wc_product_meta_lookup` (`product_id`, `sku`, `virtual`, `downloadable`, `min_price`, `max_price`, `onsale`, `stock_quantity`, `stock_status`, `rating_count`, `average_rating`, `total_sales`) VALUES (%s, 'SKU-%s', 0, 0, %s, %s, %d, %s, '%s', %d, '%d.%02d', %s)" % (n(), hexs(6), money(), money(), ri(0, 2), ch(['NULL', n(0, 500)]), ch(['instock', 'outofstock']), ri(0, 90), ri(1, 5), ri(0, 99), n(0, 9999)))
t('wc_order_items', .003, 6, lambda: "SELECT order_item_id, order_item_type, order_item_name FROM wp_woocommerce_order_items WHERE order_id = %s AND order_item_type = '%s' ORDER BY order_item_id" % (n(), ch(['line_item', 'tax', 'shipping', 'fee', 'coupon'])))
t('wc_itemmeta', .004, 30, lambda: "SELECT order_item_id, meta_key, meta_value, meta_id FROM wp_woocommerce_order_itemmeta WHERE order_item_id IN (%s) ORDER BY meta_id" % idl(1, 20))
t('wc_session_get', .0007, 1, lambda: "SELECT session_value FROM wp_woocommerce_sessions WHERE session_key = '%s'" % ch([n(), 't_' + hexs(30)]))
t('wc_session_put', .006, 0, lambda: "INSERT INTO wp_woocommerce_sessions (`session_key`, `session_value`, `session_expiry`) VALUES ('t_%s', '%s', %d)\n \t\t\t\tON DUPLICATE KEY UPDATE `session_value` = VALUES(`session_value`), `session_expiry` = VALUES(`session_expiry`)" % (hexs(30), ser(1, 40), ri(1500000000, 1760000000)))
t('wc_session_del', .02, 900, lambda: "DELETE FROM wp_woocommerce_sessions WHERE session_expiry < %d" % ri(1500000000, 1760000000))
t('wc_report', 4.5, 2500000, lambda: "SELECT SUM( meta__order_total.meta_value) as total_sales,SUM( meta__order_shipping.meta_value) as total_shipping, COUNT(DISTINCT posts.ID) as cnt, posts.post_date as post_date FROM wp_posts AS posts INNER JOIN wp_postmeta AS meta__order_total ON ( posts.ID = meta__order_total.post_id AND meta__order_total.meta_key = '_order_total' )  INNER JOIN wp_postmeta AS meta__order_shipping ON ( posts.ID = meta__order_shipping.post_id AND meta__order_shipping.meta_key = '_order_shipping' )  \n\t\t\tWHERE \tposts.post_type \tIN ( 'shop_order' )\n\t\t\t\n\t\t\t\tAND \tposts.post_status \tIN ( 'wc-completed','wc-processing','wc-on-hold','wc-refunded')\n\t\t\t\t\tAND \tposts.post_date >= '%s'\n\t\t\t\t\tAND \tposts.post_date < '%s'\n\t\t\t GROUP BY YEAR(posts.post_date), MONTH(posts.post_date), DAY(posts.post_date) ORDER BY post_date ASC" % (dt(), dt()))
t('wc_stats_insert', .003, 0, lambda: "REPLACE INTO wp_wc_order_stats (order_id, parent_id, date_created, date_paid, num_items_sold, total_sales, tax_total, net_total, returning_customer, status, customer_id) VALUES (%s, 0, '%s', NULL, %d, %s, %s, -%s, %s, 'wc-completed', %s)" % (n(), dt(), ri(1, 9), money(), money(), money(), ch(['true', 'false', 'NULL']), n()))
t('wc_related', .7, 300000, lambda: "SELECT DISTINCT ID FROM wp_posts p\n LEFT JOIN ( SELECT object_id FROM wp_term_relationships INNER JOIN wp_term_taxonomy using( term_taxonomy_id ) WHERE term_id IN ( %s ) ) AS exclude_join ON exclude_join.object_id = p.ID\n INNER JOIN ( SELECT object_id FROM wp_term_relationships INNER JOIN wp_term_taxonomy using( term_taxonomy_id ) WHERE term_id IN ( %s ) ) AS include_join ON include_join.object_id = p.ID\n WHERE 1=1 AND p.post_status = 'publish' AND p.post_type = 'product' AND exclude_join.object_id IS NULL AND p.ID NOT IN ( %s ) LIMIT %d" % (idl(1, 4), idl(1, 8), idl(1, 9), ri(10, 30)))
t('union_ids', .6, 80000, lambda: "SELECT ID FROM wp_posts WHERE post_type = '%s' AND ID > %s UNION ALL SELECT ID FROM wp_posts WHERE post_type = '%s' AND ID > %s UNION ALL SELECT ID FROM wp_posts WHERE post_type = '%s' AND ID > %s" % (ch(POST_TYPES), n(), ch(POST_TYPES), n(), ch(POST_TYPES), n()))
t('as_claim', .015, 500, lambda: "UPDATE wp_actionscheduler_actions SET claim_id=%s, last_attempt_gmt='%s', last_attempt_local='%s' WHERE claim_id = 0 AND scheduled_date_gmt <= '%s' AND status='pending' ORDER BY priority ASC, attempts ASC, scheduled_date_gmt ASC, action_id ASC LIMIT %d" % (n(), dt(), dt(), dt(), ch([25, 50])))
t('as_log', .002, 0, lambda: "INSERT INTO `wp_actionscheduler_logs` (`action_id`, `message`, `log_date_gmt`, `log_date_local`) VALUES (%s, 'action %s via WP Cron', '%s', '%s')" % (n(), ch(['started', 'complete']), dt(), dt()))
t('as_find', .03, 4000, lambda: "SELECT a.action_id FROM wp_actionscheduler_actions a LEFT JOIN wp_actionscheduler_groups g ON g.group_id=a.group_id WHERE 1=1 AND a.hook='%s' AND a.args='[%s]' AND a.status IN ('pending') AND g.slug='%s' ORDER BY scheduled_date_gmt ASC LIMIT 0, 1" % (ch(['woocommerce_cleanup', 'wc-admin_import_orders']), n(), slug()))
t('call_proc', .5, 10000, lambda: "CALL wp_shop.rebuild_stock(%s, '%s', %s)" % (n(), ch(STATUS), money()))
t('set_var', .0001, 0, lambda: "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_520_ci")
t('set_sqlmode', .0001, 0, lambda: "SET SESSION sql_mode='%s'" % ch(['NO_ENGINE_SUBSTITUTION', 'ANSI']))
t('begin', .0001, 0, lambda: "START TRANSACTION")
t('commit', .03, 0, lambda: ch(["COMMIT", "commit"]))
t('rollback', .002, 0, lambda: "ROLLBACK")
t('show_cols', .004, 20, lambda: "SHOW FULL COLUMNS FROM `wp_%s`" % ch(['posts', 'postmeta', 'options']))
t('show_tables', .003, 50, lambda: "SHOW TABLES LIKE 'wp\\\\_%s'" % ch(WORDS[:20]))
t('mysqldump', 9.0, 1500000, lambda: "SELECT /*!40001 SQL_NO_CACHE */ * FROM `wp_%s`" % ch(['posts', 'postmeta', 'options', 'users', 'comments']))
t('load_data', 3.0, 0, lambda: "LOAD DATA INFILE '/var/lib/mysql-files/import_%s.csv' INTO TABLE wp_import FIELDS TERMINATED BY ',' ENCLOSED BY '\"' LINES TERMINATED BY '\\n' IGNORE 1 LINES" % dt()[:10])
t('alter', 25.0, 0, lambda: "ALTER TABLE `wp_postmeta` ADD INDEX `idx_%s` (`meta_key`(%d), `meta_value`(%d))" % (n(), ri(10, 191), ri(10, 100)))
t('optimize', 12.0, 0, lambda: "OPTIMIZE TABLE `wp_options`")
t('sleep', 2.0, 0, lambda: "SELECT SLEEP(%d.%d)" % (ri(1, 5), ri(0, 9)))
t('kill', .0002, 0, lambda: "KILL %s" % n())
t('hex_blob', .004, 0, lambda: "INSERT INTO wp_wfhits (`attackLogTime`, `ctime`, `IP`, `jsRun`, `statusCode`, `URL`, `UA`) VALUES (%s, %d.%06d, 0x%s, %d, %d, 'https://shop.example.org/%s/?s=%s&p=%s', _binary'\\0\\0\\0%s')" % (ch(['NULL', n()]), ri(1500000000, 1760000000), ri(0, 999999), hexs(32), ri(0, 2), ch([200, 301, 404, 503]), slug(), ch(WORDS[:40]), n(), hexs(20)))
t('in_strings', .01, 60, lambda: "SELECT ID, post_name FROM wp_posts WHERE post_name IN (%s) AND post_type IN ('page','attachment')" % strl(2, 30, [slug() for _ in range(40)]))
t('subselect', 2.3, 1200000, lambda: "SELECT p.ID, (SELECT COUNT(*) FROM wp_postmeta pm WHERE pm.post_id = p.ID AND pm.meta_value <> \"\") AS c FROM wp_posts p WHERE p.post_modified BETWEEN '%s' AND '%s' HAVING c > %d ORDER BY c DESC, p.ID ASC" % (dt(), dt(), ri(0, 30)))
t('with_cte', 1.4, 300000, lambda: "WITH RECURSIVE cat AS (SELECT term_id, parent, 0 AS d FROM wp_term_taxonomy WHERE term_id = %s UNION ALL SELECT tt.term_id, tt.parent, d + 1 FROM wp_term_taxonomy tt JOIN cat ON tt.parent = cat.term_id) SELECT * FROM cat WHERE d < %d" % (n(), ri(2, 9)))
t('json', .05, 2000, lambda: "SELECT id, JSON_UNQUOTE(JSON_EXTRACT(data, '$.items[%d].sku')) FROM wp_wc_admin_notes WHERE JSON_CONTAINS(data, '{\\\"type\\\": \\\"%s\\\"}') AND status <> 'actioned' LIMIT %d OFFSET %d" % (ri(0, 9), ch(WORDS[:10]), ri(1, 50), ri(0, 500)))
t('for_update', .05, 2, lambda: "SELECT meta_value FROM wp_postmeta WHERE post_id = %s AND meta_key = '_stock' FOR UPDATE" % n())
t('neg_arith', .01, 900, lambda: "SELECT lat, lng, ((lat - -%s) * (lat - -%s) + (lng-%s)*(lng-%s)) AS d2 FROM wp_store_locator WHERE lat > -%s AND lng < %s ORDER BY d2 LIMIT %d" % (money(), money(), money(), money(), money(), money(), ri(1, 50)))
t('multiline_cron', .004, 2, lambda: "UPDATE\n  `wp_options`\nSET\n  `option_value` = '%s'\nWHERE\n  `option_name` = 'cron'\n" % ser(4, 90))
# ---- plugin tables x CRUD: brings the number of distinct fingerprints to ~200 ---------------------------
PLUG = ['yoast_indexable', 'yoast_seo_links', 'yoast_primary_term', 'wfconfig', 'wflogins', 'wfissues', 'redirection_items',
        'redirection_logs', 'gf_entry', 'gf_entry_meta', 'gf_form_view', 'rank_math_analytics_gsc', 'learndash_user_activity',
        'bp_activity', 'bp_notifications', 'bp_xprofile_data', 'icl_translations', 'icl_strings', 'mailpoet_subscribers',
        'mailpoet_sending_queues', 'wc_customer_lookup', 'wc_order_product_lookup', 'wc_download_log', 'wc_webhooks',
        'woocommerce_tax_rates', 'woocommerce_api_keys', 'ewwwio_images', 'smush_dir_images', 'statistics_visitor', 'wpforms_entries']
def plug(p):
    t('p_sel_' + p, .002, 30, lambda: "SELECT * FROM `wp_%s` WHERE `object_id` = %s AND `object_type` = '%s' LIMIT %d" % (p, n(), ch(POST_TYPES), ri(1, 30)))
    t('p_cnt_' + p, .09, 40000, lambda: "SELECT COUNT(*) FROM wp_%s WHERE created_at >= '%s' AND (status = %d OR name LIKE %s)" % (p, dt(), ri(0, 9), like()))
    t('p_upd_' + p, .003, 1, lambda: "UPDATE `wp_%s` SET `updated_at` = '%s', `score` = %d, `title` = '%s' WHERE `id` = %s" % (p, dt(), ri(0, 100), w(ri(2, 12)), n()))
    t('p_ins_' + p, .003, 0, lambda: "INSERT INTO `wp_%s` (`object_id`, `object_type`, `title`, `data`, `created_at`) VALUES (%s, '%s', '%s', '%s', '%s')" % (p, n(), ch(POST_TYPES), w(ri(2, 9)), ser(0, 8), dt()))
    if len(p) % 3 == 0:
        t('p_del_' + p, .01, 300, lambda: "DELETE FROM wp_%s WHERE id IN (%s)" % (p, idls(1, 50)))
for p in PLUG: plug(p)
ADMIN = ['Ping', 'Quit', 'Init DB', 'Prepare', 'Close stmt', 'Reset stmt', 'Statistics']

# zipf: frequent = cheap core queries first, then the shuffled tail
head = ['option_one', 'postmeta_in', 'post_by_id', 'terms_join', 'usermeta_in', 'posts_in', 'wc_session_get', 'meta_update', 'main_loop',
        'termmeta_in', 'meta_insert', 'comments_list', 'wc_session_put', 'wc_itemmeta', 'opt_insert_dup', 'meta_join', 'autoload', 'as_claim']
by = {x[0]: x for x in T}
tail = [x for x in T if x[0] not in head]
R.shuffle(tail)
ORDER = [by[h] for h in head] + tail
CUM = []; acc = 0.0
for i in range(len(ORDER)):
    acc += 1.0 / (i + 1) ** 1.05
    CUM.append(acc)

USERS = ['wp_shop', 'wp_blog', 'root', 'report', 'wc_cron', 'event_scheduler']
HOSTS = [('localhost', ''), ('', '10.0.0.5'), ('', '10.0.0.6'), ('web1.example.net', '10.0.1.11'), ('web2.example.net', '10.0.1.12'), ('', '2001:db8::17')]
F = A.flavor
if A.tame:
    A.no_restart = True
    HOSTS = [('localhost', '127.0.0.1'), ('web1', '10.0.1.11'), ('web2', '10.0.1.12')]
HDR = {
    'mysql8': "/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL). started with:\nTcp port: 3306  Unix socket: /var/run/mysqld/mysqld.sock\nTime                 Id Command    Argument\n",
    'mariadb': "/usr/sbin/mariadbd, Version: 10.11.6-MariaDB-0+deb12u1-log (Debian 12). started with:\nTcp port: 3306  Unix socket: /run/mysqld/mysqld.sock\nTime\t\t    Id Command\tArgument\n",
    'percona': "/usr/sbin/mysqld, Version: 8.0.36-28 (Percona Server (GPL), Release 28, Revision 47601f19). started with:\nTcp port: 3306  Unix socket: /var/lib/mysql/mysql.sock\nTime                 Id Command    Argument\n",
}
HDR['mysql8extra'] = HDR['mysql8']; HDR['mariadb-full'] = HDR['mariadb']

limit = int(A.size_mb * 1048576)
clock = 1709287200.0     # 2024-03-01T10:00:00Z
out = open(A.out, 'wb', buffering=1 << 20)
size = out.write(HDR[F].encode())
last_db = last_sec = None
counts = {}; tsum = {}
ev = 0
gm = time.gmtime
YN = ('No', 'Yes')
choices = R.choices
lognorm = R.lognormvariate
next_restart = limit // 3
while size < limit:
    ev += 1
    clock += R.expovariate(900.0)
    sec = int(clock); us = int((clock - sec) * 1e6)
    if not A.no_restart and size >= next_restart:
        size += out.write(HDR[F].encode()); next_restart += limit // 3; last_sec = last_db = None
    admin = rnd() < 0.012 and not A.tame
    if admin:
        name, med, rows = 'admin', .00002, 0
        q = None; cmd = ch(ADMIN); name = 'admin_' + cmd
    else:
        name, med, rows, fn = choices(ORDER, cum_weights=CUM)[0]
        q = fn()
    qt = med * lognorm(0, 0.8)
    if qt > 3600: qt = 3600.0
    qus = int(qt * 1e6)
    lt = min(qt, 0.00002 * lognorm(0, 1.2))
    re = int(rows * lognorm(0, 0.4)) if rows else 0
    rs = min(re, ri(0, 50)) if q and q.lstrip()[:1] in 'SsW/' else 0
    ra = 0 if rs or not q or q[:1] == 'S' else ri(0, 5)
    bs = rs * ri(20, 400) + 11
    user = ch(USERS); host, ip = ch(HOSTS); tid = ri(1000, 4000000)
    db = ch(DBS) if rnd() < .1 or last_db is None else last_db
    tm = gm(sec)
    counts[name] = counts.get(name, 0) + 1; tsum[name] = tsum.get(name, 0) + qus
    L = []
    slow = qt > .05; tmp = slow and rnd() < .6; fs = slow and rnd() < .4
    if F.startswith('mariadb'):
        if sec != last_sec:
            L.append('# Time: %02d%02d%02d %2d:%02d:%02d\n' % (tm[0] % 100, tm[1], tm[2], tm[3], tm[4], tm[5])); last_sec = sec
        L.append('# User@Host: %s[%s] @ %s [%s]\n# Thread_id: %d  Schema: %s  QC_hit: No\n# Query_time: %.6f  Lock_time: %.6f  Rows_sent: %d  Rows_examined: %d\n# Rows_affected: %d  Bytes_sent: %d\n'
                 % (user, user, host, ip, tid, db, qt, lt, rs, re, ra, bs))
        if tmp: L.append('# Tmp_tables: %d  Tmp_disk_tables: %d  Tmp_table_sizes: %d\n' % (ri(1, 4), ri(0, 2), ri(0, 40) * 8192))
        if F == 'mariadb-full':
            L.append('# Full_scan: %s  Full_join: %s  Tmp_table: %s  Tmp_table_on_disk: %s\n# Filesort: %s  Filesort_on_disk: No  Merge_passes: 0  Priority_queue: %s\n' % (YN[slow], YN[slow and rnd() < .1], YN[tmp], YN[tmp and rnd() < .3], YN[fs], YN[fs and rnd() < .5]))
            if q and q[:6] == 'SELECT':
                L.append('#\n# explain: id\tselect_type\ttable\ttype\tpossible_keys\tkey\tkey_len\tref\trows\tr_rows\tfiltered\tr_filtered\tExtra\n# explain: 1\tSIMPLE\twp_posts\tref\ttype_status_date\ttype_status_date\t164\tconst,const\t%d\t%d.00\t100.00\t%d.00\tUsing where\n#\n' % (re, re, ri(0, 100)))
    elif F == 'percona':
        L.append('# Time: %04d-%02d-%02dT%02d:%02d:%02d.%06dZ\n# User@Host: %s[%s] @ %s [%s]  Id: %d\n# Schema: %s  Last_errno: %d  Killed: 0\n# Query_time: %.6f  Lock_time: %.6f  Rows_sent: %d  Rows_examined: %d  Rows_affected: %d  Bytes_sent: %d\n'
                 % (tm[0], tm[1], tm[2], tm[3], tm[4], tm[5], us, user, user, host, ip, tid, db, 1062 if rnd() < .001 else 0, qt, lt, rs, re, ra, bs))
        L.append('# Tmp_tables: %d  Tmp_disk_tables: %d  Tmp_table_sizes: %d\n# InnoDB_trx_id: %X\n# Full_scan: %s  Full_join: %s  Tmp_table: %s  Tmp_table_on_disk: %s\n# Filesort: %s  Filesort_on_disk: No  Merge_passes: 0\n#   InnoDB_IO_r_ops: %d  InnoDB_IO_r_bytes: %d  InnoDB_IO_r_wait: %.6f\n#   InnoDB_rec_lock_wait: 0.000000  InnoDB_queue_wait: 0.000000\n#   InnoDB_pages_distinct: %d\n# Log_slow_rate_type: query  Log_slow_rate_limit: 1\n'
                 % (tmp, 0, tmp * 8192 * ri(0, 9), R.getrandbits(30), YN[slow], YN[slow and rnd() < .1], YN[tmp], YN[tmp and rnd() < .3], YN[fs], re // 900, re // 900 * 16384, re * 1e-7, re // 50 + 1))
    else:
        L.append('# Time: %04d-%02d-%02dT%02d:%02d:%02d.%06dZ\n# User@Host: %s[%s] @ %s [%s]  Id: %5d\n' % (tm[0], tm[1], tm[2], tm[3], tm[4], tm[5], us, user, user, host, ip, tid))
        if F == 'mysql8extra':
            L.append('# Query_time: %.6f  Lock_time: %.6f Rows_sent: %d  Rows_examined: %d Thread_id: %d Errno: 0 Killed: 0 Bytes_received: %d Bytes_sent: %d Read_first: 0 Read_last: 0 Read_key: %d Read_next: %d Read_prev: 0 Read_rnd: 0 Read_rnd_next: %d Sort_merge_passes: 0 Sort_range_count: 0 Sort_rows: %d Sort_scan_count: %d Created_tmp_disk_tables: 0 Created_tmp_tables: %d Start: %04d-%02d-%02dT%02d:%02d:%02d.%06dZ End: %04d-%02d-%02dT%02d:%02d:%02d.%06dZ\n'
                     % (qt, lt, rs, re, tid, len(q) if q else 5, bs, re // 3, re // 2, re if slow else 0, rs * fs, fs, tmp, tm[0], tm[1], tm[2], tm[3], tm[4], tm[5], 0, tm[0], tm[1], tm[2], tm[3], tm[4], tm[5], us))
        else:
            L.append('# Query_time: %.6f  Lock_time: %.6f Rows_sent: %d  Rows_examined: %d\n' % (qt, lt, rs, re))
    if db != last_db:
        L.append('use %s;\n' % db); last_db = db
    L.append('SET timestamp=%d;\n' % sec)
    if admin: L.append('# administrator command: %s;\n' % cmd)
    else: L.append(q); L.append(';\n')
    size += out.write(''.join(L).encode())
out.close()
if A.truth:
    json.dump({'events': ev, 'templates': {k: [counts[k], tsum[k]] for k in sorted(counts)}}, open(A.truth, 'w'), indent=0)
print(f'{A.out}: {size} bytes, {ev} events, {len(counts)} templates', file=sys.stderr)
