use std::fs::Permissions;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::Service;
use super::service::write;
use crate::faults::netns::Namespace;
use crate::faults::{Attempt, Result, kernel};

/// PHP-FPM with one pool of as many workers as it may ever have (`pm = static`), on a Unix socket.
pub struct PhpFpm {
    service: Service,
    folder: PathBuf,
}

impl PhpFpm {
    /// Starts it; nginx finds it by [`PhpFpm::server`].
    pub fn start(namespace: &Namespace, folder: &Path, workers: u32) -> Result<Self> {
        Self::start_on(namespace, folder, &format!("{}/php.sock", folder.display()), workers)
    }

    /// The same at an address, or at a path; nginx finds it by [`PhpFpm::server_to`].
    pub fn start_on(namespace: &Namespace, folder: &Path, listen: &str, workers: u32) -> Result<Self> {
        let shown = folder.display();
        let configuration = folder.join("php-fpm.conf");
        let errors = folder.join("php.log");
        write(
            &configuration,
            &format!(
                "[global]\nerror_log = {shown}/php-fpm.log\ndaemonize = no\n[www]\nuser = www-data\n\
                 group = www-data\nlisten = {listen}\nlisten.owner = www-data\nlisten.group = www-data\n\
                 pm = static\npm.max_children = {workers}\nphp_admin_value[error_log] = {shown}/php.log\n\
                 php_admin_flag[log_errors] = on\nphp_admin_flag[display_errors] = off\n"
            ),
        )?;
        write(&errors, "")?;
        // The workers, which are www-data's, write it themselves.
        std::fs::set_permissions(&errors, Permissions::from_mode(0o666))
            .attempt(|| format!("open {} to the workers", errors.display()))?;
        Self::start_again(namespace, folder, listen)
    }

    /// Starts it with the configuration that lies there, as a restart does.
    pub fn start_again(namespace: &Namespace, folder: &Path, listen: &str) -> Result<Self> {
        let configuration = folder.join("php-fpm.conf");
        let path = configuration.display().to_string();
        let words = ["php-fpm8.2", "--nodaemonize", "--fpm-config", &path];
        let mut service = Service::start("php-fpm", namespace, &words, folder)?;
        let address: Option<SocketAddr> = listen.parse().ok();
        let there = || match address {
            Some(address) => namespace.run(|| TcpStream::connect(address).attempt(String::new)).is_ok(),
            None => UnixStream::connect(listen).is_ok(),
        };
        service.wait_until_ready(there)?;
        Ok(Self { service, folder: folder.to_owned() })
    }

    /// The process of its master.
    pub fn pid(&self) -> u32 {
        self.service.pid()
    }

    /// The latest message of PHP itself that begins with a text, without the time before it.
    pub fn last_error(&self, text: &str) -> Result<Option<String>> {
        let log = kernel::read(&self.folder.join("php.log").display().to_string())?;
        Ok(log.lines().rev().find_map(|line| line.find(text).map(|at| line[at..].to_owned())))
    }

    /// Directives of an nginx server whose every page is `index.php` of the folder.
    pub fn server(folder: &Path) -> String {
        Self::server_to(folder, &format!("unix:{}/php.sock", folder.display()))
    }

    /// The same for a pool at an address.
    pub fn server_to(folder: &Path, upstream: &str) -> String {
        let shown = folder.display();
        format!(
            "        listen 80;\n        location / {{\n            include /etc/nginx/fastcgi_params;\n\
             \x20           fastcgi_param SCRIPT_FILENAME {shown}/index.php;\n\
             \x20           fastcgi_pass {upstream};\n        }}"
        )
    }

    /// Writes the page.
    pub fn page(folder: &Path, code: &str) -> Result<()> {
        write(&folder.join("index.php"), code)
    }
}
