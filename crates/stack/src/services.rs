//! What runs on top of the kernel: the services of a PHP site, their configuration, code and logs. Read once, at the end of
//! the window: configuration does not change meanwhile, and logs have by then what happened in it.

use host::Host;
use model::{Layered, Missing, Unread};
use serde::{Deserialize, Serialize};

use crate::{composer, cron, mysql, nginx, opcache, php_fpm, proxysql, wordpress};

/// The facts of the services that are read once per window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Services {
    /// Nginx: configuration, processes, logs.
    pub nginx: Layered<nginx::Facts>,
    /// PHP-FPM: masters, pools, workers, logs.
    pub php_fpm: Layered<php_fpm::Facts>,
    /// OPcache: effective settings of each PHP.
    pub opcache: Layered<opcache::Facts>,
    /// Code trees and their autoloaders.
    pub composer: Layered<composer::Facts>,
    /// WordPress sites.
    pub wordpress: Layered<wordpress::Facts>,
    /// Jobs that a clock starts.
    pub cron: Layered<cron::Facts>,
    /// MariaDB and MySQL: processes, option files, what they say of themselves.
    pub mysql: Layered<mysql::Facts>,
    /// ProxySQL: configuration and administration tables.
    pub proxysql: Layered<proxysql::Facts>,
}

impl Default for Services {
    fn default() -> Self {
        Self::unread(&Unread::new("whoever took this reading did not read services", "read the host again"))
    }
}

impl Services {
    /// Services of which none was read, for the same reason.
    pub fn unread(unread: &Unread) -> Self {
        fn no<T>(unread: &Unread) -> Layered<T> {
            Layered::Unread(unread.clone())
        }
        Self {
            nginx: no(unread),
            php_fpm: no(unread),
            opcache: no(unread),
            composer: no(unread),
            wordpress: no(unread),
            cron: no(unread),
            mysql: no(unread),
            proxysql: no(unread),
        }
    }

    /// Reads every service, one after the other.
    pub fn read(host: &dyn Host) -> Self {
        Self {
            nginx: nginx::read(host).into(),
            php_fpm: php_fpm::read(host).into(),
            opcache: opcache::read(host).into(),
            composer: composer::read(host).into(),
            wordpress: wordpress::read(host).into(),
            cron: cron::read(host).into(),
            mysql: mysql::read(host).into(),
            proxysql: proxysql::read(host).into(),
        }
    }
}

/// The facts of a service.
///
/// # Errors
/// Why it was not read.
pub fn facts<T>(service: &Layered<T>) -> Result<&T, Missing> {
    match service {
        Layered::Facts(facts) => Ok(facts),
        Layered::Unread(unread) => Err(Missing::new(unread.why.clone(), unread.how_to_enable.clone())),
    }
}

/// What stands for counters in a reading that holds none.
pub(crate) fn no_counters<T>() -> Layered<T> {
    Layered::Unread(Unread::new("whoever took this reading did not read services", "read the host again"))
}
