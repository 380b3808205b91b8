<?php
$directories = ['/var/www/html/wp-includes/', '/var/www/html/wp-content/themes/poora/core/', '/var/www/html/wp-content/plugins/give/includes/'];
foreach ($directories as $directory) {
    $files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($directory), RecursiveIteratorIterator::LEAVES_ONLY);
    foreach ($files as $file) {
        if ($file->isFile() && $file->getExtension() === 'php') {
            opcache_compile_file($file->getPathname());
        }
    }
}
