<?php
define('DB_NAME', 'wp');
define('DISABLE_WP_CRON', true);
require_once ABSPATH . 'wp-settings.php';
