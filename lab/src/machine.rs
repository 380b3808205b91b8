//! A machine with Debian's services as their packages install them: their own files in `/etc`, started, reloaded and
//! restarted by their own scripts. narrows finds, changes and activates them as on any host.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::Output;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::faults::netns::Namespace;
use crate::faults::wait::wait_until;
use crate::faults::{Attempt, FaultError, Result};
use crate::http_burst::{self, Answer};
use crate::site::Site;

/// Where its Nginx listens.
pub const WEB: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 80);
/// PHP-FPM's service.
pub const FPM: &str = "php8.2-fpm";
/// Nginx's service.
pub const NGINX: &str = "nginx";
/// The file of PHP-FPM's only pool.
pub const POOL: &str = "/etc/php/8.2/fpm/pool.d/www.conf";
/// The socket of Debian's pool.
pub const SOCKET: &str = "/run/php/php8.2-fpm.sock";
/// Nginx's only server.
pub const SERVER: &str = "/etc/nginx/sites-available/default";
/// Settings of PHP that are the lab's.
pub const INI: &str = "/etc/php/8.2/fpm/conf.d/99-lab.ini";
/// The document root.
pub const ROOT: &str = "/var/www/site";

/// What stands in the files of a machine.
#[derive(Default)]
pub struct Setup {
    /// PHP-FPM's pool.
    pub pool: String,
    /// Nginx's server.
    pub server: String,
    /// Settings of PHP besides Debian's.
    pub ini: String,
    /// Files below the document root, by their names.
    pub pages: Vec<(String, String)>,
}

impl Setup {
    /// Writes them.
    pub fn lay_out(&self, machine: &Machine) -> Result<()> {
        let site = &machine.site;
        site.write(POOL, &self.pool)?;
        site.write(SERVER, &self.server)?;
        site.write(INI, &self.ini)?;
        machine.forget_hits()?;
        site.write_all(self.pages.iter().map(|(name, text)| (format!("{ROOT}/{name}"), text.as_str())))
    }

    /// One page.
    pub fn page(text: &str) -> Vec<(String, String)> {
        vec![("index.php".to_owned(), text.to_owned())]
    }
}

/// The machine; its processes end with it.
pub struct Machine {
    /// Where narrows runs.
    pub site: Site,
    network: Option<Namespace>,
}

impl Machine {
    /// One of namespaces on this kernel, on which nothing runs yet.
    pub fn boot() -> Result<Self> {
        allow_many_files()?;
        let network = Namespace::create()?;
        let machine = Self { site: Site::whole(&network)?, network: Some(network) };
        machine.prepare()?;
        Ok(machine)
    }

    /// One that serves, and answers `/index.php` with 200.
    pub fn serving(setup: &Setup) -> Result<Self> {
        let machine = Self::boot()?;
        setup.lay_out(&machine)?;
        machine.start()?;
        machine.demand("/index.php", "")?;
        Ok(machine)
    }

    /// The guest that this program runs in.
    pub fn guest() -> Result<Self> {
        allow_many_files()?;
        let machine = Self { site: Site::guest()?, network: None };
        machine.run(&["mkdir", "-p", "/run/php", "/run/lock", "/var/log/nginx", ROOT])?;
        machine.prepare()?;
        Ok(machine)
    }

    /// Its Nginx takes crowds; what Debian's takes would be a narrows of its own.
    fn prepare(&self) -> Result<()> {
        self.run(&["chown", "www-data", "/run/php"])?;
        self.run(&["chmod", "1733", "/var/lib/php/sessions"])?;
        self.site.write(
            "/etc/nginx/nginx.conf",
            "user www-data;\nworker_processes 2;\nworker_rlimit_nofile 16000;\npid /run/nginx.pid;\n\
             error_log /var/log/nginx/error.log;\n\nevents {\n    worker_connections 8000;\n}\n\nhttp {\n    \
             log_format timed '$remote_addr - - [$time_local] \"$request\" $status $body_bytes_sent $request_time \
             $upstream_connect_time $upstream_header_time $upstream_response_time $upstream_cache_status';\n    \
             access_log /var/log/nginx/access.log timed;\n    include /etc/nginx/mime.types;\n    \
             default_type application/octet-stream;\n    server_tokens off;\n    sendfile on;\n    tcp_nopush on;\n    keepalive_timeout 65;\n    \
             include /etc/nginx/conf.d/*.conf;\n    include /etc/nginx/sites-enabled/*;\n}\n",
        )
    }

    /// Lets a service's script do something, such as `start`.
    pub fn service(&self, name: &str, verb: &str) -> Result<()> {
        self.run(&["service", name, verb]).map(drop)
    }

    /// Starts PHP-FPM and Nginx, and waits until a page can be asked for.
    pub fn start(&self) -> Result<()> {
        self.service(FPM, "start")?;
        self.service(NGINX, "start")?;
        self.wait_for_web()
    }

    /// The same where they may run already.
    pub fn start_anew(&self) -> Result<()> {
        self.service(FPM, "stop")?;
        self.service(NGINX, "stop")?;
        self.start()
    }

    /// Waits until Nginx listens.
    pub fn wait_for_web(&self) -> Result<()> {
        wait_until("nginx on port 80", || {
            self.within(|| Ok(TcpStream::connect_timeout(&WEB, Duration::from_secs(1)).is_ok()))
        })
    }

    /// Runs a program to its end, which must be good; gives what it printed.
    pub fn run(&self, words: &[&str]) -> Result<String> {
        let output = self.ran(words)?;
        let (printed, complaint) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        match output.status.success() {
            true => Ok(printed.into_owned()),
            false => {
                Err(FaultError::new(format!("{}: {}\n{printed}{complaint}", words.join(" "), output.status)))
            }
        }
    }

    fn ran(&self, words: &[&str]) -> Result<Output> {
        let (program, arguments) = words.split_first().ok_or_else(|| FaultError::new("nothing to run"))?;
        let mut command = self.site.command(program);
        command.args(arguments).output().attempt(|| format!("run {}", words.join(" ")))
    }

    /// Sets a parameter of its network, such as `net/core/somaxconn`.
    pub fn set(&self, parameter: &str, value: &str) -> Result<()> {
        match &self.network {
            Some(network) => network.set(parameter, value),
            None => Err(FaultError::new(format!("{parameter} is the guest's own"))),
        }
    }

    /// Does some work in its network.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        match &self.network {
            Some(network) => network.run(work),
            None => work(),
        }
    }

    /// What `/proc/PID/ns/net` of the processes in its network leads to.
    pub fn network_identity(&self) -> Result<String> {
        self.within(|| {
            let path = "/proc/thread-self/ns/net";
            let identity = std::fs::read_link(path).attempt(|| format!("read {path}"))?;
            Ok(identity.display().to_string())
        })
    }

    /// Asks for a page so many times at once.
    pub fn burst(&self, path: &str, count: usize) -> Result<Vec<Answer>> {
        self.within(|| http_burst::crowd(WEB, path, count))
    }

    /// Asks for a page.
    pub fn ask(&self, path: &str) -> Result<Answer> {
        self.within(|| Ok(http_burst::ask(WEB, path)))
    }

    /// Asks for a page, which must be there and say this.
    pub fn demand(&self, path: &str, wanted: &str) -> Result<Answer> {
        let answer = self.ask(path)?;
        if answer.status == Some(200) && answer.body.contains(wanted) {
            return Ok(answer);
        }
        let errors = self.site.read("/var/log/nginx/error.log").unwrap_or_default();
        let last = errors.lines().last().unwrap_or_default();
        Err(FaultError::new(format!("{path} answers {:?} {:?}; {last}", answer.status, answer.body)))
    }

    /// The number of bytes in a file, which a page lengthens by one with each request that reaches it.
    pub fn hits(&self) -> Result<f64> {
        Ok(count(self.site.read(HITS)?.len()))
    }

    /// Begins to count requests that reach the page anew.
    pub fn forget_hits(&self) -> Result<()> {
        self.site.write(HITS, "")?;
        self.run(&["chmod", "666", HITS]).map(drop)
    }

    /// Waits until Nginx serves with none of its old workers: one that goes on with a page still has the old configuration.
    pub fn wait_for_other_nginx(&self, old: &[String]) -> Result<()> {
        wait_until("new workers of nginx alone", || {
            let now = self.nginx_workers()?;
            Ok(!now.is_empty() && now.iter().all(|worker| !old.contains(worker)))
        })?;
        self.wait_for_web()
    }

    /// The processes of PHP-FPM's workers, as the machine numbers them.
    pub fn workers(&self) -> Result<Vec<String>> {
        self.children("/run/php/php8.2-fpm.pid")
    }

    /// The processes of Nginx's workers.
    pub fn nginx_workers(&self) -> Result<Vec<String>> {
        self.children("/run/nginx.pid")
    }

    fn children(&self, file: &str) -> Result<Vec<String>> {
        let master = self.site.read(file)?;
        let master = master.trim();
        let children = self.site.read(&format!("/proc/{master}/task/{master}/children"))?;
        Ok(children.split_whitespace().map(str::to_owned).collect())
    }

    /// How often Nginx's error log contains a text.
    pub fn errors(&self, text: &str) -> Result<f64> {
        let log = self.site.read("/var/log/nginx/error.log")?;
        Ok(count(log.lines().filter(|line| line.contains(text)).count()))
    }
}

/// Thousands of visitors need as many sockets.
fn allow_many_files() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).attempt(|| "open many files".to_owned())
}

/// Where pages count the requests that reach them, by [`COUNT`].
const HITS: &str = "/srv/hits";
/// PHP that counts a request.
pub const COUNT: &str = "file_put_contents('/srv/hits', 'x', FILE_APPEND | LOCK_EX);";

/// A count as a figure.
#[expect(clippy::cast_precision_loss, reason = "counts of the lab are small")]
pub fn count(number: usize) -> f64 {
    number as f64
}

/// The text of a pool on Debian's socket, with some settings besides.
pub fn pool(settings: &str) -> String {
    pool_on(SOCKET, settings)
}

/// The text of a pool that listens here.
pub fn pool_on(listen: &str, settings: &str) -> String {
    format!(
        "[www]\nuser = www-data\ngroup = www-data\nlisten = {listen}\nlisten.owner = www-data\n\
         listen.group = www-data\n{settings}"
    )
}

/// The text of a server whose `.php` files go to Debian's socket; `more` stands in their location.
pub fn server(more: &str) -> String {
    server_to(&format!("unix:{SOCKET}"), "", more)
}

/// The same towards any upstream, with directives before the server.
pub fn server_to(upstream: &str, before: &str, more: &str) -> String {
    format!(
        "{before}server {{\n    listen 80 default_server backlog=4096;\n    root {ROOT};\n    index index.php;\n\n    \
         location / {{\n        try_files $uri $uri/ /index.php?$args;\n    }}\n\n    location ~ \\.php$ {{\n        \
         include fastcgi_params;\n        fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n        \
         fastcgi_pass {upstream};\n{more}    }}\n}}\n"
    )
}
